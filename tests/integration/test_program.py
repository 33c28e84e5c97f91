"""The whole program: alerts over HTTP, orders by the contract, fills, targets, exits, and money to the last digit."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exengine.bootstrap.program import Program
from exengine.domain.errors import UserError
from exengine.domain.events import EntriesCancelAsked
from exengine.domain.money import arithmetic
from exengine.domain.order import OrderSide, OrderStatus, Role
from exengine.settings.paths import DataDir
from tests.helpers.books import Books, check_books
from tests.helpers.program import (
    ROOT,
    SECRET,
    TOKEN,
    HandMarket,
    Headless,
    InProcess,
    entry,
    eventually,
    exengine,
    program,
    write_config,
)
from tests.helpers.world import ETH

LADDER = [(Decimal(price), Decimal("0.0004")) for price in (50000, 49750, 49500, 49250, 49000)]
"""SPEC §3.1's default legs at 50,000: 20 USDT each, down to the step."""

MONTH = ROOT.parent / "shared" / "data" / "BTCUSDT_1m_2022-01.csv"


def exported(folder: Path, what: str) -> list[dict[str, Any]]:
    """`exengine export --format json` on a folder."""
    result = exengine("export", "--what", what, "--format", "json", *options(folder))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def options(folder: Path) -> list[str]:
    return ["--data-dir", str(folder / "data"), "--config", str(folder / "config.json")]


def the_money_is_right(folder: Path) -> Books:
    """Realised PnL is what the fills say, and the balance is start + fills − fees."""
    books = check_books(folder / "data" / "exengine.sqlite3", slots=10)
    with arithmetic():
        spent = Decimal(0)
        for fill in books.fills:
            sign = 1 if books.orders[fill.client_id].side is OrderSide.BUY else -1
            spent += sign * fill.qty * fill.price
        fees = sum((fill.fee for fill in books.fills if fill.fee_currency == "USDT"), Decimal(0))
        assert books.balance("paper", "USDT", 10000) == 10000 - spent - fees
    return books


@pytest.mark.parametrize("content_type", ["application/json", "text/plain; charset=utf-8"])
async def test_an_entry_alert_is_answered_202_and_lays_the_ladder_of_the_contract(tmp_path, monkeypatch, content_type):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        assert await running.post(entry("50000"), content_type=content_type) == (
            202,
            {"status": "accepted", "signal_id": 1},
        )
        orders = running.program.state.orders.values()
        assert [(order.price, order.qty) for order in orders] == LADDER
        assert {order.status for order in orders} == {OrderStatus.OPEN}
        assert (await running.get("/health"))[1]["status"] == "running"


async def test_a_group_lives_from_its_alert_to_its_exit_and_the_export_has_all_of_it(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch, sizing={"amount": "1000"}) as running:
        await running.market.tick("50100")
        await running.post(entry("50000"))
        await running.market.tick("49500")
        (group,) = running.program.state.groups.values()
        assert [leg.state.value for _, leg in group.legs()] == ["tp_placed"] * 3 + ["open"] * 2
        # Leg 1 was bought at 49750 and leaves half a per cent higher.
        await running.market.tick("50000")
        (group,) = running.program.state.groups.values()
        assert group.leg((0, 1)).state.value == "closed"
        status, _ = await running.post(entry("50000", tv__action="sell", execution_intent={"type": "exit"}))
        assert status == 202
        assert running.program.state.groups == {}
        assert running.program.state.orders == {}

    books = the_money_is_right(tmp_path)
    (trade,) = exported(tmp_path, "trades")
    assert (trade["status"], trade["reason"], trade["side"]) == ("closed", "exit", "long")
    with arithmetic():
        realised = sum((fill.realised for fill in books.fills), Decimal(0))
    assert abs(Decimal(trade["realised_pnl"]) - realised) < Decimal("1e-12")
    orders = exported(tmp_path, "orders")
    assert sorted((order["role"], order["status"]) for order in orders) == [
        ("close", "filled"),
        *[("entry", "cancelled")] * 2,
        *[("entry", "filled")] * 3,
        *[("tp", "cancelled")] * 2,
        ("tp", "filled"),
    ]
    assert [row["outcome"] for row in exported(tmp_path, "signals")] == ["opened", "exited"]
    assert len(exported(tmp_path, "fills")) == len(books.fills) == 5


async def test_recorded_prices_fill_the_ladder_and_its_targets(tmp_path, monkeypatch):
    prices = ["50100", *["49700", "49400", "49100", "48900", "49500", "50000", "50600"]]
    # The first price holds for two seconds of ours, so that the alert comes before the second.
    rows = [f"{(0 if n == 0 else 2_000_000) + 1000 * n},{price}" for n, price in enumerate(prices)]
    (tmp_path / "BTCUSDT.csv").write_text("\n".join(["timestamp,price", *rows]) + "\n")
    config = write_config(
        tmp_path,
        sim={"market": "recorded", "recorded": ["BTCUSDT.csv"], "speed": "1000"},
        sizing={"amount": "1000"},
    )
    for name, value in {"EXENGINE_WEBHOOK_TOKEN": TOKEN, "EXENGINE_WEBHOOK_SECRET": SECRET}.items():
        monkeypatch.setenv(name, value)
    running = Program(DataDir(tmp_path / "data"), config)
    await running.start()
    try:
        await seen(running, lambda: running.state.last("paper", "BTC/USDT"))
        await InProcess(program=running, market=HandMarket()).post(entry("50000"))
        await seen(running, lambda: not running.state.groups)
    finally:
        await running.stop()
    books = the_money_is_right(tmp_path)
    (group,) = books.groups.values()
    assert group.reason is not None
    assert group.reason.value == "tp"
    entries = [order for order in books.orders.values() if order.role is Role.ENTRY]
    assert [order.price for order in entries] == [price for price, _ in LADDER]
    assert {order.status for order in entries} == {OrderStatus.FILLED}
    assert {leg.state.value for _, leg in group.legs()} == {"closed"}


