"""The settings dialog's accounts: keys kept and forgotten, tests, what removing one means."""

import asyncio
from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from exengine.engine.rows import Mode
from exengine.settings.account_keys import AccountKeys
from exengine.ui.settings_accounts import AccountsEditor
from exengine.ui.settings_questions import RemoveAccountSheet, VaultSheet
from exengine.ui.sheet import Sheet
from tests.ui.settings_stage import LIVE, Setting
from tests.ui.settings_stage import make as make

KEYS = AccountKeys(api_key="abcdefghijklB19K", secret="the secret part")


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
    assert sheet.heading.text() == "Keys of main at Binance"
    assert sheet.mode is Mode.TESTNET
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
    assert sheet.meaning.accessibleName().startswith("The system has no keyring. An encrypted file")
    sheet.passphrase.setText("long enough it is")
    QTest.keyClick(sheet.passphrase, Qt.Key.Key_Return)
    assert sheet.isVisible(), "the second line is empty: Enter does nothing yet, and loses nothing"
    sheet.again.setText("long enough it is")
    QTest.keyClick(sheet.again, Qt.Key.Key_Return)
    setting.until(lambda: setting.desk.applied)
    assert setting.keys.passphrase == "long enough it is"
    assert "main" in setting.keys.kept


def test_a_test_of_an_account_is_told_line_by_line_and_warns_of_withdrawing(make):
    setting = make(accounts=[LIVE])
    setting.keys.hold = asyncio.Event()
    editor = accounts(setting)
    setting.press(editor.try_it)
    setting.until(lambda: len(editor.test.findings) == 1)
    assert editor.test.is_running
    setting.keys.hold.set()
    setting.until(lambda: not editor.test.is_running)
    assert [line[:1] for line in editor.test.findings] == ["✓", "✓", "✓", "✓", "✗"]
    assert editor.test.state.text() == "main cannot be traded on yet."
    assert any("The key may withdraw" in line for line in editor.test.findings)


def test_a_test_can_be_broken_off(make):
    setting = make(accounts=[LIVE])
    setting.keys.hold = asyncio.Event()
    editor = accounts(setting)
    setting.press(editor.try_it)
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
