"""Where the risk engine is said to have nothing to do, it has nothing to do: at no price and no time that was said."""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from hypothesis import assume, event, given
from hypothesis import strategies as st

from exengine.domain import pnl
from exengine.domain.events import BlockSet, RiskDue, SkipAsked
from exengine.domain.group import GroupKey
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.levels import Band
from exengine.domain.money import ONE, arithmetic
from exengine.domain.quiet import Quiet, risk_quiet
from exengine.domain.risk_levels import Markets, levels_of
from exengine.domain.settings import (
    AccountSettings,
    GridSettings,
    LegSpec,
    PoolSettings,
    RiskSettings,
    Settings,
    SizingSettings,
    TimerStart,
    WhenShort,
)
from exengine.domain.state import Quote
from exengine.exchange.paper_book import Fees
from tests.helpers.world import World
from tests.property.examples import examples

TICK = Decimal("0.01")
FEES = Fees(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
MINUTE_MS = 60_000


def coin(number: int, step: Decimal, least: Decimal) -> Instrument:
    name = f"C{number}"
    return Instrument(
        symbol=f"{name}/USDT:USDT", id=f"{name}USDT", base=name, quote="USDT", type=MarketType.SWAP, tick_size=TICK,
        step_size=step, min_qty=step, min_notional=least, maker_fee=FEES.maker or ONE, taker_fee=FEES.taker or ONE,
    )  # fmt: skip


PRICES = st.one_of(
    st.integers(9000, 11000), st.sampled_from([9900, 9949, 9950, 10000, 10010, 10011, 10050, 10051, 10100])
).map(lambda cents: Decimal(cents) / 100)


SELDOM = st.sampled_from([False, False, False, True])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """One to four groups of both sides and of all sizes, bought and sold at 100, and prices around that."""
    risk = draw(
        st.builds(
            RiskSettings,
            loss_threshold_percent=st.sampled_from([Decimal("-0.5"), Decimal(-1), Decimal(-3)]),
            require_full_pyramids=SELDOM,
            enable_post_full_wait=SELDOM,
            post_full_wait_minutes=st.sampled_from([Decimal(0), Decimal(1)]),
            timer_start=st.sampled_from(TimerStart),
            use_trade_age_filter=SELDOM,
            age_threshold_minutes=st.sampled_from([Decimal(0), Decimal("0.333"), Decimal(2)]),
            max_winners=st.integers(1, 3),
            partial_close_enabled=st.booleans(),
            when_short=st.sampled_from(WhenShort),
            min_close_notional=st.sampled_from([Decimal(0), Decimal(20), Decimal(150)]),
        )
    )
    count = draw(st.integers(1, 4))
    least, step = draw(st.sampled_from([Decimal(5), Decimal(30)])), draw(st.sampled_from([Decimal("0.001"), ONE]))
    coins = [coin(number, step, least) for number in range(count)]
    amount = draw(st.sampled_from([Decimal(100), Decimal(1000)]))
    legs = tuple(
        LegSpec(gap_percent=-gap, weight_percent=Decimal(50), tp_percent=Decimal(90)) for gap in (0 * ONE, ONE)
    )
    account = AccountSettings(
        name="paper",
        exchange="paper",
        market_type=MarketType.SWAP,
        leverage=Decimal(5),
        balances={"USDT": Decimal(100_000)},
        paper_slippage_percent=Decimal(0),
    )
    settings = Settings(
        accounts=(account,),
        grid=GridSettings(legs=legs, max_pyramids=draw(st.integers(1, 2))),
        sizing=SizingSettings(amount=amount),
        pool=PoolSettings(max_open_groups=8),
        risk=risk,
    )
    world = World(settings, instruments=coins, fees=FEES)
    for one in coins:
        world.price(one.symbol, "100")
        for timeframe in draw(st.sampled_from([["15"], ["15"], ["15", "60"]])):
            side = draw(st.sampled_from(["long", "short"]))
            world.alert("100", side, tv__symbol=f"{one.id}.P", tv__timeframe=timeframe)
    for one in coins:
        if draw(st.booleans()):
            world.price(one.symbol, "99", after_ms=0)
            world.price(one.symbol, "101", after_ms=draw(st.sampled_from([0, 30_000])))
        world.price(one.symbol, draw(PRICES), after_ms=draw(st.sampled_from([0, 1000, 70_000])))
    if draw(st.integers(0, 5)) == 0:
        key = GroupKey("paper", coins[0].symbol, "15m")
        world.tell(draw(st.sampled_from([SkipAsked(key=key), BlockSet(key=key, blocked=True)])))
    return world


def within(draw: Callable[..., int], band: Band, last: Decimal) -> Decimal:
    """A price on the tick in a band: the first or the last one, now's, or any between."""
    low = (Decimal(50) if band.low is None else max(band.low, Decimal(50))) / TICK
    high = (Decimal(200) if band.high is None else min(band.high, Decimal(200))) / TICK
    first, beyond = int(low.to_integral_value(ROUND_FLOOR)) + 1, int(high.to_integral_value(ROUND_CEILING)) - 1
    if first > beyond:
        return last
    place = draw(st.sampled_from([first, beyond]) | st.integers(first, beyond))
    return place * TICK


@examples(600)
@given(worlds(), st.data())
def test_nothing_is_done_where_nothing_was_said_to_be_done(world: World, data: st.DataObject) -> None:
    state = world.state
    with arithmetic():
        quiet = risk_quiet(state, world.now_ms)
    assume(quiet is not None)
    assert isinstance(quiet, Quiet)
    event("quiet for good" if quiet.until_ms is None else "quiet until a time")
    assert quiet.until_ms is None or quiet.until_ms > world.now_ms
    prices = dict(state.quotes)
    assert all(quiet.bands.get(symbol, Band()).holds(quote.price) for symbol, quote in prices.items())
    for _ in range(8):
        moved = data.draw(st.sampled_from([*([one] for one in prices), list(prices)]))
        for symbol, quote in prices.items():
            band = quiet.bands.get(symbol, Band())
            price = within(data.draw, band, quote.price) if symbol in moved else quote.price
            state.quotes[symbol] = Quote(price=price, at_ms=world.now_ms)
        last_ms = world.now_ms + 10 * MINUTE_MS if quiet.until_ms is None else quiet.until_ms - 1
        at_ms = data.draw(st.sampled_from([world.now_ms, last_ms]) | st.integers(world.now_ms, last_ms))
        world.now_ms, before = at_ms, world.now_ms
        step = world.decide(RiskDue())
        assert not step.must_be_stored, (quiet, step.notes)
        world.now_ms = before


@examples(100)
@given(worlds())
def test_where_something_is_done_it_was_not_said_to_be_quiet(world: World) -> None:
    with arithmetic():
        quiet = risk_quiet(world.state, world.now_ms)
    step = world.decide(RiskDue())
    if step.must_be_stored:
        assert quiet is None


@examples(100)
@given(worlds())
def test_the_levels_are_where_the_formulas_turn_and_never_beyond(world: World) -> None:
    """A tick or two on either side of each level, by SPEC §8's own words."""
    threshold = world.state.settings.risk.loss_threshold_percent
    with arithmetic():
        markets = Markets(world.state, world.now_ms).each()
        for market, group in ((market, group) for market, there in markets for group in there.groups):
            if group.net_qty <= 0:
                continue
            assert market.terms is not None
            levels, sign = levels_of(group, market.terms), group.side.sign
            unit_cost = pnl.cost(group) / group.net_qty
            ends = (levels.loses_from, levels.loses_to, levels.brings_from, levels.brings_to)
            for end in (one for one in ends if one.is_finite()):
                for ticks in range(-2, 4):
                    price = ((end / TICK).to_integral_value(ROUND_FLOOR) + ticks) * TICK
                    gain = sign * (price - unit_cost) - price * Decimal("0.0005")
                    assert (gain > 0) == (levels.brings_from <= price <= levels.brings_to) or gain == 0
                    percent = sign * (price - unit_cost) / unit_cost * 100
                    assert (percent <= threshold) == (levels.loses_from <= price <= levels.loses_to)
