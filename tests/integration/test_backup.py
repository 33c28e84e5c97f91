"""A backup is one moment of a running store; it is put back whole or not at all, on either kind of database."""

import asyncio
import json
import os
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from exengine.domain.errors import UserError
from exengine.domain.group import GroupStatus
from exengine.domain.journal import Category, Note, Severity
from exengine.domain.order import own_prefix
from exengine.engine.changes import Changes
from exengine.store import migrate, restore_moves
from exengine.store.address import Place, PostgresAddress
from exengine.store.backup import backup
from exengine.store.backup_file import opened
from exengine.store.backup_rows import lines_of, tables_of
from exengine.store.lock import AlreadyRuns, EngineLock
from exengine.store.places import open_store, read_store
from exengine.store.postgres_store import PostgresStore
from exengine.store.restore import Destination, restore
from exengine.store.restore_postgres import KEPT_NAME
from tests.helpers.books import check_books
from tests.helpers.postgres import Server
from tests.helpers.world import World
from tests.integration.test_store_export import a_day, one_slot, stored
from tests.migrations.test_migrations import NEXT

CONFIG = b'{"schema_version": 1, "pool": {"max_open_groups": 3}}\n'


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place without a store, of each kind."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgres")
        return server.empty_database()
    return tmp_path / "data" / "exengine.sqlite3"


@pytest.fixture
async def day(place: Place) -> World:
    """A day's trades in the store at `place`, which nobody has open."""
    world = a_day(one_slot())
    store = await stored(place, world)
    await store.close()
    return world


def destination(folder: Path, place: Place, *, config: bool = True) -> Destination:
    data = folder / "data"
    data.mkdir(exist_ok=True)
    return Destination(
        folder=data, place=place, log_dir=data / "logs", config_file=data / "config.json" if config else None
    )


def restored(file: Path, to: Destination, *, replace: bool = False) -> Path | None:
    """As the command does it."""
    lock = EngineLock(to.folder / "exengine.lock")
    lock.acquire()
    try:
        with opened(file) as found:
            return restore(found, to, replace=replace)
    finally:
        lock.release()


def contents(place: Place) -> dict[str, list[bytes]]:
    """All rows but those that a restore begins anew."""
    found = read_store(place, lambda connection: {t.name: list(lines_of(connection, t)) for t in tables_of(connection)})
    found["meta"] = [line for line in found["meta"] if not line.startswith((b'["instance"', b'["writer"'))]
    return {name: sorted(lines) for name, lines in found.items()}


def instance(place: Place) -> str:
    return read_store(place, lambda c: c.exec_driver_sql("SELECT value FROM meta WHERE key = 'instance'").scalar_one())


