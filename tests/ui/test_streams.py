"""Signals and log lines: appended, bounded, filtered without a reset, and the end in view."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester

from exengine.engine.log_pages import LogWanted
from exengine.engine.rows import Category, Severity
from exengine.ui import format as fmt
from exengine.ui.log_dock import LogDock
from exengine.ui.log_model import Col as LogCol
from exengine.ui.log_model import LogModel
from exengine.ui.signals_dock import SignalsDock
from exengine.ui.signals_model import Col, SignalsModel
from exengine.ui.stream_model import SLACK
from tests.ui import rows


def numbers(model: LogModel | SignalsModel) -> list[int]:
    found = (model.row_at(model.index(row, 0)) for row in range(model.rowCount()))
    return [row.id for row in found if row is not None]


@pytest.fixture
def log(qapp) -> LogModel:
    return LogModel()


@pytest.fixture
def signals(qapp) -> SignalsModel:
    return SignalsModel()


def test_a_signal_grows_as_it_is_decided_and_stays_in_its_place(signals, qtbot):
    waiting = replace(rows.signal(2, outcome="", ordered=False))
    signals.take([rows.signal(1), waiting, rows.signal(3)])
    assert signals.data(signals.index(1, Col.OUTCOME)) == "Being decided"
    with qtbot.waitSignal(signals.dataChanged) as told:
        signals.take([rows.signal(2)])
    assert told.args[0].row() == 1
    assert signals.data(signals.index(1, Col.OUTCOME)) == "Opened"
    assert signals.data(signals.index(1, Col.ACKNOWLEDGED)) == "263 ms"
    assert numbers(signals) == [1, 2, 3]


def test_an_invalid_signal_names_its_fields(signals):
    signals.take(rows.sample_signals())
    row = signals.index_of(8)
    assert signals.data(row.siblingAtColumn(Col.REASON)) == "tv.symbol, tv.timeframe"
    assert signals.data(row.siblingAtColumn(Col.PAIR)) == "—"


def test_a_late_line_goes_where_its_number_belongs(log):
    log.take([rows.log(1, "one"), rows.log(5, "five")])
    log.take([rows.log(3, "three"), rows.log(7, "seven")])
    assert numbers(log) == [1, 3, 5, 7]


def test_the_oldest_go_in_lots(qapp, qtbot):
    model = LogModel(limit=100)
    model.take([rows.log(number, "line") for number in range(1, 101 + SLACK - 1)])
    assert model.rowCount() == 100 + SLACK - 1
    with qtbot.waitSignal(model.trimmed) as told:
        model.take([rows.log(number, "line") for number in range(1_000, 1_002)])
    assert model.rowCount() == model.total == 100
    assert told.args == [SLACK + 1]
    assert numbers(model)[-1] == 1_001


def test_at_a_new_day_times_get_their_date(log):
    log.take([rows.log(1, "line", at_ms=rows.NOW_MS)])
    log.tick(rows.NOW_MS)
    assert " " not in log.data(log.index(0, LogCol.TIME))
    log.tick(rows.NOW_MS + rows.DAY)
    assert log.data(log.index(0, LogCol.TIME)).startswith("Nov 23 ")


LINES = [
    rows.log(number, text, severity=severity, category=category)
    for number, (text, severity, category) in enumerate(
        [
            ("bought", Severity.INFO, Category.ORDER),
            ("rejected order", Severity.ERROR, Category.ORDER),
            ("offset", Severity.INFO, Category.RISK),
            ("late", Severity.WARNING, Category.SYSTEM),
            ("order by hand", Severity.WARNING, Category.ORDER),
        ],
        1,
    )
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sets(st.sampled_from(list(Severity))),
            st.sets(st.sampled_from(list(Category))),
            st.sampled_from(["", "order", "hand order", "nothing"]),
            st.integers(0, 4),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_the_chips_let_through_is_what_is_shown(qapp, steps):
    model, wanted = LogModel(), LogWanted()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    resets: list[None] = []
    model.modelReset.connect(lambda: resets.append(None))
    came: dict[int, object] = {}
    for severities, categories, search, arriving in steps:
        wanted = LogWanted(
            severities=frozenset(severities), categories=frozenset(categories), words=tuple(search.lower().split())
        )
        model.filter(wanted.matches)
        model.take([LINES[arriving]])
        came[LINES[arriving].id] = LINES[arriving]
        assert numbers(model) == sorted(number for number, row in came.items() if wanted.matches(row))  # type: ignore[arg-type]
    assert not resets
    assert tester is not None


def test_a_row_that_qt_remembers_is_the_same_after_older_ones_went(qapp):
    model = LogModel(limit=100)
    model.take([rows.log(number, "line") for number in range(1, 100)])
    kept = QPersistentModelIndex(model.index_of(90))
    model.take([rows.log(number, "line") for number in range(100, 700)])
    assert not kept.isValid()
    kept = QPersistentModelIndex(model.index_of(690))
    model.take([rows.log(number, "line") for number in range(700, 1_250)])
    assert not kept.isValid() or model.row_at(kept).id == 690


SORT = st.tuples(st.just("sort"), st.integers(-1, 4), st.booleans())
TAKE = st.tuples(st.just("take"), st.integers(1, 40), st.sampled_from("abc"))
FILTER = st.tuples(st.just("filter"), st.sampled_from(["", "a", "b", "nothing"]), st.none())


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(SORT, TAKE, FILTER), min_size=1, max_size=14))
def test_whatever_comes_a_sorted_stream_stays_sorted_and_remembers_its_places(qapp, steps):
    model, wanted = LogModel(), LogWanted()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    came, column, descending = {}, -1, False
    remembered: dict[int, QPersistentModelIndex] = {}
    for what, first, second in steps:
        if what == "sort":
            column, descending = first, second and first >= 0
            model.sort(first, Qt.SortOrder.DescendingOrder if second else Qt.SortOrder.AscendingOrder)
        elif what == "take":
            came[first] = rows.log(first, second, symbol=f"{second}/USDT")
            model.take([came[first]])
        else:
            wanted = LogWanted(words=tuple(first.split()))
            model.filter(wanted.matches)
        shown = numbers(model)
        assert sorted(shown) == sorted(number for number, row in came.items() if wanted.matches(row))
        if column in (LogCol.TEXT, -1):
            keys = [(came[number].text, number) if column >= 0 else number for number in shown]
            assert keys == sorted(keys, reverse=descending)
        for number in shown:
            assert model.row_at(model.index_of(number)).id == number
            remembered.setdefault(number, QPersistentModelIndex(model.index_of(number)))
        for number, kept in list(remembered.items()):
            if not kept.isValid():
                del remembered[number]
            else:
                assert model.row_at(kept) is came[number]
    assert tester is not None


def test_a_sorted_stream_that_is_trimmed_loses_its_oldest(qapp):
    model = LogModel(limit=100)
    model.sort(LogCol.TEXT, Qt.SortOrder.DescendingOrder)
    model.take([rows.log(number, f"line {number % 7}") for number in range(1, 101 + SLACK + 1)])
    assert model.rowCount() == model.total == 100
    assert min(numbers(model)) == SLACK + 2
    texts = [model.row_at(model.index(row, 0)).text for row in range(model.rowCount())]
    assert texts == sorted(texts, reverse=True)


# Docks


@pytest.fixture
def dock(look, icons, qtbot) -> LogDock:
    made = LogDock(look, icons)
    qtbot.addWidget(made)
    made.resize(1200, 220)
    made.show()
    made.apply(rows.changes(log=[rows.log(number, f"line {number}") for number in range(1, 101)]), rows.NOW_MS)
    qtbot.wait(20)
    return made


def at_end(dock: LogDock) -> bool:
    bar = dock.table.verticalScrollBar()
    return bar.value() == bar.maximum()


def test_the_end_is_followed_until_the_trader_scrolls_away_and_again_when_he_is_back(dock, qtbot):
    assert at_end(dock)
    dock.table.verticalScrollBar().setValue(10)
    assert not dock.follow.isChecked()
    dock.apply(rows.changes(log=[rows.log(500, "more")]), rows.NOW_MS)
    qtbot.wait(10)
    assert dock.table.verticalScrollBar().value() == 10
    dock.table.verticalScrollBar().setValue(dock.table.verticalScrollBar().maximum())
    assert dock.follow.isChecked()
    dock.apply(rows.changes(log=[rows.log(501, "more")]), rows.NOW_MS)
    qtbot.wait(10)
    assert at_end(dock)


def test_a_search_narrows_and_clearing_brings_all_back(dock, qtbot):
    qtbot.keyClicks(dock.search, "line 42")
    qtbot.waitUntil(lambda: dock.model.rowCount() == 1)
    assert dock.heading.detail.text() == "1 of 100"
    dock.search.setText("no such line")
    dock.apply_filter()
    assert dock.pages.currentWidget() is dock.note
    assert dock.note.heading.text() == "Nothing matches"
    dock.note.action.click()
    assert dock.model.rowCount() == 100
    assert dock.pages.currentWidget() is dock.table


def test_a_line_that_a_filter_hides_is_still_found(dock):
    dock.chips.severities[Severity.ERROR].click()
    assert dock.model.rowCount() == 0
    dock.show_row(rows.log(50, "line 50"))
    assert dock.model.row_at(dock.table.currentIndex()).id == 50


def test_rows_are_copied_plainly(dock):
    dock.table.setCurrentIndex(dock.model.index(0, 0))
    dock.table.copy()
    when = fmt.iso(rows.log(1, "").at_ms)
    assert QGuiApplication.clipboard().text() == "\t".join([when, "Info", "Order", "", "line 1"])


def test_the_number_of_signals_is_told_at_once_and_then_with_the_clock(look, icons, qtbot):
    dock = SignalsDock(look, icons)
    qtbot.addWidget(dock)
    dock.apply(rows.changes(signals=rows.sample_signals()), rows.NOW_MS)
    assert dock.windowTitle() == "Signals 12"
    more = [replace(row, id=row.id + 1_000) for row in rows.sample_signals()]
    dock.apply(rows.changes(signals=more), rows.NOW_MS + 100)
    assert dock.windowTitle() == "Signals 12"
    dock.tick(rows.NOW_MS + 1_000)
    assert dock.windowTitle() == "Signals 24"


def test_the_payload_is_shown_when_asked_for(look, icons, qtbot):
    dock = SignalsDock(look, icons)
    qtbot.addWidget(dock)
    dock.resize(1200, 300)
    dock.show()
    dock.apply(rows.changes(signals=rows.sample_signals()), rows.NOW_MS)
    dock.table.setCurrentIndex(dock.model.index(0, 0))
    assert not dock.payload.isVisible()
    dock.show_payload.click()
    assert '"exchange": "BINANCE"' in dock.payload.toPlainText()
    for height in range(150, 190):
        dock.resize(1200, height)
        qtbot.wait(0)
        shown, line = dock.payload.viewport().height(), dock.payload.fontMetrics().lineSpacing()
        assert shown < dock.payload.document().blockCount() * line, "all of it has room: nothing could be cut"
        assert (shown - dock.payload.document().documentMargin()) % line == 0, f"half a line at the foot of {height}"


def test_the_end_is_followed_too_when_the_dock_becomes_lower(dock, qtbot):
    bar = dock.table.verticalScrollBar()
    dock.resize(dock.width(), dock.height() - 70)
    qtbot.waitUntil(lambda: bar.value() == bar.maximum() > 0)
    bar.setValue(3)
    dock.resize(dock.width(), dock.height() - 30)
    qtbot.wait(1)
    assert bar.value() == 3, "who reads further up stays there"


def test_a_dock_that_is_too_low_loses_the_explanation_before_it_is_cut(dock, qtbot):
    dock.search.setText("no such line")
    dock.apply_filter()
    note = dock.note
    qtbot.waitUntil(note.text.isVisible)
    low = note.heading.height() + note.text.height() + note.action.height()
    dock.resize(1200, dock.height() - note.height() + low + 36)
    qtbot.waitUntil(lambda: not note._picture.isVisible())
    assert note.text.isVisible(), "there is room for all but the picture"
    dock.resize(1200, dock.height() - note.height() + low)
    qtbot.waitUntil(lambda: not note.text.isVisible())
    assert note.heading.isVisible()
    assert note.heading.toolTip() == note.text.text()
    dock.resize(1200, 220)
    qtbot.waitUntil(note.text.isVisible)


def test_a_stream_that_the_trader_sorts_is_not_followed_until_it_runs_by_time_again(dock):
    dock.table.heading.sort_asked.emit(LogCol.TEXT)
    assert not dock.follow.isEnabled()
    assert dock.model.row_at(dock.model.index(0, 0)).text == "line 1"
    assert dock.model.row_at(dock.model.index(1, 0)).text == "line 10"
    dock.table.heading.sort_asked.emit(LogCol.TEXT)
    dock.table.heading.sort_asked.emit(LogCol.TEXT)
    assert dock.follow.isEnabled()
    assert at_end(dock)


def test_latencies_are_sorted_as_numbers(signals):
    signals.take(rows.sample_signals())
    signals.sort(Col.ACKNOWLEDGED, Qt.SortOrder.DescendingOrder)
    values = [signals.cells(signals.index(row, 0))[Col.ACKNOWLEDGED].value for row in range(signals.rowCount())]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values[: len(known)] == known
