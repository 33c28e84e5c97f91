"""One exchange under test: the adapter the product uses, and the books of the exchange behind it."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exengine.domain.errors import UnknownOutcome
from exengine.domain.events import Event, OrderFilled
from exengine.domain.instrument import MarketType, OrderSide
from exengine.domain.order import Order, OrderType, Role, client_order_id
from exengine.domain.settings import AccountSettings
from exengine.engine.ports import AccountReport
from exengine.exchange.live.account import LiveExchange
from exengine.exchange.live.client import Credentials
from exengine.exchange.live.client import Venue as LiveVenue
from exengine.exchange.live.profiles import PROFILES
from exengine.exchange.markets.source import SystemClock
from tests.exchange_server.faults import Faults
from tests.exchange_server.serving import Served, serve
from tests.exchange_server.venue import Venue, VenueMarket

D = Decimal
PATIENCE_S = 10.0
MARKET_IDS = {
    "binance": "BTCUSDT",
    "bybit": "BTCUSDT",
    "okx": "BTC-USDT",
    "kucoin": "BTC-USDT",
    "mexc": "BTCUSDT",
    "gate": "BTC_USDT",
}
SWAP_IDS = {"binance": "BTCUSDT.P", "bybit": "BTCUSDT", "okx": "BTC-USDT-SWAP"}
WITH_PASSPHRASE = ("okx", "kucoin")
_numbers = itertools.count(1)


class Elapsed:
    """Monotonic seconds that a test can push forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


@dataclass(kw_only=True)
class Bench:
    """What a contract test has in its hands."""

    name: str
    symbol: str
    market_id: str
    exchange: LiveExchange
    server: Served
    settings: AccountSettings
    elapsed: Elapsed
    events: list[Event] = field(default_factory=list)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def venue(self) -> Venue:
        """The exchange's own books."""
        return self.server.venue

    @property
    def faults(self) -> Faults:
        return self.server.faults

    def order(self, price: str | None = "49000", qty: str = "0.002", **changes: Any) -> Order:
        """A new order of ours; a limit buy unless `changes` say else."""
        plain: dict[str, Any] = {
            "client_id": client_order_id("contract", f"order {next(_numbers)}"),
            "group_id": "g#1",
            "account": "live",
            "symbol": self.symbol,
            "role": Role.ENTRY,
            "side": OrderSide.BUY,
            "type": OrderType.LIMIT,
            "price": None if price is None else D(price),
            "qty": D(qty),
            "created_at_ms": 1,
        }
        return Order(**plain | changes)

    def ioc(self, bound: str, qty: str = "0.002", **changes: Any) -> Order:
        """A market order with a bound."""
        return self.order(None, qty, type=OrderType.MARKET, bound=D(bound), **changes)

    def deliver(self, event: Event) -> Awaitable[object]:
        """The engine's side: what the exchange tells by itself."""
        self.events.append(event)
        self._heard.set()
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def until(self, condition: Callable[[], object]) -> None:
        """Waits until something has been told."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    def told(self, kind: type[Event], order: Order | None = None) -> list[Any]:
        """What was told by itself, of one kind, of one order."""
        found = [event for event in self.events if isinstance(event, kind)]
        return found if order is None else [event for event in found if client_id_of(event) == order.client_id]

    def fills(self, order: Order) -> list[OrderFilled]:
        return self.told(OrderFilled, order)

    async def report(self) -> AccountReport:
        report = await self.exchange.report(None)
        assert report is not None
        return report

    @property
    def place_kind(self) -> str:
        """What the server calls the request by which ccxt sends a single order."""
        return "place_many" if self.name == "okx" else "place"

    def tick(self, price: str, qty: str | None = None) -> None:
        self.venue.tick(self.market_id, D(price), None if qty is None else D(qty))


def client_id_of(event: Event) -> str | None:
    if isinstance(event, OrderFilled):
        return event.fill.client_id
    return getattr(event, "client_id", None)


def kinds(events: list[Event] | None) -> list[str]:
    return [type(event).__name__ for event in events or []]


async def found(there: Bench, order: Order) -> list[Event]:
    """What became of an order, asked as often as the exchange is not sure."""
    while True:
        try:
            return await there.exchange.find(order) or []
        except UnknownOutcome:
            await asyncio.sleep(0)


def _market(name: str, *, on_swap: bool) -> VenueMarket:
    in_hundredths = on_swap and name == "okx"
    step = D("0.01") if in_hundredths else D("0.001") if on_swap else D("0.00001")
    return VenueMarket(
        id=(SWAP_IDS if on_swap else MARKET_IDS)[name],
        base="BTC",
        quote="USDT",
        type="swap" if on_swap else "spot",
        tick=D("0.1"),
        step=step,
        min_qty=step,
        max_qty=D(9000),
        min_notional=D(1) if on_swap else D(5),
        contract_size=D("0.01") if in_hundredths else D(1),
    )


@asynccontextmanager
async def bench(
    name: str,
    *,
    market_type: MarketType = MarketType.SPOT,
    secret: str | None = None,
    streams: bool = False,
    **account: Any,
) -> AsyncIterator[Bench]:
    """A live account of `name` at a local server with 10,000 USDT and, on spot, 1 BTC; BTC at 50,000."""
    on_swap = market_type is MarketType.SWAP
    market = _market(name, on_swap=on_swap)
    balances = {"USDT": D(10000)} if on_swap else {"USDT": D(10000), "BTC": D(1)}
    venue = Venue(
        [market],
        balances,
        remembers_client_ids="ever" if name == "bybit" else "open",
        post_only="refused" if name in ("binance", "gate") else "expires",
    )
    venue.tick(market.id, D(50000))
    async with serve(name, venue) as server:
        settings = AccountSettings(name="live", exchange=name, market_type=market_type, server=server.base, **account)
        async with started(settings, server, secret=secret, streams=streams) as made:
            yield made


@asynccontextmanager
async def started(
    settings: AccountSettings, server: Served, *, secret: str | None = None, streams: bool = False
) -> AsyncIterator[Bench]:
    """A start of the program at a running server, or at the address that the settings give."""
    name, on_swap = settings.exchange, settings.market_type is MarketType.SWAP
    elapsed = Elapsed()
    exchange = LiveExchange(
        settings,
        LiveVenue(profile=PROFILES[name], market_type=settings.market_type, server=settings.server),
        Credentials(
            api_key=server.keys.api_key,
            secret=secret or server.keys.secret,
            passphrase=server.keys.passphrase if name in WITH_PASSPHRASE else None,
        ),
        SystemClock(),
        now_s=elapsed,
    )
    made = Bench(
        name=name,
        symbol="BTC/USDT:USDT" if on_swap else "BTC/USDT",
        market_id=(SWAP_IDS if on_swap else MARKET_IDS)[name],
        exchange=exchange,
        server=server,
        settings=settings,
        elapsed=elapsed,
    )
    await exchange.connect(made.deliver)
    running = asyncio.create_task(exchange.run()) if streams else None
    try:
        if streams:
            seen = asyncio.Event()
            exchange.on_seen = lambda there: seen.set() if there else None
            async with asyncio.timeout(PATIENCE_S):
                await seen.wait()
        yield made
    finally:
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await exchange.close()
