"""Overrides: other values for some accounts, pairs, timeframes, sides or pyramids, edited as a table (SPEC §3.1)."""

from collections.abc import Iterator
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from exengine.settings.draft import Draft, at, listed
from exengine.settings.fields import Location
from exengine.settings.form import Field, Kind, fields_of
from exengine.settings.trading_pages import GridValues, MatchPage, SizingPage, TakeProfitPage
from exengine.ui import format as fmt
from exengine.ui.choice import DropDown
from exengine.ui.icons import Icons
from exengine.ui.pieces import Ground, Hairline, IconButton, Label, button
from exengine.ui.remark import set_chosen, set_marks
from exengine.ui.settings_cells import CellTable
from exengine.ui.settings_legs import LegEditor
from exengine.ui.settings_lists import account_names
from exengine.ui.settings_row import FieldRow, beside
from exengine.ui.settings_state import Editing
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look, Weight

PLACE: Location = ("grid", "overrides")
_PARTS: tuple[tuple[str, str, tuple[Field, ...]], ...] = (
    ("grid", "Grid", fields_of(GridValues)),
    ("sizing", "Sizing", fields_of(SizingPage)),
    ("take_profit", "Take profit", fields_of(TakeProfitPage)),
)
WIDTH, HEIGHT = 900, 640
VALUES = 306
"""What the values of a rule have of the table's width, in px at the default font: all that its fields leave."""
_BUTTON_EDGE = 10


def values() -> Iterator[tuple[str, str, Field]]:
    """Every value that an override may set: its part, the words for it, the field."""
    for part, title, fields in _PARTS:
        for field in fields:
            yield part, f"{title}: {field.title.lower()}", field


class OverrideTable(CellTable):
    """A row for each rule: where it holds, and what it sets."""

    def __init__(self, sheet: "OverridesSheet") -> None:
        self.sheet = sheet
        self.openers: list[QPushButton] = []
        super().__init__(
            sheet.look, sheet.icons, sheet.editing, PLACE, fields_of(MatchPage),
            widths={"": 64, "account": 120, "symbol": 100, "timeframe": 80, "side": 84, "pyramid": 70},
            row_name=lambda row: f"Rule {row + 1}", first="Rule", below=("match",), more="Values",
        )  # fmt: skip
        self.choices = self._choices
        self.refresh()

    def _choices(self, field: Field) -> tuple[tuple[str, str], ...]:
        if field.name == "account":
            given = [str(at(rule, ("match", "account")) or "") for _, rule in listed(self._editing.draft.get(PLACE))]
            names = dict.fromkeys([*account_names(self._editing), *(name for name in given if name)])
            return tuple((name, name) for name in names)
        return field.choices

    def more_cells(self, row: int) -> QWidget:
        opener = button(self._look, "", small=True, kind="plain")
        opener.setCheckable(True)
        opener.setProperty("begins", "left")
        opener.setFixedWidth(self._look.scaled(VALUES))
        opener.setObjectName(f"grid.overrides.{row}.values")
        opener.clicked.connect(lambda: self.sheet.choose(row))
        del self.openers[row:]
        self.openers.append(opener)
        return opener

    def refresh(self) -> None:
        super().refresh()
        for row, opener in enumerate(self.openers[: self.count]):
            words = summary(self._editing.draft, row)
            room = self._look.scaled(VALUES) - 2 * _BUTTON_EDGE
            opener.setText(opener.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room))
            opener.setToolTip(words)
            opener.setAccessibleName(f"Values of rule {row + 1}: {words}")
            opener.setChecked(row == self.sheet.chosen)
            for part in (self.names[row], *(cell for (at_row, _), cell in self.cells.items() if at_row == row)):
                set_chosen(part, chosen=row == self.sheet.chosen)


def summary(draft: Draft, row: int) -> str:
    """`Max pyramids 2, Amount 100 quote`."""
    said = []
    for part, _, field in values():
        place = (*PLACE, row, part, field.name)
        value = draft.get(place)
        if value is not None and field.kind is Kind.PAGES:
            said.append(fmt.count(len(value), "leg"))
        elif value is not None:
            unit = field.unit_with(beside(draft, place, field.unit_by[0])) if field.unit_by is not None else field.unit
            said.append(f"{field.title} {field.words_of(value, '' if unit in field.title.lower() else unit)}")
    return ", ".join(said) or "Sets nothing yet"


