"""What the window must know besides the rows: accounts, the webhook's address and text, what a test alert can be."""

from dataclasses import dataclass
from decimal import Decimal

from exengine.engine.rows import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLabel:
    """An account as dialogs name it."""

    name: str
    venue: str
    """`Binance spot`, `Paper`."""
    mode: Mode
    tv_exchange: str = ""
    """A name of TradingView's that leads to it; empty where none does."""
    symbols: tuple[str, ...] = ()
    """What it lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Handed over by the one who joins the parts; given anew when the settings change."""

    accounts: tuple[AccountLabel, ...]
    webhook_url: str
    """With the real token: only ever copied."""
    webhook_url_masked: str
    alert_text: str
    """With the real secret: only ever copied."""
    alert_text_masked: str
    is_public: bool
    """Whether TradingView can reach the address."""
    test_symbols: tuple[str, ...]
    test_timeframes: tuple[str, ...] = ("1m", "5m", "15m", "1h", "4h", "1d")
    test_legs: int
    """Legs of a pyramid that a test alert opens."""
    test_pyramids: int = 1
    """Pyramids that a group may have."""
    test_amount: Decimal
    """Its capital, in `test_quote`."""
    test_quote: str = "USDT"
    slippage_percent: Decimal
    slippage_forced: bool
    """Whether a close beyond the bound is forced."""
    timezone: str = ""
    """The trader's, by its IANA name; empty where it is what the window was opened with."""
    read_only: str = ""
    """Why nothing can be done in this window, in words; empty where it is the engine's own."""

    def mode_of(self, account: str) -> Mode | None:
        return next((label.mode for label in self.accounts if label.name == account), None)

    @property
    def harmless(self) -> tuple[AccountLabel, ...]:
        """Accounts that a test alert may go to: none that trades real money."""
        return tuple(label for label in self.accounts if label.mode is not Mode.LIVE)

    def venue_of(self, account: str) -> str:
        return next((label.venue for label in self.accounts if label.name == account), "")
