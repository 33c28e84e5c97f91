"""Keys of an account: typed in and never shown again, tried out line by line (SPEC §2.1)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from exengine.domain.errors import UserError
from exengine.engine.rows import Mode
from exengine.settings.account_keys import WITH_PASSPHRASE, AccountKeys
from exengine.settings.pages import AccountPage
from exengine.settings.program_pages import EXCHANGES, NotificationPage
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.pieces import Label, button
from exengine.ui.remark import ICONS, sentence
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look, Weight


class Finding(Protocol):
    """One line of a test."""

    @property
    def about(self) -> str: ...

    @property
    def is_well(self) -> bool: ...

    @property
    def text(self) -> str: ...

    @property
    def warns(self) -> bool: ...


def token_of(finding: Finding) -> str:
    """The colour of a line, by how grave it is."""
    return "error" if not finding.is_well else "warn" if finding.warns else "success"


class Doubt(NamedTuple):
    """What a test says for or against trading on an account."""

    token: str
    """Its colour, by how grave it is."""
    text: str


class AccountDesk(Protocol):
    """Where keys and other secrets are kept, and accounts are tried. All of it raises UserError."""

    @property
    def has_vault(self) -> bool: ...

    async def endings(self, accounts: Sequence[str]) -> Mapping[str, str]: ...

    async def keep(self, account: str, keys: AccountKeys) -> None: ...

    async def forget(self, account: str) -> None: ...

    async def keep_secret(self, name: str, value: str) -> None: ...

    async def send_test_notice(self, page: NotificationPage) -> str: ...

    async def closed(self) -> str | None: ...

    async def open_vault(self, passphrase: str) -> None: ...

    async def examine(self, page: AccountPage, keys: AccountKeys | None, tell: Callable[[Any], None]) -> object: ...


class KeysSheet(Sheet):
    """Asks for an account's keys. They are written only: nothing of them is shown, and nothing pre-filled."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, account: str, exchange: str, mode: Mode) -> None:
        super().__init__(look, icons, parent, name="account_keys", title="Keys", mode=mode)
        self.heading = self.add_heading(
            f"Keys of {account or 'the new account'} at {EXCHANGES.get(exchange, exchange)}"
        )
        about = Label(
            look,
            "Make a key at the exchange that may trade and may not withdraw, for this machine’s address only. "
            "It is kept with Apply, in the system’s keyring or the vault, and never shown again.",
            token="muted",
        )  # fmt: skip
        about.setWordWrap(True)
        self.body.addWidget(about)
        self.api_key, self.secret = self._line("API key"), self._line("Secret")
        self.passphrase: QLineEdit | None = None
        if exchange in WITH_PASSPHRASE:
            self.passphrase = self._line("Passphrase of the key")
        self.hint = Label(look, token="muted")
        self.buttons.addWidget(self.hint, 1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("Use these keys", kind="primary")
        self._on_typed()
        self.api_key.setFocus()

    def _line(self, name: str) -> QLineEdit:
        row = QHBoxLayout()
        label = Label(self.look, name)
        label.setFixedWidth(self.look.scaled(150))
        line = QLineEdit()
        line.setEchoMode(QLineEdit.EchoMode.Password)
        line.setAccessibleName(name)
        line.textChanged.connect(self._on_typed)
        row.addWidget(label)
        row.addWidget(line, 1)
        self.body.addLayout(row)
        return line

    def _on_typed(self) -> None:
        lines = [line for line in (self.api_key, self.secret, self.passphrase) if line is not None]
        texts = [line.text().strip() for line in lines]
        odd = any(not text.isascii() or any(char.isspace() for char in text) for text in texts[:2])
        self.hint.setText("A key has no blanks and no accents in it." if odd else "")
        self.action.setEnabled(all(texts) and not odd)

    @property
    def keys(self) -> AccountKeys:
        """What was typed."""
        passphrase = self.passphrase.text() if self.passphrase is not None else None
        return AccountKeys(
            api_key=self.api_key.text().strip(), secret=self.secret.text().strip(), passphrase=passphrase
        )


class AccountTest(QWidget):
    """The test of a connection: each finding as soon as it is there, and a way to break it off."""

    ended = Signal(object, tuple)
    """The AccountPage that was tried to the end; the verdict and each reason for it, as Doubts."""

    def __init__(self, look: Look, icons: Icons, desk: AccountDesk) -> None:
        super().__init__()
        self._look, self._icons, self._desk = look, icons, desk
        self.findings: list[str] = []
        """What was found so far, in words."""
        self._doubts: list[Doubt] = []
        self._task: asyncio.Task[object] | None = None
        self.state = Label(look, weight=Weight.STRONG)
        self.stop = button(look, "Cancel", small=True)
        head = QHBoxLayout()
        head.addWidget(self.state, 1)
        head.addWidget(self.stop)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 8)
        column.setSpacing(4)
        column.addLayout(head)
        column.addLayout(self._lines)
        self.stop.clicked.connect(self.cancel)
        self.hide()

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    def begin(self, page: AccountPage, keys: AccountKeys | None) -> None:
        """Tries `page`, with `keys` where they are new."""
        self.clear()
        self.state.setText(f"Testing {page.name}…")
        self.stop.setText("Cancel")
        self.show()

        async def run() -> None:
            await self._desk.examine(page, keys, self._told)
            self._conclude(page)

        self._task = spawn(run(), name=f"test of {page.name}", on_error=self._failed)

    def _conclude(self, page: AccountPage) -> None:
        tokens = {doubt.token for doubt in self._doubts}
        token = "error" if "error" in tokens else "warn" if tokens else "success"
        verdict = "cannot be traded on yet" if token == "error" else "can be traded on"
        self._ended(f"{page.name} {verdict}.")
        self.ended.emit(page, (Doubt(token, f"By its last test it {verdict}."), *self._doubts))

    def cancel(self) -> None:
        """Breaks the test off; once it has ended, puts it away."""
        if self.is_running and self._task is not None:
            self._task.cancel()
            self._ended("The test was broken off.")
        else:
            self.clear()

    def clear(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task, self.findings, self._doubts = None, [], []
        while (item := self._lines.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.hide()

    def _told(self, finding: Finding) -> None:
        if self._task is None:
            return
        token = token_of(finding)
        self.findings.append(f"{'✓' if finding.is_well else '✗'} {finding.about}: {finding.text}")
        said = sentence(finding.text)
        if token != "success":
            self._doubts.append(Doubt(token, said))
        self._add(token, finding.about.capitalize(), said)

    def _add(self, token: str, about: str, text: str) -> None:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        mark, name, said = Label(self._look), Label(self._look, about), Label(self._look, text, token="muted")
        mark.setPixmap(self._icons.pixmap(ICONS[token], token, self._look.grown(14), self.devicePixelRatioF()))
        name.setFixedWidth(self._look.scaled(90))
        if token != "success":
            said.set_token(token)
        said.setWordWrap(True)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(name, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(said, 1)
        self._lines.addWidget(holder)

    def _failed(self, error: BaseException) -> None:
        if self._task is None:
            return
        text = error.brief if isinstance(error, UserError) else str(error)
        self.findings.append(f"✗ {text}")
        self._add("error", "Test", sentence(text))
        self._ended("The test could not be made.")

    def _ended(self, text: str) -> None:
        self.state.setText(text)
        self.stop.setText("Hide")
