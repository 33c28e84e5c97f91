"""Leaving at market: the way out of a group, and what happens when the market is beyond the bound (SPEC §4.2, §4.3)."""

import json
from collections import deque
from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.commands import CancelOrder, PlaceOrder
from exengine.domain.decide import decide
from exengine.domain.events import (
    Event,
    GroupCloseAsked,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderSent,
    Panicked,
    SignalArrived,
    SignalStored,
)
from exengine.domain.group import CloseReason, GroupStatus
from exengine.domain.instrument import MarketType, OrderSide
from exengine.domain.order import Fill, Liquidity, Order, OrderStatus, OrderType, Role
from exengine.domain.reception import Arrival, Outcome
from exengine.domain.settings import (
    PAPER,
    EntryOrder,
    ExecutionSettings,
    GridSettings,
    LegSpec,
    Settings,
    SizingSettings,
    SlippageAction,
    TakeProfitMode,
    TakeProfitSettings,
    TargetOrder,
)
from exengine.domain.signal import Signal
from exengine.domain.signal_body import parse_body
from exengine.domain.signal_parse import parse_signal
from exengine.exchange.paper_book import PaperBook
from tests.helpers.alerts import alert
from tests.helpers.world import BTC, BTC_PERPETUAL, NO_FEES, World

SWAP = replace(PAPER, market_type=MarketType.SWAP)
FORCE, HOLD = SlippageAction
ID = "paper|BTC/USDT|15m#1"
EXIT = {"type": "exit"}


def grid(*legs: tuple[str, str, str], **changes) -> GridSettings:
    specs = tuple(LegSpec(gap_percent=Decimal(g), weight_percent=Decimal(w), tp_percent=Decimal(t)) for g, w, t in legs)
    return GridSettings(legs=specs, **changes)


ONE = grid(("0", "100", "10"))
TWO = grid(("0", "50", "10"), ("-2", "50", "10"))


def world(ladder: GridSettings = ONE, *, slippage: str = "0", instrument=BTC, **changes) -> World:
    settings = Settings(grid=ladder, sizing=SizingSettings(amount=Decimal(1000)), **changes)
    made = World(settings, instruments=(instrument,), slippage_percent=Decimal(slippage))
    made.price(instrument.symbol, "50000")
    return made


def bound(percent: str, action: SlippageAction = FORCE) -> ExecutionSettings:
    return ExecutionSettings(max_slippage_percent=Decimal(percent), slippage_action=action)


def by_market(mode: TakeProfitMode = TakeProfitMode.LEG, **changes) -> TakeProfitSettings:
    return TakeProfitSettings(mode=mode, order=TargetOrder.MARKET, percent=Decimal(10), **changes)


def worsen(made: World, percent: str) -> None:
    """From now on market orders fill that much worse than the last price."""
    book = PaperBook("paper", fees=NO_FEES, slippage_percent=Decimal(percent))
    book.list_instruments(made.instruments)
    for (_, symbol), quote in made.state.quotes.items():
        book.pass_by(symbol, quote.price)
    for order in made.book.open_orders():
        book.restore(order, made.instruments[0])
    for currency, amount in made.book.totals().items():
        book.deposit(currency, amount)
    made.book = book


def tell_without_answers(made: World, event: Event) -> list[PlaceOrder | CancelOrder]:
    """Decides an event; what it asks for is on its way and not answered yet."""
    step = decide(made.state, event, made.now_ms)
    made.groups.update(step.groups)
    made.orders.update(step.orders)
    return [one for one in step.commands if isinstance(one, PlaceOrder | CancelOrder)]


def fill_of(made: World, order: Order, qty: str, price: str) -> OrderFilled:
    return OrderFilled(
        fill=Fill(
            client_id=order.client_id, trade_id=f"{order.client_id}.{qty}", at_ms=made.now_ms, price=Decimal(price),
            qty=Decimal(qty), fee=Decimal(0), fee_currency="USDT", liquidity=Liquidity.MAKER,
        )
    )  # fmt: skip


