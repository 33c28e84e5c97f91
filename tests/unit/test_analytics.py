"""The dashboard's figures (SPEC §13) agree with the decimals of a replay's summary, and with formulas written out."""

import math
import statistics
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exengine.analytics import groups, ratios
from exengine.analytics.calendar import Calendar, Range, Span
from exengine.analytics.columns import Column, Money
from exengine.analytics.equity import Equity, Now
from exengine.analytics.trades import Trades
from exengine.domain import figures
from exengine.domain.instrument import Side
from exengine.domain.money import arithmetic
from tests.helpers.results import DAY_MS, HOUR_MS, START_MS, at, mark, result, traded

D = Decimal
AMOUNTS = st.decimals(-(D(10) ** 9), D(10) ** 9, places=12)
RESULTS = st.lists(st.integers(-10_000, 10_000).map(lambda cents: D(cents) / 100), max_size=30)
TOTALS = st.lists(st.integers(100_000, 2_000_000).map(lambda cents: D(cents) / 100), min_size=1, max_size=40)
RETURNS = st.lists(st.integers(-500, 500).map(lambda bp: D(bp) / 10_000), max_size=40)
NEAR = {"rel": 1e-9, "abs": 1e-9}


def usd(_account: str, _quote: str) -> None:
    return None


def of(results: list[Decimal]) -> Trades:
    trades = Trades()
    trades.add([result(one, number=number, closed_at_ms=START_MS + number) for number, one in enumerate(results)], usd)
    return trades


def close(found: float | None, wanted: Decimal | None) -> bool:
    """Both undefined, or the same number."""
    return found is wanted if wanted is None or found is None else found == pytest.approx(float(wanted), **NEAR)


# money ----------------------------------------------------------------------------------------------------------------


@given(st.lists(AMOUNTS, max_size=50), st.data())
def test_money_adds_up_to_the_last_digit(amounts: list[Decimal], data: st.DataObject) -> None:
    with arithmetic():
        column = Money()
        column.extend(amounts)
        assert column.sum() == sum(amounts, D(0))
        assert [column.at(place) for place in range(len(amounts))] == amounts
        codes = [data.draw(st.integers(0, 2)) for _ in amounts]
        found = column.by(np.array(codes, dtype=np.int64), 3, slice(None))
        assert found == [sum((a for a, c in zip(amounts, codes, strict=True) if c == code), D(0)) for code in range(3)]


def test_a_column_grows_beyond_its_first_room() -> None:
    column = Column(np.int64)
    for number in range(3000):
        column.extend([number])
    assert column.values.tolist() == list(range(3000))


# one definition -------------------------------------------------------------------------------------------------------


@given(RESULTS)
def test_trades_are_judged_as_in_a_replays_summary(results: list[Decimal]) -> None:
    trades = of(results)
    found = groups.overall(trades, trades.select(Span()))
    with arithmetic():
        wanted = figures.trades(results)
        assert (found.closed, found.wins, found.losses) == (len(results), wanted.wins, wanted.losses)
        assert found.result == sum(results, D(0))
        assert (found.average_win, found.average_loss) == (wanted.average_win, wanted.average_loss)
        assert close(found.win_percent, None if wanted.win_rate is None else wanted.win_rate * 100)
        assert close(found.rr, wanted.rr)
        assert close(found.profit_factor, wanted.profit_factor)


@given(TOTALS)
def test_falls_are_those_of_a_replays_summary(totals: list[Decimal]) -> None:
    falls = ratios.falls(np.array([float(total) for total in totals]))
    with arithmetic():
        largest, current = figures.drawdowns(totals)
    assert falls is not None
    assert close(float(falls.max()), largest)
    assert close(float(falls[-1]), current)


def test_a_fall_from_nothing_is_undefined() -> None:
    assert ratios.falls(np.array([0.0, -5.0])) is None
    assert ratios.falls(np.array([])) is None
    assert figures.drawdowns([D(0), D(-5)]) == (None, None)


@given(RETURNS)
def test_sharpe_and_sortino_are_those_of_a_replays_summary(returns: list[Decimal]) -> None:
    numbers = np.array([float(one) for one in returns])
    with arithmetic():
        assert close(ratios.sharpe(numbers), figures.sharpe(returns))
        assert close(ratios.sortino(numbers), figures.sortino(returns))


