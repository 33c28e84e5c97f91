"""What a server, a network and a second engine do to a store in Postgres: it waits, refuses, and never guesses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Note, Severity
from exengine.engine.changes import Changes, StoreFailed
from exengine.store import postgres as driver
from exengine.store import postgres_lock, postgres_writer
from exengine.store.address import PostgresAddress
from exengine.store.check import check_store
from exengine.store.postgres_store import PostgresStore
from tests.helpers.postgres import PASSWORD, Server
from tests.helpers.postgres_wire import Cut, Wire


def line(number: int) -> Changes:
    note = Note(at_ms=number, severity=Severity.INFO, category=Category.SYSTEM, text=f"line {number}")
    return Changes(notes=[(number, note)])


class Troubles:
    """What a store told of, in order; any thread may tell."""

    def __init__(self) -> None:
        self.told: list[str | None] = []
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def __call__(self, why: str | None) -> None:
        self._loop.call_soon_threadsafe(self._take, why)

    def _take(self, why: str | None) -> None:
        self.told.append(why)
        self._changed.set()

    async def heard(self, words: str | None) -> None:
        """Waits until the last that was told says `words`, or that all is well."""
        while not (self.told and (self.told[-1] is None if words is None else words in (self.told[-1] or ""))):
            self._changed.clear()
            await self._changed.wait()


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, with shorter pauses between two looks at a server that is gone."""
    monkeypatch.setattr(postgres_lock, "BEAT_S", 0.5)  # a server on a busy machine must not seem gone
    monkeypatch.setattr(postgres_lock, "RETRY_S", 0.05)
    monkeypatch.setattr(postgres_writer, "PAUSES_S", (0.05,))


@asynccontextmanager
async def opened(address: PostgresAddress, **options: Any) -> AsyncIterator[PostgresStore]:
    store = await asyncio.to_thread(PostgresStore.open, address, **options)
    try:
        yield store
    finally:
        await store.close()


async def lines_in(address: PostgresAddress) -> list[int]:
    async with opened(address, read_only=True) as store:
        return [row.id for row in await store.last_log(1000)]


# a commit in doubt (FAULTS 51) --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [Cut.BEFORE_IT_ARRIVES, Cut.UNNOTICED])
async def test_a_commit_that_never_arrived_fails_and_works_the_next_time(postgres: Server, how: Cut) -> None:
    database = postgres.database()
    async with Wire(database) as wire, opened(wire.address) as store:
        await store.commit(line(1))
        wire.cut_at_commit(how)
        with pytest.raises(StoreFailed, match=r"connection|lock"):
            await store.commit(line(2))
        assert await lines_in(database) == [1]
        await at_last(store, line(3))
        assert await lines_in(database) == [1, 3]


async def at_last(store: PostgresStore, changes: Changes) -> None:
    """Stores it as the engine does: again, for as long as the lock, whose session was cut too, is not had again."""
    while True:
        try:
            return await store.commit(changes)
        except StoreFailed:
            await asyncio.sleep(0.01)


async def test_a_commit_whose_answer_was_lost_is_found_and_is_no_failure(postgres: Server) -> None:
    database = postgres.database()
    async with Wire(database) as wire, opened(wire.address) as store:
        await store.commit(line(1))
        wire.cut_at_commit(Cut.BEFORE_THE_ANSWER)
        await store.commit(line(2))
        assert wire.was_cut.is_set()
        assert await lines_in(database) == [1, 2]
        await at_last(store, line(3))
        assert await lines_in(database) == [1, 2, 3]


@pytest.mark.parametrize("how", list(Cut))
async def test_while_the_server_is_gone_nobody_is_told_that_a_commit_in_doubt_failed_or_not(
    postgres: Server, how: Cut
) -> None:
    database = postgres.database()
    troubles = Troubles()
    async with Wire(database) as wire, opened(wire.address, on_trouble=troubles) as store:
        wire.cut_at_commit(how, then_down=True)
        committing = asyncio.create_task(store.commit(line(1)))
        await wire.asked_while_down.wait()
        await troubles.heard("not known yet whether the last transaction was stored")
        assert not committing.done()
        wire.is_down = False
        if how is Cut.BEFORE_THE_ANSWER:
            await committing
        else:
            with pytest.raises(StoreFailed):
                await committing
        await troubles.heard(None)
        assert await lines_in(database) == ([1] if how is Cut.BEFORE_THE_ANSWER else [])


