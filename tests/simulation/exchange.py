"""A process's hold on one account: the `Exchange` of the engine over a wire that may do anything."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from decimal import Decimal
from typing import Any

from exengine.domain.errors import RULES_REFUSED, AuthFailed, KnownError, Refused, Retryable, UnknownOutcome
from exengine.domain.events import Event, OrderAccepted, PriceMoved, WatchDue
from exengine.domain.instrument import Instrument
from exengine.domain.order import Order, OrderType, Role
from exengine.engine.ports import AccountReport, Clock, OpenOrder, PassBy, Sink, delivered
from tests.exchange_server.venue import VenueOrder
from tests.simulation.line import LATE_S, UNKNOWN_ORDER, Line, news_of, refusal_of

FOLLOW_S = (0.3, 1.0, 3.0)
RETOLD_S = 10.0
TIMEOUT_S = 10.0
_CHANGES = ("place", "cancel", "stray")


class SimulatedExchange:
    """Keeps the promises of `exengine.engine.ports.Exchange`, and no others."""

    in_step = False

    def __init__(
        self, line: Line, clock: Clock, *, point: Callable[[str], Awaitable[None]], sending: Callable[[Order], None]
    ) -> None:
        """`point` is told of each moment at which the process may die; `sending` of each order that goes out."""
        self.account = line.account
        self.sees_orders = False
        self.on_seen: Callable[[bool], None] = lambda seen: None
        self.fails_next = False
        """Whether `run` is to end with an error."""
        self._line = line
        self._clock = clock
        self._point = point
        self._sending = sending
        self._began_s = asyncio.get_running_loop().time()
        self._sent_s: dict[str, float] = {}
        self._sink: Sink | None = None
        self._pass_by: PassBy = delivered
        self._news: dict[str, Decimal] = {}
        self._has_news = asyncio.Event()
        self._following: dict[str, asyncio.Task[None]] = {}

    async def connect(self, sink: Sink, pass_by: PassBy = delivered) -> None:
        self._sink, self._pass_by = sink, pass_by
        self._line.on_stream, self._line.on_price = self._tell, self._take_price
        self._line.on_stream_change = self._stream_changed

    # the wire --------------------------------------------------------------------------------------------------------

    async def _ask(self, route: str, do: Callable[[], Any], about: str = "") -> Any:
        """One request: on its way, done, and answered; or not."""
        line, changes = self._line, route in _CHANGES
        await self._point("before send")
        line.asked.append((asyncio.get_running_loop().time(), route, about))
        self._turned_away()
        fault = line.fault_for(route)
        await self._before(fault, changes=changes)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        loses_answer = fault in ("lost_answer", "garbage_done")
        late_s = line.rng.random() * LATE_S * 0.45 if fault == "late_request" else line.latency_s()
        sent_s = asyncio.get_running_loop().time()

        def arrive() -> None:
            if changes and line.loop.time() - sent_s > LATE_S / 2:
                return  # a machine that slept had it still to send: by its timestamp it is not taken any more
            try:
                done = self._done(route, fault, do)
            except (KnownError, Refused) as error:
                said: Any = error
            else:
                said = done
            if not loses_answer:
                line.later(line.latency_s(), lambda: None if answer.done() else answer.set_result(said))

        if fault == "lost_request":
            pass
        elif fault == "slow":
            line.later(line.rng.random() * LATE_S * 0.45, arrive)
        else:
            line.later(late_s, arrive)
        await self._point("after send")
        said = await self._answer(answer, fault, changes=changes)
        await self._point("answer")
        if isinstance(said, Exception):
            raise said
        return said

    def _done(self, route: str, fault: str | None, do: Callable[[], Any]) -> Any:
        if fault == "ignored" and route == "cancel":
            return None
        if fault == "not_found" and route == "cancel":
            raise Refused(UNKNOWN_ORDER, "no such order")
        return do()

    async def _answer(self, answer: "asyncio.Future[Any]", fault: str | None, *, changes: bool) -> Any:
        if fault in ("lost_request", "lost_answer", "late_request", "garbage_done"):
            await asyncio.sleep(self._line.rng.choice((0.01, 0.5, TIMEOUT_S)))
            raise UnknownOutcome("no answer") if changes else Retryable("no answer")
        try:
            return await asyncio.wait_for(answer, TIMEOUT_S)
        except TimeoutError:
            raise (UnknownOutcome("no answer in time") if changes else Retryable("no answer in time")) from None

    def _turned_away(self) -> None:
        """What the exchange says to every request just now."""
        now_s = asyncio.get_running_loop().time()
        if self._line.key_revoked:
            self._line.key_was_refused = True
            raise AuthFailed("the key is not valid")
        if now_s < self._line.banned_until_s:
            raise Retryable("banned", after_ms=int((self._line.banned_until_s - now_s) * 1000) + 1)
        if now_s < self._line.maintenance_until_s:
            raise Retryable("maintenance")

    async def _before(self, fault: str | None, *, changes: bool) -> None:
        line = self._line
        match fault:
            case "retryable":
                await asyncio.sleep(line.latency_s())
                raise Retryable("slow down", after_ms=line.rng.choice((None, 200, 3000)))
            case "banned":
                line.banned_until_s = asyncio.get_running_loop().time() + 20
                self._turned_away()
            case "garbage_not_done":
                await asyncio.sleep(line.latency_s())
                raise UnknownOutcome("<html>502</html>") if changes else Retryable("<html>502</html>")
            case "defect":
                line.has_defects = True
                raise TypeError("the adapter is broken")
            case _:
                return

    # orders ----------------------------------------------------------------------------------------------------------

    async def place(self, order: Order) -> list[Event]:
        await self._point("place")
        self._sending(order)
        self._sent_s[order.client_id] = asyncio.get_running_loop().time()
        line = self._line

        def do() -> list[Event]:
            fault = line.fault_for("taking")
            if fault == "refuse_rules":
                raise Refused(RULES_REFUSED, "not on the tick any more")
            if fault == "refuse":
                raise Refused("-1013", "not now")
            if fault == "late_refusal" and line.venue.find(client_id=order.client_id) is None:
                line.refused[order.client_id] = "refused afterwards"
                line.push(refusal_of(order.client_id, "refused afterwards"))
                return [OrderAccepted(client_id=order.client_id, exchange_order_id="0")]
            placed = line.place(self._request(order))
            if not line.habits.acknowledges_only:
                return news_of(placed)
            return [OrderAccepted(client_id=order.client_id, exchange_order_id=placed.id)]

        told: list[Event] = await self._ask("place", do, order.client_id)
        if order.type is OrderType.MARKET and len(told) == 1:
            self._follow(order)
        return told

    def _request(self, order: Order) -> dict[str, Any]:
        """As the live adapter sends it: bounded market orders as IOC limits, what closes a perpetual reduce-only."""
        market = self._line.venue.markets[self._line.ids[order.symbol]]
        price = order.price if order.type is OrderType.LIMIT else order.bound
        ioc = order.type is OrderType.MARKET and order.bound is not None
        return {
            "market_id": market.id,
            "side": order.side.value,
            "type": "market" if price is None else "limit",
            "qty": order.qty,
            "price": price,
            "tif": "IOC" if ioc else "GTC",
            "post_only": order.post_only,
            "reduce_only": market.type == "swap" and order.role is not Role.ENTRY,
            "client_id": order.client_id,
        }

    async def cancel(self, order: Order) -> list[Event]:
        line = self._line

        def do() -> list[Event]:
            gone = line.cancel(line.ids[order.symbol], order.client_id)
            return [] if line.habits.cancel_acknowledges_only else news_of(gone)

        told: list[Event] | None = await self._ask("cancel", do, order.client_id)
        if not told:
            self._follow(order)
        return told or []

    async def cancel_stray(self, stray: OpenOrder) -> None:
        line = self._line
        await self._ask("stray", lambda: line.cancel(line.ids[stray.symbol], None, stray.exchange_order_id))

    async def find(self, order: Order) -> list[Event] | None:
        """None only where what was sent cannot arrive any more."""
        found = await self._ask("find", lambda: self._looked_up(order.client_id), order.client_id)
        now_s = asyncio.get_running_loop().time()
        if found is None:
            if now_s - self._sent_s.get(order.client_id, self._began_s) < LATE_S:
                raise UnknownOutcome("not there yet; what was sent may still arrive")
            return None
        events, complete = found
        if not complete:
            self._tell(events)
            raise UnknownOutcome("its trades are not all to be seen yet")
        return list(events)

    def _looked_up(self, client_id: str) -> tuple[list[Event], bool] | None:
        line = self._line
        why = line.refused.get(client_id)
        order = line.venue.find(client_id=client_id)
        if order is None:
            return None if why is None else (refusal_of(client_id, why), True)
        if self._is_hidden(order):
            return None
        if line.habits.late_trades_s and order.trades and self._age_s(order.updated_ms) < line.habits.late_trades_s:
            return [OrderAccepted(client_id=client_id, exchange_order_id=order.id)], False
        return news_of(order), True

    def _is_hidden(self, order: VenueOrder) -> bool:
        """Whether it cannot be found yet: never for longer than what was sent may take to arrive."""
        return self._age_s(order.created_ms) < self._line.habits.hidden_s

    def _age_s(self, at_ms: int) -> float:
        return (self._line.venue.clock() - at_ms) / 1000

    # the account -----------------------------------------------------------------------------------------------------

    async def rules(self) -> tuple[Instrument, ...]:
        rules: tuple[Instrument, ...] = await self._ask("rules", self._line.instruments)
        return rules

    async def report(self, symbols: Collection[str] | None) -> AccountReport | None:
        """Balances first, then orders: two questions, between which anything may happen."""
        asked_at_ms = self._clock.now_ms()
        totals, positions = await self._ask("report", self._balances)
        wanted = None if symbols is None else {self._line.ids[one] for one in symbols if one in self._line.ids}
        rows = await self._ask("report", lambda: self._rows(wanted))
        return AccountReport(asked_at_ms=asked_at_ms, open_orders=rows, totals=totals, positions=positions)

    def _balances(self) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
        venue = self._line.venue
        positions = {self._line.symbols[one]: there.contracts for one, there in venue.positions.items()}
        return dict(venue.total), {symbol: contracts for symbol, contracts in positions.items() if contracts}

    def _rows(self, wanted: set[str] | None) -> tuple[OpenOrder, ...]:
        return tuple(
            OpenOrder(
                symbol=self._line.symbols[order.market],
                client_id=order.client_id,
                exchange_order_id=order.id,
                filled_qty=order.filled,
            )
            for order in self._line.venue.open_orders()
            if (wanted is None or order.market in wanted) and not self._is_hidden(order)
        )

    def watch(self, symbols: Collection[str]) -> None: ...

    def doubt_streams(self) -> None:
        self._line.begin_stream_anew()

    # what comes by itself --------------------------------------------------------------------------------------------

    def _tell(self, events: list[Event]) -> None:
        if self._sink is not None:
            for event in events:
                self._sink(event)

    def _follow(self, order: Order) -> None:
        if order.client_id not in self._following:
            task = asyncio.get_running_loop().create_task(self._followed(order))
            self._following[order.client_id] = task
            task.add_done_callback(lambda _: self._following.pop(order.client_id, None))

    async def _followed(self, order: Order) -> None:
        for pause_s in FOLLOW_S:
            await asyncio.sleep(pause_s)
            try:
                found = await self.find(order) or []
            except (KnownError, Refused, TypeError):
                continue
            self._tell(found)
            there = self._line.venue.find(client_id=order.client_id)
            if there is None or not there.is_open:
                return

    def _stream_changed(self) -> None:
        seen = self._sink is not None and self._line.stream_is_up
        if seen != self.sees_orders:
            self.sees_orders = seen
            self.on_seen(seen)

    def _take_price(self, symbol: str, price: Decimal) -> None:
        self._news[symbol] = price
        self._has_news.set()

    async def run(self) -> None:
        """Prices and own orders as they come, until cancelled."""
        if self.fails_next:
            self.fails_next = False
            raise ConnectionError("the stream could not be opened")
        self._stream_changed()
        retold = asyncio.get_running_loop().create_task(self._retell())
        try:
            while True:
                await self._has_news.wait()
                self._has_news.clear()
                if self.fails_next:
                    self.fails_next = False
                    raise ConnectionError("the stream broke")
                news, self._news = self._news, {}
                for symbol, price in news.items():
                    if self._sink is not None and not self._pass_by(self.account, symbol, price):
                        await self._sink(PriceMoved(account=self.account, symbol=symbol, price=price))
                        await self._sink(WatchDue(account=self.account, symbol=symbol))
        finally:
            retold.cancel()

    async def _retell(self) -> None:
        while True:
            self._line.retell_prices()
            await asyncio.sleep(RETOLD_S)

    async def close(self) -> None:
        self._sink = None
        for task in list(self._following.values()):
            task.cancel()
