"""How the dashboard's figures are written: floats of ratios as decimals, dates of days, names of parts."""

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal

from exengine.domain.instrument import Side
from exengine.ui import format as fmt
from exengine.ui.cell import Cell, Part

NO_STRATEGY = "No name"
"""Of alerts that bring none."""


def decimal(value: float | None) -> Decimal | None:
    """A ratio as what it is written by; None stays None."""
    return None if value is None else Decimal(repr(float(value)))


def ratio(value: float | None) -> str:
    """`1.56`; a dash where it is undefined."""
    return fmt.number(decimal(value), 2)


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """In per cent of what was there at the start; None where that was nothing."""
    return part / whole * 100 if whole > 0 else None


def token_of(value: Decimal | None, decimals: int = 2) -> str:
    """The colour of a profit or a loss."""
    return {1: "profit", -1: "loss", 0: "muted"}[fmt.direction(value, decimals)]


def day(at_ms: int, now_ms: int, zone: tzinfo) -> str:
    """`Nov 8`, and `Nov 8 ’25` where it is another year's."""
    then, now = moment(at_ms, zone), moment(now_ms, zone)
    return f"{then:%b} {then.day}" + ("" if then.year == now.year else f" ’{then:%y}")


def minute(at_ms: int, zone: tzinfo) -> str:
    """`Nov 4, 23:41`."""
    then = moment(at_ms, zone)
    return f"{then:%b} {then.day}, {then:%H:%M}"


def moment(at_ms: int, zone: tzinfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(zone)


def whole(value: Decimal) -> str:
    """Of large sums no cents: `2,910`; `23.66` of small ones."""
    return fmt.number(value, 0 if abs(value) >= 1000 else 2)


def pnl_cell(value: Decimal | None, *, strong: bool = False) -> Cell:
    """A profit or loss in USD with its arrow."""
    if value is None:
        return Cell(text=fmt.DASH, token="muted")
    way = fmt.direction(value, 2)
    return Cell(text=fmt.signed(value, 2), token=token_of(value), strong=strong, value=value, arrow=way)


def side_cell(side: Side) -> Cell:
    long = side is Side.LONG
    return Cell(text="Long" if long else "Short", token="muted", icon="long" if long else "short", icon_first=True)


def name_cell(symbol: str, timeframe: str) -> Cell:
    """**BTC/USDT** 1h"""
    return Cell(text=fmt.pair(symbol), strong=True, after=(Part(timeframe),))
