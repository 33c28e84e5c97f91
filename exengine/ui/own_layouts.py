"""The trader's own layouts of the docks: saved under a name, switched to by menu, palette or key."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from exengine.ui.actions import Action, Registry
from exengine.ui.arrangement import STOCK, Arrangement
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.pieces import Label, Prose
from exengine.ui.remark import Remark, set_marks
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

FIRST_KEY = 1 + len(STOCK)
"""The stock layouts have Ctrl+1 and Ctrl+2; the first own ones have the digits after."""
LAST_KEY = 9
LONGEST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLayout:
    """Where the docks stand; columns and orders of tables are the same in all layouts."""

    number: int
    """Under which it is kept; never given again while it is there."""
    name: str


class OwnLayouts(QObject):
    """Keeps them, and an action for each."""

    switched = Signal()
    """The docks were moved."""

    def __init__(self, window: QWidget, arrangement: Arrangement, layouts: LayoutStore, registry: Registry) -> None:
        super().__init__(window)
        self._arrangement, self._layouts, self._registry = arrangement, layouts, registry
        self.current: OwnLayout | None = None
        """That which was switched to last, unless a stock layout was since."""
        self.all = self._read()
        kept = layouts.integer("layouts/current", 0)
        self.current = next((one for one in self.all if one.number == kept), None)
        self._offer()

    def _read(self) -> list[OwnLayout]:
        found = []
        for number in self._layouts.integers("layouts/numbers"):
            name = self._layouts.texts(f"layouts/{number}/name")
            if name:
                found.append(OwnLayout(number=number, name=name[0]))
        return found

    def named(self, name: str) -> OwnLayout | None:
        wanted = name.strip().casefold()
        return next((one for one in self.all if one.name.casefold() == wanted), None)

    # What the trader does with them

    def save_as(self, name: str) -> None:
        """Keeps the docks as they stand now; in the place of one that has this name."""
        there = self.named(name)
        number = there.number if there is not None else max((one.number for one in self.all), default=0) + 1
        made = OwnLayout(number=number, name=name.strip())
        self.all = [made if one is there else one for one in self.all] if there is not None else [*self.all, made]
        self._arrangement.keep(f"layouts/{number}")
        self._layouts.save(f"layouts/{number}/name", [made.name])
        self.current = made
        self._write()

    def rename(self, layout: OwnLayout, name: str) -> None:
        renamed = OwnLayout(number=layout.number, name=name.strip())
        self.all = [renamed if one.number == layout.number else one for one in self.all]
        self.current = renamed if self.current is not None and self.current.number == layout.number else self.current
        self._layouts.save(f"layouts/{layout.number}/name", [renamed.name])
        self._write()

    def delete(self, layout: OwnLayout) -> None:
        """Forgets it; the docks stay where they are."""
        self.all = [one for one in self.all if one.number != layout.number]
        self._layouts.forget(f"layouts/{layout.number}")
        if self.current is not None and self.current.number == layout.number:
            self.current = None
        self._write()

    def switch_to(self, layout: OwnLayout) -> None:
        self._arrangement.bring_back(f"layouts/{layout.number}")
        self.current = layout
        self._note_current()
        self.switched.emit()

    def left(self) -> None:
        """A stock layout was put."""
        self.current = None
        self._note_current()

    def _note_current(self) -> None:
        self._layouts.save("layouts/current", self.current.number if self.current is not None else 0)
        self._registry.refresh()

    def _write(self) -> None:
        self._layouts.save("layouts/numbers", [str(one.number) for one in self.all])
        self._note_current()
        self._layouts.flush()
        self._offer()

    # Their actions

    def _offer(self) -> None:
        for action in self._registry.specs:
            if action.id.startswith("own_layout_"):
                self._registry.remove(action.id)
        for place, layout in enumerate(self.all, FIRST_KEY):
            self._registry.add(
                Action(
                    id=f"own_layout_{layout.number}",
                    text=f"{layout.name} layout",
                    call=partial(self.switch_to, layout),
                    menu="View",
                    group="own_layouts",
                    key=f"Ctrl+{place}" if place <= LAST_KEY else "",
                    words="own layout docks",
                )
            )


class NameSheet(Sheet):
    """Asks for a layout's name. Nothing here trades: Enter takes what was typed."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget,
        *,
        title: str,
        heading: str,
        action: str,
        name: str,
        judge: Callable[[str], tuple[bool, str]],
    ) -> None:
        """`judge` says of a name whether it may be taken, and what comes of it."""
        super().__init__(look, icons, parent, name="layout_name_sheet", title=title, width=420)
        self._judge = judge
        self.add_heading(heading)
        self.field = QLineEdit(name)
        self.field.setMaxLength(LONGEST)
        self.field.setAccessibleName("Name of the layout")
        self.field.selectAll()
        self.field.textChanged.connect(self._refresh)
        self.field.returnPressed.connect(self._on_return)
        label = Label(look, "Name", token="muted")
        label.setBuddy(self.field)
        self.body.addWidget(label)
        self.body.addWidget(self.field)
        self.says = Remark(look, icons)
        self.body.addWidget(self.says)
        self.buttons.addStretch(1)
        cancel = self.add_cancel()
        cancel.setDefault(False)
        cancel.setAutoDefault(False)
        self.action = self.add_action(action, kind="primary")
        self.field.setFocus()
        self._refresh()

    @property
    def name(self) -> str:
        return self.field.text().strip()

    def _refresh(self) -> None:
        possible, words = self._judge(self.name)
        self.action.setEnabled(possible)
        is_wrong = bool(self.name) and not possible
        self.says.say(words, "error" if is_wrong else "muted")
        set_marks(self.field, faulty=is_wrong)

    def _on_return(self) -> None:
        if self.action.isEnabled():
            self.accept()


