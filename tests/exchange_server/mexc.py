"""MEXC, spot: REST, listen keys, and websockets that push protobuf."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Answer, Ask, Keys, answer_json
from tests.exchange_server.mexc_rest import NO_SUCH_ORDER, MexcRest
from tests.exchange_server.mexc_streams import MexcSession
from tests.exchange_server.plain_front import PlainFrontEnd
from tests.exchange_server.values import VenueMarket
from tests.exchange_server.venue import Venue


class MexcFrontEnd(PlainFrontEnd):
    hosts: ClassVar[frozenset[str]] = frozenset({"api.mexc.com", "wbs-api.mexc.com", "contract.mexc.com"})
    rest: MexcRest

    def __init__(self, venue: Venue, faults: Faults, keys: Keys) -> None:
        super().__init__(venue, faults, keys, MexcRest(venue, keys=keys, now=self.now_ms))

    def session(self, query: Mapping[str, Any]) -> MexcSession:
        return MexcSession(self.venue, query=query, listen_keys=self.rest.listen_keys, now=self.now_ms)

    def refusal(self, ask: Ask, code: str, message: str, status: int | None) -> Answer:
        if ask.method == "WS":
            asked = json.loads(ask.message["text"])
            return answer_json({"id": asked.get("id", 0), "code": int(code), "msg": message})
        return answer_json({"code": int(code), "msg": message, "_extend": None}, status or 400)

    def banned(self, ask: Ask, retry_after_s: int) -> Answer:
        headers = {"Retry-After": str(retry_after_s)}
        return answer_json({"code": 429, "msg": "Too Many Requests"}, 429, headers)

    def nothing(self, ask: Ask) -> Answer:
        if ask.kind in {"open_orders", "orders", "trades"}:
            return answer_json([])
        return self.refusal(ask, str(NO_SUCH_ORDER[0]), NO_SUCH_ORDER[1], None)


def new_venue(**over: Any) -> Venue:
    """Four markets. Fees are in USDT, on buys too; a post-only order that would match is taken and cancelled."""
    markets = [
        _market("BTC", "0.01", "0.00000001", "0.000001"),
        _market("ETH", "0.01", "0.00001", "0.00001"),
        _market("ADA", "0.0001", "0.01", "0.01"),
        _market("LTC", "0.01", "0.0001", "0.0001"),
    ]
    usual: dict[str, Any] = {"balances": {"USDT": Decimal(10_000)}, "fee_coin": "USDT", "post_only": "expires"}
    rates = {"maker": Decimal(0), "taker": Decimal("0.0005")}
    return Venue(markets, **usual | rates | over)


def _market(base: str, tick: str, step: str, least: str) -> VenueMarket:
    return VenueMarket(
        id=f"{base}USDT",
        base=base,
        quote="USDT",
        tick=Decimal(tick),
        step=Decimal(step),
        min_qty=Decimal(least),
        min_notional=Decimal(1),
    )


FRONT_END = MexcFrontEnd
