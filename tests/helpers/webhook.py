"""A running listener for tests, with an intake that remembers and a clock that stands still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from exengine.engine.intake import Arrival, StoreUnavailable, Verdict, VerdictKind
from exengine.webhook.auth import WebhookAuth
from exengine.webhook.connection import Patience
from exengine.webhook.listener import Listener, ListenerSettings

TOKEN = "canary-token-7f3b1c9a5d2e8f60"
SECRET = "canary-secret-4a6d0b8e2c7f9153"
START_MS = 1_767_225_600_000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Keys:
    """Token and secret as the listener wants them, shown by no repr."""

    token: str = TOKEN
    secret: str = SECRET
    old_token: str = ""
    old_secret: str = ""


class Clock:
    """Epoch ms that only a test moves."""

    def __init__(self) -> None:
        self.now_ms = START_MS

    def __call__(self) -> int:
        return self.now_ms


class MemoryIntake:
    """Keeps arrivals in a list and judges as the engine does: the same valid signal again is a duplicate."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.verdict: Verdict | None = None
        """What the next signals get in the place of the own judgement."""
        self.fault: Exception | None = None
        self.status = "running"
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()
        self.under_way = 0
        """How many signals are being judged."""

    async def take(self, arrival: Arrival) -> Verdict:
        self.asked.set()
        self.under_way += 1
        await self.may_answer.wait()
        self.under_way -= 1
        if self.fault is not None:
            raise self.fault
        self.arrivals.append(arrival)
        number = len(self.arrivals)
        if arrival.refusal is not None:
            return Verdict(kind=VerdictKind.REFUSED, signal_id=number)
        if arrival.signal is None:
            return Verdict(kind=VerdictKind.INVALID, signal_id=number, errors=arrival.errors)
        if self.verdict is not None:
            return self.verdict
        for first, earlier in enumerate(self.arrivals[:-1], 1):
            if earlier.signal is not None and earlier.signal.digest == arrival.signal.digest:
                return Verdict(kind=VerdictKind.DUPLICATE, signal_id=first)
        return Verdict(kind=VerdictKind.ACCEPTED, signal_id=number)

    def health(self) -> str:
        return self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer as a sender sees it."""

    status: int
    headers: dict[str, str]
    text: str
    json: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A listener that is running, with what stands behind it and someone to knock."""

    listener: Listener
    intake: MemoryIntake
    clock: Clock
    session: aiohttp.ClientSession
    address: tuple[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        host, _, port = self.listener.url.partition("://")[2].removesuffix("/webhook").partition(":")
        object.__setattr__(self, "address", (host, int(port)))

    @property
    def root(self) -> str:
        return self.listener.url.removesuffix("/webhook")

    async def request(self, method: str, path: str, **options: Any) -> Reply:
        async with self.session.request(method, self.root + path, **options) as answer:
            text = await answer.text()
            parsed = await answer.json() if answer.content_type == "application/json" else None
            return Reply(status=answer.status, headers=dict(answer.headers), text=text, json=parsed)

    async def post(self, body: bytes, *, token: str | None = TOKEN, **headers: str) -> Reply:
        """Posts `body` as TradingView does, with a content type and no other header but `headers` (_ for -)."""
        path = "/webhook" if token is None else f"/webhook/{token}"
        named = {"Content-Type": "application/json"} | {name.replace("_", "-"): v for name, v in headers.items()}
        return await self.request("POST", path, data=body, headers=named)

    async def raw(self, sent: bytes) -> bytes:
        """Writes `sent` to a socket and returns all that comes back until the listener closes it."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(sent)
            await writer.drain()
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def door(*, keys: Keys | None = None, patience: Patience | None = None, **settings: Any) -> AsyncIterator[Door]:
    """A listener on a free port of the loopback, and a client. `settings` are those of ListenerSettings."""
    intake, clock = MemoryIntake(), Clock()
    defaults: dict[str, Any] = {"port": 0, "rate_per_minute": 60_000, "burst": 10_000, "webhook_auth": WebhookAuth.ANY}
    listener = Listener(intake, ListenerSettings(**defaults | settings), keys or Keys(), clock, patience=patience)
    await listener.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Door(listener=listener, intake=intake, clock=clock, session=session)
    finally:
        intake.may_answer.set()
        await listener.stop()


def unavailable() -> Exception:
    """What the intake raises where the store is full or gone."""
    return StoreUnavailable("disk full")
