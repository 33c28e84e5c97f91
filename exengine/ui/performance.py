"""The Performance dock: what the trading has come to. Nothing is read or worked out while it is hidden."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from exengine.analytics.calendar import Range
from exengine.analytics.equity import Now
from exengine.analytics.report import Report
from exengine.domain.money import ZERO
from exengine.engine.rows import ViewChanges
from exengine.ui import format as fmt
from exengine.ui.book import Book
from exengine.ui.dock import Dock
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.one_shot import one_shot
from exengine.ui.performance_feed import PerformanceFeed, Progress, Source
from exengine.ui.performance_pieces import BusyLine
from exengine.ui.performance_range import RangeChoice
from exengine.ui.performance_words import day, minute
from exengine.ui.pieces import Button, Ground, button
from exengine.ui.stream_dock import EmptyNote
from exengine.ui.theme import Look

if TYPE_CHECKING:
    from exengine.ui.performance_view import PerformanceView

AGAIN_MS = 5_000
"""How often the end of the curve follows the prices while somebody looks."""

EMPTY = (
    "No closed group yet",
    "Figures start with the first one; Sharpe and Sortino after two days.",
)
READING = ("Reading the history", "The figures appear as soon as it has been read.")
STOPPED = ("The reading was stopped", "What was read so far is kept, and is not read again.")
FAILED = "The history cannot be read"
SAFE = "Nothing stored is changed by reading it, and trading does not wait for these figures."
TO_DO = "See in Status what is in its way, then try again."


class PerformanceDock(Dock):
    """Asks the feed for figures when something has closed, another range is chosen, or it comes into sight."""

    test_asked = Signal()
    status_asked = Signal()

    def __init__(self, look: Look, icons: Icons, book: Book, source: Source, now_ms: Callable[[], int]) -> None:
        super().__init__(look, icons, name="performance", title="Performance")
        self.look, self._icons, self._book, self._now_ms = look, icons, book, now_ms
        self.is_looked_at = False
        self._basis: tuple[object, ...] | None = None
        """What the figures that are shown were made from."""
        self._shown_unrealised, self._worked_at_ms = ZERO, 0
        self._note_asks: Callable[[], object] = self.test_asked.emit
        self._layouts: LayoutStore | None = None
        self.feed = PerformanceFeed(source, self._now, book.usd_rate, self)
        self.feed.ready.connect(self._on_ready)
        self.feed.slow.connect(self._on_slow)
        self.feed.failed.connect(self._on_failed)
        self.feed.stopped.connect(self._on_stopped)
        self.range = RangeChoice(look, icons, self.feed.calendar.date_of(now_ms()))
        self.range.changed.connect(self.feed.ask)
        self.view: PerformanceView | None = None
        self._build()
        self._look_soon = one_shot(self, self._on_seen)
        self.visibilityChanged.connect(lambda _: self._look_soon.start(0))
        self._next: Report | None = None
        self._later = one_shot(self, self._on_later)
        look.changed.connect(self._on_tools_look)
        self._say(*EMPTY, action="Send test alert", ask=self.test_asked.emit)

    def _build(self) -> None:
        look = self.look
        self.line = BusyLine(look)
        self.note = EmptyNote(look, self._icons, "chart", EMPTY[0], EMPTY[1], "Send test alert")
        self.note.pressed.connect(self._on_note)
        self.fault = EmptyNote(look, self._icons, "error", FAILED, "", "Try again", other="Go to Status", token="error")
        self.fault.pressed.connect(self._refresh)
        self.fault.other_pressed.connect(self.status_asked)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.note)
        self.pages.addWidget(self.fault)
        ground = Ground(look, "surface")
        column = QVBoxLayout(ground)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.line, self.range):
            column.addWidget(widget)
        column.addWidget(self.pages, 1)
        self.setWidget(ground)
        self.stop = button(look, "Cancel", small=True)
        self.stop.setToolTip("Stop reading the history")
        self.stop.clicked.connect(self.feed.cancel)
        self.stop.hide()
        self.again = button(look, "Read again", small=True)
        self.again.setToolTip("Read the history again")
        self.again.clicked.connect(self._refresh)
        self.again.setIcon(self._icons.button_icon("warn", "warn"))
        self.again.hide()
        self.csv, self.png = self._tool("CSV"), self._tool("PNG")
        for tool in (self.stop, self.again, self.range.segments, self.csv, self.png):
            self.heading.add_tool(tool)

    def _tool(self, text: str) -> Button:
        made = button(self.look, text, small=True)
        made.setToolTip(f"Save a table as {text}" if text == "CSV" else f"Save a table or a plot as {text}")
        made.setIcon(self._icons.button_icon("export"))
        made.setEnabled(False)
        made.clicked.connect(lambda: self._pop(made))
        return made

    def _on_tools_look(self) -> None:
        for made in (self.csv, self.png):
            made.setIcon(self._icons.button_icon("export"))
        self.again.setIcon(self._icons.button_icon("warn", "warn"))

    def _on_note(self) -> None:
        self._note_asks()

    # What comes up

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        """Notes what the engine has closed; the feed is asked only where somebody looks."""
        if changes.engine is not None and self.is_looked_at:
            self._refresh()

    def show_timezone(self, name: str) -> None:
        """The trader's days are another zone's from now on."""
        if name and self.feed.set_timezone(name):
            self._basis = None
            if self.is_looked_at:
                self._refresh()

    def tick(self, now_ms: int) -> None:
        """Once a second while the window can be seen: the last point follows the prices."""
        if not self.is_looked_at or self.feed.is_working or now_ms - self._worked_at_ms < AGAIN_MS:
            return
        if self.report is not None and self._book.unrealised_usd().value != self._shown_unrealised:
            self._worked_at_ms = now_ms
            self.feed.ask()

    @property
    def report(self) -> Report | None:
        """What is shown."""
        return self.view.report if self.view is not None else None

    def _on_seen(self) -> None:
        """Qt tells of a dock that comes and goes several times while docks are moved: what counts is how it ends."""
        self.is_looked_at = self.isVisible() and not self.visibleRegion().isEmpty()
        if self.is_looked_at:
            self._refresh()
        elif self.feed.is_working:
            self._basis = None
            self.feed.cancel()

    def _refresh(self) -> None:
        """Asks for figures where those that are shown are no longer those of the engine."""
        engine = self._book.engine
        if engine is None:
            return
        basis = (engine.closed_groups, engine.realised_total, engine.start_equity)
        if basis != self._basis:
            self._basis = basis
            self.feed.ask()

    def _now(self) -> Now:
        engine = self._book.engine
        return Now(
            at_ms=self._now_ms(),
            start_equity=engine.start_equity if engine is not None else Decimal(0),
            unrealised=self._book.unrealised_usd().value,
        )

    def _on_ready(self, report: Report) -> None:
        self._shown_unrealised, self._worked_at_ms = report.now.unrealised, report.now.at_ms
        if not report.known:
            self._say(*EMPTY, action="Send test alert", ask=self.test_asked.emit)
            return
        self._next = report
        self._later.start(0)

    def _on_later(self) -> None:
        """The view is made in one pass of the loop and filled in the next: neither keeps the engine waiting long."""
        if self.view is None:
            self._make_view()
            self._later.start(0)
        elif self._next is not None:
            report, self._next = self._next, None
            self.view.show_report(report, self.feed.calendar.zone)
            self.pages.setCurrentWidget(self.view)
            for tool in (self.csv, self.png):
                tool.setEnabled(True)
            self._tell(self._span(report))

    def _tell(self, text: str, *, token: str = "muted") -> None:
        """Says something in the dock's title."""
        self.again.hide()
        self.heading.detail.set_token(token)
        self.heading.detail.setText(text)

    def _span(self, report: Report) -> str:
        """`Sep 24 to Nov 23`, and what is missing from it."""
        zone, now_ms = self.feed.calendar.zone, report.now.at_ms
        first, last = (day(at_ms, now_ms, zone) for at_ms in (report.begins_ms, report.ends_ms))
        text = first if first == last else f"{first} to {last}"
        if report.left_out:
            text += f" · {fmt.count(report.left_out, 'group')} left out: no price of its quote in USD"
        return text

    def _make_view(self) -> None:
        # Not imported before there is something to draw; the feed has loaded what takes long of it in its thread.
        from exengine.ui.exports import Exports
        from exengine.ui.performance_view import PerformanceView

        self.view = view = PerformanceView(self.look, self._icons, self._book)
        view.all_asked.connect(lambda: self.range.choose(Range.ALL))
        view.copied.connect(lambda what: self.told.emit(f"{what} copied", "success"))
        self.pages.addWidget(view)
        self.exports = Exports(self, view.items(), self._stamp)
        self.exports.saved.connect(lambda text: self.told.emit(text, "success"))
        self.exports.failed.connect(lambda text: self.told.emit(text, "error"))
        self._menus = {self.csv: self.exports.csv_menu(), self.png: self.exports.png_menu()}
        if self._layouts is not None:
            view.restore(self._layouts)

    def _stamp(self) -> str:
        return self.feed.calendar.date_of(self._now_ms()).isoformat()

    def _pop(self, tool: Button) -> None:
        self._menus[tool].popup(tool.mapToGlobal(tool.rect().bottomLeft()))

    # What takes long, and what went wrong

    def _on_slow(self, progress: Progress | None) -> None:
        self.stop.setVisible(progress is not None)
        if progress is None:
            self.line.show_share(None)
            self._tell(self._span(self.report) if self.report is not None else "")
            return
        self.line.show_share(progress.done / progress.of if progress.of else 0.0)
        self._tell(f"Reading {progress.done:,} of {progress.of:,} rows" if progress.of else READING[0])
        if self.report is None:
            self._say(*READING)

    def _on_failed(self, error: BaseException) -> None:
        self._basis = None
        if self.report is not None:
            then = minute(self.report.now.at_ms, self.feed.calendar.zone)
            self._tell(f"Not up to date, as of {then}: {str(error).rstrip('.')} · Trading goes on", token="warn")
            self.again.show()
            return
        self.fault.say(FAILED, f"{error} {SAFE} {TO_DO}", action=True)
        self.pages.setCurrentWidget(self.fault)

    def _on_stopped(self) -> None:
        if self.is_looked_at and self.report is None:
            self._basis = None
            self._say(*STOPPED, action="Read on", ask=self._refresh)

    def _say(self, heading: str, text: str, *, action: str = "", ask: Callable[[], object] | None = None) -> None:
        """A word in the place of the figures, and the next step."""
        self._note_asks = ask or self._note_asks
        self.note.action.setText(action)
        self.note.say(heading, text, action=bool(action))
        self.pages.setCurrentWidget(self.note)

    # What is kept

    def focus_target(self) -> QWidget:
        if self.view is not None and self.pages.currentWidget() is self.view:
            return self.view.equity.canvas
        note = self.fault if self.pages.currentWidget() is self.fault else self.note
        return note.action if not note.action.isHidden() else self

    def save(self, layouts: LayoutStore) -> None:
        layouts.save("performance/range", [self.range.segments.current or Range.ALL.value])
        if self.view is not None:
            self.view.save(layouts)

    def restore(self, layouts: LayoutStore) -> None:
        self._layouts = layouts
        kept = layouts.texts("performance/range") or []
        # Days of one's own are of their day: they are not brought back.
        if kept and kept[0] in {one.value for one in Range if one is not Range.CUSTOM}:
            self.range.segments.choose(kept[0])
            self.feed.wanted = self.range.wanted

    def reset(self) -> None:
        self.range.segments.choose(Range.ALL.value)
        self.range.hide()
        self.feed.wanted = self.range.wanted
        if self.view is not None:
            self.view.reset()
            self.feed.ask()
