"""What the Performance dock shows once there are figures: cards, plots, tables, today, and how to take them out."""

from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from exengine.analytics.calendar import Range
from exengine.analytics.report import Report
from exengine.ui import format as fmt
from exengine.ui.book import Book
from exengine.ui.exports import Item, Rows, table_picture, table_rows
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.performance_cards import Cards
from exengine.ui.performance_equity import EquityChart
from exengine.ui.performance_export import (
    curve_rows,
    figure_rows,
    heat_picture,
    heat_rows,
    histogram_rows,
    widget_picture,
)
from exengine.ui.performance_groups import NOTHING, NOTHING_YET, GroupTables
from exengine.ui.performance_heat import HeatMap
from exengine.ui.performance_histogram import HistogramPlot
from exengine.ui.performance_pieces import Pane, Split
from exengine.ui.performance_today import TodayPanel
from exengine.ui.performance_words import decimal, moment
from exengine.ui.pieces import Ground, button
from exengine.ui.theme import Look

LEAST_HEIGHT = 560
"""Where the dock is lower, it scrolls."""
LEAST_PLOT = 250
"""What the equity keeps above the tables."""


class PerformanceView(QScrollArea):
    """All of it is of one report; nothing here works anything out."""

    copied = Signal(str)
    all_asked = Signal()
    """The trader wants all of time, where the range has nothing."""

    def __init__(self, look: Look, icons: Icons, book: Book) -> None:
        super().__init__()
        self.look, self._icons, self._book = look, icons, book
        self.report: Report | None = None
        self.zone: tzinfo = UTC
        self.cards, self.equity, self.groups = Cards(look), EquityChart(look), GroupTables(look, icons)
        self.histogram, self.heat, self.today = HistogramPlot(look), HeatMap(look), TodayPanel(look)
        self.returns_pane = Pane(look, "Returns of closed groups, %", self.histogram, NOTHING)
        self.heat.hidden_changed.connect(self._show_heat_words)
        self.heat_pane = Pane(look, "Realised by pair and timeframe, USD", self.heat, NOTHING)
        self.today_pane = Pane(look, "Today", self.today, "")
        self.groups.show_all.clicked.connect(self.all_asked)
        self._copy = self._copy_button()
        self.today_pane.heading.add(self._copy)
        left = self._split("performance_left", Qt.Orientation.Vertical, self._share_left, self.equity, self.groups)
        right = self._split(
            "performance_right", Qt.Orientation.Vertical, self._share_right,
            self.returns_pane, self.heat_pane, self.today_pane,
        )  # fmt: skip
        self._columns = self._split("performance_columns", Qt.Orientation.Horizontal, _share_columns, left, right)
        self._splits = (self._columns, left, right)
        inner = Ground(look, "surface")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.cards)
        column.addWidget(self._columns, 1)
        self._inner = inner
        self.setWidget(inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        look.changed.connect(self._on_look_changed)
        self.groups.turned.connect(self._on_look_changed)
        self._on_look_changed()

    def _copy_button(self) -> QPushButton:
        made = button(self.look, "Copy", small=True)
        made.setToolTip("Copy today’s lines")
        made.clicked.connect(self._on_copy)
        return made

    def _split(self, name: str, way: Qt.Orientation, share: Callable[[int], Sequence[int]], *parts: QWidget) -> Split:
        made = Split(self.look, name, way, share)
        for part in parts:
            made.addWidget(part)
        return made

    # Room: below there is what the tables and today's lines need, in one line; the plots have all that is left.

    def _share_left(self, room: int) -> tuple[int, int]:
        low = min(self.groups.wanted_height(), room - self.look.scaled(LEAST_PLOT))
        return room - low, low

    def _share_right(self, room: int) -> tuple[int, int, int]:
        today = self.today_pane.heading.height() + self.today.wanted_height()
        low = min(today, room // 2) if self.groups.is_stacked else self._share_left(room)[1]
        heat = self.heat_pane.heading.height() + self.heat.wanted_height()
        heat = min(max(heat, (room - low) // 2), (room - low) * 3 // 5)
        return room - low - heat, heat, low

    def _share_again(self) -> None:
        for split in self._splits:
            if not split.is_own:
                split.share_room()

    def _on_look_changed(self) -> None:
        needed = self.groups.wanted_height() + self.look.scaled(LEAST_PLOT) if self.groups.is_stacked else 0
        self._inner.setMinimumHeight(max(self.look.scaled(LEAST_HEIGHT), needed) + self.cards.height())
        self._inner.setMinimumWidth(self.look.scaled(820))
        self._copy.setIcon(self._icons.button_icon("copy"))
        self._share_again()

    # Content

    def show_report(self, report: Report, zone: tzinfo) -> None:
        self.report, self.zone = report, zone
        self.cards.show_report(report, len(self._book.groups))
        self.equity.show_report(report, zone)
        self.groups.show_report(report, zone)
        self.histogram.show_report(report)
        self.heat.show_report(report)
        self.today.show_report(report, zone, self._book.usd_rate, self._book.engine)
        for pane in (self.returns_pane, self.heat_pane):
            pane.say_empty(NOTHING_YET if report.wanted.range is Range.ALL else NOTHING)
        self.returns_pane.show_empty(not report.returns)
        self.heat_pane.show_empty(not report.heat.cells)
        median = decimal(report.histogram.median)
        counted = fmt.count(report.returns, "group")
        self.returns_pane.heading.detail.setText(
            f"{counted} · median {fmt.signed(median, 2)} %" if median is not None else ""
        )
        self._show_heat_words()
        self._share_again()
        then = moment(report.now.at_ms, zone)
        self.today_pane.heading.detail.setText(f"{then:%a}, {then:%b} {then.day} · day ends at 24:00 {then:%Z}")

    def _show_heat_words(self) -> None:
        """What its tints mean, and that timeframes are out of sight: the sums at the end of its rows count them too."""
        hidden = f"{self.heat.hidden} more to the side · " if self.heat.hidden else ""
        there = self.heat.heat is not None and self.heat.heat.cells
        self.heat_pane.heading.detail.setText(f"{hidden}stronger tint = larger" if there else "")

    def _on_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.today.copied())
        self.copied.emit("Today")

    def items(self) -> list[Item]:
        """Everything that can be taken out."""
        tables = {
            "best": "Best groups", "worst": "Worst groups", "pair": "By pair", "timeframe": "By timeframe",
            "strategy": "By strategy",
        }  # fmt: skip
        return [
            Item(name="Everything shown", picture=lambda: widget_picture(self._inner)),
            Item(
                name="Figures",
                rows=lambda: figure_rows(self._shown),
                picture=lambda: widget_picture(self.cards),
            ),
            Item(
                name="Equity and drawdown",
                rows=lambda: curve_rows(self._shown, self.zone),
                picture=lambda: widget_picture(self.equity),
            ),
            Item(
                name="Returns",
                rows=lambda: histogram_rows(self._shown),
                picture=lambda: widget_picture(self.returns_pane),
            ),
            Item(
                name="Pair and timeframe",
                rows=lambda: heat_rows(self._shown),
                picture=lambda: heat_picture(self.heat, self._shown),
            ),
            *(self._table_item(key, name) for key, name in tables.items()),
            Item(name="Today", rows=self._today_rows, picture=lambda: widget_picture(self.today.whole())),
        ]

    def _table_item(self, key: str, name: str) -> Item:
        table = self.groups.tables[key]

        def picture() -> QPixmap:
            return table_picture(table)

        return Item(name=name, rows=lambda: table_rows(table), picture=picture)

    def _today_rows(self) -> Rows:
        return [["what", "value"], *([name, text.replace("**", "")] for name, text in self.today.lines.items())]

    @property
    def _shown(self) -> Report:
        assert self.report is not None
        return self.report

    # What is kept

    def save(self, layouts: LayoutStore) -> None:
        for split in self._splits:
            layouts.save(f"performance/{split.objectName()}", split.kept())
        self.groups.save(layouts)

    def restore(self, layouts: LayoutStore) -> None:
        for split in self._splits:
            state = layouts.state(f"performance/{split.objectName()}")
            if state is not None:
                split.take(state)
        self.groups.restore(layouts)

    def reset(self) -> None:
        for split in self._splits:
            split.share_room()
        self.groups.reset()


def _share_columns(room: int) -> tuple[int, int]:
    """The plots and tables of the left column are the wider ones."""
    return room * 62 // 100, room - room * 62 // 100
