"""What the executor makes of an exchange's silence, refusals and faults: never two orders, never one forgotten."""

import asyncio
from collections import deque
from decimal import Decimal

import pytest

from exengine.domain.errors import AuthFailed, Refused, Retryable, UnknownOutcome
from exengine.domain.events import EngineStarted, EntriesCancelAsked, GroupCloseAsked, Paused
from exengine.domain.group import CloseReason, GroupStatus
from exengine.domain.order import OrderStatus, Role
from exengine.domain.settings import GridSettings, LegSpec, Settings
from exengine.engine.executor import BACK_OFF_S
from tests.helpers.engine import Running, running, until

GROUP = "paper|BTC/USDT|15m#1"


def one_leg(gap: str = "0") -> Settings:
    leg = LegSpec(gap_percent=Decimal(gap), weight_percent=Decimal(100), tp_percent=Decimal(1))
    return Settings(grid=GridSettings(legs=(leg,)))


async def opened(engine: Running, price: str = "50000", last: str = "50100") -> str:
    """A group with one entry that has been sent; its client id."""
    await engine.price(last)
    await engine.alert(price)
    await engine.engine.settled()
    return engine.exchange.requests("place")[0]


def status(engine: Running, client_id: str) -> OrderStatus:
    return engine.store.orders[client_id].status


async def test_a_lost_answer_is_asked_for_by_client_id_and_the_order_adopted():
    async with running(one_leg()) as engine:
        engine.exchange.lost_answers.append(UnknownOutcome("timeout"))
        client_id = await opened(engine)
        assert engine.exchange.asked == [("place", client_id), ("find", client_id)]
        assert status(engine, client_id) is OrderStatus.OPEN
        assert len(engine.exchange.book.open_orders()) == 1


async def test_an_order_that_surely_never_arrived_is_sent_once_more_under_the_same_id():
    async with running(one_leg()) as engine:
        engine.exchange.place_script.append(UnknownOutcome("connection reset"))
        client_id = await opened(engine)
        assert engine.exchange.asked == [("place", client_id), ("find", client_id), ("place", client_id)]
        assert status(engine, client_id) is OrderStatus.OPEN


async def test_the_question_itself_may_go_unanswered_and_is_put_again():
    async with running(one_leg()) as engine:
        engine.exchange.lost_answers.append(UnknownOutcome("timeout"))
        engine.exchange.find_script.extend([UnknownOutcome("timeout"), UnknownOutcome("timeout"), None])
        client_id = await opened(engine)
        assert engine.exchange.requests("place") == [client_id]
        assert engine.exchange.requests("find") == [client_id] * 3
        assert status(engine, client_id) is OrderStatus.OPEN


async def test_answers_that_are_lost_again_and_again_are_asked_for_with_growing_pauses():
    async with running(one_leg()) as engine:
        engine.exchange.place_script.extend(UnknownOutcome("reset") for _ in range(8))
        client_id = await opened(engine)
        assert engine.exchange.requests("place") == [client_id] * 9
        assert engine.pauses == [*BACK_OFF_S, 30, 30]
        assert status(engine, client_id) is OrderStatus.OPEN


async def test_what_is_retryable_is_tried_again_after_the_time_that_the_exchange_named():
    async with running(one_leg()) as engine:
        engine.exchange.place_script.extend([Retryable("busy"), Retryable("429", after_ms=7000), None])
        client_id = await opened(engine)
        assert engine.exchange.asked == [("place", client_id)] * 3
        assert engine.pauses == [0.5, 7]
        assert status(engine, client_id) is OrderStatus.OPEN


async def test_an_entry_that_is_withdrawn_while_the_exchange_is_busy_is_not_placed_any_more():
    async with running(one_leg()) as engine:
        await engine.price("50100")
        engine.exchange.place_script = Busy()
        await engine.alert("50000")
        await until(lambda: engine.pauses)
        await engine.engine.submit(EntriesCancelAsked(group_id=GROUP))
        await engine.engine.settled()
        (order,) = engine.orders
        assert order.status is OrderStatus.CANCELLED
        assert engine.exchange.book.open_orders() == []
        assert engine.state.groups == {}


class Busy(deque):
    """An exchange in maintenance: every request is to be tried again, for ever."""

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> Exception:
        return Retryable("maintenance")


