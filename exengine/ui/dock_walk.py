"""How the keyboard comes to the docks of a window: to one by its name, round them, and by Tab to what can be seen."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

from exengine.ui.dock import Dock
from exengine.ui.positions import PositionsDock

MOST_HIDDEN = 500
"""Widgets behind others that Tab goes past at most."""


class DockWalk(QMainWindow):
    """A window of docks that can be walked through without a mouse."""

    docks: list[Dock]
    positions: PositionsDock

    def bring(self, dock: Dock) -> None:
        """Opens a dock, or brings its tab to the front."""
        dock.show()
        dock.raise_()

    def go_to(self, dock: Dock) -> None:
        """Brings a dock to the front, and the keyboard to it."""
        self.bring(dock)
        if dock.isFloating():
            dock.activateWindow()
        dock.focus_target().setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not dock.holds(QGuiApplication.focusObject()):
            # What it would show cannot take the keyboard while it is empty; the dock itself can.
            dock.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_group(self, group_id: str) -> None:
        """Goes to a group in Positions."""
        self.go_to(self.positions)
        index = self.positions.model.index_of(group_id)
        if index.isValid():
            self.positions.table.setCurrentIndex(index)
            self.positions.table.scrollTo(index)

    def focus_next_dock(self, step: int = 1) -> None:
        """Moves the keyboard round the docks that can be seen; -1 is backwards."""
        targets = {
            dock: dock.focus_target() for dock in self.docks if dock.isVisible() and not dock.visibleRegion().isEmpty()
        }
        focused = QGuiApplication.focusObject()
        docks = list(targets)
        current = next((place for place, dock in enumerate(docks) if dock.holds(focused)), -1)
        if docks:
            start = current if current >= 0 or step > 0 else 0
            targets[docks[(start + step) % len(docks)]].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab, past the docks that lie behind others: Qt would lead the keyboard into what cannot be seen."""
        for _ in range(MOST_HIDDEN):
            if not super().focusNextPrevChild(forward):
                return False
            focused = QGuiApplication.focusObject()
            behind = [dock for dock in self.docks if dock.holds(focused) and dock.visibleRegion().isEmpty()]
            if not behind:
                return True
        return True
