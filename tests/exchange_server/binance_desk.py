"""How Binance takes a request: its fields, its routes, who may ask, and how much one may ask."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.exchange_server.binance_rules import Said
from tests.exchange_server.front_end import Ask, Keys

RECEIVED_WITHIN_MS = 5_000
AHEAD_MS = 1_000
CLIENT_ID = re.compile(r"[.A-Za-z0-9:/_-]{1,36}")


class Fields:
    """The parameters of one request."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def maybe(self, name: str) -> str | None:
        value = self._values.get(name)
        return None if value is None or value == "" else str(value)

    def text(self, name: str) -> str:
        value = self.maybe(name)
        if value is None:
            raise Said(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return value

    def number(self, name: str) -> Decimal:
        value = self.text(name)
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise Said(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^([0-9]{{1,20}})$'.")
        return number

    def whole(self, name: str, default: int | None = None) -> int | None:
        return default if self.maybe(name) is None else int(self.number(name))

    def yes(self, name: str) -> bool:
        return (self.maybe(name) or "").lower() == "true"

    def client_id(self, name: str) -> str | None:
        value = self.maybe(name)
        if value is not None and not CLIENT_ID.fullmatch(value):
            raise Said(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{CLIENT_ID.pattern}'.")
        return value

    def refuse(self, *names: str) -> None:
        """These may not be there."""
        for name in names:
            if self.maybe(name) is not None:
                raise Said(-1106, f"Parameter '{name}' sent when not required.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One thing that can be asked for."""

    kind: str
    handle: Callable[[Fields], Any]
    security: str = "signed"
    """`none`, `key` (the key alone), `signed`, or `trade` (signed, with the permission to trade)."""
    weight: int = 1


Routes = dict[tuple[str, str], Route]


def check_asker(ask: Ask, route: Route, keys: Keys, now_ms: int) -> None:
    """Raises Said where whoever asks is not the trader, or not now."""
    if route.security == "none":
        return
    if ask.message is None:
        fields, key, payload = ask.params, ask.headers.get("X-MBX-APIKEY", ""), _payload(f"{ask.query}{ask.body}")
    else:
        fields = ask.message
        key = str(fields.get("apiKey", ""))
        payload = "&".join(f"{name}={_wire(each)}" for name, each in sorted(fields.items()) if name != "signature")
    check_key(key, keys, trades=route.security == "trade")
    if route.security == "key":
        return
    signature = hmac.new(keys.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature, str(fields.get("signature", ""))):
        raise Said(-1022, "Signature for this request is not valid.")
    at_ms = int(Fields(fields).number("timestamp"))
    if at_ms > now_ms + AHEAD_MS:
        raise Said(-1021, f"Timestamp for this request was {AHEAD_MS}ms ahead of the server's time.")
    if now_ms - at_ms > (Fields(fields).whole("recvWindow") or RECEIVED_WITHIN_MS):
        raise Said(-1021, "Timestamp for this request is outside of the recvWindow.")


def _wire(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_key(key: str, keys: Keys, *, trades: bool) -> None:
    if not key:
        raise Said(-2014, "API-key format invalid.", 401)
    if key != keys.api_key or keys.revoked or (trades and not keys.may_trade):
        raise Said(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def _payload(sent: str) -> str:
    """What was signed: all that was sent, but for the signature itself."""
    return "&".join(part for part in sent.split("&") if not part.startswith("signature="))


class Usage:
    """How much was asked for in this minute, and how many orders were sent."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        """The weight that one minute takes; None: counted, but never refused."""
        self._minute, self._weight = 0, 0
        self._ten_seconds, self._orders = 0, 0
        self._day, self._orders_today = 0, 0

    def take(self, weight: int, now_ms: int) -> int | None:
        """Counts; after how many seconds to come back, where it was too much."""
        if now_ms // 60_000 != self._minute:
            self._minute, self._weight = now_ms // 60_000, 0
        self._weight += weight
        if self.limit is not None and self._weight > self.limit:
            return 60 - now_ms // 1000 % 60
        return None

    def order(self, now_ms: int) -> None:
        if now_ms // 10_000 != self._ten_seconds:
            self._ten_seconds, self._orders = now_ms // 10_000, 0
        if now_ms // 86_400_000 != self._day:
            self._day, self._orders_today = now_ms // 86_400_000, 0
        self._orders += 1
        self._orders_today += 1

    def headers(self, *, orders: bool) -> dict[str, str]:
        weight = str(self._weight)
        told = {"X-MBX-USED-WEIGHT": weight, "X-MBX-USED-WEIGHT-1M": weight}
        if orders:
            told |= {"X-MBX-ORDER-COUNT-10S": str(self._orders), "X-MBX-ORDER-COUNT-1D": str(self._orders_today)}
        return told
