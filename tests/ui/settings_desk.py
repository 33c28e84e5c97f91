"""The dialog's other side for tests and pictures: a configuration that can be applied, prices, and the real sums."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from exengine.domain.errors import UserError
from exengine.domain.instrument import Instrument, Side
from exengine.domain.ladder_preview import LadderPreview, ladder_preview
from exengine.domain.state import Quote, State
from exengine.settings.account_keys import AccountKeys
from exengine.settings.consequences import Consequence, at_next_start, consequences
from exengine.settings.file import checked, save
from exengine.settings.follow import DiskEdit
from exengine.settings.pages import AccountPage, Config
from exengine.settings.plain import trading_settings
from exengine.settings.program_pages import NotificationPage
from tests.ui import rows

SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
RULES = {
    "BTC/USDT": ("67240.50", "0.01", "0.00001"),
    "ETH/USDT": ("3312.00", "0.01", "0.0001"),
    "SOL/USDT": ("147.90", "0.01", "0.001"),
}


def instrument(symbol: str) -> Instrument:
    _, tick, step = RULES[symbol]
    base, _, quote = symbol.partition("/")
    return Instrument(
        symbol=symbol, id=base + quote, base=base, quote=quote,
        tick_size=Decimal(tick), step_size=Decimal(step), min_qty=Decimal(step), min_notional=Decimal(5),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Applied:
    at_next_start: tuple[str, ...] = ()


@dataclass
class MemoryDesk:
    """What `SettingsDesk` promises, on a state in memory; what was applied is written down."""

    config: Config
    config_file: Path
    edit: DiskEdit | None = None
    applied: list[Config] = field(default_factory=list)
    fails_with: Exception | None = None
    wait: Callable[[], object] | None = None
    """Awaited before anything is applied."""
    anew: tuple[str, ...] = ()
    _callbacks: list[Callable[[], None]] = field(default_factory=list)

    def state(self, config: Config) -> State:
        settings = trading_settings(config, local_timezone="UTC")
        state = State(instance="test", settings=settings)
        for account in settings.accounts:
            for currency, amount in account.balances.items():
                state.start[account.name, currency] = amount
            if not account.is_live:
                state.start.setdefault((account.name, "USDT"), Decimal(10_000))
            state.start.setdefault((account.name, "USDT"), Decimal(25_000))
            for symbol in SYMBOLS:
                state.instruments[account.name, symbol] = instrument(symbol)
                quote = Quote(price=Decimal(RULES[symbol][0]), at_ms=rows.NOW_MS - 3_000)
                state.quotes[account.name, symbol] = quote
        return state

    def accounts(self, config: Config) -> tuple[str, ...]:
        return tuple(account.name for account in config.effective_accounts() if account.enabled)

    def symbols(self, account: str) -> tuple[str, ...]:
        return SYMBOLS if account else ()

    def last(self, account: str, symbol: str) -> Quote | None:
        return self.state(self.config).quotes.get((account, symbol))

    def ladder(
        self,
        config: Config,
        account: str,
        symbol: str,
        side: Side,
        timeframe: str = "15m",
        price: Decimal | None = None,
    ) -> LadderPreview | None:
        state = self.state(self.config)
        return ladder_preview(
            trading_settings(config, local_timezone="UTC"),
            replace(state),
            account=account,
            symbol=symbol,
            side=side,
            timeframe=timeframe,
            price=price,
        )

    def consequences(self, config: Config, ladder: LadderPreview | None = None) -> tuple[Consequence, ...]:
        return consequences(self.config, config, self.state(self.config), rows.NOW_MS, ladder)

    async def apply(self, config: Config, *, anew: Collection[str] = ()) -> Applied:
        if self.wait is not None:
            await self.wait()  # type: ignore[misc]
        if self.fails_with is not None:
            raise self.fails_with
        before, self.config = self.config, config
        self.applied.append(config)
        self.anew = tuple(anew)
        save(self.config_file, config)
        self.tell()
        return Applied(at_next_start(before, config))

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def tell(self) -> None:
        for callback in tuple(self._callbacks):
            callback()


def config_of(**tree: object) -> Config:
    return checked(tree)


@dataclass(frozen=True, slots=True)
class Found:
    about: str
    is_well: bool
    text: str
    warns: bool = False


FIT = (
    Found("clock", True, "answers in 38 ms, its clock is +12 ms from this machine’s"),
    Found("key", True, "taken; it holds 25,000 USDT"),
    Found(
        "permissions",
        True,
        "The key may withdraw, not only trade. ExEngine never needs that: make a key without it",
        warns=True,
    ),
    Found("rules", True, "1,812 symbols can be traded"),
    Found("streams", False, "own orders do not come by stream"),
)


@dataclass
class MemoryKeys:
    """What `AccountDesk` promises, in memory."""

    kept: dict[str, AccountKeys] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    notices_sent: list[str] = field(default_factory=list)
    why_closed: str | None = None
    passphrase: str = ""
    has_vault: bool = False
    findings: tuple[Found, ...] = FIT
    hold: asyncio.Event | None = None
    """Waited for after the first finding."""
    tried: list[tuple[AccountPage, AccountKeys | None]] = field(default_factory=list)

    async def endings(self, accounts: Sequence[str]) -> Mapping[str, str]:
        return {name: f"{keys.masked} in the keyring" for name, keys in self.kept.items() if name in accounts}

    async def keep(self, account: str, keys: AccountKeys) -> None:
        self.kept[account] = keys

    async def forget(self, account: str) -> None:
        self.kept.pop(account, None)

    async def keep_secret(self, name: str, value: str) -> None:
        self.secrets[name] = value

    async def send_test_notice(self, page: NotificationPage) -> str:
        if page.url.startswith("nosuch"):
            raise UserError("It is no address of a service.", remedy="Enter it again.")
        self.notices_sent.append(page.url)
        return "Sent to Telegram."

    async def closed(self) -> str | None:
        return self.why_closed

    async def open_vault(self, passphrase: str) -> None:
        if self.has_vault and passphrase != self.passphrase:
            raise UserError("The passphrase does not open the vault.")
        self.passphrase, self.why_closed = passphrase, None

    async def examine(
        self, page: AccountPage, keys: AccountKeys | None, tell: Callable[[Found], None]
    ) -> Sequence[Found]:
        self.tried.append((page, keys))
        for number, finding in enumerate(self.findings):
            if number and self.hold is not None:
                await self.hold.wait()
            tell(finding)
        return self.findings
