"""The wire to a Postgres server, which a test can cut at the very moment that a transaction is committed."""

import asyncio
from dataclasses import replace
from enum import Enum, auto

from exengine.store.address import PostgresAddress


class Cut(Enum):
    """What becomes of the next commit that is asked for."""

    BEFORE_IT_ARRIVES = auto()
    """The server never hears of it, and sees the connection end."""
    UNNOTICED = auto()
    """The server never hears of it, and believes in the connection for as long as it likes."""
    BEFORE_THE_ANSWER = auto()
    """The server commits, and nobody is told."""


class Wire:
    """A relay on a port of its own. Use it as `async with`."""

    def __init__(self, server: PostgresAddress) -> None:
        self._server = server
        self._listening: asyncio.Server
        self._writers: set[asyncio.StreamWriter] = set()
        self._unnoticed: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._next: Cut | None = None
        self._then_down = False
        self.is_down = False
        self.was_cut = asyncio.Event()
        self.asked_while_down = asyncio.Event()

    async def __aenter__(self) -> "Wire":
        self._listening = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.close()
        self._unnoticed.clear()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> PostgresAddress:
        return replace(self._server, port=self._listening.sockets[0].getsockname()[1])

    def cut_at_commit(self, how: Cut, *, then_down: bool = False) -> None:
        """`then_down` ends every connection, and lets nobody through until `is_down` is false again."""
        self._next, self._then_down = how, then_down
        self.was_cut.clear()

    def cut(self) -> None:
        """Ends every connection."""
        for writer in self._writers - self._unnoticed:
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        if self.is_down:
            self.asked_while_down.set()
            writer.transport.abort()
            return
        from_server, to_server = await asyncio.open_connection(self._server.host, self._server.port)
        self._writers.add(to_server)
        answering = asyncio.ensure_future(self._answers(from_server, writer))
        try:
            while data := await reader.read(65536):
                if self._next is not None and b"COMMIT;" in data:
                    await self._cut(self._next, data, to_server, from_server, answering)
                    return
                to_server.write(data)
        except ConnectionError:
            pass
        finally:
            answering.cancel()
            writer.transport.abort()
            if to_server not in self._unnoticed:
                to_server.transport.abort()

    async def _cut(
        self,
        how: Cut,
        data: bytes,
        to_server: asyncio.StreamWriter,
        from_server: asyncio.StreamReader,
        answering: "asyncio.Future[None]",
    ) -> None:
        self._next = None
        if how is Cut.BEFORE_THE_ANSWER:
            answering.cancel()
            await asyncio.wait([answering])
            to_server.write(data)
            assert b"COMMIT" in await from_server.read(65536)
        elif how is Cut.UNNOTICED:
            self._unnoticed.add(to_server)
        if self._then_down:
            self.is_down = True
            self.cut()
        self.was_cut.set()

    @staticmethod
    async def _answers(from_server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await from_server.read(65536):
                writer.write(data)
            writer.transport.abort()
        except ConnectionError:
            writer.transport.abort()
