"""Comparing the books with an exchange: what differs is asked for, what is strange cancelled, what is gone told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from exengine.domain.accounts import NOT_ASKED_YET
from exengine.domain.commands import ResolveOrder
from exengine.domain.errors import AuthFailed, Retryable
from exengine.domain.events import OrderAccepted
from exengine.domain.group import GroupStatus
from exengine.domain.order import OrderStatus, client_order_id
from exengine.domain.settings import PAPER, GridSettings, LegSpec, Settings
from exengine.engine.ports import AccountReport, OpenOrder
from exengine.engine.watchman import BLIND_S, LOST_AFTER, REPORT_S, Watchman
from tests.helpers.engine import START_MS, Running, running, until

LIVE = replace(PAPER, paper_slippage_percent=None)
LEG = LegSpec(gap_percent=Decimal(0), weight_percent=Decimal(100), tp_percent=Decimal(1))
SETTINGS = Settings(accounts=(LIVE,), grid=GridSettings(legs=(LEG,)))
GROUP = "paper|BTC/USDT|15m#1"


@dataclass(kw_only=True)
class Watched:
    run: Running
    watchman: Watchman
    now_s: float = 0.0

    def report(self, *resting: OpenOrder, at_ms: int = START_MS * 2, **totals: str) -> None:
        """The exchange says this at the next look."""
        amounts = {name: Decimal(amount) for name, amount in ({"USDT": "10000"} | totals).items()}
        said = AccountReport(asked_at_ms=at_ms, open_orders=resting, totals=amounts, positions={})
        self.run.exchange.reports.append(said)

    def meanwhile(self, happens: Callable[[], Awaitable[None]]) -> None:
        """Between the next question and its answer."""
        ask = self.run.exchange.report

        async def asked(symbols: Collection[str] | None) -> AccountReport | None:
            said = await ask(symbols)
            await happens()
            return said

        self.run.exchange.report = asked  # type: ignore[method-assign]

    async def look(self) -> None:
        await self.watchman.look()
        await self.run.engine.settled()


def rests(client_id: str | None, filled: str = "0", symbol: str = "BTC/USDT") -> OpenOrder:
    return OpenOrder(symbol=symbol, client_id=client_id, exchange_order_id="9", filled_qty=Decimal(filled))


@asynccontextmanager
async def watched(settings: Settings = SETTINGS) -> AsyncIterator[Watched]:
    async with running(settings) as run:
        made = Watched(run=run, watchman=Watchman(run.engine, run.state, run.exchange, now_s=lambda: made.now_s))
        yield made


async def test_an_order_that_is_as_the_books_have_it_needs_no_question():
    async with watched() as made:
        await made.run.alert("50000")
        await made.run.engine.settled()
        (order,) = made.run.orders
        made.report(rests(order.client_id))
        await made.look()
        assert made.run.exchange.requests("find") == []


async def test_an_order_that_filled_while_nobody_looked_is_asked_for_and_booked():
    async with watched() as made:
        await made.run.alert("50000")
        await made.run.engine.settled()
        (order,) = made.run.orders
        made.run.exchange.missed.extend(made.run.exchange.book.tick("BTC/USDT", Decimal(49000), START_MS))
        made.report()
        await made.look()
        assert made.run.exchange.requests("find") == [order.client_id]
        assert made.run.state.groups[GROUP].status is GroupStatus.ACTIVE


async def test_an_order_that_the_exchange_forgot_after_it_had_it_is_cancelled_and_not_sent_again():
    async with watched() as made:
        await made.run.alert("50000")
        await made.run.engine.settled()
        (order,) = made.run.orders
        made.run.exchange.forgotten.add(order.client_id)
        made.report()
        await made.look()
        assert made.run.exchange.requests("place") == [order.client_id]
        assert made.run.store.orders[order.client_id].status is OrderStatus.CANCELLED


async def test_an_order_made_after_the_question_is_not_missed_by_its_answer():
    async with watched() as made:

        async def alerted() -> None:
            await made.run.alert("50000")
            await made.run.engine.settled()

        made.report()
        made.meanwhile(alerted)
        await made.look()
        assert len(made.run.orders) == 1
        assert made.run.exchange.requests("find") == []


async def test_an_order_is_asked_for_though_the_clock_was_set_back_since_it_was_made():
    async with watched() as made:
        await made.run.alert("50000")
        await made.run.engine.settled()
        made.report(at_ms=START_MS - 3_600_000)
        await made.look()
        assert made.run.exchange.requests("find") == [order.client_id for order in made.run.orders]


async def test_what_is_not_on_disk_yet_is_not_compared():
    """An order that was decided and not stored would be found missing, and be sent before its commit."""
    async with watched() as made:
        made.run.store.may_commit.clear()
        alerted = asyncio.ensure_future(made.run.alert("50000"))
        await until(lambda: made.run.state.orders)
        made.report()
        looking = asyncio.ensure_future(made.look())
        for _ in range(50):
            await asyncio.sleep(0)
        assert made.run.exchange.requests("find") == made.run.exchange.requests("place") == []
        made.run.store.may_commit.set()
        await alerted
        await looking
        assert len(made.run.exchange.requests("place")) == 1


async def test_balances_do_not_count_while_something_is_asked_about_an_order():
    async with watched() as made:
        await made.run.alert("50000")
        await made.run.engine.settled()
        (order,) = made.run.orders
        made.run.exchange.may_answer.clear()
        asking = asyncio.ensure_future(made.run.engine.ask_again([ResolveOrder(order=order)], 5))
        await until(lambda: made.run.engine.has_traffic(order.client_id))
        made.report(USDT="9000")
        await made.watchman.look()
        assert made.run.state.balance("paper", "USDT") == 10000
        made.run.exchange.may_answer.set()
        assert await asking


async def test_a_stray_of_this_stores_own_mark_is_cancelled_and_others_are_let_be():
    async with watched() as made:
        ours, theirs = client_order_id("test", "old#9"), client_order_id("another store", "g#1")
        made.report(rests(ours), rests(theirs), rests("web_42"), rests(None))
        await made.look()
        assert [stray.client_id for stray in made.run.exchange.strays] == [ours]
        assert any("books do not have" in text for text in made.run.store.notes)


async def test_a_cancel_that_the_exchange_took_and_did_not_carry_out_is_asked_again():
    async with watched() as made:
        await made.run.alert("50000")
        await made.run.engine.settled()
        (order,) = made.run.orders
        made.run.state.orders[order.client_id] = replace(order, cancel_requested=True)
        made.report(rests(order.client_id))
        await made.look()
        assert made.run.exchange.requests("cancel") == [order.client_id]


async def test_coins_that_are_missing_twice_freeze_the_group_and_once_do_not():
    async with watched() as made:
        await made.run.price("50000")
        await made.run.alert("50000")
        await made.run.engine.settled()
        (target,) = [order for order in made.run.orders if order.status is OrderStatus.OPEN]
        for _ in range(2):
            assert made.run.state.groups[GROUP].frozen is None
            made.report(rests(target.client_id), BTC="0.0005")
            await made.look()
        assert "0.0005 BTC" in (made.run.state.groups[GROUP].frozen or "")


async def test_balances_count_only_where_nothing_moved_between_question_and_answer():
    async with watched() as made:
        made.report(USDT="7777")
        await made.look()
        assert made.run.state.balance("paper", "USDT") == 7777
        await made.run.alert("50000")
        await made.run.engine.settled()
        made.report(USDT="5555")
        await made.look()
        assert made.run.state.balance("paper", "USDT") == 7777


async def test_an_account_is_found_with_its_first_answer_and_lost_after_several_silences():
    async with watched() as made:
        made.run.state.unreachable["paper"] = "not asked yet"
        made.report()
        await made.look()
        assert made.run.state.unreachable == {}
        for number in range(LOST_AFTER):
            assert made.run.state.unreachable == {}, number
            made.run.exchange.reports.append(Retryable("503"))
            await made.look()
        assert "does not answer" in made.run.state.unreachable["paper"]
        made.report()
        await made.look()
        assert made.run.state.unreachable == {}


async def test_after_a_start_no_entry_goes_ahead_before_the_balances_are_known():
    async with watched() as made:
        await made.run.alert("50000")
        await made.run.engine.settled()
        made.run.state.unreachable["paper"] = NOT_ASKED_YET
        del made.run.state.start["paper", "USDT"]
        made.run.exchange.missed.extend(made.run.exchange.book.tick("BTC/USDT", Decimal(49000), START_MS))
        made.report()  # the fill is found only now: what it says of balances is ahead of the books
        await made.look()
        await made.run.alert("49000", tv__timeframe="60")
        await made.run.engine.settled()
        assert [waiting.reason for waiting in made.run.state.waiting.values()] == ["paused"]
        target = next(order for order in made.run.orders if order.is_working)
        made.report(rests(target.client_id))
        await made.look()
        assert made.run.state.unreachable == {}
        assert len(made.run.state.groups) == 2


async def test_an_account_that_has_not_answered_yet_is_lost_at_once():
    async with watched() as made:
        made.run.exchange.reports.append(Retryable("no route to host"))
        await made.look()
        assert "no route to host" in made.run.state.unreachable["paper"]


async def test_a_key_that_is_not_taken_ends_the_watch_and_stops_the_account():
    async with watched() as made:
        made.run.exchange.reports.append(AuthFailed("-2015"))
        await made.watchman.run()
        await made.run.engine.settled()
        assert made.run.engine.health() == "error"
        assert "-2015" in made.run.state.unreachable["paper"]


@pytest.mark.parametrize(("sees", "pause_s"), [(True, REPORT_S), (False, BLIND_S)])
async def test_polling_is_quicker_while_own_orders_do_not_come_by_stream(sees: bool, pause_s: float):
    async with running(SETTINGS) as run:
        pauses: list[float] = []
        forever = asyncio.Event()

        async def pause(seconds: float) -> None:
            pauses.append(seconds)
            await forever.wait()

        watchman = Watchman(
            run.engine, run.state, run.exchange, now_s=lambda: 0.0, pause=pause, sees_orders=lambda: sees
        )
        said = AccountReport(asked_at_ms=START_MS, open_orders=(), totals={}, positions={})
        run.exchange.reports.extend([said, said])
        task = asyncio.create_task(watchman.run())
        await until(lambda: pauses)
        assert pauses == [pause_s]
        watchman.streams_changed(True)
        await until(lambda: len(pauses) == 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_rules_are_loaded_when_the_watch_begins():
    async with watched() as made:
        made.report()
        task = asyncio.create_task(made.watchman.run())
        await until(lambda: made.run.exchange.requests("rules"))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_rests_tells_the_exchanges_own_id():
    async with watched() as made:
        await made.run.alert("50000")
        await made.run.engine.settled()
        (order,) = made.run.orders
        await made.run.engine.deliver(OrderAccepted(client_id=order.client_id, exchange_order_id=None))
        made.report(rests(order.client_id))
        await made.look()
        assert made.run.store.orders[order.client_id].exchange_order_id is not None


async def test_a_stream_that_is_there_and_says_nothing_is_begun_anew():
    async with watched() as made:
        for price in ("50000", "49000", "48000"):
            await made.run.alert(price)
            await made.run.engine.settled()
        orders = [order.client_id for order in made.run.orders]
        for client_id in orders[:2]:
            assert made.run.exchange.requests("streams") == []
            made.run.exchange.forgotten.add(client_id)
            resting = [rests(one) for one in orders if one not in made.run.exchange.forgotten]
            made.report(*resting)
            await made.look()
        assert made.run.exchange.requests("streams") == [""]
