"""A market with a time of its own, played by the clock: pace, stalls, restarts, and who is watched."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from exengine.exchange.markets.generated import GeneratedMarket
from exengine.exchange.markets.recorded import RecordedMarket
from exengine.exchange.markets.timed import MOST_BEHIND_S
from tests.helpers.market_clock import MarketClock
from tests.helpers.price_files import START_MS, Player, player, trades

TEN_SECONDS = [(second * 1000, str(100 + second)) for second in range(10)]


class TestPace:
    async def test_prices_come_when_they_are_due(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, TEN_SECONDS))
        async with on.playing():
            await on.until_s(3.5)

        assert [(at_s, price) for at_s, _, price in on.got] == [
            (0, "100"),
            (1, "101"),
            (2, "102"),
            (3, "103"),
        ]

    async def test_at_a_multiple_of_the_speed_they_come_sooner(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, [(0, "1"), (60_000, "2"), (120_000, "3")]), speed=60)
        async with on.playing():
            await on.until_s(2.5)

        assert [at_s for at_s, _, _ in on.got] == pytest.approx([0, 1, 2], abs=0.005)

    @pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
    def test_a_speed_that_is_none_is_refused(self, tmp_path: Path, speed: float) -> None:
        with pytest.raises(ValueError, match="speed"):
            RecordedMarket([tmp_path / "BTCUSDT.csv"], speed=speed)

    async def test_what_is_late_is_caught_up_with_in_order(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, TEN_SECONDS))
        async with on.playing():
            await on.until_s(2.5)
            on.clock.pass_s(3)
            await on.until_s(6.5)

        assert on.prices == ["100", "101", "102", "103", "104", "105", "106"]
        assert [at_s for at_s, _, _ in on.got[3:6]] == pytest.approx([6, 6, 6], abs=0.6)
        assert on.got[6][0] == pytest.approx(6.001, abs=0.6)

    async def test_after_a_long_stall_the_market_is_later_and_nothing_is_lost(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, [(second * 1000, str(second)) for second in range(1, 60)]))
        async with on.playing():
            await on.until_s(1.5)
            on.clock.pass_s(3600)
            await on.until_s(3600 + 20)

        assert on.prices == [str(second) for second in range(1, len(on.prices) + 1)]
        assert len(on.prices) == pytest.approx(20 + MOST_BEHIND_S, abs=2)

    async def test_a_slow_engine_slows_the_market(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, TEN_SECONDS))
        seen: list[Decimal] = []

        async def slow(symbol: str, price: Decimal) -> None:
            seen.append(price)
            on.clock.pass_s(30)

        task = asyncio.create_task(on.market.run(slow))
        await on.until_s(280)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert seen == [Decimal(100 + second) for second in range(10)]


class TestRestart:
    async def test_it_goes_on_where_it_was(self, tmp_path: Path) -> None:
        file = trades(tmp_path, TEN_SECONDS)
        first = player(file)
        async with first.playing():
            await first.until_s(4.5)
        second = player(file, start_ms=first.market.position_ms)
        async with second.playing():
            await second.until_s(20)

        assert second.got[0] == (0, "BTC/USDT", "104"), "the last price is there at once"
        assert [*first.prices, *second.prices[1:]] == [price for _, price in TEN_SECONDS]

    async def test_a_tick_that_the_engine_did_not_finish_comes_again(self, tmp_path: Path) -> None:
        file = trades(tmp_path, TEN_SECONDS)
        market = RecordedMarket([file], clock=MarketClock())
        market.watch(["BTC/USDT"])

        async def breaks(symbol: str, price: Decimal) -> None:
            if price == 103:
                raise RuntimeError("the store is full")

        with pytest.raises(RuntimeError, match="full"):
            await market.run(breaks)

        assert next(market.ticks(2**62)).price == 103

    async def test_the_position_moves_between_ticks_too(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, [(0, "1"), (60_000, "2")]))
        async with on.playing():
            await on.until_s(30)

            assert on.market.position_ms == pytest.approx(START_MS + 30_000, abs=1_100)

    async def test_the_generated_market_goes_on_exactly(self) -> None:
        clock = MarketClock()
        first = Player(GeneratedMarket(3, clock=clock), clock)
        first.market.watch(["BTC/USDT"])
        async with first.playing():
            await first.until_s(30)
        clock = MarketClock()
        second = Player(GeneratedMarket(3, clock=clock), clock)
        second.market.watch(["BTC/USDT"])
        second.market.start_at(first.market.position_ms)
        async with second.playing():
            await second.until_s(30)
        whole = GeneratedMarket(3, clock=clock)
        whole.watch(["BTC/USDT"])
        expected = [str(tick.price) for tick in whole.ticks(59_000)]

        assert [*first.prices[1:], *second.prices[1:]][: len(expected)] == expected


class TestWatching:
    async def test_only_what_is_watched_is_handed_out(self, tmp_path: Path) -> None:
        btc = trades(tmp_path, TEN_SECONDS)
        eth = trades(tmp_path, TEN_SECONDS, "ETHUSDT.csv")
        on = player(btc, eth, watch=["ETH/USDT:USDT"])
        async with on.playing():
            await on.until_s(5)

        assert {symbol for _, symbol, _ in on.got} == {"ETH/USDT:USDT"}

    async def test_until_somebody_says_so_everything_is(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, TEN_SECONDS), watch=None)
        async with on.playing():
            await on.until_s(0.5)

        assert [symbol for _, symbol, _ in on.got] == ["BTC/USDT", "BTC/USDT:USDT"]

    async def test_what_is_new_gets_its_last_price_at_once(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, [(0, "1"), (3_600_000, "2")]), watch=[])
        async with on.playing():
            await on.until_s(10)
            assert on.got == []
            on.market.watch(["BTC/USDT"])
            await on.until_s(11)

        assert on.prices == ["1"]
        assert on.got[0][0] == pytest.approx(10, abs=1)

    async def test_at_the_end_the_last_price_holds(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, TEN_SECONDS))
        async with on.playing() as task:
            await on.until_s(60)
            assert not task.done()
            on.market.watch(["BTC/USDT:USDT"])
            await on.until_s(61)

        assert on.got[-1][1:] == ("BTC/USDT:USDT", "109")
        assert on.market.description == (
            "recorded BTCUSDT.csv at 1×, 2022-01-01 00:00 UTC, played to the end, the last prices hold"
        )
        assert on.market.position_ms == START_MS + 9000

    async def test_after_the_end_a_restart_has_the_last_price_at_once(self, tmp_path: Path) -> None:
        on = player(trades(tmp_path, TEN_SECONDS), start_ms=START_MS + 9000)
        async with on.playing():
            await on.until_s(5)

        assert on.got == [(0, "BTC/USDT", "109")]
