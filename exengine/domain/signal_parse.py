"""Judges every field of an alert, so that only what is surely meant is ever acted on (SPEC §2.1)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from typing import TypeVar

from exengine.domain.instrument import Side
from exengine.domain.money import HUNDRED, parse
from exengine.domain.signal import Action, FieldError, Intent, Position, Signal, SizeUnit
from exengine.domain.signal_body import Body as Body
from exengine.domain.signal_body import BodyError as BodyError
from exengine.domain.signal_body import BodyProblem as BodyProblem
from exengine.domain.signal_body import Json as Json
from exengine.domain.signal_body import digest as digest
from exengine.domain.signal_body import is_absent, number_text
from exengine.domain.signal_body import parse_body as parse_body
from exengine.domain.signal_body import redacted as redacted

MAX_NAME_CHARACTERS = 64
"""Longest text that is taken for an exchange or a symbol."""


_TIMEFRAME = re.compile(r"([0-9]{0,5})([smhdwSMHDW]?)")
_LONGEST_TIMEFRAME = 6
_MONTHS = (1, 3, 6, 12)
"""Those that TradingView offers; any other number before an M is more likely meant as minutes."""
_MOST = {"d": 365, "w": 52}
_SECONDS = {"s": 1, "": 60, "m": 60, "h": 3600}


def normal_timeframe(text: str) -> str | None:
    """The normalised name of a chart interval as TradingView or a trader writes it; None where it is not one.

    A bare number is minutes, `M` months and `m` minutes; other units may have either case. Whole hours are named
    as hours and 24 of them as `1d`, so that each interval has one name. Intervals of a trader's own, as `10m`, are
    taken besides the ones that SPEC §1 lists.
    """
    bare = text.strip()
    return _normal(bare) if len(bare) <= _LONGEST_TIMEFRAME else None


@lru_cache(maxsize=256)
def _normal(text: str) -> str | None:
    found = _TIMEFRAME.fullmatch(text)
    if found is None:
        return None
    count_text, unit = found.groups()
    if not count_text and unit not in ("d", "D", "w", "W", "M"):
        return None
    count = int(count_text or "1")
    match unit:
        case "M":
            return f"{count}M" if count in _MONTHS else None
        case "d" | "D" | "w" | "W":
            return f"{count}{unit.lower()}" if 1 <= count <= _MOST[unit.lower()] else None
        case _:
            return _seconds(count * _SECONDS[unit.lower()])


def _seconds(count: int) -> str | None:
    """The name of an interval within a day, by the largest unit that divides it."""
    if not 1 <= count <= 86_400:
        return None
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if count % length == 0:
            return f"{count // length}{unit}"
    return f"{count}s" if count < 60 else None


_ISO_8601 = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,12})?)?)?(Z|[+-]\d{2}(:?\d{2})?)?"
    r"|\d{8}T\d{4}(\d{2}([.,]\d{1,12})?)?(Z|[+-]\d{2}(:?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SECONDS_BELOW = 10**11
"""An epoch time under this is in seconds: as milliseconds it would lie before March 1973."""
_MILLISECONDS_BELOW = 253_402_300_800_000
"""The end of the year 9999."""


def timestamp_ms(value: Json) -> int | None:
    """The time that `value` tells, in epoch ms; None where it tells none.

    ISO 8601 (UTC where no zone is given), or epoch seconds or milliseconds, as a number or as text.
    """
    number = _decimal(value)
    if number is not None:
        milliseconds = number * 1000 if number < _SECONDS_BELOW else number
        return int(milliseconds) if 0 <= milliseconds < _MILLISECONDS_BELOW else None
    if not isinstance(value, str) or not _ISO_8601.fullmatch(value.strip()):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().upper().replace(",", "."))
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND


_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def _decimal(value: Json) -> Decimal | None:
    """The number that `value` is or spells; None where it is none that money can have."""
    text = str(value) if isinstance(value, Decimal) else value
    if not isinstance(text, str) or len(text) > 64 or not _NUMBER.fullmatch(text.strip()):
        return None
    try:
        return parse(text.strip())
    except ValueError:
        return None


def _is_price(value: Decimal) -> bool:
    return value > 0


def _is_size(value: Decimal) -> bool:
    return value >= 0


def _is_slippage(value: Decimal) -> bool:
    return 0 <= value < HUNDRED


_DEMANDS: dict[Callable[[Decimal], bool], str] = {
    _is_price: "must be above zero",
    _is_size: "must not be below zero",
    _is_slippage: "must be from 0 to under 100",
}

_Choice = TypeVar("_Choice", bound=Enum)


class _PrecisionMode(Enum):
    AUTO = "auto"
    STRICT = "strict"


@cache
def _place(path: str) -> tuple[str, str]:
    """Section and name of a field: `tv` and `symbol` of `tv.symbol`."""
    section, _, name = path.rpartition(".")
    return section, name


class _Reader:
    """Reads fields by their path and collects what is wrong with them, in the order in which they are read."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._broken: set[str] = set()
        self._sections: dict[str, Body] = {"": body}
        self.errors: list[FieldError] = []

    def wrong(self, path: str, message: str) -> None:
        self.errors.append(FieldError(field=path, message=message))

    def value(self, path: str) -> Json:
        section, name = _place(path)
        fields = self._sections.get(section)
        value = (self._section(section) if fields is None else fields).get(name)
        return None if value is None or is_absent(value) else value

    def missing(self, path: str, message: str = "is missing") -> None:
        """Says that a required field is not there, where its section has not been found wrong as a whole."""
        if path.rpartition(".")[0] not in self._broken:
            self.wrong(path, message)

    def _section(self, name: str) -> Body:
        section = self._body.get(name)
        if isinstance(section, dict):
            self._sections[name] = section
            return section
        if not is_absent(section) and name not in self._broken:
            self._broken.add(name)
            self.wrong(name, "must be an object with fields of its own")
        return {}

    def text(self, path: str) -> str | None:
        match self.value(path):
            case None:
                return None
            case str() as text:
                return text.strip()
            case Decimal() as number:
                return number_text(number)
            case _:
                self.wrong(path, "must be a text")
                return None

    def name(self, path: str) -> str | None:
        """A required short text without blanks: an exchange or a symbol."""
        before = len(self.errors)
        text = self.text(path)
        if text is None:
            if len(self.errors) == before:
                self.missing(path)
            return None
        if "{{" in text:
            self.wrong(path, "holds a placeholder that TradingView has not filled in")
        elif len(text) > MAX_NAME_CHARACTERS or " " in text or not text.isprintable():
            self.wrong(path, f"must be at most {MAX_NAME_CHARACTERS} characters without blanks")
        return text

    def timeframe(self, path: str) -> str | None:
        before = len(self.errors)
        text = self.text(path)
        if text is None:
            if len(self.errors) == before:
                self.missing(path)
            return None
        normal = normal_timeframe(text)
        if normal is None:
            self.wrong(path, "is no chart interval; use {{interval}}, or 15 for minutes, 30S, 60, D, W or M")
        return normal

    def choice(self, path: str, choices: type[_Choice]) -> _Choice | None:
        value = self.value(path)
        if value is None:
            return None
        wanted = value.strip().casefold() if isinstance(value, str) else None
        try:
            return choices(wanted)
        except ValueError:
            pass
        self.wrong(path, "must be one of " + ", ".join(one.value for one in choices))
        return None

    def number(self, path: str, accepts: Callable[[Decimal], bool]) -> Decimal | None:
        value = self.value(path)
        if value is None:
            return None
        number = _decimal(value)
        if number is None:
            self.wrong(path, "must be a number")
        elif not accepts(number):
            self.wrong(path, _DEMANDS[accepts])
        else:
            return number
        return None

    def timestamp(self, path: str) -> int | None:
        value = self.value(path)
        moment = None if value is None else timestamp_ms(value)
        if value is not None and moment is None:
            self.wrong(path, "must be a time as 2026-11-23T05:00:00Z, or epoch seconds or milliseconds")
        return moment


