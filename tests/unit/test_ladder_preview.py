"""The ladder that the settings show is the ladder that an entry lays (SPEC §3.1)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.group import LegState
from exengine.domain.instrument import MarketType, Side
from exengine.domain.ladder_preview import LadderPreview, ladder_preview
from exengine.domain.order import Role
from exengine.domain.reception import Outcome
from exengine.domain.settings import (
    PAPER,
    BelowMinimum,
    EntryOrder,
    GridSettings,
    LegSpec,
    Override,
    OverrideMatch,
    PoolSettings,
    Settings,
    SizingMode,
    SizingSettings,
    TakeProfitMode,
    TakeProfitSettings,
)
from tests.helpers.world import BTC, BTC_PERPETUAL, World

D = Decimal


def legs(*rows: tuple[str, str, str]) -> tuple[LegSpec, ...]:
    return tuple(LegSpec(gap_percent=D(g), weight_percent=D(w), tp_percent=D(t)) for g, w, t in rows)


PICTURED = legs(("0", "28", "1"), ("-0.5", "24", "0.5"), ("-1", "23", "2"), ("-1.5", "21", "1.5"), ("-2", "4", "1"))


def previewed(settings: Settings, world: World | None = None, **changes) -> LadderPreview:
    world = world or priced(Settings())
    asked = {"account": "paper", "symbol": "BTC/USDT", "side": Side.LONG} | changes
    found = ladder_preview(settings, world.state, **asked)
    assert found is not None
    return found


def priced(settings: Settings, price: str = "67240.50", **how) -> World:
    world = World(settings, **how)
    world.price(world.instruments[0].symbol, price)
    return world


def test_the_pictured_ladder_has_its_prices_quantities_and_one_leg_that_is_blocked():
    shown = previewed(Settings(grid=GridSettings(max_pyramids=3, legs=PICTURED), pool=PoolSettings(max_open_groups=6)))
    rows = [(str(leg.price), str(leg.planned_qty), str(leg.quote.quantize(D("0.01")))) for leg in shown.legs]
    assert rows == [
        ("67240.50", "0.00041", "27.57"),
        ("66904.29", "0.00035", "23.42"),
        ("66568.09", "0.00034", "22.63"),
        ("66231.89", "0.00031", "20.53"),
        ("65895.69", "0.00006", "3.95"),
    ]
    assert [str(leg.target) for leg in shown.legs] == ["67912.91", "67238.82", "67899.46", "67225.37", "None"]
    assert shown.legs[4].blocked == "3.95 USDT is under the minimum notional of 5.00"
    sums = (shown.pyramid_quote, shown.group_quote, shown.all_slots_quote)
    assert [str(one.quantize(D("0.01"))) for one in sums] == ["94.15", "282.45", "1694.70"]
    assert (shown.unused_percent, shown.refused, shown.override) == (D("5.8"), "", None)


@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
@pytest.mark.parametrize("entry_order", list(EntryOrder))
@pytest.mark.parametrize("below", list(BelowMinimum))
@pytest.mark.parametrize("amount", ["100", "19.99", "5000"])
def test_what_is_shown_is_what_is_ordered(side: Side, entry_order: EntryOrder, below: BelowMinimum, amount: str):
    account = replace(PAPER, market_type=MarketType.SWAP)
    settings = Settings(
        accounts=(account,),
        grid=GridSettings(legs=PICTURED, entry_order=entry_order, on_below_minimum=below),
        sizing=SizingSettings(amount=D(amount)),
    )
    perpetual = replace(BTC_PERPETUAL, step_size=D("0.00001"), min_qty=D("0.00001"), tick_size=D("0.01"))
    world = priced(settings, instruments=(perpetual,))
    shown = previewed(settings, world, symbol="BTC/USDT:USDT", side=side)
    action = "buy" if side is Side.LONG else "short"
    record = world.alert("67240.50", action, tv__symbol="BTCUSDT.P")
    if record.outcome is Outcome.REFUSED:
        assert shown.refused
        return
    assert not shown.refused
    group = world.group()
    ordered = [(leg.qty, leg.state is not LegState.BLOCKED) for leg in group.pyramids[0].legs]
    assert [(leg.qty, not leg.blocked) for leg in shown.legs] == ordered
    laid = {one.leg: one for one in world.role(Role.ENTRY)}
    assert all(laid[leg.index].price in (None, leg.price) for leg in shown.legs if not leg.blocked)


def test_a_target_of_the_whole_pyramid_is_that_of_its_average():
    grid = GridSettings(legs=legs(("0", "50", "1"), ("-1", "50", "1")))
    take_profit = TakeProfitSettings(mode=TakeProfitMode.AGGREGATE, percent=D(1))
    settings = Settings(grid=grid, take_profit=take_profit)
    shown = previewed(settings, priced(settings, "50000"))
    (first, second) = shown.legs
    average = (first.quote + second.quote) / (first.qty + second.qty)
    assert {first.target, second.target} == {BTC.price_up(average * D("1.01"))}


def test_multipliers_and_pyramid_rules_count_in_the_full_group():
    rules = (Override(match=OverrideMatch(symbol="BTC/*"), sizing={"amount": D(1000)}),
             Override(match=OverrideMatch(symbol="ETH/USDT"), sizing={"amount": D(1)}),
             Override(match=OverrideMatch(pyramid=2), sizing={"amount": D(3000)}))  # fmt: skip
    grid = GridSettings(max_pyramids=3, legs=legs(("0", "100", "1")), pyramid_multipliers=(D(1), D(2)))
    settings = Settings(grid=grid, overrides=rules, accounts=(replace(PAPER, balances={"USDT": D(100000)}),))
    shown = previewed(settings, priced(settings, "50000"))
    assert (shown.override, shown.capital, shown.pyramid_quote, shown.group_quote) == (1, 1000, 1000, 6000)


def test_it_says_why_an_entry_would_be_refused():
    world = priced(Settings(), "50000")
    much = Settings(sizing=SizingSettings(amount=D(20000)))
    assert previewed(much, world).refused == "paper has 10000 USDT free"
    assert previewed(Settings(), world, side=Side.SHORT).refused == "A spot account cannot go short"
    little = Settings(sizing=SizingSettings(amount=D(10)))
    assert previewed(little, world).refused == "Every leg is under the exchange’s minimum"
    held = Settings(pool=PoolSettings(max_exposure=D(50)))
    assert previewed(held, world).refused == "It would pass the most exposure of 50"


def test_it_is_nothing_without_a_price_or_an_account_and_changes_nothing():
    world = World(Settings())
    asked = {"symbol": "BTC/USDT", "side": Side.LONG}
    assert ladder_preview(Settings(), world.state, account="paper", **asked) is None
    assert ladder_preview(Settings(), world.state, account="nobody", **asked, price=D(1)) is None
    before = len(world.state.orders), world.state.settings
    assert ladder_preview(Settings(), world.state, account="paper", **asked, price=D(50000)) is not None
    assert (len(world.state.orders), world.state.settings) == before


def test_a_size_that_each_signal_brings_is_shown_by_an_example():
    shown = previewed(Settings(sizing=SizingSettings(mode=SizingMode.SIGNAL)))
    assert (shown.sized_by_signal, shown.capital) == (True, 100)
