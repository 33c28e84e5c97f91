"""Puts a backup's store into a Postgres database in one transaction, under the lock that engines take."""

import secrets
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect, text

from exengine.domain.errors import UserError
from exengine.store import schema
from exengine.store.address import PostgresAddress
from exengine.store.backup_file import Backup, written
from exengine.store.backup_rows import add_store
from exengine.store.loop_thread import LoopThread
from exengine.store.postgres_lock import PostgresLock
from exengine.store.postgres_session import in_words, once
from exengine.store.restore_rows import fill

KEPT_NAME = "store.zip"
"""A backup of the database as it was, in the folder of what was replaced."""

_VERSION = "alembic_version"


class _Stopped(Exception):
    """Carries what is not the server's fault past those who put the server's faults into words."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def restore_database(backup: Backup, address: PostgresAddress, kept: Path | None) -> None:
    """Without `kept` only into a database without a store; else what is there is backed up into that folder first.

    It blocks. Raises UserError where an engine runs on the database, or it cannot be had; nothing is changed then.
    """

    def work(connection: Connection) -> None:
        try:
            _replace(connection, backup, address, kept)
        except (UserError, OSError, ValueError, KeyError) as error:
            raise _Stopped(error) from None

    thread = LoopThread("store-restore")
    try:
        with in_words(address):
            thread.call(_locked(address, work))
    except _Stopped as stopped:
        raise stopped.error from None
    finally:
        thread.stop()


async def _locked(address: PostgresAddress, work: Callable[[Connection], None]) -> None:
    async def is_ours() -> bool:
        return True

    lock = PostgresLock(address, secrets.token_hex(8), still_ours=is_ours, on_change=lambda why: None)
    await lock.acquire()
    try:
        await once(address, work, writable=True)
    finally:
        await lock.release()


def _replace(connection: Connection, backup: Backup, address: PostgresAddress, kept: Path | None) -> None:
    there = set(inspect(connection).get_table_names()) & {_VERSION, *schema.metadata.tables}
    if there and not {_VERSION, "meta"} <= there:
        raise UserError(
            f"{address} holds tables of another program.",
            safe="Nothing was changed.",
            remedy="Make a database for ExEngine alone, and name it in app.database_url.",
        )
    if there:
        if kept is None:
            from exengine.store.restore import occupied

            raise occupied(f"the store in {address}")
        _keep(connection, kept)
        found = MetaData()
        found.reflect(connection, only=sorted(there))
        found.drop_all(connection)
    fill(connection, backup)


def _keep(connection: Connection, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    revision = connection.scalar(text(f"SELECT version_num FROM {_VERSION}")) or ""
    with written(folder / KEPT_NAME) as writer:
        add_store(writer, connection, str(revision))
