"""Gate, spot: APIv4 over REST, and its v4 websocket."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Answer, Ask, Keys, answer_json
from tests.exchange_server.gate_rest import REFUSALS, STATUS, GateRest
from tests.exchange_server.gate_streams import GateSession
from tests.exchange_server.plain_front import PlainFrontEnd
from tests.exchange_server.values import VenueMarket
from tests.exchange_server.venue import Venue


class GateFrontEnd(PlainFrontEnd):
    hosts: ClassVar[frozenset[str]] = frozenset({"api.gateio.ws"})
    rest: GateRest

    def __init__(self, venue: Venue, faults: Faults, keys: Keys) -> None:
        super().__init__(venue, faults, keys, GateRest(venue, keys=keys, now=self.now_ms))

    def session(self, query: Mapping[str, Any]) -> GateSession:
        return GateSession(self.venue, keys=self.keys, now=self.now_ms)

    def limits(self) -> Mapping[str, str]:
        return {"X-Gate-RateLimit-Requests-Remain": "190", "X-Gate-RateLimit-Limit": "200"}

    def refusal(self, ask: Ask, code: str, message: str, status: int | None) -> Answer:
        if ask.method == "WS":
            asked = json.loads(ask.message["text"])
            named = {name: asked.get(name) for name in ("id", "time", "channel", "event", "payload")}
            error = {"code": int(code), "message": message}
            return answer_json(named | {"error": error, "result": {"status": "fail"}})
        return answer_json({"label": code, "message": message}, status or STATUS.get(code, 400), self.limits())

    def banned(self, ask: Ask, retry_after_s: int) -> Answer:
        """No Retry-After here: the header is a moment, in whole seconds, and has a name of its own."""
        headers = {"X-Gate-RateLimit-Requests-Remain": "0", "X-Gate-RateLimit-Limit": "200"}
        headers["X-Gate-RateLimit-Reset-Timestamp"] = str(self.now_ms() // 1000 + retry_after_s)
        return answer_json({"label": "TOO_MANY_REQUESTS", "message": "Request Rate limit Exceeded"}, 429, headers)

    def nothing(self, ask: Ask) -> Answer:
        if ask.kind in {"open_orders", "orders", "trades"}:
            return answer_json([])
        return self.refusal(ask, *REFUSALS["unknown_order"], None)


def new_venue(**over: Any) -> Venue:
    """Four markets. The coin that is received pays the fee."""
    markets = [
        _market("BTC", "0.1", "0.000001", "0.00001"),
        _market("ETH", "0.01", "0.00001", "0.0001"),
        _market("ADA", "0.0001", "0.01", "1"),
        _market("LTC", "0.01", "0.0001", "0.01"),
    ]
    usual: dict[str, Any] = {"balances": {"USDT": Decimal(10_000)}}
    return Venue(markets, **usual | over)


def _market(base: str, tick: str, step: str, least: str) -> VenueMarket:
    return VenueMarket(
        id=f"{base}_USDT",
        base=base,
        quote="USDT",
        tick=Decimal(tick),
        step=Decimal(step),
        min_qty=Decimal(least),
        min_notional=Decimal(3),
    )


FRONT_END = GateFrontEnd
