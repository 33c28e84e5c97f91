"""A trader's day on the running program, with an account at a local exchange and one on paper.

After every step what the window shows is compared with what the store has: the store is read anew, and the rows that
a start would make of it are laid beside the window's. Prices move by hand, and nothing waits for a clock.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exengine.cli.desktop import setup_of, show_applied
from exengine.domain import money
from exengine.domain.state import State
from exengine.engine.changes import restored
from exengine.engine.desk import Desk
from exengine.engine.row_builder import group_row
from exengine.engine.rows import EngineStatus
from exengine.settings.account_keys import AccountKeys, keep_keys
from exengine.settings.file import read
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import vault_of
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.look_memory import LookMemory
from exengine.ui.loop import run
from exengine.ui.theme import Look, Scheme
from exengine.ui.window import Window
from tests.exchange_server.serving import Served, serve
from tests.helpers.live_program import plain_venue
from tests.helpers.program import InProcess, entry, program

D = Decimal
PASSPHRASE = "a passphrase for tests"
PATIENCE_S = 120.0
"""For what the exchange tells by itself; the machine may be busy."""
AT_MAIN, ON_PAPER = "BINANCE", "BYBIT"
"""The first has an account of its own; the paper account stands in for the second."""
LADDER = {
    "max_pyramids": 1,
    "legs": [
        {"gap_percent": "0", "weight_percent": "50", "tp_percent": "30"},
        {"gap_percent": "-2", "weight_percent": "50", "tp_percent": "30"},
    ],
}


@dataclass
class Day:
    """The window on the running program, from its start to its end."""

    window: Window
    running: InProcess
    server: Served
    steps: list[str] = field(default_factory=list)

    # What happens

    async def alert(self, exchange: str, symbol: str, price: str, **changes: Any) -> None:
        status, _ = await self.running.post(entry(price, tv__exchange=exchange, tv__symbol=symbol, **changes))
        assert status == 202

    async def paper(self, symbol: str, price: str) -> None:
        await self.running.market.tick(price, symbol)

    def main(self, price: str) -> None:
        self.server.venue.tick("BTCUSDT", D(price))

    async def until(self, what: Callable[[], object], words: str) -> None:
        """Waits until the window shows it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not what():  # noqa: ASYNC110  # the window has no event for each of its texts
                    await asyncio.sleep(0.01)
        except TimeoutError:
            log = [row.text for row in await self.store.last_log(12)]
            raise AssertionError(f"after {self.steps}: never came: {words}\n" + "\n".join(log)) from None

    # What is seen, and what is stored

    @property
    def store(self) -> Any:
        return self.running.program._store

    def row(self, account: str, symbol: str, timeframe: str = "15m") -> Any:
        """What the window has of a live group; None where there is none."""
        return next(
            (
                group
                for group in self.window.book.groups.values()
                if (group.account, group.symbol, group.timeframe) == (account, symbol, timeframe)
                and group.status != "closed"
            ),
            None,
        )

    async def stored(self) -> State:
        """The state that a start would make of the store as it is on the disk now."""
        program = self.running.program
        loaded = await self.store.load()
        state = State(instance=loaded.instance, settings=program.settings)
        restored(state, loaded)
        return state

    async def differences(self) -> list[str]:
        """What the window shows otherwise than the store has it."""
        window, state, found = self.window, await self.stored(), []

        def compare(what: str, shown: object, kept: object) -> None:
            if shown != kept:
                found.append(f"{what}: shown {shown}, stored {kept}")

        with money.arithmetic():
            kept = {group.id: group_row(state, group) for group in state.groups.values()}
        model = window.positions.model
        tops = [model.group_at(model.index(place, 0)) for place in range(model.rowCount())]
        compare("groups", sorted(group.id for group in tops if group is not None), sorted(kept))
        for group in tops:
            if group is not None and group.id in kept:
                found.extend(f"{group.id}.{line}" for line in unlike(group, kept[group.id]))
        waiting = {f"{key.account}|{key.symbol}|{key.timeframe}|{side.value}" for key, side in state.waiting}
        compare("queue", {row.key for row in window.queue.model.rows()}, waiting)
        compare("queued", window.ribbon.queued.text(), str(len(waiting)))
        compare("pool", window.ribbon.pool.text(), f"{len(kept)} / 2")
        engine = window.book.engine
        compare("paused", engine is not None and engine.status is EngineStatus.PAUSED, state.control.paused)
        signals = await self.store.last_signals(500)
        shown = [window.signals.model.row_at(index) for index in rows_of(window.signals.model)]
        compare("signals", {row.id: row.outcome for row in shown}, {row.id: row.outcome for row in signals})
        compare("offsets", len(window.risk.history.rows()), len(await self.store.last_offsets(50)))
        if engine is not None:
            compare("closed groups", engine.closed_groups, await self.store.closed_groups())
        blocked = {group.id for group in state.groups.values() if group.blocked}
        compare("blocked", {row.id for row in window.risk.model.rows() if row.blocked}, blocked)
        return found

    async def agrees(self, step: str) -> None:
        """The window and the store say the same, as soon as the last flush has come."""
        self.steps.append(step)
        found = ["nothing was compared"]
        try:
            async with asyncio.timeout(PATIENCE_S):
                while found := await self.differences():  # noqa: ASYNC110  # nothing tells of the last flush
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"after {self.steps}:\n" + "\n".join(found)) from None


