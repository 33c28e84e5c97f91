"""Makes a store of a backup's rows: the tables of its revision, the rows, and then the migrations that are missing."""

import secrets

from sqlalchemy import Connection, delete, select, update

from exengine.domain.reception import Outcome
from exengine.store import migrate, schema
from exengine.store.backup_file import Backup, rows_name
from exengine.store.backup_rows import count_on, put, tables_of
from exengine.store.mark import KEY as WRITERS_MARK
from exengine.store.writer import put_meta

GENERATION = "~"
"""Stands in the store's name before what tells it from the store that the backup was made of."""


def fill(connection: Connection, backup: Backup) -> None:
    """Over an open transaction in an empty database. Raises ValueError where the rows are not of their revision."""
    migrate.upgrade(connection, backup.manifest.revision)
    tables = tables_of(connection)
    for table in tables:
        name = rows_name(table.name)
        if name not in backup:
            raise ValueError(f"{name} is missing")
        put(connection, table, backup.lines(name))
    count_on(connection, tables)
    migrate.upgrade(connection)
    _begin_anew(connection)


def _begin_anew(connection: Connection) -> None:
    """What must not be taken for the state of today.

    The store that was backed up may have gone on: its next orders have the client order ids that ours would have, so
    the name that these are made of is another one from now on. An alert that was being decided at that moment has been
    decided there.
    """
    meta, signals = schema.meta.c, schema.signals.c
    name = connection.scalar(select(meta.value).where(meta.key == "instance")) or secrets.token_hex(8)
    put_meta(connection, "instance", f"{name.partition(GENERATION)[0]}{GENERATION}{secrets.token_hex(4)}")
    connection.execute(delete(schema.meta).where(meta.key == WRITERS_MARK))
    stale = {"outcome": Outcome.REFUSED, "reason": "stale"}
    connection.execute(update(schema.signals).where(signals.outcome.is_(None)).values(stale))
