"""The local Binance's futures desk, asked by ccxt's own client."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange_server.meeting import HOUR_MS, PERPETUAL, Meeting, met, refused

OPTIONS = {
    "defaultType": "swap",
    "defaultSubType": "linear",
    "fetchMarkets": {"types": ["linear"]},
    "warnOnFetchOpenOrdersWithoutSymbol": False,
}
D = Decimal


@pytest.fixture
async def meeting() -> AsyncIterator[Meeting]:
    rates = {"maker": D("0.0002"), "taker": D("0.0005")}
    async with met("binance", ("BTCUSDT.P", "ETHUSDT.P"), OPTIONS, fee_digits=8, leverage=5, **rates) as brought:
        yield brought


async def place(meeting: Meeting, client_id: str, **changes: Any) -> Any:
    return await meeting.place(client_id, PERPETUAL, **changes)


async def watching(meeting: Meeting, *watched: Any) -> list["asyncio.Task[Any]"]:
    tasks = [asyncio.ensure_future(each) for each in watched]
    await meeting.until(lambda: any(stream.private for stream in meeting.faults.streams))
    return tasks


class TestMarketsAndTheAccount:
    async def test_the_rules_are_told_and_ccxt_reads_them(self, meeting: Meeting) -> None:
        market = meeting.client.market(PERPETUAL)
        assert (market["contractSize"], market["precision"]["price"], market["precision"]["amount"]) == (1, 0.1, 0.001)
        assert (market["limits"]["cost"]["min"], market["id"]) == (100.0, "BTCUSDT")
        assert (await meeting.client.fetch_ticker(PERPETUAL))["last"] == 50_000.0
        assert (await meeting.client.fetch_last_prices())[PERPETUAL]["price"] == 50_000.0
        assert (await meeting.client.fetch_bids_asks([PERPETUAL]))[PERPETUAL]["ask"] == 50_000.1
        meeting.clock.ahead_ms = HOUR_MS
        assert abs(await meeting.client.fetch_time() - meeting.clock()) < 5_000

    async def test_leverage_and_margin_mode_are_set_and_told(self, meeting: Meeting) -> None:
        await meeting.client.set_leverage(10, PERPETUAL)
        await meeting.client.set_margin_mode("isolated", PERPETUAL)
        told = (await meeting.client.fetch_leverages([PERPETUAL]))[PERPETUAL]
        assert (told["longLeverage"], told["marginMode"]) == (10, "isolated")
        name, said = await refused(meeting.client.set_margin_mode("isolated", PERPETUAL))
        assert (name, "-4046" in said) == ("MarginModeAlreadySet", True)

    async def test_the_margin_mode_stays_while_there_is_an_order_or_a_position(self, meeting: Meeting) -> None:
        await place(meeting, "x1")
        assert "-4047" in (await refused(meeting.client.set_margin_mode("isolated", PERPETUAL)))[1]
        await meeting.client.cancel_all_orders(PERPETUAL)
        await place(meeting, "x2", type="market", price=None)
        assert "-4048" in (await refused(meeting.client.set_margin_mode("isolated", PERPETUAL)))[1]

    async def test_one_way_is_the_mode_and_the_other_refuses_our_orders(self, meeting: Meeting) -> None:
        assert not (await meeting.client.fetch_position_mode(PERPETUAL))["hedged"]
        assert "-4059" in (await refused(meeting.client.set_position_mode(False, PERPETUAL)))[1]
        await meeting.client.set_position_mode(True, PERPETUAL)
        assert "-4061" in (await refused(place(meeting, "x1")))[1]
        await meeting.client.set_position_mode(False, PERPETUAL)
        assert (await place(meeting, "x1"))["status"] == "open"

    async def test_the_balance_is_the_wallet_with_what_the_position_would_bring(self, meeting: Meeting) -> None:
        await place(meeting, "x1", type="market", price=None, amount=0.1)
        meeting.venue.tick("BTCUSDT.P", D(51_000))
        usdt = (await meeting.client.fetch_balance())["USDT"]
        assert usdt == {"free": 9_097.5, "used": 1_000.0, "total": 10_097.5}

    async def test_a_position_is_told_with_its_side_and_entry(self, meeting: Meeting) -> None:
        await place(meeting, "x1", type="market", side="sell", price=None, amount=0.1)
        meeting.venue.tick("BTCUSDT.P", D(49_000))
        (position,) = await meeting.client.fetch_positions([PERPETUAL])
        assert (position["side"], position["contracts"], position["entryPrice"]) == ("short", 0.1, 50_000.0)
        assert (position["unrealizedPnl"], position["markPrice"]) == (100.0, 49_000.0)
        (old,) = await meeting.client.fetch_positions([PERPETUAL], {"useV2": True})
        assert (old["leverage"], old["marginMode"]) == (5, "cross")

    async def test_no_position_is_no_row(self, meeting: Meeting) -> None:
        assert await meeting.client.fetch_positions() == []


class TestOrders:
    async def test_a_resting_order_is_told_and_found_by_its_client_id(self, meeting: Meeting) -> None:
        placed = await place(meeting, "x1")
        found = await meeting.client.fetch_order(None, PERPETUAL, {"clientOrderId": "x1"})
        assert (found["id"], found["status"], found["clientOrderId"]) == (placed["id"], "open", "x1")
        assert [order["clientOrderId"] for order in await meeting.client.fetch_open_orders()] == ["x1"]
        cancelled = await meeting.client.cancel_order(None, PERPETUAL, {"clientOrderId": "x1"})
        assert (cancelled["status"], cancelled["clientOrderId"]) == ("canceled", "x1")
        assert "-2011" in (await refused(meeting.client.cancel_order(placed["id"], PERPETUAL)))[1]
        assert "-2013" in (await refused(meeting.client.fetch_order("7", PERPETUAL)))[1]
        assert [order["id"] for order in await meeting.client.fetch_canceled_orders(PERPETUAL)] == [placed["id"]]

    async def test_a_market_order_is_answered_as_it_ended_without_a_fee(self, meeting: Meeting) -> None:
        placed = await place(meeting, "x1", type="market", price=None)
        assert (placed["status"], placed["average"], placed["fee"]) == ("closed", 50_000.0, None)
        (trade,) = await meeting.client.fetch_my_trades(PERPETUAL, None, None, {"orderId": placed["id"]})
        assert (trade["fee"], trade["side"]) == ({"currency": "USDT", "cost": 0.25}, "buy")
        assert "clientOrderId" not in trade["info"]

    async def test_a_resting_order_that_matches_is_answered_as_it_was_taken(self, meeting: Meeting) -> None:
        placed = await place(meeting, "x1", price=50_500.0)
        assert (placed["status"], placed["filled"]) == ("open", 0.0)
        found = await meeting.client.fetch_order(placed["id"], PERPETUAL)
        assert (found["status"], found["filled"], found["average"]) == ("closed", 0.01, 50_000.0)

    async def test_what_cannot_be_filled_at_once_expires(self, meeting: Meeting) -> None:
        meeting.venue.liquidity["BTCUSDT.P"] = D("0.004")
        placed = await place(meeting, "x1", price=50_000.0, params={"timeInForce": "IOC"})
        assert (placed["status"], placed["filled"]) == ("expired", 0.004)

    async def test_a_reduce_only_order_closes_and_ends_there(self, meeting: Meeting) -> None:
        await place(meeting, "x1", type="market", price=None)
        closing = await place(meeting, "x2", side="sell", price=51_000.0, amount=0.05, params={"reduceOnly": True})
        meeting.venue.tick("BTCUSDT.P", D(51_000))
        found = await meeting.client.fetch_order(closing["id"], PERPETUAL)
        assert (found["status"], found["filled"], found["reduceOnly"]) == ("expired", 0.01, True)
        trades = await meeting.client.fetch_my_trades(PERPETUAL)
        assert trades[-1]["info"]["realizedPnl"] == "10.00000000"

    async def test_a_batch_is_answered_order_by_order(self, meeting: Meeting) -> None:
        """In ccxt's answer the refused come first, and nothing says which they were."""
        wanted = [("b1", 0.01), ("b2", 0.001), ("b3", 0.02)]
        orders = await meeting.client.create_orders([limit(name, amount) for name, amount in wanted])
        assert [(order["clientOrderId"], order["status"]) for order in orders] == [
            (None, "rejected"), ("b1", "open"), ("b3", "open")
        ]  # fmt: skip
        assert orders[0]["info"]["code"] == -4164
        ids = {"clientOrderIds": ["b1", "b9"]}
        rows = await meeting.client.fapiPrivateDeleteBatchOrders(
            {"symbol": "BTCUSDT", "origclientorderidlist": ids["clientOrderIds"]}
        )
        assert [row.get("status") or row["code"] for row in rows] == ["CANCELED", -2011]

    async def test_six_are_too_many_for_a_batch(self, meeting: Meeting) -> None:
        _, said = await refused(meeting.client.create_orders([limit(f"b{number}", 0.01) for number in range(6)]))
        assert "-4082" in said


