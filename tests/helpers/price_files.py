"""Small price files for tests, and a market being played."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.exchange.markets.recorded import RecordedMarket
from exengine.exchange.markets.timed import TimedMarket
from tests.helpers.market_clock import MarketClock

START_MS = 1_640_995_200_000
"""2022-01-01 00:00 UTC."""


def trades(folder: Path, rows: Iterable[tuple[int, str]], name: str = "BTCUSDT.csv") -> Path:
    """A file of trades; times are from START_MS."""
    path = folder / name
    lines = [f"{START_MS + at_ms},{price}" for at_ms, price in rows]
    path.write_text("\n".join(["timestamp,price", *lines, ""]), encoding="utf-8")
    return path


def bars(folder: Path, rows: Iterable[tuple[int, str, str, str, str]], name: str = "BTCUSDT.csv") -> Path:
    """A file of bars; times are from START_MS."""
    path = folder / name
    lines = [f"{START_MS + at_ms},{','.join(prices)},12.5" for at_ms, *prices in rows]
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *lines, ""]), encoding="utf-8")
    return path


def parquet(folder: Path, columns: Mapping[str, Any], name: str = "BTCUSDT.parquet", **options: Any) -> Path:
    """A Parquet file of `columns`: plain values, or arrays of a type of their own; `options` of the writer."""
    import pyarrow
    from pyarrow import parquet as writer

    path = folder / name
    writer.write_table(pyarrow.table(dict(columns)), path, **options)
    return path


class Player:
    """Plays a market, and notes what it hands out and when."""

    def __init__(self, market: TimedMarket, clock: MarketClock) -> None:
        self.market = market
        self.clock = clock
        self.got: list[tuple[float, str, str]] = []
        """Seconds since the beginning, symbol, price."""

    async def sink(self, symbol: str, price: Decimal) -> None:
        self.got.append((round(self.clock.monotonic_s(), 3), symbol, str(price)))

    @property
    def prices(self) -> list[str]:
        return [price for _, _, price in self.got]

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.market.run(self.sink))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until_s(self, seconds: float) -> None:
        """Lets the market go on until its clock has come so far."""
        async with asyncio.timeout(20):
            while self.clock.monotonic_s() < seconds:  # noqa: ASYNC110  # every turn of the loop moves the clock
                await asyncio.sleep(0)


def player(*paths: Path, speed: float = 1.0, start_ms: int = 0, watch: Iterable[str] | None = ("BTC/USDT",)) -> Player:
    clock = MarketClock()
    market = RecordedMarket(paths, speed=speed, clock=clock)
    market.start_at(start_ms)
    if watch is not None:
        market.watch(watch)
    return Player(market, clock)
