"""The Signals table: what came in, what it meant, what became of it, and how long each step took."""

from enum import IntEnum

from exengine.engine.rows import SignalRow
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.cell import UNKNOWN, Cell, Column, Part
from exengine.ui.cell_model import Index
from exengine.ui.stream_model import StreamModel


class Col(IntEnum):
    TIME = 0
    SOURCE = 1
    PAIR = 2
    ACTION = 3
    MEANING = 4
    OUTCOME = 5
    REASON = 6
    STORED = 7
    DECIDED = 8
    SENT = 9
    ACKNOWLEDGED = 10
    FILLED = 11


def _latency(key: str, title: str, hint: str) -> Column:
    return Column(key=key, title=title, sample="9,999 s", right=True, hint=hint)


COLUMNS = (
    Column(key="time", title="Time", sample="Nov 23 14:32:07", hint="When it was received"),
    Column(key="source", title="Source", sample="52.89.214.238", elides=True),
    Column(key="pair", title="Pair / timeframe", sample="DOGE/USDT 15m", elides=True),
    Column(key="action", title="Action", sample="Short"),
    Column(key="meaning", title="Meant", sample="Pyramid"),
    Column(key="outcome", title="Outcome", sample="Removed from queue"),
    Column(key="reason", title="Reason", sample="Short not supported", takes_rest=True, elides=True),
    _latency("stored", "Stored", "From received to stored and answered"),
    _latency("decided", "Decided", "From received to decided"),
    _latency("sent", "Sent", "From received to the first order sent"),
    _latency("acknowledged", "Acknowledged", "From received to the exchange’s first answer"),
    _latency("filled", "Filled", "From received to the first fill of an order it led to"),
)


NAMES = frozenset({Col.SOURCE, Col.PAIR, Col.ACTION, Col.MEANING, Col.OUTCOME, Col.REASON})
"""Sorted from A first."""


class SignalsModel(StreamModel[SignalRow]):
    columns = COLUMNS

    def make_cells(self, row: SignalRow) -> list[Cell]:
        outcome, token = words.outcome(row.outcome)
        return [
            Cell(fmt.moment(row.received_at_ms, self.now_ms), "muted", value=fmt.iso(row.received_at_ms)),
            Cell(_source(row), "muted"),
            Cell(fmt.pair(row.symbol), strong=True, after=(Part(row.timeframe),)) if row.symbol else UNKNOWN,
            Cell(words.sentence(row.action)) if row.action else UNKNOWN,
            Cell(words.sentence(row.meaning)) if row.meaning else UNKNOWN,
            Cell(outcome, token, value=row.outcome),
            Cell(_reason(row), "muted", value=row.reason),
            _step(row, row.stored_at_ms),
            _step(row, row.decided_at_ms),
            _step(row, row.sent_at_ms),
            _step(row, row.acknowledged_at_ms),
            _step(row, row.filled_at_ms),
        ]

    def tooltip(self, index: Index) -> str:
        row = self.row_at(index)
        if row is None:
            return ""
        if index.column() == Col.TIME:
            return fmt.iso(row.received_at_ms)
        if index.column() == Col.OUTCOME:
            return row.group
        if index.column() == Col.SOURCE and row.replay_of is not None:
            return f"Signal {row.replay_of} was taken again; it first came from {row.source}"
        return ""


def _source(row: SignalRow) -> str:
    return row.source if row.replay_of is None else f"Replay of {row.replay_of}"


def _reason(row: SignalRow) -> str:
    """Fields by name where it was invalid, else the reason in words."""
    if row.outcome == "invalid":
        return ", ".join(row.reason.split(";"))
    return words.sentence(row.reason) if row.reason else ""


def _step(row: SignalRow, at_ms: int | None) -> Cell:
    if at_ms is None:
        return UNKNOWN
    elapsed = at_ms - row.received_at_ms
    return Cell(fmt.latency(elapsed), value=elapsed)
