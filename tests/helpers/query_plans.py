"""How SQLite finds the rows of what is asked of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event


@contextmanager
def query_plans(connection: Connection) -> Iterator[dict[str, list[str]]]:
    """The steps of each SELECT that is executed meanwhile, by its text."""
    found: dict[str, list[str]] = {}

    def explain(_: Connection, __: object, text: str, parameters: Any, *___: object) -> None:
        if text.startswith("SELECT"):
            rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {text}", parameters)
            found[text] = [row[3] for row in rows]

    event.listen(connection, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(connection, "before_cursor_execute", explain)
