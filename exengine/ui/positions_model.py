"""The tree of positions: group ▸ pyramid ▸ leg, kept in step with the engine's rows without ever being reset."""

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt

from exengine.engine.rows import GroupRow, LegRow, PyramidRow, ViewChanges
from exengine.ui import format as fmt
from exengine.ui.book import Book
from exengine.ui.cell import Cell
from exengine.ui.cell_model import CellModel, Index, neighbours
from exengine.ui.flashes import Flash
from exengine.ui.positions_cells import (
    COLUMNS,
    Col,
    Moment,
    aged,
    group_cells,
    group_tooltip,
    is_stale,
    leg_cells,
    pyramid_cells,
    repriced,
)
from exengine.ui.positions_order import PRICED, Key, sort_key

RESORT_MS = 3_000
"""How often prices alone may move rows: a row must stay long enough to be read and clicked."""

_FLASHING = (Col.FILLED, Col.SIZE, Col.ENTRY, Col.LAST, Col.UNREALISED, Col.PERCENT, Col.REALISED)
_FLASHING_BELOW = (Col.FILLED, Col.SIZE, Col.ENTRY, Col.REALISED)
"""Pyramids and legs flash with fills only: with prices too, an open group would never be still."""


class Node:
    """One row of the tree. Its cells are made when they are looked at, and kept until its group's `stamp` moves."""

    __slots__ = (
        "cells", "children", "data", "group", "id", "level", "made_at", "made_of", "parent", "place", "stale", "stamp",
    )  # fmt: skip

    def __init__(self, number: int, parent: "Node | None", place: int, data: GroupRow | PyramidRow | LegRow) -> None:
        self.id = number
        self.parent = parent
        self.group: Node = parent.group if parent is not None else self
        self.level: int = parent.level + 1 if parent is not None else 0
        self.place = place
        self.data = data
        self.children: list[Node] = []
        self.cells: list[Cell] | None = None
        self.made_at = -1
        self.made_of: object = None
        """The group's row when the cells were last made as a whole: its legs' rows are its own."""
        self.stamp = 0
        self.stale = False


