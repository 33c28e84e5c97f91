"""The exchange accounts' keys: one entry for each account, in the keyring or the vault, whole or not at all."""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from exengine.domain.errors import UserError
from exengine.settings.secret_places import no_place
from exengine.settings.secrets import SecretOrigin, SecretStore, SecretStoreUnavailable

log = logging.getLogger(__name__)

WITH_PASSPHRASE = frozenset({"okx", "kucoin"})
"""The exchanges whose keys have a passphrase of their own."""

_PREFIX = "account-keys "
_KEY = re.compile(r"[!-~]+", re.ASCII)
_SHOWN = 4
_SHOWN_OF = 12
"""Of a shorter API key nothing is shown: four characters would be too much of it."""
_SAFE = "No order was sent."


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AccountKeys:
    """What an account is traded with. Nothing of it is shown by repr or str."""

    api_key: str
    secret: str
    passphrase: str | None = None
    """For the exchanges of WITH_PASSPHRASE only."""

    def __repr__(self) -> str:
        return "AccountKeys(…)"

    @property
    def masked(self) -> str:
        """`****B19K`: the last characters of the API key, by which the trader knows it again."""
        return "****" + (self.api_key[-_SHOWN:] if len(self.api_key) >= _SHOWN_OF else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptKeys:
    """Keys and where they were found."""

    keys: AccountKeys
    origin: SecretOrigin


def fault_of(keys: AccountKeys, *, wants_passphrase: bool) -> str:
    """Why what was entered cannot be keys, in words that have nothing of it; empty where it can."""
    for what, text in (("the API key", keys.api_key), ("the secret", keys.secret)):
        if not _KEY.fullmatch(text):
            return f"{what} {'has characters that no key has' if text else 'is empty'}"
    if keys.api_key == keys.secret:
        return "API key and secret are the same text"
    passphrase = keys.passphrase or ""
    if wants_passphrase and not passphrase:
        return "a key of this exchange has a passphrase, and it is empty"
    if not passphrase.isprintable() or "\ufffd" in passphrase:
        return "the passphrase has characters that cannot be read"
    return ""


def account_keys(stores: Sequence[SecretStore], account: str) -> AccountKeys:
    """The keys of `account`. Raises UserError, which names the account, where there are none; else as `find_keys`."""
    found, reasons = _search(stores, account)
    if found is None:
        unasked = f" ({'; '.join(reasons)})" if reasons else ""
        raise UserError(
            f"Account {account} has no keys{unasked}.",
            safe=_SAFE,
            remedy=f"Set them with `exengine keys set {_argument(account)}`, or set its enabled to false.",
        )
    return found.keys


def find_keys(stores: Sequence[SecretStore], account: str) -> KeptKeys | None:
    """The keys of `account` in the first store that has them. It blocks while a store is asked.

    Raises UserError where no store could be asked, or what is kept cannot be read.
    """
    return _search(stores, account)[0]


def _search(stores: Sequence[SecretStore], account: str) -> tuple[KeptKeys | None, list[str]]:
    """What was found, and why the stores that could not be asked could not."""
    reasons: list[str] = []
    for store in stores:
        try:
            text = store.get(entry_of(account))
        except SecretStoreUnavailable as error:
            reasons.append(str(error))
            continue
        if text is not None:
            return KeptKeys(keys=_keys(account, text), origin=store.origin), reasons
    if len(reasons) == len(stores):
        raise no_place(f"Account {account}", reasons)
    return None, reasons


def keep_keys(stores: Sequence[SecretStore], account: str, keys: AccountKeys) -> SecretOrigin:
    """Keeps `keys` in the first store that can, and has the others forget what they have; where they are kept.

    The old keys are forgotten last, so that there are always some. Raises UserError where no store can keep them, or
    where one has old ones that it does not replace: those would be found first.
    """
    text = json.dumps(
        {"account": account, "api_key": keys.api_key, "secret": keys.secret, "passphrase": keys.passphrase}
    )
    name, reasons = entry_of(account), []
    for store in stores:
        has_old = False
        try:
            has_old = store.get(name) is not None
            store.set(name, text)
            if store.get(name) != text:
                raise SecretStoreUnavailable(f"the {store.origin.value} does not keep what it is given")
        except SecretStoreUnavailable as error:
            if has_old:
                raise UserError(
                    f"The {store.origin.value} has keys of account {account} and did not take the new ones: {error}.",
                    safe=_SAFE,
                    remedy="See which it has with `exengine keys list`, and set the new ones again.",
                ) from None
            reasons.append(str(error))
            continue
        _forget([other for other in stores if other is not store], account)
        return store.origin
    raise no_place(f"Account {account}", reasons)


def delete_keys(stores: Sequence[SecretStore], account: str) -> list[SecretOrigin]:
    """Has every store forget the keys of `account`; those that had some. Raises UserError where none could be asked."""
    had: list[SecretOrigin] = []
    reasons = []
    for store in stores:
        try:
            if store.get(entry_of(account)) is not None:
                store.delete(entry_of(account))
                had.append(store.origin)
        except SecretStoreUnavailable as error:
            reasons.append(str(error))
    if len(reasons) == len(stores):
        raise no_place(f"Account {account}", reasons)
    return had


def entry_of(account: str) -> str:
    """The name that the keys of `account` are kept by. Some keyrings do not tell capitals apart, nor do accounts."""
    return _PREFIX + account.casefold()


def account_of(entry: str, text: str) -> str | None:
    """The account whose keys `entry` of a store is, as the trader spelled it; None where it is something else."""
    if not entry.startswith(_PREFIX):
        return None
    account = _tree(text).get("account")
    return account if isinstance(account, str) else entry.removeprefix(_PREFIX)


def _forget(stores: Sequence[SecretStore], account: str) -> None:
    for store in stores:
        try:
            store.delete(entry_of(account))
        except SecretStoreUnavailable as error:
            log.info("the %s was not asked for older keys of account %s: %s", store.origin.value, account, error)
        except UserError as error:
            log.warning("the %s may have older keys of account %s: %s", store.origin.value, account, error.happened)


def _keys(account: str, text: str) -> AccountKeys:
    tree = _tree(text)
    api_key, secret, passphrase = (tree.get(name) for name in ("api_key", "secret", "passphrase"))
    is_whole = isinstance(api_key, str) and isinstance(secret, str) and api_key and secret
    if is_whole and (passphrase is None or isinstance(passphrase, str)):
        return AccountKeys(api_key=str(api_key), secret=str(secret), passphrase=passphrase or None)
    raise UserError(
        f"The keys of account {account} are there and cannot be read.",
        safe=_SAFE,
        remedy=f"Set them again with `exengine keys set {_argument(account)}`.",
    )


def _tree(text: str) -> dict[str, object]:
    """Nothing where it is no JSON object. No error is handed on: a parser's has the text itself with it."""
    try:
        tree = json.loads(text)
    except ValueError:
        return {}
    return tree if isinstance(tree, dict) else {}


def _argument(account: str) -> str:
    return f'"{account}"' if " " in account else account
