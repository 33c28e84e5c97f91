"""The program as a process on a database in Postgres: it trades, is looked at from outside, and is the only one."""

import json
import random
from pathlib import Path

from exengine.store.address import PostgresAddress
from tests.helpers.books import check_books, read_books
from tests.helpers.paper_alerts import Alerts, a_market_that_swings
from tests.helpers.postgres import PASSWORD, Server
from tests.helpers.program import Headless, entry, environment, eventually, exengine, http, write_config

ENVIRONMENT = {"EXENGINE_DATABASE_PASSWORD": PASSWORD}


def running(folder: Path, database: PostgresAddress) -> Headless:
    write_config(folder, app={"database_url": str(database)})
    return Headless(folder, **ENVIRONMENT).ready()


def test_a_program_on_postgres_trades_is_exported_checked_killed_and_goes_on(postgres: Server, tmp_path: Path) -> None:
    database = postgres.database()
    first = running(tmp_path / "first", database)
    url = f"http://127.0.0.1:{first.port}/webhook/canary-token-1c9e5b7a3d2f8064"
    assert http(url, entry("95000"))[0] == 202
    eventually(lambda: postgres.sql("SELECT 1 FROM signals WHERE outcome IS NOT NULL", at=database))

    commands = environment(**ENVIRONMENT)
    seen = exengine("export", "--what", "signals", "--format", "json", *first.options, env=commands)
    assert seen.returncode == 0, seen.stderr
    assert [row["signal_id"] for row in json.loads(seen.stdout)] == [1]
    looked = exengine("doctor", *first.options, env=commands)
    (line,) = [line for line in looked.stdout.splitlines() if " store: " in line]
    assert line.startswith(f"ok    store: {database}, sound")
    assert line.endswith("1 signals")

    # From another folder, as from another machine.
    write_config(tmp_path / "second", app={"database_url": str(database)})
    second = Headless(tmp_path / "second", **ENVIRONMENT)
    assert second.process.wait(timeout=30) != 0
    assert "already runs on the database" in second.output
    assert PASSWORD not in second.output

    first.process.kill()
    first.process.wait()
    again = Headless(tmp_path / "first", **ENVIRONMENT).ready()
    again.process.terminate()
    assert again.process.wait(timeout=30) == 0
    assert len(check_books(database, answered=[1]).outcomes) == 1
    written = "".join(one.read_text() for one in (tmp_path / "first").rglob("*") if one.is_file())
    assert PASSWORD not in written


def test_the_server_is_killed_and_started_while_alerts_and_fills_flow_and_nothing_is_lost_or_doubled(
    own_postgres: Server, tmp_path: Path
) -> None:
    database = own_postgres.database()
    folder = tmp_path / "folder"
    folder.mkdir()
    write_config(
        folder,
        app={"database_url": str(database)},
        sim=a_market_that_swings(folder, ticks=20_000),
        sizing={"amount": "500"},
    )
    with Headless(folder, **ENVIRONMENT).ready() as program:
        alerts = Alerts(program, random.Random(20261129))
        alerts.start()
        for outage in range(1, 4):
            answered = len(alerts.accepted)
            eventually(lambda seen=answered: len(alerts.accepted) > seen + 10, within_s=60, what="alerts taken")
            own_postgres.stop("immediate")  # in the middle of whatever it was told to store
            eventually(lambda: program.health() == "error", within_s=60, what="the outage, seen")
            assert program.post(entry("50000"))[0] == 503
            own_postgres.start()
            eventually(lambda: program.health() == "running", within_s=60, what=f"the end of outage {outage}")
        alerts.enough.set()
        alerts.join(30)
        assert alerts.statuses == {202, 503}
        eventually(lambda: None not in read_books(database).outcomes.values(), within_s=60)
        assert program.stop() == 0, program.output
    books = check_books(database, answered=alerts.accepted)
    assert len(alerts.accepted) == len(set(alerts.accepted)) > 30
    assert books.fills
    assert "Traceback" not in program.output


def test_a_program_without_its_password_says_so_and_does_not_start(postgres: Server, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write_config(folder, app={"database_url": str(postgres.database())})
    refused = Headless(folder, EXENGINE_DATABASE_PASSWORD="", PGPASSWORD="")
    assert refused.process.wait(timeout=30) != 0
    assert "EXENGINE_DATABASE_PASSWORD" in refused.output
    assert "Traceback" not in refused.output