async def test_a_stop_while_a_commit_is_in_doubt_waits_for_nobody(postgres: Server) -> None:
    troubles = Troubles()
    async with Wire(postgres.database()) as wire:
        async with opened(wire.address, on_trouble=troubles) as store:
            wire.cut_at_commit(Cut.BEFORE_IT_ARRIVES, then_down=True)
            committing = asyncio.create_task(store.commit(line(1)))
            await troubles.heard("not known yet")
        with pytest.raises(StoreFailed, match="the next start finds out"):
            await committing


async def test_the_server_is_killed_in_the_middle_and_every_commit_that_was_told_of_is_there(
    own_postgres: Server,
) -> None:
    database = own_postgres.database()
    stored: list[int] = []
    async with opened(database) as store:
        for round_ in range(2):
            restarting: asyncio.Future[None] | None = None
            for number in range(round_ * 1000 + 1, round_ * 1000 + 1000):
                try:
                    await store.commit(line(number))
                    stored.append(number)
                except StoreFailed:
                    await asyncio.sleep(0.02)  # as the engine does before it tries again
                if restarting is None and stored and len(stored) % 20 == 0:
                    restarting = asyncio.ensure_future(asyncio.to_thread(_killed_and_started, own_postgres))
                if restarting is not None and restarting.done() and stored[-1] == number:
                    break
            assert restarting is not None
            await restarting
        assert await lines_in(database) == stored[-1000:]
        assert len(stored) > 40


def _killed_and_started(server: Server) -> None:
    server.stop("immediate")
    server.start()


# one engine at a time -----------------------------------------------------------------------------------------------


async def test_a_second_engine_is_told_where_the_first_one_runs(postgres: Server) -> None:
    database = postgres.database()
    async with opened(database) as first:
        with pytest.raises(UserError, match=r"already runs on the database .* \(on .*\(\d+\)") as refused:
            await asyncio.to_thread(PostgresStore.open, database)
        assert "Stop" in refused.value.remedy or "stop" in refused.value.remedy
        await first.commit(line(1))
        assert await lines_in(database) == [1]
    async with opened(database) as second:
        assert (await second.load()).next_log_id == 2


async def test_an_engine_that_is_started_at_once_waits_until_the_server_has_noticed_that_the_last_one_died(
    postgres: Server,
) -> None:
    database = postgres.database()
    async with opened(database) as store:
        await store.commit(line(1))
    lingering = await driver.connect(database, "an engine that has died")
    assert await lingering.fetchval("SELECT pg_try_advisory_lock($1)", postgres_lock.LOCK_KEY)
    opening = asyncio.ensure_future(asyncio.to_thread(PostgresStore.open, database))
    refused = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%advisory%'"
    while await lingering.fetchval(refused) < 2:  # noqa: ASYNC110  # itself, and who has asked for the lock
        await asyncio.sleep(0)
    await lingering.close()
    again = await opening
    await again.close()


async def test_what_was_opened_for_reading_takes_no_lock_and_is_never_written_to(postgres: Server) -> None:
    database = postgres.database()
    async with opened(database, read_only=True) as reading, opened(database) as store:
        with pytest.raises(StoreFailed, match="reading only"):
            await reading.commit(line(1))
        await store.commit(line(2))
        assert [row.id for row in await reading.last_log(5)] == [2]


async def test_a_lost_lock_stops_commits_until_it_is_had_again(postgres: Server) -> None:
    database = postgres.database()
    troubles = Troubles()
    async with Wire(database) as wire, opened(wire.address, on_trouble=troubles) as store:
        wire.is_down = True
        wire.cut()
        await troubles.heard("lock on the database was lost")
        with pytest.raises(StoreFailed, match="lock on the database was lost"):
            await store.commit(line(1))
        wire.is_down = False
        await troubles.heard(None)
        await store.commit(line(1))
        assert await lines_in(database) == [1]


async def test_a_lock_whose_session_the_server_ended_is_had_again(postgres: Server) -> None:
    database = postgres.database()
    troubles = Troubles()
    async with opened(database, on_trouble=troubles) as store:
        ended = postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database.database
        )
        assert ended
        await troubles.heard("lost")
        await troubles.heard(None)
        await store.commit(line(1))


async def test_an_engine_whose_database_another_one_took_writes_nothing_any_more(postgres: Server) -> None:
    database = postgres.database()
    troubles = Troubles()
    async with Wire(database) as wire, opened(wire.address, on_trouble=troubles) as first:
        await first.commit(line(1))
        wire.is_down = True
        wire.cut()
        await troubles.heard("lost")
        async with opened(database) as second:
            await second.commit(line(2))
            wire.is_down = False
            await troubles.heard("Another ExEngine has taken this database over")
            with pytest.raises(StoreFailed, match="taken this database over"):
                await first.commit(line(3))
        with pytest.raises(StoreFailed, match="taken this database over"):
            await first.commit(line(3))
    assert await lines_in(database) == [1, 2]


