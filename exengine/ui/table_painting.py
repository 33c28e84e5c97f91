"""A table's painting: whole rows from cells, by bands, and again only what has changed."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAccessible, QPainter, QPaintEvent, QPen, QRegion, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
)

from exengine.ui.cell import CHEVRON, INDENT
from exengine.ui.cell_model import CellModel, Index
from exengine.ui.flashes import Flash, Flashes
from exengine.ui.icons import Icons
from exengine.ui.late_paint import bands
from exengine.ui.table_columns import ColumnedTree
from exengine.ui.theme import Look

BAND_ROWS = 8
"""How many rows are painted in one turn of the loop: a few milliseconds' worth."""


class _RowHeight(QStyledItemDelegate):
    """Tells the tree how tall a row is; painting is the table's."""

    def __init__(self, look: Look, parent: QTreeView) -> None:
        super().__init__(parent)
        self._look = look

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, self._look.row_height())


class PaintedTree(ColumnedTree):
    """Rows are painted whole, in one call each; what many changes touch is asked for once."""

    def __init__(self, look: Look, icons: Icons, model: CellModel, *, tree: bool, tight: bool) -> None:
        super().__init__(look, icons, model, tree=tree, tight=tight)
        self._sections: list[tuple[int, int, int, int, int]] = []
        """Of each column that is to be painted: its number, its left edge and width, and those of its cells' inside."""
        self._tops: dict[int, int] = {}
        self._told: set[int] = set()
        self._spans: dict[tuple[int, int], tuple[int, int]] = {}
        """Where rows and columns lie, and tops of what is told, while many changes are told: see `telling`."""
        self._room, self._high, self._any_chosen, self._focused = 0, 0, False, QModelIndex()
        self._row_height = look.row_height()
        self._mouse = QPoint(-1, -1)
        self._bands = bands()
        self._flashes = Flashes(look, self)
        self._flashes.ended.connect(self._on_flash_end)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformRowHeights(True)
        # The table draws its own chevrons where the design has them, so Qt must not keep room for its branches.
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setAllColumnsShowFocus(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setItemDelegate(_RowHeight(look, self))
        # It paints its own ground: else each price would have all that lies behind it painted too.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setHeader(self.heading)
        self.setModel(model)
        self.heading.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.heading.sectionResized.connect(self._on_section_resized)
        model.columnsInserted.connect(self.fit)
        model.headerDataChanged.connect(lambda *_: self._fit_soon.start(0))
        model.layoutChanged.connect(self._tell_all)
        look.changed.connect(self._on_look_changed)
        self._hide_extra()
        self._measure_all()

    def sizeHint(self) -> QSize:
        """As low as it may be where that was said: what it is given more, the layout gives it."""
        hint = super().sizeHint()
        return QSize(hint.width(), self.minimumHeight() or hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def _on_look_changed(self) -> None:
        self._row_height = self.look.row_height()
        self._measure_all()
        self.heading.updateGeometry()
        # Uniform rows are measured once: a new delegate is what makes the tree ask again.
        self.setItemDelegate(_RowHeight(self.look, self))
        self.scheduleDelayedItemsLayout()
        self.viewport().update()

    # Painting

    def visible_rows(self) -> Iterable[QModelIndex]:
        """The rows on the screen, from the top."""
        index = self.indexAt(QPoint(0, 0))
        row = self.visualRect(index)
        top, height, bottom = row.top(), row.height(), self.viewport().height()
        while index.isValid() and top < bottom:
            yield index
            index = self.indexBelow(index)
            top += height  # all rows are of one height

    @contextmanager
    def telling(self) -> Iterator[list[QModelIndex]]:
        """The rows on the screen, for a block in which none comes, goes or moves: where they lie is asked once.

        At its end the columns grow for what those rows show of which something was told.
        """
        rows = list(self.visible_rows()) if self.isVisible() else []
        at: dict[int, QModelIndex] = {}
        if rows:
            first, number = self.visualRect(rows[0]), self.cells.number
            top, height = first.top(), first.height()
            at = {top + place * height: index for place, index in enumerate(rows)}
            self._tops = {number(index): top for top, index in at.items()}
        try:
            yield rows
        finally:
            told, self._told, self._tops = self._told, set(), {}
            self._spans.clear()
        for top in told & at.keys():
            self.note(at[top])

    def paintEvent(self, event: QPaintEvent) -> None:
        # What all rows have in common is asked once: a question to Qt costs as much as painting a short text.
        self._room, self._high = self.viewport().width(), self.viewport().height()
        self._any_chosen = self.selectionModel().hasSelection()
        self._focused = self.currentIndex() if self.hasFocus() else QModelIndex()
        self._sections = list(self._dirty_sections(event.region()))
        self._bands.painted(self.viewport())
        ground = QPainter(self.viewport())
        ground.fillRect(event.rect(), self.look.color("surface"))
        ground.end()
        super().paintEvent(event)

    def _dirty_sections(self, dirty: QRegion) -> Iterator[tuple[int, int, int, int, int]]:
        heading, edge, height = self.heading, self.look.metric("edge_padding"), self.viewport().height()
        room = self.viewport().width()
        for logical in range(heading.count()):
            if heading.isSectionHidden(logical):
                continue
            left, width = heading.sectionViewportPosition(logical), heading.sectionSize(logical)
            if dirty.intersects(QRect(left, 0, width, height)):
                before, after = heading.padding(logical, self.heading.inner, edge)
                is_cut = left + before < 0 or left + width - after > room
                if is_cut and width < room and self.cells.columns[logical].right:
                    continue  # a number that the edge cuts would read as another one: it is there whole or not at all
                yield logical, left, width, left + before, width - before - after

    def drawRow(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        rect, model, columns, paint = option.rect, self.cells, self.cells.columns, self.painter.paint
        top, height = rect.top(), rect.height()
        if top + height - height // 6 > self._high:
            return  # its letters would be cut: at the lower edge there are whole rows or none
        if self._any_chosen and self.selectionModel().isRowSelected(index.row(), index.parent()):
            painter.fillRect(0, top, self._room, height, self.look.color("selected"))
        elif QRect(0, top, self._room, height).contains(self._mouse):
            painter.fillRect(0, top, self._room, height, self.look.color("hover"))
        node, level, cells = model.number(index), model.level(index), model.cells(index)
        if self._grow(node, cells, level):
            # Not while it paints: sections must stay where they are until it is done.
            self._fit_soon.start(0)
        flashes = self._flashes.tokens
        for logical, left, width, inside, room in self._sections:
            if flashes and (flash := flashes.get((node, logical))) is not None:
                painter.fillRect(left, top, width, height, self.look.color(flash))
            if logical == 0 and self.is_tree:
                begins = self._paint_branch(painter, inside, top, height, index, level)
                paint(painter, begins, top, inside + room - begins, height, cells[logical], columns[logical])
            else:
                paint(painter, inside, top, room, height, cells[logical], columns[logical])
        if (self.is_tree and level == 0 and index.row() > 0) or model.is_ruled(index):
            painter.fillRect(0, top, self._room, 1, self.look.color("line"))
        if self._focused.isValid() and self._focused.siblingAtColumn(0) == index:
            self._paint_focus(painter, top, height)

    def _paint_branch(self, painter: QPainter, left: int, top: int, height: int, index: Index, level: int) -> int:
        """The chevron of a row that opens; returns where its text begins."""
        if self.cells.hasChildren(index):
            size = self.look.grown(CHEVRON)
            at = left + self.look.grown(INDENT) * level - 4
            name = "chevron-down" if self.isExpanded(index) else "chevron-right"
            pixmap = self.icons.pixmap(name, "muted", size, self.devicePixelRatioF())
            painter.drawPixmap(at, top + (height - size) // 2, pixmap)
        return left + self._branch(level)

    def _paint_focus(self, painter: QPainter, top: int, height: int) -> None:
        column = self._focused.column()
        left, width = self.heading.sectionViewportPosition(column), self.heading.sectionSize(column)
        painter.setPen(QPen(self.look.color("focus"), 1, Qt.PenStyle.DotLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRect(left, top + 1, width - 1, height - 2))

    def dataChanged(self, first: Index, last: Index, roles: Sequence[int] = ()) -> None:
        """Paints again what changed, with room for it. Qt's own way asks for every cell in between, in Python."""
        if QAccessible.isActive():
            self._tell_all()
            super().dataChanged(first, last, roles)
            return
        top, bottom = self._top(first), self._top(last)
        if top is None or bottom is None:
            if first.row() != last.row():
                self.viewport().update()
            return
        if self._tops:
            self._told.update(range(top, bottom + 1, self._row_height))
        else:
            for row in range(first.row(), last.row() + 1):
                self.note(first.sibling(row, 0))
        columns = (first.column(), last.column())
        span = self._spans.get(columns)
        if span is None:
            span = self._span(*columns)
            if self._tops:
                self._spans[columns] = span
        self._paint_soon(QRect(span[0], top, span[1] - span[0], bottom - top + self._row_height))

    def doItemsLayout(self) -> None:
        """Where rows come, go or change places Qt paints all of the table at once; here it is done by bands."""
        viewport = self.viewport()
        quiet = viewport.testAttribute(Qt.WidgetAttribute.WA_UpdatesDisabled)
        viewport.setAttribute(Qt.WidgetAttribute.WA_UpdatesDisabled)
        super().doItemsLayout()
        viewport.setAttribute(Qt.WidgetAttribute.WA_UpdatesDisabled, quiet)
        self._paint_soon(viewport.rect())

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self._bands.at_once(self.viewport())
        super().scrollContentsBy(dx, dy)
        if dx:
            self.viewport().update()  # other numbers than before are cut at an edge
        if dy:
            # Qt moves the picture. The row at the lower edge that had no room, or has none any more, is painted anew.
            above = self.viewport().height() - (abs(dy) + 1) * self._row_height
            self.viewport().update(0, above, self.viewport().width(), self.viewport().height() - above)

    def _tell_all(self) -> None:
        self._told.update(self._tops.values())

    def _top(self, index: Index) -> int | None:
        """Where a row begins; None where it is folded away."""
        top = self._tops.get(self.cells.number(index)) if self._tops else None
        if top is not None:
            return top
        # Qt knows no place of a cell in a column that is hidden.
        shown = max(self.heading.logicalIndexAt(0), 0)
        rect = self.visualRect(index.sibling(index.row(), shown))
        return rect.top() if rect.isValid() else None

    def _span(self, first: int, last: int) -> tuple[int, int]:
        """From where to where some columns lie, also where the trader has moved them; twice 0 where all are hidden."""
        heading = self.heading
        sections = [logical for logical in range(first, last + 1) if not heading.isSectionHidden(logical)]
        if not sections:
            return 0, 0
        if not heading.sectionsMoved():
            sections = [sections[0], sections[-1]]
        left = min(heading.sectionViewportPosition(logical) for logical in sections)
        right = max(heading.sectionViewportPosition(logical) + heading.sectionSize(logical) for logical in sections)
        return left, right

    def flash(self, flashes: Iterable[Flash]) -> None:
        """Tints cells whose values changed for a moment; their changes must be told with dataChanged as well."""
        self._flashes.add(flashes)

    def _on_flash_end(self, cells: set[tuple[int, int]]) -> None:
        """Paints again just the cells that flashed: those of neighbouring columns and rows in one piece."""
        columns: dict[int, list[int]] = {}
        for row, column in cells:
            columns.setdefault(row, []).append(column)
        first = self.visualRect(self.indexAt(QPoint(0, 0)))
        for place, index in enumerate(self.visible_rows()):
            for column in columns.get(self.cells.number(index), ()):
                left, right = self._span(column, column)
                self._paint_soon(QRect(left, first.top() + place * first.height(), right - left, first.height()))

    def _paint_soon(self, area: QRect) -> None:
        self._bands.update(self.viewport(), area, BAND_ROWS * self._row_height)

    def hover(self, at: QPoint) -> None:
        """Where the pointer is: its row has another ground."""
        height = self._row_height
        for y in {self._mouse.y(), at.y()} if self._mouse.y() // height != at.y() // height else ():
            rect = self.visualRect(self.indexAt(QPoint(0, y)))
            self.viewport().update(0, rect.top(), self.viewport().width(), rect.height())
        self._mouse = at
