"""Each fault once, as ccxt's own client meets it on the local Binance, and the server as a process."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.exchange_server.binance import USER
from tests.exchange_server.meeting import PAIR, Meeting, met, refused

OPTIONS = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}, "fetchMargins": False}
D = Decimal
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def meeting() -> AsyncIterator[Meeting]:
    async with met("binance", ("BTCUSDT",), OPTIONS, fee_digits=8) as brought:
        yield brought


def there(meeting: Meeting, client_id: str = "x1") -> bool:
    return meeting.venue.find(client_id=client_id) is not None


class TestRequests:
    async def test_an_answer_is_lost_though_the_order_was_taken(self, meeting: Meeting) -> None:
        meeting.faults.lose_answer("place")
        name, _ = await refused(meeting.place("x1"))
        assert (name, there(meeting)) == ("ExchangeNotAvailable", True)
        assert (await meeting.place("x2"))["status"] == "open"

    async def test_a_request_is_lost_and_nothing_was_taken(self, meeting: Meeting) -> None:
        meeting.faults.lose_request("place")
        name, _ = await refused(meeting.place("x1"))
        assert (name, there(meeting)) == ("ExchangeNotAvailable", False)

    async def test_a_lost_cancel_on_a_kept_connection_is_sent_again_by_aiohttp_itself(self, meeting: Meeting) -> None:
        """DELETE and GET count as harmless to repeat there; so the second one finds no open order."""
        await meeting.place("x1")
        meeting.faults.lose_answer("cancel")
        name, said = await refused(meeting.client.cancel_order(None, PAIR, {"clientOrderId": "x1"}))
        assert (name, "-2011" in said) == ("OrderNotFound", True)
        assert [ask.kind for ask in meeting.faults.asked].count("cancel") == 2

    @pytest.mark.parametrize("done", [True, False])
    async def test_a_gateway_fails_before_or_after_the_exchange_did_it(self, meeting: Meeting, done: bool) -> None:
        meeting.faults.status("place", 502, done=done)
        name, _ = await refused(meeting.place("x1"))
        assert (name, there(meeting)) == ("ExchangeNotAvailable", done)

    async def test_an_answer_that_does_not_parse_is_an_empty_order_to_ccxt(self, meeting: Meeting) -> None:
        """No error at all: only that there is no id, and that `info` is text, tells that it was no answer."""
        meeting.faults.garbage("place")
        placed = await meeting.place("x1")
        assert (placed["id"], placed["clientOrderId"], placed["status"]) == (None, None, None)
        assert (isinstance(placed["info"], str), there(meeting)) == (True, True)

    @pytest.mark.parametrize("half", ["<html>", '{"balances":[{"asset":"USDT"', ""])
    async def test_half_a_balance_is_an_empty_wallet_to_ccxt(self, meeting: Meeting, half: str) -> None:
        meeting.faults.garbage("balance", half)
        assert await meeting.client.fetch_balance() == {"info": half, "timestamp": None, "datetime": None} | {
            each: {} for each in ("free", "used", "total")
        }

    async def test_lists_that_do_not_parse_are_rows_of_nothing_or_a_bug_of_ccxts(self, meeting: Meeting) -> None:
        meeting.faults.garbage("trades")
        assert {trade["id"] for trade in await meeting.client.fetch_my_trades(PAIR)} == {None}
        meeting.faults.garbage("trades", "")
        assert await meeting.client.fetch_my_trades(PAIR) == []
        meeting.faults.garbage("open_orders")
        assert (await refused(meeting.client.fetch_open_orders(PAIR)))[0] == "AttributeError"

    @pytest.mark.parametrize(("code", "name"), [(-1006, "OperationFailed"), (-1007, "RequestTimeout")])
    async def test_the_exchange_does_not_know_itself(self, meeting: Meeting, code: int, name: str) -> None:
        meeting.faults.refuse("place", code, "Execution status unknown.")
        assert (await refused(meeting.place("x1")))[0] == name

    async def test_an_answer_can_come_late(self, meeting: Meeting) -> None:
        gate = asyncio.Event()
        meeting.faults.delay("place", gate, done=True)
        placing = asyncio.ensure_future(meeting.place("x1"))
        await meeting.until(lambda: there(meeting))
        assert not placing.done()
        gate.set()
        assert (await placing)["status"] == "open"

    async def test_a_request_can_come_late_and_then_be_lost(self, meeting: Meeting) -> None:
        gate = asyncio.Event()
        meeting.faults.delay("place", gate)
        meeting.faults.lose_request("place")
        placing = asyncio.ensure_future(meeting.place("x1"))
        await meeting.until(lambda: "place" in [ask.kind for ask in meeting.faults.asked])
        assert not there(meeting)
        gate.set()
        assert (await refused(placing))[0] == "ExchangeNotAvailable"
        assert not there(meeting)

    async def test_an_order_can_be_hidden_for_a_while(self, meeting: Meeting) -> None:
        await meeting.place("x1")
        meeting.faults.hide(2)
        meeting.faults.hide(1, "open_orders")
        for _ in range(2):
            name, _ = await refused(meeting.client.fetch_order(None, PAIR, {"clientOrderId": "x1"}))
            assert name == "OrderNotFound"
        assert await meeting.client.fetch_open_orders(PAIR) == []
        assert (await meeting.client.fetch_order(None, PAIR, {"clientOrderId": "x1"}))["status"] == "open"
        assert len(await meeting.client.fetch_open_orders(PAIR)) == 1

    async def test_slow_down_is_said_with_how_long(self, meeting: Meeting) -> None:
        words = '{"code":-1003,"msg":"Too much request weight used."}'
        meeting.faults.status("any", 429, words, {"Retry-After": "7"})
        name, said = await refused(meeting.client.fetch_balance())
        assert (name, "429" in said) == ("DDoSProtection", True)
        assert meeting.client.last_response_headers["Retry-After"] == "7"

    async def test_a_ban_holds_for_all_until_it_ends(self, meeting: Meeting) -> None:
        meeting.faults.ban(meeting.clock() + 120_000)
        name, said = await refused(meeting.place("x1"))
        assert (name, "418" in said) == ("DDoSProtection", True)
        assert meeting.client.last_response_headers["Retry-After"] == "120"
        assert (await refused(meeting.client.fetch_time()))[0] == "DDoSProtection"
        meeting.clock.ahead_ms = 120_001
        assert await meeting.client.fetch_time() > 0

    async def test_a_fault_can_be_for_one_order_only_and_be_ended(self, meeting: Meeting) -> None:
        fault = meeting.faults.lose_request(
            "place", times=None, when=lambda ask: ask.params["newClientOrderId"] == "x1"
        )
        assert (await meeting.place("x2"))["status"] == "open"
        for _ in range(2):
            assert (await refused(meeting.place("x1")))[0] == "ExchangeNotAvailable"
        meeting.faults.end(fault)
        assert (await meeting.place("x1"))["status"] == "open"

    async def test_two_lines_of_the_script_are_for_two_requests(self, meeting: Meeting) -> None:
        meeting.faults.refuse("place", -2010, "one")
        meeting.faults.refuse("place", -2010, "two")
        said = [(await refused(meeting.place("x1")))[1] for _ in range(2)]
        assert ["one" in said[0], "two" in said[1]] == [True, True]
        assert (await meeting.place("x1"))["status"] == "open"
        assert meeting.faults.done["place"] == 1

    def test_a_misspelt_kind_is_no_fault(self, meeting: Meeting) -> None:
        with pytest.raises(ValueError, match="no kind of request: plase"):
            meeting.faults.lose_answer("plase")


class TestStreams:
    async def watched(self, meeting: Meeting) -> "asyncio.Task[Any]":
        task = asyncio.ensure_future(meeting.client.watch_orders())
        await meeting.until(lambda: any(USER in stream.topics for stream in meeting.faults.streams))
        return task

    async def test_a_stream_is_cut_and_can_be_opened_again(self, meeting: Meeting) -> None:
        task = await self.watched(meeting)
        assert meeting.faults.cut_stream(private=True) == 1
        assert (await refused(task))[0] == "NetworkError"
        again = await self.watched(meeting)
        await meeting.place("x1")
        assert [order["clientOrderId"] for order in await again] == ["x1"]

    async def test_what_a_mute_stream_does_not_tell_is_lost(self, meeting: Meeting) -> None:
        task = await self.watched(meeting)
        meeting.faults.mute_stream()
        await meeting.place("x1")
        meeting.faults.unmute_stream()
        await meeting.place("x2")
        assert [order["clientOrderId"] for order in await task] == ["x2"]

    async def test_a_stream_that_tells_all_twice_is_one_order_to_ccxt(self, meeting: Meeting) -> None:
        meeting.faults.double_stream()
        task = await self.watched(meeting)
        await meeting.place("x1")
        await task
        meeting.faults.double_stream(1)
        (order,) = meeting.client.orders
        assert order["clientOrderId"] == "x1"

    async def test_a_late_stream_tells_all_in_order_when_it_is_released(self, meeting: Meeting) -> None:
        task = await self.watched(meeting)
        meeting.faults.late_stream()
        await meeting.place("x1")
        meeting.venue.tick("BTCUSDT", D(49_000))
        assert (await meeting.client.fetch_order(None, PAIR, {"clientOrderId": "x1"}))["status"] == "closed"
        assert not task.done()
        meeting.faults.release_stream()
        await task
        await meeting.until(lambda: [order["status"] for order in meeting.client.orders] == ["closed"])

    async def test_a_connection_or_a_login_can_be_refused(self, meeting: Meeting) -> None:
        meeting.faults.status("stream", 503)
        name, said = await refused(meeting.client.watch_bids_asks([PAIR]))
        assert (name, "503" in said) == ("NetworkError", True)
        meeting.faults.refuse("stream_login", -2015, "Invalid API-key, IP, or permissions for action.")
        assert (await refused(meeting.client.watch_orders()))[0] == "KeyError"

    async def test_unanswered_pings_end_the_connection_in_ccxts_own_time(self, meeting: Meeting) -> None:
        meeting.client.streaming["keepAlive"] = 20
        task = await self.watched(meeting)
        meeting.faults.mute_stream(pongs=False)
        assert (await refused(task))[0] == "RequestTimeout"


class TestTheProcess:
    async def test_a_server_in_another_process_is_steered_and_read_over_http(self) -> None:
        async with process("--prices", '{"BTCUSDT": "50000"}', "--balances", '{"USDT": "1000.5"}') as base:
            order = {"market_id": "BTCUSDT", "side": "buy", "type": "limit", "qty": "0.01", "price": "49000"}
            async with aiohttp.ClientSession(f"{base}/control/") as session:
                placed = await told(session, "place", order | {"client_id": "x1"})
                await told(session, "tick", {"market": "BTCUSDT", "price": "48000", "qty": "0.004"})
                await told(session, "deposit", {"coin": "BNB", "amount": "1"})
                books = await told(session, "books")
                assert [row["filled"] for row in books["orders"]] == ["0.004"]
                assert books["balances"]["USDT"] == ["510.500", "294.000"]
                assert books["balances"]["BNB"] == ["1", "0"]
                assert books["trades"][0]["fee"] == "0.00000400"
                cancelled = await told(session, "cancel", {"market_id": "BTCUSDT", "order_id": placed["id"]})
                assert cancelled["status"] == "canceled"
                refusal = await told(session, "place", order | {"qty": "1"}, status=409)
                assert refusal["refused"] == "insufficient"
                assert "no such command" in (await told(session, "sing", {}, status=400))["wrong"]

    async def test_its_faults_are_scripted_over_http_too(self) -> None:
        async with (
            process("--prices", '{"BTCUSDT": "50000"}') as base,
            aiohttp.ClientSession(f"{base}/") as session,
        ):
            fault = {"fault": "status", "where": "time", "code": 503, "times": 1}
            await told(session, "control/fault", fault)
            await told(session, "control/fault", {"fault": "delay", "where": "time", "gate": "g"})
            assert (await session.get("api.binance.com/api/v3/time")).status == 503
            waiting = asyncio.ensure_future(session.get("api.binance.com/api/v3/time"))
            await told(session, "control/open", {"gate": "g"})
            assert (await waiting).status == 200
            await told(session, "control/fault", {"fault": "clock_skew_ms", "value": 60_000})
            await told(session, "control/keys", {"revoked": True})
            await told(session, "control/clear", {})
            assert (await told(session, "control/asked"))["done"] == {"time": 1}
            assert (await session.get("dapi.binance.com/")).status == 404


class process:  # noqa: N801 - it reads as a word
    """The server as a process, for as long as the block lasts: its address."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments

    async def __aenter__(self) -> str:
        self._running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.exchange_server", "--venue", "binance", *self._arguments),
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._running.stdout is not None
        line = await asyncio.wait_for(self._running.stdout.readline(), 60)
        return str(json.loads(line)["base"])

    async def __aexit__(self, *error: object) -> None:
        self._running.terminate()
        assert await asyncio.wait_for(self._running.wait(), 60) == 0 or os.name == "nt"


async def told(session: aiohttp.ClientSession, command: str, body: object = None, *, status: int = 200) -> Any:
    asked = session.get(command) if body is None else session.post(command, json=body)
    async with asked as answer:
        said = await answer.json()
        assert answer.status == status, said
        return said
