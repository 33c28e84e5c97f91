"""A group's life after its entry: states told from orders and fills, targets kept, leaving, closing (SPEC §4, §5).

`settle` is idempotent: it looks at what is and brings it towards what should be. It runs after everything that
happens to a group, and after a restart; what was interrupted therefore simply goes on.
"""

from collections.abc import Mapping
from decimal import Decimal

from exengine.domain import pnl
from exengine.domain.changed import changed
from exengine.domain.group import AGAIN_MS, CloseReason, Group, GroupStatus, Leg, LegState
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.market_entry import try_again
from exengine.domain.money import ZERO, plain
from exengine.domain.order import LegRef, OrderStatus, OrderType, Role
from exengine.domain.orders_out import bound_price, place, withdraw
from exengine.domain.partial_close import RETRIES, carry_on
from exengine.domain.settings import SlippageAction, TakeProfitMode
from exengine.domain.step import Step
from exengine.domain.take_profit import keep_targets

_CLOSING_ROLE = {CloseReason.TP: Role.TP, CloseReason.STOP_LOSS: Role.STOP, CloseReason.RISK_OFFSET: Role.RISK}


def begin_closing(step: Step, group_id: str, reason: CloseReason, slippage_percent: Decimal | None = None) -> bool:
    """Starts the way out of a group; the first trigger wins (§4.2). False where it is already on its way."""
    group = step.group(group_id)
    if group.status in (GroupStatus.CLOSING, GroupStatus.CLOSED):
        return False
    group = changed(group, status=GroupStatus.CLOSING, reason=reason, again_at_ms=None)
    step.put_group(changed(group, close_slippage_percent=slippage_percent, close_cause=step.cause_of(group)))
    settle(step, group_id)
    return True


def cancel_entries(step: Step, group_id: str) -> int:
    """Withdraws the working entries of a group; how many."""
    entries = [
        order for order in step.state.working(group_id) if order.role is Role.ENTRY and not order.cancel_requested
    ]
    for order in entries:
        withdraw(step, order)
    return len(entries)


def settle(step: Step, group_id: str) -> None:
    """Brings a group towards what should be: its states, its targets, or its way out."""
    group = refreshed(step, group_id)
    if not group.is_open or group.frozen:
        return
    if group.status is not GroupStatus.CLOSING:
        group = try_again(step, group)
    if group.status is GroupStatus.CLOSING:
        _leave(step, group)
    elif not group.awaits_rules and group.has_replans:
        _place_anew(step, group)
        after = step.group(group_id)
        if after.partial is not None and not after.has_replans:
            settle(step, group_id)  # the part waited for that, and nothing else may happen to the group for long
    elif group.partial is not None:
        carry_on(step, group, group.partial)
        if step.group(group_id).partial is None:
            settle(step, group_id)
    elif not group.has_filled:
        if not step.state.working(group_id) and not group.awaits_rules:
            begin_closing(step, group_id, _never_filled(step, group_id))
    elif _is_done(step, group):
        begin_closing(step, group_id, _emptied_by(step, group_id))
    else:
        if group.plans[0].take_profit.mode is TakeProfitMode.PYRAMID:
            _drop_entries_of_done_pyramids(step, group)
        keep_targets(step, group_id)


def refreshed(step: Step, group_id: str) -> Group:
    """The group with the states of its legs and its own told anew from its orders and fills, written if they differ."""
    group = step.group(group_id)
    if not group.is_open:
        return group
    instrument, orders = step.state.instrument(group), step.state.orders
    entries = step.state.entries_of.get(group_id, _NONE)
    is_entry, is_target = Role.ENTRY, Role.TP
    working = step.state.working(group_id)
    targeted = {ref for order in working if order.role is is_target for ref in order.covers}
    legs: dict[LegRef, Leg] = {}
    for ref, leg in group.legs():
        client_id = entries.get(ref)
        if client_id is None:
            continue
        status = orders[client_id].status
        if not leg.entered_qty:
            state = _WITHOUT_FILLS[status]
        elif leg.closed_qty and 0 <= leg.net_qty < instrument.step_size:
            state = LegState.CLOSED
        elif not status.is_final:
            state = LegState.PARTIALLY_FILLED
        else:
            state = LegState.TP_PLACED if ref in targeted else LegState.FILLED
        if state is not leg.state:
            legs[ref] = changed(leg, state=state)
    after = group.with_legs(legs) if legs else group
    if after.status is not GroupStatus.CLOSING:
        now = GroupStatus.LIVE
        if after.has_filled:
            entries_working = any(order.role is is_entry for order in working)
            now = GroupStatus.PARTIALLY_FILLED if entries_working else GroupStatus.ACTIVE
        if now is not after.status:
            after = changed(after, status=now)
    after = _timed(after, step.now_ms)
    if after is not group:
        step.put_group(after)
    return after


_NONE: Mapping[LegRef, str] = {}
_UNSENT = frozenset({LegState.PLANNED, LegState.SUBMITTED})
_UNFILLED = _UNSENT | {LegState.OPEN, LegState.PARTIALLY_FILLED}


