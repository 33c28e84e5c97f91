"""The live engine on paper and the replay decide the same: one order for the other, one fill for the other (§11)."""

import asyncio
import random
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest

from exengine.domain.events import EngineStarted, QueueDue, RiskDue
from exengine.domain.group import Group
from exengine.domain.order import Order
from exengine.domain.reception import Arrival, SignalRecord
from exengine.domain.settings import (
    PAPER,
    BeyondLastLeg,
    EntryOrder,
    GridSettings,
    PoolSettings,
    QueueSettings,
    RiskSettings,
    Settings,
    SizingSettings,
    TakeProfitMode,
    TakeProfitSettings,
    TargetOrder,
)
from exengine.domain.signal import Signal
from exengine.domain.signal_parse import parse_signal, redacted
from exengine.domain.state import AppliedFill, State
from exengine.engine.changes import Changes
from exengine.engine.engine import Engine
from exengine.engine.ports import delivered
from exengine.engine.rows import Mode
from exengine.engine.views import Views
from exengine.exchange.paper import PaperExchange
from exengine.exchange.paper_book import PaperBook
from exengine.replay.driver import Market, Record, Replay
from exengine.replay.signals_file import RecordedSignal
from tests.helpers.world import BTC, ETH

T0 = 1_767_225_600_000
LISTED = (BTC, ETH)
END_S = 1500


@dataclass
class Everything:
    """What a run has made, by whatever way."""

    groups: dict[str, Group] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[AppliedFill] = field(default_factory=list)
    signals: dict[int, SignalRecord] = field(default_factory=dict)
    now_ms_value: int = T0

    async def commit(self, changes: Changes) -> None:
        await asyncio.sleep(0)
        self.groups.update(changes.groups)
        self.orders.update(changes.orders)
        self.fills.extend(changes.fills)
        self.signals.update(changes.signals)

    def now_ms(self) -> int:
        return self.now_ms_value


def a_market(seed: int) -> tuple[dict[str, list[tuple[int, Decimal]]], list[RecordedSignal]]:
    """Prices that wander by up to 0.4 % every five seconds, and alerts on two pairs and two timeframes."""
    chance = random.Random(seed)
    prices: dict[str, list[tuple[int, Decimal]]] = {"BTCUSDT": [], "ETHUSDT": []}
    at = {"BTCUSDT": Decimal(50000), "ETHUSDT": Decimal(2000)}
    signals = []
    for second in range(0, END_S, 5):
        for exchange_id, line in prices.items():
            move = Decimal(chance.randint(-40, 40)) / 10000
            at[exchange_id] = (at[exchange_id] * (1 + move)).quantize(Decimal("0.01"))
            line.append((T0 + second * 1000, at[exchange_id]))
        if second % 35 == 0:
            signals.append(_signal(chance, T0 + second * 1000 + chance.choice((0, 1, 2500)), at))
    return prices, signals


def _signal(chance: random.Random, at_ms: int, at: dict[str, Decimal]) -> RecordedSignal:
    symbol = chance.choice(list(at))
    tv: dict[str, Any] = {
        "exchange": "BINANCE",
        "symbol": symbol,
        "timeframe": chance.choice(("15", "60")),
        "action": "buy",
        "close_price": at[symbol],
    }
    kind = chance.choice(("signal",) * 6 + ("exit", "reduce"))
    if kind == "reduce":
        tv["order_size"] = Decimal("0.001")
    return RecordedSignal(at_ms=at_ms, body={"timestamp": Decimal(at_ms), "tv": tv, "execution_intent": {"type": kind}})


def arrival(recorded: RecordedSignal) -> Arrival:
    parsed = parse_signal(recorded.body)
    assert isinstance(parsed, Signal)
    return Arrival(received_at_ms=recorded.at_ms, source_address="test", body=redacted(recorded.body), signal=parsed)


def a_state(settings: Settings) -> tuple[State, PaperBook]:
    state, book = State(instance="one", settings=settings), PaperBook("paper")
    state.start["paper", "USDT"] = Decimal(10000)
    book.list_instruments(LISTED)
    book.deposit("USDT", Decimal(10000))
    return state, book


def replayed(settings: Settings, seed: int) -> Everything:
    state, book = a_state(settings)
    record = Record()
    prices, signals = a_market(seed)
    run = Replay(state, [Market(book=book, instruments=LISTED)], record, arrival, lambda _: None)
    for _ in run.run(prices, signals):
        pass
    return Everything(groups=record.groups, orders=record.orders, fills=record.fills, signals=record.signals)


