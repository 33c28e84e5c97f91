"""One replay of several over the same signals and prices: what a worker is told, and what comes back of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from exengine.analytics.replayed import Replayed, ReplayTrade, replayed
from exengine.bootstrap.replay import Played, ReplayInputs, play
from exengine.domain import pnl
from exengine.domain.capital import usd_value
from exengine.domain.errors import UserError
from exengine.domain.group import Group
from exengine.domain.instrument import Instrument
from exengine.domain.money import arithmetic
from exengine.domain.settings import Settings
from exengine.domain.state import State
from exengine.exchange import market_rules
from exengine.exchange.markets.price_columns import read_columns
from exengine.exchange.markets.price_file import check
from exengine.replay import output
from exengine.replay.chart import MOST_POINTS, thinned
from exengine.replay.ranking import with_profit
from exengine.replay.signals_file import Recorded
from exengine.replay.tape import Tape

Share = Callable[[float], None]
"""Is told how much of a replay is done, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Inputs whose prices are still in files: a worker of this machine reads them itself."""

    prices: tuple[Path, ...]
    instruments: tuple[Instrument, ...]
    recorded: tuple[Recorded, ...]
    secret: str | None = None

    def read(self, settings: Settings) -> ReplayInputs:
        """Raises UserError for the first file that is wrong."""
        tapes: dict[str, Tape] = {}
        for path in self.prices:
            if path.stem in tapes:
                raise UserError(f"{path}: there is another file for {path.stem}.", remedy="Give one file a symbol.")
            tapes[path.stem] = _tape_of(path)
        return ReplayInputs(
            settings=settings,
            instruments=self.instruments,
            tapes=tapes,
            recorded=self.recorded,
            secret=self.secret,
        )


def _tape_of(path: Path) -> Tape:
    """A price file as a tape. Raises UserError with the first row that is wrong."""
    columns = read_columns(path)
    return Tape.of(*columns) if columns is not None else Tape(check(path).ticks(-1))


def read_markets(path: Path) -> tuple[Instrument, ...]:
    """The market rules of an M.json. Raises UserError."""
    try:
        return market_rules.from_json(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}.", remedy="It is M.json: market rules by symbol.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One replay under settings of its own."""

    number: int
    settings: Settings
    out: Path | None = None
    """Where its files are to be written, on this machine; None = nowhere, and only its figures are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a replay has come to."""

    number: int
    figures: dict[str, Any]
    """Those of summary.json, and those that they are ranked by."""
    equity: tuple[tuple[int, Decimal], ...] = ()
    """Time and total equity, no finer than a drawing shows it."""
    whole: Replayed | None = None
    """Where its files were asked for, everything that the window shows."""


def work(inputs: ReplayInputs, job: Job, share: Share = lambda done: None) -> Ran:
    """Plays one job to its end. Raises UserError where its files could not be written."""
    played = play(replace(inputs, settings=job.settings), _sharing(inputs, share))
    points = [(one.at_ms, one.total) for one in played.points]
    with arithmetic():
        figures = with_profit(output.summary(played.state, played.record, played.points))
        if job.out is None:
            return Ran(number=job.number, figures=figures, equity=tuple(thinned(points, MOST_POINTS)))
        whole = replayed(figures, points, _trades(played), played.events)
    output.save(job.out, played.state, played.record, played.points)
    return Ran(number=job.number, figures=figures, whole=whole)


def _sharing(inputs: ReplayInputs, share: Share) -> Callable[[int, int], None]:
    first, last = inputs.span_ms or (0, 0)

    def told(at_ms: int, _: int) -> None:
        if last > first:
            share(min(max((at_ms - first) / (last - first), 0.0), 1.0))

    return told


def _trades(played: Played) -> Sequence[ReplayTrade]:
    return [_trade(played.state, group) for group in played.record.groups.values() if group.has_filled]


def _trade(state: State, group: Group) -> ReplayTrade:
    return ReplayTrade(
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
