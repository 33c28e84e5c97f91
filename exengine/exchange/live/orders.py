"""Orders at one exchange: placed, cancelled, and asked for until it is known what became of them (FAULTS 1 to 19)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from exengine.domain.errors import KnownError, Refused, UnknownOutcome
from exengine.domain.events import Event, OrderAccepted
from exengine.domain.money import plain
from exengine.domain.order import Order, OrderType, Role
from exengine.engine.ports import OpenOrder
from exengine.exchange.live.client import CcxtClient
from exengine.exchange.live.faults import UNKNOWN_ORDER, refused_row
from exengine.exchange.live.pace import Urgency
from exengine.exchange.live.profiles import Lookup, TradesBy
from exengine.exchange.live.said import OrderSaid, Standing, TradeSaid, order_said, trade_said
from exengine.exchange.live.swap import SwapSetup
from exengine.exchange.live.tracker import Tracker

log = logging.getLogger(__name__)

FOLLOW_S = (0.3, 1.0, 3.0)
"""When an order that should be over is asked for, where no stream has said so by then."""

Answer = list[Event] | Exception
"""What one order of several brought."""

_URGENCY = {Role.ENTRY: Urgency.ENTRY, Role.TP: Urgency.TARGET}


class OrderDesk:
    """Lives on the exchange's own loop. What it finds out by itself goes to `tell`."""

    def __init__(
        self,
        client: CcxtClient,
        tracker: Tracker,
        swap: SwapSetup | None,
        tell: Callable[[list[Event]], None],
        *,
        now_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._profile = client.profile
        self._tracker = tracker
        self._swap = swap
        self._tell = tell
        self._now_s = now_s
        self._sent_s: dict[str, float] = {}
        self._began_s = now_s()
        """What an earlier run may have sent was sent before this."""
        self._sleep = sleep
        self._first_is_out = asyncio.Event()
        """Not set while the first of several orders is signed and its request written."""
        self._first_is_out.set()
        self._following: dict[str, asyncio.Task[None]] = {}

    # placing ---------------------------------------------------------------------------------------------------------

    async def place(self, orders: Sequence[Order]) -> list[Answer]:
        """Sends orders of one symbol together, as many in a request as the exchange takes; an answer for each."""
        urgency = min(_URGENCY.get(order.role, Urgency.LEAVING) for order in orders)
        if self._swap is not None and any(order.role is Role.ENTRY for order in orders):
            try:
                await self._swap.ready(orders[0].symbol)
            except (KnownError, Refused) as error:
                return [error] * len(orders)
        for order in orders:
            self._tracker.expect(order)
            self._sent_s[order.client_id] = self._now_s()
        size = self._profile.batch
        if len(orders) == 1:
            return [await self._place_one(orders[0], urgency)]
        if size == 1:
            return list(await asyncio.gather(*(self._place_one(order, urgency) for order in orders)))
        parts = [orders[start : start + size] for start in range(0, len(orders), size)]
        answers = await asyncio.gather(*(self._place_batch(part, urgency) for part in parts))
        return [answer for part in answers for answer in part]

    async def _after_the_first(self) -> None:
        """Lets the first of several orders go ahead; for no answer.

        Begun in the same pass of the loop, it would be written only when the last is signed.
        """
        if self._first_is_out.is_set():
            self._first_is_out.clear()
            loop = asyncio.get_running_loop()
            # Who goes on from here signs in this pass, and aiohttp writes in the next.
            loop.call_soon(loop.call_soon, self._first_is_out.set)
        else:
            await self._first_is_out.wait()

    async def _place_one(self, order: Order, urgency: Urgency) -> Answer:
        await self._after_the_first()
        try:
            answer = await self._client.ask("create_order", **self._request(order), urgency=urgency, changes=True)
            return self._placed(order, order_said(self._profile, answer))
        except (KnownError, Refused) as error:
            return error
        except ValueError as error:
            return UnknownOutcome(str(error))

    async def _place_batch(self, orders: Sequence[Order], urgency: Urgency) -> list[Answer]:
        try:
            rows = await self._client.ask(
                "create_orders", [self._request(order) for order in orders], urgency=urgency, changes=True
            )
        except Refused:
            # Nothing of it was done, for what may be one order's fault: each finds out for itself.
            return list(await asyncio.gather(*(self._place_one(order, urgency) for order in orders)))
        except KnownError as error:
            return [error] * len(orders)
        return self._batch_answers(orders, rows)

    def _batch_answers(self, orders: Sequence[Order], rows: Sequence[Any]) -> list[Answer]:
        """Each order's row of a batch's answer, by its id; refused rows without one belong to the orders left over."""
        by_id: dict[str, Any] = {}
        refusals, taken = [], 0
        for row in rows:
            refusal = refused_row(self._profile, row.get("info") or {})
            said = order_said(self._profile, row)
            if said.client_id is not None:
                by_id[said.client_id] = refusal or said
            elif refusal is not None:
                refusals.append(refusal)
            elif said.exchange_order_id is not None:
                taken += 1
        nameless = [order for order in orders if order.client_id not in by_id]
        if len(nameless) == len(refusals):
            by_id |= {order.client_id: refusal for order, refusal in zip(nameless, refusals, strict=True)}
        elif len(nameless) == taken:
            # All of them are there; which id is whose is left to the stream and to the comparison to tell.
            by_id |= {order.client_id: [OrderAccepted(client_id=order.client_id)] for order in nameless}
        answers: list[Answer] = []
        for order in orders:
            found = by_id.get(order.client_id)
            if isinstance(found, OrderSaid):
                answers.append(self._placed(order, found))
            else:
                answers.append(found or UnknownOutcome("the answer to several orders says nothing of this one"))
        return answers

    def _placed(self, order: Order, said: OrderSaid) -> Answer:
        """What the answer to a new order tells. An acknowledgement is no more than that (FAULTS 6)."""
        if said.exchange_order_id is None:
            return UnknownOutcome(f"{self._profile.name} acknowledged an order without an id")
        if self._profile.acknowledges_only:
            said = OrderSaid(
                client_id=order.client_id,
                exchange_order_id=said.exchange_order_id,
                symbol=order.symbol,
                standing=None,
                filled_qty=None,
            )
        news = self._tracker.said(said)
        if not news.complete or (order.type is OrderType.MARKET and said.standing in (None, Standing.OPEN)):
            self.follow(order, to_its_end=order.type is OrderType.MARKET)
        return news.events

    def _request(self, order: Order) -> dict[str, Any]:
        """An order as ccxt takes it. A market order with a bound is an IOC limit at it (SPEC §4.3)."""
        params: dict[str, Any] = {self._profile.id_param: self._profile.id_prefix + order.client_id}
        price = order.price if order.type is OrderType.LIMIT else order.bound
        if order.type is OrderType.MARKET and order.bound is not None:
            params["timeInForce"] = "IOC"
        if order.post_only:
            params["postOnly"] = True
        if self._swap is not None:
            params |= self._swap.params(order)
        return {
            "symbol": order.symbol,
            "type": "market" if price is None else "limit",
            "side": order.side.value,
            "amount": plain(order.qty),
            "price": None if price is None else plain(price),
            "params": params,
        }

    # cancelling ------------------------------------------------------------------------------------------------------

    async def cancel(self, order: Order) -> list[Event]:
        """Asks for an order to be taken off. What the exchange then says of it counts, not that it was asked."""
        their_id = self._tracker.expect(order).exchange_order_id
        if their_id is None and self._profile.takes_our_id_as_theirs:
            their_id = self._profile.id_prefix + order.client_id
        params = {} if their_id is not None else self._id_params(order)
        answer = await self._client.ask(
            "cancel_order", their_id, order.symbol, params, urgency=Urgency.LEAVING, changes=True
        )
        try:
            said = order_said(self._profile, answer)
        except ValueError as error:
            raise UnknownOutcome(str(error)) from error
        if said.standing in (None, Standing.OPEN) or said.filled_qty is None:
            self.follow(order, to_its_end=True)
            return []
        mine = OrderSaid(
            client_id=order.client_id,
            exchange_order_id=said.exchange_order_id,
            symbol=order.symbol,
            standing=said.standing,
            filled_qty=said.filled_qty,
        )
        news = self._tracker.said(mine)
        return news.events if news.complete else [*news.events, *(await self.find(order) or [])]

    async def cancel_stray(self, stray: OpenOrder) -> None:
        await self._client.ask(
            "cancel_order", stray.exchange_order_id, stray.symbol, urgency=Urgency.LEAVING, changes=True
        )

    # finding out -----------------------------------------------------------------------------------------------------

    async def find(self, order: Order) -> list[Event] | None:
        """What became of an order. None where it is surely not there: neither found nor able to arrive any more."""
        self._tracker.expect(order)
        said = await self._looked_up(order)
        if said is None:
            sent_s = self._sent_s.get(order.client_id, self._began_s)
            if self._now_s() - sent_s < self._profile.late_ms / 1000:
                raise UnknownOutcome("not there yet; what was sent may still arrive")
            return None
        news = self._tracker.said(said)
        events = news.events
        if not news.complete:
            for trade in await self._trades(order, said.exchange_order_id):
                events = [*events, *self._tracker.traded(trade).events]
            again = self._tracker.said(said)
            events = [*events, *again.events]
            if not again.complete:
                self._tell(events)
                raise UnknownOutcome("its trades are not all to be seen yet")
        return events

    async def _looked_up(self, order: Order) -> OrderSaid | None:
        try:
            return await self._looked_for(order)
        except ValueError as error:
            raise UnknownOutcome(str(error)) from error

    async def _looked_for(self, order: Order) -> OrderSaid | None:
        """The order as the exchange has it now: asked for by its id, then looked for in every list there is."""
        if self._profile.lookup is Lookup.ORDER:
            try:
                answer = await self._client.ask(
                    "fetch_order", None, order.symbol, self._id_params(order), urgency=Urgency.QUESTION
                )
                return order_said(self._profile, answer)
            except Refused as error:
                if error.code != UNKNOWN_ORDER:
                    raise
        for list_name in ("fetch_open_orders", "fetch_canceled_and_closed_orders", "fetch_closed_orders"):
            if not self._client.can(list_name):
                continue
            narrowed = self._id_params(order) if self._profile.lookup is Lookup.LISTS else {}
            rows = await self._client.ask(list_name, order.symbol, None, None, narrowed, urgency=Urgency.QUESTION)
            for row in rows:
                said = order_said(self._profile, row)
                if said.client_id == order.client_id:
                    return said
        return None

    async def catch_up(self, symbols: Iterable[str], *, since_ms: int) -> None:
        """Tells of trades since then that nobody has told of, also of orders that are over (SPEC §10)."""
        for symbol in sorted(symbols):
            rows = await self._client.ask("fetch_my_trades", symbol, since_ms)
            for row in rows:
                try:
                    self._tell(self._tracker.traded(trade_said(self._profile, row)).events)
                except ValueError as error:
                    log.warning("a trade that cannot be read: %s", error)

    def _id_params(self, order: Order) -> dict[str, str]:
        return {self._profile.id_param: self._profile.id_prefix + order.client_id}

    async def _trades(self, order: Order, exchange_order_id: str | None) -> list[TradeSaid]:
        """The trades of one order, with their fees, oldest first."""
        exchange_id = exchange_order_id or self._tracker.expect(order).exchange_order_id or ""
        if self._profile.trades_by is TradesBy.ORDER_TRADES:
            rows = await self._client.ask("fetch_order_trades", exchange_id, order.symbol, urgency=Urgency.QUESTION)
        else:
            about = {self._profile.trades_order_param: exchange_id}
            rows = await self._client.ask("fetch_my_trades", order.symbol, None, None, about, urgency=Urgency.QUESTION)
        try:
            trades = [trade_said(self._profile, row) for row in rows if str(row.get("order")) == exchange_id]
        except ValueError as error:
            raise UnknownOutcome(str(error)) from error
        return sorted(trades, key=lambda trade: (trade.at_ms, trade.trade_id))

    # following -------------------------------------------------------------------------------------------------------

    def follow(self, order: Order, *, to_its_end: bool) -> None:
        """Asks for an order in a moment where no stream says by then what it is waited for.

        That is its end, or trades that explain what has filled. Afterwards the regular comparison goes on asking.
        """
        if order.client_id not in self._following:
            task = asyncio.create_task(self._followed(order, to_its_end=to_its_end), name=f"follow {order.client_id}")
            self._following[order.client_id] = task
            task.add_done_callback(lambda _: self._following.pop(order.client_id, None))

    async def _followed(self, order: Order, *, to_its_end: bool) -> None:
        for pause_s in FOLLOW_S:
            await self._sleep(pause_s)
            if to_its_end and self._tracker.is_over(order.client_id):
                return
            try:
                self._tell(await self.find(order) or [])
            except (KnownError, Refused) as error:
                log.info("not known yet what became of order %s: %s", order.client_id, error)
            else:
                if not to_its_end or self._tracker.is_over(order.client_id):
                    return

    async def close(self) -> None:
        """Nothing is followed any more; the next start finds out."""
        following = list(self._following.values())
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
