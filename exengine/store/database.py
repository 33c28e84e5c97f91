"""The store: one lane that writes, one that reads, and a commit that is on the disk or did not happen."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Self

from sqlalchemy import Connection

from exengine.domain.errors import UserError
from exengine.domain.instrument import Instrument
from exengine.engine.changes import Changes, Loaded, StoreFailed
from exengine.engine.panel_rows import OffsetRow
from exengine.engine.past import TrailRow
from exengine.engine.rows import LogRow, SignalRow
from exengine.store import migrate, reader, seal
from exengine.store.address import Place
from exengine.store.lane import Lane
from exengine.store.log_pages import LogReader
from exengine.store.performance import PerformanceReader
from exengine.store.sqlite_lane import SqliteLane
from exengine.store.trail import Span, trail
from exengine.store.writer import write


class DatabaseStore:
    """Implements `exengine.engine.changes.Store` and `exengine.engine.past.Past`; reads for window and dashboard."""

    def __init__(self, place: Place, writer: Lane, reader: Lane, *, read_only: bool) -> None:
        self.place = place
        self.read_only = read_only
        self._writer = writer
        self._reader = reader
        self.performance = PerformanceReader(reader)
        """What the dashboard reads."""
        self.log_pages = LogReader(reader)
        """The audit trail in pages, for the Log dock."""

    async def commit(self, changes: Changes) -> None:
        """Writes all of it in one transaction that is on the disk when this returns.

        Raises StoreFailed where the environment is at fault: nothing of it is on disk then, and it may be tried again.
        Anything else that it raises is a defect; nothing of it is on disk then either.
        """
        if self.read_only:
            raise StoreFailed("The store was opened for reading only.")
        await self._writer.run(lambda connection: write(connection, changes))

    async def tidy(self, work: Callable[[Connection], int]) -> int:
        """Removes what is not needed any more, in one transaction; how much, as `work` tells. Raises StoreFailed."""
        if self.read_only:
            raise StoreFailed("The store was opened for reading only.")
        return await self._writer.run(work)

    async def load(self) -> Loaded:
        """What a start needs. Raises UserError where the store holds what this program cannot read."""
        try:
            return await self._reader.run(reader.load)
        except (ValueError, KeyError) as error:
            raise UserError(
                f"The store {self.place} holds something that this program cannot read: {error}",
                safe="It was not touched, and nothing was traded.",
                remedy="Start the ExEngine that wrote it, or put a backup of the store back.",
            ) from error

    async def last_signals(self, count: int) -> tuple[SignalRow, ...]:
        """The last `count` signals, oldest first."""
        return await self._reader.run(lambda connection: reader.last_signals(connection, count))

    async def last_log(self, count: int) -> tuple[LogRow, ...]:
        """The last `count` lines of the audit trail, oldest first."""
        return await self._reader.run(lambda connection: reader.last_log(connection, count))

    async def last_offsets(self, count: int) -> tuple[OffsetRow, ...]:
        """The last `count` offsets of the risk engine, oldest first."""
        return await self._reader.run(lambda connection: reader.last_offsets(connection, count))

    async def trail(self, cause: str) -> tuple[TrailRow, ...]:
        """Everything that goes back to `cause`, oldest first."""
        return await self._reader.run(lambda connection: tuple(trail(connection, Span(cause=cause))))

    async def signal_body(self, signal_id: int) -> str | None:
        """A stored signal's text as it came, secret removed; empty where it is no longer kept, None = no such one."""
        return await self._reader.run(lambda connection: reader.signal_body(connection, signal_id))

    async def bodies(self, since_ms: int | None, until_ms: int | None) -> tuple[tuple[int, str], ...]:
        """When they came and the text of the signals of a stretch of time, for a replay of them."""
        return await self._reader.run(lambda connection: reader.bodies(connection, since_ms, until_ms))

    async def signals_there(self) -> tuple[int, int | None, int | None]:
        """How many signals a replay can have, and when the first and the last of them came."""
        return await self._reader.run(reader.signals_there)

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
        """Lets go of it, after what is being written; once more does nothing. It is of no use afterwards."""
        await self._reader.close()
        # The last to leave, and able to write: then SQLite folds its log into the file.
        await self._writer.close()


class SqliteStore(DatabaseStore):
    """A store in one SQLite file."""

    def __init__(self, path: Path, *, read_only: bool, backup: Path | None, read_at_ms: int) -> None:
        super().__init__(path, SqliteLane(path, writable=True), SqliteLane(path, writable=False), read_only=read_only)
        self.path = path
        self._read_at_ms, self._is_open = read_at_ms, True
        """When the whole file was last read through."""
        self.backup = backup
        """The copy that was made of an older store before it was migrated just now."""

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Self:
        """Opens the store in `path`, made or migrated where that is needed. Not on the loop: it may read all of it.

        Raises UserError where the file is damaged, newer than the program, or cannot be opened.
        """
        backup, read_at_ms = None, seal.read_at_ms(path)
        if read_only:
            migrate.require_current(path)
        else:
            backup = migrate.prepare(path, is_sound=read_at_ms is not None)
            seal.take_off(path)
        now_ms = time.time_ns() // 1_000_000
        return cls(path, read_only=read_only, backup=backup, read_at_ms=now_ms if read_at_ms is None else read_at_ms)

    async def close(self) -> None:
        was_open, self._is_open = self._is_open, False
        await super().close()
        if was_open and not self.read_only:
            await asyncio.to_thread(seal.put, self.path, self._read_at_ms)
