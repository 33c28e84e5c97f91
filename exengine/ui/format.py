"""How numbers, times and ages are written on the screen, and plainly when they are copied (UI.md, Ways)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from exengine.domain.capital import DOLLARS
from exengine.domain.money import decimals_of, plain

DASH = "—"
"""What is not known."""
MINUS = "−"
"""U+2212: as wide as + and the figures."""

CENTS = DOLLARS | {"EUR", "GBP", "TRY", "BRL", "TUSD", "USDP", "EURI", "AUD"}

_BEFORE_UNIT = re.compile(r"(?<=\d) (?=[^\W\d]|%)")
_BEFORE_TIMEFRAME = re.compile(r"(?<=[A-Z0-9]) (?=\d+[smhdwM]\b)")
_IN_A_PAIR = re.compile(r"(?<=[A-Z0-9])/(?=[A-Z0-9])")
_BEFORE_LAST = re.compile(r"(?<=\S{2}) (?=\S{1,12}$)")
_AGES = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"))


def number(value: Decimal | None, decimals: int) -> str:
    """`1,234.50`, `−0.01`; a dash where it is not known."""
    if value is None:
        return DASH
    text = format(value, f",.{decimals}f")
    if text.startswith("-"):
        text = text[1:] if _is_zero(text) else MINUS + text[1:]
    return text


def as_quoted(price: Decimal) -> str:
    """`67,240.50`: a price with the decimals that it came with."""
    return number(price, max(0, -int(price.as_tuple().exponent)))


def trimmed(value: Decimal, most: int) -> str:
    """A quantity without trailing zeros, with at most `most` decimals."""
    return number(value, min(most, decimals_of(value.normalize())))


def tradable(qty: Decimal, decimals: int) -> str:
    """`133.49` of 133.4959: no more than the exchange would take. Fees in the coin leave less than a step over."""
    return number(qty.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN), decimals)


def tied(text: str) -> str:
    """A sentence in which no line ends within a pair, or between a number and its unit or what it counts.

    Nor does its last word stand in a line of its own.
    """
    for before in (_BEFORE_UNIT, _BEFORE_TIMEFRAME, _BEFORE_LAST):
        text = before.sub("\N{NO-BREAK SPACE}", text)
    return _IN_A_PAIR.sub("/\N{WORD JOINER}", text)


def listed(names: Sequence[str], last: str = " and ") -> str:
    """`BTC, ETH and SOL`; `last` stands before the last of them."""
    return last.join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def signed(value: Decimal | None, decimals: int) -> str:
    """A profit or loss: `+1,234.50`, `−0.01`, and a zero without a sign."""
    return DASH if value is None else directed(value, decimals)[0]


def directed(value: Decimal, decimals: int) -> tuple[str, int]:
    """A profit or loss as `signed` writes it, and its `direction`: the table needs both of numbers that run."""
    text = format(value, f",.{decimals}f")
    if _is_zero(text):
        return text.removeprefix("-"), 0
    return (MINUS + text[1:], -1) if text[0] == "-" else ("+" + text, 1)


def percent(value: Decimal | None, least: int = 0) -> str:
    """`20 %`, `−0.5 %`, `0 %`: with the decimals that it has, at least `least`, at most 4."""
    if value is None:
        return DASH
    if value == 0:
        return "0 %"
    return number(value, min(max(least, decimals_of(value)), 4)) + " %"


def signed_percent(value: Decimal | None, decimals: int = 2) -> str:
    """`+0.77 %`: always the same decimals, for numbers that run."""
    return DASH if value is None else signed(value, decimals) + " %"


def direction(value: Decimal | None, decimals: int) -> int:
    """+1, −1, or 0 for what is shown as zero or not known: the way of its arrow and the choice of its colour."""
    return 0 if value is None else directed(value, decimals)[1]


def pair(symbol: str) -> str:
    """`BTC/USDT` for the perpetual `BTC/USDT:USDT` as well, for its account says which it is."""
    name, _, settled_in = symbol.partition(":")
    return name if name.endswith(f"/{settled_in}") else symbol


def of(part: int, whole: int) -> str:
    """`3 / 5`."""
    return f"{part} / {whole}"


def quote_decimals(quote: str) -> int:
    """How many decimals amounts of a quote currency are worth reading: cents for money, eight for coins."""
    return 2 if quote in CENTS else 8


def age(elapsed_ms: int) -> str:
    """`3 s`, `4 m`, `2 h`, `3 d`: the largest unit that fits."""
    for unit_ms, unit in _AGES:
        if elapsed_ms >= unit_ms:
            return f"{elapsed_ms // unit_ms} {unit}"
    return "0 s"


def latency(elapsed_ms: int | None) -> str:
    """`38 ms`, `1.24 s`, `75 s`."""
    if elapsed_ms is None:
        return DASH
    if elapsed_ms < 1_000:
        return f"{elapsed_ms} ms"
    if elapsed_ms < 10_000:
        return f"{elapsed_ms / 1_000:.2f} s"
    return f"{elapsed_ms // 1_000:,} s"


class Times:
    """In which zone the window shows times (`ui.time`, `app.timezone`). One for the whole window."""

    zone: tzinfo | None = None
    """None: the machine's own."""
    word = "local"


