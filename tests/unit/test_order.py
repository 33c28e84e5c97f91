"""An order is a fold over what happens to it; odd arrows are explicit, missing ones are defects."""

from decimal import Decimal

import pytest

from exengine.domain.instrument import OrderSide
from exengine.domain.order import (
    TRANSITIONS,
    Fill,
    Happening,
    IllegalTransition,
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    Role,
    client_order_id,
    own_prefix,
)


def an_order(**changes) -> Order:
    values = {
        "client_id": "xabc",
        "group_id": "paper|BTC/USDT|15m#1",
        "account": "paper",
        "symbol": "BTC/USDT",
        "role": Role.ENTRY,
        "side": OrderSide.BUY,
        "type": OrderType.LIMIT,
        "price": Decimal(50000),
        "qty": Decimal("0.01"),
        "created_at_ms": 1,
    }
    return Order(**values | changes)


def a_fill(qty="0.01", trade_id="t1", price="50000") -> Fill:
    return Fill(
        client_id="xabc",
        trade_id=trade_id,
        at_ms=5,
        price=Decimal(price),
        qty=Decimal(qty),
        fee=Decimal(0),
        fee_currency="USDT",
        liquidity=Liquidity.MAKER,
    )


def test_an_order_goes_from_created_over_open_to_filled():
    order = an_order().after(Happening.SEND, 2).after(Happening.ACCEPT, 3)
    assert order.status is OrderStatus.OPEN
    order = order.filled(a_fill("0.004", "t1", "50000")).filled(a_fill("0.006", "t2", "49990"))
    assert order.status is OrderStatus.FILLED
    assert order.filled_qty == Decimal("0.01")
    assert order.average_price == Decimal(49994)
    assert (order.sent_at_ms, order.acknowledged_at_ms, order.closed_at_ms) == (2, 3, 5)


def test_the_same_trade_is_applied_once():
    once = an_order().filled(a_fill("0.004"))
    assert once.filled(a_fill("0.004")) is once


def test_a_fill_may_come_before_the_creates_answer():
    order = an_order().after(Happening.SEND, 2).filled(a_fill("0.004"))
    assert order.after(Happening.ACCEPT, 9).status is OrderStatus.PARTIALLY_FILLED


def test_a_late_fill_of_a_cancelled_order_counts_without_reopening_it():
    order = an_order().after(Happening.ACCEPT, 2).after(Happening.CANCEL, 3).filled(a_fill("0.004"))
    assert (order.status, order.filled_qty, order.leaves_qty) == (OrderStatus.CANCELLED, Decimal("0.004"), 0)


def test_a_cancel_that_meets_the_whole_fill_leaves_it_filled():
    order = an_order().after(Happening.ACCEPT, 2).after(Happening.CANCEL, 3).filled(a_fill())
    assert order.status is OrderStatus.FILLED


def test_more_filled_than_ordered_is_accepted_as_it_is():
    order = an_order().filled(a_fill("0.015"))
    assert (order.status, order.filled_qty, order.leaves_qty) == (OrderStatus.FILLED, Decimal("0.015"), 0)


def test_a_lost_answer_makes_it_unknown_until_it_is_found():
    order = an_order().after(Happening.SEND, 2).after(Happening.LOSE, 3)
    assert order.status is OrderStatus.UNKNOWN
    assert order.is_working
    assert order.after(Happening.ACCEPT, 4).status is OrderStatus.OPEN


def test_what_the_table_does_not_know_is_a_defect():
    with pytest.raises(IllegalTransition, match="cancelled cannot reject"):
        an_order().after(Happening.CANCEL, 2).after(Happening.REJECT, 3)


def test_an_acknowledgement_that_comes_after_the_refusal_changes_nothing():
    refused = an_order().after(Happening.SEND, 2).after(Happening.REJECT, 3)
    assert refused.after(Happening.ACCEPT, 4) == refused


def test_no_arrow_leads_from_a_final_state_to_a_working_one_but_for_a_fill_the_exchange_had_refused():
    back = {arrow: to for arrow, to in TRANSITIONS.items() if arrow[0].is_final and not to.is_final}
    assert back == {(OrderStatus.REJECTED, Happening.PART_FILL): OrderStatus.PARTIALLY_FILLED}


def test_a_client_order_id_is_the_same_for_the_same_key_and_fits_every_exchange():
    one = client_order_id("store", "paper|BTC/USDT|15m#1#1")
    assert one == client_order_id("store", "paper|BTC/USDT|15m#1#1")
    assert one != client_order_id("store", "paper|BTC/USDT|15m#1#2")
    assert one != client_order_id("other", "paper|BTC/USDT|15m#1#1")
    assert len(one) == 26
    assert one.isascii()
    assert one.isalnum()
    assert one.startswith(own_prefix("store"))


def test_a_restored_store_knows_the_orders_of_its_lost_history_and_never_makes_their_ids_again():
    lost, restored = "a1b2", "a1b2~c3"
    assert own_prefix(restored) == own_prefix(lost)
    assert client_order_id(restored, "g#1") != client_order_id(lost, "g#1")
    assert client_order_id(restored, "g#1").startswith(own_prefix(lost))
