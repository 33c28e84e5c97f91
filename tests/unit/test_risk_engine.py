"""Who is paid off, when, by whom and how much of it (SPEC §8), worked out by hand; every value of `risk` in turn."""

import sys
from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.events import AccountLost, BlockSet, OrderRejected, Paused, RiskDue, RiskRunAsked, SkipAsked
from exengine.domain.group import CloseReason, Group, GroupKey, GroupStatus
from exengine.domain.instrument import Instrument
from exengine.domain.money import arithmetic
from exengine.domain.order import OrderStatus, Role
from exengine.domain.reception import SignalRecord
from exengine.domain.risk_timer import timer_left_ms
from exengine.domain.settings import (
    PAPER,
    AccountSettings,
    GridSettings,
    LegSpec,
    MarketType,
    RiskSettings,
    Settings,
    SizingMode,
    SizingSettings,
    TimerStart,
    WhenShort,
)
from exengine.domain.state import OffsetPlan
from exengine.exchange.paper_book import Fees
from tests.helpers.world import BTC, BTC_PERPETUAL, ETH, World

MINUTE_MS = 60_000
D = Decimal


def coin(base: str, quote: str = "USDT", **changes: object) -> Instrument:
    return replace(ETH, symbol=f"{base}/{quote}", id=f"{base}{quote}", base=base, quote=quote, **changes)


SOL = coin("SOL", tick_size=D("0.01"), step_size=D("0.001"), min_qty=D("0.001"))


def grid(*legs: tuple[str, str], **changes: object) -> GridSettings:
    specs = tuple(LegSpec(gap_percent=D(gap), weight_percent=D(weight), tp_percent=D(90)) for gap, weight in legs)
    return GridSettings(legs=specs, **{"max_pyramids": 1, **changes})


def world(
    instruments: tuple[Instrument, ...] = (BTC, ETH, SOL),
    grid_settings: GridSettings | None = None,
    account: AccountSettings = PAPER,
    fees: str = "0",
    slippage: str = "0",
    **risk: object,
) -> World:
    settings = Settings(
        accounts=(replace(account, paper_slippage_percent=D(slippage)),),
        grid=grid_settings or grid(("0", "100")),
        sizing=SizingSettings(mode=SizingMode.SIGNAL),
        risk=RiskSettings(**{"post_full_wait_minutes": D(1), **risk}),
    )
    own = Fees(maker=D(fees), taker=D(fees))
    instruments = tuple(replace(one, maker_fee=D(fees), taker_fee=D(fees)) for one in instruments)
    return World(settings, instruments=instruments, fees=own, slippage_percent=D(slippage))


def entry(one: World, symbol: str, price: str, quote: str, timeframe: str = "15", **changes: object) -> SignalRecord:
    one.price(symbol, price)
    name = symbol.partition(":")[0].replace("/", "") + (".P" if ":" in symbol else "")
    sized = {"tv__order_size": quote, "execution_intent": {"type": "signal", "position_size_type": "quote"}}
    return one.alert(price, **{"tv__symbol": name, "tv__timeframe": timeframe, **sized, **changes})


def look(one: World, after_ms: int = 2 * MINUTE_MS) -> None:
    """The timer's look, some time later."""
    one.now_ms += after_ms
    one.tell(RiskDue())


def plans(one: World) -> list[OffsetPlan]:
    return [plan for step in one.steps for plan in step.plans]


def group(one: World, symbol: str, timeframe: str = "15m") -> Group:
    return one.groups[f"paper|{symbol}|{timeframe}#1"]


def key(symbol: str, timeframe: str = "15m") -> GroupKey:
    return GroupKey("paper", symbol, timeframe)


def loser_and_winner(one: World) -> None:
    """BTC 0.02 at -10 %: 100 USD behind. ETH 1.0 from 2,000 to 2,200: 200 USD ahead."""
    entry(one, "BTC/USDT", "50000", "1000")
    entry(one, "ETH/USDT", "2000", "2000")
    one.price("BTC/USDT", "45000")
    one.price("ETH/USDT", "2200")


