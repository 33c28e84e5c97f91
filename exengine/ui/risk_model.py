"""The Risk dock's tables: live groups as the risk engine sees them, the lines of a plan, and what it did before."""

from collections.abc import Iterable
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple

from PySide6.QtCore import QModelIndex, QObject

from exengine.domain.group import GroupKey
from exengine.domain.instrument import Side
from exengine.engine.panel_rows import OffsetRow, Patch, PlanLine, PlanView, RiskRow, RiskState, RiskSummary
from exengine.engine.rows import Quote
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.book import Book
from exengine.ui.cell import UNKNOWN, Cell, Column, Part
from exengine.ui.cell_model import Index
from exengine.ui.keyed_model import KeyedModel, SortKey
from exengine.ui.positions_cells import is_stale, pnl_cell, price_age


class Col(IntEnum):
    GROUP = 0
    PERCENT = 1
    LOSS = 2
    TIMER = 3
    PYRAMIDS = 4
    AGE = 5
    OFFERS = 6
    STATE = 7


NAMES = frozenset({Col.GROUP, Col.PERCENT, Col.LOSS, Col.TIMER, Col.STATE})

COLUMNS = (
    Column(key="group", title="Group", sample="AVAX 1h", elides=True),
    Column(key="percent", title="Loss %", sample="−6.16", right=True, hint="Unrealised PnL in percent of its cost"),
    Column(key="loss", title="Loss, USD", sample="−307.87", right=True, hint="Unrealised PnL in USD"),
    Column(key="timer", title="Timer", sample="59:59", right=True, hint="Until it may be paid off"),
    Column(key="pyramids", title="Pyr.", sample="5 / 5", right=True, hint="Pyramids reached, of those allowed"),
    Column(key="age", title="Age filter", sample="200 m", right=True, hidden=True, hint="Until it is old enough"),
    Column(key="offers", title="Offsets", sample="3 · 1,361.41", right=True, hidden=True,
           hint="Winners that could pay for it, and what they bring in USD"),
    Column(key="state", title="State", sample="Candidate", takes_rest=True),
)  # fmt: skip

STATES: dict[RiskState, tuple[str, str]] = {
    RiskState.CANDIDATE: ("Candidate", "risk"),
    RiskState.NOT_FULL: ("Not full", "muted"),
    RiskState.WAITING: ("Waiting", "text"),
    RiskState.WINNER: ("Winner", "success"),
    RiskState.NO_FILL: ("No fill", "muted"),
    RiskState.BLOCKED: ("Blocked", "warn"),
    RiskState.SKIPPED: ("Skip once", "warn"),
    RiskState.CLOSING: ("Closing", "warn"),
    RiskState.HELD_BACK: ("Held back", "error"),
}

MEANINGS: dict[RiskState, str] = {
    RiskState.CANDIDATE: "It is paid off as soon as its timer has run out and winners cover it",
    RiskState.NOT_FULL: "Not all its pyramids are in",
    RiskState.WAITING: "Not deep enough under its cost, not old enough, or its timer has not begun",
    RiskState.WINNER: "In profit after fees: it could pay for a loser",
    RiskState.NO_FILL: "Nothing of it has filled",
    RiskState.BLOCKED: "You keep the risk engine away from it",
    RiskState.SKIPPED: "The next look in which it would be paid off passes over it",
    RiskState.CLOSING: "It is being closed",
    RiskState.HELD_BACK: "It is stopped, or its account cannot be reached",
}


def short_name(symbol: str) -> str:
    """`AVAX` of AVAX/USDT: in a narrow column the coin says enough."""
    return symbol.split("/", maxsplit=1)[0]


