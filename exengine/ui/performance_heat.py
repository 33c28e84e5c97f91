"""What each pair has brought on each timeframe: a table whose cells are tinted, the stronger the more."""

import math
from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHelpEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip

from exengine.analytics.groups import Heat
from exengine.analytics.report import Report
from exengine.domain.money import ZERO
from exengine.ui import format as fmt
from exengine.ui.performance_words import decimal, token_of
from exengine.ui.theme import Look, Role, Weight, mixed

TINTS = (0.10, 0.20, 0.30, 0.38)
PADDING = 8
CLOSE = 5
"""Before a number, where the columns are as close as they may be; after it there is the padding."""

TALLEST = 2
"""How many times as tall as they must be rows become where there is room."""

_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class HeatMap(QAbstractScrollArea):
    """Pairs down, timeframes across, the sum at the end of the row. Arrow keys scroll, by whole rows and columns.

    Names and sums stay where they are while the timeframes between them scroll.
    """

    hidden_changed = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.heat: Heat | None = None
        self._largest = ZERO
        self._places = 0
        self.hidden = 0
        """How many timeframes there is no room for."""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Realised by pair and timeframe")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        look.changed.connect(self._on_look_changed)

    def _on_look_changed(self) -> None:
        self._fit()
        self.viewport().update()

    def show_report(self, report: Report) -> None:
        self.heat = report.heat
        self._largest = max((abs(cell.result) for cell in report.heat.cells.values()), default=ZERO)
        # Whole dollars are enough where there are many of them.
        self._places = 0 if self._largest >= 100 else 2
        self.setAccessibleDescription(
            "; ".join(f"{fmt.pair(pair)} {fmt.signed(total, 2)}" for pair, total in report.heat.totals.items())
        )
        self._on_look_changed()

    # Sizes

    @property
    def _least_row(self) -> int:
        return math.ceil(self.look.line_height()) + 4

    @property
    def _row(self) -> int:
        """Taller where there is room to spare."""
        least = self._least_row
        pairs = len(self.heat.pairs) if self.heat is not None else 0
        room = (self.viewport().height() - self._head) // max(pairs, 1)
        return min(max(room, least), least * TALLEST)

    def wanted_height(self) -> int:
        """At which no pair is scrolled away."""
        bar = self.horizontalScrollBar()
        below = bar.sizeHint().height() if bar.maximum() else 0
        return below + self._head + self._least_row * (len(self.heat.pairs) if self.heat is not None else 0) + 4

    @property
    def _head(self) -> int:
        return self.look.tall("header", Role.SMALL)

    def _widths(self) -> tuple[int, int, int]:
        """(pair, cell, sum): what they need, and a share of the room that is left."""
        heat = self.heat
        if heat is None:
            return 0, 0, 0
        plain, strong = QFontMetricsF(self.look.font()), QFontMetricsF(self.look.font(Role.BODY, Weight.STRONG))
        edge = self.look.metric("edge_padding")
        pair = max((plain.horizontalAdvance(fmt.pair(name)) for name in heat.pairs), default=0) + edge + PADDING
        cells = [self._text(cell.result) for cell in heat.cells.values()] + ["+000"]
        widest = max(plain.horizontalAdvance(text) for text in cells)
        sums = [self._text(total) for total in heat.totals.values()] + ["+000"]
        whole = max(strong.horizontalAdvance(text) for text in sums) + PADDING + edge
        pair, whole = math.ceil(pair), math.ceil(whole)
        room, least = self.viewport().width() - pair - whole, math.ceil(widest + PADDING + CLOSE)
        # Closer together before it scrolls, and then as many as are seen whole.
        seen = max(1, min(len(heat.timeframes), room // least))
        return pair, max(room // seen, least), whole

    def _seen(self) -> tuple[int, int]:
        """(timeframes, pairs) for which there is room at once."""
        pair, cell, whole = self._widths()
        view = self.viewport().size()
        return (view.width() - pair - whole) // max(cell, 1), (view.height() - self._head) // self._row

    def _scrolled(self) -> tuple[int, int]:
        """(timeframes, pairs) that have gone out of sight before those that are seen."""
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        return -(-across.value() // max(across.singleStep(), 1)), -(-down.value() // self._row)

    def _text(self, value: Decimal) -> str:
        return fmt.signed(value, self._places)

    def whole_size(self) -> QSize:
        """The size at which nothing scrolls."""
        if self.heat is None:
            return self.size()
        pair, cell, whole = self._widths()
        width = pair + cell * len(self.heat.timeframes) + whole
        return QSize(max(width, self.width()), self._head + self._row * len(self.heat.pairs) + 4)

    def _fit(self) -> None:
        if self.heat is None:
            return
        _, cell, _ = self._widths()
        for bar, step, seen, count in zip(
            (self.horizontalScrollBar(), self.verticalScrollBar()),
            (cell, self._row),
            self._seen(),
            (len(self.heat.timeframes), len(self.heat.pairs)),
            strict=True,
        ):
            bar.setRange(0, max(0, count - seen) * step)
            bar.setPageStep(max(1, seen) * step)
            bar.setSingleStep(step)
        hidden = max(0, len(self.heat.timeframes) - self._seen()[0])
        if hidden != self.hidden:
            self.hidden = hidden
            self.hidden_changed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bars = {
            Qt.Key.Key_Up: (self.verticalScrollBar(), -1),
            Qt.Key.Key_Down: (self.verticalScrollBar(), 1),
            Qt.Key.Key_Left: (self.horizontalScrollBar(), -1),
            Qt.Key.Key_Right: (self.horizontalScrollBar(), 1),
        }
        if Qt.Key(event.key()) not in bars:
            super().keyPressEvent(event)
            return
        bar, way = bars[Qt.Key(event.key())]
        bar.setValue(bar.value() + way * bar.singleStep())

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, heat, look = QPainter(self.viewport()), self.heat, self.look
        painter.fillRect(event.rect(), look.color("surface"))
        if heat is None:
            return
        pair, cell, whole = self._widths()
        (across, down), (wide, high) = self._scrolled(), self._seen()
        frames = heat.timeframes[across : across + wide]
        for number, name in enumerate(heat.pairs[down : down + high]):
            top = self._head + number * self._row
            for place, timeframe in enumerate(frames):
                self._paint_cell(painter, QRect(pair + place * cell, top, cell, self._row), name, timeframe)
            end = QRect(pair + cell * len(frames), top, whole - look.metric("edge_padding"), self._row)
            self._paint_sum(painter, end, heat.totals[name])
            painter.setFont(look.font())
            painter.setPen(look.color("text"))
            painter.drawText(QRect(look.metric("edge_padding"), top, pair, self._row), _LEFT, fmt.pair(name))
        self._paint_head(painter, pair, cell, whole, frames)
        if self.hasFocus():
            painter.setPen(QPen(look.color("focus"), 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))

    def _paint_head(self, painter: QPainter, left: int, cell: int, whole: int, frames: Sequence[str]) -> None:
        painter.setFont(self.look.font(Role.SMALL, Weight.MEDIUM))
        painter.setPen(self.look.color("muted"))
        for place, timeframe in enumerate(frames):
            painter.drawText(QRect(left + place * cell, 0, cell - PADDING, self._head), _RIGHT, timeframe)
        end = left + cell * len(frames)
        painter.drawText(QRect(end, 0, whole - self.look.metric("edge_padding"), self._head), _RIGHT, "All")

    def _paint_cell(self, painter: QPainter, area: QRect, pair: str, timeframe: str) -> None:
        assert self.heat is not None
        look, found = self.look, self.heat.cells.get((pair, timeframe))
        painter.setFont(look.font())
        inner = area.adjusted(0, 0, -PADDING, 0)
        if found is None:
            painter.setPen(look.color("muted"))
            painter.drawText(inner, _RIGHT, fmt.DASH)
            return
        tint = self.tint(found.result)
        if tint:
            color = look.color("profit" if found.result > 0 else "loss")
            painter.fillRect(area.adjusted(0, 0, -1, -1), mixed(color, look.color("surface"), tint))
        painter.setPen(look.color("text"))
        painter.drawText(inner, _RIGHT, self._text(found.result))

    def _paint_sum(self, painter: QPainter, area: QRect, total: Decimal) -> None:
        painter.setFont(self.look.font(Role.BODY, Weight.STRONG))
        painter.setPen(self.look.color(token_of(total, self._places)))
        painter.drawText(area, _RIGHT, self._text(total))

    def tint(self, value: Decimal) -> float:
        """One of four steps, by how large it is beside the largest; 0 for nothing."""
        if not value or not self._largest:
            return 0.0
        return TINTS[min(int(abs(value) / self._largest * len(TINTS)), len(TINTS) - 1)]

    # Tooltips

    def cell_at(self, at: QPoint) -> tuple[str, str] | None:
        """(pair, timeframe) under a point of the viewport."""
        heat = self.heat
        if heat is None:
            return None
        pair, cell, _ = self._widths()
        (across, down), (wide, high) = self._scrolled(), self._seen()
        column, row = (at.x() - pair) // max(cell, 1), (at.y() - self._head) // self._row
        if not (0 <= column < wide and 0 <= row < high):
            return None
        frames, pairs = heat.timeframes[across:], heat.pairs[down:]
        return (pairs[row], frames[column]) if row < len(pairs) and column < len(frames) else None

    def words(self, pair: str, timeframe: str) -> str:
        found = self.heat.cells.get((pair, timeframe)) if self.heat is not None else None
        if found is None:
            return f"{fmt.pair(pair)} {timeframe}: no closed group"
        won = fmt.number(decimal(found.win_percent), 1)
        return (
            f"{fmt.pair(pair)} {timeframe}: {fmt.signed(found.result, 2)} USD"
            f" from {fmt.count(found.closed, 'group')}, {won} % won"
        )

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            place = self.cell_at(event.pos())
            QToolTip.showText(event.globalPos(), "" if place is None else self.words(*place), self.viewport())
            return True
        return super().viewportEvent(event)
