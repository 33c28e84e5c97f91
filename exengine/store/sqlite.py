"""How a SQLite file is opened so that what is committed is on the disk, and what its errors mean to a trader."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

BUSY_MS = 500
"""How long one attempt waits for another program's lock. A sender of alerts gives up after three seconds."""

_WAL_KEPT_BYTES = 64 * 1024 * 1024
_WAL_FOLDED_PAGES = 4000
"""How long SQLite's log grows, 16 MB, before a commit folds it into the file and syncs that as well. Of a thousand
alerts it has 1,500 pages: with SQLite's own 1,000, somebody waited for that in every burst.
"""


def connect(path: Path, *, writable: bool, foreign_keys: bool = True) -> sqlite3.Connection:
    """A connection to a file that must be there; without transactions of its own. Raises sqlite3.Error."""
    mode = "rw" if writable else "ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if writable:
            _prepare_for_writing(connection, foreign_keys=foreign_keys)
        else:
            connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_for_writing(connection: sqlite3.Connection, *, foreign_keys: bool) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise sqlite3.OperationalError(f"no write-ahead log on this disk, perhaps a network drive; its mode is {mode}")
    connection.execute("PRAGMA synchronous=FULL")
    # On macOS a plain fsync leaves the data in the drive's own cache.
    connection.execute("PRAGMA fullfsync=ON")
    connection.execute(f"PRAGMA journal_size_limit={_WAL_KEPT_BYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_FOLDED_PAGES}")
    connection.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")


def engine(path: Path, *, writable: bool, foreign_keys: bool = True) -> Engine:
    """SQLAlchemy's engine over such connections. A writer takes the lock when it begins, not at its first write."""
    made = create_engine(
        "sqlite+pysqlite://",
        creator=lambda: connect(path, writable=writable, foreign_keys=foreign_keys),
        poolclass=NullPool,
    )

    @event.listens_for(made, "begin")
    def begin(connection: Connection) -> None:
        execute(connection, "BEGIN IMMEDIATE" if writable else "BEGIN")

    return made


def execute(connection: Connection, sql: str, rows: list[tuple[Any, ...]] | None = None) -> None:
    """Carries `sql` out, for each of `rows` where they are given, by the driver alone: nothing comes back.

    Raises DBAPIError, as SQLAlchemy does, without what was to be written.
    """
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(sql) if rows is None else driver.executemany(sql, rows)
    except sqlite3.Error as error:
        raise DBAPIError.instance(
            sql, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
        ) from error


_WORDS = {
    sqlite3.SQLITE_BUSY: "The store is locked by another program",
    sqlite3.SQLITE_LOCKED: "The store is locked by another program",
    sqlite3.SQLITE_FULL: "The disk is full: nothing more can be stored",
    sqlite3.SQLITE_IOERR: "The disk does not read or write the store’s file",
    sqlite3.SQLITE_READONLY: "The store’s file may not be written",
    sqlite3.SQLITE_PERM: "The store’s file may not be opened",
    sqlite3.SQLITE_AUTH: "The store’s file may not be opened",
    sqlite3.SQLITE_CANTOPEN: "The store’s file cannot be opened",
    sqlite3.SQLITE_CORRUPT: "The store’s file is damaged",
    sqlite3.SQLITE_NOTADB: "The store’s file is damaged",
    sqlite3.SQLITE_NOMEM: "There is not enough memory for the store",
}

_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: BaseException | None) -> int:
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def is_locked(error: BaseException | None) -> bool:
    """Whether another program's lock was in the way: it may be gone in a moment."""
    return _code(error) in _LOCKED


def is_damaged(error: BaseException | None) -> bool:
    return _code(error) in _DAMAGED


def is_environment(error: BaseException | None) -> bool:
    """Whether the machine is at fault, not the program."""
    return isinstance(error, sqlite3.OperationalError) or _code(error) in _WORDS


def words(error: BaseException | None) -> str:
    """What an error of SQLite's means, and in brackets what it said."""
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    meaning = _WORDS.get(_code(error), "The store does not answer")
    return f"{meaning} ({error}, {name})."
