"""Stops, trailing, and ladders that the price has left behind (SPEC §3.2, §4.1)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.group import CloseReason, GroupStatus, LegState
from exengine.domain.instrument import MarketType
from exengine.domain.order import OrderStatus, OrderType, Role
from exengine.domain.settings import (
    PAPER,
    BeyondLastLeg,
    GridSettings,
    LegSpec,
    Settings,
    SizingSettings,
    TakeProfitMode,
    TakeProfitSettings,
    TargetOrder,
)
from exengine.exchange.paper_book import PaperBook
from tests.helpers.world import BTC, BTC_PERPETUAL, NO_FEES, World

SWAP = replace(PAPER, market_type=MarketType.SWAP)


def grid(*legs: tuple[str, str, str], **changes) -> GridSettings:
    specs = tuple(LegSpec(gap_percent=Decimal(g), weight_percent=Decimal(w), tp_percent=Decimal(t)) for g, w, t in legs)
    return GridSettings(legs=specs, **changes)


ONE = grid(("0", "100", "10"))
TWO = grid(("0", "50", "10"), ("-2", "50", "10"))
SYMBOLS = {"long": "BTC/USDT", "short": "BTC/USDT:USDT"}


def world(
    side: str, *, ladder: GridSettings = ONE, price: str = "50000", risk: dict | None = None, **take_profit
) -> World:
    """A group of `side` with an entry at 50000."""
    settings = Settings(
        accounts=(PAPER if side == "long" else SWAP,),
        grid=ladder,
        sizing=SizingSettings(amount=Decimal(1000)),
        take_profit=TakeProfitSettings(**take_profit),
    )
    made = World(settings, instruments=(BTC if side == "long" else BTC_PERPETUAL,))
    made.price(SYMBOLS[side], price)
    made.alert("50000", side, risk=risk or {})
    return made


def moved(made: World, side: str, *prices: str) -> GroupStatus:
    for price in prices:
        made.price(SYMBOLS[side], price)
    return made.group().status


@pytest.mark.parametrize(("side", "before", "at"), [("long", "49000.01", "49000"), ("short", "50999.9", "51000")])
def test_a_touched_stop_of_the_signal_closes_the_group_at_market(side, before, at):
    made = world(side, risk={"stop_loss": at})
    assert moved(made, side, before) is GroupStatus.ACTIVE
    assert moved(made, side, at) is GroupStatus.CLOSED
    assert made.group().reason is CloseReason.STOP_LOSS
    (stop,) = made.role(Role.STOP)
    assert (stop.type, stop.qty, stop.average_price) == (OrderType.MARKET, Decimal("0.02"), Decimal(at))
    assert not made.book.open_orders()


@pytest.mark.parametrize(("side", "before", "at"), [("long", "48500.01", "48500"), ("short", "51499.9", "51500")])
def test_stop_loss_percent_sets_the_stop_from_the_groups_average(side, before, at):
    made = world(side, stop_loss_percent=Decimal(3))
    assert moved(made, side, before) is GroupStatus.ACTIVE
    assert moved(made, side, at) is GroupStatus.CLOSED


def test_the_percent_follows_the_average_as_more_fills():
    made = world("long", ladder=TWO, stop_loss_percent=Decimal(3))
    # 0.01 at 50000 and 0.0102 at 49000: the average is 49495.0495…, less 3 % is 48010.198…
    assert moved(made, "long", "49000", "48010.2") is GroupStatus.ACTIVE
    assert moved(made, "long", "48010.19") is GroupStatus.CLOSED


def test_the_signals_stop_comes_before_the_percent():
    made = world("long", risk={"stop_loss": "45000"}, stop_loss_percent=Decimal(3))
    assert moved(made, "long", "45000.01") is GroupStatus.ACTIVE
    assert moved(made, "long", "45000") is GroupStatus.CLOSED


def test_a_later_pyramids_stop_replaces_the_earlier_ones():
    made = world("long", risk={"stop_loss": "49000"})
    made.alert("50000", risk={"stop_loss": "48000"})
    assert moved(made, "long", "48500") is GroupStatus.ACTIVE
    assert moved(made, "long", "48000") is GroupStatus.CLOSED


def test_with_nothing_filled_a_stop_waits():
    made = world("long", price="52000", ladder=grid(("-10", "100", "10")), risk={"stop_loss": "48000"})
    assert moved(made, "long", "47000") is GroupStatus.LIVE
    assert moved(made, "long", "45000") is GroupStatus.CLOSED
    assert made.group().reason is CloseReason.STOP_LOSS


@pytest.mark.parametrize(
    ("side", "best", "stays", "back"),
    [("long", ["50500", "52000"], "51480.01", "51480"), ("short", ["49500", "48000"], "48479.9", "48480")],
)
def test_trailing_closes_when_the_price_falls_back_from_its_best_after_the_target(side, best, stays, back):
    made = world(side, percent=Decimal(1), trailing_percent=Decimal(1))
    assert not [order for order in made.role(Role.TP) if order.price is not None]
    assert moved(made, side, *best, stays) is GroupStatus.ACTIVE
    assert moved(made, side, back) is GroupStatus.CLOSED
    (closing,) = made.role(Role.TP)
    assert (closing.type, closing.average_price, made.group().reason) == (
        OrderType.MARKET,
        Decimal(back),
        CloseReason.TP,
    )


def test_trailing_does_nothing_before_the_target_was_touched():
    made = world("long", percent=Decimal(1), trailing_percent=Decimal(1))
    assert moved(made, "long", "50499.99", "49000") is GroupStatus.ACTIVE


def test_trailing_begins_at_the_signals_target_where_it_brings_one():
    made = world("long", risk={"take_profit": "50100"}, percent=Decimal(5), trailing_percent=Decimal(1))
    assert moved(made, "long", "50100", "49599") is GroupStatus.CLOSED


@pytest.mark.parametrize("mode", list(TakeProfitMode))
def test_trailing_takes_the_place_of_resting_orders_in_every_mode(mode):
    made = world("long", mode=mode, percent=Decimal(1), trailing_percent=Decimal(1), order=TargetOrder.MARKET)
    assert moved(made, "long", "60000") is GroupStatus.ACTIVE
    assert made.role(Role.TP) == []


def resting_entries(made: World) -> int:
    return sum(order.is_working for order in made.role(Role.ENTRY))


@pytest.mark.parametrize(("side", "before", "at"), [("long", "50999.99", "51000"), ("short", "49000.1", "49000")])
def test_an_unfilled_ladder_is_abandoned_when_the_price_goes_that_far_without_it(side, before, at):
    ladder = replace(grid(("-1", "100", "10")), abandon_percent=Decimal(2))
    made = world(side, ladder=ladder)
    assert moved(made, side, before) is GroupStatus.LIVE
    assert moved(made, side, at) is GroupStatus.CLOSED
    assert made.group().reason is CloseReason.CANCELLED
    assert made.state.reserved["paper", "USDT"] == 0


def test_an_abandoned_ladder_keeps_what_has_filled():
    made = world("long", ladder=replace(TWO, abandon_percent=Decimal(2)))
    assert moved(made, "long", "51000") is GroupStatus.ACTIVE
    assert made.group().leg((0, 1)).state is LegState.CANCELLED
    assert made.group().leg((0, 0)).state is LegState.TP_PLACED


def test_without_abandon_percent_a_ladder_stays_however_far_the_price_goes():
    assert moved(world("long", ladder=grid(("-1", "100", "10"))), "long", "90000") is GroupStatus.LIVE


def half_filled(side: str, **changes) -> World:
    """A group whose only leg of 0.02 at 50000 is filled by a quarter and still open."""
    made = world(side, ladder=replace(ONE, **changes), price="50100" if side == "long" else "49900")
    book = PaperBook("paper", fees=NO_FEES, part_of_fill=lambda order: Decimal("0.005"))
    book.list_instruments(made.instruments)
    for order in made.book.open_orders():
        book.restore(order, made.instruments[0])
    for currency, amount in made.book.totals().items():
        book.deposit(currency, amount)
    made.book = book
    made.price(SYMBOLS[side], "50000")
    return made


@pytest.mark.parametrize(("side", "last", "at"), [("long", "49000.01", "49000"), ("short", "50999.9", "51000")])
def test_beyond_the_last_leg_what_is_still_open_is_cancelled_where_the_trader_wants_it_so(side, last, at):
    """A fill in many parts leaves the order open though the price has long passed it."""
    made = half_filled(side, beyond_last_leg=BeyondLastLeg.CANCEL, beyond_last_leg_percent=Decimal(2))
    assert resting_entries(made) == 1
    moved(made, side, last)
    assert resting_entries(made) == 1
    moved(made, side, at)
    assert resting_entries(made) == 0
    (entry,) = made.role(Role.ENTRY)
    assert entry.status is OrderStatus.CANCELLED
    assert made.group().net_qty == Decimal("0.015")


def test_beyond_the_last_leg_it_is_kept_by_default():
    made = half_filled("long", beyond_last_leg_percent=Decimal(2))
    moved(made, "long", "48000")
    assert resting_entries(made) == 1


def test_the_last_leg_is_the_farthest_in_whatever_order_the_legs_are_written():
    ladder = grid(("-4", "50", "10"), ("0", "50", "10"), beyond_last_leg=BeyondLastLeg.CANCEL)
    made = world("long", ladder=ladder, price="50000")
    assert moved(made, "long", "49000") is GroupStatus.PARTIALLY_FILLED
    assert resting_entries(made) == 1
