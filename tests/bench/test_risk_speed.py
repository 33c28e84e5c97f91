"""The risk engine's look at a thousand groups, and prices that change nothing for five hundred."""

import time
import timeit
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from exengine.domain import risk
from exengine.domain.decide import decide
from exengine.domain.events import PriceMoved, WatchDue
from exengine.domain.instrument import Instrument
from exengine.domain.money import arithmetic
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
from exengine.domain.step import Step
from tests.bench.goals import Goal
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


def world(count: int) -> World:
    """`count` groups with all legs filled, five on each symbol, targets resting, each bought from 100 down."""
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
        pool=PoolSettings(max_open_groups=count),
        risk=RiskSettings(enable_post_full_wait=False),
    )
    coins = [coin(number) for number in range(count // len(TIMEFRAMES))]
    made = World(settings, instruments=coins)
    for one in coins:
        made.price(one.symbol, "100")
        for timeframe in TIMEFRAMES:
            made.alert("100", tv__symbol=one.id, tv__timeframe=timeframe)
        made.price(one.symbol, "96")
    made.steps.clear()
    assert len(made.state.groups) == count
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


def test_ten_times_the_groups_cost_about_ten_times(thousand: World, goals: list[Goal], benchmark: Any) -> None:
    """All of them losers that nobody pays for: each is looked at closely."""
    hundred = world(100)
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
    from exengine.domain import pnl, risk_levels

    moved(thousand, MARKETS["nobody loses"])

    def forget() -> None:
        pnl._kept.clear()
        risk_levels._kept.clear()

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


def test_prices_of_five_hundred_groups(goals: list[Goal], benchmark: Any) -> None:
    """Each price as the live engine takes it: told, and then what is watched is looked at; nothing comes of it."""
    one = world(500)
    assert all(holding(group).net_qty for group in one.state.groups.values())
    prices = [Decimal("97.00") + Decimal(place) / 100 for place in range(20)]

    def told() -> None:
        for price in prices:
            for instrument in one.instruments:
                decide(one.state, PriceMoved(account="paper", symbol=instrument.symbol, price=price), one.now_ms)
                decide(one.state, WatchDue(account="paper", symbol=instrument.symbol), one.now_ms)

    benchmark.pedantic(told, rounds=3, warmup_rounds=1)
    rate = len(prices) * len(one.instruments) / benchmark.stats["median"]
    benchmark.extra_info["prices_a_second"] = rate
    goals.append(
        Goal(area="prices", what="500 groups on 100 symbols, thousands a second", measured=rate / 1000, unit="k/s",
             limit=100, at_least=True)
    )  # fmt: skip
