"""What Bybit's v5 answers about its markets and about an account."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.exchange_server import bybit_rows as rows
from tests.exchange_server.bybit_rows import Row, text
from tests.exchange_server.front_end import Keys
from tests.exchange_server.values import RefusalKind, VenueMarket
from tests.exchange_server.venue import Venue

Codes = dict[RefusalKind, tuple[int, str]]
SPOT_REFUSALS: Codes = {
    "insufficient": (170131, "Insufficient balance."),
    "price_filter": (170134, "Order price has too many decimals."),
    "lot_size": (170137, "Order quantity has too many decimals."),
    "min_notional": (170140, "Order value exceeded lower limit."),
    "max_qty": (170135, "Order quantity exceeded upper limit."),
    "duplicate": (170141, "Duplicate clientOrderId."),
    "would_match": (170218, "The LIMIT-MAKER order is rejected due to invalid price."),
    "unknown_symbol": (170121, "Invalid symbol."),
    "halted": (170157, "The trading pair is not available for API trading."),
    "unknown_order": (170213, "Order does not exist."),
    "reduce_only": (170130, "Data sent for parameter 'reduceOnly' is not valid."),
    "bad_request": (170130, "Data sent for parameter is not valid."),
}
LINEAR_REFUSALS: Codes = {
    "insufficient": (110007, "ab not enough for new order"),
    "price_filter": (10001, "price invalid"),
    "lot_size": (10001, "Qty invalid"),
    "min_notional": (110094, "Order does not meet minimum order value"),
    "max_qty": (10001, "The number of contracts exceeds maximum limit allowed: too large"),
    "duplicate": (110072, "OrderLinkedID is duplicate"),
    "would_match": (110003, "Order price exceeds the allowable range."),
    "unknown_symbol": (10001, "params error: symbol invalid"),
    "halted": (110066, "Trading is currently not allowed."),
    "unknown_order": (110001, "order not exists or too late to cancel"),
    "reduce_only": (110017, "current position is zero, cannot fix reduce-only order qty"),
    "bad_request": (10001, "params error"),
}


class BybitError(Exception):
    """An answer with a code other than 0."""

    def __init__(self, code: int, message: str, *, status: int = 200) -> None:
        super().__init__(f"{code} {message}")
        self.code, self.message, self.status = code, message, status


def number(asked: Row, name: str) -> Decimal | None:
    """Raises BybitError where it is there and is no number."""
    raw = asked.get(name)
    if raw is None or raw == "":
        return None
    try:
        return Decimal(str(raw))
    except InvalidOperation:
        raise BybitError(10001, f"params error: {name} invalid") from None


class BybitAccount:
    """The answers about one trader's account. Works on plain values: the wire is elsewhere."""

    def __init__(self, venue: Venue, keys: Keys, now: Callable[[], int]) -> None:
        self.venue, self.keys, self.now = venue, keys, now
        self.margin_mode = "REGULAR_MARGIN"
        self.hedged = False
        self.ips = ["*"]

    # What anybody may ask

    def time(self, asked: Row) -> Row:
        now = self.now()
        return {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}

    def instruments(self, asked: Row) -> Row:
        category = asked.get("category")
        listed: list[Row] = []
        if asked.get("status") in {None, "Trading"}:
            row_of = rows.spot_instrument if category == "spot" else rows.linear_instrument
            listed = [row_of(market) for market in self.of(category)]
        return self.listed(category, listed)

    def tickers(self, asked: Row) -> Row:
        symbol = asked.get("symbol")
        return self.listed(
            asked.get("category"),
            [
                rows.ticker_row(market, self.venue.last[market.id])
                for market in self.of(asked.get("category"))
                if market.id in self.venue.last and symbol in {None, rows.symbol_of(market)}
            ],
        )

    # What the account is

    def query_api(self, asked: Row) -> Row:
        return {
            "id": "13770661",
            "note": "exchange",
            "apiKey": self.keys.api_key,
            "readOnly": 0 if self.keys.may_trade else 1,
            "secret": "",
            "permissions": {
                "ContractTrade": ["Order", "Position"] if self.keys.may_trade else [],
                "Spot": ["SpotTrade"] if self.keys.may_trade else [],
                "Wallet": ["AccountTransfer", *(["Withdraw"] if self.keys.may_withdraw else [])],
                "Options": [],
                "Derivatives": ["DerivativesTrade"] if self.keys.may_trade else [],
                "Exchange": [],
                "Earn": [],
            },
            "ips": self.ips,
            "type": 1,
            "deadlineDay": 83,
            "expiredAt": "2099-01-01T00:00:00Z",
            "createdAt": "2024-10-16T02:24:40Z",
            "unified": 0,
            "uta": 1,
            "userID": 24617703,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "isMaster": True,
            "parentUid": "0",
        }

    def account_info(self, asked: Row) -> Row:
        return {
            "marginMode": self.margin_mode,
            "updatedTime": "1697078946000",
            "unifiedMarginStatus": 6,
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }

    def fee_rate(self, asked: Row) -> Row:
        maker, taker = text(self.venue.maker), text(self.venue.taker)
        symbol = asked.get("symbol")
        return {
            "list": [
                {"symbol": rows.symbol_of(market), "makerFeeRate": maker, "takerFeeRate": taker}
                for market in self.of(asked.get("category"))
                if symbol in {None, rows.symbol_of(market)}
            ]
        }

    def coins(self, asked: Row) -> Row:
        names = {coin for market in self.venue.markets.values() for coin in (market.base, market.quote)}
        return {
            "rows": [{"name": coin, "coin": coin, "remainAmount": "0", "chains": []} for coin in sorted(names)],
        }

    def wallet(self, asked: Row) -> Row:
        if asked.get("accountType") != "UNIFIED":
            raise BybitError(10001, "accountType only support UNIFIED.")
        wanted = asked.get("coin")
        return {"list": [self.unified(list(self.venue.total) if wanted is None else wanted.split(","))]}

    def unified(self, coins: list[str]) -> Row:
        """The account with these coins, as the `wallet` topic tells it too."""
        listed = [self.coin_row(coin) for coin in coins]
        equity = text(sum((Decimal(row["equity"]) for row in listed if row["coin"] == "USDT"), Decimal(0)))
        return {
            "accountType": "UNIFIED",
            "totalEquity": equity,
            "totalWalletBalance": equity,
            "totalAvailableBalance": equity,
            "accountIMRate": "0",
            "accountMMRate": "0",
            "coin": listed,
        }

    def coin_row(self, coin: str) -> Row:
        """`availableToWithdraw` is empty: a unified account's is found by taking off what is locked."""
        total = self.venue.total.get(coin, Decimal(0))
        swaps = [each for each in self.venue.markets.values() if each.type == "swap" and each.quote == coin]
        held = sum((self.venue.position_margin(each.id) for each in swaps), Decimal(0))
        margin = sum((self.venue.margin(each.id) for each in swaps), Decimal(0))
        unrealised = sum((self.venue.unrealised(each.id) for each in swaps), Decimal(0))
        return {
            "coin": coin,
            "equity": text(total + unrealised),
            "usdValue": text(total) if coin == "USDT" else "0",
            "walletBalance": text(total),
            "locked": text(self.venue.amounts(coin)[1] - margin),
            "availableToWithdraw": "",
            "availableToBorrow": "",
            "borrowAmount": "0",
            "accruedInterest": "0",
            "totalOrderIM": text(margin - held),
            "totalPositionIM": text(held),
            "totalPositionMM": "0",
            "unrealisedPnl": text(unrealised),
            "cumRealisedPnl": "0",
            "bonus": "0",
            "marginCollateral": True,
            "collateralSwitch": True,
        }

    def position_list(self, asked: Row) -> Row:
        """With a symbol: also where there is none. With a settle coin: those that are."""
        symbol = asked.get("symbol")
        markets = [market for market in self.of("linear") if symbol in {None, rows.symbol_of(market)}]
        if symbol is not None and not markets:
            raise BybitError(10001, "params error: symbol invalid")
        return self.listed(
            "linear",
            [
                self.position_row(market)
                for market in markets
                if symbol is not None or self.venue.positions[market.id].contracts
            ],
        )

    def position_row(self, market: VenueMarket) -> Row:
        position = self.venue.positions[market.id]
        size = abs(position.contracts)
        side = "Buy" if position.contracts > 0 else "Sell" if position.contracts < 0 else ""
        last = self.venue.last.get(market.id, position.entry_price)
        return {
            "symbol": rows.symbol_of(market),
            "leverage": str(self.venue.leverage[market.id]),
            "autoAddMargin": 0,
            "avgPrice": text(position.entry_price),
            "liqPrice": "",
            "riskLimitValue": "2000000",
            "takeProfit": "",
            "positionValue": text(size * position.entry_price * market.contract_size) if size else "",
            "isReduceOnly": False,
            "tpslMode": "Full",
            "riskId": 1,
            "trailingStop": "0",
            "unrealisedPnl": text(self.venue.unrealised(market.id)) if size else "",
            "markPrice": text(last),
            "adlRankIndicator": 0,
            "cumRealisedPnl": "0",
            "curRealisedPnl": "0",
            "positionMM": "0",
            "positionIM": text(self.venue.position_margin(market.id)),
            "createdTime": "1672121182216",
            "positionIdx": 0,
            "seq": 1,
            "updatedTime": str(self.now()),
            "side": side,
            "bustPrice": "",
            "positionBalance": "0",
            "leverageSysUpdatedTime": "",
            "size": text(size),
            "positionStatus": "Normal",
            "mmrSysUpdatedTime": "",
            "stopLoss": "",
            "tradeMode": 0 if self.margin_mode == "REGULAR_MARGIN" else 1,
            "sessionAvgPrice": "",
        }

    def set_leverage(self, asked: Row) -> Row:
        market = self.market(asked)
        leverage = number(asked, "buyLeverage")
        if leverage is None or leverage != number(asked, "sellLeverage") or not 1 <= leverage <= 100:
            raise BybitError(110013, "cannot set leverage due to risk limit")
        if leverage == self.venue.leverage[market.id]:
            raise BybitError(110043, "leverage not modified")
        self.venue.leverage[market.id] = int(leverage)
        return {}

    def switch_mode(self, asked: Row) -> Row:
        hedged = asked.get("mode") == 3
        if hedged == self.hedged:
            raise BybitError(110025, "Position mode is not modified")
        if any(position.contracts for position in self.venue.positions.values()):
            raise BybitError(110024, "You have an existing position, so the position mode cannot be switched.")
        if any(self.venue.markets[order.market].type == "swap" for order in self.venue.open_orders()):
            raise BybitError(110028, "You have existing open orders, so the position mode cannot be switched.")
        self.hedged = hedged
        return {}

    def set_margin_mode(self, asked: Row) -> Row:
        if asked.get("setMarginMode") not in {"REGULAR_MARGIN", "ISOLATED_MARGIN", "PORTFOLIO_MARGIN"}:
            raise BybitError(10001, "params error: setMarginMode invalid")
        self.margin_mode = asked["setMarginMode"]
        return {"reasons": []}

    # Inside

    def of(self, category: Any) -> list[VenueMarket]:
        return [market for market in self.venue.markets.values() if rows.category_of(market) == category]

    def market(self, asked: Row) -> VenueMarket:
        """Raises BybitError where there is none of that category and symbol."""
        category = asked.get("category")
        if category not in {"spot", "linear"}:
            raise BybitError(10001, "Illegal category")
        for market in self.of(category):
            if rows.symbol_of(market) == asked.get("symbol"):
                return market
        refusals = SPOT_REFUSALS if category == "spot" else LINEAR_REFUSALS
        raise BybitError(*refusals["unknown_symbol"])

    @staticmethod
    def listed(category: Any, found: list[Row]) -> Row:
        return {"category": category, "list": found, "nextPageCursor": ""}
