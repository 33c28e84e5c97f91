"""Rows that only ever come: signals and log lines, newest last, bounded, filtered without a reset."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QModelIndex, QObject, Signal

from exengine.ui.cell import Cell
from exengine.ui.cell_model import CellModel, Index

LIMIT = 10_000
"""How many rows the window keeps; older ones are in the store."""
SLACK = 500
"""The oldest go in lots, so that a full table does not move its rows with every new one."""

DAY_MS = 86_400_000


class Numbered(Protocol):
    """A row with a number that grows."""

    @property
    def id(self) -> int: ...


R = TypeVar("R", bound=Numbered)


class StreamModel(CellModel, Generic[R]):
    """A flat table of numbered rows."""

    trimmed = Signal(int)
    """How many rows went at the top."""

    def __init__(self, parent: QObject | None = None, *, limit: int = LIMIT) -> None:
        super().__init__(parent)
        self._limit = limit
        self._rows: dict[int, R] = {}
        self._shown: list[int] = []
        """Numbers of the rows that the filter lets through, rising."""
        self._cells: dict[int, list[Cell]] = {}
        self._matches: Callable[[R], bool] = lambda _: True
        self.now_ms = 0

    def make_cells(self, row: R) -> list[Cell]:
        raise NotImplementedError

    # What Qt asks

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        if parent.isValid() or not (0 <= row < len(self._shown) and 0 <= column < len(self.columns)):
            return QModelIndex()
        return self.createIndex(row, column, self._shown[row])

    def parent(self, index: Index | None = None) -> Any:
        return QObject.parent(self) if index is None else QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008
        return not parent.isValid() and bool(self._shown)

    def cells(self, index: Index) -> Sequence[Cell]:
        number = self._shown[index.row()]
        made = self._cells.get(number)
        if made is None:
            made = self._cells[number] = self.make_cells(self._rows[number])
        return made

    # What the dock asks

    @property
    def total(self) -> int:
        """All rows that are kept, shown or not."""
        return len(self._rows)

    def row_at(self, index: Index) -> R | None:
        return self._rows[self._shown[index.row()]] if index.isValid() else None

    def index_of(self, number: int) -> QModelIndex:
        place = bisect_left(self._shown, number)
        if place < len(self._shown) and self._shown[place] == number:
            return self.createIndex(place, 0, number)
        return QModelIndex()

    def tick(self, now_ms: int) -> None:
        """Moves the clock. At a new day the times of the day before get their date."""
        new_day = now_ms // DAY_MS != self.now_ms // DAY_MS
        self.now_ms = now_ms
        if new_day and self._shown:
            self._cells.clear()
            last = len(self._shown) - 1
            self.dataChanged.emit(self.index(0, 0), self.index(last, len(self.columns) - 1))

    # Changes

    def take(self, rows: Sequence[R]) -> None:
        """Takes new rows and new versions of old ones."""
        added: list[int] = []
        for row in rows:
            if row.id in self._rows:
                self._replace(row)
                continue
            self._rows[row.id] = row
            if self._matches(row):
                added.append(row.id)
        self._append(sorted(added))
        if len(self._rows) > self._limit + SLACK:
            self._trim(len(self._rows) - self._limit)

    def _append(self, numbers: list[int]) -> None:
        """Adds at the end in one go; a late one goes where its number belongs."""
        while numbers and self._shown and numbers[0] < self._shown[-1]:
            self._insert_at(bisect_left(self._shown, numbers[0]), [numbers.pop(0)])
        if numbers:
            self._insert_at(len(self._shown), numbers)

    def _insert_at(self, place: int, numbers: list[int]) -> None:
        self.beginInsertRows(QModelIndex(), place, place + len(numbers) - 1)
        self._shown[place:place] = numbers
        self.endInsertRows()

    def _remove_at(self, first: int, last: int) -> None:
        self.beginRemoveRows(QModelIndex(), first, last)
        del self._shown[first : last + 1]
        self.endRemoveRows()

    def _replace(self, row: R) -> None:
        self._rows[row.id] = row
        self._cells.pop(row.id, None)
        index = self.index_of(row.id)
        if index.isValid() and not self._matches(row):
            self._remove_at(index.row(), index.row())
        elif index.isValid():
            self.dataChanged.emit(index, index.siblingAtColumn(len(self.columns) - 1))
        elif self._matches(row):
            self._insert_at(bisect_left(self._shown, row.id), [row.id])

    def _trim(self, count: int) -> None:
        gone = sorted(self._rows)[:count]
        shown = bisect_left(self._shown, gone[-1] + 1)
        if shown:
            self._remove_at(0, shown - 1)
        for number in gone:
            del self._rows[number]
            self._cells.pop(number, None)
        self.trimmed.emit(shown)

    def filter(self, matches: Callable[[R], bool]) -> None:
        """Shows the rows that match. They change places in two steps, so that Qt keeps what it knows of the table."""
        self._matches = matches
        wanted = sorted(number for number, row in self._rows.items() if matches(row))
        if wanted == self._shown:
            return
        if self._shown:
            self._remove_at(0, len(self._shown) - 1)
        if wanted:
            self._insert_at(0, wanted)
