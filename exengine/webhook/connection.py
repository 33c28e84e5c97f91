"""The connections below the webhook: bounded in number, size and time, and silent about what a request contained."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from aiohttp import HttpVersion11, http_exceptions, web

from exengine.domain.errors import UserError

log = logging.getLogger(__name__)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

SERVER_NAME = "ExEngine"
"""The Server header: no versions."""
MAX_CONNECTIONS = 1_000
"""Connections at once; further ones are closed unheard, so that the rest of the program keeps its file handles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a caller is waited for, in seconds."""

    body_s: float = 10
    """For a whole body. TradingView itself gives up after 3 s."""
    idle_s: float = 120
    """For the next request of a connection; longer than tunnels keep theirs (90 s), so that they close first."""
    linger_s: float = 5
    """For the rest of a body that was refused, so that the sender reads the answer and not a broken connection."""
    stop_s: float = 5
    """For requests under way when the listener stops."""
    close_s: float = 0.5
    """For the last answers to be written after that; a request that still hangs may take it twice."""


class BodyFault(Enum):
    """Why a body was not taken in."""

    TOO_LARGE = "too_large"
    INCOMPLETE = "incomplete"


async def read_body(request: web.BaseRequest, *, limit: int, patience_s: float) -> bytes | BodyFault:
    """The body of `request`, of which never more than `limit` bytes and one piece of the network are held.

    TOO_LARGE as soon as that is known, from the header or while it comes in; INCOMPLETE where it does not come
    whole within `patience_s`.
    """
    if (request.content_length or 0) > limit:
        return BodyFault.TOO_LARGE
    if request.version == HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
        _ask_for_body(request)
    body = bytearray()
    try:
        async with asyncio.timeout(patience_s):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > limit:
                    return BodyFault.TOO_LARGE
    except (TimeoutError, ConnectionError, web.RequestPayloadError, http_exceptions.HttpProcessingError):
        return BodyFault.INCOMPLETE
    return bytes(body)


def _ask_for_body(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


class _Connection(web.RequestHandler):
    """One connection. aiohttp's own error answers and log lines quote the request; these do not."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        kind = type(exc).__name__
        if status < 500:
            log.warning("webhook: 400 to %s, which does not speak HTTP as it should (%s)", request.remote, kind)
            response = web.Response(status=400)
        else:
            log.critical("webhook: 503 to %s, because of a defect (%s)", request.remote, kind)
            response = web.Response(status=503)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        response.headers["Server"] = SERVER_NAME
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        log.error("webhook: a connection failed (%s)", type(kw.get("exc_info")).__name__)


class _Unheard(asyncio.Protocol):
    """A connection too many: closed before a byte of it is read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.abort()


class Gate:
    """A listening socket whose requests go to one handler."""

    def __init__(self, handler: Handler, patience: Patience) -> None:
        self._handler = handler
        self._patience = patience
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None
        self._under_way = 0
        self._idle = asyncio.Event()

    async def open(self, host: str, port: int) -> int:
        """Listens on `host` and `port` (0: any that is free) and returns the port. Raises UserError where it cannot."""
        if self._server is not None:
            raise RuntimeError("the gate is open already")
        loop = asyncio.get_running_loop()
        self._idle.set()
        self._web = web.Server(self._handle)
        try:
            self._server = await loop.create_server(self._connection, host, port, backlog=1024)
        except (OSError, OverflowError) as error:
            self._web = None
            raise UserError(
                f"The webhook cannot listen on {host} port {port}: {_reason(error)}.",
                safe="Open positions, their targets and stops are looked after as before, but no signal can come in.",
                remedy="Close the program that uses the port, or choose another listener.host or listener.port.",
            ) from error
        return int(self._server.sockets[0].getsockname()[1])

    def _connection(self) -> asyncio.BaseProtocol:
        if self._web is None or len(self._web.connections) >= MAX_CONNECTIONS:
            return _Unheard()
        return _Connection(
            self._web,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=self._patience.idle_s,
            lingering_time=self._patience.linger_s,
            access_log=None,  # type: ignore[arg-type]  # None turns it off; its lines would show the token
            auto_decompress=False,
        )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._under_way += 1
        self._idle.clear()
        try:
            response = await self._handler(request)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
        response.headers["Server"] = SERVER_NAME
        if "Upgrade" in request.headers:
            # What follows a refused upgrade would be read as a further request, past the proxy's eyes.
            response.force_close()
        return response

    async def close(self) -> None:
        """Takes no new connection, lets what is under way be answered, then closes all. Bounded by Patience."""
        if self._server is None or self._web is None:
            return
        server, connections = self._server, self._web
        self._server = None
        server.close()
        connections.pre_shutdown()
        try:
            async with asyncio.timeout(self._patience.stop_s):
                await self._idle.wait()
        except TimeoutError:
            log.warning("webhook: stopped with %d requests unanswered; their senders will come again", self._under_way)
        await connections.shutdown(self._patience.close_s)
        self._web = None


def _reason(error: OSError | OverflowError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
