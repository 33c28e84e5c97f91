"""The risk engine: pays off the worst loser with the profit of winners, in dollars (SPEC §8).

A plan is stored before its first order. Winners are closed first; what they really brought decides how much of the
loser goes. `carry_on` looks at what is and takes the next step, so that a plan that was interrupted simply goes on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from exengine.domain import pnl
from exengine.domain.capital import taker_fee, usd_value
from exengine.domain.cause import of_offset
from exengine.domain.group import CloseReason, Group, GroupStatus, PartialClose
from exengine.domain.instrument import Instrument
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.lifecycle import begin_closing, settle
from exengine.domain.money import ZERO, plain
from exengine.domain.order import LegRef, Order, Role
from exengine.domain.risk_levels import Markets, Standing, levels_of, near
from exengine.domain.risk_ranking import FULL_COVER, Ahead, Offer, by_loss, by_profit, each_ahead
from exengine.domain.risk_timer import old_enough, timer_left_ms
from exengine.domain.settings import WhenShort
from exengine.domain.state import OffsetLine, OffsetPlan, State
from exengine.domain.step import Step


class _Winner(NamedTuple):
    group: Group
    instrument: Instrument
    last: Decimal
    usd: Decimal
    """What one unit of its quote is worth in USD."""
    gain: Decimal
    """What closing one contract really brings, in USD."""
    profit: Decimal


def evaluate(step: Step, *, on_request: bool = False) -> None:
    """One look: carries the plan on that is under way, else makes one for the worst candidate that can be covered.

    On the trader's request neither the timer nor `risk.enabled` counts.
    """
    state = step.state
    if state.plan is not None:
        carry_on(step)
        return
    if not (state.settings.risk.enabled or on_request):
        return
    losing, ahead = near(Markets(state, step.now_ms))
    skipped = _pass_over(step, [one for one in losing if one[1].skips], on_request=on_request)
    payers = list(islice(_payers(state, ahead, step.now_ms), state.settings.risk.max_winners + 1)) if losing else []
    if not payers:
        return
    offer = _offer(state, payers)
    for loser in by_loss(losing, offer):
        group = loser.group
        if group.id in skipped or offer.is_nothing(loser) or not _is_due(state, group, step.now_ms, on_request):
            continue
        plan = plan_for(state, group, step.now_ms, payers)
        if plan is not None:
            _begin(step, group, replace(plan, on_request=on_request))
            return


def _offer(state: State, payers: Sequence[_Winner]) -> Offer:
    """`payers` are one more than may pay: a loser never pays for itself."""
    most = payers[: state.settings.risk.max_winners]
    sold = [(one, _portion(state, one, one.profit)) for one in most]
    return Offer(
        sum((one.profit for one in most), ZERO),
        sum((one.gain * qty for one, qty in sold if qty > 0), ZERO),
        skips=state.settings.risk.when_short is WhenShort.SKIP,
        symbols={(one.group.key.account, one.group.key.symbol) for one in payers},
    )


def _pass_over(step: Step, losing: Sequence[Standing], *, on_request: bool) -> set[str]:
    """The candidates that the trader has asked to skip, each told so and skipped no longer; in the order of groups."""
    state, found = step.state, set()
    if losing:
        asked = [loser.group for loser in by_loss(losing) if loser.group.skip_once]
        found = {group.id for group in asked if _is_due(state, group, step.now_ms, on_request)}
        for group in [group for group in state.groups.values() if group.id in found]:
            step.put_group(replace(group, skip_once=False))
            step.note(Severity.INFO, Category.RISK, "Passed over once, as the trader asked.", group=group)
    return found


def _is_due(state: State, group: Group, now_ms: int, on_request: bool) -> bool:
    """Whether a group that loses enough is a candidate now, a skip aside."""
    return _may_be_paid_off(state, group, now_ms) and (on_request or timer_left_ms(state, group, now_ms) == 0)


def is_loser(state: State, group: Group, now_ms: int) -> bool:
    """Whether a group is a candidate, the timer and a skip aside."""
    if not _may_be_paid_off(state, group, now_ms):
        return False
    last = state.fresh(group.key.account, group.key.symbol, now_ms)
    percent = pnl.profit_percent(group, last) if last is not None else None
    return percent is not None and percent <= state.settings.risk.loss_threshold_percent


def _may_be_paid_off(state: State, group: Group, now_ms: int) -> bool:
    """Whether a group is a candidate if it loses enough, the timer and a skip aside."""
    risk = state.settings.risk
    if not _may_be_touched(state, group, now_ms) or not group.has_filled or pnl.holding(group).net_qty <= 0:
        return False
    if risk.require_full_pyramids and len(group.pyramids) < group.max_pyramids:
        return False
    return not risk.use_trade_age_filter or old_enough(state, group, now_ms)


def _may_be_touched(state: State, group: Group, now_ms: int) -> bool:
    """Whether a group may be part of an offset; one that the exchange has just refused to close rests for a while."""
    if group.key.account in state.unreachable:
        return False
    if group.rests(now_ms):
        return False
    return not (group.status is GroupStatus.CLOSING or group.blocked or group.frozen or group.partial)


def winners(state: State, loser: Group, now_ms: int, among: Sequence[_Winner] | None = None) -> list[_Winner]:
    """Who would pay for `loser`, largest profit first, at most `max_winners`; `among` everyone ahead, where known."""
    ahead = everyone_ahead(state, now_ms) if among is None else among
    return list(islice((one for one in ahead if one.group.id != loser.id), state.settings.risk.max_winners))


def everyone_ahead(state: State, now_ms: int) -> list[_Winner]:
    """All groups whose closing would bring something, largest profit first."""
    return list(_payers(state, near(Markets(state, now_ms))[1], now_ms))


def those_ahead(state: State, now_ms: int, among: Iterable[Group]) -> Iterator[_Winner]:
    """The same of some groups, in no order."""
    markets = Markets(state, now_ms)
    for group in among:
        market = markets.of(group)
        if market.terms is not None and pnl.holding(group).net_qty > 0:
            each = ((group, levels_of(group, market.terms)),)
            yield from _payers_of(state, each_ahead(market, each), now_ms)


def _payers(state: State, ahead: Sequence[Standing], now_ms: int) -> Iterator[_Winner]:
    """Largest profit first; no more of them are looked at closely than are asked for."""
    return _payers_of(state, by_profit(ahead), now_ms)


def _payers_of(state: State, ahead: Iterable[Ahead], now_ms: int) -> Iterator[_Winner]:
    for one in ahead:
        group, market = one.group, one.market
        if market.last is not None and _may_be_touched(state, group, now_ms):
            rules = market.rules or group.own_rules
            yield _Winner(group, rules, market.last, market.usd, one.gain, -one.below)


def most_first(winner: _Winner) -> tuple[Decimal, int, str]:
    """By what winners are sorted: largest profit first, then the oldest."""
    return -winner.profit, winner.group.opened_at_ms, winner.group.id


def required_usd(state: State, loser: Group, last: Decimal) -> Decimal:
    """|unrealised PnL of the loser| + estimated taker fees of closing it."""
    notional = last * pnl.holding(loser).net_qty * loser.contract_size
    return (abs(pnl.unrealised(loser, last)) + notional * taker_fee(state, loser)) * usd_value(state, loser)


def plan_for(state: State, loser: Group, now_ms: int, among: Sequence[_Winner] | None = None) -> OffsetPlan | None:
    """What would be done for `loser` now; None where nothing can be covered. `among`: everyone ahead, where known."""
    last = state.fresh(loser.key.account, loser.key.symbol, now_ms)
    if last is None:
        return None
    required = required_usd(state, loser, last)
    left, brings, lines = required, ZERO, []
    for winner in winners(state, loser, now_ms, among):
        if left <= 0:
            break
        take = min(winner.profit, left)
        qty = _portion(state, winner, take)
        if qty <= 0:
            continue
        left -= take
        brings += winner.gain * qty
        whole = qty >= winner.group.sellable_qty(winner.instrument)
        lines.append(OffsetLine(group_id=winner.group.id, take=take, qty=qty, whole=whole, expected=winner.gain * qty))
    if not lines:
        return None
    instrument, share = state.instrument(loser), loser.net_qty
    if brings < required * FULL_COVER:
        if state.settings.risk.when_short is WhenShort.SKIP:
            return None
        share *= brings / required
    if instrument.is_below_minimum(last, instrument.qty_floor(share)):
        return None
    return OffsetPlan(at_ms=now_ms, loser_id=loser.id, required=required, lines=tuple(lines))


def _portion(state: State, winner: _Winner, take: Decimal) -> Decimal:
    """How much of a winner is closed to bring `take`: on the step, not too small, and never leaving too little."""
    risk, instrument = state.settings.risk, winner.instrument
    all_of_it = winner.group.sellable_qty(instrument)
    if not risk.partial_close_enabled:
        return ZERO if instrument.is_below_minimum(winner.last, all_of_it) else all_of_it
    worth = winner.last * winner.group.contract_size * winner.usd
    qty = min(instrument.qty_ceil(take / winner.gain), all_of_it)
    if qty * worth < risk.min_close_notional:
        qty = min(instrument.qty_ceil(risk.min_close_notional / worth), all_of_it)
    if (all_of_it - qty) * worth < risk.min_close_notional:
        qty = all_of_it
    return ZERO if instrument.is_below_minimum(winner.last, qty) else qty


def _begin(step: Step, loser: Group, plan: OffsetPlan) -> None:
    with step.because(of_offset(plan.at_ms)):
        _close_winners(step, loser, plan)
        carry_on(step)


def _close_winners(step: Step, loser: Group, plan: OffsetPlan) -> None:
    step.put_plan(plan)
    words = ", ".join(f"{plain(line.qty)} of {line.group_id}" for line in plan.lines)
    step.note(
        Severity.INFO,
        Category.RISK,
        f"Offset: {plain(plan.required.quantize(Decimal('0.01')))} USD of loss are to be paid by {words}.",
        group=loser,
    )
    for line in plan.lines:
        group = step.group(line.group_id)
        if line.whole:
            begin_closing(step, group.id, CloseReason.RISK_OFFSET)
        else:
            _close_part(step, group, line.qty)


def _close_part(step: Step, group: Group, qty: Decimal) -> None:
    takes = takes_pro_rata(group, qty, step.state.instrument(group))
    partial = PartialClose(role=Role.RISK, qty=qty, takes=takes, cause=step.cause)
    step.put_group(replace(group, partial=partial))
    settle(step, group.id)


def takes_pro_rata(group: Group, qty: Decimal, instrument: Instrument) -> tuple[tuple[LegRef, Decimal], ...]:
    """`qty` shared over the filled legs pro rata, floored to the step, the last leg taking the rest."""
    held = [(ref, leg.net_qty) for ref, leg in group.legs() if leg.net_qty > 0]
    total = sum((net for _, net in held), ZERO)
    takes = {ref: instrument.qty_floor(qty * net / total) for ref, net in held}
    rest = qty - sum(takes.values(), ZERO)
    for ref, net in reversed(held):
        more = min(net - takes[ref], rest)
        takes[ref] += more
        rest -= more
    return tuple((ref, take) for ref, take in takes.items() if take > 0)


def count_fill(step: Step, order: Order, realised: Decimal) -> None:
    """Adds what a winner has really brought to its line of the plan, also by a target that filled on its way out."""
    plan = step.state.plan
    if plan is None or order.role is Role.ENTRY or order.group_id == plan.loser_id:
        return
    group = step.group(order.group_id)
    if not (order.role is Role.RISK or (group.partial is not None and group.partial.role is Role.RISK)
            or group.reason is CloseReason.RISK_OFFSET):  # fmt: skip
        return
    lines = tuple(
        replace(line, realised=line.realised + realised * usd_value(step.state, group))
        if line.group_id == order.group_id
        else line
        for line in plan.lines
    )
    step.put_plan(replace(plan, lines=lines))


def carry_on(step: Step) -> None:
    """Takes the plan's next step, as far as it can be taken now."""
    plan = step.state.plan
    if plan is not None:
        with step.because(of_offset(plan.at_ms)):
            _carry_on(step, plan)


