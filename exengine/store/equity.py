"""The equity curve from the fills: what was realised at each close, and the total where it is known exactly."""

from collections.abc import Iterator
from decimal import Decimal

from sqlalchemy import Connection, func, select

from exengine.domain.capital import DOLLARS
from exengine.domain.money import ZERO
from exengine.store import schema
from exengine.store.streaming import streamed

ROWS = 5_000
"""Read at once: they have a few numbers each."""


def equity_rows(connection: Connection, start_equity: Decimal | None) -> Iterator[tuple[int, Decimal, Decimal | None]]:
    """(at, realised, total) at the first fill, at each fill that closed something, and at the last one.

    `realised` is the sum so far of the groups whose quote counts as a dollar. `total` adds what is unrealised to the
    start; past prices are not stored, so it is told where no group held anything at that moment (dust of closed ones
    aside), and left out elsewhere.
    """
    groups = _Groups(connection)
    for at_ms, realised in _sums(connection, groups.elsewhere):
        is_flat = groups.are_flat(at_ms)
        yield at_ms, realised, start_equity + realised if is_flat and start_equity is not None else None


def _sums(connection: Connection, elsewhere: set[str]) -> Iterator[tuple[int, Decimal]]:
    """What was realised up to each of the curve's times, of all groups but those `elsewhere`."""
    fills = schema.fills.c
    last = connection.scalar(select(func.max(fills.at_ms)))
    if last is None:
        return
    at, total = connection.scalar(select(func.min(fills.at_ms))), ZERO
    # Most that closed nothing has no place in the curve, and is not read; a zero may be written in other ways too.
    closing = select(fills.at_ms, fills.realised, fills.group_id).where(fills.realised != ZERO)
    for at_ms, amount, group_id in streamed(connection, closing.order_by(fills.at_ms, fills.seq), at_once=ROWS):
        if not amount:
            continue
        if at_ms != at:
            yield at, total
            at = at_ms
        if group_id not in elsewhere:
            total += amount
    yield at, total
    if at != last:
        yield last, total


class _Groups:
    """Which groups do not count in dollars, and, asked for rising times, whether any held something."""

    def __init__(self, connection: Connection) -> None:
        groups = schema.groups.c
        self.elsewhere: set[str] = set()
        self._begun: list[int] = []
        self._ended: list[int] = []
        wanted = select(groups.id, groups.quote, groups.first_fill_at_ms, groups.closed_at_ms)
        for group_id, quote, first_fill_at_ms, closed_at_ms in streamed(connection, wanted, at_once=ROWS):
            if quote not in DOLLARS:
                self.elsewhere.add(group_id)
            if first_fill_at_ms is not None:
                self._begun.append(first_fill_at_ms)
                if closed_at_ms is not None:
                    self._ended.append(closed_at_ms)
        self._begun.sort()
        self._ended.sort()
        self._next_begun = self._next_ended = 0

    def are_flat(self, at_ms: int) -> bool:
        while self._next_begun < len(self._begun) and self._begun[self._next_begun] <= at_ms:
            self._next_begun += 1
        while self._next_ended < len(self._ended) and self._ended[self._next_ended] <= at_ms:
            self._next_ended += 1
        return self._next_begun == self._next_ended
