"""The webhook's token and secret: from the environment, the keyring or the vault, and made where there are none yet."""

import importlib
import logging
import os
import queue
import re
import secrets as randomness
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar, cast

from exengine.domain.errors import KnownError, UserError

log = logging.getLogger(__name__)

TOKEN_VARIABLE = "EXENGINE_WEBHOOK_TOKEN"
SECRET_VARIABLE = "EXENGINE_WEBHOOK_SECRET"
PASSPHRASE_VARIABLE = "EXENGINE_PASSPHRASE"
"""Opens the vault."""
TOKEN_NAME = "webhook-token"
SECRET_NAME = "webhook-secret"

_WEAK_BELOW = 16
_PROBE_NAME = "probe"
_IN_A_PATH = re.compile(r"[A-Za-z0-9_.~-]+")
_Result = TypeVar("_Result")


class SecretOrigin(Enum):
    """Where a secret came from."""

    ENVIRONMENT = "environment"
    KEYRING = "keyring"
    VAULT = "vault"
    THIS_RUN = "this_run"
    """Made for this run and kept nowhere: the next run has another."""


class SecretStoreUnavailable(KnownError):
    """A place for secrets that is not there, locked, or does not answer."""


class SecretStore(Protocol):
    """A place that keeps secrets between runs. Its methods block, and raise SecretStoreUnavailable.

    A place may raise UserError too, where to do without it would have secrets made anew that are there already.
    """

    @property
    def origin(self) -> SecretOrigin: ...

    def get(self, name: str) -> str | None:
        """The secret kept as `name`, None where there is none."""
        ...

    def set(self, name: str, value: str) -> None:
        """Keeps `value` as `name`, in the place of what was kept before."""
        ...

    def delete(self, name: str) -> None:
        """Forgets what is kept as `name`; nothing where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WebhookSecrets:
    """What a webhook proves itself with (SPEC §2.1). Neither value is ever shown by repr or str."""

    token: str
    """Stands in the webhook's path."""
    secret: str
    """Stands in the body, or signs it."""
    persistent: bool
    """Whether the next run has the same token, and so the same URL. Where not, this run has to show it."""
    origin: SecretOrigin
    """Where the token came from."""
    old_token: str = ""
    """What the token was before it was made anew, as long as alerts may still have it; else empty."""
    old_secret: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """All of them, for whoever keeps them out of what is written."""
        return tuple(one for one in (self.token, self.secret, self.old_token, self.old_secret) if one)

    def __repr__(self) -> str:
        return f"WebhookSecrets(persistent={self.persistent}, origin={self.origin.value})"


def is_weak(given: str) -> bool:
    """Whether a secret that somebody chose is short enough to be guessed; an empty one is none."""
    return 0 < len(given.strip()) < _WEAK_BELOW


def old_name(name: str) -> str:
    """Under what name the one before is kept."""
    return f"{name}-old"


def new_secret() -> str:
    """A secret of 256 random bits that may stand in a URL."""
    return randomness.token_urlsafe(32)


def webhook_secrets(
    stores: Sequence[SecretStore], *, environ: Mapping[str, str] = os.environ, make: Callable[[], str] = new_secret
) -> WebhookSecrets:
    """Token and secret: from the environment, else the first store that has them, else made and kept in the first that
    can keep them, else made for this run (SPEC §2.1).

    It blocks while a store is asked. Raises UserError where EXENGINE_WEBHOOK_TOKEN cannot stand in a path, and as the
    stores do.
    """
    token, origin = _obtain(TOKEN_VARIABLE, TOKEN_NAME, stores, environ, make)
    secret, secret_origin = _obtain(SECRET_VARIABLE, SECRET_NAME, stores, environ, make)
    if origin is SecretOrigin.ENVIRONMENT and not _IN_A_PATH.fullmatch(token):
        raise UserError(
            f"{TOKEN_VARIABLE} has characters that cannot stand in the webhook’s address.",
            safe="The webhook was not started; nothing was changed.",
            remedy="Use letters, digits, - and _ only, 32 of them or more, or leave it out to have one made.",
        )
    if SecretOrigin.THIS_RUN in (origin, secret_origin):
        log.warning(
            "the webhook has a token or secret for this run only, as no keyring or vault is open: set %s and %s, or %s",
            TOKEN_VARIABLE,
            SECRET_VARIABLE,
            PASSPHRASE_VARIABLE,
        )
    return WebhookSecrets(
        token=token,
        secret=secret,
        persistent=origin is not SecretOrigin.THIS_RUN,
        origin=origin,
        old_token=_old(TOKEN_NAME, stores, origin),
        old_secret=_old(SECRET_NAME, stores, secret_origin),
    )


def _old(name: str, stores: Sequence[SecretStore], origin: SecretOrigin) -> str:
    """The one before, where it still counts; it is kept beside the present one."""
    for store in stores:
        if store.origin is origin:
            try:
                return store.get(old_name(name)) or ""
            except SecretStoreUnavailable as error:
                log.info("the %s is not used for %s: %s", store.origin.value, old_name(name), error)
    return ""


def token_origin(stores: Sequence[SecretStore], *, environ: Mapping[str, str] = os.environ) -> SecretOrigin:
    """Where the webhook's token comes from at a start now. Nothing is made or kept. Raises UserError as the stores."""
    if environ.get(TOKEN_VARIABLE, "").strip():
        return SecretOrigin.ENVIRONMENT
    answering = []
    for store in stores:
        try:
            if store.get(TOKEN_NAME):
                return store.origin
        except SecretStoreUnavailable:
            continue
        answering.append(store.origin)
    return answering[0] if answering else SecretOrigin.THIS_RUN


