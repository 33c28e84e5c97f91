"""The configuration as the engine gets it: nothing lost, nothing renamed, the same defaults."""

import os
import time
import zoneinfo
from collections.abc import Iterator
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exengine.domain import settings as domain
from exengine.domain.errors import UserError
from exengine.domain.instrument import MarketType, Side
from exengine.settings import pages, program_pages, trading_pages
from exengine.settings.fields import Page
from exengine.settings.file import checked
from exengine.settings.local_timezone import local_timezone
from exengine.settings.notification_urls import hide_urls, url_of
from exengine.settings.pages import Config
from exengine.settings.plain import replay_settings, trading_settings


def traded(tree: dict[str, Any]) -> domain.Settings:
    return trading_settings(checked(tree), local_timezone="UTC")


def test_the_defaults_of_the_pages_are_those_of_the_domain() -> None:
    paper = replace(domain.PAPER, maker_fee_percent=Decimal("0.1"), taker_fee_percent=Decimal("0.1"))
    assert traded({}) == domain.Settings(accounts=(paper,))


@pytest.mark.parametrize(
    ("page", "kind", "only_in_the_page"),
    [
        (trading_pages.LegPage, domain.LegSpec, set()),
        (trading_pages.GridPage, domain.GridSettings, {"overrides"}),
        (trading_pages.GridValues, domain.GridSettings, set()),
        (trading_pages.SizingPage, domain.SizingSettings, set()),
        (trading_pages.TakeProfitPage, domain.TakeProfitSettings, set()),
        (trading_pages.MatchPage, domain.OverrideMatch, set()),
        (trading_pages.OverridePage, domain.Override, set()),
        (trading_pages.ExecutionPage, domain.ExecutionSettings, set()),
        (trading_pages.PoolPage, domain.PoolSettings, set()),
        (trading_pages.QueuePage, domain.QueueSettings, set()),
        (trading_pages.RiskPage, domain.RiskSettings, set()),
        (trading_pages.FallbackPage, domain.FallbackRules, set()),
        (trading_pages.PrecisionPage, domain.PrecisionSettings, set()),
        (trading_pages.SafetyPage, domain.SafetySettings, set()),
        (pages.AccountPage, domain.AccountSettings, {"paper_slippage_percent"}),
        (pages.RoutePage, domain.Route, set()),
        (program_pages.SignalsPage, domain.SignalSettings, {"max_signal_age_seconds", "replay"}),
    ],
)
def test_a_page_has_the_fields_that_the_engine_knows(page: type[Page], kind: type, only_in_the_page: set[str]) -> None:
    of_the_page, of_the_domain = set(page.model_fields), {field.name for field in fields(kind)}
    assert of_the_page ^ of_the_domain == only_in_the_page


def test_every_value_arrives() -> None:
    settings = traded(
        {
            "app": {"timezone": "Asia/Tokyo"},
            "security": {"max_signal_age_seconds": 0},
            "signals": {"duplicate_window_seconds": 5},
            "grid": {"max_pyramids": 2, "pyramid_multipliers": ["1", "1.5"], "gap_reference": "group"},
            "queue": {"priority": ["fifo"], "max_age_minutes": "1.5"},
            "routing": [{"tv_exchange": "okx", "account": "paper"}],
            "precision": {
                "fallback": "defaults",
                "fallback_values": {"tick_size": "0.01", "step_size": "0.1", "min_qty": 0, "min_notional": 5},
            },
            "safety": {"max_daily_loss": "250"},
        }
    )
    assert settings.timezone == "Asia/Tokyo"
    assert settings.signals == domain.SignalSettings(duplicate_window_seconds=5, max_signal_age_seconds=0)
    assert settings.grid.multiplier(1) == Decimal("1.5")
    assert settings.grid.gap_reference is domain.GapReference.GROUP
    assert settings.queue.priority == (domain.QueueRule.FIFO,)
    assert settings.queue.max_age_minutes == Decimal("1.5")
    assert settings.routing == (domain.Route(tv_exchange="OKX", account="paper"),)
    assert settings.precision.fallback_values == domain.FallbackRules(
        tick_size=Decimal("0.01"), step_size=Decimal("0.1"), min_qty=Decimal(0), min_notional=Decimal(5)
    )
    assert settings.safety.max_daily_loss == Decimal(250)


def test_an_override_replaces_what_it_gives_and_nothing_else() -> None:
    settings = traded(
        {
            "grid": {
                "abandon_percent": "3",
                "overrides": [
                    {
                        "match": {"symbol": "ETH/USDT", "side": "long"},
                        "grid": {
                            "legs": [{"gap_percent": 0, "weight_percent": 100, "tp_percent": 3}],
                            "abandon_percent": None,
                        },
                        "take_profit": {"mode": "leg"},
                    }
                ],
            },
            "take_profit": {"mode": "aggregate", "percent": "2"},
        }
    )
    facts: dict[str, Any] = {"account": "paper", "timeframe": "15m", "side": Side.LONG, "pyramid": 0}
    eth, btc = settings.plan(symbol="ETH/USDT", **facts), settings.plan(symbol="BTC/USDT", **facts)
    assert [leg.tp_percent for leg in eth.grid.legs] == [Decimal(3)]
    assert (eth.grid.abandon_percent, btc.grid.abandon_percent) == (None, Decimal(3))
    assert (eth.take_profit.mode, btc.take_profit.mode) == (domain.TakeProfitMode.LEG, domain.TakeProfitMode.AGGREGATE)
    assert eth.take_profit.percent == Decimal(2)
    assert set(settings.overrides[0].grid) == {"legs", "abandon_percent"}
    assert settings.overrides[0].sizing == {}


