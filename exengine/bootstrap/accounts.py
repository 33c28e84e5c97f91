"""The accounts of a running program: their exchanges, the paper accounts' market, and what keeps them in touch."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from exengine.bootstrap.live import keep_watching, live_accounts, live_exchange, look_after, tasks_of
from exengine.bootstrap.paper import open_market, paper_exchange, wanted_symbols
from exengine.bootstrap.stages import stage
from exengine.domain.errors import Retryable, UserError
from exengine.domain.instrument import Instrument
from exengine.domain.settings import Settings
from exengine.domain.state import State
from exengine.engine.engine import Engine
from exengine.engine.ports import Clock, Exchange
from exengine.engine.supervisor import Supervisor
from exengine.engine.timers import rules_timer
from exengine.exchange.live.account import LiveExchange
from exengine.exchange.markets.source import PriceSource
from exengine.exchange.paper import PaperExchange, PaperFloor
from exengine.settings.account_keys import AccountKeys
from exengine.settings.pages import Config
from exengine.settings.program_pages import MarketSource

log = logging.getLogger(__name__)

WATCH_S = 1.0
"""How soon a public feed is told of a symbol that is newly traded."""

MARKET_CLOCK_S = 30.0
"""How often the paper market's position is written down where no transaction does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMarket:
    """The paper accounts' market and what it lists."""

    source: PriceSource
    listed: tuple[Instrument, ...]


async def opened_market(
    config: Config, folder: Path, known: Mapping[str, Collection[Instrument]], given: PriceSource | None = None
) -> OpenMarket:
    """The market that the configuration asks for, or `given` in its place; not begun yet. Raises UserError.

    Where a network does not answer, it lists what is `known` of the last time, by account.
    """
    source = given or await open_market(config, folder)
    try:
        return OpenMarket(source=source, listed=await source.instruments())
    except Retryable as error:
        last = {one.symbol: one for rules in known.values() for one in rules}
        if not last:
            await source.close()
            raise UserError(
                f"The market’s rules cannot be had: {error}",
                safe="Nothing was started.",
                remedy='See that this machine is on the network, or set sim.market to "generated".',
            ) from error
        log.warning("the market’s rules of the last run are used: %s", error)
        return OpenMarket(source=source, listed=tuple(last.values()))
    except BaseException:
        await source.close()
        raise


def has_paper(settings: Settings) -> bool:
    return any(account.enabled and not account.is_live for account in settings.accounts)


class Accounts:
    """Built by `build`, connected by `connect`, alive from `look_after` on, let go of by `end`."""

    def __init__(self, supervisor: Supervisor, clock: Clock) -> None:
        self.paper: dict[str, PaperExchange] = {}
        self.live: dict[str, LiveExchange] = {}
        self.market: OpenMarket | None = None
        """None where there are no paper accounts."""
        self.floor: PaperFloor | None = None
        """Where the market's ticks go; from `play` on."""
        self._supervisor = supervisor
        self._clock = clock

    @property
    def exchanges(self) -> list[Exchange]:
        return [*self.paper.values(), *self.live.values()]

    @property
    def market_ms(self) -> int | None:
        """Where the paper market stands."""
        return None if self.market is None else self.market.source.position_ms

    def description(self, settings: Settings) -> str:
        """What is traded on, in words for the status line."""
        live = [f"{account.name} on {account.exchange}" for account in live_accounts(settings)]
        paper = [f"{name} (paper)" for name in self.paper]
        market = [] if self.market is None else [self.market.source.description]
        return ", ".join([*live, *paper, *market]) or "no account enabled"

    def build(
        self, state: State, config: Config, keys: Mapping[str, AccountKeys], among: Collection[str] | None = None
    ) -> None:
        """Makes the exchanges of the enabled accounts (of those `among` them), as the books have them."""
        for account in state.settings.accounts:
            if not account.enabled or (among is not None and account.name not in among):
                continue
            if account.is_live:
                self.live[account.name] = live_exchange(state, account, keys[account.name], self._clock)
            else:
                listed = () if self.market is None else self.market.listed
                self.paper[account.name] = paper_exchange(state, account, listed, config, self._clock)
        order = [account.name for account in state.settings.accounts]
        self.paper = {name: self.paper[name] for name in order if name in self.paper}
        self.live = {name: self.live[name] for name in order if name in self.live}
        if self.floor is not None:
            self.floor.admit(self.paper.values())

    async def connect(self, engine: Engine, among: Collection[str] | None = None) -> None:
        for exchange in self.exchanges:
            if among is None or exchange.account in among:
                await exchange.connect(engine.deliver, engine.pass_by)

    def look_after(self, engine: Engine, state: State, among: Collection[str] | None = None) -> None:
        """Starts what keeps live accounts in touch."""
        for name, exchange in self.live.items():
            if among is None or name in among:
                look_after(self._supervisor, engine, state, exchange)
        running = self._supervisor.running
        if self.live and "live prices" not in running:
            self._supervisor.start("live prices", lambda: keep_watching(state, self.live.values))
            self._supervisor.start("market rules", lambda: rules_timer(engine, state))

    def play(self, engine: Engine, state: State, config: Config) -> None:
        """Starts the paper accounts' market, where there is one."""
        if self.market is None:
            return
        source = self.market.source
        self.floor = floor = self.floor or PaperFloor(engine.settled)
        floor.admit(self.paper.values())
        if config.sim.market is MarketSource.LIVE:
            self._supervisor.start("price watch", lambda: _watch_prices(source, state))
        self._supervisor.start("market", lambda: source.run(floor.sink))
        self._supervisor.start("market clock", lambda: _keep_market_clock(engine))

    async def put_market(self, market: OpenMarket | None) -> None:
        """Lets go of the market and puts another in its place; `play` begins it."""
        for name in ("price watch", "market", "market clock"):
            await stage(name, self._supervisor.stop(name))
        before, self.market = self.market, market
        if before is not None and (market is None or market.source is not before.source):
            await stage("market source", before.source.close())

    async def end(self, among: Collection[str] | None = None) -> None:
        """Lets go of accounts: their tasks, and their connections."""
        for exchange in self.exchanges:
            name = exchange.account
            if among is None or name in among:
                # First of all, so that nobody asks for prices there any more.
                self.paper.pop(name, None)
                self.live.pop(name, None)
                for task in tasks_of(name):
                    await stage(task, self._supervisor.stop(task))
                await stage(f"account {name}", exchange.close())
        if not self.live:
            for task in ("live prices", "market rules"):
                await stage(task, self._supervisor.stop(task))
        if self.floor is not None:
            self.floor.admit(self.paper.values())


async def _watch_prices(market: PriceSource, state: State) -> None:
    """Tells a public feed whose prices are wanted: of what lives or waits, and of the pairs for a test alert."""
    while True:
        market.watch(wanted_symbols(state))
        await asyncio.sleep(WATCH_S)


async def _keep_market_clock(engine: Engine) -> None:
    while True:
        await asyncio.sleep(MARKET_CLOCK_S)
        engine.keep_market_clock()
