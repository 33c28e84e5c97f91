"""Accounting of SPEC §5.1: what is held, what it cost and what it has brought, from fills alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from exengine.domain.changed import changed, kept
from exengine.domain.group import Group, Leg
from exengine.domain.instrument import Side
from exengine.domain.money import HUNDRED, ZERO, arithmetic
from exengine.domain.order import Fill, LegRef, Order


def unit_cost(leg: Leg, side: Side, contract_size: Decimal) -> Decimal | None:
    """Quote per unit of base: what one unit really cost, fees in it (short: really brought). None before a fill."""
    units = (leg.entered_qty - leg.entry_fees_base) * contract_size
    if units <= 0:
        return None
    return (leg.entered_value + side.sign * leg.entry_fees_quote) / units


def leg_cost(leg: Leg, side: Side, contract_size: Decimal) -> Decimal:
    """unit_cost × net_qty of one leg, in quote: kept with it, and worked out in `money.arithmetic`, as `holding` is."""
    if not leg.net_qty:
        return ZERO
    name = "_cost_long" if side is Side.LONG else "_cost_short"
    return kept(leg, name, contract_size, _leg_cost, leg, side, contract_size)


def _leg_cost(leg: Leg, side: Side, contract_size: Decimal) -> Decimal:
    with arithmetic():
        cost = unit_cost(leg, side, contract_size)
        return ZERO if cost is None else cost * leg.net_qty * contract_size


class Holding(NamedTuple):
    """What a group holds, by its fills alone: the same for every price."""

    net_qty: Decimal
    cost: Decimal
    """Σ unit_cost × net_qty, in quote."""


def holding(group: Group) -> Holding:
    """The sums over a group's legs, kept with it: a group never changes, it is replaced.

    They are worked out in `money.arithmetic`, whatever the caller's own context is, so that who asked first changes
    nothing.
    """
    return kept(group, "_holding", None, _holding, group)


def _holding(group: Group) -> Holding:
    with arithmetic():
        cost = sum([leg_cost(leg, group.side, group.contract_size) for _, leg in group.legs() if leg.net_qty], ZERO)
        return Holding(net_qty=group.net_qty, cost=cost)


def cost(group: Group) -> Decimal:
    """Σ unit_cost × net_qty, in quote."""
    return holding(group).cost


def unrealised(group: Group, last: Decimal) -> Decimal:
    """Σ d × (last − unit_cost) × net_qty, in quote, no exit fee in it."""
    net_qty, spent = holding(group)
    return group.side.sign * (last * net_qty * group.contract_size - spent)


def realised(group: Group) -> Decimal:
    """What its closes have brought, net of all fees, in quote."""
    return sum((leg.realised for _, leg in group.legs()), ZERO)


def profit_percent(group: Group, last: Decimal) -> Decimal | None:
    """Unrealised PnL in per cent of the cost of what is open. None where nothing is."""
    spent = holding(group).cost
    return unrealised(group, last) / spent * HUNDRED if spent else None


def fees(group: Group) -> Decimal:
    """All fees in quote, those in base at their fill's price."""
    return sum((leg.fees for _, leg in group.legs()), ZERO)


def average_price(leg: Leg, contract_size: Decimal) -> Decimal | None:
    """The price alone at which a leg was entered. None before a fill."""
    return leg.entered_value / (leg.entered_qty * contract_size) if leg.entered_qty else None


def avg_entry(legs: Iterable[Leg], contract_size: Decimal) -> Decimal | None:
    """Σ fill price × net_qty / Σ net_qty; once nothing is held, of everything that was bought. None before a fill."""
    entered = [leg for leg in legs if leg.entered_qty]
    held = [leg for leg in entered if leg.net_qty > 0]
    if held:
        weights = [(leg.entered_value / leg.entered_qty, leg.net_qty) for leg in held]
        return sum((value * qty for value, qty in weights), ZERO) / sum((q for _, q in weights), ZERO) / contract_size
    return _avg_bought(entered, contract_size)


def _avg_bought(entered: list[Leg], contract_size: Decimal) -> Decimal | None:
    if not entered:
        return None
    bought = sum((leg.entered_qty for leg in entered), ZERO)
    return sum((leg.entered_value for leg in entered), ZERO) / bought / contract_size


