"""What the window shows of the secrets: where they are kept and which there are, never what they are."""

from dataclasses import dataclass
from enum import Enum

from exengine.settings.secrets import SecretOrigin


class VaultState(Enum):
    NONE = "none"
    """There is no file."""
    OPEN = "open"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSecret:
    """The keys of one account on an exchange."""

    account: str
    venue: str
    masked: str
    """`****4567`; empty where there are none, or they cannot be read."""
    origin: SecretOrigin | None
    wants_passphrase: bool
    """Whether the exchange's keys have a passphrase of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsOverview:
    """All of it at one moment."""

    keyring: str
    """Why the system's keyring is not used, in words; empty where it is."""
    vault: VaultState
    token_origin: SecretOrigin
    secret_origin: SecretOrigin
    old_token: bool
    """Whether the token before still counts."""
    old_secret: bool
    old_used_at_ms: int | None
    """When an alert last came with one that was replaced, in this run."""
    accounts: tuple[AccountSecret, ...]
    app_lock: bool
    """Whether the window asks for a passphrase."""

    @property
    def can_keep(self) -> bool:
        """Whether there is an open place for what is entered or made anew."""
        return not self.keyring or self.vault is VaultState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Revealed:
    """What has been made anew, shown once."""

    webhook_url: str
    alert_text: str
    """With the secret in it."""

    def __repr__(self) -> str:
        return "Revealed(…)"
