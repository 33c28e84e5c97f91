"""The only way between the engine and the window: changes come up in coalesced flushes, clicks go down as commands."""

import math
import time
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from exengine.domain.alert_text import AlertTemplate
from exengine.domain.events import QueueAction
from exengine.domain.group import GroupKey
from exengine.domain.instrument import Side
from exengine.domain.order import LegRef
from exengine.engine.intake import Verdict
from exengine.engine.panel_rows import Panel, PanelChanges
from exengine.engine.past import TrailRow
from exengine.engine.rows import ViewChanges
from exengine.ui.giving_way import GIVE_WAY_MS, GivingWay
from exengine.ui.one_shot import one_shot

FLUSH_MS = 500
URGENT_GAP_MS = 25
"""A burst of fills is shown at most forty times a second: the eye sees no more, and the engine shares the thread."""
PANELS_AFTER_MS = 50
"""How long after the rows the panels come: the rows are painted by then, and who waited for the thread had a turn."""
TICK_MS = 1_000
GAP_MS = 6
"""Between two passes at least: who came in during one is answered before the next."""


class ViewFeed(Protocol):
    """The engine's view side. All of it is called on the loop's thread."""

    def take(self, *, panels: bool = True) -> ViewChanges:
        """Everything that changed since the last take; everything there is, in the first one after `refresh()`.

        False leaves what the panels show to `take_panels`.
        """
        ...

    def take_panels(self) -> PanelChanges:
        """What changed since the last take of the docks that are looked at."""
        ...

    def refresh(self) -> None:
        """Makes the next take a full one."""
        ...

    def somebody_waits(self) -> bool:
        """Whether an alert is being answered at this moment: that is sooner done than anything here."""
        ...

    def subscribe(self, callback: Callable[[bool], None]) -> Callable[[], None]:
        """Calls back when there is something to take: True for states of orders and groups, False for what can wait.

        Returns what ends the subscription.
        """
        ...

    def watch(self, panels: Iterable[Panel], group_id: str | None) -> None:
        """From now on these docks are looked at; the risk engine's plan is wanted for `group_id`, or for the worst."""
        ...


class Commands(Protocol):
    """What a click may ask of the engine. Each returns once the engine has taken it, or raises why it did not."""

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def panic(self, entries_only: bool) -> None:
        """Cancels everything, closes all groups, empties the queue and pauses; or only cancels the entries."""
        ...

    async def close_group(self, group_id: str) -> None: ...

    async def close_part(self, group_id: str, qty: Decimal) -> str:
        """Closes part of a group at market; what is done, in words. Raises UserError where that cannot be."""
        ...

    async def set_stop(self, group_id: str, price: Decimal | None) -> str:
        """Gives a group a stop, or takes away the one it was given. Raises UserError for the wrong side."""
        ...

    async def place_again(self, group_id: str, legs: tuple[LegRef, ...]) -> str:
        """Places entries again that the exchange refused. Raises UserError where that cannot be."""
        ...

    async def cancel_entries(self, group_id: str) -> None: ...

    async def adopt(self, group_id: str) -> None:
        """Takes the exchange's view over for a group whose coins are gone."""
        ...

    async def queue(self, action: QueueAction, key: GroupKey, side: Side) -> str:
        """Promotes, removes or forces a waiting entry; what became of it, in words."""
        ...

    async def run_risk(self) -> str:
        """Has the risk engine look now; what it does, in words."""
        ...

    async def skip_once(self, key: GroupKey) -> None: ...

    async def set_blocked(self, key: GroupKey, blocked: bool) -> None: ...

    async def send_test_alert(
        self,
        symbol: str,
        timeframe: str,
        side: Side,
        *,
        account: str = "",
        kind: AlertTemplate = AlertTemplate.ENTRY,
        price: Decimal | None = None,
    ) -> Verdict:
        """Sends a pretend alert through the whole engine, to an account that trades no real money."""
        ...

    async def replay_signal(self, signal_id: int) -> Verdict:
        """Takes a stored signal again, as a new one that is marked so; REFUSED where a setting forbids it."""
        ...

    async def trail(self, cause: str) -> tuple[TrailRow, ...]:
        """Everything that goes back to one cause, oldest first, from the store."""
        ...


def epoch_ms() -> int:
    return time.time_ns() // 1_000_000


