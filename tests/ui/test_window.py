"""The real window: what it says, what a click leads to, and what it remembers."""

import asyncio
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QComboBox, QDialog, QLabel, QLineEdit, QTreeView

from exengine.domain.instrument import Side
from exengine.domain.signal import FieldError
from exengine.engine.intake import Verdict, VerdictKind
from exengine.engine.rows import EngineStatus, Mode, Severity, Topic
from exengine.ui import format as fmt
from exengine.ui.alert_text import LINES, AlertText
from exengine.ui.panic_plan import panic_plan
from exengine.ui.positions_cells import Col
from exengine.ui.positions_deeds import Deed
from exengine.ui.questions import PARTS
from tests.ui import panels, rows
from tests.ui.conftest import Stage


def do(on_loop, act) -> None:
    """Lets a click run on the loop, until what it started has ended."""

    async def main() -> None:
        act()
        for _ in range(5):
            await asyncio.sleep(0.001)

    on_loop.run_until_complete(main())


# What it says


def test_before_the_engine_speaks_it_is_starting(stage):
    assert stage.window.windowTitle() == "ExEngine"
    assert not stage.window.ribbon.panic.isEnabled()
    assert not stage.window.ribbon.pause.isEnabled()
    assert stage.window.positions.first_steps.heading.text() == "The engine is starting"
    assert stage.window.positions.heading.detail.text().startswith("starting")
    for note in (stage.window.queue.note, stage.window.risk.note, stage.window.capital.note):
        assert note.heading.text() == "The engine is starting", "whether there is anything is not known yet"


@pytest.mark.parametrize(
    ("mode", "title"),
    [
        (Mode.PAPER, "PAPER · ExEngine"),
        (Mode.TESTNET, "TESTNET · ExEngine"),
        (Mode.LIVE, "LIVE · real money · ExEngine"),
    ],
)
def test_the_title_says_whether_the_money_is_real(stage, mode, title):
    stage.put(rows.changes(engine=rows.engine(mode=mode)))
    assert stage.window.windowTitle() == title


def test_real_money_has_a_rose_edge_and_paper_has_none(stage):
    stage.put(rows.changes(engine=rows.engine(mode=Mode.LIVE)))
    live = stage.look.color("live").name()
    image = stage.window.grab().toImage()
    corners = [(0, 0), (image.width() - 1, 450), (700, image.height() - 1), (1, 1), (0, 450)]
    assert {image.pixelColor(x, y).name() for x, y in corners} == {live}
    stage.put(rows.changes(engine=rows.engine(mode=Mode.PAPER)))
    image = stage.window.grab().toImage()
    assert live not in {image.pixelColor(x, y).name() for x, y in corners}


def test_the_ribbon_shows_the_engine_and_the_money(stage):
    stage.put_sample()
    ribbon = stage.window.ribbon
    assert ribbon.pill.accessibleName() == "Engine: Running."
    assert ribbon.pool.text() == "6 / 6"
    assert ribbon.full.isVisible()
    assert ribbon.queued.text() == "5"
    assert ribbon.today.accessibleName() == "Realised today, USD: +81.66, +0.16 %"
    assert ribbon.total.accessibleName() == "PnL total, USD: +1,112.06, +2.22 %"
    assert ribbon.webhook.text() == "4 m"


def test_ages_grow_without_a_word_from_the_engine(stage):
    stage.put_sample()
    stage.now_ms += 2 * rows.HOUR
    stage.bridge.ticked.emit(stage.now_ms)
    assert stage.window.ribbon.webhook.text() == "2 h"
    index = stage.window.positions.model.index_of("paper|SOL/USDT|1h#1")
    assert stage.window.positions.model.cells(index)[Col.AGE].text == "8 h"


@pytest.mark.parametrize("width", [960, 1100, 1280, 1440, 2560])
def test_pill_badge_pnl_and_panic_are_whole_at_any_width(stage, width):
    stage.put_sample()
    stage.window.resize(width, 700)
    stage.settle()
    ribbon = stage.window.ribbon
    for part in (ribbon.pill, ribbon.badge, ribbon.today, ribbon.total, ribbon.pause, ribbon.panic):
        assert part.isVisible()
        assert part.width() >= part.minimumSizeHint().width()
        right = part.mapTo(ribbon, QPoint(part.width(), 0)).x()
        assert right <= ribbon.width()


