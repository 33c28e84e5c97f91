"""What the engine needs of the world: an exchange for each account, and a clock. Adapters live in their own rooms."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from exengine.domain.events import Event
from exengine.domain.order import Order

Sink = Callable[[Event], Awaitable[object]]
"""Where an exchange delivers what happens by itself. The event is queued by the call; awaiting its result waits until
the engine has dealt with it and stored what followed from it."""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Epoch ms, UTC."""
        ...


class Exchange(Protocol):
    """One account on one exchange, real or paper.

    `place`, `cancel` and `find` raise `UnknownOutcome` where nobody knows what became of the order, `Retryable` where
    nothing was done and may be tried again, `Refused` for a final no and `AuthFailed` where the key is not taken, and
    return what the exchange told, in the order in which it happened.
    """

    account: str

    async def connect(self, sink: Sink) -> None:
        """Delivers the market rules and balances, and from now on what happens by itself."""
        ...

    async def place(self, order: Order) -> list[Event]: ...

    async def cancel(self, order: Order) -> list[Event]: ...

    async def find(self, order: Order) -> list[Event] | None:
        """What became of an order, asked by its client order id; None where the exchange surely never had it."""
        ...

    async def run(self) -> None:
        """Prices and own orders as they come, until cancelled. Returning or raising means that it has stopped."""
        ...

    async def close(self) -> None: ...
