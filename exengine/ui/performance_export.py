"""Takes tables and plots out of the dock: as CSV with plain numbers, or as PNG as they look."""

import asyncio
import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QPixmap, QRegion
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from exengine.analytics.report import Report
from exengine.ui import format as fmt
from exengine.ui.cell_model import CellModel
from exengine.ui.loop import spawn
from exengine.ui.performance_heat import HeatMap
from exengine.ui.performance_words import decimal, moment
from exengine.ui.table import Table

Rows = Iterable[Sequence[str]]
ChooseFile = Callable[[str, Callable[[Path], None]], None]
"""Asks for a place, proposing a name; calls back where the trader chose one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that can be taken out."""

    name: str
    """In words, for the menu."""
    rows: Callable[[], Rows] | None = None
    """Its table with the titles first; None for what is no table."""
    picture: Callable[[], QPixmap] | None = None

    @property
    def file_name(self) -> str:
        return "exengine-" + "-".join("".join(c if c.isalnum() else " " for c in self.name.lower()).split())


class Exports(QObject):
    """The two menus. What cannot be written is said, and nothing is left half written."""

    saved = Signal(str)
    """What was written, in words."""
    failed = Signal(str)

    def __init__(self, parent: QWidget, items: Sequence[Item], stamp: Callable[[], str]) -> None:
        super().__init__(parent)
        self.items, self._stamp, self._window = items, stamp, parent
        self.choose_file: ChooseFile = self._ask

    def csv_menu(self) -> QMenu:
        return self._menu("CSV", [item for item in self.items if item.rows], self.save_csv)

    def png_menu(self) -> QMenu:
        return self._menu("PNG", [item for item in self.items if item.picture], self.save_png)

    def _menu(self, title: str, items: list[Item], save: Callable[[Item], None]) -> QMenu:
        menu = QMenu(title, self._window)
        for item in items:
            menu.addAction(f"{item.name}…").triggered.connect(lambda *_, item=item: save(item))
        return menu

    def save_csv(self, item: Item) -> None:
        assert item.rows is not None
        rows = item.rows
        self.choose_file(f"{item.file_name}-{self._stamp()}.csv", lambda path: self._begin(item, path, rows()))

    def save_png(self, item: Item) -> None:
        assert item.picture is not None
        picture = item.picture
        self.choose_file(f"{item.file_name}-{self._stamp()}.png", lambda path: self._paint(item, path, picture()))

    def _begin(self, item: Item, path: Path, rows: Rows) -> None:
        spawn(self._write(item, path, rows), name=f"save {path.name}")

    async def _write(self, item: Item, path: Path, rows: Rows) -> None:
        """In a thread: a curve of many years has many points."""
        try:
            await asyncio.to_thread(_replace, path, lambda part: _write_csv(part, rows))
        except OSError as error:
            self._tell_failure(path, error)
        else:
            self.saved.emit(f"{item.name} saved as {path.name}")

    def _paint(self, item: Item, path: Path, picture: QPixmap) -> None:
        try:
            _replace(path, lambda part: _write_png(part, picture))
        except OSError as error:
            self._tell_failure(path, error)
        else:
            self.saved.emit(f"{item.name} saved as {path.name}")

    def _tell_failure(self, path: Path, error: OSError) -> None:
        self.failed.emit(f"{path.name} could not be written: {error.strerror or error}. Choose another folder.")

    def _ask(self, name: str, then: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self._window, "Save", name)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(name.rpartition(".")[2])
        dialog.fileSelected.connect(lambda path: then(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _replace(path: Path, write: Callable[[Path], None]) -> None:
    """Writes beside the file and puts it in its place only when it is whole."""
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _write_csv(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _write_png(path: Path, picture: QPixmap) -> None:
    if not picture.save(str(path), "PNG"):
        raise OSError("the folder does not take it")


# what the rows are ----------------------------------------------------------------------------------------------------


def table_rows(model: CellModel) -> Rows:
    """A table's rows in their order, values plain. Made at once: the model belongs to the window's thread."""
    titles = [model.title(place) or column.key for place, column in enumerate(model.columns)]
    rows = (model.cells(model.index(row, 0)) for row in range(model.rowCount()))
    return [titles, *([cell.copied() for cell in cells] for cells in rows)]


def curve_rows(report: Report, zone: tzinfo) -> Rows:
    """Times as ISO 8601 in the trader's zone and as epoch ms; amounts in USD."""
    yield ["time", "at", "total", "realised", "drawdown_percent"]
    curve = report.curve
    falls = curve.falls if curve.falls is not None else [None] * len(curve.at)
    for at_ms, total, realised, fall in zip(curve.at.tolist(), curve.total, curve.realised, falls, strict=True):
        time = moment(at_ms, zone).isoformat(timespec="milliseconds")
        yield [time, str(at_ms), _plain(total, 8), _plain(realised, 8), _plain(fall, 8)]


def histogram_rows(report: Report) -> Rows:
    """The outermost bars hold what is beyond them as well."""
    yield ["from_percent", "groups"]
    for left, count in zip(report.histogram.lefts, report.histogram.counts.tolist(), strict=True):
        yield [_plain(float(left), 2), str(count)]


def heat_rows(report: Report) -> Rows:
    heat = report.heat
    yield ["pair", *heat.timeframes, "all"]
    for pair in heat.pairs:
        cells = [heat.cells.get((pair, timeframe)) for timeframe in heat.timeframes]
        yield [
            pair,
            *(fmt.copied(cell.result) if cell is not None else "" for cell in cells),
            fmt.copied(heat.totals[pair]),
        ]


def figure_rows(report: Report) -> Rows:
    """Everything that the cards show, with all of its digits."""
    of = report.figures
    yield ["figure", "value"]
    for name, value in {
        "realised_today": report.realised.today,
        "realised_week": report.realised.week,
        "realised_month": report.realised.month,
        "realised_all": report.realised.all,
        "unrealised": report.now.unrealised,
        "groups_closed": of.closed,
        "wins": of.wins,
        "losses": of.losses,
        "win_percent": decimal(of.win_percent),
        "average_win": of.average_win,
        "average_loss": of.average_loss,
        "rr": decimal(of.rr),
        "profit_factor": decimal(of.profit_factor),
        "max_drawdown_percent": decimal(report.curve.max_drawdown),
        "current_drawdown_percent": decimal(report.curve.current_drawdown),
        "sharpe": decimal(report.sharpe),
        "sortino": decimal(report.sortino),
        "long_pnl": report.longs.result,
        "short_pnl": report.shorts.result,
    }.items():
        yield [name, fmt.copied(value)]


def _plain(value: float | None, places: int) -> str:
    found = decimal(value)
    return "" if found is None else fmt.copied(round(found, places))


# pictures -------------------------------------------------------------------------------------------------------------


def table_picture(table: Table) -> QPixmap:
    """All rows of a table, also those scrolled away."""
    whole = Table(table.look, table.icons, table.cells, name=table.objectName(), title=table.accessibleName())
    rows = table.cells.rowCount() * table.look.row_height()
    whole.resize(table.width(), whole.heading.sizeHint().height() + rows + 2)
    whole.ensurePolished()
    for row in range(table.cells.rowCount()):
        whole.note(table.cells.cells(table.cells.index(row, 0)))
    needed = sum(whole.needed_width(logical) for logical in range(whole.heading.count()))
    whole.resize(max(table.width(), needed + 2), whole.height())
    picture = whole.grab()
    whole.deleteLater()
    return picture


def heat_picture(heat: HeatMap, report: Report) -> QPixmap:
    whole = HeatMap(heat.look)
    whole.resize(heat.size())
    whole.show_report(report)
    whole.resize(heat.whole_size())
    picture = whole.grab()
    whole.deleteLater()
    return picture


def widget_picture(widget: QWidget) -> QPixmap:
    picture = QPixmap(widget.size() * widget.devicePixelRatioF())
    picture.setDevicePixelRatio(widget.devicePixelRatioF())
    picture.fill(widget.palette().color(widget.backgroundRole()))
    widget.render(picture, QPoint(), QRegion(widget.rect()))
    return picture
