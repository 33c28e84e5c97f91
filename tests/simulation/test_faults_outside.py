"""What goes wrong at the exchange, the network, the store and with signals: rows 36 to 62 of FAULTS."""

from decimal import Decimal

import pytest

from exengine.domain.group import CloseReason, GroupStatus
from exengine.domain.order import OrderStatus, Role
from exengine.domain.reception import Outcome, VerdictKind
from tests.simulation.plan import OFFSETS
from tests.simulation.scripted import Look, alert, at, fault, lived, look, nothing_until, price

ONE_LEG = {"ladder": 2}
BY_MARKET = {"ladder": 2, "entry_order": "market"}


def _bought(seen: Look) -> None:
    assert seen.group.net_qty > 0
    assert [one.status for one in seen.orders(Role.TP)] == [OrderStatus.OPEN]


@pytest.mark.parametrize("what", ["cut", "mute"])
def test_row_36_while_the_stream_is_silent_polling_covers(what: str):
    seen = lived(
        at(1, "stream", what=what, seconds=120),
        alert(2),
        price(5, "49900"),
        look(30, _bought),
        nothing_until(150),
        **ONE_LEG,
    )
    assert len(seen.disk.fills) == len({one.fill.trade_id for one in seen.disk.fills})


def test_row_38_slow_down_is_honoured():
    def nothing_meanwhile(seen: Look) -> None:
        (first, *later) = seen.asked("place")
        assert all(one - first >= 0.2 for one in later)

    lived(fault(1, "place", "retryable"), alert(2), look(30, nothing_meanwhile), **ONE_LEG)


def test_row_39_while_banned_nothing_is_done_and_then_all_goes_on():
    def goes_on(seen: Look) -> None:
        assert [one.status for one in seen.resting(Role.ENTRY)] == [OrderStatus.OPEN]

    seen = lived(fault(1, "place", "banned"), alert(2), look(60, goes_on), **ONE_LEG)
    banned_s, sent_s = seen.asked("place")
    assert sent_s - banned_s >= 20


def test_row_41_in_maintenance_entries_wait_and_are_let_in_on_return():
    def waits(seen: Look) -> None:
        assert [one.reason for one in seen.disk.waiting.values()] == ["paused"]
        assert seen.life.process.engine.health() == "error"

    def is_in(seen: Look) -> None:
        assert seen.life.process.engine.health() == "running"
        assert seen.disk.waiting == {}
        assert seen.resting(Role.ENTRY)

    lived(at(1, "away", what="maintenance", seconds=60), alert(40), look(45, waits), look(110, is_in), **ONE_LEG)


def test_row_42_a_revoked_key_stops_the_account_and_nothing_is_asked_any_more():
    def stopped(seen: Look) -> None:
        assert seen.said("Account spot is stopped")
        assert len(seen.resting(Role.ENTRY)) == 1
        assert not [at_s for at_s, _, _ in seen.line.asked if at_s > 25]
        assert seen.life.process.engine.health() == "error"

    lived(alert(2), at(5, "away", what="key", seconds=500), alert(30), look(200, stopped), **ONE_LEG)


def test_row_43_of_a_halted_symbol_the_ladder_is_cancelled_and_the_group_left_to_the_trader():
    def left_alone(seen: Look) -> None:
        assert "not traded" in seen.group.frozen
        assert seen.resting(Role.ENTRY) == []
        assert seen.group.net_qty > 0

    lived(
        alert(2), price(4, "49900"), at(5, "market", what="halt", seconds=100),
        look(6, lambda seen: seen.life.process.engine.reload_rules("spot")), look(30, left_alone), nothing_until(120),
    )  # fmt: skip


def test_row_44_a_target_that_the_trader_cancels_on_the_exchange_is_not_put_back():
    def gone_for_good(seen: Look) -> None:
        assert [one.status for one in seen.orders(Role.TP)] == [OrderStatus.CANCELLED]
        assert seen.said("was cancelled on the exchange, not by ExEngine")

    lived(alert(2), at(10, "hand", what="cancel", share="1"), look(60, gone_for_good), **BY_MARKET)


