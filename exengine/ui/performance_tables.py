"""The tables of the Performance dock: the best and the worst groups, and what each part has brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal

from PySide6.QtCore import QObject

from exengine.analytics.groups import Part, seconds_of
from exengine.analytics.trades import Line
from exengine.ui import format as fmt
from exengine.ui.cell import Cell, Column
from exengine.ui.cell_model import Index
from exengine.ui.keyed_model import KeyedModel, SortKey
from exengine.ui.performance_words import NO_STRATEGY, day, decimal, minute, name_cell, pnl_cell, side_cell, token_of

_RANK, _NAME, _SIDE, _CLOSED, _PNL, _PERCENT = range(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A closed group and its place among the best or the worst."""

    rank: int
    line: Line


class LinesModel(KeyedModel[Ranked]):
    """The best or the worst groups, the foremost first."""

    columns = (
        Column(key="rank", title="", sample="10", right=True, hint="Place"),
        Column(key="name", title="Pair / timeframe", sample="DOGE/USDT 15m", elides=True, takes_rest=True),
        Column(key="side", title="Side", sample="Short", icon=True),
        Column(key="closed", title="Closed", sample="Nov 23", right=True, hint="The day on which the group closed"),
        Column(key="pnl", title="PnL, USD", sample="+1,000.00", right=True, arrow=True, hint="Realised, net of fees"),
        Column(key="percent", title="%", sample="+10.00", right=True, hint="Of what the group has cost"),
    )

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.zone: tzinfo = UTC

    def natural(self, row: Ranked) -> SortKey:
        return (row.rank,)

    def make_cells(self, row: Ranked) -> list[Cell]:
        line = row.line
        percent = decimal(line.return_percent)
        gained = Cell(text=fmt.signed(percent, 2), token=token_of(percent), value=percent)
        return [
            Cell(text=str(row.rank), token="muted", value=row.rank),
            name_cell(line.symbol, line.timeframe),
            side_cell(line.side),
            Cell(text=day(line.closed_at_ms, self.now_ms, self.zone), token="muted", value=line.closed_at_ms),
            pnl_cell(line.result),
            gained if percent is not None else Cell(text=fmt.DASH, token="muted"),
        ]

    def tooltip(self, index: Index) -> str:
        row = self.row_at(index)
        if row is None or index.column() not in (_NAME, _CLOSED):
            return ""
        return f"{row.line.group_id}, closed {minute(row.line.closed_at_ms, self.zone)}"

    def show_lines(self, lines: Sequence[Line], now_ms: int, zone: tzinfo) -> None:
        self.zone = zone
        rows = {line.group_id: Ranked(rank=rank, line=line) for rank, line in enumerate(lines, start=1)}
        self.replace(rows, now_ms)


class PartsModel(KeyedModel[Part]):
    """Pairs, timeframes or strategies, in the order in which they were worked out."""

    def __init__(self, title: str, sample: str, parent: QObject | None = None) -> None:
        self.columns = (
            Column(key="name", title=title, sample=sample, elides=True, takes_rest=True),
            Column(key="closed", title="Closed", sample="100", right=True, hint="Groups that have closed"),
            Column(key="won", title="Won", sample="70.0 %", right=True, hint="Share of groups closed with profit"),
            Column(key="pnl", title="PnL, USD", sample="+100.00", right=True, arrow=True, hint="Realised, net of fees"),
            Column(key="win", title="Ø win", sample="10.00", right=True, hint="Average win, USD"),
            Column(key="loss", title="Ø loss", sample="−10.00", right=True, hint="Average loss, USD"),
            Column(key="factor", title="Factor", sample="1.00", right=True, hint="Profit factor: wins by losses"),
        )
        super().__init__(parent)

    def natural(self, row: Part) -> SortKey:
        """Timeframes by their length, everything else by what it brought."""
        return (seconds_of(row.name), -row.figures.result, row.name)

    def make_cells(self, row: Part) -> list[Cell]:
        of = row.figures
        won, factor = decimal(of.win_percent), decimal(of.profit_factor)
        return [
            Cell(text=fmt.pair(row.name), strong=True) if row.name else Cell(text=NO_STRATEGY, token="muted"),
            Cell(text=f"{of.closed:,}", value=of.closed),
            _number(won, 1, " %"),
            pnl_cell(of.result),
            _number(of.average_win, 2),
            _number(of.average_loss, 2),
            _number(factor, 2),
        ]

    def show_parts(self, parts: Sequence[Part], now_ms: int) -> None:
        self.replace({part.name: part for part in parts}, now_ms)


def _number(value: Decimal | None, places: int, unit: str = "") -> Cell:
    if value is None:
        return Cell(text=fmt.DASH, token="muted")
    return Cell(text=fmt.number(value, places) + unit, value=value)