def _timed(group: Group, now_ms: int) -> Group:
    """The group with the moments that the risk timer may start from (§8)."""
    if len(group.pyramids) < group.max_pyramids or (group.submitted_at_ms and group.filled_at_ms):
        return group
    states = {leg.state for _, leg in group.legs()}
    submitted = states.isdisjoint(_UNSENT)
    filled = group.has_filled and states.isdisjoint(_UNFILLED)
    if submitted and group.submitted_at_ms is None:
        group = changed(group, submitted_at_ms=now_ms)
    if filled and group.filled_at_ms is None:
        group = changed(group, filled_at_ms=now_ms)
    return group


_WITHOUT_FILLS = {
    OrderStatus.CREATED: LegState.SUBMITTED,
    OrderStatus.SENT: LegState.SUBMITTED,
    OrderStatus.UNKNOWN: LegState.SUBMITTED,
    OrderStatus.OPEN: LegState.OPEN,
    OrderStatus.PARTIALLY_FILLED: LegState.OPEN,
    OrderStatus.FILLED: LegState.OPEN,
    OrderStatus.CANCELLED: LegState.CANCELLED,
    OrderStatus.EXPIRED: LegState.CANCELLED,
    OrderStatus.REJECTED: LegState.REJECTED,
}


def _place_anew(step: Step, group: Group) -> None:
    """Places the legs that were planned anew and whose old orders are gone; targets are kept all the while."""
    working = {
        (order.pyramid or 0, order.leg or 0) for order in step.state.working(group.id) if order.role is Role.ENTRY
    }
    for ref, leg in group.legs():
        if leg.replan and ref not in working:
            step.put_group(step.group(group.id).with_leg(ref, changed(leg, replan=False)))
            if not leg.entered_qty:
                _place_leg(step, group, ref, leg)
    if group.partial is None:
        keep_targets(step, group.id)
    refreshed(step, group.id)


def _place_leg(step: Step, group: Group, ref: LegRef, leg: Leg) -> None:
    pyramid = group.pyramids[ref[0]]
    bound = None
    if leg.market:
        reference = step.state.last(group.key.account, group.key.symbol) or pyramid.base_price
        percent = pyramid.slippage_percent
        percent = step.state.settings.execution.max_slippage_percent if percent is None else percent
        bound = bound_price(group, group.side.entry, reference, percent, step, leg.qty)
    place(
        step,
        group.id,
        role=Role.ENTRY,
        qty=leg.qty,
        price=None if leg.market else leg.price,
        bound=bound,
        ref=ref,
        post_only=group.plans[ref[0]].grid.post_only and not leg.market,
        signal_id=pyramid.signal_id,
    )


def _never_filled(step: Step, group_id: str) -> CloseReason:
    refused = all(order.status is OrderStatus.REJECTED for order in step.state.orders_for(group_id))
    return CloseReason.ENTRY_FAILED if refused else CloseReason.CANCELLED


def _emptied_by(step: Step, group_id: str) -> CloseReason:
    """What closed the last of a group that nothing is left to sell of: an offset or a reduction as well as a target."""
    orders = [one for one in step.state.orders_for(group_id) if one.role is not Role.ENTRY and one.filled_qty]
    reasons = {Role.RISK: CloseReason.RISK_OFFSET, Role.CLOSE: CloseReason.EXIT, Role.STOP: CloseReason.STOP_LOSS}
    return reasons.get(orders[-1].role, CloseReason.TP) if orders else CloseReason.TP


def _is_done(step: Step, group: Group) -> bool:
    """Whether everything that has filled was closed, so that the group may go (`close_when_flat`, §4.1)."""
    if any(order.role is not Role.ENTRY for order in step.state.working(group.id)):
        return False
    entries_working = group.status is GroupStatus.PARTIALLY_FILLED
    if entries_working and not any(leg.closed_qty for _, leg in group.legs()):
        return False
    if any(leg.state is LegState.PARTIALLY_FILLED for _, leg in group.legs()):
        return False
    instrument = step.state.instrument(group)
    last = step.state.last(group.key.account, group.key.symbol)
    qty = group.sellable_qty(instrument)
    if qty and not (last is not None and instrument.is_below_minimum(last, qty)):
        return False
    settings = group.plans[0].take_profit
    return settings.close_when_flat or settings.mode is TakeProfitMode.AGGREGATE or not entries_working


def _drop_entries_of_done_pyramids(step: Step, group: Group) -> None:
    instrument = step.state.instrument(group)
    for pyramid in group.pyramids:
        closed = any(leg.closed_qty for leg in pyramid.legs)
        if closed and not any(instrument.qty_floor(leg.net_qty) for leg in pyramid.legs):
            for order in step.state.working(group.id):
                if order.role is Role.ENTRY and order.pyramid == pyramid.index:
                    withdraw(step, order)


