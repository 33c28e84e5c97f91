"""The connections below the webhook: bounded in number, size and time, and silent about what a request contained."""

import asyncio
import logging
import ssl
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
"""Connections at once, at most half of the file handles that the program may have: the rest of it needs some too.
A further one takes the place of the one that has been silent longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a caller is waited for, in seconds."""

    head_s: float = 10
    """For the first head of a connection, and for a handshake of TLS."""
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
    if request.content.is_eof() and request.content.exception() is None:
        whole = request.content.read_nowait()  # it came with its head, as an alert does
        return BodyFault.TOO_LARGE if len(whole) > limit else _heard(request, whole)
    body = bytearray()
    try:
        async with asyncio.timeout(patience_s):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > limit:
                    return BodyFault.TOO_LARGE
    except (TimeoutError, ConnectionError, web.RequestPayloadError, http_exceptions.HttpProcessingError):
        return BodyFault.INCOMPLETE
    return _heard(request, bytes(body))


def _heard(request: web.BaseRequest, body: bytes) -> bytes:
    if isinstance(request.protocol, _Connection):
        request.protocol.is_heard()
    return body


def _ask_for_body(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


class _Connection(web.RequestHandler):
    """One connection. aiohttp's own error answers and log lines quote the request; these do not."""

    __slots__ = ("_deadline", "_gate")

    def __init__(self, gate: "Gate", manager: web.Server, *, head_s: float, **options: Any) -> None:
        super().__init__(manager, **options)
        self._gate = gate
        self._deadline = self._loop.call_later(head_s, self.give_up)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._gate.silent[self] = None

    def connection_lost(self, exc: BaseException | None) -> None:
        self._deadline.cancel()
        self._gate.left(self)
        super().connection_lost(exc)

    def has_head(self) -> None:
        """Told when a request's head is whole."""
        self._deadline.cancel()

    def is_heard(self) -> None:
        """Told when a whole request is here: from now on the caller waits for us."""
        self._gate.silent.pop(self, None)

    def is_answered(self) -> None:
        """Told when the caller's turn has come again."""
        self.is_heard()
        if self.transport is not None:
            self._gate.silent[self] = None

    def give_up(self) -> None:
        """Ends the connection at once, whatever is on its way."""
        self._gate.left(self)  # of a handshake that came to nothing there is no other word
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

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
        self._most = MAX_CONNECTIONS
        self._open: set[_Connection] = set()
        self.silent: dict[_Connection, None] = {}
        """The connections that we wait for, the longest silent first."""

    def answer_by(self, handler: Handler) -> None:
        """From the next request on another handler answers."""
        self._handler = handler

    @property
    def connections(self) -> int:
        return len(self._open)

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return self._under_way > 0

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listens on `host` and `port` (0: any that is free) and returns the port. Raises UserError where it cannot."""
        if self._server is not None:
            raise RuntimeError("the gate is open already")
        loop = asyncio.get_running_loop()
        self._idle.set()
        self._most = _most_connections()
        self._web = web.Server(self._handle)
        patience_of_tls = None if tls is None else self._patience.head_s
        try:
            self._server = await loop.create_server(
                self._connection, host, port, backlog=1024, ssl=tls, ssl_handshake_timeout=patience_of_tls
            )
        except (OSError, OverflowError) as error:
            self._web = None
            raise UserError(
                f"The webhook cannot listen on {host} port {port}: {_reason(error)}.",
                safe="Open positions, their targets and stops are looked after as before, but no signal can come in.",
                remedy="Close the program that uses the port, or choose another (Settings, Listener: Port).",
            ) from error
        return int(self._server.sockets[0].getsockname()[1])

    def _connection(self) -> asyncio.BaseProtocol:
        if self._web is None or not self._has_room():
            return _Unheard()
        connection = _Connection(
            self,
            self._web,
            head_s=self._patience.head_s,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=self._patience.idle_s,
            lingering_time=self._patience.linger_s,
            access_log=None,  # None turns it off; its lines would show the token
            auto_decompress=False,
        )
        self._open.add(connection)
        return connection

    def _has_room(self) -> bool:
        """Whether one more connection may come: where all are taken, the one that has been silent longest goes."""
        if len(self._open) < self._most:
            return True
        oldest = next(iter(self.silent), None)
        if oldest is None:
            return False
        oldest.give_up()
        return True

    def left(self, connection: _Connection) -> None:
        """Told by a connection that has ended."""
        self._open.discard(connection)
        self.silent.pop(connection, None)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._under_way += 1
        self._idle.clear()
        connection = request.protocol
        assert isinstance(connection, _Connection)
        connection.has_head()
        try:
            response = await self._handler(request)
        finally:
            connection.is_answered()
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


def _most_connections() -> int:
    try:
        import resource
    except ImportError:  # Windows, which has handles enough
        return MAX_CONNECTIONS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, soft // 2))


def _reason(error: OSError | OverflowError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
