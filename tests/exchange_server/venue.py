"""The exchange behind every front end: exact orders, filters, fills, fees and balances, with no protocol."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from itertools import count
from typing import Literal

from tests.exchange_server.books import Books
from tests.exchange_server.values import (
    OPEN,
    ZERO,
    EventKind,
    OrderType,
    Side,
    TimeInForce,
    VenueEvent,
    VenueMarket,
    VenueOrder,
    VenuePosition,
    VenueRefusal,
    VenueTrade,
)

__all__ = ["OPEN", "Venue", "VenueEvent", "VenueMarket", "VenueOrder", "VenuePosition", "VenueRefusal", "VenueTrade"]


def system_ms() -> int:
    return time.time_ns() // 1_000_000


class Venue(Books):
    """All state of one exchange, and what happens to it. No method waits; each leaves the books whole."""

    def __init__(
        self,
        markets: Iterable[VenueMarket],
        balances: Mapping[str, Decimal],
        *,
        maker: Decimal = Decimal("0.001"),
        taker: Decimal = Decimal("0.001"),
        fee_coin: str | None = None,
        fee_digits: int | None = None,
        clock: Callable[[], int] = system_ms,
        remembers_client_ids: Literal["open", "ever"] = "open",
        post_only: Literal["refused", "expires"] = "refused",
        leverage: int = 1,
    ) -> None:
        """`fee_coin` pays all spot fees while there is enough of it; else the coin that is received pays, on swaps
        the quote coin. Fees are cut to `fee_digits` decimals. A client id is refused while its first order is open,
        or for ever. A post-only order that would match is refused, or taken and expired at once."""
        super().__init__(markets, balances, leverage=leverage)
        self.maker, self.taker = maker, taker
        self.fee_coin, self.fee_digits = fee_coin, fee_digits
        self.clock = clock
        self.remembers_client_ids = remembers_client_ids
        self.post_only = post_only
        self.liquidity: dict[str, Decimal | None] = {}
        """What can still be taken at the last price, by market; None or not there: without end."""
        self.listeners: list[Callable[[VenueEvent], None]] = []
        self.price_listeners: list[Callable[[str, Decimal], None]] = []
        """Told of each tick: the market's id and its price."""
        self._order_ids, self._trade_ids = count(1_000_001), count(5_000_001)

    # What the trader does

    def place(
        self,
        *,
        market_id: str,
        side: Side,
        type: OrderType,
        qty: Decimal | None = None,
        price: Decimal | None = None,
        quote_qty: Decimal | None = None,
        tif: TimeInForce = "GTC",
        post_only: bool = False,
        reduce_only: bool = False,
        client_id: str | None = None,
    ) -> VenueOrder:
        """Takes an order, and fills at once what meets the last price. `quote_qty` in place of `qty`: market only.

        Raises VenueRefusal; then nothing has changed.
        """
        market = self._market(market_id)
        earlier = self._by_client_id.get(client_id) if client_id else None
        if earlier is not None and (earlier.is_open or self.remembers_client_ids == "ever"):
            raise VenueRefusal("duplicate", f"the client id {client_id} is taken")
        last = self.last.get(market_id)
        if type == "market":
            price = None
        unit = price if price is not None else last
        if unit is None:
            raise VenueRefusal("bad_request", "no price to trade at")
        if quote_qty is not None and type == "market":
            qty = (quote_qty / unit / market.contract_size / market.step).to_integral_value(ROUND_DOWN) * market.step
        if qty is None:
            raise VenueRefusal("bad_request", "no quantity")
        market.check(price, qty, unit, reduce_only=reduce_only)
        if reduce_only:
            self._check_reduces(market_id, side)
        takes = last is not None and (price is None or (price >= last if side == "buy" else price <= last))
        if post_only and takes and self.post_only == "refused":
            raise VenueRefusal("would_match", "the order would immediately match and take")
        now = self.clock()
        order = VenueOrder(
            id=str(next(self._order_ids)), client_id=client_id, market=market_id, side=side, type=type, tif=tif,
            post_only=post_only, reduce_only=reduce_only, price=price, qty=qty, quote_qty=quote_qty,
            created_ms=now, updated_ms=now,
        )  # fmt: skip
        self._enter(order, unit)
        if takes and not post_only and last is not None:
            self._take(order, last)
        if order.is_open and (type == "market" or tif != "GTC" or (post_only and takes)):
            self._end(order, "expired")
        return order

    def cancel(self, *, market_id: str, order_id: str | None = None, client_id: str | None = None) -> VenueOrder:
        """Raises VenueRefusal `unknown_order` where there is no such open order."""
        order = self.find(order_id=order_id, client_id=client_id)
        if order is None or order.market != market_id or not order.is_open:
            raise VenueRefusal("unknown_order", "there is no such open order")
        self._end(order, "canceled")
        return order

    # What the market and the exchange do

    def tick(self, market_id: str, price: Decimal, qty: Decimal | None = None) -> None:
        """The price moves: resting orders that it reaches fill as maker at their own price, the oldest first, at most
        `qty` in all where that is given."""
        self.last[market_id] = price
        left = qty
        for order in list(self._open[market_id].values()):
            if left is not None and left <= 0:
                break
            limit = order.price
            if not order.is_open or limit is None or not (limit >= price if order.side == "buy" else limit <= price):
                continue
            part = order.leaves if left is None else min(order.leaves, left)
            filled = self._fill(order, limit, part, maker=True)
            left = None if left is None else left - filled
        for listener in list(self.price_listeners):
            listener(market_id, price)

    def deposit(self, coin: str, amount: Decimal) -> None:
        """Coins come in, or go out where `amount` is negative, by the trader's own hand."""
        self.total[coin] = self.total.get(coin, ZERO) + amount
        after = {coin: self.amounts(coin)}
        self._tell(VenueEvent(kind="balance", at_ms=self.clock(), balances=after, amount=amount))

    def halt(self, market_id: str, *, ends_orders: bool = False) -> None:
        """No new orders; those that rest stay, or expire."""
        self.markets[market_id] = replace(self.markets[market_id], trading=False)
        for order in self.open_orders(market_id) if ends_orders else ():
            self._end(order, "expired")

    def list_again(self, market_id: str) -> None:
        self.markets[market_id] = replace(self.markets[market_id], trading=True)

    def change_rules(self, market: VenueMarket) -> None:
        """Another tick, step or minimum from now on, or one more market."""
        self.markets[market.id] = market
        self._open.setdefault(market.id, {})
        self.leverage.setdefault(market.id, 1)
        if market.type == "swap":
            self.positions.setdefault(market.id, VenuePosition())

    # Inside

    def _market(self, market_id: str) -> VenueMarket:
        market = self.markets.get(market_id)
        if market is None:
            raise VenueRefusal("unknown_symbol", f"there is no market {market_id}")
        if not market.trading:
            raise VenueRefusal("halted", f"{market_id} is not being traded")
        return market

    def _check_reduces(self, market_id: str, side: Side) -> None:
        if market_id not in self.positions:
            raise VenueRefusal("bad_request", "there is nothing to reduce on spot")
        if not self._reduces(market_id, side):
            raise VenueRefusal("reduce_only", "there is no position that the order would reduce")

    def _reduces(self, market_id: str, side: Side) -> bool:
        contracts = self.positions[market_id].contracts
        return contracts > 0 if side == "sell" else contracts < 0

    def _enter(self, order: VenueOrder, unit: Decimal) -> None:
        market = self.markets[order.market]
        self._unit[order.id] = unit
        if market.type == "swap":
            self._open[order.market][order.id] = order
            if not order.reduce_only and self.amounts(market.quote)[0] < 0:
                del self._open[order.market][order.id], self._unit[order.id]
                raise VenueRefusal("insufficient", f"not enough {market.quote}")
        else:
            coin, need = self._lock_of(order, order.qty)
            if self.amounts(coin)[0] < need:
                del self._unit[order.id]
                raise VenueRefusal("insufficient", f"not enough {coin}")
            self._locked[coin] = self._locked.get(coin, ZERO) + need
            self._open[order.market][order.id] = order
        self.orders[order.id] = order
        if order.client_id:
            self._by_client_id[order.client_id] = order
        self._changed(order, "new")

    def _take(self, order: VenueOrder, last: Decimal) -> None:
        offered = self.liquidity.get(order.market)
        part = order.qty if offered is None else min(order.qty, offered)
        if part <= 0 or (order.tif == "FOK" and part < order.qty):
            return
        filled = self._fill(order, last, part, maker=False)
        if offered is not None:
            self.liquidity[order.market] = offered - filled

    def _fill(self, order: VenueOrder, price: Decimal, qty: Decimal, *, maker: bool) -> Decimal:
        """What was filled: less than `qty` where a reduce-only order meets a smaller position."""
        market = self.markets[order.market]
        if order.reduce_only:
            contracts = self.positions[order.market].contracts
            qty = min(qty, abs(contracts))
        value = price * qty * market.contract_size
        realised = ZERO
        if market.type == "swap":
            signed = qty if order.side == "buy" else -qty
            realised = self.positions[order.market].fill(signed, price, market.contract_size)
            self._add(market.quote, realised)
        else:
            coin, locked = self._lock_of(order, qty)
            self._locked[coin] -= locked
            self._add(market.quote, -value if order.side == "buy" else value)
            self._add(market.base, qty if order.side == "buy" else -qty)
        fee, fee_coin = self._fee(market, order, qty, value, self.maker if maker else self.taker)
        self._add(fee_coin, -fee)
        order.filled += qty
        order.quote_filled += value
        order.updated_ms = self.clock()
        trade = VenueTrade(
            id=str(next(self._trade_ids)), order=order, at_ms=order.updated_ms, price=price, qty=qty, fee=fee,
            fee_currency=fee_coin, maker=maker, realised=realised,
        )  # fmt: skip
        order.trades.append(trade)
        self.trades.append(trade)
        order.status = "filled" if order.filled == order.qty else "partially_filled"
        if order.status == "filled":
            self._close(order)
        self._changed(order, "trade", trade, fee_coin)
        if market.type == "swap":
            self._end_what_reduces_nothing(order.market)
        return qty

    def _end_what_reduces_nothing(self, market_id: str) -> None:
        for order in self.open_orders(market_id):
            if order.reduce_only and not self._reduces(market_id, order.side):
                self._end(order, "expired")

    def _fee(
        self, market: VenueMarket, order: VenueOrder, qty: Decimal, value: Decimal, rate: Decimal
    ) -> tuple[Decimal, str]:
        if market.type == "spot" and self.fee_coin is not None:
            pair = next(
                (each.id for each in self.markets.values() if (each.base, each.quote) == (self.fee_coin, market.quote)),
                "",
            )
            fee = self._cut(value * rate / self.last.get(pair, Decimal(1)), ROUND_UP)
            if self.amounts(self.fee_coin)[0] >= fee:
                return fee, self.fee_coin
        if market.type == "spot" and order.side == "buy":
            return self._cut(qty * rate, ROUND_DOWN), market.base
        return self._cut(value * rate, ROUND_DOWN), market.quote

    def _cut(self, fee: Decimal, rounding: str) -> Decimal:
        return fee if self.fee_digits is None else fee.quantize(Decimal(1).scaleb(-self.fee_digits), rounding)

    def _end(self, order: VenueOrder, status: Literal["canceled", "expired"]) -> None:
        if self.markets[order.market].type == "spot":
            coin, locked = self._lock_of(order, order.leaves)
            self._locked[coin] -= locked
        self._close(order)
        order.status = status
        order.updated_ms = self.clock()
        self._changed(order, status)

    def _close(self, order: VenueOrder) -> None:
        del self._open[order.market][order.id], self._unit[order.id]

    def _changed(self, order: VenueOrder, kind: EventKind, trade: VenueTrade | None = None, *coins: str) -> None:
        if not self.listeners:
            return
        market = self.markets[order.market]
        touched = dict.fromkeys((market.base, market.quote, *coins))
        self._tell(
            VenueEvent(
                kind=kind,
                at_ms=order.updated_ms,
                order=order.snapshot(),
                trade=trade,
                balances={coin: self.amounts(coin) for coin in touched},
            )
        )

    def _tell(self, event: VenueEvent) -> None:
        for listener in list(self.listeners):
            listener(event)
