"""One account's exchange and the wire to it: exact books behind a network that loses, delays, repeats and refuses."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from exengine.domain.errors import INSUFFICIENT_BALANCE, MARKET_HALTED, RULES_REFUSED, Refused, UnknownOutcome
from exengine.domain.events import Event, OrderAccepted, OrderCancelled, OrderExpired, OrderFilled, OrderRejected
from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.order import Fill, Liquidity
from tests.exchange_server.venue import Venue, VenueEvent, VenueMarket, VenueOrder, VenueRefusal, VenueTrade

LATE_S = 5.0
"""How long after its sending a request may still arrive, as a profile's `late_ms` says."""

UNKNOWN_ORDER = "unknown_order"
_REFUSALS = {
    "insufficient": INSUFFICIENT_BALANCE,
    "price_filter": RULES_REFUSED,
    "lot_size": RULES_REFUSED,
    "min_notional": RULES_REFUSED,
    "max_qty": RULES_REFUSED,
    "halted": MARKET_HALTED,
    "unknown_symbol": MARKET_HALTED,
}


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What one exchange does always, for all of a life."""

    acknowledges_only: bool = False
    """Whether the answer to a new order is an id and nothing else."""
    cancel_acknowledges_only: bool = False
    late_trades_s: float = 0.0
    """How long after a fill its trades cannot be seen yet by who asks."""
    hidden_s: float = 0.0
    """How long after its placing an order cannot be found yet, at most."""
    trades_by_themselves: bool = True
    """Whether the stream tells each trade alone, or the order with all of them."""


@dataclass(kw_only=True)
class Fault:
    """Something that goes wrong with the next requests of a kind."""

    route: str
    what: str
    times: int = 1


class Line:
    """One account at its exchange, for all lives of the program."""

    def __init__(
        self,
        account: str,
        venue: Venue,
        symbols: dict[str, str],
        habits: Habits,
        rng: random.Random,
        opening: dict[str, Decimal],
    ) -> None:
        """`symbols` are the unified ones, `opening` the first prices, both by the venue's market id."""
        self.account = account
        self.venue = venue
        self.symbols = symbols
        self.ids = {symbol: market_id for market_id, symbol in symbols.items()}
        self.habits = habits
        self.rng = rng
        self.opening = opening
        self.began_with = dict(venue.total)
        self.deposited: dict[str, Decimal] = {}
        """What the trader has paid in, or taken out."""
        self.faults: list[Fault] = []
        self.asked: list[tuple[float, str, str]] = []
        """When, what and about which order something was asked: every request of every run."""
        self.maintenance_until_s = 0.0
        self.banned_until_s = 0.0
        self.key_revoked = False
        self.key_was_refused = False
        """Whether this run of the program was told so."""
        self.feed_mute_until_s = 0.0
        self.stream_down_until_s = 0.0
        self.stream_mute_until_s = 0.0
        self.stream_moods: dict[str, float] = {}
        """`double`, `late` and `shuffle`, until when."""
        self.refused: dict[str, str] = {}
        """Orders that were acknowledged and refused afterwards, by client id."""
        self.on_stream: Callable[[list[Event]], None] | None = None
        self.on_price: Callable[[str, Decimal], None] | None = None
        self.on_stream_change: Callable[[], None] = lambda: None
        self.in_flight = 0
        """Requests, answers and news that are on their way."""
        self.has_defects = False
        """Whether the adapter has raised what it must not: then a defect is told, and all goes on."""
        self.rules_changed = False
        """Whether what rests may lie off the tick by now."""
        self.sold_by_hand: set[str] = set()
        """Coins (symbols, on swap) that the trader has sold on the exchange."""
        venue.listeners.append(self._happened)
        venue.price_listeners.append(self._ticked)

    @property
    def is_spot(self) -> bool:
        return all(market.type == "spot" for market in self.venue.markets.values())

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def instruments(self) -> tuple[Instrument, ...]:
        """The rules of what is being traded now."""
        return tuple(self._instrument(market) for market in self.venue.markets.values() if market.trading)

    def _instrument(self, market: VenueMarket) -> Instrument:
        return Instrument(
            symbol=self.symbols[market.id],
            id=market.id,
            base=market.base,
            quote=market.quote,
            type=MarketType(market.type),
            tick_size=market.tick,
            step_size=market.step,
            min_qty=market.min_qty,
            max_qty=market.max_qty,
            min_notional=market.min_notional,
            contract_size=market.contract_size,
            maker_fee=self.venue.maker,
            taker_fee=self.venue.taker,
        )

    def deposit(self, coin: str, amount: Decimal) -> None:
        """The trader pays in, or takes out what is free."""
        self.venue.deposit(coin, amount)
        self.deposited[coin] = self.deposited.get(coin, Decimal(0)) + amount

    # requests --------------------------------------------------------------------------------------------------------

    def latency_s(self) -> float:
        return self.rng.choice((0.002, 0.01, 0.03, 0.08, 0.3))

    def fault_for(self, route: str) -> str | None:
        """The next thing that goes wrong with such a request."""
        for fault in self.faults:
            if fault.route in (route, "any") and fault.times > 0:
                fault.times -= 1
                return fault.what
        return None

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Something on its way: it arrives whoever lives by then."""
        self.in_flight += 1

        def arrive() -> None:
            self.in_flight -= 1
            call()

        self.loop.call_later(delay_s, arrive)

    def place(self, request: dict[str, Any]) -> VenueOrder:
        """What the exchange does with a new order. Raises Refused or UnknownOutcome."""
        try:
            return self.venue.place(**request)
        except VenueRefusal as refusal:
            if refusal.kind == "duplicate":
                raise UnknownOutcome("there is an order of this id") from None
            raise Refused(_REFUSALS.get(refusal.kind, refusal.kind), refusal.text) from None

    def cancel(self, market_id: str, client_id: str | None, order_id: str | None = None) -> VenueOrder:
        try:
            return self.venue.cancel(market_id=market_id, order_id=order_id, client_id=client_id)
        except VenueRefusal as refusal:
            raise Refused(UNKNOWN_ORDER, refusal.text) from None

    # news ------------------------------------------------------------------------------------------------------------

    def _happened(self, event: VenueEvent) -> None:
        """An order of ours has changed: the stream tells it, as well as it can."""
        order = event.order
        if order is None or not (order.client_id or "").startswith("x"):
            return
        alone = event.trade is not None and self.habits.trades_by_themselves and order.status != "filled"
        self.push(_fills([event.trade]) if alone and event.trade is not None else news_of(order))

    def push(self, events: list[Event]) -> None:
        """Puts news on the stream's way."""
        now_s = self.loop.time()
        if now_s < max(self.stream_down_until_s, self.stream_mute_until_s):
            return
        moods = {mood for mood, until_s in self.stream_moods.items() if now_s < until_s}
        for _ in range(2 if "double" in moods else 1):
            delay_s = self.latency_s()
            if "late" in moods or "shuffle" in moods:
                delay_s += self.rng.random() * (8 if "late" in moods else 1)
            self.later(delay_s, lambda: self._arrived(events))

    def _arrived(self, events: list[Event]) -> None:
        if self.on_stream is not None and self.loop.time() >= self.stream_down_until_s:
            self.on_stream(events)

    @property
    def stream_is_up(self) -> bool:
        return self.loop.time() >= max(self.stream_down_until_s, self.maintenance_until_s)

    def cut_stream(self, seconds: float) -> None:
        """The connection is gone, and seen to be."""
        self.stream_down_until_s = max(self.stream_down_until_s, self.loop.time() + seconds)
        self.on_stream_change()
        self.loop.call_later(seconds + 0.001, self._changed)

    def begin_stream_anew(self) -> None:
        """The program connects once more: what was mute may speak again, and for a moment nothing is heard."""
        if self.rng.random() < 0.5:
            self.stream_mute_until_s = 0.0
        self.cut_stream(self.latency_s())

    def _changed(self) -> None:
        self.on_stream_change()

    def _ticked(self, market_id: str, price: Decimal) -> None:
        if self.loop.time() >= max(self.feed_mute_until_s, self.maintenance_until_s):
            self.later(self.latency_s(), lambda: self._priced(market_id, price))

    def _priced(self, market_id: str, price: Decimal) -> None:
        if self.on_price is not None:
            self.on_price(self.symbols[market_id], price)

    def retell_prices(self) -> None:
        """A price that stands still is told anew."""
        for market_id, price in self.venue.last.items():
            self._ticked(market_id, price)

    # the end of all faults -------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """From now on everything works."""
        self.faults.clear()
        self.stream_moods.clear()
        self.maintenance_until_s = self.banned_until_s = self.feed_mute_until_s = 0.0
        self.stream_down_until_s = self.stream_mute_until_s = 0.0
        self.key_revoked = False
        self.habits = replace(self.habits, late_trades_s=0.0, hidden_s=0.0)
        for market_id in self.venue.markets:
            self.venue.list_again(market_id)
        self.venue.liquidity.clear()
        self.on_stream_change()


def news_of(order: VenueOrder) -> list[Event]:
    """All that an order's state tells: taken, its fills, and after them its end."""
    client_id = order.client_id or ""
    told: list[Event] = [OrderAccepted(client_id=client_id, exchange_order_id=order.id), *_fills(order.trades)]
    if order.status in ("canceled", "expired"):
        gone_by_itself = order.status == "expired" or order.type == "market" or order.tif == "IOC"
        told.append((OrderExpired if gone_by_itself else OrderCancelled)(client_id=client_id))
    return told


def refusal_of(client_id: str, why: str) -> list[Event]:
    return [OrderRejected(client_id=client_id, code="rejected", text=why)]


def _fills(trades: list[VenueTrade]) -> list[Event]:
    return [OrderFilled(fill=fill_of(trade)) for trade in trades]


def fill_of(trade: VenueTrade) -> Fill:
    """A trade as our books take it."""
    return Fill(
        client_id=trade.order.client_id or "",
        trade_id=trade.id,
        at_ms=trade.at_ms,
        price=trade.price,
        qty=trade.qty,
        fee=trade.fee,
        fee_currency=trade.fee_currency,
        liquidity=Liquidity.MAKER if trade.maker else Liquidity.TAKER,
    )
