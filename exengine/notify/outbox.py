"""What waits to be sent to one place: merged when it comes in a burst, paced, and tried again when it fails."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from exengine.engine.rows import LogRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a place is written to. Seconds."""

    gather_s: float = 2.0
    """How long the first line of a burst waits for the others."""
    gap_s: float = 10.0
    """Between two messages at least: chats and mail servers refuse more."""
    again_s: float = 5.0
    """After a failure; doubled each time."""
    again_most_s: float = 600.0
    room: int = 200
    """Lines that wait at most; the oldest make room, and are counted."""


@dataclass(slots=True, kw_only=True)
class Outbox:
    """Times are of one clock that never goes back, in seconds."""

    pace: Pace = field(default_factory=Pace)
    waiting: deque[LogRow] = field(default_factory=deque)
    dropped: int = 0
    """Lines that found no room since the last message."""
    failures: int = 0
    """In a row."""
    _not_before_s: float = float("-inf")
    _first_s: float = 0.0

    def put(self, row: LogRow, now_s: float) -> None:
        if not self.waiting:
            self._first_s = now_s
        self.waiting.append(row)
        self._make_room()

    def due_s(self) -> float | None:
        """When a message may go; None while there is nothing to be told."""
        if not self.waiting:
            return None
        return max(self._first_s + self.pace.gather_s, self._not_before_s)

    def take(self) -> tuple[list[LogRow], int]:
        """All that waits, and how many were dropped before."""
        rows, dropped = list(self.waiting), self.dropped
        self.waiting.clear()
        self.dropped = 0
        return rows, dropped

    def delivered(self, now_s: float) -> bool:
        """Whether that is the end of failures."""
        had_failed, self.failures = self.failures > 0, 0
        self._not_before_s = now_s + self.pace.gap_s
        return had_failed

    def failed(self, rows: Sequence[LogRow], dropped: int, now_s: float) -> bool:
        """Takes back what was not delivered, to be tried again later and later. Whether it is the first failure."""
        self.waiting.extendleft(reversed(rows))
        self.dropped += dropped
        self._make_room()
        pause_s = min(self.pace.again_s * 2.0 ** min(self.failures, 20), self.pace.again_most_s)
        self.failures += 1
        self._not_before_s = now_s + pause_s
        return self.failures == 1

    def _make_room(self) -> None:
        while len(self.waiting) > self.pace.room:
            self.waiting.popleft()
            self.dropped += 1
