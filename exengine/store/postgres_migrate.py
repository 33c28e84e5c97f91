"""Brings a Postgres database to this program's tables in one transaction; refuses what it cannot read."""

from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from exengine.domain.errors import UserError
from exengine.store import migrate, schema
from exengine.store.address import PostgresAddress
from exengine.store.backup_file import written
from exengine.store.backup_rows import add_store


def revision(connection: Connection, address: PostgresAddress) -> str | None:
    """The revision of the store in a database; None where there are no tables yet. Nothing is written.

    Raises UserError where it is damaged, something else's, or newer than this program.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables & {"alembic_version", *schema.metadata.tables}:
        return None
    if not {"alembic_version", "meta"} <= tables:
        raise UserError(
            f"{address} holds tables of another program.",
            safe="It was not touched.",
            remedy="Make a database for ExEngine alone, and name it in app.database_url.",
        )
    found = [str(one) for one in connection.scalars(text("SELECT version_num FROM alembic_version"))]
    if len(found) != 1 or found[0] not in migrate.REVISIONS:
        raise migrate.newer(f"The store {address}", found, "restore the backup that it made in its data folder")
    if found[0] == migrate.REVISIONS[-1]:
        _require_whole(connection, address, tables)
    return found[0]


def _require_whole(connection: Connection, address: PostgresAddress, tables: set[str]) -> None:
    """Raises UserError where a table or a column is gone."""
    gone = [name for name in schema.metadata.tables if name not in tables]
    if not gone:
        columns = inspect(connection).get_multi_columns(filter_names=list(schema.metadata.tables))
        there = {(name, column["name"]) for (_, name), found in columns.items() for column in found}
        wanted = {(table.name, column.name) for table in schema.metadata.tables.values() for column in table.columns}
        gone = [f"{table}.{column}" for table, column in sorted(wanted - there)]
    if gone:
        raise UserError(
            f"The store {address} is damaged ({', '.join(gone[:5])} missing).",
            safe="It was not touched, and nothing was traded.",
            remedy="Put a dump of the database back, or name an empty one in app.database_url. "
            "Look at the exchange for open orders and positions before trading on.",
        )


def require_current(connection: Connection, address: PostgresAddress) -> None:
    """Raises UserError where there is no store of this program's own version, to be read and left as it is."""
    found = revision(connection, address)
    if found is None:
        raise UserError(f"There is no store in {address}.", remedy="Start ExEngine once, or name another database.")
    if found != migrate.REVISIONS[-1]:
        raise UserError(
            f"The store {address} was written by an older ExEngine.",
            safe="It was not touched.",
            remedy="Start this ExEngine once: that migrates the store, whole or not at all, and keeps a backup in the "
            "data folder.",
        )


def prepare(connection: Connection, address: PostgresAddress, keep_in: Path | None = None) -> Path | None:
    """Makes the tables where there are none and migrates older ones, over a transaction of the one who has the lock.

    Returns the backup that was made of older ones in the folder `keep_in`, where one is given.

    Raises UserError where that cannot be done.
    """
    before, kept = revision(connection, address), None
    if before != migrate.REVISIONS[-1]:
        if before is not None and keep_in is not None:
            kept = keep(connection, before, keep_in)
        migrate.upgrade(connection)
    if connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == "instance")) is None:
        migrate.name_instance(connection)
    return kept


def keep(connection: Connection, found: str, folder: Path) -> Path:
    """A backup of the store as the transaction sees it, for `exengine restore`. Raises UserError."""
    number = 1
    while (path := folder / f"exengine.postgresql.{found}{f'-{number}' if number > 1 else ''}.backup.zip").exists():
        number += 1
    with written(path) as writer:
        add_store(writer, connection, found)
    return path
