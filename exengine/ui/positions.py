"""The Positions dock: what is held, what it is worth now, and what can be done with it."""

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QStackedWidget, QWidget

from exengine.domain.order import LegRef
from exengine.engine.rows import GroupRow, ViewChanges
from exengine.ui import format as fmt
from exengine.ui.book import Book
from exengine.ui.dock import Dock
from exengine.ui.figures import PnlText
from exengine.ui.first_steps import FirstSteps
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.pieces import Label
from exengine.ui.positions_cells import Col
from exengine.ui.positions_deeds import ICONS, Deed, text_of, why_not
from exengine.ui.positions_filter import PositionsFilter
from exengine.ui.positions_model import PositionsModel
from exengine.ui.setup import Setup
from exengine.ui.table import Table
from exengine.ui.table_tools import TableTools
from exengine.ui.theme import Look, Role

_NAMES = frozenset({Col.PAIR, Col.ACCOUNT, Col.TP_MODE, Col.STATUS})
"""Sorted from A first; numbers from the largest."""


class PositionsDock(Dock):
    """The tree of positions, or the first steps while there are none."""

    asked = Signal(Deed, str)
    """What is to be done, and with which group."""
    current_changed = Signal()

    def __init__(self, look: Look, icons: Icons, book: Book, setup: Setup) -> None:
        super().__init__(look, icons, name="positions", title="Positions")
        self._book, self._icons = book, icons
        self._tools_shown: bool | None = None
        self.model = PositionsModel(book, self)
        self.table = Table(look, icons, self.model, name="positions_table", title="Positions", tree=True)
        self.first_steps = FirstSteps(look, icons, setup, book)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.first_steps)
        self._pages.addWidget(self.table)
        self.setWidget(self._pages)
        self.total = PnlText(look, "Unrealised, USD", role=Role.BODY, sample="", percent=False)
        self._total_words = (Label(look, "Unrealised", token="muted"), Label(look, "USD", token="muted"))
        self.heading.add_tool(self._total_words[0])
        self.heading.add_tool(self.total)
        self.heading.add_tool(self._total_words[1])
        self.filter = PositionsFilter(look, icons, self.table, self.model)
        self.filter.changed.connect(self._show_page)
        self.filter.note.pressed.connect(self.filter.clear)
        self.heading.add_tool(self.filter)
        self.heading.add_tool(self.filter.switch)
        self._pages.addWidget(self.filter.note)
        self.tools = TableTools(self, icons, [self.table])
        self.table.heading.sort_asked.connect(self.sort_by)
        self.table.row_menu = self.context_menu
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self.current_changed.emit())
        self.table.verticalScrollBar().valueChanged.connect(self._note_visible)
        self.table.expanded.connect(self._note_visible)
        self._show_page()

    # Changes

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        """Shows what the book has just taken in; only what is on the screen is made anew."""
        before = self.model.rowCount()
        self.model.apply(changes, now_ms)
        if changes.groups or changes.gone_groups:
            self.filter.look()
        if self.model.rowCount() != before:
            self._show_page()
        self.refresh()

    def tick(self, now_ms: int) -> None:
        self.model.tick(now_ms)
        self.refresh()

    def refresh(self) -> None:
        """Brings the visible rows and the title up to date; nothing while the dock is hidden."""
        if not self.isVisible():
            return
        if self._pages.currentWidget() is self.table:
            self._refresh_rows()
        else:
            self.first_steps.refresh()
        self._refresh_title()

    def on_shown(self) -> None:
        self.refresh()

    def _refresh_rows(self) -> None:
        with self.table.telling() as rows:
            self.table.flash(self.model.refresh(rows))

    def _note_visible(self) -> None:
        for index in self.table.visible_rows():
            self.table.note(index)

    def _refresh_title(self) -> None:
        book, chosen = self._book, self.filter
        shown = chosen.summary() or self.model.summary() if book.engine is not None else "starting"
        self.heading.detail.setText(f"{shown} · {fmt.zone_words(self.model.now_ms)}")
        total = book.unrealised_usd_of(chosen.matching) if chosen.is_on else book.unrealised_usd()
        self.total.show_value(total.value)
        tip = f"Without {fmt.count(total.missing, 'group')} whose price in USD is not known" if total.missing else ""
        self.total.setToolTip(tip)
        there = self.model.rowCount() > 0
        if there is not self._tools_shown:
            self._tools_shown = there
            for widget in (self.total, *self._total_words):
                widget.setVisible(there)
            self.tools.set_visible(there)
            self.filter.set_possible(there)

    def _show_page(self) -> None:
        had_focus = self._pages.isAncestorOf(self._pages.focusWidget())
        if not self.model.rowCount():
            self.first_steps.begin_again()
        if not self.model.rowCount():
            self._pages.setCurrentWidget(self.first_steps)
        else:
            self._pages.setCurrentWidget(self.table if self.filter.shown else self.filter.note)
        if had_focus:
            self.focus_target().setFocus()

    def focus_target(self) -> QWidget:
        if self._pages.currentWidget() is self.table:
            return self.table
        if self._pages.currentWidget() is self.filter.note:
            return self.filter.note.action
        send = self.first_steps.form.send
        return send if send.isEnabled() else self.first_steps

    def save(self, layouts: LayoutStore) -> None:
        self.table.save(layouts)
        layouts.save("positions_table/sorted_by", self.table.heading.sorted_by)
        layouts.save("positions_table/descending", self.table.heading.descending)

    def restore(self, layouts: LayoutStore) -> None:
        self.table.restore(layouts)
        column = layouts.integer("positions_table/sorted_by", -1)
        if -1 <= column < self.model.columnCount():
            self.apply_order(column, layouts.flag("positions_table/descending", False))

    def reset(self) -> None:
        self.filter.clear()
        self.apply_order(-1, False)
        self.table.reset_columns()

    def reveal(self, group_id: str, leg: LegRef | None = None) -> None:
        """Brings a group into view and chooses it, or one of its legs; a filter that hides it is taken away."""
        index = self.model.index_of(group_id)
        if not index.isValid():
            return
        if self.table.isRowHidden(index.row(), QModelIndex()):
            self.filter.clear()
        if leg is not None:
            self.table.expand(index)
            pyramid = self.model.index(leg[0], 0, index)
            self.table.expand(pyramid)
            index = self.model.index(leg[1], 0, pyramid)
        self.table.setCurrentIndex(index)
        self.table.scrollTo(index)

    # What is chosen, and what can be done with it

    @property
    def current_group(self) -> GroupRow | None:
        return self.model.group_at(self.table.currentIndex()) if self.model.rowCount() else None

    def sort_by(self, column: int) -> None:
        """The first click sorts the useful way round, the second the other, the third as the groups opened."""
        heading = self.table.heading
        first_descending = column not in _NAMES
        if heading.sorted_by != column:
            order = (column, first_descending)
        elif heading.descending is first_descending:
            order = (column, not first_descending)
        else:
            order = (-1, False)
        self.apply_order(*order)

    def apply_order(self, column: int, descending: bool) -> None:
        self.table.heading.show_order(column, descending)
        way = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.model.sort(column, way)
        self.table.fit()
        self.refresh()

    def context_menu(self, at: QPoint) -> QMenu:
        """What can be done with the group at a place of the table."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        group = self.model.group_at(self.table.indexAt(at))
        if group is not None:
            for deed in Deed:
                if deed in (Deed.BLOCK, Deed.LOG):
                    menu.addSeparator()
                if deed in (Deed.ADOPT, Deed.AGAIN) and why_not(deed, group):
                    continue
                self._add(menu, deed, group)
        menu.addSeparator()
        menu.addAction("Expand all", self.table.expandAll)
        menu.addAction("Collapse all", self.table.collapseAll)
        return menu

    def _add(self, menu: QMenu, deed: Deed, group: GroupRow) -> None:
        made = menu.addAction(self._icons.icon(*ICONS[deed]), text_of(deed, group))
        off = why_not(deed, group)
        made.setEnabled(not off)
        made.setToolTip(off)
        made.triggered.connect(lambda *_: self.ask(deed, group))

    def ask(self, deed: Deed, group: GroupRow | None) -> None:
        """Asks for something to be done with a group, where that can be."""
        if group is None or why_not(deed, group):
            return
        if deed is Deed.COPY:
            self.table.copy()
            return
        self.asked.emit(deed, group.id)
