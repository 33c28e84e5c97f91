"""From nothing and from each older shape of the tables, with rows in them, on both databases."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import BigInteger, Boolean, Connection, Integer, MetaData, Table, Text, insert, select

from exengine.store import migrate, schema, sqlite
from exengine.store.address import Place, PostgresAddress
from exengine.store.loop_thread import LoopThread
from exengine.store.places import open_store, read_store
from exengine.store.postgres_session import once
from tests.helpers.postgres import Server

T = TypeVar("T")


@pytest.fixture(params=["sqlite", "postgres"])
def nothing(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place without any store."""
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        return server.empty_database()
    return tmp_path / "store.sqlite3"


def written(place: Place, work: Callable[[Connection], T]) -> T:
    """What `work` gives, done in one transaction."""
    if isinstance(place, PostgresAddress):
        thread = LoopThread("test")
        try:
            return thread.call(once(place, work, writable=True))
        finally:
            thread.stop()
    place.touch()
    with sqlite.engine(place, writable=True).connect() as connection, connection.begin():
        return work(connection)


def tables_in(connection: Connection) -> MetaData:
    """The tables as they are there, whatever this program makes of them."""
    found = MetaData()
    found.reflect(connection)
    return found


def a_row(table: Table, number: int) -> dict[str, Any]:
    """A row that fits: numbers for numbers, texts for texts, and a reference to the row of the same number."""
    kinds = {Integer: number, BigInteger: number, Boolean: True, Text: str(number)}
    row = {}
    for column in table.columns:
        fitting = [value for kind, value in kinds.items() if isinstance(column.type, kind)]
        row[column.name] = fitting[0]
    return row


def fill(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Three rows in each table; what was put there."""
    put = {}
    for table in tables_in(connection).sorted_tables:
        if table.name != "alembic_version":
            put[table.name] = [a_row(table, number) for number in (1, 2, 3)]
            connection.execute(insert(table), put[table.name])
    return put


def rows_in(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in tables_in(connection).sorted_tables
    }


def differences(connection: Connection) -> Any:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return compare_metadata(context, schema.metadata)


async def test_from_nothing_come_exactly_the_tables_that_the_program_uses(nothing: Place) -> None:
    store = await asyncio.to_thread(open_store, nothing)
    await store.close()
    assert read_store(nothing, differences) == []


@pytest.mark.parametrize("revision", migrate.REVISIONS)
async def test_from_each_revision_with_rows_in_it_a_start_reaches_the_last_and_keeps_them(
    nothing: Place, revision: str
) -> None:
    def older(connection: Connection) -> dict[str, list[dict[str, Any]]]:
        migrate.upgrade(connection, to=revision)
        return fill(connection)

    put = written(nothing, older)
    store = await asyncio.to_thread(open_store, nothing)
    await store.close()
    assert read_store(nothing, differences) == []
    found = read_store(nothing, rows_in)
    assert found["alembic_version"] == [{"version_num": migrate.REVISIONS[-1]}]
    for name, rows in put.items():
        kept = found.get(name, [])
        if name == "meta":
            kept = [row for row in kept if row["key"] in ("1", "2", "3")]
        assert len(kept) == len(rows), name
        # What a later revision calls or computes otherwise is its own test's matter; what it left alone is unchanged.
        for before, after in zip(rows, kept, strict=True):
            assert before.items() <= after.items() or revision != migrate.REVISIONS[-1]


@pytest.mark.parametrize("revision", migrate.REVISIONS)
def test_a_row_can_be_added_after_those_that_were_migrated(nothing: Place, revision: str) -> None:
    """Counted keys go on counting where the older rows ended."""

    def older(connection: Connection) -> None:
        migrate.upgrade(connection, to=revision)
        groups = tables_in(connection).tables["groups"]
        row = a_row(groups, 7)
        del row["seq"]
        connection.execute(insert(groups), [row])

    def added(connection: Connection) -> list[int]:
        migrate.upgrade(connection)
        groups = tables_in(connection).tables["groups"]
        row = a_row(groups, 8)
        del row["seq"]
        connection.execute(insert(groups), [row])
        return list(connection.scalars(select(groups.c.seq).order_by(groups.c.seq)))

    written(nothing, older)
    first, second = written(nothing, added)
    assert first < second


async def test_orders_and_lines_of_before_get_the_cause_that_their_alert_is(nothing: Place) -> None:
    def older(connection: Connection) -> None:
        migrate.upgrade(connection, to="0002")
        tables = tables_in(connection).tables
        connection.execute(insert(tables["groups"]), [a_row(tables["groups"], 1)])
        for name in ("orders", "notes"):
            of_an_alert, of_none = a_row(tables[name], 1), a_row(tables[name], 2)
            of_none["signal_id"] = None
            if name == "orders":
                of_none["group_id"] = "1"
            connection.execute(insert(tables[name]), [of_an_alert, of_none])

    def causes(connection: Connection) -> list[list[str]]:
        return [list(connection.scalars(select(one.c.cause).order_by(one.c.signal_id))) for one in (orders, notes)]

    orders, notes = schema.orders, schema.notes
    written(nothing, older)
    store = await asyncio.to_thread(open_store, nothing)
    await store.close()
    assert [sorted(found) for found in read_store(nothing, causes)] == [["", "signal-1"]] * 2
