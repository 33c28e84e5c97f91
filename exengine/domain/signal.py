"""A signal: what a TradingView alert says, validated field by field (SPEC §2.1)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class Action(Enum):
    BUY = "buy"
    SELL = "sell"
    LONG = "long"
    SHORT = "short"


class Position(Enum):
    """The strategy's position as TradingView tells it."""

    LONG = "long"
    SHORT = "short"
    FLAT = "flat"


class Intent(Enum):
    SIGNAL = "signal"
    EXIT = "exit"
    REDUCE = "reduce"
    REVERSE = "reverse"


class SizeUnit(Enum):
    """The unit of order_size; contracts are base on spot."""

    CONTRACTS = "contracts"
    BASE = "base"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    field: str
    """Path of the field in the body, as `tv.symbol`."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One valid alert. Prices in quote, sizes in `size_unit`."""

    exchange: str
    """tv.exchange in capitals."""
    symbol: str
    """tv.symbol as it came, without surrounding blanks; routing resolves its spelling."""
    timeframe: str
    """Normalised: 1m 3m 5m 15m 30m 45m 1h 2h 3h 4h 1d 1w 1M, seconds as 30s."""
    action: Action
    price: Decimal
    price_field: str
    """`tv.entry_price` or `tv.close_price`: where `price` came from."""
    intent: Intent | None = None
    market_position: Position | None = None
    market_position_size: Decimal | None = None
    prev_market_position: Position | None = None
    prev_market_position_size: Decimal | None = None
    order_size: Decimal | None = None
    size_unit: SizeUnit = SizeUnit.CONTRACTS
    strict_precision: bool = False
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    max_slippage_percent: Decimal | None = None
    trade_id: str | None = None
    alert_name: str | None = None
    alert_message: str | None = None
    source: str | None = None
    timestamp_ms: int | None = None
    digest: str
    """SHA-256 of the body as parsed, keys sorted, secret left out (§2.3)."""
