"""`exengine keys`: the exchange accounts' keys, kept in the keyring or the vault and never shown again (SPEC §2.1)."""

import argparse
import getpass
import os
import sys
from pathlib import Path

from exengine.cli.options import folders
from exengine.domain.errors import UserError
from exengine.settings.account_keys import (
    WITH_PASSPHRASE,
    AccountKeys,
    account_of,
    delete_keys,
    fault_of,
    find_keys,
    keep_keys,
)
from exengine.settings.file import read
from exengine.settings.pages import AccountPage, ExchangeName
from exengine.settings.paths import DataDir
from exengine.settings.secret_places import require_place, secret_stores, vault_of
from exengine.settings.secrets import PASSPHRASE_VARIABLE, SecretStore, SecretStoreUnavailable
from exengine.settings.vault import Vault, typed

WRONG_USE = 2
UNREADABLE = "?"
_MOST_BYTES = 65_536


class WrongInput(Exception):
    """What was typed or piped in cannot be used. Its text has nothing of that."""


def run_keys(options: argparse.Namespace) -> int:
    """0 where it is done, 1 where it could not be, 2 where what was given cannot be used: nothing is changed then."""
    data_dir, config_file = folders(options)
    try:
        if getattr(options, "rest", None):
            raise WrongInput("keys are never given on the command line, where its history keeps them")
        match options.action:
            case "set":
                return _set(data_dir, config_file, options.account)
            case "delete":
                return _delete(data_dir, options.account)
            case "passphrase":
                return _passphrase(data_dir)
            case _:
                return _list(data_dir, config_file)
    except SecretStoreUnavailable as error:
        raise UserError(f"The vault cannot be used: {error}.", safe="Nothing was changed.") from None
    except WrongInput as error:
        print(f"exengine: {error}. Nothing was changed.", file=sys.stderr)
        return WRONG_USE


def _set(data_dir: DataDir, config_file: Path, name: str) -> int:
    account = _account(_live(config_file), name)
    keys = _entered_keys(account)
    stores = _places(data_dir)
    origin = keep_keys(stores, account.name, keys)
    print(f"The keys of account {account.name} ({keys.masked}) are in the {origin.value}.")
    if origin is not stores[0].origin:
        print(f"The {stores[0].origin.value} is not there or not open, and was not used.")
    return 0


def _list(data_dir: DataDir, config_file: Path) -> int:
    stores, live = _places(data_dir), _live(config_file)
    require_place(stores, [account.name for account in live])
    rows = [(account.name, _venue(account), *_place_and_ending(stores, account.name)) for account in live]
    rows += [(name, "not configured", *_place_and_ending(stores, name)) for name in _others(stores, live)]
    if not rows:
        print("No account needs keys: all of them are on paper.")
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    for row in rows:
        padded = [text.ljust(width) for text, width in zip(row[:3], widths, strict=True)]
        print("  ".join([*padded, row[3]]).rstrip())
    return 1 if any(row[2] == UNREADABLE for row in rows) else 0


def _place_and_ending(stores: list[SecretStore], name: str) -> tuple[str, str]:
    try:
        found = find_keys(stores, name)
    except UserError as error:
        return UNREADABLE, error.happened
    return ("-", "no keys") if found is None else (found.origin.value, found.keys.masked)


def _others(stores: list[SecretStore], live: list[AccountPage]) -> list[str]:
    """Accounts with keys in the vault that the configuration does not have. A keyring does not tell its names."""
    known = {account.name.casefold() for account in live}
    found = []
    for vault in stores:
        if isinstance(vault, Vault):
            try:
                entries = {name: vault.get(name) or "" for name in vault.names()}
            except (SecretStoreUnavailable, UserError):
                continue
            names = [account_of(name, text) for name, text in entries.items()]
            found += [name for name in names if name is not None and name.casefold() not in known]
    return found


def _delete(data_dir: DataDir, name: str) -> int:
    had = delete_keys(_places(data_dir), name)
    if not had:
        print(f"exengine: there are no keys of account {name}.", file=sys.stderr)
        return 1
    print(f"The keys of account {name} are deleted from the {' and the '.join(one.value for one in had)}.")
    print("Delete them at the exchange as well where they are not to be used again.")
    return 0


