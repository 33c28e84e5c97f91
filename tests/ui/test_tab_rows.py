"""Where docks are tabs, the front one's tools stand beside the tabs; where there is no room for that, below them."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTabBar

from exengine.ui.dock import Dock
from exengine.ui.pieces import Hairline
from exengine.ui.sheet import Scrim
from tests.ui import panels, rows
from tests.ui.conftest import Stage


@pytest.fixture
def busy(stage: Stage) -> Stage:
    stage.put_sample()
    stage.settle()
    return stage


def row_of(stage: Stage, dock: Dock) -> QTabBar:
    only_direct = Qt.FindChildOption.FindDirectChildrenOnly
    bars = stage.window.findChildren(QTabBar, options=only_direct)
    return next(bar for bar in bars if bar.isVisible() and dock.is_named(bar.tabText(bar.currentIndex())))


def is_beside_its_tabs(stage: Stage, dock: Dock) -> bool:
    bar = row_of(stage, dock)
    return dock.heading.isVisible() and dock.heading.geometry().topRight() == bar.geometry().topRight()


def test_the_tools_of_the_dock_in_front_are_beside_the_tabs(busy):
    window = busy.window
    assert is_beside_its_tabs(busy, window.queue)
    assert not window.log.heading.isVisible()
    assert window.queue.heading.x() >= row_of(busy, window.queue).sizeHint().width()


def test_another_tab_brings_its_own_tools_and_nothing_below_it_moves(busy):
    window = busy.window
    place = window.queue.geometry()
    window.bring(window.log)
    busy.settle()
    assert is_beside_its_tabs(busy, window.log)
    assert not window.queue.heading.isVisible()
    assert window.log.geometry() == place


def test_where_the_tabs_grow_chips_of_the_log_give_way_and_nothing_below_it_moves(busy):
    window = busy.window
    window.bring(window.log)
    busy.settle()
    place = window.log.geometry()
    window.log.show_errors(3)
    busy.put(rows.changes(panels=panels.panels(parts=panels.status(away=True))))
    busy.settle()
    assert row_of(busy, window.log).tabText(3) == "Status 3"
    assert is_beside_its_tabs(busy, window.log)
    assert window.log.geometry() == place
    assert all(chip.isVisible() for chip in window.log.chips.severities.values())
    assert window.log.heading.needed_width <= window.log.heading.width()


def test_behind_another_tab_no_row_of_a_stream_is_made_and_in_front_the_end_is_shown(stage):
    stage.put_sample()
    window, bar = stage.window, stage.window.signals.table.verticalScrollBar()
    made = dict(window.signals.model._cells)
    first = rows.sample_signals()[0]
    stage.put(rows.changes(signals=[replace(first, id=1_000 + number) for number in range(300)]))
    assert window.signals.model._cells == made
    window.bring(window.signals)
    stage.settle()
    assert window.signals.model._cells.keys() > made.keys()
    assert bar.value() == bar.maximum() > 0


def test_a_dock_that_floats_has_its_title_bar_again(busy):
    window = busy.window
    window.queue.setFloating(True)
    busy.settle()
    assert window.queue.isAncestorOf(window.queue.heading)
    assert window.queue.heading.isVisible()
    assert window.queue.heading.title.isVisible()
    window.queue.setFloating(False)
    busy.settle()
    window.bring(window.queue)
    busy.settle()
    assert is_beside_its_tabs(busy, window.queue)


def test_a_row_of_tabs_that_is_too_narrow_has_the_tools_below_it(busy):
    window = busy.window
    window.tabifyDockWidget(window.risk, window.log)
    busy.settle()
    window.bring(window.log)
    busy.settle()
    assert window.log.isAncestorOf(window.log.heading)
    assert window.log.heading.isVisible()
    bar = row_of(busy, window.log)
    assert bar.geometry().bottom() < window.log.geometry().top()
    line = bar.findChild(Hairline)
    assert line.isVisible()
    assert (line.x(), line.geometry().right()) == (bar.sizeHint().width(), bar.width() - 1)


def test_a_dock_that_is_alone_keeps_its_title_bar(busy):
    for dock in (busy.window.positions, busy.window.capital):
        assert dock.isAncestorOf(dock.heading)
        assert dock.heading.title.isVisible()


def test_the_keyboard_on_a_tool_beside_the_tabs_is_in_its_dock(busy):
    window = busy.window
    window.bring(window.signals)
    busy.settle()
    window.signals.tools.export.setFocus(Qt.FocusReason.TabFocusReason)
    assert window.signals.holds(window.focusWidget())
    window.focus_next_dock()
    assert window.risk.holds(window.focusWidget())


def test_what_dims_the_window_behind_a_question_dims_the_tools_too(busy):
    window = busy.window
    window.clicks.ask_panic()
    busy.settle()
    window.bring(window.log)
    busy.settle()
    pile = window.children()
    lowest_first = [pile.index(one) for one in (row_of(busy, window.log), window.log.heading, window.findChild(Scrim))]
    assert lowest_first == sorted(lowest_first)
