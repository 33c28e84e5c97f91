"""Stored alerts that are still to be decided: they stand back while others wait for their answers (SPEC §2.1)."""

import asyncio
from collections.abc import Collection

from exengine.domain.events import SignalArrived
from exengine.engine.item import Item

STAND_BACK_S = 0.25
"""The longest that a stored alert stands back, however many come in meanwhile."""

PASSES = 4
"""How many passes of the loop an alert that is coming in takes from its socket to the engine's queue."""


class StandingBack:
    """In the order in which they were stored."""

    def __init__(self) -> None:
        self._waiting: list[Item] = []
        self._since_s = 0.0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, one: Item) -> None:
        if not self._waiting:
            self._since_s = asyncio.get_running_loop().time()
        self._waiting.append(one)

    async def go_on(self, queue: Collection[Item]) -> list[Item]:
        """Those that may be decided now: all, once the oldest has waited long enough or nobody else comes in."""
        passes = PASSES
        while self._waiting and not self._is_late():
            if any(isinstance(item.event, SignalArrived) for item in queue):
                return []
            if not passes:
                break
            passes -= 1
            await asyncio.sleep(0)
        waiting, self._waiting = self._waiting, []
        return waiting

    def _is_late(self) -> bool:
        return asyncio.get_running_loop().time() - self._since_s >= STAND_BACK_S
