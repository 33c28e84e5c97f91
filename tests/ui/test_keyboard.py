"""By keyboard alone: every action, every dock and back out of it, the menu of every row, every question."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QWidget

from exengine.engine.panel_rows import PlanView
from exengine.ui.dock_walk import DockWalk
from exengine.ui.pieces import IconButton
from exengine.ui.sheet import Sheet
from exengine.ui.table import Table
from exengine.ui.tunnel_entry import TunnelEntry
from tests.helpers.program import ROOT
from tests.ui import panels, rows
from tests.ui.test_access import can_be_tabbed_to, filled
from tests.ui.way_in import WayIn

SOL = "paper|SOL/USDT|1h#1"


def has_keyboard(widget: QWidget) -> bool:
    focused = QApplication.focusWidget()
    return focused is not None and (focused is widget or widget.isAncestorOf(focused))


# Actions


def test_every_action_stands_in_a_menu_or_is_found_by_its_words(stage, qtbot):
    filled(stage)
    registry, menus, finder = stage.window.registry, stage.window.menus, stage.window.finder
    finder.open()
    offered = {entry.text for entry in finder.model.entries}
    assert len(registry.specs) > 60
    for action in registry.specs:
        in_menu = bool(action.menu) and registry.actions[action.id] in menus.menu(action.menu).actions()
        text = registry.text(action)
        in_palette = any(text in one for one in offered)
        assert in_palette or action.id == "palette", action.id
        assert in_menu or not action.menu, action.id
    finder.close_again()


def test_every_menu_of_the_bar_has_a_letter_of_its_own(stage):
    titles = [action.text() for action in stage.window.menus.menu("File").parent().actions()]
    letters = [title[title.index("&") + 1].lower() for title in titles]
    assert len(titles) == 6
    assert len(set(letters)) == len(letters)


def test_no_key_means_two_things_where_the_keyboard_can_be(stage):
    registry = stage.window.registry
    for dock in stage.window.docks:
        keys = [action.key for action in registry.specs if action.key and action.where in ("", dock.objectName())]
        assert len(keys) == len(set(keys)), dock.objectName()


# Docks


def test_every_dock_is_come_to_by_its_key_and_left_again(stage, qtbot):
    filled(stage)
    window = stage.window
    window.activateWindow()
    for place, dock in enumerate(window.docks, 1):
        qtbot.keyClick(window.focusWidget() or window, getattr(Qt.Key, f"Key_{place}"), Qt.KeyboardModifier.AltModifier)
        stage.settle()
        assert has_keyboard(dock), dock.objectName()
        for step, back in ((Qt.KeyboardModifier.NoModifier, 1), (Qt.KeyboardModifier.ShiftModifier, -1)):
            window.go_to(dock)
            qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6, step)
            assert not has_keyboard(dock), (dock.objectName(), back)
        window.go_to(dock)
        for _ in range(60):
            if not has_keyboard(dock):
                break
            assert DockWalk.focusNextPrevChild(window, True)
        assert not has_keyboard(dock), dock.objectName()


def test_f6_goes_round_all_that_can_be_seen(stage, qtbot):
    filled(stage)
    window = stage.window
    window.activateWindow()
    seen = {dock for dock in window.docks if not dock.visibleRegion().isEmpty()}
    window.go_to(window.positions)
    come_to = set()
    for _ in range(len(seen)):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_F6)
        come_to |= {dock for dock in seen if has_keyboard(dock)}
    assert come_to == seen
    assert has_keyboard(window.positions)


def tables(stage) -> list[Table]:
    return [table for table in stage.window.findChildren(Table) if table.cells.rowCount()]


def popped(qtbot) -> QMenu:
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    return QApplication.activePopupWidget()


def menu_key(table: Table) -> None:
    """What the platform makes of the Menu key; the one without a screen makes nothing of it."""
    at = table.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle).center()
    by_key = QContextMenuEvent.Reason.Keyboard
    QApplication.sendEvent(table, QContextMenuEvent(by_key, at, table.viewport().mapToGlobal(at)))


ABOUT_ROWS = ("positions", "queue", "risk")
"""The first thing that their menus offer names the row that it is done with."""


@pytest.mark.qt_log_ignore("This plugin does not support grabbing the keyboard")
@pytest.mark.parametrize("dock", ["positions", "queue", "signals", "log", "status", "risk", "capital"])
def test_the_menu_of_a_row_comes_by_the_menu_key_and_by_shift_f10(stage, qtbot, dock):
    filled(stage)
    window = stage.window
    window.activateWindow()
    window.go_to(getattr(window, dock))
    stage.settle()
    there = [table for table in tables(stage) if getattr(window, dock).isAncestorOf(table) and table.isVisible()]
    assert there
    for table in there:
        table.setFocus()
        row = min(1, table.cells.rowCount() - 1)
        table.setCurrentIndex(table.cells.index(row, 0))
        name = table.cells.index(row, 2 if dock == "queue" else 0).data().split()[0]
        for press in (
            lambda table=table: menu_key(table),
            lambda table=table: qtbot.keyClick(table, Qt.Key.Key_F10, Qt.KeyboardModifier.ShiftModifier),
        ):
            press()
            menu = popped(qtbot)
            offered = [action.text() for action in menu.actions() if action.text()]
            assert any(text.startswith("Copy") for text in offered), table.objectName()
            assert offered[-1] == "Columns", table.objectName()
            assert dock not in ABOUT_ROWS or table is not there[0] or name in offered[0], (name, offered[0])
            menu.close()
            stage.settle()


def test_a_table_is_sorted_from_that_menu(stage, qtbot):
    filled(stage)
    table = stage.window.queue.table
    stage.window.go_to(stage.window.queue)
    before = [row.symbol for row in stage.window.queue.model.rows()]
    menu = table.menu_at(QPoint(0, 0))
    (order,) = [action.menu() for action in menu.actions() if action.text() == "Sort by"]
    (entry,) = [action for action in order.actions() if action.text() == "Entry"]
    entry.trigger()
    assert [row.symbol for row in stage.window.queue.model.rows()] != before
    assert stage.window.queue.model.rows()[0].price == max(row.price for row in stage.window.queue.model.rows())
    menu.deleteLater()
    # Nobody sorts what stands in an order of its own.
    facts = stage.window.status.fact_table.menu_at(QPoint(0, 0))
    assert "Sort by" not in [action.text() for action in facts.actions()]
    facts.deleteLater()


# Buttons


def test_a_button_without_a_word_has_a_name_and_a_tooltip(stage):
    filled(stage)
    for button in stage.window.findChildren(QAbstractButton):
        if isinstance(button, IconButton) or (not button.text() and button.objectName()[:3] != "qt_"):
            name = button.accessibleName() or button.toolTip()
            assert name or not button.isVisible(), (type(button), button.parent(), button.objectName())
            if isinstance(button, IconButton):
                assert button.accessibleName(), button.parent()
                assert button.toolTip(), button.accessibleName()


def test_panic_is_held_by_the_space_bar_and_let_go_of_early_it_does_nothing(stage, qtbot):
    filled(stage)
    window = stage.window
    window.activateWindow()
    panic = window.ribbon.panic
    panic.setFocus()
    qtbot.keyPress(panic, Qt.Key.Key_Space)
    panic._fill.setCurrentTime(900)
    qtbot.keyRelease(panic, Qt.Key.Key_Space)
    assert window.clicks.sheet is None
    qtbot.keyPress(panic, Qt.Key.Key_Space)
    with qtbot.waitSignal(panic.held):
        panic._fill.setCurrentTime(1000)
    assert window.clicks.sheet.objectName() == "panic_sheet"
    window.clicks.sheet.reject()


# Questions


def run_plan(stage) -> None:
    plan: PlanView = panels.plan()
    row = next(row for row in panels.sample_risk() if row.id == plan.loser_id)
    stage.window.clicks.ask_run(row, plan)


def tunnel(stage) -> None:
    if "tunnel" not in stage.window.registry.actions:
        TunnelEntry(stage.window, WayIn(stage.folder).desk)
    stage.window.registry.run("tunnel")


def adopt(stage) -> None:
    sol = next(row for row in rows.sample_groups() if row.id == SOL)
    stage.put(rows.changes([replace(sol, error="the account holds 10.2 SOL", missing_qty=rows.D("6.764"))]))
    stage.window.clicks.ask_adopt(SOL)


QUESTIONS: dict[str, Callable] = {
    "panic_sheet": lambda stage: stage.window.clicks.ask_panic(),
    "close_sheet": lambda stage: stage.window.clicks.ask_close(SOL),
    "part_sheet": lambda stage: stage.window.clicks.ask_part(SOL),
    "stop_sheet": lambda stage: stage.window.clicks.ask_stop(SOL),
    "again_sheet": lambda stage: stage.window.clicks.ask_again("paper|DOGE/USDT|15m#1"),
    "adopt_sheet": adopt,
    "force_sheet": lambda stage: stage.window.clicks.ask_force(panels.sample_queue()[0]),
    "run_sheet": run_plan,
    "replay_sheet": lambda stage: stage.window.clicks.ask_replay(rows.sample_signals()[0]),
    "alert_sheet": lambda stage: stage.window.clicks.ask_test_alert(),
    "leave_sheet": lambda stage: stage.window.leaving.ask_quit(),
    "layout_name_sheet": lambda stage: stage.window.registry.run("save_layout"),
    "about_sheet": lambda stage: stage.window.clicks.show_about(),
    "tunnel_sheet": tunnel,
}


def opened(stage, name: str) -> Sheet:
    filled(stage)
    stage.window.activateWindow()
    QUESTIONS[name](stage)
    sheet = stage.window.clicks.sheet
    assert sheet is not None, name
    sheet.activateWindow()
    stage.settle()
    return sheet


def tab_order(sheet: Sheet) -> list[QWidget]:
    """As Tab goes round through them, from any of them."""
    there = can_be_tabbed_to(sheet)
    order: list[QWidget] = []
    widget = sheet.nextInFocusChain()
    while widget is not sheet:
        if widget in there:
            order.append(widget)
        widget = widget.nextInFocusChain()
    return order


def reads_in_order(sheet: Sheet) -> None:
    """Tab goes line by line, and in a line from the left; once from the end to the beginning."""
    order = tab_order(sheet)
    assert order
    back = [(said_of(one), said_of(other)) for one, other in pairwise([*order, order[0]]) if not follows(one, other)]
    assert len(back) <= 1


def follows(before: QWidget, after: QWidget) -> bool:
    one, other = (widget.mapToGlobal(QPoint(0, 0)) for widget in (before, after))
    is_below = other.y() >= one.y() + before.height() - 4
    is_beside = other.y() < one.y() + before.height() and one.y() < other.y() + after.height()
    return is_below or (is_beside and other.x() > one.x())


def has_letters_of_its_own(sheet: Sheet) -> None:
    texts = [part.text() for kind in (QAbstractButton, QLabel) for part in sheet.findChildren(kind)]
    marked = [text for text in texts if "&" in text.replace("&&", "") and "<" not in text]
    letters = [text[text.index("&") + 1].lower() for text in marked]
    assert len(letters) == len(set(letters)), marked


def said_of(widget: QWidget) -> str:
    return widget.accessibleName() or (widget.text() if hasattr(widget, "text") else type(widget).__name__)


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_a_question_is_gone_through_as_it_is_read_and_enter_and_escape_cost_nothing(stage, on_loop, qtbot, name):
    sheet = opened(stage, name)
    assert sheet.objectName() == name
    reads_in_order(sheet)
    has_letters_of_its_own(sheet)
    said = []

    def press(key: Qt.Key) -> None:
        async def main() -> None:
            qtbot.keyClick(sheet.focusWidget() or sheet, key)
            await asyncio.sleep(0.005)

        sheet.accepted.connect(lambda: said.append("done"))
        on_loop.run_until_complete(main())

    press(Qt.Key.Key_Return)
    sheet = stage.window.clicks.sheet or opened(stage, name)
    press(Qt.Key.Key_Escape)
    assert stage.window.clicks.sheet is None
    assert said == []
    assert stage.commands.asked == []


# Scale


SCALED = """
from pathlib import Path
import sys, tempfile
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
said = []
qInstallMessageHandler(lambda kind, _, text: said.append(text) if kind is not QtMsgType.QtDebugMsg else None)
from exengine.ui.app import make_app
from exengine.ui.theme import Look, Scheme
from tests.ui.conftest import Stage
from tests.ui.test_access import filled
app = make_app([])
with tempfile.TemporaryDirectory() as folder:
    stage = Stage(Look(app, scheme=Scheme.DARK), Path(folder)).show()
    filled(stage)
    for dock in stage.window.docks:
        stage.window.go_to(dock)
        stage.settle()
    stage.window.clicks.ask_panic()
    stage.settle()
    picture = stage.window.grab()
    print("ratio", picture.devicePixelRatio(), picture.width())
    stage.window.clicks.sheet.reject()
    stage.bridge.close()
    stage.window.hide()
print("said", [text for text in said if "This plugin does not support" not in text])
"""


@pytest.mark.parametrize(("scale", "width"), [("1", 1440), ("2", 2880)])
def test_it_starts_at_any_scale_without_a_word_from_qt(scale, width):
    env = os.environ | {"QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", SCALED], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [f"ratio {float(scale)} {width}", "said []"]
    assert done.stderr == ""
