"""ccxt's own Gate client at the local Gate: what it asks, what it is told, and how it takes errors."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange_server.ccxt_client import OURS, Client, client_of, soon, told

D = Decimal
TEXT = f"t-{OURS}"


@pytest.fixture
async def there() -> AsyncIterator[Client]:
    async with client_of("gate") as client:
        await client.api.load_markets()
        client.faults.asked.clear()
        yield client


def said(label: str, text: str) -> str:
    return "gate " + json.dumps({"label": label, "message": text}, separators=(",", ":"))


async def test_the_markets_have_their_steps_minimums_and_fees(there: Client):
    market = there.api.market("BTC/USDT")
    assert (str(market["precision"]["price"]), str(market["precision"]["amount"])) == ("0.1", "1e-06")
    assert (market["limits"]["cost"]["min"], market["limits"]["amount"]["min"]) == (3, 0.00001)
    assert (market["taker"], market["active"]) == (0.001, True)


async def test_loading_with_a_key_asks_for_the_account_once():
    async with client_of("gate") as client:
        await client.api.load_markets()
        await client.api.fetch_balance()
        paths = [ask.path for ask in client.faults.asked]
    assert paths.count("/api/v4/account/detail") == 1
    assert "/api/v4/margin/currency_pairs" in paths


async def test_the_balance_says_what_orders_hold(there: Client):
    await there.buy("0.1", "49000")
    balance = await there.api.fetch_balance()
    assert (balance["USDT"]["free"], balance["USDT"]["used"], balance["BTC"]["total"]) == (5100, 4900, 1)


async def test_a_new_order_comes_back_whole_with_t_before_its_client_id(there: Client):
    order = await there.buy()
    assert (order["clientOrderId"], order["status"], order["filled"], order["amount"]) == (TEXT, "open", 0, 0.01)


async def test_an_order_that_fills_at_once_comes_back_filled_with_its_fee(there: Client):
    order = await there.buy("0.01", "50000")
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.01, 50000)
    assert {"currency": "BTC", "cost": 0.00001} in order["fees"]


async def test_an_order_is_found_by_its_client_id_open_and_for_an_hour_after():
    now = [1_800_000_000_000]
    async with client_of("gate", clock=lambda: now[0]) as there:
        there.api.milliseconds = lambda: now[0]
        order = await there.buy()
        assert (await there.find())["status"] == "open"
        there.tick("48999")
        now[0] += 3_599_000
        assert (await there.find())["status"] == "closed"
        now[0] += 2_000
        assert await there.refused(there.find()) == ("OrderNotFound", said("ORDER_NOT_FOUND", "Order not found"))
        assert (await there.api.fetch_order(order["id"], "BTC/USDT"))["filled"] == 0.01


async def test_an_order_is_cancelled_by_its_text_in_the_place_of_the_id(there: Client):
    """ccxt's cancel_order knows no clientOrderId for Gate."""
    await there.buy()
    there.tick("48999", "0.004")
    cancelled = await there.api.cancel_order(TEXT, "BTC/USDT")
    assert (cancelled["status"], cancelled["filled"], cancelled["remaining"]) == ("canceled", 0.004, 0.006)
    again = await there.refused(there.api.cancel_order(TEXT, "BTC/USDT"))
    assert again == ("InvalidOrder", said("ORDER_CANCELLED", "Order already cancelled"))


async def test_open_and_closed_orders_and_trades_are_told(there: Client):
    await there.buy("0.01", "49000", "x1")
    await there.buy("0.01", "50000", "x2")
    assert told(await there.api.fetch_open_orders("BTC/USDT"), "clientOrderId") == [("t-x1",)]
    assert told(await there.api.fetch_open_orders(), "clientOrderId") == [("t-x1",)]
    assert told(await there.api.fetch_closed_orders("BTC/USDT"), "clientOrderId", "status") == [("t-x2", "closed")]
    (trade,) = await there.api.fetch_my_trades("BTC/USDT")
    assert (trade["fee"], trade["takerOrMaker"]) == ({"cost": 0.00001, "currency": "BTC"}, "taker")
    assert trade["info"]["text"] == "t-x2"
    (same,) = await there.api.fetch_order_trades(trade["order"], "BTC/USDT")
    assert same["id"] == trade["id"]


