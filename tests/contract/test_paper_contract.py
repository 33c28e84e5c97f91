"""The paper exchange keeps the same promises as the six: the very same tests, on the book inside the program."""

import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from exengine.domain.events import Event, OrderFilled
from exengine.domain.instrument import Instrument, OrderSide
from exengine.domain.order import Order
from exengine.exchange.markets.source import SystemClock
from exengine.exchange.paper import PaperExchange
from exengine.exchange.paper_book import Fees, PaperBook
from tests.contract import bench as live
from tests.contract.test_exchange_contract import (
    test_a_bounded_market_order_fills_at_once_and_leaves_nothing_on_the_exchange,
    test_a_cancelled_order_is_off_the_exchange_and_told_as_cancelled,
    test_a_ladder_goes_out_together_and_every_leg_is_answered,
    test_a_plain_market_sale_is_by_the_coin,
    test_a_post_only_order_never_takes,
    test_an_order_filled_in_part_and_then_cancelled_keeps_the_part,
    test_an_order_that_fills_is_found_with_its_fills_and_fees,
    test_cancelling_what_has_filled_is_no_cancel,
    test_the_rules_are_exact,
    test_the_same_order_sent_twice_is_one_order,
    test_what_fills_at_once_is_known_without_a_stream,
)

__all__ = [
    "test_a_bounded_market_order_fills_at_once_and_leaves_nothing_on_the_exchange",
    "test_a_cancelled_order_is_off_the_exchange_and_told_as_cancelled",
    "test_a_ladder_goes_out_together_and_every_leg_is_answered",
    "test_a_plain_market_sale_is_by_the_coin",
    "test_a_post_only_order_never_takes",
    "test_an_order_filled_in_part_and_then_cancelled_keeps_the_part",
    "test_an_order_that_fills_is_found_with_its_fills_and_fees",
    "test_cancelling_what_has_filled_is_no_cancel",
    "test_the_rules_are_exact",
    "test_the_same_order_sent_twice_is_one_order",
    "test_what_fills_at_once_is_known_without_a_stream",
]

D = Decimal
BTC = Instrument(
    symbol="BTC/USDT",
    id="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size=D("0.1"),
    step_size=D("0.00001"),
    min_qty=D("0.00001"),
    min_notional=D(5),
)


@dataclass(kw_only=True)
class Books:
    """The book as the tests ask a server for its own."""

    book: PaperBook
    trades: list[OrderFilled] = field(default_factory=list)

    def open_orders(self) -> list[Order]:
        return self.book.open_orders()


@dataclass(kw_only=True)
class PaperBench:
    name: str = "paper"
    symbol: str = "BTC/USDT"
    market_id: str = "BTCUSDT"
    exchange: PaperExchange
    venue: Books
    events: list[Event] = field(default_factory=list)
    part: Decimal | None = None
    """What fills at the next tick at most."""

    def order(self, *about: Any, **changes: Any) -> Order:
        return live.Bench.order(self, *about, **changes)  # type: ignore[arg-type]

    def ioc(self, *about: Any, **changes: Any) -> Order:
        return live.Bench.ioc(self, *about, **changes)  # type: ignore[arg-type]

    def told(self, kind: type[Event], order: Order | None = None) -> list[Any]:
        return live.Bench.told(self, kind, order)  # type: ignore[arg-type]

    def tick(self, price: str, qty: str | None = None) -> None:
        """A price of the market; what it fills is told, as by a stream."""
        self.part = None if qty is None else D(qty)
        fills = list(self.venue.book.tick(self.symbol, D(price), time.time_ns() // 1_000_000))
        self.events.extend(fills)


@pytest.fixture
def there() -> PaperBench:
    bench: PaperBench

    def part(order: Order) -> Decimal | None:
        return bench.part

    book = PaperBook("live", fees=Fees(maker=D("0.001"), taker=D("0.001")), part_of_fill=part)
    book.deposit("USDT", D(10000))
    book.deposit("BTC", D(1))
    bench = PaperBench(exchange=PaperExchange(book, (BTC,), SystemClock()), venue=Books(book=book))
    bench.tick("50000")
    return bench


async def test_a_side_is_a_side_on_both(there: PaperBench):
    await there.exchange.place(there.order(side=OrderSide.SELL, price="51000"))
    (resting,) = there.venue.open_orders()
    assert resting.side is OrderSide.SELL
