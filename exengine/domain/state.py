"""The engine's whole state: what is traded, waits, is owned and is owed. Only a `Step` writes to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from exengine.domain.group import Group, GroupKey
from exengine.domain.instrument import Instrument, MarketType, Side
from exengine.domain.money import ZERO
from exengine.domain.order import Fill, LegRef, Order
from exengine.domain.reception import SignalRecord
from exengine.domain.settings import Settings
from exengine.domain.signal import Signal

STALE_MS = 60_000
"""From this age on nothing is decided on a real exchange's price (FAULTS 48); a price that stands still is told anew
every ten seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The last price of a symbol on an account, and when it came."""

    price: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Whether new risk may be taken (§9)."""

    paused: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What all closes have realised, in USD, and the highest equity that a drawdown is measured from."""

    realised_total: Decimal = ZERO
    realised_today: Decimal = ZERO
    day: str = ""
    """The trader's day that `realised_today` is of, as 2026-11-23."""
    peak_equity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A valid signal's digest, for telling resends (§2.3)."""

    at_ms: int
    signal_id: int
    stamped: bool
    """Whether the body bore a timestamp: then it is a duplicate for 24 hours, else for the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An entry in the waiting queue (§7)."""

    key: GroupKey
    side: Side
    signal_id: int
    signal: Signal
    queued_at_ms: int
    replacement_count: int = 0
    reason: str
    reverse: bool = False
    """Whether it is the second half of a reversal: it goes ahead of the queue, into the slot that its group leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEvent:
    """One row of queue.csv."""

    at_ms: int
    key: str
    side: Side
    event: str
    """queued, replaced, promoted, removed, refused, expired"""
    reason: str
    queued_at_ms: int
    replacement_count: int
    price: Decimal
    forced: bool = False
    signal_id: int | None = None
    """The alert that waits."""
    cause: str = ""
    """What has put it in, or made it go: see `domain.cause`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetLine:
    """One winner of an offset plan; amounts in USD."""

    group_id: str
    take: Decimal
    """What is needed of it."""
    qty: Decimal
    """What is closed of it, in contracts on swap."""
    whole: bool
    expected: Decimal
    realised: Decimal = ZERO
    """What it has really brought so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPlan:
    """A loser and the winners that pay for it, stored before the first order (§8)."""

    at_ms: int
    loser_id: str
    required: Decimal
    """In USD."""
    lines: tuple[OffsetLine, ...]
    loser_begun: bool = False
    on_request: bool = False
    """Whether the trader asked for it: then neither the timer nor `risk.enabled` counts for those that follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedFill:
    """A fill with what the books made of it."""

    fill: Fill
    order: Order
    fee_quote: Decimal
    realised: Decimal
    """What it added to the realised PnL, in quote; 0 for entries."""


@dataclass(slots=True, kw_only=True)
class State:
    """Everything `decide` knows. Written by `Step` alone; groups and orders are those of groups not yet closed."""

    instance: str
    """A random name of this store, part of every client order id."""
    settings: Settings
    control: Control = field(default_factory=Control)
    ledger: Ledger = field(default_factory=Ledger)
    instruments: dict[tuple[str, str], Instrument] = field(default_factory=dict)
    listed: dict[str, dict[str, str]] = field(default_factory=dict)
    """Account to {spelling of a symbol in capitals without separators: unified symbol}; absent while not loaded."""
    groups: dict[str, Group] = field(default_factory=dict)
    live: dict[GroupKey, str] = field(default_factory=dict)
    by_symbol: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """Another tuple whenever one of a symbol's groups is another one, so that they need not be compared one by one."""
    numbers: dict[GroupKey, int] = field(default_factory=dict)
    """How many groups each key has had."""
    orders: dict[str, Order] = field(default_factory=dict)
    orders_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The orders of each group, in the order in which they were made."""
    entries_of: dict[str, dict[LegRef, str]] = field(default_factory=dict)
    """The latest entry order of each of a group's legs; absent where a group has none."""
    working_of: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Those of them that the exchange has or may have; absent where a group has none."""
    booked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The trades of orders whose groups have closed, the latest of them: an exchange may tell of a trade again."""
    waiting: dict[tuple[GroupKey, Side], Waiting] = field(default_factory=dict)
    quotes: dict[tuple[str, str], Quote] = field(default_factory=dict)
    positions: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """(account, symbol) to the contracts that a swap account's exchange last said are held, below zero = short."""
    unreachable: dict[str, str] = field(default_factory=dict)
    """Live accounts that cannot be traded on for now, and why; not kept over a restart."""
    start: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """(account, currency) to the holdings that our own fills did not make: a paper account's capital, say."""
    moved: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """(account, currency) to what our own fills and fees have changed."""
    reserved: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """(account, currency) to what working entries may still spend."""
    seen: dict[str, Seen] = field(default_factory=dict)
    pending: dict[int, SignalRecord] = field(default_factory=dict)
    """Signals stored and not yet decided."""
    next_signal_id: int = 1
    plan: OffsetPlan | None = None
    """The offset that is under way."""
    risk_wanted: bool = False
    """Whether something has filled since the risk engine last looked."""
    in_tick: bool = False
    """Whether a price is still filling what rests; the risk engine waits until what is watched was looked at (§11)."""

    def orders_for(self, group_id: str) -> Iterator[Order]:
        """All orders of a group, in the order in which they were made."""
        return (self.orders[client_id] for client_id in self.orders_of.get(group_id, ()))

    def working(self, group_id: str) -> list[Order]:
        """The orders of a group that the exchange has or may have, in the order in which they were made."""
        orders = self.orders
        return [orders[client_id] for client_id in self.working_of.get(group_id, ())]

    def instrument(self, group: Group) -> Instrument:
        """The last known rules of a group's symbol, else the trader's own that it began with. It never has none."""
        return self.instruments.get((group.key.account, group.key.symbol)) or group.own_rules

    def last(self, account: str, symbol: str) -> Decimal | None:
        quote = self.quotes.get((account, symbol))
        return quote.price if quote else None

    def fresh(self, account: str, symbol: str, now_ms: int) -> Decimal | None:
        """The last price where something may be decided on it: none that has grown old on a real exchange."""
        quote = self.quotes.get((account, symbol))
        if quote is None:
            return None
        settings = self.settings.account(account)
        is_live = settings is not None and settings.is_live
        # One from the future came before the clock was set back: how old it is nobody knows (FAULTS 33).
        return None if is_live and not 0 <= now_ms - quote.at_ms <= STALE_MS else quote.price

    def balance(self, account: str, currency: str) -> Decimal:
        """What an account holds of a currency in all, free or not."""
        key = (account, currency)
        return self.start.get(key, ZERO) + self.moved.get(key, ZERO)

    def leverage(self, account: str) -> Decimal:
        settings = self.settings.account(account)
        return settings.leverage if settings and settings.market_type is MarketType.SWAP else Decimal(1)


_SEPARATORS = str.maketrans("", "", "-_/ ")


def spelled(symbol: str) -> str:
    """A symbol's spelling with nothing but what tells it: `BINANCE:btc-usdt` and `BTC/USDT` are both `BTCUSDT`."""
    head, colon, tail = symbol.partition(":")
    name = tail if colon and "/" not in head else symbol
    return name.upper().translate(_SEPARATORS)