def test_pill_badge_pnl_and_panic_are_whole_at_the_largest_font_and_the_least_width(stage):
    stage.look.choose(font_size=20)
    stage.put_sample()
    stage.window.resize(960, 700)
    stage.settle()
    ribbon = stage.window.ribbon
    for part in (ribbon.pill, ribbon.badge, ribbon.today, ribbon.total, ribbon.pause, ribbon.panic):
        assert part.width() >= part.minimumSizeHint().width(), part
        assert part.mapTo(ribbon, QPoint(part.width(), 0)).x() <= ribbon.width(), part
    assert not stage.window.menu_corner.commands.isVisible()
    stage.look.choose(font_size=10)
    stage.window.resize(1440, 900)
    stage.settle()
    assert stage.window.menu_corner.commands.isVisible()
    assert ribbon.queued.isVisible()


def test_nothing_in_the_ribbon_moves_while_numbers_run(stage):
    stage.put_sample()
    before = {name: field.geometry() for name, field in stage.window.ribbon.fields.items()}
    stage.put(rows.changes(engine=rows.engine(realised_today="-3.10", realised_total="7.00", queued=6)))
    assert {name: field.geometry() for name, field in stage.window.ribbon.fields.items()} == before


# Nothing is lost while rows change


def test_expansion_selection_and_scroll_survive_changes(stage):
    groups = rows.busy_groups(40, 2, 3)
    stage.put(rows.changes(groups, quotes=rows.quotes_for(groups), engine=rows.engine()))
    table, model = stage.window.positions.table, stage.window.positions.model
    chosen = model.index_of(groups[20].id)
    table.expand(chosen)
    table.setCurrentIndex(model.index(1, 0, chosen))
    table.scrollTo(chosen)
    stage.settle()
    at = table.verticalScrollBar().value()
    stage.put(rows.changes([replace(row, realised=rows.D(9)) for row in groups], quotes=rows.quotes_for(groups, "1.1")))
    stage.put(rows.changes(gone=[groups[0].id, groups[39].id]))
    chosen = model.index_of(groups[20].id)
    assert table.isExpanded(chosen)
    assert table.currentIndex() == model.index(1, 0, chosen)
    assert abs(table.verticalScrollBar().value() - at) <= 1
    stage.window.positions.sort_by(Col.LAST)
    chosen = model.index_of(groups[20].id)
    assert table.isExpanded(chosen)
    assert stage.window.positions.current_group.id == groups[20].id


def test_no_number_is_cut(stage):
    big = rows.group(
        pyramids=[rows.ladder(0, "123456789.12", "tttt", quote="98765432.10")], target=rows.D("222222222.22")
    )
    quote = {("paper", "SOL/USDT"): rows.Quote(price=rows.D("198765432.10"), at_ms=rows.NOW_MS)}
    stage.put(rows.changes([big], quotes=quote, engine=rows.engine()))
    table, model = stage.window.positions.table, stage.window.positions.model
    table.expandAll()
    stage.settle()
    for index in table.visible_rows():
        for column, (cell, about) in enumerate(zip(model.cells(index), model.columns, strict=True)):
            if not about.elides and not table.heading.isSectionHidden(column):
                left, right = table.heading.padding(column, table.heading.inner, 12)
                room = table.heading.sectionSize(column) - left - right
                assert table.painter.needed(cell, about) <= room + 1, (about.key, cell.text)


def test_a_column_cannot_be_made_narrower_than_its_numbers(stage):
    stage.put_sample()
    table = stage.window.positions.table
    table.heading.resizeSection(Col.ENTRY, 10)
    assert table.heading.sectionSize(Col.ENTRY) >= table.needed_width(Col.ENTRY)
    assert not table.auto_widths


def test_columns_go_on_fitting_the_window_after_rows_were_sorted_and_a_column_was_hidden(stage):
    stage.put_sample()
    table = stage.window.positions.table
    stage.window.positions.sort_by(Col.UNREALISED)
    table.heading.setSectionHidden(Col.REALISED, True)
    stage.settle()
    assert table.auto_widths
    assert table.heading.length() == table.viewport().width()


