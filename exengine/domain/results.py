"""What a closed group has come to, and the equity at a close: what the dashboard's figures are made of (SPEC §13)."""

from dataclasses import dataclass
from decimal import Decimal

from exengine.domain import pnl
from exengine.domain.group import Group
from exengine.domain.instrument import Side
from exengine.domain.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupResult:
    """A group that has closed. Amounts in its quote, times in epoch ms."""

    group_id: str
    account: str
    symbol: str
    timeframe: str
    side: Side
    quote: str
    strategy: str
    """The alert's name of the signal that opened it; empty where it brought none."""
    opened_at_ms: int
    closed_at_ms: int
    realised: Decimal
    """Net of all fees."""
    cost: Decimal
    """Of everything it ever bought, fees in it; 0 where nothing filled."""
    fees: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityMark:
    """Equity when something had closed: both add to the accounts' capital at their start. In USD."""

    at_ms: int
    realised: Decimal
    """Of all closes so far."""
    unrealised: Decimal | None
    """Of what was open at that moment; None where that was not written down."""


def result_of(group: Group, strategy: str) -> GroupResult:
    """The result of a group that has closed. Call it within `money.arithmetic`; raises ValueError for an open one."""
    if group.closed_at_ms is None:
        raise ValueError(f"group {group.id} has not closed")
    return GroupResult(
        group_id=group.id,
        account=group.key.account,
        symbol=group.key.symbol,
        timeframe=group.key.timeframe,
        side=group.side,
        quote=group.quote,
        strategy=strategy,
        opened_at_ms=group.opened_at_ms,
        closed_at_ms=group.closed_at_ms,
        realised=pnl.realised(group),
        cost=entered_cost(group),
        fees=pnl.fees(group),
    )


def entered_cost(group: Group) -> Decimal:
    """What everything that a group ever bought has cost, fees in it (short: what it brought); unit_cost × entered."""
    return sum((leg.entered_value + group.side.sign * leg.entry_fees_quote for _, leg in group.legs()), ZERO)
