"""What stands over the docks: the menu bar with the way to all commands and the layouts, and the bars under it."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenuBar, QVBoxLayout, QWidget

from exengine.ui.arrangement import STOCK
from exengine.ui.pieces import button
from exengine.ui.segments import Segments
from exengine.ui.theme import Look


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


def top_bar(menu: QMenuBar, corner: Corner, bars: Iterable[QWidget]) -> QWidget:
    """One over the other, without gaps."""
    menu.setCornerWidget(corner)
    top = QWidget()
    column = QVBoxLayout(top)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for widget in (menu, *bars):
        column.addWidget(widget)
    return top
