"""The Performance dock on the running program: what the engine has closed is what it shows."""

import asyncio
from collections.abc import Callable

from exengine.cli.desktop import setup_of
from exengine.domain.money import arithmetic
from exengine.engine.desk import Desk
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import run
from exengine.ui.performance_feed import Source
from exengine.ui.window import Window
from tests.helpers.program import InProcess, entry, program


async def until(what: Callable[[], object]) -> None:
    """Waits for the window to show it."""
    async with asyncio.timeout(20):
        while not what():  # noqa: ASYNC110  # the window has no event for each of its texts
            await asyncio.sleep(0.01)


async def trade_and_look(window: Window, running: InProcess) -> None:
    dock = window.performance
    assert dock is not None
    await until(lambda: dock.note.heading.text() == "No closed group yet" and dock.note.isVisible())
    await running.market.tick("50000")
    await running.post(entry("50000"))
    await running.market.tick("49700")
    await running.market.tick("52000")
    await until(lambda: dock.report is not None and dock.report.figures.closed == 1)
    report, ledger = dock.report, running.program.state.ledger
    with arithmetic():
        assert round(report.realised.all, 10) == round(ledger.realised_total, 10)
        assert round(report.figures.result, 10) == round(ledger.realised_total, 10)
    assert report.realised.today == report.realised.all
    assert report.figures.wins == 1
    assert (report.best[0].symbol, report.best[0].side.value) == ("BTC/USDT", "long")
    assert report.today.day.signals == {"opened": 1}
    assert report.curve.total[-1] > report.curve.total[0]
    assert dock.view.cards.cards["win_rate"].value.text() == "100.0 %"
    # A second close is read behind the first.
    await running.post(entry("52000", tv__timeframe="60"))
    await running.market.tick("55000")
    await until(lambda: dock.report.figures.closed == 2)
    assert len(dock.report.by_timeframe) == 2
    window.put_layout("trade")


def test_what_the_engine_closes_is_shown_with_its_figures(look, qapp, tmp_path, monkeypatch, qtbot):
    async def main() -> None:
        async with program(tmp_path, monkeypatch) as running:
            bridge = Bridge(
                running.program.views,
                Desk(running.program.engine, running.program.clock, running.program.past),
                flush_ms=20,
            )

            async def close() -> None:
                return None

            source = Source(history=running.program.history, timezone=running.program.settings.timezone)
            layouts = LayoutStore(tmp_path / "layout.ini")
            window = Window(look, bridge, setup_of(running.program), layouts, on_close=close, source=source)
            window.show()
            window.put_layout("performance")
            try:
                await trade_and_look(window, running)
                await window.performance.feed.settled()
            finally:
                bridge.close()
                window.hide()
                window.deleteLater()

    run(qapp, main)