ACCOUNTS = {
    "accounts": [
        {"name": "p", "exchange": "paper"},
        {"name": "q", "exchange": "paper", "maker_fee_percent": "0", "balances": {"USDC": "5"}},
        {
            "name": "main",
            "exchange": "binance",
            "market_type": "swap",
            "leverage": 3,
            "testnet": True,
            "margin_mode": "isolated",
            "server": "http://127.0.0.1:8080",
        },
    ]
}


def test_a_paper_account_has_fees_and_capital_and_a_live_one_the_exchanges() -> None:
    p, q, main = traded(ACCOUNTS).accounts
    assert (p.maker_fee_percent, p.taker_fee_percent, p.balances) == (
        Decimal("0.1"),
        Decimal("0.1"),
        {"USDT": Decimal(10_000)},
    )
    assert (q.maker_fee_percent, q.taker_fee_percent, q.balances) == (Decimal(0), Decimal("0.1"), {"USDC": Decimal(5)})
    assert (main.maker_fee_percent, main.taker_fee_percent, main.balances) == (None, None, {})
    assert (main.exchange, main.market_type, main.leverage) == ("binance", MarketType.SWAP, Decimal(3))
    assert (main.testnet, main.margin_mode, main.server) == (True, domain.MarginMode.ISOLATED, "http://127.0.0.1:8080")
    assert (p.testnet, p.margin_mode, p.server) == (False, domain.MarginMode.CROSS, "")


def test_in_replay_every_account_has_capital_and_the_symbols_fees() -> None:
    p, q, main = replay_settings(checked(ACCOUNTS)).accounts
    assert p.balances == main.balances == {"USDT": Decimal(10_000)}
    assert (p.maker_fee_percent, q.maker_fee_percent, main.maker_fee_percent) == (None, Decimal(0), None)


def test_the_paper_account_does_not_share_its_capital_with_others() -> None:
    first, second = traded({}), traded({})
    assert first.accounts[0].balances is not second.accounts[0].balances


def test_local_time_is_that_of_the_computer_and_utc_in_replay() -> None:
    assert trading_settings(Config(), local_timezone="Asia/Tokyo").timezone == "Asia/Tokyo"
    assert replay_settings(Config()).timezone == "UTC"
    assert replay_settings(checked({"app": {"timezone": "Asia/Tokyo"}})).timezone == "Asia/Tokyo"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Lets a test set TZ, and puts the process's clock right after it."""
    monkeypatch.delenv("TZ", raising=False)
    yield monkeypatch
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()


@pytest.mark.parametrize("text", ["Asia/Tokyo", ":Asia/Tokyo", "/usr/share/zoneinfo/Asia/Tokyo"])
def test_the_timezone_variable_comes_first(clock: pytest.MonkeyPatch, text: str) -> None:
    clock.setenv("TZ", text)
    assert local_timezone() == "Asia/Tokyo"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such link")
@pytest.mark.parametrize("below", ["usr/share/zoneinfo", "var/db/timezone/zoneinfo", "usr/share/zoneinfo/posix"])
def test_the_timezone_is_where_the_link_points(clock: pytest.MonkeyPatch, tmp_path: Path, below: str) -> None:
    zone = tmp_path / below / "Europe" / "Berlin"
    zone.parent.mkdir(parents=True)
    zone.touch()
    link = tmp_path / "localtime"
    link.symlink_to(zone)
    assert local_timezone(link=link) == "Europe/Berlin"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the process's timezone cannot be set here")
@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Berlin"),
        ("EST5EDT,M3.2.0,M11.1.0", "America/New_York"),
        ("IST-5:30", "Asia/Kolkata"),
        ("XXX+3:07", "UTC"),
    ],
)
def test_a_timezone_without_a_name_is_found_by_its_rules(clock: pytest.MonkeyPatch, rule: str, name: str) -> None:
    clock.setenv("TZ", rule)
    time.tzset()
    assert local_timezone(link=Path("/nowhere/localtime")) == name


def test_the_timezone_of_this_computer_has_a_name() -> None:
    assert zoneinfo.ZoneInfo(local_timezone()).key == local_timezone()


def test_an_address_of_a_notification_goes_to_the_secrets() -> None:
    vault: dict[str, str] = {}
    config = checked({"notifications": [{"url": "tgram://bot/chat", "events": ["risk"]}, {"url": "secret:mail"}]})
    hidden = hide_urls(config, vault.__setitem__)
    assert list(vault.values()) == ["tgram://bot/chat"]
    assert "tgram" not in hidden.model_dump_json()
    assert url_of(hidden.notifications[0], vault.get) == "tgram://bot/chat"
    assert hidden.notifications[0].events == config.notifications[0].events
    assert checked(hidden.model_dump(mode="json")) == hidden
    assert hide_urls(hidden, vault.__setitem__) is hidden
    with pytest.raises(UserError, match="mail"):
        url_of(hidden.notifications[1], vault.get)
