"""What the risk engine keeps from one look to the next changes nothing: it decides as SPEC §8 has it, from scratch."""

from decimal import Decimal

from hypothesis import event, given
from hypothesis import strategies as st

from exengine.domain import pnl, risk
from exengine.domain.capital import taker_fee, usd_value
from exengine.domain.events import RiskDue
from exengine.domain.money import arithmetic
from exengine.domain.risk_timer import timer_left_ms
from exengine.domain.state import OffsetPlan, Quote
from exengine.domain.step import Step
from tests.helpers.world import World
from tests.property.examples import examples
from tests.property.test_quiet import PRICES, worlds


def ahead(world: World) -> list[tuple[str, Decimal]]:
    """Everyone whose closing would bring something and what, largest profit first, by the formulas alone."""
    state, found = world.state, []
    for group in state.groups.values():
        last = state.last("paper", group.key.symbol)
        assert last is not None
        if group.net_qty <= 0 or group.status.value == "closing" or group.blocked or group.frozen or group.partial:
            continue
        unit_cost = pnl.cost(group) / (group.net_qty * group.contract_size)
        gain = group.side.sign * (last - unit_cost) - last * taker_fee(state, group)
        profit = gain * usd_value(state, group) * group.contract_size * group.net_qty
        if profit > 0 and not group.rests(world.now_ms):
            found.append((-profit, group.opened_at_ms, group.id))
    return [(group_id, -below) for below, _, group_id in sorted(found)]


def expected(world: World) -> OffsetPlan | None:
    """The plan of one look: of the candidates in their order, the first that the winners can pay for."""
    state, now_ms, losers = world.state, world.now_ms, []
    for group in state.groups.values():
        if risk.is_loser(state, group, now_ms) and timer_left_ms(state, group, now_ms) == 0 and not group.skip_once:
            last = state.last("paper", group.key.symbol)
            assert last is not None
            percent = pnl.profit_percent(group, last)
            losers.append((percent, pnl.unrealised(group, last), group.opened_at_ms, group.id))
    everyone = risk.everyone_ahead(state, now_ms)
    assert [(one.group.id, one.profit) for one in everyone] == ahead(world)
    plans = (risk.plan_for(state, state.groups[one[-1]], now_ms, everyone) for one in sorted(losers))
    return next((plan for plan in plans if plan is not None), None)


@examples(300)
@given(worlds(), st.data())
def test_each_look_decides_as_if_it_were_the_first(world: World, data: st.DataObject) -> None:
    state = world.state
    for _ in range(6):
        for symbol in data.draw(st.sets(st.sampled_from(sorted(state.quotes)))):
            state.quotes[symbol] = Quote(price=Decimal(data.draw(PRICES)), at_ms=world.now_ms)
        if state.plan is not None or not state.groups:
            return
        with arithmetic():
            plan = expected(world)
            step = Step(state, world.now_ms)
            risk.evaluate(step)
            assert step.plan == plan
            step.undo()
        event("a plan" if plan else "no plan")
        world.now_ms += data.draw(st.sampled_from([0, 1000, 70_000]))
        if data.draw(st.booleans()):
            world.tell(RiskDue())
