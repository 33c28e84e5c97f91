"""Until when, and between which prices, the queue and the risk engine would find nothing to do (SPEC §7, §8).

A replay asks this once and leaves out the timers of hours. What is said holds as long as nothing but prices and the
time changes; it is said with care: None where it cannot be shown.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import NamedTuple

from exengine.domain import pnl
from exengine.domain.capital import DOLLARS
from exengine.domain.group import Group, GroupStatus
from exengine.domain.instrument import Instrument
from exengine.domain.levels import Band
from exengine.domain.money import ONE, ZERO
from exengine.domain.risk_levels import Levels, Markets, Symbol, levels_of
from exengine.domain.risk_ranking import FULL_COVER
from exengine.domain.risk_timer import candidate_from_ms
from exengine.domain.settings import WhenShort
from exengine.domain.state import State

_WIDTHS = tuple(Decimal(text) for text in ("0.05", "0.02", "0.01", "0.005", "0.002", "0.001", "0.0003", "0.0001"))
"""How far around the prices of now one looks, widest first, as shares."""
_CAUTION = Decimal("1.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """When nothing would be done: before `until_ms` (None = no end), while each symbol's price is in its band."""

    until_ms: int | None = None
    bands: dict[Symbol, Band] = field(default_factory=dict)


class _Seen(NamedTuple):
    """A group that holds something, and what prices and time would make of it."""

    group: Group
    symbol: Symbol
    rules: Instrument
    last: Decimal
    fee: Decimal
    levels: Levels
    pays_from_ms: int
    """From when on it may be a winner."""
    loses_from_ms: int | None
    """From when on it may be a loser; None while neither time nor price can make it one."""


def queue_quiet_until_ms(state: State) -> int | None:
    """When the queue's next entry grows too old; None = never. A queue that was looked at in vain needs none before.

    Whatever holds an entry back (§3.1: opposite side, rules, pause, pool) depends on neither prices nor time.
    """
    age_ms = state.settings.queue.max_age_minutes * 60_000
    if not age_ms or not state.waiting:
        return None
    return ceil(min(waiting.queued_at_ms for waiting in state.waiting.values()) + age_ms)


def risk_quiet(state: State, now_ms: int) -> Quiet | None:
    """When the risk engine's timer would change nothing. None where it has to look. Within `money.arithmetic`."""
    if state.plan is not None:
        return None
    if not state.settings.risk.enabled:
        return Quiet()
    seen = _look(state, now_ms)
    if seen is None:
        return None
    if not any(_loses(one, now_ms) for one in seen):
        return _until(seen, now_ms, _without_losers(seen, now_ms))
    if any(one.group.skip_once for one in seen):
        return None
    if not any(one.pays_from_ms <= now_ms and _brings(one) for one in seen):
        later = [one.pays_from_ms for one in seen if one.pays_from_ms > now_ms]
        return Quiet(until_ms=min(later, default=None), bands=_without_winners(seen, now_ms))
    return _without_cover(state, seen, now_ms)


def _look(state: State, now_ms: int) -> list[_Seen] | None:
    """Every group that may be part of an offset; None where prices that grow old or are missing decide."""
    found = []
    if any(account.is_live for account in state.settings.accounts):
        return None
    for group, market in ((one, market) for market, there in Markets(state, now_ms).each() for one in there.groups):
        if group.status is GroupStatus.CLOSING or group.blocked or group.frozen or group.partial:
            continue
        if group.key.account in state.unreachable or pnl.holding(group).net_qty <= 0:
            continue
        if market.last is None or market.terms is None:
            return None
        pays_from_ms = group.again_at_ms or 0
        starts_ms = candidate_from_ms(state, group)
        found.append(
            _Seen(
                group=group,
                symbol=(group.key.account, group.key.symbol),
                rules=market.rules or group.own_rules,
                last=market.last,
                fee=market.fee,
                levels=levels_of(group, market.terms),
                pays_from_ms=pays_from_ms,
                loses_from_ms=None if starts_ms is None else max(starts_ms, pays_from_ms),
            )
        )
    return found


def _loses(one: _Seen, now_ms: int) -> bool:
    if one.loses_from_ms is None or one.loses_from_ms > now_ms:
        return False
    return one.levels.loses_from <= one.last <= one.levels.loses_to


def _brings(one: _Seen) -> bool:
    return one.levels.brings_from <= one.last <= one.levels.brings_to and one.last >= one.levels.sells_from


def _until(seen: list[_Seen], now_ms: int, bands: dict[Symbol, Band]) -> Quiet:
    """`bands`, until time makes another group a candidate."""
    later = [one.loses_from_ms for one in seen if one.loses_from_ms is not None and one.loses_from_ms > now_ms]
    return Quiet(until_ms=min(later, default=None), bands=bands)


