"""Runs a sweep: the variants of a configuration, each replayed, by whatever runs jobs."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from exengine.bootstrap.replay_work import Job, Ran
from exengine.bootstrap.workers import Under
from exengine.replay.sweep import Run, Sweep
from exengine.settings.plain import replay_settings
from exengine.settings.variants import Grid, LeftOut, Variant


class Runner(Protocol):
    """Does jobs over the same inputs, in any order: processes of this machine, or a cluster."""

    def run(self, jobs: Iterable[Job]) -> Iterator[Under | Ran] | Iterator[Ran]: ...


def swept(grid: Grid, by: str, runner: Runner, told: Callable[[int, float], None] = lambda done, under: None) -> Sweep:
    """Runs what can be run. `told` hears how many are done, and of how many runs' worth parts are done."""
    sweep = Sweep(paths=grid.paths, by=by)
    under: dict[int, float] = {}
    values: dict[int, tuple[str, ...]] = {}

    def jobs() -> Iterator[Job]:
        for variant in grid.variants():
            if isinstance(variant, LeftOut):
                sweep.left_out.append((variant.number, variant.values, variant.why))
            else:
                values[variant.number] = variant.values
                yield Job(number=variant.number, settings=replay_settings(variant.config))

    for said in runner.run(jobs()):
        if isinstance(said, Under):
            under[said.number] = said.share
        else:
            under.pop(said.number, None)
            sweep.add(Run(number=said.number, values=values.pop(said.number), figures=said.figures), said.equity)
        told(len(sweep.runs), sum(under.values()))
    return sweep


def variant_of(grid: Grid, number: int) -> Variant:
    """The variant of a run."""
    return next(one for one in grid.variants() if isinstance(one, Variant) and one.number == number)
