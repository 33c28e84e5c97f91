"""A live account behind the `Exchange` protocol: its traffic runs on a thread of its own, its news come home."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from decimal import Decimal
from functools import partial
from typing import Any

from exengine.domain.errors import UnknownOutcome
from exengine.domain.events import Event, PriceMoved, WatchDue
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.order import Order
from exengine.domain.settings import AccountSettings
from exengine.engine.ports import AccountReport, Clock, OpenOrder, PassBy, Sink, delivered
from exengine.exchange.live import holdings
from exengine.exchange.live.client import CcxtClient, Credentials, Pulse, Venue
from exengine.exchange.live.orders import Answer, OrderDesk
from exengine.exchange.live.streams import OwnStream, PriceStream
from exengine.exchange.live.swap import SwapSetup
from exengine.exchange.live.tracker import Tracker
from exengine.exchange.markets.feed_thread import FeedThread

log = logging.getLogger(__name__)

_Waiting = tuple[Order, "asyncio.Future[Answer]"]
"""An order that is being sent, and who waits for its answer."""

OVERLAP_MS = 60_000
"""How far a look at the trades reaches back behind the one before."""


class LiveExchange:
    """One account on one real exchange. Nothing is connected, and ccxt not imported, before the first question."""

    in_step = False

    def __init__(
        self,
        settings: AccountSettings,
        venue: Venue,
        credentials: Credentials | None,
        clock: Clock,
        *,
        orders: Iterable[Order] = (),
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`orders` are those of the account that the books have: news of them are known to be ours."""
        self.account = settings.name
        self.sees_orders = False
        """Whether own orders come by stream at the moment."""
        self.reported_at_ms: int | None = None
        """When it last said what the account has."""
        self.rules_at_ms: int | None = None
        """When the market rules were last loaded."""
        self.on_seen: Callable[[bool], None] = lambda seen: None
        """Told on the program's own loop when that changes."""
        self._market_type = venue.market_type
        self._clock = clock
        self._thread = FeedThread(f"account {settings.name}")
        self._client = CcxtClient(venue, credentials, now_s=now_s)
        self._tracker = Tracker()
        books = tuple(orders)
        for order in books:
            self._tracker.expect(order)
        on_swap = venue.market_type is MarketType.SWAP
        swap = None
        if on_swap:
            swap = SwapSetup(self._client, leverage=settings.leverage, margin_mode=settings.margin_mode.value)
        self._desk = OrderDesk(self._client, self._tracker, swap, self._tell, now_s=now_s)
        self._own = OwnStream(self._client, self._tracker, self._desk, self._tell, on_seen=self._seen)
        self._prices = PriceStream(self._client, self._priced, now_s=now_s)
        self._traded_until_ms = min((order.created_at_ms for order in books), default=clock.now_ms())
        """Up to when the account's trades were looked through as a whole."""
        self._sink: Sink | None = None
        self._pass_by: PassBy = delivered
        self._home: asyncio.AbstractEventLoop | None = None
        self._sends_together = venue.profile.batch > 1
        self._together: list[_Waiting] = []
        """Orders that were asked for in this very pass of the loop."""
        self._sending: set[asyncio.Task[list[Answer]]] = set()
        """What is being sent. Lives on the thread."""
        self._reopening: asyncio.Future[None] | None = None
        self._news: dict[str, Decimal] = {}
        self._has_news = asyncio.Event()

    async def connect(self, sink: Sink, pass_by: PassBy = delivered) -> None:
        self._sink, self._pass_by = sink, pass_by
        self._home = asyncio.get_running_loop()

    # questions -------------------------------------------------------------------------------------------------------

    async def rules(self) -> tuple[Instrument, ...]:
        found = await self._thread.call(self._ruled())
        self.rules_at_ms = self._clock.now_ms()
        return found

    async def _ruled(self) -> tuple[Instrument, ...]:
        found = await holdings.rules(self._client, self._market_type)
        await self._client.measure_clock()
        return found

    @property
    def pulse(self) -> Pulse:
        """How well the exchange can be talked to at the moment."""
        return self._client.pulse

    async def report(self, symbols: Collection[str] | None) -> AccountReport | None:
        now_ms = self._clock.now_ms()
        said = await self._thread.call(self._reported(symbols, now_ms))
        self.reported_at_ms = now_ms
        return said

    async def _reported(self, symbols: Collection[str] | None, now_ms: int) -> AccountReport:
        known = self._tracker.symbols()
        if symbols is None:
            await self._desk.catch_up(known, since_ms=self._traded_until_ms - OVERLAP_MS)
            self._traded_until_ms = now_ms
        return await holdings.report(self._client, self._market_type, symbols, now_ms, known=known)

    async def find(self, order: Order) -> list[Event] | None:
        return await self._thread.call(self._desk.find(order))

    async def cancel(self, order: Order) -> list[Event]:
        return await self._thread.call(self._desk.cancel(order))

    async def cancel_stray(self, stray: OpenOrder) -> None:
        await self._thread.call(self._desk.cancel_stray(stray))

    async def place(self, order: Order) -> list[Event]:
        """Sends an order with all others that are asked for in this pass of the loop, so that the thread is woken once.

        Those of a symbol go in one request where the exchange takes several. What is being sent goes on when its
        caller does not wait any more.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        if not self._together:
            loop.call_soon(self._hand_over)
        self._together.append((order, answer))
        said = await answer
        if isinstance(said, Exception):
            raise said
        return said

    def _hand_over(self) -> None:
        # Not by way of a task here: it would begin after what the engine has to do by then.
        together, self._together = self._together, []
        self._thread.soon(partial(self._begin_all, together))

    def _begin_all(self, together: list[_Waiting]) -> None:
        """On the thread."""
        if not self._sends_together:
            for one in together:
                self._begin([one])
            return
        by_symbol: dict[str, list[_Waiting]] = {}
        for one in together:
            by_symbol.setdefault(one[0].symbol, []).append(one)
        for batch in by_symbol.values():
            self._begin(batch)

    def _begin(self, batch: list[_Waiting]) -> None:
        orders = [order for order, _ in batch]
        task = asyncio.create_task(self._desk.place(orders), name=f"send {len(orders)} orders of {orders[0].symbol}")
        self._sending.add(task)
        task.add_done_callback(partial(self._sent, batch))

    def _sent(self, batch: list[_Waiting], task: asyncio.Task[list[Answer]]) -> None:
        """On the thread: whoever waits for an answer is told, whatever it was."""
        self._sending.discard(task)
        answers: list[Answer]
        if task.cancelled():
            answers = [UnknownOutcome("the connection was closed before the answer came")] * len(batch)
        elif (error := task.exception()) is None:
            answers = task.result()
        elif isinstance(error, Exception):
            answers = [error] * len(batch)
        else:
            raise error
        try:
            batch[0][1].get_loop().call_soon_threadsafe(_answer, batch, answers)
        except RuntimeError:
            log.info("an answer came after the program’s own loop had ended")

    # what comes by itself --------------------------------------------------------------------------------------------

    def doubt_streams(self) -> None:
        if self._thread.is_running:
            self._thread.soon(self._reopen)

    def _reopen(self) -> None:
        self._reopening = asyncio.ensure_future(self._client.reopen_streams())

    def watch(self, symbols: Collection[str]) -> None:
        self._thread.soon(partial(self._prices.watch, frozenset(symbols)))

    async def run(self) -> None:
        """Own orders and prices, until cancelled."""
        streams = asyncio.ensure_future(self._thread.call(self._streams()))
        try:
            await asyncio.gather(streams, self._hand_out_prices())
        finally:
            streams.cancel()

    async def _streams(self) -> None:
        await asyncio.gather(self._own.run(), self._prices.run())

    def _tell(self, events: list[Event]) -> None:
        """News of own orders, from the thread; queued at home in the order in which they came."""
        if events and self._home is not None:
            self._at_home(self._deliver, events)

    def _deliver(self, events: list[Event]) -> None:
        if self._sink is not None:
            for event in events:
                self._sink(event)

    def _seen(self, seen: bool) -> None:
        self._at_home(self._set_seen, seen)

    def _set_seen(self, seen: bool) -> None:
        if seen != self.sees_orders:
            self.sees_orders = seen
            self.on_seen(seen)

    def _priced(self, symbol: str, price: Decimal) -> None:
        self._at_home(self._take_price, symbol, price)

    def _at_home(self, call: Callable[..., None], *about: Any) -> None:
        try:
            assert self._home is not None
            self._home.call_soon_threadsafe(call, *about)
        except RuntimeError:
            log.info("news came after the program’s own loop had ended")

    def _take_price(self, symbol: str, price: Decimal) -> None:
        """Only the last price of a symbol is handed out: a busy engine is not told of each that came meanwhile."""
        self._news[symbol] = price
        self._has_news.set()

    async def _hand_out_prices(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            news, self._news = self._news, {}
            for symbol, price in news.items():
                if self._sink is not None and not self._pass_by(self.account, symbol, price):
                    await self._sink(PriceMoved(account=self.account, symbol=symbol, price=price))
                    await self._sink(WatchDue(account=self.account, symbol=symbol))

    async def close(self) -> None:
        """Closes every connection and ends the thread."""
        if self._thread.is_running:
            await self._thread.call(self._closed())
            await self._thread.close()
        self._sink = None

    async def _closed(self) -> None:
        await self._desk.close()
        await self._client.close()

    def on_thread(self, work: Callable[[CcxtClient], Awaitable[Any]]) -> Awaitable[Any]:
        """Runs something else with the account's client: its checks."""

        async def run() -> Any:
            return await work(self._client)

        return self._thread.call(run())


def _answer(batch: list[_Waiting], answers: list[Answer]) -> None:
    for (_, future), answer in zip(batch, answers, strict=True):
        if not future.done():
            future.set_result(answer)
