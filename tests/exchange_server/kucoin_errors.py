"""KuCoin's noes, how it signs, and how it reads a number."""

import base64
import hashlib
import hmac
from decimal import Decimal, InvalidOperation

from tests.exchange_server.kucoin_rows import Row
from tests.exchange_server.values import RefusalKind

REFUSALS: dict[RefusalKind, tuple[str, str]] = {
    "insufficient": ("200004", "Balance insufficient!"),
    "price_filter": ("600100", "Order price increment invalid."),
    "lot_size": ("400100", "Order size below the minimum requirement."),
    "min_notional": ("600101", "The order funds should more then 0.1 USDT."),
    "max_qty": ("400100", "Order size above the maximum requirement."),
    "duplicate": ("400100", "validation.createOrder.clientOidDuplicated"),
    "would_match": ("300000", "post only order would be filled immediately"),
    "unknown_symbol": ("900001", "symbol not exists"),
    "halted": ("200001", "Order creation for this pair suspended"),
    "unknown_order": ("400100", "order_not_exist_or_not_allow_to_cancel"),
    "reduce_only": ("400100", "Parameter error"),
    "bad_request": ("400100", "Parameter error"),
}
INCREMENT_INVALID = ("600100", "Order size increment invalid.")
NO_SUCH_ORDER = ("400100", "The order does not exist.")


class KucoinError(Exception):
    """An answer with a code other than 200000; most come with HTTP 200."""

    def __init__(self, code: str, message: str, *, status: int = 200) -> None:
        super().__init__(f"{code} {message}")
        self.code, self.message, self.status = code, message, status


def signature(secret: str, words: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), words.encode(), hashlib.sha256).digest()).decode()


def number(asked: Row, name: str) -> Decimal | None:
    """Raises KucoinError where it is there and is no number."""
    raw = asked.get(name)
    if raw is None or raw == "":
        return None
    try:
        return Decimal(str(raw))
    except InvalidOperation:
        raise KucoinError("400100", f"{name} is invalid") from None
