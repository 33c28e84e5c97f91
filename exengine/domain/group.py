"""A position group: its pyramids and legs, what each holds, and the states that they pass through (SPEC §5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from itertools import chain
from typing import Any

from exengine.domain.changed import changed, worked_out
from exengine.domain.instrument import Instrument, MarketType, Side
from exengine.domain.money import ONE, ZERO, arithmetic, minus
from exengine.domain.order import IllegalTransition, LegRef, Role
from exengine.domain.settings import PyramidPlan

AGAIN_MS = 10_000
"""After which a watched target or an offset that found no price within the bound is tried again (§4.3)."""


@dataclass(frozen=True, slots=True, order=True)
class GroupKey:
    """What a live group is unique by."""

    account: str
    symbol: str
    timeframe: str

    def __str__(self) -> str:
        return f"{self.account}|{self.symbol}|{self.timeframe}"

    @classmethod
    def of(cls, group_id: str) -> "GroupKey":
        """The key of the group with this id."""
        return cls(*group_id.partition("#")[0].split("|", 2))


def account_of(group_id: str) -> str:
    """The account of the group with this id; empty where there is none."""
    return GroupKey.of(group_id).account if group_id else ""


class LegState(Enum):
    PLANNED = "planned"
    BLOCKED = "blocked"
    SUBMITTED = "submitted"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    TP_PLACED = "tp_placed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    __hash__ = object.__hash__  # as that of an order's role


class GroupStatus(Enum):
    LIVE = "live"
    PARTIALLY_FILLED = "partially_filled"
    ACTIVE = "active"
    CLOSING = "closing"
    CLOSED = "closed"

    __hash__ = object.__hash__


class CloseReason(Enum):
    TP = "tp"
    EXIT = "exit"
    STOP_LOSS = "stop_loss"
    RISK_OFFSET = "risk_offset"
    REVERSE = "reverse"
    MANUAL = "manual"
    PANIC = "panic"
    CANCELLED = "cancelled"
    ENTRY_FAILED = "entry_failed"


_G = GroupStatus
GROUP_TRANSITIONS = frozenset(
    {
        (_G.LIVE, _G.PARTIALLY_FILLED),
        (_G.LIVE, _G.ACTIVE),
        (_G.LIVE, _G.CLOSING),
        (_G.PARTIALLY_FILLED, _G.ACTIVE),
        (_G.PARTIALLY_FILLED, _G.CLOSING),
        # A further pyramid brings open entries again.
        (_G.ACTIVE, _G.PARTIALLY_FILLED),
        (_G.ACTIVE, _G.CLOSING),
        (_G.CLOSING, _G.CLOSED),
    }
)
"""Which status may follow which; a status may always stay. Nothing leads out of `closing` but `closed` (§4.2)."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One DCA leg: its plan, and sums over its fills that are never assigned over (SPEC §5.1).

    Quantities are in contracts on swap, values and fees in quote.
    """

    index: int
    gap_percent: Decimal
    weight_percent: Decimal
    tp_percent: Decimal
    price: Decimal
    """Planned entry price, on the tick."""
    qty: Decimal
    """Planned quantity, on the step; 0 where it is blocked."""
    market: bool = False
    """Whether it enters as a market order."""
    replan: bool = False
    """Whether it is to be placed anew, at its new price, as soon as its old order is gone."""
    state: LegState = LegState.PLANNED
    error: str | None = None
    first_fill_at_ms: int | None = None
    entered_qty: Decimal = ZERO
    entered_value: Decimal = ZERO
    """Σ fill price × quantity × contract size."""
    entry_fees_base: Decimal = ZERO
    entry_fees_quote: Decimal = ZERO
    closed_qty: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    """All fees in quote, those in base at their fill's price: for reports only."""

    ASIDE = frozenset({"state", "error", "replan"})

    @worked_out
    def net_qty(self) -> Decimal:
        return minus(minus(self.entered_qty, self.entry_fees_base), self.closed_qty)