def _carry_on(step: Step, plan: OffsetPlan) -> None:
    if any(_is_under_way(step, line.group_id) for line in plan.lines):
        return
    if not plan.loser_begun:
        loser = step.state.groups.get(plan.loser_id)
        if loser is not None and loser.partial is not None and not loser.frozen:
            return  # a reduction that is under way comes to its end first
        step.put_plan(replace(plan, loser_begun=True))
        _close_loser(step, plan)
        assert step.state.plan is not None
        plan = step.state.plan
    if not _is_under_way(step, plan.loser_id):
        _finish(step, plan)


def _is_under_way(step: Step, group_id: str) -> bool:
    group = step.state.groups.get(group_id)
    return group is not None and not group.frozen and (group.status is GroupStatus.CLOSING or group.partial is not None)


def _close_loser(step: Step, plan: OffsetPlan) -> None:
    loser = step.state.groups.get(plan.loser_id)
    realised = sum((line.realised for line in plan.lines), ZERO)
    if loser is None or loser.status is GroupStatus.CLOSING or realised <= 0:
        return
    if realised >= plan.required * FULL_COVER:
        begin_closing(step, loser.id, CloseReason.RISK_OFFSET)
        return
    instrument = step.state.instrument(loser)
    qty = instrument.qty_floor(loser.net_qty * realised / plan.required)
    last = step.state.last(loser.key.account, loser.key.symbol)
    if last is not None and not instrument.is_below_minimum(last, qty):
        _close_part(step, loser, qty)


def _finish(step: Step, plan: OffsetPlan) -> None:
    brought = sum((line.realised for line in plan.lines), ZERO)
    step.finish_plan(plan)
    loser = step.state.groups.get(plan.loser_id)
    what = "closed whole" if loser is None else "closed in part"
    step.note(
        Severity.INFO,
        Category.RISK,
        f"Offset done: {plan.loser_id} {what}, paid by {plain(brought.quantize(Decimal('0.01')))} USD of profit.",
        topic=Topic.OFFSET,
    )
    evaluate(step, on_request=plan.on_request)
