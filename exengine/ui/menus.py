"""The menu bar, laid out from the registry of actions: which menus there are, and the order of their parts."""

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from exengine.ui.actions import Action, Registry

MENUS: dict[str, tuple[str, ...]] = {
    "File": ("settings", "data", "security", "window", "quit"),
    "View": ("docks", "keyboard", "layouts", "own_layouts", "layout", "look"),
    "View/Theme": ("choices",),
    "View/Profit and loss colours": ("choices",),
    "View/Font size": ("choices",),
    "Engine": ("state", "queue", "risk", "panic"),
    "Positions": ("group", "copy", "tree"),
    "Tools": ("test", "copy", "tools"),
    "Help": ("help", "keys", "first", "about"),
}
"""Every menu with its parts, from top to bottom; a submenu stands in its parent's last part."""


class Menus(QObject):
    """Puts each action where it says that it belongs, and again where one comes or goes."""

    def __init__(self, bar: QMenuBar, registry: Registry) -> None:
        super().__init__(bar)
        self._registry = registry
        self._menus: dict[str, QMenu] = {}
        self._waiting = False
        for path in MENUS:
            parent, _, name = path.rpartition("/")
            menu = self._menus[parent].addMenu(name) if parent else bar.addMenu(f"&{name}")
            menu.setObjectName(f"menu_{name.lower().replace(' ', '_')}")
            menu.setToolTipsVisible(True)
            menu.aboutToShow.connect(registry.refresh)
            self._menus[path] = menu
        registry.changed.connect(self._build_soon)
        self.build()

    @property
    def actions(self) -> dict[str, QAction]:
        """By id."""
        return self._registry.actions

    def menu(self, path: str) -> QMenu:
        return self._menus[path]

    def _build_soon(self) -> None:
        if not self._waiting:
            self._waiting = True
            QTimer.singleShot(0, self, self.build)

    def build(self) -> None:
        """Lays all menus out anew. Raises ValueError where an action names a menu or a part that there is not."""
        self._waiting = False
        parts: dict[tuple[str, str], list[Action]] = {
            (path, group): [] for path, groups in MENUS.items() for group in groups
        }
        for action in self._registry.specs:
            if action.menu:
                try:
                    parts[action.menu, action.group].append(action)
                except KeyError:
                    raise ValueError(f"{action.id}: there is no part {action.group} of a menu {action.menu}") from None
        for path, groups in MENUS.items():
            self._fill(path, [parts[path, group] for group in groups])

    def _fill(self, path: str, groups: list[list[Action]]) -> None:
        menu = self._menus[path]
        inner = [self._menus[other].menuAction() for other in MENUS if other.rpartition("/")[0] == path]
        for old in menu.actions():
            menu.removeAction(old)
            if old.isSeparator():
                old.deleteLater()
        entries = [[self._registry.actions[action.id] for action in group] for group in groups]
        entries[-1].extend(inner)
        for group in filter(None, entries):
            if menu.actions():
                menu.addSeparator()
            menu.addActions(group)
