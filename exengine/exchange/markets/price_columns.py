"""All ticks of a plain CSV file at once, as whole numbers: a million rows in a fraction of a second.

A file that is wrong, or written in a way that Arrow and we may read differently, is left to `price_file`, which reads
it row by row and says what is wrong with which.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from exengine.exchange.markets.bars import SINGLE_BAR_MS
from exengine.exchange.markets.price_rows import CsvRows, is_parquet, unreadable

Array = NDArray[Any]

_PLAIN = b"0123456789.,\r\n"
_SCALES = (12, 6)
"""Decimals that prices are read with, so that they fit into 64 bits; more are not lost but refused."""
_LATEST_MS = 10**15


class Columns(NamedTuple):
    """Ticks in order of time; a price is a whole number of the file's last decimal."""

    times: Array
    """Epoch ms."""
    prices: Array
    decimals: int


def read_columns(path: Path) -> Columns | None:
    """Every tick of a file, bars taken apart as `bars.bar_ticks` does it; None where it must be read row by row.

    Raises UserError where it cannot be opened or its header is none of ours.
    """
    if is_parquet(path):
        return None
    try:
        rows = CsvRows.opened(path)
        data = path.read_bytes()[rows.first.offset :]
    except OSError as error:
        raise unreadable(path, error) from error
    if not data or data.replace(b"e-", b"").translate(None, _PLAIN):
        return None
    for scale in _SCALES:
        table = _table(data, rows, scale)
        if table is not None:
            return _ticks(table, scale, is_bars=rows.is_bars)
    return None


def _table(data: bytes, rows: CsvRows, scale: int) -> list[Array] | None:
    """The columns used: the time, and the prices times 10 to the power of `scale`."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # here: it is slow to load, and not all replays need it
        from pyarrow import csv
    except ImportError:
        return None
    names = [str(place) for place in range(data.partition(b"\n")[0].count(b",") + 1)]
    if len(names) < rows.width:
        return None
    used = [names[place] for place in rows.places]
    kinds = dict.fromkeys(used[1:], pa.decimal128(38, scale)) | {used[0]: pa.int64()}
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(column_names=names),
            parse_options=csv.ParseOptions(quote_char=False),
            convert_options=csv.ConvertOptions(column_types=kinds, include_columns=used, null_values=[]),
        ).combine_chunks()
    except pa.ArrowInvalid:
        return None
    if not table.num_rows:
        return None
    columns = [one for name in used if (one := _whole(table.column(name))) is not None]
    if len(columns) < len(used) or columns[0].min() < 0 or columns[0].max() >= _LATEST_MS:
        return None
    return None if any(one.min() <= 0 for one in columns[1:]) else columns


def _whole(column: Any) -> Array | None:
    """A column's numbers; a decimal's in its last place. None where one is missing or needs more than 64 bits."""
    (chunk,) = column.chunks
    if chunk.null_count:
        return None
    if str(chunk.type) == "int64":
        return np.asarray(chunk)
    # 16 bytes each, the lower half first (Arrow's columnar format, decimal128).
    halves = np.frombuffer(chunk.buffers()[1], dtype=np.int64).reshape(-1, 2)[chunk.offset :][: len(chunk)]
    low, high = halves[:, 0], halves[:, 1]
    return None if high.any() or (low < 0).any() else low.copy()


def _ticks(table: list[Array], scale: int, *, is_bars: bool) -> Columns | None:
    times, *prices = table
    steps = np.diff(times)
    if (steps < (1 if is_bars else 0)).any():
        return None
    if not is_bars:
        return _least(times, prices[0], scale)
    opens, highs, lows, closes = prices
    if (highs < lows).any():
        return None
    length_ms = int(steps.min()) if len(steps) else SINGLE_BAR_MS
    rises = closes >= opens
    second, third = np.where(rises, lows, highs), np.where(rises, highs, lows)
    quarters = np.array([length_ms * quarter // 4 for quarter in range(4)], dtype=np.int64)
    whole = np.stack([opens, second, third, closes], axis=1).ravel()
    return _least((times[:, None] + quarters).ravel(), whole, scale)


def _least(times: Array, prices: Array, scale: int) -> Columns:
    """With no more decimals than the prices need."""
    for places in (6, 1):
        while scale >= places and not (prices % 10**places).any():
            prices, scale = prices // 10**places, scale - places
    return Columns(times, prices, scale)
