"""An alert at the door: stored with what it is worth, answered, and only then acted on (SPEC §2.1, §2.3, §2.4)."""

from exengine.domain.changed import changed
from exengine.domain.entry import entry_errors
from exengine.domain.group import GroupKey
from exengine.domain.journal import Category, Severity
from exengine.domain.meaning import meaning
from exengine.domain.reception import Arrival, IntakeRefusal, Outcome, SignalRecord, Verdict, VerdictKind
from exengine.domain.routing import Destination, Unroutable, route
from exengine.domain.signal import FieldError, Signal
from exengine.domain.state import Seen, State
from exengine.domain.step import Step

_DAY_MS = 24 * 3600 * 1000
_AHEAD_MS = 60_000
"""How far in the future a signal's own clock may be (§2.1)."""


def receive(step: Step, arrival: Arrival) -> None:
    """Judges an arrival, writes its record, and leaves the verdict for its sender in the step."""
    record = SignalRecord(
        id=step.state.next_signal_id,
        received_at_ms=arrival.received_at_ms,
        source_address=arrival.source_address,
        body=arrival.body,
        signal=arrival.signal,
        stored_at_ms=step.now_ms,
        replay_of=arrival.replay_of,
    )
    if arrival.replay_of is not None:
        _replay(step, record, arrival)
    elif arrival.refusal is not None:
        _turn_away(step, record, Outcome.REFUSED, arrival.refusal.value, VerdictKind.REFUSED)
    elif arrival.signal is None:
        _invalid(step, record, arrival.errors)
    else:
        _judge(step, record, arrival.signal)


def _replay(step: Step, record: SignalRecord, arrival: Arrival) -> None:
    """A stored signal that the trader takes again: one of its own, neither a resend nor too old, where it is allowed.

    It begins no window of its own either: what TradingView sends meanwhile is no resend of it (§2.3).
    """
    if not step.state.settings.signals.replay:
        reason = IntakeRefusal.REPLAY_OFF.value
        _turn_away(step, record, Outcome.REFUSED, reason, VerdictKind.REFUSED, advice=_REPLAY_IS_OFF)
        return
    text = f"Signal {arrival.replay_of} is taken again by the trader."
    step.note(Severity.INFO, Category.WEBHOOK, text, signal_id=record.id)
    if arrival.signal is None:
        _invalid(step, record, arrival.errors)
        return
    routed = _routed(step, record, arrival.signal)
    if routed is not None:
        step.verdict = Verdict(kind=VerdictKind.ACCEPTED, signal_id=record.id)
        step.put_signal(routed)


_REPLAY_IS_OFF = "Nothing was traded. It is allowed by a setting (Settings, Logging: Replay webhooks)."


def _judge(step: Step, record: SignalRecord, signal: Signal) -> None:
    state = step.state
    routed = _routed(step, record, signal)
    if routed is None:
        return
    record = routed
    seen = state.seen.get(signal.digest)
    if seen is not None and _is_resend(state, seen, signal, record.received_at_ms):
        step.put_signal(changed(record, outcome=Outcome.DUPLICATE, decided_at_ms=step.now_ms))
        step.verdict = Verdict(kind=VerdictKind.DUPLICATE, signal_id=seen.signal_id)
        return
    step.put_seen(
        signal.digest,
        Seen(at_ms=record.received_at_ms, signal_id=record.id, stamped=signal.timestamp_ms is not None),
    )
    step.verdict = Verdict(kind=VerdictKind.ACCEPTED, signal_id=record.id)
    if _is_stale(state, signal, record.received_at_ms):
        step.put_signal(changed(record, outcome=Outcome.REFUSED, reason="stale", decided_at_ms=step.now_ms))
        step.note(
            Severity.WARNING,
            Category.WEBHOOK,
            "An alert came too late or too early by its own clock and was not traded.",
            key=GroupKey(record.account or "", record.symbol or "", signal.timeframe),
            signal_id=record.id,
            advice="Check this machine’s clock, and how old it may be (Settings, Security: Max signal age).",
        )
        return
    step.put_signal(record)


def _routed(step: Step, record: SignalRecord, signal: Signal) -> SignalRecord | None:
    """The record with where it goes; None where that cannot be, which is then written and said."""
    destination = route(step.state, signal)
    if isinstance(destination, Unroutable):
        field = "tv.exchange" if destination is Unroutable.UNKNOWN_EXCHANGE else "tv.symbol"
        error = FieldError(field=field, message=_unroutable(destination))
        _turn_away(step, record, Outcome.REFUSED, destination.value, VerdictKind.INVALID, (error,))
        return None
    record = changed(record, account=destination.account.name, symbol=destination.symbol)
    errors = _errors(step.state, signal, destination)
    if errors:
        _invalid(step, record, errors)
        return None
    return record


def _unroutable(what: Unroutable) -> str:
    if what is Unroutable.UNKNOWN_EXCHANGE:
        return "no enabled account trades on this exchange"
    return "the exchange does not list this symbol"


def _errors(state: State, signal: Signal, destination: Destination) -> tuple[FieldError, ...]:
    """What makes a readable signal invalid all the same: no telling what it asks, or an entry that cannot be."""
    key = GroupKey(destination.account.name, destination.symbol, signal.timeframe)
    living = state.groups.get(state.live.get(key, ""))
    asked = meaning(signal, living.side if living else None)
    if isinstance(asked, FieldError):
        return (asked,)
    return entry_errors(state, signal, destination, asked)


def _is_resend(state: State, seen: Seen, signal: Signal, at_ms: int) -> bool:
    window_ms = _DAY_MS if seen.stamped else state.settings.signals.duplicate_window_seconds * 1000
    return at_ms - seen.at_ms < window_ms


def _is_stale(state: State, signal: Signal, at_ms: int) -> bool:
    age_s = state.settings.signals.max_signal_age_seconds
    if signal.timestamp_ms is None or age_s == 0:
        return False
    return at_ms - signal.timestamp_ms > age_s * 1000 or signal.timestamp_ms - at_ms > _AHEAD_MS


def _invalid(step: Step, record: SignalRecord, errors: tuple[FieldError, ...]) -> None:
    reason = ";".join(dict.fromkeys(error.field for error in errors))
    _turn_away(step, record, Outcome.INVALID, reason, VerdictKind.INVALID, errors)


def _turn_away(
    step: Step,
    record: SignalRecord,
    outcome: Outcome,
    reason: str,
    kind: VerdictKind,
    errors: tuple[FieldError, ...] = (),
    *,
    advice: str = "Nothing was traded. Compare the alert’s text with the template in Send test alert.",
) -> None:
    step.put_signal(changed(record, outcome=outcome, reason=reason, decided_at_ms=step.now_ms))
    step.verdict = Verdict(kind=kind, signal_id=record.id, errors=errors)
    said = "; ".join(f"{error.field}: {error.message}" for error in errors) or reason.replace("_", " ")
    step.note(
        Severity.WARNING,
        Category.WEBHOOK,
        f"An alert was turned away ({said}).",
        signal_id=record.id,
        advice=advice,
    )


def forget_old_digests(step: Step) -> None:
    """Drops the digests that no resend can match any more."""
    last_ms = step.now_ms - max(_DAY_MS, step.state.settings.signals.duplicate_window_seconds * 1000)
    for digest in [digest for digest, seen in step.state.seen.items() if seen.at_ms <= last_ms]:
        step.put_seen(digest, None)
