"""Numbers as a trader reads them, and plainly where they are copied."""

from datetime import timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exengine.ui import format as fmt

D = Decimal


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        ("1234567.891", 2, "1,234,567.89"),
        ("-1234.5", 2, "−1,234.50"),
        ("-0.001", 2, "0.00"),
        ("0", 2, "0.00"),
        ("0.16184", 5, "0.16184"),
        ("1e3", 0, "1,000"),
        (None, 2, "—"),
    ],
)
def test_numbers_have_thousands_a_true_minus_and_the_decimals_of_the_tick(value, decimals, text):
    assert fmt.number(None if value is None else D(value), decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("19.18", "+19.18"), ("-307.87", "−307.87"), ("0", "0.00"), ("0.004", "0.00"), ("-0.004", "0.00")],
)
def test_a_profit_has_a_sign_and_a_zero_has_none(value, text):
    assert fmt.signed(D(value), 2) == text


@pytest.mark.parametrize(
    ("value", "least", "text"),
    [("0", 1, "0 %"), ("-0.5", 1, "−0.5 %"), ("-1", 1, "−1.0 %"), ("20", 0, "20 %"), ("0.25", 1, "0.25 %")],
)
def test_percents_keep_the_decimals_that_they_have(value, least, text):
    assert fmt.percent(D(value), least) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12), st.integers(0, 8))
def test_what_is_shown_and_its_arrow_agree(value, decimals):
    text, way = fmt.signed(value, decimals), fmt.direction(value, decimals)
    assert text.startswith({1: "+", -1: "−", 0: text[0]}[way])
    if way == 0:
        assert not text.startswith(("+", "−"))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=8))
def test_a_copied_number_is_the_number(value):
    text = fmt.copied(value)
    assert "," not in text
    assert Decimal(text) == value


@pytest.mark.parametrize(
    ("elapsed_ms", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (3_400, "3 s"),
        (59_999, "59 s"),
        (60_000, "1 m"),
        (7_200_000, "2 h"),
        (259_200_000, "3 d"),
    ],
)
def test_ages_are_one_unit(elapsed_ms, text):
    assert fmt.age(elapsed_ms) == text


@pytest.mark.parametrize(("ms", "text"), [(None, "—"), (38, "38 ms"), (1_240, "1.24 s"), (75_000, "75 s")])
def test_latencies(ms, text):
    assert fmt.latency(ms) == text


def test_times_are_in_the_trader_s_zone_and_say_so():
    zone = timezone(timedelta(hours=1))
    at_ms = 1_795_440_727_120
    assert fmt.clock(at_ms, zone) == "14:32:07"
    assert fmt.iso(at_ms, zone) == "2026-11-23T14:32:07.120+01:00"
    assert fmt.zone_name(at_ms, zone) == "UTC+01:00"
    assert fmt.zone_name(at_ms, timezone(timedelta(hours=-3, minutes=-30))) == "UTC−03:30"
    assert fmt.moment(at_ms, at_ms, zone) == "14:32:07"
    assert fmt.moment(at_ms, at_ms + 86_400_000, zone) == "Nov 23 14:32:07"


def test_a_perpetual_is_named_as_its_pair():
    assert fmt.pair("ETH/USDT:USDT") == "ETH/USDT"
    assert fmt.pair("BTC/USD:BTC") == "BTC/USD:BTC"
    assert fmt.pair("BTC/USDT") == "BTC/USDT"


def test_counts_are_words():
    assert fmt.count(1, "group") == "1 group"
    assert fmt.count(1200, "entry", "entries") == "1,200 entries"


def test_times_are_shown_in_the_zone_that_the_trader_chose():
    at_ms = 1_795_440_727_000
    try:
        fmt.show_times("local", "Europe/Berlin")
        assert fmt.clock(at_ms) == "14:32:07"
        assert fmt.zone_words(at_ms) == "times local, UTC+01:00"
        assert fmt.iso(at_ms).endswith("+01:00")
        fmt.show_times("utc", "Europe/Berlin")
        assert (fmt.clock(at_ms), fmt.zone_words(at_ms)) == ("13:32:07", "times UTC")
        fmt.show_times("exchange", "Europe/Berlin")
        assert (fmt.clock(at_ms), fmt.zone_words(at_ms)) == ("13:32:07", "times of the exchange, UTC")
    finally:
        fmt.Times.zone, fmt.Times.word = None, "local"


@pytest.mark.parametrize(
    ("text", "value"),
    [("64,544.00", "64544.00"), ("−5", "-5"), ("0.5 %", "0.5"), ("x", None), ("inf", None), ("", None)],
)
def test_numbers_are_read_as_traders_type_them(text, value):
    assert fmt.read(text) == (None if value is None else Decimal(value))


def test_no_line_ends_between_a_number_and_its_unit():
    assert fmt.tied("Result now −346.24 USD, 5 entries, 1 % of it.").split(" ") == [
        "Result", "now", "−346.24\xa0USD,", "5\xa0entries,", "1\xa0%", "of\xa0it.",
    ]  # fmt: skip


def test_no_line_ends_within_a_pair_or_before_its_timeframe():
    assert fmt.tied("Plan for C079/USDT 4h and 1INCH/USDT 15m; 3 / 5 are in").split(" ") == [
        "Plan", "for", "C079/\u2060USDT\xa04h", "and", "1INCH/\u2060USDT\xa015m;", "3", "/", "5\xa0are\xa0in",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("qty", "decimals", "shown"),
    [
        ("133.4959", 2, "133.49"),
        ("133.50", 2, "133.50"),
        ("0.0779969", 5, "0.07799"),
        ("1234.9", 0, "1,234"),
        ("0", 2, "0.00"),
    ],
)
def test_of_a_quantity_no_more_is_said_than_can_be_traded(qty, decimals, shown):
    assert fmt.tradable(D(qty), decimals) == shown
