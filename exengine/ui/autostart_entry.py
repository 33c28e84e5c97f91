"""The switch in the File menu by which the program starts when the trader logs in."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from exengine.domain.errors import UserError
from exengine.settings.autostart import Autostart
from exengine.ui.actions import Action
from exengine.ui.window import Window


class AutostartEntry(QObject):
    """Asks the system once, and again whenever the switch is used: the menu asks far more often."""

    def __init__(self, window: Window, autostart: Autostart, *, why_not: Callable[[], str] = lambda: "") -> None:
        super().__init__(window)
        self._window, self._autostart = window, autostart
        self._is_on = autostart.is_on
        window.registry.add(
            Action(
                id="autostart", text="Start when I log in", call=self._switch, menu="File", group="window",
                checked=lambda: self._is_on, why_not=why_not, words="autostart login boot system startup",
            )
        )  # fmt: skip

    def _switch(self) -> None:
        try:
            self._autostart.switch(not self._is_on)
        except UserError as error:
            self._window.toasts.say(error.brief, "error")
            return
        finally:
            self._is_on = self._autostart.is_on
        told = "ExEngine starts when you log in" if self._is_on else "ExEngine does not start when you log in any more"
        self._window.toasts.say(told, "success")
