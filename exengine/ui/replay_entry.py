"""The way to the Replay window from the Tools menu and the palette, and from it to the settings."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from exengine.settings.pages import Config
from exengine.ui.actions import Action
from exengine.ui.replay_desk import ReplayDesk
from exengine.ui.settings_entry import SettingsEntry
from exengine.ui.window import Window

if TYPE_CHECKING:
    from exengine.ui.replay_window import ReplayWindow


class ReplayEntry(QObject):
    """One Replay window for a program's."""

    def __init__(self, window: Window, desk: ReplayDesk, settings: SettingsEntry) -> None:
        super().__init__(window)
        self._window, self._desk, self._settings = window, desk, settings
        self.replay: ReplayWindow | None = None
        window.registry.add(
            Action(
                id="replay_window",
                text="Replay and compare…",
                call=self.open,
                menu="Tools",
                group="tools",
                icon="chart",
                words="backtest simulation history tune ladder settings compare sweep",
            )
        )

    def open(self) -> "ReplayWindow":
        """Opens it, or brings it to the front."""
        if self.replay is None:
            # Not before: with it come the plots, twenty MB of them.
            from exengine.ui.replay_window import ReplayWindow

            window = self._window
            self.replay = ReplayWindow(window.look, window.icons, window, self._desk, now_ms=window.bridge.now_ms)
            self.replay.keep_asked.connect(self._on_keep)
        self.replay.open()
        return self.replay

    def _on_keep(self, config: Config, name: str) -> None:
        """Opens the settings with it as a draft: it is looked at, and applied or not, there."""
        before = self._settings.dialog
        if before is not None and before.is_changed:
            self._window.toasts.say("The settings are open and changed: apply or discard that first", "info")
            return
        dialog = self._settings.open()
        if dialog.editing.locked:
            dialog.notice.say(dialog.editing.locked, tone="warn")
            return
        dialog.editing.take(config)
        dialog.notice.say(f"{name} is loaded from the replay: see what Apply will change.", tone="info")
        self._window.raise_()
        self._window.activateWindow()

    async def close(self) -> None:
        """Ends what runs, and lets go of its files."""
        if self.replay is not None:
            self.replay.stop()
            await self.replay.ended()
        self._desk.close()
