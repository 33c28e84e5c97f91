"""A replay that passes by the prices between which nothing happens decides the same as one that looks at each (§11)."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exengine.domain.events import BlockSet, Panicked, Paused, Resumed, RiskRunAsked, SkipAsked
from exengine.domain.group import GroupKey
from exengine.domain.instrument import MarketType
from exengine.domain.reception import Arrival
from exengine.domain.settings import (
    AccountSettings,
    BeyondLastLeg,
    EntryOrder,
    GridSettings,
    LegSpec,
    PoolSettings,
    QueueRule,
    QueueSettings,
    RiskSettings,
    SafetySettings,
    Settings,
    SizingSettings,
    TakeProfitMode,
    TakeProfitSettings,
    TargetOrder,
    TimerStart,
    WhenShort,
)
from exengine.domain.signal import Signal
from exengine.domain.signal_body import parse_body
from exengine.domain.signal_parse import parse_signal
from exengine.domain.state import State
from exengine.exchange.paper_book import PaperBook
from exengine.replay.driver import Market, Record, Replay
from exengine.replay.signals_file import RecordedCommand, RecordedSignal
from tests.helpers.alerts import alert
from tests.helpers.world import BTC_PERPETUAL, ETH
from tests.property.examples import examples

T0 = 1_767_225_600_000
ETH_PERPETUAL = BTC_PERPETUAL.__class__(
    symbol="ETH/USDT:USDT", id="ETHUSDT", base="ETH", quote="USDT", type=MarketType.SWAP,
    tick_size=Decimal("0.5"), step_size=ETH.step_size, min_qty=ETH.min_qty, min_notional=Decimal(5),
    maker_fee=Decimal("0.0002"), taker_fee=Decimal("0.0005"),
)  # fmt: skip
START = {"BTCUSDT": Decimal(50000), "ETHUSDT": Decimal(2000)}

PERCENTS = st.sampled_from([Decimal(text) for text in ("0.2", "0.5", "1", "2")])
MAYBE = st.none() | PERCENTS


@st.composite
def configurations(draw: st.DrawFn) -> Settings:
    count = draw(st.sampled_from([1, 2, 4]))
    gaps = [Decimal(0), *(-draw(PERCENTS) * (place + 1) for place in range(count - 1))]
    legs = tuple(
        LegSpec(gap_percent=gap, weight_percent=Decimal(100) / count, tp_percent=draw(PERCENTS)) for gap in gaps
    )
    return Settings(
        accounts=(
            AccountSettings(
                name="paper",
                exchange="paper",
                market_type=MarketType.SWAP,
                leverage=Decimal(5),
                balances={"USDT": Decimal(10000)},
                paper_slippage_percent=Decimal(0),
            ),
        ),
        grid=GridSettings(
            legs=legs,
            max_pyramids=draw(st.integers(1, 3)),
            entry_order=draw(st.sampled_from(EntryOrder)),
            beyond_last_leg=draw(st.sampled_from(BeyondLastLeg)),
            beyond_last_leg_percent=draw(PERCENTS),
            abandon_percent=draw(MAYBE),
            replace_last_pyramid=draw(st.booleans()),
        ),
        sizing=SizingSettings(amount=Decimal(1000)),
        take_profit=TakeProfitSettings(
            mode=draw(st.sampled_from(TakeProfitMode)),
            percent=draw(PERCENTS),
            order=draw(st.sampled_from(TargetOrder)),
            close_when_flat=draw(st.booleans()),
            stop_loss_percent=draw(MAYBE),
            trailing_percent=draw(st.none() | st.none() | PERCENTS),
        ),
        pool=PoolSettings(
            max_open_groups=draw(st.integers(1, 3)),
            pyramids_bypass=draw(st.booleans()),
            max_per_symbol=draw(st.sampled_from([None, None, 1])),
            max_exposure=draw(st.sampled_from([None, None, Decimal(2500)])),
        ),
        queue=QueueSettings(
            max_age_minutes=draw(st.sampled_from([Decimal(0), Decimal(0), Decimal("0.7"), Decimal(2)])),
            evaluate_seconds=draw(st.sampled_from([5, 10, 13])),
            replace=draw(st.booleans()),
            priority=draw(st.sampled_from([tuple(QueueRule), (QueueRule.DEEPEST_LOSS,), ()])),
        ),
        risk=draw(risks()),
        safety=SafetySettings(
            max_daily_loss=draw(st.sampled_from([None, None, Decimal(2)])),
            max_drawdown_percent=draw(st.sampled_from([None, None, Decimal("0.2")])),
        ),
    )


def risks() -> st.SearchStrategy[RiskSettings]:
    return st.builds(
        RiskSettings,
        enabled=st.sampled_from([True, True, True, False]),
        loss_threshold_percent=PERCENTS.map(lambda percent: -percent),
        require_full_pyramids=st.booleans(),
        enable_post_full_wait=st.booleans(),
        post_full_wait_minutes=st.sampled_from([Decimal(0), Decimal("0.3"), Decimal(1)]),
        timer_start=st.sampled_from(TimerStart),
        reset_timer_on_replacement=st.booleans(),
        use_trade_age_filter=st.booleans(),
        age_threshold_minutes=st.sampled_from([Decimal("0.25"), Decimal("1.00001"), Decimal(3)]),
        max_winners=st.integers(1, 3),
        partial_close_enabled=st.booleans(),
        when_short=st.sampled_from(WhenShort),
        min_close_notional=st.sampled_from([Decimal(0), Decimal(20)]),
        evaluate_on_fill=st.booleans(),
        evaluate_seconds=st.sampled_from([3, 7, 10]),
    )


Prices = dict[str, list[tuple[int, Decimal]]]


@st.composite
def walks(draw: st.DrawFn) -> Prices:
    """Prices that walk by small and sometimes large steps, on the tick; now and then two at one time."""
    found: Prices = {}
    for name, tick in (("BTCUSDT", Decimal("0.1")), ("ETHUSDT", Decimal("0.5"))):
        price, ticks, at_ms = START[name], [], T0 + draw(st.sampled_from([0, 0, 40_000]))
        every_ms, share = draw(st.sampled_from([1000, 5000, 7000, 10_000])), draw(st.sampled_from([2000, 5000, 20_000]))
        for moved in draw(st.lists(st.integers(-40, 40), min_size=10, max_size=80)):
            price += (price * moved / share / tick).to_integral_value() * tick
            ticks.append((at_ms, price))
            at_ms += every_ms if moved % 9 else 0
        found[name] = ticks
    return found


@st.composite
def alerts(draw: st.DrawFn) -> list[RecordedSignal | RecordedCommand]:
    said: list[RecordedSignal | RecordedCommand] = []
    for _ in range(draw(st.integers(1, 12))):
        at_ms = T0 + draw(st.integers(0, 400)) * 1000
        key = GroupKey("paper", draw(st.sampled_from(["BTC/USDT:USDT", "ETH/USDT:USDT"])), "15m")
        if draw(st.integers(0, 7)) == 0:
            commands = (
                Paused(),
                Resumed(),
                RiskRunAsked(),
                BlockSet(key=key, blocked=True),
                BlockSet(key=key, blocked=False),
                SkipAsked(key=key),
                Panicked(entries_only=True),
            )
            said.append(RecordedCommand(at_ms=at_ms, asked=draw(st.sampled_from(commands))))
            continue
        name = key.symbol.partition(":")[0].replace("/", "")
        action = draw(st.sampled_from(["long", "short", "long", "short", "sell"]))
        price = START[name] * (1 + Decimal(draw(st.integers(-20, 20))) / 1000)
        sign = 1 if action == "long" else -1
        risk: dict[str, Any] = {}
        if draw(st.integers(0, 3)) == 0:
            risk["stop_loss"] = price * (1 - sign * Decimal("0.015"))
        if draw(st.integers(0, 3)) == 0:
            risk["take_profit"] = price * (1 + sign * Decimal("0.012"))
        intent = draw(st.sampled_from(["signal"] * 6 + ["exit", "reduce", "reverse"]))
        body = alert(
            timestamp=at_ms,
            tv__symbol=f"{name}.P",
            tv__action=action,
            tv__entry_price=price,
            tv__order_size="0.005" if intent == "reduce" else None,
            tv__timeframe=draw(st.sampled_from(["15", "15", "60"])),
            execution_intent={"type": intent},
            risk=risk,
        )
        said.append(RecordedSignal(at_ms=at_ms, body=parse_body(json.dumps(body, default=str))))
    return sorted(said, key=lambda one: one.at_ms)


def arrived(recorded: RecordedSignal) -> Arrival:
    parsed = parse_signal(recorded.body)
    signal = parsed if isinstance(parsed, Signal) else None
    errors = () if isinstance(parsed, Signal) else parsed
    return Arrival(received_at_ms=recorded.at_ms, source_address="", body="", signal=signal, errors=errors)


def played(
    config: Settings, prices: Prices, said: list[RecordedSignal | RecordedCommand], *, every_tick: bool
) -> Record:
    state = State(instance="replay", settings=config)
    state.start["paper", "USDT"] = Decimal(10000)
    book = PaperBook("paper", leverage=Decimal(5))
    markets = (BTC_PERPETUAL, ETH_PERPETUAL)
    book.list_instruments(markets)
    book.deposit("USDT", Decimal(10000))
    record = Record()
    replay = Replay(
        state, [Market(book=book, instruments=markets)], record, arrived, lambda at_ms: None, every_tick=every_tick
    )
    for _ in replay.run(prices, said):
        pass
    return record


@examples(500)
@given(configurations(), walks(), alerts())
def test_what_is_passed_by_would_have_changed_nothing(config, prices, said):
    quick = played(config, prices, said, every_tick=False)
    whole = played(config, prices, said, every_tick=True)
    for part in ("signals", "orders", "fills", "groups", "queue_events", "offsets"):
        assert getattr(quick, part) == getattr(whole, part), part
