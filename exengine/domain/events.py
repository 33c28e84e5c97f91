"""Everything that can reach `decide`, in the past tense: alerts, prices, answers and fills, timers, and clicks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from exengine.domain.group import GroupKey
from exengine.domain.instrument import Instrument, Side
from exengine.domain.order import Fill, LegRef
from exengine.domain.reception import Arrival
from exengine.domain.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalArrived:
    """A request came to the listener. It is judged and stored, nothing is traded yet (§2.1)."""

    arrival: Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalStored:
    """The signal is on disk and was answered: now it is acted on."""

    signal_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceMoved:
    account: str
    symbol: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchDue:
    """A price has filled what rests; now what is watched of its symbol is looked at (§11)."""

    account: str
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentsLoaded:
    """The market rules of everything that an account's exchange lists."""

    account: str
    instruments: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancesReported:
    """What an account holds in all, free or not, by currency; on swap also its contracts, below zero = short."""

    account: str
    totals: Mapping[str, Decimal]
    positions: Mapping[str, Decimal] = field(default_factory=dict)
    """By unified symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingsShort:
    """An account has been found, twice in a row and with nothing under way, to hold less than its groups bought."""

    account: str
    currency: str
    """A coin; on swap the unified symbol of the contracts."""
    there: Decimal
    """What the exchange says that is held; on swap contracts, below zero = short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLost:
    """An exchange does not answer, or what becomes of our orders there cannot be seen: its entries are held (§9)."""

    account: str
    why: str
    for_good: bool = False
    """Whether nothing more is asked of it in this run: its key is not taken (FAULTS 42)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFound:
    """An exchange answers, and the books were compared with it."""

    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSent:
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAccepted:
    client_id: str
    exchange_order_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRejected:
    """The exchange said no. `code` is its own, `text` in words."""

    client_id: str
    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    fill: Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpired:
    """An IOC order's unfilled rest is gone."""

    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLost:
    """The answer never came: the exchange may have the order or not (§10)."""

    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStarted:
    """The state is loaded and each account was asked: orders in doubt are asked for, then `GroupDue` for each group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDue:
    """After a start: what was interrupted of this group goes on. One event each, so that a bad one stops no other."""

    group_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDue:
    """`queue.evaluate_seconds` have passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskDue:
    """`risk.evaluate_seconds` have passed, or something has filled (`on_fill`)."""

    on_fill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRunAsked:
    """The trader wants the risk engine to look now, whatever its timer and `risk.enabled` say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSet:
    """The trader keeps the risk engine away from a group, or lets it come near again."""

    key: GroupKey
    blocked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipAsked:
    key: GroupKey


class QueueAction(Enum):
    PROMOTE = "promote"
    REMOVE = "remove"
    FORCE = "force"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueAsked:
    """The trader's hand on a waiting entry: in now if a slot is free, out of the line, or in over the limit (§7)."""

    key: GroupKey
    action: QueueAction
    side: Side | None = None
    """Which of the key's entries; None = the one there is, the first of two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    why: str = "paused by the trader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Panicked:
    """Cancel everything and close all groups, or cancel entries only (§9)."""

    entries_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectFound:
    """Something that concerned this group or this signal could not be dealt with: a bug of ours (§5)."""

    why: str
    group_id: str | None = None
    signal_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCloseAsked:
    group_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCloseAsked:
    """The trader closes part of a group at market; its ladder, its other targets and its slot stay."""

    group_id: str
    qty: Decimal
    """In contracts on swap; it is floored to the step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSet:
    """The trader gives a group a stop of its own, or takes it away."""

    group_id: str
    price: Decimal | None
    """None = only the strategy's own stop, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAgainAsked:
    """The trader has entries that the exchange refused placed again, at their planned prices."""

    group_id: str
    legs: tuple[LegRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptAsked:
    """The trader takes the exchange's view over for a group whose coins are gone (§10)."""

    group_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntriesCancelAsked:
    group_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsApplied:
    """The trader has applied a new configuration (§9)."""

    settings: Settings
    text: str
    """What it changes, in words, for the audit trail."""
    anew: frozenset[str] = frozenset()
    """Accounts that are connected anew for it: live ones take entries once their books have been compared."""


SignalEvent = SignalArrived | SignalStored
MarketEvent = PriceMoved | WatchDue | InstrumentsLoaded | BalancesReported | HoldingsShort
AccountNews = AccountLost | AccountFound
OrderNews = OrderSent | OrderAccepted | OrderRejected | OrderFilled | OrderCancelled | OrderExpired | OrderLost
TimeEvent = EngineStarted | GroupDue | QueueDue | RiskDue
TraderAsked = (
    Paused
    | Resumed
    | Panicked
    | DefectFound
    | GroupCloseAsked
    | PartCloseAsked
    | StopSet
    | EntryAgainAsked
    | AdoptAsked
    | EntriesCancelAsked
    | QueueAsked
    | RiskRunAsked
    | BlockSet
    | SkipAsked
    | SettingsApplied
)
Event = SignalEvent | MarketEvent | AccountNews | OrderNews | TimeEvent | TraderAsked
