"""Statements that every transaction writes, made into SQL once.

SQLAlchemy looks each one up, and handles each value of each row, at every execution; beside what SQLite itself takes
for a few rows that is long, and whoever has sent an alert waits for it. A database over the network takes longer
anyway: there SQLAlchemy does it all.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.dml import Insert, Update

from exengine.store import sqlite

Row = dict[str, Any]
Statement = Insert | Update


class _Prepared:
    """A statement in SQLite's SQL, with what it does to values before they are bound."""

    def __init__(self, statement: Statement, dialect: Dialect, names: list[str]) -> None:
        # Inline: no row is asked for what the database has put into it.
        compiled = statement.inline().compile(dialect=dialect, column_keys=names)
        self._sql = str(compiled)
        self._places: list[tuple[str, Callable[[Any], Any] | None]] = []
        for name in compiled.positiontup or ():
            kind = compiled.binds[name].type.dialect_impl(dialect)
            self._places.append((name, kind.bind_processor(dialect)))

    def write(self, connection: Connection, rows: list[Row]) -> None:
        sqlite.execute(connection, self._sql, [self._bound(row) for row in rows])

    def _bound(self, row: Row) -> tuple[Any, ...]:
        values = [(row[name], bind) for name, bind in self._places]
        return tuple([value if bind is None or value is None else bind(value) for value, bind in values])


_KNOWN: dict[tuple[Any, ...], tuple[Statement, _Prepared | None]] = {}


def write_rows(
    connection: Connection, of: tuple[Any, ...], statement: Callable[[str], Statement], rows: list[Row]
) -> None:
    """Carries a statement out for each row. `of` tells it from all others; `statement` makes it for a dialect."""
    dialect = connection.dialect
    of = (dialect.name, *of)
    known = _KNOWN.get(of)
    if known is None:
        made = statement(dialect.name)
        known = _KNOWN[of] = made, _Prepared(made, dialect, list(rows[0])) if dialect.name == "sqlite" else None
    made, prepared = known
    if prepared is None:
        connection.execute(made, rows)
    else:
        prepared.write(connection, rows)
