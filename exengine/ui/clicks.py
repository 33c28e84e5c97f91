"""From a click to a command: a question where one is due, the command in a task of its own, a notice of the outcome."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from exengine.domain.errors import UserError
from exengine.domain.events import QueueAction
from exengine.domain.group import GroupKey, account_of
from exengine.domain.instrument import Side
from exengine.engine.panel_rows import PlanView, RiskRow, RiskSummary, WaitingRow
from exengine.engine.past import TrailRow
from exengine.engine.rows import Mode, SignalRow
from exengine.ui import format as fmt
from exengine.ui import risk_words
from exengine.ui.alert_form import AlertForm
from exengine.ui.book import Book
from exengine.ui.bridge import Bridge
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.panic_plan import panic_plan
from exengine.ui.panic_sheet import PanicSheet
from exengine.ui.part_sheet import PartSheet
from exengine.ui.positions_deeds import Deed
from exengine.ui.positions_deeds import name_of as name_of_group
from exengine.ui.questions import AboutSheet, AgainSheet, CloseSheet
from exengine.ui.queue_model import name_of
from exengine.ui.replay_sheet import ReplaySheet, verdict_words
from exengine.ui.risk_questions import AdoptSheet, ForceSheet, RunSheet
from exengine.ui.setup import Setup
from exengine.ui.sheet import Sheet
from exengine.ui.stop_sheet import StopSheet
from exengine.ui.toast import Toasts
from exengine.ui.trial_sheet import TrialSheet

RiskNow = Callable[[str], tuple[RiskRow | None, PlanView | None, RiskSummary | None]]


class Clicks(QObject):
    """Everything that the trader can ask of the engine. One question is open at a time, and nothing waits for it.

    Only the one at the end of the program comes over another.
    """

    answered = Signal()
    """The engine has taken a command, or refused it."""

    def __init__(
        self,
        window: QWidget,
        icons: Icons,
        book: Book,
        bridge: Bridge,
        setup: Setup,
        toasts: Toasts,
        risk_now: RiskNow = lambda group_id: (None, None, None),
    ) -> None:
        """`risk_now` gives what the Risk dock has of a group at this moment."""
        super().__init__(window)
        self.setup = setup
        self._sheets: list[Sheet] = []
        self._window, self._icons, self._look = window, icons, icons.look
        self._book, self._bridge, self._toasts = book, bridge, toasts
        self._risk_now = risk_now

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

    def deed(self, deed: Deed, group_id: str) -> None:
        """What the trader asks to be done with a group; what could cost something is asked first."""
        match deed:
            case Deed.CLOSE:
                self.ask_close(group_id)
            case Deed.PART:
                self.ask_part(group_id)
            case Deed.CANCEL:
                self.cancel_entries(group_id)
            case Deed.STOP:
                self.ask_stop(group_id)
            case Deed.AGAIN:
                self.ask_again(group_id)
            case Deed.BLOCK:
                self._block_group(group_id)
            case Deed.ADOPT:
                self.ask_adopt(group_id)

    def _block_group(self, group_id: str) -> None:
        group = self._book.groups.get(group_id)
        if group is not None:
            key = GroupKey(group.account, group.symbol, group.timeframe)
            self._block(key, name_of_group(group), not group.blocked)

    def queue(self, action: QueueAction, row: WaitingRow) -> None:
        """A waiting entry is let in or taken out; only forcing one in wants a question."""
        if action is QueueAction.FORCE:
            self.ask_force(row)
            return
        self._queue(action, row)

    def _queue(self, action: QueueAction, row: WaitingRow) -> None:
        work = self._bridge.commands.queue(action, _group_key(row), row.side)
        self._command(work, f"{action.value} {name_of(row)}", before=f"{name_of(row)}: ")

    def skip(self, row: RiskRow) -> None:
        name = risk_words.name_of(row)
        work = self._bridge.commands.skip_once(_group_key(row))
        self._command(work, f"skip {name}", f"{name} is passed over once")

    def block(self, row: RiskRow, blocked: bool) -> None:
        self._block(_group_key(row), risk_words.name_of(row), blocked)

    def _block(self, key: GroupKey, name: str, blocked: bool) -> None:
        verb = "block" if blocked else "unblock"
        work = self._bridge.commands.set_blocked(key, blocked)
        self._command(work, f"{verb} {name}", f"{name} is {verb}ed{' from the risk engine' if blocked else ''}")

    def _command(self, work: Coroutine[Any, Any, Any], name: str, done: str = "", *, before: str = "") -> None:
        """`done` is said when it is done, or `before` and what the engine said."""

        async def carry_out() -> None:
            said = await work
            if done:
                self._toasts.say(done, "success")
            elif before and isinstance(said, str):
                self._toasts.say(before + said, "info")
            self.answered.emit()

        self._spawn(carry_out(), name, self._failed(name))

    def _failed(self, name: str) -> Callable[[BaseException], None]:
        def tell(error: BaseException) -> None:
            self._toasts.say(_not_done(name, error), "error")
            self.answered.emit()

        return tell

    @staticmethod
    def _spawn(work: Coroutine[Any, Any, Any], name: str, on_error: Callable[[BaseException], None]) -> None:
        spawn(work, name=name, on_error=on_error)

    # Questions

    def refresh(self) -> None:
        """Keeps the numbers of an open question up to date."""
        for sheet in self._sheets:
            match sheet:
                case PanicSheet():
                    sheet.show_plan(panic_plan(self._book, self.setup))
                case CloseSheet() | PartSheet() | StopSheet() | TrialSheet():
                    sheet.refresh()
                case RunSheet():
                    sheet.show_plan(*self._risk_now(sheet.loser_id))

    def _open(self, sheet: Sheet) -> None:
        if self.setup.read_only and not isinstance(sheet, AboutSheet):
            sheet.deleteLater()
            self._toasts.say(self.setup.read_only, "info")
            return
        self.show(sheet)

    def show(self, sheet: Sheet) -> None:
        """Opens a dialog that asks nothing of the engine; not over another one."""
        if self.sheet is not None:
            sheet.deleteLater()
            return
        self._keep(sheet)
        sheet.open()

    def show_over(self, sheet: Sheet) -> None:
        """Opens a question that must not be lost, over whatever dialog is open; that one is as it was afterwards."""
        self._keep(sheet)
        # As the last of all windows: one that belongs to the other dialog would go away with it.
        sheet.setWindowModality(Qt.WindowModality.ApplicationModal)
        sheet.show()
        sheet.raise_()
        sheet.activateWindow()

    def _keep(self, sheet: Sheet) -> None:
        self._sheets.append(sheet)
        sheet.finished.connect(lambda: self._sheets.remove(sheet))

    @property
    def sheet(self) -> Sheet | None:
        """The question that is open, the uppermost of two."""
        return self._sheets[-1] if self._sheets else None

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

    def ask_part(self, group_id: str) -> None:
        group = self._book.groups.get(group_id)
        if group is None or self.sheet is not None:
            return
        mode = self.setup.mode_of(group.account) or self._mode
        sheet = PartSheet(self._look, self._icons, self._window, group, self._book, mode)
        name = name_of_group(group)

        def on_accepted() -> None:
            work = self._bridge.commands.close_part(group_id, sheet.part)
            self._command(work, f"close part of {name}", before=f"{name}: ")

        sheet.accepted.connect(on_accepted)
        self._open(sheet)

    def ask_stop(self, group_id: str) -> None:
        group = self._book.groups.get(group_id)
        if group is None or self.sheet is not None:
            return
        mode = self.setup.mode_of(group.account) or self._mode
        sheet = StopSheet(self._look, self._icons, self._window, group, self._book, mode)
        name = name_of_group(group)

        def on_accepted() -> None:
            work = self._bridge.commands.set_stop(group_id, sheet.wanted)
            self._command(work, f"set the stop of {name}", before=f"{name}: ")

        sheet.accepted.connect(on_accepted)
        self._open(sheet)

    def ask_again(self, group_id: str) -> None:
        group = self._book.groups.get(group_id)
        if group is None or not group.rejected_legs() or self.sheet is not None:
            return
        mode = self.setup.mode_of(group.account) or self._mode
        sheet = AgainSheet(self._look, self._icons, self._window, group, mode)
        name = name_of_group(group)

        def on_accepted() -> None:
            work = self._bridge.commands.place_again(group_id, sheet.legs)
            self._command(work, f"place entries of {name}", before=f"{name}: ")

        sheet.accepted.connect(on_accepted)
        self._open(sheet)

    def ask_force(self, row: WaitingRow) -> None:
        engine = self._book.engine
        if engine is None or self.sheet is not None:
            return
        mode = self.setup.mode_of(row.account) or self._mode
        sheet = ForceSheet(self._look, self._icons, self._window, row, engine, mode)
        sheet.accepted.connect(lambda: self._queue(QueueAction.FORCE, row))
        self._open(sheet)

    def ask_run(self, row: RiskRow, plan: PlanView) -> None:
        about = self._risk_now(row.id)[2]
        if self.sheet is not None or about is None:
            return
        sheet = RunSheet(
            self._look, self._icons, self._window, row, plan, about, self._book,
            lambda account: self.setup.mode_of(account) or self._mode,
        )  # fmt: skip
        sheet.accepted.connect(
            lambda: self._command(self._bridge.commands.run_risk(), "run the risk engine", before="Risk: ")
        )
        self._open(sheet)

    def ask_adopt(self, group_id: str) -> None:
        group = self._book.groups.get(group_id)
        if group is None or group.missing_qty is None or self.sheet is not None:
            return
        mode = self.setup.mode_of(group.account) or self._mode
        name = f"{fmt.pair(group.symbol)} {group.timeframe}"
        sheet = AdoptSheet(self._look, self._icons, self._window, group, mode)
        done = f"The books have {name} as the exchange has it"
        sheet.accepted.connect(lambda: self._command(self._bridge.commands.adopt(group_id), f"adopt {name}", done))
        self._open(sheet)

    def ask_replay(self, row: SignalRow) -> None:
        if self.sheet is not None:
            return
        mode = self.setup.mode_of(account_of(row.group)) or self._mode
        sheet = ReplaySheet(self._look, self._icons, self._window, row, mode, self._bridge.now_ms())

        async def replay() -> None:
            self._toasts.say(*verdict_words(await self._bridge.commands.replay_signal(row.id)))

        sheet.accepted.connect(lambda: self._command(replay(), f"replay signal {row.id}"))
        self._open(sheet)

    def read_trail(self, row: SignalRow, show: Callable[[int, Iterable[TrailRow]], None]) -> None:
        """Reads what followed from a signal, and hands it over."""

        async def read() -> None:
            show(row.id, await self._bridge.commands.trail(row.cause))

        self._spawn(read(), f"read what followed signal {row.id}", self._failed("read what followed"))

    def ask_test_alert(self) -> None:
        if self.sheet is not None:
            return
        sheet = TrialSheet(self._look, self._icons, self._window, self.setup, self._book, self._mode)
        self.serve(sheet)
        self._open(sheet)

    def show_about(self) -> None:
        if self.sheet is None:
            self._open(AboutSheet(self._look, self._icons, self._window))

    # Test alerts and copies

    def serve(self, form: AlertForm | TrialSheet) -> None:
        """Sends what a form asks for, and tells it what became of it, if it is still there."""
        gone = False

        def on_destroyed() -> None:
            nonlocal gone
            gone = True

        async def send(symbol: str, timeframe: str, side: Side, *more: Any) -> None:
            chosen = dict(zip(("account", "kind", "price"), more, strict=False))
            verdict = await self._bridge.commands.send_test_alert(symbol, timeframe, side, **chosen)
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


def _group_key(row: WaitingRow | RiskRow) -> GroupKey:
    return GroupKey(row.account, row.symbol, row.timeframe)


def _not_done(name: str, error: BaseException) -> str:
    """What the trader wanted, why it was not done, what is safe and what to do; a `UserError` says that itself."""
    after = "" if isinstance(error, UserError) and error.remedy else " Try it again, or see the log."
    safe = "" if isinstance(error, UserError) and error.safe else " Nothing else was changed."
    return f"Could not {name}: {str(error).rstrip('.')}.{safe}{after}"
