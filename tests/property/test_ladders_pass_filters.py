"""Ten thousand random ladders over recorded market rules: no exchange's filter refuses a single order of them."""

import os
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest

from exengine.domain.grid import plan_ladder
from exengine.domain.group import LegState
from exengine.domain.instrument import Instrument, Side
from exengine.domain.money import arithmetic
from exengine.domain.settings import BelowMinimum, GapReference, GridSettings, LegSpec
from exengine.domain.take_profit import target_price
from exengine.exchange.market_rules import instruments
from tests.exchange_server.venue import Venue, VenueMarket
from tests.helpers.recorded_rules import RECORDED
from tests.property.examples import VARIABLE

D = Decimal
LADDERS = 10_000
FOUND = [
    pytest.param(one, id=f"{exchange} {one.symbol}")
    for exchange, markets in RECORDED.items()
    for one in instruments(markets)
]


def random_grid(random: Random) -> GridSettings:
    weights = [random.randint(1, 100) for _ in range(random.randint(1, 7))]
    shares = [(D(weight) / sum(weights) * 100).quantize(D("0.01"), ROUND_HALF_UP) for weight in weights]
    return GridSettings(
        legs=tuple(
            LegSpec(
                gap_percent=D(random.randint(-30_000, 0)) / 1000,
                weight_percent=share,
                tp_percent=D(random.randint(1, 900)) / 100,
            )
            for share in shares
        ),
        gap_reference=random.choice(list(GapReference)),
        on_below_minimum=random.choice([BelowMinimum.SKIP_LEG, BelowMinimum.RAISE]),
    )


def venue_of(rules: Instrument) -> Venue:
    """The exchange's filters over a purse without a bottom."""
    market = VenueMarket(
        id=rules.id,
        base=rules.base,
        quote=rules.quote,
        type="spot",
        tick=rules.tick_size,
        step=rules.step_size,
        min_qty=rules.min_qty,
        max_qty=rules.max_qty,
        min_notional=rules.min_notional,
    )
    return Venue([market], {rules.quote: D("1e18"), rules.base: D("1e18")})


@pytest.mark.parametrize("rules", FOUND)
def test_no_order_of_a_ladder_is_refused(rules: Instrument):
    venue = venue_of(rules)
    placed = 0
    for number in range(round(LADDERS / len(FOUND) * float(os.environ.get(VARIABLE) or 1)) + 1):
        random = Random(f"{rules.symbol} {number}")
        price = rules.tick_size * random.randint(1000, 100_000_000)
        capital = D(random.randint(100, 10 ** random.randint(3, 9))) / 100
        with arithmetic():
            ladder = plan_ladder(
                grid=random_grid(random),
                instrument=rules,
                side=Side.LONG,
                signal_price=price,
                group_base=price,
                capital=capital,
                last=None,
            )
            venue.last[rules.id] = price * 2
            for leg in ladder.legs:
                if leg.state is not LegState.BLOCKED:
                    entry = venue.place(market_id=rules.id, side="buy", type="limit", qty=leg.qty, price=leg.price)
                    venue.cancel(market_id=rules.id, order_id=entry.id)
                    target = target_price(rules, Side.LONG, leg.price, leg.tp_percent)
                    venue.last[rules.id] = leg.price / 2
                    sale = venue.place(market_id=rules.id, side="sell", type="limit", qty=leg.qty, price=target)
                    if sale.is_open:
                        venue.cancel(market_id=rules.id, order_id=sale.id)
                    venue.last[rules.id] = price * 2
                    placed += 1
    assert placed > LADDERS / len(FOUND)
