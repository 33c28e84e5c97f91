"""News that nothing waits for, that orders were sent: told with the first answer, and stored in its transaction.

A transaction of their own would be made just while the orders are signed, and hold up what the alert was for. That an
order may have been sent is known from its being stored (SPEC §10), whatever is told of it afterwards.
"""

import asyncio
from collections.abc import Callable

from exengine.domain.events import Event, OrderNews, OrderSent
from exengine.engine.item import Item

AT_THE_LATEST_S = 0.02
"""After so long it is told alone: where an exchange takes its time, the window shows the orders as sent."""


class SentOrders:
    """In the order in which they were sent."""

    def __init__(self, tell: Callable[[], None]) -> None:
        """`tell` is called when they have waited long enough."""
        self._tell = tell
        self._waiting: list[Item] = []
        self._timer: asyncio.TimerHandle | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def keeps(self, item: Item) -> bool:
        """Whether it is such news: then it is kept here."""
        if not isinstance(item.event, OrderSent):
            return False
        self._waiting.append(item)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(AT_THE_LATEST_S, self._tell)
        return True

    def before(self, event: Event) -> list[Item]:
        """What has to be told before `event`: nothing, where it is no news of orders."""
        return self.take() if self._waiting and isinstance(event, OrderNews) else []

    def take(self) -> list[Item]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        return waiting
