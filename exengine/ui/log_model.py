"""The Log table: the audit trail, line by line."""

from enum import IntEnum

from exengine.engine.rows import Category, LogRow, Severity
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.cell import EMPTY, Cell, Column, Part
from exengine.ui.cell_model import Index
from exengine.ui.stream_model import StreamModel


class Col(IntEnum):
    TIME = 0
    SEVERITY = 1
    CATEGORY = 2
    PAIR = 3
    TEXT = 4


COLUMNS = (
    Column(key="time", title="Time", sample="Nov 23 14:32:07"),
    Column(key="severity", title="Severity", sample="Warning      "),
    Column(key="category", title="Category", sample="Precision"),
    Column(key="pair", title="Pair / timeframe", sample="DOGE/USDT 15m", elides=True),
    Column(key="text", title="What happened, and what to do", sample="", takes_rest=True, elides=True),
)


NAMES = frozenset({Col.SEVERITY, Col.CATEGORY, Col.PAIR, Col.TEXT})
"""Sorted from A first."""


class LogModel(StreamModel[LogRow]):
    columns = COLUMNS

    def make_cells(self, row: LogRow) -> list[Cell]:
        severity, icon, token = words.SEVERITIES[row.severity]
        category, category_token = words.CATEGORIES[row.category]
        # An order that went well is green; one that did not has the colour of its severity.
        plain = row.severity is Severity.INFO
        return [
            Cell(fmt.moment(row.at_ms, self.now_ms), "muted", value=fmt.iso(row.at_ms)),
            Cell(severity, token, icon="" if plain else icon, icon_token=token),
            Cell(category, category_token if plain else "muted"),
            Cell(fmt.pair(row.symbol), after=(Part(row.timeframe),)) if row.symbol else EMPTY,
            Cell(row.text, "text", after=(Part(row.advice),) if row.advice else ()),
        ]

    def tooltip(self, index: Index) -> str:
        row = self.row_at(index)
        if row is None:
            return ""
        if index.column() == Col.TIME:
            return fmt.iso(row.at_ms)
        if index.column() == Col.TEXT and row.advice:
            return f"{row.text}\n{row.advice}"
        return ""


class LogFilter:
    """What the chips and the search let through. No chip of a kind pressed lets all of that kind through."""

    def __init__(self) -> None:
        self.severities: set[Severity] = set()
        self.categories: set[Category] = set()
        self.search = ""
        self.group = ""
        """The only group that is shown; empty for all of them."""

    @property
    def is_on(self) -> bool:
        return bool(self.severities or self.categories or self.search or self.group)

    def matches(self, row: LogRow) -> bool:
        if self.severities and row.severity not in self.severities:
            return False
        if self.categories and row.category not in self.categories:
            return False
        if self.group and row.group != self.group:
            return False
        if not self.search:
            return True
        text = f"{row.text} {row.symbol} {row.timeframe} {row.advice} {row.group}".lower()
        return all(word in text for word in self.search.lower().split())
