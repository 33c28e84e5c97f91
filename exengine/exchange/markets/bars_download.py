"""Recorded prices from an exchange, without a key: bars a page at a time, into the file that a replay reads."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.domain.errors import Retryable, UserError
from exengine.domain.instrument import Instrument
from exengine.exchange import market_rules
from exengine.exchange.markets.feed_thread import FeedThread
from exengine.exchange.markets.public_client import PublicClient, SessionFactory
from exengine.exchange.markets.source import MarketClock, SystemClock

TIMEFRAMES = {"1m": 60_000, "3m": 180_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000}
"""The lengths of bars that are offered, in ms."""
EXCHANGES = ("binance", "bybit", "okx", "kucoin", "mexc", "gate")
"""ccxt's ids of those that can be asked."""

PAGE = 500
"""Bars a question: what every one of them gives, or fewer."""
TRIES = 4
PAUSE_S = 1.0
MOST_BARS = 1_000_000
"""Of one symbol: nearly two years of minutes."""

Told = Callable[[float], None]


class BarsDownload:
    """Asks one exchange in a thread of its own. `close` it."""

    def __init__(
        self,
        exchange: str,
        instruments: Sequence[Instrument],
        *,
        session: SessionFactory | None = None,
        clock: MarketClock | None = None,
    ) -> None:
        """`exchange` is ccxt's id. `session` makes another aiohttp session than ccxt's own, on the thread's loop."""
        types = tuple({one.type for one in instruments})
        self._exchange = exchange
        self._clock = clock or SystemClock()
        self._thread = FeedThread(f"bars of {exchange}")
        self._client = PublicClient(exchange, types, timeout_s=20.0, session=session)

    async def write(
        self, instrument: Instrument, timeframe: str, since_ms: int, until_ms: int, folder: Path, told: Told
    ) -> Path:
        """Writes the bars that began from `since_ms` on and were over at `until_ms`; the file, named by exchange id.

        Raises UserError where there are none, or the exchange does not answer for long.
        """
        bar_ms = TIMEFRAMES[timeframe]
        at_ms, end_ms = since_ms - since_ms % bar_ms, until_ms - until_ms % bar_ms
        if (end_ms - at_ms) // bar_ms > MOST_BARS:
            raise UserError(
                f"That would be more than {MOST_BARS:,} bars of {instrument.symbol}.",
                remedy="Choose a shorter time, or longer bars.",
            )
        first_ms, count = at_ms, 0
        path = folder / f"{instrument.id}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write("timestamp,open,high,low,close,volume\n")
            while at_ms < end_ms:
                bars = [
                    bar for bar in await self._page(instrument.symbol, timeframe, at_ms) if at_ms <= bar[0] < end_ms
                ]
                if bars:
                    file.writelines(f"{bar[0]},{','.join(map(_spelled, bar[1:6]))}\n" for bar in bars)
                    count, at_ms = count + len(bars), int(bars[-1][0]) + bar_ms
                else:
                    at_ms += PAGE * bar_ms  # it was not traded yet, or for a while
                told(min(1.0, (at_ms - first_ms) / max(1, end_ms - first_ms)))
        if not count:
            raise UserError(
                f"{self._exchange} has no bars of {instrument.symbol} for that time.",
                remedy="Choose another exchange or another time, or prices from files.",
            )
        return path

    async def _page(self, symbol: str, timeframe: str, since_ms: int) -> Sequence[Sequence[Any]]:
        for tries in range(1, TRIES + 1):
            try:
                return await self._thread.call(self._client.bars(symbol, timeframe, since_ms, PAGE))
            except Retryable as error:
                if tries == TRIES:
                    raise UserError(
                        f"The prices of {symbol} could not be downloaded. {error}.",
                        remedy="Check the network, or choose prices from files.",
                    ) from error
                await self._clock.sleep(max(PAUSE_S * 2**tries, (error.after_ms or 0) / 1000))
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Closes the connections and ends the thread."""
        if self._thread.is_running:
            await self._thread.call(self._client.close())
            await self._thread.close()


def _spelled(value: object) -> str:
    """A price as the file has it; a volume that the exchange leaves out is 0."""
    number = market_rules.number(value)
    return format(number if number is not None else Decimal(0), "f")