class DeleteSheet(Sheet):
    """Asks before a layout is forgotten."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, layout: OwnLayout) -> None:
        super().__init__(look, icons, parent, name="layout_delete_sheet", title="Delete layout", width=420)
        self.add_heading(f"Delete the layout “{layout.name}”?")
        meaning = Prose(look)
        meaning.say("The docks stay where they are now; only what was kept under this name is forgotten.")
        self.body.addWidget(meaning)
        self.buttons.addStretch(1)
        self.add_cancel()
        self.action = self.add_action("Delete layout", kind="danger")


class LayoutQuestions:
    """The dialogs behind the View menu's entries for own layouts."""

    def __init__(self, own: OwnLayouts, icons: Icons, parent: QWidget, show: Callable[[Sheet], None]) -> None:
        """`show` opens a dialog, where none is open."""
        self._own, self._icons, self._parent, self._show = own, icons, parent, show

    def add_actions(self, registry: Registry) -> None:
        for name, text, call, why_not in (
            ("save_layout", "Save layout as…", self.ask_save, lambda: ""),
            ("rename_layout", "Rename layout…", self.ask_rename, self._why_not),
            ("delete_layout", "Delete layout…", self.ask_delete, self._why_not),
        ):
            registry.add(
                Action(id=name, text=text, call=call, menu="View", group="layout", why_not=why_not, words="own docks")
            )

    def _why_not(self) -> str:
        return "" if self._own.current is not None else "Switch to a layout of your own first"

    def ask_save(self) -> None:
        sheet = NameSheet(
            self._icons.look,
            self._icons,
            self._parent,
            title="Save layout",
            heading="Save where the docks stand",
            action="Save layout",
            name=self._own.current.name if self._own.current is not None else "",
            judge=self._judge_new,
        )
        sheet.accepted.connect(lambda: self._own.save_as(sheet.name))
        self._show(sheet)

    def _judge_new(self, name: str) -> tuple[bool, str]:
        if not name:
            return False, "Float, tab, close and size the docks first; this keeps it."
        if _is_stock(name):
            return False, f"“{name}” is one of the program’s own layouts. Choose another name."
        there = self._own.named(name)
        return True, f"Takes the place of “{there.name}”." if there is not None else ""

    def ask_rename(self) -> None:
        layout = self._own.current
        if layout is None:
            return

        def judge(name: str) -> tuple[bool, str]:
            there = self._own.named(name)
            if (there is not None and there.number != layout.number) or _is_stock(name):
                return False, f"There is a layout “{name}” already. Choose another name."
            return bool(name), ""

        sheet = NameSheet(
            self._icons.look,
            self._icons,
            self._parent,
            title="Rename layout",
            heading=f"Rename “{layout.name}”",
            action="Rename layout",
            name=layout.name,
            judge=judge,
        )
        sheet.accepted.connect(lambda: self._own.rename(layout, sheet.name))
        self._show(sheet)

    def ask_delete(self) -> None:
        layout = self._own.current
        if layout is not None:
            sheet = DeleteSheet(self._icons.look, self._icons, self._parent, layout)
            sheet.accepted.connect(lambda: self._own.delete(layout))
            self._show(sheet)


def _is_stock(name: str) -> bool:
    return name.casefold() in {stock.title.casefold() for stock in STOCK.values()}
