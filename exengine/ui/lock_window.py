"""What is seen while ExEngine is locked: its name and a field for the passphrase, and no figure of anything."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from exengine.domain.errors import UserError
from exengine.settings.app_lock import Role
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, Prose, button
from exengine.ui.secret_form import Field, SecretForm
from exengine.ui.theme import Look, Weight
from exengine.ui.theme import Role as Size

ICON_EDGE = 2.75 / 16
"""How much of the icon's width is air, at its left."""
Unlock = Callable[[str], Awaitable[Role | None]]
"""The role that a passphrase opens, None where it opens none. Raises UserError where it is too soon to try again."""


class LockWindow(QWidget):
    """A window of its own in the place of the other, which is hidden with all that belongs to it."""

    unlocked = Signal(Role)

    def __init__(self, look: Look, icons: Icons, unlock: Unlock) -> None:
        super().__init__()
        self._look, self._unlock = look, unlock
        self._found: Role | None = None
        self.setObjectName("lock_window")
        self.setWindowTitle("ExEngine is locked")
        self.setWindowIcon(icons.icon("app", "accent"))
        self.form = SecretForm(look, icons, [Field(label="Passphrase")], self._try)
        self.form.accepted.connect(self._on_accepted)
        self.action = button(look, "Unlock", kind="primary")
        self.action.clicked.connect(self.form.submit)
        self.form.busy.connect(self.action.setDisabled)
        self._icon = Label(look)
        self._icons = icons
        meaning = Prose(look)
        meaning.say("The engine goes on: alerts are taken, targets and stops are looked after.")
        self.card = QWidget()
        self.card.setFixedWidth(look.scaled(420))
        column = QVBoxLayout(self.card)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        heading = QHBoxLayout()
        heading.setSpacing(12)
        heading.addWidget(self._icon)
        heading.addWidget(Label(look, "ExEngine is locked", role=Size.HEADING, weight=Weight.STRONG), 1)
        column.addLayout(heading)
        column.addWidget(meaning)
        column.addWidget(self.form)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.action)
        column.addLayout(row)
        middle = QVBoxLayout(self)
        middle.addStretch(2)
        middle.addWidget(self.card, 0, Qt.AlignmentFlag.AlignHCenter)
        middle.addStretch(3)
        look.changed.connect(self._refresh)
        self._refresh()
        self.form.inputs[0].setFocus()

    async def _try(self, typed: tuple[str, ...]) -> None:
        self._found = await self._unlock(typed[0])
        if self._found is None:
            raise UserError("That is not the passphrase.")

    def _on_accepted(self) -> None:
        if self._found is not None:
            self.unlocked.emit(self._found)

    def _refresh(self) -> None:
        size = self._look.grown(32)
        drawn = self._icons.pixmap("lock", "accent", size, self.devicePixelRatioF())
        # Without the air at its left, so that it begins where the texts do.
        edge = round(drawn.width() * ICON_EDGE)
        self._icon.setPixmap(drawn.copy(edge, 0, drawn.width() - edge, drawn.height()))
        self.card.setFixedWidth(self._look.scaled(420))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), self._look.color("surface"))

    def closeEvent(self, event: QCloseEvent) -> None:
        # To close ExEngine is to stop the engine: that is for whoever has the passphrase.
        event.ignore()
        self.say("Unlock ExEngine to close it: closing it stops the engine.")

    def say(self, text: str) -> None:
        """Says something under the field."""
        self.form.said.say(text, "muted")