def test_a_fill_that_arrives_while_cancelling_is_closed_too_in_one_order():
    made = world(TWO)
    made.alert("50000")
    commands = tell_without_answers(made, GroupCloseAsked(group_id=ID))
    assert [type(one) for one in commands] == [CancelOrder, CancelOrder]
    entry = next(one.order for one in commands if one.order.role is Role.ENTRY)
    target = next(one.order for one in commands if one.order.role is Role.TP)
    assert tell_without_answers(made, fill_of(made, entry, "0.0042", "49000")) == []
    assert tell_without_answers(made, OrderCancelled(client_id=entry.client_id)) == []
    (close,) = tell_without_answers(made, OrderCancelled(client_id=target.client_id))
    assert (close.order.role, close.order.qty) == (Role.CLOSE, Decimal("0.0142"))
    assert made.group().status is GroupStatus.CLOSING


def test_nothing_else_touches_a_group_that_is_closing():
    made = world(TWO, take_profit=TakeProfitSettings(stop_loss_percent=Decimal(5)))
    made.alert("50000")
    tell_without_answers(made, GroupCloseAsked(group_id=ID))
    orders = len(made.orders)
    made.price("BTC/USDT", "40000")
    assert made.alert("50000", "sell", execution_intent=EXIT).outcome is Outcome.NOTHING_TO_EXIT
    waiting = made.alert("50000")
    assert (waiting.outcome, waiting.reason) == (Outcome.QUEUED, "opposite_side")
    assert made.group().reason is CloseReason.MANUAL
    assert len(made.orders) == orders
    for order in list(made.state.working(ID)):
        made.book.cancel(order.client_id)
        made.tell(OrderCancelled(client_id=order.client_id))
    assert made.group(ID).status is GroupStatus.CLOSED
    assert set(made.state.groups) == {"paper|BTC/USDT|15m#2"}


@pytest.mark.parametrize("by", ["exit", "panic", "reverse", "hand"])
def test_a_group_that_never_filled_closes_as_cancelled(by):
    made = world()
    made.alert("49000")
    if by == "panic":
        made.tell(Panicked())
    elif by == "hand":
        made.tell(GroupCloseAsked(group_id=ID))
    else:
        made.alert("50000", "sell", execution_intent={"type": by})
    assert (made.group(ID).status, made.group(ID).reason) == (GroupStatus.CLOSED, CloseReason.CANCELLED)


def test_a_market_close_is_bounded_at_the_reference_price_and_the_configured_percent():
    made = world(execution=bound("0.5"))
    made.alert("50000")
    made.alert("50000", "sell", execution_intent=EXIT)
    (close,) = made.role(Role.CLOSE)
    assert (close.type, close.price, close.bound) == (OrderType.MARKET, None, Decimal(49750))


def test_a_short_buys_back_at_most_that_much_dearer():
    made = world(instrument=BTC_PERPETUAL, accounts=(SWAP,), execution=bound("0.5"))
    made.alert("50000", "short")
    made.alert("50000", "buy", execution_intent=EXIT)
    (close,) = made.role(Role.CLOSE)
    assert (close.side, close.bound) == (OrderSide.BUY, Decimal(50250))


def test_the_signals_own_bound_replaces_the_configured_one():
    made = world(execution=bound("0.5"))
    made.alert("50000")
    made.alert("50000", "sell", execution_intent=EXIT, risk={"max_slippage_percent": "2"})
    assert made.role(Role.CLOSE)[0].bound == Decimal(49000)


@pytest.mark.parametrize(("slippage", "closes"), [("0.5", 1), ("0.51", 5)])
def test_beyond_the_bound_an_exit_is_tried_three_times_more_and_then_forced(slippage, closes):
    made = world(execution=bound("0.5"), slippage=slippage)
    made.alert("50000")
    made.alert("50000", "sell", execution_intent=EXIT)
    orders = made.role(Role.CLOSE)
    assert [order.status for order in orders] == [OrderStatus.EXPIRED] * (closes - 1) + [OrderStatus.FILLED]
    assert (orders[-1].bound is None) is (closes == 5)


def test_a_retry_takes_a_fresh_reference():
    made = world(execution=bound("0.5"))
    made.alert("50000")
    (cancel,) = tell_without_answers(made, GroupCloseAsked(group_id=ID))
    (first,) = tell_without_answers(made, OrderCancelled(client_id=cancel.order.client_id))
    made.price("BTC/USDT", "48000")
    step = decide(made.state, OrderSent(client_id=first.order.client_id), made.now_ms)
    assert not step.commands
    made.tell(OrderCancelled(client_id=first.order.client_id))
    assert [order.bound for order in made.role(Role.CLOSE)] == [Decimal(49750), Decimal(47760)]