def unlike(shown: Any, kept: Any, where: str = "") -> list[str]:
    """Where two rows differ, field by field."""
    if is_dataclass(shown) and type(shown) is type(kept):
        pairs = [(one.name, getattr(shown, one.name), getattr(kept, one.name)) for one in fields(shown)]
    elif isinstance(shown, tuple) and isinstance(kept, tuple) and len(shown) == len(kept):
        pairs = [(str(place), *pair) for place, pair in enumerate(zip(shown, kept, strict=True))]
    else:
        return [] if shown == kept else [f"{where}: shown {shown}, stored {kept}"]
    return [line for name, one, other in pairs for line in unlike(one, other, f"{where}.{name}".lstrip("."))]


def rows_of(model: Any) -> list[Any]:
    return [model.index(place, 0) for place in range(model.rowCount())]


@asynccontextmanager
async def desktop(look: Look, folder: Path, monkeypatch: Any, server: Served, **sections: Any) -> AsyncIterator[Day]:
    """Program and window, begun and ended as the command does it."""
    async with program(folder, monkeypatch, **sections) as running:
        at_work = running.program
        bridge = Bridge(at_work.views, Desk(at_work.engine, at_work.clock, at_work.past), flush_ms=20)
        stopped = asyncio.Event()

        async def stop() -> None:
            stopped.set()

        memory = LookMemory(look, at_work.config_file)
        window = Window(look, bridge, setup_of(at_work), LayoutStore(folder / "layout.ini"), on_close=stop)
        show_applied(at_work, look, bridge, window)
        window.resize(1440, 900)
        window.show()
        try:
            yield Day(window, running, server)
            window.stop()
            await stopped.wait()
            await memory.saved()
        finally:
            bridge.close()
            window.hide()
            window.deleteLater()


async def keys_kept(folder: Path, server: Served) -> None:
    vault = vault_of(DataDir(folder / "data"), {"EXENGINE_PASSPHRASE": PASSPHRASE}, None)
    keys = AccountKeys(api_key=server.keys.api_key, secret=server.keys.secret, passphrase=None)
    await asyncio.to_thread(keep_keys, [vault], "main", keys)


# The day ------------------------------------------------------------------------------------------------------------


async def alerts_arrive_and_fill(day: Day) -> None:
    window, server = day.window, day.server
    await day.agrees("started")
    await day.paper("BTC/USDT", "50000")
    await day.paper("ETH/USDT", "3000")
    await day.alert(ON_PAPER, "BTCUSDT", "50000")
    await day.until(lambda: day.row("paper", "BTC/USDT"), "the group on paper")
    await day.agrees("opened on paper")
    await day.alert(AT_MAIN, "BTCUSDT", "46300.07")
    await day.until(lambda: day.row("main", "BTC/USDT") and server.venue.open_orders(), "the group at the exchange")
    await day.until(lambda: day.row("main", "BTC/USDT").legs_filled == 1, "its first fill")
    await day.agrees("opened at the exchange")
    day.main("45300")
    await day.until(lambda: day.row("main", "BTC/USDT").legs_filled == 2, "its second fill")
    await day.paper("BTC/USDT", "48900")
    await day.until(lambda: day.row("paper", "BTC/USDT").legs_filled == 2, "the fill on paper")
    await day.agrees("filled")
    assert window.ribbon.full.isVisible()


async def the_pool_is_full(day: Day) -> None:
    window = day.window
    await day.alert(ON_PAPER, "ETHUSDT", "3000")
    await day.until(lambda: window.queue.model.rowCount() == 1, "the waiting entry")
    await day.agrees("queued")
    group = day.row("paper", "BTC/USDT")
    window.clicks.ask_close(group.id)
    window.clicks.sheet.action.click()
    await day.until(lambda: day.row("paper", "ETH/USDT"), "the entry in the slot that was left")
    await day.until(lambda: day.row("paper", "BTC/USDT") is None, "the closed group gone")
    await day.agrees("closed and promoted")


async def the_trader_pauses_and_forces(day: Day) -> None:
    window = day.window
    window.ribbon.pause.click()
    await day.until(lambda: window.ribbon.pause.text() == "Resume", "the pause")
    await day.alert(ON_PAPER, "BTCUSDT", "48900")
    await day.until(lambda: window.queue.current and window.queue.current.reason == "paused", "the entry held back")
    await day.agrees("paused")
    window.registry.run("pause")
    await day.until(lambda: window.ribbon.pause.text() == "Pause", "the engine running again")
    await day.agrees("resumed")
    window.go_to(window.queue)
    await day.until(window.queue.force.isEnabled, "the entry that may be forced")
    window.queue.force.click()
    assert window.clicks.sheet.heading.text() == "Open a 3rd group?"
    window.clicks.sheet.action.click()
    await day.until(lambda: day.row("paper", "BTC/USDT"), "the forced group")
    await day.agrees("forced")


