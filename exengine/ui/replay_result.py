"""The right side of the Replay window: why there is nothing yet, how far it has come, or what came of it."""

from collections.abc import Sequence
from datetime import tzinfo
from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from exengine.analytics.replayed import Replayed, Stage
from exengine.ui import format as fmt
from exengine.ui.icons import Icons
from exengine.ui.performance_pieces import BusyLine, Pane, Split
from exengine.ui.pieces import Ground, Hairline, Label, Prose
from exengine.ui.replay_chart import NAMES, TOKENS, ReplayChart, zone_of
from exengine.ui.replay_tables import FiguresModel, TradesModel
from exengine.ui.segments import Segments
from exengine.ui.table import Table
from exengine.ui.theme import Look, Role, Weight

EMPTY = (
    "Choose signals, prices and one or two configurations, and press **Replay**. What would have come of the same "
    "signals is shown here side by side. Nothing is traded, and the engine goes on meanwhile."
)
BOTH = "both"


class Progress(Ground):
    """What is being done, and how much of it."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, "surface")
        self.text = Label(look, role=Role.HEADING, weight=Weight.STRONG)
        self.rows: list[tuple[Label, BusyLine, Label]] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(48, 48, 48, 48)
        column.setSpacing(12)
        column.addStretch(2)
        column.addWidget(self.text)
        for token in TOKENS:
            name, bar, share = Label(look, token=token, weight=Weight.STRONG), BusyLine(look, token), Label(look)
            bar.setFixedHeight(6)
            share.setAlignment(Qt.AlignmentFlag.AlignRight)
            share.setMinimumWidth(look.scaled(44))
            row = QHBoxLayout()
            row.setSpacing(12)
            name.setMinimumWidth(look.scaled(180))
            row.addWidget(name)
            row.addWidget(bar, 1)
            row.addWidget(share)
            column.addLayout(row)
            self.rows.append((name, bar, share))
        note = Label(look, "It runs in processes of its own. The engine goes on trading meanwhile.", token="muted")
        column.addWidget(note)
        column.addStretch(3)

    def show_stage(self, stage: Stage, names: Sequence[str]) -> None:
        self.text.setText(f"{stage.text}…")
        shares = stage.shares or (0.0,)
        several = len(shares) == len(names)
        for place, (name, bar, share) in enumerate(self.rows):
            shown = place < len(shares)
            for part in (name, bar, share):
                part.setVisible(shown)
            if shown:
                name.setText(names[place] if several else "")
                name.setVisible(several)
                bar.show_share(shares[place])
                share.setText(f"{shares[place] * 100:.0f} %" if stage.shares else "")


class ReplayResult(Ground):
    """Curves above, figures and trades below."""

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__(look, "surface")
        self.look = look
        self.runs: tuple[Replayed, ...] = ()
        self.zone: tzinfo | None = None
        self.progress = Progress(look)
        self.chart = ReplayChart(look)
        self.verdict = Prose(look)
        self.figures, self.trades = FiguresModel(self), TradesModel(self)
        self.figures_table = Table(look, icons, self.figures, name="replay_figures", title="Figures", tight=True)
        self.trades_table = Table(look, icons, self.trades, name="replay_trades", title="Trades", tight=True)
        for table in (self.figures_table, self.trades_table):
            table.heading.lie_flat()
        self.which = Segments(look, "Trades of", {BOTH: "Both", "0": NAMES[0], "1": NAMES[1]})
        self.which.choose(BOTH)
        self.which.chosen.connect(self._on_which)
        self.trades_pane = Pane(look, "Trades", self.trades_table, "No group has filled.")
        self.trades_pane.heading.add(self.which)
        self.pages = QStackedWidget()
        self.pages.addWidget(self._empty())
        self.pages.addWidget(self.progress)
        self.pages.addWidget(self._found())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)

    def _empty(self) -> QWidget:
        page = Ground(self.look, "surface")
        told = Prose(self.look)
        told.say(EMPTY)
        told.setAlignment(Qt.AlignmentFlag.AlignCenter)
        told.setMaximumWidth(self.look.scaled(460))
        column = QHBoxLayout(page)
        column.addStretch(1)
        column.addWidget(told, 4)
        column.addStretch(1)
        return page

    def _found(self) -> QWidget:
        page = Ground(self.look, "surface")
        figures = Pane(self.look, "Figures", self.figures_table, "")
        split = Split(self.look, "replay_tables", Qt.Orientation.Horizontal)
        split.addWidget(figures)
        split.addWidget(self.trades_pane)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 5)
        halves = Split(self.look, "replay_halves", Qt.Orientation.Vertical)
        halves.addWidget(self.chart)
        halves.addWidget(split)
        halves.setStretchFactor(0, 5)
        halves.setStretchFactor(1, 6)
        edge = self.look.metric("edge_padding")
        self.verdict.setContentsMargins(edge, 8, edge, 8)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.verdict)
        column.addWidget(Hairline(self.look))
        column.addWidget(halves, 1)
        return page

    # What is shown

    def show_nothing(self) -> None:
        self.runs = ()
        self.pages.setCurrentIndex(0)

    def show_stage(self, stage: Stage, names: Sequence[str]) -> None:
        self.progress.show_stage(stage, names)
        self.pages.setCurrentIndex(1)

    def show_runs(self, runs: Sequence[Replayed], zone: tzinfo) -> None:
        """What came of one replay, or of two."""
        self.runs, self.zone = tuple(runs), zone
        alone = len(runs) == 1
        for column in (2, 3):
            self.figures_table.heading.setSectionHidden(column, alone)
        self.trades_table.heading.setSectionHidden(0, alone)
        self.which.setVisible(not alone)
        self.which.choose(BOTH)
        self.figures.show_runs(runs)
        self._show_trades(None)
        self.chart.show_runs(runs, zone)
        self.verdict.say(verdict(runs))
        self.pages.setCurrentIndex(2)
        for table in (self.figures_table, self.trades_table):
            table.fit()

    def _on_which(self, key: str) -> None:
        self._show_trades(None if key == BOTH else int(key))

    def _show_trades(self, only: int | None) -> None:
        if self.zone is not None:
            self.trades.show_runs(self.runs, self.zone, only)
            self.trades_pane.heading.detail.setText(f"times {zone_of(self.runs, self.zone)}" if self.runs else "")
        self.trades_pane.show_empty(not self.trades.rowCount())


def verdict(runs: Sequence[Replayed]) -> str:
    """What the figures come to, in a sentence."""
    profits = [run.figures["net_profit"] or 0 for run in runs]
    falls = [run.figures["max_drawdown_percent"] for run in runs]
    told = [
        f"{name} **{fmt.signed(_decimal(profit), 2)} USD**"
        + ("" if fall is None else f", at most {_percent(fall)} down")
        for name, profit, fall in zip(NAMES, profits, falls, strict=False)
    ]
    played = f"{runs[0].events:,} prices and signals."
    if len(runs) == 1:
        return f"{told[0].removeprefix('A ')}. {played}"
    more = _decimal(profits[1]) - _decimal(profits[0])
    way = fmt.direction(more, 2)
    better = {1: "B brings", -1: "A brings", 0: ""}[way]
    last = f"**{better} {fmt.number(abs(more), 2)} USD more.**" if better else "Both bring the same."
    return f"{told[0]}; {told[1]}. {last} {played}"


def _decimal(value: object) -> Decimal:
    return Decimal(str(value))


def _percent(value: object) -> str:
    return f"{fmt.number(_decimal(value), 2)} %"
