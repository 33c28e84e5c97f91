"""Recorded price files: read, checked, named, merged and played."""

import asyncio
import random
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exengine.domain.errors import UserError
from exengine.domain.instrument import Instrument, MarketType
from exengine.exchange.markets.file_rules import exchange_id
from exengine.exchange.markets.price_file import ROWS_A_MARK, check
from exengine.exchange.markets.recorded import RecordedMarket
from tests.helpers.market_clock import MarketClock
from tests.helpers.price_files import START_MS, bars, parquet, player, trades

FOREVER = 2**62
HEADER = "timestamp,price\n"
BARS = "timestamp,open,high,low,close,volume\n"


def market(*paths: Path) -> RecordedMarket:
    return RecordedMarket(paths, clock=MarketClock())


def played(*paths: Path, symbol: str = "BTC/USDT", start_ms: int = 0) -> list[tuple[int, str]]:
    """Times from START_MS, and prices."""
    made = market(*paths)
    made.start_at(start_ms)
    return [(tick.at_ms - START_MS, str(tick.price)) for tick in made.ticks(FOREVER) if tick.symbol == symbol]


def instruments(path: Path) -> dict[str, Instrument]:
    return {each.symbol: each for each in asyncio.run(market(path).instruments())}


class TestPlaying:
    def test_trades_come_as_they_were_recorded(self, tmp_path: Path) -> None:
        rows = [(0, "39432.48"), (32, "39439.44"), (32, "39439.22"), (90, "39439.06")]

        assert played(trades(tmp_path, rows)) == rows

    def test_bars_come_as_four_ticks_each(self, tmp_path: Path) -> None:
        file = bars(tmp_path, [(0, "10", "12", "9", "11"), (60_000, "11", "13", "8", "9")])

        assert played(file) == [
            (0, "10"),
            (15_000, "9"),
            (30_000, "12"),
            (45_000, "11"),
            (60_000, "11"),
            (75_000, "13"),
            (90_000, "8"),
            (105_000, "9"),
        ]

    def test_a_bar_is_as_long_as_the_smallest_step_of_its_file(self, tmp_path: Path) -> None:
        same = ("1", "1", "1", "1")
        file = bars(tmp_path, [(0, *same), (7_200_000, *same), (10_800_000, *same)])

        assert [at_ms for at_ms, _ in played(file)][4:6] == [7_200_000, 7_200_000 + 900_000]

    def test_a_single_bar_is_a_minute_long(self, tmp_path: Path) -> None:
        assert [at_ms for at_ms, _ in played(bars(tmp_path, [(0, "1", "1", "1", "1")]))] == [0, 15_000, 30_000, 45_000]

    def test_files_are_merged_by_time_and_at_one_time_by_exchange_id(self, tmp_path: Path) -> None:
        eth = trades(tmp_path, [(0, "3"), (500, "4")], "ETHUSDT.csv")
        btc = trades(tmp_path, [(0, "1"), (400, "2"), (500, "5")])
        made = market(eth, btc)
        made.watch(["BTC/USDT", "ETH/USDT"])

        found = [(tick.at_ms - START_MS, tick.symbol) for tick in made.ticks(FOREVER)]
        assert found == [
            (0, "BTC/USDT"),
            (0, "ETH/USDT"),
            (400, "BTC/USDT"),
            (500, "BTC/USDT"),
            (500, "ETH/USDT"),
        ]

    def test_two_files_of_a_symbol_follow_each_other(self, tmp_path: Path) -> None:
        later = trades(tmp_path, [(1000, "2")], "BTCUSDT_2.csv")
        earlier = trades(tmp_path, [(0, "1")], "BTCUSDT_1.csv")

        assert played(later, earlier) == [(0, "1"), (1000, "2")]
        assert played(later, earlier, start_ms=START_MS + 500) == [(1000, "2")]

    def test_spot_and_perpetual_are_fed_alike(self, tmp_path: Path) -> None:
        file = trades(tmp_path, [(0, "1"), (5, "2")])

        assert played(file, symbol="BTC/USDT:USDT") == played(file, symbol="BTC/USDT") == [(0, "1"), (5, "2")]

    def test_ticks_end_where_they_are_told_to(self, tmp_path: Path) -> None:
        made = market(trades(tmp_path, [(0, "1"), (10, "2"), (20, "3")]))

        assert [str(tick.price) for tick in made.ticks(START_MS + 10)] == ["1", "1", "2", "2"]

    @given(start=st.integers(-10, 3 * ROWS_A_MARK * 100 + 10), seed=st.integers(0, 99), of_bars=st.booleans())
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_a_start_in_the_middle_skips_nothing(self, tmp_path: Path, start: int, seed: int, of_bars: bool) -> None:
        rng = random.Random(seed)
        times = [number * 100 for number in range(3 * ROWS_A_MARK)]
        if of_bars:
            file = bars(tmp_path, [(at_ms, "5", "9", "1", str(rng.randint(1, 9))) for at_ms in times])
        else:
            file = trades(tmp_path, [(at_ms - at_ms % 300, str(rng.randint(1, 9))) for at_ms in times])
        whole = played(file)

        made = market(file)
        made.start_at(START_MS + start)
        rest = [(t.at_ms - START_MS, str(t.price)) for t in made.ticks(FOREVER) if t.symbol == "BTC/USDT"]
        assert rest == [tick for tick in whole if tick[0] > start]
        before = [tick for tick in whole if tick[0] <= start]
        last = check(file).last_tick(START_MS + start)
        assert (last and (last[0] - START_MS, str(last[1]))) == (before[-1] if before else None)

    async def test_the_description_tells_how_far_it_is(self, tmp_path: Path) -> None:
        day_ms = 86_400_000
        on = player(trades(tmp_path, [(day, str(1 + day)) for day in range(0, 10 * day_ms + 1, day_ms)]), speed=86_400)
        assert on.market.description == "recorded BTCUSDT.csv at 86400×"
        async with on.playing():
            await on.until_s(2.9)

            told = on.market.description
            assert re.fullmatch(r"recorded BTCUSDT.csv at 86400×, 2022-01-03 \d\d:\d\d UTC, 2\d % played", told), told

    async def test_several_files_are_counted(self, tmp_path: Path) -> None:
        made = market(trades(tmp_path, [(0, "1")]), trades(tmp_path, [(0, "1")], "ETHUSDT.csv"))

        assert made.description == "recorded 2 files at 1×"


