"""The log's lines about answers, written when nobody waits for one: a line takes a tenth of what an alert takes."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

log = logging.getLogger(__name__)

LINE = "webhook: %d to %s, signal %d %s"

AT_THE_LATEST_S = 1.0
"""How long a line waits at most, however many alerts come in meanwhile."""
LOOK_AGAIN_S = 0.01
"""How soon it is looked again whether somebody waits."""
TOGETHER = 16
"""How many lines are written at once: who comes in then waits for them and no more."""


class _Line(NamedTuple):
    at_s: float
    """Epoch seconds."""
    told: tuple[object, ...]


class Answered:
    """What was answered, in the order in which it was, until it is in the log with the time at which it was."""

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        """`is_busy` tells whether somebody waits for an answer."""
        self._is_busy = is_busy
        self._lines: deque[_Line] = deque()
        self._looks = False

    def add(self, status: int, caller: str, signal_id: int, kind: str) -> None:
        """Has a line written, at the soonest in the loop's next pass: the answer is out by then."""
        if log.isEnabledFor(logging.INFO):
            self._lines.append(_Line(time.time(), (status, caller, signal_id, kind)))
            if not self._looks:
                self._looks = True
                asyncio.get_running_loop().call_soon(self._look)

    def write_all(self) -> None:
        """Writes what is left, at the end."""
        self._write(len(self._lines))

    def _look(self) -> None:
        late = bool(self._lines) and time.time() - self._lines[0].at_s >= AT_THE_LATEST_S
        if late or not self._is_busy():
            self._write(TOGETHER)
        self._looks = bool(self._lines)
        if self._looks:
            asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._look)

    def _write(self, count: int) -> None:
        for _ in range(min(count, len(self._lines))):
            at_s, told = self._lines.popleft()
            record = log.makeRecord(log.name, logging.INFO, __file__, 0, LINE, told, None)
            record.created, record.msecs = at_s, int(at_s % 1 * 1000)
            log.handle(record)
