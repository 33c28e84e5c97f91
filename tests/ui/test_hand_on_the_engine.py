"""The trader's hand on queue and risk engine, from a click in the window to the running engine and back."""

import asyncio
from collections.abc import Callable

import pytest

from exengine.cli.desktop import setup_of
from exengine.engine.desk import Desk
from exengine.engine.panel_rows import RiskState
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import run
from exengine.ui.window import Window
from tests.helpers.program import InProcess, entry, program

ONE_LEG = {
    "legs": [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "50"}],
    "max_pyramids": 1,
}


async def until(what: Callable[[], object]) -> None:
    """Waits for the window to show it."""
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110  # the window has no event for each of its texts
            await asyncio.sleep(0.01)


@pytest.fixture
def on_a_running_program(look, qapp, tmp_path, monkeypatch, qtbot):
    """Runs `story(window, running)` with the window open on a program."""

    def go(story, **sections) -> None:
        async def main() -> None:
            async with program(tmp_path, monkeypatch, grid=ONE_LEG, **sections) as running:
                desk = Desk(running.program.engine, running.program.clock, running.program.past)
                bridge = Bridge(running.program.views, desk, flush_ms=20)

                async def close() -> None: ...

                store = LayoutStore(tmp_path / "layout.ini")
                window = Window(look, bridge, setup_of(running.program), store, on_close=close)
                window.resize(1440, 900)
                window.show()
                try:
                    await story(window, running)
                finally:
                    bridge.close()
                    window.hide()
                    window.deleteLater()

        run(qapp, main)

    return go


async def two_alerts(running: InProcess) -> None:
    """One is traded, the other waits: the pool has one slot."""
    await running.market.tick("50000")
    await running.market.tick("3000", "ETH/USDT")
    await running.post(entry("50000"))
    await running.post(entry("3000", tv__symbol="ETHUSDT"))


def test_a_waiting_entry_is_seen_and_forced_in_over_the_limit(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await two_alerts(running)
        await until(lambda: window.queue.model.rowCount() == 1)
        await until(lambda: window.queue.windowTitle() == "Queue 1")
        row = window.queue.current
        assert (row.symbol, row.reason, row.rank, row.needs_force) == ("ETH/USDT", "pool_full", 1, True)
        assert not window.queue.promote.isEnabled()
        window.queue.force.click()
        assert window.clicks.sheet.heading.text() == "Open a 2nd group?"
        window.clicks.sheet.action.click()
        await until(lambda: window.positions.model.rowCount() == 2)
        await until(lambda: window.queue.model.rowCount() == 0)
        assert any(group.forced for group in running.program.state.groups.values())

    on_a_running_program(story, pool={"max_open_groups": 1})


def test_a_waiting_entry_is_promoted_by_hand_once_a_slot_is_free(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await two_alerts(running)
        await until(lambda: window.queue.model.rowCount() == 1)
        window.ribbon.pause.click()
        await until(lambda: window.queue.current.blocker == "The engine is paused")
        assert not window.queue.promote.isEnabled()
        group = window.positions.model.group_at(window.positions.model.index(0, 0))
        window.clicks.ask_close(group.id)
        window.clicks.sheet.action.click()
        await until(lambda: window.positions.model.rowCount() == 0)
        await until(lambda: not window.queue.current.needs_force)
        await window.bridge.commands.resume()
        await until(lambda: window.positions.model.rowCount() == 1)
        await until(lambda: window.queue.pages.currentWidget() is window.queue.note)

    on_a_running_program(story, pool={"max_open_groups": 1})


def test_a_waiting_entry_is_taken_out(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await two_alerts(running)
        await until(lambda: window.queue.model.rowCount() == 1)
        window.queue.remove.click()
        await until(lambda: window.queue.model.rowCount() == 0)
        assert running.program.state.waiting == {}
        said = "ETH/USDT 15m: Taken out of the queue by the trader."
        await until(lambda: said in [toast.text for toast in window.toasts.shown()])

    on_a_running_program(story, pool={"max_open_groups": 1})


async def a_loser_and_a_winner(running: InProcess) -> None:
    await two_alerts(running)
    await running.market.tick("44000")
    await running.market.tick("4000", "ETH/USDT")


RISK = {"post_full_wait_minutes": "60", "min_close_notional": "5"}


def test_the_plan_is_seen_run_now_and_kept_in_the_history(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await a_loser_and_a_winner(running)
        dock = window.risk
        await until(lambda: dock.current is not None and dock.current.state is RiskState.CANDIDATE)
        assert dock.title.text() == "Projected plan for BTC/USDT 15m"
        assert "one winner pays for closing it whole" in dock.words.accessibleName()
        await until(dock.run.isEnabled)
        dock.run.click()
        assert window.clicks.sheet.heading.text() == "Close BTC/USDT 15m with one winner now?"
        window.clicks.sheet.action.click()
        await until(lambda: dock.history.rowCount() == 1)
        await until(lambda: dock.model.rowCount() == 1)
        assert [row.symbol for row in dock.model.rows()] == ["ETH/USDT"]
        await until(lambda: window.ribbon.risk_more.text().startswith("offset "))
        stored = await running.program._store.last_offsets(10)
        assert [row.loser for row in stored] == [row.loser for row in dock.history.rows()]

    on_a_running_program(story, risk=RISK)


def test_a_group_is_skipped_blocked_and_let_go_again(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await a_loser_and_a_winner(running)
        dock = window.risk
        await until(lambda: dock.current is not None and dock.current.state is RiskState.CANDIDATE)
        dock.skip.click()
        await until(lambda: dock.current.state is RiskState.SKIPPED)
        assert not dock.skip.isEnabled()
        dock.block.click()
        await until(lambda: dock.current.state is RiskState.BLOCKED)
        assert dock.block.text() == "Unblock"
        dock.block.click()
        await until(lambda: dock.current.state is RiskState.SKIPPED)
        assert not any(group.blocked for group in running.program.state.groups.values())

    on_a_running_program(story, risk=RISK)


def test_capital_and_status_tell_the_running_program(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await two_alerts(running)
        await until(lambda: window.capital.model.rowCount() == 2)
        assert window.capital.deployed.text() == "199.90"
        window.status.raise_()
        await until(lambda: window.status.status is not None and len(window.status.status.tasks) > 3)
        status = window.status.status
        (account,) = status.accounts
        assert (account.name, account.connection.value, account.rules) == ("paper", "connected", 2)
        assert account.priced_at_ms is not None
        assert status.listener.listening
        assert status.listener.last_hit_at_ms is not None
        assert (status.store.kind, status.store.place) == ("SQLite", "exengine.sqlite3")
        assert status.store.size_bytes > 0
        assert status.store.last_commit_at_ms is not None
        assert all(task.running for task in status.tasks)
        assert status.problems == 0

    on_a_running_program(story)
