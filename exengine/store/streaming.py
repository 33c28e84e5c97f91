"""Long histories are read some rows at a time: however many there are, they take no more memory."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select


def streamed(connection: Connection, statement: Select[Any], *, at_once: int = 500) -> Iterator[Any]:
    """The rows of `statement`, of which `at_once` are held at a time: fewer of wide ones, more of narrow ones."""
    return iter(connection.execute(statement.execution_options(yield_per=at_once)))
