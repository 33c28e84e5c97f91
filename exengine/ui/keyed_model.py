"""A flat table of rows by key: patched, sorted and flashed without ever being reset."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QModelIndex, QObject, Qt

from exengine.engine.panel_rows import Patch
from exengine.ui.cell import Cell
from exengine.ui.cell_model import Index, neighbours
from exengine.ui.flashes import Flash
from exengine.ui.flat_model import FlatModel

R = TypeVar("R")

SortKey = tuple[Any, ...]
"""What rows of a table are compared by; the last part is the row's key, so that no two are equal."""


class _Entry(Generic[R]):
    """One row of the table; its cells are made when they are looked at."""

    __slots__ = ("cells", "key", "number", "place", "row")

    def __init__(self, number: int, key: str, row: R) -> None:
        self.number, self.key, self.row = number, key, row
        self.place = 0
        self.cells: list[Cell] | None = None


class KeyedModel(FlatModel[_Entry[R]], Generic[R]):
    """Rows in an order of their own, or in the one that the trader sorts by."""

    flashing: tuple[int, ...] = ()
    """Columns that flash when their number changes."""
    settle_ms = 0
    """How long rows keep their places at least: a row must stay long enough to be read and clicked."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._by_key: dict[str, _Entry[R]] = {}
        self._count = 0
        self._sorted_by = -1
        self._descending = False
        self._out_of_order = False
        self._sorted_at_ms = 0
        self.now_ms = 0

    # What a table says of its rows

    def make_cells(self, row: R) -> list[Cell]:
        raise NotImplementedError

    def remade(self, row: R, was: R, cells: list[Cell]) -> list[Cell]:
        """The cells of a row that was another; `cells` are those of what it was."""
        return self.make_cells(row)

    def natural(self, row: R) -> SortKey:
        """What the rows are ordered by while the trader sorts by nothing."""
        raise NotImplementedError

    # What Qt asks

    def number(self, index: Index) -> int:
        return self.places[index.row()].number

    def cells(self, index: Index) -> Sequence[Cell]:
        return self._cells_of(self.places[index.row()])

    def _cells_of(self, entry: _Entry[R]) -> list[Cell]:
        if entry.cells is None:
            entry.cells = self.make_cells(entry.row)
        return entry.cells

    # What the dock asks

    def rows(self) -> list[R]:
        """The rows in the order in which they are shown."""
        return [entry.row for entry in self.places]

    def row_at(self, index: Index) -> R | None:
        return self.places[index.row()].row if index.isValid() else None

    def key_at(self, index: Index) -> str | None:
        return self.places[index.row()].key if index.isValid() else None

    def row_of(self, key: str) -> R | None:
        entry = self._by_key.get(key)
        return entry.row if entry is not None else None

    def index_of(self, key: str) -> QModelIndex:
        entry = self._by_key.get(key)
        return self.index(entry.place, 0) if entry is not None else QModelIndex()

    # Changes

    def tick(self, now_ms: int, rows: Iterable[QModelIndex]) -> None:
        """Moves the clock: ages and timers of the rows on the screen are made anew, all others when they are seen."""
        self.now_ms = now_ms
        seen = [(entry, entry.cells) for entry in (self.places[index.row()] for index in rows)]
        for entry in self.places:
            entry.cells = None
        self._tell([(entry, cells, self._cells_of(entry)) for entry, cells in seen if cells is not None])

    def patch(self, patch: Patch[R], now_ms: int, seen: Iterable[QModelIndex] | None = None) -> list[Flash]:
        """Takes changed rows over; tells Qt which cells are other than before, and which of them flash.

        `seen` are the rows on the screen, where only those are worth to be told of; others are made when they are seen.
        """
        self.now_ms = now_ms
        on_screen = {self.places[index.row()] for index in seen} if seen is not None else None
        self._remove([entry for key in patch.gone if (entry := self._by_key.get(key)) is not None])
        remade: list[tuple[_Entry[R], list[Cell], list[Cell]]] = []
        new: list[tuple[str, R]] = []
        known = self._by_key.get
        for key, row in patch.rows.items():
            entry = known(key)
            if entry is None:
                new.append((key, row))
                continue
            was, cells = entry.row, entry.cells
            entry.row, entry.cells = row, None
            if not self._out_of_order:
                # Where rows keep their places for a while, the order is looked at when that is over.
                self._out_of_order = self.settle_ms > 0 or self._key(key, was) != self._key(key, row)
            if cells is not None and (on_screen is None or entry in on_screen):
                entry.cells = self.remade(row, was, cells)
                remade.append((entry, cells, entry.cells))
        flashes = self._tell(remade)
        if self._out_of_order and now_ms - self._sorted_at_ms >= self.settle_ms:
            self._resort()
        self._insert(new)
        return flashes

    def patch_to(self, rows: dict[str, R]) -> Patch[R]:
        """What makes these rows all that there are."""
        return Patch(rows=rows, gone=tuple(key for key in self._by_key if key not in rows))

    def replace(self, rows: dict[str, R], now_ms: int) -> None:
        """Takes the place of everything that was there."""
        self.patch(self.patch_to(rows), now_ms)

    def _tell(self, remade: list[tuple[_Entry[R], list[Cell], list[Cell]]]) -> list[Flash]:
        """Tells Qt which cells, as they were and as they are, are other than before: those of neighbours together."""
        flashes: list[Flash] = []
        runs: dict[tuple[int, int], list[int]] = {}
        for entry, before, after in remade:
            changed = [
                column for column, cell in enumerate(after) if cell is not before[column] and cell != before[column]
            ]
            if changed:
                runs.setdefault((changed[0], changed[-1]), []).append(entry.place)
                flashes.extend(self._flashes(entry.number, before, after, changed))
        for (first, last), places in runs.items():
            for top, bottom in neighbours(sorted(places)):
                self.dataChanged.emit(self.index(top, first), self.index(bottom, last))
        return flashes

    def _flashes(self, number: int, before: list[Cell], after: list[Cell], changed: list[int]) -> Iterator[Flash]:
        for column in changed:
            old, new = before[column].value, after[column].value
            is_number = isinstance(old, Decimal) and isinstance(new, Decimal)
            if column in self.flashing and is_number and before[column].text != after[column].text:
                yield Flash(number, column, new > old)  # type: ignore[operator]

    def _remove(self, entries: list[_Entry[R]]) -> None:
        for entry in sorted(entries, key=lambda entry: entry.place, reverse=True):
            del self._by_key[entry.key]
            self.drop(entry.place, entry.place)

    def _insert(self, new: list[tuple[str, R]]) -> None:
        """Puts new rows where they belong; those that belong together in one go."""
        new.sort(key=lambda one: self._key(*one), reverse=self._descending)
        while new:
            first = self._place_for(*new[0])
            run = [new.pop(0)]
            while new and self._place_for(*new[0]) == first:
                run.append(new.pop(0))
            self.put(first, [self._entry(key, row) for key, row in run])

    def _entry(self, key: str, row: R) -> _Entry[R]:
        self._count += 1
        entry = _Entry(self._count, key, row)
        self._by_key[key] = entry
        return entry

    def moved(self, first: int) -> None:
        for place in range(first, len(self.places)):
            self.places[place].place = place

    # Order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sorts by a column's values; column −1 is the table's own order."""
        self._sorted_by = column
        self._descending = order is Qt.SortOrder.DescendingOrder and column >= 0
        self._resort()

    def _key(self, key: str, row: R) -> SortKey:
        if self._sorted_by < 0:
            return (*self.natural(row), key)
        return (*sort_value(self.make_cells(row)[self._sorted_by], self._descending), key)

    def _key_of(self, entry: _Entry[R]) -> SortKey:
        if self._sorted_by < 0:
            return (*self.natural(entry.row), entry.key)
        return (*sort_value(self._cells_of(entry)[self._sorted_by], self._descending), entry.key)

    def _place_for(self, key: str, row: R) -> int:
        wanted, of = self._key(key, row), self._key_of
        if not self._descending:
            return bisect_right(self.places, wanted, key=of)
        keys = [of(entry) for entry in reversed(self.places)]
        return len(keys) - bisect_right(keys, wanted)

    def _resort(self) -> None:
        self._out_of_order, self._sorted_at_ms = False, self.now_ms
        order = sorted(self.places, key=self._key_of, reverse=self._descending)
        if order != self.places:
            self.rearrange(order)


def sort_value(cell: Cell, descending: bool) -> tuple[bool, int, Any]:
    """For `sorted(…, reverse=descending)`: numbers as numbers, before texts, and what is not known last either way."""
    value = cell.value if cell.value is not None else cell.words()
    unknown = cell.value is None and cell.text in ("", "—")
    if unknown:
        return (not descending, 0, 0)
    if isinstance(value, Decimal | int):
        return (descending, 0, value)
    return (descending, 1, str(value).casefold())
