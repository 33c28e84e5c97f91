"""Binance's USDⓈ-M futures desk: /fapi, in one-way mode."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from tests.exchange_server.binance_desk import Fields, Route
from tests.exchange_server.binance_futures import FuturesAccount
from tests.exchange_server.binance_rows import Row, best, client_id, swap_order, swap_trade, ticker
from tests.exchange_server.binance_rules import SWAP_REFUSALS, Said, decimals, eight, swap_symbol, wire_id
from tests.exchange_server.binance_spot import NO_SUCH_ORDER, UNKNOWN_ORDER, page
from tests.exchange_server.values import VenueMarket, VenueOrder, VenueRefusal
from tests.exchange_server.venue import Venue

MOST_IN_A_BATCH = 5


class Swap(FuturesAccount):
    """Answers what is asked of the futures desk."""

    def __init__(self, venue: Venue, now_ms: Callable[[], int], weight_limit: int) -> None:
        super().__init__(venue, now_ms)
        self._weight_limit = weight_limit
        self.routes = self.account_routes() | {
            ("GET", "/fapi/v1/ping"): Route(kind="other", handle=lambda fields: {}, security="none"),
            ("GET", "/fapi/v1/time"): Route(kind="time", handle=self.time, security="none"),
            ("GET", "/fapi/v1/exchangeInfo"): Route(kind="rules", handle=self.rules, security="none"),
            ("GET", "/fapi/v1/ticker/24hr"): Route(kind="tickers", handle=self.tickers, security="none"),
            ("GET", "/fapi/v2/ticker/price"): Route(kind="tickers", handle=self.prices, security="none"),
            ("GET", "/fapi/v1/ticker/bookTicker"): Route(kind="tickers", handle=self.bests, security="none"),
            ("POST", "/fapi/v1/order"): Route(kind="place", handle=self.place, security="trade"),
            ("POST", "/fapi/v1/batchOrders"): Route(kind="place_many", handle=self.place_many, security="trade"),
            ("GET", "/fapi/v1/order"): Route(kind="query", handle=self.query),
            ("GET", "/fapi/v1/openOrder"): Route(kind="query", handle=self.query_open),
            ("DELETE", "/fapi/v1/order"): Route(kind="cancel", handle=self.cancel, security="trade"),
            ("DELETE", "/fapi/v1/batchOrders"): Route(kind="cancel", handle=self.cancel_many, security="trade"),
            ("DELETE", "/fapi/v1/allOpenOrders"): Route(kind="cancel", handle=self.cancel_all, security="trade"),
            ("GET", "/fapi/v1/openOrders"): Route(kind="open_orders", handle=self.open_orders),
            ("GET", "/fapi/v1/allOrders"): Route(kind="orders", handle=self.orders, weight=5),
            ("GET", "/fapi/v1/userTrades"): Route(kind="trades", handle=self.trades, weight=5),
        }

    def said(self, refusal: VenueRefusal, fields: Fields) -> Said:
        code, message = SWAP_REFUSALS[refusal.kind]
        if refusal.kind == "min_notional":
            message = message.format(format(self.market(fields).min_notional, "f"))
        if refusal.kind == "lot_size" and fields.number("quantity") < self.market(fields).min_qty:
            code, message = -4004, "Quantity less than min quantity."
        if refusal.kind == "lot_size" and fields.number("quantity") <= 0:
            code, message = -4003, "Quantity less than or equal to zero."
        return Said(code, message)

    # What anyone may ask

    def time(self, fields: Fields) -> Row:
        return {"serverTime": self._now_ms()}

    def rules(self, fields: Fields) -> Row:
        return {
            "timezone": "UTC",
            "serverTime": self._now_ms(),
            "futuresType": "U_MARGINED",
            "rateLimits": [
                {
                    "rateLimitType": "REQUEST_WEIGHT",
                    "interval": "MINUTE",
                    "intervalNum": 1,
                    "limit": self._weight_limit,
                },
                {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
                {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
            ],
            "exchangeFilters": [],
            "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
            "symbols": [swap_symbol(market) for market in self.markets()],
        }

    def tickers(self, fields: Fields) -> Any:
        now = self._now_ms()
        return self._of_each(fields, lambda market, last: ticker(market, last, now))

    def prices(self, fields: Fields) -> Any:
        now = self._now_ms()
        return self._of_each(
            fields, lambda market, last: {"symbol": wire_id(market.id), "price": eight(last), "time": now}
        )

    def bests(self, fields: Fields) -> Any:
        now = self._now_ms()
        return self._of_each(
            fields, lambda market, last: {"symbol": wire_id(market.id), "time": now} | best(market, last)
        )

    def _of_each(self, fields: Fields, row: Callable[[VenueMarket, Decimal], Row]) -> Any:
        last, one = self._venue.last, fields.maybe("symbol") is not None
        chosen = [self.market(fields)] if one else self.markets()
        rows = [row(market, last[market.id]) for market in chosen if market.id in last]
        return rows[0] if one and rows else rows

    # What the trader does

    def place(self, fields: Fields) -> Row:
        """A resting order is told as it was taken, whatever was filled at once; others as they ended."""
        market = self.market(fields)
        order_type, post_only = self._check(fields, market), fields.maybe("timeInForce") == "GTX"
        tif = "GTC" if post_only else fields.maybe("timeInForce") or "GTC"
        order = self._venue.place(
            market_id=market.id,
            side="buy" if fields.text("side") == "BUY" else "sell",
            type="market" if order_type == "MARKET" else "limit",
            qty=fields.number("quantity"),
            price=None if order_type == "MARKET" else fields.number("price"),
            tif=tif,  # type: ignore[arg-type]
            post_only=post_only,
            reduce_only=fields.yes("reduceOnly"),
            client_id=fields.client_id("newClientOrderId") or f"local-{next(self._numbers)}",
        )
        row = swap_order(order, market)
        if order_type == "LIMIT" and tif == "GTC":
            none = swap_order(VenueOrder(**_as_taken(order)), market)
            row |= {name: none[name] for name in ("status", "executedQty", "cumQty", "cumQuote", "avgPrice")}
        del row["time"]
        return row

    def _check(self, fields: Fields, market: VenueMarket) -> str:
        order_type = fields.text("type")
        if fields.text("side") not in {"BUY", "SELL"}:
            raise Said(-1117, "Invalid side.")
        if order_type not in {"LIMIT", "MARKET"}:
            raise Said(-1116, "Invalid orderType.")
        if order_type == "LIMIT" and fields.text("timeInForce") not in {"GTC", "IOC", "FOK", "GTX"}:
            raise Said(-1115, "Invalid timeInForce.")
        if order_type == "MARKET":
            fields.refuse("price", "timeInForce")
        if self.hedged or fields.maybe("positionSide") not in {None, "BOTH"}:
            raise Said(-4061, "Order's position side does not match user's setting.")
        for name, step in (("quantity", market.step), ("price", market.tick)):
            if fields.maybe(name) is not None and decimals(fields.number(name)) > decimals(step):
                raise Said(-1111, "Precision is over the maximum defined for this asset.")
        return order_type

    def place_many(self, fields: Fields) -> list[Row]:
        """Each by itself: an order, or an error in its place."""
        orders = json.loads(unquote(fields.text("batchOrders")))
        if not 0 < len(orders) <= MOST_IN_A_BATCH:
            raise Said(-4082, "Invalid number of batch place order requests.")
        return [self._each(self.place, Fields(order)) for order in orders]

    def _each(self, do: Callable[[Fields], Row], fields: Fields) -> Row:
        try:
            return do(fields)
        except VenueRefusal as refusal:
            said = self.said(refusal, fields)
        except Said as error:
            said = error
        return {"code": said.code, "msg": said.message}

    def query(self, fields: Fields) -> Row:
        return swap_order(self._found(fields, NO_SUCH_ORDER), self.market(fields))

    def query_open(self, fields: Fields) -> Row:
        order = self._found(fields, NO_SUCH_ORDER)
        if not order.is_open:
            raise Said(*NO_SUCH_ORDER)
        return swap_order(order, self.market(fields))

    def cancel(self, fields: Fields) -> Row:
        market, order = self.market(fields), self._found(fields, UNKNOWN_ORDER)
        self._venue.cancel(market_id=market.id, order_id=order.id)
        return swap_order(order, market)

    def cancel_many(self, fields: Fields) -> list[Row]:
        symbol = fields.text("symbol")
        named = (("orderidlist", "orderId"), ("origclientorderidlist", "origClientOrderId"))
        asked = [
            Fields({"symbol": symbol, one: each})
            for many, one in named
            for each in json.loads(fields.maybe(many) or "[]")
        ]
        return [self._each(self.cancel, each) for each in asked]

    def cancel_all(self, fields: Fields) -> Row:
        market = self.market(fields)
        for order in self._venue.open_orders(market.id):
            self._venue.cancel(market_id=market.id, order_id=order.id)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def _found(self, fields: Fields, otherwise: tuple[int, str]) -> VenueOrder:
        market = self.market(fields)
        order_id, client = fields.maybe("orderId"), fields.maybe("origClientOrderId")
        if order_id is None and client is None:
            raise Said(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        order = self._venue.find(order_id=order_id, client_id=client)
        if order is None or order.market != market.id or (client is not None and client_id(order) != client):
            raise Said(*otherwise)
        return order

    # What the trader asks

    def open_orders(self, fields: Fields) -> list[Row]:
        chosen = [self.market(fields)] if fields.maybe("symbol") else self.markets()
        return [swap_order(order, market) for market in chosen for order in self._venue.open_orders(market.id)]

    def orders(self, fields: Fields) -> list[Row]:
        begin, end, order_id = fields.whole("startTime"), fields.whole("endTime"), fields.whole("orderId")
        chosen = [self.market(fields)] if fields.maybe("symbol") else self.markets()
        orders = [
            order
            for market in chosen
            for order in self._venue.orders_of(market.id)
            if (begin is None or order.created_ms >= begin)
            and (end is None or order.created_ms <= end)
            and (order_id is None or int(order.id) >= order_id)
        ]
        rows = page(orders, fields, newest=begin is None and order_id is None)
        return [swap_order(order, self._venue.markets[order.market]) for order in rows]

    def trades(self, fields: Fields) -> list[Row]:
        market, begin, end = self.market(fields), fields.whole("startTime"), fields.whole("endTime")
        first = fields.whole("fromId")
        trades = [
            trade
            for trade in self._venue.trades_of(market.id, order_id=fields.maybe("orderId"), since_ms=begin)
            if (end is None or trade.at_ms <= end) and (first is None or int(trade.id) >= first)
        ]
        return [swap_trade(trade, market) for trade in page(trades, fields, newest=begin is None and first is None)]


def _as_taken(order: VenueOrder) -> dict[str, Any]:
    """The fields of an order as it was when it was taken."""
    names = ("id", "client_id", "market", "side", "type", "tif", "post_only", "reduce_only", "price", "qty")
    return {name: getattr(order, name) for name in names} | {
        "created_ms": order.created_ms,
        "updated_ms": order.created_ms,
    }
