"""Whatever happens goes back to what caused it, by one id from the webhook to the fill."""

from decimal import Decimal

from exengine.domain.cause import of_offset, of_signal, of_trader, signal_of
from exengine.domain.decide import NOTHING_TO_OFFSET
from exengine.domain.events import GroupCloseAsked, Panicked, QueueAction, QueueAsked, RiskRunAsked
from exengine.domain.group import CloseReason, GroupKey
from exengine.domain.journal import Topic
from exengine.domain.order import Role
from exengine.domain.settings import (
    PoolSettings,
    RiskSettings,
    Settings,
    SizingSettings,
    TakeProfitMode,
    TakeProfitSettings,
)
from tests.helpers.world import World

KEY = GroupKey("paper", "BTC/USDT", "15m")
ONE_SLOT = Settings(pool=PoolSettings(max_open_groups=1))


def opened(settings: Settings | None = None, **changes) -> World:
    world = World(settings)
    world.price("BTC/USDT", "50000")
    world.alert("50000", **changes)
    return world


def closing_causes(world: World) -> set[str]:
    return {order.cause for order in world.orders.values() if order.role in (Role.CLOSE, Role.STOP, Role.RISK)}


def said(world: World, text: str) -> list[str]:
    return [note.cause for note in world.notes if text in note.text]


def test_an_id_tells_its_alert():
    assert signal_of(of_signal(17)) == 17
    assert signal_of(of_trader(17)) is signal_of("") is signal_of("signal-x") is None


def test_an_alerts_entries_fills_and_targets_and_its_groups_end_all_bear_its_id():
    world = opened()
    world.price("BTC/USDT", "49400")
    world.price("BTC/USDT", "52000")
    assert world.group().reason is CloseReason.TP
    assert {order.cause for order in world.orders.values()} == {"signal-1"}
    assert {order.signal_id for order in world.orders.values()} == {1}
    assert {applied.order.cause for applied in world.fills} == {"signal-1"}
    assert said(world, "Closed: target reached") == ["signal-1"]


def test_each_pyramids_orders_bear_the_id_of_its_own_alert():
    world = opened()
    world.alert("49900")
    world.price("BTC/USDT", "49000")
    by_pyramid = {(order.pyramid, order.cause) for order in world.orders.values()}
    assert by_pyramid == {(0, "signal-1"), (1, "signal-2")}


def test_the_close_that_an_exit_asks_for_bears_the_exits_id_though_cancels_are_answered_before_it_is_sent():
    world = opened()
    world.alert("50100", tv__action="sell", execution_intent={"type": "exit"})
    assert closing_causes(world) == {"signal-2"}
    assert said(world, "Closed: exit") == ["signal-2"]


def test_a_reduction_bears_the_id_of_the_alert_that_asked_for_it():
    world = opened()
    world.alert(
        "50100", tv__action="sell", tv__order_size="0.0002", execution_intent={"type": "reduce"}, tv__timeframe="15"
    )
    assert closing_causes(world) == {"signal-2"}


def test_what_a_price_does_goes_back_to_the_alert_that_opened_the_group():
    world = opened(risk={"stop_loss": "49000"})
    world.price("BTC/USDT", "48900")
    assert world.group().reason is CloseReason.STOP_LOSS
    assert closing_causes(world) == set(said(world, "Stop touched")) == {"signal-1"}
    aggregate = opened(Settings(take_profit=TakeProfitSettings(mode=TakeProfitMode.HYBRID, percent=Decimal("0.9"))))
    aggregate.price("BTC/USDT", "50470")
    assert {order.cause for order in aggregate.orders.values()} == {"signal-1"}


def test_what_the_trader_asks_for_bears_the_moment_of_the_click():
    world = opened()
    world.now_ms += 5000
    world.tell(GroupCloseAsked(group_id=world.group().id))
    assert closing_causes(world) == {of_trader(world.now_ms)}
    assert said(world, "Closed: manual") == said(world, "Close asked by the trader") == [of_trader(world.now_ms)]


def test_a_panic_is_one_cause_for_all_that_it_closes_and_takes_out_of_the_queue():
    world = opened(ONE_SLOT)
    world.price("ETH/USDT", "2000")
    world.alert("2000", tv__symbol="ETHUSDT")
    world.tell(Panicked())
    removed = world.queue_events[-1]
    assert closing_causes(world) == {removed.cause} == set(said(world, "Panic: 1 groups")) == {of_trader(world.now_ms)}
    assert removed.signal_id == 2
    assert [note.topic for note in world.notes if note.topic in (Topic.PANIC, Topic.GROUP_CLOSED)] == [
        Topic.PANIC,
        Topic.GROUP_CLOSED,
    ]


def test_an_entry_that_goes_in_later_bears_its_own_id_whatever_let_it_in():
    world = opened(ONE_SLOT)
    world.price("ETH/USDT", "2000")
    world.alert("2000", tv__symbol="ETHUSDT")
    world.tell(GroupCloseAsked(group_id="paper|BTC/USDT|15m#1"))
    entries = [order for order in world.orders.values() if order.symbol == "ETH/USDT"]
    assert {order.cause for order in entries} == {"signal-2"}
    promoted = world.queue_events[-1]
    assert (promoted.event, promoted.signal_id) == ("promoted", 2)


def test_a_click_that_does_nothing_is_told_all_the_same():
    world = opened(ONE_SLOT)
    world.price("ETH/USDT", "2000")
    world.alert("2000", tv__symbol="ETHUSDT")
    before = len(world.notes)
    world.tell(QueueAsked(key=GroupKey("paper", "ETH/USDT", "15m"), action=QueueAction.PROMOTE))
    world.tell(RiskRunAsked())
    causes = {note.cause for note in world.notes[before:]}
    assert [note.text for note in world.notes[before:]][-1] == NOTHING_TO_OFFSET
    assert len(world.notes) == before + 2
    assert causes == {of_trader(world.now_ms)}


def test_an_offset_is_one_cause_for_the_winners_and_the_loser_that_it_closes():
    risk = RiskSettings(
        require_full_pyramids=False,
        enable_post_full_wait=False,
        loss_threshold_percent=Decimal(-2),
        evaluate_on_fill=False,
    )
    world = opened(Settings(risk=risk, sizing=SizingSettings(amount=Decimal(1000))))
    world.price("ETH/USDT", "2000")
    world.alert("2000", tv__symbol="ETHUSDT", risk={"take_profit": "9000"})
    world.price("BTC/USDT", "48000")
    world.price("ETH/USDT", "2019")
    plans_before = len(world.steps)
    world.tell(RiskRunAsked())
    plan = next(step.plan for step in world.steps[plans_before:] if step.plan is not None)
    assert closing_causes(world) == {of_offset(plan.at_ms)}
    assert set(said(world, "Offset: ")) == set(said(world, "Offset done")) == {of_offset(plan.at_ms)}


def test_nothing_is_ever_without_a_cause():
    world = opened(ONE_SLOT)
    world.price("ETH/USDT", "2000")
    world.alert("2000", tv__symbol="ETHUSDT")
    world.alert("nonsense")
    world.price("BTC/USDT", "49400")
    world.alert("49500", tv__action="sell", execution_intent={"type": "exit"})
    world.tell(Panicked())
    assert all(note.cause for note in world.notes)
    assert all(order.cause for order in world.orders.values())
    assert all(event.cause and event.signal_id for event in world.queue_events)
