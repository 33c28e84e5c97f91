"""Makes the window's rows from the state: one group, with its pyramids and legs."""

from collections.abc import Iterable
from decimal import Decimal

from exengine.domain import pnl
from exengine.domain.adopting import missing
from exengine.domain.capital import taker_fee
from exengine.domain.group import Group, Leg, LegState, Pyramid
from exengine.domain.instrument import Instrument
from exengine.domain.money import ZERO, decimals_of
from exengine.domain.order import Role
from exengine.domain.reception import SignalRecord
from exengine.domain.settings import TakeProfitMode
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.domain.take_profit import aggregate_target, leg_target, target_price
from exengine.domain.watch import stop_price
from exengine.engine.changes import Trace
from exengine.engine.rows import GroupRow, Holding, LegRow, PyramidRow, SignalRow

_ENTERED = (LegState.PARTIALLY_FILLED, LegState.FILLED, LegState.TP_PLACED, LegState.CLOSED)
_UNDECIDED = (LegState.PLANNED, LegState.SUBMITTED, LegState.OPEN, LegState.PARTIALLY_FILLED)


def group_row(state: State, group: Group) -> GroupRow:
    """The row of a group. Call it within `money.arithmetic`."""
    instrument = state.instrument(group)
    legs = [leg for _, leg in group.legs()]
    orders = [*state.orders_for(group.id)]
    entries = [order for order in orders if order.role is Role.ENTRY]
    # An entry that was placed again and taken has no error any more.
    errors = {(order.pyramid, order.leg): order.error for order in entries}
    return GroupRow(
        id=group.id,
        account=group.key.account,
        symbol=group.key.symbol,
        timeframe=group.key.timeframe,
        side=group.side,
        quote=group.quote,
        base=group.base,
        price_decimals=decimals_of(instrument.tick_size),
        qty_decimals=decimals_of(instrument.step_size),
        pyramids=len(group.pyramids),
        max_pyramids=group.max_pyramids,
        legs_filled=_filled(legs),
        legs_total=len(legs),
        cost=pnl.cost(group),
        avg_entry=pnl.group_avg_entry(group),
        net_qty=group.net_qty,
        holding=_holding(group, legs),
        realised=pnl.realised(group),
        tp_mode=group.plans[0].take_profit.mode.value,
        target=_next_target(group, instrument),
        opened_at_ms=group.opened_at_ms,
        status=group.status.value,
        reason=group.reason.value if group.reason else None,
        error=group.frozen or (group.errors[-1] if group.errors else None),
        open_entries=sum(order.is_working for order in entries),
        pyramid_rows=tuple(_pyramid_row(group, pyramid, instrument, errors) for pyramid in group.pyramids),
        open_targets=sum(order.is_working for order in orders) - sum(order.is_working for order in entries),
        taker_fee=taker_fee(state, group),
        missing_qty=missing(Step(state, 0), group) if group.short_of_coins else None,
        frozen=group.frozen is not None,
        stop=stop_price(group),
        own_stop=group.stop_price,
        blocked=group.blocked,
        rules=instrument,
    )


def _filled(legs: Iterable[Leg]) -> int:
    return sum(leg.state in _ENTERED for leg in legs)


def _holding(group: Group, legs: Iterable[Leg]) -> Holding:
    legs = list(legs)
    cost = sum((pnl.leg_cost(leg, group.side, group.contract_size) for leg in legs), ZERO)
    net = sum((leg.net_qty for leg in legs), ZERO)
    return Holding(side=group.side, net_base=net * group.contract_size, cost=cost)


def _realised(legs: Iterable[Leg]) -> Decimal | None:
    closed = [leg.realised for leg in legs if leg.closed_qty]
    return sum(closed, ZERO) if closed else None


def _pyramid_row(
    group: Group, pyramid: Pyramid, instrument: Instrument, errors: dict[tuple[int | None, int | None], str | None]
) -> PyramidRow:
    holding = _holding(group, pyramid.legs)
    return PyramidRow(
        index=pyramid.index,
        base_price=pyramid.base_price,
        legs_filled=_filled(pyramid.legs),
        legs_total=len(pyramid.legs),
        cost=holding.cost,
        avg_entry=pnl.avg_entry(pyramid.legs, group.contract_size),
        holding=holding,
        realised=_realised(pyramid.legs),
        status=_pyramid_status(pyramid),
        legs=tuple(_leg_row(group, leg, instrument, errors.get((pyramid.index, leg.index))) for leg in pyramid.legs),
    )


