"""What stands before the window: the vault's passphrase at the start, the app lock, and who may act."""

import asyncio
import os

from exengine.bootstrap.program import Program
from exengine.bootstrap.secrets_desk import SecretsDesk
from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Severity
from exengine.settings.access import Access
from exengine.settings.app_lock import AppLock, Tries, find_lock
from exengine.settings.secret_places import vault_of
from exengine.settings.secrets import PASSPHRASE_VARIABLE, SecretStoreUnavailable
from exengine.ui.actions import Action
from exengine.ui.bridge import epoch_ms
from exengine.ui.guard import Guard
from exengine.ui.loop import spawn
from exengine.ui.secrets_sheet import SecretsDialogs
from exengine.ui.theme import Look
from exengine.ui.unlock_sheet import unlock_vault
from exengine.ui.window import Window


async def ask_for_vault(look: Look, program: Program) -> None:
    """Asks for the passphrase of the vault where there is one and nothing else opens it."""
    if os.environ.get(PASSPHRASE_VARIABLE, "").strip() or not program.data_dir.vault_file.exists():
        return

    def opens(passphrase: str) -> None:
        try:
            vault_of(program.data_dir, {}, lambda: passphrase).names()
        except SecretStoreUnavailable as error:
            raise UserError(f"The vault cannot be opened: {error}.") from None

    passphrase = await unlock_vault(look, opens, Tries(epoch_ms))
    if passphrase is not None:
        program.ask = lambda: passphrase


async def access_to(program: Program) -> Access:
    """Who may act in the window of a started program: locked at first where the app lock is on."""
    lock: AppLock | None = None
    if program.config.security.app_lock:
        try:
            lock = await asyncio.to_thread(find_lock, program.stores)
        except UserError as error:
            program.engine.note(Severity.ERROR, Category.SYSTEM, error.happened, error.remedy)
        if lock is None:
            program.engine.note(
                Severity.WARNING,
                Category.SYSTEM,
                "The app lock is on and its passphrase is not there: the window only shows.",
                "Open the vault or the keyring, or set security.app_lock to false in config.json.",
            )
    program.access = Access(program.config, lock, epoch_ms)
    return program.access


class Guarded:
    """Joins the window, the lock and the dialog of secrets. Hold it as long as the window lives."""

    def __init__(self, program: Program, look: Look, window: Window, access: Access) -> None:
        self.guard = Guard(
            window, look, window.icons, access, idle_minutes=lambda: program.config.security.auto_lock_minutes
        )
        self.secrets = SecretsDialogs(
            look,
            window.icons,
            window,
            SecretsDesk(program, require=access.require),
            copy=window.clicks.copy,
            now_ms=program.clock.now_ms,
            changed=program.tell,
        )
        self._window, self._access, self._program = window, access, program
        self._add_actions()
        program.subscribe(self._on_applied)
        access.subscribe(program.tell)
        program.tell()

    def _on_applied(self) -> None:
        self._access.follow(self._program.config)
        self.guard.follow()

    def _add_actions(self) -> None:
        registry = self._window.registry
        registry.add(
            Action(
                id="secrets",
                text="Secrets…",
                call=self.ask_secrets,
                menu="File",
                group="security",
                icon="shield",
                acts=True,
                words="token keys vault passphrase rotate lock keyring",
            )
        )
        registry.add(
            Action(
                id="lock_now",
                text="Lock now",
                call=self.guard.lock,
                menu="File",
                group="security",
                key="Ctrl+Alt+L",
                why_not=lambda: "" if self._access.can_lock else "Set up the app lock in Secrets first",
                words="app lock passphrase away",
            )
        )

    def ask_secrets(self) -> None:
        """Opens the dialog of secrets, where that is allowed."""
        if self._access.why_not:
            self._window.toasts.say(self._access.why_not, "info")
        else:
            spawn(
                self.secrets.show(), name="secrets", on_error=lambda error: self._window.toasts.say(str(error), "error")
            )
