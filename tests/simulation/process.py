"""The program between two deaths: started as `bootstrap.program` does it, and ended without a word."""

import asyncio
import random
from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import partial
from typing import Any

from exengine.bootstrap.live import tasks_of
from exengine.domain.events import EngineStarted, GroupDue, QueueDue, RiskDue, SettingsApplied
from exengine.domain.order import Order
from exengine.domain.settings import Settings
from exengine.domain.state import State
from exengine.engine.changes import Changes, StoreFailed, restored
from exengine.engine.engine import Engine
from exengine.engine.rows import Mode
from exengine.engine.supervisor import Supervisor
from exengine.engine.switching import switch
from exengine.engine.timers import queue_timer, risk_timer, rules_timer
from exengine.engine.views import Views
from exengine.engine.watchman import Watchman
from tests.simulation.disk import Disk, DiskFaults, SimulatedStore
from tests.simulation.exchange import SimulatedExchange
from tests.simulation.line import Line
from tests.simulation.loop import OWNER

STOP_S = 5.0
START_MS = 1_767_225_600_000
HOLD_S = 5.0


class SimulatedClock:
    """The machine's clock: it goes with simulated time, and somebody may set it."""

    def __init__(self) -> None:
        self.off_ms = 0

    def now_ms(self) -> int:
        return START_MS + round(asyncio.get_running_loop().time() * 1000) + self.off_ms


class Process:
    """One run of the program."""

    def __init__(
        self,
        settings: Settings,
        disk: Disk,
        faults: DiskFaults,
        lines: Sequence[Line],
        clock: SimulatedClock,
        rng: random.Random,
        *,
        writing: Callable[["Process", Changes], None],
        sending: Callable[["Process", Order], None],
        failed: Callable[[str, BaseException], None],
    ) -> None:
        """`failed` is told of every task that ends in an error."""
        self.died = asyncio.Event()
        self.dies_at: dict[str, int] = {}
        """How many moments of a kind it has left."""
        self.points: list[str] = []
        """Every moment that it lived through at which it could have died."""
        self.is_trading = False
        self.applying = asyncio.Lock()
        self.tasks: list[asyncio.Task[Any]] = []
        self.lines = lines
        self._clock = clock
        self.state = State(instance=disk.instance, settings=settings)
        loaded = disk.load()
        restored(self.state, loaded)
        self.store = SimulatedStore(disk, faults, rng, point=self.point, writing=partial(writing, self))
        self.views = Views(self.state, clock, mode=Mode.LIVE)
        self.views.remember((), ())
        self.shown: set[str] = set()
        """The groups that somebody at the window sees."""
        self._sending = partial(sending, self)
        self.exchanges = [self._exchange(line) for line in lines]
        self.engine = Engine(self.state, self.store, self.exchanges, clock, self.views, next_log_id=loaded.next_log_id)
        self._failed = failed
        self.supervisor = Supervisor(failed)

    def _exchange(self, line: Line) -> SimulatedExchange:
        return SimulatedExchange(line, self._clock, point=self.point, sending=self._sending)

    @property
    def is_alive(self) -> bool:
        return not self.died.is_set()

    async def point(self, what: str) -> None:
        """A moment at which it may die; from then on nothing of it goes on."""
        if self.is_alive:
            left = self.dies_at.get(what)
            if left is not None:
                self.dies_at[what] = left - 1
                if left <= 1:
                    self.kill()
        if not self.is_alive:
            await asyncio.get_running_loop().create_future()

    def kill(self) -> None:
        self.died.set()
        for line in self.lines:
            line.on_stream = line.on_price = None
            line.on_stream_change = lambda: None

    def begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs something as part of the program: it dies with it."""
        token = OWNER.set(self)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            OWNER.reset(token)

    async def run(self) -> None:
        """`Program._trade`. A store that takes nothing is no start: the trader starts it again."""
        self.supervisor.start("engine", self.engine.run)
        for exchange in self.exchanges:
            await exchange.connect(self.engine.deliver, self.engine.pass_by)
        try:
            await self.engine.submit(EngineStarted())
        except StoreFailed:
            self.kill()
            return
        self._look_after(self.exchanges)
        self.supervisor.start("market rules", lambda: rules_timer(self.engine, self.state))
        await self._begin_timers()
        self.is_trading = True

    async def _begin_timers(self) -> None:
        for name, timer in (("queue timer", queue_timer), ("risk timer", risk_timer)):
            await self.supervisor.stop(name)
            self.supervisor.start(name, partial(timer, self.engine, self.state))

    async def apply(self, settings: Settings, anew: Collection[str]) -> None:
        """`bootstrap.applying` after the file was written. Raises StoreFailed where nothing was taken."""
        event = SettingsApplied(settings=settings, text="A new configuration is in effect.", anew=frozenset(anew))

        async def connected() -> list[SimulatedExchange]:
            for place, exchange in enumerate(self.exchanges):
                if exchange.account in anew:
                    for name in tasks_of(exchange.account):
                        await self.supervisor.stop(name)
                    await exchange.close()
                    self.exchanges[place] = self._exchange(self.lines[place])
                    await self.exchanges[place].connect(self.engine.deliver, self.engine.pass_by)
            return self.exchanges

        if not await switch(self.engine, event, anew, connected, hold_s=HOLD_S):
            raise AssertionError("no account was taken away, and still groups were in the way")
        self._look_after([exchange for exchange in self.exchanges if exchange.account in anew])
        await self._begin_timers()
        for group in list(self.state.groups.values()):
            if group.key.account in anew:
                self.engine.post(GroupDue(group_id=group.id))
        self.engine.post(QueueDue())
        self.engine.post(RiskDue())

    def _look_after(self, exchanges: Sequence[SimulatedExchange]) -> None:
        """`bootstrap.live.look_after`."""
        for exchange in exchanges:
            watchman = Watchman(
                self.engine,
                self.state,
                exchange,
                now_s=asyncio.get_running_loop().time,
                sees_orders=partial(getattr, exchange, "sees_orders"),
            )
            exchange.on_seen = watchman.streams_changed
            runs = (exchange.run, watchman.run, watchman.watch_the_clock)
            for name, run in zip(tasks_of(exchange.account), runs, strict=True):
                self.supervisor.start(name, run)

    async def stop(self) -> None:
        """`Program.stop`: no new alerts and no news, then the orders under way; after that it is gone."""
        self.is_trading = False
        for name in self.supervisor.running:
            if name != "engine" and not name.startswith("streams of "):
                await self.supervisor.stop(name)
        await self.engine.stop(STOP_S)
        await self.supervisor.stop_all()
        for exchange in self.exchanges:
            await exchange.close()
        if self.is_alive:
            self.kill()

    async def bury(self) -> None:
        """Takes everything away that was running."""
        self.kill()
        while tasks := [task for task in self.tasks if not task.done()]:
            for task in tasks:
                task.cancel()
            # A task may swallow a cancel that meets the end of what it waits for: then it is told again.
            await asyncio.wait(tasks, timeout=0.001)
        for task in self.tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                self._failed(task.get_name(), error)
        self.tasks.clear()
