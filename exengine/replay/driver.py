"""Drives `decide` with a clock of its own: recorded prices, signals and commands in order of time, timers between.

At one time prices come first (by exchange id), then signals, commands and timers (SPEC §11). Whatever an event leads
to is dealt with before the next one is looked at, as the live paper exchange does it.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import chain
from typing import Protocol

from exengine.domain.commands import CancelOrder, PlaceOrder
from exengine.domain.decide import decide, wants_risk
from exengine.domain.events import (
    Event,
    InstrumentsLoaded,
    OrderFilled,
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
from exengine.domain.levels import Band, watched_band
from exengine.domain.money import arithmetic
from exengine.domain.order import Order
from exengine.domain.reception import Arrival, Outcome, SignalRecord
from exengine.domain.state import AppliedFill, OffsetPlan, QueueEvent, Quote, State
from exengine.domain.step import Step
from exengine.replay.signals_file import Recorded, RecordedSignal

Ticks = Iterable[tuple[int, Decimal]]
"""Time in epoch ms and price, in order of time."""


class Book(Protocol):
    """What the replay needs of a paper exchange."""

    account: str

    def place(self, order: Order, now_ms: int) -> list[Event]: ...

    def cancel(self, client_id: str) -> list[Event]: ...

    def tick(self, symbol: str, price: Decimal, now_ms: int) -> Iterator[OrderFilled]: ...

    def band(self, symbol: str) -> tuple[Decimal | None, Decimal | None] | None: ...

    def pass_by(self, symbol: str, price: Decimal) -> None: ...


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
        self.fills.extend(step.fills)
        self.signals.update(step.signals)
        self.queue_events.extend(step.queue_events)
        self.offsets.extend(step.plans)


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
        self._books = {market.book.account: market.book for market in markets}
        self._markets = markets
        self._receive = receive
        self._on_closed = on_closed
        self._now_ms = 0
        self._closed_something = False
        self._every_tick = every_tick
        self._bands: dict[tuple[str, str], Band | None] = {}
        """Of the symbols whose groups and orders have not changed since it was computed."""
        self._outside: set[tuple[str, str]] = set()
        """Symbols whose price lies outside of their band: there the timers have something to look at."""

    def run(self, prices: Mapping[str, Ticks], recorded: Sequence[Recorded]) -> Iterator[int]:
        """Plays everything; yields the time of each event, for a progress bar. `prices` by exchange id."""
        fed = {exchange_id: self._listing(exchange_id) for exchange_id in prices}
        events = heapq.merge(
            *(_priced(exchange_id, ticks) for exchange_id, ticks in sorted(prices.items())),
            sorted(_said(recorded), key=lambda one: one[:3]),
            key=lambda one: one[:3],
        )
        first = next(events, None)
        if first is None:
            return
        self._now_ms = first[0]
        for market in self._markets:
            self._tell(InstrumentsLoaded(account=market.book.account, instruments=market.instruments))
        timers = _Timers(self.state, first[0])
        for at_ms, _, name, what in chain([first], events):
            while timers.next_ms < at_ms:
                if self._is_idle():
                    timers.skip(at_ms)
                else:
                    self._time(timers)
            self._now_ms = at_ms
            if isinstance(what, Decimal):
                for market, symbol in fed[name]:
                    self._tick(market.book, symbol, what)
            elif isinstance(what, RecordedSignal):
                self._signal(what)
            else:
                self._tell(what.asked)
            self._done()
            yield at_ms
        while timers.next_ms <= self._now_ms:
            self._time(timers)

    def _listing(self, exchange_id: str) -> list[tuple[Market, str]]:
        return [(m, one.symbol) for m in self._markets for one in m.instruments if one.id == exchange_id]

    def _time(self, timers: "_Timers") -> None:
        self._now_ms, due = timers.take()
        for event in due:
            self._tell(event)
        self._done()

    def _is_idle(self) -> bool:
        """Whether queue and risk engine would find nothing to do, at whatever time they look."""
        if self._every_tick or self.state.waiting or self.state.plan is not None:
            return False
        for account, symbol in self.state.by_symbol.keys() - self._bands.keys():
            self._holds(self._books[account], symbol)
        return not self._outside

    def _holds(self, book: Book, symbol: str, price: Decimal | None = None) -> bool:
        """Whether a price (the last one) of a symbol changes nothing."""
        key = (book.account, symbol)
        if key not in self._bands:
            with arithmetic():
                band, resting = watched_band(self.state, *key), book.band(symbol)
                self._bands[key] = None if band is None or resting is None else band.within(*resting)
        band = self._bands[key]
        price = self.state.last(*key) if price is None else price
        inside = band is not None and price is not None and band.holds(price)
        (self._outside.discard if inside else self._outside.add)(key)
        return inside

    def _tick(self, book: Book, symbol: str, price: Decimal) -> None:
        if not self._every_tick and self._holds(book, symbol, price):
            self.state.quotes[book.account, symbol] = Quote(price=price, at_ms=self._now_ms)
            book.pass_by(symbol, price)
            return
        self._tell(PriceMoved(account=book.account, symbol=symbol, price=price))
        for fill in book.tick(symbol, price, self._now_ms):
            self._tell(fill)
        self._tell(WatchDue(account=book.account, symbol=symbol))

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
            self._tell(RiskDue(on_fill=True))
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
                self._bands.clear()
            self._closed_something |= any(fill.order.covers for fill in step.fills)
            for command in step.commands:
                if isinstance(command, PlaceOrder):
                    queue.append(OrderSent(client_id=command.order.client_id))
                    queue.extend(self._books[command.order.account].place(command.order, self._now_ms))
                elif isinstance(command, CancelOrder):
                    queue.extend(self._books[command.order.account].cancel(command.order.client_id))


_Said = tuple[int, int, str, "Decimal | Recorded"]


def _priced(exchange_id: str, ticks: Ticks) -> Iterator[_Said]:
    for at_ms, price in ticks:
        yield at_ms, 0, exchange_id, price


def _said(recorded: Sequence[Recorded]) -> Iterator[_Said]:
    for number, one in enumerate(recorded):
        yield one.at_ms, 1 if isinstance(one, RecordedSignal) else 2, f"{number:012}", one


class _Timers:
    """When queue and risk are looked at: at the first event's time plus one, two, … periods."""

    def __init__(self, state: State, first_ms: int) -> None:
        self._queue_ms = state.settings.queue.evaluate_seconds * 1000
        self._risk_ms = state.settings.risk.evaluate_seconds * 1000
        self._next_queue = first_ms + self._queue_ms
        self._next_risk = first_ms + self._risk_ms

    @property
    def next_ms(self) -> int:
        return min(self._next_queue, self._next_risk)

    def skip(self, at_ms: int) -> None:
        """Leaves out everything due before `at_ms`."""
        self._next_queue += max(0, -(-(at_ms - self._next_queue) // self._queue_ms)) * self._queue_ms
        self._next_risk += max(0, -(-(at_ms - self._next_risk) // self._risk_ms)) * self._risk_ms

    def take(self) -> tuple[int, list[Event]]:
        """Queue, risk, and queue again, as far as they are due together."""
        due_ms = self.next_ms
        due: list[Event] = []
        if self._next_queue == due_ms:
            self._next_queue += self._queue_ms
            due.append(QueueDue())
        if self._next_risk == due_ms:
            self._next_risk += self._risk_ms
            due.extend((RiskDue(), QueueDue()))
        return due_ms, due
