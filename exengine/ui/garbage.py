"""Cyclic garbage is collected in the window's thread alone.

Python collects in whichever thread happens to make the next object: the store's, a notification's, a paper market's.
Where what it finds there is a widget that was let go of, Qt's objects are destroyed beside the thread that paints them,
and the program dies. So the collector is switched off, and does its work here in small steps.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QTimer

STEP_MS = 200
"""How often the youngest are looked at: few enough each time that nobody sees it."""
OLD_S = 600.0
"""How often what has come since the last such look is looked at."""
ALL_S = 6 * 3600.0
"""How often everything is: with two hundred groups that holds the window up for a quarter of a second."""


class Steps:
    """One look at the counters; each generation as Python itself would, the oldest by the clock, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._old_at = self._all_at = clock()

    def take(self) -> None:
        young, middle, old = gc.get_count()
        limit_young, limit_middle, limit_old = gc.get_threshold()
        now = self._clock()
        if old > limit_old and now - self._old_at > OLD_S:
            self._old_at = now
            if now - self._all_at > ALL_S:
                self._all_at = now
                gc.unfreeze()
            pass_over_what_is_there()
        elif middle > limit_middle:
            gc.collect(1)
        elif young > limit_young:
            gc.collect(0)


def pass_over_what_is_there() -> None:
    """Keeps what there is out of later collections: it stays for long, and is most of what they would look at."""
    gc.collect()  # what is garbage by now would not be found again
    gc.freeze()


@contextmanager
def collected_here() -> Iterator[None]:
    """Within it, nothing is collected in another thread; afterwards the collector is as it was."""
    was_on = gc.isenabled()
    gc.disable()
    steps, timer = Steps(), QTimer()
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
