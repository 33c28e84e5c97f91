"""Serves a local exchange as a process: prints one line of JSON with its address, and ends on a signal."""

import argparse
import asyncio
import json
import signal

from tests.exchange_server.control import parsed
from tests.exchange_server.serving import NAMES, new_venue, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.exchange_server")
    parser.add_argument("--venue", choices=NAMES, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--balances", type=parsed, default=None, metavar="JSON", help='such as {"USDT": "10000"}')
    parser.add_argument("--prices", type=parsed, default={}, metavar="JSON", help="by the exchange's own market ids")
    parser.add_argument("--leverage", type=int, default=1)
    asyncio.run(_served(parser.parse_args()))


async def _served(chosen: argparse.Namespace) -> None:
    over = {"leverage": chosen.leverage} | ({} if chosen.balances is None else {"balances": chosen.balances})
    venue = new_venue(chosen.venue, **over)
    for market_id, price in chosen.prices.items():
        venue.tick(market_id, price)
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: loop.call_soon_threadsafe(ended.set))
    async with serve(chosen.venue, venue, port=chosen.port) as served:
        print(json.dumps({"base": served.base, "venue": chosen.venue}), flush=True)
        await ended.wait()


if __name__ == "__main__":
    main()