def test_columns_come_closer_before_a_table_scrolls_sideways(stage):
    stage.put_sample()
    table, bar = stage.window.positions.table, stage.window.positions.table.horizontalScrollBar()
    wanted = table.wanted_width()

    def be_wide(width: int) -> None:
        for _ in range(8):
            # The right column may take its share of a change.
            stage.window.resize(stage.window.width() + width - table.viewport().width(), 900)
            stage.settle()

    be_wide(wanted + 4)
    usual = table.heading.inner
    be_wide(wanted - 8)
    assert table.viewport().width() < wanted
    assert table.heading.inner == usual - 1
    assert bar.maximum() == 0


def test_the_chevron_opens_a_row_and_a_click_elsewhere_does_not(stage, qtbot):
    stage.put_sample()
    table, model = stage.window.positions.table, stage.window.positions.model
    index = model.index_of("paper|SOL/USDT|1h#1")
    row = table.visualRect(index)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, row.center().y()))
    assert not table.isExpanded(index)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(14, row.center().y()))
    assert table.isExpanded(index)


def test_the_keyboard_opens_and_closes_rows(stage, qtbot):
    stage.put_sample()
    table, model = stage.window.positions.table, stage.window.positions.model
    table.setFocus()
    table.setCurrentIndex(model.index(0, 0))
    qtbot.keyClick(table, Qt.Key.Key_Right)
    assert table.isExpanded(model.index(0, 0))
    qtbot.keyClick(table, Qt.Key.Key_Left)
    assert not table.isExpanded(model.index(0, 0))


def test_rows_are_copied_with_plain_numbers(stage):
    stage.put_sample()
    table, model = stage.window.positions.table, stage.window.positions.model
    table.setCurrentIndex(model.index_of("paper|AVAX/USDT|1h#1"))
    table.copy()
    cells = QGuiApplication.clipboard().text().split("\t")
    assert cells[0] == "AVAX/USDT 1h long"
    assert cells[Col.SIZE] == "4995.25"
    assert cells[Col.UNREALISED].startswith("-341.58")


# Clicks


def test_pause_is_asked_once_and_waits_for_the_engine(stage, on_loop):
    stage.put_sample()
    do(on_loop, lambda: (stage.window.ribbon.pause.click(), stage.window.ribbon.pause.click()))
    assert stage.commands.asked == [("pause",)]
    stage.put(rows.changes(engine=rows.engine(status=EngineStatus.PAUSED)))
    assert stage.window.ribbon.pause.text() == "Resume"
    do(on_loop, stage.window.ribbon.pause.click)
    assert stage.commands.asked[-1] == ("resume",)


def test_a_refused_command_is_told_and_may_be_tried_again(stage, on_loop):
    stage.put_sample()
    stage.commands.fails_with = OSError("the store cannot take it")
    do(on_loop, stage.window.ribbon.pause.click)
    assert stage.window.toasts.shown()[0].text == (
        "Could not pause: the store cannot take it. Nothing else was changed. Try it again, or see the log."
    )
    assert stage.window.ribbon.pause.isEnabled()


def test_cancelling_entries_needs_no_question(stage, on_loop):
    stage.put_sample()
    do(on_loop, lambda: stage.window.positions.asked.emit(Deed.CANCEL, "paper|SOL/USDT|1h#1"))
    assert stage.commands.asked == [("cancel_entries", "paper|SOL/USDT|1h#1")]
    assert stage.window.toasts.shown()[0].text == "8 entries of SOL/USDT 1h cancelled"


def test_a_long_notice_takes_as_few_lines_as_there_can_be(stage):
    said = (
        "Could not close AVAX/USDT 1h: the store cannot take it. Nothing else was changed. Try again, or see the log."
    )
    stage.window.toasts.say(said, "error")
    label = stage.window.toasts.shown()[0]._label
    lines = -(-label.fontMetrics().horizontalAdvance(said) // label.maximumWidth())
    assert label.heightForWidth(label.width()) <= (lines + 1) * label.fontMetrics().lineSpacing() + 2
    assert label.width() == label.maximumWidth()


def test_the_same_notice_twice_is_counted(stage):
    stage.window.toasts.say("Copied", "success")
    stage.window.toasts.say("Copied", "success")
    assert [toast.count for toast in stage.window.toasts.shown()] == [2]


def test_many_notices_are_merged_and_none_takes_the_keyboard(stage):
    stage.put_sample()
    stage.window.activateWindow()
    stage.window.positions.table.setFocus()
    for number in range(9):
        stage.window.toasts.say(f"Pair {number} is being closed", "success")
    stage.window.toasts.say("The store takes nothing", "error")
    shown = stage.window.toasts.shown()
    assert len(shown) == 4
    assert sum(toast.count + toast.merged for toast in shown) == 10
    assert "The store takes nothing" in [toast.text for toast in shown]
    assert stage.window.positions.table.hasFocus()


def test_closing_a_group_asks_first_and_says_what_happens(stage, on_loop, qtbot):
    stage.put_sample()
    stage.window.clicks.ask_close("paper|AVAX/USDT|1h#1")
    sheet = stage.window.clicks.sheet
    assert sheet.heading.text() == "Close AVAX/USDT 1h at market?"
    assert sheet.meaning.accessibleName() == (
        "133.49 AVAX, about 4,654 USD, sold on paper, PAPER. Result now −346.24 USD after fees."
    )
    do(on_loop, sheet.action.click)
    assert stage.commands.asked == [("close_group", "paper|AVAX/USDT|1h#1")]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape])
