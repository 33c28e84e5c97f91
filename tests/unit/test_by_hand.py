"""The trader's hand on one group: a part closed, a stop set, refused entries placed again."""

from dataclasses import replace
from decimal import Decimal

from exengine.domain.events import (
    EntryAgainAsked,
    GroupCloseAsked,
    OrderRejected,
    PartCloseAsked,
    Paused,
    StopSet,
)
from exengine.domain.group import CloseReason, GroupStatus, LegState
from exengine.domain.journal import Severity
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.order import OrderStatus, Role
from exengine.domain.settings import GridSettings, LegSpec, Settings, SizingSettings
from exengine.engine.row_builder import group_row
from tests.helpers.world import World

D = Decimal
ID = "paper|BTC/USDT|15m#1"


def ladder(*gaps: str) -> GridSettings:
    share = D(100) / len(gaps)
    return GridSettings(legs=tuple(LegSpec(gap_percent=D(gap), weight_percent=share, tp_percent=D(10)) for gap in gaps))


def world(*gaps: str, amount: int = 1000) -> World:
    made = World(Settings(grid=ladder(*gaps or ("0",)), sizing=SizingSettings(amount=D(amount))))
    made.price("BTC/USDT", "50000")
    made.alert("50000")
    return made


def last_note(made: World) -> tuple[Severity, str]:
    return made.notes[-1].severity, made.notes[-1].text


# part of it


def test_a_part_is_closed_at_market_and_the_rest_lives_on_with_its_target():
    made = world("0", "-2")
    held = made.group().net_qty
    made.tell(PartCloseAsked(group_id=ID, qty=held / 4))
    (close,) = made.role(Role.CLOSE)
    assert (close.qty, close.status) == (D("0.0025"), OrderStatus.FILLED)
    group = made.group()
    assert group.net_qty == held - close.qty
    assert group.status is GroupStatus.PARTIALLY_FILLED
    resting = [order for order in made.role(Role.TP) if order.is_working]
    assert [order.qty for order in resting] == [group.net_qty]


def test_a_part_is_taken_from_the_legs_in_the_order_of_their_first_fills():
    made = world("0", "-1")
    made.price("BTC/USDT", "49400")
    first, second = (leg.net_qty for _, leg in made.group().legs())
    made.tell(PartCloseAsked(group_id=ID, qty=first + second / 2))
    after = [leg.net_qty for _, leg in made.group().legs()]
    assert after[0] == ZERO
    assert ZERO < after[1] < second


def test_a_part_is_floored_to_the_step():
    made = world()
    made.tell(PartCloseAsked(group_id=ID, qty=D("0.0012345")))
    (close,) = made.role(Role.CLOSE)
    assert close.qty == D("0.00123")


def test_all_of_it_is_a_close_by_hand():
    made = world("0", "-2")
    made.tell(PartCloseAsked(group_id=ID, qty=D(9)))
    group = made.group()
    assert (group.status, group.reason) == (GroupStatus.CLOSED, CloseReason.MANUAL)


def test_a_part_below_the_minimum_is_refused_in_words_and_changes_nothing():
    made = world()
    before = made.group()
    made.tell(PartCloseAsked(group_id=ID, qty=D("0.00005")))
    assert made.group() == before
    severity, text = last_note(made)
    assert severity is Severity.WARNING
    assert text == "No part was closed: That is worth less than the 5 USDT that an order must be worth at least."


def test_less_than_a_step_is_refused():
    made = world()
    made.tell(PartCloseAsked(group_id=ID, qty=D("0.000001")))
    assert "less than the step of 0.00001" in last_note(made)[1]


def test_a_second_part_goes_after_the_first_that_is_under_way():
    made = world()
    held = made.group().net_qty
    group = made.state.groups[ID]
    made.state.groups[ID] = replace(group)
    made.tell(PartCloseAsked(group_id=ID, qty=held / 4))
    made.tell(PartCloseAsked(group_id=ID, qty=held / 4))
    assert made.group().net_qty == held / 2


def test_a_group_that_is_being_closed_gives_no_part():
    made = world("0", "-2")
    made.state.groups[ID] = replace(made.state.groups[ID], frozen="the exchange refused to close it")
    made.tell(PartCloseAsked(group_id=ID, qty=D("0.002")))
    assert made.role(Role.CLOSE) == []
    assert "it is stopped: the exchange refused to close it" in last_note(made)[1]


# its stop


