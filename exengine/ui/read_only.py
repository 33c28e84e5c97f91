"""The window on a store that another engine has: a banner says so, and nothing that would act can be pressed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QSizePolicy, QWidget

from exengine.domain.errors import UserError
from exengine.ui.icons import Icons
from exengine.ui.pieces import ElidedLabel, Label
from exengine.ui.theme import Look, Weight

if TYPE_CHECKING:
    from exengine.ui.window import Window


async def offer_read_only(error: UserError) -> bool:
    """Says that another engine runs, and asks whether its store is to be looked at."""
    answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    box = QMessageBox(QMessageBox.Icon.Information, "ExEngine", error.happened)
    box.setObjectName("offer_read_only")
    box.setInformativeText(f"{error.safe} You can look at its positions and history here; nothing can be changed.")
    look = box.addButton("Open read-only", QMessageBox.ButtonRole.AcceptRole)
    box.addButton("Quit", QMessageBox.ButtonRole.RejectRole)

    def on_finished(_: int) -> None:
        if not answered.done():
            answered.set_result(box.clickedButton() is look)

    box.finished.connect(on_finished)
    box.open()
    return await answered


class ReadOnlyBanner(QWidget):
    """Stays for as long as the window: what is seen here, and why nothing can be done."""

    def __init__(self, look: Look, icons: Icons, words: str) -> None:
        super().__init__()
        self._look, self._icons = look, icons
        self.setObjectName("read_only_banner")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._icon = Label(look)
        self.what = Label(look, "Read-only", token="warn", weight=Weight.STRONG)
        self.text = ElidedLabel(look)
        self.say(words)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 1)
        row.setSpacing(12)
        row.addWidget(self._icon)
        row.addWidget(self.what)
        row.addWidget(self.text, 1)
        look.changed.connect(self._refresh)
        self._refresh()

    def say(self, words: str) -> None:
        """Why nothing can be done here."""
        self.text.setText(words)
        self.setAccessibleName(f"Read-only. {words}")

    def _refresh(self) -> None:
        self._icon.setPixmap(self._icons.pixmap("warn", "warn", self._look.grown(16), self.devicePixelRatioF()))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._look.tall("alert_strip"))

    def minimumSizeHint(self) -> QSize:
        return QSize(320, self._look.tall("alert_strip"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("raised"))
        painter.fillRect(0, 0, 3, self.height(), self._look.color("warn"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._look.color("line"))


class HeldBack(QObject):
    """Keeps widgets off, whoever switches them on."""

    def __init__(self, parent: QObject, widgets: list[QWidget], why: str) -> None:
        super().__init__(parent)
        self._why = why
        for widget in widgets:
            widget.installEventFilter(self)
            self._hold(widget)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.EnabledChange and isinstance(watched, QWidget) and watched.isEnabled():
            self._hold(watched)
        return False

    def _hold(self, widget: QWidget) -> None:
        widget.setEnabled(False)
        widget.setToolTip(self._why)


def hold_back(window: Window, why: str) -> None:
    """Another engine has the store: nothing in this window acts."""
    ribbon, steps, queue, risk = window.ribbon, window.positions.first_steps, window.queue, window.risk
    widgets: list[QWidget] = [
        ribbon.pause, ribbon.panic, steps.form, steps.copy_text, steps.copy_url, window.signals.note.action,
        window.signals.replay, window.strip.again,
        queue.promote, queue.force, queue.remove, risk.run, risk.skip, risk.block,
    ]  # fmt: skip
    HeldBack(window, widgets, why)
    window.registry.hold_back(why)