async def test_a_transaction_that_comes_after_another_engines_is_refused_though_nobody_noticed(
    postgres: Server,
) -> None:
    database = postgres.database()
    async with opened(database) as store:
        await store.commit(line(1))
        postgres.sql("UPDATE meta SET value = 'another:0' WHERE key = 'writer'", at=database)
        with pytest.raises(StoreFailed, match="taken this database over"):
            await store.commit(line(2))
    assert await lines_in(database) == [1]


# what the server does -----------------------------------------------------------------------------------------------


async def test_a_row_that_somebody_else_has_locked_fails_within_its_bound_and_later_it_works(postgres: Server) -> None:
    database = postgres.database()
    async with opened(database) as store:
        other = await driver.connect(database, "another program")
        held = other.transaction()
        await held.start()
        await other.execute("LOCK TABLE notes IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreFailed, match="locked by another session"):
            await store.commit(line(1))
        await held.rollback()
        await other.close()
        await store.commit(line(1))
    assert await lines_in(database) == [1]


async def test_a_server_that_takes_no_writes_is_told_as_such_and_later_it_works(postgres: Server) -> None:
    database = postgres.database()
    of_ours = f"ALTER ROLE {database.user} IN DATABASE {database.database}"
    async with opened(database) as store:
        postgres.sql(f"{of_ours} SET default_transaction_read_only = on")
        with pytest.raises(StoreFailed, match="takes no writes now"):
            await store.commit(line(1))
        postgres.sql(f"{of_ours} RESET default_transaction_read_only")
        await store.commit(line(1))
    assert await lines_in(database) == [1]
    postgres.sql(f"{of_ours} SET default_transaction_read_only = on")
    with pytest.raises(UserError, match="takes no writes now"):
        await asyncio.to_thread(PostgresStore.open, database)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "not it"}, "does not accept this user and password"),
        ({"database": "nowhere"}, "no database of that name"),
        ({"port": 1}, "cannot be reached"),
    ],
    ids=["password", "database", "port"],
)
async def test_a_database_that_cannot_be_used_is_refused_with_what_to_do(
    postgres: Server, wrong: dict[str, Any], words: str
) -> None:
    address = replace(postgres.root, **wrong)
    with pytest.raises(UserError, match=words) as refused:
        await asyncio.to_thread(PostgresStore.open, address)
    assert refused.value.remedy
    assert PASSWORD not in str(refused.value)
    with pytest.raises(UserError, match=words):
        await asyncio.to_thread(check_store, address)


async def test_a_commit_waits_for_the_servers_disk_whatever_the_server_is_set_to(postgres: Server) -> None:
    database = postgres.database()
    postgres.sql(f"ALTER DATABASE {database.database} SET synchronous_commit = off")
    connection = await driver.connect(database, "ExEngine")
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    await connection.close()


async def test_a_server_that_does_not_wait_for_its_disk_is_told_of(own_postgres: Server) -> None:
    database = own_postgres.database()
    assert "fsync" not in await asyncio.to_thread(check_store, database)
    await asyncio.to_thread(own_postgres.stop)
    await asyncio.to_thread(lambda: own_postgres.start(fsync="off"))
    try:
        assert "fsync off" in await asyncio.to_thread(check_store, database)
    finally:
        await asyncio.to_thread(own_postgres.stop)
        await asyncio.to_thread(own_postgres.start)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("53100", "disk is full"),
        ("25006", "takes no writes"),
        ("40P01", "Another session"),
        ("57014", "took too long"),
        ("57P01", "stopping or starting"),
        ("53300", "no connection left"),
        ("58030", "does not do its work"),
        ("XX001", "damaged"),
    ],
)
def test_an_error_of_the_servers_is_told_in_words(state: str, words: str) -> None:
    error = RuntimeError("what the server said")
    error.sqlstate = state  # type: ignore[attr-defined]
    assert driver.is_environment(error)
    assert words in driver.words(error)
    assert driver.words(error).endswith(f" (what the server said, {state}).")


def test_an_error_of_ours_is_none_of_the_environments() -> None:
    error = RuntimeError("no such column")
    error.sqlstate = "42703"  # type: ignore[attr-defined]
    assert not driver.is_environment(error)
    assert not driver.is_environment(TypeError("a float"))
