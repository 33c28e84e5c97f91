"""How the returns of closed groups are spread."""

from decimal import Decimal

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtGui import QFontMetricsF, QHelpEvent
from PySide6.QtWidgets import QToolTip

from exengine.analytics.ratios import BAR_PERCENT, Histogram
from exengine.analytics.report import Report
from exengine.ui import format as fmt
from exengine.ui.performance_axes import CountAxis, Grid, LabelledAxis
from exengine.ui.performance_canvas import Box, Canvas
from exengine.ui.performance_words import decimal
from exengine.ui.theme import Look, Role


class HistogramPlot(Canvas):
    """A bar for each half per cent; losses left of zero. The pointer is told what a bar counts."""

    def __init__(self, look: Look) -> None:
        self._bars = pg.BarGraphItem(x0=[], width=BAR_PERCENT, y0=0, height=[])
        self.shown: Histogram | None = None
        super().__init__(look, "Returns of closed groups")
        self._values = CountAxis(look, "left")
        self._percents = LabelledAxis(look, "bottom", self._say)
        self.box = Box()
        self.box.setMouseEnabled(x=False, y=False)
        axes = {"left": self._values, "bottom": self._percents}
        plot = self.addPlot(row=0, col=0, viewBox=self.box, axisItems=axes)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        self._plot = plot
        self._grid = Grid(look, self.box, self._values, None)
        self.box.addItem(self._bars)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def _say(self, percent: float) -> str:
        reach = self.shown.reach if self.shown is not None else 0
        text = fmt.signed(Decimal(repr(percent)), 0)
        return f"≤ {text}" if percent <= -reach else f"≥ {text}" if percent >= reach else text

    def _on_look_changed(self) -> None:
        self.restyle()
        for axis in (self._values, self._percents):
            axis.restyle()
        height = self.look.line_height() + 8
        self._percents.setHeight(round(height))
        self._values.setWidth(round(self.fontMetrics().horizontalAdvance("0000") + 22))
        if self.shown is not None:
            self._draw(self.shown)

    def show_report(self, report: Report) -> None:
        self.shown = report.histogram
        self._draw(report.histogram)
        counted = ", ".join(
            f"{self.words(place)}" for place, count in enumerate(report.histogram.counts.tolist()) if count
        )
        self.setAccessibleDescription(counted)

    def _draw(self, found: Histogram) -> None:
        # The text of the last bar's end stands half outside the plot.
        half = QFontMetricsF(self.look.font(Role.SMALL)).horizontalAdvance(self._say(found.reach)) / 2
        self._plot.layout.setContentsMargins(0, 4, self.look.metric("edge_padding") + round(half), 0)
        lefts = found.lefts
        brushes = [self.look.color("loss" if left < 0 else "profit") for left in lefts]
        # The border in the colour of the ground is what keeps the bars apart.
        pen = pg.mkPen(self.look.color("surface"), width=1)
        self._bars.setOpts(
            x0=lefts, width=BAR_PERCENT, y0=np.zeros(len(lefts)), height=found.counts, brushes=brushes, pen=pen
        )
        self.box.setXRange(-found.reach, found.reach, padding=0)
        self.box.setYRange(0, max(int(found.counts.max()) * 1.08, 1.0), padding=0)

    def words(self, place: int) -> str:
        """`+0.5 to +1 %: 27 groups`"""
        assert self.shown is not None
        left = float(self.shown.lefts[place])
        low, high = (fmt.signed(decimal(value), 1) for value in (left, left + BAR_PERCENT))
        count = fmt.count(int(self.shown.counts[place]), "group")
        if place == 0:
            return f"below {high} %: {count}"
        return f"{low} % or more: {count}" if place == len(self.shown.counts) - 1 else f"{low} to {high} %: {count}"

    def bar_at(self, at: QPointF) -> int | None:
        """The bar in whose column a point of the canvas lies."""
        if self.shown is None or not self.area_of(self.box).contains(at):
            return None
        percent = self.box.mapSceneToView(self.mapToScene(at.toPoint())).x()
        place = int((percent + self.shown.reach) / BAR_PERCENT)
        return min(max(place, 0), len(self.shown.counts) - 1)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            place = self.bar_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if place is None else self.words(place), self)
            return True
        return bool(super().viewportEvent(event))
