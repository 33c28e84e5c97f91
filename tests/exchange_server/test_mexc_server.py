"""ccxt's own MEXC client at the local MEXC: what it asks, what it is told, and how it takes errors."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange_server.ccxt_client import OURS, Client, client_of, soon, told
from tests.exchange_server.protobuf_out import message

D = Decimal


@pytest.fixture
async def there() -> AsyncIterator[Client]:
    async with client_of("mexc") as client:
        await client.api.load_markets()
        client.faults.asked.clear()
        yield client


def said(code: int, text: str) -> str:
    return "mexc " + json.dumps({"code": code, "msg": text, "_extend": None}, separators=(",", ":"))


async def test_the_markets_have_their_steps_minimums_and_fees(there: Client):
    market = there.api.market("BTC/USDT")
    assert (str(market["precision"]["price"]), str(market["precision"]["amount"])) == ("0.01", "1e-08")
    assert (market["limits"]["cost"]["min"], market["limits"]["amount"]["min"]) == (1, 0.000001)
    assert (market["maker"], market["taker"], market["active"]) == (0, 0.0005, True)


async def test_contracts_are_asked_for_too_whatever_types_are_wanted():
    async with client_of("mexc") as client:
        await client.api.load_markets()
        paths = [ask.path for ask in client.faults.asked]
    assert paths == ["/api/v3/capital/config/getall", "/api/v3/exchangeInfo", "/api/v1/contract/detail"]


async def test_the_balance_says_what_orders_hold(there: Client):
    await there.buy("0.1", "49000")
    balance = await there.api.fetch_balance()
    assert (balance["USDT"]["free"], balance["USDT"]["used"], balance["BTC"]["total"]) == (5100, 4900, 1)


async def test_a_new_order_is_acknowledged_without_status_and_without_client_id(there: Client):
    order = await there.buy()
    assert (order["clientOrderId"], order["status"], order["filled"]) == (None, None, None)
    assert there.venue.orders[order["id"]].client_id == OURS


async def test_an_order_is_found_by_its_client_id_open_and_after(there: Client):
    await there.buy()
    there.tick("48999")
    found = await there.find()
    assert (found["clientOrderId"], found["status"], found["filled"], found["fee"]) == (OURS, "closed", 0.01, None)


async def test_partly_filled_then_cancelled_is_cancelled_with_what_it_filled(there: Client):
    await there.buy()
    there.tick("48999", "0.004")
    cancelled = await there.api.cancel_order(None, "BTC/USDT", {"clientOrderId": OURS})
    assert (cancelled["status"], cancelled["filled"]) == ("canceled", 0.004)
    assert (await there.find())["info"]["status"] == "PARTIALLY_CANCELED"


async def test_open_and_closed_orders_and_trades_are_told_by_symbol(there: Client):
    await there.buy("0.01", "49000", "x1")
    await there.buy("0.01", "50000", "x2")
    assert told(await there.api.fetch_open_orders("BTC/USDT"), "clientOrderId") == [("x1",)]
    known = told(await there.api.fetch_closed_orders("BTC/USDT"), "clientOrderId", "status")
    assert known == [("x1", "open"), ("x2", "closed")]  # ccxt asks for all, and keeps all
    (trade,) = await there.api.fetch_my_trades("BTC/USDT")
    assert (trade["fee"], trade["takerOrMaker"]) == ({"cost": 0.25, "currency": "USDT"}, "taker")
    assert trade["info"]["clientOrderId"] == "x2"
    (same,) = await there.api.fetch_order_trades(trade["order"], "BTC/USDT")
    assert same["id"] == trade["id"]


async def test_open_orders_want_a_symbol(there: Client):
    name, text = await there.refused(there.api.fetch_open_orders())
    assert (name, '"code":700004' in text) == ("BadRequest", True)


async def test_a_market_sale_is_by_the_coin(there: Client):
    await there.sell("0.01")
    assert (there.venue.amounts("BTC")[0], there.venue.amounts("USDT")[0]) == (D("0.99"), D("10499.75"))


async def test_what_an_ioc_cannot_fill_is_cancelled(there: Client):
    there.venue.liquidity[there.market_id] = D("0.004")
    await there.buy("0.01", "50000", timeInForce="IOC")
    found = await there.find()
    assert (found["status"], found["filled"], found["timeInForce"]) == ("canceled", 0.004, "IOC")


async def test_a_post_only_order_that_would_match_is_taken_and_cancelled(there: Client):
    await there.buy("0.01", "50000", postOnly=True)
    found = await there.find()
    assert (found["status"], found["timeInForce"], there.venue.trades) == ("canceled", "POST_ONLY", [])


async def test_a_batch_answers_each_order_and_names_the_refused_by_client_id(there: Client):
    orders = [
        {"symbol": "BTC/USDT", "type": "limit", "side": "buy", "amount": amount, "price": "40000"}
        | {"params": {"clientOrderId": client_id}}
        for client_id, amount in (("x1", "0.01"), ("x2", "5"), ("x3", "0.02"))
    ]
    answers = {row["info"]["newClientOrderId"]: row["status"] for row in await there.api.create_orders(orders)}
    assert answers == {"x1": None, "x2": "rejected", "x3": None}
    assert [order.client_id for order in there.venue.open_orders()] == ["x1", "x3"]


async def test_too_little_money_has_two_codes(there: Client):
    assert await there.refused(there.buy("5")) == ("InsufficientFunds", said(30004, "Insufficient position"))
    assert await there.refused(there.sell("2")) == ("InsufficientFunds", said(30005, "Oversold"))


async def test_under_the_minimum_and_off_the_step_are_refused(there: Client):
    name, text = await there.refused(there.buy("0.00001"))
    assert (name, '"code":30002' in text) == ("InvalidOrder", True)
    there.venue.change_rules(replace(there.venue.markets[there.market_id], step=D("0.001"), tick=D("1")))
    assert await there.refused(there.buy("0.0015")) == ("BadRequest", said(400, "quantity scale is invalid"))
    assert await there.refused(there.buy("0.01", "49000.5")) == ("BadRequest", said(400, "price scale is invalid"))


async def test_a_client_id_is_taken_while_its_order_is_open(there: Client):
    await there.buy()
    assert (await there.refused(there.buy()))[0] == "ExchangeError"
    assert len(there.venue.open_orders()) == 1


async def test_a_halted_symbol_takes_no_orders(there: Client):
    there.venue.halt(there.market_id)
    assert await there.refused(there.buy()) == ("InvalidOrder", said(30016, "trading disabled"))


async def test_what_is_not_there_is_no_order_not_found_in_ccxt(there: Client):
    """-2013 is unknown to ccxt 4.5.90, and -2011 a BadRequest: the code has to be read."""
    assert await there.refused(there.find()) == ("ExchangeError", said(-2013, "Order does not exist."))
    gone = there.api.cancel_order(None, "BTC/USDT", {"clientOrderId": OURS})
    assert await there.refused(gone) == ("BadRequest", said(-2011, "Unknown order sent."))


async def test_a_wrong_secret_is_refused_for_its_signature():
    async with client_of("mexc", secret="wrong") as there:
        wrong = said(700002, "Signature for this request is not valid.")
        assert await there.refused(there.api.spotPrivateGetAccount()) == ("AuthenticationError", wrong)


async def test_a_clock_that_is_off_is_refused(there: Client):
    there.faults.clock_skew_ms = 6_000
    late = said(700003, "Timestamp for this request is outside of the recvWindow.")
    assert await there.refused(there.buy()) == ("InvalidNonce", late)
    await there.api.load_time_difference()
    assert (await there.buy())["id"]


async def test_a_recv_window_is_at_most_a_minute(there: Client):
    there.api.options["recvWindow"] = 60_001
    assert (await there.refused(there.find()))[0] == "InvalidNonce"


async def test_the_account_says_what_the_key_may_do(there: Client):
    there.keys.may_withdraw = True
    answer = await there.api.spotPrivateGetAccount()
    assert (answer["canTrade"], answer["canWithdraw"]) == (True, True)
    there.keys.may_trade = False
    assert (await there.refused(there.buy()))[0] == "AuthenticationError"
    there.keys.revoked = True
    assert (await there.refused(there.find()))[1] == said(10072, "Api key info invalid")


async def test_an_answer_that_is_lost_leaves_the_order(there: Client):
    there.faults.lose_answer("place")
    assert (await there.refused(there.buy()))[0] in {"NetworkError", "ExchangeNotAvailable", "RequestTimeout"}
    assert (await there.find())["status"] == "open"


async def test_too_many_requests_say_how_long_to_wait(there: Client):
    there.faults.ban(there.venue.clock() + 7_000)
    name, text = await there.refused(there.find())
    assert (name, text) == ("RateLimitExceeded", 'mexc {"code":429,"msg":"Too Many Requests"}')
    assert there.api.last_response_headers["Retry-After"] == "7"


async def test_a_hidden_order_is_not_found_and_then_is(there: Client):
    await there.buy()
    there.faults.hide(1)
    assert (await there.refused(there.find()))[1] == said(-2013, "Order does not exist.")
    assert (await there.find())["status"] == "open"


async def test_orders_and_deals_come_by_stream_with_client_id_and_fee(there: Client):
    orders, trades = await there.watching(there.api.watch_orders(), there.api.watch_my_trades(), topics=2)
    await there.buy("0.01", "50000")
    (trade,) = await soon(trades)
    assert (trade["info"]["clientOrderId"], trade["price"]) == (OURS, 50000)
    assert trade["fee"] == {"cost": 0.25, "currency": "USDT"}
    assert told(await soon(orders), "clientOrderId", "amount")[-1] == (OURS, 0.01)


async def test_a_makers_deal_is_called_a_takers_by_ccxt(there: Client):
    (trades,) = await there.watching(there.api.watch_my_trades(), topics=1)
    await there.buy()
    there.tick("48999")
    (trade,) = await soon(trades)
    assert (trade["takerOrMaker"], trade["info"]["isMaker"]) == ("taker", True)


async def test_a_cancelled_part_is_closed_in_the_stream_and_cancelled_over_rest(there: Client):
    ended: list[Any] = []

    async def watch() -> None:
        while not ended or ended[-1][0] != "closed":
            ended.extend(told(await there.api.watch_orders(), "status", "filled"))

    (watching,) = await there.watching(watch(), topics=1)
    await there.buy()
    there.tick("48999", "0.004")
    await there.api.cancel_order(None, "BTC/USDT", {"clientOrderId": OURS})
    await soon(watching)
    assert (ended[-1], (await there.find())["status"]) == (("closed", 0.004), "canceled")


async def test_prices_come_by_stream_one_symbol_at_a_time(there: Client):
    """ccxt 4.5.90 has no watch_tickers for MEXC's spot, and its watch_bids_asks never ends."""
    ticker = await soon(there.api.watch_ticker("BTC/USDT"))
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (50000, 50000.01, None)
    assert (await there.refused(there.api.watch_tickers(["BTC/USDT"])))[0] == "NotSupported"


