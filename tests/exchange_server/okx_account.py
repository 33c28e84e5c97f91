"""What OKX's v5 answers about its markets and about an account."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from tests.exchange_server import okx_rows as rows
from tests.exchange_server.front_end import Keys
from tests.exchange_server.okx_rows import Row, inst_id, inst_type, text
from tests.exchange_server.values import RefusalKind, VenueMarket, VenueOrder
from tests.exchange_server.venue import Venue

EMPTY = ("adjEq", "borrowFroz", "imr", "isoEq", "mgnRatio", "mmr", "notionalUsd", "ordFroz", "upl")

REFUSALS: dict[RefusalKind, tuple[str, str]] = {
    "price_filter": ("51000", "Parameter px error"),
    "lot_size": ("51121", "Order quantity must be a multiple of the lot size."),
    "min_notional": ("51020", "Your order should meet or exceed the minimum order amount."),
    "max_qty": ("51005", "Your order amount exceeds the max order amount."),
    "duplicate": ("51016", "Client order ID already exists."),
    "would_match": ("51006", "Order price is not within the price limit"),
    "unknown_symbol": ("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
    "halted": ("51022", "Contract suspended."),
    "reduce_only": (
        "51169",
        "Order failed because you don't have any positions in this direction for this contract to reduce or close.",
    ),
    "bad_request": ("51000", "Parameter error"),
}


class OkxError(Exception):
    """An answer with a code other than 0, and no row."""

    def __init__(self, code: str, message: str, *, status: int = 200) -> None:
        super().__init__(f"{code} {message}")
        self.code, self.message, self.status = code, message, status


class RowError(Exception):
    """The `sCode` and `sMsg` of one order of a request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code, self.message = code, message


def answer(data: list[Row]) -> Row:
    return {"code": "0", "msg": "", "data": data}


def number(asked: Row, name: str) -> Decimal | None:
    """Raises OkxError where it is there and is no number."""
    try:
        return row_number(asked, name)
    except RowError as error:
        raise OkxError(error.code, error.message, status=400) from None


def row_number(asked: Row, name: str) -> Decimal | None:
    raw = asked.get(name)
    if raw is None or raw == "":
        return None
    try:
        return Decimal(str(raw))
    except InvalidOperation:
        raise RowError("51000", f"Parameter {name} error") from None