async def a_winner_pays_for_a_loser(day: Day) -> None:
    window = day.window
    window.go_to(window.risk)
    await day.paper("BTC/USDT", "43000")
    await day.paper("ETH/USDT", "3700")
    await day.until(lambda: window.risk.model.rowCount() == 3, "all groups in Risk")
    window.risk.choose(day.row("paper", "BTC/USDT").id)
    window.registry.run("block_group")
    await day.until(lambda: window.risk.current and window.risk.current.blocked, "the block")
    await day.agrees("blocked")
    window.registry.run("block_group")
    await day.until(lambda: window.risk.current and not window.risk.current.blocked, "the block taken off")
    await day.agrees("unblocked")
    await day.until(window.risk.run.isEnabled, "a plan that can be run")
    window.registry.run("run_risk")
    window.clicks.sheet.action.click()
    await day.until(lambda: window.risk.history.rowCount() == 1, "the offset in the history")
    await day.until(lambda: day.row("paper", "BTC/USDT") is None, "the loser closed")
    await day.agrees("offset")


async def part_of_it_is_closed(day: Day) -> None:
    whole = day.row("main", "BTC/USDT")
    day.window.clicks.ask_part(whole.id)
    day.window.clicks.sheet.take_share(D(25))
    day.window.clicks.sheet.action.click()
    await day.until(lambda: day.row("main", "BTC/USDT").net_qty < whole.net_qty, "the part that the trader closed")
    await day.agrees("closed in part")
    before = day.row("main", "BTC/USDT").net_qty
    sizes = {"tv__prev_market_position_size": "2", "tv__market_position_size": "1", "tv__action": "sell"}
    await day.alert(AT_MAIN, "BTCUSDT", "45300", execution_intent__type="reduce", **sizes)
    await day.until(lambda: day.row("main", "BTC/USDT").net_qty < before, "the part closed")
    await day.agrees("reduced")


async def the_exchange_fails_and_comes_back(day: Day) -> None:
    window, faults = day.window, day.server.faults
    faults.status("any", 503, times=None)
    faults.cut_stream()
    await day.until(lambda: window.book.engine.status is EngineStatus.ERROR, "the account away")
    assert window.ribbon.pill.accessibleName().startswith("Engine: Error.")
    await day.until(window.strip.isVisible, "the error in the strip")
    faults.clear()
    await day.until(lambda: window.book.engine.status is EngineStatus.RUNNING, "the account back")
    day.main("45200")
    await day.agrees("back again")


async def the_look_changes(day: Day) -> None:
    window = day.window
    window.registry.run("theme_light")
    window.registry.run("layout_performance")
    window.registry.run("layout_trade")
    window.capital.close()
    window.own_layouts.save_as("Evening")
    await day.agrees("in another light")


@pytest.mark.timeout(600)
def test_a_day(look, qapp, tmp_path, monkeypatch, qtbot):
    monkeypatch.setenv("EXENGINE_PASSPHRASE", PASSPHRASE)
    look.choose(scheme=Scheme.DARK)
    sections = {
        "grid": LADDER,
        "pool": {"max_open_groups": 2},
        "sizing": {"amount": "200"},
        "risk": {"min_close_notional": "5", "loss_threshold_percent": "-5", "evaluate_on_fill": False},
    }

    async def main() -> None:
        async with serve("binance", plain_venue()) as server:
            accounts = [
                {"name": "main", "exchange": "binance", "server": server.base},
                {"name": "paper", "exchange": "paper"},
            ]
            await keys_kept(tmp_path, server)
            async with desktop(look, tmp_path, monkeypatch, server, accounts=accounts, **sections) as day:
                for part in (
                    alerts_arrive_and_fill,
                    the_pool_is_full,
                    the_trader_pauses_and_forces,
                    a_winner_pays_for_a_loser,
                    part_of_it_is_closed,
                    the_exchange_fails_and_comes_back,
                    the_look_changes,
                ):
                    await part(day)
                rows = {group.id: group for group in day.window.book.groups.values() if group.status != "closed"}
            assert read(tmp_path / "config.json").ui.theme.value == "light"
            async with desktop(look, tmp_path, monkeypatch, server) as day:
                await day.until(lambda: day.window.positions.model.rowCount() == len(rows), "the groups after a start")
                await day.agrees("restarted")
                assert set(day.window.book.groups) >= set(rows)
                assert day.window.capital.isHidden()
                assert day.window.own_layouts.current.name == "Evening"
                assert not server.bugs

    run(qapp, main)
