"""From an alert to its orders and from a fill to its target, on a real process and a real client, beside a bare call.

Everything is measured in the same run, in turns, so that a slow machine is slow for all of it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exengine.exchange.live.local_server import LocalServerSession
from exengine.store import sqlite
from tests.bench.exchange_process import START_PRICE, ExchangeProcess, exchange_process, live_account
from tests.bench.goals import Goal, in_ms
from tests.bench.measured import PLAYED, percentile, show, table
from tests.bench.webhook_client import WebhookClient, webhook_client
from tests.helpers.live_program import PASSPHRASE
from tests.helpers.program import TOKEN, Headless, entry

D = Decimal
WARM_UP, ROUNDS = 30, 200
REST_S = 0.05
"""Between two rounds: what the last one left to do is done by then."""

LEGS = 5
ENTRY, TOUCHED, TARGET_TOUCHED = D(46000), D("45999.99"), D("46470.00")
TIMEFRAMES = ("5", "15", "60")

COMMIT = "one commit to this disk"
"""An alert is stored with its orders before they go out, a fill before its target: what the disk takes of it."""

BARE, FIRST, LADDER, TARGET = "bare create_order", "alert to first order", "alert to whole ladder", "fill to its target"

pytestmark = pytest.mark.timeout(600)


@dataclass(kw_only=True)
class Measures:
    """Seconds, one of each a round."""

    bare: list[float] = field(default_factory=list)
    commit: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    ladder: list[float] = field(default_factory=list)
    target: list[float] = field(default_factory=list)

    @property
    def columns(self) -> dict[str, list[float]]:
        return {BARE: self.bare, COMMIT: self.commit, FIRST: self.first, LADDER: self.ladder, TARGET: self.target}


@asynccontextmanager
async def bare_client(exchange: ExchangeProcess) -> AsyncIterator[Any]:
    """ccxt's own client with nothing around it, its connection kept open."""
    import ccxt.pro

    session = LocalServerSession(exchange.bare_base)
    client = ccxt.pro.binance(
        {
            "apiKey": exchange.api_key,
            "secret": exchange.secret,
            "session": session,
            "enableRateLimit": False,
            "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
        }
    )
    client.has["fetchCurrencies"] = False
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()
        await session.close()


async def bare_order(client: Any) -> float:
    began_s = time.perf_counter()
    order = await client.create_order("BTC/USDT", "limit", "buy", "0.00043", str(ENTRY))
    took_s = time.perf_counter() - began_s
    await client.cancel_order(order["id"], "BTC/USDT")
    return took_s


@contextmanager
def disk(file: Path) -> Iterator[Callable[[], float]]:
    """Commits one row as safely as the store does; how long that took."""
    with closing(sqlite.connect(file, writable=True)) as connection:
        connection.execute("CREATE TABLE rows (body TEXT NOT NULL)")

        def commit() -> float:
            began_s = time.perf_counter()
            connection.execute("INSERT INTO rows VALUES ('a row')")
            return time.perf_counter() - began_s

        yield commit


async def one_round(number: int, exchange: ExchangeProcess, webhook: WebhookClient, measures: Measures) -> None:
    """An alert, its five orders, the fill of the first, its target; then the target fills and the rest goes."""
    answer = await webhook.post(entry(ENTRY, tv__timeframe=TIMEFRAMES[number % len(TIMEFRAMES)]))
    assert answer.status == 202
    arrived = [(await exchange.until("new", "buy")).at_s for _ in range(LEGS)]
    measures.first.append(arrived[0] - answer.sent_s)
    measures.ladder.append(arrived[-1] - answer.sent_s)
    await asyncio.sleep(REST_S)
    exchange.tick(TOUCHED)
    filled = await exchange.until("trade", "buy")
    target = await exchange.until("new", "sell")
    measures.target.append(target.at_s - filled.at_s)
    await asyncio.sleep(REST_S)
    exchange.tick(TARGET_TOUCHED)
    await exchange.empty()
    exchange.tick(START_PRICE)
    await asyncio.sleep(REST_S)


async def measured(folder: Path) -> Measures:
    async with exchange_process() as exchange, bare_client(exchange) as client:
        await live_account(folder, exchange)
        (folder / "bare.sqlite3").touch()
        with Headless(folder, EXENGINE_PASSPHRASE=PASSPHRASE) as program, disk(folder / "bare.sqlite3") as commit:
            await asyncio.to_thread(program.ready)
            async with webhook_client(program.port, f"/webhook/{TOKEN}") as webhook:
                warming, measures = Measures(), Measures()
                try:
                    for number in range(WARM_UP + ROUNDS):
                        into = warming if number < WARM_UP else measures
                        into.bare.append(await bare_order(client))
                        into.commit.append(commit())
                        await asyncio.sleep(REST_S)
                        await one_round(number, exchange, webhook, into)
                except TimeoutError:
                    raise AssertionError(f"the exchange waits in vain\n{program.output}") from None
            await asyncio.to_thread(program.stop)
            return measures


@pytest.fixture(scope="module")
def measures(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Measures:
    found = asyncio.run(measured(tmp_path_factory.mktemp("live")))
    show(request.config, table("A live account on a local exchange", found.columns, bare=BARE))
    return found


@pytest.mark.benchmark(group="live", timer=PLAYED)
@pytest.mark.parametrize(
    ("name", "times"),
    [(BARE, None), (COMMIT, None), (FIRST, 3.0), (LADDER, 6.0), (TARGET, 4.0)],
    ids=["bare", "commit", "first", "ladder", "target"],
)
def test_how_long_it_takes(name: str, times: float | None, measures: Measures, goals: list[Goal], benchmark: Any):
    samples = measures.columns[name]
    ratio = percentile(samples, 50) / percentile(measures.bare, 50)
    if name != BARE:
        goals.append(in_ms("live", f"{name}, p50", samples, 50, bare=measures.bare, times=times))
    if name == FIRST:
        goals.append(in_ms("live", f"{name}, p99", samples, 99, bare=measures.bare, limit=20))
    PLAYED.play(benchmark, samples, of=name, ratio_to_bare_call=ratio, goal=times)
    assert len(samples) == ROUNDS
