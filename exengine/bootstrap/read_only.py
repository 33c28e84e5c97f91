"""The store of an engine that runs elsewhere, looked at: nothing is decided, sent or listened to (SPEC §9)."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar

from exengine.bootstrap.live import mode_of
from exengine.bootstrap.status import gathered
from exengine.bootstrap.store_reader import REMEMBERED, StoreReader
from exengine.domain.applying import capital
from exengine.domain.errors import UserError
from exengine.domain.events import QueueAction
from exengine.domain.group import GroupKey, GroupStatus
from exengine.domain.instrument import Side
from exengine.domain.order import LegRef
from exengine.domain.reception import Verdict
from exengine.domain.settings import Settings
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.engine.changes import Loaded, StoreFailed, restored
from exengine.engine.panel_rows import Panel, PanelChanges
from exengine.engine.past import Past, TrailRow
from exengine.engine.rows import LogRow, SignalRow, ViewChanges
from exengine.engine.status import Status
from exengine.engine.supervisor import Supervisor
from exengine.engine.views import Views
from exengine.exchange.markets.source import SystemClock
from exengine.settings.file import read
from exengine.settings.local_timezone import local_timezone
from exengine.settings.pages import Config
from exengine.settings.paths import DataDir
from exengine.settings.plain import trading_settings
from exengine.store.address import place_of
from exengine.store.database import DatabaseStore
from exengine.store.places import open_store

log = logging.getLogger(__name__)

LOOK_S = 3.0
"""How often the store is read anew."""


class ReadOnlyProgram(StoreReader):
    """What the window shows of a store that another engine has. It takes no lock, and writes to no file."""

    def __init__(self, data_dir: DataDir, config_file: Path | None = None) -> None:
        self.data_dir = data_dir
        self.config_file = config_file or data_dir.config_file
        self.clock = SystemClock()
        self.config: Config
        self.settings: Settings
        self.state: State
        self.feed: LookFeed
        self._store = None
        self._views: Views
        self._supervisor = Supervisor()

    async def start(self) -> None:
        """Reads the store once, and then again every few seconds. Raises UserError where it cannot be read."""
        self.config = read(self.config_file)
        self.settings = trading_settings(self.config, local_timezone=local_timezone())
        place = place_of(self.config.app.database_url, self.data_dir.database_file)
        self._store = await asyncio.to_thread(partial(open_store, place, read_only=True))
        try:
            await self._begin(self._store)
        except StoreFailed as error:
            await self.stop()
            raise UserError(f"The store cannot be read: {error}", remedy="Try again in a moment.") from error
        except BaseException:
            await self.stop()
            raise
        self._supervisor.start("look", self._keep_looking)

    async def _begin(self, store: DatabaseStore) -> None:
        loaded = await store.load()
        self.state = State(instance=loaded.instance, settings=self.settings)
        self.state.start.update(capital(self.settings))
        restored(self.state, loaded)
        closed = await store.closed_groups()
        self._views = Views(self.state, self.clock, mode=mode_of(self.settings), closed_groups=closed)
        self._views.remember((), (), await store.last_offsets(REMEMBERED))
        self._views.tell_status(self._status)
        self.feed = LookFeed(self._views)
        await self._streams(store)

    async def _streams(self, store: DatabaseStore) -> None:
        self.feed.show(await store.last_signals(REMEMBERED), await store.last_log(REMEMBERED))

    async def stop(self) -> None:
        await self._supervisor.stop_all()
        if self._store is not None:
            await self._store.close()
            self._store = None

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Reads the store once more. What stands in the way is shown, and tried again the next time."""
        assert self._store is not None
        try:
            loaded = await self._store.load()
            self._take_over(loaded)
            await self._streams(self._store)
        except StoreFailed as error:
            self._views.trouble(f"The store cannot be read: {error}")
        else:
            if self._views.store_trouble:
                self._views.trouble(None)

    def _take_over(self, loaded: Loaded) -> None:
        """Makes the state what the store has, and tells the views what is other than before."""
        state, before = self.state, dict(self.state.groups)
        was = (dict(state.waiting), dict(state.orders), dict(state.moved), state.control, state.ledger, state.plan)
        # What has not changed stays the same object: rows that are made of it are not made anew.
        groups = tuple(old if (old := before.get(new.id)) == new else new for new in loaded.groups)
        for mapping in (
            state.groups, state.live, state.by_symbol, state.numbers, state.orders, state.orders_of, state.entries_of,
            state.working_of, state.waiting, state.moved, state.reserved, state.seen, state.pending,
        ):  # fmt: skip
            mapping.clear()
        restored(state, replace(loaded, groups=groups, instruments={}))
        step = Step(state, self.clock.now_ms())
        step.groups = {group.id: group for group in groups if before.get(group.id) is not group}
        for group_id, group in before.items():
            if group_id not in state.groups:
                step.groups[group_id] = replace(group, status=GroupStatus.CLOSED)
        if was != (state.waiting, state.orders, state.moved, state.control, state.ledger, state.plan):
            step.orders = {one.client_id: one for one in state.orders.values() if was[1].get(one.client_id) != one}
            step.moved, step.control = dict(state.moved), state.control
        if step.must_be_stored:
            self._views.absorb([step], {}, [])

    def _status(self) -> Status:
        place = None if self._store is None else self._store.place
        return gathered(self.state, self._views, self._supervisor, (), place, None)


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


