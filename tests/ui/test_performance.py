"""The Performance dock: read a page at a time, worked out aside, only while it is looked at."""

import asyncio
import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPicture
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from exengine.analytics.calendar import Calendar, Range
from exengine.analytics.equity import Equity, Now
from exengine.analytics.history import Day, ResultPage
from exengine.analytics.report import Report, Wanted
from exengine.analytics.report import report as worked_out
from exengine.analytics.trades import Trades
from exengine.engine.changes import StoreFailed
from exengine.ui import format as fmt
from exengine.ui import performance_feed
from exengine.ui.book import Book
from exengine.ui.exports import Exports, Item
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import Loop
from exengine.ui.performance_axes import Axis, CountAxis, NumberAxis, nice_step, places_of, tick_words, time_ticks
from exengine.ui.performance_equity import stepped
from exengine.ui.performance_view import PerformanceView
from exengine.ui.pieces import PartedLabel
from exengine.ui.theme import Look, Role, Scheme
from tests.helpers.results import DAY_MS, HOUR_MS, Shelf, at, mark, result, traded
from tests.ui import rows
from tests.ui.performance_screens import SCENES, Stage, day_of, live

D = rows.D


@pytest.fixture
def stage(qapp: QApplication, look: Look, on_loop: Loop, tmp_path: Path, qtbot) -> Iterator[Stage]:
    made = Stage(on_loop, look, tmp_path, (1440, 900))
    made.shelf.today = Day()
    yield made
    made.ask(made.dock.feed.cancel)
    made.close()


def trade(stage: Stage, count: int = 175) -> None:
    stage.shelf.add(*traded(count, until_ms=rows.NOW_MS))


def reads(stage: Stage, what: str) -> list[int]:
    return [seq for asked, seq in stage.shelf.asked if asked == what]


# reading --------------------------------------------------------------------------------------------------------------


def test_nothing_is_read_while_the_dock_is_hidden(stage: Stage) -> None:
    trade(stage)

    async def shown() -> None:
        stage.window.show()
        stage.feed.put(live())
        stage.bridge.flush()
        stage.window.performance.tick(rows.NOW_MS + 60_000)
        await stage.rest()

    stage.loop.run_until_complete(shown())
    assert stage.shelf.asked == []
    assert stage.dock.view is None
    stage.ask(lambda: stage.window.put_layout("performance"))
    assert reads(stage, "results") == [0]
    assert stage.dock.report is not None


def test_a_new_close_reads_only_what_is_new(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance_feed, "PAGE", 50)
    trade(stage, 120)
    stage.show(live(closed_groups=120))
    assert reads(stage, "results") == [0, 50, 100]
    stage.shelf.asked.clear()
    stage.shelf.add([result("500", number=999, closed_at_ms=rows.NOW_MS)], [mark("600", at_ms=rows.NOW_MS)])

    def closed() -> None:
        stage.feed.put(rows.changes(engine=rows.engine(closed_groups=121)))
        stage.bridge.flush()

    stage.ask(closed)
    assert reads(stage, "results") == [120]
    assert stage.dock.report.figures.closed == 121
    assert stage.dock.report.best[0].result == 500


