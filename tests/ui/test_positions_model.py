"""The tree of positions is kept in step, is never reset, and tells Qt only of what is on the screen."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from exengine.domain.instrument import Side
from exengine.engine.rows import GroupRow, LegRow, PyramidRow, Quote
from exengine.ui.book import Book
from exengine.ui.positions_cells import COLUMNS, Col
from exengine.ui.positions_model import RESORT_MS, PositionsModel
from tests.ui import rows

D = Decimal


class Tree:
    """A model with its book, fed like the window feeds it."""

    def __init__(self) -> None:
        self.book = Book()
        self.model = PositionsModel(self.book)
        self.now_ms = rows.NOW_MS
        self.resets = 0
        self.model.modelReset.connect(self._on_reset)
        self.tester = QAbstractItemModelTester(self.model, QAbstractItemModelTester.FailureReportingMode.Warning)

    def _on_reset(self) -> None:
        self.resets += 1

    def put(self, *groups: GroupRow, gone: tuple[str, ...] = (), quotes: dict | None = None) -> None:
        changes = rows.changes(groups, gone=gone, quotes=quotes)
        self.book.apply(changes)
        self.model.apply(changes, self.now_ms)

    def ids(self) -> list[str]:
        return [group.id for row in range(self.model.rowCount()) if (group := self.model.group_at(self.at(row)))]

    def at(self, *path: int, column: int = 0) -> QModelIndex:
        index = QModelIndex()
        for row in path[:-1]:
            index = self.model.index(row, 0, index)
        return self.model.index(path[-1], column, index)

    def text(self, *path: int, column: int) -> str:
        return self.model.data(self.at(*path, column=column))

    def symbols(self) -> list[str]:
        return [self.model.cells(self.at(row))[Col.PAIR].text for row in range(self.model.rowCount())]


@pytest.fixture
def tree(qapp) -> Tree:
    return Tree()


def sample(tree: Tree) -> None:
    tree.put(*rows.sample_groups(), quotes=rows.sample_quotes())


def test_groups_pyramids_and_legs_are_shown_as_the_design_has_them(tree):
    sample(tree)
    sol = tree.ids().index("paper|SOL/USDT|1h#1")
    assert tree.text(sol, column=Col.PAIR) == "SOL/USDT 1h Long"
    assert tree.text(sol, column=Col.PYRAMIDS) == "3 / 5"
    assert tree.text(sol, column=Col.FILLED) == "7 / 15"
    assert tree.text(sol, column=Col.LAST) == "148.62"
    assert tree.text(sol, column=Col.UNREALISED) == "+21.70"
    assert tree.text(sol, column=Col.TO_TARGET) == "+0.22 %"
    assert tree.text(sol, column=Col.AGE) == "6 h"
    assert tree.text(sol, column=Col.STATUS) == "Part filled"
    assert tree.text(sol, 0, column=Col.PAIR) == "Pyramid 1 base 147.90"
    assert tree.text(sol, 0, 1, column=Col.PAIR) == "DCA1 −0.5 % @ 147.16"
    assert tree.text(sol, 0, 1, column=Col.TO_TARGET) == "Reached"
    assert tree.text(sol, 0, 2, column=Col.TO_TARGET) == "75 %"
    assert tree.text(sol, 0, 3, column=Col.SIZE) == "0.00"
    assert tree.text(sol, 0, 3, column=Col.UNREALISED) == "—"
    assert tree.model.headerData(Col.SIZE, Qt.Orientation.Horizontal) == "Size, USDT"


def test_what_is_not_filled_is_muted_and_a_loss_has_its_colour_sign_and_arrow(tree):
    sample(tree)
    avax = tree.model.cells(tree.model.index_of("paper|AVAX/USDT|1h#1"))
    assert (avax[Col.UNREALISED].token, avax[Col.UNREALISED].arrow, avax[Col.UNREALISED].text[0]) == ("loss", -1, "−")
    assert tree.model.data(tree.model.index_of("paper|AVAX/USDT|1h#1").siblingAtColumn(Col.UNREALISED),
                           Qt.ItemDataRole.AccessibleTextRole).startswith("down ")  # fmt: skip
    doge = tree.model.cells(tree.model.index_of("paper|DOGE/USDT|15m#1"))
    assert doge[Col.SIZE].text == "—"
    assert doge[Col.REALISED].token == "muted"
    assert doge[Col.STATUS].icon == "error"


def test_a_stale_price_is_muted_with_a_clock_and_its_pnl_keeps_the_sign(tree):
    sample(tree)
    tree.model.tick(rows.NOW_MS + 20_000)
    cells = tree.model.cells(tree.model.index_of("paper|BTC/USDT|4h#1"))
    assert (cells[Col.LAST].token, cells[Col.LAST].icon) == ("muted", "clock")
    assert cells[Col.UNREALISED].token == "muted"
    assert cells[Col.UNREALISED].text.startswith("+")
    assert "not to be trusted" in tree.model.tooltip(
        tree.model.index_of("paper|BTC/USDT|4h#1").siblingAtColumn(Col.LAST)
    )


def test_an_unchanged_row_is_not_told_and_a_changed_one_only_where_it_is_seen(tree):
    sample(tree)
    seen = [tree.at(row) for row in range(2)]
    tree.model.cells(seen[0])
    tree.model.cells(seen[1])
    told = []
    tree.model.dataChanged.connect(
        lambda first, last: told.append((first.row(), last.row(), first.column(), last.column()))
    )
    tree.model.refresh(seen)
    assert told == []
    prices = {market: replace(quote, price=quote.price * 2) for market, quote in rows.sample_quotes().items()}
    tree.put(quotes=prices)
    tree.model.refresh(seen)
    assert sorted(told) == [(0, 1, Col.LAST, Col.PERCENT), (0, 1, Col.TO_TARGET, Col.TO_TARGET)]


def test_only_numbers_that_change_before_the_trader_s_eyes_flash(tree):
    sample(tree)
    sol = tree.model.index_of("paper|SOL/USDT|1h#1")
    assert tree.model.refresh([sol]) == [], "never on first show"
    tree.model.cells(sol)
    tree.put(quotes={("paper", "SOL/USDT"): Quote(price=D("149"), at_ms=rows.NOW_MS)})
    flashes = tree.model.refresh([sol])
    assert [(flash.column, flash.rose) for flash in flashes] == [
        (Col.LAST, True),
        (Col.UNREALISED, True),
        (Col.PERCENT, True),
    ]
    assert tree.model.refresh([sol]) == []


def test_pyramids_and_legs_come_and_go_under_a_group(tree, qtbot):
    one = rows.group(pyramids=[rows.ladder(0, "100", "to")])
    two = rows.group(pyramids=[rows.ladder(0, "100", "to"), rows.ladder(1, "101", "ooo")])
    tree.put(one)
    keep = QPersistentModelIndex(tree.at(0, 0, 1))
    with qtbot.waitSignal(tree.model.rowsInserted):
        tree.put(two)
    assert tree.model.rowCount(tree.at(0)) == 2
    assert tree.model.rowCount(tree.at(0, 1)) == 3
    with qtbot.waitSignal(tree.model.rowsRemoved):
        tree.put(one)
    assert keep.isValid()
    assert tree.model.cells(keep)[Col.PAIR].text == "DCA1"


@pytest.mark.parametrize("column", range(len(COLUMNS)))
@pytest.mark.parametrize("order", [Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder])
def test_what_is_not_known_is_sorted_last_whichever_way(tree, column, order):
    sample(tree)
    tree.model.sort(column, order)
    texts = [tree.text(row, column=column) for row in range(6)]
    known = [text for text in texts if text != "—"]
    assert texts[: len(known)] == known


def test_numbers_are_sorted_as_numbers(tree):
    sample(tree)
    tree.model.sort(Col.LAST, Qt.SortOrder.DescendingOrder)
    assert tree.symbols()[:3] == ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
    tree.model.sort(Col.UNREALISED, Qt.SortOrder.AscendingOrder)
    assert tree.symbols()[0] == "AVAX/USDT"
    tree.model.sort(-1)
    assert tree.symbols()[0] == "BTC/USDT", "as they opened"


def test_prices_move_rows_only_now_and_then(tree):
    sample(tree)
    tree.model.sort(Col.UNREALISED, Qt.SortOrder.DescendingOrder)
    first = tree.symbols()
    up = {("paper", "AVAX/USDT"): Quote(price=D("60"), at_ms=rows.NOW_MS)}
    tree.put(quotes=up)
    assert tree.symbols() == first
    tree.now_ms += RESORT_MS
    tree.put(quotes=up)
    assert tree.symbols()[0] == "AVAX/USDT"


def test_a_short_gains_as_the_price_falls(tree):
    short = rows.group(side=Side.SHORT, pyramids=[rows.ladder(0, "100", "t", side=Side.SHORT)])
    tree.put(short, quotes={("paper", "SOL/USDT"): Quote(price=D("90"), at_ms=rows.NOW_MS)})
    cells = tree.model.cells(tree.at(0))
    assert cells[Col.PERCENT].text == "+10.00"
    assert cells[Col.PAIR].trail is not None
    assert (cells[Col.PAIR].trail.text, cells[Col.PAIR].trail.icon) == ("Short", "short")


NAMES = tuple(f"{coin}/USDT" for coin in ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF"))
PATTERNS = st.text("tcofb", min_size=1, max_size=4)
PUT = st.tuples(st.just("put"), st.sampled_from(NAMES), st.lists(PATTERNS, min_size=1, max_size=3))
MANY = st.tuples(
    st.just("many"), st.sets(st.sampled_from(NAMES), min_size=2), st.lists(PATTERNS, min_size=1, max_size=2)
)
GONE = st.tuples(st.just("gone"), st.sets(st.sampled_from(NAMES), min_size=1), st.just([]))
PRICE = st.tuples(st.just("price"), st.sampled_from(NAMES), st.integers(50, 200))
SORT = st.tuples(st.just("sort"), st.integers(-1, len(COLUMNS) - 1), st.booleans())


def _group(name: str, patterns: list[str]) -> GroupRow:
    pyramids = [rows.ladder(index, "100", pattern) for index, pattern in enumerate(patterns)]
    return rows.group(name, pyramids=pyramids, opened_at_ms=rows.NOW_MS - NAMES.index(name) * rows.MINUTE)


def _apply(tree: Tree, expected: dict[str, GroupRow], step: tuple) -> None:
    match step:
        case ("put", name, patterns):
            row = _group(name, patterns)
            expected[row.id] = row
            tree.put(row)
        case ("many", names, patterns):
            made = [_group(name, patterns) for name in sorted(names)]
            expected.update((row.id, row) for row in made)
            tree.put(*made)
        case ("gone", names, _):
            gone = tuple(_group(name, ["o"]).id for name in sorted(names))
            for group_id in gone:
                expected.pop(group_id, None)
            tree.put(gone=gone)
        case ("price", name, price):
            tree.now_ms += 2_000
            tree.put(quotes={("paper", name): Quote(price=D(price), at_ms=tree.now_ms)})
        case ("sort", column, descending):
            way = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
            tree.model.sort(column, way)


def _shape(row: GroupRow) -> list[list[str]]:
    return [[leg.state for leg in pyramid.legs] for pyramid in row.pyramid_rows]


def _shown_shape(tree: Tree, index: QModelIndex) -> list[list[str]]:
    model = tree.model
    shape = []
    for row in range(model.rowCount(index)):
        pyramid = model.index(row, 0, index)
        data = model._nodes[pyramid.internalId()].data
        assert isinstance(data, PyramidRow)
        legs = [model._nodes[model.index(leg, 0, pyramid).internalId()].data for leg in range(model.rowCount(pyramid))]
        shape.append([leg.state for leg in legs if isinstance(leg, LegRow)])
    return shape


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(PUT, MANY, GONE, PRICE, SORT), min_size=1, max_size=14))
def test_whatever_comes_the_tree_is_right_and_places_that_qt_remembers_stay_true(qapp, steps):
    tree, expected = Tree(), {}
    remembered: dict[tuple[str, ...], QPersistentModelIndex] = {}
    for step in steps:
        _apply(tree, expected, step)
        assert set(tree.ids()) == set(expected)
        assert len(tree.ids()) == len(expected)
        for group_id, row in expected.items():
            index = tree.model.index_of(group_id)
            assert _shown_shape(tree, index) == _shape(row)
            assert tree.model.index(index.row(), 0).internalId() == index.internalId()
            remembered.setdefault((group_id,), QPersistentModelIndex(index))
            for place in range(len(row.pyramid_rows)):
                child = tree.model.index(place, 0, index)
                assert child.parent() == index
                remembered.setdefault((group_id, str(place)), QPersistentModelIndex(child))
        for key, kept in list(remembered.items()):
            group = expected.get(key[0])
            lives = group is not None and (len(key) == 1 or int(key[1]) < len(group.pyramid_rows))
            if not lives or not kept.isValid():
                assert not (lives and kept.isValid())
                del remembered[key]
                continue
            shown = tree.model.group_at(kept)
            assert shown is not None
            assert shown.id == key[0]
    assert tree.resets == 0
