"""The lane that writes to Postgres: no transaction is ever in doubt, and none of an engine that lost the store."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from exengine.engine.changes import StoreFailed
from exengine.store import postgres
from exengine.store.address import PostgresAddress
from exengine.store.lane import OnTrouble
from exengine.store.loop_thread import LoopThread
from exengine.store.mark import Mark
from exengine.store.postgres_lane import PostgresLane
from exengine.store.postgres_session import let_go

PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""Between the questions for the outcome of a transaction whose connection broke."""

TAKEN_OVER = "Another ExEngine has taken this database over, or it was put back to an earlier state. Start again."

T = TypeVar("T")


class TakenOver(StoreFailed):
    """The store is no longer the one that this engine knows: nothing may be written to it until a new start."""


class PostgresWriter(PostgresLane):
    """A `Lane`. Each transaction replaces the mark of the one before.

    So one that another engine has come between finds another mark and writes nothing; and one whose connection broke
    while it was committed is known by its mark afterwards.
    """

    def __init__(
        self,
        address: PostgresAddress,
        thread: LoopThread,
        token: str,
        *,
        on_doubt: OnTrouble,
    ) -> None:
        """`token` names this engine and no other.

        `on_doubt` is told in the thread when it is not known whether a transaction was stored, and None once it is.
        """
        super().__init__(address, thread, f"ExEngine writer {token}", writable=True)
        self._on_doubt = on_doubt
        self._mark = Mark(token)

    def claim(self, connection: Connection) -> None:
        """Makes the store this engine's, over a transaction of the one who has the lock."""
        self._mark.put(connection, self._mark.last)

    def owns(self, connection: Connection) -> bool:
        """Whether the store is as this engine left it, but for what it is writing just now."""
        before = (self._mark.last, self._mark.next)
        found = Mark.found(connection)
        return found in (*before, self._mark.last, self._mark.next)

    async def _attempt(self, work: Callable[[Connection], T]) -> T:
        def marked(connection: Connection) -> T:
            if not self._mark.replace(connection):
                raise TakenOver(TAKEN_OVER)
            return work(connection)

        return await super()._attempt(marked)

    async def _commit(self, connection: AsyncConnection) -> None:
        try:
            async with asyncio.timeout(postgres.ANSWER_S):
                await connection.commit()
        except Exception as error:
            # Whatever was said, the commit may have reached the server's disk.
            await self._drop()
            if not await self._was_committed():
                raise StoreFailed(postgres.words(error)) from error
        self._mark.stored()

    async def _was_committed(self) -> bool:
        """Whether the last transaction is stored: asked until it is answered, since nothing may be sent before."""
        tries = 0
        while (found := await self._asked()) is None:
            pause_s = PAUSES_S[min(tries, len(PAUSES_S) - 1)]
            tries += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._closing.wait()
                raise StoreFailed("ExEngine was stopped before the database answered: the next start finds out.")
        self._on_doubt(None)
        if found not in (self._mark.last, self._mark.next):
            raise TakenOver(TAKEN_OVER)
        return found == self._mark.next

    async def _asked(self) -> str | None:
        """The mark that is stored, empty where there is none; None where the server cannot tell now."""
        try:
            async with asyncio.timeout(postgres.ANSWER_S):
                return await self._settled_mark() or ""
        except Exception as error:
            if not postgres.is_environment(error):
                raise
            self._on_doubt(f"It is not known yet whether the last transaction was stored. {postgres.words(error)}")
            return None

    async def _settled_mark(self) -> str | None:
        """The mark once the session that was lost can change nothing any more: it is ended, and its lock awaited."""
        connection = self._engine.connect()
        driver = None
        try:
            await connection.start()
            driver = (await connection.get_raw_connection()).driver_connection
            await connection.execute(_END_THE_LOST_ONE, {"name": self._name})
            found = await connection.run_sync(lambda sync: Mark.found(sync, lock=True))
            await connection.rollback()
            return found
        finally:
            await let_go(connection, driver)


_END_THE_LOST_ONE = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = :name AND pid <> pg_backend_pid() AND datname = current_database()"
)
