"""A thread with a connection to a SQLite file of its own."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from exengine.engine.changes import StoreFailed
from exengine.store import sqlite
from exengine.store.mark import Mark

ATTEMPTS = 4
"""How often a transaction is begun while another program holds the lock; each waits `sqlite.BUSY_MS`."""

T = TypeVar("T")


class SqliteLane:
    """Implements `exengine.store.lane.Lane`."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self._path = path
        self._engine = sqlite.engine(path, writable=writable)
        self._connection: Connection | None = None
        self._file = _identity(path)
        self._mark = Mark(secrets.token_hex(8)) if writable else None
        self._in_doubt = False
        """Whether a commit failed and the file could not be asked whether it is stored all the same."""
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer" if writable else "store-reader")

    async def run(self, work: Callable[[Connection], T]) -> T:
        """`work` in one transaction. Raises StoreFailed where the file, the disk or a lock is in the way."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)
            self._thread.shutdown(wait=False)

    def _run(self, work: Callable[[Connection], T]) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._attempt(work)
            except DBAPIError as error:
                self._drop()
                if not sqlite.is_environment(error.orig):
                    raise
                if attempt == ATTEMPTS or not sqlite.is_locked(error.orig):
                    raise StoreFailed(sqlite.words(error.orig)) from error
            except OSError as error:
                self._drop()
                raise StoreFailed(f"The store’s file is not where it was: {error}") from error
        raise AssertionError("unreachable")

    def _attempt(self, work: Callable[[Connection], T]) -> T:
        if _identity(self._path) != self._file:
            # SQLite would go on with a file that the next start does not find, or with the history of another store.
            raise FileNotFoundError(f"{self._path} was replaced by another file")
        connection = self._connected()
        with connection.begin() as transaction:
            self._settle(connection)
            found = work(connection)
            if self._mark is None:
                return found
            self._mark.put(connection, self._mark.next)
            try:
                transaction.commit()
            except DBAPIError:
                # The disk may have taken it before it failed.
                self._drop()
                if not self._was_committed():
                    raise
            self._mark.stored()
        return found

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _was_committed(self) -> bool:
        assert self._mark is not None
        try:
            with self._engine.connect() as connection:
                connection.begin()  # and never committed: the disk has just refused one
                return Mark.found(connection) == self._mark.next
        except DBAPIError:
            self._in_doubt = True
            return False

    def _settle(self, connection: Connection) -> None:
        """Nothing more is written to a file that has what this engine was told it has not."""
        if self._in_doubt and self._mark is not None:
            if Mark.found(connection) == self._mark.next:
                raise StoreFailed(
                    "The disk has stored what it had refused. Start ExEngine again: it reads what is there."
                )
            self._in_doubt = False

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except DBAPIError:
                connection.invalidate()


def _identity(path: Path) -> tuple[int, int]:
    there = path.stat()
    return there.st_dev, there.st_ino
