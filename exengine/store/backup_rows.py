"""A store's rows in a form that is no database's own: what SQLite gives, Postgres takes, and the other way round."""

import json
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, insert, select, text

from exengine import __version__
from exengine.store import schema
from exengine.store.backup_file import BackupWriter, rows_name

_LOT = 500


def tables_of(connection: Connection) -> list[Table]:
    """The store's tables as they are in the database, of whatever revision, each behind those that it refers to."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in schema.metadata.tables)
    return found.sorted_tables


def lines_of(connection: Connection, table: Table) -> Generator[bytes, None, None]:
    """The names of the columns, then each row, as JSON lists: texts, whole numbers, true, false and null."""
    yield _line([column.name for column in table.columns])
    number = _number(table)
    if number is None:
        yield from (_line(list(row)) for row in connection.execute(select(table).order_by(*table.primary_key)).all())
        return
    # In lots, not by a cursor: a server does not let a table be changed while one is open, as a migration does next.
    place, last = list(table.columns).index(number), None
    while True:
        after = select(table) if last is None else select(table).where(number > last)
        rows = connection.execute(after.order_by(number).limit(_LOT)).all()
        yield from (_line(list(row)) for row in rows)
        if len(rows) < _LOT:
            return
        last = rows[-1][place]


def _number(table: Table) -> Column[Any] | None:
    """What numbers the rows of a table that grows; the others fit into memory."""
    key = list(table.primary_key.columns)
    return key[0] if len(key) == 1 and key[0].name in ("seq", "id") else None


def _line(values: list[object]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def add_store(writer: BackupWriter, connection: Connection, revision: str) -> None:
    """Adds all rows as the connection's transaction sees them, and ends the backup."""
    for table in tables_of(connection):
        with closing(lines_of(connection, table)) as lines:
            writer.add(rows_name(table.name), lines)
    writer.finish(
        program=__version__, made_at_ms=time.time_ns() // 1_000_000, kind=connection.dialect.name, revision=revision
    )


def put(connection: Connection, table: Table, lines: Iterator[bytes]) -> None:
    """Adds the rows that `lines_of` has given. Raises ValueError where they are not of this table."""
    names = json.loads(next(lines, b"[]"))
    if set(names) != {column.name for column in table.columns}:
        raise ValueError(f"the columns of {table.name} are not those of its revision")
    lot: list[dict[str, object]] = []
    for line in lines:
        lot.append(dict(zip(names, json.loads(line), strict=True)))
        if len(lot) == _LOT:
            connection.execute(insert(table), lot)
            lot = []
    if lot:
        connection.execute(insert(table), lot)


def count_on(connection: Connection, tables: list[Table]) -> None:
    """Lets a server that numbers rows go on behind the highest number that was put; SQLite does by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        if "seq" in table.columns:
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'seq'),"
                    f" (SELECT coalesce(max(seq), 0) + 1 FROM {table.name}), false)"
                )
            )
