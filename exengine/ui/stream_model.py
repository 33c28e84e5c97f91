"""Rows that only ever come: signals and log lines, newest last, bounded, filtered without a reset."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal

from exengine.ui import format as fmt
from exengine.ui.cell import Cell
from exengine.ui.cell_model import Index
from exengine.ui.flat_model import FlatModel
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


class StreamModel(FlatModel[int], Generic[R]):
    """A flat table of numbered rows; `places` has the numbers of those that the filter lets through."""

    trimmed = Signal(int)
    """How many rows went at the top."""

    def __init__(self, parent: QObject | None = None, *, limit: int = LIMIT) -> None:
        super().__init__(parent)
        self._limit = self._least = limit
        self._rows: dict[int, R] = {}
        self._cells: dict[int, list[Cell]] = {}
        self._matches: Callable[[R], bool] = lambda _: True
        self._sorted_by = -1
        self._descending = False
        self._keys: list[SortKey] = []
        """What the shown rows are ordered by, where the trader sorts; rising, also where they are shown falling."""
        self.now_ms = 0

    def make_cells(self, row: R) -> list[Cell]:
        raise NotImplementedError

    def title(self, column: int) -> str:
        """The column of times says in which zone they are."""
        title = super().title(column)
        return f"{title}, {fmt.zone_name(self.now_ms)}" if self.columns[column].key == "time" and self.now_ms else title

    # What Qt asks

    def number(self, index: Index) -> int:
        return self.places[index.row()]

    def cells(self, index: Index) -> Sequence[Cell]:
        number = self.places[index.row()]
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
        return self._rows[self.places[index.row()]] if index.isValid() else None

    def index_of(self, number: int) -> QModelIndex:
        place = self._place_of(number)
        return QModelIndex() if place is None else self.index(place, 0)

    @property
    def is_sorted(self) -> bool:
        """Whether the trader sorts by a column; else the newest row is the last."""
        return self._sorted_by >= 0

    def begin(self, now_ms: int) -> None:
        """Sets the clock going, where it does not run yet."""
        if not self.now_ms:
            self.now_ms = now_ms
            self.make_anew()

    def tick(self, now_ms: int) -> None:
        """Moves the clock. At a new day the times of the day before get their date."""
        new_day = now_ms // DAY_MS != self.now_ms // DAY_MS
        self.now_ms = now_ms
        if new_day:
            self.make_anew()

    def make_anew(self) -> None:
        """Makes all cells anew, where they would be other ones now: at a new day, or in another zone."""
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self.columns) - 1)
        if self.places:
            self._cells.clear()
            last = len(self.places) - 1
            self.dataChanged.emit(self.index(0, 0), self.index(last, len(self.columns) - 1))

    # Order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sorts by a column's values; column −1 is the order in which rows came."""
        self._sorted_by = column
        self._descending = order is Qt.SortOrder.DescendingOrder and column >= 0
        self.rearrange(self._ordered(self.places))

    def _key(self, number: int) -> SortKey:
        if not self.is_sorted:
            return (number,)
        made = self._cells.get(number)
        if made is None:
            made = self._cells[number] = self.make_cells(self._rows[number])
        return (*sort_value(made[self._sorted_by], self._descending), number)

    def _ordered(self, numbers: Iterable[int]) -> list[int]:
        keyed = sorted((self._key(number), number) for number in numbers)
        self._keys = [key for key, _ in keyed] if self.is_sorted else []
        shown = [number for _, number in keyed]
        return shown[::-1] if self._descending else shown

    def _place_of(self, number: int) -> int | None:
        """Where a row is shown; None where it is not."""
        if not self.is_sorted:
            place = bisect_left(self.places, number)
            return place if place < len(self.places) and self.places[place] == number else None
        return self.places.index(number) if number in self._rows and number in self.places else None

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
            place = bisect_left(self.places, numbers[0])
            if place == bisect_left(self.places, numbers[-1]):
                self.put(place, numbers)
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
        while numbers and self.places and numbers[0] < self.places[-1]:
            self.put(bisect_left(self.places, numbers[0]), [numbers.pop(0)])
        if numbers:
            self.put(len(self.places), numbers)

    def _insert_sorted(self, number: int) -> None:
        key = self._key(number)
        rising = bisect_left(self._keys, key)
        self._keys.insert(rising, key)
        self.put(len(self.places) - rising if self._descending else rising, [number])

    def _remove_at(self, first: int, last: int) -> None:
        if self.is_sorted:
            count = len(self.places)
            rising = slice(count - last - 1, count - first) if self._descending else slice(first, last + 1)
            del self._keys[rising]
        self.drop(first, last)

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
                self.put(bisect_left(self.places, row.id), [row.id])

    def _trim(self, count: int) -> None:
        gone = sorted(self._rows)[:count]
        if self.is_sorted:
            last = gone[-1]
            shown = [place for place, number in enumerate(self.places) if number <= last]
            for place in reversed(shown):
                self._remove_at(place, place)
            top = 0
        else:
            top = bisect_left(self.places, gone[-1] + 1)
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
        if sorted(wanted) == sorted(self.places):
            return
        if self.places:
            self._remove_at(0, len(self.places) - 1)
        if wanted:
            self.put(0, self._ordered(wanted))
