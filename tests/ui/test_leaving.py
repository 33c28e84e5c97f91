"""Closing the window: asked only where something lives, and never the end of what rests on the exchange."""

import asyncio

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication

from exengine.engine.rows import Mode
from exengine.ui.sheet import Sheet
from tests.ui import rows
from tests.ui.conftest import Stage


def do(on_loop, act) -> None:
    async def main() -> None:
        act()
        await asyncio.sleep(0.005)

    on_loop.run_until_complete(main())


@pytest.fixture
def with_tray(stage, monkeypatch):
    """As on a desktop that has a tray; the platform of the tests has none."""
    monkeypatch.setattr(type(stage.window.tray), "is_there", property(lambda tray: True))
    return stage


def test_nothing_lives_and_nothing_is_asked(stage, on_loop):
    stage.put(rows.changes(engine=rows.empty_engine()))
    do(on_loop, stage.window.close)
    assert stage.closed == ["closed"]


def test_with_live_groups_it_says_what_goes_on_and_what_does_not(stage, on_loop):
    stage.put_sample()
    do(on_loop, stage.window.close)
    sheet = stage.window.clicks.sheet
    assert sheet.heading.text() == "Quit while 6 groups are open?"
    assert sheet.meaning.accessibleName() == (
        "The paper market stands still, and goes on from there at the next start. "
        "Until then no alert is taken, and watched targets, stops, the queue and the risk engine do nothing."
    )
    assert stage.closed == []
    do(on_loop, sheet.quit.click)
    assert stage.closed == ["closed"]


def test_orders_that_rest_on_an_exchange_stay_there(look, tmp_path, qtbot, on_loop):
    live = Stage(look, tmp_path, Mode.LIVE).show()
    groups = [rows.replace(row, account="main") for row in rows.sample_groups()]
    live.put(rows.changes(groups, engine=rows.engine(mode=Mode.LIVE)))
    do(on_loop, live.window.close)
    sheet = live.window.clicks.sheet
    assert sheet.meaning.accessibleName().startswith("27 orders stay on the exchange and may fill there;")
    assert sheet.quit.property("kind") == "danger"
    sheet.reject()
    groups[0] = rows.replace(groups[0], account="perp")
    live.put(rows.changes(groups))
    do(on_loop, live.window.close)
    assert live.window.clicks.sheet.meaning.accessibleName().startswith("27 orders stay on the exchanges and may fill")
    live.window.clicks.sheet.reject()
    live.bridge.close()
    live.window.hide()
    live.window.deleteLater()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_enter_and_escape_stay(stage, on_loop, qtbot, key):
    stage.put_sample()
    do(on_loop, stage.window.close)
    qtbot.keyClick(stage.window.clicks.sheet.focusWidget(), key)
    assert stage.closed == []
    assert stage.window.isVisible()


def test_a_signal_of_the_system_asks_nothing(stage, on_loop):
    stage.put_sample()
    do(on_loop, stage.window.stop)
    assert stage.closed == ["closed"]


def test_without_a_tray_nothing_offers_one(stage, on_loop):
    stage.put_sample()
    assert stage.window.registry.actions["close_to_tray"].toolTip() == "This desktop has no tray"
    do(on_loop, stage.window.close)
    assert not stage.window.clicks.sheet.tray.isVisible()
    stage.window.clicks.sheet.reject()


def test_in_the_tray_the_engine_goes_on_and_errors_are_told_once(with_tray, on_loop, qtbot):
    stage = with_tray
    stage.put_sample()
    do(on_loop, stage.window.close)
    stage.window.clicks.sheet.tray.click()
    assert stage.closed == []
    assert not stage.window.isVisible()
    told = []
    stage.window.tray.shown.connect(lambda title, text: told.append((title, text)))
    stage.window.tray._timer.setInterval(10)
    stage.bridge.keep_up_hidden(1)
    errors = [row for row in rows.sample_log(errors=3) if row.severity.value == "error"]
    with qtbot.waitSignal(stage.window.tray.shown):
        stage.feed.put(rows.changes(log=tuple(errors)))
    ((title, text),) = told
    assert title == f"ExEngine: {len(errors)} errors"
    assert text.endswith(f"And {len(errors) - 1} more.")
    stage.window.come_back()
    assert stage.window.isVisible()
    assert stage.window.strip.count == len(errors)


