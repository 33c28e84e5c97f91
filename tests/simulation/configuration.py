"""The trader's configuration of a life, from the plain values that its plan chooses."""

from decimal import Decimal
from typing import Any

from exengine.domain.instrument import MarketType
from exengine.domain.settings import (
    AccountSettings,
    BelowMinimum,
    BeyondLastLeg,
    EntryOrder,
    ExecutionSettings,
    GapReference,
    GridSettings,
    LegSpec,
    PoolSettings,
    QueueRule,
    QueueSettings,
    RiskSettings,
    SafetySettings,
    Settings,
    SizingMode,
    SizingSettings,
    SlippageAction,
    TakeProfitMode,
    TakeProfitSettings,
    TargetOrder,
    TimerStart,
    WhenShort,
)

D = Decimal
Args = dict[str, Any]

LADDERS = (
    (("0", "25", "1"), ("-0.5", "25", "0.5"), ("-1", "25", "2"), ("-2", "25", "1.5")),
    (("0", "50", "0.5"), ("-1", "50", "1")),
    (("0", "100", "2"),),
    (("-1", "40", "1"), ("0", "60", "5")),
    (("0", "100", "30"),),
)


def settings_of(choices: Args) -> Settings:
    """The trader's configuration of a life."""
    c = choices
    accounts = tuple(
        AccountSettings(
            name=name,
            exchange={"spot": "binance", "swap": "bybit"}[name],
            market_type=MarketType(name),
            leverage=D(c["leverage"]) if name == "swap" else D(1),
        )
        for name in c["accounts"]
    )
    legs = tuple(LegSpec(gap_percent=D(g), weight_percent=D(w), tp_percent=D(t)) for g, w, t in LADDERS[c["ladder"]])
    sizing = SizingMode(c["sizing"])
    return Settings(
        accounts=accounts,
        grid=GridSettings(
            max_pyramids=c["max_pyramids"],
            legs=legs,
            gap_reference=GapReference(c["gap_reference"]),
            entry_order=EntryOrder(c["entry_order"]),
            abandon_percent=None if c["abandon"] is None else D(c["abandon"]),
            replace_last_pyramid=c["replace_last"],
            on_below_minimum=BelowMinimum(c["below_minimum"]),
            beyond_last_leg=BeyondLastLeg(c["beyond"]),
            min_pyramid_gap_percent=D(c["pyramid_gap"]),
            pyramid_multipliers=tuple(D(one) for one in c["multipliers"]),
            post_only=c["post_only"],
        ),
        sizing=SizingSettings(mode=sizing, amount=D(c["amount"]) if sizing is SizingMode.FIXED else D(15)),
        take_profit=TakeProfitSettings(
            mode=TakeProfitMode(c["tp_mode"]),
            percent=D(c["tp_percent"]),
            order=TargetOrder(c["tp_order"]),
            close_when_flat=c["close_when_flat"],
            stop_loss_percent=None if c["stop"] is None else D(c["stop"]),
            trailing_percent=None if c["trailing"] is None else D(c["trailing"]),
        ),
        execution=ExecutionSettings(
            max_slippage_percent=D(c["slippage"]), slippage_action=SlippageAction(c["slippage_action"])
        ),
        pool=PoolSettings(
            max_open_groups=c["slots"],
            pyramids_bypass=c["bypass"],
            max_per_symbol=c["per_symbol"],
            max_exposure=None if c["exposure"] is None else D(c["exposure"]),
        ),
        queue=QueueSettings(
            limit=c["queue_limit"],
            replace=c["queue_replace"],
            max_age_minutes=D(c["queue_age"]),
            priority=tuple(QueueRule(rule) for rule in c["priority"]),
        ),
        risk=RiskSettings(
            enabled=c["risk"],
            loss_threshold_percent=D(-3),
            require_full_pyramids=c["full_pyramids"],
            post_full_wait_minutes=D(c["risk_wait"]),
            timer_start=TimerStart(c["timer_start"]),
            partial_close_enabled=c["partial_close"],
            when_short=WhenShort(c["when_short"]),
            evaluate_on_fill=c["on_fill"],
            max_winners=c["winners"],
            reset_timer_on_replacement=c["reset_timer"],
        ),
        safety=SafetySettings(
            max_daily_loss=None if c["daily_loss"] is None else D(c["daily_loss"]),
            max_drawdown_percent=None if c["drawdown"] is None else D(c["drawdown"]),
        ),
    )
