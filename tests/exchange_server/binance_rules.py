"""Binance's rules of a market as its exchangeInfo tells them, and the words of its refusals."""

from decimal import Decimal
from typing import Any

from tests.exchange_server.values import RefusalKind, VenueMarket

Row = dict[str, Any]

PERPETUAL = ".P"
"""What a swap's id in the venue ends with: on the wire it has the same id as the spot market."""
MOST_NOTIONAL = Decimal(9_000_000)
UP, DOWN = Decimal(5), Decimal("0.2")
"""How far from the last price a spot order's may be, as factors."""
MOST_ORDERS = 200
MARKET_SHARE = 75
"""A spot market order may be this much smaller than a limit order at most."""
SPOT_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]
SWAP_TYPES = ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]

SPOT_REFUSALS: dict[RefusalKind, tuple[int, str]] = {
    "insufficient": (-2010, "Account has insufficient balance for requested action."),
    "price_filter": (-1013, "Filter failure: PRICE_FILTER"),
    "lot_size": (-1013, "Filter failure: LOT_SIZE"),
    "max_qty": (-1013, "Filter failure: LOT_SIZE"),
    "min_notional": (-1013, "Filter failure: NOTIONAL"),
    "duplicate": (-2010, "Duplicate order sent."),
    "would_match": (-2010, "Order would immediately match and take."),
    "unknown_symbol": (-1121, "Invalid symbol."),
    "halted": (-1013, "Market is closed."),
    "unknown_order": (-2011, "Unknown order sent."),
    "reduce_only": (-1106, "Parameter 'reduceOnly' sent when not required."),
    "bad_request": (-1100, "Illegal characters found in a parameter."),
}
SWAP_REFUSALS: dict[RefusalKind, tuple[int, str]] = {
    "insufficient": (-2019, "Margin is insufficient."),
    "price_filter": (-4014, "Price not increased by tick size."),
    "lot_size": (-4023, "Qty not increased by step size."),
    "max_qty": (-4005, "Quantity greater than max quantity."),
    "min_notional": (-4164, "Order's notional must be no smaller than {} (unless you choose reduce only)."),
    "duplicate": (-4116, "ClientOrderId is duplicated."),
    "would_match": (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected. "
        "The order will not be recorded in the order history",
    ),
    "unknown_symbol": (-1121, "Invalid symbol."),
    "halted": (-4140, "Invalid symbol status for opening position."),
    "unknown_order": (-2011, "Unknown order sent."),
    "reduce_only": (-2022, "ReduceOnly Order is rejected."),
    "bad_request": (-1100, "Illegal characters found in a parameter."),
}


class Said(Exception):
    """An error as Binance says it: its code, its message, its HTTP status."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


def eight(number: Decimal) -> str:
    """With eight decimals, as on spot; more where there are more."""
    return format(number, "f") if decimals(number) > 8 else format(number, ".8f")


def decimals(number: Decimal) -> int:
    """How many a number has, without trailing zeros."""
    return max(0, -int(number.normalize().as_tuple().exponent))


def at_least(number: Decimal, digits: int) -> str:
    """With so many decimals; more where there are more."""
    return format(number, "f") if decimals(number) > digits else format(number, f".{digits}f")


def wire_id(market_id: str) -> str:
    return market_id.removesuffix(PERPETUAL)


def spot_symbol(market: VenueMarket) -> Row:
    return {
        "symbol": market.id,
        "status": "TRADING" if market.trading else "BREAK",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": SPOT_TYPES,
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": spot_filters(market),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def most(market: VenueMarket) -> Decimal:
    return market.max_qty if market.max_qty is not None else Decimal(9_000_000)


def market_most(market: VenueMarket) -> Decimal:
    """How much one spot market order may be."""
    return most(market) / MARKET_SHARE // market.step * market.step


def spot_filters(market: VenueMarket) -> list[Row]:
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": eight(market.tick),
            "maxPrice": "1000000.00000000",
            "tickSize": eight(market.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": eight(market.min_qty),
            "maxQty": eight(most(market)),
            "stepSize": eight(market.step),
        },
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": eight(market_most(market)),
            "stepSize": "0.00000000",
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": str(UP),
            "bidMultiplierDown": str(DOWN),
            "askMultiplierUp": str(UP),
            "askMultiplierDown": str(DOWN),
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": eight(market.min_notional),
            "applyMinToMarket": True,
            "maxNotional": eight(MOST_NOTIONAL),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MOST_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    ]


def swap_symbol(market: VenueMarket) -> Row:
    return {
        "symbol": wire_id(market.id),
        "pair": wire_id(market.id),
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING" if market.trading else "SETTLING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": market.base,
        "quoteAsset": market.quote,
        "marginAsset": market.quote,
        "pricePrecision": decimals(market.tick),
        "quantityPrecision": decimals(market.step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": str(market.tick),
                "maxPrice": "4529764",
                "tickSize": format(market.tick, "f"),
            },
            _swap_lots("LOT_SIZE", market, most(market)),
            _swap_lots("MARKET_LOT_SIZE", market, most(market)),
            {"filterType": "MAX_NUM_ORDERS", "limit": MOST_ORDERS},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": format(market.min_notional, "f")},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": SWAP_TYPES,
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
        "permissionSets": ["GRID", "COPY"],
    }


def _swap_lots(name: str, market: VenueMarket, top: Decimal) -> Row:
    return {
        "filterType": name,
        "minQty": format(market.min_qty, "f"),
        "maxQty": format(top, "f"),
        "stepSize": format(market.step, "f"),
    }
