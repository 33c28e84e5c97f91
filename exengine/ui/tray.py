"""The icon in the tray: the way back to a hidden window, and notices while the window is not in front."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from exengine.engine.rows import LogRow, Severity
from exengine.ui import format as fmt
from exengine.ui.actions import Registry
from exengine.ui.icons import Icons
from exengine.ui.one_shot import one_shot

MERGE_MS = 3_000
"""Notices that come within this are one: a dead exchange refuses many orders at once."""
SHOWN_MS = 10_000


class Tray(QObject):
    """Told of errors always; shows them only while the trader does not see the window."""

    open_asked = Signal()
    quit_asked = Signal()
    shown = Signal(str, str)
    """A notice: its title and its text."""

    def __init__(self, window: QWidget, icons: Icons, registry: Registry) -> None:
        super().__init__(window)
        self._window, self._icons = window, icons
        self._waiting: list[LogRow] = []
        self._last_id: int | None = None
        self._timer = one_shot(self, self._show, after_ms=MERGE_MS)
        self._icon: QSystemTrayIcon | None = None
        self._menu = QMenu(window)
        opens = QAction("Open ExEngine", self._menu)
        opens.triggered.connect(self.open_asked)
        quits = QAction("Quit", self._menu)
        quits.triggered.connect(self.quit_asked)
        self._menu.addAction(opens)
        self._menu.addAction(registry.actions["pause"])
        self._menu.addSeparator()
        self._menu.addAction(quits)
        self._menu.aboutToShow.connect(registry.refresh)
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._appear()

    @property
    def is_there(self) -> bool:
        """Whether the desktop has a tray."""
        return self._icon is not None

    def _appear(self) -> None:
        self._icon = QSystemTrayIcon(self._icons.icon("app", "accent"), self)
        self._icon.setToolTip("ExEngine")
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._on_activated)
        self._icon.messageClicked.connect(self.open_asked)
        self._icon.show()

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.open_asked.emit()

    def say_state(self, words: str) -> None:
        """What the icon's tooltip says: mode and state."""
        if self._icon is not None and self._icon.toolTip() != words:
            self._icon.setToolTip(words)

    @property
    def in_front(self) -> bool:
        """Whether the trader sees the window, or a dialog or a dock of it."""
        active = QWidget.window(self._window).isActiveWindow() or any(
            child.isActiveWindow() for child in self._window.findChildren(QWidget) if child.isWindow()
        )
        return self._window.isVisible() and not self._window.isMinimized() and active

    def take(self, rows: Iterable[LogRow]) -> None:
        """New lines of the log; what was there at the start is no news."""
        errors = [row for row in rows if row.severity is Severity.ERROR]
        if self._last_id is None:
            self._last_id = max((row.id for row in errors), default=0)
            return
        news = [row for row in errors if row.id > (self._last_id or 0)]
        self._last_id = max((row.id for row in news), default=self._last_id)
        if news and not self.in_front:
            self._waiting.extend(news)
            if not self._timer.isActive():
                self._timer.start()

    def _show(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting or self.in_front:
            return
        more = len(waiting) - 1
        title = "ExEngine" if not more else f"ExEngine: {fmt.count(len(waiting), 'error')}"
        text = waiting[-1].text + (f" And {more} more." if more else "")
        self.shown.emit(title, text)
        if self._icon is not None:
            self._icon.showMessage(title, text, QSystemTrayIcon.MessageIcon.Warning, SHOWN_MS)
