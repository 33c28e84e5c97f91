"""What closing the window means: stop the program, or go on in the tray; and the question where groups live."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from exengine.engine.rows import Mode
from exengine.ui import format as fmt
from exengine.ui.actions import Action, Registry
from exengine.ui.book import Book
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.panic_plan import PanicPlan, panic_plan
from exengine.ui.pieces import Label, Prose
from exengine.ui.setup import Setup
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

KEPT_UNDER = "window_ways/to_tray"
NO_TRAY = "This desktop has no tray"


class LeaveSheet(Sheet):
    """Asked only while something lives: what goes on without the program, and what does not."""

    def __init__(
        self, look: Look, icons: Icons, parent: QWidget, plan: PanicPlan, *, tray: bool, mode: Mode | None
    ) -> None:
        super().__init__(look, icons, parent, name="leave_sheet", title="Quit ExEngine", mode=mode, width=560)
        self.keep_running = False
        self.heading = self.add_heading(_heading(plan))
        self.meaning = Prose(look)
        self.meaning.say(_meaning(plan))
        self.body.addWidget(self.meaning)
        self.buttons.addWidget(Label(look, "Enter and Esc cancel.", token="muted"), 1)
        self.cancel = self.add_cancel()
        self.tray = self.add_action("Keep running in the tray", kind="")
        self.tray.clicked.disconnect()
        self.tray.clicked.connect(self._on_tray)
        self.tray.setVisible(tray)
        self.quit = self.add_action("Quit", kind="danger" if plan.mode is Mode.LIVE else "")
        self.cancel.setFocus()

    def _on_tray(self) -> None:
        self.keep_running = True
        self.accept()


def _heading(plan: PanicPlan) -> str:
    if not plan.groups:
        return f"Quit while {fmt.count(plan.queued, 'entry', 'entries')} {_verb(plan.queued, 'waits', 'wait')}?"
    return f"Quit while {fmt.count(plan.groups, 'group')} {_verb(plan.groups, 'is', 'are')} open?"


def _meaning(plan: PanicPlan) -> str:
    said = []
    away = [part for part in plan.parts if part.mode is not Mode.PAPER and part.orders]
    orders = sum(part.orders for part in away)
    if orders:
        where = "exchange" if len({part.venue for part in away}) == 1 else "exchanges"
        said.append(
            f"**{fmt.count(orders, 'order')}** {_verb(orders, 'stays', 'stay')} on the {where} and may fill there; "
            "at the next start the fills are taken in."
        )
    if any(part.mode is Mode.PAPER for part in plan.parts):
        said.append("The paper market stands still, and goes on from there at the next start.")
    said.append(
        "Until then **no alert is taken**, and watched targets, stops, the queue and the risk engine do nothing."
    )
    return " ".join(said)


def _verb(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


class Leaving(QObject):
    """Decides what a click on the window's close button does."""

    stop_asked = Signal()
    """The staged shutdown is to begin."""
    hide_asked = Signal()
    """The window is to go, and the engine to go on."""
    stop_refused = Signal(str)
    """Why whoever is here may not stop the engine."""

    def __init__(
        self,
        window: QWidget,
        icons: Icons,
        book: Book,
        layouts: LayoutStore,
        *,
        setup: Callable[[], Setup],
        show: Callable[[Sheet], None],
        tray: Callable[[], bool],
    ) -> None:
        """`show` opens the question, whatever else is open; `tray` says whether there is one to stay in."""
        super().__init__(window)
        self._window, self._icons, self._book, self._layouts = window, icons, book, layouts
        self._setup, self._show, self._tray = setup, show, tray
        self._only_looks = bool(setup().read_only)
        self._sheet: LeaveSheet | None = None
        self.why_not_stop: Callable[[], str] = lambda: ""
        """Asked before the program is ended by hand: a reason holds that back."""

    @property
    def to_tray(self) -> bool:
        return self._tray() and self._layouts.flag(KEPT_UNDER, False)

    def switch_tray(self) -> None:
        self._layouts.save(KEPT_UNDER, not self._layouts.flag(KEPT_UNDER, False))

    def add_actions(self, registry: Registry) -> None:
        registry.add(
            Action(
                id="close_to_tray",
                text="Keep running in the tray when closed",
                call=self.switch_tray,
                menu="File",
                group="window",
                checked=lambda: self.to_tray,
                why_not=lambda: "" if self._tray() else NO_TRAY,
                words="close window background",
            )
        )

    def on_close(self) -> None:
        """The window's own button: into the tray where that was chosen, else the end of the program."""
        if self.to_tray:
            self.hide_asked.emit()
        else:
            self.ask_quit()

    def ask_quit(self) -> None:
        """Ends the program; asks first where something lives."""
        why_not = self.why_not_stop()
        if why_not:
            self.stop_refused.emit(why_not)
            return
        plan = panic_plan(self._book, self._setup())
        if self._only_looks or not (plan.groups or plan.queued):
            self.stop_asked.emit()
            return
        if self._sheet is not None:
            self._sheet.raise_()
            self._sheet.activateWindow()
            return
        mode = self._book.engine.mode if self._book.engine is not None else None
        sheet = LeaveSheet(self._icons.look, self._icons, self._window, plan, tray=self._tray(), mode=mode)

        def on_accepted() -> None:
            chosen = self.hide_asked if sheet.keep_running else self.stop_asked
            chosen.emit()

        sheet.accepted.connect(on_accepted)
        sheet.finished.connect(self._on_finished)
        self._sheet = sheet
        self._show(sheet)

    def _on_finished(self) -> None:
        self._sheet = None
