"""Runs the `sh` blocks of a page as a reader would: one after the other, in a folder and a data folder of their own.

`exengine` is the real program. What is started and goes on running (`run --headless`) is started in the background, as
if in another terminal, and stopped with the page. Commands that want another machine, its administrator or the network
are not run: each of them stands in `LOOKED_AT`, word for word, beside what its words are held against.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.docs.blocks import ROOT
from tests.helpers.program import free_port

TOKEN = "a-token-that-the-keyring-keeps-0123456789abcdef"
PORT = "8787"
"""The listener's usual port: another one takes its place, since that one may be somebody's."""

LOOKED_AT: Mapping[str, tuple[str, ...]] = {
    # The network, another account, or an administrator's rights: held against the tunnels' own manuals.
    "cloudflared": (
        "--version",
        "tunnel --url http://127.0.0.1:8787",
        "tunnel login",
        "tunnel create exengine",
        "tunnel route dns exengine hooks.example.com",
        "tunnel run --url http://127.0.0.1:8787 exengine",
        "service install",
    ),
    "ngrok": (
        "version",
        "config add-authtoken YOUR-NGROK-TOKEN",
        "http 8787",
        "http 8787 --url https://your-name.ngrok-free.app",
    ),
    "tailscale": ("version", "up", "funnel --bg 8787", "funnel status"),
    # They would change the machine that the tests run on. The unit itself is verified by systemd-analyze.
    "apt-get": ("install -y python3-venv", "install -y ./exengine_*.deb"),
    "useradd": ("--system --home-dir /var/lib/exengine --shell /usr/sbin/nologin exengine",),
    "install": (
        "-d -m 700 /etc/exengine",
        "-m 600 /dev/null /etc/exengine/environment",
        "-m 644 resources/systemd/exengine.service /etc/systemd/system/exengine.service",
    ),
    "systemctl": (
        "daemon-reload",
        "enable --now exengine",
        "status exengine",
        "reload exengine",
        "restart exengine",
    ),
    "journalctl": ("-u exengine -f",),
    # They install the program anew from an index: tried in a clean system when a release is made.
    "pipx": ("install .",),
    "/opt/exengine/bin/pip": ("install .", "install --upgrade ."),
    "~/exengine/bin/pip": ("install .",),
    "python3": ("-m venv /opt/exengine", "-m venv ~/exengine"),
    "git": ("pull",),
}
"""By program: its arguments, as they may stand in the documents."""

DEV = "packaging/dev.py"
"""Its commands are those of the checkout itself: they are looked up in it; `run -- …` is the program."""

STAND_IN = r"""#!/bin/bash
# Looks a command up, word for word; runs `exengine`, and what runs it.
folder="$EXENGINE_DOCS" name="$(basename "$0")"
case "$0" in "$HOME"/exengine/bin/pip) name="~/exengine/bin/pip" ;; esac

