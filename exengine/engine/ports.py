"""What the engine needs of the world: an exchange for each account, and a clock. Adapters live in their own rooms."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from exengine.domain.events import Event
from exengine.domain.instrument import Instrument
from exengine.domain.order import Order

Sink = Callable[[Event], Awaitable[object]]
"""Where an exchange delivers what happens by itself. The event is queued by the call; awaiting its result waits until
the engine has dealt with it and stored what followed from it."""

PassBy = Callable[[str, str, Decimal], bool]
"""Takes the price of an account's symbol over where nothing comes of it. False where it has to be delivered instead, as
`PriceMoved`, what it fills, and `WatchDue`."""


def delivered(account: str, symbol: str, price: Decimal) -> bool:
    """A `PassBy` that has every price delivered."""
    return False


class Clock(Protocol):
    def now_ms(self) -> int:
        """Epoch ms, UTC."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """An order that rests on an exchange, ours or not, as its list of open orders has it."""

    symbol: str
    client_id: str | None
    exchange_order_id: str
    filled_qty: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReport:
    """What an exchange says that an account has: the balances were asked for first, then the orders."""

    asked_at_ms: int
    open_orders: tuple[OpenOrder, ...]
    totals: Mapping[str, Decimal]
    """What is held in all of each currency, free or not."""
    positions: Mapping[str, Decimal]
    """On swap: unified symbol to contracts, below zero = short."""


class Exchange(Protocol):
    """One account on one exchange, real or paper.

    All that asks raises `UnknownOutcome` where nobody knows what became of the order, `Retryable` where nothing was
    done and may be tried again, `Refused` for a final no and `AuthFailed` where the key is not taken. `place`, `cancel`
    and `find` return what the exchange told, in the order in which it happened: fills before the end that they lead to.
    """

    account: str
    in_step: bool
    """Whether its market waits until everything that a price led to is done, as the paper exchange's does."""

    async def connect(self, sink: Sink, pass_by: PassBy = delivered) -> None:
        """From now on what happens by itself is delivered, prices where `pass_by` does not take them.

        Waits for nothing that needs a network.
        """
        ...

    async def rules(self) -> tuple[Instrument, ...]:
        """The market rules of everything that can be traded, asked anew."""
        ...

    async def report(self, symbols: Collection[str] | None) -> AccountReport | None:
        """Open orders of `symbols` (None = all) and balances; None where the books and the exchange are one thing."""
        ...

    async def cancel_stray(self, stray: OpenOrder) -> None:
        """Takes an order of ours off the exchange that the books do not have."""
        ...

    def doubt_streams(self) -> None:
        """Own orders that should have come by stream did not: the stream is begun anew (FAULTS 36, 37)."""
        ...

    def watch(self, symbols: Collection[str]) -> None:
        """From now on the prices of these are wanted."""
        ...

    async def place(self, order: Order) -> list[Event]: ...

    async def cancel(self, order: Order) -> list[Event]: ...

    async def find(self, order: Order) -> list[Event] | None:
        """What became of an order, asked by its client order id; None where the exchange surely does not have it."""
        ...

    async def run(self) -> None:
        """Prices and own orders as they come, until cancelled. Returning or raising means that it has stopped."""
        ...

    async def close(self) -> None: ...
