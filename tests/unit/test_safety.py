"""The trader's own brakes and his panic button (SPEC §9), worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from exengine.domain.events import GroupCloseAsked, Panicked, QueueDue, RiskDue, RiskRunAsked
from exengine.domain.group import CloseReason, GroupStatus
from exengine.domain.order import Role
from exengine.domain.settings import (
    ExecutionSettings,
    GridSettings,
    LegSpec,
    PoolSettings,
    SafetySettings,
    Settings,
    SizingMode,
    SizingSettings,
    SlippageAction,
)
from tests.helpers.world import BTC, ETH, World

D = Decimal


def world(slippage: str = "0", **changes: Any) -> World:
    legs = (LegSpec(gap_percent=D(0), weight_percent=D(100), tp_percent=D(50)),)
    chosen = {"grid": GridSettings(legs=legs), "sizing": SizingSettings(mode=SizingMode.SIGNAL)} | changes
    return World(Settings(**chosen), slippage_percent=D(slippage))


def at(one: World, when: str) -> None:
    one.now_ms = int(datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp() * 1000)


def trade(one: World, result: str, timeframe: str = "15") -> None:
    """A group that is bought for 1,000 and closed by hand with `result` USDT."""
    one.price("BTC/USDT", "50000")
    sized = {"tv__order_size": "1000", "execution_intent": {"type": "signal", "position_size_type": "quote"}}
    record = one.alert("50000", tv__timeframe=timeframe, **sized)
    one.price("BTC/USDT", str(50000 + 50 * D(result)))
    one.tell(GroupCloseAsked(group_id=record.group))


@pytest.mark.parametrize(("limit", "paused"), [(None, False), ("30.01", False), ("30", True), ("20", True)])
def test_the_engine_pauses_where_todays_realised_loss_reaches_the_limit(limit: str | None, paused: bool) -> None:
    one = world(safety=SafetySettings(max_daily_loss=None if limit is None else D(limit)))
    trade(one, "-10")
    trade(one, "-20")
    assert one.state.control.paused is paused
    assert not paused or " USD has reached its limit (Settings, Safety: Max daily loss)" in one.state.control.why


def test_what_was_won_today_counts_against_what_was_lost() -> None:
    one = world(safety=SafetySettings(max_daily_loss=D(30)))
    for result in ("-20", "15", "-20"):
        trade(one, result)
    assert not one.state.control.paused
    trade(one, "-5")
    assert one.state.control.paused


@pytest.mark.parametrize(
    ("timezone", "second", "paused"),
    [
        ("UTC", "2026-07-10T23:59:00", True),
        ("UTC", "2026-07-11T00:00:00", False),
        # In New York the day of 18:00 UTC ends at 04:00 UTC.
        ("America/New_York", "2026-07-11T03:59:00", True),
        ("America/New_York", "2026-07-11T04:00:00", False),
        # In Tokyo it ended at 15:00 UTC, and the next one lasts until 15:00 UTC.
        ("Asia/Tokyo", "2026-07-11T14:58:00", True),
        ("Asia/Tokyo", "2026-07-11T15:00:00", False),
    ],
)
def test_today_is_the_traders_day(timezone: str, second: str, paused: bool) -> None:
    one = world(timezone=timezone, safety=SafetySettings(max_daily_loss=D(30)))
    at(one, "2026-07-10T18:00:00")
    trade(one, "-20")
    at(one, second)
    trade(one, "-20")
    assert one.state.control.paused is paused


def test_only_the_trader_resumes() -> None:
    one = world(safety=SafetySettings(max_daily_loss=D(10)))
    trade(one, "-10")
    for _ in range(3):
        one.now_ms += 24 * 3600 * 1000
        one.price("BTC/USDT", "60000")
        for event in (QueueDue(), RiskDue(), RiskRunAsked()):
            one.tell(event)
    assert one.state.control.paused


@pytest.mark.parametrize(("limit", "paused"), [(None, False), ("1.01", False), ("1", True)])
def test_the_engine_pauses_where_equity_falls_too_far_below_its_peak(limit: str | None, paused: bool) -> None:
    one = world(safety=SafetySettings(max_drawdown_percent=None if limit is None else D(limit)))
    trade(one, "100")  # the peak: 10,100
    trade(one, "-60")
    trade(one, "-41")  # 9,999 is 1 % below it
    assert one.state.control.paused is paused
    assert not paused or "Max drawdown" in one.state.control.why


def test_a_drawdown_counts_what_open_groups_are_behind() -> None:
    one = world(safety=SafetySettings(max_drawdown_percent=D(1)))
    one.price("BTC/USDT", "50000")
    sized = {"tv__order_size": "5000", "execution_intent": {"type": "signal", "position_size_type": "quote"}}
    one.alert("50000", tv__timeframe="60", **sized)
    trade(one, "-20")  # and the open one is 100 behind at 49,000
    assert one.state.control.paused


def test_a_pause_by_a_brake_lets_nobody_of_the_queue_in() -> None:
    one = world(safety=SafetySettings(max_daily_loss=D(10)), pool=PoolSettings(max_open_groups=1))
    one.price("BTC/USDT", "50000")
    sized = {"tv__order_size": "1000", "execution_intent": {"type": "signal", "position_size_type": "quote"}}
    first = one.alert("50000", **sized)
    one.alert("50000", tv__timeframe="60", **sized)
    one.price("BTC/USDT", "49000")
    one.tell(GroupCloseAsked(group_id=first.group))
    assert one.state.control.paused
    assert not one.state.groups
    assert len(one.state.waiting) == 1


def test_paused_targets_stops_exits_and_offsets_go_on() -> None:
    one = world()
    one.price("BTC/USDT", "50000")
    sized = {"tv__order_size": "1000", "execution_intent": {"type": "signal", "position_size_type": "quote"}}
    for timeframe, stop in (("15", None), ("60", "45000"), ("240", None)):
        one.alert("50000", tv__timeframe=timeframe, risk={"stop_loss": stop}, **sized)
    one.tell(Panicked(entries_only=True))
    one.state.control = replace(one.state.control, paused=True, why="paused by the trader")
    one.alert("50000", "sell", tv__timeframe="240", execution_intent={"type": "exit"})
    one.price("BTC/USDT", "45000")
    one.price("BTC/USDT", "75000")
    reasons = {group.key.timeframe: group.reason for group in one.groups.values()}
    assert reasons == {"15m": CloseReason.TP, "1h": CloseReason.STOP_LOSS, "4h": CloseReason.EXIT}


def test_panic_may_cancel_entries_only() -> None:
    legs = tuple(LegSpec(gap_percent=D(gap), weight_percent=D(50), tp_percent=D(50)) for gap in ("0", "-5"))
    one = world(grid=GridSettings(legs=legs), sizing=SizingSettings(amount=D(1000)))
    one.price("BTC/USDT", "50000")
    one.alert("50000")
    one.tell(Panicked(entries_only=True))
    group = one.group()
    assert (group.status, one.state.control.paused) == (GroupStatus.ACTIVE, False)
    assert [order.role for order in one.state.working(group.id)] == [Role.TP]


def test_panic_also_closes_what_was_held_for_the_trader() -> None:
    one = world(slippage="2", execution=ExecutionSettings(slippage_action=SlippageAction.HOLD))
    trade(one, "0")
    assert one.group().frozen
    one.book._slippage = D(0)
    one.tell(Panicked())
    assert one.group().status is GroupStatus.CLOSED
    assert one.state.balance("paper", "BTC") == 0
    assert one.instruments == (BTC, ETH)
