"""The window on the running program: a real engine, a paper account, prices moved by hand."""

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtGui import QGuiApplication

from exengine.cli.desktop import setup_of
from exengine.engine.desk import Desk
from exengine.engine.rows import EngineStatus
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import run
from exengine.ui.positions_cells import Col
from exengine.ui.window import Window
from tests.helpers.program import SECRET, InProcess, entry, http, program
from tests.helpers.store_faults import DISK_FULL, faults


async def until(what: Callable[[], object]) -> None:
    """Waits for the window to show it."""
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110  # the window has no event for each of its texts
            await asyncio.sleep(0.01)


@pytest.fixture
def on_a_running_program(look, qapp, tmp_path, monkeypatch, qtbot):
    """Runs `story(window, running)` with the window open on a program."""

    def go(story) -> None:
        async def main() -> None:
            async with program(tmp_path, monkeypatch) as running:
                desk = Desk(running.program.engine, running.program.clock, running.program.past)
                bridge = Bridge(running.program.views, desk, flush_ms=20)
                closed = asyncio.Event()

                async def close() -> None:
                    closed.set()

                store = LayoutStore(tmp_path / "layout.ini")
                window = Window(look, bridge, setup_of(running.program), store, on_close=close)
                window.show()
                try:
                    await story(window, running)
                    window.stop()
                    async with asyncio.timeout(5):
                        await closed.wait()
                finally:
                    bridge.close()
                    window.hide()
                    window.deleteLater()

        run(qapp, main)

    return go


def text(window: Window, column: Col, row: int = 0) -> str:
    model = window.positions.model
    return model.cells(model.index(row, 0))[column].text if row < model.rowCount() else ""


def test_a_test_alert_opens_a_group_that_is_filled_priced_and_closed(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await running.market.tick("50000")
        form = window.positions.first_steps.form
        await until(lambda: form.send.isEnabled() and form.price.text() == "at 50,000, the last price")
        form.send.click()
        await until(window.positions.table.isVisible)
        await until(lambda: window.signals.windowTitle() == "Signals 1")
        await until(lambda: window.ribbon.pool.text().startswith("1 /"))
        assert form.result.text().startswith("Accepted as signal")
        await running.market.tick("49700")
        await until(lambda: text(window, Col.FILLED).startswith("2 /"))
        assert text(window, Col.LAST) == "49,700.00"
        assert text(window, Col.UNREALISED).startswith("−")
        group = window.positions.model.group_at(window.positions.model.index(0, 0))
        window.clicks.ask_close(group.id)
        window.clicks.sheet.action.click()
        await until(window.positions.first_steps.isVisible)
        assert window.positions.first_steps.heading.text() == "No open positions"
        assert window.ribbon.today.accessibleName().startswith("Realised today, USD: −")
        assert window.log.model.total > 0

    on_a_running_program(story)


def test_an_alert_over_the_network_is_seen_at_once(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await running.market.tick("50000")
        assert await running.post(entry("50000"))
        await until(lambda: window.positions.model.rowCount() == 1)
        await until(lambda: text(window, Col.PAIR) == "BTC/USDT")
        row = window.signals.model.row_at(window.signals.model.index(0, 0))
        assert (row.outcome, row.meaning) == ("opened", "entry")
        assert SECRET not in row.body

    on_a_running_program(story)


def test_panic_closes_everything_and_pauses_until_resumed(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await running.market.tick("50000")
        await running.post(entry("50000"))
        await until(lambda: window.positions.model.rowCount() == 1)
        window.clicks.ask_panic()
        sheet = window.clicks.sheet
        sheet.word.setText("CLOSE")
        sheet.action.click()
        await until(lambda: window.positions.model.rowCount() == 0)
        await until(lambda: window.ribbon.pause.text() == "Resume" and window.ribbon.pause.isEnabled())
        assert window.book.engine.status is EngineStatus.PAUSED
        window.ribbon.pause.click()
        await until(lambda: window.ribbon.pause.text() == "Pause" and window.ribbon.pause.isEnabled())

    on_a_running_program(story)


def test_the_alert_text_on_the_clipboard_opens_the_engine_s_door(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        steps = window.positions.first_steps
        steps.copy_text.click()
        assert SECRET in QGuiApplication.clipboard().text()
        assert SECRET not in steps.code.toPlainText()
        steps.copy_url.click()
        assert QGuiApplication.clipboard().text() == running.program.webhook_url

    on_a_running_program(story)


def test_a_full_disk_is_told_with_what_is_safe_and_what_to_do_until_it_has_room(on_a_running_program):
    async def story(window: Window, running: InProcess) -> None:
        await running.market.tick("50000")
        await running.post(entry("50000"))
        await until(lambda: text(window, Col.FILLED).startswith("1 /"))
        late = entry("50000", tv__timeframe="60")
        url = running.program.webhook_url
        with faults() as disk:
            disk.at(1, DISK_FULL)
            assert (await asyncio.to_thread(http, url, late))[0] == 503
            await until(window.strip.isVisible)
            assert window.strip.text.text().startswith("The disk is full: nothing more can be stored (")
            said = window.strip.newest.advice
            assert "What rests on the exchange stays" in said
            assert "Make room" in said
            await until(lambda: window.book.engine.status is EngineStatus.ERROR)
            disk.end()
            await until(lambda: not window.strip.isVisible())
        assert await running.post(late)
        await until(lambda: window.positions.model.rowCount() == 2)
        assert window.book.engine.status is EngineStatus.RUNNING

    on_a_running_program(story)