async def test_a_market_sale_is_by_the_coin_and_a_market_buy_by_what_it_costs(there: Client):
    sold = await there.sell("0.01")
    assert (sold["status"], sold["filled"]) == ("closed", 0.01)
    bought = await there.api.create_order("BTC/USDT", "market", "buy", "0.01", None, {"cost": "100"})
    assert (bought["status"], bought["filled"]) == ("closed", 0.002)


async def test_what_an_ioc_cannot_fill_is_cancelled(there: Client):
    there.venue.liquidity[there.market_id] = D("0.004")
    order = await there.buy("0.01", "50000", timeInForce="IOC")
    assert (order["status"], order["filled"], order["info"]["finish_as"]) == ("canceled", 0.004, "ioc")


async def test_a_post_only_order_that_would_match_is_refused(there: Client):
    name, _ = await there.refused(there.buy("0.01", "50000", postOnly=True))
    assert name == "OrderImmediatelyFillable"
    assert (await there.buy("0.01", "49000", postOnly=True))["timeInForce"] == "PO"


async def test_a_batch_answers_each_order_but_ccxt_sorts_them_by_time(there: Client):
    orders = [
        {"symbol": "BTC/USDT", "type": "limit", "side": "buy", "amount": amount, "price": "40000"}
        | {"params": {"clientOrderId": client_id}}
        for client_id, amount in (("x1", "0.01"), ("x2", "5"), ("x3", "0.02"))
    ]
    answers = told(await there.api.create_orders(orders), "clientOrderId", "status")
    assert answers == [("t-x2", "rejected"), ("t-x1", "open"), ("t-x3", "open")]


async def test_ccxt_sends_ten_orders_at_once_at_most(there: Client):
    one = {"symbol": "BTC/USDT", "type": "limit", "side": "buy", "amount": "0.001", "price": "40000"}
    assert len(await there.api.create_orders([one] * 10)) == 10
    assert (await there.refused(there.api.create_orders([one] * 11)))[0] == "BadRequest"


@pytest.mark.parametrize(
    ("amount", "name", "label", "message"),
    [
        ("5", "InsufficientFunds", "BALANCE_NOT_ENOUGH", "Not enough balance"),
        ("0.00002", "BadRequest", "INVALID_PARAM_VALUE", "Your order size is too small. The minimum is 3 USDT"),
        ("0.000009", "InvalidOrder", "AMOUNT_TOO_LITTLE", "Amount is too little"),
    ],
)
async def test_what_breaks_a_rule_is_refused(there: Client, amount: str, name: str, label: str, message: str):
    assert await there.refused(there.buy(amount)) == (name, said(label, message))


async def test_a_step_that_has_changed_is_refused(there: Client):
    there.venue.change_rules(replace(there.venue.markets[there.market_id], step=D("0.001")))
    wrong = said("INVALID_PRECISION", "Invalid amount precision")
    assert await there.refused(there.buy("0.0015")) == ("InvalidOrder", wrong)


async def test_a_client_id_is_taken_while_its_order_is_open(there: Client):
    await there.buy()
    assert await there.refused(there.buy()) == ("InvalidOrder", said("REPEATED_CREATION", "Repeated creation"))


async def test_a_halted_pair_looks_like_missing_funds_to_ccxt(there: Client):
    there.venue.halt(there.market_id)
    name, text = await there.refused(there.buy())
    assert (name, "TRADE_RESTRICTED" in text) == ("InsufficientFunds", True)


async def test_a_client_id_of_28_fits_and_one_more_never_goes_out(there: Client):
    assert (await there.buy(client_id="x" * 28))["clientOrderId"] == "t-" + "x" * 28
    assert (await there.refused(there.buy(client_id="x" * 29)))[0] == "BadRequest"
    assert len(there.asked("place")) == 1


async def test_a_wrong_secret_is_refused_for_its_signature():
    async with client_of("gate", secret="wrong") as there:
        await there.api.load_markets()
        wrong = said("INVALID_SIGNATURE", "Signature mismatch")
        assert await there.refused(there.api.fetch_balance()) == ("AuthenticationError", wrong)


async def test_a_clock_that_is_off_by_more_than_a_minute_looks_like_a_bad_key(there: Client):
    there.faults.clock_skew_ms = 59_000
    await there.buy("0.01", "49000", "x1")
    there.faults.clock_skew_ms = 62_000
    name, text = await there.refused(there.buy())
    assert (name, "REQUEST_EXPIRED" in text) == ("AuthenticationError", True)
    await there.api.load_time_difference()
    assert (await there.buy())["status"] == "open"


