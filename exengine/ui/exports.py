"""Takes tables and plots out of the window: as CSV, JSON or text with plain numbers, or as PNG as they look."""

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from exengine.ui.loop import spawn
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
    """Its table with the titles first; None for what is no table, and for what is read by `fetch`."""
    picture: Callable[[], QPixmap] | None = None
    fetch: Callable[[], Awaitable[Rows]] | None = None
    """Reads its table, where not all of it is in the window."""

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
        return self._menu("CSV", [item for item in self.items if item.rows], lambda item: self.save_as(item, "csv"))

    def png_menu(self) -> QMenu:
        return self._menu("PNG", [item for item in self.items if item.picture], self.save_png)

    def _menu(self, title: str, items: list[Item], save: Callable[[Item], None]) -> QMenu:
        menu = QMenu(title, self._window)
        for item in items:
            menu.addAction(f"{item.name}…").triggered.connect(lambda *_, item=item: save(item))
        return menu

    def save_as(self, item: Item, form: str) -> None:
        """Asks for a file and writes a table to it; `form` is csv, json or txt."""
        name = f"{item.file_name}-{self._stamp()}.{form}"

        def write(path: Path) -> None:
            spawn(self._write(item, path, form), name=f"save {path.name}")

        self.choose_file(name, write)

    def save_png(self, item: Item) -> None:
        assert item.picture is not None
        picture = item.picture
        self.choose_file(f"{item.file_name}-{self._stamp()}.png", lambda path: self._paint(item, path, picture()))

    async def _write(self, item: Item, path: Path, form: str) -> None:
        """In a thread: a curve of many years has many points."""
        try:
            rows = item.rows() if item.rows is not None else await item.fetch() if item.fetch is not None else []
            await asyncio.to_thread(_replace, path, lambda part: _WRITERS[form](part, rows))
        except OSError as error:
            self._tell_failure(path, error)
        except Exception as error:  # noqa: BLE001  # whatever the store says: it is shown, and no file is left
            self.failed.emit(f"{item.name} could not be read: {error}")
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


def _write_json(path: Path, rows: Rows) -> None:
    """A list with an object for each row, by the titles."""
    titles, *lines = rows
    with path.open("w", encoding="utf-8") as file:
        json.dump([dict(zip(titles, line, strict=True)) for line in lines], file, ensure_ascii=False, indent=1)
        file.write("\n")


def _write_txt(path: Path, rows: Rows) -> None:
    """A line for each row, as one reads them; what is empty is left out."""
    _, *lines = rows
    with path.open("w", encoding="utf-8") as file:
        file.writelines("  ".join(cell for cell in line if cell) + "\n" for line in lines)


_WRITERS = {"csv": _write_csv, "json": _write_json, "txt": _write_txt}


def _write_png(path: Path, picture: QPixmap) -> None:
    if not picture.save(str(path), "PNG"):
        raise OSError("the folder does not take it")


# tables ---------------------------------------------------------------------------------------------------------------


def table_rows(table: Table) -> Rows:
    """What a table shows, in its order, all columns, values plain; made at once: it belongs to the window's thread.

    Of a tree each row has its level before it, 0 for the outermost; what is folded away is there too.
    """
    model = table.cells
    titles = [model.title(place) or column.key for place, column in enumerate(model.columns)]
    rows = [(model.level(index), [cell.copied() for cell in model.cells(index)]) for index in table.all_rows()]
    if not table.is_tree:
        return [titles, *(row for _, row in rows)]
    return [["level", *titles], *([str(level), *row] for level, row in rows)]


def table_picture(table: Table) -> QPixmap:
    """All rows of a table, also those scrolled away."""
    whole = Table(table.look, table.icons, table.cells, name=table.objectName(), title=table.accessibleName())
    rows = table.cells.rowCount() * table.look.row_height()
    whole.resize(table.width(), whole.heading.sizeHint().height() + rows + 2)
    whole.ensurePolished()
    for row in range(table.cells.rowCount()):
        whole.note(table.cells.index(row, 0))
    needed = sum(whole.needed_width(logical) for logical in range(whole.heading.count()))
    whole.resize(max(table.width(), needed + 2), whole.height())
    picture = whole.grab()
    whole.deleteLater()
    return picture
