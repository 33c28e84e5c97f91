"""One life: a plan is carried out, the program dies and comes back; in the end all faults stop and all must agree."""

import asyncio
import gc
import json
import logging
import math
import random
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from exengine.domain.money import arithmetic
from exengine.domain.reception import VerdictKind, arrival_of
from exengine.domain.signal_body import parse_body
from exengine.engine import engine as engine_module
from exengine.engine.changes import Changes
from exengine.engine.intake import StoreUnavailable
from tests.exchange_server.venue import Venue
from tests.simulation.acts import ACTS
from tests.simulation.agreement import disagreements, final_faults
from tests.simulation.checks import Checks
from tests.simulation.configuration import settings_of
from tests.simulation.disk import Disk, DiskFaults
from tests.simulation.line import Habits, Line
from tests.simulation.loop import SimulatedLoop, Stuck, keep_by_owner
from tests.simulation.markets import FEE_COIN, SPOT, SWAP
from tests.simulation.plan import D, Plan
from tests.simulation.process import START_MS, Process, SimulatedClock

SETTLES_S = 300.0
LOOKS_S = 2.0
SENDER_GIVES_UP_S = 3.0
SENT_AGAIN_S = 5.0


class Violation(AssertionError):
    """What must always hold does not."""


@dataclass(kw_only=True)
class Told:
    """A signal that was answered."""

    signal_id: int
    digest: str
    kind: VerdictKind


@dataclass(kw_only=True)
class Ended:
    """How a life went."""

    violations: list[str] = field(default_factory=list)
    trace: list[str] = field(default_factory=list)
    commits: int = 0
    points: dict[str, int] = field(default_factory=dict)
    deaths: int = 0
    seconds: float = 0.0


