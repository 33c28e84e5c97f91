"""Recorded prices, played once from the disk at a multiple of the speed at which they came."""

import asyncio
import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from exengine.domain.errors import UserError
from exengine.domain.instrument import Instrument
from exengine.exchange.markets import file_rules
from exengine.exchange.markets.price_file import PriceFile, check
from exengine.exchange.markets.source import MarketClock, SystemClock, Tick
from exengine.exchange.markets.timed import TimedMarket


class RecordedMarket(TimedMarket):
    """Price files in SPEC §12's form, merged by time; a file feeds spot and perpetual of its symbol.

    Files are checked from end to end, in a worker thread, before the first price: a bad row is named by path and line
    and nothing is played. They are read from the disk as they are played. At their end the last prices hold.
    A position before the first tick begins at the beginning.
    """

    def __init__(self, paths: Sequence[Path], *, speed: float = 1.0, clock: MarketClock | None = None) -> None:
        """Raises UserError where there is no file at all."""
        super().__init__(clock=clock or SystemClock(), speed=speed)
        if not paths:
            raise UserError(
                "The recorded market has no price files.",
                remedy="Add one in the settings, or take the generated market.",
            )
        self._paths = tuple(paths)
        self._files: tuple[PriceFile, ...] = ()
        self._fed: dict[Path, tuple[str, ...]] = {}
        self._ids: dict[Path, str] = {}
        self._instruments: tuple[Instrument, ...] = ()

    @property
    def description(self) -> str:
        """What is played, how fast, and how far it is."""
        what = self._paths[0].name if len(self._paths) == 1 else f"{len(self._paths)} files"
        text = f"recorded {what} at {self._speed:g}×"
        if not self._files:
            return text
        start_ms, end_ms = self._start_ms(), self._end_ms()
        at_ms = min(max(self._position, start_ms), end_ms)
        moment = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        if self._position >= end_ms:
            return f"{text}, {moment}, played to the end, the last prices hold"
        return f"{text}, {moment}, {100 * (at_ms - start_ms) // (end_ms - start_ms)} % played"

    async def instruments(self) -> tuple[Instrument, ...]:
        """What the files are prices of, by symbol. Raises UserError for a bad file."""
        await self._open()
        return self._instruments

    def ticks(self, until_ms: int) -> Iterator[Tick]:
        """The ticks after `position_ms` up to `until_ms`; reads the files here and now where that was not done yet."""
        if not self._files:
            self._take(_checked(self._paths))
        return super().ticks(until_ms)

    async def _open(self) -> None:
        if not self._files:
            self._take(await asyncio.to_thread(_checked, self._paths))

    def _take(self, read: tuple[tuple[PriceFile, ...], dict[Path, tuple[Instrument, ...]]]) -> None:
        self._files, of_file = read
        self._instruments = file_rules.merged(of_file.values())
        self._fed = {path: tuple(each.symbol for each in found) for path, found in of_file.items()}
        self._ids = {path: found[0].id for path, found in of_file.items()}
        self._position = max(self._position, self._start_ms())

    def start_at(self, position_ms: int) -> None:
        """Goes on from there when `run` is called next; before the first tick, from the beginning."""
        super().start_at(position_ms)
        if self._files:
            self._position = max(self._position, self._start_ms())

    def _start_ms(self) -> int:
        return min(file.first_ms for file in self._files) - 1

    def _end_ms(self) -> int:
        return max(file.last_ms for file in self._files)

    def _ticks_after(self, position_ms: int) -> Iterator[Tick]:
        streams = [self._stream(file, number, position_ms) for number, file in enumerate(self._files)]
        for at_ms, _, number, price in heapq.merge(*streams):
            for symbol in self._fed[self._files[number].path]:
                yield Tick(at_ms, symbol, price)

    def _stream(self, file: PriceFile, number: int, position_ms: int) -> Iterator[tuple[int, str, int, Decimal]]:
        """A file's ticks with what they are merged by: time, exchange id, place of the file."""
        name = self._ids[file.path]
        return ((at_ms, name, number, price) for at_ms, price in file.ticks(position_ms))

    def _last_prices(self, position_ms: int) -> Mapping[str, Decimal]:
        ticks = [(file.last_tick(position_ms), file.path) for file in self._files]
        last = [(tick[0], path, tick[1]) for tick, path in ticks if tick]
        # A later one replaces an earlier one of the same symbol.
        last.sort(key=lambda tick: tick[0])
        return {symbol: price for _, path, price in last for symbol in self._fed[path]}


def _checked(paths: Sequence[Path]) -> tuple[tuple[PriceFile, ...], dict[Path, tuple[Instrument, ...]]]:
    files = tuple(check(path) for path in dict.fromkeys(paths))
    return files, {file.path: file_rules.instruments_of(file) for file in files}
