"""The books of the local exchanges add up, and refuse what an exchange refuses."""

from decimal import Decimal

import pytest

from tests.exchange_server.values import VenueEvent, VenueMarket, VenueOrder, VenueRefusal
from tests.exchange_server.venue import Venue

D = Decimal


def spot(**over: object) -> VenueMarket:
    given: dict[str, object] = {
        "id": "BTCUSDT", "base": "BTC", "quote": "USDT", "tick": D("0.01"), "step": D("0.00001"),
        "min_qty": D("0.00001"), "max_qty": D(9000), "min_notional": D(5),
    }  # fmt: skip
    return VenueMarket(**(given | over))  # type: ignore[arg-type]


def swap(**over: object) -> VenueMarket:
    return spot(id="BTC-SWAP", type="swap", tick=D("0.1"), step=D(1), min_qty=D(1), contract_size=D("0.01"), **over)


def a_venue(*markets: VenueMarket, price: str = "50000", **over: object) -> Venue:
    given: dict[str, object] = {"balances": {"USDT": D(10_000)}, "clock": lambda: 1_700_000_000_000} | over
    venue = Venue(markets or (spot(),), **given)  # type: ignore[arg-type]
    for market_id in venue.markets:
        venue.tick(market_id, D(price))
    return venue


def buy(venue: Venue, qty: str, price: str | None = None, **over: object) -> VenueOrder:
    return order(venue, "buy", qty, price, **over)


def sell(venue: Venue, qty: str, price: str | None = None, **over: object) -> VenueOrder:
    return order(venue, "sell", qty, price, **over)


def order(venue: Venue, side: str, qty: str, price: str | None, **over: object) -> VenueOrder:
    given: dict[str, object] = {"market_id": next(iter(venue.markets)), "side": side, "qty": D(qty)}
    given |= {"type": "limit", "price": D(price)} if price else {"type": "market"}
    return venue.place(**(given | over))  # type: ignore[arg-type]


def told(venue: Venue) -> list[VenueEvent]:
    events: list[VenueEvent] = []
    venue.listeners.append(events.append)
    return events