def limit(client_id: str, amount: float) -> dict[str, Any]:
    told = {"symbol": PERPETUAL, "type": "limit", "side": "buy", "amount": amount, "price": 49_000.0}
    return told | {"params": {"clientOrderId": client_id}}


class TestRefusals:
    @pytest.mark.parametrize(
        ("order", "error", "code"),
        [
            ({"amount": 0.002}, "InvalidOrder", "-4164"),
            ({"amount": 2.0}, "InsufficientFunds", "-2019"),
            ({"amount": 1001.0}, "BadRequest", "-4005"),
            ({"price": 50_000.0, "params": {"postOnly": True}}, "OrderNotFillable", "-5022"),
            ({"side": "sell", "price": 51_000.0, "params": {"reduceOnly": True}}, "InvalidOrder", "-2022"),
        ],
    )
    async def test_ccxt_tells_the_exchanges_refusals_apart(
        self, meeting: Meeting, order: dict[str, Any], error: str, code: str
    ) -> None:
        name, said = await refused(place(meeting, "x1", **order))
        assert (name, code in said) == (error, True), said
        assert meeting.venue.orders == {}

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"price": "49000.01"}, -1111),
            ({"quantity": "0.0101"}, -1111),
            ({"quantity": "0"}, -4003),
            ({"positionSide": "LONG"}, -4061),
            ({"type": "STOP"}, -1116),
            ({"symbol": "NONEUSDT"}, -1121),
        ],
    )
    async def test_what_ccxt_would_not_send_is_refused_too(
        self, meeting: Meeting, changed: dict[str, Any], code: int
    ) -> None:
        sent = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
        _, said = await refused(meeting.client.fapiPrivatePostOrder(sent | {"price": "49000"} | changed))
        assert f'"code":{code}' in said

    async def test_a_client_id_is_refused_while_its_order_is_open(self, meeting: Meeting) -> None:
        await place(meeting, "x1")
        assert "-4116" in (await refused(place(meeting, "x1")))[1]

    async def test_a_halted_contract_takes_no_order(self, meeting: Meeting) -> None:
        meeting.venue.halt("BTCUSDT.P")
        assert "-4140" in (await refused(place(meeting, "x1")))[1]


