"""An exchange's public prices, without a key: what a paper account trades on where there is a network."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from exengine.domain.errors import Retryable
from exengine.domain.instrument import Instrument, MarketType
from exengine.exchange.markets.feed_thread import FeedThread
from exengine.exchange.markets.plausible import Plausible
from exengine.exchange.markets.public_client import PublicClient, SessionFactory
from exengine.exchange.markets.source import MarketClock, Sink, SystemClock

POLL_S = 1.0
MANY_SYMBOLS = 100
MANY_POLL_S = 2.0
"""Binance weighs a question for more than 100 symbols so that one a second would nearly use up what is allowed."""

REPEAT_S = 10.0
"""A price that stands still is handed out again after so long, as a sign of life."""

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
OUTAGE_S = 30.0
"""After so long without an answer the caller is told."""


class PublicMarket:
    """Polls the tickers of the symbols in use once a second, in a thread of its own.

    A price that is missing, zero or no number is dropped; one ten times off the last is held until a second one says
    the same. Errors are tried again with growing pauses, and reported when they last.
    """

    def __init__(
        self,
        exchange: str,
        *,
        types: Collection[MarketType] = (MarketType.SPOT,),
        timeout_s: float = 10.0,
        session: SessionFactory | None = None,
        clock: MarketClock | None = None,
    ) -> None:
        """`exchange` is ccxt's id. `session` makes another aiohttp session than ccxt's own, on the feed's loop."""
        self._exchange = exchange
        self._clock = clock or SystemClock()
        self._thread = FeedThread(f"prices of {exchange}")
        self._client = PublicClient(exchange, tuple(types), timeout_s=timeout_s, session=session)
        self._symbols: frozenset[str] = frozenset()
        self._plausible = Plausible()
        self._heard_s: dict[str, float] = {}
        self._told: dict[str, tuple[Decimal, float]] = {}
        self._failures = 0
        self._failing_since_s: float | None = None
        self._tried_since_s = 0.0
        """Since the last answer, or since `run` was called anew."""

    @property
    def description(self) -> str:
        """Whose prices, of how many symbols, and how old the oldest is; or for how long there was no answer."""
        text = f"public prices of {self._exchange}"
        if self._failing_since_s is not None:
            return f"{text}, no answer for {self._clock.monotonic_s() - self._failing_since_s:.0f} s"
        if not self._symbols:
            return f"{text}, no symbol in use"
        ages = [self.age_ms(symbol) for symbol in self._symbols]
        known = [age for age in ages if age is not None]
        symbols = f"{len(ages)} symbol{'s' if len(ages) > 1 else ''}"
        if not known:
            return f"{text}, {symbols}, none heard of yet"
        without = f", {len(ages) - len(known)} without a price" if len(known) < len(ages) else ""
        return f"{text}, {symbols}{without}, {max(known) / 1000:.0f} s old"

    @property
    def position_ms(self) -> int:
        """Now: this market keeps everybody's time."""
        return self._clock.now_ms()

    def start_at(self, position_ms: int) -> None:
        """Does nothing: the market is where it is."""

    def watch(self, symbols: Iterable[str]) -> None:
        """From now on only these are asked for; before, none is."""
        self._symbols = frozenset(symbols)
        for known in (self._heard_s, self._told):
            for symbol in known.keys() - self._symbols:
                del known[symbol]

    def age_ms(self, symbol: str) -> int | None:
        """How long ago the exchange last told a usable price of `symbol`; None where it never did."""
        heard_s = self._heard_s.get(symbol)
        return None if heard_s is None else int((self._clock.monotonic_s() - heard_s) * 1000)

    async def instruments(self) -> tuple[Instrument, ...]:
        """What the exchange trades, by symbol. Raises Retryable where it does not answer in time."""
        return await self._thread.call(self._client.instruments())

    async def run(self, sink: Sink) -> None:
        """Asks and hands out until cancelled. Raises Retryable after half a minute without an answer."""
        self._told.clear()
        self._failures, self._tried_since_s = 0, self._clock.monotonic_s()
        while True:
            began_s = self._clock.monotonic_s()
            pause_s = POLL_S if len(self._symbols) <= MANY_SYMBOLS else MANY_POLL_S
            try:
                prices = await self._thread.call(self._client.prices(self._symbols)) if self._symbols else {}
            except Retryable as error:
                pause_s = self._pause_s(error, began_s)
            else:
                self._failures, self._failing_since_s = 0, None
                self._tried_since_s = self._clock.monotonic_s()
                await self._hand_out(prices, sink)
            await self._clock.sleep(max(0.0, began_s + pause_s - self._clock.monotonic_s()))

    async def close(self) -> None:
        """Closes the connections and ends the thread."""
        if self._thread.is_running:
            await self._thread.call(self._client.close())
            await self._thread.close()

    async def _hand_out(self, prices: Mapping[str, Decimal], sink: Sink) -> None:
        heard_s = self._clock.monotonic_s()
        for symbol in sorted(prices):
            price = prices[symbol]
            if not self._plausible.believes(symbol, price):
                continue
            self._heard_s[symbol] = heard_s
            told, told_s = self._told.get(symbol, (None, 0.0))
            if symbol in self._symbols and (price != told or heard_s - told_s >= REPEAT_S):
                self._told[symbol] = price, heard_s
                await sink(symbol, price)

    def _pause_s(self, error: Retryable, began_s: float) -> float:
        """How long to wait after another failure. Raises it where that has gone on, or would, for too long."""
        if self._failing_since_s is None:
            self._failing_since_s = began_s
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**self._failures)
        pause_s = max(pause_s, (error.after_ms or 0) / 1000)
        self._failures = min(self._failures + 1, 10)
        now_s = self._clock.monotonic_s()
        if now_s + pause_s - self._tried_since_s > OUTAGE_S:
            raise error
        return now_s - began_s + pause_s
