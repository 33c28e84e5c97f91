"""The history leaves the store in the columns of the replay files, plainly written, also while an engine writes."""

import asyncio
import csv
import errno
import io
import json
import os
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Note, Severity
from exengine.domain.money import plain
from exengine.domain.settings import PAPER, PoolSettings, Settings
from exengine.domain.state import OffsetLine, OffsetPlan
from exengine.engine import tables
from exengine.engine.changes import Changes
from exengine.store.address import Place
from exengine.store.check import check_store
from exengine.store.database import DatabaseStore
from exengine.store.export import export
from exengine.store.history import COLUMNS
from exengine.store.places import open_store
from tests.helpers.postgres import Server
from tests.helpers.world import BTC, ETH, World


async def stored(place: Place, world: World) -> DatabaseStore:
    changes = Changes(instruments={world.account.name: world.instruments})
    for step in world.steps:
        changes.add(step)
    changes.notes = list(enumerate(world.notes, start=1))
    store = await asyncio.to_thread(open_store, place)
    await store.commit(changes)
    return store


def a_day(world: World) -> World:
    """A group that has closed with profit, one that is half filled, one entry that waits, a resend and nonsense."""
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "49400")
    world.price("BTC/USDT", "52000")
    world.alert("52000")
    world.price("BTC/USDT", "51700")
    world.alert("2000", tv__symbol="ETHUSDT")
    world.alert("2000", tv__symbol="ETHUSDT", timestamp=world.now_ms, after_ms=0)
    world.alert("nonsense")
    return world


def one_slot() -> World:
    return World(Settings(pool=PoolSettings(max_open_groups=1)), fees=None)


def exported(place: Place, folder: Path, what: str, **options: Any) -> list[dict[str, str]]:
    out = folder / f"{what}.csv"
    count = export(place, what, "csv", out, **options)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    return rows


async def test_every_table_has_the_columns_of_its_replay_file(place: Place, tmp_path: Path) -> None:
    store = await stored(place, a_day(one_slot()))
    header = {
        "trades": "group,account,symbol,timeframe,side,status,reason,pyramids,opened_at,closed_at,avg_entry,qty_open,"
        "realised_pnl,unrealised_pnl,fees,dust",
        "orders": "client_id,group,pyramid,leg,role,side,type,price,qty,status,filled,average,created_at,closed_at",
        "fills": "at,client_id,price,qty,fee,fee_currency,liquidity",
        "signals": "at,outcome,reason,group,signal_id",
        "risk": "at,loser,required,winner,take,qty,realised",
        "queue": "at,key,side,event,reason,queued_at,replacement_count,price,forced",
        "equity": "at,realised,total",
        "logs": "at,severity,category,symbol,timeframe,group,text,advice,signal_id,kind,cause,client_id",
    }
    assert set(header) == set(COLUMNS)
    for what, line in header.items():
        out = tmp_path / "out.csv"
        export(place, what, "csv", out)
        assert out.read_bytes().split(b"\n")[0] == line.encode()
    await store.close()


async def test_trades_tell_closed_groups_and_open_ones(place: Place, tmp_path: Path) -> None:
    world = a_day(one_slot())
    store = await stored(place, world)
    closed, running = exported(place, tmp_path, "trades")
    assert closed["group"] == "paper|BTC/USDT|15m#1"
    assert (closed["status"], closed["reason"], closed["pyramids"]) == ("closed", "tp", "1")
    assert (closed["avg_entry"], closed["qty_open"]) == ("49750", "0")
    # Three buys of 0.0004 less 0.1 % each, sold down to the step of 0.00001: 0.00039, 0.00039 and 0.00041.
    assert closed["dust"] == "0.0000088"
    assert closed["realised_pnl"] == plain(world.realised("paper|BTC/USDT|15m#1"))
    assert closed["closed_at"] == str(world.groups["paper|BTC/USDT|15m#1"].closed_at_ms)
    assert (running["status"], running["reason"], running["closed_at"]) == ("partially_filled", "", "")
    # 0.00076 less 0.1 % is 0.00075924.
    assert (running["qty_open"], running["dust"]) == ("0.00075", "0.00000924")
    assert running["unrealised_pnl"] == ""
    await store.close()


async def test_trades_are_valued_where_a_last_price_is_given(place: Place, tmp_path: Path) -> None:
    world = World()
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    store = await stored(place, world)
    (row,) = exported(place, tmp_path, "trades", last={("paper", "BTC/USDT"): Decimal(50100)})
    bought = next(iter(world.fills)).fill
    assert Decimal(row["unrealised_pnl"]) == bought.qty * 100
    await store.close()


