"""The Log dock: the audit trail with chips, a search and a range of time; its end in view, older pages on demand."""

from PySide6.QtCore import QPersistentModelIndex, QPoint
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QVBoxLayout

from exengine.domain.group import GroupKey
from exengine.engine.log_pages import LogPages, LogWanted
from exengine.engine.rows import LogRow, ViewChanges
from exengine.ui import format as fmt
from exengine.ui.exports import Item, Rows, table_rows
from exengine.ui.icons import Icons
from exengine.ui.log_chips import LogChips
from exengine.ui.log_model import EXPORT_TITLES, NAMES, LogModel, export_row
from exengine.ui.log_range import LogRange, Span
from exengine.ui.one_shot import one_shot
from exengine.ui.pieces import Ground, chip
from exengine.ui.stream_dock import EmptyNote, StreamDock
from exengine.ui.table_tools import TableTools
from exengine.ui.theme import Look
from exengine.ui.waiting import Waiting

SEARCH_MS = 150
"""Typing is not searched letter by letter."""
PAGE = 500
"""How many lines are read further back at once."""
SEARCH_LEAST, SEARCH_TYPED, SEARCH_MOST = 64, 170, 200
"""How wide the search is, at 10 px: empty, with something in it where there is little room, and where there is room."""
ICONS, SPACING = 5, 8
"""Of the title bar: how many buttons have an icon alone, and what is left between its parts."""
EXPORTED = 5_000
"""How many are read at once where all of them are written to a file."""


