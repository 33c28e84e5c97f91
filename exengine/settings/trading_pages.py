"""How ExEngine trades: the pages of SPEC §14 from `grid` to `safety`, with their defaults and limits."""

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, model_serializer, model_validator
from pydantic_core.core_schema import SerializationInfo

from exengine.domain.instrument import Side
from exengine.domain.settings import (
    BelowMinimum,
    BeyondLastLeg,
    EntryOrder,
    GapReference,
    QueueRule,
    RulesFallback,
    SizingMode,
    SlippageAction,
    TakeProfitMode,
    TargetOrder,
    TimerStart,
    WhenShort,
)
from exengine.domain.signal_parse import normal_timeframe
from exengine.settings.fields import Amount, Flag, Page, Positive, Whole, fault, refuse, setting, spelled

HUNDRED = Decimal(100)
WEIGHTS_WITHIN = Decimal("0.01")
_WILD = frozenset("*?[")


class LegPage(Page):
    """One DCA leg (§3.1)."""

    gap_percent: Amount = setting(
        ..., "Gap", "How far the leg lies beyond the base price: 0 or negative", unit="%", gt=-100, le=0
    )
    weight_percent: Amount = setting(..., "Weight", "The leg’s share of the pyramid’s capital", unit="%", gt=0, le=100)
    tp_percent: Amount = setting(..., "TP", "Profit at which the leg is closed, above 0", unit="%", gt=0, le=1000)


def _whole_capital(legs: tuple[LegPage, ...]) -> tuple[LegPage, ...]:
    total = sum((leg.weight_percent for leg in legs), Decimal(0))
    if abs(total - HUNDRED) > WEIGHTS_WITHIN:
        raise fault(f"the weights must sum to 100 (within 0.01), and sum to {spelled(total)}")
    return legs


def _legs(*table: tuple[str, str, str]) -> tuple[LegPage, ...]:
    return tuple(
        LegPage(gap_percent=Decimal(gap), weight_percent=Decimal(weight), tp_percent=Decimal(target))
        for gap, weight, target in table
    )


DEFAULT_LEGS = _legs(
    ("0", "20", "1"), ("-0.5", "20", "0.5"), ("-1", "20", "2"), ("-1.5", "20", "1.5"), ("-2", "20", "1")
)


class GridValues(Page):
    """What an override may set of the grid: all of it but the overrides."""

    max_pyramids: Whole = setting(
        5, "Max pyramids", "Entries one group takes, the first included", unit="pyramids", ge=1, le=100
    )
    legs: Annotated[tuple[LegPage, ...], AfterValidator(_whole_capital)] = setting(
        DEFAULT_LEGS, "Legs", "The DCA ladder of each pyramid, up to 7 legs", min_length=1, max_length=7
    )
    gap_reference: GapReference = setting("pyramid", "Gap reference", "Gaps from each pyramid’s base, or the first’s")
    entry_order: EntryOrder = setting("limit", "Entry order", "How leg 0 is sent")
    on_below_minimum: BelowMinimum = setting(
        "skip_leg",
        "Leg under the minimum",
        "Skip it, refuse the pyramid, or raise it",
        words={"skip_leg": "Skip the leg", "reject": "Refuse pyramid", "raise": "Raise the leg"},
    )
    beyond_last_leg: BeyondLastLeg = setting(
        "keep",
        "After the last leg",
        "What open legs do past the last one",
        words={"keep": "Keep", "cancel": "Cancel them"},
    )
    beyond_last_leg_percent: Amount = setting(
        "1", "Past the last leg by", "How far past it price must be for that", unit="%", ge=0, le=100,
        needs=("beyond_last_leg", ("cancel",)),
    )  # fmt: skip
    abandon_percent: Amount | None = setting(
        None, "Abandon after", "Cancel unfilled legs this far in our favour",
        unit="%", empty="off", gt=0, le=1000,
    )  # fmt: skip
    min_pyramid_gap_percent: Amount = setting(
        "0", "Minimum pyramid gap", "Least distance to the last pyramid; 0 is off",
        unit="%", ge=0, le=100,
    )  # fmt: skip
    replace_last_pyramid: Flag = setting(False, "Replace last pyramid", "A further entry re-places its unfilled legs")
    pyramid_multipliers: tuple[Positive, ...] = setting(
        (), "Pyramid multipliers", "Capital of pyramid 1, 2, 3 … times this",
        unit="×", empty="1 × each", max_length=100,
    )  # fmt: skip
    post_only: Flag = setting(False, "Post only", "Entries never pay the taker fee")