class PositionsModel(CellModel, QAbstractItemModel):
    """Groups in the order that the trader sorts by; pyramids and legs in the order of the ladder."""

    columns = COLUMNS

    def __init__(self, book: Book, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._book = book
        self._numbers = itertools.count(1)
        self._nodes: dict[int, Node] = {}
        self._groups: list[Node] = []
        self._by_id: dict[str, Node] = {}
        self._markets: dict[tuple[str, str], list[Node]] = {}
        self._quote_title = ""
        self._sorted_by = -1
        self._descending = False
        self._sorted_at_ms = 0
        self.now_ms = 0

    # What Qt asks

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        siblings = self._children(parent)
        if 0 <= row < len(siblings) and 0 <= column < len(COLUMNS):
            return self.createIndex(row, column, siblings[row].id)
        return QModelIndex()

    def parent(self, index: Index | None = None) -> Any:
        if index is None:
            return QObject.parent(self)
        node = self._nodes.get(index.internalId()) if index.isValid() else None
        if node is None or node.parent is None:
            return QModelIndex()
        return self.createIndex(node.parent.place, 0, node.parent.id)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return len(self._children(parent))

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008
        return bool(self._children(parent))

    def _children(self, parent: Index) -> list[Node]:
        if not parent.isValid():
            return self._groups
        if parent.column() != 0:
            return []
        return self._nodes[parent.internalId()].children

    def title(self, column: int) -> str:
        if column == Col.SIZE and self._quote_title:
            return f"Size, {self._quote_title}"
        return COLUMNS[column].title

    def level(self, index: Index) -> int:
        return self._nodes[index.internalId()].level

    def cells(self, index: Index) -> Sequence[Cell]:
        return self._cells_of(self._nodes[index.internalId()])

    def tooltip(self, index: Index) -> str:
        node = self._nodes[index.internalId()]
        if isinstance(node.data, GroupRow):
            return group_tooltip(node.data, index.column(), self._moment(node))
        if isinstance(node.data, LegRow) and index.column() == Col.STATUS:
            return node.data.error or ""
        return ""

    # What the window asks

    def group_at(self, index: Index) -> GroupRow | None:
        """The group that a row belongs to."""
        if not index.isValid():
            return None
        data = self._nodes[index.internalId()].group.data
        return data if isinstance(data, GroupRow) else None

    def index_of(self, group_id: str) -> QModelIndex:
        node = self._by_id.get(group_id)
        return self._index(node) if node is not None else QModelIndex()

    def _index(self, node: Node, column: int = 0) -> QModelIndex:
        return self.createIndex(node.place, column, node.id)

    # Cells

    def _moment(self, node: Node) -> Moment:
        group = node.group
        assert isinstance(group.data, GroupRow)
        return Moment(self._book.quote(group.data), group.stale, self.now_ms)

    def _cells_of(self, node: Node) -> list[Cell]:
        if node.cells is None or node.made_at != node.group.stamp:
            node.cells = self._made(node)
            node.made_at = node.group.stamp
        return node.cells

    def _made(self, node: Node) -> list[Cell]:
        at, group = self._moment(node), node.group.data
        assert isinstance(group, GroupRow)
        if node.cells is not None and node.made_of is group:
            return repriced(node.cells, group, node.data, at)
        node.made_of = group
        if isinstance(node.data, GroupRow):
            return group_cells(node.data, at)
        if isinstance(node.data, PyramidRow):
            return pyramid_cells(group, node.data, at)
        return leg_cells(group, node.data, at)

    def refresh(self, rows: Iterable[QModelIndex]) -> list[Flash]:
        """Makes the cells of `rows`, those on the screen, anew; tells Qt which changed, and which of them flash.

        Rows off the screen are made when they are scrolled in, so nothing is told about them.
        """
        flashes: list[Flash] = []
        blocks: dict[tuple[Node | None, int, int], list[Node]] = {}
        for index in rows:
            node = self._nodes[index.internalId()]
            before = node.cells
            if before is None:
                continue
            if node.made_at != node.group.stamp:
                after = self._made(node)
                node.made_at = node.group.stamp
            elif isinstance(node.data, GroupRow):
                after = aged(before, node.data, self.now_ms)
            else:
                continue
            changed = [
                column for column, cell in enumerate(after) if cell is not before[column] and cell != before[column]
            ]
            if not changed:
                continue
            node.cells = after
            flashes.extend(self._flashes(node, before, after, changed))
            for first, last in neighbours(changed):
                blocks.setdefault((node.parent, first, last), []).append(node)
        for (_, first, last), nodes in blocks.items():
            places = [node.place for node in nodes]
            for top, bottom in neighbours(places):
                run = nodes[bisect_left(places, top)], nodes[bisect_left(places, bottom)]
                self.dataChanged.emit(self._index(run[0], first), self._index(run[1], last))
        return flashes

    def _flashes(self, node: Node, before: list[Cell], after: list[Cell], changed: list[int]) -> Iterable[Flash]:
        for column in _FLASHING_BELOW if node.level else _FLASHING:
            if column not in changed or before[column].text == after[column].text:
                continue
            old, new = before[column].value, after[column].value
            if old is not None and new is not None and old != new:
                yield Flash(node.id, column, new > old)  # type: ignore[operator]

    # Changes

    def tick(self, now_ms: int) -> None:
        """Moves the clock: ages grow and prices become stale."""
        self.now_ms = now_ms
        for market, nodes in self._markets.items():
            self._note_age(market, nodes)

    def _note_age(self, market: tuple[str, str], nodes: list[Node]) -> None:
        """Whether the groups of a market have a price that is too old to be trusted."""
        stale = is_stale(self._book.quotes.get(market), self.now_ms)
        for node in nodes:
            if stale is not node.stale:
                node.stale = stale
                node.stamp += 1

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        """Takes in what the book has just taken in."""
        self.now_ms = now_ms
        self._remove([node for gone in changes.gone_groups if (node := self._by_id.get(gone)) is not None])
        new = []
        for row in changes.groups.values():
            node = self._by_id.get(row.id)
            if node is None:
                new.append(row)
            else:
                self._update(node, row)
        for market, quote in changes.quotes.items():
            stale = is_stale(quote, now_ms)
            for node in self._markets.get(market, ()):
                node.stamp += 1
                node.stale = stale
        have = len(self._groups)
        self._insert(new)
        if changes.gone_groups or len(self._groups) != have:
            self._retitle()
        if self._sorted_by in PRICED:
            if now_ms - self._sorted_at_ms >= RESORT_MS:
                self._resort()
        elif changes.groups:
            self._resort()

    def _retitle(self) -> None:
        quotes = {node.data.quote for node in self._groups if isinstance(node.data, GroupRow)}
        title = next(iter(quotes)) if len(quotes) == 1 else ""
        if title != self._quote_title:
            self._quote_title = title
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, Col.SIZE, Col.SIZE)

    def _remove(self, nodes: list[Node]) -> None:
        """Takes groups out, neighbours together, the last first."""
        nodes.sort(key=lambda node: node.place, reverse=True)
        while nodes:
            last = nodes.pop(0).place
            first = last
            while nodes and nodes[0].place == first - 1:
                first = nodes.pop(0).place
            self.beginRemoveRows(QModelIndex(), first, last)
            for node in self._groups[first : last + 1]:
                self._forget(node)
            del self._groups[first : last + 1]
            self._renumber(self._groups, first)
            self.endRemoveRows()

    def _forget(self, node: Node) -> None:
        for child in node.children:
            self._forget(child)
        del self._nodes[node.id]
        if isinstance(node.data, GroupRow):
            del self._by_id[node.data.id]
            market = (node.data.account, node.data.symbol)
            self._markets[market].remove(node)
            if not self._markets[market]:
                del self._markets[market]

    def _insert(self, rows: list[GroupRow]) -> None:
        """Puts new groups where they belong; those that belong together in one go."""
        rows.sort(key=self._key, reverse=self._descending)
        while rows:
            first = self._place_for(rows[0])
            run = [rows.pop(0)]
            while rows and self._place_for(rows[0]) == first:
                run.append(rows.pop(0))
            self.beginInsertRows(QModelIndex(), first, first + len(run) - 1)
            self._groups[first:first] = [self._grown(row) for row in run]
            self._renumber(self._groups, first)
            self.endInsertRows()

    def _grown(self, row: GroupRow) -> Node:
        node = self._node(None, 0, row)
        node.stale = is_stale(self._book.quote(row), self.now_ms)
        node.children = [self._pyramid(node, place, pyramid) for place, pyramid in enumerate(row.pyramid_rows)]
        self._by_id[row.id] = node
        self._markets.setdefault((row.account, row.symbol), []).append(node)
        return node

    def _pyramid(self, parent: Node, place: int, row: PyramidRow) -> Node:
        node = self._node(parent, place, row)
        node.children = [self._node(node, leg, leg_row) for leg, leg_row in enumerate(row.legs)]
        return node

    def _node(self, parent: Node | None, place: int, data: GroupRow | PyramidRow | LegRow) -> Node:
        node = Node(next(self._numbers), parent, place, data)
        self._nodes[node.id] = node
        return node

    def _update(self, node: Node, row: GroupRow) -> None:
        old = node.data
        node.data = row
        node.stamp += 1
        assert isinstance(old, GroupRow)
        if old.pyramid_rows is not row.pyramid_rows:
            self._update_children(node, row.pyramid_rows)

    def _update_children(self, node: Node, rows: Sequence[PyramidRow | LegRow]) -> None:
        """Gives children their new rows; adds or takes away at the end, as ladders grow and shrink."""
        children = node.children
        for child, row in zip(children, rows, strict=False):
            if child.data is row:
                continue
            child.data = row
            if isinstance(row, PyramidRow):
                self._update_children(child, row.legs)
        have, want = len(children), len(rows)
        if want > have:
            self.beginInsertRows(self._index(node), have, want - 1)
            for place, added in enumerate(rows[have:], have):
                if isinstance(added, PyramidRow):
                    children.append(self._pyramid(node, place, added))
                else:
                    children.append(self._node(node, place, added))
            self.endInsertRows()
        elif want < have:
            self.beginRemoveRows(self._index(node), want, have - 1)
            for child in children[want:]:
                self._forget(child)
            del children[want:]
            self.endRemoveRows()

    @staticmethod
    def _renumber(nodes: list[Node], first: int) -> None:
        for place in range(first, len(nodes)):
            nodes[place].place = place

    # Order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sorts the groups; column −1 is the order in which they opened."""
        self._sorted_by = column
        self._descending = order is Qt.SortOrder.DescendingOrder and column >= 0
        self._resort()

    def _key(self, row: GroupRow) -> Key:
        if self._sorted_by < 0:
            return (False, row.opened_at_ms, row.id)
        return sort_key(row, self._book.last(row), self._sorted_by, self._descending)

    def _place_for(self, row: GroupRow) -> int:
        """Where a new group goes among those that are there."""
        key = self._key
        keys = [key(node.data) for node in self._groups if isinstance(node.data, GroupRow)]
        if not self._descending:
            return bisect_right(keys, key(row))
        keys.reverse()
        return len(keys) - bisect_right(keys, key(row))

    def _resort(self) -> None:
        self._sorted_at_ms = self.now_ms
        order = sorted(
            self._groups, key=lambda node: self._key(node.data), reverse=self._descending  # type: ignore[arg-type]
        )  # fmt: skip
        if order == self._groups:
            return
        self.tell_rows_move()
        self._groups = order
        self._renumber(order, 0)
        moved = [index for index in self.persistentIndexList() if not self._nodes[index.internalId()].level]
        self.changePersistentIndexList(
            moved, [self._index(self._nodes[index.internalId()], index.column()) for index in moved]
        )
        self.tell_rows_moved()

    def summary(self) -> str:
        """`6 groups`, for the dock's title."""
        return fmt.count(len(self._groups), "group")