program() {
  if [[ " $* " != *" --headless "* ]]; then
    if [ $# = 0 ]; then return 0; fi  # the window: tried by the tests of the window
    "$EXENGINE_PYTHON" -m exengine "$@"
    return
  fi
  ( "$EXENGINE_PYTHON" -m exengine "$@" >"$folder/.headless" 2>&1 & n=$!; echo $n >"$folder/.running-$n"
    wait $n; echo $? >"$folder/.ended-$n" ) >/dev/null 2>&1 &
  for _ in $(seq 1200); do grep -q listens "$folder/.headless" 2>/dev/null && return 0; sleep 0.1; done
  cat "$folder/.headless" >&2
  return 1
}

looked_up() {
  local name="$1"; shift
  local line="${*//$HOME/\~}"
  case "$name" in
    sudo) [ "$1" = -u ] && shift 2; looked_up "$@"; return ;;
    exengine) program "$@"; return ;;
    /opt/exengine/bin/exengine) program "$1"; return ;;
  esac
  if [ "$name $1" = "python3 packaging/dev.py" ]; then
    shift; command="$1"; shift
    if ! grep -q "^    \"$command\": " "$EXENGINE_ROOT/packaging/dev.py"; then
      echo "dev.py has no command $command" >&2
      return 1
    fi
    [ "$1" = -- ] && shift
    if [ "$command" = run ]; then program "$@"; return; fi
    for one in "$@"; do
      [[ "$one" != tests/* || -e "$EXENGINE_ROOT/$one" ]] || { echo "there is no $one" >&2; return 1; }
    done
    return 0
  fi
  grep -Fxq -- "$name $line" "$folder/.looked-at" && return 0
  echo "$name $line: not among the commands that were looked at" >&2
  return 1
}

looked_up "$name" "$@"
"""


CURL = """#!{python}
import sys, urllib.request
# The part of curl that the pages use: -s, -H, -d and an address.
url, headers, body, given = "", {{}}, None, iter(sys.argv[1:])
for one in given:
    match one:
        case "-s": pass
        case "-H": headers.update([next(given).split(": ", 1)])
        case "-d": body = next(given).encode()
        case _: url = one
print(urllib.request.urlopen(urllib.request.Request(url, body, headers)).read().decode())
"""
"""Where a machine has none."""


class Shell:
    """One page's shell. What is exported in one block is there in the next."""

    def __init__(self, folder: Path, *, store: Path | None = None) -> None:
        """With `store` ExEngine has run here before."""
        self.folder = folder
        self.port = str(free_port())
        self._programs = folder / ".bin"
        self._programs.mkdir(parents=True)
        self._state = folder / ".exported"
        self._state.touch()
        lines = (f"{name} {line}" for name, some in LOOKED_AT.items() for line in some)
        (folder / ".looked-at").write_text("\n".join(lines).replace(PORT, self.port) + "\n")
        home = folder / "home"
        own = home / "exengine" / "bin"
        own.mkdir(parents=True)
        names = ("exengine", "sudo", *(one for one in LOOKED_AT if "/" not in one))
        for program in (*(self._programs / name for name in names), own / "pip", own / "exengine"):
            program.write_text(STAND_IN)
            program.chmod(0o755)
        if shutil.which("curl") is None:
            (self._programs / "curl").write_text(CURL.format(python=sys.executable))
            (self._programs / "curl").chmod(0o755)
        data = home / ".local" / "share" / "ExEngine"
        data.mkdir(parents=True)
        (data / "config.json").write_text(f'{{"listener": {{"port": {self.port}}}}}')
        if store is not None:
            shutil.copy(store, data / store.name)
        self._environment = {
            "PATH": f"{self._programs}:/usr/bin:/bin",
            "HOME": str(home),
            "XDG_DATA_HOME": str(data.parent),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "QT_QPA_PLATFORM": "offscreen",
            "EXENGINE_DOCS": str(folder),
            "EXENGINE_PYTHON": sys.executable,
            "EXENGINE_ROOT": str(ROOT),
            "PYTHONPATH": str(ROOT),
            # As a keyring would keep it.
            "EXENGINE_WEBHOOK_TOKEN": TOKEN,
            "LANG": "C.UTF-8",
        }

    @property
    def data_dir(self) -> Path:
        return self.folder / "home" / ".local" / "share" / "ExEngine"

    def configure(self, fragment: Mapping[str, Any]) -> None:
        """Puts a part of a configuration into config.json, as a reader would."""
        file = self.data_dir / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | fragment))

    def run(self, text: str) -> str:
        """What the block has printed. Raises AssertionError where a command of it failed."""
        script = f"set -eu; set -a; . {self._state}\n{text.replace(PORT, self.port)}\nexport -p > {self._state}\n"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"exit code {done.returncode}\n{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout.replace(self.port, PORT)

    def close(self) -> None:
        """Ends what goes on running; it has to end well."""
        for path in self.folder.glob(".running-*"):
            number = int(path.read_text())
            os.kill(number, signal.SIGTERM)
            codes = self.folder / f".ended-{number}"
            subprocess.run(
                ["bash", "-c", f"for _ in $(seq 600); do [ -e {codes} ] && exit 0; sleep 0.1; done; exit 1"], check=True
            )
            assert codes.read_text().strip() == "0", (self.folder / ".headless").read_text()
