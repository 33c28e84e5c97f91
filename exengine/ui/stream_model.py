"""Rows that only ever come: signals and log lines, newest last, bounded, filtered without a reset."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal

from exengine.ui.cell import Cell
from exengine.ui.cell_model import CellModel, Index
from exengine.ui.keyed_model import SortKey, sort_value

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
        self._limit = self._least = limit
        self._rows: dict[int, R] = {}
        self._shown: list[int] = []
        """Numbers of the rows that the filter lets through, in the order in which they are shown."""
        self._cells: dict[int, list[Cell]] = {}
        self._matches: Callable[[R], bool] = lambda _: True
        self._sorted_by = -1
        self._descending = False
        self._keys: list[SortKey] = []
        """What the shown rows are ordered by, where the trader sorts; rising, also where they are shown falling."""
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
        place = self._place_of(number)
        return QModelIndex() if place is None else self.createIndex(place, 0, number)

    @property
    def is_sorted(self) -> bool:
        """Whether the trader sorts by a column; else the newest row is the last."""
        return self._sorted_by >= 0

    def tick(self, now_ms: int) -> None:
        """Moves the clock. At a new day the times of the day before get their date."""
        new_day = now_ms // DAY_MS != self.now_ms // DAY_MS
        self.now_ms = now_ms
        if new_day:
            self.make_anew()

    def make_anew(self) -> None:
        """Makes all cells anew, where they would be other ones now: at a new day, or in another zone."""
        if self._shown:
            self._cells.clear()
            last = len(self._shown) - 1
            self.dataChanged.emit(self.index(0, 0), self.index(last, len(self.columns) - 1))

    # Order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sorts by a column's values; column −1 is the order in which rows came."""
        self._sorted_by = column
        self._descending = order is Qt.SortOrder.DescendingOrder and column >= 0
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        self._order(self._shown)
        places = {number: place for place, number in enumerate(self._shown)}
        moved = [self.createIndex(places[index.internalId()], index.column(), index.internalId()) for index in kept]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _key(self, number: int) -> SortKey:
        if not self.is_sorted:
            return (number,)
        made = self._cells.get(number)
        if made is None:
            made = self._cells[number] = self.make_cells(self._rows[number])
        return (*sort_value(made[self._sorted_by], self._descending), number)

    def _order(self, numbers: Iterable[int]) -> None:
        keyed = sorted((self._key(number), number) for number in numbers)
        self._keys = [key for key, _ in keyed] if self.is_sorted else []
        shown = [number for _, number in keyed]
        self._shown = shown[::-1] if self._descending else shown

    def _place_of(self, number: int) -> int | None:
        """Where a row is shown; None where it is not."""
        if not self.is_sorted:
            place = bisect_left(self._shown, number)
            return place if place < len(self._shown) and self._shown[place] == number else None
        return self._shown.index(number) if number in self._rows and number in self._shown else None

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
        if self.is_sorted:
            for number in added:
                self._insert_sorted(number)
        else:
            self._append(sorted(added))
        if len(self._rows) > self._limit + SLACK:
            self._trim(len(self._rows) - self._limit)

    def put_before(self, rows: Sequence[R]) -> int:
        """Puts older rows in, oldest first; how many of them are shown. They are kept until `let_go`."""
        new = [row for row in rows if row.id not in self._rows]
        self._rows.update((row.id, row) for row in new)
        self._limit += len(new)
        numbers = [row.id for row in new if self._matches(row)]
        if self.is_sorted:
            for number in numbers:
                self._insert_sorted(number)
        elif numbers:
            place = bisect_left(self._shown, numbers[0])
            if place == bisect_left(self._shown, numbers[-1]):
                self._insert_at(place, numbers)
            else:
                self._append(numbers)
        return len(numbers)

    def let_go(self) -> None:
        """Lets the older rows go that were put in."""
        self._limit = self._least
        if len(self._rows) > self._limit + SLACK:
            self._trim(len(self._rows) - self._limit)

    @property
    def oldest(self) -> int | None:
        """The lowest number that is kept."""
        return min(self._rows, default=None)

    def _append(self, numbers: list[int]) -> None:
        """Adds at the end in one go; a late one goes where its number belongs."""
        while numbers and self._shown and numbers[0] < self._shown[-1]:
            self._insert_at(bisect_left(self._shown, numbers[0]), [numbers.pop(0)])
        if numbers:
            self._insert_at(len(self._shown), numbers)

    def _insert_sorted(self, number: int) -> None:
        key = self._key(number)
        rising = bisect_left(self._keys, key)
        self._keys.insert(rising, key)
        self._insert_at(len(self._shown) - rising if self._descending else rising, [number])

    def _insert_at(self, place: int, numbers: list[int]) -> None:
        self.beginInsertRows(QModelIndex(), place, place + len(numbers) - 1)
        self._shown[place:place] = numbers
        self.endInsertRows()

    def _remove_at(self, first: int, last: int) -> None:
        self.beginRemoveRows(QModelIndex(), first, last)
        if self.is_sorted:
            count = len(self._shown)
            rising = slice(count - last - 1, count - first) if self._descending else slice(first, last + 1)
            del self._keys[rising]
        del self._shown[first : last + 1]
        self.endRemoveRows()

    def _replace(self, row: R) -> None:
        place = self._place_of(row.id)
        if place is not None and self.is_sorted:
            # Its place may be another one now.
            self._remove_at(place, place)
            place = None
        self._rows[row.id] = row
        self._cells.pop(row.id, None)
        if place is not None and not self._matches(row):
            self._remove_at(place, place)
        elif place is not None:
            index = self.index(place, 0)
            self.dataChanged.emit(index, index.siblingAtColumn(len(self.columns) - 1))
        elif self._matches(row):
            if self.is_sorted:
                self._insert_sorted(row.id)
            else:
                self._insert_at(bisect_left(self._shown, row.id), [row.id])

    def _trim(self, count: int) -> None:
        gone = sorted(self._rows)[:count]
        if self.is_sorted:
            last = gone[-1]
            shown = [place for place, number in enumerate(self._shown) if number <= last]
            for place in reversed(shown):
                self._remove_at(place, place)
            top = 0
        else:
            top = bisect_left(self._shown, gone[-1] + 1)
            if top:
                self._remove_at(0, top - 1)
        for number in gone:
            del self._rows[number]
            self._cells.pop(number, None)
        self.trimmed.emit(top)

    def filter(self, matches: Callable[[R], bool]) -> None:
        """Shows the rows that match. They change places in two steps, so that Qt keeps what it knows of the table."""
        self._matches = matches
        wanted = [number for number, row in self._rows.items() if matches(row)]
        if sorted(wanted) == sorted(self._shown):
            return
        if self._shown:
            self._remove_at(0, len(self._shown) - 1)
        if wanted:
            self.beginInsertRows(QModelIndex(), 0, len(wanted) - 1)
            self._order(wanted)
            self.endInsertRows()
