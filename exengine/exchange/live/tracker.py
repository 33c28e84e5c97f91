"""What is known of our own orders at one exchange, so that each fill is told once and each end after its fills."""

from dataclasses import dataclass, field
from decimal import Decimal

from exengine.domain.events import Event, OrderAccepted, OrderCancelled, OrderExpired, OrderFilled, OrderRejected
from exengine.domain.money import arithmetic
from exengine.domain.order import Fill, Order, OrderType
from exengine.exchange.live.said import OrderSaid, Standing, TradeSaid

KEPT_ENDED = 2000
"""How many orders that are over are remembered: news of them may still come."""

KEPT_HOMELESS = 500


@dataclass(slots=True, kw_only=True)
class Known:
    """One of our orders."""

    order: Order
    """As it was when it was first heard of in this run."""
    trades: dict[str, Decimal] = field(default_factory=dict)
    """Trade id to quantity, of those that were told on in this run."""
    has_ended: bool = False
    exchange_order_id: str | None = None

    @property
    def client_id(self) -> str:
        return self.order.client_id

    @property
    def filled_qty(self) -> Decimal:
        with arithmetic():
            return sum(self.trades.values(), self.order.filled_qty)

    @property
    def is_over(self) -> bool:
        return self.has_ended or self.filled_qty >= self.order.qty


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is to be told on, and whether the exchange has said more than its trades explain."""

    events: list[Event]
    complete: bool = True


class Tracker:
    """Turns what streams, answers and polls say of our orders into events; all three may say the same."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._by_exchange_id: dict[str, str] = {}
        self._homeless: dict[str, list[TradeSaid]] = {}
        """Trades of orders whose own news have not come yet, by the exchange's order id."""

    def expect(self, order: Order) -> Known:
        """From now on the order is known to be ours."""
        known = self._known.get(order.client_id)
        if known is None:
            known = self._known[order.client_id] = Known(order=order, exchange_order_id=order.exchange_order_id)
            self._forget_some()
        if order.exchange_order_id is not None:
            self._by_exchange_id[order.exchange_order_id] = order.client_id
        return known

    def known(self, client_id: str | None, exchange_order_id: str | None = None) -> Known | None:
        """One of ours, by either id."""
        found = self._known.get(client_id or "")
        return found or self._known.get(self._by_exchange_id.get(exchange_order_id or "", ""))

    def symbols(self) -> set[str]:
        """Of what there have been orders of ours."""
        return {known.order.symbol for known in self._known.values()}

    def is_over(self, client_id: str) -> bool:
        """Whether everything about an order has been told."""
        known = self._known.get(client_id)
        return known is not None and known.is_over

    def said(self, said: OrderSaid) -> News:
        """What an order's own news mean. Not complete where it has filled more than the trades that are known say."""
        known = self.known(said.client_id, said.exchange_order_id)
        if known is None:
            return News(events=[])
        events: list[Event] = []
        if said.exchange_order_id is not None:
            events += self._accepted(known, said.exchange_order_id)
        for trade in said.trades:
            events += self.traded(trade, known).events
        if said.filled_qty is not None and said.filled_qty > known.filled_qty:
            return News(events=events, complete=False)
        if said.standing in (None, Standing.OPEN):
            return News(events=events)
        if said.filled_qty is None or said.filled_qty < known.filled_qty:
            return News(events=events, complete=False)
        known.has_ended = True
        end = _end(known, said)
        return News(events=events if end is None else [*events, end])

    def traded(self, trade: TradeSaid, known: Known | None = None) -> News:
        """A trade, told on once. Not complete where its fee has not been said: then it is not told on yet."""
        known = known or self.known(trade.client_id, trade.exchange_order_id)
        if known is None:
            if trade.exchange_order_id:
                self._homeless.setdefault(trade.exchange_order_id, []).append(trade)
            while len(self._homeless) > KEPT_HOMELESS:  # the trader's own orders are among them
                del self._homeless[next(iter(self._homeless))]
            return News(events=[])
        if trade.trade_id in known.trades or trade.trade_id in known.order.trade_ids:
            return News(events=[])
        if trade.fee is None:
            return News(events=[], complete=False)
        known.trades[trade.trade_id] = trade.qty
        fill = Fill(
            client_id=known.client_id,
            trade_id=trade.trade_id,
            at_ms=trade.at_ms,
            price=trade.price,
            qty=trade.qty,
            fee=trade.fee,
            fee_currency=trade.fee_currency,
            liquidity=trade.liquidity,
        )
        return News(events=[OrderFilled(fill=fill)])

    def _accepted(self, known: Known, exchange_order_id: str) -> list[Event]:
        events: list[Event] = [OrderAccepted(client_id=known.client_id, exchange_order_id=exchange_order_id)]
        self._by_exchange_id[exchange_order_id] = known.client_id
        known.exchange_order_id = exchange_order_id
        for trade in self._homeless.pop(exchange_order_id, ()):
            events += self.traded(trade, known).events
        return events

    def _forget_some(self) -> None:
        if len(self._known) <= 2 * KEPT_ENDED:
            return
        over = [client_id for client_id, known in self._known.items() if known.is_over]
        gone = set(over[:-KEPT_ENDED])
        self._known = {client_id: known for client_id, known in self._known.items() if client_id not in gone}
        self._by_exchange_id = {theirs: ours for theirs, ours in self._by_exchange_id.items() if ours not in gone}


def _end(known: Known, said: OrderSaid) -> Event | None:
    """How an order ended; None where its fills have said it: the filled amount decides, not the status."""
    if known.filled_qty >= known.order.qty:
        return None
    if said.standing is Standing.REJECTED and not known.filled_qty:
        return OrderRejected(client_id=known.client_id, code="rejected", text=said.why or "refused by the exchange")
    if known.order.type is OrderType.MARKET or said.standing is Standing.EXPIRED:
        return OrderExpired(client_id=known.client_id)
    return OrderCancelled(client_id=known.client_id)
