"""Which cells of a table are tinted for a moment because their value rose or fell."""

import time

from PySide6.QtCore import QObject, QTimer, Signal

from exengine.ui.theme import Look


class Flashes(QObject):
    """Off with reduced motion. A flash ends in one step."""

    ended = Signal(set)
    """The rows whose flashes are over, by internal id."""

    def __init__(self, look: Look, parent: QObject) -> None:
        super().__init__(parent)
        self._look = look
        self._ends: dict[tuple[int, int], float] = {}
        self.tokens: dict[tuple[int, int], str] = {}
        """By row and column the ground of each cell that flashes."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timer)

    def add(self, row: int, column: int, rose: bool) -> None:
        if self._look.reduced_motion:
            return
        lasts_ms = self._look.metric("flash_ms")
        self.tokens[row, column] = "flash_up" if rose else "flash_down"
        self._ends[row, column] = time.monotonic() + lasts_ms / 1000
        if not self._timer.isActive():
            self._timer.start(lasts_ms)

    def _on_timer(self) -> None:
        now = time.monotonic()
        over = [cell for cell, end in self._ends.items() if end <= now]
        for cell in over:
            del self._ends[cell], self.tokens[cell]
        if over:
            self.ended.emit({row for row, _ in over})
        if self._ends:
            self._timer.start(max(1, round((min(self._ends.values()) - now) * 1000)))
