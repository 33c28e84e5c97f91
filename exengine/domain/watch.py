"""What is watched instead of resting on the exchange: stops, watched targets, trailing, abandoned ladders (§3.2, §4.1).

The price looks at the groups of its symbol, oldest first, after it has filled what rests there (§11).
"""

from dataclasses import replace
from decimal import Decimal

from exengine.domain import pnl
from exengine.domain.group import CloseReason, Group, GroupStatus, PartialClose
from exengine.domain.journal import Category, Severity
from exengine.domain.lifecycle import begin_closing, settle
from exengine.domain.money import HUNDRED, ZERO, plain
from exengine.domain.order import LegRef, Role
from exengine.domain.orders_out import withdraw
from exengine.domain.settings import BeyondLastLeg, TakeProfitMode, TargetOrder
from exengine.domain.step import Step
from exengine.domain.take_profit import Target, aggregate_target, from_average, targets


def look(step: Step, account: str, symbol: str) -> None:
    """Looks at every group of a symbol at its last price."""
    last = step.state.last(account, symbol)
    if last is None:
        return
    for group_id in step.state.by_symbol.get((account, symbol), ()):
        group = step.state.groups.get(group_id)
        if group is None or group.frozen:
            continue
        if group.status is GroupStatus.CLOSING:
            if group.again_at_ms is not None and not group.rests(step.now_ms):
                step.put_group(replace(group, again_at_ms=None, close_attempts=0))
                settle(step, group_id)
            continue
        _drop_entries(step, group, last)
        group = step.state.groups.get(group_id)
        if group is None or group.status is GroupStatus.CLOSING or not group.has_filled or group.net_qty <= 0:
            continue
        if not _stopped(step, group, last):
            _targets(step, group, last)


def stop_price(group: Group) -> Decimal | None:
    """Where the group is stopped: the signal's price first, else `stop_loss_percent` from its average."""
    if group.stop_price is not None:
        return group.stop_price
    percent = group.plans[0].take_profit.stop_loss_percent
    if percent is None:
        return None
    average = pnl.avg_entry((leg for _, leg in group.legs()), group.contract_size)
    if average is None:
        return None
    return from_average(average, -group.side.sign * percent)


def _reached(group: Group, last: Decimal, target: Decimal) -> bool:
    """Whether the price has come to a target above a long, below a short."""
    return (last - target) * group.side.sign >= 0


def _stopped(step: Step, group: Group, last: Decimal) -> bool:
    stop = stop_price(group)
    if stop is None or (last - stop) * group.side.sign > 0:
        return False
    step.note(Severity.WARNING, Category.ORDER, f"Stop touched: {plain(last)} against {plain(stop)}.", group=group)
    begin_closing(step, group.id, CloseReason.STOP_LOSS)
    return True


def _targets(step: Step, group: Group, last: Decimal) -> None:
    settings = group.plans[0].take_profit
    if settings.trailing_percent is None and not watches_whole(group) and settings.order is TargetOrder.LIMIT:
        return
    instrument = step.state.instrument(group)
    if group.status is GroupStatus.PARTIALLY_FILLED and instrument.is_below_minimum(
        last, group.sellable_qty(instrument)
    ):
        return  # too little to sell yet: it waits for more
    whole = aggregate_target(group, instrument)
    if settings.trailing_percent is not None:
        _trail(step, group, last, whole, settings.trailing_percent)
        return
    by_market = settings.order is TargetOrder.MARKET
    if watches_whole(group) and whole is not None and _reached(group, last, whole):
        begin_closing(step, group.id, CloseReason.TP)
    elif by_market and group.partial is None and not group.rests(step.now_ms):
        touched = [target for target in targets(step.state, group) if _reached(group, last, target.price)]
        if touched:
            _close_touched(step, group, touched)


def watches_whole(group: Group) -> bool:
    """Whether the whole group's target is watched rather than resting on the exchange."""
    settings = group.plans[0].take_profit
    if settings.mode is TakeProfitMode.AGGREGATE:
        return settings.order is TargetOrder.MARKET
    return settings.mode is TakeProfitMode.HYBRID or group.target_price is not None


def _trail(step: Step, group: Group, last: Decimal, whole: Decimal | None, percent: Decimal) -> None:
    """Once the aggregate target was touched, closes when the price falls back `percent` from its best."""
    best = group.best_price
    if best is None:
        if whole is None or not _reached(group, last, whole):
            return
        best = last
    better = max(best, last) if group.side.sign > 0 else min(best, last)
    if better != group.best_price:
        group = replace(group, best_price=better)
        step.put_group(group)
    back = better * (1 - group.side.sign * percent / HUNDRED)
    if (last - back) * group.side.sign <= 0:
        begin_closing(step, group.id, CloseReason.TP)


def _close_touched(step: Step, group: Group, touched: list[Target]) -> None:
    """Closes the legs (pyramids) whose watched target was touched, in one market order."""
    takes: dict[LegRef, Decimal] = {}
    for target in touched:
        left = target.qty
        for ref in target.covers:
            take = min(group.leg(ref).net_qty, left)
            left -= take
            if take > 0:
                takes[ref] = takes.get(ref, ZERO) + take
    qty = sum(takes.values(), ZERO)
    if qty >= group.sellable_qty(step.state.instrument(group)):
        # What is held goes whole; the group lives on only where entries are to be kept.
        settings = group.plans[0].take_profit
        if settings.close_when_flat or group.status is GroupStatus.ACTIVE:
            begin_closing(step, group.id, CloseReason.TP)
            return
    partial = PartialClose(role=Role.TP, qty=qty, takes=tuple(takes.items()), cause=step.cause_of(group))
    step.put_group(replace(group, partial=partial))
    settle(step, group.id)


def _drop_entries(step: Step, group: Group, last: Decimal) -> None:
    """Cancels the unfilled legs of pyramids that the price has left behind (§3.2)."""
    sign = group.side.sign
    dropped = False
    for pyramid in group.pyramids:
        grid = group.plans[pyramid.index].grid
        gone = False
        if grid.abandon_percent is not None:
            gone = (last - pyramid.base_price) * sign >= pyramid.base_price * grid.abandon_percent / HUNDRED
        if grid.beyond_last_leg is BeyondLastLeg.CANCEL:
            lowest = pyramid.last_price(sign)
            gone = gone or (lowest - last) * sign >= lowest * grid.beyond_last_leg_percent / HUNDRED
        if not gone:
            continue
        for order in step.state.working(group.id):
            if order.role is Role.ENTRY and order.pyramid == pyramid.index and not order.cancel_requested:
                withdraw(step, order)
                dropped = True
    if dropped:
        step.note(
            Severity.INFO,
            Category.ORDER,
            f"The price has left the ladder behind at {plain(last)}: its unfilled legs are cancelled.",
            group=group,
        )
