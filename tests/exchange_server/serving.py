"""A local exchange on a free port of this machine, and the session that brings ccxt to it and nowhere else.

`https://api.binance.com/api/v3/time` is asked as `http://127.0.0.1:PORT/api.binance.com/api/v3/time`; websockets too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import aiohttp
import yarl
from aiohttp import web

from tests.exchange_server.control import Control
from tests.exchange_server.faults import Cut, Faults
from tests.exchange_server.front_end import Answer, Ask, FrontEnd, Keys
from tests.exchange_server.streams import Stream
from tests.exchange_server.venue import Venue

NAMES = ("binance", "bybit", "okx", "kucoin", "mexc", "gate")
GONE = Answer(status=404, body='{"error":"no such host here"}')


@dataclass(slots=True, kw_only=True)
class Served:
    """A running local exchange."""

    base: str = ""
    """Such as `http://127.0.0.1:41234`."""
    front: FrontEnd
    venue: Venue
    faults: Faults
    keys: Keys
    bugs: list[Exception] = field(default_factory=list)
    """What the front end itself raised: never part of a script."""

    def session(self) -> "LocalSession":
        """For ccxt's `session`; to be closed by who asked for it."""
        return LocalSession(self.base, self.front.hosts)


class LocalSession:
    """Behaves like an aiohttp session: asks the local server for what is meant for `hosts`, and nobody else."""

    def __init__(self, base: str, hosts: Iterable[str]) -> None:
        self._base = yarl.URL(base)
        self._hosts = frozenset(hosts)
        self._session = aiohttp.ClientSession()

    def _local(self, url: Any) -> yarl.URL:
        meant = url if isinstance(url, yarl.URL) else yarl.URL(url, encoded=True)
        if meant.host not in self._hosts:
            raise AssertionError(f"nobody is to be asked but {', '.join(sorted(self._hosts))}: not {meant.host}")
        scheme = "ws" if meant.scheme in {"ws", "wss"} else "http"
        query = f"?{meant.raw_query_string}" if meant.raw_query_string else ""
        return yarl.URL(
            f"{scheme}://{self._base.host}:{self._base.port}/{meant.host}{meant.raw_path}{query}", encoded=True
        )

    @property
    def headers(self) -> Any:
        return self._session.headers

    @property
    def cookie_jar(self) -> Any:
        return self._session.cookie_jar

    @property
    def closed(self) -> bool:
        return self._session.closed

    def get(self, url: Any, **options: Any) -> Any:
        return self._session.get(self._local(url), **options)

    def post(self, url: Any, **options: Any) -> Any:
        return self._session.post(self._local(url), **options)

    def put(self, url: Any, **options: Any) -> Any:
        return self._session.put(self._local(url), **options)

    def delete(self, url: Any, **options: Any) -> Any:
        return self._session.delete(self._local(url), **options)

    def ws_connect(self, url: Any, **options: Any) -> Any:
        return self._session.ws_connect(self._local(url), **options)

    async def close(self) -> None:
        await self._session.close()


def new_venue(name: str, **over: Any) -> Venue:
    """A venue with the exchange's usual markets and manners. `over`: balances and other arguments of Venue."""
    venue = import_module(f"tests.exchange_server.{name}").new_venue(**over)
    assert isinstance(venue, Venue)
    return venue


@asynccontextmanager
async def serve(
    name: str, venue: Venue | None = None, faults: Faults | None = None, *, keys: Keys | None = None, port: int = 0
) -> AsyncIterator[Served]:
    """The exchange `name` for as long as the block lasts: its module has FRONT_END, a class, and `new_venue()`.

    Raises an ExceptionGroup at the end where the front end itself had errors.
    """
    venue, faults, keys = venue or new_venue(name), faults or Faults(), keys or Keys()
    front = import_module(f"tests.exchange_server.{name}").FRONT_END(venue, faults, keys)
    served = Served(front=front, venue=venue, faults=faults, keys=keys)
    control = Control(front)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        ask = await _read(request)
        try:
            if ask.host == "control":
                return _response(await control.answer(ask))
            if ask.host not in front.hosts:
                return _response(GONE)
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await _stream(request, ask, served)
            ask.kind = front.kind_of(ask)
            return _response(await faults.through(ask, front, lambda: front.answer(ask)))
        except Cut:
            return _cut(request)
        except Exception as error:
            served.bugs.append(error)
            raise

    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, bound = runner.addresses[0][:2]
        served.base = f"http://{host}:{bound}"
        yield served
    finally:
        for stream in list(faults.streams):
            stream.cut()
        await runner.cleanup()
        front.leave()
    if served.bugs:
        raise ExceptionGroup(f"the local {name} has errors of its own", served.bugs)


async def _read(request: web.BaseRequest) -> Ask:
    path, _, query = request.raw_path.partition("?")
    host, _, path = path.lstrip("/").partition("/")
    body = (await request.text()) if request.can_read_body else ""
    return Ask(method=request.method, host=host, path=f"/{path}", query=query, headers=request.headers, body=body)


def _response(answer: Answer) -> web.Response:
    body = answer.body.encode() if isinstance(answer.body, str) else answer.body
    return web.Response(status=answer.status, body=body, headers=answer.headers, content_type=answer.content_type)


def _cut(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _stream(request: web.BaseRequest, ask: Ask, served: Served) -> web.StreamResponse:
    ask.kind = "stream"
    faults, front = served.faults, served.front

    async def opens() -> Answer:
        return Answer(status=101)

    answer = await faults.through(ask, front, opens)
    if answer.status != 101:
        return _response(answer)
    socket = web.WebSocketResponse(autoping=False, compress=False)
    await socket.prepare(request)
    stream = Stream(socket, request, faults)
    faults.streams.add(stream)
    writer = asyncio.create_task(stream.write(), name="stream writer")
    try:
        await front.stream(ask, stream)
    finally:
        faults.streams.discard(stream)
        writer.cancel()
    return socket
