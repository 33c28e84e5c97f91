"""A peer on the files that a replay of ours has played: a process of its own, in the peer's environment."""

import json
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.goals import Goal
from tests.bench.peers.environments import HERE, NotHere, python_of
from tests.bench.replay_process import Run, told

TIMES = 20
"""How many times a peer's prices a second a replay of ours is to play (the goal of both rows)."""


class Played(NamedTuple):
    """A replay of ours, and where its inputs lie."""

    folder: Path
    run: Run


class PeerRun(NamedTuple):
    """The peer's whole process, and what of it was its engine at work: without start, reading and making of objects."""

    version: str
    whole: Run
    engine_cpu_s: float


def peer_played(peer: str, folder: Path) -> PeerRun:
    """Plays the inputs in `folder`. Raises NotHere where the peer cannot be had."""
    python = python_of(peer)
    began = time.perf_counter()
    done = subprocess.run(
        [python, HERE / f"play_{peer}.py", folder], cwd=folder, check=False, capture_output=True, text=True
    )
    wall_s = time.perf_counter() - began
    assert done.returncode == 0, f"{peer} failed:\n{done.stderr[-4000:]}"
    said = json.loads(done.stdout.strip().splitlines()[-1])
    peak_mb = float("nan") if said["peak_mb"] is None else said["peak_mb"]
    whole = Run(said["events"], said["fills"], wall_s, said["cpu_s"], peak_mb)
    return PeerRun(said["version"], whole, said["engine_cpu_s"])


def beside(peer: str, what: str, few: Played, many: Played) -> tuple[list[Goal], str]:
    """Rows of prices a second, ours and the peer's, as goals and as text.

    Processor seconds of whole processes, all their threads, less those of the same on `few` prices: neither has its
    start, its imports and its first look at everything in it, both have reading, playing and what they write.
    """
    rows = [_rows(one.folder) for one in (few, many)]

    def rate(first: Run, last: Run) -> float:
        return (rows[1] - rows[0]) / (last.work_cpu_s - first.work_cpu_s) / 1000

    ours = rate(few.run, many.run)
    try:
        start, whole = peer_played(peer, few.folder), peer_played(peer, many.folder)
    except NotHere as why:
        return [missing(what, str(why), ours)], str(why)
    theirs = rate(start.whole, whole.whole)
    lines = [
        f"{what}: {rows[1]:,} rows of prices beside {peer} {whole.version}",
        told(f"ExEngine, {rows[0]:,} rows", few.run),
        told(f"ExEngine, {rows[1]:,} rows", many.run),
        told(f"{peer}, {rows[0]:,} rows", start.whole),
        told(f"{peer}, {rows[1]:,} rows", whole.whole),
        f"  thousand rows a second of processor: ExEngine {ours:,.1f}, {peer} {theirs:,.1f},"
        f" its engine alone {rows[1] / whole.engine_cpu_s / 1000:,.1f};"
        f" whole processes, start and all: {rows[1] / many.run.cpu_s / 1000:,.1f} and"
        f" {rows[1] / whole.whole.cpu_s / 1000:,.1f}",
    ]
    memory = Goal(
        area="replay", what=f"memory of that replay, and of {peer}", measured=many.run.peak_mb, unit="MB",
        bare=whole.whole.peak_mb,
    )  # fmt: skip
    speed = Goal(area="replay", what=what, measured=ours, unit="k/s", bare=theirs, times=TIMES, at_least=True)
    return [speed, memory], "\n".join(lines)


def missing(what: str, why: str, ours: float | None = None) -> Goal:
    """The row where there is nothing to hold ours against."""
    return Goal(area="replay", what=what, measured=ours, unit="k/s", times=TIMES, at_least=True, missing=why)


def _rows(folder: Path) -> int:
    (prices,) = folder.glob("*.csv")
    with prices.open("rb") as file:
        return sum(1 for _ in file) - 1
