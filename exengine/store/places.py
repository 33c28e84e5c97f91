"""Opens or reads the store at a place, whichever database keeps it; a driver is imported where it is used."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from exengine.domain.errors import UserError
from exengine.store import migrate, sqlite
from exengine.store.address import Place, PostgresAddress
from exengine.store.database import DatabaseStore, SqliteStore
from exengine.store.lane import OnTrouble
from exengine.store.loop_thread import LoopThread

T = TypeVar("T")


def open_store(
    place: Place,
    *,
    read_only: bool = False,
    on_trouble: OnTrouble = lambda text: None,
    keep_in: Path | None = None,
) -> DatabaseStore:
    """The store at a place, made or migrated where that is needed. It takes its time: not on the loop.

    `on_trouble` is as in `PostgresStore.open`; a file has no such trouble. A backup of an older store that is migrated
    is kept beside a file; of a database, in the folder `keep_in`. Raises UserError.
    """
    if isinstance(place, PostgresAddress):
        from exengine.store.postgres_store import PostgresStore

        return PostgresStore.open(place, read_only=read_only, on_trouble=on_trouble, keep_in=keep_in)
    return SqliteStore.open(place, read_only=read_only)


def read_store(place: Place, work: Callable[[Connection], T]) -> T:
    """`work` over one moment of a store of this program's version, also while an engine writes to it. It blocks.

    Raises UserError where there is no such store or it cannot be read, and what `work` raises.
    """
    if isinstance(place, PostgresAddress):
        from exengine.store import postgres_migrate

        def checked(connection: Connection) -> T:
            postgres_migrate.require_current(connection, place)
            return work(connection)

        return read_postgres(place, checked)
    migrate.require_current(place)
    return read_file(place, work)


def read_postgres(address: PostgresAddress, work: Callable[[Connection], T]) -> T:
    """`work` over one moment of a database, whatever is in it."""
    from exengine.store.postgres_session import in_words, once

    def apart(connection: Connection) -> T | OSError:
        try:
            return work(connection)
        except OSError as error:  # of the file that `work` writes: what happens to the network is told by SQLAlchemy
            return error

    thread = LoopThread("store-reader")
    try:
        with in_words(address):
            found = thread.call(once(address, apart))
    finally:
        thread.stop()
    if isinstance(found, OSError):
        raise found
    return found


def read_file(path: Path, work: Callable[[Connection], T]) -> T:
    """`work` over one moment of a file, of whatever revision."""
    try:
        with sqlite.engine(path, writable=False).connect() as connection, connection.begin():
            return work(connection)
    except DBAPIError as error:
        if not sqlite.is_environment(error.orig):
            raise
        raise UserError(
            f"The store {path} could not be read: {sqlite.words(error.orig)}",
            safe="It was not touched.",
            remedy="See that the file may be read, and try again.",
        ) from error