def _narrowed(bands: dict[Symbol, Band], symbol: Symbol, low: Decimal | None, high: Decimal | None) -> None:
    bands[symbol] = bands.get(symbol, Band()).within(low, high)


def _without_losers(seen: list[_Seen], now_ms: int) -> dict[Symbol, Band]:
    """Up to where nobody becomes a loser."""
    bands: dict[Symbol, Band] = {}
    for one in seen:
        if one.loses_from_ms is not None and one.loses_from_ms <= now_ms:
            is_above = one.last > one.levels.loses_to
            _narrowed(
                bands,
                one.symbol,
                one.levels.loses_to if is_above else None,
                None if is_above else one.levels.loses_from,
            )
    return bands


def _without_winners(seen: list[_Seen], now_ms: int) -> dict[Symbol, Band]:
    """Up to where closing a group begins to bring something."""
    bands: dict[Symbol, Band] = {}
    for one in seen:
        if one.pays_from_ms > now_ms or not one.levels.sells_from.is_finite():
            continue
        if one.last > one.levels.brings_to:
            _narrowed(bands, one.symbol, one.levels.brings_to, None)
        else:
            _narrowed(bands, one.symbol, None, max(one.levels.brings_from, one.levels.sells_from))
    return bands


# losers and winners, and too little to pay with ---------------------------------------------------------------------


class _Range(NamedTuple):
    """Prices of a symbol, ends included."""

    low: Decimal
    high: Decimal


def _without_cover(state: State, seen: list[_Seen], now_ms: int) -> Quiet | None:
    """The widest of some ranges around the prices of now in which the winners bring too little for every loser."""
    if not all(one.group.quote in DOLLARS for one in seen):
        return None
    later = [
        at_ms for one in seen for at_ms in (one.pays_from_ms, one.loses_from_ms) if at_ms is not None and at_ms > now_ms
    ]
    if not _covers_nobody(state, seen, _ranges(seen, _WIDTHS[-1]), now_ms):
        return None  # nor in any wider one
    for width in _WIDTHS:
        ranges = _ranges(seen, width)
        if _covers_nobody(state, seen, ranges, now_ms):
            bands = {symbol: Band(low=there.low, high=there.high) for symbol, there in ranges.items()}
            return Quiet(until_ms=min(later, default=None), bands=bands)
    return None


def _ranges(seen: list[_Seen], width: Decimal) -> dict[Symbol, _Range]:
    last_of = {one.symbol: one.last for one in seen}
    return {symbol: _Range(last * (ONE - width), last * (ONE + width)) for symbol, last in last_of.items()}


def _covers_nobody(state: State, seen: list[_Seen], ranges: dict[Symbol, _Range], now_ms: int) -> bool:
    most = sorted(((_most(one, ranges[one.symbol]), one.group.id) for one in seen), reverse=True)
    first = [(profit, group_id) for profit, group_id in most if profit > 0][: state.settings.risk.max_winners + 1]
    for one in seen:
        there = ranges[one.symbol]
        if one.loses_from_ms is None or one.loses_from_ms > now_ms:
            continue
        if there.high < one.levels.loses_from or there.low > one.levels.loses_to:
            continue
        others = [profit for profit, group_id in first if group_id != one.group.id]
        brings = sum(others[: state.settings.risk.max_winners], ZERO) * _CAUTION
        if brings and not _is_short(state, one, there, brings):
            return False
    return True


def _most(one: _Seen, there: _Range) -> Decimal:
    """The most that closing a group could bring at any price of a range, in dollars; 0 where it cannot be sold."""
    if there.high < one.levels.sells_from:
        return ZERO
    net_qty, cost = pnl.holding(one.group)
    sign, best = one.group.side.sign, there.high if one.group.side.sign > 0 else there.low
    return sign * (best * net_qty * one.group.contract_size - cost) - best * net_qty * one.group.contract_size * one.fee


def _is_short(state: State, one: _Seen, there: _Range, brings: Decimal) -> bool:
    """Whether `brings` makes no plan for a loser at any price of a range: its share is too small, or `skip` is set."""
    net_qty, cost = pnl.holding(one.group)
    sign = one.group.side.sign
    units = net_qty * one.group.contract_size
    best = there.high if sign > 0 else there.low
    required = sign * (cost - best * units) + best * units * one.fee
    if required <= 0 or brings >= required * FULL_COVER:
        return False
    if state.settings.risk.when_short is WhenShort.SKIP:
        return True
    share = net_qty * brings / required
    return (
        share < max(one.rules.min_qty, one.rules.step_size)
        or there.high * share * one.group.contract_size < one.rules.min_notional
    )
