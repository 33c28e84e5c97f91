"""The running program without a window: begun in stages, ended in stages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from exengine import __version__
from exengine.analytics.history import History
from exengine.bootstrap.listening import PublicAddress, listener_settings, listener_status, warn_of_exposure
from exengine.bootstrap.live import keys_of, live_accounts, live_exchange, look_after, mode_of
from exengine.bootstrap.paper import open_market, paper_exchange, wanted_symbols
from exengine.bootstrap.status import gathered
from exengine.domain.errors import Retryable, UserError
from exengine.domain.events import EngineStarted
from exengine.domain.instrument import Instrument
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.reception import SignalRecord
from exengine.domain.settings import Settings
from exengine.domain.signal import Signal
from exengine.domain.signal_body import BodyError, parse_body
from exengine.domain.signal_parse import parse_signal
from exengine.domain.state import State
from exengine.engine.changes import Loaded, StoreFailed, restored
from exengine.engine.engine import Engine
from exengine.engine.past import Past
from exengine.engine.ports import Exchange
from exengine.engine.status import Status
from exengine.engine.supervisor import Supervisor
from exengine.engine.timers import queue_timer, risk_timer
from exengine.engine.views import Views
from exengine.exchange.live.account import LiveExchange
from exengine.exchange.markets.source import PriceSource, SystemClock
from exengine.exchange.paper import PaperExchange, price_sink
from exengine.program_log import log_to_files
from exengine.settings.account_keys import AccountKeys
from exengine.settings.file import load
from exengine.settings.known_secrets import KnownSecrets
from exengine.settings.local_timezone import local_timezone
from exengine.settings.pages import Config
from exengine.settings.paths import DataDir
from exengine.settings.plain import trading_settings
from exengine.settings.program_pages import MarketSource
from exengine.settings.secret_places import secret_stores
from exengine.settings.secrets import WebhookSecrets, webhook_secrets
from exengine.store.address import place_of
from exengine.store.database import DatabaseStore
from exengine.store.lock import EngineLock
from exengine.store.places import open_store
from exengine.store.retention import retention_timer
from exengine.webhook.listener import Listener

log = logging.getLogger(__name__)

REMEMBERED = 500
"""How many signals and log lines of earlier runs the window shows at once."""

STOP_S = 5.0
"""How long a stop waits for orders under way; what is left is resolved by the next start."""

STAGE_S = 12.0
"""How long any stage of a stop may take at most; the next one begins then all the same."""

WATCH_S = 1.0
"""How soon a public feed is told of a symbol that is newly traded."""

MARKET_CLOCK_S = 30.0
"""How often the paper market's position is written down where no transaction does it."""


T = TypeVar("T")


