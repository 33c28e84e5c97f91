"""What must hold after every event, every transaction and every trade: the last page of FAULTS, in code."""

import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal

from exengine.domain import pnl
from exengine.domain.commands import ReloadRules
from exengine.domain.decide import decide
from exengine.domain.events import Event, HoldingsShort, QueueAction, QueueAsked
from exengine.domain.group import Group, GroupStatus, check_transition
from exengine.domain.instrument import MarketType
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.order import TRANSITIONS, Order, Role
from exengine.domain.state import AppliedFill, State
from exengine.domain.step import Step
from exengine.engine.changes import Changes
from tests.exchange_server.venue import VenueEvent, VenueTrade
from tests.simulation.disk import Disk
from tests.simulation.line import Line, fill_of
from tests.simulation.offsets import OffsetCheck
from tests.simulation.process import Process

LAST_DIGITS = Decimal("1e-18")
"""A quotient is carried at 50 digits; quantities and balances are exact."""

BY_HAND = "by hand"
_FIXED = ("group_id", "account", "symbol", "role", "side", "type", "price", "bound", "qty")
_ENDS = {(before, after) for (before, _), after in TRANSITIONS.items() if before.is_final}


class Checks:
    """Looks at everything that happens and reports what may not be."""

    def __init__(self, disk: Disk, lines: Iterable[Line], report: Callable[[str], None]) -> None:
        self.disk = disk
        self.lines = {line.account: line for line in lines}
        self._report = report
        self._placed: Counter[str] = Counter()
        self._truth: dict[str, Decimal] = defaultdict(Decimal)
        """What each group really holds, by the exchange's own trades."""
        self._trades: dict[tuple[str, str], VenueTrade] = {}
        self.booked: dict[tuple[str, str], AppliedFill] = {}
        self._net: dict[str, Decimal] = defaultdict(Decimal)
        self._cash: dict[str, Decimal] = defaultdict(Decimal)
        self._realised: dict[str, Decimal] = defaultdict(Decimal)
        self._closed_legs: dict[str, set[tuple[int, int]]] = defaultdict(set)
        self._entered_again: set[str] = set()
        """Groups with a leg that was entered further after a part of it was closed: what was realised by then stays as
        it was, at the cost of its time (§5.1), and is not what all its fills together would say."""
        self._moved: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._orders_of: dict[str, dict[str, Order]] = defaultdict(dict)
        self._offset = OffsetCheck(self.must)
        for line in self.lines.values():
            line.venue.listeners.append(lambda event, line=line: self._traded(line, event))

    def must(self, holds: object, what: str) -> None:
        if not holds:
            self._report(what)

    # the exchange ----------------------------------------------------------------------------------------------------

    def _traded(self, line: Line, event: VenueEvent) -> None:
        """Never two orders of one id, and no group ever sells what it has not bought."""
        order, trade = event.order, event.trade
        if order is None or not (order.client_id or "").startswith("x"):
            return
        client_id = order.client_id or ""
        ours = self.disk.orders.get(client_id)
        if ours is None:
            self._report(f"the exchange has an order that is not in the store: {client_id}")
            return
        if event.kind == "new":
            self._placed[client_id] += 1
            self.must(self._placed[client_id] == 1, f"the order {ours.slot} of {ours.group_id} was placed twice")
        if trade is not None:
            self._trades[line.account, trade.id] = trade
            sign = 1 if ours.role is Role.ENTRY else -1
            base = line.venue.markets[order.market].base
            fee = trade.fee if trade.fee_currency == base and ours.role is Role.ENTRY else ZERO
            self._truth[ours.group_id] += sign * trade.qty - fee
            self.must(self._truth[ours.group_id] >= 0, f"{ours.group_id} sold more than it has bought")

    def unbooked(self) -> list[str]:
        """Trades of ours that the books do not have yet."""
        return [f"the trade {key} is not booked" for key in self._trades if key not in self.booked]

    def sending(self, process: Process, order: Order) -> None:
        """Nothing is sent before it was stored, and nothing else than what was stored."""
        stored = self.disk.orders.get(order.client_id)
        if stored is None:
            self._report(f"{order.slot} of {order.group_id} was sent before it was stored")
            return
        same = all(getattr(stored, what) == getattr(order, what) for what in _FIXED)
        self.must(same, f"{order.slot} of {order.group_id} was sent other than it was stored")
        self.must(process.is_alive, "something was sent by a dead process")

    # each event ------------------------------------------------------------------------------------------------------

    def decide(self, state: State, event: Event, now_ms: int) -> Step:
        """The real decision, looked at."""
        if isinstance(event, HoldingsShort):
            sold = self.lines[event.account].sold_by_hand
            self.must(event.currency in sold, f"coins were missed that nobody took: {event}")
        open_before = len(state.groups)
        try:
            step = decide(state, event, now_ms)
        except Exception as error:
            self._report(f"a defect at {event!r}: {error!r}\n{traceback.format_exc(limit=-4)}")
            raise
        for group in step.groups.values():
            if group.is_open:
                self._group(state, group)
        if step.groups:
            limit = state.settings.pool.max_open_groups
            forced = isinstance(event, QueueAsked) and event.action is QueueAction.FORCE
            # More there may be where the trader forced one in or took slots away; nobody else brings one more.
            most = max(limit, open_before) + forced
            self.must(len(state.groups) <= most, f"{open_before} groups became {len(state.groups)}, {limit} slots")
        for command in step.commands:
            if not isinstance(command, ReloadRules):
                kept = step.orders.get(command.order.client_id) or state.orders.get(command.order.client_id)
                self.must(kept is not None, f"a command for an order that is not kept: {command}")
        return step

    def _group(self, state: State, group: Group) -> None:
        working = state.working(group.id)
        targets = [ref for one in working if one.role is Role.TP and one.price is not None for ref in one.covers]
        self.must(len(targets) == len(set(targets)), f"{group.id}: a leg has two targets")
        entries = Counter((one.pyramid, one.leg) for one in working if one.role is Role.ENTRY)
        twice = [ref for ref, count in entries.items() if count > 1]
        self.must(not twice, f"{group.id}: {twice} has two working entries")
        leaving = sum((one.leaves_qty for one in working if one.role is not Role.ENTRY), ZERO)
        self.must(group.net_qty >= 0, f"{group.id} holds {group.net_qty}")
        short = group.frozen is not None and group.short_of_coins
        what = group.key.symbol if group.market_type is MarketType.SWAP else group.base
        sold = self.lines[group.key.account].sold_by_hand
        holds = leaving <= max(group.net_qty, ZERO) or what in sold
        self.must(holds, f"{group.id} offers {leaving} and holds {group.net_qty}")
        self.must(not short or what in sold, f"{group.id} is said to be short of coins that nobody took")

    # each transaction ------------------------------------------------------------------------------------------------

    def writing(self, process: Process, changes: Changes) -> None:
        """The books of a transaction, held against the disk as it was and the exchange as it is."""
        with arithmetic():
            self._offset.changed(changes, self.disk)
            for order in changes.orders.values():
                self._order(order)
            for applied in changes.fills:
                self._fill(applied, changes)
            for group in changes.groups.values():
                self._books(process, group)
            for key, moved in changes.moved.items():
                if self.lines[key[0]].is_spot:
                    self.must(moved == self._moved[key], f"{key} has moved {moved}, its fills {self._moved[key]}")
            self._offset.finished(changes)
        self._ledger(changes)
        for _, note in changes.notes:
            told = "defect" in note.text and not any(line.has_defects for line in self.lines.values())
            self.must(not told, f"a defect was told: {note.text}")

    def _ledger(self, changes: Changes) -> None:
        """What the ledger has is what all closes have realised; a day's loss that has reached its limit pauses."""
        ledger = changes.ledger
        if ledger is None:
            return
        told = sum(self._realised.values(), ZERO)
        same = abs(ledger.realised_total - told) < LAST_DIGITS
        self.must(same, f"the ledger has realised {ledger.realised_total}, all fills {told}")

    def _order(self, order: Order) -> None:
        before = self.disk.orders.get(order.client_id)
        self._orders_of[order.group_id][order.client_id] = order
        if before is None:
            return
        what = f"{order.slot} of {order.group_id}"
        self.must(order.filled_qty >= before.filled_qty, f"{what}: less is filled than before")
        self.must(set(before.trade_ids) <= set(order.trade_ids), f"{what}: a trade was forgotten")
        self.must(not before.cancel_requested or order.cancel_requested, f"{what}: a cancel was taken back")
        same = all(getattr(before, name) == getattr(order, name) for name in _FIXED)
        self.must(same, f"{what} has become another order")
        if before.status.is_final and order.status is not before.status:
            self.must((before.status, order.status) in _ENDS, f"{what}: {before.status} became {order.status}")
            self.must(order.filled_qty > before.filled_qty, f"{what} was over and is {order.status} without a fill")

    def _fill(self, applied: AppliedFill, changes: Changes) -> None:
        fill, order = applied.fill, applied.order
        key = (order.account, fill.trade_id)
        self.must(key not in self.booked, f"the trade {key} was booked twice")
        self.booked[key] = applied
        group = changes.groups.get(order.group_id) or self.disk.groups[order.group_id]
        is_entry = order.role is Role.ENTRY
        in_base = is_entry and fill.fee_currency == group.base
        self._net[group.id] += (fill.qty if is_entry else -fill.qty) - (fill.fee if in_base else ZERO)
        sign = 1 if order.side.value == "buy" else -1
        flow = -sign * fill.price * fill.qty * group.contract_size
        self._cash[group.id] += flow - (ZERO if in_base else applied.fee_quote)
        self._realised[group.id] += applied.realised
        if not is_entry:
            self._closed_legs[group.id].update(order.covers)
        elif (order.pyramid, order.leg) in self._closed_legs[group.id]:
            self._entered_again.add(group.id)
        if group.market_type is MarketType.SPOT:
            self._moved[order.account, group.base] += sign * fill.qty
            self._moved[order.account, group.quote] -= sign * fill.qty * fill.price
            self._moved[order.account, fill.fee_currency] -= fill.fee
        if not fill.trade_id.startswith(BY_HAND):
            real = self._trades.get(key)
            self.must(real is not None and fill_of(real) == fill, f"booked is {fill}, traded was {real}")

    def _books(self, process: Process, group: Group) -> None:
        before = self.disk.groups.get(group.id)
        if before is not None and before.status is GroupStatus.CLOSED:
            self.must(group == before, f"{group.id} was closed and has changed")
        elif before is not None and before.status is not group.status and group.status is not GroupStatus.CLOSED:
            self._transition(before, group)
        if before is not None:
            self.must(group.plans == before.plans, f"{group.id} has not kept the grid that it began with")
        self.must(group.net_qty == self._net[group.id], f"{group.id} holds {group.net_qty}, its fills otherwise")
        realised, held = pnl.realised(group), pnl.cost(group)
        told = self._realised[group.id]
        self.must(abs(realised - told) < LAST_DIGITS, f"{group.id} realised {realised}, its fills {told}")
        expected = self._cash[group.id] + group.side.sign * held
        agrees = abs(realised - expected) < LAST_DIGITS or group.id in self._entered_again
        self.must(agrees, f"{group.id} realised {realised}, its money says {expected}")
        if group.is_open:
            self.must(process.state.groups.get(group.id) is group, f"{group.id} is stored other than it is in memory")
        else:
            self.must(group.id not in process.state.groups, f"{group.id} is closed and takes a slot")
            working = [one.slot for one in self._orders_of[group.id].values() if one.is_working]
            self.must(not working, f"{group.id} is closed and has open orders: {working}")

    def _transition(self, before: Group, group: Group) -> None:
        """One transaction may take several steps; none leads back out of `closing`."""
        if before.status is GroupStatus.CLOSING:
            self.must(group.status is GroupStatus.CLOSING, f"{group.id} was closing and is {group.status}")
        elif group.status is GroupStatus.LIVE:
            check_transition(before, group)
