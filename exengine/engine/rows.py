"""What the window shows: frozen rows made from the state by the engine, so that no widget ever touches the state.

A row carries what changes with orders and fills. What changes with each price is computed from the row and the last
price by `marked`, only for the rows that are on the screen.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from exengine.domain.cause import of_signal
from exengine.domain.group import LegState
from exengine.domain.instrument import Instrument, Side
from exengine.domain.journal import Category as Category
from exengine.domain.journal import Severity as Severity
from exengine.domain.journal import Topic as Topic
from exengine.domain.order import LegRef
from exengine.domain.state import Quote as Quote
from exengine.engine.panel_rows import PanelChanges
from exengine.engine.status import Mode as Mode


class Marked(NamedTuple):
    """What a holding is worth at a price. None where nothing is held or no price is known."""

    unrealised: Decimal | None = None
    unrealised_percent: Decimal | None = None


_NOT_MARKED = Marked()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is held of a leg, pyramid or group: enough to value it at any price (SPEC §5.1)."""

    side: Side
    net_base: Decimal
    """Σ net_qty, times the contract size."""
    cost: Decimal
    """Σ unit_cost × net_qty, in quote."""

    def unrealised(self, last: Decimal | None) -> Decimal | None:
        """Its unrealised PnL at `last`, in quote."""
        if last is None or self.net_base == 0 or self.cost == 0:
            return None
        return (last * self.net_base - self.cost) * self.side.sign

    def marked(self, last: Decimal | None) -> Marked:
        """Its unrealised PnL at `last`, in quote and in percent of its cost."""
        pnl = self.unrealised(last)
        if pnl is None:
            return _NOT_MARKED
        return Marked(pnl, pnl / self.cost * 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRow:
    index: int
    gap_percent: Decimal
    weight_percent: Decimal
    planned_price: Decimal
    filled_quote: Decimal
    fill_price: Decimal | None
    holding: Holding
    realised: Decimal | None
    """None while nothing of it was closed."""
    tp_percent: Decimal
    target: Decimal | None
    """Where it leaves; the planned one while unfilled. None where the mode gives legs no target."""
    state: str
    """A leg state of SPEC §5: planned, blocked, submitted, open, …"""
    error: str | None = None
    """Why the leg was blocked or rejected, in words."""
    planned_qty: Decimal = Decimal(0)
    """In contracts on swap; 0 where it is blocked."""

    def progress(self, last: Decimal | None) -> Decimal | None:
        """How far the price has come from the fill to the target, 0 to 1. None while nothing is held."""
        if last is None or self.fill_price is None or self.target is None or self.holding.net_base == 0:
            return None
        way = self.target - self.fill_price
        if way == 0:
            return None
        return min(max((last - self.fill_price) / way, Decimal(0)), Decimal(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class PyramidRow:
    index: int
    base_price: Decimal
    legs_filled: int
    legs_total: int
    cost: Decimal
    avg_entry: Decimal | None
    holding: Holding
    realised: Decimal | None
    status: str
    """A status of SPEC §5 as the group's, for this pyramid's own legs."""
    legs: tuple[LegRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    id: str
    """`ACCOUNT|SYMBOL|TIMEFRAME#n`"""
    account: str
    symbol: str
    timeframe: str
    side: Side
    quote: str
    base: str
    price_decimals: int
    qty_decimals: int
    pyramids: int
    max_pyramids: int
    legs_filled: int
    legs_total: int
    cost: Decimal
    avg_entry: Decimal | None
    net_qty: Decimal
    holding: Holding
    realised: Decimal
    tp_mode: str
    """leg, pyramid, aggregate, hybrid"""
    target: Decimal | None
    """The next target in the price's way."""
    opened_at_ms: int
    status: str
    """live, partially_filled, active, closing, closed"""
    reason: str | None
    """Why it closed or is closing."""
    error: str | None
    """The worst that went wrong with it, in words; None when all is well."""
    open_entries: int
    pyramid_rows: tuple[PyramidRow, ...]
    open_targets: int = 0
    """Closing orders that rest at the exchange."""
    taker_fee: Decimal = Decimal(0)
    """The share that closing at market costs."""
    missing_qty: Decimal | None = None
    """How much less the exchange had than its groups bought when it was stopped for that; None where it was not."""
    frozen: bool = False
    """Whether nothing is decided for it any more until the trader settles it; `error` says why."""
    stop: Decimal | None = None
    """Where it is stopped, by whatever set that; None where it has no stop or nothing has filled."""
    own_stop: Decimal | None = None
    """The stop that an alert or the trader gave it; it comes before the strategy's."""
    blocked: bool = False
    """Whether the trader keeps the risk engine away from it."""
    rules: Instrument | None = None
    """The market rules of its symbol: what a part of it can be closed by."""

    def rejected_legs(self) -> tuple[LegRef, ...]:
        """The entries that the exchange refused and that were not placed again."""
        return tuple(
            (pyramid.index, leg.index)
            for pyramid in self.pyramid_rows
            for leg in pyramid.legs
            if leg.state == LegState.REJECTED.value
        )

    def after_fees(self, last: Decimal | None) -> Decimal | None:
        """Its unrealised PnL less the taker fee of closing it at `last`, in quote; None where nothing is held."""
        pnl = self.holding.marked(last).unrealised
        if pnl is None or last is None:
            return None
        return pnl - abs(self.holding.net_base) * last * self.taker_fee

    def to_target_percent(self, last: Decimal | None) -> Decimal | None:
        """The way from the last price to the next target, in percent of the last price, signed."""
        if last is None or self.target is None or last == 0:
            return None
        return (self.target - last) / last * 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """One webhook, as the Signals dock shows it. Times are epoch ms; None while a step has not happened."""

    id: int
    received_at_ms: int
    source: str
    exchange: str
    symbol: str
    timeframe: str
    action: str
    meaning: str
    """entry, pyramid, exit, reduce, reverse, or empty where it never had one."""
    outcome: str
    """An outcome of SPEC §12's signals.csv; empty while it is being decided."""
    reason: str
    group: str
    stored_at_ms: int | None = None
    decided_at_ms: int | None = None
    sent_at_ms: int | None = None
    """When the first order it led to went out."""
    acknowledged_at_ms: int | None = None
    """When the exchange first answered it."""
    filled_at_ms: int | None = None
    """When something of it first filled."""
    body: str = ""
    """The payload as it came, secret removed."""
    replay_of: int | None = None
    """The signal that the trader has taken again with it; None where it came from outside."""

    @property
    def cause(self) -> str:
        """What every line and order that goes back to it bears."""
        return of_signal(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One line of the audit trail."""

    id: int
    at_ms: int
    severity: Severity
    category: Category
    text: str
    symbol: str = ""
    timeframe: str = ""
    group: str = ""
    advice: str = ""
    """What is safe and what to do, where something went wrong."""
    signal_id: int | None = None
    """The alert that it goes back to, where it is one."""
    cause: str = ""
    """What it goes back to: see `domain.cause`."""
    topic: Topic | None = None
    """See `engine.notices`."""


class EngineStatus(Enum):
    RUNNING = "running"
    PAUSED = "paused"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRow:
    """The ribbon's numbers. PnL in USD; `unrealised` comes from the groups and the last prices."""

    status: EngineStatus
    status_text: str = ""
    """Why it is in error, else why it is paused, in words."""
    paused: bool = False
    """Whether it takes no new entries until it is resumed, whatever else is wrong."""
    paused_why: str = ""
    away: tuple[str, ...] = ()
    """The accounts that do not answer, in order."""
    stores: bool = True
    """Whether what it decides can be stored; while it cannot, nothing is sent."""
    mode: Mode
    pool_used: int
    pool_limit: int
    queued: int
    realised_today: Decimal
    realised_total: Decimal
    start_equity: Decimal
    """Capital of all accounts at their start, for the percentages."""
    risk_enabled: bool
    last_webhook_at_ms: int | None
    free_quote: Decimal
    filled_quote: Decimal
    open_quote: Decimal
    """Quote value of entries that rest unfilled."""
    closed_groups: int = 0
    webhook_replay: bool = True
    """Whether a stored signal may be taken again."""
    last_offset_at_ms: int | None = None
    """When the risk engine last closed something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChanges:
    """What changed since the last take: rows by key, and what is gone."""

    groups: dict[str, GroupRow] = field(default_factory=dict)
    gone_groups: tuple[str, ...] = ()
    signals: tuple[SignalRow, ...] = ()
    """New or changed, oldest first; same id = the same row, newer."""
    log: tuple[LogRow, ...] = ()
    """New lines, oldest first."""
    resolved: tuple[int, ...] = ()
    """Lines of the log that told of a trouble which is over."""
    engine: EngineRow | None = None
    quotes: dict[tuple[str, str], Quote] = field(default_factory=dict)
    """Changed last prices by (account, symbol)."""
    panels: PanelChanges = field(default_factory=PanelChanges)
    """Of the docks that are computed only while they are looked at."""
