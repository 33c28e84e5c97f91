"""Bybit's v5 as ccxt 4.5 speaks it: signed REST, a private stream, and a public stream for each category."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from tests.exchange_server import bybit_rows as rows
from tests.exchange_server.bybit_account import BybitError
from tests.exchange_server.bybit_orders import BybitOrders
from tests.exchange_server.bybit_rows import Row
from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Answer, Ask, FrontEnd, Keys, answer_json
from tests.exchange_server.streams import Stream
from tests.exchange_server.values import VenueEvent, VenueMarket
from tests.exchange_server.venue import Venue

PRIVATE = "/v5/private"
PUBLIC = "/v5/public/"
PRIVATE_TOPICS = ("order", "execution", "wallet", "position")
TOO_OFTEN = "<html><body><h1>403 Forbidden</h1>access too frequent</body></html>"


class Bybit(FrontEnd):
    """Spot pairs and linear perpetuals of one unified account."""

    hosts: ClassVar[frozenset[str]] = frozenset(
        {"api.bybit.com", "api-testnet.bybit.com", "stream.bybit.com", "stream-testnet.bybit.com"}
    )

    def __init__(self, venue: Venue, faults: Faults, keys: Keys) -> None:
        super().__init__(venue, faults, keys)
        self.account = BybitOrders(venue, keys, self.now_ms)
        account = self.account
        self._routes: dict[tuple[str, str], tuple[str, bool, Callable[[Row], Row]]] = {
            ("GET", "/v5/market/time"): ("time", False, account.time),
            ("GET", "/v5/market/instruments-info"): ("rules", False, account.instruments),
            ("GET", "/v5/market/tickers"): ("tickers", False, account.tickers),
            ("GET", "/v5/user/query-api"): ("permissions", True, account.query_api),
            ("GET", "/v5/account/info"): ("permissions", True, account.account_info),
            ("GET", "/v5/account/fee-rate"): ("rules", True, account.fee_rate),
            ("GET", "/v5/asset/coin/query-info"): ("rules", True, account.coins),
            ("GET", "/v5/account/wallet-balance"): ("balance", True, account.wallet),
            ("GET", "/v5/position/list"): ("positions", True, account.position_list),
            ("POST", "/v5/position/set-leverage"): ("setup", True, account.set_leverage),
            ("POST", "/v5/position/switch-mode"): ("setup", True, account.switch_mode),
            ("POST", "/v5/account/set-margin-mode"): ("setup", True, account.set_margin_mode),
            ("POST", "/v5/order/create"): ("place", True, account.create),
            ("POST", "/v5/order/create-batch"): ("place_many", True, account.create_batch),
            ("POST", "/v5/order/cancel"): ("cancel", True, account.cancel),
            ("GET", "/v5/order/realtime"): ("open_orders", True, account.realtime),
            ("GET", "/v5/order/history"): ("orders", True, account.history),
            ("GET", "/v5/execution/list"): ("trades", True, account.executions),
        }

    # REST

    def kind_of(self, ask: Ask) -> str:
        """A list of orders that is asked by an id is a query for one order."""
        kind = self._routes.get((ask.method, ask.path), ("other",))[0]
        by_id = ask.params.get("orderLinkId") or ask.params.get("orderId")
        return "query" if kind in {"open_orders", "orders"} and by_id else kind

    async def answer(self, ask: Ask) -> Answer:
        route = self._routes.get((ask.method, ask.path))
        try:
            if route is None:
                raise BybitError(10017, "Route not found.", status=404)
            _, signed, do = route
            if signed:
                self._check_signature(ask)
            return self._enveloped(do(_asked(ask)))
        except BybitError as error:
            return self._enveloped({}, code=error.code, message=error.message, status=error.status)

    def _enveloped(self, result: Row, *, code: int = 0, message: str = "OK", status: int = 200) -> Answer:
        now = self.now_ms()
        limits = {
            "X-Bapi-Limit": "20",
            "X-Bapi-Limit-Status": "0" if code == 10006 else "19",
            "X-Bapi-Limit-Reset-Timestamp": str(now + 1000 if code == 10006 else now),
        }
        extra = result.pop("retExtInfo", {})
        body = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": extra, "time": now}
        return answer_json(body, status, limits)

    def _check_signature(self, ask: Ask) -> None:
        """Raises BybitError. What is signed is the raw query of a GET, the raw body of a POST."""
        key, stamp = ask.headers.get("X-BAPI-API-KEY"), ask.headers.get("X-BAPI-TIMESTAMP", "")
        window = ask.headers.get("X-BAPI-RECV-WINDOW", "5000")
        if not key:
            raise BybitError(10001, "empty value: apiKey", status=401)
        if key != self.keys.api_key or self.keys.revoked:
            raise BybitError(10003, "API key is invalid.")
        here = self.now_ms()
        if not (stamp.isdigit() and here - int(window) <= int(stamp) < here + 1000):
            raise BybitError(
                10002,
                "invalid request, please check your server timestamp or recv_window param. "
                f"req_timestamp[{stamp}],server_timestamp[{here}],recv_window[{window}]",
            )
        origin = f"{stamp}{key}{window}{ask.query if ask.method == 'GET' else ask.body}"
        if not hmac.compare_digest(signature(self.keys.secret, origin), ask.headers.get("X-BAPI-SIGN", "")):
            raise BybitError(10004, f"error sign! origin_string[{origin}]")

    def refusal(self, ask: Ask, code: str, message: str, status: int | None) -> Answer:
        if ask.method == "WS":
            return answer_json({"success": False, "ret_msg": message, "op": ask.params["op"], "conn_id": "local"})
        return self._enveloped({}, code=int(code), message=message, status=status or 200)

    def banned(self, ask: Ask, retry_after_s: int) -> Answer:
        """It does not say until when: ten minutes, by its documentation."""
        return Answer(status=403, body=TOO_OFTEN, content_type="text/html")

    def nothing(self, ask: Ask) -> Answer:
        if ask.kind == "cancel":
            spot = ask.params.get("category") == "spot"
            return self._enveloped({}, code=170213 if spot else 110001, message="Order does not exist.")
        return self._enveloped({"category": ask.params.get("category"), "list": [], "nextPageCursor": ""})

    # Streams

    async def stream(self, ask: Ask, stream: Stream) -> None:
        async for text in stream:
            message = json.loads(text)
            match message.get("op"):
                case "auth":
                    await self.on_stream(stream, "stream_login", ask, message, partial(self._login, stream, message))
                case "subscribe":
                    self._subscribe(stream, ask.path, message)
                case "unsubscribe":
                    for topic in message.get("args", []):
                        stream.topics.pop(topic, None)
                    stream.reply(_done(message))
                case "ping":
                    stream.reply(_pong(message, self.now_ms(), private=ask.path == PRIVATE))
                case _:
                    stream.reply(_failed(message, "error:invalid op"))

    async def _login(self, stream: Stream, message: Row) -> Answer:
        key, expires, signed = (str(each) for each in message["args"])
        if key != self.keys.api_key or self.keys.revoked:
            return answer_json(_failed(message, "API key is invalid."))
        if int(expires) < self.now_ms():
            return answer_json(_failed(message, "Params Error: expires"))
        if not hmac.compare_digest(signature(self.keys.secret, f"GET/realtime{expires}"), signed):
            return answer_json(_failed(message, "error:USVC1111"))
        stream.private = True
        return answer_json({"success": True, "ret_msg": "", "op": "auth", "conn_id": "local"})

    def _subscribe(self, stream: Stream, path: str, message: Row) -> None:
        topics: list[str] = message.get("args", [])
        if path == PRIVATE:
            if not stream.private:
                stream.reply(_failed(message, "Request not authorized"))
                return
            wrong = [topic for topic in topics if topic.split(".")[0] not in PRIVATE_TOPICS]
        else:
            category = path.removeprefix(PUBLIC)
            wrong = [topic for topic in topics if self._market_of(category, topic) is None]
        if wrong:
            stream.reply(_failed(message, f"error:handler not found,topic:{wrong[0]}"))
            return
        stream.reply(_done(message))
        for topic in topics:
            stream.topics[topic] = path.removeprefix(PUBLIC)
            if path != PRIVATE:
                self._quote(stream, topic, first=True)

    def _market_of(self, category: str, topic: str) -> VenueMarket | None:
        symbol = topic.rpartition(".")[2]
        return next((each for each in self.account.of(category) if rows.symbol_of(each) == symbol), None)

    def on_event(self, event: VenueEvent) -> None:
        if event.order is not None and not event.order.is_open:
            self.account.ended(event.order)
        streams = [stream for stream in self.faults.streams if stream.private]
        if not streams:
            return
        told: dict[str, Row] = {}
        if event.order is not None:
            market = self.venue.markets[event.order.market]
            category = rows.category_of(market)
            told["order"] = rows.order_row(event.order, market) | {"category": category}
            if event.trade is not None:
                told["execution"] = rows.pushed_execution(event.trade, market)
                if market.type == "swap":
                    told["position"] = self.account.position_row(market) | {"category": category}
        for topic, row in told.items():
            self._push(streams, topic, row, str(row["category"]))
        if event.balances:
            self._push(streams, "wallet", self.account.unified(list(event.balances)), "")

    def _push(self, streams: list[Stream], topic: str, row: Row, category: str) -> None:
        """To those who subscribed to the whole topic, or to it for the one category."""
        for stream in streams:
            for name in {topic, f"{topic}.{category}"} & stream.topics.keys():
                stream.push(
                    {"id": f"local-{self.now_ms()}", "topic": name, "creationTime": self.now_ms(), "data": [row]}
                )

    def on_price(self, market_id: str) -> None:
        market = self.venue.markets[market_id]
        for stream in self.faults.streams:
            for topic, category in list(stream.topics.items()):
                if self._market_of(category, topic) is market:
                    self._quote(stream, topic, first=False)

    def _quote(self, stream: Stream, topic: str, *, first: bool) -> None:
        """What a public topic says now. A pair's ticker comes whole each time, a perpetual's as what has changed."""
        market = self._market_of(stream.topics[topic], topic)
        last = self.venue.last.get(market.id) if market is not None else None
        if market is None or last is None:
            return
        now, name = self.now_ms(), topic.partition(".")[0]
        told: Row = {"topic": topic, "type": "snapshot", "ts": now, "cs": now}
        if name == "tickers":
            row = rows.ticker_row(market, last, stream=True)
            if market.type == "swap" and not first:
                told["type"] = "delta"
                row = {each: row[each] for each in ("symbol", "lastPrice", "markPrice", "bid1Price", "ask1Price")}
            stream.push(told | {"data": row})
        elif name == "orderbook":
            bid, ask = rows.best(market, last)
            book = {
                "s": rows.symbol_of(market),
                "b": [[str(bid), "100"]],
                "a": [[str(ask), "100"]],
                "u": now,
                "seq": now,
            }
            stream.push(told | {"data": book})
        elif name == "publicTrade" and not first:
            stream.push(told | {"data": [rows.public_trade(market, last, now)]})


def signature(secret: str, origin: str) -> str:
    return hmac.new(secret.encode(), origin.encode(), hashlib.sha256).hexdigest()


def _asked(ask: Ask) -> Row:
    """Raises BybitError where the body is no JSON object."""
    if ask.method == "GET":
        return dict(parse_qsl(ask.query, keep_blank_values=True))
    try:
        asked = json.loads(ask.body or "{}")
    except ValueError:
        raise BybitError(10001, "params error: the body is not JSON") from None
    if not isinstance(asked, dict):
        raise BybitError(10001, "params error")
    return asked


def _done(message: Mapping[str, Any]) -> Row:
    request = str(message.get("req_id", ""))
    return {"success": True, "ret_msg": "", "conn_id": "local", "req_id": request, "op": message["op"]}


def _failed(message: Mapping[str, Any], words: str) -> Row:
    """Carries the request, by which ccxt knows a login's failure."""
    request = {"op": message.get("op"), "args": message.get("args")}
    said: Row = {"success": False, "ret_msg": words, "conn_id": "local", "request": request}
    return said | ({"req_id": str(message["req_id"])} if "req_id" in message else {})


