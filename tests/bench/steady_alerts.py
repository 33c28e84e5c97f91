"""Sends alerts at a steady rate from a process of its own: `python -m tests.bench.steady_alerts PORT PATH COUNT`.

Prints the seconds to each answer as JSON. The alerts are exits of what is not held: stored, answered, and no trade.
"""

import asyncio
import json
import sys
import time

from tests.bench.webhook_client import webhook_client
from tests.helpers.program import entry

RATE_S = 1 / 10


async def main(port: int, path: str, count: int) -> None:
    took = []
    async with webhook_client(port, path) as client:
        began = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number * RATE_S - time.perf_counter()))
            body = entry("100", execution_intent__type="exit", tv__symbol="C000USDT", tv__timeframe="240",
                         strategy_info__trade_id=str(number))  # fmt: skip
            answered = await client.post(body)
            assert answered.status == 202
            took.append(answered.took_s)
    print(json.dumps(took))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
