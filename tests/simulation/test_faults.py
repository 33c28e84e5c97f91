"""What goes wrong with orders and answers, and with the process: rows 1 to 35 of FAULTS, each on the whole engine.

Whatever a life's script says, everything that must always hold was looked at all the while (`tests.simulation.checks`).
"""

from decimal import Decimal

import pytest

from exengine.domain.group import CloseReason, GroupStatus
from exengine.domain.order import OrderStatus, Role
from tests.simulation.plan import DEATHS, OFFSETS
from tests.simulation.scripted import Look, alert, at, fault, lived, look, nothing_until, price

ONE_LEG = {"ladder": 2}
BY_MARKET = {"ladder": 2, "entry_order": "market"}


def test_row_01_a_lost_answer_is_asked_for_and_the_order_adopted():
    quiet = at(1, "stream", what="mute", seconds=60)
    seen = lived(quiet, fault(1, "place", "lost_answer"), alert(2), look(30, _adopted), **ONE_LEG)
    (entry,) = seen.orders(Role.ENTRY)
    assert seen.asked("place", entry.client_id) == seen.asked("place")[:1]


def _adopted(seen: Look) -> None:
    (entry,) = seen.orders(Role.ENTRY)
    assert seen.disk.stories[entry.client_id] == ["created", "sent", "unknown", "open"]


def test_row_02_an_order_that_never_arrived_is_sent_once_more_under_its_id():
    seen = lived(fault(1, "place", "lost_request"), alert(2), nothing_until(40), **ONE_LEG)
    (entry,) = seen.orders(Role.ENTRY)
    sent, asked = seen.asked("place", entry.client_id), seen.asked("find", entry.client_id)
    assert len(sent) == 2
    assert sent[0] < asked[0] < sent[1]


def test_row_03_an_order_whose_answer_was_lost_and_that_filled_at_once_is_found_with_its_fills():
    seen = lived(
        at(1, "stream", what="mute", seconds=60),
        fault(1, "place", "lost_answer"),
        alert(2),
        look(40, _bought),
        **BY_MARKET,
    )
    (entry,) = seen.orders(Role.ENTRY)
    assert seen.disk.stories[entry.client_id] == ["created", "sent", "unknown", "filled"]


def _bought(seen: Look) -> None:
    assert seen.group.net_qty > 0
    assert [one.status for one in seen.orders(Role.TP)] == [OrderStatus.OPEN]


@pytest.mark.parametrize("what", ["garbage_done", "garbage_not_done"])
def test_row_05_an_answer_that_cannot_be_read_says_nothing_of_the_order(what: str):
    seen = lived(fault(1, "place", what), alert(2), look(30, _rests_once), **ONE_LEG)
    assert len(seen.orders(Role.ENTRY)) == 1


def _rests_once(seen: Look) -> None:
    assert [order.client_id for order in seen.line.venue.open_orders()] == [seen.orders()[0].client_id]


@pytest.mark.parametrize("mute", [0, 60])
def test_row_06_where_answers_only_acknowledge_stream_or_questions_tell_the_rest(mute: int):
    lived(
        at(1, "stream", what="mute", seconds=mute), alert(2), look(40, _bought), acknowledges_only=True,
        cancel_acknowledges_only=True, **BY_MARKET,
    )  # fmt: skip


@pytest.mark.parametrize("ids", ["open", "ever"])
def test_row_07_an_id_that_is_taken_is_our_own_order(ids: str):
    """The killed process's request arrives late: the next run finds its order and does not send another."""
    seen = lived(
        fault(1, "place", "late_request"), at(1.5, "death", point="after send", nth=1, down_s=0.1), alert(2),
        look(40, _rests_once), ids=ids, **ONE_LEG,
    )  # fmt: skip
    assert len(seen.line.venue.orders) == 1


def test_row_08_an_entry_without_funds_is_refused_with_its_reason_and_its_money_is_free_again():
    seen = lived(at(1, "hand", what="withdraw", share="0.99"), alert(1.001), look(30, _nothing_reserved))
    assert seen.said("not enough USDT")
    assert len(seen.asked("place")) == 2
    assert seen.group.reason is CloseReason.ENTRY_FAILED


