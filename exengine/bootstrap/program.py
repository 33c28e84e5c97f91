"""The running program without a window: begun in stages, ended in stages."""

import asyncio
import logging
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from exengine import __version__
from exengine.bootstrap.accounts import Accounts, has_paper, opened_market
from exengine.bootstrap.applying import Applied, Applier
from exengine.bootstrap.following import FileWatch
from exengine.bootstrap.listening import listener_settings, warn_of_exposure
from exengine.bootstrap.live import keys_of, mode_of
from exengine.bootstrap.notices import Notices, summary_timer
from exengine.bootstrap.settings_desk import SettingsDesk
from exengine.bootstrap.stages import stage, whole
from exengine.bootstrap.status import gathered
from exengine.bootstrap.store_reader import REMEMBERED, StoreReader
from exengine.bootstrap.updates import update_timer
from exengine.bootstrap.way_in import WayIn, listener_status
from exengine.domain.applying import capital
from exengine.domain.errors import UserError
from exengine.domain.events import EngineStarted
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.settings import Settings
from exengine.domain.state import State
from exengine.engine.changes import Loaded, StoreFailed, restored
from exengine.engine.engine import Engine
from exengine.engine.status import ListenerStatus, Status
from exengine.engine.supervisor import Supervisor
from exengine.engine.timers import queue_timer, risk_timer
from exengine.engine.views import Views
from exengine.exchange.markets.source import PriceSource, SystemClock
from exengine.program_log import log_to_files
from exengine.settings.access import Access
from exengine.settings.account_keys import AccountKeys
from exengine.settings.file import load
from exengine.settings.known_secrets import KnownSecrets
from exengine.settings.local_timezone import local_timezone
from exengine.settings.moved_urls import move_urls
from exengine.settings.pages import Config
from exengine.settings.paths import DataDir
from exengine.settings.plain import trading_settings
from exengine.settings.secret_places import probe_keyring, secret_stores
from exengine.settings.secrets import SecretStore, WebhookSecrets, webhook_secrets
from exengine.settings.unconfirmed import confirm, mark, put_back, refused
from exengine.store.address import place_of
from exengine.store.database import DatabaseStore
from exengine.store.lock import EngineLock
from exengine.store.places import open_store
from exengine.store.retention import retention_timer
from exengine.webhook.listener import Listener

if TYPE_CHECKING:
    from exengine.bootstrap.replay_desk import ReplayDesk

log = logging.getLogger(__name__)

SWITCH_S = 0.001
"""How long one thread keeps the interpreter while others wait for it: what goes to an exchange, or comes from it, is
dealt with in a thread of its own, and Python's own 5 ms are longer than all that is to be done for it."""

STOP_S = 5.0
"""How long a stop waits for orders under way; what is left is resolved by the next start."""


