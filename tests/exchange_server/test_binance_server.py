"""The local Binance's spot desk, asked by ccxt's own client."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange_server.binance import USER, Binance
from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Answer, Ask, Keys
from tests.exchange_server.meeting import HOUR_MS, PAIR, Meeting, met, refused
from tests.exchange_server.serving import new_venue

OPTIONS = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchMargins": False}
D = Decimal


@pytest.fixture
async def meeting() -> AsyncIterator[Meeting]:
    async with met("binance", ("BTCUSDT", "ETHUSDT"), OPTIONS, fee_digits=8) as brought:
        yield brought


async def watching(meeting: Meeting, *watched: Any) -> list["asyncio.Task[Any]"]:
    """Starts to watch, and comes back when the exchange knows who listens."""
    tasks = [asyncio.ensure_future(each) for each in watched]
    await meeting.until(lambda: any(USER in stream.topics for stream in meeting.faults.streams))
    return tasks


class TestMarkets:
    async def test_the_rules_are_told_as_filters_and_ccxt_reads_them(self, meeting: Meeting) -> None:
        market = meeting.client.market(PAIR)
        assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
        assert (market["limits"]["cost"]["min"], market["limits"]["amount"]["max"]) == (5.0, 9000.0)
        assert market["limits"]["market"]["max"] == 120.0
        assert market["active"]
        assert "LTC/USDT" in meeting.client.symbols
        assert "BTC/USDT:USDT" not in meeting.client.symbols

    async def test_a_halted_market_is_no_longer_active_and_takes_no_order(self, meeting: Meeting) -> None:
        meeting.venue.halt("BTCUSDT")
        await meeting.client.load_markets(True)
        assert not meeting.client.market(PAIR)["active"]
        name, words = await refused(meeting.place("x1"))
        assert (name, "Market is closed." in words) == ("MarketClosed", True)

    async def test_nothing_but_the_exchange_is_asked_without_need(self, meeting: Meeting) -> None:
        assert [ask.path for ask in meeting.faults.asked] == ["/api/v3/exchangeInfo"]

    async def test_no_other_host_is_ever_asked(self, meeting: Meeting) -> None:
        with pytest.raises(AssertionError, match=r"not dapi\.binance\.com"):
            await meeting.client.dapiPublicGetTime()

    async def test_the_clock_and_the_prices_are_told(self, meeting: Meeting) -> None:
        meeting.clock.ahead_ms = HOUR_MS
        assert abs(await meeting.client.fetch_time() - meeting.clock()) < 5_000
        assert (await meeting.client.fetch_ticker(PAIR))["last"] == 50_000.0
        tickers = await meeting.client.fetch_tickers([PAIR, "ETH/USDT"])
        assert tickers[PAIR]["bid"] == 50_000.0
        assert (await meeting.client.fetch_bids_asks([PAIR]))[PAIR]["ask"] == 50_000.01
        assert (await meeting.client.fetch_last_prices([PAIR]))[PAIR]["price"] == 50_000.0

    async def test_the_use_of_weight_and_orders_is_counted_in_the_headers(self, meeting: Meeting) -> None:
        await meeting.place("x1")
        headers = meeting.client.last_response_headers
        assert int(headers["X-MBX-USED-WEIGHT-1M"]) > 20
        assert headers["X-MBX-ORDER-COUNT-10S"] == "1"


class TestOrders:
    async def test_a_resting_order_is_answered_in_full_and_found_by_its_client_id(self, meeting: Meeting) -> None:
        placed = await meeting.place("x1")
        assert (placed["clientOrderId"], placed["status"], placed["filled"]) == ("x1", "open", 0.0)
        found = await meeting.client.fetch_order(None, PAIR, {"clientOrderId": "x1"})
        assert (found["id"], found["status"], found["price"]) == (placed["id"], "open", 49_000.0)
        assert [order["clientOrderId"] for order in await meeting.client.fetch_open_orders(PAIR)] == ["x1"]
        assert (await meeting.client.fetch_balance())["USDT"]["used"] == 490.0

    async def test_an_order_that_fills_at_once_tells_its_fills_and_its_fee_in_base(self, meeting: Meeting) -> None:
        placed = await meeting.place("x1", price=51_000.0)
        assert (placed["status"], placed["average"], placed["filled"]) == ("closed", 50_000.0, 0.01)
        assert placed["fee"] == {"currency": "BTC", "cost": 0.00001}
        (fill,) = placed["info"]["fills"]
        assert (fill["price"], fill["qty"], fill["commission"]) == ("50000.00000000", "0.01000000", "0.00001000")
        assert meeting.venue.amounts("BTC")[0] == D("1.00999")

    async def test_a_query_tells_no_fee_and_the_trades_do(self, meeting: Meeting) -> None:
        placed = await meeting.place("x1", type="market", side="sell", price=None)
        found = await meeting.client.fetch_order(placed["id"], PAIR)
        assert (found["status"], found["fee"]) == ("closed", None)
        (trade,) = await meeting.client.fetch_my_trades(PAIR, None, None, {"orderId": placed["id"]})
        assert (trade["order"], trade["side"], trade["takerOrMaker"]) == (placed["id"], "sell", "taker")
        assert trade["fee"] == {"currency": "USDT", "cost": 0.5}
        assert "clientOrderId" not in trade["info"]

    async def test_a_partial_fill_stays_after_the_cancel(self, meeting: Meeting) -> None:
        await meeting.place("x1")
        meeting.venue.tick("BTCUSDT", D(48_990), D("0.004"))
        cancelled = await meeting.client.cancel_order(None, PAIR, {"clientOrderId": "x1"})
        assert (cancelled["status"], cancelled["filled"]) == ("canceled", 0.004)
        assert cancelled["info"]["origClientOrderId"] == "x1"
        assert cancelled["clientOrderId"] != "x1"
        found = await meeting.client.fetch_order(None, PAIR, {"clientOrderId": "x1"})
        assert (found["status"], found["filled"], found["clientOrderId"]) == ("canceled", 0.004, "x1")

    async def test_orders_that_are_over_are_listed_by_how_they_ended(self, meeting: Meeting) -> None:
        await meeting.place("x1")
        await meeting.place("x2", price=50_500.0)
        await meeting.place("x3")
        await meeting.client.cancel_order(None, PAIR, {"clientOrderId": "x1"})
        told = {order["clientOrderId"]: order["status"] for order in await meeting.client.fetch_orders(PAIR)}
        assert told == {"x1": "canceled", "x2": "closed", "x3": "open"}
        assert [order["clientOrderId"] for order in await meeting.client.fetch_closed_orders(PAIR)] == ["x2"]
        assert [order["clientOrderId"] for order in await meeting.client.fetch_canceled_orders(PAIR)] == ["x1"]

    async def test_lists_are_cut_by_time_and_number(self, meeting: Meeting) -> None:
        for number in range(4):
            await meeting.place(f"x{number}", price=50_500.0)
            meeting.clock.ahead_ms += 1_000
        since = meeting.venue.trades[2].at_ms
        assert len(await meeting.client.fetch_my_trades(PAIR, since)) == 2
        newest = await meeting.client.fetch_my_trades(PAIR, None, 1)
        assert newest[0]["id"] == meeting.venue.trades[3].id
        oldest = await meeting.client.private_get_mytrades({"symbol": "BTCUSDT", "fromId": 1, "limit": 1})
        assert str(oldest[0]["id"]) == meeting.venue.trades[0].id

    async def test_what_cannot_be_filled_at_once_expires(self, meeting: Meeting) -> None:
        meeting.venue.liquidity["BTCUSDT"] = D("0.004")
        placed = await meeting.place("x1", price=50_000.0, params={"timeInForce": "IOC"})
        assert (placed["status"], placed["filled"]) == ("expired", 0.004)

    async def test_a_purchase_by_money_tells_what_it_came_to(self, meeting: Meeting) -> None:
        placed = await meeting.client.create_order(PAIR, "market", "buy", 1, None, {"cost": 100})
        assert (placed["info"]["origQuoteOrderQty"], placed["info"]["origQty"]) == ("100.00000000", "0.00200000")

    async def test_all_of_a_market_are_cancelled_in_one_request(self, meeting: Meeting) -> None:
        await meeting.place("x1")
        await meeting.place("x2")
        assert len(await meeting.client.cancel_all_orders(PAIR)) == 2
        assert meeting.venue.open_orders() == []

    async def test_orders_of_others_have_ids_of_the_exchanges_own(self, meeting: Meeting) -> None:
        order = meeting.venue.place(market_id="BTCUSDT", side="buy", type="limit", qty=D("0.01"), price=D(49_000))
        (told,) = await meeting.client.fetch_open_orders(PAIR)
        assert told["clientOrderId"] == f"web_{order.id}"


class TestRefusals:
    @pytest.mark.parametrize(
        ("order", "error", "words"),
        [
            ({"amount": 0.0001}, "BadRequest", '"code":-1013,"msg":"Filter failure: NOTIONAL"'),
            ({"amount": 1.0}, "InsufficientFunds", "Account has insufficient balance for requested action."),
            ({"price": 9_999.0}, "InvalidOrder", "Filter failure: PERCENT_PRICE_BY_SIDE"),
            ({"price": 50_001.0, "params": {"postOnly": True}}, "OrderImmediatelyFillable", "immediately match"),
            ({"amount": 121.0, "type": "market", "price": None}, "InvalidOrder", "Filter failure: MARKET_LOT_SIZE"),
            ({"amount": 9001.0}, "InvalidOrder", "Filter failure: LOT_SIZE"),
        ],
    )
    async def test_ccxt_tells_the_exchanges_refusals_apart(
        self, meeting: Meeting, order: dict[str, Any], error: str, words: str
    ) -> None:
        name, said = await refused(meeting.place("x1", **order))
        assert (name, words in said) == (error, True), said
        assert meeting.venue.orders == {}

    @pytest.mark.parametrize(
        ("changed", "code", "words"),
        [
            ({"price": "49000.001"}, -1013, "Filter failure: PRICE_FILTER"),
            ({"quantity": "0.010001"}, -1013, "Filter failure: LOT_SIZE"),
            ({"quantity": "0.000000001"}, -1111, "Parameter 'quantity' has too much precision."),
            ({"price": None}, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
            ({"type": "MARKET"}, -1106, "Parameter 'price' sent when not required."),
            ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
            ({"type": "TRAILING"}, -1116, "Invalid orderType."),
            ({"side": "HOLD"}, -1117, "Invalid side."),
            ({"symbol": "NONEUSDT"}, -1121, "Invalid symbol."),
            ({"quantity": "many"}, -1100, "Illegal characters found in parameter 'quantity'"),
            ({"newClientOrderId": "x" * 37}, -1100, "Illegal characters found in parameter 'newClientOrderId'"),
        ],
    )
    async def test_what_ccxt_would_not_send_is_refused_too(
        self, meeting: Meeting, changed: dict[str, Any], code: int, words: str
    ) -> None:
        sent = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
        sent |= {"price": "49000"} | changed
        _, said = await refused(meeting.client.private_post_order({k: v for k, v in sent.items() if v is not None}))
        assert words in said or f'"code":{code}' in said
        assert f'"code":{code}' in said or "Filter" in said or code == -1121

    async def test_a_client_id_is_refused_while_its_order_is_open_and_free_after(self, meeting: Meeting) -> None:
        await meeting.place("x1")
        name, said = await refused(meeting.place("x1"))
        assert (name, "Duplicate order sent." in said, '"code":-2010' in said) == ("InvalidOrder", True, True)
        await meeting.client.cancel_order(None, PAIR, {"clientOrderId": "x1"})
        assert (await meeting.place("x1"))["status"] == "open"

    async def test_unknown_orders_are_not_found(self, meeting: Meeting) -> None:
        done = await meeting.place("x1", price=50_500.0)
        name, said = await refused(meeting.client.fetch_order(None, PAIR, {"clientOrderId": "x9"}))
        assert (name, '"code":-2013' in said) == ("OrderNotFound", True)
        for params in ({"clientOrderId": "x9"}, {"clientOrderId": "x1"}):
            name, said = await refused(meeting.client.cancel_order(done["id"], PAIR, params))
            assert (name, '"code":-2011' in said) == ("OrderNotFound", True)
        name, _ = await refused(meeting.client.fetch_order(done["id"], "ETH/USDT"))
        assert name == "OrderNotFound"

    async def test_two_hundred_open_orders_are_the_most(self, meeting: Meeting) -> None:
        for _ in range(200):
            meeting.venue.place(market_id="BTCUSDT", side="buy", type="limit", qty=D("0.0005"), price=D(20_000))
        name, said = await refused(meeting.place("x1"))
        assert (name, "MAX_NUM_ORDERS" in said) == ("BadRequest", True)


class TestWhoAsks:
    async def test_a_wrong_secret_is_a_wrong_signature(self, meeting: Meeting) -> None:
        meeting.client.secret = "another"
        name, said = await refused(meeting.client.fetch_balance())
        assert (name, '"code":-1022' in said) == ("AuthenticationError", True)

    async def test_a_wrong_key_is_no_key(self, meeting: Meeting) -> None:
        meeting.client.apiKey = "another"
        name, said = await refused(meeting.client.fetch_balance())
        assert (name, '"code":-2015' in said) == ("AuthenticationError", True)

    async def test_ccxt_takes_a_key_that_is_revoked_later_for_a_rate_limit(self, meeting: Meeting) -> None:
        await meeting.client.fetch_balance()
        meeting.served.keys.revoked = True
        name, said = await refused(meeting.client.fetch_balance())
        assert (name, '"code":-2015' in said) == ("DDoSProtection", True)

    async def test_a_key_that_may_not_trade_can_still_read(self, meeting: Meeting) -> None:
        meeting.served.keys.may_trade = False
        name, said = await refused(meeting.place("x1"))
        assert (name, '"code":-2015' in said) == ("AuthenticationError", True)
        assert (await meeting.client.fetch_balance())["USDT"]["free"] == 10_000.0
        assert not (await meeting.client.sapi_get_account_apirestrictions())["enableSpotAndMarginTrading"]

    async def test_a_key_that_may_withdraw_is_told_so(self, meeting: Meeting) -> None:
        meeting.served.keys.may_withdraw = True
        assert (await meeting.client.sapi_get_account_apirestrictions())["enableWithdrawals"]

    @pytest.mark.parametrize("skew_ms", [-3_000, 12_000])
    async def test_a_wrong_clock_is_refused_until_it_is_set(self, meeting: Meeting, skew_ms: int) -> None:
        meeting.faults.clock_skew_ms = skew_ms
        name, said = await refused(meeting.place("x1"))
        assert (name, '"code":-1021' in said) == ("InvalidNonce", True)
        await meeting.client.load_time_difference()
        assert (await meeting.place("x1"))["status"] == "open"


class TestStreams:
    async def test_orders_and_trades_are_told_with_ids_fees_and_sides(self, meeting: Meeting) -> None:
        orders, trades = await watching(meeting, meeting.client.watch_orders(), meeting.client.watch_my_trades())
        await meeting.place("x1")
        (order,) = await orders
        assert (order["clientOrderId"], order["status"], order["info"]["x"]) == ("x1", "open", "NEW")
        meeting.venue.tick("BTCUSDT", D(48_990), D("0.004"))
        (trade,) = await trades
        assert (trade["amount"], trade["price"], trade["takerOrMaker"]) == (0.004, 49_000.0, "maker")
        assert trade["fee"] == {"currency": "BTC", "cost": 0.000004}
        report = trade["info"]
        assert (report["c"], report["X"], report["z"], report["N"]) == ("x1", "PARTIALLY_FILLED", "0.00400000", "BTC")

    async def test_a_cancel_is_told_under_its_own_id_with_the_orders_beside_it(self, meeting: Meeting) -> None:
        await meeting.place("x1")
        (watched,) = await watching(meeting, meeting.client.watch_orders(PAIR))
        await meeting.client.cancel_order(None, PAIR, {"clientOrderId": "x1"})
        (order,) = await watched
        assert (order["status"], order["clientOrderId"]) == ("canceled", "x1")
        assert (order["info"]["C"], order["info"]["c"]) == ("x1", "cancel-1")

    async def test_what_the_trader_does_by_hand_is_told_too(self, meeting: Meeting) -> None:
        placed = await meeting.place("x1")
        (watched,) = await watching(meeting, meeting.client.watch_orders())
        meeting.venue.cancel(market_id="BTCUSDT", order_id=placed["id"])
        assert [order["clientOrderId"] for order in await watched] == ["x1"]

    async def test_the_balance_is_told_with_each_change(self, meeting: Meeting) -> None:
        (watched,) = await watching(meeting, meeting.client.watch_balance())
        meeting.venue.place(market_id="BTCUSDT", side="buy", type="limit", qty=D("0.01"), price=D(49_000))
        assert (await watched)["USDT"] == {"free": 9510.0, "used": 490.0, "total": 10_000.0}

    async def test_prices_are_told_as_they_move(self, meeting: Meeting) -> None:
        first = await meeting.client.watch_bids_asks([PAIR])
        assert (first[PAIR]["bid"], first[PAIR]["ask"]) == (50_000.0, 50_000.01)
        watched = asyncio.ensure_future(meeting.client.watch_bids_asks([PAIR]))
        meeting.venue.tick("BTCUSDT", D(50_100))
        assert (await watched)[PAIR]["bid"] == 50_100.0
        last = await meeting.client.watch_tickers([PAIR])
        assert (last[PAIR]["last"], last[PAIR]["bid"]) == (50_100.0, None)
        assert (await meeting.client.watch_ticker("ETH/USDT"))["last"] == 50_000.0
        assert (await meeting.client.watch_trades(PAIR))[-1]["price"] == 50_100.0

    async def test_prices_of_other_markets_are_not_told(self, meeting: Meeting) -> None:
        await meeting.client.watch_bids_asks([PAIR])
        watched = asyncio.ensure_future(meeting.client.watch_bids_asks([PAIR]))
        meeting.venue.tick("ETHUSDT", D(3_000))
        meeting.venue.tick("BTCUSDT", D(50_200))
        assert list(await watched) == [PAIR]
        assert "ETH/USDT" not in meeting.client.bidsasks

    async def test_a_login_with_a_wrong_secret_fails_in_ccxts_own_way(self, meeting: Meeting) -> None:
        meeting.client.secret = "another"
        assert await refused(meeting.client.watch_orders()) == ("KeyError", "'spot'")
        assert not any(stream.private for stream in meeting.faults.streams)

    async def test_a_session_that_ends_says_so_and_a_new_watch_renews_it(self, meeting: Meeting) -> None:
        (watched,) = await watching(meeting, meeting.client.watch_orders())
        await meeting.until(lambda: "orders" in ws_api(meeting).futures)
        meeting.served.front.end_sessions()
        await meeting.until(lambda: "spot" not in ws_api(meeting).subscriptions)
        assert not watched.done()
        watched.cancel()
        (again,) = await watching(meeting, meeting.client.watch_orders())
        await meeting.place("x1")
        assert [order["clientOrderId"] for order in await again] == ["x1"]

    async def test_orders_can_be_sent_over_the_ws_api(self, meeting: Meeting) -> None:
        params = {"clientOrderId": "x1"}
        placed = await meeting.client.create_order_ws(PAIR, "limit", "buy", 0.01, 49_000.0, params)
        assert (placed["clientOrderId"], placed["status"]) == ("x1", "open")
        assert (await meeting.client.fetch_order_ws(placed["id"], PAIR))["status"] == "open"
        assert (await meeting.client.cancel_order_ws(placed["id"], PAIR))["status"] == "canceled"
        name, _ = await refused(meeting.client.create_order_ws(PAIR, "limit", "buy", 1.0, 49_000.0))
        assert name == "InsufficientFunds"


def ws_api(meeting: Meeting) -> Any:
    return meeting.client.clients["wss://ws-api.binance.com:443/ws-api/v3"]


class TestLimits:
    async def test_too_much_weight_in_a_minute_is_refused_until_the_next(self) -> None:
        venue = new_venue("binance", clock=lambda: 1_700_000_010_000)
        front = Binance(venue, Faults(), Keys(), limits=True)
        answers = [await front.answer(signed(front, "/api/v3/account")) for _ in range(301)]
        assert [answers[299].status, answers[300].status] == [200, 429]
        assert answers[299].headers["X-MBX-USED-WEIGHT-1M"] == "6000"
        assert answers[300].headers["Retry-After"] == "30"
        assert body(answers[300])["code"] == -1003


def signed(front: Binance, path: str) -> Ask:
    query = f"timestamp={front.now_ms()}"
    signature = hmac.new(front.keys.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    key = {"X-MBX-APIKEY": front.keys.api_key}
    return Ask(method="GET", host="api.binance.com", path=path, query=f"{query}&signature={signature}", headers=key)


def body(answer: Answer) -> Any:
    return json.loads(answer.body)