def test_a_part_filled_close_goes_on_with_what_is_left():
    made = world()
    made.alert("50000")
    (cancel,) = tell_without_answers(made, GroupCloseAsked(group_id=ID))
    (first,) = tell_without_answers(made, OrderCancelled(client_id=cancel.order.client_id))
    tell_without_answers(made, fill_of(made, first.order, "0.0123", "49900"))
    (second,) = tell_without_answers(made, OrderCancelled(client_id=first.order.client_id))
    assert second.order.qty == Decimal("0.0077")


def test_a_stop_beyond_the_bound_is_held_for_the_trader_who_wants_that_and_goes_on_by_his_hand():
    made = world(
        execution=bound("0.5", HOLD), slippage="1", take_profit=TakeProfitSettings(stop_loss_percent=Decimal(5))
    )
    made.alert("50000")
    made.price("BTC/USDT", "47000")
    assert (len(made.role(Role.STOP)), made.group().status) == (4, GroupStatus.CLOSING)
    assert "slippage" in (made.group().frozen or "")
    made.price("BTC/USDT", "46000")
    assert len(made.role(Role.STOP)) == 4
    worsen(made, "0")
    made.tell(GroupCloseAsked(group_id=ID))
    assert (made.group().status, made.group().reason) == (GroupStatus.CLOSED, CloseReason.STOP_LOSS)


@pytest.mark.parametrize("mode", [TakeProfitMode.AGGREGATE, TakeProfitMode.LEG])
def test_a_watched_target_beyond_the_bound_is_never_forced_and_tried_again_after_ten_seconds(mode):
    made = world(TWO, execution=bound("0.5"), slippage="1", take_profit=by_market(mode))
    made.alert("50000")
    made.price("BTC/USDT", "49000")
    made.price("BTC/USDT", "55000")
    tries = len(made.role(Role.TP))
    assert tries == 4
    assert all(order.bound for order in made.role(Role.TP))
    made.price("BTC/USDT", "55000", after_ms=9_999)
    assert len(made.role(Role.TP)) == tries
    worsen(made, "0")
    made.price("BTC/USDT", "55000", after_ms=1)
    assert made.group().status is GroupStatus.CLOSED
    assert len(made.role(Role.TP)) == tries + 1


def test_an_exit_does_not_wait_for_a_watched_targets_next_try():
    made = world(TWO, execution=bound("0.5"), slippage="1", take_profit=by_market())
    made.alert("50000")
    made.price("BTC/USDT", "49000")
    made.price("BTC/USDT", "53900")
    assert made.group().again_at_ms
    made.alert("53900", "sell", execution_intent=EXIT)
    assert (made.group().status, made.group().reason) == (GroupStatus.CLOSED, CloseReason.EXIT)


def test_a_close_larger_than_the_exchange_takes_goes_in_pieces_each_within_the_bound():
    made = world(instrument=replace(BTC, max_qty=Decimal("0.004")), ladder=grid(*[("0", "20", "10")] * 5))
    made.alert("50000")
    assert made.group().net_qty == Decimal("0.02")
    made.alert("50000", "sell", execution_intent=EXIT)
    closes = made.role(Role.CLOSE)
    assert [(order.qty, order.bound) for order in closes] == [(Decimal("0.004"), Decimal(49500))] * 5
    assert made.group().status is GroupStatus.CLOSED


def test_a_reduction_larger_than_the_exchange_takes_goes_in_pieces_too():
    made = world(instrument=replace(BTC, max_qty=Decimal("0.003")), ladder=grid(*[("0", "10", "10")] * 10))
    made.alert("50000")
    made.alert("50000", "sell", tv__order_size="0.016", execution_intent={"type": "reduce"})
    closes = made.role(Role.CLOSE)
    assert [order.qty for order in closes] == [Decimal("0.003")] * 5 + [Decimal("0.001")]
    assert all(order.bound == Decimal(49500) for order in closes)
    assert made.group().net_qty == Decimal("0.004")


def test_a_reduction_for_which_the_account_lacks_the_coins_is_sent_once_and_freezes_the_group():
    made = world()
    made.alert("50000")
    made.book.deposit("BTC", Decimal("-0.02"))
    reduced = made.alert("50000", "sell", tv__order_size="0.01", execution_intent={"type": "reduce"})
    assert reduced.outcome is Outcome.REDUCED
    assert len(made.role(Role.CLOSE)) == 1
    assert made.group().frozen


