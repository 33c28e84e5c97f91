"""What stands over the docks: the menu bar with the way to all commands and the layouts, and the bars under it."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenuBar, QVBoxLayout, QWidget

from exengine.ui.arrangement import STOCK
from exengine.ui.pieces import button
from exengine.ui.segments import Segments
from exengine.ui.theme import Look

ITEM_PADDING = 18
"""Beside a menu's word, as the style sheet has it."""


class Corner(QWidget):
    """At the menu's right."""

    commands_asked = Signal()

    def __init__(self, look: Look, key: str, put_layout: Callable[[str], None]) -> None:
        super().__init__()
        self.commands = button(look, f"{key}  Commands", kind="plain", small=True)
        self.commands.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.commands.setToolTip("Find any command, dock or pair by a few letters")
        self.commands.clicked.connect(self.commands_asked)
        self.layouts = Segments(look, "Layout", {name: stock.title for name, stock in STOCK.items()})
        self.layouts.chosen.connect(put_layout)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 3, look.metric("edge_padding") - 4, 3)
        row.setSpacing(12)
        row.addWidget(self.commands)
        row.addWidget(self.layouts)


class TopBar(QWidget):
    """Menu bar, banner, ribbon and strip, one over the other; the way to all commands gives way to the menus."""

    def __init__(self, look: Look, menu: QMenuBar, corner: Corner, bars: Iterable[QWidget]) -> None:
        super().__init__()
        self._menu, self._corner = menu, corner
        look.changed.connect(self._fit)
        menu.setCornerWidget(corner)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (menu, *bars):
            column.addWidget(widget)

    def _fit(self) -> None:
        metrics = self._menu.fontMetrics()
        menus = sum(metrics.horizontalAdvance(menu.text()) + ITEM_PADDING for menu in self._menu.actions())
        room = self.width() - menus - self._corner.layouts.sizeHint().width() - 3 * ITEM_PADDING
        self._corner.commands.setVisible(self._corner.commands.sizeHint().width() <= room)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
