"""Timers that run out once, each time they are started."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer


def one_shot(
    parent: QObject | None, ended: Callable[[], object], *, after_ms: int | None = None, precise: bool = False
) -> QTimer:
    """A timer, not started yet, that calls `ended` when it has run out.

    `after_ms` is how long it runs where its start does not say. A `precise` one is on time to the millisecond, others
    to a twentieth of what they run: cheaper, and no eye sees it.
    """
    made = QTimer(parent)
    made.setSingleShot(True)
    if precise:
        made.setTimerType(Qt.TimerType.PreciseTimer)
    if after_ms is not None:
        made.setInterval(after_ms)
    made.timeout.connect(ended)
    return made