def _nothing_reserved(seen: Look) -> None:
    assert not any(seen.life.process.state.reserved.values())


def test_row_09_what_a_fee_took_of_the_coin_is_not_sold():
    seen = lived(alert(2), look(20, _bought), **BY_MARKET)
    (entry,), (target, *_) = seen.orders(Role.ENTRY), seen.orders(Role.TP)
    assert target.qty < entry.qty
    assert seen.line.venue.total["BTC"] == entry.qty * 999 / 1000 - seen.orders(Role.CLOSE)[0].qty


def test_row_10_an_order_refused_for_the_rules_is_made_again_once_by_new_ones():
    seen = lived(fault(1, "taking", "refuse_rules"), alert(2), look(30, _rests_anew), **ONE_LEG)
    assert len(seen.orders(Role.ENTRY)) == 2


def _rests_anew(seen: Look) -> None:
    assert [one.status for one in seen.orders(Role.ENTRY)] == [OrderStatus.REJECTED, OrderStatus.OPEN]


def test_row_10_and_then_it_fails_visibly():
    seen = lived(fault(1, "taking", "refuse_rules", times=5), alert(2), nothing_until(30), **ONE_LEG)
    assert len(seen.orders(Role.ENTRY)) == 2
    assert seen.group.reason is CloseReason.ENTRY_FAILED
    assert seen.said("refused by the exchange: not on the tick any more")


def test_row_10_a_close_just_above_the_minimum_is_not_bounded_below_it():
    """Five dollars and a cent's worth, of which the exchange would refuse a sale at one per cent less."""
    seen = lived(
        alert(2, percent="0"),
        price(4, "50100"),
        alert(6, "exit"),
        nothing_until(30),
        amount="5.03",
        fee="0",
        tp_percent="20",
        tp_mode="aggregate",
        **BY_MARKET,
    )
    (close,) = seen.orders(Role.CLOSE)
    assert (close.status, close.bound) == (OrderStatus.FILLED, 50000)
    assert seen.group.net_qty == 0


def test_row_11_what_had_filled_before_the_rest_was_cancelled_stays_and_gets_its_target():
    def part_is_covered(seen: Look) -> None:
        (entry,), (target,) = seen.orders(Role.ENTRY), seen.resting(Role.TP)
        assert entry.status is OrderStatus.CANCELLED
        assert target.qty == seen.life.process.state.instrument(seen.group).qty_floor(seen.group.net_qty) > 0

    lived(
        alert(2), price(3, "49900", part="0.4"), at(4, "hand", what="cancel", share="1"), look(30, part_is_covered),
        **ONE_LEG,
    )  # fmt: skip


def test_row_12_a_rest_under_the_minimum_goes_with_the_next_close():
    def too_little(seen: Look) -> None:
        assert 0 < seen.group.net_qty * 49900 < 5
        assert seen.resting(Role.TP) == []

    seen = lived(alert(2), price(3, "49900", part="0.001"), look(30, too_little), price(31, "49000"), **ONE_LEG)
    assert sum(one.filled_qty for one in seen.orders(Role.CLOSE)) > seen.orders(Role.ENTRY)[0].qty * 99 / 100


def test_row_13_a_fill_that_stream_and_poll_both_tell_counts_once():
    seen = lived(at(1, "stream", what="double", seconds=60), alert(2), price(3, "49000"), look(30, _booked_once))
    assert len(seen.disk.fills) == len({one.fill.trade_id for one in seen.disk.fills})


def _booked_once(seen: Look) -> None:
    assert [one.fill.qty for one in seen.disk.fills] == [one.qty for one in seen.orders(Role.ENTRY)]


def test_row_14_a_fill_that_comes_before_the_answer_is_kept():
    def booked_unanswered(seen: Look) -> None:
        _bought(seen)
        assert seen.asked("find") == []

    lived(fault(1, "place", "lost_answer"), alert(2), look(2.4, booked_unanswered), look(30, _bought), **BY_MARKET)