def _obtain(
    variable: str, name: str, stores: Sequence[SecretStore], environ: Mapping[str, str], make: Callable[[], str]
) -> tuple[str, SecretOrigin]:
    given = environ.get(variable, "").strip()
    if given:
        if is_weak(given):
            log.warning("%s is short enough to be guessed: use 32 characters or more", variable)
        return given, SecretOrigin.ENVIRONMENT
    answering = []
    for store in stores:
        try:
            kept = store.get(name)
        except SecretStoreUnavailable as error:
            log.info("the %s is not used for %s: %s", store.origin.value, name, error)
            continue
        if kept:
            return kept, store.origin
        answering.append(store)
    made = make()
    for store in answering:
        try:
            store.set(name, made)
            if store.get(name) == made:
                return made, store.origin
        except SecretStoreUnavailable as error:
            log.info("the %s could not keep %s: %s", store.origin.value, name, error)
    return made, SecretOrigin.THIS_RUN


class KeyringBackend(Protocol):
    """What is used of a backend of the `keyring` package."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


_LINUX = ("keyring.backends.SecretService.Keyring", "keyring.backends.kwallet.DBusKeyring")
_REAL_BACKENDS = {"win32": ("keyring.backends.Windows.WinVaultKeyring",), "darwin": ("keyring.backends.macOS.Keyring",)}


def system_backend(platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> KeyringBackend:
    """The system's own keyring. Raises SecretStoreUnavailable where none is there.

    Backends are taken by name and never through keyring's choice among all that are installed: that may end with
    one that keeps plain text, one that keeps nothing, or one that asks for a password on the terminal.
    PYTHON_KEYRING_BACKEND, keyring's own variable, can choose among the named ones, and any other value turns
    the keyring off.
    """
    names: tuple[str, ...] = _REAL_BACKENDS.get(platform, _LINUX)
    chosen = environ.get("PYTHON_KEYRING_BACKEND")
    if chosen:
        names = tuple(name for name in names if name == chosen)
    viable = []
    for name in names:
        module, _, kind = name.rpartition(".")
        try:
            backend = getattr(importlib.import_module(module), kind)
            viable.append((float(backend.priority), name, backend))
        except Exception as error:  # noqa: BLE001  # whatever a backend raises, it is not there and the next may be
            log.debug("no keyring at %s (%s)", name, type(error).__name__)
    if not viable:
        raise SecretStoreUnavailable("the system has no keyring that is known to keep secrets")
    return cast(KeyringBackend, max(viable)[2]())


class KeyringStore:
    """The system's keyring. Every use of it has a time-out, since a call over D-Bus may never return."""

    origin = SecretOrigin.KEYRING

    def __init__(
        self,
        backend: Callable[[], KeyringBackend] = system_backend,
        *,
        service: str = "ExEngine",
        probe_s: float = 5,
        answer_s: float = 60,
    ) -> None:
        """`backend` finds the keyring, at the first use; `answer_s` leaves the trader time to unlock it."""
        self._find = backend
        self._service = service
        self._probe_s = probe_s
        self._answer_s = answer_s
        self._backend: KeyringBackend | None = None
        self._failure: str | None = None

    def get(self, name: str) -> str | None:
        backend = self._found()
        return self._asked(lambda: backend.get_password(self._entry(name), name), self._answer_s)

    def set(self, name: str, value: str) -> None:
        backend = self._found()
        self._asked(lambda: backend.set_password(self._entry(name), name, value), self._answer_s)

    def delete(self, name: str) -> None:
        backend = self._found()
        if self.get(name) is not None:  # a backend refuses to delete what is not there
            self._asked(lambda: backend.delete_password(self._entry(name), name), self._answer_s)

    def probe(self) -> None:
        """Keeps something, reads it and forgets it again. Raises SecretStoreUnavailable where that does not go round:
        then this keyring is not used in this run at all, and what would be lost in it goes elsewhere."""
        wanted = new_secret()
        self.set(_PROBE_NAME, wanted)
        read = self.get(_PROBE_NAME)
        self.delete(_PROBE_NAME)
        if read != wanted:
            self._failure = "the keyring does not keep what it is given"
            raise SecretStoreUnavailable(self._failure)

    def _entry(self, name: str) -> str:
        # A service for each: the Windows backend moves entries about where one service has several names.
        return f"{self._service} {name}"

    def _found(self) -> KeyringBackend:
        if self._failure is not None:
            raise SecretStoreUnavailable(self._failure)
        if self._backend is None:
            self._backend = self._asked(self._find, self._probe_s)
        return self._backend

    def _asked(self, work: Callable[[], _Result], patience_s: float) -> _Result:
        """The result of `work`. A keyring that has failed once is not asked again in this run."""
        try:
            return _within(patience_s, work)
        except SecretStoreUnavailable as error:
            self._failure = str(error)
            raise


def _within(patience_s: float, work: Callable[[], _Result]) -> _Result:
    """The result of `work`, done in a thread of its own that is left behind where it takes longer."""
    results: queue.SimpleQueue[tuple[_Result] | str] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((work(),))
        except SecretStoreUnavailable as error:
            results.put(str(error))
        except Exception as error:  # noqa: BLE001  # each backend raises its own kinds; their texts may tell too much
            results.put(f"the keyring failed ({type(error).__name__})")

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        result = results.get(timeout=patience_s)
    except queue.Empty:
        raise SecretStoreUnavailable(f"the keyring did not answer within {patience_s:g} seconds") from None
    if isinstance(result, str):
        raise SecretStoreUnavailable(result)
    return result[0]
