"""Programs as processes of their own that begin with everything imported: hundreds of starts at a tenth of the cost.

`python -m tests.helpers.nursery` reads a line of JSON for each program that is to begin, and tells its process id. What
begins is the program's own command line in a new process; only the time that imports take is spared.
"""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
from typing import Any

from exengine.__main__ import main as exengine

IMPORTED = (
    "exengine.cli.headless", "exengine.bootstrap.program", "exengine.settings.vault_format", "ccxt.pro", "asyncpg",
    "alembic.command", "sqlalchemy.dialects.sqlite.pysqlite", "sqlalchemy.dialects.postgresql.asyncpg",
)  # fmt: skip


class Nursery:
    """Begins programs. Linux only: it forks, and sees by a process's descriptor when it has ended."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.helpers.nursery"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self, arguments: list[str], *, env: dict[str, str], output: str) -> "Nursling":
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([arguments, env, output]), file=self._process.stdin, flush=True)
        return Nursling(int(self._process.stdout.readline()))

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class Nursling:
    """A begun program, with what tests ask of a Popen. How it ended is told as 0 whatever it was."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    def _ended(self, within_s: float | None) -> bool:
        return bool(select.select([self._descriptor], [], [], within_s)[0])

    def poll(self) -> int | None:
        return 0 if self._ended(0) else None

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired("exengine", timeout or 0)
        return 0

    def send_signal(self, number: int) -> None:
        signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        if not self._ended(0):
            self.send_signal(signal.SIGKILL)


def _become(arguments: list[str], env: dict[str, str], output: str) -> Any:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(env)
    written = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for there, here in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(there, here)
    sys.argv = ["exengine", *arguments]
    return exengine(arguments)


def _run() -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody is left behind as a zombie
    while line := sys.stdin.readline():
        arguments, env, output = json.loads(line)
        pid = os.fork()
        if pid == 0:
            sys.exit(_become(arguments, env, output))
        print(pid, flush=True)


if __name__ == "__main__":
    _run()