class TestSpotOrders:
    def test_a_resting_buy_locks_its_worth_and_fills_at_its_own_price(self) -> None:
        venue = a_venue()
        resting = buy(venue, "0.1", "49000")
        assert venue.amounts("USDT") == (D(5100), D(4900))

        venue.tick("BTCUSDT", D("48000"))

        assert (resting.status, resting.filled, resting.quote_filled) == ("filled", D("0.1"), D(4900))
        assert venue.amounts("USDT") == (D(5100), D(0))
        assert venue.amounts("BTC") == (D("0.0999"), D(0))

    def test_a_crossing_limit_fills_at_the_last_price_as_taker(self) -> None:
        venue = a_venue(taker=D("0.002"), maker=D(0))
        crossing = buy(venue, "0.1", "55000")
        (trade,) = crossing.trades
        assert (trade.price, trade.maker, trade.fee, trade.fee_currency) == (D(50000), False, D("0.0002"), "BTC")
        assert venue.amounts("USDT") == (D(5000), D(0))

    def test_a_sale_pays_its_fee_in_the_quote_coin(self) -> None:
        venue = a_venue(balances={"BTC": D(1)})
        sell(venue, "0.5")
        assert venue.amounts("USDT") == (D(24_975), D(0))
        assert venue.amounts("BTC") == (D("0.5"), D(0))

    def test_a_fee_coin_pays_while_there_is_enough_of_it(self) -> None:
        bnb = spot(id="BNBUSDT", base="BNB", step=D("0.001"))
        venue = a_venue(spot(), bnb, balances={"USDT": D(10_000), "BNB": D("0.01")}, fee_coin="BNB", fee_digits=8)
        venue.tick("BNBUSDT", D(600))
        first, second = buy(venue, "0.1"), buy(venue, "0.05")
        assert (first.trades[0].fee, first.trades[0].fee_currency) == (D("0.00833334"), "BNB")
        assert (second.trades[0].fee, second.trades[0].fee_currency) == (D("0.00005"), "BTC")

    def test_a_tick_fills_the_oldest_first_and_no_more_than_it_has(self) -> None:
        venue = a_venue()
        first, second = buy(venue, "0.05", "49000"), buy(venue, "0.05", "49500")
        venue.tick("BTCUSDT", D(49000), D("0.06"))
        assert [first.filled, second.filled] == [D("0.05"), D("0.01")]
        assert [first.status, second.status] == ["filled", "partially_filled"]

    def test_what_is_offered_bounds_what_is_taken_and_the_rest_rests_or_expires(self) -> None:
        venue = a_venue(balances={"USDT": D(100_000)})
        venue.liquidity["BTCUSDT"] = D("0.3")
        resting = buy(venue, "0.2", "50000")
        at_once = buy(venue, "0.2", "50000", tif="IOC")
        nothing = buy(venue, "0.1")
        assert (resting.status, at_once.status, at_once.filled) == ("filled", "expired", D("0.1"))
        assert (nothing.status, nothing.filled) == ("expired", D(0))
        assert venue.amounts("USDT")[1] == 0

    def test_all_or_nothing_takes_nothing_where_there_is_too_little(self) -> None:
        venue = a_venue()
        venue.liquidity["BTCUSDT"] = D("0.01")
        none = buy(venue, "0.02", "50000", tif="FOK")
        assert (none.status, none.filled) == ("expired", D(0))

    def test_a_cancel_keeps_what_was_filled_and_frees_the_rest(self) -> None:
        venue = a_venue()
        resting = buy(venue, "0.1", "49000")
        venue.tick("BTCUSDT", D(49000), D("0.04"))
        venue.cancel(market_id="BTCUSDT", order_id=resting.id)
        assert (resting.status, resting.filled) == ("canceled", D("0.04"))
        assert venue.amounts("USDT") == (D(8040), D(0))

    def test_a_purchase_for_so_much_money_is_cut_to_the_step(self) -> None:
        venue = a_venue(price="30000")
        bought = venue.place(market_id="BTCUSDT", side="buy", type="market", quote_qty=D(100))
        assert (bought.qty, bought.quote_filled) == (D("0.00333"), D("99.9"))

    def test_a_post_only_order_that_would_match_is_refused_or_expires(self) -> None:
        assert refused(lambda: buy(a_venue(), "0.1", "50000", post_only=True)) == "would_match"
        assert buy(a_venue(post_only="expires"), "0.1", "50000", post_only=True).status == "expired"

    def test_the_balance_is_the_start_and_all_fills_less_all_fees(self) -> None:
        venue = a_venue(fee_digits=8)
        for step in range(40):
            price = D(50_000) + (D(step) * 37 % 700 - 350)
            buy(venue, "0.00777", str(price - 15)) if step % 3 else buy(venue, "0.00123")
            venue.tick("BTCUSDT", price, D("0.00999"))
            if venue.amounts("BTC")[0] > D("0.005"):
                sell(venue, "0.005", str(price + 20))
        paid = sum(t.price * t.qty * (1 if t.order.side == "sell" else -1) for t in venue.trades)
        got = sum(t.qty * (-1 if t.order.side == "sell" else 1) for t in venue.trades)
        fees = {coin: sum((t.fee for t in venue.trades if t.fee_currency == coin), D(0)) for coin in ("USDT", "BTC")}
        assert len(venue.trades) > 40
        assert venue.total["USDT"] == D(10_000) + paid - fees["USDT"]
        assert venue.total["BTC"] == got - fees["BTC"]
        for resting in venue.open_orders():
            venue.cancel(market_id="BTCUSDT", order_id=resting.id)
        assert [venue.amounts("USDT")[1], venue.amounts("BTC")[1]] == [0, 0]


def refused(doing: object) -> str:
    with pytest.raises(VenueRefusal) as refusal:
        doing()  # type: ignore[operator]
    return refusal.value.kind


class TestRefusals:
    @pytest.mark.parametrize(
        ("qty", "price", "kind"),
        [
            ("0.1", "49000.001", "price_filter"),
            ("0.100001", "49000", "lot_size"),
            ("0", "49000", "lot_size"),
            ("9001", "49000", "max_qty"),
            ("0.0001", "49000", "min_notional"),
            ("0.00009", None, "min_notional"),
            ("1", "49000", "insufficient"),
            ("1", None, "insufficient"),
        ],
    )
    def test_an_order_against_the_rules_changes_nothing(self, qty: str, price: str | None, kind: str) -> None:
        venue = a_venue()
        assert refused(lambda: buy(venue, qty, price)) == kind
        assert (venue.orders, venue.amounts("USDT")) == ({}, (D(10_000), D(0)))

    def test_nothing_is_sold_twice(self) -> None:
        venue = a_venue(balances={"BTC": D("0.1")})
        sell(venue, "0.06", "51000")
        assert refused(lambda: sell(venue, "0.05", "51000")) == "insufficient"

    def test_a_client_id_is_taken_while_its_order_is_open(self) -> None:
        venue = a_venue()
        first = buy(venue, "0.01", "49000", client_id="one")
        assert refused(lambda: buy(venue, "0.01", "49000", client_id="one")) == "duplicate"
        venue.cancel(market_id="BTCUSDT", client_id="one")
        second = buy(venue, "0.01", "49000", client_id="one")
        assert venue.find(client_id="one") is second
        assert venue.find(order_id=first.id) is first

    def test_some_exchanges_remember_client_ids_for_ever(self) -> None:
        venue = a_venue(remembers_client_ids="ever")
        buy(venue, "0.01", client_id="one")
        assert refused(lambda: buy(venue, "0.01", client_id="one")) == "duplicate"

    def test_a_halted_market_takes_cancels_only(self) -> None:
        venue = a_venue()
        resting = buy(venue, "0.01", "49000")
        venue.halt("BTCUSDT")
        assert refused(lambda: buy(venue, "0.01", "49000")) == "halted"
        venue.cancel(market_id="BTCUSDT", order_id=resting.id)
        venue.list_again("BTCUSDT")
        assert buy(venue, "0.01", "49000").status == "new"

    def test_unknown_markets_and_orders_are_named_so(self) -> None:
        venue = a_venue()
        done = buy(venue, "0.01")
        assert refused(lambda: buy(venue, "1", "1", market_id="NONE")) == "unknown_symbol"
        assert refused(lambda: venue.cancel(market_id="BTCUSDT", order_id="7")) == "unknown_order"
        assert refused(lambda: venue.cancel(market_id="BTCUSDT", order_id=done.id)) == "unknown_order"

    def test_changed_rules_hold_from_then_on(self) -> None:
        venue = a_venue()
        buy(venue, "0.01", "49000.01")
        venue.change_rules(spot(tick=D("0.1")))
        assert refused(lambda: buy(venue, "0.01", "49000.01")) == "price_filter"


