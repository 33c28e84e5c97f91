"""Writes the store's history as CSV or JSON, also while an engine writes to the store."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection

from exengine.domain.errors import UserError
from exengine.domain.money import arithmetic, plain
from exengine.engine import tables
from exengine.store import history
from exengine.store.address import Place
from exengine.store.history import Cell, Known, Symbol
from exengine.store.places import read_store

STDOUT = "-"


def export(
    place: Place,
    what: str,
    form: str,
    out: str | Path = STDOUT,
    *,
    start_equity: Decimal | None = None,
    last: Mapping[Symbol, Decimal] | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> int:
    """Writes the table `what` of the store at `place` to the file `out`, or to the terminal; how many rows.

    `what` is one of `history.COLUMNS`, `form` csv or json; `since_ms` and `until_ms` as in `history.Known`. The file is
    whole or not there. Raises UserError.
    """
    if what not in history.COLUMNS or form not in ("csv", "json"):
        raise ValueError(f"no export of {what!r} as {form!r}")
    known = Known(start_equity=start_equity, last=last or {}, since_ms=since_ms, until_ms=until_ms)
    columns = history.COLUMNS[what]
    write = tables.write_csv if form == "csv" else write_json
    with _destination(out) as file:

        def written(connection: Connection) -> int:
            with arithmetic():
                return write(file, columns, history.rows(connection, what, known))

        return read_store(place, written)


def write_json(file: TextIO, columns: tuple[str, ...], rows: Iterator[tuple[Cell, ...]]) -> int:
    """A list with an object for each row; how many. Decimals are strings, what is empty is null."""
    count = 0
    for row in rows:
        file.write("[\n" if count == 0 else ",\n")
        json.dump({name: _value(cell) for name, cell in zip(columns, row, strict=True)}, file, ensure_ascii=False)
        count += 1
    file.write("\n]\n" if count else "[]\n")
    return count


def _value(cell: Cell) -> Any:
    if isinstance(cell, Decimal):
        return plain(cell)
    return None if cell == "" else cell


@contextmanager
def _destination(out: str | Path) -> Iterator[TextIO]:
    """The terminal, or a file that takes its name once it is whole."""
    if str(out) == STDOUT:
        yield sys.stdout
        sys.stdout.flush()
        return
    target = Path(os.path.realpath(out))
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(target, error) from error
        raise


def _unwritable(target: Path, error: OSError) -> UserError:
    return UserError(
        f"{target} cannot be written: {error.strerror or error}.",
        safe="A file of that name is as it was.",
        remedy="Name another file with --out, or make room on the disk.",
    )