@dataclass(frozen=True, kw_only=True)
class Pyramid:
    """One entry of a group."""

    index: int
    base_price: Decimal
    """The signal's price."""
    capital: Decimal
    """In quote."""
    signal_id: int
    received_at_ms: int
    legs: tuple[Leg, ...]
    slippage_percent: Decimal | None = None
    """The signal's own bound for its market orders, where it brought one."""

    def last_price(self, sign: int) -> Decimal:
        """The price of its farthest leg, in whatever order they were written down."""
        return min(leg.price * sign for leg in self.legs) * sign

    @worked_out
    def refs(self) -> tuple[tuple[LegRef, Leg], ...]:
        """Its legs, and where each stands in the group."""
        return tuple([((self.index, leg.index), leg) for leg in self.legs])

    @worked_out
    def enters_at_market(self) -> bool:
        """Whether a leg of it enters as a market order, and has not been given up."""
        return any(leg.market and leg.error is None for leg in self.legs)

    @worked_out
    def has_replans(self) -> bool:
        """Whether a leg of it is to be placed anew."""
        return any(leg.replan for leg in self.legs)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialClose:
    """A part of a group that is being closed at market while the group lives on."""

    role: Role
    qty: Decimal
    """What the order that works on it, or the next one, is for."""
    takes: tuple[tuple[LegRef, Decimal], ...]
    client_id: str | None = None
    """The order that works on it; None before the first."""
    attempts: int = 0
    slippage_percent: Decimal | None = None
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One live trade. Its plans are those it began with: a new configuration does not touch it (SPEC §9)."""

    id: str
    """`ACCOUNT|SYMBOL|TIMEFRAME#n`, n from 1 for each key."""
    key: GroupKey
    side: Side
    base: str
    quote: str
    market_type: MarketType
    contract_size: Decimal = ONE
    rules: Instrument | None = None
    """The trader's own market rules, where it began without the exchange's (`precision.fallback`)."""
    opened_at_ms: int
    closed_at_ms: int | None = None
    first_fill_at_ms: int | None = None
    status: GroupStatus = GroupStatus.LIVE
    reason: CloseReason | None = None
    plans: tuple[PyramidPlan, ...]
    """One for each pyramid that it may have."""
    pyramids: tuple[Pyramid, ...] = ()
    orders_made: int = 0
    """How many orders it has had: the next order's number in its key."""
    stop_price: Decimal | None = None
    """From signals; comes before `stop_loss_percent`."""
    target_price: Decimal | None = None
    """From signals; replaces the aggregate target."""
    forced: bool = False
    """Whether the trader forced it in over the pool's limit."""
    blocked: bool = False
    """Whether the trader keeps the risk engine away from it."""
    skip_once: bool = False
    """Whether the next evaluation in which it would be a candidate passes over it."""
    submitted_at_ms: int | None = None
    """When the last leg of all its pyramids was on the exchange; None before."""
    filled_at_ms: int | None = None
    """When the last leg that could fill had filled; None before."""
    timer_reset_at_ms: int | None = None
    """When a further entry last restarted its risk timer."""
    close_cause: str = ""
    """What made it leave: see `domain.cause`."""
    close_attempts: int = 0
    close_slippage_percent: Decimal | None = None
    """The exit signal's own bound, where it brought one."""
    partial: PartialClose | None = None
    best_price: Decimal | None = None
    """The best price since the aggregate target was touched, where the group trails; None before."""
    again_at_ms: int | None = None
    """When a watched target that the market did not fill within the bound is tried again (§4.3)."""
    frozen: str | None = None
    """Why nothing is decided for it any more until the trader settles it; None when all is well."""
    short_of_coins: bool = False
    """Whether the exchange has said that the account no longer has all that it bought: someone sold by hand."""
    awaits_rules: bool = False
    """Whether an order of it is made again as soon as the exchange's market rules have been loaded anew."""
    made_again: tuple[str, ...] = ()
    """Which of its orders were made again since the exchange refused them for its rules: each once."""
    errors: tuple[str, ...] = field(default=())

    ASIDE = frozenset(
        {
            "status", "reason", "orders_made", "first_fill_at_ms", "submitted_at_ms", "filled_at_ms",
            "timer_reset_at_ms", "close_cause", "close_attempts", "close_slippage_percent", "partial", "again_at_ms",
            "skip_once", "blocked", "frozen", "errors",
        }
    )  # fmt: skip

    @property
    def own_rules(self) -> Instrument:
        """The trader's own rules of it. Raises LookupError where the exchange's were known when it began."""
        if self.rules is None:
            raise LookupError(f"group {self.id} has lost its market rules")
        return self.rules

    @property
    def max_pyramids(self) -> int:
        return len(self.plans)

    @property
    def is_open(self) -> bool:
        """Whether it holds a slot."""
        return self.status is not GroupStatus.CLOSED

    def legs(self) -> tuple[tuple[LegRef, Leg], ...]:
        return self._legs

    @worked_out
    def _legs(self) -> tuple[tuple[LegRef, Leg], ...]:
        return tuple(chain.from_iterable([pyramid.refs for pyramid in self.pyramids]))

    def leg(self, ref: LegRef) -> Leg:
        return self.pyramids[ref[0]].legs[ref[1]]

    def with_leg(self, ref: LegRef, leg: Leg) -> "Group":
        """The group with one leg replaced."""
        return self.with_legs({ref: leg})

    def with_legs(self, legs: Mapping[LegRef, Leg], **more: Any) -> "Group":
        """The group with some legs replaced, and `more` of its fields."""
        if legs:
            pyramids = list(self.pyramids)
            for (place, index), leg in legs.items():
                there = pyramids[place].legs
                pyramids[place] = changed(pyramids[place], legs=(*there[:index], leg, *there[index + 1 :]))
            more["pyramids"] = tuple(pyramids)
        return changed(self, **more)

    @worked_out
    def net_qty(self) -> Decimal:
        with arithmetic():
            return sum([leg.net_qty for _, leg in self.legs()], ZERO)

    @property
    def has_replans(self) -> bool:
        """Whether a leg of it is to be placed anew."""
        return any(pyramid.has_replans for pyramid in self.pyramids)

    @property
    def has_filled(self) -> bool:
        """Whether anything of it has ever been bought (sold short)."""
        return self.first_fill_at_ms is not None

    def rests(self, now_ms: int) -> bool:
        """Whether it waits for a better market yet; it waits no longer for a clock that was set back (FAULTS 33)."""
        return self.again_at_ms is not None and 0 < self.again_at_ms - now_ms <= AGAIN_MS

    def sellable_qty(self, instrument: Instrument) -> Decimal:
        """What of everything it holds can be closed by the step; less is dust."""
        return instrument.qty_floor(max(self.net_qty, ZERO))


def check_transition(before: Group | None, after: Group) -> None:
    """Raises IllegalTransition where `after` cannot follow `before`."""
    if before is None:
        if after.status is not GroupStatus.LIVE:
            raise IllegalTransition(f"group {after.id} begins as {after.status.value}")
    elif before.status is not after.status and (before.status, after.status) not in GROUP_TRANSITIONS:
        raise IllegalTransition(f"group {after.id}: {before.status.value} cannot become {after.status.value}")