# who is a candidate ---------------------------------------------------------------------------------------------------


def test_the_profit_of_a_winner_and_not_its_turnover_pays_the_loss() -> None:
    one = world()
    loser_and_winner(one)
    look(one)
    (plan,) = plans(one)
    (line,) = plan.lines
    assert (plan.required, line.take, line.qty, line.realised) == (100, 100, D("0.5"), 100)
    assert group(one, "BTC/USDT").reason is CloseReason.RISK_OFFSET
    assert group(one, "ETH/USDT").net_qty == D("0.5")
    assert group(one, "ETH/USDT").is_open


def test_a_pause_does_not_concern_it() -> None:
    one = world()
    loser_and_winner(one)
    one.tell(Paused())
    look(one)
    assert len(plans(one)) == 1


def test_an_account_that_is_away_pays_for_nobody_and_is_not_paid_for() -> None:
    one = world()
    loser_and_winner(one)
    one.tell(AccountLost(account="paper", why="no answer"))
    look(one)
    assert not plans(one)


def test_disabled_it_does_nothing_by_itself_and_all_the_same_on_request() -> None:
    one = world(enabled=False)
    loser_and_winner(one)
    look(one)
    assert not plans(one)
    one.tell(RiskRunAsked())
    assert len(plans(one)) == 1


def test_run_now_does_not_wait_for_the_timer_but_for_every_other_condition() -> None:
    one = world(post_full_wait_minutes=D(600))
    loser_and_winner(one)
    look(one)
    assert not plans(one)
    one.tell(RiskRunAsked())
    assert len(plans(one)) == 1
    mild = world(post_full_wait_minutes=D(600), loss_threshold_percent=D(-11))
    loser_and_winner(mild)
    mild.tell(RiskRunAsked())
    assert not plans(mild)


def test_run_now_goes_on_to_the_next_loser_under_the_same_conditions() -> None:
    one = world(enabled=False)
    loser_and_winner(one)
    entry(one, "SOL/USDT", "200", "200")
    one.price("SOL/USDT", "180")
    one.tell(RiskRunAsked())
    assert [plan.loser_id for plan in plans(one)] == ["paper|BTC/USDT|15m#1", "paper|SOL/USDT|15m#1"]


@pytest.mark.parametrize(("threshold", "paid"), [("-10", True), ("-10.01", False)])
def test_the_loss_reaches_the_threshold_at_the_threshold(threshold: str, paid: bool) -> None:
    one = world(loss_threshold_percent=D(threshold))
    loser_and_winner(one)
    look(one)
    assert bool(plans(one)) is paid


@pytest.mark.parametrize(("required", "paid"), [(True, False), (False, True)])
def test_a_group_needs_all_its_pyramids_unless_that_is_not_required(required: bool, paid: bool) -> None:
    one = world(grid_settings=grid(("0", "100"), max_pyramids=2), require_full_pyramids=required)
    loser_and_winner(one)
    look(one)
    assert bool(plans(one)) is paid


def test_without_full_pyramids_the_timer_runs_from_the_latest_one() -> None:
    one = world(grid_settings=grid(("0", "100"), max_pyramids=3), require_full_pyramids=False)
    loser_and_winner(one)
    one.now_ms += 50_000
    entry(one, "BTC/USDT", "45000", "100")
    look(one, after_ms=50_000)
    assert not plans(one)
    look(one, after_ms=11_000)
    assert len(plans(one)) == 1


def test_the_wait_may_be_switched_off() -> None:
    one = world(enable_post_full_wait=False, post_full_wait_minutes=D(600))
    loser_and_winner(one)
    look(one, after_ms=0)
    assert len(plans(one)) == 1


