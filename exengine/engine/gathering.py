"""Alerts that come in together are stored together: each transaction costs a sync of the disk and a thread's turn."""

import asyncio
from collections.abc import Collection

from exengine.domain.events import SignalArrived
from exengine.engine.item import Item

FEW = 4
"""So many senders at once are no burst yet: nobody waits for another."""
ENOUGH = 32
"""So many alerts are worth a transaction, however many more there are to come."""

AT_MOST_S = 0.003
"""The longest that the first of some alerts waits for the others: a thousandth of what a sender waits."""
LOOK_AGAIN_S = 0.0002


class Gathering:
    """In a burst, waits for the next alerts of those who have just been answered, and of nobody else."""

    def __init__(self) -> None:
        self._senders = 0

    def answered(self, count: int, waiting: int) -> None:
        """Told how many alerts a transaction has answered, and how many events wait for the next."""
        self._senders = count + waiting if count else 0

    async def wait(self, queue: Collection[Item]) -> None:
        """Returns when there is an alert of each, or enough, or anything else: that waits for nobody."""
        wanted = min(self._senders, ENOUGH) if self._senders > FEW else 0
        loop = asyncio.get_running_loop()
        until_s = loop.time() + AT_MOST_S
        while 0 < len(queue) < wanted and loop.time() < until_s:
            if not all(isinstance(item.event, SignalArrived) for item in queue):
                return
            await asyncio.sleep(LOOK_AGAIN_S)
