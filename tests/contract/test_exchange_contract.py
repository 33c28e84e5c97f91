"""What every exchange behind the engine promises, shown on each of the six through ccxt's own client.

The servers speak the exchanges' own protocols on this machine; nothing leaves it.
"""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal, DefaultContext, localcontext
from typing import Any

import pytest

from exengine.domain.errors import (
    INSUFFICIENT_BALANCE,
    MARKET_HALTED,
    RULES_REFUSED,
    AuthFailed,
    Refused,
    Retryable,
    UnknownOutcome,
)
from exengine.domain.events import OrderAccepted, OrderCancelled, OrderExpired, OrderFilled
from exengine.domain.instrument import OrderSide
from exengine.domain.order import Order, OrderType, Role
from exengine.exchange.live.profiles import PROFILES
from tests.contract.bench import Bench, bench, found, kinds

D = Decimal
SIX = tuple(PROFILES)


@pytest.fixture(params=SIX)
async def there(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """An account without its streams: everything by question and answer, as where a websocket is cut."""
    async with bench(request.param) as made:
        yield made


@pytest.fixture(params=SIX)
async def streamed(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with bench(request.param, streams=True) as made:
        yield made


async def placed(there: Bench, *orders: Order) -> list[Any]:
    return await asyncio.gather(*(there.exchange.place(order) for order in orders), return_exceptions=True)


# rules and balances ------------------------------------------------------------------------------------------------


async def test_the_rules_are_exact(there: Bench):
    (rules,) = [one for one in await there.exchange.rules() if one.symbol == there.symbol]
    assert (rules.tick_size, rules.step_size) == (D("0.1"), D("0.00001"))
    assert (rules.id, rules.base, rules.quote) == (there.market_id, "BTC", "USDT")
    assert rules.min_qty <= D("0.00001") or rules.min_notional == 5


async def test_balances_are_exact_and_say_what_is_held_in_all(there: Bench):
    await placed(there, there.order())
    report = await there.report()
    assert (report.totals["USDT"], report.totals["BTC"]) == (D(10000), D(1))


async def test_the_client_leaves_our_way_of_rounding_alone(there: Bench):
    with localcontext(DefaultContext) as ours:
        await there.exchange.rules()
        await placed(there, there.order("49000.1", "0.00213"))
        await there.report()
        assert (ours.rounding, ours.prec, ours.traps) == (
            DefaultContext.rounding, DefaultContext.prec, DefaultContext.traps,
        )  # fmt: skip


# orders ------------------------------------------------------------------------------------------------------------


async def test_a_limit_order_rests_under_our_own_id(there: Bench):
    order = there.order("49000.1", "0.00213")
    (told,) = await placed(there, order)
    assert kinds(told) == ["OrderAccepted"]
    (resting,) = there.venue.open_orders()
    assert (resting.price, resting.qty, resting.side) == (D("49000.1"), D("0.00213"), "buy")
    (mine,) = (await there.report()).open_orders
    assert (mine.client_id, mine.filled_qty, mine.exchange_order_id) == (order.client_id, 0, resting.id)


async def test_a_ladder_goes_out_together_and_every_leg_is_answered(there: Bench):
    ladder = [there.order(str(49000 - 100 * leg)) for leg in range(5)]
    answers = await placed(there, *ladder)
    assert [kinds(told) for told in answers] == [["OrderAccepted"]] * 5
    assert len(there.venue.open_orders()) == 5


async def test_of_a_ladder_with_one_bad_leg_the_others_stand(there: Bench):
    ladder = [there.order("49000"), there.order("48900", "5"), there.order("48800")]
    answers = await placed(there, *ladder)
    assert [kinds(answers[0]), kinds(answers[2])] == [["OrderAccepted"]] * 2
    assert isinstance(answers[1], Refused)
    assert len(there.venue.open_orders()) == 2


async def test_an_order_that_fills_is_found_with_its_fills_and_fees(there: Bench):
    order = there.order("49000")
    await placed(there, order)
    there.tick("48999")
    events = [event for event in [*await found(there, order), *there.events] if isinstance(event, OrderFilled)]
    assert sum(event.fill.qty for event in events) == D("0.002")
    fill = events[0].fill
    assert (fill.price, fill.fee_currency, fill.liquidity.value) == (D(49000), "BTC", "maker")
    assert sum(event.fill.fee for event in events) == D("0.000002")


async def test_the_same_fill_is_told_once_however_often_it_is_asked_for(there: Bench):
    order = there.order("49000")
    await placed(there, order)
    there.tick("48999")
    first = await found(there, order)
    assert kinds(first).count("OrderFilled") >= 1
    assert "OrderFilled" not in kinds(await found(there, order))


async def test_what_fills_at_once_is_known_without_a_stream(there: Bench):
    order = there.order("50500", side=OrderSide.BUY)
    (told,) = await placed(there, order)
    events = [*told, *await found(there, order)]
    fills = [event for event in [*events, *there.events] if isinstance(event, OrderFilled)]
    assert sum(event.fill.qty for event in fills) == D("0.002")
    assert {event.fill.liquidity.value for event in fills} == {"taker"}


async def test_an_order_filled_in_part_and_then_cancelled_keeps_the_part(there: Bench):
    order = there.order("49000", "0.003")
    await placed(there, order)
    there.tick("48999", "0.001")
    told = [*await there.exchange.cancel(order), *await found(there, order), *there.told(OrderFilled)]
    fills = {event.fill.trade_id: event.fill.qty for event in told if isinstance(event, OrderFilled)}
    assert sum(fills.values()) == D("0.001")
    assert any(isinstance(event, OrderCancelled) for event in told)


async def test_a_bounded_market_order_fills_at_once_and_leaves_nothing_on_the_exchange(there: Bench):
    order = there.ioc("50500")
    (told,) = await placed(there, order)
    events = [*told, *await found(there, order)]
    assert sum(event.fill.qty for event in events if isinstance(event, OrderFilled)) == D("0.002")
    assert there.venue.open_orders() == []


async def test_what_a_bounded_market_order_could_not_fill_expires(there: Bench):
    there.venue.liquidity[there.market_id] = D("0.0005")
    order = there.ioc("50500")
    (told,) = await placed(there, order)
    events = [*told, *await found(there, order), *there.events]
    fills = {event.fill.trade_id: event.fill.qty for event in events if isinstance(event, OrderFilled)}
    assert sum(fills.values()) == D("0.0005")
    assert any(isinstance(event, OrderExpired) for event in events)
    assert there.venue.open_orders() == []


async def test_a_plain_market_sale_is_by_the_coin(there: Bench):
    order = there.order(None, type=OrderType.MARKET, side=OrderSide.SELL, role=Role.CLOSE)
    (told,) = await placed(there, order)
    events = [*told, *await found(there, order)]
    (fill,) = [event.fill for event in events if isinstance(event, OrderFilled)]
    assert (fill.qty, fill.fee_currency) == (D("0.002"), "USDT")


async def test_a_cancelled_order_is_off_the_exchange_and_told_as_cancelled(there: Bench):
    order = there.order()
    await placed(there, order)
    told = await there.exchange.cancel(order)
    assert there.venue.open_orders() == []
    events = [*told, *await found(there, order), *there.events]
    assert any(isinstance(event, OrderCancelled) for event in events)


async def test_cancelling_what_has_filled_is_no_cancel(there: Bench):
    order = there.order()
    await placed(there, order)
    there.tick("48000")
    with pytest.raises((Refused, UnknownOutcome)):
        await there.exchange.cancel(order)
    assert "OrderFilled" in kinds([*await found(there, order), *there.events])


async def test_a_post_only_order_never_takes(there: Bench):
    order = there.order("50500", post_only=True)
    (told,) = await placed(there, order)
    if not isinstance(told, Refused):
        events = [*told, *await found(there, order)]
        assert any(
            isinstance(event, OrderCancelled | OrderExpired) or "Rejected" in kinds([event])[0] for event in events
        )
    assert there.venue.trades == []
    assert there.venue.open_orders() == []


# what goes wrong ---------------------------------------------------------------------------------------------------


async def test_an_order_that_was_never_sent_is_surely_absent_only_when_it_cannot_arrive_any_more(there: Bench):
    await there.exchange.rules()
    order = there.order()
    with pytest.raises(UnknownOutcome):
        await there.exchange.find(order)
    there.elapsed.ahead_s += PROFILES[there.name].late_ms / 1000 + 1
    assert await there.exchange.find(order) is None


async def test_an_answer_that_is_lost_leaves_an_order_that_is_found_and_adopted(there: Bench):
    await there.exchange.rules()
    there.faults.lose_answer(there.place_kind)
    order = there.order()
    (told,) = await placed(there, order)
    assert isinstance(told, UnknownOutcome)
    assert "OrderAccepted" in kinds(await found(there, order))
    assert len(there.venue.open_orders()) == 1


async def test_a_request_that_is_lost_leaves_nothing_and_may_be_sent_again(there: Bench):
    await there.exchange.rules()
    there.faults.lose_request(there.place_kind)
    order = there.order()
    (told,) = await placed(there, order)
    assert isinstance(told, UnknownOutcome | Retryable)
    there.elapsed.ahead_s += PROFILES[there.name].late_ms / 1000 + 1
    assert await there.exchange.find(order) is None
    (again,) = await placed(there, order)
    assert kinds(again) == ["OrderAccepted"]


@pytest.mark.parametrize("done", [True, False])
async def test_a_gateways_page_says_nothing_of_the_order(there: Bench, done: bool):
    await there.exchange.rules()
    there.faults.status(there.place_kind, 502, "<html>Bad Gateway</html>", done=done)
    order = there.order()
    (told,) = await placed(there, order)
    assert isinstance(told, UnknownOutcome)
    assert len(there.venue.open_orders()) == done


async def test_an_answer_that_cannot_be_read_says_nothing_of_the_order(there: Bench):
    await there.exchange.rules()
    there.faults.garbage(there.place_kind, done=True)
    order = there.order()
    (told,) = await placed(there, order)
    assert isinstance(told, UnknownOutcome)
    assert "OrderAccepted" in kinds(await found(there, order))


@pytest.mark.parametrize("kind", ["balance", "open_orders"])
async def test_an_account_that_cannot_be_read_is_not_taken_for_an_empty_one(there: Bench, kind: str):
    await placed(there, there.order())
    there.faults.garbage(kind, times=None)
    with pytest.raises(Retryable):
        await there.exchange.report([there.symbol])


async def test_a_question_whose_answer_cannot_be_read_leaves_the_order_in_doubt(there: Bench):
    order = there.order()
    await placed(there, order)
    for kind in ("query", "open_orders", "orders"):
        there.faults.garbage(kind, times=None)
    with pytest.raises((UnknownOutcome, Retryable)):
        await there.exchange.find(order)


async def test_the_same_order_sent_twice_is_one_order(there: Bench):
    order = there.order()
    await placed(there, order)
    (told,) = await placed(there, order)
    if isinstance(told, UnknownOutcome):
        assert "OrderAccepted" in kinds(await found(there, order))
    assert len({one.client_id for one in there.venue.open_orders()}) == 1


async def test_too_little_money_is_a_final_no_under_one_name(there: Bench):
    (told,) = await placed(there, there.order("49000", "5"))
    assert isinstance(told, Refused)
    assert told.code == INSUFFICIENT_BALANCE


async def test_an_order_below_the_minimum_is_refused_for_the_rules(there: Bench):
    (told,) = await placed(there, there.order("49000", "0.00002"))
    assert isinstance(told, Refused)
    assert told.code == RULES_REFUSED


async def test_a_halted_symbol_is_told_as_that(there: Bench):
    await there.exchange.rules()
    there.venue.halt(there.market_id)
    (told,) = await placed(there, there.order())
    assert isinstance(told, Refused)
    assert told.code == MARKET_HALTED


@pytest.mark.parametrize("name", SIX)
async def test_a_wrong_secret_stops_the_account(name: str):
    async with bench(name, secret="wrong") as there:
        with pytest.raises(AuthFailed):
            await there.exchange.report(None)


@pytest.mark.parametrize("name", SIX)
async def test_a_clock_that_is_off_is_set_by_the_exchanges_and_no_key_is_called_bad(name: str):
    async with bench(name) as there:
        there.faults.clock_skew_ms = 400_000
        (told,) = await placed(there, there.order())
        assert kinds(told) == ["OrderAccepted"]


async def test_slow_down_is_obeyed_and_nothing_else_goes_out_meanwhile(there: Bench):
    await there.exchange.rules()
    there.faults.status(there.place_kind, 429, "{}", {"Retry-After": "7"})
    (told,) = await placed(there, there.order())
    assert isinstance(told, Retryable)
    assert told.after_ms == 7000
    (again,) = await placed(there, there.order())
    assert isinstance(again, Retryable)
    assert there.venue.open_orders() == []
    there.elapsed.ahead_s += 8
    (third,) = await placed(there, there.order())
    assert kinds(third) == ["OrderAccepted"]


async def test_a_stray_is_taken_off_by_the_exchanges_own_id(there: Bench):
    await placed(there, there.order())
    (stray,) = (await there.report()).open_orders
    await there.exchange.cancel_stray(stray)
    assert there.venue.open_orders() == []


async def test_a_fill_of_an_order_that_was_over_is_found_among_the_trades(there: Bench):
    order = there.order("49000")
    await placed(there, order)
    there.tick("48999")
    await there.report()
    await there.until(lambda: there.fills(order))
    await there.report()
    assert len(there.fills(order)) == 1


# what comes by itself ----------------------------------------------------------------------------------------------


async def test_a_fill_comes_by_stream_with_its_fee(streamed: Bench):
    order = streamed.order("49000")
    await placed(streamed, order)
    streamed.tick("48999")
    await streamed.until(lambda: streamed.fills(order))
    (filled,) = streamed.fills(order)
    assert (filled.fill.qty, filled.fill.price, filled.fill.fee) == (D("0.002"), D(49000), D("0.000002"))
    assert "OrderFilled" not in kinds(await found(streamed, order))


async def test_an_order_that_the_trader_cancels_on_the_exchange_is_told(streamed: Bench):
    order = streamed.order("49000")
    await placed(streamed, order)
    streamed.venue.cancel(market_id=streamed.market_id, client_id=streamed.venue.open_orders()[0].client_id)
    await streamed.until(lambda: streamed.told(OrderCancelled, order))


async def test_part_fills_come_one_by_one_and_the_end_after_them(streamed: Bench):
    order = streamed.order("49000", "0.003")
    await placed(streamed, order)
    streamed.tick("48999", "0.001")
    streamed.tick("48999", "0.001")
    streamed.venue.cancel(market_id=streamed.market_id, client_id=streamed.venue.open_orders()[0].client_id)
    await streamed.until(lambda: streamed.told(OrderCancelled, order))
    mine = [event for event in streamed.events if not isinstance(event, OrderAccepted)]
    ends = [number for number, event in enumerate(mine) if isinstance(event, OrderCancelled)]
    assert [event.fill.qty for event in mine[: ends[0]] if isinstance(event, OrderFilled)] == [D("0.001")] * 2


async def test_a_stream_that_says_everything_twice_is_heard_once(streamed: Bench):
    streamed.faults.double_stream()
    order = streamed.order("49000")
    await placed(streamed, order)
    streamed.tick("48999")
    await streamed.until(lambda: streamed.fills(order))
    other = streamed.order("48000")
    await placed(streamed, other)
    streamed.tick("47999")
    await streamed.until(lambda: streamed.fills(other))
    assert (len(streamed.fills(order)), len(streamed.fills(other))) == (1, 1)


async def test_a_stream_that_is_cut_is_noticed_and_begun_again(streamed: Bench):
    seen: list[bool] = []
    changed = asyncio.Event()

    def note(there: bool) -> None:
        seen.append(there)
        changed.set()

    streamed.exchange.on_seen = note
    streamed.faults.cut_stream()
    async with asyncio.timeout(30):
        while seen[-2:] != [False, True]:
            changed.clear()
            await changed.wait()
    order = streamed.order("49000")
    await placed(streamed, order)
    streamed.tick("48999")
    await streamed.until(lambda: streamed.fills(order))


async def test_prices_come_by_stream(streamed: Bench):
    await streamed.exchange.rules()
    streamed.exchange.watch([streamed.symbol])

    def has(price: str) -> bool:
        return any(getattr(event, "price", None) == D(price) for event in streamed.events)

    await streamed.until(lambda: has("50000"))
    streamed.tick("50123.4")
    await streamed.until(lambda: has("50123.4"))


@pytest.mark.parametrize("name", ["binance"])
async def test_a_session_that_has_expired_is_renewed_when_its_silence_is_noticed(name: str):
    async with bench(name, streams=True) as there:
        there.server.front.end_sessions()  # type: ignore[attr-defined]
        seen: list[bool] = []
        changed = asyncio.Event()

        def note(is_seen: bool) -> None:
            seen.append(is_seen)
            changed.set()

        there.exchange.on_seen = note
        there.exchange.doubt_streams()
        async with asyncio.timeout(30):
            while seen[-2:] != [False, True]:
                changed.clear()
                await changed.wait()
        order = there.order("49000")
        await placed(there, order)
        there.tick("48999")
        await there.until(lambda: there.fills(order))
