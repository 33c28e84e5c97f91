"""The real ccxt.pro client and a local exchange, brought together for a test."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from exengine.exchange.ccxt_rounding import keep_rounding_apart
from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Keys
from tests.exchange_server.serving import Served, new_venue, serve
from tests.exchange_server.venue import Venue

PAIR, PERPETUAL = "BTC/USDT", "BTC/USDT:USDT"
HOUR_MS = 3_600_000
PATIENCE_S = 20


class Clock:
    """The exchange's clock: as fast as ours, and where a test puts it."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


@dataclass(slots=True, kw_only=True)
class Meeting:
    """ccxt's client, and the exchange that it talks to: 10,000 USDT and 1 BTC there, BTC at 50,000."""

    client: Any
    served: Served
    clock: Clock

    @property
    def venue(self) -> Venue:
        return self.served.venue

    @property
    def faults(self) -> Faults:
        return self.served.faults

    async def place(self, client_id: str, symbol: str = PAIR, **changes: Any) -> Any:
        """A limit buy of 0.01 at 49,000 unless `changes` say else."""
        plain: dict[str, Any] = {"type": "limit", "side": "buy", "amount": 0.01, "price": 49_000.0} | changes
        params = {"clientOrderId": client_id, **plain.pop("params", {})}
        return await self.client.create_order(symbol, **plain, params=params)

    async def until(self, condition: Callable[[], object]) -> None:
        """Both ends live on this loop: each pass of it brings news nearer."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0)

    async def subscribed(self, topic: str) -> None:
        """Until some stream has a topic with this in its name."""
        await self.until(lambda: any(topic in name for stream in self.faults.streams for name in stream.topics))


@asynccontextmanager
async def met(
    name: str, market_ids: tuple[str, ...], options: Mapping[str, Any], **over: Any
) -> AsyncIterator[Meeting]:
    """`options` are ccxt's; `over` the venue's."""
    import ccxt.pro

    clock, keys = Clock(), Keys()
    venue = new_venue(name, balances={"USDT": Decimal(10_000), "BTC": Decimal(1)}, clock=clock, **over)
    for market_id in market_ids:
        venue.tick(market_id, Decimal(50_000))
    async with serve(name, venue, keys=keys) as served:
        session = served.session()
        known = {"apiKey": keys.api_key, "secret": keys.secret, "password": keys.passphrase}
        client = getattr(ccxt.pro, name)({**known, "session": session, "enableRateLimit": False, "options": options})
        keep_rounding_apart(client)
        client.timeout_on_exit = 0
        client.has["fetchCurrencies"] = False
        try:
            await client.load_markets()
            yield Meeting(client=client, served=served, clock=clock)
        finally:
            await client.close()
            await session.close()


async def refused(asked: Any) -> tuple[str, str]:
    """The name of ccxt's error, and the exchange's own words in it."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        await asked
    return type(caught.value).__name__, str(caught.value)