def test_row_15_events_in_any_order_come_to_the_same():
    moods = [at(1, "stream", what=what, seconds=60) for what in ("shuffle", "late", "double")]
    fills = [price(3 + step / 10, "49900", part="0.2") for step in range(5)]
    seen = lived(*moods, alert(2), *fills, alert(12, "exit"), look(60, _left), **ONE_LEG)
    traded = {trade.id: trade.qty for trade in seen.line.venue.trades}
    assert {one.fill.trade_id: one.fill.qty for one in seen.disk.fills} == traded
    assert len(traded) > 5


def _left(seen: Look) -> None:
    """Out by its own exit, long before the life's end closes whatever is left."""
    assert (seen.group.status, seen.group.reason) == (GroupStatus.CLOSED, CloseReason.EXIT)


def test_row_16_a_cancel_that_meets_a_fill_is_what_the_exchange_says():
    lived(fault(1, "cancel", "slow"), alert(2), alert(5, "exit"), price(5.002, "49800"), look(30, _left), **ONE_LEG)


def test_row_16_not_found_on_a_cancel_is_not_cancelled():
    def still_there(seen: Look) -> None:
        assert seen.group.status is GroupStatus.CLOSING
        assert seen.orders(Role.ENTRY)[0].is_working

    lived(fault(1, "cancel", "not_found"), alert(2), alert(5, "exit"), look(5.4, still_there), **ONE_LEG)


@pytest.mark.parametrize("what", ["lost_answer", "lost_request", "ignored"])
def test_row_17_a_cancel_without_proof_is_pending_until_it_is_proven(what: str):
    def is_over(seen: Look) -> None:
        assert seen.group.status is GroupStatus.CLOSED
        assert seen.orders(Role.ENTRY)[0].status is OrderStatus.CANCELLED

    lived(fault(1, "cancel", what), alert(2), alert(5, "exit"), look(60, is_over), **ONE_LEG)


def test_row_19_of_a_ladder_with_one_refused_leg_the_others_stand():
    def others_stand(seen: Look) -> None:
        refused, *others = sorted(seen.orders(Role.ENTRY), key=lambda one: one.is_working)
        assert refused.status is OrderStatus.REJECTED
        assert {one.client_id for one in others} == {one.client_id for one in seen.line.venue.open_orders()}

    lived(fault(1, "taking", "refuse"), alert(2), look(30, others_stand), ladder=0)


def test_row_20_a_leg_refused_while_the_group_leaves_stops_no_exit():
    def one_refused(seen: Look) -> None:
        _left(seen)
        assert OrderStatus.REJECTED in {one.status for one in seen.orders(Role.ENTRY)}

    lived(
        fault(1, "place", "slow", times=4), fault(1.1, "taking", "refuse"), alert(2, percent="0"), alert(2.02, "exit"),
        look(60, one_refused), ladder=0,
    )  # fmt: skip


def test_row_21_of_a_partly_filled_entry_the_part_is_sold_at_an_exit():
    def flat(seen: Look) -> None:
        assert seen.group.status is GroupStatus.CLOSED
        assert seen.line.venue.open_orders() == []
        assert seen.line.venue.total["BTC"] < seen.line.venue.markets["BTCUSDT"].step

    lived(alert(2), price(3, "49900", part="0.4"), alert(3.001, "exit"), look(30, flat), **ONE_LEG)


def test_row_22_three_exits_at_once_are_one_sale():
    exits = [alert(5 + step / 1000, "exit", percent=str(step)) for step in range(3)]
    seen = lived(alert(2), *exits, look(30, _left), **BY_MARKET)
    assert len(seen.orders(Role.CLOSE)) == 1


def test_row_23_an_entry_for_a_group_that_closes_waits_for_it():
    seen = lived(fault(1, "cancel", "slow"), alert(2), alert(5, "exit"), alert(5.001), look(30, _second), **ONE_LEG)
    assert [event.event for event in seen.disk.queue_events] == ["queued", "promoted"]


def _second(seen: Look) -> None:
    first, second = seen.disk.groups.values()
    assert (first.status, second.status) == (GroupStatus.CLOSED, GroupStatus.LIVE)


