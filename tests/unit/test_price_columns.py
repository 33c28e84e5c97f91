"""Whole columns of a price file: the very ticks that reading row by row gives, or nothing at all."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exengine.domain.errors import UserError
from exengine.exchange.markets import price_columns
from exengine.exchange.markets.price_columns import read_columns
from exengine.exchange.markets.price_file import check
from exengine.replay.tape import Tape
from tests.helpers.price_files import bars, parquet, trades

TIMES = st.lists(st.integers(0, 10**7), min_size=1, max_size=20, unique=True).map(sorted)
PRICES = st.decimals("0.00000001", "99999999", places=8).map(lambda price: f"{price:f}")
SHORTER = st.tuples(PRICES, st.integers(0, 8)).map(lambda one: one[0][: len(one[0]) - one[1]].rstrip(".") or "1")


def columns_tape(path: Path) -> Tape:
    columns = read_columns(path)
    assert columns is not None
    return Tape.of(*columns)


def rows_tape(path: Path) -> Tape:
    return Tape(check(path).ticks(-1))


def same(one: Tape, other: Tape) -> bool:
    return (
        np.array_equal(one.times, other.times)
        and np.array_equal(one.prices, other.prices)
        and one.decimals == other.decimals
        and one.prices.dtype == other.prices.dtype == np.int64
    )


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_trades_are_what_they_are_row_by_row(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    rows = [(at_ms, data.draw(SHORTER.filter(lambda text: float(text) > 0))) for at_ms in data.draw(TIMES)]
    path = trades(tmp_path_factory.mktemp("trades"), rows)
    assert same(columns_tape(path), rows_tape(path))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_bars_are_four_ticks_each_as_row_by_row(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    rows = []
    for at_ms in data.draw(TIMES):
        low, *inside, high = sorted((data.draw(PRICES) for _ in range(4)), key=float)
        rows.append((at_ms, inside[0], high, low, inside[1]))
    path = bars(tmp_path_factory.mktemp("bars"), rows)
    assert same(columns_tape(path), rows_tape(path))


def test_a_file_longer_than_a_block_is_one_tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_columns, "_BLOCK", 64)
    path = trades(tmp_path, [(at_ms, f"{100 + at_ms % 7}.{'0' * (at_ms % 4)}1") for at_ms in range(200)])
    assert same(columns_tape(path), rows_tape(path))


@pytest.mark.parametrize(
    "text",
    [
        "timestamp,price\r\n5,1.50\r\n6,2\r\n",
        "\ufefftimestamp,price\n5,1.50",
        "price,note,timestamp\n1.5,any text: é is none,5\n".replace("é", "e"),
        "timestamp,price\n5,.5\n6,5.\n007,0001.10\n",
        "timestamp,price\n5,99999999999999.999\n",
        "timestamp,open,high,low,close,volume\n5,3,4,2,3.5,1e-7\n",
        "timestamp,price\n5,1200\n5,100\n",
    ],
)
def test_plain_files_of_other_programs_are_read(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "BTCUSDT.csv", text)
    assert same(columns_tape(path), rows_tape(path))


@pytest.mark.parametrize(
    "text",
    [
        'timestamp,price\n"5","1.5"\n',
        "timestamp,price\n5,1e3\n",
        "timestamp,price\n5, 1.5\n",
        "timestamp,price\n5,1.5\n\n6,1.5\n",
        "timestamp,price\n5,1.5,7\n",
        "timestamp,price\n5,123456789012345678901.5\n",
        "timestamp,price\n5,123456789012\n6,0.12345678\n",
    ],
)
def test_what_only_the_reader_of_rows_understands_is_left_to_it(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "BTCUSDT.csv", text)
    assert read_columns(path) is None
    assert len(rows_tape(path)) > 0


@pytest.mark.parametrize(
    "text",
    [
        "timestamp,price\n",
        "timestamp,price\n5,0\n",
        "timestamp,price\n5,-1\n",
        "timestamp,price\n5,.\n",
        "timestamp,price\n5,\n",
        "timestamp,price\n5,1.5.5\n",
        "timestamp,price\n5.0,1.5\n",
        "timestamp,price\n1234567890123456,1.5\n",
        "timestamp,price\n6,1.5\n5,1.5\n",
        "timestamp,price\n5,nan\n",
        "timestamp,price\n5\n6\n",
        "timestamp,price\n5,1.5é\n",
        "timestamp,open,high,low,close\n5,1,1,2,1\n",
        "timestamp,open,high,low,close\n5,1,1,1,1\n5,1,1,1,1\n",
    ],
)
def test_a_mistake_is_left_to_the_reader_that_names_it(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "BTCUSDT.csv", text)
    assert read_columns(path) is None
    with pytest.raises(UserError, match="The price file cannot be used"):
        check(path)


def test_a_wrong_header_is_named_and_other_files_are_left_alone(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the header must be"):
        read_columns(written(tmp_path / "BTCUSDT.csv", "time;price\n5;1\n"))
    assert read_columns(tmp_path / "missing.csv") is None
    assert read_columns(parquet(tmp_path, {"timestamp": [5], "price": ["1.5"]})) is None
