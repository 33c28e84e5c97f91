"""A keyring for tests, and what a test looks through for a secret that got out."""

import traceback
from collections.abc import Iterator

from exengine.settings.secrets import KeyringBackend, KeyringStore, SecretStoreUnavailable
from exengine.settings.vault_format import KdfCost

CHEAP = KdfCost(memory_kib=64, passes=1, lanes=1)
"""A vault that opens in no time, and is as easily guessed."""


class MemoryKeyring:
    """A keyring in memory that can be locked, refuse to keep, or lose what it is given."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False
        self.read_only = False
        self.forgetful = False
        self.calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.calls += 1
        if self.locked:
            raise RuntimeError("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.read_only:
            raise PermissionError(password)
        if not self.forgetful:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """As the real ones, it refuses to delete what is not there."""
        if (service, username) not in self.kept:
            raise LookupError("No such password!")
        del self.kept[service, username]


def store_of(keyring: KeyringBackend) -> KeyringStore:
    return KeyringStore(lambda: keyring)


def no_keyring() -> KeyringBackend:
    raise SecretStoreUnavailable("the system has no keyring")


def all_of(error: BaseException) -> str:
    """Everything that an error and those behind it could tell: traceback, arguments and attributes."""
    told = "".join(traceback.format_exception(error))
    return told + " ".join(f"{one!r} {one} {one.args!r} {vars(one)!r}" for one in _behind(error))


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    if error is not None:
        yield error
        yield from _behind(error.__cause__)
        yield from _behind(error.__context__)
