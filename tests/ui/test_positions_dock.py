"""What the trader can do in the Positions dock: find a group, close a part, set a stop, block, take it out."""

import asyncio
import csv
from dataclasses import replace
from decimal import Decimal

import pytest
from PySide6.QtCore import QModelIndex, QPoint
from PySide6.QtGui import QGuiApplication

from exengine.domain.group import GroupKey
from exengine.domain.money import arithmetic
from exengine.ui import format as fmt
from exengine.ui.exports import table_rows
from exengine.ui.positions_cells import Col
from exengine.ui.positions_deeds import Deed, why_not
from tests.ui import rows
from tests.ui.conftest import Stage

D = Decimal
SOL, AVAX, DOGE = "paper|SOL/USDT|1h#1", "paper|AVAX/USDT|1h#1", "paper|DOGE/USDT|15m#1"


@pytest.fixture
def full(stage: Stage) -> Stage:
    stage.put_sample()
    return stage


def do(loop, click) -> None:
    """Clicks inside the running loop, and lets what it started come to its end."""

    async def main() -> None:
        click()
        for _ in range(5):
            await asyncio.sleep(0)

    loop.run_until_complete(main())


def shown(stage: Stage) -> list[str]:
    positions = stage.window.positions
    return [
        positions.model.group_at(positions.model.index(place, 0)).symbol
        for place in range(positions.model.rowCount())
        if not positions.table.isRowHidden(place, QModelIndex())
    ]


# finding


def test_the_filter_shows_the_groups_that_match_and_says_how_many(full):
    positions = full.window.positions
    positions.filter.begin()
    positions.filter.search.setText("avax")
    positions.filter.look()
    positions.refresh()
    assert shown(full) == ["AVAX/USDT"]
    assert positions.heading.detail.text().startswith("1 of 6 groups")


def test_the_total_is_of_the_groups_that_are_shown(full):
    positions = full.window.positions
    worth = positions._book.unrealised_usd_of
    positions.filter.search.setText("part filled")
    positions.filter.chips["Long"].setChecked(True)
    positions.refresh()
    assert shown(full) == ["SOL/USDT", "LINK/USDT"]
    assert worth([SOL, "paper|LINK/USDT|15m#1"]).value == worth([SOL]).value + worth(["paper|LINK/USDT|15m#1"]).value
    assert positions.total.accessibleName() == "Unrealised, USD: −21.98"
    positions.filter.clear()
    positions.refresh()
    assert positions.total.accessibleName() == "Unrealised, USD: +70.13"


def test_chips_and_words_of_the_filter_hold_together(full):
    positions = full.window.positions
    positions.filter.chips["Short"].setChecked(True)
    assert shown(full) == ["ETH/USDT:USDT"]
    positions.filter.chips["Long"].setChecked(True)
    assert len(shown(full)) == 6
    positions.filter.chips["Wrong"].setChecked(True)
    assert shown(full) == ["DOGE/USDT"]


def test_where_nothing_matches_the_next_step_is_to_clear_the_filter(full):
    positions = full.window.positions
    positions.filter.begin()
    positions.filter.search.setText("nothing like it")
    positions.filter.look()
    assert positions._pages.currentWidget() is positions.filter.note
    positions.filter.note.action.click()
    assert positions._pages.currentWidget() is positions.table
    assert len(shown(full)) == 6
    assert not positions.filter.switch.isChecked()


def test_a_group_that_opens_while_a_filter_is_on_is_hidden_where_it_does_not_match(full):
    positions = full.window.positions
    positions.filter.begin()
    positions.filter.search.setText("sol")
    positions.filter.look()
    full.put(rows.changes([rows.group("XRP/USDT", "1h", pyramids=[rows.ladder(0, "0.61", "oo")])]))
    assert shown(full) == ["SOL/USDT"]


# what can be done


def texts(stage: Stage, group_id: str) -> dict[str, tuple[bool, str]]:
    positions = stage.window.positions
    at = positions.table.visualRect(positions.model.index_of(group_id)).center()
    menu = positions.context_menu(QPoint(40, at.y()))
    return {action.text(): (action.isEnabled(), action.toolTip()) for action in menu.actions() if action.text()}


def test_the_menu_of_a_group_has_everything_that_can_be_done_with_it(full):
    assert list(texts(full, SOL)) == [
        "Close SOL/USDT 1h…", "Close part of SOL/USDT 1h…", "Cancel 8 open entries", "Edit the stop of SOL/USDT 1h…",
        "Block SOL/USDT 1h from risk", "Show SOL/USDT 1h in the log", "Copy", "Expand all", "Collapse all",
    ]  # fmt: skip


def test_what_cannot_be_done_says_why(full):
    made = texts(full, DOGE)
    assert made["Close part of DOGE/USDT 15m…"] == (False, "Nothing of it is held")
    assert made["Place 1 refused entry again…"][0]
    closing = replace(rows.sample_groups()[0], status="closing")
    assert why_not(Deed.STOP, closing) == "It is being closed"
    assert why_not(Deed.PART, None) == "Choose a group"


