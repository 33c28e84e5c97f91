"""The real ccxt.pro client against the local Bybit: its streams, and what goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange_server.faults import Faults
from tests.exchange_server.meeting import PAIR, PERPETUAL, Meeting, met, refused

D = Decimal
OPTIONS = {"defaultType": "spot", "fetchMarkets": {"types": ["spot", "linear"]}}


@pytest.fixture
async def meeting() -> AsyncIterator[Meeting]:
    async with met("bybit", ("BTCUSDT", "BTCUSDT.P"), OPTIONS) as made:
        yield made


async def found(meeting: Meeting, client_id: str, symbol: str = PAIR) -> Any:
    """The order as the exchange's fresh memory has it, open or over; None where there is none."""
    orders = await meeting.client.fetch_open_orders(symbol, params={"orderLinkId": client_id})
    return orders[0] if orders else None


# streams -------------------------------------------------------------------------------------------------------------


async def test_orders_and_fills_come_by_stream_with_ids_and_fees(meeting: Meeting):
    orders = asyncio.create_task(meeting.client.watch_orders())
    trades = asyncio.create_task(meeting.client.watch_my_trades())
    await meeting.subscribed("order")
    await meeting.subscribed("execution")
    await meeting.place("x1")
    (fresh,) = await orders
    assert (fresh["status"], fresh["clientOrderId"], fresh["symbol"]) == ("open", "x1", PAIR)
    orders = asyncio.create_task(meeting.client.watch_orders())
    meeting.venue.tick("BTCUSDT", D(48_999))
    (filled,), (trade,) = await orders, await trades
    assert (filled["status"], filled["filled"]) == ("closed", 0.01)
    assert (trade["info"]["orderLinkId"], trade["fee"]["cost"], trade["fee"]["currency"], trade["takerOrMaker"]) == (
        "x1", 0.00001, "BTC", "maker",
    )  # fmt: skip
    assert trade["id"] == (await meeting.client.fetch_my_trades(PAIR))[0]["id"]


async def test_a_perpetuals_news_are_the_perpetuals(meeting: Meeting):
    trades = asyncio.create_task(meeting.client.watch_my_trades())
    await meeting.subscribed("execution")
    await meeting.place("x1", PERPETUAL, price=50_000.0)
    (trade,) = await trades
    assert (trade["symbol"], trade["fee"]["currency"], trade["info"]["execType"]) == (PERPETUAL, "USDT", "Trade")


async def test_balances_come_by_stream(meeting: Meeting):
    balance = asyncio.create_task(meeting.client.watch_balance())
    await meeting.subscribed("wallet")
    meeting.venue.deposit("ETH", D(2))
    assert (await balance)["ETH"]["total"] == 2


@pytest.mark.parametrize(("symbol", "market_id"), [(PAIR, "BTCUSDT"), (PERPETUAL, "BTCUSDT.P")])
async def test_prices_come_by_stream_at_once_and_then_with_each_tick(meeting: Meeting, symbol: str, market_id: str):
    first = await meeting.client.watch_tickers([symbol])
    assert first[symbol]["last"] == 50_000
    best = await meeting.client.watch_bids_asks([symbol])
    assert (best[symbol]["bid"], best[symbol]["ask"]) == (50_000, 50_000.1)
    more = asyncio.create_task(meeting.client.watch_tickers([symbol]))
    quotes = asyncio.create_task(meeting.client.watch_bids_asks([symbol]))
    await asyncio.sleep(0)
    meeting.venue.tick(market_id, D(50_100))
    assert (await more)[symbol]["last"] == 50_100
    assert (await quotes)[symbol]["ask"] == 50_100.1


async def test_a_login_with_another_secret_is_refused(meeting: Meeting):
    await meeting.client.fetch_balance()
    meeting.client.secret = "wrong"
    assert (await refused(meeting.client.watch_orders()))[0] == "AuthenticationError"


async def test_a_stream_that_is_cut_is_an_error_of_the_network_and_opens_again(meeting: Meeting):
    orders = asyncio.create_task(meeting.client.watch_orders())
    await meeting.subscribed("order")
    assert meeting.faults.cut_stream(private=True) == 1
    assert (await refused(orders))[0] == "NetworkError"
    again = asyncio.create_task(meeting.client.watch_orders())
    await meeting.subscribed("order")
    await meeting.place("x1")
    assert (await again)[0]["clientOrderId"] == "x1"


async def test_a_fill_that_is_told_twice_is_one_trade_to_ccxt(meeting: Meeting):
    trades = asyncio.create_task(meeting.client.watch_my_trades())
    await meeting.subscribed("execution")
    meeting.faults.double_stream()
    await meeting.place("x1", price=50_000.0)
    await trades
    await meeting.place("x2", price=50_000.0)
    await meeting.until(lambda: len(meeting.client.myTrades) == 2)


async def test_news_that_are_late_come_in_order(meeting: Meeting):
    orders = asyncio.create_task(meeting.client.watch_orders())
    await meeting.subscribed("order")
    meeting.faults.late_stream()
    await meeting.place("x1", price=50_000.0)
    assert not orders.done()
    meeting.faults.release_stream()
    assert (await orders)[0]["clientOrderId"] == "x1"


# faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "name", "is_there"),
    [
        (lambda faults: faults.lose_answer("place"), "ExchangeNotAvailable", True),
        (lambda faults: faults.lose_request("place"), "ExchangeNotAvailable", False),
        (lambda faults: faults.status("place", 502, done=True), "ExchangeNotAvailable", True),
        (lambda faults: faults.status("place", 502), "ExchangeNotAvailable", False),
        (lambda faults: faults.garbage("place", "{}"), "ExchangeError", True),
        (lambda faults: faults.refuse("place", 170007, "Timeout waiting for response"), "RequestTimeout", False),
        (lambda faults: faults.refuse("place", 10006, "Too many visits!"), "RateLimitExceeded", False),
        (lambda faults: faults.refuse("place", 10010, "Unmatched IP"), "PermissionDenied", False),
        (lambda faults: faults.refuse("place", 10016, "Server error."), "ExchangeError", False),
    ],
)
async def test_a_fault_is_what_ccxt_takes_it_for_and_leaves_what_it_says(
    meeting: Meeting, script: Callable[[Faults], object], name: str, is_there: bool
):
    script(meeting.faults)
    assert (await refused(meeting.place("x1")))[0] == name
    assert (await found(meeting, "x1") is not None) == is_there


async def test_a_page_in_place_of_an_answer_is_an_order_without_an_id_to_ccxt(meeting: Meeting):
    meeting.faults.garbage("place")
    assert (await meeting.place("x1"))["id"] is None
    assert (await found(meeting, "x1"))["status"] == "open"


async def test_an_order_can_be_hidden_from_those_who_ask_for_it(meeting: Meeting):
    await meeting.place("x1")
    meeting.faults.hide(2)
    assert [await found(meeting, "x1") is not None for _ in range(3)] == [False, False, True]


async def test_who_asks_too_often_is_shut_out_without_a_word_of_how_long(meeting: Meeting):
    meeting.faults.ban(meeting.venue.clock() + 600_000)
    assert (await refused(meeting.client.fetch_balance()))[0] == "RateLimitExceeded"
    meeting.faults.clear()
    assert await meeting.client.fetch_balance()