async def lived(settings: Settings, seed: int, *, every_price: bool = False) -> Everything:
    """The same events in the same order through the live engine, its store, executor and paper exchange.

    `every_price`: none passes by, also where it is known that nothing comes of it.
    """
    state, book = a_state(settings)
    found = Everything()
    exchange = PaperExchange(book, LISTED, found)
    engine = Engine(state, found, [exchange], found, Views(state, found, mode=Mode.PAPER))
    running = asyncio.create_task(engine.run())
    await exchange.connect(engine.deliver, delivered if every_price else engine.pass_by)
    await engine.deliver(EngineStarted())
    prices, signals = a_market(seed)
    happenings: list[tuple[int, int, str, Any]] = [
        (at_ms, 0, exchange_id, price) for exchange_id, line in prices.items() for at_ms, price in line
    ]
    happenings += [(one.at_ms, 1, f"{number:06}", one) for number, one in enumerate(signals)]
    last = max(one[0] for one in happenings)
    happenings += [(at_ms, 3, "", None) for at_ms in range(T0 + 10_000, last + 1, 10_000)]
    for at_ms, kind, name, what in sorted(happenings, key=lambda one: one[:3]):
        found.now_ms_value = at_ms
        if kind == 0:
            await exchange.on_price({"BTCUSDT": "BTC/USDT", "ETHUSDT": "ETH/USDT"}[name], what, engine.settled)
        elif kind == 1:
            await engine.take(arrival(what))
            await engine.settled()
        else:
            for event in (QueueDue(), RiskDue(), QueueDue()):
                await engine.deliver(event)
                await engine.settled()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return found


def settings_of(mode: TakeProfitMode, order: TargetOrder, entry: EntryOrder) -> Settings:
    paper = replace(PAPER, balances={"USDT": Decimal(10000)})
    return Settings(
        accounts=(paper,),
        grid=GridSettings(max_pyramids=2, entry_order=entry),
        sizing=SizingSettings(amount=Decimal(300)),
        take_profit=TakeProfitSettings(mode=mode, order=order, percent=Decimal("0.6")),
        pool=PoolSettings(max_open_groups=3),
        queue=QueueSettings(limit=5),
        risk=RiskSettings(
            loss_threshold_percent=Decimal("-0.3"),
            post_full_wait_minutes=Decimal(1),
            require_full_pyramids=False,
            min_close_notional=Decimal(10),
        ),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("mode", list(TakeProfitMode))
async def test_live_paper_and_replay_make_the_same_orders_for_the_same_events(mode: TakeProfitMode, seed: int) -> None:
    order = TargetOrder.MARKET if seed == 2 else TargetOrder.LIMIT
    entry = EntryOrder.MARKET if seed == 3 else EntryOrder.LIMIT
    settings = settings_of(mode, order, entry)
    live, replay = await lived(settings, seed), replayed(settings, seed)
    assert len(replay.fills) > 20
    assert live.groups == replay.groups
    assert live.orders == replay.orders
    assert [one.fill for one in live.fills] == [one.fill for one in replay.fills]
    outcomes = [[(one.outcome, one.reason) for one in run.signals.values()] for run in (live, replay)]
    assert outcomes[0] == outcomes[1]


WATCHED = {
    "stops": TakeProfitSettings(percent=Decimal("0.6"), stop_loss_percent=Decimal("0.9")),
    "trailing": TakeProfitSettings(
        mode=TakeProfitMode.AGGREGATE, percent=Decimal("0.4"), trailing_percent=Decimal("0.2")
    ),
    "hybrid, with a stop": TakeProfitSettings(
        mode=TakeProfitMode.HYBRID, percent=Decimal("0.5"), stop_loss_percent=Decimal("1.1")
    ),
}


@pytest.mark.parametrize("name", WATCHED)
@pytest.mark.parametrize("seed", [1, 2])
async def test_the_live_engine_misses_nothing_by_the_prices_that_it_passes_by(name: str, seed: int) -> None:
    before = settings_of(TakeProfitMode.LEG, TargetOrder.LIMIT, EntryOrder.LIMIT)
    grid = replace(
        before.grid, beyond_last_leg=BeyondLastLeg.CANCEL, beyond_last_leg_percent=Decimal("0.3"),
        abandon_percent=Decimal("0.8"),
    )  # fmt: skip
    settings = replace(before, grid=grid, take_profit=WATCHED[name])
    passing, whole = await lived(settings, seed), await lived(settings, seed, every_price=True)
    assert len(whole.fills) > 20
    assert passing.groups == whole.groups
    assert passing.orders == whole.orders
    assert passing.fills == whole.fills
