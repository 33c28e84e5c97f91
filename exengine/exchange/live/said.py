"""What an exchange says of orders and trades, read from ccxt's structures into exact values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from exengine.domain.money import ZERO, arithmetic
from exengine.domain.order import Liquidity
from exengine.exchange.live.profiles import Profile
from exengine.exchange.market_rules import number


class Standing(Enum):
    """How an order stands, as far as the exchange's own status can be believed."""

    OPEN = "open"
    CANCELLED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    CLOSED = "closed"
    """It is over; whether it filled, only the filled amount tells."""


_STANDINGS = {
    "open": Standing.OPEN,
    "canceling": Standing.OPEN,
    "canceled": Standing.CANCELLED,
    "cancelled": Standing.CANCELLED,
    "expired": Standing.EXPIRED,
    "rejected": Standing.REJECTED,
    "closed": Standing.CLOSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeSaid:
    """One execution. `fee` is None where the exchange has not said it yet; above zero = paid."""

    trade_id: str
    exchange_order_id: str
    client_id: str | None
    at_ms: int
    price: Decimal
    qty: Decimal
    fee: Decimal | None
    fee_currency: str
    liquidity: Liquidity


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSaid:
    """One order. What is None was not said."""

    client_id: str | None
    exchange_order_id: str | None
    symbol: str
    standing: Standing | None
    filled_qty: Decimal | None
    trades: tuple[TradeSaid, ...] = ()
    why: str = ""
    """Why it was rejected, in the exchange's words."""


def order_said(profile: Profile, order: Mapping[str, Any]) -> OrderSaid:
    """Raises ValueError where a number is none, or where it is no order at all."""
    info = order.get("info")
    if not isinstance(info, Mapping):
        raise ValueError(f"{profile.name} answered with something that is no order")
    exchange_id = order.get("id")
    trades = [trade for trade in order.get("trades") or () if trade.get("id")]
    return OrderSaid(
        client_id=_client_id(profile, info) or _bare(profile, order.get("clientOrderId")),
        exchange_order_id=str(exchange_id) if exchange_id else None,
        symbol=str(order.get("symbol") or ""),
        standing=_STANDINGS.get(str(order.get("status") or "").lower()),
        filled_qty=number(order.get("filled")),
        trades=tuple(trade_said(profile, trade) for trade in trades),
        why=str(_first(info, ("rejectReason", "r", "cancelReason", "msg")) or ""),
    )


def trade_said(profile: Profile, trade: Mapping[str, Any], *, by_stream: bool = False) -> TradeSaid:
    """Raises ValueError where a number is none, or what makes a trade is missing."""
    price, qty = number(trade.get("price")), number(trade.get("amount"))
    if not price or not qty or not trade.get("id"):
        raise ValueError(f"{profile.name} told of a trade without an id, a price or a quantity")
    info = trade.get("info") or {}
    fee, currency = _fee(trade)
    currency = str(_first(info, profile.fee_currency_keys) or currency)
    if by_stream and fee is not None:
        fee *= profile.stream_fee_sign
    return TradeSaid(
        trade_id=str(trade["id"]),
        exchange_order_id=str(trade.get("order") or ""),
        client_id=_client_id(profile, info),
        at_ms=int(trade.get("timestamp") or 0),
        price=price,
        qty=qty,
        fee=fee,
        fee_currency=currency,
        liquidity=Liquidity.MAKER if _is_maker(profile, trade, info) else Liquidity.TAKER,
    )


def summed(trades: Iterable[TradeSaid]) -> Decimal:
    with arithmetic():
        return sum((trade.qty for trade in trades), ZERO)


def _is_maker(profile: Profile, trade: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    own = info.get(profile.liquidity_key)
    return trade.get("takerOrMaker") == "maker" if own is None else own in (True, 1, "1", "true")


def _client_id(profile: Profile, info: Mapping[str, Any]) -> str | None:
    return _bare(profile, _first(info, profile.id_keys))


def _bare(profile: Profile, client_id: object) -> str | None:
    """The client order id as we made it, without what the exchange puts before it."""
    return str(client_id).removeprefix(profile.id_prefix) if client_id else None


def _first(info: Mapping[str, Any], keys: Iterable[str]) -> object:
    return next((info[key] for key in keys if info.get(key)), None)


def _fee(trade: Mapping[str, Any]) -> tuple[Decimal | None, str]:
    """A trade's fee in one currency; None where it is not said."""
    said = [fee for fee in trade.get("fees") or () if fee and fee.get("currency")]
    if not said and (trade.get("fee") or {}).get("currency"):
        said = [trade["fee"]]
    costs = [(number(fee.get("cost")), str(fee["currency"])) for fee in said]
    known = [(cost, currency) for cost, currency in costs if cost is not None]
    if not known:
        return None, ""
    currency = known[0][1]
    with arithmetic():
        return sum((cost for cost, of in known if of == currency), ZERO), currency