@pytest.mark.parametrize(
    ("start", "left_s"),
    [
        (TimerStart.AFTER_5_PYRAMIDS, 48),  # the alert came 12 s before the look
        (TimerStart.AFTER_ALL_DCA_SUBMITTED, 48),
        (TimerStart.AFTER_ALL_DCA_FILLED, 50),  # the second leg filled 10 s before it
    ],
)
def test_the_timer_starts_where_it_is_told_to(start: TimerStart, left_s: int) -> None:
    one = world(grid_settings=grid(("0", "50"), ("-1", "50")), timer_start=start)
    entry(one, "BTC/USDT", "50000", "1000")
    one.price("BTC/USDT", "49500", after_ms=2000)
    look(one, after_ms=10_000)
    assert timer_left_ms(one.state, group(one, "BTC/USDT"), one.now_ms) == left_s * 1000


def test_the_timer_after_all_legs_does_not_run_while_one_is_unfilled() -> None:
    one = world(grid_settings=grid(("0", "50"), ("-50", "50")), timer_start=TimerStart.AFTER_ALL_DCA_FILLED)
    loser_and_winner(one)
    look(one)
    assert timer_left_ms(one.state, group(one, "BTC/USDT"), one.now_ms) is None
    assert not plans(one)


def test_the_timer_after_submission_waits_for_the_exchange_to_have_every_leg() -> None:
    one = world(timer_start=TimerStart.AFTER_ALL_DCA_SUBMITTED)
    one.book.list_instruments((BTC, ETH, SOL))
    entry(one, "BTC/USDT", "50000", "1000")
    opened = group(one, "BTC/USDT")
    assert opened.submitted_at_ms == opened.pyramids[0].received_at_ms
    silent = world(timer_start=TimerStart.AFTER_ALL_DCA_SUBMITTED)
    silent.book.place = lambda order, now_ms: []  # type: ignore[method-assign]  # the answer is under way
    entry(silent, "BTC/USDT", "50000", "1000")
    assert group(silent, "BTC/USDT").submitted_at_ms is None


@pytest.mark.parametrize(("reset", "required", "left_s"), [(False, True, 0), (True, True, 60), (True, False, 60)])
def test_a_further_entry_restarts_the_timer_only_where_that_is_wanted(reset: bool, required: bool, left_s: int) -> None:
    one = world(reset_timer_on_replacement=reset, require_full_pyramids=required)
    entry(one, "BTC/USDT", "50000", "1000")
    one.now_ms += 70_000
    assert entry(one, "BTC/USDT", "50000", "1000").reason == "max_pyramids"
    assert timer_left_ms(one.state, group(one, "BTC/USDT"), one.now_ms) == left_s * 1000


def test_the_age_filter_counts_from_the_first_fill() -> None:
    one = world(use_trade_age_filter=True, age_threshold_minutes=D(5))
    loser_and_winner(one)
    first = group(one, "BTC/USDT").first_fill_at_ms
    assert first is not None
    look(one, after_ms=first + 5 * MINUTE_MS - 1 - one.now_ms)
    assert not plans(one)
    look(one, after_ms=1)
    assert len(plans(one)) == 1


def test_a_blocked_group_is_neither_loser_nor_winner_until_it_is_unblocked() -> None:
    for symbol in ("BTC/USDT", "ETH/USDT"):
        one = world()
        loser_and_winner(one)
        one.tell(BlockSet(key=key(symbol), blocked=True))
        look(one)
        assert not plans(one)
        one.tell(BlockSet(key=key(symbol), blocked=False))
        look(one, after_ms=10_000)
        assert len(plans(one)) == 1


def test_skipped_once_means_the_next_evaluation_in_which_it_would_be_a_candidate() -> None:
    one = world()
    loser_and_winner(one)
    one.tell(SkipAsked(key=key("BTC/USDT")))
    look(one, after_ms=1000)  # its timer still runs: it is no candidate, the skip is kept
    assert group(one, "BTC/USDT").skip_once
    look(one)
    assert not plans(one)
    assert not group(one, "BTC/USDT").skip_once
    look(one, after_ms=10_000)
    assert len(plans(one)) == 1


