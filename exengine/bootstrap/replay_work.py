"""One replay of several over the same signals and prices: what a worker is told, and what comes back of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.bootstrap.replay import Played, ReplayInputs, play
from exengine.domain import pnl
from exengine.domain.capital import usd_value
from exengine.domain.group import Group
from exengine.domain.instrument import Side
from exengine.domain.money import arithmetic
from exengine.domain.settings import Settings
from exengine.domain.state import State
from exengine.replay import output
from exengine.replay.chart import MOST_POINTS, thinned
from exengine.replay.curve import Point
from exengine.replay.ranking import with_profit

Share = Callable[[float], None]
"""Is told how much of a replay is done, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One replay under settings of its own."""

    number: int
    settings: Settings
    out: Path | None = None
    """Where its files are to be written, on this machine; None = nowhere, and no trades are told either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One group of a replay, as a table has it; amounts in USD."""

    group: str
    symbol: str
    timeframe: str
    side: Side
    opened_at_ms: int
    closed_at_ms: int | None
    reason: str
    pyramids: int
    realised: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a replay has come to."""

    number: int
    figures: dict[str, Any]
    """Those of summary.json, and those that they are ranked by."""
    equity: tuple[tuple[int, Decimal], ...]
    """Time and total equity, no finer than a drawing shows it."""
    points: tuple[Point, ...] = ()
    trades: tuple[Trade, ...] = ()
    events: int = 0


def work(inputs: ReplayInputs, job: Job, share: Share = lambda done: None) -> Ran:
    """Plays one job to its end. Raises UserError where its files could not be written."""
    played = play(replace(inputs, settings=job.settings), _sharing(inputs, share))
    state, record, points = played.state, played.record, played.points
    with arithmetic():
        figures = with_profit(output.summary(state, record, points))
        equity = tuple(thinned([(one.at_ms, one.total) for one in points], MOST_POINTS))
    if job.out is None:
        return Ran(number=job.number, figures=figures, equity=equity, events=played.events)
    output.save(job.out, state, record, points)
    return Ran(
        number=job.number, figures=figures, equity=equity, points=tuple(points), trades=_trades(played),
        events=played.events,
    )  # fmt: skip


def _sharing(inputs: ReplayInputs, share: Share) -> Callable[[int, int], None]:
    first, last = inputs.span_ms or (0, 0)

    def told(at_ms: int, _: int) -> None:
        if last > first:
            share(min(max((at_ms - first) / (last - first), 0.0), 1.0))

    return told


def _trades(played: Played) -> tuple[Trade, ...]:
    with arithmetic():
        groups = [one for one in played.record.groups.values() if one.has_filled]
        return tuple(_trade(played.state, group) for group in groups)


def _trade(state: State, group: Group) -> Trade:
    return Trade(
        group=group.id,
        symbol=group.key.symbol,
        timeframe=group.key.timeframe,
        side=group.side,
        opened_at_ms=group.opened_at_ms,
        closed_at_ms=group.closed_at_ms,
        reason=group.reason.value if group.reason else "",
        pyramids=len(group.pyramids),
        realised=pnl.realised(group) * usd_value(state, group),
    )
