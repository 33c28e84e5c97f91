"""Each live group as the risk engine sees it, and what it would do for one of them, by the domain's own rules.

Call all of it within `money.arithmetic`, with a condensed state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from exengine.domain import risk
from exengine.domain.capital import usd_value
from exengine.domain.group import Group, GroupStatus
from exengine.domain.money import HUNDRED, ZERO, arithmetic, decimals_of
from exengine.domain.risk_timer import old_enough, timer_left_ms
from exengine.domain.settings import WhenShort
from exengine.domain.state import OffsetPlan, State
from exengine.engine.condensed import Sums
from exengine.engine.panel_rows import OffsetRow, PlanLine, PlanView, RiskRow, RiskState, RiskSummary

_MINUTE_MS = 60_000

KEPT_MS = 1_000
"""How long a row may stand where only the time has moved: timers, ages and prices too old to be trusted."""


class Offers(NamedTuple):
    """Who could pay now, best first, and what they bring in all."""

    ahead: list[Any]
    """Everyone whose closing would bring something."""
    profits: dict[str, Decimal]
    """Of those who would be asked, at most `max_winners`: by group, in USD."""
    total: Decimal


def offers(state: State, sums: Mapping[str, Sums], now_ms: int) -> Offers:
    """The winners of this moment. Only what is in profit before fees is looked at closely."""
    likely = {}
    for group_id, one in sums.items():
        last = state.last(one.group.key.account, one.group.key.symbol)
        if last is not None and one.net_base > 0 and one.unrealised(last) > 0:
            likely[group_id] = one.condensed
    ahead = risk.everyone_ahead(replace(state, groups=likely), now_ms)
    profits = {one.group.id: one.profit for one in ahead[: state.settings.risk.max_winners]}
    return Offers(ahead, profits, sum(profits.values(), ZERO))


class _Made(NamedTuple):
    """A row, when it was made, and of what."""

    row: RiskRow
    at_ms: int
    of: tuple[object, ...]


class RiskRows:
    """Every live group's row; made anew where something of it has changed, and at the latest after a second."""

    def __init__(self) -> None:
        self._made: dict[str, _Made] = {}

    def rows(self, state: State, sums: Mapping[str, Sums], offered: Offers, now_ms: int) -> dict[str, RiskRow]:
        known, made = self._made, {}
        profits, settings, last, away = offered.profits, state.settings, state.last, state.unreachable
        for group_id, one in sums.items():
            key = one.group.key
            price = last(key.account, key.symbol)
            of = (price, profits.get(group_id), settings, one, key.account in away)
            there = known.get(group_id)
            if there is None or not 0 <= now_ms - there.at_ms < KEPT_MS or there.of != of:
                there = _Made(_row(state, one, price, offered, now_ms), now_ms, of)
            made[group_id] = there
        self._made = made
        return {group_id: one.row for group_id, one in made.items()}


def _row(state: State, sums: Sums, last: Decimal | None, offered: Offers, now_ms: int) -> RiskRow:
    group = sums.group
    key = group.key
    percent = dollars = None
    if last is not None and sums.cost and sums.net_base:
        pnl = sums.unrealised(last)
        percent = pnl / sums.cost * HUNDRED
        usd = usd_value(state, group)
        dollars = pnl * usd if usd else None
    return RiskRow(
        id=group.id,
        account=key.account,
        symbol=key.symbol,
        timeframe=key.timeframe,
        side=group.side,
        state=_state_of(state, sums, percent, offered, now_ms),
        loss_percent=percent,
        loss_usd=dollars,
        timer_ends_ms=_timer_ends_ms(state, group, now_ms),
        pyramids=len(group.pyramids),
        max_pyramids=group.max_pyramids,
        old_at_ms=_old_at_ms(state, group, now_ms),
        brings_usd=offered.profits.get(group.id, ZERO),
        blocked=group.blocked,
        skip_once=group.skip_once,
        opened_at_ms=group.opened_at_ms,
    )


def _state_of(state: State, sums: Sums, percent: Decimal | None, offered: Offers, now_ms: int) -> RiskState:
    group, settings = sums.group, state.settings.risk
    if group.status is GroupStatus.CLOSING or group.partial is not None:
        return RiskState.CLOSING
    if group.frozen or group.key.account in state.unreachable:
        return RiskState.HELD_BACK
    if group.blocked:
        return RiskState.BLOCKED
    if not group.has_filled or sums.net_base <= 0:
        return RiskState.NO_FILL
    if group.skip_once:
        return RiskState.SKIPPED
    if group.id in offered.profits:
        return RiskState.WINNER
    is_deep = percent is not None and percent <= settings.loss_threshold_percent
    if is_deep and risk.is_loser(state, sums.condensed, now_ms):
        return RiskState.CANDIDATE
    if settings.require_full_pyramids and len(group.pyramids) < group.max_pyramids:
        return RiskState.NOT_FULL
    return RiskState.WAITING


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


def summary(state: State, rows: Mapping[str, RiskRow], offered: Offers, now_ms: int) -> RiskSummary:
    """The risk engine as a whole, and whom it would choose on request."""
    settings = state.settings.risk
    candidates = [row for row in rows.values() if row.state is RiskState.CANDIDATE]
    return RiskSummary(
        enabled=settings.enabled,
        evaluate_seconds=settings.evaluate_seconds,
        threshold_percent=settings.loss_threshold_percent,
        needs_all_pyramids=settings.require_full_pyramids,
        waits=settings.enable_post_full_wait,
        age_minutes=settings.age_threshold_minutes if settings.use_trade_age_filter else None,
        offers=len(offered.profits),
        offered_usd=offered.total,
        under_way=state.plan is not None,
        next_id=_next(state, candidates, offered, now_ms) if state.plan is None else None,
        candidates=len(candidates),
    )


