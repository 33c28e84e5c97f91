"""The lower left of the Performance dock: the best groups beside the worst, or beside what each part has brought."""

from datetime import tzinfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout

from exengine.analytics.calendar import Range
from exengine.analytics.report import FOREMOST, Report
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.panel_dock import Sorting
from exengine.ui.performance_pieces import Pane, Split
from exengine.ui.performance_tables import LinesModel, PartsModel
from exengine.ui.pieces import Ground, button
from exengine.ui.segments import Segments
from exengine.ui.table import Table
from exengine.ui.theme import Look

NOTHING = "No group closed in this range."
NOTHING_YET = "No group has closed yet."
VIEWS = {"worst": "Worst", "pair": "By pair", "timeframe": "By timeframe", "strategy": "By strategy"}
_TITLES = {"worst": f"Worst {FOREMOST}", "pair": "By pair", "timeframe": "By timeframe", "strategy": "By strategy"}


class GroupTables(Ground):
    """Five tables, two of which are seen: beside each other, or one under the other where that would hide numbers."""

    view_changed = Signal(str)
    turned = Signal()
    """They stand another way now."""

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__(look, "surface")
        self.look = look
        self.best, self.worst = LinesModel(self), LinesModel(self)
        self.parts = {
            "pair": PartsModel("Pair", "DOGE/USDT", self),
            "timeframe": PartsModel("Timeframe", "15m", self),
            "strategy": PartsModel("Strategy", "Momentum", self),
        }
        models: dict[str, LinesModel | PartsModel] = {"best": self.best, "worst": self.worst, **self.parts}
        titles = {"best": f"Best {FOREMOST}", **_TITLES}
        self.tables = {
            key: Table(look, icons, model, name=f"performance_{key}", title=titles[key], tight=True)
            for key, model in models.items()
        }
        for table in self.tables.values():
            table.heading.lie_flat()
        names = {"best": frozenset({1, 2}), "worst": frozenset({1, 2})}
        self._sorting = {
            key: Sorting(table, models[key], names.get(key, frozenset({0}))) for key, table in self.tables.items()
        }
        self.views = Segments(look, "Right table", VIEWS)
        self.views.chosen.connect(self.choose)
        self._stack = QStackedWidget()
        for key in VIEWS:
            self._stack.addWidget(self.tables[key])
        self.show_all = button(look, "Show all", small=True)
        self.show_all.setToolTip("Show the groups of all time")
        self.left = Pane(look, f"Best {FOREMOST}", self.tables["best"], NOTHING, step=self.show_all)
        self.right = Pane(look, "", self._stack, NOTHING, yields=True)
        self.right.heading.detail.hide()
        self.right.heading.row.setStretchFactor(self.right.heading.title, 1)
        self.right.heading.add(self.views)
        self.split = Split(look, "performance_groups", Qt.Orientation.Horizontal, lambda room: (room // 2, room // 2))
        for pane in (self.left, self.right):
            self.split.addWidget(pane)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.split)
        look.changed.connect(self._turn)
        self.choose("worst")

    def choose(self, key: str) -> None:
        """Which table stands beside the best groups."""
        self.views.choose(key)
        self._stack.setCurrentWidget(self.tables[key])
        self.right.heading.title.setText(_TITLES[key])
        # A title that runs moves nothing; this one is another now.
        self.right.heading.title.updateGeometry()
        self._show_empty()
        self.view_changed.emit(key)

    def show_report(self, report: Report, zone: tzinfo) -> None:
        now_ms, is_all = report.now.at_ms, report.wanted.range is Range.ALL
        self.show_all.setHidden(is_all)
        for pane in (self.left, self.right):
            pane.say_empty(NOTHING_YET if is_all else NOTHING)
        self.best.show_lines(report.best, now_ms, zone)
        self.worst.show_lines(report.worst, now_ms, zone)
        for key, parts in (
            ("pair", report.by_pair),
            ("timeframe", report.by_timeframe),
            ("strategy", report.by_strategy),
        ):
            self.parts[key].show_parts(parts, now_ms)
        self._show_empty()

    # Room

    @property
    def is_stacked(self) -> bool:
        return self.split.orientation() is Qt.Orientation.Vertical

    def wanted_height(self) -> int:
        """At which all of the best and the worst can be seen."""
        best = self.tables["best"]
        rows = FOREMOST * self.look.row_height() + best.heading.sizeHint().height() + 6
        return (rows + self.left.heading.height()) * (2 if self.is_stacked else 1)

    def _turn(self) -> None:
        needed = max(self.tables[key].needed_room() for key in ("best", "worst"))
        way = Qt.Orientation.Horizontal if self.width() >= 2 * needed else Qt.Orientation.Vertical
        if way is not self.split.orientation():
            self.split.setOrientation(way)
            self.split.share_room()
            self.turned.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()

    def _show_empty(self) -> None:
        self.left.show_empty(not self.best.rowCount())
        current = self.views.current or "worst"
        self.right.show_empty(not self.tables[current].cells.rowCount())

    # What is kept

    def save(self, layouts: LayoutStore) -> None:
        layouts.save("performance/groups", self.split.kept())
        layouts.save("performance/table", [self.views.current or "worst"])
        for sorting in self._sorting.values():
            sorting.save(layouts)

    def restore(self, layouts: LayoutStore) -> None:
        state = layouts.state("performance/groups")
        if state is not None:
            self.split.take(state)
            self._turn()
        kept = layouts.texts("performance/table") or []
        if kept and kept[0] in VIEWS:
            self.choose(kept[0])
        for sorting in self._sorting.values():
            sorting.restore(layouts)

    def reset(self) -> None:
        self.split.share_room()
        self.choose("worst")
        for sorting in self._sorting.values():
            sorting.reset()
