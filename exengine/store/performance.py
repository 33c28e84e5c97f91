"""What the dashboard reads: results and equity in pages, and what a day has been like; each read is one snapshot."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, Text, func, select, type_coerce

from exengine.analytics.history import Day, EquityPage, Problem, ResultPage, Size
from exengine.domain.instrument import Side
from exengine.domain.journal import Severity
from exengine.domain.money import ZERO, arithmetic
from exengine.domain.results import EquityMark, GroupResult
from exengine.store import schema
from exengine.store.lane import Lane

_SIDES = {side.value: side for side in Side}


class PerformanceReader:
    """Implements `exengine.analytics.history.History` over a store's lane for reading."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def size(self) -> Size:
        return await self._lane.run(size)

    async def results_after(self, seq: int, count: int) -> ResultPage:
        return await self._lane.run(lambda connection: results_after(connection, seq, count))

    async def equity_after(self, seq: int, count: int) -> EquityPage:
        return await self._lane.run(lambda connection: equity_after(connection, seq, count))

    async def day(self, since_ms: int) -> Day:
        return await self._lane.run(lambda connection: day(connection, since_ms))


def size(connection: Connection) -> Size:
    """How much there is to read; a little less where numbers were left out."""
    return Size(results=_last(connection, schema.results), marks=_last(connection, schema.equity))


def _last(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.max(table.c.seq))) or 0


def results_after(connection: Connection, seq: int, count: int) -> ResultPage:
    """At most `count` results behind number `seq`, in the order in which the groups closed."""
    columns = schema.results.c
    found = connection.execute(
        select(
            columns.seq,
            columns.group_id,
            columns.account,
            columns.symbol,
            columns.timeframe,
            type_coerce(columns.side, Text),
            columns.quote,
            columns.strategy,
            columns.opened_at_ms,
            columns.closed_at_ms,
            columns.realised,
            columns.cost,
            columns.fees,
        )
        .where(columns.seq > seq)
        .order_by(columns.seq)
        .limit(count)
    ).all()
    return ResultPage(rows=tuple(map(_result, found)), last=found[-1][0] if found else seq, is_end=len(found) < count)


def _result(row: Sequence[Any]) -> GroupResult:
    """By place, and the side without an enum's own search: a long history has a hundred thousand of them."""
    _, group_id, account, symbol, timeframe, side, quote, strategy, opened_at_ms, closed_at_ms, realised, cost, fees = (
        row
    )
    return GroupResult(
        group_id=group_id,
        account=account,
        symbol=symbol,
        timeframe=timeframe,
        side=_SIDES[side],
        quote=quote,
        strategy=strategy,
        opened_at_ms=opened_at_ms,
        closed_at_ms=closed_at_ms,
        realised=realised,
        cost=cost,
        fees=fees,
    )


def equity_after(connection: Connection, seq: int, count: int) -> EquityPage:
    """At most `count` marks behind number `seq`."""
    columns = schema.equity.c
    found = connection.execute(
        select(columns.seq, columns.at_ms, columns.realised, columns.unrealised)
        .where(columns.seq > seq)
        .order_by(columns.seq)
        .limit(count)
    ).all()
    rows = tuple(
        EquityMark(at_ms=at_ms, realised=realised, unrealised=unrealised) for _, at_ms, realised, unrealised in found
    )
    return EquityPage(rows=rows, last=found[-1][0] if found else seq, is_end=len(found) < count)


def day(connection: Connection, since_ms: int) -> Day:
    """What has happened since the beginning of a day.

    Counted and put in order here, or by time: else SQLite looks through all that has ever happened for it.
    """
    signals, notes = schema.signals.c, schema.notes.c
    outcomes = Counter(connection.scalars(select(signals.outcome).where(signals.received_at_ms >= since_ms)))
    took = func.max(signals.acknowledged_at_ms - signals.received_at_ms)
    errors = (notes.at_ms >= since_ms, notes.severity == Severity.ERROR)
    latest = (notes.at_ms.desc(), notes.id.desc())
    last = connection.execute(select(notes.at_ms, notes.text).where(*errors).order_by(*latest).limit(1)).first()
    return Day(
        fees=_fees(connection, since_ms),
        signals={outcome.value if outcome else "": count for outcome, count in outcomes.items()},
        slowest_ms=connection.scalar(select(took).where(signals.received_at_ms >= since_ms)),
        offsets=_offsets(connection, since_ms),
        errors=connection.scalar(select(func.count()).select_from(schema.notes).where(*errors)) or 0,
        last_error=None if last is None else Problem(at_ms=last.at_ms, text=last.text),
    )


def _fees(connection: Connection, since_ms: int) -> dict[tuple[str, str], Decimal]:
    """Summed here: SQL would sum floats."""
    fills, groups = schema.fills.c, schema.groups.c
    paid = connection.execute(
        select(fills.account, groups.quote, fills.fee_quote)
        .join_from(schema.fills, schema.groups, fills.group_id == groups.id)
        .where(fills.at_ms >= since_ms)
    )
    sums: dict[tuple[str, str], Decimal] = {}
    with arithmetic():
        for account, quote, fee in paid:
            sums[account, quote] = sums.get((account, quote), ZERO) + fee
    return sums


def _offsets(connection: Connection, since_ms: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    offsets = schema.offsets.c
    wanted = select(offsets.seq, offsets.at_ms, offsets.loser, offsets.winner).where(offsets.at_ms >= since_ms)
    rows = sorted(connection.execute(wanted), key=lambda row: row.seq)
    found: dict[tuple[int, str], tuple[str, ...]] = {}
    for _, at_ms, loser, winner in rows:
        found[at_ms, loser] = (*found.get((at_ms, loser), ()), winner)
    return tuple((loser, winners) for (_, loser), winners in found.items())
