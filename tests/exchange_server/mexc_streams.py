"""One MEXC websocket session: subscriptions are JSON, pushes are protobuf. Works on plain values."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.exchange_server import mexc_rows as rows
from tests.exchange_server.mexc_rows import Row, text
from tests.exchange_server.protobuf_out import Fields, message
from tests.exchange_server.values import VenueEvent
from tests.exchange_server.venue import Venue

ORDERS = "spot@private.orders.v3.api.pb"
DEALS = "spot@private.deals.v3.api.pb"
ACCOUNT = "spot@private.account.v3.api.pb"
BOOK_TICKER = "spot@public.aggre.bookTicker.v3.api.pb@"
CHANGE_KINDS = {"new": "ENTRUST_PLACE", "trade": "ENTRUST", "canceled": "ENTRUST_CANCEL", "expired": "ENTRUST_CANCEL"}

# Field numbers, from the exchange's own .proto files; what is not text is a varint.
ORDER: Fields = {
    "id": 1, "clientId": 2, "price": 3, "quantity": 4, "amount": 5, "avgPrice": 6, "orderType": 7, "tradeType": 8,
    "isMaker": 9, "remainAmount": 10, "remainQuantity": 11, "lastDealQuantity": 12, "cumulativeQuantity": 13,
    "cumulativeAmount": 14, "status": 15, "createTime": 16, "market": 17,
}  # fmt: skip
DEAL: Fields = {
    "price": 1, "quantity": 2, "amount": 3, "tradeType": 4, "isMaker": 5, "isSelfTrade": 6, "tradeId": 7,
    "clientOrderId": 8, "orderId": 9, "feeAmount": 10, "feeCurrency": 11, "time": 12,
}  # fmt: skip
BALANCE: Fields = {
    "vcoinName": 1, "coinId": 2, "balanceAmount": 3, "balanceAmountChange": 4, "frozenAmount": 5,
    "frozenAmountChange": 6, "type": 7, "time": 8,
}  # fmt: skip
QUOTE: Fields = {"bidPrice": 1, "bidQuantity": 2, "askPrice": 3, "askQuantity": 4}
WRAPPER: Fields = {
    "channel": 1, "symbol": 3, "createTime": 5, "sendTime": 6, "privateOrders": 304, "privateDeals": 306,
    "privateAccount": 307, "publicAggreBookTicker": 315,
}  # fmt: skip


class MexcSession:
    """Each method gives the messages to send, in order: text for what is asked, bytes for what is pushed."""

    def __init__(
        self, venue: Venue, *, query: Mapping[str, str], listen_keys: Mapping[str, int], now: Callable[[], int]
    ):
        self.venue, self.now = venue, now
        self.listen_key = query.get("listenKey")
        self.listen_keys = listen_keys
        self.channels: set[str] = set()
        self.fresh: list[str] = []

    @property
    def private(self) -> bool:
        """Whether its listen key is good, now."""
        return self.listen_key is not None and self.listen_keys.get(self.listen_key, 0) > self.now()

    def opened(self) -> list[str | bytes]:
        return ["Invalid listen key"] if self.listen_key is not None and not self.private else []

    def received(self, sent: str) -> list[str | bytes]:
        asked = json.loads(sent)
        method, wanted = str(asked.get("method")).upper(), [str(each) for each in asked.get("params") or []]
        if method == "PING":
            return [json.dumps({"id": 0, "code": 0, "msg": "PONG"})]
        if method == "UNSUBSCRIPTION":
            self.channels.difference_update(wanted)
            return [json.dumps({"id": 0, "code": 0, "msg": ",".join(wanted)})]
        refused = [name for name in wanted if not self.knows(name)]
        if method != "SUBSCRIPTION" or refused:
            why = f"Not Subscribed successfully! [{','.join(refused)}].  Reason： Blocked!"
            return [json.dumps({"id": 0, "code": 0, "msg": why})]
        self.channels.update(wanted)
        self.fresh += wanted
        return [json.dumps({"id": 0, "code": 0, "msg": ",".join(wanted)})]

    @staticmethod
    def logs_in(sent: str) -> bool:
        asked = json.loads(sent)
        return asked.get("method") == "SUBSCRIPTION" and "private" in str(asked.get("params"))

    def quoted(self) -> list[str | bytes]:
        fresh, self.fresh = self.fresh, []
        return [push for name in fresh for push in self.quote(name.rpartition("@")[2], name)]

    def knows(self, channel: str) -> bool:
        if channel in {ORDERS, DEALS, ACCOUNT}:
            return self.private
        return channel.startswith(BOOK_TICKER) and channel.rpartition("@")[2] in self.venue.markets

    def push(self, channel: str, symbol: str, at_ms: int, **body: bytes) -> bytes:
        known: Row = {"channel": channel, "symbol": symbol, "createTime": at_ms, "sendTime": self.now()}
        return message(WRAPPER, known | body)

    # What is pushed

    def priced(self, market_id: str, price: Decimal) -> list[str | bytes]:
        return [
            push
            for name in sorted(self.channels)
            if name.startswith(BOOK_TICKER) and name.endswith("@" + market_id)
            for push in self.quote(market_id, name)
        ]

    def quote(self, market_id: str, channel: str) -> list[bytes]:
        if not channel.startswith(BOOK_TICKER) or market_id not in self.venue.last:
            return []
        last, tick = self.venue.last[market_id], self.venue.markets[market_id].tick
        body: Row = {"bidPrice": text(last), "bidQuantity": "1", "askPrice": text(last + tick), "askQuantity": "1"}
        return [self.push(channel, market_id, self.now(), publicAggreBookTicker=message(QUOTE, body))]

    def changed(self, event: VenueEvent) -> list[str | bytes]:
        if not self.private:
            return []
        pushes: list[str | bytes] = []
        order, trade, at = event.order, event.trade, event.at_ms
        if order is not None and self.venue.markets[order.market].type == "spot":
            market = self.venue.markets[order.market]
            if trade is not None and DEALS in self.channels:
                body = message(DEAL, rows.deal_push(trade))
                pushes.append(self.push(DEALS, market.id, at, privateDeals=body))
            if ORDERS in self.channels:
                body = message(ORDER, rows.order_push(order, market, trade))
                pushes.append(self.push(ORDERS, market.id, at, privateOrders=body))
        if ACCOUNT in self.channels:
            for coin, (free, locked) in event.balances.items():
                known: dict[str, Any] = {
                    "vcoinName": coin, "coinId": coin.lower(), "balanceAmount": text(free), "balanceAmountChange": "0",
                    "frozenAmount": text(locked), "frozenAmountChange": "0",
                    "type": CHANGE_KINDS.get(event.kind, "SYS"), "time": at,
                }  # fmt: skip
                pushes.append(self.push(ACCOUNT, "", at, privateAccount=message(BALANCE, known)))
        return pushes
