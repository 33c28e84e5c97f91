"""Where the docks stand: the stock layouts, what the trader made of them, and a place for docks that are new to him."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from exengine.ui.dock import Dock, docks_of, tab_bars
from exengine.ui.layout import VERSION, LayoutStore
from exengine.ui.theme import Look

BOTTOM_HEIGHT = 200
RIGHT_WIDTH = 372
LEAST_RIGHT = 328
"""In the smallest font too: paddings and buttons do not shrink with it."""
MOST_RIGHT_PERCENT = 45
"""Of the window's width, in the largest fonts too."""
MOST_BOTTOM_PERCENT = 33
"""Of the window's height, in the largest fonts too: the positions matter more."""
FIRST_DOCKS = ("positions", "signals", "log")
"""Those of the first version, which did not write down what it had."""

AREA = Qt.DockWidgetArea.TopDockWidgetArea
"""All docks live in one area, split within itself. Beside another area to its right Qt makes this one a pixel narrower
each time that any text in the window changes."""

_BESIDE = (Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """A layout of ours; docks that it does not name are closed. Names of docks."""

    title: str
    key: str
    main: tuple[str, ...]
    """As tabs; takes the room that the others leave."""
    bottom: tuple[str, ...] = ()
    """As tabs under it."""
    right: tuple[str, ...] = ()
    """One over the other, from top to bottom."""
    right_shares: tuple[int, ...] = ()


STOCK: dict[str, Stock] = {
    "trade": Stock(
        title="Trade",
        key="Ctrl+1",
        main=("positions",),
        bottom=("queue", "signals", "log", "status"),
        right=("risk", "capital"),
        right_shares=(18, 10),
    ),
    "performance": Stock(title="Performance", key="Ctrl+2", main=("performance", "capital", "log")),
}
"""By the name under which it is remembered; the first is the one of a first start."""


class Arrangement:
    """Moves the docks of a window."""

    def __init__(self, window: QMainWindow, look: Look, docks: Mapping[str, Dock], layouts: LayoutStore) -> None:
        self._window, self._look, self._docks, self._layouts = window, look, docks, layouts
        self.stock = next(iter(STOCK))
        """The stock layout that was chosen last."""
        window.setDockNestingEnabled(True)
        window.setAnimated(False)
        for dock in docks.values():
            dock.setAllowedAreas(AREA)

    def put(self, name: str) -> None:
        """A stock layout, as it was made."""
        stock, window = STOCK[name], self._window
        self.stock = name
        wanted = (*stock.main, *stock.bottom, *stock.right)
        for key, dock in self._docks.items():
            # While it is the window's: one that is not can neither float nor stop floating.
            dock.setFloating(False)
            window.removeDockWidget(dock)
            dock.setVisible(key in wanted)
        main, bottom, right = (self._there(names) for names in (stock.main, stock.bottom, stock.right))
        window.addDockWidget(AREA, main[0])
        # The right column first: it has the full height.
        if right:
            window.splitDockWidget(main[0], right[0], Qt.Orientation.Horizontal)
        for above, below in pairwise(right):
            window.splitDockWidget(above, below, Qt.Orientation.Vertical)
        if bottom:
            window.splitDockWidget(main[0], bottom[0], Qt.Orientation.Vertical)
        for stack in (main, bottom):
            for before, after in pairwise(stack):
                window.tabifyDockWidget(before, after)
        for dock in (*main, *bottom, *right):
            dock.show()
        for stack in (main, bottom):
            if stack:
                stack[0].raise_()
        self.size_docks()

    def size_docks(self) -> None:
        """Heights and widths of the stock layout; they hold only once the window has its own size."""
        stock, window, look = STOCK[self.stock], self._window, self._look
        main = self._there(stock.main)[:1]
        bottom, right = self._there(stock.bottom)[:1], self._there(stock.right)
        if main and bottom:
            low = min(look.scaled(BOTTOM_HEIGHT), window.height() * MOST_BOTTOM_PERCENT // 100)
            # Qt takes these as shares of what there is below the ribbon.
            high = window.height() - main[0].geometry().top() - low
            window.resizeDocks([*main, *bottom], [high, low], Qt.Orientation.Vertical)
        if main and right:
            wide = self._right_width
            window.resizeDocks([*main, right[0]], [window.width() - wide, wide], Qt.Orientation.Horizontal)
            shares = list(stock.right_shares)[: len(right)]
            whole = sum(shares)
            heights = [window.height() * share // whole for share in shares]
            window.resizeDocks(right, heights, Qt.Orientation.Vertical)

    @property
    def is_sized(self) -> bool:
        """Whether the right column is as wide as it is to be."""
        right = self._there(STOCK[self.stock].right)
        return not right or abs(right[0].width() - self._right_width) <= 1

    @property
    def _right_width(self) -> int:
        wanted = min(self._look.scaled(RIGHT_WIDTH), self._window.width() * MOST_RIGHT_PERCENT // 100)
        return max(wanted, LEAST_RIGHT)

    def hide_ghosts(self) -> None:
        """Hides rows of tabs that Qt has left behind: after docks were moved it may still show one that rules none."""
        stacks = []
        for dock in self._docks.values():
            beside = [one for one in self._window.tabifiedDockWidgets(dock) if isinstance(one, Dock)]
            stacks.append({dock, *beside})
        for bar in tab_bars(self._window):
            if bar.isVisible() and set(docks_of(bar, self._docks.values())) not in stacks:
                bar.hide()

    def _there(self, names: tuple[str, ...]) -> list[Dock]:
        return [self._docks[name] for name in names if name in self._docks]

    # What is kept

    def save(self) -> None:
        self._layouts.save("window/geometry", self._window.saveGeometry())
        self._layouts.save("window/stock", [self.stock])
        self.keep("window")

    def keep(self, name: str) -> None:
        """Keeps where the docks stand under a name, with what docks there were."""
        self._layouts.save(f"{name}/state", self._window.saveState(VERSION))
        self._layouts.save(f"{name}/docks", list(self._docks))
        open_docks = [dock_name for dock_name, dock in self._docks.items() if dock.toggleViewAction().isChecked()]
        self._layouts.save(f"{name}/open", open_docks)

    def restore(self) -> None:
        """Brings back what was kept of the window; the stock layout where that cannot be used."""
        geometry = self._layouts.state("window/geometry")
        if geometry is not None:
            self._window.restoreGeometry(geometry)
        kept = self._layouts.texts("window/stock") or []
        stock = next((name for name in kept if name in STOCK), self.stock)
        if self.bring_back("window"):
            self.stock = stock

    def bring_back(self, name: str) -> bool:
        """Puts the docks as they were kept under a name; False where that cannot be used.

        Docks that were unknown then stand where the stock layout of today has them.
        """
        state = self._layouts.state(f"{name}/state")
        if state is None:
            return False
        if not self._window.restoreState(state, VERSION):
            self.put(self.stock)
            return False
        known = self._layouts.texts(f"{name}/docks") or list(FIRST_DOCKS)
        new = [dock_name for dock_name in self._docks if dock_name not in known]
        self._close_but(self._layouts.texts(f"{name}/open"))
        self._gather()
        for dock_name in new:
            self._place(dock_name)
        if new:
            self.size_docks()
        return True

    def _close_but(self, kept: list[str] | None) -> None:
        """Closes what was closed: Qt opens a dock at the left side that was in no area when its state was kept."""
        for name, dock in self._docks.items():
            if kept is not None and name not in kept:
                dock.close()

    def _gather(self) -> None:
        """Brings docks that an older version had at the window's sides into the one area, to the right of the rest."""
        window, main = self._window, self._docks["positions"]
        for dock in self._docks.values():
            beside = window.dockWidgetArea(dock) in _BESIDE
            if dock is not main and beside and not dock.isFloating():
                hidden = dock.isHidden()
                window.splitDockWidget(main, dock, Qt.Orientation.Horizontal)
                dock.setHidden(hidden)

    def _place(self, name: str) -> None:
        """A dock that an older version did not have goes where the stock layout of today has it."""
        dock, window = self._docks[name], self._window
        stock = STOCK[self.stock]
        there = [one for one in self._there(stock.bottom if name in stock.bottom else stock.right) if one is not dock]
        others = [one for one in there if not one.isHidden() and not one.isFloating()]
        if name in stock.bottom and others:
            window.addDockWidget(window.dockWidgetArea(others[0]), dock)
            window.tabifyDockWidget(others[0], dock)
            others[0].raise_()
        elif name in stock.bottom:
            window.splitDockWidget(self._docks[stock.main[0]], dock, Qt.Orientation.Vertical)
        elif name in stock.right and others:
            window.splitDockWidget(others[0], dock, Qt.Orientation.Vertical)
        elif name in stock.right:
            window.splitDockWidget(self._docks[stock.main[0]], dock, Qt.Orientation.Horizontal)
        else:
            dock.hide()
            return
        dock.show()