class Bridge(QObject):
    """Takes changes from the engine for as long as somebody can see them.

    Prices and new alerts wait for the flush timer; states of orders and groups are shown in the next pass of the loop.
    The docks that cost something to compute have passes of their own, so that an alert which comes meanwhile need not
    wait for all of it. While the window is hidden or minimised nothing is taken; when it is shown again, all of it
    comes at once.
    """

    flushed = Signal(object)
    """ViewChanges: what to show."""
    panels_flushed = Signal(object)
    """PanelChanges: what to show in the docks that are computed only while they are looked at."""
    passed = Signal()
    """A pass in which something was shown is over; what it changed is still to be painted."""
    ticked = Signal(object)
    """The time, once a second while visible: ages and stale prices change without a word from the engine."""

    def __init__(
        self,
        feed: ViewFeed,
        commands: Commands,
        *,
        flush_ms: int = FLUSH_MS,
        now_ms: Callable[[], int] = epoch_ms,
    ) -> None:
        super().__init__()
        self.commands = commands
        self.now_ms = now_ms
        self._feed = feed
        self._give_way = {name: GivingWay(feed.somebody_waits) for name in ("rows", "panels", "show", "tick")}
        self._passed_at = 0.0
        self._flush_ms = flush_ms
        self._visible = False
        self._hidden_ms: int | None = None
        self._watched: tuple[frozenset[Panel], str | None] = (frozenset(), None)
        self._waiting = True
        self._flushed_at = float("-inf")
        self._timer = one_shot(self, self._on_due, precise=True)
        self._panels_timer = one_shot(self, self._on_panels_due, precise=True)
        self._show_timer = one_shot(self, self._on_show_due, precise=True)
        self._panels: PanelChanges | None = None
        """What was taken and is still to be shown."""
        self._late_tick = one_shot(self, self._on_tick, precise=True)
        self._ticker = QTimer(self)
        self._ticker.setInterval(TICK_MS)
        self._ticker.timeout.connect(self._on_tick)
        feed.refresh()
        self._unsubscribe = feed.subscribe(self._on_changed)

    def set_flush_ms(self, flush_ms: int) -> None:
        self._flush_ms = flush_ms

    def set_visible(self, visible: bool) -> None:
        """Told by the window. What was missed is shown as soon as it is visible again."""
        if visible == self._visible:
            return
        self._visible = visible
        if visible:
            self._ticker.start()
            if self._waiting:
                self.flush()
            self._on_tick()
        else:
            self._stop_timers()
            self._waiting = True

    def keep_up_hidden(self, every_ms: int) -> None:
        """From now on changes are taken while the window is hidden too, at most this often: the tray tells errors."""
        self._hidden_ms = every_ms

    def watch(self, panels: Iterable[Panel], group_id: str | None) -> None:
        """Told by the window: which docks can be seen, and whose plan the trader wants to see."""
        watched = (frozenset(panels), group_id)
        if watched != self._watched:
            self._watched = watched
            self._feed.watch(*watched)

    def close(self) -> None:
        """Ends the subscription; the engine may go."""
        self._unsubscribe()
        self._stop_timers()
        self._visible = False

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._panels_timer, self._show_timer, self._ticker, self._late_tick):
            timer.stop()

    def _on_changed(self, urgent: bool) -> None:
        self._waiting = True
        wait_ms = self._flush_ms
        if not self._visible:
            if self._hidden_ms is None:
                return
            wait_ms = self._hidden_ms
        elif urgent:
            since_ms = (time.monotonic() - self._flushed_at) * 1000
            wait_ms = 0 if since_ms >= URGENT_GAP_MS else round(URGENT_GAP_MS - since_ms)
        if not self._timer.isActive() or self._timer.remainingTime() > wait_ms:
            self._timer.start(wait_ms)

    def flush(self) -> None:
        """Takes all that changed and shows it."""
        self._panels_timer.stop()
        self._show_panels()
        self._begin()
        self.flushed.emit(self._feed.take())

    def somebody_waits(self) -> bool:
        """Whether an alert is being answered at this moment."""
        return self._feed.somebody_waits()

    def _on_due(self) -> None:
        if self._comes_later(self._timer, "rows"):
            return
        self._begin()
        self.flushed.emit(self._feed.take(panels=False))
        self._end()
        if not self._visible:
            self._waiting = True  # the panels are still to be taken
        elif not self._panels_timer.isActive():
            self._panels_timer.start(PANELS_AFTER_MS)

    def _on_panels_due(self) -> None:
        """What they show is worked out in one pass and shown in the next: who waits has a turn in between."""
        if self._comes_later(self._panels_timer, "panels"):
            return
        self._show_panels()
        self._panels = self._feed.take_panels()
        self._passed_at = time.monotonic()
        self._show_timer.start(GAP_MS)

    def _on_show_due(self) -> None:
        if self._comes_later(self._show_timer, "show"):
            return
        self._show_panels()
        self._end()

    def _show_panels(self) -> None:
        panels, self._panels = self._panels, None
        self._show_timer.stop()
        if panels is not None:
            self.panels_flushed.emit(panels)

    def _begin(self) -> None:
        self._timer.stop()
        self._waiting = False
        self._flushed_at = time.monotonic()

    def _end(self) -> None:
        self._passed_at = time.monotonic()
        self.passed.emit()

    def _comes_later(self, timer: QTimer, name: str) -> bool:
        """Whether a pass that is due waits for the end of the gap after another, or for who is being answered."""
        left_ms = math.ceil(GAP_MS - (time.monotonic() - self._passed_at) * 1000)
        if left_ms <= 0 and not self._give_way[name]():
            return False
        timer.start(max(left_ms, GIVE_WAY_MS))
        return True

    def _on_tick(self) -> None:
        if self._comes_later(self._late_tick, "tick"):
            return
        self.ticked.emit(self.now_ms())
        self._end()
        if Panel.STATUS in self._watched[0]:
            # Latencies and tasks change without a word from the engine.
            self._on_changed(False)
