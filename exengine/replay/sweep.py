"""A sweep: many replays of the same signals and prices, each under other settings, ranked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from exengine.replay.chart import Series
from exengine.replay.ranking import Rank, rank

MOST_CURVES = 5
"""So many of the best runs' equity curves are kept and drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a sweep and what came of it."""

    number: int
    values: tuple[str, ...]
    """What each varied setting was, in the order of the sweep's paths."""
    figures: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Sweep:
    """Takes the runs in whatever order they end; what it tells is the same of any."""

    paths: tuple[str, ...]
    by: str
    """The figure that decides."""
    runs: list[Run] = field(default_factory=list)
    left_out: list[tuple[int, tuple[str, ...], str]] = field(default_factory=list)
    """Number, values and the reason of those that could not be run."""
    _curves: dict[int, Series] = field(default_factory=dict)

    def add(self, run: Run, equity: Series) -> None:
        """Takes a run up; only the best ones' curves are kept."""
        self.runs.append(run)
        self._curves[run.number] = equity
        if len(self._curves) > MOST_CURVES:
            kept = [one for one in self.runs if one.number in self._curves]
            del self._curves[max(kept, key=self._rank).number]

    def ranked(self) -> Sequence[Run]:
        """The runs, the best first."""
        return sorted(self.runs, key=self._rank)

    def curves(self) -> list[tuple[Run, Series]]:
        """The equity curves of the best runs, the best first."""
        return [(run, self._curves[run.number]) for run in self.ranked()[:MOST_CURVES]]

    def _rank(self, run: Run) -> Rank:
        return rank(run.figures, self.by, run.number)
