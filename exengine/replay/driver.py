"""Drives `decide` with a clock of its own: recorded prices, signals and commands in order of time, timers between.

At one time prices come first (by exchange id), then signals, commands and timers (SPEC §11). Whatever an event leads
to is dealt with before the next one is looked at, as the live paper exchange does it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from exengine.domain.commands import CancelOrder, PlaceOrder
from exengine.domain.decide import decide, wants_risk
from exengine.domain.events import (
    Event,
    InstrumentsLoaded,
    OrderSent,
    PriceMoved,
    QueueDue,
    RiskDue,
    SignalArrived,
    SignalStored,
    WatchDue,
)
from exengine.domain.group import Group, GroupKey
from exengine.domain.instrument import Instrument
from exengine.domain.levels import Band
from exengine.domain.money import arithmetic
from exengine.domain.order import Order
from exengine.domain.quiet import Quiet, queue_quiet_until_ms, risk_quiet
from exengine.domain.reception import Arrival, Outcome, SignalRecord
from exengine.domain.risk_levels import Symbol
from exengine.domain.state import AppliedFill, OffsetPlan, QueueEvent, Quote, State
from exengine.domain.step import Step
from exengine.domain.watched import Watched
from exengine.replay.feed import Book, Feed
from exengine.replay.signals_file import Recorded, RecordedCommand, RecordedSignal
from exengine.replay.tape import Tape, Ticks
from exengine.replay.timers import Rings, Timers


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One account's paper exchange and what it lists."""

    book: Book
    instruments: tuple[Instrument, ...]


@dataclass(slots=True, kw_only=True)
class Record:
    """Everything that was decided, in the order in which it began."""

    groups: dict[str, Group] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[AppliedFill] = field(default_factory=list)
    signals: dict[int, SignalRecord] = field(default_factory=dict)
    queue_events: list[QueueEvent] = field(default_factory=list)
    offsets: list[OffsetPlan] = field(default_factory=list)

    def add(self, step: Step) -> None:
        self.groups.update(step.groups)
        self.orders.update(step.orders)
        self.fills += step.fills
        self.signals.update(step.signals)
        self.queue_events += step.queue_events
        self.offsets += step.plans


