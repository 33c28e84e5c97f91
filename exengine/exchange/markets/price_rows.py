"""Reads the rows of a price file, CSV or Parquet, as text, from anywhere in it, without loading it whole."""

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from exengine.domain.errors import UserError

PRICE_COLUMNS = ("timestamp", "price")
BAR_COLUMNS = ("timestamp", "open", "high", "low", "close")
"""A volume may follow: it is not used, nor is any other column."""

PARQUET_ENDINGS = (".parquet", ".pq")
BATCH_ROWS = 8192
LONGEST_LINE = 65_536


class Mark(NamedTuple):
    """A place in a file from which it can be read on."""

    offset: int
    """Bytes in CSV, rows in Parquet."""
    line: int
    """As a person counts: the header is line 1."""


class Row(NamedTuple):
    mark: Mark
    """Where this row begins."""
    texts: Sequence[str]
    """The columns that are used, in the order in which they are named above."""


class Rows(Protocol):
    @property
    def is_bars(self) -> bool: ...

    def read(self, start: Mark | None = None) -> Iterator[Row]:
        """The rows from `start` on, by default from the first. Raises UserError where a row cannot be read."""
        ...


def fault(path: Path, line: int, what: str) -> UserError:
    """What the trader is told of a file that cannot be used."""
    return UserError(
        f"The price file cannot be used: {path}, line {line}: {what}.",
        safe="No order was made from it.",
        remedy="Correct the file, or choose another market in the settings.",
    )


def open_rows(path: Path) -> Rows:
    """A reader for `path` by its ending. Raises UserError where the file is missing or its header is none of ours."""
    try:
        return _ParquetRows.opened(path) if path.suffix.lower() in PARQUET_ENDINGS else _CsvRows.opened(path)
    except OSError as error:
        raise UserError(
            f"The price file cannot be read: {path}: {error.strerror or error}.",
            remedy="Choose a file that exists and may be read.",
        ) from error


def _columns(path: Path, names: Sequence[str]) -> tuple[bool, tuple[int, ...]]:
    """Whether it is bars, and where the columns are."""
    found = {name.strip().strip('"').lower(): place for place, name in reversed(list(enumerate(names)))}
    for wanted in (PRICE_COLUMNS, BAR_COLUMNS):
        if all(name in found for name in wanted):
            return wanted is BAR_COLUMNS, tuple(found[name] for name in wanted)
    shown = ",".join(names)[:80] or "nothing"
    raise fault(
        path, 1, f'the header must be "timestamp,price" or "timestamp,open,high,low,close,volume", and is "{shown}"'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CsvRows:
    path: Path
    is_bars: bool
    places: tuple[int, ...]
    width: int
    """How many fields a row has at least."""
    first: Mark

    @classmethod
    def opened(cls, path: Path) -> "_CsvRows":
        with path.open("rb") as file:
            header = file.readline(LONGEST_LINE)
            names = _text(path, 1, header.removeprefix(b"\xef\xbb\xbf")).strip().split(",")
            is_bars, places = _columns(path, names)
            first = Mark(file.tell(), 2)
        return cls(path=path, is_bars=is_bars, places=places, width=max(places) + 1, first=first)

    def read(self, start: Mark | None = None) -> Iterator[Row]:
        offset, line = start or self.first
        with self.path.open("rb") as file:
            file.seek(offset)
            for raw in iter(lambda: file.readline(LONGEST_LINE), b""):
                text = _text(self.path, line, raw).strip()
                if text:
                    yield Row(Mark(offset, line), self._fields(text, line))
                offset += len(raw)
                line += 1

    def _fields(self, text: str, line: int) -> Sequence[str]:
        """The fields used. A field is a number: it has neither commas nor line breaks, at most quotes around it."""
        fields = text.split(",")
        if len(fields) < self.width:
            raise fault(self.path, line, f"{len(fields)} fields where the header has {self.width} or more")
        return [fields[place].strip().strip('"') for place in self.places]


def _text(path: Path, line: int, raw: bytes) -> str:
    if len(raw) >= LONGEST_LINE:
        raise fault(path, line, "the line is too long for a price file")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise fault(path, line, "it is not text") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _ParquetRows:
    path: Path
    is_bars: bool
    names: tuple[str, ...]
    parquet: Any

    @classmethod
    def opened(cls, path: Path) -> "_ParquetRows":
        with path.open("rb"):
            pass  # a file that is missing is said to be, whether or not Parquet can be read here
        try:
            parquet = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise UserError(
                f"Parquet files cannot be read here: {path}.",
                remedy="Install pyarrow beside the program, or save the prices as CSV.",
            ) from None
        try:
            columns = parquet.ParquetFile(path).schema_arrow.names
        except ValueError as error:
            raise fault(path, 1, f"it is no Parquet file ({error})") from error
        is_bars, places = _columns(path, columns)
        return cls(path=path, is_bars=is_bars, names=tuple(columns[place] for place in places), parquet=parquet)

    def read(self, start: Mark | None = None) -> Iterator[Row]:
        """Rows before `start` are passed over a batch at a time."""
        offset = start.offset if start else 0
        row = 0
        for batch in self.parquet.ParquetFile(self.path).iter_batches(BATCH_ROWS, columns=list(self.names)):
            if row + batch.num_rows > offset:
                columns = [batch.column(batch.schema.get_field_index(name)) for name in self.names]
                columns[0] = _as_ms(columns[0])
                texts = [[str(value) for value in column.to_pylist()] for column in columns]
                for place in range(max(0, offset - row), batch.num_rows):
                    yield Row(Mark(row + place, row + place + 2), [column[place] for column in texts])
            row += batch.num_rows


def _as_ms(column: Any) -> Any:
    """Times as epoch ms, also where the file has them as times."""
    if str(column.type).startswith("timestamp"):
        pyarrow = importlib.import_module("pyarrow")
        return column.cast(pyarrow.timestamp("ms"), safe=False).cast(pyarrow.int64())
    return column
