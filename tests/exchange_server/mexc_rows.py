"""What MEXC says of a market, an order, a trade and a balance: JSON over REST, protobuf in its streams."""

from decimal import Decimal
from typing import Any

from tests.exchange_server.values import VenueMarket, VenueOrder, VenueTrade

Row = dict[str, Any]

TYPE_NUMBER = {"LIMIT": 1, "LIMIT_MAKER": 2, "IMMEDIATE_OR_CANCEL": 3, "FILL_OR_KILL": 4, "MARKET": 5}
STATUS_NUMBER = {"NEW": 1, "FILLED": 2, "PARTIALLY_FILLED": 3, "CANCELED": 4, "PARTIALLY_CANCELED": 5}


def text(number: Decimal) -> str:
    """Plain digits, no exponent, no trailing zeros."""
    digits = format(number, "f")
    return (digits.rstrip("0").rstrip(".") or "0") if "." in digits else digits


def places(step: Decimal) -> int:
    """How many decimals a power of ten has: MEXC names its steps only so."""
    exponent = step.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or step.normalize() != Decimal(1).scaleb(exponent) or exponent > 0:
        raise ValueError(f"MEXC has only steps that are a power of ten, up to 1: {step}")
    return -exponent


def symbol_row(market: VenueMarket, maker: Decimal, taker: Decimal) -> Row:
    """One market of GET /api/v3/exchangeInfo: the filters are empty, the rules stand beside them."""
    least = text(market.min_notional)
    return {
        "symbol": market.id,
        "status": "1" if market.trading else "2",
        "baseAsset": market.base,
        "baseAssetPrecision": places(market.step),
        "quoteAsset": market.quote,
        "quotePrecision": places(market.tick),
        "quoteAssetPrecision": places(market.tick),
        "baseCommissionPrecision": places(market.step),
        "quoteCommissionPrecision": places(market.tick),
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
        "isSpotTradingAllowed": market.trading,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": least,
        "baseSizePrecision": text(market.min_qty),
        "permissions": ["SPOT"],
        "filters": [],
        "maxQuoteAmount": "2000000",
        "makerCommission": text(maker),
        "takerCommission": text(taker),
        "quoteAmountPrecisionMarket": least,
        "maxQuoteAmountMarket": "100000",
        "fullName": market.base,
        "tradeSideType": 1,
    }


def day_ticker_row(market: VenueMarket, last: Decimal, at_ms: int) -> Row:
    """One market of GET /api/v3/ticker/24hr."""
    price = text(last)
    return {
        "symbol": market.id,
        "priceChange": "0",
        "priceChangePercent": "0",
        "prevClosePrice": price,
        "lastPrice": price,
        "bidPrice": price,
        "bidQty": "1",
        "askPrice": text(last + market.tick),
        "askQty": "1",
        "openPrice": price,
        "highPrice": price,
        "lowPrice": price,
        "volume": "0",
        "quoteVolume": "0",
        "openTime": at_ms - 86_400_000,
        "closeTime": at_ms,
        "count": None,
    }


def book_ticker_row(market: VenueMarket, last: Decimal, at_ms: int) -> Row:
    """One market of GET /api/v3/ticker/bookTicker."""
    wanted = ("symbol", "bidPrice", "bidQty", "askPrice", "askQty")
    row = day_ticker_row(market, last, at_ms)
    return {name: row[name] for name in wanted}


def order_type(order: VenueOrder) -> str:
    """One field says the kind, the time in force and post-only; `timeInForce` itself is always null."""
    if order.type == "market":
        return "MARKET"
    if order.post_only:
        return "LIMIT_MAKER"
    return {"GTC": "LIMIT", "IOC": "IMMEDIATE_OR_CANCEL", "FOK": "FILL_OR_KILL"}[order.tif]


def order_status(order: VenueOrder) -> str:
    match order.status:
        case "new":
            return "NEW"
        case "partially_filled":
            return "PARTIALLY_FILLED"
        case "filled":
            return "FILLED"
        case _:
            return "PARTIALLY_CANCELED" if order.filled else "CANCELED"


