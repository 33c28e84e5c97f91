"""What comes by itself: own orders and trades, and prices, each by websocket with a poll behind it (FAULTS 36, 37)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from decimal import Decimal
from typing import Any

from exengine.domain.errors import AuthFailed, KnownError, Refused
from exengine.domain.events import Event
from exengine.exchange.live.client import CcxtClient
from exengine.exchange.live.orders import OrderDesk
from exengine.exchange.live.said import order_said, trade_said
from exengine.exchange.live.tracker import Tracker
from exengine.exchange.market_rules import number
from exengine.exchange.markets.plausible import Plausible

log = logging.getLogger(__name__)

BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 1.0
"""A stream that has not failed for so long after its connection is taken to be there."""

CONNECTING_S = 0.1
"""How often it is looked whether a new stream has its connection."""

SIGN_OF_LIFE_S = 10.0
"""How often prices are asked for where they also come by stream: one that stands still is told anew."""

SILENT_S = 5.0
"""From this silence of the stream on they are asked for instead, as often as `POLL_S`."""

POLL_S = 2.0


class OwnStream:
    """Own orders and own trades of one account. Lives on the exchange's own loop."""

    def __init__(
        self,
        client: CcxtClient,
        tracker: Tracker,
        desk: OrderDesk,
        tell: Callable[[list[Event]], None],
        *,
        on_seen: Callable[[bool], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`on_seen` is told when own orders come by stream from now on, and when they do not any more."""
        self._client = client
        self._tracker = tracker
        self._desk = desk
        self._tell = tell
        self._on_seen = on_seen
        self._sleep = sleep
        self._there: set[str] = set()

    async def run(self) -> None:
        """Until cancelled; a stream that is cut is begun again, with growing pauses."""
        questions = {"watch_orders": self._orders, "watch_my_trades": self._trades}
        offered = {name: take for name, take in questions.items() if self._client.can(name)}
        await asyncio.gather(*(self._watch(name, take, set(offered)) for name, take in offered.items()))

    async def _watch(self, question: str, take: Callable[[Iterable[Any]], None], all_of: set[str]) -> None:
        failures = 0
        while True:
            steady = asyncio.create_task(self._steady(question, all_of))
            try:
                while True:
                    rows = await self._client.ask(question)
                    failures = 0
                    take(rows)
            except (KnownError, Refused) as error:
                log.warning("%s of %s failed: %s", question, self._client.profile.name, error)
            finally:
                steady.cancel()
                self._gone(question, all_of)
            await self._sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1

    async def _steady(self, question: str, all_of: set[str]) -> None:
        while not self._client.has_stream(question):
            await self._sleep(CONNECTING_S)
        await self._sleep(STEADY_S)
        self._there.add(question)
        if self._there == all_of:
            self._on_seen(True)

    def _gone(self, question: str, all_of: set[str]) -> None:
        was_there = self._there == all_of
        self._there.discard(question)
        if was_there:
            self._on_seen(False)

    def _orders(self, rows: Iterable[Any]) -> None:
        for row in rows:
            try:
                said = order_said(self._client.profile, row)
            except ValueError as error:
                log.warning("news of an order that cannot be read: %s", error)
                continue
            known = self._tracker.known(said.client_id, said.exchange_order_id)
            news = self._tracker.said(said)
            self._tell(news.events)
            if known is not None and not news.complete:
                self._desk.follow(known.order, to_its_end=False)

    def _trades(self, rows: Iterable[Any]) -> None:
        for row in rows:
            try:
                trade = trade_said(self._client.profile, row, by_stream=True)
            except ValueError as error:
                log.warning("news of a trade that cannot be read: %s", error)
                continue
            known = self._tracker.known(trade.client_id, trade.exchange_order_id)
            news = self._tracker.traded(trade)
            self._tell(news.events)
            if known is not None and not news.complete:
                self._desk.follow(known.order, to_its_end=False)


class PriceStream:
    """Last prices of the symbols that are wanted. Lives on the exchange's own loop."""

    def __init__(
        self,
        client: CcxtClient,
        tell: Callable[[str, Decimal], None],
        *,
        now_s: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._tell = tell
        self._now_s = now_s
        self._sleep = sleep
        self._plausible = Plausible()
        self._wanted: frozenset[str] = frozenset()
        self._changed = asyncio.Event()
        self._heard_s: float | None = None
        """When the stream last said anything."""

    def watch(self, symbols: Collection[str]) -> None:
        """From now on these are wanted; new ones get a price at once."""
        if frozenset(symbols) != self._wanted:
            self._wanted = frozenset(symbols)
            self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.gather(self._stream(), self._poll())

    async def _stream(self) -> None:
        failures = 0
        while True:
            wanted = self._listed()
            if not wanted or not self._client.can("watch_tickers"):
                await self._sleep(POLL_S)
                continue
            try:
                tickers = await self._client.ask("watch_tickers", wanted)
            except (KnownError, Refused) as error:
                log.info("the price stream of %s failed: %s", self._client.profile.name, error)
                await self._sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                failures += 1
            else:
                failures = 0
                self._heard_s = self._now_s()
                self._take(tickers)

    async def _poll(self) -> None:
        while True:
            self._changed.clear()
            wanted = self._listed()
            if wanted:
                try:
                    self._take(await self._client.ask("fetch_tickers", wanted))
                except AuthFailed as error:
                    log.error("the prices of %s are refused: %s", self._client.profile.name, error)
                except (KnownError, Refused) as error:
                    log.info("no prices of %s: %s", self._client.profile.name, error)
            await self._until_due()

    async def _until_due(self) -> None:
        """Waits for the next poll's time, or until other symbols are wanted."""
        asked_s = self._now_s()
        while not self._changed.is_set():
            silent = self._heard_s is None or self._now_s() - self._heard_s > SILENT_S
            if self._now_s() - asked_s >= (POLL_S if silent else SIGN_OF_LIFE_S):
                return
            await self._sleep(0.5)

    def _listed(self) -> list[str]:
        """What is wanted and traded here, once the markets are loaded."""
        markets = self._client.ccxt.markets or {}
        return sorted(symbol for symbol in self._wanted if symbol in markets)

    def _take(self, tickers: dict[str, Any]) -> None:
        for symbol, ticker in tickers.items():
            price = believable_price(ticker)
            if symbol in self._wanted and price is not None and self._plausible.believes(symbol, price):
                self._tell(symbol, price)


def believable_price(ticker: Any) -> Decimal | None:
    """A ticker's last price; None where there is none, or where its bid lies above its ask (FAULTS 47)."""
    try:
        last, bid, ask = (number(ticker.get(name)) for name in ("last", "bid", "ask"))
    except ValueError:
        return None
    if last is None or last <= 0 or (bid and ask and bid > ask):
        return None
    return last
