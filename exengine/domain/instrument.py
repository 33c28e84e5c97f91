"""Market rules of a symbol: where its prices and quantities may lie, and what an order must at least be worth (§6)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exengine.domain.money import HUNDRED, ONE, ZERO, ceil_step, floor_step, is_multiple


class MarketType(Enum):
    """What is traded: the coin itself, or a perpetual contract on it."""

    SPOT = "spot"
    SWAP = "swap"


class Side(Enum):
    """The direction of a group."""

    LONG = "long"
    SHORT = "short"

    sign: int
    """`d` of the contract's formulas: +1 long, -1 short."""

    def __init__(self, name: str) -> None:
        self.sign = 1 if name == "long" else -1

    @property
    def opposite(self) -> "Side":
        return Side.SHORT if self is Side.LONG else Side.LONG

    @property
    def entry(self) -> "OrderSide":
        """The side of the orders that build the position."""
        return OrderSide.BUY if self is Side.LONG else OrderSide.SELL

    @property
    def leave(self) -> "OrderSide":
        """The side of the orders that take the position down."""
        return OrderSide.SELL if self is Side.LONG else OrderSide.BUY


class OrderSide(Enum):
    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """The rules of one symbol on one account's exchange. Quantities are in contracts where it is a swap."""

    symbol: str
    """Unified symbol as ccxt spells it: `BTC/USDT`, `BTC/USDT:USDT`."""
    id: str
    """The exchange's own name of it: `BTCUSDT`."""
    base: str
    quote: str
    type: MarketType = MarketType.SPOT
    tick_size: Decimal
    step_size: Decimal
    min_qty: Decimal = ZERO
    max_qty: Decimal | None = None
    min_notional: Decimal = ZERO
    contract_size: Decimal = ONE
    maker_fee: Decimal = ZERO
    """Share, not per cent: 0.001 is 0.1 %."""
    taker_fee: Decimal = ZERO

    def price_down(self, price: Decimal) -> Decimal:
        return floor_step(price, self.tick_size)

    def price_up(self, price: Decimal) -> Decimal:
        return ceil_step(price, self.tick_size)

    def entry_price(self, price: Decimal, side: Side) -> Decimal:
        """An entry is never dearer than planned: long down to the tick, short up (§3.1)."""
        return self.price_down(price) if side is Side.LONG else self.price_up(price)

    def target_price(self, price: Decimal, side: Side) -> Decimal:
        """A target never brings less than planned: long up to the tick, short down (§4.1)."""
        return self.price_up(price) if side is Side.LONG else self.price_down(price)

    def slipped(self, price: Decimal, side: OrderSide, percent: Decimal) -> Decimal:
        """`price` worsened by `percent` for an order of `side`, on the tick, never below one tick."""
        if side is OrderSide.BUY:
            return self.price_up(price * (1 + percent / HUNDRED))
        return max(self.price_down(price * (1 - percent / HUNDRED)), self.tick_size)

    def on_tick(self, price: Decimal) -> bool:
        return is_multiple(price, self.tick_size)

    def qty_floor(self, qty: Decimal) -> Decimal:
        """`qty` down to the step."""
        return floor_step(qty, self.step_size)

    def qty_ceil(self, qty: Decimal) -> Decimal:
        """`qty` up to the step."""
        return ceil_step(qty, self.step_size)

    def notional(self, price: Decimal, qty: Decimal) -> Decimal:
        """What `qty` is worth in quote at `price`."""
        return price * qty * self.contract_size

    def is_below_minimum(self, price: Decimal, qty: Decimal) -> bool:
        """Whether an exchange refuses `qty` at `price` as too small (§3.1)."""
        return qty <= 0 or qty < self.min_qty or self.notional(price, qty) < self.min_notional

    def smallest_qty(self, price: Decimal) -> Decimal:
        """The smallest quantity on the step that no minimum refuses at `price`."""
        by_value = self.min_notional / (price * self.contract_size)
        return max(self.qty_ceil(by_value), self.qty_ceil(self.min_qty), self.step_size)
