"""How soon an alert is stored and answered: fifty a second, and a thousand at once, beside a bare handler's.

Both are processes of their own, fed in turns by the same client; both answer 202 when the alert is on the disk.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.bench.goals import Goal, in_ms
from tests.bench.measured import PLAYED, percentile, show, table
from tests.bench.steady_alerts import ROUNDS, alert, in_turns, seconds
from tests.bench.webhook_client import WebhookClient, webhook_client
from tests.helpers.program import ROOT, TOKEN, Headless, environment, write_config

SYMBOL = "BTCUSDT"
BURST, CONNECTIONS, BURSTS = 1000, 16, 3

ENGINE, BARE = "ExEngine", "bare aiohttp, one commit each"
ENGINE_BURST, BARE_BURST = "ExEngine, burst", "bare aiohttp, group commit, burst"

pytestmark = pytest.mark.timeout(600)


@dataclass(kw_only=True)
class Measures:
    """Seconds from an alert sent to its answer, and those that a whole burst took."""

    steady: dict[str, list[float]] = field(default_factory=lambda: {BARE: [], ENGINE: []})
    bursts: dict[str, list[float]] = field(default_factory=lambda: {BARE_BURST: [], ENGINE_BURST: []})
    whole_s: dict[str, list[float]] = field(default_factory=lambda: {BARE_BURST: [], ENGINE_BURST: []})


@contextmanager
def bare_webhook(folder: Path) -> Iterator[int]:
    """Its port."""
    command = [sys.executable, "-m", "tests.bench.bare_webhook", str(folder / "bare.sqlite3")]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def burst(clients: list[WebhookClient]) -> tuple[list[float], float]:
    """A thousand alerts over all connections, each sending its next when the last is answered."""
    bodies = iter([alert(SYMBOL) for _ in range(BURST)])

    async def send(client: WebhookClient) -> list[float]:
        return [seconds(await client.post(body)) for body in bodies]

    began_s = time.perf_counter()
    took = await asyncio.gather(*(send(client) for client in clients))
    return [each for of_one in took for each in of_one], time.perf_counter() - began_s


async def measured(folder: Path) -> Measures:
    write_config(folder, listener={"rate_per_minute": 100_000})
    found = Measures()
    with bare_webhook(folder) as bare_port, Headless(folder) as program:
        await asyncio.to_thread(program.ready)
        url = f"/webhook/{TOKEN}"
        found.steady[ENGINE], found.steady[BARE] = await in_turns(SYMBOL, [(program.port, url), (bare_port, "/one")])
        async with AsyncExitStack() as stack:

            async def client(port: int, path: str) -> WebhookClient:
                return await stack.enter_async_context(webhook_client(port, path))

            ways = (program.port, url, ENGINE_BURST), (bare_port, "/group", BARE_BURST)
            many = {name: [await client(port, path) for _ in range(CONNECTIONS)] for port, path, name in ways}
            for _ in range(BURSTS):
                for name, clients in many.items():
                    took, whole_s = await burst(clients)
                    found.bursts[name] += took
                    found.whole_s[name].append(whole_s)
        await asyncio.to_thread(program.stop)
    return found


@pytest.fixture(scope="module")
def measures(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Measures:
    found = asyncio.run(measured(tmp_path_factory.mktemp("webhook")))
    show(request.config, table("Alerts at 50 a second, answered when stored", found.steady, bare=BARE))
    title = f"{BURST} alerts over {CONNECTIONS} connections, answered when stored"
    show(request.config, table(title, found.bursts, bare=BARE_BURST))
    rates = ", ".join(f"{name}: {BURST / min(whole):.0f}" for name, whole in found.whole_s.items())
    show(request.config, f"  alerts a second in the best burst: {rates}")
    return found


@pytest.mark.benchmark(group="webhook at 50 a second", timer=PLAYED)
@pytest.mark.parametrize("name", [BARE, ENGINE], ids=["bare", "engine"])
def test_an_alert_is_stored_and_answered(name: str, measures: Measures, goals: list[Goal], benchmark: Any):
    samples, bare = measures.steady[name], measures.steady[BARE]
    ratio = percentile(samples, 50) / percentile(bare, 50)
    if name == ENGINE:
        goals += [
            in_ms("webhook", "an alert's answer at 50 a second, p50", samples, 50, bare=bare, times=2),
            in_ms("webhook", "an alert's answer at 50 a second, p99", samples, 99, bare=bare, limit=15),
        ]
    PLAYED.play(benchmark, samples, of=name, ratio_to_bare_handler=ratio)
    assert len(samples) == ROUNDS


@pytest.mark.benchmark(group="webhook burst of 1,000", timer=PLAYED)
@pytest.mark.parametrize("name", [BARE_BURST, ENGINE_BURST], ids=["bare", "engine"])
def test_each_alert_of_a_burst_is_stored_and_answered(name: str, measures: Measures, goals: list[Goal], benchmark: Any):
    if name == ENGINE_BURST:
        whole, bare = measures.whole_s[name], measures.whole_s[BARE_BURST]
        goals += [
            in_ms("webhook", "a burst of 1,000, as a whole", whole, 50, bare=bare, times=1.5),
            in_ms("webhook", "a burst of 1,000, the last answer", measures.bursts[name], 100, limit=3000),
        ]
    samples = measures.bursts[name]
    ratio = percentile(samples, 50) / percentile(measures.bursts[BARE_BURST], 50)
    a_second = BURST / min(measures.whole_s[name])
    PLAYED.play(benchmark, samples, of=name, ratio_to_bare_handler=ratio, alerts_a_second=a_second)
    assert len(samples) == BURST * BURSTS
