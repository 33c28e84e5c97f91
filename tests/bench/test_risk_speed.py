"""The risk engine's look at a thousand groups, and prices that change nothing for five hundred."""

import asyncio
import time
import timeit
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from itertools import count, cycle
from typing import Any

import pytest

from exengine.domain import risk, risk_levels
from exengine.domain.decide import decide
from exengine.domain.events import PriceMoved, WatchDue
from exengine.domain.instrument import Instrument
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.order import Order
from exengine.domain.pnl import holding
from exengine.domain.quiet import risk_quiet
from exengine.domain.settings import (
    AccountSettings,
    GridSettings,
    LegSpec,
    PoolSettings,
    RiskSettings,
    Settings,
    SizingSettings,
)
from exengine.domain.state import Quote
from exengine.domain.step import Step
from exengine.engine.engine import Engine
from exengine.engine.rows import Mode
from exengine.engine.views import Views
from exengine.exchange.paper import PaperExchange
from tests.bench.goals import Goal
from tests.helpers.engine import MemoryStore, StandingClock
from tests.helpers.world import World

pytestmark = pytest.mark.benchmark(timer=time.process_time)
"""All of it is one thread's arithmetic: what else the machine does is not measured."""

TIMEFRAMES = ("15", "60", "240", "1D", "1W")
LEGS = 5


def coin(number: int) -> Instrument:
    name = f"C{number}"
    return Instrument(
        symbol=f"{name}/USDT", id=f"{name}USDT", base=name, quote="USDT", tick_size=Decimal("0.01"),
        step_size=Decimal("0.0001"), min_qty=Decimal("0.0001"), min_notional=Decimal(5),
        maker_fee=Decimal("0.001"), taker_fee=Decimal("0.001"),
    )  # fmt: skip


