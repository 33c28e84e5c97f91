"""Cyclic garbage is collected in the window's thread alone.

Python collects in whichever thread happens to make the next object: the store's, a notification's, a paper market's.
Where what it finds there is a widget that was let go of, Qt's objects are destroyed beside the thread that paints them,
and the program dies. So the collector is switched off, and does its work here in small steps.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QTimer

STEP_MS = 200
"""How often the youngest are looked at: few enough each time that nobody sees it."""
ALL_S = 600.0
"""How often all there is is looked at; with many groups that takes some hundredths of a second."""


class _Steps:
    """One look at the counters; each generation as Python itself would, the oldest by the clock."""

    def __init__(self) -> None:
        self._all_at = time.monotonic()

    def take(self) -> None:
        young, middle, old = gc.get_count()
        limit_young, limit_middle, limit_old = gc.get_threshold()
        if old > limit_old and time.monotonic() - self._all_at > ALL_S:
            self._all_at = time.monotonic()
            gc.collect(2)
        elif middle > limit_middle:
            gc.collect(1)
        elif young > limit_young:
            gc.collect(0)


def pass_over_what_is_there() -> None:
    """Keeps what was imported out of all later collections: it stays to the end, and is most of what they look at."""
    gc.collect()  # what is garbage by now would never be found again
    gc.freeze()


@contextmanager
def collected_here() -> Iterator[None]:
    """Within it, nothing is collected in another thread; afterwards the collector is as it was."""
    was_on = gc.isenabled()
    gc.disable()
    steps, timer = _Steps(), QTimer()
    timer.setInterval(STEP_MS)
    timer.timeout.connect(steps.take)
    timer.start()
    try:
        yield
    finally:
        timer.stop()
        gc.unfreeze()
        if was_on:
            gc.enable()
