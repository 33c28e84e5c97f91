"""A flat table whose rows Qt counts itself.

A tree view asks about every row whenever one comes or goes. Where the answers are Python's, ten thousand rows cost
sixty milliseconds each time; here they are Qt's own, and only what is seen is asked of Python.
"""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QModelIndex, QObject
from PySide6.QtGui import QStandardItemModel

from exengine.ui.cell_model import CellModel

T = TypeVar("T", bound=Hashable)


class FlatModel(CellModel, QStandardItemModel, Generic[T]):
    """`places` has one entry for each row that is shown, from the top; it changes with Qt's count, never before."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(0, len(self.columns), parent)
        self.places: list[T] = []
        self._coming: Sequence[T] = ()
        # Connected before any view is: when a view hears of new rows, they are there.
        self.rowsInserted.connect(self._on_inserted)
        self.rowsRemoved.connect(self._on_removed)

    def put(self, place: int, entries: Sequence[T]) -> None:
        """Shows new rows from `place` on."""
        self._coming = entries
        self.insertRows(place, len(entries))

    def drop(self, first: int, last: int) -> None:
        """Shows these rows no longer."""
        self.removeRows(first, last + 1 - first)

    def rearrange(self, places: list[T]) -> None:
        """Shows the same rows in another order; what is chosen stays chosen."""
        self.tell_rows_move()
        kept = self.persistentIndexList()
        entries = [self.places[index.row()] for index in kept]
        self.places = places
        self.moved(0)
        rows = {entry: row for row, entry in enumerate(places)}
        now = [self.index(rows[entry], index.column()) for entry, index in zip(entries, kept, strict=True)]
        self.changePersistentIndexList(kept, now)
        self.tell_rows_moved()

    def moved(self, first: int) -> None:
        """Called when the entries from `first` on have other places than before."""

    def _on_inserted(self, _parent: QModelIndex, first: int, _last: int) -> None:
        self.places[first:first] = self._coming
        self._coming = ()
        self.moved(first)

    def _on_removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        del self.places[first : last + 1]
        self.moved(first)
