"""The store on SQLite: one thread that writes, one that reads, and a commit that is on the disk or did not happen."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from exengine.domain.errors import UserError
from exengine.domain.instrument import Instrument
from exengine.engine.changes import Changes, Loaded, StoreFailed
from exengine.engine.rows import LogRow, SignalRow
from exengine.store import migrate, reader, sqlite
from exengine.store.writer import write

ATTEMPTS = 4
"""How often a transaction is begun while another program holds the lock; each waits `sqlite.BUSY_MS`."""

T = TypeVar("T")


class _Lane:
    """A thread with a connection of its own. The connection is made anew after anything went wrong with it."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self._path = path
        self._engine = sqlite.engine(path, writable=writable)
        self._connection: Connection | None = None
        self._file = _identity(path)
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
                raise StoreFailed(f"The store's file is not where it was: {error}") from error
        raise AssertionError("unreachable")

    def _attempt(self, work: Callable[[Connection], T]) -> T:
        if _identity(self._path) != self._file:
            # SQLite would go on with a file that the next start does not find, or with the history of another store.
            raise FileNotFoundError(f"{self._path} was replaced by another file")
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            return work(self._connection)

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


class SqliteStore:
    """A store in one SQLite file. Implements `exengine.engine.changes.Store`."""

    def __init__(self, path: Path, *, read_only: bool, backup: Path | None) -> None:
        self.path = path
        self.read_only = read_only
        self.backup = backup
        """The copy that was made of an older store before it was migrated just now."""
        self._writer = _Lane(path, writable=True)
        self._reader = _Lane(path, writable=False)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Opens the store in `path`, made or migrated where that is needed. It reads the whole file: not on the loop.

        Raises UserError where the file is damaged, newer than the program, or cannot be opened.
        """
        backup = None
        if read_only:
            migrate.require_current(path)
        else:
            backup = migrate.prepare(path)
        return cls(path, read_only=read_only, backup=backup)

    async def commit(self, changes: Changes) -> None:
        """Writes all of it in one transaction that is on the disk when this returns.

        Raises StoreFailed where the environment is at fault: nothing of it is on disk then, and it may be tried again.
        Anything else that it raises is a defect; nothing of it is on disk then either.
        """
        if self.read_only:
            raise StoreFailed("The store was opened for reading only.")
        await self._writer.run(lambda connection: write(connection, changes))

    async def load(self) -> Loaded:
        """What a start needs. Raises UserError where the store holds what this program cannot read."""
        try:
            return await self._reader.run(reader.load)
        except (ValueError, KeyError) as error:
            raise UserError(
                f"The store {self.path} holds something that this program cannot read: {error}",
                safe="It was not touched, and nothing was traded.",
                remedy="Start the ExEngine that wrote it, or put a backup back with `exengine restore`.",
            ) from error

    async def last_signals(self, count: int) -> tuple[SignalRow, ...]:
        """The last `count` signals, oldest first."""
        return await self._reader.run(lambda connection: reader.last_signals(connection, count))

    async def last_log(self, count: int) -> tuple[LogRow, ...]:
        """The last `count` lines of the audit trail, oldest first."""
        return await self._reader.run(lambda connection: reader.last_log(connection, count))

    async def realised(self, since_ms: int | None = None) -> dict[str, Decimal]:
        """Realised PnL of all time, or of the fills at or after `since_ms`, by quote currency."""
        return await self._reader.run(lambda connection: reader.realised(connection, since_ms=since_ms))

    async def closed_groups(self) -> int:
        """How many groups have closed."""
        return await self._reader.run(reader.closed_groups)

    async def instruments(self) -> dict[str, tuple[Instrument, ...]]:
        """The cached market rules of every account."""
        return await self._reader.run(reader.instruments)

    async def close(self) -> None:
        """Closes the file, after what is being written; once more does nothing. The store is of no use afterwards."""
        await self._reader.close()
        # The last to leave, and able to write: then SQLite folds its log into the file.
        await self._writer.close()
