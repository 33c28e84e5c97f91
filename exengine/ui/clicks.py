"""From a click to a command: a question where one is due, the command in a task of its own, a notice of the outcome."""

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from exengine.domain.instrument import Side
from exengine.engine.rows import Mode
from exengine.ui import format as fmt
from exengine.ui.alert_form import AlertForm
from exengine.ui.book import Book
from exengine.ui.bridge import Bridge
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.panic_plan import panic_plan
from exengine.ui.panic_sheet import PanicSheet
from exengine.ui.questions import AboutSheet, AlertSheet, CloseSheet
from exengine.ui.setup import Setup
from exengine.ui.sheet import Sheet
from exengine.ui.toast import Toasts


class Clicks(QObject):
    """Everything that the trader can ask of the engine. One question is open at a time, and nothing waits for it."""

    answered = Signal()
    """The engine has taken a command, or refused it."""

    def __init__(self, window: QWidget, icons: Icons, book: Book, bridge: Bridge, setup: Setup, toasts: Toasts) -> None:
        super().__init__(window)
        self.setup = setup
        self.sheet: Sheet | None = None
        self._window, self._icons, self._look = window, icons, icons.look
        self._book, self._bridge, self._toasts = book, bridge, toasts

    # Commands

    def pause(self) -> None:
        self._command(self._bridge.commands.pause(), "pause")

    def resume(self) -> None:
        self._command(self._bridge.commands.resume(), "resume")

    def cancel_entries(self, group_id: str) -> None:
        """Needs no question: it costs nothing."""
        group = self._book.groups.get(group_id)
        if group is not None and group.open_entries:
            what = fmt.count(group.open_entries, "entry", "entries")
            done = f"{what} of {fmt.pair(group.symbol)} {group.timeframe} cancelled"
            self._command(self._bridge.commands.cancel_entries(group_id), "cancel entries", done)

    def _command(self, work: Coroutine[Any, Any, Any], name: str, done: str = "") -> None:
        async def carry_out() -> None:
            await work
            if done:
                self._toasts.say(done, "success")
            self.answered.emit()

        self._spawn(carry_out(), name, self._failed(name))

    def _failed(self, name: str) -> Callable[[BaseException], None]:
        def tell(error: BaseException) -> None:
            self._toasts.say(f"{name[0].upper()}{name[1:]} failed: {error}", "error")
            self.answered.emit()

        return tell

    @staticmethod
    def _spawn(work: Coroutine[Any, Any, Any], name: str, on_error: Callable[[BaseException], None]) -> None:
        spawn(work, name=name, on_error=on_error)

    # Questions

    def refresh(self) -> None:
        """Keeps the numbers of an open question up to date."""
        match self.sheet:
            case PanicSheet() as sheet:
                sheet.show_plan(panic_plan(self._book, self.setup))
            case CloseSheet() as sheet:
                sheet.refresh()
            case AlertSheet() as sheet:
                sheet.form.refresh()

    def _open(self, sheet: Sheet) -> None:
        self.sheet = sheet
        sheet.finished.connect(self._on_finished)
        sheet.open()

    def _on_finished(self) -> None:
        self.sheet = None

    @property
    def _mode(self) -> Mode:
        return self._book.engine.mode if self._book.engine is not None else Mode.PAPER

    def ask_panic(self) -> None:
        if self.sheet is not None or self._book.engine is None:
            return
        plan = panic_plan(self._book, self.setup)
        sheet = PanicSheet(self._look, self._icons, self._window, plan, self.setup)

        def on_accepted() -> None:
            only = sheet.entries_only
            done = "All entries are cancelled" if only else "Everything is being closed; the engine is paused"
            self._command(self._bridge.commands.panic(only), "panic", done)

        sheet.accepted.connect(on_accepted)
        self._open(sheet)

    def ask_close(self, group_id: str) -> None:
        group = self._book.groups.get(group_id)
        if group is None or self.sheet is not None:
            return
        mode = self.setup.mode_of(group.account) or self._mode
        sheet = CloseSheet(self._look, self._icons, self._window, group, self._book, mode)
        name = f"{fmt.pair(group.symbol)} {group.timeframe}"

        def on_accepted() -> None:
            self._command(self._bridge.commands.close_group(group_id), f"close {name}", f"{name} is being closed")

        sheet.accepted.connect(on_accepted)
        self._open(sheet)

    def ask_test_alert(self) -> None:
        if self.sheet is not None:
            return
        sheet = AlertSheet(self._look, self._icons, self._window, self.setup, self._book, self._mode)
        self.serve(sheet.form)
        self._open(sheet)

    def show_about(self) -> None:
        if self.sheet is None:
            self._open(AboutSheet(self._look, self._icons, self._window))

    # Test alerts and copies

    def serve(self, form: AlertForm) -> None:
        """Sends what a form asks for, and tells it what became of it, if it is still there."""
        gone = False

        def on_destroyed() -> None:
            nonlocal gone
            gone = True

        async def send(symbol: str, timeframe: str, side: Side) -> None:
            verdict = await self._bridge.commands.send_test_alert(symbol, timeframe, side)
            if not gone:
                form.show_verdict(verdict)

        def on_error(error: BaseException) -> None:
            if not gone:
                form.show_error(error)

        form.destroyed.connect(on_destroyed)
        form.asked.connect(lambda *asked: self._spawn(send(*asked), "test alert", on_error))

    def copy(self, what: str, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._toasts.say(f"{what} copied", "success")
