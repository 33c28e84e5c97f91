"""Locks the window and opens it again: at the start, by hand, and when nobody has touched it for a while."""

import asyncio
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication, QWindow
from PySide6.QtWidgets import QBoxLayout, QDialog, QWidget
from shiboken6 import isValid

from exengine.settings.access import Access
from exengine.settings.app_lock import Role
from exengine.ui.icons import Icons
from exengine.ui.lock_window import LockWindow
from exengine.ui.one_shot import one_shot
from exengine.ui.read_only import ReadOnlyBanner
from exengine.ui.theme import Look
from exengine.ui.window import Window

TOUCHES = frozenset(
    {QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.Wheel,
     QEvent.Type.TouchBegin, QEvent.Type.TabletPress}
)  # fmt: skip


class Guard(QObject):
    """Keeps the window hidden while it is locked, with every dialog and floating dock of it."""

    def __init__(
        self, window: Window, look: Look, icons: Icons, access: Access, *, idle_minutes: Callable[[], int]
    ) -> None:
        """`idle_minutes` is `security.auto_lock_minutes` at the moment; 0 is never."""
        super().__init__(window)
        self._window, self._look, self._icons, self._access = window, look, icons, access
        self._idle_minutes = idle_minutes
        self._waiting: list[QWidget] = []
        """What belongs to the window and comes back with it."""
        self._was_maximised = False
        self.lock_window: LockWindow | None = None
        window.leaving.why_not_stop = self._why_not_stop
        window.leaving.stop_refused.connect(self._on_stop_refused)
        self._timer = one_shot(self, self.lock)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.focusWindowChanged.connect(self._on_focus)
        self.banner = ReadOnlyBanner(look, icons, access.why_not)
        above = window.menuWidget()
        top = None if above is None else above.layout()
        assert isinstance(top, QBoxLayout)
        top.insertWidget(1, self.banner)
        self.follow()

    @property
    def is_locked(self) -> bool:
        return self._access.role is None

    def show(self) -> None:
        """Shows the window, or the lock in its place: at the start."""
        if self.is_locked:
            self._cover()
        else:
            self._window.show()

    def lock(self) -> None:
        """Locks it now. Nothing happens where there is no passphrase that would open it again."""
        if not self.is_locked and self._access.can_lock:
            self._access.lock()
            self._cover()

    def follow(self) -> None:
        """Begins to count anew, and says what is allowed; told where the settings or the role are others."""
        self.banner.say(self._access.why_not)
        self.banner.setVisible(bool(self._access.why_not))
        self._window.registry.hold_back(self._access.why_not)
        minutes = self._idle_minutes()
        if minutes and self._access.can_lock and not self.is_locked:
            self._timer.start(minutes * 60_000)
        else:
            self._timer.stop()

    def _why_not_stop(self) -> str:
        """To close ExEngine is to stop the engine: nobody but the owner may."""
        if self._access.role is Role.OWNER:
            return ""
        return "Only the owner may close ExEngine: closing it stops the engine."

    def _on_stop_refused(self, why: str) -> None:
        if self.lock_window is not None:
            self.lock_window.say(why)
            self._window.come_back()

    def _on_focus(self, window: QWindow | None) -> None:
        """Keys and the mouse come to the system's windows first. To watch the application would cost at each event."""
        if window is not None:
            window.installEventFilter(self)
            self._touch()

    def _touch(self) -> None:
        if self._timer.isActive():
            self._timer.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in TOUCHES:
            self._touch()
        return False

    def _cover(self) -> None:
        self._timer.stop()
        window = self._window
        for dialog in window.findChildren(QDialog):
            dialog.reject()
        # Settings that were changed ask before they go: they wait out of sight, as floating docks and the help do.
        own = [one for one in window.findChildren(QWidget) if one.isWindow() and one.isVisible()]
        self._waiting = [one for one in own if one.windowType() is not Qt.WindowType.Popup]
        for one in own:
            one.hide()
        geometry, self._was_maximised = window.geometry(), window.isMaximized()
        window.hide()
        lock = LockWindow(self._look, self._icons, self._unlock)
        lock.setGeometry(geometry)
        # After the form's own work is done: to show a whole window takes a while.
        lock.unlocked.connect(self._on_unlocked, Qt.ConnectionType.QueuedConnection)
        self.lock_window = window.cover = lock
        lock.show()

    async def _unlock(self, passphrase: str) -> Role | None:
        return await asyncio.to_thread(self._access.unlock, passphrase)

    def _on_unlocked(self, role: Role) -> None:
        lock, self.lock_window = self.lock_window, None
        self._access.enter(role)
        window = self._window
        window.cover = None
        window.showMaximized() if self._was_maximised else window.show()
        waiting, self._waiting = self._waiting, []
        for one in filter(isValid, waiting):
            one.open() if isinstance(one, QDialog) else one.show()
        if lock is not None:
            lock.hide()
            lock.deleteLater()
        self.follow()
