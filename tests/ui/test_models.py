"""Every model of the window keeps Qt's rules: as it is filled, sorted and emptied, and when it has nothing to show."""

import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from importlib import import_module

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtTest import QAbstractItemModelTester

import exengine.ui
from exengine.analytics.groups import GroupFigures, Part
from exengine.analytics.replayed import Replayed, ReplayTrade, replayed
from exengine.analytics.trades import Line
from exengine.domain.instrument import Side
from exengine.ui.book import Book
from exengine.ui.capital_model import AccountLine, AccountsModel, CapitalModel
from exengine.ui.keyed_model import KeyedModel
from exengine.ui.log_model import LogModel
from exengine.ui.palette import PaletteModel
from exengine.ui.performance_tables import LinesModel, PartsModel
from exengine.ui.positions_model import PositionsModel
from exengine.ui.queue_model import QueueModel
from exengine.ui.replay_tables import FiguresModel, TradesModel
from exengine.ui.risk_model import HistoryModel, PlanModel, RiskModel, plan_rows
from exengine.ui.signals_model import SignalsModel
from exengine.ui.status_model import AccountsModel as StatusAccounts
from exengine.ui.status_model import FactsModel, TasksModel, facts
from exengine.ui.stream_model import StreamModel
from tests.ui import panels, rows
from tests.ui.test_positions_model import Tree, sample

D = rows.D


def concrete(base: type = QAbstractItemModel) -> Iterator[type]:
    """The models of the window that are made, and not only built upon."""
    for one in base.__subclasses__():
        if not one.__module__.startswith("exengine.ui."):
            continue
        built_on = [other for other in one.__subclasses__() if other.__module__.startswith("exengine.ui.")]
        yield from concrete(one) if built_on else [one]


def every_model() -> set[type]:
    for module in pkgutil.iter_modules(exengine.ui.__path__, "exengine.ui."):
        import_module(module.name)
    return {one for base in (QAbstractItemModel, *QAbstractItemModel.__subclasses__()) for one in concrete(base)}


def keyed(model: KeyedModel, there: dict) -> tuple[QAbstractItemModel, Callable[[], object]]:
    def fill() -> None:
        model.replace(there, rows.NOW_MS)
        assert model.rowCount() == len(there)
        model.sort(0, Qt.SortOrder.DescendingOrder)
        model.replace(dict(list(there.items())[1:]), rows.NOW_MS + 1000)
        model.replace(there, rows.NOW_MS + 2000)

    return model, fill


def stream(model: StreamModel, there: list) -> tuple[QAbstractItemModel, Callable[[], object]]:
    def fill() -> None:
        model.take(there[1:])
        model.sort(0, Qt.SortOrder.DescendingOrder)
        model.take(there)
        assert model.rowCount() == len(there)

    return model, fill


def positions() -> tuple[QAbstractItemModel, Callable[[], object]]:
    tree = Tree()
    return tree.model, lambda: sample(tree)


def figures(won: int, lost: int) -> GroupFigures:
    return GroupFigures(closed=2, wins=1, losses=1, won=D(won), lost=D(lost))


def line(name: str, result: int) -> Line:
    return Line(
        group_id=name, symbol="BTC/USDT", timeframe="1h", side=Side.LONG, closed_at_ms=rows.NOW_MS, result=D(result),
        return_percent=None,
    )  # fmt: skip


def lines() -> tuple[QAbstractItemModel, Callable[[], object]]:
    model = LinesModel()
    best = [line("a", 5), line("b", 3), line("c", -2)]

    def fill() -> None:
        for shown in (best, best[::-1], best[:1], []):
            model.show_lines(shown, rows.NOW_MS, model.zone)
        model.show_lines(best, rows.NOW_MS, model.zone)

    return model, fill


def parts() -> tuple[QAbstractItemModel, Callable[[], object]]:
    model = PartsModel("Pair", "DOGE/USDT")
    made = [Part(name="BTC/USDT", figures=figures(9, -2)), Part(name="", figures=figures(1, -3))]
    return model, lambda: model.show_parts(made, rows.NOW_MS)


def replays() -> list[Replayed]:
    first = ReplayTrade(
        group="paper|BTC/USDT|1h#1", symbol="BTC/USDT", timeframe="1h", side=Side.LONG, opened_at_ms=rows.NOW_MS - 9,
        closed_at_ms=rows.NOW_MS, reason="exit", pyramids=1, realised=D(5),
    )  # fmt: skip
    second = replace(first, group="paper|BTC/USDT|1h#2", closed_at_ms=None, opened_at_ms=rows.NOW_MS)
    points = [(rows.NOW_MS - 9, D(100)), (rows.NOW_MS, D(105))]
    return [
        replayed({"net_profit": D(won), "win_rate": D("0.5")}, points, trades, 2)
        for won, trades in ((5, [first]), (-2, [first, second]))
    ]


def of_figures() -> tuple[QAbstractItemModel, Callable[[], object]]:
    model = FiguresModel()
    return model, lambda: [model.show_runs(shown) for shown in (replays()[:1], replays())]


def of_trades() -> tuple[QAbstractItemModel, Callable[[], object]]:
    model = TradesModel()
    return model, lambda: [model.show_runs(replays(), UTC, only) for only in (0, None, 1, None)]


def status():
    return panels.status(away=True)


def of_the_palette(stage) -> tuple[QAbstractItemModel, Callable[[], object]]:
    finder = stage.window.finder
    return finder.model, lambda: (finder.open(), finder.field.setText("close"), finder.field.setText(""))


FILLED: dict[type, Callable[[], tuple[QAbstractItemModel, Callable[[], object]]]] = {
    PositionsModel: positions,
    QueueModel: lambda: keyed(QueueModel(), {row.key: row for row in panels.sample_queue()}),
    RiskModel: lambda: keyed(RiskModel(Book()), {row.id: row for row in panels.sample_risk()}),
    PlanModel: lambda: keyed(PlanModel(), plan_rows(panels.plan())),
    HistoryModel: lambda: keyed(HistoryModel(), {str(row.id): row for row in panels.sample_offsets()}),
    CapitalModel: lambda: keyed(CapitalModel(), {row.symbol: row for row in panels.sample_exposures()}),
    AccountsModel: lambda: keyed(AccountsModel(), {"paper": AccountLine("paper", D(10), "Paper")}),
    StatusAccounts: lambda: keyed(StatusAccounts(), {row.name: row for row in status().accounts}),
    FactsModel: lambda: keyed(FactsModel(), facts(status())),
    TasksModel: lambda: keyed(TasksModel(), {row.name: row for row in status().tasks}),
    LogModel: lambda: stream(LogModel(), list(rows.sample_log(errors=2))),
    SignalsModel: lambda: stream(SignalsModel(), list(rows.sample_signals())),
    LinesModel: lines,
    PartsModel: parts,
    FiguresModel: of_figures,
    TradesModel: of_trades,
}


def test_there_is_no_other_model():
    assert every_model() == {*FILLED, PaletteModel}


@pytest.mark.parametrize("kind", list(FILLED), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_qt_finds_nothing_wrong_with_it(qapp, qtmodeltester, kind):
    model, fill = FILLED[kind]()
    qtmodeltester.check(model)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    fill()
    assert model.rowCount()
    qtmodeltester.check(model)
    del tester


def test_nor_with_the_palettes(stage, qtmodeltester):
    model, fill = of_the_palette(stage)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    fill()
    assert model.rowCount() > 50
    qtmodeltester.check(model)
    del tester
