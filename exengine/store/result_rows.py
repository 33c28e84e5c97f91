"""The rows that the dashboard reads: what each closed group came to, and the equity at each close."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, select

from exengine.domain.group import Group
from exengine.domain.money import arithmetic
from exengine.domain.results import EquityMark, result_of
from exengine.domain.signal import Signal
from exengine.store import codec, schema

Row = dict[str, Any]

_RESULT_COLUMNS = tuple(column.name for column in schema.results.columns if column.name != "seq")
_EQUITY_COLUMNS = tuple(column.name for column in schema.equity.columns if column.name != "seq")


def result_rows(connection: Connection, groups: Iterable[Group]) -> list[Row]:
    """A row for each of `groups` that has closed. The signals that opened them must be stored by now."""
    closed = [group for group in groups if group.closed_at_ms is not None]
    if not closed:
        return []
    names = _strategies(connection, closed)
    with arithmetic():
        results = [result_of(group, names.get(_opener(group), "")) for group in closed]
    return [{name: getattr(result, name) for name in _RESULT_COLUMNS} for result in results]


def equity_row(mark: EquityMark) -> Row:
    return {name: getattr(mark, name) for name in _EQUITY_COLUMNS}


def _opener(group: Group) -> int | None:
    """The signal that opened a group."""
    return group.pyramids[0].signal_id if group.pyramids else None


def _strategies(connection: Connection, groups: Iterable[Group]) -> dict[int | None, str]:
    """The names of the alerts of the signals that opened the groups, by signal."""
    wanted = {opener for group in groups if (opener := _opener(group)) is not None}
    columns = schema.signals.c
    found = connection.execute(
        select(columns.id, columns.document).where(columns.id.in_(wanted), columns.document.is_not(None))
    )
    return {row.id: codec.from_text(Signal, row.document).alert_name or "" for row in found}
