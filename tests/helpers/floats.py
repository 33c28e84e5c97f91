"""Looks for floats where money is: in a value, and in all that it is made of."""

from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

_PLAIN = frozenset((Decimal, str, int, bool, type(None)))


def has_float(value: Any) -> bool:
    """Whether a float is in `value`, its fields or members: asked very often, of very many."""
    kind = type(value)
    if kind in _PLAIN:
        return False
    if isinstance(value, tuple):
        return any(map(has_float, value))
    return isinstance(value, float) or any(has_float(getattr(value, name)) for name in _names(kind))


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind)) if is_dataclass(kind) and not issubclass(kind, Enum) else ()
