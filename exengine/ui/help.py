"""The way to the help: F1 opens the page about the dock that has the keyboard; menu and palette open any of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from exengine.ui.actions import Action, Found
from exengine.ui.help_text import OF_DOCKS, PAGES
from exengine.ui.help_window import HelpWindow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exengine.ui.window import Window

FIRST = next(iter(PAGES))


class Help(QObject):
    """Makes the help's window when it is first wanted, and keeps it."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self.window: HelpWindow | None = None

    def add_actions(self) -> None:
        registry = self._window.registry
        for made in (
            Action(id="help", text="Help", call=self.open_for_focus, menu="Help", group="help", key="F1", icon="info"),
            Action(id="help_keys", text="Keyboard", call=partial(self.open, "keys"), menu="Help", group="keys"),
            Action(
                id="help_trouble", text="Troubleshooting", call=partial(self.open, "trouble"), menu="Help",
                group="keys", words="error problem",
            ),
        ):  # fmt: skip
            registry.add(made)
        registry.sources.append(self._found)

    def _found(self) -> Iterator[Found]:
        for name, title in PAGES.items():
            yield Found(title, "Help page", partial(self.open, name), is_aside=True)

    def open(self, name: str) -> None:
        """Opens the help at a page."""
        if self.window is None:
            window = self._window
            self.window = HelpWindow(window.look, window.icons, window.registry, lambda: window.clicks.setup, window)
        self.window.open_at(name)

    def open_for_focus(self) -> None:
        """The page about the dock that has the keyboard."""
        focused = QGuiApplication.focusObject()
        for dock in self._window.docks:
            if isinstance(focused, QWidget) and (focused is dock or dock.isAncestorOf(focused)):
                self.open(OF_DOCKS.get(dock.objectName(), FIRST))
                return
        self.open(FIRST)