def test_what_has_not_closed_anything_is_no_reason_to_read(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    stage.shelf.asked.clear()

    def queued() -> None:
        stage.feed.put(rows.changes(engine=rows.engine(queued=9)))
        stage.bridge.flush()

    stage.ask(queued)
    assert stage.shelf.asked == []


def test_the_last_point_follows_the_prices_while_somebody_looks(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    before = stage.dock.report.now.unrealised
    quotes = {key: replace(quote, price=quote.price * D("1.01")) for key, quote in rows.sample_quotes().items()}

    def moved() -> None:
        stage.feed.put(rows.changes(quotes=quotes))
        stage.bridge.flush()
        stage.dock.tick(rows.NOW_MS + 4_000)
        assert not stage.dock.feed.is_working
        stage.dock.tick(rows.NOW_MS + 6_000)

    stage.ask(moved)
    assert stage.dock.report.now.unrealised != before


def test_another_range_is_worked_out_from_what_was_read(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    whole = stage.dock.report.figures.closed
    stage.ask(stage.dock.range.segments.buttons["week"].click)
    report = stage.dock.report
    assert report.wanted.range is Range.WEEK
    assert report.figures.closed < whole
    assert report.begins_ms == at("2026-11-23 00:00")
    assert stage.dock.heading.detail.text() == "Nov 23"


def test_a_range_of_ones_own_asks_for_its_days(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    assert stage.dock.range.isHidden()
    stage.ask(lambda: stage.dock.range.choose(Range.CUSTOM))
    assert stage.dock.range.isVisible()
    stage.ask(lambda: stage.dock.range.first.setDate(stage.dock.range.first.date().addDays(9)))
    assert stage.dock.report.begins_ms == at("2026-11-10 00:00")
    assert stage.dock.heading.detail.text() == "Nov 10 to Nov 23"


def test_a_range_of_ones_own_has_a_realised_total_of_its_own(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    card = stage.dock.view.cards.cards["all"]
    of_all = card.value.text()
    assert card.accessibleName() == f"All realised: {of_all}, {card.below.text()}"
    stage.ask(lambda: stage.dock.range.choose(Range.CUSTOM))
    stage.ask(lambda: stage.dock.range.first.setDate(stage.dock.range.first.date().addDays(9)))
    closed = sum((one.realised for one in stage.shelf.rows if one.closed_at_ms >= at("2026-11-10 00:00")), D(0))
    assert card.value.text() == fmt.signed(closed, 2) != of_all
    assert card.caption.text() == "In range"
    assert of_all in card.toolTip()
    stage.ask(lambda: stage.dock.range.choose(Range.MONTH))
    assert (card.caption.text(), card.value.text()) == ("All realised", of_all)


class Gate(Shelf):
    """Hands out pages only as they are let through."""

    def __init__(self) -> None:
        super().__init__()
        self.may_read = asyncio.Event()
        self.waiting = asyncio.Event()

    async def results_after(self, seq: int, count: int) -> ResultPage:
        self.waiting.set()
        await self.may_read.wait()
        return await super().results_after(seq, count)


def slowly(stage: Stage) -> Gate:
    """A history that does not answer until it is let."""
    gate = Gate()
    gate.add(*traded(40, until_ms=rows.NOW_MS))
    stage.dock.feed._history = gate
    return gate


def test_what_takes_long_shows_progress_and_can_be_cancelled_and_goes_on_later(stage: Stage) -> None:
    gate = slowly(stage)

    async def looked() -> None:
        stage.window.show()
        stage.window.put_layout("performance")
        stage.feed.put(live())
        stage.bridge.flush()
        await gate.waiting.wait()
        assert stage.dock.stop.isHidden()
        stage.dock.feed._timer.timeout.emit()
        assert stage.dock.stop.isVisible()
        assert stage.dock.heading.detail.text() == "Reading 0 of 80 rows"
        assert stage.dock.note.heading.text() == "Reading the history"
        stage.dock.stop.click()
        await stage.rest()

    stage.loop.run_until_complete(looked())
    assert stage.dock.stop.isHidden()
    assert not stage.dock.heading.detail.text()
    assert stage.dock.note.heading.text() == "The reading was stopped"
    gate.may_read.set()
    stage.ask(stage.dock.note.action.click)
    assert stage.dock.report.figures.closed == 40


def test_a_range_chosen_while_it_reads_is_the_one_that_is_shown(stage: Stage) -> None:
    gate = slowly(stage)

    async def looked() -> None:
        stage.window.show()
        stage.window.put_layout("performance")
        stage.feed.put(live())
        stage.bridge.flush()
        await gate.waiting.wait()
        stage.dock.range.choose(Range.MONTH)
        gate.may_read.set()
        await stage.rest()

    stage.loop.run_until_complete(looked())
    assert stage.dock.report.wanted.range is Range.MONTH
    assert stage.dock.report.figures.closed == len(
        [row for row in gate.rows if row.closed_at_ms >= at("2026-11-01 00:00")]
    )


def test_going_away_stops_the_reading_without_a_word(stage: Stage) -> None:
    gate = slowly(stage)

    async def looked() -> None:
        stage.window.show()
        stage.window.put_layout("performance")
        stage.feed.put(live())
        stage.bridge.flush()
        await gate.waiting.wait()
        stage.window.put_layout("trade")
        await stage.rest()
        gate.may_read.set()
        stage.window.put_layout("performance")
        await stage.rest()

    stage.loop.run_until_complete(looked())
    assert stage.dock.report.figures.closed == 40


# states ---------------------------------------------------------------------------------------------------------------


def test_without_a_closed_group_it_says_why_and_what_next(stage: Stage, qtbot) -> None:
    stage.show(rows.changes(engine=rows.empty_engine()))
    assert stage.dock.pages.currentWidget() is stage.dock.note
    assert stage.dock.note.heading.text() == "No closed group yet"
    assert not stage.dock.csv.isEnabled()
    with qtbot.waitSignal(stage.dock.test_asked):
        stage.dock.note.action.click()


def test_a_store_that_cannot_be_read_is_said_with_what_is_safe_and_tried_again(stage: Stage, qtbot) -> None:
    trade(stage)
    stage.shelf.fault = StoreFailed("The disk does not read the store’s file.")
    stage.show(live())
    assert stage.dock.pages.currentWidget() is stage.dock.fault
    assert "The disk does not read" in stage.dock.fault.text.text()
    assert "trading does not wait for these figures" in stage.dock.fault.text.text()
    assert "then try again" in stage.dock.fault.text.text()
    with qtbot.waitSignal(stage.dock.status_asked):
        stage.dock.fault.other.click()
    stage.shelf.fault = None
    stage.ask(stage.dock.fault.action.click)
    assert stage.dock.pages.currentWidget() is stage.dock.view


def test_figures_stay_where_a_later_reading_fails(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    stage.shelf.fault = StoreFailed("The store is locked by another program.")
    stage.ask(stage.dock.feed.ask)
    assert stage.dock.pages.currentWidget() is stage.dock.view
    assert stage.dock.heading.detail.text() == (
        "Not up to date, as of Nov 23, 13:32: The store is locked by another program · Trading goes on"
    )
    stage.shelf.fault = None
    assert stage.dock.again.isVisible()
    stage.ask(stage.dock.again.click)
    assert not stage.dock.again.isVisible()
    assert stage.dock.heading.detail.text().startswith("Sep")


def test_groups_without_a_price_in_dollars_are_counted(stage: Stage) -> None:
    stage.shelf.add([result("5", quote="EUR", symbol="BTC/EUR"), result("7")], [mark("7", at_ms=rows.NOW_MS)])
    stage.show(live())
    assert "1 group left out" in stage.dock.heading.detail.text()


def test_a_range_in_which_nothing_closed_says_so(stage: Stage) -> None:
    stage.shelf.add(*traded(20, until_ms=rows.NOW_MS - 3 * DAY_MS, span_ms=5 * DAY_MS))
    stage.show(live())
    stage.ask(lambda: stage.dock.range.choose(Range.TODAY))
    view = stage.dock.view
    assert view.heat_pane.pages.currentWidget() is not view.heat
    assert view.cards.cards["win_rate"].value.text() == "—"
    assert view.cards.cards["sharpe"].value.text() == "—"
    assert view.cards.cards["sharpe"].below.text() == "from two days on"
    assert view.groups.left.pages.currentWidget().isAncestorOf(view.groups.show_all)
    stage.ask(view.groups.show_all.click)
    assert stage.dock.range.wanted.range is Range.ALL
    assert view.groups.best.rowCount() == 10


def test_a_range_of_its_own_says_that_its_fall_is_its_own(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    below = stage.dock.view.cards.cards["drawdown"].below
    assert below.text().startswith("now ")
    assert not below.text().endswith("in range")
    stage.ask(lambda: stage.dock.range.choose(Range.MONTH))
    assert stage.dock.view.cards.cards["drawdown"].below.text().endswith(" % in range")


# what is shown --------------------------------------------------------------------------------------------------------


@pytest.fixture
def book() -> Book:
    made = Book()
    made.apply(live())
    return made


@pytest.fixture
def report() -> Report:
    trades, equity = Trades(), Equity()
    results, marks = traded(175, until_ms=rows.NOW_MS)
    trades.add(results, lambda account, quote: None)
    equity.add(marks)
    now = Now(at_ms=rows.NOW_MS, start_equity=D(50_000), unrealised=D("70.13"))
    return worked_out(trades, equity, day_of(results), Wanted(), now, Calendar("UTC"))


@pytest.fixture
def view(look: Look, icons: Icons, book: Book, report: Report, qtbot) -> PerformanceView:
    made = PerformanceView(look, icons, book)
    qtbot.addWidget(made)
    made.resize(1400, 780)
    made.show_report(report, UTC)
    made.show()
    Stage.settle()
    return made


def test_the_cards_show_the_report(view: PerformanceView) -> None:
    report, cards = view.report, view.cards.cards
    assert cards["all"].value.text() == f"{report.realised.all:+,.2f}".replace("-", "−")
    assert cards["win_rate"].below.text() == f"{report.figures.wins} of 175"
    assert cards["unrealised"].below.text() == "6 groups"
    assert cards["drawdown"].value.text().startswith("−")
    assert cards["sides"].value.text().endswith(" long")
    assert cards["all"].accessibleName().startswith("All realised: ")


def test_the_tables_rank_the_best_and_the_worst(view: PerformanceView) -> None:
    groups, report = view.groups, view.report
    assert [row.line for row in groups.best.rows()] == report.best
    assert groups.worst.rowCount() == 10
    assert groups.best.cells(groups.best.index(0, 0))[4].value == report.best[0].result
    groups.tables["best"].heading.sort_asked.emit(5)
    percents = [row.line.return_percent for row in groups.best.rows()]
    assert percents == sorted(percents, reverse=True)


@pytest.mark.parametrize("key", ["pair", "timeframe", "strategy"])
def test_each_part_has_its_row(view: PerformanceView, key: str) -> None:
    groups = view.groups
    groups.views.buttons[key].click()
    table = groups.tables[key]
    assert table.isVisible()
    assert not groups.tables["worst"].isVisible()
    wanted = {"pair": view.report.by_pair, "timeframe": view.report.by_timeframe}.get(key, view.report.by_strategy)
    assert [row.name for row in groups.parts[key].rows()] == [part.name for part in wanted]


@pytest.mark.parametrize("key", ["best", "worst", "pair", "timeframe", "strategy"])
def test_the_models_keep_qts_rules_while_their_rows_change(stage: Stage, key: str) -> None:
    trade(stage)
    stage.show(live())
    model = stage.dock.view.groups.tables[key].cells
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for wanted in (Range.TODAY, Range.ALL, Range.MONTH):
        stage.ask(lambda wanted=wanted: stage.dock.range.choose(wanted))
        assert model.rowCount() > 0


def test_today_in_lines(view: PerformanceView) -> None:
    lines = view.today.lines
    assert lines["Signals"] == "**38** · 6 opened, 4 pyramids, 9 queued, 19 other"
    assert lines["Risk offsets"] == "**1** · BTC/USDT 15m paid by ETH/USDT 1d"
    assert lines["Slots"] == "**6 of 6** in use, 5 waiting"
    assert lines["Slowest order"].startswith("**412 ms**")
    assert lines["Fees paid"] == "**20.16** USD"
    assert lines["Errors"].endswith("DCA4 · 12:52")
    view._copy.click()
    assert "Fees paid: 20.16 USD" in QGuiApplication.clipboard().text()


def test_the_heat_map_tints_by_size_and_tells_its_cells(view: PerformanceView) -> None:
    heat = view.heat
    largest = max((cell.result for cell in heat.heat.cells.values()), key=abs)
    assert heat.tint(largest) == 0.38
    assert heat.tint(largest / 100) == 0.10
    assert heat.tint(D(0)) == 0
    pair, cell, _ = heat._widths()
    found = heat.cell_at(QPoint(pair + cell // 2, heat._head + heat._row // 2))
    assert found == (heat.heat.pairs[0], heat.heat.timeframes[0])
    assert heat.cell_at(QPoint(2, 2)) is None
    assert heat.words(*found).startswith(f"{heat.heat.pairs[0]} 15m: ")
    assert heat.words("NONE/USDT", "1h") == "NONE/USDT 1h: no closed group"


def test_the_heat_map_says_how_many_timeframes_are_out_of_sight(view: PerformanceView) -> None:
    heat, words = view.heat, view.heat_pane.heading.detail
    assert words.text() == "stronger tint = larger"
    heat.setParent(None)
    heat.resize(320, 120)
    heat.show()
    hidden = len(heat.heat.timeframes) - heat._seen()[0]
    assert hidden > 0
    assert words.text() == f"{hidden} more to the side · stronger tint = larger"


def test_the_heat_map_scrolls_whole_columns_and_rows_beneath_its_sums(view: PerformanceView) -> None:
    heat = view.heat
    heat.setParent(None)
    heat.resize(320, 120)
    heat.show()
    Stage.settle()
    wide, high = heat._seen()
    assert 0 < wide < len(heat.heat.timeframes)
    assert 0 < high < len(heat.heat.pairs)
    pair, cell, whole = heat._widths()
    assert pair + wide * cell + whole <= heat.viewport().width()
    heat.horizontalScrollBar().setValue(heat.horizontalScrollBar().maximum() - 3)
    heat.verticalScrollBar().setValue(heat.verticalScrollBar().maximum())
    last = QPoint(pair + wide * cell - 2, heat._head + high * heat._row - 2)
    assert heat.cell_at(last) == (heat.heat.pairs[-1], heat.heat.timeframes[-1])
    heat.close()


def test_the_histogram_names_its_ends_however_narrow_it_is(view: PerformanceView) -> None:
    axis = view.histogram._percents
    for width in (1000, 400, 200):
        view.histogram.resize(width, 200)
        Stage.settle()
        values = axis.ticks(-5, 5)[1]
        assert (values[0], values[-1]) == (-5, 5)
        assert 0 in values


def test_tables_and_today_begin_in_one_line_and_all_room_to_spare_is_the_plots(view: PerformanceView) -> None:
    for height in (780, 1300):
        view.resize(1400, height)
        Stage.settle()
        left, right = (part.mapTo(view, QPoint()).y() for part in (view.groups, view.today_pane))
        assert left == right
        assert view.groups.tables["best"].verticalScrollBar().maximum() == 0
        assert view.groups.height() <= view.groups.wanted_height()


def test_where_it_is_narrow_the_tables_stand_one_under_the_other_with_all_their_numbers(view: PerformanceView) -> None:
    view.resize(940, 600)
    Stage.settle()
    assert view.groups.is_stacked
    for key in ("best", "worst"):
        table = view.groups.tables[key]
        assert table.needed_room() <= table.viewport().width()
        assert table.verticalScrollBar().maximum() == 0
    view.resize(1400, 780)
    Stage.settle()
    assert not view.groups.is_stacked


def test_lines_that_the_trader_has_moved_stay_and_come_back(view: PerformanceView, tmp_path: Path) -> None:
    layouts = LayoutStore(tmp_path / "layout.ini")
    left = view._splits[1]
    view.save(layouts)
    assert layouts.state("performance/performance_left") is None
    left.moveSplitter(200, 1)
    left.splitterMoved.emit(200, 1)
    moved = left.sizes()
    view.show_report(view.report, UTC)
    view.save(layouts)
    assert left.sizes() == moved
    view.reset()
    assert left.sizes() != moved
    view.restore(layouts)
    assert left.sizes() == moved


def test_the_right_table_s_title_has_room_for_its_words(view: PerformanceView) -> None:
    for key in ("worst", "strategy", "timeframe"):
        view.groups.choose(key)
        Stage.settle()
        title = view.groups.right.heading.title
        assert title.shown() == title.text()


def test_the_histogram_tells_what_a_bar_counts(view: PerformanceView) -> None:
    plot = view.histogram
    counts = plot.shown.counts.tolist()
    assert sum(counts) == 175
    area = plot.area_of(plot.box)
    assert plot.bar_at(QPointF(area.left() + 1, area.center().y())) == 0
    assert plot.bar_at(QPointF(area.right() - 1, area.center().y())) == len(counts) - 1
    assert plot.bar_at(QPointF(1, 1)) is None
    middle = len(counts) // 2
    assert plot.words(middle).startswith("0.0 to +0.5 %: ")


# the curve ------------------------------------------------------------------------------------------------------------


def test_the_crosshair_tells_the_values_under_the_pointer(view: PerformanceView) -> None:
    chart = view.equity
    area = chart.canvas.area_of(chart.top_box)
    chart.canvas.pointed.emit(QPointF(area.left() + area.width() / 2, area.center().y()))
    told = chart.told()
    place = chart._at
    assert told is not None
    assert told[1] == f"{chart.curve.total[place]:,.2f}"
    assert told[1] in chart.canvas.accessibleDescription()
    assert chart.canvas.layer.isVisible()
    chart.canvas.pointed.emit(None)
    assert chart.told() is None
    assert not chart.canvas.layer.isVisible()


def test_the_keyboard_moves_the_crosshair_zooms_and_fits(view: PerformanceView, qtbot) -> None:
    chart = view.equity
    canvas = chart.canvas
    last = len(chart.curve.at) - 1
    qtbot.keyClick(canvas, Qt.Key.Key_Left)
    assert chart._at == last
    qtbot.keyClick(canvas, Qt.Key.Key_Left)
    assert chart._at == last - 1
    whole = chart.top_box.viewRange()[0]
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    zoomed = chart.top_box.viewRange()[0]
    assert zoomed[1] - zoomed[0] < whole[1] - whole[0]
    assert chart.low_box.viewRange()[0] == pytest.approx(zoomed)
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert chart.top_box.viewRange()[0] == pytest.approx(whole)
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert chart.told() is None


def test_the_height_is_filled_by_what_is_shown(view: PerformanceView) -> None:
    chart = view.equity
    seconds = chart._seconds
    chart.top_box.setXRange(seconds[40], seconds[60], padding=0)
    low, high = chart.top_box.viewRange()[1]
    part = slice(40, 61)
    values = [*chart.curve.total[part], *chart.curve.realised[part]]
    assert low < min(values)
    assert high > max(values)
    assert high - low < max(chart.curve.total) - min(chart.curve.total)


def test_a_view_that_was_zoomed_stays_when_a_group_closes(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    chart = stage.dock.view.equity
    chart.top_box.setXRange(chart._seconds[40], chart._seconds[60], padding=0)
    before = chart.top_box.viewRange()[0]
    stage.shelf.add([result("5", number=999, closed_at_ms=rows.NOW_MS)], [mark("60", at_ms=rows.NOW_MS)])
    stage.ask(stage.dock.feed.ask)
    assert stage.dock.report.figures.closed == 176
    assert chart.top_box.viewRange()[0] == pytest.approx(before)


def test_a_step_stays_until_the_next_value() -> None:
    at_s, values = stepped(np.array([1.0, 2.0, 5.0]), np.array([10.0, 20.0, 30.0]))
    assert list(zip(at_s.tolist(), values.tolist(), strict=True)) == [(1, 10), (2, 10), (2, 20), (5, 20), (5, 30)]


@pytest.mark.parametrize("scheme", [Scheme.LIGHT, Scheme.DARK])
@pytest.mark.parametrize("palette", ["green/red", "blue/orange"])
def test_plots_take_another_look_at_once(view: PerformanceView, scheme: Scheme, palette: str) -> None:
    view.look.choose(scheme=scheme, pnl_palette=palette, font_size=14)
    Stage.settle()
    chart = view.equity
    assert chart._fall.opts["pen"].color() == view.look.color("loss")
    image = chart.canvas.grab().toImage()
    assert image.pixelColor(image.width() - 3, 3) == view.look.color("surface")


# taking it out --------------------------------------------------------------------------------------------------------


@pytest.fixture
def exports(view: PerformanceView) -> Exports:
    return Exports(view, view.items(), lambda: "2026-11-23")


def item(exports: Exports, name: str) -> Item:
    return next(one for one in exports.items if one.name == name)


def chosen(path: Path) -> Callable[[str, Callable[[Path], None]], None]:
    return lambda name, then: then(path)


def save_csv(exports: Exports, loop: Loop, name: str) -> tuple[str, str]:
    """Saves a table; what is said of it: saved or failed, and the words."""
    told: list[tuple[str, str]] = []

    async def saved() -> None:
        done = asyncio.Event()
        exports.saved.connect(lambda text: (told.append(("saved", text)), done.set()))
        exports.failed.connect(lambda text: (told.append(("failed", text)), done.set()))
        exports.save_as(item(exports, name), "csv")
        await done.wait()

    loop.run_until_complete(saved())
    return told[0]


@pytest.mark.parametrize(
    ("name", "titles", "count"),
    [
        ("Figures", ["figure", "value"], 20),
        ("Equity and drawdown", ["time", "at", "total", "realised", "drawdown_percent"], 177),
        ("Best groups", ["rank", "Pair / timeframe", "Side", "Closed", "PnL, USD", "%"], 10),
        ("By timeframe", ["Timeframe", "Closed", "Won", "PnL, USD", "Ø win", "Ø loss", "Factor"], 6),
        ("Today", ["what", "value"], 10),
    ],
)
def test_a_table_leaves_as_plain_csv(
    exports: Exports, on_loop: Loop, tmp_path: Path, name: str, titles: list[str], count: int
) -> None:
    path = tmp_path / "out.csv"
    exports.choose_file = chosen(path)
    assert save_csv(exports, on_loop, name) == ("saved", f"{name} saved as out.csv")
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.reader(file))
    assert found[0] == titles
    assert len(found) == count + 1
    assert "−" not in path.read_text(encoding="utf-8") or name == "Today"
    assert list(tmp_path.iterdir()) == [path]


def test_every_table_and_plot_leaves_as_a_picture(exports: Exports, tmp_path: Path) -> None:
    names = [one.name for one in exports.items if one.picture]
    assert len(names) == 11
    for name in names:
        path = tmp_path / f"{name}.png"
        exports.choose_file = chosen(path)
        exports.save_png(item(exports, name))
        image = QImage(str(path))
        assert image.width() > 200, name
        assert image.height() > 50, name


def test_a_file_is_proposed_by_name_and_day(exports: Exports) -> None:
    proposed: list[str] = []
    exports.choose_file = lambda name, then: proposed.append(name)
    exports.save_as(item(exports, "By pair"), "csv")
    exports.save_png(item(exports, "Equity and drawdown"))
    assert proposed == ["exengine-by-pair-2026-11-23.csv", "exengine-equity-and-drawdown-2026-11-23.png"]


def test_a_place_that_cannot_be_written_is_said_and_nothing_is_left(
    exports: Exports, on_loop: Loop, tmp_path: Path
) -> None:
    exports.choose_file = chosen(tmp_path / "gone" / "out.csv")
    kind, text = save_csv(exports, on_loop, "Figures")
    assert kind == "failed"
    assert "out.csv could not be written" in text
    said: list[str] = []
    exports.failed.connect(said.append)
    exports.choose_file = chosen(tmp_path / "gone" / "out.png")
    exports.save_png(item(exports, "Figures"))
    assert "Choose another folder" in said[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.qt_log_ignore("grabbing the keyboard")
def test_the_menus_offer_all_of_it(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    stage.dock.csv.click()
    menu = stage.dock._menus[stage.dock.csv]
    assert menu.isVisible()
    assert "Equity and drawdown…" in [action.text() for action in menu.actions()]
    menu.close()


# the window -----------------------------------------------------------------------------------------------------------


def test_the_layout_is_chosen_by_key_menu_and_switch(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    window = stage.window
    assert window.layout_switch.current == "performance"
    assert not window.positions.isVisible()
    action = window.menus.actions["layout_performance"]
    assert action.shortcut().toString() == "Ctrl+2"
    stage.ask(window.layout_switch.buttons["trade"].click)
    assert window.positions.isVisible()
    assert not stage.dock.isVisible()
    stage.ask(action.trigger)
    assert stage.dock.isVisible()


def test_range_and_table_come_back_with_the_next_start(stage: Stage, tmp_path: Path) -> None:
    trade(stage)
    stage.show(live())
    stage.ask(lambda: stage.dock.range.choose(Range.MONTH))
    stage.dock.view.groups.choose("strategy")
    layouts = LayoutStore(tmp_path / "other.ini")
    stage.dock.save(layouts)
    stage.ask(stage.dock.reset)
    assert stage.dock.report.wanted.range is Range.ALL
    assert stage.dock.view.groups.views.current == "worst"
    stage.dock.restore(layouts)
    stage.dock.view.restore(layouts)
    assert stage.dock.feed.wanted.range is Range.MONTH
    assert stage.dock.view.groups.views.current == "strategy"


# axes -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high", "most", "step"), [(0, 35, 4, 20), (0, 1, 5, 0.25), (49_400, 50_200, 6, 200)])
def test_steps_are_round(low: float, high: float, most: int, step: float) -> None:
    assert nice_step(low, high, most) == pytest.approx(step)


@pytest.mark.parametrize(
    ("step", "places"), [(0.025, 3), (0.25, 2), (0.02, 2), (0.1, 1), (2.5, 1), (1, 0), (25, 0), (20, 0), (250_000, 0)]
)
def test_a_step_is_written_with_all_of_its_decimals(step: float, places: int) -> None:
    assert places_of(step) == places


def test_an_axis_says_what_its_ticks_stand_for(look: Look) -> None:
    falls = NumberAxis(look, "left", " %")
    assert falls.tickStrings([0.0, -0.025, -0.05], 1.0, 0.025) == ["0.000 %", "−0.025 %", "−0.050 %"]


@pytest.mark.parametrize("high", [1, 4, 8.6, 9.7, 25, 37])
@pytest.mark.parametrize("most", [2, 4, 5, 7])
def test_what_is_counted_has_whole_steps(look: Look, most: int, high: float) -> None:
    axis = CountAxis(look, "left")
    step = axis.step(0, high, most)
    assert step == int(step) >= nice_step(0, high, most)
    assert all(value == int(value) for value in axis.ticks(0, high)[1])


@pytest.mark.parametrize("hours", [0.2, 1, 5, 20, 30, 24 * 4, 24 * 20, 24 * 100, 24 * 500, 24 * 4000])
def test_moments_are_round_and_few(hours: float) -> None:
    zone = ZoneInfo("Europe/Berlin")
    low = at("2026-10-24 11:07") / 1000
    step, found = time_ticks(low, low + hours * HOUR_MS / 1000, 7, zone)
    assert 1 <= len(found) <= 9
    assert found == sorted(set(found))
    words = [tick_words(value, step, zone) for value in found]
    assert len(set(words)) == len(words)


def texts_of(axis: Axis) -> dict[str, QRectF]:
    """What an axis writes, and where."""
    picture = QPicture()
    painter = QPainter(picture)
    painter.setFont(axis.look.font(Role.SMALL))
    drawn = axis.generateDrawSpecs(painter)[2]
    painter.end()
    return {text: axis.mapRectToScene(rect) for rect, _, text in drawn}


def test_the_first_moment_has_its_label(stage: Stage) -> None:
    trade(stage)
    stage.show(live())
    stage.ask(lambda: stage.dock.range.choose(Range.TODAY))
    assert "Nov 23" in texts_of(stage.dock.view.equity.times)


def test_the_last_bar_s_end_is_as_far_from_the_edge_as_all_else(view: PerformanceView) -> None:
    plot = view.histogram
    view.look.choose(font_size=16)
    Stage.settle()
    end = texts_of(plot._percents)[f"≥ +{plot.shown.reach}"]
    assert plot.width() - end.right() == pytest.approx(view.look.metric("edge_padding"), abs=1.5)


def test_no_text_of_the_axis_looks_out_from_under_the_crosshair_s_tag(view: PerformanceView) -> None:
    chart, line = view.equity, view.look.line_height(Role.SMALL)
    axis_texts = list(texts_of(chart.values).values())
    at, spot = min(
        ((place, chart.canvas.place_of(chart.top_box, float(chart._seconds[place]), total))
        for place, total in enumerate(chart.curve.total.tolist())),
        key=lambda one: min(abs(abs(one[1].y() - rect.center().y()) - line / 2) for rect in axis_texts),
    )  # fmt: skip
    covered = next(rect for rect in axis_texts if abs(rect.center().y() - spot.y()) < line)
    chart._cross(at)
    Stage.settle()
    picture = chart.canvas.grab().toImage()
    tag = range(round(spot.y() - line / 2) - 4, round(spot.y() + line / 2) + 5)
    rows = [y for y in range(round(covered.top()), round(covered.bottom()) + 1) if y not in tag]
    assert rows, "part of the text lies outside the tag"
    ground = picture.pixelColor(0, 0)
    assert all(picture.pixelColor(x, y) == ground for y in rows for x in range(round(covered.right())))


def test_two_panes_say_at_one_height_that_nothing_closed(stage: Stage) -> None:
    stage.shelf.add(*traded(20, until_ms=rows.NOW_MS - 3 * DAY_MS, span_ms=5 * DAY_MS))
    stage.show(live())
    stage.ask(lambda: stage.dock.range.choose(Range.TODAY))
    groups = stage.dock.view.groups
    left, right = (pane._word.mapTo(groups, pane._word.rect().center()).y() for pane in (groups.left, groups.right))
    assert abs(left - right) <= 1


def test_a_pane_s_detail_is_left_out_where_it_does_not_fit(look: Look, qtbot) -> None:
    label = PartedLabel(look, "stronger tint = larger", whole=True)
    qtbot.addWidget(label)
    label.resize(label.sizeHint())
    assert label.shown() == "stronger tint = larger"
    label.resize(label.width() - 10, label.height())
    assert label.shown() == ""


# pictures -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["empty", "crosshair", "busy", "custom", "stale", "narrow", "font-16"])
def test_a_scene_can_be_shot_without_a_word_of_complaint_from_qt(stage: Stage, name: str) -> None:
    SCENES[name](stage)
    stage.settle()
    assert stage.window.grab().width() >= 960