def test_enter_and_escape_cancel_every_question(stage, qtbot, key):
    stage.put_sample()
    for ask in (stage.window.clicks.ask_panic, lambda: stage.window.clicks.ask_close("paper|SOL/USDT|1h#1")):
        ask()
        sheet = stage.window.clicks.sheet
        with qtbot.waitSignal(sheet.finished) as finished:
            qtbot.keyClick(sheet.focusWidget(), key)
        assert finished.args == [QDialog.DialogCode.Rejected]
    assert stage.commands.asked == []


def test_a_group_that_closed_meanwhile_can_no_longer_be_closed(stage):
    stage.put_sample()
    stage.window.clicks.ask_close("paper|SOL/USDT|1h#1")
    stage.put(rows.changes(gone=["paper|SOL/USDT|1h#1"]))
    assert not stage.window.clicks.sheet.action.isEnabled()
    assert "closed meanwhile" in stage.window.clicks.sheet.meaning.accessibleName()
    stage.window.clicks.sheet.reject()


# Panic


def test_what_panic_shows_of_the_accounts_adds_up_to_what_it_shows_of_all(stage):
    stage.put_sample()
    plan = panic_plan(stage.window.book, stage.window.clicks.setup)
    assert len(plan.parts) == 2
    assert plan.pnl == sum(round(part.pnl, 2) for part in plan.parts)
    assert plan.notional == sum(round(part.notional, 2) for part in plan.parts)


def test_panic_must_be_held(stage, qtbot):
    stage.put_sample()
    panic = stage.window.ribbon.panic
    qtbot.mousePress(panic, Qt.MouseButton.LeftButton)
    qtbot.wait(300)
    qtbot.mouseRelease(panic, Qt.MouseButton.LeftButton)
    qtbot.wait(900)
    assert stage.window.clicks.sheet is None
    qtbot.mousePress(panic, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: stage.window.clicks.sheet is not None, timeout=2_000)
    stage.window.clicks.sheet.reject()


def test_panic_can_be_held_with_the_space_bar_but_enter_does_nothing(stage, qtbot):
    stage.put_sample()
    panic = stage.window.ribbon.panic
    panic.setFocus()
    qtbot.keyClick(panic, Qt.Key.Key_Return)
    qtbot.wait(50)
    assert not panic.isDown()
    qtbot.keyPress(panic, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: stage.window.clicks.sheet is not None, timeout=2_000)
    stage.window.clicks.sheet.reject()


def test_panic_says_what_will_happen_and_wants_the_word(stage, on_loop, qtbot):
    stage.put_sample()
    stage.window.clicks.ask_panic()
    sheet = stage.window.clicks.sheet
    assert sheet.heading.text() == "Close all 6 groups at market on 2 paper accounts?"
    assert sheet.meaning.accessibleName() == (
        "About 18,566.13 USD is sold or bought back with 5 market orders, 27 orders are cancelled, "
        "5 waiting entries are removed, and the engine pauses until you resume it. This cannot be undone."
    )
    assert sheet.action.text() == "Close all 6 groups"
    assert not sheet.action.isEnabled()
    for almost in ("close", "CLOS", "CLOSED"):
        sheet.word.setText(almost)
        assert not sheet.action.isEnabled()
    sheet.word.setText("CLOSE")
    do(on_loop, sheet.action.click)
    assert stage.commands.asked == [("panic", False)]


