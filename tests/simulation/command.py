"""`python -m tests.simulation --seed N --trace`, `--seeds 100000 --jobs 2`."""

import argparse
import time
from tests.simulation.life import lived
from tests.simulation.plan import plan_of


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    if options.seed is not None:
        ended = lived(plan_of(options.seed), trace=options.trace)
        print("\n".join(ended.trace)); print(ended.violations, ended.commits, ended.seconds, ended.deaths)
        return bool(ended.violations)
    bad = 0
    began = time.perf_counter()
    from collections import Counter
    kinds = Counter()
    ex = {}
    for seed in range(options.first, options.first + options.seeds):
        ended = lived(plan_of(seed))
        if ended.violations:
            bad += 1
            import re
            k = re.sub(r"[0-9.]+|x\w{20,}|E-\d+", "#", ended.violations[0])[:130]
            kinds[k] += 1; ex.setdefault(k, []).append(seed)
    print(bad, "bad of", options.seeds, (time.perf_counter() - began) / options.seeds * 1000, "ms each")
    for k, n in kinds.most_common(25): print(n, ex[k][:6], k)
    return bad > 0
