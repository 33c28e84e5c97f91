"""How many examples the properties are tried with, and how to try many more of them.

The ordinary run always takes the same ones, so that a failure is there again. With EXENGINE_EXAMPLES in the
environment there are that many times as many of each property, and other ones at each run: `EXENGINE_EXAMPLES=20`.
"""

import os
from collections.abc import Collection
from typing import Any

from hypothesis import HealthCheck, settings

VARIABLE = "EXENGINE_EXAMPLES"


def examples(count: int, *, unchecked: Collection[HealthCheck] = (), **more: Any) -> settings:
    """`count` examples, times what the environment says."""
    times = os.environ.get(VARIABLE)
    return settings(
        max_examples=max(1, round(count * float(times or 1))),
        derandomize=times is None,
        database=None,
        deadline=None,
        suppress_health_check=list(unchecked),
        **more,
    )
