"""Takes a bar apart into the four prices that a recorded market passes through (SPEC §11)."""

from decimal import Decimal
from typing import NamedTuple

SINGLE_BAR_MS = 60_000
"""The length of a bar that is alone in its file."""


class Bar(NamedTuple):
    """A plain tuple, as a month of minutes is 45,000 of them."""

    at_ms: int
    """Its open time."""
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


def bar_ticks(bar: Bar, length_ms: int) -> tuple[tuple[int, Decimal], ...]:
    """Time and price of a bar's four ticks, at 0, 1/4, 1/2 and 3/4 of its length.

    A bar that closes at or above its open goes down first: open, low, high, close; any other open, high, low, close.
    """
    rises = bar.close >= bar.open
    second, third = (bar.low, bar.high) if rises else (bar.high, bar.low)
    prices = (bar.open, second, third, bar.close)
    return tuple((bar.at_ms + length_ms * quarter // 4, price) for quarter, price in enumerate(prices))
