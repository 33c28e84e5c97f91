"""What Bybit's v5 does with orders: a create is only acknowledged, the rest is told by queries and streams."""

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from tests.exchange_server import bybit_rows as rows
from tests.exchange_server.bybit_account import (
    LINEAR_REFUSALS,
    SPOT_REFUSALS,
    BybitAccount,
    BybitError,
    number,
)
from tests.exchange_server.bybit_rows import Row
from tests.exchange_server.front_end import Keys
from tests.exchange_server.values import VenueMarket, VenueOrder, VenueRefusal, VenueTrade
from tests.exchange_server.venue import Venue

Found = TypeVar("Found")
DAY_MS = 86_400_000
REMEMBERED = 500
"""Closed orders that /v5/order/realtime still knows."""
LONGEST_LINK_ID = 36
MOST_IN_A_BATCH = 10


class BybitOrders(BybitAccount):
    """The answers about one trader's orders and executions."""

    def __init__(self, venue: Venue, keys: Keys, now: Callable[[], int]) -> None:
        super().__init__(venue, keys, now)
        self._ended: dict[str, deque[str]] = {each: deque(maxlen=REMEMBERED) for each in ("spot", "linear")}

    def create(self, asked: Row) -> Row:
        """Only says that it was taken: what became of it is in the stream and the queries."""
        order = self.place(asked)
        return {"orderId": order.id, "orderLinkId": order.client_id or ""}

    def create_batch(self, asked: Row) -> Row:
        """`result.list` has a row for each order, `retExtInfo.list` its code; the whole is 0 even where all failed."""
        wanted = asked.get("request", [])
        if not 1 <= len(wanted) <= MOST_IN_A_BATCH:
            raise BybitError(10001, f"The number of orders must be from 1 to {MOST_IN_A_BATCH}.")
        results, codes = [], []
        for each in wanted:
            row = {"category": asked.get("category"), "symbol": each.get("symbol", "")}
            try:
                order = self.place(each | {"category": asked.get("category")})
            except BybitError as error:
                results.append(row | {"orderId": "", "orderLinkId": each.get("orderLinkId", ""), "createAt": ""})
                codes.append({"code": error.code, "msg": error.message})
            else:
                made = {"orderId": order.id, "orderLinkId": order.client_id or "", "createAt": str(order.created_ms)}
                results.append(row | made)
                codes.append({"code": 0, "msg": "OK"})
        return {"list": results, "retExtInfo": {"list": codes}}

    def place(self, asked: Row) -> VenueOrder:
        market = self.market(asked)
        spot = market.type == "spot"
        self.check_order(asked, market)
        is_market = asked["orderType"] == "Market"
        side = asked["side"].lower()
        qty, price = number(asked, "qty"), number(asked, "price")
        unit = asked.get("marketUnit") or ("quoteCoin" if side == "buy" else "baseCoin")
        in_quote = spot and is_market and unit == "quoteCoin"
        tif = asked.get("timeInForce") or "GTC"
        try:
            return self.venue.place(
                market_id=market.id,
                side=side,
                type="market" if is_market else "limit",
                qty=None if in_quote else qty,
                quote_qty=qty if in_quote else None,
                price=None if is_market else price,
                tif="IOC" if is_market else "GTC" if tif == "PostOnly" else tif,
                post_only=tif == "PostOnly" and not is_market,
                reduce_only=bool(asked.get("reduceOnly")) and not spot,
                client_id=asked.get("orderLinkId") or None,
            )
        except VenueRefusal as refusal:
            raise self.refused(refusal, market, qty) from None

    def check_order(self, asked: Row, market: VenueMarket) -> None:
        spot = market.type == "spot"
        link = asked.get("orderLinkId") or ""
        if not self.keys.may_trade:
            raise BybitError(10005, "Permission denied, please check your API key permissions.")
        if asked.get("side") not in {"Buy", "Sell"}:
            raise BybitError(170117 if spot else 10001, "Invalid side.")
        if asked.get("orderType") not in {"Limit", "Market"}:
            raise BybitError(170116 if spot else 10001, "Invalid orderType.")
        if (asked.get("timeInForce") or "GTC") not in {"GTC", "IOC", "FOK", "PostOnly"}:
            raise BybitError(170115 if spot else 10001, "Invalid timeInForce.")
        if len(link) > LONGEST_LINK_ID or not all(mark.isalnum() or mark in "-_" for mark in link):
            raise BybitError(10001, "params error: OrderLinkId invalid")
        if number(asked, "qty") is None or (asked["orderType"] == "Limit" and number(asked, "price") is None):
            raise BybitError(170105 if spot else 10001, "Parameter 'qty' or 'price' was empty.")
        if not spot and self.hedged != (asked.get("positionIdx", 0) in {1, 2}):
            raise BybitError(10001, "position idx not match position mode")

    def cancel(self, asked: Row) -> Row:
        """Says that the wish was taken, and in fact does it at once."""
        market = self.market(asked)
        order_id, link = asked.get("orderId"), asked.get("orderLinkId")
        if not order_id and not link:
            raise BybitError(10001, "params error: orderId or orderLinkId is required")
        try:
            order = self.venue.cancel(market_id=market.id, order_id=order_id or None, client_id=link or None)
        except VenueRefusal as refusal:
            raise self.refused(refusal, market, None) from None
        return {"orderId": order.id, "orderLinkId": order.client_id or ""}

    def realtime(self, asked: Row) -> Row:
        """Open orders; by an id also one of the last 500 that ended."""
        category = asked.get("category")
        recent = self._ended.get(str(category), ())
        if asked.get("orderId") or asked.get("orderLinkId"):
            found = [order for order in self.asked_for(asked) if order.is_open or order.id in recent]
        elif str(asked.get("openOnly", "0")) == "1":
            found = [order for order in self.asked_for(asked) if order.id in recent]
        else:
            if category == "linear" and not (asked.get("symbol") or asked.get("settleCoin") or asked.get("baseCoin")):
                raise BybitError(10001, "Missing some parameters that must be filled in")
            found = self.asked_for(asked, among=self.venue.open_orders())
        return self.page(category, found[::-1], asked, self.order_row, most=50, usual=20)

    def ended(self, order: VenueOrder) -> None:
        """To be told of each order that is over."""
        self._ended[rows.category_of(self.venue.markets[order.market])].append(order.id)

    def history(self, asked: Row) -> Row:
        """Orders that are over. One that ended without any fill is forgotten after a day."""
        start, end = self.window(asked)
        wanted = asked.get("orderStatus")
        found = [
            order
            for order in reversed(self.asked_for(asked))
            if not order.is_open
            and start <= order.created_ms <= end
            and (order.filled or order.updated_ms > self.now() - DAY_MS)
            and wanted in {None, "", rows.order_status(order, self.venue.markets[order.market])}
        ]
        return self.page(asked.get("category"), found, asked, self.order_row, most=50, usual=20)

    def executions(self, asked: Row) -> Row:
        start, end = self.window(asked)
        trades: Iterable[VenueTrade] = self.venue.trades
        if asked.get("orderId") or asked.get("orderLinkId"):
            trades = [trade for order in self.asked_for(asked) for trade in order.trades]
        ids = self.market_ids(asked)
        found = [trade for trade in trades if trade.order.market in ids and start <= trade.at_ms <= end]
        found.reverse()

        def row_of(trade: VenueTrade) -> Row:
            return rows.execution_row(trade, self.venue.markets[trade.order.market])

        return self.page(asked.get("category"), found, asked, row_of, most=100, usual=50)

    # Inside

    def refused(self, refusal: VenueRefusal, market: VenueMarket, qty: Decimal | None) -> BybitError:
        spot = market.type == "spot"
        if refusal.kind == "lot_size" and qty is not None and qty < market.min_qty:
            low = (
                "Order quantity exceeded lower limit."
                if spot
                else "The number of contracts exceeds minimum limit allowed"
            )
            return BybitError(170136 if spot else 10001, low)
        return BybitError(*(SPOT_REFUSALS if spot else LINEAR_REFUSALS)[refusal.kind])

    def order_row(self, order: VenueOrder) -> Row:
        return rows.order_row(order, self.venue.markets[order.market])

    def market_ids(self, asked: Row) -> set[str]:
        """The venue's names of the markets that are asked about."""
        symbol = asked.get("symbol")
        return {each.id for each in self.of(asked.get("category")) if symbol in {None, "", rows.symbol_of(each)}}

    def asked_for(self, asked: Row, *, among: list[VenueOrder] | None = None) -> list[VenueOrder]:
        """Oldest first; an order id goes before a link id."""
        order_id, link = asked.get("orderId") or None, asked.get("orderLinkId") or None
        orders: Iterable[VenueOrder] = self.venue.orders.values() if among is None else among
        if order_id or link:
            known = self.venue.find(order_id=order_id, client_id=link)
            orders = [known] if known else []
        ids = self.market_ids(asked)
        return [order for order in orders if order.market in ids]

    def window(self, asked: Row) -> tuple[int, int]:
        """Seven days, the last where nothing was asked. Raises BybitError over seven days."""
        week = 7 * DAY_MS
        start, end = asked.get("startTime"), asked.get("endTime")
        if start is None and end is None:
            return self.now() - week, self.now() + DAY_MS
        first = int(start) if start is not None else int(end) - week
        last = int(end) if end is not None else first + week
        if last - first > week:
            raise BybitError(10001, "The time range between startTime and endTime cannot exceed 7 days")
        return first, last

    @staticmethod
    def page(
        category: Any, found: list[Found], asked: Row, row_of: Callable[[Found], Row], *, most: int, usual: int
    ) -> Row:
        size = min(int(asked.get("limit") or usual), most)
        first = int(asked.get("cursor") or 0)
        after = str(first + size) if first + size < len(found) else ""
        listed = [row_of(each) for each in found[first : first + size]]
        return {"category": category, "list": listed, "nextPageCursor": after}
