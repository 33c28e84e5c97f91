"""One page of the settings dialog: its fields in rows, made from the configuration's own page."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from exengine.settings.fields import Location
from exengine.settings.form import Field, Kind, Section
from exengine.ui.icons import Icons
from exengine.ui.pieces import Ground, Hairline, Label
from exengine.ui.settings_legs import LegEditor
from exengine.ui.settings_lists import OptionalPage, OrderedChoices
from exengine.ui.settings_row import FieldRow
from exengine.ui.settings_section import Foldable
from exengine.ui.settings_state import Editing
from exengine.ui.theme import Look, Role, Weight


class Part(Protocol):
    """A row or an editor of a page."""

    def refresh(self) -> None: ...

    def matches(self, wanted: str) -> bool: ...

    def setVisible(self, visible: bool, /) -> None: ...


class SettingsPage(QScrollArea):
    """A heading and rows; a search hides the rows that it is not for."""

    def __init__(self, look: Look, icons: Icons, editing: Editing, section: Section) -> None:
        super().__init__()
        self.look, self.icons, self.editing, self.section = look, icons, editing, section
        self.parts: list[Part] = []
        self.foldables: dict[str, Foldable] = {}
        self.setObjectName(f"settings_{section.name}")
        self.setAccessibleName(section.title)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = Ground(look, "surface")
        self.column = QVBoxLayout(body)
        # The dots of changed values stand in the margin.
        self.column.setContentsMargins(12, 16, 20, 4)
        self.column.setSpacing(0)
        self.head = QHBoxLayout()
        self.head.setContentsMargins(12, 0, 0, 8)
        title = Label(look, section.title, role=Role.HEADING, weight=Weight.STRONG)
        # As high as with a button beside it: the heading stands at one place on every page.
        title.setMinimumHeight(look.tall("button"))
        self.head.addWidget(title, 1)
        self.column.addLayout(self.head)
        self.setWidget(body)

    def add_part(self, part: Part, *, under: QVBoxLayout | None = None) -> None:
        assert isinstance(part, QWidget)
        self.parts.append(part)
        (under or self.column).addWidget(part)

    def add_line(self) -> None:
        line = Hairline(self.look)
        holder = QVBoxLayout()
        holder.setContentsMargins(12, 4, 0, 10)
        holder.addWidget(line)
        self.column.addLayout(holder)

    def add_fields(self, fields: tuple[Field, ...], place: Location) -> None:
        """A row for each, in the foldable section that it belongs to."""
        for field in fields:
            under = self._foldable(field.part).rows if field.part else None
            self._add_field(field, (*place, field.name), under)

    def _add_field(self, field: Field, place: Location, under: QVBoxLayout | None) -> None:
        look, icons, editing = self.look, self.icons, self.editing
        match field.kind:
            case Kind.CHOICES:
                self.add_part(OrderedChoices(look, icons, editing, place, field), under=under)
            case Kind.PAGE:
                optional = OptionalPage(look, icons, editing, place, field)
                self.add_part(optional, under=under)
                for row in optional.rows:
                    (under or self.column).addWidget(row)
            case _:
                self.add_part(FieldRow(look, icons, editing, place, field), under=under)

    def _foldable(self, title: str) -> Foldable:
        if title not in self.foldables:
            self.foldables[title] = Foldable(self.look, self.icons, title)
            self.column.addWidget(self.foldables[title])
        return self.foldables[title]

    def finish(self) -> None:
        self.column.addStretch(1)

    def refresh(self) -> None:
        for part in self.parts:
            part.refresh()

    def search(self, wanted: str) -> None:
        """Shows only the parts that `wanted` is for; all of them where it is for the page itself, or for nothing."""
        everything = not wanted or wanted in self.section.title.lower()
        for part in self.parts:
            part.setVisible(everything or part.matches(wanted))
        for foldable in self.foldables.values():
            if wanted:
                foldable.open()
        self.refresh_shown()

    def refresh_shown(self) -> None:
        """After a search: parts that hide themselves say again what of them is to be seen."""
        for part in self.parts:
            if isinstance(part, OptionalPage):
                part.refresh()


_GRID_FIRST = ("max_pyramids", "min_pyramid_gap_percent")
_GRID_LAST = ("replace_last_pyramid", "post_only")

Extra = Callable[[SettingsPage], None]


def trading_page(page: SettingsPage) -> None:
    """What most pages are: every field of the section in a row."""
    section = page.section
    page.add_fields(section.fields, (section.name,))


def grid_page(page: SettingsPage) -> None:
    """The ladder over the other values; overrides are behind a button of the heading."""
    place: Location = (page.section.name,)
    page.add_part(LegEditor(page.look, page.icons, page.editing, (*place, "legs")))
    page.add_line()
    fields = {field.name: field for field in page.section.fields if field.kind is not Kind.PAGES}
    first = [fields.pop(name) for name in _GRID_FIRST]
    last = [fields.pop(name) for name in _GRID_LAST]
    page.add_fields((*first, *fields.values(), *last), place)