class Program(StoreReader):
    """A running ExEngine: store, engine, paper market and listener. Begun by `start`, ended by `stop`."""

    def __init__(
        self,
        data_dir: DataDir,
        config_file: Path | None = None,
        *,
        market: PriceSource | None = None,
        ask: Callable[[], str | None] | None = None,
    ) -> None:
        """`market` takes the place of the one that the configuration asks for; `ask` gives the vault's passphrase
        where EXENGINE_PASSPHRASE does not."""
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
        self.given_market = market
        self.ask = ask
        self.access: Access | None = None
        """What may be done in the window; None where there is none."""
        self._callbacks: list[Callable[[], None]] = []
        self._lock = EngineLock(data_dir.lock_file)
        self.notices = Notices(lambda: self.settings, lambda: self.engine.note)
        self._interrupted = False
        """Whether an earlier run ended before the configuration that it was applying had proved itself."""
        self._reset()

    def _reset(self) -> None:
        """As before the first start."""
        for name in ("engine", "views", "listener", "way_in"):
            self.__dict__.pop(name, None)
        self._store = None
        self._end_log: Callable[[], None] = lambda: None
        self._known = KnownSecrets()
        self.supervisor = Supervisor(self._task_failed)
        self.accounts = Accounts(self.supervisor, self.clock)
        self._applier = Applier(self)
        self.file_watch = FileWatch(self)

    # start, in stages --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Loads, connects, recovers, and only then listens. Raises UserError; what had begun is then ended again.

        Where an apply was interrupted and its configuration cannot be started with, the one before is put back.
        """
        try:
            await self._start()
        except UserError as error:
            back = partial(put_back, self.config_file, keep_refused=True)
            if not self._interrupted or not await asyncio.to_thread(back):
                raise
            log.error("the configuration that was being applied cannot be started with: %s", error)
            self._reset()
            await self._start()
            self.engine.note(
                Severity.ERROR,
                Category.SYSTEM,
                f"The configuration that was being applied cannot be started with: {error.happened}",
                f"The one before it is in effect again; it is kept as {refused(self.config_file).name}.",
            )

    async def _start(self) -> None:
        sys.setswitchinterval(SWITCH_S)
        try:
            await self._open()
            await self._trade()
            await self._listen()
            await asyncio.to_thread(confirm, self.config_file)
            self.supervisor.start("configuration file", self.file_watch.follow)
        except BaseException:
            await self.stop()
            raise

    async def _open(self) -> None:
        self._take_folder()
        self.settings = trading_settings(self.config, local_timezone=local_timezone())
        self.stores: list[SecretStore] = secret_stores(self.data_dir, ask=self.ask)
        without = await asyncio.to_thread(probe_keyring, self.stores)
        if without:
            log.info("the keyring is not used: %s", without)
        moved = await self.move_urls()
        if moved:
            self.config = await asyncio.to_thread(load, self.config_file)
        keys = await asyncio.to_thread(keys_of, self.settings, self.stores)
        self.keep_out_of_logs(keys.values())
        place = place_of(self.config.app.database_url, self.data_dir.database_file)
        opened = partial(open_store, place, on_trouble=self._trouble_told(), keep_in=self.data_dir.path)
        self._store = await whole(asyncio.to_thread(opened))
        loaded = await self._loaded(self._store)
        if has_paper(self.settings):
            folder = self.config_file.parent
            market = await opened_market(self.config, folder, loaded.instruments, self.given_market)
            await self.accounts.put_market(market)
            if loaded.market_clock_ms is not None:
                market.source.start_at(loaded.market_clock_ms)
        self.state = State(instance=loaded.instance, settings=self.settings)
        self.state.start.update(capital(self.settings))
        restored(self.state, loaded)
        await self._make_engine(loaded, keys)
        if moved:
            self.engine.note(Severity.WARNING, Category.SYSTEM, moved)

    @staticmethod
    async def _loaded(store: DatabaseStore) -> Loaded:
        try:
            return await store.load()
        except StoreFailed as error:
            raise UserError(
                f"The store {store.place} cannot be read: {error}",
                safe="It was not changed, and nothing was traded.",
                remedy="Look at the disk. Where the store is damaged, put a backup back with `exengine restore`.",
            ) from error

    def _take_folder(self) -> None:
        """Makes the data folder this program's own, reads the configuration, and begins the log."""
        try:
            self.data_dir.create()
            self._lock.acquire()
            self._interrupted = mark(self.config_file).exists()
            self.config = load(self.config_file)
            self.begin_log()
            log.info("ExEngine %s begins on %s", __version__, self.data_dir.path)
        except OSError as error:
            raise UserError(
                f"The data folder {self.data_dir.path} cannot be used: {error.strerror or error}.",
                safe="Nothing was started.",
                remedy="See that it is a folder of yours, or name another with --data-dir.",
            ) from error

    async def move_urls(self) -> str:
        """Moves addresses of notifications out of the file; what was done, in words. Raises ConfigError."""
        moved = await asyncio.to_thread(move_urls, self.config_file, self.stores)
        if moved:
            log.warning("%s", moved)
        return moved

    def keep_out_of_logs(self, keys: Iterable[AccountKeys]) -> None:
        """From now on no log line has these keys, whoever writes it."""
        self._known.add(*(part for one in keys for part in (one.api_key, one.secret, one.passphrase)))

    def scrubbed(self, text: str) -> str:
        """A text without any secret that is known."""
        return self._known.scrubbed(text)

    def begin_log(self) -> None:
        """Writes the log as the configuration says from now on. Raises OSError where it cannot be written."""
        page, end_before = self.config.logging, self._end_log
        self._end_log = log_to_files(
            self.data_dir.log_dir,
            level=page.level.value,
            max_file_mb=page.max_file_mb,
            keep_days=page.keep_days,
            scrub=self._known.scrubbed,
        )
        end_before()

    async def _make_engine(self, loaded: Loaded, keys: Mapping[str, AccountKeys]) -> None:
        assert self._store is not None
        closed = await self._store.closed_groups()
        self.views = Views(self.state, self.clock, mode=mode_of(self.settings), closed_groups=closed)
        store = self._store
        self.views.remember(
            await store.last_signals(REMEMBERED), await store.last_log(REMEMBERED), await store.last_offsets(REMEMBERED)
        )
        self.views.tell_status(self._status)
        self.views.hear(self.notices.notifier.hear)
        self.accounts.build(self.state, self.config, keys)
        self.engine = Engine(
            self.state,
            self._store,
            self.accounts.exchanges,
            self.clock,
            self.views,
            next_log_id=loaded.next_log_id,
            market_clock=lambda: self.accounts.market_ms,
        )

    async def _trade(self) -> None:
        self.supervisor.start("engine", self.engine.run)
        await self.accounts.connect(self.engine)
        await self._recover()
        self.accounts.look_after(self.engine, self.state)
        await self.begin_timers()
        await self.send_notices()
        self.supervisor.start("daily summary", self._sum_days_up)
        self.accounts.play(self.engine, self.state, self.config)

    async def begin_timers(self) -> None:
        """Starts what is done by the clock, or starts it anew, as often as the configuration says."""
        timers = {
            "queue timer": lambda: queue_timer(self.engine, self.state),
            "risk timer": lambda: risk_timer(self.engine, self.state),
            "retention": self._let_go_of_old,
        }
        for name, run in timers.items():
            await stage(name, self.supervisor.stop(name))
            self.supervisor.start(name, run)
        await stage("updates", self.supervisor.stop("updates"))
        if self.config.app.update_list:
            self.supervisor.start("updates", lambda: update_timer(self.config.app, self.state, self.engine.note))

    async def send_notices(self) -> None:
        """Sends notices where the configuration says from now on."""
        await self.notices.use(self.config.notifications, self.stores, self._known)

    async def _sum_days_up(self) -> None:
        assert self._store is not None
        await summary_timer(self._store, self.state, self.clock.now_ms, self.engine.note)

    async def _let_go_of_old(self) -> None:
        assert self._store is not None
        days, engine = self.config.logging.keep_days, self.engine
        await retention_timer(self._store, keep_days=days, now_ms=self.clock.now_ms, settled=engine.settled)

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

    async def _listen(self) -> None:
        self.secrets = await asyncio.to_thread(webhook_secrets, self.stores)
        self._known.add(*self.secrets.parts)
        self.listener = self.listener_for(self.config)
        await self.listener.start()
        self.views.tell_answering(lambda: self.listener.is_busy)
        warn_of_exposure(self.config)
        text = f"Started: listening on {self.listener.url}, {self.markets}."
        self.engine.note(Severity.INFO, Category.SYSTEM, text, topic=Topic.STARTED)
        self.way_in = WayIn(self.supervisor, self.engine.note, self.tell)
        await self.look_from_outside()

    async def look_from_outside(self) -> None:
        """Has alerts come in to the listener of the moment, and tries their way at once and again and again."""
        await self.way_in.open(self.config, self.listener)

    def listener_for(self, config: Config) -> Listener:
        """A listener as the configuration has it, that does not listen yet. Raises UserError."""
        return Listener(self.engine, listener_settings(config), self.secrets, self.clock.now_ms)

    def _status(self) -> Status:
        """What the Status dock tells."""
        place = None if self._store is None else self._store.place
        hears = self.listener_status
        return gathered(self.state, self.views, self.supervisor, self.accounts.live.values(), place, hears)

    @property
    def listener_status(self) -> ListenerStatus:
        """Whether alerts can come in, and by what way."""
        url = self.listener.url if hasattr(self, "listener") else None
        way_in = self.way_in if hasattr(self, "way_in") else None
        return listener_status(url, way_in, self.views.last_webhook_at_ms)

    @property
    def markets(self) -> str:
        """What is traded on, in words for the status line."""
        return self.accounts.description(self.settings)

    # a new configuration ------------------------------------------------------------------------------------------

    async def apply(self, config: Config, *, anew: Collection[str] = ()) -> Applied:
        """Has a new configuration take effect at once, live groups intact; accounts `anew` are connected again.

        See `exengine.bootstrap.applying` for what holds for whom, and for what it raises.
        """
        return await self._applier.apply(config, anew=frozenset(anew))

    @property
    def is_applying(self) -> bool:
        return self._applier.is_busy

    @property
    def settings_desk(self) -> SettingsDesk:
        """What the settings dialog asks."""
        return SettingsDesk(self)

    @property
    def replay_desk(self) -> "ReplayDesk":
        """What the Replay window asks."""
        from exengine.bootstrap.replay_desk import ReplayDesk

        return ReplayDesk(self.signal_log, lambda: self.config, lambda: self.state, now_ms=self.clock.now_ms)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back when another configuration is in effect, or its file was edited; the result ends that."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def tell(self) -> None:
        """Tells all of them."""
        for callback in list(self._callbacks):
            callback()

    def require(self) -> None:
        """Raises UserError where nothing may be changed in the window at the moment."""
        if self.access is not None:
            self.access.require()

    def hide(self, *secrets: str | None) -> None:
        """From now on none of them is written into the log, whoever quotes it."""
        self._known.add(*secrets)

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
    def public_url(self) -> str:
        """What TradingView calls, configured or the tunnel's; empty while there is none."""
        return self.way_in.url if hasattr(self, "way_in") else self.config.listener.public_url

    @property
    def webhook_url(self) -> str:
        """The URL with its token: the public one where one is configured."""
        base = self.public_url.rstrip("/")
        return f"{base}/webhook/{self.secrets.token}" if base else f"{self.listener.url}/{self.secrets.token}"

    # stop, in stages ---------------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """No new alerts, no new prices, then the orders under way, then the store.

        Each stage is bounded in time, and whatever goes wrong in one of them, the next ones come.
        """
        await stage("apply", self._applier.stop())
        if hasattr(self, "listener"):
            await stage("listener", self.listener.stop())
        for name in self.supervisor.running:
            if name != "engine" and not name.startswith("streams of "):
                await stage(name, self.supervisor.stop(name))
        if hasattr(self, "engine"):
            if "engine" in self.supervisor.running:
                self.engine.note(Severity.INFO, Category.SYSTEM, "Stopped by the trader.", topic=Topic.STOPPED)
            await stage("engine", self.engine.stop(STOP_S))
        await stage("notices", self.notices.notifier.stop())
        await stage("tasks", self.supervisor.stop_all())
        await self.accounts.end()
        await self.accounts.put_market(None)
        if self._store is not None:
            await stage("store", self._store.close())
            self._store = None
        self._end_log()
        self._lock.release()