def test_panic_can_cancel_entries_only_without_the_word(stage, on_loop):
    stage.put_sample()
    stage.window.clicks.ask_panic()
    sheet = stage.window.clicks.sheet
    sheet.entries.setChecked(True)
    assert sheet.heading.text() == "Cancel 22 unfilled entries on 2 paper accounts?"
    assert sheet.action.text() == "Cancel 22 entries"
    resting = fmt.number(rows.engine().open_quote, 2)
    assert f"Orders for about {resting} USD are cancelled" in sheet.meaning.accessibleName()
    assert (sheet.cancel.text(), sheet.hint.text()) == ("Keep the entries", "Enter and Esc keep them.")
    shown = [[label.text() for label in labels if label.isVisible()] for labels in sheet._cells]
    assert shown == [["3", "20"], ["1", "2"], ["4", "22"]]
    do(on_loop, sheet.action.click)
    assert stage.commands.asked == [("panic", True)]


def test_the_numbers_of_an_open_question_go_on_running(stage):
    stage.put_sample()
    stage.window.clicks.ask_panic()
    sheet = stage.window.clicks.sheet
    sheet.word.setText("CLO")
    stage.put(rows.changes(gone=["paper|SOL/USDT|1h#1"]))
    assert sheet.heading.text() == "Close all 5 groups at market on 2 paper accounts?"
    assert sheet.word.text() == "CLO"
    sheet.reject()


def test_one_question_is_open_at_a_time(stage):
    stage.put_sample()
    stage.window.clicks.ask_panic()
    first = stage.window.clicks.sheet
    stage.window.clicks.ask_close("paper|SOL/USDT|1h#1")
    stage.window.clicks.ask_test_alert()
    assert stage.window.clicks.sheet is first
    first.reject()


# First steps


def test_the_empty_window_offers_a_test_alert(stage, on_loop):
    stage.put(rows.changes(engine=rows.empty_engine(), quotes=rows.sample_quotes()))
    steps = stage.window.positions.first_steps
    assert steps.heading.text() == "No positions yet"
    assert steps.reason.text() == (
        "The engine is running with 10,000.00 USDT of paper money and waits for its first alert. "
        "Nothing here can spend real money."
    )
    assert steps.form.price.text() == "at 67,240.50, the last price"
    steps.form.side.setCurrentText("Short")
    do(on_loop, steps.form.send.click)
    assert stage.commands.asked == [("send_test_alert", "BTC/USDT", "1h", Side.SHORT)]
    assert steps.form.result.text().startswith("Accepted as signal 12")


def test_a_test_alert_that_is_not_taken_says_why(stage, on_loop):
    stage.put(rows.changes(engine=rows.empty_engine()))
    error = FieldError(field="tv.symbol", message="not a market of paper")
    stage.commands.verdict = Verdict(kind=VerdictKind.INVALID, signal_id=3, errors=(error,))
    form = stage.window.positions.first_steps.form
    do(on_loop, form.send.click)
    assert form.result.text() == "Not taken. Pair: not a market of paper. Choose another pair."
    stage.commands.fails_with = OSError("no disk")
    do(on_loop, form.send.click)
    assert form.result.text() == "Not sent. no disk."
    assert form.send.isEnabled()


def test_a_test_alert_never_trades_real_money(look, tmp_path, qtbot):
    live = Stage(look, tmp_path, Mode.LIVE).show()
    live.put(rows.changes(engine=rows.empty_engine(Mode.LIVE)))
    send = live.window.positions.first_steps.form.send
    assert not send.isEnabled()
    assert "real orders" in send.toolTip()
    assert not live.window.menus.actions["send_test_alert"].isEnabled()
    live.bridge.close()
    live.window.hide()
    live.window.deleteLater()
    live.settle()


def test_the_secret_is_masked_on_the_screen_and_real_on_the_clipboard(stage):
    steps = stage.window.positions.first_steps
    assert "correct horse" not in steps.code.toPlainText()
    assert "4f1c0a" not in steps.url.text()
    steps.copy_text.click()
    assert "correct horse" in QGuiApplication.clipboard().text()
    steps.copy_url.click()
    assert QGuiApplication.clipboard().text() == "http://127.0.0.1:8787/webhook/4f1c0a"
    on_screen = [label.text() for label in stage.window.findChildren(QLabel)]
    assert not any("correct horse" in text or "4f1c0a" in text for text in on_screen)


