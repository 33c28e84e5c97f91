"""What a long store looked like when it was closed in good order: one that still looks so is not read through at once.

To look for damage is to read the whole file: seconds with a hundred thousand closed groups, minutes on a slow disk.
After a crash, a power cut, or anything else that has touched the file it is done before anything is traded, and once a
week anyway. SQLite tells of a damaged page whenever it comes upon one.
"""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

LEAST_BYTES = 64 * 1024 * 1024
"""A shorter file is read through at every start: that takes a tenth of a second."""

TRUSTED_MS = 7 * 24 * 3600 * 1000

_TICK_NS = 20_000_000
"""File systems count time in steps; whatever comes later than this is told apart."""


def read_at_ms(path: Path) -> int | None:
    """When a store that looks as it was left was last read through; None where that has to be done now."""
    try:
        kept = json.loads(_file(path).read_text(encoding="utf-8"))
        looks, sealed_ns, at_ms = _looks(path), _file(path).stat().st_mtime_ns, int(kept["read_at_ms"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_recent = 0 <= time.time_ns() // 1_000_000 - at_ms < TRUSTED_MS
    is_as_it_was = kept.get("looks") == looks and sealed_ns > looks["changed_ns"]
    return at_ms if is_recent and is_as_it_was and not _has_log(path) else None


def put(path: Path, at_ms: int) -> None:
    """Notes how a store looks that was just closed, and when it was last read through. It waits a moment."""
    with suppress(OSError):  # without it the next start reads the store through
        if path.stat().st_size >= LEAST_BYTES and not _has_log(path):
            time.sleep(_TICK_NS / 1e9)
            _file(path).write_text(json.dumps({"read_at_ms": at_ms, "looks": _looks(path)}), encoding="utf-8")


def take_off(path: Path) -> None:
    """Before a store is written to: until it is closed in good order it is not known to be sound."""
    with suppress(OSError):
        _file(path).unlink(missing_ok=True)


def _file(path: Path) -> Path:
    return path.with_name(f"{path.name}-sound")


def _looks(path: Path) -> dict[str, int]:
    there = os.stat(path)
    return {"size": there.st_size, "changed_ns": there.st_mtime_ns, "file": there.st_ino}


def _has_log(path: Path) -> bool:
    """Whether SQLite's log is left, as after a crash."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
