"""Stored alerts that are still to be decided: they stand back while others wait for their answers (SPEC §2.1)."""

import asyncio
from collections import deque
from collections.abc import Collection

from exengine.domain.events import SignalArrived
from exengine.engine.gathering import FEW
from exengine.engine.item import Item

STAND_BACK_S = 1.0
"""The longest that a stored alert stands back, however many come in meanwhile: a third of what a sender waits."""

TOGETHER = 16
"""How many go on at once where nobody waits: who comes in then waits for them and no more."""

PASSES = 4
"""How many passes of the loop an alert that is coming in takes from its socket to the engine's queue."""

QUIET_S = 0.005
"""A burst is over when nobody has come in for so long: who has just been answered may send the next one."""


class StandingBack:
    """In the order in which they were stored."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Item]] = deque()
        """Each with when it began to."""

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, one: Item) -> None:
        self._waiting.append((_now_s(), one))

    async def go_on(self, queue: Collection[Item]) -> list[Item]:
        """Those that may be decided now: some where nobody else comes in, and each that has waited long enough."""
        for left in reversed(range(PASSES + 1)):
            if not self._waiting or self._is_late() or any(isinstance(item.event, SignalArrived) for item in queue):
                return self._first(0)
            if left:
                await asyncio.sleep(0)
        while self._is_burst():
            if queue:
                return []
            await asyncio.sleep(QUIET_S / 5)
        return self._first(TOGETHER)

    def _is_burst(self) -> bool:
        return len(self._waiting) > FEW and _now_s() - self._waiting[-1][0] < QUIET_S and not self._is_late()

    def _first(self, count: int) -> list[Item]:
        """The first `count`, and whoever is late."""
        found: list[Item] = []
        while self._waiting and (len(found) < count or self._is_late()):
            found.append(self._waiting.popleft()[1])
        return found

    def _is_late(self) -> bool:
        return _now_s() - self._waiting[0][0] >= STAND_BACK_S


def _now_s() -> float:
    return asyncio.get_running_loop().time()