def test_the_first_group_takes_the_place_of_the_first_steps(stage):
    stage.put(rows.changes(engine=rows.empty_engine()))
    assert stage.window.positions.first_steps.isVisible()
    stage.put_sample()
    assert stage.window.positions.table.isVisible()
    stage.put(rows.changes(gone=[row.id for row in rows.sample_groups()]))
    assert stage.window.positions.first_steps.heading.text() == "No open positions"


@pytest.mark.parametrize("size", [16, 20])
def test_whether_the_risk_engine_is_held_back_is_seen_at_any_font_size(stage, size):
    stage.look.choose(font_size=size)
    stage.put_sample()
    stage.put(rows.changes(engine=rows.engine(status=EngineStatus.ERROR, status_text="Disk full", stores=False)))
    assert stage.window.ribbon.risk.isVisible()
    assert stage.window.ribbon.risk.text() == "Blocked"
    stage.look.choose(font_size=10)


@pytest.mark.parametrize(
    ("engine", "word", "beside", "looks"),
    [
        ({"stores": False}, "Blocked", "nothing can be stored", "held back: nothing can be stored"),
        ({"away": ("perp",)}, "Active", "without perp", "next look in 6 s · without perp"),
        ({"away": ("paper", "perp")}, "Blocked", "two accounts are away", "held back: two accounts are away"),
        ({"away": ("idle",)}, "Active", "offset 2 h ago", "next look in 6 s"),
        ({"away": (), "status": EngineStatus.PAUSED}, "Active", "offset 2 h ago", "next look in 6 s"),
    ],
)
def test_the_ribbon_and_the_risk_dock_say_the_same_of_the_risk_engine(stage, engine, word, beside, looks):
    stage.window.resize(2560, 1440)
    stage.put_sample()
    stage.put(rows.changes(panels=panels.sample()))
    stage.put(rows.changes(engine=rows.engine(**{"status": EngineStatus.ERROR, "status_text": "why", **engine})))
    ribbon, risk = stage.window.ribbon, stage.window.risk
    assert (ribbon.risk.text(), ribbon.risk_more.text()) == (word, beside)
    assert f"{risk.heading.detail.text()} · ".startswith(f"{looks} · ")
    assert risk.run.isEnabled() is (word == "Active")
    assert ("why" in ribbon.risk.toolTip()) is beside.startswith(("nothing", "without", "two"))


def test_where_the_one_account_of_all_groups_is_away_the_risk_engine_is_held_back(stage):
    stage.put(rows.changes(rows.sample_groups()[:1], engine=rows.engine(status=EngineStatus.ERROR, away=("paper",))))
    assert stage.window.ribbon.risk.text() == "Blocked"
    assert stage.window.ribbon.risk_more.text() == "paper is away"


def test_an_engine_in_trouble_that_is_paused_can_be_resumed(stage, on_loop):
    stage.put_sample()
    ribbon, action = stage.window.ribbon, stage.window.registry.actions["pause"]
    stage.put(rows.changes(engine=rows.engine(status=EngineStatus.ERROR, status_text="perp: no answer")))
    assert (ribbon.pause.text(), action.text()) == ("Pause", "Pause")
    row = rows.engine(status=EngineStatus.ERROR, status_text="perp: no answer", paused=True)
    stage.put(rows.changes(engine=row))
    assert (ribbon.pause.text(), action.text()) == ("Resume", "Resume")
    assert ribbon.pill.toolTip() == "perp: no answer\nPaused as well: by the trader"
    assert ribbon.pill.accessibleName().startswith("Engine: Error, paused.")
    do(on_loop, ribbon.pause.click)
    assert stage.commands.asked == [("resume",)]


# Alert strip


def test_the_newest_error_is_shown_until_it_is_dismissed(stage):
    strip = stage.window.strip
    assert not strip.isVisible()
    stage.put(rows.changes(log=rows.sample_log(errors=3)))
    assert strip.isVisible()
    assert strip.more.text() == "+ 2 more"
    assert stage.window.log.windowTitle() == "Log 3"
    assert strip.newest.id == 90
    strip.dismiss.click()
    assert strip.newest.id == 89
    strip.show_it.click()
    assert stage.window.log.model.row_at(stage.window.log.table.currentIndex()).id == 89
    strip.dismiss.click()
    strip.dismiss.click()
    stage.settle()
    assert not strip.isVisible()
    assert stage.window.log.windowTitle() == "Log"


