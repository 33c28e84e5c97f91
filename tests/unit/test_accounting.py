"""What is held, what it cost and what it brought (SPEC §5.1), worked out by hand and conserved for any life."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from exengine.domain import pnl
from exengine.domain.group import Group, GroupStatus
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.money import arithmetic, plain
from exengine.domain.order import Role
from exengine.domain.settings import PAPER, GridSettings, LegSpec, Settings, SizingSettings, TakeProfitSettings
from exengine.engine.tables import TRADES, trade_row
from exengine.exchange.paper_book import Fees
from tests.helpers.world import BTC, BTC_PERPETUAL, ETH, World

D = Decimal
TENTH = Fees(maker=D("0.001"), taker=D("0.001"))
PERPETUAL = replace(BTC_PERPETUAL, contract_size=D("0.01"), step_size=D(1), min_qty=D(1))


def world(*legs: tuple[str, str, str], fees: Fees | None = TENTH, swap: bool = False, amount: str = "1000") -> World:
    specs = tuple(LegSpec(gap_percent=D(g), weight_percent=D(w), tp_percent=D(t)) for g, w, t in legs)
    account = replace(PAPER, market_type=MarketType.SWAP, leverage=D(5)) if swap else PAPER
    chosen = Settings(
        accounts=(account,),
        grid=GridSettings(legs=specs),
        sizing=SizingSettings(amount=D(amount)),
        take_profit=TakeProfitSettings(close_when_flat=False),
    )
    return World(chosen, instruments=(PERPETUAL,) if swap else (BTC, ETH), fees=fees)


def row(one: World, group: Group) -> dict[str, Any]:
    last = one.state.last(group.key.account, group.key.symbol)
    with arithmetic():
        return dict(zip(TRADES, trade_row(group, one.state.instrument(group), last), strict=True))


def ask(one: World, price: str, action: str = "buy", **changes: Any) -> None:
    name = "BTCUSDT.P" if one.instruments[0].type is MarketType.SWAP else "BTCUSDT"
    one.alert(price, action, tv__symbol=name, **changes)


def test_a_spot_long_pays_its_entry_fee_in_coins_and_its_exit_fee_in_quote() -> None:
    one = world(("0", "100", "10"))
    one.price("BTC/USDT", "50000")
    ask(one, "50000")
    group = one.group()
    with arithmetic():
        # 0.02 less 0.1 % of it: what is left has cost 1,000.
        assert group.net_qty == D("0.01998")
        assert pnl.unit_cost(group.leg((0, 0)), group.side, D(1)) == 1000 / D("0.01998")
        assert pnl.cost(group) == 1000
        assert pnl.group_avg_entry(group) == 50000  # the price alone
        assert plain(pnl.unrealised(group, D(50000))) == "-1"
        assert pnl.profit_percent(group, D(50000)) == D("-0.1")
    one.price("BTC/USDT", "55000")
    with arithmetic():
        assert plain(one.realised()) == plain(D("0.01998") * 55000 * D("0.999") - 1000)
        found = row(one, one.group())
        assert found["fees"] == D("0.00002") * 50000 + D("0.01998") * 55000 * D("0.001")
    assert (found["avg_entry"], found["qty_open"], found["dust"], found["unrealised_pnl"]) == (50000, 0, 0, 0)


def test_a_part_that_is_sold_takes_its_own_share_of_the_cost() -> None:
    one = world(("0", "50", "10"), ("-1", "50", "90"))
    one.price("BTC/USDT", "50000")
    ask(one, "50000")
    one.price("BTC/USDT", "49500")
    one.price("BTC/USDT", "55000")  # the first leg's target
    group, (sold,) = one.group(), [order for order in one.role(Role.TP) if order.filled_qty]
    with arithmetic():
        assert plain(pnl.realised(group)) == plain(sold.filled_qty * (55000 * D("0.999") - 500 / D("0.00999")))
        second = group.leg((0, 1))
        dust = group.leg((0, 0)).net_qty
        assert plain(pnl.cost(group)) == plain(second.entered_value + dust * 500 / D("0.00999"))
        weighted = (second.net_qty * 49500 + dust * 50000) / (second.net_qty + dust)
        assert pnl.group_avg_entry(group) == weighted
    found = row(one, group)
    assert found["qty_open"] == BTC.qty_floor(group.net_qty)
    assert found["dust"] == group.net_qty - found["qty_open"] > 0


def test_perpetuals_count_contracts_times_their_size_and_pay_all_fees_in_quote() -> None:
    for action, last, sign in (("buy", "52000", 1), ("short", "48000", -1)):
        one = world(("0", "100", "80"), swap=True)
        one.price("BTC/USDT:USDT", "50000")
        ask(one, "50000", action)
        one.price("BTC/USDT:USDT", last)
        group = one.group()
        with arithmetic():
            assert group.net_qty == 2  # contracts of 0.01: 0.02 coins, worth 1,000
            assert pnl.unit_cost(group.leg((0, 0)), group.side, group.contract_size) == 50000 + sign * 50
            assert pnl.cost(group) == 1000 + sign
            assert pnl.unrealised(group, D(last)) == 39
        ask(one, last, "sell", execution_intent={"type": "exit"})
        fee = D("0.02") * D(last) / 1000
        assert one.realised() == 39 - fee
        assert one.state.balance("paper", "USDT") == 10000 + 40 - 1 - fee
        assert row(one, one.group())["fees"] == 1 + fee


def test_a_fee_in_a_third_coin_costs_what_it_is_worth_and_takes_nothing_off_the_quantity() -> None:
    bnb = replace(ETH, symbol="BNB/USDT", id="BNBUSDT", base="BNB")
    one = World(
        Settings(grid=GridSettings(legs=(LegSpec(gap_percent=D(0), weight_percent=D(100), tp_percent=D(10)),))),
        instruments=(BTC, bnb),
    )
    pay_in_bnb(one, D("0.0001"))
    one.price("BNB/USDT", "600")
    one.price("BTC/USDT", "50000")
    one.alert("50000")
    group = one.group()
    with arithmetic():
        assert group.net_qty == D("0.002")
        assert pnl.cost(group) == 100 + D("0.06")
    one.price("BNB/USDT", "500")
    one.price("BTC/USDT", "55000")
    with arithmetic():
        assert plain(one.realised()) == plain(D(110) - D("100.06") - D("0.05"))
        assert plain(row(one, one.group())["fees"]) == "0.11"
    assert one.state.balance("paper", "BNB") == D("-0.0002")
    assert one.state.balance("paper", "USDT") == 10010


def pay_in_bnb(one: World, fee: Decimal) -> None:
    real = one.book._filled

    def filled(*given: Any, **named: Any) -> Any:
        event = real(*given, **named)
        return replace(event, fill=replace(event.fill, fee=fee, fee_currency="BNB"))

    one.book._filled = filled  # type: ignore[method-assign]


def test_a_third_coin_without_a_price_is_told_and_the_balance_is_right_all_the_same() -> None:
    one = world(("0", "100", "10"), fees=Fees(maker=D(0), taker=D(0)))
    pay_in_bnb(one, D("0.0001"))
    one.price("BTC/USDT", "50000")
    ask(one, "50000")
    assert any("could not be valued" in note.text for note in one.notes)
    assert one.state.balance("paper", "BNB") == D("-0.0001")


def test_dust_of_a_closed_group_keeps_its_cost_and_is_valued_at_the_last_price() -> None:
    one = world(("0", "100", "1"), amount="100")
    one.price("BTC/USDT", "50000")
    ask(one, "50000")
    one.price("BTC/USDT", "50500")
    group = one.group()
    assert group.status is GroupStatus.CLOSED
    one.price("BTC/USDT", "60000")
    found = row(one, group)
    with arithmetic():
        assert (found["qty_open"], found["dust"]) == (0, D("0.000008"))
        assert plain(found["unrealised_pnl"]) == plain(D("0.000008") * (60000 - 100 / D("0.001998")))
        assert found["avg_entry"] == 50000


def test_a_close_over_several_legs_is_shared_pro_rata_to_what_each_holds() -> None:
    one = world(("0", "75", "90"), ("-10", "25", "90"), fees=Fees(maker=D(0), taker=D(0)))
    one.price("BTC/USDT", "50000")
    ask(one, "50000")
    one.price("BTC/USDT", "45000")
    before = one.group()
    ask(one, "45000", "sell", execution_intent={"type": "exit"})
    for ref, leg in one.group().legs():
        held = before.leg(ref).net_qty
        assert leg.closed_qty == held
        with arithmetic():
            assert leg.realised == held * (45000 - before.leg(ref).price)


LIVES = st.lists(
    st.one_of(
        st.tuples(st.just("price"), st.integers(-60, 60)),
        st.tuples(st.just("buy"), st.integers(-20, 20)),
        st.tuples(st.just("leave"), st.integers(0, 1)),
        st.tuples(st.just("reduce"), st.integers(1, 30)),
    ),
    min_size=3,
    max_size=25,
)


@profile(max_examples=80, deadline=None)
@given(LIVES, st.booleans(), st.booleans(), st.sampled_from(["0", "0.001", "0.00075"]))
def test_realised_unrealised_and_cost_conserve_the_account(
    life: list[tuple[str, int]], swap: bool, short: bool, fee: str
) -> None:
    """Whatever happens: capital + realised + unrealised is what the account is worth, dust and all."""
    one = world(("0", "50", "1"), ("-1", "50", "2"), swap=swap, fees=Fees(maker=D(fee), taker=D(fee)), amount="777")
    instrument: Instrument = one.instruments[0]
    price, side = D(50000), "short" if swap and short else "buy"
    one.price(instrument.symbol, price)
    for what, number in life:
        match what:
            case "price":
                price = instrument.price_down(price * (1 + D(number) / 1000))
                one.price(instrument.symbol, price)
            case "buy":
                ask(one, str(instrument.price_down(price * (1 + D(number) / 1000))), side)
            case "leave":
                ask(one, str(price), "sell", execution_intent={"type": "exit"})
            case _:
                ask(one, str(price), "sell", tv__order_size=str(D(number) / 1000), execution_intent={"type": "reduce"})
        with arithmetic():
            groups = one.groups.values()
            value = sum((pnl.realised(group) + pnl.unrealised(group, price) for group in groups), D(10000))
            balance = one.state.balance("paper", instrument.quote)
            if swap:
                moves = (group.side.sign * _swap_gain(group, price) for group in groups)
                worth = balance + sum(moves, D(0))
            else:
                worth = balance + one.state.balance("paper", instrument.base) * price
            assert abs(worth - value) < D("1e-20")


def _swap_gain(group: Group, price: Decimal) -> Decimal:
    """What a swap position is ahead by prices alone, as the exchange shows it."""
    total = D(0)
    for _, leg in group.legs():
        average = pnl.average_price(leg, group.contract_size)
        if average is not None:
            total += (price - average) * leg.net_qty * group.contract_size
    return total
