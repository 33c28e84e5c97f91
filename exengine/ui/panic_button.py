"""The Panic button: it must be held for a second, so that no slip of the hand opens the question."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton

from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Role, Weight

HOLD_MS = 1_000


class HoldButton(QPushButton):
    """Fills from left to right while it is held, by pointer or space bar; letting go early does nothing."""

    held = Signal()

    def __init__(self, look: Look, icons: Icons, text: str, icon: str) -> None:
        super().__init__(text)
        self._look, self._icons, self._icon_name = look, icons, icon
        self._share = 0.0
        self._hint = "· hold 1 s"
        self._fill = QVariantAnimation(self)
        self._fill.setStartValue(0.0)
        self._fill.setEndValue(1.0)
        self._fill.setDuration(HOLD_MS)
        self._fill.valueChanged.connect(self._on_filling)
        self._fill.finished.connect(self._on_filled)
        self.setAccessibleName(text)
        self.setAccessibleDescription("Hold for one second. A question follows before anything is closed.")
        self.setToolTip("Hold for a second: close everything, or cancel all entries. Asks first.")
        self.pressed.connect(self._fill.start)
        self.released.connect(self._let_go)
        look.changed.connect(self.update)

    def _on_filling(self, share: float) -> None:
        self._share = share
        self.update()

    def _on_filled(self) -> None:
        if self.isDown():
            self.setDown(False)
            self._let_go()
            self.held.emit()

    def _let_go(self) -> None:
        self._fill.stop()
        self._share = 0.0
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # A key that repeats itself is still the same press; Enter never starts it.
        if event.key() == Qt.Key.Key_Space and event.isAutoRepeat():
            return
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.EnabledChange:
            self._let_go()
        super().changeEvent(event)

    def show_hint(self, shown: bool) -> None:
        """The hint goes where there is no room for it; the tooltip still says it."""
        hint = "· hold 1 s" if shown else ""
        if hint != self._hint:
            self._hint = hint
            self.updateGeometry()

    def _words(self) -> tuple[str, str]:
        return self.text(), self._hint

    def least_width(self) -> int:
        """Without the hint."""
        strong = QFontMetricsF(self._look.font(Role.BODY, Weight.STRONG))
        return round(31 + self._look.grown(16) + strong.horizontalAdvance(self.text()))

    def sizeHint(self) -> QSize:
        plain = QFontMetricsF(self._look.font(Role.BODY, Weight.MEDIUM))
        width = self.least_width() + (round(6 + plain.horizontalAdvance(self._hint)) if self._hint else 0)
        return QSize(width, self._look.tall("button"))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(0.5, 0.5, self.width() - 1, self.height() - 1)
        radius = look.metric("radius")
        if self.underMouse() and self.isEnabled():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("hover"))
            painter.drawRoundedRect(area, radius, radius)
        self._paint_words(painter, "error" if self.isEnabled() else "disabled")
        if self._share > 0:
            painter.setClipRect(QRectF(0, 0, self.width() * self._share, self.height()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("danger"))
            painter.drawRoundedRect(area, radius, radius)
            self._paint_words(painter, "on_danger")
            painter.setClipping(False)
        ring = self.hasFocus()
        width = look.metric("focus_ring") if ring else 1
        painter.setPen(QPen(look.color("focus" if ring else "error" if self.isEnabled() else "line"), width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), radius, radius)

    def _paint_words(self, painter: QPainter, token: str) -> None:
        look = self._look
        size = look.grown(16)
        icon = self._icons.pixmap(self._icon_name, token, size, self.devicePixelRatioF())
        painter.drawPixmap(11, (self.height() - size) // 2, icon)
        painter.setPen(look.color(token))
        left = 11.0 + size + 8
        for word, weight in zip(self._words(), (Weight.STRONG, Weight.MEDIUM), strict=True):
            font = look.font(Role.BODY, weight)
            painter.setFont(font)
            painter.drawText(QRectF(left, 0, self.width() - left, self.height()), _LEFT, word)
            left += QFontMetricsF(font).horizontalAdvance(word) + 6


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
