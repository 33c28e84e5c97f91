"""The way from the window into the settings, and back."""

import asyncio
from pathlib import Path

from exengine.ui.loop import Loop
from exengine.ui.settings_entry import SettingsEntry
from tests.ui.conftest import Stage
from tests.ui.settings_desk import MemoryDesk, MemoryKeys, config_of


def entry_of(stage: Stage, tmp_path: Path, **tree: object) -> SettingsEntry:
    desk = MemoryDesk(config_of(**tree), tmp_path / "config.json")
    return SettingsEntry(stage.window, desk, MemoryKeys())


def run(loop: Loop, stage: Stage, action: str) -> None:
    async def press() -> None:
        stage.window.registry.actions[action].trigger()
        await asyncio.sleep(0)

    loop.run_until_complete(press())


def test_the_menu_opens_the_settings_once(stage, on_loop, tmp_path):
    entry = entry_of(stage, tmp_path)
    run(on_loop, stage, "settings")
    dialog = entry.dialog
    assert dialog is not None
    assert dialog.isVisible()
    run(on_loop, stage, "accounts")
    assert entry.dialog is dialog
    assert dialog.navigation.current == "accounts"
    dialog.reject()
    assert entry.dialog is None


def test_an_account_that_is_to_go_is_said_to_have_its_open_groups(stage, on_loop, tmp_path):
    stage.put_sample()
    entry = entry_of(stage, tmp_path)
    groups = [group for group in stage.window.book.groups.values() if group.account == "paper"]
    orders = sum(group.open_entries + group.open_targets for group in groups)
    run(on_loop, stage, "settings")
    assert entry.dialog.held("paper") == (len(groups), orders)
    assert len(groups) > 0
    entry.dialog.reject()


def test_what_was_applied_is_told_in_the_window(stage, on_loop, tmp_path):
    entry = entry_of(stage, tmp_path)
    run(on_loop, stage, "settings")
    dialog = entry.dialog
    dialog.editing.put(("pool", "max_open_groups"), 6)

    async def apply() -> None:
        dialog.apply.click()
        async with asyncio.timeout(20):
            while entry.dialog is not None:  # noqa: ASYNC110  # the dialog is Qt's, which sets no event
                await asyncio.sleep(0.001)

    on_loop.run_until_complete(apply())
    assert any("Applied" in toast.text for toast in stage.window.toasts.shown())


def test_the_palette_finds_every_setting(stage, on_loop, tmp_path):
    entry_of(stage, tmp_path)
    found = [one for source in stage.window.registry.sources for one in source()]
    one = next(one for one in found if one.text == "Max winners")
    assert one.detail == "Settings · Risk"
