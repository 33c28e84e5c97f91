"""One event's changes to the state: every one is recorded, and can be taken back.

What a step changed is what the store writes in one transaction; where that transaction fails, the step is undone and
it is as if the event had not come.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exengine.domain.cause import of_engine, of_signal, signal_of
from exengine.domain.commands import Command
from exengine.domain.group import Group, GroupKey, check_transition
from exengine.domain.instrument import Instrument, Side
from exengine.domain.journal import Category, Note, Severity, Topic
from exengine.domain.money import ZERO
from exengine.domain.order import Order, Role
from exengine.domain.reception import SignalRecord, Verdict
from exengine.domain.settings import Settings
from exengine.domain.state import (
    AppliedFill,
    Control,
    Ledger,
    OffsetPlan,
    QueueEvent,
    Quote,
    Seen,
    State,
    Waiting,
    spelled,
)

_ABSENT = object()
_RESERVED = Decimal("1e-24")
MOST_BOOKED = 2000
"""Of how many orders of closed groups the trades are kept: an exchange tells of one again within seconds."""


class Step:
    """One event's changes to the state: recorded, readable by the store, and undoable."""

    def __init__(self, state: State, now_ms: int) -> None:
        self.state = state
        self.now_ms = now_ms
        self.cause = ""
        """What it goes back to; empty where it is a price, a timer or the like."""
        self.commands: list[Command] = []
        self.notes: list[Note] = []
        self.groups: dict[str, Group] = {}
        self.orders: dict[str, Order] = {}
        self.fills: list[AppliedFill] = []
        self.signals: dict[int, SignalRecord] = {}
        self.queue_events: list[QueueEvent] = []
        self.waiting: dict[tuple[GroupKey, Side], Waiting | None] = {}
        self.control: Control | None = None
        self.ledger: Ledger | None = None
        self.moved: dict[tuple[str, str], Decimal] = {}
        self.quotes: set[tuple[str, str]] = set()
        self.instruments: dict[str, tuple[Instrument, ...]] = {}
        """Accounts whose market rules have changed, and all that are known of them, also of what is listed no more."""
        self.verdict: Verdict | None = None
        self.freed: list[GroupKey] = []
        """Keys of the groups that this step has closed."""
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []
        self.plans: list[OffsetPlan] = []
        """Offsets that came to their end in this step."""
        self.plan: OffsetPlan | None = None
        self.plan_changed = False
        self._was = (
            state.control, state.ledger, state.next_signal_id, state.plan, state.risk_wanted, state.in_tick,
            state.settings,
        )  # fmt: skip

    @property
    def must_be_stored(self) -> bool:
        """Whether there is anything that a restart would have to know."""
        return bool(
            self.groups or self.orders or self.fills or self.signals or self.queue_events or self.waiting
            or self.control or self.ledger or self.moved or self.notes or self.plan_changed or self.instruments
        )  # fmt: skip

    def undo(self) -> None:
        """Takes every change of this step back. Steps are undone latest first."""
        for mapping, key, old in reversed(self._undo):
            if old is _ABSENT:
                mapping.pop(key, None)
            else:
                mapping[key] = old
        self._undo.clear()
        state = self.state
        (
            state.control, state.ledger, state.next_signal_id, state.plan, state.risk_wanted, state.in_tick,
            state.settings,
        ) = self._was  # fmt: skip

    def _set(self, mapping: dict[Any, Any], key: Any, value: Any) -> None:
        self._undo.append((mapping, key, mapping.get(key, _ABSENT)))
        if value is _ABSENT:
            mapping.pop(key, None)
        else:
            mapping[key] = value

    # what is decided -----------------------------------------------------------------------------------------------

    def command(self, command: Command) -> None:
        self.commands.append(command)

    def note(
        self,
        severity: Severity,
        category: Category,
        text: str,
        *,
        group: Group | None = None,
        key: GroupKey | None = None,
        signal_id: int | None = None,
        advice: str = "",
        topic: Topic | None = None,
    ) -> None:
        """Leaves a line in the audit trail, about a group, a key that has none yet, or the engine as a whole."""
        about = group.key if group else key
        cause = self.cause_of(group) if signal_id is None else of_signal(signal_id)
        self.notes.append(
            Note(
                at_ms=self.now_ms,
                severity=severity,
                category=category,
                text=text,
                symbol=about.symbol if about else "",
                timeframe=about.timeframe if about else "",
                group=group.id if group else "",
                signal_id=signal_of(cause),
                advice=advice,
                cause=cause,
                topic=topic,
            )
        )

    def cause_of(self, group: Group | None) -> str:
        """What a line or an order of this step goes back to; a price's and a timer's doing to the group's opening."""
        if self.cause:
            return self.cause
        return of_signal(group.pyramids[0].signal_id) if group and group.pyramids else of_engine(self.now_ms)

    @contextmanager
    def because(self, cause: str) -> Iterator[None]:
        """Within it, everything goes back to `cause`."""
        before, self.cause = self.cause, cause
        try:
            yield
        finally:
            self.cause = before

    def put_group(self, group: Group) -> None:
        """Writes a group. Raises IllegalTransition where its status cannot follow the one before."""
        before = self.state.groups.get(group.id)
        check_transition(before, group)
        symbol = (group.key.account, group.key.symbol)
        there = self.state.by_symbol.get(symbol, ())
        # A new tuple each time: by it, whoever keeps something of a symbol's groups sees that they have changed.
        if before is None:
            self._set(self.state.by_symbol, symbol, (*there, group.id))
            self._set(self.state.numbers, group.key, self.state.numbers.get(group.key, 0) + 1)
            self._set(self.state.live, group.key, group.id)
        elif group.is_open:
            self._set(self.state.by_symbol, symbol, (*there,))
        if group.is_open:
            self._set(self.state.groups, group.id, group)
        else:
            self._set(self.state.by_symbol, symbol, tuple([one for one in there if one != group.id]))
            self._drop_group(group)
        self.groups[group.id] = group

    def _drop_group(self, group: Group) -> None:
        """It is closed: neither it nor its orders are held any more."""
        self._set(self.state.groups, group.id, _ABSENT)
        self._set(self.state.live, group.key, _ABSENT)
        for client_id in self.state.orders_of.get(group.id, ()):
            self._remember_trades(self.state.orders[client_id])
            self._set(self.state.orders, client_id, _ABSENT)
        self._set(self.state.orders_of, group.id, _ABSENT)
        self._set(self.state.entries_of, group.id, _ABSENT)
        self._set(self.state.working_of, group.id, _ABSENT)

    def _remember_trades(self, order: Order) -> None:
        if order.trade_ids:
            self._set(self.state.booked, order.client_id, order.trade_ids)
            if len(self.state.booked) > MOST_BOOKED:
                self._set(self.state.booked, next(iter(self.state.booked)), _ABSENT)

    def group(self, group_id: str) -> Group:
        """The group as this step has it, also where the step has just closed it."""
        return self.state.groups.get(group_id) or self.groups[group_id]

    def put_order(self, order: Order) -> None:
        """Writes an order and keeps what working entries reserve in step with it."""
        before = self.state.orders.get(order.client_id)
        self._set(self.state.orders, order.client_id, order)
        if before is None:
            self._note_made(order)
        elif order.is_working is not before.is_working:
            self._note_working(order)
        if order.role is Role.ENTRY and _may_take_other_than(before, order):
            group = self.state.groups[order.group_id]
            change = _reserved(self.state, group, order) - (_reserved(self.state, group, before) if before else ZERO)
            if change:
                key = (order.account, group.quote)
                self._set(self.state.reserved, key, self.state.reserved.get(key, ZERO) + change)
        self.orders[order.client_id] = order

    def _note_made(self, order: Order) -> None:
        """One more order of a group."""
        state, group_id = self.state, order.group_id
        self._set(state.orders_of, group_id, (*state.orders_of.get(group_id, ()), order.client_id))
        if order.role is Role.ENTRY:
            entries = state.entries_of.get(group_id, {}) | {(order.pyramid or 0, order.leg or 0): order.client_id}
            self._set(state.entries_of, group_id, entries)
        if order.is_working:
            self._set(state.working_of, group_id, (*state.working_of.get(group_id, ()), order.client_id))

    def _note_working(self, order: Order) -> None:
        """One more order of a group that works, or one less; a refused one that fills all the same works again."""
        works = {*self.state.working_of.get(order.group_id, ())} ^ {order.client_id}
        made = self.state.orders_of[order.group_id]
        now = tuple([one for one in made if one in works])
        self._set(self.state.working_of, order.group_id, now or _ABSENT)

    def put_instruments(self, account: str, instruments: tuple[Instrument, ...]) -> None:
        """Takes the rules of an account over; rules of symbols that are no longer listed are kept for exits."""
        spellings: dict[str, str] = {}
        changed = False
        for instrument in instruments:
            if self.state.instruments.get((account, instrument.symbol)) != instrument:
                self._set(self.state.instruments, (account, instrument.symbol), instrument)
                changed = True
        # An exchange's own id means what it says; another market's base and quote may read the same.
        for instrument in instruments:
            spellings.setdefault(spelled(instrument.id), instrument.symbol)
        for instrument in instruments:
            for spelling in (instrument.base + instrument.quote, instrument.symbol):
                spellings.setdefault(spelled(spelling), instrument.symbol)
        if self.state.listed.get(account) != spellings:
            self._set(self.state.listed, account, spellings)
            changed = True
        if changed:
            known = self.state.instruments.items()
            self.instruments[account] = tuple(one for (name, _), one in known if name == account)

    def put_settings(self, settings: Settings) -> None:
        """Takes another configuration; what working entries reserve follows the leverage of their account."""
        state = self.state
        before = replace(state)
        state.settings = settings
        accounts = {order.account for order in state.orders.values()}
        changed = {account for account in accounts if before.leverage(account) != state.leverage(account)}
        for order in state.orders.values():
            if order.account in changed:
                group = state.groups[order.group_id]
                change = _reserved(self.state, group, order) - _reserved(before, group, order)
                key = (order.account, group.quote)
                self._set(state.reserved, key, state.reserved.get(key, ZERO) + change)

    def put_start(self, account: str, currency: str, amount: Decimal | None) -> None:
        """Writes what an account holds without our fills: a paper account's capital; None takes it away."""
        self._set(self.state.start, (account, currency), _ABSENT if amount is None else amount)

    def forget_rules(self, account: str) -> None:
        """Drops the market rules of an account that is another one from now on: its entries wait for the new ones."""
        for key in [key for key in self.state.instruments if key[0] == account]:
            self._set(self.state.instruments, key, _ABSENT)
        self._set(self.state.listed, account, _ABSENT)
        self.instruments[account] = ()

    def put_quote(self, account: str, symbol: str, price: Decimal) -> None:
        self._set(self.state.quotes, (account, symbol), Quote(price=price, at_ms=self.now_ms))
        self.quotes.add((account, symbol))

    def lose_account(self, account: str, why: str) -> None:
        self._set(self.state.unreachable, account, why)

    def find_account(self, account: str) -> None:
        self._set(self.state.unreachable, account, _ABSENT)

    def put_signal(self, record: SignalRecord) -> None:
        """Writes a signal's record; it is pending until it has an outcome."""
        if record.id >= self.state.next_signal_id:
            self.state.next_signal_id = record.id + 1
        self._set(self.state.pending, record.id, record if record.outcome is None else _ABSENT)
        self.signals[record.id] = record

    def put_seen(self, digest: str, seen: Seen | None) -> None:
        self._set(self.state.seen, digest, _ABSENT if seen is None else seen)

    def put_waiting(self, waiting: Waiting, event: str, reason: str = "") -> None:
        """Writes a waiting entry, and what happened to it into the queue's history."""
        self._set(self.state.waiting, (waiting.key, waiting.side), waiting)
        self.waiting[waiting.key, waiting.side] = waiting
        self._queue_event(waiting, event, reason or waiting.reason)

    def reword_waiting(self, waiting: Waiting) -> None:
        """Notes another reason for waiting; that is nothing for the queue's history."""
        self._set(self.state.waiting, (waiting.key, waiting.side), waiting)
        self.waiting[waiting.key, waiting.side] = waiting

    def rekey_waiting(self, before: Waiting, after: Waiting) -> None:
        """Moves a waiting entry to its real key; it has waited all along."""
        self._set(self.state.waiting, (before.key, before.side), _ABSENT)
        self.waiting[before.key, before.side] = None
        self.reword_waiting(after)

    def remove_waiting(self, waiting: Waiting, event: str, reason: str = "", *, forced: bool = False) -> None:
        self._set(self.state.waiting, (waiting.key, waiting.side), _ABSENT)
        self.waiting[waiting.key, waiting.side] = None
        self._queue_event(waiting, event, reason, forced=forced)

    def _queue_event(self, waiting: Waiting, event: str, reason: str, *, forced: bool = False) -> None:
        self.queue_events.append(
            QueueEvent(
                at_ms=self.now_ms,
                key=str(waiting.key),
                side=waiting.side,
                event=event,
                reason=reason,
                queued_at_ms=waiting.queued_at_ms,
                replacement_count=waiting.replacement_count,
                price=waiting.signal.price,
                forced=forced,
                signal_id=waiting.signal_id,
                cause=self.cause or of_signal(waiting.signal_id),
            )
        )

    def set_control(self, control: Control) -> None:
        self.state.control = self.control = control

    def set_ledger(self, ledger: Ledger) -> None:
        self.state.ledger = self.ledger = ledger

    def put_plan(self, plan: OffsetPlan) -> None:
        self.state.plan = self.plan = plan
        self.plan_changed = True

    def finish_plan(self, plan: OffsetPlan) -> None:
        self.state.plan = self.plan = None
        self.plan_changed = True
        self.plans.append(plan)

    def move_balance(self, account: str, currency: str, amount: Decimal) -> None:
        """Adds what one of our own fills or fees has changed."""
        key = (account, currency)
        self._set(self.state.moved, key, self.state.moved.get(key, ZERO) + amount)
        self.moved[key] = self.state.moved[key]

    def report_balance(self, account: str, currency: str, total: Decimal) -> None:
        """Takes over what the exchange says that the account holds in all."""
        key = (account, currency)
        self._set(self.state.start, key, total - self.state.moved.get(key, ZERO))

    def report_positions(self, account: str, positions: Mapping[str, Decimal]) -> None:
        """Takes over what the exchange says that the account has in contracts; what it does not name is none."""
        for key in [key for key in self.state.positions if key[0] == account and key[1] not in positions]:
            self._set(self.state.positions, key, _ABSENT)
        for symbol, contracts in positions.items():
            self._set(self.state.positions, (account, symbol), contracts)

    def add_fill(self, applied: AppliedFill) -> None:
        self.fills.append(applied)

    def fail(self, group: Group, text: str) -> Group:
        """The group with one more thing that went wrong, at most ten of them kept."""
        return replace(group, errors=(*group.errors[-9:], text))


def _may_take_other_than(before: Order | None, order: Order) -> bool:
    """Whether a working entry may take more, or less, than it could before."""
    if before is None:
        return True
    was, now = before, order
    return was.filled_qty is not now.filled_qty or was.is_working is not now.is_working or was.qty is not now.qty


def _reserved(state: State, group: Group, order: Order) -> Decimal:
    """What a working entry may still take of the free quote: all on a spot account, its margin on a swap one."""
    price = order.price if order.price is not None else order.bound
    if order.role is not Role.ENTRY or price is None:
        return ZERO
    margin = order.leaves_qty * price * group.contract_size / state.leverage(order.account)
    return margin.quantize(_RESERVED)  # so that what is set free is what was taken, to the last digit
