"""Makes a failing life small: acts are left out as long as it still fails the same way (delta debugging)."""

import re
from collections.abc import Callable
from dataclasses import replace

from tests.simulation.life import lived
from tests.simulation.plan import Act, Plan


def kind_of(violation: str) -> str:
    """What a violation says, whoever and whatever it says it of."""
    return re.sub(r"x\w{20,}|\S*\|\S*|[0-9.]+", "", violation.partition("\n")[0])[:60]


def fails_as(violation: str) -> Callable[[Plan], bool]:
    """Whether a plan fails in the way of `violation`."""
    wanted = kind_of(violation)
    return lambda plan: any(kind_of(one) == wanted for one in lived(plan).violations)


def shrunk(plan: Plan, fails: Callable[[Plan], bool], *, tries: int = 400) -> Plan:
    """The plan with as few acts as a bounded number of tries finds enough to fail."""
    acts, pieces = list(plan.acts), 2
    while len(acts) >= 2 and tries > 0:
        size = -(-len(acts) // pieces)
        for start in range(0, len(acts), size):
            fewer: list[Act] = acts[:start] + acts[start + size :]
            tries -= 1
            if fails(replace(plan, acts=tuple(fewer))):
                acts, pieces = fewer, max(pieces - 1, 2)
                break
            if tries <= 0:
                break
        else:
            if size == 1:
                break
            pieces = min(pieces * 2, len(acts))
    return replace(plan, acts=tuple(acts))
