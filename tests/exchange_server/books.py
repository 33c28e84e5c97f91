"""The books of a local exchange: what it holds, and what can be asked of it. One wallet for spot and swaps."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from tests.exchange_server.values import ZERO, VenueMarket, VenueOrder, VenuePosition, VenueTrade


class Books:
    """Orders, trades, coins and positions, for one trader."""

    def __init__(self, markets: Iterable[VenueMarket], balances: Mapping[str, Decimal], *, leverage: int) -> None:
        self.markets = {market.id: market for market in markets}
        self.total: dict[str, Decimal] = dict(balances)
        self.leverage: dict[str, int] = dict.fromkeys(self.markets, leverage)
        self.orders: dict[str, VenueOrder] = {}
        self.trades: list[VenueTrade] = []
        self.positions: dict[str, VenuePosition] = {
            market.id: VenuePosition() for market in self.markets.values() if market.type == "swap"
        }
        self.last: dict[str, Decimal] = {}
        self._open: dict[str, dict[str, VenueOrder]] = {each: {} for each in self.markets}
        self._by_client_id: dict[str, VenueOrder] = {}
        self._unit: dict[str, Decimal] = {}
        """What one unit of an open order is worth in quote coin, by order id."""
        self._locked: dict[str, Decimal] = {}

    def find(self, *, order_id: str | None = None, client_id: str | None = None) -> VenueOrder | None:
        """By the exchange's id where given, else the latest order of that client id."""
        if order_id is not None:
            return self.orders.get(order_id)
        return self._by_client_id.get(client_id) if client_id else None

    def open_orders(self, market_id: str | None = None) -> list[VenueOrder]:
        """Oldest first."""
        if market_id is not None:
            return list(self._open.get(market_id, {}).values())
        return [order for book in self._open.values() for order in book.values()]

    def orders_of(self, market_id: str) -> list[VenueOrder]:
        """Open or not, oldest first."""
        return [order for order in self.orders.values() if order.market == market_id]

    def trades_of(
        self, market_id: str | None = None, *, order_id: str | None = None, since_ms: int | None = None
    ) -> list[VenueTrade]:
        """Oldest first."""
        return [
            trade
            for trade in self.trades
            if (market_id is None or trade.order.market == market_id)
            and (order_id is None or trade.order.id == order_id)
            and (since_ms is None or trade.at_ms >= since_ms)
        ]

    def amounts(self, coin: str) -> tuple[Decimal, Decimal]:
        """Free and locked; locked by spot orders, and as margin of swaps' orders and positions."""
        locked = self._locked.get(coin, ZERO) + sum(
            (
                self.margin(market.id)
                for market in self.markets.values()
                if market.type == "swap" and market.quote == coin
            ),
            ZERO,
        )
        return self.total.get(coin, ZERO) - locked, locked

    def position_margin(self, market_id: str) -> Decimal:
        """What a swap's position holds back, in quote coin."""
        position = self.positions[market_id]
        value = abs(position.contracts) * position.entry_price * self.markets[market_id].contract_size
        return value / self.leverage[market_id]

    def margin(self, market_id: str) -> Decimal:
        """What a swap's position and its open orders hold back; what only closes the position needs nothing."""
        size = self.markets[market_id].contract_size
        contracts = self.positions[market_id].contracts
        closes: dict[str, Decimal] = {"sell": max(contracts, ZERO), "buy": max(-contracts, ZERO)}
        worth = ZERO
        for order in self._open[market_id].values():
            if order.reduce_only:
                continue
            closing = min(order.leaves, closes[order.side])
            closes[order.side] -= closing
            worth += (order.leaves - closing) * self._unit[order.id] * size
        return worth / self.leverage[market_id] + self.position_margin(market_id)

    def unrealised(self, market_id: str) -> Decimal:
        """A swap position's, at the last price, in quote coin."""
        position = self.positions[market_id]
        last = self.last.get(market_id, position.entry_price)
        return (last - position.entry_price) * position.contracts * self.markets[market_id].contract_size

    def _lock_of(self, order: VenueOrder, qty: Decimal) -> tuple[str, Decimal]:
        """The coin that an open spot order locks, and how much of it for `qty`."""
        market = self.markets[order.market]
        return (market.quote, self._unit[order.id] * qty) if order.side == "buy" else (market.base, qty)

    def _add(self, coin: str, amount: Decimal) -> None:
        self.total[coin] = self.total.get(coin, ZERO) + amount
