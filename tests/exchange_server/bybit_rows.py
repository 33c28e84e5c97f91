"""What Bybit's v5 says of an instrument, an order, an execution, a wallet and a position."""

import hashlib
from decimal import Decimal
from typing import Any

from tests.exchange_server.values import VenueMarket, VenueOrder, VenueTrade

Row = dict[str, Any]

STATUS = {"new": "New", "partially_filled": "PartiallyFilled", "filled": "Filled", "rejected": "Rejected"}


def text(number: Decimal) -> str:
    """Plain digits, no exponent, no trailing zeros: as the exchange writes most of its numbers."""
    digits = format(number, "f")
    return (digits.rstrip("0").rstrip(".") or "0") if "." in digits else digits


def symbol_of(market: VenueMarket) -> str:
    """Bybit's own name, the same for a pair and its perpetual, whatever the venue calls the market."""
    return market.base + market.quote


def category_of(market: VenueMarket) -> str:
    return "spot" if market.type == "spot" else "linear"


def execution_id(trade: VenueTrade, market: VenueMarket) -> str:
    """Digits on spot, a UUID on contracts."""
    if market.type == "spot":
        return f"22{trade.id.rjust(17, '0')}"
    figures = hashlib.md5(trade.id.encode()).hexdigest()
    return "-".join((figures[:8], figures[8:12], figures[12:16], figures[16:20], figures[20:]))


def order_status(order: VenueOrder, market: VenueMarket) -> str:
    """A part that was filled shows in the status on spot only; a contract's order is just `Cancelled`."""
    if order.status in STATUS:
        return STATUS[order.status]
    if market.type != "spot":
        return "Cancelled"
    if order.filled:
        return "PartiallyFilledCanceled"
    return "Rejected" if order.post_only and order.status == "expired" else "Cancelled"


def reject_reason(order: VenueOrder, market: VenueMarket) -> str:
    if order.status in {"new", "partially_filled", "filled"}:
        return "EC_NoError"
    if order.post_only and order.status == "expired":
        return "EC_PostOnlyWillTakeLiquidity"
    if order.status == "canceled":
        return "EC_NoError" if market.type == "spot" else "EC_PerCancelRequest"
    return "EC_CancelForNoFullFill" if order.tif == "FOK" else "EC_NoImmediateQtyToFill"


def fees_of(order: VenueOrder) -> dict[str, Decimal]:
    fees: dict[str, Decimal] = {}
    for trade in order.trades:
        fees[trade.fee_currency] = fees.get(trade.fee_currency, Decimal(0)) + trade.fee
    return fees


def order_row(order: VenueOrder, market: VenueMarket) -> Row:
    """One order, as GET /v5/order/realtime, GET /v5/order/history and the `order` topic all show it.

    A spot order has no `tpslMode` and no `createType`: that is how ccxt tells the two apart.
    """
    leaves = order.leaves if order.is_open else Decimal(0)
    fees = fees_of(order)
    row: Row = {
        "orderId": order.id,
        "orderLinkId": order.client_id or "",
        "blockTradeId": "",
        "symbol": symbol_of(market),
        "price": text(order.price) if order.price is not None else "0",
        "qty": text(order.qty if order.quote_qty is None else order.quote_qty),
        "side": order.side.capitalize(),
        "isLeverage": "0" if market.type == "spot" else "",
        "positionIdx": 0,
        "orderStatus": order_status(order, market),
        "cancelType": "CancelByUser" if order.status == "canceled" else "UNKNOWN",
        "rejectReason": reject_reason(order, market),
        "avgPrice": text(order.quote_filled / order.filled / market.contract_size) if order.filled else "",
        "leavesQty": text(leaves),
        "leavesValue": text(leaves * order.price) if order.price is not None else "0",
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.quote_filled),
        "cumExecFee": text(sum(fees.values(), Decimal(0))),
        "timeInForce": "PostOnly" if order.post_only else "IOC" if order.type == "market" else order.tif,
        "orderType": order.type.capitalize(),
        "stopOrderType": "",
        "orderIv": "",
        "marketUnit": market_unit(order, market),
        "triggerPrice": "0.00",
        "takeProfit": "",
        "stopLoss": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": False,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "placeType": "",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        "cumFeeDetail": {coin: text(fee) for coin, fee in fees.items()},
    }
    if market.type != "spot":
        row |= {"tpslMode": "", "createType": "CreateByUser", "lastPriceOnCreated": "", "isLeverage": ""}
    return row


def market_unit(order: VenueOrder, market: VenueMarket) -> str:
    if order.type != "market" or market.type != "spot":
        return ""
    return "baseCoin" if order.quote_qty is None else "quoteCoin"


