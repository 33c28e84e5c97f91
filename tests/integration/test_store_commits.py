"""A commit is on the disk or did not happen, whatever the disk, a lock or a defect does to it."""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from exengine.domain.errors import UserError
from exengine.domain.group import Group
from exengine.domain.journal import Category, Note, Severity
from exengine.domain.order import Order
from exengine.domain.reception import Outcome
from exengine.domain.state import AppliedFill, Control
from exengine.engine.changes import Changes, StoreFailed, Trace
from exengine.store import SqliteStore, schema, sqlite, sqlite_lane
from exengine.store.address import Place
from exengine.store.database import DatabaseStore
from exengine.store.places import open_store, read_store
from tests.helpers.world import World


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore.open(path)
    yield opened
    await opened.close()


@pytest.fixture
async def either(place: Place) -> AsyncIterator[DatabaseStore]:
    """A store in a file, and one in Postgres."""
    opened = await asyncio.to_thread(open_store, place)
    yield opened
    await opened.close()


def note(number: int, text: str = "a line") -> tuple[int, Note]:
    return number, Note(at_ms=number, severity=Severity.INFO, category=Category.SYSTEM, text=text)


def traded() -> World:
    """A world with a group, its orders and a fill."""
    world = World(fees=None)
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    return world


def all_of(world: World) -> Changes:
    changes = Changes()
    for step in world.steps:
        changes.add(step)
    return changes


def rows_in(place: Place) -> dict[str, int]:
    """How many rows each table has, but for the single values."""
    counted = {name: select(func.count()).select_from(table) for name, table in schema.metadata.tables.items()}
    del counted["meta"]
    return read_store(
        place, lambda connection: {name: connection.scalar(count) or 0 for name, count in counted.items()}
    )


# all or nothing -----------------------------------------------------------------------------------------------------


async def test_a_statement_that_fails_in_the_middle_leaves_nothing_behind(either: DatabaseStore) -> None:
    changes = all_of(traded())
    changes.notes = [note(1)]
    order = next(iter(changes.orders.values()))
    changes.orders["stray"] = replace(order, client_id="stray", group_id="no such group")
    with pytest.raises(IntegrityError):
        await either.commit(changes)
    assert set(rows_in(either.place).values()) == {0}

    del changes.orders["stray"]
    await either.commit(changes)
    assert rows_in(either.place)["orders"] == len(changes.orders)


async def test_a_float_among_the_money_leaves_nothing_behind(either: DatabaseStore) -> None:
    changes = all_of(traded())
    wrong: Any = 0.1
    changes.moved["paper", "USDT"] = wrong
    with pytest.raises(Exception, match="finite Decimal"):
        await either.commit(changes)
    assert set(rows_in(either.place).values()) == {0}


async def test_a_fill_is_stored_once_however_often_it_comes(either: DatabaseStore) -> None:
    changes = all_of(traded())
    await either.commit(changes)
    before = await either.realised()
    changes.fills = [replace(one, realised=Decimal(5)) for one in changes.fills]
    await either.commit(changes)
    assert rows_in(either.place)["fills"] == len(changes.fills)
    assert await either.realised() == before


async def test_the_same_trade_id_of_two_orders_is_two_fills(either: DatabaseStore) -> None:
    changes = all_of(traded())
    one, other = list(changes.orders.values())[:2]
    fill = changes.fills[0].fill
    changes.fills = [
        AppliedFill(fill=replace(fill, client_id=order.client_id), order=order, fee_quote=fill.fee, realised=fill.fee)
        for order in (one, other)
    ]
    await either.commit(changes)
    assert rows_in(either.place)["fills"] == 2


async def test_every_digit_is_kept(either: DatabaseStore) -> None:
    world = traded()
    changes = all_of(world)
    exact = Decimal("12345678.123456789012345678")
    group: Group = replace(next(iter(changes.groups.values())), stop_price=exact)
    order: Order = replace(next(iter(changes.orders.values())), filled_value=exact, bound=Decimal("1.10"))
    changes.groups[group.id], changes.orders[order.client_id] = group, order
    changes.moved["paper", "USDT"] = -exact
    await either.commit(changes)
    loaded = await either.load()
    assert str(loaded.groups[0].stop_price) == str(exact)
    found = {one.client_id: one for one in loaded.orders}[order.client_id]
    assert (str(found.filled_value), str(found.bound)) == (str(exact), "1.10")
    assert str(loaded.moved["paper", "USDT"]) == str(-exact)


