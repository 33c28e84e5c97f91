"""A running engine for tests: the real loop and executor, a store and an exchange whose faults a test decides."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exengine.domain.errors import Refused
from exengine.domain.events import Event, InstrumentsLoaded, PriceMoved
from exengine.domain.instrument import Instrument
from exengine.domain.order import Order, OrderStatus
from exengine.domain.reception import Arrival, Verdict
from exengine.domain.settings import Settings
from exengine.domain.signal import Signal
from exengine.domain.signal_body import parse_body, redacted
from exengine.domain.signal_parse import parse_signal
from exengine.domain.state import State
from exengine.engine.changes import Changes, StoreFailed
from exengine.engine.engine import Engine
from exengine.engine.ports import AccountReport, OpenOrder, PassBy, Sink, delivered
from exengine.engine.rows import Mode
from exengine.engine.views import Views
from exengine.exchange.paper_book import PaperBook
from tests.helpers.alerts import alert
from tests.helpers.world import BTC, ETH, NO_FEES

START_MS = 1_767_225_600_000


class StandingClock:
    def __init__(self) -> None:
        self.at_ms = START_MS

    def now_ms(self) -> int:
        return self.at_ms


class MemoryStore:
    """Keeps what is committed; refuses whole transactions for as long, or for what, a test says."""

    def __init__(self) -> None:
        self.commits: list[Changes] = []
        self.refused: list[Changes] = []
        self.orders: dict[str, Order] = {}
        self.fault: Exception | None = None
        self._times: int | None = None
        self.cannot_write: Callable[[Changes], bool] = lambda changes: False
        """A defect: such a transaction raises something else than StoreFailed."""
        self.may_commit = asyncio.Event()
        self.may_commit.set()

    async def commit(self, changes: Changes) -> None:
        await asyncio.sleep(0)
        await self.may_commit.wait()
        if self.fault is not None:
            self.refused.append(changes)
            fault = self.fault
            if self._times is not None:
                self._times -= 1
                self.fault = fault if self._times else None
            raise fault
        if self.cannot_write(changes):
            self.refused.append(changes)
            raise TypeError("a value that has no column")
        self.commits.append(changes)
        self.orders.update(changes.orders)

    def fail(self, text: str = "The disk is full.", *, times: int | None = None) -> None:
        """Takes nothing any more, or nothing so many times."""
        self.fault, self._times = StoreFailed(text), times

    @property
    def notes(self) -> list[str]:
        return [note.text for changes in self.commits for _, note in changes.notes]


class ScriptedExchange:
    """A paper book that answers as its scripts say: an exception in a script is raised in the place of an answer."""

    def __init__(self, store: MemoryStore, account: str = "paper") -> None:
        self.account = account
        self.in_step = True
        self.listed: tuple[Instrument, ...] = (BTC, ETH)
        self.reports: deque[AccountReport | Exception] = deque()
        """What it says of the account, one after the other; None is said when they are used up."""
        self.strays: list[OpenOrder] = []
        self.missed: list[Event] = []
        """What happened to orders and was not told: it is found when one is asked for."""
        self.forgotten: set[str] = set()
        """Orders that it does not know any more, though it had them."""
        self.book = PaperBook(account, fees=NO_FEES)
        self.book.list_instruments((BTC, ETH))
        self.book.deposit("USDT", Decimal(10000))
        self._store = store
        self.asked: list[tuple[str, str]] = []
        """(what, client id) of every request, in order."""
        self.unstored: list[str] = []
        """Orders that were sent before they were on disk. There must never be one."""
        self.place_script: deque[Exception | None] = deque()
        self.lost_answers: deque[Exception] = deque()
        """Raised after the order has been taken: the answer is lost, not the order."""
        self.cancel_script: deque[Exception | None] = deque()
        self.find_script: deque[Exception | None] = deque()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def connect(self, sink: Sink, pass_by: PassBy = delivered) -> None:
        await sink(InstrumentsLoaded(account=self.account, instruments=(BTC, ETH)))

    async def place(self, order: Order) -> list[Event]:
        self.asked.append(("place", order.client_id))
        stored = self._store.orders.get(order.client_id)
        if stored is None or stored.status not in (OrderStatus.CREATED, OrderStatus.SENT, OrderStatus.UNKNOWN):
            self.unstored.append(order.client_id)
        await self.may_answer.wait()
        _raise_next(self.place_script)
        answers = self.book.place(order, START_MS)
        _raise_next(self.lost_answers)
        return answers

    async def cancel(self, order: Order) -> list[Event]:
        self.asked.append(("cancel", order.client_id))
        await self.may_answer.wait()
        _raise_next(self.cancel_script)
        answers = self.book.cancel(order.client_id)
        if not answers:
            raise Refused("unknown_order", "no open order of this id")
        return answers

    async def find(self, order: Order) -> list[Event] | None:
        self.asked.append(("find", order.client_id))
        await self.may_answer.wait()
        _raise_next(self.find_script)
        if order.client_id in self.forgotten:
            return None
        if self.missed:
            found, self.missed = self.missed, []
            return found
        return self.book.place(order, START_MS) if self.book.knows(order.client_id) else None

    async def rules(self) -> tuple[Instrument, ...]:
        self.asked.append(("rules", ""))
        return self.listed

    async def report(self, symbols: Collection[str] | None) -> AccountReport | None:
        self.asked.append(("report", ""))
        if not self.reports:
            return None
        said = self.reports.popleft()
        if isinstance(said, Exception):
            raise said
        return said

    async def cancel_stray(self, stray: OpenOrder) -> None:
        self.strays.append(stray)

    def doubt_streams(self) -> None:
        self.asked.append(("streams", ""))

    def watch(self, symbols: Collection[str]) -> None: ...

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None: ...

    def requests(self, what: str) -> list[str]:
        return [client_id for asked, client_id in self.asked if asked == what]


def _raise_next(script: deque[Any]) -> None:
    fault = script.popleft() if script else None
    if fault is not None:
        raise fault


async def until(condition: Callable[[], object]) -> None:
    """Lets the loop run until something is so; no time passes."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to be")


