"""The audit trail in pages, older than what the window has in memory: what is wanted of it, and who reads it."""

from dataclasses import dataclass
from typing import Protocol

from exengine.engine.rows import Category, LogRow, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWanted:
    """Which lines are let through. Nothing chosen of a kind lets all of that kind through."""

    severities: frozenset[Severity] = frozenset()
    categories: frozenset[Category] = frozenset()
    words: tuple[str, ...] = ()
    """In small letters; a line has all of them, in its text, its advice or what it is about."""
    group: str = ""
    since_ms: int | None = None
    until_ms: int | None = None
    """Up to, and not at."""

    @property
    def is_on(self) -> bool:
        """Whether anything is held back at all."""
        return self != LogWanted()

    def matches(self, row: LogRow) -> bool:
        if self.severities and row.severity not in self.severities:
            return False
        if self.categories and row.category not in self.categories:
            return False
        if self.group and row.group != self.group:
            return False
        if self.since_ms is not None and row.at_ms < self.since_ms:
            return False
        if self.until_ms is not None and row.at_ms >= self.until_ms:
            return False
        text = f"{row.text} {row.symbol} {row.timeframe} {row.advice} {row.group}".lower() if self.words else ""
        return all(word in text for word in self.words)


class LogPages(Protocol):
    """Reads the audit trail from the store. Raises StoreFailed where it does not answer."""

    async def before(self, log_id: int | None, wanted: LogWanted, count: int) -> tuple[LogRow, ...]:
        """The last `count` wanted lines before a number (None = of all), oldest first; fewer = there are no more."""
        ...
