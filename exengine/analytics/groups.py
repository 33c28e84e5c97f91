"""The figures of closed groups: of all of them, and apart by pair, timeframe, strategy and side (SPEC §13)."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from exengine.analytics.columns import Column, Ints, Names
from exengine.analytics.trades import Selected, Trades
from exengine.domain.money import arithmetic

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """What a number of closed groups have brought. Sums in USD, net of fees; None where undefined."""

    closed: int
    wins: int
    losses: int
    won: Decimal
    """Of the wins alone."""
    lost: Decimal
    """Of the losses alone: 0 or below."""

    @property
    def result(self) -> Decimal:
        with arithmetic():
            return self.won + self.lost

    @property
    def average_win(self) -> Decimal | None:
        with arithmetic():
            return self.won / self.wins if self.wins else None

    @property
    def average_loss(self) -> Decimal | None:
        with arithmetic():
            return self.lost / self.losses if self.losses else None

    @property
    def win_percent(self) -> float | None:
        return self.wins / self.closed * 100 if self.closed else None

    @property
    def rr(self) -> float | None:
        """Average win by average loss."""
        win, loss = self.average_win, self.average_loss
        with arithmetic():
            return float(win / -loss) if win is not None and loss is not None else None

    @property
    def profit_factor(self) -> float | None:
        with arithmetic():
            return float(self.won / -self.lost) if self.losses else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One pair, timeframe or strategy of several."""

    name: str
    figures: GroupFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """What each pair has brought on each timeframe, in USD."""

    pairs: tuple[str, ...]
    """The best first."""
    timeframes: tuple[str, ...]
    """The shortest first."""
    cells: dict[tuple[str, str], GroupFigures]
    """By (pair, timeframe); those without a trade are left out."""
    totals: dict[str, Decimal]
    """By pair."""


def overall(trades: Trades, chosen: Selected) -> GroupFigures:
    return _by(trades, chosen, np.zeros(len(chosen.pnl), dtype=np.int64), 1)[0]


def sides(trades: Trades, chosen: Selected) -> tuple[GroupFigures, GroupFigures]:
    """(longs, shorts)"""
    codes = np.where(trades.is_long.values[chosen.rows], 0, 1).astype(np.int64)
    longs, shorts = _by(trades, chosen, codes, 2)
    return longs, shorts


def by_pair(trades: Trades, chosen: Selected) -> list[Part]:
    return _parts(trades, chosen, trades.pairs, trades.pair_codes, lambda part: (-part.figures.result, part.name))


def by_timeframe(trades: Trades, chosen: Selected) -> list[Part]:
    return _parts(
        trades, chosen, trades.timeframes, trades.timeframe_codes, lambda part: (seconds_of(part.name), part.name)
    )


def by_strategy(trades: Trades, chosen: Selected) -> list[Part]:
    return _parts(
        trades, chosen, trades.strategies, trades.strategy_codes, lambda part: (-part.figures.result, part.name)
    )


def heat(trades: Trades, chosen: Selected) -> Heat:
    """Pairs × timeframes: those that occur in the span."""
    wide = max(len(trades.timeframes), 1)
    codes = trades.pair_codes.values[chosen.rows] * wide + trades.timeframe_codes.values[chosen.rows]
    found = _by(trades, chosen, codes, len(trades.pairs) * wide)
    pairs, timeframes = trades.pairs.all, trades.timeframes.all
    cells = {
        (pairs[place // wide], timeframes[place % wide]): figures
        for place, figures in enumerate(found)
        if figures.closed
    }
    totals: dict[str, Decimal] = {}
    with arithmetic():
        for (pair, _), figures in cells.items():
            totals[pair] = totals.get(pair, Decimal(0)) + figures.result
    return Heat(
        pairs=tuple(sorted(totals, key=lambda pair: (-totals[pair], pair))),
        timeframes=tuple(sorted({timeframe for _, timeframe in cells}, key=lambda one: (seconds_of(one), one))),
        cells=cells,
        totals=totals,
    )


def seconds_of(timeframe: str) -> int:
    """How long a bar of a normalised timeframe is, nearly for months; 0 for anything else."""
    number, unit = timeframe[:-1], timeframe[-1:]
    return int(number) * _UNITS[unit] if number.isdigit() and unit in _UNITS else 0


def _parts(
    trades: Trades, chosen: Selected, names: Names, codes: Column, order: Callable[[Part], tuple[object, ...]]
) -> list[Part]:
    found = _by(trades, chosen, codes.values[chosen.rows], len(names))
    parts = [Part(name=name, figures=figures) for name, figures in zip(names.all, found, strict=True) if figures.closed]
    with arithmetic():
        return sorted(parts, key=order)


def _by(trades: Trades, chosen: Selected, codes: Ints, kinds: int) -> list[GroupFigures]:
    won, lost = chosen.pnl > 0, chosen.pnl < 0
    closed = np.bincount(codes, minlength=kinds)
    wins, losses = np.bincount(codes[won], minlength=kinds), np.bincount(codes[lost], minlength=kinds)
    first = chosen.rows.start
    with arithmetic():
        gains = trades.results.by(codes[won], kinds, np.flatnonzero(won) + first)
        costs = trades.results.by(codes[lost], kinds, np.flatnonzero(lost) + first)
    return [
        GroupFigures(closed=int(closed[n]), wins=int(wins[n]), losses=int(losses[n]), won=gains[n], lost=costs[n])
        for n in range(kinds)
    ]
