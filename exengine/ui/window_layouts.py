"""The window's layouts as a whole: the stock ones, the trader's own, the switch at the menu's right, and the tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from exengine.ui.arrangement import Arrangement
from exengine.ui.dock_sizes import DockSizes
from exengine.ui.own_layouts import LayoutQuestions, OwnLayouts
from exengine.ui.tab_rows import TabRows

if TYPE_CHECKING:
    from exengine.ui.window import Window


class WindowLayouts(QObject):
    """Puts, keeps and resets them."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        docks = {dock.objectName(): dock for dock in window.docks}
        self.arrangement = Arrangement(window, window.look, docks, window.layouts)
        self._tab_rows = TabRows(window, window.look, window.docks)
        self._sizes = DockSizes(window, window.look, window.docks)
        self.own: OwnLayouts
        self.is_shown = False
        """Whether the window has its size: only then do sizes of docks hold."""

    def begin(self) -> None:
        """Once registry and dialogs are there: the first layout, and the actions of the trader's own."""
        window = self._window
        self.arrangement.put(self.arrangement.stock)
        self.own = OwnLayouts(window, self.arrangement, window.layouts, window.registry)
        self.own.switched.connect(self._on_own)
        LayoutQuestions(self.own, window.icons, window, window.clicks.show).add_actions(window.registry)
        for dock in window.docks:
            dock.dockLocationChanged.connect(self.note_tabs_soon)
            dock.topLevelChanged.connect(self.note_tabs_soon)
            dock.visibilityChanged.connect(self.note_tabs_soon)

    def put(self, name: str) -> None:
        """A stock layout, as it was made; the columns stay as the trader has them."""
        self._sizes.forget()
        self.arrangement.put(name)
        self.own.left()
        self._window.layout_switch.choose(name)
        self._note_tabs()
        if self.is_shown:
            self._size_soon()

    def _on_own(self) -> None:
        self._window.layout_switch.choose(None)
        self._note_tabs()
        self._sizes.forget()
        self._sizes.note_soon()

    def first_shown(self) -> None:
        """The window has its size now."""
        self.is_shown = True
        if self._window.layouts.state("window/state") is None:
            self.arrangement.size_docks()
            self._size_soon()
        else:
            self._sizes.note_soon()

    def _size_soon(self, tries: int = 8) -> None:
        """Qt moves the docks only in its next passes, and comes nearer to what is wanted with each of them."""

        def size() -> None:
            self.arrangement.size_docks()
            if tries > 1 and not self.arrangement.is_sized:
                self._size_soon(tries - 1)
            else:
                self._sizes.note_soon()

        QTimer.singleShot(0, self, size)

    def note_tabs_soon(self) -> None:
        # Qt tells before it has moved the tabs.
        QTimer.singleShot(0, self, self._note_tabs)

    def _note_tabs(self) -> None:
        self.arrangement.hide_ghosts()
        self._tab_rows.place()
        self._sizes.note_moved()

    # What is kept

    def restore(self) -> None:
        window = self._window
        self.arrangement.restore()
        window.layout_switch.choose(None if self.own.current is not None else self.arrangement.stock)
        self._note_tabs()
        for dock in window.docks:
            dock.restore(window.layouts)

    def save(self) -> None:
        window = self._window
        self.arrangement.save()
        for dock in window.docks:
            dock.save(window.layouts)
        window.layouts.flush()

    def reset(self) -> None:
        """Back to the stock layout and the columns' own widths."""
        self._window.layouts.forget()
        self.put(self.arrangement.stock)
        for dock in self._window.docks:
            dock.reset()
