"""`exengine replay --grid`: a configuration's settings varied, every combination replayed, ranked and drawn."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from exengine.bootstrap.replay import ReplayInputs
from exengine.bootstrap.sweep import Runner, swept, variant_of
from exengine.bootstrap.workers import Workers, cores
from exengine.cli.replay import WRONG_USE, read_inputs
from exengine.domain.errors import UserError
from exengine.domain.money import arithmetic, plain
from exengine.replay import output, ranking, sweep_output
from exengine.replay.sweep import Sweep
from exengine.settings.file import text_of
from exengine.settings.variants import Grid, LeftOut, read_grid

MOST_SHOWN = 5


def run_sweep(options: argparse.Namespace) -> int:
    """Reads everything, says how many runs it will be, runs and writes. 2, and nothing written, where an input is
    wrong."""
    try:
        _check_rank(options.rank)
        output.check(options.out, sweep_output.FILES)
        inputs, config = read_inputs(options)
        grid = read_grid(options.grid, config, most=options.most)
        possible, first_out = _possible(grid)
    except UserError as error:
        print(f"exengine: {error}", file=sys.stderr)
        return WRONG_USE
    counts = " × ".join(str(len(values)) for values in grid.values)
    print(f"  {possible:,} runs ({counts}) on {_where(options)}, ranked by {options.rank}", file=sys.stderr)
    if first_out is not None:
        print(
            f"  {grid.runs - possible:,} combinations are left out: run {first_out.number} ({first_out.why})",
            file=sys.stderr,
        )
    began = time.perf_counter()
    progress = _Progress(possible)
    try:
        with _runner(options, inputs, possible) as runner:
            sweep = swept(grid, options.rank, runner, progress.at)
    finally:
        progress.done()
    best = sweep.ranked()[0]
    zone = inputs.settings.timezone
    sweep_output.save(options.out, sweep, best=text_of(variant_of(grid, best.number).config), zone=zone)
    _tell(sweep)
    print(f"  {len(sweep.runs):,} runs in {time.perf_counter() - began:.1f} s → {options.out}")
    return 0


def _check_rank(by: str) -> None:
    if by not in ranking.RANKED_BY:
        raise UserError(
            f"Runs cannot be ranked by {by}.",
            safe="Nothing was replayed and nothing was written.",
            remedy=f"Give --rank one of {', '.join(ranking.RANKED_BY)}.",
        )


def _possible(grid: Grid) -> tuple[int, LeftOut | None]:
    """How many combinations can be run, and the first that cannot. Raises UserError where none can."""
    possible, first = 0, None
    for variant in grid.variants():
        if not isinstance(variant, LeftOut):
            possible += 1
        elif first is None:
            first = variant
    if not possible and first is not None:
        raise UserError(
            f"None of the {grid.runs:,} combinations of the grid can be used; the first: {first.why}.",
            safe="Nothing was replayed and nothing was written.",
            remedy="Vary what belongs together so that it fits, as weights that sum to 100.",
        )
    return possible, first


def _count(options: argparse.Namespace) -> int:
    return options.workers or cores()


def _where(options: argparse.Namespace) -> str:
    return f"the cluster at {options.scheduler}" if options.scheduler else f"{_count(options)} processes"


@contextmanager
def _runner(options: argparse.Namespace, inputs: ReplayInputs, runs: int) -> Iterator[Runner]:
    if options.scheduler:
        from exengine.bootstrap.cluster import Cluster

        with Cluster(inputs, options.scheduler) as cluster:
            yield cluster
    else:
        with Workers(inputs, min(_count(options), runs)) as workers:
            yield workers


class _Progress:
    """A bar with the time that is left, on a terminal; nothing elsewhere."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self._shown = sys.stderr.isatty()
        self._began = time.perf_counter()
        self._next = 0.0

    def at(self, done: int, under: float) -> None:
        now = time.perf_counter()
        if not self._shown or (now < self._next and done < self._runs):
            return
        self._next = now + 0.1
        share = min(1.0, (done + under) / self._runs)
        left = (now - self._began) * (1 - share) / share if share > 0.001 else None
        bar = "━" * int(share * 30)
        print(
            f"\r  {bar:<30} {share * 100:3.0f} %  {done:,} of {self._runs:,} runs  {_left(left):<16}",
            end="", file=sys.stderr, flush=True,
        )  # fmt: skip

    def done(self) -> None:
        if self._shown:
            print("\r" + " " * 79 + "\r", end="", file=sys.stderr, flush=True)


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min left" if hours else f"{minutes}:{rest:02} left"


def _tell(sweep: Sweep) -> None:
    """The best runs as a trader reads them."""

    def said(value: Any) -> str:
        if value is None:
            return "–"
        return plain(value.quantize(Decimal("0.01"))) if isinstance(value, Decimal) else str(value)

    names = dict.fromkeys((sweep.by, ranking.NET_PROFIT, "max_drawdown_percent", "profit_factor", "groups_closed"))
    head = ("", "run", *sweep.paths, *names)
    with arithmetic():
        rows = [
            (str(place), str(run.number), *run.values, *(said(run.figures[name]) for name in names))
            for place, run in enumerate(sweep.ranked()[:MOST_SHOWN], start=1)
        ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        print("  " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)).rstrip())
