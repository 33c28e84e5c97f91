"""The busiest account that must be borne: two hundred groups of five pyramids of seven legs, on the real engine.

Prices come twenty times a second, as exchanges send them: each of the two hundred symbols once a second.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.bootstrap.program import Program
from exengine.domain.instrument import Instrument
from exengine.settings.paths import DataDir
from tests.bench.webhook_client import WebhookClient, webhook_client
from tests.helpers.alerts import alert
from tests.helpers.program import TOKEN, HandMarket, environment, write_config

GROUPS, PYRAMIDS, LEGS = 200, 5, 7
BATCHES = 20
"""How often prices come in a second; each time those of some symbols, in turns."""
PRICE = Decimal(100)
LOWEST = Decimal("97.60")
"""Fills the first four legs or so of each pyramid; the others rest."""

SECTIONS: dict[str, Any] = {
    "listener": {"rate_per_minute": 100_000, "burst": 10_000},
    "accounts": [{"name": "paper", "exchange": "paper", "balances": {"USDT": "1000000000"}}],
    "grid": {
        "max_pyramids": PYRAMIDS,
        "legs": [
            {"gap_percent": str(Decimal(-place) / 2), "weight_percent": weight, "tp_percent": "30"}
            for place, weight in enumerate(["14.28"] * (LEGS - 1) + ["14.32"])
        ],
    },
    "sizing": {"amount": "7000"},
    "pool": {"max_open_groups": GROUPS},
}


def coin(number: int) -> Instrument:
    name = f"C{number:03}"
    return Instrument(
        symbol=f"{name}/USDT", id=f"{name}USDT", base=name, quote="USDT", tick_size=Decimal("0.01"),
        step_size=Decimal("0.0001"), min_qty=Decimal("0.0001"), min_notional=Decimal(5),
        maker_fee=Decimal("0.001"), taker_fee=Decimal("0.001"),
    )  # fmt: skip


COINS = [coin(number) for number in range(GROUPS)]


BAND, STEP = 200, 5
"""Cents above `LOWEST` between which nothing fills, and by how many a price moves in a second: 3 % a minute."""


class BusyMarket(HandMarket):
    """Prices of some symbols at once: each rises and falls in the band, as prices of a wild market do."""

    def __init__(self) -> None:
        super().__init__(COINS)
        self._moves = 0

    async def move(self) -> None:
        """The next batch."""
        for number in range(self._moves % BATCHES, GROUPS, BATCHES):
            way = (self._moves // BATCHES * STEP + number * 13) % (2 * BAND)
            cents = min(way, 2 * BAND - 1 - way)
            await self.tick(str(LOWEST + Decimal(cents + 1) / 100), COINS[number].symbol)
        self._moves += 1

    async def flow(self) -> None:
        """Prices for ever, at their pace."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self.move()
            due = max(due + 1 / BATCHES, loop.time())
            await asyncio.sleep(due - loop.time())


@asynccontextmanager
async def busy_program(folder: Path) -> AsyncIterator[tuple[Program, BusyMarket]]:
    """The program with all groups open, and part of their legs filled."""
    os.environ.update(environment())
    market = BusyMarket()
    running = Program(DataDir(folder / "data"), write_config(folder, **SECTIONS), market=market)
    await running.start()
    try:
        for one in COINS:
            await market.tick(str(PRICE), one.symbol)
        port = running.config.listener.port
        async with webhook_client(port, f"/webhook/{TOKEN}") as client:
            for pyramid in range(PYRAMIDS):
                for one in COINS:
                    await _enter(client, one, PRICE - Decimal(pyramid) / 10)
        await running.engine.settled()
        for price in (LOWEST, LOWEST + 1):
            for one in COINS:
                await market.tick(str(price), one.symbol)
        await running.engine.settled()
        legs = sum(len(pyramid.legs) for group in running.state.groups.values() for pyramid in group.pyramids)
        assert legs == GROUPS * PYRAMIDS * LEGS
        yield running, market
    finally:
        await running.stop()


async def _enter(client: WebhookClient, one: Instrument, price: Decimal) -> None:
    answered = await client.post(entry(one, price))
    assert answered.status == 202


def entry(one: Instrument, price: Decimal, **changes: Any) -> dict[str, Any]:
    stamp = time.time_ns() // 1_000_000
    return alert(timestamp=stamp, tv__symbol=one.id, tv__entry_price=str(price), **changes)


async def lateness(seconds: float, step_s: float = 0.005) -> list[float]:
    """How late a timer of the running loop comes, again and again, in seconds."""
    loop = asyncio.get_running_loop()
    late, until = [], loop.time() + seconds
    while (began := loop.time()) < until:
        await asyncio.sleep(step_s)
        late.append(loop.time() - began - step_s)
    return late
