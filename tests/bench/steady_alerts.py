"""Alerts at fifty a second, in turns of a second: `python -m tests.bench.steady_alerts SYMBOL PORT PATH [PORT PATH …]`.

Prints the seconds to each answer as JSON, a list for each PORT and PATH. The alerts are exits of what is not held:
taken, stored, answered, and no trade follows that would be measured too.
"""

import asyncio
import itertools
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from tests.bench.webhook_client import Answered, WebhookClient, webhook_client
from tests.helpers.program import entry

RATE_S = 1 / 50
WARM_UP = 50
ROUNDS, TURN = 500, 50
"""Alerts for each, in turns of a second."""

Way = tuple[int, str]
"""A port and a path."""

_numbers = itertools.count()


def alert(symbol: str) -> dict[str, Any]:
    return entry("100", execution_intent__type="exit", tv__symbol=symbol, tv__timeframe="240",
                 strategy_info__trade_id=str(next(_numbers)))  # fmt: skip


async def in_turns(symbol: str, ways: Sequence[Way]) -> list[list[float]]:
    """Seconds from an alert sent to its answer, by way."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(webhook_client(port, path)) for port, path in ways]
        for client in clients:
            await _steady(client, symbol, WARM_UP)
        took: list[list[float]] = [[] for _ in clients]
        for _ in range(ROUNDS // TURN):
            for client, so_far in zip(clients, took, strict=True):
                so_far.extend(await _steady(client, symbol, TURN))
    return took


async def _steady(client: WebhookClient, symbol: str, count: int) -> list[float]:
    """`count` alerts at their rate: a late answer delays none of those that follow in time."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    took = []
    for number in range(count):
        await asyncio.sleep(began_s + number * RATE_S - loop.time())
        took.append(seconds(await client.post(alert(symbol))))
    return took


def seconds(answer: Answered) -> float:
    """How long an answer took. An alert that was not taken is no measure of anything."""
    assert answer.status == 202
    return answer.took_s


if __name__ == "__main__":
    _, symbol, *told = sys.argv
    ways = [(int(port), path) for port, path in zip(told[::2], told[1::2], strict=True)]
    print(json.dumps(asyncio.run(in_turns(symbol, ways))))
