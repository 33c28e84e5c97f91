"""The secrets as the window may handle them: seen by their endings, made anew, replaced; each off the window's loop."""

import asyncio
import os
from collections.abc import Callable, Mapping

from exengine.bootstrap.program import Program
from exengine.bootstrap.status import venue_of
from exengine.domain.alert_text import AlertTemplate, alert_body, alert_text
from exengine.domain.errors import UserError
from exengine.domain.journal import Category, Severity
from exengine.settings.account_keys import WITH_PASSPHRASE, AccountKeys, find_keys, keep_keys
from exengine.settings.app_lock import AppLock, forget_lock, keep_lock, new_lock
from exengine.settings.rotation import Proof, retire, rotate
from exengine.settings.secret_places import vault_of
from exengine.settings.secrets import (
    SECRET_NAME,
    SECRET_VARIABLE,
    TOKEN_NAME,
    KeyringStore,
    SecretOrigin,
    SecretStore,
    SecretStoreUnavailable,
    WebhookSecrets,
)
from exengine.settings.secrets_overview import AccountSecret, Revealed, SecretsOverview, VaultState
from exengine.settings.vault import Vault


class SecretsDesk:
    """Raises UserError where something is not allowed or not possible; then nothing has changed."""

    def __init__(
        self, program: Program, *, require: Callable[[], None] = lambda: None, environ: Mapping[str, str] = os.environ
    ) -> None:
        """`require` raises UserError where nothing may be changed in the window at the moment."""
        self._program = program
        self._require = require
        self._environ = environ
        self._turn = asyncio.Lock()

    async def overview(self) -> SecretsOverview:
        """What there is, and where."""
        return await asyncio.to_thread(self._overview)

    async def rotate(self, proof: Proof) -> Revealed:
        """A new token or secret, in force at once; the old one counts on until it is retired."""
        self._require()
        async with self._turn:
            program = self._program
            made = await asyncio.to_thread(rotate, program.stores, program.secrets, proof, environ=self._environ)
            self._use(made, f"The webhook’s {proof.value} was made anew; the old one counts until it is retired.")
        return self._revealed()

    async def retire(self, proof: Proof) -> None:
        """Alerts with the old token or secret are refused from now on."""
        self._require()
        async with self._turn:
            program = self._program
            left = await asyncio.to_thread(retire, program.stores, program.secrets, proof)
            self._use(left, f"The webhook’s old {proof.value} was retired.")

    async def keep_account_keys(self, account: str, keys: AccountKeys) -> SecretOrigin:
        """Replaces an account's keys, and connects it anew with them."""
        self._require()
        async with self._turn:
            program = self._program
            program.hide(keys.api_key, keys.secret, keys.passphrase)
            origin = await asyncio.to_thread(keep_keys, program.stores, account, keys)
            self._note(f"The keys of account {account} were replaced ({keys.masked}).")
            if any(one.name == account and one.enabled for one in program.settings.accounts):
                await program.apply(program.config, anew={account})
        return origin

    async def make_vault(self, passphrase: str) -> None:
        """A vault where there is none, for this and every later run; the webhook's token and secret are kept in it."""
        self._require()
        async with self._turn:
            await asyncio.to_thread(self._make_vault, passphrase)
        self._note("A vault was made: token and secret of the webhook are kept in it.")

    async def change_vault_passphrase(self, old: str, new: str) -> None:
        """The old passphrase opens the vault no more."""
        self._require()
        async with self._turn:
            await asyncio.to_thread(self._change_passphrase, old, new)
        self._note("The vault’s passphrase was changed.")

    async def set_lock(self, owner: str, operator: str) -> None:
        """Puts the app lock on, with these passphrases; an empty one for the operator is none."""
        self._require()
        async with self._turn:
            lock = await asyncio.to_thread(new_lock, owner, operator)
            await asyncio.to_thread(keep_lock, self._program.stores, lock)
            await self._switch_lock(lock)
        self._note("The app lock is on, with new passphrases.")

    async def remove_lock(self) -> None:
        """Takes the app lock off: whoever is at the window may do everything."""
        self._require()
        async with self._turn:
            await self._switch_lock(None)
            await asyncio.to_thread(forget_lock, self._program.stores)
        self._note("The app lock is off.")

    async def _switch_lock(self, lock: AppLock | None) -> None:
        program = self._program
        if program.access is not None:
            program.access.use_lock(lock)
        security = program.config.security.model_copy(update={"app_lock": lock is not None})
        if security != program.config.security:
            await program.apply(program.config.model_copy(update={"security": security}))

    # on threads ------------------------------------------------------------------------------------------------------

    def _overview(self) -> SecretsOverview:
        program, secrets = self._program, self._program.secrets
        return SecretsOverview(
            keyring=_keyring(program.stores),
            vault=self._vault_state(),
            token_origin=secrets.origin,
            secret_origin=self._origin_of_secret(secrets),
            old_token=bool(secrets.old_token),
            old_secret=bool(secrets.old_secret),
            old_used_at_ms=program.listener.old_used_at_ms,
            accounts=tuple(self._accounts()),
            app_lock=program.config.security.app_lock,
        )

    def _vault_state(self) -> VaultState:
        for store in self._program.stores:
            if isinstance(store, Vault):
                try:
                    store.names()
                except (SecretStoreUnavailable, UserError):
                    return VaultState.LOCKED
                return VaultState.OPEN if self._program.data_dir.vault_file.exists() else VaultState.NONE
        return VaultState.NONE

    def _origin_of_secret(self, secrets: WebhookSecrets) -> SecretOrigin:
        if self._environ.get(SECRET_VARIABLE, "").strip():
            return SecretOrigin.ENVIRONMENT
        for store in self._program.stores:
            try:
                if store.get(SECRET_NAME) == secrets.secret:
                    return store.origin
            except SecretStoreUnavailable:
                continue
        return SecretOrigin.THIS_RUN

    def _accounts(self) -> list[AccountSecret]:
        found = []
        for account in self._program.settings.accounts:
            if not account.is_live:
                continue
            try:
                kept = find_keys(self._program.stores, account.name)
            except UserError:
                kept = None
            found.append(
                AccountSecret(
                    account=account.name,
                    venue=venue_of(account),
                    masked="" if kept is None else kept.keys.masked,
                    origin=None if kept is None else kept.origin,
                    wants_passphrase=account.exchange in WITH_PASSPHRASE,
                )
            )
        return found

    def _make_vault(self, passphrase: str) -> None:
        program = self._program
        if program.data_dir.vault_file.exists():
            raise UserError(
                "There is a vault already, and it is locked.",
                safe="It is as it was.",
                remedy="Start again and unlock it, or put its file aside.",
            )
        vault = vault_of(program.data_dir, {}, lambda: passphrase)
        try:
            vault.set(TOKEN_NAME, program.secrets.token)
            vault.set(SECRET_NAME, program.secrets.secret)
        except SecretStoreUnavailable as error:
            raise UserError(f"The vault cannot be made: {error}.", safe="Nothing was changed.") from None
        program.stores[:] = [*(one for one in program.stores if not isinstance(one, Vault)), vault]

    def _change_passphrase(self, old: str, new: str) -> None:
        program = self._program
        vault = vault_of(program.data_dir, {}, lambda: old)
        try:
            vault.names()  # tells a wrong passphrase
            vault.change_passphrase(new)
        except SecretStoreUnavailable as error:
            raise UserError(f"The vault cannot be used: {error}.", safe="It is as it was.") from None
        program.stores[:] = [vault if isinstance(one, Vault) else one for one in program.stores]

    # on the loop -----------------------------------------------------------------------------------------------------

    def _use(self, secrets: WebhookSecrets, said: str) -> None:
        program = self._program
        program.secrets = secrets
        program.hide(*secrets.parts)
        program.listener.use_secrets(secrets)
        self._note(said)

    def _revealed(self) -> Revealed:
        program = self._program
        body = alert_body(AlertTemplate.STRATEGY, secret=program.secrets.secret)
        return Revealed(webhook_url=program.webhook_url, alert_text=alert_text(body))

    def _note(self, text: str) -> None:
        self._program.engine.note(Severity.INFO, Category.SYSTEM, text)


def _keyring(stores: list[SecretStore]) -> str:
    for store in stores:
        if isinstance(store, KeyringStore):
            try:
                store.get(TOKEN_NAME)
            except SecretStoreUnavailable as error:
                return str(error)
            return ""
    return "there is none"