def timer_text(ends_ms: int | None, now_ms: int) -> str:
    """`14:20`, `2 h`, `now`; a dash while it has not begun."""
    if ends_ms is None:
        return fmt.DASH
    left_s = max(0, -(-(ends_ms - now_ms) // 1000)) if ends_ms else 0
    if not left_s:
        return "now"
    return fmt.age(left_s * 1000) if left_s >= 3_600 else f"{left_s // 60:02}:{left_s % 60:02}"


_PRICED = RiskRow._fields.index("loss_percent")
"""From this part of a row on prices move it."""


class RiskModel(KeyedModel[RiskRow]):
    columns = COLUMNS
    flashing = (Col.PERCENT, Col.LOSS)
    settle_ms = 3_000

    def __init__(self, book: Book, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._book = book
        self._is_any_stale = False
        """Whether there was a price too old to be trusted at the last tick: rarely, and then each is looked at."""
        self.about: RiskSummary | None = None
        """What all winners would bring: it moves with every price, and is shown with the next tick."""

    def natural(self, row: RiskRow) -> SortKey:
        return (row.loss_percent is None, row.loss_percent or 0, row.opened_at_ms)

    def make_cells(self, row: RiskRow) -> list[Cell]:
        state, token = STATES[row.state]
        is_candidate = row.state is RiskState.CANDIDATE
        timer = timer_text(row.timer_ends_ms, self.now_ms)
        # What is not in danger has a timer as well: it is not news.
        timer_token = "risk" if is_candidate else "muted"
        old = "" if row.old_at_ms == 0 else timer_text(row.old_at_ms, self.now_ms)
        count, offered = self._offered(row)
        offers = f"{count} · {fmt.number(offered, 2)}" if count else fmt.DASH
        return [
            Cell(
                short_name(row.symbol),
                strong=True,
                value=f"{row.symbol} {row.timeframe} {row.side.value}",
                after=(Part(row.timeframe),),
            ),
            *self._lost(row),
            Cell(timer, timer_token, value=row.timer_ends_ms) if row.timer_ends_ms is not None else UNKNOWN,
            Cell(fmt.of(row.pyramids, row.max_pyramids)),
            Cell(old or "passed", "muted") if row.old_at_ms is not None else UNKNOWN,
            Cell(offers, "muted", value=offered),
            Cell(state, token, strong=is_candidate),
        ]

    def remade(self, row: RiskRow, was: RiskRow, cells: list[Cell]) -> list[Cell]:
        """At another price, only what is lost is another; timers go with the tick."""
        if row[:_PRICED] != was[:_PRICED]:
            return self.make_cells(row)
        made = cells.copy()
        made[Col.PERCENT], made[Col.LOSS] = self._lost(row)
        return made

    def _lost(self, row: RiskRow) -> tuple[Cell, Cell]:
        """Muted where the price is not to be trusted, as Positions has it."""
        stale = self._is_any_stale and is_stale(self._quote(row), self.now_ms)
        return (
            pnl_cell(row.loss_percent, 2, stale=stale, arrow=False),
            pnl_cell(row.loss_usd, 2, stale=stale, arrow=False),
        )

    def _quote(self, row: RiskRow) -> Quote | None:
        return self._book.quotes.get((row.account, row.symbol))

    def tick(self, now_ms: int, rows: Iterable[QModelIndex]) -> None:
        self._is_any_stale = any(is_stale(quote, now_ms) for quote in self._book.quotes.values())
        super().tick(now_ms, rows)

    def _offered(self, row: RiskRow) -> tuple[int, Decimal]:
        """How many winners could pay for it, and what they would bring: all who are asked but itself."""
        if self.about is None:
            return 0, Decimal(0)
        return self.about.offers - (row.brings_usd > 0), self.about.offered_usd - row.brings_usd

    def tooltip(self, index: Index) -> str:
        row = self.row_at(index)
        if row is None:
            return ""
        match index.column():
            case Col.GROUP:
                side = words.SIDES[row.side][0].lower()
                return f"{fmt.pair(row.symbol)} {row.timeframe}, {side}, on {row.account}"
            case Col.PERCENT | Col.LOSS if row.loss_percent is not None:
                return price_age(self._quote(row), self.now_ms)
            case Col.STATE:
                return MEANINGS[row.state]
            case Col.TIMER if row.timer_ends_ms:
                return f"Until {fmt.iso(row.timer_ends_ms)}"
        return ""


# the plan ---------------------------------------------------------------------------------------------------------


class PlanRow(NamedTuple):
    """A line of the plan's table: a winner, the loser, or what is left over."""

    place: int
    line: PlanLine | None
    plan: PlanView


PLAN_COLUMNS = (
    Column(key="group", title="Group", sample="AVAX/USDT 15m", sortable=False, elides=True),
    Column(key="closed", title="What is closed", sample="Buy back 0.909 of 1.164", sortable=False, takes_rest=True),
    Column(key="brings", title="Brings, USD", sample="+1,198.38", right=True, sortable=False),
)


class PlanModel(KeyedModel[PlanRow]):
    """The winners, then the loser, then what is left over."""

    columns = PLAN_COLUMNS

    def natural(self, row: PlanRow) -> SortKey:
        return (row.place,)

    def is_ruled(self, index: Index) -> bool:
        row = self.row_at(index)
        return row is not None and row.place >= len(row.plan.winners)

    def make_cells(self, row: PlanRow) -> list[Cell]:
        if row.line is None:
            over = row.plan.brings_usd + (row.plan.loser.brings_usd if row.plan.loser is not None else 0)
            covered = f"Covered {fmt.number(row.plan.covered_percent, 1)} %"
            return [Cell("Left over", "muted"), Cell(covered, "muted"), _left_over(over, strong=True)]
        line = row.line
        return [
            Cell(fmt.pair(line.symbol), strong=True, after=(Part(line.timeframe),)),
            what_is_closed(line),
            pnl_cell(line.brings_usd, 2, arrow=False),
        ]


def _left_over(usd: Decimal, *, strong: bool = False) -> Cell:
    """What the winners brought beyond what was needed: small change, and no profit of its own."""
    return Cell(fmt.signed(usd, 2), strong=strong, value=usd)


def what_is_closed(line: PlanLine) -> Cell:
    """`Sell all 0.07735`, `Buy back 0.909 of 1.164`."""
    verb = "Sell" if line.side is Side.LONG else "Buy back"
    qty = fmt.tradable(line.qty, line.qty_decimals)
    if line.whole:
        return Cell(f"{verb} all {qty}", value=line.qty)
    of = (Part(f"of {fmt.tradable(line.of_qty, line.qty_decimals)}"),)
    return Cell(f"{verb} {qty}", value=line.qty, after=of)


def plan_rows(plan: PlanView | None) -> dict[str, PlanRow]:
    """The table's rows by their places: whoever pays, the table stays as it is."""
    if plan is None or not plan.winners:
        return {}
    lines = [*plan.lines, None]
    return {str(place): PlanRow(place, line, plan) for place, line in enumerate(lines)}


# what was done before ---------------------------------------------------------------------------------------------


class Past(IntEnum):
    TIME = 0
    TEXT = 1
    OVER = 2


HISTORY_COLUMNS = (
    Column(key="time", title="Offsets", sample="Nov 21", sortable=False),
    Column(key="text", title="", sample="", sortable=False, elides=True, takes_rest=True),
    Column(key="over", title="Left over", sample="+0.12", right=True, sortable=False),
)


class HistoryModel(KeyedModel[OffsetRow]):
    """What the risk engine did, the latest first."""

    columns = HISTORY_COLUMNS

    def natural(self, row: OffsetRow) -> SortKey:
        return (-row.at_ms, -row.id)

    def make_cells(self, row: OffsetRow) -> list[Cell]:
        # The day alone of an earlier day's, the minute of today's.
        at = fmt.moment(row.at_ms, self.now_ms)
        short = " ".join(at.split()[:2]) if " " in at else at[:5]
        return [
            Cell(short, "muted", value=fmt.iso(row.at_ms)),
            Cell(offset_words(row)),
            _left_over(row.left_over),
        ]

    def patch_offsets(self, offsets: Iterable[OffsetRow], now_ms: int) -> None:
        """Takes new offsets over."""
        self.patch(Patch(rows={str(row.id): row for row in offsets}), now_ms)

    def tooltip(self, index: Index) -> str:
        row = self.row_at(index)
        if row is None:
            return ""
        if index.column() == Past.TIME:
            return fmt.iso(row.at_ms)
        paid = ", ".join(row.winners)
        return (
            f"{row.loser}: {fmt.number(row.required, 2)} USD were needed, "
            f"{fmt.number(row.realised, 2)} brought by {paid}"
        )


def offset_words(row: OffsetRow) -> str:
    """`ADA/USDT 2h closed by BTC 2h`, `DOGE/USDT 1h closed 64 % by BTC 4h and ETH 1h`."""
    loser = GroupKey.of(row.loser)
    paid = fmt.listed([f"{short_name(one.symbol)} {one.timeframe}" for one in map(GroupKey.of, row.winners)])
    share = "" if row.share_percent >= FULL else f" {fmt.number(row.share_percent, 0)} %"
    return f"{fmt.pair(loser.symbol)} {loser.timeframe} closed{share} by {paid}"


FULL = Decimal("99.9")
"""From this share of what is required on, the loser goes whole (SPEC §8)."""
