"""Two plots over the same time: money above, and below it the fall from the peak; zoomed and pointed at as one."""

from collections.abc import Sequence
from datetime import UTC, tzinfo

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtWidgets import QVBoxLayout

from exengine.analytics.columns import Floats
from exengine.ui.performance_axes import Grid, NumberAxis, TimeAxis
from exengine.ui.performance_canvas import Box, Canvas
from exengine.ui.performance_pieces import Legend, PaneTitle
from exengine.ui.pieces import Ground
from exengine.ui.theme import Look

LEAST_SPAN_S = 60.0
POINTS_A_PIXEL = 2
"""Of a curve no more are drawn than can be told apart."""

SMOOTH_POINTS = 600
"""Up to so many points the edges of the lines are smoothed; of more nobody sees it, and it takes long."""

HINT = "Scroll zooms · double-click fits"


class OverTime(Ground):
    """Both plots share their time; the values of the part that is shown fill the height."""

    def __init__(
        self,
        look: Look,
        name: str,
        legend: Sequence[tuple[str, str]],
        *,
        above: Sequence[pg.PlotCurveItem],
        below: Sequence[pg.PlotCurveItem],
        stretch: int,
    ) -> None:
        """`name` is the screen reader's; the curves are drawn in their order; the upper plot is `stretch` times as
        tall as the lower one."""
        super().__init__(look, "surface")
        self.look = look
        self.zone: tzinfo = UTC
        self.heading = PaneTitle(look, "Equity, USD")
        self.heading.detail.setText(HINT)
        self.heading.detail.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.legend = Legend(look, tuple(legend))
        self.heading.row.insertWidget(1, self.legend)
        self.canvas = Canvas(look, name)
        self._build(above, below, stretch)
        self.canvas.pointed.connect(self._on_pointed)
        self.canvas.zoomed.connect(self._on_zoomed)
        self.canvas.fit_asked.connect(self.fit)

    def _build(self, above: Sequence[pg.PlotCurveItem], below: Sequence[pg.PlotCurveItem], stretch: int) -> None:
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
        self.canvas.ci.layout.setRowStretchFactor(0, stretch)
        self.canvas.ci.layout.setRowStretchFactor(1, 1)
        self.low_box.setXLink(self.top_box)
        self.grids = (
            Grid(look, self.top_box, self.values, self.times),
            Grid(look, self.low_box, self.falls, self.times),
        )
        for box, curves in ((self.top_box, above), (self.low_box, below)):
            for curve in curves:
                box.addItem(curve)
        self.top_box.sigXRangeChanged.connect(self._on_range)
        self.top_box.sigResized.connect(self._on_range)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.heading)
        column.addWidget(self.canvas, 1)

    # What a chart says of itself

    def _span(self) -> tuple[float, float] | None:
        """The first and the last moment, in epoch seconds; None where there is nothing to show."""
        raise NotImplementedError

    def _pointed_s(self) -> float | None:
        """Where the pointer is."""
        raise NotImplementedError

    def _on_range(self, *_: object) -> None:
        """Draws the part that is shown, no finer than the screen, and fills the height with it."""
        raise NotImplementedError

    def _on_pointed(self, at: QPointF | None) -> None:
        raise NotImplementedError

    # What they share

    def _restyle(self) -> None:
        self.canvas.restyle()
        for axis in (self.values, self.falls, self.times):
            axis.restyle()
        for grid in self.grids:
            grid.update()
        self.canvas.update()

    def _limit(self) -> None:
        """Nobody zooms or pans out of what there is."""
        ends = self._ends()
        if ends is not None:
            for box in (self.top_box, self.low_box):
                box.setLimits(xMin=ends[0], xMax=ends[1], minXRange=min(LEAST_SPAN_S, ends[1] - ends[0]))

    def _ends(self) -> tuple[float, float] | None:
        span = self._span()
        if span is None:
            return None
        first, last = span
        # A curve of one moment has no width, and the last value stays clear of the edge.
        return first, last + max((last - first) * 0.008, 1.0)

    def fit(self) -> None:
        """Shows all of it."""
        ends = self._ends()
        if ends is not None:
            self.top_box.setXRange(*ends, padding=0)

    def _on_zoomed(self, factor: float) -> None:
        at = self._pointed_s()
        left, right = self.top_box.viewRange()[0]
        middle = (left + right) / 2 if at is None else at
        self.top_box.setXRange(middle - (middle - left) * factor, middle + (right - middle) * factor, padding=0)

    def _shown_part(self, seconds: Floats) -> slice:
        """What of a curve is seen, with what it comes from and goes to."""
        left, right = self.top_box.viewRange()[0]
        first = max(int(np.searchsorted(seconds, left, side="right")) - 1, 0)
        return slice(first, min(int(np.searchsorted(seconds, right, side="left")) + 1, len(seconds)))

    def _most_points(self) -> int:
        return max(self.canvas.width(), 200) * POINTS_A_PIXEL

    def _second_at(self, at: QPointF | None) -> float | None:
        """The moment at a place of the canvas; None beside the plots."""
        if at is None or not self._shown_area().contains(at):
            return None
        return float(self.top_box.mapSceneToView(self.canvas.mapToScene(at.toPoint())).x())

    def _shown_area(self) -> QRectF:
        return self.canvas.area_of(self.top_box).united(self.canvas.area_of(self.low_box))
