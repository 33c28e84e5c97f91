"""The trader's hands on the engine: pause, resume, panic, close one, cancel entries (SPEC §9)."""

from dataclasses import replace

from exengine.domain.events import DefectFound
from exengine.domain.group import CloseReason, Group, GroupKey, GroupStatus
from exengine.domain.journal import Category, Severity, Topic
from exengine.domain.lifecycle import begin_closing, cancel_entries, settle
from exengine.domain.pool import promote
from exengine.domain.reception import Outcome
from exengine.domain.state import Control
from exengine.domain.step import Step


def pause(step: Step, why: str, topic: Topic = Topic.PAUSED) -> None:
    """No new groups or pyramids from now on; targets, exits and stops go on."""
    if step.state.control.paused:
        return
    step.set_control(Control(paused=True, why=why))
    step.note(
        Severity.WARNING,
        Category.SYSTEM,
        f"Paused: {why}.",
        advice="Targets, exits and stops go on; entries wait in the queue until you resume.",
        topic=topic,
    )


def resume(step: Step) -> None:
    if step.state.control.paused:
        step.set_control(Control())
        step.note(Severity.INFO, Category.SYSTEM, "Resumed: new entries are taken again.", topic=Topic.RESUMED)


def panic(step: Step, *, entries_only: bool) -> None:
    """Cancels everything, closes all groups, empties the queue and pauses; or cancels the unfilled entries only."""
    if entries_only:
        cancelled = sum(cancel_entries(step, group_id) for group_id in list(step.state.groups))
        text = f"Panic: {cancelled} unfilled entries are being cancelled."
        step.note(Severity.WARNING, Category.SYSTEM, text, topic=Topic.PANIC)
        return
    step.note(
        Severity.WARNING,
        Category.SYSTEM,
        f"Panic: {len(step.state.groups)} groups are being closed at market, "
        f"{len(step.state.waiting)} waiting entries are removed.",
        topic=Topic.PANIC,
    )
    for waiting in list(step.state.waiting.values()):
        step.remove_waiting(waiting, "removed", "panic")
    pause(step, "panic")
    for group_id in list(step.state.groups):
        _close_now(step, step.state.groups[group_id], CloseReason.PANIC)


def close_group(step: Step, group_id: str) -> None:
    """Closes one group at market. One that was frozen on its way out is let go on, one that waits waits no longer."""
    group = step.state.groups.get(group_id)
    if group is None:
        return
    step.note(Severity.INFO, Category.ORDER, "Close asked by the trader.", group=group)
    _close_now(step, group, CloseReason.MANUAL)


def _close_now(step: Step, group: Group, reason: CloseReason) -> None:
    if group.again_at_ms is not None and group.status is GroupStatus.CLOSING:
        # A target or an offset that waits for a price within the bound: from now on it is the trader's own close.
        group = replace(group, again_at_ms=None, close_attempts=0, reason=reason, close_cause=step.cause_of(group))
        step.put_group(group)
    if group.frozen:
        group = replace(group, frozen=None, close_attempts=0)
        step.put_group(group)
    if group.status is GroupStatus.CLOSING:
        settle(step, group.id)
    else:
        begin_closing(step, group.id, reason)


def set_blocked(step: Step, key: GroupKey, *, blocked: bool) -> None:
    """Keeps the risk engine away from a group, or lets it near again; then a waiting entry may go in (§7)."""
    group = step.state.groups.get(step.state.live.get(key, ""))
    if group is None or group.blocked == blocked:
        return
    step.put_group(replace(group, blocked=blocked))
    text = "Blocked from the risk engine by the trader." if blocked else "Unblocked by the trader."
    step.note(Severity.INFO, Category.RISK, text, group=group)
    if not blocked:
        promote(step)


def skip_once(step: Step, key: GroupKey) -> None:
    """The next evaluation in which the group would be paid off passes over it."""
    group = step.state.groups.get(step.state.live.get(key, ""))
    if group is not None and not group.skip_once:
        step.put_group(replace(group, skip_once=True))
        step.note(Severity.INFO, Category.RISK, "To be skipped once, by the trader.", group=group)


def cancel_open_entries(step: Step, group_id: str) -> None:
    group = step.state.groups.get(group_id)
    if group is None:
        return
    cancelled = cancel_entries(step, group_id)
    step.note(Severity.INFO, Category.ORDER, f"{cancelled} unfilled entries cancelled by the trader.", group=group)


def contain(step: Step, event: DefectFound) -> None:
    """Pauses the group that a defect concerned, and gives the signal an outcome; everything else goes on (§5)."""
    record = step.state.pending.get(event.signal_id or 0)
    if record is not None:
        step.put_signal(replace(record, outcome=Outcome.REFUSED, reason="defect", decided_at_ms=step.now_ms))
        step.note(
            Severity.ERROR,
            Category.WEBHOOK,
            "An alert was not traded: a defect in ExEngine.",
            key=GroupKey(record.account or "", record.symbol or "", record.signal.timeframe if record.signal else ""),
            signal_id=record.id,
            advice="Nothing was ordered for it. Report this with the log.",
            topic=Topic.DEFECT,
        )
    group = step.state.groups.get(event.group_id or "")
    if group is not None and not group.frozen:
        step.put_group(step.fail(replace(group, frozen=event.why), event.why))
        step.note(
            Severity.ERROR,
            Category.SYSTEM,
            f"Paused because of a defect in ExEngine: {event.why}.",
            group=group,
            advice="What rests on the exchange stays there. Compare with the exchange, then close the group by hand.",
            topic=Topic.DEFECT,
        )
