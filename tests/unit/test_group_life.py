"""A group from its alert to its end, on the paper book, worked out by hand."""

from dataclasses import replace
from decimal import Decimal

from exengine.domain import pnl
from exengine.domain.events import EntriesCancelAsked, GroupCloseAsked, OrderRejected, Panicked, Paused, Resumed
from exengine.domain.group import CloseReason, GroupStatus, LegState
from exengine.domain.money import arithmetic, plain
from exengine.domain.order import OrderStatus, Role
from exengine.domain.reception import Outcome
from exengine.domain.settings import (
    BelowMinimum,
    EntryOrder,
    ExecutionSettings,
    GapReference,
    GridSettings,
    LegSpec,
    PoolSettings,
    Settings,
    SizingSettings,
    SlippageAction,
    TakeProfitSettings,
)
from exengine.exchange.paper_book import Fees
from tests.helpers.world import BTC, World


def grid(*legs: tuple[str, str, str], **changes) -> GridSettings:
    specs = tuple(LegSpec(gap_percent=Decimal(g), weight_percent=Decimal(w), tp_percent=Decimal(t)) for g, w, t in legs)
    return GridSettings(legs=specs, **changes)


def settings(grid_settings: GridSettings | None = None, amount: str = "1000", **changes) -> Settings:
    return Settings(grid=grid_settings or GridSettings(), sizing=SizingSettings(amount=Decimal(amount)), **changes)


ONE_LEG = grid(("0", "100", "1"))
TWO_LEGS = grid(("0", "50", "1"), ("-1", "50", "2"))


def test_an_entry_alert_lays_the_whole_default_ladder_of_the_contract():
    world = World()
    world.price("BTC/USDT", "50100")
    record = world.alert("50000.07")
    assert (record.outcome, record.group) == (Outcome.OPENED, "paper|BTC/USDT|15m#1")
    assert [(o.leg, str(o.price), str(o.qty), o.status) for o in world.role(Role.ENTRY)] == [
        (0, "50000.07", "0.00039", OrderStatus.OPEN),
        (1, "49750.06", "0.00040", OrderStatus.OPEN),
        (2, "49500.06", "0.00040", OrderStatus.OPEN),
        (3, "49250.06", "0.00040", OrderStatus.OPEN),
        (4, "49000.06", "0.00040", OrderStatus.OPEN),
    ]
    assert world.group().status is GroupStatus.LIVE
    assert [leg.state for _, leg in world.group().legs()] == [LegState.OPEN] * 5


def test_each_filled_leg_gets_a_target_of_its_own_and_leaves_by_it():
    world = World(settings(TWO_LEGS))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    assert world.group().status is GroupStatus.PARTIALLY_FILLED
    world.price("BTC/USDT", "49500")
    assert world.group().status is GroupStatus.ACTIVE
    assert {(o.leg, str(o.price)) for o in world.role(Role.TP)} == {(0, "50500.00"), (1, "50490.00")}
    world.price("BTC/USDT", "50490")
    assert world.group().leg((0, 1)).state is LegState.CLOSED
    assert world.group().leg((0, 0)).state is LegState.TP_PLACED
    world.price("BTC/USDT", "50500")
    group = world.group()
    assert (group.status, group.reason) == (GroupStatus.CLOSED, CloseReason.TP)
    assert world.realised() == Decimal("14.999")


def test_the_rest_of_the_ladder_goes_when_everything_filled_is_closed():
    world = World(settings())
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "50500")
    assert world.group().status is GroupStatus.CLOSED
    assert [o.status for o in world.role(Role.ENTRY)][1:] == [OrderStatus.CANCELLED] * 4
    assert not world.book.open_orders()


def test_without_close_when_flat_the_group_stays_for_its_unfilled_legs():
    world = World(settings(take_profit=TakeProfitSettings(close_when_flat=False)))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "50500")
    assert world.group().status is GroupStatus.PARTIALLY_FILLED
    assert len(world.book.open_orders()) == 4
    world.price("BTC/USDT", "49750")
    assert world.group().leg((0, 1)).state is LegState.TP_PLACED