async def test_a_text_that_no_database_takes_is_kept_as_well_as_it_can_be(either: DatabaseStore) -> None:
    changes = all_of(traded())
    odd = "half a pair \ud800, and nothing \0"
    changes.notes = [note(1, odd)]
    changes.signals[1] = replace(changes.signals[1], body=odd)
    group = next(iter(changes.groups.values()))
    changes.groups[group.id] = replace(group, errors=(odd,))
    await either.commit(changes)
    kept = "half a pair \ufffd, and nothing \ufffd"
    assert [row.text for row in await either.last_log(1)] == [kept]
    assert [row.body for row in await either.last_signals(1)] == [kept]
    assert (await either.load()).groups[0].errors == (kept,)


async def test_the_first_times_of_a_signal_are_kept_when_later_ones_come(either: DatabaseStore) -> None:
    changes = all_of(traded())
    changes.traces[1] = Trace(sent_at_ms=5)
    await either.commit(changes)
    await either.commit(Changes(traces={1: Trace(sent_at_ms=9, acknowledged_at_ms=10)}))
    (row,) = await either.last_signals(5)
    assert (row.sent_at_ms, row.acknowledged_at_ms) == (5, 10)


async def test_a_decision_after_a_restart_does_not_forget_what_the_signal_said(either: DatabaseStore) -> None:
    changes = all_of(traded())
    record = replace(changes.signals[1], outcome=None, decided_at_ms=None)
    await either.commit(Changes(signals={1: record}))
    (pending,) = (await either.load()).pending
    assert pending == replace(record, signal=None)
    await either.commit(Changes(signals={1: replace(pending, outcome=Outcome.IGNORED, reason="no_change")}))
    (row,) = await either.last_signals(5)
    assert (row.outcome, row.reason, row.action, row.exchange) == ("ignored", "no_change", "buy", "BINANCE")
    assert record.signal is not None
    assert list((await either.load()).seen) == [record.signal.digest]


async def test_rules_that_are_no_longer_listed_leave_the_cache(either: DatabaseStore) -> None:
    world = World()
    await either.commit(Changes(instruments={"paper": world.instruments, "two": world.instruments}))
    await either.commit(Changes(instruments={"paper": world.instruments[1:]}))
    assert await either.instruments() == {"paper": world.instruments[1:], "two": world.instruments}


async def test_each_store_has_a_name_of_its_own_and_keeps_it(either: DatabaseStore, tmp_path: Path) -> None:
    mine = (await either.load()).instance
    await either.close()
    again = await asyncio.to_thread(open_store, either.place)
    other = SqliteStore.open(tmp_path / "other.sqlite3")
    assert (await again.load()).instance == mine
    assert (await other.load()).instance != mine
    await again.close()
    await other.close()


# what the environment does ------------------------------------------------------------------------------------------


async def test_a_lock_is_waited_for(store: SqliteStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        committing = asyncio.create_task(store.commit(Changes(notes=[note(1)])))
        done, _ = await asyncio.wait([committing], timeout=sqlite.BUSY_MS / 1000 * 1.5)
        assert not done
        other.execute("ROLLBACK")
        await committing
    assert rows_in(path)["notes"] == 1


async def test_a_lock_that_stays_fails_within_its_bound_and_later_it_works_again(
    store: SqliteStore, path: Path
) -> None:
    began = time.monotonic()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreFailed, match="locked by another program"):
            await store.commit(Changes(notes=[note(1)]))
        other.execute("ROLLBACK")
    assert time.monotonic() - began < sqlite_lane.ATTEMPTS * sqlite.BUSY_MS / 1000 + 1
    assert rows_in(path)["notes"] == 0
    await store.commit(Changes(notes=[note(1)]))
    assert rows_in(path)["notes"] == 1


