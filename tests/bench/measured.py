"""Times that were measured elsewhere, in other processes too, handed to pytest-benchmark and put into a table."""

from collections.abc import Sequence
from typing import Any

import pytest

WAYS = ((50, "p50"), (99, "p99"))


class Played:
    """A clock for pytest-benchmark that goes on by just what was measured."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        return self._now_s

    def play(self, benchmark: Any, samples_s: Sequence[float], **extra: Any) -> None:
        """Makes `samples_s` the benchmark's rounds; `extra` and the percentiles go into its JSON."""
        left = iter(samples_s)

        def measured() -> None:
            self._now_s += next(left, 0.0)

        benchmark.extra_info.update({name: percentile(samples_s, at) for at, name in WAYS} | extra)
        benchmark.pedantic(measured, rounds=len(samples_s), iterations=1)


PLAYED = Played()
"""For `@pytest.mark.benchmark(timer=PLAYED)`."""


def percentile(samples: Sequence[float], at: int) -> float:
    """The smallest sample that `at` percent of all do not exceed."""
    in_order = sorted(samples)
    return in_order[max(0, -(-len(in_order) * at // 100) - 1)]


def table(title: str, columns: dict[str, Sequence[float]], *, bare: str) -> str:
    """Each column's percentiles in ms, and how many times those of `bare` they are; samples are in seconds."""
    lines = [title, f"  {'':34}{'n':>6}{'p50 ms':>10}{'p99 ms':>10}{'p50 ratio':>11}{'p99 ratio':>11}"]
    for name, samples in columns.items():
        cells = [percentile(samples, at) for at, _ in WAYS]
        ratios = [cell / percentile(columns[bare], at) for cell, (at, _) in zip(cells, WAYS, strict=True)]
        figures = "".join(f"{cell * 1000:>10.2f}" for cell in cells) + "".join(f"{ratio:>10.2f}x" for ratio in ratios)
        lines.append(f"  {name:34}{len(samples):>6}{figures}")
    return "\n".join(lines)


def show(config: pytest.Config, text: str) -> None:
    """Prints past pytest's capture."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{text}", flush=True)
