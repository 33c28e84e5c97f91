"""Whether the program starts when the trader logs in: by the desktop's own means, for this user alone.

Linux: the XDG autostart folder (Desktop Application Autostart Specification). Windows: the user's Run key, which the
installer's choice writes too. macOS: an agent of launchd.
"""

import importlib
import os
import plistlib
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from exengine.domain.errors import UserError
from exengine.settings.atomic import replace_file

NAME = "ExEngine"
LABEL = "io.github.exengine"
RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"

ENTRY = """\
[Desktop Entry]
Type=Application
Name=ExEngine
Comment=Starts ExEngine when you log in
TryExec={program}
Exec={command}
Icon=exengine
Terminal=false
X-GNOME-Autostart-enabled=true
"""

_QUOTED = re.compile(r'(["`$\\])')
_OFF = re.compile(r"(?mi)^(Hidden\s*=\s*true|X-GNOME-Autostart-enabled\s*=\s*false)\s*$")


class Place(Protocol):
    """Where a system keeps what it starts at log-in. Each of them may raise OSError."""

    def is_on(self) -> bool: ...

    def put(self, command: Sequence[str]) -> None: ...

    def remove(self) -> None: ...


class Autostart:
    """The choice, as it is on this machine."""

    def __init__(self, place: Place, command: Sequence[str]) -> None:
        """`command` starts this program as it was started now."""
        self._place = place
        self._command = command

    @property
    def is_on(self) -> bool:
        """Asked of the system: the trader may change it there too. What cannot be read is off."""
        try:
            return self._place.is_on()
        except OSError:
            return False

    def switch(self, on: bool) -> None:
        """Raises UserError where the system does not let us."""
        try:
            if on:
                self._place.put(self._command)
            else:
                self._place.remove()
        except OSError as error:
            raise UserError(
                f"Starting at log-in cannot be switched {'on' if on else 'off'}: {error.strerror or error}.",
                safe="Nothing was changed.",
                remedy="Set it in the system’s own settings for programs that start at log-in.",
            ) from error


def autostart(
    options: Sequence[str] = (), *, platform: str = sys.platform, environ: Mapping[str, str] = os.environ
) -> Autostart:
    """This machine's. `options` are those of the command line that name another data folder or configuration."""
    home = Path(environ.get("HOME") or Path.home())
    command = [*_program(), *options]
    if platform == "win32":
        return Autostart(RunKey(), command)
    if platform == "darwin":
        return Autostart(LaunchAgent(home / "Library" / "LaunchAgents" / f"{LABEL}.plist"), command)
    base = environ.get("XDG_CONFIG_HOME") or ""
    folder = Path(base) if os.path.isabs(base) else home / ".config"
    return Autostart(DesktopEntry(folder / "autostart" / "exengine.desktop"), command)


def _program() -> list[str]:
    """What starts this program: the frozen one itself, on Windows the one without a terminal; else Python."""
    if not getattr(sys, "frozen", False):
        return [sys.executable, "-m", "exengine"]
    program = Path(sys.executable)
    windowed = program.with_name("exenginew.exe")
    return [str(windowed if windowed.exists() else program)]


class DesktopEntry:
    """A file of the XDG autostart folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def is_on(self) -> bool:
        return self.path.exists() and not _OFF.search(self.path.read_text(encoding="utf-8", errors="replace"))

    def put(self, command: Sequence[str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        program = command[0].replace("\\", "\\\\")
        replace_file(self.path, ENTRY.format(program=program, command=" ".join(map(exec_word, command))).encode())

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def exec_word(word: str) -> str:
    """A word of an Exec line: quoted, then escaped again as every string of such a file; `%` begins a field code."""
    quoted = _QUOTED.sub(r"\\\1", word).replace("%", "%%")
    return '"' + quoted.replace("\\", "\\\\") + '"'


class LaunchAgent:
    """A file of launchd, which runs it at the next log-in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def is_on(self) -> bool:
        return self.path.exists()

    def put(self, command: Sequence[str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        agent = {"Label": LABEL, "ProgramArguments": list(command), "RunAtLoad": True, "ProcessType": "Interactive"}
        replace_file(self.path, plistlib.dumps(agent))

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


class RunKey:
    """A value of the user's Run key in Windows' registry."""

    def __init__(self) -> None:
        self._registry: Any = importlib.import_module("winreg")

    def is_on(self) -> bool:
        registry = self._registry
        try:
            with registry.OpenKey(registry.HKEY_CURRENT_USER, RUN_KEY) as key:
                registry.QueryValueEx(key, NAME)
        except FileNotFoundError:
            return False
        return True

    def put(self, command: Sequence[str]) -> None:
        registry = self._registry
        with registry.CreateKey(registry.HKEY_CURRENT_USER, RUN_KEY) as key:
            registry.SetValueEx(key, NAME, 0, registry.REG_SZ, subprocess.list2cmdline(command))

    def remove(self) -> None:
        registry = self._registry
        try:
            with registry.OpenKey(registry.HKEY_CURRENT_USER, RUN_KEY, 0, registry.KEY_SET_VALUE) as key:
                registry.DeleteValue(key, NAME)
        except FileNotFoundError:
            return
