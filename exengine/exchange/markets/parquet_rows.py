"""Reads the rows of a Parquet price file as the texts that the same CSV file has, a batch at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exengine.domain.errors import UserError
from exengine.exchange.markets.price_rows import Mark, Row, columns_of, fault

BATCH_ROWS = 8192
BUFFER_BYTES = 1 << 18
"""So much of a column is read from the disk at once: a row group may be as large as the file."""

Texts = Callable[[Any], list[str]]
"""A column of a batch, as the texts of its values."""

PER_SECOND = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetRows:
    """A Parquet file. Prices may be text, decimals, whole numbers or floats; times whole milliseconds or timestamps.

    A float is the shortest text that spells it, as whoever wrote it saw it: 0.1 is 0.1, and not what is nearest to it
    in binary. A timestamp without a zone is UTC; one finer than a millisecond is the millisecond that it lies in.
    """

    path: Path
    is_bars: bool
    names: tuple[str, ...]
    texts: tuple[Texts, ...]
    parquet: Any

    @classmethod
    def opened(cls, path: Path) -> "ParquetRows":
        """Raises UserError where its columns are none of ours, OSError where it cannot be opened."""
        with path.open("rb"):
            pass  # a file that is missing is said to be, whether or not Parquet can be read here
        try:
            from pyarrow import parquet  # type: ignore[import-untyped]
        except ImportError:
            raise UserError(
                f"Parquet files cannot be read here: {path}.",
                remedy="Install pyarrow beside the program, or save the prices as CSV.",
            ) from None
        try:
            with parquet.ParquetFile(path) as file:
                schema = file.schema_arrow
        except _faults() as error:
            raise fault(path, 1, f"it is no Parquet file ({_said(error)})") from error
        is_bars, places = columns_of(path, schema.names)
        names = tuple(schema.names[place] for place in places)
        for name in names:
            if schema.names.count(name) > 1:
                raise fault(path, 1, f'there are {schema.names.count(name)} columns named "{name}"')
        return cls(
            path=path,
            is_bars=is_bars,
            names=names,
            texts=tuple(_reader(path, schema.field(name), is_time=number == 0) for number, name in enumerate(names)),
            parquet=parquet,
        )

    def read(self, start: Mark | None = None) -> Iterator[Row]:
        """Row groups before `start` are not read, rows before it in its own are passed over."""
        offset = start.offset if start else 0
        row = 0
        try:
            with self.parquet.ParquetFile(self.path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
                group, row = _group_of(file.metadata, offset)
                groups = range(group, file.num_row_groups)
                for batch in file.iter_batches(
                    BATCH_ROWS, row_groups=groups, columns=list(self.names), use_threads=False
                ):
                    if row + batch.num_rows > offset:
                        yield from self._rows(batch, row, max(0, offset - row))
                    row += batch.num_rows
        except _faults() as error:
            raise fault(self.path, row + 2, f"it cannot be read from here on ({_said(error)})") from error

    def _rows(self, batch: Any, row: int, first: int) -> Iterator[Row]:
        used = [batch.column(batch.schema.get_field_index(name)) for name in self.names]
        try:
            columns = [read(column) for column, read in zip(used, self.texts, strict=True)]
        except UnicodeDecodeError:
            raise fault(self.path, row + _first_of_no_text(used) + 2, "it is not text") from None
        for place in range(first, batch.num_rows):
            yield Row(Mark(row + place, row + place + 2), [column[place] for column in columns])


def _group_of(metadata: Any, offset: int) -> tuple[int, int]:
    """The row group that a row lies in, and that group's first row."""
    first = 0
    for group in range(metadata.num_row_groups):
        rows: int = metadata.row_group(group).num_rows
        if offset < first + rows:
            return group, first
        first += rows
    return metadata.num_row_groups, first


def _reader(path: Path, field: Any, *, is_time: bool) -> Texts:
    """How a column's values become text. Raises UserError for a type that is neither number, text nor time."""
    from pyarrow import types

    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    if is_time and types.is_timestamp(kind):
        return _times(PER_SECOND[kind.unit])
    if types.is_float16(kind) or types.is_float32(kind):
        return _small_floats
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if text or types.is_integer(kind) or types.is_float64(kind) or types.is_decimal(kind):
        return _plain_texts
    if types.is_null(kind):
        return _plain_texts  # every value is missing, and the first one is told
    wanted = "whole milliseconds or timestamps" if is_time else "numbers or text"
    raise fault(path, 1, f'the column "{field.name}" is of type {field.type}, and must be {wanted}')


def _plain_texts(column: Any) -> list[str]:
    return ["" if value is None else str(value).strip() for value in column.to_pylist()]


def _small_floats(column: Any) -> list[str]:
    """Shortest for their own size: as doubles they would have digits that nobody wrote."""
    import numpy as np

    small = np.float16 if column.type.bit_width == 16 else np.float32
    return ["" if value is None else str(small(value)) for value in column.to_pylist()]


def _first_of_no_text(columns: list[Any]) -> int:
    """The place of the first row in which some text cannot be read."""
    for place in range(len(columns[0])):
        try:
            for column in columns:
                column[place].as_py()
        except UnicodeDecodeError:
            return place
    raise AssertionError("all of it is text")


def _times(per_second: int) -> Texts:
    """Epoch milliseconds of timestamps, whose own numbers are counted in UTC whatever zone they are shown in."""

    def texts(column: Any) -> list[str]:
        import pyarrow

        counts = column.cast(pyarrow.int64()).to_pylist()
        return ["" if count is None else str(count * 1000 // per_second) for count in counts]

    return texts


def _faults() -> tuple[type[Exception], ...]:
    """What the library raises for a file that is none, is cut short or is damaged."""
    from pyarrow import ArrowException

    return ArrowException, OSError, ValueError


def _said(error: Exception) -> str:
    """The first line of what the library says, which may be many."""
    return str(error).partition("\n")[0].strip().rstrip(".")[:200]
