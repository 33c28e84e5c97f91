"""The program as a process: killed at any instant, told to stop, run twice, out of disk. Nothing is lost or doubled."""

import os
import random
import signal
import stat
import time
from pathlib import Path

import pytest

from exengine.domain.group import GroupStatus
from exengine.domain.order import OrderStatus
from tests.helpers.books import check_books, read_books
from tests.helpers.paper_alerts import Alerts, a_market_that_swings
from tests.helpers.program import SECRET, TOKEN, Headless, entry, eventually, exengine, write_config

resource = pytest.importorskip("resource")

ROUNDS = int(os.environ.get("EXENGINE_TEST_KILLS", "10"))
"""How often the program is killed; more, where somebody has the time."""

SLOTS = 3


def test_killed_at_any_instant_the_program_loses_nothing_and_doubles_nothing(tmp_path: Path):
    drawn = random.Random(20261123)
    write_config(
        tmp_path, sim=a_market_that_swings(tmp_path), sizing={"amount": "500"}, pool={"max_open_groups": SLOTS}
    )
    accepted: list[int] = []
    for number in range(ROUNDS):
        with Headless(tmp_path) as running:
            if number % 4 == 3:
                time.sleep(drawn.uniform(0.3, 1.2))  # the instant of the kill is what is tried here: in mid-start too
            else:
                running.ready()
                alerts = Alerts(running, drawn)
                alerts.start()
                time.sleep(drawn.uniform(0.05, 0.9))
                running.process.kill()
                alerts.join(10)
                assert alerts.statuses <= {202}
                accepted += alerts.accepted
            assert running.stop(signal.SIGKILL) == -signal.SIGKILL, running.output

    with Headless(tmp_path).ready() as running:
        eventually(lambda: None not in read_books(running.database).outcomes.values())
        assert running.stop() == 0, running.output
    books = check_books(running.database, answered=accepted, slots=SLOTS)
    assert len(accepted) == len(set(accepted)) > 20 * ROUNDS // 4
    assert len(books.fills) > 5 * ROUNDS
    assert any(group.status is GroupStatus.CLOSED for group in books.groups.values())
    assert "Traceback" not in running.output
    assert "CRITICAL" not in log_of(running)


def log_of(running: Headless) -> str:
    return "".join(path.read_text() for path in running.data_dir.glob("logs/*.log"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_stops_within_seconds_and_says_so(tmp_path: Path, number: int):
    write_config(tmp_path, sim=a_market_that_swings(tmp_path, ticks=2000), sizing={"amount": "500"})
    with Headless(tmp_path).ready() as running:
        alerts = Alerts(running, random.Random(1))
        alerts.start()
        eventually(lambda: len(alerts.accepted) > 5)
        began = time.monotonic()
        assert running.stop(number) == 0, running.output
        assert time.monotonic() - began < 8
        alerts.join(10)
    assert "ExEngine has stopped" in running.output
    assert "Traceback" not in running.output
    check_books(running.database, answered=alerts.accepted)
    assert "task" not in log_of(running).lower()


def test_told_to_stop_while_it_starts_it_stops_as_well(tmp_path: Path):
    write_config(tmp_path)
    with Headless(tmp_path) as running:
        eventually(running.database.exists, what="the store")
        assert running.stop() == 0, running.output
    assert "Traceback" not in running.output


def test_a_second_start_on_the_same_data_says_so_and_ends_with_1(tmp_path: Path):
    write_config(tmp_path)
    with Headless(tmp_path).ready() as running:
        second = exengine("run", "--headless", *running.options)
        assert second.returncode == 1
        assert "already runs on this data" in second.stderr
        assert str(running.process.pid) in second.stderr
        assert running.health() == "running"


def test_the_data_folder_is_its_owners_alone(tmp_path: Path):
    write_config(tmp_path)
    with Headless(tmp_path).ready() as running:
        assert stat.S_IMODE(running.data_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE((running.data_dir / "logs").stat().st_mode) == 0o700


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no other process's limits can be set here")
def test_a_full_disk_turns_alerts_away_keeps_what_rests_and_is_got_over(tmp_path: Path):
    write_config(tmp_path)
    with Headless(tmp_path).ready() as running:
        price = "20000"  # far below the generated market's: entries rest
        assert running.post(entry(price))[0] == 202
        eventually(lambda: open_orders(running) == 5)
        limits = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (1000, limits[1]))
        began = time.monotonic()
        assert running.post(entry(price, tv__timeframe="60")) == (503, {"status": "unavailable"})
        assert time.monotonic() - began < 3
        assert running.health() == "error"
        assert running.post(entry(price, tv__timeframe="60"))[0] == 503
        assert open_orders(running) == 5
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, limits)
        eventually(lambda: running.health() == "running")
        assert running.post(entry(price, tv__timeframe="60"))[0] == 202
        eventually(lambda: open_orders(running) == 10)
        assert running.stop() == 0
    books = check_books(running.database)
    assert list(books.outcomes) == [1, 2]


def open_orders(running: Headless) -> int:
    return sum(order.status is OrderStatus.OPEN for order in read_books(running.database).orders.values())


def test_a_token_made_for_this_run_is_shown_once_and_kept_nowhere(tmp_path: Path):
    write_config(tmp_path)
    with Headless(tmp_path, EXENGINE_WEBHOOK_TOKEN="", EXENGINE_WEBHOOK_SECRET="").ready() as running:
        (line,) = [line for line in running.output.splitlines() if "for this run only" in line]
        token = line.split("/webhook/")[1].split()[0]
        assert len(token) >= 32
        assert running.post(entry("20000"))[0] == 401
        assert running.stop() == 0
    assert running.output.count(token) == 1
    assert files_with(running, token) == []


def files_with(running: Headless, word: str) -> list[Path]:
    files = [path for path in running.data_dir.rglob("*") if path.is_file()]
    return [path for path in files if word.encode() in path.read_bytes()]


def test_token_and_secret_stand_in_no_output_and_no_file_of_a_run(tmp_path: Path):
    write_config(tmp_path, logging={"level": "debug"})
    with Headless(tmp_path).ready() as running:
        assert running.post(entry("20000", secret=SECRET))[0] == 202
        assert running.post(b"not json " + SECRET.encode())[0] == 400
        running.process.kill()
        running.process.wait(10)
        for word in (TOKEN, SECRET):
            assert word not in running.output
            kept = [
                path for path in running.data_dir.rglob("*") if path.is_file() and word.encode() in path.read_bytes()
            ]
            assert kept == []


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ('{"schema_version": 1, "pool": {"max_open_groups": -1}}', "pool.max_open_groups"),
        ('{"schema_version": 1, "grid": {"legs": [{"gap_percent": "1"}]}}', "grid.legs[0].gap_percent"),
        ('{"schema_version": 1, "listner": {}}', "listner"),
        ('{"schema_version": 1,', "config.json"),
    ],
)
def test_a_broken_configuration_is_named_by_its_path_and_nothing_is_started(tmp_path: Path, config: str, told: str):
    (tmp_path / "config.json").write_text(config)
    result = exengine("run", "--headless", "--data-dir", tmp_path / "data", "--config", tmp_path / "config.json")
    assert result.returncode == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "data" / "exengine.sqlite3").exists()


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path):
    write_config(tmp_path)
    (tmp_path / "data").write_text("mine")
    result = exengine("run", "--headless", "--data-dir", tmp_path / "data", "--config", tmp_path / "config.json")
    assert result.returncode == 1
    assert "cannot be used" in result.stderr
    assert (tmp_path / "data").read_text() == "mine"
