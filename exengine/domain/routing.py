"""Which account and market an alert means (SPEC §2.4)."""

from dataclasses import dataclass
from enum import Enum

from exengine.domain.instrument import Instrument, MarketType
from exengine.domain.settings import AccountSettings, RulesFallback, Settings
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
    """Unified; where the account's markets are not loaded, as the signal spells it, or by the trader's own rules."""
    known: bool
    """Whether the account's markets are loaded and list it."""


def route(state: State, signal: Signal) -> Destination | Unroutable:
    """The account and symbol of a signal; what is wrong where there is none."""
    account = account_for(state.settings, signal.exchange, signal.symbol)
    if account is None:
        return Unroutable.UNKNOWN_EXCHANGE
    wanted = spelled(signal.symbol.removesuffix(PERPETUAL).removesuffix(PERPETUAL.lower()))
    listed = state.listed.get(account.name)
    if listed is None:
        guess = _guessed_symbol(wanted) if _has_own_rules(state.settings, account) else None
        return Destination(account=account, symbol=guess or wanted, known=False)
    symbol = listed.get(wanted)
    if symbol is None:
        return Unroutable.UNKNOWN_SYMBOL
    return Destination(account=account, symbol=symbol, known=True)


QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "DAI", "USD", "EUR", "TRY", "BTC", "ETH", "BNB")
"""Quotes by which a symbol is taken apart while its exchange's own list is not there; longer ones come first."""


def _guessed_symbol(wanted: str) -> str | None:
    """`BTC/USDT` for `BTCUSDT`; None where no known quote ends it."""
    quote = next((quote for quote in QUOTES if wanted.endswith(quote) and wanted != quote), None)
    return None if quote is None else f"{wanted.removesuffix(quote)}/{quote}"


def _has_own_rules(settings: Settings, account: AccountSettings) -> bool:
    """Whether the trader's own values stand in for missing market rules on this account.

    Spot only: a perpetual's contract size is not among them, and a wrong one would make every order many times too
    large.
    """
    precision = settings.precision
    wanted = precision.fallback is RulesFallback.DEFAULTS and precision.fallback_values is not None
    return wanted and account.market_type is MarketType.SPOT


def rules_for(state: State, account: AccountSettings, symbol: str) -> Instrument | None:
    """The market rules of a symbol: those last known, else the trader's own where they stand in (§6)."""
    known = state.instruments.get((account.name, symbol))
    values = state.settings.precision.fallback_values
    base, slash, quote = symbol.partition("/")
    if known or account.name in state.listed or values is None or not slash:
        return known
    if not _has_own_rules(state.settings, account):
        return None
    return Instrument(
        symbol=symbol,
        id=base + quote,
        base=base,
        quote=quote,
        tick_size=values.tick_size,
        step_size=values.step_size,
        min_qty=values.min_qty,
        min_notional=values.min_notional,
    )


def account_for(settings: Settings, exchange: str, symbol: str) -> AccountSettings | None:
    """The account that takes the alerts of TradingView's `exchange` (in capitals) for a symbol as it spells it."""
    enabled = [account for account in settings.accounts if account.enabled]
    for rule in settings.routing:
        if rule.tv_exchange.upper() == exchange:
            return next((account for account in enabled if account.name == rule.account), None)
    known = EXCHANGES.get(exchange)
    if known is None:
        return None
    own = [account for account in enabled if account.exchange == known]
    # A paper account stands in for each exchange that has no enabled account of its own.
    candidates = own or [account for account in enabled if account.exchange == "paper"]
    perpetual = symbol.upper().endswith(PERPETUAL)
    wanted = MarketType.SWAP if perpetual else MarketType.SPOT
    for account in candidates:
        if account.market_type is wanted:
            return account
    return None if perpetual or not candidates else candidates[0]


def tv_exchange_of(settings: Settings, account: AccountSettings) -> str:
    """A name by which alerts of TradingView reach an account; empty where none does."""
    own = [name for name, exchange in EXCHANGES.items() if exchange == account.exchange]
    ruled = [rule.tv_exchange.upper() for rule in settings.routing if rule.account == account.name]
    symbol = tv_symbol("BTC/USDT:USDT" if account.market_type is MarketType.SWAP else "BTC/USDT")
    names = (*ruled, *own, *EXCHANGES)
    return next((name for name in names if account_for(settings, name, symbol) is account), "")


def tv_symbol(symbol: str) -> str:
    """A unified symbol as TradingView's charts call it: `BTCUSDT`, `BTCUSDT.P`."""
    pair, _, settled = symbol.partition(":")
    return pair.replace("/", "") + (PERPETUAL if settled else "")
