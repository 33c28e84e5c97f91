"""The whole configuration (SPEC §14): accounts, routing, and the checks that look across pages."""

import ipaddress
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from exengine.domain.instrument import MarketType
from exengine.domain.settings import MarginMode, SizingMode
from exengine.settings.fields import Amount, Flag, Location, NotNegative, Page, Whole, fault, refuse, setting, spelled
from exengine.settings.program_pages import (
    EXCHANGES,
    AppPage,
    ListenerPage,
    LoggingPage,
    NotificationPage,
    SecurityPage,
    SignalsPage,
    SimPage,
    UiPage,
)
from exengine.settings.trading_pages import (
    ExecutionPage,
    GridPage,
    PoolPage,
    PrecisionPage,
    QueuePage,
    RiskPage,
    SafetyPage,
    SizingPage,
    TakeProfitPage,
)

SCHEMA_VERSION = 1
"""The version of this tree: one more than there are migrations."""

Fault = tuple[Location, str]


class ExchangeName(Enum):
    """Where an account is."""

    PAPER = "paper"
    BINANCE = "binance"
    BYBIT = "bybit"
    OKX = "okx"
    KUCOIN = "kucoin"
    MEXC = "mexc"
    GATE = "gate"


_SERVER = re.compile(r"http://(?:\[(?P<six>[0-9a-f:]+)\]|(?P<four>[0-9.]+)):(?P<port>[0-9]{1,5})", re.ASCII | re.I)
_WITHOUT_TESTNET = (ExchangeName.PAPER, ExchangeName.KUCOIN, ExchangeName.MEXC)
_PERCENT_MODES = (SizingMode.PERCENT_EQUITY, SizingMode.PERCENT_FREE)
_OF_THE_GROUP = {
    "grid": {"max_pyramids", "replace_last_pyramid"},
    "take_profit": {"mode", "close_when_flat", "stop_loss_percent", "trailing_percent"},
}


def _account_name(name: str) -> str:
    if not name or name != name.strip() or len(name) > 64:
        raise fault("must be a name of 1 to 64 characters, without blanks around it")
    if "|" in name or not name.isprintable():
        raise fault("must not contain | (it separates account, symbol and timeframe) or unprintable characters")
    return name


def _capital(balances: dict[str, Decimal]) -> dict[str, Decimal]:
    for currency in balances:
        if not currency or not currency.isprintable() or currency != currency.strip().upper():
            raise fault("must name currencies in capitals, as USDT")
    return balances


def _tv_exchange(name: str) -> str:
    name = name.strip().upper()
    if not name or not name.isprintable():
        raise fault("must be an exchange as TradingView calls it, such as BINANCE")
    return name


def _server(text: str) -> str:
    """Keys sign what is sent there: an address of this machine, and no name that could come to mean another."""
    if not text:
        return text
    found = _SERVER.fullmatch(text)
    try:
        here = found is not None and ipaddress.ip_address(found["six"] or found["four"]).is_loopback
    except ValueError:
        here = False
    if found is None or not here or not 1 <= int(found["port"]) <= 65535:
        raise fault(
            "must be empty, or a server on this machine as http://127.0.0.1:8080: an account’s keys sign for it"
        )
    return text


class AccountPage(Page):
    """One account: where it is and what it pays. Its keys are kept with the secrets."""

    name: Annotated[str, AfterValidator(_account_name)] = setting(
        ..., "Name", "Your name for it; no two accounts share one"
    )
    exchange: ExchangeName = setting(..., "Exchange", "Where it is; paper is the simulated one", words=EXCHANGES)
    market_type: MarketType = setting(
        "spot", "Market", "Coins, or perpetual contracts on them", words={"swap": "Perpetual swap"}
    )
    enabled: Flag = setting(True, "Enabled", "Takes signals")
    testnet: Flag = setting(False, "Testnet", "The exchange’s trial environment instead of real money")
    maker_fee_percent: Amount | None = setting(
        None, "Maker fee", "Of resting orders", unit="%", empty="the exchange’s own, 0.1 % on paper", ge=-1, le=10
    )
    taker_fee_percent: Amount | None = setting(
        None, "Taker fee", "Of orders that fill at once",
        unit="%", empty="the exchange’s own, 0.1 % on paper", ge=-1, le=10,
    )  # fmt: skip
    leverage: Amount = setting("1", "Leverage", "Of a swap account", unit="×", ge=1, le=500)
    margin_mode: MarginMode = setting(
        "cross", "Margin", "Of a swap account: the whole balance stands for a position, or only its own margin"
    )
    server: Annotated[str, AfterValidator(_server)] = setting(
        "", "Local server", "An exchange server on this machine instead of the exchange, for trials", empty="none"
    )
    balances: Annotated[dict[str, NotNegative], AfterValidator(_capital)] | None = setting(
        None, "Balances", "Capital of a paper account by currency; a live account has its own", empty="10,000 USDT"
    )

    @model_validator(mode="after")
    def _fits_its_exchange(self) -> Self:
        faults: list[Fault] = []
        if self.testnet and self.exchange in _WITHOUT_TESTNET:
            instead = "" if self.exchange is ExchangeName.PAPER else "; a paper account is without risk too"
            faults.append((("testnet",), f"must be false: {self.exchange.value} has no testnet{instead}"))
        if self.market_type is MarketType.SPOT and self.leverage != 1:
            faults.append((("leverage",), "must be 1 on a spot account"))
        if self.market_type is MarketType.SPOT and self.margin_mode is not MarginMode.CROSS:
            faults.append((("margin_mode",), 'must be "cross" on a spot account'))
        if self.exchange is ExchangeName.PAPER and self.server:
            faults.append((("server",), "must be empty on a paper account"))
        refuse(faults)
        return self


