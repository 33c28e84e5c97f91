"""What Binance's futures desk says of the wallet and of positions."""

from collections.abc import Iterable
from decimal import Decimal

from tests.exchange_server.binance_rows import Row
from tests.exchange_server.binance_rules import at_least, decimals, eight, wire_id
from tests.exchange_server.values import ZERO, VenueMarket
from tests.exchange_server.venue import Venue

MAINTENANCE = Decimal("0.004")


def _coins(venue: Venue, markets: Iterable[VenueMarket]) -> list[str]:
    return list(dict.fromkeys([*(market.quote for market in markets), *venue.total]))


def _unrealised(venue: Venue, markets: Iterable[VenueMarket], coin: str) -> Decimal:
    return sum((venue.unrealised(market.id) for market in markets if market.quote == coin), ZERO)


def assets(venue: Venue, markets: list[VenueMarket], now_ms: int) -> list[Row]:
    """A coin's total is its margin balance: the wallet and what the positions would bring."""
    rows = []
    for coin in _coins(venue, markets):
        wallet, (free, locked) = venue.total.get(coin, ZERO), venue.amounts(coin)
        unrealised = _unrealised(venue, markets, coin)
        in_positions = sum((venue.position_margin(each.id) for each in markets if each.quote == coin), ZERO)
        rows.append(
            {
                "asset": coin,
                "walletBalance": eight(wallet),
                "unrealizedProfit": eight(unrealised),
                "marginBalance": eight(wallet + unrealised),
                "maintMargin": "0.00000000",
                "initialMargin": eight(locked),
                "positionInitialMargin": eight(in_positions),
                "openOrderInitialMargin": eight(locked - in_positions),
                "crossWalletBalance": eight(wallet),
                "crossUnPnl": eight(unrealised),
                "availableBalance": eight(max(ZERO, free + unrealised)),
                "maxWithdrawAmount": eight(max(ZERO, free)),
                "marginAvailable": True,
                "updateTime": now_ms,
            }
        )
    return rows


def account(venue: Venue, markets: list[VenueMarket], now_ms: int) -> Row:
    told = assets(venue, markets, now_ms)
    usdt = next((row for row in told if row["asset"] == "USDT"), told[0] if told else {})
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "totalInitialMargin": usdt.get("initialMargin", "0"),
        "totalMaintMargin": "0.00000000",
        "totalWalletBalance": usdt.get("walletBalance", "0"),
        "totalUnrealizedProfit": usdt.get("unrealizedProfit", "0"),
        "totalMarginBalance": usdt.get("marginBalance", "0"),
        "totalCrossWalletBalance": usdt.get("crossWalletBalance", "0"),
        "availableBalance": usdt.get("availableBalance", "0"),
        "assets": told,
        "positions": [],
    }


def balances(venue: Venue, markets: list[VenueMarket], now_ms: int) -> list[Row]:
    return [
        {
            "accountAlias": "SgsR",
            "asset": row["asset"],
            "balance": row["walletBalance"],
            "crossWalletBalance": row["crossWalletBalance"],
            "crossUnPnl": row["crossUnPnl"],
            "availableBalance": row["availableBalance"],
            "maxWithdrawAmount": row["maxWithdrawAmount"],
            "marginAvailable": True,
            "updateTime": now_ms,
        }
        for row in assets(venue, markets, now_ms)
    ]


def position_rows(
    venue: Venue, markets: Iterable[VenueMarket], isolated: set[str], now_ms: int, *, all_told: bool = False
) -> list[Row]:
    """GET positionRisk. `all_told`: with the leverage and the margin mode, as version 2 has it."""
    rows = []
    for market in markets:
        position = venue.positions[market.id]
        price = venue.last.get(market.id, position.entry_price)
        margin, digits = venue.position_margin(market.id), decimals(market.tick)
        row = {
            "symbol": wire_id(market.id),
            "positionSide": "BOTH",
            "positionAmt": at_least(position.contracts, decimals(market.step)),
            "entryPrice": at_least(position.entry_price, digits),
            "breakEvenPrice": at_least(position.entry_price, digits),
            "markPrice": eight(price),
            "unRealizedProfit": eight(venue.unrealised(market.id)),
            "liquidationPrice": "0",
            "isolatedMargin": eight(margin if market.id in isolated else ZERO),
            "notional": eight(position.contracts * price * market.contract_size),
            "marginAsset": market.quote,
            "isolatedWallet": eight(margin if market.id in isolated else ZERO),
            "initialMargin": eight(venue.margin(market.id)),
            "maintMargin": eight(abs(position.contracts) * price * market.contract_size * MAINTENANCE),
            "positionInitialMargin": eight(margin),
            "openOrderInitialMargin": eight(venue.margin(market.id) - margin),
            "adl": 1,
            "bidNotional": "0",
            "askNotional": "0",
            "updateTime": now_ms,
        }
        if all_told:
            row |= {"leverage": str(venue.leverage[market.id]), "maxNotionalValue": "50000"}
            row |= {"marginType": "isolated" if market.id in isolated else "cross", "isAutoAddMargin": "false"}
        rows.append(row)
    return rows
