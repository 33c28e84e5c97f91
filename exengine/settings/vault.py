"""The vault: a file of secrets under a passphrase, for where the system has no keyring (SPEC §2.1)."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from exengine.domain.errors import UserError
from exengine.settings.atomic import replace_file
from exengine.settings.file_lock import file_lock
from exengine.settings.secrets import PASSPHRASE_VARIABLE, SecretOrigin, SecretStoreUnavailable
from exengine.settings.vault_format import (
    MOST_BYTES,
    KdfCost,
    NewerVault,
    Sealed,
    Unreadable,
    VaultKey,
    derived,
    new_key,
    opened,
    sealed,
    taken_apart,
)

_SAFE = "The file is as it was."
_WEAK_BELOW = 12

log = logging.getLogger(__name__)


def typed(passphrase: str) -> str:
    """A passphrase without the line's end that came with it from a file or a terminal."""
    return passphrase.strip("\r\n")


class VaultError(UserError):
    """The vault cannot be used, and only the trader can put that right: without it, secrets would be made anew."""


class WrongPassphrase(VaultError):
    """The vault is sound, as far as can be told, and the passphrase is not its own."""


class VaultDamaged(VaultError):
    """No passphrase opens it any more."""


class Vault:
    """The secrets in `file`, opened at the first use and read anew at each: another program may have written to it.

    Its methods raise SecretStoreUnavailable where there is no passphrase or not enough memory or disk, and VaultError.
    """

    origin = SecretOrigin.VAULT

    def __init__(self, file: Path, passphrase: Callable[[], str | None], *, cost: KdfCost | None = None) -> None:
        """`passphrase` is asked for once, when it is needed; None is that there is none. `cost` is for a new vault."""
        self._file = file
        self._ask = passphrase
        self._cost = cost or KdfCost()
        self._passphrase: str | None = None
        self._key: VaultKey | None = None
        self._threads = threading.Lock()

    def get(self, name: str) -> str | None:
        with self._threads:
            return self._secrets().get(name)

    def set(self, name: str, value: str) -> None:
        with self._threads, self._alone():
            secrets = self._secrets()
            if secrets.get(name) != value:
                self._write(secrets | {name: value})

    def delete(self, name: str) -> None:
        with self._threads:
            if not self._file.exists():
                return
            with self._alone():
                secrets = self._secrets()
                if secrets.pop(name, None) is not None:
                    self._write(secrets)

    def names(self) -> list[str]:
        """The names of all that is kept."""
        with self._threads:
            return sorted(self._secrets())

    def change_passphrase(self, new: str) -> None:
        """Seals everything anew: another salt, today's cost. The old passphrase opens it no more."""
        new = typed(new)
        if not new:
            raise VaultError("A vault needs a passphrase.", safe=_SAFE, remedy="Give one of 12 characters or more.")
        with self._threads:
            if not self._file.exists():
                raise VaultError(f"There is no vault {self._file}.", remedy="It is made when a secret is first kept.")
            with self._alone():
                secrets = self._secrets()
                key = self._new_key(new)
                self._replace(sealed(secrets, key))
                self._key, self._passphrase = key, new

    def _secrets(self) -> dict[str, str]:
        """All that is kept; nothing where there is no file."""
        data = self._bytes()
        if data is None:
            return {}
        try:
            vault = taken_apart(data)
            return opened(vault, self._key_of(vault))
        except NewerVault as error:
            text, remedy = str(error), "Install that newer version, or put this file aside and set the secrets again."
        except Unreadable as error:
            text = str(error)
            remedy = "Put back a copy of it, or put it aside, start again and set the secrets again."
        raise VaultDamaged(f"The vault {self._file} {text}.", safe=_SAFE, remedy=remedy)

    def _key_of(self, vault: Sealed) -> VaultKey:
        if self._key is not None and vault.fits(self._key):
            return self._key
        passphrase = self._given()
        key = self._derived(lambda: derived(passphrase, vault.cost, vault.salt))
        if not vault.fits(key):
            raise WrongPassphrase(
                f"The passphrase does not open the vault {self._file}.",
                safe=_SAFE,
                remedy=f"Give the one that it was made with, as {PASSPHRASE_VARIABLE} where there is no window.",
            )
        self._key = key
        return key

    def _new_key(self, passphrase: str) -> VaultKey:
        if len(passphrase) < _WEAK_BELOW:
            log.warning("the vault’s passphrase is short enough to be guessed: use %s characters", _WEAK_BELOW)
        return self._derived(lambda: new_key(passphrase, self._cost))

    def _given(self) -> str:
        if self._passphrase is None:
            self._passphrase = typed(self._ask() or "")
        if not self._passphrase:
            self._passphrase = None
            raise SecretStoreUnavailable(f"the vault is locked: {PASSPHRASE_VARIABLE} is not set")
        return self._passphrase

    def _derived(self, work: Callable[[], VaultKey]) -> VaultKey:
        from cryptography.exceptions import UnsupportedAlgorithm

        try:
            return work()
        except MemoryError:
            failure = "there is not enough memory to open the vault"
        except UnsupportedAlgorithm:
            failure = "this system’s cryptography has no Argon2id, which the vault needs"
        raise SecretStoreUnavailable(failure)

    def _bytes(self) -> bytes | None:
        try:
            with self._file.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise VaultError(
                f"The vault {self._file} cannot be read: {error.strerror or error}.",
                safe=_SAFE,
                remedy="Check that it is a file and that you may read it.",
            ) from error
        if len(data) > MOST_BYTES:
            raise VaultDamaged(
                f"{self._file} is too large to be a vault.", safe=_SAFE, remedy="Put it aside and start again."
            )
        return data

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Held while the file is read and written, so that two programs do not undo each other's change."""
        if self._key is None:
            self._given()  # may wait for somebody who types: the others need not
        with ExitStack() as held:
            try:
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                held.enter_context(file_lock(self._file.with_name(f"{self._file.name}.lock")))
            except OSError as error:
                raise SecretStoreUnavailable(f"the vault cannot be written: {error.strerror or error}") from error
            yield

    def _write(self, secrets: dict[str, str]) -> None:
        """With the key it was read with; one of its own for a new file."""
        if not self._file.exists():
            self._key = self._new_key(self._given())
        assert self._key is not None
        self._replace(sealed(secrets, self._key))

    def _replace(self, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            raise SecretStoreUnavailable("the vault is full")
        try:
            replace_file(self._file, data)
        except OSError as error:
            raise SecretStoreUnavailable(f"the vault cannot be written: {error.strerror or error}") from error
