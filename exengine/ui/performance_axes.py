"""Axes of the plots: at most seven round steps, dates in the trader's zone, and the grid behind the curves."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from exengine.ui import format as fmt
from exengine.ui.performance_words import moment
from exengine.ui.theme import Look, Role

MOST_TICKS = 7
_STEPS_S = (60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
_DAYS = (1, 2, 5, 10, 20)
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


class Axis(pg.AxisItem):
    """Texts alone: no line, no ticks."""

    def __init__(self, look: Look, orientation: str) -> None:
        super().__init__(orientation, showValues=True)
        self.look = look
        self.restyle()

    def restyle(self) -> None:
        """Takes the look in force."""
        self.setStyle(
            tickLength=0,
            tickFont=self.look.font(Role.SMALL),
            tickTextOffset=8 if self.orientation == "left" else 6,
            autoExpandTextSpace=False,
            hideOverlappingLabels=False,
        )
        self.setPen(pg.mkPen(None))
        self.setTextPen(pg.mkPen(self.look.color("muted")))

    def drawPicture(self, painter: QPainter, axis: Any, ticks: Any, texts: Any) -> None:
        # A tick without length is a dot all the same.
        super().drawPicture(painter, axis, [], texts)

    def ticks(self, low: float, high: float) -> tuple[float, list[float]]:
        """(step, values)"""
        found: tuple[float, list[float]] = (1.0, [])
        for most in (self.most, self.most + 1, self.most + 2):
            step = self.step(low, high, most)
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            found = step, [number * step for number in range(first, last + 1)]
            if last > first:
                break  # a single tick tells no scale
        return found

    def step(self, low: float, high: float, most: int) -> float:
        """From one tick to the next, where `most` of them are enough."""
        return nice_step(low, high, most)

    @property
    def most(self) -> int:
        """Fewer ticks where there is little room."""
        size = self.height() if self.orientation == "left" else self.width()
        room = self.look.line_height(Role.SMALL) * 2.2 if self.orientation == "left" else self.look.scaled(80)
        return max(2, min(MOST_TICKS, int(size / max(room, 1))))

    def tickValues(self, least: float, largest: float, size: float) -> list[tuple[float, list[float]]]:
        if not largest > least:
            return []
        step, values = self.ticks(least, largest)
        return [(step, values)]


class NumberAxis(Axis):
    """Amounts with thousands, or per cent."""

    def __init__(self, look: Look, orientation: str, unit: str = "", *, above: bool = False) -> None:
        """`above` leaves the lowest text out where it would run into another axis below this one."""
        self._unit, self._above = unit, above
        super().__init__(look, orientation)

    def tickValues(self, least: float, largest: float, size: float) -> list[tuple[float, list[float]]]:
        levels = super().tickValues(least, largest, size)
        if not self._above:
            return levels
        room = (largest - least) * self.look.line_height(Role.SMALL) * 0.7 / max(size, 1)
        return [(step, [value for value in values if value - least > room]) for step, values in levels]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        places = places_of(spacing)
        return [fmt.number(Decimal(repr(round(value, 9))), places) + self._unit for value in values]


class CountAxis(NumberAxis):
    """How many: whole steps only."""

    def step(self, low: float, high: float, most: int) -> float:
        return float(max(1, math.ceil(super().step(low, high, most) - 1e-9)))


class LabelledAxis(Axis):
    """Both ends and steps of a fixed size, whose texts are made by a function."""

    def __init__(self, look: Look, orientation: str, say: Callable[[float], str]) -> None:
        self._say = say
        super().__init__(look, orientation)

    def boundingRect(self) -> QRectF:
        # What does not lie in it is not drawn, and the texts of the ends stand half outside.
        more = self.look.scaled(20)
        return QRectF(super().boundingRect()).adjusted(-more, 0, more, 0)

    def ticks(self, low: float, high: float) -> tuple[float, list[float]]:
        room = self.look.scaled(34)
        step = max(1, math.ceil((high - low) * room / max(self.width(), 1)))
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        between = [float(number * step) for number in range(first, last + 1)]
        # The ends say the most: what has no room beside them goes.
        return float(step), [low, *(value for value in between if low + step <= value <= high - step), high]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [self._say(value) for value in values]


class TimeAxis(Axis):
    """Seconds since 1970 as the trader's days and hours."""

    def __init__(self, look: Look, orientation: str, zone: tzinfo) -> None:
        self.zone = zone
        super().__init__(look, orientation)

    def boundingRect(self) -> QRectF:
        # What does not lie in it is not drawn: a text at the left end has room under the values' axis.
        return QRectF(super().boundingRect()).adjusted(-self.look.scaled(24), 0, 0, 0)

    def ticks(self, low: float, high: float) -> tuple[float, list[float]]:
        return time_ticks(low, high, self.most, self.zone)

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [tick_words(value, spacing, self.zone) for value in values]


