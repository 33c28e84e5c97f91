"""OKX's v5 as ccxt 4.5 speaks it: signed REST, and websockets for the market, for the trader and for business."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from tests.exchange_server import okx_rows as rows
from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Answer, Ask, FrontEnd, Keys, answer_json
from tests.exchange_server.okx_account import OkxError
from tests.exchange_server.okx_orders import NO_CANCEL, NOT_FOUND, OkxOrders
from tests.exchange_server.okx_rows import Row, inst_id
from tests.exchange_server.streams import Stream
from tests.exchange_server.values import VenueEvent, VenueMarket
from tests.exchange_server.venue import Venue

STALE_MS = 30_000
"""A request or a login whose timestamp is further off than this is refused."""
PUBLIC, PRIVATE = "/ws/v5/public", "/ws/v5/private"
MARKET_CHANNELS = ("tickers", "bbo-tbt", "trades")
TRADER_CHANNELS = ("orders", "account", "positions", "balance_and_position")
STATUS = {
    "50001": 503, "50004": 400, "50005": 410, "50011": 429, "50013": 429, "50026": 500, "50101": 401, "50102": 401,
    "50103": 401, "50105": 401, "50110": 401, "50111": 401, "50112": 401, "50113": 401, "50114": 401, "51054": 500,
}  # fmt: skip


class Okx(FrontEnd):
    """Spot pairs and linear swaps of one account in futures mode."""

    hosts: ClassVar[frozenset[str]] = frozenset({"www.okx.com", "ws.okx.com", "wspap.okx.com"})

    def __init__(self, venue: Venue, faults: Faults, keys: Keys) -> None:
        super().__init__(venue, faults, keys)
        self.account = OkxOrders(venue, keys, self.now_ms)
        self._sequence = 0
        account = self.account
        self._routes: dict[tuple[str, str], tuple[str, bool, Callable[[Any], Row]]] = {
            ("GET", "public/time"): ("time", False, account.time),
            ("GET", "public/instruments"): ("rules", False, account.instruments),
            ("GET", "market/ticker"): ("tickers", False, account.tickers),
            ("GET", "market/tickers"): ("tickers", False, account.tickers),
            ("GET", "asset/currencies"): ("rules", True, account.currencies),
            ("GET", "account/config"): ("permissions", True, account.config),
            ("GET", "account/trade-fee"): ("rules", True, account.trade_fee),
            ("GET", "account/balance"): ("balance", True, account.balance),
            ("GET", "account/positions"): ("positions", True, account.positions),
            ("GET", "account/leverage-info"): ("setup", True, account.leverage_info),
            ("POST", "account/set-leverage"): ("setup", True, account.set_leverage),
            ("POST", "account/set-position-mode"): ("setup", True, account.set_position_mode),
            ("POST", "trade/order"): ("place", True, account.create),
            ("POST", "trade/batch-orders"): ("place_many", True, account.create_batch),
            ("POST", "trade/cancel-order"): ("cancel", True, account.cancel),
            ("GET", "trade/order"): ("query", True, account.order),
            ("GET", "trade/orders-pending"): ("open_orders", True, account.pending),
            ("GET", "trade/orders-history"): ("orders", True, account.history),
            ("GET", "trade/orders-history-archive"): ("orders", True, account.archive),
            ("GET", "trade/fills"): ("trades", True, account.fills),
            ("GET", "trade/fills-history"): ("trades", True, account.fills),
        }

    # REST

    def _route(self, ask: Ask) -> tuple[str, bool, Callable[[Any], Row]] | None:
        return self._routes.get((ask.method, ask.path.removeprefix("/api/v5/")))

    def kind_of(self, ask: Ask) -> str:
        """By the address: ccxt sends a single order to the batch's, too, so it is `place_many`."""
        route = self._route(ask)
        return "other" if route is None else route[0]

    async def answer(self, ask: Ask) -> Answer:
        route = self._route(ask)
        try:
            if route is None:
                raise OkxError("404", "Invalid request URI", status=404)
            _, signed, do = route
            if signed:
                self._check_signature(ask)
            return answer_json(do(_asked(ask)))
        except OkxError as error:
            return _refused(error.code, error.message, error.status)

    def _check_signature(self, ask: Ask) -> None:
        """Raises OkxError. What is signed is the time, the method, the path with its query, and the body."""
        key, stamp = ask.headers.get("OK-ACCESS-KEY"), ask.headers.get("OK-ACCESS-TIMESTAMP", "")
        if not key:
            raise OkxError("50103", 'Request header "OK-ACCESS-KEY" can\'t be empty.', status=401)
        if key != self.keys.api_key or self.keys.revoked:
            raise OkxError("50111", "Invalid OK-ACCESS-KEY", status=401)
        if ask.headers.get("OK-ACCESS-PASSPHRASE") != self.keys.passphrase:
            raise OkxError("50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.', status=401)
        try:
            at_ms = round(datetime.fromisoformat(stamp).timestamp() * 1000)
        except ValueError:
            raise OkxError("50112", "Invalid OK-ACCESS-TIMESTAMP", status=401) from None
        if abs(self.now_ms() - at_ms) > STALE_MS:
            raise OkxError("50102", "Timestamp request expired", status=401)
        path = f"{ask.path}?{ask.query}" if ask.query else ask.path
        expected = signature(self.keys.secret, f"{stamp}{ask.method}{path}{ask.body}")
        if not hmac.compare_digest(expected, ask.headers.get("OK-ACCESS-SIGN", "")):
            raise OkxError("50113", "Invalid Sign", status=401)

    def refusal(self, ask: Ask, code: str, message: str, status: int | None) -> Answer:
        """A code of trading is that of each order asked for; any other is the whole answer's."""
        if ask.method == "WS":
            return answer_json({"event": "error", "code": code, "msg": message, "connId": "local"})
        if code.startswith("51") and ask.kind in {"place", "place_many", "cancel"} and status is None:
            asked = ask.json if isinstance(ask.json, list) else [ask.json]
            return answer_json(self.account.acknowledged([_failed_row(each, code, message) for each in asked]))
        return _refused(code, message, status)

    def banned(self, ask: Ask, retry_after_s: int) -> Answer:
        """It does not say until when."""
        return _refused("50011", "Too Many Requests", 429)

    def nothing(self, ask: Ask) -> Answer:
        match ask.kind:
            case "query":
                return _refused(*NOT_FOUND, None)
            case "cancel":
                return answer_json(self.account.acknowledged([_failed_row(ask.json, *NO_CANCEL)]))
            case _:
                return answer_json({"code": "0", "msg": "", "data": []})

    # Streams

    async def stream(self, ask: Ask, stream: Stream) -> None:
        async for text in stream:
            if text == "ping":
                stream.reply("pong")
                continue
            message = json.loads(text)
            match message.get("op"):
                case "login":
                    await self.on_stream(stream, "stream_login", ask, message, partial(self._login, stream, message))
                    if not stream.private:
                        stream.close()
                case "subscribe":
                    for arg in message["args"]:
                        self._subscribe(stream, ask.path, arg)
                case "unsubscribe":
                    for arg in message["args"]:
                        stream.topics.pop(_name(arg), None)
                        stream.reply({"event": "unsubscribe", "arg": arg, "connId": "local"})
                case _:
                    stream.reply(_error("60012", f"Illegal request: {text}"))

    async def _login(self, stream: Stream, message: Row) -> Answer:
        said = message["args"][0]
        stamp = str(said["timestamp"])
        if said["apiKey"] != self.keys.api_key or self.keys.revoked:
            return answer_json(_error("60005", "Invalid apiKey"))
        if said["passphrase"] != self.keys.passphrase:
            return answer_json(_error("60024", "Wrong passphrase"))
        if abs(self.now_ms() - 1000 * int(stamp)) > STALE_MS:
            return answer_json(_error("60006", "Timestamp request expired"))
        if not hmac.compare_digest(signature(self.keys.secret, f"{stamp}GET/users/self/verify"), str(said["sign"])):
            return answer_json(_error("60007", "Invalid sign"))
        stream.private = True
        return answer_json({"event": "login", "code": "0", "msg": "", "connId": "local"})

    def _subscribe(self, stream: Stream, path: str, arg: Row) -> None:
        channel, name = arg["channel"], arg.get("instId")
        known = {PUBLIC: MARKET_CHANNELS, PRIVATE: TRADER_CHANNELS}.get(path, ())
        if path == PRIVATE and not stream.private:
            stream.reply(_error("60011", "Please log in"))
            return
        if channel not in known or (name is not None and self.account.find_market(name) is None):
            stream.reply(_error("60018", f"Wrong URL or channel:{channel},instId:{name} doesn't exist."))
            return
        stream.topics[_name(arg)] = arg
        stream.reply({"event": "subscribe", "arg": arg, "connId": "local"})
        match channel:
            case "account":
                stream.push(self._told(arg, self.account.balance({})["data"]))
            case "positions":
                stream.push(self._told(arg, self.account.positions({})["data"]))
            case "tickers" | "bbo-tbt":
                self._quote(stream, arg)
            case _:
                pass

    def on_event(self, event: VenueEvent) -> None:
        streams = [stream for stream in self.faults.streams if stream.private]
        if not streams:
            return
        market = self.venue.markets[event.order.market] if event.order is not None else None
        row: Row | None = None
        if event.order is not None and market is not None:
            row = rows.pushed_row(event.order, market, event.trade, asked=self.account.said(event.order))
        for stream in streams:
            for arg in stream.topics.values():
                match arg["channel"]:
                    case "orders" if row is not None and market is not None and _fits(arg, market):
                        stream.push(self._told(arg, [row]))
                    case "account" if event.balances:
                        stream.push(self._told(arg, self.account.balance({"ccy": ",".join(event.balances)})["data"]))
                    case "positions" if event.trade is not None and market is not None and market.type == "swap":
                        stream.push(self._told(arg, [self.account.position_row(market)]))
                    case _:
                        pass

    def on_price(self, market_id: str) -> None:
        name = inst_id(self.venue.markets[market_id])
        for stream in self.faults.streams:
            for arg in stream.topics.values():
                if arg.get("instId") == name and arg["channel"] in MARKET_CHANNELS:
                    self._quote(stream, arg)

    def _quote(self, stream: Stream, arg: Row) -> None:
        market = self.account.find_market(arg["instId"])
        last = self.venue.last.get(market.id) if market is not None else None
        if market is None or last is None:
            return
        self._sequence += 1
        now = self.now_ms()
        match arg["channel"]:
            case "tickers":
                row = rows.ticker_row(market, last, now)
            case "bbo-tbt":
                row = rows.best_row(market, last, now, self._sequence)
            case _:
                row = rows.public_trade(market, last, now, self._sequence)
        stream.push({"arg": arg, "data": [row]})

    @staticmethod
    def _told(arg: Row, data: list[Row]) -> Row:
        return {"arg": arg | {"uid": "44705892343619584"}, "data": data}


def signature(secret: str, origin: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), origin.encode(), hashlib.sha256).digest()).decode()


