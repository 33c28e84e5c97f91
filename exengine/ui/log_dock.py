"""The Log dock: the audit trail with chips by severity and category, a search, and its end in view."""

from collections.abc import Mapping

from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QWidget

from exengine.engine.rows import Category, LogRow, Severity, ViewChanges
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.icons import Icons
from exengine.ui.log_model import NAMES, LogFilter, LogModel
from exengine.ui.stream_dock import EmptyNote, StreamDock
from exengine.ui.table_tools import TableTools
from exengine.ui.theme import Look

SEARCH_MS = 150
"""Typing is not searched letter by letter."""


class LogDock(StreamDock):
    """The table of log lines and what narrows it."""

    def __init__(self, look: Look, icons: Icons) -> None:
        note = EmptyNote(look, icons, "log", "", "", "Clear filters")
        self.model = LogModel()
        super().__init__(look, icons, self.model, name="log", title="Log", note=note, names=NAMES)
        self.model.setParent(self)
        self._icons, self._look = icons, look
        self.wanted = LogFilter()
        note.pressed.connect(self.clear_filters)
        self.setWidget(self.pages)
        self.severity_chips = {severity: self._severity_chip(severity) for severity in Severity}
        self.category_chips = {category: self._category_chip(category) for category in Category}
        self.search = QLineEdit()
        self.search.setProperty("small", True)
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search the log")
        self.search.setClearButtonEnabled(False)
        self.search.setMinimumWidth(look.scaled(160))
        look.changed.connect(lambda: self.search.setMinimumWidth(look.scaled(160)))
        self._typed = QTimer(self)
        self._typed.setSingleShot(True)
        self._typed.setInterval(SEARCH_MS)
        self._typed.timeout.connect(self.apply_filter)
        self.search.textChanged.connect(self._typed.start)
        self.group_chip = self.chip("")
        self.group_chip.setToolTip("Show the lines of all groups again")
        self.group_chip.clicked.connect(lambda: self.show_group(""))
        self.group_chip.hide()
        self._chips = QWidget()
        row = QHBoxLayout(self._chips)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for chip in self.severity_chips.values():
            row.addWidget(chip)
        row.addSpacing(8)
        for chip in self.category_chips.values():
            row.addWidget(chip)
        self.heading.add_tool(self.group_chip)
        self.heading.add_tool(self._chips)
        self.heading.add_tool(self.search)
        self.heading.add_tool(self.follow)
        self.tools = TableTools(self, icons, [self.table], forms=("txt", "csv", "json"))
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self.search.setFocus)
        self._refresh_note()

    def _severity_chip(self, severity: Severity) -> QPushButton:
        chip = self.chip(words.SEVERITIES[severity][0])
        chip.toggled.connect(lambda on: self._on_chip(self.wanted.severities, severity, on))
        return chip

    def _category_chip(self, category: Category) -> QPushButton:
        chip = self.chip(words.CATEGORIES[category][0])
        chip.toggled.connect(lambda on: self._on_chip(self.wanted.categories, category, on))
        return chip

    # Changes

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        self.model.now_ms = self.model.now_ms or now_ms
        if changes.log:
            self.model.take(changes.log)
            self.keep_up()
        self._refresh_note()

    def tick(self, now_ms: int) -> None:
        self.model.tick(now_ms)

    def show_errors(self, count: int) -> None:
        """Tells on the tab how many errors wait for the trader."""
        self.set_tab_text(f"Log {count:,}" if count else "Log")

    def show_row(self, row: LogRow) -> None:
        """Brings one line into view, out of any filter that hides it."""
        if not self.wanted.matches(row):
            self.clear_filters()
        self.reveal(row.id)

    def show_group(self, group_id: str) -> None:
        """Shows the lines of one group alone; those of all where it is empty."""
        self.wanted.group = group_id
        _, symbol, frame = group_id.split("#", maxsplit=1)[0].split("|") if group_id else ("", "", "")
        self.group_chip.setText(f"{fmt.pair(symbol)} {frame} ×" if group_id else "")
        self.group_chip.setChecked(bool(group_id))
        self.group_chip.setVisible(bool(group_id))
        self.apply_filter()

    # Filters

    def clear_filters(self) -> None:
        for chip in (*self.severity_chips.values(), *self.category_chips.values()):
            chip.setChecked(False)
        self.search.clear()
        self.show_group("")

    def _on_chip(self, chosen: set, which: Severity | Category, on: bool) -> None:
        (chosen.add if on else chosen.discard)(which)
        self.apply_filter()

    def apply_filter(self) -> None:
        """Shows what the chips and the search let through, at once."""
        self._typed.stop()
        self.wanted.search = self.search.text()
        chosen = self.model.row_at(self.table.currentIndex())
        self.model.filter(self.wanted.matches)
        if chosen is not None:
            self.table.setCurrentIndex(self.model.index_of(chosen.id))
        self._refresh_note()
        self.keep_up()

    def _refresh_note(self) -> None:
        shown, total = self.model.rowCount(), self.model.total
        if self.wanted.is_on:
            self.heading.detail.setText(f"{shown:,} of {fmt.count(total, 'line')}")
            text = f"None of {fmt.count(total, 'line')} matches the chips and the search."
            self.note.say("Nothing matches", text, action=True)
        else:
            self.heading.detail.setText(fmt.count(total, "line"))
            text = "What the engine does and decides appears here, line by line."
            self.note.say("Nothing happened yet", text, action=False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Where there is no room for all chips, those of the severities matter most; the search always stays.
        room = event.size().width() - self.search.minimumWidth() - self._look.scaled(180)
        severities, categories = (_wide(chips) for chips in (self.severity_chips, self.category_chips))
        for chip in self.severity_chips.values():
            chip.setVisible(room >= severities)
        for chip in self.category_chips.values():
            chip.setVisible(room >= severities + categories)


def _wide(chips: Mapping[Severity, QPushButton] | Mapping[Category, QPushButton]) -> int:
    """The room that chips take."""
    return sum(chip.sizeHint().width() + 4 for chip in chips.values())
