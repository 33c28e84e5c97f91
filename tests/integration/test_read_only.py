"""A second program on the same data looks at what the first one does, every few seconds, and touches nothing."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from exengine.bootstrap.program import Program
from exengine.bootstrap.read_only import NoCommands, ReadOnlyProgram
from exengine.domain.errors import UserError
from exengine.domain.events import Paused
from exengine.engine.panel_rows import Panel
from exengine.engine.rows import EngineStatus
from exengine.settings.paths import DataDir
from exengine.store.address import Place
from exengine.store.lock import AlreadyRuns
from tests.helpers.postgres import PASSWORD
from tests.helpers.program import HandMarket, InProcess, entry, program
from tests.integration.test_program_crash_points import written_config


def looking(running: InProcess) -> ReadOnlyProgram:
    first = running.program
    return ReadOnlyProgram(first.data_dir, first.config_file)


async def test_it_sees_what_the_engine_has_done_and_then_what_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    monkeypatch.setenv("EXENGINE_DATABASE_PASSWORD", PASSWORD)
    written_config(tmp_path, place)
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        await running.post(entry("50000"))
        second = looking(running)
        await second.start()
        changes = second.feed.take()
        own = running.program.views
        own.refresh()
        seen = own.take()
        assert changes.groups == seen.groups
        assert changes.signals == seen.signals
        assert changes.engine is not None
        assert (changes.engine.status, changes.engine.pool_used) == (EngineStatus.RUNNING, 1)
        assert changes.engine.last_webhook_at_ms == seen.signals[-1].received_at_ms
        called: list[bool] = []
        second.feed.subscribe(called.append)
        await second.look()
        assert called == []

        await running.market.tick("49750")
        await running.program.engine.submit(Paused())
        await second.look()
        assert any(called), "one of them is urgent"
        changes = second.feed.take()
        assert {group_id: row.legs_filled for group_id, row in changes.groups.items()} == {"paper|BTC/USDT|15m#1": 2}
        assert changes.engine is not None
        assert changes.engine.status is EngineStatus.PAUSED
        assert changes.log
        assert [row.filled_at_ms is not None for row in changes.signals] == [True]

        await running.post(entry("50000", tv__action="sell", execution_intent={"type": "exit"}))
        await second.look()
        changes = second.feed.take()
        assert changes.gone_groups == ("paper|BTC/USDT|15m#1",)
        assert [row.outcome for row in changes.signals] == ["exited"]
        assert changes.engine is not None
        assert (changes.engine.closed_groups, changes.engine.pool_used) == (1, 0)
        await second.stop()


async def test_who_waits_comes_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with program(tmp_path, monkeypatch, pool={"max_open_groups": 1}) as running:
        await running.market.tick("50100")
        await running.post(entry("50000"))
        second = looking(running)
        await second.start()
        second.feed.watch(set(Panel), None)
        second.feed.take()
        await running.post(entry("50000", tv__timeframe="60"))
        await second.look()
        waiting = second.feed.take().panels.waiting
        assert [row.timeframe for row in waiting.rows.values()] == ["1h"]
        exit_it = entry("50000", tv__timeframe="60", tv__action="sell", execution_intent={"type": "exit"})
        await running.post(exit_it)
        await second.look()
        assert second.feed.take().panels.waiting.gone == tuple(waiting.rows)
        await second.stop()


def times(data: Path) -> dict[str, int]:
    """When each file was last written to, but for what the running engine itself writes at any time."""
    return {path.name: path.stat().st_mtime_ns for path in data.iterdir() if not path.name.endswith(("-shm", "-wal"))}


async def test_it_writes_nothing_and_leaves_the_lock_to_the_one_that_trades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, monkeypatch) as running:
        data = running.program.data_dir.path
        before = times(data)
        second = looking(running)
        await second.start()
        await second.look()
        await second.stop()
        assert times(data) == before
        third = Program(DataDir(data), running.program.config_file, market=HandMarket())
        with pytest.raises(AlreadyRuns):
            await third.start()


async def test_a_store_that_cannot_be_read_for_a_while_is_shown_and_got_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with program(tmp_path, monkeypatch) as running:
        second = looking(running)
        await second.start()
        second.feed.take()
        database = running.program.data_dir.database_file
        away = database.with_name("away")
        database.rename(away)
        await second.look()
        changes = second.feed.take()
        assert changes.engine is not None
        assert changes.engine.status is EngineStatus.ERROR
        assert "cannot be read" in changes.engine.status_text
        away.rename(database)
        await second.look()
        changes = second.feed.take()
        assert changes.engine is not None
        assert changes.engine.status is EngineStatus.RUNNING
        await second.stop()


async def test_it_leaves_no_task_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with program(tmp_path, monkeypatch) as running:
        before = asyncio.all_tasks()
        second = looking(running)
        await second.start()
        await second.stop()
        assert asyncio.all_tasks() == before


async def test_without_a_store_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no store"):
        await ReadOnlyProgram(DataDir(tmp_path).create()).start()


async def test_every_click_is_refused_with_words() -> None:
    nobody: Any = None
    commands: Any = NoCommands("Another ExEngine runs here.", nobody)
    asked = {
        "pause": (), "resume": (), "panic": (True,), "close_group": ("g",), "cancel_entries": ("g",), "adopt": ("g",),
        "queue": (None, None, None), "run_risk": (), "skip_once": (None,), "set_blocked": (None, True),
        "send_test_alert": ("BTC/USDT", "15m", None), "replay_signal": (1,),
        "close_part": ("g", None), "set_stop": ("g", None), "place_again": ("g", ()),
    }  # fmt: skip
    looks = {"trail"}
    assert set(asked) | looks == {name for name in dir(NoCommands) if not name.startswith("_")}
    for name, arguments in asked.items():
        with pytest.raises(UserError, match="Another ExEngine runs here"):
            await getattr(commands, name)(*arguments)
