"""Starting at log-in: what is written where each system looks, and that it is taken away again."""

import configparser
import plistlib
import re
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from exengine.cli.options import given
from exengine.domain.errors import UserError
from exengine.settings.autostart import RUN_KEY, Autostart, DesktopEntry, autostart, exec_word

COMMAND = ["/opt/a b/exengine", "--data-dir", '/home/t/my "100%" $folder']


def entry(path: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # its keys are told apart by their capitals
    parser.read(path, encoding="utf-8")
    return parser["Desktop Entry"]


def as_a_desktop_reads(line: str) -> list[str]:
    """An Exec line's words: escapes of the file, then the quotes, then the field codes."""
    quoted = re.findall(r'"((?:\\.|[^"\\])*)"|(\S+)', line.replace("\\\\", "\\"))
    return [re.sub(r"\\(.)", r"\1", inner or bare).replace("%%", "%") for inner, bare in quoted]


def test_linux_has_an_entry_in_the_autostart_folder_that_starts_the_same_program(tmp_path):
    path = tmp_path / "config" / "autostart" / "exengine.desktop"
    choice = autostart(
        COMMAND[1:], platform="linux", environ={"HOME": "/x", "XDG_CONFIG_HOME": str(tmp_path / "config")}
    )
    assert not choice.is_on
    choice.switch(True)
    assert choice.is_on
    words = as_a_desktop_reads(entry(path)["Exec"])
    assert words == [sys.executable, "-m", "exengine", *COMMAND[1:]]
    assert entry(path)["TryExec"] == sys.executable
    choice.switch(False)
    assert not choice.is_on
    assert not path.exists()
    choice.switch(False)


def test_a_relative_config_folder_is_ignored_as_the_specification_wants(tmp_path):
    autostart(platform="linux", environ={"HOME": str(tmp_path), "XDG_CONFIG_HOME": "here"}).switch(True)
    assert (tmp_path / ".config" / "autostart" / "exengine.desktop").exists()


@pytest.mark.parametrize("word", ['a"b', "a`b", "a$b", "a\\b", "50%", "two words", ""])
def test_every_word_of_a_command_comes_back_from_its_line(word):
    assert as_a_desktop_reads(f"x {exec_word(word)}") == ["x", word]


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled = false"])
def test_an_entry_that_the_desktop_has_switched_off_is_off(tmp_path, line):
    path = tmp_path / "exengine.desktop"
    choice = Autostart(DesktopEntry(path), COMMAND)
    choice.switch(True)
    path.write_text(path.read_text().replace("X-GNOME-Autostart-enabled=true", line))
    assert not choice.is_on
    choice.switch(True)
    assert choice.is_on


def test_macos_has_an_agent_that_runs_at_load(tmp_path):
    choice = autostart(COMMAND[1:], platform="darwin", environ={"HOME": str(tmp_path)})
    choice.switch(True)
    agent = plistlib.loads((tmp_path / "Library/LaunchAgents/io.github.exengine.plist").read_bytes())
    assert agent["ProgramArguments"] == [sys.executable, "-m", "exengine", *COMMAND[1:]]
    assert agent["RunAtLoad"] is True
    choice.switch(False)
    assert not choice.is_on


class Registry(ModuleType):
    """The part of Windows' winreg that is used, as it is documented, over one dictionary."""

    HKEY_CURRENT_USER, REG_SZ, KEY_SET_VALUE = "HKCU", 1, 2

    def __init__(self) -> None:
        super().__init__("winreg")
        self.values: dict[tuple[str, str, str], str] = {}

    def OpenKey(self, key: str, sub_key: str, reserved: int = 0, access: int = 0) -> Any:
        return self.CreateKey(key, sub_key)

    def CreateKey(self, key: str, sub_key: str) -> Any:
        return _Key(key, sub_key)

    def QueryValueEx(self, key: Any, name: str) -> tuple[str, int]:
        return self.values[self._of(key, name)], self.REG_SZ

    def SetValueEx(self, key: Any, name: str, reserved: int, kind: int, value: str) -> None:
        assert kind == self.REG_SZ
        self.values[key.path, key.sub, name] = value

    def DeleteValue(self, key: Any, name: str) -> None:
        del self.values[self._of(key, name)]

    def _of(self, key: Any, name: str) -> tuple[str, str, str]:
        if (key.path, key.sub, name) not in self.values:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return key.path, key.sub, name


class _Key:
    def __init__(self, path: str, sub: str) -> None:
        self.path, self.sub = path, sub

    def __enter__(self) -> "_Key":
        return self

    def __exit__(self, *error: object) -> None: ...


def test_windows_has_a_value_of_the_run_key_for_the_program_without_a_terminal(tmp_path, monkeypatch):
    registry = Registry()
    monkeypatch.setitem(sys.modules, "winreg", registry)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "a b" / "exengine.exe"))
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "exenginew.exe").touch()
    choice = autostart(platform="win32", environ={})
    assert not choice.is_on
    choice.switch(True)
    assert registry.values == {("HKCU", RUN_KEY, "ExEngine"): f'"{tmp_path / "a b" / "exenginew.exe"}"'}
    assert choice.is_on
    choice.switch(False)
    assert not choice.is_on
    choice.switch(False)


def test_what_the_system_refuses_is_told_and_nothing_is_changed(tmp_path):
    (tmp_path / "autostart").write_text("a file where the folder should be")
    choice = Autostart(DesktopEntry(tmp_path / "autostart" / "exengine.desktop"), COMMAND)
    with pytest.raises(UserError, match=r"cannot be switched on: .+ Nothing was changed\. Set it in the system’s own"):
        choice.switch(True)
    assert not choice.is_on


def test_the_folders_of_this_start_are_those_of_the_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert given(Namespace(data_dir=Path("data"), config=None)) == ["--data-dir", str(tmp_path / "data")]
    assert given(Namespace(data_dir=None, config=None)) == []