async def test_balances_come_by_stream(there: Client):
    (watched,) = await there.watching(there.api.watch_balance(), topics=1)
    await there.buy("0.1")
    assert "BTC" in await soon(watched)


async def test_a_listen_key_that_has_ended_opens_nothing(there: Client):
    url = "wss://wbs-api.mexc.com/ws?listenKey=other"
    async with there.api.session.ws_connect(url) as socket:
        assert await socket.receive_str() == "Invalid listen key"


async def test_a_listen_key_lasts_an_hour_unless_it_is_renewed():
    now = [1_800_000_000_000]
    async with client_of("mexc", clock=lambda: now[0]) as there:
        there.api.milliseconds = lambda: now[0]
        key = (await there.api.spotPrivatePostUserDataStream())["listenKey"]
        now[0] += 3_000_000
        await there.api.spotPrivatePutUserDataStream({"listenKey": key})
        now[0] += 3_600_001
        assert (await there.refused(there.api.spotPrivatePutUserDataStream({"listenKey": key})))[0] == "BadRequest"


async def test_a_stream_that_is_cut_is_noticed(there: Client):
    (watched,) = await there.watching(there.api.watch_orders(), topics=1)
    assert there.faults.cut_stream(private=True) == 1
    with pytest.raises(there.ccxt.NetworkError):
        await soon(watched)


def test_protobuf_is_written_as_the_libraries_read_it():
    from ccxt.protobuf.mexc import PrivateDealsV3Api_pb2

    deal = PrivateDealsV3Api_pb2.PrivateDealsV3Api()
    fields = {"price": 1, "tradeType": 4, "isMaker": 5, "isSelfTrade": 6, "clientOrderId": 8, "time": 12}
    values = {"price": "49000.1", "tradeType": 2, "isMaker": True, "isSelfTrade": False}
    deal.ParseFromString(message(fields, values | {"clientOrderId": "x" * 200, "time": 1_800_000_000_000}))
    assert (deal.price, deal.tradeType, deal.isMaker, deal.isSelfTrade) == ("49000.1", 2, True, False)
    assert (deal.clientOrderId, deal.time) == ("x" * 200, 1_800_000_000_000)
