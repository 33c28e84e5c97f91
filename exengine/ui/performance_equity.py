"""The equity curve and the fall from its peak: zoom, pan, and a crosshair that tells the values."""

from datetime import UTC, tzinfo

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QVBoxLayout

from exengine.analytics.columns import Floats
from exengine.analytics.equity import Curve
from exengine.analytics.ratios import thinned
from exengine.analytics.report import Report
from exengine.ui import format as fmt
from exengine.ui.performance_axes import Grid, NumberAxis, TimeAxis
from exengine.ui.performance_canvas import Box, Canvas, Layer
from exengine.ui.performance_crosshair import Crosshair
from exengine.ui.performance_pieces import Legend, PaneTitle
from exengine.ui.performance_words import decimal, minute
from exengine.ui.pieces import Ground
from exengine.ui.theme import Look, mixed

FALL_SHARE = 0.22
"""How much of the loss colour the area under the fall has."""
LEAST_SPAN_S = 60.0
POINTS_A_PIXEL = 2
"""Of a curve no more are drawn than can be told apart."""

SMOOTH_POINTS = 600
"""Up to so many points the edges of the lines are smoothed; of more nobody sees it, and it takes long."""


class EquityChart(Ground):
    """Both plots share their time; the values of the part that is shown fill the height."""

    crossed = Signal(object)
    """The place in the curve that the crosshair is on; None when it is gone."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, "surface")
        self.look = look
        self.curve: Curve | None = None
        self.zone: tzinfo = UTC
        self._seconds: Floats = np.zeros(0)
        self._at: int | None = None
        self.heading = PaneTitle(look, "Equity, USD")
        self.legend = Legend(look, (("accent", "Total"), ("muted", "Realised"), ("loss", "Drawdown, %")))
        self.heading.detail.setText("Scroll zooms · double-click fits")
        self.heading.detail.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.canvas = Canvas(look, "Equity and drawdown over time")
        self._crosshair = Crosshair(look)
        self._build()
        self.canvas.layer = Layer(self.canvas, self._paint_crosshair)
        self.canvas.pointed.connect(self._on_pointed)
        self.canvas.stepped.connect(self._on_stepped)
        self.canvas.zoomed.connect(self._on_zoomed)
        self.canvas.fit_asked.connect(self.fit)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

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
        self.canvas.ci.layout.setRowStretchFactor(0, 4)
        self.canvas.ci.layout.setRowStretchFactor(1, 1)
        self.low_box.setXLink(self.top_box)
        self.grids = (
            Grid(look, self.top_box, self.values, self.times),
            Grid(look, self.low_box, self.falls, self.times),
        )
        self._realised, self._total, self._fall = (pg.PlotCurveItem(connect="all") for _ in range(3))
        self.top_box.addItem(self._realised)
        self.top_box.addItem(self._total)
        self.low_box.addItem(self._fall)
        self.top_box.sigXRangeChanged.connect(self._on_range)
        self.top_box.sigResized.connect(self._on_range)
        self.heading.row.insertWidget(1, self.legend)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.heading)
        column.addWidget(self.canvas, 1)

    def _on_look_changed(self) -> None:
        look = self.look
        self.canvas.restyle()
        for axis in (self.values, self.falls, self.times):
            axis.restyle()
        self._fit_axes()
        self._total.setPen(pg.mkPen(look.color("accent"), width=1.8))
        self._realised.setPen(pg.mkPen(look.color("muted"), width=1.3))
        self._fall.setPen(pg.mkPen(look.color("loss"), width=1.2))
        self._fall.setBrush(mixed(look.color("loss"), look.color("surface"), FALL_SHARE))
        for grid in self.grids:
            grid.update()
        self.canvas.update()

    def _fit_axes(self) -> None:
        """Both plots begin at the same place, wherever their numbers end."""
        texts = ["−100.0 %", "100,000"]
        if self.curve is not None:
            texts.append(fmt.number(decimal(float(self.curve.total.max())), 0) + ".0")
        metrics = self._crosshair.metrics()
        width = max(metrics.horizontalAdvance(text) for text in texts) + 22
        for axis in (self.values, self.falls):
            axis.setWidth(round(width))
        self.times.setHeight(round(metrics.height()) + 10)

    # Content

    def show_report(self, report: Report, zone: tzinfo) -> None:
        """Another curve; the part that is looked at stays where only new closes have come."""
        before, curve = self.curve, report.curve
        followed = before is None or before.at[0] != curve.at[0] or self._is_fitted()
        self.curve, self.zone, self.times.zone = curve, zone, zone
        self._seconds = curve.at / 1000.0
        self._at = None
        falls = curve.falls
        self.legend.show_values(
            fmt.number(decimal(float(curve.total[-1])), 2),
            fmt.number(decimal(float(curve.realised[-1])), 2),
            "" if falls is None else fmt.number(decimal(-float(falls[-1])), 2),
        )
        self._fit_axes()
        ends = self._ends()
        for box in (self.top_box, self.low_box):
            box.setLimits(xMin=ends[0], xMax=ends[1], minXRange=min(LEAST_SPAN_S, ends[1] - ends[0]))
        if followed:
            self.fit()
        self._on_range()

    def _ends(self) -> tuple[float, float]:
        first, last = float(self._seconds[0]), float(self._seconds[-1])
        # A curve of one moment has no width, and the last value stays clear of the edge.
        return first, last + max((last - first) * 0.008, 1.0)

    def _is_fitted(self) -> bool:
        left, right = self.top_box.viewRange()[0]
        first, last = self._ends()
        return left <= first + 0.5 and right >= last - 0.5

    def fit(self) -> None:
        """Shows all of it."""
        if self.curve is not None:
            self.top_box.setXRange(*self._ends(), padding=0)

    def _on_zoomed(self, factor: float) -> None:
        at = None if self._at is None else float(self._seconds[self._at])
        left, right = self.top_box.viewRange()[0]
        middle = (left + right) / 2 if at is None else at
        self.top_box.setXRange(middle - (middle - left) * factor, middle + (right - middle) * factor, padding=0)

    def _on_range(self, *_: object) -> None:
        """Draws the part that is shown, no finer than the screen, and fills the height with it."""
        curve = self.curve
        if curve is None:
            return
        left, right = self.top_box.viewRange()[0]
        first = max(int(np.searchsorted(self._seconds, left, side="right")) - 1, 0)
        last = min(int(np.searchsorted(self._seconds, right, side="left")) + 1, len(self._seconds))
        part = slice(first, last)
        at = self._seconds[part]
        total, realised = curve.total[part], curve.realised[part]
        most = max(self.canvas.width(), 200) * POINTS_A_PIXEL
        smooth = len(at) <= SMOOTH_POINTS
        self._total.setData(*thinned(at, total, most), antialias=smooth)
        self._realised.setData(*stepped(*thinned(at, realised, most)), antialias=smooth)
        self.top_box.setYRange(*_roomy(min(total.min(), realised.min()), max(total.max(), realised.max())), padding=0)
        if curve.falls is not None:
            falls = -curve.falls[part]
            self._fall.setData(*thinned(at, falls, most), fillLevel=0.0, antialias=smooth)
            self.low_box.setYRange(min(float(falls.min()) * 1.15, -0.01), 0.0, padding=0)
        self._move()

    # Crosshair

    def _on_pointed(self, at: QPointF | None) -> None:
        if at is None or self.curve is None or not self._shown_area().contains(at):
            self._cross(None)
            return
        seconds = self.top_box.mapSceneToView(self.canvas.mapToScene(at.toPoint())).x()
        self._cross(int(np.searchsorted(self._seconds, seconds, side="right")) - 1)

    def _shown_area(self) -> QRectF:
        return self.canvas.area_of(self.top_box).united(self.canvas.area_of(self.low_box))

    def _on_stepped(self, step: int) -> None:
        if self.curve is None:
            return
        left, right = self.top_box.viewRange()[0]
        first = int(np.searchsorted(self._seconds, left, side="left"))
        last = int(np.searchsorted(self._seconds, right, side="right")) - 1
        at = last if self._at is None else min(max(self._at + step, first), last)
        self._cross(max(at, 0))

    def _cross(self, place: int | None) -> None:
        if place is not None and self.curve is not None:
            place = min(max(place, 0), len(self._seconds) - 1)
        if place != self._at:
            self._at = place
            self._move()
            self.crossed.emit(place)

    def told(self) -> tuple[str, str, str, str] | None:
        """(time, total, realised, drawdown) where the crosshair is."""
        if self.curve is None or self._at is None:
            return None
        falls = self.curve.falls
        return (
            minute(int(self.curve.at[self._at]), self.zone),
            fmt.number(decimal(float(self.curve.total[self._at])), 2),
            fmt.number(decimal(float(self.curve.realised[self._at])), 2),
            fmt.DASH if falls is None else fmt.number(decimal(-float(falls[self._at])), 2) + " %",
        )

    def _move(self) -> None:
        told = self.told()
        self.canvas.setAccessibleDescription(
            "" if told is None else f"{told[0]}: total {told[1]}, realised {told[2]}, drawdown {told[3]}"
        )
        layer = self.canvas.layer
        if layer is not None:
            layer.setVisible(told is not None)
            layer.update()

    def _paint_crosshair(self, painter: QPainter) -> None:
        told = self.told()
        if told is None or self.curve is None or self._at is None:
            return
        total = float(self.curve.total[self._at])
        spot = self.canvas.place_of(self.top_box, float(self._seconds[self._at]), total)
        top, low = self.canvas.area_of(self.top_box), self.canvas.area_of(self.low_box)
        self._crosshair.paint(painter, spot, top, low, told)


def stepped(at: Floats, values: Floats) -> tuple[Floats, Floats]:
    """A curve that stays where it is until the next value comes."""
    return np.repeat(at, 2)[1:], np.repeat(values, 2)[:-1]


def _roomy(low: float, high: float) -> tuple[float, float]:
    room = (high - low) * 0.06 or max(abs(high) * 0.001, 1.0)
    return low - room, high + room
