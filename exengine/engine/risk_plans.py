"""What the risk engine would do for a group, and for which one, by the domain's own rules.

Call all of it within `money.arithmetic`, with a condensed state.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal
from operator import attrgetter

from exengine.domain import risk
from exengine.domain.group import Group, GroupKey
from exengine.domain.instrument import Instrument
from exengine.domain.money import ZERO, arithmetic, decimals_of
from exengine.domain.risk_ranking import FULL_COVER
from exengine.domain.settings import WhenShort
from exengine.domain.state import OffsetPlan, State
from exengine.engine.panel_rows import OffsetRow, PlanLine, PlanView, RiskRow, RiskState, RiskSummary
from exengine.engine.risk_rows import Offers


def summary(state: State, candidates: Collection[RiskRow], offered: Offers, now_ms: int) -> RiskSummary:
    """The risk engine as a whole, and whom it would choose on request."""
    settings = state.settings.risk
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


def _next(state: State, candidates: Collection[RiskRow], offered: Offers, now_ms: int) -> str | None:
    """The first candidate, in the domain's order, that the winners can pay for."""
    if not offered.profits:
        return None
    for row in sorted(candidates, key=_in_turn):
        if risk.plan_for(state, state.groups[row.id], now_ms, offered.ahead) is not None:
            return row.id
    return None


def _in_turn(row: RiskRow) -> tuple[Decimal, Decimal, int, str]:
    """Rows of candidates always have a percentage."""
    return row.loss_percent or ZERO, row.loss_usd or ZERO, row.opened_at_ms, row.id


# the plan for one group -------------------------------------------------------------------------------------------


def is_losing(row: RiskRow) -> bool:
    return row.loss_percent is not None and row.loss_percent < 0


def worst(rows: Iterable[RiskRow], candidates: Collection[RiskRow], rather: RiskRow | None = None) -> RiskRow | None:
    """Whose plan is shown where the trader has chosen nobody: the candidate, else the loser, that has lost most.

    `rather` is a loser that is given back unless it is no candidate and somebody else is one.
    """
    if rather is not None and (rather.state is RiskState.CANDIDATE or not candidates):
        return rather
    return min(candidates or filter(is_losing, rows), key=_LOST_MOST, default=None)


_LOST_MOST = attrgetter("loss_percent", "opened_at_ms")


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
        key, lost = GroupKey.of(line.group_id), state.groups[plan.loser_id]
        return PlanLine(
            group_id=line.group_id, symbol=key.symbol, timeframe=key.timeframe, side=lost.side,
            base=key.symbol.split("/")[0], qty=line.qty, of_qty=line.qty, qty_decimals=decimals_of(line.qty),
            brings_usd=line.realised,
        )  # fmt: skip
    of_qty = line.qty if line.whole else max(group.net_qty, line.qty)
    return _line(group, state.instrument(group), line.qty, of_qty, line.realised or line.expected)


def _loser_line(state: State, group: Group, plan: OffsetPlan, brings: Decimal) -> PlanLine:
    instrument = state.instrument(group)
    held = group.sellable_qty(instrument)
    full = brings >= plan.required * FULL_COVER
    qty = held if full else instrument.qty_floor(group.net_qty * brings / plan.required)
    share = plan.required if full else plan.required * qty / group.net_qty if group.net_qty else ZERO
    return _line(group, instrument, qty, held, -share)


def _line(group: Group, instrument: Instrument, qty: Decimal, of_qty: Decimal, brings: Decimal) -> PlanLine:
    return PlanLine(
        group_id=group.id,
        symbol=group.key.symbol,
        timeframe=group.key.timeframe,
        side=group.side,
        base=group.base,
        qty=qty,
        of_qty=of_qty,
        qty_decimals=decimals_of(instrument.step_size),
        brings_usd=brings,
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
        return "No group is in profit after fees."
    if state.settings.risk.when_short is WhenShort.SKIP:
        allowed = "a part is not to be closed (Settings, Risk: If winners fall short)"
        return f"The winners bring too little for all of it, and {allowed}."
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
