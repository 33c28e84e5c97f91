"""Acting on a stored signal: entry, pyramid, exit; each leaves its outcome in the signal log (SPEC §2.2)."""

from dataclasses import replace
from decimal import Decimal

from exengine.domain.cause import of_signal
from exengine.domain.changed import changed
from exengine.domain.entry import Denial, Entry, enter, entry_errors
from exengine.domain.group import CloseReason, Group, GroupKey, GroupStatus
from exengine.domain.instrument import Instrument, MarketType, Side
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.lifecycle import begin_closing, settle
from exengine.domain.meaning import Ask, meaning
from exengine.domain.money import ZERO, plain
from exengine.domain.partial_close import after_partial, reducible_qty, take_part
from exengine.domain.pool import remove_waiting, wait
from exengine.domain.reception import Outcome, SignalRecord
from exengine.domain.replacing import replace_last_pyramid
from exengine.domain.routing import Destination, Unroutable, route
from exengine.domain.signal import FieldError, Signal, SizeUnit
from exengine.domain.step import Step

Result = tuple[Outcome, str, str]
"""Outcome, reason, group."""


def act(step: Step, signal_id: int) -> None:
    """Trades a stored signal, once: without effect where it has its outcome already."""
    record = step.state.pending.get(signal_id)
    if record is None or record.signal is None:
        return
    outcome, reason, group = _act(step, record, record.signal)
    step.put_signal(changed(record, outcome=outcome, reason=reason, group=group, decided_at_ms=step.now_ms))


def _act(step: Step, record: SignalRecord, signal: Signal) -> Result:
    destination = route(step.state, signal)
    if isinstance(destination, Unroutable):
        _refused(step, record, destination.value)
        return Outcome.REFUSED, destination.value, ""
    key = GroupKey(destination.account.name, destination.symbol, signal.timeframe)
    living = step.state.groups.get(step.state.live.get(key, ""))
    asked = meaning(signal, living.side if living else None)
    if isinstance(asked, FieldError):
        return Outcome.INVALID, asked.field, ""
    errors = entry_errors(step.state, signal, destination, asked)
    if errors:
        return Outcome.INVALID, ";".join(dict.fromkeys(error.field for error in errors)), ""
    match asked.ask:
        case Ask.NOTHING:
            return Outcome.IGNORED, "no_change", living.id if living else ""
        case Ask.EXIT:
            return _exit(step, record, signal, key, living, CloseReason.EXIT)
        case Ask.ENTRY:
            assert asked.side is not None
            return _entry(step, record, signal, destination, key, asked.side)
        case Ask.REDUCE:
            return _reduce(step, record, signal, key, living, asked.share)
        case Ask.REVERSE:
            assert asked.side is not None
            return _reverse(step, record, signal, destination, key, living, asked.side)


def _entry(
    step: Step, record: SignalRecord, signal: Signal, destination: Destination, key: GroupKey, side: Side
) -> Result:
    entry = Entry(key=key, side=side, signal_id=record.id, signal=signal, account=destination.account)
    result = enter(step, entry)
    if isinstance(result, Group):
        replaced = step.state.waiting.get((key, side))
        if replaced is not None:
            step.remove_waiting(replaced, "removed", "replaced")
        return (Outcome.OPENED if len(result.pyramids) == 1 else Outcome.PYRAMID), "", result.id
    if result is Denial.NO_SIZE:
        return Outcome.INVALID, result.value, ""
    living = step.state.live.get(key, "")
    if result is Denial.MAX_PYRAMIDS:
        return _further(step, entry, step.group(living))
    if not result.waits:
        _refused(step, record, result.value)
        return Outcome.REFUSED, result.value, ""
    done = wait(step, entry, result)
    if done == "replace_off":
        return Outcome.IGNORED, done, ""
    if done == "queue_full":
        _refused(step, record, done)
        return Outcome.REFUSED, done, ""
    if done == "replaced":
        return Outcome.REPLACED, "", ""
    return Outcome.QUEUED, result.value, ""


def _further(step: Step, entry: Entry, group: Group) -> Result:
    """A further entry though all pyramids are in: it may restart the risk timer and re-place the last pyramid (§8)."""
    if step.state.settings.risk.reset_timer_on_replacement:
        group = replace(group, timer_reset_at_ms=step.now_ms)
        step.put_group(group)
    if group.plans[-1].grid.replace_last_pyramid and replace_last_pyramid(step, entry, group):
        return Outcome.REPLACED, "", group.id
    return Outcome.IGNORED, Denial.MAX_PYRAMIDS.value, group.id


