"""The chips that narrow the Log: by severity, then by category; those that have no room are behind one button."""

from collections.abc import Iterator

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from exengine.engine.rows import Category, Severity
from exengine.ui import words
from exengine.ui.icons import Icons
from exengine.ui.pieces import IconButton, chip, drop_down
from exengine.ui.theme import Look

GAP, BETWEEN = 4, 8
"""Between two chips, and more between severities and categories."""


class LogChips(QWidget):
    """A chip that is pressed narrows what is shown, and is never put away."""

    changed = Signal()

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__()
        self.severities = {one: self._chip(look, words.SEVERITIES[one][0]) for one in Severity}
        self.categories = {one: self._chip(look, words.CATEGORIES[one][0]) for one in Category}
        self.more = IconButton(icons, "filter", "More filters")
        self.more.clicked.connect(self._on_more)
        self.more.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        for severity in self.severities.values():
            row.addWidget(severity)
        row.addSpacing(BETWEEN)
        for category in self.categories.values():
            row.addWidget(category)
        row.addWidget(self.more)

    def _chip(self, look: Look, text: str) -> QPushButton:
        made = chip(look, text)
        made.toggled.connect(lambda *_: self.changed.emit())
        return made

    def __iter__(self) -> Iterator[QPushButton]:
        """In the order in which they stand, which is how much they matter."""
        yield from self.severities.values()
        yield from self.categories.values()

    @property
    def is_on(self) -> bool:
        return any(one.isChecked() for one in self)

    def clear(self) -> None:
        for one in self:
            one.setChecked(False)

    def fit(self, room: int) -> None:
        """Shows as many as have room, from the first."""
        room -= BETWEEN
        all_fit = sum(map(_wide, self)) <= room
        if not all_fit:
            room -= _wide(self.more) + sum(_wide(one) for one in self if one.isChecked())
        for one in self:
            shown = all_fit or one.isChecked()
            if not shown:
                room -= _wide(one)
                shown = room >= 0
            one.setVisible(shown)
        self.more.setVisible(not all_fit)

    def least_width(self) -> int:
        """What those of the severities take, with the button for the others."""
        return sum(map(_wide, (*self.severities.values(), self.more))) + BETWEEN

    def menu(self) -> QMenu:
        """Those that have no room."""
        menu = QMenu(self)
        for one in self:
            if one.isHidden():
                menu.addAction(one.text(), one.click)
        return menu

    def _on_more(self) -> None:
        drop_down(self.menu(), self.more)


def _wide(one: QWidget) -> int:
    """The room that a chip takes."""
    return one.sizeHint().width() + GAP