class SizingPage(Page):
    """The capital of a pyramid."""

    mode: SizingMode = setting(
        "fixed", "Capital by", "How much money each pyramid gets",
        words={
            "fixed": "Fixed amount", "percent_equity": "Per cent of equity", "percent_free": "Per cent of free balance",
            "signal": "The signal’s size",
        },
    )  # fmt: skip
    amount: Amount = setting(
        "100", "Amount", "In quote currency where it is fixed, else in per cent", gt=0,
        unit_by=("mode", {"fixed": "quote", "percent_equity": "%", "percent_free": "%"}),
        needs=("mode", ("fixed", "percent_equity", "percent_free")),
    )  # fmt: skip


class TakeProfitPage(Page):
    """Targets, stop and trailing."""

    mode: TakeProfitMode = setting(
        "leg", "Targets by", "What a target closes: each leg, each pyramid, or the group",
        words={"aggregate": "Whole group", "hybrid": "Leg and group"},
    )  # fmt: skip
    percent: Amount = setting(
        "1", "Target", "Profit over the average of a pyramid or group", unit="%", gt=0, le=1000,
        needs=("mode", ("pyramid", "aggregate", "hybrid")),
    )  # fmt: skip
    order: TargetOrder = setting("limit", "Target order", "Resting on the exchange, or watched and closed at market")
    close_when_flat: Flag = setting(
        True, "Close when flat", "A group ends, unfilled legs cancelled, once all that was filled is closed"
    )
    stop_loss_percent: Amount | None = setting(
        None, "Stop loss", "Loss from the average at which the group is closed, without a sign",
        unit="%", empty="off", gt=0, lt=100,
    )  # fmt: skip
    trailing_percent: Amount | None = setting(
        None, "Trailing", "After the target is touched, close when price falls back this far",
        unit="%", empty="off", gt=0, lt=100,
    )  # fmt: skip


def _timeframe(text: str) -> str:
    name = normal_timeframe(text)
    if name is None:
        raise fault("must be a chart interval: 1m 3m 5m 15m 30m 45m 1h 2h 3h 4h 1d 1w 1M, or seconds as 30s")
    return name


def _symbol(text: str) -> str:
    if not text or text != text.strip():
        raise fault("must be a symbol or a pattern, without blanks around it")
    if "/" not in text and not _WILD & set(text):
        raise fault("must be spelled BTC/USDT, BTC/USDT:USDT, or be a pattern as */USDT")
    if text != text.upper() and text == text.lower():
        raise fault(f"would never match: symbols are in capitals, {text.upper()}")
    return text


class MatchPage(Page):
    """Which pyramids an override is for; what is left out matches everything."""

    account: str | None = setting(None, "Account", "Only this account", empty="Any")
    symbol: Annotated[str, AfterValidator(_symbol)] | None = setting(
        None, "Symbol", "Only this symbol, or those of a pattern as */USDT", empty="Any"
    )
    timeframe: Annotated[str, AfterValidator(_timeframe)] | None = setting(
        None, "Timeframe", "Only this chart interval", empty="Any"
    )
    side: Side | None = setting(None, "Side", "Only long or only short groups", empty="Both")
    pyramid: Whole | None = setting(None, "Pyramid", "Only the pyramid with this index, from 0", empty="Any", ge=0)


