"""The trader's configuration as plain frozen values: what `decide` and the engine are handed (SPEC §14)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

from exengine.domain.instrument import MarketType, Side
from exengine.domain.money import ONE, ZERO


class GapReference(Enum):
    PYRAMID = "pyramid"
    GROUP = "group"


class EntryOrder(Enum):
    LIMIT = "limit"
    MARKET = "market"


class BelowMinimum(Enum):
    SKIP_LEG = "skip_leg"
    REJECT = "reject"
    RAISE = "raise"


class BeyondLastLeg(Enum):
    KEEP = "keep"
    CANCEL = "cancel"


class SizingMode(Enum):
    FIXED = "fixed"
    PERCENT_EQUITY = "percent_equity"
    PERCENT_FREE = "percent_free"
    SIGNAL = "signal"


class TakeProfitMode(Enum):
    LEG = "leg"
    PYRAMID = "pyramid"
    AGGREGATE = "aggregate"
    HYBRID = "hybrid"


class TargetOrder(Enum):
    LIMIT = "limit"
    MARKET = "market"


class SlippageAction(Enum):
    FORCE = "force"
    HOLD = "hold"


class QueueRule(Enum):
    PYRAMID_CONTINUATION = "pyramid_continuation"
    DEEPEST_LOSS = "deepest_loss"
    MOST_REPLACED = "most_replaced"
    HIGHEST_EXPECTED_PROFIT = "highest_expected_profit"
    FIFO = "fifo"


class TimerStart(Enum):
    AFTER_5_PYRAMIDS = "after_5_pyramids"
    AFTER_ALL_DCA_SUBMITTED = "after_all_dca_submitted"
    AFTER_ALL_DCA_FILLED = "after_all_dca_filled"


class WhenShort(Enum):
    PARTIAL = "partial"
    SKIP = "skip"


class RulesFallback(Enum):
    HOLD = "hold"
    DEFAULTS = "defaults"


class MarginMode(Enum):
    CROSS = "cross"
    ISOLATED = "isolated"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSpec:
    """One DCA leg of the grid: its gap, weight and target, all in per cent."""

    gap_percent: Decimal
    weight_percent: Decimal
    tp_percent: Decimal


def _leg(gap: str, weight: str, target: str) -> LegSpec:
    return LegSpec(gap_percent=Decimal(gap), weight_percent=Decimal(weight), tp_percent=Decimal(target))


DEFAULT_LEGS = (_leg("0", "20", "1"), _leg("-0.5", "20", "0.5"), _leg("-1", "20", "2"), _leg("-1.5", "20", "1.5"),
                _leg("-2", "20", "1"))  # fmt: skip
"""The table of SPEC §3.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizingSettings:
    mode: SizingMode = SizingMode.FIXED
    amount: Decimal = Decimal(100)
    """Quote for `fixed`, per cent for the percent modes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeProfitSettings:
    mode: TakeProfitMode = TakeProfitMode.LEG
    percent: Decimal = ONE
    order: TargetOrder = TargetOrder.LIMIT
    close_when_flat: bool = True
    stop_loss_percent: Decimal | None = None
    trailing_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSettings:
    max_pyramids: int = 5
    legs: tuple[LegSpec, ...] = DEFAULT_LEGS
    gap_reference: GapReference = GapReference.PYRAMID
    entry_order: EntryOrder = EntryOrder.LIMIT
    on_below_minimum: BelowMinimum = BelowMinimum.SKIP_LEG
    beyond_last_leg: BeyondLastLeg = BeyondLastLeg.KEEP
    beyond_last_leg_percent: Decimal = ONE
    abandon_percent: Decimal | None = None
    min_pyramid_gap_percent: Decimal = ZERO
    replace_last_pyramid: bool = False
    pyramid_multipliers: tuple[Decimal, ...] = ()
    post_only: bool = False

    def multiplier(self, pyramid: int) -> Decimal:
        """What the capital of pyramid `pyramid` is multiplied by; 1 beyond the list."""
        return self.pyramid_multipliers[pyramid] if pyramid < len(self.pyramid_multipliers) else ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideMatch:
    """Which pyramids an override is for; None matches everything. `symbol` may be a pattern as `*/USDT`."""

    account: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    side: Side | None = None
    pyramid: int | None = None

    def score(self, *, account: str, symbol: str, timeframe: str, side: Side, pyramid: int) -> int | None:
        """How specific the rule is for this pyramid: 2 for an exact field, 1 for a pattern; None where it differs."""
        total = 0
        facts = ((self.account, account), (self.timeframe, timeframe), (self.side, side), (self.pyramid, pyramid))
        for wanted, there in facts:
            if wanted is not None:
                if wanted != there:
                    return None
                total += 2
        if self.symbol is not None:
            if self.symbol == symbol:
                total += 2
            elif any(c in self.symbol for c in "*?[") and fnmatchcase(symbol, self.symbol):
                total += 1
            else:
                return None
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Values that replace those of the common settings where `match` fits. Keys are the settings' own field names."""

    match: OverrideMatch
    grid: Mapping[str, Any] = field(default_factory=dict)
    sizing: Mapping[str, Any] = field(default_factory=dict)
    take_profit: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PyramidPlan:
    """Everything that the configuration says of one pyramid, overrides applied."""

    grid: GridSettings
    sizing: SizingSettings
    take_profit: TakeProfitSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionSettings:
    max_slippage_percent: Decimal = ONE
    slippage_action: SlippageAction = SlippageAction.FORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    max_open_groups: int = 10
    pyramids_bypass: bool = True
    max_per_symbol: int | None = None
    max_exposure: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    limit: int = 100
    max_age_minutes: Decimal = ZERO
    replace: bool = True
    evaluate_seconds: int = 10
    priority: tuple[QueueRule, ...] = (
        QueueRule.PYRAMID_CONTINUATION, QueueRule.DEEPEST_LOSS, QueueRule.MOST_REPLACED, QueueRule.FIFO,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSettings:
    enabled: bool = True
    loss_threshold_percent: Decimal = Decimal(-5)
    require_full_pyramids: bool = True
    enable_post_full_wait: bool = True
    post_full_wait_minutes: Decimal = Decimal(60)
    timer_start: TimerStart = TimerStart.AFTER_5_PYRAMIDS
    reset_timer_on_replacement: bool = False
    use_trade_age_filter: bool = False
    age_threshold_minutes: Decimal = Decimal(200)
    max_winners: int = 3
    partial_close_enabled: bool = True
    when_short: WhenShort = WhenShort.PARTIAL
    min_close_notional: Decimal = Decimal(20)
    evaluate_on_fill: bool = True
    evaluate_seconds: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackRules:
    """The trader's own market rules, for a symbol whose real ones are not known (`precision.fallback` "defaults")."""

    tick_size: Decimal
    step_size: Decimal
    min_qty: Decimal
    min_notional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionSettings:
    refresh_seconds: int = 3600
    fallback: RulesFallback = RulesFallback.HOLD
    fallback_values: FallbackRules | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetySettings:
    max_daily_loss: Decimal | None = None
    max_drawdown_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSettings:
    duplicate_window_seconds: int = 60
    max_signal_age_seconds: int = 300
    """0 = off."""
    replay: bool = True
    """Whether the trader may take a stored signal again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """One account. Fees in per cent, None = the exchange's own; balances are a paper account's capital."""

    name: str
    exchange: str
    market_type: MarketType = MarketType.SPOT
    enabled: bool = True
    testnet: bool = False
    maker_fee_percent: Decimal | None = None
    taker_fee_percent: Decimal | None = None
    leverage: Decimal = ONE
    margin_mode: MarginMode = MarginMode.CROSS
    """Of a swap account: whether the whole balance stands for a position, or only its own margin."""
    server: str = ""
    """A local server in the exchange's place, as `http://127.0.0.1:8080`; empty is the exchange itself."""
    balances: Mapping[str, Decimal] = field(default_factory=dict)
    paper_slippage_percent: Decimal | None = None
    """`sim.slippage_percent` of a paper account; None for a real one."""

    @property
    def is_live(self) -> bool:
        """Whether it trades on a real exchange: one that may be away, and whose prices may grow old."""
        return self.paper_slippage_percent is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The trader's own routing: signals of `tv_exchange` go to `account`."""

    tv_exchange: str
    account: str


PAPER = AccountSettings(name="paper", exchange="paper", balances={"USDT": Decimal(10000)}, paper_slippage_percent=ZERO)
"""The account of a first start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that concerns trading."""

    accounts: tuple[AccountSettings, ...] = (PAPER,)
    routing: tuple[Route, ...] = ()
    timezone: str = "UTC"
    """The trader's day, as an IANA name."""
    signals: SignalSettings = SignalSettings()
    grid: GridSettings = GridSettings()
    sizing: SizingSettings = SizingSettings()
    take_profit: TakeProfitSettings = TakeProfitSettings()
    overrides: tuple[Override, ...] = ()
    execution: ExecutionSettings = ExecutionSettings()
    pool: PoolSettings = PoolSettings()
    queue: QueueSettings = QueueSettings()
    risk: RiskSettings = RiskSettings()
    precision: PrecisionSettings = PrecisionSettings()
    safety: SafetySettings = SafetySettings()

    def account(self, name: str) -> AccountSettings | None:
        for account in self.accounts:
            if account.name == name:
                return account
        return None

    def plan(self, *, account: str, symbol: str, timeframe: str, side: Side, pyramid: int) -> PyramidPlan:
        """The settings of one pyramid: for each value the most specific override wins, ties go to the later (§3.1)."""
        scored = []
        for order, rule in enumerate(self.overrides):
            score = rule.match.score(account=account, symbol=symbol, timeframe=timeframe, side=side, pyramid=pyramid)
            if score is not None:
                scored.append((score, order, rule))
        scored.sort(key=lambda item: item[:2])
        grid: dict[str, Any] = {}
        sizing: dict[str, Any] = {}
        take_profit: dict[str, Any] = {}
        for _, _, rule in scored:
            grid |= rule.grid
            sizing |= rule.sizing
            take_profit |= rule.take_profit
        return PyramidPlan(
            grid=replace(self.grid, **grid) if grid else self.grid,
            sizing=replace(self.sizing, **sizing) if sizing else self.sizing,
            take_profit=replace(self.take_profit, **take_profit) if take_profit else self.take_profit,
        )
