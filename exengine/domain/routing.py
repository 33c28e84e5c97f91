"""Which account and market an alert means (SPEC §2.4)."""

from dataclasses import dataclass
from enum import Enum

from exengine.domain.instrument import MarketType
from exengine.domain.settings import AccountSettings, Settings
from exengine.domain.signal import Signal
from exengine.domain.state import State, spelled

EXCHANGES = {"BINANCE": "binance", "BYBIT": "bybit", "OKX": "okx", "KUCOIN": "kucoin", "MEXC": "mexc",
             "GATEIO": "gate", "GATE": "gate"}  # fmt: skip
"""TradingView's names of the exchanges, and ours."""

PERPETUAL = ".P"
"""TradingView's suffix of perpetuals."""


class Unroutable(Enum):
    UNKNOWN_EXCHANGE = "unknown_exchange"
    UNKNOWN_SYMBOL = "unknown_symbol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    account: AccountSettings
    symbol: str
    """Unified; where the account's markets are not loaded, as the signal spells it."""
    known: bool
    """Whether the account's markets are loaded and list it."""


def route(state: State, signal: Signal) -> Destination | Unroutable:
    """The account and symbol of a signal; what is wrong where there is none."""
    account = _account(state.settings, signal)
    if account is None:
        return Unroutable.UNKNOWN_EXCHANGE
    wanted = spelled(signal.symbol.removesuffix(PERPETUAL).removesuffix(PERPETUAL.lower()))
    listed = state.listed.get(account.name)
    if listed is None:
        return Destination(account=account, symbol=wanted, known=False)
    symbol = listed.get(wanted)
    if symbol is None:
        return Unroutable.UNKNOWN_SYMBOL
    return Destination(account=account, symbol=symbol, known=True)


def _account(settings: Settings, signal: Signal) -> AccountSettings | None:
    enabled = [account for account in settings.accounts if account.enabled]
    for rule in settings.routing:
        if rule.tv_exchange.upper() == signal.exchange:
            return next((account for account in enabled if account.name == rule.account), None)
    exchange = EXCHANGES.get(signal.exchange)
    own = [account for account in enabled if exchange is not None and account.exchange == exchange]
    # A paper account stands in for each exchange that has no enabled account of its own.
    candidates = own or [account for account in enabled if account.exchange == "paper" and exchange is not None]
    perpetual = signal.symbol.upper().endswith(PERPETUAL)
    if perpetual:
        return next((account for account in candidates if account.market_type is MarketType.SWAP), None)
    spot_first = sorted(candidates, key=lambda account: account.market_type is not MarketType.SPOT)
    return spot_first[0] if spot_first else None
