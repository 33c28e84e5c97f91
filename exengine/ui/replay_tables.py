"""The tables of replays: their figures side by side, and their trades."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal

from PySide6.QtCore import QObject

from exengine.analytics.replayed import Figure, Replayed, ReplayTrade
from exengine.domain.money import HUNDRED
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.cell import UNKNOWN, Cell, Column
from exengine.ui.keyed_model import KeyedModel, SortKey
from exengine.ui.performance_words import minute, name_cell, pnl_cell, side_cell
from exengine.ui.replay_chart import NAMES, TOKENS

MONEY, PERCENT, RATIO, COUNT, SHARE = "USD", "%", "", "count", "share"

FIGURES: dict[str, tuple[str, str, int]] = {
    "net_profit": ("Net profit, USD", MONEY, 1),
    "profit_over_drawdown": ("Profit over drawdown", RATIO, 1),
    "end_equity": ("Equity at the end, USD", MONEY, 1),
    "realised_pnl": ("Realised, USD", MONEY, 1),
    "unrealised_pnl": ("Unrealised, USD", MONEY, 1),
    "max_drawdown_percent": ("Largest drawdown", PERCENT, -1),
    "current_drawdown_percent": ("Drawdown at the end", PERCENT, -1),
    "groups_closed": ("Groups closed", COUNT, 0),
    "groups_open": ("Groups open", COUNT, 0),
    "win_rate": ("Win rate", SHARE, 1),
    "average_win": ("Average win, USD", MONEY, 1),
    "average_loss": ("Average loss, USD", MONEY, 1),
    "rr": ("Win to loss (RR)", RATIO, 1),
    "profit_factor": ("Profit factor", RATIO, 1),
    "sharpe": ("Sharpe", RATIO, 1),
    "sortino": ("Sortino", RATIO, 1),
    "best": ("Best trade, USD", MONEY, 1),
    "worst": ("Worst trade, USD", MONEY, 1),
    "long_pnl": ("Longs, USD", MONEY, 1),
    "short_pnl": ("Shorts, USD", MONEY, 1),
    "fees": ("Fees, USD", MONEY, -1),
    "volume": ("Volume, USD", MONEY, 0),
}
"""Name, kind, and which way is better: 1 more, −1 less, 0 neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure of two replays; `second` is None too where there is one only."""

    place: int
    name: str
    first: Decimal | None
    second: Decimal | None
    kind: str
    better: int


class FiguresModel(KeyedModel[Compared]):
    """The key figures with their difference, B less A, coloured by which is better."""

    columns = (
        Column(key="name", title="Figure", sample="Equity at the end, USD", takes_rest=True),
        Column(key="first", title=NAMES[0], sample="10,000.00", right=True),
        Column(key="second", title=NAMES[1], sample="10,000.00", right=True),
        Column(key="difference", title="B − A", sample="+1,000.00", right=True, hint="How much more B has"),
    )

    def natural(self, row: Compared) -> SortKey:
        return (row.place,)

    def make_cells(self, row: Compared) -> list[Cell]:
        return [
            Cell(text=row.name),
            _value(row.first, row.kind),
            _value(row.second, row.kind),
            _difference(row),
        ]

    def show_runs(self, runs: Sequence[Replayed]) -> None:
        self.replace({row.name: row for row in compared(runs)}, 0)


def compared(runs: Sequence[Replayed]) -> Iterator[Compared]:
    """Every figure of one or two replays, in the order of the table."""
    for place, (key, (name, kind, better)) in enumerate(FIGURES.items()):
        values = [_number(run.figures.get(key), kind) for run in runs]
        yield Compared(
            place=place, name=name, first=values[0], second=values[1] if len(values) > 1 else None, kind=kind,
            better=better,
        )  # fmt: skip


def _number(value: Figure, kind: str) -> Decimal | None:
    if value is None:
        return None
    return Decimal(value) * HUNDRED if kind == SHARE else Decimal(value)


def _decimals(kind: str) -> int:
    return 0 if kind == COUNT else 1 if kind == SHARE else 2


def _unit(kind: str) -> str:
    return " %" if kind in (PERCENT, SHARE) else ""


def _value(value: Decimal | None, kind: str) -> Cell:
    if value is None:
        return UNKNOWN
    return Cell(text=fmt.number(value, _decimals(kind)) + _unit(kind), value=value)


def _difference(row: Compared) -> Cell:
    if row.first is None or row.second is None:
        return UNKNOWN
    places = _decimals(row.kind)
    # Of what is shown: 0.12 and 0.17 are 0.05 apart, whatever was rounded away.
    value = round(row.second, places) - round(row.first, places)
    way = fmt.direction(value, places)
    token = {1: "profit", -1: "loss", 0: "muted"}[way * row.better]
    return Cell(text=fmt.signed(value, places) + _unit(row.kind), token=token, value=value, arrow=way)


REALISED = "Net of fees; of an open group what its legs have realised so far"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTrade:
    """A trade and which replay it is of."""

    run: int
    trade: ReplayTrade


class TradesModel(KeyedModel[OneTrade]):
    """Every group that has filled, in the order in which they opened."""

    columns = (
        Column(key="run", title="", sample="A", hint="Which configuration"),
        Column(key="name", title="Pair / timeframe", sample="DOGE/USDT 15m", elides=True, takes_rest=True),
        Column(key="side", title="Side", sample="Short", icon=True),
        Column(key="opened", title="Opened", sample="Nov 23, 23:41", right=True),
        Column(key="closed", title="Closed", sample="Nov 23, 23:41", right=True),
        Column(key="reason", title="Left by", sample="take profit"),
        Column(key="pyramids", title="Pyr.", sample="5", right=True, hint="Pyramids"),
        Column(key="pnl", title="Realised, USD", sample="+1,000.00", right=True, arrow=True, hint=REALISED),
    )

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.zone: tzinfo = UTC

    def natural(self, row: OneTrade) -> SortKey:
        return (row.trade.opened_at_ms, row.trade.group, row.run)

    def make_cells(self, row: OneTrade) -> list[Cell]:
        one = row.trade
        closed = (
            Cell(text=minute(one.closed_at_ms, self.zone), value=one.closed_at_ms)
            if one.closed_at_ms is not None
            else Cell(text="open", token="muted")
        )
        return [
            Cell(text=NAMES[row.run], token=TOKENS[row.run], strong=True),
            name_cell(one.symbol, one.timeframe),
            side_cell(one.side),
            Cell(text=minute(one.opened_at_ms, self.zone), token="muted", value=one.opened_at_ms),
            closed,
            Cell(text=words.REASONS.get(one.reason, one.reason), token="muted"),
            Cell(text=str(one.pyramids), value=one.pyramids),
            pnl_cell(one.realised),
        ]

    def show_runs(self, runs: Sequence[Replayed], zone: tzinfo, only: int | None = None) -> None:
        """The trades of both, or of one of them."""
        self.zone = zone
        rows = {
            f"{place} {trade.group}": OneTrade(run=place, trade=trade)
            for place, run in enumerate(runs)
            if only is None or only == place
            for trade in run.trades
        }
        self.replace(rows, 0)
