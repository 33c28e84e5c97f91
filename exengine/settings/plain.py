"""The configuration as the plain frozen values that the engine is handed."""

from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from typing import Any, TypeVar

from exengine.domain.settings import (
    AccountSettings,
    ExecutionSettings,
    FallbackRules,
    GridSettings,
    LegSpec,
    Override,
    OverrideMatch,
    PoolSettings,
    PrecisionSettings,
    QueueSettings,
    RiskSettings,
    Route,
    SafetySettings,
    Settings,
    SignalSettings,
    SizingSettings,
    TakeProfitSettings,
)
from exengine.settings.fields import Page
from exengine.settings.pages import AccountPage, Config, ExchangeName
from exengine.settings.trading_pages import LegPage, OverridePage, PrecisionPage

PAPER_CAPITAL = {"USDT": Decimal(10_000)}
PAPER_FEE_PERCENT = Decimal("0.1")

_Plain = TypeVar("_Plain")


def trading_settings(config: Config, *, local_timezone: str) -> Settings:
    """What the engine trades by. `local_timezone` is the IANA name that stands for `app.timezone` "local".

    A paper account without fees or capital of its own gets 0.1 % and 10,000 USDT; a live one has the exchange's.
    """
    return _settings(
        config, local_timezone, (_account(page, config.sim.slippage_percent) for page in config.effective_accounts())
    )


def replay_settings(config: Config) -> Settings:
    """The same for a replay: "local" is UTC, and every account is a paper account with a capital of its own.

    A fee that an account does not give stays None, on paper too: the recorded market's own then applies (§14).
    """
    return _settings(
        config, "UTC", (_replayed(page, config.sim.slippage_percent) for page in config.effective_accounts())
    )


def _settings(config: Config, local_timezone: str, accounts: Iterable[AccountSettings]) -> Settings:
    timezone = config.app.timezone
    return Settings(
        accounts=tuple(accounts),
        routing=tuple(_as(Route, page) for page in config.routing),
        timezone=local_timezone if timezone == "local" else timezone,
        signals=SignalSettings(
            duplicate_window_seconds=config.signals.duplicate_window_seconds,
            max_signal_age_seconds=config.security.max_signal_age_seconds,
            replay=config.logging.webhook_replay,
        ),
        grid=_as(GridSettings, config.grid, legs=_legs(config.grid.legs)),
        sizing=_as(SizingSettings, config.sizing),
        take_profit=_as(TakeProfitSettings, config.take_profit),
        overrides=tuple(_override(page) for page in config.grid.overrides),
        execution=_as(ExecutionSettings, config.execution),
        pool=_as(PoolSettings, config.pool),
        queue=_as(QueueSettings, config.queue),
        risk=_as(RiskSettings, config.risk),
        precision=_precision(config.precision),
        safety=_as(SafetySettings, config.safety),
    )


def _as(kind: type[_Plain], page: Page, **instead: Any) -> _Plain:
    """`page` as the dataclass `kind`, whose fields have the same names; `instead` for those that need more."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # each kind is a dataclass
    return kind(**{name: instead[name] if name in instead else getattr(page, name) for name in names})


def _legs(pages: Iterable[LegPage]) -> tuple[LegSpec, ...]:
    return tuple(_as(LegSpec, page) for page in pages)


def _override(page: OverridePage) -> Override:
    grid = page.grid.given()
    if "legs" in grid:
        grid["legs"] = _legs(grid["legs"])
    return Override(
        match=_as(OverrideMatch, page.match),
        grid=grid,
        sizing=page.sizing.given(),
        take_profit=page.take_profit.given(),
    )


def _precision(page: PrecisionPage) -> PrecisionSettings:
    own = page.fallback_values
    return _as(PrecisionSettings, page, fallback_values=None if own is None else _as(FallbackRules, own))


def _account(page: AccountPage, slippage_percent: Decimal) -> AccountSettings:
    if page.exchange is not ExchangeName.PAPER:
        return _as(AccountSettings, page, exchange=page.exchange.value, balances={}, paper_slippage_percent=None)
    maker, taker = page.maker_fee_percent, page.taker_fee_percent
    return _as(
        AccountSettings,
        page,
        exchange=page.exchange.value,
        maker_fee_percent=PAPER_FEE_PERCENT if maker is None else maker,
        taker_fee_percent=PAPER_FEE_PERCENT if taker is None else taker,
        balances=_capital(page),
        paper_slippage_percent=slippage_percent,
    )


def _replayed(page: AccountPage, slippage_percent: Decimal) -> AccountSettings:
    return _as(
        AccountSettings,
        page,
        exchange=page.exchange.value,
        balances=_capital(page),
        paper_slippage_percent=slippage_percent,
    )


def _capital(page: AccountPage) -> dict[str, Decimal]:
    return dict(PAPER_CAPITAL if page.balances is None else page.balances)