def _exit(
    step: Step, record: SignalRecord, signal: Signal, key: GroupKey, living: Group | None, reason: CloseReason
) -> Result:
    removed = remove_waiting(step, key, "exit")
    if living is not None and living.status is not GroupStatus.CLOSING:
        step.note(Severity.INFO, Category.WEBHOOK, "Exit asked by an alert.", group=living, signal_id=record.id)
        begin_closing(step, living.id, reason, signal.max_slippage_percent)
        return Outcome.EXITED, "", living.id
    if removed:
        return Outcome.REMOVED, "", ""
    step.note(Severity.INFO, Category.WEBHOOK, "Exit asked, but nothing was open.", key=key, signal_id=record.id)
    return Outcome.NOTHING_TO_EXIT, "", ""


def _reduce(
    step: Step, record: SignalRecord, signal: Signal, key: GroupKey, living: Group | None, share: Decimal | None
) -> Result:
    if living is None or living.status is GroupStatus.CLOSING or not living.has_filled:
        return Outcome.NOTHING_TO_EXIT, "", living.id if living else ""
    instrument = step.state.instrument(living)
    last = step.state.last(key.account, key.symbol) or signal.price
    held = after_partial(step, living)
    asked = _asked_qty(signal, held, instrument, share, last)
    if asked >= held.sellable_qty(instrument):
        begin_closing(step, living.id, CloseReason.EXIT, signal.max_slippage_percent)
        return Outcome.REDUCED, "", living.id
    qty = reducible_qty(held, instrument, asked, last)
    if not qty:
        return Outcome.IGNORED, "below_minimum", living.id
    take_part(step, living, qty, slippage_percent=signal.max_slippage_percent, cause=of_signal(record.id))
    step.note(
        Severity.INFO,
        Category.WEBHOOK,
        f"Reduction by {plain(qty)} {living.base} asked by an alert.",
        group=living,
        signal_id=record.id,
    )
    settle(step, living.id)
    return Outcome.REDUCED, "", living.id


def _asked_qty(signal: Signal, held: Group, instrument: Instrument, share: Decimal | None, last: Decimal) -> Decimal:
    """How much a reduction is to take: the share that the size fell, else order_size in its unit."""
    if share is not None or signal.order_size is None:
        return held.net_qty * (share or ZERO)
    match signal.size_unit:
        case SizeUnit.QUOTE:
            return signal.order_size / (last * instrument.contract_size)
        case SizeUnit.BASE:
            return signal.order_size / instrument.contract_size
        case SizeUnit.CONTRACTS:
            return signal.order_size


def _reverse(
    step: Step,
    record: SignalRecord,
    signal: Signal,
    destination: Destination,
    key: GroupKey,
    living: Group | None,
    side: Side,
) -> Result:
    if living is None:
        remove_waiting(step, key, "reverse", side.opposite)
        outcome, reason, group = _entry(step, record, signal, destination, key, side)
        return (Outcome.REVERSED if outcome is Outcome.OPENED else outcome), reason, group
    remove_waiting(step, key, "reverse")
    if side is Side.SHORT and destination.account.market_type is MarketType.SPOT:
        begin_closing(step, living.id, CloseReason.REVERSE, signal.max_slippage_percent)
        return Outcome.EXITED, Denial.SHORT_NOT_SUPPORTED.value, living.id
    entry = Entry(key=key, side=side, signal_id=record.id, signal=signal, account=destination.account)
    wait(step, entry, Denial.OPPOSITE_SIDE, reverse=True)
    begin_closing(step, living.id, CloseReason.REVERSE, signal.max_slippage_percent)
    return Outcome.REVERSED, "", ""


def _refused(step: Step, record: SignalRecord, reason: str) -> None:
    signal = record.signal
    key = GroupKey(record.account or "", record.symbol or "", signal.timeframe if signal else "")
    step.note(
        Severity.WARNING,
        Category.WEBHOOK,
        f"Entry refused: {_REASONS.get(reason, reason.replace('_', ' '))}.",
        key=key,
        signal_id=record.id,
        topic=Topic.QUEUE_FULL if reason == "queue_full" else None,
    )


_REASONS = {
    "short_not_supported": "a spot account cannot sell short",
    "insufficient_funds": "the account’s free balance cannot carry the whole ladder",
    "below_minimum": "its legs are below the exchange’s minimum; raise the amount (Settings, Sizing: Amount)",
    "queue_full": "the waiting queue is full",
    "too_close": "nearer to the last pyramid than allowed (Settings, Grid: Minimum pyramid gap)",
    "max_exposure": "it would go beyond the most that may be at work (Settings, Pool: Max exposure)",
    "max_per_symbol": "as many groups of this symbol are open as may be (Settings, Pool: Max per symbol)",
    "precision": "its price is off the tick, and the alert wants strict precision",
    "unknown_symbol": "the exchange does not list this symbol",
    "unknown_exchange": "no enabled account trades on this exchange",
}