class Program:
    """A running ExEngine: store, engine, paper market and listener. Begun by `start`, ended by `stop`."""

    def __init__(
        self, data_dir: DataDir, config_file: Path | None = None, *, market: PriceSource | None = None
    ) -> None:
        """`market` takes the place of the one that the configuration asks for."""
        self.data_dir = data_dir
        self.config_file = config_file or data_dir.config_file
        self.clock = SystemClock()
        self.config: Config
        self.settings: Settings
        self.state: State
        self.engine: Engine
        self.views: Views
        self.listener: Listener
        self.secrets: WebhookSecrets
        self.market: PriceSource | None = None
        """The paper accounts' market; None where there are none."""
        self._given_market = market
        self._store: DatabaseStore | None = None
        self._lock = EngineLock(data_dir.lock_file)
        self._end_log: Callable[[], None] = lambda: None
        self._known = KnownSecrets()
        self._paper: list[PaperExchange] = []
        self._live: list[LiveExchange] = []
        self._supervisor = Supervisor(self._task_failed)

    # start, in stages --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Loads, connects, recovers, and only then listens. Raises UserError; what had begun is then ended again."""
        try:
            await self._open()
            await self._trade()
            await self._listen()
        except BaseException:
            await self.stop()
            raise

    async def _open(self) -> None:
        self._take_folder()
        self.settings = trading_settings(self.config, local_timezone=local_timezone())
        self._stores = secret_stores(self.data_dir)
        keys = await asyncio.to_thread(keys_of, self.settings, self._stores)
        self._known.add(*(part for one in keys.values() for part in (one.api_key, one.secret, one.passphrase)))
        place = place_of(self.config.app.database_url, self.data_dir.database_file)
        opened = partial(open_store, place, on_trouble=self._trouble_told(), keep_in=self.data_dir.path)
        self._store = await _whole(asyncio.to_thread(opened))
        loaded = await self._store.load()
        if any(account.enabled and not account.is_live for account in self.settings.accounts):
            self.market = self._given_market or await open_market(self.config, self.config_file.parent)
            if loaded.market_clock_ms is not None:
                self.market.start_at(loaded.market_clock_ms)
        self.state = State(instance=loaded.instance, settings=self.settings)
        self._capital()
        restored(self.state, replace(loaded, pending=tuple(_reparsed(record) for record in loaded.pending)))
        await self._make_engine(loaded, keys)

    def _take_folder(self) -> None:
        """Makes the data folder this program's own, reads the configuration, and begins the log."""
        try:
            self.data_dir.create()
            self._lock.acquire()
            self.config = load(self.config_file)
            page = self.config.logging
            self._end_log = log_to_files(
                self.data_dir.log_dir,
                level=page.level.value,
                max_file_mb=page.max_file_mb,
                keep_days=page.keep_days,
                scrub=self._known.scrubbed,
            )
            log.info("ExEngine %s begins on %s", __version__, self.data_dir.path)
        except OSError as error:
            raise UserError(
                f"The data folder {self.data_dir.path} cannot be used: {error.strerror or error}.",
                safe="Nothing was started.",
                remedy="See that it is a folder of yours, or name another with --data-dir.",
            ) from error

    def _capital(self) -> None:
        for account in self.settings.accounts:
            for currency, amount in account.balances.items():
                self.state.start[account.name, currency] = amount

    async def _make_engine(self, loaded: Loaded, keys: Mapping[str, AccountKeys]) -> None:
        assert self._store is not None
        closed = await self._store.closed_groups()
        self.views = Views(self.state, self.clock, mode=mode_of(self.settings), closed_groups=closed)
        store = self._store
        self.views.remember(
            await store.last_signals(REMEMBERED), await store.last_log(REMEMBERED), await store.last_offsets(REMEMBERED)
        )
        self.views.tell_status(self._status)
        listed = await self._listed(self.market, loaded) if self.market is not None else ()
        for account in self.settings.accounts:
            if account.enabled and account.is_live:
                self._live.append(live_exchange(self.state, account, keys[account.name], self.clock))
            elif account.enabled:
                self._paper.append(paper_exchange(self.state, account, listed, self.config, self.clock))
        self.engine = Engine(
            self.state,
            self._store,
            self._exchanges,
            self.clock,
            self.views,
            next_log_id=loaded.next_log_id,
            market_clock=lambda: None if self.market is None else self.market.position_ms,
        )

    async def _listed(self, market: PriceSource, loaded: Loaded) -> tuple[Instrument, ...]:
        """What the market lists; what it listed the last time where a network does not answer."""
        try:
            return await market.instruments()
        except Retryable as error:
            known = {one.symbol: one for rules in loaded.instruments.values() for one in rules}
            if not known:
                raise UserError(
                    f"The market's rules cannot be had: {error}",
                    safe="Nothing was started.",
                    remedy='See that this machine is on the network, or set sim.market to "generated".',
                ) from error
            log.warning("the market's rules of the last run are used: %s", error)
            return tuple(known.values())

    async def _trade(self) -> None:
        self._supervisor.start("engine", self.engine.run)
        for exchange in self._exchanges:
            await exchange.connect(self.engine.deliver)
        await self._recover()
        look_after(self._supervisor, self.engine, self.state, self._live)
        self._supervisor.start("queue timer", lambda: queue_timer(self.engine, self.state))
        self._supervisor.start("risk timer", lambda: risk_timer(self.engine, self.state))
        self._supervisor.start("retention", self._let_go_of_old)
        if self.market is not None:
            self._play(self.market)

    async def _let_go_of_old(self) -> None:
        assert self._store is not None
        days, engine = self.config.logging.keep_days, self.engine
        await retention_timer(self._store, keep_days=days, now_ms=self.clock.now_ms, settled=engine.settled)

    def _play(self, market: PriceSource) -> None:
        """Starts the paper accounts' market."""
        if self.config.sim.market is MarketSource.LIVE:
            self._supervisor.start("price watch", lambda: self._watch_prices(market))
        self._supervisor.start("market", lambda: market.run(price_sink(self._paper, self.engine.settled)))
        self._supervisor.start("market clock", self._keep_market_clock)

    async def _recover(self) -> None:
        """What was interrupted goes on. A store that takes nothing is no start: nobody would hear of what happens."""
        try:
            await self.engine.submit(EngineStarted())
        except StoreFailed as error:
            raise UserError(
                f"The store takes nothing: {error}",
                safe="No order was sent. What rests on the exchange stays there.",
                remedy="See that the disk has room and the file may be written, and start again.",
            ) from error
        trading = {account.name for account in self.settings.accounts if account.enabled}
        left = {group.key.account for group in self.state.groups.values()} - trading
        for account in sorted(left):
            self.engine.note(
                Severity.ERROR,
                Category.SYSTEM,
                f"Account {account} has open groups, and is not set up or not enabled.",
                "They are kept as they are and not looked after. Enable the account again.",
            )

    async def _watch_prices(self, market: PriceSource) -> None:
        """Tells a public feed whose prices are wanted: of what lives or waits, and of the pairs for a test alert."""
        while True:
            market.watch(wanted_symbols(self.state))
            await asyncio.sleep(WATCH_S)

    async def _keep_market_clock(self) -> None:
        while True:
            await asyncio.sleep(MARKET_CLOCK_S)
            self.engine.keep_market_clock()

    async def _listen(self) -> None:
        self.secrets = await asyncio.to_thread(webhook_secrets, self._stores)
        self._known.add(self.secrets.token, self.secrets.secret)
        self.listener = Listener(self.engine, listener_settings(self.config), self.secrets, self.clock.now_ms)
        await self.listener.start()
        warn_of_exposure(self.config)
        text = f"Started: listening on {self.listener.url}, {self.markets}."
        self.engine.note(Severity.INFO, Category.SYSTEM, text, topic=Topic.STARTED)
        self.public = PublicAddress(lambda: self.config.listener.public_url, self.listener.has_seen, self.engine.note)
        self._supervisor.start("public address", self.public.run)

    def _status(self) -> Status:
        """What the Status dock tells."""
        place = None if self._store is None else self._store.place
        url = self.listener.url if hasattr(self, "listener") else None
        public = self.public.found if hasattr(self, "public") else None
        hears = listener_status(url, self.config.listener.public_url, public, self.views.last_webhook_at_ms)
        return gathered(self.state, self.views, self._supervisor, self._live, place, hears)

    @property
    def _exchanges(self) -> list[Exchange]:
        return [*self._paper, *self._live]

    @property
    def markets(self) -> str:
        """What is traded on, in words for the status line."""
        live = [f"{account.name} on {account.exchange}" for account in live_accounts(self.settings)]
        paper = [f"{exchange.account} (paper)" for exchange in self._paper]
        market = [] if self.market is None else [self.market.description]
        return ", ".join([*live, *paper, *market]) or "no account enabled"

    def _trouble_told(self) -> Callable[[str | None], None]:
        """What the store's own thread calls when it takes nothing any more, and when it does again."""
        loop = asyncio.get_running_loop()

        def tell(text: str | None) -> None:
            if hasattr(self, "engine"):
                self.engine.store_trouble(text)

        def told(text: str | None) -> None:
            loop.call_soon_threadsafe(tell, text)

        return told

    def _task_failed(self, name: str, error: BaseException) -> None:
        text = self._known.scrubbed(f"The {name} failed and is started again: {error}.")
        self.engine.note(Severity.ERROR, Category.SYSTEM, text, "Open positions keep their resting orders.")

    @property
    def history(self) -> History:
        """What the dashboard reads. Only of a program that was started."""
        assert self._store is not None
        return self._store.performance

    @property
    def past(self) -> Past:
        """What the window reads of stored signals and of one cause. Only of a program that was started."""
        assert self._store is not None
        return self._store

    @property
    def webhook_url(self) -> str:
        """The URL with its token: the public one where one is configured."""
        base = self.config.listener.public_url.rstrip("/")
        return f"{base}/webhook/{self.secrets.token}" if base else f"{self.listener.url}/{self.secrets.token}"

    # stop, in stages ---------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """No new alerts, no new prices, then the orders under way, then the store.

        Each stage is bounded in time, and whatever goes wrong in one of them, the next ones come.
        """
        if hasattr(self, "listener"):
            await _stage("listener", self.listener.stop())
        for name in self._supervisor.running:
            if name != "engine" and not name.startswith("streams of "):
                await _stage(name, self._supervisor.stop(name))
        if hasattr(self, "engine"):
            if "engine" in self._supervisor.running:
                self.engine.note(Severity.INFO, Category.SYSTEM, "Stopped by the trader.", topic=Topic.STOPPED)
            await _stage("engine", self.engine.stop(STOP_S))
        await _stage("tasks", self._supervisor.stop_all())
        for exchange in self._exchanges:
            await _stage(f"account {exchange.account}", exchange.close())
        if self.market is not None:
            await _stage("market source", self.market.close())
        if self._store is not None:
            await _stage("store", self._store.close())
            self._store = None
        self._end_log()
        self._lock.release()


async def _stage(name: str, work: Awaitable[None]) -> None:
    """One stage of a stop."""
    try:
        async with asyncio.timeout(STAGE_S):
            await work
    except TimeoutError:
        log.error("stopping the %s took longer than %s s", name, STAGE_S)
    except Exception as error:  # the lock and the store must be let go of, whatever it was
        log.error("stopping the %s failed", name, exc_info=error)


async def _whole(work: Awaitable[T]) -> T:
    """Waits for what cannot be broken off half-way, also when cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _reparsed(record: SignalRecord) -> SignalRecord:
    """A signal that was stored and not decided, read again from its stored body."""
    try:
        parsed = parse_signal(parse_body(record.body))
    except BodyError:
        return record
    return replace(record, signal=parsed if isinstance(parsed, Signal) else None)
