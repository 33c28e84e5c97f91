"""The settings on the running program: what is applied is what the engine runs by, live groups intact."""

from pathlib import Path

from exengine.bootstrap.account_desk import AccountDesk
from exengine.settings.file import read
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
