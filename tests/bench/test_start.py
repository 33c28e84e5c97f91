"""How soon the first window is painted, and what memory the program takes with a live account.

Beside a process of the same run that has imported Qt's widgets and ccxt, as the program has to, with a bare window.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.bench.exchange_process import exchange_process, live_account
from tests.bench.goals import Goal
from tests.bench.measured import PLAYED, percentile, show, table
from tests.helpers.live_program import PASSPHRASE
from tests.helpers.program import ROOT, environment, write_config

PAINTS = 5
BARE, IMPORTED, OPENING, DESKTOP = "bare Qt window", "Qt and ccxt imported alone", "what opens first", "whole window"
WAYS = {BARE: "bare", IMPORTED: "imported", OPENING: "opening", DESKTOP: "window"}

SETTLED_S, WITHIN_MB, PATIENCE_S = 5.0, 0.5, 60.0
"""Memory has settled when it has not changed by more for so long."""

pytestmark = pytest.mark.timeout(600)


def window_environment(folder: Path, **more: str) -> dict[str, str]:
    """As an installed program has it: its byte code is there, once a first process has made it."""
    env = environment(QT_QPA_PLATFORM="offscreen", PYTHONPYCACHEPREFIX=str(folder / "bytecode"), **more)
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env


def command(name: str, folder: Path, *then: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.first_paint", WAYS[name], str(folder), *then]


@pytest.mark.benchmark(group="first paint", timer=PLAYED)
def test_the_first_window_is_painted(tmp_path: Path, goals: list[Goal], request: Any, benchmark: Any) -> None:
    write_config(tmp_path)
    painted: dict[str, list[float]] = {name: [] for name in WAYS}
    processor: list[float] = []
    env = window_environment(tmp_path)
    for turn in range(PAINTS + 1):
        for name in WAYS:
            call = command(name, tmp_path)
            told = subprocess.run(call, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout.split()
            if turn:  # the first only makes the byte code
                painted[name].append(float(told[0]))
            if turn and name == OPENING:
                processor.append(float(told[1]))
    show(request.config, table("From the process's start to the first paint", painted, bare=IMPORTED))
    imported = percentile(painted[IMPORTED], 50)
    for name, limit_s, times in ((OPENING, 0.8, 1.3), (DESKTOP, None, None), (BARE, None, None)):
        took_s = percentile(painted[name], 50)
        what = f"start to paint, {name}"
        goals.append(
            Goal(area="start", what=what, measured=took_s, unit="s", limit=limit_s, bare=imported, times=times)
        )
    goals.append(Goal(area="start", what=f"processor time until {OPENING}", measured=min(processor), unit="s"))
    PLAYED.play(benchmark, painted[OPENING], of=OPENING, processor_s=min(processor))
    assert len(painted[DESKTOP]) == len(painted[OPENING]) == PAINTS


class Memory(NamedTuple):
    """MB of a process: all that is resident, and what is its alone."""

    resident: float
    own: float


def memory_of(pid: int) -> Memory:
    kb: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, amount, *_ = line.split()
        kb[name.rstrip(":")] = int(amount)
    return Memory(kb["Rss"] / 1024, (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024)


def settled(pid: int) -> Memory:
    """What a process takes once that has not changed for some seconds."""
    until_s = time.monotonic() + PATIENCE_S
    since_s, last = time.monotonic(), memory_of(pid)
    while time.monotonic() - since_s < SETTLED_S:
        assert time.monotonic() < until_s, "its memory never settles"
        time.sleep(0.5)
        found = memory_of(pid)
        if abs(found.resident - last.resident) > WITHIN_MB:
            since_s, last = time.monotonic(), found
    return memory_of(pid)


@contextmanager
def staying(name: str, folder: Path, env: Mapping[str, str]) -> Iterator[int]:
    """The pid of a process whose window has been painted and stays."""
    call = command(name, folder, "stay")
    with subprocess.Popen(call, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "it has ended before it had painted anything"
            yield process.pid
        finally:
            process.terminate()


async def memories(folder: Path) -> tuple[Memory, Memory]:
    """Of the bare process, and of the program with a window and a live account whose streams are open."""
    env = window_environment(folder, EXENGINE_PASSPHRASE=PASSPHRASE)

    def one(name: str) -> Memory:
        with staying(name, folder, env) as pid:
            return settled(pid)

    async with exchange_process() as exchange:
        await live_account(folder, exchange)
        for name in (IMPORTED, DESKTOP):  # the byte code
            await asyncio.to_thread(one, name)
        return await asyncio.to_thread(one, IMPORTED), await asyncio.to_thread(one, DESKTOP)


@pytest.mark.benchmark(group="memory")
def test_memory_with_one_live_account(tmp_path: Path, goals: list[Goal], benchmark: Any, request: Any) -> None:
    """Resident memory, as a task manager shows it; what is each process's own is told as well."""
    bare, program = benchmark.pedantic(lambda: asyncio.run(memories(tmp_path)), rounds=1)
    told = ", ".join(
        f"{name}: {one.resident:.0f} MB resident, {one.own:.0f} MB its own"
        for name, one in ((IMPORTED, bare), ("ExEngine", program))
    )
    show(request.config, f"  {told}")
    for what, measured, beside, times in (
        ("memory with a live account, resident", program.resident, bare.resident, 1.5),
        ("memory with a live account, its own", program.own, bare.own, None),
    ):
        goals.append(Goal(area="start", what=what, measured=measured, unit="MB", bare=beside, times=times))
    assert program.resident > 0
