"""A price between which nothing happens is put down at once; whatever may come of one goes the whole way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from exengine.domain.events import GroupCloseAsked, PriceMoved, StopSet, WatchDue
from exengine.domain.group import CloseReason, GroupStatus
from exengine.domain.settings import Settings, TakeProfitMode, TakeProfitSettings, TargetOrder
from tests.helpers.engine import Running, running, until

D = Decimal
BY_MARKET = Settings(take_profit=TakeProfitSettings(order=TargetOrder.MARKET))


@asynccontextmanager
async def one_group(settings: Settings | None = None) -> AsyncIterator[Running]:
    """A group on BTC that has bought at 50,000 and 49,750; its other legs rest from 49,500 down."""
    async with running(settings) as engine:
        await whole_way(engine, "50100")
        await engine.alert("50000")
        await engine.engine.settled()
        await whole_way(engine, "49750")
        yield engine


async def whole_way(engine: Running, price: str) -> None:
    await engine.price(price)
    await engine.engine.deliver(WatchDue(account="paper", symbol="BTC/USDT"))
    await engine.engine.settled()


def passes(engine: Running, price: str, symbol: str = "BTC/USDT") -> bool:
    return engine.engine.pass_by("paper", symbol, D(price))


async def test_a_price_that_changes_nothing_is_the_quote_and_nothing_is_stored():
    async with one_group() as engine:
        engine.views.take()
        told: list[bool] = []
        engine.views.subscribe(told.append)
        stored = len(engine.store.commits)
        engine.clock.at_ms += 5_000
        assert passes(engine, "49800")
        quote = engine.state.quotes["paper", "BTC/USDT"]
        assert (quote.price, quote.at_ms) == (D(49800), engine.clock.at_ms)
        assert told == [False]
        assert engine.views.take().quotes == {("paper", "BTC/USDT"): quote}
        assert len(engine.store.commits) == stored


async def test_the_first_price_of_a_symbol_goes_the_whole_way():
    async with running() as engine:
        assert not passes(engine, "2000", "ETH/USDT")
        await engine.engine.deliver(PriceMoved(account="paper", symbol="ETH/USDT", price=D(2000)))
        assert not passes(engine, "2001", "ETH/USDT")
        await engine.engine.deliver(WatchDue(account="paper", symbol="ETH/USDT"))
        await engine.engine.settled()
        assert passes(engine, "2001", "ETH/USDT")


async def test_a_price_at_a_stop_goes_the_whole_way_and_closes():
    async with one_group() as engine:
        (group,) = engine.state.groups.values()
        assert passes(engine, "49700")
        await engine.engine.submit(StopSet(group_id=group.id, price=D(49600)))
        await engine.engine.settled()
        assert passes(engine, "49601")
        assert not passes(engine, "49600")
        await whole_way(engine, "49600")
        (closed,) = [one for changes in engine.store.commits for one in changes.groups.values() if not one.is_open]
        assert closed.reason is CloseReason.STOP_LOSS


async def test_a_price_at_a_watched_target_goes_the_whole_way():
    async with one_group(BY_MARKET) as engine:
        assert passes(engine, "49990")
        assert not passes(engine, "50500")
        assert engine.state.last("paper", "BTC/USDT") == D(49990)


async def test_the_best_price_of_a_trailing_group_is_never_passed_by():
    trailing = TakeProfitSettings(mode=TakeProfitMode.AGGREGATE, percent=D(1), trailing_percent=D("0.2"))
    async with one_group(Settings(take_profit=trailing)) as engine:
        assert passes(engine, "50300")
        await whole_way(engine, "50500")
        assert passes(engine, "50450")
        assert not passes(engine, "50501")
        assert not passes(engine, "50399")


async def test_while_something_is_being_stored_no_price_overtakes_it():
    async with one_group() as engine:
        (group,) = engine.state.groups.values()
        engine.store.may_commit.clear()
        asked = asyncio.create_task(engine.engine.submit(GroupCloseAsked(group_id=group.id)))
        await until(lambda: engine.state.groups[group.id].status is GroupStatus.CLOSING)
        assert not passes(engine, "49800")
        engine.store.may_commit.set()
        await asked


async def test_a_group_that_closes_sees_every_price():
    async with one_group() as engine:
        engine.exchange.may_answer.clear()
        engine.exchange.in_step = False
        (group,) = engine.state.groups.values()
        await engine.engine.submit(GroupCloseAsked(group_id=group.id))
        await engine.engine.settled()
        assert engine.state.groups[group.id].status is GroupStatus.CLOSING
        assert not passes(engine, "49800")


async def test_what_a_refused_transaction_took_back_is_watched_as_it_was():
    async with one_group() as engine:
        (group,) = engine.state.groups.values()
        engine.store.fail(times=1)
        with pytest.raises(Exception, match="disk is full"):
            await engine.engine.submit(StopSet(group_id=group.id, price=D(49600)))
        await engine.engine.settled()
        assert engine.state.groups[group.id].stop_price is None
        assert passes(engine, "49600")


async def test_a_defect_in_it_costs_no_price():
    async with one_group() as engine:

        def broken(urgent: bool) -> None:
            raise TypeError("the window is broken")

        engine.views.subscribe(broken)
        assert not passes(engine, "49800")
