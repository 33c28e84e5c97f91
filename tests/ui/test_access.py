"""Everything can be reached without a mouse and has a name for a screen reader, in the window and in its dialogs."""

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QApplication, QScrollArea, QWidget

from tests.ui import panels, rows


def filled(stage) -> None:
    stage.put(
        rows.changes(
            rows.sample_groups(),
            quotes=rows.sample_quotes(),
            signals=rows.sample_signals(),
            log=rows.sample_log(errors=3),
            engine=rows.engine(),
            panels=panels.sample(),
        )
    )


def by_arrows(widget: QWidget) -> bool:
    """One of several choices that is not made: the arrow keys lead to it from the one that is."""
    if not isinstance(widget, QAbstractButton) or not widget.isCheckable() or widget.isChecked():
        return False
    group = widget.group()
    return widget.autoExclusive() or (group is not None and group.exclusive())


def can_be_tabbed_to(root: QWidget) -> set[QWidget]:
    found = set()
    for widget in root.findChildren(QWidget):
        by_tab = bool(widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value)
        proxied = widget.focusProxy() is not None
        is_ours = not widget.objectName().startswith("qt_")
        seen = widget.isVisible() and not widget.visibleRegion().isEmpty()
        if by_tab and is_ours and widget.isEnabled() and seen and not proxied and not by_arrows(widget):
            found.add(widget)
    return found


def name_of(widget: QWidget) -> str:
    words = widget.text() if hasattr(widget, "text") and callable(widget.text) else ""
    return widget.accessibleName() or words


def reached(root: QWidget, most: int) -> set[QWidget]:
    """What Tab goes through, from where the keyboard is."""
    found: set[QWidget] = set()
    for _ in range(most):
        root.focusNextPrevChild(True)
        focused = QApplication.focusWidget()
        if focused is None:
            break
        found.add(focused)
    return found


@pytest.mark.parametrize("dock", ["queue", "signals", "log", "status"])
def test_tab_reaches_everything_in_the_window_and_all_of_it_has_a_name(stage, dock):
    filled(stage)
    window = stage.window
    window.activateWindow()
    window.go_to(getattr(window, dock))
    stage.settle()
    there = can_be_tabbed_to(window)
    assert len(there) > 15
    assert [widget for widget in there if not name_of(widget)] == []
    found = reached(window, 3 * len(there) + 40)
    assert [widget for widget in found if is_behind(window, widget)] == []
    missed = there - found
    assert {name_of(widget) for widget in missed if not isinstance(widget, QScrollArea)} == set()


def is_behind(window, widget: QWidget) -> bool:
    return any(dock.isAncestorOf(widget) and dock.visibleRegion().isEmpty() for dock in window.docks)


ASKED = {
    "panic": lambda window: window.clicks.ask_panic(),
    "close": lambda window: window.clicks.ask_close("paper|SOL/USDT|1h#1"),
    "test alert": lambda window: window.clicks.ask_test_alert(),
    "leave": lambda window: window.leaving.ask_quit(),
    "layout": lambda window: window.registry.run("save_layout"),
    "about": lambda window: window.clicks.show_about(),
}


@pytest.mark.parametrize("which", sorted(ASKED))
def test_every_dialog_can_be_used_by_keyboard_alone(stage, which):
    filled(stage)
    ASKED[which](stage.window)
    sheet = stage.window.clicks.sheet
    stage.settle()
    there = can_be_tabbed_to(sheet)
    assert there
    assert [widget for widget in there if not name_of(widget)] == []
    assert there - reached(sheet, 3 * len(there) + 10) == set()
    sheet.reject()


def test_every_table_says_its_cells_to_a_screen_reader(stage):
    filled(stage)
    for view in stage.window.findChildren(QAbstractScrollArea):
        model = view.model() if hasattr(view, "model") else None
        if isinstance(model, QAbstractItemModel) and model.rowCount() and view.objectName().endswith("table"):
            said = model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) or model.index(0, 0).data()
            assert said, view.objectName()
            assert view.accessibleName()


def test_what_stands_beside_the_tabs_has_the_font_of_all_else(stage):
    stage.look.choose(font_size=16)
    filled(stage)
    for dock in (stage.window.queue, stage.window.signals):
        assert dock.heading.parent() is stage.window
        assert dock.heading.detail.font() == stage.look.font()
    assert stage.window.queue.chosen.font() == stage.look.font()
    stage.look.choose(font_size=10)


@pytest.mark.parametrize("size", [8, 20])
def test_no_button_is_cut_at_any_font_size(stage, size):
    stage.look.choose(font_size=size)
    stage.window.resize(1920, 1080)
    filled(stage)
    ribbon = stage.window.ribbon
    for part in (ribbon.pill, ribbon.badge, ribbon.pause, ribbon.panic, ribbon.today, ribbon.total):
        assert part.height() >= part.minimumSizeHint().height(), part
        assert part.width() >= part.minimumSizeHint().width(), part
    stage.look.choose(font_size=10)
