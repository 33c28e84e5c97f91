"""One KuCoin websocket session: welcome, ping, topics, and what they push. Works on plain values."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal

from tests.exchange_server import kucoin_rows as rows
from tests.exchange_server.kucoin_rows import Row, text
from tests.exchange_server.values import VenueEvent
from tests.exchange_server.venue import Venue

ORDERS, ORDERS_V2, FILLS = "/spotMarket/tradeOrders", "/spotMarket/tradeOrdersV2", "/spot/tradeFills"
BALANCE, TICKER, SNAPSHOT, LEVEL1 = "/account/balance", "/market/ticker", "/market/snapshot", "/spotMarket/level1"
PRIVATE = {ORDERS, ORDERS_V2, FILLS, BALANCE}
BALANCE_EVENTS = {"new": "trade_hf.hold", "trade": "trade_hf.setted"}


class KucoinSession:
    """Each method gives the messages to send, in order."""

    def __init__(self, venue: Venue, *, query: Mapping[str, str], tokens: Mapping[str, bool], now: Callable[[], int]):
        """`tokens` are those that are good, and whether each opens private topics."""
        self.venue, self.now = venue, now
        self.connect_id = query.get("connectId", "")
        self.known = query.get("token", "") in tokens
        self.private = tokens.get(query.get("token", ""), False)
        self.fresh: list[tuple[str, str]] = []
        self.topics: dict[str, set[str]] = {}
        """Markets by topic; a private topic has none."""
        self.counter = 0

    def opened(self) -> list[str]:
        if not self.known:
            return [json.dumps({"id": self.connect_id, "type": "error", "code": 401, "data": "token is invalid"})]
        return [json.dumps({"id": self.connect_id, "type": "welcome"})]

    def received(self, message: str) -> list[str]:
        asked = json.loads(message)
        match asked.get("type"):
            case "ping":
                return [json.dumps({"id": asked.get("id"), "type": "pong", "timestamp": self.now() * 1000})]
            case "subscribe" | "unsubscribe":
                return self.change(asked)
            case _:
                return [self.error(asked, 415, "type is not supported")]

    @staticmethod
    def error(asked: Row, code: int, why: str) -> str:
        return json.dumps({"id": asked.get("id"), "type": "error", "code": code, "data": why})

    def change(self, asked: Row) -> list[str]:
        topic, _, named = str(asked.get("topic")).partition(":")
        if topic not in PRIVATE | {TICKER, SNAPSHOT, LEVEL1}:
            return [self.error(asked, 404, f"topic {topic} is not found")]
        if topic in PRIVATE and not self.private:
            return [self.error(asked, 403, "login is required")]
        markets = set(named.split(",")) if named else set()
        if "all" in markets:
            markets = set(self.venue.markets)
        answers = [json.dumps({"id": asked.get("id"), "type": "ack"})] if asked.get("response") else []
        if asked["type"] == "unsubscribe":
            kept = self.topics.pop(topic, set()) - markets
            if kept:
                self.topics[topic] = kept
            return answers
        self.topics.setdefault(topic, set()).update(markets)
        self.fresh += [(topic, market) for market in sorted(markets) if market in self.venue.last]
        return answers

    @staticmethod
    def logs_in(message: str) -> bool:
        asked = json.loads(message)
        return asked.get("type") == "subscribe" and str(asked.get("topic")).partition(":")[0] in PRIVATE

    def quoted(self) -> list[str]:
        fresh, self.fresh = self.fresh, []
        return [push for topic, market in fresh for push in self.quotes(topic, market)]

    def message(self, topic: str, subject: str, data: Row) -> str:
        said: Row = {"topic": topic, "type": "message", "subject": subject, "data": data}
        if topic in PRIVATE:
            self.counter += 1
            said |= {"id": f"64a{self.counter:021}", "channelType": "private", "userId": "633559791e1cbc0001f319bc"}
        return json.dumps(said)

    # What is pushed

    def priced(self, market_id: str, price: Decimal) -> list[str]:
        pushes = []
        for topic, markets in self.topics.items():
            if market_id in markets:
                pushes += self.quotes(topic, market_id)
        return pushes

    def quotes(self, topic: str, market_id: str) -> list[str]:
        market, last = self.venue.markets[market_id], self.venue.last[market_id]
        bid, ask, now = text(last), text(last + market.tick), self.now()
        match topic:
            case "/market/ticker":
                sizes = {"bestAskSize": "1", "bestBidSize": "1", "size": "1", "sequence": str(now)}
                data: Row = {"bestAsk": ask, "bestBid": bid, "price": bid, "time": now} | sizes
                return [self.message(f"{topic}:{market_id}", "trade.ticker", data)]
            case "/spotMarket/level1":
                data = {"asks": [ask, "1"], "bids": [bid, "1"], "timestamp": now}
                return [self.message(f"{topic}:{market_id}", "level1", data)]
            case _:
                data = {"symbol": market_id, "buy": bid, "sell": ask, "lastTradedPrice": bid, "datetime": now}
                whole = {"sequence": str(now), "data": data}
                return [self.message(f"{topic}:{market_id}", "trade.snapshot", whole)]

    def changed(self, event: VenueEvent) -> list[str]:
        pushes: list[str] = []
        if event.order is not None:
            market = self.venue.markets[event.order.market]
            for topic in (ORDERS, ORDERS_V2):
                if topic in self.topics and market.type == "spot":
                    for kind in self.kinds(event, topic):
                        trade = event.trade if kind == "match" else None
                        data = rows.order_change(event.order, market, kind, trade, event.at_ms)
                        pushes.append(self.message(topic, "orderChange", data))
            if event.trade is not None and FILLS in self.topics and market.type == "spot":
                pushes.append(self.message(FILLS, FILLS, rows.trade_fill(event.trade, market)))
        if BALANCE in self.topics:
            pushes += [self.balance(event, coin, *amounts) for coin, amounts in event.balances.items()]
        return pushes

    @staticmethod
    def kinds(event: VenueEvent, topic: str) -> list[str]:
        """What one change is called: an order that never rests is never `open`."""
        order = event.order
        match event.kind:
            case "new":
                rests = order is not None and order.type == "limit" and order.tif == "GTC"
                return (["received"] if topic == ORDERS_V2 else []) + (["open"] if rests else [])
            case "trade":
                return ["match", "filled"] if order is not None and order.status == "filled" else ["match"]
            case "canceled" | "expired" | "rejected":
                return ["canceled"]
            case _:
                return []

    def balance(self, event: VenueEvent, coin: str, free: Decimal, locked: Decimal) -> str:
        data = {
            "accountId": "548674591753",
            "available": text(free),
            "availableChange": "0",
            "currency": coin,
            "hold": text(locked),
            "holdChange": "0",
            "relationContext": {},
            "relationEvent": BALANCE_EVENTS.get(event.kind, "trade_hf.other"),
            "relationEventId": event.order.id if event.order is not None else "0",
            "time": str(event.at_ms),
            "total": text(free + locked),
        }
        return self.message(BALANCE, "account.balance", data)
