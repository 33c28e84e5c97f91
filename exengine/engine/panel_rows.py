"""Rows of the docks that are computed only while they are on the screen: queue, risk, capital."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from exengine.domain.group import GroupKey
from exengine.domain.instrument import Side
from exengine.engine.status import Status

R = TypeVar("R")


class Panel(Enum):
    """What costs something to compute, and is computed for nobody who does not look."""

    QUEUE = "queue"
    RISK = "risk"
    CAPITAL = "capital"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch(Generic[R]):
    """Rows by key that are new or changed, and the keys of those that are gone."""

    rows: dict[str, R] = field(default_factory=dict)
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.rows or self.gone)


class Rule(Enum):
    """What decided the place of a waiting entry."""

    REVERSAL = "reversal"
    PYRAMID_CONTINUATION = "pyramid_continuation"
    DEEPEST_LOSS = "deepest_loss"
    MOST_REPLACED = "most_replaced"
    HIGHEST_EXPECTED_PROFIT = "highest_expected_profit"
    FIFO = "fifo"
    ARRIVAL = "arrival"
    """Equal in everything else: the signal that came first."""
    ALONE = "alone"
    """Nobody to be compared with."""


ACCOUNT_AWAY, GROUP_STOPPED = "account_away", "group_stopped"
"""Why an entry really waits that was turned away as while paused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRow:
    """An entry in the waiting queue (SPEC §7)."""

    key: str
    """`ACCOUNT|SYMBOL|TIMEFRAME|side`"""
    account: str
    symbol: str
    timeframe: str
    side: Side
    quote: str
    reason: str
    """Why it waits: pool_full, opposite_side, missing_rules, paused, or one of the above."""
    price: Decimal
    price_decimals: int
    last: Decimal | None
    loss_percent: Decimal | None
    """How far the market has come its way since the signal; None before a price."""
    replacements: int
    expected_profit: Decimal | None
    """Σ leg quote amount × tp, in USD; None where it cannot be said yet."""
    capital: Decimal | None
    """What its pyramid may spend, in quote."""
    queued_at_ms: int
    is_pyramid: bool
    """Whether its group lives, so that it takes no slot."""
    rank: int | None
    """Its place in line from 1; None where no slot would let it in."""
    rule: Rule | None
    blocker: str
    """Why the trader cannot even force it in, in words; empty where he can."""
    needs_force: bool
    """Whether no slot is free for it."""


class RiskState(Enum):
    """What a live group is to the risk engine."""

    CANDIDATE = "candidate"
    NOT_FULL = "not_full"
    WAITING = "waiting"
    WINNER = "winner"
    NO_FILL = "no_fill"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    CLOSING = "closing"
    HELD_BACK = "held_back"
    """Frozen, or on an account that cannot be reached."""


class RiskRow(NamedTuple):
    """A live group as the risk engine sees it (SPEC §8).

    A plain tuple, and what moves with prices is last: at each new price the end of one is put to the beginning of
    another.
    """

    id: str
    account: str
    symbol: str
    timeframe: str
    side: Side
    timer_ends_ms: int | None
    """When the timer runs out, 0 once it has; None while it has not begun."""
    pyramids: int
    max_pyramids: int
    old_at_ms: int | None
    """When the group is old enough, 0 once it is or where the filter is off; None while nothing has filled."""
    blocked: bool
    skip_once: bool
    opened_at_ms: int
    state: RiskState
    loss_percent: Decimal | None
    """Unrealised PnL in percent of cost; None where nothing is held or no price is known."""
    loss_usd: Decimal | None
    brings_usd: Decimal
    """What its closing would bring to another's loss; 0 where it is not among the `max_winners` to be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSummary:
    """The risk engine as a whole."""

    enabled: bool
    evaluate_seconds: int
    threshold_percent: Decimal
    needs_all_pyramids: bool
    waits: bool
    """Whether there is a timer at all."""
    age_minutes: Decimal | None
    """Of the age filter; None where it is off."""
    offers: int
    """Winners that could pay now, at most `max_winners`."""
    offered_usd: Decimal
    """What they would bring in all."""
    under_way: bool
    """Whether an offset is being carried out."""
    next_id: str | None
    """The candidate that would be paid off if the trader had the risk engine look now."""
    candidates: int
    next_look_at_ms: int | None = None
    """When it looks next by the clock; None before its timer has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One group that would be closed, whole or in part."""

    group_id: str
    symbol: str
    timeframe: str
    side: Side
    base: str
    qty: Decimal
    of_qty: Decimal
    qty_decimals: int
    brings_usd: Decimal
    """Of a winner what closing the part brings, of the loser what it costs, below zero."""

    @property
    def whole(self) -> bool:
        return self.qty >= self.of_qty

    @property
    def account(self) -> str:
        """Where its order goes: a winner may stand on another account than the loser."""
        return GroupKey.of(self.group_id).account


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """What would be done for one group now, or is being done."""

    loser_id: str
    required_usd: Decimal
    winners: tuple[PlanLine, ...]
    loser: PlanLine | None
    why_none: str
    """Why nothing can be done, in words; empty where there are winners."""
    under_way: bool

    @property
    def lines(self) -> tuple[PlanLine, ...]:
        """Everything that would be closed, the loser last: as many market orders."""
        return self.winners if self.loser is None else (*self.winners, self.loser)

    @property
    def brings_usd(self) -> Decimal:
        return sum((line.brings_usd for line in self.winners), Decimal(0))

    @property
    def covered_percent(self) -> Decimal:
        """How much of what is required the winners bring, at most 100."""
        if not self.required_usd:
            return Decimal(100)
        return min(self.brings_usd / self.required_usd * 100, Decimal(100))


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetRow:
    """An offset that has come to its end."""

    id: int
    at_ms: int
    loser: str
    required: Decimal
    winners: tuple[str, ...]
    realised: Decimal
    """What the winners really brought, in USD."""

    @property
    def share_percent(self) -> Decimal:
        """How much of the loser it paid for."""
        return min(self.realised / self.required * 100, Decimal(100)) if self.required else Decimal(100)

    @property
    def left_over(self) -> Decimal:
        """What the winners brought beyond what was required."""
        return max(self.realised - self.required, Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureRow:
    """One pair over all accounts; amounts in USD."""

    symbol: str
    filled: Decimal
    open: Decimal
    """What rests in entries that have not filled."""
    groups: int
    share_percent: Decimal | None
    """Of everything that is deployed."""
    locked_percent: Decimal | None
    """The part of it that rests in unfilled DCA legs."""

    @property
    def deployed(self) -> Decimal:
        return self.filled + self.open


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMoney:
    """What an account has free."""

    account: str
    free: Decimal
    """In USD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapitalRow:
    """Deployed against free over all accounts, in USD."""

    filled: Decimal
    open: Decimal
    free: Decimal
    accounts: tuple[AccountMoney, ...]
    missing: int
    """Groups left out because their quote has no price in USD."""

    @property
    def deployed(self) -> Decimal:
        return self.filled + self.open


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelChanges:
    """What changed of the panels since the last take; None and empty where nothing has, or nobody looks."""

    waiting: Patch[WaitingRow] = field(default_factory=Patch)
    risk: Patch[RiskRow] = field(default_factory=Patch)
    risk_summary: RiskSummary | None = None
    plan: PlanView | None = None
    plan_changed: bool = False
    """Whether `plan` replaces the one that is shown; None then means that there is none."""
    offsets: tuple[OffsetRow, ...] = ()
    """New ones, oldest first."""
    exposures: Patch[ExposureRow] = field(default_factory=Patch)
    capital: CapitalRow | None = None
    status: Status | None = None
