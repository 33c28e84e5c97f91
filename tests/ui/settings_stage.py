"""The settings dialog over a window, with what it talks to, for its tests."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from exengine.engine.rows import Mode
from exengine.settings.follow import DiskEdit
from exengine.ui.icons import Icons
from exengine.ui.loop import Loop
from exengine.ui.settings_dialog import SettingsDialog
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look
from tests.ui import rows
from tests.ui.settings_desk import MemoryDesk, MemoryKeys, config_of

LIVE = {"name": "main", "exchange": "binance"}


@dataclass
class Setting:
    """A dialog over a window, with what it talks to."""

    dialog: SettingsDialog
    desk: MemoryDesk
    keys: MemoryKeys
    loop: Loop

    def until(self, condition: Callable[[], object]) -> None:
        """Lets the program run until something is so."""

        async def wait() -> None:
            async with asyncio.timeout(20):
                while not condition():  # noqa: ASYNC110  # what is waited for is Qt's, which sets no event
                    await asyncio.sleep(0.001)

        self.loop.run_until_complete(wait())

    def press(self, button: QAbstractButton) -> None:
        """Clicks a button on the running loop."""

        async def click() -> None:
            button.click()

        self.loop.run_until_complete(click())

    def apply(self) -> None:
        self.press(self.dialog.apply)

    def sheet(self, kind: type[Sheet]) -> Sheet:
        """The question that is open."""
        self.until(lambda: self._open(kind))
        return self._open(kind)[0]

    def _open(self, kind: type[Sheet]) -> list[Sheet]:
        return [sheet for sheet in self.dialog.findChildren(kind) if sheet.isVisible()]

    def row(self, name: str) -> QWidget:
        self.dialog.navigation.choose(name.partition(".")[0])
        return next(row for row in self.dialog.findChildren(QWidget, name) if hasattr(row, "input"))

    def type(self, name: str, text: str) -> None:
        line = self.row(name).input  # type: ignore[attr-defined]
        line.selectAll()
        QTest.keyClicks(line, text)


@pytest.fixture
def make(look: Look, on_loop: Loop, tmp_path: Path, qtbot) -> Iterator[Callable[..., Setting]]:
    window = QWidget()
    window.resize(1440, 900)
    window.show()
    made: list[SettingsDialog] = []

    def build(held: tuple[int, int] = (0, 0), mode: Mode = Mode.PAPER, edit: DiskEdit | None = None, **tree) -> Setting:
        desk, keys = MemoryDesk(config_of(**tree), tmp_path / "config.json", edit), MemoryKeys()
        dialog = SettingsDialog(
            look, Icons(look), window, desk, keys=keys, mode=mode, now_ms=lambda: rows.NOW_MS, held=lambda _: held
        )
        # Its widgets are asked after it was closed.
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        dialog.open()
        made.append(dialog)
        return Setting(dialog, desk, keys, on_loop)

    yield build
    for dialog in made:
        dialog.done(0)
        dialog.deleteLater()
    window.hide()
    window.deleteLater()
    QApplication.processEvents()
