"""Who gets a slot, who waits, in what order, and what becomes of them (SPEC §7); each value of `pool` and `queue`."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exengine.domain.events import (
    BlockSet,
    GroupCloseAsked,
    OrderRejected,
    Paused,
    QueueAction,
    QueueAsked,
    QueueDue,
    Resumed,
)
from exengine.domain.group import CloseReason, GroupKey
from exengine.domain.instrument import Instrument, MarketType, Side
from exengine.domain.money import arithmetic
from exengine.domain.order import Role
from exengine.domain.pool import expected_profit, loss_percent, rank
from exengine.domain.reception import Outcome, SignalRecord
from exengine.domain.settings import (
    PAPER,
    GridSettings,
    LegSpec,
    PoolSettings,
    QueueRule,
    QueueSettings,
    Settings,
    SizingMode,
    SizingSettings,
)
from exengine.domain.state import Waiting
from tests.helpers.world import BTC, BTC_PERPETUAL, ETH, World

D = Decimal


def coin(base: str) -> Instrument:
    return replace(ETH, symbol=f"{base}/USDT", id=f"{base}USDT", base=base)


AAA, BBB, CCC = coin("AAA"), coin("BBB"), coin("CCC")


def grid(*legs: tuple[str, str, str], **changes: Any) -> GridSettings:
    specs = tuple(LegSpec(gap_percent=D(g), weight_percent=D(w), tp_percent=D(t)) for g, w, t in legs)
    return GridSettings(legs=specs, **changes)


ONE_LEG = grid(("0", "100", "50"))


def world(
    *,
    limit: int = 1,
    pool: dict[str, Any] | None = None,
    queue: dict[str, Any] | None = None,
    instruments: tuple[Instrument, ...] = (BTC, ETH, AAA, BBB, CCC),
    **settings: Any,
) -> World:
    """A pool of one slot that BTC holds, entries of 100 USDT far below the market: they rest."""
    chosen = {"grid": ONE_LEG, "sizing": SizingSettings(amount=D(100))} | settings
    return World(
        Settings(
            pool=PoolSettings(max_open_groups=limit, **(pool or {})), queue=QueueSettings(**(queue or {})), **chosen
        ),
        instruments=instruments,
    )


def full(**options: Any) -> World:
    one = world(**options)
    one.price("BTC/USDT", "50000")
    assert ask(one, "BTC", "49000").outcome is Outcome.OPENED
    return one


def ask(one: World, base: str, price: str, action: str = "buy", **changes: Any) -> SignalRecord:
    return one.alert(price, action, **({"tv__symbol": f"{base}USDT"} | changes))


def key(base: str, timeframe: str = "15m") -> GroupKey:
    return GroupKey("paper", f"{base}/USDT", timeframe)


def live(one: World) -> list[str]:
    return [group.key.symbol.partition("/")[0] for group in one.state.groups.values()]


def free_the_slot(one: World) -> None:
    one.tell(GroupCloseAsked(group_id="paper|BTC/USDT|15m#1"))


def by_hand(one: World, base: str, action: QueueAction, side: Side | None = None) -> None:
    one.tell(QueueAsked(key=key(base), action=action, side=side))


def history(one: World) -> list[tuple[str, str]]:
    return [(event.event, event.reason) for event in one.queue_events]


def waiting(one: World, base: str, side: Side = Side.LONG) -> Waiting:
    return one.state.waiting[key(base), side]


# slots ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_new_group_takes_a_slot_while_there_are_any(limit: int) -> None:
    one = world(limit=limit)
    outcomes = [ask(one, base, "90").outcome for base in ("AAA", "BBB", "CCC")]
    assert outcomes.count(Outcome.OPENED) == limit
    assert outcomes.count(Outcome.QUEUED) == 3 - limit


def test_a_pyramid_takes_no_slot_unless_bypassing_is_off_and_then_it_waits_like_a_new_entry() -> None:
    passing, waits = full(), full(pool={"pyramids_bypass": False})
    assert ask(passing, "BTC", "48000").outcome is Outcome.PYRAMID
    record = ask(waits, "BTC", "48000")
    assert (record.outcome, record.reason) == (Outcome.QUEUED, "pool_full")
    roomy = full(limit=2, pool={"pyramids_bypass": False})
    assert ask(roomy, "BTC", "48000").outcome is Outcome.PYRAMID


def test_max_per_symbol_counts_groups_of_a_symbol_and_refuses_also_at_the_promotion() -> None:
    one = world(limit=2, pool={"max_per_symbol": 1})
    ask(one, "AAA", "90")
    record = ask(one, "AAA", "90", tv__timeframe="60")
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "max_per_symbol")
    assert ask(one, "BBB", "90").outcome is Outcome.OPENED
    ask(one, "CCC", "90", tv__timeframe="60")  # waits for a slot
    ask(one, "CCC", "90")  # waits as well
    for base in ("AAA", "BBB"):
        one.tell(GroupCloseAsked(group_id=f"paper|{base}/USDT|15m#1"))
    assert live(one) == ["CCC"]
    assert history(one)[-1] == ("refused", "max_per_symbol")


def test_max_exposure_counts_filled_and_open_entries_and_refuses_also_pyramids_and_promotions() -> None:
    one = full(limit=2, pool={"max_exposure": D(250)})  # 98 of BTC rest
    one.price("AAA/USDT", "90")
    ask(one, "AAA", "90")  # 99.999 of it are held
    record = ask(one, "BTC", "48000")
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "max_exposure")
    tight = full(pool={"max_exposure": D(150)})
    ask(tight, "AAA", "90")
    by_hand(tight, "AAA", QueueAction.FORCE)
    assert history(tight)[-1] == ("refused", "max_exposure")
    assert "AAA" not in live(tight)


# the queue ------------------------------------------------------------------------------------------------------------


def test_a_replacement_brings_the_newest_price_and_keeps_the_place_in_line() -> None:
    one = full()
    ask(one, "AAA", "90")
    queued_at = waiting(one, "AAA").queued_at_ms
    assert ask(one, "AAA", "80").outcome is Outcome.REPLACED
    there = waiting(one, "AAA")
    assert (there.signal.price, there.replacement_count, there.queued_at_ms, there.reason) == (
        80, 1, queued_at, "pool_full",
    )  # fmt: skip
    assert history(one) == [("queued", "pool_full"), ("replaced", "pool_full")]
    event = one.queue_events[-1]
    assert (event.price, event.queued_at_ms, event.replacement_count) == (80, queued_at, 1)
    free_the_slot(one)
    assert [order.price for order in one.role(Role.ENTRY)] == [49000, 80]


def test_without_replace_the_later_entry_is_ignored() -> None:
    one = full(queue={"replace": False})
    ask(one, "AAA", "90")
    record = ask(one, "AAA", "80")
    assert (record.outcome, record.reason) == (Outcome.IGNORED, "replace_off")
    assert (waiting(one, "AAA").signal.price, len(one.queue_events)) == (90, 1)


def test_a_full_queue_refuses_but_still_takes_replacements() -> None:
    one = full(queue={"limit": 1})
    ask(one, "AAA", "90")
    record = ask(one, "BBB", "90")
    assert (record.outcome, record.reason) == (Outcome.REFUSED, "queue_full")
    assert ask(one, "AAA", "80").outcome is Outcome.REPLACED


@pytest.mark.parametrize(("minutes", "left"), [("0", 1), ("5", 0), ("6", 1)])
def test_an_entry_is_stale_after_max_age_and_never_by_default(minutes: str, left: int) -> None:
    one = full(queue={"max_age_minutes": D(minutes)})
    ask(one, "AAA", "90")
    one.now_ms = waiting(one, "AAA").queued_at_ms + 5 * 60_000
    one.tell(QueueDue())
    assert len(one.state.waiting) == left
    assert ("expired", "max_age") in history(one) or left == 1


def test_an_exit_removes_what_waits_under_its_key() -> None:
    one = full()
    ask(one, "AAA", "90")
    record = ask(one, "AAA", "90", "sell", execution_intent={"type": "exit"})
    assert record.outcome is Outcome.REMOVED
    assert history(one)[-1] == ("removed", "exit")
    assert not one.state.waiting


def test_an_entry_that_can_go_at_once_takes_the_place_of_the_one_that_waits() -> None:
    one = full(limit=2)
    one.tell(Paused())
    ask(one, "AAA", "90")
    one.state.control = replace(one.state.control, paused=False)  # resumed, and not looked at yet
    assert ask(one, "AAA", "80").outcome is Outcome.OPENED
    assert history(one)[-1] == ("removed", "replaced")


def test_who_waits_goes_in_when_the_engine_resumes_a_group_is_unblocked_or_the_timer_rings() -> None:
    for waking in (Resumed(), QueueDue(), BlockSet(key=key("BTC"), blocked=False)):
        one = full(limit=2)
        one.tell(BlockSet(key=key("BTC"), blocked=True))
        one.tell(Paused())
        ask(one, "AAA", "90")
        if not isinstance(waking, Resumed):
            one.state.control = replace(one.state.control, paused=False)
        one.tell(waking)
        assert live(one) == ["BTC", "AAA"], waking


def test_promotion_goes_on_until_no_slot_or_no_entry_is_left() -> None:
    one = full(limit=3)
    one.tell(Paused())
    for base in ("AAA", "BBB", "CCC"):
        ask(one, base, "90")
    one.tell(Resumed())
    assert live(one) == ["BTC", "AAA", "BBB"]
    assert list(one.state.waiting) == [(key("CCC"), Side.LONG)]
    assert waiting(one, "CCC").reason == "pool_full"


def test_nobody_is_promoted_while_paused() -> None:
    one = full()
    ask(one, "AAA", "90")
    one.tell(Paused())
    free_the_slot(one)
    one.tell(QueueDue())
    assert live(one) == []


def test_what_fails_at_its_promotion_leaves_the_queue_with_its_reason() -> None:
    one = full()
    one.state.start["paper", "USDT"] = D(150)  # 98 of it are reserved: 52 are left, and 100 are wanted
    ask(one, "AAA", "90")
    by_hand(one, "AAA", QueueAction.FORCE)
    assert history(one)[-1] == ("refused", "insufficient_funds")
    assert not one.state.waiting


def test_a_pyramid_for_a_group_that_is_full_meanwhile_is_ignored_and_leaves_the_queue() -> None:
    one = full(grid=replace(ONE_LEG, max_pyramids=1), limit=2)
    one.tell(Paused())
    ask(one, "AAA", "90")
    there = waiting(one, "AAA")
    one.state.waiting.clear()
    one.state.waiting[key("BTC"), Side.LONG] = replace(there, key=key("BTC"))
    one.tell(Resumed())
    assert history(one)[-1] == ("removed", "max_pyramids")
    assert not one.state.waiting


def test_a_promotion_whose_orders_the_exchange_refuses_ends_as_a_failed_group_and_the_next_goes_in() -> None:
    one = full()
    ask(one, "AAA", "90")
    ask(one, "BBB", "90")
    real = one.book.place

    def refuse_aaa(order: Any, now_ms: int) -> Any:
        if order.symbol == "AAA/USDT":
            return [OrderRejected(client_id=order.client_id, code="-2010", text="no")]
        return real(order, now_ms)

    one.book.place = refuse_aaa  # type: ignore[method-assign]
    free_the_slot(one)
    failed = one.group("paper|AAA/USDT|15m#1")
    assert (failed.reason, failed.errors) == (CloseReason.ENTRY_FAILED, ("Entry of pyramid 1, DCA0: no",))
    assert live(one) == ["BBB"]
    assert [event for event, _ in history(one)] == ["queued", "queued", "promoted", "promoted"]


# who is next ----------------------------------------------------------------------------------------------------------


def rules(*names: str) -> dict[str, Any]:
    return {"queue": {"priority": tuple(QueueRule(name) for name in names)}}


DEFAULT = ("pyramid_continuation", "deepest_loss", "most_replaced", "fifo")


def promoted(one: World) -> list[str]:
    """In which order they go in when slots free one by one."""
    found = []
    while one.state.waiting:
        for group_id in list(one.state.groups):
            one.tell(GroupCloseAsked(group_id=group_id))
            one.price("BTC/USDT", "50000")
        found += [event.key.split("|")[1][:3] for event in one.queue_events if event.event == "promoted"][len(found) :]
    return found


def test_the_deepest_loss_goes_first_then_the_most_replaced_then_the_oldest() -> None:
    one = full()
    for base, price in (("AAA", "100"), ("BBB", "100"), ("CCC", "100")):
        ask(one, base, price)
    for base, last in (("AAA", "98"), ("BBB", "98"), ("CCC", "97")):
        one.price(f"{base}/USDT", last)
    ask(one, "BBB", "100")
    assert promoted(one) == ["CCC", "BBB", "AAA"]


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (DEFAULT, "CCC"),
        (("most_replaced", "deepest_loss", "fifo"), "BBB"),
        (("most_replaced", "fifo"), "BBB"),
        (("fifo",), "AAA"),
        (("fifo", "deepest_loss"), "AAA"),
        ((), "AAA"),
    ],
)
def test_each_rule_counts_where_the_trader_puts_it_and_not_where_he_takes_it_out(
    names: tuple[str, ...], first: str
) -> None:
    one = full(**rules(*names))
    for base in ("AAA", "BBB", "CCC"):
        ask(one, base, "100")
    one.price("CCC/USDT", "97")
    if names:
        ask(one, "BBB", "100")
    assert promoted(one)[0] == first


def test_a_pyramid_of_a_live_group_goes_before_a_deeper_loss_and_after_it_where_the_rule_is_out() -> None:
    for names, first in ((DEFAULT, "BTC"), (DEFAULT[1:], "AAA")):
        one = full(limit=2, pool={"pyramids_bypass": False}, **rules(*names))
        ask(one, "ETH", "2000")
        ask(one, "AAA", "100")
        one.price("AAA/USDT", "90")
        ask(one, "BTC", "48000")
        one.tell(GroupCloseAsked(group_id="paper|ETH/USDT|15m#1"))
        event, *_ = (event for event in one.queue_events if event.event == "promoted")
        assert event.key == str(key(first))
        assert first == "AAA" or len(one.group("paper|BTC/USDT|15m#1").pyramids) == 2


def test_percentages_are_compared_at_four_decimals_half_even() -> None:
    one = full()
    ask(one, "AAA", "100")
    ask(one, "BBB", "100")
    there = waiting(one, "AAA")
    with arithmetic():
        for last, shown in (("99.99995", "0.0000"), ("99.99985", "-0.0002"), ("99.999949", "-0.0001")):
            one.price("AAA/USDT", last)
            assert loss_percent(one.state, there) == D(shown)
        one.price("AAA/USDT", "99.99996")
        one.price("BBB/USDT", "99.99995")
        assert rank(one.state, there) < rank(one.state, waiting(one, "BBB"))  # equal at 4 decimals: the older one


def test_before_a_symbols_first_price_the_loss_is_nothing() -> None:
    one = full()
    ask(one, "AAA", "100")
    assert loss_percent(one.state, waiting(one, "AAA")) == 0


def test_a_short_gains_by_a_higher_price() -> None:
    account = replace(PAPER, market_type=MarketType.SWAP)
    one = world(instruments=(BTC_PERPETUAL,), accounts=(account,))
    one.price("BTC/USDT:USDT", "50000")
    one.tell(Paused())
    ask(one, "BTC", "50000", "short", tv__symbol="BTCUSDT.P")
    one.price("BTC/USDT:USDT", "50500")
    (there,) = one.state.waiting.values()
    with arithmetic():
        assert loss_percent(one.state, there) == -1


@pytest.mark.parametrize(
    ("sizing", "pyramids", "expected"),
    [
        (SizingSettings(amount=D(200)), 0, "3"),  # 200 × (50 % × 1 % + 50 % × 2 %)
        (SizingSettings(mode=SizingMode.PERCENT_EQUITY, amount=D(10)), 0, "15"),  # of 10,000
        (SizingSettings(mode=SizingMode.PERCENT_FREE, amount=D(10)), 0, "15"),
        (SizingSettings(mode=SizingMode.SIGNAL), 0, "1.5"),  # the alert's own 100
        (SizingSettings(amount=D(200)), 1, "6"),  # its second pyramid counts twice
    ],
)
def test_the_expected_profit_is_what_the_legs_would_be_worth_times_their_targets(
    sizing: SizingSettings, pyramids: int, expected: str
) -> None:
    legs = grid(("0", "50", "1"), ("-1", "50", "2"), pyramid_multipliers=(D(1), D(2)))
    one = world(limit=5, grid=legs, sizing=sizing)
    sized = {"tv__order_size": "100", "execution_intent": {"type": "signal", "position_size_type": "quote"}}
    for _ in range(pyramids):
        ask(one, "AAA", "90", **sized)
    one.tell(Paused())
    ask(one, "AAA", "90", **sized)
    with arithmetic():
        assert expected_profit(one.state, waiting(one, "AAA")) == D(expected)


def test_the_highest_expected_profit_goes_first_where_the_trader_wants_it() -> None:
    one = world(sizing=SizingSettings(mode=SizingMode.SIGNAL), **rules("highest_expected_profit"))
    sized = {"execution_intent": {"type": "signal", "position_size_type": "quote"}}
    for base, size in (("BTC", "100"), ("AAA", "100"), ("BBB", "300"), ("CCC", "200")):
        ask(one, base, "90", tv__order_size=size, **sized)
    assert promoted(one) == ["BBB", "CCC", "AAA"]


# by hand --------------------------------------------------------------------------------------------------------------


def test_promote_takes_this_entry_and_not_the_best_and_only_where_a_slot_is_free() -> None:
    one = full(limit=1)
    ask(one, "AAA", "90")
    ask(one, "BBB", "90")
    by_hand(one, "BBB", QueueAction.PROMOTE)
    assert live(one) == ["BTC"]
    assert one.notes[-1].text == "It must go on waiting: pool full."
    one.tell(Paused())
    free_the_slot(one)
    one.state.control = replace(one.state.control, paused=False)
    by_hand(one, "BBB", QueueAction.PROMOTE)
    assert live(one) == ["BBB"]


def test_force_goes_over_the_limit_and_is_flagged() -> None:
    one = full()
    ask(one, "AAA", "90")
    by_hand(one, "AAA", QueueAction.FORCE)
    assert live(one) == ["BTC", "AAA"]
    assert one.group("paper|AAA/USDT|15m#1").forced
    event = one.queue_events[-1]
    assert (event.event, event.forced) == ("promoted", True)
    assert "Forced in over the pool’s limit" in one.notes[-1].text
    ask(one, "BBB", "90")
    free_the_slot(one)
    assert live(one) == ["AAA"]  # the forced one has the slot now


def test_remove_takes_it_out_and_says_so() -> None:
    one = full()
    ask(one, "AAA", "90")
    by_hand(one, "AAA", QueueAction.REMOVE)
    assert history(one)[-1] == ("removed", "trader")
    assert not one.state.waiting


@pytest.mark.parametrize("action", [QueueAction.PROMOTE, QueueAction.FORCE])
def test_nothing_goes_in_by_hand_while_paused_or_while_the_opposite_side_lives(action: QueueAction) -> None:
    one = full(limit=5)
    one.tell(Paused())
    ask(one, "AAA", "90")
    by_hand(one, "AAA", action)
    assert live(one) == ["BTC"]
    account = replace(PAPER, market_type=MarketType.SWAP)
    both = world(instruments=(BTC_PERPETUAL,), accounts=(account,), limit=5)
    both.price("BTC/USDT:USDT", "50000")
    ask(both, "BTC", "40000", tv__symbol="BTCUSDT.P")
    record = ask(both, "BTC", "60000", "short", tv__symbol="BTCUSDT.P")
    assert (record.outcome, record.reason) == (Outcome.QUEUED, "opposite_side")
    both.tell(QueueAsked(key=GroupKey("paper", "BTC/USDT:USDT", "15m"), action=action))
    assert [group.side for group in both.state.groups.values()] == [Side.LONG]


def test_a_reversal_goes_into_the_slot_that_it_leaves_ahead_of_the_queue() -> None:
    account = replace(PAPER, market_type=MarketType.SWAP)
    one = world(instruments=(BTC_PERPETUAL,), accounts=(account,))
    one.price("BTC/USDT:USDT", "50000")
    ask(one, "BTC", "50000", tv__symbol="BTCUSDT.P")
    ask(one, "BTC", "51000", tv__symbol="BTCUSDT.P", tv__timeframe="60")
    one.price("BTC/USDT:USDT", "50010")
    record = ask(one, "BTC", "50010", "sell", tv__symbol="BTCUSDT.P", execution_intent={"type": "reverse"})
    assert record.outcome is Outcome.REVERSED
    assert [(group.key.timeframe, group.side) for group in one.state.groups.values()] == [("15m", Side.SHORT)]


def test_a_forced_group_that_turns_round_stays_flagged_as_over_the_limit() -> None:
    account = replace(PAPER, market_type=MarketType.SWAP)
    one = world(instruments=(BTC_PERPETUAL,), accounts=(account,))
    one.price("BTC/USDT:USDT", "50000")
    ask(one, "BTC", "50000", tv__symbol="BTCUSDT.P")
    ask(one, "BTC", "50000", tv__symbol="BTCUSDT.P", tv__timeframe="60")
    one.tell(QueueAsked(key=GroupKey("paper", "BTC/USDT:USDT", "1h"), action=QueueAction.FORCE))
    for timeframe in ("15", "60"):
        turned = {"tv__symbol": "BTCUSDT.P", "tv__timeframe": timeframe, "execution_intent": {"type": "reverse"}}
        one.price("BTC/USDT:USDT", "50010")
        ask(one, "BTC", "50010", "sell", **turned)
    forced = sum(group.forced for group in one.state.groups.values())
    assert len(one.state.groups) == 2
    assert forced >= 1