def test_a_close_that_the_exchange_refuses_freezes_the_group_and_says_what_is_still_held():
    made = world()
    made.alert("50000")
    (cancel,) = tell_without_answers(made, GroupCloseAsked(group_id=ID))
    (first,) = tell_without_answers(made, OrderCancelled(client_id=cancel.order.client_id))
    made.tell(OrderRejected(client_id=first.order.client_id, code="halted", text="trading is halted"))
    assert "trading is halted" in (made.group().frozen or "")
    assert "0.02 BTC" in made.notes[-1].advice
    assert len(made.role(Role.CLOSE)) == 1


def test_a_target_refused_long_ago_does_not_keep_a_slow_close_from_its_tries():
    made = world(slippage="2")
    made.alert("50000")
    made.tell(OrderRejected(client_id=made.role(Role.TP)[0].client_id, code="x", text="no"))
    made.book.cancel(made.role(Role.TP)[0].client_id)
    made.alert("50000", "sell", execution_intent=EXIT)
    assert len(made.role(Role.CLOSE)) == 5
    assert made.group().status is GroupStatus.CLOSED


def test_a_forced_close_that_finds_no_buyer_at_all_rests_ten_seconds_before_it_goes_on():
    made = world(slippage="2")
    made.alert("50000")
    queue = deque(tell_without_answers(made, GroupCloseAsked(group_id=ID)))
    for _ in range(20):
        if queue:
            queue.extend(tell_without_answers(made, OrderCancelled(client_id=queue.popleft().order.client_id)))
    assert len(made.role(Role.CLOSE)) == 5
    assert made.group().again_at_ms == made.now_ms + 10_000


MARKET_ENTRY = replace(TWO, entry_order=EntryOrder.MARKET)


def test_a_paper_market_entry_beyond_the_bound_is_refused_and_no_group_remains():
    account = replace(PAPER, paper_slippage_percent=Decimal("0.6"))
    made = world(MARKET_ENTRY, accounts=(account,), execution=bound("0.5"), slippage="0.6")
    record = made.alert("50000")
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "slippage")
    assert not made.groups


def test_the_signals_own_bound_lets_it_in():
    account = replace(PAPER, paper_slippage_percent=Decimal("0.6"))
    made = world(MARKET_ENTRY, accounts=(account,), execution=bound("0.5"), slippage="0.6")
    assert made.alert("50000", risk={"max_slippage_percent": "0.6"}).outcome is Outcome.OPENED
    assert made.role(Role.ENTRY)[0].average_price == Decimal(50300)


def test_a_market_entry_that_an_exchange_does_not_fill_is_tried_three_times_more_and_then_not_made():
    made = world(MARKET_ENTRY, execution=bound("0.5"), slippage="0.6")
    made.alert("50000")
    entries = made.role(Role.ENTRY)
    assert [order.status for order in entries if order.leg == 0] == [OrderStatus.EXPIRED] * 4
    assert [order.status for order in entries if order.leg == 1] == [OrderStatus.CANCELLED]
    assert (made.group().status, made.group().reason) == (GroupStatus.CLOSED, CloseReason.CANCELLED)
    assert any("slippage" in note.text and note.advice for note in made.notes)


def test_what_a_market_entry_lacks_is_bought_at_a_fresh_reference_within_the_signals_bound():
    made = world(MARKET_ENTRY, execution=bound("0.5"), slippage="5")
    made.alert("50000", risk={"max_slippage_percent": "2"})
    assert [order.bound for order in made.role(Role.ENTRY) if order.leg == 0] == [Decimal(51000)] * 4


def test_a_short_market_entry_is_bounded_below():
    made = world(MARKET_ENTRY, instrument=BTC_PERPETUAL, accounts=(SWAP,), execution=bound("0.5"))
    made.alert("50000", "short")
    assert made.role(Role.ENTRY)[0].bound == Decimal(49750)
    assert made.group().status is GroupStatus.PARTIALLY_FILLED


def reduction(made: World, size: str) -> list[PlaceOrder | CancelOrder]:
    """An alert that sells `size`, decided while nothing is answered; what it asks for."""
    return unanswered(made, tv__action="sell", tv__order_size=size, execution_intent={"type": "reduce"})


def unanswered(made: World, **changes) -> list[PlaceOrder | CancelOrder]:
    made.now_ms += 1000
    body = alert(**{"timestamp": made.now_ms, "tv__entry_price": "50000"} | changes)
    signal = parse_signal(parse_body(json.dumps(body)))
    assert isinstance(signal, Signal)
    arrival = Arrival(received_at_ms=made.now_ms, source_address="", body="", signal=signal)
    signal_id = made.state.next_signal_id
    tell_without_answers(made, SignalArrived(arrival=arrival))
    return tell_without_answers(made, SignalStored(signal_id=signal_id))


