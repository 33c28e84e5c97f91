"""The paper account behind the exchange's protocol: what it answers, and how it tells a tick."""

import asyncio
from decimal import Decimal

import pytest

from exengine.domain.errors import Refused
from exengine.domain.events import Event, InstrumentsLoaded, OrderAccepted, OrderFilled, PriceMoved, WatchDue
from exengine.domain.order import Order, OrderSide, OrderType, Role
from exengine.exchange import paper
from exengine.exchange.paper import PaperExchange, PaperFloor
from exengine.exchange.paper_book import PaperBook
from tests.helpers.engine import StandingClock
from tests.helpers.world import BTC, BTC_PERPETUAL, ETH, NO_FEES


class Told:
    """A sink that keeps what it is told, and notes when the engine was waited for."""

    def __init__(self) -> None:
        self.events: list[Event | str] = []

    async def __call__(self, event: Event) -> None:
        self.events.append(event)

    async def settled(self) -> None:
        self.events.append("settled")

    @property
    def kinds(self) -> list[str]:
        return [one if isinstance(one, str) else type(one).__name__ for one in self.events]


async def connected(name: str = "paper", *, latency_ms: int = 0, instruments=(BTC, ETH)) -> tuple[PaperExchange, Told]:
    book = PaperBook(name, fees=NO_FEES)
    book.deposit("USDT", Decimal(10_000))
    exchange, told = PaperExchange(book, instruments, StandingClock(), latency_ms=latency_ms), Told()
    await exchange.connect(told)
    return exchange, told


def buy(client_id: str, price: str | None = "49000") -> Order:
    return Order(
        client_id=client_id,
        group_id="paper|BTC/USDT|15m#1",
        account="paper",
        symbol="BTC/USDT",
        role=Role.ENTRY,
        side=OrderSide.BUY,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        price=None if price is None else Decimal(price),
        qty=Decimal("0.01"),
        created_at_ms=0,
    )


async def test_it_tells_its_rules_when_it_is_connected():
    _, told = await connected()
    assert told.events == [InstrumentsLoaded(account="paper", instruments=(BTC, ETH))]


async def test_a_tick_is_a_price_then_each_fill_answered_for_itself_then_the_watch():
    exchange, told = await connected()
    for client_id in ("a", "b"):
        await exchange.place(buy(client_id))
    told.events.clear()
    await exchange.on_price("BTC/USDT", Decimal(48000), told.settled)
    kinds = told.kinds
    assert kinds[0] == "PriceMoved"
    first, second = (place for place, kind in enumerate(kinds) if kind == "OrderFilled")
    assert "settled" in kinds[first:second]
    assert kinds.index("WatchDue") > second
    assert [one.fill.client_id for one in told.events if isinstance(one, OrderFilled)] == ["a", "b"]


async def test_a_price_that_fills_nothing_passes_by_where_the_engine_takes_it_and_moves_the_book():
    exchange, told = await connected()
    taken: list[tuple[str, str, Decimal]] = []

    def take(account: str, symbol: str, price: Decimal) -> bool:
        taken.append((account, symbol, price))
        return price > 49500

    await exchange.connect(told, take)
    await exchange.place(buy("a"))
    told.events.clear()
    for price in (50000, 49400, 48900):
        await exchange.on_price("BTC/USDT", Decimal(price), told.settled)
    assert taken == [("paper", "BTC/USDT", Decimal(50000)), ("paper", "BTC/USDT", Decimal(49400))]
    assert told.kinds == [
        "PriceMoved",
        "WatchDue",
        "settled",
        "PriceMoved",
        "OrderFilled",
        "settled",
        "WatchDue",
        "settled",
    ]
    await exchange.on_price("BTC/USDT", Decimal(49800), told.settled)
    _, filled = await exchange.place(buy("b", None))
    assert isinstance(filled, OrderFilled)
    assert filled.fill.price == 49800


async def test_what_is_not_in_the_book_cannot_be_cancelled_and_is_refused():
    exchange, _ = await connected()
    await exchange.on_price("BTC/USDT", Decimal(50000), Told().settled)
    await exchange.place(buy("filled", None))
    for client_id in ("filled", "never arrived"):
        with pytest.raises(Refused, match="no open order"):
            await exchange.cancel(buy(client_id))


async def test_an_order_that_arrived_is_found_and_one_that_never_did_is_surely_absent():
    exchange, _ = await connected()
    await exchange.place(buy("there"))
    assert await exchange.find(buy("there")) == [OrderAccepted(client_id="there", exchange_order_id="there")]
    assert await exchange.find(buy("absent")) is None


async def test_an_order_travels_as_long_as_the_latency_and_meets_the_price_that_is_there_then(monkeypatch):
    arrived, slept = asyncio.Event(), []

    async def travel(seconds: float) -> None:
        slept.append(seconds)
        await arrived.wait()

    exchange, told = await connected(latency_ms=250)
    await exchange.on_price("BTC/USDT", Decimal(50000), told.settled)
    monkeypatch.setattr(paper.asyncio, "sleep", travel)
    placing = asyncio.create_task(exchange.place(buy("a", None)))
    await exchange.on_price("BTC/USDT", Decimal(51000), told.settled)
    arrived.set()
    _, filled = await placing
    assert isinstance(filled, OrderFilled)
    assert filled.fill.price == 51000
    assert slept == [0.25]
    assert "settled" not in told.kinds


async def test_a_price_goes_to_every_account_that_trades_the_symbol_and_to_no_other():
    spot, told_spot = await connected("spot")
    swap, told_swap = await connected("swap", instruments=(BTC_PERPETUAL,))
    floor = PaperFloor(Told().settled)
    floor.admit([spot, swap])
    await floor.sink("BTC/USDT", Decimal(50000))
    await floor.sink("DOGE/USDT", Decimal(1))
    assert told_spot.events[1:] == [
        PriceMoved(account="spot", symbol="BTC/USDT", price=Decimal(50000)),
        WatchDue(account="spot", symbol="BTC/USDT"),
    ]
    assert told_swap.kinds == ["InstrumentsLoaded"]