class OverridePage(Page):
    """Values that replace the common ones where `match` fits; of each part only what is given counts."""

    match: MatchPage = setting(MatchPage(), "Where", "Which pyramids these values are for")
    grid: GridValues = setting(GridValues(), "Grid", "Values of the grid that are different there")
    sizing: SizingPage = setting(SizingPage(), "Sizing", "Values of the sizing that are different there")
    take_profit: TakeProfitPage = setting(TakeProfitPage(), "Take profit", "Values of targets that are different there")

    @model_serializer
    def _given_only(self, info: SerializationInfo) -> dict[str, Any]:
        parts = {name: getattr(self, name) for name in type(self).model_fields}
        written = {name: part.model_dump(mode=info.mode, exclude_unset=True) for name, part in parts.items()}
        return {name: part for name, part in written.items() if part or name == "match"}

    def __eq__(self, other: object) -> bool:
        # pydantic compares values only, so that a rule which sets a default would equal one which sets nothing.
        return isinstance(other, OverridePage) and self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]


class GridPage(GridValues):
    """The grid (§3)."""

    overrides: tuple[OverridePage, ...] = setting(
        (), "Overrides", "Other values for an account, symbol, timeframe, side or pyramid; the most specific rule wins"
    )


class ExecutionPage(Page):
    """Market orders and their bound (§4.3)."""

    max_slippage_percent: Amount = setting(
        "1", "Max slippage", "How far from the reference price a market order may fill", unit="%", ge=0, lt=100
    )
    slippage_action: SlippageAction = setting(
        "force",
        "Beyond the bound",
        "What an exit or stop does when it cannot fill inside the bound",
        words={"force": "Force it through", "hold": "Hold and alert"},
    )


class PoolPage(Page):
    """How many groups run at once (§7)."""

    max_open_groups: Whole = setting(
        10, "Max open groups", "Groups that hold a slot, over all accounts", unit="groups", ge=1, le=1000
    )
    pyramids_bypass: Flag = setting(True, "Pyramids bypass", "Pyramids of a live group need no free slot")
    max_per_symbol: Whole | None = setting(
        None, "Max per symbol", "Groups of one symbol, over all accounts", unit="groups", empty="no limit", ge=1
    )
    max_exposure: Amount | None = setting(
        None, "Max exposure", "Quote value of filled and open entries", unit="quote", empty="no limit", gt=0
    )


def _unique_rules(rules: tuple[QueueRule, ...]) -> tuple[QueueRule, ...]:
    twice = sorted({rule.value for rule in rules if rules.count(rule) > 1})
    if twice:
        raise fault(f"must name each rule once, and repeats {', '.join(twice)}")
    return rules


class QueuePage(Page):
    """The waiting queue (§7)."""

    limit: Whole = setting(100, "Limit", "Entries that may wait; a full queue refuses", unit="entries", ge=0, le=10_000)
    max_age_minutes: Amount = setting("0", "Oldest", "Entries waiting longer expire; 0 is never", unit="min", ge=0)
    replace: Flag = setting(True, "Replace", "A newer entry for the same group replaces the waiting one")
    evaluate_seconds: Whole = setting(
        10, "Look every", "How often waiting entries are looked at", unit="s", ge=1, le=3600
    )
    priority: Annotated[tuple[QueueRule, ...], AfterValidator(_unique_rules)] = setting(
        ("pyramid_continuation", "deepest_loss", "most_replaced", "fifo"),
        "Priority", "Rules that decide who goes first, in their order; one left out does not count",
        words={
            "pyramid_continuation": "Pyramid of a live group", "deepest_loss": "Deepest loss",
            "most_replaced": "Most replaced", "highest_expected_profit": "Highest expected profit",
            "fifo": "Oldest first",
        },
    )  # fmt: skip


