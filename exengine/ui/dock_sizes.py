"""The sizes that docks have, kept over a smaller window and a larger font: they come back when there is room again.

Qt shares the room of a window that changes among all docks, and gives none back that a text once needed: after a small
window or a large font the right column would stay wider, and the tabs below higher, for good.
"""

from collections.abc import Collection, Iterator

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt
from PySide6.QtWidgets import QMainWindow

from exengine.ui.dock import Dock, docks_of, tab_bars
from exengine.ui.one_shot import one_shot
from exengine.ui.theme import Look

Stack = frozenset[Dock]
"""Docks that lie over each other as tabs; mostly one alone."""
PASSES = 8
"""Qt comes nearer to what is wanted with each."""


class DockSizes(QObject):
    """The sizes of the layout, until the trader moves a line between docks.

    The largest dock takes what the window gains or lacks: those beside it keep their width, those below their height.
    """

    def __init__(self, window: QMainWindow, look: Look, docks: Collection[Dock]) -> None:
        super().__init__(window)
        self._window, self._docks = window, docks
        self._noted: dict[Stack, QRect] = {}
        self._passes = 0
        self._soon, self._again = one_shot(self, self.note), one_shot(self, self._pass)
        look.changed.connect(self._fit)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._fit()
        elif event.type() is QEvent.Type.MouseButtonRelease and self._noted:
            # Between the docks, where nothing but the lines between them lies.
            self._soon.start(0)
        return False

    def forget(self) -> None:
        """The docks are being put elsewhere: their sizes are to be noted anew."""
        self._noted = {}

    def note_soon(self) -> None:
        """Once Qt is done with what it does now."""
        self._soon.start(0)

    def note_moved(self) -> None:
        """Where other docks are there than before, or lie elsewhere, what was noted holds no more."""
        if self._noted and set(self._noted) != set(self._stacks()):
            self.forget()
            self.note_soon()

    def note(self) -> None:
        """The docks are as wide and as high as they are to be."""
        self._noted = self._rects()
        # Where title bars go beside their tabs only now, Qt moves a line between docks by two pixels more.
        self._passes = PASSES
        self._again.start(0)

    def _stacks(self) -> Iterator[Stack]:
        for dock in self._docks:
            if not dock.isHidden() and not dock.isFloating():
                beside = (one for one in self._window.tabifiedDockWidgets(dock) if isinstance(one, Dock))
                yield frozenset((dock, *(one for one in beside if not one.isHidden())))

    def _rects(self) -> dict[Stack, QRect]:
        """Where each stack lies, with its tabs."""
        bars = {frozenset(docks_of(bar, self._docks)): bar.height() for bar in tab_bars(self._window)}
        shown = {stack: next((dock for dock in stack if dock.is_seen), None) for stack in self._stacks()}
        return {
            stack: dock.geometry().adjusted(0, -bars.get(stack, 0), 0, 0)
            for stack, dock in shown.items()
            if dock is not None
        }

    def _fit(self) -> None:
        if self._noted and not self._soon.isActive():
            self._passes = PASSES
            self._pass()

    def _pass(self) -> None:
        now = self._rects()
        if not now or set(now) != set(self._noted):
            return
        wanted = fitted(self._noted, _whole(now))
        off = [now[stack].size() - size for stack, size in wanted.items()]
        if not any(one.width() or one.height() for one in off):
            return
        docks = [next(iter(stack)) for stack in wanted]
        self._window.resizeDocks(docks, [size.width() for size in wanted.values()], Qt.Orientation.Horizontal)
        self._window.resizeDocks(docks, [size.height() for size in wanted.values()], Qt.Orientation.Vertical)
        self._passes -= 1
        if self._passes > 0:
            self._again.start(0)


def fitted(noted: dict[Stack, QRect], room: QSize) -> dict[Stack, QSize]:
    """How large docks are to be where all of them together have another room than they had."""
    had = _whole(noted)
    gained = room - had
    main = max(noted.values(), key=lambda rect: rect.width() * rect.height())
    wide = max(main.width() + gained.width(), 1)
    sizes = {}
    for stack, rect in noted.items():
        width, height = rect.width(), rect.height()
        if rect.left() > main.right() or rect.right() < main.left():
            # A column of its own: its docks share its height as they did.
            height = height * room.height() // had.height()
        else:
            width = width * wide // main.width()
            if rect.top() <= main.bottom() and rect.bottom() >= main.top():
                height = max(height + gained.height(), 1)
        sizes[stack] = QSize(width, height)
    return sizes


def _whole(rects: dict[Stack, QRect]) -> QSize:
    whole = QRect()
    for rect in rects.values():
        whole |= rect
    return whole.size()
