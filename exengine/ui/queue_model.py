"""The Queue table: who waits, why, and who goes next by which rule."""

from enum import IntEnum

from exengine.engine.panel_rows import ACCOUNT_AWAY, GROUP_STOPPED, Rule, WaitingRow
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.cell import UNKNOWN, Cell, Column
from exengine.ui.cell_model import Index
from exengine.ui.keyed_model import KeyedModel, SortKey
from exengine.ui.positions_cells import number_cell, pair_cell, pnl_cell


class Col(IntEnum):
    RANK = 0
    RULE = 1
    PAIR = 2
    REASON = 3
    ENTRY = 4
    LAST = 5
    LOSS = 6
    REPLACED = 7
    PROFIT = 8
    AGE = 9
    ACCOUNT = 10


NAMES = frozenset({Col.RANK, Col.RULE, Col.PAIR, Col.REASON, Col.LOSS, Col.ACCOUNT})
"""Sorted from the smallest or from A first."""

COLUMNS = (
    Column(key="rank", title="Rank", sample="100", right=True, hint="Its place in line for the next free slot"),
    Column(key="rule", title="Deciding rule", sample="Waits for the short", hint="What put it before the next one"),
    Column(key="pair", title="Pair / timeframe", sample="NEAR/USDT 15m       Short", elides=True),
    Column(key="reason", title="Reason", sample="No market rules", hint="Why it waits"),
    Column(key="entry", title="Entry", sample="64,544.00", right=True, hint="The signal’s price"),
    Column(key="last", title="Last", sample="67,240.50", right=True, hint="Last price"),
    Column(key="loss", title="Loss %", sample="−10.07", right=True, hint="How far the market came its way since"),
    Column(key="replaced", title="Replaced", sample="10", right=True, hint="Newer entries that took its place"),
    Column(key="profit", title="Exp. profit, USD", sample="1,230.00", right=True, hint="If each leg met its target"),
    Column(key="age", title="In queue", sample="59 m", right=True),
    Column(key="account", title="Account", sample="paper", takes_rest=True, elides=True),
)

RULES = {
    Rule.REVERSAL: "Reversal",
    Rule.PYRAMID_CONTINUATION: "Pyramid first",
    Rule.DEEPEST_LOSS: "Deepest loss",
    Rule.MOST_REPLACED: "Most replaced",
    Rule.HIGHEST_EXPECTED_PROFIT: "Highest profit",
    Rule.FIFO: "Waits longest",
    Rule.ARRIVAL: "Came first",
    Rule.ALONE: "The only one",
}

REASONS = {
    "pool_full": ("Pool full", "text"),
    "opposite_side": ("Opposite side", "warn"),
    "missing_rules": ("No market rules", "warn"),
    "paused": ("Paused", "muted"),
    ACCOUNT_AWAY: ("Account away", "warn"),
    GROUP_STOPPED: ("Group stopped", "warn"),
}


class QueueModel(KeyedModel[WaitingRow]):
    columns = COLUMNS
    flashing = (Col.LAST, Col.LOSS)

    def natural(self, row: WaitingRow) -> SortKey:
        return (row.rank is None, row.rank or 0, row.queued_at_ms)

    def make_cells(self, row: WaitingRow) -> list[Cell]:
        reason, token = REASONS.get(row.reason) or (words.sentence(row.reason), "text")
        return [
            UNKNOWN if row.rank is None else Cell(str(row.rank), strong=True, value=row.rank),
            Cell(rule_words(row), "muted"),
            pair_cell(row.symbol, row.timeframe, row.side),
            Cell(reason, token),
            number_cell(row.price, row.price_decimals),
            number_cell(row.last, row.price_decimals),
            pnl_cell(row.loss_percent, 2, arrow=False),
            Cell(f"{row.replacements:,}", "text" if row.replacements else "muted", value=row.replacements),
            number_cell(row.expected_profit, 2),
            Cell(fmt.age(self.now_ms - row.queued_at_ms), "muted", value=self.now_ms - row.queued_at_ms),
            Cell(row.account, "muted"),
        ]

    def tooltip(self, index: Index) -> str:
        row = self.row_at(index)
        if row is None:
            return ""
        match index.column():
            case Col.AGE:
                return f"Waits since {fmt.iso(row.queued_at_ms)}"
            case Col.REASON | Col.RANK | Col.RULE if row.blocker:
                return row.blocker
            case Col.PROFIT if row.capital is not None:
                return f"With {fmt.number(row.capital, fmt.quote_decimals(row.quote))} {row.quote} for its pyramid"
        return ""


def rule_words(row: WaitingRow) -> str:
    """Why it stands where it stands, or what it waits for where no slot would help it."""
    if row.rule is not None:
        return RULES[row.rule]
    if row.reason == "missing_rules":
        return "Waits for rules"
    return f"Waits for the {'short' if row.side.sign > 0 else 'long'}"


def name_of(row: WaitingRow) -> str:
    return f"{fmt.pair(row.symbol)} {row.timeframe}"
