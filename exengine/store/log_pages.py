"""The audit trail in pages, newest page first, for the window's Log dock and its exports."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from exengine.engine.log_pages import LogWanted
from exengine.engine.rows import LogRow
from exengine.store import schema
from exengine.store.lane import Lane
from exengine.store.reader import log_row_of


class LogReader:
    """Implements `exengine.engine.log_pages.LogPages` over a store's lane for reading."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane

    async def before(self, log_id: int | None, wanted: LogWanted, count: int) -> tuple[LogRow, ...]:
        return await self._lane.run(lambda connection: page(connection, log_id, wanted, count))


def page(connection: Connection, log_id: int | None, wanted: LogWanted, count: int) -> tuple[LogRow, ...]:
    """The last `count` wanted lines before `log_id`, oldest first."""
    columns = schema.notes.c
    found = connection.execute(
        select(schema.notes)
        .where(*([] if log_id is None else [columns.id < log_id]), *_conditions(wanted))
        .order_by(columns.id.desc())
        .limit(count)
    )
    return tuple(log_row_of(row) for row in reversed(found.all()))


def _conditions(wanted: LogWanted) -> list[ColumnElement[bool]]:
    columns = schema.notes.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.severities:
        conditions.append(columns.severity.in_(sorted(wanted.severities, key=lambda one: one.value)))
    if wanted.categories:
        conditions.append(columns.category.in_(sorted(wanted.categories, key=lambda one: one.value)))
    if wanted.group:
        conditions.append(columns.group_id == wanted.group)
    if wanted.since_ms is not None:
        conditions.append(columns.at_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append(columns.at_ms < wanted.until_ms)
    text: Any = _joined(columns.text, columns.symbol, columns.timeframe, columns.advice, columns.group_id)
    conditions.extend(func.lower(text).contains(word, autoescape=True) for word in wanted.words)
    return conditions


def _joined(*columns: Any) -> Any:
    joined = columns[0]
    for column in columns[1:]:
        joined = joined + " " + column
    return joined
