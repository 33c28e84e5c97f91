"""The generated market: the same from the same seed, and like a real one in its figures."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from exengine.domain import money
from exengine.domain.instrument import MarketType
from exengine.exchange.markets.generated import BLOCK_MS, GeneratedMarket
from exengine.exchange.markets.source import Tick
from exengine.exchange.markets.walk import BLOCK_S, Walks
from tests.helpers.market_clock import MarketClock

DAY_S = 86_400
YEAR_MS = 365 * DAY_S * 1000
Floats = NDArray[np.float64]

A_DAY_LATER = {"BTC/USDT": "93382.32", "DOGE/USDT": "0.17090"}
"""Of seed 1."""


def market(seed: int = 1, position_ms: int = 0) -> GeneratedMarket:
    made = GeneratedMarket(seed, clock=MarketClock())
    made.start_at(position_ms)
    return made


def ticks(seed: int = 1, position_ms: int = 0, count: int = 2000) -> list[Tick]:
    return list(islice(market(seed, position_ms).ticks(2**62), count))


def kurtosis(values: Floats) -> float:
    centred = values - values.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2)


def autocorrelation(values: Floats, lag: int) -> float:
    centred = values - values.mean()
    return float((centred[:-lag] * centred[lag:]).mean() / (centred**2).mean())


def path(seed: int, days: int, first_block: int = 0) -> Floats:
    """A coin's walk, second by second."""
    walk = Walks(seed, {"BTC": 0.032})
    return np.concatenate([walk.block(first_block + block)[0] for block in range(days * DAY_S // BLOCK_S)])


class TestTheSameAgain:
    def test_the_same_seed_gives_the_same_ticks(self) -> None:
        assert ticks(7) == ticks(7)

    def test_another_seed_gives_others(self) -> None:
        assert [tick.price for tick in ticks(7)] != [tick.price for tick in ticks(8)]

    def test_this_seed_gives_these_prices_on_every_machine(self) -> None:
        assert {symbol: str(market(1).price_at(symbol, DAY_S * 1000)) for symbol in A_DAY_LATER} == A_DAY_LATER

    @given(st.integers(0, 3 * BLOCK_MS))
    @settings(max_examples=25, deadline=None)
    def test_a_restart_anywhere_goes_on_exactly_there(self, position_ms: int) -> None:
        whole = [tick for tick in market(3, 0).ticks(position_ms + 3000) if tick.at_ms > position_ms]

        assert list(market(3, position_ms).ticks(position_ms + 3000)) == whole

    @given(st.integers(0, 50 * YEAR_MS))
    @settings(max_examples=15, deadline=None)
    def test_the_price_at_a_moment_is_that_of_the_last_tick(self, position_ms: int) -> None:
        asked = market(5)
        for tick in islice(market(5, position_ms).ticks(2**62), 200):
            assert asked.price_at(tick.symbol, tick.at_ms) == tick.price


class TestItsTicks:
    def test_they_come_in_order_about_one_a_second_for_each_symbol(self) -> None:
        made = market()
        symbols = [each.symbol for each in asyncio.run(made.instruments())]
        found = list(made.ticks(600_000))

        assert all(before.at_ms <= after.at_ms for before, after in pairwise(found))
        for symbol in symbols:
            times = [tick.at_ms for tick in found if tick.symbol == symbol]
            assert len(times) == pytest.approx(600, abs=1)
            gaps = np.diff(times)
            assert 0 < gaps.min() < gaps.max() < 2000
            assert gaps.std() > 200, "with jitter"

    def test_a_day_of_ten_symbols_is_cheap(self, record_property: Callable[[str, object], None]) -> None:
        made = market()
        made.watch(each.symbol for each in asyncio.run(made.instruments()) if each.type is MarketType.SPOT)
        began_s = time.perf_counter()
        count = sum(1 for _ in made.ticks(DAY_S * 1000 - 1))

        record_property("seconds_for_a_day_of_ten_symbols", round(time.perf_counter() - began_s, 2))
        assert count == 10 * DAY_S

    def test_every_price_lies_on_its_tick(self) -> None:
        made = market(2, 5 * YEAR_MS)
        rules = {each.symbol: each for each in asyncio.run(made.instruments())}
        with money.arithmetic():
            assert all(rules[tick.symbol].on_tick(tick.price) for tick in islice(made.ticks(2**62), 5000))

    def test_a_perpetual_follows_its_coin(self) -> None:
        made = market()
        for at_ms in range(0, 3_600_000, 60_000):
            spot, swap = (made.price_at(symbol, at_ms) for symbol in ("BTC/USDT", "BTC/USDT:USDT"))
            assert abs(spot - swap) <= Decimal("0.1")

    def test_at_one_time_they_come_by_exchange_id(self) -> None:
        found = list(market().ticks(3_600_000))
        same = [(a, b) for a, b in pairwise(found) if a.at_ms == b.at_ms]

        assert same
        assert all(a.symbol.partition("/")[0] <= b.symbol.partition("/")[0] for a, b in same)

    def test_it_opens_at_prices_of_a_plausible_size(self) -> None:
        made = market(9)
        opening = {each.base: made.price_at(each.symbol, 0) for each in asyncio.run(made.instruments())}

        assert opening["BTC"] == pytest.approx(Decimal(95_000), rel=Decimal("0.01"))
        assert opening["DOGE"] == pytest.approx(Decimal("0.17"), rel=Decimal("0.01"))

    @given(st.integers(0, 2**32), st.integers(0, 1000 * YEAR_MS))
    @settings(max_examples=40, deadline=None)
    def test_it_stays_positive_and_plausible_for_ever(self, seed: int, at_ms: int) -> None:
        made = market(seed)
        for each in asyncio.run(made.instruments()):
            ratio = made.price_at(each.symbol, at_ms) / made.price_at(each.symbol, 0)
            assert Decimal("0.02") < ratio < Decimal(50)


@pytest.fixture(scope="module")
def minutes() -> Floats:
    """Returns by the minute of three months, in three seeds."""
    return np.concatenate([np.diff(path(seed, 30)[::60]) for seed in (1, 2, 3)])


class TestItsFigures:
    def test_returns_have_fat_tails(self, minutes: Floats) -> None:
        assert kurtosis(minutes) > 5

    def test_violence_comes_in_spells(self, minutes: Floats) -> None:
        assert autocorrelation(np.abs(minutes), 1) > 0.15
        assert autocorrelation(np.abs(minutes), 60) > 0.04

    def test_the_direction_cannot_be_foretold(self, minutes: Floats) -> None:
        assert abs(autocorrelation(minutes, 1)) < 0.05

    def test_a_days_range_is_a_real_ones(self) -> None:
        days = np.concatenate([path(seed, 30)[: 29 * DAY_S].reshape(29, DAY_S) for seed in (1, 2, 3)])
        ranges = 100 * (days.max(axis=1) - days.min(axis=1))

        assert 2 < np.median(ranges) < 8
        assert np.percentile(ranges, 90) > 1.5 * np.percentile(ranges, 10)
        assert ranges.max() < 40

    def test_an_hours_range_fills_a_ladder_within_hours(self) -> None:
        hours = np.concatenate([path(seed, 30)[: 29 * DAY_S].reshape(29 * 24, 3600) for seed in (1, 2, 3)])
        ranges = 100 * (hours.max(axis=1) - hours.min(axis=1))

        assert 0.3 < np.median(ranges) < 2

    def test_coins_go_with_the_leader(self) -> None:
        made = market(4)
        moments = range(0, 8 * DAY_S * 1000, 1_200_000)
        returns = {
            symbol: np.diff(np.log([float(made.price_at(symbol, at_ms)) for at_ms in moments]))
            for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT")
        }
        for symbol in ("ETH/USDT", "SOL/USDT"):
            assert 0.3 < np.corrcoef(returns["BTC/USDT"], returns[symbol])[0, 1] < 0.97

    def test_no_season_resembles_another(self) -> None:
        season = (1 << 25) // BLOCK_S
        first, second = (np.diff(path(1, 10, number * season)[::60]) for number in (0, 1))

        assert abs(np.corrcoef(first, second)[0, 1]) < 0.05

    def test_blocks_join_without_a_jump(self) -> None:
        walk = Walks(1, {"BTC": 0.032})
        for number in (0, 1, 8190, 8191, 8192):
            step = abs(walk.block(number + 1)[0, 0] - walk.block(number)[0, -1])
            assert step < 20 * np.abs(np.diff(walk.block(number))).std() + 1e-3
