"""What holds for every price, ladder and order of happenings."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exengine.domain.grid import plan_ladder
from exengine.domain.group import LegState
from exengine.domain.instrument import Instrument, OrderSide, Side
from exengine.domain.money import arithmetic, ceil_step, floor_step, parse, plain
from exengine.domain.order import (
    Fill,
    Happening,
    IllegalTransition,
    Liquidity,
    Order,
    OrderStatus,
    OrderType,
    Role,
)
from exengine.domain.settings import BelowMinimum, GridSettings, LegSpec
from tests.property.examples import examples

STEPS = st.sampled_from(
    [Decimal(s) for s in ("0.00000001", "0.00001", "0.001", "0.01", "0.05", "0.1", "0.5", "1", "10")]
)
PRICES = st.decimals("0.00001", "200000", places=8, allow_nan=False, allow_infinity=False)


@examples(1000)
@given(PRICES, STEPS)
def test_floor_and_ceil_enclose_the_value_by_less_than_a_step_and_stay_on_the_grid(value, step):
    with arithmetic():
        low, high = floor_step(value, step), ceil_step(value, step)
        assert low <= value <= high
        assert high - low in (0, step)
        assert low % step == 0
        assert high % step == 0
        assert floor_step(low, step) == low
        assert ceil_step(high, step) == high


@examples(1000)
@given(st.decimals("-1e12", "1e12", places=12, allow_nan=False, allow_infinity=False))
def test_what_is_written_plainly_reads_back_exactly(value):
    assert parse(plain(value)) == value
    assert "E" not in plain(value).upper()


@st.composite
def grids(draw) -> GridSettings:
    count = draw(st.integers(1, 7))
    cuts = sorted(draw(st.lists(st.integers(1, 9999), min_size=count - 1, max_size=count - 1, unique=True)))
    weights = [Decimal(b - a) / 100 for a, b in zip([0, *cuts], [*cuts, 10000], strict=True)]
    legs = tuple(
        LegSpec(
            gap_percent=-Decimal(draw(st.integers(0, 3000))) / 100,
            weight_percent=weight,
            tp_percent=Decimal(draw(st.integers(1, 2000))) / 100,
        )
        for weight in weights
    )
    return GridSettings(legs=legs, on_below_minimum=draw(st.sampled_from(BelowMinimum)))


@st.composite
def instruments(draw) -> Instrument:
    step = draw(STEPS)
    return Instrument(
        symbol="X/USDT",
        id="XUSDT",
        base="X",
        quote="USDT",
        tick_size=draw(STEPS),
        step_size=step,
        min_qty=draw(st.sampled_from([Decimal(0), step, step * 10])),
        max_qty=draw(st.sampled_from([None, step * 1000, Decimal(9_000_000)])),
        min_notional=draw(st.sampled_from([Decimal(0), Decimal(1), Decimal(5), Decimal(10)])),
    )


@examples(1000)
@given(grids(), instruments(), PRICES, st.sampled_from(Side), st.decimals("1", "1000000", places=2))
def test_a_ladder_never_plans_what_the_exchange_would_refuse_nor_dearer_nor_more_than_asked(
    grid, instrument, price, side, capital
):
    with arithmetic():
        ladder = plan_ladder(
            grid=grid,
            instrument=instrument,
            side=side,
            signal_price=price,
            group_base=price,
            capital=capital,
            last=None,
        )
        assert len(ladder.legs) == len(grid.legs)
        for leg, spec in zip(ladder.legs, grid.legs, strict=True):
            exact = price * (1 + side.sign * spec.gap_percent / 100)
            assert leg.price % instrument.tick_size == 0
            assert leg.price <= exact if side is Side.LONG else leg.price >= exact
            assert abs(leg.price - exact) < instrument.tick_size
            if leg.state is LegState.BLOCKED:
                assert leg.qty == 0
                assert leg.error
                continue
            assert leg.qty > 0
            assert leg.qty % instrument.step_size == 0
            assert instrument.max_qty is None or leg.qty <= instrument.max_qty
            if grid.on_below_minimum is not BelowMinimum.RAISE:
                assert leg.qty * leg.price <= capital * spec.weight_percent / 100
            assert not instrument.is_below_minimum(leg.price, leg.qty)
        blocked = [leg for leg in ladder.legs if leg.state is LegState.BLOCKED]
        assert ladder.reject == (
            len(blocked) == len(ladder.legs) or (bool(blocked) and grid.on_below_minimum is BelowMinimum.REJECT)
        )


FILLS = st.tuples(st.just("fill"), st.integers(1, 60), st.integers(0, 8))
TOLD = st.tuples(st.just("told"), st.sampled_from([one for one in Happening if "fill" not in one.value]))


@examples(1000)
@given(st.lists(st.one_of(FILLS, TOLD), max_size=30))
def test_however_news_of_an_order_is_shuffled_repeated_or_late_its_fills_count_once_and_never_fall(news):
    order = Order(
        client_id="x1",
        group_id="g",
        account="paper",
        symbol="X/USDT",
        role=Role.ENTRY,
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        price=Decimal(10),
        qty=Decimal(100),
        created_at_ms=0,
    )
    applied: dict[str, int] = {}
    for one in news:
        before = order
        if one[0] == "fill":
            trade_id = f"t{one[2]}"
            fill = Fill(
                client_id="x1",
                trade_id=trade_id,
                at_ms=1,
                price=Decimal(10),
                qty=Decimal(one[1]),
                fee=Decimal(0),
                fee_currency="USDT",
                liquidity=Liquidity.MAKER,
            )
            order = order.filled(fill)
            applied.setdefault(trade_id, one[1])
        else:
            try:
                order = order.after(one[1], 1)
            except IllegalTransition:
                assert order is before
                continue
        assert order.filled_qty == sum(applied.values())
        assert order.filled_qty >= before.filled_qty
        if order.filled_qty >= order.qty:
            assert order.status is OrderStatus.FILLED
        if before.status is OrderStatus.FILLED:
            assert order.status is OrderStatus.FILLED