def accepted_row(order: VenueOrder, market: VenueMarket) -> Row:
    """The answer to POST /api/v3/order: an id, no status and no client id."""
    return {
        "symbol": market.id,
        "orderId": order.id,
        "orderListId": -1,
        "price": text(order.price) if order.price is not None else "0",
        "origQty": text(order.qty),
        "type": order_type(order),
        "side": order.side.upper(),
        "stpMode": "",
        "transactTime": order.created_ms,
    }


def cancelled_row(order: VenueOrder, market: VenueMarket) -> Row:
    """The answer to DELETE /api/v3/order."""
    return {
        "symbol": market.id,
        "origClientOrderId": order.client_id,
        "orderId": order.id,
        "clientOrderId": order.client_id,
        "price": text(order.price) if order.price is not None else "0",
        "origQty": text(order.qty),
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.quote_filled),
        "status": order_status(order),
        "timeInForce": None,
        "type": order_type(order),
        "side": order.side.upper(),
    }


def order_row(order: VenueOrder, market: VenueMarket) -> Row:
    """One order of GET /api/v3/order, /openOrders and /allOrders: no fee in it."""
    return {
        "symbol": market.id,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": text(order.price) if order.price is not None else "0",
        "origQty": text(order.qty),
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.quote_filled),
        "status": order_status(order),
        "timeInForce": None,
        "type": order_type(order),
        "side": order.side.upper(),
        "stopPrice": None,
        "icebergQty": None,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.is_open,
        "stpMode": "",
        "cancelReason": "",
        "origQuoteOrderQty": text(order.qty * order.price) if order.price is not None else "0",
    }


def trade_row(trade: VenueTrade, market: VenueMarket) -> Row:
    """One trade of GET /api/v3/myTrades, with the client id and the fee."""
    return {
        "symbol": market.id,
        "id": trade.id,
        "orderId": trade.order.id,
        "orderListId": -1,
        "price": text(trade.price),
        "qty": text(trade.qty),
        "quoteQty": text(trade.price * trade.qty),
        "commission": text(trade.fee),
        "commissionAsset": trade.fee_currency,
        "time": trade.at_ms,
        "isBuyer": trade.order.side == "buy",
        "isMaker": trade.maker,
        "isBestMatch": True,
        "isSelfTrade": False,
        "clientOrderId": trade.order.client_id,
    }


def order_push(order: VenueOrder, market: VenueMarket, trade: VenueTrade | None) -> Row:
    """The fields of PrivateOrdersV3Api."""
    unfilled = order.qty - order.filled
    price = order.price or Decimal(0)
    return {
        "id": order.id,
        "clientId": order.client_id or "",
        "price": text(price),
        "quantity": text(order.qty),
        "amount": text(order.qty * price),
        "avgPrice": text((order.quote_filled / order.filled).normalize()) if order.filled else "0",
        "orderType": TYPE_NUMBER[order_type(order)],
        "tradeType": 1 if order.side == "buy" else 2,
        "isMaker": bool(trade and trade.maker),
        "remainAmount": text(unfilled * price),
        "remainQuantity": text(unfilled),
        "lastDealQuantity": text(trade.qty) if trade else "0",
        "cumulativeQuantity": text(order.filled),
        "cumulativeAmount": text(order.quote_filled),
        "status": STATUS_NUMBER[order_status(order)],
        "createTime": order.created_ms,
        "market": market.id,
    }


def deal_push(trade: VenueTrade) -> Row:
    """The fields of PrivateDealsV3Api."""
    return {
        "price": text(trade.price),
        "quantity": text(trade.qty),
        "amount": text(trade.price * trade.qty),
        "tradeType": 1 if trade.order.side == "buy" else 2,
        "isMaker": trade.maker,
        "isSelfTrade": False,
        "tradeId": trade.id,
        "clientOrderId": trade.order.client_id or "",
        "orderId": trade.order.id,
        "feeAmount": text(trade.fee),
        "feeCurrency": trade.fee_currency,
        "time": trade.at_ms,
    }
