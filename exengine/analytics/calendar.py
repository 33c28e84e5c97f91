"""The trader's days, weeks and months, and the stretch of time that figures are wanted for."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum
from typing import assert_never
from zoneinfo import ZoneInfo

import numpy as np

from exengine.analytics.columns import Ints


class Range(Enum):
    """What the trader may choose."""

    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From a time on, up to but without another. Epoch ms; None = from the beginning, up to now."""

    from_ms: int | None = None
    to_ms: int | None = None


class Calendar:
    """Time in the trader's timezone; a week begins on Monday."""

    def __init__(self, timezone: str) -> None:
        """`timezone` is an IANA name, as settings have it."""
        self.zone: tzinfo = UTC if timezone == "UTC" else ZoneInfo(timezone)

    def date_of(self, at_ms: int) -> date:
        return _moment(at_ms).astimezone(self.zone).date()

    def begin_of(self, day: date) -> int:
        """When a day begins; where midnight is skipped, the first moment after it."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return int((midnight.astimezone(UTC) - _moment(0)) / timedelta(milliseconds=1))

    def day(self, at_ms: int) -> int:
        """When the day of `at_ms` began."""
        return self.begin_of(self.date_of(at_ms))

    def week(self, at_ms: int) -> int:
        day = self.date_of(at_ms)
        return self.begin_of(day - timedelta(days=day.weekday()))

    def month(self, at_ms: int) -> int:
        return self.begin_of(self.date_of(at_ms).replace(day=1))

    def span(self, wanted: Range, now_ms: int, custom: tuple[date, date] | None = None) -> Span:
        """The stretch of a choice; `custom` is its first and last day."""
        match wanted:
            case Range.TODAY:
                return Span(from_ms=self.day(now_ms))
            case Range.WEEK:
                return Span(from_ms=self.week(now_ms))
            case Range.MONTH:
                return Span(from_ms=self.month(now_ms))
            case Range.ALL:
                return Span()
            case Range.CUSTOM:
                if custom is None:
                    return Span()
                first, last = min(custom), max(custom)
                after = self.begin_of(last + timedelta(days=1))
                return Span(from_ms=self.begin_of(first), to_ms=after if after <= now_ms else None)
            case _:
                assert_never(wanted)

    def days(self, first_ms: int, last_ms: int) -> Ints:
        """When each day began, from the day of `first_ms` to that of `last_ms`."""
        first, last = self.date_of(first_ms), self.date_of(last_ms)
        count = (last - first).days + 1
        return np.array([self.begin_of(first + timedelta(days=number)) for number in range(count)], dtype=np.int64)


def _moment(at_ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
