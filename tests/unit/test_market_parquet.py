"""Prices in Parquet: whatever types they have, they are those of the same CSV file (SPEC §12)."""

import random
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exengine.domain.errors import UserError
from exengine.exchange.markets.parquet_rows import BATCH_ROWS
from exengine.exchange.markets.price_file import PriceFile, check
from tests.helpers.price_files import START_MS, bars, parquet, trades

PRICES = ("46319.01", "0.1", "0.00001234", "7")
TIMES = [START_MS, START_MS + 1, START_MS + 1, START_MS + 60_000]


def ticks(path: Path, after_ms: int = -1) -> list[tuple[int, Decimal]]:
    return list(check(path).ticks(after_ms))


def figures(file: PriceFile) -> tuple[Any, ...]:
    """What the check finds out, but for where the rows are."""
    return file.first_ms, file.last_ms, file.bar_ms, file.decimals, file.last_price


def decimals(*prices: str) -> list[Decimal]:
    return [Decimal(price) for price in prices]


TYPES: dict[str, Callable[[tuple[str, ...]], Any]] = {
    "decimal128": lambda prices: pa.array(decimals(*prices), pa.decimal128(38, 12)),
    "decimal256": lambda prices: pa.array(decimals(*prices), pa.decimal256(60, 18)),
    "string": lambda prices: pa.array(prices, pa.string()),
    "large string": lambda prices: pa.array(prices, pa.large_string()),
    "string view": lambda prices: pa.array(prices, pa.string_view()),
    "categories": lambda prices: pa.array(prices).dictionary_encode(),
    "double": lambda prices: pa.array(map(float, prices), pa.float64()),
    "float": lambda prices: pa.array(map(float, prices), pa.float32()),
}


@pytest.mark.parametrize("kind", TYPES)
def test_prices_of_every_type_are_those_of_the_csv_file(tmp_path: Path, kind: str) -> None:
    file = parquet(tmp_path, {"timestamp": TIMES, "price": TYPES[kind](PRICES)})
    same = trades(tmp_path, [(at_ms - START_MS, price) for at_ms, price in zip(TIMES, PRICES, strict=True)])

    assert ticks(file) == ticks(same)
    assert figures(check(file)) == figures(check(same))


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64(), pa.float16(), pa.decimal128(30, 0)], ids=str
)
def test_whole_prices_too(tmp_path: Path, kind: pa.DataType) -> None:
    values = [100, 101, 99]
    file = parquet(tmp_path, {"timestamp": TIMES[:3], "price": pa.array(values).cast(kind)})

    assert [price for _, price in ticks(file)] == values
    assert check(file).decimals == 0


@settings(max_examples=100)
@given(price=st.floats(1e-12, 1e15))
def test_a_double_is_the_shortest_text_that_spells_it(tmp_path_factory: pytest.TempPathFactory, price: float) -> None:
    file = parquet(tmp_path_factory.getbasetemp(), {"timestamp": [START_MS], "price": [price]})

    assert ticks(file) == [(START_MS, Decimal(repr(price)))]


@pytest.mark.parametrize(
    "kind",
    [
        pa.int64(),
        pa.uint64(),
        pa.timestamp("ms"),
        pa.timestamp("us"),
        pa.timestamp("ns"),
        pa.timestamp("ns", tz="UTC"),
        pa.timestamp("us", tz="America/New_York"),
        pa.string(),
    ],
    ids=str,
)
def test_times_of_every_type_are_the_same_milliseconds(tmp_path: Path, kind: pa.DataType) -> None:
    times = pa.array(TIMES, pa.int64())
    if pa.types.is_timestamp(kind):
        times = times.cast(pa.timestamp("ms", tz=kind.tz))
    file = parquet(tmp_path, {"timestamp": times.cast(kind), "price": list(PRICES)})

    assert [at_ms for at_ms, _ in ticks(file)] == TIMES


