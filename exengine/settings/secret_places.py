"""The places where secrets are kept on this machine, in the order in which they are asked (SPEC §2.1)."""

import os
from collections.abc import Callable, Mapping, Sequence

from exengine.domain.errors import UserError
from exengine.settings.paths import DataDir
from exengine.settings.secrets import PASSPHRASE_VARIABLE, KeyringStore, SecretStore, SecretStoreUnavailable
from exengine.settings.vault import Vault, typed

_ANY_NAME = "place"
_UNLOCK = f"Unlock the system’s keyring, or set {PASSPHRASE_VARIABLE} to the passphrase of the vault."


def secret_stores(
    data_dir: DataDir, environ: Mapping[str, str] = os.environ, *, ask: Callable[[], str | None] | None = None
) -> list[SecretStore]:
    """The keyring, then the vault of `data_dir`. Neither is looked at before it is asked for something.

    The vault opens by EXENGINE_PASSPHRASE, else by `ask`, where somebody is there to type. Without either it is among
    the places only where its file is there, and is locked. It is made when a secret is first kept in it.
    """
    return [KeyringStore(), *_vaults(data_dir, environ, ask)]


def vault_of(data_dir: DataDir, environ: Mapping[str, str], ask: Callable[[], str | None] | None) -> Vault:
    """The vault of `data_dir`, whether there is one or not; opened as `secret_stores` says."""
    given = typed(environ.get(PASSPHRASE_VARIABLE, ""))
    return Vault(data_dir.vault_file, (lambda: given) if given else (ask or (lambda: None)))


def _vaults(
    data_dir: DataDir, environ: Mapping[str, str], ask: Callable[[], str | None] | None
) -> Sequence[SecretStore]:
    can_open = bool(typed(environ.get(PASSPHRASE_VARIABLE, ""))) or ask is not None
    return [vault_of(data_dir, environ, ask)] if can_open or data_dir.vault_file.exists() else []


def probe_keyring(stores: Sequence[SecretStore]) -> str:
    """Tries whether the keyring gives back what it is given; why it is not used in this run, else empty. It blocks."""
    for store in stores:
        if isinstance(store, KeyringStore):
            try:
                store.probe()
            except SecretStoreUnavailable as error:
                return str(error)
    return ""


def keep_secret(stores: Sequence[SecretStore], name: str, value: str) -> None:
    """Keeps a secret in the first place that can. It blocks. Raises UserError where none can."""
    reasons = []
    for store in stores:
        try:
            store.set(name, value)
        except SecretStoreUnavailable as error:
            reasons.append(str(error))
            continue
        return
    raise UserError(
        f"No place for secrets is open ({_why(reasons)}).",
        safe="Nothing was changed.",
        remedy=_UNLOCK,
    )


def require_place(stores: Sequence[SecretStore], accounts: Sequence[str]) -> None:
    """Live accounts do not start without a keyring or an opened vault: raises UserError where there is neither.

    `accounts` are the live ones; without any, nothing is asked. It blocks while a store is asked.
    """
    if not accounts:
        return
    reasons = []
    for store in stores:
        try:
            store.get(_ANY_NAME)
            return
        except SecretStoreUnavailable as error:
            reasons.append(str(error))
    raise no_place(f"Account {', '.join(accounts)}", reasons)


def no_place(what: str, reasons: Sequence[str]) -> UserError:
    """What is said of `what` where no place for secrets is open; each said why."""
    return UserError(
        f"{what}: no place for keys is open ({_why(reasons)}).",
        safe="No order was sent, and what is kept is as it was.",
        remedy=_UNLOCK,
    )


def _why(reasons: Sequence[str]) -> str:
    return "; ".join(reasons) or "there is no keyring, and no passphrase for a vault"
