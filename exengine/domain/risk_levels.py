"""From which prices on a group is a loser, and from which its closing would bring something (SPEC §8).

The levels lie a hair towards caution: beyond them the exact formulas decide, on this side nothing need be computed.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import NamedTuple

from exengine.domain import pnl
from exengine.domain.capital import taker_fee, usd_value
from exengine.domain.group import Group
from exengine.domain.instrument import Instrument
from exengine.domain.money import HUNDRED, ZERO, arithmetic
from exengine.domain.state import State

ANY = Decimal("Infinity")
_UP, _DOWN = Context(prec=30, rounding=ROUND_CEILING), Context(prec=30, rounding=ROUND_FLOOR)
_MOST_KEPT = 8192


class Levels(NamedTuple):
    """Of one group; both ends of each range belong to it, and ±∞ is no end."""

    loses_from: Decimal
    loses_to: Decimal
    """Outside of these its loss is smaller than `loss_threshold_percent`."""
    brings_from: Decimal
    brings_to: Decimal
    """Outside of these its closing brings nothing."""
    sells_from: Decimal
    """Below this all that it holds is too little for the exchange to take."""
    net_qty: Decimal
    cost: Decimal
    unit_cost: Decimal
    """Quote per unit of base; 0 where nothing is held."""


class Market(NamedTuple):
    """A symbol of an account in one look at the risk."""

    last: Decimal | None
    rules: Instrument | None
    fee: Decimal
    """The share that is paid as taker."""
    usd: Decimal
    """What one unit of its quote is worth in USD; 0 where that is not known."""


class Markets:
    """What one look at the risk needs to know of each symbol, found out once for all its groups."""

    def __init__(self, state: State, now_ms: int) -> None:
        self._state = state
        self._now_ms = now_ms
        self._known: dict[tuple[str, str], Market] = {}
        self._threshold = state.settings.risk.loss_threshold_percent

    def of(self, group: Group) -> Market:
        key = group.key
        there = self._known.get((key.account, key.symbol))
        if there is None:
            state = self._state
            there = Market(
                last=state.fresh(key.account, key.symbol, self._now_ms),
                rules=state.instruments.get((key.account, key.symbol)),
                fee=taker_fee(state, group),
                usd=usd_value(state, group),
            )
            if there.rules is not None:  # else each group has rules of its own
                self._known[key.account, key.symbol] = there
        return there

    def levels(self, group: Group, market: Market) -> Levels:
        kept, by = _kept.get(id(group)), (market.fee, self._threshold)
        if kept is not None and kept[0] is group and kept[1] == by and kept[2] is market.rules:
            return kept[3]
        found = _levels(group, market.rules or group.own_rules, market.fee, self._threshold)
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[id(group)] = (group, by, market.rules, found)
        return found


_kept: dict[int, tuple[Group, tuple[Decimal, Decimal], Instrument | None, Levels]] = {}
"""Of groups and rules, which never change but are replaced."""


def _levels(group: Group, rules: Instrument, fee: Decimal, threshold_percent: Decimal) -> Levels:
    with arithmetic():
        net_qty, cost = pnl.holding(group)
        if net_qty <= 0:
            return Levels(ANY, -ANY, ANY, -ANY, ANY, net_qty, cost, ZERO)
        all_of_it = group.sellable_qty(rules)
        sells_from = ANY
        if all_of_it > 0 and all_of_it >= rules.min_qty:
            sells_from = _DOWN.plus(rules.min_notional / (all_of_it * rules.contract_size))
        sign = group.side.sign
        unit_cost = cost / (net_qty * group.contract_size)
        held = (sells_from, net_qty, cost, unit_cost)
        left = 1 - sign * fee
        if cost <= 0 or left <= 0:
            return Levels(-ANY, ANY, -ANY, ANY, *held)
        loses, brings = unit_cost * (1 + sign * threshold_percent / HUNDRED), unit_cost / left
        if sign > 0:
            return Levels(-ANY, _UP.plus(loses), _DOWN.plus(brings), ANY, *held)
        return Levels(_DOWN.plus(loses), ANY, -ANY, _UP.plus(brings), *held)
