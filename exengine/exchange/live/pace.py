"""How fast an exchange may be asked: its rate limit as a bucket, and a line in which the urgent go first."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from enum import IntEnum


class Urgency(IntEnum):
    """What goes first where not everything can go at once."""

    LEAVING = 0
    """Exits, stops and cancels."""
    TARGET = 1
    ENTRY = 2
    QUESTION = 3
    """What became of an order."""
    ROUTINE = 4
    """Balances, open orders, prices, rules."""


class Pace:
    """A bucket that fills by the exchange's own rate; each question takes what it weighs out of it.

    Lives on one event loop. A question that finds the bucket empty waits in line, by urgency and then by age.
    """

    def __init__(
        self,
        *,
        unit_ms: float,
        burst: float,
        now_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`unit_ms` is the time in which one unit of weight comes in, `burst` how many the bucket holds."""
        self._unit_s = unit_ms / 1000
        self._burst = burst
        self._now_s = now_s
        self._sleep = sleep
        self._there = burst
        self._at_s = now_s()
        self._quiet_until_s = 0.0
        self._line: list[tuple[int, int, float, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._serving: asyncio.Task[None] | None = None

    def be_quiet(self, seconds: float) -> None:
        """The exchange wants to be left alone for so long: nothing at all is sent until then."""
        self._quiet_until_s = max(self._quiet_until_s, self._now_s() + seconds)
        self._there = min(self._there, 1.0)

    @property
    def quiet_for_s(self) -> float:
        """How long it still has to be left alone; 0 = not at all."""
        return max(0.0, self._quiet_until_s - self._now_s())

    @property
    def used(self) -> float:
        """How much of the bucket is used at the moment, 0 to 1."""
        there = min(self._burst, self._there + (self._now_s() - self._at_s) / self._unit_s)
        return 1.0 - max(there, 0.0) / self._burst

    async def take(self, weight: float, urgency: Urgency) -> None:
        """Waits until a question of this weight may be sent."""
        if not self._line and self._serving is None and self._may_go(weight):
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._line, (urgency, next(self._numbers), weight, place))
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve(), name="rate limit")
        await place

    def _may_go(self, weight: float) -> bool:
        """Takes the weight out of the bucket where that may be; a heavier one than it ever holds may empty it."""
        now_s = self._now_s()
        self._there = min(self._burst, self._there + (now_s - self._at_s) / self._unit_s)
        self._at_s = now_s
        if self.quiet_for_s or self._there < min(weight, self._burst):
            return False
        self._there -= weight
        return True

    async def _serve(self) -> None:
        try:
            while self._line:
                _, _, weight, place = self._line[0]
                if place.done():  # who asked has gone
                    heapq.heappop(self._line)
                elif self._may_go(weight):
                    heapq.heappop(self._line)
                    place.set_result(None)
                else:
                    lacking = min(weight, self._burst) - self._there
                    await self._sleep(max(self.quiet_for_s, lacking * self._unit_s, 0.001))
        finally:
            self._serving = None
