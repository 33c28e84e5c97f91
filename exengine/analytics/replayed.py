"""What the window asks of a replay and shows of it: figures, curves and trades (SPEC §12, §13)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from exengine.analytics import ratios
from exengine.analytics.columns import Floats, Ints
from exengine.domain.instrument import Side

Figure = Decimal | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayAsk:
    """Which signals and prices are to be replayed."""

    signals: Path | None = None
    """A file of recorded signals; None = the program's own log of them."""
    since_ms: int | None = None
    until_ms: int | None = None
    """The stretch of time, its end not within; None = no end on that side."""
    prices: tuple[Path, ...] = ()
    """A file a symbol, named by its exchange id; none = they are downloaded."""
    exchange: str = "binance"
    timeframe: str = "1m"
    """Whose bars are downloaded, and of what length."""
    markets: Path | None = None
    """A file of market rules; None = those that the accounts list now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsThere:
    """What there is in the log to be replayed."""

    count: int
    first_ms: int | None = None
    last_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a replay has come to."""

    text: str
    shares: tuple[float, ...] = ()
    """How much of it is done, 0 to 1; of each configuration while they are played. Nothing where that is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayTrade:
    """One group of a replay; amounts in USD."""

    group: str
    symbol: str
    timeframe: str
    side: Side
    opened_at_ms: int
    closed_at_ms: int | None
    """None while it is open."""
    reason: str
    pyramids: int
    realised: Decimal
    """Net of fees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A replay that has come to its end."""

    figures: Mapping[str, Figure]
    """Those of summary.json, with `net_profit` and `profit_over_drawdown`."""
    at: Ints
    total: Floats
    """Total equity in USD at both ends and at each close."""
    falls: Floats | None
    """Below the highest total before, in per cent; None where that is undefined."""
    trades: tuple[ReplayTrade, ...]
    events: int
    """How many prices, signals and commands it had."""


def replayed(
    figures: Mapping[str, Figure],
    points: Sequence[tuple[int, Decimal]],
    trades: Sequence[ReplayTrade],
    events: int,
) -> Replayed:
    """`points` are times and total equity."""
    total = np.array([float(value) for _, value in points], dtype=np.float64)
    return Replayed(
        figures=figures,
        at=np.array([at_ms for at_ms, _ in points], dtype=np.int64),
        total=total,
        falls=ratios.falls(total),
        trades=tuple(trades),
        events=events,
    )
