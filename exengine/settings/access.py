"""What may be done in the window at the moment: asked where its events enter the engine, and before an apply."""

from collections.abc import Callable

from exengine.domain.errors import UserError
from exengine.settings.app_lock import AppLock, Role, Tries
from exengine.settings.pages import Config

_SAFE = "Nothing was changed; the engine and its alerts go on."


class NotAllowed(UserError):
    """The window may only look at the moment."""


class Access:
    """Who is at the window. It holds back the window alone: alerts, timers and the engine's own decisions go on.

    `security.read_only` holds everybody back, the owner too, until the owner switches it off.
    """

    def __init__(self, config: Config, lock: AppLock | None, now_ms: Callable[[], int]) -> None:
        """`lock` is None where none is set up; then whoever is at the window is the owner, unless `app_lock` is on."""
        self._read_only = config.security.read_only
        self._is_on = config.security.app_lock
        self._lock = lock
        self._listeners: list[Callable[[], None]] = []
        self.tries = Tries(now_ms)
        self.role: Role | None = Role.OWNER
        """None while it is locked."""
        if self._is_on:
            self.role = None if lock is not None else Role.OPERATOR

    @property
    def can_lock(self) -> bool:
        """Whether the lock is on, and there is a passphrase that would open it again."""
        return self._is_on and self._lock is not None

    @property
    def why_not(self) -> str:
        """Why nothing may be done, in words; empty where the trader may act."""
        if self.role is None:
            return "ExEngine is locked."
        if self.role is Role.OPERATOR:
            return "You are here as operator: you can look at everything and change nothing."
        if self._read_only:
            return "Read-only is on (Settings, Security): nothing can be changed or traded in this window."
        return ""

    def require(self) -> None:
        """Raises NotAllowed where nothing may be done. For everything that acts."""
        if self.why_not:
            remedy = "Unlock it as owner." if self.role is not Role.OWNER else "Switch read-only off first."
            raise NotAllowed(self.why_not, safe=_SAFE, remedy=remedy)

    def require_settings(self, old: Config, new: Config) -> None:
        """Raises NotAllowed where `new` may not be applied: an owner may switch read-only off, and with it nothing."""
        if self.role is Role.OWNER and self._read_only and _but_read_only(old) == _but_read_only(new):
            return
        self.require()

    def follow(self, config: Config) -> None:
        """Told of a configuration that runs from now on."""
        self._is_on = config.security.app_lock
        if config.security.read_only != self._read_only:
            self._read_only = config.security.read_only
            self._tell()

    def use_lock(self, lock: AppLock | None) -> None:
        """A lock was set up, changed or taken away by the owner."""
        self._lock = lock

    def lock(self) -> None:
        """From now on a passphrase is asked for. Nothing happens where there is none."""
        if self.can_lock and self.role is not None:
            self.role = None
            self._tell()

    def unlock(self, passphrase: str) -> Role | None:
        """The role that it opens, None where it is nobody's. It blocks: not on the window's loop.

        Raises UserError where a wrong one was given too often, and it is too soon for another.
        """
        if self.tries.wait_ms:
            raise UserError(
                f"Too many wrong passphrases: wait {-(-self.tries.wait_ms // 1000)} s.", safe="ExEngine stays locked."
            )
        role = None if self._lock is None else self._lock.role_of(passphrase)
        if role is None:
            self.tries.was_wrong()
        else:
            self.tries.was_right()
        return role

    def enter(self, role: Role) -> None:
        """Whoever gave the right passphrase is here now."""
        self.role = role
        self._tell()

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back whenever what is allowed may have changed. Returns what ends it."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()


def _but_read_only(config: Config) -> Config:
    security = config.security.model_copy(update={"read_only": False})
    return config.model_copy(update={"security": security})
