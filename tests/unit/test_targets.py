"""Taking profit in its four modes, by resting orders and by watched ones, with part fills and dust (SPEC §4.1)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.events import BalancesReported, EntriesCancelAsked, GroupCloseAsked, OrderCancelled, OrderRejected
from exengine.domain.group import CloseReason, GroupStatus, LegState
from exengine.domain.instrument import Instrument, MarketType, Side
from exengine.domain.money import arithmetic
from exengine.domain.order import OrderStatus, OrderType, Role
from exengine.domain.settings import (
    PAPER,
    GridSettings,
    LegSpec,
    Settings,
    SizingSettings,
    TakeProfitMode,
    TakeProfitSettings,
    TargetOrder,
)
from exengine.domain.take_profit import target_price
from exengine.exchange.paper_book import Fees, PaperBook
from tests.helpers.world import BTC, BTC_PERPETUAL, NO_FEES, World

SWAP = replace(PAPER, market_type=MarketType.SWAP)
LEG, PYRAMID, AGGREGATE, HYBRID = TakeProfitMode
LIMIT, MARKET = TargetOrder


def grid(*legs: tuple[str, str, str], **changes) -> GridSettings:
    specs = tuple(LegSpec(gap_percent=Decimal(g), weight_percent=Decimal(w), tp_percent=Decimal(t)) for g, w, t in legs)
    return GridSettings(legs=specs, **changes)


TWO = grid(("0", "50", "1"), ("-2", "50", "4"))


def world(take_profit: TakeProfitSettings, ladder: GridSettings = TWO, amount: str = "1000", fees=NO_FEES, **changes):
    """A long of two legs at 50000 and 49000 (0.01 and 0.0102 BTC), leg 0 filled."""
    settings = Settings(grid=ladder, sizing=SizingSettings(amount=Decimal(amount)), take_profit=take_profit, **changes)
    made = World(settings, fees=fees)
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    return made


def short(take_profit: TakeProfitSettings, ladder: GridSettings = TWO) -> World:
    """The mirror of `world`: legs at 50000 (0.01) and 51000 (0.009), leg 0 filled."""
    settings = Settings(
        accounts=(SWAP,), grid=ladder, sizing=SizingSettings(amount=Decimal(1000)), take_profit=take_profit
    )
    made = World(settings, instruments=(BTC_PERPETUAL,))
    made.price("BTC/USDT:USDT", "50000")
    made.alert("50000", "short")
    return made


def tp(**changes) -> TakeProfitSettings:
    return TakeProfitSettings(**changes)


def resting(made: World) -> list[tuple[int | None, int | None, Decimal, Decimal]]:
    return [(o.pyramid, o.leg, o.price or Decimal(0), o.qty) for o in made.role(Role.TP) if o.is_working]


def rows(*wanted: tuple[int | None, int | None, str, str]) -> list[tuple[int | None, int | None, Decimal, Decimal]]:
    return [(pyramid, leg, Decimal(price), Decimal(qty)) for pyramid, leg, price, qty in wanted]


def test_leg_mode_rests_one_order_for_each_filled_leg_at_its_own_target():
    made = world(tp(percent=Decimal(9)))
    assert resting(made) == rows((0, 0, "50500", "0.01"))
    made.price("BTC/USDT", "49000")
    assert resting(made) == rows((0, 0, "50500", "0.01"), (0, 1, "50960", "0.0102"))


def test_leg_mode_short_rests_below():
    made = short(tp())
    made.price("BTC/USDT:USDT", "51000")
    assert resting(made) == rows((0, 0, "49500", "0.01"), (0, 1, "48960", "0.009"))
    made.price("BTC/USDT:USDT", "49500")
    made.price("BTC/USDT:USDT", "48960")
    assert made.group().reason is CloseReason.TP
    assert made.realised() == Decimal("5.00") + Decimal("18.36")


def test_pyramid_mode_rests_one_order_for_each_pyramid_at_the_percent_of_its_average():
    made = world(tp(mode=PYRAMID, percent=Decimal(3)))
    assert resting(made) == rows((0, None, "51500", "0.01"))
    made.price("BTC/USDT", "49000")
    # (500 + 499.8) / 0.0202 = 49495.0495…; × 1.03 = 50979.9009…
    assert resting(made) == rows((0, None, "50979.91", "0.0202"))
    made.alert("48000")
    made.price("BTC/USDT", "48000")
    assert resting(made)[1] == rows((1, None, "49440", "0.01041"))[0]


def test_a_pyramid_whose_target_filled_is_done_and_its_unfilled_legs_are_cancelled():
    made = world(tp(mode=PYRAMID, close_when_flat=False))
    made.alert("50000")
    made.price("BTC/USDT", "50600")
    assert made.group().status is GroupStatus.CLOSED
    made = world(tp(mode=PYRAMID, percent=Decimal(1)))
    made.alert("49500")
    made.price("BTC/USDT", "49500")
    made.price("BTC/USDT", "49995")
    assert resting(made) == rows((0, None, "50500", "0.01"))
    assert [(o.pyramid, o.leg) for o in made.role(Role.ENTRY) if o.is_working] == [(0, 1)]
    made.price("BTC/USDT", "49000")
    assert resting(made) == rows((0, None, "49990", "0.0202"))


def test_aggregate_mode_rests_one_order_that_follows_fills_and_pyramids():
    made = world(tp(mode=AGGREGATE, percent=Decimal(2)))
    assert resting(made) == rows((None, None, "51000", "0.01"))
    made.price("BTC/USDT", "49000")
    # 49495.0495… × 1.02 = 50484.9504…
    assert resting(made) == rows((None, None, "50484.96", "0.0202"))
    made.alert("49000")
    # + 0.01020 at 49000: 1499.6 / 0.0304 → 49328.947…; × 1.02 = 50315.526…
    assert resting(made) == rows((None, None, "50315.53", "0.0304"))
    assert [o.status for o in made.role(Role.TP)][:-1] == [OrderStatus.CANCELLED] * 2


@pytest.mark.parametrize("close_when_flat", [True, False])
def test_an_aggregate_target_closes_the_whole_group_and_its_entries_too(close_when_flat):
    made = world(tp(mode=AGGREGATE, percent=Decimal(2), close_when_flat=close_when_flat))
    made.price("BTC/USDT", "51000")
    assert (made.group().status, made.group().reason) == (GroupStatus.CLOSED, CloseReason.TP)
    assert not made.book.open_orders()


def test_aggregate_mode_of_a_short_is_below_its_average():
    made = short(tp(mode=AGGREGATE, percent=Decimal(2)))
    assert resting(made) == rows((None, None, "49000", "0.01"))
    made.price("BTC/USDT:USDT", "49000")
    assert made.realised() == Decimal(10)


def test_hybrid_rests_the_legs_and_watches_the_groups_target_whichever_comes_first():
    made = world(tp(mode=HYBRID, percent=Decimal("0.5")))
    assert resting(made) == rows((0, 0, "50500", "0.01"))
    made.price("BTC/USDT", "50249.99")
    assert made.group().is_open
    made.price("BTC/USDT", "50250")
    assert (made.group().status, made.group().reason) == (GroupStatus.CLOSED, CloseReason.TP)
    (closing,) = [o for o in made.role(Role.TP) if o.type is OrderType.MARKET]
    assert (closing.qty, closing.average_price) == (Decimal("0.01"), Decimal(50250))
    assert not made.book.open_orders()


def test_in_hybrid_a_leg_may_leave_by_its_own_target_first():
    made = world(tp(mode=HYBRID, percent=Decimal(4)))
    made.price("BTC/USDT", "49000")
    made.price("BTC/USDT", "50500")
    assert made.group().leg((0, 0)).state is LegState.CLOSED
    assert resting(made) == rows((0, 1, "50960", "0.0102"))


@pytest.mark.parametrize(
    ("mode", "price", "left"),
    [(LEG, "50500", "0.0102"), (PYRAMID, "49990", "0"), (AGGREGATE, "49990", "0"), (HYBRID, "49990", "0")],
)
def test_market_targets_rest_nowhere_and_close_at_market_when_touched(mode, price, left):
    made = world(tp(mode=mode, order=MARKET))
    made.price("BTC/USDT", "49000")
    assert resting(made) == []
    made.price("BTC/USDT", str(Decimal(price) - Decimal("0.01")))
    assert made.group().net_qty == Decimal("0.0202")
    made.price("BTC/USDT", price)
    assert made.group().net_qty == Decimal(left)
    (closing,) = made.role(Role.TP)
    assert (closing.type, closing.average_price) == (OrderType.MARKET, Decimal(price))


def test_a_market_target_of_a_pyramid_closes_that_pyramid_alone():
    made = world(tp(mode=PYRAMID, order=MARKET))
    made.price("BTC/USDT", "49000")
    made.alert("48000")
    made.price("BTC/USDT", "48000")
    made.price("BTC/USDT", "48480")
    assert [made.group().leg((0, leg)).net_qty for leg in (0, 1)] == [Decimal("0.01"), Decimal("0.0102")]
    assert made.group().leg((1, 0)).net_qty == 0


def parts(made: World, qty: str, *, of: Role = Role.ENTRY) -> None:
    """From now on orders of this role fill in parts of `qty`, a part at each tick."""
    book = PaperBook("paper", fees=NO_FEES, part_of_fill=lambda order: Decimal(qty) if order.role is of else None)
    book.list_instruments(made.instruments)
    for order in made.book.open_orders():
        book.restore(order, BTC)
    for currency, amount in made.book.totals().items():
        book.deposit(currency, amount)
    made.book = book


ONE = grid(("0", "100", "1"))


def test_a_part_fill_gets_its_target_at_once_and_the_order_is_amended_as_more_fills():
    made = World(Settings(grid=ONE, sizing=SizingSettings(amount=Decimal(1000))), fees=NO_FEES)
    made.price("BTC/USDT", "50100")
    made.alert("50000")
    parts(made, "0.008")
    made.price("BTC/USDT", "50000")
    assert resting(made) == rows((0, 0, "50500", "0.008"))
    assert made.group().leg((0, 0)).state is LegState.PARTIALLY_FILLED
    made.price("BTC/USDT", "50000")
    assert resting(made) == rows((0, 0, "50500", "0.016"))
    made.price("BTC/USDT", "50000")
    assert resting(made) == rows((0, 0, "50500", "0.02"))
    assert [o.status for o in made.role(Role.TP)] == [OrderStatus.CANCELLED, OrderStatus.CANCELLED, OrderStatus.OPEN]


def test_while_the_filled_part_is_below_the_minimum_it_waits_for_more():
    made = World(Settings(grid=ONE, sizing=SizingSettings(amount=Decimal(1000))), fees=NO_FEES)
    made.price("BTC/USDT", "50100")
    made.alert("50000")
    parts(made, "0.00005")
    made.price("BTC/USDT", "50000")
    assert made.role(Role.TP) == []
    assert made.group().status is GroupStatus.PARTIALLY_FILLED
    made.price("BTC/USDT", "50000")
    assert resting(made) == rows((0, 0, "50500", "0.0001"))


def test_a_filled_part_that_stays_below_the_minimum_is_dust_once_nothing_else_is_left_to_sell():
    made = World(Settings(grid=ONE, sizing=SizingSettings(amount=Decimal(1000))), fees=NO_FEES)
    made.price("BTC/USDT", "50100")
    made.alert("50000")
    parts(made, "0.00005")
    made.price("BTC/USDT", "50000")
    made.tell(EntriesCancelAsked(group_id="paper|BTC/USDT|15m#1"))
    assert (made.group().status, made.group().net_qty) == (GroupStatus.CLOSED, Decimal("0.00005"))
    assert made.role(Role.TP) == []


def test_parts_of_several_legs_each_below_the_minimum_leave_together_by_the_farthest_target():
    made = World(Settings(grid=TWO, sizing=SizingSettings(amount=Decimal(1000))), fees=NO_FEES)
    made.price("BTC/USDT", "50100")
    made.alert("50000")
    parts(made, "0.00008")
    made.price("BTC/USDT", "49000")
    made.tell(EntriesCancelAsked(group_id="paper|BTC/USDT|15m#1"))
    assert resting(made) == rows((0, 1, "50960", "0.00016"))
    made.price("BTC/USDT", "50960")
    assert (made.group().status, made.group().net_qty) == (GroupStatus.CLOSED, 0)


def test_a_partly_filled_target_is_left_alone_and_takes_the_rest_later():
    made = world(tp(), ONE)
    parts(made, "0.005", of=Role.TP)
    made.price("BTC/USDT", "50500")
    assert made.group().net_qty == Decimal("0.015")
    (target,) = made.role(Role.TP)
    assert target.status is OrderStatus.PARTIALLY_FILLED
    for _ in range(3):
        made.price("BTC/USDT", "50500")
    assert made.group().status is GroupStatus.CLOSED


def test_a_partly_filled_aggregate_target_does_not_move_by_a_tick():
    made = world(tp(mode=AGGREGATE, percent=Decimal(2)))
    made.price("BTC/USDT", "49000")
    parts(made, "0.00333", of=Role.TP)
    for _ in range(6):
        assert made.group().is_open
        made.price("BTC/USDT", "50485")
        assert len(made.role(Role.TP)) == 2


def test_what_is_sold_is_what_is_there_after_fees_in_base_and_the_rest_is_dust():
    made = world(tp(), ONE, fees=Fees(maker=Decimal("0.001"), taker=Decimal("0.001")))
    assert resting(made) == rows((0, 0, "50500", "0.01998"))
    made = world(tp(), ONE, amount="100", fees=Fees(maker=Decimal("0.001"), taker=Decimal("0.001")))
    assert resting(made) == rows((0, 0, "50500", "0.00199"))
    made.price("BTC/USDT", "50500")
    assert made.group().net_qty == Decimal("0.000008")


def test_a_group_never_sells_more_than_its_own_fills_where_two_hold_the_same_coin():
    made = world(tp(), ONE, fees=Fees(maker=Decimal("0.001"), taker=Decimal("0.001")))
    made.alert("50000", tv__timeframe="60")
    made.alert("50000", "sell", execution_intent={"type": "exit"})
    (closing,) = made.role(Role.CLOSE)
    assert closing.qty == Decimal("0.01998")
    assert made.group("paper|BTC/USDT|1h#1").net_qty == Decimal("0.01998")


def test_close_when_flat_never_applies_before_the_first_fill():
    made = World(Settings(grid=TWO, sizing=SizingSettings(amount=Decimal(1000))))
    for price in ("50100", "51000", "60000"):
        made.price("BTC/USDT", price)
        made.alert("50000", tv__timeframe=price[:2])
    assert len(made.state.groups) == 3


def test_a_target_that_the_exchange_refuses_is_told_once_and_not_sent_again_as_it_was():
    made = world(tp())
    (target,) = made.role(Role.TP)
    made.book.cancel(target.client_id)
    made.tell(OrderRejected(client_id=target.client_id, code="-2010", text="no"))
    assert len(made.role(Role.TP)) == 1
    made.price("BTC/USDT", "49500")
    made.price("BTC/USDT", "49600")
    assert len(made.role(Role.TP)) == 1
    assert made.group().errors
    made.price("BTC/USDT", "49000")
    assert resting(made) == rows((0, 1, "50960", "0.0102"))


def short_of_coins() -> World:
    """A group that bought 0.0202 of which 0.01 was sold by hand, as a refused target has told."""
    made = world(tp())
    made.price("BTC/USDT", "49000")
    for order in made.role(Role.TP):
        made.book.cancel(order.client_id)
    made.book.deposit("BTC", Decimal("-0.01"))
    target = made.role(Role.TP)[0]
    made.tell(OrderRejected(client_id=target.client_id, code="insufficient_balance", text="not enough BTC"))
    return made


def test_a_target_for_which_the_account_lacks_the_coins_freezes_the_group_and_shows_it():
    made = short_of_coins()
    assert "0.0202 BTC" in (made.group().frozen or "")
    assert any("sold by hand" in note.advice for note in made.notes)
    orders = len(made.orders)
    made.price("BTC/USDT", "52000")
    assert len(made.orders) == orders


def test_a_group_whose_coins_were_sold_by_hand_sells_what_is_left_when_the_trader_closes_it():
    made = short_of_coins()
    made.tell(BalancesReported(account="paper", totals={"BTC": Decimal("0.0102")}))
    made.tell(OrderCancelled(client_id=made.role(Role.TP)[1].client_id))
    made.tell(GroupCloseAsked(group_id="paper|BTC/USDT|15m#1"))
    (closing,) = made.role(Role.CLOSE)
    assert (closing.qty, closing.status) == (Decimal("0.0102"), OrderStatus.FILLED)
    assert (made.group().status, made.group().net_qty) == (GroupStatus.CLOSED, Decimal("0.01"))


def test_two_legs_of_one_price_and_quantity_are_told_apart_when_one_target_is_refused():
    made = world(tp(), grid(("0", "50", "1"), ("0", "50", "1")))
    first, second = made.role(Role.TP)
    made.book.cancel(first.client_id)
    made.tell(OrderRejected(client_id=first.client_id, code="x", text="no"))
    assert [order.client_id for order in made.role(Role.TP) if order.is_working] == [second.client_id]


def test_a_target_that_the_trader_cancels_on_the_exchange_is_not_put_back_and_that_is_told():
    made = world(tp(), grid(("0", "100", "1")))
    (target,) = made.role(Role.TP)
    made.book.cancel(target.client_id)
    made.tell(OrderCancelled(client_id=target.client_id))
    made.price("BTC/USDT", "50001")
    assert [order.status for order in made.role(Role.TP)] == [OrderStatus.CANCELLED]
    assert any("not by ExEngine" in note.text for note in made.notes)


def test_the_signals_target_replaces_the_aggregate_target_and_lies_on_the_tick():
    made = World(
        Settings(grid=TWO, sizing=SizingSettings(amount=Decimal(1000)), take_profit=tp(mode=AGGREGATE)), fees=NO_FEES
    )
    made.price("BTC/USDT", "50000")
    made.alert("50000", risk={"take_profit": "50700.001"})
    assert resting(made) == rows((None, None, "50700.01", "0.01"))
    made.alert("50000", risk={"take_profit": "50900"})
    assert resting(made) == rows((None, None, "50900", "0.02"))


@pytest.mark.parametrize("mode", [LEG, PYRAMID, HYBRID])
def test_in_the_other_modes_it_is_watched_besides_and_closes_the_whole_group(mode):
    made = World(
        Settings(grid=TWO, sizing=SizingSettings(amount=Decimal(1000)), take_profit=tp(mode=mode, percent=Decimal(3))),
        fees=NO_FEES,
    )
    made.price("BTC/USDT", "50000")
    made.alert("50000", risk={"take_profit": "50200"})
    assert len(resting(made)) == 1
    made.price("BTC/USDT", "50199.99")
    assert made.group().is_open
    made.price("BTC/USDT", "50200")
    assert (made.group().status, made.group().reason) == (GroupStatus.CLOSED, CloseReason.TP)
    assert made.realised() == Decimal(2)


def test_a_pyramid_without_a_target_of_its_own_leaves_the_earlier_ones():
    made = World(Settings(grid=TWO, sizing=SizingSettings(amount=Decimal(1000))), fees=NO_FEES)
    made.price("BTC/USDT", "50000")
    made.alert("50000", risk={"take_profit": "50200", "stop_loss": "48000"})
    made.alert("50000")
    assert (made.group().target_price, made.group().stop_price) == (Decimal(50200), Decimal(48000))


PENNY = Instrument(
    symbol="A/USDT", id="AUSDT", base="A", quote="USDT", tick_size=Decimal("0.01"), step_size=Decimal("0.01")
)


def test_the_rounding_of_an_average_never_costs_a_tick():
    with arithmetic():
        assert target_price(PENNY, Side.LONG, Decimal(200) / 3, Decimal(5)) == Decimal(70)
        assert target_price(PENNY, Side.SHORT, Decimal(200) / 3, Decimal(10)) == Decimal(60)
        assert target_price(PENNY, Side.LONG, Decimal("66.67"), Decimal(5)) == Decimal("70.01")


def test_targets_are_from_the_actual_average_and_not_from_the_planned_price():
    made = World(Settings(grid=ONE, sizing=SizingSettings(amount=Decimal(1000))), fees=NO_FEES)
    made.price("BTC/USDT", "49000")
    made.alert("50000")
    assert resting(made) == rows((0, 0, "49490", "0.02"))


def test_a_target_above_the_exchanges_maximum_leaves_in_pieces():
    made = World(
        Settings(grid=grid(("0", "50", "1"), ("0", "50", "1")), sizing=SizingSettings(amount=Decimal(1000)),
                 take_profit=tp(mode=AGGREGATE)),
        instruments=(replace(BTC, max_qty=Decimal("0.012")),),
    )  # fmt: skip
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    assert resting(made) == rows((None, None, "50500", "0.012"))
    made.price("BTC/USDT", "50500")
    assert [order.qty for order in made.role(Role.TP)] == [Decimal("0.01"), Decimal("0.012"), Decimal("0.008")]
    assert made.group().status is GroupStatus.CLOSED


@pytest.mark.parametrize("changes", [{"mode": HYBRID}, {"order": MARKET}, {"trailing_percent": Decimal(1)}])
def test_a_watched_target_does_not_close_a_ladder_of_which_too_little_has_filled_to_be_sold(changes):
    made = World(
        Settings(grid=ONE, sizing=SizingSettings(amount=Decimal(1000)), take_profit=tp(**changes)), fees=NO_FEES
    )
    made.price("BTC/USDT", "50100")
    made.alert("50000")
    parts(made, "0.00005")
    for price in ("50000", "51000", "50400"):
        made.price("BTC/USDT", price)
    assert made.group().status is GroupStatus.PARTIALLY_FILLED
    made.price("BTC/USDT", "50000")
    assert made.group().net_qty == Decimal("0.0001")
