"""The switch in the File menu by which the program starts at log-in, on a real autostart folder."""

from exengine.settings.autostart import Autostart, DesktopEntry
from exengine.ui.autostart_entry import AutostartEntry


def test_the_switch_writes_the_entry_takes_it_away_and_says_so(stage, tmp_path):
    path = tmp_path / "autostart" / "exengine.desktop"
    AutostartEntry(stage.window, Autostart(DesktopEntry(path), ["exengine"]))
    action = stage.window.registry.actions["autostart"]
    stage.window.registry.refresh()
    assert action.isCheckable()
    assert not action.isChecked()
    action.trigger()
    stage.window.registry.refresh()
    assert path.exists()
    assert action.isChecked()
    assert stage.window.toasts.shown()[-1].text == "ExEngine starts when you log in"
    action.trigger()
    stage.window.registry.refresh()
    assert not path.exists()
    assert not action.isChecked()


def test_what_the_system_refuses_is_told_and_the_switch_stays(stage, tmp_path):
    (tmp_path / "autostart").write_text("a file where the folder should be")
    AutostartEntry(stage.window, Autostart(DesktopEntry(tmp_path / "autostart" / "exengine.desktop"), ["exengine"]))
    action = stage.window.registry.actions["autostart"]
    action.trigger()
    stage.window.registry.refresh()
    assert not action.isChecked()
    assert stage.window.toasts.shown()[-1].text.startswith("Starting at log-in cannot be switched on")


def test_who_may_change_nothing_does_not_switch_it(stage, tmp_path):
    place = DesktopEntry(tmp_path / "exengine.desktop")
    AutostartEntry(stage.window, Autostart(place, ["exengine"]), why_not=lambda: "ExEngine is locked.")
    stage.window.registry.refresh()
    assert not stage.window.registry.actions["autostart"].isEnabled()
