"""What a flush has changed is painted a moment later: in between, who waits for the thread has a turn.

A flush and its painting follow each other at once in Qt, and together hold an alert up for twice as long as each.
"""

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

TURN_MS = 6
"""In this time an alert that came in meanwhile is stored and answered; nobody sees so short a delay."""


class LatePaint(QObject):
    """Holds a window's painting back after `hold`."""

    def __init__(self, window: QWidget, *, turn_ms: int = TURN_MS) -> None:
        super().__init__(window)
        self._window = window
        self._owed = False
        self._turn = QTimer(self)
        self._turn.setTimerType(Qt.TimerType.PreciseTimer)
        self._turn.setSingleShot(True)
        self._turn.setInterval(turn_ms)
        self._turn.timeout.connect(self._paint)
        window.installEventFilter(self)

    def hold(self) -> None:
        """From now on painting waits, for one turn."""
        if not self._turn.isActive():
            self._turn.start()

    def eventFilter(self, window: QObject, event: QEvent) -> bool:
        """Takes what asks for painting away from the window, and gives it back when the turn is over."""
        if event.type() is not QEvent.Type.UpdateRequest or not self._turn.isActive():
            return False
        self._owed = True
        return True

    def _paint(self) -> None:
        if self._owed:
            self._owed = False
            QCoreApplication.sendEvent(self._window, QEvent(QEvent.Type.UpdateRequest))
