"""Builds results of closed groups and equity marks, so that a test names only what matters to it."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from exengine.analytics.history import Day, EquityPage, ResultPage, Size
from exengine.domain.instrument import Side
from exengine.domain.money import arithmetic
from exengine.domain.results import EquityMark, GroupResult

D = Decimal
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
START_MS = 1_767_225_600_000
"""2026-01-01 00:00:00 UTC."""


def at(text: str) -> int:
    """Epoch ms of `2026-01-31 13:05`, UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def result(
    realised: str | Decimal,
    *,
    number: int = 1,
    symbol: str = "BTC/USDT",
    timeframe: str = "1h",
    side: Side = Side.LONG,
    strategy: str = "",
    quote: str = "USDT",
    account: str = "paper",
    opened_at_ms: int | None = None,
    closed_at_ms: int = START_MS + HOUR_MS,
    cost: str | Decimal = "100",
) -> GroupResult:
    return GroupResult(
        group_id=f"{account}|{symbol}|{timeframe}#{number}",
        account=account,
        symbol=symbol,
        timeframe=timeframe,
        side=side,
        quote=quote,
        strategy=strategy,
        opened_at_ms=closed_at_ms - HOUR_MS if opened_at_ms is None else opened_at_ms,
        closed_at_ms=closed_at_ms,
        realised=D(realised),
        cost=D(cost),
        fees=D("0.2"),
    )


def mark(realised: str | Decimal, *, at_ms: int, unrealised: str | Decimal | None = "0") -> EquityMark:
    return EquityMark(at_ms=at_ms, realised=D(realised), unrealised=None if unrealised is None else D(unrealised))


SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "AVAX/USDT", "LINK/USDT", "DOGE/USDT", "XRP/USDT", "ADA/USDT")
TIMEFRAMES = ("15m", "30m", "1h", "2h", "4h", "1d")
STRATEGIES = ("Momentum", "Mean reversion", "Breakout", "")


def traded(
    count: int, *, until_ms: int, span_ms: int = 60 * DAY_MS, seed: int = 7, symbols: Sequence[str] = SYMBOLS
) -> tuple[list[GroupResult], list[EquityMark]]:
    """As many groups as are wanted, closed over a span of time, each with the mark of its close."""
    chance = random.Random(seed)
    rows, marks, total = [], [], D(0)
    step = span_ms // max(count, 1)
    with arithmetic():
        for number in range(1, count + 1):
            closed_at_ms = until_ms - span_ms + number * step - chance.randrange(max(step // 2, 1))
            cost = D(chance.randrange(40_000, 400_000)) / 100
            percent = D(str(round(chance.gauss(1.2, 0.7) if chance.random() < 0.7 else chance.uniform(-4.8, 0), 4)))
            realised = (cost * percent / 100).quantize(D("1e-10"))
            rows.append(
                result(
                    realised,
                    number=number,
                    symbol=chance.choice(symbols),
                    timeframe=chance.choice(TIMEFRAMES),
                    side=chance.choice((Side.LONG, Side.LONG, Side.SHORT)),
                    strategy=chance.choice(STRATEGIES),
                    opened_at_ms=closed_at_ms - chance.randrange(HOUR_MS, 2 * DAY_MS),
                    closed_at_ms=closed_at_ms,
                    cost=cost,
                )
            )
            total += realised
            drift = D(str(round(chance.gauss(0, 130), 2)))
            marks.append(EquityMark(at_ms=closed_at_ms, realised=total, unrealised=drift))
    return rows, marks


@dataclass
class Shelf:
    """A history in memory, handed out in pages as the store does."""

    rows: list[GroupResult] = field(default_factory=list)
    marks: list[EquityMark] = field(default_factory=list)
    today: Day = field(default_factory=Day)
    fault: Exception | None = None
    asked: list[tuple[str, int]] = field(default_factory=list)
    """(what, behind which number) of every read."""

    def add(self, rows: Iterable[GroupResult], marks: Iterable[EquityMark] = ()) -> None:
        self.rows.extend(rows)
        self.marks.extend(marks)

    def _read(self, what: str, seq: int) -> None:
        self.asked.append((what, seq))
        if self.fault is not None:
            raise self.fault

    async def size(self) -> Size:
        self._read("size", 0)
        return Size(results=len(self.rows), marks=len(self.marks))

    async def results_after(self, seq: int, count: int) -> ResultPage:
        self._read("results", seq)
        rows = tuple(self.rows[seq : seq + count])
        return ResultPage(rows=rows, last=seq + len(rows), is_end=len(rows) < count)

    async def equity_after(self, seq: int, count: int) -> EquityPage:
        self._read("equity", seq)
        marks = tuple(self.marks[seq : seq + count])
        return EquityPage(rows=marks, last=seq + len(marks), is_end=len(marks) < count)

    async def day(self, since_ms: int) -> Day:
        self._read("day", since_ms)
        return self.today
