"""All ticks of a plain CSV file at once, as whole numbers: a million rows in a fraction of a second.

What it takes in is what `price_file.check` takes in, and comes out as the same numbers. A file with anything out of the
ordinary in it (quotes, exponents, empty lines, a mistake) is not read here at all: the reader of rows knows what
is allowed, and what to say of the rest.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exengine.exchange.markets.bars import SINGLE_BAR_MS
from exengine.exchange.markets.price_rows import LONGEST_LINE, CsvRows, is_parquet

Array = NDArray[Any]

_COMMA, _POINT, _ZERO, _LINE = (ord(one) for one in ",.0\n")
_MOST_DIGITS = 17
"""Of a price with all the decimals of its column: whole numbers of the machine, with room to be held against bounds."""
_MOST_DIGITS_OF_A_TIME = 15
_BLOCK = 1 << 22
"""Bytes that are looked at together: their working arrays stay small beside the columns."""


class Columns(NamedTuple):
    """Ticks in order of time; a price is a whole number of the file's last decimal."""

    times: Array
    """Epoch ms."""
    prices: Array
    decimals: int
    """The fewest that hold every price of the file."""


class _Unusual(Exception):
    """The file has to be read row by row."""


def read_columns(path: Path) -> Columns | None:
    """Every tick of a CSV file, bars taken apart as `bars.bar_ticks` does it; None where it must be read row by row.

    Raises UserError where its header is none of ours.
    """
    if is_parquet(path):
        return None
    try:
        return _ticks(path)
    except (OSError, _Unusual):
        return None


def _ticks(path: Path) -> Columns:
    rows = CsvRows.opened(path)
    (times, *prices), decimals = _columns(path, rows)
    if rows.is_bars:
        times, ticks = _ticks_of_bars(times, *prices)
    else:
        _check(bool((times[1:] >= times[:-1]).all()))
        ticks = prices[0]
    while decimals and not (ticks % 10).any():
        ticks, decimals = ticks // 10, decimals - 1
    return Columns(times, ticks, decimals)


def _check(is_so: bool) -> None:
    if not is_so:
        raise _Unusual


def _columns(path: Path, rows: CsvRows) -> tuple[list[Array], int]:
    """The times and each column of prices, these as whole numbers of so many decimals."""
    blocks: list[list[tuple[Array, int]]] = []
    with path.open("rb") as file:
        width = file.readline(LONGEST_LINE).count(b",") + 1
        while block := file.read(_BLOCK):
            blocks.append(_block(block + file.readline(LONGEST_LINE), width, rows.places))
    _check(bool(blocks))
    decimals = max(used for block in blocks for _, used in block[1:])
    times = np.concatenate([block[0][0] for block in blocks])
    prices = [
        np.concatenate([_scaled(*block[number], decimals) for block in blocks]) for number in range(1, len(rows.places))
    ]
    _check(all(bool((column > 0).all()) for column in prices))
    return [times, *prices], decimals


def _scaled(values: Array, used: int, decimals: int) -> Array:
    missing = decimals - used
    _check(int(values.max()) < 10 ** (_MOST_DIGITS - missing))
    return values * 10**missing


def _block(raw: bytes, width: int, places: tuple[int, ...]) -> list[tuple[Array, int]]:
    """The used fields of whole lines: their values, and how many decimals those have."""
    raw = raw.replace(b"\r\n", b"\n")
    text = np.frombuffer(raw if raw.endswith(b"\n") else raw + b"\n", dtype=np.uint8)
    _check(int(text.max()) < 128)
    found = np.flatnonzero((text == _COMMA) | (text == _LINE))
    _check(len(found) % width == 0)
    ends: Array = found.reshape(-1, width)
    _check(bool((text[ends[:, -1]] == _LINE).all() and (text[ends[:, :-1]] == _COMMA).all()))
    starts = np.concatenate(([0], found[:-1] + 1)).reshape(ends.shape)
    _check(int((ends[:, -1] - starts[:, 0]).max()) < LONGEST_LINE - 2)
    times, *prices = (_numbers(text, starts[:, place], ends[:, place]) for place in places)
    _check(times[1] < 0 and int(times[0].max()) < 10**_MOST_DIGITS_OF_A_TIME)
    return [(values, max(decimals, 0)) for values, decimals in (times, *prices)]


def _numbers(text: Array, starts: Array, ends: Array) -> tuple[Array, int]:
    """Fields of digits with at most one point in each: whole numbers of the most decimals, and these; -1 = no point."""
    values = np.zeros(len(starts), dtype=np.int64)
    decimals = np.full(len(starts), -1, dtype=np.int64)
    widths = ends - starts
    longest, shortest = int(widths.max()), int(widths.min())
    _check(longest <= _MOST_DIGITS + 1 and shortest > 0)
    has_points = False
    for place in range(longest):
        is_here = place < widths
        letters = text[starts + place if place < shortest else np.where(is_here, starts + place, 0)]
        digits = letters - _ZERO  # of bytes: what comes before "0" becomes far more than 9
        is_digit = (digits < 10) & is_here
        if is_digit.all():
            values *= 10
            values += digits
            if has_points:
                decimals += decimals >= 0
            continue
        is_point = is_here & (letters == _POINT)
        _check(not (is_here & ~is_digit & ~is_point).any() and not (is_point & (decimals >= 0)).any())
        values = np.where(is_digit, values * 10 + digits, values)
        decimals += is_digit & (decimals >= 0)
        decimals[is_point] = 0
        has_points = has_points or bool(is_point.any())
    most = int(decimals.max())
    if most > 0:
        factors = 10 ** (most - np.maximum(decimals, 0))
        _check(bool((values < 10**_MOST_DIGITS // factors).all()))
        values *= factors
    else:
        _check(int(values.max()) < 10**_MOST_DIGITS)
    return values, most


def _ticks_of_bars(times: Array, opens: Array, highs: Array, lows: Array, closes: Array) -> tuple[Array, Array]:
    """Times and prices of the four ticks of each bar, as `bar_ticks` has them."""
    steps = np.diff(times)
    _check(bool((highs >= lows).all() and (steps > 0).all()))
    length_ms = int(steps.min()) if len(steps) else SINGLE_BAR_MS
    rises = closes >= opens
    prices = np.column_stack((opens, np.where(rises, lows, highs), np.where(rises, highs, lows), closes))
    offsets = np.arange(4, dtype=np.int64) * length_ms // 4
    return (times[:, None] + offsets).reshape(-1), prices.reshape(-1)
