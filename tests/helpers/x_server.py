"""An X server of a test's own, with no screen behind it: Xvfb."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QLibraryInfo

SCREEN = "1920x1200x24"


def has_x_server() -> bool:
    """Whether there is one, and what a window on it takes."""
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    try:
        ctypes.CDLL(str(plugins / "platforms" / "libqxcb.so"))
    except OSError:
        return False
    return shutil.which("Xvfb") is not None


@contextmanager
def x_server() -> Iterator[str]:
    """Its display, as `DISPLAY` names it; it takes a number that is free, and nobody reaches it over the network."""
    reads, writes = os.pipe()
    command = ["Xvfb", "-displayfd", str(writes), "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, pass_fds=(writes,), stderr=subprocess.PIPE, text=True) as server:
        os.close(writes)
        try:
            with os.fdopen(reads) as told:
                number = told.readline().strip()
            if not number:
                server.terminate()
                raise RuntimeError(f"Xvfb did not start: {server.communicate(timeout=10)[1]}")
            yield f":{number}"
        finally:
            server.terminate()
