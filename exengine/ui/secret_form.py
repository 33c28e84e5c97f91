"""Fields for what must not be read over a shoulder: passphrases and keys, checked off the loop, refused in words."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from exengine.domain.errors import UserError
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.pieces import Label, Prose, button
from exengine.ui.remark import Remark, set_marks
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

LONGEST = 4096
Submit = Callable[[tuple[str, ...]], Awaitable[None]]
"""Takes what the fields hold; raises UserError where that will not do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    label: str
    hint: str = ""
    """Shown in the empty field."""
    is_hidden: bool = True
    """Whether dots stand for what is typed."""


class SecretForm(QWidget):
    """Labelled fields and what was wrong with them. Enter goes to the next field, and from the last one submits."""

    accepted = Signal()
    busy = Signal(bool)

    def __init__(
        self, look: Look, icons: Icons, fields: Sequence[Field], submit: Submit, *, working: str = "Checking…"
    ) -> None:
        super().__init__()
        self._submit, self._working = submit, working
        self._is_busy = False
        self.inputs: list[QLineEdit] = []
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for place, field in enumerate(fields):
            entry = QLineEdit()
            entry.setMaxLength(LONGEST)
            entry.setAccessibleName(field.label)
            entry.setPlaceholderText(field.hint)
            if field.is_hidden:
                entry.setEchoMode(QLineEdit.EchoMode.Password)
                entry.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText)
            entry.returnPressed.connect(lambda place=place: self._on_return(place))
            grid.addWidget(Label(look, field.label, token="muted"), place, 0)
            grid.addWidget(entry, place, 1)
            self.inputs.append(entry)
        self.said = Remark(look, icons)
        # The place is kept, so that the buttons below do not move when something is said.
        kept = QWidget()
        kept.setMinimumHeight(2 * self.said.fontMetrics().lineSpacing())
        beneath = QVBoxLayout(kept)
        beneath.setContentsMargins(0, 0, 0, 0)
        beneath.addWidget(self.said)
        beneath.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(grid)
        column.addWidget(kept)

    def submit(self) -> None:
        """Has what was typed checked; `accepted` where it will do."""
        if self._is_busy:
            return
        self._set_busy(True)
        self._say(self._working, "muted")
        spawn(self._try(tuple(entry.text() for entry in self.inputs)), name="secret form", on_error=self._on_defect)

    def clear(self) -> None:
        """Empties the fields: what was typed is kept nowhere."""
        for entry in self.inputs:
            entry.clear()

    async def _try(self, typed: tuple[str, ...]) -> None:
        try:
            await self._submit(typed)
        except UserError as error:
            self._set_busy(False)
            self._say(error.brief, "error")
            self.inputs[0].setFocus()
            self.inputs[0].selectAll()
            return
        self.clear()
        self._set_busy(False)
        self._say("", "muted")
        self.accepted.emit()

    def _on_defect(self, error: BaseException) -> None:
        self._set_busy(False)
        self._say(f"It did not work because of a defect ({type(error).__name__}).", "error")

    def _on_return(self, place: int) -> None:
        if place + 1 < len(self.inputs):
            self.inputs[place + 1].setFocus()
        else:
            self.submit()

    def _set_busy(self, busy: bool) -> None:
        self._is_busy = busy
        for entry in self.inputs:
            entry.setReadOnly(busy)
        self.busy.emit(busy)

    def _say(self, text: str, token: str) -> None:
        self.said.say(text, token)
        set_marks(self.inputs[0], faulty=token == "error")


class SecretSheet(Sheet):
    """One such form as a dialog."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget | None,
        *,
        name: str,
        title: str,
        heading: str,
        meaning: str,
        fields: Sequence[Field],
        action: str,
        submit: Submit,
        cancel: str = "Cancel",
        working: str = "Checking…",
    ) -> None:
        super().__init__(look, icons, parent, name=name, title=title)
        self.add_heading(heading)
        prose = Prose(look)
        prose.say(meaning)
        self.body.addWidget(prose)
        self.body.addSpacing(8)
        self.form = SecretForm(look, icons, fields, submit, working=working)
        self.body.addWidget(self.form)
        self.buttons.addStretch(1)
        # No default button: Enter belongs to the fields.
        self.cancel = button(look, cancel, kind="plain")
        self.cancel.clicked.connect(self.reject)
        self.buttons.addWidget(self.cancel)
        self.action = button(look, action, kind="primary")
        self.action.clicked.connect(self.form.submit)
        self.buttons.addWidget(self.action)
        self.form.busy.connect(self.action.setDisabled)
        self.form.accepted.connect(self.accept)
        self.form.inputs[0].setFocus()


def same(first: str, again: str) -> str:
    """A new passphrase, typed twice. Raises UserError where the two differ."""
    if first != again:
        raise UserError("The two passphrases differ.", remedy="Type the same one twice.")
    return first
