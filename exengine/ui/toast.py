"""Short notices that come and go without taking the keyboard; many at once are merged, the same one is counted."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from exengine.ui.icons import Icons
from exengine.ui.one_shot import one_shot
from exengine.ui.pieces import IconButton, Label
from exengine.ui.theme import Look

SHOWN_MS = 5_000
WIDEST = 420
"""How wide the text of one may be, at 10 px."""
AT_ONCE = 4
"""Where these are shown, a further one takes the place of the oldest of its kind, which says how many it stands for."""

_HASTE = (QAccessible.AnnouncementPoliteness.Polite, QAccessible.AnnouncementPoliteness.Assertive)
"""An error is said at once; what else there is waits for what is being read."""

_ICONS = {"success": "check", "info": "info", "warn": "warn", "error": "error"}


class Toast(QWidget):
    """One notice."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, text: str, token: str) -> None:
        super().__init__(parent)
        self._look, self._icons, self.text, self.token = look, icons, text, token
        self.count = 1
        self.merged = 0
        """Others that it stands for."""
        self._icon = Label(look)
        self._show_icon()
        self._label = Label(look)
        self._label.setMaximumWidth(look.scaled(WIDEST))
        self._say(text)
        self._times = Label(look, token="muted")
        self._times.hide()
        close = IconButton(icons, "close", "Dismiss")
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        close.clicked.connect(self.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._label, 1, Qt.AlignmentFlag.AlignLeft)
        row.addWidget(self._times)
        row.addWidget(close)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._end = one_shot(self, self.close)
        self._end.start(SHOWN_MS)

    def again(self) -> None:
        """The same once more."""
        self.count += 1
        self._count()

    def take(self, text: str) -> None:
        """Another one of its kind, for which there is no room beside it."""
        self.text = text
        self.merged += self.count
        self.count = 1
        self._say(text)
        self._count()

    def _say(self, text: str) -> None:
        """On as few lines as there can be: a label that wraps asks for less width than it may have."""
        width = self._label.fontMetrics().horizontalAdvance(text) + 2
        self._label.setText(text)
        self._label.setWordWrap(width > self._label.maximumWidth())
        self._label.setMinimumWidth(min(width, self._label.maximumWidth()))

    def take_as(self, text: str, token: str) -> None:
        """Takes another one's text and kind."""
        if token != self.token:
            self.token = token
            self._show_icon()
        self.take(text)

    def _show_icon(self) -> None:
        size = self._look.grown(16)
        self._icon.setPixmap(self._icons.pixmap(_ICONS[self.token], self.token, size, self.devicePixelRatioF()))

    def _count(self) -> None:
        said = [f"× {self.count}"] if self.count > 1 else []
        if self.merged:
            said.append(f"+ {self.merged} more")
        self._times.setText(" ".join(said))
        self._times.setVisible(bool(said))
        self._end.start(SHOWN_MS)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(self._look.color("raised"))
        painter.setPen(QPen(self._look.color("line_strong"), 1))
        radius = self._look.metric("radius")
        painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), radius, radius)


class Toasts(QWidget):
    """The corner where notices stand, over the window's bottom right."""

    def __init__(self, look: Look, icons: Icons, window: QWidget) -> None:
        super().__init__(window)
        self._look, self._icons = look, icons
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        window.installEventFilter(self)
        self.hide()

    def say(self, text: str, token: str = "info") -> None:
        """Shows a notice for some seconds, and tells a screen reader; `token` is success, info, warn or error."""
        if QAccessible.isActive():
            said = QAccessibleAnnouncementEvent(self, text)
            said.setPoliteness(_HASTE[token == "error"])
            QAccessible.updateAccessibility(said)
        for toast in self.shown():
            if (toast.text, toast.token) == (text, token):
                toast.again()
                self._place()
                return
        shown = self.shown()
        if len(shown) >= AT_ONCE:
            next((toast for toast in shown if toast.token == token), shown[0]).take_as(text, token)
            self._place()
            return
        toast = Toast(self._look, self._icons, self, text, token)
        toast.destroyed.connect(self._place)
        self._column.addWidget(toast)
        toast.show()
        self._place()

    def shown(self) -> list[Toast]:
        items = (self._column.itemAt(place) for place in range(self._column.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget for widget in widgets if isinstance(widget, Toast) and widget.isVisibleTo(self)]

    def _place(self) -> None:
        window = self.parentWidget()
        if window is None:
            return
        self.setVisible(bool(self.shown()))
        self._column.activate()
        self.resize(self._column.totalSizeHint())
        margin = 16
        self.move(window.width() - self.width() - margin, window.height() - self.height() - margin)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return False