class RiskPage(Page):
    """Closing losers with the profit of winners (§8)."""

    enabled: Flag = setting(True, "Enabled", "Losers are closed with the profit of winners, without a click")
    loss_threshold_percent: Amount = setting(
        "-5",
        "Loss threshold",
        "A group is a candidate at this loss or a deeper one; below 0",
        part="Candidates",
        unit="%",
        lt=0,
        ge=-1000,
    )
    require_full_pyramids: Flag = setting(
        True, "Full pyramids only", "Only groups that received all their pyramids", part="Candidates"
    )
    enable_post_full_wait: Flag = setting(
        True, "Wait when full", "A full group gets time to recover first", part="Time to recover"
    )
    post_full_wait_minutes: Amount = setting(
        "60", "Wait", "How long that time is", part="Time to recover", unit="min", ge=0,
        needs=("enable_post_full_wait", (True,)),
    )  # fmt: skip
    timer_start: TimerStart = setting(
        "after_5_pyramids",
        "Wait begins",
        "What starts that time",
        part="Time to recover",
        words={
            "after_5_pyramids": "After the last pyramid",
            "after_all_dca_submitted": "After all legs are sent",
            "after_all_dca_filled": "After all legs are filled",
        },
        needs=("enable_post_full_wait", (True,)),
    )
    reset_timer_on_replacement: Flag = setting(
        False,
        "Restart on replacement",
        "A further entry after the last pyramid restarts the wait",
        part="Time to recover",
        needs=("enable_post_full_wait", (True,)),
    )
    use_trade_age_filter: Flag = setting(False, "Age filter", "Only groups of a certain age", part="Candidates")
    age_threshold_minutes: Amount = setting(
        "200", "Minimum age", "Age since the first fill", part="Candidates", unit="min", ge=0,
        needs=("use_trade_age_filter", (True,)),
    )  # fmt: skip
    max_winners: Whole = setting(
        3, "Max winners", "Winners that may pay for one loser", part="Offsets", unit="groups", ge=1, le=100
    )
    partial_close_enabled: Flag = setting(
        True, "Partial closes", "Winners give only what is needed; off: they close whole", part="Offsets"
    )
    when_short: WhenShort = setting(
        "partial",
        "If winners fall short",
        "Winners do not cover the loss: close a share of the loser, or nothing",
        part="Offsets",
        words={"partial": "Close a share", "skip": "Close nothing"},
    )
    min_close_notional: Amount = setting(
        "20", "Minimum close", "A partial close of a winner is at least worth this", part="Offsets", unit="USD", ge=0
    )
    evaluate_on_fill: Flag = setting(
        True, "Look on fills", "Candidates are looked for after each fill, too", part="When it looks"
    )
    evaluate_seconds: Whole = setting(
        10, "Look every", "How often candidates are looked for", part="When it looks", unit="s", ge=1, le=3600
    )


class FallbackPage(Page):
    """The trader's own market rules."""

    tick_size: Amount = setting(..., "Tick size", "Prices are multiples of it", gt=0)
    step_size: Amount = setting(..., "Step size", "Quantities are multiples of it", gt=0)
    min_qty: Amount = setting(..., "Minimum quantity", "The smallest quantity of an order", ge=0)
    min_notional: Amount = setting(..., "Minimum notional", "The smallest value of an order", unit="quote", ge=0)


class PrecisionPage(Page):
    """Market rules (§6)."""

    refresh_seconds: Whole = setting(
        3600, "Refresh every", "How often market rules are fetched again", unit="s", ge=1, le=604_800
    )
    fallback: RulesFallback = setting(
        "hold",
        "Rules missing",
        "Entries wait for a symbol’s rules, or use the ones given here",
        words={"hold": "Hold the entry", "defaults": "Use own rules"},
    )
    fallback_values: FallbackPage | None = setting(
        None, "Own rules", "The rules used where the real ones are missing", empty="none"
    )

    @model_validator(mode="after")
    def _has_values(self) -> Self:
        if self.fallback is RulesFallback.DEFAULTS and self.fallback_values is None:
            refuse([(("fallback_values",), 'must be given where fallback is "defaults"')])
        return self


class SafetyPage(Page):
    """Losses at which the engine pauses (§9)."""

    max_daily_loss: Amount | None = setting(
        None, "Max daily loss", "Realised loss of the day, over all accounts, at which the engine pauses",
        unit="USD", empty="off", gt=0,
    )  # fmt: skip
    max_drawdown_percent: Amount | None = setting(
        None, "Max drawdown", "Fall of total equity from its peak at which the engine pauses",
        unit="%", empty="off", gt=0, le=100,
    )  # fmt: skip
