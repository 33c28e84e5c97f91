"""The rows of a price file as text, read from anywhere in it without loading it whole; CSV here, Parquet beside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from exengine.domain.errors import UserError

PRICE_COLUMNS = ("timestamp", "price")
BAR_COLUMNS = ("timestamp", "open", "high", "low", "close")
"""A volume may follow: it is not used, nor is any other column."""

PARQUET_ENDINGS = (".parquet", ".pq")
LONGEST_LINE = 65_536


class Mark(NamedTuple):
    """A place in a file from which it can be read on."""

    offset: int
    """Bytes in CSV, rows in Parquet."""
    line: int
    """As a person counts: the header is line 1, and the first row line 2, in Parquet too."""


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


def is_parquet(path: Path) -> bool:
    return path.suffix.lower() in PARQUET_ENDINGS


def fault(path: Path, line: int, what: str) -> UserError:
    """What the trader is told of a file that cannot be used. Parquet has rows, from 1, and no lines."""
    place = f", line {line}" if not is_parquet(path) else f", row {line - 1}" if line > 1 else ""
    return UserError(
        f"The price file cannot be used: {path}{place}: {what}.",
        safe="No order was made from it.",
        remedy="Correct the file, or choose another market in the settings.",
    )


def unreadable(path: Path, error: OSError) -> UserError:
    """What the trader is told of a file that is not there or cannot be opened."""
    return UserError(
        f"The price file cannot be read: {path}: {error.strerror or error}.",
        remedy="Choose a file that exists and may be read.",
    )


def columns_of(path: Path, names: Sequence[str]) -> tuple[bool, tuple[int, ...]]:
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
class CsvRows:
    """A CSV file with a header."""

    path: Path
    is_bars: bool
    places: tuple[int, ...]
    width: int
    """How many fields a row has at least."""
    first: Mark

    @classmethod
    def opened(cls, path: Path) -> "CsvRows":
        """Raises UserError where its header is none of ours, OSError where it cannot be opened."""
        with path.open("rb") as file:
            header = file.readline(LONGEST_LINE)
            names = _text(path, 1, header.removeprefix(b"\xef\xbb\xbf")).strip().split(",")
            is_bars, places = columns_of(path, names)
            first = Mark(file.tell(), 2)
        return cls(path=path, is_bars=is_bars, places=places, width=max(places) + 1, first=first)

    def read(self, start: Mark | None = None) -> Iterator[Row]:
        offset, line = start or self.first
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                for raw in iter(lambda: file.readline(LONGEST_LINE), b""):
                    text = _text(self.path, line, raw).strip()
                    if text:
                        yield Row(Mark(offset, line), self._fields(text, line))
                    offset += len(raw)
                    line += 1
        except OSError as error:
            raise unreadable(self.path, error) from error

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
