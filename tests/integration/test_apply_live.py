"""A new configuration on accounts at a real exchange, whose host is a local server (SPEC §9)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exengine.bootstrap import applying
from exengine.domain.order import OrderStatus
from exengine.engine.rows import Mode
from exengine.settings.account_keys import AccountKeys, keep_keys
from exengine.settings.file import checked
from exengine.settings.paths import DataDir
from exengine.settings.problems import ConfigError
from exengine.settings.secret_places import vault_of
from tests.exchange_server.serving import Served, serve
from tests.exchange_server.venue import Venue, VenueMarket
from tests.helpers.live_program import PASSPHRASE
from tests.helpers.program import InProcess, entry, program

D = Decimal
PAPER = {"name": "paper", "exchange": "paper"}


@dataclass(kw_only=True)
class Live:
    """A program in this process, and the exchange that outlives whatever is applied."""

    running: InProcess
    server: Served
    account: dict[str, Any]

    @property
    def venue(self) -> Venue:
        return self.server.venue

    def open(self, side: str) -> int:
        return sum(order.side == side for order in self.venue.open_orders())

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits until the exchange's books, or the program's, are so."""
        try:
            async with asyncio.timeout(60):
                while not condition():  # noqa: ASYNC110  # two sets of books, of which one tells nobody
                    await asyncio.sleep(0.02)
        except TimeoutError:
            state = self.running.program.state
            raise AssertionError(f"{what}: it never came; {self.venue.open_orders()}, {state.unreachable}") from None

    async def trades(self) -> None:
        await self.until(lambda: "main" in self.running.program.state.listed, "the market rules")
        await self.until(lambda: not self.running.program.state.unreachable, "the first comparison")

    async def apply(self, *, anew: tuple[str, ...] = (), **pages: Any) -> None:
        tree = self.running.program.config.model_dump(mode="json") | pages
        await self.running.program.apply(checked(tree), anew=anew)


@asynccontextmanager
async def live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, begins_on_paper: bool = False
) -> AsyncIterator[Live]:
    monkeypatch.setenv("EXENGINE_PASSPHRASE", PASSPHRASE)
    market = VenueMarket(id="BTCUSDT", base="BTC", quote="USDT", type="spot", tick=D("0.01"), step=D("0.00001"),
                         min_qty=D("0.00001"), max_qty=D(9000), min_notional=D(5))  # fmt: skip
    venue = Venue([market], {"USDT": D(10000), "BTC": D(0)})
    venue.tick(market.id, D("46300.07"))
    async with serve("binance", venue) as server:
        vault = vault_of(DataDir(tmp_path / "data"), {"EXENGINE_PASSPHRASE": PASSPHRASE}, None)
        keys = AccountKeys(api_key=server.keys.api_key, secret=server.keys.secret)
        await asyncio.to_thread(keep_keys, [vault], "main", keys)
        account = {"name": "main", "exchange": "binance", "server": server.base}
        async with program(tmp_path, monkeypatch, accounts=[PAPER if begins_on_paper else account]) as running:
            run = Live(running=running, server=server, account=account)
            if not begins_on_paper:
                await run.trades()
            yield run


async def test_an_account_that_is_connected_anew_keeps_its_orders_and_misses_no_fill(tmp_path, monkeypatch):
    async with live(tmp_path, monkeypatch) as run:
        state = run.running.program.state
        assert (await run.running.post(entry("46000")))[0] == 202
        await run.until(lambda: run.open("buy") == 5, "the ladder")
        before = run.running.program.accounts.live["main"]
        applying_it = asyncio.create_task(run.apply(anew=("main",), pool={"max_open_groups": 3}))
        pyramid = entry("45900", strategy_info={"trade_id": "2"})
        assert (await run.running.post(pyramid))[0] == 202
        run.venue.tick("BTCUSDT", D("45999"))
        await applying_it
        assert run.running.program.accounts.live["main"] is not before
        await run.until(lambda: run.open("sell"), "the target of what filled meanwhile")
        await run.until(lambda: run.open("buy") == 9, "the pyramid's ladder")
        assert len(run.venue.orders) == 11
        (group,) = state.groups.values()
        assert (len(group.pyramids), state.settings.pool.max_open_groups) == (2, 3)


async def test_an_order_without_an_answer_is_asked_for_by_the_new_connection_and_not_sent_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(applying, "HOLD_S", 0.05)
    async with live(tmp_path, monkeypatch) as run:
        state, never = run.running.program.state, asyncio.Event()
        run.server.faults.delay("place", never, done=True)
        arrival = asyncio.create_task(run.running.post(entry("46000")))
        await run.until(lambda: run.venue.orders, "an order that has arrived")
        await run.apply(anew=("main",), sizing={"amount": "200"})
        await arrival
        open_orders = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
        await run.until(lambda: all(one.status in open_orders for one in state.orders.values()), "the answers")
        assert len(run.venue.orders) == len(state.orders) == 5
        assert {one.client_id for one in run.venue.orders.values()} == set(state.orders)
        never.set()


async def test_from_paper_to_real_money_and_back(tmp_path, monkeypatch):
    async with live(tmp_path, monkeypatch, begins_on_paper=True) as run:
        program = run.running.program
        await run.running.market.tick("46300")
        assert (await run.running.post(entry("46000")))[0] == 202
        await run.apply(accounts=[PAPER, run.account])
        assert program.views.take().engine.mode is Mode.LIVE
        await run.trades()
        assert (await run.running.post(entry("46000", tv__timeframe="60")))[0] == 202
        await run.until(lambda: run.open("buy") == 5, "the ladder")
        assert sorted(group.key.account for group in program.state.groups.values()) == ["main", "paper"]
        with pytest.raises(ConfigError, match="main cannot be removed while groups are open there: BTC/USDT 1h"):
            await run.apply(accounts=[PAPER])
        body = entry("46000", tv__timeframe="60", execution_intent={"type": "exit"}, strategy_info={"trade_id": "9"})
        assert (await run.running.post(body))[0] == 202
        await run.until(lambda: len(program.state.groups) == 1, "the exit")
        await run.apply(accounts=[PAPER])
        assert program.views.take().engine.mode is Mode.PAPER
        assert not program.accounts.live
        assert not any("main" in name for name in program.supervisor.running)
        await run.running.market.tick("45990")
        (group,) = program.state.groups.values()
        assert group.net_qty > 0
