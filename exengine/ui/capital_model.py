"""The Capital dock's tables: what each pair has at work, and what every account has free."""

from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from exengine.domain.money import ZERO
from exengine.engine.panel_rows import ExposureRow
from exengine.ui import format as fmt
from exengine.ui.cell import UNKNOWN, Cell, Column
from exengine.ui.cell_model import Index
from exengine.ui.keyed_model import KeyedModel, SortKey
from exengine.ui.positions_cells import number_cell


class Col(IntEnum):
    PAIR = 0
    DEPLOYED = 1
    BAR = 2
    SHARE = 3
    LOCKED = 4


COLUMNS = (
    Column(key="pair", title="Pair", sample="DOGE USDT", elides=True),
    Column(key="deployed", title="Deployed", sample="6,498.88", right=True, hint="Filled and open entries, in USD"),
    Column(key="bar", title="Filled, open", sample="", wide_bar=True, takes_rest=True, sortable=False,
           hint="What is filled, and what rests in open DCA legs; the longest is the pair with most at work"),
    Column(key="share", title="Share", sample="100.0 %", right=True, hint="Of all that is deployed"),
    Column(key="locked", title="In DCA", sample="100.0 %", right=True, hint="Resting in unfilled DCA legs"),
)  # fmt: skip


class CapitalModel(KeyedModel[ExposureRow]):
    columns = COLUMNS
    largest: Decimal = ZERO
    """What the pair with most at work has: the length of a whole bar."""

    def natural(self, row: ExposureRow) -> SortKey:
        return (-row.deployed, row.symbol)

    def make_cells(self, row: ExposureRow) -> list[Cell]:
        whole = self.largest or row.deployed
        filled, rests = (float(row.filled / whole), float(row.open / whole)) if whole else (0.0, 0.0)
        locked = row.locked_percent
        return [
            Cell(fmt.pair(row.symbol), strong=True, value=row.symbol),
            number_cell(row.deployed, 2),
            Cell(bar=round(filled, 3), bar_open=round(rests, 3), value=row.filled),
            _percent(row.share_percent),
            _percent(locked, "text" if locked else "muted"),
        ]

    def tooltip(self, index: Index) -> str:
        row = self.row_at(index)
        if row is None:
            return ""
        return (
            f"{fmt.pair(row.symbol)}: {fmt.number(row.filled, 2)} USD filled, {fmt.number(row.open, 2)} USD in open "
            f"entries, in {fmt.count(row.groups, 'group')}"
        )


def _percent(value: Decimal | None, token: str = "text") -> Cell:
    return UNKNOWN if value is None else Cell(fmt.number(value, 1) + " %", token, value=value)


class AccountLine(NamedTuple):
    name: str
    free: Decimal
    kind: str


ACCOUNT_COLUMNS = (
    Column(key="account", title="Account", sample="paper account", sortable=False, elides=True),
    Column(key="free", title="Free, USD", sample="100,000.00", right=True, sortable=False),
    Column(key="kind", title="Kind", sample="Binance spot", sortable=False, takes_rest=True, elides=True),
)


class AccountsModel(KeyedModel[AccountLine]):
    """What there is to trade with."""

    columns = ACCOUNT_COLUMNS

    def natural(self, row: AccountLine) -> SortKey:
        return (row.name,)

    def make_cells(self, row: AccountLine) -> list[Cell]:
        return [Cell(row.name, strong=True), number_cell(row.free, 2), Cell(row.kind, "muted")]
