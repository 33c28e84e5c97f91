"""A store is migrated with a backup, or refused and left as it was, byte for byte."""

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Note, Severity
from exengine.engine.changes import Changes
from exengine.store import SqliteStore, migrate

LINE = Note(at_ms=1, severity=Severity.INFO, category=Category.SYSTEM, text="a line of the older program")

LAST = migrate.REVISIONS[-1]

NEXT = f'''"""A later shape of the tables."""

import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{LAST}"


def upgrade() -> None:
    op.add_column("notes", sa.Column("added", sa.Text(), nullable=False, server_default="later"))
'''

FAILS = """

_works = upgrade


def upgrade() -> None:
    _works()
    op.execute("INSERT INTO no_such_table VALUES (1)")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def older(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Lets the program be a later one with one more migration, whose script is given."""

    def later(script: str) -> Path:
        scripts = tmp_path / "scripts"
        shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
        (scripts / "versions" / "9000_later.py").write_text(script, encoding="utf-8")
        monkeypatch.setattr(migrate, "SCRIPTS", scripts)
        monkeypatch.setattr(migrate, "REVISIONS", (*migrate.REVISIONS, "9000"))
        return path

    return later


async def filled(path: Path) -> None:
    store = SqliteStore.open(path)
    await store.commit(Changes(notes=[(1, LINE)]))
    await store.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


def test_the_program_knows_its_migrations_in_their_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == migrate.REVISIONS


async def test_a_new_store_needs_no_backup_and_only_its_owner_may_read_it(path: Path) -> None:
    store = SqliteStore.open(path)
    await store.commit(Changes(notes=[(1, LINE)]))
    assert store.backup is None
    if sys.platform != "win32":
        assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    await store.close()


async def test_opening_a_store_of_the_same_version_makes_no_backup(path: Path) -> None:
    await filled(path)
    before = contents(path.parent)
    store = SqliteStore.open(path)
    assert store.backup is None
    await store.close()
    assert contents(path.parent) == before


async def test_an_older_store_is_migrated_and_its_backup_is_what_it_was(
    path: Path, older: Callable[[str], Path]
) -> None:
    await filled(path)
    with closing(sqlite3.connect(path)) as file:
        before = list(file.iterdump())
    store = SqliteStore.open(older(NEXT))
    assert [row.text for row in await store.last_log(5)] == [LINE.text]
    assert store.backup == path.with_name(f"store.sqlite3.{LAST}.backup")
    await store.close()
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT added FROM notes").fetchall() == [("later",)]
        assert file.execute("SELECT version_num FROM alembic_version").fetchall() == [("9000",)]
    with closing(sqlite3.connect(store.backup)) as file:
        assert list(file.iterdump()) == before

    again = SqliteStore.open(path)
    assert again.backup is None
    await again.close()


async def test_a_backup_never_overwrites_an_earlier_one(path: Path, older: Callable[[str], Path]) -> None:
    await filled(path)
    earlier = path.with_name(f"store.sqlite3.{LAST}.backup")
    earlier.write_text("kept")
    store = SqliteStore.open(older(NEXT))
    assert store.backup == path.with_name(f"store.sqlite3.{LAST}-2.backup")
    assert earlier.read_text() == "kept"
    await store.close()


async def test_a_migration_that_fails_leaves_the_store_as_it_was(path: Path, older: Callable[[str], Path]) -> None:
    await filled(path)
    with closing(sqlite3.connect(path)) as file:
        before = list(file.iterdump())
    with pytest.raises(UserError, match="no such table"):
        SqliteStore.open(older(NEXT + FAILS))
    with closing(sqlite3.connect(path)) as file:
        assert list(file.iterdump()) == before


async def test_an_older_store_is_not_opened_for_reading_alone(path: Path, older: Callable[[str], Path]) -> None:
    await filled(path)
    before = contents(path.parent)[path.name]
    with pytest.raises(UserError, match="older ExEngine"):
        SqliteStore.open(older(NEXT), read_only=True)
    assert contents(path.parent)[path.name] == before


async def test_a_newer_store_is_refused_with_what_to_do_and_left_as_it_was(path: Path) -> None:
    await filled(path)
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
        file.commit()
    before = contents(path.parent)[path.name]
    for read_only in (False, True):
        with pytest.raises(UserError, match="newer ExEngine") as refused:
            SqliteStore.open(path, read_only=read_only)
        assert "Install" in refused.value.remedy
    assert contents(path.parent)[path.name] == before


def text_in_its_place(path: Path) -> None:
    path.write_text("this is no database", encoding="utf-8")


def pages_overwritten(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 : 4096 * 12] = b"\x55" * (4096 * 11)
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 4096 * 3])


def another_programs(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE bookmarks (url TEXT)")
        file.commit()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (text_in_its_place, "damaged"),
        (pages_overwritten, "damaged"),
        (cut_short, "damaged"),
        (another_programs, "another program"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
async def test_what_cannot_be_read_is_refused_with_what_to_do_and_left_as_it_was(
    path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    await filled(path)
    spoil(path)
    before = contents(path.parent)[path.name]
    for read_only in (False, True):
        with pytest.raises(UserError, match=words) as refused:
            SqliteStore.open(path, read_only=read_only)
        assert refused.value.remedy
        assert refused.value.safe
    assert contents(path.parent)[path.name] == before


async def test_a_start_that_was_cut_off_while_making_the_store_makes_it_now(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT))
    store = SqliteStore.open(path)
    assert len((await store.load()).instance) == 16
    await store.close()


async def test_a_start_that_was_killed_while_making_the_tables_makes_them_now(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA cache_size=1")
        file.execute("BEGIN")
        file.execute("CREATE TABLE meta (key TEXT, value TEXT)")
        file.executemany("INSERT INTO meta VALUES (?, 'x')", ((str(n),) for n in range(5000)))
        killed = path.with_name("killed.sqlite3")
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{killed}{suffix}")
    assert contents(path.parent)["killed.sqlite3-wal"]
    store = SqliteStore.open(killed)
    assert len((await store.load()).instance) == 16
    await store.close()


async def test_a_document_that_this_program_cannot_read_is_told_as_such(path: Path) -> None:
    await filled(path)
    with closing(sqlite3.connect(path)) as file:
        file.execute("INSERT INTO meta VALUES ('control', 'not json')")
        file.commit()
    store = SqliteStore.open(path)
    with pytest.raises(UserError, match="cannot read"):
        await store.load()
    await store.close()


def test_a_folder_that_does_not_exist_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be opened"):
        SqliteStore.open(tmp_path / "nowhere" / "store.sqlite3")


async def test_a_copy_can_be_made_while_the_engine_writes(path: Path, tmp_path: Path) -> None:
    store = SqliteStore.open(path)
    await store.commit(Changes(notes=[(1, LINE)]))
    migrate.copy(path, tmp_path / "copy.sqlite3")
    await store.commit(Changes(notes=[(2, LINE)]))
    await store.close()
    copy = SqliteStore.open(tmp_path / "copy.sqlite3")
    assert [row.id for row in await copy.last_log(5)] == [1]
    await copy.close()
