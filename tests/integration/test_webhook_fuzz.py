"""A storm of hostile requests over real HTTP: no 5xx but the store's, no growth of memory, and honest alerts are
answered meanwhile. EXENGINE_HOSTILE_REQUESTS=100000 makes it a long one; EXENGINE_HOSTILE_SEED another."""

import asyncio
import contextlib
import gc
import itertools
import logging
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from exengine.engine.intake import Arrival, StoreUnavailable, Verdict, VerdictKind
from exengine.webhook.connection import Patience
from exengine.webhook.listener import Listener, ListenerSettings
from tests.helpers.alerts import alert, text
from tests.helpers.hostile import Generator, Hostile
from tests.helpers.webhook import SECRET, TOKEN, Clock, Keys

REQUESTS = int(os.environ.get("EXENGINE_HOSTILE_REQUESTS", "3000"))
SEED = int(os.environ.get("EXENGINE_HOSTILE_SEED", "20261129"))
AT_ONCE = 48
SLOW = 100
"""Connections that send a byte now and then, all the while."""
HASTY = Patience(head_s=5, body_s=1, idle_s=5, linger_s=0.1, stop_s=1, close_s=0.1)
ANSWERS = {200, 202, 400, 401, 403, 404, 405, 413, 422, 429, 503}
FAIRNESS = 10 * AT_ONCE
"""How many hostile requests may be answered while one honest alert waits."""
STORE_FAILS_EVERY = 101
HONEST = itertools.count(10_000_000)
"""Stamps of honest alerts: no two alike."""
GROWTH_BLOCKS = 10_000

