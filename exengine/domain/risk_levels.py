"""From which prices on a group is a loser, and from which its closing would bring something (SPEC §8).

The levels lie a hair towards caution: beyond them the exact formulas decide, on this side nothing need be computed.
"""

from collections.abc import Iterable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, NamedTuple

from exengine.domain import pnl
from exengine.domain.capital import DOLLARS, usd_value
from exengine.domain.changed import kept
from exengine.domain.group import Group
from exengine.domain.instrument import Instrument
from exengine.domain.money import HUNDRED, ONE, ZERO, arithmetic
from exengine.domain.state import State

ANY = Decimal("Infinity")
_NEVER = -ANY
Symbol = tuple[str, str]
"""Account and symbol."""
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
    """Quote per unit of base."""
    sign: int
    """The group's d: 1 long, -1 short."""
    contract_size: Decimal
    age: tuple[int, str]
    """When it began, and its id: who sorts first is the oldest."""


class Terms(NamedTuple):
    """What a group's levels depend on beside itself."""

    rules: Instrument
    fee: Decimal
    threshold_percent: Decimal


class Market(NamedTuple):
    """A symbol of an account in one look at the risk."""

    last: Decimal | None
    rules: Instrument | None
    fee: Decimal
    """The share that is paid as taker."""
    usd: Decimal
    """What one unit of its quote is worth in USD; 0 where that is not known."""
    terms: Terms | None
    """None before its first price."""


class UnitCosts(NamedTuple):
    """Of the groups of one side, in quote per unit of base."""

    least: Decimal
    most: Decimal


class Ranges(NamedTuple):
    """Where the first of a symbol's groups begins to lose or to bring something."""

    terms: Terms
    each: tuple[tuple[Group, Levels], ...]
    loses_from: Decimal
    loses_to: Decimal
    """Between the two nobody loses enough."""
    brings_from: Decimal
    brings_to: Decimal
    """Between the two the closing of none brings anything."""
    longs: UnitCosts | None
    shorts: UnitCosts | None
    most_units: Decimal
    """The most units of base that one of them holds."""


class Members:
    """The groups of one symbol that hold something, and what is kept of them until one of them is another one."""

    def __init__(self, symbol: Symbol, groups: Iterable[Group], seen: tuple[object, object] = (None, None)) -> None:
        """`seen`: the state's groups, and its tuple of those of the symbol, by which it shows that it has changed."""
        self.symbol = symbol
        self.known, self.ids = seen
        self.groups = tuple(group for group in groups if pnl.holding(group).net_qty > 0)
        self.skips = any(group.skip_once for group in self.groups)
        """Whether one of them is to be skipped once."""
        self.losers: Any = None
        self.winners: Any = None
        """What `risk_ranking` has worked out of them."""
        self._ranges: Ranges | None = None

    def ranges(self, terms: Terms) -> Ranges:
        """Where they begin to lose or to bring something, by `terms`."""
        if self._ranges is None or self._ranges.terms is not terms:
            self._ranges = _ranges(self.groups, terms)
        return self._ranges

    def ranges_at(self, market: Market) -> Ranges:
        """The same at a symbol that has a price."""
        assert market.terms is not None
        return self.ranges(market.terms)

    def levels_at(self, market: Market) -> tuple[tuple[Group, Levels], ...]:
        """Each with its levels, at a symbol that has a price."""
        return self.ranges_at(market).each


Standing = tuple[Market, Members]
"""A symbol in one look at the risk, and its groups."""


def _ranges(groups: tuple[Group, ...], terms: Terms) -> Ranges:
    loses_from = brings_from = ANY
    loses_to = brings_to = _NEVER
    levels = [levels_of(group, terms) for group in groups]
    for one in levels:
        if one.sign > 0:
            loses_to, brings_from = max(loses_to, one.loses_to), min(brings_from, one.brings_from)
        else:
            loses_from, brings_to = min(loses_from, one.loses_from), max(brings_to, one.brings_to)
    each = tuple(zip(groups, levels, strict=True))
    most_units = max((one.net_qty * one.contract_size for one in levels), default=ZERO)
    longs, shorts = (_unit_costs(levels, sign) for sign in (1, -1))
    return Ranges(terms, each, loses_from, loses_to, brings_from, brings_to, longs, shorts, most_units)


def _unit_costs(levels: Iterable[Levels], sign: int) -> UnitCosts | None:
    costs = [one.unit_cost for one in levels if one.sign == sign]
    return UnitCosts(min(costs), max(costs)) if costs else None