def test_what_happened_is_read_whole_and_what_to_do_goes_on_below_it_where_one_line_is_too_short(stage):
    strip = stage.window.strip
    stage.put(rows.changes(log=[rows.log(1, "Store full.", severity=Severity.ERROR, advice="Free some room.")]))
    low = strip.height()
    assert strip.text.lines == 1
    stage.put(rows.changes(log=rows.sample_log(errors=1)))
    stage.window.resize(1100, 900)
    stage.settle()
    assert strip.text.lines == 2
    assert strip.height() > low
    stage.window.resize(1440, 900)
    strip.dismiss.click()
    stage.settle()
    assert strip.height() == low


def test_the_strip_loses_no_word_but_the_last_ones_that_have_no_line(look, qtbot):
    said = AlertText(look)
    qtbot.addWidget(said)
    full = rows.outage_log()[-1]
    said.say(full.text, full.advice)
    said.show()
    for width in range(200, 1400, 3):
        said.resize(width, 80)
        lines = ["".join(piece for _, piece, _ in line) for line in said.shown()]
        assert not any("…" in line for line in lines[:-1]), f"cut in the middle at {width}: {lines}"
        begun = "".join(lines).removesuffix("…")
        assert f"{full.text}   {full.advice}".startswith(begun)
        assert begun.endswith("503.") or said.lines == LINES


def test_an_error_that_has_ended_leaves_the_strip_by_itself(stage):
    away = replace(
        rows.log(200, "Account perp cannot be traded on: timed out.", severity=Severity.ERROR), topic=Topic.ACCOUNT_AWAY
    )
    stage.put(rows.changes(log=[away]))
    assert stage.window.strip.isVisible()
    assert stage.window.strip.what.text() == "Account away"
    stage.put(rows.changes(log=[replace(rows.log(201, "Account perp answers."), topic=Topic.ACCOUNT_BACK)]))
    assert not stage.window.strip.isVisible()
    assert stage.window.log.windowTitle() == "Log"


def test_a_refused_order_is_shown_and_placed_again_from_the_strip(stage, on_loop):
    stage.put_sample()
    doge = "paper|DOGE/USDT|15m#1"
    refused = replace(
        rows.log(200, "Entry of pyramid 1, DCA4 refused by the exchange: too many (x).", severity=Severity.ERROR),
        topic=Topic.ORDER_REJECTED, group=doge, symbol="DOGE/USDT", timeframe="15m",
    )  # fmt: skip
    stage.put(rows.changes(log=[refused]))
    strip = stage.window.strip
    assert (strip.what.text(), strip.show_it.text()) == ("Order rejected", "Show order")
    assert strip.text.text().startswith("DOGE/USDT 15m: Entry of pyramid 1, DCA4")
    strip.show_it.click()
    positions = stage.window.positions
    assert positions.model.data(positions.table.currentIndex().siblingAtColumn(0)).startswith("DCA4")
    strip.again.click()
    do(on_loop, stage.window.clicks.sheet.action.click)
    assert stage.commands.asked == [("place_again", doge, ((0, 4),))]
    stage.put(rows.changes(gone=[doge]))
    assert strip.newest is None or strip.newest.id != 200


def test_a_dismissed_error_does_not_come_back_with_the_next_start(stage, look, tmp_path):
    stage.put(rows.changes(log=rows.sample_log(errors=2)))
    stage.window.strip.dismiss.click()
    again = Stage(look, tmp_path).show()
    again.put(rows.changes(log=rows.sample_log(errors=2)))
    assert [again.window.strip.newest.id, again.window.strip.count] == [89, 1]
    again.bridge.close()
    again.window.deleteLater()


# Layout


def test_what_the_trader_arranged_is_there_after_a_restart(stage, look, tmp_path, on_loop):
    stage.put_sample()
    window = stage.window
    window.positions.table.heading.setSectionHidden(Col.ACCOUNT, True)
    window.positions.table.heading.resizeSection(Col.ENTRY, 200)
    window.positions.sort_by(Col.UNREALISED)
    window.log.close()
    do(on_loop, window.stop)
    assert stage.closed == ["closed"]
    assert QSettings(str(tmp_path / "layout.ini"), QSettings.Format.IniFormat).allKeys()
    again = Stage(look, tmp_path).show()
    again.put_sample()
    heading = again.window.positions.table.heading
    assert heading.isSectionHidden(Col.ACCOUNT)
    assert heading.sectionSize(Col.ENTRY) == 200
    assert (heading.sorted_by, heading.descending) == (Col.UNREALISED, True)
    assert not again.window.log.isVisible()
    again.window.reset_layout()
    again.settle()
    assert not heading.isSectionHidden(Col.ACCOUNT)
    assert again.window.positions.table.auto_widths
    assert heading.sorted_by == -1
    assert not again.window.log.isHidden()
    again.bridge.close()
    again.window.deleteLater()