# part of it


def test_closing_a_part_says_what_goes_and_what_stays(full, on_loop):
    full.window.clicks.ask_part(SOL)
    sheet = full.window.clicks.sheet
    assert sheet.heading.text() == "Close part of SOL/USDT 1h at market?"
    sheet.take_share(D(25))
    group = full.window.book.groups[SOL]
    part = group.rules.qty_floor(group.net_qty / 4)
    assert sheet.part == part
    assert f"{part} SOL" in sheet.meaning.accessibleName()
    assert "sold on paper, PAPER" in sheet.meaning.accessibleName()
    with arithmetic():
        brought = full.window.book.result_usd_of(group) * part / group.net_qty
    assert f"That brings about {fmt.signed(brought, 2)} USD, after a fee of" in sheet.meaning.accessibleName()
    assert "stay, with their ladder" in sheet.stays.accessibleName()
    do(on_loop, sheet.action.click)
    assert full.commands.asked == [("close_part", SOL, part)]
    assert full.window.toasts.shown()[0].text == "SOL/USDT 1h: Close of 1 SOL asked by the trader."


def test_per_cent_quantity_and_value_follow_one_another(full, qtbot):
    full.window.clicks.ask_part(SOL)
    sheet = full.window.clicks.sheet
    sheet.slider.setValue(10)
    assert D(sheet.percent.text()) == pytest.approx(D(10), abs=D("0.01"))
    sheet.value.setFocus()
    sheet.value.setText("148.62")
    sheet.value.textEdited.emit("148.62")
    assert sheet.part == D(1)
    assert sheet.qty.text() == "1"
    sheet.qty.textEdited.emit("2.5")
    assert sheet.part == D("2.5")


def test_fields_and_sentence_write_the_same_number_alike(full):
    full.window.clicks.ask_part(SOL)
    sheet = full.window.clicks.sheet
    sheet.take_share(D(100))
    assert "," in sheet.value.text()
    assert f"about {sheet.value.text()} USD" in sheet.meaning.accessibleName()


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("0.001", "That is worth less than the 5 USDT that an order must be worth at least."),
        ("0.0000001", "That is less than the step of 0.00001."),
        ("many", "That is less than the step of 0.00001."),
    ],
)
def test_a_part_that_cannot_be_sold_says_why_and_cannot_be_asked_for(full, typed, why):
    full.window.clicks.ask_part(SOL)
    sheet = full.window.clicks.sheet
    sheet.qty.textEdited.emit(typed)
    assert sheet.fault.text() == why
    assert sheet.qty.property("faulty")
    assert not sheet.action.isEnabled()


def test_what_stays_as_dust_is_told(full):
    full.window.clicks.ask_part(SOL)
    sheet = full.window.clicks.sheet
    group = full.window.book.groups[SOL]
    sheet.qty.textEdited.emit(str(group.net_qty - D("0.01")))
    assert "is below the exchange’s minimum: it is dust" in sheet.fault.text()
    assert sheet.fault.token == "warn"
    assert not sheet.qty.property("faulty")
    assert sheet.action.isEnabled()


def test_all_of_it_is_called_a_close(full):
    full.window.clicks.ask_part(SOL)
    sheet = full.window.clicks.sheet
    sheet.take_share(D(100))
    assert sheet.action.text() == "Close group"


def test_a_group_that_closes_meanwhile_gives_no_part(full):
    full.window.clicks.ask_part(SOL)
    full.put(rows.changes(gone=(SOL,)))
    assert not full.window.clicks.sheet.action.isEnabled()
    assert full.window.clicks.sheet.meaning.accessibleName() == "It has closed meanwhile. Nothing is left to do."


# its stop


def test_a_stop_is_set_at_a_price_and_says_what_it_would_bring(full, on_loop):
    full.window.clicks.ask_stop(SOL)
    sheet = full.window.clicks.sheet
    assert sheet.now.accessibleName() == "No stop is set."
    sheet.price.setText("140.5")
    sheet.refresh()
    assert "5.46 % below the last" in sheet.meaning.accessibleName()
    group = full.window.book.groups[SOL]
    worth = f"{group.net_qty * D('140.5'):,.2f}"
    qty = f"{group.net_qty:.{group.qty_decimals}f}"
    said = f"at market on paper, PAPER: {qty} SOL, about {worth} USD, sold, with about −"
    assert said in sheet.meaning.accessibleName()
    do(on_loop, sheet.action.click)
    assert full.commands.asked == [("set_stop", SOL, D("140.5"))]


def test_a_stop_on_the_wrong_side_is_refused_in_words(full):
    full.window.clicks.ask_stop(SOL)
    sheet = full.window.clicks.sheet
    sheet.price.setText("150")
    sheet.refresh()
    assert sheet.fault.text() == (
        "The stop of a long stands below the last price, which is 148.62: at 150.00 the group would be closed now."
    )
    assert sheet.fault.token == "error"
    assert sheet.price.property("faulty")
    sheet.price.setText("140")
    sheet.refresh()
    assert sheet.fault.isHidden()
    assert not sheet.price.property("faulty")
    sheet.price.setText("150")
    sheet.refresh()
    assert not sheet.action.isEnabled()