async def test_a_reader_never_holds_a_commit_up(store: SqliteStore, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM notes").fetchone()
        await store.commit(Changes(notes=[note(1)]))
        other.execute("ROLLBACK")


async def test_a_full_disk_takes_nothing_says_so_and_later_it_works_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True
    connect = sqlite.connect

    def connect_to_a_small_disk(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        if full and options["writable"]:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count={pages + 4}")
        return connection

    store = SqliteStore.open(path)
    monkeypatch.setattr(sqlite, "connect", connect_to_a_small_disk)
    await store.commit(Changes(notes=[note(1)]))
    much = Changes(notes=[note(2, "x" * 100_000)], control=Control(paused=True))
    for _ in range(2):
        with pytest.raises(StoreFailed, match="disk is full"):
            await store.commit(much)
    assert rows_in(path)["notes"] == 1
    assert (await store.load()).control == Control()

    full = False
    # What was opened on the full disk was let go of with its error.
    await store.commit(much)
    assert rows_in(path)["notes"] == 2
    await store.close()


async def test_a_disk_that_refuses_to_write_takes_nothing_and_later_it_works_again(
    store: SqliteStore, path: Path
) -> None:
    resource = pytest.importorskip("resource")
    await store.commit(Changes(notes=[note(1)]))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(StoreFailed, match=r"disk (does not|is full)"):
            await store.commit(Changes(notes=[note(2, "x" * 1_000_000)]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert rows_in(path)["notes"] == 1
    await store.commit(Changes(notes=[note(2, "x" * 1_000_000)]))
    assert (await store.load()).next_log_id == 3


class SickConnection(sqlite3.Connection):
    """One whose commits are taken by the disk, which then says that it did not."""

    commits_lie = False

    def commit(self) -> None:
        super().commit()
        if type(self).commits_lie:
            raise _io_error()


def _io_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return error


@pytest.fixture
def sick(monkeypatch: pytest.MonkeyPatch) -> type[SickConnection]:
    class Sick(SickConnection): ...

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, **{"factory": Sick} | options))
    return Sick


async def test_a_commit_that_is_stored_though_the_disk_reports_an_error_is_no_failure(
    path: Path, sick: type[SickConnection]
) -> None:
    store = SqliteStore.open(path)
    await store.commit(Changes(notes=[note(1)]))
    sick.commits_lie = True
    await store.commit(Changes(notes=[note(2)]))
    sick.commits_lie = False
    await store.commit(Changes(notes=[note(3)]))
    assert rows_in(path)["notes"] == 3
    await store.close()


async def test_a_commit_that_turns_out_to_be_stored_after_it_was_told_to_have_failed_is_never_built_upon(
    path: Path, sick: type[SickConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore.open(path)
    await store.commit(Changes(notes=[note(1)]))
    sick.commits_lie = True
    opens = sqlite.connect

    def cannot_be_asked(*args: Any, **options: Any) -> sqlite3.Connection:
        raise _io_error()

    monkeypatch.setattr(sqlite, "connect", cannot_be_asked)
    with pytest.raises(StoreFailed, match="disk does not read or write"):
        await store.commit(Changes(notes=[note(2)]))
    monkeypatch.setattr(sqlite, "connect", opens)
    sick.commits_lie = False
    for _ in range(2):
        with pytest.raises(StoreFailed, match="Start ExEngine again"):
            await store.commit(Changes(notes=[note(2, "decided anew")]))
    await store.close()
    again = SqliteStore.open(path)
    assert [row.text for row in await again.last_log(5)] == ["a line", "a line"]
    await again.commit(Changes(notes=[note(3)]))
    await again.close()


async def test_a_store_that_was_replaced_while_in_use_is_never_written_to(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    await store.commit(Changes(notes=[note(1)]))
    away = tmp_path / "away.sqlite3"
    os.rename(path, away)
    with pytest.raises(StoreFailed, match="not where it was"):
        await store.commit(Changes(notes=[note(2)]))
    with pytest.raises(UserError, match="last entries"):
        SqliteStore.open(path)

    os.rename(f"{path}-wal", f"{away}-wal")
    other = SqliteStore.open(path)
    await other.close()
    with pytest.raises(StoreFailed, match="replaced by another file"):
        await store.commit(Changes(notes=[note(2)]))
    assert rows_in(path)["notes"] == 0
    assert rows_in(away)["notes"] == 1


def size_of(path: Path) -> int:
    return path.stat().st_size


async def test_what_is_committed_is_folded_into_the_file_only_once_it_is_more_than_a_burst_brings(
    store: SqliteStore, path: Path
) -> None:
    size, of_a_page = size_of(path), "x" * 4000
    await store.commit(Changes(notes=[note(number, of_a_page) for number in range(1, 2001)]))
    assert size_of(path) == size
    await store.commit(Changes(notes=[note(number, of_a_page) for number in range(2001, 5001)]))
    assert size_of(path) > size + 5000 * len(of_a_page)


async def test_what_was_opened_for_reading_is_never_written_to(store: SqliteStore, path: Path) -> None:
    await store.commit(Changes(notes=[note(1)]))
    reading = SqliteStore.open(path, read_only=True)
    with pytest.raises(StoreFailed, match="reading only"):
        await reading.commit(Changes(notes=[note(2)]))
    assert [row.id for row in await reading.last_log(5)] == [1]
    await store.commit(Changes(notes=[note(2)]))
    assert [row.id for row in await reading.last_log(5)] == [1, 2]
    await reading.close()


async def test_closing_waits_for_what_is_being_written_and_leaves_one_file(store: SqliteStore, path: Path) -> None:
    committing = asyncio.create_task(store.commit(Changes(notes=[note(1, "x" * 1_000_000)])))
    await asyncio.sleep(0)
    await store.close()
    await committing
    await store.close()
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert rows_in(path)["notes"] == 1
