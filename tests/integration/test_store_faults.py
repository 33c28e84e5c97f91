"""Whichever statement of whichever commit fails, nothing of it is stored; the next try works (FAULTS 49, 50)."""

import asyncio
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from exengine.domain.settings import PoolSettings, Settings
from exengine.engine.changes import Changes, StoreFailed
from exengine.store import mark, schema, sqlite
from exengine.store.address import Place, PostgresAddress
from exengine.store.places import open_store, read_postgres, read_store
from tests.helpers.store_faults import DISK_BROKEN, DISK_FULL, FILE_LOCKED, READ_ONLY, Faults, faults
from tests.helpers.world import World

CASES = [
    ("sqlite", DISK_FULL),
    ("sqlite", DISK_BROKEN),
    ("sqlite", FILE_LOCKED),
    ("sqlite", READ_ONLY),
    ("postgres", DISK_FULL),
    ("postgres", READ_ONLY),
]


def a_life() -> list[Changes]:
    """Transactions with something in every table: a group that closes, one that opens, one that waits, a refusal."""
    world = World(Settings(pool=PoolSettings(max_open_groups=1)), fees=None)
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "49400")
    world.alert("2000", tv__symbol="ETHUSDT")
    world.price("BTC/USDT", "52000")
    world.alert("nonsense")
    units = [Changes(instruments={world.account.name: world.instruments})]
    number = 1
    for step in world.steps:
        unit = Changes(market_clock_ms=number)
        unit.add(step)
        for note in step.notes:
            unit.notes.append((number, note))
            number += 1
        units.append(unit)
    # As an engine does that has waited for the store: what was decided meanwhile goes in one transaction.
    together = [units[0]]
    for at in range(1, len(units), 4):
        together.append(Changes(market_clock_ms=at))
        for unit in units[at : at + 4]:
            for name in ("groups", "orders", "signals", "waiting", "moved"):
                getattr(together[-1], name).update(getattr(unit, name))
            for name in ("fills", "queue_events", "notes"):
                getattr(together[-1], name).extend(getattr(unit, name))
    return together


def contents(place: Place) -> dict[str, list[Any]]:
    """All rows, but for the store's own name and its writer's."""

    def read(connection: Connection) -> dict[str, list[Any]]:
        return {
            name: [tuple(row) for row in connection.execute(select(table)) if row[0] not in ("instance", mark.KEY)]
            for name, table in schema.metadata.tables.items()
        }

    found = read_postgres(place, read) if isinstance(place, PostgresAddress) else read_store(place, read)
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


async def stored_in_spite_of(place: Place, faulty: Faults, kind: tuple[int, str]) -> int:
    """Commits a life while each statement in turn fails; how often that was."""
    store = await asyncio.to_thread(open_store, place)
    for changes in a_life():
        before = contents(place)
        for statement in count(1):
            happened = faulty.happened
            faulty.at(statement, kind)
            try:
                await store.commit(changes)
            except StoreFailed:
                faulty.end()
                assert contents(place) == before
            else:
                faulty.end()
                assert faulty.happened == happened
                assert contents(place) != before
                break
    await store.close()
    return faulty.happened


@pytest.mark.parametrize(
    ("place", "kind"), CASES, indirect=["place"], ids=lambda one: str(one[1] if isinstance(one, tuple) else one)
)
async def test_a_fault_at_any_statement_leaves_nothing_behind_and_is_over_with_its_cause(
    place: Place, kind: tuple[int, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = await asyncio.to_thread(open_store, tmp_path / "undisturbed.sqlite3")
    for changes in a_life():
        await undisturbed.commit(changes)
    await undisturbed.close()

    monkeypatch.setattr(sqlite, "BUSY_MS", 1)
    with faults() as faulty:
        assert await stored_in_spite_of(place, faulty, kind) > 30
    assert contents(place) == _as_counted(contents(tmp_path / "undisturbed.sqlite3"), contents(place))


def _as_counted(wanted: dict[str, list[Any]], found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """`wanted` with the counted keys of `found`: a number that was drawn for a row that was not stored is lost."""
    told = {}
    for name, rows in wanted.items():
        counted = "seq" in schema.metadata.tables[name].columns
        if counted:
            ordered = sorted(found[name])
            assert [row[1:] for row in sorted(rows)] == [row[1:] for row in ordered]
        told[name] = found[name] if counted else rows
    return told