def test_times_in_whole_seconds_and_finer_than_a_millisecond(tmp_path: Path) -> None:
    whole = pa.array([1_640_995_200, 1_640_995_201], pa.timestamp("s"))
    finer = pa.array([1_640_995_200_000_999, 1_640_995_200_001_000], pa.timestamp("us"))

    # A Parquet file has no seconds: they are written as milliseconds.
    assert [at for at, _ in ticks(parquet(tmp_path, {"timestamp": whole, "price": ["1", "2"]}))] == [
        START_MS,
        START_MS + 1000,
    ]
    assert [at for at, _ in ticks(parquet(tmp_path, {"timestamp": finer, "price": ["1", "2"]}))] == [
        START_MS,
        START_MS + 1,
    ]


def test_bars_of_doubles_are_those_of_the_csv_file(tmp_path: Path) -> None:
    rows = [(0, "1.1", "3", "1", "2"), (60_000, "2", "2.5", "1.5", "1.7")]
    names = ("open", "high", "low", "close")
    columns = {name: [float(row[place]) for row in rows] for place, name in enumerate(names, 1)}
    file = parquet(tmp_path, {"volume": [1.0, 1.0], "timestamp": [START_MS, START_MS + 60_000], **columns})

    assert ticks(file) == ticks(bars(tmp_path, rows))


