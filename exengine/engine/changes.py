"""What one transaction writes: the changes of one or many steps, each row as it is after the last of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from operator import attrgetter
from typing import Protocol

from exengine.domain.group import Group, GroupKey
from exengine.domain.instrument import Instrument, Side
from exengine.domain.journal import Note
from exengine.domain.order import Order
from exengine.domain.reception import SignalRecord
from exengine.domain.results import EquityMark
from exengine.domain.signal import Signal
from exengine.domain.signal_body import BodyError, parse_body
from exengine.domain.signal_parse import parse_signal
from exengine.domain.state import AppliedFill, Control, Ledger, OffsetPlan, QueueEvent, Seen, State, Waiting
from exengine.domain.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """When the first order of a signal went out, was first answered, and something first filled. Epoch ms."""

    sent_at_ms: int | None = None
    acknowledged_at_ms: int | None = None
    filled_at_ms: int | None = None
    """When it was heard of here, by the clock that the others are of."""


@dataclass(slots=True, kw_only=True)
class Changes:
    """One unit of work. Rows replace what the store has of the same key; lists are added."""

    groups: dict[str, Group] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[AppliedFill] = field(default_factory=list)
    signals: dict[int, SignalRecord] = field(default_factory=dict)
    stored_before: set[int] = field(default_factory=set)
    """Those of `signals` that are on disk already: what came in of them need not be written again."""
    traces: dict[int, Trace] = field(default_factory=dict)
    waiting: dict[tuple[GroupKey, Side], Waiting | None] = field(default_factory=dict)
    """None = no longer waiting."""
    queue_events: list[QueueEvent] = field(default_factory=list)
    notes: list[tuple[int, Note]] = field(default_factory=list)
    """(id, line); ids rise by one."""
    moved: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    instruments: dict[str, tuple[Instrument, ...]] = field(default_factory=dict)
    """The rules cache of an account, replaced whole."""
    control: Control | None = None
    ledger: Ledger | None = None
    plan: OffsetPlan | None = None
    plan_changed: bool = False
    """Whether `plan` replaces the offset under way; None then means that there is none any more."""
    offsets: list[OffsetPlan] = field(default_factory=list)
    """Offsets that have come to their end."""
    equity: list[EquityMark] = field(default_factory=list)
    market_clock_ms: int | None = None
    """Where the generated or recorded market stands, so that it goes on there after a restart."""

    def add(self, step: Step) -> None:
        """Takes a step's changes over; steps are added in the order in which they were decided."""
        self.groups.update(step.groups)
        self.orders.update(step.orders)
        self.fills.extend(step.fills)
        if step.verdict is None:
            self.stored_before.update(step.signals.keys() - self.signals.keys())
        self.signals.update(step.signals)
        self.waiting.update(step.waiting)
        self.queue_events.extend(step.queue_events)
        self.moved.update(step.moved)
        self.instruments.update(step.instruments)
        self.control = step.control or self.control
        self.ledger = step.ledger or self.ledger
        self.offsets.extend(step.plans)
        if step.plan_changed:
            self.plan, self.plan_changed = step.plan, True

    @property
    def is_empty(self) -> bool:
        return self.market_clock_ms is None and not any(_ROWS(self))


_ROWS = attrgetter(*(one.name for one in fields(Changes) if one.name not in ("market_clock_ms", "stored_before")))


class StoreFailed(Exception):
    """A transaction did not happen: nothing of it is on disk. The text says why, in words."""


class EngineStopped(StoreFailed):
    """The engine has ended, and takes nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a start finds in the store."""

    instance: str
    groups: tuple[Group, ...]
    """Those not closed."""
    orders: tuple[Order, ...]
    """Those of the groups not closed, in the order in which they were made."""
    numbers: dict[GroupKey, int]
    """The highest number that a group of each key has had."""
    waiting: tuple[Waiting, ...]
    pending: tuple[SignalRecord, ...]
    """Signals stored and not yet decided; `signal` is None: `restored` parses their bodies again."""
    seen: dict[str, Seen]
    """Valid signals of the last 24 hours by digest, the first of each."""
    next_signal_id: int
    next_log_id: int
    control: Control
    ledger: Ledger
    plan: OffsetPlan | None
    moved: dict[tuple[str, str], Decimal]
    instruments: dict[str, tuple[Instrument, ...]]
    market_clock_ms: int | None


class Store(Protocol):
    """Where it all is on disk."""

    async def commit(self, changes: Changes) -> None:
        """Writes all of it in one transaction, durably. Raises StoreFailed, and then nothing of it is there."""
        ...


def restored(state: State, loaded: Loaded) -> None:
    """Puts what the store has into a fresh state."""
    step = Step(state, 0)
    for account, instruments in loaded.instruments.items():
        step.put_instruments(account, instruments)
    for group in loaded.groups:
        state.groups[group.id] = group
        state.live[group.key] = group.id
        symbol = (group.key.account, group.key.symbol)
        state.by_symbol[symbol] = (*state.by_symbol.get(symbol, ()), group.id)
    for order in loaded.orders:
        step.put_order(order)
    state.numbers.update(loaded.numbers)
    state.waiting.update({(one.key, one.side): one for one in loaded.waiting})
    state.pending.update({record.id: _reparsed(record) for record in loaded.pending})
    state.seen.update(loaded.seen)
    state.moved.update(loaded.moved)
    state.control = loaded.control
    state.ledger = loaded.ledger
    state.plan = loaded.plan
    state.next_signal_id = loaded.next_signal_id


def _reparsed(record: SignalRecord) -> SignalRecord:
    """A signal that was stored and not decided, read again from its stored body."""
    try:
        parsed = parse_signal(parse_body(record.body))
    except BodyError:
        return record
    return replace(record, signal=parsed if isinstance(parsed, Signal) else None)


def merged(steps: Iterable[Step]) -> Changes:
    changes = Changes()
    for step in steps:
        changes.add(step)
    return changes


def joined(first: Changes, then: Changes) -> Changes:
    """What no step decided, of two transactions in one."""
    return Changes(
        traces=first.traces | then.traces,
        notes=[*first.notes, *then.notes],
        instruments=first.instruments | then.instruments,
        market_clock_ms=first.market_clock_ms if then.market_clock_ms is None else then.market_clock_ms,
    )