@given(RETURNS)
def test_sharpe_and_sortino_are_the_formulas_of_the_contract(returns: list[Decimal]) -> None:
    numbers = [float(one) for one in returns]
    if len(numbers) < 2:
        assert ratios.sharpe(np.array(numbers)) is None
        return
    falls = [min(one, 0.0) ** 2 for one in numbers]
    if len(set(numbers)) > 1:
        wanted = statistics.mean(numbers) / statistics.stdev(numbers) * math.sqrt(365)
        assert ratios.sharpe(np.array(numbers)) == pytest.approx(wanted, abs=1e-9)
    if any(falls):
        wanted = statistics.mean(numbers) / math.sqrt(statistics.mean(falls)) * math.sqrt(365)
        assert ratios.sortino(np.array(numbers)) == pytest.approx(wanted, abs=1e-9)


def test_a_ratio_without_movement_is_undefined_and_never_infinite() -> None:
    grown = np.array([0.1, 121.0 / 110.0 - 1, 0.1])
    assert ratios.sharpe(grown) is None
    assert ratios.sortino(grown) is None
    assert ratios.sharpe(np.array([0.1])) is None


@given(st.lists(st.tuples(st.integers(0, 9), TOTALS), max_size=5), st.integers(1, 5))
def test_daily_returns_are_those_of_a_replays_summary(closes: list[tuple[int, list[Decimal]]], more: int) -> None:
    by_day: dict[int, list[Decimal]] = {}
    for day, totals in closes:
        by_day.setdefault(day, []).extend(totals)
    times = [START_MS + day * DAY_MS + number for day in sorted(by_day) for number in range(len(by_day[day]))]
    totals = [total for day in sorted(by_day) for total in by_day[day]]
    count = 10 + more
    with arithmetic():
        wanted = figures.daily_returns(D(5000), [by_day[day][-1] if day in by_day else None for day in range(count)])
    days = Calendar("UTC").days(START_MS, START_MS + (count - 1) * DAY_MS + HOUR_MS)
    found = ratios.daily_returns(5000.0, days, np.array(times, dtype=np.int64), np.array([float(t) for t in totals]))
    assert found.tolist() == pytest.approx([float(one) for one in wanted], abs=1e-12)


# curve ----------------------------------------------------------------------------------------------------------------


def test_the_curve_has_both_ends_and_every_close() -> None:
    equity = Equity()
    equity.add([mark("10", at_ms=START_MS + DAY_MS, unrealised="-4"), mark("30", at_ms=START_MS + 2 * DAY_MS)])
    now = Now(at_ms=START_MS + 3 * DAY_MS, start_equity=D(1000), unrealised=D(-12))
    curve = equity.curve(Span(), now, Calendar("UTC"), START_MS)
    assert curve.at.tolist() == [START_MS + day * DAY_MS for day in range(4)]
    assert curve.total.tolist() == [1000, 1006, 1030, 1018]
    assert curve.realised.tolist() == [1000, 1010, 1030, 1030]
    assert curve.falls is not None
    assert curve.falls.tolist() == pytest.approx([0, 0, 0, 12 / 1030 * 100])
    assert curve.returns.tolist() == pytest.approx([0, 0.006, 1030 / 1006 - 1, 0])


def test_a_span_begins_with_what_stood_before_it_and_ends_with_what_stood_at_its_end() -> None:
    equity = Equity()
    equity.add([mark(str(day), at_ms=START_MS + day * DAY_MS, unrealised="0.5") for day in range(1, 6)])
    now = Now(at_ms=START_MS + 9 * DAY_MS, start_equity=D(100), unrealised=D(7))
    span = Span(from_ms=START_MS + 2 * DAY_MS + 1, to_ms=START_MS + 4 * DAY_MS + 1)
    curve = equity.curve(span, now, Calendar("UTC"), START_MS)
    assert curve.at.tolist() == [span.from_ms, *(START_MS + day * DAY_MS for day in (3, 4)), START_MS + 4 * DAY_MS]
    assert curve.total.tolist() == [102.5, 103.5, 104.5, 104.5]
    assert curve.realised.tolist() == [102, 103, 104, 104]
    assert equity.realised_in(span) == 2
    assert equity.realised_in(Span()) == 5


def test_of_two_closes_of_one_moment_the_later_one_stands() -> None:
    equity = Equity()
    equity.add([mark("1", at_ms=START_MS + 5), mark("3", at_ms=START_MS + 5)])
    curve = equity.curve(Span(), Now(at_ms=START_MS + 9, start_equity=D(10)), Calendar("UTC"), START_MS)
    assert curve.total.tolist() == [10, 13, 13]


