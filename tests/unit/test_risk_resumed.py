"""The program dies at every step of an offset and goes on: no winner is closed twice, no loser uncovered (SPEC §8)."""

from collections import deque
from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.commands import CancelOrder, Command, PlaceOrder, ResolveOrder
from exengine.domain.decide import decide
from exengine.domain.events import EngineStarted, Event, GroupDue, OrderAccepted, OrderSent, QueueDue, RiskDue
from exengine.domain.group import CloseReason
from exengine.domain.order import Role
from exengine.domain.settings import GridSettings, LegSpec, RiskSettings, Settings, SizingMode, SizingSettings
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.engine.changes import Loaded, restored
from tests.helpers.world import BTC, ETH, World

D = Decimal
FREE = {"maker_fee": D(0), "taker_fee": D(0)}
SOL = replace(ETH, symbol="SOL/USDT", id="SOLUSDT", base="SOL", **FREE)


class MortalWorld(World):
    """Dies after a given number of steps: with what they want done at the exchange, or just after it was done."""

    steps_left: int | None = None
    sent_before_death = False
    told_to_nobody: dict[str, list[Event]]
    """By order: what its exchange answered to a dead process."""
    untold: list[Event]
    """What had come and was not on disk: the exchange is asked for it again."""

    def tell(self, event: Event) -> Step:
        first: Step | None = None
        queue: deque[Event] = deque([event])
        while queue:
            step = decide(self.state, queue.popleft(), self.now_ms)
            first = first or step
            self._keep(step)
            dies = self.steps_left == 0
            if self.steps_left is not None:
                self.steps_left -= 1
            for command in step.commands:
                if not dies or self.sent_before_death:
                    answers = self.carry_out(command)
                    if dies:
                        self.told_to_nobody.setdefault(command.order.client_id, []).extend(answers)
                    else:
                        queue.extend(answers)
            if dies:
                self.untold = list(queue)
                raise KeyboardInterrupt
        assert first is not None
        return first

    def carry_out(self, command: Command) -> list[Event]:
        order = command.order
        match command:
            case PlaceOrder():
                return [OrderSent(client_id=order.client_id), *self.book.place(order, self.now_ms)]
            case CancelOrder():
                return self.book.cancel(order.client_id)
            case ResolveOrder():
                if self.book.knows(order.client_id):
                    found = OrderAccepted(client_id=order.client_id, exchange_order_id=order.client_id)
                    return [found, *self.told_to_nobody.pop(order.client_id, [])]
                return self.carry_out(PlaceOrder(order=order))

    def begin_again(self) -> None:
        """A new process, with what the store has."""
        old, self.steps_left = self.state, None
        loaded = Loaded(
            instance=old.instance,
            groups=tuple(old.groups.values()),
            orders=tuple(old.orders.values()),
            numbers=dict(old.numbers),
            waiting=tuple(old.waiting.values()),
            pending=tuple(old.pending.values()),
            seen=dict(old.seen),
            next_signal_id=old.next_signal_id,
            next_log_id=1,
            control=old.control,
            ledger=old.ledger,
            plan=old.plan,
            moved=dict(old.moved),
            instruments={"paper": self.instruments},
            market_clock_ms=None,
        )
        self.state = State(instance=old.instance, settings=old.settings)
        self.state.start.update(old.start)
        restored(self.state, loaded)
        self.state.quotes.update(old.quotes)
        self.tell(EngineStarted())
        for event in self.untold:
            self.tell(event)
        for client_id in list(self.told_to_nobody):
            for event in self.told_to_nobody.pop(client_id):
                self.tell(event)
        for group_id in list(self.state.groups):
            self.tell(GroupDue(group_id=group_id))
        self.tell(QueueDue())


def begun() -> MortalWorld:
    """BTC 100 behind; SOL 60 ahead, to go whole, and ETH 200 ahead, of which 40 are wanted."""
    legs = (LegSpec(gap_percent=D(0), weight_percent=D(100), tp_percent=D(90)),)
    settings = Settings(
        grid=GridSettings(max_pyramids=1, legs=legs),
        sizing=SizingSettings(mode=SizingMode.SIGNAL),
        risk=RiskSettings(post_full_wait_minutes=D(0), min_close_notional=D(1)),
    )
    one = MortalWorld(settings, instruments=(replace(BTC, **FREE), replace(ETH, **FREE), SOL))
    one.told_to_nobody = {}
    for base, price, quote in (("BTC", "50000", "1000"), ("SOL", "200", "2000"), ("ETH", "2000", "600")):
        one.price(f"{base}/USDT", price)
        sized = {"tv__order_size": quote, "execution_intent": {"type": "signal", "position_size_type": "quote"}}
        one.alert(price, tv__symbol=f"{base}USDT", **sized)
    for base, price in (("BTC", "45000"), ("SOL", "203"), ("ETH", "2266.66")):
        one.price(f"{base}/USDT", price)
    return one


def lived_through() -> int:
    one = begun()
    before = len(one.steps)
    one.tell(RiskDue())
    assert check(one) is None
    return len(one.steps) - before


def check(one: World) -> None:
    assert one.state.plan is None
    assert one.group("paper|BTC/USDT|15m#1").reason is CloseReason.RISK_OFFSET
    filled = [order for order in one.role(Role.RISK) if order.filled_qty]
    assert sorted(order.symbol for order in filled) == ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
    # 79.998 of ETH, whole; the 20.002 that lack are 6.7 of SOL's 3 USDT each, on the step.
    assert {order.symbol: order.filled_qty for order in filled} == {
        "ETH/USDT": D("0.3"), "SOL/USDT": D("6.6674"), "BTC/USDT": D("0.02"),
    }  # fmt: skip
    (plan,) = (plan for step in one.steps for plan in step.plans)
    assert [line.realised for line in plan.lines] == [D("79.998"), D("20.0022")]
    assert one.group("paper|SOL/USDT|15m#1").is_open
    assert one.state.balance("paper", "USDT") == one.book.totals()["USDT"]
    resting = {order.client_id for order in one.book.open_orders()}
    assert resting == {order.client_id for order in one.state.orders.values() if order.is_working}


@pytest.mark.parametrize("sent_before_death", [False, True])
def test_it_goes_on_from_wherever_it_died(sent_before_death: bool) -> None:
    steps = lived_through()
    assert steps > 10
    for at in range(steps):
        one = begun()
        one.steps_left, one.sent_before_death = at, sent_before_death
        with pytest.raises(KeyboardInterrupt):
            one.tell(RiskDue())
        if at == 0:
            assert one.state.plan is not None  # on disk before the first order
        one.begin_again()
        one.price("SOL/USDT", "203")
        check(one)