def test_a_stop_that_was_set_is_shown_and_taken_away(full, on_loop):
    group = replace(full.window.book.groups[SOL], own_stop=D(140), stop=D(140))
    full.put(rows.changes([group]))
    index = full.window.positions.model.index_of(SOL)
    assert full.window.positions.model.data(index.siblingAtColumn(Col.STOP)) == "140.00"
    full.window.clicks.ask_stop(SOL)
    sheet = full.window.clicks.sheet
    assert (sheet.now.accessibleName(), sheet.price.text()) == ("It stands at 140.00.", "140")
    do(on_loop, sheet.clear.click)
    assert full.commands.asked == [("set_stop", SOL, None)]


# the rest


def test_refused_entries_are_placed_again_after_a_question(full, on_loop):
    full.window.positions.ask(Deed.AGAIN, full.window.book.groups[DOGE])
    sheet = full.window.clicks.sheet
    assert sheet.heading.text() == "Place 1 refused entry of DOGE/USDT 15m again?"
    assert "DCA4" in sheet.meaning.accessibleName()
    do(on_loop, sheet.action.click)
    assert full.commands.asked == [("place_again", DOGE, ((0, 4),))]


def test_a_group_is_blocked_and_unblocked_without_a_question(full, on_loop):
    group = full.window.book.groups[SOL]
    do(on_loop, lambda: full.window.positions.ask(Deed.BLOCK, group))
    key = GroupKey("paper", "SOL/USDT", "1h")
    assert full.commands.asked == [("set_blocked", key, True)]
    full.put(rows.changes([replace(group, blocked=True)]))
    do(on_loop, lambda: full.window.positions.ask(Deed.BLOCK, full.window.book.groups[SOL]))
    assert full.commands.asked[-1] == ("set_blocked", key, False)


def test_the_log_shows_the_lines_of_one_group_and_of_all_again(full):
    lines = (replace(rows.log(90, "of it"), group=SOL), replace(rows.log(91, "of another"), group=AVAX))
    full.put(rows.changes(log=lines))
    full.window.positions.ask(Deed.LOG, full.window.book.groups[SOL])
    log = full.window.log
    assert [log.model.row_at(log.model.index(row, 0)).text for row in range(log.model.rowCount())] == ["of it"]
    assert log.group_chip.text() == "SOL/USDT 1h ×"
    log.group_chip.click()
    assert log.model.rowCount() == log.model.total


# taking it out


def test_the_whole_tree_is_copied_with_plain_numbers(full):
    full.window.positions.tools.copy(full.window.positions.table)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert lines[0].startswith("Pair / timeframe\tAccount\t")
    assert len(lines) == 1 + 6 + sum(len(g.pyramid_rows) + g.legs_total for g in rows.sample_groups())
    assert "−" not in QGuiApplication.clipboard().text()


def test_only_what_the_filter_shows_is_taken_out(full):
    positions = full.window.positions
    positions.filter.search.setText("doge")
    positions.filter.look()
    taken = list(table_rows(positions.table))
    assert taken[0][:2] == ["level", "Pair / timeframe"]
    assert [line[0] for line in taken[1:]] == ["0", "1", "2", "2", "2", "2", "2"]


def test_every_dock_saves_its_tables(full, on_loop, tmp_path):
    window = full.window
    docks = (window.positions, window.queue, window.risk, window.capital, window.status, window.signals, window.log)
    for dock in docks:
        for item in dock.tools.exports.items:
            for form in ("csv", "json"):
                path = tmp_path / f"{item.file_name}.{form}"
                dock.tools.exports.choose_file = lambda name, then, path=path: then(path)

                async def save(dock=dock, item=item, form=form, path=path) -> None:
                    with_end = asyncio.Event()
                    dock.tools.exports.saved.connect(lambda *_: with_end.set())
                    dock.tools.exports.save_as(item, form)
                    await with_end.wait()

                on_loop.run_until_complete(asyncio.wait_for(save(), 10))
                assert path.stat().st_size > 0
    with (tmp_path / "exengine-signals.csv").open(encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert len(lines) == 1 + window.signals.model.rowCount()


def test_with_room_to_spare_the_columns_stand_further_apart(stage):
    stage.put_sample()
    table = stage.window.positions.table
    stage.window.resize(1440, 900)
    stage.settle()
    close, wanted = table.heading.inner, table.wanted_width()
    stage.window.resize(2560, 1440)
    stage.settle()
    assert table.heading.inner == stage.window.look.metric("edge_padding") > close
    assert table.wanted_width() == wanted, "what it needs is no more than before"
    stage.window.resize(1440, 900)
    stage.settle()
    assert table.heading.inner == close
