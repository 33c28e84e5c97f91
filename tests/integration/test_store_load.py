"""What a start and the dashboard's day read of the store: never all that has ever been traded."""

import asyncio
from pathlib import Path

import pytest

from exengine.store import performance, reader, sqlite
from exengine.store.address import Place
from exengine.store.places import open_store
from tests.helpers.query_plans import query_plans
from tests.integration.test_store_export import a_day, one_slot, stored

HISTORY = ("groups", "orders", "fills", "signals", "results", "equity", "notes", "offsets", "queue_events")
"""The tables that grow for ever."""


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    store = await stored(tmp_path / "store.sqlite3", a_day(one_slot()))
    await store.close()
    return tmp_path / "store.sqlite3"


def looked_through(plans: dict[str, list[str]]) -> list[str]:
    """What reads a whole table of the history, or in an index what is not in it."""
    whole = tuple(f"SCAN {table}" for table in HISTORY)
    return [
        text
        for text, steps in plans.items()
        if any(step.startswith(whole) and "COVERING INDEX" not in step for step in steps)
    ]


def test_the_dashboard_finds_a_day_by_its_time(path: Path) -> None:
    """It asks after each close, and again every few seconds while prices move."""
    with sqlite.engine(path, writable=False).connect() as connection, query_plans(connection) as plans:
        assert sum(performance.day(connection, 0).signals.values()) == 5
        performance.size(connection)
    assert looked_through(plans) == []


def test_a_start_looks_through_no_table_of_the_history(path: Path) -> None:
    """However many groups have closed. The greatest of a kind is found at an index's end, numbers in an index alone."""
    with sqlite.engine(path, writable=False).connect() as connection, query_plans(connection) as plans:
        loaded = reader.load(connection)
        assert reader.closed_groups(connection) == 1
    assert len(loaded.groups) == 1
    assert loaded.orders
    # The one that reads the last row alone goes backwards from the end.
    assert [text for text in looked_through(plans) if "LIMIT" not in text] == []
    assert any("SEARCH orders USING INDEX ix_orders_group_id (group_id=?)" in steps for steps in plans.values())


async def test_a_start_finds_the_groups_that_live_with_their_orders_in_order(place: Place) -> None:
    world = a_day(one_slot())
    await (await stored(place, world)).close()
    store = await asyncio.to_thread(open_store, place)
    loaded = await store.load()
    await store.close()
    assert {group.id for group in loaded.groups} == set(world.state.groups)
    assert [order.client_id for order in loaded.orders] == [
        order.client_id for order in world.orders.values() if order.group_id in world.state.groups
    ]
    assert list(loaded.seen) == list(world.state.seen)
