"""One Gate websocket session (v4, spot): each private subscription is signed by itself. Works on plain values."""

import hashlib
import hmac
import json
from collections.abc import Callable
from decimal import Decimal

from tests.exchange_server import gate_rows as rows
from tests.exchange_server.front_end import Keys
from tests.exchange_server.gate_rows import Row, text
from tests.exchange_server.values import VenueEvent
from tests.exchange_server.venue import Venue

ORDERS, TRADES, BALANCES = "spot.orders", "spot.usertrades", "spot.balances"
TICKERS, BOOK_TICKER = "spot.tickers", "spot.book_ticker"
PRIVATE, PUBLIC = {ORDERS, TRADES, BALANCES}, {TICKERS, BOOK_TICKER}
ALL = "!all"
CHANGE_KINDS = {"new": "order-create", "trade": "order-match", "canceled": "order-cancel", "expired": "order-cancel"}


class GateSession:
    """Each method gives the messages to send, in order."""

    def __init__(self, venue: Venue, *, keys: Keys, now: Callable[[], int]) -> None:
        self.venue, self.now = venue, now
        self.keys, self.private = keys, False
        self.fresh: list[tuple[str, str]] = []
        self.channels: dict[str, set[str]] = {}
        """Pairs by channel; `!all` for all of them."""

    def opened(self) -> list[str]:
        return []

    def stamped(self, channel: str, event: str, **more: object) -> str:
        now = self.now()
        return json.dumps({"time": now // 1000, "time_ms": now, "channel": channel, "event": event} | more)

    def received(self, message: str) -> list[str]:
        asked = json.loads(message)
        channel, event = str(asked.get("channel")), str(asked.get("event"))
        if channel == "spot.ping":
            return [self.stamped("spot.pong", "", result=None)]
        wanted = [str(each) for each in asked.get("payload") or []]
        known = {"id": asked.get("id"), "payload": wanted, "conn_id": "4b8ee6c2bdde9d4e", "requestId": "d2f8"}
        error = self.refusal(asked, channel, wanted)
        if error is not None:
            return [self.stamped(channel, event, **known, error=error, result={"status": "fail"})]
        if event == "unsubscribe":
            self.channels.get(channel, set()).difference_update(wanted)
        else:
            self.channels.setdefault(channel, set()).update(wanted or [ALL])
        if event == "subscribe":
            self.private = self.private or channel in PRIVATE
            self.fresh += [(channel, pair) for pair in wanted if channel in PUBLIC and pair in self.venue.last]
        return [self.stamped(channel, event, **known, result={"status": "success"})]

    @staticmethod
    def logs_in(message: str) -> bool:
        return json.loads(message).get("channel") in PRIVATE

    def quoted(self) -> list[str]:
        fresh, self.fresh = self.fresh, []
        return [push for channel, pair in fresh for push in self.quotes(channel, pair)]

    def refusal(self, asked: Row, channel: str, wanted: list[str]) -> Row | None:
        """1: invalid argument, 2: wrong argument, 4: who are you."""
        if channel not in PRIVATE | PUBLIC or asked.get("event") not in {"subscribe", "unsubscribe"}:
            return {"code": 1, "message": f"unknown channel: {channel}"}
        unknown = [pair for pair in wanted if pair not in self.venue.markets and pair != ALL]
        if unknown:
            return {"code": 2, "message": f"unknown currency pair: {unknown[0]}"}
        if channel not in PRIVATE or asked["event"] == "unsubscribe":
            return None
        auth = asked.get("auth") or {}
        words = f"channel={channel}&event={asked['event']}&time={asked.get('time')}"
        right = hmac.new(self.keys.secret.encode(), words.encode(), hashlib.sha512).hexdigest()
        if auth.get("KEY") != self.keys.api_key or self.keys.revoked:
            return {"code": 4, "message": '{"label":"INVALID_KEY","message":"Invalid key provided"}\n'}
        if abs(self.now() // 1000 - int(asked.get("time") or 0)) > 60:
            return {"code": 4, "message": '{"label":"REQUEST_EXPIRED","message":"request expired"}\n'}
        if not hmac.compare_digest(right, str(auth.get("SIGN"))):
            return {"code": 4, "message": '{"label":"INVALID_SIGNATURE","message":"Signature mismatch"}\n'}
        return None

    def heard(self, channel: str, pair: str) -> bool:
        return bool({pair, ALL} & self.channels.get(channel, set()))

    # What is pushed

    def priced(self, market_id: str, price: Decimal) -> list[str]:
        return [
            push for channel in PUBLIC if self.heard(channel, market_id) for push in self.quotes(channel, market_id)
        ]

    def quotes(self, channel: str, pair: str) -> list[str]:
        market, last, now = self.venue.markets[pair], self.venue.last[pair], self.now()
        if channel == TICKERS:
            return [self.stamped(channel, "update", result=rows.ticker_row(market, last))]
        quote = {"t": now, "u": now, "s": pair, "b": text(last), "B": "1", "a": text(last + market.tick), "A": "1"}
        return [self.stamped(channel, "update", result=quote)]

    def changed(self, event: VenueEvent) -> list[str]:
        pushes: list[str] = []
        order, trade = event.order, event.trade
        if order is not None and self.venue.markets[order.market].type == "spot":
            market = self.venue.markets[order.market]
            if trade is not None and self.heard(TRADES, market.id):
                pushes.append(self.stamped(TRADES, "update", result=[rows.trade_push(trade, market)]))
            if self.heard(ORDERS, market.id):
                kind = "put" if event.kind == "new" else "update" if order.is_open else "finish"
                pushes.append(self.stamped(ORDERS, "update", result=[rows.order_push(order, market, kind)]))
        if BALANCES in self.channels and event.balances:
            changes = [self.balance(event, coin, *amounts) for coin, amounts in event.balances.items()]
            pushes.append(self.stamped(BALANCES, "update", result=changes))
        return pushes

    @staticmethod
    def balance(event: VenueEvent, coin: str, free: Decimal, locked: Decimal) -> Row:
        return {
            "timestamp": str(event.at_ms // 1000),
            "timestamp_ms": str(event.at_ms),
            "user": str(rows.USER),
            "currency": coin,
            "change": "0",
            "total": text(free + locked),
            "available": text(free),
            "freeze": text(locked),
            "freeze_change": "0",
            "change_type": CHANGE_KINDS.get(event.kind, "other"),
        }
