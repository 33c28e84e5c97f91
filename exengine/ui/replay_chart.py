"""The equity curves of one or two replays and their falls from the peak, over the same time."""

from collections.abc import Sequence
from datetime import UTC, tzinfo

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QVBoxLayout

from exengine.analytics.columns import Floats, Ints
from exengine.analytics.ratios import thinned
from exengine.analytics.replayed import Replayed
from exengine.ui import format as fmt
from exengine.ui.performance_axes import Grid, NumberAxis, TimeAxis
from exengine.ui.performance_canvas import Box, Canvas
from exengine.ui.performance_equity import POINTS_A_PIXEL, SMOOTH_POINTS
from exengine.ui.performance_pieces import Legend, PaneTitle
from exengine.ui.performance_words import decimal, minute
from exengine.ui.pieces import Ground
from exengine.ui.theme import Look, Role

NAMES = ("A", "B")
TOKENS = ("accent", "risk")
"""The colours of the two, wherever they are told apart."""
LEAST_SPAN_S = 60.0


class ReplayChart(Ground):
    """Both plots share their time; the values of the part that is shown fill the height."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, "surface")
        self.look = look
        self.runs: tuple[Replayed, ...] = ()
        self.zone: tzinfo = UTC
        self._at: float | None = None
        self.heading = PaneTitle(look, "Equity, USD")
        self.heading.detail.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.legend = Legend(look, tuple(zip(TOKENS, NAMES, strict=True)))
        self.heading.row.insertWidget(1, self.legend)
        self.canvas = Canvas(look, "Equity and drawdown of the replays over time")
        self._build()
        self.canvas.pointed.connect(self._on_pointed)
        self.canvas.zoomed.connect(self._on_zoomed)
        self.canvas.fit_asked.connect(self.fit)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()
        self._tell()

    def _build(self) -> None:
        look = self.look
        self.values, self.falls = NumberAxis(look, "left", above=True), NumberAxis(look, "left", " %")
        self.times = TimeAxis(look, "bottom", self.zone)
        self.top_box, self.low_box = Box(), Box()
        hidden = pg.AxisItem("bottom")
        top = self.canvas.addPlot(row=0, col=0, viewBox=self.top_box, axisItems={"left": self.values, "bottom": hidden})
        low = self.canvas.addPlot(
            row=1, col=0, viewBox=self.low_box, axisItems={"left": self.falls, "bottom": self.times}
        )
        for plot in (top, low):
            plot.hideButtons()
            plot.setMenuEnabled(False)
            plot.layout.setContentsMargins(0, 0, 0, 0)
        top.hideAxis("bottom")
        top.layout.setContentsMargins(0, 6, 0, 4)
        self.canvas.ci.layout.setRowStretchFactor(0, 3)
        self.canvas.ci.layout.setRowStretchFactor(1, 1)
        self.low_box.setXLink(self.top_box)
        self.grids = (
            Grid(look, self.top_box, self.values, self.times),
            Grid(look, self.low_box, self.falls, self.times),
        )
        self._totals = [pg.PlotCurveItem(connect="all") for _ in NAMES]
        self._falls = [pg.PlotCurveItem(connect="all") for _ in NAMES]
        # A is drawn over B: it is what runs, mostly.
        for total, fall in zip(reversed(self._totals), reversed(self._falls), strict=True):
            self.top_box.addItem(total)
            self.low_box.addItem(fall)
        self.top_box.sigXRangeChanged.connect(self._on_range)
        self.top_box.sigResized.connect(self._on_range)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.heading)
        column.addWidget(self.canvas, 1)

    def _on_look_changed(self) -> None:
        self.canvas.restyle()
        for axis in (self.values, self.falls, self.times):
            axis.restyle()
        self._fit_axes()
        for total, fall, token in zip(self._totals, self._falls, TOKENS, strict=True):
            pen: QPen = pg.mkPen(self.look.color(token), width=1.8)
            total.setPen(pen)
            fall.setPen(pg.mkPen(self.look.color(token), width=1.3))
        for grid in self.grids:
            grid.update()
        self.canvas.update()

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
        ends = self._ends()
        for box in (self.top_box, self.low_box):
            box.setLimits(xMin=ends[0], xMax=ends[1], minXRange=min(LEAST_SPAN_S, ends[1] - ends[0]))
        self.fit()
        self._on_range()
        self._tell()

    def _ends(self) -> tuple[float, float]:
        first = min(float(run.at[0]) for run in self.runs) / 1000
        last = max(float(run.at[-1]) for run in self.runs) / 1000
        return first, last + max((last - first) * 0.008, 1.0)

    def fit(self) -> None:
        """Shows all of it."""
        if self.runs:
            self.top_box.setXRange(*self._ends(), padding=0)

    def _on_zoomed(self, factor: float) -> None:
        left, right = self.top_box.viewRange()[0]
        middle = (left + right) / 2 if self._at is None else self._at
        self.top_box.setXRange(middle - (middle - left) * factor, middle + (right - middle) * factor, padding=0)

    def _on_range(self, *_: object) -> None:
        """Draws the part that is shown, no finer than the screen, and fills the height with it."""
        left, right = self.top_box.viewRange()[0]
        highs, lows, deepest = [], [], [0.01]
        for place, (total, fall) in enumerate(zip(self._totals, self._falls, strict=True)):
            if place >= len(self.runs):
                total.clear()
                fall.clear()
                continue
            run = self.runs[place]
            seconds, part = _shown(run.at, left, right)
            values = run.total[part]
            self._draw(total, seconds, values)
            highs.append(float(values.max()))
            lows.append(float(values.min()))
            if run.falls is not None:
                falls = run.falls[part]
                self._draw(fall, seconds, -falls)
                deepest.append(float(falls.max()) * 1.15)
        if highs:
            low, high = min(lows), max(highs)
            room = (high - low) * 0.06 or max(abs(high) * 0.001, 1.0)
            self.top_box.setYRange(low - room, high + room, padding=0)
            self.low_box.setYRange(-max(deepest), 0.0, padding=0)

    def _draw(self, curve: pg.PlotCurveItem, seconds: Floats, values: Floats) -> None:
        most = max(self.canvas.width(), 200) * POINTS_A_PIXEL
        curve.setData(*thinned(seconds, values, most), antialias=len(seconds) <= SMOOTH_POINTS)

    # The pointer

    def _on_pointed(self, at: QPointF | None) -> None:
        inside = at is not None and (
            self.canvas.area_of(self.top_box).united(self.canvas.area_of(self.low_box)).contains(at)
        )
        self._at = self.top_box.mapSceneToView(self.canvas.mapToScene(at.toPoint())).x() if at and inside else None
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
            when = minute(int(self._at * 1000), self.zone)
        self.legend.show_values(*texts)
        self.heading.detail.setText(when or "Scroll zooms · double-click fits")


def _shown(at: Ints, left: float, right: float) -> tuple[Floats, slice]:
    """The part of a curve that is seen, with what it comes from and goes to."""
    seconds = at / 1000.0
    first = max(int(np.searchsorted(seconds, left, side="right")) - 1, 0)
    last = min(int(np.searchsorted(seconds, right, side="left")) + 1, len(seconds))
    part = slice(first, max(last, first + 1))
    return seconds[part], part
