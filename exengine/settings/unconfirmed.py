"""A new configuration that has not proved itself yet: what was before is kept beside it until it has (SPEC §9).

`begin`, then the file is written, then `confirm`. A kill in between leaves the mark: the next start tries the new
configuration, and where that cannot be started with, `put_back` brings the one before back, whole.
"""

import logging
from pathlib import Path

from exengine.settings.atomic import replace_file
from exengine.settings.file import ONE_WRITER, read, text_of
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError

log = logging.getLogger(__name__)


def mark(path: Path) -> Path:
    """Where what was before is kept."""
    return path.with_name(path.name + ".before")


def begin(path: Path, running: Config) -> None:
    """Keeps what runs now: the file as it is where it says that, else its text. Raises ConfigError."""
    try:
        replace_file(mark(path), _bytes_of(path, running))
    except OSError as error:
        raise ConfigError(
            f"{mark(path)} cannot be written: {error.strerror or error}.",
            safe="Nothing was changed.",
            remedy="Check the free space and that you may write to the folder, then apply again.",
        ) from error


def _bytes_of(path: Path, running: Config) -> bytes:
    try:
        if read(path, must_exist=True) == running:
            return path.read_bytes()
    except (ConfigError, OSError) as error:
        log.info("the configuration on disk is not the one that runs: %s", error)
    return text_of(running).encode()


def confirm(path: Path) -> None:
    """The new configuration runs: what was before is kept as the last good copy only."""
    try:
        mark(path).unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s stays and would be gone back to by a start that fails: %s", mark(path), error)


def refused(path: Path) -> Path:
    """Where a configuration is kept that could not be started with."""
    return path.with_name(path.name + ".refused")


def put_back(path: Path, *, keep_refused: bool = False) -> bool:
    """Brings the configuration before back; False where there is none that waits for it, or it is there already.

    With `keep_refused` the one that it replaces is kept beside it. Raises ConfigError.
    """
    with ONE_WRITER:
        return _put_back(path, keep_refused=keep_refused)


def _put_back(path: Path, *, keep_refused: bool) -> bool:
    try:
        before = mark(path).read_bytes()
        after = path.read_bytes() if path.exists() else b""
        if after == before:
            confirm(path)
            return False
        if keep_refused:
            replace_file(refused(path), after)
        replace_file(path, before)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}.",
            safe=f"The configuration before is kept as {mark(path).name}.",
            remedy="Check the free space and that you may write to the folder.",
        ) from error
    confirm(path)
    return True
