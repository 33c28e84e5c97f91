"""An editable table of the settings dialog: a list of small pages, one in each row, edited in place."""

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from exengine.settings.draft import listed
from exengine.settings.fields import Location
from exengine.settings.form import NUMERIC, Field
from exengine.ui.icons import Icons
from exengine.ui.pieces import Hairline, IconButton, Label
from exengine.ui.remark import Remark, sentence, set_marks
from exengine.ui.settings_inputs import ChoiceInput, FlagInput, Line
from exengine.ui.settings_state import Editing
from exengine.ui.theme import Look, Role, Weight

Cell = Line | ChoiceInput | FlagInput
CHOICE_EDGE, LINE_EDGE = 8, 9
"""Where the text of a cell begins, in px from its column's edge."""


class CellTable(QWidget):
    """The members of the list at `place`; what is wrong with them is said below, with the row and the column."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        editing: Editing,
        place: Location,
        fields: tuple[Field, ...],
        *,
        widths: Mapping[str, int],
        row_name: Callable[[int], str],
        first: str = "",
        below: Location = (),
        more: str = "",
    ) -> None:
        """`widths` of the columns in px at the default font; `row_name` stands before a row, under the header `first`.

        `below` is where in a member the values are; a value that is emptied there is taken out. `more` is the header of
        what a table says of a row besides.
        """
        super().__init__()
        self._look, self._icons, self._editing, self.place = look, icons, editing, place
        self.fields, self._widths, self._row_name, self._first = fields, widths, row_name, first
        self._below, self._more = below, more
        self.cells: dict[tuple[int, str], Cell] = {}
        self.names: list[Label] = []
        self.removers: list[IconButton] = []
        self.choices: Callable[[Field], tuple[tuple[str, str], ...]] = lambda field: field.choices
        """The choices of a column, where they are not the field's own."""
        self._known_choices: tuple[object, ...] = ()
        self.least_decimals = 0
        self._box = QWidget()
        self.grid = QGridLayout(self._box)
        self.grid.setContentsMargins(0, 0, 0, 0)
        self.grid.setSpacing(0)
        self.fault = Remark(look, icons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._box, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.fault)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._count = -1
        self.refresh()

    @property
    def count(self) -> int:
        return sum(1 for _ in listed(self._editing.draft.get(self.place)))

    def place_of(self, row: int, name: str) -> Location:
        return (*self.place, row, *self._below, name)

    def _on_edited(self, place: Location, value: Any) -> None:
        if value is None and self._below:
            self._editing.remove(place)
        else:
            self._editing.put(place, value)

    def more_cells(self, row: int) -> QWidget | None:
        """What stands behind a row's values; a table with more to say of a row makes it."""
        return None

    def cell(self, row: int, name: str) -> Cell:
        return self.cells[row, name]

    def refresh(self) -> None:
        """Looks at the draft again; widgets are made anew only where rows came or went."""
        choices = tuple(self.choices(field) for field in self.fields)
        if self._count != self.count or choices != self._known_choices:
            self._known_choices = choices
            self._rebuild()
        draft, faults = self._editing.draft, []
        for (row, name), cell in self.cells.items():
            place = self.place_of(row, name)
            problems = draft.problems_in(place)
            if problems:
                title = next(field.title for field in self.fields if field.name == name)
                inside = title if title[1:].lower() != title[1:] else title.lower()  # TradingView, TP: names stay
                faults.append(f"{self._row_name(row)} {inside} {problems[0].brief or problems[0].message}".strip())
            cell.show_value(draft.get(place))
            cell.mark(changed=draft.is_changed_at(place) and not problems, faulty=bool(problems))
            cell.setEnabled(not self._editing.locked)
        self._align()
        for remover in self.removers:
            remover.setEnabled(not self._editing.locked)
        whole = [one.brief or one.message for one in draft.problems_of(self.place)]
        self.fault.say("\n".join(sentence(one) for one in (*faults, *whole)))

    def _align(self) -> None:
        """Numbers of a column get as many decimals as the one with the most, but where the trader types."""
        for field in self.fields:
            lines = [cell for (_, name), cell in self.cells.items() if name == field.name and isinstance(cell, Line)]
            most = max((line.decimals for line in lines), default=0)
            most = max(most, self.least_decimals)
            for line in lines:
                if not line.hasFocus() and not line.isModified():
                    line.pad(most)

    def _rebuild(self) -> None:
        self._count = self.count
        while (item := self.grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.cells.clear()
        self.removers.clear()
        self.names.clear()
        self._header()
        for row in range(self._count):
            self._row(row)
        self.build_footer(self._count + 2)

    def build_footer(self, line: int) -> None:
        """What stands under the rows, from `line` of the grid on; a table with sums fills it."""

    def _header(self) -> None:
        look = self._look
        if self._first:
            self.grid.addWidget(self._title(self._first, left=12, width=self._widths.get("", 60)), 0, 0)
        for column, field in enumerate(self.fields, 1):
            right = field.kind in NUMERIC
            text = f"{field.title}, {field.unit}" if field.unit else field.title
            left = None if right else CHOICE_EDGE if self.choices(field) else LINE_EDGE
            self.grid.addWidget(self._title(text, left=left, width=self._widths[field.name]), 0, column)
        if self._more:
            self.grid.addWidget(self._title(self._more, left=LINE_EDGE, width=0), 0, len(self.fields) + 1)
        self.grid.addWidget(Hairline(look), 1, 0, 1, len(self.fields) + 1)

    def _title(self, text: str, *, left: int | None, width: int) -> Label:
        """Begins `left` px from its column's edge, as what stands below it; without that it ends at the right edge."""
        title = Label(self._look, text, token="muted", role=Role.SMALL, weight=Weight.MEDIUM)
        title.setContentsMargins(0 if left is None else left, 0, 12 if left is None else 0, 0)
        side = Qt.AlignmentFlag.AlignRight if left is None else Qt.AlignmentFlag.AlignLeft
        title.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        title.setFixedHeight(self._look.row_height())
        title.setMinimumWidth(self._look.scaled(width))
        return title

    def _row(self, row: int) -> None:
        line = row + 2
        name = Label(self._look, self._row_name(row))
        name.setContentsMargins(12, 0, 0, 0)
        self.names.append(name)
        if self._first:
            self.grid.addWidget(name, line, 0)
        for column, field in enumerate(self.fields, 1):
            cell = self._make_cell(field)
            place = self.place_of(row, field.name)
            cell.setObjectName(".".join(str(part) for part in place))
            cell.setAccessibleName(f"{self._row_name(row)} {field.title}".strip())
            cell.setAccessibleDescription(field.meaning)
            cell.setFixedHeight(self._look.row_height())
            cell.setMinimumWidth(self._look.scaled(self._widths[field.name]))
            cell.setMaximumWidth(self._look.scaled(self._widths[field.name]))
            cell.setProperty("leading", column == 1)
            cell.edited.connect(lambda value, place=place: self._on_edited(place, value))
            self.cells[row, field.name] = cell
            self.grid.addWidget(cell, line, column)
        more = self.more_cells(row)
        if more is not None:
            self.grid.addWidget(more, line, len(self.fields) + 1)
        remover = IconButton(self._icons, "close", f"Remove {self._row_name(row) or 'this row'}")
        remover.setObjectName(".".join(str(part) for part in (*self.place, row, "remove")))
        remover.clicked.connect(lambda _=False, row=row: self._editing.remove((*self.place, row)))
        self.removers.append(remover)
        self.grid.addWidget(remover, line, len(self.fields) + 2)

    def _make_cell(self, field: Field) -> Cell:
        choices = self.choices(field)
        if choices:
            return ChoiceInput(self._icons, field, choices=choices, cell=True)
        return Line(self._look, field, cell=True)

    def mark_all(self, *, faulty: bool) -> None:
        """Marks the whole table, for what is wrong with all rows together."""
        for cell in self.cells.values():
            set_marks(cell, changed=bool(cell.property("changed")), faulty=faulty)

    def focus_row(self, row: int) -> None:
        """Puts the keyboard into the first cell of a row."""
        cell = self.cells.get((row, self.fields[0].name))
        if cell is not None:
            cell.setFocus(Qt.FocusReason.OtherFocusReason)


def value_of(tree: Any, name: str) -> str:
    """A value of a row as text, for names of rows."""
    return str(tree.get(name) or "") if isinstance(tree, dict) else ""