class OkxAccount:
    """The answers about one trader's account. Works on plain values: the wire is elsewhere."""

    def __init__(self, venue: Venue, keys: Keys, now: Callable[[], int]) -> None:
        self.venue, self.keys, self.now = venue, keys, now
        self.position_mode: Literal["net_mode", "long_short_mode"] = "net_mode"
        self.account_level = "2"
        """1 spot only, 2 futures, 3 multi-currency, 4 portfolio."""
        self._said: dict[str, Row] = {}
        """What a request said and the order does not keep, by order id: tdMode, lever, tag."""
        self._saying: Row = {}
        self._modes: dict[str, str] = {}

    # What anybody may ask

    def time(self, asked: Row) -> Row:
        return answer([{"ts": str(self.now())}])

    def instruments(self, asked: Row) -> Row:
        """A kind that is not traded here has none."""
        if not asked.get("instType"):
            raise OkxError("50014", "Parameter instType cannot be empty.", status=400)
        return answer([rows.instrument(market) for market in self.of(asked)])

    def tickers(self, asked: Row) -> Row:
        return answer(
            [
                rows.ticker_row(market, self.venue.last[market.id], self.now())
                for market in self.of(asked)
                if market.id in self.venue.last
            ]
        )

    # What the account is

    def currencies(self, asked: Row) -> Row:
        names = {coin for market in self.venue.markets.values() for coin in (market.base, market.quote)}
        return answer(
            [
                {"ccy": coin, "chain": f"{coin}-{coin}", "name": coin, "canDep": True, "canWd": True, "minFee": "0"}
                for coin in sorted(names)
            ]
        )

    def config(self, asked: Row) -> Row:
        return answer(
            [
                {
                    "acctLv": self.account_level,
                    "acctStpMode": "cancel_maker",
                    "autoLoan": False,
                    "ctIsoMode": "automatic",
                    "enableSpotBorrow": False,
                    "feeType": "0",
                    "greeksType": "PA",
                    "ip": "",
                    "kycLv": "3",
                    "label": "exchange",
                    "level": "Lv1",
                    "levelTmp": "",
                    "liquidationGear": "-1",
                    "mainUid": "44705892343619584",
                    "mgnIsoMode": "automatic",
                    "opAuth": "1",
                    "perm": ",".join(self.permissions()),
                    "posMode": self.position_mode,
                    "roleType": "0",
                    "settleCcy": "USDT",
                    "spotBorrowAutoRepay": False,
                    "type": "0",
                    "uid": "44705892343619584",
                }
            ]
        )

    def permissions(self) -> list[str]:
        may = {"read_only": True, "withdraw": self.keys.may_withdraw, "trade": self.keys.may_trade}
        return [name for name, is_there in may.items() if is_there]

    def trade_fee(self, asked: Row) -> Row:
        """What is paid is negative here too."""
        maker, taker = text(-self.venue.maker), text(-self.venue.taker)
        row = {
            "category": "1",
            "instType": asked.get("instType"),
            "level": "Lv1",
            "maker": maker,
            "taker": taker,
            "makerU": maker,
            "takerU": taker,
            "ts": str(self.now()),
        }
        return answer([row])

    def balance(self, asked: Row) -> Row:
        wanted = asked.get("ccy")
        details = [self.coin_row(coin) for coin in self.venue.total if wanted is None or coin in wanted.split(",")]
        return answer([{"uTime": str(self.now()), "totalEq": "", "details": details, **dict.fromkeys(EMPTY, "")}])

    def coin_row(self, coin: str) -> Row:
        total = self.venue.total.get(coin, Decimal(0))
        free, locked = self.venue.amounts(coin)
        swaps = [each for each in self.venue.markets.values() if each.type == "swap" and each.quote == coin]
        unrealised = sum((self.venue.unrealised(each.id) for each in swaps), Decimal(0))
        return {
            "ccy": coin,
            "cashBal": text(total),
            "eq": text(total + unrealised),
            "availBal": text(free),
            "availEq": text(free + unrealised),
            "frozenBal": text(locked),
            "ordFrozen": text(locked),
            "upl": text(unrealised),
            "isoEq": "0",
            "liab": "",
            "uTime": str(self.now()),
        }

    def positions(self, asked: Row) -> Row:
        """Those that are: a flat one has no row."""
        wanted = (asked.get("instId") or "").split(",") if asked.get("instId") else None
        return answer(
            [
                self.position_row(market)
                for market in self.venue.markets.values()
                if market.type == "swap"
                and self.venue.positions[market.id].contracts
                and (wanted is None or inst_id(market) in wanted)
            ]
        )

    def position_row(self, market: VenueMarket) -> Row:
        position = self.venue.positions[market.id]
        last = self.venue.last.get(market.id, position.entry_price)
        margin = text(self.venue.position_margin(market.id))
        isolated = self.margin_mode(market) == "isolated"
        return {
            "adl": "1",
            "availPos": "",
            "avgPx": text(position.entry_price),
            "cTime": "1619507758793",
            "ccy": market.quote,
            "fee": "0",
            "fundingFee": "0",
            "imr": "" if isolated else margin,
            "instId": inst_id(market),
            "instType": "SWAP",
            "last": text(last),
            "lever": str(self.venue.leverage[market.id]),
            "liqPx": "",
            "margin": margin if isolated else "",
            "markPx": text(last),
            "mgnMode": self.margin_mode(market),
            "mgnRatio": "",
            "mmr": "0",
            "notionalUsd": text(abs(position.contracts) * market.contract_size * last),
            "pnl": "0",
            "pos": text(position.contracts),
            "posCcy": "",
            "posId": "1752810569801498626",
            "posSide": "net",
            "realizedPnl": "0",
            "uTime": str(self.now()),
            "upl": text(self.venue.unrealised(market.id)),
            "uplRatio": "0",
        }

    def margin_mode(self, market: VenueMarket) -> str:
        """That of the last order there: OKX has none for an account or a market, each order says its own."""
        return self._modes.get(market.id, "cross")

    def leverage_info(self, asked: Row) -> Row:
        wanted = (asked.get("instId") or "").split(",")
        return answer(
            [
                {"instId": inst_id(each), "mgnMode": asked.get("mgnMode"), "posSide": "net", "lever": self.lever(each)}
                for each in self.venue.markets.values()
                if inst_id(each) in wanted
            ]
        )

    def lever(self, market: VenueMarket) -> str:
        return str(self.venue.leverage[market.id])

    def set_leverage(self, asked: Row) -> Row:
        market = self.find_market(asked.get("instId"))
        if market is None:
            raise OkxError("51001", REFUSALS["unknown_symbol"][1])
        leverage = number(asked, "lever")
        if leverage is None or not 1 <= leverage <= 125:
            raise OkxError("59102", "Leverage exceeds the maximum limit. Please lower the leverage.")
        self.venue.leverage[market.id] = int(leverage)
        said = {"lever": text(leverage), "mgnMode": asked.get("mgnMode"), "instId": inst_id(market)}
        return answer([said | {"posSide": asked.get("posSide", "net")}])

    def set_position_mode(self, asked: Row) -> Row:
        wanted = asked.get("posMode")
        if wanted not in {"net_mode", "long_short_mode"}:
            raise OkxError("51000", "Parameter posMode error", status=400)
        busy = any(position.contracts for position in self.venue.positions.values()) or any(
            self.venue.markets[order.market].type == "swap" for order in self.venue.open_orders()
        )
        if wanted != self.position_mode and busy:
            raise OkxError(
                "59000", "Setting failed. Cancel any open orders, close positions, and stop trading bots first."
            )
        self.position_mode = wanted
        return answer([{"posMode": wanted}])

    # Inside

    def said(self, order: VenueOrder) -> Row:
        """Of an order that is just being placed, too: its events come before its acknowledgement."""
        return self._said.get(order.id, self._saying)

    def find_market(self, name: Any) -> VenueMarket | None:
        return next((market for market in self.venue.markets.values() if inst_id(market) == name), None)

    def of(self, asked: Row) -> list[VenueMarket]:
        kind, name = asked.get("instType"), asked.get("instId")
        return [
            market
            for market in self.venue.markets.values()
            if kind in {None, "", "ANY", inst_type(market)} and name in {None, "", inst_id(market)}
        ]
