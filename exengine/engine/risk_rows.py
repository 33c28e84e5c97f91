"""Each live group as the risk engine sees it, by the domain's own rules; made anew only where something has changed.

What depends on fills, settings and the time is found out when one of them changes; a new price costs a few products.
Call all of it within `money.arithmetic`, with a condensed state.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from exengine.domain import risk
from exengine.domain.capital import DOLLARS, taker_fee, usd_value
from exengine.domain.group import AGAIN_MS, Group, GroupStatus
from exengine.domain.money import HUNDRED, ZERO
from exengine.domain.risk_timer import old_enough, timer_left_ms
from exengine.domain.settings import RiskSettings, Settings
from exengine.domain.state import STALE_MS, Quote, State
from exengine.engine.condensed import Sums
from exengine.engine.panel_rows import Patch, RiskRow, RiskState

_MINUTE_MS = 60_000
_NEVER_MS = 2**63

_MORE = 1
"""How many more than are wanted are looked at closely at first."""
_ALMOST = Decimal("0." + "9" * 30)
"""What is estimated and what is exact differ by the rounding of their last digits."""

MISTRUSTED_MS = 1_000
"""How long a price that is too old, or from the future, stands before its group is looked at again."""


class Offers(NamedTuple):
    """Who could pay now, best first, and what they bring in all."""

    ahead: list[Any]
    """Whose closing would bring most; never fewer than `max_winners` and one more, where there are so many."""
    profits: dict[str, Decimal]
    """Of those who would be asked, at most `max_winners`: by group, in USD."""
    total: Decimal


NOBODY = Offers([], {}, ZERO)

_STANDING = RiskRow._fields.index("state")
_row = RiskRow._make


class _Watched:
    """A group, what of it stays while only its price moves, and its row."""

    __slots__ = ("age", "brings", "charged", "goes_stale", "holds", "in_dollars", "market", "otherwise", "pnl",
                 "settled", "standing", "sums", "timed", "told", "until_ms")  # fmt: skip

    sums: Sums
    market: tuple[str, str]
    pnl: Decimal | None
    """In quote; None where nothing is held or no price is known."""
    age: tuple[int, str]
    """When it opened, and its id: who comes first of two that are equal."""
    charged: Decimal
    """What closing it costs at a price of one, in quote."""
    brings: Decimal | None
    """About what closing it would bring where it is ahead, in quote."""
    standing: tuple[Any, ...]
    """The parts of its row that no price moves."""
    told: RiskRow | None
    """As it was last taken."""
    in_dollars: bool
    """Whether its quote is worth a dollar, whatever other prices do."""
    holds: bool
    """Whether there is anything that a price makes worth more or less."""
    goes_stale: bool
    """Whether its price may grow too old to be trusted."""
    settled: RiskState | None
    """What it is at any price, where that is so."""
    otherwise: RiskState
    """What it is where it neither wins nor loses enough."""
    timed: int
    """When the time alone changes something of the above, epoch ms."""
    until_ms: int
    """The same, or when its price grows too old."""


class _Market:
    """A symbol of an account, and its groups."""

    __slots__ = ("in_dollars", "members", "name", "quote")

    def __init__(self, name: tuple[str, str]) -> None:
        self.name = name
        self.members: list[_Watched] = []
        self.in_dollars = True
        self.quote: object = _UNSEEN
        """The price that its groups were last valued at."""


_UNSEEN = object()


class RiskRows:
    """Every live group's row, as it was last told."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._markets: dict[tuple[str, str], _Market] = {}
        self._sums: Mapping[str, Sums] = {}
        """What all of the above was made of; another one once a group has changed."""
        self._turns_ms = _NEVER_MS
        """When the time alone changes something of one of them."""
        self.candidates: dict[str, RiskRow] = {}
        """Those of them who would be paid off, as they were last told."""
        self._offers = NOBODY
        self._of: tuple[Settings | None, frozenset[str]] = (None, frozenset())
        """The settings that the rows were made under, and the accounts that could not be reached."""
        self._at_ms = 0
        self._ruled_anew = False

    def rule_anew(self) -> None:
        """Market rules have changed, and fees with them."""
        self._ruled_anew = True

    def all(self) -> Iterator[RiskRow]:
        """The rows as they were last taken."""
        return (one.told for one in self._watched.values() if one.told is not None)

    def get(self, group_id: str | None) -> RiskRow | None:
        there = self._watched.get(group_id) if group_id is not None else None
        return there.told if there is not None else None

    def take(self, state: State, sums: Mapping[str, Sums], now_ms: int) -> tuple[Patch[RiskRow], Offers]:
        """The rows that are other than when they were last taken, and who could pay now."""
        watched, before = self._watched, self._offers.profits
        gone = self._bring_up_to_date(state, sums, now_ms)
        stirred = self._stirred(state, now_ms)
        if stirred or gone:
            self._offers = self._offered(state, now_ms)
        profits, rows, threshold = self._offers.profits, {}, state.settings.risk.loss_threshold_percent
        stirred.update((one, watched[one]) for one in (*before, *profits) if one in watched)
        for group_id, there in stirred.items():
            row = _priced(state, there, profits.get(group_id), threshold, now_ms)
            if row != there.told:
                rows[group_id] = there.told = row
                if row.state is RiskState.CANDIDATE:
                    self.candidates[group_id] = row
                elif group_id in self.candidates:
                    del self.candidates[group_id]
        return Patch(rows=rows, gone=gone), self._offers

    def _bring_up_to_date(self, state: State, sums: Mapping[str, Sums], now_ms: int) -> tuple[str, ...]:
        """Looks anew at the groups of which something else than a price has changed; who is gone."""
        of = (state.settings, frozenset(state.unreachable))
        anew = self._ruled_anew or now_ms < self._at_ms or of[0] is not self._of[0] or of[1] != self._of[1]
        self._of, self._at_ms, self._ruled_anew = of, now_ms, False
        if not anew and sums is self._sums and now_ms < self._turns_ms:
            return ()
        watched, self._sums = self._watched, sums
        gone = tuple(group_id for group_id in watched if group_id not in sums)
        for group_id in gone:
            del watched[group_id]
            self.candidates.pop(group_id, None)
        before, self._markets = self._markets, {}
        for group_id, one in sums.items():
            there = watched.get(group_id)
            is_new = there is None or there.sums is not one or there.until_ms <= now_ms or anew
            if there is None or is_new:
                there = watched[group_id] = _watch(state, one, there, now_ms)
            market = self._markets.get(there.market)
            if market is None:
                market = self._markets[there.market] = _Market(there.market)
                market.quote = before[there.market].quote if there.market in before else _UNSEEN
            market.members.append(there)
            market.in_dollars = market.in_dollars and there.in_dollars
            if is_new:
                market.quote = _UNSEEN
        self._turns_ms = min((there.until_ms for there in watched.values()), default=_NEVER_MS)
        return gone

    def _stirred(self, state: State, now_ms: int) -> dict[str, _Watched]:
        """Groups of which something may be other than before."""
        found: dict[str, _Watched] = {}
        quotes = state.quotes
        for market in self._markets.values():
            quote = quotes.get(market.name)
            if quote is market.quote and market.in_dollars:
                continue
            market.quote = quote
            for there in market.members:
                one = there.sums
                there.pnl = there.brings = None
                if quote is not None and there.holds:
                    price = quote.price
                    there.pnl = pnl = price * one.signed_base - one.signed_cost
                    if pnl > 0:
                        there.brings = pnl - price * there.charged
                if there.goes_stale:
                    there.until_ms = min(there.timed, _trusted_until_ms(quote, now_ms))
                    self._turns_ms = min(self._turns_ms, there.until_ms)
                found[one.group.id] = there
        return found

    def _offered(self, state: State, now_ms: int) -> Offers:
        """The winners of this moment. Who is surely none of the first is not looked at closely."""
        wanted = state.settings.risk.max_winners
        likely = [
            (-one.brings if one.in_dollars else -one.brings * usd_value(state, one.sums.group), *one.age, one)
            for one in self._watched.values()
            if one.brings is not None and one.brings > 0
        ]
        likely.sort()
        ahead: list[Any] = []
        done, more = 0, wanted + _MORE
        while done < len(likely):
            ahead += risk.those_ahead(state, now_ms, [one[-1].sums.condensed for one in likely[done : done + more]])
            ahead.sort(key=risk.most_first)
            done += more
            # Those that are equal stand in the domain's own order already.
            if done < len(likely) and len(ahead) > wanted and ahead[wanted].profit >= -likely[done][0] * _ALMOST:
                break
        profits = {one.group.id: one.profit for one in ahead[:wanted]}
        return Offers(ahead, profits, sum(profits.values(), ZERO))


