"""A database is migrated whole or not at all, or refused and left as it was (FAULTS 52)."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Note, Severity
from exengine.engine.changes import Changes
from exengine.store import migrate
from exengine.store.address import PostgresAddress
from exengine.store.check import check_store
from exengine.store.postgres_store import PostgresStore
from tests.helpers.postgres import Server
from tests.migrations.test_migrations import FAILS, NEXT

LINE = Note(at_ms=1, severity=Severity.INFO, category=Category.SYSTEM, text="a line of the older program")

Later = Callable[[str], None]


@pytest.fixture
async def filled(postgres: Server) -> PostgresAddress:
    address = postgres.database()
    store = await asyncio.to_thread(PostgresStore.open, address)
    await store.commit(Changes(notes=[(1, LINE)]))
    await store.close()
    return address


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Later:
    """Lets the program be a later one with one more migration, whose script is given."""

    def become(script: str) -> None:
        scripts = tmp_path / "scripts"
        shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
        (scripts / "versions" / "9000_later.py").write_text(script, encoding="utf-8")
        monkeypatch.setattr(migrate, "SCRIPTS", scripts)
        monkeypatch.setattr(migrate, "REVISIONS", (*migrate.REVISIONS, "9000"))

    return become


def contents(server: Server, address: PostgresAddress) -> list[str]:
    """The columns, the lines and the version of a database."""
    columns = server.sql(
        "SELECT table_name || '.' || column_name AS name FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY 1",
        at=address,
    )
    lines = server.sql("SELECT id || text AS line FROM notes", at=address)
    (version,) = server.sql("SELECT version_num FROM alembic_version", at=address)
    return [*(row["name"] for row in columns), *(row["line"] for row in lines), version["version_num"]]


async def test_an_older_database_is_migrated(postgres: Server, filled: PostgresAddress, later: Later) -> None:
    later(NEXT)
    assert "older version" in await asyncio.to_thread(check_store, filled)
    with pytest.raises(UserError, match="older ExEngine"):
        await asyncio.to_thread(lambda: PostgresStore.open(filled, read_only=True))
    store = await asyncio.to_thread(PostgresStore.open, filled)
    assert [row.text for row in await store.last_log(5)] == [LINE.text]
    await store.close()
    assert [row["added"] for row in postgres.sql("SELECT added FROM notes", at=filled)] == ["later"]


async def test_a_migration_that_fails_leaves_the_database_as_it_was_and_free_for_the_older_program(
    postgres: Server, filled: PostgresAddress, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(postgres, filled)
    with monkeypatch.context():
        later(NEXT + FAILS)
        with pytest.raises(Exception, match="no_such_table"):
            await asyncio.to_thread(PostgresStore.open, filled)
    assert contents(postgres, filled) == before


async def test_a_newer_database_is_refused_with_what_to_do_and_left_as_it_was(
    postgres: Server, filled: PostgresAddress
) -> None:
    postgres.sql("UPDATE alembic_version SET version_num = '9999'", at=filled)
    before = contents(postgres, filled)
    for read_only in (False, True):
        with pytest.raises(UserError, match="newer ExEngine") as refused:
            await asyncio.to_thread(lambda mode=read_only: PostgresStore.open(filled, read_only=mode))
        assert "Install" in refused.value.remedy
    with pytest.raises(UserError, match="newer ExEngine"):
        await asyncio.to_thread(check_store, filled)
    assert contents(postgres, filled) == before


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("DROP TABLE queue_events", r"damaged \(queue_events missing\)"),
        ("ALTER TABLE orders DROP COLUMN covers", r"damaged \(orders.covers missing\)"),
        ("DROP TABLE alembic_version", "another program"),
        ("DELETE FROM alembic_version", "its version is not told"),
    ],
)
async def test_what_cannot_be_read_is_refused_with_what_to_do(
    postgres: Server, filled: PostgresAddress, spoil: str, words: str
) -> None:
    postgres.sql(spoil, at=filled)
    for read_only in (False, True):
        with pytest.raises(UserError, match=words) as refused:
            await asyncio.to_thread(lambda mode=read_only: PostgresStore.open(filled, read_only=mode))
        assert refused.value.remedy
        assert refused.value.safe
    with pytest.raises(UserError, match=words):
        await asyncio.to_thread(check_store, filled)


async def test_a_document_that_this_program_cannot_read_is_told_as_such(
    postgres: Server, filled: PostgresAddress
) -> None:
    postgres.sql("INSERT INTO meta VALUES ('control', 'not json')", at=filled)
    store = await asyncio.to_thread(PostgresStore.open, filled)
    with pytest.raises(UserError, match="cannot read"):
        await store.load()
    await store.close()


async def test_a_database_that_was_never_started_on_is_not_opened_for_reading(postgres: Server) -> None:
    with pytest.raises(UserError, match="no store"):
        await asyncio.to_thread(lambda: PostgresStore.open(postgres.empty_database(), read_only=True))
