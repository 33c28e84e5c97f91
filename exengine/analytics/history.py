"""What the figures are made of and where it comes from: pages of results and marks, and what today has been like."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from exengine.domain.results import EquityMark, GroupResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many rows there are to read, nearly."""

    results: int
    marks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPage:
    """Some results, in the order in which the groups closed."""

    rows: tuple[GroupResult, ...]
    last: int
    """The number to go on behind."""
    is_end: bool
    """Whether there were no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityPage:
    """Some marks, in the order in which they were made."""

    rows: tuple[EquityMark, ...]
    last: int
    is_end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error that the trader was told of."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What has happened since the beginning of the trader's day."""

    fees: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """(account, quote) to what was paid, in quote."""
    signals: dict[str, int] = field(default_factory=dict)
    """How many ended in each outcome of SPEC §12; an empty one is still being decided."""
    slowest_ms: int | None = None
    """From the signal's coming in to the exchange's answer to its first order, of the slowest; None without any."""
    offsets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(loser, winners that paid for it), by group."""
    errors: int = 0
    last_error: Problem | None = None


class History(Protocol):
    """The store's side. Raises what the store raises where it cannot be read."""

    async def size(self) -> Size: ...

    async def results_after(self, seq: int, count: int) -> ResultPage:
        """At most `count` results behind number `seq`; 0 is the beginning."""
        ...

    async def equity_after(self, seq: int, count: int) -> EquityPage:
        """At most `count` marks behind number `seq`."""
        ...

    async def day(self, since_ms: int) -> Day: ...
