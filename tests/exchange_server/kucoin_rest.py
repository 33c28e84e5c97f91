"""KuCoin's spot REST, high-frequency and old accounts, as the real one speaks it: creates are only acknowledged."""

import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from tests.exchange_server import kucoin_rows as rows
from tests.exchange_server.front_end import Keys
from tests.exchange_server.kucoin_errors import (
    INCREMENT_INVALID,
    NO_SUCH_ORDER,
    REFUSALS,
    KucoinError,
    number,
    signature,
)
from tests.exchange_server.kucoin_rows import Row, text
from tests.exchange_server.values import VenueMarket, VenueOrder, VenueRefusal
from tests.exchange_server.venue import Venue

CLOCK_LEEWAY_MS = 5_000
DAY_MS = 86_400_000
KEPT_FILLED_MS, KEPT_CANCELLED_MS = 7 * DAY_MS, 3 * DAY_MS
"""How long the high-frequency account still tells of an order that has ended."""
LONGEST_CLIENT_ID = 40
MOST_IN_A_BATCH = 20

Handler = Callable[[Row], Any]


class KucoinRest:
    """The answers of one trader's account. Works on plain values: the wire is elsewhere."""

    def __init__(self, venue: Venue, *, keys: Keys, now: Callable[[], int], hf: bool = True) -> None:
        """`hf` is whether the account was moved to the high-frequency system, as accounts made since 2024 are."""
        self.venue, self.now, self.hf = venue, now, hf
        self.keys = keys
        self.tokens: dict[str, bool] = {}
        """Those that were given, and whether each opens private topics."""
        v1 = "/api/v1/"
        one, client = r"(?P<orderId>[^/]+)", r"(?P<clientOid>[^/]+)"
        table: list[tuple[str, str, str, bool, Handler]] = [
            ("GET", v1 + "timestamp", "time", False, lambda _: self.now()),
            ("GET", v1 + "status", "other", False, lambda _: {"status": "open", "msg": ""}),
            ("GET", "/api/v2/symbols", "rules", False, self.symbols),
            ("GET", "/api/v3/currencies", "rules", False, self.currencies),
            ("GET", v1 + "market/allTickers", "tickers", False, self.all_tickers),
            ("POST", v1 + "bullet-public", "other", False, lambda _: self.bullet(private=False)),
            ("POST", v1 + "bullet-private", "stream_key", True, lambda _: self.bullet(private=True)),
            ("GET", "/api/v3/margin/symbols", "rules", True, lambda _: {"timestamp": self.now(), "items": []}),
            ("GET", v1 + "isolated/symbols", "rules", True, lambda _: []),
            ("GET", v1 + "hf/accounts/opened", "setup", True, lambda _: self.hf),
            ("GET", "/api/ua/v1/account/mode", "setup", True, lambda _: {"selfAccountMode": "CLASSIC"}),
            ("GET", v1 + "user/api-key", "permissions", True, self.api_key),
            ("GET", v1 + "accounts", "balance", True, self.accounts),
            ("POST", v1 + "hf/orders", "place", True, self.create),
            ("POST", v1 + "hf/orders/sync", "place", True, self.create_sync),
            ("POST", v1 + "hf/orders/multi", "place_many", True, self.create_many),
            ("POST", v1 + "hf/orders/multi/sync", "place_many", True, self.create_many_sync),
            ("GET", v1 + "hf/orders/active", "open_orders", True, self.active),
            ("GET", v1 + "hf/orders/active/symbols", "open_orders", True, self.active_symbols),
            ("GET", v1 + "hf/orders/done", "orders", True, self.done),
            ("GET", v1 + "hf/orders/client-order/" + client, "query", True, self.one),
            ("DELETE", v1 + "hf/orders/client-order/" + client, "cancel", True, self.cancel_by_client_id),
            ("DELETE", v1 + "hf/orders/sync/client-order/" + client, "cancel", True, self.cancel_sync),
            ("DELETE", v1 + "hf/orders/sync/" + one, "cancel", True, self.cancel_sync),
            ("GET", v1 + "hf/orders/" + one, "query", True, self.one),
            ("DELETE", v1 + "hf/orders/" + one, "cancel", True, self.cancel_by_id),
            ("GET", v1 + "hf/fills", "trades", True, self.fills),
            ("POST", v1 + "orders", "place", True, lambda asked: {"orderId": self.place(asked).id}),
            ("POST", v1 + "orders/multi", "place_many", True, self.create_many_classic),
            ("GET", v1 + "orders", "open_orders", True, self.orders_classic),
            ("GET", v1 + "order/client-order/" + client, "query", True, self.one_classic),
            ("DELETE", v1 + "order/client-order/" + client, "cancel", True, self.cancel_classic),
            ("GET", v1 + "orders/" + one, "query", True, self.one_classic),
            ("DELETE", v1 + "orders/" + one, "cancel", True, self.cancel_classic),
            ("GET", v1 + "fills", "trades", True, self.fills),
        ]
        self.routes = [(method, re.compile(path), *rest) for method, path, *rest in table]

    # The way in

    def route(self, method: str, path: str) -> tuple[str, bool, Handler, Row] | None:
        """The route's kind, whether it is signed, who answers, and what the path itself says."""
        for known, pattern, kind, signed, handler in self.routes:
            found = pattern.fullmatch(path) if known == method else None
            if found:
                return kind, signed, handler, found.groupdict()
        return None

    def kind(self, method: str, path: str) -> str:
        found = self.route(method, path)
        return found[0] if found else "other"

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: str) -> tuple[int, Row]:
        """HTTP status and answer. `query` as it came on the wire, without its question mark."""
        try:
            found = self.route(method, path)
            if found is None:
                raise KucoinError("404000", "Url Not Found", status=404)
            _, signed, handler, named = found
            if signed:
                self.check_signature(headers, method + path + ("?" + query if query else "") + body)
            asked: Row = dict(parse_qsl(query, keep_blank_values=True)) | named
            if body:
                asked |= json.loads(body)
            return 200, {"code": "200000", "data": handler(asked)}
        except KucoinError as error:
            return error.status, {"code": error.code, "msg": error.message}

    def check_signature(self, headers: Mapping[str, str], words: str) -> None:
        """Raises KucoinError, in the order in which the real one looks."""
        stamp = headers.get("KC-API-TIMESTAMP", "")
        if not all(headers.get(f"KC-API-{name}") for name in ("KEY", "SIGN", "TIMESTAMP", "PASSPHRASE")):
            raise KucoinError("400001", "Please check the header of your request for KC-API-KEY, KC-API-SIGN, …")
        if not stamp.isdigit() or abs(self.now() - int(stamp)) > CLOCK_LEEWAY_MS:
            raise KucoinError("400002", "KC-API-TIMESTAMP Invalid", status=400)
        if headers["KC-API-KEY"] != self.keys.api_key or self.keys.revoked:
            raise KucoinError("400003", "KC-API-KEY not exists", status=401)
        if not hmac.compare_digest(signature(self.keys.secret, self.keys.passphrase), headers["KC-API-PASSPHRASE"]):
            raise KucoinError("400004", "KC-API-PASSPHRASE error", status=401)
        if not hmac.compare_digest(signature(self.keys.secret, stamp + words), headers["KC-API-SIGN"]):
            raise KucoinError("400005", "Invalid KC-API-SIGN", status=401)

    # What anybody may ask

    def spot(self) -> list[VenueMarket]:
        return [market for market in self.venue.markets.values() if market.type == "spot"]

    def symbols(self, asked: Row) -> list[Row]:
        return [rows.symbol_row(market) for market in self.spot()]

    def currencies(self, asked: Row) -> list[Row]:
        coins = dict.fromkeys(coin for market in self.spot() for coin in (market.base, market.quote))
        return [rows.currency_row(coin) for coin in coins]

    def all_tickers(self, asked: Row) -> Row:
        last, maker, taker = self.venue.last, self.venue.maker, self.venue.taker
        listed = [rows.ticker_row(market, last[market.id], maker, taker) for market in self.spot() if market.id in last]
        return {"time": self.now(), "ticker": listed}

    def bullet(self, *, private: bool) -> Row:
        token = f"2neAiuYvAU61ZDXANAGAsiL4-{len(self.tokens)}"
        self.tokens[token] = private
        server = {
            "endpoint": "wss://ws-api-spot.kucoin.com/",
            "encrypt": True,
            "protocol": "websocket",
            "pingInterval": 18_000,
            "pingTimeout": 10_000,
        }
        return {"token": token, "instanceServers": [server]}

    # What the account is

    def api_key(self, asked: Row) -> Row:
        known = {"uid": 165111215, "remark": "local", "apiKey": self.keys.api_key, "apiVersion": 3, "isMaster": True}
        may = ["General", *["Spot"] * self.keys.may_trade, *["Withdrawal"] * self.keys.may_withdraw]
        return known | {"permission": ",".join(may), "createdAt": 1_729_821_494_000}

    def accounts(self, asked: Row) -> list[Row]:
        name = "trade_hf" if self.hf else "trade"
        found = []
        for coin in self.venue.total:
            free, locked = self.venue.amounts(coin)
            amounts = {"balance": text(free + locked), "available": text(free), "holds": text(locked)}
            found.append({"id": f"548674591{len(found):03}", "currency": coin, "type": name} | amounts)
        wanted = asked.get("currency")
        return [row for row in found if asked.get("type") in {None, name} and wanted in {None, row["currency"]}]

    # Orders

    def place(self, asked: Row) -> VenueOrder:
        """Raises KucoinError."""
        if not self.keys.may_trade:
            raise KucoinError("400007", "Access denied, require more permission.", status=403)
        client_id = str(asked.get("clientOid") or "")
        if len(client_id) > LONGEST_CLIENT_ID:
            raise KucoinError("400100", "clientOid is too long")
        tif = str(asked.get("timeInForce", "GTC")).upper()
        if tif not in {"GTC", "IOC", "FOK"} or asked.get("side") not in {"buy", "sell"}:
            raise KucoinError("400100", "Parameter error")
        try:
            return self.venue.place(
                market_id=str(asked.get("symbol")),
                side=asked["side"],
                type="market" if asked.get("type") == "market" else "limit",
                qty=number(asked, "size"),
                price=number(asked, "price"),
                quote_qty=number(asked, "funds"),
                tif=tif,  # type: ignore[arg-type]
                post_only=asked.get("postOnly") is True and tif == "GTC",
                client_id=client_id or None,
            )
        except VenueRefusal as refusal:
            raise self.refused(refusal, asked) from None

    def refused(self, refusal: VenueRefusal, asked: Row) -> KucoinError:
        market, size = self.venue.markets.get(str(asked.get("symbol"))), number(asked, "size")
        if refusal.kind == "lot_size" and market and size and size >= market.min_qty:
            return KucoinError(*INCREMENT_INVALID)
        return KucoinError(*REFUSALS[refusal.kind])

    def create(self, asked: Row) -> Row:
        order = self.place(asked)
        return {"orderId": order.id, "clientOid": order.client_id or ""}

    def create_sync(self, asked: Row) -> Row:
        return rows.sync_row(self.place(asked), self.now())

    def batch(self, asked: Row, row_of: Callable[[VenueOrder], Row]) -> list[Row]:
        """One row an order, in order; those that are refused say why and, but for the classic ones, no client id."""
        wanted = asked.get("orderList") or []
        if not wanted or len(wanted) > MOST_IN_A_BATCH:
            raise KucoinError("400100", f"the orderList must have 1 to {MOST_IN_A_BATCH} orders")
        answers: list[Row] = []
        for each in wanted:
            try:
                answers.append(row_of(self.place(each)))
            except KucoinError as error:
                answers.append({"success": False, "failMsg": error.message})
        return answers

    def create_many(self, asked: Row) -> list[Row]:
        return self.batch(
            asked, lambda order: {"orderId": order.id, "clientOid": order.client_id or "", "success": True}
        )

    def create_many_sync(self, asked: Row) -> list[Row]:
        return self.batch(asked, lambda order: rows.sync_row(order, self.now()) | {"success": True})

    def create_many_classic(self, asked: Row) -> Row:
        if len(asked.get("orderList") or []) > 5:
            raise KucoinError("400100", "the orderList must have 1 to 5 orders")
        answers = self.batch(asked, lambda order: {"id": order.id, "status": "success", "failMsg": None})
        named = ("symbol", "type", "side", "price", "size", "clientOid")
        told = []
        for row, each in zip(answers, asked["orderList"], strict=True):
            failed = {"id": None, "status": "fail", "failMsg": row["failMsg"]} if "success" in row else row
            told.append({name: each.get(name) for name in named} | failed)
        return {"data": told}

    def cancel(self, asked: Row) -> VenueOrder:
        """By id or client id; the high-frequency account wants the symbol too. Raises KucoinError."""
        order = self.venue.find(order_id=asked.get("orderId"), client_id=asked.get("clientOid"))
        if order is None or asked.get("symbol", order.market) != order.market:
            raise KucoinError(*REFUSALS["unknown_order"])
        try:
            return self.venue.cancel(market_id=order.market, order_id=order.id)
        except VenueRefusal as refusal:
            raise KucoinError(*REFUSALS[refusal.kind]) from None

    def cancel_by_id(self, asked: Row) -> Row:
        return {"orderId": self.cancel(asked).id}

    def cancel_by_client_id(self, asked: Row) -> Row:
        return {"clientOid": self.cancel(asked).client_id}

    def cancel_sync(self, asked: Row) -> Row:
        row = rows.sync_row(self.cancel(asked), self.now())
        return {name: row[name] for name in row if name not in {"orderTime", "matchTime"}}

    def cancel_classic(self, asked: Row) -> Row:
        order = self.cancel(asked)
        if "clientOid" in asked:
            return {"cancelledOrderId": order.id, "clientOid": order.client_id, "cancelledOcoOrderIds": None}
        return {"cancelledOrderIds": [order.id]}

    # What became of them

    def kept(self, order: VenueOrder) -> bool:
        """Whether the exchange still tells of it."""
        limit = KEPT_FILLED_MS if order.filled else KEPT_CANCELLED_MS
        return order.is_open or self.now() - order.updated_ms <= limit

    def orders(self, asked: Row, *, open_ones: bool) -> list[Row]:
        """Newest first."""
        market = self.venue.markets.get(str(asked.get("symbol")))
        if market is None:
            raise KucoinError(*REFUSALS["unknown_symbol"])
        since = int(asked.get("startAt", 0))
        found = [
            rows.order_row(order, market, hf=self.hf)
            for order in reversed(self.venue.orders_of(market.id))
            if order.is_open == open_ones and order.created_ms >= since and self.kept(order)
        ]
        return found if open_ones else found[: int(asked.get("limit") or asked.get("pageSize") or 20)]

    def active(self, asked: Row) -> list[Row]:
        return self.orders(asked, open_ones=True)

    def active_symbols(self, asked: Row) -> Row:
        """The pairs that have open orders: the only question about all of them."""
        return {"symbols": sorted({order.market for order in self.venue.open_orders()})}

    def done(self, asked: Row) -> Row:
        return {"lastId": 0, "items": self.orders(asked, open_ones=False)}

    def orders_classic(self, asked: Row) -> Row:
        found = self.orders(asked, open_ones=asked.get("status", "done") == "active")
        return {"currentPage": 1, "pageSize": 50, "totalNum": len(found), "totalPage": 1, "items": found}

    def one(self, asked: Row) -> Row:
        order = self.venue.find(order_id=asked.get("orderId"), client_id=asked.get("clientOid"))
        if order is None or not self.kept(order) or asked.get("symbol") != order.market:
            raise KucoinError(*NO_SUCH_ORDER)
        return rows.order_row(order, self.venue.markets[order.market], hf=self.hf)

    def one_classic(self, asked: Row) -> Row:
        """By client id only while it is open: the old account forgets it then."""
        order = self.venue.find(order_id=asked.get("orderId"), client_id=asked.get("clientOid"))
        if order is None or ("clientOid" in asked and not order.is_open):
            raise KucoinError(*NO_SUCH_ORDER)
        return rows.order_row(order, self.venue.markets[order.market], hf=False)

    def fills(self, asked: Row) -> Row:
        """Newest first, of at most a week."""
        market = self.venue.markets.get(str(asked.get("symbol")))
        since = int(asked.get("startAt") or self.now() - 7 * DAY_MS)
        found = self.venue.trades_of(market.id if market else None, order_id=asked.get("orderId"), since_ms=since)
        limit = int(asked.get("limit") or (20 if self.hf else 50))
        items = [rows.fill_row(trade, self.venue.markets[trade.order.market]) for trade in reversed(found)][:limit]
        if self.hf:
            return {"items": items, "lastId": items[-1]["id"] if items else 0}
        return {"currentPage": 1, "pageSize": limit, "totalNum": len(items), "totalPage": 1, "items": items}
