"""The plays of the stories: a world, a replay or a simulated hour, under a configuration as the trader writes it."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from exengine.bootstrap.paper import paper_fees
from exengine.bootstrap.replay import ReplayInputs, replay
from exengine.domain.events import Event
from exengine.domain.instrument import Instrument
from exengine.domain.money import ZERO
from exengine.domain.order import Order, Role
from exengine.domain.reception import SignalRecord
from exengine.domain.signal_body import parse_body
from exengine.domain.state import State
from exengine.exchange.paper_book import PaperBook
from exengine.replay.driver import Record
from exengine.replay.signals_file import RecordedSignal
from exengine.settings.fields import spelled
from exengine.settings.pages import Config
from exengine.settings.plain import replay_settings, trading_settings
from tests.helpers.alerts import alert
from tests.helpers.world import BTC, BTC_PERPETUAL, ETH, World

T0 = 1_767_225_600_000
T = TypeVar("T")


def world(
    config: Config,
    price: str | None = "60000",
    *,
    instruments: Sequence[Instrument] = (BTC, ETH),
    part: str | None = None,
    load: bool = True,
) -> World:
    """A world of the configuration's first account; buys at 50,000 rest below the market where nothing else is said.

    `part`: what rests fills by that much a tick.
    """
    settings = trading_settings(config, local_timezone="UTC")
    account = settings.accounts[0]
    book = PaperBook(
        account.name,
        fees=paper_fees(account),
        slippage_percent=account.paper_slippage_percent or ZERO,
        part_of_fill=None if part is None else lambda order: Decimal(part),
    )
    made = World(settings, instruments=instruments, book=book, load=load)
    if price is not None:
        made.price(instruments[0].symbol, price)
    return made


def played(
    config: Config, prices: Iterable[tuple[int, str]], said: Iterable[tuple[int, dict[str, Any]]], *, name: str = "BTC"
) -> Record:
    """A replay of one coin's spot and perpetual market; times in seconds from T0, of alerts as changes of `alert`."""
    inputs = ReplayInputs(
        settings=replay_settings(config),
        instruments=(BTC, BTC_PERPETUAL, ETH),
        tapes={},
        recorded=[_recorded(at_s, changes) for at_s, changes in said],
        secret=None,
    )
    run, _ = replay(inputs)
    ticks = [(T0 + at_s * 1000, Decimal(price)) for at_s, price in prices]
    for _ in run.run({f"{name}USDT": ticks}, inputs.recorded):
        pass
    return run.record


def _recorded(at_s: int, changes: dict[str, Any]) -> RecordedSignal:
    at_ms = T0 + at_s * 1000
    body = alert(**{"timestamp": at_ms, "tv__entry_price": "50000"} | changes)
    return RecordedSignal(at_ms=at_ms, body=parse_body(json.dumps(body, default=str)))


class SimulatedLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer when there is nothing else to do: an hour takes no time."""

    _now_s = 0.0

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now_s = max(self._now_s, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def simulated(what: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end on a simulated loop."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(what)


def answer(record: SignalRecord) -> str:
    """An alert's outcome and reason in one."""
    assert record.outcome is not None
    return f"{record.outcome.value} {record.reason}".strip()


def money(value: Decimal | None) -> str:
    return "-" if value is None else spelled(value)


def orders(made: World, role: Role = Role.ENTRY) -> list[str]:
    """Price and quantity of the orders of a role: `50000 × 0.02`."""
    return [shown(order) for order in made.role(role)]


def resting(made: World, role: Role = Role.TP) -> list[str]:
    return [shown(order) for order in made.role(role) if order.is_working]


def shown(order: Order) -> str:
    return f"{'market' if order.price is None else money(order.price)} × {money(order.qty)}"


class Posted:
    """Stands where a timer has the engine: notes what it is told and when."""

    def __init__(self) -> None:
        self.told: list[tuple[float, Event]] = []

    def post(self, event: Event) -> None:
        self.told.append((asyncio.get_running_loop().time(), event))

    def now_ms(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)

    def expect_risk_look(self, at_ms: int) -> None:
        self.next_look_at_ms = at_ms


async def ticking(
    timer: Callable[[Any, State], Coroutine[Any, Any, None]], config: Config, seconds: float
) -> list[tuple[float, Event]]:
    """What one of the engine's timers tells it, and after how many seconds."""
    engine = Posted()
    state = State(instance="test", settings=trading_settings(config, local_timezone="UTC"))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(timer(engine, state), seconds)
    return engine.told