def _next(state: State, candidates: list[RiskRow], offered: Offers, now_ms: int) -> str | None:
    """The first candidate, in the domain's order, that the winners can pay for."""
    if not offered.profits:
        return None
    # Rows of candidates always have a percentage.
    candidates.sort(key=lambda row: (row.loss_percent or ZERO, row.loss_usd or ZERO, row.opened_at_ms, row.id))
    for row in candidates:
        if risk.plan_for(state, state.groups[row.id], now_ms, offered.ahead) is not None:
            return row.id
    return None


# the plan for one group -------------------------------------------------------------------------------------------


def worst(rows: Iterable[RiskRow]) -> str | None:
    """Whose plan is shown where the trader has chosen nobody: the candidate, else the loser, that has lost most."""
    losing = [row for row in rows if row.loss_percent is not None and row.loss_percent < 0]
    if not losing:
        return None
    first = min(losing, key=lambda row: (row.state is not RiskState.CANDIDATE, row.loss_percent, row.opened_at_ms))
    return first.id


def plan_view(state: State, group_id: str, offered: Offers, now_ms: int) -> PlanView | None:
    """What would be done for a group if it were its turn now; None where it has lost nothing."""
    under_way = state.plan if state.plan is not None and state.plan.loser_id == group_id else None
    group = state.groups.get(group_id)
    if group is None:
        return None
    plan = under_way or risk.plan_for(state, group, now_ms, offered.ahead)
    if plan is None:
        return _no_plan(state, group, offered, now_ms)
    winners = tuple(_winner_line(state, plan, place) for place in range(len(plan.lines)))
    brings = sum((line.brings_usd for line in winners), ZERO)
    return PlanView(
        loser_id=group_id,
        required_usd=plan.required,
        winners=winners,
        loser=_loser_line(state, group, plan, brings),
        why_none="",
        under_way=under_way is not None,
    )


def _winner_line(state: State, plan: OffsetPlan, place: int) -> PlanLine:
    line = plan.lines[place]
    group = state.groups.get(line.group_id)
    if group is None:
        # Already closed by the plan: what it was is in its id.
        _, symbol, timeframe = line.group_id.partition("#")[0].split("|", 2)
        lost = state.groups[plan.loser_id]
        return PlanLine(
            group_id=line.group_id, symbol=symbol, timeframe=timeframe, side=lost.side, base=symbol.split("/")[0],
            qty=line.qty, of_qty=line.qty, qty_decimals=decimals_of(line.qty), brings_usd=line.realised,
        )  # fmt: skip
    instrument = state.instrument(group)
    return PlanLine(
        group_id=group.id,
        symbol=group.key.symbol,
        timeframe=group.key.timeframe,
        side=group.side,
        base=group.base,
        qty=line.qty,
        of_qty=line.qty if line.whole else max(group.net_qty, line.qty),
        qty_decimals=decimals_of(instrument.step_size),
        brings_usd=line.realised or line.expected,
    )


def _loser_line(state: State, group: Group, plan: OffsetPlan, brings: Decimal) -> PlanLine:
    instrument = state.instrument(group)
    held = group.sellable_qty(instrument)
    full = brings >= plan.required * risk.FULL_COVER
    qty = held if full else instrument.qty_floor(group.net_qty * brings / plan.required)
    share = plan.required if full else plan.required * qty / group.net_qty if group.net_qty else ZERO
    return PlanLine(
        group_id=group.id,
        symbol=group.key.symbol,
        timeframe=group.key.timeframe,
        side=group.side,
        base=group.base,
        qty=qty,
        of_qty=held,
        qty_decimals=decimals_of(instrument.step_size),
        brings_usd=-share,
    )


def _no_plan(state: State, group: Group, offered: Offers, now_ms: int) -> PlanView | None:
    last = state.fresh(group.key.account, group.key.symbol, now_ms)
    if group.net_qty <= 0:
        return None
    if last is None:
        why, required = "Its price is not known, or too old to decide on.", ZERO
    else:
        required = risk.required_usd(state, group, last)
        why = _why_uncovered(state, group, offered)
    return PlanView(loser_id=group.id, required_usd=required, winners=(), loser=None, why_none=why, under_way=False)


def _why_uncovered(state: State, group: Group, offered: Offers) -> str:
    if all(one.group.id == group.id for one in offered.ahead):
        return "No group is in profit after fees, so nothing could pay for it."
    if state.settings.risk.when_short is WhenShort.SKIP:
        return "The winners bring too little for all of it, and a part is not to be closed (risk.when_short)."
    return "What the winners bring would close too little of it to be sold."


def offset_row(number: int, plan: OffsetPlan) -> OffsetRow:
    """The history's row of an offset that has come to its end."""
    with arithmetic():
        realised = sum((line.realised for line in plan.lines), ZERO)
    return OffsetRow(
        id=number,
        at_ms=plan.at_ms,
        loser=plan.loser_id,
        required=plan.required,
        winners=tuple(line.group_id for line in plan.lines),
        realised=realised,
    )
