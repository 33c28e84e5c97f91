"""The capital of a pyramid by each mode, and what the free balance can carry (SPEC §3.1)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exengine.domain.capital import equity_quote, free_quote
from exengine.domain.instrument import MarketType
from exengine.domain.money import arithmetic
from exengine.domain.reception import Outcome
from exengine.domain.settings import (
    PAPER,
    EntryOrder,
    GridSettings,
    LegSpec,
    Settings,
    SizingMode,
    SizingSettings,
)
from tests.helpers.world import BTC, BTC_PERPETUAL, World

FIXED, EQUITY, FREE, SIGNAL = SizingMode
ONE = GridSettings(legs=(LegSpec(gap_percent=Decimal(0), weight_percent=Decimal(100), tp_percent=Decimal(50)),))


def world(
    mode: SizingMode, amount: str = "0", *, grid: GridSettings = ONE, price: str = "50000", **account: Any
) -> World:
    own = replace(PAPER, **account)
    market = BTC_PERPETUAL if own.market_type is MarketType.SWAP else BTC
    settings = Settings(accounts=(own,), grid=grid, sizing=SizingSettings(mode=mode, amount=Decimal(amount)))
    made = World(settings, instruments=(market,))
    made.price(market.symbol, price)
    return made


def capital(made: World, pyramid: int = -1) -> Decimal:
    return list(made.groups.values())[-1].pyramids[pyramid].capital


def test_fixed_is_an_amount_of_quote_100_unless_it_says_else():
    made = World(Settings())
    made.price("BTC/USDT", "60000")
    made.alert("50000")
    assert capital(made) == 100
    made = world(FIXED, "250")
    made.alert("50000")
    assert capital(made) == 250


def test_percent_equity_is_of_the_quote_and_of_what_is_held_at_the_last_price():
    made = world(EQUITY, "10")
    made.alert("50000")
    assert capital(made) == 1000
    made.price("BTC/USDT", "60000")
    made.alert("60000")
    # 9000 USDT and 0.02 BTC at 60000
    assert capital(made) == 1020


def test_percent_free_is_of_what_working_entries_and_positions_leave():
    made = world(FREE, "10", price="60000")
    made.alert("50000")
    assert capital(made) == 1000
    made.alert("50000")
    assert capital(made) == 900


def test_percent_free_on_swap_counts_the_margin_of_what_is_held():
    made = world(FREE, "100", market_type=MarketType.SWAP, leverage=Decimal(5))
    made.alert("50000")
    # all 10000 in a position of 0.2 BTC, a fifth of it margin
    assert capital(made) == 10000
    made.alert("50000")
    assert capital(made) == 8000


@pytest.mark.parametrize(
    ("size", "unit", "wanted"), [("0.01", "base", "500"), ("300", "quote", "300"), ("0.02", "contracts", "1000")]
)
def test_the_signal_brings_its_size_in_its_unit_at_its_own_price(size, unit, wanted):
    made = world(SIGNAL, price="60000")
    made.alert("50000", tv__order_size=size, execution_intent={"type": "signal", "position_size_type": unit})
    assert capital(made) == Decimal(wanted)


def test_contracts_count_by_their_size_on_swap():
    contracts = replace(BTC_PERPETUAL, contract_size=Decimal("0.01"), step_size=Decimal(1), min_qty=Decimal(1))
    settings = Settings(
        accounts=(replace(PAPER, market_type=MarketType.SWAP),), grid=ONE, sizing=SizingSettings(mode=SIGNAL)
    )
    made = World(settings, instruments=(contracts,))
    made.alert("50000", tv__order_size="3")
    assert capital(made) == 1500
    assert next(iter(made.orders.values())).qty == 3


@pytest.mark.parametrize(("mode", "amount", "first"), [(FIXED, "1000", 2000), (EQUITY, "10", 2000), (FREE, "10", 2000)])
def test_every_mode_is_multiplied_by_the_pyramids_multiplier(mode, amount, first):
    made = world(mode, amount, grid=replace(ONE, pyramid_multipliers=(Decimal(2),)))
    made.alert("50000")
    assert capital(made) == first


def test_a_size_of_the_signal_is_multiplied_too():
    made = world(SIGNAL, grid=replace(ONE, pyramid_multipliers=(Decimal(2),)))
    made.alert("50000", tv__order_size="0.01")
    assert capital(made) == 1000


@pytest.mark.parametrize(("amount", "outcome"), [("10000", Outcome.OPENED), ("10000.5", Outcome.REFUSED)])
def test_the_whole_free_balance_may_go_and_no_step_more(amount, outcome):
    made = world(FIXED, amount, price="60000")
    record = made.alert("50000")
    assert record.outcome is outcome
    assert record.reason == ("" if outcome is Outcome.OPENED else "insufficient_funds")


@pytest.mark.parametrize(
    ("leverage", "amount", "outcome"), [("1", "10100", "refused"), ("3", "30000", "opened"), ("3", "30100", "refused")]
)
def test_on_swap_it_is_divided_by_the_leverage(leverage, amount, outcome):
    made = world(FIXED, amount, price="60000", market_type=MarketType.SWAP, leverage=Decimal(leverage))
    assert made.alert("50000").outcome is Outcome(outcome)


def test_leverage_means_nothing_on_a_spot_account():
    made = world(FIXED, "10100", price="60000", leverage=Decimal(3))
    assert made.alert("50000").reason == "insufficient_funds"


@pytest.mark.parametrize(("last", "outcome"), [("50000", Outcome.OPENED), ("51000", Outcome.OPENED)])
def test_a_market_leg_needs_its_quantity_at_the_last_price(last, outcome):
    made = world(FIXED, "10000", grid=replace(ONE, entry_order=EntryOrder.MARKET), price=last)
    record = made.alert("40000")
    assert record.outcome is outcome
    (entry,) = made.orders.values() if len(made.orders) == 1 else [next(iter(made.orders.values()))]
    assert entry.qty == BTC.qty_floor(Decimal(10000) / Decimal(last))


def test_a_ladder_needs_the_sum_of_its_legs():
    two = GridSettings(
        legs=tuple(
            LegSpec(gap_percent=Decimal(gap), weight_percent=Decimal(50), tp_percent=Decimal(1)) for gap in (0, -10)
        )
    )
    assert world(FIXED, "10001", grid=two, price="60000").alert("50000").outcome is Outcome.REFUSED
    assert world(FIXED, "9999", grid=two, price="60000").alert("50000").outcome is Outcome.OPENED


def test_equity_and_free_agree_when_nothing_is_open():
    made = world(FIXED)
    with arithmetic():
        assert equity_quote(made.state, made.account, "USDT") == free_quote(made.state, made.account, "USDT") == 10000
