"""Prices read all at once are those that are read row by row; what is wrong is left to the row-by-row reading."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st

from exengine.domain.errors import UserError
from exengine.exchange.markets.price_columns import read_columns
from exengine.exchange.markets.price_file import check
from exengine.replay.tape import Tape

BARS = "timestamp,open,high,low,close,volume"

PRICE = st.one_of(
    st.decimals(min_value="0.000001", max_value="99999", places=6).map(str),
    st.decimals(min_value="0.1", max_value="3000000000", places=2).map(str),
    st.sampled_from(
        ["0", "-1", "", "1e-5", "1e5", "0x1F", "NaN", " 5", '"7.5"', "5.", ".5", "1,5", "1e-13", "+3", "00012.50", "٣"]
    ),
)
MOMENT = st.one_of(
    st.integers(1_600_000_000_000, 1_600_000_000_500).map(str), st.sampled_from(["", "-5", "1e3", "0x10", "9" * 17])
)


def ticks_of(path: Path) -> Tape | None:
    try:
        return Tape(check(path).ticks(-1))
    except UserError:
        return None


def agree(text: str) -> bool:
    """Whether it was read all at once."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "BTCUSDT.csv"
        path.write_bytes(text.encode())
        columns, tape = read_columns(path), ticks_of(path)
    if columns is None:
        return False
    assert tape is not None
    assert columns.times.tolist() == tape.times.tolist()
    assert columns.prices.tolist() == tape.prices.tolist()
    assert columns.decimals == tape.decimals
    return True


@given(rows=st.lists(st.tuples(MOMENT, PRICE), max_size=6), end=st.sampled_from(["\n", "\r\n", "\n\n"]))
@example(rows=[("5", "46319.0"), ("5", "46319")], end="\n")
def test_trades(rows, end):
    rows = sorted(rows)
    agree("timestamp,price\n" + "".join(f"{at},{price}{end}" for at, price in rows))


@given(
    rows=st.lists(
        st.tuples(PRICE, PRICE, PRICE, PRICE, st.sampled_from(["1.5", "", "2e-05", "x", "7,8"])), min_size=1, max_size=5
    ),
    step=st.integers(0, 60_000),
    last=st.sampled_from(["", "\n"]),
)
def test_bars(rows, step, last):
    told = [",".join((str(1_600_000_000_000 + place * step), *row)) for place, row in enumerate(rows)]
    agree("\n".join([BARS, *told]) + last)


def test_a_plain_file_is_read_all_at_once():
    assert agree("timestamp,price\n1,46319.0\n1,46319.25\n7,0.5\n")
    assert agree(f"{BARS}\n60000,2.0,3.0,1.0,2.5,9e-05\n120000,2.5,3.0,1.0,2.25,1\n")
    assert agree("price,timestamp,side\n1.5,100,\n2,100,\n")
    assert agree("timestamp,price\n1,2800000000.25\n")
