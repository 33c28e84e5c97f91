"""Re-placing the last pyramid's unfilled legs when a further entry comes and all pyramids are in (SPEC §8)."""

from dataclasses import replace

from exengine.domain.entry import Entry
from exengine.domain.grid import plan_ladder
from exengine.domain.group import Group, LegState
from exengine.domain.journal import Category, Severity
from exengine.domain.lifecycle import settle
from exengine.domain.money import plain
from exengine.domain.order import Role
from exengine.domain.orders_out import withdraw
from exengine.domain.settings import EntryOrder
from exengine.domain.step import Step

_UNFILLED = (LegState.SUBMITTED, LegState.OPEN, LegState.CANCELLED, LegState.REJECTED, LegState.BLOCKED)


def replace_last_pyramid(step: Step, entry: Entry, group: Group) -> bool:
    """Plans the last pyramid's unfilled legs at the new signal's price; False where all have filled."""
    pyramid = group.pyramids[-1]
    unfilled = {leg.index for leg in pyramid.legs if not leg.entered_qty and leg.state in _UNFILLED}
    if not unfilled:
        return False
    instrument = step.state.instrument(group)
    ladder = plan_ladder(
        grid=replace(group.plans[pyramid.index].grid, entry_order=EntryOrder.LIMIT),
        instrument=instrument,
        side=group.side,
        signal_price=entry.signal.price,
        group_base=group.pyramids[0].base_price if len(group.pyramids) > 1 else entry.signal.price,
        capital=pyramid.capital,
        last=step.state.last(group.key.account, group.key.symbol),
    )
    legs = tuple(
        replace(new, replan=new.state is not LegState.BLOCKED) if new.index in unfilled else old
        for old, new in zip(pyramid.legs, ladder.legs, strict=True)
    )
    newer = replace(pyramid, base_price=entry.signal.price, legs=legs)
    group = replace(
        group,
        pyramids=(*group.pyramids[:-1], newer),
        stop_price=entry.signal.stop_loss or group.stop_price,
        target_price=entry.signal.take_profit or group.target_price,
    )
    step.put_group(group)
    for order in step.state.working(group.id):
        if order.role is Role.ENTRY and order.pyramid == pyramid.index and not order.filled_qty:
            withdraw(step, order)
    step.note(
        Severity.INFO,
        Category.WEBHOOK,
        f"Pyramid {pyramid.index + 1}: {len(unfilled)} unfilled legs are placed anew from {plain(entry.signal.price)}.",
        group=group,
        signal_id=entry.signal_id,
    )
    settle(step, group.id)
    return True