def test_an_exit_cancels_what_rests_and_sells_what_filled_in_one_order():
    world = World(settings())
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "49750")
    world.price("BTC/USDT", "49700")
    record = world.alert("49700", "sell", execution_intent={"type": "exit"})
    assert record.outcome is Outcome.EXITED
    (close,) = world.role(Role.CLOSE)
    assert (close.qty, close.average_price) == (Decimal("0.00802"), Decimal(49700))
    assert world.group().reason is CloseReason.EXIT
    assert world.realised() == Decimal("-1.401")
    assert not world.book.open_orders()


def test_three_exits_sell_once():
    world = World(settings(ONE_LEG))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    outcomes = [world.alert("50000", "sell", execution_intent={"type": "exit"}).outcome for _ in range(3)]
    assert outcomes == [Outcome.EXITED, Outcome.NOTHING_TO_EXIT, Outcome.NOTHING_TO_EXIT]
    assert len(world.role(Role.CLOSE)) == 1


def test_an_exit_before_any_fill_only_takes_the_ladder_away():
    world = World()
    world.price("BTC/USDT", "50100")
    world.alert("50000")
    world.alert("50100", "sell", execution_intent={"type": "exit"})
    assert (world.group().status, world.group().reason) == (GroupStatus.CLOSED, CloseReason.CANCELLED)
    assert not world.fills


def test_fees_in_base_leave_dust_that_is_shown_and_counted():
    world = World(settings(ONE_LEG, amount="100"), fees=Fees())
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "50500")
    group = world.group()
    assert group.status is GroupStatus.CLOSED
    assert group.net_qty == Decimal("0.000008")
    with arithmetic():
        assert plain(world.realised()) == "0.7949054004"
        assert pnl.fees(group) == Decimal("0.000002") * 50000 + Decimal("0.100495")


def test_the_last_target_takes_the_dust_of_the_others_along_as_soon_as_it_makes_a_step():
    world = World(settings(grid(*[("0", "20", t) for t in ("1", "2", "3", "4", "5")]), amount="9900"), fees=Fees())
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    bought = sum(leg.entered_qty - leg.entry_fees_base for _, leg in world.group().legs())
    for price in ("50500", "51000", "51500", "52000", "52500"):
        world.price("BTC/USDT", price)
    assert world.group().status is GroupStatus.CLOSED
    sold = sum(order.filled_qty for order in world.role(Role.TP))
    assert sold == BTC.qty_floor(bought)


def test_balances_are_start_plus_fills_minus_fees_to_the_last_digit():
    world = World(settings(), fees=Fees())
    for price in ("50000", "49750", "49500"):
        world.price("BTC/USDT", price)
        if price == "50000":
            world.alert("50000")
    world.price("BTC/USDT", "50490")
    usdt, btc = Decimal(10000), Decimal(0)
    for applied in world.fills:
        fill, sign = applied.fill, 1 if applied.order.side.value == "buy" else -1
        usdt -= sign * fill.price * fill.qty + (fill.fee if fill.fee_currency == "USDT" else 0)
        btc += sign * fill.qty - (fill.fee if fill.fee_currency == "BTC" else 0)
    assert world.state.balance("paper", "USDT") == usdt == world.book.totals()["USDT"]
    assert world.state.balance("paper", "BTC") == btc == world.book.totals()["BTC"]


def test_a_second_alert_of_the_same_side_adds_a_pyramid_until_there_are_enough():
    world = World(settings(replace(ONE_LEG, max_pyramids=2)))
    world.price("BTC/USDT", "50100")
    outcomes = [(r.outcome, r.reason) for r in (world.alert("50000"), world.alert("49900"), world.alert("49800"))]
    assert outcomes == [(Outcome.OPENED, ""), (Outcome.PYRAMID, ""), (Outcome.IGNORED, "max_pyramids")]
    assert [p.base_price for p in world.group().pyramids] == [50000, 49900]


def test_gaps_may_count_from_the_groups_first_base_while_leg_0_keeps_the_signals_price():
    world = World(settings(replace(TWO_LEGS, gap_reference=GapReference.GROUP)))
    world.price("BTC/USDT", "51000")
    world.alert("50000")
    world.alert("49000")
    assert [str(o.price) for o in world.role(Role.ENTRY)] == ["50000", "49500.00", "49000", "49500.00"]


