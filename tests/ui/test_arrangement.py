"""Where the docks stand at first, after a restart, and after an update that brought new ones."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTabBar

from exengine.ui.layout import VERSION
from exengine.ui.theme import Scheme
from tests.ui import rows
from tests.ui.conftest import Stage

RIGHT = Qt.DockWidgetArea.RightDockWidgetArea


def bottom_tabs(stage: Stage) -> list[str]:
    bars = [bar for bar in stage.window.findChildren(QTabBar) if bar.isVisible() and bar.count() and bar.y() >= 0]
    (bar,) = bars
    return [bar.tabText(tab).split(" ")[0] for tab in range(bar.count())]


def closed(stage: Stage) -> None:
    stage.bridge.close()
    stage.window.hide()
    stage.window.deleteLater()
    stage.settle()


def test_the_first_start_is_the_trade_layout_of_the_design(stage):
    window = stage.window
    assert bottom_tabs(stage) == ["Queue", "Signals", "Log", "Status"]
    assert window.queue.is_seen
    assert not window.signals.visibleRegion().boundingRect().height()
    assert window.risk.geometry().left() == window.capital.geometry().left() > window.positions.geometry().right()
    assert window.risk.geometry().bottom() < window.capital.geometry().top()
    assert abs(window.risk.width() - 372) <= 2
    assert window.capital.geometry().bottom() >= window.height() - 2, "the right column has the full height"
    assert 190 <= window.height() - window.positions.geometry().bottom() <= 210


def test_in_a_large_font_the_tabs_below_leave_the_positions_most_of_the_height(look, tmp_path, qtbot):
    look.choose(font_size=20)
    stage = Stage(look, tmp_path).show()
    window = stage.window
    assert window.height() - window.positions.geometry().bottom() <= window.height() * 0.34
    assert window.positions.height() > window.queue.height()
    closed(stage)
    look.choose(font_size=10)


def test_in_another_look_and_back_no_dock_is_a_pixel_larger_than_at_first(stage):
    stage.put_sample()
    stage.settle()
    docks = [stage.window.positions, stage.window.queue, stage.window.risk, stage.window.capital]
    first = [dock.geometry() for dock in docks]
    for look in ({"scheme": Scheme.LIGHT}, {"font_size": 14}, {"font_size": 10, "scheme": Scheme.DARK}):
        stage.look.choose(**look)
        for _ in range(4):
            stage.settle()
    assert [dock.geometry() for dock in docks] == first


def test_docks_keep_their_sizes_however_often_texts_change(stage):
    stage.put_sample()
    stage.settle()
    sizes = [dock.size() for dock in (stage.window.positions, stage.window.risk, stage.window.queue)]
    for step in range(12):
        pnl = "81.66" if step % 2 else "1234567.89"
        stage.put(rows.changes(engine=rows.engine(realised_today=pnl, queued=step), quotes=rows.sample_quotes()))
    assert [dock.size() for dock in (stage.window.positions, stage.window.risk, stage.window.queue)] == sizes


def sizes(stage: Stage) -> list[int]:
    window = stage.window
    docks = (window.positions, window.queue, window.risk, window.capital)
    return [size for dock in docks for size in (dock.width(), dock.height())]


def test_the_docks_have_their_sizes_again_after_a_small_window_and_a_large_font(stage, qtbot):
    window = stage.window
    stage.put_sample()
    stage.settle()
    full, before = window.size(), sizes(stage)

    def as_before() -> bool:
        return all(abs(now - was) <= 2 for now, was in zip(sizes(stage), before, strict=True))

    window.resize(960, 600)
    stage.settle()
    assert abs(window.risk.width() - before[4]) <= 2, "the right column keeps its width, Positions gives"
    window.resize(full)
    qtbot.waitUntil(as_before)
    window.look.choose(font_size=20)
    stage.settle()
    assert not as_before(), "large texts need more"
    window.look.choose(font_size=10)
    qtbot.waitUntil(as_before)


def test_a_line_between_docks_that_the_trader_moved_stays_where_it_is(stage, qtbot):
    window = stage.window
    window.resize(1440, 900)
    stage.settle()
    at = window.positions.geometry().topRight() + QPoint(1, 200)
    QTest.mousePress(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    QTest.mouseMove(window, at - QPoint(60, 0))
    stage.settle()
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at - QPoint(60, 0))
    stage.settle()
    wide = window.risk.width()
    assert abs(wide - 432) <= 2
    window.resize(1200, 800)
    stage.settle()
    window.resize(1440, 900)
    qtbot.waitUntil(lambda: abs(window.risk.width() - wide) <= 2)


def test_the_stock_layout_comes_back_by_its_key_without_a_trace_of_what_was(stage, qtbot):
    window = stage.window
    window.splitDockWidget(window.positions, window.queue, Qt.Orientation.Horizontal)
    window.capital.close()
    window.risk.setFloating(True)
    stage.settle()
    window.menus.actions["layout_trade"].trigger()
    stage.settle()
    assert bottom_tabs(stage) == ["Queue", "Signals", "Log", "Status"]
    assert not window.risk.isFloating()
    assert window.capital.isVisible()
    qtbot.waitUntil(lambda: abs(window.risk.width() - 372) <= 2)
    assert window.menus.actions["layout_trade"].shortcut().toString() == "Ctrl+1"


def old_layout(stage: Stage) -> None:
    """Leaves a layout as the first version did, which had three docks."""
    window = stage.window
    for dock in window.docks:
        dock.setAllowedAreas(Qt.DockWidgetArea.AllDockWidgetAreas)
    window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, window.signals)
    for dock in (window.queue, window.risk, window.capital, window.status):
        window.removeDockWidget(dock)
        dock.setObjectName("")
    window.addDockWidget(RIGHT, window.log)
    window.log.show()
    stage.settle()
    stage.layouts.save("window/geometry", window.saveGeometry())
    stage.layouts.save("window/state", window.saveState(VERSION))
    stage.layouts.flush()


def test_an_older_layout_is_kept_and_new_docks_find_their_place(look, tmp_path, qtbot):
    old = Stage(look, tmp_path).show()
    old_layout(old)
    closed(old)
    new = Stage(look, tmp_path).show()
    new.put_sample()
    window, edge = new.window, new.window.positions.geometry().right()
    assert window.log.geometry().left() > edge, "at the right, as the trader had it"
    assert window.risk.geometry().left() > edge
    assert window.capital.geometry().left() > edge
    assert all(not dock.isHidden() for dock in window.docks if dock.objectName() != "performance")
    assert {"Queue", "Signals", "Status"} <= set(bottom_tabs(new))
    before = window.positions.width()
    for step in range(6):
        new.put(rows.changes(engine=rows.engine(queued=step)))
    assert window.positions.width() == before
    closed(new)


def test_a_dock_that_the_trader_closed_stays_closed_after_a_restart(look, tmp_path, qtbot):
    first = Stage(look, tmp_path).show()
    first.window.capital.close()
    first.window.status.raise_()
    first.settle()
    first.window.save_layout()
    closed(first)
    again = Stage(look, tmp_path).show()
    again.put_sample()
    assert again.window.capital.isHidden()
    assert again.window.status.is_seen
    assert bottom_tabs(again) == ["Queue", "Signals", "Log", "Status"]
    closed(again)


def test_a_dock_that_was_in_no_area_stays_closed_after_a_restart(look, tmp_path, qtbot):
    first = Stage(look, tmp_path).show()
    first.window.removeDockWidget(first.window.capital)
    first.settle()
    first.window.save_layout()
    closed(first)
    again = Stage(look, tmp_path).show()
    again.put_sample()
    assert again.window.capital.isHidden()
    closed(again)