def _passphrase(data_dir: DataDir) -> int:
    if not data_dir.vault_file.exists():
        raise UserError(
            f"There is no vault {data_dir.vault_file}.", remedy="It is made when keys are set and no keyring is open."
        )
    lines = None if sys.stdin.isatty() else _lines()
    given = typed(os.environ.get(PASSPHRASE_VARIABLE, ""))
    old = given or (lines.pop(0) if lines else "") or (_asked("Passphrase of the vault: ") if lines is None else "")
    vault = vault_of(data_dir, {}, lambda: old)
    vault.names()  # tells a wrong passphrase before a new one is asked for
    new = _asked_twice("New passphrase: ") if lines is None else "".join(lines[:1])
    if not new or (lines is not None and len(lines) > 1):
        raise WrongInput("one line with the new passphrase is needed, after the old one where that is not in "
                         f"{PASSPHRASE_VARIABLE}")  # fmt: skip
    vault.change_passphrase(new)
    print(f"The vault {data_dir.vault_file} has a new passphrase.")
    if given:
        print(f"Set {PASSPHRASE_VARIABLE} to it before the next start.")
    return 0


def _places(data_dir: DataDir) -> list[SecretStore]:
    """The places; the vault's passphrase is asked for where somebody is there to type it."""
    return secret_stores(data_dir, ask=(lambda: _vault_passphrase(data_dir)) if sys.stdin.isatty() else None)


def _vault_passphrase(data_dir: DataDir) -> str:
    if data_dir.vault_file.exists():
        return _asked("Passphrase of the vault: ")
    print(f"There is no keyring here. A vault is made in {data_dir.vault_file}: without its passphrase", end=" ")
    print("nobody can open it, you included.", flush=True)
    return _asked_twice("Passphrase for it: ")


def _live(config_file: Path) -> list[AccountPage]:
    return [one for one in read(config_file).effective_accounts() if one.exchange is not ExchangeName.PAPER]


def _account(live: list[AccountPage], name: str) -> AccountPage:
    for account in live:
        if account.name.casefold() == name.casefold():
            return account
    known = ", ".join(account.name for account in live)
    raise WrongInput(
        f"no account {name} on an exchange is configured"
        + (f"; there are: {known}" if known else ": all of them are on paper, and need no keys")
    )


def _venue(account: AccountPage) -> str:
    return f"{account.exchange.value} {account.market_type.value}{' testnet' if account.testnet else ''}"


def _entered_keys(account: AccountPage) -> AccountKeys:
    """What is typed, unseen, or the three lines that are piped in. Raises WrongInput."""
    wants_passphrase = account.exchange.value in WITH_PASSPHRASE
    if sys.stdin.isatty():
        api_key = _asked(f"API key of account {account.name} ({_venue(account)}): ").strip()
        secret = _asked("Secret: ").strip()
        passphrase = _asked("Passphrase of the key: ").strip() if wants_passphrase else ""
    else:
        lines = [line.strip() for line in _lines()]
        if not 2 <= len(lines) <= 3:
            raise WrongInput(f"three lines are needed: API key, secret, passphrase; {len(lines)} came")
        api_key, secret, passphrase = [*lines, ""][:3]
    keys = AccountKeys(api_key=api_key, secret=secret, passphrase=passphrase or None)
    fault = fault_of(keys, wants_passphrase=wants_passphrase)
    if fault:
        raise WrongInput(fault)
    return keys


def _lines() -> list[str]:
    """What is piped in, without empty lines at its end."""
    text = sys.stdin.buffer.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    return text.rstrip("\r\n").splitlines()


def _asked(prompt: str) -> str:
    try:
        return typed(getpass.getpass(prompt))
    except EOFError:
        raise WrongInput("nothing was entered") from None


def _asked_twice(prompt: str) -> str:
    first = _asked(prompt)
    if first != _asked("Again: "):
        raise WrongInput("the two differ")
    return first
