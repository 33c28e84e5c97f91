"""The real ccxt.pro client against the local Bybit."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange_server.meeting import HOUR_MS, PAIR, PERPETUAL, Meeting, met, refused

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


# rules and the account -----------------------------------------------------------------------------------------------


async def test_ccxt_reads_the_rules_of_a_pair_and_of_a_perpetual(meeting: Meeting):
    pair, perpetual = meeting.client.market(PAIR), meeting.client.market(PERPETUAL)
    assert (pair["precision"]["amount"], pair["precision"]["price"]) == (0.000001, 0.1)
    assert (pair["limits"]["amount"]["min"], pair["limits"]["cost"]["min"], pair["active"]) == (0.000011, 5, True)
    assert (perpetual["id"], perpetual["contractSize"], perpetual["linear"]) == ("BTCUSDT", 1, True)
    assert (perpetual["precision"]["amount"], perpetual["limits"]["cost"]["min"]) == (0.001, 5)


async def test_a_pair_that_is_not_traded_is_listed_as_such(meeting: Meeting):
    meeting.venue.halt("BTCUSDT")
    markets = await meeting.client.load_markets(True)
    assert not markets[PAIR]["active"]
    assert (await refused(meeting.place("x1")))[0] == "InvalidOrder"


async def test_a_balance_is_free_what_no_order_and_no_position_holds(meeting: Meeting):
    await meeting.place("x1")
    await meeting.place("x2", PERPETUAL, price=50_000.0)
    usdt = (await meeting.client.fetch_balance())["USDT"]
    free, locked = meeting.venue.amounts("USDT")
    assert (D(str(usdt["free"])), D(str(usdt["used"]))) == (free, locked) == (D("9009.5"), D(990))


async def test_what_a_key_may_do_is_told(meeting: Meeting):
    meeting.served.keys.may_withdraw = True
    told = (await meeting.client.private_get_v5_user_query_api())["result"]
    assert (told["readOnly"], told["uta"]) == (0, 1)
    assert "Withdraw" in told["permissions"]["Wallet"]
    meeting.served.keys.may_trade = False
    assert "SpotTrade" not in (await meeting.client.private_get_v5_user_query_api())["result"]["permissions"]["Spot"]
    name, words = await refused(meeting.place("x1"))
    assert name == "PermissionDenied"
    assert "10005" in words


@pytest.mark.parametrize(("field", "code"), [("secret", "10004"), ("apiKey", "10003")])
async def test_who_signs_wrongly_is_nobody(meeting: Meeting, field: str, code: str):
    setattr(meeting.client, field, "wrong")
    name, words = await refused(meeting.client.fetch_balance())
    assert (name, code in words) == ("AuthenticationError", True)


async def test_a_revoked_key_is_no_key(meeting: Meeting):
    meeting.served.keys.revoked = True
    assert (await refused(meeting.client.fetch_balance()))[0] == "AuthenticationError"


@pytest.mark.parametrize("skew_ms", [6_000, -2_000])
async def test_a_clock_that_is_off_is_told_and_can_be_learned(meeting: Meeting, skew_ms: int):
    meeting.faults.clock_skew_ms = skew_ms
    name, words = await refused(meeting.place("x1"))
    assert (name, "10002" in words) == ("InvalidNonce", True)
    await meeting.client.load_time_difference()
    assert (await meeting.place("x1"))["id"]


# orders --------------------------------------------------------------------------------------------------------------


async def test_a_new_order_is_only_acknowledged(meeting: Meeting):
    order = await meeting.place("x1", price=50_000.0)
    assert order["info"] == {"orderId": order["id"], "orderLinkId": "x1"}
    assert (order["status"], order["filled"], order["amount"]) == (None, None, None)
    assert meeting.venue.orders[order["id"]].status == "filled"


async def test_an_order_is_found_by_our_id_from_its_first_breath_to_its_last(meeting: Meeting):
    await meeting.place("x1")
    resting = await found(meeting, "x1")
    assert (resting["status"], resting["clientOrderId"], resting["filled"]) == ("open", "x1", 0)
    meeting.venue.tick("BTCUSDT", D(48_999), D("0.004"))
    assert [(await found(meeting, "x1"))[each] for each in ("status", "filled")] == ["open", 0.004]
    meeting.venue.tick("BTCUSDT", D(48_999))
    over = await found(meeting, "x1")
    assert (over["status"], over["filled"], over["average"], over["fee"]) == (
        "closed", 0.01, 49_000, {"cost": 0.00001, "currency": "BTC"},
    )  # fmt: skip
    assert [each["id"] for each in await meeting.client.fetch_closed_orders(PAIR, params={"orderLinkId": "x1"})] == [
        over["id"]
    ]
    assert await found(meeting, "x2") is None


async def test_only_the_history_remembers_what_the_fresh_memory_lost(meeting: Meeting):
    await meeting.place("x1", price=50_000.0)
    for _ in range(501):
        order = meeting.venue.place(market_id="BTCUSDT", side="buy", type="limit", qty=D("0.001"), price=D(40_000))
        meeting.venue.cancel(market_id="BTCUSDT", order_id=order.id)
    assert await found(meeting, "x1") is None
    (over,) = await meeting.client.fetch_canceled_and_closed_orders(PAIR, params={"orderLinkId": "x1"})
    assert (over["status"], over["filled"]) == ("closed", 0.01)


async def test_the_history_forgets_an_order_without_fills_after_a_day(meeting: Meeting):
    await meeting.place("x1")
    await meeting.client.cancel_order(None, PAIR, {"orderLinkId": "x1"})
    by_id = {"orderLinkId": "x1"}
    assert [each["status"] for each in await meeting.client.fetch_canceled_orders(PAIR, params=by_id)] == ["canceled"]
    meeting.clock.ahead_ms = 25 * HOUR_MS
    await meeting.client.load_time_difference()
    assert await meeting.client.fetch_canceled_orders(PAIR, params=by_id) == []


async def test_a_part_that_was_filled_shows_in_a_pairs_status_and_not_in_a_perpetuals(meeting: Meeting):
    told = []
    for symbol, market_id in ((PAIR, "BTCUSDT"), (PERPETUAL, "BTCUSDT.P")):
        await meeting.place(f"x{market_id.removesuffix('.P')}{len(told)}", symbol)
        meeting.venue.tick(market_id, D(48_000), D("0.004"))
        client_id = meeting.venue.open_orders(market_id)[0].client_id
        cancelled = await meeting.client.cancel_order(None, symbol, {"orderLinkId": client_id})
        assert (cancelled["clientOrderId"], cancelled["status"]) == (client_id, None)
        order = await found(meeting, str(client_id), symbol)
        told.append((order["info"]["orderStatus"], order["status"], order["filled"], order["remaining"]))
    assert told == [("PartiallyFilledCanceled", "closed", 0.004, 0), ("Cancelled", "canceled", 0.004, 0)]


async def test_what_an_ioc_could_not_take_is_cancelled(meeting: Meeting):
    meeting.venue.liquidity["BTCUSDT"] = D("0.003")
    await meeting.place("x1", price=50_000.0, params={"timeInForce": "IOC"})
    order = await found(meeting, "x1")
    assert (order["info"]["orderStatus"], order["filled"]) == ("PartiallyFilledCanceled", 0.003)
    await meeting.place("x2", price=49_000.0, params={"timeInForce": "IOC"})
    order = await found(meeting, "x2")
    assert (order["status"], order["info"]["rejectReason"]) == ("canceled", "EC_NoImmediateQtyToFill")


@pytest.mark.parametrize(("symbol", "status"), [(PAIR, "Rejected"), (PERPETUAL, "Cancelled")])
async def test_a_post_only_order_that_would_take_is_acknowledged_and_ends_at_once(
    meeting: Meeting, symbol: str, status: str
):
    assert (await meeting.place("x1", symbol, price=51_000.0, params={"postOnly": True}))["id"]
    order = (await found(meeting, "x1", symbol))["info"]
    assert (order["orderStatus"], order["rejectReason"]) == (status, "EC_PostOnlyWillTakeLiquidity")


@pytest.mark.parametrize(
    ("symbol", "changes", "name", "code"),
    [
        (PAIR, {"amount": 1.0}, "InsufficientFunds", "170131"),
        (PAIR, {"amount": 0.00002}, "InvalidOrder", "170140"),
        (PAIR, {"amount": 0.000002}, "InvalidOrder", "170136"),
        (PAIR, {"amount": 100.0}, "InvalidOrder", "170135"),
        (PAIR, {"params": {"price": "49000.05"}}, "InvalidOrder", "170134"),
        (PAIR, {"params": {"qty": "0.0100005"}}, "InvalidOrder", "170137"),
        (PAIR, {"params": {"symbol": "NOUSDT"}}, "InvalidOrder", "170121"),
        (PAIR, {"params": {"orderLinkId": "x" * 37}}, "BadRequest", "10001"),
        (PERPETUAL, {"amount": 1.0}, "InsufficientFunds", "110007"),
        (PERPETUAL, {"price": 0.1}, "InvalidOrder", "110094"),
        (PERPETUAL, {"params": {"price": "49000.05"}}, "BadRequest", "10001"),
        (PERPETUAL, {"params": {"qty": "0.0005"}}, "BadRequest", "10001"),
        (PERPETUAL, {"params": {"reduceOnly": True}}, "InvalidOrder", "110017"),
    ],
)
async def test_what_is_refused_is_refused_in_bybits_words(
    meeting: Meeting, symbol: str, changes: dict[str, Any], name: str, code: str
):
    error, words = await refused(meeting.place("x1", symbol, **changes))
    assert (error, f'"retCode":{code}' in words) == (name, True)
    assert meeting.venue.orders == {}


@pytest.mark.parametrize(("symbol", "code"), [(PAIR, "170141"), (PERPETUAL, "110072")])
async def test_a_client_id_serves_once_and_for_ever(meeting: Meeting, symbol: str, code: str):
    await meeting.place("x1", symbol, price=50_000.0)
    name, words = await refused(meeting.place("x1", symbol))
    assert (name, code in words) == ("InvalidOrder", True)


@pytest.mark.parametrize(("symbol", "code"), [(PAIR, "170213"), (PERPETUAL, "110001")])
async def test_what_is_not_open_cannot_be_cancelled(meeting: Meeting, symbol: str, code: str):
    await meeting.place("x1", symbol, price=50_000.0)
    name, words = await refused(meeting.client.cancel_order(None, symbol, {"orderLinkId": "x1"}))
    assert (name, code in words) == ("OrderNotFound", True)


async def test_each_order_of_a_batch_has_its_own_answer(meeting: Meeting):
    wanted = [
        {
            "symbol": PAIR,
            "type": "limit",
            "side": "buy",
            "amount": amount,
            "price": 49_000,
            "params": {"clientOrderId": name},
        }
        for name, amount in (("x1", 0.01), ("x2", 5.0), ("x3", 0.02))
    ]
    told = await meeting.client.create_orders(wanted)
    assert [(each["clientOrderId"], each["status"]) for each in told] == [
        ("x1", None),
        ("x2", "rejected"),
        ("x3", None),
    ]
    assert told[1]["info"]["code"] == 170131
    assert [order.client_id for order in meeting.venue.open_orders()] == ["x1", "x3"]
    assert (await refused(meeting.client.create_orders(wanted * 4)))[0] == "BadRequest"


async def test_a_market_order_is_in_base_or_in_quote_coin(meeting: Meeting):
    await meeting.place("x1", type="market", price=None)
    await meeting.place("x2", type="market", price=None, params={"cost": 100})
    await meeting.place("x3", type="market", price=None, side="sell")
    assert [order.filled for order in meeting.venue.orders.values()] == [D("0.01"), D("0.002"), D("0.01")]
    told = {order["clientOrderId"]: order["amount"] for order in await meeting.client.fetch_closed_orders(PAIR)}
    assert told == {"x1": 0.01, "x2": 0.002, "x3": 0.01}


# trades, positions ---------------------------------------------------------------------------------------------------


async def test_trades_carry_our_id_and_the_fee_of_the_coin_that_was_received(meeting: Meeting):
    await meeting.place("x1", price=50_000.0)
    await meeting.place("x2", side="sell", price=50_000.0)
    told = {each["info"]["orderLinkId"]: each for each in await meeting.client.fetch_my_trades(PAIR)}
    bought, sold = told["x1"], told["x2"]
    assert (bought["fee"]["cost"], bought["fee"]["currency"], bought["takerOrMaker"]) == (0.00001, "BTC", "taker")
    assert (sold["fee"]["cost"], sold["fee"]["currency"]) == (0.5, "USDT")
    only = await meeting.client.fetch_order_trades(None, PAIR, params={"orderLinkId": "x2"})
    assert [each["id"] for each in only] == [sold["id"]]


async def test_a_position_is_opened_reduced_and_gone(meeting: Meeting):
    await meeting.place("x1", PERPETUAL, price=50_000.0)
    (position,) = await meeting.client.fetch_positions([PERPETUAL])
    assert (position["side"], position["contracts"], position["entryPrice"]) == ("long", 0.01, 50_000)
    less = {"side": "sell", "price": 50_000.0, "params": {"reduceOnly": True}}
    await meeting.place("x2", PERPETUAL, **less, amount=0.02)
    assert meeting.venue.positions["BTCUSDT.P"].contracts == 0
    assert await meeting.client.fetch_positions(params={"type": "swap"}) == []
    fee = (await meeting.client.fetch_my_trades(PERPETUAL))[0]["fee"]
    assert (fee["cost"], fee["currency"]) == (0.5, "USDT")


async def test_leverage_and_modes_are_set_and_say_so_where_nothing_changes(meeting: Meeting):
    client = meeting.client
    await client.set_leverage(5, PERPETUAL)
    assert meeting.venue.leverage["BTCUSDT.P"] == 5
    assert "110043" in (await refused(client.set_leverage(5, PERPETUAL)))[1]
    assert (await refused(client.set_position_mode(False, PERPETUAL)))[0] == "NoChange"
    await client.set_position_mode(True, PERPETUAL)
    assert "position idx not match" in (await refused(meeting.place("x1", PERPETUAL)))[1]
    await client.set_position_mode(False, PERPETUAL)
    await client.set_margin_mode("isolated")
    assert (await client.fetch_margin_mode(PERPETUAL))["marginMode"] == "isolated"