def test_a_stop_that_is_set_closes_the_group_where_it_is_touched():
    made = world("0", "-5")
    made.tell(StopSet(group_id=ID, price=D("48000.019")))
    assert made.group().stop_price == D("48000.01"), "down to the tick, away from the price"
    made.price("BTC/USDT", "48001")
    assert made.group().status is not GroupStatus.CLOSED
    made.price("BTC/USDT", "48000")
    assert (made.group().status, made.group().reason) == (GroupStatus.CLOSED, CloseReason.STOP_LOSS)


def test_a_stop_on_the_wrong_side_is_refused_in_words():
    made = world()
    made.tell(StopSet(group_id=ID, price=D(50000)))
    assert made.group().stop_price is None
    severity, text = last_note(made)
    assert severity is Severity.WARNING
    assert text == (
        "The stop was not changed: The stop of a long stands below the last price, which is 50000.00: "
        "at 50000.00 the group would be closed now."
    )


def test_a_stop_can_be_taken_away_again():
    made = world("0", "-5")
    made.tell(StopSet(group_id=ID, price=D(48000)))
    made.tell(StopSet(group_id=ID, price=None))
    made.price("BTC/USDT", "47900")
    assert made.group().status is not GroupStatus.CLOSED
    assert any(note.text == "Stop taken away by the trader." for note in made.notes)


def test_the_row_tells_of_the_stop():
    made = world()
    made.tell(StopSet(group_id=ID, price=D(48000)))
    with arithmetic():
        row = group_row(made.state, made.state.groups[ID])
    assert (row.stop, row.own_stop) == (D(48000), D(48000))


# entries that were refused


def with_a_refused_leg() -> World:
    made = world("0", "-2")
    order = next(one for one in made.role(Role.ENTRY) if one.leg == 1)
    made.book.cancel(order.client_id)
    made.tell(OrderRejected(client_id=order.client_id, code="too_many_orders", text="too many open orders"))
    assert made.group().leg((0, 1)).state is LegState.REJECTED
    return made


def test_a_refused_entry_is_placed_again_at_its_planned_price_under_a_new_id():
    made = with_a_refused_leg()
    made.tell(EntryAgainAsked(group_id=ID, legs=((0, 1),)))
    first, second = (one for one in made.role(Role.ENTRY) if one.leg == 1)
    assert second.client_id != first.client_id
    assert (second.price, second.qty, second.status) == (first.price, first.qty, OrderStatus.OPEN)
    assert made.group().leg((0, 1)).state is LegState.OPEN
    made.price("BTC/USDT", "48900")
    assert made.group().leg((0, 1)).entered_qty == second.qty


def test_a_placed_entry_is_no_error_of_its_group_any_more():
    made = with_a_refused_leg()
    with arithmetic():
        row = group_row(made.state, made.state.groups[ID])
        assert row.rejected_legs() == ((0, 1),)
        assert row.error == "Entry of pyramid 1, DCA1: too many open orders"
        made.tell(EntryAgainAsked(group_id=ID, legs=((0, 1),)))
        row = group_row(made.state, made.state.groups[ID])
    assert row.rejected_legs() == ()
    assert row.error is None
    assert row.pyramid_rows[0].legs[1].error is None


def test_nothing_is_placed_again_while_the_engine_is_paused():
    made = with_a_refused_leg()
    made.tell(Paused())
    made.tell(EntryAgainAsked(group_id=ID, legs=((0, 1),)))
    assert made.group().leg((0, 1)).state is LegState.REJECTED
    assert last_note(made)[1] == "Not placed again: the engine is paused. Resume it first."


def test_nothing_is_placed_again_that_the_account_cannot_pay():
    made = with_a_refused_leg()
    made.state.moved["paper", "USDT"] = made.state.moved["paper", "USDT"] - D(9400)
    made.tell(EntryAgainAsked(group_id=ID, legs=((0, 1),)))
    assert "and 100" in last_note(made)[1]
    assert made.group().leg((0, 1)).state is LegState.REJECTED


def test_an_entry_that_was_not_refused_is_not_placed_again():
    made = world("0", "-2")
    made.tell(EntryAgainAsked(group_id=ID, legs=((0, 1),)))
    assert len([one for one in made.role(Role.ENTRY) if one.leg == 1]) == 1
    assert last_note(made)[1] == "Not placed again: none of these entries is refused any more."


def test_a_group_that_is_gone_is_not_touched():
    made = world()
    made.tell(GroupCloseAsked(group_id=ID))
    for event in (
        PartCloseAsked(group_id=ID, qty=D(1)),
        StopSet(group_id=ID, price=D(1)),
        EntryAgainAsked(group_id=ID, legs=((0, 0),)),
    ):
        step = made.tell(event)
        assert not step.must_be_stored
