"""What every price source offers, so that the paper exchange need not know where its prices come from."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import NamedTuple, Protocol

from exengine.domain.instrument import Instrument

Sink = Callable[[str, Decimal], Awaitable[None]]
"""Takes a unified symbol and its new price. Awaiting it waits until the engine has dealt with the price."""


class Tick(NamedTuple):
    """One price. A plain tuple: a day of a market is a million of them."""

    at_ms: int
    """In the market's own time."""
    symbol: str
    price: Decimal


class MarketClock(Protocol):
    """The time by which prices are handed out."""

    def now_ms(self) -> int:
        """Epoch ms, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that only ever go forward, whatever is done to the machine's clock."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class PriceSource(Protocol):
    """A market that prices come from."""

    @property
    def description(self) -> str:
        """In words for the status line: what it is and, where it has a time of its own, how far it is."""
        ...

    @property
    def position_ms(self) -> int:
        """Where the market stands in its own time: every tick up to then has been handed out."""
        ...

    async def instruments(self) -> tuple[Instrument, ...]:
        """What is traded here, by symbol. Raises UserError, or Retryable where a network does not answer."""
        ...

    def watch(self, symbols: Iterable[str]) -> None:
        """From now on only these are handed out; what is new among them gets its last price at once.

        Until it is called, a market with a time of its own hands out everything, and a public feed nothing.
        """
        ...

    def start_at(self, position_ms: int) -> None:
        """Goes on from there when `run` is called next. A public feed has no choice and ignores it."""
        ...

    async def run(self, sink: Sink) -> None:
        """Hands prices out as time goes by, one at a time, until cancelled.

        Every watched symbol's last price comes first, so that there is one at once after a restart. The sink is
        awaited: a slow engine slows the market, nothing piles up. Raises Retryable where a network stays away; it may
        be called again then, and goes on.
        """
        ...

    async def close(self) -> None:
        """Lets go of files, threads and connections."""
        ...
