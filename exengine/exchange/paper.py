"""The paper exchange inside the process: the book behind the `Exchange` protocol, moved by a market of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from decimal import Decimal

from exengine.domain.errors import Refused
from exengine.domain.events import Event, InstrumentsLoaded, OrderAccepted, PriceMoved, WatchDue
from exengine.domain.instrument import Instrument
from exengine.domain.order import Order
from exengine.engine.ports import AccountReport, Clock, OpenOrder, PassBy, Sink, delivered
from exengine.exchange.paper_book import PaperBook


class PaperExchange:
    """One paper account. Its book is rebuilt from the store at each start: it has no memory of its own to lose."""

    def __init__(
        self, book: PaperBook, instruments: tuple[Instrument, ...], clock: Clock, *, latency_ms: int = 0
    ) -> None:
        self.account = book.account
        self.in_step = not latency_ms
        self._book = book
        self._instruments = instruments
        self._clock = clock
        self._latency_s = latency_ms / 1000
        self._sink: Sink | None = None
        self._pass_by: PassBy = delivered
        book.list_instruments(instruments)

    async def connect(self, sink: Sink, pass_by: PassBy = delivered) -> None:
        self._sink, self._pass_by = sink, pass_by
        await sink(InstrumentsLoaded(account=self.account, instruments=self._instruments))

    async def place(self, order: Order) -> list[Event]:
        await self._travel()
        return self._book.place(order, self._clock.now_ms())

    async def cancel(self, order: Order) -> list[Event]:
        """Raises Refused where the order is not in the book: it was filled just now, or never arrived."""
        await self._travel()
        answers = self._book.cancel(order.client_id)
        if not answers:
            raise Refused("unknown_order", "no open order of this id")
        return answers

    async def find(self, order: Order) -> list[Event] | None:
        await self._travel()
        if not self._book.knows(order.client_id):
            return None
        # Its fills and its end are on their way already: the book told them when they happened.
        return [OrderAccepted(client_id=order.client_id, exchange_order_id=order.client_id)]

    async def rules(self) -> tuple[Instrument, ...]:
        return self._instruments

    async def report(self, symbols: Collection[str] | None) -> AccountReport | None:
        """None: its book is rebuilt from the store, there is nothing to compare."""
        return None

    async def cancel_stray(self, stray: OpenOrder) -> None:
        """There are none: every order of the book came from the store."""

    def doubt_streams(self) -> None:
        """It has none."""

    def watch(self, symbols: Collection[str]) -> None:
        """The market's own concern: prices come through `on_price`."""

    async def run(self) -> None:
        """Nothing comes by itself but through `on_price`."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        self._sink = None

    def lists(self, symbol: str) -> bool:
        return any(instrument.symbol == symbol for instrument in self._instruments)

    async def on_price(self, symbol: str, price: Decimal, settled: Callable[[], Awaitable[None]]) -> None:
        """One tick: the price, then each fill it makes, the engine answering each before the next is looked at."""
        assert self._sink is not None
        if self._book.holds(symbol, price) and self._pass_by(self.account, symbol, price):
            self._book.pass_by(symbol, price)
            return
        await self._sink(PriceMoved(account=self.account, symbol=symbol, price=price))
        for fill in self._book.tick(symbol, price, self._clock.now_ms()):
            await self._sink(fill)
            if not self._latency_s:
                await settled()
        await self._sink(WatchDue(account=self.account, symbol=symbol))
        if not self._latency_s:
            await settled()

    async def _travel(self) -> None:
        if self._latency_s:
            await asyncio.sleep(self._latency_s)


class PaperFloor:
    """Where a market's ticks go: to every paper account that trades the symbol, in the order of the accounts."""

    def __init__(self, settled: Callable[[], Awaitable[None]]) -> None:
        """`settled` waits until the engine has dealt with all that a fill led to."""
        self._settled = settled
        self._accounts: tuple[PaperExchange, ...] = ()
        self._by_symbol: dict[str, list[PaperExchange]] = {}
        self.between_ticks = asyncio.Lock()
        """Whoever has it finds no tick half-way, and none begins."""

    def admit(self, accounts: Iterable[PaperExchange]) -> None:
        """From now on these are all accounts."""
        self._accounts = tuple(accounts)
        self._by_symbol.clear()

    async def sink(self, symbol: str, price: Decimal) -> None:
        """One tick of the market."""
        async with self.between_ticks:
            if symbol not in self._by_symbol:
                self._by_symbol[symbol] = [account for account in self._accounts if account.lists(symbol)]
            for account in self._by_symbol[symbol]:
                await account.on_price(symbol, price, self._settled)
