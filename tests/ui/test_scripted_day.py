"""A trader's day on the running program, with an account at a local exchange and one on paper.

After every step what the window shows is compared with what the store has (see `agreement`): nothing happens in it that
does not end so. Prices move by hand, and nothing waits for a clock.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exengine.cli.desktop import setup_of, show_applied
from exengine.engine.desk import Desk
from exengine.engine.rows import EngineStatus
from exengine.settings.account_keys import AccountKeys, keep_keys
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import vault_of
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.look_memory import LookMemory
from exengine.ui.loop import run
from exengine.ui.performance_feed import Source
from exengine.ui.theme import Look, Scheme
from exengine.ui.window import Window
from tests.exchange_server.serving import Served, serve
from tests.helpers.live_program import plain_venue
from tests.helpers.program import ROOT, InProcess, entry, program
from tests.helpers.x_server import has_x_server, x_server
from tests.ui.agreement import Agreement

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
    """The window on the running program, from its start to its end. Whatever happens in it ends in a comparison."""

    window: Window
    running: InProcess
    server: Served
    agreement: Agreement
    steps: list[str] = field(default_factory=list)

    # What happens

    async def alert(self, exchange: str, symbol: str, price: str, **changes: Any) -> None:
        """Comes in, and is in Signals with what became of it."""
        before = self.window.signals.model.rowCount()
        status, _ = await self.running.post(entry(price, tv__exchange=exchange, tv__symbol=symbol, **changes))
        assert status == 202
        await self.shows(lambda: self.window.signals.model.rowCount() > before, f"the alert of {symbol}")

    async def paper(self, symbol: str, price: str) -> None:
        """The price moves on paper, and the window has it."""
        await self.running.market.tick(price, symbol)
        await self.shows(lambda: self.last("paper", symbol) == D(price), f"{symbol} at {price}")

    async def main(self, price: str) -> None:
        """The price moves at the exchange, and the window has it."""
        self.server.venue.tick("BTCUSDT", D(price))
        await self.shows(lambda: self.last("main", "BTC/USDT") == D(price), f"the exchange's price {price}")

    async def shows(self, what: Callable[[], object], words: str) -> None:
        """Waits until the window shows it, and says in everything else what the store says."""
        await self._until(what, words)
        self.steps.append(words)
        found = ["nothing was compared"]
        try:
            async with asyncio.timeout(PATIENCE_S):
                while found := await self.agreement.differences():  # noqa: ASYNC110  # nothing tells of the last flush
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"after {self.steps}:\n" + "\n".join(found)) from None

    async def _until(self, what: Callable[[], object], words: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not what():  # noqa: ASYNC110  # the window has no event for each of its texts
                    await asyncio.sleep(0.01)
        except TimeoutError:
            log = [row.text for row in await self.running.program._store.last_log(12)]
            raise AssertionError(f"after {self.steps}: never came: {words}\n" + "\n".join(log)) from None

    # What is seen

    def last(self, account: str, symbol: str) -> Any:
        quote = self.window.book.quotes.get((account, symbol))
        return None if quote is None else quote.price

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

    def answer(self, heading: str) -> None:
        """The question that is open is this one, and is answered with yes."""
        sheet = self.window.clicks.sheet
        assert sheet.heading.text().startswith(heading), sheet.heading.text()
        sheet.action.click()


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
        source = Source(history=at_work.history, timezone=at_work.settings.timezone, log=at_work.log_pages)
        layout_file = folder / "layout.ini"
        window = Window(look, bridge, setup_of(at_work), LayoutStore(layout_file), on_close=stop, source=source)
        show_applied(at_work, look, bridge, window)
        at_work.tell()
        window.resize(1440, 900)
        window.show()
        try:
            yield Day(window, running, server, Agreement(window, at_work, layout_file))
            assert window.performance is not None
            await window.performance.feed.settled()
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
    await day.shows(lambda: window.positions.model.rowCount() == 0, "an empty window")
    await day.paper("BTC/USDT", "50000")
    await day.paper("ETH/USDT", "3000")
    await day.alert(ON_PAPER, "BTCUSDT", "50000")
    await day.shows(lambda: day.row("paper", "BTC/USDT"), "the group on paper")
    await day.alert(AT_MAIN, "BTCUSDT", "46300.07")
    await day.shows(lambda: day.row("main", "BTC/USDT") and server.venue.open_orders(), "the group at the exchange")
    await day.shows(lambda: day.row("main", "BTC/USDT").legs_filled == 1, "its first fill")
    await day.main("45300")
    await day.shows(lambda: day.row("main", "BTC/USDT").legs_filled == 2, "its second fill")
    await day.paper("BTC/USDT", "48900")
    await day.shows(lambda: day.row("paper", "BTC/USDT").legs_filled == 2, "the fill on paper")
    assert window.ribbon.full.isVisible()


async def the_pool_is_full(day: Day) -> None:
    window = day.window
    window.go_to(window.queue)
    await day.alert(ON_PAPER, "ETHUSDT", "3001")
    await day.shows(lambda: window.queue.model.rowCount() == 1, "the waiting entry")
    await day.alert(ON_PAPER, "ETHUSDT", "3000")
    await day.shows(
        lambda: window.queue.current and window.queue.current.replacements == 1, "the newer one in its place"
    )
    assert not window.queue.promote.isEnabled()
    window.clicks.ask_close(day.row("paper", "BTC/USDT").id)
    day.answer("Close BTC/USDT 15m at market?")
    await day.shows(lambda: day.row("paper", "ETH/USDT"), "the entry promoted into the slot that was left")
    await day.shows(lambda: day.row("paper", "BTC/USDT") is None, "the closed group gone")


async def the_trader_pauses_and_forces(day: Day) -> None:
    window = day.window
    window.ribbon.pause.click()
    await day.shows(lambda: window.ribbon.pause.text() == "Resume", "the pause")
    await day.alert(ON_PAPER, "BTCUSDT", "48900")
    await day.shows(lambda: window.queue.current and window.queue.current.reason == "paused", "the entry held back")
    window.registry.run("pause")
    await day.shows(lambda: window.ribbon.pause.text() == "Pause", "the engine running again")
    window.go_to(window.queue)
    await day.shows(window.queue.force.isEnabled, "the entry that may be forced")
    window.queue.force.click()
    day.answer("Open a 3rd group?")
    await day.shows(lambda: day.row("paper", "BTC/USDT"), "the forced group")


async def a_winner_pays_for_a_loser(day: Day) -> None:
    window = day.window
    window.go_to(window.risk)
    await day.paper("BTC/USDT", "43000")
    await day.paper("ETH/USDT", "3700")
    await day.shows(lambda: window.risk.model.rowCount() == 3, "all groups in Risk")
    window.risk.choose(day.row("paper", "BTC/USDT").id)
    window.registry.run("block_group")
    await day.shows(lambda: window.risk.current and window.risk.current.blocked, "the block")
    window.registry.run("block_group")
    await day.shows(lambda: window.risk.current and not window.risk.current.blocked, "the block taken off")
    await day.shows(window.risk.run.isEnabled, "a plan that can be run")
    window.registry.run("run_risk")
    day.answer("Close BTC/USDT 15m with")
    await day.shows(lambda: window.risk.history.rowCount() == 1, "the offset in the history")
    await day.shows(lambda: day.row("paper", "BTC/USDT") is None, "the loser closed")


async def part_of_it_is_closed(day: Day) -> None:
    whole = day.row("main", "BTC/USDT")
    day.window.clicks.ask_part(whole.id)
    day.window.clicks.sheet.take_share(D(25))
    day.answer("Close part of BTC/USDT 15m")
    await day.shows(lambda: day.row("main", "BTC/USDT").net_qty < whole.net_qty, "the part that the trader closed")
    before = day.row("main", "BTC/USDT").net_qty
    sizes = {"tv__prev_market_position_size": "2", "tv__market_position_size": "1", "tv__action": "sell"}
    await day.alert(AT_MAIN, "BTCUSDT", "45300", execution_intent__type="reduce", **sizes)
    await day.shows(lambda: day.row("main", "BTC/USDT").net_qty < before, "the part that the alert closed")


async def the_exchange_fails_and_comes_back(day: Day) -> None:
    window, faults = day.window, day.server.faults
    faults.status("any", 503, times=None)
    faults.cut_stream()
    await day.shows(lambda: window.book.engine.status is EngineStatus.ERROR, "the account away")
    assert window.ribbon.pill.accessibleName().startswith("Engine: Error.")
    for word in ("Resume", "Pause"):
        window.registry.run("pause")
        await day.shows(lambda word=word: window.ribbon.pause.text() == word, "the pause of an engine in trouble")
    await day.shows(window.strip.isVisible, "the error in the strip")
    await day.alert(AT_MAIN, "BTCUSDT", "45300", tv__timeframe="60")
    faults.clear()
    await day.shows(lambda: window.book.engine.status is EngineStatus.RUNNING, "the account back")
    await day.main("45200")


async def a_target_is_reached(day: Day) -> None:
    """Of what is left of the first group, at 30 % above what was paid for it."""
    await day.main("61000")
    await day.shows(lambda: day.row("main", "BTC/USDT") is None, "the group closed by its targets")


async def the_look_changes(day: Day) -> None:
    window = day.window
    window.registry.run("theme_light")
    await day.shows(lambda: window.look.scheme is Scheme.LIGHT, "the light theme")
    window.registry.run("layout_performance")
    await day.shows(lambda: window.performance.is_looked_at and window.performance.report is not None, "the figures")
    assert "performance" in day.agreement.compared
    window.registry.run("layout_trade")
    await day.shows(lambda: not window.performance.is_looked_at, "the trade layout again")
    window.capital.close()
    await day.shows(lambda: not window.capital.isVisible(), "a dock closed")
    window.own_layouts.save_as("Evening")
    await day.shows(lambda: window.own_layouts.current, "a layout of the trader's own")
    await day.paper("BTC/USDT", "43000")
    await day.alert(ON_PAPER, "BTCUSDT", "43000", tv__timeframe="60")
    await day.shows(lambda: day.row("paper", "BTC/USDT", "1h"), "a group for the next day")


COMPARED = {"positions", "ribbon", "queue", "risk", "capital", "look", "streams", "closed", "performance"}
PARTS = (
    alerts_arrive_and_fill, the_pool_is_full, the_trader_pauses_and_forces, a_winner_pays_for_a_loser,
    part_of_it_is_closed, the_exchange_fails_and_comes_back, a_target_is_reached, the_look_changes,
)  # fmt: skip
SECTIONS = {
    "grid": LADDER,
    "pool": {"max_open_groups": 2},
    "sizing": {"amount": "200"},
    "risk": {"min_close_notional": "5", "loss_threshold_percent": "-5", "evaluate_on_fill": False},
}


@pytest.mark.timeout(600)
def test_a_day(look, qapp, tmp_path, monkeypatch, qtbot):
    monkeypatch.setenv("EXENGINE_PASSPHRASE", PASSPHRASE)
    look.choose(scheme=Scheme.DARK)

    async def main() -> None:
        async with serve("binance", plain_venue()) as server:
            accounts = [
                {"name": "main", "exchange": "binance", "server": server.base},
                {"name": "paper", "exchange": "paper"},
            ]
            ui = {"theme": "dark"}
            await keys_kept(tmp_path, server)
            async with desktop(look, tmp_path, monkeypatch, server, accounts=accounts, ui=ui, **SECTIONS) as day:
                for part in PARTS:
                    await part(day)
                rows = {group.id: group for group in day.window.book.groups.values() if group.status != "closed"}
                assert day.agreement.compared == COMPARED
            look.choose(scheme=Scheme.DARK)
            async with desktop(look, tmp_path, monkeypatch, server) as day:
                shown = day.window.positions.model.rowCount
                await day.shows(lambda: shown() == len(rows) > 0, "the same groups after a start")
                assert set(day.window.book.groups) >= set(rows)
                assert day.window.look.scheme is Scheme.LIGHT
                assert day.window.capital.isHidden()
                assert day.window.own_layouts.current.name == "Evening"
                await day.paper("BTC/USDT", "42900")
                assert not server.bugs

    run(qapp, main)


@pytest.mark.timeout(600)
def test_the_same_day_on_a_screen():
    """On an X server, where there is one: what the platform without a screen leaves out is drawn and told there."""
    if not has_x_server():
        pytest.skip("no Xvfb on this machine")
    here = f"{Path(__file__)}::{test_a_day.__name__}"
    with x_server() as display:
        env = os.environ | {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", here]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "1 passed" in done.stdout