class Markets:
    """What one look at the risk needs to know of each symbol, found out once for all its groups."""

    def __init__(self, state: State, now_ms: int) -> None:
        self._state = state
        self._now_ms = now_ms
        self._threshold = state.settings.risk.loss_threshold_percent
        self._accounts: dict[str, tuple[bool, Decimal | None]] = {}
        """Whether its prices grow old, and the taker's share where the trader has set one."""

    def each(self) -> Iterator[Standing]:
        """Every symbol whose groups hold something; these one by one where each has market rules of its own."""
        rules_of = self._state.instruments.get
        for members in self._members():
            rules = rules_of(members.symbol)
            if rules is not None:
                yield self._of(members.groups[0], members.symbol, rules), members
            else:
                for group in members.groups:
                    yield self._of(group, members.symbol, None), _alone(group)

    def of(self, group: Group) -> Market:
        """That of one group."""
        symbol = (group.key.account, group.key.symbol)
        return self._of(group, symbol, self._state.instruments.get(symbol))

    def _members(self) -> Iterator[Members]:
        known = self._state.groups
        for symbol, ids in self._state.by_symbol.items():
            members = _kept_members.get(symbol)
            if members is None or members.ids is not ids or members.known is not known:
                members = _kept_members[symbol] = Members(
                    symbol, (known[one] for one in ids if one in known), (known, ids)
                )
            if members.groups:
                yield members

    def _of(self, group: Group, symbol: Symbol, rules: Instrument | None) -> Market:
        state, account = self._state, symbol[0]
        grows_old, fee = self._accounts.get(account) or self._account(account)
        quote = state.quotes.get(symbol)
        last = None if quote is None else quote.price
        if grows_old:
            last = state.fresh(account, symbol[1], self._now_ms)
        if last is None:
            return Market(None, rules, ZERO, ZERO, None)
        if rules is not None:
            terms = _terms(symbol, rules, fee, self._threshold)
        else:
            terms = _terms(group.id, group.own_rules, fee, self._threshold)
        usd = ONE if group.quote in DOLLARS else usd_value(state, group)
        return Market(last, rules, terms.fee, usd, terms)

    def _account(self, name: str) -> tuple[bool, Decimal | None]:
        account = self._state.settings.account(name)
        fee = None if account is None else account.taker_fee_percent
        found = (account is not None and account.is_live, None if fee is None else fee / HUNDRED)
        self._accounts[name] = found
        return found


_kept_members: dict[Symbol, Members] = {}


def _alone(group: Group) -> Members:
    """A group by itself, whoever else trades its symbol."""
    return kept(group, "alone", group.skip_once, Members, (group.key.account, group.key.symbol), (group,))


def near(markets: Markets) -> tuple[list[Standing], list[Standing]]:
    """Where somebody's loss may be large enough, and where a closing may bring something: not all of them need to."""
    losing: list[Standing] = []
    ahead: list[Standing] = []
    for standing in markets.each():
        market, members = standing
        last, terms = market.last, market.terms
        if last is None or terms is None:
            continue
        there = members.ranges(terms)
        if last <= there.loses_to or last >= there.loses_from:
            losing.append(standing)
        if last >= there.brings_from or last <= there.brings_to:
            ahead.append(standing)
    return losing, ahead


def levels_of(group: Group, terms: Terms) -> Levels:
    """The levels of a group that holds something: kept while it and the terms are the same."""
    return kept(group, "_levels", terms, _levels, group, terms)


_kept_terms: dict[Symbol | str, Terms] = {}


def _terms(of: Symbol | str, rules: Instrument, fee: Decimal | None, threshold_percent: Decimal) -> Terms:
    """The same terms for as long as they are the same: of a symbol, or of a group with market rules of its own."""
    fee = rules.taker_fee if fee is None else fee
    kept = _kept_terms.get(of)
    if kept is not None and kept.rules is rules and kept.fee == fee and kept.threshold_percent == threshold_percent:
        return kept
    if len(_kept_terms) >= _MOST_KEPT:
        _kept_terms.clear()
    _kept_terms[of] = found = Terms(rules, fee, threshold_percent)
    return found


def _levels(group: Group, terms: Terms) -> Levels:
    rules, fee, threshold_percent = terms
    with arithmetic():
        net_qty, cost = pnl.holding(group)
        all_of_it = group.sellable_qty(rules)
        sells_from = ANY
        if all_of_it > 0 and all_of_it >= rules.min_qty:
            sells_from = _DOWN.plus(rules.min_notional / (all_of_it * rules.contract_size))
        sign, age = group.side.sign, (group.opened_at_ms, group.id)
        unit_cost = cost / (net_qty * group.contract_size)
        held = (sells_from, net_qty, cost, unit_cost, sign, group.contract_size, age)
        left = 1 - sign * fee
        if cost <= 0 or left <= 0:
            return Levels(-ANY, ANY, -ANY, ANY, *held)
        loses, brings = unit_cost * (1 + sign * threshold_percent / HUNDRED), unit_cost / left
        if sign > 0:
            return Levels(-ANY, _UP.plus(loses), _DOWN.plus(brings), ANY, *held)
        return Levels(_DOWN.plus(loses), ANY, -ANY, _UP.plus(brings), *held)
