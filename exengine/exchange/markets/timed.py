"""Plays a market that has a time of its own against the clock on the wall."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from exengine.domain.instrument import Instrument
from exengine.exchange.markets.source import MarketClock, Sink, Tick

MOST_BEHIND_S = 5.0
"""What is due is caught up with in order, but never more than this: after a long stall the market is simply later."""

BEFORE_ALL_MS = -1
SHORTEST_SLEEP_S = 0.002
LONGEST_SLEEP_S = 0.5
"""After which it is looked whether other symbols are watched meanwhile."""


class Pace:
    """Turns the clock's time into the market's."""

    def __init__(self, clock: MarketClock, speed: float, start_ms: int) -> None:
        self._clock = clock
        self._ms_per_s = 1000.0 * speed
        self._from_s = clock.monotonic_s()
        self._start_ms = start_ms

    def market_ms(self) -> int:
        """What time it is in the market."""
        return self._start_ms + int((self._clock.monotonic_s() - self._from_s) * self._ms_per_s)

    def left_s(self, at_ms: int) -> float:
        """How long until `at_ms`; negative where it is late. Shifts the market's time where it is too late."""
        left = self._from_s + (at_ms - self._start_ms) / self._ms_per_s - self._clock.monotonic_s()
        if left < -MOST_BEHIND_S:
            self._from_s += -left - MOST_BEHIND_S
            return -MOST_BEHIND_S
        return left


class TimedMarket(ABC):
    """What the generated and the recorded market have in common: position, pace, and who is watched."""

    def __init__(self, *, clock: MarketClock, speed: float = 1.0) -> None:
        if not 0 < speed < 1e6:
            raise ValueError(f"speed must be positive: {speed}")
        self._clock = clock
        self._speed = speed
        self._position = BEFORE_ALL_MS
        self._watched: frozenset[str] | None = None
        self._last: dict[str, Decimal] = {}
        self._told: set[str] = set()
        """Symbols whose last price the sink has."""

    @property
    def position_ms(self) -> int:
        """Every tick up to then has been handed out. A tick cut short by a stop is handed out again."""
        return self._position

    def start_at(self, position_ms: int) -> None:
        """Goes on from there when `run` is called next."""
        self._position = max(BEFORE_ALL_MS, position_ms)

    def watch(self, symbols: Iterable[str]) -> None:
        """From now on only these are handed out."""
        self._watched = frozenset(symbols)
        self._told &= self._watched

    def ticks(self, until_ms: int) -> Iterator[Tick]:
        """The ticks after `position_ms` up to `until_ms`; the position stays where it is."""
        for tick in self._ticks_after(self._position):
            if tick.at_ms > until_ms:
                return
            if self._wants(tick.symbol):
                yield tick

    async def run(self, sink: Sink) -> None:
        """Hands prices out as time goes by, until cancelled; after a market's end it holds the last ones."""
        await self._open()
        self._last = dict(self._last_prices(self._position))
        self._told = set()
        await self._tell_new(sink)
        pace = Pace(self._clock, self._speed, self._position)
        given_ms = self._position
        for at_ms, symbol, price in self._ticks_after(self._position):
            if at_ms > given_ms:
                self._position = max(self._position, given_ms)
                await self._until(at_ms, pace, sink)
                given_ms = at_ms
            self._last[symbol] = price
            if self._wants(symbol):
                self._told.add(symbol)
                await sink(symbol, price)
        self._position = max(self._position, self._end_ms())
        while True:
            await self._tell_new(sink)
            await self._clock.sleep(LONGEST_SLEEP_S)

    async def _until(self, at_ms: int, pace: Pace, sink: Sink) -> None:
        """Waits until it is `at_ms` in the market."""
        left = pace.left_s(at_ms)
        if left < SHORTEST_SLEEP_S:
            await asyncio.sleep(0)  # the loop has other work too
        while left >= SHORTEST_SLEEP_S:
            self._position = max(self._position, min(pace.market_ms(), at_ms - 1))
            await self._clock.sleep(min(left, LONGEST_SLEEP_S))
            await self._tell_new(sink)
            left = pace.left_s(at_ms)
        self._position = max(self._position, at_ms - 1)
        await self._tell_new(sink)

    async def _tell_new(self, sink: Sink) -> None:
        """Gives the last price of what is watched since the last look."""
        if len(self._told) == len(self._last if self._watched is None else self._watched):
            return
        for symbol in sorted(self._last.keys() - self._told):
            if self._wants(symbol):
                self._told.add(symbol)
                await sink(symbol, self._last[symbol])

    def _wants(self, symbol: str) -> bool:
        return self._watched is None or symbol in self._watched

    async def close(self) -> None:
        """Forgets what it has computed or read."""
        self._last.clear()

    def _end_ms(self) -> int:
        """When the market ends; one that never does is never asked."""
        return self._position

    @property
    @abstractmethod
    def description(self) -> str: ...

    @abstractmethod
    async def instruments(self) -> tuple[Instrument, ...]: ...

    @abstractmethod
    async def _open(self) -> None:
        """Prepares, away from the loop, what is needed before the first tick."""

    @abstractmethod
    def _ticks_after(self, position_ms: int) -> Iterator[Tick]: ...

    @abstractmethod
    def _last_prices(self, position_ms: int) -> Mapping[str, Decimal]:
        """Each symbol's price as it stands at `position_ms`, where it has one by then."""