def test_a_dialog_goes_into_the_tray_with_the_window_and_comes_back_with_it(with_tray, on_loop):
    stage = with_tray
    stage.put_sample()
    stage.window.clicks.ask_close("paper|SOL/USDT|1h#1")
    under = stage.window.clicks.sheet
    do(on_loop, stage.window.leaving.ask_quit)
    stage.window.clicks.sheet.tray.click()
    stage.settle()
    assert not stage.window.isVisible()
    assert not under.isVisible()
    stage.window.come_back()
    assert under.isVisible()
    assert stage.window.clicks.sheet is under
    under.reject()
    assert stage.window.clicks.sheet is None


def test_what_the_window_shows_the_tray_does_not_repeat(stage):
    stage.put_sample()
    stage.window.activateWindow()
    stage.settle()
    assert stage.window.tray.in_front
    stage.put(rows.changes(log=rows.sample_log(errors=2)))
    assert not stage.window.tray._timer.isActive()


def test_closing_goes_into_the_tray_where_that_was_chosen_and_quit_still_quits(with_tray, on_loop):
    stage = with_tray
    stage.put(rows.changes(engine=rows.empty_engine()))
    stage.window.registry.actions["close_to_tray"].trigger()
    assert stage.window.registry.actions["close_to_tray"].isChecked()
    do(on_loop, stage.window.close)
    assert stage.closed == []
    assert not stage.window.isVisible()
    do(on_loop, lambda: stage.window.registry.run("quit"))
    assert stage.closed == ["closed"]


def test_the_question_comes_over_another_one_and_leaves_that_as_it_was(stage, on_loop):
    stage.put_sample()
    stage.window.clicks.ask_close("paper|SOL/USDT|1h#1")
    first = stage.window.clicks.sheet
    do(on_loop, stage.window.leaving.ask_quit)
    asked = stage.window.clicks.sheet
    assert (asked.objectName(), asked.isVisible(), first.isVisible()) == ("leave_sheet", True, True)
    assert QApplication.activeModalWidget() is asked
    do(on_loop, stage.window.leaving.ask_quit)
    assert stage.window.clicks.sheet is asked
    asked.reject()
    assert stage.window.clicks.sheet is first
    stage.put(rows.changes(gone=("paper|SOL/USDT|1h#1",)))
    assert not first.action.isEnabled()
    first.reject()
    assert stage.window.clicks.sheet is None


def test_it_is_there_still_when_the_dialog_under_it_ends_by_itself(stage, on_loop):
    stage.put_sample()
    under = Sheet(stage.look, stage.window.icons, stage.window, name="under", title="Applying")
    under.add_heading("Applying the settings")
    under.add_cancel()
    under.open()
    do(on_loop, stage.window.leaving.ask_quit)
    under.accept()
    stage.settle()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    asked = stage.window.clicks.sheet
    assert asked.isVisible()
    assert stage.closed == []
    do(on_loop, asked.quit.click)
    assert stage.closed == ["closed"]


@pytest.mark.parametrize("away", ["hide", "showMinimized"])
def test_it_brings_back_a_window_that_is_out_of_sight(stage, on_loop, away):
    stage.put_sample()
    getattr(stage.window, away)()
    do(on_loop, stage.window.tray.quit_asked.emit)
    assert stage.window.isVisible()
    assert not stage.window.isMinimized()
    assert stage.window.clicks.sheet.isVisible()
    stage.window.clicks.sheet.reject()
    stage.window.leaving.why_not_stop = lambda: "Only the owner may close ExEngine."
    getattr(stage.window, away)()
    do(on_loop, stage.window.tray.quit_asked.emit)
    assert stage.window.isVisible()
    assert [toast.text for toast in stage.window.toasts.shown()][-1:] == ["Only the owner may close ExEngine."]
