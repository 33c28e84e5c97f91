"""Faults of a disk or a server at any statement that writes, the commit itself among them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from exengine.store import sqlite

DISK_FULL = (sqlite3.SQLITE_FULL, "53100")
DISK_BROKEN = (sqlite3.SQLITE_IOERR, "58030")
FILE_LOCKED = (sqlite3.SQLITE_BUSY, "55P03")
READ_ONLY = (sqlite3.SQLITE_READONLY, "25006")


class _SqliteFault(sqlite3.OperationalError):
    def __init__(self, code: int) -> None:
        super().__init__("a fault of the test's")
        self.sqlite_errorcode = code


class _ServerFault(Exception):
    def __init__(self, state: str) -> None:
        super().__init__("a fault of the test's")
        self.sqlstate = state


class Faults:
    """Nothing fails until it is told to."""

    def __init__(self) -> None:
        self._kind = DISK_FULL
        self._left: int | None = None
        self.happened = 0

    def at(self, statement: int, kind: tuple[int, str]) -> None:
        """The statement of that number fails, counted from now, and each one after it; commits count as well."""
        self._left, self._kind = statement - 1, kind

    def end(self) -> None:
        self._left = None

    def next(self, connection: Connection) -> None:
        if self._left is None:
            return
        if self._left > 0:
            self._left -= 1
            return
        self.happened += 1
        code, state = self._kind
        cause = _SqliteFault(code) if connection.dialect.name == "sqlite" else _ServerFault(state)
        raise OperationalError("a statement", {}, cause)


@contextmanager
def faults() -> Iterator[Faults]:
    """Faults of whatever any store in this process sends."""
    made = Faults()

    def statement(connection: Connection, cursor: Any, text: str, *_: Any) -> None:
        if not text.startswith("SELECT"):
            made.next(connection)

    execute = sqlite.execute

    def by_the_driver(connection: Connection, *about: Any) -> None:
        made.next(connection)
        execute(connection, *about)

    listeners = [("before_cursor_execute", statement), ("commit", made.next)]
    for name, heard in listeners:
        event.listen(Engine, name, heard)
    sqlite.execute = by_the_driver
    try:
        yield made
    finally:
        sqlite.execute = execute
        for name, heard in listeners:
            event.remove(Engine, name, heard)
