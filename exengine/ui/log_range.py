"""Which stretch of time the Log dock shows: any, the last hour, today, seven days, or from one day to another."""

from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from exengine.ui import format as fmt
from exengine.ui.day_span import DaySpan
from exengine.ui.icons import Icons
from exengine.ui.pieces import button, drop_down
from exengine.ui.theme import Look


class Span(Enum):
    ANY = "Any time"
    HOUR = "Last hour"
    TODAY = "Today"
    WEEK = "7 days"
    DAYS = "Days…"


_LASTS = {Span.HOUR: timedelta(hours=1), Span.WEEK: timedelta(days=7)}


class LogRange(DaySpan):
    """The row with the two days; `tool` goes into the dock's title."""

    changed = Signal()

    def __init__(self, look: Look, icons: Icons, parent: QWidget) -> None:
        super().__init__(look, icons, parent)
        self.span = Span.ANY
        self.tool = button(look, Span.ANY.value, small=True)
        self.tool.setAccessibleName("Range of time")
        self.tool.setToolTip("Show the lines of a stretch of time")
        self.tool.clicked.connect(self._on_tool)
        self.days_changed.connect(self.changed)

    def limits(self, now_ms: int) -> tuple[int | None, int | None]:
        """From when on, and up to when, in epoch ms; None = no end on that side."""
        now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(fmt.Times.zone)
        match self.span:
            case Span.ANY:
                return None, None
            case Span.TODAY:
                return _midnight(now.date()), None
            case Span.DAYS:
                first, last = self.days
                return _midnight(first), _midnight(last + timedelta(days=1))
            case _:
                # To the minute, so that the same question is not another one with every second.
                since = now - _LASTS[self.span]
                return round(since.replace(second=0, microsecond=0).timestamp() * 1000), None

    def choose(self, span: Span) -> None:
        """As if the trader had chosen it."""
        if span is Span.DAYS and self.span is not Span.DAYS:
            today = datetime.now(UTC).astimezone(fmt.Times.zone).date()
            self.set_days(today, today)
        self.span = span
        self.tool.setText(span.value)
        self.setVisible(span is Span.DAYS)
        self.changed.emit()

    def menu(self) -> QMenu:
        menu = QMenu(self.tool)
        for span in Span:
            made = QAction(span.value, menu)
            made.setCheckable(True)
            made.setChecked(span is self.span)
            made.triggered.connect(lambda *_, span=span: self.choose(span))
            menu.addAction(made)
        return menu

    def _on_tool(self) -> None:
        drop_down(self.menu(), self.tool)


def _midnight(day: date) -> int:
    """The beginning of a day in the trader's zone, in epoch ms."""
    begins = datetime.combine(day, time())
    begins = begins.astimezone() if fmt.Times.zone is None else begins.replace(tzinfo=fmt.Times.zone)
    return round(begins.timestamp() * 1000)
