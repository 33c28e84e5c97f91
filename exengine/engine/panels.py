"""The docks that cost something to compute: only those that somebody looks at, and only what has changed of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeVar

from exengine.domain.money import ZERO
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.engine.capital_rows import OpenEntries, capital_row, exposures
from exengine.engine.condensed import Condensed
from exengine.engine.panel_rows import (
    CapitalRow,
    ExposureRow,
    OffsetRow,
    Panel,
    PanelChanges,
    Patch,
    PlanView,
    RiskRow,
    RiskSummary,
    WaitingRow,
)
from exengine.engine.queue_rows import QueueRows
from exengine.engine.risk_plans import is_losing, offset_row, plan_view, summary, worst
from exengine.engine.risk_rows import Offers, RiskRows
from exengine.engine.status import Status, StatusSource

KEPT_OFFSETS = 200

CAPITAL_MS = 5_000
"""How often the capital is summed where no order and no fill has moved it: quotes other than dollars have prices."""

WORST_MS = 3_000
"""How long the plan of one loser is shown at least, while another falls below it by mere prices."""

PLAN_MS = 1_000
"""How long a plan stands at least while mere prices move what it would bring: it is there to be read."""

R = TypeVar("R")


@dataclass(slots=True, kw_only=True)
class _Shown:
    """What the window has of the panels."""

    waiting: dict[str, WaitingRow] = field(default_factory=dict)
    risk_summary: RiskSummary | None = None
    plan: PlanView | None = None
    offset: int = 0
    """The number of the last offset."""
    exposures: dict[str, ExposureRow] = field(default_factory=dict)
    capital: CapitalRow | None = None
    status: Status | None = None


class Panels:
    """Computes what is looked at, each time that somebody takes it."""

    def __init__(self) -> None:
        self.status_source: StatusSource = Status
        self.next_look_at_ms: int | None = None
        """When the risk engine looks next by the clock; None before its timer has begun."""
        self._watched: frozenset[Panel] = frozenset()
        self._chosen: str | None = None
        self._shown = _Shown()
        self._condensed = Condensed()
        self._queue = QueueRows()
        self._risk = RiskRows()
        self._worst_id: str | None = None
        self._worst_at_ms = 0
        """When it was last looked for among all."""
        self._planned_at_ms: int | None = None
        """When the plan was last worked out; None where something else than a price has changed since."""
        self._resting = OpenEntries()
        self._offsets: list[OffsetRow] = []
        self._moved = True
        """Whether money has moved since the capital was last summed."""
        self._capital_at_ms = 0

    # in --------------------------------------------------------------------------------------------------------------

    def watch(self, panels: Iterable[Panel], group_id: str | None) -> None:
        """From now on these are looked at; the plan is that of `group_id`, or of the worst loser."""
        self._watched, self._chosen = frozenset(panels), group_id
        self._moved, self._planned_at_ms = True, None

    def absorb(self, step: Step) -> None:
        """Notes what a step has changed that is stored."""
        self._moved, self._planned_at_ms = True, None
        self._resting.note(order.group_id for order in step.orders.values())
        if step.instruments:
            self._risk.rule_anew()
        for plan in step.plans:
            self._offsets.append(offset_row(self._offsets[-1].id + 1 if self._offsets else 1, plan))
        del self._offsets[:-KEPT_OFFSETS]

    def remember(self, offsets: Iterable[OffsetRow]) -> None:
        """The offsets of earlier runs, oldest first."""
        self._offsets = list(offsets)[-KEPT_OFFSETS:]

    def refresh(self) -> None:
        """Makes the next take give all of what is looked at."""
        self._shown, self._risk, self._moved, self._planned_at_ms = _Shown(), RiskRows(), True, None

    @property
    def last_offset_at_ms(self) -> int | None:
        return self._offsets[-1].at_ms if self._offsets else None

    # out -------------------------------------------------------------------------------------------------------------

    def deployed(self, state: State) -> tuple[Decimal, Decimal]:
        """What is filled and what rests in open entries, in quote. Call it within `money.arithmetic`."""
        self._condensed.of(state)
        held = sum((one.cost for one in self._condensed.sums.values()), ZERO)
        return held, sum(self._resting.of(state).values(), ZERO)

    def take(self, state: State, now_ms: int) -> PanelChanges:
        """What changed of the panels that are looked at. Call it within `money.arithmetic`."""
        watched, shown = self._watched, self._shown
        changes: dict[str, object] = {}
        if watched & {Panel.QUEUE, Panel.RISK, Panel.CAPITAL}:
            small = self._condensed.of(state)
            if Panel.QUEUE in watched:
                rows = self._queue.rows(small, now_ms)
                changes["waiting"], shown.waiting = _patch(shown.waiting, rows), rows
            if Panel.RISK in watched:
                self._take_risk(small, now_ms, changes)
            if Panel.CAPITAL in watched and self._is_capital_due(now_ms):
                self._moved, self._capital_at_ms = False, now_ms
                self._take_capital(small, changes)
        if Panel.STATUS in watched:
            status = self.status_source()
            if status != shown.status:
                changes["status"] = shown.status = status
        return PanelChanges(**changes)  # type: ignore[arg-type]

    def _take_risk(self, state: State, now_ms: int, changes: dict[str, object]) -> None:
        shown, rows = self._shown, self._risk
        changes["risk"], offered = rows.take(state, self._condensed.sums, now_ms)
        told = replace(summary(state, rows.candidates.values(), offered, now_ms), next_look_at_ms=self.next_look_at_ms)
        if told != shown.risk_summary:
            changes["risk_summary"] = shown.risk_summary = told
        plan = self._plan(state, offered, now_ms)
        if plan != shown.plan:
            changes["plan"] = shown.plan = plan
            changes["plan_changed"] = True
        fresh = tuple(row for row in self._offsets if row.id > shown.offset)
        if fresh:
            changes["offsets"], shown.offset = fresh, fresh[-1].id

    def _plan(self, state: State, offered: Offers, now_ms: int) -> PlanView | None:
        row = self._risk.get(self._chosen)
        if row is None and state.plan is not None:
            row = self._risk.get(state.plan.loser_id)
        row = row or self._worst(now_ms)
        if row is None:
            return None
        shown, at_ms = self._shown.plan, self._planned_at_ms
        stands = at_ms is not None and 0 <= now_ms - at_ms < PLAN_MS
        if stands and shown is not None and shown.loser_id == row.id and is_losing(row):
            return shown
        self._planned_at_ms = now_ms
        return plan_view(state, row.id, offered, now_ms) if is_losing(row) or state.plan is not None else None

    def _worst(self, now_ms: int) -> RiskRow | None:
        """Who has lost most; whoever it was stays for a while, so that its plan can be read."""
        there = self._risk.get(self._worst_id)
        if there is None or not is_losing(there) or not 0 <= now_ms - self._worst_at_ms < WORST_MS:
            self._worst_at_ms, there = now_ms, None
        found = worst(self._risk.all(), self._risk.candidates.values(), there)
        self._worst_id = found.id if found is not None else None
        return found

    def _is_capital_due(self, now_ms: int) -> bool:
        """Where mere time has passed it waits for a pass in which no plan is worked out: both take long."""
        return self._moved or (now_ms - self._capital_at_ms >= CAPITAL_MS and self._planned_at_ms != now_ms)

    def _take_capital(self, state: State, changes: dict[str, object]) -> None:
        shown, sums = self._shown, self._condensed.sums
        rows, missing = exposures(state, sums, self._resting.of(state))
        changes["exposures"], shown.exposures = _patch(shown.exposures, rows), rows
        row = capital_row(state, rows, missing)
        if row != shown.capital:
            changes["capital"] = shown.capital = row


def _patch(old: dict[str, R], new: dict[str, R]) -> Patch[R]:
    rows = {key: row for key, row in new.items() if old.get(key) != row}
    return Patch(rows=rows, gone=tuple(key for key in old if key not in new))
