"""Who has lost most, and who brings most, of all groups: the order in which the risk engine looks at them (SPEC §8).

What is worked out of a symbol's groups at a price is kept until the price or one of the groups is another one: looks
follow each other closely, after each fill and each offset, and most symbols are then as they were.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from heapq import heapify, heappop, heappush
from typing import NamedTuple, TypeVar

from exengine.domain.group import Group
from exengine.domain.money import HUNDRED, ONE, ZERO
from exengine.domain.risk_levels import ANY, Levels, Market, Members, Standing, Symbol

Age = tuple[int, str]
"""When a group began, and its id: the oldest sorts first."""


class Loser(NamedTuple):
    """A group that loses enough, whatever else keeps it from being a candidate. The worst sorts first."""

    percent: Decimal
    dollars: Decimal
    """Its loss in USD."""
    age: Age
    group: Group
    required: Decimal
    """What is to be paid for it, in USD."""
    notional: Decimal
    least: Decimal
    """The smallest notional that its exchange takes, in the same quote."""


class Ahead(NamedTuple):
    """A group whose closing would bring something. The most profitable sorts first."""

    below: Decimal
    """The profit in USD, below zero."""
    age: Age
    group: Group
    gain: Decimal
    """What closing one contract really brings, in USD."""
    market: Market


T = TypeVar("T", Loser, Ahead)


class _Losers(NamedTuple):
    """Those of a symbol at a price, the worst first."""

    at: Market
    ranked: list[Loser]
    required: Decimal
    """The least of them."""
    notional: Decimal
    """The largest of them."""


class _Winners(NamedTuple):
    """Those of a symbol at a price, the most profitable first."""

    at: Market
    ranked: list[Ahead]


K = TypeVar("K", _Losers, _Winners)


class Offer:
    """What the winners bring at most, for telling at a glance for whom that is nothing."""

    def __init__(self, profit: Decimal, brings: Decimal, *, skips: bool, symbols: set[Symbol]) -> None:
        """`profit` is all that they have, `brings` what is really sold of them for it.

        `skips`: whether nobody is paid for in part. `symbols`: those of the winners, one of whom might be the loser.
        """
        self._profit = profit * _CAUTION
        self._brings = brings * _CAUTION
        self._skips = skips
        self._symbols = symbols

    def passes_over(self, members: Members, losers: _Losers) -> bool:
        """Whether there is surely nothing for any of a symbol's losers."""
        if not losers.ranked:
            return True
        return members.symbol not in self._symbols and self._is_nothing(
            losers.required, losers.notional, losers.ranked[0].least
        )

    def is_nothing(self, loser: Loser) -> bool:
        """Whether there is surely nothing: all of it pays for too little of the loser to be sold."""
        key = loser.group.key
        if (key.account, key.symbol) in self._symbols:
            return False
        return self._is_nothing(loser.required, loser.notional, loser.least)

    def _is_nothing(self, required: Decimal, notional: Decimal, least: Decimal) -> bool:
        if required <= self._profit or self._brings >= required * FULL_COVER:
            return False
        return self._skips or notional * self._brings < least * required


FULL_COVER = Decimal("0.999")
"""From this share of what is required on, the loser goes whole."""
_CAUTION = Decimal("1.000001")
"""Closer than that the exact formulas decide."""
_HAIR = Decimal("1e-12")
"""What is estimated and what is exact differ by less: by the rounding of their last digits."""


def by_loss(losing: Iterable[Standing], offer: Offer | None = None) -> Iterator[Loser]:
    """Those that lose enough, the worst first (tie: largest loss in USD, then the oldest), where an offer may do."""

    def losers(market: Market, members: Members) -> Sequence[Loser]:
        found = _losers(market, members)
        return () if offer is not None and offer.passes_over(members, found) else found.ranked

    return _in_order((_worst(*standing), partial(losers, *standing)) for standing in losing)


def by_profit(ahead: Iterable[Standing]) -> Iterator[Ahead]:
    """Those whose closing would bring something, largest profit first (tie: the oldest)."""
    return _in_order((_best(*standing), partial(_winners, *standing)) for standing in ahead)


