"""Choices drawn by ourselves: a drop-down and an option with its consequence in words."""

from PySide6.QtCore import QEvent, QRect, QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QRadioButton

from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Role, Weight


class DropDown(QComboBox):
    """A combo box with the program's own chevron; a style sheet could only show it from a file of one colour."""

    def __init__(self, icons: Icons, name: str, items: tuple[str, ...] = ()) -> None:
        super().__init__()
        self._icons = icons
        self.setAccessibleName(name)
        self.addItems(items)

    def set_items(self, items: tuple[str, ...]) -> None:
        """Takes another list, and keeps the choice where it is still there."""
        if items == tuple(self.itemText(row) for row in range(self.count())):
            return
        chosen = self.currentText()
        # Told once, when the list is whole: who listens may ask for it anew.
        with QSignalBlocker(self):
            self.clear()
            self.addItems(items)
            self.setCurrentText(chosen)
        if self.currentText() != chosen:
            self.currentTextChanged.emit(self.currentText())

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width() + self._icons.look.grown(16), hint.height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        token = "muted" if self.isEnabled() else "disabled"
        size = self._icons.look.grown(12)
        pixmap = self._icons.pixmap("chevron-down", token, size, self.devicePixelRatioF())
        QPainter(self).drawPixmap(self.width() - size - 8, (self.height() - size) // 2, pixmap)


class Option(QRadioButton):
    """One of several ways to go on: what it does, and under it what that means."""

    def __init__(self, look: Look, icons: Icons, text: str, meaning: str) -> None:
        super().__init__(text)
        self._look, self._icons, self._meaning = look, icons, meaning
        self.setAccessibleDescription(meaning)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def set_words(self, text: str, meaning: str) -> None:
        self.setText(text)
        self._meaning = meaning
        self.setAccessibleDescription(meaning)
        self.updateGeometry()
        self.update()

    def _lines(self) -> tuple[QFontMetricsF, QFontMetricsF]:
        return QFontMetricsF(self._look.font(Role.BODY, Weight.STRONG)), QFontMetricsF(self._look.font())

    def sizeHint(self) -> QSize:
        strong, plain = self._lines()
        width = max(strong.horizontalAdvance(self.text()), plain.horizontalAdvance(self._meaning))
        return QSize(round(width) + self._look.grown(16) + 14, round(strong.height() + plain.height()) + 8)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: object) -> bool:
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        strong, plain = self._lines()
        on = self.isChecked()
        size = look.grown(16)
        name, token = ("radio-on", "accent") if on else ("radio-off", "muted")
        icon = self._icons.pixmap(name, token, size, self.devicePixelRatioF())
        painter.drawPixmap(2, round(4 + (strong.height() - size) / 2), icon)
        left = size + 10
        text = QRectF(left, 4, self.width() - left, strong.height())
        painter.setFont(look.font(Role.BODY, Weight.STRONG if on else Weight.NORMAL))
        painter.setPen(look.color("text" if self.isEnabled() else "disabled"))
        painter.drawText(text, int(Qt.AlignmentFlag.AlignLeft), self.text())
        painter.setFont(look.font())
        painter.setPen(look.color("muted" if self.isEnabled() else "disabled"))
        below = QRectF(left, 4 + strong.height(), self.width() - left, plain.height())
        painter.drawText(below, int(Qt.AlignmentFlag.AlignLeft), self._meaning)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(look.color("focus"), look.metric("focus_ring")))
            painter.drawRoundedRect(QRect(1, 1, self.width() - 3, self.height() - 3), 3, 3)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and not self.toolTip():
            return True
        return super().event(event)
