"""The Log dock's range of time, its pages further back, and all of it in a file."""

import asyncio
import json
from dataclasses import replace

import pytest
from PySide6.QtTest import QAbstractItemModelTester

from exengine.engine.log_pages import LogWanted
from exengine.engine.rows import Category, LogRow, Severity
from exengine.ui.layout import LayoutStore
from exengine.ui.log_dock import PAGE, LogDock
from exengine.ui.log_model import Col, LogModel
from exengine.ui.log_range import Span
from tests.ui import rows

STORED = 1_300
MINUTE_MS = 60_000


def line(number: int) -> LogRow:
    """One a minute, up to now."""
    severity = Severity.ERROR if number % 100 == 0 else Severity.INFO
    row = rows.log(number, f"line {number}", severity=severity)
    return replace(row, at_ms=rows.NOW_MS - (STORED - number) * MINUTE_MS)


class Shelf:
    """A store's log in memory; it can be made to wait or to fail."""

    def __init__(self) -> None:
        self.rows = [line(number) for number in range(1, STORED + 1)]
        self.asked: list[int | None] = []
        self.fails: Exception | None = None
        self.opened = asyncio.Event()
        self.opened.set()

    async def before(self, log_id: int | None, wanted: LogWanted, count: int) -> tuple[LogRow, ...]:
        self.asked.append(log_id)
        await self.opened.wait()
        if self.fails is not None:
            raise self.fails
        found = [row for row in self.rows if (log_id is None or row.id < log_id) and wanted.matches(row)]
        return tuple(found[-count:])


@pytest.fixture
def dock(look, icons, qtbot, on_loop) -> LogDock:
    made = LogDock(look, icons)
    qtbot.addWidget(made)
    made.history = Shelf()
    made.resize(900, 300)
    made.show()
    made.apply(rows.changes(log=[line(number) for number in range(1_001, STORED + 1)]), rows.NOW_MS)
    return made


def run(loop, act) -> None:
    """Acts inside the running loop, and lets what was begun come to its end."""

    async def main() -> None:
        act()
        for _ in range(10):
            await asyncio.sleep(0)

    loop.run_until_complete(main())


def test_rolling_to_the_top_brings_older_lines_and_the_view_stays(dock, on_loop):
    tester = QAbstractItemModelTester(dock.model, QAbstractItemModelTester.FailureReportingMode.Warning)
    resets: list[None] = []
    dock.model.modelReset.connect(lambda: resets.append(None))
    run(on_loop, lambda: dock.table.verticalScrollBar().setValue(0))
    assert dock.history.asked == [1_001]
    assert dock.model.rowCount() == 300 + PAGE
    assert dock.table.verticalScrollBar().value() == PAGE, "the line that was at the top is there still"
    run(on_loop, lambda: dock.table.verticalScrollBar().setValue(0))
    assert dock.model.rowCount() == STORED
    run(on_loop, lambda: dock.table.verticalScrollBar().setValue(0))
    run(on_loop, lambda: dock.table.verticalScrollBar().setValue(0))
    assert dock.history.asked == [1_001, 501, 1], "nothing is asked for before the beginning"
    assert not resets
    assert tester is not None


def test_a_dock_that_comes_into_sight_shows_its_end(look, icons, qtbot, on_loop):
    made = LogDock(look, icons)
    qtbot.addWidget(made)
    made.resize(900, 300)
    made.apply(rows.changes(log=[line(number) for number in range(1, 200)]), rows.NOW_MS)
    made.show()
    made.on_shown()
    bar = made.table.verticalScrollBar()
    assert bar.value() == bar.maximum() > 0


def test_what_is_typed_into_the_search_is_seen_and_categories_give_their_room_to_it(dock, on_loop, qapp):
    dock.history = None
    qapp.processEvents()
    chips = [*dock.chips.severities.values(), *dock.chips.categories.values()]
    for width in range(700, 1400, 10):
        dock.resize(width, 300)
        if all(chip.isVisible() for chip in chips):
            break
    qapp.processEvents()
    shown = list(dock.chips.categories.values())
    shown[-1].setChecked(True)
    run(on_loop, lambda: dock.search.setText("nothing has this word"))
    qapp.processEvents()
    typed = dock.search.fontMetrics().horizontalAdvance("nothing has this word")
    assert dock.search.width() > typed + 20
    assert shown[-1].isVisible(), "one that is pressed stays"
    assert not shown[-2].isVisible()
    run(on_loop, dock.search.clear)
    qapp.processEvents()
    assert all(chip.isVisible() for chip in shown)


def test_chips_without_room_are_behind_one_button_and_what_is_pressed_there_is_seen(dock, look, on_loop, qapp):
    dock.history = None
    look.choose(font_size=20)
    dock.resize(790, 300)
    qapp.processEvents()
    error, order = dock.chips.severities[Severity.ERROR], dock.chips.categories[Category.ORDER]
    assert error.isVisible(), "what matters most stays"
    assert dock.chips.more.isVisible()
    assert not order.isVisible()
    hidden = {action.text(): action for action in dock.chips.menu().actions()}
    assert set(hidden) == {chip.text() for chip in dock.chips if not chip.isVisible()}
    run(on_loop, hidden["Order"].trigger)
    assert dock.wanted.categories == {Category.ORDER}
    dock.resize(791, 300)
    assert order.isVisible()
    dock.resize(2_400, 300)
    qapp.processEvents()
    assert all(chip.isVisible() for chip in dock.chips)
    assert not dock.chips.more.isVisible()
    look.choose(font_size=10)