async def test_orders_fills_signals_and_the_queue_are_told_in_the_words_of_the_contract(
    place: Place, tmp_path: Path
) -> None:
    world = a_day(one_slot())
    store = await stored(place, world)
    orders, fills = exported(place, tmp_path, "orders"), exported(place, tmp_path, "fills")
    assert [row["client_id"] for row in orders] == list(world.orders)
    market = [row for row in orders if row["type"] == "market"]
    assert all(row["price"] == "" for row in market)
    assert {row["average"] for row in orders if row["filled"] == "0"} == {""}
    filled: dict[str, Decimal] = {}
    for row in fills:
        filled[row["client_id"]] = filled.get(row["client_id"], Decimal(0)) + Decimal(row["qty"])
    assert filled == {row["client_id"]: Decimal(row["filled"]) for row in orders if row["filled"] != "0"}
    assert {row["liquidity"] for row in fills} == {"maker", "taker"}
    assert [(row["signal_id"], row["outcome"], row["reason"]) for row in exported(place, tmp_path, "signals")] == [
        ("1", "opened", ""),
        ("2", "opened", ""),
        ("3", "queued", "pool_full"),
        ("4", "duplicate", ""),
        ("5", "invalid", "tv.entry_price"),
    ]
    (waits,) = exported(place, tmp_path, "queue")
    assert (waits["key"], waits["event"], waits["reason"]) == ("paper|ETH/USDT|15m", "queued", "pool_full")
    assert (waits["price"], waits["forced"], waits["replacement_count"]) == ("2000", "false", "0")
    await store.close()


async def test_each_winner_of_an_offset_is_a_row(place: Place, tmp_path: Path) -> None:
    lines = tuple(
        OffsetLine(
            group_id=group,
            take=Decimal(take),
            qty=Decimal("0.50"),
            whole=False,
            expected=Decimal(take),
            realised=Decimal("99.9"),
        )
        for group, take in (("paper|ETH/USDT|15m#1", "60"), ("paper|SOL/USDT|15m#2", "40.0"))
    )
    plan = OffsetPlan(at_ms=70_000, loser_id="paper|BTC/USDT|15m#1", required=Decimal("1E+2"), lines=lines)
    store = await asyncio.to_thread(open_store, place)
    await store.commit(Changes(plan=plan, plan_changed=True))
    assert exported(place, tmp_path, "risk") == []
    await store.commit(Changes(plan=None, plan_changed=True, offsets=[plan]))
    assert [tuple(row.values()) for row in exported(place, tmp_path, "risk")] == [
        ("70000", "paper|BTC/USDT|15m#1", "100", "paper|ETH/USDT|15m#1", "60", "0.5", "99.9"),
        ("70000", "paper|BTC/USDT|15m#1", "100", "paper|SOL/USDT|15m#2", "40", "0.5", "99.9"),
    ]
    assert (await store.load()).plan is None
    await store.close()


async def test_equity_is_told_at_each_close_and_its_total_while_nothing_was_held(place: Place, tmp_path: Path) -> None:
    world = a_day(one_slot())
    store = await stored(place, world)
    whole = world.realised("paper|BTC/USDT|15m#1")
    first, closed, last = exported(place, tmp_path, "equity", start_equity=Decimal(10000))
    assert (first["realised"], first["total"]) == ("0", "")
    assert (closed["realised"], closed["total"]) == (plain(whole), plain(10000 + whole))
    assert (last["realised"], last["total"]) == (plain(whole), "")
    assert {row["total"] for row in exported(place, tmp_path, "equity")} == {""}
    await store.close()


async def test_what_a_group_in_another_currency_brings_is_a_moment_of_the_curve_and_no_part_of_its_sum(
    place: Place, tmp_path: Path
) -> None:
    in_euros = replace(ETH, symbol="ETH/EUR", id="ETHEUR", quote="EUR")
    account = replace(PAPER, balances={"USDT": Decimal(1000), "EUR": Decimal(1000)})
    world = World(Settings(accounts=(account,)), instruments=(BTC, in_euros), fees=None)
    for symbol, name, price, target in (("BTC/USDT", "BTCUSDT", 50000, 52000), ("ETH/EUR", "ETHEUR", 2000, 2100)):
        world.price(symbol, str(price))
        world.alert(str(price), tv__symbol=name)
        world.price(symbol, str(target), after_ms=60_000)
    store = await stored(place, world)
    dollars, euros = (world.realised(f"paper|{symbol}|15m#1") for symbol in ("BTC/USDT", "ETH/EUR"))
    assert dollars > 0
    assert euros > 0
    opened, closed, closed_in_euros = exported(place, tmp_path, "equity", start_equity=Decimal(1000))
    assert [row["realised"] for row in (opened, closed, closed_in_euros)] == ["0", plain(dollars), plain(dollars)]
    assert closed_in_euros["at"] == str(world.groups["paper|ETH/EUR|15m#1"].closed_at_ms)
    assert closed_in_euros["total"] == plain(1000 + dollars)
    await store.close()


async def test_a_fill_that_brought_nothing_is_no_moment_of_the_curve_however_its_zero_is_written(
    place: Place, tmp_path: Path
) -> None:
    world = a_day(one_slot())
    for step in world.steps:
        step.fills = [one if one.realised else replace(one, realised=Decimal("0E-8")) for one in step.fills]
    store = await stored(place, world)
    assert len(exported(place, tmp_path, "equity")) == 3
    assert len(exported(place, tmp_path, "fills")) > 3
    await store.close()