def test_a_fill_makes_it_look_at_once_unless_that_is_switched_off() -> None:
    for on_fill in (True, False):
        one = world(evaluate_on_fill=on_fill)
        loser_and_winner(one)
        one.now_ms += 2 * MINUTE_MS
        entry(one, "SOL/USDT", "200", "100")
        one.look_at_losers()
        assert bool(plans(one)) is on_fill


# who is chosen --------------------------------------------------------------------------------------------------------


def test_the_lowest_percent_goes_first_then_the_larger_loss_then_the_older_group() -> None:
    one = world(post_full_wait_minutes=D(0))
    entry(one, "ETH/USDT", "2000", "2000")
    for timeframe, quote in (("1", "500"), ("3", "1000"), ("5", "1000")):
        entry(one, "BTC/USDT", "50000", quote, timeframe)
    entry(one, "SOL/USDT", "200", "100")
    one.price("BTC/USDT", "45000")  # -10 %: 50, 100 and 100
    one.price("SOL/USDT", "170")  # -15 %: 15
    one.price("ETH/USDT", "3000")
    look(one)
    assert [plan.loser_id.split("|", 1)[1] for plan in plans(one)] == [
        "SOL/USDT|15m#1", "BTC/USDT|3m#1", "BTC/USDT|5m#1", "BTC/USDT|1m#1",
    ]  # fmt: skip


def test_where_the_first_cannot_be_covered_the_next_is_tried() -> None:
    one = world(when_short=WhenShort.SKIP)
    entry(one, "BTC/USDT", "50000", "1000")
    entry(one, "SOL/USDT", "200", "200")
    entry(one, "ETH/USDT", "2000", "500")
    one.price("BTC/USDT", "40000")  # -200, more than the winner's 50
    one.price("SOL/USDT", "180")  # -20
    one.price("ETH/USDT", "2200")
    look(one)
    assert [plan.loser_id for plan in plans(one)] == ["paper|SOL/USDT|15m#1"]
    assert group(one, "BTC/USDT").net_qty == D("0.02")


def test_one_winner_and_two_losers_its_profit_is_spent_once() -> None:
    one = world()
    entry(one, "BTC/USDT", "50000", "1000")
    entry(one, "SOL/USDT", "200", "800")
    entry(one, "ETH/USDT", "2000", "1500")
    one.price("BTC/USDT", "44000")  # -12 %: 120
    one.price("SOL/USDT", "180")  # -10 %: 80
    one.price("ETH/USDT", "2200")  # +150
    look(one)
    first, second = plans(one)
    assert (first.lines[0].take, first.lines[0].qty) == (120, D("0.6"))
    assert (second.lines[0].take, second.lines[0].qty) == (30, D("0.15"))
    # 30 of 80: 4 SOL × 0.375
    assert group(one, "SOL/USDT").net_qty == D("2.5")
    assert one.realised("paper|ETH/USDT|15m#1") == 150


def test_the_largest_profits_pay_first_and_no_more_than_max_winners_of_them() -> None:
    coins = tuple(coin(name) for name in ("AAA", "BBB", "CCC", "DDD"))
    for most, expected in ((3, ["CCC", "AAA", "BBB"]), (1, ["CCC"])):
        one = world(instruments=(BTC, *coins), max_winners=most)
        entry(one, "BTC/USDT", "50000", "2500")
        for name, price in (("AAA", "120"), ("BBB", "110"), ("CCC", "130"), ("DDD", "105")):
            entry(one, f"{name}/USDT", "100", "300")
            one.price(f"{name}/USDT", price)
        one.price("BTC/USDT", "45000")  # -250; winners have 60, 30, 90, 15
        look(one)
        assert [line.group_id.split("|")[1][:3] for line in plans(one)[0].lines] == expected


# how much -------------------------------------------------------------------------------------------------------------


