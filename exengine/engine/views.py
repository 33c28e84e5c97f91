"""What changed since the window last looked, kept as rows; nothing here knows a widget (HOUSE: the flow, one way)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from exengine.domain import capital
from exengine.domain.accounts import away
from exengine.domain.group import Group
from exengine.domain.journal import Note, Severity
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.reception import SignalRecord
from exengine.domain.safety import rolled, start_equity
from exengine.domain.state import State
from exengine.domain.step import Step
from exengine.engine.changes import Trace
from exengine.engine.panel_rows import OffsetRow, Panel, PanelChanges
from exengine.engine.panels import Panels
from exengine.engine.ports import Clock
from exengine.engine.row_builder import group_row, signal_row
from exengine.engine.rows import EngineRow, EngineStatus, LogRow, Mode, SignalRow, ViewChanges
from exengine.engine.status import StatusSource

KEPT_ROWS = 2000
"""How many signal and log rows are kept for a window that opens late; older ones are in the store."""


@dataclass(slots=True, kw_only=True)
class _Fresh:
    """Keys of what changed since the last take."""

    groups: dict[str, Group] = field(default_factory=dict)
    gone: dict[str, None] = field(default_factory=dict)
    signals: dict[int, None] = field(default_factory=dict)
    log: list[LogRow] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)
    quotes: set[tuple[str, str]] = field(default_factory=set)
    engine: bool = True


class Views:
    """Collects changed rows after each transaction and hands them out when asked."""

    def __init__(self, state: State, clock: Clock, *, mode: Mode, closed_groups: int = 0) -> None:
        """`closed_groups` is how many earlier runs have closed."""
        self._state = state
        self._clock = clock
        self._mode = mode
        self._closed_groups = closed_groups
        self._records: dict[int, SignalRecord] = {}
        self._traces: dict[int, Trace] = {}
        self._signals: dict[int, SignalRow | None] = {}
        """None: its row is made when somebody looks."""
        self._log: dict[int, LogRow] = {}
        self._last_webhook_ms: int | None = None
        self._trouble: str | None = None
        self.last_commit_at_ms: int | None = None
        """When the store last took a transaction."""
        self.rules_at_ms: dict[str, int] = {}
        """When the market rules of an account were last loaded."""
        self._panels = Panels()
        self._fresh = _Fresh()
        self._callbacks: list[Callable[[bool], None]] = []
        self._hearers: list[Callable[[LogRow], None]] = []
        self._is_answering: Callable[[], bool] = lambda: False

    # in --------------------------------------------------------------------------------------------------------------

    def remember(self, signals: Iterable[SignalRow], log: Iterable[LogRow], offsets: Iterable[OffsetRow] = ()) -> None:
        """The tail of an earlier run's signals, log and offsets, oldest first."""
        self._panels.remember(offsets)
        for signal in signals:
            self._signals[signal.id] = signal
            self._last_webhook_ms = max(signal.received_at_ms, self._last_webhook_ms or 0)
        for line in log:
            self._log[line.id] = line
        self.refresh()

    def absorb(self, steps: Iterable[Step], traces: dict[int, Trace], notes: list[tuple[int, Note]]) -> None:
        """Takes over what one transaction has changed."""
        stored = bool(notes)
        urgent = _press(notes)
        for step in steps:
            self._fresh.quotes.update(step.quotes)
            if not step.must_be_stored:
                continue
            stored = True
            changed = _presses(step)
            urgent = urgent or changed
            if changed or step.moved or step.ledger:
                self._panels.absorb(step)
            for group in step.groups.values():
                self._group(group)
            for signal_id, record in step.signals.items():
                self._records[signal_id] = record
                self._last_webhook_ms = record.received_at_ms
                self._signal(signal_id)
            for account, rules in step.instruments.items():
                self.rules_at_ms.pop(account, None)
                if rules:
                    self.rules_at_ms[account] = self._clock.now_ms()
        for signal_id, trace in traces.items():
            self._traces[signal_id] = trace
            self._signal(signal_id)
        self._fresh.engine = self._fresh.engine or stored
        if stored:
            self.last_commit_at_ms = self._clock.now_ms()
        self._add_log(notes)
        if stored or self._fresh.quotes:
            self._call(urgent)

    def price_passed(self, market: tuple[str, str]) -> None:
        """Takes over that a symbol has another price, and that nothing else has changed by it."""
        self._fresh.quotes.add(market)
        self._call(False)

    def add_notes(self, notes: list[tuple[int, Note]]) -> None:
        """Lines that no decision made."""
        self._add_log(notes)
        self._call(_press(notes))

    def resolve(self, log_id: int) -> None:
        """What that line told of is over."""
        self._fresh.resolved.append(log_id)
        self._call(True)

    def show_mode(self, mode: Mode) -> None:
        """From now on it is traded with this money."""
        self._mode = mode
        self._fresh.engine = True
        self._call(True)

    def trouble(self, text: str | None) -> None:
        """Why nothing can be stored at the moment; None when that is over."""
        self._trouble = text
        self._fresh.engine = True
        self._call(True)

    def _group(self, group: Group) -> None:
        if group.is_open:
            self._fresh.groups[group.id] = group
        else:
            self._fresh.groups.pop(group.id, None)
            if group.id not in self._fresh.gone:
                self._fresh.gone[group.id] = None
                _bound(self._fresh.gone)
                self._closed_groups += 1

    def _signal(self, signal_id: int) -> None:
        if signal_id not in self._records:
            return
        self._signals[signal_id] = self._fresh.signals[signal_id] = None
        while len(self._signals) > KEPT_ROWS:
            oldest = next(iter(self._signals))
            del self._signals[oldest]
            self._fresh.signals.pop(oldest, None)
            self._records.pop(oldest, None)
            self._traces.pop(oldest, None)

    def _signal_row(self, signal_id: int) -> SignalRow:
        row = self._signals[signal_id]
        if row is None:
            row = self._signals[signal_id] = signal_row(self._records[signal_id], self._traces.get(signal_id))
        return row

    def _add_log(self, notes: list[tuple[int, Note]]) -> None:
        for log_id, note in notes:
            row = log_row(log_id, note)
            self._log[log_id] = row
            self._fresh.log.append(row)
            for hear in self._hearers:
                hear(row)
        _bound(self._log)
        # Where no window takes them, they must not pile up.
        del self._fresh.log[:-KEPT_ROWS]

    # out -------------------------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        """Calls back when something changed: True for what is traded and for trouble, False for what can wait."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def hear(self, hear: Callable[[LogRow], None]) -> None:
        """Calls back with each line that is new from now on: at once, and so it must be quick."""
        self._hearers.append(hear)

    def watch(self, panels: Iterable[Panel], group_id: str | None = None) -> None:
        """From now on these docks are looked at; the risk engine's plan is shown for `group_id`."""
        self._panels.watch(panels, group_id)
        self._call(True)

    def tell_status(self, source: StatusSource) -> None:
        """Where the Status dock's facts come from."""
        self._panels.status_source = source

    def tell_answering(self, is_answering: Callable[[], bool]) -> None:
        """Where it is known whether an alert waits for its answer."""
        self._is_answering = is_answering

    def expect_risk_look(self, at_ms: int) -> None:
        """When the risk engine looks next by the clock."""
        self._panels.next_look_at_ms = at_ms
        self._call(False)

    @property
    def last_webhook_at_ms(self) -> int | None:
        return self._last_webhook_ms

    @property
    def store_trouble(self) -> str:
        """Why nothing can be stored at the moment; empty while all is well."""
        return self._trouble or ""

    def _call(self, urgent: bool) -> None:
        for callback in list(self._callbacks):
            callback(urgent)

    def somebody_waits(self) -> bool:
        """Whether an alert is being answered at this moment: that is sooner done than anything a window shows."""
        return self._is_answering()

    def refresh(self) -> None:
        """Makes the next take give everything there is."""
        self._panels.refresh()
        self._fresh = _Fresh(
            groups=dict(self._state.groups),
            signals=dict.fromkeys(self._signals),
            log=list(self._log.values()),
            quotes=set(self._state.quotes),
        )

    def take(self, *, panels: bool = True) -> ViewChanges:
        """Everything that changed since the last take; False leaves the panels to `take_panels`."""
        fresh, self._fresh = self._fresh, _Fresh(engine=False)
        state = self._state
        with arithmetic():
            return ViewChanges(
                groups={group_id: group_row(state, group) for group_id, group in fresh.groups.items()},
                gone_groups=tuple(sorted(fresh.gone)),
                signals=tuple(self._signal_row(signal_id) for signal_id in sorted(fresh.signals)),
                log=tuple(fresh.log),
                resolved=tuple(fresh.resolved),
                engine=self._engine_row() if fresh.engine else None,
                quotes={key: state.quotes[key] for key in fresh.quotes if key in state.quotes},
                panels=self._panels.take(state, self._clock.now_ms()) if panels else PanelChanges(),
            )

    def take_panels(self) -> PanelChanges:
        """What changed since the last take of the docks that are looked at."""
        with arithmetic():
            return self._panels.take(self._state, self._clock.now_ms())

    def _engine_row(self) -> EngineRow:
        state = self._state
        ledger = rolled(state.ledger, self._clock.now_ms(), state.settings.timezone)
        accounts = [account for account in state.settings.accounts if account.enabled]
        status, text, lost = EngineStatus.RUNNING, "", away(state)
        if self._trouble is not None:
            status, text = EngineStatus.ERROR, self._trouble
        elif lost:
            status = EngineStatus.ERROR
            text = "; ".join(f"{account}: {why}" for account, why in sorted(lost.items()))
        elif state.control.paused:
            status, text = EngineStatus.PAUSED, state.control.why
        filled, resting = self._panels.deployed(state)
        return EngineRow(
            status=status,
            status_text=text,
            paused=state.control.paused,
            paused_why=state.control.why,
            away=tuple(sorted(lost)),
            stores=self._trouble is None,
            mode=self._mode,
            pool_used=len(state.groups),
            pool_limit=state.settings.pool.max_open_groups,
            queued=len(state.waiting),
            realised_today=ledger.realised_today,
            realised_total=ledger.realised_total,
            start_equity=start_equity(state),
            risk_enabled=state.settings.risk.enabled,
            last_webhook_at_ms=self._last_webhook_ms,
            free_quote=sum(
                (capital.free_quote(state, one, quote) for one in accounts for quote in capital.DOLLARS), ZERO
            ),
            filled_quote=filled,
            open_quote=resting,
            closed_groups=self._closed_groups,
            webhook_replay=state.settings.signals.replay,
            last_offset_at_ms=self._panels.last_offset_at_ms,
        )


def _presses(step: Step) -> bool:
    """Whether something of what is traded has another state, which is shown at once (UI.md, Refresh).

    An alert that changed nothing has its row and its line in the log; both wait for the flush, as prices do.
    """
    return bool(
        step.groups or step.orders or step.fills or step.waiting or step.queue_events or step.control
        or step.plan_changed or step.instruments
    )  # fmt: skip


def _press(notes: list[tuple[int, Note]]) -> bool:
    return any(note.severity in (Severity.WARNING, Severity.ERROR) for _, note in notes)


def _bound(rows: dict[Any, Any]) -> None:
    """Drops the oldest of more rows than are kept."""
    while len(rows) > KEPT_ROWS:
        del rows[next(iter(rows))]


def log_row(log_id: int, note: Note) -> LogRow:
    return LogRow(
        id=log_id,
        at_ms=note.at_ms,
        severity=note.severity,
        category=note.category,
        text=note.text,
        symbol=note.symbol,
        timeframe=note.timeframe,
        group=note.group,
        advice=note.advice,
        signal_id=note.signal_id,
        cause=note.cause,
        topic=note.topic,
    )