async def test_a_refused_order_is_refused_visibly_and_not_sent_again():
    async with running(one_leg()) as engine:
        engine.exchange.place_script.append(Refused("-2010", "insufficient balance"))
        client_id = await opened(engine)
        assert engine.exchange.asked == [("place", client_id)]
        assert status(engine, client_id) is OrderStatus.REJECTED
        assert engine.store.commits[-1].groups[GROUP].reason is CloseReason.ENTRY_FAILED
        assert any("insufficient balance" in text for text in engine.store.notes)


async def test_one_refused_leg_of_a_ladder_leaves_the_others_standing():
    async with running() as engine:
        engine.exchange.place_script.extend([None, None, Refused("-2010", "no")])
        await opened(engine)
        statuses = [order.status for order in engine.orders]
        assert statuses.count(OrderStatus.OPEN) == 4
        assert statuses.count(OrderStatus.REJECTED) == 1


async def test_a_key_that_is_not_taken_stops_the_account_and_is_told_once():
    async with running() as engine:
        engine.exchange.place_script.append(AuthFailed("-2015 invalid key"))
        await opened(engine)
        assert engine.engine.health() == "error"
        asked = len(engine.exchange.asked)
        assert {order.status for order in engine.orders} <= {OrderStatus.OPEN, OrderStatus.REJECTED}
        await engine.alert("50000", tv__timeframe="60")
        await engine.engine.settled()
        assert len(engine.exchange.asked) == asked
        assert len(engine.orders) == 5
        assert [waiting.reason for waiting in engine.state.waiting.values()] == ["paused"]
        assert len([text for text in engine.store.notes if text.startswith("Account paper is stopped")]) == 1
        assert engine.pauses == []


async def test_a_close_that_cannot_be_sent_for_want_of_a_key_freezes_the_group_and_does_not_loop():
    async with running(one_leg()) as engine:
        client_id = await opened(engine, "50000", "50000")
        assert status(engine, client_id) is OrderStatus.FILLED
        engine.exchange.cancel_script.append(AuthFailed("revoked"))
        await engine.engine.submit(GroupCloseAsked(group_id=GROUP))
        await engine.engine.settled()
        # What became of the resting target is not known any more: nothing is sold on top of it.
        assert engine.state.groups[GROUP].status is GroupStatus.CLOSING
        assert [order.role for order in engine.orders] == [Role.ENTRY, Role.TP]


async def test_a_key_that_fails_while_an_order_is_looked_for_leaves_the_order_in_doubt():
    async with running(one_leg()) as engine:
        engine.exchange.lost_answers.append(UnknownOutcome("timeout"))
        engine.exchange.find_script.append(AuthFailed("revoked"))
        client_id = await opened(engine)
        assert status(engine, client_id) is OrderStatus.UNKNOWN
        assert engine.exchange.requests("place") == [client_id]
        assert engine.engine.health() == "error"


@pytest.mark.parametrize("fault", [Refused("unknown_order"), UnknownOutcome("timeout"), KeyError("status")])
async def test_a_cancel_without_an_answer_is_not_taken_for_a_cancel(fault: Exception):
    async with running(one_leg()) as engine:
        client_id = await opened(engine)
        engine.exchange.cancel_script.append(fault)
        await engine.engine.submit(EntriesCancelAsked(group_id=GROUP))
        await engine.engine.settled()
        assert engine.exchange.asked[1:] == [("cancel", client_id), ("find", client_id)]
        assert status(engine, client_id) is OrderStatus.OPEN
        assert engine.store.orders[client_id].cancel_requested


async def test_a_cancel_of_an_order_that_never_arrived_ends_it():
    async with running(one_leg()) as engine:
        engine.exchange.place_script.append(UnknownOutcome("reset"))
        engine.exchange.find_script.append(AuthFailed("revoked"))
        client_id = await opened(engine)
        assert status(engine, client_id) is OrderStatus.UNKNOWN
        order = engine.store.orders[client_id]
        async with running(one_leg()) as again:
            _adopt(again, engine)
            await again.price("50100")
            await again.engine.submit(EntriesCancelAsked(group_id=GROUP))
            await again.engine.settled()
            assert again.exchange.requests("place") == []
            assert again.store.orders[order.client_id].status is OrderStatus.CANCELLED
            assert again.state.groups == {}


async def test_a_start_asks_for_what_was_never_answered_before_it_sends_it():
    async with running(one_leg()) as engine:
        await engine.price("50100")
        engine.exchange.may_answer.clear()
        await engine.alert("50000")
        await until(lambda: engine.exchange.asked)
        (client_id,) = engine.store.orders
        async with running(one_leg()) as again:
            _adopt(again, engine)
            await again.price("50100")
            await again.engine.submit(EngineStarted())
            await again.engine.settled()
            assert again.exchange.asked == [("find", client_id), ("place", client_id)]
            assert status(again, client_id) is OrderStatus.OPEN


