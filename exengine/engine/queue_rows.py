"""Who waits, in which order and why: the Queue dock's rows from the domain's own ranking (SPEC §7)."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from exengine.domain.capital import pyramid_capital, usd_of
from exengine.domain.entry import Denial
from exengine.domain.group import Group
from exengine.domain.money import ZERO, decimals_of
from exengine.domain.pool import expected_profit, loss_percent, rank
from exengine.domain.settings import QueueRule
from exengine.domain.state import State, Waiting
from exengine.engine.panel_rows import ACCOUNT_AWAY, GROUP_STOPPED, Rule, WaitingRow

MONEY_MS = 5_000
"""How long what an entry would cost and bring is kept: it hardly moves, and is not cheap to say."""

Money = tuple[Decimal | None, Decimal | None]
"""What an entry would spend, in quote, and is expected to bring, in USD."""

_RULES = {
    QueueRule.PYRAMID_CONTINUATION: Rule.PYRAMID_CONTINUATION,
    QueueRule.DEEPEST_LOSS: Rule.DEEPEST_LOSS,
    QueueRule.MOST_REPLACED: Rule.MOST_REPLACED,
    QueueRule.HIGHEST_EXPECTED_PROFIT: Rule.HIGHEST_EXPECTED_PROFIT,
    QueueRule.FIFO: Rule.FIFO,
}


class QueueRows:
    """Makes the rows of everyone who waits. Call it within `money.arithmetic`."""

    def __init__(self) -> None:
        self._money: dict[str, tuple[Waiting, Money]] = {}
        self._money_at_ms = 0

    def rows(self, state: State, now_ms: int) -> dict[str, WaitingRow]:
        """The rows by key. `state` may be a condensed one."""
        if now_ms - self._money_at_ms >= MONEY_MS:
            self._money, self._money_at_ms = {}, now_ms
        line = [(rank(state, one), one) for one in state.waiting.values() if _may_ever_go(state, one)]
        line.sort(key=lambda placed: placed[0])
        rules = _rules(state, [placed[0] for placed in line])
        places = {_key(one): (place, rule) for place, ((_, one), rule) in enumerate(zip(line, rules, strict=True), 1)}
        rows = {}
        for waiting in state.waiting.values():
            key = _key(waiting)
            rows[key] = self._row(state, waiting, *places.get(key, (None, None)))
        return rows

    def _row(self, state: State, waiting: Waiting, place: int | None, rule: Rule | None) -> WaitingRow:
        key = waiting.key
        group = _living(state, waiting)
        instrument = state.instruments.get((key.account, key.symbol))
        last = state.last(key.account, key.symbol)
        capital, profit = self._money_of(state, waiting)
        joins = group is not None and group.side is waiting.side
        needs_slot = not joins or not state.settings.pool.pyramids_bypass
        price = waiting.signal.price
        return WaitingRow(
            key=_key(waiting),
            account=key.account,
            symbol=key.symbol,
            timeframe=key.timeframe,
            side=waiting.side,
            quote=instrument.quote if instrument is not None else "",
            reason=_reason(state, waiting, group),
            price=price,
            price_decimals=decimals_of(instrument.tick_size if instrument is not None else price),
            last=last,
            loss_percent=loss_percent(state, waiting) if last is not None else None,
            replacements=waiting.replacement_count,
            expected_profit=profit,
            capital=capital,
            queued_at_ms=waiting.queued_at_ms,
            is_pyramid=joins,
            rank=place,
            rule=rule,
            blocker=_blocker(state, waiting, group),
            needs_force=needs_slot and len(state.groups) >= state.settings.pool.max_open_groups,
        )

    def _money_of(self, state: State, waiting: Waiting) -> Money:
        key = _key(waiting)
        kept = self._money.get(key)
        if kept is None or kept[0] is not waiting:
            kept = self._money[key] = (waiting, _money(state, waiting))
        return kept[1]


def _key(waiting: Waiting) -> str:
    return f"{waiting.key}|{waiting.side.value}"


def _living(state: State, waiting: Waiting) -> Group | None:
    return state.groups.get(state.live.get(waiting.key, ""))


def _may_ever_go(state: State, waiting: Waiting) -> bool:
    """Whether a free slot would let it in: then it has a place in line."""
    group = _living(state, waiting)
    if group is not None and group.side is not waiting.side:
        return False
    return (waiting.key.account, waiting.key.symbol) in state.instruments


def _reason(state: State, waiting: Waiting, group: Group | None) -> str:
    """Why it was not let in. What is refused as while paused may wait for an account or for its own group (§7)."""
    if waiting.reason != Denial.PAUSED.value or state.control.paused:
        return waiting.reason
    if waiting.key.account in state.unreachable:
        return ACCOUNT_AWAY
    return GROUP_STOPPED if group is not None and group.frozen else waiting.reason


def _blocker(state: State, waiting: Waiting, group: Group | None) -> str:
    """What neither a free slot nor the trader gets it past (§7)."""
    if state.control.paused:
        return "The engine is paused"
    if group is not None and group.side is not waiting.side:
        return f"The {group.side.value} of this pair is still open"
    if waiting.key.account in state.unreachable:
        return f"Account {waiting.key.account} cannot be reached"
    if (waiting.key.account, waiting.key.symbol) not in state.instruments:
        return "Its market rules have not arrived"
    if group is not None and group.frozen:
        return "Its group is stopped"
    return ""


def _rules(state: State, ranks: Sequence[tuple[Decimal | int, ...]]) -> list[Rule]:
    """For each place the rule that put it before the next; for the last the one that put it behind the one before."""
    names = [Rule.REVERSAL, *(_RULES[rule] for rule in state.settings.queue.priority), Rule.ARRIVAL]
    if len(ranks) == 1:
        return [Rule.ALONE]
    decided = [
        next((name for name, mine, other in zip(names, one, after, strict=True) if mine != other), Rule.ARRIVAL)
        for one, after in pairwise(ranks)
    ]
    return [*decided, *decided[-1:]]


def _money(state: State, waiting: Waiting) -> Money:
    key, account = waiting.key, state.settings.account(waiting.key.account)
    instrument = state.instruments.get((key.account, key.symbol))
    if account is None or instrument is None:
        return None, None
    group = _living(state, waiting)
    if group is not None and group.side is waiting.side and len(group.pyramids) < group.max_pyramids:
        index = len(group.pyramids)
        plan = group.plans[index]
    else:
        index = 0
        plan = state.settings.plan(
            account=key.account, symbol=key.symbol, timeframe=key.timeframe, side=waiting.side, pyramid=0
        )
    capital = pyramid_capital(state, account, instrument, plan, index, waiting.signal)
    known = capital is not None and usd_of(state, key.account, instrument.quote) != ZERO
    return capital, expected_profit(state, waiting) if known else None
