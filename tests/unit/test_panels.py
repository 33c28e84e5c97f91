"""What queue, risk and capital are told: the domain's own rules, computed only for who looks, changes only."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exengine.domain import pnl, risk
from exengine.domain.events import BlockSet, InstrumentsLoaded, Paused, RiskDue, SkipAsked
from exengine.domain.money import arithmetic
from exengine.domain.pool import rank
from exengine.domain.settings import (
    GridSettings,
    LegSpec,
    PoolSettings,
    QueueRule,
    QueueSettings,
    RiskSettings,
    Settings,
    SizingMode,
    SizingSettings,
)
from exengine.engine.condensed import Condensed
from exengine.engine.panel_rows import ACCOUNT_AWAY, Panel, PanelChanges, RiskState, Rule
from exengine.engine.panels import CAPITAL_MS, PLAN_MS, WORST_MS, Panels
from tests.helpers.world import BTC, ETH, World

D = Decimal
LEGS = (LegSpec(gap_percent=D(0), weight_percent=D(100), tp_percent=D(90)),)


def coin(base: str):
    return replace(ETH, symbol=f"{base}/USDT", id=f"{base}USDT", base=base)


COINS = tuple(replace(one, maker_fee=D(0), taker_fee=D(0)) for one in (BTC, ETH, coin("SOL"), coin("ADA"), coin("XRP")))


def world(*, slots: int = 10, queue: QueueSettings | None = None, legs: tuple[LegSpec, ...] = LEGS, **rules) -> World:
    return World(
        Settings(
            grid=GridSettings(legs=legs, max_pyramids=1),
            sizing=SizingSettings(mode=SizingMode.SIGNAL),
            pool=PoolSettings(max_open_groups=slots),
            queue=queue or QueueSettings(),
            risk=RiskSettings(**{"post_full_wait_minutes": D(60), **rules}),
        ),
        instruments=COINS,
    )


def opened(made: World, base: str, size: str, price: str = "100") -> None:
    made.price(f"{base}/USDT", price)
    made.alert(price, tv__symbol=f"{base}USDT", tv__order_size=size)


def taken(panels: Panels, made: World) -> PanelChanges:
    with arithmetic():
        return panels.take(made.state, made.now_ms)


def watched(*which: Panel, group_id: str | None = None) -> Panels:
    panels = Panels()
    panels.watch(which, group_id)
    return panels


def group_id(base: str) -> str:
    return f"paper|{base}/USDT|15m#1"


# nobody looks


def test_nothing_is_computed_for_nobody() -> None:
    made = world()
    opened(made, "BTC", "1")
    assert taken(watched(), made) == PanelChanges()


def test_only_what_changed_is_told_again() -> None:
    made = world()
    opened(made, "BTC", "1")
    opened(made, "ETH", "1")
    panels = watched(Panel.RISK)
    assert set(taken(panels, made).risk.rows) == {group_id("BTC"), group_id("ETH")}
    assert not taken(panels, made).risk
    made.price("ETH/USDT", "90")
    assert set(taken(panels, made).risk.rows) == {group_id("ETH")}
    panels.refresh()
    assert len(taken(panels, made).risk.rows) == 2


def test_what_went_while_nobody_looked_is_told_at_the_next_look() -> None:
    made = world()
    opened(made, "BTC", "1")
    panels = watched(Panel.RISK)
    taken(panels, made)
    panels.watch((), None)
    made.alert("100", "sell", tv__symbol="BTCUSDT", tv__market_position="flat")
    assert not made.state.groups
    assert taken(panels, made) == PanelChanges()
    panels.watch((Panel.RISK,), None)
    assert taken(panels, made).risk.gone == (group_id("BTC"),)


def test_the_next_look_of_the_risk_engine_is_told_as_soon_as_it_is_known() -> None:
    made = world()
    opened(made, "BTC", "1")
    panels = watched(Panel.RISK)
    first = taken(panels, made).risk_summary
    assert first is not None
    assert first.next_look_at_ms is None
    panels.next_look_at_ms = made.now_ms + 10_000
    assert taken(panels, made).risk_summary == replace(first, next_look_at_ms=made.now_ms + 10_000)
    assert taken(panels, made).risk_summary is None


# the queue


def waiting(made: World, base: str, signal: str, last: str) -> None:
    made.price(f"{base}/USDT", last)
    made.alert(signal, tv__symbol=f"{base}USDT", tv__order_size="1")


def test_ranks_are_those_of_the_domain_with_the_rule_that_decided() -> None:
    made = world(slots=1)
    opened(made, "BTC", "1")
    waiting(made, "ETH", "100", "95")
    waiting(made, "SOL", "100", "99")
    waiting(made, "ADA", "100", "99")
    waiting(made, "ADA", "100", "99")
    rows = sorted(taken(watched(Panel.QUEUE), made).waiting.rows.values(), key=lambda row: row.rank or 99)
    assert [(row.symbol, row.rank, row.rule) for row in rows] == [
        ("ETH/USDT", 1, Rule.DEEPEST_LOSS),
        ("ADA/USDT", 2, Rule.MOST_REPLACED),
        ("SOL/USDT", 3, Rule.MOST_REPLACED),
    ]
    best = min(made.state.waiting.values(), key=lambda one: rank(made.state, one))
    assert best.key.symbol == rows[0].symbol
    assert (rows[0].loss_percent, rows[1].replacements) == (D(-5), 1)


def test_a_single_entry_and_equal_ones_have_their_rule() -> None:
    made = world(slots=1, queue=QueueSettings(priority=(QueueRule.FIFO,)))
    opened(made, "BTC", "1")
    waiting(made, "ETH", "100", "95")
    panels = watched(Panel.QUEUE)
    (row,) = taken(panels, made).waiting.rows.values()
    assert (row.rank, row.rule) == (1, Rule.ALONE)
    waiting(made, "SOL", "100", "95")
    assert {row.rule for row in taken(panels, made).waiting.rows.values()} == {Rule.FIFO}


def test_what_keeps_an_entry_back_is_told() -> None:
    made = world(slots=1)
    opened(made, "BTC", "1")
    waiting(made, "ETH", "100", "95")
    panels = watched(Panel.QUEUE)
    (row,) = taken(panels, made).waiting.rows.values()
    assert (row.reason, row.needs_force, row.blocker) == ("pool_full", True, "")
    assert (row.capital, row.expected_profit) == (D(100), D(90))
    made.tell(Paused())
    (row,) = taken(panels, made).waiting.rows.values()
    assert row.blocker == "The engine is paused"


def test_an_entry_that_waits_for_an_account_or_its_own_group_does_not_say_that_the_engine_is_paused() -> None:
    made = world()
    made.tell(Paused())
    opened(made, "ETH", "1")
    panels = watched(Panel.QUEUE)

    def reason() -> str:
        (row,) = taken(panels, made).waiting.rows.values()
        return row.reason

    assert reason() == "paused"
    made.state.control = replace(made.state.control, paused=False)
    made.state.unreachable["paper"] = "timed out"
    assert reason() == ACCOUNT_AWAY


# the risk engine


def losing(**rules) -> World:
    """BTC has lost 40, ETH won 30, SOL won 20; XRP has lost a little."""
    made = world(**rules)
    for base, size in (("BTC", "4"), ("ETH", "3"), ("SOL", "2"), ("XRP", "1")):
        opened(made, base, size)
    for base, price in (("BTC", "90"), ("ETH", "110"), ("SOL", "110"), ("XRP", "99")):
        made.price(f"{base}/USDT", price)
    return made


def test_each_group_has_its_state_loss_and_timer() -> None:
    made = losing()
    changes = taken(watched(Panel.RISK), made)
    rows = {row.symbol.split("/")[0]: row for row in changes.risk.rows.values()}
    assert [rows[base].state for base in ("BTC", "ETH", "SOL", "XRP")] == [
        RiskState.CANDIDATE, RiskState.WINNER, RiskState.WINNER, RiskState.WAITING,
    ]  # fmt: skip
    assert (rows["BTC"].loss_percent, rows["BTC"].loss_usd) == (D(-10), D(-40))
    began = made.state.groups[group_id("BTC")].pyramids[0].received_at_ms
    assert rows["BTC"].timer_ends_ms == began + 3_600_000
    assert [rows[base].brings_usd for base in ("BTC", "ETH", "SOL", "XRP")] == [D(0), D(30), D(20), D(0)]
    assert changes.risk_summary is not None
    assert (changes.risk_summary.offers, changes.risk_summary.offered_usd) == (2, D(50))
    assert (changes.risk_summary.next_id, changes.risk_summary.candidates) == (group_id("BTC"), 1)


def test_the_plan_is_the_one_that_the_engine_then_carries_out() -> None:
    made = losing()
    plan = taken(watched(Panel.RISK), made).plan
    assert plan is not None
    assert [(line.symbol, line.qty, line.whole) for line in plan.winners] == [
        ("ETH/USDT", D(3), True), ("SOL/USDT", D(1), False),
    ]  # fmt: skip
    assert plan.loser is not None
    assert (plan.loser.qty, plan.loser.brings_usd, plan.loser.whole) == (D(4), D(-40), True)
    assert (plan.required_usd, plan.brings_usd, plan.covered_percent) == (D(40), D(40), D(100))
    made.now_ms += 3_600_000
    step = made.tell(RiskDue())
    assert step.plan is not None or step.plans
    done = made.state.plan or next(one for step in made.steps for one in step.plans)
    assert [(line.group_id, line.qty) for line in done.lines] == [(line.group_id, line.qty) for line in plan.winners]


def test_the_trader_may_choose_whose_plan_is_shown() -> None:
    made = losing()
    plan = taken(watched(Panel.RISK, group_id=group_id("XRP")), made).plan
    assert plan is not None
    assert plan.loser_id == group_id("XRP")
    assert taken(watched(Panel.RISK, group_id=group_id("ETH")), made).plan is None


def test_without_winners_the_plan_says_why() -> None:
    made = world()
    opened(made, "BTC", "4")
    made.price("BTC/USDT", "90")
    changes = taken(watched(Panel.RISK), made)
    assert changes.plan is not None
    assert changes.plan.why_none.startswith("No group is in profit")
    assert changes.risk_summary is not None
    assert changes.risk_summary.next_id is None


def test_blocked_and_skipped_groups_say_so() -> None:
    made = losing()
    key = made.state.groups[group_id("BTC")].key
    panels = watched(Panel.RISK)
    taken(panels, made)
    made.tell(SkipAsked(key=key))
    assert taken(panels, made).risk.rows[group_id("BTC")].state is RiskState.SKIPPED
    made.tell(BlockSet(key=key, blocked=True))
    assert taken(panels, made).risk.rows[group_id("BTC")].state is RiskState.BLOCKED


def test_an_offset_that_is_done_comes_into_the_history() -> None:
    made = losing(post_full_wait_minutes=D(0))
    panels = watched(Panel.RISK)
    done = len(made.steps)
    made.tell(RiskDue())
    for step in made.steps[done:]:
        panels.absorb(step)
    (row,) = taken(panels, made).offsets
    assert (row.loser, row.required, row.realised, row.share_percent) == (group_id("BTC"), D(40), D(40), D(100))
    assert row.winners == (group_id("ETH"), group_id("SOL"))
    assert taken(panels, made).offsets == ()
    assert panels.last_offset_at_ms == row.at_ms


MOVES = st.lists(
    st.tuples(st.sampled_from(("BTC", "ETH", "SOL", "XRP")), st.integers(88, 112), st.integers(0, 40)), max_size=25
)


@settings(max_examples=40, deadline=None)
@given(moves=MOVES, fee=st.sampled_from(("0", "0.5", "-0.1")), most=st.integers(1, 3))
def test_rows_brought_up_to_date_are_those_of_a_first_look(moves, fee, most) -> None:
    """Whatever prices, the time and the trader have done, nobody can tell how often the rows were looked at."""
    made = losing(max_winners=most, use_trade_age_filter=True, age_threshold_minutes=D("50"))
    charged = tuple(replace(one, taker_fee=D(fee) / 100) for one in COINS)
    panels, rows = watched(Panel.RISK), {}
    for turn, (base, price, minutes) in enumerate([("BTC", 90, 0), *moves]):
        made.now_ms += minutes * 60_000
        made.price(f"{base}/USDT", str(price))
        if turn % 5 == 1:
            key = made.state.groups[group_id(base)].key
            made.tell(BlockSet(key=key, blocked=turn % 10 == 1))
        if turn == 3:
            done = len(made.steps)
            made.tell(InstrumentsLoaded(account="paper", instruments=charged))
            for step in made.steps[done:]:
                panels.absorb(step)
        changes = taken(panels, made)
        rows |= changes.risk.rows
        anew = taken(watched(Panel.RISK), made)
        assert rows == anew.risk.rows
        assert changes.risk_summary in (None, anew.risk_summary)


def test_the_plan_of_one_loser_stays_long_enough_to_be_read() -> None:
    made = world(loss_threshold_percent=D(-50))
    for base in ("BTC", "ETH", "SOL"):
        opened(made, base, "1")
    for base, price in (("BTC", "90"), ("ETH", "91"), ("SOL", "140")):
        made.price(f"{base}/USDT", price)
    panels = watched(Panel.RISK)
    first = taken(panels, made).plan
    assert first is not None
    assert first.loser_id == group_id("BTC")
    made.price("ETH/USDT", "89", after_ms=500)
    assert not taken(panels, made).plan_changed, "a mere price does not push it aside at once"
    made.price("ETH/USDT", "88", after_ms=WORST_MS)
    later = taken(panels, made).plan
    assert later is not None
    assert later.loser_id == group_id("ETH")
    made.price("ETH/USDT", "101", after_ms=500)
    gone = taken(panels, made).plan
    assert gone is not None
    assert gone.loser_id == group_id("BTC"), "what loses no more is not shown any longer"


def test_a_plan_stands_for_a_second_while_mere_prices_move_it_and_not_where_anything_else_does() -> None:
    made = losing()
    panels = watched(Panel.RISK)
    first = taken(panels, made).plan
    assert first is not None
    made.price("BTC/USDT", "89.5", after_ms=PLAN_MS // 2)
    assert not taken(panels, made).plan_changed
    made.price("BTC/USDT", "89.4", after_ms=PLAN_MS // 2)
    later = taken(panels, made).plan
    assert later is not None
    assert later.required_usd > first.required_usd
    made.price("BTC/USDT", "89.3", after_ms=10)
    done = len(made.steps)
    made.tell(BlockSet(key=made.state.groups[group_id("ETH")].key, blocked=True))
    for step in made.steps[done:]:
        panels.absorb(step)
    at_once = taken(panels, made).plan
    assert at_once is not None
    assert at_once.required_usd > later.required_usd
    assert group_id("ETH") not in {line.group_id for line in at_once.winners}


SIZES = st.lists(st.tuples(st.integers(1, 9), st.integers(80, 120)), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(sizes=SIZES, three=st.booleans())
def test_a_condensed_group_is_worth_what_the_whole_one_is(sizes, three) -> None:
    legs = tuple(
        LegSpec(gap_percent=D(gap), weight_percent=D(weight), tp_percent=D(90))
        for gap, weight in (((0, 50), (-1, 30), (-2, 20)) if three else ((0, 100),))
    )
    made = world(legs=legs)
    bases = [one.base for one in COINS]
    for base, (size, price) in zip(bases, sizes, strict=False):
        opened(made, base, str(size))
        made.price(f"{base}/USDT", str(price))
    with arithmetic():
        small = Condensed().of(made.state)
        for group_id_, group in made.state.groups.items():
            last, one = made.state.last("paper", group.key.symbol), small.groups[group_id_]
            assert last is not None
            assert one.net_qty == group.net_qty
            assert abs(pnl.cost(one) - pnl.cost(group)) < D("1e-30")
            assert risk.is_loser(small, one, made.now_ms) == risk.is_loser(made.state, group, made.now_ms)
            ours, theirs = (risk.plan_for(state, state.groups[group_id_], made.now_ms) for state in (small, made.state))
            assert (ours is None) == (theirs is None)
            if ours is not None and theirs is not None:
                assert [(line.group_id, line.qty, line.whole) for line in ours.lines] == [
                    (line.group_id, line.qty, line.whole) for line in theirs.lines
                ]


# the capital


def test_the_money_is_told_by_pair_and_as_a_whole() -> None:
    legs = tuple(LegSpec(gap_percent=D(gap), weight_percent=D(50), tp_percent=D(90)) for gap in (0, -1))
    made = world(legs=legs)
    opened(made, "BTC", "2")
    opened(made, "ETH", "4")
    changes = taken(watched(Panel.CAPITAL), made)
    rows = {row.symbol: row for row in changes.exposures.rows.values()}
    assert (rows["BTC/USDT"].filled, rows["ETH/USDT"].filled) == (D(100), D(200))
    assert rows["BTC/USDT"].open == pytest.approx(D(100), abs=D(1))
    assert changes.capital is not None
    assert changes.capital.deployed == sum(row.deployed for row in rows.values())
    assert changes.capital.free == D(10000) - changes.capital.deployed
    shares = [row.share_percent for row in rows.values() if row.share_percent is not None]
    assert sum(shares) == pytest.approx(D(100))


def test_prices_alone_do_not_sum_the_money_again_and_orders_do() -> None:
    made = world()
    opened(made, "BTC", "2")
    panels = watched(Panel.CAPITAL)
    taken(panels, made)
    before = len(made.steps)
    opened(made, "ETH", "1")
    assert not taken(panels, made).exposures, "nobody has told it yet"
    for step in made.steps[before:]:
        panels.absorb(step)
    assert set(taken(panels, made).exposures.rows) >= {"ETH/USDT"}


def test_by_mere_time_the_money_is_summed_in_a_pass_that_works_out_no_plan() -> None:
    made = losing()
    panels = watched(Panel.RISK, Panel.CAPITAL)
    before = taken(panels, made).capital
    assert before is not None
    opened(made, "ADA", "1")
    made.price("BTC/USDT", "89.5", after_ms=CAPITAL_MS)
    both_due = taken(panels, made)
    assert both_due.plan_changed
    assert both_due.capital is None
    made.price("BTC/USDT", "89.4", after_ms=PLAN_MS // 2)
    next_pass = taken(panels, made)
    assert not next_pass.plan_changed
    assert next_pass.capital is not None
    assert next_pass.capital.free < before.free
