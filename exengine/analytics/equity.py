"""The equity curve and its falls (SPEC §13), over any span, from the marks that were made at each close."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from exengine.analytics import ratios
from exengine.analytics.calendar import Calendar, Span
from exengine.analytics.columns import Column, Floats, Ints, Money
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.results import EquityMark


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """How things stand at this moment, in USD."""

    at_ms: int
    start_equity: Decimal
    """The accounts' capital at their start."""
    unrealised: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Equity at both ends of a span and at each close in it, in USD. Times are epoch ms."""

    at: Ints
    total: Floats
    realised: Floats
    falls: Floats | None
    """Below the highest total before, in per cent; None where that is undefined."""
    returns: Floats
    """Of each of the trader's days."""

    @property
    def max_drawdown(self) -> float | None:
        return float(self.falls.max()) if self.falls is not None else None

    @property
    def current_drawdown(self) -> float | None:
        return float(self.falls[-1]) if self.falls is not None else None


class Equity:
    """All marks, in the order in which they were made."""

    def __init__(self) -> None:
        self._at, self._realised, self._unrealised = Column(np.int64), Money(), Money()
        self._latest_ms = 0
        self.unknown = 0
        """How many do not say what was open: there the total is taken for what was realised."""

    def __len__(self) -> int:
        return len(self._at)

    def add(self, marks: Iterable[EquityMark]) -> None:
        marks = list(marks)
        with arithmetic():
            self._realised.extend(mark.realised for mark in marks)
            self._unrealised.extend(ZERO if mark.unrealised is None else mark.unrealised for mark in marks)
        self.unknown += sum(mark.unrealised is None for mark in marks)
        # A clock that was set back puts no mark before one that was made by then.
        risen = np.maximum.accumulate([self._latest_ms, *(mark.at_ms for mark in marks)])
        self._latest_ms = int(risen[-1])
        self._at.extend(risen[1:].tolist())

    def realised_in(self, span: Span) -> Decimal:
        """What closes in a span have brought, net of fees."""
        first, last = self._bounds(span)
        with arithmetic():
            return self._realised_before(last) - self._realised_before(first)

    def _realised_before(self, place: int) -> Decimal:
        return self._realised.at(place - 1) if place else ZERO

    def _bounds(self, span: Span) -> tuple[int, int]:
        at = self._at.values
        first = 0 if span.from_ms is None else int(np.searchsorted(at, span.from_ms, side="left"))
        last = len(at) if span.to_ms is None else int(np.searchsorted(at, span.to_ms, side="left"))
        return first, max(first, last)

    @property
    def began_at_ms(self) -> int | None:
        return int(self._at.values[0]) if len(self) else None

    def curve(self, span: Span, now: Now, calendar: Calendar, began_at_ms: int) -> Curve:
        """The curve of a span: what stood at its beginning, each close, and what stands now or stood at its end.

        `began_at_ms` is when the first trade began. Where two marks are of one moment, the later one counts.
        """
        first, last = self._bounds(span)
        rows, start = slice(first, last), float(now.start_equity)
        realised, unrealised = self._realised.floats(rows), self._unrealised.floats(rows)
        at = self._at.values[rows]
        latest = np.append(at[1:] != at[:-1], True) if len(at) else np.zeros(0, dtype=np.bool_)
        at, realised, unrealised = at[latest], realised[latest], unrealised[latest]
        begins_ms = began_at_ms if span.from_ms is None else max(span.from_ms, began_at_ms)
        ends_ms = now.at_ms if span.to_ms is None else span.to_ms - 1
        before, floating = self._standing(first)
        closes = start + realised + unrealised
        after, end_floating = self._standing(last)
        if span.to_ms is None:
            end_floating = float(now.unrealised)
        if len(at):
            begins_ms, ends_ms = min(begins_ms, int(at[0])), max(ends_ms, int(at[-1]))
        ends_ms = max(begins_ms, ends_ms)
        total = np.concatenate(([start + before + floating], closes, [start + after + end_floating]))
        return Curve(
            at=np.concatenate(([begins_ms], at, [ends_ms])).astype(np.int64),
            total=total,
            realised=np.concatenate(([start + before], start + realised, [start + after])),
            falls=ratios.falls(total),
            returns=ratios.daily_returns(float(total[0]), calendar.days(begins_ms, ends_ms), at, closes),
        )

    def _standing(self, place: int) -> tuple[float, float]:
        """(realised, unrealised) after the marks before `place`."""
        if not place:
            return 0.0, 0.0
        last = slice(place - 1, place)
        return float(self._realised.floats(last)[0]), float(self._unrealised.floats(last)[0])