def test_a_second_reduction_while_the_first_is_on_its_way_goes_after_it():
    made = world()
    made.alert("50000")
    (cancel,) = reduction(made, "0.004")
    (first,) = tell_without_answers(made, OrderCancelled(client_id=cancel.order.client_id))
    assert first.order.qty == Decimal("0.004")
    assert reduction(made, "0.006") == []
    (second,) = tell_without_answers(made, fill_of(made, first.order, "0.004", "50000"))
    assert second.order.qty == Decimal("0.006")
    (target,) = tell_without_answers(made, fill_of(made, second.order, "0.006", "50000"))
    assert (target.order.role, target.order.qty) == (Role.TP, Decimal("0.01"))


def test_two_reductions_that_leave_nothing_close_the_group_when_the_first_is_done():
    made = world()
    made.alert("50000")
    (cancel,) = reduction(made, "0.015")
    (first,) = tell_without_answers(made, OrderCancelled(client_id=cancel.order.client_id))
    assert reduction(made, "0.015") == []
    assert made.group().status is GroupStatus.CLOSING
    (rest,) = tell_without_answers(made, fill_of(made, first.order, "0.015", "50000"))
    assert (rest.order.role, rest.order.qty) == (Role.CLOSE, Decimal("0.005"))


def test_two_reductions_sell_no_more_than_a_target_left_that_filled_while_it_was_cancelled():
    made = world()
    made.alert("50000")
    (cancel,) = reduction(made, "0.006")
    assert reduction(made, "0.008") == []
    assert tell_without_answers(made, fill_of(made, cancel.order, "0.01", "50500")) == []
    (close,) = tell_without_answers(made, OrderCancelled(client_id=cancel.order.client_id))
    assert (close.order.role, close.order.qty) == (Role.CLOSE, Decimal("0.01"))
    tell_without_answers(made, fill_of(made, close.order, "0.01", "50000"))
    assert made.state.groups == {}


def test_a_reduction_goes_on_though_an_entry_that_was_to_be_placed_anew_filled_instead():
    made = world(replace(TWO, max_pyramids=1, replace_last_pyramid=True))
    made.alert("50000")
    (withdrawn,) = unanswered(made, tv__entry_price="49500")
    assert withdrawn.order.role is Role.ENTRY
    assert reduction(made, "0.004") == []
    (cancel,) = tell_without_answers(made, fill_of(made, withdrawn.order, "0.0102", "49000"))
    assert (type(cancel), cancel.order.role) == (CancelOrder, Role.TP)
    (close,) = tell_without_answers(made, OrderCancelled(client_id=cancel.order.client_id))
    assert (close.order.role, close.order.qty) == (Role.CLOSE, Decimal("0.004"))


def test_a_trade_that_is_told_of_again_after_its_group_has_closed_alarms_nobody():
    """An order's answer and the account's stream both tell of it, and the group may be closed by the first."""
    made = world()
    made.alert("50000")
    (cancel,) = tell_without_answers(made, GroupCloseAsked(group_id=ID))
    (close,) = tell_without_answers(made, OrderCancelled(client_id=cancel.order.client_id))
    trade = fill_of(made, close.order, "0.02", "50000")
    tell_without_answers(made, trade)
    assert made.state.groups == {}
    assert decide(made.state, trade, made.now_ms).notes == []
    other = replace(trade, fill=replace(trade.fill, trade_id="another"))
    (note,) = decide(made.state, other, made.now_ms).notes
    assert "filled an order that is not open here" in note.text


def test_more_filled_than_ordered_is_counted_sold_and_told_of():
    made = world(TWO)
    made.alert("50000")
    entry = next(order for order in made.role(Role.ENTRY) if order.status is OrderStatus.OPEN)
    step = decide(made.state, fill_of(made, entry, "0.02", "49000"), made.now_ms)
    assert "Entry of pyramid 1, DCA1: 0.02 filled though 0.0102 were ordered." in [note.text for note in step.notes]
    assert [one.order.qty for one in step.commands if isinstance(one, PlaceOrder)] == [Decimal("0.02")]
    assert step.group(ID).net_qty == Decimal("0.03")
