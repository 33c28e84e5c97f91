"""The numbers on the dashboard and in a replay's summary, exactly as SPEC §13 defines them; None where undefined."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exengine.domain.money import HUNDRED, ONE, ZERO

DAYS_A_YEAR = Decimal(365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """What a number of closed groups have brought, in quote."""

    wins: int
    losses: int
    win_rate: Decimal | None
    """A share, not per cent."""
    average_win: Decimal | None
    average_loss: Decimal | None
    rr: Decimal | None
    profit_factor: Decimal | None
    best: Decimal | None
    worst: Decimal | None


def trades(results: Sequence[Decimal]) -> Trades:
    """The figures of closed groups' realised PnLs."""
    won = [result for result in results if result > 0]
    lost = [result for result in results if result < 0]
    average_win = sum(won, ZERO) / len(won) if won else None
    average_loss = sum(lost, ZERO) / len(lost) if lost else None
    return Trades(
        wins=len(won),
        losses=len(lost),
        win_rate=Decimal(len(won)) / len(results) if results else None,
        average_win=average_win,
        average_loss=average_loss,
        rr=average_win / -average_loss if average_win is not None and average_loss is not None else None,
        profit_factor=sum(won, ZERO) / -sum(lost, ZERO) if lost else None,
        best=max(results, default=None),
        worst=min(results, default=None),
    )


def drawdowns(totals: Sequence[Decimal]) -> tuple[Decimal | None, Decimal | None]:
    """(largest, current) peak-to-trough fall of total equity, in per cent of the peak."""
    if not totals:
        return None, None
    peak, largest, current = totals[0], ZERO, ZERO
    for total in totals:
        peak = max(peak, total)
        if peak <= 0:
            return None, None
        current = (peak - total) / peak * HUNDRED
        largest = max(largest, current)
    return largest, current


def daily_returns(start: Decimal, by_day: Sequence[Decimal | None]) -> list[Decimal]:
    """A return for each day: of its total at the last close to the day's before; 0 for a day without a close."""
    returns, before = [], start
    for total in by_day:
        if total is None or before == 0:
            returns.append(ZERO)
        else:
            returns.append(total / before - ONE)
            before = total
    return returns


def sharpe(returns: Sequence[Decimal]) -> Decimal | None:
    """mean / standard deviation (sample) × √365; None for fewer than two days or without any movement."""
    if len(returns) < 2:
        return None
    mean = sum(returns, ZERO) / len(returns)
    variance = sum(((one - mean) ** 2 for one in returns), ZERO) / (len(returns) - 1)
    return mean / variance.sqrt() * DAYS_A_YEAR.sqrt() if variance else None


def sortino(returns: Sequence[Decimal]) -> Decimal | None:
    """mean / downside deviation √(Σ min(r, 0)² / n) × √365; None for fewer than two days or without a fall."""
    if len(returns) < 2:
        return None
    mean = sum(returns, ZERO) / len(returns)
    downside = sum((min(one, ZERO) ** 2 for one in returns), ZERO) / len(returns)
    return mean / downside.sqrt() * DAYS_A_YEAR.sqrt() if downside else None