def _watch(state: State, sums: Sums, before: _Watched | None, now_ms: int) -> _Watched:
    group, key = sums.group, sums.group.key
    account = state.settings.account(key.account)
    settled, otherwise = _settled(state, sums), _otherwise(state.settings.risk, group)
    made = _Watched()
    made.sums, made.market = sums, (key.account, key.symbol)
    made.age = (group.opened_at_ms, group.id)
    made.told = before.told if before is not None else None
    made.in_dollars, made.charged = group.quote in DOLLARS, sums.net_base * taker_fee(state, group)
    made.holds = bool(sums.cost and sums.net_base)
    made.goes_stale = account is not None and account.is_live
    made.settled, made.otherwise = settled, otherwise
    timer_ends_ms, old_at_ms = _timer_ends_ms(state, group, now_ms), _old_at_ms(state, group, now_ms)
    made.timed = made.until_ms = _turns_ms(group, timer_ends_ms, old_at_ms, now_ms)
    made.standing = RiskRow(
        id=group.id,
        account=key.account,
        symbol=key.symbol,
        timeframe=key.timeframe,
        side=group.side,
        timer_ends_ms=timer_ends_ms,
        pyramids=len(group.pyramids),
        max_pyramids=group.max_pyramids,
        old_at_ms=old_at_ms,
        blocked=group.blocked,
        skip_once=group.skip_once,
        opened_at_ms=group.opened_at_ms,
        state=otherwise,
        loss_percent=None,
        loss_usd=None,
        brings_usd=ZERO,
    )[:_STANDING]
    return made