def test_a_market_entry_buys_at_once_with_a_quantity_by_the_last_price():
    world = World(settings(replace(ONE_LEG, entry_order=EntryOrder.MARKET)))
    world.price("BTC/USDT", "40000")
    world.alert("50000")
    (entry,) = world.role(Role.ENTRY)
    assert (entry.price, entry.qty, entry.average_price) == (None, Decimal("0.025"), Decimal(40000))


def test_a_leg_below_the_minimum_is_skipped_raised_or_rejects_the_pyramid():
    legs = grid(("0", "96", "1"), ("-1", "4", "1"))
    skipped, raised, rejected = (
        World(settings(replace(legs, on_below_minimum=mode), amount="100"))
        for mode in (BelowMinimum.SKIP_LEG, BelowMinimum.RAISE, BelowMinimum.REJECT)
    )
    for world in (skipped, raised, rejected):
        world.price("BTC/USDT", "50100")
    assert skipped.alert("50000").outcome is Outcome.OPENED
    assert skipped.group().leg((0, 1)).state is LegState.BLOCKED
    assert raised.alert("50000").outcome is Outcome.OPENED
    assert raised.group().leg((0, 1)).qty == Decimal("0.00011")
    refused = rejected.alert("50000")
    assert (refused.outcome, refused.reason) == (Outcome.REFUSED, "below_minimum")
    assert not rejected.orders


def test_what_the_free_balance_cannot_carry_is_refused_before_any_order():
    world = World(settings(ONE_LEG, amount="6000"))
    world.price("BTC/USDT", "50100")
    world.alert("50000")
    second = world.alert("50000", tv__timeframe="60")
    assert (second.outcome, second.reason) == (Outcome.REFUSED, "insufficient_funds")
    assert len(world.orders) == 1


def test_cancelled_entries_free_their_money_and_an_empty_group_closes():
    world = World(settings(ONE_LEG, amount="6000"))
    world.price("BTC/USDT", "50100")
    world.alert("50000")
    world.tell(EntriesCancelAsked(group_id="paper|BTC/USDT|15m#1"))
    assert world.group().reason is CloseReason.CANCELLED
    assert world.alert("50000").outcome is Outcome.OPENED
    assert world.group("paper|BTC/USDT|15m#2").status is GroupStatus.LIVE


def test_the_trader_closes_a_group_by_hand():
    world = World(settings(ONE_LEG))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "50100")
    world.tell(GroupCloseAsked(group_id="paper|BTC/USDT|15m#1"))
    assert world.group().reason is CloseReason.MANUAL
    assert world.realised() == Decimal("2")


def test_panic_closes_everything_empties_the_queue_and_pauses():
    world = World(settings(ONE_LEG, pool=PoolSettings(max_open_groups=2)))
    world.price("BTC/USDT", "50000")
    world.price("ETH/USDT", "2010")
    world.alert("50000")
    world.alert("2000", tv__symbol="ETHUSDT")
    world.alert("50000", tv__timeframe="60")
    world.tell(Panicked())
    assert [group.reason for group in world.groups.values()] == [CloseReason.PANIC, CloseReason.CANCELLED]
    assert not world.state.waiting
    assert world.state.control.paused
    assert not world.book.open_orders()


def test_a_full_pool_makes_entries_wait_and_the_freed_slot_is_taken_in_the_same_step():
    world = World(settings(ONE_LEG, pool=PoolSettings(max_open_groups=1)))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    waiting = world.alert("50000", tv__timeframe="60")
    assert (waiting.outcome, waiting.reason) == (Outcome.QUEUED, "pool_full")
    world.price("BTC/USDT", "50500")
    assert set(world.state.groups) == {"paper|BTC/USDT|1h#1"}
    (closing,) = [step for step in world.steps if step.freed]
    assert "paper|BTC/USDT|1h#1" in closing.groups


def test_paused_means_entries_wait_while_targets_go_on():
    world = World(settings(ONE_LEG))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.tell(Paused())
    assert world.alert("50000", tv__timeframe="60").reason == "paused"
    world.price("BTC/USDT", "50500")
    assert world.group("paper|BTC/USDT|15m#1").status is GroupStatus.CLOSED
    world.tell(Resumed())
    assert world.group("paper|BTC/USDT|1h#1").is_open