async def test_a_request_may_name_the_moment_after_which_it_is_dead(there: Client):
    there.api.headers = {"X-Gate-Exptime": str(there.venue.clock() - 1)}
    name, text = await there.refused(there.buy())
    assert (name, "X-Gate-Exptime" in text) == ("AuthenticationError", True)


async def test_the_account_says_what_its_keys_may_do(there: Client):
    there.keys.may_withdraw = True
    (key,) = await there.api.privateAccountGetMainKeys()
    assert [row["name"] for row in key["perms"]] == ["wallet", "spot", "withdraw"]
    there.keys.may_trade = False
    assert await there.refused(there.buy()) == ("PermissionDenied", said("READ_ONLY", "API key is read-only"))
    there.keys.revoked = True
    assert (await there.refused(there.find()))[1] == said("INVALID_KEY", "Invalid key provided")


async def test_an_answer_that_is_lost_leaves_the_order(there: Client):
    there.faults.lose_answer("place")
    assert (await there.refused(there.buy()))[0] in {"NetworkError", "ExchangeNotAvailable", "RequestTimeout"}
    assert (await there.find())["status"] == "open"


async def test_too_many_requests_say_until_when_in_a_header_of_their_own(there: Client):
    until = there.venue.clock() + 7_000
    there.faults.ban(until)
    name, _ = await there.refused(there.find())
    reset = int(there.api.last_response_headers["X-Gate-RateLimit-Reset-Timestamp"])
    assert (name, abs(reset * 1000 - until) <= 1_000) == ("RateLimitExceeded", True)


async def test_a_hidden_order_is_not_found_and_then_is(there: Client):
    await there.buy()
    there.faults.hide(1)
    assert (await there.refused(there.find()))[0] == "OrderNotFound"
    assert (await there.find())["status"] == "open"


async def test_orders_and_trades_come_by_stream_with_client_id_and_fee(there: Client):
    orders, trades = await there.watching(there.api.watch_orders(), there.api.watch_my_trades(), topics=2)
    await there.buy()
    assert told(await soon(orders), "clientOrderId", "status", "filled") == [(TEXT, "open", 0)]
    there.tick("48999")
    (trade,) = await soon(trades)
    assert (trade["info"]["text"], trade["price"], trade["takerOrMaker"]) == (TEXT, 49000, "maker")
    assert trade["fee"] == {"cost": 0.00001, "currency": "BTC"}


async def test_the_end_of_an_order_says_what_it_filled(there: Client):
    ended: list[Any] = []

    async def watch() -> None:
        while not ended or ended[-1][0] != "canceled":
            ended.extend(told(await there.api.watch_orders(), "status", "filled"))

    (watching,) = await there.watching(watch(), topics=1)
    await there.buy()
    there.tick("48999", "0.004")
    await there.api.cancel_order(TEXT, "BTC/USDT")
    await soon(watching)
    assert ended[-1] == ("canceled", 0.004)


async def test_prices_come_by_stream(there: Client):
    quotes = await soon(there.api.watch_bids_asks(["BTC/USDT"]))
    assert (quotes["BTC/USDT"]["bid"], quotes["BTC/USDT"]["ask"]) == (50000, 50000.1)
    tickers = await soon(there.api.watch_tickers(["BTC/USDT"]))
    assert (tickers["BTC/USDT"]["last"], tickers["BTC/USDT"]["ask"]) == (50000, 50000.1)


async def test_balances_come_by_stream(there: Client):
    (watched,) = await there.watching(there.api.watch_balance(), topics=1)
    await there.buy("0.1")
    assert (await soon(watched))["USDT"]["used"] == 4900


async def test_a_private_channel_is_refused_to_a_wrong_secret():
    async with client_of("gate", secret="wrong") as there:
        with pytest.raises(there.ccxt.AuthenticationError):
            await soon(there.api.watch_orders())


async def test_a_stream_that_is_cut_is_noticed(there: Client):
    (watched,) = await there.watching(there.api.watch_orders(), topics=1)
    assert there.faults.cut_stream(private=True) == 1
    with pytest.raises(there.ccxt.NetworkError):
        await soon(watched)
