"""The Status dock: is every part there, and how fresh is what it says."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QStackedWidget, QWidget

from exengine.engine.panel_rows import Panel
from exengine.engine.rows import ViewChanges
from exengine.engine.status import Status
from exengine.ui import format as fmt
from exengine.ui.icons import Icons
from exengine.ui.keyed_model import KeyedModel
from exengine.ui.layout import LayoutStore
from exengine.ui.panel_dock import PanelDock, note_rows, seen_rows
from exengine.ui.pieces import Ground, Hairline
from exengine.ui.status_model import AccountsModel, FactsModel, TasksModel, facts
from exengine.ui.stream_dock import EmptyNote
from exengine.ui.table import Table
from exengine.ui.table_tools import TableTools
from exengine.ui.theme import Look

WIDE = 880
"""From this width on the three tables stand side by side."""
ROOMY = 1_400
"""From this width on the accounts leave room to the others."""
SHARES = (6, 4, 3)
"""Of the width, where there is more than they need."""
_ANY = 16_777_215
"""Qt's own limit of a size: none."""
LEAST_FACTS = 170
"""What the facts keep while there is little room: they are words, which may lose their end."""


class StatusDock(PanelDock):
    """Accounts, listener and store, tasks: side by side where there is room, else one under the other."""

    panel = Panel.STATUS

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__(look, icons, name="status", title="Status")
        self.status: Status | None = None
        self.accounts, self.facts, self.tasks = AccountsModel(self), FactsModel(self), TasksModel(self)
        self.account_table = Table(look, icons, self.accounts, name="status_accounts", title="Accounts", tight=True)
        self.fact_table = Table(look, icons, self.facts, name="status_facts", title="Listener and store")
        self.task_table = Table(look, icons, self.tasks, name="status_tasks", title="Tasks")
        self.tools = TableTools(self, icons, [self.account_table, self.fact_table, self.task_table])
        self.note = EmptyNote(look, icons, "pulse", "Nothing heard yet", "The engine is starting.", "")
        self.note.action.hide()
        body = Ground(look, "surface")
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, body)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._lines = [Hairline(look, vertical=True), Hairline(look, vertical=True)]
        for widget in (
            self.account_table, self._lines[0], self.fact_table, self._lines[1], self.task_table,
        ):  # fmt: skip
            self._row.addWidget(widget)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.note)
        self.pages.addWidget(body)
        self.setWidget(self.pages)
        for table in (self.fact_table, self.task_table):
            table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        look.changed.connect(self._share_room)
        for table, model in self._tables():
            table.verticalScrollBar().valueChanged.connect(lambda *_, t=table, m=model: note_rows(t))

    def _tables(self) -> tuple[tuple[Table, KeyedModel], ...]:
        return (
            (self.account_table, self.accounts), (self.fact_table, self.facts), (self.task_table, self.tasks),
        )  # fmt: skip

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        status = changes.panels.status
        if status is None:
            return
        self.status = status
        self.accounts.replace({account.name: account for account in status.accounts}, now_ms)
        self.facts.replace(facts(status), now_ms)
        self.tasks.replace({task.name: task for task in status.tasks}, now_ms)
        self.pages.setCurrentIndex(1)
        self._show_summary(status)
        self.on_shown()

    def _show_summary(self, status: Status) -> None:
        wrong = status.problems
        said = fmt.count(wrong, "part does", "parts do") + " not work" if wrong else "all parts work"
        if not wrong and status.listener is not None and not status.listener.public_url:
            said += " · no public address: Tools, Tunnel…"
        self.heading.detail.setText(said)
        self.heading.detail.set_token("error" if wrong else "muted")
        self.set_tab_text(f"Status {wrong:,}" if wrong else "Status")

    def tick(self, now_ms: int) -> None:
        if self.is_seen:
            for table, model in self._tables():
                model.tick(now_ms, seen_rows(table))

    def on_shown(self) -> None:
        for table, _ in self._tables():
            note_rows(table)
        self._share_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = event.size().width() >= self.look.scaled(WIDE)
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._row.direction() is not way:
            self._row.setDirection(way)
            for line in self._lines:
                line.lie(vertical=wide)
        self._share_room()

    def _share_room(self) -> None:
        """As wide and as high as each table needs, while there is room for it."""
        self._share_width()
        self._share_height()

    def _share_height(self) -> None:
        """One under the other the tasks take what the others leave; with less room each has its share of rows."""
        stacked = self._row.direction() is QBoxLayout.Direction.TopToBottom
        for place, (table, model) in enumerate(self._tables()):
            bars = [table.header().sizeHint().height()]
            if table.horizontalScrollBar().maximum():
                bars.append(table.horizontalScrollBar().sizeHint().height())
            rows = max(model.rowCount(), 2) * self.look.row_height()
            table.setMinimumHeight(2 * self.look.row_height())
            table.setMaximumHeight(sum(bars) + rows if stacked and table is not self.task_table else _ANY)
            self._row.setStretch(2 * place, sum(bars) + rows if stacked else SHARES[place])

    def _share_width(self) -> None:
        """Where there is little room the accounts and the tasks come first: their numbers must not be cut off."""
        width = self.width()
        roomy = self._row.direction() is not QBoxLayout.Direction.LeftToRight or width >= self.look.scaled(ROOMY)
        tasks = self.task_table.wanted_width()
        facts = max(width - self.account_table.wanted_width() - tasks - 2, self.look.scaled(LEAST_FACTS))
        for table, most in ((self.fact_table, facts), (self.task_table, tasks)):
            table.setMaximumWidth(_ANY if roomy else most)

    def focus_target(self) -> QWidget:
        return self.account_table if self.pages.currentIndex() == 1 else self.note

    def save(self, layouts: LayoutStore) -> None:
        for table, _ in self._tables():
            table.save(layouts)

    def restore(self, layouts: LayoutStore) -> None:
        for table, _ in self._tables():
            table.restore(layouts)

    def reset(self) -> None:
        for table, _ in self._tables():
            table.reset_columns()