pytestmark = pytest.mark.timeout(max(300, REQUESTS // 20))


class CountingIntake:
    """Judges as the engine does and remembers nothing but counts, and the digests of a bounded number of signals."""

    def __init__(self) -> None:
        self.taken = Counter[str]()
        self.store_failures = self._since_failed = 0
        self._seen: dict[str, int] = {}

    async def take(self, arrival: Arrival) -> Verdict:
        await asyncio.sleep(0)
        number = sum(self.taken.values()) + 1
        is_honest = (arrival.signal is not None and arrival.signal.digest in self._seen) or "honest" in arrival.body
        is_good = arrival.refusal is None and not arrival.errors
        self._since_failed += is_good
        if not is_honest and (self._since_failed >= STORE_FAILS_EVERY if is_good else number % STORE_FAILS_EVERY == 0):
            self.taken["failed"] += 1
            self.store_failures += is_good
            self._since_failed *= not is_good
            raise StoreUnavailable("disk full")
        if arrival.refusal is not None:
            return self._counted(VerdictKind.REFUSED, "refused", number)
        if arrival.signal is None:
            self.taken["invalid"] += 1
            return Verdict(kind=VerdictKind.INVALID, signal_id=number, errors=arrival.errors)
        first = self._seen.setdefault(arrival.signal.digest, number)
        if len(self._seen) > 1000:
            self._seen.pop(next(iter(self._seen)))
        if first != number:
            return self._counted(VerdictKind.DUPLICATE, "duplicate", first)
        return self._counted(VerdictKind.ACCEPTED, "accepted", number)

    def _counted(self, kind: VerdictKind, name: str, number: int) -> Verdict:
        self.taken[name] += 1
        return Verdict(kind=kind, signal_id=number)

    def health(self) -> str:
        return "running"


class Storm:
    """Everything at once, and what came of it."""

    def __init__(self, port: int, requests: Iterator[Hostile]) -> None:
        self.port, self._requests = port, requests
        self.answered = 0
        self.statuses = Counter[tuple[str, int]]()
        self.wrong: list[str] = []
        self.waits: list[int] = []
        """For each honest alert, how many hostile requests were answered while it waited."""

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            over = asyncio.Event()
            tasks.create_task(self._honest(over))
            slow = [tasks.create_task(self._slow(over)) for _ in range(SLOW)]
            await asyncio.gather(*(self._worker() for _ in range(AT_ONCE)))
            over.set()
            await asyncio.gather(*slow)

    async def _worker(self) -> None:
        for hostile in self._requests:
            answer = await self._knock(hostile.sent, 60 if hostile.is_whole else 0.5)
            self.answered += 1
            self._judge(hostile, answer)

    async def _knock(self, sent: bytes, patience_s: float = 60) -> bytes:
        """Writes it all and reads the first answer; nothing where there was none, or not in time."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(sent)
            return await asyncio.wait_for(_first_answer(reader), patience_s)
        except (ConnectionError, TimeoutError):
            return b""
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _judge(self, hostile: Hostile, answer: bytes) -> None:
        match = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
        status = int(match[1]) if match else 0
        self.statuses[hostile.kind, status] += 1
        is_fine = status in ANSWERS or (status == 0 and not hostile.is_whole)
        if hostile.is_strangers and status in (200, 202, 422):
            is_fine = False
        if TOKEN.encode() in answer or SECRET.encode() in answer:
            is_fine = False
        if not is_fine and len(self.wrong) < 10:
            self.wrong.append(f"{hostile.kind} {status}: {hostile.sent[:300]!r} -> {answer[:200]!r}")

    async def _honest(self, over: asyncio.Event) -> None:
        """One alert after the other, as TradingView sends them."""
        for number in HONEST:
            raw = text(alert(timestamp=number, source="honest"))
            head = f"POST /webhook/{TOKEN} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
            before = self.answered
            answer = await self._knock(head + raw)
            self.waits.append(self.answered - before)
            if not answer.startswith(b"HTTP/1.1 202 "):
                self.wrong.append(f"an honest alert got {answer[:200]!r}")
            if over.is_set():
                return
            await asyncio.sleep(0.01)

    async def _slow(self, over: asyncio.Event) -> None:
        """A head that never ends, begun anew where the listener has had enough of it."""
        while not over.is_set():
            with contextlib.suppress(ConnectionError, TimeoutError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(b"POST /webhook HTTP/1.1\r\n")
                    while not over.is_set() and not writer.is_closing():
                        writer.write(b"X-A: b\r\n")
                        await writer.drain()
                        async with asyncio.timeout(1):
                            await over.wait()
                finally:
                    writer.close()


async def _first_answer(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100 "):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as cut:
        return cut.partial
    length = re.search(rb"(?i)content-length: (\d+)", head)
    try:
        return head + await reader.readexactly(int(length[1]) if length else 0)
    except asyncio.IncompleteReadError as cut:
        return head + cut.partial


@pytest.fixture
def unkept_log() -> Iterator[None]:
    """pytest keeps every line that is logged, and memory is what is measured."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("unkept_log")
async def test_a_storm_of_hostile_requests(capsys: pytest.CaptureFixture[str]) -> None:
    intake = CountingIntake()
    settings = ListenerSettings(port=0, rate_per_minute=100_000, burst=100_000, trusted_proxies=("127.0.0.1",))
    listener = Listener(intake, settings, Keys(), Clock(), patience=HASTY)
    await listener.start()
    port = int(listener.url.rpartition(":")[2].partition("/")[0])
    requests = iter(Generator(SEED, token=TOKEN, secret=SECRET))
    try:
        warm = Storm(port, itertools.islice(requests, REQUESTS // 3))
        await warm.run()
        before = await _held_blocks(listener)
        storm = Storm(port, itertools.islice(requests, REQUESTS - REQUESTS // 3))
        await storm.run()
        after = await _held_blocks(listener)
    finally:
        await listener.stop()

    told = warm.statuses + storm.statuses
    with capsys.disabled():
        if REQUESTS > 3000:
            print(f"\n{REQUESTS} requests, seed {SEED}: {_by_status(told)}")
            print(f"{before:,} blocks of memory after the first third, {after:,} at the end")
            print(f"{len(storm.waits)} honest alerts, at most {max(storm.waits)} others answered while one waited")
    assert warm.wrong + storm.wrong == []
    assert 0 < _by_status(told)[503] <= intake.store_failures, "some had hung up before they were told"
    assert len(told) > 25, "every kind met several answers"
    assert max(storm.waits) <= FAIRNESS
    assert after - before < GROWTH_BLOCKS


async def _held_blocks(listener: Listener) -> int:
    """How many pieces of memory Python holds while nobody is connected: as exact as a trace of them, and free."""
    async with asyncio.timeout(60):
        while listener.connections:  # noqa: ASYNC110  # the last of them are given up by their time-outs
            await asyncio.sleep(0.05)
    gc.collect()
    return sys.getallocatedblocks()


def _by_status(statuses: Counter[tuple[str, int]]) -> Counter[int]:
    found = Counter[int]()
    for (_, status), count in statuses.items():
        found[status] += count
    return found


def test_the_same_seed_makes_the_same_storm() -> None:
    one, other = (list(itertools.islice(Generator(7, token=TOKEN, secret=SECRET), 200)) for _ in range(2))
    assert one == other
    assert one != list(itertools.islice(Generator(8, token=TOKEN, secret=SECRET), 200))
