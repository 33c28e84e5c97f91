"""Short notices that come and go without taking the keyboard; the same one twice is counted, not repeated."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from exengine.ui.icons import Icons
from exengine.ui.pieces import IconButton, Label
from exengine.ui.theme import Look

SHOWN_MS = 5_000
AT_ONCE = 4
"""More than these push the oldest out."""

_ICONS = {"success": "check", "info": "info", "warn": "warn", "error": "error"}


class Toast(QWidget):
    """One notice."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, text: str, token: str) -> None:
        super().__init__(parent)
        self._look, self.text, self.token = look, text, token
        self.count = 1
        self._icon = Label(look)
        self._icon.setPixmap(icons.pixmap(_ICONS[token], token, look.grown(16), self.devicePixelRatioF()))
        self._label = Label(look, text)
        self._label.setWordWrap(len(text) > 60)
        self._label.setMaximumWidth(look.scaled(420))
        self._times = Label(look, token="muted")
        self._times.hide()
        close = IconButton(icons, "close", "Dismiss")
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        close.clicked.connect(self.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._label, 1)
        row.addWidget(self._times)
        row.addWidget(close)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._end = QTimer(self)
        self._end.setSingleShot(True)
        self._end.timeout.connect(self.close)
        self._end.start(SHOWN_MS)

    def again(self) -> None:
        self.count += 1
        self._times.setText(f"× {self.count}")
        self._times.show()
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
        """Shows a notice for some seconds; `token` is success, info, warn or error."""
        for toast in self.shown():
            if (toast.text, toast.token) == (text, token):
                toast.again()
                self._place()
                return
        shown = self.shown()
        if len(shown) >= AT_ONCE:
            shown[0].close()
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
