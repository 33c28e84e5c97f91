"""Puts prepared files in the place of others, all of them or none: what a crash broke off is brought to its end."""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from exengine.store.backup_file import sync_folder

MARKER = "restoring.json"
"""In the data folder while files are moved; whoever locks the folder next ends what it lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    source: str
    target: str
    over: bool = False
    """Whether what is at the target is replaced."""


def carry_out(folder: Path, staging: Path, moves: Iterable[Move]) -> None:
    """Makes the moves in their order; `staging` is removed at the end. The caller has the data folder's lock.

    What is to be moved must be on the disk. Raises OSError: before the first move, or the rest is made up for later.
    """
    plan = {"staging": str(staging), "moves": [asdict(move) for move in moves]}
    unfinished = folder / f".{MARKER}.tmp"
    with unfinished.open("w", encoding="utf-8") as file:
        json.dump(plan, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, folder / MARKER)
    sync_folder(folder)
    finish(folder)


def finish(folder: Path) -> None:
    """Ends the moves that were begun, if any. Each is made once, however often this is called. Raises OSError."""
    marker = folder / MARKER
    try:
        plan = json.loads(marker.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    moves = [Move(**move) for move in plan["moves"]]
    for move in moves:
        _make(move)
    for place in {Path(path).parent for move in moves for path in (move.source, move.target)}:
        if place.exists():
            sync_folder(place)
    shutil.rmtree(plan["staging"], ignore_errors=True)
    marker.unlink()
    sync_folder(folder)


def _make(move: Move) -> None:
    """Where it was made before, the source is gone, or the target is there and what is at the source is newer."""
    source, target = Path(move.source), Path(move.target)
    if source.exists() and (move.over or not target.exists()):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.replace(source, target)
