"""ccxt's errors, told apart by what to do about them (EXCHANGES: errors; FAULTS 1 to 10 and 36 to 42)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exengine.domain.errors import (
    INSUFFICIENT_BALANCE,
    MARKET_HALTED,
    RULES_REFUSED,
    AuthFailed,
    Refused,
    Retryable,
    UnknownOutcome,
)
from exengine.exchange.live.profiles import Profile

UNKNOWN_ORDER = "unknown_order"
TEXT_LENGTH = 300
SLOW_DOWN_S = 5.0


class ClockOff(Exception):
    """The exchange says that our clock is wrong: set it by the exchange's and ask once more (FAULTS 40)."""


class AlreadyThere(UnknownOutcome):
    """The exchange has an order of this client order id: it is ours, and is asked for (FAULTS 7)."""


@dataclass(slots=True)
class Answer:
    """What came back at the level of HTTP, for the errors that only that tells apart."""

    status: int | None = None
    """None: nothing came back."""
    retry_after_s: float | None = None
    is_readable: bool = True
    """Whether everything that came back was JSON."""
    sent_s: float | None = None
    """When its turn had come to go out."""


def told_apart(error: Exception, ccxt: Any, profile: Profile, answer: Answer, *, changes: bool) -> Exception:
    """What an error of ccxt's means. `changes` = the request was to place or cancel something.

    Whatever might have happened at the exchange all the same is `UnknownOutcome`; only what surely did not is
    `Retryable` or `Refused`.
    """
    text = _text(error, ccxt)
    codes = set(codes_of(str(error)))
    if codes & profile.duplicate or any(words in str(error) for words in profile.duplicate_words):
        return AlreadyThere(text)
    if codes & profile.unknown:
        return UnknownOutcome(text) if changes else Retryable(text)
    if codes & profile.clock or isinstance(error, ccxt.InvalidNonce):
        return ClockOff(text)
    if codes & profile.auth:
        return AuthFailed(text)
    ban_s = profile.ban_s(answer.status)
    if ban_s is not None:
        return Retryable(text, after_ms=int((answer.retry_after_s or ban_s) * 1000))
    if isinstance(error, ccxt.DDoSProtection | ccxt.RateLimitExceeded) or answer.status == 429:
        return Retryable(text, after_ms=int((answer.retry_after_s or SLOW_DOWN_S) * 1000))
    if isinstance(error, ccxt.AuthenticationError):
        return AuthFailed(text)
    refusal = _refusal(error, ccxt, profile, codes)
    if refusal is not None:
        return Refused(refusal, text)
    if isinstance(error, ccxt.OnMaintenance):
        return Retryable(text)
    if isinstance(error, ccxt.ExchangeNotAvailable) and answer.status in (400, 403, 404, 451):
        # It looks like an outage and is none: the request was turned away, and will be again.
        return Refused(f"http_{answer.status}", text)
    if codes and isinstance(error, ccxt.ExchangeError):
        return Refused(sorted(codes)[-1], text)
    if isinstance(error, _told_locally(ccxt)):
        return Refused(type(error).__name__, text)
    return UnknownOutcome(text) if changes and not _never_left(error) else Retryable(text)


def _told_locally(ccxt: Any) -> tuple[type[Exception], ...]:
    """What ccxt refuses by itself, without asking: then nothing has left this machine."""
    return (ccxt.ArgumentsRequired, ccxt.NotSupported, ccxt.InvalidOrder, ccxt.BadRequest)


def _refusal(error: Exception, ccxt: Any, profile: Profile, codes: set[str]) -> str | None:
    """Our code of a final no; None where it is none that the engine tells apart."""
    said = str(error)
    if isinstance(error, ccxt.OrderNotFound):
        return UNKNOWN_ORDER
    by_code = _own_code(profile, codes, said)
    if by_code is not None:
        return by_code
    if isinstance(error, ccxt.InsufficientFunds):
        return INSUFFICIENT_BALANCE
    return MARKET_HALTED if isinstance(error, ccxt.BadSymbol | ccxt.MarketClosed) else None


def _own_code(profile: Profile, codes: set[str], said: str) -> str | None:
    """Our code for the exchange's own codes or words; None where they are none of those that are told apart."""
    if codes & profile.not_found:
        return UNKNOWN_ORDER
    if codes & profile.insufficient:
        return INSUFFICIENT_BALANCE
    if codes & profile.halted or any(words in said for words in profile.halted_words):
        return MARKET_HALTED
    if codes & profile.rules or any(words in said for words in profile.rules_words):
        return RULES_REFUSED
    return None


def refused_row(profile: Profile, info: Mapping[str, Any]) -> Refused | None:
    """The refusal that one row of a batch's answer bears; None where the row is an order."""
    row = {str(key): value for key, value in info.items()}
    code = next((str(row[key]) for key in ("sCode", "code", "label") if row.get(key) not in (None, "", 0, "0")), None)
    failed = code is not None or row.get("success") is False or row.get("succeeded") is False
    if not failed:
        return None
    text = next((str(row[key]) for key in ("sMsg", "msg", "message", "failMsg") if row.get(key)), "refused")
    codes = {code} if code else set()
    if codes & profile.duplicate or any(words in text for words in profile.duplicate_words):
        return None  # it is there: asked for like any that the answer says nothing of
    return Refused(_own_code(profile, codes, text) or code or "refused", text)


_JSON = re.compile(r"[\[{].*[\]}]", re.DOTALL)
_CODE_KEYS = frozenset({"code", "retCode", "label", "sCode"})


def codes_of(text: str) -> Iterator[str]:
    """The exchange's own error codes in the text of a ccxt error, which ends with the answer as it came."""
    found = _JSON.search(text)
    if found is None:
        return
    try:
        answer = json.loads(found.group())
    except ValueError:
        return
    yield from _codes(answer)


def _codes(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key in _CODE_KEYS and isinstance(value, str | int):
                yield str(value)
            elif isinstance(value, dict | list):
                yield from _codes(value)
    elif isinstance(part, list):
        for each in part:
            yield from _codes(each)


def _never_left(error: BaseException) -> bool:
    """Whether there was never a connection, so that nothing can have arrived."""
    cause: BaseException | None = error
    while cause is not None:
        if type(cause).__name__ in ("ClientConnectorError", "ClientConnectorDNSError", "gaierror"):
            return True
        cause = cause.__cause__
    return False


_QUERY = re.compile(r"\?\S+")
_PAGE = re.compile(r"<[^>]*>")


def _text(error: Exception, ccxt: Any) -> str:
    """The error in one line, without what a signed address bears."""
    kind = type(error).__name__
    said = " ".join(_PAGE.sub(" ", _QUERY.sub("", str(error))).split())[:TEXT_LENGTH]
    return f"{kind}: {said}" if said else kind
