"""Which stretch of time the figures are of: today, this week, this month, all, or from one day to another."""

from datetime import date

from PySide6.QtCore import QDate, Signal
from PySide6.QtWidgets import QDateEdit, QHBoxLayout

from exengine.analytics.calendar import Range
from exengine.analytics.report import Wanted
from exengine.ui.pieces import Ground, Label
from exengine.ui.segments import Segments
from exengine.ui.theme import Look

WORDS = {
    Range.TODAY: "Today",
    Range.WEEK: "Week",
    Range.MONTH: "Month",
    Range.ALL: "All",
    Range.CUSTOM: "Custom",
}


class RangeChoice(Ground):
    """The days of a range of one's own; `segments` goes into the dock's title."""

    changed = Signal(object)
    """The Wanted that the trader has just chosen."""

    def __init__(self, look: Look, today: date) -> None:
        super().__init__(look, "surface")
        self.segments = Segments(look, "Range", {one.value: text for one, text in WORDS.items()})
        self.segments.choose(Range.ALL.value)
        self.segments.chosen.connect(self._on_chosen)
        self.first, self.last = _day_field("From"), _day_field("To")
        self.set_days(today.replace(day=1), today)
        row = QHBoxLayout(self)
        row.setContentsMargins(look.metric("edge_padding"), 6, look.metric("edge_padding"), 6)
        row.setSpacing(8)
        for text, field in (("From", self.first), ("to", self.last)):
            row.addWidget(Label(look, text, token="muted"))
            row.addWidget(field)
            field.dateChanged.connect(self._on_day)
        row.addWidget(Label(look, "both days included", token="muted"))
        row.addStretch(1)
        self.hide()

    def set_days(self, first: date, last: date) -> None:
        """Shows other days; tells nobody."""
        for field, day in ((self.first, first), (self.last, last)):
            field.blockSignals(True)
            field.setDate(QDate(day.year, day.month, day.day))
            field.blockSignals(False)

    @property
    def wanted(self) -> Wanted:
        chosen = Range(self.segments.current or Range.ALL.value)
        days = (_date_of(self.first), _date_of(self.last)) if chosen is Range.CUSTOM else None
        return Wanted(range=chosen, custom=days)

    def choose(self, wanted: Range) -> None:
        """As if the trader had chosen it."""
        self.segments.choose(wanted.value)
        self._on_chosen(wanted.value)

    def _on_chosen(self, key: str) -> None:
        self.setVisible(Range(key) is Range.CUSTOM)
        self.changed.emit(self.wanted)

    def _on_day(self) -> None:
        self.changed.emit(self.wanted)


def _day_field(name: str) -> QDateEdit:
    field = QDateEdit()
    field.setCalendarPopup(True)
    field.setDisplayFormat("yyyy-MM-dd")
    field.setAccessibleName(name)
    return field


def _date_of(field: QDateEdit) -> date:
    chosen = field.date()
    return date(chosen.year(), chosen.month(), chosen.day())
