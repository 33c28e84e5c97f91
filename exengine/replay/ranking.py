"""Ranks the runs of a sweep by a figure of their summaries (SPEC §13), the best first, the same way every time."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exengine.domain.money import HUNDRED, ZERO, arithmetic

NET_PROFIT, OVER_DRAWDOWN = "net_profit", "profit_over_drawdown"
DEFAULT = OVER_DRAWDOWN
LESS_IS_BETTER = frozenset({"max_drawdown_percent", "current_drawdown_percent", "fees", "losses", "groups_open"})
RANKED_BY = (
    OVER_DRAWDOWN, NET_PROFIT, "end_equity", "realised_pnl", "unrealised_pnl", "fees", "volume", "groups_closed",
    "groups_open", "wins", "losses", "win_rate", "average_win", "average_loss", "rr", "profit_factor",
    "max_drawdown_percent", "current_drawdown_percent", "sharpe", "sortino", "best", "worst", "long_pnl", "short_pnl",
)  # fmt: skip
"""The figures that runs can be ranked by: those of summary.json, and the two that `with_profit` adds."""

Figures = Mapping[str, Any]
Rank = tuple[int, Decimal, Decimal, int]


def with_profit(summary: Figures) -> dict[str, Any]:
    """A summary with its `net_profit` (end less start, open groups at their last price, in USD) and its
    `profit_over_drawdown`: that profit in per cent of the start, by the largest drawdown in per cent."""
    start, drawdown = summary["start_equity"], summary["max_drawdown_percent"]
    with arithmetic():
        profit = summary["end_equity"] - start
        over = profit / start * HUNDRED / drawdown if start and drawdown else None
    return {NET_PROFIT: profit, OVER_DRAWDOWN: over, **summary}


def rank(figures: Figures, by: str, number: int) -> Rank:
    """What to sort by: the best run is the smallest. Undefined figures come last, ties by profit, then by number.

    A profit without any drawdown has no ratio, and nothing is better: such runs come first.
    """
    value, profit = figures[by], Decimal(figures[NET_PROFIT])
    if value is None:
        if by == OVER_DRAWDOWN and profit > 0 and figures["max_drawdown_percent"] == 0:
            return 0, ZERO, -profit, number
        return 2, ZERO, -profit, number
    return 1, Decimal(value if by in LESS_IS_BETTER else -value), -profit, number
