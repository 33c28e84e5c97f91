"""Queue, Risk, Capital and Status: what they say, what can be done there, and that nobody computes them unseen."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester

from exengine.domain.events import QueueAction
from exengine.domain.group import GroupKey
from exengine.domain.instrument import Side
from exengine.engine.panel_rows import Panel, Patch, RiskState, WaitingRow
from exengine.engine.rows import EngineStatus, Mode
from exengine.ui import format as fmt
from exengine.ui.positions_cells import Col as Column
from exengine.ui.queue_model import Col as QueueCol
from exengine.ui.queue_model import QueueModel
from exengine.ui.risk_model import Col as RiskCol
from exengine.ui.risk_model import offset_words, timer_text
from exengine.ui.risk_words import EVERYWHERE, Reach, duration, is_timed, looks, sentence
from exengine.ui.status_model import Col as StatusCol
from tests.ui import panels, rows

AVAX, LINK = "paper|AVAX/USDT|1h#1", "paper|LINK/USDT|15m#1"
XRP = GroupKey("paper", "XRP/USDT", "1h")


def do(on_loop, act) -> None:
    """Lets a click run on the loop, until what it started has ended."""

    async def main() -> None:
        act()
        for _ in range(5):
            await asyncio.sleep(0.001)

    on_loop.run_until_complete(main())


@pytest.fixture
def full(stage):
    stage.put_sample()
    stage.put(rows.changes(panels=panels.sample()))
    return stage


def texts(model, row: int) -> list[str]:
    return [cell.words() for cell in model.cells(model.index(row, 0))]


# Models


KEYS = st.sampled_from("abcdefgh")
STEP = st.one_of(
    st.tuples(st.just("put"), st.dictionaries(KEYS, st.integers(1, 6), min_size=1)),
    st.tuples(st.just("gone"), st.sets(KEYS, min_size=1)),
    st.tuples(st.just("sort"), st.tuples(st.integers(-1, 10), st.booleans())),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=1, max_size=12))
def test_whatever_comes_a_keyed_table_is_right_and_remembered_places_stay_true(qapp, steps):
    model, expected = QueueModel(), {}
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    remembered: dict[str, QPersistentModelIndex] = {}
    for what, given_with in steps:
        if what == "put":
            made = {key: panels.waiting(f"{key.upper()}/USDT", rank=rank) for key, rank in given_with.items()}
            expected |= made
            model.patch(Patch(rows=made), rows.NOW_MS)
        elif what == "gone":
            gone = tuple(key for key in given_with if key in expected)
            for key in gone:
                del expected[key]
            model.patch(Patch(gone=gone), rows.NOW_MS)
        else:
            column, descending = given_with
            model.sort(column, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder)
        shown = [model.key_at(model.index(row, 0)) for row in range(model.rowCount())]
        assert sorted(shown) == sorted(expected)
        for key in shown:
            assert model.row_of(key) is expected[key]
            remembered.setdefault(key, QPersistentModelIndex(model.index_of(key)))
        for key, kept in list(remembered.items()):
            if key not in expected or not kept.isValid():
                del remembered[key]
            else:
                assert model.key_at(kept) == key
    assert resets == []
    del tester


def test_an_unchanged_row_is_not_told_and_a_changed_one_only_where_it_was_seen(qapp):
    model = QueueModel()
    line = panels.sample_queue()
    model.patch(Patch(rows={row.key: row for row in line}), rows.NOW_MS)
    model.cells(model.index(0, 0))
    told = []
    model.dataChanged.connect(lambda first, last: told.append((first.row(), first.column(), last.column())))
    changed = [replace(row, loss_percent=row.loss_percent - 1, last=row.last - row.last / 100) for row in line[:2]]
    flashes = model.patch(Patch(rows={row.key: row for row in changed}), rows.NOW_MS)
    assert told == [(0, QueueCol.LAST, QueueCol.LOSS)]
    assert [(flash.column, flash.rose) for flash in flashes] == [(QueueCol.LAST, False), (QueueCol.LOSS, False)]


# Queue


def test_the_queue_is_shown_as_the_design_has_it(full):
    model = full.window.queue.model
    assert texts(model, 0) == [
        "1", "Deepest loss", "XRP/USDT 1h Long", "Pool full", "0.6120", "0.5988", "−2.16", "1", "30.00", "41 m",
        "paper",
    ]  # fmt: skip
    assert texts(model, 4)[:4] == ["—", "Waits for the short", "ETH/USDT 1h Long", "Opposite side"]
    assert model.cells(model.index(4, 0))[QueueCol.REASON].token == "warn"
    assert full.window.queue.windowTitle() == "Queue 5"


def test_promote_is_off_while_no_slot_is_free_and_says_why(full):
    queue = full.window.queue
    assert not queue.promote.isEnabled()
    assert "No slot is free" in queue.promote.toolTip()
    assert queue.force.isEnabled()
    queue.table.setCurrentIndex(queue.model.index(4, 0))
    assert not queue.force.isEnabled()
    assert queue.force.toolTip() == "The short of this pair is still open"
    assert not full.window.menus.actions["force_entry"].isEnabled()
    assert full.window.menus.actions["remove_entry"].text() == "Remove ETH/USDT 1h from the queue"


def test_with_a_free_slot_promoting_is_a_click_and_forcing_is_off(full, on_loop):
    free = [replace(row, needs_force=False) for row in panels.sample_queue()[:1]]
    full.put(rows.changes(panels=panels.panels(queue=free)))
    queue = full.window.queue
    assert not queue.force.isEnabled()
    do(on_loop, queue.promote.click)
    assert full.commands.asked == [("queue", QueueAction.PROMOTE, XRP, Side.LONG)]
    assert full.window.toasts.shown()[0].text.startswith("XRP/USDT 1h: Opened long")


def test_removing_needs_no_question(full, on_loop):
    do(on_loop, full.window.queue.remove.click)
    assert full.commands.asked == [("queue", QueueAction.REMOVE, XRP, Side.LONG)]


def test_forcing_names_what_happens_and_cancel_is_the_default(full, on_loop, qtbot):
    full.window.queue.force.click()
    sheet = full.window.clicks.sheet
    assert sheet.heading.text() == "Open a 7th group?"
    assert sheet.meaning.accessibleName() == (
        "The pool is 6, and 6 groups are open. XRP/USDT 1h long adds up to 2,500.00 USDT now, on paper, PAPER. "
        "It is flagged in the log."
    )
    qtbot.keyClick(sheet.focusWidget(), Qt.Key.Key_Return)
    assert full.commands.asked == []
    full.settle()
    full.window.queue.force.click()
    do(on_loop, full.window.clicks.sheet.action.click)
    assert full.commands.asked == [("queue", QueueAction.FORCE, XRP, Side.LONG)]


@pytest.mark.parametrize(
    ("used", "words"), [(0, "a 1st"), (7, "an 8th"), (10, "an 11th"), (21, "a 22nd"), (112, "a 113th")]
)
def test_the_next_group_has_its_ordinal(full, used, words):
    full.put(rows.changes(engine=rows.engine(pool_used=used)))
    full.window.clicks.ask_force(panels.waiting())
    assert full.window.clicks.sheet.heading.text() == f"Open {words} group?"
    full.window.clicks.sheet.reject()


def test_an_empty_queue_says_why(stage):
    stage.put(rows.changes(engine=rows.empty_engine(), panels=panels.empty()))
    queue = stage.window.queue
    assert queue.pages.currentWidget() is queue.note
    assert queue.note.text.text().startswith("Entries wait here when all 10 slots are taken")
    assert not queue.promote.isVisible()


def test_a_queue_whose_rows_have_not_come_yet_says_no_other_than_the_ribbon(stage):
    queue = stage.window.queue
    stage.put(rows.changes(engine=rows.engine(queued=5)))
    assert (queue.note.heading.text(), queue.windowTitle()) == ("5 entries wait", "Queue 5")
    stage.put(rows.changes(engine=rows.engine(queued=0)))
    assert (queue.note.heading.text(), queue.windowTitle()) == ("Nothing waits", "Queue")


def test_the_chosen_entry_stays_chosen_as_the_line_moves(full):
    queue = full.window.queue
    queue.table.setCurrentIndex(queue.model.index(1, 0))
    chosen = queue.current.key
    first, second = panels.sample_queue()[:2]
    moved = [replace(first, rank=2), replace(second, rank=1)]
    full.put(rows.changes(panels=panels.panels(queue=moved)))
    assert queue.model.index_of(chosen).row() == 0
    assert queue.current.key == chosen


def test_the_queue_is_sorted_by_the_trader_and_back(full):
    queue = full.window.queue
    queue.sorting.sort_by(QueueCol.LOSS)
    assert [row.symbol for row in queue.model.rows()][:2] == ["XRP/USDT", "ADA/USDT"]
    queue.sorting.sort_by(QueueCol.LOSS)
    assert [row.symbol for row in queue.model.rows()][-1] == "XRP/USDT"
    queue.sorting.sort_by(QueueCol.LOSS)
    assert [row.rank for row in queue.model.rows()] == [1, 2, 3, 4, None]


def test_rows_of_the_queue_are_copied_plainly(full):
    full.window.queue.table.copy()
    assert QGuiApplication.clipboard().text().split("\t")[:5] == [
        "1", "Deepest loss", "XRP/USDT 1h long", "Pool full", "0.612",
    ]  # fmt: skip


# Risk


def test_groups_are_shown_by_loss_with_timer_and_state(full):
    model = full.window.risk.model
    assert texts(model, 0)[:5] == ["AVAX 1h", "−6.84", "−341.58", "14:20", "5 / 5"]
    assert texts(model, 0)[RiskCol.STATE] == "Candidate"
    assert [row.symbol.split("/")[0] for row in model.rows()] == ["AVAX", "LINK", "SOL", "ETH", "BTC", "DOGE"]
    assert full.window.risk.heading.detail.text() == "next look in 6 s · 3 winners, 443.84 USD · after fees"


def test_the_title_counts_down_to_the_next_look(full):
    risk = full.window.risk
    risk.tick(rows.NOW_MS + 4_500)
    assert risk.heading.detail.text().startswith("next look in 2 s")
    risk.tick(rows.NOW_MS + 6_000)
    assert risk.heading.detail.text().startswith("looks now")


@pytest.mark.parametrize(
    ("about", "watching", "said"),
    [
        (panels.summary(), True, "next look in 6 s"),
        (panels.summary(), False, "every 10 s"),
        (replace(panels.summary(), next_look_at_ms=None), True, "every 10 s"),
        (panels.summary(enabled=False), True, "off: only on request"),
        (replace(panels.summary(), under_way=True), True, "an offset is under way"),
    ],
)
def test_when_the_risk_engine_looks_is_told(about, watching, said):
    assert looks(about, rows.NOW_MS, EVERYWHERE, watching=watching) == said


def test_what_is_switched_off_is_not_held_back_and_what_is_under_way_is():
    held = Reach(held="perp is away")
    off, under_way = panels.summary(enabled=False), replace(panels.summary(enabled=False), under_way=True)
    assert looks(off, rows.NOW_MS, held, watching=True) == "off: only on request"
    assert looks(under_way, rows.NOW_MS, held, watching=True) == "held back: perp is away"


def test_a_plan_that_is_held_back_has_no_hour():
    held = Reach(held="nothing can be stored")
    said = sentence(panels.risk(), panels.plan(), panels.summary(), rows.NOW_MS, held)
    assert said.startswith("**Held back:** nothing can be stored. Once it goes on, two winners would pay for closing")
    assert is_timed(panels.risk(), panels.plan())
    assert not is_timed(panels.risk(), panels.plan(), held)
    under_way = sentence(panels.risk(), panels.plan(under_way=True), panels.summary(), rows.NOW_MS, held)
    assert under_way.startswith("**Held back:** nothing can be stored. Two winners pay for closing it whole.")


def test_a_row_is_not_shaved_where_a_few_pixels_are_missing(full):
    full.window.resize(1440, 900)
    full.settle()
    risk = full.window.risk
    row, rows_high = risk.look.row_height(), risk.look.row_height() * risk.model.rowCount()
    pages = risk.pages
    spare = risk.table.viewport().height() - rows_high
    assert 0 <= spare < 3 * row
    pages.setFixedHeight(pages.height() - spare - 1)
    full.settle()
    for missing in (1, 2, 3, 4):
        assert risk.table.viewport().height() == rows_high, missing
        assert not risk.table.verticalScrollBar().isVisible()
        pages.setFixedHeight(pages.height() - 1)
        full.settle()
    pages.setFixedHeight(pages.height() - row)
    full.settle()
    assert risk.table.verticalScrollBar().isVisible()
    assert risk._narrowed == 0


def test_a_dock_that_scrolls_as_a_whole_has_a_table_that_does_not(full):
    risk = full.window.risk
    risk.pages.setFixedHeight(200)
    full.settle()
    assert risk.pages.widget(1).verticalScrollBar().isVisible()
    assert not risk.table.verticalScrollBar().isVisible()


def test_what_an_old_price_says_of_a_loss_is_muted_until_a_new_one_comes(full):
    risk, market = full.window.risk, ("perp", "ETH/USDT:USDT")
    risk.choose(next(row.id for row in risk.model.rows() if row.account == "perp"))
    row = risk.current
    market = (row.account, row.symbol)

    def tokens() -> list[str]:
        cells = risk.model.cells(risk.model.index_of(row.id))
        return [cells[column].token for column in (RiskCol.PERCENT, RiskCol.LOSS)]

    old = replace(rows.sample_quotes()[market], at_ms=rows.NOW_MS - 40_000)
    full.put(rows.changes(quotes={market: old}))
    risk.tick(rows.NOW_MS)
    assert tokens() == ["muted", "muted"]
    tip = risk.model.tooltip(risk.model.index_of(row.id).siblingAtColumn(RiskCol.LOSS))
    assert tip.startswith("Price of 40 s ago")
    assert tip.endswith("not to be trusted")
    moved = row._replace(loss_usd=row.loss_usd - 1)
    full.put(rows.changes(quotes={market: replace(old, at_ms=rows.NOW_MS)}, panels=panels.panels(risks=[moved])))
    assert tokens() != ["muted", "muted"]
    full.put(rows.changes(quotes={market: old}))
    risk.tick(rows.NOW_MS)
    full.put(rows.changes(quotes={market: replace(old, at_ms=rows.NOW_MS)}))
    risk.tick(rows.NOW_MS + 1_000)
    assert tokens() != ["muted", "muted"]


def test_an_empty_risk_dock_leads_to_its_settings_once_there_is_a_way(stage, qtbot):
    note = stage.window.risk.note
    assert note.action.isHidden()
    assert note.focus_target is note
    stage.window.risk.offer_settings()
    assert note.focus_target is note.action
    with qtbot.waitSignal(note.pressed):
        note.action.click()


def test_the_plan_is_told_in_words_and_in_rows(full):
    risk = full.window.risk
    assert risk.title.text() == "Projected plan for AVAX/USDT 1h"
    assert risk.words.accessibleName() == (
        "In 14 m 20 s two winners pay for closing it whole. BTC 4h closes too, so two slots are freed. "
        "Age filter is off."
    )
    shown = [texts(risk.plan_model, row) for row in range(risk.plan_model.rowCount())]
    assert shown == [
        ["BTC/USDT 4h", "Sell all 0.07798", "+239.74"],
        ["ETH/USDT 1h", "Buy back 0.664 of 1.152", "+106.57"],
        ["AVAX/USDT 1h", "Sell all 133.49", "−346.24"],
        ["Left over", "Covered 100.0 %", "+0.07"],
    ]


def test_the_timer_runs_on_the_screen_without_a_word_from_the_engine(full):
    full.now_ms += 20 * rows.SECOND
    full.bridge.ticked.emit(full.now_ms)
    assert texts(full.window.risk.model, 0)[RiskCol.TIMER] == "14:00"
    assert full.window.risk.words.accessibleName().startswith("In 14 m 0 s two winners pay")


def test_the_history_says_who_paid_and_what_was_left_over(full):
    history = full.window.risk.history
    assert [texts(history, row)[1:] for row in range(2)] == [
        ["ADA/USDT 2h closed by BTC 2h", "+0.08"],
        ["DOGE/USDT 1h closed 64 % by BTC 4h", "0.00"],
    ]


def test_run_now_shows_the_plan_and_asks(full, on_loop):
    full.window.risk.run.click()
    sheet = full.window.clicks.sheet
    assert sheet.heading.text() == "Close AVAX/USDT 1h with two winners now?"
    assert sheet.meaning.accessibleName().startswith(
        "3 market orders, about 12,083.14 USD: 2 on paper, PAPER, and 1 on perp, PAPER."
    )
    assert sheet.cancel.isDefault()
    do(on_loop, sheet.action.click)
    assert full.commands.asked == [("run_risk",)]


def test_run_now_says_real_money_where_only_a_winner_has_it(full):
    setup = full.window.clicks.setup
    accounts = [replace(one, mode=Mode.LIVE) if one.name == "perp" else one for one in setup.accounts]
    full.window.clicks.setup = replace(setup, accounts=tuple(accounts))
    full.window.risk.run.click()
    sheet = full.window.clicks.sheet
    assert sheet.mode is Mode.LIVE
    assert "2 on paper, PAPER, and 1 on perp, LIVE." in sheet.meaning.accessibleName()
    own = replace(panels.plan(), winners=panels.plan().winners[:1])
    full.put(rows.changes(panels=panels.panels(shown=own)))
    assert sheet.meaning.accessibleName().startswith("2 market orders on paper, PAPER, about ")
    sheet.reject()


def test_a_plan_that_is_no_longer_to_be_had_cannot_be_run(full):
    full.window.risk.run.click()
    sheet = full.window.clicks.sheet
    full.put(rows.changes(panels=panels.panels(about=panels.summary(next_id=None), shown=panels.no_plan())))
    assert not sheet.action.isEnabled()
    assert "no longer to be had" in sheet.meaning.accessibleName()
    sheet.reject()


def test_run_now_is_off_where_another_group_comes_first(full):
    full.put(rows.changes(panels=panels.panels(about=panels.summary(next_id=LINK))))
    risk = full.window.risk
    assert not risk.run.isEnabled()
    assert risk.run.toolTip().startswith("LINK/USDT 15m comes first")


def test_skip_and_block_need_no_question(full, on_loop):
    do(on_loop, full.window.risk.skip.click)
    do(on_loop, full.window.risk.block.click)
    key = GroupKey("paper", "AVAX/USDT", "1h")
    assert full.commands.asked == [("skip_once", key), ("set_blocked", key, True)]
    blocked = panels.risk()._replace(blocked=True, state=RiskState.BLOCKED)
    full.put(rows.changes(panels=panels.panels(risks=[blocked])))
    assert full.window.risk.block.text() == "Unblock"
    assert full.window.menus.actions["block_group"].text() == "Unblock AVAX/USDT 1h"
    do(on_loop, full.window.risk.block.click)
    assert full.commands.asked[-1] == ("set_blocked", key, False)


def test_choosing_a_group_asks_the_engine_for_its_plan(full):
    full.window.risk.choose(LINK)
    assert full.feed.watched[1] == LINK
    assert full.window.risk.title.text() == "Projected plan for LINK/USDT 15m"
    assert not full.window.risk.plan_table.isVisible()


@pytest.mark.parametrize(
    ("row", "plan", "about", "said"),
    [
        (panels.risk(timer_ms=0), panels.plan(), panels.summary(), "At the **next look** two winners pay"),
        (panels.risk(), panels.plan(), panels.summary(enabled=False), "**The risk engine is off.** On request two"),
        (panels.risk(blocked=True), panels.plan(), panels.summary(), "**Blocked by you.** Unblocked, two winners"),
        (panels.risk(skip_once=True), panels.plan(), panels.summary(), "**Passed over once.** After that two"),
        (
            panels.risk(state=RiskState.NOT_FULL, percent="-1.45", pyramids=4, timer_ms=None),
            panels.plan(),
            panels.summary(),
            "**Not yet:** 4 of 5 pyramids are in and it is at −1.45 %, not at −5.00 %. Then two winners would pay",
        ),
        (panels.risk(timer_ms=None), panels.plan(), panels.summary(), "**Not yet:** its timer has not begun. Then two"),
        (panels.risk(), panels.no_plan(), panels.summary(), "**Nothing pays for it now.** No group is in profit"),
        (panels.risk(), panels.plan(under_way=True), panels.summary(), "Two winners pay for closing it whole. The"),
        (panels.risk(state=RiskState.WINNER), None, panels.summary(), "It is in profit after fees"),
    ],
)
def test_the_plan_s_sentence_names_what_is_missing(row, plan, about, said):
    assert sentence(row, plan, about, rows.NOW_MS).startswith(said)


def test_a_part_that_is_covered_is_told_as_a_part(qapp):
    plan = panels.plan()
    part = replace(plan, loser=replace(plan.loser, qty=rows.D("67.23")))
    assert "for closing 50 % of it" in sentence(panels.risk(), part, panels.summary(), rows.NOW_MS)


@pytest.mark.parametrize(
    ("ends_ms", "text"),
    [
        (None, "—"),
        (0, "now"),
        (rows.NOW_MS + 59_001, "01:00"),
        (rows.NOW_MS - 5, "now"),
        (rows.NOW_MS + 7_300_000, "2 h"),
    ],
)
def test_a_timer_counts_down_to_the_second(ends_ms, text):
    assert timer_text(ends_ms, rows.NOW_MS) == text


def test_durations_and_several_payers_are_told_in_words():
    assert [duration(one) for one in (900, 59_000, 61_000, 7_260_000)] == ["1 s", "59 s", "1 m 1 s", "2 h 1 m"]
    many = replace(panels.sample_offsets()[1], winners=("a|B/U|1h#1", "a|C/U|4h#1", "a|D/U|1d#1"))
    assert offset_words(many).endswith("closed by B 1h, C 4h and D 1d")


def test_nothing_to_watch_is_said(stage):
    stage.put(rows.changes(engine=rows.empty_engine(), panels=panels.empty()))
    assert stage.window.risk.pages.currentWidget() is stage.window.risk.note


# Capital


def test_the_money_at_work_is_shown_by_pair(full):
    capital = full.window.capital
    assert (capital.deployed.text(), capital.free.text()) == ("27,458.99", "23,582.94")
    assert capital.gauge.accessibleDescription() == "Filled 37.0 %, Open DCA legs 16.8 %, Free 46.2 %"
    assert texts(capital.model, 0) == ["SOL/USDT", "6,498.70", "", "23.7 %", "61.5 %"]
    bars = [
        (cell.bar, cell.bar_open) for cell in (capital.model.cells(capital.model.index(row, 0))[2] for row in (0, 1))
    ]
    assert bars == [(0.385, 0.615), (0.769, 0.0)]


def test_bars_are_as_long_as_beside_the_longest_also_when_that_goes(full):
    full.put(rows.changes(panels=replace(panels.panels(), exposures=Patch(gone=("SOL/USDT",)))))
    capital = full.window.capital
    assert capital.model.cells(capital.model.index(0, 0))[2].bar == 1.0


def test_without_exposure_the_accounts_are_shown(stage):
    stage.put(rows.changes(engine=rows.empty_engine(), panels=panels.empty()))
    capital = stage.window.capital
    assert texts(capital.accounts, 0) == ["paper", "10,000.00", "Paper"]
    assert "a full group 500.00" in capital.note.text.text()


# Status


def test_every_part_is_told_and_what_is_not_known_is_a_dash(full):
    status = full.window.status
    assert texts(status.accounts, 0)[: StatusCol.RATE + 1] == ["paper Paper", "Connected", "—", "—", "—"]
    assert texts(status.accounts, 1)[: StatusCol.STREAM + 1] == [
        "perp TESTNET Bybit swap", "Connected", "131 ms", "+33 ms", "12 %", "512 · 4 h", "Stream, poll",
    ]  # fmt: skip
    told = {row[0]: row[1] for row in (texts(status.facts, line) for line in range(status.facts.rowCount()))}
    assert told["Listens at"] == "127.0.0.1:8787"
    assert (told["Size"], told["Last webhook"]) == ("14.8 MB", "4 m ago")
    assert status.windowTitle() == "Status"


def test_a_public_address_is_shown_from_its_name_on_and_copied_whole(full):
    full.put(rows.changes(panels=panels.panels(parts=panels.status(mode=Mode.LIVE))))
    facts = full.window.status.facts
    place = next(line for line in range(facts.rowCount()) if texts(facts, line)[0] == "Public URL")
    cell = facts.cells(facts.index(place, 1))[1]
    assert (cell.text, cell.copied()) == ("hooks.example.com", "https://hooks.example.com")
    assert facts.tooltip(facts.index(place, 1)) == "https://hooks.example.com"


def test_what_does_not_work_is_counted_on_the_tab(full):
    full.put(rows.changes(panels=panels.panels(parts=panels.status(away=True))))
    status = full.window.status
    assert status.windowTitle() == "Status 3"
    assert status.heading.detail.text() == "3 parts do not work"
    away = status.accounts.cells(status.accounts.index(1, 0))
    assert (away[StatusCol.CONNECTION].words(), away[StatusCol.CONNECTION].token) == ("Away", "error")
    assert "timed out" in status.accounts.tooltip(status.accounts.index(1, StatusCol.CONNECTION))
    told = {row[0]: row[1] for row in (texts(status.facts, line) for line in range(status.facts.rowCount()))}
    assert told["Store"].startswith("The disk is full")
    assert told["Public URL"] == "Not reachable"


def test_a_long_delay_is_told_in_seconds_and_the_mode_of_an_account_in_a_word(full):
    full.put(rows.changes(panels=panels.panels(parts=panels.status(away=True))))
    perp = texts(full.window.status.accounts, 1)
    assert perp[StatusCol.ACCOUNT] == "perp TESTNET Bybit swap"
    assert (perp[StatusCol.LATENCY], perp[StatusCol.CLOCK]) == ("10.0 s", "+1.4 s")


def test_one_under_the_other_each_table_has_the_height_of_its_rows(full):
    window, status = full.window, full.window.status
    window.tabifyDockWidget(window.risk, status)
    full.settle()
    status.raise_()
    full.settle()
    row = window.look.row_height()
    accounts = status.account_table
    assert 0 <= accounts.viewport().height() - 2 * row < row, "two accounts, and no empty room below them"
    assert status.fact_table.verticalScrollBar().maximum() == 0
    assert status.task_table.verticalScrollBar().maximum() == 0


def test_where_there_is_no_public_address_the_way_to_one_is_named(full):
    status = full.window.status
    assert status.heading.detail.text() == "all parts work · no public address: Tools, Tunnel…"
    full.put(rows.changes(panels=panels.panels(parts=panels.status(mode=Mode.LIVE))))
    assert status.heading.detail.text() == "all parts work"


# Coins that are gone


def missing(stage) -> None:
    row = next(row for row in rows.sample_groups() if row.symbol == "SOL/USDT")
    why = "the account holds 10.2 SOL, its groups bought 16.964 SOL"
    stage.put(rows.changes([replace(row, error=why, missing_qty=rows.D("6.764"))]))


def test_the_difference_is_shown_and_the_exchange_s_view_can_be_adopted(full, on_loop):
    missing(full)
    positions = full.window.positions
    index = positions.model.index_of("paper|SOL/USDT|1h#1")
    assert positions.model.cells(index)[Column.STATUS].words() == "Missing"
    positions.table.setCurrentIndex(index)
    adopt = full.window.menus.actions["adopt_view"]
    assert adopt.isEnabled()
    adopt.trigger()
    sheet = full.window.clicks.sheet
    assert sheet.heading.text() == "Adopt the exchange’s view of SOL/USDT 1h?"
    group = full.window.book.groups["paper|SOL/USDT|1h#1"]
    cost = fmt.number(rows.D("6.764") * group.holding.cost / group.net_qty, 2)
    said = f"Of this group 6.764 SOL count as closed by hand, at their cost of about {cost} USDT"
    assert said in sheet.meaning.accessibleName()
    do(on_loop, sheet.action.click)
    assert full.commands.asked == [("adopt", "paper|SOL/USDT|1h#1")]


def test_a_group_without_a_difference_has_nothing_to_adopt(full):
    full.window.positions.table.setCurrentIndex(full.window.positions.model.index(0, 0))
    assert not full.window.menus.actions["adopt_view"].isEnabled()
    full.window.clicks.ask_adopt("paper|SOL/USDT|1h#1")
    assert full.window.clicks.sheet is None


# Seen and unseen


def test_only_what_can_be_seen_is_watched(full):
    window = full.window
    assert full.feed.watched[0] == {Panel.QUEUE, Panel.RISK, Panel.CAPITAL}
    window.status.raise_()
    full.settle()
    assert full.feed.watched[0] == {Panel.STATUS, Panel.RISK, Panel.CAPITAL}
    window.risk.close()
    window.capital.close()
    full.settle()
    assert full.feed.watched[0] == {Panel.STATUS}


def test_while_the_status_is_seen_it_is_asked_for_each_second(full):
    full.window.status.raise_()
    full.settle()
    full.bridge.flush()
    taken = full.feed.taken
    full.bridge._on_tick()
    full.bridge.flush()
    assert full.feed.taken > taken


def test_every_dock_bears_a_paused_engine_and_every_mode(stage):
    for mode in Mode:
        stage.put(rows.changes(engine=rows.engine(status=EngineStatus.PAUSED, mode=mode), panels=panels.error()))
        stage.put(rows.changes(panels=panels.busy()))


def test_context_menus_name_the_row(full):
    queue, risk = full.window.queue, full.window.risk
    for dock, first in ((queue, "Promote XRP/USDT 1h"), (risk, "Run the plan of AVAX/USDT 1h now…")):
        menu = dock.context_menu(dock.table.visualRect(dock.model.index(0, 0)).center())
        assert menu.actions()[0].text() == first
        assert menu.actions()[-1].text() == "Copy"
        menu.deleteLater()


def test_a_waiting_row_is_what_the_signal_carries(full):
    heard: list[WaitingRow] = []
    full.window.queue.asked.disconnect()
    full.window.queue.asked.connect(lambda action, row: heard.append(row))
    full.window.queue.remove.click()
    assert [row.symbol for row in heard] == ["XRP/USDT"]


def test_a_note_s_text_is_as_tall_as_it_needs_to_be_after_the_font_has_shrunk_again(stage, look):
    note = stage.window.risk.note
    stage.window.resize(1440, 900)
    stage.settle()
    tall = note.text.height()
    look.choose(font_size=20)
    stage.settle()
    assert note.text.height() > tall
    look.choose(font_size=10)
    stage.window.resize(1441, 900)
    stage.settle()
    assert note.text.height() == note.text.heightForWidth(note.text.width())
    assert note.text.height() <= tall
