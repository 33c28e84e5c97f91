"""The lines of the audit trail that decisions leave behind, in words that a trader reads."""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


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
    """The alert that it goes back to."""
    advice: str = ""