def in_folder(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def changed(file: Path, **parts: bytes | None) -> Path:
    """The backup with parts in other words; None leaves one out."""
    made = file.with_name("changed.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            key = name.replace(".", "_").replace("/", "_")
            data = parts.get(key, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return made


def manifest_with(file: Path, **changes: Any) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return json.dumps(json.loads(archive.read("manifest.json")) | changes).encode()


# one of each kind into one of each kind -------------------------------------------------------------------------------


def test_a_backup_of_either_kind_is_restored_into_either_kind(
    place: Place, day: World, empty: Place, tmp_path: Path
) -> None:
    backup(place, tmp_path / "b.zip", config=CONFIG)
    to = destination(tmp_path, empty)
    assert restored(tmp_path / "b.zip", to) is None
    assert contents(empty) == contents(place)
    assert (to.folder / "config.json").read_bytes() == CONFIG
    check_books(empty)


async def test_a_restored_store_goes_on_and_counts_on(place: Place, day: World, empty: Place, tmp_path: Path) -> None:
    backup(place, tmp_path / "b.zip")
    restored(tmp_path / "b.zip", destination(tmp_path, empty))
    store = await asyncio.to_thread(open_store, empty)
    loaded = await store.load()
    live = next(iter(day.state.groups.values()))
    assert [group.id for group in loaded.groups] == [live.id]
    assert loaded.next_signal_id == day.state.next_signal_id
    day.alert("1", execution_intent={"type": "exit"})
    day.price("BTC/USDT", "60000")
    changes = Changes()
    for step in day.steps:
        changes.add(step)
    changes.fills.clear()
    await store.commit(changes)
    await store.close()
    assert read_store(empty, lambda c: c.exec_driver_sql("SELECT count(*) FROM groups").scalar_one()) >= 2


async def test_orders_after_a_restore_have_other_ids_than_those_that_the_store_has_gone_on_with(
    place: Place, day: World, empty: Place, tmp_path: Path
) -> None:
    backup(place, tmp_path / "b.zip")
    restored(tmp_path / "b.zip", destination(tmp_path, empty))
    before, after = instance(place), instance(empty)
    assert before != after
    assert after.startswith(before + "~")
    assert own_prefix(after)


async def test_an_alert_that_was_being_decided_is_not_acted_on_when_it_is_restored(
    place: Place, empty: Place, tmp_path: Path
) -> None:
    world = World()
    record = world.alert("50000")
    store = await asyncio.to_thread(open_store, place)
    undecided = {record.id: world.signals[record.id].__class__(**_fields(world.signals[record.id], outcome=None))}
    await store.commit(Changes(signals=undecided))
    await store.close()
    backup(place, tmp_path / "b.zip")
    restored(tmp_path / "b.zip", destination(tmp_path, empty))
    store = await asyncio.to_thread(open_store, empty)
    assert (await store.load()).pending == ()
    (row,) = await store.last_signals(5)
    assert row.reason == "stale"
    await store.close()


def _fields(value: Any, **changes: Any) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value)} | changes


async def test_it_is_one_moment_while_an_engine_commits(place: Place, tmp_path: Path, empty: Place) -> None:
    """Each transaction has a line and moves a balance to the line's number: they never disagree in a backup."""
    store = await asyncio.to_thread(open_store, place)
    enough, number = asyncio.Event(), 0

    async def commit() -> None:
        nonlocal number
        while not enough.is_set():
            number += 1
            line = Note(at_ms=number, severity=Severity.INFO, category=Category.SYSTEM, text="x" * 2000)
            await store.commit(Changes(notes=[(number, line)], market_clock_ms=number))

    committing = asyncio.create_task(commit())
    try:
        for count in range(5):
            await asyncio.to_thread(backup, place, tmp_path / f"{count}.zip")
            with opened(tmp_path / f"{count}.zip") as made:
                lines = list(made.lines("store/notes.jsonl"))[1:]
                meta = dict(json.loads(line) for line in made.lines("store/meta.jsonl"))
            assert int(meta.get("market_clock_ms", 0)) == len(lines)
    finally:
        enough.set()
        await committing
        await store.close()
    assert number > 5


# what is there is not lost --------------------------------------------------------------------------------------------


def test_where_there_is_a_store_it_is_refused_and_nothing_is_touched(place: Place, day: World, tmp_path: Path) -> None:
    backup(place, tmp_path / "b.zip", config=CONFIG)
    to = destination(tmp_path, place)
    before = contents(place)
    with pytest.raises(UserError, match="already") as refused:
        restored(tmp_path / "b.zip", to)
    assert "--replace" in refused.value.remedy
    assert contents(place) == before
    assert set(in_folder(to.folder)) <= {"exengine.lock", "exengine.sqlite3"}


async def test_replace_keeps_what_was_there_and_says_where(place: Place, day: World, tmp_path: Path) -> None:
    backup(place, tmp_path / "b.zip", config=CONFIG)
    old = contents(place)
    store = await asyncio.to_thread(open_store, place)
    line = Note(at_ms=1, severity=Severity.INFO, category=Category.SYSTEM, text="later than the backup")
    await store.commit(Changes(notes=[(10_000, line)]))
    await store.close()
    newer = contents(place)
    to = destination(tmp_path, place)
    (to.folder / "logs").mkdir()
    (to.folder / "logs" / "exengine.log").write_text("of the replaced one")
    (to.folder / "config.json").write_text("{}")
    kept = restored(tmp_path / "b.zip", to, replace=True)
    assert contents(place) == old
    assert kept is not None
    assert (kept / "config.json").read_text() == "{}"
    assert (kept / "logs" / "exengine.log").read_text() == "of the replaced one"
    assert list((to.folder / "logs").iterdir()) == []
    if isinstance(place, PostgresAddress):
        restored(kept / KEPT_NAME, to, replace=True)
        assert contents(place) == newer
    else:
        assert contents(kept / place.name) == newer


def test_the_configuration_that_is_there_can_stay(place: Place, day: World, empty: Place, tmp_path: Path) -> None:
    backup(place, tmp_path / "b.zip", config=CONFIG)
    to = destination(tmp_path, empty, config=False)
    (to.folder / "config.json").write_text("{}")
    assert restored(tmp_path / "b.zip", to) is None
    assert (to.folder / "config.json").read_text() == "{}"
    assert contents(empty) == contents(place)


async def test_a_running_engine_s_data_are_not_restored_over(place: Place, day: World, tmp_path: Path) -> None:
    backup(place, tmp_path / "b.zip")
    to = destination(tmp_path, place)
    running = EngineLock(to.folder / "exengine.lock")
    running.acquire()
    with pytest.raises(AlreadyRuns, match="already runs"):
        restored(tmp_path / "b.zip", to, replace=True)
    running.release()
    if isinstance(place, PostgresAddress):
        store = await asyncio.to_thread(open_store, place)
        with pytest.raises(AlreadyRuns, match="already runs on the database"):
            await asyncio.to_thread(restored, tmp_path / "b.zip", to, replace=True)
        await store.close()


# versions and damage --------------------------------------------------------------------------------------------------


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the program be a later one with one more migration."""

    def become() -> None:
        scripts = tmp_path / "scripts"
        (scripts / "versions").mkdir(parents=True)
        for one in ("env.py", *(f"versions/{path.name}" for path in migrate.SCRIPTS.glob("versions/*.py"))):
            (scripts / one).write_bytes((migrate.SCRIPTS / one).read_bytes())
        (scripts / "versions" / "9000_later.py").write_text(NEXT)
        monkeypatch.setattr(migrate, "SCRIPTS", scripts)
        monkeypatch.setattr(migrate, "REVISIONS", (*migrate.REVISIONS, "9000"))

    return become


def test_a_backup_of_an_older_version_is_migrated(
    place: Place, day: World, empty: Place, tmp_path: Path, later: Callable[[], None]
) -> None:
    backup(place, tmp_path / "b.zip")
    lines = len(contents(place)["notes"])
    later()
    restored(tmp_path / "b.zip", destination(tmp_path, empty))
    added = read_store(empty, lambda c: [row[0] for row in c.exec_driver_sql("SELECT added FROM notes")])
    assert added == ["later"] * (lines - 1)


def test_a_store_of_an_older_version_is_backed_up_as_it_is(
    place: Place, day: World, tmp_path: Path, later: Callable[[], None]
) -> None:
    later()
    backup(place, tmp_path / "b.zip")
    with opened(tmp_path / "b.zip") as made:
        assert made.manifest.revision == migrate.REVISIONS[-2]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"store_notes_jsonl": b'["id"]\n'}, "store/notes.jsonl is not what was written"),
        ({"store_notes_jsonl": None}, "not what its manifest lists"),
        ({"manifest_json": None}, "no backup of ExEngine’s"),
        ({"manifest_json": b"{"}, "manifest.json cannot be read"),
        ({"manifest_json": b"[]"}, "manifest.json cannot be read"),
    ],
)
async def test_a_damaged_backup_is_refused_and_nothing_is_changed(
    tmp_path: Path, parts: dict[str, bytes | None], words: str
) -> None:
    source = tmp_path / "source.sqlite3"
    await (await stored(source, a_day(one_slot()))).close()
    backup(source, tmp_path / "b.zip")
    to = destination(tmp_path, tmp_path / "data" / "exengine.sqlite3")
    with pytest.raises(UserError, match=words) as refused:
        restored(changed(tmp_path / "b.zip", **parts), to)
    assert refused.value.safe
    assert set(in_folder(to.folder)) == {"exengine.lock"}


async def test_a_backup_of_a_newer_version_or_form_is_refused_with_words(tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite3"
    await (await stored(source, a_day(one_slot()))).close()
    backup(source, tmp_path / "b.zip")
    to = destination(tmp_path, tmp_path / "data" / "exengine.sqlite3")
    newer = {"kind": "sqlite", "revision": "9999"}
    for changes in ({"store": newer}, {"format": 2}):
        file = changed(tmp_path / "b.zip", manifest_json=manifest_with(tmp_path / "b.zip", **changes))
        with pytest.raises(UserError, match="newer ExEngine") as refused:
            restored(file, to)
        assert "Install" in refused.value.remedy
        assert set(in_folder(to.folder)) == {"exengine.lock"}


async def test_a_backup_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite3"
    await (await stored(source, a_day(one_slot()))).close()
    backup(source, tmp_path / "b.zip")
    whole = (tmp_path / "b.zip").read_bytes()
    to = destination(tmp_path, tmp_path / "data" / "exengine.sqlite3")
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        (tmp_path / "short.zip").write_bytes(whole[:length])
        with pytest.raises(UserError, match="cannot be used"):
            restored(tmp_path / "short.zip", to)
    assert set(in_folder(to.folder)) == {"exengine.lock"}


async def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite3"
    await (await stored(source, a_day(one_slot()))).close()
    backup(source, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
    for name in (
        "../evil.log",
        "logs/../../evil.log",
        "/etc/evil",
        "secrets.vault",
        "exengine.lock",
        "logs/.hidden.log",
    ):
        parts = manifest["parts"] | {name: {"bytes": 0, "sha256": ""}}
        file = changed(tmp_path / "b.zip", manifest_json=json.dumps(manifest | {"parts": parts}).encode())
        with pytest.raises(UserError, match="no place in a backup"), opened(file):
            pass


def test_a_damaged_store_is_not_backed_up_and_an_earlier_backup_stays(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite3").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    (tmp_path / "b.zip").write_text("an earlier one")
    with pytest.raises(UserError, match="damaged"):
        backup(tmp_path / "store.sqlite3", tmp_path / "b.zip")
    assert in_folder(tmp_path)["b.zip"] == b"an earlier one"
    assert set(in_folder(tmp_path)) == {"store.sqlite3", "b.zip"}


def test_where_there_is_no_store_there_is_nothing_to_back_up(empty: Place, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to back up"):
        backup(empty, tmp_path / "b.zip")
    assert list(tmp_path.iterdir()) == []


async def test_a_database_is_backed_up_before_it_is_migrated(
    postgres: Server, tmp_path: Path, later: Callable[[], None]
) -> None:
    address = postgres.database()
    await _closed(address)
    before = contents(address)
    later()
    kept_name = f"exengine.postgresql.{migrate.REVISIONS[-2]}"
    (tmp_path / f"{kept_name}.backup.zip").write_text("an earlier one")
    store = await asyncio.to_thread(open_store, address, keep_in=tmp_path)
    assert isinstance(store, PostgresStore)
    assert store.backup == tmp_path / f"{kept_name}-2.backup.zip"
    await store.close()
    again = await asyncio.to_thread(open_store, address, keep_in=tmp_path)
    assert isinstance(again, PostgresStore)
    assert again.backup is None
    await again.close()
    target = postgres.empty_database()
    restored(store.backup, destination(tmp_path, target))
    added = b',"added"'
    assert {
        name: [row.replace(b',"later"]', b"]").replace(added, b"") for row in rows]
        for name, rows in contents(target).items()
    } == before


async def test_a_database_is_not_migrated_where_its_backup_cannot_be_written(
    postgres: Server, tmp_path: Path, later: Callable[[], None]
) -> None:
    address = postgres.database()
    await _closed(address)
    revision = "SELECT version_num FROM alembic_version"
    before = postgres.sql(revision, at=address)
    later()
    with pytest.raises(UserError, match=r"backup .* cannot be written"):
        await asyncio.to_thread(open_store, address, keep_in=tmp_path / "not there")
    assert postgres.sql(revision, at=address) == before


# broken off -----------------------------------------------------------------------------------------------------------


class Power(BaseException):
    """A power cut: no code of ours runs any more."""


@pytest.mark.parametrize("step", range(8))
async def test_a_restore_broken_off_at_any_move_is_ended_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    place = tmp_path / "data" / "exengine.sqlite3"
    to = destination(tmp_path, place)
    await (await stored(place, a_day(one_slot()))).close()
    old = contents(place)
    (to.folder / "logs").mkdir()
    (to.folder / "logs" / "exengine.log").write_text("then")
    backup(place, tmp_path / "b.zip", config=CONFIG, log_files={"exengine.log": to.folder / "logs" / "exengine.log"})
    store = await asyncio.to_thread(open_store, place)
    line = Note(at_ms=1, severity=Severity.INFO, category=Category.SYSTEM, text="later")
    await store.commit(Changes(notes=[(10_000, line)]))
    await store.close()
    newer = contents(place)
    (to.folder / "logs" / "exengine.log").write_text("now")
    (to.folder / "config.json").write_text("{}")

    replaces, real = 0, os.replace

    def replace(*names: Any) -> None:
        nonlocal replaces
        if replaces == step:
            raise Power
        replaces += 1
        real(*names)

    with monkeypatch.context() as patched:
        patched.setattr(restore_moves.os, "replace", replace)
        try:
            restored(tmp_path / "b.zip", to, replace=True)
        except Power:
            assert replaces == step
    lock = EngineLock(to.folder / "exengine.lock")
    lock.acquire()
    lock.release()
    now = in_folder(to.folder)
    is_restored = step > 0  # the first one writes down what is to be moved
    assert contents(place) == (old if is_restored else newer)
    assert now["config.json"] == (CONFIG if is_restored else b"{}")
    assert now["logs/exengine.log"] == (b"then" if is_restored else b"now")
    assert restore_moves.MARKER not in now
    if is_restored:
        assert sorted(data for name, data in now.items() if name.startswith("replaced-") and "sqlite" not in name) == [
            b"now",
            b"{}",
        ]


def test_a_database_that_breaks_off_is_as_it_was(
    postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = postgres.database(), postgres.database()
    backup(source, tmp_path / "b.zip")
    file = changed(tmp_path / "b.zip")
    before = contents(target)
    monkeypatch.setattr("exengine.store.restore_rows._begin_anew", lambda connection: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        restored(file, destination(tmp_path, target), replace=True)
    assert contents(target) == before
    assert not list((tmp_path / "data").glob("replaced-*"))


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source.sqlite3"
    asyncio.run(_closed(source))
    backup(source, tmp_path / "b.zip")
    to = destination(tmp_path, tmp_path / "data" / "exengine.sqlite3")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("exengine.store.restore.os.fsync", full)
    with pytest.raises(UserError, match="No space left"):
        restored(tmp_path / "b.zip", to)
    assert set(in_folder(to.folder)) == {"exengine.lock"}


async def _closed(place: Place) -> None:
    await (await stored(place, a_day(one_slot()))).close()


def test_a_damaged_store_is_replaced_and_kept_as_it_was(tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite3"
    asyncio.run(_closed(source))
    backup(source, tmp_path / "b.zip")
    place = tmp_path / "data" / "exengine.sqlite3"
    to = destination(tmp_path, place)
    place.write_bytes(damaged := b"SQLite format 3\0" + b"x" * 5000)
    kept = restored(tmp_path / "b.zip", to, replace=True)
    assert kept is not None
    assert (kept / place.name).read_bytes() == damaged
    assert contents(place) == contents(source)


def test_the_restored_file_is_its_owner_s_alone_and_sound(tmp_path: Path) -> None:
    source = tmp_path / "source.sqlite3"
    asyncio.run(_closed(source))
    backup(source, tmp_path / "b.zip")
    to = destination(tmp_path, tmp_path / "data" / "exengine.sqlite3")
    restored(tmp_path / "b.zip", to)
    with closing(sqlite3.connect(tmp_path / "data" / "exengine.sqlite3")) as made:
        assert made.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        statuses = {row[0] for row in made.execute("SELECT status FROM groups")}
    assert GroupStatus.CLOSED.value in statuses
    if os.name != "nt":
        for path in (tmp_path / "b.zip", tmp_path / "data" / "exengine.sqlite3"):
            assert path.stat().st_mode & 0o077 == 0
