"""Numbers that stand alone: profit and loss with sign, arrow and percent, painted so that nothing moves as they run."""

from decimal import Decimal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from exengine.ui import format as fmt
from exengine.ui.cell import paint_arrow, paint_bar
from exengine.ui.theme import Look, Role, Weight


class PnlText(QWidget):
    """A profit or loss, its arrow, and, where there is one, its percent."""

    def __init__(
        self, look: Look, name: str, *, role: Role = Role.VALUE, sample: str = "+1,000.00", percent: bool = True
    ) -> None:
        super().__init__()
        self._look, self._role, self._sample = look, role, sample
        self._value: Decimal | None = None
        self._percent: Decimal | None = None
        self._name = name
        self._texts = (fmt.DASH, fmt.DASH)
        self._hint: QSize | None = None
        self.with_percent = percent
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        look.changed.connect(self._on_look_changed)

    def show_value(self, value: Decimal | None, percent: Decimal | None = None) -> None:
        if (value, percent) == (self._value, self._percent):
            return
        before = self._texts
        self._value, self._percent = value, percent
        self._texts = (fmt.signed(value, 2), fmt.signed_percent(percent))
        if self._texts == before:
            return
        spoken = self._texts[0] if value is not None else "unknown"
        share = f", {self._texts[1]}" if percent is not None else ""
        self.setAccessibleName(f"{self._name}: {spoken}{share}")
        # All figures are of one width, and what is laid out anew moves the whole window.
        if [len(text) for text in self._texts] != [len(text) for text in before]:
            hint, self._hint = self.sizeHint(), None
            if self.sizeHint() != hint:
                self.updateGeometry()
        self.update()

    def drop_percent(self, dropped: bool) -> None:
        """The percent goes first where the window is narrow."""
        if self.with_percent is dropped:
            self.with_percent, self._hint = not dropped, None
            self.updateGeometry()
            self.update()

    def _on_look_changed(self) -> None:
        self._hint = None
        self.updateGeometry()
        self.update()

    def _metrics(self) -> tuple[QFontMetricsF, QFontMetricsF]:
        look = self._look
        return QFontMetricsF(look.font(self._role, Weight.STRONG)), QFontMetricsF(look.font())

    def sizeHint(self) -> QSize:
        """Kept until the number or the look changes: layouts ask for it again and again."""
        if self._hint is None:
            self._hint = self._measured()
        return self._hint

    def _measured(self) -> QSize:
        value, small = self._metrics()
        width = max(value.horizontalAdvance(self._texts[0]), value.horizontalAdvance(self._sample))
        width += self._look.grown(self._look.metric("arrow_slot"))
        if self.with_percent:
            width += 8 + max(small.horizontalAdvance(self._texts[1]), small.horizontalAdvance("+00.00 %"))
        return QSize(round(width + 1), round(value.height()))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        metrics, _ = self._metrics()
        way = fmt.direction(self._value, 2)
        token = "profit" if way > 0 else "loss" if way < 0 else "muted"
        text = self._texts[0]
        painter.setFont(look.font(self._role, Weight.STRONG))
        painter.setPen(look.color(token))
        baseline = (self.height() + metrics.ascent() - metrics.descent()) / 2
        painter.drawText(QRectF(0, 0, self.width(), self.height()), _LEFT, text)
        left = metrics.horizontalAdvance(text)
        if way:
            slot = look.grown(look.metric("arrow_slot"))
            middle = baseline - metrics.capHeight() / 2 + 1
            paint_arrow(painter, look, left + 1, middle, slot, way, token)
            left += slot
        if self.with_percent:
            painter.setFont(look.font())
            painter.setPen(look.color(token))
            # On the baseline of the value beside it, whose font is larger.
            painter.drawText(round(left + 8), round(baseline), self._texts[1])


class Meter(QWidget):
    """A small flat bar: how much of something is used."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__()
        self._look, self._name = look, name
        self._share, self._token = 0.0, "accent"
        width, height = look.tokens.metric("pool_bar")
        self._bar = QSize(width, height)
        self.setFixedSize(width, look.metric("icon"))
        look.changed.connect(self.update)

    def show_share(self, part: int, whole: int, token: str) -> None:
        self._share, self._token = part / whole if whole else 0.0, token
        self.setAccessibleName(f"{self._name}: {fmt.of(part, whole)}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        top = (self.height() - self._bar.height()) / 2
        area = QRectF(0, top, self._bar.width(), self._bar.height())
        paint_bar(QPainter(self), self._look, area, self._share, self._token)


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
