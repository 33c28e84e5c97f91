"""Two thousand random lives, or as many as EXENGINE_SEEDS says: in none of them anything is broken."""

import os
import subprocess
import sys

import pytest

from tests.simulation.command import CHUNK, Failure, digest, played, told
from tests.simulation.life import lived
from tests.simulation.mutations import what_did_not_arrive_is_sent_under_a_new_id
from tests.simulation.plan import plan_of
from tests.simulation.shrink import fails_as, shrunk

SEEDS = int(os.environ.get("EXENGINE_SEEDS", "2000"))


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_nothing_is_broken_in_any_life(first: int):
    failures = played(range(first, min(first + CHUNK, SEEDS)))
    assert not failures, "\n\n".join(told(failure) for failure in failures[:2])


def test_a_seed_is_always_the_same_life():
    once, again = (lived(plan_of(55), trace=True) for _ in range(2))
    assert len(once.trace) > 100
    assert once.trace == again.trace


def test_a_seed_is_the_same_life_in_another_process_too():
    """Neither the order of sets nor the speed of the machine has a say in it."""
    command = [sys.executable, "-m", "tests.simulation", "--seed", "7", "--digest"]
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
        assert ran.stdout.strip() == digest(lived(plan_of(7), trace=True))


def test_a_failing_life_is_told_with_its_command_and_made_small():
    with what_did_not_arrive_is_sent_under_a_new_id():
        seed, violation = next((n, v[0]) for n in range(100) if (v := lived(plan_of(n)).violations))
        small = shrunk(plan_of(seed), fails_as(violation))
        assert lived(small).violations
        assert len(small.acts) < len(plan_of(seed).acts) / 2
        assert f"--seed {seed} --trace" in told(Failure(seed, violation))
