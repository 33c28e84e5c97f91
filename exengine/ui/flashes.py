"""Which cells of a table are tinted for a moment because their value rose or fell."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from exengine.ui.one_shot import one_shot
from exengine.ui.theme import Look


class Flash(NamedTuple):
    """A cell whose number changed before the trader's eyes."""

    row: int
    """Its internal id."""
    column: int
    rose: bool


class Flashes(QObject):
    """Off with reduced motion. A flash ends in one step."""

    ended = Signal(set)
    """The cells whose flashes are over, each by the internal id of its row and its column."""

    def __init__(self, look: Look, parent: QObject) -> None:
        super().__init__(parent)
        self._look = look
        self._ends: dict[tuple[int, int], float] = {}
        self.tokens: dict[tuple[int, int], str] = {}
        """By row and column the ground of each cell that flashes."""
        self._timer = one_shot(self, self._on_timer)

    def add(self, flashes: Iterable[Flash]) -> None:
        if self._look.reduced_motion:
            return
        lasts_ms = self._look.metric("flash_ms")
        end = time.monotonic() + lasts_ms / 1000
        for row, column, rose in flashes:
            self.tokens[row, column] = "flash_up" if rose else "flash_down"
            self._ends[row, column] = end
        if self._ends and not self._timer.isActive():
            self._timer.start(lasts_ms)

    def _on_timer(self) -> None:
        now = time.monotonic()
        over = [cell for cell, end in self._ends.items() if end <= now]
        for cell in over:
            del self._ends[cell], self.tokens[cell]
        if over:
            self.ended.emit(set(over))
        if self._ends:
            self._timer.start(max(1, round((min(self._ends.values()) - now) * 1000)))