def test_where_nothing_has_closed_yet_the_curve_is_flat() -> None:
    now = Now(at_ms=START_MS, start_equity=D(100), unrealised=D(2))
    curve = Equity().curve(Span(), now, Calendar("UTC"), START_MS)
    assert (curve.total.tolist(), curve.returns.tolist()) == ([100, 102], [0])


def test_a_clock_that_was_set_back_does_not_turn_the_curve_round() -> None:
    equity = Equity()
    equity.add([mark("1", at_ms=START_MS + 5000), mark("3", at_ms=START_MS + 1000), mark("4", at_ms=START_MS + 6000)])
    curve = equity.curve(Span(), Now(at_ms=START_MS + 9000, start_equity=D(10)), Calendar("UTC"), START_MS)
    assert curve.at.tolist() == sorted(curve.at.tolist())
    assert curve.total[-1] == 14


def test_a_thinned_curve_keeps_its_ends_its_highest_and_its_lowest() -> None:
    values = np.sin(np.arange(10_000) / 900) + np.where(np.arange(10_000) == 4321, 9, 0)
    places, kept = ratios.thinned(np.arange(10_000.0), values, 400)
    assert len(kept) <= 400
    assert (places[0], places[-1]) == (0, 9999)
    assert (kept.max(), kept.min()) == (values.max(), values.min())
    assert (np.diff(places) > 0).all()
    same, _ = ratios.thinned(np.arange(10.0), values[:10], 400)
    assert len(same) == 10


# distribution ---------------------------------------------------------------------------------------------------------


def test_a_return_on_an_edge_belongs_to_the_bar_above_it_and_what_is_far_to_the_outermost() -> None:
    found = ratios.histogram(np.array([-30.0, -0.5, -0.1, 0.0, 0.49, 0.5, 3.99, 4.0]))
    counted = {float(left): int(count) for left, count in zip(found.lefts, found.counts, strict=True) if count}
    assert found.reach == ratios.MOST_REACH
    assert counted == {-10.0: 1, -0.5: 2, 0.0: 2, 0.5: 1, 3.5: 1, 4.0: 1}
    assert found.median == pytest.approx(0.245)


def test_without_returns_the_histogram_is_empty() -> None:
    found = ratios.histogram(np.array([]))
    assert (found.reach, int(found.counts.sum()), found.median) == (ratios.LEAST_REACH, 0, None)


# parts ----------------------------------------------------------------------------------------------------------------


def test_parts_add_up_to_the_whole() -> None:
    rows, _ = traded(500, until_ms=START_MS)
    trades = Trades()
    trades.add(rows, usd)
    chosen = trades.select(Span())
    whole = groups.overall(trades, chosen)
    with arithmetic():
        assert whole.result == sum((row.realised for row in rows), D(0))
        for parts in (
            groups.by_pair(trades, chosen), groups.by_timeframe(trades, chosen), groups.by_strategy(trades, chosen),
        ):  # fmt: skip
            assert sum((part.figures.result for part in parts), D(0)) == whole.result
            assert sum(part.figures.closed for part in parts) == whole.closed
        longs, shorts = groups.sides(trades, chosen)
        assert longs.result + shorts.result == whole.result
        heat = groups.heat(trades, chosen)
        assert sum((cell.result for cell in heat.cells.values()), D(0)) == whole.result
        of_btc = [row.realised for row in rows if (row.symbol, row.timeframe) == ("BTC/USDT", "1h")]
        assert heat.cells["BTC/USDT", "1h"].result == sum(of_btc, D(0))
    assert heat.timeframes == ("15m", "30m", "1h", "2h", "4h", "1d")
    assert [heat.totals[pair] for pair in heat.pairs] == sorted(heat.totals.values(), reverse=True)


def test_only_groups_that_closed_in_the_span_are_counted() -> None:
    trades = Trades()
    trades.add([result("5", closed_at_ms=START_MS + day * DAY_MS) for day in range(10)], usd)
    span = Span(from_ms=START_MS + 3 * DAY_MS, to_ms=START_MS + 5 * DAY_MS)
    assert groups.overall(trades, trades.select(span)).closed == 2


