"""Watches the risk engine's offsets: no winner is closed twice, no loser uncovered (FAULTS 28 and 60)."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from exengine.domain.money import ZERO
from exengine.domain.order import Role
from exengine.domain.reception import Outcome
from exengine.domain.state import AppliedFill, OffsetPlan
from exengine.engine.changes import Changes
from tests.simulation.disk import Disk

FULL_COVER = Decimal("0.999")


@dataclass(kw_only=True)
class _UnderWay:
    plan: OffsetPlan
    sold: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By offset orders, of each group."""
    gained: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """By all closing fills that brought something."""
    reduced: set[str] = field(default_factory=set)
    """Groups that an alert has reduced meanwhile: that goes on in the offset's own orders."""
    loser_held: Decimal = ZERO
    """The most that the loser has held meanwhile."""
    loser_bought: bool = False
    """Whether an entry of the loser has filled though it was withdrawn: that is sold too, and nobody pays for it."""


class OffsetCheck:
    """Follows one offset after the other through the transactions."""

    def __init__(self, must: Callable[[object, str], None]) -> None:
        self._must = must
        self._now: _UnderWay | None = None

    def changed(self, changes: Changes, disk: Disk) -> None:
        """Before a transaction's fills are counted. Within one of them an offset may end and the next one begin."""
        for plan in (changes.offsets[0] if changes.offsets else None, changes.plan):
            if plan is not None and (self._now is None or not _is_same(self._now.plan, plan)):
                if self._now is not None and plan is changes.plan and changes.offsets:
                    continue  # it begins when the one before has been looked at
                self._now = _UnderWay(plan=plan)
        if self._now is None:
            return
        loser_id = self._now.plan.loser_id
        for groups in (disk.groups, changes.groups):
            if loser_id in groups:
                self._now.loser_held = max(self._now.loser_held, groups[loser_id].net_qty)
        reduced = (record.group for record in changes.signals.values() if record.outcome is Outcome.REDUCED)
        self._now.reduced.update(reduced)
        for applied in changes.fills:
            self._filled(self._now, applied)

    def _filled(self, now: _UnderWay, applied: AppliedFill) -> None:
        order = applied.order
        now.gained[order.group_id] += max(applied.realised, ZERO)
        now.loser_bought |= order.role is Role.ENTRY and order.group_id == now.plan.loser_id
        if order.role is not Role.RISK:
            return
        now.sold[order.group_id] += applied.fill.qty
        for line in now.plan.lines:
            if line.group_id == order.group_id and not line.whole and line.group_id not in now.reduced:
                sold = now.sold[line.group_id]
                self._must(sold <= line.qty, f"the offset was to sell {line.qty} of {line.group_id} and sold {sold}")

    def finished(self, changes: Changes) -> None:
        """After them."""
        for plan in changes.offsets:
            now = self._now
            if now is None or not _is_same(now.plan, plan):
                continue
            realised = sum((line.realised for line in plan.lines), ZERO)
            gained = sum((now.gained[line.group_id] for line in plan.lines), ZERO)
            self._must(realised <= gained, f"the offset counted {realised}, its winners' fills brought {gained}")
            sold = now.sold[plan.loser_id]
            is_told_apart = plan.loser_id not in now.reduced and not now.loser_bought
            if realised < plan.required * FULL_COVER and sold and is_told_apart:
                covered = now.loser_held * max(realised, ZERO) / plan.required
                self._must(sold <= covered, f"{sold} of the loser {plan.loser_id} were sold, {covered} were paid for")
            self._now = None
        if changes.plan is not None and self._now is None:
            self._now = _UnderWay(plan=changes.plan)


def _is_same(one: OffsetPlan, other: OffsetPlan) -> bool:
    return (one.at_ms, one.loser_id) == (other.at_ms, other.loser_id)