def nice_step(low: float, high: float, most: int) -> float:
    """The smallest of 1, 2, 2.5, 5 × a power of ten with which `most` ticks are enough."""
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1, 2, 2.5, 5):
        if factor * power >= rough * 0.999:
            return factor * power
    return 10 * power


def places_of(step: float) -> int:
    """With so many decimals every multiple of a round step is written as what it is: 3 for 0.025."""
    return max(0, -int(Decimal(f"{step:.6g}").normalize().as_tuple().exponent)) if step > 0 else 0


def time_ticks(low: float, high: float, most: int, zone: tzinfo) -> tuple[float, list[float]]:
    """Round moments of the trader's clock from `low` to `high`, both in seconds; (step in seconds, moments)."""
    span = high - low
    for step in _STEPS_S:
        if span / step < most:
            return float(step), _by_clock(low, high, step, zone)
    for days in _DAYS:
        if span / (days * 86_400) < most:
            return days * 86_400.0, _by_days(low, high, days, zone)
    months = next((one for one in _MONTHS if span / (one * 2_629_746) < most), _MONTHS[-1])
    return months * 2_629_746.0, _by_months(low, high, months, zone)


def _by_clock(low: float, high: float, step: int, zone: tzinfo) -> list[float]:
    found: list[float] = []
    day = moment(int(low * 1000), zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while (begin := day.timestamp()) <= high:
        day = _later(day, 1)
        after = min(day.timestamp(), high + 0.001)
        found += [value for value in np.arange(begin, after, step).tolist() if value >= low]
    return found


def _by_days(low: float, high: float, days: int, zone: tzinfo) -> list[float]:
    """Counted from a fixed day, so that ticks stay where they are while the curve is moved."""
    found: list[float] = []
    day = moment(int(low * 1000), zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while day.timestamp() <= high:
        if day.timestamp() >= low and day.date().toordinal() % days == 0:
            found.append(day.timestamp())
        day = _later(day, 1)
    return found


def _by_months(low: float, high: float, months: int, zone: tzinfo) -> list[float]:
    found: list[float] = []
    day = moment(int(low * 1000), zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while day.timestamp() <= high:
        if day.timestamp() >= low and (day.year * 12 + day.month - 1) % months == 0:
            found.append(day.timestamp())
        day = _later(day, 32).replace(day=1)
    return found


def _later(day: datetime, days: int) -> datetime:
    """Midnight some days later, whatever the clock does in between."""
    after = day.date() + timedelta(days=days)
    return datetime(after.year, after.month, after.day, tzinfo=day.tzinfo)


def tick_words(value: float, step: float, zone: tzinfo) -> str:
    """`13:30`, `Nov 4`, `Nov 2026`, `2026`, as fine as the step is."""
    then = moment(round(value * 1000), zone)
    if step >= 12 * 2_600_000:
        return f"{then:%Y}"
    if step >= 2_600_000:
        return f"{then:%b %Y}"
    if step >= 86_400 or (then.hour, then.minute) == (0, 0):
        return f"{then:%b} {then.day}"
    return f"{then:%H:%M}"


class Grid(pg.GraphicsObject):
    """Hairlines at the ticks: solid for values, dotted for times."""

    def __init__(self, look: Look, box: pg.ViewBox, values: Axis, times: Axis | None) -> None:
        super().__init__()
        self._look, self._box, self._values, self._times = look, box, values, times
        self.setZValue(-100)
        box.addItem(self, ignoreBounds=True)
        box.sigRangeChanged.connect(self._on_range)
        box.sigResized.connect(self._on_range)

    def _on_range(self, *_: object) -> None:
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.viewRect())

    def paint(self, painter: QPainter, *_: Any) -> None:
        (left, right), (low, high) = self._box.viewRange()
        pen = QPen(self._look.color("line"), 1)
        pen.setCosmetic(True)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen)
        if high > low:
            painter.drawLines([QLineF(left, value, right, value) for value in self._values.ticks(low, high)[1]])
        if self._times is not None and right > left:
            pen.setStyle(Qt.PenStyle.DotLine)
            painter.setPen(pen)
            painter.drawLines([QLineF(at, low, at, high) for at in self._times.ticks(left, right)[1]])
