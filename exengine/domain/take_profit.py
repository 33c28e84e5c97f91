"""Targets: what should rest on the exchange for what is held, and bringing what rests there in line with it (§4.1)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import assert_never

from exengine.domain import pnl
from exengine.domain.changed import changed, kept
from exengine.domain.group import Group, Leg, LegState, Pyramid
from exengine.domain.instrument import Instrument, Side
from exengine.domain.money import HUNDRED, ZERO
from exengine.domain.order import LegRef, Order, OrderStatus, Role
from exengine.domain.orders_out import place, withdraw
from exengine.domain.settings import TakeProfitMode, TargetOrder
from exengine.domain.state import State
from exengine.domain.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One order that should rest: of a leg, a pyramid, or (both None) the whole group."""

    pyramid: int | None
    leg: int | None
    price: Decimal
    qty: Decimal
    covers: tuple[LegRef, ...]


def target_price(instrument: Instrument, side: Side, average: Decimal, percent: Decimal) -> Decimal:
    """avg × (1 + d × tp / 100), long up to the tick, short down."""
    return instrument.target_price(from_average(average, side.sign * percent), side)


def from_average(average: Decimal, percent: Decimal) -> Decimal:
    """`average` moved by `percent`.

    An average is a quotient whose last digits were rounded: without a second look 66.66…67 × 1.05 would lie above 70
    and cost a tick. Eighteen digits tell every price apart.
    """
    return _PRICE_DIGITS.plus(average * (1 + percent / HUNDRED))


_PRICE_DIGITS = Context(prec=18, rounding=ROUND_HALF_EVEN)


def leg_target(group: Group, leg: Leg, instrument: Instrument) -> Decimal | None:
    """Where a filled leg leaves, from its actual average fill price. None before its first fill."""
    average = pnl.average_price(leg, group.contract_size)
    return None if average is None else target_price(instrument, group.side, average, leg.tp_percent)


def aggregate_target(group: Group, instrument: Instrument) -> Decimal | None:
    """The whole group's target: the signal's own, on the tick, else from the average of what is held."""
    if group.target_price is not None:
        return instrument.target_price(group.target_price, group.side)
    average = pnl.avg_entry((leg for _, leg in group.legs()), group.contract_size)
    if average is None or group.net_qty <= 0:
        return None
    return target_price(instrument, group.side, average, group.plans[0].take_profit.percent)


def wanted(state: State, group: Group) -> list[Target]:
    """The target orders that should rest for `group` now.

    What is too small to be sold by the market rules gets none: it waits for more, or goes with the last close. Where
    a single target is left, it takes the dust of the other legs along as soon as that makes a step.
    """
    settings = group.plans[0].take_profit
    if settings.order is TargetOrder.MARKET or settings.trailing_percent is not None:
        return []
    return targets(state, group)


def targets(state: State, group: Group) -> list[Target]:
    """The targets of what is held, by the mode, whether they rest on the exchange or are watched."""
    instrument, mode = state.instrument(group), group.plans[0].take_profit.mode
    match mode:
        case TakeProfitMode.LEG | TakeProfitMode.HYBRID:
            found = _leg_targets(group, instrument)
        case TakeProfitMode.PYRAMID:
            found = _pyramid_targets(group, instrument)
        case TakeProfitMode.AGGREGATE:
            return _group_target(group, instrument)
        case _:
            assert_never(mode)
    if not found:
        return _crumbs(group, instrument)
    return [_with_dust(group, instrument, found[0])] if len(found) == 1 else found


def _sellable(instrument: Instrument, price: Decimal, qty: Decimal) -> Decimal:
    """`qty` down to the step and the exchange's maximum; 0 where it is below a minimum."""
    floored = instrument.qty_floor(max(qty, ZERO))
    if instrument.max_qty is not None:
        floored = min(floored, instrument.qty_floor(instrument.max_qty))
    return ZERO if instrument.is_below_minimum(price, floored) else floored


def _leg_targets(group: Group, instrument: Instrument) -> list[Target]:
    return [
        target
        for pyramid in group.pyramids
        for target in kept(pyramid, "_targets", instrument, _targets_of_legs, group, pyramid, instrument)
    ]


def _targets_of_legs(group: Group, pyramid: Pyramid, instrument: Instrument) -> list[Target]:
    found = [
        kept(leg, "_target", instrument, _leg_target, group, pyramid.index, leg, instrument)
        for leg in pyramid.legs
        if leg.net_qty > 0
    ]
    return [target for target in found if target is not None]


def _leg_target(group: Group, pyramid: int, leg: Leg, instrument: Instrument) -> Target | None:
    price = leg_target(group, leg, instrument)
    qty = ZERO if price is None else _sellable(instrument, price, leg.net_qty)
    if price is None or not qty:
        return None
    return Target(pyramid=pyramid, leg=leg.index, price=price, qty=qty, covers=((pyramid, leg.index),))


