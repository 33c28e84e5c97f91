"""A dock whose rows the engine computes only while it is on the screen; and what its tables share."""

from typing import TypeVar

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QPushButton

from exengine.engine.panel_rows import Panel, Patch
from exengine.engine.rows import ViewChanges
from exengine.ui.cell_model import CellModel
from exengine.ui.dock import Dock
from exengine.ui.icons import Icons
from exengine.ui.keyed_model import KeyedModel
from exengine.ui.layout import LayoutStore
from exengine.ui.pieces import Button, button
from exengine.ui.table import Table
from exengine.ui.theme import Look

R = TypeVar("R")


class PanelDock(Dock):
    """Tells whether it can be seen: then its panel is worth computing."""

    panel: Panel

    def __init__(self, look: Look, icons: Icons, *, name: str, title: str) -> None:
        super().__init__(look, icons, name=name, title=title)
        self.look, self.icons = look, icons
        self._tool_icons: list[tuple[Button, str, str]] = []
        look.changed.connect(self._on_tool_look)

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        """Shows what has changed."""
        raise NotImplementedError

    def tick(self, now_ms: int) -> None:
        """Moves the clock: ages and timers."""

    def tool(self, text: str, icon: str, *, token: str = "text") -> Button:
        """A small button with an icon for what can be done with the chosen row."""
        made = button(self.look, text, small=True)
        self._tool_icons.append((made, icon, token))
        made.setIcon(self.icons.button_icon(icon, token))
        return made

    def _on_tool_look(self) -> None:
        for made, icon, token in self._tool_icons:
            made.setIcon(self.icons.button_icon(icon, token))


def enable(made: QPushButton, why_not: str, does: str) -> None:
    """Switches an action on, or off with the reason in its tooltip."""
    if made.toolTip() == (why_not or does) and made.isEnabled() is not bool(why_not):
        return
    made.setEnabled(not why_not)
    made.setToolTip(why_not or does)
    made.setAccessibleDescription(why_not or does)


def seen_rows(table: Table) -> list[QModelIndex]:
    """The rows that are on the screen."""
    return list(table.visible_rows()) if table.isVisible() else []


def note_rows(table: Table) -> None:
    """Lets the columns grow for what is on the screen."""
    for index in seen_rows(table):
        table.note(index)


def patch_rows(table: Table, model: KeyedModel[R], patch: Patch[R], now_ms: int) -> None:
    """Shows changed rows. Where none comes or goes, those on the screen are asked for their places once."""
    if patch.gone or any(model.row_of(key) is None for key in patch.rows):
        table.flash(model.patch(patch, now_ms, seen_rows(table)))
        note_rows(table)
        return
    with table.telling() as rows:
        table.flash(model.patch(patch, now_ms, rows))


class Sorting:
    """Lets the trader sort a table by its header: the useful way round first, then the other, then as it was."""

    def __init__(self, table: Table, model: CellModel, names: frozenset[int]) -> None:
        """`names` are sorted from A first; everything else from the largest."""
        self._table, self._model, self._names = table, model, names
        table.heading.sort_asked.connect(self.sort_by)

    def sort_by(self, column: int) -> None:
        heading, first = self._table.heading, column not in self._names
        if heading.sorted_by != column:
            self.put(column, first)
        elif heading.descending is first:
            self.put(column, not first)
        else:
            self.put(-1, False)

    def put(self, column: int, descending: bool) -> None:
        self._table.heading.show_order(column, descending)
        way = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self._model.sort(column, way)
        self._table.fit()

    def save(self, layouts: LayoutStore) -> None:
        name = self._table.objectName()
        self._table.save(layouts)
        layouts.save(f"{name}/sorted_by", self._table.heading.sorted_by)
        layouts.save(f"{name}/descending", self._table.heading.descending)

    def restore(self, layouts: LayoutStore) -> None:
        name = self._table.objectName()
        self._table.restore(layouts)
        column = layouts.integer(f"{name}/sorted_by", -1)
        if -1 <= column < self._model.columnCount():
            self.put(column, layouts.flag(f"{name}/descending", False))

    def reset(self) -> None:
        self.put(-1, False)
        self._table.reset_columns()


def keep_current(table: Table, model: CellModel) -> None:
    """Chooses the first row where none is chosen, so that the actions are about something."""
    if model.rowCount() and not table.currentIndex().isValid():
        table.setCurrentIndex(model.index(0, 0))
