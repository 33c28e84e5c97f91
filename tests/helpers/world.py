"""A whole engine without tasks: `decide`, the paper book and a clock that stands still until a test moves it."""

import json
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exengine.domain import pnl
from exengine.domain.commands import CancelOrder, PlaceOrder
from exengine.domain.decide import decide, wants_risk
from exengine.domain.events import (
    Event,
    InstrumentsLoaded,
    OrderSent,
    PriceMoved,
    RiskDue,
    SignalArrived,
    SignalStored,
    WatchDue,
)
from exengine.domain.group import Group
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.journal import Note
from exengine.domain.money import ONE, arithmetic
from exengine.domain.order import Order, Role
from exengine.domain.reception import SignalRecord, Verdict, arrival_of
from exengine.domain.settings import PAPER, AccountSettings, Settings
from exengine.domain.signal_body import parse_body
from exengine.domain.state import AppliedFill, QueueEvent, State
from exengine.domain.step import Step
from exengine.exchange.paper_book import Fees, PaperBook
from tests.helpers.alerts import alert

BTC = Instrument(
    symbol="BTC/USDT",
    id="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size=Decimal("0.01"),
    step_size=Decimal("0.00001"),
    min_qty=Decimal("0.00001"),
    max_qty=Decimal(9000),
    min_notional=Decimal(5),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.001"),
)
ETH = Instrument(
    symbol="ETH/USDT",
    id="ETHUSDT",
    base="ETH",
    quote="USDT",
    tick_size=Decimal("0.01"),
    step_size=Decimal("0.0001"),
    min_qty=Decimal("0.0001"),
    min_notional=Decimal(5),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.001"),
)
BTC_PERPETUAL = Instrument(
    symbol="BTC/USDT:USDT",
    id="BTCUSDT",
    base="BTC",
    quote="USDT",
    type=MarketType.SWAP,
    tick_size=Decimal("0.1"),
    step_size=Decimal("0.001"),
    min_qty=Decimal("0.001"),
    min_notional=Decimal(5),
    contract_size=ONE,
)
NO_FEES = Fees(maker=Decimal(0), taker=Decimal(0))


class World:
    """Drives one paper account as the live engine does: commands reach the book at once, its answers come back.

    Everything that was ever decided is kept for a test to look at.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        instruments: Sequence[Instrument] = (BTC, ETH),
        fees: Fees | None = NO_FEES,
        slippage_percent: Decimal = Decimal(0),
        load: bool = True,
        book: PaperBook | None = None,
    ) -> None:
        self.now_ms = 1_767_225_600_000
        settings = settings or Settings()
        self.account: AccountSettings = settings.accounts[0]
        self.state = State(instance="test", settings=settings)
        self.book = book or PaperBook(self.account.name, fees=fees, slippage_percent=slippage_percent)
        self.book.list_instruments(tuple(instruments))
        for currency, amount in (self.account.balances or PAPER.balances).items():
            self.state.start[self.account.name, currency] = amount
            self.book.deposit(currency, amount)
        self.instruments = tuple(instruments)
        self.groups: dict[str, Group] = {}
        self.orders: dict[str, Order] = {}
        self.fills: list[AppliedFill] = []
        self.signals: dict[int, SignalRecord] = {}
        self.queue_events: list[QueueEvent] = []
        self.notes: list[Note] = []
        self.steps: list[Step] = []
        if load:
            self.load()

    def load(self) -> None:
        self.tell(InstrumentsLoaded(account=self.account.name, instruments=self.instruments))

    def tell(self, event: Event) -> Step:
        """One event, and everything that follows from it at this instant."""
        first: Step | None = None
        queue: deque[Event] = deque([event])
        while queue:
            step = self.decide(queue.popleft())
            first = first or step
            self._keep(step)
            for command in step.commands:
                if isinstance(command, PlaceOrder):
                    queue.append(OrderSent(client_id=command.order.client_id))
                    queue.extend(self.book.place(command.order, self.now_ms))
                elif isinstance(command, CancelOrder):
                    queue.extend(self.book.cancel(command.order.client_id))
        assert first is not None
        return first

    def decide(self, event: Event) -> Step:
        return decide(self.state, event, self.now_ms)

    def look_at_losers(self) -> None:
        """What the engine does once everything that followed from an event is done: the risk engine looks (§8)."""
        while wants_risk(self.state):
            self.tell(RiskDue(on_fill=True))

    def _keep(self, step: Step) -> None:
        self.steps.append(step)
        self.groups.update(step.groups)
        self.orders.update(step.orders)
        self.fills.extend(step.fills)
        self.signals.update(step.signals)
        self.queue_events.extend(step.queue_events)
        self.notes.extend(step.notes)

    def price(self, symbol: str, price: str | Decimal, *, after_ms: int = 1000) -> None:
        """Moves time on and a symbol to `price`; the engine answers each fill before the next is looked at."""
        self.now_ms += after_ms
        self.tell(PriceMoved(account=self.account.name, symbol=symbol, price=Decimal(price)))
        for fill in self.book.tick(symbol, Decimal(price), self.now_ms):
            self.tell(fill)
        self.tell(WatchDue(account=self.account.name, symbol=symbol))

    def alert(self, price: str = "50000", action: str = "buy", *, after_ms: int = 1000, **changes: Any) -> SignalRecord:
        """An alert as TradingView would post it, stored, then acted on; its record.

        `changes` are those of `tests.helpers.alerts.alert`; the timestamp is the world's time unless they say else.
        """
        self.now_ms += after_ms
        own = {"timestamp": self.now_ms, "tv__entry_price": price, "tv__action": action}
        return self.post(alert(**own | changes))[1]

    def post(self, body: dict[str, Any]) -> tuple[Verdict, SignalRecord]:
        read = parse_body(json.dumps(body, default=str))
        arrival = arrival_of(read, received_at_ms=self.now_ms, source_address="127.0.0.1")
        step = self.tell(SignalArrived(arrival=arrival))
        assert step.verdict is not None
        signal_id = max(step.signals)
        if self.signals[signal_id].outcome is None:
            self.tell(SignalStored(signal_id=signal_id))
        return step.verdict, self.signals[signal_id]

    def group(self, group_id: str | None = None) -> Group:
        """A group by id; without one, the only one there is."""
        if group_id is None:
            (group_id,) = self.groups
        return self.groups[group_id]

    def role(self, role: Role) -> list[Order]:
        return [order for order in self.orders.values() if order.role is role]

    def realised(self, group_id: str | None = None) -> Decimal:
        with arithmetic():
            return pnl.realised(self.group(group_id))
