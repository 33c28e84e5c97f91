"""What every dock can do with its tables: choose the columns, copy, and save as a file; icons of its title bar."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu

from exengine.ui.dock import Dock
from exengine.ui.exports import Exports, Item, table_rows
from exengine.ui.icons import Icons
from exengine.ui.pieces import IconButton, drop_down
from exengine.ui.table import Table

FORMS = {"csv": "CSV", "json": "JSON", "txt": "text"}


class TableTools(QObject):
    """The columns and export icons of a dock, for one table or several."""

    def __init__(
        self,
        dock: Dock,
        icons: Icons,
        tables: Sequence[Table],
        *,
        forms: Sequence[str] = ("csv", "json"),
        narrow: bool = False,
    ) -> None:
        """Where a dock is `narrow`, its columns are chosen by a right click on their titles alone."""
        super().__init__(dock)
        self._dock, self._tables, self._forms = dock, tuple(tables), tuple(forms)
        items = [self._item(table) for table in tables]
        self.exports = Exports(dock, items, today)
        self.exports.saved.connect(lambda text: dock.told.emit(text, "success"))
        self.exports.failed.connect(lambda text: dock.told.emit(text, "error"))
        self.columns = IconButton(icons, "columns", f"Columns of {dock.plain_title}")
        if narrow:
            self.columns.setParent(dock.heading)
            self.columns.hide()
        self.columns.clicked.connect(lambda: drop_down(self.columns_menu(), self.columns))
        self.export = IconButton(icons, "export", f"Copy or save {dock.plain_title}")
        self.export.clicked.connect(lambda: drop_down(self.export_menu(), self.export))
        self._narrow = narrow
        for tool in (self.export,) if narrow else (self.columns, self.export):
            dock.heading.add_tool(tool)

    @staticmethod
    def _item(table: Table) -> Item:
        return Item(name=table.accessibleName(), rows=lambda: table_rows(table))

    def replace_item(self, item: Item) -> None:
        """Takes the place of the item of that name: a table of which more is in the store."""
        self.exports.items = [item if old.name == item.name else old for old in self.exports.items]

    def set_visible(self, visible: bool) -> None:
        """Hidden while the dock is empty: there is nothing to take out."""
        self.columns.setVisible(visible and not self._narrow)
        self.export.setVisible(visible)

    def columns_menu(self) -> QMenu:
        """Which columns are shown; of several tables the first one's at the top."""
        menu = QMenu(self._dock)
        for place, table in enumerate(self._tables):
            if place:
                menu.addSeparator()
            for action in table.heading.columns_menu(menu).actions():
                menu.addAction(action)
        return menu

    def export_menu(self) -> QMenu:
        menu = QMenu(self._dock)
        for place, (item, table) in enumerate(zip(self.exports.items, self._tables, strict=True)):
            if place:
                menu.addSeparator()
            there = table.cells.rowCount() > 0
            self._add(menu, f"Copy {item.name}", partial(self.copy, table), there)
            for form in self._forms:
                self._add(menu, f"Save {item.name} as {FORMS[form]}…", partial(self.exports.save_as, item, form), there)
        return menu

    @staticmethod
    def _add(menu: QMenu, text: str, act: Callable[[], object], there: bool) -> None:
        made = menu.addAction(text)
        made.setEnabled(there)
        made.triggered.connect(lambda *_: act())

    def copy(self, table: Table) -> None:
        table.copy_all()
        self._dock.told.emit(f"{table.accessibleName()} copied", "success")


def today() -> str:
    """The day, for the names of files."""
    return datetime.now(UTC).astimezone().date().isoformat()
