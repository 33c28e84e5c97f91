"""Public prices through ccxt's real client, from a local server that speaks Binance's language."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from exengine.domain.errors import Retryable, UserError
from exengine.domain.instrument import MarketType
from exengine.exchange.markets.public import OUTAGE_S, REPEAT_S, PublicMarket
from tests.helpers.market_clock import MarketClock
from tests.helpers.public_binance import PublicBinance, public_binance
from tests.helpers.six_exchanges import ANSWERS, local_exchange


class Feed:
    """A public market on the local server, and what it handed out."""

    def __init__(self, binance: PublicBinance, *, timeout_s: float = 10.0) -> None:
        self.binance = binance
        self.clock = MarketClock()
        self.market = PublicMarket("binance", timeout_s=timeout_s, session=binance.session, clock=self.clock)
        self.got: list[tuple[str, Decimal]] = []
        self.got_s: list[float] = []

    async def sink(self, symbol: str, price: Decimal) -> None:
        self.got.append((symbol, price))
        self.got_s.append(self.clock.monotonic_s())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.market.run(self.sink))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():  # noqa: ASYNC110  # what it waits for happens on another loop
                await asyncio.sleep(0.002)

    async def polls(self, count: int = 2) -> None:
        """Waits until so many more questions were asked; the last may still be on its way."""
        wanted = len(self.binance.asked) + count
        await self.until(lambda: len(self.binance.asked) >= wanted)


@asynccontextmanager
async def feed(*, timeout_s: float = 10.0) -> AsyncIterator[Feed]:
    async with public_binance() as binance:
        made = Feed(binance, timeout_s=timeout_s)
        try:
            yield made
        finally:
            await made.market.close()


class TestRules:
    async def test_the_rules_are_those_that_the_exchange_lists(self) -> None:
        async with feed() as on:
            found = {each.symbol: each for each in await on.market.instruments()}

            btc = found["BTC/USDT"]
            assert (btc.id, btc.base, btc.quote, btc.type) == ("BTCUSDT", "BTC", "USDT", MarketType.SPOT)
            assert (btc.tick_size, btc.step_size) == (Decimal("0.01"), Decimal("0.00001"))
            assert (btc.min_qty, btc.max_qty, btc.min_notional) == (Decimal("0.00001"), Decimal(9000), Decimal(5))
            assert (btc.maker_fee, btc.taker_fee, btc.contract_size) == (Decimal("0.001"), Decimal("0.001"), 1)
            assert found["PEPE/USDT"].tick_size == Decimal("0.00000001")
            assert "LUNA/USDT" not in found, "a halted market has no rules until it trades again"

    async def test_nothing_but_the_spot_rules_is_asked_for(self) -> None:
        async with feed() as on:
            await on.market.instruments()

            assert on.binance.paths() == ["/api/v3/exchangeInfo"]

    async def test_they_are_asked_anew_each_time(self) -> None:
        async with feed() as on:
            await on.market.instruments()
            await on.market.instruments()

            assert on.binance.paths() == ["/api/v3/exchangeInfo"] * 2

    async def test_a_page_of_a_proxy_is_no_list_of_markets(self) -> None:
        async with feed() as on:
            on.binance.fault = (200, "<html>Please log in</html>", {"Content-Type": "text/html"})
            with pytest.raises(Retryable, match="binance"):
                await on.market.instruments()

            on.binance.fault = None
            assert await on.market.instruments()

    async def test_an_exchange_that_does_not_answer_is_told_in_time(self) -> None:
        async with feed(timeout_s=0.2) as on:
            on.binance.hangs = True
            with pytest.raises(Retryable, match="it does not answer in time"):
                await on.market.instruments()

    async def test_where_there_is_no_network_it_may_be_tried_again(self) -> None:
        async with public_binance() as binance:
            gone = Feed(binance)
        with pytest.raises(Retryable, match="it cannot be reached"):
            await gone.market.instruments()
        await gone.market.close()

    async def test_an_unknown_exchange_is_the_traders_to_correct(self) -> None:
        market = PublicMarket("nowhere")
        with pytest.raises(UserError, match="nowhere"):
            await market.instruments()
        await market.close()


class TestPrices:
    async def test_only_what_is_watched_is_asked_for_and_handed_out(self) -> None:
        async with feed() as on:
            on.market.watch(["BTC/USDT", "PEPE/USDT"])
            async with on.running():
                await on.until(lambda: len(on.got) == 2)

            assert on.got == [("BTC/USDT", Decimal("95000.01")), ("PEPE/USDT", Decimal("0.00001234"))]
            assert not any("ETHUSDT" in question for question in on.binance.asked)

    async def test_before_anything_is_watched_nothing_is_asked(self) -> None:
        async with feed() as on, on.running():
            await on.until(lambda: len(on.clock.slept) >= 3)

            assert on.binance.asked == []
            assert on.market.description == "public prices of binance, no symbol in use"

    async def test_a_change_is_handed_out_and_the_same_again_only_as_a_sign_of_life(self) -> None:
        async with feed() as on:
            on.market.watch(["BTC/USDT"])
            async with on.running():
                await on.until(lambda: len(on.got) == 1)
                on.binance.prices["BTCUSDT"] = "95001.50000000"
                await on.until(lambda: len(on.got) == 2)
                await on.until(lambda: len(on.got) >= 3)

            assert [price for _, price in on.got[1:3]] == [Decimal("95001.5")] * 2
            assert on.got_s[2] - on.got_s[1] == pytest.approx(REPEAT_S)

    async def test_it_asks_once_a_second(self) -> None:
        async with feed() as on:
            on.market.watch(["BTC/USDT"])
            async with on.running():
                await on.until(lambda: len(on.clock.slept) >= 5)

            assert on.clock.slept[:5] == [1.0] * 5

    @pytest.mark.parametrize("nonsense", [None, "", "0.00000000", "NaN", "-1", "Infinity"])
    async def test_what_is_no_price_is_dropped(self, nonsense: str | None) -> None:
        async with feed() as on:
            on.binance.prices["BTCUSDT"] = nonsense
            on.market.watch(["BTC/USDT", "ETH/USDT"])
            async with on.running():
                await on.until(lambda: len(on.got) >= 2)  # the second is a sign of life: that is ten polls later

            assert {symbol for symbol, _ in on.got} == {"ETH/USDT"}
            assert on.market.age_ms("BTC/USDT") is None

    async def test_an_absurd_price_is_held_until_a_second_one_confirms_it(self) -> None:
        async with feed() as on:
            on.market.watch(["BTC/USDT"])
            async with on.running():
                await on.until(lambda: len(on.got) == 1)
                on.binance.prices["BTCUSDT"] = "9.50"
                await on.until(lambda: len(on.got) == 2)

            assert on.got[1] == ("BTC/USDT", Decimal("9.5"))
            tickers = [at for at, path in enumerate(on.binance.paths()) if path.endswith("24hr")]
            assert len(tickers) >= 3, "one for the first price, two for the other"

    async def test_a_symbol_that_the_exchange_does_not_know_spoils_nothing(self) -> None:
        async with feed() as on:
            on.market.watch(["NOPE/USDT", "BTC/USDT"])
            async with on.running():
                await on.until(lambda: len(on.got) == 1)

            on.clock.pass_s(40)
            assert on.market.description.startswith("public prices of binance, 2 symbols, 1 without a price, 4")

    async def test_a_slow_engine_is_waited_for(self) -> None:
        async with feed() as on:
            free = asyncio.Event()
            on.market.watch(["BTC/USDT", "ETH/USDT"])

            async def slow(symbol: str, price: Decimal) -> None:
                on.got.append((symbol, price))
                await free.wait()

            task = asyncio.create_task(on.market.run(slow))
            await on.until(lambda: len(on.got) == 1)
            asked = len(on.binance.asked)
            await asyncio.sleep(0.05)
            assert (len(on.got), len(on.binance.asked)) == (1, asked)
            free.set()
            await on.until(lambda: len(on.got) == 2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def test_the_age_of_a_price_is_known(self) -> None:
        async with feed() as on:
            on.market.watch(["BTC/USDT"])
            async with on.running():
                await on.until(lambda: len(on.got) == 1)
            on.clock.pass_s(42)

            assert on.market.age_ms("BTC/USDT") == pytest.approx(42_000, abs=1_001)
            assert on.market.age_ms("ETH/USDT") is None


class TestTrouble:
    async def test_it_tries_again_with_growing_pauses_and_goes_on(self) -> None:
        async with feed() as on:
            on.market.watch(["BTC/USDT"])
            async with on.running():
                await on.until(lambda: len(on.got) == 1)
                on.clock.slept.clear()
                on.binance.faults_left = 3
                on.binance.prices["BTCUSDT"] = "95002.00000000"
                on.binance.fault = (503, "busy", {})
                await on.until(lambda: on.binance.fault is None and on.got[-1][1] == Decimal(95002))

            grown = [pause for pause in on.clock.slept if pause > 1]
            assert grown == [2.0, 4.0], "after the first second"

    async def test_an_outage_that_lasts_is_told_in_bounded_time(self) -> None:
        async with feed() as on:
            on.market.watch(["BTC/USDT"])
            on.binance.fault = (503, "busy", {})
            with pytest.raises(Retryable, match="Binance gives no prices: it cannot be reached, "):
                await asyncio.wait_for(on.market.run(on.sink), 20)

            assert on.clock.monotonic_s() <= OUTAGE_S
            on.clock.pass_s(60 - on.clock.monotonic_s())
            assert on.market.description == "public prices of binance, no answer for 60 s"
            on.binance.fault = None
            async with on.running():
                await on.until(lambda: len(on.got) == 1)
            assert "no answer" not in on.market.description

    async def test_an_exchange_that_wants_to_be_left_alone_is(self) -> None:
        async with feed() as on:
            on.market.watch(["BTC/USDT"])
            on.binance.fault = (418, '{"code": -1003, "msg": "Way too many requests"}', {"Retry-After": "120"})
            with pytest.raises(Retryable) as told:
                await asyncio.wait_for(on.market.run(on.sink), 20)

            assert told.value.after_ms == 120_000
            assert len(on.binance.asked) == 1

    async def test_half_an_answer_is_tried_again(self) -> None:
        async with feed() as on:
            on.market.watch(["BTC/USDT"])
            async with on.running():
                await on.until(lambda: len(on.got) == 1)
                on.binance.faults_left = 2
                on.binance.prices["BTCUSDT"] = "95003.00000000"
                on.binance.fault = (200, '[{"symbol": "BTCUSDT", "lastPr', {})
                await on.until(lambda: on.binance.fault is None and on.got[-1][1] == Decimal(95003))

    async def test_a_question_cut_short_leaves_the_next_one_whole(self) -> None:
        async with feed() as on:
            on.binance.hangs = True
            asked = asyncio.create_task(on.market.instruments())
            await on.polls(1)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            on.binance.hangs = False

            assert await asyncio.wait_for(on.market.instruments(), 10)

    async def test_closing_ends_the_thread(self) -> None:
        async with feed() as on:
            await on.market.instruments()
            assert any(each.name == "prices of binance" for each in threading.enumerate())

        assert not any(each.name == "prices of binance" for each in threading.enumerate())

    async def test_after_closing_it_may_be_asked_again(self) -> None:
        async with feed() as on:
            for _ in range(2):
                assert await asyncio.gather(on.market.instruments(), on.market.instruments())
                await on.market.close()
                await on.market.close()


NAMED = {"okx": "BTC-USDT", "kucoin": "BTC-USDT", "gate": "BTC_USDT"}
"""Where BTC/USDT is not called BTCUSDT."""

RULES = {
    "binance": ("0.01", "0.00001", "0.00001", "9000", "5", "0.001", "0.001"),
    "bybit": ("0.1", "0.000001", "0.000011", "83", "5", "0.001", "0.001"),
    "okx": ("0.1", "0.00000001", "0.00001", None, "0", "0.001", "0.0015"),
    "kucoin": ("0.1", "0.00000001", "0.00001", "10000000000", "0.1", "0.001", "0.001"),
    "mexc": ("0.01", "0.00000001", "0.000001", None, "1", "0", "0.0005"),
    "gate": ("0.1", "0.000001", "0.000001", None, "3", "0.002", "0.002"),
}
"""Tick, step, least and most quantity, least value, maker's and taker's fee."""


@pytest.mark.parametrize("name", RULES)
class TestEachOfTheSix:
    async def test_its_rules_and_its_price(self, name: str) -> None:
        async with local_exchange(name) as exchange:
            market = PublicMarket(name, session=exchange.session)
            got: asyncio.Queue[tuple[str, Decimal]] = asyncio.Queue()

            async def sink(symbol: str, price: Decimal) -> None:
                await got.put((symbol, price))

            [btc] = await market.instruments()
            market.watch(["BTC/USDT"])
            running = asyncio.create_task(market.run(sink))
            assert await asyncio.wait_for(got.get(), 20) == ("BTC/USDT", Decimal("95000.5"))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await market.close()

            assert (btc.symbol, btc.id) == ("BTC/USDT", NAMED.get(name, "BTCUSDT"))
            found = (btc.tick_size, btc.step_size, btc.min_qty, btc.max_qty, btc.min_notional)
            assert (*found, btc.maker_fee, btc.taker_fee) == tuple(each and Decimal(each) for each in RULES[name])
            assert set(exchange.asked) == set(ANSWERS[name]), "nothing else is asked for"
