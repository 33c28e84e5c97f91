"""What the Accounts page of the settings may ask for: an account's keys kept, tried and forgotten."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from exengine.bootstrap.live import credentials, venue_of
from exengine.domain.errors import UserError
from exengine.exchange.live.check import Finding, examine
from exengine.exchange.live.client import CcxtClient
from exengine.exchange.markets.feed_thread import FeedThread
from exengine.settings.account_keys import AccountKeys, account_keys, delete_keys, find_keys, keep_keys
from exengine.settings.pages import AccountPage, Config
from exengine.settings.plain import trading_settings
from exengine.settings.program_pages import NotificationPage
from exengine.settings.secret_places import keep_secret
from exengine.settings.secrets import KeyringStore, SecretOrigin, SecretStoreUnavailable
from exengine.settings.vault import Vault

if TYPE_CHECKING:
    from exengine.bootstrap.program import Program


class AccountDesk:
    """Keys go one way: what is kept is never read back to the window but for its last characters.

    What changes something raises UserError where nothing may be changed in the window at the moment.
    """

    def __init__(self, program: "Program") -> None:
        self._program = program

    async def endings(self, accounts: Sequence[str]) -> Mapping[str, str]:
        """`****B19K in the keyring` of each account that has keys. Raises UserError where none can be looked for."""

        def look() -> dict[str, str]:
            found = {name: find_keys(self._program.stores, name) for name in accounts}
            return {name: f"{kept.keys.masked} in the {kept.origin.value}" for name, kept in found.items() if kept}

        return await asyncio.to_thread(look)

    async def keep(self, account: str, keys: AccountKeys) -> None:
        """Keeps an account's keys in the keyring or the vault; its old ones are forgotten. Raises UserError."""
        self._program.require()
        self._program.keep_out_of_logs([keys])
        await asyncio.to_thread(keep_keys, self._program.stores, account, keys)

    async def forget(self, account: str) -> None:
        """Has every place forget the keys of an account. Raises UserError where none could be asked."""
        self._program.require()
        await asyncio.to_thread(delete_keys, self._program.stores, account)

    async def keep_secret(self, name: str, value: str) -> None:
        """Keeps another secret, as the address of a notification. Raises UserError where no place can."""
        self._program.require()
        self._program.hide(value)
        await asyncio.to_thread(keep_secret, self._program.stores, name, value)

    async def send_test_notice(self, page: NotificationPage) -> str:
        """Sends a test notice to an address, kept or just typed; what became of it. Raises UserError."""
        self._program.require()
        self._program.hide(page.url)
        return await self._program.notices.test(page, self._program.stores)

    async def closed(self) -> str | None:
        """Why no place for secrets is open; None where one is."""

        def ask() -> str | None:
            reasons = []
            for store in self._program.stores:
                try:
                    store.get("place")
                    return None
                except SecretStoreUnavailable as error:
                    reasons.append(str(error))
            return "; ".join(reasons) or "there is none"

        return await asyncio.to_thread(ask)

    @property
    def has_vault(self) -> bool:
        return self._program.data_dir.vault_file.exists()

    async def open_vault(self, passphrase: str) -> None:
        """Opens the vault, or makes one. Raises UserError where the passphrase is not its own."""
        self._program.require()
        vault = Vault(self._program.data_dir.vault_file, lambda: passphrase)

        def open_it() -> None:
            try:
                vault.get("place")
            except SecretStoreUnavailable as error:
                raise UserError(f"The vault cannot be used: {error}.", safe="Nothing was changed.") from None

        await asyncio.to_thread(open_it)
        others = [store for store in self._program.stores if store.origin is not SecretOrigin.VAULT]
        self._program.stores = [*(others or [KeyringStore()]), vault]

    async def examine(
        self, page: AccountPage, keys: AccountKeys | None, tell: Callable[[Finding], None]
    ) -> Sequence[Finding]:
        """Looks whether an account can be traded on, with `keys` or those that are kept; no order is touched.

        `tell` hears of each thing as it was found out. In a thread of its own; to cancel it ends it. Raises UserError
        where there are no keys.
        """
        config = Config(accounts=(page,))
        account = trading_settings(config, local_timezone="UTC").accounts[0]
        if keys is None:
            keys = await asyncio.to_thread(account_keys, self._program.stores, page.name)
        given = credentials(keys)
        home = asyncio.get_running_loop()

        def told(finding: Finding) -> None:
            home.call_soon_threadsafe(tell, finding)

        async def look() -> list[Finding]:
            client = CcxtClient(venue_of(account), given)
            try:
                return await examine(client, account.market_type, tell=told)
            finally:
                await client.close()

        thread = FeedThread(f"test of {page.name}")
        try:
            return await thread.call(look())
        finally:
            await thread.close()