async def test_json_is_a_list_of_objects_with_decimals_as_strings_and_null_for_nothing(
    place: Place, tmp_path: Path
) -> None:
    store = await stored(place, a_day(one_slot()))
    out = tmp_path / "out.json"
    for what, columns in COLUMNS.items():
        export(place, what, "json", out)
        rows = json.loads(out.read_text(encoding="utf-8"))
        assert [tuple(row) for row in rows] == [columns] * len(rows)
    export(place, "trades", "json", out)
    closed, running = json.loads(out.read_text(encoding="utf-8"))
    assert (closed["avg_entry"], closed["pyramids"], closed["unrealised_pnl"]) == ("49750", 1, None)
    assert (running["closed_at"], running["reason"]) == (None, None)
    export(place, "queue", "json", out)
    assert json.loads(out.read_text(encoding="utf-8"))[0]["forced"] is False
    await store.close()


async def test_numbers_are_written_without_exponent_or_trailing_zeros_at_most_twelve_places(
    place: Place, tmp_path: Path
) -> None:
    world = World()
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    applied = world.fills[0]
    odd = replace(applied.fill, trade_id="odd", price=Decimal("1E+5"), qty=Decimal("0.10"), fee=Decimal("1E-13"))
    world.fills[:] = [replace(applied, fill=odd)]
    for step in world.steps:
        step.fills = [replace(one, fill=odd) for one in step.fills]
    store = await stored(place, world)
    (row,) = exported(place, tmp_path, "fills")
    assert (row["price"], row["qty"], row["fee"]) == ("100000", "0.1", "0")
    await store.close()


async def test_texts_with_commas_quotes_and_line_ends_come_back_as_they_were(place: Place, tmp_path: Path) -> None:
    text = 'He said "no",\nthen\r\nüöß 😀'
    store = await asyncio.to_thread(open_store, place)
    note = Note(at_ms=1, severity=Severity.ERROR, category=Category.RISK, text=text, advice="a,b", signal_id=7)
    await store.commit(Changes(notes=[(1, note)]))
    (row,) = exported(place, tmp_path, "logs")
    assert (row["text"], row["advice"], row["signal_id"], row["severity"]) == (text, "a,b", "7", "error")
    await store.close()


async def test_an_export_sees_what_is_committed_while_the_engine_runs(place: Place, tmp_path: Path) -> None:
    store = await asyncio.to_thread(open_store, place)
    line = Note(at_ms=1, severity=Severity.INFO, category=Category.SYSTEM, text="one")
    await store.commit(Changes(notes=[(1, line)]))
    assert len(exported(place, tmp_path, "logs")) == 1
    await store.commit(Changes(notes=[(2, line)]))
    assert len(exported(place, tmp_path, "logs")) == 2
    await store.close()


async def test_the_terminal_gets_the_same_bytes_as_a_file(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await stored(place, a_day(one_slot()))
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stdout", terminal)
    export(place, "orders", "csv")
    out = tmp_path / "orders.csv"
    export(place, "orders", "csv", out)
    assert terminal.getvalue().encode() == out.read_bytes()
    await store.close()


async def test_an_export_that_breaks_off_leaves_the_old_file_and_nothing_else(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await stored(place, a_day(one_slot()))
    folder = tmp_path / "exports"
    os.mkdir(folder)
    out = folder / "logs.csv"
    export(place, "logs", "csv", out)
    before = {one: (folder / one).read_bytes() for one in os.listdir(folder)}

    def full_disk(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(UserError, match="No space left on device"):
        export(place, "orders", "csv", out)
    with pytest.raises(UserError, match="cannot be written"):
        export(place, "logs", "csv", folder / "no folder" / "logs.csv")
    assert {one: (folder / one).read_bytes() for one in os.listdir(folder)} == before
    await store.close()


async def test_a_disk_that_fills_up_under_the_file_is_told_of_as_the_files_not_as_the_stores(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tables, "write_csv", full_disk)
    with pytest.raises(UserError, match=r"logs\.csv cannot be written: No space left"):
        export(place, "logs", "csv", tmp_path / "logs.csv")
    assert not (tmp_path / "logs.csv").exists()


def test_an_export_of_a_store_that_is_not_there_says_so_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with pytest.raises(UserError, match="no store"):
        export(path, "logs", "csv")
    assert not path.exists()


async def test_a_check_tells_what_is_in_the_store(place: Place) -> None:
    store = await stored(place, a_day(one_slot()))
    assert check_store(place).endswith("2 groups (1 open), 5 signals")
    await store.close()


def test_a_check_tells_of_a_store_that_is_not_made_yet(tmp_path: Path, postgres: Server) -> None:
    assert "first start" in check_store(tmp_path / "store.sqlite3")
    assert "first start" in check_store(postgres.empty_database())
