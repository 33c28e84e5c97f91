"""Editors of settings that are lists: the queue's rules in their order, the routing table, own market rules."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from exengine.settings.draft import at, listed
from exengine.settings.fields import Location
from exengine.settings.form import Field, fields_of, section
from exengine.ui.choice import Tick
from exengine.ui.icons import Icons
from exengine.ui.pieces import IconButton, Label, button
from exengine.ui.remark import Remark, sentence
from exengine.ui.settings_cells import CellTable
from exengine.ui.settings_row import GUTTER, INPUT, NAME, ChangedDot, FieldRow
from exengine.ui.settings_state import Editing
from exengine.ui.theme import Look, Role


class Named(QWidget):
    """A name at the left as every row has it, and room for an editor of several lines beside it."""

    def __init__(self, look: Look, icons: Icons, editing: Editing, place: Location, field: Field) -> None:
        super().__init__()
        self.look, self.icons, self.editing, self.place, self.field = look, icons, editing, place, field
        self.dot = ChangedDot(look)
        self.name = Label(look, field.title)
        self.name.setFixedWidth(look.scaled(NAME))
        self.name.setMinimumHeight(look.tall("field"))
        self.meaning = Label(look, sentence(field.meaning), token="muted")
        self.meaning.setWordWrap(True)
        self.fault = Remark(look, icons)
        self.column = QVBoxLayout()
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(2)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 10)
        row.setSpacing(0)
        row.addWidget(self.dot, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.name, 0, Qt.AlignmentFlag.AlignTop)
        row.addSpacing(look.scaled(12))
        row.addLayout(self.column, 1)

    def finish(self) -> None:
        default = Label(self.look, self.field.default_words, token="muted", role=Role.SMALL)
        default.setWordWrap(True)
        for widget in (self.meaning, self.fault, default):
            self.column.addWidget(widget)
        default.setVisible(bool(self.field.default_words))

    def refresh_frame(self) -> None:
        draft = self.editing.draft
        self.dot.show_on(draft.is_changed_at(self.place))
        problems = draft.problems_in(self.place)
        self.fault.say(problems[0].brief or problems[0].message if problems else "")

    def matches(self, wanted: str) -> bool:
        words = [self.field.title, self.field.meaning, self.field.name, *(word for _, word in self.field.choices)]
        if self.field.page is not None:
            words += [f"{inner.title} {inner.meaning}" for inner in fields_of(self.field.page)]
        return wanted in " ".join(words).lower()


class OrderedChoices(Named):
    """Choices that count in their order; one that is not ticked does not count (the queue's priority)."""

    def __init__(self, look: Look, icons: Icons, editing: Editing, place: Location, field: Field) -> None:
        super().__init__(look, icons, editing, place, field)
        self.ticks: dict[str, Tick] = {}
        self.ups: dict[str, IconButton] = {}
        self.downs: dict[str, IconButton] = {}
        self._rows: dict[str, QWidget] = {}
        self._order = [value for value, _ in field.choices]
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        for value, word in field.choices:
            self._list.addWidget(self._row(value, word))
        self.column.addLayout(self._list)
        self.finish()
        self.refresh()

    def _row(self, value: str, word: str) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        tick = Tick(self.look, self.icons, word)
        tick.setObjectName(f"{'.'.join(map(str, self.place))}.{value}")
        tick.setMinimumWidth(self.look.scaled(220))
        up, down = (
            IconButton(self.icons, "chevron-up", f"{word}: up"),
            IconButton(self.icons, "chevron-down", f"{word}: down"),
        )
        tick.clicked.connect(lambda on: self._on_tick(value, bool(on)))
        up.clicked.connect(lambda: self._shift(value, -1))
        down.clicked.connect(lambda: self._shift(value, +1))
        row.addWidget(tick)
        row.addWidget(up)
        row.addWidget(down)
        row.addStretch(1)
        self.ticks[value], self.ups[value], self.downs[value], self._rows[value] = tick, up, down, holder
        return holder

    @property
    def _chosen(self) -> list[str]:
        return [value for _, value in listed(self.editing.draft.get(self.place))]

    def refresh(self) -> None:
        self.refresh_frame()
        chosen = [value for value in self._chosen if value in self.ticks]
        order = [*chosen, *(value for value in self.ticks if value not in chosen)]
        if order != self._order:
            self._order = order
            for place, value in enumerate(order):
                self._list.insertWidget(place, self._rows[value])
        locked = bool(self.editing.locked)
        for value, tick in self.ticks.items():
            tick.setChecked(value in chosen)
            tick.setEnabled(not locked)
            place = chosen.index(value) if value in chosen else -1
            self.ups[value].setEnabled(not locked and place > 0)
            self.downs[value].setEnabled(not locked and 0 <= place < len(chosen) - 1)

    def _on_tick(self, value: str, on: bool) -> None:
        chosen = [one for one in self._chosen if one != value]
        self.editing.put(self.place, [*chosen, value] if on else chosen)

    def _shift(self, value: str, by: int) -> None:
        chosen = self._chosen
        place = chosen.index(value)
        self.editing.move(self.place, place, place + by)
        for again in (self.ups[value] if by < 0 else self.downs[value], self.ticks[value]):
            if again.isEnabled():
                again.setFocus(Qt.FocusReason.OtherFocusReason)
                return


class OptionalPage(Named):
    """Values that are given together or not at all: the trader's own market rules."""

    def __init__(self, look: Look, icons: Icons, editing: Editing, place: Location, field: Field) -> None:
        super().__init__(look, icons, editing, place, field)
        assert field.page is not None
        self.given = Tick(look, icons, "Set my own")
        self.given.setObjectName(".".join(map(str, place)))
        self.given.setAccessibleName(field.title)
        self.column.addWidget(self.given)
        self.finish()
        self.rows = [FieldRow(look, icons, editing, (*place, one.name), one) for one in fields_of(field.page)]
        self.given.clicked.connect(self._on_given)
        self.refresh()

    def _on_given(self, on: bool) -> None:
        assert self.field.page is not None
        self.editing.put(self.place, {one.name: "" for one in fields_of(self.field.page)} if on else None)

    def refresh(self) -> None:
        draft = self.editing.draft
        is_given = draft.get(self.place) is not None
        self.dot.show_on(draft.is_changed_at(self.place))
        problems = draft.problems_of(self.place)
        self.fault.say(problems[0].brief or problems[0].message if problems else "")
        self.given.setChecked(is_given)
        self.given.setEnabled(not self.editing.locked)
        for row in self.rows:
            row.setVisible(is_given)
            row.refresh()


class RoutingEditor(QWidget):
    """Which TradingView exchange's signals go to which account (SPEC §2.4)."""

    def __init__(self, look: Look, icons: Icons, editing: Editing) -> None:
        super().__init__()
        self._look, self._icons, self._editing = look, icons, editing
        self.place: Location = ("routing",)
        self.about = Label(
            look, "A route names the account that takes the signals of an exchange. Without one they go to the first "
            "enabled account of that exchange, or where there is none to a paper account.", token="muted",
        )  # fmt: skip
        self.about.setWordWrap(True)
        self.table = _RouteTable(look, icons, editing, self.place)
        self.add = button(look, "Add a route", small=True)
        self.add.setObjectName("routing.add")
        head = QHBoxLayout()
        head.addWidget(self.add)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(GUTTER, 0, 0, 10)
        column.setSpacing(8)
        for widget in (self.about, self.table):
            column.addWidget(widget)
        column.addLayout(head)
        self.add.clicked.connect(self._on_add)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()
        self.refresh()

    def _on_add(self) -> None:
        names = account_names(self._editing)
        row = self.table.count
        self._editing.insert(self.place, row, {"tv_exchange": "", "account": names[0] if names else ""})
        self.table.focus_row(row)

    def refresh(self) -> None:
        self.table.refresh()
        self.table.setVisible(self.table.count > 0)
        self.add.setEnabled(not self._editing.locked)

    def matches(self, wanted: str) -> bool:
        return wanted in "routing tradingview exchange account route signals"

    def _on_look_changed(self) -> None:
        self.add.setIcon(self._icons.button_icon("add"))


class _RouteTable(CellTable):
    def __init__(self, look: Look, icons: Icons, editing: Editing, place: Location) -> None:
        super().__init__(
            look, icons, editing, place, section("routing").fields,
            widths={"tv_exchange": INPUT + 30, "account": INPUT + 30}, row_name=lambda row: f"Route {row + 1}",
        )  # fmt: skip
        self.choices = self._accounts
        self.refresh()

    def _accounts(self, field: Field) -> tuple[tuple[str, str], ...]:
        if field.name != "account":
            return ()
        there = account_names(self._editing)
        routed = [str(route.get("account") or "") for _, route in listed(self._editing.draft.get(self.place))]
        return tuple((name, name) for name in dict.fromkeys([*there, *routed]))


def account_names(editing: Editing) -> tuple[str, ...]:
    """The accounts that the draft has; the paper account that stands in where it has none."""
    names = [str(at(account, ("name",)) or "") for _, account in listed(editing.draft.get(("accounts",)))]
    return tuple(name for name in names if name) or ("paper",)
