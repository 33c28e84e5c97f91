"""The look that the trader chose in the View menu is there after a restart, and nothing else of the file is touched."""

import json

from exengine.settings.file import read
from exengine.ui.look_memory import LookMemory
from exengine.ui.theme import Scheme


def change(on_loop, memory: LookMemory, look, **choice) -> None:
    async def main() -> None:
        look.choose(**choice)
        await memory.saved()

    on_loop.run_until_complete(main())


def test_theme_palette_and_font_are_written_into_the_configuration(look, on_loop, tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"schema_version": 1, "pool": {"max_open_groups": 7}, "ui": {"refresh_ms": 250}}))
    memory = LookMemory(look, file)
    change(on_loop, memory, look, scheme=Scheme.LIGHT, pnl_palette="blue/orange", font_size=14)
    kept = read(file)
    assert (kept.ui.theme.value, kept.ui.pnl_palette.value, kept.ui.font_size) == ("light", "blue_orange", 14)
    assert (kept.ui.refresh_ms, kept.pool.max_open_groups) == (250, 7)


def test_nothing_is_written_where_nothing_was_chosen_or_settings_are_locked(look, on_loop, tmp_path):
    file = tmp_path / "config.json"
    memory = LookMemory(look, file)
    change(on_loop, memory, look, reduced_motion=True)
    assert not file.exists()
    locked = LookMemory(look, file, locked=lambda: True)
    memory._locked = lambda: True
    change(on_loop, locked, look, font_size=16)
    assert not file.exists()


def test_a_configuration_that_cannot_be_used_is_left_alone(look, on_loop, tmp_path, caplog):
    file = tmp_path / "config.json"
    file.write_text("{ this is not JSON")
    memory = LookMemory(look, file)
    change(on_loop, memory, look, font_size=12)
    assert file.read_text() == "{ this is not JSON"
    assert "the chosen look is not kept" in caplog.text
