"""The crosshair of the equity curve: two dashed lines, the spot, its value on the axis, and a label with everything."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen

from exengine.ui.theme import Look, Role, Weight

DOT = 3.5
GAP = 12
"""Between the line and its label."""

_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class Crosshair:
    """Paints; knows nothing of the curve."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def metrics(self) -> QFontMetricsF:
        return QFontMetricsF(self._look.font(Role.SMALL))

    def paint(
        self,
        painter: QPainter,
        spot: QPointF,
        top: QRectF,
        low: QRectF,
        told: tuple[str, str, str, str],
        labels: Sequence[float],
    ) -> None:
        """`told` is time, total, realised and drawdown; at `labels` the middles of the axes' texts stand."""
        look = self._look
        inside = top.contains(spot)
        painter.setPen(QPen(look.color("muted"), 1, Qt.PenStyle.DashLine))
        x = round(spot.x()) + 0.5
        if not top.left() - 1 <= x <= top.right() + 1:
            return
        painter.drawLine(QPointF(x, top.top()), QPointF(x, low.bottom()))
        if inside:
            y = round(spot.y()) + 0.5
            painter.drawLine(QPointF(top.left(), y), QPointF(top.right(), y))
            self._tag(painter, y, top.left(), told[1], labels)
            painter.setPen(QPen(look.color("surface"), 1))
            painter.setBrush(look.color("accent"))
            painter.drawEllipse(spot, DOT, DOT)
        self._label(painter, spot, top, told)

    def _tag(self, painter: QPainter, y: float, right: float, total: str, labels: Sequence[float]) -> None:
        """The value on the axis; without its cents, as the axis has it. No text of the axis looks out from under it."""
        look, metrics = self._look, QFontMetricsF(self._look.font(Role.SMALL, Weight.STRONG))
        text = total.rpartition(".")[0] or total
        height = metrics.height() + 4
        area = QRectF(2, y - height / 2, right - 6, height)
        for label in labels:
            if abs(label - y) < (height + metrics.height()) / 2:
                covered = QRectF(0, label - metrics.height() / 2, right - 4, metrics.height())
                painter.fillRect(covered, look.color("surface"))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.color("accent"))
        painter.drawRoundedRect(area, 2, 2)
        painter.setFont(look.font(Role.SMALL, Weight.STRONG))
        painter.setPen(look.color("on_accent"))
        painter.drawText(area.adjusted(2, 0, -4, 0), _RIGHT, text)

    def _label(self, painter: QPainter, spot: QPointF, top: QRectF, told: tuple[str, str, str, str]) -> None:
        look, metrics = self._look, self.metrics()
        rows = (("Total", told[1], "accent"), ("Realised", told[2], "text"), ("Drawdown", told[3], "loss"))
        line = metrics.height() + 4
        width = max(
            metrics.horizontalAdvance(told[0]) * 1.1,
            max(metrics.horizontalAdvance(name) + metrics.horizontalAdvance(value) for name, value, _ in rows) + 24,
        )
        size = QRectF(0, 0, width + 20, line * 4 + 10)
        left = spot.x() - GAP - size.width()
        if left < top.left() + 2:
            left = spot.x() + GAP
        size.moveTo(round(left) + 0.5, round(top.top()) + 4.5)
        if size.top() < spot.y() < size.bottom() + 6 and size.bottom() + top.height() / 2 < top.bottom():
            size.moveTop(round(spot.y()) + GAP + 0.5)
        painter.setPen(QPen(look.color("line_strong"), 1))
        painter.setBrush(look.color("raised"))
        painter.drawRoundedRect(size, 3, 3)
        area = QRectF(size.left() + 10, size.top() + 5, size.width() - 20, line)
        painter.setFont(look.font(Role.SMALL, Weight.STRONG))
        painter.setPen(look.color("text"))
        painter.drawText(area, _LEFT, told[0])
        painter.setFont(look.font(Role.SMALL))
        for name, value, token in rows:
            area.translate(0, line)
            painter.setPen(look.color("muted"))
            painter.drawText(area, _LEFT, name)
            painter.setPen(look.color(token))
            painter.drawText(area, _RIGHT, value)
