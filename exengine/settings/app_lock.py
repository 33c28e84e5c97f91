"""The app lock: who may act in the window, proven by a passphrase of which only an Argon2id hash is kept."""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from exengine.domain.errors import UserError
from exengine.settings.secret_places import no_place
from exengine.settings.secrets import SecretStore, SecretStoreUnavailable
from exengine.settings.vault import typed

ENTRY = "app-lock"
LEAST = 8
"""Characters of a passphrase. Whoever tries them is slowed down here, unlike with a vault that was carried off."""
FREE_TRIES = 3
LONGEST_WAIT_MS = 60_000
_SAFE = "Nothing was changed."


class Role(Enum):
    """Who sits at the window."""

    OWNER = "owner"
    """May do everything."""
    OPERATOR = "operator"
    """May look at everything and do nothing: no settings, no trades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HashCost:
    """What one try costs: 64 MiB and three passes, about a fifth of a second."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 1


@dataclass(frozen=True, slots=True, repr=False)
class AppLock:
    """The hashes of the passphrases, as PHC strings. An operator need not have one."""

    owner: str
    operator: str = ""

    def __repr__(self) -> str:
        return "AppLock(…)"

    def role_of(self, passphrase: str) -> Role | None:
        """Whose passphrase this is; None where it is nobody's. It blocks for a while, whatever is right."""
        is_owner, is_operator = (_fits(passphrase, known) for known in (self.owner, self.operator))
        return Role.OWNER if is_owner else Role.OPERATOR if is_operator else None


def new_lock(owner: str, operator: str = "", cost: HashCost | None = None) -> AppLock:
    """Raises UserError where a passphrase is too short, or both are the same."""
    owner, operator = typed(owner), typed(operator)
    if len(owner) < LEAST or (operator and len(operator) < LEAST):
        raise UserError(f"A passphrase needs {LEAST} characters or more.", safe=_SAFE)
    if owner == operator:
        raise UserError("Owner and operator need different passphrases.", safe=_SAFE)
    return AppLock(_hash(owner, cost or HashCost()), _hash(operator, cost or HashCost()) if operator else "")


def find_lock(stores: Sequence[SecretStore]) -> AppLock | None:
    """The lock that is kept. It blocks. Raises UserError where no store could be asked, or what is kept is no lock."""
    reasons = []
    for store in stores:
        try:
            text = store.get(ENTRY)
        except SecretStoreUnavailable as error:
            reasons.append(str(error))
            continue
        if text:
            return _read(text)
    if len(reasons) == len(stores):
        raise no_place("The app lock’s passphrase cannot be looked up", reasons)
    return None


def keep_lock(stores: Sequence[SecretStore], lock: AppLock) -> None:
    """Keeps it in the first store that can. It blocks. Raises UserError where none can."""
    text, reasons = json.dumps({"owner": lock.owner, "operator": lock.operator}), []
    for store in stores:
        try:
            store.set(ENTRY, text)
            if store.get(ENTRY) == text:
                return
            reasons.append(f"the {store.origin.value} does not keep what it is given")
        except SecretStoreUnavailable as error:
            reasons.append(str(error))
    raise no_place("The app lock’s passphrase cannot be kept", reasons)


def forget_lock(stores: Sequence[SecretStore]) -> None:
    """There is no passphrase any more. It blocks."""
    for store in stores:
        with suppress(SecretStoreUnavailable):
            store.delete(ENTRY)


class Tries:
    """Slows down whoever guesses: from the third wrong passphrase on each doubles the wait, up to a minute."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._wrong = 0
        self._until_ms = 0

    @property
    def wait_ms(self) -> int:
        """How long until the next try is looked at."""
        return max(0, self._until_ms - self._now_ms())

    def was_wrong(self) -> None:
        self._wrong += 1
        beyond = self._wrong - FREE_TRIES
        if beyond >= 0:
            self._until_ms = self._now_ms() + min(LONGEST_WAIT_MS, 1000 * 2**beyond)

    def was_right(self) -> None:
        self._wrong = self._until_ms = 0


def _hash(passphrase: str, cost: HashCost) -> str:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    kdf = Argon2id(
        salt=os.urandom(16), length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return kdf.derive_phc_encoded(passphrase.encode())


def _fits(passphrase: str, known: str) -> bool:
    from cryptography.exceptions import InvalidKey
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    if not known:
        return False
    try:
        Argon2id.verify_phc_encoded(typed(passphrase).encode("utf-8", "surrogatepass"), known)
    except (InvalidKey, ValueError):
        return False
    return True


def _read(text: str) -> AppLock:
    try:
        tree = json.loads(text)
        owner, operator = tree["owner"], tree["operator"]
    except (ValueError, TypeError, KeyError):
        owner = operator = None
    if not isinstance(owner, str) or not isinstance(operator, str) or not owner.startswith("$argon2id$"):
        raise UserError(
            "The app lock’s passphrase is there and cannot be read.",
            safe="The window shows and changes nothing; the engine is not held up by it.",
            remedy="Set security.app_lock to false in config.json, start again, and set it up anew.",
        )
    return AppLock(owner, operator)
