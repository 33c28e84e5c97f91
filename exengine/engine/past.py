"""What has been: everything that goes back to one cause, from the webhook to the fill, and a stored signal's text."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from exengine.domain.journal import Category, Severity


class TrailKind(Enum):
    """What a row of the audit trail tells of."""

    SIGNAL = "signal"
    DECISION = "decision"
    QUEUE = "queue"
    RISK = "risk"
    ORDER = "order"
    """An order was made, or sent."""
    ANSWER = "answer"
    """What the exchange has said of an order: that it has it, and how it ended."""
    FILL = "fill"
    LINE = "line"
    """What a decision has left in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailRow:
    """One row of the audit trail."""

    at_ms: int
    kind: TrailKind
    severity: Severity
    category: Category
    text: str
    advice: str = ""
    symbol: str = ""
    timeframe: str = ""
    group: str = ""
    signal_id: int | None = None
    cause: str = ""
    """What it goes back to: see `domain.cause`."""
    client_id: str = ""
    """The order's, where it is of one."""


class Past(Protocol):
    """What the store can be asked while the engine runs. Raises StoreFailed where it does not answer."""

    async def trail(self, cause: str) -> tuple[TrailRow, ...]:
        """Everything that goes back to `cause`, oldest first."""
        ...

    async def signal_body(self, signal_id: int) -> str | None:
        """A stored signal's text as it came, secret removed; empty where it is no longer kept, None = no such one."""
        ...
