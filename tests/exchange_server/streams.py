"""One websocket of a local exchange: what it is told goes out in order, and through the faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

from tests.exchange_server.faults import Faults

Message = str | bytes
CLOSE = b"\x00close"


class Stream:
    """An open websocket. `private` is the front end's to set, when its client has shown who it is."""

    def __init__(self, socket: web.WebSocketResponse, request: web.BaseRequest, faults: Faults) -> None:
        self._socket = socket
        self._request = request
        self._faults = faults
        self._out: asyncio.Queue[Message] = asyncio.Queue()
        self._late: list[Message] = []
        self.private = False
        self.topics: dict[str, Any] = {}
        """What the client subscribed to; the front end's to use."""

    def push(self, message: Any) -> None:
        """Tells an event: text and bytes as they are, anything else as JSON. It may be lost, late or doubled."""
        if self._faults.muted:
            return
        text = _wire(message)
        if self._faults.held:
            self._late.extend([text] * self._faults.copies)
            return
        for _ in range(self._faults.copies):
            self._out.put_nowait(text)

    def reply(self, message: Any) -> None:
        """Answers what the client itself said: not an event, and never doubled or late."""
        if self._faults.pongs:
            self._out.put_nowait(_wire(message))

    def release(self) -> None:
        """Sends what was held back."""
        late, self._late = self._late, []
        for message in late:
            self._out.put_nowait(message)

    def cut(self) -> None:
        """Ends the connection without a word."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    def close(self) -> None:
        """Ends the connection properly, after all that was told so far."""
        self._out.put_nowait(CLOSE)

    async def __aiter__(self) -> AsyncIterator[str]:
        """The client's messages, until it goes. Pings of the protocol are answered here."""
        async for message in self._socket:
            match message.type:
                case aiohttp.WSMsgType.TEXT:
                    yield message.data
                case aiohttp.WSMsgType.PING if self._faults.pongs:
                    await self._socket.pong(message.data)
                case _:
                    pass

    async def write(self) -> None:
        """Sends what there is to send, for the life of the connection."""
        while True:
            message = await self._out.get()
            try:
                if message is CLOSE:
                    await self._socket.close()
                    return
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._socket.send_str(message)
            except (ConnectionError, aiohttp.ClientError):
                return


def _wire(message: Any) -> Message:
    return message if isinstance(message, str | bytes) else json.dumps(message, separators=(",", ":"))