class RoutePage(Page):
    """Signals of one TradingView exchange go to one account (§2.4)."""

    tv_exchange: Annotated[str, AfterValidator(_tv_exchange)] = setting(
        ..., "TradingView exchange", "As TradingView calls it, such as BINANCE"
    )
    account: str = setting(..., "Account", "Where they go")


class Config(Page):
    """The configuration file, read and checked."""

    schema_version: Whole = setting(SCHEMA_VERSION, "Schema version", "The version of this file’s form", ge=1)
    app: AppPage = setting(AppPage(), "General", "Timezone, data folder, database and new versions")
    listener: ListenerPage = setting(ListenerPage(), "Listener", "Where webhooks arrive")
    security: SecurityPage = setting(SecurityPage(), "Security", "Who may send signals and change settings")
    accounts: tuple[AccountPage, ...] = setting((), "Accounts", "Where it trades; none: one paper account named paper")
    routing: tuple[RoutePage, ...] = setting((), "Routing", "Which exchange’s signals go to which account")
    signals: SignalsPage = setting(SignalsPage(), "Signals", "What counts as a resend")
    grid: GridPage = setting(GridPage(), "Grid", "Pyramids and their legs")
    sizing: SizingPage = setting(SizingPage(), "Sizing", "The capital of a pyramid")
    take_profit: TakeProfitPage = setting(TakeProfitPage(), "Take profit", "Targets, stop and trailing")
    execution: ExecutionPage = setting(ExecutionPage(), "Execution", "Market orders and their bound")
    pool: PoolPage = setting(PoolPage(), "Pool", "How many groups run at once")
    queue: QueuePage = setting(QueuePage(), "Queue", "Entries that wait")
    risk: RiskPage = setting(RiskPage(), "Risk", "Losers paid with the profit of winners")
    precision: PrecisionPage = setting(PrecisionPage(), "Precision", "Market rules of symbols")
    safety: SafetyPage = setting(SafetyPage(), "Safety", "Losses at which the engine pauses")
    logging: LoggingPage = setting(LoggingPage(), "Logging", "The log and what is kept of it")
    notifications: tuple[NotificationPage, ...] = setting((), "Notifications", "Where news is sent, and which")
    ui: UiPage = setting(UiPage(), "Appearance", "Theme, size and colours")
    sim: SimPage = setting(SimPage(), "Simulation", "Prices and frictions of paper accounts")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        refuse([*_names(self), *_routes(self), *_matches(self), *_shares(self)])
        return self

    def effective_accounts(self) -> tuple[AccountPage, ...]:
        """The accounts, or the paper account that stands in where none is configured."""
        return self.accounts or (AccountPage(name="paper", exchange=ExchangeName.PAPER),)


def _names(config: Config) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for index, account in enumerate(config.accounts):
        # Some keyrings do not tell capitals apart: two such accounts would share their keys.
        first = seen.setdefault(account.name.casefold(), index)
        if first != index:
            yield ("accounts", index, "name"), f"must differ from accounts[{first}].name by more than capitals"


def _missing(config: Config, name: str) -> str:
    known = ", ".join(account.name for account in config.effective_accounts())
    return f'names an account that is not there: "{name}"; there are: {known}'


def _routes(config: Config) -> Iterator[Fault]:
    names = {account.name for account in config.effective_accounts()}
    seen: dict[str, int] = {}
    for index, route in enumerate(config.routing):
        if route.account not in names:
            yield ("routing", index, "account"), _missing(config, route.account)
        first = seen.setdefault(route.tv_exchange, index)
        if first != index:
            yield ("routing", index, "tv_exchange"), f"is routed by routing[{first}] already"


def _matches(config: Config) -> Iterator[Fault]:
    names = {account.name for account in config.effective_accounts()}
    rules = config.grid.overrides
    most = max(config.grid.max_pyramids, *(rule.grid.over(config.grid).max_pyramids for rule in rules), 0)
    for index, rule in enumerate(rules):
        place: Location = ("grid", "overrides", index)
        if rule.match.account is not None and rule.match.account not in names:
            yield (*place, "match", "account"), _missing(config, rule.match.account)
        if rule.match.pyramid is None:
            continue
        if rule.match.pyramid >= most:
            yield (*place, "match", "pyramid"), f"never happens: with max_pyramids {most} the last index is {most - 1}"
        for part, values in _OF_THE_GROUP.items():
            for name in sorted(values & getattr(rule, part).model_fields_set):
                yield (*place, part, name), "is one for the whole group and cannot be set for one pyramid"


def _shares(config: Config) -> Iterator[Fault]:
    """A share of the account is at most what its leverage can carry."""
    most = 100 * max(account.leverage for account in config.effective_accounts())
    common = config.sizing
    if common.mode in _PERCENT_MODES and common.amount > most:
        yield ("sizing", "amount"), _too_large(common.mode, most)
    for index, rule in enumerate(config.grid.overrides):
        sizing = rule.sizing.over(common)
        if rule.sizing.model_fields_set and sizing.mode in _PERCENT_MODES and sizing.amount > most:
            yield ("grid", "overrides", index, "sizing", "amount"), _too_large(sizing.mode, most)


def _too_large(mode: SizingMode, most: Decimal) -> str:
    return f"must be at most {spelled(most)} (per cent) where mode is {mode.value}"
