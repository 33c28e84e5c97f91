"""The Signals dock: every webhook, and its payload when asked for."""

import json
from collections.abc import Iterable

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from exengine.engine.past import TrailRow
from exengine.engine.rows import SignalRow, ViewChanges
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.code import Code
from exengine.ui.icons import Icons
from exengine.ui.panel_dock import enable
from exengine.ui.pieces import Ground, PartedLabel, button, chip
from exengine.ui.replay_sheet import why_not_replay
from exengine.ui.segments import Segments
from exengine.ui.signals_model import NAMES, SignalsModel
from exengine.ui.stream_dock import EmptyNote, StreamDock
from exengine.ui.table_tools import TableTools
from exengine.ui.theme import Look


class SignalsDock(StreamDock):
    """The table of signals; beside it the payload of the chosen one."""

    test_asked = Signal()
    copied = Signal(str)
    """What was put on the clipboard, in words."""
    replay_asked = Signal(SignalRow)
    trail_asked = Signal(SignalRow)
    """Everything that goes back to a signal is to be read; it is handed to `show_trail`."""

    def __init__(self, look: Look, icons: Icons) -> None:
        note = EmptyNote(
            look,
            icons,
            "webhook",
            "No webhook yet",
            "Each alert appears here with what it meant, what became of it and how long that took.",
            "Send test alert",
        )
        self.model = SignalsModel()
        super().__init__(look, icons, self.model, name="signals", title="Signals", note=note, names=NAMES)
        self.model.setParent(self)
        note.pressed.connect(self.test_asked)
        self.payload = Code(look, "Payload of the chosen signal")
        self.payload.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.payload.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self._copy = button(look, "Copy", small=True)
        self._copy.clicked.connect(self._on_copy)
        self._panel = self._payload_panel(look)
        self._panel.hide()
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setObjectName("signals_split")
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self.pages)
        self._split.addWidget(self._panel)
        self._split.setStretchFactor(0, 1)
        self._split.setSizes([900, 360])
        self.setWidget(self._split)
        self.show_payload = chip(look, "Payload")
        self.show_payload.setToolTip("Show what the chosen signal said")
        self.show_payload.toggled.connect(self._on_show_payload)
        self.replay = button(look, "Replay…", small=True)
        self.replay.clicked.connect(self.ask_replay)
        self._allowed = False
        self.heading.add_tool(self.replay)
        self.heading.add_tool(self.show_payload)
        self.heading.add_tool(self.follow)
        self.tools = TableTools(self, icons, [self.table])
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.table.activated.connect(lambda *_: self.show_payload.setChecked(True))
        self.table.row_menu = self.context_menu
        self._show_actions()

    def _payload_panel(self, look: Look) -> QWidget:
        panel = Ground(look, "surface")
        column = QVBoxLayout(panel)
        column.setContentsMargins(12, 6, 12, 8)
        column.setSpacing(6)
        top = QHBoxLayout()
        self.sides = Segments(look, "What is shown of a signal", {"payload": "Payload", "trail": "What followed"})
        self.sides.choose("payload")
        self.sides.chosen.connect(lambda *_: self._on_current())
        self.whose = PartedLabel(look, token="muted")
        top.addWidget(self.sides)
        top.addStretch(1)
        top.addWidget(self._copy)
        column.addLayout(top)
        column.addWidget(self.whose)
        column.addWidget(self.payload, 1)
        return panel

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        if changes.engine is not None and changes.engine.webhook_replay is not self._allowed:
            self._allowed = changes.engine.webhook_replay
            self._show_actions()
        self.model.begin(now_ms)
        if changes.signals:
            self.model.take(changes.signals)
            self.keep_up()
            if self.windowTitle() == self.plain_title:
                self._show_count()
            current = self._current()
            if current is not None and any(row.id == current.id for row in changes.signals):
                self._on_current()

    def tick(self, now_ms: int) -> None:
        self.model.tick(now_ms)
        self._show_count()

    def _show_count(self) -> None:
        """The first one at once, then with the clock: at another name of a tab Qt lays the whole window out anew."""
        if self.model.total:
            self.set_tab_text(f"Signals {self.model.total:,}")

    def _current(self) -> SignalRow | None:
        return self.model.row_at(self.table.currentIndex())

    def _on_show_payload(self, shown: bool) -> None:
        self._panel.setVisible(shown)
        self._on_current()

    def _on_current(self, *_: object) -> None:
        self._show_actions()
        if self._panel.isHidden():
            return
        row = self._current()
        is_trail = self.sides.current == "trail"
        self.whose.setText(self._whose(row, "" if is_trail else "without its secret"))
        self._copy.setEnabled(row is not None and (is_trail or bool(row.body)))
        if row is None:
            self.payload.set_text("Choose a signal to see what it said and what followed.")
        elif is_trail:
            self.trail_asked.emit(row)
        else:
            self.payload.set_text(_indented(row.body))

    def _whose(self, row: SignalRow | None, more: str) -> str:
        """Which signal it is, also where its row is out of sight: `XRP/USDT 1h · 13:02:39 · without its secret`."""
        if row is None:
            return ""
        pair = f"{fmt.pair(row.symbol)} {row.timeframe}".strip() or words.outcome(row.outcome)[0]
        return " · ".join(filter(None, (pair, fmt.moment(row.received_at_ms, self.model.now_ms), more)))

    def show_trail(self, signal_id: int, rows: Iterable[TrailRow]) -> None:
        """What followed from a signal, if it is still the chosen one."""
        row = self._current()
        if row is not None and row.id == signal_id and self.sides.current == "trail":
            lines = [trail_line(one, row.received_at_ms) for one in rows]
            self.payload.set_text("\n".join(lines) or "Nothing is kept of what followed.")

    def _on_copy(self) -> None:
        row = self._current()
        if row is not None:
            is_trail = self.sides.current == "trail"
            QGuiApplication.clipboard().setText(self.payload.toPlainText() if is_trail else row.body)
            self.copied.emit("What followed" if is_trail else "Payload")

    # What can be done with a signal

    def why_not_replay(self) -> str:
        return why_not_replay(self._current(), allowed=self._allowed)

    def ask_replay(self) -> None:
        """Asks for the chosen signal to be taken once more."""
        row = self._current()
        if row is not None and not self.why_not_replay():
            self.replay_asked.emit(row)

    def _show_actions(self) -> None:
        enable(self.replay, self.why_not_replay(), "Take the chosen alert once more, as if it had just come")

    def context_menu(self, at: QPoint) -> QMenu:
        """What can be done with the signal at a place of the table."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        if self.table.indexAt(at).isValid():
            made = menu.addAction("Replay…", self.ask_replay)
            made.setEnabled(not self.why_not_replay())
            made.setToolTip(self.why_not_replay())
            menu.addAction("Show payload", lambda: self._show_side("payload"))
            menu.addAction("Show what followed", lambda: self._show_side("trail"))
            menu.addSeparator()
        copy = menu.addAction("Copy", self.table.copy)
        copy.setEnabled(bool(self.table.selected_rows()))
        return menu

    def _show_side(self, side: str) -> None:
        self.sides.choose(side)
        self.show_payload.setChecked(True)
        self._on_current()


def trail_line(row: TrailRow, since_ms: int) -> str:
    """`+0.412 s  Answer  The exchange has it.`"""
    elapsed = (row.at_ms - since_ms) / 1000
    return f"{elapsed:+.3f} s  {row.kind.value.capitalize():<9} {row.text}" + (f"  {row.advice}" if row.advice else "")


def _indented(body: str) -> str:
    """JSON over several lines; what is not JSON as it came."""
    if not body:
        return "It had no body that is known to be free of the secret."
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