def world(groups: int, *, apart: Decimal = ZERO) -> World:
    """`groups` with all legs filled, five on each symbol, targets resting, each bought from 100 down.

    Those of one symbol begin at prices that lie `apart`.
    """
    legs = tuple(
        LegSpec(gap_percent=Decimal(-place), weight_percent=Decimal(20), tp_percent=Decimal(90))
        for place in range(LEGS)
    )
    account = AccountSettings(
        name="paper", exchange="binance", balances={"USDT": Decimal(10**9)}, paper_slippage_percent=Decimal(0)
    )
    settings = Settings(
        accounts=(account,),
        grid=GridSettings(legs=legs, max_pyramids=1),
        sizing=SizingSettings(amount=Decimal(1000)),
        pool=PoolSettings(max_open_groups=groups),
        risk=RiskSettings(enable_post_full_wait=False),
    )
    coins = [coin(number) for number in range(groups // len(TIMEFRAMES))]
    made = World(settings, instruments=coins)
    for one in coins:
        made.price(one.symbol, "100")
        for place, timeframe in enumerate(TIMEFRAMES):
            made.alert(str(100 + place * apart), tv__symbol=one.id, tv__timeframe=timeframe)
        made.price(one.symbol, "96")
    made.steps.clear()
    assert len(made.state.groups) == groups
    return made


@pytest.fixture(scope="module")
def thousand() -> World:
    return world(1000)


def moved(one: World, price_of: dict[int, str]) -> None:
    """Every symbol to the price that `price_of` has for its number, by turns."""
    with arithmetic():
        for number, instrument in enumerate(one.instruments):
            price = Decimal(price_of[number % len(price_of)])
            decide(one.state, PriceMoved(account="paper", symbol=instrument.symbol, price=price), one.now_ms)
            decide(one.state, WatchDue(account="paper", symbol=instrument.symbol), one.now_ms)


def looked(one: World) -> None:
    step = Step(one.state, one.now_ms)
    with arithmetic():
        risk.evaluate(step)
    step.undo()


MARKETS = {
    "nobody loses": {0: "98"},
    "all lose, nobody can pay": {0: "80"},
    "half lose, half can pay: a plan begins": {0: "80", 1: "120"},
    "half lose, one in ten has just come ahead": {number: "80" if number % 2 else "98.3" for number in range(10)},
}


@pytest.mark.parametrize("name", MARKETS)
def test_a_look_at_a_thousand_groups(thousand: World, goals: list[Goal], benchmark: Any, name: str) -> None:
    moved(thousand, MARKETS[name])
    benchmark.pedantic(looked, (thousand,), rounds=30, warmup_rounds=2)
    took_ms = benchmark.stats["median"] * 1000
    goals.append(Goal(area="risk", what=f"1,000 groups, {name}", measured=took_ms, unit="ms", limit=5))


@pytest.mark.parametrize(
    "name", ["half lose, half can pay: a plan begins", "half lose, one in ten has just come ahead"]
)
def test_a_look_where_every_price_is_another_one(thousand: World, goals: list[Goal], benchmark: Any, name: str) -> None:
    """Nothing can be kept but where each group begins to lose or to bring something; the look of a timer."""
    moved(thousand, MARKETS[name])
    was, ways = dict(thousand.state.quotes), cycle((1, -1))

    def move() -> None:
        way = next(ways)
        for number, (symbol, quote) in enumerate(was.items()):
            price = quote.price + Decimal(way * (number + 1)) / 1000  # no two symbols lose or win alike
            thousand.state.quotes[symbol] = Quote(price=price, at_ms=quote.at_ms)

    benchmark.pedantic(looked, (thousand,), setup=move, rounds=30, warmup_rounds=2)
    took_ms = benchmark.stats["median"] * 1000
    what = f"1,000 groups, every price new, {name.partition(',')[2].strip()}"
    goals.append(Goal(area="risk", what=what, measured=took_ms, unit="ms", limit=5))


def test_ten_times_the_groups_cost_about_ten_times(goals: list[Goal], benchmark: Any) -> None:
    """All of them losers that nobody pays for: each is looked at closely. Both worlds are new: one that other figures
    were taken of lies scattered in memory, and costs more for that alone."""
    hundred, thousand = world(100), world(1000)
    for one in (hundred, thousand):
        moved(one, MARKETS["all lose, nobody can pay"])
    few, many = (
        min(timeit.repeat(partial(looked, one), timer=time.process_time, number=1, repeat=30))
        for one in (hundred, thousand)
    )
    benchmark.pedantic(looked, (thousand,), rounds=5)
    goals.append(
        Goal(area="growth", what="ten times the groups, a look at the risk", measured=many * 1000, unit="ms",
             bare=few * 1000, times=11)
    )  # fmt: skip


def test_a_look_at_a_thousand_groups_none_of_which_was_seen_before(
    thousand: World, goals: list[Goal], benchmark: Any
) -> None:
    """What is kept of each group is forgotten before each round."""
    moved(thousand, MARKETS["nobody loses"])

    def forget() -> None:
        groups = thousand.state.groups
        groups.update({group_id: replace(group) for group_id, group in groups.items()})
        risk_levels._kept_members.clear()

    benchmark.pedantic(looked, (thousand,), setup=forget, rounds=10)
    took_ms = benchmark.stats["median"] * 1000
    goals.append(Goal(area="risk", what="1,000 groups, none seen before", measured=took_ms, unit="ms"))


def test_when_a_thousand_groups_need_no_look(thousand: World, goals: list[Goal], benchmark: Any) -> None:
    moved(thousand, MARKETS["all lose, nobody can pay"])

    def asked() -> None:
        with arithmetic():
            assert risk_quiet(thousand.state, thousand.now_ms) is not None

    benchmark.pedantic(asked, rounds=30, warmup_rounds=2)
    took_ms = benchmark.stats["median"] * 1000
    goals.append(Goal(area="risk", what="1,000 groups, until when they need no look", measured=took_ms, unit="ms"))


@dataclass(kw_only=True)
class Trading:
    """The live engine on a paper exchange: its own loop, executor and views; what it stores is kept in memory."""

    world: World
    exchange: PaperExchange
    engine: Engine

    async def told(self, prices: Sequence[tuple[str, Decimal]]) -> None:
        """Prices as a market hands them out, one after the other: each is dealt with before the next comes."""
        for symbol, price in prices:
            await self.exchange.on_price(symbol, price, self.engine.settled)


@contextmanager
def trading(one: World) -> Iterator[tuple[asyncio.Runner, Trading]]:
    """`one` goes on in the live engine."""
    store, clock = MemoryStore(), StandingClock()
    exchange = PaperExchange(one.book, one.instruments, clock)
    views = Views(one.state, clock, mode=Mode.PAPER)
    views.subscribe(lambda urgent: None)
    engine = Engine(one.state, store, [exchange], clock, views)

    async def begun() -> "asyncio.Task[None]":
        running = asyncio.create_task(engine.run())
        await exchange.connect(engine.deliver, engine.pass_by)
        await engine.settled()
        return running

    async def ended(running: "asyncio.Task[None]") -> None:
        await engine.stop(5)
        await running

    with asyncio.Runner() as runner:
        running = runner.run(begun())
        yield runner, Trading(world=one, exchange=exchange, engine=engine)
        runner.run(ended(running))


PLACES = 20
"""How often each symbol gets a price in a round."""


def test_prices_of_five_hundred_groups(goals: list[Goal], benchmark: Any) -> None:
    """Each price as the market hands it to a paper account; between what rests and what is watched nothing happens."""
    one = world(500)
    assert all(holding(group).net_qty for group in one.state.groups.values())
    prices = [
        (instrument.symbol, Decimal("97.00") + Decimal(place) / 100)
        for place in range(PLACES)
        for instrument in one.instruments
    ]
    with trading(one) as (runner, there):
        benchmark.pedantic(lambda: runner.run(there.told(prices)), rounds=9, warmup_rounds=1)
    assert one.state.last("paper", one.instruments[0].symbol) == prices[-1][1]
    rate = len(prices) / benchmark.stats["median"]
    benchmark.extra_info["prices_a_second"] = rate
    goals.append(
        Goal(area="prices", what="500 groups on 100 symbols, thousands a second", measured=rate / 1000, unit="k/s",
             limit=100, at_least=True)
    )  # fmt: skip


def test_prices_one_in_a_hundred_of_which_fills_something(goals: list[Goal], benchmark: Any) -> None:
    """Now and then a price comes to one group's target: the fill is decided, stored, and the price looked at."""
    one = world(500, apart=Decimal("0.1"))
    targets = {instrument.symbol: deque[Decimal]() for instrument in one.instruments}
    for order in sorted((order for order in one.state.orders.values() if order.is_working), key=limit):
        targets[order.symbol].append(limit(order))
    numbers = count()

    def next_prices() -> tuple[tuple[list[tuple[str, Decimal]]], dict[str, Any]]:
        prices = []
        for place in range(PLACES):
            crossing = one.instruments[next(numbers) % len(one.instruments)].symbol
            for instrument in one.instruments:
                is_there = instrument.symbol == crossing
                price = targets[crossing].popleft() if is_there else Decimal("97.00") + Decimal(place) / 100
                prices.append((instrument.symbol, price))
        return (prices,), {}

    with trading(one) as (runner, there):
        benchmark.pedantic(lambda prices: runner.run(there.told(prices)), setup=next_prices, rounds=9)
    assert sum(not order.is_working for order in one.state.orders.values()) > 9 * PLACES * 0.9
    rate = PLACES * len(one.instruments) / benchmark.stats["median"]
    goals.append(
        Goal(area="prices", what="… one in a hundred fills a target", measured=rate / 1000, unit="k/s", at_least=True)
    )


def limit(order: Order) -> Decimal:
    assert order.price is not None
    return order.price
