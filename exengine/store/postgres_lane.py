"""A connection to a Postgres server, served by a thread's own loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from exengine.engine.changes import StoreFailed
from exengine.store import postgres
from exengine.store.address import PostgresAddress
from exengine.store.loop_thread import LoopThread
from exengine.store.postgres_session import CLOSE_S, let_go

T = TypeVar("T")


class PostgresLane:
    """Implements `exengine.store.lane.Lane`. Its own methods, but for `run` and `close`, belong to the thread."""

    def __init__(self, address: PostgresAddress, thread: LoopThread, name: str, *, writable: bool) -> None:
        """`name` is what the server lists the connection as."""
        self._address = address
        self._thread = thread
        self._name = name
        self._engine = postgres.engine(address, name, writable=writable)
        self._connection: AsyncConnection | None = None
        self._driver: postgres.Driver | None = None
        self._turn = asyncio.Lock()
        self._closing = asyncio.Event()
        self._closed = False

    async def run(self, work: Callable[[Connection], T]) -> T:
        """`work` in one transaction. Raises StoreFailed where the server or the network is in the way."""
        return await self._thread.run(self._in_turn(work))

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._thread.run(self._close())

    async def _close(self) -> None:
        self._closing.set()
        async with self._turn:
            await self._drop()

    async def _in_turn(self, work: Callable[[Connection], T]) -> T:
        async with self._turn:
            try:
                return await self._tried(work)
            except StoreFailed:
                raise
            except Exception as error:
                if not postgres.is_environment(error):
                    raise
                raise StoreFailed(postgres.words(error)) from error

    async def _tried(self, work: Callable[[Connection], T]) -> T:
        was_idle = self._connection is not None
        try:
            return await self._attempt(work)
        except Exception as error:
            # A server that was restarted, or a firewall that forgot us, is noticed by the next to ask.
            if not was_idle or isinstance(error, StoreFailed) or not postgres.needs_another_connection(error):
                raise
        return await self._attempt(work)

    async def _attempt(self, work: Callable[[Connection], T]) -> T:
        """`work` up to its commit, and then that."""
        try:
            async with asyncio.timeout(postgres.ANSWER_S):
                connection = await self._connected()
                await connection.begin()
                found = await connection.run_sync(work)
        except BaseException as error:
            await self._take_back(error)
            raise
        await self._commit(connection)
        return found

    async def _commit(self, connection: AsyncConnection) -> None:
        """For a transaction that wrote nothing."""
        try:
            async with asyncio.timeout(postgres.ANSWER_S):
                await connection.commit()
        except BaseException:
            await self._drop()
            raise

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            connection = self._engine.connect()
            await connection.start()
            self._connection = connection
            self._driver = (await connection.get_raw_connection()).driver_connection
        return self._connection

    async def _take_back(self, error: BaseException) -> None:
        """Ends a transaction that failed before its commit was asked for."""
        if self._connection is not None and isinstance(error, Exception):
            lost = postgres.needs_another_connection(error) if postgres.is_environment(error) else False
            if not lost:
                try:
                    async with asyncio.timeout(CLOSE_S):
                        await self._connection.rollback()
                    return
                except Exception:  # noqa: BLE001  # the server takes it back by itself once the connection is gone
                    pass
        await self._drop()

    async def _drop(self) -> None:
        """Lets the connection go at once, whatever state it is in."""
        connection, self._connection = self._connection, None
        driver, self._driver = self._driver, None
        await let_go(connection, driver)