class LogDock(StreamDock):
    """The table of log lines and what narrows it."""

    def __init__(self, look: Look, icons: Icons) -> None:
        note = EmptyNote(look, icons, "log", "", "", "Clear filters")
        self.model = LogModel()
        super().__init__(look, icons, self.model, name="log", title="Log", note=note, names=NAMES)
        self.model.setParent(self)
        self._icons, self._look = icons, look
        self.wanted = LogWanted()
        self.history: LogPages | None = None
        """Where older lines are; without it the dock shows what it was given."""
        self._group = ""
        self._complete_from: int | None = None
        """From this number on the model has every line; None while it has none."""
        self._read_to: int | None = None
        """Down to this number what is wanted now was read; None while nothing was."""
        self._at_the_beginning = False
        self._beside: int | None = None
        """The room that its title bar has beside the tabs; None where it is not there."""
        self.waiting = Waiting(self, look, "looking further back")
        self.range = LogRange(look, icons, self)
        self.range.changed.connect(self.apply_filter)
        note.pressed.connect(self.clear_filters)
        ground = Ground(look, "surface")
        column = QVBoxLayout(ground)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.waiting.line)
        column.addWidget(self.range)
        column.addWidget(self.pages, 1)
        self.setWidget(ground)
        self.chips = LogChips(look, icons)
        self.chips.changed.connect(self.apply_filter)
        self.search = QLineEdit()
        self.group_chip = chip(look, "")
        self.group_chip.setToolTip("Show the lines of all groups again")
        self.group_chip.setAccessibleName("Show the lines of all groups again")
        self.group_chip.clicked.connect(lambda: self.show_group(""))
        self.group_chip.hide()
        for tool in (self.group_chip, self.chips, self.range.tool, self.search, self.follow):
            self.heading.add_tool(tool)
        self.heading.let_grow(self.search)
        self._build_search()
        self.tools = TableTools(self, icons, [self.table], forms=("txt", "csv", "json"))
        self.tools.replace_item(Item(name="Log", fetch=self._all_rows))
        self.table.verticalScrollBar().valueChanged.connect(self._on_rolled)
        self.model.trimmed.connect(self._on_let_go)
        self._refresh_note()

    def _build_search(self) -> None:
        self.search.setProperty("small", True)
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search the log")
        icon = self._icons.icon("close", "muted")
        self._emptied = self.search.addAction(icon, QLineEdit.ActionPosition.TrailingPosition)
        self._emptied.setToolTip("Clear the search")
        self._emptied.triggered.connect(self.search.clear)
        self._emptied.setVisible(False)
        self._on_look_changed()
        self._look.changed.connect(self._on_look_changed)
        self.search.textChanged.connect(self._on_text)
        self._typed = one_shot(self, self.apply_filter, after_ms=SEARCH_MS)
        self.search.textChanged.connect(self._typed.start)
        find = QShortcut(QKeySequence.StandardKey.Find, self)
        find.activated.connect(self.search.setFocus)

    def _on_look_changed(self) -> None:
        self.search.setMaximumWidth(self._look.scaled(SEARCH_MOST))
        self._say_count(self.heading.detail.text())
        self._fit()

    def _on_text(self, text: str) -> None:
        if bool(text) is not self._emptied.isVisible():
            self._emptied.setVisible(bool(text))
            self._fit()

    # Changes

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        self.model.begin(now_ms)
        if changes.log:
            self.model.take(changes.log)
            if self._complete_from is None:
                self._complete_from = min(row.id for row in changes.log)
            self.keep_up()
            self._fill()
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
        self._group = group_id
        key = GroupKey.of(group_id) if group_id else None
        self.group_chip.setText(f"{fmt.pair(key.symbol)} {key.timeframe} ×" if key is not None else "")
        self.group_chip.setChecked(bool(group_id))
        self.group_chip.setVisible(bool(group_id))
        self._fit()
        self.apply_filter()

    # Filters

    def clear_filters(self) -> None:
        self.chips.clear()
        self.search.clear()
        self.range.choose(Span.ANY)
        self.show_group("")

    def apply_filter(self) -> None:
        """Shows what chips, search and range let through, at once; then what there is of it further back."""
        self._typed.stop()
        since_ms, until_ms = self.range.limits(self.model.now_ms)
        wanted = LogWanted(
            severities=frozenset(one for one, made in self.chips.severities.items() if made.isChecked()),
            categories=frozenset(one for one, made in self.chips.categories.items() if made.isChecked()),
            words=tuple(self.search.text().lower().split()),
            group=self._group,
            since_ms=since_ms,
            until_ms=until_ms,
        )
        if wanted != self.wanted:
            self.wanted = wanted
            self._read_to, self._at_the_beginning = None, False
            self.waiting.cancel()
        chosen = self.model.row_at(self.table.currentIndex())
        self.model.filter(self.wanted.matches)
        if chosen is not None:
            self.table.setCurrentIndex(self.model.index_of(chosen.id))
        self._refresh_note()
        self.keep_up()
        self._fill()

    # Further back

    def on_shown(self) -> None:
        super().on_shown()
        self._fill()

    def _on_rolled(self, value: int) -> None:
        if value <= 1 and not self.follow.isChecked():
            self.read_on()

    def _fill(self) -> None:
        """Where what is shown does not fill the dock, older lines are looked for."""
        bar = self.table.verticalScrollBar()
        if self.wanted.is_on and self.isVisible() and self.model.rowCount() < PAGE and bar.maximum() == 0:
            self.read_on()

    def read_on(self) -> None:
        """Reads the page before what is shown, where there is one."""
        if self.history is None or self._at_the_beginning or self.waiting.is_busy or self._complete_from is None:
            return
        before = self._complete_from if self._read_to is None else self._read_to
        work = self.history.before(before, self.wanted, PAGE)
        self.waiting.begin(work, "read the log", self._on_page, self._on_unread)
        self._refresh_note()

    def _on_page(self, rows: tuple[LogRow, ...]) -> None:
        self._at_the_beginning = len(rows) < PAGE
        if rows:
            self._read_to = rows[0].id
            if not self.wanted.is_on:
                self._complete_from = rows[0].id
        self._put_before(rows)
        self._refresh_note()
        self._fill()

    def _put_before(self, rows: tuple[LogRow, ...]) -> None:
        """Takes older lines in; what the trader looks at stays where it is."""
        at_top = QPersistentModelIndex(self.table.indexAt(QPoint(0, 0)))
        stays = not self.follow.isChecked() and not self.model.is_sorted
        self._moving = True
        self.model.put_before(rows)
        if stays and at_top.isValid():
            self.table.scrollTo(self.model.index(at_top.row(), 0), QAbstractItemView.ScrollHint.PositionAtTop)
        self._moving = False

    def _on_unread(self, error: BaseException) -> None:
        self._at_the_beginning = True
        self.told.emit(f"Older lines could not be read: {error}", "error")
        self._refresh_note()

    def _on_let_go(self, _count: int) -> None:
        oldest = self.model.oldest
        if oldest is not None and self._complete_from is not None:
            self._complete_from = max(self._complete_from, oldest)
            self._read_to, self._at_the_beginning = None, False

    def _on_follow(self, following: bool) -> None:
        super()._on_follow(following)
        if following:
            self.model.let_go()

    async def _all_rows(self) -> Rows:
        """Every line that is wanted, also those that are in the store alone."""
        if self.history is None:
            return table_rows(self.table)
        found: list[LogRow] = []
        before: int | None = None
        while True:
            page = await self.history.before(before, self.wanted, EXPORTED)
            found[:0] = page
            if len(page) < EXPORTED:
                return [EXPORT_TITLES, *map(export_row, found)]
            before = page[0].id

    def _refresh_note(self) -> None:
        shown, total = self.model.rowCount(), self.model.total
        if not self.wanted.is_on:
            self._say_count(fmt.count(total, "line"))
            text = "What the engine does and decides appears here, line by line."
            self.note.say("Nothing happened yet", text, action=False)
        elif self.waiting.is_busy and not shown:
            self._say_count("looking back")
            self.note.say("Looking further back", "None of the newest lines matches.", action=True)
        else:
            self._say_count(f"{shown:,} of {total:,}")
            text = f"None of {fmt.count(total, 'line')} matches {self._narrowed_by()}."
            self.note.say("Nothing matches", text, action=True)

    def _narrowed_by(self) -> str:
        """What keeps lines out, in words."""
        by = {
            "the group": bool(self._group),
            "the chips": self.chips.is_on,
            "the search": bool(self.search.text().strip()),
            "the range": self.range.span is not Span.ANY,
        }
        return fmt.listed([name for name, narrows in by.items() if narrows])

    # The room of the title bar

    def _say_count(self, text: str) -> None:
        """How many lines there are is never cut; the room for it only grows, so that nothing moves as they come."""
        detail = self.heading.detail
        detail.setText(text)
        needed = detail.sizeHint().width()
        if needed > detail.minimumWidth():
            detail.setMinimumWidth(needed)
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def fits_beside(self, room: int) -> bool:
        """Beside the tabs nothing below it moves: there it is as long as the severities have their room."""
        fits = self._taken() + self._look.scaled(SEARCH_LEAST) + self.chips.least_width() <= room
        self._beside = room if fits else None
        self._fit()
        return fits

    def take_heading_back(self) -> None:
        super().take_heading_back()
        self._beside = None
        self._fit()

    def _taken(self) -> int:
        """What all but the search and the chips takes."""
        texts = [self.range.tool] if self.group_chip.isHidden() else [self.range.tool, self.group_chip]
        widths = self.heading.detail.minimumWidth() + sum(tool.sizeHint().width() for tool in texts)
        gaps = self._look.metric("edge_padding") + (len(texts) + 4) * SPACING
        return widths + gaps + ICONS * self.follow.sizeHint().width()

    def _fit(self) -> None:
        """What is typed is seen, and how many lines there are; the chips have the rest."""
        room = (self.width() if self._beside is None else self._beside) - self._taken()
        least = self._look.scaled(SEARCH_LEAST)
        wanted = self._look.scaled(SEARCH_TYPED) if self.search.text() else least
        search = max(least, min(wanted, room))
        self.search.setMinimumWidth(search)
        self.chips.fit(room - search)
