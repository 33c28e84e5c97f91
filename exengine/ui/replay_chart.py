"""The equity curves of one or two replays and their falls from the peak, over the same time."""

from collections.abc import Sequence
from datetime import tzinfo

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF

from exengine.analytics.columns import Floats
from exengine.analytics.ratios import thinned
from exengine.analytics.replayed import Replayed
from exengine.ui import format as fmt
from exengine.ui.performance_equity import FALL_SHARE
from exengine.ui.performance_over_time import HINT, SMOOTH_POINTS, OverTime
from exengine.ui.performance_words import decimal, minute, moment
from exengine.ui.theme import Look, Role, mixed

NAMES = ("A", "B")
TOKENS = ("accent", "risk")
"""The colours of the two, wherever they are told apart."""


class ReplayChart(OverTime):
    """One or two replays; the values where the pointer is, or at the end."""

    def __init__(self, look: Look) -> None:
        totals, falls = ([pg.PlotCurveItem(connect="all") for _ in NAMES] for _ in range(2))
        super().__init__(
            look,
            "Equity and drawdown of the replays over time",
            tuple(zip(TOKENS, NAMES, strict=True)),
            # A is drawn over B: it is what runs, mostly.
            above=totals[::-1],
            below=falls[::-1],
            stretch=3,
        )
        self.heading.title.setText("Equity, USD, and below it drawdown, %")
        self._totals, self._falls = totals, falls
        self.runs: tuple[Replayed, ...] = ()
        self._at: float | None = None
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()
        self._tell()

    def _on_look_changed(self) -> None:
        for total, fall, token in zip(self._totals, self._falls, TOKENS, strict=True):
            total.setPen(pg.mkPen(self.look.color(token), width=1.8))
            fall.setPen(pg.mkPen(self.look.color(token), width=1.3))
            fall.setBrush(mixed(self.look.color(token), self.look.color("surface"), FALL_SHARE))
        self._restyle()
        self._fit_axes()

    def _fit_axes(self) -> None:
        """Both plots begin at the same place, wherever their numbers end."""
        texts = ["−100.0 %", "100,000"]
        texts += [fmt.number(decimal(float(run.total.max())), 0) + ".0" for run in self.runs]
        metrics = self.look.font(Role.SMALL)
        width = max(len(text) for text in texts) * pg.QtGui.QFontMetricsF(metrics).horizontalAdvance("0") + 22
        for axis in (self.values, self.falls):
            axis.setWidth(width)

    def show_runs(self, runs: Sequence[Replayed], zone: tzinfo) -> None:
        """One or two replays, whole."""
        self.runs, self.zone, self.times.zone = tuple(runs), zone, zone
        self._at = None
        self._fit_axes()
        self._limit()
        self.fit()
        self._on_range()
        self._tell()

    def _span(self) -> tuple[float, float] | None:
        if not self.runs:
            return None
        return min(float(run.at[0]) for run in self.runs) / 1000, max(float(run.at[-1]) for run in self.runs) / 1000

    def _pointed_s(self) -> float | None:
        return self._at

    def _on_range(self, *_: object) -> None:
        highs, lows, deepest = [], [], [0.01]
        for place, (total, fall) in enumerate(zip(self._totals, self._falls, strict=True)):
            if place >= len(self.runs):
                total.clear()
                fall.clear()
                continue
            run = self.runs[place]
            seconds = run.at / 1000.0
            part = self._shown_part(seconds)
            seconds, values = seconds[part], run.total[part]
            self._draw(total, seconds, values)
            highs.append(float(values.max()))
            lows.append(float(values.min()))
            if run.falls is not None:
                falls = run.falls[part]
                self._draw(fall, seconds, -falls)
                # Of two, one would cover the other.
                fall.setFillLevel(0.0 if len(self.runs) == 1 else None)
                deepest.append(float(falls.max()) * 1.15)
        if highs:
            low, high = min(lows), max(highs)
            room = (high - low) * 0.06 or max(abs(high) * 0.001, 1.0)
            self.top_box.setYRange(low - room, high + room, padding=0)
            self.low_box.setYRange(-max(deepest), 0.0, padding=0)

    def _draw(self, curve: pg.PlotCurveItem, seconds: Floats, values: Floats) -> None:
        curve.setData(*thinned(seconds, values, self._most_points()), antialias=len(seconds) <= SMOOTH_POINTS)

    # The pointer

    def _on_pointed(self, at: QPointF | None) -> None:
        self._at = self._second_at(at)
        self._tell()

    def _tell(self) -> None:
        """The values where the pointer is, or at the end."""
        texts: list[str | None] = [None] * len(NAMES)
        when = ""
        for place, run in enumerate(self.runs):
            row = len(run.at) - 1
            if self._at is not None:
                row = min(max(int(np.searchsorted(run.at, self._at * 1000, side="right")) - 1, 0), row)
            texts[place] = fmt.number(decimal(float(run.total[row])), 2)
        if self.runs and self._at is not None:
            when = f"{minute(int(self._at * 1000), self.zone)} {zone_of(self.runs, self.zone)}"
        self.legend.show_values(*texts)
        self.heading.detail.setText(when or HINT)


def zone_of(runs: Sequence[Replayed], zone: tzinfo) -> str:
    """Whose times the replays' are: `UTC`, `CET`."""
    return f"{moment(int(runs[0].at[-1]), zone):%Z}"
