"""The ladder: prices and quantities of a pyramid's DCA legs (SPEC §3.1)."""

from dataclasses import dataclass
from decimal import Decimal

from exengine.domain.changed import changed
from exengine.domain.group import Leg, LegState
from exengine.domain.instrument import Instrument, Side
from exengine.domain.money import HUNDRED, ZERO, plain
from exengine.domain.settings import BelowMinimum, EntryOrder, GapReference, GridSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The legs of a pyramid, blocked ones included, and what is worth telling about them."""

    legs: tuple[Leg, ...]
    warnings: tuple[str, ...] = ()
    reject: bool = False
    """Whether a leg below the minimum rejects the whole pyramid, by `on_below_minimum` or since all are blocked."""

    def needed_quote(self, contract_size: Decimal, last: Decimal | None) -> Decimal:
        """Σ quantity × order price, a market leg at the last price."""
        total = ZERO
        for leg in self.legs:
            price = last if leg.market and last is not None else leg.price
            total += leg.qty * price * contract_size
        return total


def plan_ladder(
    *,
    grid: GridSettings,
    instrument: Instrument,
    side: Side,
    signal_price: Decimal,
    group_base: Decimal,
    capital: Decimal,
    last: Decimal | None,
) -> Ladder:
    """The ladder of one pyramid.

    `group_base` is pyramid 0's base price, used where `gap_reference` is `group`. `last` prices the quantity of a
    market entry; before a symbol's first price its limit price does.

        price_i = round(B × (1 + d × gap_i / 100))           long: down to the tick; short: up
        qty_i   = floor_step(C × weight_i / 100 / (price_i × contract_size))
    """
    legs, warnings = [], []
    for index, spec in enumerate(grid.legs):
        price = instrument.entry_price(_planned(grid, index, side, signal_price, group_base), side)
        market = index == 0 and grid.entry_order is EntryOrder.MARKET
        worth = last if market and last is not None else price
        leg = Leg(
            index=index,
            gap_percent=spec.gap_percent,
            weight_percent=spec.weight_percent,
            tp_percent=spec.tp_percent,
            price=price,
            qty=ZERO,
            market=market,
        )
        leg, warning = _sized(leg, grid, instrument, capital * spec.weight_percent / HUNDRED, worth)
        legs.append(leg)
        if warning:
            warnings.append(f"DCA{index}: {warning}")
    blocked = [leg for leg in legs if leg.state is LegState.BLOCKED]
    refuses = bool(blocked) and grid.on_below_minimum is BelowMinimum.REJECT
    return Ladder(legs=tuple(legs), warnings=tuple(warnings), reject=refuses or len(blocked) == len(legs))


def _planned(grid: GridSettings, index: int, side: Side, signal_price: Decimal, group_base: Decimal) -> Decimal:
    """A leg's price before rounding. With gaps from the group's first base, leg 0 keeps the signal's price."""
    factor = 1 + side.sign * grid.legs[index].gap_percent / HUNDRED
    if grid.gap_reference is GapReference.PYRAMID:
        return signal_price * factor
    return group_base * factor if index else signal_price


def _sized(
    leg: Leg, grid: GridSettings, instrument: Instrument, quote: Decimal, price: Decimal
) -> tuple[Leg, str | None]:
    """`leg` with its quantity for `quote` at `price`, and a warning where the market rules had a say in it."""
    if leg.price <= 0 or price <= 0:
        text = f"its price of {plain(leg.price)} is below one tick"
        return changed(leg, state=LegState.BLOCKED, error=text), text
    qty = instrument.qty_floor(quote / (price * instrument.contract_size))
    warning = None
    if instrument.is_below_minimum(price, qty):
        least = instrument.smallest_qty(price)
        text = (
            f"{plain(qty)} {instrument.base} at {plain(price)} is below the exchange’s minimum"
            f" ({plain(least)} {instrument.base})"
        )
        if grid.on_below_minimum is not BelowMinimum.RAISE:
            return changed(leg, state=LegState.BLOCKED, error=text), text
        qty, warning = least, f"{text}; raised to it"
    if instrument.max_qty is not None and qty > instrument.max_qty:
        qty = instrument.qty_floor(instrument.max_qty)
        warning = f"cut to the exchange’s maximum of {plain(qty)} {instrument.base}"
        if instrument.is_below_minimum(price, qty):
            text = f"the exchange’s maximum of {plain(qty)} {instrument.base} is worth less than its minimum"
            return changed(leg, state=LegState.BLOCKED, error=text), text
    return changed(leg, qty=qty), warning
