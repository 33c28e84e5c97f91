"""The wizard's step for an account's keys: typed in, tried, and shown to nobody again."""

import asyncio
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from exengine.settings.account_keys import WITH_PASSPHRASE, AccountKeys
from exengine.settings.first_run import Answers
from exengine.settings.pages import AccountPage
from exengine.ui.first_run_pages import WizardPage
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.pieces import Label, button
from exengine.ui.remark import ICONS
from exengine.ui.settings_keys import AccountDesk, token_of
from exengine.ui.theme import Look


class KeysPage(WizardPage):
    """API key, secret, and where the exchange has one a passphrase."""

    heading = "Your key"
    meaning = (
        "Make a key at the exchange that **may trade and may not withdraw**, for this machine’s address only. It is "
        "kept in the system’s keyring or in an encrypted vault, and never leaves this machine."
    )

    def __init__(self, look: Look, icons: Icons, desk: AccountDesk, account: Callable[[], AccountPage]) -> None:
        super().__init__(look)
        self._icons, self._desk, self._account = icons, desk, account
        self._task: asyncio.Task[Any] | None = None
        self.api_key, self.secret = self._field("API key"), self._field("Secret")
        self.passphrase = self._field("Passphrase of the key")
        self._passphrase_line = self.passphrase.parentWidget()
        self.first_field = self.api_key
        row = QHBoxLayout()
        self.test = button(look, "Test connection")
        self.state = Label(look, token="muted")
        row.addWidget(self.test)
        row.addWidget(self.state, 1)
        self.column.addSpacing(4)
        self.column.addLayout(row)
        self._found = QVBoxLayout()
        self._found.setSpacing(4)
        self.column.addLayout(self._found)
        self.column.addStretch(1)
        self.findings: list[str] = []
        self.test.clicked.connect(self._on_test)
        self.changed.connect(self._refresh)
        self._refresh()

    def _field(self, name: str) -> QLineEdit:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        label = Label(self.look, name)
        label.setFixedWidth(self.look.scaled(160))
        field = QLineEdit()
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setAccessibleName(name)
        field.textChanged.connect(self.changed)
        label.setBuddy(field)
        row.addWidget(label)
        row.addWidget(field, 1)
        self.column.addWidget(holder)
        return field

    def begin(self, answers: Answers) -> None:
        wanted = answers.exchange.value in WITH_PASSPHRASE
        if self._passphrase_line is not None:
            self._passphrase_line.setVisible(wanted)
        self.passphrase.setEnabled(wanted)

    @property
    def keys(self) -> AccountKeys | None:
        """What was typed; None where it is not all there."""
        if self.why_not():
            return None
        passphrase = self.passphrase.text() if self.passphrase.isEnabled() else None
        return AccountKeys(
            api_key=self.api_key.text().strip(), secret=self.secret.text().strip(), passphrase=passphrase
        )

    def why_not(self) -> str:
        for field in (self.api_key, self.secret, self.passphrase):
            text = field.text().strip()
            if not field.isEnabled():
                continue
            if not text:
                return f"{field.accessibleName()} is missing"
            if field is not self.passphrase and (not text.isascii() or any(char.isspace() for char in text)):
                return "A key has no blanks and no accents in it"
        return ""

    def _refresh(self) -> None:
        running = self._task is not None and not self._task.done()
        self.test.setText("Cancel" if running else "Test connection")
        self.test.setEnabled(running or not self.why_not())
        self.test.setToolTip(self.why_not())

    # The test

    def _on_test(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            self._end("The test was broken off.", "muted")
            return
        self._clear()
        self.state.set_token("muted")
        self.state.setText("Asking the exchange…")
        self._task = spawn(self._examine(), name="test of the account", on_error=self._on_error)
        self._refresh()

    async def _examine(self) -> None:
        await self._desk.examine(self._account(), self.keys, self._on_found)
        wrong = sum(text.startswith("✗") for text in self.findings)
        self._task = None
        if wrong:
            self._end("It cannot be traded on yet.", "error")
        else:
            self._end("It can be traded on.", "success")

    def _on_found(self, finding: Any) -> None:
        """One thing that was found out: `about`, `is_well` and `text`."""
        if self._task is None:
            return
        self.findings.append(f"{'✓' if finding.is_well else '✗'} {finding.about}: {finding.text}")
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        token = token_of(finding)
        mark = Label(self.look)
        mark.setPixmap(self._icons.pixmap(ICONS[token], token, self.look.grown(14), self.devicePixelRatioF()))
        said = Label(self.look, f"{finding.about.capitalize()}: {finding.text}")
        if finding.warns:
            said.set_token(token)
        said.setWordWrap(True)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(said, 1)
        self._found.addWidget(holder)

    def _on_error(self, error: BaseException) -> None:
        self._task = None
        self._end(f"The test could not be made. {error}", "error")

    def _end(self, text: str, token: str) -> None:
        self.state.set_token(token)
        self.state.setText(text)
        self._refresh()

    def _clear(self) -> None:
        self.findings = []
        while (item := self._found.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
