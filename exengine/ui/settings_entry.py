"""Opens the settings from the window, and says there what became of them."""

from collections.abc import Iterator
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog

from exengine.settings.form import all_fields
from exengine.ui.actions import Action, Found
from exengine.ui.loop import spawn
from exengine.ui.settings_dialog import SettingsDialog
from exengine.ui.settings_keys import AccountDesk
from exengine.ui.settings_state import SettingsDesk
from exengine.ui.window import Window


class SettingsEntry(QObject):
    """The way into the settings; one dialog at a time."""

    def __init__(self, window: Window, desk: SettingsDesk, keys: AccountDesk) -> None:
        super().__init__(window)
        self._window, self._desk, self._keys = window, desk, keys
        self.dialog: SettingsDialog | None = None
        window.registry.add(
            Action(
                id="settings", text="Settings…", call=self.open, menu="File", group="settings", key="Ctrl+,",
                role=QAction.MenuRole.PreferencesRole, words="configuration preferences options",
            )
        )  # fmt: skip
        window.registry.add(
            Action(
                id="accounts", text="Accounts…", call=lambda: self.open("accounts"), menu="File", group="settings",
                words="exchange keys api balances test connection",
            )
        )  # fmt: skip
        window.risk.note.pressed.connect(partial(self.open, "risk"))
        window.risk.offer_settings()
        window.registry.sources.append(self._found)

    def open(self, page: str = "grid") -> SettingsDialog:
        """Opens the settings at a page, or brings them to the front where they are open."""
        if self.dialog is not None:
            self.dialog.navigation.choose(page)
            self.dialog.raise_()
            return self.dialog
        window = self._window
        dialog = SettingsDialog(
            window.look, window.icons, window, self._desk,
            keys=self._keys, mode=window.mode, now_ms=window.bridge.now_ms, held=self._held, page=page,
        )  # fmt: skip
        self.dialog = dialog
        dialog.finished.connect(self._on_finished)
        dialog.open()
        spawn(dialog.look_for_keys(), name="look for keys")
        return dialog

    def _found(self) -> Iterator[Found]:
        """Every setting, for the palette: it opens the page that it is on."""
        for section, field in all_fields():
            detail = f"Settings · {section.title}"
            yield Found(field.title, detail, partial(self.open, section.name), is_aside=True)

    def _on_finished(self, result: int) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None and result == QDialog.DialogCode.Accepted and dialog.told:
            self._window.toasts.say(dialog.told, "success")

    def _held(self, account: str) -> tuple[int, int]:
        """The open groups of an account, and the orders that rest for them."""
        groups = [group for group in self._window.book.groups.values() if group.account == account]
        groups = [group for group in groups if group.status != "closed"]
        return len(groups), sum(group.open_entries + group.open_targets for group in groups)
