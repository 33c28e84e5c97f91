"""What each alert means for the group of its key, row by row of SPEC §2.2, on the paper book."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.events import DefectFound
from exengine.domain.group import CloseReason, GroupStatus
from exengine.domain.instrument import MarketType, Side
from exengine.domain.order import OrderStatus, Role
from exengine.domain.reception import Outcome, VerdictKind
from exengine.domain.settings import PAPER, GridSettings, LegSpec, PoolSettings, Settings, SizingMode, SizingSettings
from tests.helpers.alerts import ABSENT, alert
from tests.helpers.world import BTC, BTC_PERPETUAL, World

ONE_LEG = GridSettings(legs=(LegSpec(gap_percent=Decimal(0), weight_percent=Decimal(100), tp_percent=Decimal(10)),))
SWAP = replace(PAPER, market_type=MarketType.SWAP)
SMALL = replace(BTC, min_notional=Decimal("0.1"))
KEY = "paper|BTC/USDT|15m"
PERPETUAL_KEY = "paper|BTC/USDT:USDT|15m"


def spot(price: str | None = "50000", **changes) -> World:
    world = World(Settings(grid=ONE_LEG, sizing=SizingSettings(amount=Decimal(1000)), **changes))
    if price:
        world.price("BTC/USDT", price)
    return world


def swap(**changes) -> World:
    settings = Settings(accounts=(SWAP,), grid=ONE_LEG, sizing=SizingSettings(amount=Decimal(1000)), **changes)
    world = World(settings, instruments=(BTC_PERPETUAL,))
    world.price("BTC/USDT:USDT", "50000")
    return world


def positions(before: str | None, now: str | None, sizes: tuple[object, object] = (None, None)) -> dict:
    return {
        "tv__prev_market_position": before,
        "tv__market_position": now,
        "tv__prev_market_position_size": sizes[0],
        "tv__market_position_size": sizes[1],
    }


def told(record) -> tuple[Outcome, str]:
    return record.outcome, record.reason


def reverse(action: str = "sell", **changes) -> dict:
    return {"action": action, "execution_intent": {"type": "reverse"}, **changes}


@pytest.mark.parametrize("now", ["long", "short"])
def test_from_flat_to_a_side_is_an_entry_of_that_side(now):
    world = swap()
    action = "buy" if now == "long" else "sell"
    assert world.alert("50000", action, **positions("flat", now, (0, 1))).outcome is Outcome.OPENED
    assert world.group().side is Side(now)


def test_the_same_side_and_larger_is_a_pyramid_where_the_group_lives_and_an_entry_where_none_does():
    world = spot()
    assert world.alert("50000", **positions("long", "long", (1, 2))).outcome is Outcome.OPENED
    assert world.alert("50000", **positions("long", "long", (2, 3))).outcome is Outcome.PYRAMID


@pytest.mark.parametrize("sizes", [(None, None), (1, None), (None, 2)])
def test_the_same_side_of_unknown_size_is_an_entry_when_the_action_goes_with_it(sizes):
    assert spot().alert("50000", **positions("long", "long", sizes)).outcome is Outcome.OPENED


def test_the_same_side_and_smaller_is_a_reduction_by_the_share_that_the_size_fell():
    world = spot()
    world.alert("50000")
    record = world.alert("50000", "sell", **positions("long", "long", (4, 3)))
    assert told(record) == (Outcome.REDUCED, "")
    assert world.group().net_qty == Decimal("0.015")


def test_the_strategys_own_order_size_says_nothing_where_the_positions_tell_the_share():
    world = spot()
    world.alert("50000")
    world.alert("50000", "sell", tv__order_size="1", **positions("long", "long", (4, 3)))
    assert world.group().net_qty == Decimal("0.015")


def test_the_same_side_and_the_same_size_changes_nothing():
    world = spot()
    record = world.alert("50000", **positions("long", "long", (2, 2)))
    assert told(record) == (Outcome.IGNORED, "no_change")
    assert not world.orders


@pytest.mark.parametrize("before", ["long", None, "flat"])
def test_now_flat_is_an_exit_also_where_only_the_present_position_is_given(before):
    world = spot()
    world.alert("50000")
    assert world.alert("50000", "sell", **positions(before, "flat")).outcome is Outcome.EXITED
    assert world.group().reason is CloseReason.EXIT


@pytest.mark.parametrize("before", ["long", None])
def test_an_action_against_the_side_without_sizes_is_invalid(before):
    world = spot()
    world.alert("50000")
    record = world.alert("50000", "sell", **positions(before, "long"))
    assert told(record) == (Outcome.INVALID, "tv.market_position_size")
    assert len(world.group().pyramids) == 1


@pytest.mark.parametrize(
    ("action", "side"), [("buy", Side.LONG), ("long", Side.LONG), ("sell", Side.SHORT), ("short", Side.SHORT)]
)
def test_without_positions_the_action_names_the_side(action, side):
    world = swap()
    assert world.alert("50000", action).outcome is Outcome.OPENED
    assert world.group().side is side


def test_without_positions_a_sell_leaves_a_living_long():
    world = swap()
    world.alert("50000")
    assert world.alert("50000", "sell").outcome is Outcome.EXITED


def test_without_positions_a_sell_adds_to_a_living_short():
    world = swap()
    world.alert("50000", "sell")
    assert world.alert("50000", "sell").outcome is Outcome.PYRAMID


def test_without_positions_a_short_is_an_entry_that_waits_for_a_living_long():
    world = swap()
    world.alert("50000")
    assert told(world.alert("50000", "short")) == (Outcome.QUEUED, "opposite_side")
    assert world.group().status is GroupStatus.ACTIVE


def test_an_exit_without_a_group_does_nothing_and_the_log_says_so():
    world = spot()
    record = world.alert("50000", "sell", execution_intent={"type": "exit"})
    assert told(record) == (Outcome.NOTHING_TO_EXIT, "")
    assert "nothing was open" in world.notes[-1].text


def test_an_exit_takes_the_waiting_entries_of_its_key_and_no_other_away():
    world = spot(pool=PoolSettings(max_open_groups=1))
    world.alert("50000")
    world.alert("50000", tv__timeframe="60")
    world.alert("50000", tv__timeframe="240")
    record = world.alert("50000", "sell", tv__timeframe="60", execution_intent={"type": "exit"})
    assert told(record) == (Outcome.REMOVED, "")
    assert [str(one.key) for one in world.state.waiting.values()] == ["paper|BTC/USDT|4h"]


def test_a_perpetual_is_long_or_short_whatever_the_timeframe_for_its_account_has_one_position_of_it():
    world = swap()
    world.alert("50000", "buy")
    assert told(world.alert("50000", "short", tv__timeframe="60")) == (Outcome.QUEUED, "opposite_side")
    assert told(world.alert("50000", "buy", tv__timeframe="240")) == (Outcome.OPENED, "")
    world.alert("50000", "sell", execution_intent={"type": "exit"})
    assert sides(world) == [Side.LONG]
    world.alert("50000", "sell", execution_intent={"type": "exit"}, tv__timeframe="240")
    assert sides(world) == [Side.SHORT]


def sides(world: World) -> list[Side]:
    return [group.side for group in world.state.groups.values()]


def test_an_exit_closes_the_group_and_takes_the_waiting_opposite_entry_away_in_one():
    world = swap()
    world.alert("50000")
    world.alert("50000", "short")
    assert world.alert("50000", "sell", execution_intent={"type": "exit"}).outcome is Outcome.EXITED
    assert not world.state.waiting
    assert not world.state.groups


@pytest.mark.parametrize(
    ("size", "unit", "left"),
    [
        ("0.005", "base", "0.015"),
        ("0.005", "contracts", "0.015"),
        ("255", "quote", "0.015"),
        ("0.0000199", "base", "0.01999"),
    ],
)
def test_a_reduction_is_by_order_size_in_its_unit_down_to_the_step(size, unit, left):
    world = World(Settings(grid=ONE_LEG, sizing=SizingSettings(amount=Decimal(1000))), instruments=(SMALL,))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "51000")
    record = world.alert(
        "50500", "sell", tv__order_size=size, execution_intent={"type": "reduce", "position_size_type": unit}
    )
    assert record.outcome is Outcome.REDUCED
    assert world.group().net_qty == Decimal(left)


def test_a_reduction_without_a_size_goes_by_the_share_that_the_size_fell():
    world = spot()
    world.alert("50000")
    world.alert("50000", "sell", execution_intent={"type": "reduce"}, **positions(None, None, (2, 1)))
    assert world.group().net_qty == Decimal("0.01")


@pytest.mark.parametrize("sizes", [(None, None), (1, 2), (0, 0)])
def test_a_reduction_that_does_not_say_by_how_much_is_invalid(sizes):
    world = spot()
    world.alert("50000")
    record = world.alert("50000", "sell", execution_intent={"type": "reduce"}, **positions(None, None, sizes))
    assert told(record) == (Outcome.INVALID, "tv.order_size")


def test_legs_are_reduced_in_the_order_of_their_first_fills():
    legs = tuple(
        LegSpec(gap_percent=Decimal(gap), weight_percent=Decimal(50), tp_percent=Decimal(10)) for gap in ("-1", "0")
    )
    world = World(Settings(grid=GridSettings(legs=legs), sizing=SizingSettings(amount=Decimal(1000))))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.price("BTC/USDT", "49500")
    world.alert("49500", "sell", tv__order_size="0.012", execution_intent={"type": "reduce"})
    assert world.group().leg((0, 1)).net_qty == 0
    assert world.group().leg((0, 0)).net_qty == Decimal("0.0081")
    assert world.group().is_open


def test_a_reduction_keeps_the_slot_the_pyramids_and_the_unfilled_legs():
    legs = tuple(
        LegSpec(gap_percent=Decimal(gap), weight_percent=Decimal(50), tp_percent=Decimal(10)) for gap in ("0", "-1")
    )
    world = World(Settings(grid=GridSettings(legs=legs), sizing=SizingSettings(amount=Decimal(1000))))
    world.price("BTC/USDT", "50000")
    world.alert("50000")
    world.alert("50000", "sell", tv__order_size="0.005", execution_intent={"type": "reduce"})
    (resting,) = [order for order in world.role(Role.ENTRY) if order.is_working]
    assert resting.leg == 1
    assert [order.qty for order in world.role(Role.TP) if order.is_working] == [Decimal("0.005")]
    assert world.group().status is GroupStatus.PARTIALLY_FILLED


def test_a_reduction_of_everything_is_an_exit_in_all_but_name():
    world = spot()
    world.alert("50000")
    record = world.alert("50000", "sell", tv__order_size="5", execution_intent={"type": "reduce"})
    assert told(record) == (Outcome.REDUCED, "")
    assert (world.group().status, world.group().reason) == (GroupStatus.CLOSED, CloseReason.EXIT)


def test_a_reduction_below_the_minimum_is_ignored():
    world = spot()
    world.alert("50000")
    record = world.alert("50000", "sell", tv__order_size="0.00009", execution_intent={"type": "reduce"})
    assert told(record) == (Outcome.IGNORED, "below_minimum")
    assert world.group().net_qty == Decimal("0.02")


def test_a_reduction_without_anything_held_finds_nothing():
    world = spot("50100")
    assert world.alert("50000", "sell", tv__order_size="1", execution_intent={"type": "reduce"}).outcome is (
        Outcome.NOTHING_TO_EXIT
    )
    world.alert("50000")
    assert world.alert("50000", "sell", tv__order_size="1", execution_intent={"type": "reduce"}).outcome is (
        Outcome.NOTHING_TO_EXIT
    )
    assert world.group().status is GroupStatus.LIVE


def test_a_reduction_of_a_short_buys_back():
    world = swap()
    world.alert("50000", "short")
    world.alert("50000", "buy", tv__order_size="0.005", execution_intent={"type": "reduce"})
    assert world.group().net_qty == Decimal("0.015")


@pytest.mark.parametrize(("first", "then"), [("buy", "short"), ("short", "long")])
def test_a_reverse_closes_the_group_and_opens_its_other_side_at_once(first, then):
    world = swap()
    world.alert("50000", first)
    record = world.alert("50000", **reverse(action="buy" if then == "long" else "sell"))
    assert record.outcome is Outcome.REVERSED
    assert world.group(f"{PERPETUAL_KEY}#1").reason is CloseReason.REVERSE
    assert world.group(f"{PERPETUAL_KEY}#2").side is Side(then)
    assert world.group(f"{PERPETUAL_KEY}#2").status is GroupStatus.ACTIVE


def test_opposite_sides_are_a_reverse():
    world = swap()
    world.alert("50000")
    assert world.alert("50000", "sell", **positions("long", "short", (1, 1))).outcome is Outcome.REVERSED


def test_a_reverse_without_a_group_is_the_entry_of_the_actions_side():
    world = swap()
    assert world.alert("50000", **reverse("sell")).outcome is Outcome.REVERSED
    assert world.group().side is Side.SHORT


def test_a_reverse_to_the_side_that_lives_already_is_an_entry():
    world = swap()
    world.alert("50000")
    record = world.alert("50000", "buy", **positions("short", "long", (1, 1)))
    assert record.outcome is Outcome.PYRAMID


def test_a_reverse_goes_into_the_slot_that_it_leaves_ahead_of_the_queue():
    world = swap(pool=PoolSettings(max_open_groups=1))
    world.alert("50000")
    world.alert("60000", "short", tv__timeframe="60")
    world.alert("50000", **reverse())
    assert set(world.state.groups) == {f"{PERPETUAL_KEY}#2"}
    assert [one.reason for one in world.state.waiting.values()] == ["pool_full"]


def test_a_reverse_without_a_group_takes_the_waiting_entry_of_the_other_side_away():
    world = swap(pool=PoolSettings(max_open_groups=1))
    world.alert("50000", tv__timeframe="60")
    world.alert("50000")
    assert told(world.alert("50000", **reverse())) == (Outcome.QUEUED, "opposite_side")
    assert [one.side for one in world.state.waiting.values()] == [Side.SHORT]


def test_a_reverse_of_a_ladder_that_never_filled_closes_it_as_cancelled():
    world = swap()
    world.alert("49000")
    world.alert("50000", **reverse())
    assert world.group(f"{PERPETUAL_KEY}#1").reason is CloseReason.CANCELLED
    assert world.group(f"{PERPETUAL_KEY}#2").side is Side.SHORT


def test_a_short_on_spot_is_refused():
    world = spot()
    assert told(world.alert("50000", "short")) == (Outcome.REFUSED, "short_not_supported")
    assert not world.orders


def test_a_reverse_to_short_on_spot_closes_the_long_and_says_so():
    world = spot()
    world.alert("50000")
    assert told(world.alert("50000", **reverse())) == (Outcome.EXITED, "short_not_supported")
    assert world.group().reason is CloseReason.REVERSE
    assert not world.state.waiting


def test_a_stop_on_the_wrong_side_is_seen_when_the_alert_comes():
    world = spot()
    verdict, record = world.post(alert(timestamp=world.now_ms, tv__entry_price="50000", risk={"stop_loss": "50000"}))
    assert verdict.kind is VerdictKind.INVALID
    assert told(record) == (Outcome.INVALID, "risk.stop_loss")


def test_a_size_that_the_signal_has_to_bring_and_does_not_makes_it_invalid_at_the_door():
    world = World(Settings(grid=ONE_LEG, sizing=SizingSettings(mode=SizingMode.SIGNAL)))
    world.price("BTC/USDT", "50000")
    verdict, record = world.post(alert(timestamp=world.now_ms, tv__order_size=ABSENT))
    assert [error.field for error in verdict.errors] == ["tv.order_size"]
    assert told(record) == (Outcome.INVALID, "tv.order_size")
    assert world.alert("50000", "sell", execution_intent={"type": "exit"}).outcome is Outcome.NOTHING_TO_EXIT


def test_an_entry_for_a_group_that_is_paused_by_a_fault_waits():
    world = spot()
    world.alert("50000")
    world.tell(DefectFound(group_id=f"{KEY}#1", why="a test"))
    assert told(world.alert("49900")) == (Outcome.QUEUED, "paused")
    assert [order.status for order in world.role(Role.ENTRY)] == [OrderStatus.FILLED]
