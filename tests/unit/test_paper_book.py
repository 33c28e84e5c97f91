"""The paper exchange's matching, row by row as the contract has it (SPEC §11)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.events import Event, OrderAccepted, OrderCancelled, OrderExpired, OrderFilled, OrderRejected
from exengine.domain.order import Fill, Happening, Liquidity, Order, OrderSide, OrderType, Role
from exengine.exchange.paper_book import Fees, PaperBook
from tests.helpers.world import BTC, BTC_PERPETUAL, ETH, NO_FEES

SYMBOL = "BTC/USDT"


def book(*, fees: Fees | None = NO_FEES, usdt: str = "100000", btc: str = "10", **options) -> PaperBook:
    made = PaperBook("paper", fees=fees, **options)
    made.list_instruments((BTC, ETH, BTC_PERPETUAL))
    made.deposit("USDT", Decimal(usdt))
    made.deposit("BTC", Decimal(btc))
    return made


def order(client_id: str, side: str, price: str | None, qty: str = "0.1", symbol: str = SYMBOL, **changes) -> Order:
    return Order(
        client_id=client_id,
        group_id="paper|BTC/USDT|15m#1",
        account="paper",
        symbol=symbol,
        role=Role.ENTRY,
        side=OrderSide(side),
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        price=None if price is None else Decimal(price),
        qty=Decimal(qty),
        created_at_ms=0,
        **changes,
    )


def tick(on: PaperBook, price: str, at_ms: int = 1) -> list[Fill]:
    return [filled.fill for filled in on.tick(SYMBOL, Decimal(price), at_ms)]


def the_fill(events: list[Event]) -> Fill:
    accepted, filled = events
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(filled, OrderFilled)
    return filled.fill


def code(events: list[Event]) -> str:
    (rejected,) = events
    assert isinstance(rejected, OrderRejected)
    return rejected.code


@pytest.mark.parametrize(("side", "limit"), [("buy", "50000"), ("buy", "50001"), ("sell", "50000"), ("sell", "49000")])
def test_a_limit_that_crosses_on_arrival_fills_whole_at_the_last_price_as_taker(side: str, limit: str):
    paper = book()
    tick(paper, "50000")
    fill = the_fill(paper.place(order("a", side, limit), 7))
    assert (fill.price, fill.qty, fill.liquidity, fill.at_ms) == (50000, Decimal("0.1"), Liquidity.TAKER, 7)
    assert paper.open_orders() == []


@pytest.mark.parametrize(
    ("side", "limit", "away", "there"), [("buy", "49000", "49000.01", "48000"), ("sell", "51000", "50999.99", "52000")]
)
def test_a_limit_away_from_the_price_rests_and_fills_whole_at_its_own_price_as_maker(side, limit, away, there):
    paper = book()
    tick(paper, "50000")
    assert paper.place(order("a", side, limit), 2) == [OrderAccepted(client_id="a", exchange_order_id="a")]
    assert tick(paper, away) == []
    (fill,) = tick(paper, there, 9)
    assert (fill.price, fill.qty, fill.liquidity, fill.at_ms) == (Decimal(limit), Decimal("0.1"), Liquidity.MAKER, 9)
    assert tick(paper, there) == []


def test_a_price_that_just_touches_a_resting_order_fills_it():
    paper = book()
    tick(paper, "50000")
    paper.place(order("buy", "buy", "49000"), 1)
    paper.place(order("sell", "sell", "51000"), 1)
    assert [fill.client_id for fill in tick(paper, "49000")] == ["buy"]
    assert [fill.client_id for fill in tick(paper, "51000")] == ["sell"]


def test_resting_orders_fill_in_the_order_in_which_they_were_made_not_by_price():
    paper = book()
    tick(paper, "50000")
    for client_id, price in (("first", "48000"), ("second", "49500"), ("third", "49000")):
        paper.place(order(client_id, "buy", price), 1)
    assert [fill.client_id for fill in tick(paper, "47000")] == ["first", "second", "third"]


def test_before_the_first_tick_nothing_fills_and_a_market_order_fills_at_it():
    paper = book()
    assert paper.place(order("market", "buy", None), 1) == [
        OrderAccepted(client_id="market", exchange_order_id="market")
    ]
    paper.place(order("limit", "buy", "50000"), 1)
    market, limit = tick(paper, "49999")
    assert (market.client_id, market.price, market.liquidity) == ("market", 49999, Liquidity.TAKER)
    assert (limit.client_id, limit.price, limit.liquidity) == ("limit", 50000, Liquidity.MAKER)


def test_another_symbols_tick_fills_nothing():
    paper = book()
    paper.place(order("a", "buy", None), 1)
    assert list(paper.tick("ETH/USDT", Decimal(2000), 1)) == []


def test_an_order_cancelled_in_answer_to_a_fill_of_the_same_tick_is_gone():
    paper = book()
    tick(paper, "50000")
    for client_id in ("a", "b", "c"):
        paper.place(order(client_id, "buy", "49000"), 1)
    filled = []
    for fill in paper.tick(SYMBOL, Decimal(48000), 2):
        filled.append(fill.fill.client_id)
        if len(filled) == 1:
            assert paper.cancel("b") == [OrderCancelled(client_id="b")]
    assert filled == ["a", "c"]


def test_an_order_placed_in_answer_to_a_fill_waits_for_the_next_tick_unless_it_crosses_on_arrival():
    paper = book()
    tick(paper, "50000")
    paper.place(order("a", "buy", "49000"), 1)
    during: list[str] = []
    for fill in paper.tick(SYMBOL, Decimal(48000), 2):
        during.append(fill.fill.client_id)
        paper.place(order("rests", "sell", "48500"), 2)
        taken = the_fill(paper.place(order("crosses", "buy", "48100"), 2))
        assert (taken.price, taken.liquidity) == (48000, Liquidity.TAKER)
    assert during == ["a"]
    assert [fill.client_id for fill in tick(paper, "48500")] == ["rests"]


def test_a_cancel_of_what_is_filled_or_unknown_is_answered_by_nothing():
    paper = book()
    tick(paper, "50000")
    paper.place(order("a", "buy", None), 1)
    assert paper.cancel("a") == []
    assert paper.cancel("never heard of") == []


def test_slippage_worsens_market_orders_to_the_tick_and_never_a_limit():
    paper = book(slippage_percent=Decimal("0.15"))
    tick(paper, "50000.01")
    assert the_fill(paper.place(order("buy", "buy", None), 1)).price == Decimal("50075.02")
    assert the_fill(paper.place(order("sell", "sell", None), 1)).price == Decimal("49925.00")
    assert the_fill(paper.place(order("limit", "buy", "50100"), 1)).price == Decimal("50000.01")


@pytest.mark.parametrize(
    ("side", "bound", "fills"),
    [("buy", "50100", True), ("buy", "50099", False), ("sell", "49900", True), ("sell", "49901", False)],
)
def test_a_bounded_market_order_fills_up_to_its_bound_and_expires_beyond_it(side: str, bound: str, fills: bool):
    paper = book(slippage_percent=Decimal("0.2"))
    tick(paper, "50000")
    answers = paper.place(order("a", side, None, bound=Decimal(bound)), 1)
    assert isinstance(answers[0], OrderAccepted)
    assert isinstance(answers[1], OrderFilled if fills else OrderExpired)
    assert paper.totals()["BTC"] == (10 if not fills else Decimal("10.1") if side == "buy" else Decimal("9.9"))


def test_a_buy_pays_its_fee_in_base_and_a_sell_in_quote():
    paper = book(fees=Fees(maker=Decimal("0.001"), taker=Decimal("0.002")))
    tick(paper, "50000")
    bought = the_fill(paper.place(order("a", "buy", None), 1))
    assert (bought.fee, bought.fee_currency) == (Decimal("0.0002"), "BTC")
    sold = the_fill(paper.place(order("b", "sell", None), 1))
    assert (sold.fee, sold.fee_currency) == (Decimal(10), "USDT")
    paper.place(order("c", "sell", "60000"), 1)
    (rested,) = tick(paper, "60000")
    assert (rested.fee, rested.fee_currency) == (Decimal(6), "USDT")
    assert paper.totals() == {"BTC": Decimal("9.8998"), "USDT": Decimal("105984")}


def test_without_fees_of_its_own_an_account_pays_those_of_the_instrument():
    paper = book(fees=None)
    tick(paper, "50000")
    assert the_fill(paper.place(order("a", "buy", None), 1)).fee == Decimal("0.0001")


def test_a_perpetual_pays_its_fee_in_quote_and_moves_no_base():
    paper = book(fees=Fees(taker=Decimal("0.001")), btc="0")
    list(paper.tick(BTC_PERPETUAL.symbol, Decimal(50000), 1))
    fill = the_fill(paper.place(order("a", "sell", None, symbol=BTC_PERPETUAL.symbol), 1))
    assert (fill.fee, fill.fee_currency) == (Decimal(5), "USDT")
    assert paper.totals() == {"BTC": 0, "USDT": Decimal(99995)}


def test_a_perpetuals_wallet_gets_what_closing_brings_whichever_way_it_turns():
    paper = book(fees=Fees(maker=Decimal(0), taker=Decimal(0)), btc="0")
    wallet = Decimal(100000)
    trades = [("50000", "buy"), ("51000", "buy"), ("52000", "sell"), ("50000", "sell"), ("48000", "buy")]
    for number, (price, side) in enumerate(trades):
        list(paper.tick(BTC_PERPETUAL.symbol, Decimal(price), number))
        paper.place(order(f"o{number}", side, None, symbol=BTC_PERPETUAL.symbol), number)
    # 0.1 each: bought at 50,000 and 51,000, sold at 52,000 and 50,000, and the last purchase is a position again.
    assert paper.totals()["USDT"] == wallet + 150 - 50
    list(paper.tick(BTC_PERPETUAL.symbol, Decimal(49000), 9))
    paper.place(order("x", "sell", None, symbol=BTC_PERPETUAL.symbol, qty="0.3"), 9)
    assert paper.totals()["USDT"] == wallet + 150 - 50 + 100  # and 0.2 are short from 49,000
    list(paper.tick(BTC_PERPETUAL.symbol, Decimal(45000), 10))
    paper.place(order("y", "buy", None, symbol=BTC_PERPETUAL.symbol, qty="0.2"), 10)
    assert paper.totals()["USDT"] == wallet + 150 - 50 + 100 + 800


def test_fills_may_come_in_parts_each_with_a_trade_id_of_its_own():
    paper = book(part_of_fill=lambda _: Decimal("0.04"))
    tick(paper, "50000")
    paper.place(order("a", "buy", "49000"), 1)
    parts = [fill for price in ("49000", "48000", "47000", "46000") for fill in tick(paper, price)]
    assert [(fill.trade_id, str(fill.qty), fill.price) for fill in parts] == [
        ("a.1", "0.04", 49000),
        ("a.2", "0.04", 49000),
        ("a.3", "0.02", 49000),
    ]


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (order("a", "buy", "49000.001"), "price_filter"),
        (order("a", "buy", "49000", "0.100001"), "lot_size"),
        (order("a", "buy", "49000", "0"), "lot_size"),
        (order("a", "buy", "1000", "9001"), "lot_size"),
        (order("a", "buy", "49000", "0.0001"), "min_notional"),
        (order("a", "sell", None, "0.00009"), "min_notional"),
        (order("a", "buy", "49000", "2.1"), "insufficient_balance"),
        (order("a", "sell", "51000", "10.1"), "insufficient_balance"),
        (order("a", "buy", "50000", post_only=True), "would_take"),
        (order("a", "buy", "1", symbol="XMR/USDT"), "unknown_symbol"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_breaks_a_rule_is_refused_with_its_code_and_leaves_no_trace(refused: Order, why: str):
    paper = book()
    tick(paper, "50000")
    assert code(paper.place(refused, 1)) == why
    assert paper.open_orders() == []
    assert not paper.knows("a")
    assert paper.totals() == {"USDT": 100000, "BTC": 10}


def test_what_rests_is_no_longer_free_to_spend():
    paper = book()
    tick(paper, "50000")
    paper.place(order("a", "buy", "49000", "2"), 1)
    assert code(paper.place(order("b", "buy", "49000", "0.1"), 1)) == "insufficient_balance"
    paper.cancel("a")
    assert isinstance(paper.place(order("b", "buy", "49000", "0.1"), 1)[0], OrderAccepted)


def test_a_post_only_order_away_from_the_price_is_taken():
    paper = book()
    tick(paper, "50000")
    assert isinstance(paper.place(order("a", "buy", "49999.99", post_only=True), 1)[0], OrderAccepted)


def test_the_same_client_id_again_is_the_same_order():
    paper = book()
    tick(paper, "50000")
    paper.place(order("a", "buy", None), 1)
    assert paper.place(order("a", "buy", None), 2) == [OrderAccepted(client_id="a", exchange_order_id="a")]
    assert paper.totals()["BTC"] == Decimal("10.1")


def test_an_order_of_an_earlier_run_goes_on_with_what_it_had_left_and_numbers_its_trades_on():
    before = book(part_of_fill=lambda _: Decimal("0.04"))
    tick(before, "50000")
    kept = order("a", "buy", "49000").after(Happening.ACCEPT, 1)
    before.place(kept, 1)
    (part,) = tick(before, "49000")
    kept = kept.filled(part)

    again = book()
    again.restore(kept, BTC)
    assert again.knows("a")
    (rest,) = tick(again, "48000")
    assert (rest.trade_id, str(rest.qty), rest.price, rest.liquidity) == ("a.2", "0.06", 49000, Liquidity.MAKER)


def test_an_order_of_an_earlier_run_can_be_withdrawn_though_its_symbol_is_no_longer_traded():
    gone = replace(BTC, symbol="OLD/USDT")
    paper = book()
    paper.restore(order("a", "buy", "49000", symbol="OLD/USDT").after(Happening.ACCEPT, 1), gone)
    assert paper.cancel("a") == [OrderCancelled(client_id="a")]


def test_of_a_finished_order_of_an_earlier_run_only_the_id_is_remembered():
    paper = book()
    paper.restore(order("a", "buy", "49000").after(Happening.CANCEL, 1), BTC)
    assert paper.knows("a")
    assert paper.open_orders() == []
