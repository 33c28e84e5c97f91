"""Closed groups in columns: a new one is added, everything that is asked of them is worked out over arrays."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from exengine.analytics.calendar import Span
from exengine.analytics.columns import Column, Floats, Money, Names
from exengine.domain.capital import DOLLARS
from exengine.domain.instrument import Side
from exengine.domain.money import ONE, arithmetic
from exengine.domain.results import GroupResult

Rates = Callable[[str, str], Decimal | None]
"""(account, quote) to what one unit of the quote is worth in USD; None where no price tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One closed group, as the best and the worst are listed."""

    group_id: str
    symbol: str
    timeframe: str
    side: Side
    closed_at_ms: int
    result: Decimal
    """In USD, net of fees."""
    return_percent: float | None
    """PnL / cost; None where nothing was bought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The closed groups of a span."""

    rows: slice
    pnl: Floats
    returns: Floats
    """In per cent; of those that filled."""


class Trades:
    """All closed groups, in the order in which they closed."""

    def __init__(self) -> None:
        self.closed_at, self.results = Column(np.int64), Money()
        self._pnl, self._returns = Column(np.float64), Column(np.float64)
        self.pair_codes, self.timeframe_codes = Column(np.int64), Column(np.int64)
        self.strategy_codes, self.is_long = Column(np.int64), Column(np.bool_)
        self.pairs, self.timeframes, self.strategies = Names(), Names(), Names()
        self._ids: list[str] = []
        self._latest_ms = 0
        self.began_at_ms: int | None = None
        """When the first of them was opened."""
        self.unvalued: set[tuple[str, str]] = set()
        """(account, quote) of those left out because no price in USD is known."""
        self.left_out = 0

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, rows: Iterable[GroupResult], rate: Rates) -> None:
        """Takes groups that have closed, in their order. Quotes other than dollars are worth what they are now."""
        with arithmetic():
            valued = [(row, worth) for row in rows if (worth := self._worth(row, rate)) is not None]
            self.results.extend(row.realised * worth for row, worth in valued)
            self._pnl.extend([float(row.realised * worth) for row, worth in valued])
            self._returns.extend(
                [float(row.realised / row.cost * 100) if row.cost > 0 else np.nan for row, _ in valued]
            )
        self.closed_at.extend([self._risen(row.closed_at_ms) for row, _ in valued])
        self.pair_codes.extend([self.pairs.code(row.symbol) for row, _ in valued])
        self.timeframe_codes.extend([self.timeframes.code(row.timeframe) for row, _ in valued])
        self.strategy_codes.extend([self.strategies.code(row.strategy) for row, _ in valued])
        self.is_long.extend([row.side is Side.LONG for row, _ in valued])
        self._ids.extend(row.group_id for row, _ in valued)
        opened = [row.opened_at_ms for row, _ in valued]
        if self.began_at_ms is not None:
            opened.append(self.began_at_ms)
        self.began_at_ms = min(opened, default=None)

    def _worth(self, row: GroupResult, rate: Rates) -> Decimal | None:
        if row.quote in DOLLARS or not row.realised:
            return ONE
        worth = rate(row.account, row.quote)
        if worth is None:
            self.unvalued.add((row.account, row.quote))
            self.left_out += 1
        return worth

    def _risen(self, at_ms: int) -> int:
        """A clock that was set back puts no group before one that had closed by then."""
        self._latest_ms = max(self._latest_ms, at_ms)
        return self._latest_ms

    # what is asked ---------------------------------------------------------------------------------------------------

    def select(self, span: Span) -> Selected:
        """Those that have closed in a span."""
        at = self.closed_at.values
        first = 0 if span.from_ms is None else int(np.searchsorted(at, span.from_ms, side="left"))
        last = len(at) if span.to_ms is None else int(np.searchsorted(at, span.to_ms, side="left"))
        rows = slice(first, max(first, last))
        returns = self._returns.values[rows]
        return Selected(rows=rows, pnl=self._pnl.values[rows], returns=returns[~np.isnan(returns)])

    def best(self, chosen: Selected, count: int) -> list[Line]:
        """The largest wins, largest first; of equal ones the earlier."""
        return [self.line(place) for place in self._foremost(chosen, -chosen.pnl, count)]

    def worst(self, chosen: Selected, count: int) -> list[Line]:
        """The largest losses, largest first."""
        return [self.line(place) for place in self._foremost(chosen, chosen.pnl, count)]

    def _foremost(self, chosen: Selected, keys: Floats, count: int) -> list[int]:
        """Where the lowest keys below zero are, lowest first."""
        wanted = np.flatnonzero(keys < 0)
        if len(wanted) > count:
            limit = np.partition(keys[wanted], count - 1)[count - 1]
            wanted = wanted[keys[wanted] <= limit]
        ordered = wanted[np.argsort(keys[wanted], kind="stable")][:count]
        return [int(place) + chosen.rows.start for place in ordered]

    def line(self, place: int) -> Line:
        group_id = self._ids[place]
        gained = float(self._returns.values[place])
        with arithmetic():
            result = self.results.at(place)
        return Line(
            group_id=group_id,
            symbol=self.pairs.all[self.pair_codes.values[place]],
            timeframe=self.timeframes.all[self.timeframe_codes.values[place]],
            side=Side.LONG if self.is_long.values[place] else Side.SHORT,
            closed_at_ms=int(self.closed_at.values[place]),
            result=result,
            return_percent=None if np.isnan(gained) else gained,
        )
