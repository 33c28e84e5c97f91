"""Python reads this first in every process that has its folder on PYTHONPATH; ExEngine's own are profiled then.

The profile of a process's main thread is written to `BENCH_PROFILE`.WHAT.prof at its end.
"""

import os
import re
import sys
from collections.abc import Callable

OURS = {"exengine", "replay", "tests.bench.first_paint", "tests.bench.started"}
NOT_OURS = {"bare", "imported"}


def _begun(prefix: str) -> Callable[[], None]:
    """Begins a profile where this process is ExEngine's own; what writes it."""
    words = [word for word in sys.orig_argv[1:] if re.fullmatch(r"[a-z][\w.]+", word)][:2]
    if not words or words[0] not in OURS or NOT_OURS.intersection(words):
        return lambda: None
    import atexit
    import cProfile
    import time

    profile = cProfile.Profile(time.thread_time)

    def write() -> None:
        profile.disable()
        profile.dump_stats(f"{prefix}.{'-'.join(words)}.prof")

    atexit.register(write)
    profile.enable()
    return write


write_profile = _begun(os.environ["BENCH_PROFILE"]) if "BENCH_PROFILE" in os.environ else lambda: None
"""For who ends a process without the interpreter's own end."""
