"""News of our own orders at an exchange: each fill is told once, each end after its fills, in any order."""

from decimal import Decimal
from typing import Any

import pytest

from exengine.domain.events import Event, OrderAccepted, OrderCancelled, OrderExpired, OrderFilled, OrderRejected
from exengine.domain.instrument import OrderSide
from exengine.domain.order import Liquidity, Order, OrderType, Role
from exengine.exchange.live.profiles import BINANCE, BYBIT, GATE, OKX
from exengine.exchange.live.said import OrderSaid, Standing, TradeSaid, order_said, trade_said
from exengine.exchange.live.tracker import Tracker

D = Decimal


def order(**changes: Any) -> Order:
    plain: dict[str, Any] = {
        "client_id": "xown1",
        "group_id": "g#1",
        "account": "a",
        "symbol": "BTC/USDT",
        "role": Role.ENTRY,
        "side": OrderSide.BUY,
        "type": OrderType.LIMIT,
        "price": D(50000),
        "qty": D("0.003"),
        "created_at_ms": 1,
    }
    return Order(**plain | changes)


def trade(trade_id: str, qty: str = "0.001", *, fee: str | None = "0.000001", **changes: Any) -> TradeSaid:
    plain: dict[str, Any] = {
        "trade_id": trade_id,
        "exchange_order_id": "77",
        "client_id": "xown1",
        "at_ms": 5,
        "price": D(50000),
        "qty": D(qty),
        "fee": None if fee is None else D(fee),
        "fee_currency": "BTC",
        "liquidity": Liquidity.MAKER,
    }
    return TradeSaid(**plain | changes)


def said(standing: Standing | None, filled: str | None, *trades: TradeSaid, **changes: Any) -> OrderSaid:
    plain: dict[str, Any] = {
        "client_id": "xown1",
        "exchange_order_id": "77",
        "symbol": "BTC/USDT",
        "standing": standing,
        "filled_qty": None if filled is None else D(filled),
        "trades": trades,
    }
    return OrderSaid(**plain | changes)


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


@pytest.fixture
def tracker() -> Tracker:
    made = Tracker()
    made.expect(order())
    return made


def test_the_same_trade_from_stream_and_poll_is_told_once(tracker: Tracker):
    assert names(tracker.traded(trade("1")).events) == ["OrderFilled"]
    assert tracker.traded(trade("1")).events == []
    assert names(tracker.said(said(Standing.OPEN, "0.001", trade("1"))).events) == ["OrderAccepted"]


def test_an_end_waits_for_the_trades_that_explain_what_has_filled(tracker: Tracker):
    news = tracker.said(said(Standing.CANCELLED, "0.002", trade("1")))
    assert names(news.events) == ["OrderAccepted", "OrderFilled"]
    assert not news.complete
    tracker.traded(trade("2"))
    assert names(tracker.said(said(Standing.CANCELLED, "0.002")).events) == ["OrderAccepted", "OrderCancelled"]


def test_an_order_that_has_filled_whole_needs_no_other_end(tracker: Tracker):
    news = tracker.said(said(Standing.CLOSED, "0.003", trade("1"), trade("2"), trade("3")))
    assert names(news.events) == ["OrderAccepted", *["OrderFilled"] * 3]
    assert news.complete
    assert tracker.is_over("xown1")


@pytest.mark.parametrize("standing", [Standing.CLOSED, Standing.CANCELLED])
def test_partly_filled_then_cancelled_is_the_same_whatever_the_status_says(tracker: Tracker, standing: Standing):
    news = tracker.said(said(standing, "0.001", trade("1")))
    assert isinstance(news.events[-1], OrderCancelled)


def test_a_status_that_lags_behind_the_trades_is_not_believed(tracker: Tracker):
    tracker.traded(trade("1"))
    news = tracker.said(said(Standing.CANCELLED, "0"))
    assert names(news.events) == ["OrderAccepted"]
    assert not news.complete


