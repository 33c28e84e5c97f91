"""One setting of the dialog: its name, its input, its meaning and default, and what is wrong with it."""

from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from exengine.settings.draft import Draft, listed
from exengine.settings.fields import Location
from exengine.settings.form import LISTS, Field, field_at
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, button
from exengine.ui.remark import Remark, sentence
from exengine.ui.settings_files import choose_files
from exengine.ui.settings_inputs import Line, input_for, is_wide
from exengine.ui.settings_state import Editing
from exengine.ui.theme import Look, Role

GUTTER, NAME, INPUT = 12, 138, 148
"""The columns of a row, in px at the default font: the dot, the name, the input."""


def beside(draft: Draft, place: Location, name: str) -> Any:
    """The value of another setting of the same page; what the pages have where a rule of overrides sets none."""
    value = draft.get((*place[:-1], name))
    return draft.get((place[-2], name)) if value is None and len(place) > 2 else value


class ChangedDot(QWidget):
    """Says that a value is not the one that runs."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.on = False
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(GUTTER, self._look.tall("field"))

    def show_on(self, on: bool) -> None:
        if on != self.on:
            self.on = on
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.on:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._look.color("accent"))
            painter.drawEllipse(0, self.height() // 2 - 2, 5, 5)


class FieldRow(QWidget):
    """Name, input and explanation side by side; where the input is a wide one, the explanation is under it."""

    def __init__(self, look: Look, icons: Icons, editing: Editing, place: Location, field: Field) -> None:
        super().__init__()
        self._look, self._editing, self.place, self.field = look, editing, place, field
        self.setObjectName(".".join(str(part) for part in place))
        self.dot = ChangedDot(look)
        self.name = Label(look, field.title)
        self.name.setWordWrap(True)
        self.input = input_for(look, icons, field)
        self.input.setAccessibleDescription(field.meaning)
        self.meaning = Label(look, sentence(field.meaning), token="muted")
        self.meaning.setWordWrap(True)
        self.fault = Remark(look, icons)
        self.default = Label(look, field.default_words, token="muted", role=Role.SMALL)
        self.default.setWordWrap(True)
        self.browse = button(look, "Browse…") if field.files else None
        """Beside a line that names files."""
        if self.browse is not None:
            self.browse.setAccessibleName(f"Browse for {field.title}")
            self.browse.clicked.connect(self._on_browse)
        self._lay_out(wide=is_wide(field))
        # Only now: shown without a parent it would be a window of its own for a moment, and take the keyboard.
        self.default.setVisible(bool(field.default_words))
        self.input.edited.connect(lambda value: editing.put(place, value))
        self.refresh()

    def _lay_out(self, *, wide: bool) -> None:
        look = self._look
        self.name.setFixedWidth(look.scaled(NAME))
        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
        for widget in (self.meaning, self.fault, self.default):
            words.addWidget(widget)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 8)
        row.setSpacing(0)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self.dot, 0, top)
        self.name.setMinimumHeight(look.tall("field"))
        row.addWidget(self.name, 0, top)
        row.addSpacing(look.scaled(12))
        if wide:
            column = QVBoxLayout()
            column.setSpacing(2)
            line = QHBoxLayout()
            line.setSpacing(6)
            line.addWidget(self.input)
            if self.browse is not None:
                line.addWidget(self.browse)
            line.addStretch(1)
            column.addLayout(line)
            column.addLayout(words)
            row.addLayout(column, 1)
            return
        box = QHBoxLayout()
        box.addWidget(self.input, 0, Qt.AlignmentFlag.AlignLeft | top)
        holder = QWidget()
        holder.setLayout(box)
        box.setContentsMargins(0, 0, 0, 0)
        holder.setMinimumWidth(look.scaled(INPUT))
        holder.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        row.addWidget(holder, 0, top)
        row.addLayout(words, 1)

    def refresh(self) -> None:
        """Looks at the draft again."""
        draft = self._editing.draft
        problems = draft.problems_in(self.place)
        changed = draft.is_changed_at(self.place)
        self.input.show_value(draft.get(self.place))
        self.input.mark(changed=changed and not problems, faulty=bool(problems))
        self.dot.show_on(changed and not problems)
        self.dot.setToolTip("Not what the engine runs now" if changed else "")
        self.fault.say(problems[0].brief or problems[0].message if problems else "")
        self._follow_beside()
        self.input.setEnabled(not self._editing.locked)
        if self.browse is not None:
            self.browse.setEnabled(not self._editing.locked)
        self.input.setToolTip(self._editing.locked)
        said = [self.field.meaning, self.field.default_words]
        if problems:
            said.insert(0, sentence(problems[0].message))
        self.input.setAccessibleDescription(" ".join(sentence(text) for text in said if text))

    def _on_browse(self) -> None:
        choose_files(self, self.field.title, self.field.files, self._take_files)

    def _take_files(self, paths: list[str]) -> None:
        """A list has them added, a single one is replaced."""
        draft = self._editing.draft
        many = self.field.kind in LISTS
        there = [value for _, value in listed(draft.get(self.place))] if many else []
        self._editing.put(self.place, list(dict.fromkeys([*there, *paths])) if many else paths[0])

    def _follow_beside(self) -> None:
        """The unit that another setting decides, and whether this one has an effect with another as it is."""
        field = self.field
        if field.unit_by is not None and isinstance(self.input, Line):
            self.input.show_unit(field.unit_with(beside(self._editing.draft, self.place, field.unit_by[0])))
        if field.needs is not None:
            name, with_effect = field.needs
            value = beside(self._editing.draft, self.place, name)
            other = field_at((*self.place[:-1], name))
            assert other is not None
            idle = "" if value in with_effect else f"no effect while {other.title} is {other.words_of(value)}"
            self.default.setText(" · ".join(part for part in (field.default_words, idle) if part))
            self.default.setVisible(bool(self.default.text()))
            self.name.set_token("muted" if idle else "text")

    def matches(self, wanted: str) -> bool:
        """Whether a search for `wanted`, in lower case, is for this setting."""
        field = self.field
        return (
            wanted in " ".join([field.title, field.meaning, field.name, *(word for _, word in field.choices)]).lower()
        )
