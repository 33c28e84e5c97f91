"""Gate's APIv4 spot REST as the real one speaks it: every order comes back whole, errors are labels."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from tests.exchange_server import gate_rows as rows
from tests.exchange_server.front_end import Keys
from tests.exchange_server.gate_rows import Row, text
from tests.exchange_server.values import RefusalKind, VenueMarket, VenueOrder, VenueRefusal
from tests.exchange_server.venue import Venue

CLOCK_LEEWAY_S = 60
WEEK_MS = 7 * 86_400_000
TEXT_KEPT_MS = 3_600_000
"""How long after its end an order is still found by its `text`; later only by its id."""
TEXT = re.compile(r"t-[0-9A-Za-z_.-]{1,28}")
MOST_IN_A_BATCH, MOST_OF_A_PAIR = 40, 10

REFUSALS: dict[RefusalKind, tuple[str, str]] = {
    "insufficient": ("BALANCE_NOT_ENOUGH", "Not enough balance"),
    "price_filter": ("INVALID_PRECISION", "Invalid price precision"),
    "lot_size": ("INVALID_PRECISION", "Invalid amount precision"),
    "min_notional": ("INVALID_PARAM_VALUE", "Your order size is too small. The minimum is {minimum} {quote}"),
    "max_qty": ("AMOUNT_TOO_MUCH", "Amount is too much"),
    "duplicate": ("REPEATED_CREATION", "Repeated creation"),
    "would_match": ("POC_FILL_IMMEDIATELY", "Order would match and take immediately so its cancelled"),
    "unknown_symbol": ("INVALID_CURRENCY_PAIR", "Invalid currency pair"),
    "halted": ("TRADE_RESTRICTED", "Trade of this currency pair is restricted"),
    "unknown_order": ("ORDER_NOT_FOUND", "Order not found"),
    "reduce_only": ("INVALID_PARAM_VALUE", "invalid argument: reduce_only"),
    "bad_request": ("INVALID_PARAM_VALUE", "invalid argument"),
}
STATUS = {
    "INVALID_KEY": 401,
    "INVALID_SIGNATURE": 401,
    "MISSING_REQUIRED_HEADER": 401,
    "REQUEST_EXPIRED": 403,
    "READ_ONLY": 403,
    "FORBIDDEN": 403,
    "ORDER_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "TOO_MANY_REQUESTS": 429,
    "INTERNAL": 500,
    "SERVER_ERROR": 500,
}
TIFS = {"gtc": "GTC", "ioc": "IOC", "fok": "FOK", "poc": "GTC"}

Handler = Callable[[Row], Any]


class GateError(Exception):
    """An answer with a label."""

    def __init__(self, label: str, message: str) -> None:
        super().__init__(f"{label} {message}")
        self.label, self.message = label, message


def number(asked: Row, name: str) -> Decimal | None:
    """Raises GateError where it is there and is no number."""
    raw = asked.get(name)
    if raw is None or raw == "":
        return None
    try:
        return Decimal(str(raw))
    except InvalidOperation:
        raise GateError("INVALID_PARAM_VALUE", f"invalid argument: {name}") from None


class GateRest:
    """The answers of one trader's account. Works on plain values: the wire is elsewhere."""

    def __init__(self, venue: Venue, *, keys: Keys, now: Callable[[], int]) -> None:
        self.venue, self.now = venue, now
        self.keys = keys
        spot, one = "/api/v4/spot/", r"(?P<order_id>[^/]+)"
        table: list[tuple[str, str, str, bool, Handler]] = [
            ("GET", spot + "time", "time", False, lambda _: {"server_time": self.now()}),
            ("GET", spot + "currency_pairs", "rules", False, self.pairs),
            ("GET", "/api/v4/margin/currency_pairs", "rules", False, lambda _: []),
            ("GET", spot + "currencies", "rules", False, self.currencies),
            ("GET", spot + "tickers", "tickers", False, self.tickers),
            ("GET", "/api/v4/account/detail", "setup", True, self.detail),
            ("GET", "/api/v4/account/main_keys", "permissions", True, self.main_keys),
            ("GET", spot + "accounts", "balance", True, self.accounts),
            ("POST", spot + "orders", "place", True, self.create),
            ("POST", spot + "batch_orders", "place_many", True, self.create_many),
            ("GET", spot + "open_orders", "open_orders", True, self.open_orders),
            ("GET", spot + "orders", "orders", True, self.orders),
            ("GET", spot + "orders/" + one, "query", True, self.one),
            ("DELETE", spot + "orders/" + one, "cancel", True, self.cancel),
            ("GET", spot + "my_trades", "trades", True, self.my_trades),
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

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: str) -> tuple[int, Any]:
        """HTTP status and answer. `query` as it came on the wire, without its question mark."""
        try:
            found = self.route(method, path)
            if found is None:
                raise GateError("NOT_FOUND", "Not found")
            kind, signed, handler, named = found
            if signed:
                self.check_signature(method, path, query, headers, body)
            asked: Row = dict(parse_qsl(query, keep_blank_values=True)) | named
            if body:
                sent = json.loads(body)
                asked |= sent if isinstance(sent, dict) else {"orders": sent}
            return 201 if kind == "place" else 200, handler(asked)
        except GateError as error:
            return STATUS.get(error.label, 400), {"label": error.label, "message": error.message}

    def check_signature(self, method: str, path: str, query: str, headers: Mapping[str, str], body: str) -> None:
        """Raises GateError. The clock is looked at in whole seconds; X-Gate-Exptime in milliseconds."""
        stamp = headers.get("Timestamp", "")
        if not headers.get("KEY") or not headers.get("SIGN") or not stamp:
            raise GateError("MISSING_REQUIRED_HEADER", "Missing required header")
        if headers["KEY"] != self.keys.api_key or self.keys.revoked:
            raise GateError("INVALID_KEY", "Invalid key provided")
        if not stamp.isdigit() or abs(self.now() // 1000 - int(stamp)) > CLOCK_LEEWAY_S:
            raise GateError("REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60")
        expiry = headers.get("X-Gate-Exptime")
        if expiry and self.now() > int(expiry):
            raise GateError("REQUEST_EXPIRED", "request expired by X-Gate-Exptime")
        digest = hashlib.sha512(body.encode()).hexdigest()
        words = "\n".join((method, path, unquote_plus(query), digest, stamp))
        wanted = hmac.new(self.keys.secret.encode(), words.encode(), hashlib.sha512).hexdigest()
        if not hmac.compare_digest(wanted, headers["SIGN"]):
            raise GateError("INVALID_SIGNATURE", "Signature mismatch")

    # What anybody may ask

    def spot(self) -> list[VenueMarket]:
        return [market for market in self.venue.markets.values() if market.type == "spot"]

    def pairs(self, asked: Row) -> list[Row]:
        return [rows.pair_row(market, self.venue.taker) for market in self.spot()]

    def currencies(self, asked: Row) -> list[Row]:
        coins = dict.fromkeys(coin for market in self.spot() for coin in (market.base, market.quote))
        return [{"currency": coin, "name": coin, "trade_disabled": False, "chains": []} for coin in coins]

    def tickers(self, asked: Row) -> list[Row]:
        wanted, last = asked.get("currency_pair"), self.venue.last
        known = [market for market in self.spot() if market.id in last and wanted in {None, market.id}]
        return [rows.ticker_row(market, last[market.id]) for market in known]

    # What the account is

    def detail(self, asked: Row) -> Row:
        known = {"user_id": rows.USER, "ip_whitelist": [], "currency_pairs": [], "key": {"mode": 1}}
        return known | {"tier": 0, "tier_expire_time": "0001-01-01T00:00:00Z", "copy_trading_role": 0}

    def main_keys(self, asked: Row) -> list[Row]:
        """Since 2025: what each key of the account may do; `mode` 1 is classic, `state` 1 normal."""
        may = [{"name": "wallet", "read_only": True}, {"name": "spot", "read_only": not self.keys.may_trade}]
        may += [{"name": "withdraw", "read_only": False}] * self.keys.may_withdraw
        known = {"user_id": str(rows.USER), "name": "local", "key": self.keys.api_key, "state": 1, "mode": 1}
        return [known | {"perms": may, "ip_whitelist": [], "currency_pairs": []}]

    def accounts(self, asked: Row) -> list[Row]:
        amounts = {coin: self.venue.amounts(coin) for coin in self.venue.total}
        return [
            {"currency": coin, "available": text(free), "locked": text(locked), "update_id": 1, "refresh_time": 0}
            for coin, (free, locked) in amounts.items()
            if asked.get("currency") in {None, coin}
        ]

    # Orders

    def place(self, asked: Row) -> VenueOrder:
        """Raises GateError."""
        if not self.keys.may_trade:
            raise GateError("READ_ONLY", "API key is read-only")
        name = asked.get("text")
        if name is not None and not TEXT.fullmatch(str(name)):
            raise GateError("INVALID_PARAM_VALUE", "invalid argument: text")
        kind, side, tif = asked.get("type", "limit"), asked.get("side"), asked.get("time_in_force", "gtc")
        if kind not in {"limit", "market"} or side not in {"buy", "sell"} or tif not in TIFS:
            raise GateError("INVALID_PARAM_VALUE", "invalid argument")
        if kind == "market" and tif not in {"ioc", "fok"}:
            raise GateError("INVALID_PARAM_VALUE", "invalid argument: time_in_force")
        amount, in_quote = number(asked, "amount"), kind == "market" and side == "buy"
        try:
            return self.venue.place(
                market_id=str(asked.get("currency_pair")),
                side=side,  # type: ignore[arg-type]
                type=kind,
                qty=None if in_quote else amount,
                quote_qty=amount if in_quote else None,
                price=number(asked, "price"),
                tif=TIFS[tif],  # type: ignore[arg-type]
                post_only=tif == "poc",
                client_id=name,
            )
        except VenueRefusal as refusal:
            raise self.refused(refusal, asked) from None

    def refused(self, refusal: VenueRefusal, asked: Row) -> GateError:
        market, amount = self.venue.markets.get(str(asked.get("currency_pair"))), number(asked, "amount")
        label, message = REFUSALS[refusal.kind]
        if market is None:
            return GateError(label, message)
        if refusal.kind == "lot_size" and amount is not None and amount < market.min_qty:
            return GateError("AMOUNT_TOO_LITTLE", "Amount is too little")
        return GateError(label, message.format(minimum=text(market.min_notional), quote=market.quote))

    def create(self, asked: Row) -> Row:
        order = self.place(asked)
        return rows.order_row(order, self.venue.markets[order.market])

    def create_many(self, asked: Row) -> list[Row]:
        """One row an order, in order; each must have a text, and those that are refused say why."""
        wanted = asked.get("orders") or []
        pairs = [each.get("currency_pair") for each in wanted]
        if not wanted or len(wanted) > MOST_IN_A_BATCH or any(pairs.count(pair) > MOST_OF_A_PAIR for pair in pairs):
            raise GateError("TOO_MANY_ORDERS", "Too many orders")
        if any(not each.get("text") for each in wanted):
            raise GateError("MISSING_REQUIRED_PARAM", "Missing required parameter: text")
        answers: list[Row] = []
        for each in wanted:
            known = {"order_id": "", "text": each["text"], "amend_text": "-"}
            try:
                answers.append(known | self.create(each) | {"succeeded": True, "label": "", "message": ""})
            except GateError as error:
                answers.append(known | {"succeeded": False, "label": error.label, "message": error.message})
        return answers

    def asked_order(self, asked: Row) -> VenueOrder:
        """By id, or by `text` while it is open and for an hour after. Raises GateError."""
        name = str(asked["order_id"])
        by_text = not name.isdigit()
        order = self.venue.find(client_id=name) if by_text else self.venue.find(order_id=name)
        if order is None or asked.get("currency_pair", order.market) != order.market:
            raise GateError(*REFUSALS["unknown_order"])
        if by_text and not order.is_open and self.now() - order.updated_ms > TEXT_KEPT_MS:
            raise GateError(*REFUSALS["unknown_order"])
        return order

    def cancel(self, asked: Row) -> Row:
        order = self.asked_order(asked)
        try:
            self.venue.cancel(market_id=order.market, order_id=order.id)
        except VenueRefusal:
            if order.status == "filled":
                raise GateError("ORDER_CLOSED", "Order already closed") from None
            raise GateError("ORDER_CANCELLED", "Order already cancelled") from None
        return rows.order_row(order, self.venue.markets[order.market])

    # What became of them

    def one(self, asked: Row) -> Row:
        order = self.asked_order(asked)
        return rows.order_row(order, self.venue.markets[order.market])

    def open_orders(self, asked: Row) -> list[Row]:
        """Of all pairs, one entry a pair."""
        found = []
        for market in self.spot():
            orders = [rows.order_row(order, market) for order in self.venue.open_orders(market.id)]
            if orders:
                found.append({"currency_pair": market.id, "total": len(orders), "orders": orders})
        return found

    def orders(self, asked: Row) -> list[Row]:
        """Of one pair, newest first; those that have ended: of a week unless asked for more."""
        market = self.venue.markets.get(str(asked.get("currency_pair")))
        if market is None:
            raise GateError(*REFUSALS["unknown_symbol"])
        if asked.get("status") not in {"open", "finished"}:
            raise GateError("INVALID_PARAM_VALUE", "invalid argument: status")
        finished = asked["status"] == "finished"
        since, until = self.span(asked)
        found = [
            rows.order_row(order, market)
            for order in reversed(self.venue.orders_of(market.id))
            if order.is_open != finished and (not finished or since <= order.updated_ms <= until)
        ]
        return found[: int(asked.get("limit", 100))]

    def span(self, asked: Row) -> tuple[int, int]:
        until = int(asked["to"]) * 1000 + 999 if asked.get("to") else self.now()
        return (int(asked["from"]) * 1000 if asked.get("from") else until - WEEK_MS), until

    def my_trades(self, asked: Row) -> list[Row]:
        """Newest first, of a week unless asked for more."""
        since, until = self.span(asked)
        found = self.venue.trades_of(asked.get("currency_pair"), order_id=asked.get("order_id"), since_ms=since)
        listed = [rows.trade_row(trade, self.venue.markets[trade.order.market]) for trade in reversed(found)]
        return [row for row in listed if int(row["create_time"]) * 1000 <= until][: int(asked.get("limit", 100))]