class TestStreams:
    async def test_orders_and_trades_are_told_with_fees_and_profit(self, meeting: Meeting) -> None:
        await place(meeting, "x0", type="market", price=None)
        orders, trades = await watching(meeting, meeting.client.watch_orders(), meeting.client.watch_my_trades())
        await place(meeting, "x1", side="sell", price=50_500.0)
        assert [(order["clientOrderId"], order["status"]) for order in await orders] == [("x1", "open")]
        meeting.venue.tick("BTCUSDT.P", D(50_500))
        (trade,) = await trades
        assert (trade["side"], trade["takerOrMaker"], trade["symbol"]) == ("sell", "maker", PERPETUAL)
        assert trade["fee"] == {"currency": "USDT", "cost": 0.101}
        assert (trade["info"]["c"], trade["info"]["rp"]) == ("x1", "5.00000000")

    async def test_the_position_and_the_wallet_are_told_with_a_fill(self, meeting: Meeting) -> None:
        balance, positions = await watching(meeting, meeting.client.watch_balance(), meeting.client.watch_positions())
        await place(meeting, "x1", type="market", price=None)
        assert (await balance)["USDT"]["total"] == 9_999.75
        assert [(each["side"], each["contracts"]) for each in await positions] == [("long", 0.01)]

    async def test_prices_are_told_as_they_move(self, meeting: Meeting) -> None:
        assert (await meeting.client.watch_bids_asks([PERPETUAL]))[PERPETUAL]["bid"] == 50_000.0
        assert (await meeting.client.watch_tickers([PERPETUAL]))[PERPETUAL]["last"] == 50_000.0
        watched = asyncio.ensure_future(meeting.client.watch_bids_asks([PERPETUAL]))
        meeting.venue.tick("BTCUSDT.P", D(50_100))
        assert (await watched)[PERPETUAL]["ask"] == 50_100.1

    async def test_a_listen_key_lasts_an_hour_unless_it_is_kept(self, meeting: Meeting) -> None:
        client = meeting.client
        first = (await client.fapiPrivatePostListenKey())["listenKey"]
        meeting.clock.ahead_ms = HOUR_MS // 2
        assert (await client.fapiPrivatePutListenKey())["listenKey"] == first
        meeting.clock.ahead_ms = HOUR_MS + 1_000
        assert (await client.fapiPrivatePostListenKey())["listenKey"] == first
        meeting.clock.ahead_ms = 3 * HOUR_MS
        assert "-1125" in (await refused(client.fapiPrivatePutListenKey()))[1]
        assert (await client.fapiPrivatePostListenKey())["listenKey"] != first

    async def test_ccxt_does_not_notice_that_its_listen_key_has_expired(self, meeting: Meeting) -> None:
        (watched,) = await watching(meeting, meeting.client.watch_orders())
        meeting.served.front.end_sessions()
        await place(meeting, "x1")
        again = asyncio.ensure_future(meeting.client.watch_orders())
        await place(meeting, "x2")
        assert not watched.done()
        assert not again.done()
        watched.cancel()
        again.cancel()