def test_fees_are_in_what_is_required_and_in_what_closing_a_winner_brings() -> None:
    one = world(fees="0.001")
    loser_and_winner(one)
    look(one)
    (plan,) = plans(one)
    with arithmetic():
        # 0.02 BTC less 0.1 % fee in base: 0.01998 held for 1,000 USDT; closing it costs 0.1 % of 899.1.
        assert plan.required == D("0.01998") * (1000 / D("0.01998") - 45000) + D("0.01998") * 45000 * D("0.001")
        gain = 2200 - 2000 / D("0.999") - D("2.2")
        assert plan.lines[0].qty == ETH.qty_ceil(plan.required / gain)
        assert plan.lines[0].realised >= plan.required
    assert group(one, "BTC/USDT").reason is CloseReason.RISK_OFFSET


def test_a_portion_below_the_least_notional_is_raised_to_it() -> None:
    for least, expected in (("20", "0.2"), ("40", "0.3")):
        one = world(instruments=(BTC, coin("SOL", step_size=D("0.1"))), min_close_notional=D(least))
        entry(one, "BTC/USDT", "50000", "100")
        entry(one, "SOL/USDT", "100", "1000")
        one.price("BTC/USDT", "45000")  # -10
        one.price("SOL/USDT", "150")  # 50 a piece: a fifth is enough, worth 30
        look(one)
        assert plans(one)[0].lines[0].qty == D(expected)


def test_a_portion_that_would_leave_too_little_is_raised_to_the_whole() -> None:
    one = world(min_close_notional=D(1500))
    loser_and_winner(one)
    look(one)
    assert group(one, "ETH/USDT").reason is CloseReason.RISK_OFFSET
    assert plans(one)[0].lines[0].qty == 1


def test_without_partial_closes_winners_go_whole() -> None:
    one = world(partial_close_enabled=False)
    loser_and_winner(one)
    look(one)
    (line,) = plans(one)[0].lines
    assert (line.take, line.qty, line.realised) == (100, 1, 200)
    assert group(one, "ETH/USDT").reason is CloseReason.RISK_OFFSET


def test_too_little_profit_closes_a_share_of_the_loser_or_nothing_by_when_short() -> None:
    for when_short, left in ((WhenShort.PARTIAL, "0.01200"), (WhenShort.SKIP, "0.02")):
        one = world(when_short=when_short)
        entry(one, "BTC/USDT", "50000", "1000")
        entry(one, "ETH/USDT", "2000", "400")
        one.price("BTC/USDT", "45000")
        one.price("ETH/USDT", "2200")  # 40 of 100
        look(one)
        assert group(one, "BTC/USDT").net_qty == D(left)
        assert group(one, "BTC/USDT").is_open


def test_99_9_percent_of_what_is_required_is_full_cover() -> None:
    for winner, whole in (("4995", True), ("4990", False)):
        one = world(instruments=(BTC, coin("ETH", step_size=D("0.00001"))))
        entry(one, "BTC/USDT", "50000", "5000")
        entry(one, "ETH/USDT", "2000", winner)
        one.price("BTC/USDT", "45000")
        one.price("ETH/USDT", "2200")
        look(one)
        assert group(one, "BTC/USDT").is_open is not whole


def test_no_plan_where_the_loser_is_too_small_to_be_sold() -> None:
    for quote, price in (("5.5", "40000"), ("1000", "45000")):
        one = world()
        entry(one, "BTC/USDT", "50000", quote)
        entry(one, "ETH/USDT", "2000", "10")
        one.price("BTC/USDT", price)  # 0.00011 is worth 4.40; or a share of 0.5 in 100 is worth 4.50
        one.price("ETH/USDT", "2100" if quote == "1000" else "9000")
        look(one)
        assert not plans(one)
        assert not one.role(Role.RISK)