def _leave(step: Step, group: Group) -> None:
    """One move of the way out: cancel what works, then close what is held, then be closed (§4.2)."""
    working = step.state.working(group.id)
    closers = [order for order in working if order.type is OrderType.MARKET and order.role is not Role.ENTRY]
    for order in working:
        if order not in closers:
            withdraw(step, order)
    if step.state.working(group.id):
        return
    instrument = step.state.instrument(group)
    qty = group.sellable_qty(instrument)
    if group.short_of_coins and group.market_type is MarketType.SPOT:
        there = step.state.balance(group.key.account, group.base)
        qty = min(qty, instrument.qty_floor(max(there, ZERO)))
    last = step.state.fresh(group.key.account, group.key.symbol, step.now_ms)
    if not qty:
        _finish(step, group)
        return
    if last is None or group.again_at_ms is not None or group.awaits_rules:
        return  # the rules, the next price, or the time to try again, brings it on
    if instrument.is_below_minimum(last, qty):
        _finish(step, group)
        return
    _send_close(step, group, instrument, qty, last)


def _send_close(step: Step, group: Group, instrument: Instrument, qty: Decimal, last: Decimal) -> None:
    sent = [one for one in step.state.orders_for(group.id) if one.role is not Role.ENTRY and one.price is None]
    if group.close_attempts and sent and sent[-1].status is OrderStatus.REJECTED:
        _freeze(step, group, f"the exchange refused to close it: {sent[-1].error}")
        return
    if sent and sent[-1].status is OrderStatus.FILLED:
        # A piece as large as the exchange takes went whole: the next one has tries of its own.
        group = changed(group, close_attempts=0)
    execution = step.state.settings.execution
    bound: Decimal | None = None
    if group.close_attempts <= RETRIES:
        percent = group.close_slippage_percent
        percent = execution.max_slippage_percent if percent is None else percent
        bound = bound_price(group, group.side.leave, last, percent, step, qty)
    elif group.reason in (CloseReason.TP, CloseReason.RISK_OFFSET):
        _try_again_later(step, group)
        return
    elif execution.slippage_action is SlippageAction.HOLD:
        _freeze(step, group, "the market is beyond the slippage bound, and slippage_action is hold")
        return
    elif group.close_attempts == RETRIES + 1:
        step.note(
            Severity.WARNING,
            Category.ORDER,
            f"Closing at any price: the market stayed beyond the slippage bound for {RETRIES + 1} orders.",
            group=group,
        )
    else:
        _try_again_later(step, group)
        return
    if instrument.max_qty is not None:
        qty = min(qty, instrument.qty_floor(instrument.max_qty))
    assert group.reason is not None
    step.put_group(changed(group, close_attempts=group.close_attempts + 1))
    place(
        step,
        group.id,
        role=_CLOSING_ROLE.get(group.reason, Role.CLOSE),
        qty=qty,
        bound=bound,
        covers=tuple(ref for ref, leg in group.legs() if leg.net_qty > 0),
        cause=group.close_cause,
    )


def _try_again_later(step: Step, group: Group) -> None:
    step.put_group(changed(group, again_at_ms=step.now_ms + AGAIN_MS))
    step.note(
        Severity.WARNING,
        Category.ORDER,
        f"Not closed yet: the market stayed beyond the slippage bound for {RETRIES + 1} orders.",
        group=group,
        advice="It is tried again in 10 seconds. Close the group by hand to take any price.",
    )


def _freeze(step: Step, group: Group, why: str) -> None:
    step.put_group(step.fail(changed(group, frozen=why), why))
    step.note(
        Severity.ERROR,
        Category.ORDER,
        f"Not closed: {why}.",
        group=group,
        advice=f"{plain(group.net_qty)} {group.base} are still held. Close the group again, or sell by hand.",
        topic=Topic.FROZEN,
    )


def _finish(step: Step, group: Group) -> None:
    """Closed: the slot is free in this very step. A group that never filled was cancelled, whatever made it leave."""
    reason = group.reason
    if not group.has_filled and reason is not CloseReason.ENTRY_FAILED:
        reason = CloseReason.CANCELLED
    group = changed(group, status=GroupStatus.CLOSED, reason=reason, closed_at_ms=step.now_ms)
    step.put_group(group)
    step.freed.append(group.key)
    assert reason is not None
    words = {
        CloseReason.TP: "target reached",
        CloseReason.CANCELLED: "nothing had filled",
        CloseReason.ENTRY_FAILED: "every entry was refused",
    }
    result = pnl.realised(group)
    text = f"Closed: {words.get(reason, reason.value.replace('_', ' '))}."
    if group.has_filled:
        text += f" Result {plain(result.quantize(Decimal('1e-8')))} {group.quote} after fees."
    if group.net_qty > 0:
        gone = "were no longer in the account" if group.short_of_coins else "of dust stay in the account"
        text += f" {plain(group.net_qty)} {group.base} {gone}."
    step.note(Severity.INFO, Category.ORDER, text, group=group, topic=Topic.GROUP_CLOSED)