_BUYS = frozenset({Action.BUY, Action.LONG})


def _action(reader: _Reader) -> Action | None:
    before = len(reader.errors)
    action = reader.choice("tv.action", Action)
    if action is None and len(reader.errors) == before:
        reader.missing("tv.action")
    return action


def _price(reader: _Reader) -> tuple[Decimal, str] | None:
    """The signal's price and the field it came from; the order's price comes first."""
    entry = reader.number("tv.entry_price", _is_price)
    neither = reader.value("tv.entry_price") is None and reader.value("tv.close_price") is None
    if neither:
        reader.missing("tv.entry_price", "is missing, and tv.close_price too: one of them is needed")
    close = reader.number("tv.close_price", _is_price)
    if entry is not None:
        return entry, "tv.entry_price"
    return None if close is None else (close, "tv.close_price")


def _check_side(reader: _Reader, action: Action | None) -> None:
    side = reader.choice("execution_intent.side", Action)
    if side is not None and action is not None and (side in _BUYS) != (action in _BUYS):
        reader.wrong("execution_intent.side", "contradicts tv.action")


def parse_signal(body: Body, *, key: str | None = None) -> Signal | tuple[FieldError, ...]:
    """The signal that `body` spells, or every field of it that is missing or wrong, in the order of SPEC §2.1's table.

    No message quotes a value. Whether the body's secret is right, and whether an entry's stop and target lie on the
    right side of its price (`entry_risk_errors`), is not judged here. `key` is the body's digest where it is known.
    """
    read = _Reader(body)
    source, sent_at = read.text("source"), read.timestamp("timestamp")
    exchange, symbol, timeframe = read.name("tv.exchange"), read.name("tv.symbol"), read.timeframe("tv.timeframe")
    action = _action(read)
    position, size = read.choice("tv.market_position", Position), read.number("tv.market_position_size", _is_size)
    before = read.choice("tv.prev_market_position", Position)
    size_before = read.number("tv.prev_market_position_size", _is_size)
    price = _price(read)
    order_size = read.number("tv.order_size", _is_size)
    trade_id, alert_name = read.text("strategy_info.trade_id"), read.text("strategy_info.alert_name")
    alert_message = read.text("strategy_info.alert_message")
    intent = read.choice("execution_intent.type", Intent)
    _check_side(read, action)
    unit = read.choice("execution_intent.position_size_type", SizeUnit)
    precision = read.choice("execution_intent.precision_mode", _PrecisionMode)
    stop_loss, take_profit = read.number("risk.stop_loss", _is_price), read.number("risk.take_profit", _is_price)
    slippage = read.number("risk.max_slippage_percent", _is_slippage)
    if read.errors or exchange is None or symbol is None or timeframe is None or action is None or price is None:
        return tuple(read.errors)
    return Signal(
        exchange=exchange.upper(),
        symbol=symbol,
        timeframe=timeframe,
        action=action,
        price=price[0],
        price_field=price[1],
        intent=intent,
        market_position=position,
        market_position_size=size,
        prev_market_position=before,
        prev_market_position_size=size_before,
        order_size=order_size,
        size_unit=unit or SizeUnit.CONTRACTS,
        strict_precision=precision is _PrecisionMode.STRICT,
        stop_loss=stop_loss,
        take_profit=take_profit,
        max_slippage_percent=slippage,
        trade_id=trade_id,
        alert_name=alert_name,
        alert_message=alert_message,
        source=source,
        timestamp_ms=sent_at,
        digest=key or digest(body),
    )


def entry_risk_errors(signal: Signal, side: Side) -> tuple[FieldError, ...]:
    """What is wrong with the stop and target of an entry on `side`: a long's stop is below its price, its target above.

    At the price itself counts as the wrong side: either would close what has just been opened (SPEC §2.1).
    """
    errors = []
    if signal.stop_loss is not None and (signal.price - signal.stop_loss) * side.sign <= 0:
        word = "below" if side is Side.LONG else "above"
        errors.append(FieldError(field="risk.stop_loss", message=f"must be {word} the price of a {side.value} entry"))
    if signal.take_profit is not None and (signal.take_profit - signal.price) * side.sign <= 0:
        word = "above" if side is Side.LONG else "below"
        errors.append(FieldError(field="risk.take_profit", message=f"must be {word} the price of a {side.value} entry"))
    return tuple(errors)
