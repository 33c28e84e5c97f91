"""The row in which two days are chosen, from one to the other."""

from datetime import date

from PySide6.QtCore import QDate, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QDateEdit, QHBoxLayout, QWidget

from exengine.ui.choice import draw_chevron
from exengine.ui.icons import Icons
from exengine.ui.pieces import Ground, Label
from exengine.ui.theme import Look


class DayField(QDateEdit):
    """A day to be typed or chosen from a calendar, with the program's own chevron as a drop-down has it."""

    def __init__(self, icons: Icons, name: str) -> None:
        super().__init__()
        self._icons = icons
        icons.look.changed.connect(self._on_look_changed)
        self._on_look_changed()
        self.setCalendarPopup(True)
        self.setDisplayFormat("yyyy-MM-dd")
        self.setAccessibleName(name)

    def _on_look_changed(self) -> None:
        # Qt rounds the middle of a field up and that of a drop-down down, unless the font has outgrown it: in one row
        # their texts stand at one height.
        look = self._icons.look
        self.lineEdit().setTextMargins(0, 0, 0, int(look.tall("field") == look.metric("field")))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        draw_chevron(self, self._icons)


class DaySpan(Ground):
    """Hidden until it is wanted."""

    days_changed = Signal()
    """The trader has chosen another day."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget | None = None, *, narrow: bool = False) -> None:
        """`narrow` where there is only room for the two days."""
        super().__init__(look, "surface", parent)
        self.first, self.last = DayField(icons, "From"), DayField(icons, "To")
        row = QHBoxLayout(self)
        edge = 0 if narrow else look.metric("edge_padding")
        row.setContentsMargins(edge, 0 if narrow else 6, edge, 0 if narrow else 6)
        row.setSpacing(8)
        for text, field in (("From", self.first), ("to", self.last)):
            row.addWidget(Label(look, text, token="muted"))
            row.addWidget(field, int(narrow))
            field.dateChanged.connect(self.days_changed)
        if not narrow:
            row.addWidget(Label(look, "both days included", token="muted"))
            row.addStretch(1)
        self.hide()

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day, both included."""
        return _date_of(self.first), _date_of(self.last)

    def set_days(self, first: date, last: date) -> None:
        """Shows other days; tells nobody."""
        for field, day in ((self.first, first), (self.last, last)):
            field.blockSignals(True)
            field.setDate(QDate(day.year, day.month, day.day))
            field.blockSignals(False)


def _date_of(field: QDateEdit) -> date:
    chosen = field.date()
    return date(chosen.year(), chosen.month(), chosen.day())
