"""Binance's futures account: its wallet, its positions, how it is set, and the key of its user stream."""

from collections.abc import Callable
from itertools import count

from tests.exchange_server.binance_account import account, balances, position_rows
from tests.exchange_server.binance_desk import Fields, Route, Routes
from tests.exchange_server.binance_rows import Row
from tests.exchange_server.binance_rules import PERPETUAL, Said, wire_id
from tests.exchange_server.values import VenueMarket
from tests.exchange_server.venue import Venue

LISTEN_KEY_MS = 3_600_000
MOST_LEVERAGE = 125
SUCCESS = {"code": 200, "msg": "success"}


class FuturesAccount:
    """What of the futures desk does not concern orders."""

    def __init__(self, venue: Venue, now_ms: Callable[[], int]) -> None:
        self._venue = venue
        self._now_ms = now_ms
        self._numbers = count(1)
        self.hedged = False
        self.isolated: set[str] = set()
        self.listen_key = ""
        self.listen_key_until_ms = 0

    def account_routes(self) -> Routes:
        return {
            ("GET", "/fapi/v2/account"): Route(kind="balance", handle=self.account, weight=5),
            ("GET", "/fapi/v3/account"): Route(kind="balance", handle=self.account, weight=5),
            ("GET", "/fapi/v2/balance"): Route(kind="balance", handle=self.balances, weight=5),
            ("GET", "/fapi/v3/balance"): Route(kind="balance", handle=self.balances, weight=5),
            ("GET", "/fapi/v2/positionRisk"): Route(kind="positions", handle=self.all_positions, weight=5),
            ("GET", "/fapi/v3/positionRisk"): Route(kind="positions", handle=self.positions, weight=5),
            ("GET", "/fapi/v1/leverageBracket"): Route(kind="rules", handle=self.brackets),
            ("GET", "/fapi/v1/symbolConfig"): Route(kind="setup", handle=self.settings, weight=5),
            ("GET", "/fapi/v1/commissionRate"): Route(kind="other", handle=self.fees, weight=20),
            ("POST", "/fapi/v1/leverage"): Route(kind="setup", handle=self.set_leverage, security="trade"),
            ("POST", "/fapi/v1/marginType"): Route(kind="setup", handle=self.set_margin_mode, security="trade"),
            ("GET", "/fapi/v1/positionSide/dual"): Route(kind="setup", handle=self.position_mode, weight=30),
            ("POST", "/fapi/v1/positionSide/dual"): Route(kind="setup", handle=self.set_mode, security="trade"),
            ("POST", "/fapi/v1/listenKey"): Route(kind="stream_key", handle=self.new_listen_key, security="key"),
            ("PUT", "/fapi/v1/listenKey"): Route(kind="stream_key", handle=self.keep_listen_key, security="key"),
            ("DELETE", "/fapi/v1/listenKey"): Route(kind="stream_key", handle=self.end_listen_key, security="key"),
        }

    def markets(self) -> list[VenueMarket]:
        return [market for market in self._venue.markets.values() if market.type == "swap"]

    def market(self, fields: Fields) -> VenueMarket:
        market = self._venue.markets.get(f"{fields.text('symbol')}{PERPETUAL}")
        if market is None:
            raise Said(-1121, "Invalid symbol.")
        return market

    # What the account holds

    def account(self, fields: Fields) -> Row:
        return account(self._venue, self.markets(), self._now_ms())

    def balances(self, fields: Fields) -> list[Row]:
        return balances(self._venue, self.markets(), self._now_ms())

    def positions(self, fields: Fields) -> list[Row]:
        """Only where there is a position or an open order."""
        busy = [
            market
            for market in self._positions_of(fields)
            if self._venue.positions[market.id].contracts or self._venue.open_orders(market.id)
        ]
        return position_rows(self._venue, busy, self.isolated, self._now_ms())

    def all_positions(self, fields: Fields) -> list[Row]:
        return position_rows(self._venue, self._positions_of(fields), self.isolated, self._now_ms(), all_told=True)

    def _positions_of(self, fields: Fields) -> list[VenueMarket]:
        return [self.market(fields)] if fields.maybe("symbol") else self.markets()

    def brackets(self, fields: Fields) -> list[Row]:
        one = {"bracket": 1, "initialLeverage": MOST_LEVERAGE, "notionalCap": 50_000, "notionalFloor": 0}
        one |= {"maintMarginRatio": 0.004, "cum": 0}
        return [{"symbol": wire_id(market.id), "brackets": [one]} for market in self._positions_of(fields)]

    def fees(self, fields: Fields) -> Row:
        maker, taker = str(self._venue.maker), str(self._venue.taker)
        symbol = wire_id(self.market(fields).id)
        return {"symbol": symbol, "makerCommissionRate": maker, "takerCommissionRate": taker}

    # How the account is set

    def settings(self, fields: Fields) -> list[Row]:
        return [
            {
                "symbol": wire_id(market.id),
                "marginType": "ISOLATED" if market.id in self.isolated else "CROSSED",
                "isAutoAddMargin": "false",
                "leverage": self._venue.leverage[market.id],
                "maxNotionalValue": "50000",
            }
            for market in self._positions_of(fields)
        ]

    def set_leverage(self, fields: Fields) -> Row:
        market, leverage = self.market(fields), int(fields.number("leverage"))
        if not 1 <= leverage <= MOST_LEVERAGE:
            raise Said(-4028, f"Leverage {leverage} is not valid")
        before = self._venue.leverage[market.id]
        self._venue.leverage[market.id] = leverage
        if self._venue.amounts(market.quote)[0] < 0:
            self._venue.leverage[market.id] = before
            raise Said(-2019, "Margin is insufficient.")
        return {"leverage": leverage, "maxNotionalValue": "50000", "symbol": wire_id(market.id)}

    def set_margin_mode(self, fields: Fields) -> Row:
        market, isolated = self.market(fields), fields.text("marginType") == "ISOLATED"
        if isolated == (market.id in self.isolated):
            raise Said(-4046, "No need to change margin type.")
        if self._venue.open_orders(market.id):
            raise Said(-4047, "Margin type cannot be changed if there exists open orders.")
        if self._venue.positions[market.id].contracts:
            raise Said(-4048, "Margin type cannot be changed if there exists position.")
        (self.isolated.add if isolated else self.isolated.discard)(market.id)
        return SUCCESS

    def position_mode(self, fields: Fields) -> Row:
        return {"dualSidePosition": self.hedged}

    def set_mode(self, fields: Fields) -> Row:
        hedged = fields.yes("dualSidePosition")
        if hedged == self.hedged:
            raise Said(-4059, "No need to change position side.")
        if any(self._venue.open_orders(market.id) for market in self.markets()):
            raise Said(-4067, "Position side cannot be changed if there exists open orders.")
        if any(self._venue.positions[market.id].contracts for market in self.markets()):
            raise Said(-4068, "Position side cannot be changed if there exists position.")
        self.hedged = hedged
        return SUCCESS

    # The key of the user stream

    def new_listen_key(self, fields: Fields) -> Row:
        """The key that there is, for an hour from now, or a new one."""
        if not self.listening():
            self.listen_key = f"{next(self._numbers):064d}"
        self.listen_key_until_ms = self._venue.clock() + LISTEN_KEY_MS
        return {"listenKey": self.listen_key}

    def keep_listen_key(self, fields: Fields) -> Row:
        if not self.listening():
            raise Said(-1125, "This listenKey does not exist.")
        return self.new_listen_key(fields)

    def end_listen_key(self, fields: Fields) -> Row:
        self.listen_key = ""
        return {}

    def listening(self) -> bool:
        return bool(self.listen_key) and self._venue.clock() < self.listen_key_until_ms
