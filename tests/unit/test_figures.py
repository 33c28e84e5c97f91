"""The dashboard's numbers (SPEC §13) against another way of working them out."""

import math
import statistics
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exengine.domain.figures import daily_returns, drawdowns, sharpe, sortino, trades
from exengine.domain.money import arithmetic

D = Decimal
RESULTS = st.lists(st.integers(-10_000, 10_000).map(lambda cents: D(cents) / 100), max_size=30)
TOTALS = st.lists(st.integers(100_000, 2_000_000).map(lambda cents: D(cents) / 100), min_size=1, max_size=40)
RETURNS = st.lists(st.integers(-500, 500).map(lambda bp: D(bp) / 10_000), max_size=40)


@given(RESULTS)
def test_trades_are_won_above_zero_and_lost_below_it(results: list[Decimal]) -> None:
    with arithmetic():
        of = trades(results)
        won, lost = [one for one in results if one > 0], [one for one in results if one < 0]
        assert (of.wins, of.losses) == (len(won), len(lost))
        assert of.win_rate == (D(len(won)) / len(results) if results else None)
        assert of.average_win == (statistics.mean(won) if won else None)
        assert of.average_loss == (statistics.mean(lost) if lost else None)
        assert (of.rr is None) == (not won or not lost)
        assert (of.profit_factor is None) == (not lost)
        if won and lost:
            assert float(of.rr or 0) == pytest.approx(float(statistics.mean(won)) / -float(statistics.mean(lost)))
        if lost:
            assert float(of.profit_factor or 0) == pytest.approx(float(sum(won)) / -float(sum(lost)))
        assert (of.best, of.worst) == ((max(results), min(results)) if results else (None, None))


def test_a_group_that_brought_nothing_is_neither_won_nor_lost_but_was_closed() -> None:
    of = trades([D(5), D(0), D(-5), D(0)])
    assert (of.wins, of.losses, of.win_rate) == (1, 1, D("0.25"))


@given(TOTALS)
def test_the_largest_drawdown_is_the_worst_pair_of_a_peak_and_a_later_trough(totals: list[Decimal]) -> None:
    with arithmetic():
        largest, current = drawdowns(totals)
    pairs = [(high - low) / high * 100 for place, high in enumerate(totals) for low in totals[place:]]
    assert float(largest or 0) == pytest.approx(float(max(pairs)))
    assert float(current or 0) == pytest.approx(float((max(totals) - totals[-1]) / max(totals) * 100))


def test_a_drawdown_counts_from_the_peak_before_it() -> None:
    with arithmetic():
        assert drawdowns([D(100), D(120), D(90), D(130), D(117)]) == (D(25), D(10))
    assert drawdowns([]) == (None, None)


@given(RETURNS)
def test_sharpe_is_mean_by_sample_deviation_times_the_root_of_365(returns: list[Decimal]) -> None:
    with arithmetic():
        found = sharpe(returns)
    if len(returns) < 2 or len(set(returns)) == 1:
        assert found is None
    else:
        numbers = [float(one) for one in returns]
        assert float(found or 0) == pytest.approx(
            statistics.mean(numbers) / statistics.stdev(numbers) * math.sqrt(365), abs=1e-9
        )


@given(RETURNS)
def test_sortino_divides_by_what_falls_below_zero_over_all_days(returns: list[Decimal]) -> None:
    with arithmetic():
        found = sortino(returns)
    falls = [min(float(one), 0.0) for one in returns]
    if len(returns) < 2 or not any(falls):
        assert found is None
    else:
        downside = math.sqrt(sum(one * one for one in falls) / len(falls))
        mean = statistics.mean(float(one) for one in returns)
        assert float(found or 0) == pytest.approx(mean / downside * math.sqrt(365), abs=1e-9)


def test_a_day_without_a_close_has_returned_nothing() -> None:
    with arithmetic():
        assert daily_returns(D(100), [D(110), None, D(99), None]) == [D("0.1"), 0, D("-0.1"), 0]
