"""Places on this machine that notices go to: one over HTTP, one that takes mail, one that never answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

from aiohttp import web


@dataclass
class Taken:
    """What has come, oldest first."""

    url: str
    messages: list[Any] = field(default_factory=list)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, message: Any) -> None:
        self.messages.append(message)
        self._came.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def http_sink(*, status: int = 200) -> AsyncIterator[Taken]:
    """Takes apprise's `json://`; each message is the body as parsed. With another `status` it refuses all of them."""

    async def handle(request: web.BaseRequest) -> web.Response:
        taken.take(await request.json())
        return web.Response(status=status)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    taken = Taken(f"json://127.0.0.1:{port}/hook/sesame-open-4711")
    try:
        yield taken
    finally:
        await runner.cleanup()


@asynccontextmanager
async def mail_sink() -> AsyncIterator[Taken]:
    """Speaks as much SMTP as a client needs to deliver (RFC 5321); each message is parsed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(text: str) -> None:
            writer.write(text.encode() + b"\r\n")

        say("220 sink ready")
        while line := (await reader.readline()).decode().strip():
            match line.split()[0].upper():
                case "EHLO":
                    say("250-sink")
                    say("250 AUTH PLAIN LOGIN")
                case "AUTH":
                    say("235 ok")
                case "DATA":
                    say("354 go on")
                    data = await reader.readuntil(b"\r\n.\r\n")
                    taken.take(message_from_bytes(data, policy=default))
                    say("250 taken")
                case "QUIT":
                    say("221 bye")
                    break
                case _:
                    say("250 ok")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    where = f"127.0.0.1:{port}?smtp=127.0.0.1&from=bot@example.com&to=trader@example.com&mode=insecure"
    taken = Taken(f"mailto://bot:sesame-open-4711@{where}")
    async with server:
        yield taken


@asynccontextmanager
async def silent_sink() -> AsyncIterator[Taken]:
    """Takes connections and never says a word; each message is None."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.take(None)
        await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    # Apprise would give up after a few seconds; here it is to wait for longer than the whole test.
    taken = Taken(f"json://127.0.0.1:{server.sockets[0].getsockname()[1]}/sesame-open-4711?rto=300&cto=300")
    try:
        async with server:
            yield taken
            over.set()
    finally:
        over.set()


def text_of(message: Message) -> str:
    """A mail's text."""
    part = message.get_body(("plain",)) if hasattr(message, "get_body") else None
    return str((part or message).get_content()) if hasattr(message, "get_content") else ""
