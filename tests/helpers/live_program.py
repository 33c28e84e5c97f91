"""The program as a process on an account whose exchange is a local server, and what a test looks at of both."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.settings.account_keys import WITH_PASSPHRASE, AccountKeys, keep_keys
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import vault_of
from tests.exchange_server.serving import Served, serve
from tests.exchange_server.venue import Venue, VenueMarket, VenueOrder
from tests.helpers.nursery import Nursery
from tests.helpers.program import Headless, exengine, write_config

D = Decimal
PASSPHRASE = "a passphrase for tests"
OURS = re.compile(r"x[0-9A-Za-z]{25}")
PATIENCE_S = 30.0


@dataclass(kw_only=True)
class LiveRun:
    """A program at a local exchange. The exchange outlives the program."""

    folder: Path
    server: Served
    process: Headless | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    nursery: Nursery | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def venue(self) -> Venue:
        return self.server.venue

    def begin(self) -> None:
        """Starts the program, and does not wait until it is ready."""
        self.process = Headless(self.folder, self.nursery, EXENGINE_PASSPHRASE=PASSPHRASE, **self.env)

    async def start(self) -> None:
        self.begin()
        assert self.process is not None
        await asyncio.to_thread(self.process.ready)

    async def post(self, body: dict[str, Any]) -> tuple[int, Any]:
        assert self.process is not None
        return await asyncio.to_thread(self.process.post, body)

    async def stop(self, **how: Any) -> int:
        assert self.process is not None
        return await asyncio.to_thread(lambda: self.process.stop(**how) if self.process else 0)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits until the exchange's books are so."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            output = self.process.output if self.process else ""
            raise AssertionError(f"{what}: it never came\n{output}\n{self.venue.open_orders()}") from None

    def changed(self, *_: object) -> None:
        self._changed.set()

    def open(self, side: str) -> list[VenueOrder]:
        return [order for order in self.venue.open_orders() if order.side == side]

    def exported(self, what: str) -> list[dict[str, Any]]:
        out = self.folder / f"{what}.json"
        options = ["--data-dir", self.folder / "data", "--config", self.folder / "config.json"]
        result = exengine("export", "--what", what, "--format", "json", "--out", out, *options)
        assert result.returncode == 0, result.stderr
        rows: list[dict[str, Any]] = json.loads(out.read_text())
        return rows


@asynccontextmanager
async def live_run(
    folder: Path,
    exchange: str = "binance",
    *,
    venue: Venue | None = None,
    account: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    nursery: Nursery | None = None,
    **sections: Any,
) -> AsyncIterator[LiveRun]:
    """A running program on an account of `exchange`, its keys in a vault.

    Without a `venue` it is a spot account and BTC is at 46,300.07. `account` are further settings of the account, and
    a `nursery` begins its processes.
    """
    async with serve(exchange, venue or plain_venue()) as server:
        settings = {"name": "main", "exchange": exchange, "server": server.base, **(account or {})}
        write_config(folder, accounts=[settings], **sections)
        vault = vault_of(DataDir(folder / "data"), {"EXENGINE_PASSPHRASE": PASSPHRASE}, None)
        keys = AccountKeys(
            api_key=server.keys.api_key,
            secret=server.keys.secret,
            passphrase=server.keys.passphrase if exchange in WITH_PASSPHRASE else None,
        )
        await asyncio.to_thread(keep_keys, [vault], "main", keys)
        run = LiveRun(folder=folder, server=server, env=env or {}, nursery=nursery)
        server.venue.listeners.append(run.changed)
        try:
            await run.start()
            yield run
        finally:
            if run.process is not None:
                await asyncio.to_thread(run.process.__exit__)


def plain_venue() -> Venue:
    market = VenueMarket(
        id="BTCUSDT",
        base="BTC",
        quote="USDT",
        type="spot",
        tick=D("0.01"),
        step=D("0.00001"),
        min_qty=D("0.00001"),
        max_qty=D(9000),
        min_notional=D(5),
    )
    venue = Venue([market], {"USDT": D(10000), "BTC": D(0)})
    venue.tick(market.id, D("46300.07"))
    return venue
