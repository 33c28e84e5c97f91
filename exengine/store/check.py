"""Looks whether a store is sound, without changing it."""

from pathlib import Path

from sqlalchemy import Connection, func, select, text

from exengine.store import migrate, postgres_migrate, schema
from exengine.store.address import Place, PostgresAddress
from exengine.store.places import read_postgres, read_store


def check_store(place: Place) -> str:
    """What is in the store, in words. Raises UserError where it is damaged, too new, or cannot be read."""
    if isinstance(place, PostgresAddress):
        return read_postgres(place, lambda connection: _check_database(connection, place))
    return _check_file(place)


def _check_file(path: Path) -> str:
    found = migrate.revision(path)
    if found is None:
        return "not there yet; it is made at the first start"
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    if found != migrate.REVISIONS[-1]:
        return f"sound, {size}, of an older version ({found}); it is migrated at the next start, with a backup"
    return f"sound, {size}, {read_store(path, _contents)}"


def _check_database(connection: Connection, address: PostgresAddress) -> str:
    found = postgres_migrate.revision(connection, address)
    # A server that does not wait for its disk loses commits that it has told of.
    loose = ", but the server runs with fsync off: a power cut loses trades" if _fsync_is_off(connection) else ""
    if found is None:
        return f"{address} is empty; its tables are made at the first start{loose}"
    size = f"{(connection.scalar(text('SELECT pg_database_size(current_database())')) or 0) / 1e6:.1f} MB"
    if found != migrate.REVISIONS[-1]:
        return f"{address}, {size}, of an older version ({found}); it is migrated at the next start{loose}"
    return f"{address}, sound, {size}, {_contents(connection)}{loose}"


def _fsync_is_off(connection: Connection) -> bool:
    return connection.scalar(text("SHOW fsync")) == "off"


def _contents(connection: Connection) -> str:
    groups = connection.scalar(select(func.count()).select_from(schema.groups))
    still_open = connection.scalar(select(func.count()).select_from(schema.groups).where(schema.is_open))
    signals = connection.scalar(select(func.count()).select_from(schema.signals))
    return f"{groups} groups ({still_open} open), {signals} signals"
