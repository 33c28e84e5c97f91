"""The window on the running program: alerts over HTTP, fills, clicks and the shutdown, all on the one loop."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from exengine.cli.desktop import setup_of, show_applied
from exengine.domain.instrument import Side
from exengine.engine.desk import Desk
from exengine.settings.file import checked
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import run
from exengine.ui.theme import Look
from exengine.ui.window import Window
from tests.helpers.alerts import alert
from tests.helpers.program import SECRET, TOKEN, InProcess, program

ONE_LEG = {"legs": [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "1"}]}


class Desktop:
    """The program with its window, as the desktop command joins them."""

    def __init__(self, look: Look, running: InProcess, folder: Path) -> None:
        self.running, self.program = running, running.program
        self.closed = asyncio.Event()
        self.bridge = Bridge(self.program.views, Desk(self.program.engine, self.program.clock, self.program.past))
        self.window = Window(
            look, self.bridge, setup_of(self.program), LayoutStore(folder / "layout.ini"), on_close=self._close
        )
        show_applied(self.program, look, self.bridge, self.window)
        self.window.show()

    async def _close(self) -> None:
        await self.program.stop()
        self.closed.set()

    async def alert(self, price: str = "50000", **changes: Any) -> int:
        body = alert(timestamp=self.program.clock.now_ms(), tv__entry_price=price, **changes)
        status, _ = await self.running.post(body)
        return status

    def row(self, place: int = 0) -> list[str]:
        """The texts of a group's row."""
        model = self.window.positions.model
        return [str(model.index(place, column).data() or "") for column in range(model.columnCount())]

    @property
    def groups(self) -> int:
        return self.window.positions.model.rowCount()

    async def shows(self, what: Callable[[], bool]) -> None:
        """Waits until the window shows it; a flush away at most."""
        async with asyncio.timeout(10):
            while not what():  # noqa: ASYNC110  # the window tells nobody that it has painted
                await asyncio.sleep(0.01)


def on_the_desktop(
    look: Look, folder: Path, monkeypatch: Any, play: Callable[[Desktop], Awaitable[None]], **sections: Any
) -> None:
    async def main() -> None:
        async with program(folder, monkeypatch, **sections) as running:
            desktop = Desktop(look, running, folder)
            try:
                await play(desktop)
            finally:
                desktop.bridge.close()
                desktop.window.hide()
                desktop.window.deleteLater()

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    run(app, main)


def test_an_alert_opens_a_group_that_fills_and_leaves_before_the_traders_eyes(look, tmp_path, monkeypatch):
    async def play(desktop: Desktop) -> None:
        await desktop.running.market.tick("50100")
        assert await desktop.alert("50000") == 202
        await desktop.shows(lambda: desktop.groups == 1)
        assert any("BTC/USDT" in text for text in desktop.row())
        assert "No fill" in desktop.row()
        await desktop.running.market.tick("49990")
        await desktop.shows(lambda: "Active" in desktop.row())
        await desktop.running.market.tick("50500")
        await desktop.shows(lambda: desktop.groups == 0)
        assert desktop.window.signals.model.rowCount() == 1
        assert desktop.window.log.model.rowCount() > 3

    on_the_desktop(look, tmp_path, monkeypatch, play, grid=ONE_LEG)


def test_pause_and_resume_are_clicks_that_reach_the_engine(look, tmp_path, monkeypatch, qtbot):
    async def play(desktop: Desktop) -> None:
        await desktop.running.market.tick("50100")
        qtbot.mouseClick(desktop.window.ribbon.pause, Qt.MouseButton.LeftButton)
        await desktop.shows(lambda: desktop.program.state.control.paused)
        await desktop.shows(lambda: "Resume" in desktop.window.ribbon.pause.text())
        await desktop.alert("50000")
        await desktop.shows(lambda: desktop.window.ribbon.queued.text() == "1")
        qtbot.mouseClick(desktop.window.ribbon.pause, Qt.MouseButton.LeftButton)
        await desktop.shows(lambda: desktop.groups == 1)

    on_the_desktop(look, tmp_path, monkeypatch, play, grid=ONE_LEG)


def test_an_apply_is_shown_at_once_and_no_row_is_lost_or_built_anew(look, tmp_path, monkeypatch):
    async def play(desktop: Desktop) -> None:
        window, program = desktop.window, desktop.program
        await desktop.running.market.tick("50100")
        await desktop.alert("50000")
        await desktop.shows(lambda: desktop.groups == 1)
        lost: list[str] = []
        for table in (window.positions.model, window.signals.model, window.log.model):
            table.modelReset.connect(lambda: lost.append("reset"))
            table.rowsRemoved.connect(lambda *_: lost.append("removed"))
        before, url = desktop.row(), program.listener.url
        tree = program.config.model_dump(mode="json")
        tree["pool"]["max_open_groups"] = 3
        tree["sizing"]["amount"] = "250"
        tree["ui"]["font_size"] = 12
        await program.settings_desk.apply(checked(tree))
        await desktop.shows(lambda: window.ribbon.pool.text() == "1 / 3")
        assert (desktop.row()[:6], lost, program.listener.url) == (before[:6], [], url)
        assert window.clicks.setup.test_amount == 250
        assert look.font_size == 12

    on_the_desktop(look, tmp_path, monkeypatch, play, grid=ONE_LEG)


def test_a_test_alert_goes_through_the_whole_engine(look, tmp_path, monkeypatch):
    async def play(desktop: Desktop) -> None:
        await desktop.running.market.tick("50100")
        verdict = await desktop.bridge.commands.send_test_alert("BTC/USDT", "1h", Side.LONG)
        assert verdict.kind.value == "accepted"
        await desktop.shows(lambda: desktop.groups == 1)
        assert any("1h" in text for text in desktop.row())

    on_the_desktop(look, tmp_path, monkeypatch, play, grid=ONE_LEG)


def test_closing_the_window_stops_the_program_and_a_new_one_goes_on_where_it_was(look, tmp_path, monkeypatch):
    async def first(desktop: Desktop) -> None:
        await desktop.running.market.tick("50100")
        await desktop.alert("50000")
        await desktop.shows(lambda: desktop.groups == 1)
        desktop.window.close()
        desktop.window.clicks.sheet.quit.click()
        await desktop.closed.wait()

    async def second(desktop: Desktop) -> None:
        await desktop.shows(lambda: desktop.groups == 1)
        await desktop.running.market.tick("50000")
        await desktop.shows(lambda: "Active" in desktop.row())

    on_the_desktop(look, tmp_path, monkeypatch, first, grid=ONE_LEG)
    on_the_desktop(look, tmp_path, monkeypatch, second)


def test_the_window_shows_neither_token_nor_secret(look, tmp_path, monkeypatch):
    async def play(desktop: Desktop) -> None:
        setup = setup_of(desktop.program)
        assert TOKEN in setup.webhook_url
        assert SECRET in setup.alert_text
        assert TOKEN not in setup.webhook_url_masked
        assert SECRET not in setup.alert_text_masked

    on_the_desktop(look, tmp_path, monkeypatch, play)
