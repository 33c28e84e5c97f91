"""The header of a table: aligned as its cells, with the sort order beside the title."""

from PySide6.QtCore import QMetaMethod, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QFontMetricsF, QPainter
from PySide6.QtWidgets import QHeaderView, QMenu, QWidget

from exengine.ui.cell_model import CellModel
from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Role, Weight

MARK = 10
"""The room of the sort mark."""


class TableHeader(QHeaderView):
    """Paints titles with the same paddings as the cells below them. Columns move, hide, sort and resize."""

    sort_asked = Signal(int)

    def __init__(self, look: Look, icons: Icons, model: CellModel, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._look = look
        self._icons = icons
        self._cells = model
        self.ground = "raised"
        """The token behind the titles."""
        self.sorted_by = -1
        self.descending = False
        self.inner = look.metric("cell_padding") - 1
        """The padding of cells, but for those at the outer edges."""
        self.setSectionsMovable(True)
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(look.scaled(24))
        self.setMouseTracking(True)
        self.sectionClicked.connect(self._on_clicked)

    def lie_flat(self) -> None:
        """On the ground of the rows: in dialogs and beside plots, where there is no title bar above to join."""
        self.ground = "surface"
        self.setProperty("on", "surface")

    def padding(self, logical: int, inner: int, outer: int) -> tuple[int, int]:
        """Left and right padding of a column: wider at the table's outer edges."""
        visual = self.visualIndex(logical)
        first = all(self.isSectionHidden(self.logicalIndex(before)) for before in range(visual))
        last = all(self.isSectionHidden(self.logicalIndex(after)) for after in range(visual + 1, self.count()))
        return (outer if first else inner, outer if last else inner)

    def title_width(self, logical: int) -> float:
        font = self._look.font(Role.SMALL, Weight.MEDIUM)
        width = QFontMetricsF(font).horizontalAdvance(self._cells.title(logical))
        return width + (MARK if logical == self.sorted_by else 0)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), max(self._look.tall("header", Role.SMALL), 1))

    def show_order(self, logical: int, descending: bool) -> None:
        """Marks the column that the rows are sorted by; -1 for none."""
        self.sorted_by, self.descending = logical, descending
        self.viewport().update()

    def _on_clicked(self, logical: int) -> None:
        if self._cells.columns[logical].sortable:
            self.sort_asked.emit(logical)

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        look, column = self._look, self._cells.columns[logical]
        painter.fillRect(rect, look.color(self.ground))
        hovered = rect.contains(self.mapFromGlobal(self.cursor().pos())) and column.sortable and self.underMouse()
        if hovered:
            painter.fillRect(rect, look.color("hover"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), look.color("line"))
        left, right = self.padding(logical, self.inner, look.metric("edge_padding"))
        area = rect.adjusted(left, 0, -right, 0)
        is_sorted = logical == self.sorted_by
        painter.setFont(look.font(Role.SMALL, Weight.MEDIUM))
        painter.setPen(look.color("text" if is_sorted else "muted"))
        title = self._cells.title(logical)
        if is_sorted:
            # The mark stands before a right-aligned title, so that the title stays in line with its numbers.
            width = round(self.title_width(logical)) - MARK
            x = area.right() - width - MARK if column.right else area.left() + width + 2
            self._paint_mark(painter, x, rect)
        if column.takes_rest:
            title = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, area.width())
        align = Qt.AlignmentFlag.AlignRight if column.right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, int(align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine), title)

    def _paint_mark(self, painter: QPainter, x: int, rect: QRect) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._look.color("text"))
        middle, way = rect.center().y(), 1 if self.descending else -1
        points = [QPoint(x + 1, middle - 2 * way), QPoint(x + 4, middle + 1 * way), QPoint(x + 7, middle - 2 * way)]
        painter.drawPolyline(points)
        painter.restore()

    def columns_menu(self, parent: QWidget) -> QMenu:
        """Which columns are shown."""
        menu = QMenu("Columns", parent)
        for visual in range(self.count()):
            logical = self.logicalIndex(visual)
            action = QAction(self._cells.columns[logical].title, menu)
            action.setCheckable(True)
            action.setChecked(not self.isSectionHidden(logical))
            # The last one left cannot be hidden: there would be no header to bring the others back.
            action.setEnabled(self.isSectionHidden(logical) or self.count() - self.hiddenSectionCount() > 1)
            action.toggled.connect(lambda shown, logical=logical: self.setSectionHidden(logical, not shown))
            menu.addAction(action)
        return menu

    @property
    def can_sort(self) -> bool:
        """Whether somebody sorts the rows when that is asked."""
        return self.isSignalConnected(QMetaMethod.fromSignal(self.sort_asked))

    def order_menu(self, parent: QWidget) -> QMenu:
        """What a click on a title does, for the keyboard: once for one way, again for the other, then as it was."""
        menu = QMenu("Sort by", parent)
        for visual in range(self.count()):
            logical = self.logicalIndex(visual)
            column = self._cells.columns[logical]
            if column.sortable and column.title and not self.isSectionHidden(logical):
                action = menu.addAction(column.title)
                action.setCheckable(True)
                action.setChecked(logical == self.sorted_by)
                action.triggered.connect(lambda *_, logical=logical: self.sort_asked.emit(logical))
        return menu

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.columns_menu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