def _adopt(again: Running, before: Running) -> None:
    """The state of a run that has ended, as the next one loads it."""
    again.store.orders.update(before.store.orders)
    for name in ("groups", "live", "by_symbol", "orders", "orders_of", "entries_of", "working_of", "numbers"):
        getattr(again.state, name).update(getattr(before.state, name))


async def test_an_adapters_defect_while_placing_is_an_unknown_outcome_and_is_told():
    async with running(one_leg()) as engine:
        engine.exchange.lost_answers.append(KeyError("orderId"))
        client_id = await opened(engine)
        assert engine.exchange.asked == [("place", client_id), ("find", client_id)]
        assert status(engine, client_id) is OrderStatus.OPEN
        assert [text for text in engine.store.notes if "ended in KeyError" in text] != []


async def test_a_cancel_never_overtakes_its_order():
    async with running(one_leg()) as engine:
        await engine.price("50100")
        engine.exchange.may_answer.clear()
        await engine.alert("50000")
        await until(lambda: engine.exchange.asked)
        await engine.engine.submit(EntriesCancelAsked(group_id=GROUP))
        await until(lambda: engine.state.groups)
        assert [what for what, _ in engine.exchange.asked] == ["place"]
        engine.exchange.may_answer.set()
        await engine.engine.settled()
        assert [what for what, _ in engine.exchange.asked] == ["place", "cancel"]
        assert engine.state.groups == {}


async def test_one_order_that_hangs_holds_no_other_up():
    async with running() as engine:
        await engine.price("50100")
        engine.exchange.may_answer.clear()
        await engine.alert("50000")
        await until(lambda: len(engine.exchange.requests("place")) == 5)
        assert await asyncio.wait_for(engine.engine.submit(Paused()), 1)


async def test_an_order_of_an_account_that_is_not_set_up_any_more_is_refused_visibly():
    async with running(one_leg()) as engine:
        engine.engine._executor._exchanges.clear()
        await engine.price("50100")
        await engine.alert("50000")
        await engine.engine.settled()
        (order,) = engine.orders
        assert order.status is OrderStatus.REJECTED
        assert "not set up" in (order.error or "")


async def test_rules_that_are_wanted_while_they_are_being_loaded_are_loaded_once_more():
    """An order may be refused for them when their answer is here already: it waits for newer ones."""
    async with running() as run:
        for _ in range(3):
            run.engine.reload_rules("paper")
        await until(lambda: not run.engine.has_traffic("rules of paper"))
        assert len(run.exchange.requests("rules")) == 2
        run.engine.reload_rules("paper")
        await until(lambda: not run.engine.has_traffic("rules of paper"))
        assert len(run.exchange.requests("rules")) == 3


async def test_an_order_whose_answer_waits_for_the_store_is_not_asked_for_by_an_apply():
    """The books have it as sent still: were it asked for by them, one that was just refused would be sent once more."""
    async with running(one_leg()) as engine:
        engine.exchange.may_answer.clear()
        engine.exchange.place_script.append(Refused("-1013", "not now"))
        await engine.price("50100")
        await engine.alert("50000")
        await until(lambda: engine.exchange.asked)
        engine.store.fail()
        engine.exchange.may_answer.set()
        await until(lambda: engine.engine.health() == "error")

        await engine.engine.hold(["paper"], 0)
        await engine.engine.go_on(["paper"])
        engine.store.fault = None
        await engine.engine.settled()
        (client_id,) = [order.client_id for order in engine.orders]
        assert status(engine, client_id) is OrderStatus.REJECTED
        assert engine.exchange.asked == [("place", client_id)]


async def test_rules_whose_loading_an_apply_broke_off_are_loaded_when_it_goes_on():
    """Orders may wait for them, and where the apply came to nothing nobody else asks for them."""
    async with running() as run:
        run.exchange.may_answer.clear()
        asked = run.exchange.asked
        run.engine.reload_rules("paper")
        await until(lambda: ("rules", "") in asked)
        await run.engine.hold(["paper"], 0)
        run.exchange.may_answer.set()
        await run.engine.go_on(["paper"])
        await until(lambda: asked.count(("rules", "")) == 2)
