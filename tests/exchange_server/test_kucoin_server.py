"""ccxt's own KuCoin client at the local KuCoin: what it asks, what it is told, and how it takes errors."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange_server.ccxt_client import OURS, Client, client_of, soon, told

D = Decimal


@pytest.fixture
async def there() -> AsyncIterator[Client]:
    async with client_of("kucoin") as client:
        await client.api.load_markets()
        client.faults.asked.clear()
        yield client


@pytest.fixture
async def old() -> AsyncIterator[Client]:
    """An account that was never moved to the high-frequency system."""
    async with client_of("kucoin") as client:
        client.front.rest.hf = False
        yield client


async def test_the_markets_have_their_steps_minimums_and_fees(there: Client):
    market = there.api.market("BTC/USDT")
    assert (str(market["precision"]["price"]), str(market["precision"]["amount"])) == ("0.1", "1e-05")
    assert (market["limits"]["cost"]["min"], market["limits"]["amount"]["min"]) == (0.1, 0.00001)
    assert (market["taker"], market["active"]) == (0.001, True)


async def test_loading_with_a_key_asks_for_the_account_too():
    async with client_of("kucoin") as client:
        await client.api.load_markets()
        paths = [ask.path for ask in client.faults.asked]
    assert {"/api/ua/v1/account/mode", "/api/v1/hf/accounts/opened", "/api/v1/market/allTickers"} <= set(paths)


async def test_the_balance_says_what_orders_hold(there: Client):
    await there.buy("0.1", "49000")
    balance = await there.api.fetch_balance()
    assert (balance["USDT"]["free"], balance["USDT"]["used"], balance["BTC"]["total"]) == (5100.0, 4900.0, 1.0)


async def test_a_new_order_is_acknowledged_with_its_ids_and_nothing_else(there: Client):
    order = await there.buy()
    assert (order["clientOrderId"], order["status"], order["filled"]) == (OURS, None, None)
    assert order["info"] == {"orderId": order["id"], "clientOid": OURS}


async def test_the_sync_answer_says_what_became_of_it(there: Client):
    order = await there.buy("0.01", "50000", sync=True)
    assert (order["info"]["status"], order["info"]["dealSize"]) == ("done", "0.01")


async def test_an_order_is_found_by_its_client_id_open_and_after(there: Client):
    await there.buy("0.01", "49000")
    assert ((await there.find())["status"], (await there.find())["filled"]) == ("open", 0)
    there.tick("48999")
    found = await there.find()
    assert (found["status"], found["filled"], found["fee"]) == ("closed", 0.01, {"currency": "USDT", "cost": 0.49})


async def test_partly_filled_then_cancelled_is_cancelled_with_what_it_filled(there: Client):
    await there.buy("0.01")
    there.tick("48999", "0.004")
    await there.api.cancel_order(None, "BTC/USDT", {"clientOrderId": OURS})
    found = await there.find()
    assert (found["status"], found["filled"], found["remaining"]) == ("canceled", 0.004, 0.006)


async def test_the_exchange_forgets_what_was_cancelled_three_days_ago():
    now = [1_800_000_000_000]
    async with client_of("kucoin", clock=lambda: now[0]) as there:
        there.api.milliseconds = lambda: now[0]
        await there.buy()
        await there.api.cancel_order(None, "BTC/USDT", {"clientOrderId": OURS})
        now[0] += 3 * 86_400_000 + 1
        assert await there.refused(there.find()) == ("OrderNotFound", said("400100", "The order does not exist."))


async def test_open_and_closed_orders_and_trades_are_told_by_symbol(there: Client):
    await there.buy("0.01", "49000", "x1")
    await there.buy("0.01", "50000", "x2")
    assert told(await there.api.fetch_open_orders("BTC/USDT"), "clientOrderId") == [("x1",)]
    assert told(await there.api.fetch_closed_orders("BTC/USDT"), "clientOrderId", "status") == [("x2", "closed")]
    (trade,) = await there.api.fetch_my_trades("BTC/USDT")
    assert (trade["fee"]["cost"], trade["fee"]["currency"], trade["takerOrMaker"]) == (0.5, "USDT", "taker")
    assert "clientOid" not in trade["info"]
    (same,) = await there.api.fetch_order_trades(trade["order"], "BTC/USDT")
    assert same["id"] == trade["id"]


async def test_open_orders_of_all_pairs_are_asked_for_pair_by_pair(there: Client):
    """ccxt itself refuses to ask without a symbol."""
    await there.buy()
    assert (await there.refused(there.api.fetch_open_orders()))[0] == "ArgumentsRequired"
    assert (await there.api.privateGetHfOrdersActiveSymbols())["data"] == {"symbols": ["BTC-USDT"]}


async def test_a_market_sale_is_by_the_coin(there: Client):
    await there.sell("0.01")
    assert there.venue.amounts("BTC")[0] == D("0.99")
    assert there.venue.amounts("USDT")[0] == D("10499.5")


async def test_what_an_ioc_cannot_fill_is_cancelled(there: Client):
    there.venue.liquidity[there.market_id] = D("0.004")
    await there.buy("0.01", "50000", timeInForce="IOC")
    found = await there.find()
    assert (found["status"], found["filled"], found["timeInForce"]) == ("canceled", 0.004, "IOC")


async def test_a_post_only_order_that_would_match_is_taken_and_cancelled(there: Client):
    await there.buy("0.01", "50000", postOnly=True)
    assert ((await there.find())["status"], there.venue.trades) == ("canceled", [])


async def test_a_batch_is_done_but_ccxt_hears_nothing_of_it(there: Client):
    """The real answer is a list, and ccxt 4.5.90 looks for an object: its own endpoint has to be called."""
    orders = [ccxt_order("x1", "40000"), ccxt_order("x2", "0.05")]
    assert await there.api.create_orders(orders) == []
    (resting,) = there.venue.open_orders()
    assert resting.client_id == "x1"
    wanted = [{"clientOid": name, "symbol": "BTC-USDT", "type": "limit", "side": "buy", "price": price, "size": size}
              for name, price, size in (("x3", "41000", "0.01"), ("x4", "41000", "9"))]  # fmt: skip
    answer = await there.api.privatePostHfOrdersMulti({"orderList": wanted})
    assert [row.get("failMsg") for row in answer["data"]] == [None, "Balance insufficient!"]


async def test_the_old_account_answers_too(old: Client):
    await old.buy()
    assert (await old.find())["status"] == "open"
    orders = [ccxt_order("x1", "40000"), ccxt_order("x2", "0.05")]
    assert told(await old.api.create_orders(orders), "clientOrderId", "status") == [("x1", None), ("x2", "rejected")]
    await old.api.cancel_order(None, "BTC/USDT", {"clientOrderId": OURS})
    assert len(await old.api.fetch_closed_orders("BTC/USDT")) == 1


async def test_the_old_account_forgets_a_client_id_when_its_order_has_ended(old: Client):
    order = await old.buy("0.01", "50000")
    assert (await old.refused(old.find()))[0] == "OrderNotFound"
    assert (await old.api.fetch_order(order["id"], "BTC/USDT"))["status"] == "closed"


@pytest.mark.parametrize(
    ("amount", "price", "name", "code", "message"),
    [
        ("5", "49000", "InsufficientFunds", "200004", "Balance insufficient!"),
        ("0.00001", "1", "InvalidOrder", "600101", "The order funds should more then 0.1 USDT."),
    ],
)
async def test_what_breaks_a_rule_is_refused(
    there: Client, amount: str, price: str, name: str, code: str, message: str
):
    assert await there.refused(there.buy(amount, price)) == (name, said(code, message))


async def test_a_step_that_has_changed_is_refused_and_a_price_step_looks_like_missing_funds(there: Client):
    """ccxt reads 600100 as InsufficientFunds unless it knows the message."""
    market = there.venue.markets[there.market_id]
    there.venue.change_rules(replace(market, step=D("0.001"), tick=D("10")))
    assert await there.refused(there.buy("0.0015")) == ("InvalidOrder", said("600100", "Order size increment invalid."))
    wrong_price = await there.refused(there.buy("0.001", "49001"))
    assert wrong_price == ("InsufficientFunds", said("600100", "Order price increment invalid."))


async def test_a_client_id_is_taken_while_its_order_is_open(there: Client):
    await there.buy()
    duplicate = said("400100", "validation.createOrder.clientOidDuplicated")
    assert await there.refused(there.buy()) == ("BadRequest", duplicate)


async def test_a_halted_pair_takes_no_orders(there: Client):
    there.venue.halt(there.market_id)
    assert await there.refused(there.buy()) == (
        "ExchangeError",
        said("200001", "Order creation for this pair suspended"),
    )


async def test_cancelling_what_is_gone_is_refused(there: Client):
    await there.buy("0.01", "50000")
    name, text = await there.refused(there.api.cancel_order(None, "BTC/USDT", {"clientOrderId": OURS}))
    assert (name, text) == ("OrderNotFound", said("400100", "order_not_exist_or_not_allow_to_cancel"))


async def test_a_wrong_secret_fails_at_the_passphrase_which_it_signs():
    async with client_of("kucoin", secret="wrong") as there:
        assert (await there.refused(there.api.load_markets()))[0] == "AuthenticationError"


async def test_a_changed_request_is_refused_for_its_signature(there: Client):
    there.api.sign = lambda *args, made=there.api.sign, **kw: {**made(*args, **kw), "body": '{"clientOid":"other"}'}
    assert (await there.refused(there.buy()))[1] == said("400005", "Invalid KC-API-SIGN")


async def test_a_clock_that_is_five_seconds_off_is_refused(there: Client):
    there.faults.clock_skew_ms = 6_000
    assert await there.refused(there.buy()) == ("InvalidNonce", said("400002", "KC-API-TIMESTAMP Invalid"))
    await there.api.load_time_difference()
    assert (await there.buy())["clientOrderId"] == OURS


async def test_the_key_says_what_it_may_do(there: Client):
    there.keys.may_withdraw = True
    answer = await there.api.privateGetUserApiKey()
    assert answer["data"]["permission"] == "General,Spot,Withdrawal"
    there.keys.may_trade = False
    assert (await there.refused(there.buy()))[0] == "AuthenticationError"
    there.keys.revoked = True
    assert (await there.refused(there.find()))[1] == said("400003", "KC-API-KEY not exists")


async def test_an_answer_that_is_lost_leaves_the_order(there: Client):
    there.faults.lose_answer("place")
    assert (await there.refused(there.buy()))[0] in {"NetworkError", "ExchangeNotAvailable", "RequestTimeout"}
    assert (await there.find())["status"] == "open"


async def test_too_many_requests_say_when_in_a_header_of_their_own(there: Client):
    there.faults.ban(there.venue.clock() + 7_000)
    name, _ = await there.refused(there.find())
    assert (name, there.api.last_response_headers["gw-ratelimit-reset"]) == ("RateLimitExceeded", "7000")


async def test_a_hidden_order_is_not_found_and_then_is(there: Client):
    await there.buy()
    there.faults.hide(1)
    assert (await there.refused(there.find()))[0] == "OrderNotFound"
    assert (await there.find())["status"] == "open"


async def test_orders_and_fills_come_by_stream_without_the_fee(there: Client):
    orders, trades = await there.watching(there.api.watch_orders(), there.api.watch_my_trades(), topics=1)
    await there.buy()
    assert told(await soon(orders), "clientOrderId", "status", "filled") == [(OURS, "open", 0)]
    there.tick("48999")
    ((client_id, price, fee),) = [
        (trade["info"]["clientOid"], trade["price"], trade["fee"]["cost"]) for trade in await soon(trades)
    ]
    assert (client_id, price, fee) == (OURS, 49000, None)


async def test_fills_with_their_fees_have_a_topic_of_their_own(there: Client):
    params = {"spotMethod": "/spot/tradeFills"}
    (trades,) = await there.watching(there.api.watch_my_trades(params=params), topics=1)
    await there.buy("0.01", "50000")
    (trade,) = await soon(trades)
    assert (trade["fee"], "clientOid" in trade["info"]) == ({"cost": 0.5, "rate": 0.001, "currency": "USDT"}, False)


async def test_the_end_of_an_order_comes_after_its_fills(there: Client):
    ended: list[Any] = []

    async def watch() -> None:
        while not ended or ended[-1] != "canceled":
            ended.extend(order["status"] for order in await there.api.watch_orders())

    (watching,) = await there.watching(watch(), topics=1)
    await there.buy()
    there.tick("48999", "0.004")
    await there.api.cancel_order(None, "BTC/USDT", {"clientOrderId": OURS})
    await soon(watching)
    assert ended[-1] == "canceled"


async def test_prices_come_by_stream(there: Client):
    quotes = await soon(there.api.watch_bids_asks(["BTC/USDT"]))
    assert (quotes["BTC/USDT"]["bid"], quotes["BTC/USDT"]["ask"]) == (50000, 50000.1)
    tickers = await soon(there.api.watch_tickers(["BTC/USDT"]))
    assert tickers["BTC/USDT"]["last"] == 50000


async def test_balances_come_by_stream(there: Client):
    there.api.options["watchBalance"] = {"fetchBalanceSnapshot": False, "awaitBalanceSnapshot": False}
    (watched,) = await there.watching(there.api.watch_balance(), topics=1)
    await there.buy("0.1")
    assert (await soon(watched))["BTC"]["total"] == 1


async def test_a_stream_that_is_cut_is_noticed(there: Client):
    (watched,) = await there.watching(there.api.watch_orders(), topics=1)
    assert there.faults.cut_stream(private=True) == 1
    with pytest.raises(there.ccxt.NetworkError):
        await soon(watched)


async def test_a_bad_token_is_refused(there: Client):
    """Through ccxt this is silence: its reading ends with the error, and whoever watches waits on."""
    url = "wss://ws-api-spot.kucoin.com/?token=other&connectId=mine"
    async with there.api.session.ws_connect(url) as socket:
        assert await socket.receive_json() == {"id": "mine", "type": "error", "code": 401, "data": "token is invalid"}


def ccxt_order(client_id: str, price: str) -> dict[str, Any]:
    ours = {"clientOrderId": client_id}
    return {"symbol": "BTC/USDT", "type": "limit", "side": "buy", "amount": "0.01" if price != "0.05" else "5",
            "price": price if price != "0.05" else "40000", "params": ours}  # fmt: skip


def said(code: str, message: str) -> str:
    return f'kucoin {{"code":"{code}","msg":"{message}"}}'
