"""Entries: may this signal open a group or add a pyramid, and if so, the whole ladder at once (SPEC §3.1)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exengine.domain import capital
from exengine.domain.changed import changed
from exengine.domain.grid import Ladder, plan_ladder
from exengine.domain.group import Group, GroupKey, GroupStatus, LegState, Pyramid
from exengine.domain.instrument import Instrument, MarketType, OrderSide, Side
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.meaning import Ask, Meaning
from exengine.domain.money import HUNDRED, plain
from exengine.domain.order import Role
from exengine.domain.orders_out import bound_price, place
from exengine.domain.routing import Destination, rules_for
from exengine.domain.settings import AccountSettings, PyramidPlan, SizingMode
from exengine.domain.signal import FieldError, Signal
from exengine.domain.signal_parse import entry_risk_errors
from exengine.domain.state import State
from exengine.domain.step import Step


class Denial(Enum):
    """Why an entry is not made. The order of the checks is SPEC §3.1's; the value is the reason that is kept."""

    SHORT_NOT_SUPPORTED = "short_not_supported"
    MAX_PYRAMIDS = "max_pyramids"
    OPPOSITE_SIDE = "opposite_side"
    MISSING_RULES = "missing_rules"
    PAUSED = "paused"
    POOL_FULL = "pool_full"
    MAX_PER_SYMBOL = "max_per_symbol"
    TOO_CLOSE = "too_close"
    PRECISION = "precision"
    SLIPPAGE = "slippage"
    BELOW_MINIMUM = "below_minimum"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    MAX_EXPOSURE = "max_exposure"
    NO_SIZE = "tv.order_size"
    """`sizing.mode` is `signal` and the signal brings no size: invalid, by field."""

    @property
    def waits(self) -> bool:
        """Whether such an entry waits in the queue instead of being refused."""
        return self in (Denial.OPPOSITE_SIDE, Denial.MISSING_RULES, Denial.PAUSED, Denial.POOL_FULL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry that is asked for."""

    key: GroupKey
    side: Side
    signal_id: int
    signal: Signal
    account: AccountSettings
    forced: bool = False
    """Whether the trader pushes it past the pool's limit."""
    inherits_slot: bool = False
    """Whether it takes the slot that a reversed group has left in this very step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    group: Group | None
    index: int
    plan: PyramidPlan
    instrument: Instrument
    capital: Decimal
    ladder: Ladder


def enter(step: Step, entry: Entry) -> Group | Denial:
    """Opens a group or adds a pyramid, all legs together; or says why not, and then nothing has changed."""
    prepared = _prepare(step.state, entry)
    if isinstance(prepared, Denial):
        return prepared
    group = prepared.group or _new_group(step.state, entry, prepared, step.now_ms)
    pyramid = Pyramid(
        index=prepared.index,
        base_price=entry.signal.price,
        capital=prepared.capital,
        signal_id=entry.signal_id,
        received_at_ms=step.now_ms,
        legs=prepared.ladder.legs,
        slippage_percent=entry.signal.max_slippage_percent,
    )
    group = changed(
        group,
        pyramids=(*group.pyramids, pyramid),
        stop_price=entry.signal.stop_loss or group.stop_price,
        target_price=entry.signal.take_profit or group.target_price,
    )
    step.put_group(group)
    for warning in prepared.ladder.warnings:
        step.note(Severity.WARNING, Category.PRECISION, warning, group=group, signal_id=entry.signal_id)
    _place_ladder(step, group, pyramid, prepared, entry)
    legs = sum(leg.state is not LegState.BLOCKED for leg in pyramid.legs)
    what = "Opened" if pyramid.index == 0 else f"Pyramid {pyramid.index + 1} added"
    step.note(
        Severity.INFO,
        Category.ORDER,
        f"{what} {entry.side.value}: {legs} legs from {plain(entry.signal.price)}"
        f" with {plain(prepared.capital)} {group.quote}.",
        group=group,
        signal_id=entry.signal_id,
        topic=Topic.GROUP_OPENED if pyramid.index == 0 else None,
    )
    return step.group(group.id)


def entry_errors(state: State, signal: Signal, destination: Destination, asked: Meaning) -> tuple[FieldError, ...]:
    """What makes an entry invalid: a stop or target on the wrong side, or no size where the signal has to bring it."""
    if asked.ask not in (Ask.ENTRY, Ask.REVERSE) or asked.side is None:
        return ()
    errors = entry_risk_errors(signal, asked.side)
    account, side = destination.account, asked.side
    short_on_spot = side is Side.SHORT and account.market_type is MarketType.SPOT
    if signal.order_size is not None or not destination.known or short_on_spot:
        return errors
    key = GroupKey(account.name, destination.symbol, signal.timeframe)
    group = _living(state, key)
    if group and group.side is side and group.status is not GroupStatus.CLOSING:
        plan = group.plans[min(len(group.pyramids), group.max_pyramids - 1)]
    else:
        plan = _plan(state, key, side, 0)
    if plan.sizing.mode is SizingMode.SIGNAL:
        errors += (FieldError(field=Denial.NO_SIZE.value, message="is missing, and sizing.mode is signal"),)
    return errors


def _living(state: State, key: GroupKey) -> Group | None:
    return state.groups.get(state.live.get(key, ""))


def _is_netted(state: State, entry: Entry) -> bool:
    """Whether another timeframe holds the symbol's other side: a perpetual account has one position a symbol.

    In one-way mode the two would be one, and the exits of either, which may only reduce, would be cut or refused.
    """
    there = state.by_symbol.get((entry.key.account, entry.key.symbol), ())
    netted = entry.account.market_type is MarketType.SWAP
    return netted and any(state.groups[group_id].side is not entry.side for group_id in there)


def _prepare(state: State, entry: Entry) -> _Prepared | Denial:
    key, side, signal = entry.key, entry.side, entry.signal
    if side is Side.SHORT and entry.account.market_type is MarketType.SPOT:
        return Denial.SHORT_NOT_SUPPORTED
    group = _living(state, key)
    if group and group.side is side and group.status is not GroupStatus.CLOSING:
        if len(group.pyramids) >= group.max_pyramids:
            return Denial.MAX_PYRAMIDS
    elif group or _is_netted(state, entry):
        return Denial.OPPOSITE_SIDE
    instrument = rules_for(state, entry.account, key.symbol)
    if instrument is None:
        return Denial.MISSING_RULES
    if state.control.paused or key.account in state.unreachable or (group and group.frozen):
        return Denial.PAUSED
    denial = _no_room(state, entry, group)
    if denial:
        return denial
    index = len(group.pyramids) if group else 0
    plan = group.plans[index] if group else _plan(state, key, side, 0)
    if group and _is_too_close(group, plan, signal.price):
        return Denial.TOO_CLOSE
    if signal.strict_precision and not instrument.on_tick(signal.price):
        return Denial.PRECISION
    money = capital.pyramid_capital(state, entry.account, instrument, plan, index, signal)
    if money is None:
        return Denial.NO_SIZE
    last = state.last(key.account, key.symbol)
    ladder = plan_ladder(
        grid=plan.grid,
        instrument=instrument,
        side=side,
        signal_price=signal.price,
        group_base=group.pyramids[0].base_price if group else signal.price,
        capital=money,
        last=last,
    )
    if _is_beyond_bound(state, entry, instrument, ladder, last):
        return Denial.SLIPPAGE
    if ladder.reject:
        return Denial.BELOW_MINIMUM
    needed = ladder.needed_quote(instrument.contract_size, last)
    if needed / state.leverage(key.account) > capital.free_quote(state, entry.account, instrument.quote):
        return Denial.INSUFFICIENT_FUNDS
    limit = state.settings.pool.max_exposure
    if limit is not None and capital.exposure_quote(state) + needed > limit:
        return Denial.MAX_EXPOSURE
    return _Prepared(group=group, index=index, plan=plan, instrument=instrument, capital=money, ladder=ladder)


def _no_room(state: State, entry: Entry, group: Group | None) -> Denial | None:
    """Whether the pool holds the entry back: a new group takes a slot, a pyramid none unless bypassing is off (§7)."""
    pool = state.settings.pool
    needs_slot = group is None or not pool.pyramids_bypass
    if needs_slot and not (entry.forced or entry.inherits_slot) and len(state.groups) >= pool.max_open_groups:
        return Denial.POOL_FULL
    if group is None and pool.max_per_symbol is not None:
        same = sum(one.key.symbol == entry.key.symbol for one in state.groups.values())
        if same >= pool.max_per_symbol:
            return Denial.MAX_PER_SYMBOL
    return None


def _is_beyond_bound(state: State, entry: Entry, instrument: Instrument, ladder: Ladder, last: Decimal | None) -> bool:
    """Whether a paper market entry would fill beyond its bound; a real exchange's own answer tells (§4.3)."""
    percent = entry.account.paper_slippage_percent
    if not percent or last is None or not any(leg.market for leg in ladder.legs):
        return False
    side = entry.side.entry
    bound = instrument.slipped(last, side, _slippage_bound(state, entry.signal))
    price = instrument.slipped(last, side, percent)
    return price > bound if side is OrderSide.BUY else price < bound


def _slippage_bound(state: State, signal: Signal) -> Decimal:
    own = signal.max_slippage_percent
    return state.settings.execution.max_slippage_percent if own is None else own


def _is_too_close(group: Group, plan: PyramidPlan, price: Decimal) -> bool:
    last = group.pyramids[-1].base_price
    return abs(price - last) / last * HUNDRED < plan.grid.min_pyramid_gap_percent


def _plan(state: State, key: GroupKey, side: Side, pyramid: int) -> PyramidPlan:
    return state.settings.plan(
        account=key.account, symbol=key.symbol, timeframe=key.timeframe, side=side, pyramid=pyramid
    )


def _new_group(state: State, entry: Entry, prepared: _Prepared, now_ms: int) -> Group:
    number = state.numbers.get(entry.key, 0) + 1
    pyramids = prepared.plan.grid.max_pyramids
    return Group(
        id=f"{entry.key}#{number}",
        key=entry.key,
        side=entry.side,
        base=prepared.instrument.base,
        quote=prepared.instrument.quote,
        market_type=prepared.instrument.type,
        contract_size=prepared.instrument.contract_size,
        opened_at_ms=now_ms,
        plans=tuple(_plan(state, entry.key, entry.side, index) for index in range(pyramids)),
        rules=None if entry.key.account in state.listed else prepared.instrument,
        # One that takes over a forced group's place is over the limit as that was.
        forced=entry.forced or len(state.groups) >= state.settings.pool.max_open_groups,
    )


def _place_ladder(step: Step, group: Group, pyramid: Pyramid, prepared: _Prepared, entry: Entry) -> None:
    last = step.state.last(group.key.account, group.key.symbol)
    slippage = _slippage_bound(step.state, entry.signal)
    for leg in pyramid.legs:
        if leg.state is LegState.BLOCKED:
            continue
        bound = None
        if leg.market:
            reference = last if last is not None else entry.signal.price
            bound = bound_price(group, group.side.entry, reference, slippage, step, leg.qty)
        place(
            step,
            group.id,
            role=Role.ENTRY,
            qty=leg.qty,
            price=None if leg.market else leg.price,
            bound=bound,
            ref=(pyramid.index, leg.index),
            post_only=prepared.plan.grid.post_only and not leg.market,
            signal_id=entry.signal_id,
        )
