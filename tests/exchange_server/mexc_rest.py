"""MEXC's spot v3 REST as the real one speaks it: an order is acknowledged without status and without client id."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from tests.exchange_server import mexc_rows as rows
from tests.exchange_server.front_end import Keys
from tests.exchange_server.mexc_rows import Row, text
from tests.exchange_server.values import RefusalKind, VenueMarket, VenueOrder, VenueRefusal
from tests.exchange_server.venue import Venue

DAY_MS = 86_400_000
HISTORY_MS = 7 * DAY_MS
"""How far back /api/v3/allOrders looks at most; trades: 30 days."""
LONGEST_CLIENT_ID = 32
MOST_IN_A_BATCH = 20

REFUSALS: dict[RefusalKind, tuple[int, str]] = {
    "insufficient": (30004, "Insufficient position"),
    "price_filter": (400, "price scale is invalid"),
    "lot_size": (400, "quantity scale is invalid"),
    "min_notional": (30002, "The minimum transaction volume cannot be less than：1USDT"),
    "max_qty": (30003, "The maximum transaction volume cannot be greater than：2000000USDT"),
    "duplicate": (99999, "refused"),  # nobody knows the real code: this one is nobody's, so that none is learnt here
    "would_match": (30041, "current order type can not place order"),
    "unknown_symbol": (-1121, "Invalid symbol."),
    "halted": (30016, "trading disabled"),
    "unknown_order": (-2011, "Unknown order sent."),
    "reduce_only": (700004, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
    "bad_request": (700004, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."),
}
NO_SUCH_ORDER = (-2013, "Order does not exist.")
ORDER_KINDS = {
    "LIMIT": ("limit", "GTC"),
    "LIMIT_MAKER": ("limit", "GTC"),
    "IMMEDIATE_OR_CANCEL": ("limit", "IOC"),
    "FILL_OR_KILL": ("limit", "FOK"),
    "MARKET": ("market", "GTC"),
}

Handler = Callable[[Row], Any]


class MexcError(Exception):
    """An answer with a code: HTTP 400 but where said otherwise."""

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code} {message}")
        self.code, self.message, self.status = code, message, status


def number(asked: Row, name: str) -> Decimal | None:
    """Raises MexcError where it is there and is no number."""
    raw = asked.get(name)
    if raw is None or raw == "":
        return None
    try:
        return Decimal(str(raw))
    except InvalidOperation:
        raise MexcError(700008, f"Illegal characters found in parameter '{name}'") from None


class MexcRest:
    """The answers of one trader's account. Works on plain values: the wire is elsewhere."""

    def __init__(self, venue: Venue, *, keys: Keys, now: Callable[[], int]) -> None:
        self.venue, self.now = venue, now
        self.keys = keys
        self.listen_keys: dict[str, int] = {}
        """Until when each lasts: an hour from its making or its last renewal, epoch ms."""
        self.routes: dict[tuple[str, str], tuple[str, bool, Handler]] = {
            ("GET", "/api/v3/time"): ("time", False, lambda _: {"serverTime": self.now()}),
            ("GET", "/api/v3/ping"): ("other", False, lambda _: {}),
            ("GET", "/api/v3/exchangeInfo"): ("rules", False, self.exchange_info),
            ("GET", "/api/v3/ticker/24hr"): ("tickers", False, self.day_tickers),
            ("GET", "/api/v3/ticker/bookTicker"): ("tickers", False, self.book_tickers),
            ("GET", "/api/v3/capital/config/getall"): ("rules", True, self.coins),
            ("GET", "/api/v1/contract/detail"): ("rules", False, lambda _: {"success": True, "code": 0, "data": []}),
            ("GET", "/api/v3/account"): ("balance", True, self.account),
            ("POST", "/api/v3/order"): ("place", True, self.create),
            ("POST", "/api/v3/batchOrders"): ("place_many", True, self.create_many),
            ("DELETE", "/api/v3/order"): ("cancel", True, self.cancel),
            ("GET", "/api/v3/order"): ("query", True, self.one),
            ("GET", "/api/v3/openOrders"): ("open_orders", True, self.open_orders),
            ("GET", "/api/v3/allOrders"): ("orders", True, self.all_orders),
            ("GET", "/api/v3/myTrades"): ("trades", True, self.my_trades),
            ("POST", "/api/v3/userDataStream"): ("stream_key", True, self.new_listen_key),
            ("GET", "/api/v3/userDataStream"): ("stream_key", True, lambda _: {"listenKey": list(self.listen_keys)}),
            ("PUT", "/api/v3/userDataStream"): ("stream_key", True, self.renew_listen_key),
            ("DELETE", "/api/v3/userDataStream"): ("stream_key", True, self.end_listen_key),
        }

    # The way in

    def kind(self, method: str, path: str) -> str:
        found = self.routes.get((method, path))
        return found[0] if found else "other"

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: str) -> tuple[int, Any]:
        """HTTP status and answer. `query` as it came on the wire, without its question mark."""
        try:
            found = self.routes.get((method, path))
            if found is None:
                raise MexcError(404, "Not Found", status=404)
            _, signed, handler = found
            asked: Row = dict(parse_qsl(query, keep_blank_values=True))
            if signed:
                self.check_signature(headers, query, asked)
            return 200, handler(asked)
        except MexcError as error:
            return error.status, {"code": error.code, "msg": error.message, "_extend": None}

    def check_signature(self, headers: Mapping[str, str], query: str, asked: Row) -> None:
        """Raises MexcError. What is signed is the query before its signature, as it came."""
        if not headers.get("X-MEXC-APIKEY"):
            raise MexcError(400, "api key required")
        if headers["X-MEXC-APIKEY"] != self.keys.api_key or self.keys.revoked:
            raise MexcError(10072, "Api key info invalid")
        words, _, given = query.rpartition("&signature=")
        wanted = hmac.new(self.keys.secret.encode(), words.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, given):
            raise MexcError(700002, "Signature for this request is not valid.")
        window, stamp = int(asked.get("recvWindow", 5000)), int(asked.get("timestamp", 0))
        if window > 60_000:
            raise MexcError(700005, "recvWindow must less than 60000")
        if not self.now() - window <= stamp < self.now() + 1000:
            raise MexcError(700003, "Timestamp for this request is outside of the recvWindow.")

    # What anybody may ask

    def spot(self) -> list[VenueMarket]:
        return [market for market in self.venue.markets.values() if market.type == "spot"]

    def exchange_info(self, asked: Row) -> Row:
        maker, taker = self.venue.maker, self.venue.taker
        symbols = [rows.symbol_row(market, maker, taker) for market in self.spot()]
        rules = {"timezone": "CST", "serverTime": self.now(), "rateLimits": [], "exchangeFilters": []}
        return rules | {"symbols": symbols}

    def coins(self, asked: Row) -> list[Row]:
        coins = dict.fromkeys(coin for market in self.spot() for coin in (market.base, market.quote))
        return [{"coin": coin, "name": coin, "networkList": []} for coin in coins]

    def priced(self, asked: Row, row_of: Callable[[VenueMarket, Decimal, int], Row]) -> list[Row] | Row:
        wanted, last = asked.get("symbol"), self.venue.last
        found = [row_of(market, last[market.id], self.now()) for market in self.spot() if market.id in last]
        if wanted is None:
            return found
        return next((row for row in found if row["symbol"] == wanted), {})

    def day_tickers(self, asked: Row) -> list[Row] | Row:
        return self.priced(asked, rows.day_ticker_row)

    def book_tickers(self, asked: Row) -> list[Row] | Row:
        return self.priced(asked, rows.book_ticker_row)

    # What the account is

    def account(self, asked: Row) -> Row:
        amounts = {coin: self.venue.amounts(coin) for coin in self.venue.total}
        return {
            "canTrade": self.keys.may_trade,
            "canWithdraw": self.keys.may_withdraw,
            "canDeposit": True,
            "updateTime": None,
            "accountType": "SPOT",
            "balances": [
                {"asset": coin, "free": text(free), "locked": text(locked), "available": text(free)}
                for coin, (free, locked) in amounts.items()
            ],
            "permissions": ["SPOT"],
        }

    def new_listen_key(self, asked: Row) -> Row:
        name = f"pqia91ma19a5s61cv6a81va65sd099v8a65a1a5s61cv6a81va65{len(self.listen_keys):012}"
        self.listen_keys[name] = self.now() + 3_600_000
        return {"listenKey": name}

    def renew_listen_key(self, asked: Row) -> Row:
        name = str(asked.get("listenKey"))
        if self.listen_keys.get(name, 0) <= self.now():
            raise MexcError(730002, "Your input param is invalid")
        self.listen_keys[name] = self.now() + 3_600_000
        return {"listenKey": name}

    def end_listen_key(self, asked: Row) -> Row:
        self.listen_keys.pop(str(asked.get("listenKey")), None)
        return {"listenKey": asked.get("listenKey")}

    # Orders

    def place(self, asked: Row) -> VenueOrder:
        """Raises MexcError."""
        if not self.keys.may_trade:
            raise MexcError(700007, "No permission to access the endpoint.", status=403)
        client_id = str(asked.get("newClientOrderId") or "")
        if len(client_id) > LONGEST_CLIENT_ID:
            raise MexcError(700008, "Illegal characters found in parameter 'newClientOrderId'")
        if asked.get("type") not in ORDER_KINDS or asked.get("side") not in {"BUY", "SELL"}:
            raise MexcError(-1128, "Combination of optional parameters invalid.")
        kind, tif = ORDER_KINDS[asked["type"]]
        try:
            return self.venue.place(
                market_id=str(asked.get("symbol")),
                side=asked["side"].lower(),
                type=kind,  # type: ignore[arg-type]
                qty=number(asked, "quantity"),
                price=number(asked, "price"),
                quote_qty=number(asked, "quoteOrderQty"),
                tif=tif,  # type: ignore[arg-type]
                post_only=asked["type"] == "LIMIT_MAKER",
                client_id=client_id or None,
            )
        except VenueRefusal as refusal:
            raise self.refused(refusal, asked) from None

    def refused(self, refusal: VenueRefusal, asked: Row) -> MexcError:
        if refusal.kind == "insufficient" and asked.get("side") == "SELL":
            return MexcError(30005, "Oversold")
        return MexcError(*REFUSALS[refusal.kind])

    def create(self, asked: Row) -> Row:
        order = self.place(asked)
        return rows.accepted_row(order, self.venue.markets[order.market])

    def create_many(self, asked: Row) -> list[Row]:
        """One row an order, in order; only those that are refused, and those with a client id, name it."""
        wanted = json.loads(asked.get("batchOrders") or "[]")
        if not wanted or len(wanted) > MOST_IN_A_BATCH:
            raise MexcError(700004, f"batchOrders must have 1 to {MOST_IN_A_BATCH} orders")
        answers: list[Row] = []
        for each in wanted:
            named = {"newClientOrderId": each["newClientOrderId"]} if each.get("newClientOrderId") else {}
            try:
                answers.append({"symbol": each["symbol"], "orderId": self.place(each).id, "orderListId": -1} | named)
            except MexcError as error:
                answers.append(named | {"msg": error.message, "code": error.code})
        return answers

    def asked_order(self, asked: Row) -> VenueOrder:
        """Raises MexcError. Where both ids are given the exchange's counts."""
        if not asked.get("orderId") and not asked.get("origClientOrderId"):
            raise MexcError(700004, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        order = self.venue.find(order_id=asked.get("orderId"), client_id=asked.get("origClientOrderId"))
        if order is None or order.market != asked.get("symbol"):
            raise MexcError(*REFUSALS["unknown_order"])
        return order

    def cancel(self, asked: Row) -> Row:
        order = self.asked_order(asked)
        try:
            self.venue.cancel(market_id=order.market, order_id=order.id)
        except VenueRefusal as refusal:
            raise MexcError(*REFUSALS[refusal.kind]) from None
        return rows.cancelled_row(order, self.venue.markets[order.market])

    # What became of them

    def one(self, asked: Row) -> Row:
        try:
            order = self.asked_order(asked)
        except MexcError as error:
            raise MexcError(*NO_SUCH_ORDER) if error.code == -2011 else error from None
        return rows.order_row(order, self.venue.markets[order.market])

    def asked_market(self, asked: Row) -> VenueMarket:
        if not asked.get("symbol"):
            raise MexcError(700004, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        market = self.venue.markets.get(str(asked["symbol"]))
        if market is None:
            raise MexcError(*REFUSALS["unknown_symbol"])
        return market

    def open_orders(self, asked: Row) -> list[Row]:
        market = self.asked_market(asked)
        return [rows.order_row(order, market) for order in self.venue.open_orders(market.id)]

    def all_orders(self, asked: Row) -> list[Row]:
        """Newest first: open or not, of a day unless asked for more, at most of a week."""
        market = self.asked_market(asked)
        until = int(asked.get("endTime") or self.now())
        since = max(int(asked.get("startTime") or until - DAY_MS), self.now() - HISTORY_MS)
        found = [
            rows.order_row(order, market)
            for order in reversed(self.venue.orders_of(market.id))
            if since <= order.created_ms <= until
        ]
        return found[: int(asked.get("limit", 500))]

    def my_trades(self, asked: Row) -> list[Row]:
        """Newest first."""
        market = self.asked_market(asked)
        since = int(asked.get("startTime") or self.now() - 30 * DAY_MS)
        found = self.venue.trades_of(market.id, order_id=asked.get("orderId"), since_ms=since)
        return [rows.trade_row(trade, market) for trade in reversed(found)][: int(asked.get("limit", 100))]
