"""The alerts' way in: the tunnel that ExEngine runs, started and stopped, and whether TradingView gets through."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from exengine.domain.errors import UserError
from exengine.engine.status import ListenerStatus
from exengine.settings.form import field_at
from exengine.settings.pages import Config
from exengine.settings.program_pages import TunnelProgram
from exengine.ui.choice import DropDown
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.pieces import Label, Prose, button, set_kind
from exengine.ui.remark import Remark
from exengine.ui.settings_apply import message
from exengine.ui.settings_state import SettingsDesk
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

PLACE = ("listener", "tunnel")
MEANING = (
    "TradingView calls public addresses only. ExEngine runs the tunnel on this machine, trusts it as a proxy, restarts "
    "it should it end, and closes it with the program. Start and Stop change that one setting at once: positions and "
    "orders stay as they are."
)
OWN = "The public address of the settings is what TradingView calls, whatever address a tunnel has."


@dataclass(frozen=True, slots=True, kw_only=True)
class WayInDesk:
    """What the sheet asks of the running program."""

    settings: SettingsDesk
    listener: Callable[[], ListenerStatus]
    installed: Callable[[], tuple[str, ...]]
    """The tunnel programs that are on this machine, by the words of the configuration."""


class TunnelSheet(Sheet):
    """Shows how it is at this moment, and starts or stops it."""

    copy_asked = Signal()
    """The webhook's whole URL is to be copied."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, desk: WayInDesk) -> None:
        super().__init__(look, icons, parent, name="tunnel_sheet", title="Tunnel", width=600)
        self._desk, self._is_busy = desk, False
        self.heading = self.add_heading("Let alerts in by a tunnel")
        self.meaning = Prose(look)
        self.body.addWidget(self.meaning)
        self.body.addSpacing(8)
        self.program = DropDown(icons, "Tunnel program")
        self.state, self.address, self.outside = Label(look), Label(look), Label(look)
        for value in (self.state, self.address, self.outside):
            value.setWordWrap(True)
        self.copy = button(look, "Copy URL", small=True)
        self.copy.setAccessibleName("Copy the webhook URL")
        self.copy.clicked.connect(self.copy_asked)
        self._lay_out()
        self.answer_line = Remark(look, icons)
        self.body.addWidget(self.answer_line)
        self.buttons.addStretch(1)
        self.cancel = self.add_cancel("Close")
        self.action = button(look, "", kind="primary")
        self.action.clicked.connect(self._on_action)
        self.buttons.addWidget(self.action)
        self._offer()
        self.refresh()
        self.cancel.setFocus()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        address = QWidget()
        row = QHBoxLayout(address)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.address, 1)
        row.addWidget(self.copy)
        lines: dict[str, QWidget] = {
            "Program": self.program,
            "Tunnel": self.state,
            "Public address": address,
            "Reached from outside": self.outside,
        }
        for line, (caption, value) in enumerate(lines.items()):
            grid.addWidget(Label(self.look, caption, token="muted"), line, 0)
            grid.addWidget(value, line, 1)
        self.body.addLayout(grid)

    def _offer(self) -> None:
        """The programs, those that are not there marked; the one that runs is chosen, else the first that could."""
        field, there = field_at(PLACE), self._desk.installed()
        assert field is not None
        for value, word in field.choices:
            if value != TunnelProgram.OFF.value:
                if value == TunnelProgram.AUTO.value:
                    found = next((name for name, _ in field.choices if name in there), "none is")
                    note = f": {dict(field.choices).get(found, found)}"
                else:
                    note = "" if value in there else " · not installed"
                self.program.addItem(word + note, value)
        self.program.setCurrentIndex(max(0, self.program.findData(self._wanted.value)))

    @property
    def _config(self) -> Config:
        return self._desk.settings.config

    @property
    def _wanted(self) -> TunnelProgram:
        return self._config.listener.tunnel

    @property
    def is_on(self) -> bool:
        """Whether ExEngine is to run one."""
        return self._wanted is not TunnelProgram.OFF

    def refresh(self) -> None:
        """How it is now."""
        status = self._desk.listener()
        own = self._config.listener.public_url
        self.meaning.say(f"{MEANING} **{OWN}**" if own else MEANING)
        self._say(self.state, status.tunnel, "text", "Off")
        self._say(self.address, status.public_url, "text", "None yet: no alert can come in")
        reached = {True: "success", False: "error", None: "muted"}[status.is_reached]
        untried = "Not tried yet" if status.public_url else "There is no address to try yet"
        self._say(self.outside, status.public_state, reached, untried)
        self.copy.setEnabled(bool(status.public_url))
        self.copy.setToolTip("" if status.public_url else "There is no public address yet")
        self.program.setEnabled(not (self.is_on or self._is_busy))
        self.program.setToolTip("Stop it before you choose another one" if self.is_on else "")
        self.action.setText("Stop tunnel" if self.is_on else "Start tunnel")
        # To stop it cuts off all alerts: that is not what the sheet offers first.
        set_kind(self.action, "" if self.is_on else "primary")
        self.action.setEnabled(not self._is_busy)

    @staticmethod
    def _say(label: Label, text: str, token: str, otherwise: str) -> None:
        label.setText(text or otherwise)
        label.set_token(token if text else "muted")

    def _on_action(self) -> None:
        wanted = TunnelProgram.OFF if self.is_on else TunnelProgram(self.program.currentData())
        self._is_busy = True
        self.answer_line.say("Stopping…" if self.is_on else "Starting…", "muted")
        self.refresh()
        spawn(self._put(wanted), name="tunnel", on_error=self._on_error)

    async def _put(self, wanted: TunnelProgram) -> None:
        desk, config = self._desk.settings, self._config
        if desk.edit is not None:
            raise UserError(
                f"The file {desk.config_file.name} was changed outside of the program.",
                safe="Nothing was changed.",
                remedy="Open the settings, and load what it says or keep what is here.",
            )
        await desk.apply(config.model_copy(update={"listener": config.listener.model_copy(update={"tunnel": wanted})}))
        self._end("The tunnel is off." if wanted is TunnelProgram.OFF else "It is being started.", "success")

    def _on_error(self, error: BaseException) -> None:
        self._end(message(error) if isinstance(error, UserError) else f"It did not work: {error}", "error")

    def _end(self, text: str, token: str) -> None:
        self._is_busy = False
        self.answer_line.say(text, token)
        self.refresh()

    def reject(self) -> None:
        """Not while it is being started or stopped: what became of that is told here."""
        if not self._is_busy:
            super().reject()
