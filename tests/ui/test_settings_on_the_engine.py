"""The settings on the running program: what is applied is what the engine runs by, live groups intact."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QPalette

from exengine.bootstrap.account_desk import AccountDesk
from exengine.settings.file import checked, read
from exengine.settings.program_pages import UiPage
from exengine.ui.settings_entry import SettingsEntry
from exengine.ui.theme import Look
from tests.ui.test_on_the_real_engine import ONE_LEG, Desktop, on_the_desktop


def test_what_is_typed_and_applied_is_what_runs(look: Look, tmp_path: Path, monkeypatch, qtbot):
    async def play(desktop: Desktop) -> None:
        entry = SettingsEntry(desktop.window, desktop.program.settings_desk, AccountDesk(desktop.program))
        await desktop.running.market.tick("50100")
        assert await desktop.alert() == 202
        await desktop.shows(lambda: desktop.groups == 1)
        dialog = entry.open("pool")
        await desktop.shows(lambda: dialog.preview.ladder is not None)
        assert dialog.preview.table.texts[0][5] == "Placed"
        dialog.editing.put(("pool", "max_open_groups"), 7)
        dialog.editing.put(("grid", "max_pyramids"), 3)
        dialog.preview.refresh()
        assert any("keeps the grid it began with" in told.text for told in dialog.preview.told)
        dialog.apply.click()
        await desktop.shows(lambda: entry.dialog is None)
        assert desktop.program.config.pool.max_open_groups == 7
        assert desktop.program.state.settings.pool.max_open_groups == 7
        assert read(desktop.program.config_file).grid.max_pyramids == 3
        assert desktop.groups == 1

    # The look is the one that the window has: to take another one is no part of this.
    on_the_desktop(look, tmp_path, monkeypatch, play, grid=ONE_LEG, ui={"theme": "dark"})


def pause_between_flushes(desktop: Desktop) -> int:
    """How long a changed price would wait to be shown."""
    desktop.bridge.flush()
    desktop.bridge._on_changed(False)
    return desktop.bridge._timer.interval()


SEEN: dict[str, tuple[object, Callable[[Desktop], object], object, object]] = {
    "theme": ("light", lambda it: it.window.palette().color(QPalette.ColorRole.Base).name(), "#12161c", "#ffffff"),
    "font_size": (14, lambda it: it.window.positions.table.font().pixelSize(), 12, 17),
    "refresh_ms": (250, pause_between_flushes, 500, 250),
    "pnl_palette": ("red_green", lambda it: it.window.ribbon._look.color("profit").name(), "#08744d", "#be2a3b"),
    "time": (
        "utc",
        lambda it: (it.window.positions.heading.detail.text().rpartition(" · ")[2], it.window.log.model.title(0)),
        ("times local, UTC+09:00", "Time, UTC+09:00"),
        ("times UTC", "Time, UTC"),
    ),
}
"""By value of the page `ui`: what the trader chooses, what is looked at, how that is before and after."""


def test_each_value_of_the_look_is_seen_as_soon_as_it_is_applied(look: Look, tmp_path: Path, monkeypatch, qtbot):
    assert set(SEEN) == set(UiPage.model_fields)

    async def play(desktop: Desktop) -> None:
        await desktop.shows(lambda: desktop.window.log.model.rowCount() > 0)
        for name, (value, seen, before, after) in SEEN.items():
            config = desktop.program.config
            assert seen(desktop) == before, name
            ui = config.ui.model_dump(mode="json") | {name: value}
            await desktop.program.apply(checked(config.model_dump(mode="json") | {"ui": ui}))
            await desktop.shows(lambda seen=seen, after=after: seen(desktop) == after)

    on_the_desktop(look, tmp_path, monkeypatch, play, ui={"theme": "dark"}, app={"timezone": "Asia/Tokyo"})
