"""The real ccxt client at a local exchange, as a test holds it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from exengine.exchange.ccxt_rounding import keep_rounding_apart
from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Keys
from tests.exchange_server.serving import new_venue, serve
from tests.exchange_server.venue import Venue

PATIENCE_S = 20.0
OURS = "xA1b2C3d4E5f6G7h8I9j0K1l2M"
"""A client order id as the program makes them: 26 letters and digits."""


@dataclass(kw_only=True)
class Client:
    """BTC stands at 50,000; there are 10,000 USDT and 1 BTC."""

    api: Any
    ccxt: Any
    venue: Venue
    faults: Faults
    keys: Keys
    front: Any

    async def buy(self, amount: str = "0.01", price: str = "49000", client_id: str = OURS, **params: Any) -> Any:
        """A limit order."""
        ours = {"clientOrderId": client_id} | params
        return await self.api.create_order("BTC/USDT", "limit", "buy", amount, price, ours)

    async def sell(self, amount: str = "0.01", client_id: str = OURS) -> Any:
        """At the market."""
        return await self.api.create_order("BTC/USDT", "market", "sell", amount, None, {"clientOrderId": client_id})

    async def find(self, client_id: str = OURS) -> Any:
        return await self.api.fetch_order(None, "BTC/USDT", {"clientOrderId": client_id})

    async def refused(self, doing: Awaitable[Any]) -> tuple[str, str]:
        """ccxt's name of what was raised, and what the exchange said."""
        try:
            await doing
        except self.ccxt.BaseError as error:
            return type(error).__name__, str(error)
        raise AssertionError("it was not refused")

    def tick(self, price: str, qty: str | None = None) -> None:
        self.venue.tick(self.market_id, Decimal(price), None if qty is None else Decimal(qty))

    @property
    def market_id(self) -> str:
        return next(iter(self.venue.markets))

    def asked(self, kind: str) -> list[str]:
        """The paths of all requests of one kind."""
        return [ask.path for ask in self.faults.asked if ask.kind == kind]

    async def watching(self, *watched: Awaitable[Any], topics: int) -> list["asyncio.Task[Any]"]:
        """Starts to watch, and comes back when the exchange has `topics` subscriptions in all."""
        tasks = [asyncio.ensure_future(each) for each in watched]
        await self.until(lambda: sum(map(subscriptions, self.front.sessions.values())) >= topics)
        return tasks

    @staticmethod
    async def until(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 -- what it waits for is the server's inside
                await asyncio.sleep(0)


def subscriptions(session: Any) -> int:
    return len(session.topics if hasattr(session, "topics") else session.channels)


async def soon(watched: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(watched, PATIENCE_S)


def told(items: list[Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(item[name] for name in names) for item in items]


@asynccontextmanager
async def client_of(
    name: str, *, keys: Keys | None = None, secret: str | None = None, **over: Any
) -> AsyncIterator[Client]:
    """`over`: arguments of Venue. Markets are loaded, and what that asked for is forgotten."""
    import ccxt.pro

    venue = new_venue(name, **{"balances": {"USDT": Decimal(10_000), "BTC": Decimal(1)}} | over)
    venue.tick(next(iter(venue.markets)), Decimal(50_000))
    async with serve(name, venue, keys=keys) as served:
        session = served.session()
        api = getattr(ccxt.pro, name)(
            {
                "apiKey": served.keys.api_key,
                "secret": secret or served.keys.secret,
                "password": served.keys.passphrase,
                "session": session,
                "enableRateLimit": False,
                "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
            }
        )
        keep_rounding_apart(api)
        client = Client(api=api, ccxt=ccxt.pro, venue=venue, faults=served.faults, keys=served.keys, front=served.front)
        try:
            yield client
        finally:
            await api.close()
            await session.close()
