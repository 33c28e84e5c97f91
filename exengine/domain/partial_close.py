"""Closing part of a group at market while it lives on: reductions, closes of a part, offsets (SPEC §2.2, §8).

The resting targets are taken away first, so that nothing is sold twice, and laid again with what is left.
"""

from dataclasses import replace
from decimal import Decimal

from exengine.domain.group import AGAIN_MS, Group, PartialClose
from exengine.domain.instrument import Instrument
from exengine.domain.journal import Category, Severity
from exengine.domain.money import ZERO, plain
from exengine.domain.order import LegRef, OrderStatus, Role
from exengine.domain.orders_out import bound_price, place, withdraw
from exengine.domain.settings import SlippageAction
from exengine.domain.step import Step

RETRIES = 3
"""How often a market close is sent again at a fresh reference before `slippage_action` decides (§4.3)."""


def takes_in_order_of_fills(group: Group, qty: Decimal) -> tuple[tuple[LegRef, Decimal], ...]:
    """How a reduction of `qty` is shared: whole legs in the order of their first fills, the last one in part."""
    held = [(leg.first_fill_at_ms or 0, ref, leg.net_qty) for ref, leg in group.legs() if leg.net_qty > 0]
    takes, left = [], qty
    for _, ref, net in sorted(held):
        if left > 0:
            takes.append((ref, min(net, left)))
            left -= min(net, left)
    return tuple(takes)


def reducible_qty(group: Group, instrument: Instrument, qty: Decimal, last: Decimal | None) -> Decimal:
    """`qty` down to the step, no more than is held; 0 where that is below the exchange's minimum."""
    floored = instrument.qty_floor(min(qty, group.net_qty))
    price = last if last is not None else ZERO
    return ZERO if floored <= 0 or instrument.is_below_minimum(price, floored) else floored


def after_partial(step: Step, group: Group) -> Group:
    """The group as it will be once the partial close that is under way has taken all that it is to take."""
    partial = group.partial
    if partial is None:
        return group
    done = ZERO if partial.client_id is None else step.state.orders[partial.client_id].filled_qty
    for ref, qty in _rest(partial.takes, done):
        leg = group.leg(ref)
        group = group.with_leg(ref, replace(leg, closed_qty=leg.closed_qty + min(qty, leg.net_qty)))
    return group


def grown(partial: PartialClose, more: PartialClose) -> PartialClose:
    """A reduction under way that takes what a further one asked for too, in orders to come."""
    return replace(partial, qty=partial.qty + more.qty, takes=(*partial.takes, *more.takes), cause=more.cause)


def take_part(
    step: Step, group: Group, qty: Decimal, *, slippage_percent: Decimal | None = None, cause: str = ""
) -> Group:
    """The group with `qty` of it to be closed at market, after what is being closed already; it is to be settled."""
    partial = PartialClose(
        role=Role.CLOSE,
        qty=qty,
        takes=takes_in_order_of_fills(after_partial(step, group), qty),
        slippage_percent=slippage_percent,
        cause=cause or step.cause_of(group),
    )
    if group.partial is not None:
        # An order is still on its way, also where it is a target's or an offset's: what is asked now goes after it.
        partial = grown(group.partial, partial)
    group = replace(group, partial=partial)
    step.put_group(group)
    return group


def carry_on(step: Step, group: Group, partial: PartialClose) -> None:
    """One move of a partial close: targets away, the order out, and again with what an IOC left over."""
    working = [order for order in step.state.working(group.id) if order.role is not Role.ENTRY]
    for order in working:
        if order.client_id != partial.client_id:
            withdraw(step, order)
    if [order for order in step.state.working(group.id) if order.role is not Role.ENTRY]:
        return
    if _waits_for_a_better_market(step, group, partial) or group.awaits_rules:
        return
    before = None if partial.client_id is None else step.state.orders[partial.client_id]
    done = ZERO if before is None else before.filled_qty
    if before is not None and before.status is OrderStatus.FILLED:
        # A piece as large as the exchange takes went whole: the next one has tries of its own.
        partial = replace(partial, attempts=0)
    instrument = step.state.instrument(group)
    takes = _held(_rest(partial.takes, done), group)
    left = instrument.qty_floor(min(partial.qty - done, sum((qty for _, qty in takes), ZERO)))
    last = step.state.fresh(group.key.account, group.key.symbol, step.now_ms)
    if left > 0 and last is None:
        return  # the next price brings it on
    if left <= 0 or last is None or instrument.is_below_minimum(last, left):
        step.put_group(replace(group, partial=None))
        return
    if not _may_try(step, group, partial):
        return
    piece = left if instrument.max_qty is None else min(left, instrument.qty_floor(instrument.max_qty))
    now = _first(takes, piece)
    order = place(
        step,
        group.id,
        role=partial.role,
        qty=piece,
        bound=_bound(step, group, partial, last, piece),
        covers=tuple(ref for ref, _ in now),
        takes=tuple(qty for _, qty in now),
        cause=partial.cause,
    )
    group = replace(step.group(group.id), again_at_ms=None)
    newer = replace(partial, client_id=order.client_id, qty=left, takes=takes, attempts=partial.attempts + 1)
    step.put_group(replace(group, partial=newer))


