"""Columns that grow as trades close, and money in them that adds up exactly, as fast as numpy adds."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Rows = slice | NDArray[Any]
"""Which rows of a column: a slice, a mask, or places."""

_PLACES = 12
"""What is written out has twelve decimal places (SPEC head); more of an amount is rounded half even."""
_LOW = 10**9
_MILLI = Decimal("1e-3")
_FINEST = Decimal("1e-12")


class Column:
    """An array with room at its end, which doubles when it is used up."""

    def __init__(self, kind: Any) -> None:
        self._array: NDArray[Any] = np.empty(1024, dtype=kind)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray[Any]:
        """What is in it: a view."""
        return self._array[: self._size]

    def extend(self, values: Sequence[Any]) -> None:
        size = self._size + len(values)
        if size > len(self._array):
            grown = np.empty(max(size, 2 * len(self._array)), dtype=self._array.dtype)
            grown[: self._size] = self.values
            self._array = grown
        self._array[self._size : size] = values
        self._size = size


class Money:
    """Amounts in USD up to 1e15, in two whole numbers each: thousandths, and what is left of them to 1e-12.

    Whole numbers add without loss, so that sums over any rows are those of the amounts as files have them.
    Use it within `money.arithmetic`.
    """

    def __init__(self) -> None:
        self._high, self._low = Column(np.int64), Column(np.int64)

    def __len__(self) -> int:
        return len(self._high)

    def extend(self, amounts: Iterable[Decimal]) -> None:
        parts = [
            divmod(int(amount.scaleb(_PLACES).to_integral_value(rounding=ROUND_HALF_EVEN)), _LOW) for amount in amounts
        ]
        self._high.extend([high for high, _ in parts])
        self._low.extend([low for _, low in parts])

    def at(self, place: int) -> Decimal:
        """One amount."""
        return _joined(self._high.values[place], self._low.values[place])

    def floats(self, rows: Rows = slice(None)) -> Floats:
        """The amounts as the nearest floats, for ratios and plots."""
        return np.asarray(self._high.values[rows] * 1e-3 + self._low.values[rows] * 1e-12, dtype=np.float64)

    def sum(self, rows: Rows = slice(None)) -> Decimal:
        return _joined(self._high.values[rows].sum(), self._low.values[rows].sum())

    def by(self, codes: Ints, kinds: int, rows: Rows) -> list[Decimal]:
        """The sums of the rows of each code, 0 to `kinds` − 1; `codes` are those of `rows`."""
        high, low = np.zeros(kinds, dtype=np.int64), np.zeros(kinds, dtype=np.int64)
        np.add.at(high, codes, self._high.values[rows])
        np.add.at(low, codes, self._low.values[rows])
        return [_joined(one, rest) for one, rest in zip(high, low, strict=True)]


def _joined(high: Any, low: Any) -> Decimal:
    return int(high) * _MILLI + int(low) * _FINEST


class Names:
    """Texts as small numbers, given in the order in which they come."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def code(self, name: str) -> int:
        return self._codes.setdefault(name, len(self._codes))

    @property
    def all(self) -> tuple[str, ...]:
        """By code."""
        return tuple(self._codes)

    def __len__(self) -> int:
        return len(self._codes)
