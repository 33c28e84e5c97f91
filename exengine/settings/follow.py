"""The configuration file is followed: an edit by another hand is noticed, checked and offered, never taken by itself.

A file that cannot be used is named with what is wrong in it, and what runs goes on (FAULTS 62).
"""

from dataclasses import dataclass
from pathlib import Path

from exengine.settings.file import read
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError

_Sign = tuple[int, int, int] | None
"""By what a file is told from the one before; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskEdit:
    """The file on the disk is not what runs."""

    config: Config | None
    """What it says, where that can be applied."""
    fault: str = ""
    """Why it cannot be used, with the paths of what is wrong; empty where it can."""


class Follower:
    """Looks at the file from time to time. Blocks while it reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: _Sign = None
        self._judged: _Sign | bool = False
        """The file that was judged last; False before the first."""

    def has_news(self) -> bool:
        """Whether the file has become another one, and stands still since the last look: an editor may be writing."""
        before, self._seen = self._seen, _sign(self._path)
        return before == self._seen and self._judged != self._seen

    def judged(self, running: Config) -> DiskEdit | None:
        """What the file says now; None where that is what runs."""
        self._judged = self._seen
        if self._seen is None:
            if running == Config():
                return None
            fault = f"The configuration {self._path} is gone. Applying from the settings writes it anew."
            return DiskEdit(config=None, fault=fault)
        try:
            config = read(self._path)
        except ConfigError as error:
            return DiskEdit(config=None, fault=str(error))
        return None if config == running else DiskEdit(config=config)


def _sign(path: Path) -> _Sign:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
