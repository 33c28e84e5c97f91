"""The Signals dock: every webhook, and its payload when asked for."""

import json

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from exengine.engine.rows import SignalRow, ViewChanges
from exengine.ui.code import Code
from exengine.ui.icons import Icons
from exengine.ui.pieces import Ground, Label, button
from exengine.ui.signals_model import NAMES, SignalsModel
from exengine.ui.stream_dock import EmptyNote, StreamDock
from exengine.ui.table_tools import TableTools
from exengine.ui.theme import Look, Weight


class SignalsDock(StreamDock):
    """The table of signals; beside it the payload of the chosen one."""

    test_asked = Signal()
    copied = Signal(str)
    """What was put on the clipboard, in words."""

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
        self.show_payload = self.chip("Payload")
        self.show_payload.setToolTip("Show what the chosen signal said")
        self.show_payload.toggled.connect(self._on_show_payload)
        self.heading.add_tool(self.show_payload)
        self.heading.add_tool(self.follow)
        self.tools = TableTools(self, icons, [self.table])
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.table.activated.connect(lambda *_: self.show_payload.setChecked(True))

    def _payload_panel(self, look: Look) -> QWidget:
        panel = Ground(look, "surface")
        column = QVBoxLayout(panel)
        column.setContentsMargins(12, 6, 12, 8)
        column.setSpacing(6)
        top = QHBoxLayout()
        top.addWidget(Label(look, "Payload, without its secret", weight=Weight.STRONG), 1)
        top.addWidget(self._copy)
        column.addLayout(top)
        column.addWidget(self.payload, 1)
        return panel

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        self.model.now_ms = self.model.now_ms or now_ms
        if changes.signals:
            self.model.take(changes.signals)
            self.keep_up()
            self.set_tab_text(f"Signals {self.model.total:,}")
            current = self._current()
            if current is not None and any(row.id == current.id for row in changes.signals):
                self._on_current()

    def tick(self, now_ms: int) -> None:
        self.model.tick(now_ms)

    def _current(self) -> SignalRow | None:
        return self.model.row_at(self.table.currentIndex())

    def _on_show_payload(self, shown: bool) -> None:
        self._panel.setVisible(shown)
        self._on_current()

    def _on_current(self, *_: object) -> None:
        if self._panel.isHidden():
            return
        row = self._current()
        self.payload.set_text(_indented(row.body) if row is not None else "Choose a signal to see its payload.")
        self._copy.setEnabled(row is not None and bool(row.body))

    def _on_copy(self) -> None:
        row = self._current()
        if row is not None:
            QGuiApplication.clipboard().setText(row.body)
            self.copied.emit("Payload")


def _indented(body: str) -> str:
    """JSON over several lines; what is not JSON as it came."""
    if not body:
        return "It had no body that is known to be free of the secret."
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
