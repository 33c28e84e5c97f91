"""The one registry of actions: menus, command palette, shortcuts and the page of keys in the help are made from it.

To add one, from wherever its code is at home::

    window.registry.add(
        Action(
            id="edit_stop",
            text=lambda: f"Edit the stop of {name()}…",    # or a plain text
            call=dock.edit_stop,
            menu="Positions", group="group",               # a place of menus.MENUS; without one: palette only
            key="Ctrl+E", where="positions",               # the key works while the keyboard is in that dock
            why_not=lambda: "" if chosen() else "Choose a group",
            trades=True,
        )
    )

The window asks `text`, `icon`, `checked` and `why_not` again once a second, when the chosen group or the engine's state
is another, and before a menu or the palette opens, so they must cost nothing. An action that cannot be done now is off,
and says why in its tooltip and in the palette.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from exengine.ui.icons import Icons


def _always() -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that the trader can do, however it is started."""

    id: str
    """Stable, ASCII; also the Qt action's object name."""
    text: str | Callable[[], str]
    """An imperative; with an ellipsis where a question or a dialog follows."""
    call: Callable[[], object]
    menu: str = ""
    """`Engine`, or `View/Theme`; empty: in no menu."""
    group: str = ""
    """Which part of the menu, of those that `menus.MENUS` names; lines stand between them."""
    key: str = ""
    """As Qt writes it: `Ctrl+Shift+P`."""
    where: str = ""
    """The name of the dock in which the key works; empty: everywhere in the window."""
    icon: str | Callable[[], str] = ""
    token: str = "text"
    """The colour of the icon."""
    why_not: Callable[[], str] = _always
    """Why it cannot be done at the moment; empty where it can."""
    trades: bool = False
    """It places, cancels or closes: no key without Ctrl or Alt may start it."""
    acts: bool = False
    """It needs the engine or the listener's secrets: off in a window that only looks at another engine's store."""
    checked: Callable[[], bool] | None = None
    """Whether it is on, of what is switched on and off."""
    one_of: bool = False
    """Of several of which one is on: it cannot be switched off by itself."""
    role: QAction.MenuRole = QAction.MenuRole.NoRole
    words: str = ""
    """Further words by which the palette finds it."""


GO_TO = "go_to_"
"""How the ids of those begin that bring the keyboard to a dock."""


class Found(NamedTuple):
    """What the palette offers besides the actions: a pair, a page."""

    text: str
    detail: str
    call: Callable[[], object]
    is_aside: bool = False
    """Looked for by its name, as a page of the help: it stands last while nothing was typed."""