def _pyramid_targets(group: Group, instrument: Instrument) -> list[Target]:
    targets = []
    for pyramid in group.pyramids:
        average = pnl.avg_entry(pyramid.legs, group.contract_size)
        held = tuple((pyramid.index, leg.index) for leg in pyramid.legs if leg.net_qty > 0)
        if average is None or not held:
            continue
        percent = group.plans[pyramid.index].take_profit.percent
        price = target_price(instrument, group.side, average, percent)
        qty = _sellable(instrument, price, sum((group.leg(ref).net_qty for ref in held), ZERO))
        if qty:
            targets.append(Target(pyramid=pyramid.index, leg=None, price=price, qty=qty, covers=held))
    return targets


def _group_target(group: Group, instrument: Instrument) -> list[Target]:
    price = aggregate_target(group, instrument)
    qty = _sellable(instrument, price, group.net_qty) if price is not None else ZERO
    if price is None or not qty:
        return []
    held = tuple(ref for ref, leg in group.legs() if leg.net_qty > 0)
    return [Target(pyramid=None, leg=None, price=price, qty=qty, covers=held)]


def _crumbs(group: Group, instrument: Instrument) -> list[Target]:
    """What is held of several legs, each too small to leave alone: together, by the farthest of their targets."""
    held = [(ref, leg_target(group, leg, instrument)) for ref, leg in group.legs() if leg.net_qty > 0]
    prices = {ref: price for ref, price in held if price is not None}
    if not prices or any(group.leg(ref).state is LegState.PARTIALLY_FILLED for ref in prices):
        return []
    farthest = max(prices, key=lambda ref: (prices[ref] * group.side.sign, ref))
    alone = Target(pyramid=farthest[0], leg=farthest[1], price=prices[farthest], qty=ZERO, covers=(farthest,))
    together = _with_dust(group, instrument, alone)
    return [together] if together.qty else []


def _with_dust(group: Group, instrument: Instrument, target: Target) -> Target:
    """The last target, with the dust of legs that have nothing else to leave by."""
    others = tuple(
        ref
        for ref, leg in group.legs()
        if ref not in target.covers and leg.net_qty > 0 and leg.state is not LegState.PARTIALLY_FILLED
    )
    covers = (*target.covers, *others)
    qty = _sellable(instrument, target.price, sum((group.leg(ref).net_qty for ref in covers), ZERO))
    if qty <= target.qty:
        return target
    return Target(pyramid=target.pyramid, leg=target.leg, price=target.price, qty=qty, covers=tuple(sorted(covers)))


def keep_targets(step: Step, group_id: str) -> None:
    """Brings the resting targets in line with what is wanted: places what lacks, withdraws what is wrong.

    What is wrong is replaced only when the exchange has confirmed that it is gone, so that there is never more than
    one open target for a leg.
    """
    state = step.state
    group = step.group(group_id)
    want = {(target.pyramid, target.leg): target for target in wanted(state, group)}
    wrong: list[Order] = []
    busy: set[LegRef] = set()
    for order in state.working(group_id):
        if order.role is Role.ENTRY:
            continue
        busy.update(order.covers)
        if order.role is Role.TP and order.price is not None:
            target = want.get((order.pyramid, order.leg))
            if not (target and order.price == target.price and order.leaves_qty == target.qty):
                wrong.append(order)
    for order in wrong:
        withdraw(step, order)
    if group.awaits_rules:
        return
    lacking = [target for target in want.values() if busy.isdisjoint(target.covers)]
    gone = [order for order in state.orders_for(group_id) if order.status in _GONE] if lacking else []
    for target in lacking:
        if not _was_sent_in_vain(group, target, gone):
            filled = [(ref, leg) for ref in target.covers if (leg := group.leg(ref)).state is LegState.FILLED]
            place(
                step,
                group_id,
                role=Role.TP,
                qty=target.qty,
                price=target.price,
                ref=(target.pyramid, target.leg) if target.pyramid is not None and target.leg is not None else None,
                pyramid=target.pyramid,
                covers=target.covers,
                legs={ref: changed(leg, state=LegState.TP_PLACED) for ref, leg in filled},
                signal_id=None if target.pyramid is None else group.pyramids[target.pyramid].signal_id,
            )


_GONE = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED})


def _is_gone(order: Order) -> bool:
    """Whether an order that ended unfilled is a target that was refused, or that somebody else has taken off."""
    if order.role is not Role.TP or order.price is None:
        return False
    return order.status is OrderStatus.REJECTED or not order.cancel_requested


def _was_sent_in_vain(group: Group, target: Target, gone: list[Order]) -> bool:
    """What was refused, or cancelled by the trader on the exchange, is not sent again as it was (FAULTS 44).

    It was told, and stands in the group's errors. What the market rules were to blame for is made once more.
    """
    here = [one for one in gone if (one.pyramid, one.leg) == (target.pyramid, target.leg) and _is_gone(one)]
    if not any((order.price, order.qty) == (target.price, target.qty) for order in here):
        return False
    return len(here) > 1 or here[0].slot not in group.made_again
