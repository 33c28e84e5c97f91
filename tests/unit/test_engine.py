"""The one writer: stored before acted on, many events in one transaction, and nothing lost when the store fails."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from exengine.domain.events import (
    AccountLost,
    EngineStarted,
    GroupCloseAsked,
    OrderCancelled,
    Paused,
    PriceMoved,
    QueueDue,
    Resumed,
    SignalArrived,
    SignalStored,
)
from exengine.domain.group import GroupStatus
from exengine.domain.journal import Category, Severity
from exengine.domain.order import OrderStatus, Role
from exengine.domain.reception import Arrival, Outcome, VerdictKind
from exengine.engine.changes import StoreFailed
from exengine.engine.gathering import FEW
from exengine.engine.intake import StoreUnavailable
from exengine.engine.item import Item
from exengine.engine.rows import EngineStatus
from exengine.engine.standing_back import STAND_BACK_S, TOGETHER, StandingBack
from tests.helpers.engine import running, until


async def test_every_order_is_on_disk_before_it_is_sent():
    async with running() as engine:
        await engine.price("50100")
        await engine.alert("50000")
        await engine.engine.settled()
        assert len(engine.exchange.requests("place")) == 5
        assert engine.exchange.unstored == []
        assert {order.status for order in engine.orders} == {OrderStatus.OPEN}


async def test_an_alert_is_answered_before_anything_is_ordered_for_it():
    async with running() as engine:
        await engine.price("50100")
        verdict = await engine.alert("50000")
        assert (verdict.kind, verdict.signal_id) == (VerdictKind.ACCEPTED, 1)
        assert engine.exchange.asked == []
        await engine.engine.settled()
        assert engine.exchange.asked


async def test_an_alert_that_comes_alone_is_on_disk_with_its_orders_in_one_transaction():
    async with running() as engine:
        await engine.price("50100")
        before = len(engine.store.commits)
        await engine.alert("50000")
        (changes,) = engine.store.commits[before:]
        assert changes.signals[1].outcome is Outcome.OPENED
        assert len(changes.orders) == 5


async def test_of_several_alerts_all_are_answered_before_any_is_decided():
    async with running() as engine:
        await engine.price("50100")
        engine.store.may_commit.clear()
        first = asyncio.create_task(engine.alert("50000", tv__timeframe="1"))
        await until(lambda: engine.state.groups)
        others = [asyncio.create_task(engine.alert("50000", tv__timeframe=minutes)) for minutes in ("5", "15", "30")]
        await asyncio.sleep(0)
        before = len(engine.store.commits)
        engine.store.may_commit.set()
        await asyncio.gather(first, *others)
        _, answered = engine.store.commits[before : before + 2]
        assert {one.id: one.outcome for one in answered.signals.values()} == {2: None, 3: None, 4: None}
        await engine.engine.settled()
        assert len(engine.state.groups) == 4


ARRIVES = Item(event=SignalArrived(arrival=Arrival(received_at_ms=1, source_address="", body="{}")))


def standing_back(count: int) -> tuple[StandingBack, list[Item]]:
    stored = [Item(event=SignalStored(signal_id=number)) for number in range(1, count + 1)]
    waiting = StandingBack()
    for one in stored:
        waiting.add(one)
    return waiting, stored


async def test_what_follows_from_stored_alerts_stands_back_while_another_comes_in_and_no_longer():
    waiting, stored = standing_back(2)
    assert await waiting.go_on([ARRIVES]) == []
    assert await waiting.go_on([]) == stored
    assert not waiting


async def test_of_many_stored_alerts_some_are_decided_at_a_time_so_that_who_comes_in_then_need_not_wait_for_all(
    monkeypatch,
):
    monkeypatch.setattr("exengine.engine.standing_back.QUIET_S", 0)
    waiting, stored = standing_back(TOGETHER + 1)
    assert await waiting.go_on([]) == stored[:-1]
    assert await waiting.go_on([ARRIVES]) == []
    assert await waiting.go_on([]) == stored[-1:]


async def test_in_a_burst_stored_alerts_stand_back_until_nobody_has_come_in_for_a_while(monkeypatch):
    monkeypatch.setattr("exengine.engine.standing_back.QUIET_S", 3600)
    waiting, stored = standing_back(FEW + 1)
    queue: list[Item] = []
    going_on = asyncio.create_task(waiting.go_on(queue))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not going_on.done()
    going_on.cancel()
    queue.append(ARRIVES)
    monkeypatch.setattr("exengine.engine.standing_back.QUIET_S", 0)
    assert await waiting.go_on(queue) == []
    assert await waiting.go_on([]) == stored


async def test_in_a_burst_what_is_no_alert_waits_for_nobody(monkeypatch):
    monkeypatch.setattr("exengine.engine.standing_back.QUIET_S", 3600)
    waiting, _ = standing_back(FEW + 1)
    assert await waiting.go_on([Item(event=QueueDue())]) == []
    assert waiting


async def test_what_follows_from_a_stored_alert_waits_no_longer_than_its_time_however_many_come_in(monkeypatch):
    at_s = 0.0
    monkeypatch.setattr("exengine.engine.standing_back._now_s", lambda: at_s)
    waiting, (first,) = standing_back(1)
    at_s = STAND_BACK_S / 2
    later = Item(event=SignalStored(signal_id=2))
    waiting.add(later)
    assert await waiting.go_on([ARRIVES]) == []
    at_s = STAND_BACK_S
    assert await waiting.go_on([ARRIVES]) == [first]
    at_s = STAND_BACK_S * 1.5
    assert await waiting.go_on([ARRIVES]) == [later]


async def test_that_orders_were_sent_is_stored_with_their_answers():
    async with running() as engine:
        await engine.price("50100")
        await engine.alert("50000")
        await engine.engine.settled()
        statuses = [{order.status for order in changes.orders.values()} for changes in engine.store.commits]
        assert [one for one in statuses if one] == [{OrderStatus.CREATED}, {OrderStatus.OPEN}]
        assert all(order.sent_at_ms is not None for order in engine.orders)


async def test_where_an_exchange_takes_its_time_its_orders_are_shown_as_sent(monkeypatch):
    monkeypatch.setattr("exengine.engine.sent_orders.AT_THE_LATEST_S", 0)
    async with running() as engine:
        await engine.price("50100")
        engine.exchange.may_answer.clear()
        await engine.alert("50000")
        await until(lambda: {order.status for order in engine.orders} == {OrderStatus.SENT})
        engine.exchange.may_answer.set()
        await engine.engine.settled()
        assert {order.status for order in engine.orders} == {OrderStatus.OPEN}


async def test_of_an_alert_that_the_store_does_not_take_nothing_that_it_led_to_is_left():
    async with running() as engine:
        await engine.price("50100")
        engine.store.fail(times=1)
        with pytest.raises(StoreUnavailable):
            await engine.alert("50000")
        await engine.engine.settled()
        assert (engine.state.groups, engine.state.pending, engine.state.next_signal_id) == ({}, {}, 1)
        assert engine.exchange.asked == []
        assert (await engine.alert("50000")).kind is VerdictKind.ACCEPTED
        await engine.engine.settled()
        assert len(engine.exchange.requests("place")) == 5


async def test_an_alert_is_taken_though_what_it_led_to_cannot_be_written():
    async with running() as engine:
        await engine.price("50100")
        engine.store.cannot_write = lambda changes: bool(changes.orders)
        assert (await engine.alert("50000")).kind is VerdictKind.ACCEPTED
        await engine.engine.settled()
        outcomes = [changes.signals[1].outcome for changes in engine.store.commits if 1 in changes.signals]
        assert outcomes == [None, Outcome.REFUSED]
        assert engine.exchange.asked == []


async def test_an_alert_is_taken_though_there_is_a_defect_in_deciding_it(monkeypatch):
    async with running() as engine:
        await engine.price("50100")

        def broken(step, signal_id):
            raise ZeroDivisionError

        monkeypatch.setattr("exengine.domain.decide.act", broken)
        assert (await engine.alert("50000")).kind is VerdictKind.ACCEPTED
        await engine.engine.settled()
        outcomes = [changes.signals[1].outcome for changes in engine.store.commits if 1 in changes.signals]
        assert outcomes[-1] is Outcome.REFUSED
        assert engine.state.pending == {}


async def test_prices_alone_are_never_stored():
    async with running() as engine:
        before = len(engine.store.commits)
        for number in range(1000):
            await engine.engine.deliver(PriceMoved(account="paper", symbol="BTC/USDT", price=Decimal(50000 + number)))
        assert len(engine.store.commits) == before
        assert engine.state.last("paper", "BTC/USDT") == 50999


async def test_what_comes_while_the_disk_is_busy_goes_into_one_transaction():
    async with running() as engine:
        engine.store.may_commit.clear()
        first = asyncio.create_task(engine.alert("50000"))
        await asyncio.sleep(0)
        others = [asyncio.create_task(engine.alert("50000", tv__timeframe=str(minutes))) for minutes in (1, 3, 5, 30)]
        await asyncio.sleep(0)
        before = len(engine.store.commits)
        engine.store.may_commit.set()
        verdicts = await asyncio.gather(first, *others)
        assert [verdict.signal_id for verdict in verdicts] == [1, 2, 3, 4, 5]
        arrivals = [sorted(changes.signals) for changes in engine.store.commits[before:] if changes.signals]
        assert arrivals[:2] == [[1], [2, 3, 4, 5]]


async def test_settled_waits_for_all_that_follows_from_an_alert():
    async with running() as engine:
        await engine.price("50000")
        engine.exchange.may_answer.clear()
        await engine.alert("50000")
        settled = asyncio.create_task(engine.engine.settled())
        await until(lambda: len(engine.exchange.requests("place")) >= 5)
        assert not settled.done()
        engine.exchange.may_answer.set()
        await settled
        assert [order.status for order in engine.orders if order.role is Role.TP] == [OrderStatus.OPEN]


async def test_settled_does_not_wait_where_nothing_is_under_way():
    async with running() as engine:
        await asyncio.wait_for(engine.engine.settled(), 1)


async def test_a_store_that_fails_turns_alerts_away_and_changes_nothing():
    async with running() as engine:
        engine.store.fail()
        with pytest.raises(StoreUnavailable, match="disk is full"):
            await engine.alert("50000")
        assert engine.engine.health() == "error"
        assert engine.state.pending == {}
        assert engine.state.next_signal_id == 1
        with pytest.raises(StoreUnavailable):
            await engine.alert("50000")
        row = engine.views.take().engine
        assert row is not None
        assert (row.status, row.status_text) == (EngineStatus.ERROR, "The disk is full.")
        assert not row.stores


async def test_whether_it_is_paused_is_told_also_while_an_account_is_away():
    async with running() as engine:
        await engine.engine.submit(Paused(why="stopped by you"))
        await engine.engine.submit(AccountLost(account="paper", why="no answer"))
        row = engine.views.take().engine
        assert row is not None
        assert (row.status, row.status_text, row.away) == (EngineStatus.ERROR, "paper: no answer", ("paper",))
        assert (row.paused, row.paused_why, row.stores) == (True, "stopped by you", True)
        await engine.engine.submit(Resumed())
        row = engine.views.take().engine
        assert row is not None
        assert (row.status, row.paused) == (EngineStatus.ERROR, False)


async def test_a_store_that_recovers_is_found_out_without_anything_happening():
    async with running() as engine:
        engine.store.fail()
        with pytest.raises(StoreUnavailable):
            await engine.alert("50000")
        engine.store.fault = None
        await engine.engine.settled()
        assert engine.engine.health() == "running"
        assert engine.store.notes[-2:] == [
            "The disk is full.",
            "The store takes transactions again.",
        ]
        assert (await engine.alert("50000")).signal_id == 1


async def test_news_of_the_world_that_the_store_did_not_take_comes_again_in_its_order():
    async with running() as engine:
        await engine.price("50100")
        await engine.alert("50000")
        await engine.engine.settled()
        first, second = engine.exchange.requests("place")[:2]
        engine.store.fail()
        news = [
            engine.engine.deliver(fill)
            for fill in engine.exchange.book.tick("BTC/USDT", Decimal("49750"), engine.clock.at_ms)
        ]
        news.append(engine.engine.deliver(OrderCancelled(client_id=second)))
        await until(lambda: len(engine.store.refused) >= 3)
        assert engine.state.orders[first].status is OrderStatus.OPEN
        assert engine.exchange.requests("place")[5:] == []
        engine.store.fault = None
        await asyncio.gather(*news)
        await engine.engine.settled()
        # The fill came first: a cancel does not undo it.
        assert engine.store.orders[first].status is OrderStatus.FILLED
        assert engine.store.orders[second].status is OrderStatus.FILLED
        assert len({fill.fill.trade_id for changes in engine.store.commits for fill in changes.fills}) == 2


@pytest.mark.parametrize("times", [1, 2])
async def test_what_was_decided_together_and_not_stored_is_decided_again_in_the_same_order(times: int):
    async with running() as engine:
        engine.store.fail(times=times)
        news = [engine.engine.deliver(event) for event in (Paused(why="first"), Resumed(), Paused(why="last"))]
        await asyncio.gather(*news)
        assert engine.state.control.why == "last"
        assert [text for text in engine.store.notes if "aused" in text or "Resumed" in text] == [
            "Paused: first.",
            "Resumed: new entries are taken again.",
            "Paused: last.",
        ]


async def test_a_click_that_could_not_be_stored_is_told_to_the_trader_and_not_done_later():
    async with running() as engine:
        engine.store.fail()
        with pytest.raises(StoreFailed):
            await engine.engine.submit(Paused())
        engine.store.fault = None
        await engine.engine.settled()
        assert not engine.state.control.paused


async def test_nothing_that_was_not_stored_is_sent():
    async with running() as engine:
        await engine.price("50100")
        await engine.alert("50000")
        await engine.engine.settled()
        before = list(engine.exchange.asked)
        engine.store.fail()
        filling = asyncio.create_task(engine.price("50000"))
        await until(lambda: any(changes.fills for changes in engine.store.refused))
        assert engine.exchange.asked == before
        engine.store.fault = None
        await filling
        await engine.engine.settled()
        assert len(engine.exchange.requests("place")) == 6


async def test_an_event_that_cannot_be_written_is_left_out_and_everything_else_goes_on():
    async with running() as engine:
        await engine.price("50100")
        await engine.alert("50000")
        await engine.alert("50000", tv__timeframe="60")
        await engine.engine.settled()
        bad, good = "paper|BTC/USDT|15m#1", "paper|BTC/USDT|1h#1"

        def cannot_write(changes) -> bool:
            group = changes.groups.get(bad)
            return group is not None and group.status is GroupStatus.CLOSING

        engine.store.cannot_write = cannot_write
        results = await asyncio.gather(
            engine.engine.submit(GroupCloseAsked(group_id=bad)),
            engine.engine.submit(GroupCloseAsked(group_id=good)),
            return_exceptions=True,
        )
        assert isinstance(results[0], StoreFailed | TypeError)
        assert not isinstance(results[1], BaseException)
        await engine.engine.settled()
        assert good not in engine.state.groups
        assert engine.engine.health() == "running"
        assert (await engine.alert("50000", tv__timeframe="5")).kind is VerdictKind.ACCEPTED


async def test_what_came_with_an_event_that_cannot_be_written_is_done_in_its_order():
    async with running() as engine:
        engine.store.cannot_write = lambda changes: any("bad" in note.text for _, note in changes.notes)
        events = [Paused(why="first"), Resumed(), Paused(why="bad"), Resumed(), Paused(why="last")]
        await asyncio.gather(*[engine.engine.deliver(event) for event in events])
        await engine.engine.settled()
        told = [text for text in engine.store.notes if text.startswith(("Paused", "Resumed"))]
        assert told == ["Paused: first.", "Resumed: new entries are taken again.", "Paused: last."]
        assert engine.state.control.why == "last"


async def test_a_fill_that_cannot_be_written_pauses_its_group_and_no_other():
    async with running() as engine:
        await engine.price("50100")
        await engine.alert("50000")
        await engine.engine.settled()
        engine.store.cannot_write = lambda changes: bool(changes.fills)
        await engine.price("50000")
        await engine.engine.settled()
        assert engine.state.groups["paper|BTC/USDT|15m#1"].frozen == "OrderFilled could not be dealt with"
        engine.store.cannot_write = lambda changes: False
        assert engine.engine.health() == "running"
        await engine.alert("50000", tv__timeframe="60")
        await engine.engine.settled()
        assert engine.state.groups["paper|BTC/USDT|1h#1"].frozen is None


async def test_a_signal_that_cannot_be_dealt_with_still_gets_an_outcome(monkeypatch):
    async with running() as engine:
        await engine.price("50100")
        monkeypatch.setattr("exengine.domain.decide.act", _defective)
        await engine.alert("50000")
        await engine.engine.settled()
        record = engine.store.commits[-1].signals[1]
        assert (record.outcome, record.reason) == (Outcome.REFUSED, "defect")
        assert engine.state.pending == {}


async def test_a_defect_that_comes_back_with_every_price_is_told_once_and_its_group_is_paused(monkeypatch):
    async with running() as engine:
        await engine.price("50100")
        await engine.alert("50000")
        await engine.engine.settled()
        monkeypatch.setattr("exengine.domain.decide._price", _defective)
        for number in range(200):
            await engine.engine.deliver(PriceMoved(account="paper", symbol="BTC/USDT", price=Decimal(50000 + number)))
        await engine.engine.settled()
        told = [text for text in engine.store.notes if "PriceMoved" in text]
        assert len(told) == 2, told
        assert engine.state.groups["paper|BTC/USDT|15m#1"].frozen is not None
        assert len(engine.store.commits) < 20


def _defective(*args: object) -> None:
    raise KeyError("a defect")


async def test_a_window_that_raises_stops_nothing():
    async with running() as engine:
        engine.views.subscribe(lambda urgent: 1 / 0)
        await engine.price("50000")
        await engine.alert("50000")
        await engine.engine.settled()
        assert len(engine.exchange.requests("place")) == 6
        engine.store.fail()
        with pytest.raises(StoreUnavailable):
            await engine.alert("50001")
        engine.store.fault = None
        await engine.engine.settled()
        assert engine.engine.health() == "running"


async def test_what_is_traded_is_shown_at_once_and_an_alert_that_changes_nothing_with_the_next_flush():
    async with running() as engine:
        await engine.price("50100")
        await engine.engine.settled()
        urgent: list[bool] = []
        engine.views.subscribe(urgent.append)
        await engine.alert("50000", execution_intent__type="exit")
        await engine.engine.settled()
        assert urgent, "its row and its line are to be shown"
        assert not any(urgent)
        await engine.alert("50000")
        await engine.engine.settled()
        assert any(urgent)


async def test_trouble_is_shown_at_once_though_nothing_that_is_traded_has_changed():
    async with running() as engine:
        urgent: list[bool] = []
        engine.views.subscribe(urgent.append)
        engine.engine.note(Severity.INFO, Category.SYSTEM, "The tunnel is open.")
        await engine.engine.settled()
        assert not any(urgent)
        engine.engine.note(Severity.WARNING, Category.SYSTEM, "The tunnel has gone.", "Open it again.")
        await engine.engine.settled()
        assert any(urgent)


async def test_a_start_acts_on_what_was_stored_and_not_decided():
    async with running() as engine:
        await engine.price("50100")
        await engine.alert("50000")
        await engine.engine.settled()
        stored = next(changes.signals[1] for changes in engine.store.commits if 1 in changes.signals)
        record = replace(stored, outcome=None, group="", decided_at_ms=None)
        async with running() as again:
            await again.price("50100")
            again.state.pending[1] = record
            again.state.next_signal_id = 2
            await again.engine.submit(EngineStarted())
            await again.engine.settled()
            assert again.store.commits[-1].orders
            assert again.state.pending == {}


async def test_a_group_that_cannot_be_gone_on_with_after_a_start_stops_no_other(monkeypatch):
    async with running() as engine:
        await engine.price("50100")
        await engine.alert("50000")
        await engine.alert("50000", tv__timeframe="60")
        await engine.engine.settled()
        bad, good = "paper|BTC/USDT|15m#1", "paper|BTC/USDT|1h#1"
        looked: list[str] = []

        def settle(step: object, group_id: str) -> None:
            looked.append(group_id)
            if group_id == bad:
                raise ZeroDivisionError

        monkeypatch.setattr("exengine.domain.decide.settle", settle)
        await engine.engine.submit(EngineStarted())
        await engine.engine.settled()
        assert looked == [bad, good]
        assert engine.state.groups[bad].frozen == "GroupDue could not be dealt with"
        assert engine.state.groups[good].frozen is None


async def test_a_trace_survives_a_transaction_that_was_not_taken():
    async with running() as engine:
        await engine.price("50100")
        engine.exchange.may_answer.clear()
        await engine.alert("50000")
        await until(lambda: len(engine.exchange.requests("place")) >= 5)
        await asyncio.sleep(0)
        engine.store.fail()
        engine.exchange.may_answer.set()
        await until(lambda: any(changes.traces for changes in engine.store.refused))
        engine.store.fault = None
        await engine.engine.settled()
        traces = [changes.traces[1] for changes in engine.store.commits if 1 in changes.traces]
        assert traces[-1].acknowledged_at_ms is not None
        assert traces[-1].sent_at_ms is not None


async def test_a_stop_stores_what_is_queued_and_begins_nothing_new():
    async with running() as engine:
        await engine.price("50000")
        engine.store.may_commit.clear()
        taking = asyncio.create_task(engine.alert("50000"))
        await until(lambda: engine.state.groups)
        engine.engine.post(QueueDue())
        stopping = asyncio.create_task(engine.engine.stop(5))
        await asyncio.sleep(0)
        engine.store.may_commit.set()
        await asyncio.gather(taking, stopping)
        assert engine.state.pending == {}
        assert engine.exchange.asked == []
        assert {order.status for order in engine.orders} == {OrderStatus.CREATED}


async def test_a_stop_is_bounded_though_exchange_and_store_hang():
    async with running() as engine:
        await engine.price("50000")
        engine.exchange.may_answer.clear()
        await engine.alert("50000")
        await until(lambda: engine.exchange.asked)
        engine.store.may_commit.clear()
        engine.engine.post(Paused())
        await asyncio.wait_for(engine.engine.stop(0.05), 5)


async def test_while_the_store_does_not_say_what_it_took_alerts_are_refused_and_afterwards_taken_again():
    async with running() as engine:
        engine.engine.store_trouble("the server has gone in the middle of a transaction")
        assert engine.engine.health() == "error"
        with pytest.raises(StoreUnavailable, match="middle of a transaction"):
            await engine.alert("50000")
        engine.engine.store_trouble(None)
        await engine.alert("50000")
        assert engine.engine.health() == "running"
        assert [text for text in engine.store.notes if "takes transactions again" in text]
