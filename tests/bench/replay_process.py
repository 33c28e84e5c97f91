"""One replay in a process of its own: what it played, and what that cost."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.replay_inputs import write

ROOT = Path(__file__).resolve().parents[2]


class Run(NamedTuple):
    """What a whole process of ours, or of a peer, played; seconds from its start to its end."""

    events: int
    fills: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    start_cpu_s: float = 0.0
    """What of `cpu_s` went into start and imports, where the process has told it: ours does."""

    @property
    def work_cpu_s(self) -> float:
        """Reading, playing and writing."""
        return self.cpu_s - self.start_cpu_s


_MEASURED = """
import sys, time
from pathlib import Path
import exengine.cli.replay
from exengine.__main__ import main
start_s = time.process_time()
code = main(sys.argv[1:])
status = Path("/proc/self/status")  # getrusage would tell the parent's peak where that is higher
lines = status.read_text().splitlines() if status.exists() else []
peak_kb = next((line.split()[1] for line in lines if line.startswith("VmHWM")), "nan")
print("measured", time.process_time(), float(peak_kb) / 1024, start_s)
sys.exit(code)
"""


def played(folder: Path, **inputs: Any) -> Run:
    """`exengine replay` on what is written into `folder` first; its files are in `folder / "out"` then."""
    prices = write(folder, **inputs)
    given = ["replay", "--signals", folder / "signals.jsonl", "--prices", prices, "--markets", folder / "markets.json"]
    given += ["--config", folder / "config.json", "--out", folder / "out", "--no-auth"]
    began = time.perf_counter()
    told = subprocess.run(
        [sys.executable, "-c", _MEASURED, *map(str, given)], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    wall_s = time.perf_counter() - began
    said, measured = told.strip().splitlines()[-2:]
    _, cpu_s, peak_mb, start_s = measured.split()
    with (folder / "out" / "fills.csv").open(encoding="utf-8") as file:
        fills = sum(1 for _ in file) - 1
    return Run(int(said.split()[0].replace(",", "")), fills, wall_s, float(cpu_s), float(peak_mb), float(start_s))


def told(name: str, run: Run) -> str:
    """The run as a line of a table."""
    rate = run.events / run.cpu_s
    return (
        f"  {name:34}{run.events:>10,} events {run.fills:>6,} fills {run.wall_s:>7.1f} s wall {run.cpu_s:>6.1f} s cpu"
        f" {rate:>9,.0f} events/s {run.peak_mb:>6.0f} MB"
    )
