"""The equity curve from the fills: what was realised at each close, and the total where it is known exactly."""

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import Connection, select

from exengine.domain.capital import DOLLARS
from exengine.domain.money import ZERO
from exengine.store import schema


def equity_rows(connection: Connection, start_equity: Decimal | None) -> Iterator[tuple[int, Decimal, Decimal | None]]:
    """(at, realised, total) at the first fill, at each fill that closed something, and at the last one.

    `realised` is the sum so far of the groups whose quote counts as a dollar. `total` adds what is unrealised to the
    start; past prices are not stored, so it is told where no group held anything at that moment (dust of closed ones
    aside), and left out elsewhere.
    """
    fills, groups = schema.fills.c, schema.groups.c
    found = connection.execute(
        select(fills.at_ms, fills.realised, groups.quote)
        .join_from(schema.fills, schema.groups, fills.group_id == groups.id)
        .order_by(fills.at_ms, fills.seq)
    ).all()
    if not found:
        return
    flat = _Flat(connection)
    first, last, total = found[0].at_ms, found[-1].at_ms, ZERO
    by_time: dict[int, Decimal] = {first: ZERO}
    for at_ms, amount, quote in found:
        total += amount if quote in DOLLARS else ZERO
        if amount or at_ms == last:
            by_time[at_ms] = total
    for at_ms, realised in by_time.items():
        is_flat = flat.at(at_ms)
        yield at_ms, realised, start_equity + realised if is_flat and start_equity is not None else None


class _Flat:
    """Whether anything was held, asked for rising times."""

    def __init__(self, connection: Connection) -> None:
        groups = schema.groups.c
        spans = connection.execute(
            select(groups.first_fill_at_ms, groups.closed_at_ms).where(groups.first_fill_at_ms.is_not(None))
        ).all()
        self._begun = sorted(row.first_fill_at_ms for row in spans)
        self._ended = sorted(row.closed_at_ms for row in spans if row.closed_at_ms is not None)
        self._next_begun = self._next_ended = 0

    def at(self, at_ms: int) -> bool:
        while self._next_begun < len(self._begun) and self._begun[self._next_begun] <= at_ms:
            self._next_begun += 1
        while self._next_ended < len(self._ended) and self._ended[self._next_ended] <= at_ms:
            self._next_ended += 1
        return self._next_begun == self._next_ended
