"""The one writer: takes events in one queue, decides, stores many of them in one transaction, then acts."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

from exengine.domain.accounts import away
from exengine.domain.applying import in_doubt
from exengine.domain.cause import of_engine
from exengine.domain.commands import OrderCommand, ReloadRules
from exengine.domain.decide import decide, wants_risk
from exengine.domain.errors import AuthFailed
from exengine.domain.events import (
    AccountLost,
    DefectFound,
    EngineStarted,
    Event,
    GroupDue,
    OrderSent,
    QueueDue,
    RiskDue,
    SignalArrived,
    SignalStored,
)
from exengine.domain.journal import Category, Note, Severity, Topic
from exengine.domain.reception import Arrival, Verdict
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.engine.changes import Changes, EngineStopped, Store, StoreFailed, Trace, joined
from exengine.engine.defects import Defects, concerned, said
from exengine.engine.equity import EquityMarks
from exengine.engine.executor import Executor
from exengine.engine.gathering import Gathering
from exengine.engine.intake import StoreUnavailable
from exengine.engine.item import Item
from exengine.engine.ports import Clock, Exchange, PassBy
from exengine.engine.prices import Prices
from exengine.engine.sent_orders import SentOrders
from exengine.engine.standing_back import StandingBack
from exengine.engine.traces import Traces
from exengine.engine.views import Views

log = logging.getLogger(__name__)

BATCH_BUDGET_S = 0.005
"""How long one batch decides before it is stored, so that nothing waits long behind it."""

STORE_BACK_OFF_S = 0.5
"""The pause after a transaction that the store did not take."""

TRIES_ALONE = 3
"""How often an event is tried that the store cannot write for a reason other than the environment."""


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
        market_clock: Callable[[], int | None] = lambda: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.state = state
        self._views = views
        self._store = store
        self._clock = clock
        self._market_clock = market_clock
        self._pause = pause
        self._executor = Executor(
            exchanges,
            self.deliver,
            on_account_stopped=self._account_stopped,
            on_defect=self._defect_outside,
            pause=pause,
        )
        self._executor.on_turn_done = self._mark_quiet
        self._items: deque[Item] = deque()
        self._gathering = Gathering()
        self._stored_alerts = StandingBack()
        self._sent_orders = SentOrders(self._tell_sent)
        self._alone = 0
        """How many of the next events are stored one by one, to find the one that cannot be written."""
        self._also_first = False
        """Whether what goes with the next transaction is to be stored without any event, since it may be the one."""
        self._tries = 0
        self._also = Changes()
        """What goes with the next transaction though no step decided it."""
        self._next_log_id = next_log_id
        self._traces = Traces()
        self._equity = EquityMarks()
        self._defects = Defects()
        self._prices = Prices(state, clock, views, self._defects, lambda: self._running and self._quiet.is_set())
        self.pass_by: PassBy = self._prices.pass_by
        self._trouble: str | None = None
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._deciding = False
        self._whole = asyncio.Event()
        """Set while everything that the state has is on disk."""
        self._whole.set()
        self._running = False
        self._stopping = False
        self._ended = asyncio.Event()

    # what others may do ------------------------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """Queues an event; nobody waits for it."""
        self._put(Item(event=event))

    async def submit(self, event: Event) -> Step:
        """Queues an event and waits until it is decided and stored.

        Raises StoreFailed where it could not be stored, and the defect itself where it could not be decided.
        """
        done: asyncio.Future[Step | None] = asyncio.get_running_loop().create_future()
        self._put(Item(event=event, done=done, keep=False))
        step = await done
        assert step is not None
        return step

    def deliver(self, event: Event) -> Awaitable[object]:
        """Queues the world's news at once; awaiting it waits until it is stored, however long that takes.

        It never raises for what the engine makes of it: an exchange and a market go on whatever that is.
        """
        done: asyncio.Future[Step | None] = asyncio.get_running_loop().create_future()
        self._put(Item(event=event, done=done, at_ms=self._clock.now_ms() if isinstance(event, OrderSent) else None))
        return done

    async def take(self, arrival: Arrival) -> Verdict:
        """Stores an alert and says what it is worth; it is acted on after the answer. The listener's intake."""
        if self._trouble is not None:
            # At once, while its sender still listens; it comes again.
            raise StoreUnavailable(self._trouble)
        try:
            step = await self.submit(SignalArrived(arrival=arrival))
        except StoreFailed as error:
            raise StoreUnavailable(str(error)) from error
        assert step.verdict is not None
        return step.verdict

    async def settled(self) -> None:
        """Waits until everything queued is dealt with and everything that followed from it is carried out."""
        await self._quiet.wait()

    async def whole(self) -> None:
        """Waits until the state has nothing that is not on disk: what is being stored may still be taken back."""
        while not self._whole.is_set():
            await self._whole.wait()

    def health(self) -> str:
        """running, paused or error: what `GET /health` tells."""
        if self._trouble is not None or away(self.state) or not self._running:
            return "error"
        return "paused" if self.state.control.paused else "running"

    def now_ms(self) -> int:
        """What the machine's clock says."""
        return self._clock.now_ms()

    def expect_risk_look(self, at_ms: int) -> None:
        """Has the window told when the risk engine looks next by the clock (SPEC §8)."""
        self._views.expect_risk_look(at_ms)

    def keep_market_clock(self) -> None:
        """Writes down where the paper market stands, as every transaction does."""
        self._also.market_clock_ms = self._market_clock()
        self._wake.set()

    def reload_rules(self, account: str) -> None:
        """Asks for an account's market rules anew; they come as an event, whenever the exchange answers."""
        self._executor.carry_out([ReloadRules(account=account)])

    def has_traffic(self, client_id: str) -> bool:
        """Whether something about an order is being asked of its exchange right now."""
        return self._executor.has_traffic(client_id)

    async def ask_again(self, commands: Sequence[OrderCommand], timeout_s: float) -> bool:
        """Has commands about stored orders carried out once more; whether all answers were stored in time."""
        self._executor.carry_out(commands)
        return await self._executor.quiet([command.order.client_id for command in commands], timeout_s)

    async def hold(self, accounts: Collection[str], timeout_s: float) -> None:
        """Keeps orders of these accounts back while their exchanges are replaced; alerts and prices are dealt with."""
        await self._executor.hold(accounts, timeout_s)

    def trade_on(self, exchanges: Iterable[Exchange]) -> None:
        """From now on these are the exchanges of all accounts."""
        self._executor.trade_on(exchanges)

    async def go_on(self, accounts: Collection[str]) -> None:
        """Carries out what was held, and asks what became of the accounts' orders that nobody has heard of."""
        self._executor.go_on()
        await self.whole()
        doubtful = in_doubt(self.state, accounts)
        self._executor.carry_out(one for one in doubtful if not self.has_traffic(one.order.client_id))

    def stop_account(self, account: str, error: AuthFailed) -> None:
        """The exchange does not take an account's key: nothing more is asked of it in this run (FAULTS 42)."""
        self._executor.stop_account(account, error)

    def note(
        self, severity: Severity, category: Category, text: str, advice: str = "", *, topic: Topic | None = None
    ) -> int:
        """Leaves a line in the audit trail that no decision made: a stream cut, a defect. Its number."""
        now_ms = self._clock.now_ms()
        note = Note(
            at_ms=now_ms,
            severity=severity,
            category=category,
            text=text,
            advice=advice,
            cause=of_engine(now_ms),
            topic=topic,
        )
        numbered = self._numbered([note])
        self._also.notes.extend(numbered)
        self._show(lambda: self._views.add_notes(numbered))
        self._wake.set()
        return numbered[0][0]

    # the loop ------------------------------------------------------------------------------------------------------

    def _put(self, item: Item) -> None:
        self._quiet.clear()
        if not self._sent_orders.keeps(item):
            self._items.extend(self._sent_orders.before(item.event))
            self._items.append(item)
            self._wake.set()

    def _tell_sent(self) -> None:
        self._items.extend(self._sent_orders.take())
        self._wake.set()

    def _mark_quiet(self) -> None:
        if self._items or self._stored_alerts or self._sent_orders or self._deciding or not self._executor.in_step:
            self._quiet.clear()
        elif wants_risk(self.state) and not self._stopping:
            self.post(RiskDue(on_fill=True))
        else:
            self._quiet.set()

    async def run(self) -> None:
        """Decides and stores until it is cancelled, or until `stop` was called and nothing is left."""
        self._running = True
        try:
            while True:
                self._wake.clear()
                self._deciding = True
                while self._items or self._stored_alerts or not self._also.is_empty:
                    await self._gathering.wait(self._items)
                    self._whole.clear()
                    try:
                        stored = await self._batch()
                    finally:
                        self._whole.set()
                    if stored:
                        await asyncio.sleep(0)  # prices alone are not stored, and must not keep the loop to themselves
                        self._items.extend(await self._stored_alerts.go_on(self._items))
                    else:
                        await self._pause(STORE_BACK_OFF_S)
                self._deciding = False
                self._mark_quiet()
                if self._stopping:
                    return
                await self._wake.wait()
        finally:
            self._running = self._deciding = False
            self._ended.set()

    async def _batch(self) -> bool:
        """One transaction's worth of events. False where the store did not take it and nothing else can be done."""
        steps, items = self._decide_some()
        self._prices.changed(steps)
        traces: dict[int, Trace] = {}
        notes: list[tuple[int, Note]] = []
        takes_along = not self._alone and not self._also.is_empty
        if takes_along or any(step.must_be_stored for step in steps):  # prices alone are not, and come most often
            also = Changes()
            if takes_along:
                also, self._also = self._also, also
            traces = self._traces.of(steps)
            notes = self._numbered(note for step in steps for note in step.notes)
            changes = self._changes(steps, also, traces, notes)
            try:
                await self._store.commit(changes)
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # what is not stored is not carried out
                for step in reversed(steps):
                    step.undo()
                self._also = joined(also, self._also)
                return self._not_stored(items, error, with_also=takes_along)
            self._traces.keep(traces)
            self._recovered()
        self._alone = max(self._alone - len(items), 0)
        self._also_first = self._also_first and bool(items)
        self._tries = 0
        self._act(steps, items)
        self._show(lambda: self._views.absorb(steps, traces, notes))
        return True

    def _changes(
        self, steps: list[Step], also: Changes, traces: dict[int, Trace], notes: list[tuple[int, Note]]
    ) -> Changes:
        """What is written of these steps, and of what goes with them."""
        changes = joined(also, Changes(traces=traces, notes=notes, market_clock_ms=self._market_clock()))
        for step in steps:
            changes.add(step)
        mark = self._equity.after(self.state, steps)
        if mark is not None:
            changes.equity.append(mark)
        return changes

    def _decide_some(self) -> tuple[list[Step], list[Item]]:
        steps: list[Step] = []
        items: list[Item] = []
        if self._also_first and not self._alone and not self._also.is_empty:
            return steps, items
        deadline = time.perf_counter() + BATCH_BUDGET_S
        while self._items and (not items or (not self._alone and time.perf_counter() < deadline)):
            item = self._items.popleft()
            try:
                steps.append(decide(self.state, item.event, item.at_ms or self._clock.now_ms()))
            except Exception as error:  # noqa: BLE001  # a defect must not stop the engine for every other group
                self._defect(item, error)
            else:
                items.append(item)
                if self._acts_at_once(steps[-1]):
                    deadline = math.inf
        return steps, items

    def _acts_at_once(self, step: Step) -> bool:
        """Where nothing else is to be done, an alert is decided in its own transaction: one sync of the disk, not two.

        It is on disk before it is answered all the same, and its orders before they are sent. Where that transaction
        does not happen the alert was not accepted, and nothing of its decision is left. In a burst those who wait for
        their answers come first.
        """
        verdict = step.verdict
        if verdict is None or self._items or self._alone or list(self.state.pending) != [verdict.signal_id]:
            return False
        self._items.append(Item(event=SignalStored(signal_id=verdict.signal_id), keep=False))
        return True

    def _act(self, steps: list[Step], items: list[Item]) -> None:
        """What is stored is answered, and then carried out."""
        self._gathering.answered(sum(step.verdict is not None for step in steps), len(self._items))
        for item, step in zip(items, steps, strict=True):
            item.answer(step)
            if step.verdict is not None and step.verdict.signal_id in self.state.pending:
                self._stored_alerts.add(Item(event=SignalStored(signal_id=step.verdict.signal_id)))
            if isinstance(item.event, EngineStarted):
                self._go_on()
        for step in steps:
            self._executor.carry_out(step.commands)

    def _go_on(self) -> None:
        """After a start: each group, each alert that was stored and not decided, and who waits."""
        for group_id in self.state.groups:
            self.post(GroupDue(group_id=group_id))
        for signal_id in sorted(self.state.pending):
            self.post(SignalStored(signal_id=signal_id))
        self.post(QueueDue())

    # when something fails ------------------------------------------------------------------------------------------

    def _not_stored(self, items: list[Item], error: BaseException, *, with_also: bool) -> bool:
        """What could not be stored is undone by now: alerts and clicks are told, the rest comes again in its order."""
        if not isinstance(error, Exception):
            self._items.extendleft(reversed(items))
            raise error
        if not isinstance(error, StoreFailed) and self._isolated(items, error, with_also=with_also):
            return True
        for item in reversed(items):
            if item.keep:
                self._items.appendleft(item)
            else:
                self._alone = max(self._alone - 1, 0)
                item.fail(StoreFailed(str(error)))
        # Tried again until the store takes it: then the trouble is over, and written down.
        self.store_trouble(str(error))
        return False

    def _isolated(self, items: list[Item], error: Exception, *, with_also: bool) -> bool:
        """Looks for what cannot be written by storing one event at a time; what fails alone is left out, loudly."""
        if len(items) > 1 or (items and with_also):
            self._items.extendleft(reversed(items))
            self._alone, self._also_first = len(items), with_also
            return True
        self._tries += 1
        if self._tries < TRIES_ALONE:
            self._alone, self._also_first = len(items), not items
            return False
        self._tries = 0
        if items:
            self._alone = max(self._alone - 1, 0)
            self._defect(items[0], error)
        else:
            self._also, self._also_first = Changes(), False
            self._defects.is_new("what goes with the next transaction", error)
        return True

    def store_trouble(self, text: str | None) -> None:
        """The store takes nothing for now, or says nothing of what it took; None where that is over.

        Until then alerts are answered with 503, and nothing is sent (FAULTS 49 to 51).
        """
        if text is None:
            self._recovered()
        elif self._trouble is None:
            log.error("the store does not take transactions: %s", text)
            self._trouble = text
            self._show_trouble()
            self.note(
                Severity.ERROR,
                Category.SYSTEM,
                text,
                "Make room or end what is in the way: it then goes on by itself. "
                "What rests on the exchange stays; nothing new is sent, alerts are answered with 503.",
                topic=Topic.STORE_TROUBLE,
            )

    def _recovered(self) -> None:
        if self._trouble is not None:
            self._trouble = None
            self._show_trouble()
            self.note(Severity.INFO, Category.SYSTEM, "The store takes transactions again.", topic=Topic.STORE_BACK)

    def _defect(self, item: Item, error: Exception) -> None:
        """An event that could not be dealt with: told once, its group paused, everything else goes on."""
        if self._defects.is_new(said(item.event), error):
            self.note(
                Severity.ERROR,
                Category.SYSTEM,
                f"A defect in ExEngine: {type(item.event).__name__} could not be dealt with ({type(error).__name__}).",
                "Nothing was changed by it. Compare the group with the exchange, and report this with the log.",
                topic=Topic.DEFECT,
            )
        if not isinstance(item.event, DefectFound):
            for found in concerned(self.state, item.event):
                self.post(found)
        if item.keep:
            item.answer(None)
        else:
            item.fail(error)

    def _defect_outside(self, what: str, error: Exception) -> None:
        """A defect in an exchange's adapter: the executor finds out what became of the order."""
        if self._defects.is_new(what, error):
            self.note(
                Severity.ERROR,
                Category.SYSTEM,
                f"A defect in ExEngine: {what} ended in {type(error).__name__}.",
                "What became of the order is asked of the exchange. Report this with the log.",
                topic=Topic.DEFECT,
            )

    def _account_stopped(self, account: str, why: str) -> None:
        """Its entries wait instead of being refused one by one."""
        self.post(AccountLost(account=account, why=why, for_good=True))

    def _show_trouble(self) -> None:
        self._show(lambda: self._views.trouble(self._trouble))

    def _show(self, show: Callable[[], None]) -> None:
        """What is shown must never stop what is traded (FAULTS 34)."""
        try:
            show()
        except Exception as error:  # noqa: BLE001
            self._defects.is_new("what is shown", error)

    def _numbered(self, notes: Iterable[Note]) -> list[tuple[int, Note]]:
        numbered = list(enumerate(notes, start=self._next_log_id))
        self._next_log_id += len(numbered)
        return numbered

    # the end -------------------------------------------------------------------------------------------------------

    async def stop(self, timeout_s: float) -> None:
        """Begins nothing new at any exchange, and stores what is still queued: each at most `timeout_s`.

        What was not stored or not answered by then is found and resolved by the next start.
        """
        await self._executor.stop(timeout_s)
        self._stopping = True
        self._tell_sent()
        if self._running:
            try:
                await asyncio.wait_for(self._ended.wait(), timeout_s)
            except TimeoutError:
                log.error("stopped with %d events that the store did not take", len(self._items))
        for item in self._items:
            item.fail(EngineStopped("ExEngine was stopped."))