def _priced(state: State, there: _Watched, brings: Decimal | None, threshold: Decimal, now_ms: int) -> RiskRow:
    """A group's row at the price of now; `brings` is None where it is not among those who would be asked.

    `threshold`: the per cent of loss from which it is a candidate.
    """
    percent = dollars = None
    if there.pnl is not None:
        percent, dollars = there.pnl / there.sums.cost * HUNDRED, there.pnl
        if not there.in_dollars:
            rate = usd_value(state, there.sums.group)
            dollars = dollars * rate if rate else None
    is_what = there.settled or (there.otherwise if brings is None else RiskState.WINNER)
    is_deep = percent is not None and percent <= threshold
    if is_what is there.otherwise and is_deep and risk.is_loser(state, there.sums.condensed, now_ms):
        is_what = RiskState.CANDIDATE
    return _row((*there.standing, is_what, percent, dollars, brings or ZERO))


def _settled(state: State, sums: Sums) -> RiskState | None:
    """What a group is at any price."""
    group = sums.group
    if group.status is GroupStatus.CLOSING or group.partial is not None:
        return RiskState.CLOSING
    if group.frozen or group.key.account in state.unreachable:
        return RiskState.HELD_BACK
    if group.blocked:
        return RiskState.BLOCKED
    if not group.has_filled or sums.net_base <= 0:
        return RiskState.NO_FILL
    return RiskState.SKIPPED if group.skip_once else None


def _otherwise(settings: RiskSettings, group: Group) -> RiskState:
    """What a group is where it neither wins nor loses enough."""
    is_full = not settings.require_full_pyramids or len(group.pyramids) >= group.max_pyramids
    return RiskState.WAITING if is_full else RiskState.NOT_FULL


def _turns_ms(group: Group, timer_ends_ms: int | None, old_at_ms: int | None, now_ms: int) -> int:
    """When the time alone makes something else of a group: its timer, the age filter, or its rest after a refusal."""
    turns = [timer_ends_ms or 0]
    if old_at_ms:
        turns.append(max(old_at_ms, now_ms + 1))
    if group.again_at_ms is not None:
        turns += [group.again_at_ms - AGAIN_MS, group.again_at_ms]
    return min((at_ms for at_ms in turns if at_ms > now_ms), default=_NEVER_MS)


def _trusted_until_ms(quote: Quote | None, now_ms: int) -> int:
    if quote is None:
        return _NEVER_MS
    return quote.at_ms + STALE_MS + 1 if 0 <= now_ms - quote.at_ms <= STALE_MS else now_ms + MISTRUSTED_MS


def _timer_ends_ms(state: State, group: Group, now_ms: int) -> int | None:
    left = timer_left_ms(state, group, now_ms)
    return None if left is None else now_ms + left if left else 0


def _old_at_ms(state: State, group: Group, now_ms: int) -> int | None:
    settings = state.settings.risk
    if not settings.use_trade_age_filter:
        return 0
    if group.first_fill_at_ms is None:
        return None
    if old_enough(state, group, now_ms):
        return 0
    return group.first_fill_at_ms + int(settings.age_threshold_minutes * _MINUTE_MS)
