"""What OKX's v5 says of an instrument, an order, a fill, a balance and a position."""

from decimal import Decimal
from typing import Any

from tests.exchange_server.values import VenueMarket, VenueOrder, VenueTrade

Row = dict[str, Any]

STATE = {
    "new": "live",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "canceled",
    "rejected": "canceled",
}
CANCEL_WORDS = {
    "": "",
    "1": "Order canceled by user",
    "14": "Order canceled: IOC order was partially canceled due to incompletely filled",
    "31": "The post-only order will take liquidity in taker orders",
}


def text(number: Decimal) -> str:
    """Plain digits, no exponent, no trailing zeros."""
    digits = format(number, "f")
    return (digits.rstrip("0").rstrip(".") or "0") if "." in digits else digits


def inst_id(market: VenueMarket) -> str:
    """OKX's own name, whatever the venue calls the market."""
    return f"{market.base}-{market.quote}" + ("-SWAP" if market.type == "swap" else "")


def inst_type(market: VenueMarket) -> str:
    return market.type.upper()


def cancel_source(order: VenueOrder) -> str:
    if STATE[order.status] != "canceled":
        return ""
    if order.status == "canceled":
        return "1"
    return "31" if order.post_only else "14"


def ord_type(order: VenueOrder) -> str:
    if order.type == "market":
        return "market"
    if order.post_only:
        return "post_only"
    return {"GTC": "limit", "IOC": "ioc", "FOK": "fok"}[order.tif]


def fee_currency(order: VenueOrder, market: VenueMarket) -> str:
    if order.trades:
        return order.trades[-1].fee_currency
    return market.base if order.side == "buy" and market.type == "spot" else market.quote


def target(order: VenueOrder) -> str:
    return "base_ccy" if order.quote_qty is None else "quote_ccy"


def order_row(order: VenueOrder, market: VenueMarket, *, asked: Row | None = None) -> Row:
    """One order, as GET trade/order, orders-pending and orders-history show it; a fee that is paid is negative.

    `asked` is what the request said and the order itself does not keep: tdMode, lever, tag.
    """
    asked = asked or {}
    last = order.trades[-1] if order.trades else None
    spot = market.type == "spot"
    coin = fee_currency(order, market)
    paid = sum((trade.fee for trade in order.trades if trade.fee_currency == coin), Decimal(0))
    return {
        "accFillSz": text(order.filled),
        "algoClOrdId": "",
        "algoId": "",
        "attachAlgoClOrdId": "",
        "attachAlgoOrds": [],
        "avgPx": text(average(order, market)) if order.filled else "",
        "cTime": str(order.created_ms),
        "cancelSource": cancel_source(order),
        "cancelSourceReason": CANCEL_WORDS[cancel_source(order)],
        "category": "normal",
        "ccy": "",
        "clOrdId": order.client_id or "",
        "fee": text(-paid),
        "feeCcy": coin,
        "fillPx": text(last.price) if last else "",
        "fillSz": text(last.qty) if last else "0",
        "fillTime": str(last.at_ms) if last else "",
        "instId": inst_id(market),
        "instType": inst_type(market),
        "isTpLimit": "false",
        "lever": "" if spot else asked.get("lever", "1"),
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": order.id,
        "ordType": ord_type(order),
        "pnl": "0",
        "posSide": "" if spot else "net",
        "px": text(order.price) if order.price is not None else "",
        "pxType": "",
        "pxUsd": "",
        "pxVol": "",
        "quickMgnType": "",
        "rebate": "0",
        "rebateCcy": market.quote if coin == market.base else market.base if spot else market.quote,
        "reduceOnly": "true" if order.reduce_only else "false",
        "side": order.side,
        "slOrdPx": "",
        "slTriggerPx": "",
        "slTriggerPxType": "",
        "source": "",
        "state": STATE[order.status],
        "stpId": "",
        "stpMode": "cancel_maker",
        "sz": text(order.qty if order.quote_qty is None else order.quote_qty),
        "tag": asked.get("tag", ""),
        "tdMode": asked.get("tdMode", "cash" if spot else "cross"),
        "tgtCcy": target(order) if order.type == "market" and spot else "",
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "tradeId": last.id if last else "",
        "uTime": str(order.updated_ms),
    }


def pushed_row(order: VenueOrder, market: VenueMarket, trade: VenueTrade | None, *, asked: Row | None = None) -> Row:
    """The same on the `orders` channel, with the fill that made the push, or none."""
    row = order_row(order, market, asked=asked)
    value = order.qty * (order.price or Decimal(0)) * market.contract_size
    row |= {
        "amendResult": "",
        "amendSource": "",
        "code": "0",
        "execType": "",
        "fillFee": "0",
        "fillFeeCcy": "",
        "fillNotionalUsd": "",
        "fillPnl": "0",
        "fillPx": "",
        "fillSz": "0",
        "fillTime": "",
        "lastPx": text(trade.price) if trade else "",
        "msg": "",
        "notionalUsd": text(value),
        "reqId": "",
        "tradeId": "",
    }
    if trade:
        row |= {
            "execType": "M" if trade.maker else "T",
            "fillFee": text(-trade.fee),
            "fillFeeCcy": trade.fee_currency,
            "fillNotionalUsd": text(trade.price * trade.qty * market.contract_size),
            "fillPx": text(trade.price),
            "fillSz": text(trade.qty),
            "fillTime": str(trade.at_ms),
            "tradeId": trade.id,
        }
    return row