class Registry(QObject):
    """All actions of a window, by id. Refuses two for one key, and a key alone for what trades."""

    changed = Signal()
    """An action came or went."""

    def __init__(self, window: QWidget, icons: Icons) -> None:
        super().__init__(window)
        self._window, self._icons = window, icons
        self._places: dict[str, QWidget] = {}
        self._specs: dict[str, Action] = {}
        self._held = ""
        self._said: dict[str, tuple[str, str, bool, str]] = {}
        """What each said last: text, why it is off, whether it is on, icon."""
        self.actions: dict[str, QAction] = {}
        self.sources: list[Callable[[], Iterable[Found]]] = []
        """What else the palette finds; asked when it opens."""
        icons.look.changed.connect(self._say_anew)

    def know_place(self, name: str, widget: QWidget) -> None:
        """Names a dock in which keys may work."""
        self._places[name] = widget

    def add(self, action: Action) -> QAction:
        """Takes it up. Raises ValueError where id or key is taken, the place is unknown, or the key is no safe one."""
        self._check(action)
        made = QAction(self)
        made.setObjectName(action.id)
        made.setMenuRole(action.role)
        made.setCheckable(action.checked is not None)
        made.triggered.connect(partial(self._on_triggered, action.id))
        if action.key:
            made.setShortcut(QKeySequence(action.key))
            made.setAutoRepeat(False)
        if action.where:
            made.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._places.get(action.where, self._window).addAction(made)
        self._specs[action.id] = action
        self.actions[action.id] = made
        self._refresh(action, anew=True)
        self.changed.emit()
        return made

    def remove(self, name: str) -> None:
        """Lets go of an action, as of a layout that was deleted."""
        del self._specs[name]
        self._said.pop(name, None)
        self.actions.pop(name).deleteLater()
        self.changed.emit()

    def _check(self, action: Action) -> None:
        if action.id in self._specs:
            raise ValueError(f"there is an action {action.id} already")
        if action.where and action.where not in self._places:
            raise ValueError(f"{action.id}: no dock is called {action.where}")
        if not action.key:
            return
        sequence = QKeySequence(action.key)
        if sequence.isEmpty() or sequence.toString() == "":
            raise ValueError(f"{action.id}: {action.key} is no key")
        if action.trades and not is_chord(sequence):
            raise ValueError(f"{action.id} trades: {action.key} alone must not start it")
        for other in self._specs.values():
            here = not other.where or not action.where or other.where == action.where
            if other.key and here and QKeySequence(other.key) == sequence:
                raise ValueError(f"{action.id}: {action.key} belongs to {other.id}")

    # What there is

    @property
    def specs(self) -> tuple[Action, ...]:
        return tuple(self._specs.values())

    def text(self, action: Action) -> str:
        """As a person reads it: without the mark of a menu's letter."""
        return (action.text if isinstance(action.text, str) else action.text()).replace("&", "")

    def why_not(self, action: Action) -> str:
        return self._held if action.acts and self._held else action.why_not()

    def hold_back(self, why: str) -> None:
        """Keeps off whatever acts, for this reason; an empty one lets it go again."""
        self._held = why
        self._say_anew()

    def run(self, name: str) -> bool:
        """Does it as the menu would; False where it cannot be done now."""
        action = self._specs[name]
        if self.why_not(action):
            return False
        action.call()
        self.refresh()
        return True

    def _on_triggered(self, name: str, *_: object) -> None:
        action = self._specs[name]
        if not self.why_not(action):
            action.call()
        # Qt has switched what can be checked, also where nothing was done.
        self._refresh(action, anew=True)
        self.refresh()

    # What they say now

    def refresh(self) -> None:
        """Asks all of them what they say and whether they can be done."""
        for action in self._specs.values():
            self._refresh(action)

    def refresh_of(self, where: str) -> None:
        """Asks those whose keys work in a dock: what they are about is chosen there."""
        for action in self._specs.values():
            if action.where == where:
                self._refresh(action)

    def _refresh(self, action: Action, *, anew: bool = False) -> None:
        """Only what is said otherwise than before goes to Qt: they are asked often."""
        if not anew and action.id in self._said and not _lives(action):
            return
        text, why = (action.text if isinstance(action.text, str) else action.text()), self.why_not(action)
        checked = action.checked is not None and action.checked()
        icon = action.icon if isinstance(action.icon, str) else action.icon()
        said = (text, why, checked, icon)
        if not anew and self._said.get(action.id) == said:
            return
        self._said[action.id] = said
        made = self.actions[action.id]
        made.setText(text)
        made.setEnabled(not why)
        made.setToolTip(why or self.text(action))
        made.setStatusTip(why)
        made.setChecked(checked)
        if icon:
            made.setIcon(self._icons.icon(icon, action.token))

    def _say_anew(self) -> None:
        for action in self._specs.values():
            self._refresh(action, anew=True)


def _lives(action: Action) -> bool:
    """Whether what it says may change."""
    fixed = isinstance(action.text, str) and isinstance(action.icon, str)
    return not fixed or action.why_not is not _always or action.checked is not None


def is_chord(sequence: QKeySequence) -> bool:
    """Whether a key is held with Ctrl or Alt: nothing that is typed or hit by accident."""
    strokes = sequence.toString(QKeySequence.SequenceFormat.PortableText).split(", ")
    return all(any(held in stroke for held in ("Ctrl+", "Alt+", "Meta+")) for stroke in strokes)
