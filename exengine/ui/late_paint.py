"""What a flush has changed is painted a moment later, and by parts: in between, who waits for the thread has a turn.

A flush and its painting follow each other at once in Qt, and together hold an alert up for twice as long as each; the
painting of a full table alone may take longer than all else that an alert waits for.
"""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QRect
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from exengine.ui.giving_way import GIVE_WAY_MS, GivingWay
from exengine.ui.one_shot import one_shot

TURN_MS = 6
"""In this time an alert that came in meanwhile is stored and answered; nobody sees so short a delay."""
BAND_MS = 10
"""From the painting of a band to the next one; all of a window is painted in about a tenth of a second."""
LONGEST_MS = 60
"""So long a band is waited for that Qt does not paint, as that of a minimised window."""


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
        self._turn = one_shot(self, self._paint, precise=True)
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
    """Paints what changed in tall widgets a band at a time, with a turn for who waits after each.

    There is one for all of a program, so that no two tables are painted in one turn: see `bands`.
    """

    def __init__(self, parent: QObject, *, band_ms: int = BAND_MS) -> None:
        super().__init__(parent)
        self._asked: tuple[QWidget, int] | None = None
        """The widget and the band that Qt was asked to paint, and has not painted yet."""
        self._later: dict[tuple[QWidget, int], QRegion] = {}
        self._band_ms = band_ms
        self._turn = one_shot(self, self._next, precise=True)

    @property
    def is_at_work(self) -> bool:
        """Whether something is still to be painted, or has been just now."""
        return self._turn.isActive()

    def update(self, widget: QWidget, area: QRect, height: int) -> None:
        """Has `area` painted, what of it lies in each band of this height in that band's turn."""
        if not widget.isVisible():
            return
        first, last = area.top() // height, area.bottom() // height
        for band in range(first, last + 1):
            there = area if first == last else area & QRect(area.left(), band * height, area.width(), height)
            place = (widget, band)
            if not self._turn.isActive():
                self._ask(place, QRegion(there))
            elif place == self._asked:
                widget.update(there)
            else:
                self._later[place] = self._later.get(place, QRegion()) + there

    def painted(self, widget: QWidget) -> None:
        """Told by a widget that is being painted: the turn of who waits begins."""
        if self._asked is not None and self._asked[0] is widget:
            self._asked = None
            self._turn.start(self._band_ms)

    def at_once(self, widget: QWidget) -> None:
        """Lets nothing of a widget wait any longer: what is painted is about to move."""
        for place in [place for place in self._later if place[0] is widget]:
            widget.update(self._later.pop(place))

    def _next(self) -> None:
        self._asked = None
        while self._later:
            place = next(iter(self._later))
            if self._ask(place, self._later.pop(place)):
                break

    def _ask(self, place: tuple[QWidget, int], region: QRegion) -> bool:
        """Whether Qt has anything of it to paint."""
        widget = place[0]
        if not (isValid(widget) and widget.isVisible() and widget.visibleRegion().intersects(region)):
            return False
        self._asked = place
        widget.update(region)
        self._turn.start(LONGEST_MS)
        return True


def bands() -> Bands:
    """The one of this program."""
    app = QCoreApplication.instance()
    assert app is not None
    found: Bands | None = app.findChild(Bands)
    return found or Bands(app)