def _in_order(symbols: Iterable[tuple[Decimal, Callable[[], Sequence[T]]]]) -> Iterator[T]:
    """Merges the groups of all symbols. Those of one are not worked out before its first could be the next.

    Each symbol is told of by what its first group sorts by, or less, and by what works its groups out, in order.
    """
    waiting = [(least, place, work_out) for place, (least, work_out) in enumerate(symbols)]
    heapify(waiting)
    ready: list[T] = []
    while waiting or ready:
        while waiting and (not ready or waiting[0][0] <= ready[0][0]):
            for one in heappop(waiting)[2]():
                heappush(ready, one)
        if ready:
            yield heappop(ready)


def _worst(market: Market, members: Members) -> Decimal:
    """By how many per cent the worst of a symbol's groups loses, or a hair more."""
    kept: _Losers | None = _still(members.losers, market)
    if kept is not None:
        return kept.ranked[0].percent if kept.ranked else ANY
    there, last, worst = members.ranges_at(market), market.last, ANY
    assert last is not None
    for costs, sign in ((there.longs, 1), (there.shorts, -1)):
        if costs is not None:
            if costs.least <= 0:
                return -ANY
            unit_cost = costs.most if sign > 0 else costs.least
            worst = min(worst, sign * (last - unit_cost) / unit_cost * HUNDRED)
    return worst - (abs(worst) + 1) * _HAIR


def _best(market: Market, members: Members) -> Decimal:
    """What closing the best of a symbol's groups brings in USD, or a hair more; below zero, as it is sorted by."""
    kept: _Winners | None = _still(members.winners, market)
    if kept is not None:
        return kept.ranked[0].below if kept.ranked else ANY
    there, last, gain = members.ranges_at(market), market.last, -ANY
    assert last is not None
    if there.longs is not None:
        gain = last - there.longs.least
    if there.shorts is not None:
        gain = max(gain, there.shorts.most - last)
    gain -= last * market.fee
    return -gain * market.usd * there.most_units * (ONE + _HAIR) if gain > 0 else ANY


def _losers(market: Market, members: Members) -> _Losers:
    kept: _Losers | None = _still(members.losers, market)
    if kept is not None:
        return kept
    ranked = sorted(_each_loser(market, members.levels_at(market)))
    found = _Losers(
        at=market,
        ranked=ranked,
        required=min((one.required for one in ranked), default=ZERO),
        notional=max((one.notional for one in ranked), default=ZERO),
    )
    members.losers = found
    return found


def _each_loser(market: Market, each: Sequence[tuple[Group, Levels]]) -> Iterator[Loser]:
    last, terms, usd = market.last, market.terms, market.usd
    assert last is not None
    assert terms is not None
    threshold, least, fee = terms.threshold_percent, terms.rules.min_notional, market.fee
    for group, levels in each:
        cost = levels.cost
        if not cost:
            continue
        notional = last * levels.net_qty * levels.contract_size
        loss = notional - cost if levels.sign > 0 else cost - notional
        percent = loss / cost * HUNDRED
        if percent <= threshold:
            required = (abs(loss) + notional * fee) * usd
            yield Loser(percent, loss * usd, levels.age, group, required, notional, least)


def _winners(market: Market, members: Members) -> list[Ahead]:
    kept: _Winners | None = _still(members.winners, market)
    if kept is not None:
        return kept.ranked
    ranked = sorted(each_ahead(market, members.levels_at(market)))
    members.winners = _Winners(market, ranked)
    return ranked


def each_ahead(market: Market, each: Sequence[tuple[Group, Levels]]) -> Iterator[Ahead]:
    """Those of a symbol at its price whose closing would bring something, in no order."""
    last = market.last
    assert last is not None
    fee = last * market.fee
    for group, levels in each:
        gain = last - levels.unit_cost if levels.sign > 0 else levels.unit_cost - last
        gain = (gain - fee) * (market.usd * levels.contract_size)
        profit = gain * levels.net_qty
        if profit > 0:
            yield Ahead(-profit, levels.age, group, gain, market)


def _still(kept: K | None, market: Market) -> K | None:
    """What was worked out of a symbol's groups before, where it holds at this price too."""
    if kept is None:
        return None
    at = kept.at
    return kept if at.terms is market.terms and at.last == market.last and at.usd == market.usd else None