@pytest.mark.parametrize(
    "options",
    [{}, {"row_group_size": 1000}, {"compression": "zstd"}, {"use_dictionary": False, "data_page_size": 512}],
    ids=str,
)
def test_a_start_in_the_middle_skips_nothing_however_the_file_is_laid_out(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    count = 2 * BATCH_ROWS + 500
    times = [START_MS + number // 3 * 100 for number in range(count)]
    prices = [str(1 + number % 977) for number in range(count)]
    file = check(parquet(tmp_path, {"timestamp": times, "price": prices}, **options))
    whole = list(file.ticks(-1))
    rng = random.Random(5)

    assert [str(price) for _, price in whole] == prices
    for after_ms in (START_MS - 1, START_MS, times[-1], *(rng.choice(times) + rng.randint(-1, 1) for _ in range(12))):
        assert list(file.ticks(after_ms)) == [tick for tick in whole if tick[0] > after_ms]
        before = [tick for tick in whole if tick[0] <= after_ms]
        assert file.last_tick(after_ms) == (before[-1] if before else None)


@pytest.mark.parametrize("row_group_size", [20_000, 1_000_000])
def test_a_file_is_never_in_memory_whole_whatever_its_row_groups_are(tmp_path: Path, row_group_size: int) -> None:
    count = 400_000
    rng = random.Random(3)
    prices = pa.array([rng.randint(1, 10**9) / 100 for _ in range(count)], pa.float64())
    columns = {"timestamp": pa.array(range(START_MS, START_MS + count)), "price": prices}
    path = parquet(tmp_path, columns, row_group_size=row_group_size, use_dictionary=False, compression="none")
    held = pa.default_memory_pool()
    watched = pa.proxy_memory_pool(held)
    pa.set_memory_pool(watched)
    try:
        assert sum(1 for _ in check(path).ticks(-1)) == count
    finally:
        pa.set_memory_pool(held)

    assert path.stat().st_size > 6_000_000
    assert watched.max_memory() < 2_500_000


class TestBadFiles:
    def told(self, path: Path) -> str:
        with pytest.raises(UserError) as told:
            check(path)
        text = str(told.value)
        assert text.startswith("The price file cannot be used: ")
        return text.removeprefix("The price file cannot be used: ").removeprefix(str(path))

    @pytest.mark.parametrize(
        ("columns", "what"),
        [
            ({"time": [1], "price": [5]}, ': the header must be "timestamp,price" or'),
            ({"timestamp": [1], "price": [True]}, ': the column "price" is of type bool, and must be numbers or text'),
            ({"timestamp": [1], "price": [b"5"]}, ': the column "price" is of type binary'),
            ({"timestamp": [1], "price": [[5]]}, ': the column "price" is of type list'),
            ({"timestamp": [1.0], "price": [5]}, ', row 1: the timestamp "1.0" is not a number of milliseconds'),
            ({"timestamp": pa.array([1], pa.date64()), "price": [5]}, 'must be whole milliseconds or timestamps'),
            ({"timestamp": pa.array([], pa.int64()), "price": pa.array([], pa.int64())}, ", row 1: it has no prices"),
            ({"timestamp": [1, 2], "price": [5.0, float("nan")]}, ', row 2: the price "nan" is not a number'),
            ({"timestamp": [1, 2], "price": [5.0, float("inf")]}, ', row 2: the price "inf" is not a number'),
            ({"timestamp": [1, 2, 3], "price": [5, 6, None]}, ', row 3: the price "" is not a number'),
            ({"timestamp": [1], "price": [None]}, ', row 1: the price "" is not a number'),
            ({"timestamp": [1, None], "price": [5, 6]}, ', row 2: the timestamp "" is not a number'),
            ({"timestamp": pa.array([-1], pa.timestamp("ms")), "price": [5]}, ', row 1: the timestamp "-1" is not'),
            ({"timestamp": [1, 2], "price": ["5", "x"]}, ', row 2: the price "x" is not a number'),
            ({"timestamp": [1, 2], "price": [5, 0]}, ", row 2: the price must be above 0"),
            ({"timestamp": [2, 1], "price": [5, 5]}, ", row 2: the time goes backwards"),
        ],
    )  # fmt: skip
    def test_the_first_fault_is_named_by_path_and_row(self, tmp_path: Path, columns: dict[str, Any], what: str) -> None:
        assert what in self.told(parquet(tmp_path, columns))

    def test_the_row_is_counted_over_row_groups_and_batches(self, tmp_path: Path) -> None:
        prices = ["5"] * (2 * BATCH_ROWS)
        prices[BATCH_ROWS + 7] = "five"
        path = parquet(tmp_path, {"timestamp": list(range(1, len(prices) + 1)), "price": prices}, row_group_size=1000)

        assert self.told(path).startswith(f', row {BATCH_ROWS + 8}: the price "five" is not a number')

    def test_two_columns_of_one_name_are_refused(self, tmp_path: Path) -> None:
        from pyarrow import parquet as writer

        path = tmp_path / "BTCUSDT.parquet"
        arrays = [pa.array([1]), pa.array([5]), pa.array([6])]
        writer.write_table(pa.Table.from_arrays(arrays, ["timestamp", "price", "price"]), path)

        assert self.told(path).startswith(': there are 2 columns named "price"')

    def test_text_that_is_none_is_told_by_its_row(self, tmp_path: Path) -> None:
        odd = pa.array([b"5", b"5", b"\xff\xfe"]).view(pa.string())

        assert self.told(parquet(tmp_path, {"timestamp": [1, 2, 3], "price": odd})).startswith(
            ", row 3: it is not text"
        )

    @pytest.mark.parametrize("content", [b"", b"PAR1", b"timestamp,price\n1,5\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
    def test_what_is_no_parquet_is_said_to_be_none(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "BTCUSDT.parquet"
        path.write_bytes(content)

        assert self.told(path).startswith(": it is no Parquet file (")

    def test_one_that_was_cut_short_is_none_either(self, tmp_path: Path) -> None:
        path = parquet(tmp_path, {"timestamp": TIMES, "price": list(PRICES)})
        path.write_bytes(path.read_bytes()[:-20])

        assert self.told(path).startswith(": it is no Parquet file (")

    def test_a_damaged_page_is_told_by_the_row_from_which_on_nothing_can_be_read(self, tmp_path: Path) -> None:
        count = 3 * BATCH_ROWS
        columns = {"timestamp": list(range(1, count + 1)), "price": [str(one) for one in range(1, count + 1)]}
        path = parquet(tmp_path, columns, row_group_size=BATCH_ROWS, compression="zstd", use_dictionary=False)
        raw = bytearray(path.read_bytes())
        for place in range(len(raw) // 2, len(raw) // 2 + 2000):
            raw[place] ^= 0xFF
        path.write_bytes(bytes(raw))

        assert self.told(path).startswith(f", row {BATCH_ROWS + 1}: it cannot be read from here on (")

    def test_without_pyarrow_it_is_refused_in_words(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = parquet(tmp_path, {"timestamp": TIMES, "price": list(PRICES)})
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

        with pytest.raises(UserError, match="Install pyarrow"):
            check(path)
