"""Old log lines and the texts of old alerts go, a few at a time; what was traded stays for ever."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection, func, select

from exengine.domain.journal import Category, Note, Severity
from exengine.engine.changes import Changes, StoreFailed
from exengine.store import retention, schema, sqlite
from exengine.store.address import Place
from exengine.store.database import DatabaseStore
from exengine.store.places import open_store, read_store
from exengine.store.retention import EVERY_S, FIRST_S, LOT, PAUSE_S, retention_timer, trim
from tests.helpers.query_plans import query_plans
from tests.helpers.world import World
from tests.integration.test_store_export import a_day, one_slot, stored

DAY_MS = 24 * 3600 * 1000
NOW_MS = 1_800_000_000_000


def line(at_ms: int, group: str = "") -> Note:
    return Note(at_ms=at_ms, severity=Severity.INFO, category=Category.SYSTEM, text="a line", group=group)


async def trimmed(store: DatabaseStore, before_ms: int, at_most: int = LOT) -> int:
    return await store.tidy(lambda connection: trim(connection, before_ms, at_most))


def counts(place: Place) -> dict[str, int]:
    def count(connection: Connection) -> dict[str, int]:
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in schema.metadata.tables.items()
            if name != "meta"
        }

    return read_store(place, count)


def bodies(place: Place) -> list[str]:
    signals = schema.signals.c
    return read_store(place, lambda connection: list(connection.scalars(select(signals.body).order_by(signals.id))))


async def test_only_log_lines_and_texts_of_alerts_go_and_everything_else_stays(place: Place) -> None:
    world = a_day(one_slot())
    store = await stored(place, world)
    before = counts(place)
    assert all(bodies(place))
    while await trimmed(store, world.now_ms + DAY_MS):
        pass
    live = next(iter(world.state.groups))
    assert counts(place) | {"notes": 0} == before | {"notes": 0}
    left = await store.last_log(1000)
    assert [row.group for row in left[:-1]] == [live] * (len(left) - 1)
    assert left[-1].id == before["notes"]
    assert bodies(place) == [""] * before["signals"]
    after = await store.load()
    assert after.next_log_id == before["notes"] + 1
    assert after.next_signal_id == world.state.next_signal_id
    assert after.seen == world.state.seen
    await store.close()


async def test_what_is_younger_stays(place: Place) -> None:
    store = await asyncio.to_thread(open_store, place)
    await store.commit(Changes(notes=[(number, line(number)) for number in range(1, 11)]))
    assert await trimmed(store, 6) == 5
    assert [row.at_ms for row in await store.last_log(100)] == [6, 7, 8, 9, 10]
    assert await trimmed(store, 6) == 0
    await store.close()


async def test_it_goes_a_few_rows_at_a_time_the_oldest_first(place: Place) -> None:
    store = await asyncio.to_thread(open_store, place)
    await store.commit(Changes(notes=[(number, line(number)) for number in range(1, 11)]))
    assert await trimmed(store, 100, at_most=4) == 4
    assert [row.at_ms for row in await store.last_log(100)] == [5, 6, 7, 8, 9, 10]
    await store.close()


async def test_an_alert_that_is_not_decided_keeps_its_text_for_the_next_start(place: Place) -> None:
    world = World()
    record = world.alert("50000")
    store = await asyncio.to_thread(open_store, place)
    await store.commit(Changes(signals={record.id: replace(world.signals[record.id], outcome=None)}))
    assert await trimmed(store, world.now_ms + DAY_MS) == 0
    assert bodies(place) == [record.body]
    await store.close()


async def test_the_texts_are_not_looked_at_again_once_they_are_gone(place: Place) -> None:
    world = a_day(one_slot())
    store = await stored(place, world)
    while await trimmed(store, world.now_ms + DAY_MS):
        pass
    record = world.alert("50000", tv__symbol="ETHUSDT")
    await store.commit(Changes(signals={record.id: world.signals[record.id]}))
    assert await trimmed(store, world.now_ms + DAY_MS) == 1
    assert bodies(place)[-1] == ""
    await store.close()


# the timer ------------------------------------------------------------------------------------------------------------


class Paused:
    """Simulated pauses: they are written down, and the last one that is wanted ends the timer."""

    def __init__(self, wanted: int) -> None:
        self.taken: list[float] = []
        self._wanted = wanted

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) == self._wanted:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


async def run(store: DatabaseStore, pauses: Paused, *, keep_days: int, settled: Callable[[], object] = list) -> None:
    async def quiet() -> None:
        settled()

    try:
        await retention_timer(store, keep_days=keep_days, now_ms=lambda: NOW_MS, settled=quiet, pause=pauses)
    except asyncio.CancelledError:
        return


async def aged(place: Place, days: list[int]) -> DatabaseStore:
    """A store with a line of each age, the oldest first."""
    store = await asyncio.to_thread(open_store, place)
    lines = [(number, line(NOW_MS - age * DAY_MS)) for number, age in enumerate(days, start=1)]
    await store.commit(Changes(notes=lines))
    return store


async def test_a_year_is_kept_however_short_the_log_files_are(place: Place) -> None:
    store = await aged(place, [400, 366, 364, 31, 0])
    await run(store, Paused(3), keep_days=1)
    assert [row.id for row in await store.last_log(10)] == [3, 4, 5]
    await store.close()


async def test_more_is_kept_where_the_trader_wants_more(place: Place) -> None:
    store = await aged(place, [1001, 999, 366, 0])
    await run(store, Paused(3), keep_days=1000)
    assert [row.id for row in await store.last_log(10)] == [2, 3, 4]
    await store.close()


async def test_it_waits_after_each_lot_and_for_what_is_being_traded(place: Place, monkeypatch) -> None:
    monkeypatch.setattr(retention, "LOT", 2)
    store = await aged(place, [500, 499, 498, 497, 0])
    waited: list[int] = []
    pauses = Paused(5)
    await run(store, pauses, keep_days=1, settled=lambda: waited.append(1))
    assert pauses.taken == [FIRST_S, PAUSE_S, PAUSE_S, EVERY_S, EVERY_S]
    assert len(waited) == 4
    await store.close()


async def test_a_store_that_takes_nothing_is_tried_again_later(place: Place, monkeypatch) -> None:
    store = await aged(place, [500, 0])
    tidy, failures = DatabaseStore.tidy, [StoreFailed("the disk is full")]

    async def at_first_not(self: DatabaseStore, work):
        if failures:
            raise failures.pop()
        return await tidy(self, work)

    monkeypatch.setattr(DatabaseStore, "tidy", at_first_not)
    await run(store, Paused(4), keep_days=1)
    assert [row.id for row in await store.last_log(10)] == [2]
    await store.close()


async def test_where_nothing_is_old_it_looks_through_nothing(tmp_path) -> None:
    """However long the history is: it is asked between two transactions of the engine."""
    path = tmp_path / "store.sqlite3"
    store = await aged(path, [0] * 5)
    with sqlite.engine(path, writable=False).connect() as connection, query_plans(connection) as plans:
        assert trim(connection, 1, LOT) == 0
    (asked,) = (steps for text, steps in plans.items() if "FROM notes" in text)
    assert not [step for step in asked if step.startswith("SCAN") and "INDEX" not in step]
    assert any("SEARCH notes USING INDEX ix_notes_at_ms" in step for step in asked)
    await store.close()
