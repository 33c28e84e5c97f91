"""A symbol's recorded prices in arrays, so that the next one outside of a band is found without a look at each."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exengine.domain.levels import Band
from exengine.domain.money import arithmetic, decimals_of

Ticks = Iterable[tuple[int, Decimal]]
"""Time in epoch ms and price, in order of time."""

_BLOCK = 65_536
_FIRST_LOOK = 64
_WIDEST = 2**62

Array = NDArray[Any]


class Tape:
    """Times and prices. A price is kept as a whole number of its file's last decimal: exact, and quick to compare."""

    def __init__(self, ticks: Ticks) -> None:
        times: list[Array] = []
        blocks: list[tuple[int, list[int]]] = []
        rest = iter(ticks)
        with arithmetic():
            while block := list(islice(rest, _BLOCK)):
                decimals = max(map(decimals_of, {price for _, price in block}))
                factor = 10**decimals
                blocks.append((decimals, [int(price * factor) for _, price in block]))
                times.append(np.fromiter((at_ms for at_ms, _ in block), dtype=np.int64, count=len(block)))
        self.decimals = max((decimals for decimals, _ in blocks), default=0)
        self.times: Array = np.concatenate(times) if times else np.empty(0, dtype=np.int64)
        scaled = [_array(whole, 10 ** (self.decimals - decimals)) for decimals, whole in blocks]
        self.prices: Array = np.concatenate(scaled) if scaled else np.empty(0, dtype=np.int64)

    @classmethod
    def of(cls, times: Array, prices: Array, decimals: int) -> "Tape":
        """Of what is in arrays already: epoch ms, and prices as whole numbers of the last of `decimals`."""
        tape = cls(())
        tape.times, tape.prices, tape.decimals = times, prices, decimals
        return tape

    def __len__(self) -> int:
        return len(self.times)

    def price(self, place: int) -> Decimal:
        return Decimal(int(self.prices[place])).scaleb(-self.decimals)

    def time(self, place: int) -> int:
        return int(self.times[place])

    def place_at(self, at_ms: int) -> int:
        """How many ticks come before `at_ms`."""
        return int(self.times.searchsorted(at_ms, side="left"))

    def place_after(self, at_ms: int) -> int:
        """How many ticks come at `at_ms` or before."""
        return int(self.times.searchsorted(at_ms, side="right"))

    def seen_by(self, first_ms: int, period_ms: int) -> tuple[Array, Array]:
        """The places of the prices that a timer sees, the last ones before it rings, and its ring's number each."""
        rings = np.maximum(-(-(self.times - first_ms) // period_ms), 1)
        last = np.ones(len(rings), dtype=bool)
        last[:-1] = rings[1:] != rings[:-1]
        places = np.flatnonzero(last)
        return places, rings[places]

    def bounds(self, band: Band) -> tuple[int | None, int | None]:
        """The band's ends in the tape's own numbers: what is at or beyond one of them is outside."""
        with arithmetic():
            return self._whole(band)

    def _whole(self, band: Band) -> tuple[int | None, int | None]:
        low = None if band.low is None else int(band.low.scaleb(self.decimals).to_integral_value(ROUND_FLOOR))
        high = None if band.high is None else int(band.high.scaleb(self.decimals).to_integral_value(ROUND_CEILING))
        return low, high


def first_outside(prices: Array, bounds: tuple[int | None, int | None], start: int, stop: int) -> int | None:
    """The first place from `start` to before `stop` whose price is at or beyond a bound; the effort is the way."""
    low, high = bounds
    if low is None and high is None:
        return None
    width = _FIRST_LOOK
    while start < stop:
        part = prices[start : min(start + width, stop)]
        if low is None:
            outside = part >= high
        elif high is None:
            outside = part <= low
        else:
            outside = (part <= low) | (part >= high)
        place = int(outside.argmax())
        if outside[place]:
            return start + place
        start += len(part)
        width = min(width * 4, _BLOCK)
    return None


def _array(whole: list[int], factor: int) -> Array:
    """Machine numbers where they fit, else Python's own."""
    if max(map(abs, chain(whole, (1,)))) * factor < _WIDEST:
        return np.array(whole, dtype=np.int64) * factor
    return np.array([one * factor for one in whole], dtype=object)
