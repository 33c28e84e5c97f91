"""Keys that were typed and wait for Apply, and what is known of those that are kept."""

import asyncio
from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from exengine.domain.errors import UserError
from exengine.settings.account_keys import AccountKeys
from exengine.settings.pages import AccountPage
from exengine.ui.settings_keys import AccountDesk, Doubt

UNTESTED = Doubt("warn", "It was never tested: Test connection on the Accounts page tells what its key may do.")
"""Said of an account before it trades real money."""
PLACE = ("exchange", "market_type", "testnet", "server")
"""What says where an account's keys are good."""


class Safe(QObject):
    """Holds new keys in memory until Apply keeps them; forgets them with the dialog."""

    changed = Signal()
    closed = Signal()
    """The dialog is left: nothing is shown any more."""

    def __init__(self, desk: AccountDesk) -> None:
        super().__init__()
        self.desk = desk
        self.held: dict[str, AccountKeys] = {}
        """By account, what is to be kept."""
        self._kept: Mapping[str, str] = {}
        self._gone: set[str] = set()
        self._unknown = "looking…"
        self._tried: dict[str, tuple[AccountPage, tuple[Doubt, ...]]] = {}
        """By account, what was tried last and what came of it."""

    async def look(self, accounts: tuple[str, ...]) -> None:
        """Asks which of `accounts` have keys; the keyring may take its time, and nobody waits for it."""
        try:
            self._kept = await self.desk.endings(accounts)
            self._unknown = ""
        except UserError as error:
            self._unknown = error.happened
        self.changed.emit()

    def hold(self, account: str, keys: AccountKeys) -> None:
        self.held[account] = keys
        self._tried.pop(account, None)
        self.changed.emit()

    def let_go(self, account: str) -> None:
        """Of an account that is to be removed: its new keys are dropped."""
        self.held.pop(account, None)
        self._tried.pop(account, None)
        self.changed.emit()

    def remember(self, page: AccountPage, doubts: tuple[Doubt, ...]) -> None:
        """Keeps what a test of an account has come to."""
        self._tried[page.name] = (page, doubts)

    def doubts_of(self, page: AccountPage) -> tuple[Doubt, ...]:
        """What the last test came to; that there was none, also where another exchange was tried."""
        tried, doubts = self._tried.get(page.name, (None, ()))
        if tried is None or any(getattr(tried, name) != getattr(page, name) for name in PLACE):
            return (UNTESTED,)
        return doubts

    def has(self, account: str) -> bool:
        return account in self.held or account in self._kept

    def words(self, account: str) -> str:
        """`****B19K in the keyring`, `****B19K, kept with Apply`, `no keys yet`."""
        if account in self.held:
            return f"{self.held[account].masked}, kept with Apply"
        return self._kept.get(account) or self._unknown or "no keys yet"

    def short(self, account: str) -> str:
        """The same for a list."""
        return self.words(account).partition(" in the ")[0].partition(", ")[0]

    async def keep(self) -> None:
        """Keeps all that is held. Raises UserError; what could not be kept is held on."""
        for account, keys in tuple(self.held.items()):
            await self.desk.keep(account, keys)
            del self.held[account]

    async def forget(self, accounts: tuple[str, ...]) -> None:
        """Deletes the keys of accounts that are gone. Raises UserError."""
        await asyncio.gather(*(self.desk.forget(account) for account in accounts))
