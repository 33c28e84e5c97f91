"""Dialogs of our own look: a title bar that says LIVE where it is, buttons that say what they do, Cancel by default."""

import asyncio

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QShowEvent, QWindow
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from exengine.engine.rows import Mode
from exengine.ui.icons import Icons
from exengine.ui.pieces import Ground, Hairline, IconButton, Label, button
from exengine.ui.theme import Look, Role, Weight

MODES = {
    None: ("", "muted"),
    Mode.LIVE: ("· LIVE · real money", "live_text"),
    Mode.TESTNET: ("· TESTNET", "warn"),
    Mode.PAPER: ("· PAPER", "muted"),
}
"""What a title says of the money, and in which colour."""


class Scrim(QWidget):
    """Dims the window behind a question."""

    def __init__(self, look: Look, window: QWidget) -> None:
        super().__init__(window)
        self._look = look
        window.installEventFilter(self)
        self.setGeometry(window.rect())
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), self._look.color("scrim"))


class SheetTitle(Ground):
    """The title bar of a dialog; it moves the dialog."""

    def __init__(self, look: Look, icons: Icons, sheet: QDialog, title: str, mode: Mode | None) -> None:
        super().__init__(look, "title")
        self.setFixedHeight(look.tall("dock_title") + 8)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 8, 0)
        # As wide as the space behind the dot.
        row.setSpacing(round(QFontMetricsF(look.font(weight=Weight.STRONG)).horizontalAdvance(" ")))
        row.addWidget(Label(look, title, weight=Weight.STRONG))
        self._mode = Label(look, weight=Weight.STRONG)
        row.addWidget(self._mode)
        row.addStretch(1)
        close = IconButton(icons, "close", "Cancel")
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        close.clicked.connect(sheet.reject)
        row.addWidget(close)
        self.show_mode(mode)

    def show_mode(self, mode: Mode | None) -> None:
        """Says what kind of money it is about; None leaves it unsaid."""
        words, token = MODES[mode]
        self._mode.setText(words)
        self._mode.set_token(token)
        self.token = "live_bg" if mode is Mode.LIVE else "title"
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        handle: QWindow | None = self.window().windowHandle()
        if handle is not None and event.button() is Qt.MouseButton.LeftButton:
            handle.startSystemMove()


class Sheet(QDialog):
    """A dialog over the window. It is opened, never executed: nothing else may wait for it."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget | None,
        *,
        name: str,
        title: str,
        mode: Mode | None = None,
        width: int = 520,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.look, self.icons, self.mode = look, icons, mode
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._scrim: Scrim | None = None
        self._width = width
        self.body = QVBoxLayout()
        self.body.setContentsMargins(24, 20, 24, 20)
        self.body.setSpacing(8)
        self._bar = Ground(look, "raised")
        self._bar.setMinimumHeight(52)
        self.buttons = QHBoxLayout(self._bar)
        self.buttons.setContentsMargins(24, 10, 24, 10)
        self.buttons.setSpacing(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        self._title = SheetTitle(look, icons, self, title, mode)
        column.addWidget(self._title)
        column.addLayout(self.body, 1)
        column.addWidget(Hairline(look))
        column.addWidget(self._bar)

    def add_heading(self, text: str) -> Label:
        heading = Label(self.look, text, role=Role.HEADING, weight=Weight.STRONG)
        heading.setWordWrap(True)
        self.body.addWidget(heading)
        return heading

    def show_mode(self, mode: Mode | None) -> None:
        """What kind of money it is about now, where that is not the same from beginning to end."""
        if mode is not self.mode:
            self.mode = mode
            self._title.show_mode(mode)
            self.update()

    def add_cancel(self, text: str = "Cancel", *, default: bool = True) -> QPushButton:
        """Esc presses it, and Enter too while it is the default button."""
        cancel = button(self.look, text, kind="default" if default else "")
        cancel.setDefault(default)
        cancel.setAutoDefault(default)
        cancel.clicked.connect(self.reject)
        self.buttons.addWidget(cancel)
        return cancel

    def add_action(self, text: str, *, kind: str) -> QPushButton:
        """The button that does it. Enter never presses it; a click or the space bar does."""
        action = button(self.look, text, kind=kind)
        action.clicked.connect(self.accept)
        self.buttons.addWidget(action)
        return action

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.fit()
        parent = self.parentWidget()
        if parent is not None and self._scrim is None:
            self._scrim = Scrim(self.look, parent.window())
            middle = parent.window().frameGeometry().center()
            self.move(middle.x() - self.width() // 2, middle.y() - self.height() // 2)

    def done(self, result: int) -> None:
        if self._scrim is not None:
            self._scrim.hide()
            self._scrim.deleteLater()
            self._scrim = None
        super().done(result)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.look.color("surface"))
        # A pen of one pixel lies half outside where a pixel is two, and the bar would cover what is left of it.
        edge = self.look.color("live" if self.mode is Mode.LIVE else "edge")
        wide, high = self.width(), self.height()
        for left, top, width, height in (
            (0, 0, wide, 1), (0, high - 1, wide, 1), (0, 0, 1, high), (wide - 1, 0, 1, high)
        ):  # fmt: skip
            painter.fillRect(left, top, width, height, edge)

    def event(self, event: QEvent) -> bool:
        handled = super().event(event)
        if event.type() is QEvent.Type.LayoutRequest:
            self.fit()
        return handled

    def fit(self) -> None:
        """As wide as it was made, as tall as its sentences need at that width."""
        layout = self.layout()
        if layout is None:
            return
        width = max(self.look.scaled(self._width), layout.totalMinimumSize().width())
        height = max(layout.totalHeightForWidth(width), layout.totalMinimumHeightForWidth(width))
        self.setFixedSize(width, height)

    async def answer(self) -> bool:
        """Opens the dialog and waits for its answer: whether the trader chose to do it."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def on_finished(result: int) -> None:
            if not future.done():
                future.set_result(result == QDialog.DialogCode.Accepted)

        self.finished.connect(on_finished)
        self.open()
        return await future