def test_an_alert_that_came_before_the_market_rules_waits_and_goes_in_when_they_arrive():
    world = World(settings(ONE_LEG), load=False)
    record = world.alert("50000")
    assert (record.outcome, record.reason) == (Outcome.QUEUED, "missing_rules")
    world.load()
    world.price("BTC/USDT", "50100")
    assert "paper|BTC/USDT|15m#1" in world.state.groups


def test_a_refused_leg_is_told_loudly_and_the_others_stand():
    world = World(settings(TWO_LEGS))
    world.price("BTC/USDT", "50100")
    world.alert("50000")
    second = world.role(Role.ENTRY)[1]
    world.tell(OrderRejected(client_id=second.client_id, code="-1013", text="too many open orders"))
    assert world.group().leg((0, 1)).state is LegState.REJECTED
    assert world.group().leg((0, 0)).state is LegState.OPEN
    assert world.notes[-1].advice


def test_where_every_leg_is_refused_the_group_closes_as_entry_failed():
    world = World(settings(TWO_LEGS))
    world.price("BTC/USDT", "50100")
    world.alert("50000")
    for order in world.role(Role.ENTRY):
        world.tell(OrderRejected(client_id=order.client_id, code="x", text="no"))
    assert (world.group().status, world.group().reason) == (GroupStatus.CLOSED, CloseReason.ENTRY_FAILED)


def test_a_close_beyond_the_bound_is_tried_again_and_then_forced():
    world = World(settings(ONE_LEG), slippage_percent=Decimal(2))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.alert("50000", "sell", execution_intent={"type": "exit"})
    closes = world.role(Role.CLOSE)
    assert [o.status for o in closes] == [OrderStatus.EXPIRED] * 4 + [OrderStatus.FILLED]
    assert (closes[-1].bound, closes[-1].average_price) == (None, Decimal(49000))


def test_a_close_beyond_the_bound_is_held_for_the_trader_where_he_wants_it_so():
    held = ExecutionSettings(slippage_action=SlippageAction.HOLD)
    world = World(settings(ONE_LEG, execution=held), slippage_percent=Decimal(2))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.alert("50000", "sell", execution_intent={"type": "exit"})
    assert world.group().status is GroupStatus.CLOSING
    assert world.group().frozen
    assert len(world.role(Role.CLOSE)) == 4


def test_a_reduction_sells_a_part_and_the_rest_keeps_its_target():
    world = World(settings(grid(("0", "100", "10"))))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "51000")
    record = world.alert(
        "51000", "sell", tv__order_size="0.005", execution_intent={"type": "reduce", "position_size_type": "base"}
    )
    assert record.outcome is Outcome.REDUCED
    assert world.group().net_qty == Decimal("0.015")
    world.price("BTC/USDT", "55000")
    assert world.realised() == Decimal(80)
    assert world.group().reason is CloseReason.TP


def test_a_resend_buys_nothing_and_the_next_bar_does():
    world = World(settings(ONE_LEG))
    world.price("BTC/USDT", "50100")
    first = world.alert("50000")
    stamp = world.now_ms
    again = world.alert("50000", timestamp=stamp)
    assert (again.outcome, world.steps[-1].verdict.signal_id) == (Outcome.DUPLICATE, first.id)
    assert world.alert("50000").outcome is Outcome.PYRAMID


def test_a_stale_alert_is_accepted_stored_and_not_traded():
    world = World(settings(ONE_LEG))
    world.price("BTC/USDT", "50100")
    late = world.alert("50000", timestamp=world.now_ms - 400_000)
    assert (late.outcome, late.reason) == (Outcome.REFUSED, "stale")
    assert not world.groups


def test_deciding_twice_from_the_same_start_gives_the_same_orders_and_undoing_gives_the_start_back():
    def life() -> World:
        world = World(settings(), fees=Fees())
        world.price("BTC/USDT", "50000")
        world.alert("50000")
        for price in ("49750", "49500", "50490", "50500"):
            world.price("BTC/USDT", price)
        return world

    one, two = life(), life()
    assert one.orders == two.orders
    assert one.groups == two.groups
    before = World(settings(), fees=Fees())
    for step in reversed(one.steps[1:]):
        step.undo()
    assert (one.state.groups, one.state.orders, one.state.moved, one.state.reserved) == ({}, {}, {}, {})
    assert one.state.next_signal_id == before.state.next_signal_id
