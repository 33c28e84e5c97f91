"""Two local exchanges in a process of their own: one for ExEngine, one for who is compared with it.

Each change of an order at the first is told through a pipe with the time at which it was there; prices are taken as
commands. The times are `time.perf_counter()`, which all processes of a machine share.
"""

import asyncio
import multiprocessing
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from exengine.settings.account_keys import AccountKeys, keep_keys
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import vault_of
from tests.exchange_server.serving import serve
from tests.exchange_server.values import VenueEvent, VenueMarket
from tests.exchange_server.venue import Venue
from tests.helpers.live_program import PASSPHRASE
from tests.helpers.program import write_config

D = Decimal
MARKET = "BTCUSDT"
START_PRICE = D("46300.07")
PATIENCE_S = 30.0
TOLD_AFTER_S = 0.02
"""News are kept for so long, so that telling them takes nothing from what is measured."""


@dataclass(frozen=True, slots=True)
class Told:
    """One change of one order, and when it was there."""

    at_s: float
    kind: str
    side: str
    order_id: str
    is_open: bool


def new_venue() -> Venue:
    """BTC/USDT and a million USDT."""
    market = VenueMarket(
        id=MARKET,
        base="BTC",
        quote="USDT",
        type="spot",
        tick=D("0.01"),
        step=D("0.00001"),
        min_qty=D("0.00001"),
        max_qty=D(9000),
        min_notional=D(5),
    )
    venue = Venue([market], {"USDT": D(1_000_000), "BTC": D(0)})
    venue.tick(MARKET, START_PRICE)
    return venue


def _serve(pipe: Connection) -> None:
    asyncio.run(_served(pipe))


async def _served(pipe: Connection) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    venue = new_venue()

    news: list[Told] = []

    def told(event: VenueEvent) -> None:
        if event.order is not None:
            order = event.order
            if not news:
                loop.call_later(TOLD_AFTER_S, tell)
            news.append(Told(time.perf_counter(), event.kind, order.side, order.id, order.is_open))

    def tell() -> None:
        pipe.send(tuple(news))
        news.clear()

    def command(price: Decimal | None) -> None:
        if price is None:
            ended.set()
        else:
            venue.tick(MARKET, price)

    def commands() -> None:
        while True:
            try:
                price = pipe.recv()
            except (EOFError, OSError):
                price = None
            loop.call_soon_threadsafe(command, price)
            if price is None:
                return

    venue.listeners.append(told)
    async with serve("binance", venue) as server, serve("binance", new_venue()) as bare:
        pipe.send((server.base, bare.base, server.keys.api_key, server.keys.secret))
        threading.Thread(target=commands, name="commands", daemon=True).start()
        await ended.wait()


class ExchangeProcess:
    """What the parent sees of it."""

    def __init__(self, pipe: Connection, loop: asyncio.AbstractEventLoop) -> None:
        self.base, self.bare_base, self.api_key, self.secret = pipe.recv()
        self._pipe = pipe
        self._news: asyncio.Queue[Told] = asyncio.Queue()
        self._open: set[str] = set()
        reader = threading.Thread(target=self._read, args=(loop,), name="news of the exchange", daemon=True)
        reader.start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            try:
                for told in self._pipe.recv():
                    loop.call_soon_threadsafe(self._news.put_nowait, told)
            except (EOFError, OSError, RuntimeError):
                return

    def tick(self, price: Decimal) -> None:
        self._pipe.send(price)

    async def next(self) -> Told:
        """The next change; raises TimeoutError where none comes."""
        async with asyncio.timeout(PATIENCE_S):
            told = await self._news.get()
        if told.is_open:
            self._open.add(told.order_id)
        else:
            self._open.discard(told.order_id)
        return told

    async def until(self, kind: str, side: str) -> Told:
        """The next change of this kind; others are passed over."""
        while True:
            told = await self.next()
            if (told.kind, told.side) == (kind, side):
                return told

    async def empty(self) -> None:
        """Waits until nothing rests there."""
        while self._open:
            await self.next()


async def live_account(folder: Path, exchange: ExchangeProcess) -> None:
    """A configuration in `folder` with an account there, its keys in a vault that `PASSPHRASE` opens."""
    write_config(folder, accounts=[{"name": "main", "exchange": "binance", "server": exchange.base}])
    vault = vault_of(DataDir(folder / "data"), {"EXENGINE_PASSPHRASE": PASSPHRASE}, None)
    keys = AccountKeys(api_key=exchange.api_key, secret=exchange.secret)
    await asyncio.to_thread(keep_keys, [vault], "main", keys)


@asynccontextmanager
async def exchange_process() -> AsyncIterator[ExchangeProcess]:
    context: Any = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), name="local exchange", daemon=True)
    process.start()
    theirs.close()
    try:
        yield await asyncio.to_thread(partial(ExchangeProcess, ours, asyncio.get_running_loop()))
    finally:
        try:
            ours.send(None)
        except OSError:
            process.kill()
        await asyncio.to_thread(process.join, 10)
        ours.close()