def group_avg_entry(group: Group) -> Decimal | None:
    """avg_entry of the whole group; of a closed one, that of everything it bought."""
    entered = [leg for _, leg in group.legs() if leg.entered_qty]
    return (avg_entry if group.is_open else _avg_bought)(entered, group.contract_size)


_SHARE = Decimal("1e-24")


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """`amount` × part / whole, to 24 places, so that what is left of it stays an exact difference."""
    return (amount * part / whole).quantize(_SHARE)


def entered(group: Group, ref: LegRef, fill: Fill, fee_quote: Decimal) -> Group:
    """The group after an entry fill of a leg. `fee_quote` is the fee's worth in quote, also where it came off base."""
    leg = group.leg(ref)
    in_base = fill.fee_currency == group.base
    after = changed(
        leg,
        entered_qty=leg.entered_qty + fill.qty,
        entered_value=leg.entered_value + fill.price * fill.qty * group.contract_size,
        entry_fees_base=leg.entry_fees_base + (fill.fee if in_base else ZERO),
        entry_fees_quote=leg.entry_fees_quote + (ZERO if in_base else fee_quote),
        fees=leg.fees + fee_quote,
        first_fill_at_ms=fill.at_ms if leg.first_fill_at_ms is None else leg.first_fill_at_ms,
    )
    group = group.with_leg(ref, after)
    return group if group.has_filled else changed(group, first_fill_at_ms=fill.at_ms)


def cost_of(group: Group, takes: Iterable[tuple[LegRef, Decimal]]) -> Decimal:
    """What parts of legs have cost, in quote: Σ unit_cost × quantity."""
    total = ZERO
    for ref, qty in takes:
        unit = unit_cost(group.leg(ref), group.side, group.contract_size) or ZERO
        total += unit * qty * group.contract_size
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a closing fill made of a group."""

    group: Group
    realised: Decimal
    """What it added to the realised PnL, net of all fees."""
    price_gain: Decimal
    """The same from prices alone: what a swap account's wallet is credited before the fee."""


def closed(group: Group, order: Order, fill: Fill, fee_quote: Decimal) -> Closed:
    """The group after a closing fill of `order`, which is not yet in `order`'s own sums."""
    net, gain = ZERO, ZERO
    shares = _shares(group, order, fill.qty)
    left_fee = fee_quote
    for position, (ref, qty) in enumerate(shares, start=1):
        leg = group.leg(ref)
        fee = left_fee if position == len(shares) else _share(fee_quote, qty, fill.qty)
        left_fee -= fee
        unit = unit_cost(leg, group.side, group.contract_size) or ZERO
        average = average_price(leg, group.contract_size) or ZERO
        base = qty * group.contract_size * group.side.sign
        result = (fill.price - unit) * base - fee
        net, gain = net + result, gain + (fill.price - average) * base
        leg = changed(leg, closed_qty=leg.closed_qty + qty, realised=leg.realised + result, fees=leg.fees + fee)
        group = group.with_leg(ref, leg)
    return Closed(group=group, realised=net, price_gain=gain)


def _shares(group: Group, order: Order, qty: Decimal) -> list[tuple[LegRef, Decimal]]:
    """How `qty` is shared over the legs that `order` covers: as the order says, else pro rata to what each holds.

    What is more than the legs hold (the exchange filled more than was ordered) is the last leg's, whose net quantity
    then falls below zero and shows it.
    """
    shares: list[tuple[LegRef, Decimal]] = []
    left = qty
    if order.takes:
        before = order.filled_qty
        for ref, take in zip(order.covers, order.takes, strict=True):
            gone = min(take, before)
            before -= gone
            part = min(take - gone, left)
            left -= part
            if part:
                shares.append((ref, part))
    else:
        held = [ref for ref in order.covers if group.leg(ref).net_qty > 0]
        total = sum((group.leg(ref).net_qty for ref in held), ZERO)
        for ref in held:
            part = left if ref == held[-1] else min(_share(qty, group.leg(ref).net_qty, total), left)
            left -= part
            shares.append((ref, part))
    if left or not shares:
        last, part = shares.pop() if shares else (order.covers[-1], ZERO)
        shares.append((last, part + left))
    return shares
