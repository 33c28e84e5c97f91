"""A market entry that the market did not fill within its bound: again at a fresh reference, then not at all (§4.3)."""

from dataclasses import replace

from exengine.domain.group import Group
from exengine.domain.journal import Category, Severity
from exengine.domain.order import LegRef, Order, OrderStatus, OrderType, Role
from exengine.domain.orders_out import bound_price, place, withdraw
from exengine.domain.partial_close import RETRIES
from exengine.domain.step import Step


def try_again(step: Step, group: Group) -> Group:
    """Sends what is left of market legs again, up to three times; gives a pyramid up whose market leg never filled."""
    for pyramid in group.pyramids:
        if not pyramid.enters_at_market:
            continue
        for leg in pyramid.legs:
            if leg.market and leg.error is None:
                _leg(step, group.id, (pyramid.index, leg.index))
    return step.group(group.id)


def _leg(step: Step, group_id: str, ref: LegRef) -> None:
    group = step.group(group_id)
    leg, pyramid = group.leg(ref), group.pyramids[ref[0]]
    sent = [one for one in step.state.orders_for(group_id) if _is_of(one, ref)]
    last = step.state.last(group.key.account, group.key.symbol)
    if not sent or last is None or not _ran_out(sent[-1]):
        return
    rest = leg.qty - leg.entered_qty
    if step.state.instrument(group).is_below_minimum(last, rest):
        return
    if len(sent) <= RETRIES:
        percent = pyramid.slippage_percent
        percent = step.state.settings.execution.max_slippage_percent if percent is None else percent
        bound = bound_price(group, group.side.entry, last, percent, step, rest)
        place(step, group_id, role=Role.ENTRY, qty=rest, bound=bound, ref=ref, signal_id=pyramid.signal_id)
        return
    _give_up(step, group, ref)


def _is_of(order: Order, ref: LegRef) -> bool:
    return order.role is Role.ENTRY and order.type is OrderType.MARKET and (order.pyramid, order.leg) == ref


def _ran_out(order: Order) -> bool:
    """Whether the exchange took the rest of an IOC order off; some call that cancelled."""
    return order.status in (OrderStatus.EXPIRED, OrderStatus.CANCELLED) and not order.cancel_requested


def _give_up(step: Step, group: Group, ref: LegRef) -> None:
    """The rest of a market leg is not bought; where nothing of it was, the pyramid's other legs go too."""
    leg = group.leg(ref)
    step.put_group(group.with_leg(ref, replace(leg, error="slippage")))
    step.note(
        Severity.ERROR,
        Category.ORDER,
        f"Pyramid {ref[0] + 1} was not entered{' in full' if leg.entered_qty else ''}:"
        f" the market stayed beyond the slippage bound for {RETRIES + 1} orders.",
        group=step.group(group.id),
        signal_id=group.pyramids[ref[0]].signal_id,
        advice="Raise the bound (Settings, Execution: Max slippage) or enter by limit orders; then send it again.",
    )
    if leg.entered_qty:
        return
    for order in step.state.working(group.id):
        if order.role is Role.ENTRY and order.pyramid == ref[0]:
            withdraw(step, order)