# the process ---------------------------------------------------------------------------------------------------------


def test_row_24_killed_before_the_commit_nothing_was_sent():
    def nothing_sent(seen: Look) -> None:
        assert seen.asked("place") == []

    lived(
        at(1.9, "death", point="at commit", nth=1, down_s=20), alert(2), look(10, nothing_sent),
        look(60, _rests_once), **ONE_LEG,
    )  # fmt: skip


def test_row_25_killed_between_commit_and_sending_it_is_asked_for_and_sent_once():
    seen = lived(at(1.9, "death", point="after commit", nth=1, down_s=1), alert(2), look(60, _rests_once), **ONE_LEG)
    assert len(seen.asked("place")) == 1
    assert seen.asked("find")[0] < seen.asked("place")[0]


@pytest.mark.parametrize("point", ["after send", "answer"])
def test_row_26_killed_between_sending_and_the_answers_commit_it_is_adopted(point: str):
    seen = lived(at(1.9, "death", point=point, nth=1, down_s=1), alert(2), look(60, _rests_once), **ONE_LEG)
    assert len(seen.asked("place")) == 1


@pytest.mark.parametrize("point", DEATHS)
@pytest.mark.parametrize("nth", [1, 2])
def test_row_27_killed_between_a_fill_and_its_target_there_is_one_target_after_the_restart(point: str, nth: int):
    lived(alert(2), at(4.9, "death", point=point, nth=nth, down_s=1), price(5, "49900"), look(60, _bought), **ONE_LEG)


PARTING = (
    alert(2, percent="0"), alert(2.5, percent="0", market=1),
    price(4, "51500"), price(4.01, "1900", market=1), at(5, "trader", what="run risk", timeframe="15"),
)  # fmt: skip
"""One symbol is 3 % ahead and the other 5 % behind: the profit of the first pays for the second."""


@pytest.mark.parametrize("nth", range(1, 13))
@pytest.mark.parametrize("point", DEATHS)
def test_row_28_killed_in_an_offset_at_every_step_it_goes_on(point: str, nth: int):
    seen = lived(
        *PARTING,
        at(3.9, "death", point=point, nth=nth, down_s=1),
        look(90, _offset_done),
        **OFFSETS | {"spot": ["BTC", "ETH"]},
    )
    assert seen.disk.offsets


def _offset_done(seen: Look) -> None:
    assert seen.disk.plan is None
    assert seen.resting(Role.RISK) == []


@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("point", DEATHS)
def test_row_29_killed_while_closing_the_close_goes_on(point: str, nth: int):
    def closed(seen: Look) -> None:
        assert seen.group.status is GroupStatus.CLOSED

    lived(
        alert(2),
        price(3, "49900"),
        at(4.9, "death", point=point, nth=nth, down_s=1),
        alert(5, "exit"),
        look(90, closed),
    )


STORY = (
    alert(2), price(3, "49900", part="0.4"), price(3.5, "49900"), alert(4, "reduce", size="0.002"), price(5, "49300"),
    alert(6, percent="-0.4"), price(7, "49700"), price(8, "50400"), alert(9, "reverse"), alert(9.5, percent="0"),
)  # fmt: skip
"""Entries, part fills, a reduction, a second pyramid, targets, a way out and a way in again."""


@pytest.mark.parametrize("point", DEATHS)
def test_row_30_killed_at_every_commit_every_sending_and_every_answer_of_a_story(point: str):
    for nth in range(1, 200):
        seen = lived(at(1.9, "death", point=point, nth=nth, down_s=0.3), *STORY)
        if not seen.life.ended.deaths:
            break
    assert nth > 15


def test_row_32_a_stop_with_orders_in_flight_is_recovered_from():
    def cut_off(seen: Look) -> None:
        assert seen.line.in_flight
        seen.life.process.kill()

    lived(fault(1, "place", "slow"), alert(2), look(2.2, cut_off), look(60, _rests_once), **ONE_LEG)