class Life:
    """Everything in one life."""

    def __init__(self, plan: Plan, *, trace: bool = False) -> None:
        self.plan = plan
        self.ended = Ended()
        self.choices = plan.choices
        self.settings = settings_of(plan.choices)
        """What the configuration file says."""
        self.rng = random.Random(plan.seed)
        self.clock = SimulatedClock()
        self.disk = Disk(instance=f"life {plan.seed}")
        self.disk_faults = DiskFaults()
        self.disk_faults.slow_s = 0.2 if plan.choices["slow_disk"] else 0.0
        self.lines = {name: _line(self, name) for name in plan.choices["accounts"]}
        self.checks = Checks(self.disk, self.lines.values(), self.violated)
        self.process: Process
        self.told: list[Told] = []
        self.down_s = 0.5
        self.dies_next: dict[str, int] = {}
        """Where the next run of the program dies, too: a start is where most is under way."""
        self.senders = 0
        """Alerts that TradingView has not done with yet."""
        self._traces = trace
        self._over: asyncio.Future[None]
        self._healing = False
        self._work: set[asyncio.Task[Any]] = set()

    # telling ---------------------------------------------------------------------------------------------------------

    def violated(self, what: str) -> None:
        self.say(f"!! {what}")
        self.ended.violations.append(what)
        if not self._over.done():
            self._over.set_result(None)

    def say(self, what: str) -> None:
        if self._traces:
            self.ended.trace.append(f"{self.loop.time():10.3f} {what}")

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def _failed(self, name: str, error: BaseException) -> None:
        """A task of the program has ended in an error: only those that were made to may."""
        asked_for = any(line.has_defects for line in self.lines.values()) and isinstance(error, TypeError)
        if not isinstance(error, ConnectionError) and not asked_for:
            lines = "".join(traceback.format_exception(error, limit=-4))
            self.violated(f"the task {name} ended in {error!r}\n{lines}")

    def _writing(self, process: Process, changes: Changes) -> None:
        if self._traces:
            self.say(f"commit {self.disk.commits + 1}: {_short(changes)}")
        self.checks.writing(process, changes)

    def decide(self, state: Any, event: Any, now_ms: int) -> Any:
        if self._traces:
            self.say(f"event {event!r}"[:300])
        return self.checks.decide(state, event, now_ms)

    # the program -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """A new run of the program, and somebody who waits for its death."""
        self.say("start")
        for line in self.lines.values():
            line.key_was_refused = False
        self.process = process = Process(
            self.settings, self.disk, self.disk_faults, list(self.lines.values()), self.clock, self.rng,
            writing=self._writing, sending=self.checks.sending, failed=self._failed,
        )  # fmt: skip
        process.dies_at, self.dies_next = self.dies_next, {}
        process.begin(process.run())
        self.work(self._nurse(process))

    async def _nurse(self, process: Process) -> None:
        await process.died.wait()
        self.ended.deaths += 1
        self.say("death")
        await process.bury()
        await asyncio.sleep(self.down_s)
        self.down_s = 0.5
        await self.start()

    def work(self, work: Any) -> asyncio.Task[Any]:
        """Something of the world outside, that goes on whoever dies."""
        task = self.loop.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._worked)
        return task

    def _worked(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            error = task.exception()
            self.violated(f"the simulation itself failed: {error!r}")
            logging.getLogger(__name__).error("the simulation failed", exc_info=error)

    async def send_alert(self, body: dict[str, Any]) -> None:
        """As TradingView sends it: it gives up after three seconds, and comes again after a 5xx or a death."""
        self.senders += 1
        try:
            await self._send_alert(body)
        finally:
            self.senders -= 1

    async def _send_alert(self, body: dict[str, Any]) -> None:
        for _ in range(4):
            while not (self.process.is_alive and self.process.is_trading):  # noqa: ASYNC110  # simulated time
                await asyncio.sleep(0.1)
            process = self.process
            sent = process.begin(self._take(process, body))
            await asyncio.wait({sent}, timeout=SENDER_GIVES_UP_S)
            if not sent.done():
                return
            if not sent.cancelled() and sent.result():
                return
            await asyncio.sleep(SENT_AGAIN_S)

    async def _take(self, process: Process, body: dict[str, Any]) -> bool:
        read = parse_body(json.dumps(body))
        arrival = arrival_of(read, received_at_ms=self.clock.now_ms(), source_address="127.0.0.1")
        try:
            verdict = await process.engine.take(arrival)
        except StoreUnavailable:
            return False
        digest = arrival.signal.digest if arrival.signal else ""
        self.told.append(Told(signal_id=verdict.signal_id, digest=digest, kind=verdict.kind))
        return True

    # the life --------------------------------------------------------------------------------------------------------

    async def live(self) -> None:
        self._over = self.loop.create_future()
        assert isinstance(self.loop, SimulatedLoop)
        self.loop.on_error = lambda error: self.violated(f"nobody waited for {error!r}")
        for line in self.lines.values():
            for market_id, price in line.opening.items():
                line.venue.tick(market_id, price)
        await self.start()
        story = self.work(self._story())
        await asyncio.wait({story, self._over}, return_when=asyncio.FIRST_COMPLETED)
        self.ended.seconds = self.loop.time()
        self.ended.commits = self.disk.commits
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await self.process.bury()

    async def _story(self) -> None:
        for act in self.plan.acts:
            await asyncio.sleep(max(0.0, act.at_ms / 1000 - self.loop.time()))
            if self._traces:
                self.say(f"act {act}")
            ACTS[act.kind](self, act.args)
        await self._end()

    async def _end(self) -> None:
        """No more faults: what is under way comes to its end; then everything is closed."""
        self.heal()
        await self._agree("once all faults had stopped")
        for fault in final_faults(self, closed=False):
            self.violated(fault)
        ACTS["close all"](self, {})
        await self._agree("once everything was to be closed", closed=True)
        for fault in final_faults(self, closed=True):
            self.violated(fault)

    def heal(self) -> None:
        stopped = any(line.key_was_refused for line in self.lines.values())
        self.disk_faults.heal()
        for line in self.lines.values():
            line.heal()
        self.process.dies_at.clear()
        self.dies_next.clear()
        if stopped:
            self.process.kill()  # the trader has put the key right, and starts again

    async def _agree(self, when: str, *, closed: bool = False) -> None:
        """Gives everything its time; what still disagrees then will for ever."""
        until_s = self.loop.time() + SETTLES_S
        await asyncio.sleep(LOOKS_S)
        while faults := disagreements(self, closed=closed):
            if self.loop.time() > until_s:
                self.violated(f"{when}: " + "; ".join(faults[:6]))
                return
            await asyncio.sleep(LOOKS_S)


def _line(life: Life, name: str) -> Line:
    c = life.plan.choices
    listed = SPOT if name == "spot" else SWAP
    markets = {f"{coin}/USDT" + (":USDT" if name == "swap" else ""): listed[coin] for coin in c[name]}
    balances = {"USDT": D(10000)}
    if name == "spot" and c["fee_coin"]:
        markets["BNB/USDT"] = FEE_COIN
        balances["BNB"] = D("0.2")
    venue = Venue(
        [market for market, _ in markets.values()],
        balances,
        maker=D(c["fee"]),
        taker=D(c["fee"]),
        fee_coin="BNB" if c["fee_coin"] else None,
        fee_digits=c["fee_digits"],
        clock=lambda: START_MS + round(asyncio.get_running_loop().time() * 1000),
        remembers_client_ids=c["ids"],
        post_only=c["post_only_answer"],
        leverage=int(c["leverage"]),
    )
    habits = Habits(
        acknowledges_only=c["acknowledges_only"],
        cancel_acknowledges_only=c["cancel_acknowledges_only"],
        late_trades_s=c["late_trades_s"],
        hidden_s=c["hidden_s"],
        trades_by_themselves=c["trades_by_themselves"],
    )
    symbols = {market.id: symbol for symbol, (market, _) in markets.items()}
    opening = {market.id: price for market, price in markets.values()}
    line = Line(name, venue, symbols, habits, life.rng, opening)
    if c["shuffles"]:
        line.stream_moods["shuffle"] = math.inf
    return line


def _short(changes: Changes) -> str:
    groups = [f"{group.id} {group.status.value}" for group in changes.groups.values()]
    orders = [
        f"{one.client_id[:6]} {one.slot} {one.status.value} {one.filled_qty}/{one.qty}"
        for one in changes.orders.values()
    ]
    notes = [note.text for _, note in changes.notes]
    return "; ".join([*groups, *orders, *(f'"{note}"' for note in notes)])


@contextmanager
def _watched(life: Life) -> Iterator[None]:
    """The engine's decisions are looked at, and its batches end by simulated luck, not by the machine's speed."""
    ticks = random.Random(life.plan.seed)
    spent = [0.0]

    def perf_counter() -> float:
        spent[0] += ticks.random() * life.plan.choices["batch_ms"] / 1000
        return spent[0]

    with (
        patch.object(engine_module, "decide", life.decide),
        patch.object(engine_module, "time", SimpleNamespace(perf_counter=perf_counter)),
        arithmetic(),
    ):
        yield


def lived(plan: Plan, *, trace: bool = False) -> Ended:
    """Plays a life to its end; how it went."""
    return play(plan, trace=trace).ended


def play(plan: Plan, *, trace: bool = False) -> Life:
    """Plays a life to its end."""
    life = Life(plan, trace=trace)
    loop = SimulatedLoop()
    keep_by_owner(loop, lambda owner, task: owner.tasks.append(task) if isinstance(owner, Process) else None)
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    collects = gc.isenabled()
    gc.disable()  # a life is short, and makes few cycles
    try:
        with _watched(life):
            loop.run_until_complete(life.live())
    except Stuck:
        life.ended.violations.append("everybody waits for ever")
    finally:
        if collects:
            gc.enable()
        logging.disable(disabled)
        loop.close()
    return life