def average(order: VenueOrder, market: VenueMarket) -> Decimal:
    return order.quote_filled / order.filled / market.contract_size


def bill_id(trade: VenueTrade) -> str:
    return f"9{trade.id}"


def fill_row(trade: VenueTrade, market: VenueMarket) -> Row:
    """One fill, as GET trade/fills and trade/fills-history show it."""
    order = trade.order
    return {
        "side": order.side,
        "fillSz": text(trade.qty),
        "fillPx": text(trade.price),
        "fillPxVol": "",
        "fillPxUsd": "",
        "fillFwdPx": "",
        "fillIdxPx": "",
        "fillMarkPx": "",
        "fillMarkVol": "",
        "fillPnl": "0",
        "fillTime": str(trade.at_ms),
        "fee": text(-trade.fee),
        "feeCcy": trade.fee_currency,
        "feeRate": "",
        "ordId": order.id,
        "instType": inst_type(market),
        "instId": inst_id(market),
        "clOrdId": order.client_id or "",
        "posSide": "net",
        "billId": bill_id(trade),
        "subType": "1" if order.side == "buy" else "2",
        "tag": "",
        "execType": "M" if trade.maker else "T",
        "tradeId": trade.id,
        "ts": str(trade.at_ms),
    }


def instrument(market: VenueMarket) -> Row:
    """A spot pair counts in base coin; a swap in contracts of `ctVal` coins, with no base or quote named."""
    spot = market.type == "spot"
    top = text(market.max_qty) if market.max_qty is not None else "100000000"
    pair = f"{market.base}-{market.quote}"
    return {
        "alias": "",
        "auctionEndTime": "",
        "baseCcy": market.base if spot else "",
        "category": "1",
        "contTdSwTime": "",
        "ctMult": "" if spot else "1",
        "ctType": "" if spot else "linear",
        "ctVal": "" if spot else text(market.contract_size),
        "ctValCcy": "" if spot else market.base,
        "expTime": "",
        "futureSettlement": False,
        "instFamily": "" if spot else pair,
        "instId": inst_id(market),
        "instIdCode": None,
        "instType": inst_type(market),
        "lever": "10" if spot else "100",
        "listTime": "1548133413000",
        "lotSz": text(market.step),
        "maxIcebergSz": "9999999999",
        "maxLmtAmt": "20000000",
        "maxLmtSz": top,
        "maxMktAmt": "1000000" if spot else "",
        "maxMktSz": "1000000" if spot else top,
        "maxStopSz": top,
        "maxTriggerSz": "9999999999",
        "maxTwapSz": "9999999999",
        "minSz": text(market.min_qty),
        "openType": "",
        "optType": "",
        "quoteCcy": market.quote if spot else "",
        "ruleType": "normal",
        "settleCcy": "" if spot else market.quote,
        "state": "live" if market.trading else "suspend",
        "stk": "",
        "tickSz": text(market.tick),
        "tradeQuoteCcyList": [market.quote] if spot else [],
        "uly": "" if spot else pair,
    }


def ticker_row(market: VenueMarket, last: Decimal, now_ms: int) -> Row:
    return {
        "instType": inst_type(market),
        "instId": inst_id(market),
        "last": text(last),
        "lastSz": "0.00001754",
        "askPx": text(last + market.tick),
        "askSz": "100",
        "bidPx": text(last),
        "bidSz": "100",
        "open24h": text(last),
        "high24h": text(last),
        "low24h": text(last),
        "sodUtc0": text(last),
        "sodUtc8": text(last),
        "volCcy24h": "503403597.38138519",
        "vol24h": "15937.10781721",
        "ts": str(now_ms),
    }


def best_row(market: VenueMarket, last: Decimal, now_ms: int, sequence: int) -> Row:
    """The `bbo-tbt` channel's: one level each side, without the instrument's name."""
    return {
        "asks": [[text(last + market.tick), "100", "0", "1"]],
        "bids": [[text(last), "100", "0", "1"]],
        "ts": str(now_ms),
        "seqId": sequence,
    }


def public_trade(market: VenueMarket, price: Decimal, now_ms: int, sequence: int) -> Row:
    """One trade of others, as the `trades` channel tells it."""
    row = {"instId": inst_id(market), "tradeId": f"1{sequence}", "px": text(price), "sz": "0.001", "side": "buy"}
    return row | {"ts": str(now_ms), "count": "1", "seqId": sequence}
