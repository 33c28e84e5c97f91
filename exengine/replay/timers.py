"""When a replay looks at queue and risk: at the first event's time plus one, two, … periods (SPEC §11)."""

from exengine.domain.settings import Settings


class Rings:
    """One timer's rings, numbered from 1."""

    def __init__(self, first_ms: int, period_ms: int) -> None:
        self._first_ms = first_ms
        self.period_ms = period_ms
        self.next = 1
        """The first ring that is still to come."""

    def at_ms(self, number: int) -> int:
        return self._first_ms + number * self.period_ms

    @property
    def next_ms(self) -> int:
        return self.at_ms(self.next)

    def first_from(self, at_ms: int) -> int:
        """The first ring at `at_ms` or later that is still to come."""
        return max(self.next, -(-(at_ms - self._first_ms) // self.period_ms))

    def skip_before(self, at_ms: int) -> None:
        """Leaves out all rings before `at_ms`."""
        self.next = self.first_from(at_ms)


class Timers:
    """Both timers of a replay."""

    def __init__(self, settings: Settings, first_ms: int) -> None:
        self.queue = Rings(first_ms, settings.queue.evaluate_seconds * 1000)
        self.risk = Rings(first_ms, settings.risk.evaluate_seconds * 1000)

    def skip_before(self, at_ms: int) -> None:
        """Leaves out all rings before `at_ms`."""
        self.queue.skip_before(at_ms)
        self.risk.skip_before(at_ms)