class TestSwaps:
    def test_a_position_holds_its_margin_and_realises_to_the_wallet(self) -> None:
        venue = a_venue(swap(), leverage=10, taker=D("0.0005"))
        sell(venue, "20")
        assert venue.positions["BTC-SWAP"].contracts == -20
        assert venue.amounts("USDT") == (D(8995), D(1000))

        venue.tick("BTC-SWAP", D(49_000))
        closing = buy(venue, "20")

        assert closing.trades[0].realised == D(200)
        assert venue.amounts("USDT") == (D("10190.1"), D(0))

    def test_a_turn_closes_and_opens_at_the_new_price(self) -> None:
        venue = a_venue(swap(), leverage=10, taker=D(0))
        buy(venue, "10")
        venue.tick("BTC-SWAP", D(51_000))
        sell(venue, "15")
        position = venue.positions["BTC-SWAP"]
        assert (position.contracts, position.entry_price) == (D(-5), D(51_000))
        assert venue.total["USDT"] == D(10_100)

    def test_a_reduce_only_order_never_opens_and_ends_with_the_position(self) -> None:
        venue = a_venue(swap(), leverage=10)
        assert refused(lambda: sell(venue, "1", "51000", reduce_only=True)) == "reduce_only"
        buy(venue, "5")
        resting = sell(venue, "5", "52000", reduce_only=True)
        too_much = sell(venue, "8", reduce_only=True)
        assert (too_much.status, too_much.filled) == ("expired", D(5))
        assert resting.status == "expired"
        assert venue.positions["BTC-SWAP"].contracts == 0

    def test_what_closes_needs_no_margin_and_what_opens_does(self) -> None:
        venue = a_venue(swap(), leverage=5, taker=D(0))
        buy(venue, "90")
        assert venue.amounts("USDT") == (D(1000), D(9000))
        sell(venue, "90", "52000")
        assert venue.amounts("USDT")[0] == D(1000)
        assert refused(lambda: sell(venue, "10", "52000")) == "insufficient"
        assert refused(lambda: buy(venue, "11")) == "insufficient"


class TestEvents:
    def test_each_change_is_told_once_in_order_with_what_the_coins_are_then(self) -> None:
        venue = a_venue()
        events = told(venue)
        placed = buy(venue, "0.1", "49000")
        venue.tick("BTCUSDT", D(49_000), D("0.04"))
        venue.cancel(market_id="BTCUSDT", order_id=placed.id)
        venue.deposit("USDT", D(5))
        assert [event.kind for event in events] == ["new", "trade", "canceled", "balance"]
        assert [event.order.filled for event in events if event.order] == [D(0), D("0.04"), D("0.04")]
        assert [event.balances["USDT"] for event in events] == [
            (D(5100), D(4900)), (D(5100), D(2940)), (D(8040), D(0)), (D(8045), D(0))
        ]  # fmt: skip
        assert events[1].trade is placed.trades[0]
        assert events[3].amount == 5

    def test_a_fill_at_once_is_told_after_the_order(self) -> None:
        venue = a_venue()
        events = told(venue)
        buy(venue, "0.1")
        assert [(event.kind, event.order.status) for event in events if event.order] == [
            ("new", "new"), ("trade", "filled")
        ]  # fmt: skip
