"""Binance as ccxt asks it: spot and USDⓈ-M futures over REST, the ws-api, the user streams and the market streams."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.exchange_server.binance_desk import Fields, Route, Usage, check_asker
from tests.exchange_server.binance_rows import Row, execution_report, order_trade_update, streamed
from tests.exchange_server.binance_rules import PERPETUAL, Said, at_least, decimals, eight, wire_id
from tests.exchange_server.binance_spot import NO_SUCH_ORDER, UNKNOWN_ORDER, Spot
from tests.exchange_server.binance_swap import Swap
from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Answer, Ask, FrontEnd, Keys, answer_json
from tests.exchange_server.streams import Stream
from tests.exchange_server.values import VenueEvent, VenueMarket, VenueRefusal
from tests.exchange_server.venue import Venue

SPOT_HOSTS = frozenset({"api.binance.com", "testnet.binance.vision", "demo-api.binance.com"})
SWAP_HOSTS = frozenset({"fapi.binance.com", "demo-fapi.binance.com", "testnet.binancefuture.com"})
SPOT_STREAMS = frozenset({"stream.binance.com", "stream.testnet.binance.vision", "demo-stream.binance.com"})
SWAP_STREAMS = frozenset({"fstream.binance.com", "fstream.binancefuture.com"})
WS_API = frozenset({"ws-api.binance.com", "ws-api.testnet.binance.vision", "demo-ws-api.binance.com"})
WS_API_ROUTES = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
    "order.place": ("POST", "/api/v3/order"),
    "order.status": ("GET", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "allOrders": ("GET", "/api/v3/allOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
    "account.status": ("GET", "/api/v3/account"),
}
CHANNELS = frozenset({"bookTicker", "miniTicker", "ticker", "trade"})
EXECUTIONS = {"new": "NEW", "trade": "TRADE", "canceled": "CANCELED", "expired": "EXPIRED"}
SPOT_WEIGHT, SWAP_WEIGHT = 6000, 2400
ALL = "*"
USER = "user"


class Binance(FrontEnd):
    """Binance's protocol in front of a venue. A swap's id in the venue ends with `.P`; on the wire it does not."""

    hosts = SPOT_HOSTS | SWAP_HOSTS | SPOT_STREAMS | SWAP_STREAMS | WS_API

    def __init__(self, venue: Venue, faults: Faults, keys: Keys, *, limits: bool = False) -> None:
        """`limits`: asking for more weight in a minute than is allowed is refused; else it is only counted."""
        super().__init__(venue, faults, keys)
        self.spot = Spot(venue, keys, self.now_ms, SPOT_WEIGHT)
        self.swap = Swap(venue, self.now_ms, SWAP_WEIGHT)
        self.spot_usage = Usage(SPOT_WEIGHT if limits else None)
        self.swap_usage = Usage(SWAP_WEIGHT if limits else None)
        self._events = 0

    # REST

    def _desk(self, ask: Ask) -> Spot | Swap:
        return self.swap if ask.host in SWAP_HOSTS or ask.host in SWAP_STREAMS else self.spot

    def _route(self, ask: Ask) -> Route | None:
        return self._desk(ask).routes.get((ask.method, ask.path))

    def kind_of(self, ask: Ask) -> str:
        route = self._route(ask)
        return route.kind if route else "other"

    async def answer(self, ask: Ask) -> Answer:
        route = self._route(ask)
        if route is None:
            return Answer(status=404, body="<html><body>Not found</body></html>", content_type="text/html")
        usage = self.swap_usage if self._desk(ask) is self.swap else self.spot_usage
        wait_s = usage.take(route.weight, self.now_ms())
        if wait_s is not None:
            return self._too_much(ask, wait_s)
        try:
            return answer_json(self._done(ask, route), headers=self._usage_headers(usage, route))
        except Said as said:
            return self._error(ask, said, self._usage_headers(usage, route))

    def _usage_headers(self, usage: Usage, route: Route) -> Mapping[str, str]:
        orders = route.kind in {"place", "place_many"}
        if orders:
            usage.order(self.now_ms())
        return usage.headers(orders=orders)

    def _done(self, ask: Ask, route: Route) -> Any:
        """Raises Said."""
        check_asker(ask, route, self.keys, self.now_ms())
        fields = Fields(ask.params)
        try:
            return route.handle(fields)
        except VenueRefusal as refusal:
            raise self._desk(ask).said(refusal, fields) from refusal

    # Errors

    @staticmethod
    def _error(ask: Ask, said: Said, headers: Mapping[str, str] | None = None) -> Answer:
        row = {"code": said.code, "msg": said.message}
        if ask.message is not None:
            return answer_json({"id": ask.message.get("id"), "status": said.status, "error": row})
        return answer_json(row, said.status, headers)

    def _too_much(self, ask: Ask, wait_s: int) -> Answer:
        limit = SWAP_WEIGHT if self._desk(ask) is self.swap else SPOT_WEIGHT
        words = f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE."
        return self._error(ask, Said(-1003, words, 429), {"Retry-After": str(wait_s)})

    def refusal(self, ask: Ask, code: str, message: str, status: int | None) -> Answer:
        return self._error(ask, Said(int(code), message, status or 400))

    def banned(self, ask: Ask, retry_after_s: int) -> Answer:
        words = f"Way too much request weight used; IP banned until {self.faults.banned_until_ms}."
        return self._error(ask, Said(-1003, words, 418), {"Retry-After": str(retry_after_s)})

    def nothing(self, ask: Ask) -> Answer:
        match ask.kind:
            case "query":
                return self._error(ask, Said(*NO_SUCH_ORDER))
            case "cancel":
                return self._error(ask, Said(*UNKNOWN_ORDER))
            case _:
                return answer_json([])

    # Streams

    async def stream(self, ask: Ask, stream: Stream) -> None:
        if ask.host in SWAP_STREAMS and ask.path.startswith("/private"):
            stream.private = True
            stream.topics[USER] = ask.params.get("listenKey") or ask.path.rpartition("/")[2]
        async for text in stream:
            message = json.loads(text)
            if ask.host in WS_API:
                await self._asked_on(ask, stream, message)
            else:
                stream.reply(self._subscribed(ask, stream, message))
                if message.get("method") == "SUBSCRIBE":
                    self._tell_now(stream, message["params"])

    def _subscribed(self, ask: Ask, stream: Stream, message: Row) -> Row:
        swap = ask.host in SWAP_STREAMS
        for name in message.get("params", []):
            symbol, _, channel = name.partition("@")
            if symbol.startswith("!"):
                topic = (ALL, symbol[1:], swap)
            else:
                topic = (f"{symbol.upper()}{PERPETUAL if swap else ''}", channel, swap)
            if topic[1] not in CHANNELS or message["method"] not in {"SUBSCRIBE", "UNSUBSCRIBE"}:
                return {"error": {"code": 2, "msg": "Invalid request: invalid stream"}, "id": message.get("id")}
            if message["method"] == "SUBSCRIBE":
                stream.topics[name] = topic
            else:
                stream.topics.pop(name, None)
        return {"result": None, "id": message.get("id")}

    async def _asked_on(self, opened: Ask, stream: Stream, message: Row) -> None:
        """A request on the ws-api: the user stream, or what REST takes too."""
        method, asked = message.get("method", ""), dict(message.get("params") or {})
        where = WS_API_ROUTES.get(method)
        route = self.spot.routes[where] if where else Route(kind="stream_login", handle=lambda fields: {})

        async def do() -> Answer:
            ask = Ask(method="WS", host=opened.host, path="", headers={}, message=asked)
            try:
                if method == "userDataStream.subscribe.signature":
                    check_asker(ask, route, self.keys, self.now_ms())
                    stream.private, stream.topics[USER] = True, 0
                    result: Any = {"subscriptionId": 0}
                elif where:
                    result = self._done(ask, route)
                else:
                    raise Said(-1102, "Unknown method.")
            except Said as said:
                ask.message = message
                return self._error(ask, said)
            return answer_json({"id": message.get("id"), "status": 200, "result": result, "rateLimits": []})

        await self.on_stream(stream, route.kind, opened, message, do)

    def on_price(self, market_id: str) -> None:
        for stream in self.faults.streams:
            for topic in [each for name, each in stream.topics.items() if name != USER]:
                self._tell_price(stream, topic, market_id)

    def _tell_now(self, stream: Stream, names: list[str]) -> None:
        """A market that is alive tells its price within moments of the subscription."""
        for name in names:
            for market_id in self.venue.last if name in stream.topics else ():
                self._tell_price(stream, stream.topics[name], market_id)

    def _tell_price(self, stream: Stream, topic: tuple[str, str, bool], market_id: str) -> None:
        wanted, channel, swap = topic
        market = self.venue.markets[market_id]
        if wanted not in {ALL, market_id} or swap != (market.type == "swap"):
            return
        self._events += 1
        row = streamed(channel, market, self.venue.last[market_id], self.now_ms(), self._events)
        stream.push([row] if wanted == ALL and channel != "bookTicker" else row)

    # The trader's own streams

    def on_event(self, event: VenueEvent) -> None:
        streams = [stream for stream in self.faults.streams if stream.private]
        if not streams:
            return
        spot = [json.dumps({"subscriptionId": 0, "event": row}) for row in self._spot_events(event)]
        swap = [json.dumps(row) for row in self._swap_events(event)]
        for stream in streams:
            on_spot = stream.topics.get(USER) == 0
            if not on_spot and (stream.topics.get(USER) != self.swap.listen_key or not self.swap.listening()):
                continue
            for text in spot if on_spot else swap:
                stream.push(text)

    def _spot_events(self, event: VenueEvent) -> list[Row]:
        now, rows = self.now_ms(), []
        if event.order is None:
            (coin,) = event.balances
            return [{"e": "balanceUpdate", "E": now, "a": coin, "d": eight(event.amount), "T": event.at_ms}]
        if self.venue.markets[event.order.market].type != "spot":
            return []
        self._events += 1
        rows.append(
            execution_report(
                event.order,
                event.trade,
                execution=EXECUTIONS[event.kind],
                at_ms=now,
                cancel_id=self.spot.cancel_id or f"web_c{event.order.id}" if event.kind == "canceled" else None,
                number=self._events,
            )
        )
        amounts = [{"a": coin, "f": eight(free), "l": eight(locked)} for coin, (free, locked) in event.balances.items()]
        rows.append({"e": "outboundAccountPosition", "E": now, "u": event.at_ms, "B": amounts})
        return rows

    def _swap_events(self, event: VenueEvent) -> list[Row]:
        now = self.now_ms()
        if event.order is None:
            return [self._account_update("DEPOSIT", event, [], now)]
        market = self.venue.markets[event.order.market]
        if market.type != "swap":
            return []
        told = order_trade_update(event.order, event.trade, market, execution=EXECUTIONS[event.kind], at_ms=now)
        return [self._account_update("ORDER", event, [market], now), told] if event.trade else [told]

    def _account_update(self, reason: str, event: VenueEvent, markets: list[VenueMarket], now: int) -> Row:
        """The wallet, and the position of the market that was traded."""
        coins = list(event.balances) if event.order is None else [market.quote for market in markets]
        wallet = [(coin, eight(self.venue.total.get(coin, Decimal(0)))) for coin in coins]
        positions = []
        for market in markets:
            position = self.venue.positions[market.id]
            isolated = market.id in self.swap.isolated
            positions.append(
                {
                    "s": wire_id(market.id),
                    "pa": at_least(position.contracts, decimals(market.step)),
                    "ep": at_least(position.entry_price, decimals(market.tick)),
                    "bep": at_least(position.entry_price, decimals(market.tick)),
                    "cr": "0",
                    "up": eight(self.venue.unrealised(market.id)),
                    "mt": "isolated" if isolated else "cross",
                    "iw": eight(self.venue.position_margin(market.id) if isolated else Decimal(0)),
                    "ps": "BOTH",
                }
            )
        told = [{"a": coin, "wb": total, "cw": total, "bc": eight(event.amount)} for coin, total in wallet]
        return {"e": "ACCOUNT_UPDATE", "E": now, "T": event.at_ms, "a": {"m": reason, "B": told, "P": positions}}

    def end_sessions(self) -> None:
        """The user streams are over: their keys have expired."""
        for stream in [each for each in self.faults.streams if each.private]:
            key = stream.topics.pop(USER, None)
            if key == 0:
                stream.push({"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": self.now_ms()}})
            else:
                stream.push({"e": "listenKeyExpired", "E": self.now_ms(), "listenKey": key})
            stream.private = False
        self.swap.listen_key = ""


FRONT_END = Binance


def _market(
    market_id: str, base: str, tick: str, step: str, top: str, least: str, *, swap: bool = False
) -> VenueMarket:
    return VenueMarket(
        id=market_id,
        base=base,
        quote="USDT",
        type="swap" if swap else "spot",
        tick=Decimal(tick),
        step=Decimal(step),
        min_qty=Decimal(step),
        max_qty=Decimal(top),
        min_notional=Decimal(least),
    )


def markets() -> list[VenueMarket]:
    """The rules that Binance had for these in 2026-11."""
    return [
        _market("BTCUSDT", "BTC", "0.01", "0.00001", "9000", "5"),
        _market("ETHUSDT", "ETH", "0.01", "0.0001", "9000", "5"),
        _market("ADAUSDT", "ADA", "0.0001", "0.1", "900000", "5"),
        _market("LTCUSDT", "LTC", "0.01", "0.001", "90000", "5"),
        _market("BNBUSDT", "BNB", "0.01", "0.001", "9000", "5"),
        _market("BTCUSDT.P", "BTC", "0.1", "0.001", "1000", "100", swap=True),
        _market("ETHUSDT.P", "ETH", "0.01", "0.001", "10000", "20", swap=True),
    ]


def new_venue(**over: Any) -> Venue:
    """Its markets, 100,000 USDT, fees with eight decimals, client ids that are free again once an order is over."""
    usual: dict[str, Any] = {"balances": {"USDT": Decimal(100_000)}, "fee_digits": 8, "remembers_client_ids": "open"}
    return Venue(markets(), **(usual | over))
