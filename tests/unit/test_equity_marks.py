"""What is open is valued at each close by the sums of its symbols, which follow every fill."""

from decimal import Decimal

from exengine.domain import pnl
from exengine.domain.settings import GridSettings, LegSpec, Settings, TakeProfitSettings
from exengine.domain.step import Step
from exengine.engine.equity import EquityMarks
from tests.helpers.world import World

D = Decimal
TWO_LEGS = tuple(LegSpec(gap_percent=gap, weight_percent=D(50), tp_percent=D(1)) for gap in (D(0), D(-1)))


def closing(world: World, since: int) -> list[Step]:
    return [step for step in world.steps[since:] if any(fill.realised for fill in step.fills)]


def test_a_mark_is_the_sum_over_all_groups_whatever_has_filled_meanwhile():
    world = World(Settings(grid=GridSettings(legs=TWO_LEGS), take_profit=TakeProfitSettings(close_when_flat=False)))
    marks, seen = EquityMarks(), 0
    for symbol, ids in (("BTC/USDT", "BTCUSDT"), ("ETH/USDT", "ETHUSDT")):
        for timeframe, price in (("15", "100"), ("60", "101")):
            world.price(symbol, price)
            world.alert(price, tv__symbol=ids, tv__timeframe=timeframe)
    for symbol, price in (("BTC/USDT", "99"), ("ETH/USDT", "99.5"), ("BTC/USDT", "100"), ("BTC/USDT", "101.5"),
                          ("ETH/USDT", "101"), ("ETH/USDT", "102.1")):  # fmt: skip
        before = len(world.steps)
        world.price(symbol, price)
        mark = marks.after(world.state, world.steps[before:])
        assert (mark is not None) == bool(closing(world, before))
        if mark is None:
            continue
        seen += 1
        last = {group.id: world.state.last("paper", group.key.symbol) for group in world.state.groups.values()}
        values = [pnl.unrealised(group, last[group.id] or D(0)) for group in world.state.groups.values()]
        assert mark.unrealised == sum(values, D(0))
        assert mark.realised == world.state.ledger.realised_total
    assert seen >= 3


def test_where_nothing_closes_there_is_no_mark():
    world = World()
    world.price("BTC/USDT", "50000")
    assert EquityMarks().after(world.state, world.steps) is None
