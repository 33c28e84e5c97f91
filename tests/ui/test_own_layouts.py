"""Layouts of the trader's own: kept under a name, switched to, renamed, forgotten, and there after a restart."""

import pytest
from PySide6.QtCore import Qt

from exengine.ui.layout import LayoutStore
from tests.ui.conftest import Stage


def closed(stage: Stage) -> None:
    stage.window.save_layout()
    stage.bridge.close()
    stage.window.hide()
    stage.window.deleteLater()
    stage.settle()


def saved(stage: Stage, name: str) -> None:
    """By the menu, as the trader does it."""
    stage.window.registry.run("save_layout")
    sheet = stage.window.clicks.sheet
    sheet.field.setText(name)
    sheet.action.click()
    stage.settle()


def night(stage: Stage) -> None:
    window = stage.window
    window.capital.close()
    window.status.close()
    window.tabifyDockWidget(window.risk, window.queue)
    stage.settle()
    saved(stage, "Night")


def is_night(stage: Stage) -> bool:
    window = stage.window
    together = window.queue in window.tabifiedDockWidgets(window.risk)
    return together and window.capital.isHidden() and window.status.isHidden() and not window.log.isHidden()


def test_a_layout_is_saved_left_and_come_back_to_by_its_key(stage, qtbot):
    night(stage)
    window = stage.window
    assert window.registry.actions["own_layout_1"].text() == "Night layout"
    assert window.registry.actions["own_layout_1"].shortcut().toString() == "Ctrl+3"
    window.put_layout("trade")
    stage.settle()
    assert not window.capital.isHidden()
    assert window.layout_switch.current == "trade"
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.go_to(window.positions)
    stage.settle()
    qtbot.keyClick(window.positions.focus_target(), Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    stage.settle()
    assert is_night(stage)
    assert window.layout_switch.current is None


def test_own_layouts_and_the_one_in_force_are_there_after_a_restart_and_a_reset(stage, look, tmp_path):
    night(stage)
    stage.window.save_layout()
    again = Stage(look, tmp_path).show()
    assert is_night(again)
    assert again.window.own_layouts.current.name == "Night"
    assert again.window.layout_switch.current is None
    again.window.reset_layout()
    again.settle()
    assert not again.window.capital.isHidden()
    assert again.window.layout_switch.current == "trade"
    again.window.registry.run("own_layout_1")
    again.settle()
    assert is_night(again)
    closed(again)


def test_a_dock_that_a_kept_layout_did_not_know_stands_where_the_stock_layout_has_it(stage):
    night(stage)
    docks = [name for name in stage.layouts.texts("layouts/1/docks") if name != "capital"]
    stage.layouts.save("layouts/1/docks", docks)
    stage.window.put_layout("trade")
    stage.settle()
    stage.window.registry.run("own_layout_1")
    stage.settle()
    assert not stage.window.capital.isHidden()
    assert stage.window.status.isHidden()


def test_a_name_is_given_once_whatever_its_case_and_no_stock_name_is_taken(stage):
    night(stage)
    judge = stage.window.registry
    judge.run("save_layout")
    sheet = stage.window.clicks.sheet
    for name, possible, words in (
        ("night", True, "Takes the place of “Night”."),
        ("Trade", False, "“Trade” is one of the program’s own layouts. Choose another name."),
        ("   ", False, "Float, tab, close and size the docks first; this keeps it."),
        ("Morning", True, ""),
    ):
        sheet.field.setText(name)
        assert (sheet.action.isEnabled(), sheet.says.text()) == (possible, words)
    sheet.field.setText("night")
    sheet.action.click()
    assert [one.name for one in stage.window.own_layouts.all] == ["night"]


def test_a_layout_is_renamed_and_deleted(stage):
    night(stage)
    window = stage.window
    window.registry.run("rename_layout")
    window.clicks.sheet.field.setText("Late")
    window.clicks.sheet.action.click()
    assert window.registry.actions["own_layout_1"].text() == "Late layout"
    window.registry.run("delete_layout")
    window.clicks.sheet.action.click()
    assert "own_layout_1" not in window.registry.actions
    assert window.registry.actions["delete_layout"].toolTip() == "Switch to a layout of your own first"
    assert LayoutStore(stage.folder / "layout.ini").state("layouts/1/state") is None


def test_a_deleted_layout_s_key_goes_to_the_next_one(stage):
    for name in ("One", "Two"):
        saved(stage, name)
    stage.window.own_layouts.switch_to(stage.window.own_layouts.all[0])
    stage.window.registry.run("delete_layout")
    stage.window.clicks.sheet.action.click()
    assert stage.window.registry.actions["own_layout_2"].shortcut().toString() == "Ctrl+3"


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_takes_a_name_that_was_typed_and_escape_does_not(stage, qtbot, key):
    stage.window.registry.run("save_layout")
    sheet = stage.window.clicks.sheet
    qtbot.keyClicks(sheet.field, "Mine")
    qtbot.keyClick(sheet.field, key)
    assert [one.name for one in stage.window.own_layouts.all] == ["Mine"]
    stage.window.registry.run("save_layout")
    qtbot.keyClick(stage.window.clicks.sheet.field, Qt.Key.Key_Escape)
    assert [one.name for one in stage.window.own_layouts.all] == ["Mine"]
