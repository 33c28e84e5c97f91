"""The real ccxt.pro client against the local OKX."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange_server.faults import Faults
from tests.exchange_server.meeting import HOUR_MS, PAIR, PERPETUAL, Meeting, met, refused

D = Decimal
OPTIONS = {"defaultType": "spot", "fetchMarkets": {"types": ["spot", "swap"]}}
MARKETS = ("BTC-USDT", "BTC-USDT-SWAP")


@pytest.fixture
async def meeting() -> AsyncIterator[Meeting]:
    async with met("okx", MARKETS, OPTIONS) as made:
        yield made


async def asked(meeting: Meeting, client_id: str, symbol: str = PAIR) -> Any:
    return await meeting.client.fetch_order(None, symbol, {"clOrdId": client_id})


# rules and the account -----------------------------------------------------------------------------------------------


async def test_ccxt_reads_the_rules_of_a_pair_and_of_a_swap(meeting: Meeting):
    pair, swap = meeting.client.market(PAIR), meeting.client.market(PERPETUAL)
    assert (pair["id"], pair["precision"]["amount"], pair["precision"]["price"]) == ("BTC-USDT", 1e-08, 0.1)
    assert (pair["limits"]["amount"]["min"], pair["limits"]["cost"]["min"], pair["active"]) == (0.00001, None, True)
    assert (swap["id"], swap["contractSize"], swap["linear"]) == ("BTC-USDT-SWAP", 0.01, True)
    assert (swap["precision"]["amount"], swap["limits"]["amount"]["min"]) == (0.01, 0.01)


async def test_a_pair_that_is_not_traded_is_listed_as_such(meeting: Meeting):
    meeting.venue.halt("BTC-USDT")
    markets = await meeting.client.load_markets(True)
    assert not markets[PAIR]["active"]
    assert "51022" in (await refused(meeting.place("x1")))[1]


async def test_a_balance_is_free_what_no_order_and_no_position_holds(meeting: Meeting):
    await meeting.place("x1")
    await meeting.place("x2", PERPETUAL, price=50_000.0, amount=2)
    usdt = (await meeting.client.fetch_balance())["USDT"]
    free, locked = meeting.venue.amounts("USDT")
    assert (D(str(usdt["free"])), D(str(usdt["used"]))) == (free, locked) == (D(8509), D(1490))


async def test_what_a_key_may_do_is_told(meeting: Meeting):
    meeting.served.keys.may_withdraw = True
    (account,) = await meeting.client.fetch_accounts()
    assert account["info"]["perm"] == "read_only,withdraw,trade"
    meeting.served.keys.may_trade = False
    assert "50120" in (await refused(meeting.place("x1")))[1]


@pytest.mark.parametrize(("field", "code"), [("secret", "50113"), ("apiKey", "50111"), ("password", "50105")])
async def test_who_signs_wrongly_is_nobody(meeting: Meeting, field: str, code: str):
    setattr(meeting.client, field, "wrong")
    name, words = await refused(meeting.client.fetch_balance())
    assert (name, code in words) == ("AuthenticationError", True)


@pytest.mark.parametrize("skew_ms", [31_000, -31_000])
async def test_a_clock_that_is_off_is_told_and_can_be_learned(meeting: Meeting, skew_ms: int):
    meeting.faults.clock_skew_ms = skew_ms
    name, words = await refused(meeting.place("x1"))
    assert (name, "50102" in words) == ("InvalidNonce", True)
    await meeting.client.load_time_difference()
    assert (await meeting.place("x1"))["id"]


# orders --------------------------------------------------------------------------------------------------------------


async def test_a_new_order_is_only_acknowledged(meeting: Meeting):
    order = await meeting.place("x1", price=50_000.0)
    assert (order["info"]["clOrdId"], order["info"]["sCode"], order["clientOrderId"]) == ("x1", "0", "x1")
    assert (order["status"], order["filled"], order["amount"]) == (None, None, None)
    assert meeting.venue.orders[order["id"]].status == "filled"


async def test_an_order_is_found_by_our_id_from_its_first_breath_to_its_last(meeting: Meeting):
    await meeting.place("x1")
    assert [(await asked(meeting, "x1"))[each] for each in ("status", "filled", "remaining")] == ["open", 0, 0.01]
    meeting.venue.tick("BTC-USDT", D(48_999), D("0.004"))
    (resting,) = await meeting.client.fetch_open_orders(PAIR)
    assert (resting["clientOrderId"], resting["status"], resting["filled"]) == ("x1", "open", 0.004)
    meeting.venue.tick("BTC-USDT", D(48_999))
    over = await asked(meeting, "x1")
    assert (over["status"], over["filled"], over["average"]) == ("closed", 0.01, 49_000)
    assert over["fee"] == {"cost": 0.000008, "currency": "BTC"}
    assert over["info"]["fee"] == "-0.000008"
    assert [each["id"] for each in await meeting.client.fetch_closed_orders(PAIR)] == [over["id"]]
    name, words = await refused(asked(meeting, "x2"))
    assert (name, "51603" in words) == ("OrderNotFound", True)


async def test_an_order_cancelled_without_fills_vanishes_after_two_hours(meeting: Meeting):
    await meeting.place("x1")
    await meeting.place("x2")
    meeting.venue.tick("BTC-USDT", D(48_999), D("0.001"))
    for client_id in ("x1", "x2"):
        await meeting.client.cancel_order(None, PAIR, {"clOrdId": client_id})
        assert (await asked(meeting, client_id))["status"] == "canceled"
    assert len(await meeting.client.fetch_canceled_orders(PAIR)) == 2
    meeting.clock.ahead_ms = 2 * HOUR_MS + 1_000
    await meeting.client.load_time_difference()
    assert (await asked(meeting, "x1"))["filled"] == 0.001
    assert (await refused(asked(meeting, "x2")))[0] == "OrderNotFound"
    assert [each["clientOrderId"] for each in await meeting.client.fetch_canceled_orders(PAIR)] == ["x1"]


async def test_what_an_ioc_could_not_take_is_canceled(meeting: Meeting):
    meeting.venue.liquidity["BTC-USDT"] = D("0.003")
    await meeting.place("x1", price=50_000.0, params={"timeInForce": "IOC"})
    order = await asked(meeting, "x1")
    assert (order["status"], order["filled"], order["timeInForce"]) == ("canceled", 0.003, "IOC")
    assert order["info"]["cancelSource"] == "14"


@pytest.mark.parametrize("symbol", [PAIR, PERPETUAL])
async def test_a_post_only_order_that_would_take_is_acknowledged_and_ends_at_once(meeting: Meeting, symbol: str):
    assert (await meeting.place("x1", symbol, price=51_000.0, params={"postOnly": True}))["id"]
    order = await asked(meeting, "x1", symbol)
    assert (order["status"], order["filled"], order["info"]["cancelSource"]) == ("canceled", 0, "31")


@pytest.mark.parametrize(
    ("symbol", "changes", "name", "code"),
    [
        (PAIR, {"amount": 1.0}, "InsufficientFunds", "51008"),
        (PAIR, {"amount": 0.000002}, "InvalidOrder", "51020"),
        (PAIR, {"params": {"px": "49000.05"}}, "BadRequest", "51000"),
        (PAIR, {"params": {"sz": "0.010000005"}}, "InvalidOrder", "51121"),
        (PAIR, {"params": {"instId": "NO-USDT"}}, "BadSymbol", "51001"),
        (PAIR, {"params": {"clOrdId": "x-1"}}, "BadRequest", "51000"),
        (PAIR, {"params": {"clOrdId": "x" * 33}}, "BadRequest", "51000"),
        (PAIR, {"params": {"tdMode": "nothing"}}, "BadRequest", "51000"),
        (PERPETUAL, {"amount": 100.0}, "InsufficientFunds", "51008"),
        (PERPETUAL, {"params": {"sz": "0.015"}}, "InvalidOrder", "51121"),
        (PERPETUAL, {"params": {"posSide": "long"}}, "BadRequest", "51000"),
        (PERPETUAL, {"params": {"reduceOnly": True}}, "ExchangeError", "51169"),
    ],
)
async def test_what_is_refused_is_refused_in_okxs_words(
    meeting: Meeting, symbol: str, changes: dict[str, Any], name: str, code: str
):
    error, words = await refused(meeting.place("x1", symbol, **changes))
    assert (error, f'"sCode":"{code}"' in words) == (name, True)
    assert meeting.venue.orders == {}


async def test_a_client_id_is_taken_as_long_as_its_order_is_open(meeting: Meeting):
    await meeting.place("x1")
    name, words = await refused(meeting.place("x1"))
    assert (name, "51016" in words) == ("InvalidOrder", True)
    meeting.venue.tick("BTC-USDT", D(48_999))
    again = await meeting.place("x1", price=40_000.0)
    assert (await asked(meeting, "x1"))["id"] == again["id"]


@pytest.mark.parametrize(("ended", "code"), [("filled", "51402"), ("canceled", "51401"), (None, "51400")])
async def test_what_is_not_open_cannot_be_cancelled(meeting: Meeting, ended: str | None, code: str):
    if ended is not None:
        await meeting.place("x1", price=50_000.0 if ended == "filled" else 49_000.0)
    if ended == "canceled":
        await meeting.client.cancel_order(None, PAIR, {"clOrdId": "x1"})
    name, words = await refused(meeting.client.cancel_order(None, PAIR, {"clOrdId": "x1"}))
    assert (name, code in words) == ("OrderNotFound", True)


async def test_each_order_of_a_batch_has_its_own_answer_unless_all_fail(meeting: Meeting):
    def batch(*amounts: float) -> list[dict[str, Any]]:
        return [
            {"symbol": PAIR, "type": "limit", "side": "buy", "amount": amount, "price": 49_000,
             "params": {"clientOrderId": f"x{number}"}}
            for number, amount in enumerate(amounts)
        ]  # fmt: skip

    told = await meeting.client.create_orders(batch(0.01, 5.0, 0.02))
    assert [(each["clientOrderId"], each["status"]) for each in told] == [
        ("x0", None),
        ("x1", "rejected"),
        ("x2", None),
    ]
    assert told[1]["info"]["sCode"] == "51008"
    assert [order.client_id for order in meeting.venue.open_orders()] == ["x0", "x2"]
    name, words = await refused(meeting.client.create_orders(batch(6.0, 7.0)))
    assert (name, words.count("sCode"), "51016" in words, "51008" in words) == ("InvalidOrder", 2, True, True)
    assert "51111" in (await refused(meeting.client.create_orders(batch(*[0.0001] * 21))))[1]


async def test_a_market_order_is_in_base_or_in_quote_coin(meeting: Meeting):
    await meeting.place("x1", type="market", price=None)
    await meeting.place("x2", type="market", price=None, params={"cost": 100, "tgtCcy": "quote_ccy"})
    await meeting.place("x3", type="market", price=None, side="sell")
    assert [order.filled for order in meeting.venue.orders.values()] == [D("0.01"), D("0.002"), D("0.01")]
    told = {order["clientOrderId"]: order["filled"] for order in await meeting.client.fetch_closed_orders(PAIR)}
    assert told == {"x1": 0.01, "x2": 0.002, "x3": 0.01}


# trades, positions ---------------------------------------------------------------------------------------------------


async def test_trades_carry_our_id_and_the_fee_of_the_coin_that_was_received(meeting: Meeting):
    await meeting.place("x1", price=50_000.0)
    second = await meeting.place("x2", side="sell", price=50_000.0)
    told = {each["info"]["clOrdId"]: each for each in await meeting.client.fetch_my_trades(PAIR)}
    bought, sold = told["x1"], told["x2"]
    assert (bought["fee"], bought["takerOrMaker"]) == ({"cost": 0.00001, "currency": "BTC"}, "taker")
    assert (sold["fee"], sold["info"]["fee"]) == ({"cost": 0.5, "currency": "USDT"}, "-0.5")
    assert [each["id"] for each in await meeting.client.fetch_order_trades(second["id"], PAIR)] == [sold["id"]]


async def test_a_position_is_counted_in_contracts_and_reduced_by_them(meeting: Meeting):
    await meeting.place("x1", PERPETUAL, price=50_000.0, amount=3)
    (position,) = await meeting.client.fetch_positions([PERPETUAL])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 3, 50_000)
    assert (position["contractSize"], position["marginMode"], position["hedged"]) == (0.01, "cross", False)
    less = {"side": "sell", "price": 50_000.0, "params": {"reduceOnly": True}}
    await meeting.place("x2", PERPETUAL, **less, amount=5)
    assert await meeting.client.fetch_positions([PERPETUAL]) == []
    order = await asked(meeting, "x1", PERPETUAL)
    assert (order["filled"], order["cost"], order["fee"]) == (3, 1_500, {"cost": 1.5, "currency": "USDT"})


async def test_leverage_and_modes_are_set(meeting: Meeting):
    client = meeting.client
    await client.set_leverage(5, PERPETUAL, {"marginMode": "isolated"})
    assert meeting.venue.leverage["BTC-USDT-SWAP"] == 5
    assert (await client.fetch_leverage(PERPETUAL, {"marginMode": "isolated"}))["longLeverage"] == 5
    await client.set_position_mode(True)
    assert (await client.fetch_position_mode())["hedged"]
    assert "posSide" in (await refused(meeting.place("x1", PERPETUAL)))[1]
    await client.set_position_mode(False)
    await meeting.place("x1", PERPETUAL, params={"marginMode": "isolated"})
    assert (await asked(meeting, "x1", PERPETUAL))["info"]["tdMode"] == "isolated"
    assert "59000" in (await refused(client.set_position_mode(True)))[1]


# streams -------------------------------------------------------------------------------------------------------------


async def test_orders_and_fills_come_by_stream_and_a_fee_that_is_paid_is_negative_there(meeting: Meeting):
    orders = asyncio.create_task(meeting.client.watch_orders())
    trades = asyncio.create_task(meeting.client.watch_my_trades())
    await meeting.subscribed('"orders"')
    await meeting.place("x1")
    (fresh,) = await orders
    assert (fresh["status"], fresh["clientOrderId"], fresh["symbol"]) == ("open", "x1", PAIR)
    orders = asyncio.create_task(meeting.client.watch_orders())
    meeting.venue.tick("BTC-USDT", D(48_999))
    (filled,), (trade,) = await orders, await trades
    assert (filled["status"], filled["filled"], filled["fee"]["cost"]) == ("closed", 0.01, 0.000008)
    assert (trade["info"]["clOrdId"], trade["takerOrMaker"]) == ("x1", "maker")
    assert trade["fee"] == {"cost": -0.000008, "currency": "BTC"}
    assert trade["id"] == (await meeting.client.fetch_my_trades(PAIR))[0]["id"]


async def test_news_of_one_pair_can_be_asked_for_alone(meeting: Meeting):
    orders = asyncio.create_task(meeting.client.watch_orders(PAIR))
    await meeting.subscribed('"orders"')
    await meeting.place("x1", PERPETUAL)
    await meeting.place("x2")
    assert [each["clientOrderId"] for each in await orders] == ["x2"]


async def test_balances_come_by_stream_whole_at_first_and_then_as_they_change(meeting: Meeting):
    assert (await meeting.client.watch_balance())["BTC"]["total"] == 1
    more = asyncio.create_task(meeting.client.watch_balance())
    await asyncio.sleep(0)
    meeting.venue.deposit("ETH", D(2))
    assert (await more)["ETH"]["total"] == 2


@pytest.mark.parametrize(("symbol", "market_id"), [(PAIR, MARKETS[0]), (PERPETUAL, MARKETS[1])])
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


@pytest.mark.parametrize(("field", "code"), [("secret", "60007"), ("apiKey", "60005"), ("password", "60024")])
async def test_a_login_that_is_wrong_is_refused_and_the_line_is_cut(meeting: Meeting, field: str, code: str):
    setattr(meeting.client, field, "wrong")
    name, words = await refused(meeting.client.watch_orders())
    assert (name, code in words) == ("AuthenticationError", True)
    await meeting.until(lambda: not meeting.faults.streams)


async def test_a_login_by_a_wrong_clock_is_refused(meeting: Meeting):
    meeting.faults.clock_skew_ms = 31_000
    name, words = await refused(meeting.client.watch_orders())
    assert (name, "60006" in words) == ("InvalidNonce", True)


async def test_a_stream_that_is_cut_is_an_error_of_the_network_and_opens_again(meeting: Meeting):
    orders = asyncio.create_task(meeting.client.watch_orders())
    await meeting.subscribed('"orders"')
    assert meeting.faults.cut_stream(private=True) == 1
    assert (await refused(orders))[0] == "NetworkError"
    again = asyncio.create_task(meeting.client.watch_orders())
    await meeting.subscribed('"orders"')
    await meeting.place("x1")
    assert (await again)[0]["clientOrderId"] == "x1"


# faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "name", "is_there"),
    [
        (lambda faults: faults.lose_answer("place_many"), "ExchangeNotAvailable", True),
        (lambda faults: faults.lose_request("place_many"), "ExchangeNotAvailable", False),
        (lambda faults: faults.status("place_many", 502, done=True), "ExchangeNotAvailable", True),
        (lambda faults: faults.status("place_many", 502), "ExchangeNotAvailable", False),
        (lambda faults: faults.garbage("place_many", "{}"), "ExchangeError", True),
        (lambda faults: faults.refuse("place_many", 50004, "Endpoint request timeout"), "RequestTimeout", False),
        (lambda faults: faults.refuse("place_many", 50011, "Too Many Requests"), "RateLimitExceeded", False),
        (lambda faults: faults.refuse("place_many", 50001, "Service temporarily unavailable"), "OnMaintenance", False),
        (lambda faults: faults.refuse("place_many", 50110, "IP is not listed"), "PermissionDenied", False),
        (lambda faults: faults.refuse("place_many", 51020, "too little"), "InvalidOrder", False),
    ],
)
async def test_a_fault_is_what_ccxt_takes_it_for_and_leaves_what_it_says(
    meeting: Meeting, script: Callable[[Faults], object], name: str, is_there: bool
):
    script(meeting.faults)
    assert (await refused(meeting.place("x1")))[0] == name
    assert bool(meeting.venue.find(client_id="x1")) == is_there


async def test_a_page_in_place_of_an_answer_is_an_order_without_an_id_to_ccxt(meeting: Meeting):
    meeting.faults.garbage("place_many")
    assert (await meeting.place("x1"))["id"] is None
    assert (await asked(meeting, "x1"))["status"] == "open"


async def test_an_order_can_be_hidden_from_those_who_ask_for_it(meeting: Meeting):
    await meeting.place("x1")
    meeting.faults.hide(1)
    assert "51603" in (await refused(asked(meeting, "x1")))[1]
    assert (await asked(meeting, "x1"))["id"]
    meeting.faults.hide(1, "cancel")
    assert "51400" in (await refused(meeting.client.cancel_order(None, PAIR, {"clOrdId": "x1"})))[1]


async def test_who_asks_too_often_is_sent_away_without_a_word_of_how_long(meeting: Meeting):
    meeting.faults.ban(meeting.venue.clock() + 60_000)
    assert (await refused(meeting.client.fetch_balance()))[0] == "RateLimitExceeded"
    meeting.faults.clear()
    assert await meeting.client.fetch_balance()
