"""The lines of the audit trail that decisions leave behind, in words that a trader reads."""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Topic(Enum):
    """What a line is about, where that is something a trader may want to be told of: see `engine.notices`."""

    ORDER_REJECTED = "order_rejected"
    ACCOUNT_AWAY = "account_away"
    ACCOUNT_BACK = "account_back"
    KEY_REFUSED = "key_refused"
    GROUP_OPENED = "group_opened"
    GROUP_CLOSED = "group_closed"
    FROZEN = "frozen"
    """A group that nothing is decided for any more until the trader settles it."""
    OFFSET = "offset"
    PAUSED = "paused"
    RESUMED = "resumed"
    LIMIT_REACHED = "limit_reached"
    PANIC = "panic"
    QUEUE_FULL = "queue_full"
    STORE_TROUBLE = "store_trouble"
    STORE_BACK = "store_back"
    DEFECT = "defect"
    STARTED = "started"
    STOPPED = "stopped"
    NOTICES_FAIL = "notices_fail"
    """A place that notices go to does not take them."""
    DAILY_SUMMARY = "daily_summary"


class Category(Enum):
    WEBHOOK = "webhook"
    ORDER = "order"
    RISK = "risk"
    PRECISION = "precision"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One line: what happened, to which group, and where something went wrong what is safe and what to do."""

    at_ms: int
    severity: Severity
    category: Category
    text: str
    symbol: str = ""
    timeframe: str = ""
    group: str = ""
    signal_id: int | None = None
    """The alert that it goes back to, where it is one."""
    cause: str = ""
    """What it goes back to, whatever that is: see `domain.cause`."""
    topic: Topic | None = None
    advice: str = ""