def _pong(message: Mapping[str, Any], now_ms: int, *, private: bool) -> Row:
    request = str(message.get("req_id", ""))
    if private:
        return {"req_id": request, "op": "pong", "args": [str(now_ms)], "conn_id": "local"}
    return {"success": True, "ret_msg": "pong", "conn_id": "local", "req_id": request, "op": "ping"}


def new_venue(**over: Any) -> Venue:
    """Bybit's usual markets. A perpetual's own name is the pair's: here it has `.P` behind it."""
    given: dict[str, Any] = {
        "balances": {"USDT": Decimal(10_000)},
        "remembers_client_ids": "ever",
        "post_only": "expires",
        "markets": [
            _spot("BTC", tick="0.1", step="0.000001", least="0.000011", most="83"),
            _spot("ETH", tick="0.01", step="0.00001", least="0.00029", most="4616.1353715"),
            _spot("ADA", tick="0.0001", step="0.01", least="1.07", most="7591573.35"),
            _spot("LTC", tick="0.01", step="0.00001", least="0.00732", most="27000"),
            _perpetual("BTC", tick="0.1", step="0.001", most="1190"),
            _perpetual("ETH", tick="0.01", step="0.01", most="7240"),
        ],
    }
    return Venue(**(given | over))


def _spot(base: str, *, tick: str, step: str, least: str, most: str) -> VenueMarket:
    return VenueMarket(
        id=f"{base}USDT", base=base, quote="USDT", tick=Decimal(tick), step=Decimal(step), min_qty=Decimal(least),
        max_qty=Decimal(most), min_notional=Decimal(5),
    )  # fmt: skip


def _perpetual(base: str, *, tick: str, step: str, most: str) -> VenueMarket:
    return VenueMarket(
        id=f"{base}USDT.P", base=base, quote="USDT", type="swap", tick=Decimal(tick), step=Decimal(step),
        min_qty=Decimal(step), max_qty=Decimal(most), min_notional=Decimal(5),
    )  # fmt: skip


FRONT_END = Bybit
