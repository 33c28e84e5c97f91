"""One row where docks are tabs: what the front one says of itself, and its tools, stand beside the tabs."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QTimer
from PySide6.QtWidgets import QMainWindow, QTabBar

from exengine.ui.dock import Dock, docks_of, tab_bars
from exengine.ui.pieces import Hairline
from exengine.ui.theme import Look

_MOVED = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.LayoutRequest)


class TabRows(QObject):
    """The rows of tabs of a window, and what lies over their free ends. Where there is no room, it stays below them."""

    def __init__(self, window: QMainWindow, look: Look, docks: Sequence[Dock]) -> None:
        super().__init__(window)
        self._window, self._look, self._docks = window, look, docks
        self._fronts: dict[QTabBar, Dock] = {}
        self._placing = False
        for dock in docks:
            dock.heading.installEventFilter(self)

    def place(self) -> None:
        """After docks were moved, opened, closed or brought to the front, or a row has another width."""
        self._placing = False
        self._fronts.clear()
        beside = {dock for bar in tab_bars(self._window) for dock in self._place_in(bar)}
        for dock in self._docks:
            if dock not in beside:
                dock.take_heading_back()
            dock.note_neighbours()

    def _place_in(self, bar: QTabBar) -> list[Dock]:
        """Those of a row's docks whose title bars are with the tabs now."""
        bar.setDrawBase(False)
        bar.setAccessibleName("Docks")
        bar.installEventFilter(self)
        free = bar.width() - bar.sizeHint().width()
        stack = docks_of(bar, self._docks) if bar.isVisible() else []
        fitting = [dock for dock in stack if dock.fits_beside(free)]
        for dock in fitting:
            in_front = dock.is_named(bar.tabText(bar.currentIndex()))
            dock.lend_heading(self._window, in_front=in_front)
            if in_front:
                self._fronts[bar] = dock
                # Above the tabs, but below all else, as the shade behind a question.
                dock.heading.lower()
                bar.stackUnder(dock.heading)
        self._lay_over(bar)
        return fitting

    def _lay_over(self, bar: QTabBar) -> None:
        """Over the end of the row that its tabs leave: the front dock's title bar, or the line under the tabs."""
        dock, tabs = self._fronts.get(bar), bar.sizeHint().width()
        free = max(bar.width() - tabs, 0)
        if dock is not None:
            dock.heading.setGeometry(QRect(bar.x() + tabs, bar.y(), free, bar.height()))
        line = bar.findChild(Hairline)
        if line is None:
            line = Hairline(self._look)
            line.setParent(bar)
        line.setGeometry(tabs, bar.height() - 1, free, 1)
        line.setVisible(dock is None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVED and (isinstance(watched, QTabBar) or event.type() is QEvent.Type.LayoutRequest):
            if isinstance(watched, QTabBar):
                self._lay_over(watched)
            if not self._placing:
                self._placing = True
                QTimer.singleShot(0, self, self.place)
        return False