def _pyramid_status(pyramid: Pyramid) -> str:
    states = {leg.state for leg in pyramid.legs}
    if not states.intersection(_ENTERED):
        return "live" if states.intersection(_UNDECIDED) else "cancelled"
    if states.intersection(_UNDECIDED):
        return "partially_filled"
    return "active" if states.intersection((LegState.FILLED, LegState.TP_PLACED)) else "closed"


def _leg_row(group: Group, leg: Leg, instrument: Instrument, error: str | None) -> LegRow:
    has_target = group.plans[0].take_profit.mode in (TakeProfitMode.LEG, TakeProfitMode.HYBRID)
    target = leg_target(group, leg, instrument)
    if target is None and leg.price > 0:
        target = target_price(instrument, group.side, leg.price, leg.tp_percent)
    return LegRow(
        index=leg.index,
        gap_percent=leg.gap_percent,
        weight_percent=leg.weight_percent,
        planned_price=leg.price,
        filled_quote=leg.entered_value,
        fill_price=pnl.average_price(leg, group.contract_size),
        # What a closed leg still holds is dust: it counts in the group, and has no result of its own to show.
        holding=_holding(group, [] if leg.state is LegState.CLOSED else [leg]),
        realised=leg.realised if leg.closed_qty else None,
        tp_percent=leg.tp_percent,
        target=target if has_target else None,
        state=leg.state.value,
        error=leg.error or error,
        planned_qty=leg.qty,
    )


def _next_target(group: Group, instrument: Instrument) -> Decimal | None:
    """The nearest target of what is held: the lowest of a long, the highest of a short."""
    mode = group.plans[0].take_profit.mode
    targets: list[Decimal] = []
    if mode in (TakeProfitMode.LEG, TakeProfitMode.HYBRID):
        held = [leg for _, leg in group.legs() if instrument.qty_floor(max(leg.net_qty, ZERO))]
        targets = [price for leg in held if (price := leg_target(group, leg, instrument)) is not None]
    if mode is TakeProfitMode.PYRAMID:
        for pyramid in group.pyramids:
            average = pnl.avg_entry(pyramid.legs, group.contract_size)
            if average is not None and any(leg.net_qty > 0 for leg in pyramid.legs):
                percent = group.plans[pyramid.index].take_profit.percent
                targets.append(target_price(instrument, group.side, average, percent))
    if mode in (TakeProfitMode.AGGREGATE, TakeProfitMode.HYBRID) or group.target_price is not None:
        whole = aggregate_target(group, instrument)
        if whole is not None and group.net_qty > 0:
            targets.append(whole)
    if not targets:
        return None
    return min(targets) if group.side.sign > 0 else max(targets)


def signal_row(record: SignalRecord, trace: Trace | None) -> SignalRow:
    """The row of a signal, with how far its orders have come."""
    signal, trace = record.signal, trace or Trace()
    outcome = record.outcome.value if record.outcome else ""
    return SignalRow(
        id=record.id,
        received_at_ms=record.received_at_ms,
        source=(signal.source if signal and signal.source else record.source_address),
        exchange=signal.exchange if signal else "",
        symbol=(record.symbol or (signal.symbol if signal else "")) or "",
        timeframe=signal.timeframe if signal else "",
        action=signal.action.value if signal else "",
        meaning=_MEANINGS.get(outcome, ""),
        outcome=outcome,
        reason=record.reason,
        group=record.group,
        stored_at_ms=record.stored_at_ms,
        decided_at_ms=record.decided_at_ms,
        sent_at_ms=trace.sent_at_ms,
        acknowledged_at_ms=trace.acknowledged_at_ms,
        filled_at_ms=trace.filled_at_ms,
        body=record.body,
        replay_of=record.replay_of,
    )


_MEANINGS = {
    "opened": "entry",
    "pyramid": "pyramid",
    "queued": "entry",
    "replaced": "entry",
    "exited": "exit",
    "nothing_to_exit": "exit",
    "removed": "exit",
    "reduced": "reduce",
    "reversed": "reverse",
}