def show_times(shown: str, timezone: str) -> None:
    """From now on times are `local` (the trader's `timezone`), `utc`, or `exchange`: all six keep theirs in UTC."""
    Times.word = shown
    Times.zone = ZoneInfo(timezone) if shown == "local" else UTC


def zone_words(at_ms: int) -> str:
    """What headers say of their times: `times local, UTC+01:00`."""
    words = {"local": f"times local, {zone_name(at_ms)}", "exchange": "times of the exchange, UTC"}
    return words.get(Times.word, "times UTC")


def clock(at_ms: int, zone: tzinfo | None = None) -> str:
    """`14:32:07` in a zone (None: the one that the window shows times in)."""
    return _moment(at_ms, zone).strftime("%H:%M:%S")


def moment(at_ms: int, now_ms: int, zone: tzinfo | None = None) -> str:
    """The clock, with the day before it where it is not today's: `Nov 21 14:32:07`."""
    then, now = _moment(at_ms, zone), _moment(now_ms, zone)
    if then.date() == now.date():
        return then.strftime("%H:%M:%S")
    return f"{then:%b} {then.day} {then:%H:%M:%S}"


def iso(at_ms: int, zone: tzinfo | None = None) -> str:
    """For tooltips and copies: `2026-11-23T14:32:07.120+01:00`."""
    return _moment(at_ms, zone).isoformat(timespec="milliseconds")


def zone_name(at_ms: int, zone: tzinfo | None = None) -> str:
    """`UTC+01:00`, as headers name the zone of their times."""
    offset = _moment(at_ms, zone).utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    if minutes == 0:
        return "UTC"
    sign = "+" if minutes > 0 else MINUS
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def count(amount: int, singular: str, plural: str | None = None) -> str:
    """`1 group`, `1,200 groups`."""
    return f"{amount:,} {singular if amount == 1 else plural or singular + 's'}"


def read(text: str) -> Decimal | None:
    """A number as a trader types or pastes it: `64,544.00`, `−5`, `0.5 %`; None where it is none."""
    plain_text = text.replace(",", "").replace(MINUS, "-").replace("\u202f", "").replace(" ", "").removesuffix("%")
    try:
        value = Decimal(plain_text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def copied(value: object) -> str:
    """A cell's value as plain text for another program: no thousands, ASCII minus, nothing for what is not known."""
    if value is None:
        return ""
    return plain(value) if isinstance(value, Decimal) else str(value)


def _moment(at_ms: int, zone: tzinfo | None) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(zone or Times.zone)


def _is_zero(text: str) -> bool:
    return not text.strip("-−+0.,")
