"""The equity curve and the fall from its peak: zoom, pan, and a crosshair that tells the values."""

from datetime import tzinfo

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QPainter

from exengine.analytics.columns import Floats
from exengine.analytics.equity import Curve
from exengine.analytics.ratios import thinned
from exengine.analytics.report import Report
from exengine.ui import format as fmt
from exengine.ui.performance_canvas import Layer
from exengine.ui.performance_crosshair import Crosshair
from exengine.ui.performance_over_time import SMOOTH_POINTS, OverTime
from exengine.ui.performance_words import decimal, minute
from exengine.ui.theme import Look, mixed

FALL_SHARE = 0.22
"""How much of the loss colour the area under the fall has."""


class EquityChart(OverTime):
    """The closed groups' equity; the crosshair goes from close to close."""

    crossed = Signal(object)
    """The place in the curve that the crosshair is on; None when it is gone."""

    def __init__(self, look: Look) -> None:
        realised, total, fall = (pg.PlotCurveItem(connect="all") for _ in range(3))
        super().__init__(
            look,
            "Equity and drawdown over time",
            (("accent", "Total"), ("muted", "Realised"), ("loss", "Drawdown")),
            above=(realised, total),
            below=(fall,),
            stretch=4,
        )
        self._realised, self._total, self._fall = realised, total, fall
        self.curve: Curve | None = None
        self._seconds: Floats = np.zeros(0)
        self._at: int | None = None
        self._crosshair = Crosshair(look)
        self.canvas.layer = Layer(self.canvas, self._paint_crosshair)
        self.canvas.stepped.connect(self._on_stepped)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def _on_look_changed(self) -> None:
        look = self.look
        self._total.setPen(pg.mkPen(look.color("accent"), width=1.8))
        self._realised.setPen(pg.mkPen(look.color("muted"), width=1.3))
        self._fall.setPen(pg.mkPen(look.color("loss"), width=1.2))
        self._fall.setBrush(mixed(look.color("loss"), look.color("surface"), FALL_SHARE))
        self._restyle()
        self._fit_axes()

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
            "" if falls is None else f"{fmt.number(decimal(-float(falls[-1])), 2)} %",
        )
        self._fit_axes()
        self._limit()
        if followed:
            self.fit()
        self._on_range()

    def _span(self) -> tuple[float, float] | None:
        return (float(self._seconds[0]), float(self._seconds[-1])) if self.curve is not None else None

    def _pointed_s(self) -> float | None:
        return None if self._at is None else float(self._seconds[self._at])

    def _is_fitted(self) -> bool:
        left, right = self.top_box.viewRange()[0]
        ends = self._ends()
        return ends is not None and left <= ends[0] + 0.5 and right >= ends[1] - 0.5

    def _on_range(self, *_: object) -> None:
        curve = self.curve
        if curve is None:
            return
        part = self._shown_part(self._seconds)
        at = self._seconds[part]
        total, realised = curve.total[part], curve.realised[part]
        most = self._most_points()
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
        seconds = self._second_at(at) if self.curve is not None else None
        self._cross(None if seconds is None else int(np.searchsorted(self._seconds, seconds, side="right")) - 1)

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
        self._crosshair.paint(painter, spot, top, low, told, self._labels())

    def _labels(self) -> list[float]:
        """How far down the canvas the texts of both value axes stand."""
        found: list[float] = []
        for axis, box in ((self.values, self.top_box), (self.falls, self.low_box)):
            least, largest = box.viewRange()[1]
            for _, values in axis.tickValues(least, largest, box.height()):
                found += [self.canvas.place_of(box, 0.0, value).y() for value in values]
        return found


def stepped(at: Floats, values: Floats) -> tuple[Floats, Floats]:
    """A curve that stays where it is until the next value comes."""
    return np.repeat(at, 2)[1:], np.repeat(values, 2)[:-1]


def _roomy(low: float, high: float) -> tuple[float, float]:
    room = (high - low) * 0.06 or max(abs(high) * 0.001, 1.0)
    return low - room, high + room
