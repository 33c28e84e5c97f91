"""The log's lines about answers: none while somebody waits for one, for a bounded time, and none is lost."""

import asyncio
import logging
import time

import pytest

from exengine.webhook import answered
from exengine.webhook.answered import TOGETHER, Answered


class Callers:
    """Whether any waits."""

    def __init__(self) -> None:
        self.wait = True

    def __call__(self) -> bool:
        return self.wait


@pytest.fixture
def callers() -> Callers:
    return Callers()


@pytest.fixture
def lines(callers: Callers, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Answered:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(answered, "LOOK_AGAIN_S", 0)
    return Answered(callers)


async def passes(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_line_is_written_in_the_next_pass_where_nobody_waits(lines, callers, caplog):
    callers.wait = False
    lines.add(202, "127.0.0.1", 7, "accepted")
    assert caplog.messages == []
    await passes(1)
    assert caplog.messages == ["webhook: 202 to 127.0.0.1, signal 7 accepted"]


async def test_a_line_waits_for_who_waits_and_tells_when_the_answer_was_given(lines, callers, caplog, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_767_225_600.25)
    lines.add(202, "127.0.0.1", 7, "accepted")
    monkeypatch.setattr(time, "time", lambda: 1_767_225_600.75)
    await passes()
    assert caplog.messages == []
    callers.wait = False
    await passes()
    (record,) = caplog.records
    assert (record.created, record.msecs, record.levelname) == (1_767_225_600.25, 250, "INFO")


async def test_many_lines_are_written_in_their_order_some_at_a_time(lines, callers, caplog):
    callers.wait = False
    for number in range(TOGETHER + 1):
        lines.add(202, "127.0.0.1", number, "accepted")
    await passes(1)
    assert len(caplog.messages) == TOGETHER
    await passes()
    numbers = [int(text.split()[5]) for text in caplog.messages]
    assert numbers == list(range(TOGETHER + 1))


async def test_a_line_waits_no_longer_than_its_time_however_many_come_in(lines, caplog, monkeypatch):
    monkeypatch.setattr(answered, "AT_THE_LATEST_S", 0)
    lines.add(200, "127.0.0.1", 7, "duplicate")
    await passes()
    assert caplog.messages == ["webhook: 200 to 127.0.0.1, signal 7 duplicate"]


async def test_what_is_left_at_the_end_is_written(lines, caplog):
    for number in range(TOGETHER * 2):
        lines.add(202, "127.0.0.1", number, "accepted")
    lines.write_all()
    assert len(caplog.messages) == TOGETHER * 2


async def test_no_line_is_kept_where_the_log_takes_none(lines, callers, caplog):
    caplog.set_level(logging.WARNING)
    callers.wait = False
    lines.add(202, "127.0.0.1", 7, "accepted")
    caplog.set_level(logging.INFO)
    lines.write_all()
    assert caplog.messages == []