def test_what_an_ioc_order_did_not_fill_expires():
    tracker = Tracker()
    tracker.expect(order(type=OrderType.MARKET, price=None, bound=D(50500)))
    news = tracker.said(said(Standing.CANCELLED, "0.001", trade("1")))
    assert isinstance(news.events[-1], OrderExpired)


def test_a_rejection_that_comes_after_the_acknowledgement_is_told_with_its_reason(tracker: Tracker):
    tracker.said(said(None, None))
    (_, end) = tracker.said(said(Standing.REJECTED, "0", why="EC_PostOnlyWillTakeLiquidity")).events
    assert end == OrderRejected(client_id="xown1", code="rejected", text="EC_PostOnlyWillTakeLiquidity")


def test_an_acknowledgement_without_a_status_is_no_more_than_that(tracker: Tracker):
    (event,) = tracker.said(said(None, None)).events
    assert event == OrderAccepted(client_id="xown1", exchange_order_id="77")
    assert not tracker.is_over("xown1")


def test_a_trade_that_comes_before_its_order_is_known_waits_for_it(tracker: Tracker):
    assert tracker.traded(trade("1", client_id=None)).events == []
    assert names(tracker.said(said(None, None)).events) == ["OrderAccepted", "OrderFilled"]
    assert tracker.traded(trade("1", client_id=None)).events == []


def test_a_trade_whose_fee_was_not_said_is_not_told_before_it_is_known(tracker: Tracker):
    news = tracker.traded(trade("1", fee=None))
    assert (news.events, news.complete) == ([], False)
    (filled,) = tracker.traded(trade("1")).events
    assert isinstance(filled, OrderFilled)
    assert (filled.fill.fee, filled.fill.fee_currency) == (D("0.000001"), "BTC")


def test_what_an_earlier_run_was_told_of_is_not_told_again():
    tracker = Tracker()
    tracker.expect(order(filled_qty=D("0.001"), trade_ids=("1",), exchange_order_id="77"))
    assert tracker.traded(trade("1", client_id=None)).events == []
    news = tracker.said(said(Standing.OPEN, "0.001"))
    assert (names(news.events), news.complete) == (["OrderAccepted"], True)


def test_orders_that_are_not_ours_are_passed_over(tracker: Tracker):
    assert tracker.said(said(Standing.OPEN, "1", client_id="web_1", exchange_order_id="5")).events == []


# ccxt's structures -------------------------------------------------------------------------------------------------


def test_after_a_cancel_binances_order_is_known_by_its_own_id_and_not_by_the_cancels():
    info = {"clientOrderId": "cancel-7", "origClientOrderId": "xown1", "orderId": 77}
    found = order_said(BINANCE, {"id": "77", "clientOrderId": "cancel-7", "status": "canceled", "info": info})
    assert (found.client_id, found.standing) == ("xown1", Standing.CANCELLED)


def test_gates_ids_are_read_without_what_is_put_before_them():
    assert order_said(GATE, {"id": "5", "info": {"text": "t-xown1"}}).client_id == "xown1"


def test_numbers_are_read_through_their_text():
    row = {
        "id": 9,
        "order": "77",
        "price": 0.1,
        "amount": "0.30000000000000001",
        "timestamp": 7,
        "takerOrMaker": "maker",
        "fee": {"cost": 1e-07, "currency": "BNB"},
        "info": {"orderLinkId": "xown1"},
    }
    found = trade_said(BYBIT, row)
    assert (found.price, found.qty, found.fee) == (D("0.1"), D("0.30000000000000001"), D("0.0000001"))
    assert (found.client_id, found.fee_currency, found.liquidity) == ("xown1", "BNB", Liquidity.MAKER)


@pytest.mark.parametrize("missing", ["id", "price", "amount"])
def test_a_trade_without_what_makes_one_is_no_trade(missing: str):
    row = {"id": "1", "order": "7", "price": "1", "amount": "1", "info": {}} | {missing: None}
    with pytest.raises(ValueError, match="without an id, a price or a quantity"):
        trade_said(OKX, row)
