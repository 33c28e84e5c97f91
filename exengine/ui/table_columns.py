"""The columns of a table: as wide as their numbers need, moved, hidden and resized by the trader, and remembered."""

from collections.abc import Sequence

from PySide6.QtWidgets import QTreeView, QWidget

from exengine.ui.cell import CHEVRON, INDENT, Cell, CellPainter
from exengine.ui.cell_model import CellModel, Index
from exengine.ui.header import TableHeader
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.one_shot import one_shot
from exengine.ui.theme import Look

WIDEST_NAME = 1.5
"""How much wider than its sample a column of names grows by itself."""
NOTED_ROWS = 2_000
LEAST_SENTENCE, WANTED_SENTENCE = 120, 200
"""The room of a column of sentences at 10 px: at least, and while there is a column that can give way to it."""
WIDEST = 1.35
"""How much wider than needed columns become where the window has room to spare."""


class ColumnedTree(QTreeView):
    """Columns grow for what is on the screen and never cut a number off; what the trader sets stays."""

    def __init__(self, look: Look, icons: Icons, model: CellModel, *, tree: bool, tight: bool) -> None:
        super().__init__()
        self.look, self.icons, self.cells = look, icons, model
        self.painter = CellPainter(look, icons)
        self.is_tree = tree
        self._fitting = False
        self.auto_widths = True
        self._given_way: set[int] = set()
        """The columns that are hidden by themselves, not by the trader."""
        self._kept: set[int] = set()
        """Those that the trader has shown again after that."""
        self._widest: dict[int, list[int]] = {}
        """The most characters seen in each column, by the level of the row: levels differ in their parts and gaps."""
        self._noted: dict[int, Sequence[Cell]] = {}
        """The cells of a row that the columns have grown for already, by its internal id."""
        self._needed: list[float] = [0.0] * len(model.columns)
        self.heading = TableHeader(look, icons, model, self)
        # The tree has the most columns of all tables.
        self._inner = look.metric("cell_padding") - (2 if tree or tight else 1)
        """The padding between columns where there is room for it."""
        self.heading.inner = self._inner
        # Where both scroll bars meet Fusion would paint a small frame.
        self.setCornerWidget(QWidget())
        self._fit_soon = one_shot(self, self.fit)

    def note(self, index: Index) -> None:
        """Lets the columns grow for what a row is about to show. Only text longer than any before is measured."""
        if self._grow(self.cells.number(index), self.cells.cells(index), self.cells.level(index)):
            self.fit()

    def _grow(self, row: int, cells: Sequence[Cell], level: int) -> bool:
        before: Sequence[Cell | None] = self._noted.get(row, ())
        if before is cells:
            return False
        if len(self._noted) >= NOTED_ROWS:
            self._noted.clear()
        self._noted[row] = cells
        if len(before) != len(cells):
            before = (None,) * len(cells)
        columns, widest = self.cells.columns, self._widest.get(level)
        if widest is None:
            widest = self._widest[level] = [0] * len(columns)
        grown = False
        for logical, cell in enumerate(cells):
            was = before[logical]
            if cell is was or cell == was:
                continue
            length = cell.length()
            # A name of as many letters may still be a wider one, and would lose its end.
            if length > widest[logical] or (columns[logical].elides and length == widest[logical] > 0):
                widest[logical] = length
                grown = self._need(cell, level, logical) or grown
        return grown

    def _need(self, cell: Cell, level: int, logical: int) -> bool:
        """Whether the column must grow for a cell."""
        column = self.cells.columns[logical]
        needed = self.painter.needed(cell, column) + (self._branch(level) if self.is_tree and not logical else 0)
        if column.elides:
            needed = min(needed, self.painter.width(column.sample) * WIDEST_NAME)
        if needed <= self._needed[logical]:
            return False
        self._needed[logical] = needed
        return True

    def _measure_all(self) -> None:
        self._widest.clear()
        self._noted.clear()
        for logical, column in enumerate(self.cells.columns):
            self._needed[logical] = self.painter.needed(Cell(column.sample), column)
        self.fit()

    def save(self, layouts: LayoutStore) -> None:
        """Keeps the order, visibility and, where the trader set them, the widths of the columns."""
        self._bring_back()
        layouts.save(f"{self.objectName()}/columns", self.heading.saveState())
        self._give_way()
        layouts.save(f"{self.objectName()}/auto_widths", self.auto_widths)

    def restore(self, layouts: LayoutStore) -> None:
        state = layouts.state(f"{self.objectName()}/columns")
        if state is not None:
            self._given_way.clear()
            self._fitting = True
            self.heading.restoreState(state)
            self._fitting = False
        self.auto_widths = layouts.flag(f"{self.objectName()}/auto_widths", True)
        self.fit()

    def _hide_extra(self) -> None:
        self._given_way.clear()
        self._kept.clear()
        self._fitting = True
        for logical, column in enumerate(self.cells.columns):
            self.heading.setSectionHidden(logical, column.hidden)
        self._fitting = False

    def reset_columns(self) -> None:
        """The columns in their first order, as wide as they need."""
        self._hide_extra()
        self._fitting = True
        for logical in range(self.heading.count()):
            self.heading.moveSection(self.heading.visualIndex(logical), logical)
        self._fitting = False
        self.auto_widths = True
        self.fit()

    def needed_width(self, logical: int, inner: int | None = None) -> int:
        """At which nothing of a column is cut off, with the padding in force or with another one."""
        inner = self.heading.inner if inner is None else inner
        left, right = self.heading.padding(logical, inner, self.look.metric("edge_padding"))
        title = self.heading.title_width(logical)
        if self._is_greedy((logical,)):
            title = min(title, self.look.scaled(LEAST_SENTENCE))
        return round(max(self._needed[logical], title) + 0.5) + left + right

    def wanted_width(self) -> int:
        """At which nothing is cut off and nothing scrolls sideways."""
        bar = self.verticalScrollBar()
        return self.needed_room() + (bar.sizeHint().width() if bar.maximum() else 0)

    def needed_room(self) -> int:
        """What the columns that are shown need side by side."""
        shown = [logical for logical in range(self.heading.count()) if not self.heading.isSectionHidden(logical)]
        return sum(self.needed_width(logical, self._inner) for logical in shown)

    def _needed_widths(self, shown: Sequence[int]) -> dict[int, int]:
        """What each column needs; closer together by a pixel where that is what saves a scroll bar.

        With room to spare they stand further apart: a number that ends beside a word that begins reads as one with it.
        """
        self.heading.inner = self._inner
        needed = {logical: self.needed_width(logical) for logical in shown}
        lack, each = sum(needed.values()) - self.viewport().width(), 2 * max(len(shown) - 1, 1)
        more = -1 if 0 < lack <= each else 0
        if lack < 0 and self.auto_widths and not self._is_greedy(shown):
            more = min(-lack // each, self.look.metric("edge_padding") - self._inner)
        if more:
            self.heading.inner += more
            needed = {logical: self.needed_width(logical) for logical in shown}
        return needed

    def fit(self) -> None:
        """Gives each column what it needs, and a share of the room that is left, until the trader sets a width."""
        self._give_way()
        heading, columns = self.heading, self.cells.columns
        shown = [logical for logical in range(len(columns)) if not heading.isSectionHidden(logical)]
        inner = heading.inner
        needed = self._needed_widths(shown)
        if heading.inner != inner:
            # Texts have another place in their columns, also in those that stay as wide as they were.
            self.viewport().update()
            heading.viewport().update()
        total, room = sum(needed.values()), self.viewport().width()
        share = min(max(room / total, 1.0), WIDEST) if total and not self._is_greedy(shown) else 1.0
        self._fitting = True
        for logical in shown:
            if self.auto_widths:
                heading.resizeSection(logical, int(needed[logical] * share))
            elif heading.sectionSize(logical) < needed[logical] and not columns[logical].elides:
                heading.resizeSection(logical, needed[logical])
        rest = next((logical for logical in shown if columns[logical].takes_rest), None)
        if rest is not None and heading.length() != room:
            least = max(needed[rest], heading.sectionSize(rest) if not self.auto_widths else 0)
            heading.resizeSection(rest, max(least, heading.sectionSize(rest) + room - heading.length()))
        self._fitting = False

    def _give_way(self) -> None:
        """Hides what gives way to sentences where they have too little room, and shows it again where there is more."""
        columns, heading = self.cells.columns, self.heading
        self._kept |= {logical for logical in self._given_way if not heading.isSectionHidden(logical)}
        gone = self._given_way - self._kept
        shown = [logical for logical in range(len(columns)) if logical in gone or not heading.isSectionHidden(logical)]
        giving = [logical for logical in shown if columns[logical].gives_way and logical not in self._kept]
        gives = set[int]()
        if giving and self.auto_widths and self._is_greedy(shown):
            needed = {logical: self.needed_width(logical, self._inner) for logical in shown}
            sentences = next(needed[logical] for logical in shown if columns[logical].takes_rest)
            room = self.viewport().width() - sum(needed.values()) + sentences - self.look.scaled(WANTED_SENTENCE)
            for logical in giving:
                if room < 0:
                    gives.add(logical)
                    room += needed[logical]
        for logical in gives ^ gone:
            self._hide(logical, logical in gives)
        self._given_way = gives

    def _bring_back(self) -> None:
        for logical in self._given_way:
            self._hide(logical, False)
        self._given_way.clear()

    def _hide(self, logical: int, hidden: bool) -> None:
        self._fitting = True
        self.heading.setSectionHidden(logical, hidden)
        self._fitting = False

    def _is_greedy(self, shown: Sequence[int]) -> bool:
        """Whether there is a column of sentences, which has use for all the room that there is."""
        columns = self.cells.columns
        return any(columns[logical].takes_rest and not columns[logical].sample for logical in shown)

    def _on_section_resized(self, logical: int, old: int, new: int) -> None:
        if self._fitting:
            return
        if self.heading.isSectionHidden(logical) or 0 in (old, new):
            # Hidden or shown, by the trader or by Qt while rows are put in another order. Qt is not yet done with it.
            self._fit_soon.start(0)
            return
        self.auto_widths = False
        least = self.needed_width(logical)
        if new < least and not self.cells.columns[logical].elides:
            self._fitting = True
            self.heading.resizeSection(logical, least)
            self._fitting = False

    def _branch(self, level: int) -> int:
        """How far right of its column a row's text begins. Leaves stand under their parent's text."""
        indent = self.look.grown(INDENT)
        return indent * min(level, 1) + self.look.grown(CHEVRON)
