"""The settings dialog: search, marks, reset, files, the preview, Apply with all that may come between."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from exengine.domain.errors import UserError
from exengine.engine.rows import Mode
from exengine.settings.account_keys import AccountKeys
from exengine.settings.file import text_of
from exengine.settings.follow import DiskEdit
from exengine.settings.form import sections
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError, Problem
from exengine.ui.icons import Icons
from exengine.ui.loop import Loop
from exengine.ui.pieces import IconButton
from exengine.ui.settings_accounts import AccountsEditor
from exengine.ui.settings_dialog import SettingsDialog
from exengine.ui.settings_nav import STATE
from exengine.ui.settings_questions import DiscardSheet, GoLiveSheet, RemoveAccountSheet, VaultSheet
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look
from tests.ui import rows
from tests.ui.settings_desk import MemoryDesk, MemoryKeys, config_of

KEYS = AccountKeys(api_key="abcdefghijklB19K", secret="the secret part")
LIVE = {"name": "main", "exchange": "binance"}


@dataclass
class Setting:
    """A dialog over a window, with what it talks to."""

    dialog: SettingsDialog
    desk: MemoryDesk
    keys: MemoryKeys
    loop: Loop

    def until(self, condition: Callable[[], object]) -> None:
        """Lets the program run until something is so."""

        async def wait() -> None:
            async with asyncio.timeout(20):
                while not condition():  # noqa: ASYNC110  # what is waited for is Qt's, which sets no event
                    await asyncio.sleep(0.001)

        self.loop.run_until_complete(wait())

    def apply(self) -> None:
        """Presses Apply on the running loop."""

        async def press() -> None:
            self.dialog.apply.click()

        self.loop.run_until_complete(press())

    def sheet(self, kind: type[Sheet]) -> Sheet:
        """The question that is open."""
        self.until(lambda: self._open(kind))
        return self._open(kind)[0]

    def _open(self, kind: type[Sheet]) -> list[Sheet]:
        return [sheet for sheet in self.dialog.findChildren(kind) if sheet.isVisible()]

    def row(self, name: str) -> QWidget:
        self.dialog.navigation.choose(name.partition(".")[0])
        return next(row for row in self.dialog.findChildren(QWidget, name) if hasattr(row, "input"))

    def type(self, name: str, text: str) -> None:
        line = self.row(name).input  # type: ignore[attr-defined]
        line.selectAll()
        QTest.keyClicks(line, text)


@pytest.fixture
def make(look: Look, on_loop: Loop, tmp_path: Path, qtbot) -> Iterator[Callable[..., Setting]]:
    window = QWidget()
    window.resize(1440, 900)
    window.show()
    made: list[SettingsDialog] = []

    def build(held: tuple[int, int] = (0, 0), mode: Mode = Mode.PAPER, edit: DiskEdit | None = None, **tree) -> Setting:
        desk, keys = MemoryDesk(config_of(**tree), tmp_path / "config.json", edit), MemoryKeys()
        dialog = SettingsDialog(
            look, Icons(look), window, desk, keys=keys, mode=mode, now_ms=lambda: rows.NOW_MS, held=lambda _: held
        )
        # Its widgets are asked after it was closed.
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        dialog.open()
        made.append(dialog)
        return Setting(dialog, desk, keys, on_loop)

    yield build
    for dialog in made:
        dialog.done(0)
        dialog.deleteLater()
    window.hide()
    window.deleteLater()
    QApplication.processEvents()


# What is seen -------------------------------------------------------------------------------------------------------


def test_there_is_a_page_for_each_section_in_the_order_of_the_contract(make):
    listed = make().dialog.navigation.list
    titles = [listed.item(row).text() for row in range(listed.count())]
    assert titles == [
        "General", "Listener", "Security", "Accounts", "Routing", "Signals", "Grid", "Sizing", "Take profit",
        "Execution", "Pool", "Queue", "Risk", "Precision", "Safety", "Logging", "Notifications", "Appearance",
        "Simulation",
    ]  # fmt: skip


def test_a_changed_value_has_a_dot_and_its_page_says_so(make):
    setting = make()
    setting.type("pool.max_open_groups", "6")
    row = setting.row("pool.max_open_groups")
    assert row.dot.on
    assert row.input.property("changed") is True
    setting.dialog.navigation.choose("grid")
    assert states(setting.dialog)["Pool"] == "changed"
    assert states(setting.dialog)["Grid"] == ""


def test_what_is_wrong_is_counted_beside_apply_and_on_the_page(make):
    setting = make()
    setting.type("grid.min_pyramid_gap_percent", "-0.5")
    setting.type("risk.max_winners", "0")
    assert setting.dialog.fault.text() == "2 fields on Grid and Risk need attention"
    assert states(setting.dialog)["Grid"] == "1 field needs attention"
    assert not setting.dialog.apply.isEnabled()
    setting.type("risk.max_winners", "2")
    assert setting.dialog.fault.text() == "1 field on Grid needs attention"
    assert setting.row("grid.min_pyramid_gap_percent").fault.text() == "Must be at least 0."


def test_the_minus_of_the_screen_is_a_minus_too(make):
    setting = make()
    line = setting.row("risk.loss_threshold_percent").input
    assert line.text() == "−5"
    line.setText("−7.5")
    line.textEdited.emit("−7.5")
    assert setting.dialog.editing.draft.config.risk.loss_threshold_percent == Decimal("-7.5")


def test_the_weights_are_summed_under_the_ladder(make):
    setting = make()
    table = setting.dialog.page("grid").parts[1].table
    assert table.sum.text() == "100.0"
    setting.dialog.editing.put(("grid", "legs", 4, "weight_percent"), "4")
    assert table.sum.text() == "84.0"
    assert "sum to 84" in table.fault.text()


def test_legs_are_added_removed_and_put_back(make):
    setting = make()
    editor = setting.dialog.page("grid").parts[1]
    editor.table.removers[4].click()
    assert editor.table.count == 4
    editor.add.click()
    assert setting.dialog.editing.draft.get(("grid", "legs", 4)) == {
        "gap_percent": "-2", "weight_percent": "20", "tp_percent": "1",
    }  # fmt: skip
    editor.table.removers[0].click()
    editor.defaults.click()
    assert not setting.dialog.editing.draft.is_changed


def test_a_search_shows_the_pages_and_rows_it_is_for(make):
    setting = make()
    search = setting.dialog.navigation.search
    keys = {shortcut.key().toString(): shortcut for shortcut in setting.dialog.findChildren(QShortcut)}
    keys["Ctrl+F"].activated.emit()
    assert setting.dialog.focusWidget() is search
    QTest.keyClicks(search, "slippage")
    found = {title for title, hidden in hidden_pages(setting.dialog).items() if not hidden}
    assert found == {"Execution", "Simulation"}
    assert setting.dialog.navigation.current == "execution"
    shown = [part.field.name for part in setting.dialog.current.parts if not part.isHidden()]
    assert shown == ["max_slippage_percent", "slippage_action"]
    QTest.keyClick(search, Qt.Key.Key_Escape)
    assert not any(hidden_pages(setting.dialog).values())
    assert setting.dialog.isVisible()
    assert not any(part.isHidden() for part in setting.dialog.current.parts)


def test_a_long_page_is_folded_by_its_headers(make):
    setting = make()
    row = setting.row("risk.max_winners")
    header = setting.dialog.current.foldables["Offsets"].header
    header.click()
    assert not row.isVisible()
    QTest.keyClick(header, Qt.Key.Key_Space)
    assert row.isVisible()


def test_the_rules_of_the_queue_are_ordered_and_left_out(make):
    setting = make()
    setting.dialog.navigation.choose("queue")
    rules = next(part for part in setting.dialog.current.parts if part.field.name == "priority")
    rules.ups["fifo"].click()
    rules.ticks["deepest_loss"].click()
    said = setting.dialog.editing.draft.config.queue.priority
    assert [rule.value for rule in said] == ["pyramid_continuation", "fifo", "most_replaced"]
    assert not rules.ups["pyramid_continuation"].isEnabled()


def states(dialog: SettingsDialog) -> dict[str, str]:
    listed = dialog.navigation.list
    items = [listed.item(row) for row in range(listed.count())]
    return {item.text(): item.data(STATE).words for item in items}


def hidden_pages(dialog: SettingsDialog) -> dict[str, bool]:
    listed = dialog.navigation.list
    return {listed.item(row).text(): listed.item(row).isHidden() for row in range(listed.count())}


# The preview --------------------------------------------------------------------------------------------------------


def test_the_preview_follows_what_is_typed(make):
    setting = make()
    preview = setting.dialog.preview
    assert preview.table.texts[0] == ("DCA0", "67,240.50", "0.00029", "19.50", "67,912.91", "Placed")
    setting.type("grid.max_pyramids", "2")
    setting.type("sizing.amount", "20")
    setting.until(lambda: preview.table.texts[0][5] == "Blocked")
    assert "minimum notional" in preview.table.notes[0]
    assert any(told.text.startswith("New groups take 2 pyramids") for told in preview.told)


def test_the_preview_goes_on_while_another_field_is_wrong(make):
    setting = make()
    setting.type("sizing.amount", "200")
    setting.type("grid.min_pyramid_gap_percent", "-1")
    setting.dialog.preview.refresh()
    assert setting.dialog.preview.table.texts[0][2] == "0.00059"


def test_the_side_pair_and_account_of_the_preview_are_chosen(make):
    setting = make(accounts=[{"name": "paper", "exchange": "paper"}, {"name": "perp", "exchange": "paper"}])
    preview = setting.dialog.preview
    assert [preview.account.itemText(row) for row in range(preview.account.count())] == ["paper", "perp"]
    preview.symbol.setCurrentText("ETH/USDT")
    preview.refresh()
    assert preview.ladder.symbol == "ETH/USDT"
    assert preview.table.texts[0][1] == "3,312.00"


def test_in_a_small_window_a_button_changes_between_page_and_preview(make):
    setting = make()
    dialog = setting.dialog
    assert dialog.preview.isVisible()
    assert not dialog.show_preview.isVisible()
    dialog.parentWidget().resize(960, 600)
    dialog.fit()
    assert dialog.current.isVisible()
    assert not dialog.preview.isVisible()
    dialog.show_preview.click()
    assert dialog.preview.isVisible()
    assert not dialog.current.isVisible()


# Leaving ------------------------------------------------------------------------------------------------------------


def test_enter_and_esc_are_cancel(make):
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        setting = make()
        QTest.keyClick(setting.dialog, key)
        assert not setting.dialog.isVisible()
        assert setting.desk.applied == []


def test_enter_in_a_field_closes_nothing(make):
    setting = make()
    QTest.keyClick(setting.row("pool.max_open_groups").input, Qt.Key.Key_Return)
    assert setting.dialog.isVisible()


def test_what_was_typed_is_not_lost_without_a_question(make):
    setting = make()
    setting.type("pool.max_open_groups", "6")
    QTest.keyClick(setting.dialog, Qt.Key.Key_Escape)
    sheet = setting.sheet(DiscardSheet)
    assert "Pool" in sheet.meaning.accessibleName()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert setting.dialog.isVisible()
    setting.dialog.cancel.click()
    setting.sheet(DiscardSheet).action.click()
    assert not setting.dialog.isVisible()
    assert setting.desk.applied == []


def test_everything_can_be_reached_by_the_keyboard_and_has_a_name(make):
    setting = make(
        notifications=[{"url": "secret:notice", "events": ["error"]}],
        routing=[{"tv_exchange": "OKX", "account": "paper"}],
    )
    dialog = setting.dialog
    for section in sections():
        dialog.navigation.choose(section.name)
        QApplication.processEvents()
        wanted = [
            widget for widget in dialog.current.findChildren(QWidget)
            if widget.isVisibleTo(dialog) and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]  # fmt: skip
        assert [widget for widget in wanted if not name_of(widget)] == []
        assert set(wanted) <= set(tab_chain(dialog))


def name_of(widget: QWidget) -> str:
    return widget.accessibleName() or (widget.text() if hasattr(widget, "text") else "")


def tab_chain(dialog: QWidget) -> list[QWidget]:
    chain, widget = [dialog], dialog.nextInFocusChain()
    while widget is not dialog:
        chain.append(widget)
        widget = widget.nextInFocusChain()
    return chain


# Reset, files -------------------------------------------------------------------------------------------------------


def test_a_page_is_reset_to_its_defaults_and_no_other_is(make):
    setting = make(pool={"max_open_groups": 6}, queue={"limit": 7})
    setting.dialog.navigation.choose("pool")
    setting.dialog.reset.click()
    config = setting.dialog.editing.draft.config
    assert (config.pool.max_open_groups, config.queue.limit) == (10, 7)
    assert setting.row("pool.max_open_groups").input.text() == "10"


def test_a_backup_restores_to_the_same_bytes(make, tmp_path: Path):
    setting = make(pool={"max_open_groups": 6}, grid={"overrides": [{"match": {"side": "long"}}]})
    setting.desk.config_file.write_text(text_of(setting.desk.config))
    before = setting.desk.config_file.read_bytes()
    setting.dialog.back_up_to(tmp_path / "kept.json")
    assert (tmp_path / "kept.json").read_bytes() == before
    setting.type("pool.max_open_groups", "9")
    setting.apply()
    setting.until(lambda: setting.desk.applied)
    assert setting.desk.config_file.read_bytes() != before

    again = make(**Config.model_dump(setting.desk.config, mode="json"))
    again.dialog.restore_from(tmp_path / "kept.json")
    assert "kept.json is loaded" in again.dialog.notice.text.text()
    again.apply()
    again.until(lambda: again.desk.applied)
    assert again.desk.config_file.read_bytes() == before


def test_a_backup_that_cannot_be_used_changes_nothing(make, tmp_path: Path):
    setting = make()
    (tmp_path / "odd.json").write_text('{"pool": {"max_open_groups": 0}}')
    setting.dialog.restore_from(tmp_path / "odd.json")
    assert "pool.max_open_groups" in setting.dialog.notice.text.text()
    assert not setting.dialog.editing.draft.is_changed


def test_a_backup_that_cannot_be_written_is_said(make, tmp_path: Path):
    setting = make()
    setting.dialog.back_up_to(tmp_path / "nowhere" / "kept.json")
    assert "cannot be written" in setting.dialog.notice.text.text()


def test_a_file_that_was_edited_meanwhile_is_said_and_can_be_loaded(make):
    setting = make()
    setting.type("queue.limit", "7")
    setting.desk.edit = DiskEdit(config=config_of(pool={"max_open_groups": 3}), fault="")
    setting.desk.tell()
    notice = setting.dialog.notice
    assert "changed outside" in notice.text.text()
    assert setting.dialog.editing.draft.config.queue.limit == 7
    notice.choices[0].click()
    assert setting.dialog.editing.draft.config.pool.max_open_groups == 3


def test_a_file_that_was_spoilt_meanwhile_is_only_said(make):
    setting = make(edit=DiskEdit(config=None, fault="pool.max_open_groups: must be at least 1."))
    assert "cannot be used: pool.max_open_groups" in setting.dialog.notice.text.text()
    assert [choice.text() for choice in setting.dialog.notice.choices] == ["Keep what is here"]


def test_what_is_applied_elsewhere_is_what_runs_and_what_was_typed_stays(make):
    setting = make()
    setting.type("pool.max_open_groups", "6")
    setting.desk.config = config_of(pool={"max_open_groups": 6})
    setting.desk.tell()
    assert not setting.dialog.editing.draft.is_changed


# Apply --------------------------------------------------------------------------------------------------------------


def test_apply_hands_over_what_was_typed_and_closes(make):
    setting = make()
    assert not setting.dialog.apply.isEnabled()
    setting.type("pool.max_open_groups", "6")
    setting.apply()
    setting.until(lambda: not setting.dialog.isVisible())
    assert setting.desk.applied == [config_of(pool={"max_open_groups": 6})]
    assert setting.dialog.told.startswith("Applied")


def test_what_needs_a_new_start_is_said(make):
    setting = make()
    setting.dialog.editing.put(("app", "database_url"), "postgresql://me@db/exengine")
    setting.apply()
    setting.until(lambda: setting.dialog.told)
    assert "app.database_url takes effect with the next start" in setting.dialog.told


def test_an_apply_that_takes_its_time_shows_progress_and_cannot_be_left(make):
    setting = make()
    go_on = asyncio.Event()
    setting.desk.wait = go_on.wait
    setting.type("pool.max_open_groups", "6")
    setting.apply()
    setting.until(setting.dialog.progress.isVisible)
    assert setting.dialog.apply.text() == "Applying…"
    QTest.keyClick(setting.dialog, Qt.Key.Key_Escape)
    assert setting.dialog.isVisible()
    go_on.set()
    setting.until(lambda: not setting.dialog.isVisible())


def test_a_refusal_is_shown_at_its_field(make):
    setting = make()
    place = ("listener", "port")
    setting.desk.fails_with = ConfigError(
        "This cannot be applied:", problems=[Problem(place=place, message="is taken by another program")],
        safe="Nothing was changed.", remedy="Choose another.",
    )  # fmt: skip
    setting.dialog.editing.put(place, 9000)
    setting.apply()
    setting.until(setting.dialog.notice.isVisible)
    assert "Nothing was changed. Choose another." in setting.dialog.notice.text.text()
    assert setting.dialog.navigation.current == "listener"
    assert setting.row("listener.port").fault.text() == "Is taken by another program."
    assert setting.desk.applied == []
    setting.desk.fails_with = None
    setting.type("listener.port", "9001")
    setting.apply()
    setting.until(lambda: setting.desk.applied)


def test_what_failed_on_its_way_is_said_with_what_is_safe(make):
    setting = make()
    setting.desk.fails_with = UserError("The store took nothing.", safe="The old settings run.", remedy="Try again.")
    setting.type("pool.max_open_groups", "6")
    setting.apply()
    setting.until(setting.dialog.notice.isVisible)
    assert setting.dialog.notice.text.text() == "The store took nothing. The old settings run. Try again."
    assert setting.dialog.apply.isEnabled()


def test_going_live_wants_the_typed_word(make):
    setting = make(accounts=[LIVE | {"testnet": True}], sizing={"amount": "2500"}, pool={"max_open_groups": 6})
    setting.dialog.editing.put(("accounts", 0, "testnet"), False)
    setting.apply()
    sheet = setting.sheet(GoLiveSheet)
    assert sheet.heading.text() == "Trade real money on main?"
    assert "12,500.00" in sheet.meaning.accessibleName()
    assert "6 groups" in sheet.meaning.accessibleName()
    assert not sheet.action.isEnabled()
    sheet.word.setText("live")
    assert not sheet.action.isEnabled()
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    setting.until(lambda: not setting.dialog.findChildren(GoLiveSheet) or not sheet_is_open(setting))
    assert setting.desk.applied == []
    setting.apply()
    sheet = setting.sheet(GoLiveSheet)
    sheet.word.setText("LIVE")
    sheet.action.click()
    setting.until(lambda: setting.desk.applied)


def sheet_is_open(setting: Setting) -> bool:
    return any(sheet.isVisible() for sheet in setting.dialog.findChildren(GoLiveSheet))


def test_the_address_of_a_notification_is_kept_with_the_secrets(make):
    setting = make()
    setting.dialog.navigation.choose("notifications")
    editor = setting.dialog.current.parts[0]
    editor.add.click()
    line = editor.notices[0].url
    assert line.echoMode() is QLineEdit.EchoMode.Password
    QTest.keyClicks(line, "tgram://bottoken/chat")
    setting.apply()
    setting.until(lambda: setting.desk.applied)
    name, url = next(iter(setting.keys.secrets.items()))
    assert url == "tgram://bottoken/chat"
    assert setting.desk.applied[0].notifications[0].url == f"secret:{name}"
    assert "bottoken" not in setting.desk.config_file.read_text()


def test_read_only_settings_are_locked_until_the_box_is_unticked(make):
    setting = make(security={"read_only": True})
    assert not setting.row("pool.max_open_groups").input.isEnabled()
    assert not setting.dialog.reset.isEnabled()
    setting.dialog.read_only.click()
    assert setting.row("pool.max_open_groups").input.isEnabled()
    setting.apply()
    setting.until(lambda: setting.desk.applied)
    assert setting.desk.applied[0].security.read_only is False


# Accounts -----------------------------------------------------------------------------------------------------------


def accounts(setting: Setting) -> AccountsEditor:
    setting.dialog.navigation.choose("accounts")
    editor = setting.dialog.current.parts[0]
    assert isinstance(editor, AccountsEditor)
    return editor


def test_keys_are_shown_by_their_last_characters_only(make):
    setting = make(accounts=[LIVE])
    setting.keys.kept["main"] = KEYS
    setting.loop.run_until_complete(setting.dialog.look_for_keys())
    assert accounts(setting).keys.text() == "****B19K in the keyring"


def test_new_keys_are_kept_with_apply_and_their_account_is_connected_anew(make):
    setting = make(accounts=[LIVE | {"testnet": True}])
    editor = accounts(setting)
    editor.give.click()
    sheet = editor.findChild(Sheet, "account_keys")
    for line, text in ((sheet.api_key, KEYS.api_key), (sheet.secret, KEYS.secret)):
        assert line.echoMode() is QLineEdit.EchoMode.Password
        QTest.keyClicks(line, text.replace(" ", "-"))
    sheet.action.click()
    assert editor.keys.text() == "****B19K, kept with Apply"
    assert setting.keys.kept == {}
    setting.apply()
    setting.until(lambda: setting.desk.applied)
    assert setting.keys.kept["main"].api_key == KEYS.api_key
    assert setting.desk.anew == ("main",)


def test_a_key_with_a_blank_in_it_is_not_taken(make):
    setting = make(accounts=[LIVE])
    editor = accounts(setting)
    editor.give.click()
    sheet = editor.findChild(Sheet, "account_keys")
    sheet.api_key.setText("two words")
    sheet.secret.setText("secret")
    assert not sheet.action.isEnabled()
    sheet.api_key.setText("word")
    assert sheet.action.isEnabled()
    sheet.reject()
    assert setting.dialog.safe.held == {}


def test_where_no_place_for_secrets_is_open_a_vault_is_made(make):
    setting = make(accounts=[LIVE | {"testnet": True}])
    setting.keys.why_closed = "the system has no keyring"
    setting.dialog.safe.hold("main", KEYS)
    setting.dialog.refresh()
    setting.apply()
    sheet = setting.sheet(VaultSheet)
    assert "the system has no keyring" in sheet.meaning.accessibleName()
    sheet.passphrase.setText("long enough it is")
    assert not sheet.action.isEnabled()
    sheet.again.setText("long enough it is")
    sheet.action.click()
    setting.until(lambda: setting.desk.applied)
    assert setting.keys.passphrase == "long enough it is"
    assert "main" in setting.keys.kept


def test_a_test_of_an_account_is_told_line_by_line_and_warns_of_withdrawing(make):
    setting = make(accounts=[LIVE])
    setting.keys.hold = asyncio.Event()
    editor = accounts(setting)

    async def press() -> None:
        editor.try_it.click()

    setting.loop.run_until_complete(press())
    setting.until(lambda: len(editor.test.findings) == 1)
    assert editor.test.is_running
    setting.keys.hold.set()
    setting.until(lambda: not editor.test.is_running)
    assert [line[:1] for line in editor.test.findings] == ["✓", "✓", "✓", "✓", "✗"]
    assert editor.test.state.text() == "main cannot be traded on yet."
    assert any("WARNING: it may withdraw" in line for line in editor.test.findings)


def test_a_test_can_be_broken_off(make):
    setting = make(accounts=[LIVE])
    setting.keys.hold = asyncio.Event()
    editor = accounts(setting)

    async def press() -> None:
        editor.try_it.click()

    setting.loop.run_until_complete(press())
    setting.until(lambda: editor.test.findings)
    editor.test.stop.click()
    setting.until(lambda: not editor.test.is_running)
    assert editor.test.state.text() == "The test was broken off."


def test_removing_an_account_says_what_is_open_there_and_deletes_its_keys_with_apply(make):
    setting = make(held=(2, 7), accounts=[LIVE | {"testnet": True}, {"name": "paper", "exchange": "paper"}])
    setting.keys.kept["main"] = KEYS
    editor = accounts(setting)
    editor.remove.click()
    sheet = editor.findChild(RemoveAccountSheet)
    said = sheet.meaning.accessibleName()
    assert "2 groups are open there, with 7 resting orders" in said
    assert "keys are deleted" in said
    sheet.action.click()
    assert "main" in setting.keys.kept
    setting.apply()
    setting.until(lambda: not setting.dialog.isVisible())
    assert [account.name for account in setting.desk.applied[0].accounts] == ["paper"]
    assert setting.keys.kept == {}


def test_an_account_is_added_on_paper_with_its_own_capital(make):
    setting = make()
    editor = accounts(setting)
    editor.add.click()
    line = editor.row("balances").input
    QTest.keyClicks(line, "2500 USDC")
    account = setting.dialog.editing.draft.config.accounts[0]
    assert (account.name, account.balances) == ("account1", {"USDC": Decimal(2500)})


# Overrides ----------------------------------------------------------------------------------------------------------


def test_overrides_are_added_moved_and_unset(make):
    setting = make()
    button = setting.dialog.page("grid").parts[0]
    assert button.button.text() == "Overrides: 0…"
    sheet = button.open_sheet()
    sheet.add.click()
    sheet.what.setCurrentText("Sizing: amount")
    sheet.set_it.click()
    sheet.add.click()
    draft = setting.dialog.editing.draft
    assert draft.get(("grid", "overrides")) == [{"match": {}, "sizing": {"amount": "100"}}, {"match": {}}]
    sheet.up.click()
    assert draft.get(("grid", "overrides", 1, "sizing", "amount")) == "100"
    assert button.button.text() == "Overrides: 2…"
    assert sheet.table.openers[1].text() == "Amount 100"
    sheet.choose(1)
    sheet.rows[0][0].findChild(IconButton).click()
    assert draft.get(("grid", "overrides")) == [{"match": {}}, {"match": {}}]
    sheet.reject()
