"""Apply: real money is confirmed, secrets are kept, the engine takes the new configuration, and what failed is said."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from exengine.domain.errors import UserError
from exengine.settings.form import label_of
from exengine.settings.notification_urls import hide_urls
from exengine.settings.pages import AccountPage, Config
from exengine.settings.problems import ConfigError, Problem
from exengine.ui.loop import spawn
from exengine.ui.one_shot import one_shot
from exengine.ui.secrets_place import place_is_open
from exengine.ui.settings_questions import GoLiveSheet, going_live

if TYPE_CHECKING:
    from exengine.ui.settings_dialog import SettingsDialog

SLOW_MS = 300
"""From this on it is shown that something is under way."""


class Applying(QObject):
    """One apply after the other, for a dialog."""

    busy = Signal(bool)
    slow = Signal(bool)
    done = Signal(str)
    """It took effect; what is to be said of it."""
    failed = Signal(object)
    """The UserError."""

    def __init__(self, dialog: "SettingsDialog") -> None:
        super().__init__(dialog)
        self._dialog = dialog
        self.is_busy = False
        self._slow = one_shot(self, lambda: self.slow.emit(True), after_ms=SLOW_MS)

    def begin(self) -> None:
        """Applies the draft, unless one is being applied or something is wrong with it."""
        config = self._dialog.editing.draft.config
        if config is not None and not self.is_busy:
            spawn(self._run(config), name="apply settings", on_error=self._on_error)

    async def _run(self, config: Config) -> None:
        dialog = self._dialog
        new = going_live(dialog.desk.config, config)
        if new and not await self._goes_live(new, config):
            return
        if self._keeps_secrets(config) and not await place_is_open(self._dialog, self._dialog.safe.desk):
            return
        self._begin()
        try:
            kept, anew = await self._with_urls_kept(config), tuple(dialog.safe.held)
            await dialog.safe.keep()
            gone = tuple(name for name in _live_names(dialog.desk.config) if name not in _names(config))
            applied = await dialog.desk.apply(kept, anew=anew)
            if gone:
                await dialog.safe.forget(gone)
        finally:
            self._end()
        later = ", ".join(applied.at_next_start)
        after = f" {later} takes effect with the next start of the program." if later else ""
        self.done.emit(f"Applied: the engine runs with the new settings.{after}")

    async def _goes_live(self, new: tuple[AccountPage, ...], config: Config) -> bool:
        """Asks; what the last test of an account came to is said there once more, and that there was none."""
        dialog = self._dialog
        several = len(new) > 1
        doubts = [
            doubt._replace(text=f"{page.name}: {doubt.text}") if several else doubt
            for page in new
            for doubt in dialog.safe.doubts_of(page)
        ]
        sheet = GoLiveSheet(dialog.look, dialog.icons, dialog, new, config, doubts)
        return await sheet.answer()

    def _keeps_secrets(self, config: Config) -> bool:
        plain = any(not page.url.lower().startswith("secret:") for page in config.notifications)
        return bool(self._dialog.safe.held) or plain

    async def _with_urls_kept(self, config: Config) -> Config:
        """`config` with a name in the place of each notification address; the addresses are kept first."""
        urls: dict[str, str] = {}
        hidden = hide_urls(config, lambda name, url: urls.update({name: url}))
        for name, url in urls.items():
            await self._dialog.safe.desk.keep_secret(name, url)
        return hidden

    def _begin(self) -> None:
        self.is_busy = True
        self._slow.start()
        self.busy.emit(True)

    def _end(self) -> None:
        self.is_busy = False
        self._slow.stop()
        self.slow.emit(False)
        self.busy.emit(False)

    def _on_error(self, error: BaseException) -> None:
        if not isinstance(error, UserError):
            error = UserError(
                f"Applying failed because of a defect: {error}.",
                safe="The engine goes on as it ran before.",
                remedy="Look into the log, and report it.",
            )
        self.failed.emit(error)


def message(error: UserError) -> str:
    """What happened, what is safe, what to do. A refusal's places are said at their fields besides."""
    happened = error.happened.partition("\n")[0] if isinstance(error, ConfigError) else error.happened
    if isinstance(error, ConfigError) and error.problems:
        happened += " " + "; ".join(named(problem) for problem in error.problems[:3]) + "."
    return " ".join(part for part in (happened, error.safe, error.remedy) if part)


def named(problem: Problem) -> str:
    """`Listener, Port is taken by another program`: what is wrong, after the setting as the dialog names it."""
    return f"{label_of(problem.place)} {problem.message}".strip()


def _names(config: Config) -> set[str]:
    return {account.name for account in config.accounts}


def _live_names(config: Config) -> tuple[str, ...]:
    return tuple(account.name for account in config.accounts if account.exchange.value != "paper")
