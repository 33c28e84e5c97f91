"""The table of every dock: painted from cells, wide enough for its numbers, calm while they run."""

from collections.abc import Callable, Iterator

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QHelpEvent, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QToolTip

from exengine.ui.cell import CHEVRON, INDENT
from exengine.ui.cell_model import CellModel, Index
from exengine.ui.copying import copy_rows
from exengine.ui.icons import Icons
from exengine.ui.table_painting import PaintedTree
from exengine.ui.theme import Look


class Table(PaintedTree):
    """A flat table or a tree of cells, under the pointer and the keys: chosen, opened, copied, and with its menu."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        model: CellModel,
        *,
        name: str,
        title: str,
        tree: bool = False,
        tight: bool = False,
    ) -> None:
        """`tight` puts the columns closer together, where a dock is narrow."""
        super().__init__(look, icons, model, tree=tree, tight=tight)
        self.row_menu: Callable[[QPoint], QMenu] = self._plain_menu
        """Makes the menu of the row at a place; a dock puts in what can be done there."""
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.viewport().setMouseTracking(True)

    def _chevron(self, index: Index) -> QRect:
        rect = self.visualRect(index)
        before = self.heading.padding(0, self.heading.inner, self.look.metric("edge_padding"))[0]
        left = self.heading.sectionViewportPosition(0) + before + self.look.grown(INDENT) * self.cells.level(index) - 8
        return QRect(left, rect.top(), self.look.grown(CHEVRON) + 8, rect.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint()).siblingAtColumn(0)
        if (
            self.is_tree
            and event.button() is Qt.MouseButton.LeftButton
            and self.cells.hasChildren(index)
            and index.isValid()
            and self._chevron(index).contains(event.position().toPoint())
        ):
            self.setExpanded(index, not self.isExpanded(index))
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hover(event.position().toPoint())
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.hover(QPoint(-1, -1))
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() == Qt.Key.Key_F10 and event.modifiers() == Qt.KeyboardModifier.ShiftModifier:
            # Qt knows the Menu key on every system, and this one on Windows alone.
            self._pop_menu(self._current_place())
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self.cells.rowCount():
            # The keyboard needs a place to start from, but nothing is selected by it.
            self.selectionModel().setCurrentIndex(self.cells.index(0, 0), self.selectionModel().SelectionFlag.NoUpdate)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        # By the mouse Qt tells the place in the viewport, by the Menu key one in the table: the header would put it
        # a row too low.
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        self._pop_menu(self._current_place() if by_key else event.pos())

    def _current_place(self) -> QPoint:
        return self.visualRect(self.currentIndex()).center()

    def _pop_menu(self, at: QPoint) -> None:
        menu = self.menu_at(at)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(at))

    def menu_at(self, at: QPoint) -> QMenu:
        """What can be done with the row at a place; then order and columns, which the mouse finds in the header."""
        menu, heading = self.row_menu(at), self.heading
        menu.addSeparator()
        if heading.can_sort:
            menu.addMenu(heading.order_menu(menu))
        menu.addMenu(heading.columns_menu(menu))
        return menu

    def _plain_menu(self, _at: QPoint) -> QMenu:
        menu = QMenu(self)
        self.add_copy(menu)
        return menu

    def add_copy(self, menu: QMenu) -> None:
        """Puts the copying of the selected rows into a menu."""
        copy = menu.addAction(self.icons.icon("copy"), "Copy")
        copy.setEnabled(bool(self.selected_rows()))
        copy.triggered.connect(self.copy)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            index = self.indexAt(event.pos())
            text = self.cells.tooltip(index) if index.isValid() else ""
            if index.isValid() and not text and self._is_elided(index):
                text = self.cells.cells(index)[index.column()].words()
            QToolTip.showText(event.globalPos(), text, self.viewport(), self.visualRect(index))
            return True
        return super().viewportEvent(event)

    def _is_elided(self, index: Index) -> bool:
        column = index.column()
        left, right = self.heading.padding(column, self.heading.inner, self.look.metric("edge_padding"))
        needed = self.painter.needed(self.cells.cells(index)[column], self.cells.columns[column])
        return needed > self.heading.sectionSize(column) - left - right

    def selected_rows(self) -> list[QModelIndex]:
        """The selected rows from top to bottom; the current one where none is selected."""
        rows = self.selectionModel().selectedRows() or [self.currentIndex().siblingAtColumn(0)]
        return sorted((index for index in rows if index.isValid()), key=lambda index: self.visualRect(index).top())

    def all_rows(self, parent: Index | None = None) -> Iterator[QModelIndex]:
        """Every row that no filter hides, each followed by what lies below it."""
        above = parent if parent is not None else QModelIndex()
        for row in range(self.cells.rowCount(above)):
            index = self.cells.index(row, 0, above)
            if self.isRowHidden(row, above):
                continue
            yield index
            if self.cells.hasChildren(index):
                yield from self.all_rows(index)

    def shown_columns(self) -> list[int]:
        """The columns that are shown, from the left."""
        order = [self.heading.logicalIndex(visual) for visual in range(self.heading.count())]
        return [logical for logical in order if not self.heading.isSectionHidden(logical)]

    def copy(self) -> None:
        """Puts the selected rows on the clipboard, with the titles above many."""
        rows = self.selected_rows()
        copy_rows(self.cells, rows, self.shown_columns(), titled=len(rows) > 1)

    def copy_all(self) -> None:
        """Puts the whole table on the clipboard, of a tree also what is folded away."""
        copy_rows(self.cells, self.all_rows(), self.shown_columns(), titled=True)
