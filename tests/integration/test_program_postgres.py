"""The program as a process on a database in Postgres: it trades, is looked at from outside, and is the only one."""

import json
from pathlib import Path

from exengine.store.address import PostgresAddress
from tests.helpers.books import check_books
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


def test_a_program_without_its_password_says_so_and_does_not_start(postgres: Server, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write_config(folder, app={"database_url": str(postgres.database())})
    refused = Headless(folder, EXENGINE_DATABASE_PASSWORD="", PGPASSWORD="")
    assert refused.process.wait(timeout=30) != 0
    assert "EXENGINE_DATABASE_PASSWORD" in refused.output
    assert "Traceback" not in refused.output
