"""What a flush has changed is painted a moment later, and by parts: in between, who waits for the thread has a turn.

A flush and its painting follow each other at once in Qt, and together hold an alert up for twice as long as each; the
painting of a full table alone may take longer than all else that an alert waits for.
"""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QWidget

from exengine.ui.giving_way import GIVE_WAY_MS, GivingWay

TURN_MS = 6
"""In this time an alert that came in meanwhile is stored and answered; nobody sees so short a delay."""
BAND_MS = 12
"""Between two bands of one table; all of a window is painted in less than a tenth of a second."""


class LatePaint(QObject):
    """Holds a window's painting back after `hold`, and a moment longer while somebody waits for an answer."""

    def __init__(self, window: QWidget, somebody_waits: Callable[[], bool], *, turn_ms: int = TURN_MS) -> None:
        super().__init__(window)
        self._window = window
        self._gives_way = GivingWay(somebody_waits)
        self._turn_ms = turn_ms
        self._owed = False
        """Whether painting was asked for meanwhile."""
        self._paints = False
        self._turn = QTimer(self)
        self._turn.setTimerType(Qt.TimerType.PreciseTimer)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._paint)
        window.installEventFilter(self)

    def hold(self) -> None:
        """From now on painting waits, for one turn."""
        if not self._turn.isActive():
            self._turn.start(self._turn_ms)

    def eventFilter(self, window: QObject, event: QEvent) -> bool:
        """Takes what asks for painting away from the window, and gives it back when the turn is over."""
        if event.type() is not QEvent.Type.UpdateRequest or self._paints:
            return False
        if not self._turn.isActive():
            if not self._gives_way():
                return False
            self._turn.start(GIVE_WAY_MS)
        self._owed = True
        return True

    def _paint(self) -> None:
        if self._owed and self._gives_way():
            self._turn.start(GIVE_WAY_MS)
        elif self._owed:
            self._owed, self._paints = False, True
            QCoreApplication.sendEvent(self._window, QEvent(QEvent.Type.UpdateRequest))
            self._paints = False


class Bands(QObject):
    """Paints what changed in a tall widget a band at a time, from above, with a turn for who waits in between."""

    def __init__(self, widget: QWidget, *, band_ms: int = BAND_MS) -> None:
        super().__init__(widget)
        self._widget = widget
        self._band = 0
        """Which band is painted at once; the others wait for their turn."""
        self._later: dict[int, QRegion] = {}
        self._turn = QTimer(self)
        self._turn.setTimerType(Qt.TimerType.PreciseTimer)
        self._turn.setSingleShot(True)
        self._turn.setInterval(band_ms)
        self._turn.timeout.connect(self._next)

    def update(self, area: QRect, height: int) -> None:
        """Has `area` painted, what of it lies in each band of this height in that band's turn."""
        first, last = area.top() // height, area.bottom() // height
        if not self._turn.isActive():
            self._band = first
            self._turn.start()
        for band in range(first, last + 1):
            there = area if first == last else area & QRect(area.left(), band * height, area.width(), height)
            if band == self._band:
                self._widget.update(there)
            else:
                self._later[band] = self._later.get(band, QRegion()) + there

    def at_once(self) -> None:
        """Lets nothing wait any longer: what is painted is about to move."""
        for region in self._later.values():
            self._widget.update(region)
        self._later.clear()

    def _next(self) -> None:
        if self._later:
            self._band = min(self._later)
            self._widget.update(self._later.pop(self._band))
            self._turn.start()
