"""Who has lost most, and who brings most, of all groups: the order in which the risk engine looks at them (SPEC §8).

What is worked out of a symbol's groups at a price is kept until the price or one of the groups is another one: looks
follow each other closely, after each fill and each offset, and most symbols are then as they were.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from heapq import merge
from typing import NamedTuple

from exengine.domain.group import Group
from exengine.domain.money import HUNDRED, ZERO
from exengine.domain.risk_levels import Levels, Market, Members, Standing, Symbol

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


def by_loss(losing: Iterable[Standing], offer: Offer | None = None) -> Iterator[Loser]:
    """Those that lose enough, the worst first (tie: largest loss in USD, then the oldest), where an offer may do."""
    found = [(members, _losers(market, members)) for market, members in losing]
    return merge(
        *[losers.ranked for members, losers in found if offer is None or not offer.passes_over(members, losers)]
    )


def by_profit(ahead: Iterable[Standing]) -> Iterator[Ahead]:
    """Those whose closing would bring something, largest profit first (tie: the oldest)."""
    return merge(*[_winners(market, members).ranked for market, members in ahead])


def _losers(market: Market, members: Members) -> _Losers:
    kept: _Losers | None = members.losers
    if kept is not None and _is_same(kept.at, market):
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


def _winners(market: Market, members: Members) -> _Winners:
    kept: _Winners | None = members.winners
    if kept is not None and _is_same(kept.at, market):
        return kept
    found = members.winners = _Winners(market, sorted(_each_ahead(market, members.levels_at(market))))
    return found


def _each_ahead(market: Market, each: Sequence[tuple[Group, Levels]]) -> Iterator[Ahead]:
    last = market.last
    assert last is not None
    fee = last * market.fee
    for group, levels in each:
        gain = last - levels.unit_cost if levels.sign > 0 else levels.unit_cost - last
        gain = (gain - fee) * (market.usd * levels.contract_size)
        profit = gain * levels.net_qty
        if profit > 0:
            yield Ahead(-profit, levels.age, group, gain, market)


def _is_same(one: Market, other: Market) -> bool:
    return one.terms is other.terms and one.last == other.last and one.usd == other.usd