def arrival(body: dict[str, Any], at_ms: int) -> Arrival:
    """A valid alert as the listener hands it over."""
    read = parse_body(json.dumps(body))
    signal = parse_signal(read)
    assert isinstance(signal, Signal)
    return Arrival(received_at_ms=at_ms, source_address="127.0.0.1", body=redacted(read), signal=signal)


@dataclass(kw_only=True)
class Running:
    """An engine that runs, and what it stands on."""

    engine: Engine
    store: MemoryStore
    exchange: ScriptedExchange
    state: State
    views: Views
    clock: StandingClock
    pauses: list[float] = field(default_factory=list)
    """Every back-off that was taken; none of them took any time."""

    async def price(self, price: str, symbol: str = "BTC/USDT") -> None:
        """A tick of the market: the price, and what it fills."""
        await self.engine.deliver(PriceMoved(account="paper", symbol=symbol, price=Decimal(price)))
        for fill in self.exchange.book.tick(symbol, Decimal(price), self.clock.at_ms):
            await self.engine.deliver(fill)
        await self.engine.settled()

    async def alert(self, price: str = "50000", action: str = "buy", **changes: Any) -> Verdict:
        """An alert as the listener hands it over; each differs from the one before."""
        return await self.engine.take(self.arrival(price, action, **changes))

    def arrival(self, price: str = "50000", action: str = "buy", **changes: Any) -> Arrival:
        self.clock.at_ms += 1000
        own = {"timestamp": self.clock.at_ms, "tv__entry_price": price, "tv__action": action}
        return arrival(alert(**own | changes), self.clock.at_ms)

    @property
    def orders(self) -> list[Order]:
        """Every order as the store has it, in the order in which they were made."""
        return list(self.store.orders.values())


@asynccontextmanager
async def running(settings: Settings | None = None) -> AsyncIterator[Running]:
    """An engine with one account of 10,000 USDT and the rules of BTC and ETH; pauses are noted and not slept."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    store, clock = MemoryStore(), StandingClock()
    state = State(instance="test", settings=settings or Settings())
    state.start["paper", "USDT"] = Decimal(10000)
    views = Views(state, clock, mode=Mode.PAPER)
    exchange = ScriptedExchange(store)
    engine = Engine(state, store, [exchange], clock, views, pause=pause)
    loop = asyncio.create_task(engine.run())
    await exchange.connect(engine.deliver)
    try:
        yield Running(
            engine=engine, store=store, exchange=exchange, state=state, views=views, clock=clock, pauses=pauses
        )
    finally:
        store.fault, store.cannot_write = None, lambda changes: False
        store.may_commit.set()
        exchange.may_answer.set()
        await engine.stop(5)
        await asyncio.wait_for(loop, 5)
        assert exchange.unstored == []
