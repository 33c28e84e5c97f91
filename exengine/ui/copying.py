"""Rows on the clipboard: columns as they are shown, values plain, as a spreadsheet takes them."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QGuiApplication

from exengine.ui.cell_model import CellModel


def copy_rows(model: CellModel, rows: Iterable[QModelIndex], columns: Sequence[int], *, titled: bool) -> None:
    """Puts rows on the clipboard, tabs between the cells; nothing where there are none."""
    lines = ["\t".join(model.cells(index)[logical].copied() for logical in columns) for index in rows]
    if not lines:
        return
    if titled:
        lines.insert(0, "\t".join(model.title(logical) for logical in columns))
    QGuiApplication.clipboard().setText("\n".join(lines))
