"""Exact decimal arithmetic: one context for all money, rounding to ticks and steps, and plain text in and out."""

from contextlib import AbstractContextManager
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
    localcontext,
)

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)

PLACES_WRITTEN = Decimal("1e-12")
"""What is written out is rounded half even to 12 decimal places (SPEC head)."""

_CONTEXT = Context(
    prec=50, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation]
)


minus = _CONTEXT.subtract
"""A difference in that context, whatever the caller's own is."""


def arithmetic() -> AbstractContextManager[Context]:
    """Runs its block with 50 significant digits, half even, and every mixture with floats trapped.

    SPEC asks for quotients of 34 digits or more; products and sums of prices and quantities stay exact in 50.
    """
    return localcontext(_CONTEXT)


def parse(text: str | int) -> Decimal:
    """The finite decimal that `text` spells.

    Raises ValueError for anything else: NaN, infinities, empty text, or an exponent beyond what money can have.
    """
    try:
        value = _CONTEXT.create_decimal(text)
    except (InvalidOperation, Overflow):
        raise ValueError(f"not a number: {text!r}") from None
    if not value.is_finite() or abs(value.adjusted()) > 30:
        raise ValueError(f"not a number in a range that money can have: {text!r}")
    return value


def plain(value: Decimal) -> str:
    """`value` without exponent or trailing zeros, rounded half even to 12 places, as every file and table has it."""
    text = format(value, "f")
    point = text.find(".")
    if point >= 0:
        if len(text) - point > 13:
            value = value.quantize(PLACES_WRITTEN, rounding=ROUND_HALF_EVEN, context=_CONTEXT)
            text = format(value, "f")
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def floor_step(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` not above `value`."""
    return (value / step).to_integral_value(rounding=ROUND_FLOOR) * step


def ceil_step(value: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of `step` not below `value`."""
    return (value / step).to_integral_value(rounding=ROUND_CEILING) * step


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Whether `value` lies on the grid of `step`."""
    return value % step == 0


def decimals_of(step: Decimal) -> int:
    """How many decimals a number has that lies on `step`: 2 for 0.01, 0 for 1 or 10."""
    return max(0, -step.normalize().as_tuple().exponent)  # type: ignore[operator]