def _bound(step: Step, group: Group, partial: PartialClose, last: Decimal, qty: Decimal) -> Decimal | None:
    """The worst price of the next order; None = any, once the tries within the bound are used up."""
    if partial.attempts > RETRIES:
        return None
    percent = partial.slippage_percent
    percent = step.state.settings.execution.max_slippage_percent if percent is None else percent
    return bound_price(group, group.side.leave, last, percent, step, qty)


def _may_try(step: Step, group: Group, partial: PartialClose) -> bool:
    """Whether another order goes out. Where not, the part stays open and the group lives on with its targets.

    Reductions are forced in the end where `slippage_action` says so; watched targets and offsets come again in a while.
    """
    refused = partial.client_id and step.state.orders[partial.client_id].status is OrderStatus.REJECTED
    if partial.attempts <= RETRIES and not refused:
        return True
    forced = step.state.settings.execution.slippage_action is SlippageAction.FORCE
    if partial.role is Role.CLOSE and forced and partial.attempts == RETRIES + 1 and not refused:
        step.note(
            Severity.WARNING,
            Category.ORDER,
            f"Closing a part at any price: the market stayed beyond the slippage bound for {RETRIES + 1} orders.",
            group=group,
        )
        return True
    again_at_ms = step.now_ms + AGAIN_MS
    if partial.role in (Role.TP, Role.RISK) and not refused:
        # Part of an offset is not given up, for its other parts were closed for it; a target may be touched again.
        kept = replace(partial, attempts=0) if partial.role is Role.RISK else None
        step.put_group(replace(group, partial=kept, again_at_ms=again_at_ms))
        step.note(
            Severity.WARNING,
            Category.ORDER,
            f"{plain(partial.qty)} {group.base} not closed yet: the market stayed beyond the slippage bound.",
            group=group,
            advice=f"It is tried again in {AGAIN_MS // 1000} seconds. Close the group by hand to take any price.",
        )
        return False
    group = replace(group, partial=None, again_at_ms=again_at_ms if partial.role is Role.RISK else None)
    if partial.role is Role.TP:
        group = replace(group, frozen="the exchange refused to close what has reached its target")
    step.put_group(group)
    step.note(
        Severity.ERROR,
        Category.ORDER,
        f"A part of {plain(partial.qty)} {group.base} was not closed: beyond the slippage bound, or refused.",
        group=group,
        advice="The group lives on and its targets rest again. Close the part again when the market allows it.",
    )
    return False


def _waits_for_a_better_market(step: Step, group: Group, partial: PartialClose) -> bool:
    return partial.role is Role.RISK and group.rests(step.now_ms)


def _held(takes: tuple[tuple[LegRef, Decimal], ...], group: Group) -> tuple[tuple[LegRef, Decimal], ...]:
    """No more of each leg than it still holds: a target may have filled while it was being cancelled.

    A leg may be among the takes more than once, where a further reduction was asked for before the first was done.
    """
    taken: dict[LegRef, Decimal] = {}
    held = []
    for ref, asked in takes:
        before = taken.get(ref, ZERO)
        qty = min(asked, group.leg(ref).net_qty - before)
        if qty > 0:
            taken[ref] = before + qty
            held.append((ref, qty))
    return tuple(held)


def _first(takes: tuple[tuple[LegRef, Decimal], ...], qty: Decimal) -> tuple[tuple[LegRef, Decimal], ...]:
    """The first `qty` of what is to be taken."""
    first = []
    for ref, take in takes:
        if qty > 0:
            first.append((ref, min(take, qty)))
            qty -= min(take, qty)
    return tuple(first)


def _rest(takes: tuple[tuple[LegRef, Decimal], ...], done: Decimal) -> tuple[tuple[LegRef, Decimal], ...]:
    """What is still to be taken of each leg after `done`, taken in order."""
    rest = []
    for ref, qty in takes:
        gone = min(qty, done)
        done -= gone
        if qty > gone:
            rest.append((ref, qty - gone))
    return tuple(rest)
