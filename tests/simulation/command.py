"""`python -m tests.simulation`: a life and its trace (`--seed 5 --trace`), or very many (`--seeds 100000 --jobs 2`)."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from multiprocessing import get_context
from typing import NamedTuple

from tests.simulation.life import Ended, lived
from tests.simulation.plan import Plan, plan_of
from tests.simulation.shrink import fails_as, shrunk

CHUNK = 25


class Failure(NamedTuple):
    """A seed whose life broke something, and what."""

    seed: int
    violation: str


def played(seeds: Iterable[int]) -> list[Failure]:
    """The failures of some seeds."""
    ended = ((seed, lived(plan_of(seed))) for seed in seeds)
    return [Failure(seed, life.violations[0]) for seed, life in ended if life.violations]


def told(failure: Failure, *, shrinks: bool = True) -> str:
    """A failure as a person can use it: what, the command that plays it again, and the smallest plan that was found."""
    lines = [failure.violation, f"again: python -m tests.simulation --seed {failure.seed} --trace (or --shrink)"]
    if shrinks:
        plan = shrunk(plan_of(failure.seed), fails_as(failure.violation))
        lines += [f"it needs these acts ({len(plan.acts)} of {len(plan_of(failure.seed).acts)}):", *map(str, plan.acts)]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this one life")
    parser.add_argument("--trace", action="store_true", help="print everything that happens in it")
    parser.add_argument("--shrink", action="store_true", help="look for the fewest acts that make it fail")
    parser.add_argument("--digest", action="store_true", help="print a digest of all that happened in it")
    parser.add_argument("--seeds", type=int, default=2000, help="how many lives to play")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="in how many processes")
    options = parser.parse_args()
    if options.seed is None:
        return _many(range(options.first, options.first + options.seeds), options.jobs)
    return _one(plan_of(options.seed), options)


def _one(plan: Plan, options: argparse.Namespace) -> int:
    ended = lived(plan, trace=options.trace or options.digest)
    if options.trace:
        print("\n".join([f"choices {plan.choices}", *ended.trace]))
    if options.digest:
        print(digest(ended))
        return 0
    for violation in ended.violations:
        print(f"broken: {violation}")
    if ended.violations and options.shrink:
        print(told(Failure(plan.seed, ended.violations[0])))
    print(f"{ended.seconds:.0f} simulated s, {ended.commits} transactions, {ended.deaths} deaths")
    return 1 if ended.violations else 0


def digest(ended: Ended) -> str:
    """The same for two lives in which the very same happened."""
    return sha256("\n".join(ended.trace).encode()).hexdigest()


def _many(seeds: range, jobs: int) -> int:
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    failures: list[Failure] = []
    began_s = time.monotonic()
    for done, found in enumerate(_played(chunks, jobs), start=1):
        failures += found
        for failure in found:  # at once: a long run may be broken off
            print(f"\n{told(failure, shrinks=False)}", flush=True)
        _show_progress(min(done * CHUNK, len(seeds)), len(seeds), len(failures), time.monotonic() - began_s)
    print(file=sys.stderr)
    for failure in failures[:10]:
        print(told(failure), end="\n\n")
    print(f"{len(seeds)} lives, {len(failures)} failed: {' '.join(str(one.seed) for one in failures[:100])}")
    return 1 if failures else 0


def _played(chunks: list[range], jobs: int) -> Iterator[list[Failure]]:
    if jobs == 1:
        yield from map(played, chunks)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(played, chunks)


def _show_progress(done: int, of: int, failed: int, seconds: float) -> None:
    bar = "#" * (30 * done // of)
    rate = seconds / done * 1000
    print(f"\r[{bar:30}] {done}/{of}, {failed} failed, {rate:.0f} ms each ", end="", file=sys.stderr, flush=True)
