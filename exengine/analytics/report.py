"""Everything that the Performance dock shows, worked out in one go."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from exengine.analytics import groups, ratios
from exengine.analytics.calendar import Calendar, Range, Span
from exengine.analytics.equity import Curve, Equity, Now
from exengine.analytics.groups import GroupFigures, Heat, Part
from exengine.analytics.history import Day
from exengine.analytics.ratios import Histogram
from exengine.analytics.trades import Line, Trades

FOREMOST = 10
"""So many best and so many worst groups are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the trader looks at."""

    range: Range = Range.ALL
    custom: tuple[date, date] | None = None
    """The first and the last day, where the range is one of the trader's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Realised:
    """What closes have brought, by the trader's calendar, in USD."""

    today: Decimal
    week: Decimal
    month: Decimal
    all: Decimal
    in_range: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The day so far."""

    begins_ms: int
    figures: GroupFigures
    best: Line | None
    worst: Line | None
    day: Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The dock's content. Of the range, but for what names another stretch of time in `realised`, `now` and `today`."""

    wanted: Wanted
    now: Now
    begins_ms: int
    ends_ms: int
    realised: Realised
    figures: GroupFigures
    longs: GroupFigures
    shorts: GroupFigures
    curve: Curve
    sharpe: float | None
    sortino: float | None
    days: int
    """How many days the two are worked out over."""
    histogram: Histogram
    returns: int
    """How many groups it counts: those that filled."""
    heat: Heat
    by_pair: list[Part]
    by_timeframe: list[Part]
    by_strategy: list[Part]
    best: list[Line]
    worst: list[Line]
    today: Today
    known: int
    """Of how many closed groups and marks all of it was worked out; with none there is nothing to show."""
    left_out: int
    """Groups that no price in USD is known for."""
    estimated: int
    """Points of the whole curve that do not say what was open then."""


def report(trades: Trades, equity: Equity, day: Day, wanted: Wanted, now: Now, calendar: Calendar) -> Report:
    """The figures of what the trader looks at, as of `now`."""
    span = calendar.span(wanted.range, now.at_ms, wanted.custom)
    chosen = trades.select(span)
    longs, shorts = groups.sides(trades, chosen)
    began = [one for one in (trades.began_at_ms, equity.began_at_ms) if one is not None]
    curve = equity.curve(span, now, calendar, min(began, default=now.at_ms))
    return Report(
        wanted=wanted,
        now=now,
        begins_ms=int(curve.at[0]),
        ends_ms=int(curve.at[-1]),
        realised=_realised(equity, now, calendar, span),
        figures=groups.overall(trades, chosen),
        longs=longs,
        shorts=shorts,
        curve=curve,
        sharpe=ratios.sharpe(curve.returns),
        sortino=ratios.sortino(curve.returns),
        days=len(curve.returns),
        histogram=ratios.histogram(chosen.returns),
        returns=len(chosen.returns),
        heat=groups.heat(trades, chosen),
        by_pair=groups.by_pair(trades, chosen),
        by_timeframe=groups.by_timeframe(trades, chosen),
        by_strategy=groups.by_strategy(trades, chosen),
        best=trades.best(chosen, FOREMOST),
        worst=trades.worst(chosen, FOREMOST),
        today=_today(trades, day, now, calendar),
        known=len(trades) + len(equity),
        left_out=trades.left_out,
        estimated=equity.unknown,
    )


def _realised(equity: Equity, now: Now, calendar: Calendar, span: Span) -> Realised:
    return Realised(
        today=equity.realised_in(Span(from_ms=calendar.day(now.at_ms))),
        week=equity.realised_in(Span(from_ms=calendar.week(now.at_ms))),
        month=equity.realised_in(Span(from_ms=calendar.month(now.at_ms))),
        all=equity.realised_in(Span()),
        in_range=equity.realised_in(span),
    )


def _today(trades: Trades, day: Day, now: Now, calendar: Calendar) -> Today:
    begins_ms = calendar.day(now.at_ms)
    chosen = trades.select(Span(from_ms=begins_ms))
    best, worst = trades.best(chosen, 1), trades.worst(chosen, 1)
    return Today(
        begins_ms=begins_ms,
        figures=groups.overall(trades, chosen),
        best=best[0] if best else None,
        worst=worst[0] if worst else None,
        day=day,
    )
