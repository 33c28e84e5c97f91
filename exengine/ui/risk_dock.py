"""The Risk dock: who loses, when the risk engine acts, who would pay, and what it did before."""

from PySide6.QtCore import QEvent, QMargins, QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QScrollArea, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from exengine.engine.panel_rows import Panel, PlanView, RiskRow, RiskState, RiskSummary
from exengine.engine.rows import ViewChanges
from exengine.ui import format as fmt
from exengine.ui import risk_words
from exengine.ui.book import Book
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.panel_dock import PanelDock, Sorting, enable, note_rows, patch_rows, seen_rows
from exengine.ui.pieces import ElidedLabel, Ground, Hairline, Label
from exengine.ui.risk_model import NAMES, HistoryModel, PlanModel, RiskModel, plan_rows, short_name
from exengine.ui.running_prose import RunningProse
from exengine.ui.stream_dock import EmptyNote
from exengine.ui.table import Table
from exengine.ui.table_tools import TableTools
from exengine.ui.theme import Look, Weight

NOTHING = "Nothing to watch"
LEAST_ROWS, MOST_ROWS = 4, 12
"""Of the table of groups, however low the dock is: where all of it scrolls, rows do not scroll within it as well."""
MARGINS = (10, 8, 8, 8)
"""Over and under the plan's words, and over and under its actions."""


