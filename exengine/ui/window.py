"""The main window: ribbon, strip and docks, their arrangement, and the questions that come before a command."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QMargins, Qt
from PySide6.QtGui import QCloseEvent, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QMenuBar, QTabWidget, QWidget

from exengine.engine.panel_rows import PanelChanges, PlanView, RiskRow, RiskSummary
from exengine.engine.rows import GroupRow, LogRow, Mode, Severity, ViewChanges
from exengine.engine.unresolved import leg_of
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.actions import Registry
from exengine.ui.alert_strip import AlertStrip
from exengine.ui.book import Book
from exengine.ui.bridge import Bridge
from exengine.ui.capital_dock import CapitalDock
from exengine.ui.clicks import Clicks
from exengine.ui.dock import Dock
from exengine.ui.dock_walk import DockWalk
from exengine.ui.help import Help
from exengine.ui.icons import Icons
from exengine.ui.late_paint import LatePaint
from exengine.ui.layout import LayoutStore
from exengine.ui.leaving import Leaving
from exengine.ui.log_dock import LogDock
from exengine.ui.loop import spawn
from exengine.ui.menus import Menus
from exengine.ui.palette import Palette
from exengine.ui.panel_dock import PanelDock
from exengine.ui.performance import PerformanceDock
from exengine.ui.performance_feed import Source
from exengine.ui.positions import PositionsDock
from exengine.ui.positions_deeds import Deed
from exengine.ui.queue_dock import QueueDock
from exengine.ui.read_only import ReadOnlyBanner, hold_back
from exengine.ui.ribbon import Ribbon
from exengine.ui.risk_dock import RiskDock
from exengine.ui.setup import Setup
from exengine.ui.sheet import Sheet
from exengine.ui.signals_dock import SignalsDock
from exengine.ui.status_dock import StatusDock
from exengine.ui.theme import Look
from exengine.ui.toast import Toasts
from exengine.ui.top_bar import Corner, TopBar
from exengine.ui.tray import Tray
from exengine.ui.window_actions import PALETTE_KEY, add_actions
from exengine.ui.window_layouts import WindowLayouts

EDGE = 2
"""The width of the edge that says LIVE."""

LEAST_WIDTH = 960
HIDDEN_FLUSH_MS = 5_000
"""How often a window in the tray looks for errors."""

Closing = Callable[[], Coroutine[Any, Any, Any]]


class Window(DockWalk):
    """What the trader looks at. Closing it starts `on_close`, the staged shutdown, and nothing else."""

    def __init__(
        self,
        look: Look,
        bridge: Bridge,
        setup: Setup,
        layouts: LayoutStore,
        *,
        on_close: Closing,
        source: Source | None = None,
    ) -> None:
        """`source` is where the figures of the Performance dock come from; without one there is no such dock."""
        super().__init__()
        self.look, self.bridge, self.layouts = look, bridge, layouts
        self.icons = Icons(look)
        self.book = Book()
        self._on_close = on_close
        self._closing = self._shown = False
        self._put_away: list[QDialog] = []
        """Dialogs that went into the tray with the window."""
        self.cover: QWidget | None = None
        """What stands in the window's place while it is locked."""
        self.setObjectName("window")
        self.setWindowIcon(self.icons.icon("app", "accent"))
        self.setMinimumSize(LEAST_WIDTH, 560)
        self.resize(1440, 900)
        self.ribbon = Ribbon(look, self.icons, self.book)
        self.strip = AlertStrip(look, self.icons)
        self.positions = PositionsDock(look, self.icons, self.book, setup)
        self.signals = SignalsDock(look, self.icons)
        self.log = LogDock(look, self.icons)
        self.queue, self.risk = QueueDock(look, self.icons), RiskDock(look, self.icons, self.book)
        self.capital, self.status = CapitalDock(look, self.icons, setup), StatusDock(look, self.icons)
        self.panels: list[PanelDock] = [self.queue, self.risk, self.capital, self.status]
        self.docks: list[Dock] = [
            self.positions, self.queue, self.signals, self.log, self.status, self.risk, self.capital,
        ]  # fmt: skip
        self.performance: PerformanceDock | None = None
        if source is not None:
            self.performance = PerformanceDock(look, self.icons, self.book, source, bridge.now_ms)
            self.docks.append(self.performance)
            self.log.history = source.log
        self.window_layouts = WindowLayouts(self)
        self.arrangement = self.window_layouts.arrangement
        self.toasts = Toasts(look, self.icons, self)
        self.clicks = Clicks(self, self.icons, self.book, bridge, setup, self.toasts, self._risk_now)
        self.registry = Registry(self, self.icons)
        self.finder = Palette(look, self.registry, self)
        self.leaving = Leaving(
            self, self.icons, self.book, layouts, setup=lambda: self.clicks.setup, show=self._ask_leave,
            tray=lambda: self.tray.is_there,
        )  # fmt: skip
        self._late_paint = LatePaint(self, bridge.somebody_waits)
        self._build_top()
        self.tray = Tray(self, self.icons, self.registry)
        self.leaving.add_actions(self.registry)
        self.help = Help(self)
        self.help.add_actions()
        self._build_docks()
        self._connect()
        self.strip.restore(layouts.integers("alerts/dismissed"))
        self.window_layouts.restore()
        self._refresh_frame()
        self._watch()

    # Building

    def _build_top(self) -> None:
        menu = QMenuBar()
        menu.setObjectName("menu_bar")
        add_actions(self)
        self.menu_corner = Corner(self.look, PALETTE_KEY, self.put_layout)
        self.menu_corner.commands_asked.connect(self.finder.open)
        self.layout_switch = self.menu_corner.layouts
        why = self.clicks.setup.read_only
        banner = [ReadOnlyBanner(self.look, self.icons, why)] if why else []
        self.setMenuWidget(TopBar(self.look, menu, self.menu_corner, (*banner, self.ribbon, self.strip)))
        self.menus = Menus(menu, self.registry)
        if why:
            hold_back(self, why)

    def _build_docks(self) -> None:
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        for dock in self.docks:
            self.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, dock)
        self.window_layouts.begin()
        self.own_layouts = self.window_layouts.own

    def put_layout(self, name: str) -> None:
        """A stock layout, as it was made."""
        self.window_layouts.put(name)

    def save_layout(self) -> None:
        self.window_layouts.save()

    def reset_layout(self) -> None:
        self.window_layouts.reset()

    def _connect(self) -> None:
        self.bridge.flushed.connect(self._on_flush)
        self.bridge.panels_flushed.connect(self._on_panels)
        self.bridge.passed.connect(self._late_paint.hold)
        self.bridge.ticked.connect(self._on_tick)
        self.clicks.answered.connect(self._on_answered)
        self.ribbon.least_width_changed.connect(lambda least: self.setMinimumWidth(max(LEAST_WIDTH, least)))
        self.ribbon.pause_asked.connect(self.clicks.pause)
        self.ribbon.resume_asked.connect(self.clicks.resume)
        self.ribbon.panic_asked.connect(self.clicks.ask_panic)
        self.positions.asked.connect(self._on_deed)
        self.positions.current_changed.connect(self.registry.refresh)
        self.positions.first_steps.copy_asked.connect(self.clicks.copy)
        self.positions.first_steps.help_asked.connect(self.help.open)
        self.clicks.serve(self.positions.first_steps.form)
        self.signals.test_asked.connect(self.clicks.ask_test_alert)
        self.signals.replay_asked.connect(self.clicks.ask_replay)
        self.signals.trail_asked.connect(lambda row: self.clicks.read_trail(row, self.signals.show_trail))
        self.signals.copied.connect(lambda what: self.toasts.say(f"{what} copied", "success"))
        self.strip.dismissed.connect(self._on_dismissed)
        self.strip.show_asked.connect(self._show_trouble)
        self.strip.again_asked.connect(self.clicks.ask_again)
        self.strip.more_asked.connect(self._show_errors)
        self.look.changed.connect(self.update)
        self._connect_panels()
        self.leaving.stop_asked.connect(self.stop)
        self.leaving.hide_asked.connect(self._to_tray)
        self.leaving.stop_refused.connect(self._on_stop_refused)
        self.tray.open_asked.connect(self.come_back)
        self.tray.quit_asked.connect(self.leaving.ask_quit)
        for dock in self.docks:
            dock.told.connect(self.toasts.say)

    def _connect_panels(self) -> None:
        self.queue.asked.connect(self.clicks.queue)
        self.risk.run_asked.connect(self.clicks.ask_run)
        self.risk.skip_asked.connect(self.clicks.skip)
        self.risk.block_asked.connect(self.clicks.block)
        self.risk.chosen_changed.connect(self._watch)
        for chosen in (self.queue, self.risk):
            chosen.current_changed.connect(partial(self.registry.refresh_of, chosen.objectName()))
        for dock in self.panels:
            dock.seen_changed.connect(self._watch)
        if self.performance is not None:
            self.performance.test_asked.connect(self.clicks.ask_test_alert)
            self.performance.status_asked.connect(partial(self.go_to, self.status))

    def _watch(self) -> None:
        """Tells the engine what can be seen: nothing else is computed."""
        self.bridge.watch({dock.panel for dock in self.panels if dock.is_seen}, self.risk.chosen_id)

    def _risk_now(self, group_id: str) -> tuple[RiskRow | None, PlanView | None, RiskSummary | None]:
        return self.risk.model.row_of(group_id), self.risk.plan, self.risk.about

    def show_setup(self, setup: Setup) -> None:
        """Takes new facts after the settings changed."""
        self.clicks.setup = setup
        self.capital.show_setup(setup)
        self.positions.first_steps.show_setup(setup)
        if self.performance is not None:
            self.performance.show_timezone(setup.timezone)

    def show_times(self, shown: str, timezone: str) -> None:
        """Shows times in another zone: see `format.show_times`."""
        fmt.show_times(shown, timezone)
        now_ms = self.bridge.now_ms()
        self.signals.model.make_anew()
        self.log.model.make_anew()
        self.risk.history.tick(now_ms, [])
        self.risk.past.viewport().update()
        self._on_tick(now_ms)

    # What comes up

    def _on_flush(self, changes: ViewChanges) -> None:
        now_ms = self.bridge.now_ms()
        first, before = self.book.engine is None, self._acted_on
        self.book.apply(changes)
        self.positions.apply(changes, now_ms)
        self.signals.apply(changes, now_ms)
        self.log.apply(changes, now_ms)
        for dock in self.panels:
            dock.apply(changes, now_ms)
        if self.performance is not None:
            self.performance.apply(changes, now_ms)
        if changes.log:
            self.tray.take(changes.log)
        if (changes.log or changes.groups or changes.gone_groups) and self.strip.take(changes.log, self.book.groups):
            self.log.show_errors(self.strip.count)
        self.strip.resolve(changes.resolved)
        if changes.engine is not None:
            self.ribbon.refresh(now_ms)
            self._refresh_frame()
        else:
            self.ribbon.refresh_prices()
        self.clicks.refresh()
        if first and self.focusWidget() is self.positions.first_steps:
            self.positions.focus_target().setFocus()
        if self._acted_on != before:
            self.registry.refresh()

    def _on_panels(self, panels: PanelChanges) -> None:
        changes, now_ms = ViewChanges(panels=panels), self.bridge.now_ms()
        for dock in self.panels:
            dock.apply(changes, now_ms)
        self.clicks.refresh()

    @property
    def _acted_on(self) -> tuple[bool | None, GroupRow | None]:
        """What decides how actions read: whether it is paused, and the chosen group; docks tell of their own rows."""
        engine = self.book.engine
        return (engine.paused if engine is not None else None, self.positions.current_group)

    def _on_tick(self, now_ms: int) -> None:
        self.positions.tick(now_ms)
        self.signals.tick(now_ms)
        self.log.tick(now_ms)
        for dock in self.panels:
            dock.tick(now_ms)
        if self.performance is not None:
            self.performance.tick(now_ms)
        self.ribbon.refresh(now_ms)
        self.registry.refresh()

    def _on_answered(self) -> None:
        """The engine has answered a click: what was off until then is on again."""
        self.ribbon.refresh(self.bridge.now_ms())

    @property
    def mode(self) -> Mode:
        return self.book.engine.mode if self.book.engine is not None else Mode.PAPER

    def _refresh_frame(self) -> None:
        """Title and edge say whether the money is real."""
        engine = self.book.engine
        if engine is not None:
            state = words.engine_state(engine).lower()
            self.tray.say_state(f"ExEngine · {engine.mode.value.upper()} · {state}")
        prefix = {Mode.PAPER: "PAPER · ", Mode.TESTNET: "TESTNET · ", Mode.LIVE: "LIVE · real money · "}
        self.setWindowTitle((prefix[engine.mode] if engine is not None else "") + "ExEngine")
        edge = EDGE if self.mode is Mode.LIVE else 0
        if self.contentsMargins() != QMargins(edge, edge, edge, edge):
            self.setContentsMargins(edge, edge, edge, edge)
            self.update()  # of the window, and with it of all that it holds: not with every flush

    # Log and strip

    def _on_dismissed(self, _number: int) -> None:
        self.layouts.save("alerts/dismissed", [str(number) for number in self.strip.dismissals()])
        self.log.show_errors(self.strip.count)

    def _show_trouble(self, row: LogRow) -> None:
        """The order or the group that a line is about, where it is still there; else the line itself."""
        group = self.book.groups.get(row.group)
        if group is None:
            self._show_log_row(row)
            return
        self.bring(self.positions)
        self.positions.reveal(group.id, leg_of(row, group))

    def _show_log_row(self, row: LogRow) -> None:
        self.bring(self.log)
        self.log.show_row(row)

    def _show_errors(self) -> None:
        self.bring(self.log)
        self.log.chips.severities[Severity.ERROR].setChecked(True)

    def _on_deed(self, deed: Deed, group_id: str) -> None:
        if deed is Deed.LOG:
            self.bring(self.log)
            self.log.show_group(group_id)
        else:
            self.clicks.deed(deed, group_id)

    # The window itself

    def closeEvent(self, event: QCloseEvent) -> None:
        # The program ends when the staged shutdown has ended, not when the window is closed.
        event.ignore()
        if not self._closing:
            self.leaving.on_close()

    def stop(self) -> None:
        """Begins the staged shutdown, and asks nothing."""
        if self._closing:
            return
        self._closing = True
        self.save_layout()
        self.toasts.say("Stopping: orders stay as they are, and nothing new is taken", "info")
        spawn(self._on_close(), name="shutdown", on_error=self._on_close_failed)

    def _ask_leave(self, sheet: Sheet) -> None:
        """The question is seen, also where the window was in the tray or down in the task bar."""
        self.come_back()
        self.clicks.show_over(sheet)

    def _on_stop_refused(self, why: str) -> None:
        self.come_back()
        self.toasts.say(why, "info")

    def _to_tray(self) -> None:
        """Goes out of sight; the engine goes on, and errors are told by the tray."""
        self.save_layout()
        self.bridge.keep_up_hidden(HIDDEN_FLUSH_MS)
        self._put_away = [dialog for dialog in self.findChildren(QDialog) if dialog.isVisible()]
        for dialog in self._put_away:
            dialog.hide()
        self.hide()

    def come_back(self) -> None:
        """Out of the tray, or from under other windows; what covers it, where it is locked."""
        if self.cover is not None:
            self.cover.show()
            self.cover.raise_()
            self.cover.activateWindow()
            return
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        put_away, self._put_away = self._put_away, []
        for dialog in self.findChildren(QDialog):  # those that are there still
            if dialog in put_away:
                dialog.show()

    def _on_close_failed(self, error: BaseException) -> None:
        self._closing = False
        self.toasts.say(f"The shutdown failed: {error}", "error")

    def _note_visible(self) -> None:
        self.bridge.set_visible(self.isVisible() and not self.isMinimized())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._shown:
            self._shown = True
            self.window_layouts.first_shown()
            # Else Qt gives the keyboard to Pause, and a stray space bar would press it.
            self.positions.focus_target().setFocus()
        self.window_layouts.note_tabs_soon()
        self._note_visible()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._note_visible()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self._note_visible()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self.look.color("raised"))
        if self.mode is Mode.LIVE:
            color = self.look.color("live")
            width, height = self.width(), self.height()
            for x, y, w, h in ((0, 0, width, EDGE), (0, height - EDGE, width, EDGE), (0, 0, EDGE, height)):
                painter.fillRect(x, y, w, h, color)
            painter.fillRect(width - EDGE, 0, EDGE, height, color)
