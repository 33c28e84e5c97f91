"""Where another engine has the data, the window opens on its store: it shows what that one does, and nothing acts."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from exengine.bootstrap.read_only import NoCommands, ReadOnlyProgram
from exengine.cli.look_only import look_window
from exengine.domain.errors import UserError
from exengine.ui.bridge import Bridge
from exengine.ui.loop import Loop, run
from exengine.ui.read_only import ReadOnlyBanner, offer_read_only
from exengine.ui.theme import Look
from exengine.ui.window import Window
from tests.helpers.program import SECRET, TOKEN, InProcess, entry, program

WHY = "Another ExEngine already runs on this data (process 4711)."


class Second:
    """The second program's window, beside the first program in the same process."""

    def __init__(self, look: Look, first: InProcess, second: ReadOnlyProgram) -> None:
        self.first, self.program = first, second
        self.bridge = Bridge(second.feed, NoCommands(WHY, second.past))
        self.window: Window = look_window(look, self.bridge, second, WHY, on_close=second.stop)
        self.window.resize(1440, 900)
        self.window.show()

    async def looked(self) -> None:
        await self.program.look()
        self.bridge.flush()
        for _ in range(3):
            QApplication.processEvents()


def beside_the_first(
    look: Look, folder: Path, monkeypatch: Any, play: Callable[[Second], Awaitable[None]], **sections: Any
) -> None:
    async def main() -> None:
        async with program(folder, monkeypatch, **sections) as running:
            await running.market.tick("50100")
            await running.post(entry("50000"))
            second = ReadOnlyProgram(running.program.data_dir, running.program.config_file)
            await second.start()
            made = Second(look, running, second)
            try:
                await play(made)
            finally:
                await second.stop()
                made.bridge.close()
                made.window.hide()
                made.window.deleteLater()

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    run(app, main)


def test_it_shows_what_the_other_engine_has_and_does(look: Look, tmp_path: Path, monkeypatch, qtbot) -> None:
    async def play(second: Second) -> None:
        await second.looked()
        model = second.window.positions.model
        assert model.rowCount() == 1
        await second.first.post(entry("50000", tv__timeframe="60"))
        await second.looked()
        assert model.rowCount() == 2
        await second.first.post(entry("50000", execution_intent={"type": "exit"}))
        await second.looked()
        assert model.rowCount() == 1

    beside_the_first(look, tmp_path, monkeypatch, play)


def test_a_banner_says_so_and_nothing_that_acts_can_be_pressed(look: Look, tmp_path: Path, monkeypatch, qtbot) -> None:
    async def play(second: Second) -> None:
        window = second.window
        for _ in range(2):
            await second.looked()
            second.bridge.ticked.emit(second.bridge.now_ms())
            window.positions.table.setCurrentIndex(window.positions.model.index(0, 0))
            assert [
                one.id for one in window.registry.specs if one.acts and window.menus.actions[one.id].isEnabled()
            ] == []
            assert not window.ribbon.pause.isEnabled()
            assert not window.ribbon.panic.isEnabled()
            assert not window.risk.run.isEnabled()
            assert not window.queue.promote.isEnabled()
            assert not window.signals.note.action.isEnabled()
        banner = window.findChild(ReadOnlyBanner)
        assert banner is not None
        assert banner.isVisible()
        assert WHY in banner.text.text()
        assert window.menus.actions["quit"].isEnabled()
        assert window.menus.actions["copy_rows"].isEnabled()

    beside_the_first(look, tmp_path, monkeypatch, play)


def test_no_way_round_leads_to_a_command(look: Look, tmp_path: Path, monkeypatch, qtbot) -> None:
    async def play(second: Second) -> None:
        await second.looked()
        clicks, group_id = second.window.clicks, "paper|BTC/USDT|15m#1"
        clicks.ask_close(group_id)
        clicks.ask_panic()
        clicks.ask_test_alert()
        assert clicks.sheet is None
        clicks.pause()
        clicks.cancel_entries(group_id)
        await asyncio.sleep(0)
        await second.first.program.engine.settled()
        state = second.first.program.state
        assert not state.control.paused
        assert {order.status.value for order in state.orders.values()} == {"open"}
        clicks.show_about()
        assert clicks.sheet is not None
        clicks.sheet.reject()

    beside_the_first(look, tmp_path, monkeypatch, play)


def test_no_secret_is_in_it(look: Look, tmp_path: Path, monkeypatch, qtbot) -> None:
    async def play(second: Second) -> None:
        await second.looked()
        told = repr(second.window.clicks.setup)
        assert TOKEN not in told
        assert SECRET not in told

    beside_the_first(look, tmp_path, monkeypatch, play)


@pytest.mark.parametrize(("button", "wanted"), [("Open read-only", True), ("Quit", False)])
def test_it_is_offered_and_the_trader_may_decline(look: Look, on_loop: Loop, button: str, wanted: bool) -> None:
    async def play() -> bool:
        asked = asyncio.create_task(offer_read_only(UserError(WHY, safe="It goes on undisturbed.")))
        await asyncio.sleep(0)
        (box,) = [one for one in QApplication.topLevelWidgets() if isinstance(one, QMessageBox) and one.isVisible()]
        assert WHY in box.text()
        (press,) = [one for one in box.findChildren(QPushButton) if one.text().replace("&", "") == button]
        press.click()
        return await asked

    assert on_loop.run_until_complete(play()) is wanted
