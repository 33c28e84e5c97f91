"""How an alert is received: what came in, what was answered, and the record of it that the signal log keeps (§2)."""

from dataclasses import dataclass
from enum import Enum

from exengine.domain.signal import FieldError, Signal
from exengine.domain.signal_body import Body, redacted_and_digest
from exengine.domain.signal_parse import parse_signal


class IntakeRefusal(Enum):
    """Why a request never became a signal; the value is the reason kept in the signal log."""

    UNAUTHORIZED = "unauthorized"
    NOT_JSON = "body"
    TOO_LARGE = "too_large"
    REPLAY_OFF = "replay_off"
    """The trader asked for a stored signal once more, and `logging.webhook_replay` is off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request to the webhook that passed the rate limit. `signal` is None where it is not a valid one."""

    received_at_ms: int
    source_address: str
    body: str
    """The body as canonical JSON text with the secret removed; empty where it is not known to be free of one."""
    signal: Signal | None = None
    errors: tuple[FieldError, ...] = ()
    refusal: IntakeRefusal | None = None
    replay_of: int | None = None
    """The stored signal whose body the trader has taken again; None where it came from outside."""


def arrival_of(body: Body, *, received_at_ms: int, source_address: str, replay_of: int | None = None) -> Arrival:
    """The arrival of a body that was proven to come from the trader: its signal, or every field that is wrong."""
    text, key = redacted_and_digest(body)
    parsed = parse_signal(body, key=key)
    signal, errors = (parsed, ()) if isinstance(parsed, Signal) else (None, parsed)
    return Arrival(
        received_at_ms=received_at_ms,
        source_address=source_address,
        body=text,
        signal=signal,
        errors=errors,
        replay_of=replay_of,
    )


class VerdictKind(Enum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of an arrival; it is on disk. A stale signal is ACCEPTED to its sender and never traded."""

    kind: VerdictKind
    signal_id: int
    errors: tuple[FieldError, ...] = ()


class Outcome(Enum):
    """What became of a signal, as decided when it came (SPEC §12, signals.csv)."""

    OPENED = "opened"
    PYRAMID = "pyramid"
    QUEUED = "queued"
    REPLACED = "replaced"
    EXITED = "exited"
    NOTHING_TO_EXIT = "nothing_to_exit"
    REMOVED = "removed"
    REDUCED = "reduced"
    REVERSED = "reversed"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    REFUSED = "refused"
    INVALID = "invalid"


@dataclass(frozen=True, kw_only=True)
class SignalRecord:
    """One row of the signal log. `outcome` is None while the signal is stored but not yet decided."""

    id: int
    received_at_ms: int
    source_address: str
    body: str
    signal: Signal | None
    account: str | None = None
    """Where routing has sent it; None where it never got that far."""
    symbol: str | None = None
    """The unified symbol; None while market rules are missing."""
    outcome: Outcome | None = None
    reason: str = ""
    group: str = ""
    stored_at_ms: int | None = None
    """When it was judged and written, to be answered next."""
    decided_at_ms: int | None = None
    replay_of: int | None = None
    """The signal whose body was taken again; None where it came from outside."""
