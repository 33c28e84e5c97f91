"""What Gate's APIv4 says of a currency pair, an order, a trade and a balance, over REST and in its streams."""

from decimal import Decimal
from typing import Any

from tests.exchange_server.values import VenueMarket, VenueOrder, VenueTrade

Row = dict[str, Any]

USER = 10000001
TIF = {"GTC": "gtc", "IOC": "ioc", "FOK": "fok"}


def text(number: Decimal) -> str:
    """Plain digits, no exponent, no trailing zeros."""
    digits = format(number, "f")
    return (digits.rstrip("0").rstrip(".") or "0") if "." in digits else digits


def places(step: Decimal) -> int:
    """How many decimals a power of ten has: Gate names its steps only so."""
    exponent = step.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or step.normalize() != Decimal(1).scaleb(exponent) or exponent > 0:
        raise ValueError(f"Gate has only steps that are a power of ten, up to 1: {step}")
    return -exponent


def pair_row(market: VenueMarket, taker: Decimal) -> Row:
    """One market of GET /api/v4/spot/currency_pairs; the fee is in percent."""
    return {
        "id": market.id,
        "base": market.base,
        "base_name": market.base,
        "quote": market.quote,
        "quote_name": market.quote,
        "fee": text(taker * 100),
        "min_base_amount": text(market.min_qty),
        "min_quote_amount": text(market.min_notional),
        "max_base_amount": text(market.max_qty) if market.max_qty is not None else "",
        "max_quote_amount": "5000000",
        "amount_precision": places(market.step),
        "precision": places(market.tick),
        "trade_status": "tradable" if market.trading else "untradable",
        "sell_start": 0,
        "buy_start": 0,
        "delisting_time": 0,
        "type": "normal",
        "trade_url": f"https://www.gate.com/trade/{market.id}",
    }


def ticker_row(market: VenueMarket, last: Decimal) -> Row:
    """One pair of GET /api/v4/spot/tickers, and of the channel spot.tickers."""
    price = text(last)
    return {
        "currency_pair": market.id,
        "last": price,
        "lowest_ask": text(last + market.tick),
        "lowest_size": "1",
        "highest_bid": price,
        "highest_size": "1",
        "change_percentage": "0",
        "base_volume": "0",
        "quote_volume": "0",
        "high_24h": price,
        "low_24h": price,
    }


def fee_currency(order: VenueOrder, market: VenueMarket) -> str:
    """Where nothing has filled yet: the coin that the fee will come off."""
    if order.trades:
        return order.trades[-1].fee_currency
    return market.base if order.side == "buy" else market.quote


def finished_as(order: VenueOrder) -> str:
    match order.status:
        case "new" | "partially_filled":
            return "open"
        case "filled":
            return "filled"
        case "expired":
            return {"IOC": "ioc", "FOK": "fok"}.get(order.tif, "cancelled") if not order.post_only else "poc"
        case _:
            return "cancelled"


def status_of(order: VenueOrder) -> str:
    """`closed` is filled; everything else that has ended, an IOC's rest too, is `cancelled`."""
    if order.is_open:
        return "open"
    return "closed" if order.status == "filled" else "cancelled"


def amount_of(order: VenueOrder) -> Decimal:
    """A market buy is named in the quote coin."""
    return order.quote_qty if order.quote_qty is not None else order.qty


def order_row(order: VenueOrder, market: VenueMarket) -> Row:
    """One order, whole: the answer to creating, cancelling and asking alike."""
    fee = sum((trade.fee for trade in order.trades), Decimal(0))
    average = text((order.quote_filled / order.filled).normalize()) if order.filled else "0"
    return {
        "id": order.id,
        "text": order.client_id or "apiv4",
        "amend_text": "-",
        "create_time": str(order.created_ms // 1000),
        "update_time": str(order.updated_ms // 1000),
        "create_time_ms": order.created_ms,
        "update_time_ms": order.updated_ms,
        "status": status_of(order),
        "currency_pair": market.id,
        "type": order.type,
        "account": "spot",
        "side": order.side,
        "amount": text(amount_of(order)),
        "price": text(order.price) if order.price is not None else "0",
        "time_in_force": "poc" if order.post_only else "ioc" if order.type == "market" else TIF[order.tif],
        "iceberg": "0",
        "left": text(amount_of(order) - (order.quote_filled if order.quote_qty is not None else order.filled)),
        "filled_amount": text(order.filled),
        "fill_price": text(order.quote_filled),
        "filled_total": text(order.quote_filled),
        "avg_deal_price": average,
        "fee": text(fee),
        "fee_currency": fee_currency(order, market),
        "point_fee": "0",
        "gt_fee": "0",
        "gt_maker_fee": "0",
        "gt_taker_fee": "0",
        "gt_discount": False,
        "rebated_fee": "0",
        "rebated_fee_currency": market.quote,
        "finish_as": finished_as(order),
        "stp_id": 0,
        "stp_act": "-",
    }


def seconds(at_ms: int) -> str:
    return str(at_ms // 1000)


def trade_row(trade: VenueTrade, market: VenueMarket) -> Row:
    """One trade of GET /api/v4/spot/my_trades: the fee, and the client id as `text`, which ccxt leaves in `info`."""
    order = trade.order
    return {
        "id": trade.id,
        "create_time": seconds(trade.at_ms),
        "create_time_ms": f"{trade.at_ms}.000000",
        "currency_pair": market.id,
        "side": order.side,
        "role": "maker" if trade.maker else "taker",
        "amount": text(trade.qty),
        "price": text(trade.price),
        "order_id": order.id,
        "fee": text(trade.fee),
        "fee_currency": trade.fee_currency,
        "point_fee": "0",
        "gt_fee": "0",
        "amend_text": "-",
        "sequence_id": trade.id,
        "text": order.client_id or "apiv4",
    }


def order_push(order: VenueOrder, market: VenueMarket, event: str) -> Row:
    """One order of the channel spot.orders; `event` is put, update or finish, and there is no `status`."""
    row = order_row(order, market)
    for name in ("status", "iceberg", "fill_price", "gt_maker_fee", "gt_taker_fee"):
        del row[name]
    return row | {
        "create_time_ms": str(order.created_ms),
        "update_time_ms": str(order.updated_ms),
        "user": USER,
        "event": event,
        "biz_info": "ch:ccxt",
    }


def trade_push(trade: VenueTrade, market: VenueMarket) -> Row:
    """One trade of the channel spot.usertrades: numbers where REST has text."""
    row = trade_row(trade, market)
    return row | {"id": int(trade.id), "create_time": trade.at_ms // 1000, "user_id": USER}