def execution_row(trade: VenueTrade, market: VenueMarket) -> Row:
    """One fill, as GET /v5/execution/list shows it; the `execution` topic adds the category."""
    order = trade.order
    row: Row = {
        "symbol": symbol_of(market),
        "orderId": order.id,
        "orderLinkId": order.client_id or "",
        "side": order.side.capitalize(),
        "orderPrice": text(order.price) if order.price is not None else "0",
        "orderQty": text(order.qty),
        "leavesQty": text(order.qty - filled_up_to(trade)),
        "orderType": order.type.capitalize(),
        "stopOrderType": "" if market.type == "spot" else "UNKNOWN",
        "execFee": text(trade.fee),
        "feeCurrency": trade.fee_currency,
        "execId": execution_id(trade, market),
        "execPrice": text(trade.price),
        "execQty": text(trade.qty),
        "execType": "Trade",
        "execValue": text(trade.price * trade.qty * market.contract_size),
        "execTime": str(trade.at_ms),
        "isMaker": trade.maker,
        "feeRate": text((trade.fee / fee_base(trade, market)).normalize()),
        "tradeIv": "",
        "markIv": "",
        "markPrice": "",
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "",
        "seq": int(trade.id),
    }
    if market.type != "spot":
        row |= {"createType": "CreateByUser", "markPrice": text(trade.price), "closedSize": "0"}
    return row


def pushed_execution(trade: VenueTrade, market: VenueMarket) -> Row:
    """The same on the `execution` topic, which names the category, and the fee's coin by another name."""
    row = execution_row(trade, market)
    row["feeCoin"] = row.pop("feeCurrency")
    return row | {"category": category_of(market), "isLeverage": "0", "marketUnit": "", "execPnl": text(trade.realised)}


def public_trade(market: VenueMarket, price: Decimal, now_ms: int) -> Row:
    """One trade of others, as the `publicTrade` topic tells it."""
    trade = {"T": now_ms, "s": symbol_of(market), "S": "Buy", "v": "0.001", "p": text(price), "i": f"local-{now_ms}"}
    return trade | {"BT": False}


def filled_up_to(trade: VenueTrade) -> Decimal:
    done = Decimal(0)
    for earlier in trade.order.trades:
        done += earlier.qty
        if earlier.id == trade.id:
            break
    return done


def fee_base(trade: VenueTrade, market: VenueMarket) -> Decimal:
    value = trade.price * trade.qty * market.contract_size
    return trade.qty if trade.fee_currency == market.base else value


def spot_instrument(market: VenueMarket) -> Row:
    return {
        "symbol": symbol_of(market),
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "innovation": "0",
        "status": "Trading" if market.trading else "Closed",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": text(market.step),
            "quotePrecision": "0.0000001",
            "minOrderQty": text(market.min_qty),
            "maxOrderQty": text(market.max_qty or Decimal("1000000000")),
            "minOrderAmt": text(market.min_notional),
            "maxOrderAmt": "8000000",
        },
        "priceFilter": {"tickSize": text(market.tick)},
        "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.05"},
    }


def linear_instrument(market: VenueMarket) -> Row:
    top = text(market.max_qty or Decimal("1000000"))
    return {
        "symbol": symbol_of(market),
        "contractType": "LinearPerpetual",
        "status": "Trading" if market.trading else "Closed",
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "settleCoin": market.quote,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(max(0, -int(market.tick.normalize().as_tuple().exponent))),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": text(market.tick), "maxPrice": "1999999.80", "tickSize": text(market.tick)},
        "lotSizeFilter": {
            "maxOrderQty": top,
            "minOrderQty": text(market.min_qty),
            "qtyStep": text(market.step),
            "postOnlyMaxOrderQty": top,
            "maxMktOrderQty": top,
            "minNotionalValue": text(market.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "copyTrading": "none",
    }


def ticker_row(market: VenueMarket, last: Decimal, *, stream: bool = False) -> Row:
    """The last price is the best bid. A contract's has `openInterestValue`: so ccxt tells the two apart."""
    row: Row = {
        "symbol": symbol_of(market),
        "lastPrice": text(last),
        "prevPrice24h": text(last),
        "price24hPcnt": "0",
        "highPrice24h": text(last),
        "lowPrice24h": text(last),
        "turnover24h": "243765620.65899866",
        "volume24h": "11801.27771",
    }
    if market.type == "spot":
        row["usdIndexPrice"] = text(last)
    else:
        row |= {
            "markPrice": text(last),
            "indexPrice": text(last),
            "openInterest": "68744.761",
            "openInterestValue": "1183601235.91",
            "fundingRate": "0.0001",
            "nextFundingTime": "1673280000000",
        }
    if market.type != "spot" or not stream:
        bid, ask = best(market, last)
        row |= {"bid1Price": text(bid), "bid1Size": "100", "ask1Price": text(ask), "ask1Size": "100"}
    return row


def best(market: VenueMarket, last: Decimal) -> tuple[Decimal, Decimal]:
    return last, last + market.tick