def test_row_32_an_orderly_stop_does_not_wait_for_an_exchange_that_hangs():
    """Its answer would come after ten seconds; the program is gone after five, and the next one finds the order."""

    def is_gone(seen: Look) -> None:
        assert not seen.life.process.is_alive

    seen = lived(
        fault(1, "place", "slow"), fault(1, "find", "slow", times=2), alert(2),
        at(2.05, "stop", down_s=20), look(12, is_gone), look(90, _rests_once), **ONE_LEG,
    )  # fmt: skip
    assert len(seen.asked("place")) == 1


@pytest.mark.parametrize("ms", [-3_600_000, -90_000, 7_200_000])
def test_row_33_a_clock_that_is_set_hides_nothing(ms: int):
    """A fill that the stream did not tell is found by the next look, whatever the clock says by then."""
    seen = lived(
        at(1, "stream", what="mute", seconds=300), alert(2), at(5, "clock", ms=ms), price(6, "49900"),
        look(30, _bought), **ONE_LEG,
    )  # fmt: skip
    assert seen.group.has_filled


def test_row_33_a_clock_that_is_set_back_makes_nobody_wait_longer():
    """A watched target that found no buyer is tried again after ten seconds of whoever's time."""

    def waits(seen: Look) -> None:
        seen.line.venue.liquidity.clear()
        assert seen.group.again_at_ms is not None

    def is_closed(seen: Look) -> None:
        assert seen.group.reason is CloseReason.TP
        assert seen.group.status is GroupStatus.CLOSED

    lived(
        alert(2, percent="0"),
        look(4, lambda seen: seen.line.venue.liquidity.update(BTCUSDT=Decimal(0))),
        price(5, "50600"),
        at(8, "clock", ms=-3_600_000),
        look(9, waits),
        look(40, is_closed),
        tp_mode="aggregate",
        tp_order="market",
        **BY_MARKET,
    )


def test_row_33_a_clock_that_is_set_back_makes_no_old_price_new():
    def waits_for_a_price(seen: Look) -> None:
        assert seen.group.status is GroupStatus.CLOSING
        assert seen.orders(Role.CLOSE) == []

    lived(
        alert(2),
        at(5, "feed", seconds=200),
        at(6, "clock", ms=-3_600_000),
        alert(100, "exit"),
        look(120, waits_for_a_price),
        **BY_MARKET,
    )


@pytest.mark.parametrize("stands", [True, False])
def test_row_33_a_machine_that_slept_compares_its_orders_before_it_lets_anybody_in(stands: bool):
    """Whether the clock that only goes forward stands in a sleep or goes on. The entry has filled meanwhile."""

    def waits(seen: Look) -> None:
        assert [one.reason for one in seen.disk.waiting.values()] == ["paused"]
        assert seen.said("the machine slept or its clock was set")

    def is_in(seen: Look) -> None:
        assert seen.disk.waiting == {}
        assert [one.filled_qty > 0 for one in seen.orders(Role.ENTRY)] == [True, False]
        assert len(seen.resting(Role.TP)) == 1

    at_s = 12 if stands else 52
    lived(
        alert(2), at(10, "sleep", stands=stands, seconds=40, percent="-1"), fault(9, "report", "retryable", times=4),
        alert(at_s, percent="-3", timeframe="60"), look(at_s + 0.1, waits), look(at_s + 60, is_in), **ONE_LEG,
    )  # fmt: skip


def test_row_35_a_task_that_dies_is_run_again():
    def sees_again(seen: Look) -> None:
        assert seen.life.process.supervisor.restarts == {"streams of spot": 1}
        assert seen.life.process.exchanges[0].sees_orders

    lived(at(2, "stream", what="die", seconds=1), price(3, "50100"), look(30, sees_again))


def test_row_35_while_neither_stream_nor_questions_show_a_fill_entries_wait():
    def waits(seen: Look) -> None:
        assert [one.reason for one in seen.disk.waiting.values()] == ["paused"]
        assert seen.life.process.engine.health() == "error"

    lived(
        at(5, "stream", what="cut", seconds=100), fault(5, "report", "lost_answer", times=6), alert(40),
        look(41, waits), look(180, _rests_once), **ONE_LEG,
    )  # fmt: skip
