"""What a table has on the screen is what painting all of it anew would show, however it was scrolled and changed."""

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QApplication

from exengine.engine.panel_rows import Patch
from exengine.ui.cell import Cell, Column
from exengine.ui.keyed_model import KeyedModel, SortKey
from exengine.ui.table import Table
from exengine.ui.table_painting import BAND_ROWS

ROWS = 60


class Numbers(KeyedModel[int]):
    columns = (
        Column(key="name", title="Name", sample="Row 100,000,000", elides=True),
        Column(key="number", title="Number", sample="100,000", right=True),
        Column(key="rest", title="Rest", sample="x", takes_rest=True),
    )

    def natural(self, row: int) -> SortKey:
        return (row % 1_000,)

    def make_cells(self, row: int) -> list[Cell]:
        return [Cell(f"Row {row}"), Cell(f"{row:,}"), Cell("x")]


class Counted(Table):
    """A table that tells how many rows each painting drew."""

    numbers: Numbers

    def __init__(self, look, icons, model: Numbers) -> None:
        self.painted: list[int] = []
        super().__init__(look, icons, model, name="numbers", title="Numbers")
        self.numbers = model

    def paintEvent(self, event) -> None:
        self.painted.append(0)
        super().paintEvent(event)

    def drawRow(self, painter, option, index) -> None:
        self.painted[-1] += 1
        super().drawRow(painter, option, index)


@pytest.fixture
def table(qtbot, look, icons) -> Counted:
    model = Numbers()
    model.replace({str(row): row for row in range(ROWS)}, 0)
    made = Counted(look, icons, model)
    qtbot.addWidget(made)
    height = (3 * BAND_ROWS + 1) * look.row_height() + made.heading.sizeHint().height()
    made.resize(260, height + look.row_height() // 2)  # half a row at the lower edge
    made.show()
    qtbot.waitExposed(made)
    settle(made, qtbot)
    return made


def settle(table: Table, qtbot) -> None:
    QApplication.processEvents()  # rows that come, go or move are laid out then, and columns fitted
    QApplication.processEvents()
    qtbot.waitUntil(lambda: not table._bands.is_at_work)
    QApplication.processEvents()


def on_the_screen(table: Table) -> QImage:
    return rows_of(table, table.screen().grabWindow(table.winId()))


def anew(table: Table) -> QImage:
    return rows_of(table, table.grab())


def rows_of(table: Table, picture: QPixmap) -> QImage:
    return picture.toImage().convertToFormat(QImage.Format.Format_RGB32).copy(table.viewport().geometry())


def shift(table: Table, changed: range, by: int = 1_000) -> None:
    """Other numbers in some rows, told as a flush tells them."""
    with table.telling() as seen:
        table.numbers.patch(Patch(rows={str(row): row + by for row in changed}), 0, seen)


@pytest.mark.parametrize("step", [1, -1, 3, -3])
def test_after_it_was_scrolled(table, qtbot, step):
    bar = table.verticalScrollBar()
    bar.setValue(10)
    settle(table, qtbot)
    bar.setValue(10 + step)
    QApplication.processEvents()
    assert on_the_screen(table) == anew(table)


def test_after_all_of_its_rows_changed(table, qtbot):
    before = on_the_screen(table)
    shift(table, range(ROWS))
    settle(table, qtbot)
    assert on_the_screen(table) == anew(table)
    assert on_the_screen(table) != before


def test_when_it_is_scrolled_while_changed_rows_still_wait_to_be_painted(table, qtbot):
    shift(table, range(ROWS))
    QApplication.processEvents()
    assert table._bands._later, "only the first band is painted as yet"
    table.verticalScrollBar().setValue(2)
    QApplication.processEvents()
    assert on_the_screen(table) == anew(table)


def test_while_its_columns_grow_and_come_closer_together(table, qtbot):
    for digits in range(4, 16):
        shift(table, range(2), by=10**digits)
        settle(table, qtbot)
        assert on_the_screen(table) == anew(table), f"{digits} digits"


def test_after_its_rows_changed_places_a_band_of_them_at_a_time(table, qtbot):
    before = on_the_screen(table)
    table.painted.clear()
    with table.telling() as seen:
        # The first becomes the last, and so on: an order is looked at where the rows are told.
        table.numbers.patch(Patch(rows={str(row): ROWS - row for row in range(ROWS)}, gone=()), 0, seen)
    settle(table, qtbot)
    assert sum(table.painted) >= 3 * BAND_ROWS
    assert max(table.painted) <= BAND_ROWS + 1
    assert on_the_screen(table) == anew(table)
    assert on_the_screen(table) != before


def test_after_rows_came_and_went(table, qtbot):
    table.numbers.patch(Patch(rows={"new": 3}, gone=("1", "7")), 0)
    settle(table, qtbot)
    assert on_the_screen(table) == anew(table)


def test_of_rows_whose_hidden_column_changed_no_more_than_a_band_at_a_time(table, qtbot):
    table.heading.setSectionHidden(1, True)
    table.numbers.patch(Patch(rows={str(row): row + 1_000 for row in range(ROWS)}), 0)
    settle(table, qtbot)
    table.painted.clear()
    table.numbers.patch(Patch(rows={str(row): row + 2_000 for row in range(ROWS)}), 0)
    settle(table, qtbot)
    assert sum(table.painted) >= 3 * BAND_ROWS
    assert max(table.painted) <= BAND_ROWS + 1
    assert on_the_screen(table) == anew(table)


def test_of_rows_nothing_of_which_is_shown_nothing(table, qtbot):
    table.heading.setSectionHidden(2, True)
    settle(table, qtbot)
    table.painted.clear()
    model = table.numbers
    model.dataChanged.emit(model.index(0, 2), model.index(ROWS - 1, 2))
    settle(table, qtbot)
    assert not table.painted


def test_a_new_order_of_rows_leaves_the_columns_alone(table, qtbot):
    table.heading.setSectionHidden(1, True)
    settle(table, qtbot)
    resized: list[int] = []
    table.heading.sectionResized.connect(lambda logical, *_: resized.append(logical))
    table.numbers.patch(Patch(rows={str(row): ROWS - row for row in range(ROWS)}), 0)
    settle(table, qtbot)
    assert table.numbers.rows()[1] == 2
    assert not resized


def test_of_a_number_that_an_edge_would_cut_nothing_and_all_of_it_once_there_is_room(table, qtbot):
    table.resize(table.heading.sectionPosition(1) + table.heading.sectionSize(1) // 2 + 20, table.height())
    table.auto_widths = False
    settle(table, qtbot)
    left = table.heading.sectionViewportPosition(1)
    assert left + table.heading.sectionSize(1) > table.viewport().width() > left

    def number_of(row: int) -> set[int]:
        height = table.look.row_height()
        place = QRect(table.heading.sectionViewportPosition(1), row * height, table.viewport().width(), height)
        picture = on_the_screen(table).copy(place & table.viewport().rect())
        return {picture.pixel(x, y) for x in range(picture.width()) for y in range(picture.height())}

    assert len(number_of(20)) == 1, "plain ground"
    bar = table.horizontalScrollBar()
    bar.setValue(left)
    settle(table, qtbot)
    assert len(number_of(20)) > 1
    assert on_the_screen(table) == anew(table)
    bar.setValue(left + 5)
    settle(table, qtbot)
    assert on_the_screen(table) == anew(table)
