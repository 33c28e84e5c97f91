"""The Queue dock: who waits for a slot, and the trader's hand on the line."""

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QMenu, QStackedWidget, QWidget

from exengine.domain.events import QueueAction
from exengine.engine.panel_rows import Panel, WaitingRow
from exengine.engine.rows import EngineRow, ViewChanges
from exengine.ui import format as fmt
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.panel_dock import PanelDock, Sorting, enable, keep_current, note_rows, patch_rows, seen_rows
from exengine.ui.pieces import Button, ElidedLabel
from exengine.ui.queue_model import NAMES, QueueModel, name_of
from exengine.ui.stream_dock import EmptyNote
from exengine.ui.table import Table
from exengine.ui.table_tools import TableTools
from exengine.ui.theme import Look

NOTHING = "Nothing waits"


class QueueDock(PanelDock):
    """The table of waiting entries; its buttons act on the chosen one."""

    panel = Panel.QUEUE
    asked = Signal(QueueAction, WaitingRow)
    current_changed = Signal()

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__(look, icons, name="queue", title="Queue")
        self.model = QueueModel(self)
        self.table = Table(look, icons, self.model, name="queue_table", title="Queue")
        self.sorting = Sorting(self.table, self.model, NAMES)
        self.note = EmptyNote(look, icons, "queue", NOTHING, "", "", starting=True)
        self.note.action.hide()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.note)
        self.pages.addWidget(self.table)
        self.setWidget(self.pages)
        self.chosen = ElidedLabel(look, token="muted")
        self.promote = self.tool("Promote", "promote")
        self.force = self.tool("Force…", "force")
        self.remove = self.tool("Remove", "close")
        for made, action in self._buttons():
            made.clicked.connect(lambda *_, action=action: self.ask(action))
        for widget in (self.chosen, self.promote, self.force, self.remove):
            self.heading.add_tool(widget)
        self.tools = TableTools(self, icons, [self.table])
        self.table.row_menu = self.context_menu
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.table.verticalScrollBar().valueChanged.connect(lambda *_: note_rows(self.table))
        self.show_engine(None)
        self._refresh()

    def _buttons(self) -> tuple[tuple[Button, QueueAction], ...]:
        return (
            (self.promote, QueueAction.PROMOTE), (self.force, QueueAction.FORCE), (self.remove, QueueAction.REMOVE),
        )  # fmt: skip

    # Changes

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        if changes.engine is not None:
            self.show_engine(changes.engine)
        patch = changes.panels.waiting
        if not patch:
            return
        patch_rows(self.table, self.model, patch, now_ms)
        keep_current(self.table, self.model)
        self._refresh()

    def show_engine(self, engine: EngineRow | None) -> None:
        """How many wait is on the tab also while nobody looks; why nobody does is in the empty note."""
        queued = engine.queued if engine is not None else 0
        slots = f"all {engine.pool_limit:,} slots are taken" if engine is not None else "all slots are taken"
        why = f"Entries wait here when {slots}, while the other side is still open, or until market rules arrive."
        if queued:
            # Their rows are worked out while the dock is looked at: until they come it says no other than the ribbon.
            waiting = fmt.count(queued, "entry waits", "entries wait")
            self.note.say(waiting, "What each of them waits for is being worked out.", action=False)
        else:
            self.note.say(NOTHING, why, action=False)
        if engine is not None:
            self.note.end_starting()
        self.set_tab_text(f"Queue {queued:,}" if queued else "Queue")

    def tick(self, now_ms: int) -> None:
        self.model.tick(now_ms, seen_rows(self.table))

    def on_shown(self) -> None:
        note_rows(self.table)

    def _refresh(self) -> None:
        self.pages.setCurrentWidget(self.table if self.model.rowCount() else self.note)
        self._on_current()
        note_rows(self.table)

    # What is chosen, and what can be done with it

    @property
    def current(self) -> WaitingRow | None:
        return self.model.row_at(self.table.currentIndex())

    def why_not(self, action: QueueAction, row: WaitingRow | None) -> str:
        """Why an action is off at the moment; empty where it is on."""
        if row is None:
            return "Choose a waiting entry"
        match action:
            case QueueAction.PROMOTE:
                return row.blocker or ("No slot is free: close a group, or force it in" if row.needs_force else "")
            case QueueAction.FORCE:
                return row.blocker or ("" if row.needs_force else "It needs no force: promote it")
            case _:
                return ""

    def ask(self, action: QueueAction) -> None:
        row = self.current
        if row is not None and not self.why_not(action, row):
            self.asked.emit(action, row)

    def _on_current(self, *_: object) -> None:
        row = self.current
        self.chosen.setText(name_of(row) if row is not None else "")
        enable(self.promote, self.why_not(QueueAction.PROMOTE, row), "Let it in now, before all others")
        enable(self.force, self.why_not(QueueAction.FORCE, row), "Let it in over the pool’s limit")
        enable(self.remove, self.why_not(QueueAction.REMOVE, row), "Take it out of the queue: it is not traded")
        for made, _action in self._buttons():
            made.setVisible(bool(self.model.rowCount()))
        self.tools.set_visible(bool(self.model.rowCount()))
        self.current_changed.emit()

    def context_menu(self, at: QPoint) -> QMenu:
        """What can be done with the row at a place of the table."""
        row = self.model.row_at(self.table.indexAt(at))
        menu = QMenu(self)
        if row is not None:
            for text, icon, action in (
                (f"Promote {name_of(row)}", "promote", QueueAction.PROMOTE),
                (f"Force {name_of(row)}…", "force", QueueAction.FORCE),
                (f"Remove {name_of(row)}", "close", QueueAction.REMOVE),
            ):
                made = menu.addAction(self.icons.icon(icon), text)
                why_not = self.why_not(action, row)
                made.setEnabled(not why_not)
                made.setToolTip(why_not)
                made.triggered.connect(lambda *_, action=action: self.asked.emit(action, row))
            menu.setToolTipsVisible(True)
            menu.addSeparator()
        self.table.add_copy(menu)
        return menu

    def focus_target(self) -> QWidget:
        return self.table if self.pages.currentWidget() is self.table else self.note

    def save(self, layouts: LayoutStore) -> None:
        self.sorting.save(layouts)

    def restore(self, layouts: LayoutStore) -> None:
        self.sorting.restore(layouts)

    def reset(self) -> None:
        self.sorting.reset()
