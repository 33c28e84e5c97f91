"""What KuCoin says of a market, an order, a fill and a balance, over REST and in its streams."""

from decimal import Decimal
from typing import Any

from tests.exchange_server.values import VenueMarket, VenueOrder, VenueTrade

Row = dict[str, Any]


def text(number: Decimal) -> str:
    """Plain digits, no exponent, no trailing zeros."""
    digits = format(number, "f")
    return (digits.rstrip("0").rstrip(".") or "0") if "." in digits else digits


def symbol_row(market: VenueMarket) -> Row:
    """One market of GET /api/v2/symbols. The fee is charged in the quote coin, on buys too."""
    return {
        "symbol": market.id,
        "name": market.id,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "feeCurrency": market.quote,
        "market": "USDS",
        "baseMinSize": text(market.min_qty),
        "quoteMinSize": text(market.min_notional),
        "baseMaxSize": text(market.max_qty) if market.max_qty is not None else "10000000000",
        "quoteMaxSize": "99999999",
        "baseIncrement": text(market.step),
        "quoteIncrement": text(market.tick * market.step),
        "priceIncrement": text(market.tick),
        "priceLimitRate": "0.1",
        "minFunds": text(market.min_notional),
        "isMarginEnabled": False,
        "enableTrading": market.trading,
        "feeCategory": 1,
        "makerFeeCoefficient": "1.00",
        "takerFeeCoefficient": "1.00",
        "st": False,
    }


def currency_row(coin: str) -> Row:
    """One coin of GET /api/v3/currencies."""
    known = {"currency": coin, "name": coin, "fullName": coin, "precision": 8, "confirms": None}
    return known | {"contractAddress": None, "isMarginEnabled": False, "isDebitEnabled": False, "chains": []}


def ticker_row(market: VenueMarket, last: Decimal, maker: Decimal, taker: Decimal) -> Row:
    """One market of GET /api/v1/market/allTickers: `buy` is the best bid, `sell` the best ask."""
    return {
        "symbol": market.id,
        "symbolName": market.id,
        "buy": text(last),
        "bestBidSize": "1",
        "sell": text(last + market.tick),
        "bestAskSize": "1",
        "changeRate": "0",
        "changePrice": "0",
        "high": text(last),
        "low": text(last),
        "vol": "0",
        "volValue": "0",
        "last": text(last),
        "averagePrice": text(last),
        "takerFeeRate": text(taker),
        "makerFeeRate": text(maker),
        "takerCoefficient": "1",
        "makerCoefficient": "1",
    }


def fee_of(order: VenueOrder) -> Decimal:
    return sum((trade.fee for trade in order.trades), Decimal(0))


def funds_of(order: VenueOrder) -> Decimal:
    return order.qty * order.price if order.price is not None else Decimal(0)


def order_row(order: VenueOrder, market: VenueMarket, *, hf: bool) -> Row:
    """One order. The high-frequency account says `active` and what is left, the classic one `isActive` and no more."""
    active = order.is_open
    unfilled = order.qty - order.filled
    cancelled = not active and order.status != "filled"
    row: Row = {
        "id": order.id,
        "symbol": market.id,
        "opType": "DEAL",
        "type": order.type,
        "side": order.side,
        "price": text(order.price) if order.price is not None else "0",
        "size": text(order.qty),
        "funds": text(funds_of(order)),
        "dealSize": text(order.filled),
        "dealFunds": text(order.quote_filled),
        "fee": text(fee_of(order)),
        "feeCurrency": order.trades[-1].fee_currency if order.trades else market.quote,
        "stp": None if hf else "",
        "timeInForce": order.tif,
        "postOnly": order.post_only,
        "hidden": False,
        "iceberg": False,
        "visibleSize": "0",
        "cancelAfter": 0,
        "channel": "API",
        "clientOid": order.client_id or "",
        "remark": None,
        "tags": "partner:ccxt",
        "cancelExist": cancelled,
        "createdAt": order.created_ms,
        "tradeType": "TRADE",
    }
    if not hf:
        return row | {"stop": None, "stopTriggered": False, "stopPrice": "0", "isActive": active}
    price = order.price or Decimal(0)
    return row | {
        "lastUpdatedAt": order.updated_ms,
        "inOrderBook": active,
        "cancelledSize": text(unfilled) if cancelled else "0",
        "cancelledFunds": text(unfilled * price) if cancelled else "0",
        "remainSize": text(unfilled) if active else "0",
        "remainFunds": text(unfilled * price) if active else "0",
        "tax": "0",
        "active": active,
    }


