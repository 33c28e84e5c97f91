"""A market that is made up from a seed: it needs no network, moves like a real one, and never ends."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from exengine.assets import asset
from exengine.domain.instrument import Instrument
from exengine.exchange import market_rules
from exengine.exchange.markets.noise import Floats, key, uniform
from exengine.exchange.markets.source import MarketClock, SystemClock, Tick
from exengine.exchange.markets.timed import TimedMarket
from exengine.exchange.markets.walk import BLOCK_S, Walks

RULES = "markets/generated.json"
LEADER = "BTC"
"""The coin whose walk the others follow, each by its own measure, beside a walk of their own."""

BLOCK_MS = BLOCK_S * 1000
BLOCKS_KEPT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coin:
    """A coin and all that is traded of it: spot and perpetual tick together, at one price."""

    instruments: tuple[Instrument, ...]
    start: float
    follows: float
    """Its share in the leader's walk, beside its own; the leader's is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """The ticks of 4096 seconds, one a second for each coin."""

    at_ms: NDArray[np.int64]
    """In order of time."""
    coins: list[int]
    """Whose tick it is, by number."""
    seconds: list[int]
    """Which of the block's."""
    prices: list[list[list[int]]]
    """By coin, instrument and second, in ticks of the instrument."""
    times: NDArray[np.int64]
    """By coin and second."""


class GeneratedMarket(TimedMarket):
    """BTC, ETH, SOL, XRP, ADA, DOGE, LTC, BNB, AVAX and LINK against USDT, spot and perpetual, from a seed.

    The price at a moment is a function of seed, coin and moment alone, so that a restart goes on exactly where the
    market was. It begins at prices of 2026's size and stays around them, however long it runs.
    """

    def __init__(self, seed: int = 1, *, speed: float = 1.0, clock: MarketClock | None = None) -> None:
        super().__init__(clock=clock or SystemClock(), speed=speed)
        self._seed = seed
        text = asset(RULES).read_text(encoding="utf-8")
        self._instruments = market_rules.from_json(text)
        moods = {market["base"]: market["generated"] for market in json.loads(text).values() if "generated" in market}
        self._coins = [self._coin(base, moods[base]) for base in sorted(moods, key=self._id)]
        bases = [coin.instruments[0].base for coin in self._coins]
        self._leader = bases.index(LEADER)
        self._walks = Walks(seed, {base: float(moods[base]["own_daily_percent"]) / 100 for base in bases})
        self._jitter = np.array([[key(seed, base, "jitter")] for base in bases], dtype=np.uint64)
        self._by_symbol = {
            each.symbol: (number, place)
            for number, coin in enumerate(self._coins)
            for place, each in enumerate(coin.instruments)
        }
        self._blocks: dict[int, _Block] = {}

    @property
    def description(self) -> str:
        """`generated market, seed 1`, and its speed where that is not the clock's."""
        at = "" if self._speed == 1 else f" at {self._speed:g}×"
        return f"generated market, seed {self._seed}{at}"

    async def instruments(self) -> tuple[Instrument, ...]:
        """What is traded here, by symbol."""
        return self._instruments

    def price_at(self, symbol: str, at_ms: int) -> Decimal:
        """The price of `symbol` at a moment: its last tick's, or its opening price before the first."""
        coin, place = self._by_symbol[symbol]
        second = max(0, at_ms) // 1000
        block = self._block(second // BLOCK_S)
        if block.times[coin, second % BLOCK_S] > at_ms and second > 0:
            second -= 1
            block = self._block(second // BLOCK_S)
        return block.prices[coin][place][second % BLOCK_S] * self._coins[coin].instruments[place].tick_size

    def _id(self, base: str) -> str:
        return next(each.id for each in self._instruments if each.base == base)

    def _coin(self, base: str, mood: Mapping[str, str]) -> _Coin:
        return _Coin(
            instruments=tuple(each for each in self._instruments if each.base == base),
            start=float(mood["start"]),
            follows=0.0 if base == LEADER else float(mood["beta"]),
        )

    async def _open(self) -> None:
        await asyncio.to_thread(self._block, max(0, self._position) // BLOCK_MS)

    def _ticks_after(self, position_ms: int) -> Iterator[Tick]:
        index = max(0, position_ms) // BLOCK_MS
        while True:
            block = self._block(index)
            first = int(np.searchsorted(block.at_ms, position_ms, side="right"))
            at_ms: list[int] = block.at_ms[first:].tolist()
            for moment, number, second in zip(at_ms, block.coins[first:], block.seconds[first:], strict=True):
                prices = block.prices[number]
                for place, each in enumerate(self._coins[number].instruments):
                    yield Tick(moment, each.symbol, prices[place][second] * each.tick_size)
            index += 1

    def _last_prices(self, position_ms: int) -> Mapping[str, Decimal]:
        return {symbol: self.price_at(symbol, position_ms) for symbol in self._by_symbol}

    def _block(self, index: int) -> _Block:
        if index not in self._blocks:
            if len(self._blocks) >= BLOCKS_KEPT:
                del self._blocks[max(self._blocks, key=lambda kept: abs(kept - index))]
            self._blocks[index] = self._made(index)
        return self._blocks[index]

    def _made(self, index: int) -> _Block:
        seconds = np.arange(index * BLOCK_S, (index + 1) * BLOCK_S, dtype=np.int64)
        times = seconds * 1000 + (uniform(self._jitter, seconds) * 1000.0).astype(np.int64)
        order = np.argsort(times, axis=None, kind="stable")
        follows = np.array([[coin.follows] for coin in self._coins])
        walks = self._walks.block(index)
        logarithms = walks + follows * walks[self._leader]
        return _Block(
            at_ms=times.ravel()[order],
            coins=(order // BLOCK_S).tolist(),
            seconds=(order % BLOCK_S).tolist(),
            prices=[_in_ticks(coin, row) for coin, row in zip(self._coins, logarithms, strict=True)],
            times=times,
        )


def _in_ticks(coin: _Coin, logarithm: Floats) -> list[list[int]]:
    """A block's prices in whole ticks of each of the coin's instruments."""
    # (1 + x/64)^64 in place of e^x: as positive and as smooth, and the same to the last bit on every machine.
    price = 1.0 + logarithm / 64.0
    for _ in range(6):
        price = price * price
    price = price * coin.start
    return [
        np.maximum(np.rint(price / float(each.tick_size)), 1.0).astype(np.int64).tolist() for each in coin.instruments
    ]
