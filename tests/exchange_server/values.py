"""What a local exchange knows: markets, orders, trades, positions, and why it says no."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

Side = Literal["buy", "sell"]
OrderType = Literal["limit", "market"]
TimeInForce = Literal["GTC", "IOC", "FOK"]
Status = Literal["new", "partially_filled", "filled", "canceled", "expired", "rejected"]
EventKind = Literal["new", "trade", "canceled", "expired", "rejected", "balance"]
RefusalKind = Literal[
    "insufficient",
    "price_filter",
    "lot_size",
    "min_notional",
    "max_qty",
    "duplicate",
    "would_match",
    "unknown_symbol",
    "halted",
    "unknown_order",
    "reduce_only",
    "bad_request",
]
OPEN: frozenset[str] = frozenset({"new", "partially_filled"})
ZERO = Decimal(0)


class VenueRefusal(Exception):
    """The exchange says no, and nothing was done."""

    def __init__(self, kind: RefusalKind, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueMarket:
    """One market's rules. Quantities are in base coin on spot, in contracts on a swap."""

    id: str
    base: str
    quote: str
    type: Literal["spot", "swap"] = "spot"
    tick: Decimal
    step: Decimal
    min_qty: Decimal
    max_qty: Decimal | None = None
    min_notional: Decimal
    """In quote coin."""
    contract_size: Decimal = Decimal(1)
    """Base coin in one contract; 1 on spot."""
    trading: bool = True

    def check(self, price: Decimal | None, qty: Decimal, unit: Decimal, *, reduce_only: bool) -> None:
        """Holds an order against the filters, `unit` being its price or, at market, the last one.

        Raises VenueRefusal.
        """
        if price is not None and (price <= 0 or price % self.tick != 0):
            raise VenueRefusal("price_filter", f"the price {price} is no multiple of {self.tick}")
        if self.max_qty is not None and qty > self.max_qty:
            raise VenueRefusal("max_qty", f"the quantity {qty} is over {self.max_qty}")
        if qty <= 0 or qty < self.min_qty or qty % self.step != 0:
            raise VenueRefusal("lot_size", f"the quantity {qty} is under {self.min_qty} or not in {self.step}")
        if unit * qty * self.contract_size < self.min_notional and not reduce_only:
            raise VenueRefusal("min_notional", f"the order is worth less than {self.min_notional}")


@dataclass(slots=True, kw_only=True, eq=False)
class VenueOrder:
    """One order. `filled` is in base coin or contracts, `quote_filled` in quote coin."""

    id: str
    client_id: str | None
    market: str
    side: Side
    type: OrderType
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    price: Decimal | None
    qty: Decimal
    quote_qty: Decimal | None = None
    """What a market order was to spend or bring, where it was given so; `qty` is what that came to."""
    filled: Decimal = ZERO
    quote_filled: Decimal = ZERO
    status: Status = "new"
    created_ms: int
    updated_ms: int
    trades: "list[VenueTrade]" = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def leaves(self) -> Decimal:
        """What is still to be filled while it is open."""
        return self.qty - self.filled

    def snapshot(self) -> "VenueOrder":
        """As it is now: it does not change any more."""
        return replace(self, trades=list(self.trades))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VenueTrade:
    """One fill. `order` is the order itself, not as it was then."""

    id: str
    order: VenueOrder
    at_ms: int
    price: Decimal
    qty: Decimal
    fee: Decimal
    """What was paid: positive."""
    fee_currency: str
    maker: bool
    realised: Decimal = ZERO
    """In quote coin, without fees; swaps only."""


@dataclass(slots=True, kw_only=True)
class VenuePosition:
    """A swap's position: contracts are negative when short; the entry price is the average."""

    contracts: Decimal = ZERO
    entry_price: Decimal = ZERO

    def fill(self, signed: Decimal, price: Decimal, contract_size: Decimal) -> Decimal:
        """Takes in a fill of `signed` contracts; what it realised, in quote coin, without fees."""
        before = self.contracts
        self.contracts = before + signed
        if before * signed >= 0:
            self.entry_price = (self.entry_price * abs(before) + price * abs(signed)) / abs(self.contracts)
            return ZERO
        closed = min(abs(before), abs(signed))
        realised = (price - self.entry_price) * closed * contract_size * (1 if before > 0 else -1)
        if self.contracts == 0:
            self.entry_price = ZERO
        elif self.contracts * before < 0:
            self.entry_price = price
        return realised


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueEvent:
    """One change, as the streams tell it."""

    kind: EventKind
    at_ms: int
    order: VenueOrder | None = None
    """As it was after the change; None where only a balance changed."""
    trade: VenueTrade | None = None
    balances: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Free and locked, after the change, of each coin that it touched."""
    amount: Decimal = ZERO
    """What came in from outside, or went out where negative: where only a balance changed."""
