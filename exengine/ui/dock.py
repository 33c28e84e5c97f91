"""A dock of the window: its title bar with what it holds in words, its tools, float and close."""

from collections.abc import Iterable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMainWindow, QSizePolicy, QTabBar, QWidget

from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.pieces import IconButton, Label, PartedLabel
from exengine.ui.theme import Look, Weight


class DockTitle(QWidget):
    """Title, detail, the dock's own tools, float, close. In a row of tabs the tab is the title."""

    def __init__(self, look: Look, icons: Icons, dock: QDockWidget, title: str) -> None:
        super().__init__()
        self._look = look
        self.title = Label(look, title, weight=Weight.STRONG)
        self.detail = PartedLabel(look, token="muted")
        self.detail.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._float = IconButton(icons, "float", f"Float {title}")
        self._float.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        self._close = IconButton(icons, "close", f"Close {title}")
        self._close.clicked.connect(dock.close)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(look.metric("edge_padding"), 0, 8, 1)
        self._row.setSpacing(8)
        self._row.addWidget(self.title)
        self._row.addWidget(self.detail, 1)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(0)
        self._buttons.addWidget(self._float)
        self._buttons.addWidget(self._close)
        self._row.addLayout(self._buttons)
        dock.topLevelChanged.connect(self._on_floated)

    def add_tool(self, tool: QWidget) -> None:
        """Puts a tool between the texts and the dock's own buttons; those with an icon alone stand close together."""
        row, after = (self._buttons, 2) if isinstance(tool, IconButton) else (self._row, 1)
        row.insertWidget(row.count() - after, tool)

    def let_grow(self, tool: QWidget) -> None:
        """Gives a tool nearly all the room that is left, up to its greatest width."""
        self._row.setStretchFactor(tool, 20)

    def _on_floated(self, floating: bool) -> None:
        name, verb = ("dock", "Dock") if floating else ("float", "Float")
        self._float.show_as(name, f"{verb} {self.title.text()}")

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._look.tall("dock_title"))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self._look.tall("dock_title"))

    @property
    def needed_width(self) -> int:
        """What its tools take; of the detail nothing, for it may lose its end."""
        return self._row.minimumSize().width()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # Not taken here, so that Qt drags the dock by it.
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self._look.color("raised"))
        painter.fillRect(QRectF(0, self.height() - 1, self.width(), 1), self._look.color("line"))


class Dock(QDockWidget):
    """A dock with a title bar of our own. `tab_text` is its name with what counts, shown where it is a tab."""

    told = Signal(str, str)
    """Something for a short notice: the words, and a token."""
    seen_changed = Signal()

    def __init__(self, look: Look, icons: Icons, *, name: str, title: str) -> None:
        super().__init__(title)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.plain_title = title
        self.is_seen = False
        """Whether it is on the screen. Behind another tab Qt calls a dock visible."""
        self.heading = DockTitle(look, icons, self, title)
        self._no_title = QWidget()
        """In the place of the title bar while that is with the tabs."""
        self._no_title.setFixedHeight(0)
        self.setTitleBarWidget(self.heading)
        self.visibilityChanged.connect(self._on_visibility)

    def set_tab_text(self, text: str) -> None:
        """Qt shows a dock's window title on its tab."""
        if text != self.windowTitle():
            self.setWindowTitle(text)

    def is_named(self, tab: str) -> bool:
        """Whether a tab with this text, its count included, is this dock's."""
        return tab.partition(" ")[0] == self.plain_title

    def note_neighbours(self) -> None:
        """Leaves the title to the tab where there is one."""
        window = self.parent()
        tabbed = isinstance(window, QMainWindow) and bool(window.tabifiedDockWidgets(self)) and not self.isFloating()
        self.heading.title.setVisible(not tabbed)

    def lend_heading(self, window: QMainWindow, *, in_front: bool) -> None:
        """Gives the title bar away to lie beside the tabs, seen while this dock is the one `in_front`."""
        if self.titleBarWidget() is self.heading:
            self.setTitleBarWidget(self._no_title)
            self.heading.setParent(window)
        self.heading.setVisible(in_front)

    def fits_beside(self, room: int) -> bool:
        """Whether the title bar finds its place in `room`, beside the tabs; asked anew whenever that may be another."""
        return self.heading.needed_width <= room

    def take_heading_back(self) -> None:
        """The title bar is the dock's own again."""
        if self.titleBarWidget() is not self.heading:
            self.setTitleBarWidget(self.heading)
            self.heading.show()

    def holds(self, widget: object) -> bool:
        """Whether a widget is in this dock or in its title bar, wherever that lies."""
        return isinstance(widget, QWidget) and any(
            widget is part or part.isAncestorOf(widget) for part in (self, self.heading)
        )

    def _on_visibility(self, visible: bool) -> None:
        if visible is not self.is_seen:
            self.is_seen = visible
            self.seen_changed.emit()
        if visible:
            self.note_neighbours()
            # Qt tells before the dock has its size.
            QTimer.singleShot(0, self, self.on_shown)

    def on_shown(self) -> None:
        """Shows what was missed while hidden."""

    def focus_target(self) -> QWidget:
        """What the keyboard goes to when it comes to this dock."""
        return self

    def save(self, layouts: LayoutStore) -> None:
        """Keeps what the trader arranged inside the dock."""

    def restore(self, layouts: LayoutStore) -> None:
        """Brings back what `save` kept."""

    def reset(self) -> None:
        """Back to how it was made."""


def tab_bars(window: QMainWindow) -> list[QTabBar]:
    """A window's rows of tabs, also those that Qt has left behind; none that is inside of a dock."""
    return window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)


def docks_of(bar: QTabBar, docks: Iterable[Dock]) -> list[Dock]:
    """Those that have a tab in a row."""
    tabs = [bar.tabText(tab) for tab in range(bar.count())]
    return [dock for dock in docks if any(map(dock.is_named, tabs))]
