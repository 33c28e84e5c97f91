"""A recorded price file, checked once from end to end and then played from anywhere."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from exengine.domain import money
from exengine.exchange.markets.bars import SINGLE_BAR_MS, Bar, bar_ticks
from exengine.exchange.markets.parquet_rows import ParquetRows
from exengine.exchange.markets.price_rows import (
    BAR_COLUMNS,
    PRICE_COLUMNS,
    CsvRows,
    Mark,
    Row,
    Rows,
    fault,
    is_parquet,
    unreadable,
)

ROWS_A_MARK = 2048
"""Every so many rows their place is noted, so that a start in the middle need not read what comes before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """What the check found out about a file. Its rows stay on the disk."""

    path: Path
    rows: Rows
    first_ms: int
    last_ms: int
    """The last tick's time: a bar's close comes at three quarters of the bar."""
    bar_ms: int
    """The length of a bar: the smallest step in the file, 60 s for a single bar; 0 where it has no bars."""
    decimals: int
    """The most that a price has."""
    last_price: Decimal
    mark_times: tuple[int, ...]
    marks: tuple[Mark, ...]

    def ticks(self, after_ms: int) -> Iterator[tuple[int, Decimal]]:
        """Time and price of the ticks after `after_ms`. Raises UserError where the file was spoilt meanwhile."""
        return ((at_ms, price) for at_ms, price in self._ticks_near(after_ms) if at_ms > after_ms)

    def last_tick(self, at_ms: int) -> tuple[int, Decimal] | None:
        """The last tick at or before `at_ms`; None where there is none yet."""
        if at_ms >= self.last_ms:
            return self.last_ms, self.last_price
        last = None
        for tick in self._ticks_near(at_ms):
            if tick[0] > at_ms:
                break
            last = tick
        return last

    def _ticks_near(self, at_ms: int) -> Iterator[tuple[int, Decimal]]:
        """All ticks from a place on that surely lies before the last one at or before `at_ms`."""
        place = max(0, bisect_right(self.mark_times, at_ms - self.bar_ms) - 1)
        for row in self.rows.read(self.marks[place]):
            moment = _moment(self.path, row)
            if self.bar_ms:
                yield from bar_ticks(Bar(moment, *_prices(self.path, row, BAR_COLUMNS)), self.bar_ms)
            else:
                yield moment, _prices(self.path, row, PRICE_COLUMNS)[0]


def check(path: Path) -> PriceFile:
    """Reads all of `path` once. Raises UserError with path, line and what is wrong with the first bad row."""
    rows = _opened(path)
    columns = BAR_COLUMNS if rows.is_bars else PRICE_COLUMNS
    times: list[int] = []
    marks: list[Mark] = []
    first_ms = last_ms = decimals = count = step_ms = 0
    last: list[Decimal] = []
    for row in rows.read():
        moment = _moment(path, row)
        last = _prices(path, row, columns)
        if count:
            step_ms = _step(path, row, moment - last_ms, step_ms, rows.is_bars)
        else:
            first_ms = moment
        if count % ROWS_A_MARK == 0:
            times.append(moment)
            marks.append(row.mark)
        decimals = max(decimals, *map(_decimals, row.texts[1:], last))
        last_ms = moment
        count += 1
    if not count:
        raise fault(path, 2, "it has no prices")
    bar_ms = (step_ms or SINGLE_BAR_MS) if rows.is_bars else 0
    return PriceFile(
        path=path,
        rows=rows,
        first_ms=first_ms,
        last_ms=last_ms + bar_ms * 3 // 4,
        bar_ms=bar_ms,
        decimals=decimals,
        last_price=last[-1],
        mark_times=tuple(times),
        marks=tuple(marks),
    )


def _opened(path: Path) -> Rows:
    """A reader for `path` by its ending. Raises UserError where the file is missing or its header is none of ours."""
    try:
        return ParquetRows.opened(path) if is_parquet(path) else CsvRows.opened(path)
    except OSError as error:
        raise unreadable(path, error) from error


def _moment(path: Path, row: Row) -> int:
    text = row.texts[0]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise fault(path, row.mark.line, f'the timestamp "{text[:40]}" is not a number of milliseconds')
    return int(text)


def _prices(path: Path, row: Row, columns: tuple[str, ...]) -> list[Decimal]:
    """A row's prices: the price, or open, high, low and close."""
    found = []
    for name, text in zip(columns[1:], row.texts[1:], strict=True):
        try:
            price = money.parse(text)
        except ValueError:
            raise fault(path, row.mark.line, f'the {name} "{text[:40]}" is not a number') from None
        if price <= 0:
            raise fault(path, row.mark.line, f"the {name} must be above 0, and is {text[:40]}")
        found.append(price)
    if len(found) > 1 and found[1] < found[2]:
        raise fault(path, row.mark.line, f"the high {found[1]} is below the low {found[2]}")
    return found


def _step(path: Path, row: Row, step_ms: int, smallest_ms: int, is_bars: bool) -> int:
    """The smallest step so far. Trades may share a time, bars may not."""
    if step_ms < 0:
        raise fault(path, row.mark.line, "the time goes backwards")
    if is_bars and step_ms == 0:
        raise fault(path, row.mark.line, "the time is the same as the bar’s before")
    return min(step_ms, smallest_ms) if smallest_ms else step_ms


def _decimals(text: str, price: Decimal) -> int:
    """How many decimals a price needs; what `46319.0` has behind the point is none."""
    whole, _, fraction = text.partition(".")
    if "e" in whole.lower() or "e" in fraction.lower():
        return money.decimals_of(price)
    return len(fraction.rstrip("0"))
