"""What OKX's v5 does with orders: creates are only acknowledged, each order of a request with an `sCode` of its own."""

from decimal import Decimal
from itertools import islice

from tests.exchange_server import okx_rows as rows
from tests.exchange_server.okx_account import REFUSALS, OkxAccount, OkxError, RowError, answer, row_number
from tests.exchange_server.okx_rows import Row
from tests.exchange_server.values import VenueMarket, VenueOrder, VenueRefusal

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MOST_IN_A_BATCH = 20
LONGEST_CLIENT_ID = 32
NOT_FOUND = ("51603", "Order does not exist")
NO_CANCEL = ("51400", "Order cancellation failed as the order has been filled, canceled or does not exist.")


class OkxOrders(OkxAccount):
    """The answers about one trader's orders and fills."""

    def create(self, asked: Row) -> Row:
        self.check_may_trade()
        return self.acknowledged([self.create_row(asked)])

    def create_batch(self, asked: list[Row]) -> Row:
        self.check_may_trade()
        if not isinstance(asked, list) or not asked:
            raise OkxError("50000", "Body for POST request cannot be empty.", status=400)
        if len(asked) > MOST_IN_A_BATCH:
            raise OkxError("51111", f"Maximum {MOST_IN_A_BATCH} orders can be placed in bulk.")
        return self.acknowledged([self.create_row(each) for each in asked])

    def check_may_trade(self) -> None:
        if not self.keys.may_trade:
            raise OkxError("50120", "This API key doesn't have permission to use this function", status=401)

    def acknowledged(self, made: list[Row]) -> Row:
        """The code of the whole: 0 all taken, 1 none, 2 some."""
        failed = sum(row["sCode"] != "0" for row in made)
        code = "0" if not failed else "1" if failed == len(made) else "2"
        words = {"0": "", "1": "All operations failed", "2": "Bulk operation partially succeeded."}
        stamp = str(self.now() * 1000)
        return {"code": code, "msg": words[code], "data": made, "inTime": stamp, "outTime": stamp}

    def create_row(self, asked: Row) -> Row:
        """Only says that it was taken: what became of it is in the stream and the queries."""
        said = {"clOrdId": asked.get("clOrdId", ""), "tag": asked.get("tag", ""), "ts": str(self.now()), "subCode": ""}
        try:
            order = self.place(asked)
        except RowError as error:
            return said | {"ordId": "", "sCode": error.code, "sMsg": error.message}
        return said | {"ordId": order.id, "sCode": "0", "sMsg": "Order placed"}

    def place(self, asked: Row) -> VenueOrder:
        market = self.find_market(asked.get("instId"))
        if market is None:
            raise RowError(*REFUSALS["unknown_symbol"])
        self.check_order(asked, market)
        kind = asked["ordType"]
        is_market = kind == "market"
        size = row_number(asked, "sz")
        target = asked.get("tgtCcy") or ("quote_ccy" if asked["side"] == "buy" else "base_ccy")
        in_quote = is_market and market.type == "spot" and target == "quote_ccy"
        self._saying = {"tdMode": asked["tdMode"], "lever": self.lever(market), "tag": asked.get("tag", "")}
        try:
            order = self.venue.place(
                market_id=market.id,
                side=asked["side"],
                type="market" if is_market else "limit",
                qty=None if in_quote else size,
                quote_qty=size if in_quote else None,
                price=None if is_market else row_number(asked, "px"),
                tif="FOK" if kind == "fok" else "IOC" if kind in {"ioc", "market"} else "GTC",
                post_only=kind == "post_only",
                reduce_only=str(asked.get("reduceOnly", "")).lower() == "true" and market.type == "swap",
                client_id=asked.get("clOrdId") or None,
            )
        except VenueRefusal as refusal:
            raise self.refused(refusal, market, asked) from None
        self._said[order.id] = self._saying
        self._modes[market.id] = asked["tdMode"]
        return order

    def check_order(self, asked: Row, market: VenueMarket) -> None:
        """Raises RowError naming the parameter, as OKX does."""
        swap = market.type == "swap"
        client_id = asked.get("clOrdId") or ""
        sides = {"long", "short"} if self.position_mode == "long_short_mode" else {None, "", "net"}
        if swap and self.account_level == "1":
            raise RowError("51010", "Request unsupported under current account mode")
        wrong = (
            ("tdMode", asked.get("tdMode") not in ({"cross", "isolated"} if swap else {"cash"})),
            ("side", asked.get("side") not in {"buy", "sell"}),
            ("ordType", asked.get("ordType") not in {"limit", "market", "ioc", "fok", "post_only"}),
            ("posSide", swap and asked.get("posSide") not in sides),
            ("clOrdId", not (client_id == "" or (client_id.isascii() and client_id.isalnum()))),
            ("clOrdId", len(client_id) > LONGEST_CLIENT_ID),
            ("sz", (row_number(asked, "sz") or Decimal(0)) <= 0),
            ("px", asked.get("ordType") != "market" and row_number(asked, "px") is None),
        )
        for name, is_wrong in wrong:
            if is_wrong:
                raise RowError("51000", f"Parameter {name} error")

    def refused(self, refusal: VenueRefusal, market: VenueMarket, asked: Row) -> RowError:
        if refusal.kind == "insufficient":
            spot = market.type == "spot"
            coin = market.base if spot and asked["side"] == "sell" else market.quote
            return RowError("51008", f"Order failed. Insufficient {coin} {'balance' if spot else 'margin'} in account")
        size = row_number(asked, "sz")
        if refusal.kind == "lot_size" and size is not None and size < market.min_qty:
            return RowError(*REFUSALS["min_notional"])
        return RowError(*REFUSALS[refusal.kind])

    def cancel(self, asked: Row) -> Row:
        market = self.find_market(asked.get("instId"))
        order_id, client_id = asked.get("ordId") or None, asked.get("clOrdId") or None
        if not order_id and not client_id:
            raise OkxError("50015", "Either parameter ordId or clOrdId is required", status=400)
        order = self.venue.find(order_id=order_id, client_id=client_id)
        row = {"clOrdId": client_id or "", "ordId": order_id or "", "ts": str(self.now()), "sCode": "0", "sMsg": ""}
        if market is None:
            code, words = REFUSALS["unknown_symbol"]
        elif order is None or order.market != market.id or self.is_forgotten(order):
            code, words = NO_CANCEL
        elif order.status == "filled":
            code, words = "51402", "Order cancellation failed as the order is already completed."
        elif not order.is_open:
            code, words = "51401", "Order cancellation failed as the order is already canceled."
        else:
            self.venue.cancel(market_id=market.id, order_id=order.id)
            return self.acknowledged([row | {"clOrdId": order.client_id or "", "ordId": order.id}])
        return self.acknowledged([row | {"sCode": code, "sMsg": words}])

    def order(self, asked: Row) -> Row:
        """By the order's id, else by the client's: the latest that had it."""
        market = self.find_market(asked.get("instId"))
        if market is None:
            raise OkxError(*REFUSALS["unknown_symbol"])
        order_id, client_id = asked.get("ordId") or None, asked.get("clOrdId") or None
        if not order_id and not client_id:
            raise OkxError("50015", "Either parameter ordId or clOrdId is required", status=400)
        order = self.venue.find(order_id=order_id, client_id=client_id)
        if order is None or order.market != market.id or self.is_forgotten(order):
            raise OkxError(*NOT_FOUND)
        return answer([self.order_row(order)])

    def pending(self, asked: Row) -> Row:
        ids = {market.id for market in self.of(asked)}
        return self.page([order for order in self.venue.open_orders() if order.market in ids], asked)

    def history(self, asked: Row) -> Row:
        """Seven days; an order that was canceled without any fill two hours only."""
        return self.over(asked, self.now() - 7 * DAY_MS)

    def archive(self, asked: Row) -> Row:
        return self.over(asked, self.now() - 90 * DAY_MS)

    def over(self, asked: Row, since_ms: int) -> Row:
        if not asked.get("instType"):
            raise OkxError("50014", "Parameter instType cannot be empty.", status=400)
        state, begin, end = asked.get("state"), asked.get("begin"), asked.get("end")
        found = [
            order
            for order in self.orders_of(asked)
            if not order.is_open
            and not self.is_forgotten(order)
            and order.created_ms >= max(since_ms, int(begin or 0))
            and (end is None or order.created_ms <= int(end))
            and state in {None, "", rows.STATE[order.status]}
        ]
        return self.page(found, asked)

    def fills(self, asked: Row) -> Row:
        begin, end, after = int(asked.get("begin") or 0), asked.get("end"), asked.get("after")
        order_id, most = asked.get("ordId") or None, min(100, int(asked.get("limit") or 100))
        ids = {market.id for market in self.of(asked)}
        found = (
            trade
            for trade in reversed(self.venue.trades)
            if trade.order.market in ids
            and trade.at_ms >= begin
            and (end is None or trade.at_ms <= int(end))
            and order_id in {None, trade.order.id}
            and (not after or int(rows.bill_id(trade)) < int(after))
        )
        return answer([rows.fill_row(trade, self.venue.markets[trade.order.market]) for trade in islice(found, most)])

    # Inside

    def order_row(self, order: VenueOrder) -> Row:
        return rows.order_row(order, self.venue.markets[order.market], asked=self.said(order))

    def is_forgotten(self, order: VenueOrder) -> bool:
        """Canceled without a fill, and two hours ago."""
        return not order.is_open and not order.filled and self.now() - order.updated_ms > 2 * HOUR_MS

    def orders_of(self, asked: Row) -> list[VenueOrder]:
        """Oldest first."""
        ids = {market.id for market in self.of(asked)}
        return [order for order in self.venue.orders.values() if order.market in ids]

    def page(self, found: list[VenueOrder], asked: Row) -> Row:
        """Newest first, 100 at most, older than `after`."""
        after = asked.get("after")
        newest = [order for order in reversed(found) if not after or int(order.id) < int(after)]
        return answer([self.order_row(order) for order in newest[: min(100, int(asked.get("limit") or 100))]])
