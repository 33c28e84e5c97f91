"""What Binance says of an order, a trade, a ticker and a balance, over REST and in its streams."""

from decimal import Decimal
from typing import Any

from tests.exchange_server.binance_rules import at_least, decimals, eight, wire_id
from tests.exchange_server.values import ZERO, VenueMarket, VenueOrder, VenueTrade

Row = dict[str, Any]


def client_id(order: VenueOrder) -> str:
    """An order that came without one has one of Binance's own."""
    return order.client_id or f"web_{order.id}"


def spot_type(order: VenueOrder) -> str:
    return "LIMIT_MAKER" if order.post_only else order.type.upper()


def spot_order(order: VenueOrder) -> Row:
    """GET /api/v3/order, openOrders, allOrders: no fees, no fills."""
    return {
        "symbol": order.market,
        "orderId": int(order.id),
        "orderListId": -1,
        "clientOrderId": client_id(order),
        "price": eight(order.price or ZERO),
        "origQty": eight(order.qty),
        "executedQty": eight(order.filled),
        "cummulativeQuoteQty": eight(order.quote_filled),
        "status": order.status.upper(),
        "timeInForce": order.tif,
        "type": spot_type(order),
        "side": order.side.upper(),
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.created_ms,
        "origQuoteOrderQty": eight(order.quote_qty or ZERO),
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def spot_placed(order: VenueOrder, answer_type: str) -> Row:
    """POST /api/v3/order: ACK, RESULT or FULL."""
    row = {
        "symbol": order.market,
        "orderId": int(order.id),
        "orderListId": -1,
        "clientOrderId": client_id(order),
        "transactTime": order.created_ms,
    }
    if answer_type == "ACK":
        return row
    row |= {
        "price": eight(order.price or ZERO),
        "origQty": eight(order.qty),
        "executedQty": eight(order.filled),
        "origQuoteOrderQty": eight(order.quote_qty or ZERO),
        "cummulativeQuoteQty": eight(order.quote_filled),
        "status": order.status.upper(),
        "timeInForce": order.tif,
        "type": spot_type(order),
        "side": order.side.upper(),
        "workingTime": order.created_ms,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
    if answer_type == "FULL":
        row["fills"] = [
            {
                "price": eight(trade.price),
                "qty": eight(trade.qty),
                "commission": eight(trade.fee),
                "commissionAsset": trade.fee_currency,
                "tradeId": int(trade.id),
            }
            for trade in order.trades
        ]
    return row


def spot_cancelled(order: VenueOrder, cancel_id: str) -> Row:
    """DELETE /api/v3/order: `clientOrderId` is the cancel's own, the order's is `origClientOrderId`."""
    return {
        "symbol": order.market,
        "origClientOrderId": client_id(order),
        "orderId": int(order.id),
        "orderListId": -1,
        "clientOrderId": cancel_id,
        "transactTime": order.updated_ms,
        "price": eight(order.price or ZERO),
        "origQty": eight(order.qty),
        "executedQty": eight(order.filled),
        "origQuoteOrderQty": eight(order.quote_qty or ZERO),
        "cummulativeQuoteQty": eight(order.quote_filled),
        "status": order.status.upper(),
        "timeInForce": order.tif,
        "type": spot_type(order),
        "side": order.side.upper(),
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def spot_trade(trade: VenueTrade) -> Row:
    """GET /api/v3/myTrades: with the fee, without the client order id."""
    return {
        "symbol": trade.order.market,
        "id": int(trade.id),
        "orderId": int(trade.order.id),
        "orderListId": -1,
        "price": eight(trade.price),
        "qty": eight(trade.qty),
        "quoteQty": eight(trade.price * trade.qty),
        "commission": eight(trade.fee),
        "commissionAsset": trade.fee_currency,
        "time": trade.at_ms,
        "isBuyer": trade.order.side == "buy",
        "isMaker": trade.maker,
        "isBestMatch": True,
    }


def execution_report(
    order: VenueOrder, trade: VenueTrade | None, *, execution: str, at_ms: int, cancel_id: str | None, number: int
) -> Row:
    """The spot user stream's. `execution`: NEW, TRADE, CANCELED, EXPIRED."""
    return {
        "e": "executionReport",
        "E": at_ms,
        "s": order.market,
        "c": cancel_id or client_id(order),
        "S": order.side.upper(),
        "o": spot_type(order),
        "f": order.tif,
        "q": eight(order.qty),
        "p": eight(order.price or ZERO),
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": client_id(order) if cancel_id else "",
        "x": execution,
        "X": order.status.upper(),
        "r": "NONE",
        "i": int(order.id),
        "l": eight(trade.qty if trade else ZERO),
        "z": eight(order.filled),
        "L": eight(trade.price if trade else ZERO),
        "n": eight(trade.fee) if trade else "0",
        "N": trade.fee_currency if trade else None,
        "T": order.updated_ms,
        "t": int(trade.id) if trade else -1,
        "v": 0,
        "I": number,
        "w": order.is_open,
        "m": trade.maker if trade else False,
        "M": trade is not None,
        "O": order.created_ms,
        "Z": eight(order.quote_filled),
        "Y": eight(trade.price * trade.qty if trade else ZERO),
        "Q": eight(order.quote_qty or ZERO),
        "W": order.created_ms,
        "V": "EXPIRE_MAKER",
    }


def swap_tif(order: VenueOrder) -> str:
    return "GTX" if order.post_only else order.tif


def average(order: VenueOrder, market: VenueMarket) -> Decimal:
    return order.quote_filled / order.filled / market.contract_size if order.filled else ZERO


def swap_order(order: VenueOrder, market: VenueMarket) -> Row:
    """What /fapi/v1/order says, after each method."""
    price, qty = decimals(market.tick), decimals(market.step)
    return {
        "orderId": int(order.id),
        "symbol": wire_id(order.market),
        "status": order.status.upper(),
        "clientOrderId": client_id(order),
        "price": at_least(order.price or ZERO, price),
        "avgPrice": at_least(average(order, market), price),
        "origQty": at_least(order.qty, qty),
        "executedQty": at_least(order.filled, qty),
        "cumQty": at_least(order.filled, qty),
        "cumQuote": at_least(order.quote_filled, 5),
        "timeInForce": swap_tif(order),
        "type": order.type.upper(),
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side.upper(),
        "positionSide": "BOTH",
        "stopPrice": at_least(ZERO, price),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order.type.upper(),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def swap_trade(trade: VenueTrade, market: VenueMarket) -> Row:
    """GET /fapi/v1/userTrades: with the fee, without the client order id."""
    return {
        "symbol": wire_id(market.id),
        "id": int(trade.id),
        "orderId": int(trade.order.id),
        "side": trade.order.side.upper(),
        "price": at_least(trade.price, decimals(market.tick)),
        "qty": at_least(trade.qty, decimals(market.step)),
        "realizedPnl": eight(trade.realised),
        "quoteQty": at_least(trade.price * trade.qty * market.contract_size, 5),
        "commission": eight(trade.fee),
        "commissionAsset": trade.fee_currency,
        "time": trade.at_ms,
        "positionSide": "BOTH",
        "buyer": trade.order.side == "buy",
        "maker": trade.maker,
        "marginAsset": market.quote,
    }


def order_trade_update(
    order: VenueOrder, trade: VenueTrade | None, market: VenueMarket, *, execution: str, at_ms: int
) -> Row:
    """The futures user stream's. Fees only with a trade; the client id is the order's own, also on a cancel."""
    price, qty = decimals(market.tick), decimals(market.step)
    row: Row = {
        "s": wire_id(order.market),
        "c": client_id(order),
        "S": order.side.upper(),
        "o": order.type.upper(),
        "f": swap_tif(order),
        "q": at_least(order.qty, qty),
        "p": at_least(order.price or ZERO, price),
        "ap": at_least(average(order, market), price),
        "sp": "0",
        "x": execution,
        "X": order.status.upper(),
        "i": int(order.id),
        "l": at_least(trade.qty if trade else ZERO, qty),
        "z": at_least(order.filled, qty),
        "L": at_least(trade.price if trade else ZERO, price),
        "T": order.updated_ms,
        "t": int(trade.id) if trade else 0,
        "b": "0",
        "a": "0",
        "m": trade.maker if trade else False,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order.type.upper(),
        "ps": "BOTH",
        "cp": False,
        "rp": eight(trade.realised if trade else ZERO),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
    }
    if trade:
        row |= {"n": eight(trade.fee), "N": trade.fee_currency}
    return {"e": "ORDER_TRADE_UPDATE", "E": at_ms, "T": order.updated_ms, "o": row}


def ticker(market: VenueMarket, last: Decimal, now_ms: int) -> Row:
    """GET ticker/24hr. A futures ticker has no bid and no ask."""
    row: Row = {
        "symbol": wire_id(market.id),
        "priceChange": "0.00000000",
        "priceChangePercent": "0.000",
        "weightedAvgPrice": eight(last),
        "lastPrice": eight(last),
        "lastQty": "0.00100000",
        "openPrice": eight(last),
        "highPrice": eight(last),
        "lowPrice": eight(last),
        "volume": "1000.00000000",
        "quoteVolume": eight(last * 1000),
        "openTime": now_ms - 86_400_000,
        "closeTime": now_ms,
        "firstId": 1,
        "lastId": 2,
        "count": 2,
    }
    if market.type == "spot":
        row |= {"prevClosePrice": eight(last)} | best(market, last)
    return row


def best(market: VenueMarket, last: Decimal) -> Row:
    """The best bid and ask: the last price, and a tick above it."""
    return {
        "bidPrice": eight(last),
        "bidQty": "10.00000000",
        "askPrice": eight(last + market.tick),
        "askQty": "10.00000000",
    }


def streamed(channel: str, market: VenueMarket, last: Decimal, now_ms: int, number: int) -> Row:
    """An event of a market stream: bookTicker, miniTicker, ticker or trade."""
    head: Row = {"E": now_ms, "s": wire_id(market.id)}
    day: Row = {"c": eight(last), "o": eight(last), "h": eight(last), "l": eight(last), "v": "1000", "q": eight(last)}
    match channel:
        case "bookTicker":
            row: Row = {"u": number, "s": wire_id(market.id), "b": eight(last), "B": "10.00000000"}
            row |= {"a": eight(last + market.tick), "A": "10.00000000"}
            return row if market.type == "spot" else {"e": "bookTicker", "E": now_ms, "T": now_ms} | row
        case "miniTicker":
            return {"e": "24hrMiniTicker"} | head | day
        case "ticker":
            row = {"e": "24hrTicker"} | head | day | {"p": "0", "P": "0", "w": eight(last), "Q": "0.001", "O": now_ms}
            row |= {"C": now_ms, "F": 1, "L": number, "n": number}
            if market.type == "spot":
                row |= {"x": eight(last), "b": eight(last), "B": "10.00000000", "a": eight(last + market.tick)}
                row |= {"A": "10.00000000"}
            return row
        case "trade":
            return (
                {"e": "trade"}
                | head
                | {
                    "t": number,
                    "p": eight(last),
                    "q": "0.00100000",
                    "T": now_ms,
                    "m": False,
                    "M": True,
                }
            )
        case _:
            raise ValueError(f"no such stream: {channel}")
