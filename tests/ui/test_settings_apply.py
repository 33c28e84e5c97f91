"""The settings dialog's Apply, with all that may come between."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from exengine.domain.errors import UserError
from exengine.settings.consequences import AT_NEXT_START
from exengine.settings.problems import ConfigError, Problem
from exengine.ui.settings_questions import GoLiveSheet
from exengine.ui.settings_safe import UNTESTED
from tests.ui.settings_desk import FIT, config_of
from tests.ui.settings_stage import LIVE, Setting
from tests.ui.settings_stage import make as make


def test_apply_hands_over_what_was_typed_and_closes(make):
    setting = make()
    assert not setting.dialog.apply.isEnabled()
    setting.type("pool.max_open_groups", "6")
    setting.apply()
    setting.until(lambda: not setting.dialog.isVisible())
    assert setting.desk.applied == [config_of(pool={"max_open_groups": 6})]
    assert setting.dialog.told.startswith("Applied")


@pytest.mark.parametrize(
    ("name", "value"), [("database_url", "postgresql://me@db/exengine"), ("data_dir", str(Path.home()))]
)
def test_what_needs_a_new_start_is_said_before_and_after(make, name, value):
    assert f"app.{name}" in AT_NEXT_START
    setting = make()
    setting.dialog.editing.put(("app", name), value)
    setting.dialog.preview.refresh()
    assert any("next start" in told.text for told in setting.dialog.preview.told)
    setting.apply()
    setting.until(lambda: setting.dialog.told)
    assert f"app.{name} takes effect with the next start" in setting.dialog.told


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
    assert "Listener, Port is taken by another program. Nothing was changed." in setting.dialog.notice.text.text()
    assert setting.dialog.navigation.current == "listener"
    assert setting.row("listener.port").fault.text() == "Is taken by another program."
    told = [one.text for one in setting.dialog.preview.told]
    assert not any("9000" in text for text in told), f"what was refused is announced: {told}"
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
    assert "12,500.00 of the pair’s quote coin a group" in sheet.meaning.accessibleName()
    assert "6 groups: 75,000.00 in all" in sheet.meaning.accessibleName()
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


def test_going_live_repeats_what_the_last_test_found_wrong(make):
    setting = make(accounts=[LIVE | {"testnet": True}])
    setting.dialog.editing.put(("accounts", 0, "testnet"), False)
    setting.dialog.navigation.choose("accounts")
    editor = setting.dialog.current.parts[0]
    setting.press(editor.try_it)
    setting.until(lambda: editor.test.findings and not editor.test.is_running)
    setting.apply()
    sheet = setting.sheet(GoLiveSheet)
    assert [(remark.token, remark.text()) for remark in sheet.doubts] == [
        ("error", "By its last test it cannot be traded on yet."),
        ("warn", FIT[2].text[:1].upper() + FIT[2].text[1:] + "."),
        ("error", "Own orders do not come by stream."),
    ]
    sheet.reject()
    setting.dialog.editing.put(("accounts", 0, "exchange"), "bybit")
    setting.apply()
    setting.until(lambda: setting.dialog.findChildren(GoLiveSheet))
    sheet = setting.sheet(GoLiveSheet)
    assert [(remark.token, remark.text()) for remark in sheet.doubts] == [UNTESTED], "another exchange was tried"
    sheet.word.setText("LIVE")
    sheet.action.click()
    setting.until(lambda: setting.desk.applied)


def test_going_live_names_the_most_that_an_override_can_make_of_a_group(make):
    small = {"match": {"symbol": "*/USDC"}, "sizing": {"amount": "100"}, "grid": {"pyramid_multipliers": ["0.5"]}}
    large = {"match": {"account": "main"}, "sizing": {"amount": "3000"}, "grid": {"max_pyramids": 7}}
    part = {"match": {"timeframe": "1h"}, "sizing": {"mode": "percent_equity", "amount": "2"}}
    setting = make(
        accounts=[LIVE | {"testnet": True}], sizing={"amount": "2500"}, grid={"overrides": [small, large, part]}
    )
    setting.dialog.editing.put(("accounts", 0, "testnet"), False)
    setting.apply()
    said = setting.sheet(GoLiveSheet).meaning.accessibleName()
    assert "up to 21,000.00 of the pair’s quote coin or 14 % of the equity a group" in said


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


def test_a_test_notice_goes_to_what_is_typed_and_what_became_of_it_is_said_there(make):
    setting = make()
    setting.dialog.navigation.choose("notifications")
    editor = setting.dialog.current.parts[0]
    editor.add.click()
    notice = editor.notices[0]
    assert not notice.test.isEnabled()
    QTest.keyClicks(notice.url, "tgram://bottoken/chat")
    setting.press(notice.test)
    setting.until(lambda: notice.told.text() == "Sent to Telegram.")
    assert setting.keys.notices_sent == ["tgram://bottoken/chat"]
    assert setting.desk.applied == []
    notice.url.clear()
    QTest.keyClicks(notice.url, "nosuch://one")
    assert notice.told.text() == ""
    setting.press(notice.test)
    setting.until(lambda: notice.told.text() == "It is no address of a service. Enter it again.")
    setting.dialog.editing.lock("Read-only.")
    assert not notice.test.isEnabled()


def test_read_only_settings_are_locked_until_the_box_is_unticked(make):
    setting = make(security={"read_only": True})
    assert not setting.row("pool.max_open_groups").input.isEnabled()
    assert not setting.dialog.reset.isEnabled()
    setting.dialog.read_only.click()
    assert setting.row("pool.max_open_groups").input.isEnabled()
    setting.apply()
    setting.until(lambda: setting.desk.applied)
    assert setting.desk.applied[0].security.read_only is False