def test_the_part_is_taken_from_the_legs_pro_rata_and_targets_rest_again_with_what_is_left() -> None:
    one = world(grid_settings=grid(("0", "75"), ("-1", "25")))
    entry(one, "BTC/USDT", "50000", "1000")
    entry(one, "ETH/USDT", "2000", "2000")
    for symbol, price in (("BTC/USDT", "44000"), ("ETH/USDT", "1980"), ("ETH/USDT", "2200")):
        one.price(symbol, price)
    before = group(one, "ETH/USDT")
    look(one)
    (line,) = plans(one)[0].lines
    after = group(one, "ETH/USDT")
    takes = [old.net_qty - new.net_qty for (_, old), (_, new) in zip(before.legs(), after.legs(), strict=True)]
    first = ETH.qty_floor(line.qty * before.leg((0, 0)).net_qty / before.net_qty)
    assert takes == [first, line.qty - first]
    resting = {order.leg: order.leaves_qty for order in one.state.working(after.id) if order.role is Role.TP}
    assert resting == {index: after.leg((0, index)).net_qty for index in (0, 1)}
    cancelled = [order for order in one.role(Role.TP) if order.group_id == after.id and not order.is_working]
    assert {order.status for order in cancelled} == {OrderStatus.CANCELLED}


def test_unfilled_legs_and_the_slot_of_a_partly_closed_winner_stay() -> None:
    one = world(grid_settings=grid(("0", "75"), ("-50", "25")))
    loser_and_winner(one)
    look(one)
    winner = group(one, "ETH/USDT")
    assert winner.is_open
    assert [order.leg for order in one.state.working(winner.id) if order.role is Role.ENTRY] == [1]
    assert len(winner.pyramids) == 1


def test_short_losers_and_winners_on_perpetuals_count_in_contracts() -> None:
    perpetual = replace(BTC_PERPETUAL, contract_size=D("0.01"), step_size=D(1), min_qty=D(1))
    other = replace(perpetual, symbol="ETH/USDT:USDT", id="ETHUSDT", base="ETH", contract_size=D("0.1"))
    account = replace(PAPER, market_type=MarketType.SWAP, leverage=D(5))
    one = world(instruments=(perpetual, other), account=account)
    entry(one, "BTC/USDT:USDT", "50000", "5000", tv__action="short")  # 10 contracts of 0.01
    entry(one, "ETH/USDT:USDT", "2000", "2000", tv__action="short")  # 10 contracts of 0.1
    one.price("BTC/USDT:USDT", "55000")  # -500
    one.price("ETH/USDT:USDT", "1000")  # +1,000; 100 a contract
    look(one)
    (plan,) = plans(one)
    assert (plan.required, plan.lines[0].qty, plan.lines[0].realised) == (500, 5, 500)
    assert one.realised("paper|BTC/USDT:USDT|15m#1") == -500
    assert one.state.balance("paper", "USDT") == 10000


@pytest.mark.parametrize(("ticker", "price"), [("BTC/USDT", "50000"), ("USDT/BTC", "0.00002")])
def test_a_loss_in_another_quote_is_converted_by_the_accounts_own_ticker(ticker: str, price: str) -> None:
    base, quote = ticker.split("/")
    cross = coin("ETH", "BTC", tick_size=D("0.00001"), min_notional=D("0.0001"))
    account = replace(PAPER, balances={"USDT": D(10000), "BTC": D(1)})
    one = world(instruments=(cross, SOL, coin(base, quote, tick_size=D("0.000001"))), account=account)
    one.price(ticker, price)
    entry(one, "ETH/BTC", "0.05", "0.02")
    entry(one, "SOL/USDT", "100", "2000")
    one.price("ETH/BTC", "0.045")  # -0.002 BTC = -100 USD
    one.price("SOL/USDT", "110")  # 20 × 10
    look(one)
    assert (plans(one)[0].required, plans(one)[0].lines[0].qty) == (100, 10)