def sync_row(order: VenueOrder, at_ms: int) -> Row:
    """The answer of the `sync` endpoints, the only ones that say what became of the order."""
    active = order.is_open
    unfilled = order.qty - order.filled
    return {
        "orderId": order.id,
        "clientOid": order.client_id or "",
        "orderTime": order.created_ms,
        "originSize": text(order.qty),
        "dealSize": text(order.filled),
        "remainSize": text(unfilled) if active else "0",
        "canceledSize": "0" if active else text(unfilled),
        "status": "open" if active else "done",
        "matchTime": at_ms,
    }


def fill_row(trade: VenueTrade, market: VenueMarket) -> Row:
    """One fill of GET /api/v1/hf/fills and /api/v1/fills: no client id."""
    order = trade.order
    funds = trade.price * trade.qty
    return {
        "id": int(trade.id),
        "symbol": market.id,
        "tradeId": trade.id,
        "orderId": order.id,
        "counterOrderId": "000000000000000000000000",
        "side": order.side,
        "liquidity": "maker" if trade.maker else "taker",
        "forceTaker": not trade.maker,
        "price": text(trade.price),
        "size": text(trade.qty),
        "funds": text(funds),
        "fee": text(trade.fee),
        "feeRate": text((trade.fee / funds).normalize()) if trade.fee_currency == market.quote else "",
        "feeCurrency": trade.fee_currency,
        "stop": "",
        "tradeType": "TRADE",
        "taxRate": "0",
        "tax": "0",
        "type": order.type,
        "createdAt": trade.at_ms,
    }


def order_change(order: VenueOrder, market: VenueMarket, kind: str, trade: VenueTrade | None, at_ms: int) -> Row:
    """The `data` of one message of /spotMarket/tradeOrders; `kind` is open, match, filled or canceled.

    A fill's fee is not in it.
    """
    unfilled = order.qty - order.filled
    data: Row = {
        "clientOid": order.client_id or "",
        "orderId": order.id,
        "orderTime": order.created_ms,
        "orderType": order.type,
        "originSize": text(order.qty),
        "side": order.side,
        "status": "done" if kind in {"filled", "canceled"} else kind,
        "symbol": market.id,
        "ts": at_ms * 1_000_000,
        "type": kind,
        "canceledSize": text(unfilled) if kind == "canceled" else "0",
        "filledSize": text(order.filled),
        "price": text(order.price) if order.price is not None else "0",
        "remainSize": "0" if kind in {"filled", "canceled"} else text(unfilled),
        "size": text(order.qty),
    }
    if trade is not None:
        data |= {
            "feeType": "makerFee" if trade.maker else "takerFee",
            "liquidity": "maker" if trade.maker else "taker",
            "matchPrice": text(trade.price),
            "matchSize": text(trade.qty),
            "tradeId": trade.id,
        }
    return data


def trade_fill(trade: VenueTrade, market: VenueMarket) -> Row:
    """The `data` of one message of /spot/tradeFills: with the fee, without the client id."""
    row = fill_row(trade, market)
    wanted = ("fee", "feeCurrency", "feeRate", "orderId", "price", "side", "size", "symbol", "tradeId")
    return {name: row[name] for name in wanted} | {"orderType": row["type"], "time": str(trade.at_ms * 1_000_000)}