N = TypeVar("N", bound=_Numbered)


class LookFeed:
    """Implements `exengine.ui.bridge.ViewFeed`: the views' rows, with the signals and lines that the store has."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._signals: dict[int, SignalRow] = {}
        self._log: dict[int, LogRow] = {}
        self._fresh_signals: dict[int, SignalRow] = {}
        self._fresh_log: dict[int, LogRow] = {}
        self._callbacks: list[Callable[[bool], None]] = []
        views.subscribe(self._call)

    def show(self, signals: Sequence[SignalRow], lines: Sequence[LogRow]) -> None:
        """The last ones that the store has, oldest first."""
        signals_changed = _changed(self._signals, signals, self._fresh_signals)
        if _changed(self._log, lines, self._fresh_log) or signals_changed:
            self._call(True)

    def take(self, *, panels: bool = True) -> ViewChanges:
        changes = self._views.take(panels=panels)
        last_ms = max((row.received_at_ms for row in self._signals.values()), default=None)
        signals, self._fresh_signals = self._fresh_signals, {}
        lines, self._fresh_log = self._fresh_log, {}
        return replace(
            changes,
            signals=tuple(signals[number] for number in sorted(signals)),
            log=tuple(lines[number] for number in sorted(lines)),
            engine=None if changes.engine is None else replace(changes.engine, last_webhook_at_ms=last_ms),
        )

    def take_panels(self) -> PanelChanges:
        return self._views.take_panels()

    def somebody_waits(self) -> bool:
        return self._views.somebody_waits()

    def refresh(self) -> None:
        self._fresh_signals, self._fresh_log = dict(self._signals), dict(self._log)
        self._views.refresh()

    def subscribe(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def watch(self, panels: Iterable[Panel], group_id: str | None) -> None:
        self._views.watch(panels, group_id)

    def _call(self, urgent: bool) -> None:
        for callback in list(self._callbacks):
            callback(urgent)


def _changed(known: dict[int, N], rows: Sequence[N], fresh: dict[int, N]) -> bool:
    """Puts what is not known yet into `fresh`; whether there was any."""
    found = {row.id: row for row in rows if known.get(row.id) != row}
    fresh.update(found)
    known.clear()
    known.update({row.id: row for row in rows})
    return bool(found)


class NoCommands:
    """Implements `exengine.ui.bridge.Commands`: every click is refused with words."""

    def __init__(self, why: str, past: Past) -> None:
        self._why = why
        self._past = past

    def _refuse(self) -> NoReturn:
        raise UserError(self._why, safe="Nothing was changed.", remedy="Use the window of the one that trades.")

    async def pause(self) -> None:
        self._refuse()

    async def resume(self) -> None:
        self._refuse()

    async def panic(self, entries_only: bool) -> None:
        self._refuse()

    async def close_group(self, group_id: str) -> None:
        self._refuse()

    async def cancel_entries(self, group_id: str) -> None:
        self._refuse()

    async def close_part(self, group_id: str, qty: Decimal) -> str:
        self._refuse()

    async def set_stop(self, group_id: str, price: Decimal | None) -> str:
        self._refuse()

    async def place_again(self, group_id: str, legs: tuple[LegRef, ...]) -> str:
        self._refuse()

    async def adopt(self, group_id: str) -> None:
        self._refuse()

    async def queue(self, action: QueueAction, key: GroupKey, side: Side) -> str:
        self._refuse()

    async def run_risk(self) -> str:
        self._refuse()

    async def skip_once(self, key: GroupKey) -> None:
        self._refuse()

    async def set_blocked(self, key: GroupKey, blocked: bool) -> None:
        self._refuse()

    async def send_test_alert(self, symbol: str, timeframe: str, side: Side, **more: object) -> Verdict:
        self._refuse()

    async def replay_signal(self, signal_id: int) -> Verdict:
        self._refuse()

    async def trail(self, cause: str) -> tuple[TrailRow, ...]:
        """Looking is no change."""
        try:
            return await self._past.trail(cause)
        except StoreFailed as error:
            raise UserError(f"The store could not be read: {error}.", remedy="Try again in a moment.") from error
