"""What every table model shares: cells by row, and the roles that Qt and screen readers ask for."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import SIGNAL, QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt

from exengine.ui.cell import Cell, Column

Index = QModelIndex | QPersistentModelIndex

_ROWS_ALONE = QAbstractItemModel.LayoutChangeHint.VerticalSortHint
"""Told with a new order of rows: without it Qt lays out the header as well, and paints every column anew."""
_WITH_HINT = "(QList<QPersistentModelIndex>,QAbstractItemModel::LayoutChangeHint)"
_ROWS_MOVE, _ROWS_MOVED = SIGNAL(f"layoutAboutToBeChanged{_WITH_HINT}"), SIGNAL(f"layoutChanged{_WITH_HINT}")

_ALIGNED = {
    True: Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
    False: Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
}


if TYPE_CHECKING:
    # Which Qt class it is differs: a tree says itself what it is made of, the rows of a flat table are counted by Qt.
    class _Model(QAbstractItemModel):
        pass
else:
    _Model = object


class CellModel(_Model):
    """What makes a Qt model one whose rows are sequences of cells: stands before Qt's class among a model's bases.

    The table paints cells; the roles serve everything else.
    """

    columns: tuple[Column, ...] = ()

    def cells(self, index: Index) -> Sequence[Cell]:
        """The row of `index`, one cell for each column."""
        raise NotImplementedError

    def number(self, index: Index) -> int:
        """What the row is known by as long as it is there, wherever it is moved."""
        return index.internalId()

    def level(self, index: Index) -> int:
        """How deep the row lies in a tree."""
        return 0

    def is_ruled(self, index: Index) -> bool:
        """Whether a hairline stands above the row."""
        return False

    def tooltip(self, index: Index) -> str:
        """What the pointer is told about a cell; empty for nothing."""
        return ""

    def title(self, column: int) -> str:
        """The header's text."""
        return self.columns[column].title

    def tell_rows_move(self) -> None:
        """Before rows that are there change places. PySide6 emits a signal with a hint by its signature alone."""
        self.emit(_ROWS_MOVE, [], _ROWS_ALONE)  # type: ignore[arg-type]

    def tell_rows_moved(self) -> None:
        """After it, when the persistent indexes are changed too."""
        self.emit(_ROWS_MOVED, [], _ROWS_ALONE)  # type: ignore[arg-type]

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cells(index)[index.column()].words()
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.cells(index)[index.column()].spoken()
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _ALIGNED[self.columns[index.column()].right]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tooltip(index) or None
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.title(section)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _ALIGNED[self.columns[section].right]
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.columns[section].hint or None
        return None


def neighbours(numbers: Sequence[int]) -> Iterable[tuple[int, int]]:
    """First and last of each run of numbers that follow each other. They rise."""
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last
