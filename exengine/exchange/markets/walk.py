"""A path like a market's: a Brownian walk through time that runs fast in violent spells and slowly in calm ones.

The walk is made from the top down. A season of 2^25 seconds (388 days) has its two ends; a split at the middle puts a
random point between two known ones and hands each half an uneven share of the movement that is left, and so on down to
the second. The uneven shares multiply from level to level: that is what gives fat tails and violent spells at every
scale, as real markets have them (a multifractal model of returns). Every point follows from the seed and its own place
alone, so that any block is computed without what came before.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from exengine.exchange.markets.noise import Floats, Hashes, bell, key, uniform

SEASON_BITS = 25
BLOCK_BITS = 12
BLOCK_S = 1 << BLOCK_BITS
"""A block is what is computed at once: 4096 points, one a second."""

DAY_S = 86_400
DAY_LEVEL = 9
"""From here on a split is within about a day."""
UNEVEN_SEASON = 0.20
UNEVEN_DAY = 0.34
"""How far a half's share of the movement may be from one half, above and below a day."""
SEASON_DEVIATION = 0.25
"""Of the logarithm of the price at a season's ends. Seasons are independent: no trend runs off, no period shows."""


class Walks:
    """Logarithms of prices against their start, at every second from 0 on: a row for each name. They begin at 0."""

    def __init__(self, seed: int, daily_deviations: Mapping[str, float]) -> None:
        names = tuple(daily_deviations)
        self._ends = _keys(seed, names, "season", 0)
        self._shares = [_keys(seed, names, "share", level) for level in range(SEASON_BITS)]
        self._moves = [_keys(seed, names, "move", level) for level in range(SEASON_BITS)]
        daily = np.array([[deviation] for deviation in daily_deviations.values()])
        self._season_variances = daily * daily * (1 << SEASON_BITS) / DAY_S

    def block(self, index: int) -> Floats:
        """The values at the seconds `index * BLOCK_S` up to before the next block."""
        points = self._season_ends(index >> (SEASON_BITS - BLOCK_BITS))
        variances = self._season_variances
        for level in range(SEASON_BITS - BLOCK_BITS):
            depth = SEASON_BITS - BLOCK_BITS - level
            points, variances = self._split(level, index >> depth, points, variances)
            half = (index >> (depth - 1)) & 1
            points, variances = points[:, half : half + 2], variances[:, half : half + 1]
        for level in range(SEASON_BITS - BLOCK_BITS, SEASON_BITS):
            first = index << (level - (SEASON_BITS - BLOCK_BITS))
            points, variances = self._split(level, first, points, variances)
        return points[:, :-1]

    def _season_ends(self, index: int) -> Floats:
        numbers: NDArray[np.int64] = np.array([index, index + 1], dtype=np.int64)
        return np.where(numbers == 0, 0.0, bell(self._ends, numbers) * SEASON_DEVIATION)

    def _split(self, level: int, first: int, points: Floats, variances: Floats) -> tuple[Floats, Floats]:
        """Puts a point between each two; `first` is the number of the first interval on this level."""
        rows, count = variances.shape
        numbers = np.arange(first, first + count, dtype=np.int64)
        uneven = UNEVEN_SEASON if level < DAY_LEVEL else UNEVEN_DAY
        left = 0.5 + uneven * (2.0 * uniform(self._shares[level], numbers) - 1.0)
        right = 1.0 - left
        middles = points[:, :-1] + (points[:, 1:] - points[:, :-1]) * left
        middles += np.sqrt(variances * left * right) * bell(self._moves[level], numbers)
        finer = np.empty((rows, 2 * count + 1))
        finer[:, 0::2] = points
        finer[:, 1::2] = middles
        shares = np.empty((rows, 2 * count))
        shares[:, 0::2] = variances * left
        shares[:, 1::2] = variances * right
        return finer, shares


def _keys(seed: int, names: Iterable[str], what: str, level: int) -> Hashes:
    """A column of keys, one for each walk."""
    return np.array([[key(seed, name, what, level)] for name in names], dtype=np.uint64)
