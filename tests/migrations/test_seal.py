"""A long store that was closed in good order, and that nobody has touched since, is not read through at a start."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Note, Severity
from exengine.engine.changes import Changes
from exengine.store import SqliteStore, migrate, seal
from exengine.store.check import check_store

LINE = Note(at_ms=1, severity=Severity.INFO, category=Category.SYSTEM, text="a line")


@pytest.fixture(autouse=True)
def _every_store_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "LEAST_BYTES", 1)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which files were looked through for damage."""
    found: list[Path] = []
    look = migrate._look_for_damage

    def noted(connection: sqlite3.Connection, path: Path) -> None:
        found.append(path)
        look(connection, path)

    monkeypatch.setattr(migrate, "_look_for_damage", noted)
    return found


@pytest.fixture
async def path(tmp_path: Path, looks: list[Path]) -> Path:
    """A store that was used and closed."""
    made = tmp_path / "store.sqlite3"
    await used(made)
    looks.clear()
    return made


async def used(path: Path) -> None:
    store = SqliteStore.open(path)
    await store.commit(Changes(notes=[(1, LINE)]))
    await store.close()


async def opened(path: Path, *, read_only: bool = False) -> None:
    await SqliteStore.open(path, read_only=read_only).close()


def sealed(path: Path) -> Path:
    return path.with_name(f"{path.name}-sound")


async def test_it_is_not_read_through_again_and_again(path: Path, looks: list[Path]) -> None:
    for read_only in (False, True, False, False):
        await opened(path, read_only=read_only)
    assert looks == []


async def test_while_it_is_open_it_is_not_known_to_be_sound(path: Path, looks: list[Path]) -> None:
    store = SqliteStore.open(path)
    assert not sealed(path).exists()
    assert seal.read_at_ms(path) is None
    await store.close()
    assert sealed(path).exists()


def same_length(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE notes SET text = 'A LINE'")
        file.commit()


def another_file(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    os.utime(copy, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    copy.replace(path)


def a_log_is_left(path: Path) -> None:
    """As a crash leaves one; of this one SQLite makes nothing."""
    path.with_name(f"{path.name}-wal").write_bytes(b"\0" * 4096)


def a_week_has_passed(path: Path) -> None:
    told = json.loads(sealed(path).read_text())
    sealed(path).write_text(json.dumps(told | {"read_at_ms": told["read_at_ms"] - seal.TRUSTED_MS}))


def touched_in_the_same_moment(path: Path) -> None:
    """The clock of a file system may stand still for some milliseconds."""
    at_ns = path.stat().st_mtime_ns
    os.utime(sealed(path), ns=(at_ns, at_ns))


def nonsense_is_noted(path: Path) -> None:
    sealed(path).write_text("[]")


@pytest.mark.parametrize(
    "happened",
    [same_length, another_file, a_log_is_left, a_week_has_passed, touched_in_the_same_moment, nonsense_is_noted],
    ids=lambda one: one.__name__,
)
@pytest.mark.parametrize("read_only", [False, True], ids=["to trade", "to look"])
async def test_it_is_read_through_once_more_where(
    path: Path, looks: list[Path], happened: Callable[[Path], None], read_only: bool
) -> None:
    happened(path)
    await opened(path, read_only=read_only)
    assert looks == [path]


def test_a_store_that_was_spoiled_since_is_refused(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 : 4096 * 12] = b"\x55" * (4096 * 11)
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        SqliteStore.open(path)


async def test_who_asks_for_its_health_has_it_read_through(path: Path, looks: list[Path]) -> None:
    assert check_store(path).startswith("sound")
    assert path in looks


async def test_a_short_store_is_read_through_at_every_start(
    path: Path, looks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "LEAST_BYTES", 64 * 1024 * 1024)
    await opened(path)  # takes the note off that was there
    await opened(path)
    assert looks == [path]


async def test_a_week_counts_from_when_it_was_read_through_and_not_from_its_last_close(path: Path) -> None:
    first = json.loads(sealed(path).read_text())["read_at_ms"]
    await used(path)
    assert json.loads(sealed(path).read_text())["read_at_ms"] == first
