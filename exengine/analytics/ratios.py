"""Ratios and distributions of SPEC §13 in floats, for many trades at once; None where they are undefined.

`exengine.domain.figures` has the same definitions in decimals, for a replay's summary; tests hold the two together.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from exengine.analytics.columns import Floats, Ints

DAYS_A_YEAR = 365
BAR_PERCENT = 0.5
"""The width of a bar of the histogram."""
LEAST_REACH, MOST_REACH = 4, 10
"""The histogram reaches so far to both sides at least and at most, in per cent; its outer bars hold what is beyond."""

_NOISE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How many returns lie in each bar of `BAR_PERCENT`; the outer bars hold everything beyond them too."""

    reach: int
    """In per cent: the bars go from −reach to +reach."""
    counts: Ints
    median: float | None
    """In per cent."""

    @property
    def lefts(self) -> Floats:
        """Where each bar begins, in per cent."""
        return np.asarray(-self.reach + BAR_PERCENT * np.arange(len(self.counts)), dtype=np.float64)


def histogram(returns: Floats) -> Histogram:
    """The distribution of returns in per cent."""
    sizes = np.abs(returns)
    far = float(np.quantile(sizes, 0.98)) if len(sizes) else 0.0
    reach = min(max(math.ceil(far), LEAST_REACH), MOST_REACH)
    bars = round(2 * reach / BAR_PERCENT)
    places = np.clip(np.floor((returns + reach) / BAR_PERCENT), 0, bars - 1).astype(np.int64)
    counts = np.bincount(places, minlength=bars).astype(np.int64)
    return Histogram(reach=reach, counts=counts, median=float(np.median(returns)) if len(returns) else None)


def falls(totals: Floats) -> Floats | None:
    """How far each total is below the highest before it, in per cent of that; None where a peak is not above zero."""
    peaks = np.maximum.accumulate(totals)
    if not len(totals) or peaks[0] <= 0:
        return None
    return np.asarray((peaks - totals) / peaks * 100, dtype=np.float64)


def daily_returns(start: float, days: Ints, at: Ints, totals: Floats) -> Floats:
    """A return for each day: of its total at the last close to the day's before; 0 for a day without a close.

    `days` are the beginnings of the days, `at` the rising times of the closes.
    """
    last = np.searchsorted(at, np.append(days[1:], np.iinfo(np.int64).max), side="left")
    first = np.searchsorted(at, days, side="left")
    closed = last > first
    returns = np.zeros(len(days))
    ends = totals[last[closed] - 1]
    before = np.concatenate(([start], ends[:-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = ends / before - 1
    returns[closed] = np.where(before == 0, 0.0, grown)
    return returns


def sharpe(returns: Floats) -> float | None:
    """mean / standard deviation (sample) × √365; None for fewer than two days or without any movement."""
    if len(returns) < 2:
        return None
    deviation = float(returns.std(ddof=1))
    # Equal returns differ in a float's last digits; that is no movement.
    is_still = deviation <= _NOISE * float(np.abs(returns).max())
    return None if is_still else float(returns.mean()) / deviation * math.sqrt(DAYS_A_YEAR)


def sortino(returns: Floats) -> float | None:
    """mean / downside deviation √(Σ min(r, 0)² / n) × √365; None for fewer than two days or without a fall."""
    if len(returns) < 2:
        return None
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(returns.mean()) / downside * math.sqrt(DAYS_A_YEAR) if downside else None


def thinned(at: Floats, values: Floats, most: int) -> tuple[Floats, Floats]:
    """A curve by its first, lowest, highest and last value of each of some stretches, where it has more than `most`.

    What is left looks the same on `most` / 4 pixels.
    """
    stretches = max(1, most // 4)
    if len(at) <= most:
        return at, values
    edges = np.linspace(0, len(at), stretches + 1).astype(np.int64)
    parts = list(pairwise(edges))
    low = np.array([first + int(values[first:last].argmin()) for first, last in parts])
    high = np.array([first + int(values[first:last].argmax()) for first, last in parts])
    kept = np.unique(np.concatenate((edges[:-1], low, high, edges[1:] - 1)))
    return at[kept], values[kept]
