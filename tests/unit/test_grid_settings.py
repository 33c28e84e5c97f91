"""The ladder by each setting of the grid, its overrides, and the order of an entry's checks (SPEC §3.1)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exengine.domain.events import Paused
from exengine.domain.group import GroupStatus, LegState
from exengine.domain.instrument import MarketType, Side
from exengine.domain.order import OrderStatus, OrderType, Role
from exengine.domain.reception import Outcome
from exengine.domain.settings import (
    PAPER,
    BelowMinimum,
    EntryOrder,
    GapReference,
    GridSettings,
    LegSpec,
    Override,
    OverrideMatch,
    PoolSettings,
    Settings,
    SizingSettings,
    TakeProfitMode,
)
from tests.helpers.world import BTC, BTC_PERPETUAL, ETH, World

SWAP = replace(PAPER, market_type=MarketType.SWAP)


def legs(*rows: tuple[str, str, str]) -> tuple[LegSpec, ...]:
    return tuple(LegSpec(gap_percent=Decimal(g), weight_percent=Decimal(w), tp_percent=Decimal(t)) for g, w, t in rows)


ONE = GridSettings(legs=legs(("0", "100", "10")))
TWO = GridSettings(legs=legs(("0", "50", "10"), ("-1", "50", "10")))


def world(grid: GridSettings = ONE, amount: str = "1000", *, price: str | None = "60000", **changes: Any) -> World:
    """Nothing fills of a long: the market is above."""
    instruments = changes.pop("instruments", (BTC, ETH))
    made = World(Settings(grid=grid, sizing=SizingSettings(amount=Decimal(amount)), **changes), instruments=instruments)
    if price:
        made.price(instruments[0].symbol, price)
    return made


def ladder(made: World, *, pyramid: int = 0) -> list[tuple[str, str]]:
    return [
        (f"{order.price:f}" if order.price is not None else "market", f"{order.qty.normalize():f}")
        for order in made.role(Role.ENTRY)
        if order.pyramid == pyramid
    ]


def told(record) -> tuple[Outcome, str]:
    return record.outcome, record.reason


def test_a_long_ladder_is_down_to_the_tick_and_its_quantities_down_to_the_step():
    made = world(TWO)
    made.alert("33333.33")
    # 33333.33 × 0.99 = 32999.9967 → 32999.99; 500 / 33333.33 = 0.0150000015…; 500 / 32999.99 = 0.0151515…
    assert ladder(made) == [("33333.33", "0.015"), ("32999.99", "0.01515")]


def test_a_short_ladder_is_up_to_the_tick():
    made = world(TWO, accounts=(SWAP,), instruments=(BTC_PERPETUAL,), price="30000")
    made.alert("33333.3", "short")
    # 33333.3 × 1.01 = 33666.633 → 33666.7
    assert ladder(made) == [("33333.3", "0.015"), ("33666.7", "0.014")]


def test_on_swap_the_quantity_is_in_contracts():
    contracts = replace(BTC_PERPETUAL, contract_size=Decimal("0.01"), step_size=Decimal(1), min_qty=Decimal(1))
    made = world(accounts=(SWAP,), instruments=(contracts,))
    made.alert("30000")
    assert ladder(made) == [("30000", "3")]


def test_a_quantity_above_the_maximum_is_cut_to_it_with_a_warning():
    made = world(instruments=(replace(BTC, max_qty=Decimal("0.015")),))
    made.alert("50000")
    assert ladder(made) == [("50000", "0.015")]
    assert any("maximum" in note.text for note in made.notes)


def test_all_legs_go_out_together():
    made = world(TWO)
    made.alert("50000")
    (step,) = [step for step in made.steps if len(step.commands) > 1]
    assert len(step.commands) == 2


def test_strict_precision_refuses_a_price_off_the_tick_and_auto_rounds_it():
    made = world()
    strict = {"type": "signal", "precision_mode": "strict"}
    assert told(made.alert("50000.001", execution_intent=strict)) == (Outcome.REFUSED, "precision")
    assert made.alert("50000.01", execution_intent=strict).outcome is Outcome.OPENED
    assert made.alert("50000.019").outcome is Outcome.PYRAMID
    assert ladder(made, pyramid=1)[0][0] == "50000.01"


@pytest.mark.parametrize(("reference", "wanted"), [(GapReference.PYRAMID, "48510"), (GapReference.GROUP, "49500")])
def test_gap_reference_says_whose_base_price_the_gaps_count_from(reference, wanted):
    made = world(replace(TWO, gap_reference=reference))
    made.alert("50000")
    made.alert("49000")
    assert [Decimal(price) for price, _ in ladder(made, pyramid=1)] == [Decimal(49000), Decimal(wanted)]


def test_a_market_entry_sends_leg_0_alone_as_a_market_order_by_the_last_price():
    made = world(replace(TWO, entry_order=EntryOrder.MARKET), price="40000")
    made.alert("50000")
    assert ladder(made) == [("market", "0.0125"), ("49500.00", "0.0101")]
    assert made.role(Role.ENTRY)[0].type is OrderType.MARKET


def test_before_the_first_price_a_market_entrys_quantity_goes_by_the_signals():
    made = world(replace(TWO, entry_order=EntryOrder.MARKET), price=None)
    made.alert("50000")
    assert ladder(made)[0] == ("market", "0.01")
    made.price("BTC/USDT", "50100")
    assert made.role(Role.ENTRY)[0].average_price == Decimal(50100)


def test_a_post_only_leg_that_crosses_is_refused_by_the_exchange_and_the_others_stand():
    made = world(replace(TWO, post_only=True), price="50000")
    made.alert("50000")
    assert [order.status for order in made.role(Role.ENTRY)] == [OrderStatus.REJECTED, OrderStatus.OPEN]
    assert made.group().leg((0, 0)).state is LegState.REJECTED
    assert made.group().status is GroupStatus.LIVE
    assert made.group().errors


def test_without_post_only_it_takes_what_is_there():
    made = world(TWO, price="50000")
    made.alert("50000")
    assert made.role(Role.ENTRY)[0].status is OrderStatus.FILLED


SMALL = GridSettings(legs=legs(("0", "98", "1"), ("-1", "2", "1")))
"""With 100 of capital the second leg is 2 USDT, and the minimum 5."""


def test_a_leg_below_the_minimum_is_blocked_with_a_precision_warning_and_its_weight_stays_where_it_is():
    made = world(SMALL, "100")
    made.alert("50000")
    assert ladder(made) == [("50000", "0.00196")]
    assert made.group().leg((0, 1)).state is LegState.BLOCKED
    assert [note.category.value for note in made.notes if "below the exchange’s minimum" in note.text] == ["precision"]


def test_reject_refuses_the_pyramid_for_one_leg_below_the_minimum():
    made = world(replace(SMALL, on_below_minimum=BelowMinimum.REJECT), "100")
    assert told(made.alert("50000")) == (Outcome.REFUSED, "below_minimum")


def test_raise_takes_the_smallest_valid_quantity():
    made = world(replace(SMALL, on_below_minimum=BelowMinimum.RAISE), "100")
    made.alert("50000")
    # 5 / 49500 = 0.00010101… → 0.00011
    assert ladder(made)[1] == ("49500.00", "0.00011")


@pytest.mark.parametrize("mode", [BelowMinimum.SKIP_LEG, BelowMinimum.REJECT])
def test_where_all_legs_are_blocked_the_pyramid_is_rejected(mode):
    assert told(world(replace(SMALL, on_below_minimum=mode), "4").alert("50000")) == (Outcome.REFUSED, "below_minimum")


@pytest.mark.parametrize(
    ("second", "outcome"), [("49501", "refused"), ("49500", "pyramid"), ("50499", "refused"), ("50500", "pyramid")]
)
def test_a_pyramid_nearer_than_the_least_gap_to_the_last_one_is_refused(second, outcome):
    made = world(replace(ONE, min_pyramid_gap_percent=Decimal(1)))
    made.alert("50000")
    record = made.alert(second)
    assert told(record) == (Outcome(outcome), "too_close" if outcome == "refused" else "")


def test_the_gap_is_to_the_last_pyramid_and_not_to_the_first():
    made = world(replace(ONE, min_pyramid_gap_percent=Decimal(1)))
    made.alert("50000")
    made.alert("49000")
    assert made.alert("50000").outcome is Outcome.PYRAMID
    assert made.alert("50000").reason == "too_close"


@pytest.mark.parametrize("most", [1, 3])
def test_max_pyramids_entries_make_a_group(most):
    made = world(replace(ONE, max_pyramids=most))
    records = [made.alert("50000") for _ in range(most + 1)]
    assert told(records[-1]) == (Outcome.IGNORED, "max_pyramids")
    assert len(made.group().pyramids) == most


def rule(match: dict[str, Any], **parts: dict[str, Any]) -> Override:
    return Override(match=OverrideMatch(**match), **parts)


def sized(amount: str) -> dict[str, Any]:
    return {"sizing": {"amount": Decimal(amount)}}


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({}, True),
        ({"account": "paper"}, True),
        ({"account": "other"}, False),
        ({"symbol": "BTC/USDT"}, True),
        ({"symbol": "ETH/USDT"}, False),
        ({"symbol": "*/USDT"}, True),
        ({"symbol": "*/BTC"}, False),
        ({"symbol": "BTC/USD?"}, True),
        ({"timeframe": "15m"}, True),
        ({"timeframe": "1h"}, False),
        ({"side": Side.LONG}, True),
        ({"side": Side.SHORT}, False),
        ({"pyramid": 0}, True),
        ({"pyramid": 1}, False),
        ({"symbol": "BTC/USDT", "timeframe": "1h"}, False),
    ],
)
def test_an_override_is_for_what_all_its_fields_fit(match, fits):
    made = world(overrides=(rule(match, **sized("500")),))
    made.alert("50000")
    assert made.group().pyramids[0].capital == (500 if fits else 1000)


@pytest.mark.parametrize(
    ("rules", "amount"),
    [
        # An exact field counts 2, a pattern 1, wherever the rules stand.
        ([({"symbol": "BTC/USDT"}, "1"), ({"symbol": "*/USDT"}, "2")], "1"),
        ([({"symbol": "*/USDT", "side": Side.LONG}, "1"), ({"symbol": "BTC/USDT"}, "2")], "1"),
        ([({"symbol": "*/USDT", "side": Side.LONG}, "1"), ({"symbol": "BTC/USDT", "timeframe": "15m"}, "2")], "2"),
        # Ties go to the later rule.
        ([({"timeframe": "15m"}, "1"), ({"symbol": "BTC/USDT"}, "2")], "2"),
        ([({"symbol": "BTC/USDT"}, "1"), ({"timeframe": "15m"}, "2")], "2"),
        ([({}, "1"), ({}, "2")], "2"),
    ],
)
def test_the_most_specific_rule_wins(rules, amount):
    made = world(overrides=tuple(rule(match, sizing={"amount": Decimal(one) * 100}) for match, one in rules))
    made.alert("50000")
    assert made.group().pyramids[0].capital == Decimal(amount) * 100


def test_each_value_is_decided_by_itself():
    made = world(
        overrides=(
            rule({"symbol": "BTC/USDT"}, sizing={"amount": Decimal(500)}),
            rule({"symbol": "*/USDT"}, sizing={"amount": Decimal(100)}, grid={"max_pyramids": 2}),
            rule({"side": Side.LONG}, take_profit={"mode": TakeProfitMode.AGGREGATE}),
        )
    )
    made.alert("50000")
    (plan, _) = made.group().plans
    assert plan.sizing.amount == 500
    assert plan.take_profit.mode is TakeProfitMode.AGGREGATE


def test_a_rule_for_a_pyramid_sets_its_legs_its_multiplier_and_its_sizing():
    made = world(
        overrides=(
            rule(
                {"pyramid": 1}, grid={"legs": TWO.legs, "pyramid_multipliers": (Decimal(1), Decimal(3))}, **sized("400")
            ),
        )
    )
    made.alert("50000")
    made.alert("40000")
    assert [pyramid.capital for pyramid in made.group().pyramids] == [1000, 1200]
    assert [len(pyramid.legs) for pyramid in made.group().pyramids] == [1, 2]


def test_multipliers_are_by_index_and_one_beyond_the_list():
    made = world(replace(ONE, pyramid_multipliers=(Decimal(1), Decimal("1.5"))))
    for price in ("50000", "40000", "30000"):
        made.alert(price)
    assert [pyramid.capital for pyramid in made.group().pyramids] == [1000, 1500, 1000]


def test_a_further_entry_places_the_last_pyramids_unfilled_legs_anew_where_the_trader_wants_it_so():
    made = world(replace(TWO, max_pyramids=1, replace_last_pyramid=True), price="50000")
    made.alert("50000")
    made.price("BTC/USDT", "49800")
    record = made.alert("49000", risk={"stop_loss": "40000"})
    assert told(record) == (Outcome.REPLACED, "")
    assert [(o.price, o.status) for o in made.role(Role.ENTRY)] == [
        (Decimal(50000), OrderStatus.FILLED),
        (Decimal(49500), OrderStatus.CANCELLED),
        (Decimal(48510), OrderStatus.OPEN),
    ]
    assert made.group().stop_price == 40000


def test_a_market_leg_that_is_placed_anew_rests_as_a_limit_order_by_its_price():
    grid = replace(ONE, max_pyramids=1, replace_last_pyramid=True, entry_order=EntryOrder.MARKET)
    made = world(grid, price=None)
    made.alert("50000")
    made.alert("40000")
    assert ladder(made) == [("market", "0.02"), ("40000", "0.025")]


FULL = PoolSettings(max_open_groups=1)


@pytest.mark.parametrize(
    ("setup", "answer"),
    [
        ({"side": "short", "missing": True}, "short_not_supported"),
        ({"most": 1, "paused": True}, "max_pyramids"),
        ({"opposite": True, "paused": True}, "opposite_side"),
        ({"missing": True, "paused": True}, "missing_rules"),
        ({"paused": True, "full": True}, "paused"),
        ({"full": True, "symbol_limit": True}, "pool_full"),
        ({"symbol_limit": True, "strict": True}, "max_per_symbol"),
        ({"near": True, "strict": True}, "too_close"),
        ({"strict": True, "slips": True}, "precision"),
        ({"slips": True, "tiny": True}, "slippage"),
        ({"tiny": True, "exposed": True}, "below_minimum"),
        ({"dear": True, "exposed": True}, "insufficient_funds"),
        ({"exposed": True}, "max_exposure"),
    ],
)
def test_the_first_check_that_fails_is_the_answer(setup, answer):
    account = replace(PAPER, market_type=MarketType.SWAP) if setup.get("opposite") else PAPER
    market = BTC_PERPETUAL if setup.get("opposite") else BTC
    if setup.get("slips"):
        account = replace(account, paper_slippage_percent=Decimal(5))
    amount = "1" if setup.get("tiny") else "99999999" if setup.get("dear") else "1000"
    symbols = 1 if setup.get("symbol_limit") else None
    exposure = Decimal(10) if setup.get("exposed") and not setup.get("tiny") else None
    settings = Settings(
        accounts=(account,),
        grid=replace(
            ONE,
            max_pyramids=setup.get("most", 5),
            min_pyramid_gap_percent=Decimal(5) if setup.get("near") else Decimal(0),
            entry_order=EntryOrder.MARKET if setup.get("slips") else EntryOrder.LIMIT,
        ),
        sizing=SizingSettings(amount=Decimal(amount)),
        pool=PoolSettings(
            max_open_groups=1 if setup.get("full") else 10, max_per_symbol=symbols, max_exposure=exposure
        ),
    )
    made = World(settings, instruments=(market,), load=not setup.get("missing"))
    made.price(market.symbol, "60000")
    if setup.get("full") or setup.get("symbol_limit"):
        made.alert("50000", tv__timeframe="60")
    if {"most", "opposite", "near"} & setup.keys():
        made.alert("50000")
    if setup.get("paused"):
        made.tell(Paused())
    side = "short" if setup.get("opposite") else setup.get("side", "buy")
    strict = {"type": "signal", "precision_mode": "strict" if setup.get("strict") else "auto"}
    assert made.alert("50000.001", side, execution_intent=strict).reason == answer
