"""Which stretch of time the figures are of: today, this week, this month, all, or from one day to another."""

from datetime import date

from PySide6.QtCore import Signal

from exengine.analytics.calendar import Range
from exengine.analytics.report import Wanted
from exengine.ui.day_span import DaySpan
from exengine.ui.icons import Icons
from exengine.ui.segments import Segments
from exengine.ui.theme import Look

WORDS = {
    Range.TODAY: "Today",
    Range.WEEK: "Week",
    Range.MONTH: "Month",
    Range.ALL: "All",
    Range.CUSTOM: "Custom",
}


class RangeChoice(DaySpan):
    """The days of a range of one's own; `segments` goes into the dock's title."""

    changed = Signal(object)
    """The Wanted that the trader has just chosen."""

    def __init__(self, look: Look, icons: Icons, today: date) -> None:
        super().__init__(look, icons)
        self.segments = Segments(look, "Range", {one.value: text for one, text in WORDS.items()})
        self.segments.choose(Range.ALL.value)
        self.segments.chosen.connect(self._on_chosen)
        self.set_days(today.replace(day=1), today)
        self.days_changed.connect(lambda: self.changed.emit(self.wanted))

    @property
    def wanted(self) -> Wanted:
        chosen = Range(self.segments.current or Range.ALL.value)
        return Wanted(range=chosen, custom=self.days if chosen is Range.CUSTOM else None)

    def choose(self, wanted: Range) -> None:
        """As if the trader had chosen it."""
        self.segments.choose(wanted.value)
        self._on_chosen(wanted.value)

    def _on_chosen(self, key: str) -> None:
        self.setVisible(Range(key) is Range.CUSTOM)
        self.changed.emit(self.wanted)