class TestForms:
    @pytest.mark.parametrize(
        "text",
        [
            "\ufefftimestamp,price\n1000,5\n",
            "timestamp,price\r\n1000,5\r\n",
            "timestamp,price\n\n1000,5\n\n\n",
            "timestamp,price\n1000,5",
            " Timestamp , PRICE \n 1000 , 5 \n",
            '"timestamp","price"\n"1000","5"\n',
            "volume,price,timestamp\n7,5,1000\n",
            "timestamp,price\n1000,5.0000\n",
            "timestamp,price\n1000,0.5e1\n",
        ],
        ids=["a mark", "windows", "empty lines", "no last newline", "spaces", "quotes", "order", "zeros", "exponent"],
    )
    def test_the_same_prices_may_be_written_in_many_ways(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "BTCUSDT.csv"
        path.write_bytes(text.encode())

        [tick, _] = market(path).ticks(FOREVER)
        assert (tick.at_ms, tick.price) == (1000, 5)

    def test_a_volume_is_not_needed(self, tmp_path: Path) -> None:
        path = tmp_path / "BTCUSDT.csv"
        path.write_text("timestamp,open,high,low,close\n0,1,2,1,2\n")

        assert len(list(market(path).ticks(FOREVER))) == 8


class TestBadFiles:
    @pytest.mark.parametrize(
        ("text", "line", "what"),
        [
            ("", 1, 'is "nothing"'),
            ("time,price\n1,1\n", 1, 'is "time,price"'),
            ("1640991660000,46319.0\n", 1, "the header must be"),
            ("timestamp,open,high,low,volume\n", 1, "the header must be"),
            (HEADER, 2, "it has no prices"),
            (HEADER + "\n\n", 2, "it has no prices"),
            (HEADER + "1,5\n2,abc\n", 3, 'the price "abc" is not a number'),
            (HEADER + "1,5\n2,\n", 3, 'the price "" is not a number'),
            (HEADER + "1,nan\n", 2, 'the price "nan" is not a number'),
            (HEADER + "1,Infinity\n", 2, "is not a number"),
            (HEADER + "1,1e400\n", 2, "is not a number"),
            (HEADER + "1,0\n", 2, "the price must be above 0"),
            (HEADER + "1,5\n\n2,-5\n", 4, "the price must be above 0, and is -5"),
            (HEADER + "1.5,5\n", 2, 'the timestamp "1.5" is not a number of milliseconds'),
            (HEADER + "2022-01-01,5\n", 2, "is not a number of milliseconds"),
            (HEADER + "-1,5\n", 2, "is not a number of milliseconds"),
            (HEADER + "2,5\n1,5\n", 3, "the time goes backwards"),
            (HEADER + "1\n", 2, "1 fields where the header has 2 or more"),
            (BARS + "1,2,3,1,x,0\n", 2, 'the close "x" is not a number'),
            (BARS + "1,2,3,0,2,0\n", 2, "the low must be above 0"),
            (BARS + "1,2,1,3,2,0\n", 2, "the high 1 is below the low 3"),
            (BARS + "1,2,3,1,2,0\n1,2,3,1,2,0\n", 3, "the time is the same as the bar’s before"),
            (BARS + "1,2,3,1\n", 2, "4 fields where the header has 5 or more"),
            (HEADER + "1,5\n\x00\x01\x02\n", 3, "fields"),
        ],
    )
    def test_the_first_fault_is_named_by_path_and_line(self, tmp_path: Path, text: str, line: int, what: str) -> None:
        path = tmp_path / "BTCUSDT.csv"
        path.write_text(text)

        with pytest.raises(UserError) as told:
            asyncio.run(market(path).instruments())
        assert f"{path}, line {line}: " in str(told.value)
        assert what in str(told.value)

    def test_what_is_no_text_is_said_to_be_none(self, tmp_path: Path) -> None:
        path = tmp_path / "BTCUSDT.csv"
        path.write_bytes(HEADER.encode() + b"1,5\n\xff\xfe\x00\n")

        with pytest.raises(UserError, match="line 3: it is not text"):
            check(path)

    def test_a_file_without_any_line_break_is_not_read_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "BTCUSDT.csv"
        path.write_bytes(b"1" * 200_000)

        with pytest.raises(UserError, match="line 1: the line is too long"):
            check(path)

    def test_a_file_that_goes_away_while_it_is_played_is_said_to_be_missing(self, tmp_path: Path) -> None:
        for path in (trades(tmp_path, [(0, "5")]), parquet(tmp_path, {"timestamp": [START_MS], "price": ["5"]})):
            made = market(path)
            asyncio.run(made.instruments())
            path.unlink()
            with pytest.raises(UserError, match="cannot be"):
                list(made.ticks(FOREVER))

    def test_a_missing_file_is_said_to_be_missing(self, tmp_path: Path) -> None:
        for name in ("BTCUSDT.csv", "BTCUSDT.parquet"):
            with pytest.raises(UserError, match="cannot be read"):
                check(tmp_path / name)

    def test_no_file_at_all_is_refused(self) -> None:
        with pytest.raises(UserError, match="no price files"):
            market()


class TestNames:
    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("BTCUSDT.csv", "BTCUSDT"),
            ("BTCUSDT_1m_2022-01.csv", "BTCUSDT"),
            ("btcusdt_ticks.csv", "BTCUSDT"),
            ("BTC-USDT.csv", "BTC-USDT"),
            ("BTC_USDT.csv", "BTC_USDT"),
            ("BTC_USDT_1m.csv", "BTC_USDT"),
            ("XRPETH_ticks_2019-10.csv", "XRPETH"),
            ("ODD_NAME_1m.csv", "ODD_NAME"),
        ],
    )
    def test_a_file_is_named_by_its_exchange_id(self, name: str, found: str) -> None:
        assert exchange_id(Path(name), {"ODD_NAME"}) == found

    def test_known_symbols_keep_their_rules(self, tmp_path: Path) -> None:
        found = instruments(trades(tmp_path, [(0, "46319.123")]))

        assert set(found) == {"BTC/USDT", "BTC/USDT:USDT"}
        assert (found["BTC/USDT"].tick_size, found["BTC/USDT"].step_size) == (Decimal("0.01"), Decimal("0.00001"))
        assert found["BTC/USDT:USDT"].tick_size == Decimal("0.1")

    def test_a_price_that_was_far_smaller_then_gets_a_finer_tick(self, tmp_path: Path) -> None:
        found = instruments(trades(tmp_path, [(0, "0.0021347")], "DOGEUSDT.csv"))

        assert found["DOGE/USDT"].tick_size == Decimal("0.0000001")

    @pytest.mark.parametrize(
        ("name", "price", "symbol", "tick", "step", "least"),
        [
            ("XRPETH", "0.00141342", "XRP/ETH", "0.00000001", "0.1", "0.001"),
            ("PEPEUSDT", "0.00001234", "PEPE/USDT", "0.00000001", "10000", "5"),
            ("ETHBTC", "0.034", "ETH/BTC", "0.001", "0.0001", "0.0001"),
            ("WBTCUSDT", "94000.5", "WBTC/USDT", "0.1", "0.00001", "5"),
            ("TON-USDT", "3", "TON/USDT", "1", "0.1", "5"),
            ("SUIUSDC", "1.50", "SUI/USDC", "0.1", "0.1", "5"),
        ],
    )
    def test_other_rules_are_guessed(
        self, tmp_path: Path, name: str, price: str, symbol: str, tick: str, step: str, least: str
    ) -> None:
        found = instruments(trades(tmp_path, [(0, price)], f"{name}.csv"))
        spot, swap = found[symbol], found[f"{symbol}:{symbol.partition('/')[2]}"]

        assert (spot.id, spot.tick_size, spot.step_size) == (name, Decimal(tick), Decimal(step))
        assert (spot.min_qty, spot.min_notional) == (spot.step_size, Decimal(least))
        assert (spot.type, swap.type, swap.contract_size) == (MarketType.SPOT, MarketType.SWAP, 1)
        assert (swap.symbol.partition(":")[0], swap.tick_size) == (symbol, spot.tick_size)

    @pytest.mark.parametrize("name", ["prices.csv", "USDT.csv", "_1m.csv"])
    def test_a_name_that_tells_nothing_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(UserError, match="not clear what the prices"):
            instruments(trades(tmp_path, [(0, "1")], name))
