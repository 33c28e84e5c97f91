"""Which groups the Positions dock shows: chips and a search in its title bar. The model keeps them all."""

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from exengine.domain.instrument import Side
from exengine.engine.rows import GroupRow
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.icons import Icons
from exengine.ui.one_shot import one_shot
from exengine.ui.pieces import IconButton, chip
from exengine.ui.positions_model import PositionsModel
from exengine.ui.stream_dock import EmptyNote
from exengine.ui.table import Table
from exengine.ui.theme import Look

SEARCH_MS = 150

CHIPS: dict[str, Callable[[GroupRow], bool]] = {
    "Long": lambda row: row.side is Side.LONG,
    "Short": lambda row: row.side is Side.SHORT,
    "Held": lambda row: row.holding.net_base != 0,
    "Wrong": lambda row: bool(row.error),
}
"""What each chip lets through; of several one is enough of Long and Short, and all of the others."""
_HINTS = {"Held": "Groups that hold something", "Wrong": "Groups in which something went wrong"}


class PositionsFilter(QWidget):
    """Chips and search, shown while the filter is switched on; rows that do not match are hidden, not gone."""

    changed = Signal()
    """Other groups may be shown than before."""

    def __init__(self, look: Look, icons: Icons, table: Table, model: PositionsModel) -> None:
        super().__init__()
        self._table, self._model = table, model
        self.matching: list[str] = []
        """The groups that match."""
        self.note = EmptyNote(look, icons, "filter", "Nothing matches", "", "Clear filter")
        self.switch = IconButton(icons, "filter", "Filter Positions")
        self.switch.setCheckable(True)
        self.switch.toggled.connect(self._on_switched)
        self.search = QLineEdit()
        self.search.setProperty("small", True)
        self.search.setPlaceholderText("Pair, account, status")
        self.search.setAccessibleName("Search Positions")
        self.search.setMinimumWidth(look.scaled(150))
        self.chips = {name: self._chip(look, name) for name in CHIPS}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for widget in (*self.chips.values(), self.search):
            row.addWidget(widget)
        self.hide()
        self._typed = one_shot(self, self.look, after_ms=SEARCH_MS)
        self.search.textChanged.connect(self._typed.start)
        find = QShortcut(QKeySequence.StandardKey.Find, table)
        find.setContext(Qt.ShortcutContext.WidgetShortcut)
        find.activated.connect(self.begin)
        leave = QShortcut(QKeySequence("Esc"), self.search)
        leave.setContext(Qt.ShortcutContext.WidgetShortcut)
        leave.activated.connect(self.clear)

    def _chip(self, look: Look, name: str) -> QPushButton:
        made = chip(look, name)
        made.setToolTip(_HINTS.get(name, ""))
        made.toggled.connect(lambda *_: self.look())
        return made

    def begin(self) -> None:
        """Shows the filter, with the keyboard in its search."""
        self.switch.setChecked(True)
        self.search.setFocus()

    @property
    def is_on(self) -> bool:
        return bool(self.search.text().strip()) or any(chip.isChecked() for chip in self.chips.values())

    def matches(self, row: GroupRow) -> bool:
        on = {name for name, chip in self.chips.items() if chip.isChecked()}
        sides = on & {"Long", "Short"}
        if sides and not any(CHIPS[name](row) for name in sides):
            return False
        if not all(CHIPS[name](row) for name in on - sides):
            return False
        side, status = words.SIDES[row.side][0], words.group_state(row.status)[0]
        blocked = "blocked" if row.blocked else ""
        text = f"{fmt.pair(row.symbol)} {row.timeframe} {row.account} {side} {status} {row.tp_mode} {blocked}".lower()
        return all(word in text for word in self.search.text().lower().split())

    def look(self) -> None:
        """Hides what does not match and shows what does."""
        self._typed.stop()
        top, matching = QModelIndex(), list[str]()
        for place in range(self._model.rowCount()):
            group = self._model.group_at(self._model.index(place, 0))
            matches = group is not None and (not self.is_on or self.matches(group))
            if group is not None and matches:
                matching.append(group.id)
            if self._table.isRowHidden(place, top) is matches:
                self._table.setRowHidden(place, top, not matches)
        self.note.say("Nothing matches", f"None of {self._model.summary()} matches the filter.", action=True)
        self.matching = matching
        self.changed.emit()

    def clear(self) -> None:
        """Shows every group, and puts the filter away."""
        for made in self.chips.values():
            made.setChecked(False)
        self.search.clear()
        self.look()
        self.switch.setChecked(False)

    @property
    def shown(self) -> int:
        """How many groups match."""
        return len(self.matching)

    def summary(self) -> str:
        """`2 of 6 groups`; empty while all are shown."""
        return f"{self.shown:,} of {self._model.summary()}" if self.is_on else ""

    def set_possible(self, possible: bool) -> None:
        """Put away while there is nothing to filter."""
        self.switch.setVisible(possible)
        self.setVisible(possible and self.switch.isChecked())

    def _on_switched(self, on: bool) -> None:
        self.setVisible(on)
        if on:
            self.search.setFocus()
        elif self.is_on:
            self.clear()
