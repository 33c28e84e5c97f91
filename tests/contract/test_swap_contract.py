"""Perpetuals: one-way mode, margin and leverage as configured, short groups, closes that can never open."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from exengine.domain.events import OrderFilled
from exengine.domain.instrument import MarketType, OrderSide
from exengine.domain.order import Order, OrderType, Role
from exengine.domain.settings import MarginMode
from tests.contract.bench import SWAP_IDS, Bench, bench, found, kinds, started

D = Decimal


@pytest.fixture(params=tuple(SWAP_IDS))
async def swap(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    account = {"leverage": D(3), "margin_mode": MarginMode.ISOLATED}
    async with bench(request.param, market_type=MarketType.SWAP, **account) as made:
        yield made


async def test_rules_are_in_contracts(swap: Bench):
    (rules,) = [one for one in await swap.exchange.rules() if one.symbol == swap.symbol]
    assert rules.type is MarketType.SWAP
    assert rules.contract_size == swap.venue.markets[swap.market_id].contract_size
    assert rules.step_size == swap.venue.markets[swap.market_id].step


async def test_a_symbol_is_set_up_once_before_its_first_order(swap: Bench):
    first, second = swap.order("49000", "0.01"), swap.order("48000", "0.01")
    assert kinds(await swap.exchange.place(first)) == ["OrderAccepted"]
    assert kinds(await swap.exchange.place(second)) == ["OrderAccepted"]
    assert swap.venue.leverage[swap.market_id] == 3
    asked = [ask.kind for ask in swap.faults.asked if ask.kind == "setup"]
    assert 1 <= len(asked) <= 3


async def test_a_symbol_that_is_set_up_already_is_no_error(swap: Bench):
    assert kinds(await swap.exchange.place(swap.order("49000", "0.01"))) == ["OrderAccepted"]
    async with started(swap.settings, swap.server) as again:
        assert kinds(await again.exchange.place(again.order("48000", "0.01"))) == ["OrderAccepted"]


async def test_a_short_opens_and_its_close_only_reduces(swap: Bench):
    entry = swap.ioc("49500", "0.02", side=OrderSide.SELL)
    await filled(swap, entry)
    assert (await swap.report()).positions == {swap.symbol: D("-0.02")}
    close = swap.order(None, "0.02", type=OrderType.MARKET, side=OrderSide.BUY, role=Role.CLOSE)
    await filled(swap, close)
    assert (await swap.report()).positions == {}
    extra = swap.order(None, "0.02", type=OrderType.MARKET, side=OrderSide.BUY, role=Role.CLOSE)
    await asyncio.gather(swap.exchange.place(extra), return_exceptions=True)
    assert (await swap.report()).positions == {}


async def test_a_resting_target_only_reduces(swap: Bench):
    await filled(swap, swap.ioc("50500", "0.02"))
    target = swap.order("50600", "0.02", side=OrderSide.SELL, role=Role.TP)
    await swap.exchange.place(target)
    (resting,) = swap.venue.open_orders()
    assert resting.reduce_only


async def test_the_wallet_is_what_was_paid_in_and_realised_without_what_is_not(swap: Bench):
    await filled(swap, swap.ioc("50500", "0.02"))
    before = (await swap.report()).totals["USDT"]
    swap.tick("60000")
    assert (await swap.report()).totals["USDT"] == before
    assert before == swap.venue.total["USDT"]


async def test_fees_are_in_quote(swap: Bench):
    fills = await filled(swap, swap.ioc("50500", "0.02"))
    size = swap.venue.markets[swap.market_id].contract_size
    assert {fill.fill.fee_currency for fill in fills} == {"USDT"}
    assert sum(fill.fill.fee for fill in fills) == D("0.02") * size * D(50000) * D("0.001")


async def filled(swap: Bench, order: Order) -> list[OrderFilled]:
    """Places an order that fills at once, and waits until its fills are known."""
    told = await swap.exchange.place(order)
    events = [*told, *await found(swap, order), *swap.events]
    fills = [event for event in events if isinstance(event, OrderFilled)]
    assert fills
    return fills
