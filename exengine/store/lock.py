"""One engine for a data folder: a lock that the operating system lets go of when the process ends, however it ends."""

import os
import sys
from pathlib import Path
from typing import IO

from exengine.domain.errors import UserError
from exengine.store import restore_moves


class AlreadyRuns(UserError):
    """Another engine has the store: it can be looked at, and nothing else."""


class EngineLock:
    """Held from `acquire` to `release`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Raises AlreadyRuns where another engine runs on the same data.

        A restore that was broken off is brought to its end; raises OSError where the disk does not let it.
        """
        file = self._path.open("a+", encoding="utf-8")
        try:
            _lock(file)
        except OSError:
            file.seek(0)
            pid = file.read().strip()
            file.close()
            raise AlreadyRuns(
                f"Another ExEngine already runs on this data{f' (process {pid})' if pid else ''}.",
                safe="It goes on undisturbed; nothing was changed.",
                remedy="Use its window, stop it first, or give this one a folder of its own with --data-dir.",
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        try:
            restore_moves.finish(self._path.parent)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        # Past the text, so that another process can still read whose lock it is.
        file.seek(1024)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
