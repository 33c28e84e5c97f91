"""Replay: the same signals and prices under one configuration or two, side by side, in a window of its own."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from exengine.analytics.replayed import Stage
from exengine.domain.errors import UserError
from exengine.settings.pages import Config
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.pieces import Ground, Hairline, Label, button
from exengine.ui.replay_chart import NAMES
from exengine.ui.replay_desk import ReplayDesk
from exengine.ui.replay_form import WIDTH, ReplayForm
from exengine.ui.replay_result import ReplayResult
from exengine.ui.settings_notice import Notice
from exengine.ui.theme import Look

SIZE = (1380, 860)


class ReplayWindow(QWidget):
    """Beside the program's: that one stays live, and can be clicked, while a replay runs."""

    keep_asked = Signal(object, str)
    """The Config that the trader wants to go on with, and what it is called."""

    def __init__(
        self, look: Look, icons: Icons, parent: QWidget, desk: ReplayDesk, *, now_ms: Callable[[], int]
    ) -> None:
        super().__init__(parent)
        self.look, self.icons, self.desk = look, icons, desk
        self._task: asyncio.Task[None] | None = None
        self._played: tuple[Config, ...] = ()
        self._names: tuple[str, ...] = ()
        self.form = ReplayForm(look, icons, desk, now_ms)
        self.result = ReplayResult(look, icons)
        self.notice = Notice(look, icons)
        self.run = button(look, "Replay", kind="primary")
        self.cancel = button(look, "Cancel")
        self.why = Label(look, token="muted")
        self.export = button(look, "Export…")
        self.keep = [button(look, f"Keep {name}…") for name in NAMES]
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        look = self.look
        self.setWindowFlag(self.windowFlags().Window)
        self.setObjectName("replay_window")
        self.setWindowTitle("ExEngine replay")
        self.setWindowIcon(self.icons.icon("app", "accent"))
        self.resize(look.scaled(SIZE[0]), look.scaled(SIZE[1]))
        scroll = QScrollArea()
        scroll.setObjectName("replay_form")
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setFixedWidth(look.scaled(WIDTH) + 12)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.notice)
        right.addWidget(self.result, 1)
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(scroll)
        body.addWidget(Hairline(look, vertical=True))
        body.addLayout(right, 1)
        bar = Ground(look, "raised")
        row = QHBoxLayout(bar)
        row.setContentsMargins(16, 10, 16, 10)
        row.setSpacing(8)
        row.addWidget(self.run)
        row.addWidget(self.cancel)
        row.addWidget(self.why)
        row.addStretch(1)
        for widget in (self.export, *self.keep):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(body, 1)
        column.addWidget(Hairline(look))
        column.addWidget(bar)

    def _connect(self) -> None:
        self.form.changed.connect(self._refresh)
        self.run.clicked.connect(self.begin)
        self.cancel.clicked.connect(self.stop)
        self.export.clicked.connect(self._on_export)
        for place, keep in enumerate(self.keep):
            keep.clicked.connect(lambda _=False, place=place: self._on_keep(place))
        QShortcut(QKeySequence("Esc"), self).activated.connect(self.close)

    def open(self) -> None:
        """Comes to the front, and looks into the log anew."""
        self.show()
        self.raise_()
        self.activateWindow()
        spawn(self._look(), name="look for signals", on_error=lambda error: self.notice.say(str(error)))

    async def _look(self) -> None:
        self.form.show_there(await self.desk.signals_there())

    # Running

    @property
    def is_busy(self) -> bool:
        return self._task is not None

    def begin(self) -> None:
        """Replays what is chosen, unless something is missing or a replay runs."""
        if self._task is None and not self.form.why_not:
            self.notice.say("")
            self._names = self.form.names
            self._task = spawn(self._run(), name="replay", on_error=self._on_error)
            self._task.add_done_callback(self._on_end)
            self._refresh()

    async def _run(self) -> None:
        ask, configs = self.form.ask, self.form.configs
        self._played = ()
        self._tell(Stage(text="Reading the signals"))
        found = await self.desk.run(ask, configs, self._tell)
        self._played = configs
        self.result.show_runs(found, self.form.zone)

    def _tell(self, stage: Stage) -> None:
        # What was told on its way may come after the end.
        if self._task is not None and not self._played:
            self.result.show_stage(stage, self._names)

    def stop(self) -> None:
        """Ends the replay that runs."""
        if self._task is not None:
            self._task.cancel()

    async def ended(self) -> None:
        """Waits until no replay runs any more."""
        while self._task is not None:
            await asyncio.wait([self._task])
            await asyncio.sleep(0)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not self._played:
            self.result.show_nothing()
        self._refresh()

    def _on_error(self, error: BaseException) -> None:
        if not isinstance(error, UserError):
            error = UserError(
                f"The replay failed because of a defect: {error}.",
                safe="Nothing was traded, and the engine goes on.",
                remedy="Look into the log, and report it.",
            )
        self.notice.say(str(error))

    # What can be done now

    def _refresh(self) -> None:
        why, busy = self.form.why_not, self.is_busy
        self.run.setEnabled(not busy and not why)
        self.run.setToolTip(why)
        self.why.setText("" if busy or not why else f"{why}.")
        self.cancel.setVisible(busy)
        self.form.setEnabled(not busy)
        there = bool(self._played) and not busy
        self.export.setEnabled(there)
        for place, keep in enumerate(self.keep):
            known = there and place < len(self._played)
            runs = known and self._played[place] == self.desk.config
            keep.setEnabled(known and not runs)
            keep.setToolTip("It is what runs" if runs else "Opens the settings with it; nothing is applied yet")

    # Taking it out

    def _on_keep(self, place: int) -> None:
        self.keep_asked.emit(self._played[place], self._names[place])

    def _on_export(self) -> None:
        dialog = QFileDialog(self, "Export the replay into a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def export_to(self, folder: Path) -> None:
        """Writes everything of the replay into a folder: tables, reports, configurations, and the curves as drawn."""
        spawn(self._export(folder), name="export replay", on_error=self._on_error)

    async def _export(self, folder: Path) -> None:
        await self.desk.export(folder)
        picture = folder / "comparison.png"
        if not self.result.chart.grab().save(str(picture)):
            raise UserError(f"{picture} could not be written.", remedy="Choose another folder, or make room.")
        self.notice.say(f"Exported to {folder}.", tone="info")

    def closeEvent(self, event: QCloseEvent) -> None:
        """A replay that nobody looks at ends; what it had found stays until the window is opened again."""
        self.stop()
        super().closeEvent(event)