def test_the_best_and_the_worst_are_the_largest_wins_and_losses() -> None:
    rows, _ = traded(400, until_ms=START_MS)
    trades = Trades()
    trades.add(rows, usd)
    chosen = trades.select(Span())
    ranked = sorted(rows, key=lambda row: -row.realised)
    assert [line.result for line in trades.best(chosen, 10)] == [row.realised for row in ranked[:10]]
    assert [line.group_id for line in trades.worst(chosen, 10)] == [row.group_id for row in reversed(ranked[-10:])]
    first = trades.best(chosen, 1)[0]
    assert first.return_percent == pytest.approx(float(ranked[0].realised / ranked[0].cost * 100))


def test_a_win_is_never_among_the_worst() -> None:
    trades = of([D(5), D(0), D(3), D(5)])
    chosen = trades.select(Span())
    assert [line.result for line in trades.best(chosen, 10)] == [5, 5, 3]
    assert [line.group_id[-2:] for line in trades.best(chosen, 2)] == ["#0", "#3"]
    assert trades.worst(chosen, 10) == []


def test_a_group_that_never_filled_has_closed_and_has_no_return() -> None:
    trades = Trades()
    trades.add([result("0", cost="0"), result("4", side=Side.SHORT)], usd)
    chosen = trades.select(Span())
    assert (groups.overall(trades, chosen).closed, len(chosen.returns)) == (2, 1)


def test_other_quotes_are_worth_what_they_are_in_dollars_or_left_out_and_counted() -> None:
    prices = {("paper", "BTC"): D(50_000)}
    trades = Trades()
    trades.add(
        [result("0.01", quote="BTC"), result("7", quote="EUR"), result("3")],
        lambda account, quote: prices.get((account, quote)),
    )
    assert groups.overall(trades, trades.select(Span())).result == 503
    assert (trades.left_out, trades.unvalued) == (1, {("paper", "EUR")})


# calendar -------------------------------------------------------------------------------------------------------------


def test_days_weeks_and_months_are_the_traders() -> None:
    tokyo, now = Calendar("Asia/Tokyo"), at("2026-03-01 16:00")
    assert tokyo.date_of(now) == date(2026, 3, 2)
    assert tokyo.day(now) == at("2026-03-01 15:00")
    assert tokyo.week(now) == at("2026-03-01 15:00")
    assert tokyo.month(now) == at("2026-02-28 15:00")
    assert Calendar("UTC").week(now) == at("2026-02-23 00:00")


def test_days_of_23_and_25_hours_are_days() -> None:
    berlin = Calendar("Europe/Berlin")
    days = berlin.days(at("2026-03-28 12:00"), at("2026-03-31 12:00"))
    assert (np.diff(days) / HOUR_MS).tolist() == [24, 23, 24]
    days = berlin.days(at("2026-10-24 12:00"), at("2026-10-26 12:00"))
    assert (np.diff(days) / HOUR_MS).tolist() == [24, 25]


def test_a_day_whose_midnight_is_skipped_begins_with_its_first_moment() -> None:
    santiago = Calendar("America/Santiago")
    assert santiago.begin_of(date(2026, 9, 6)) == at("2026-09-06 04:00")


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        (Range.TODAY, "2026-11-23 00:00"),
        (Range.WEEK, "2026-11-23 00:00"),
        (Range.MONTH, "2026-11-01 00:00"),
    ],
)
def test_a_range_goes_from_its_beginning_to_now(wanted: Range, first: str) -> None:
    assert Calendar("UTC").span(wanted, at("2026-11-23 13:32")) == Span(from_ms=at(first))


def test_a_range_of_ones_own_has_both_its_days_whichever_comes_first() -> None:
    calendar, now = Calendar("UTC"), at("2026-11-23 13:32")
    span = calendar.span(Range.CUSTOM, now, (date(2026, 11, 20), date(2026, 11, 10)))
    assert span == Span(from_ms=at("2026-11-10 00:00"), to_ms=at("2026-11-21 00:00"))
    open_end = calendar.span(Range.CUSTOM, now, (date(2026, 11, 10), date(2026, 11, 30)))
    assert open_end == Span(from_ms=at("2026-11-10 00:00"))
    assert calendar.span(Range.ALL, now) == Span()


def test_timeframes_are_told_apart_by_their_length() -> None:
    names = ["1M", "1d", "30s", "1m", "1w", "4h", "odd", ""]
    assert sorted(names, key=groups.seconds_of) == ["odd", "", "30s", "1m", "4h", "1d", "1w", "1M"]
