"""When a losing group's wait is over (SPEC §8: timer and age filter)."""

from math import ceil
from typing import assert_never

from exengine.domain.group import Group
from exengine.domain.settings import TimerStart
from exengine.domain.state import State

_MINUTE_MS = 60_000


def timer_started_at_ms(state: State, group: Group) -> int | None:
    """When the group's timer began to run; None while what starts it has not happened."""
    risk = state.settings.risk
    began: int | None = group.pyramids[-1].received_at_ms
    if not risk.require_full_pyramids:
        return max(group.pyramids[-1].received_at_ms, group.timer_reset_at_ms or 0)
    if len(group.pyramids) < group.max_pyramids:
        return None
    match risk.timer_start:
        case TimerStart.AFTER_5_PYRAMIDS:
            pass
        case TimerStart.AFTER_ALL_DCA_SUBMITTED:
            began = group.submitted_at_ms
        case TimerStart.AFTER_ALL_DCA_FILLED:
            began = group.filled_at_ms
        case _:
            assert_never(risk.timer_start)
    if began is None:
        return None
    return max(began, group.timer_reset_at_ms or 0)


def timer_left_ms(state: State, group: Group, now_ms: int) -> int | None:
    """How long the timer still runs; 0 once it has run out, None while it has not begun."""
    if not state.settings.risk.enable_post_full_wait:
        return 0
    began = timer_started_at_ms(state, group)
    if began is None:
        return None
    wait_ms = int(state.settings.risk.post_full_wait_minutes * _MINUTE_MS)
    return max(0, began + wait_ms - now_ms)


def old_enough(state: State, group: Group, now_ms: int) -> bool:
    """Whether the group's first fill is `age_threshold_minutes` ago."""
    if group.first_fill_at_ms is None:
        return False
    return now_ms - group.first_fill_at_ms >= state.settings.risk.age_threshold_minutes * _MINUTE_MS


def candidate_from_ms(state: State, group: Group) -> int | None:
    """From when on a group that loses enough is a candidate; None while something else than the time must happen."""
    risk = state.settings.risk
    if group.first_fill_at_ms is None or (risk.require_full_pyramids and len(group.pyramids) < group.max_pyramids):
        return None
    from_ms = 0
    if risk.enable_post_full_wait:
        began = timer_started_at_ms(state, group)
        if began is None:
            return None
        from_ms = began + int(risk.post_full_wait_minutes * _MINUTE_MS)
    if risk.use_trade_age_filter:
        from_ms = max(from_ms, group.first_fill_at_ms + ceil(risk.age_threshold_minutes * _MINUTE_MS))
    return from_ms