def test_row_45_when_the_trader_sells_our_coins_the_group_stands_still_and_shows_the_difference():
    def shown(seen: Look) -> None:
        assert seen.group.short_of_coins
        assert seen.said("its groups bought")

    seen = lived(alert(2), at(10, "hand", what="sell", share="1"), look(60, shown), **BY_MARKET)
    assert seen.group.status is GroupStatus.CLOSED


def test_row_46_orders_and_deposits_that_are_not_ours_are_never_touched():
    seen = lived(
        at(1, "hand", what="order", share="1"), at(1.5, "hand", what="deposit", share="1"), alert(2), price(5, "49000"),
        at(6, "trader", what="panic", timeframe="15"), at(7, "hand", what="withdraw", share="0.3"),
    )  # fmt: skip
    assert seen.disk.fills
    assert [order.client_id for order in seen.line.venue.open_orders()] == [None]


def test_row_48_nothing_is_closed_on_a_price_that_has_grown_old():
    """The price is gone for 100 seconds; an exit waits for it and then goes on."""

    def waits(seen: Look) -> None:
        assert seen.group.status is GroupStatus.CLOSING
        assert seen.orders(Role.CLOSE) == []

    def is_out(seen: Look) -> None:
        assert seen.group.reason is CloseReason.EXIT

    lived(alert(2), at(5, "feed", seconds=100), alert(80, "exit"), look(90, waits), look(130, is_out), **BY_MARKET)


def test_row_48_nobody_is_paid_off_at_prices_that_have_grown_old():
    """The loser and the winner are there; their prices are gone for longer than a price is good for."""

    def nothing_sold(seen: Look) -> None:
        assert seen.orders(Role.RISK) == []

    seen = lived(
        alert(2, percent="0"), alert(2.5, percent="0", market=1), at(3.9, "feed", seconds=100), price(4, "51500"),
        price(4.01, "1900", market=1), at(90, "trader", what="run risk", timeframe="15"), look(100, nothing_sold),
        nothing_until(150), **OFFSETS | {"spot": ["BTC", "ETH"], "tp_mode": "aggregate"},
    )  # fmt: skip
    assert seen.disk.offsets


# the store and signals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["locked", "fail", "full"])
@pytest.mark.parametrize("seconds", [1.9, 2.0, 2.001, 2.01, 2.1])
def test_row_49_and_50_a_store_that_fails_at_any_moment_lets_nothing_out_and_goes_on(what: str, seconds: float):
    def rests(seen: Look) -> None:
        assert len(seen.resting(Role.ENTRY)) == len(seen.line.venue.open_orders()) == 1

    lived(at(seconds, "store", what=what, times=3, seconds=2), alert(2), look(60, rests), **ONE_LEG)


@pytest.mark.parametrize("what", ["fail", "broken"])
def test_row_50_at_whatever_transaction_the_store_fails_the_story_comes_to_the_same_end(what: str):
    """One after the other each transaction of it fails once."""
    story = (
        alert(2), price(3, "49900", part="0.4"), price(3.5, "49900"), alert(4, "reduce", size="0.002"),
        price(5, "49300"), price(7, "49700"), alert(9, "exit"),
    )  # fmt: skip
    for nth in range(100):
        seen = lived(at(1.9, "store", what=what, times=1, seconds=0, after=nth), *story, look(40, _all_closed))
        if not seen.disk.refused:
            break
    assert nth > 15


def _all_closed(seen: Look) -> None:
    assert {one.status for one in seen.disk.groups.values()} <= {GroupStatus.CLOSED}


def test_row_50_while_the_disk_is_full_alerts_are_turned_away_and_what_rests_stays():
    def turned_away(seen: Look) -> None:
        assert len(seen.disk.signals) == 1
        assert len(seen.line.venue.open_orders()) == 1
        assert seen.life.process.engine.health() == "error"

    def taken_again(seen: Look) -> None:
        assert [one.outcome for one in seen.disk.signals.values()] == [Outcome.OPENED, Outcome.PYRAMID]

    lived(
        alert(2), at(5, "store", what="full", seconds=12, times=1), alert(6, percent="-0.3"), look(15, turned_away),
        look(40, taken_again), **ONE_LEG,
    )  # fmt: skip


