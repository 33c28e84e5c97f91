"""The program's own log keeps to its level, its size and its days, and never stands in the program's way."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from exengine.program_log import MOST_FILES, log_to_files
from tests.helpers.program import program

DAY_S = 24 * 3600


@pytest.fixture(autouse=True)
def the_root_logger_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    assert root.handlers == handlers


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_what_is_at_least_as_severe_as_the_level_is_written(tmp_path: Path):
    end = log_to_files(tmp_path, level="warning")
    logging.getLogger("exengine.test").info("quiet")
    logging.getLogger("exengine.test").warning("loud")
    end()
    text = (tmp_path / "exengine.log").read_text()
    assert "loud" in text
    assert "quiet" not in text


def test_a_full_file_is_continued_in_another(tmp_path: Path):
    end = log_to_files(tmp_path, max_file_mb=1)
    for _ in range(25):
        logging.getLogger("exengine.test").info("x" * 100_000)
    end()
    today = time.strftime("%Y-%m-%d")
    assert files(tmp_path) == [f"exengine-{today}.1.log", f"exengine-{today}.2.log", "exengine.log"]
    assert all(path.stat().st_size <= 1_000_000 for path in tmp_path.iterdir())


def test_a_new_day_begins_a_new_file_named_by_the_old_day(tmp_path: Path):
    old = tmp_path / "exengine.log"
    old.write_text("yesterday's line\n")
    yesterday = time.time() - DAY_S
    os.utime(old, (yesterday, yesterday))
    end = log_to_files(tmp_path)
    logging.getLogger("exengine.test").warning("today's line")
    end()
    day = time.strftime("%Y-%m-%d", time.localtime(yesterday))
    assert (tmp_path / f"exengine-{day}.1.log").read_text() == "yesterday's line\n"
    assert "today's line" in old.read_text()


def test_files_older_than_the_days_that_are_kept_are_removed(tmp_path: Path):
    for age, name in ((31, "exengine-2026-01-01.1.log"), (29, "exengine-2026-01-02.1.log"), (99, "notes.txt")):
        (tmp_path / name).write_text("old")
        os.utime(tmp_path / name, (time.time() - age * DAY_S,) * 2)
    log_to_files(tmp_path, keep_days=30)()
    assert files(tmp_path) == ["exengine-2026-01-02.1.log", "notes.txt"]


def test_however_many_days_are_kept_the_files_are_bounded_in_number(tmp_path: Path):
    for number in range(MOST_FILES + 20):
        (tmp_path / f"exengine-2026-01-01.{number}.log").write_text("old")
    log_to_files(tmp_path)()
    assert len(files(tmp_path)) < MOST_FILES


def test_a_log_that_cannot_be_written_is_said_once_and_raises_nothing(tmp_path: Path, capsys: Any):
    end = log_to_files(tmp_path / "is not there")
    for _ in range(3):
        logging.getLogger("exengine.test").warning("lost")
    end()
    assert capsys.readouterr().err.count("cannot be written to") == 1


async def test_the_program_logs_by_its_configuration_and_nothing_of_what_its_libraries_do(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch, logging={"level": "info", "keep_days": 2}):
        pass
    text = (tmp_path / "data" / "logs" / "exengine.log").read_text()
    begun = json.loads(text.splitlines()[0])
    assert (begun["level"], begun["logger"]) == ("info", "exengine.bootstrap.program")
    assert begun["event"].startswith("ExEngine ")
    assert datetime.fromisoformat(begun["at"]).tzinfo is not None
    assert "alembic" not in text
    assert "aiohttp" not in text


@pytest.mark.parametrize(("level", "said"), [("error", set()), ("info", {"info"}), ("debug", {"debug", "info"})])
async def test_the_program_writes_what_is_at_least_as_severe_as_its_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, said: set[str]
):
    async with program(tmp_path, monkeypatch, logging={"level": level}):
        logging.getLogger("exengine.test").debug("a detail")
    log = tmp_path / "data" / "logs" / "exengine.log"
    lines = log.read_text().splitlines() if log.exists() else []
    assert {json.loads(line)["level"] for line in lines} - {"warning"} == said


@pytest.mark.parametrize(("keep_days", "stays"), [(30, True), (2, False)])
async def test_the_program_keeps_its_log_for_keep_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep_days: int, stays: bool
):
    old = tmp_path / "data" / "logs" / "exengine-2026-01-01.1.log"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    os.utime(old, (time.time() - 3 * DAY_S,) * 2)
    async with program(tmp_path, monkeypatch, logging={"keep_days": keep_days}):
        assert old.exists() is stays


@pytest.mark.parametrize(("max_file_mb", "count"), [(20, 1), (1, 2)])
async def test_the_program_continues_its_log_at_max_file_mb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, max_file_mb: int, count: int
):
    async with program(tmp_path, monkeypatch, logging={"max_file_mb": max_file_mb}):
        for _ in range(12):
            logging.getLogger("exengine.test").info("x" * 100_000)
    assert len(files(tmp_path / "data" / "logs")) == count


def written(folder: Path, write: Callable[[logging.Logger], None], **options: Any) -> dict[str, Any]:
    """The one line that `write` leaves, read."""
    end = log_to_files(folder, **options)
    write(logging.getLogger("exengine.test"))
    end()
    (line,) = (folder / "exengine.log").read_text(encoding="utf-8").splitlines()
    return json.loads(line)


def test_a_line_is_json_whatever_is_in_it(tmp_path: Path):
    text = 'two\nlines, "quotes" and a long − sign'
    assert written(tmp_path, lambda log: log.warning("said: %s", text))["event"] == f"said: {text}"


def test_a_traceback_is_part_of_its_line_and_is_scrubbed_too(tmp_path: Path):
    def fail(log: logging.Logger) -> None:
        try:
            raise ValueError("canary-4711 in an error")
        except ValueError as error:
            log.error("it failed", exc_info=error)

    line = written(tmp_path, fail, scrub=lambda text: text.replace("canary-4711", "•••"))
    assert "ValueError: ••• in an error" in line["exception"]
    assert "Traceback" in line["exception"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("POST /webhook/abc-DEF_123?x=1 came", "POST /webhook/•••?x=1 came"),
        ("{'X-MBX-APIKEY': 'vmPUZE6mv9SD'}", "{'X-MBX-APIKEY': '•••'}"),
        ("symbol=BTCUSDT&timestamp=1&signature=c8db56825ae71d6d", "symbol=BTCUSDT&timestamp=1&signature=•••"),
        ('{"secret":"swordfish","tv":{}}', '{"secret":"•••","tv":{}}'),
        ("X-Signature: sha256=0f0f0f", "X-Signature: sha256=•••"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer •••"),
        ("OK-ACCESS-PASSPHRASE: tulip", "OK-ACCESS-PASSPHRASE: •••"),
        ("the webhook’s token comes from the vault", "the webhook’s token comes from the vault"),
        ("BTC/USDT: 3 keys, no sign of trouble", "BTC/USDT: 3 keys, no sign of trouble"),
    ],
)
def test_what_is_a_credential_by_its_name_never_reaches_the_file(tmp_path: Path, said: str, kept: str):
    assert written(tmp_path, lambda log: log.warning("%s", said))["event"] == kept