class Replay:
    """One run. `on_closed` is told of each instant at which something was closed, with the state as it then is."""

    def __init__(
        self,
        state: State,
        markets: Sequence[Market],
        record: Record,
        receive: Callable[[RecordedSignal], Arrival],
        on_closed: Callable[[int], None],
        *,
        every_tick: bool = False,
    ) -> None:
        """`every_tick` looks at each price and each timer, also where it is known that nothing would happen."""
        self.state = state
        self.record = record
        self.events = 0
        """How many prices, signals and commands are past."""
        self._books = {market.book.account: market.book for market in markets}
        self._markets = markets
        self._receive = receive
        self._on_closed = on_closed
        self._now_ms = 0
        self._closed_something = False
        self._every_tick = every_tick
        self._feeds: list[Feed] = []
        self._watched = Watched(state, self._resting)
        self._queue_is_quiet = False
        """Whether the queue was looked at in vain and nothing has changed since."""
        self._quiet: Quiet | None = None
        """When the risk engine has nothing to do; None where that is not known or not so."""

    def run(self, prices: Mapping[str, Tape | Ticks], recorded: Sequence[Recorded]) -> Iterator[int]:
        """Plays everything; yields the time now and then, for a progress bar, and that of the last event at last.

        `prices` by exchange id. Between two prices that matter nothing happens: they are passed by at once.
        """
        self._feeds = [Feed(_tape(prices[one]), self._listing(one)) for one in sorted(prices)]
        said = deque(sorted(recorded, key=lambda one: (one.at_ms, isinstance(one, RecordedCommand))))
        tapes = [feed.tape for feed in self._feeds if len(feed.tape)]
        if not said and not tapes:
            return
        first_ms = min([tape.time(0) for tape in tapes] + [one.at_ms for one in said])
        end_ms = max([tape.time(-1) for tape in tapes] + [one.at_ms for one in said])
        self._now_ms = first_ms
        for market in self._markets:
            self._tell(InstrumentsLoaded(account=market.book.account, instruments=market.instruments))
        timers = Timers(self.state.settings, first_ms)
        for feed in self._feeds:
            feed.see_by(timers.risk)
        while True:
            timers.skip_before(self._now_ms)  # what had nothing to look at
            limit_ms = said[0].at_ms if said else end_ms
            tick = self._next_tick(limit_ms)
            ring_ms = self._next_ring(timers, tick[0] if tick else limit_ms if said else end_ms + 1)
            if ring_ms is not None:
                self._ring(timers, ring_ms)
            elif tick is not None:
                self._tick(*tick)
            elif said:
                self._say(said.popleft())
            else:
                break
            self._done()
            yield self._now_ms
        self._pass(end_ms)
        yield end_ms

    def _listing(self, exchange_id: str) -> list[tuple[Book, str]]:
        return [(m.book, one.symbol) for m in self._markets for one in m.instruments if one.id == exchange_id]

    def _resting(self, symbol: Symbol) -> Band | None:
        """Between which prices nothing that rests on a symbol fills; None where any price fills something."""
        ends = self._books[symbol[0]].band(symbol[1])
        return None if ends is None else Band(low=ends[0], high=ends[1])

    # what comes next -------------------------------------------------------------------------------------------------

    def _next_tick(self, limit_ms: int) -> tuple[int, int, int] | None:
        """Time, feed and place of the next price at `limit_ms` or before that matters."""
        every = self._every_tick or self.state.plan is not None
        first: tuple[int, int, int] | None = None
        for number, feed in enumerate(self._feeds):
            feed.watch(None if every else self._watched.over(feed.symbols))
            place = feed.next_watched(limit_ms)
            if place is not None:
                found = (feed.tape.time(place), number, place)
                first = found if first is None else min(first, found)
        return first

    def _next_ring(self, timers: Timers, before_ms: int) -> int | None:
        """When a timer next has something to look at, before `before_ms`."""
        rings = (self._next_queue(timers), self._next_risk(timers.risk, before_ms))
        due = [ring for ring in rings if ring is not None and ring < before_ms]
        return min(due, default=None)

    def _next_queue(self, timers: Timers) -> int | None:
        """The queue's next ring that matters: it is looked at by its own timer, and after the risk engine."""
        state, from_ms = self.state, queue_quiet_until_ms(self.state)
        if self._every_tick or state.plan is not None or (state.waiting and not self._queue_is_quiet):
            from_ms = self._now_ms
        if from_ms is None:
            return None
        return min(rings.at_ms(rings.first_from(from_ms)) for rings in (timers.queue, timers.risk))

    def _next_risk(self, rings: Rings, before_ms: int) -> int | None:
        if rings.next_ms >= before_ms or self._every_tick or self.state.plan is not None:
            return rings.next_ms
        quiet = self._quiet or self._look_for_quiet()
        if quiet is None:
            return rings.next_ms
        until_ms = quiet.until_ms
        before = rings.first_from(before_ms if until_ms is None else min(before_ms, until_ms))
        found = [ring for feed in self._feeds if (ring := feed.next_ring(before)) is not None]
        return rings.at_ms(max(rings.next, min([before, *found])))

    def _look_for_quiet(self) -> Quiet | None:
        """From now on: when, and between which prices, the risk engine has nothing to do."""
        with arithmetic():
            self._quiet = risk_quiet(self.state, self._now_ms)
        if self._quiet is not None:
            for feed in self._feeds:
                feed.keep_quiet(self._quiet)
        return self._quiet

    # what happens ----------------------------------------------------------------------------------------------------

    def _pass(self, at_ms: int) -> None:
        """Moves on to `at_ms`: the prices until then are past, and none of them mattered."""
        for feed in self._feeds:
            self._pass_to(feed, feed.tape.place_after(at_ms))
        self._now_ms = at_ms

    def _pass_to(self, feed: Feed, place: int) -> None:
        self.events += max(0, place - feed.place)
        feed.pass_to(place, self.state)

    def _ring(self, timers: Timers, at_ms: int) -> None:
        """Queue, risk, and queue again, as far as they are due together."""
        self._pass(at_ms)
        timers.skip_before(at_ms)
        if timers.queue.next_ms == at_ms:
            timers.queue.next += 1
            self._look_at_queue()
        if timers.risk.next_ms == at_ms:
            timers.risk.next += 1
            self._quiet = None
            self._tell(RiskDue())
            self._look_at_queue()

    def _look_at_queue(self) -> None:
        self._queue_is_quiet = True
        self._tell(QueueDue())

    def _tick(self, at_ms: int, number: int, place: int) -> None:
        """A price that matters. Of one time the prices of earlier feeds are past, those of later ones still to come."""
        feed = self._feeds[number]
        for earlier in self._feeds[:number]:
            self._pass_to(earlier, earlier.tape.place_after(at_ms))
        for later in self._feeds[number + 1 :]:
            self._pass_to(later, later.tape.place_at(at_ms))
        self._pass_to(feed, place)
        self._now_ms = at_ms
        self.events += 1
        feed.place += 1
        price = feed.tape.price(place)
        for book, symbol in feed.listed:
            self._price(book, symbol, price)

    def _price(self, book: Book, symbol: str, price: Decimal) -> None:
        if not self._every_tick and self.state.plan is None:
            band = self._watched.band((book.account, symbol))
            if band is not None and band.holds(price):
                self.state.quotes[book.account, symbol] = Quote(price=price, at_ms=self._now_ms)
                book.pass_by(symbol, price)
                return
        self._tell(PriceMoved(account=book.account, symbol=symbol, price=price))
        for fill in book.tick(symbol, price, self._now_ms):
            self._tell(fill)
        self._tell(WatchDue(account=book.account, symbol=symbol))

    def _say(self, said: Recorded) -> None:
        self._pass(said.at_ms)
        self.events += 1
        if isinstance(said, RecordedSignal):
            self._signal(said)
        else:
            self._tell(said.asked)

    def _signal(self, recorded: RecordedSignal) -> None:
        signal_id = self.state.next_signal_id
        self._tell(SignalArrived(arrival=self._receive(recorded)))
        if signal_id in self.state.pending:
            self._tell(SignalStored(signal_id=signal_id))
        self._name_reversed(signal_id)

    def _name_reversed(self, signal_id: int) -> None:
        """A reversal's row names the new group where it opened at once (§12)."""
        record = self.record.signals[signal_id]
        if record.outcome is not Outcome.REVERSED or record.group or record.signal is None:
            return
        key = GroupKey(record.account or "", record.symbol or "", record.signal.timeframe)
        opened = self.state.groups.get(self.state.live.get(key, ""))
        if opened is not None and opened.pyramids[0].signal_id == signal_id:
            self.record.signals[signal_id] = replace(record, group=opened.id)

    def _done(self) -> None:
        """The end of one event: the risk engine looks where something has filled, and the curve gets its point."""
        while wants_risk(self.state):
            if self._every_tick or self._quiet is not None or self._look_for_quiet() is None:
                self._tell(RiskDue(on_fill=True))
            else:
                self.state.risk_wanted = False  # it would find nothing to do
        if self._closed_something:
            self._closed_something = False
            self._on_closed(self._now_ms)

    def _tell(self, event: Event) -> None:
        """One event, and everything that follows from it."""
        queue: deque[Event] = deque([event])
        while queue:
            step = decide(self.state, queue.popleft(), self._now_ms)
            self.record.add(step)
            if step.must_be_stored:
                self._queue_is_quiet = False
            if step.groups or step.instruments or step.plan_changed:
                self._quiet = None
            self._watched.changed(step)
            if step.fills:
                self._closed_something |= any(fill.order.covers for fill in step.fills)
            for command in step.commands:
                if isinstance(command, PlaceOrder):
                    order = command.order
                    queue.append(OrderSent(client_id=order.client_id))
                    queue += self._books[order.account].place(order, self._now_ms)
                elif isinstance(command, CancelOrder):
                    queue += self._books[command.order.account].cancel(command.order.client_id)


def _tape(prices: Tape | Ticks) -> Tape:
    """What was read already is played as it is: many replays may share a tape."""
    return prices if isinstance(prices, Tape) else Tape(prices)
