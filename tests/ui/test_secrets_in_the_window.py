"""The vault's passphrase at the start, the dialog of secrets, the lock and read-only, on a running program."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QWidget

from exengine.bootstrap.account_desk import AccountDesk
from exengine.cli.desktop import setup_of, show_applied
from exengine.cli.guarded import Guarded, access_to
from exengine.domain.errors import UserError
from exengine.domain.events import QueueAction
from exengine.domain.group import GroupKey
from exengine.domain.instrument import Side
from exengine.domain.journal import Category, Severity
from exengine.engine.desk import Desk
from exengine.settings.access import NotAllowed
from exengine.settings.app_lock import HashCost, Tries, keep_lock, new_lock
from exengine.settings.secret_places import vault_of
from exengine.ui import unlock_sheet
from exengine.ui.bridge import Bridge
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.lock_window import LockWindow
from exengine.ui.look_memory import LookMemory
from exengine.ui.loop import run
from exengine.ui.secret_form import SecretSheet
from exengine.ui.settings_entry import SettingsEntry
from exengine.ui.window import Window
from tests.helpers.canaries import Canaries, files_below, found_in
from tests.helpers.keyring import CHEAP
from tests.helpers.program import SECRET, TOKEN, InProcess, entry, program

VAULT = "canary-passphrase-of-the-vault"
OWNER, OPERATOR = "canary-of-the-owner", "canary-of-the-operator"
CHEAP_HASH = HashCost(memory_kib=64, passes=1)


async def until(what: Callable[[], object]) -> None:
    """Waits for the window to show it."""
    async with asyncio.timeout(60):
        while not what():  # noqa: ASYNC110  # the window has no event for each of its texts
            await asyncio.sleep(0.01)


class Desktop:
    """A running program with its window, lock and dialogs, as the desktop program joins them."""

    def __init__(self, running: InProcess, window: Window, guarded: Guarded, desk: Desk, memory: LookMemory) -> None:
        self.running, self.window, self.guarded, self.desk, self.memory = running, window, guarded, desk, memory
        self.program = running.program

    @property
    def sheet(self):
        return self.guarded.secrets.sheet

    async def offer(self, name: str) -> None:
        """Presses a button of the dialog of secrets."""
        await until(lambda: self.sheet is not None and name in self.sheet.offers)
        self.sheet.offers[name].click()

    async def asked(self, name: str):
        """The question that comes up."""
        await until(lambda: self.guarded.secrets.asking is not None
                    and self.guarded.secrets.asking.objectName() == name
                    and self.guarded.secrets.asking.isVisible())  # fmt: skip
        return self.guarded.secrets.asking


@pytest.fixture
def on_a_desktop(look, qapp, tmp_path, monkeypatch, qtbot):
    """Runs `story(desktop)` on a program whose secrets are in a vault that was unlocked."""
    monkeypatch.setattr("exengine.settings.vault.KdfCost", lambda: CHEAP)
    monkeypatch.setattr("exengine.settings.app_lock.HashCost", lambda: CHEAP_HASH)

    def go(story, *, before=None, env=None, **sections) -> None:
        async def main() -> None:
            for name, value in {"EXENGINE_PASSPHRASE": VAULT, **(env or {})}.items():
                monkeypatch.setenv(name, value)
            async with program(tmp_path, monkeypatch, given={"EXENGINE_PASSPHRASE": VAULT, **(env or {})},
                               **sections) as running:  # fmt: skip
                if before is not None:
                    await asyncio.to_thread(before, running.program)
                access = await access_to(running.program)
                desk = Desk(running.program.engine, running.program.clock, running.program.past, require=access.require)
                bridge = Bridge(running.program.views, desk, flush_ms=20)

                async def close() -> None: ...

                store = LayoutStore(tmp_path / "layout.ini")
                window = Window(look, bridge, setup_of(running.program), store, on_close=close)
                show_applied(running.program, look, bridge, window)
                guarded = Guarded(running.program, look, window, access)
                guarded.guard.show()
                memory = LookMemory(look, running.program.config_file, locked=lambda: bool(access.why_not))
                try:
                    await story(Desktop(running, window, guarded, desk, memory))
                finally:
                    bridge.close()
                    for each in QApplication.topLevelWidgets():
                        each.hide()
                    window.deleteLater()

        run(qapp, main)

    return go


NO_ENV = {"EXENGINE_WEBHOOK_TOKEN": "", "EXENGINE_WEBHOOK_SECRET": ""}


def texts_of(widget: QWidget) -> str:
    """Everything that can be read of a widget and what is in it: texts, tooltips, names for screen readers."""
    told = []
    for each in [widget, *widget.findChildren(QWidget)]:
        told += [each.toolTip(), each.accessibleName(), each.accessibleDescription(), each.windowTitle()]
        for name in ("text", "toPlainText", "placeholderText", "title"):
            read = getattr(each, name, None)
            if callable(read) and not (isinstance(each, QLineEdit) and name == "text"):
                told.append(str(read()))
    return "\n".join(told)


ROLES = (
    Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.StatusTipRole,
    Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.AccessibleDescriptionRole, Qt.ItemDataRole.UserRole,
)  # fmt: skip


def cells_of(model: QAbstractItemModel, parent: QModelIndex | None = None) -> list[str]:
    """What every cell of a model says, in every role that can be read."""
    parent, told = parent or QModelIndex(), []
    for row in range(model.rowCount(parent)):
        for column in range(model.columnCount(parent)):
            index = model.index(row, column, parent)
            told += [str(index.data(role)) for role in ROLES]
        told += cells_of(model, model.index(row, 0, parent))
    return told


def all_that_is_seen(window: Window) -> str:
    told = [texts_of(each) for each in QApplication.topLevelWidgets()]
    told += [f"{one.text()} {one.toolTip()} {one.statusTip()}" for one in window.findChildren(QAction)]
    for model in window.findChildren(QAbstractItemModel):
        told += cells_of(model)
    return "\n".join(told)


def test_no_text_in_the_window_has_a_secret(on_a_desktop) -> None:
    """Whatever alerts and exchanges say: every widget, action and cell is read, and all files that were written."""

    async def story(it: Desktop) -> None:
        await it.running.market.tick("50000")
        spread = {
            "secret": SECRET,
            "source": TOKEN,
            "note": SECRET,
            "strategy_info": {"alert_message": f"{TOKEN}{SECRET}"},
        }
        for body in (entry("50000"), entry("50001") | spread, entry("x", tv__action=TOKEN) | spread, [SECRET], SECRET):
            await it.running.post(body)
            await it.running.post(body, token=f"{TOKEN}x")
        it.program.engine.note(Severity.ERROR, Category.SYSTEM, "a line of the log", "what to do")
        await until(lambda: it.window.signals.model.rowCount() > 5)
        await until(lambda: it.window.log.model.rowCount() > 2)
        for dock in it.window.docks:
            dock.show()
            dock.raise_()
            await asyncio.sleep(0)
        it.guarded.ask_secrets()
        await until(lambda: it.sheet is not None and it.sheet.isVisible())
        it.window.clicks.show_about()
        await asyncio.sleep(0.1)
        seen = all_that_is_seen(it.window)
        assert "opened" in seen.lower()
        assert "a line of the log" in seen
        canaries = Canaries(token=TOKEN, secret=SECRET, vault_passphrase=VAULT)
        assert found_in(canaries, [("window", seen.encode())]) == []
        files = list(files_below(it.program.config_file.parent))
        names = {Path(name).name for name, _ in files}
        assert names >= {"config.json", "exengine.sqlite3", "exengine.log"}
        assert found_in(canaries, files) == []
        for dialog in [one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog)]:
            dialog.reject()

    on_a_desktop(story)


class TestUnlocking:
    def ask(self, qapp, look, opens, tries, drive) -> str | None:
        async def main() -> str | None:
            asking = asyncio.ensure_future(unlock_sheet.unlock_vault(look, opens, tries))
            sheets: list[SecretSheet] = []

            def shown() -> bool:
                sheets[:] = [one for one in QApplication.topLevelWidgets()
                             if one.objectName() == "unlock_vault" and one.isVisible()]  # fmt: skip
                return bool(sheets)

            await until(shown)
            await drive(sheets[0])
            return await asking

        return run(qapp, main)

    @staticmethod
    def opens(passphrase: str) -> None:
        if passphrase != VAULT:
            raise UserError("The passphrase does not open the vault.", remedy="Give the one it was made with.")

    def test_the_right_passphrase_opens_it_and_a_wrong_one_is_said(self, qapp, look, qtbot) -> None:
        async def drive(sheet: SecretSheet) -> None:
            assert sheet.form.inputs[0].echoMode() is QLineEdit.EchoMode.Password
            QTest.keyClicks(sheet.form.inputs[0], "wrong")
            QTest.keyClick(sheet.form.inputs[0], Qt.Key.Key_Return)
            await until(lambda: "does not open" in sheet.form.said.text())
            assert sheet.isVisible()
            sheet.form.inputs[0].setText(VAULT)
            QTest.keyClick(sheet.form.inputs[0], Qt.Key.Key_Return)

        assert self.ask(qapp, look, self.opens, Tries(lambda: 0), drive) == VAULT

    def test_who_guesses_has_to_wait_and_the_vault_is_not_even_asked(self, qapp, look, qtbot) -> None:
        asked: list[str] = []

        def opens(passphrase: str) -> None:
            asked.append(passphrase)
            self.opens(passphrase)

        async def drive(sheet: SecretSheet) -> None:
            for number in range(3):
                sheet.form.inputs[0].setText("wrong")
                sheet.action.click()
                await until(lambda number=number: len(asked) == number + 1 and sheet.action.isEnabled())
            sheet.form.inputs[0].setText(VAULT)
            sheet.action.click()
            await until(lambda: "Wait 1 s" in sheet.form.said.text())
            sheet.cancel.click()

        assert self.ask(qapp, look, opens, Tries(lambda: 0), drive) is None
        assert asked == ["wrong"] * 3

    def test_without_it_the_program_goes_on_without(self, qapp, look, qtbot) -> None:
        async def drive(sheet: SecretSheet) -> None:
            sheet.cancel.click()

        assert self.ask(qapp, look, self.opens, Tries(lambda: 0), drive) is None


class TestRotation:
    def test_a_new_token_is_shown_once_and_both_count_until_the_old_one_is_retired(self, on_a_desktop) -> None:
        async def story(it: Desktop) -> None:
            await it.running.market.tick("50000")
            old = it.program.secrets.token
            it.guarded.ask_secrets()
            await it.offer("rotate token")
            (await it.asked("secrets_confirm")).action.click()
            reveal = await it.asked("secrets_reveal")
            new = it.program.secrets.token
            assert new != old
            assert new not in texts_of(it.window) + texts_of(reveal)
            reveal.copy.click()
            assert QGuiApplication.clipboard().text() == it.program.webhook_url
            assert new in it.program.webhook_url
            reveal.show_it.click()
            assert new in texts_of(reveal), "this is the one place where it may be seen"
            reveal.reject()
            for number, token in enumerate((old, new)):
                assert (await it.running.post(entry("50000", tv__timeframe=f"{number + 1}"), token=token))[0] == 202
            assert new in it.window.clicks.setup.webhook_url, "the menu's copy is the new one"
            await it.offer("retire token")
            (await it.asked("secrets_confirm")).action.click()
            await until(lambda: not it.program.secrets.old_token)
            assert (await it.running.post(entry("50000", tv__timeframe="5"), token=old))[0] == 401
            assert (await it.running.post(entry("50000", tv__timeframe="5"), token=new))[0] == 202
            assert new not in texts_of(it.window)
            vault = vault_of(it.program.data_dir, {}, lambda: VAULT)
            assert (vault.get("webhook-token"), vault.get("webhook-token-old")) == (new, None)
            it.sheet.reject()

        on_a_desktop(story, env=NO_ENV)

    def test_what_the_environment_sets_is_not_offered_and_the_vaults_passphrase_is_changed(self, on_a_desktop) -> None:
        async def story(it: Desktop) -> None:
            it.program.stores[-1].set("name", "value")
            it.guarded.ask_secrets()
            await it.offer("vault")
            asked = await it.asked("vault_passphrase")
            assert "rotate token" not in it.sheet.offers
            assert TOKEN not in texts_of(it.sheet) + texts_of(it.window)
            assert SECRET not in texts_of(it.sheet) + texts_of(it.window)
            for field, typed in zip(asked.form.inputs, (VAULT, "another-long-one", "another-long-onx"), strict=True):
                field.setText(typed)
            asked.action.click()
            await until(lambda: "differ" in asked.form.said.text())
            asked.form.inputs[2].setText("another-long-one")
            asked.action.click()
            await until(lambda: "new passphrase" in it.sheet.said.text())
            assert vault_of(it.program.data_dir, {}, lambda: "another-long-one").get("name") == "value"
            it.sheet.reject()

        on_a_desktop(story)


class TestLock:
    @staticmethod
    def locked(running_program) -> None:
        keep_lock(running_program.stores, new_lock(OWNER, OPERATOR, CHEAP_HASH))

    def test_it_is_locked_at_the_start_and_each_passphrase_opens_its_role(self, on_a_desktop) -> None:
        async def story(it: Desktop) -> None:
            lock = it.guarded.guard.lock_window
            assert isinstance(lock, LockWindow)
            assert lock.isVisible()
            assert not it.window.isVisible()
            await it.running.market.tick("50000")
            assert (await it.running.post(entry("50000")))[0] == 202, "the engine goes on"
            with pytest.raises(NotAllowed):
                await it.desk.pause()
            lock.close()
            assert lock.isVisible(), "closing it would stop the engine"
            lock.form.inputs[0].setText("wrong")
            lock.action.click()
            await until(lambda: "not the passphrase" in lock.form.said.text())
            lock.form.inputs[0].setText(OPERATOR)
            lock.action.click()
            await until(it.window.isVisible)
            await until(it.guarded.guard.banner.isVisible)
            assert "operator" in it.guarded.guard.banner.text.text()
            with pytest.raises(NotAllowed):
                await it.desk.pause()
            it.guarded.ask_secrets()
            assert it.sheet is None
            it.guarded.guard.lock()
            assert not it.window.isVisible()
            again = it.guarded.guard.lock_window
            again.form.inputs[0].setText(OWNER)
            again.action.click()
            await until(it.window.isVisible)
            await until(lambda: not it.guarded.guard.banner.isVisible())
            await it.desk.pause()
            await it.desk.resume()

        on_a_desktop(story, before=self.locked, security={"app_lock": True})

    def test_nobody_there_for_long_it_locks_itself_and_floating_docks_and_dialogs_go(self, on_a_desktop) -> None:
        async def story(it: Desktop) -> None:
            lock = it.guarded.guard.lock_window
            lock.form.inputs[0].setText(OWNER)
            lock.action.click()
            await until(it.window.isVisible)
            it.window.log.setFloating(True)
            it.window.log.show()
            it.guarded.ask_secrets()
            await until(lambda: it.sheet is not None and it.sheet.isVisible())
            assert it.guarded.guard._timer.interval() == 7 * 60_000
            it.guarded.guard._timer.timeout.emit()
            assert not it.window.isVisible()
            assert not it.window.log.isVisible()
            await until(lambda: it.sheet is None)
            seen = [one for one in QApplication.topLevelWidgets() if one.isVisible()]
            assert seen == [it.guarded.guard.lock_window]
            it.guarded.guard.lock_window.form.inputs[0].setText(OWNER)
            it.guarded.guard.lock_window.action.click()
            await until(it.window.log.isVisible)

        on_a_desktop(story, before=self.locked, security={"app_lock": True, "auto_lock_minutes": 7})

    def test_what_asks_before_it_goes_is_out_of_sight_too_and_nothing_typed_is_lost(self, on_a_desktop) -> None:
        async def story(it: Desktop) -> None:
            lock = it.guarded.guard.lock_window
            lock.form.inputs[0].setText(OWNER)
            lock.action.click()
            await until(it.window.isVisible)
            dialog = SettingsEntry(it.window, it.program.settings_desk, AccountDesk(it.program)).open("pool")
            dialog.editing.put(("pool", "max_open_groups"), 7)
            it.window.help.open("alerts")
            it.guarded.guard.lock()
            seen = [one for one in QApplication.topLevelWidgets() if one.isVisible()]
            assert seen == [it.guarded.guard.lock_window]
            it.guarded.guard.lock_window.form.inputs[0].setText(OWNER)
            it.guarded.guard.lock_window.action.click()
            await until(lambda: dialog.isVisible() and it.window.help.window.isVisible())
            assert dialog.windowModality() is Qt.WindowModality.WindowModal
            assert dialog.editing.draft.get(("pool", "max_open_groups")) == 7
            (question,) = dialog.findChildren(QDialog)
            question.accept()
            await until(lambda: it.program.config.pool.max_open_groups == 10 and not it.window.findChildren(QDialog))
            it.window.help.window.close()

        on_a_desktop(story, before=self.locked, security={"app_lock": True}, ui={"theme": "dark"})

    def test_without_a_passphrase_the_window_only_shows_and_says_how_to_mend_it(self, on_a_desktop) -> None:
        async def story(it: Desktop) -> None:
            assert it.window.isVisible()
            with pytest.raises(NotAllowed):
                await it.desk.pause()
            it.guarded.guard.lock()
            assert it.window.isVisible(), "nobody could open it again"

        on_a_desktop(story, security={"app_lock": True})

    def test_it_is_set_up_and_switched_off_in_the_dialog(self, on_a_desktop) -> None:
        async def story(it: Desktop) -> None:
            it.program.stores[-1].set("name", "value")
            it.guarded.ask_secrets()
            await it.offer("lock")
            asked = await it.asked("set_lock")
            for field, typed in zip(asked.form.inputs, (OWNER, OWNER, "", ""), strict=True):
                field.setText(typed)
            asked.action.click()
            await until(lambda: "The app lock is on" in it.sheet.said.text())
            assert it.program.config.security.app_lock
            it.sheet.reject()
            await until(lambda: it.sheet is None)
            it.guarded.guard.lock()
            lock = it.guarded.guard.lock_window
            lock.form.inputs[0].setText(OWNER)
            lock.action.click()
            await until(it.window.isVisible)
            it.guarded.ask_secrets()
            await it.offer("unlock")
            (await it.asked("secrets_confirm")).action.click()
            await until(lambda: not it.program.config.security.app_lock)
            it.sheet.reject()

        on_a_desktop(story)


KEY = GroupKey(account="paper", symbol="BTC/USDT", timeframe="15m")
pytestmark = pytest.mark.timeout(300)

EVENTS: dict[str, Callable[[Desk], object]] = {
    "pause": lambda desk: desk.pause(),
    "resume": lambda desk: desk.resume(),
    "panic": lambda desk: desk.panic(False),
    "close_group": lambda desk: desk.close_group("paper|BTC/USDT|15m#1"),
    "adopt": lambda desk: desk.adopt("paper|BTC/USDT|15m#1"),
    "cancel_entries": lambda desk: desk.cancel_entries("paper|BTC/USDT|15m#1"),
    "queue": lambda desk: desk.queue(QueueAction.PROMOTE, KEY, Side.LONG),
    "run_risk": lambda desk: desk.run_risk(),
    "skip_once": lambda desk: desk.skip_once(KEY),
    "set_blocked": lambda desk: desk.set_blocked(KEY, True),
    "send_test_alert": lambda desk: desk.send_test_alert("BTC/USDT", "15m", Side.LONG),
    "replay_signal": lambda desk: desk.replay_signal(1),
    "close_part": lambda desk: desk.close_part("paper|BTC/USDT|15m#1", Decimal("0.0001")),
    "set_stop": lambda desk: desk.set_stop("paper|BTC/USDT|15m#1", Decimal(40000)),
    "place_again": lambda desk: desk.place_again("paper|BTC/USDT|15m#1", ((0, 0),)),
}
LOOKS = {"trail"}
"""What only reads."""


class TestReadOnly:
    def test_every_event_of_the_window_is_known_here(self) -> None:
        acts = {name for name in vars(Desk) if not name.startswith("_")}
        assert acts == set(EVENTS) | LOOKS, "a new event has to be tried in read-only too"

    def test_no_event_and_no_change_of_settings_gets_through(self, on_a_desktop) -> None:
        async def story(it: Desktop) -> None:
            await it.running.market.tick("50000")
            assert (await it.running.post(entry("50000")))[0] == 202
            before, state = it.program.config, it.program.state
            groups = str(state.groups)
            for name, act in EVENTS.items():
                with pytest.raises(NotAllowed):
                    await act(it.desk)  # type: ignore[misc]
                assert str(state.groups) == groups, name
            pool = before.pool.model_copy(update={"max_open_groups": 3})
            with pytest.raises(NotAllowed):
                await it.program.settings_desk.apply(before.model_copy(update={"pool": pool}))
            assert it.program.config is before
            off = before.security.model_copy(update={"read_only": False})
            await it.program.settings_desk.apply(before.model_copy(update={"security": off}))
            await it.desk.pause()

        on_a_desktop(story, security={"read_only": True})

    def test_every_action_of_the_menus_changes_nothing(self, on_a_desktop) -> None:
        async def story(it: Desktop) -> None:
            await it.running.market.tick("50000")
            assert (await it.running.post(entry("50000")))[0] == 202
            await until(lambda: it.window.positions.model.rowCount() == 1)
            state, config = it.program.state, it.program.config_file.read_bytes()
            before = (str(state.groups), str(state.orders), str(state.control))
            for action in it.window.registry.specs:
                if action.id != "quit":
                    it.window.registry.actions[action.id].trigger()
                    await asyncio.sleep(0)
            await it.memory.saved()
            await it.program.engine.settled()
            for dialog in [one for one in QApplication.topLevelWidgets() if one.inherits("QDialog")]:
                dialog.close()
            assert (str(state.groups), str(state.orders), str(state.control)) == before
            assert it.program.config_file.read_bytes() == config

        on_a_desktop(story, security={"read_only": True})


def test_icons_of_the_lock_are_there(look) -> None:
    assert not Icons(look).pixmap("shield", "accent", 32, 1.0).isNull()