def _asked(ask: Ask) -> Any:
    """Raises OkxError where the body is no JSON."""
    if ask.method == "GET":
        return dict(parse_qsl(ask.query, keep_blank_values=True))
    try:
        return json.loads(ask.body or "{}")
    except ValueError:
        raise OkxError("50002", "JSON syntax error", status=400) from None


def _refused(code: str, message: str, status: int | None) -> Answer:
    return answer_json({"code": code, "msg": message, "data": []}, status or STATUS.get(code, 200))


def _failed_row(asked: Row, code: str, message: str) -> Row:
    return {"clOrdId": asked.get("clOrdId", ""), "ordId": "", "tag": "", "ts": "", "sCode": code, "sMsg": message}


def _error(code: str, message: str) -> Row:
    return {"event": "error", "code": code, "msg": message, "connId": "local"}


def _name(arg: Mapping[str, Any]) -> str:
    """The same words twice are one subscription."""
    return json.dumps(arg, sort_keys=True)


def _fits(arg: Row, market: VenueMarket) -> bool:
    return arg.get("instType") in {"ANY", rows.inst_type(market)} and arg.get("instId") in {None, inst_id(market)}


def new_venue(**over: Any) -> Venue:
    """OKX's usual markets, by its own names. Swaps are counted in contracts of a hundredth or a tenth of a coin."""
    given: dict[str, Any] = {
        "balances": {"USDT": Decimal(10_000)},
        "maker": Decimal("0.0008"),
        "remembers_client_ids": "open",
        "post_only": "expires",
        "markets": [
            _spot("BTC", tick="0.1", step="0.00000001", least="0.00001"),
            _spot("ETH", tick="0.01", step="0.000001", least="0.0001"),
            _spot("ADA", tick="0.0001", step="0.0001", least="10"),
            _spot("LTC", tick="0.01", step="0.000001", least="0.01"),
            _swap("BTC", tick="0.1", size="0.01"),
            _swap("ETH", tick="0.01", size="0.1"),
        ],
    }
    return Venue(**(given | over))


def _spot(base: str, *, tick: str, step: str, least: str) -> VenueMarket:
    return VenueMarket(
        id=f"{base}-USDT", base=base, quote="USDT", tick=Decimal(tick), step=Decimal(step), min_qty=Decimal(least),
        max_qty=Decimal("9999999999"), min_notional=Decimal(0),
    )  # fmt: skip


def _swap(base: str, *, tick: str, size: str) -> VenueMarket:
    return VenueMarket(
        id=f"{base}-USDT-SWAP", base=base, quote="USDT", type="swap", tick=Decimal(tick), step=Decimal("0.01"),
        min_qty=Decimal("0.01"), max_qty=Decimal(100_000_000), min_notional=Decimal(0), contract_size=Decimal(size),
    )  # fmt: skip


FRONT_END = Okx