def test_without_a_ticker_of_its_quote_a_group_is_left_alone() -> None:
    cross = coin("ETH", "BTC", tick_size=D("0.00001"), min_notional=D("0.0001"))
    one = world(instruments=(cross, SOL), account=replace(PAPER, balances={"USDT": D(10000), "BTC": D(1)}))
    entry(one, "ETH/BTC", "0.05", "0.02")
    entry(one, "SOL/USDT", "100", "2000")
    one.price("ETH/BTC", "0.045")
    one.price("SOL/USDT", "110")
    look(one)
    assert not plans(one)


# what goes wrong ------------------------------------------------------------------------------------------------------


def test_a_winner_beyond_the_slippage_bound_is_tried_again_after_ten_seconds_and_the_loser_waits_for_it() -> None:
    one = world(slippage="2")
    entry(one, "BTC/USDT", "50000", "1000")
    entry(one, "ETH/USDT", "2000", "2000")
    one.price("BTC/USDT", "44000")
    one.price("ETH/USDT", "2400")
    look(one)
    assert [order.status for order in one.role(Role.RISK)] == [OrderStatus.EXPIRED] * 4
    one.look_at_losers()
    one.price("ETH/USDT", "2400", after_ms=9_000)
    assert len(one.role(Role.RISK)) == 4
    assert group(one, "BTC/USDT").is_open
    one.book._slippage = D(0)  # the market is calm again
    one.price("ETH/USDT", "2400", after_ms=1_000)
    assert group(one, "BTC/USDT").reason is CloseReason.RISK_OFFSET
    assert plans(one)[0].lines[0].realised >= 120


def test_what_the_winners_have_paid_for_is_closed_even_where_the_loser_fills_only_later() -> None:
    one = world()
    entry(one, "BTC/USDT", "50000", "1000")
    entry(one, "ETH/USDT", "2000", "400")
    one.price("BTC/USDT", "45000")
    one.price("ETH/USDT", "2200")
    real, beyond = one.book._slipped, D(2)

    def only_btc_slips(order, instrument, last):
        return last * (1 - beyond / 100) if order.symbol == "BTC/USDT" else real(order, instrument, last)

    one.book._slipped = only_btc_slips  # type: ignore[method-assign]
    look(one)
    assert one.state.plan is not None
    assert one.state.plan.loser_begun
    assert group(one, "ETH/USDT").status is GroupStatus.CLOSED
    beyond = D(0)
    one.price("BTC/USDT", "45000", after_ms=10_000)
    assert one.state.plan is None
    assert group(one, "BTC/USDT").net_qty == D("0.012")


def test_an_exchange_that_refuses_the_offset_is_not_asked_without_end() -> None:
    one = world()
    loser_and_winner(one)
    refuse_risk_orders(one)
    look(one)
    one.look_at_losers()
    assert 0 < len(one.role(Role.RISK)) <= 4
    assert one.state.plan is None
    assert group(one, "BTC/USDT").is_open
    assert not group(one, "ETH/USDT").frozen


def refuse_risk_orders(one: World) -> None:
    real = one.book.place

    def place(order, now_ms):
        if order.role is Role.RISK:
            return [OrderRejected(client_id=order.client_id, code="x", text="no")]
        return real(order, now_ms)

    one.book.place = place  # type: ignore[method-assign]


# how long it takes ----------------------------------------------------------------------------------------------------


def calls_of_a_look(losers: int) -> int:
    """How many functions a look calls where everybody is behind and nobody can pay."""
    one = world(instruments=tuple(coin(f"C{number}") for number in range(losers)), post_full_wait_minutes=D(0))
    for symbol in [instrument.symbol for instrument in one.instruments]:
        entry(one, symbol.partition("/")[0] + "/USDT", "100", "50")
        one.price(symbol, "90")
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        look(one)
    finally:
        sys.setprofile(None)
    return calls


def test_the_work_of_a_look_grows_with_the_groups_and_not_with_their_square() -> None:
    assert calls_of_a_look(10) < 2.5 * calls_of_a_look(5)