def _taking_keys(part: QWidget) -> list[QWidget]:
    """What of a part the keyboard can come to; the list that a choice drops down is a window of its own."""
    inside = (one for one in part.findChildren(QWidget) if one.window() is part.window())
    return [one for one in inside if one.focusPolicy() is not Qt.FocusPolicy.NoFocus]


class OverridesSheet(Sheet):
    """The table, and under it the values of the rule that is chosen. It edits the same draft as the dialog."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, editing: Editing) -> None:
        super().__init__(look, icons, parent, name="overrides", title="Overrides", width=WIDTH)
        self.editing = editing
        self.chosen = 0 if editing.draft.get(PLACE) else -1
        self.rows: list[tuple[QWidget, FieldRow | LegEditor]] = []
        self._shown: tuple[object, ...] = ()
        about = Label(
            look,
            "Where several rules set a value, the most specific one wins, and of equal ones the later. A field that is "
            "filled in counts 2, a pattern such as */USDT counts 1. What no rule sets stays as on the pages.",
            token="muted",
        )  # fmt: skip
        about.setWordWrap(True)
        self.body.addWidget(about)
        self.table = OverrideTable(self)
        self.empty = Label(look, "No override: every pyramid has the values of the pages.", token="muted")
        self.body.addWidget(self.empty)
        self.body.addWidget(self.table)
        self.body.addLayout(self._build_tools())
        self.body.addWidget(Hairline(look))
        self.body.addWidget(self._build_editor(), 1)
        self.buttons.addWidget(Label(look, "Nothing takes effect before Apply.", token="muted"), 1)
        self.cancel = self.add_cancel("Close")
        editing.changed.connect(self.refresh)
        self.refresh()
        self.cancel.setFocus()

    def _build_tools(self) -> QHBoxLayout:
        self.add = button(self.look, "Add a rule", small=True)
        self.add.setObjectName("grid.overrides.add")
        self.add.setIcon(self.icons.button_icon("add"))
        self.up, self.down = button(self.look, "Move up", small=True), button(self.look, "Move down", small=True)
        row = QHBoxLayout()
        row.setSpacing(6)
        for widget in (self.add, self.up, self.down):
            row.addWidget(widget)
        row.addStretch(1)
        self.add.clicked.connect(self._on_add)
        self.up.clicked.connect(lambda: self._shift(-1))
        self.down.clicked.connect(lambda: self._shift(+1))
        return row

    def _build_editor(self) -> QWidget:
        self.title = Label(self.look, weight=Weight.STRONG)
        self.what = DropDown(self.icons, "Value to set", ())
        self.set_it = button(self.look, "Set it here", small=True)
        self.set_it.setObjectName("grid.overrides.set")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        head.addWidget(self.what)
        head.addWidget(self.set_it)
        self.set_it.clicked.connect(self._on_set)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        inner = Ground(self.look, "surface")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 8, 0, 0)
        column.addLayout(self._list)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumHeight(self.look.scaled(240))
        scroll.setWidget(inner)
        holder = QWidget()
        whole = QVBoxLayout(holder)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(4)
        whole.addLayout(head)
        whole.addWidget(scroll, 1)
        return holder

    # What is shown

    @property
    def _count(self) -> int:
        return sum(1 for _ in listed(self.editing.draft.get(PLACE)))

    def choose(self, row: int) -> None:
        self.chosen = row
        self.refresh()

    def refresh(self) -> None:
        count, locked = self._count, bool(self.editing.locked)
        self.chosen = min(self.chosen, count - 1) if count else -1
        self.table.refresh()
        self.empty.setVisible(count == 0)
        self.table.setVisible(count > 0)
        self.add.setEnabled(not locked)
        self.up.setEnabled(not locked and self.chosen > 0)
        self.down.setEnabled(not locked and 0 <= self.chosen < count - 1)
        self.title.setText(f"Values of rule {self.chosen + 1}" if self.chosen >= 0 else "")
        rule = self.editing.draft.get((*PLACE, self.chosen)) if self.chosen >= 0 else None
        given = [(part, field) for part, _, field in values() if field.name in (at(rule, (part,)) or {})]
        free = tuple(words for part, words, field in values() if (part, field) not in given)
        self.what.set_items(free if self.chosen >= 0 else ())
        self.what.setVisible(self.chosen >= 0)
        self.set_it.setVisible(self.chosen >= 0)
        self.set_it.setEnabled(not locked and bool(free))
        shown = (self.chosen, *((part, field.name) for part, field in given))
        if shown != self._shown:
            self._shown = shown
            self._build_rows(given)
        for _, row in self.rows:
            row.refresh()

    def _build_rows(self, given: list[tuple[str, Field]]) -> None:
        for holder, _ in self.rows:
            holder.hide()
            holder.deleteLater()
        self.rows = []
        for part, field in given:
            place = (*PLACE, self.chosen, part, field.name)
            row: FieldRow | LegEditor
            if field.kind is Kind.PAGES:
                row = LegEditor(self.look, self.icons, self.editing, place, words="The ladder of these pyramids.")
            else:
                row = FieldRow(self.look, self.icons, self.editing, place, field)
            remover = IconButton(self.icons, "close", f"{field.title}: as on the pages")
            remover.clicked.connect(lambda _=False, place=place: self._unset(place))
            holder = QWidget()
            line = QHBoxLayout(holder)
            line.setContentsMargins(0, 0, 0, 0)
            line.addWidget(row, 1)
            line.addWidget(remover, 0, Qt.AlignmentFlag.AlignTop)
            self._list.addWidget(holder)
            self.rows.append((holder, row))
        self._order_tabs()

    def _order_tabs(self) -> None:
        """Tab goes as one reads, whatever was made anew: the rules, what is done with them, the values of one."""
        tools = [self.add, self.up, self.down, self.what, self.set_it]
        values = [widget for holder, _ in self.rows for widget in _taking_keys(holder)]
        for before, after in pairwise([*_taking_keys(self.table), *tools, *values, self.cancel]):
            QWidget.setTabOrder(before, after)

    # What can be done

    def _on_add(self) -> None:
        self.chosen = self._count
        self.editing.insert(PLACE, self.chosen, {"match": {}})
        self.table.focus_row(self.chosen)

    def _shift(self, by: int) -> None:
        row, self.chosen = self.chosen, self.chosen + by
        self.editing.move(PLACE, row, row + by)

    def _on_set(self) -> None:
        wanted = self.what.currentText()
        part, field = next((part, field) for part, words, field in values() if words == wanted)
        common = self.editing.draft.get((part, field.name))
        self.editing.put((*PLACE, self.chosen, part, field.name), common)

    def _unset(self, place: Location) -> None:
        self.editing.draft.remove(place)
        if not self.editing.draft.get(place[:-1]):
            self.editing.draft.remove(place[:-1])
        self.editing.changed.emit()

    def fit(self) -> None:
        parent = self.parentWidget()
        height = min(self.look.scaled(HEIGHT), (parent.window().height() if parent else HEIGHT) - 32)
        width = max(self.look.scaled(WIDTH), self.minimumSizeHint().width())
        if (self.width(), self.height()) != (width, height):
            self.setFixedSize(width, height)


class OverridesButton(QWidget):
    """`Overrides: 2…` in the heading of the Grid page; says where something is wrong or changed in them."""

    def __init__(self, look: Look, icons: Icons, editing: Editing) -> None:
        super().__init__()
        self._look, self._icons, self._editing = look, icons, editing
        self.button = button(look, "")
        self.button.setObjectName("grid.overrides")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        self.button.clicked.connect(self.open_sheet)
        self.refresh()

    def open_sheet(self) -> OverridesSheet:
        sheet = OverridesSheet(self._look, self._icons, self, self._editing)
        sheet.open()
        return sheet

    def refresh(self) -> None:
        draft = self._editing.draft
        rules = sum(1 for _ in listed(draft.get(PLACE)))
        changed = draft.is_changed_at(PLACE)
        self.button.setText(f"Overrides: {rules}…")
        problems = draft.problems_in(PLACE)
        self.button.setIcon(self._icons.button_icon("error", "error") if problems else QIcon())
        set_marks(self.button, changed=changed, faulty=bool(problems))
        self.button.setToolTip(str(problems[0]) if problems else "Changed" if changed else "")

    def matches(self, wanted: str) -> bool:
        return wanted in "overrides rules account symbol timeframe side pyramid match where"
