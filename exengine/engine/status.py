"""What the Status dock tells of accounts, listener, store and tasks; gathered by a callable that bootstrap gives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum


class Mode(Enum):
    """With what money an account, or the whole program, trades."""

    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"


class Connection(Enum):
    """Whether an account can be traded on."""

    CONNECTED = "connected"
    AWAY = "away"
    NOT_YET = "not_yet"
    """It has not been heard of since the start."""
    OFF = "off"
    """Not enabled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """One account. What is not known is None: a dash on the screen."""

    name: str
    venue: str
    """`Binance spot`, `Paper`."""
    mode: Mode
    connection: Connection
    why: str = ""
    """Why it is away, in words."""
    latency_ms: int | None = None
    """Of the last question, from sent to answered."""
    clock_skew_ms: int | None = None
    """The exchange's clock minus ours."""
    rate_used_percent: Decimal | None = None
    """Of the exchange's rate limit."""
    rules: int = 0
    """How many symbols have market rules."""
    rules_at_ms: int | None = None
    """When they were last loaded."""
    streaming: bool | None = None
    """Whether own orders come by stream; None where there is no stream, as on paper."""
    polled_at_ms: int | None = None
    """When the books were last compared with the exchange."""
    priced_at_ms: int | None = None
    """When the last price came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerStatus:
    listening: bool
    address: str
    """On this machine, without the token."""
    public_url: str = ""
    public_state: str = ""
    """What the last call to the public address came to, in words; empty where none was tried."""
    is_reached: bool | None = None
    """Whether that call came in here."""
    tunnel: str = ""
    """The tunnel's state in words; empty where ExEngine runs none."""
    last_hit_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    kind: str
    """`SQLite`, `PostgreSQL`."""
    place: str
    size_bytes: int | None = None
    last_commit_at_ms: int | None = None
    trouble: str = ""
    """Why it takes nothing at the moment: a sentence that begins with the cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    name: str
    running: bool
    restarts: int = 0
    silent_s: int | None = None
    """How long ago it last did anything, in whole seconds; None where nobody tells. What waits is silent too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All of it at one moment."""

    accounts: tuple[AccountStatus, ...] = ()
    listener: ListenerStatus | None = None
    store: StoreStatus | None = None
    tasks: tuple[TaskStatus, ...] = field(default=())

    @property
    def problems(self) -> int:
        """How many parts do not do what they should."""
        accounts = sum(account.connection is Connection.AWAY for account in self.accounts)
        tasks = sum(not task.running for task in self.tasks)
        hears = self.listener
        deaf = hears is not None and (not hears.listening or hears.is_reached is False)
        stuck = self.store is not None and bool(self.store.trouble)
        return accounts + tasks + deaf + stuck


StatusSource = Callable[[], Status]
