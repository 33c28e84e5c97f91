"""The one table of what is worth telling the trader of, for the strip, the toasts, the tray and what is sent away."""

from collections.abc import Collection
from dataclasses import dataclass

from exengine.domain.journal import Severity, Topic
from exengine.engine.rows import LogRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a line of the log is brought before the trader's eyes."""

    strip: bool = False
    """It stands on the alert strip until it is dismissed or resolved."""
    toast: bool = False
    """It is shown for a few seconds."""
    tray: bool = False
    """It is told by the desktop where the window is not in front."""
    resolves: Topic | None = None
    """The line ends what an earlier one of that topic has told, of the same account where it is of one."""


_SILENT = Manner()
_LOUD = Manner(strip=True, toast=True, tray=True)
_TOLD = Manner(toast=True, tray=True)
_SEEN = Manner(toast=True)

_BY_TOPIC = {
    Topic.ACCOUNT_BACK: Manner(toast=True, tray=True, resolves=Topic.ACCOUNT_AWAY),
    Topic.STORE_BACK: Manner(toast=True, tray=True, resolves=Topic.STORE_TROUBLE),
    Topic.RESUMED: Manner(toast=True, resolves=Topic.PAUSED),
    Topic.PAUSED: _TOLD,
    Topic.LIMIT_REACHED: _LOUD,
    Topic.PANIC: _TOLD,
    Topic.QUEUE_FULL: _TOLD,
    Topic.GROUP_OPENED: _SEEN,
    Topic.GROUP_CLOSED: _TOLD,
    Topic.OFFSET: _TOLD,
    Topic.DAILY_SUMMARY: Manner(tray=True),
    Topic.STARTED: _SILENT,
    Topic.STOPPED: _SILENT,
}
"""Every topic that is not here is an error, and as loud as any."""

_BY_SEVERITY = {Severity.ERROR: _LOUD, Severity.WARNING: _SEEN, Severity.INFO: _SILENT}


def manner(row: LogRow) -> Manner:
    """How a line is told. A line of an earlier run is told on the strip alone: its moment has passed."""
    by_severity = _BY_SEVERITY[row.severity]
    return by_severity if row.topic is None else _BY_TOPIC.get(row.topic, by_severity)


SENDABLE = tuple(topic for topic in Topic if topic is not Topic.NOTICES_FAIL)
"""Topics that `notifications[].events` may name; that notices do not arrive is not told by notices."""


def is_wanted(row: LogRow, events: Collection[str]) -> bool:
    """Whether a place that asks for `events` is told: each is a severity, a category or a topic, by its value."""
    if row.topic is Topic.NOTICES_FAIL:
        return False
    topic = "" if row.topic is None else row.topic.value
    return row.severity.value in events or row.category.value in events or topic in events
