"""KuCoin, classic accounts: REST, tokens for its websockets, and the topics of orders, fills, balances and prices."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from tests.exchange_server.faults import Faults
from tests.exchange_server.front_end import Answer, Ask, Keys, answer_json
from tests.exchange_server.kucoin_errors import NO_SUCH_ORDER
from tests.exchange_server.kucoin_rest import KucoinRest
from tests.exchange_server.kucoin_streams import KucoinSession
from tests.exchange_server.plain_front import PlainFrontEnd
from tests.exchange_server.values import VenueMarket
from tests.exchange_server.venue import Venue

EMPTY_LISTS = {"open_orders": [], "orders": {"items": [], "lastId": 0}, "trades": {"items": [], "lastId": 0}}


class KucoinFrontEnd(PlainFrontEnd):
    """`rest.hf = False` makes it an account that was never moved to the high-frequency system."""

    hosts: ClassVar[frozenset[str]] = frozenset({"api.kucoin.com", "ws-api-spot.kucoin.com"})
    rest: KucoinRest

    def __init__(self, venue: Venue, faults: Faults, keys: Keys) -> None:
        super().__init__(venue, faults, keys, KucoinRest(venue, keys=keys, now=self.now_ms))

    def session(self, query: Mapping[str, Any]) -> KucoinSession:
        return KucoinSession(self.venue, query=query, tokens=self.rest.tokens, now=self.now_ms)

    def limits(self) -> Mapping[str, str]:
        return {"gw-ratelimit-limit": "4000", "gw-ratelimit-remaining": "3990", "gw-ratelimit-reset": "29000"}

    def refusal(self, ask: Ask, code: str, message: str, status: int | None) -> Answer:
        if ask.method == "WS":
            asked = json.loads(ask.message["text"])
            return answer_json({"id": asked.get("id"), "type": "error", "code": int(code), "data": message})
        return answer_json({"code": code, "msg": message}, status or 200, self.limits())

    def banned(self, ask: Ask, retry_after_s: int) -> Answer:
        """No Retry-After here: the header is in milliseconds and has a name of its own."""
        headers = {"gw-ratelimit-limit": "4000", "gw-ratelimit-remaining": "0"}
        headers["gw-ratelimit-reset"] = str(retry_after_s * 1000)
        return answer_json({"code": "429000", "msg": "Too many requests in a short period of time."}, 429, headers)

    def nothing(self, ask: Ask) -> Answer:
        if ask.kind in EMPTY_LISTS:
            return answer_json({"code": "200000", "data": EMPTY_LISTS[ask.kind]})
        return self.refusal(ask, *NO_SUCH_ORDER, None)


def new_venue(**over: Any) -> Venue:
    """Four markets. Fees are in USDT, on buys too; a post-only order that would match is taken and cancelled."""
    markets = [
        _market("BTC", "0.1", "0.00001", "0.00001"),
        _market("ETH", "0.01", "0.0001", "0.0001"),
        _market("ADA", "0.0001", "0.01", "0.1"),
        _market("LTC", "0.001", "0.0001", "0.001"),
    ]
    usual: dict[str, Any] = {"balances": {"USDT": Decimal(10_000)}, "fee_coin": "USDT", "post_only": "expires"}
    return Venue(markets, **usual | over)


def _market(base: str, tick: str, step: str, least: str) -> VenueMarket:
    return VenueMarket(
        id=f"{base}-USDT",
        base=base,
        quote="USDT",
        tick=Decimal(tick),
        step=Decimal(step),
        min_qty=Decimal(least),
        max_qty=Decimal(10_000_000_000),
        min_notional=Decimal("0.1"),
    )


FRONT_END = KucoinFrontEnd