class RiskDock(PanelDock):
    """The table of groups, the plan for the chosen one, its actions, and the history."""

    panel = Panel.RISK
    run_asked = Signal(RiskRow, object)
    """The group that would be paid off, and its plan."""
    skip_asked = Signal(RiskRow)
    block_asked = Signal(RiskRow, bool)
    chosen_changed = Signal()
    current_changed = Signal()

    def __init__(self, look: Look, icons: Icons, book: Book) -> None:
        super().__init__(look, icons, name="risk", title="Risk")
        self._book, self._reach = book, risk_words.EVERYWHERE
        self.about: RiskSummary | None = None
        self.plan: PlanView | None = None
        self._now_ms = 0
        self.model, self.plan_model, self.history = RiskModel(book, self), PlanModel(self), HistoryModel(self)
        self.table = Table(look, icons, self.model, name="risk_table", title="Groups by loss", tight=True)
        self.plan_table = Table(look, icons, self.plan_model, name="plan_table", title="Projected plan")
        self.past = Table(look, icons, self.history, name="offsets_table", title="Offsets so far")
        self.sorting = Sorting(self.table, self.model, NAMES)
        self._chosen_by_hand = self._following = False
        self._plan_lines = 0
        self._offered: tuple[object, ...] = ()
        """What the last `current_changed` told of: the row that is chosen, and what can be done with it."""
        self.note = EmptyNote(
            look,
            icons,
            "shield",
            NOTHING,
            "A losing group appears here with its timer once all its pyramids are in, beside the winners that could "
            "pay.",
            "Risk settings",
            width=320,
            starting=True,
        )
        self.note.offer(False)
        self.title = Label(look, weight=Weight.STRONG)
        self.words = RunningProse(look)
        self.tools = TableTools(self, icons, [self.table, self.plan_table, self.past], narrow=True)
        self.run = self.tool("Run now…", "run")
        self.skip = self.tool("Skip once", "skip")
        self.block = self.tool("Block", "block")
        self._build()
        self._connect()
        self._refresh()

    def _build(self) -> None:
        self._body = body = Ground(self.look, "surface")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._plan_box, self._past_line = self._plan_part(), Hairline(self.look)
        column.addWidget(self.table, 3)
        column.addWidget(self._plan_box)
        column.addWidget(self._past_line)
        column.addWidget(self.past, 1)
        # Where the dock is too low for all of it, it scrolls as a whole.
        self._rolling = rolling = QScrollArea()
        rolling.setObjectName("risk_scroll")
        rolling.setFrameShape(QFrame.Shape.NoFrame)
        rolling.setWidgetResizable(True)
        rolling.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        rolling.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rolling.setMinimumHeight(self.look.row_height() * LEAST_ROWS)
        rolling.setWidget(body)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.note)
        self.pages.addWidget(rolling)
        self.setWidget(self.pages)
        for table in (self.plan_table, self.past):
            table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.plan_table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.plan_table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fit_heights()
        for watched in (body, rolling.viewport()):
            watched.installEventFilter(self)

    def _plan_part(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._texts = texts = QVBoxLayout()
        texts.setSpacing(4)
        texts.addWidget(self.title)
        texts.addWidget(self.words)
        self._target = ElidedLabel(self.look, token="muted")
        self._actions = actions = QHBoxLayout()
        self._narrow_plan(0)
        actions.setSpacing(6)
        actions.addWidget(self._target, 1)
        for made in (self.block, self.skip, self.run):
            actions.addWidget(made)
        column.addWidget(Hairline(self.look))
        column.addLayout(texts)
        column.addWidget(self.plan_table)
        column.addLayout(actions)
        return part

    def _connect(self) -> None:
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.table.pressed.connect(self._on_pressed)
        self.table.row_menu = self.context_menu
        self.table.verticalScrollBar().valueChanged.connect(lambda *_: note_rows(self.table))
        self.run.clicked.connect(lambda *_: self.ask_run())
        self.skip.clicked.connect(lambda *_: self.ask_skip())
        self.block.clicked.connect(lambda *_: self.ask_block())
        self.look.changed.connect(self._fit_heights)

    # Changes

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        panels, self._now_ms = changes.panels, now_ms
        before = (self.model.rowCount(), self.history.rowCount())
        if panels.risk_summary is not None:
            self.note.end_starting()
        self.about = self.model.about = panels.risk_summary or self.about
        if panels.plan_changed:
            self.plan = panels.plan
            patch_rows(self.plan_table, self.plan_model, self.plan_model.patch_to(plan_rows(self.plan)), now_ms)
        if panels.offsets:
            self.history.patch_offsets(panels.offsets, now_ms)
            note_rows(self.past)
        if panels.risk:
            patch_rows(self.table, self.model, panels.risk, now_ms)
        reach = risk_words.reach_of(self._book) if changes.engine is not None else self._reach
        is_other, self._reach = reach != self._reach, reach
        if before != (self.model.rowCount(), self.history.rowCount()):
            self._refresh()
        elif panels.risk or panels.plan_changed or panels.risk_summary is not None or is_other:
            self._follow()

    def tick(self, now_ms: int) -> None:
        self._now_ms = now_ms
        if self.is_seen:
            self.model.tick(now_ms, seen_rows(self.table))
            self._show_summary()
            self._show_words()

    def on_shown(self) -> None:
        self._refresh()

    def _refresh(self) -> None:
        """Shows what there is room and reason for, and all of it."""
        there, has_past = bool(self.model.rowCount()), self.history.rowCount() > 0
        self.tools.set_visible(there or has_past)
        self.pages.setCurrentIndex(1 if there or has_past else 0)
        self._plan_box.setVisible(there)
        self.past.setVisible(has_past)
        self._past_line.setVisible(has_past)
        self._fit_table()
        self._follow()
        for table in (self.table, self.plan_table, self.past):
            note_rows(table)

    def _follow(self) -> None:
        """Shows what may be otherwise with every price: what is chosen, its plan, and what can be done."""
        # What the engine looks at first is chosen, until the trader chooses.
        if self.plan is not None and self.model.rowCount() and (not self._chosen_by_hand or self.current is None):
            index = self.model.index_of(self.plan.loser_id)
            if index.isValid() and index.row() != self.table.currentIndex().row():
                self._following = True
                self.table.setCurrentIndex(index)
                self._following = False
        self._show_summary()
        self._show_plan()

    def offer_settings(self) -> None:
        """From now on `note.pressed` opens the settings of the risk engine."""
        self.note.offer(True)

    def _show_summary(self) -> None:
        about = self.about
        if about is None:
            self.heading.detail.setText("")
            return
        said = [risk_words.looks(about, self._now_ms, self._reach, watching=self.model.rowCount() > 0)]
        if about.offers:
            said += [f"{fmt.count(about.offers, 'winner')}, {fmt.number(about.offered_usd, 2)} USD", "after fees"]
        self.heading.detail.setText(" · ".join(said))

    def _show_plan(self) -> None:
        plan = self.shown_plan
        lines = self.plan_model.rowCount() if plan is not None else 0
        if lines != self._plan_lines:
            self._plan_lines = lines
            self._fit_plan()
        self._show_words()
        self._show_actions()

    def _show_words(self) -> None:
        row = self.current
        if row is None or self.about is None:
            self.title.setText("Choose a group")
            self.words.say("Its projected plan is shown here.")
            return
        plan = self.shown_plan
        self.title.setText(risk_words.heading(row, plan))
        said = risk_words.sentence(row, plan, self.about, self.model.now_ms, self._reach)
        self.words.say(said, strong="risk" if risk_words.is_timed(row, plan, self._reach) else "text")

    def _show_actions(self) -> None:
        row = self.current
        is_blocked = row is not None and row.blocked
        why_not = (self.why_not_skip(row), self.why_not_run(row))
        offered = (row.id if row is not None else "", is_blocked, *why_not)
        if offered == self._offered:
            return
        self._offered = offered
        self._target.setText(f"{short_name(row.symbol)} {row.timeframe}" if row is not None else "")
        self.block.setText("Unblock" if is_blocked else "Block")
        does = "Let the risk engine come near it again" if is_blocked else "Keep the risk engine away from it"
        enable(self.block, "" if row is not None else "Choose a group", does)
        enable(self.skip, why_not[0], "The next look in which it would be paid off passes over it")
        enable(self.run, why_not[1], "Have the risk engine look now, whatever its timer says")
        self.current_changed.emit()

    def _fit_plan(self) -> None:
        height, header = self.look.row_height(), self.plan_table.heading.sizeHint().height()
        self.plan_table.setVisible(bool(self._plan_lines))
        self.plan_table.setFixedHeight(self._plan_lines * height + header)

    def _fit_heights(self) -> None:
        self._fit_plan()
        self.past.setMinimumHeight(2 * self.look.row_height() + self.past.heading.sizeHint().height())
        self._fit_table()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A part of the dock has another height, or all of it.
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._fit_table()
        return super().eventFilter(watched, event)

    def _fit_table(self) -> None:
        """Where the dock scrolls the table need not; where less than half a row is missing, the plan gives way."""
        row, header = self.look.row_height(), self.table.heading.sizeHint().height()
        room, rows = self._rolling.viewport().height() - self._beside_table(), self.model.rowCount()
        rolls = room < header + LEAST_ROWS * row
        least = min(max(rows, LEAST_ROWS), MOST_ROWS) if rolls else LEAST_ROWS
        self.table.setMinimumHeight(header + least * row)
        missing = header + rows * row - room
        self._narrow_plan(missing if 0 < missing < row // 2 and not rolls else 0)

    def _beside_table(self) -> int:
        """How high all else is, with its usual margins."""
        high = 0
        if not self.past.isHidden():
            high += self.past.minimumHeight() + self._past_line.minimumHeight()
        plan = self._plan_box.layout()
        if not self._plan_box.isHidden() and plan is not None:
            high += plan.totalHeightForWidth(self._rolling.viewport().width()) + self._narrowed
        return high

    def _narrow_plan(self, by: int) -> None:
        """Takes so many pixels from the plan's margins."""
        self._narrowed, edge = by, self.look.metric("edge_padding")
        top, low, over, under = (usual - (by + place) // len(MARGINS) for place, usual in enumerate(MARGINS))
        for layout, margins in ((self._texts, (edge, top, edge, low)), (self._actions, (edge, over, edge, under))):
            if layout.contentsMargins() != QMargins(*margins):
                layout.setContentsMargins(*margins)

    # What is chosen, and what can be done with it

    @property
    def current(self) -> RiskRow | None:
        return self.model.row_at(self.table.currentIndex()) if self.model.rowCount() else None

    @property
    def chosen_id(self) -> str | None:
        """Whose plan the trader wants to see; None leaves it to the engine."""
        return self.current.id if self._chosen_by_hand and self.current is not None else None

    @property
    def shown_plan(self) -> PlanView | None:
        """The plan, where it is that of the chosen group."""
        row = self.current
        return self.plan if self.plan is not None and row is not None and self.plan.loser_id == row.id else None

    def why_not_run(self, row: RiskRow | None) -> str:
        """Why Run now is off for a group; empty where it is on."""
        about = self.about
        if row is None or about is None:
            return "Choose a group"
        if about.under_way:
            return "An offset is under way"
        if self._reach.held:
            return f"It is held back: {self._reach.held}"
        if about.next_id is None:
            return "No candidate that the winners could pay for"
        if about.next_id != row.id:
            first = self.model.row_of(about.next_id)
            name = risk_words.name_of(first) if first is not None else "Another group"
            return f"{name} comes first: it has lost most. Skip or block it to get to this one"
        return "" if self.shown_plan is not None else "Its plan is being computed"

    @staticmethod
    def why_not_skip(row: RiskRow | None) -> str:
        if row is None:
            return "Choose a group"
        if row.skip_once:
            return "It is passed over once already"
        return "It is being closed" if row.state is RiskState.CLOSING else ""

    def ask_run(self) -> None:
        row = self.current
        if row is not None and not self.why_not_run(row):
            self.run_asked.emit(row, self.shown_plan)

    def ask_skip(self) -> None:
        row = self.current
        if row is not None and not self.why_not_skip(row):
            self.skip_asked.emit(row)

    def ask_block(self) -> None:
        row = self.current
        if row is not None:
            self.block_asked.emit(row, not row.blocked)

    def _on_pressed(self, *_: object) -> None:
        self._chosen_by_hand = True
        self.chosen_changed.emit()

    def _on_current(self, *_: object) -> None:
        if self.table.hasFocus() and not self._following:
            self._chosen_by_hand = True
            self.chosen_changed.emit()
        if not self._following:
            self._show_plan()

    def choose(self, group_id: str) -> None:
        """Shows a group's plan, as if the trader had clicked it."""
        index = self.model.index_of(group_id)
        if index.isValid():
            self.table.setCurrentIndex(index)
            self._on_pressed()

    def context_menu(self, at: QPoint) -> QMenu:
        """What can be done with the row at a place of the table."""
        row = self.model.row_at(self.table.indexAt(at))
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        if row is not None:
            name = risk_words.name_of(row)
            self._add(menu, "run", f"Run the plan of {name} now…", self.why_not_run(row), self.ask_run)
            self._add(menu, "skip", f"Skip {name} once", self.why_not_skip(row), lambda: self.skip_asked.emit(row))
            verb = "Unblock" if row.blocked else "Block"
            self._add(menu, "block", f"{verb} {name}", "", lambda: self.block_asked.emit(row, not row.blocked))
            menu.addSeparator()
        self.table.add_copy(menu)
        return menu

    def _add(self, menu: QMenu, icon: str, text: str, why_not: str, act: object) -> None:
        made = menu.addAction(self.icons.icon(icon), text)
        made.setEnabled(not why_not)
        made.setToolTip(why_not)
        made.triggered.connect(act)

    def focus_target(self) -> QWidget:
        return self.table if self.pages.currentIndex() == 1 else self.note.focus_target

    def save(self, layouts: LayoutStore) -> None:
        self.sorting.save(layouts)

    def restore(self, layouts: LayoutStore) -> None:
        self.sorting.restore(layouts)

    def reset(self) -> None:
        self._chosen_by_hand = False
        self.sorting.reset()
        self.chosen_changed.emit()