@pytest.mark.parametrize("width", [500, 700, 900, 1_068, 1_400])
def test_how_many_lines_there_are_is_never_cut_and_the_search_has_what_is_left(dock, qapp, width):
    dock.history = None
    dock.resize(width, 300)
    qapp.processEvents()
    detail = dock.heading.detail
    assert detail.shown() == detail.text() == "300 lines"
    spare = dock.heading.width() - dock.heading.needed_width
    assert spare < 100 or dock.search.width() == dock.search.maximumWidth()


def test_the_category_gives_way_to_the_sentences_and_the_trader_can_have_it_back(dock, look, qapp):
    dock.history = None
    heading = dock.table.heading
    dock.resize(900, 300)
    qapp.processEvents()
    assert not heading.isSectionHidden(Col.CATEGORY)
    dock.resize(500, 300)
    qapp.processEvents()
    assert heading.isSectionHidden(Col.CATEGORY)
    assert dock.table.horizontalScrollBar().maximum() == 0, "what has no room is elided, not cut"
    heading.setSectionHidden(Col.CATEGORY, False)
    dock.table.fit()
    assert not heading.isSectionHidden(Col.CATEGORY)
    dock.reset()
    assert heading.isSectionHidden(Col.CATEGORY)
    dock.resize(900, 300)
    qapp.processEvents()
    assert not heading.isSectionHidden(Col.CATEGORY)


def test_a_column_that_gave_way_is_not_remembered_as_one_that_the_trader_hid(dock, qapp, tmp_path):
    layouts = LayoutStore(tmp_path / "layout.ini")
    dock.resize(500, 300)
    qapp.processEvents()
    dock.table.save(layouts)
    assert dock.table.heading.isSectionHidden(Col.CATEGORY)
    dock.table.restore(layouts)
    dock.resize(900, 300)
    qapp.processEvents()
    assert not dock.table.heading.isSectionHidden(Col.CATEGORY)


def test_where_nothing_matches_it_is_said_what_narrows(dock, on_loop):
    dock.history = None
    dock.search.setText("nothing has this word")
    run(on_loop, dock.apply_filter)
    assert dock.note.text.text().endswith("matches the search.")
    run(on_loop, lambda: dock.chips.severities[Severity.ERROR].setChecked(True))
    assert dock.note.text.text().endswith("matches the chips and the search.")
    run(on_loop, lambda: dock.range.choose(Span.HOUR))
    assert dock.note.text.text().endswith("matches the chips, the search and the range.")


def test_a_filter_finds_what_is_in_the_store_alone(dock, on_loop):
    run(on_loop, lambda: dock.chips.severities[Severity.ERROR].setChecked(True))
    numbers = [row.id for row in (dock.model.row_at(dock.model.index(place, 0)) for place in range(13))]
    assert numbers == list(range(100, STORED + 1, 100))
    run(on_loop, dock.clear_filters)
    assert dock.model.rowCount() == 300 + 10, "what was found stays, and is not taken for all there is"


def test_a_range_of_time_is_looked_for_in_the_store(dock, on_loop):
    run(on_loop, lambda: dock.range.choose(Span.HOUR))
    assert 60 <= dock.model.rowCount() <= 61
    run(on_loop, lambda: dock.range.choose(Span.ANY))
    assert dock.model.rowCount() >= 300


def test_what_takes_long_shows_the_line_and_can_be_cancelled(dock, on_loop, qtbot):
    dock.history.opened.clear()
    run(on_loop, lambda: dock.table.verticalScrollBar().setValue(0))
    assert dock.waiting.is_busy
    assert dock.waiting.stop.isHidden()
    dock.waiting._show()
    assert not dock.waiting.stop.isHidden()
    run(on_loop, dock.waiting.stop.click)
    assert not dock.waiting.is_busy
    assert dock.waiting.stop.isHidden()
    assert dock.model.rowCount() == 300


def test_a_store_that_does_not_answer_is_told_and_nothing_is_lost(dock, on_loop):
    dock.history.fails = OSError("the disk is gone")
    told: list[tuple[str, str]] = []
    dock.told.connect(lambda *what: told.append(what))
    run(on_loop, lambda: dock.table.verticalScrollBar().setValue(0))
    assert told == [("Older lines could not be read: the disk is gone", "error")]
    assert dock.model.rowCount() == 300


def test_all_lines_are_saved_also_those_that_are_in_the_store_alone(dock, on_loop, tmp_path):
    item = dock.tools.exports.items[0]
    for form in ("txt", "csv", "json"):
        path = tmp_path / f"log.{form}"
        dock.tools.exports.choose_file = lambda name, then, path=path: then(path)

        async def save(form=form) -> None:
            end = asyncio.Event()
            dock.tools.exports.saved.connect(lambda *_: end.set())
            dock.tools.exports.save_as(item, form)
            await asyncio.wait_for(end.wait(), 10)

        on_loop.run_until_complete(save())
    assert len((tmp_path / "log.txt").read_text().splitlines()) == STORED
    assert len((tmp_path / "log.csv").read_text().splitlines()) == STORED + 1
    taken = json.loads((tmp_path / "log.json").read_text())
    assert (taken[0]["text"], len(taken)) == ("line 1", STORED)


def test_following_the_end_lets_the_older_lines_go_again(qapp):
    model = LogModel(limit=100)
    model.take([line(number) for number in range(1_001, 1_101)])
    assert model.put_before([line(number) for number in range(1, 1_001)]) == 1_000
    model.take([line(number) for number in range(1_101, 1_151)])
    assert model.rowCount() == 1_150
    model.let_go()
    assert model.rowCount() == 100