def test_row_54_the_same_signal_four_times_at_once_has_one_effect():
    seen = lived(alert(2, copies=4), **ONE_LEG)
    kinds = [told.kind for told in seen.life.told]
    assert sorted(kind.value for kind in kinds) == ["accepted", "duplicate", "duplicate", "duplicate"]
    assert len(seen.disk.groups) == 1


def test_row_54_also_over_a_death():
    seen = lived(
        at(1.9, "death", point="after commit", nth=1, down_s=1), alert(2, copies=4), nothing_until(40), **ONE_LEG
    )
    assert sum(told.kind is VerdictKind.ACCEPTED for told in seen.life.told) <= 1
    assert len(seen.disk.groups) == 1


def test_row_56_answers_do_not_wait_for_an_exchange_that_hangs():
    def all_answered(seen: Look) -> None:
        assert len(seen.life.told) == 10

    hangs = [fault(1, "place", "lost_answer", times=50)]
    lived(*hangs, *(alert(2 + step / 100, percent=f"-0.{step}") for step in range(1, 11)), look(2.2, all_answered))


def test_row_58_sixteen_entries_at_once_never_take_more_slots_than_there_are():
    """Sixteen timeframes would be sixteen groups; looked at at each event."""
    frames = ("1", "3", "5", "15", "30", "45", "60", "120", "180", "240", "D", "W", "2", "4", "6", "10")
    seen = lived(*(alert(2, timeframe=frame) for frame in frames), slots=3, queue_limit=20, **ONE_LEG)
    assert len(seen.disk.groups) >= 3
    assert sum(one.outcome is Outcome.QUEUED for one in seen.disk.signals.values()) == 13


def test_row_59_two_groups_of_one_coin_each_sell_their_own():
    seen = lived(
        alert(2),
        alert(2.5, timeframe="60"),
        price(5, "49000"),
        alert(8, "exit"),
        alert(9, "exit", timeframe="60"),
        **ONE_LEG,
    )
    for group in seen.disk.groups.values():
        bought = sum(one.filled_qty for one in seen.orders(Role.ENTRY) if one.group_id == group.id)
        sold = sum(one.filled_qty for one in seen.orders() if one.group_id == group.id and one.role is not Role.ENTRY)
        assert Decimal(0) < sold <= bought * 999 / 1000


def test_row_60_the_profit_of_one_winner_is_spent_once_on_two_losers():
    seen = lived(
        alert(2, percent="0"), alert(2.5, percent="0", market=1), alert(3, percent="0", market=1, timeframe="60"),
        price(4, "51500"), price(4.01, "1900", market=1), nothing_until(60), **OFFSETS | {"spot": ["BTC", "ETH"]},
    )  # fmt: skip
    assert seen.disk.offsets
    winner = seen.group
    sold = sum(one.filled_qty for one in seen.orders(Role.RISK) if one.group_id == winner.id)
    assert sold <= sum(one.filled_qty for one in seen.orders(Role.ENTRY) if one.group_id == winner.id)
    assert len({line.group_id for plan in seen.disk.offsets for line in plan.lines}) == 1


def test_row_61_a_promotion_whose_orders_fail_is_told_and_nothing_is_lost():
    seen = lived(
        alert(2), alert(3, timeframe="60"), fault(4, "taking", "refuse", times=9), alert(5, "exit"), nothing_until(40),
        slots=1, **ONE_LEG,
    )  # fmt: skip
    assert [event.event for event in seen.disk.queue_events] == ["queued", "promoted"]
    assert list(seen.disk.groups.values())[1].reason is CloseReason.ENTRY_FAILED
    assert seen.said("refused by the exchange: not now")
