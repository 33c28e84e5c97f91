"""Choices drawn by ourselves: a drop-down and an option with its consequence in words."""

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QComboBox, QRadioButton, QWidget

from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Role, Weight

AROUND = 6
"""Between an option's words and the ring that says it has the keyboard."""
GAP = 8
"""Between an option's circle, which stands where other texts begin, and its words."""


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
        draw_chevron(self, self._icons)


def draw_chevron(field: QWidget, icons: Icons) -> None:
    """At the right of a field that opens something to choose from."""
    size = icons.look.grown(12)
    pixmap = icons.pixmap("chevron-down", "muted" if field.isEnabled() else "disabled", size, field.devicePixelRatioF())
    QPainter(field).drawPixmap(field.width() - size - 8, (field.height() - size) // 2, pixmap)


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
        return QSize(
            round(width) + self._look.grown(16) + GAP + AROUND + 2, round(strong.height() + plain.height()) + 2 * AROUND
        )

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
        painter.drawPixmap(0, round(AROUND + (strong.height() - size) / 2), icon)
        left = size + GAP
        text = QRectF(left, AROUND, self.width() - left, strong.height())
        painter.setFont(look.font(Role.BODY, Weight.STRONG if on else Weight.NORMAL))
        painter.setPen(look.color("text" if self.isEnabled() else "disabled"))
        painter.drawText(text, int(Qt.AlignmentFlag.AlignLeft), self.text())
        painter.setFont(look.font())
        painter.setPen(look.color("muted" if self.isEnabled() else "disabled"))
        below = QRectF(left, AROUND + strong.height(), self.width() - left, plain.height())
        painter.drawText(below, int(Qt.AlignmentFlag.AlignLeft), self._meaning)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(look.color("focus"), look.metric("focus_ring")))
            around = left - AROUND
            painter.drawRoundedRect(QRect(around, 1, self.width() - around - 2, self.height() - 3), 3, 3)

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.ToolTip and not self.toolTip():
            return True
        return super().event(event)


class Tick(QCheckBox):
    """A check box of our own look, with an icon before its word where it has one."""

    def __init__(self, look: Look, icons: Icons, text: str = "", *, icon: str = "") -> None:
        super().__init__(text)
        self._look, self._icons, self._icon, self._tint = look, icons, icon, ""
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        look.changed.connect(self.updateGeometry)

    def tint(self, token: str) -> None:
        """The colour of its border: of a changed value, or one that is wrong."""
        if token != self._tint:
            self._tint = token
            self.update()

    def _lead(self) -> int:
        """Where the word begins."""
        return self._look.grown(14) + (8 if self.text() else 0) + (self._look.grown(16) + 6 if self._icon else 0)

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._look.font())
        width = self._lead() + metrics.horizontalAdvance(self.text())
        return QSize(round(width) + 6, max(self._look.tall("button_small"), round(metrics.height()) + 6))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        size = look.grown(14)
        box = QRectF(2.5, (self.height() - size) // 2 + 0.5, size - 1, size - 1)
        enabled, ratio = self.isEnabled(), self.devicePixelRatioF()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(look.color("focus"), look.metric("focus_ring")))
            painter.drawRoundedRect(box.adjusted(-2, -2, 2, 2), 3, 3)
        painter.setPen(look.color(self._tint or "line_strong") if enabled else look.color("line"))
        if self.underMouse() and enabled:
            painter.setBrush(look.color("hover"))
        painter.drawRoundedRect(box, 2, 2)
        if self.isChecked():
            mark = self._icons.pixmap("check", "accent" if enabled else "disabled", size, ratio)
            painter.drawPixmap(round(box.left()), round(box.top()), mark)
        lead = size + 10
        if self._icon:
            mark = self._icons.pixmap(self._icon, "text" if enabled else "disabled", look.grown(16), ratio)
            painter.drawPixmap(lead, (self.height() - look.grown(16)) // 2, mark)
            lead += look.grown(16) + 6
        painter.setFont(look.font())
        painter.setPen(look.color("text" if enabled else "disabled"))
        there = QRectF(lead, 0, self.width() - lead, self.height())
        painter.drawText(there, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.text())