def test_a_layout_file_of_nonsense_is_as_none(look, tmp_path, qtbot):
    (tmp_path / "layout.ini").write_text("[v1]\nwindow\\state=nonsense\npositions_table\\sorted_by=many\n")
    made = Stage(look, tmp_path).show()
    made.put_sample()
    assert made.window.positions.isVisible()
    made.bridge.close()
    made.window.deleteLater()


def test_docks_have_stable_names(stage):
    assert [dock.objectName() for dock in stage.window.docks] == [
        "positions", "queue", "signals", "log", "status", "risk", "capital",
    ]  # fmt: skip


def test_a_dock_that_was_closed_comes_back_by_the_menu(stage):
    stage.window.log.close()
    action = stage.window.menus.actions["show_log"]
    assert not action.isChecked()
    action.trigger()
    assert not stage.window.log.isHidden()


# The window itself


def test_closing_starts_the_shutdown_once_and_ends_nothing_by_itself(stage, on_loop):
    do(on_loop, lambda: (stage.window.close(), stage.window.close()))
    assert stage.closed == ["closed"]
    assert stage.window.isVisible()


def test_a_hidden_window_takes_nothing_and_catches_up(stage):
    stage.put_sample()
    stage.window.hide()
    taken = stage.feed.taken
    stage.feed.put(rows.changes(engine=rows.engine(queued=77)), urgent=True)
    stage.settle()
    assert stage.feed.taken == taken
    stage.window.show()
    stage.settle()
    assert stage.window.ribbon.queued.text() == "77"


def test_a_new_theme_and_font_are_put_on_at_once(stage):
    stage.put_sample()
    stage.window.menus.actions["theme_light"].trigger()
    image = stage.window.positions.table.viewport().grab().toImage()
    assert image.pixelColor(image.width() - 3, image.height() - 3) == stage.look.color("surface")
    before = stage.window.positions.table.visualRect(stage.window.positions.model.index(0, 0)).height()
    stage.window.menus.actions["font_16"].trigger()
    stage.settle()
    after = stage.window.positions.table.visualRect(stage.window.positions.model.index(0, 0)).height()
    assert before == 24
    assert after == stage.look.row_height() > 24


def test_the_keyboard_goes_round_the_docks(stage):
    stage.put_sample()
    stage.window.activateWindow()
    stage.window.positions.table.setFocus()
    for target in (stage.window.queue.note, stage.window.risk.note, stage.window.capital.account_table):
        stage.window.focus_next_dock()
        assert target.hasFocus()
    stage.window.focus_next_dock()
    assert stage.window.positions.table.hasFocus()


def test_every_control_has_a_name_for_screen_readers(stage):
    stage.put_sample()
    stage.window.clicks.ask_panic()
    kinds = (QAbstractButton, QComboBox, QLineEdit, QTreeView)
    nameless = [
        widget
        for kind in kinds
        for widget in [*stage.window.findChildren(kind), *stage.window.clicks.sheet.findChildren(kind)]
        if not widget.objectName().startswith("qt_")
        and not (widget.accessibleName() or (hasattr(widget, "text") and widget.text()))
        and type(widget).__module__.startswith("exengine")
    ]
    assert nameless == []
    stage.window.clicks.sheet.reject()


def test_about_names_every_library_that_the_program_needs_with_its_licence(stage):
    assert {name.lower() for name in PARTS} == requirements()
    stage.window.clicks.show_about()
    shown = [label.text() for label in stage.window.clicks.sheet.findChildren(QLabel)]
    assert all(name in shown for name in PARTS)
    assert fmt.DASH not in shown
    stage.window.clicks.sheet.reject()


def requirements() -> set[str]:
    """What pyproject.toml says that the program needs on this platform."""
    read = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [line for line in read["project"]["dependencies"] if "win32" not in line]
    return {re.split(r"[\[<>=;]", line)[0].strip().lower() for line in lines}
