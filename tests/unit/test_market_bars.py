"""A bar as four ticks (SPEC §11)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exengine.exchange.markets.bars import Bar, bar_ticks

MINUTE_MS = 60_000
prices = st.integers(1, 10_000).map(lambda cents: Decimal(cents) / 100)


@st.composite
def bars(draw: st.DrawFn) -> Bar:
    low, *middle, high = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
    open_, close = draw(st.permutations(middle))
    return Bar(at_ms=draw(st.integers(0, 2**42)), open=open_, high=high, low=low, close=close)


def bar(open_: str, high: str, low: str, close: str) -> Bar:
    return Bar(0, Decimal(open_), Decimal(high), Decimal(low), Decimal(close))


@pytest.mark.parametrize(
    ("given_bar", "order"),
    [
        (bar("100", "110", "90", "105"), [100, 90, 110, 105]),
        (bar("100", "110", "90", "95"), [100, 110, 90, 95]),
        (bar("100", "110", "90", "100"), [100, 90, 110, 100]),
    ],
    ids=["one that rises goes down first", "one that falls goes up first", "one that stands still goes down first"],
)
def test_the_order_of_its_prices(given_bar: Bar, order: list[int]) -> None:
    assert [price for _, price in bar_ticks(given_bar, MINUTE_MS)] == order


def test_the_times_of_its_prices() -> None:
    ticks = bar_ticks(bar("1", "1", "1", "1")._replace(at_ms=1_000_000), MINUTE_MS)

    assert [at_ms for at_ms, _ in ticks] == [1_000_000, 1_015_000, 1_030_000, 1_045_000]


@given(bars(), st.integers(1, 86_400_000))
def test_every_bar_begins_at_its_open_ends_at_its_close_and_touches_both_extremes(each: Bar, length_ms: int) -> None:
    ticks = bar_ticks(each, length_ms)
    found = [price for _, price in ticks]

    assert (found[0], found[3]) == (each.open, each.close)
    assert {found[1], found[2]} == {each.high, each.low}
    assert (found[1] == each.low) == (each.close >= each.open) or each.high == each.low


@given(bars(), st.integers(1, 86_400_000))
def test_its_ticks_stay_in_order_and_before_the_next_bar(each: Bar, length_ms: int) -> None:
    times = [at_ms for at_ms, _ in bar_ticks(each, length_ms)]

    assert times[0] == each.at_ms
    assert times == sorted(times)
    assert times[-1] < each.at_ms + length_ms
