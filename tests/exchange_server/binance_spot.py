"""Binance's spot desk: /api/v3 and what of /sapi ccxt asks for."""

import json
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar

from tests.exchange_server.binance_desk import Fields, Route, Routes
from tests.exchange_server.binance_rows import (
    Row,
    best,
    client_id,
    spot_cancelled,
    spot_order,
    spot_placed,
    spot_trade,
    ticker,
)
from tests.exchange_server.binance_rules import (
    DOWN,
    MOST_ORDERS,
    SPOT_REFUSALS,
    UP,
    Said,
    decimals,
    eight,
    market_most,
    spot_symbol,
)
from tests.exchange_server.front_end import Keys
from tests.exchange_server.values import VenueMarket, VenueOrder, VenueRefusal
from tests.exchange_server.venue import Venue

T = TypeVar("T")
NO_SUCH_ORDER = (-2013, "Order does not exist.")
UNKNOWN_ORDER = (-2011, "Unknown order sent.")


class Spot:
    """Answers what is asked of the spot desk."""

    def __init__(self, venue: Venue, keys: Keys, now_ms: Callable[[], int], weight_limit: int) -> None:
        self._venue = venue
        self._keys = keys
        self._now_ms = now_ms
        self._weight_limit = weight_limit
        self._numbers = count(1)
        self.cancel_id: str | None = None
        """The id of the cancel that is being done: the stream tells it."""
        self.routes: Routes = {
            ("GET", "/api/v3/ping"): Route(kind="other", handle=lambda fields: {}, security="none"),
            ("GET", "/api/v3/time"): Route(kind="time", handle=self.time, security="none"),
            ("GET", "/api/v3/exchangeInfo"): Route(kind="rules", handle=self.rules, security="none", weight=20),
            ("GET", "/api/v3/ticker/24hr"): Route(kind="tickers", handle=self.tickers, security="none", weight=2),
            ("GET", "/api/v3/ticker/price"): Route(kind="tickers", handle=self.prices, security="none", weight=2),
            ("GET", "/api/v3/ticker/bookTicker"): Route(kind="tickers", handle=self.bests, security="none", weight=2),
            ("POST", "/api/v3/order"): Route(kind="place", handle=self.place, security="trade"),
            ("POST", "/api/v3/order/test"): Route(kind="other", handle=self.test, security="trade"),
            ("GET", "/api/v3/order"): Route(kind="query", handle=self.query, weight=4),
            ("DELETE", "/api/v3/order"): Route(kind="cancel", handle=self.cancel, security="trade"),
            ("GET", "/api/v3/openOrders"): Route(kind="open_orders", handle=self.open_orders, weight=6),
            ("DELETE", "/api/v3/openOrders"): Route(kind="cancel", handle=self.cancel_all, security="trade"),
            ("GET", "/api/v3/allOrders"): Route(kind="orders", handle=self.orders, weight=20),
            ("GET", "/api/v3/myTrades"): Route(kind="trades", handle=self.trades, weight=20),
            ("GET", "/api/v3/account"): Route(kind="balance", handle=self.account, weight=20),
            ("GET", "/sapi/v1/account/apiRestrictions"): Route(kind="permissions", handle=self.permissions),
            ("GET", "/sapi/v1/asset/tradeFee"): Route(kind="other", handle=self.fees),
            ("GET", "/sapi/v1/margin/allPairs"): Route(kind="rules", handle=lambda fields: []),
            ("GET", "/sapi/v1/margin/isolated/allPairs"): Route(kind="rules", handle=lambda fields: []),
            ("GET", "/sapi/v1/capital/config/getall"): Route(kind="rules", handle=self.coins, weight=10),
        }

    def said(self, refusal: VenueRefusal, fields: Fields) -> Said:
        return Said(*SPOT_REFUSALS[refusal.kind])

    def markets(self) -> list[VenueMarket]:
        return [market for market in self._venue.markets.values() if market.type == "spot"]

    def market(self, fields: Fields) -> VenueMarket:
        market = self._venue.markets.get(fields.text("symbol"))
        if market is None or market.type != "spot":
            raise Said(-1121, "Invalid symbol.")
        return market

    # What anyone may ask

    def time(self, fields: Fields) -> Row:
        return {"serverTime": self._now_ms()}

    def rules(self, fields: Fields) -> Row:
        return {
            "timezone": "UTC",
            "serverTime": self._now_ms(),
            "rateLimits": [
                {
                    "rateLimitType": "REQUEST_WEIGHT",
                    "interval": "MINUTE",
                    "intervalNum": 1,
                    "limit": self._weight_limit,
                },
                {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
                {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
                {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
            ],
            "exchangeFilters": [],
            "symbols": [spot_symbol(market) for market in self._chosen(fields)],
        }

    def tickers(self, fields: Fields) -> Any:
        now = self._now_ms()
        return self._of_each(fields, lambda market, last: ticker(market, last, now))

    def prices(self, fields: Fields) -> Any:
        return self._of_each(fields, lambda market, last: {"symbol": market.id, "price": eight(last)})

    def bests(self, fields: Fields) -> Any:
        return self._of_each(fields, lambda market, last: {"symbol": market.id} | best(market, last))

    def _of_each(self, fields: Fields, row: Callable[[VenueMarket, Decimal], Row]) -> Any:
        last = self._venue.last
        rows = [row(market, last[market.id]) for market in self._chosen(fields) if market.id in last]
        return rows[0] if fields.maybe("symbol") and rows else rows

    def _chosen(self, fields: Fields) -> list[VenueMarket]:
        if fields.maybe("symbol"):
            return [self.market(fields)]
        ids = fields.maybe("symbols")
        return [self.market(Fields({"symbol": each})) for each in json.loads(ids)] if ids else self.markets()

    # What the trader does

    def place(self, fields: Fields) -> Row:
        answer_type = fields.maybe("newOrderRespType") or ("ACK" if fields.text("type") != "MARKET" else "FULL")
        return spot_placed(self._placed(fields), answer_type)

    def test(self, fields: Fields) -> Row:
        self._check(fields, self.market(fields))
        return {}

    def _placed(self, fields: Fields) -> VenueOrder:
        market = self.market(fields)
        order_type = self._check(fields, market)
        quote_qty = fields.maybe("quoteOrderQty")
        return self._venue.place(
            market_id=market.id,
            side="buy" if fields.text("side") == "BUY" else "sell",
            type="market" if order_type == "MARKET" else "limit",
            qty=None if quote_qty else fields.number("quantity"),
            quote_qty=fields.number("quoteOrderQty") if quote_qty else None,
            price=None if order_type == "MARKET" else fields.number("price"),
            tif=fields.maybe("timeInForce") or "GTC",  # type: ignore[arg-type]
            post_only=order_type == "LIMIT_MAKER",
            client_id=fields.client_id("newClientOrderId") or f"local-{next(self._numbers)}",
        )

    def _check(self, fields: Fields, market: VenueMarket) -> str:
        """The order's type. Raises Said for what is wrong with it before it gets to the book."""
        order_type = fields.text("type")
        if fields.text("side") not in {"BUY", "SELL"}:
            raise Said(-1117, "Invalid side.")
        match order_type:
            case "LIMIT":
                if fields.text("timeInForce") not in {"GTC", "IOC", "FOK"}:
                    raise Said(-1115, "Invalid timeInForce.")
                fields.refuse("quoteOrderQty")
            case "LIMIT_MAKER":
                fields.refuse("timeInForce", "quoteOrderQty")
            case "MARKET":
                fields.refuse("price", "timeInForce")
                if (fields.maybe("quantity") is None) == (fields.maybe("quoteOrderQty") is None):
                    raise Said(-1128, "Combination of optional parameters invalid.")
            case _:
                raise Said(-1116, "Invalid orderType.")
        for name in ("quantity", "price", "quoteOrderQty"):
            if fields.maybe(name) is not None and decimals(fields.number(name)) > 8:
                raise Said(-1111, f"Parameter '{name}' has too much precision.")
        if order_type == "MARKET" and fields.maybe("quantity") and fields.number("quantity") > market_most(market):
            raise Said(-1013, "Filter failure: MARKET_LOT_SIZE")
        last = self._venue.last.get(market.id)
        if order_type != "MARKET" and last is not None and not last * DOWN <= fields.number("price") <= last * UP:
            raise Said(-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")
        if len(self._venue.open_orders(market.id)) >= MOST_ORDERS:
            raise Said(-1013, "Filter failure: MAX_NUM_ORDERS")
        return order_type

    def query(self, fields: Fields) -> Row:
        return spot_order(self._found(fields, NO_SUCH_ORDER))

    def cancel(self, fields: Fields) -> Row:
        order = self._found(fields, UNKNOWN_ORDER)
        return self._cancelled(order, fields.client_id("newClientOrderId") or f"cancel-{next(self._numbers)}")

    def cancel_all(self, fields: Fields) -> list[Row]:
        orders = self._venue.open_orders(self.market(fields).id)
        if not orders:
            raise Said(*UNKNOWN_ORDER)
        return [self._cancelled(order, f"cancel-{next(self._numbers)}") for order in orders]

    def _cancelled(self, order: VenueOrder, cancel_id: str) -> Row:
        self.cancel_id = cancel_id
        try:
            return spot_cancelled(self._venue.cancel(market_id=order.market, order_id=order.id), cancel_id)
        finally:
            self.cancel_id = None

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
        chosen = self.market(fields).id if fields.maybe("symbol") else None
        spot = {market.id for market in self.markets()}
        return [spot_order(order) for order in self._venue.open_orders(chosen) if order.market in spot]

    def orders(self, fields: Fields) -> list[Row]:
        """Oldest first; the newest where no beginning is named."""
        begin, end, order_id = fields.whole("startTime"), fields.whole("endTime"), fields.whole("orderId")
        orders = [
            order
            for order in self._venue.orders_of(self.market(fields).id)
            if (begin is None or order.created_ms >= begin)
            and (end is None or order.created_ms <= end)
            and (order_id is None or int(order.id) >= order_id)
        ]
        return [spot_order(order) for order in page(orders, fields, newest=begin is None and order_id is None)]

    def trades(self, fields: Fields) -> list[Row]:
        begin, end, first = fields.whole("startTime"), fields.whole("endTime"), fields.whole("fromId")
        trades = [
            trade
            for trade in self._venue.trades_of(self.market(fields).id, order_id=fields.maybe("orderId"), since_ms=begin)
            if (end is None or trade.at_ms <= end) and (first is None or int(trade.id) >= first)
        ]
        return [spot_trade(trade) for trade in page(trades, fields, newest=begin is None and first is None)]

    def account(self, fields: Fields) -> Row:
        venue = self._venue
        coins = dict.fromkeys([*(coin for each in self.markets() for coin in (each.base, each.quote)), *venue.total])
        amounts = {coin: venue.amounts(coin) for coin in coins}
        return {
            "makerCommission": int(venue.maker * 10_000),
            "takerCommission": int(venue.taker * 10_000),
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {"maker": eight(venue.maker), "taker": eight(venue.taker), "buyer": "0", "seller": "0"},
            "canTrade": True,
            "canWithdraw": True,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self._now_ms(),
            "accountType": "SPOT",
            "balances": [
                {"asset": coin, "free": eight(free), "locked": eight(locked)}
                for coin, (free, locked) in amounts.items()
                if free or locked or not fields.yes("omitZeroBalances")
            ],
            "permissions": ["SPOT"],
            "uid": 354937868,
        }

    def permissions(self, fields: Fields) -> Row:
        return {
            "ipRestrict": True,
            "createTime": 1_623_840_271_000,
            "enableReading": True,
            "enableSpotAndMarginTrading": self._keys.may_trade,
            "enableFutures": self._keys.may_trade,
            "enableWithdrawals": self._keys.may_withdraw,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableVanillaOptions": False,
            "permitsUniversalTransfer": False,
            "enablePortfolioMarginTrading": False,
        }

    def fees(self, fields: Fields) -> list[Row]:
        maker, taker = eight(self._venue.maker), eight(self._venue.taker)
        return [
            {"symbol": market.id, "makerCommission": maker, "takerCommission": taker} for market in self._chosen(fields)
        ]

    def coins(self, fields: Fields) -> list[Row]:
        coins = dict.fromkeys(coin for each in self.markets() for coin in (each.base, each.quote))
        return [
            {
                "coin": coin,
                "name": coin,
                "depositAllEnable": True,
                "withdrawAllEnable": True,
                "free": eight(self._venue.amounts(coin)[0]),
                "locked": eight(self._venue.amounts(coin)[1]),
                "isLegalMoney": False,
                "trading": True,
                "networkList": [],
            }
            for coin in coins
        ]


def page(rows: list[T], fields: Fields, *, newest: bool) -> list[T]:
    """At most `limit` of them: the newest, or the oldest."""
    limit = min(fields.whole("limit", 500) or 500, 1000)
    return rows[-limit:] if newest else rows[:limit]
