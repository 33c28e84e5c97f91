"""A row of choices of which one is made: joined buttons, as for a range of time or a layout."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from exengine.ui.theme import Look, Role, Weight

PADDING = 12


class _Segment(QAbstractButton):
    """One choice; knows whether it stands at an end, where the corners are round."""

    def __init__(self, look: Look, text: str, *, first: bool, last: bool) -> None:
        super().__init__()
        self._look, self._first, self._last = look, first, last
        self.setText(text)
        self.setAccessibleName(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        look.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        width = QFontMetricsF(self._look.font(Role.BODY, Weight.STRONG)).horizontalAdvance(self.text())
        return QSize(round(width) + 2 * PADDING, self._look.tall("button_small"))

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        # Neighbours share one border: each but the first begins under the one before it.
        left = 0.5 if self._first else -0.5
        shape = self._shape(QRectF(left, 0.5, self.width() - 0.5 - left, self.height() - 1))
        if self.isChecked() or self.isDown():
            painter.fillPath(shape, look.color("selected"))
        elif self.underMouse() and self.isEnabled():
            painter.fillPath(shape, look.color("hover"))
        painter.setPen(look.color("line_strong" if self.isEnabled() else "line"))
        painter.drawPath(shape)
        strong = self.isChecked()
        painter.setFont(look.font(Role.BODY, Weight.STRONG if strong else Weight.NORMAL))
        painter.setPen(look.color(("text" if strong else "muted") if self.isEnabled() else "disabled"))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())
        if self.hasFocus():
            painter.setPen(QPen(look.color("focus"), look.metric("focus_ring")))
            painter.drawRect(QRectF(self.rect()).adjusted(2, 2, -2, -2))

    def _shape(self, rect: QRectF) -> QPainterPath:
        path, radius = QPainterPath(), float(self._look.metric("radius"))
        path.setFillRule(Qt.FillRule.WindingFill)
        path.addRoundedRect(rect, radius, radius)
        if not self._first:
            path.addRect(rect.adjusted(0, 0, -radius, 0))
        if not self._last:
            path.addRect(rect.adjusted(radius, 0, 0, 0))
        return path.simplified()


class Segments(QWidget):
    """Arrow keys go from one choice to the next, as among radio buttons."""

    chosen = Signal(str)
    """The key of what the trader has just chosen, also when it was chosen before."""

    def __init__(self, look: Look, name: str, choices: dict[str, str]) -> None:
        """`choices` are keys and their words."""
        super().__init__()
        self._look = look
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, _Segment] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for place, (key, text) in enumerate(choices.items()):
            made = _Segment(look, text, first=place == 0, last=place == len(choices) - 1)
            made.setObjectName(f"segment_{key}")
            made.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            self._group.addButton(made)
            self.buttons[key] = made
            row.addWidget(made)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def current(self) -> str | None:
        return next((key for key, made in self.buttons.items() if made.isChecked()), None)

    def choose(self, key: str | None) -> None:
        """Shows a choice as made, or none of them; tells nobody."""
        if key is not None:
            self.buttons[key].setChecked(True)
            return
        self._group.setExclusive(False)
        for made in self.buttons.values():
            made.setChecked(False)
        self._group.setExclusive(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        keys = list(self.buttons)
        focused = next((place for place, key in enumerate(keys) if self.buttons[key].hasFocus()), None)
        if not step or focused is None:
            super().keyPressEvent(event)
            return
        made = self.buttons[keys[(focused + step) % len(keys)]]
        made.setFocus(Qt.FocusReason.TabFocusReason)
        made.click()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.EnabledChange:
            self.update()
