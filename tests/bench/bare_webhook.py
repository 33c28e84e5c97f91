"""The plainest webhook that could be trusted: aiohttp, a body read as JSON, one row in SQLite, on the disk, an answer.

`python -m tests.bench.bare_webhook FILE` prints its port. `/one` commits each alert by itself, `/group` all that came
while the last commit was being made.
"""

import asyncio
import json
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

Waiting = tuple[str, "asyncio.Future[None]"]


class BareStore:
    """One connection, one thread, as safe as ExEngine's own: a write-ahead log, and every commit synchronous."""

    def __init__(self, file: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA fullfsync=ON")
        self._connection.execute("CREATE TABLE signals (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        self._waiting: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    def _write(self, bodies: list[str]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO signals (body) VALUES (?)", [(body,) for body in bodies])
        self._connection.execute("COMMIT")

    async def one(self, body: str) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, [body])

    async def group(self, body: str) -> None:
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._waiting.append((body, stored))
        if self._writer is None:
            self._writer = loop.create_task(self._write_all())
        await stored

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await loop.run_in_executor(self._thread, self._write, [body for body, _ in batch])
            for _, stored in batch:
                stored.set_result(None)
        self._writer = None


async def main(file: str) -> None:
    store = BareStore(file)

    async def handle(request: web.BaseRequest) -> web.Response:
        body = await request.text()
        json.loads(body)
        await (store.group if request.path == "/group" else store.one)(body)
        return web.json_response({"status": "accepted"}, status=202)

    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
