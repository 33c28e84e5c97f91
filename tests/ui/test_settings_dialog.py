"""The settings dialog: its pages, search, marks, folds, overrides, and how it is left."""

from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from exengine.settings.form import sections
from exengine.ui.pieces import IconButton
from exengine.ui.settings_dialog import SettingsDialog
from exengine.ui.settings_nav import STATE
from exengine.ui.settings_overrides import summary
from exengine.ui.settings_questions import DiscardSheet
from tests.ui.settings_stage import make as make


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


def test_where_the_bar_has_no_room_less_is_said_and_nothing_is_cut(make):
    setting = make()
    for name in ("grid.min_pyramid_gap_percent", "risk.max_winners"):
        setting.type(name, "much")
    fault = setting.dialog.fault
    widths = [fault.fontMetrics().horizontalAdvance(text) for text in ("2 fields are wrong", "2 wrong")]
    said = []
    for width in (400, widths[0] + 1, widths[1] + 1):
        fault.resize(width, fault.height())
        said.append(fault.shown())
    assert said == ["2 fields on Grid and Risk need attention", "2 fields are wrong", "2 wrong"]
    assert fault.minimumSizeHint().width() > widths[1]


def test_every_wrong_cell_of_the_ladder_is_said(make):
    setting = make()
    table = setting.dialog.page("grid").parts[1].table
    for name in ("gap_percent", "weight_percent", "tp_percent"):
        setting.dialog.editing.put(("grid", "legs", 0, name), "much")
    said = table.fault.text().splitlines()
    assert [line.partition(" must")[0] for line in said] == ["DCA0 gap", "DCA0 weight", "DCA0 TP"]


@pytest.mark.parametrize(
    ("name", "words", "unit"),
    [
        ("safety.max_daily_loss", "off", "USD"),
        ("pool.max_per_symbol", "no limit", "groups"),
        ("grid.abandon_percent", "off", "%"),
        ("grid.pyramid_multipliers", "1 × each", ""),
    ],
)
def test_an_empty_field_has_its_unit_behind_its_words_once(make, name, words, unit):
    line = make().row(name).input
    assert (line.text(), line.placeholderText(), line.unit) == ("", words, unit)
    empty = line.textMargins().right()
    line.setText("2")
    assert line.unit
    assert (empty > 0) == bool(unit)
    assert line.textMargins().right() > 0


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


def test_a_search_leaves_the_keyboard_where_it_is(make):
    setting = make()
    dialog = setting.dialog
    dialog.activateWindow()
    setting.until(dialog.isActiveWindow)
    dialog.navigation.search.setFocus()
    QTest.keyClicks(dialog.navigation.search, "seconds")
    assert QApplication.activeWindow() is dialog, "no part of a page was a window while it was made"
    assert dialog.navigation.search.text() == "seconds"
    assert dialog.navigation.search.hasFocus()


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


# Overrides ----------------------------------------------------------------------------------------------------


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
    assert sheet.table.openers[1].text() == "Amount 100 quote"
    sheet.choose(1)
    sheet.rows[0][0].findChild(IconButton).click()
    assert draft.get(("grid", "overrides")) == [{"match": {}}, {"match": {}}]
    sheet.reject()


# Leaving ----------------------------------------------------------------------------------------------------


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


def test_an_amount_has_the_unit_of_what_it_is_a_share_of(make):
    setting = make(grid={"overrides": [{"match": {}, "grid": {"max_pyramids": 2}, "sizing": {"amount": "5"}}]})
    amount, editing = setting.row("sizing.amount").input, setting.dialog.editing
    assert amount.unit == "quote"
    assert summary(editing.draft, 0) == "Max pyramids 2, Amount 5 quote"
    editing.put(("sizing", "mode"), "percent_equity")
    assert amount.unit == "%"
    assert summary(editing.draft, 0) == "Max pyramids 2, Amount 5 %", "a rule that sets no mode has that of the page"
    editing.put(("sizing", "mode"), "signal")
    assert amount.unit == ""


def test_a_setting_without_effect_says_what_keeps_it_from_one(make):
    setting = make()
    row = setting.row("risk.age_threshold_minutes")
    assert row.default.text() == "Default 200 min · no effect while Age filter is off"
    setting.dialog.editing.put(("risk", "use_trade_age_filter"), True)
    assert row.default.text() == "Default 200 min"
    assert setting.row("precision.refresh_seconds").default.text() == "Default 3,600 s"


def test_a_large_number_has_its_thousands_apart_but_while_it_is_typed(make):
    setting = make()
    line = setting.row("precision.refresh_seconds").input
    setting.dialog.activateWindow()
    QApplication.processEvents()
    assert line.text() == "3,600"
    line.setFocus()
    assert line.text() == "3600"
    QTest.keyClick(line, Qt.Key.Key_End)
    QTest.keyClicks(line, "0")
    setting.dialog.cancel.setFocus()
    assert (line.text(), setting.dialog.editing.draft.get(("precision", "refresh_seconds"))) == ("36,000", 36000)
    assert line.property("changed") is True
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, "3,600")
    setting.dialog.cancel.setFocus()
    assert line.text() == "3,600"
    assert line.property("faulty") is True, "a comma that was typed is no separator: in half the world it is a point"
    assert setting.row("listener.port").input.text() == "8787"


def test_the_data_folder_is_looked_for_with_a_button(make, tmp_path):
    setting = make()
    row = setting.row("app.data_dir")
    row.browse.click()
    (dialog,) = row.findChildren(QFileDialog)
    assert dialog.fileMode() is QFileDialog.FileMode.Directory
    dialog.selectFile(str(tmp_path))
    dialog.accept()
    assert setting.dialog.editing.draft.get(("app", "data_dir")) == str(tmp_path)


def test_the_whole_row_of_the_chosen_rule_is_marked(make):
    setting = make(grid={"overrides": [{"match": {}}, {"match": {"symbol": "ETH/*"}}]})
    sheet = setting.dialog.page("grid").parts[0].open_sheet()
    sheet.choose(1)
    marked = {row for (row, _), cell in sheet.table.cells.items() if cell.property("chosen")}
    assert marked == {1}
    assert [name.property("chosen") for name in sheet.table.names] == [False, True]
    sheet.choose(0)
    assert [name.property("chosen") for name in sheet.table.names] == [True, False]
    sheet.done(0)


def test_files_are_looked_for_with_a_button_beside_the_line(make, tmp_path):
    setting = make(sim={"market": "recorded", "recorded": ["BTCUSDT.csv"]})
    row, editing = setting.row("sim.recorded"), setting.dialog.editing
    prices = tmp_path / "ETHUSDT.csv"
    prices.write_text("timestamp,price\n", encoding="utf-8")
    row.browse.click()
    (dialog,) = row.findChildren(QFileDialog)
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile(str(prices))
    dialog.accept()
    assert editing.draft.get(("sim", "recorded")) == ["BTCUSDT.csv", str(prices)]
    assert setting.row("sim.speed").browse is None
