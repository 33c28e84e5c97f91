"""Writes a backup of a store, also while an engine writes to it: one moment of it, with the files that go with it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from exengine.domain.errors import UserError
from exengine.store import migrate
from exengine.store.address import Place, PostgresAddress
from exengine.store.backup_file import CONFIG, LOGS, BackupWriter, written
from exengine.store.backup_rows import add_store
from exengine.store.places import read_file, read_postgres

_CHUNK = 1 << 20


def backup(
    place: Place, target: Path, *, config: bytes | None = None, log_files: Mapping[str, Path] | None = None
) -> None:
    """Writes the store at `place`, `config` and the log files, by name, into `target`, which is whole or not there.

    A store of an older revision is taken as it is. Raises UserError where there is no store, or it is damaged or newer.
    """
    with written(target) as writer:
        if config is not None:
            writer.add(CONFIG, [config])
        for name, path in (log_files or {}).items():
            _add_log(writer, name, path)
        if isinstance(place, PostgresAddress):
            read_postgres(place, partial(_add_database, writer, place))
        else:
            found = migrate.revision(place)
            if found is None:
                raise _nothing_there(place)
            read_file(place, lambda connection: add_store(writer, connection, found))


def _add_database(writer: BackupWriter, address: PostgresAddress, connection: Connection) -> None:
    from exengine.store import postgres_migrate

    found = postgres_migrate.revision(connection, address)
    if found is None:
        raise _nothing_there(address)
    add_store(writer, connection, found)


def _nothing_there(place: Place) -> UserError:
    return UserError(
        f"There is nothing to back up: {place} has no store yet.",
        remedy="Name the folder that the engine runs on with --data-dir.",
    )


def _add_log(writer: BackupWriter, name: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            modified_ms = path.stat().st_mtime_ns // 1_000_000
            writer.add(f"{LOGS}{name}", iter(partial(file.read, _CHUNK), b""), modified_ms=modified_ms)
    except FileNotFoundError:  # a running engine gives its log another name now and then
        return
