"""A store in memory: what was committed survives every death, and any commit can fail, dawdle, or be the last."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from exengine.domain.group import Group, GroupKey
from exengine.domain.instrument import Instrument, Side
from exengine.domain.journal import Note
from exengine.domain.order import Order
from exengine.domain.reception import Outcome, SignalRecord
from exengine.domain.state import AppliedFill, Control, Ledger, OffsetPlan, QueueEvent, Seen, Waiting
from exengine.engine.changes import Changes, Loaded, StoreFailed

_DAY_MS = 24 * 3600 * 1000


@dataclass(kw_only=True)
class Disk:
    """What is durable."""

    instance: str
    groups: dict[str, Group] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[AppliedFill] = field(default_factory=list)
    signals: dict[int, SignalRecord] = field(default_factory=dict)
    waiting: dict[tuple[GroupKey, Side], Waiting] = field(default_factory=dict)
    queue_events: list[QueueEvent] = field(default_factory=list)
    notes: dict[int, Note] = field(default_factory=dict)
    moved: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    instruments: dict[str, tuple[Instrument, ...]] = field(default_factory=dict)
    control: Control = field(default_factory=Control)
    ledger: Ledger = field(default_factory=Ledger)
    plan: OffsetPlan | None = None
    offsets: list[OffsetPlan] = field(default_factory=list)
    commits: int = 0
    refused: int = 0
    """Transactions that did not happen."""
    stories: dict[str, list[str]] = field(default_factory=dict)
    """Each order's statuses, one after the other."""

    def write(self, changes: Changes) -> None:
        """All of one transaction."""
        self.commits += 1
        self.groups.update(changes.groups)
        self.orders.update(changes.orders)
        for order in changes.orders.values():
            story = self.stories.setdefault(order.client_id, [])
            if story[-1:] != [order.status.value]:
                story.append(order.status.value)
        self.fills.extend(changes.fills)
        self.signals.update(changes.signals)
        for key, waiting in changes.waiting.items():
            if waiting is None:
                self.waiting.pop(key, None)
            else:
                self.waiting[key] = waiting
        self.queue_events.extend(changes.queue_events)
        self.notes.update(dict(changes.notes))
        self.moved.update(changes.moved)
        self.instruments.update(changes.instruments)
        self.control = changes.control or self.control
        self.ledger = changes.ledger or self.ledger
        self.offsets.extend(changes.offsets)
        if changes.plan_changed:
            self.plan = changes.plan

    def load(self) -> Loaded:
        """What a start finds, as the database's reader builds it."""
        numbers: dict[GroupKey, int] = {}
        for group in self.groups.values():
            number = int(group.id.rpartition("#")[2])
            numbers[group.key] = max(numbers.get(group.key, 0), number)
        open_groups = tuple(group for group in self.groups.values() if group.is_open)
        held = {group.id for group in open_groups}
        pending = (replace(one, signal=None) for one in self.signals.values() if one.outcome is None)
        return Loaded(
            instance=self.instance,
            groups=open_groups,
            orders=tuple(order for order in self.orders.values() if order.group_id in held),
            numbers=numbers,
            waiting=tuple(sorted(self.waiting.values(), key=lambda one: (one.queued_at_ms, one.signal_id))),
            pending=tuple(sorted(pending, key=lambda one: one.id)),
            seen=self._seen(),
            next_signal_id=max(self.signals, default=0) + 1,
            next_log_id=max(self.notes, default=0) + 1,
            control=self.control,
            ledger=self.ledger,
            plan=self.plan,
            moved=dict(self.moved),
            instruments=dict(self.instruments),
            market_clock_ms=None,
        )

    def _seen(self) -> dict[str, Seen]:
        if not self.signals:
            return {}
        last_ms = self.signals[max(self.signals)].received_at_ms
        found = {}
        for record in sorted(self.signals.values(), key=lambda one: one.id):
            signal = record.signal
            counts = signal is not None and record.account is not None
            counts = counts and record.outcome not in (Outcome.INVALID, Outcome.DUPLICATE)
            if signal is not None and counts and record.received_at_ms > last_ms - _DAY_MS:
                stamped = signal.timestamp_ms is not None
                found[signal.digest] = Seen(at_ms=record.received_at_ms, signal_id=record.id, stamped=stamped)
        return found


class DiskFaults:
    """What is wrong with the disk: transactions that fail, and slowness."""

    def __init__(self) -> None:
        self.after = 0
        """So many transactions are taken yet, before the next that is not."""
        self.fail_times = 0
        self.full_until_s = 0.0
        self.locked_times = 0
        self.broken_times = 0
        """Transactions that end in an error that no store is to raise: an event is tried three times."""
        self.was_broken = False
        self.slow_s = 0.0

    def next_error(self, now_s: float) -> Exception | None:
        """What the next transaction ends in."""
        if self.after:
            self.after -= 1
        elif self.locked_times:
            self.locked_times -= 1
            return StoreFailed("The store is locked by another program.")
        elif self.broken_times:
            self.broken_times -= 1
            return TypeError("the store is broken")
        elif self.fail_times:
            self.fail_times -= 1
            return StoreFailed("Writing failed.")
        return StoreFailed("The disk is full.") if now_s < self.full_until_s else None

    def heal(self) -> None:
        self.__init__()  # type: ignore[misc]


class SimulatedStore:
    """One process's hold on the disk."""

    def __init__(
        self,
        disk: Disk,
        faults: DiskFaults,
        rng: random.Random,
        *,
        point: Callable[[str], Awaitable[None]],
        writing: Callable[[Changes], None],
    ) -> None:
        """`point` is told of each moment at which the process may die; it does not return where it does."""
        self._disk = disk
        self._faults = faults
        self._rng = rng
        self._point = point
        self._writing = writing

    async def commit(self, changes: Changes) -> None:
        await self._point("before commit")
        faults, loop = self._faults, asyncio.get_running_loop()
        await asyncio.sleep(faults.slow_s * self._rng.random() if faults.slow_s else 0)
        error = faults.next_error(loop.time())
        if error is not None:
            self._disk.refused += 1
            await asyncio.sleep(1 if "locked" in str(error) else 0)
            raise error
        await self._point("at commit")
        self._writing(changes)
        self._disk.write(changes)
        await self._point("after commit")
