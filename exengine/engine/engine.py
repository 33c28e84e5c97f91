"""The one writer: takes events in one queue, decides, stores many of them in one transaction, then acts."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from exengine.domain.decide import decide, wants_risk
from exengine.domain.events import Event, RiskDue, SignalArrived, SignalStored
from exengine.domain.instrument import Instrument
from exengine.domain.journal import Category, Note, Severity
from exengine.domain.reception import Arrival, Verdict
from exengine.domain.state import State, Step
from exengine.engine.changes import Changes, Store, StoreFailed
from exengine.engine.executor import Executor
from exengine.engine.intake import StoreUnavailable
from exengine.engine.ports import Clock, Exchange
from exengine.engine.traces import Traces
from exengine.engine.views import Views

log = logging.getLogger(__name__)

BATCH_BUDGET_S = 0.005
"""How long one batch decides before it is stored, so that nothing waits long behind it."""

STORE_BACK_OFF_S = 0.5
"""The pause after a transaction that the store did not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    event: Event
    done: asyncio.Future[Step] | None = None
    keep: bool = True
    """Whether it comes back when the store fails: the world's news do, while an alert's or a click's sender is told."""


class Engine:
    """Owns the state. Everything reaches it as an event; nothing else writes."""

    def __init__(
        self,
        state: State,
        store: Store,
        exchanges: Iterable[Exchange],
        clock: Clock,
        views: Views,
        *,
        next_log_id: int = 1,
    ) -> None:
        self.state = state
        self._views = views
        self._store = store
        self._clock = clock
        self._executor = Executor(exchanges, self.deliver)
        self._executor.on_turn_done = self._mark_quiet
        self._quiet = asyncio.Event()
        self._deciding = False
        self._items: deque[_Item] = deque()
        self._wake = asyncio.Event()
        self._next_log_id = next_log_id
        self._traces = Traces()
        self._trouble: str | None = None
        self._also = Changes()
        """What goes with the next transaction though no step decided it."""

    # what others may do ------------------------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """Queues an event; nobody waits for it."""
        self._put(_Item(event=event))

    async def submit(self, event: Event) -> Step:
        """Queues an event and waits until it is decided and stored. Raises StoreFailed where it could not be."""
        done: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
        self._put(_Item(event=event, done=done, keep=False))
        return await done

    async def deliver(self, event: Event) -> None:
        """An event from an exchange: waits until it is stored, however long the store is in trouble."""
        done: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
        self._put(_Item(event=event, done=done))
        await done

    async def take(self, arrival: Arrival) -> Verdict:
        """Stores an alert and says what it is worth; it is acted on after the answer. The listener's intake."""
        try:
            step = await self.submit(SignalArrived(arrival=arrival))
        except StoreFailed as error:
            raise StoreUnavailable(str(error)) from error
        assert step.verdict is not None
        return step.verdict

    async def settled(self) -> None:
        """Waits until everything queued is dealt with and everything that followed from it is carried out."""
        await self._quiet.wait()

    def _mark_quiet(self) -> None:
        if self._items or self._deciding or self._executor.in_flight:
            self._quiet.clear()
        elif wants_risk(self.state):
            self.post(RiskDue(on_fill=True))
        else:
            self._quiet.set()

    def health(self) -> str:
        """running, paused or error: what `GET /health` tells."""
        if self._trouble is not None:
            return "error"
        return "paused" if self.state.control.paused else "running"

    def keep_market_clock(self, position_ms: int) -> None:
        """Notes where the paper market stands; it is written with the next transaction."""
        self._also.market_clock_ms = position_ms

    def keep_instruments(self, account: str, instruments: tuple[Instrument, ...]) -> None:
        """Notes an account's market rules for the cache; they are written with the next transaction."""
        self._also.instruments[account] = instruments

    def note(self, severity: Severity, category: Category, text: str, advice: str = "") -> None:
        """Leaves a line in the audit trail that no decision made: a stream cut, a defect."""
        note = Note(at_ms=self._clock.now_ms(), severity=severity, category=category, text=text, advice=advice)
        numbered = self._numbered([note])
        self._also.notes.extend(numbered)
        self._views.add_notes(numbered)
        self._wake.set()

    # the loop ------------------------------------------------------------------------------------------------------

    def _put(self, item: _Item) -> None:
        self._items.append(item)
        self._quiet.clear()
        self._wake.set()

    async def run(self) -> None:
        """Decides and stores until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._deciding = True
            while self._items or not self._also.is_empty:
                if not await self._batch():
                    await asyncio.sleep(STORE_BACK_OFF_S)
            self._deciding = False
            self._mark_quiet()

    async def _batch(self) -> bool:
        """One transaction's worth of events. False where the store did not take it."""
        steps, items = self._decide_some()
        also, self._also = self._also, Changes()
        changes = _before(also, Changes())
        notes: list[tuple[int, Note]] = []
        for step in steps:
            changes.add(step)
            changes.traces.update(self._traces.follow(step))
            notes.extend(self._numbered(step.notes))
        changes.notes.extend(notes)
        if not changes.is_empty:
            try:
                await self._store.commit(changes)
            except Exception as error:  # noqa: BLE001  # whatever it is: what is not stored must not be carried out
                self._take_back(steps, items, error)
                self._also = _before(also, self._also)
                return False
            if self._trouble is not None:
                self._recovered()
        self._act(steps, items)
        try:
            self._views.absorb(steps, changes.traces, notes)
        except Exception as error:  # what is shown must never stop what is traded (FAULTS 34)
            log.critical("a defect in what is shown", exc_info=error)
        return True

    def _decide_some(self) -> tuple[list[Step], list[_Item]]:
        steps: list[Step] = []
        items: list[_Item] = []
        deadline = time.perf_counter() + BATCH_BUDGET_S
        while self._items and (not items or time.perf_counter() < deadline):
            item = self._items.popleft()
            try:
                steps.append(decide(self.state, item.event, self._clock.now_ms()))
            except Exception as error:  # noqa: BLE001  # a defect must not stop the engine for every other group
                self._defect(item, error)
            else:
                items.append(item)
        return steps, items

    def _act(self, steps: list[Step], items: list[_Item]) -> None:
        """What is stored is answered, and then carried out."""
        for item, step in zip(items, steps, strict=True):
            if item.done is not None and not item.done.done():
                item.done.set_result(step)
            if step.verdict is not None and step.verdict.signal_id in self.state.pending:
                self.post(SignalStored(signal_id=step.verdict.signal_id))
        for step in steps:
            self._executor.carry_out(step.commands)

    def _take_back(self, steps: list[Step], items: list[_Item], error: Exception) -> None:
        """Undoes what could not be stored: senders of alerts and clicks are told, the rest comes again in its order."""
        known = isinstance(error, StoreFailed)
        log.error("the store did not take a transaction: %s", error, exc_info=None if known else error)
        for step in reversed(steps):
            step.undo()
        for item in reversed(items):
            if item.keep:
                self._items.appendleft(item)
            elif item.done is not None and not item.done.done():
                item.done.set_exception(StoreFailed(str(error)))
        if self._trouble is None:
            self._trouble = str(error)
            self._views.trouble(self._trouble)

    def _recovered(self) -> None:
        self._trouble = None
        self._views.trouble(None)
        self.note(Severity.INFO, Category.SYSTEM, "The store takes transactions again.")

    def _defect(self, item: _Item, error: Exception) -> None:
        log.critical("a defect in deciding %r", item.event, exc_info=error)
        name = type(item.event).__name__
        self.note(
            Severity.ERROR,
            Category.SYSTEM,
            f"A defect in ExEngine: {name} could not be dealt with ({type(error).__name__}: {error}).",
            "Nothing was changed by it. Compare the group with the exchange, and report this with the log.",
        )
        if item.done is not None and not item.done.done():
            item.done.set_exception(error)

    def _numbered(self, notes: Iterable[Note]) -> list[tuple[int, Note]]:
        numbered = list(enumerate(notes, start=self._next_log_id))
        self._next_log_id += len(numbered)
        return numbered

    async def stop(self, timeout_s: float) -> None:
        """Lets what is under way come to an end, at most `timeout_s`, and stores what is left."""
        await self._executor.stop(timeout_s)
        if self._items or not self._also.is_empty:
            await self._batch()


def _before(first: Changes, then: Changes) -> Changes:
    """What no step decided, of two transactions in one."""
    return Changes(
        notes=[*first.notes, *then.notes],
        instruments=first.instruments | then.instruments,
        market_clock_ms=first.market_clock_ms if then.market_clock_ms is None else then.market_clock_ms,
    )
