"""The Log table: the audit trail, line by line."""

from enum import IntEnum

from exengine.engine.rows import LogRow, Severity
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
    Column(key="time", title="Time", sample="14:32:07"),
    Column(key="severity", title="Severity", sample="Warning      "),
    Column(key="category", title="Category", sample="Precision", gives_way=True),
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


EXPORT_TITLES = ("time", "severity", "category", "symbol", "timeframe", "text", "advice", "group", "cause")


def export_row(row: LogRow) -> tuple[str, ...]:
    """A line as files have it."""
    return (
        fmt.iso(row.at_ms), row.severity.value, row.category.value, row.symbol, row.timeframe, row.text, row.advice,
        row.group, row.cause,
    )  # fmt: skip
