"""What the dashboard reads from the store is what was traded, also where an older program has traded it."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from exengine.domain.instrument import Side
from exengine.domain.money import arithmetic
from exengine.domain.results import EquityMark, GroupResult, result_of
from exengine.domain.safety import unrealised
from exengine.domain.settings import Settings
from exengine.engine.changes import Changes
from exengine.engine.equity import EquityMarks
from exengine.store import sqlite
from exengine.store.address import Place
from exengine.store.database import DatabaseStore, SqliteStore
from exengine.store.places import open_store
from tests.helpers.alerts import ABSENT
from tests.helpers.world import World

D = Decimal


def a_day(world: World) -> World:
    """A group that was won, one that is half filled, one that never filled."""
    world.price("BTC/USDT", "50000")
    world.alert("50000", strategy_info__alert_name="Morning")
    world.price("BTC/USDT", "49400")
    world.price("BTC/USDT", "52000")
    world.price("ETH/USDT", "2100")
    world.alert("2000", tv__symbol="ETHUSDT", strategy_info__alert_name=ABSENT)
    world.alert("2000", tv__symbol="ETHUSDT", execution_intent__type="exit")
    world.alert("51000")
    world.price("BTC/USDT", "50990")
    return world


async def stored(store: DatabaseStore, world: World) -> list[EquityMark]:
    """Everything in transactions of one step each; the marks that were written."""
    await store.commit(Changes(instruments={world.account.name: world.instruments}))
    marks = EquityMarks()
    written = []
    for step in world.steps:
        changes = Changes()
        changes.add(step)
        mark = marks.after(world.state, [step])
        changes.equity.extend([mark] if mark else [])
        written.extend(changes.equity)
        await store.commit(changes)
    return written


def closed_in(world: World) -> list[GroupResult]:
    """What the books say of every group that has closed."""
    last = {group.id: group for step in world.steps for group in step.groups.values()}
    names = {"BTC/USDT": "Morning", "ETH/USDT": ""}
    with arithmetic():
        results = [result_of(group, names[group.key.symbol]) for group in last.values() if not group.is_open]
    return sorted(results, key=lambda one: (one.closed_at_ms, one.group_id))


async def test_results_and_marks_are_read_back_page_by_page(place: Place) -> None:
    world = a_day(World(Settings(), fees=None))
    store = await asyncio.to_thread(open_store, place)
    marks = await stored(store, world)
    first = await store.performance.results_after(0, 1)
    second = await store.performance.results_after(first.last, 1)
    third = await store.performance.results_after(second.last, 1)
    assert [*first.rows, *second.rows] == closed_in(world)
    assert (first.is_end, second.is_end, third.is_end, third.rows) == (False, False, True, ())
    won, never = closed_in(world)
    assert (won.strategy, won.side, won.realised > 0, won.cost > 0, won.fees > 0) == (
        "Morning", Side.LONG, True, True, True,
    )  # fmt: skip
    assert (never.realised, never.cost, never.fees) == (0, 0, 0)
    page = await store.performance.equity_after(0, 100)
    assert list(page.rows) == marks
    assert marks
    assert marks[-1].realised == world.state.ledger.realised_total
    size = await store.performance.size()
    assert (size.results, size.marks) == (2, len(marks))
    await store.close()


async def test_a_day_counts_its_signals_fees_and_errors(place: Place) -> None:
    world = a_day(World(Settings(), fees=None))
    store = await asyncio.to_thread(open_store, place)
    await stored(store, world)
    day = await store.performance.day(0)
    assert day.signals == {"opened": 3, "exited": 1}
    paid = sum((applied.fee_quote for step in world.steps for applied in step.fills), D(0))
    assert day.fees == {("paper", "USDT"): paid}
    assert (day.errors, day.last_error, day.offsets) == (0, None, ())
    tomorrow = await store.performance.day(world.now_ms + 86_400_000)
    assert (tomorrow.signals, tomorrow.fees, tomorrow.slowest_ms) == ({}, {}, None)
    await store.close()


async def test_what_an_older_program_traded_is_there_after_the_migration(tmp_path: Path) -> None:
    world = a_day(World(Settings(), fees=None))
    path = tmp_path / "store.sqlite3"
    store = SqliteStore.open(path)
    marks = await stored(store, world)
    await store.close()
    _on(path, _back_to_the_first_revision)
    store = SqliteStore.open(path)
    assert list((await store.performance.results_after(0, 10)).rows) == closed_in(world)
    page = await store.performance.equity_after(0, 100)
    assert {mark.at_ms: mark.realised for mark in page.rows} == {mark.at_ms: mark.realised for mark in marks}
    assert {mark.unrealised for mark in page.rows} == {None}
    await store.close()


def _on(path: Path, work: Callable[[Connection], Any]) -> None:
    with sqlite.engine(path, writable=True).connect() as connection, connection.begin():
        work(connection)


def _back_to_the_first_revision(connection: Connection) -> None:
    for name in ("orders_cause", "notes_cause", "queue_events_signal_id", "queue_events_cause"):
        connection.execute(text(f"DROP INDEX ix_{name}"))
    for table, column in (
        ("orders", "cause"), ("notes", "cause"), ("notes", "topic"), ("queue_events", "signal_id"),
        ("queue_events", "cause"), ("signals", "filled_at_ms"), ("signals", "replay_of"),
    ):  # fmt: skip
        connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    connection.execute(text("DROP TABLE results"))
    connection.execute(text("DROP TABLE equity"))
    connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))


@pytest.mark.parametrize("places", ["51000", "52000"])
def test_a_mark_values_what_is_open_as_the_brakes_do(places: str) -> None:
    world = World(Settings(), fees=None)
    world.price("ETH/USDT", "2000")
    world.alert("2000", tv__symbol="ETHUSDT")
    world.price("ETH/USDT", "1950")
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", places)
    closing = [step for step in world.steps if any(applied.realised for applied in step.fills)]
    with arithmetic():
        mark = EquityMarks().after(world.state, closing)
        assert mark is not None
        assert mark.unrealised == unrealised(world.state)
        assert mark.unrealised != 0
    assert mark.at_ms == closing[-1].now_ms
    assert EquityMarks().after(world.state, []) is None