async def seen(running: Program, condition: Callable[[], object]) -> None:
    """Waits for a change of the program's own rows that makes the condition true."""
    changed = asyncio.Event()
    unsubscribe = running.views.subscribe(lambda urgent: changed.set())
    try:
        async with asyncio.timeout(20):
            while not condition():
                await changed.wait()
                changed.clear()
    finally:
        unsubscribe()


@pytest.mark.skipif(not MONTH.exists(), reason="the recorded month is not beside the repository")
def test_a_recorded_month_is_traded_to_its_exit(tmp_path):
    write_config(
        tmp_path,
        sim={"market": "recorded", "recorded": [str(MONTH)], "speed": "20000"},
        sizing={"amount": "1000"},
    )
    with Headless(tmp_path).ready() as running:
        price = "46400"
        assert running.post(entry(price))[0] == 202
        eventually(
            lambda: [row for row in exported(tmp_path, "orders") if row["role"] == "tp" and row["filled"] != "0"]
        )
        assert running.post(entry(price, tv__timeframe="60"))[0] == 202
        eventually(lambda: len(exported(tmp_path, "trades")) == 2)
        assert running.post(entry(price, tv__timeframe="60", execution_intent={"type": "exit"}))[0] == 202
        eventually(lambda: exported(tmp_path, "trades")[1]["status"] == "closed")
        assert running.stop() == 0
    books = the_money_is_right(tmp_path)
    trades = exported(tmp_path, "trades")
    assert [trade["account"] for trade in trades] == ["paper", "paper"]
    for trade, group in zip(trades, books.groups.values(), strict=True):
        with arithmetic():
            realised = sum((fill.realised for fill in books.fills_of(group.id)), Decimal(0))
        assert abs(Decimal(trade["realised_pnl"]) - realised) < Decimal("1e-12")


async def test_a_restart_goes_on_where_the_program_stopped(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        await running.post(entry("50000", at_ms=(stamp := _now_ms())))
        await running.market.tick("49750")
        position = running.market.position_ms
    async with program(tmp_path, monkeypatch) as running:
        assert running.market.position_ms == position
        (group,) = running.program.state.groups.values()
        assert [leg.state.value for _, leg in group.legs()] == ["tp_placed"] * 2 + ["open"] * 3
        status, answer = await running.post(entry("50000", at_ms=stamp))
        assert (status, answer["status"]) == (200, "duplicate")
        await running.market.tick("49500")
        await running.market.tick("51000")
        assert running.program.state.groups == {}
    the_money_is_right(tmp_path)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_a_symbol_that_the_market_no_longer_lists_keeps_its_orders_and_can_be_left(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        await running.post(entry("50000"))
    other = Program(DataDir(tmp_path / "data"), tmp_path / "config.json", market=HandMarket((ETH,)))
    await other.start()
    try:
        (group_id,) = other.state.groups
        assert len(other.state.orders) == 5
        await other.engine.submit(EntriesCancelAsked(group_id=group_id))
        await other.engine.settled()
        assert other.state.groups == {}
    finally:
        await other.stop()
    check_books(tmp_path / "data" / "exengine.sqlite3")


async def test_a_second_program_on_the_same_data_says_so_and_disturbs_nothing(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        second = Program(DataDir(tmp_path / "data"), tmp_path / "config.json")
        with pytest.raises(UserError, match="already runs"):
            await second.start()
        assert (await running.post(entry("50000")))[0] == 202


async def test_a_port_that_is_taken_is_told_and_the_data_is_free_again(tmp_path, monkeypatch):
    config = write_config(tmp_path)
    port = json.loads(config.read_text())["listener"]["port"]
    with closing(socket.create_server(("127.0.0.1", port))), pytest.raises(UserError, match="cannot listen"):
        async with program(tmp_path, monkeypatch):
            pass
    async with program(tmp_path, monkeypatch) as running:
        assert (await running.get("/health"))[0] == 200


async def test_the_program_leaves_no_task_and_no_thread_behind(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch) as running:
        await running.market.tick("50100")
        await running.post(entry("50000"))
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left
    for thread in threading.enumerate():
        if thread.name.startswith("store-"):
            thread.join(5)
            assert not thread.is_alive()


async def test_neither_token_nor_secret_is_kept_or_told_anywhere(tmp_path, monkeypatch):
    async with program(tmp_path, monkeypatch, logging={"level": "debug"}) as running:
        answers = [
            await running.post(entry("50000", secret=SECRET)),
            await running.post(entry("50000", secret=SECRET, source=TOKEN), token=TOKEN),
            await running.post(entry("50000", secret="wrong"), token=TOKEN + "x"),
            await running.post({"secret": SECRET, "tv": {"symbol": SECRET}}),
            await running.post(b"{" + SECRET.encode()),
            await running.get(f"/webhook/{TOKEN}"),
        ]
        on_disk_while_running = in_files(tmp_path / "data")
    assert on_disk_while_running == []
    assert in_files(tmp_path / "data") == []
    assert TOKEN not in repr(answers)
    assert SECRET not in repr(answers)


def in_files(folder: Path) -> list[Path]:
    """The files in which one of the secrets stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 3
    return [path for path in files if any(one.encode() in path.read_bytes() for one in (TOKEN, SECRET))]
