"""Each limit of the configuration: what lies outside is refused with its path, what lies inside is taken."""

from typing import Any

import pytest

from exengine.settings.file import checked
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError

LEG = {"gap_percent": "0", "weight_percent": "100", "tp_percent": "1"}
LIVE = {"name": "main", "exchange": "binance"}


def faults(tree: dict[str, Any]) -> dict[str, str]:
    """What is said of each setting of `tree` that is refused."""
    with pytest.raises(ConfigError) as refusal:
        checked(tree)
    return {problem.path: problem.message for problem in refusal.value.problems}


def at(path: str, value: object) -> dict[str, Any]:
    """A configuration in which one setting is written, `path` with dots."""
    first, *rest = path.split(".")
    return {first: at(".".join(rest), value) if rest else value}


def legs(*weights: str) -> list[dict[str, str]]:
    return [LEG | {"weight_percent": weight} for weight in weights]


REFUSED: list[tuple[str, object, str]] = [
    # The last paragraph of SPEC §14.
    ("grid.legs", [LEG | {"gap_percent": "0.5"}], "grid.legs[0].gap_percent"),
    ("grid.legs", legs("50", "40"), "grid.legs"),
    ("grid.legs", legs("50", "50.02"), "grid.legs"),
    ("grid.legs", legs("50", "49.98"), "grid.legs"),
    ("grid.legs", legs(*["12.5"] * 8), "grid.legs"),
    ("grid.legs", [LEG | {"tp_percent": "0"}], "grid.legs[0].tp_percent"),
    ("grid.legs", [LEG | {"tp_percent": "-1"}], "grid.legs[0].tp_percent"),
    ("take_profit.percent", "0", "take_profit.percent"),
    ("risk.loss_threshold_percent", "0", "risk.loss_threshold_percent"),
    ("risk.loss_threshold_percent", "5", "risk.loss_threshold_percent"),
    # The grid.
    ("grid.legs", [], "grid.legs"),
    ("grid.legs", "none", "grid.legs"),
    ("grid.legs", [LEG | {"gap_percent": "-100"}], "grid.legs[0].gap_percent"),
    ("grid.legs", [LEG | {"weight_percent": "0"}, LEG], "grid.legs[0].weight_percent"),
    ("grid.legs", [LEG | {"weight_percent": "101"}], "grid.legs[0].weight_percent"),
    ("grid.legs", [{"gap_percent": "0", "weight_percent": "100"}], "grid.legs[0].tp_percent"),
    ("grid.max_pyramids", 0, "grid.max_pyramids"),
    ("grid.gap_reference", "leg", "grid.gap_reference"),
    ("grid.abandon_percent", 0, "grid.abandon_percent"),
    ("grid.min_pyramid_gap_percent", "-1", "grid.min_pyramid_gap_percent"),
    ("grid.beyond_last_leg_percent", "101", "grid.beyond_last_leg_percent"),
    ("grid.pyramid_multipliers", ["1", "0"], "grid.pyramid_multipliers[1]"),
    # Overrides.
    ("grid.overrides", [{"grid": {"legs": legs("60", "60")}}], "grid.overrides[0].grid.legs"),
    ("grid.overrides", [{}, {"grid": {"legs": None}}], "grid.overrides[1].grid.legs"),
    ("grid.overrides", [{"grid": {"overrides": []}}], "grid.overrides[0].grid.overrides"),
    ("grid.overrides", [{"take_profit": {"percent": "0"}}], "grid.overrides[0].take_profit.percent"),
    ("grid.overrides", [{"sizing": {"amount": "-5"}}], "grid.overrides[0].sizing.amount"),
    ("grid.overrides", [{"risk": {}}], "grid.overrides[0].risk"),
    ("grid.overrides", [{"match": {"pyramid": -1}}], "grid.overrides[0].match.pyramid"),
    ("grid.overrides", [{"match": {"pyramid": 5}}], "grid.overrides[0].match.pyramid"),
    ("grid.overrides", [{"match": {"account": "main"}}], "grid.overrides[0].match.account"),
    ("grid.overrides", [{"match": {"timeframe": "soon"}}], "grid.overrides[0].match.timeframe"),
    ("grid.overrides", [{"match": {"side": "buy"}}], "grid.overrides[0].match.side"),
    ("grid.overrides", [{"match": {"symbol": "BTCUSDT"}}], "grid.overrides[0].match.symbol"),
    ("grid.overrides", [{"match": {"symbol": "btc/usdt"}}], "grid.overrides[0].match.symbol"),
    ("grid.overrides", [{"match": {"symbol": ""}}], "grid.overrides[0].match.symbol"),
    (
        "grid.overrides",
        [{"match": {"pyramid": 1}, "grid": {"max_pyramids": 3}}],
        "grid.overrides[0].grid.max_pyramids",
    ),
    (
        "grid.overrides",
        [{"match": {"pyramid": 1}, "take_profit": {"mode": "hybrid"}}],
        "grid.overrides[0].take_profit.mode",
    ),
    ("grid.overrides", [{"sizing": {"mode": "percent_free", "amount": "101"}}], "grid.overrides[0].sizing.amount"),
    # Sizing, targets, execution.
    ("sizing.amount", "0", "sizing.amount"),
    ("sizing", {"mode": "percent_equity", "amount": "100.1"}, "sizing.amount"),
    ("take_profit.stop_loss_percent", "-5", "take_profit.stop_loss_percent"),
    ("take_profit.stop_loss_percent", "100", "take_profit.stop_loss_percent"),
    ("take_profit.trailing_percent", "0", "take_profit.trailing_percent"),
    ("take_profit.mode", "legs", "take_profit.mode"),
    ("execution.max_slippage_percent", "-0.1", "execution.max_slippage_percent"),
    ("execution.max_slippage_percent", "100", "execution.max_slippage_percent"),
    # Pool, queue, risk, rules, safety.
    ("pool.max_open_groups", 0, "pool.max_open_groups"),
    ("pool.max_per_symbol", 0, "pool.max_per_symbol"),
    ("pool.max_exposure", "0", "pool.max_exposure"),
    ("queue.priority", ["fifo", "fifo"], "queue.priority"),
    ("queue.priority", ["fifo", "lifo"], "queue.priority[1]"),
    ("queue.limit", -1, "queue.limit"),
    ("queue.evaluate_seconds", 0, "queue.evaluate_seconds"),
    ("risk.max_winners", 0, "risk.max_winners"),
    ("risk.min_close_notional", "-1", "risk.min_close_notional"),
    ("risk.timer_start", "after_4_pyramids", "risk.timer_start"),
    ("precision.fallback", "defaults", "precision.fallback_values"),
    (
        "precision.fallback_values",
        {"tick_size": "0", "step_size": "1", "min_qty": "0", "min_notional": "0"},
        "precision.fallback_values.tick_size",
    ),
    ("safety.max_daily_loss", "0", "safety.max_daily_loss"),
    ("safety.max_drawdown_percent", "101", "safety.max_drawdown_percent"),
    # Accounts and routing.
    ("accounts", [LIVE | {"name": ""}], "accounts[0].name"),
    ("accounts", [LIVE | {"name": "a|b"}], "accounts[0].name"),
    ("accounts", [LIVE | {"name": " main"}], "accounts[0].name"),
    ("accounts", [LIVE | {"name": "a\nb"}], "accounts[0].name"),
    ("accounts", [LIVE, LIVE], "accounts[1].name"),
    ("accounts", [LIVE, LIVE | {"name": "MAIN"}], "accounts[1].name"),
    ("accounts", [{"name": "main"}], "accounts[0].exchange"),
    ("accounts", [LIVE | {"exchange": "kraken"}], "accounts[0].exchange"),
    ("accounts", [LIVE | {"market_type": "future"}], "accounts[0].market_type"),
    ("accounts", [LIVE | {"leverage": "5"}], "accounts[0].leverage"),
    ("accounts", [LIVE | {"market_type": "swap", "leverage": "0.5"}], "accounts[0].leverage"),
    ("accounts", [LIVE | {"exchange": "mexc", "testnet": True}], "accounts[0].testnet"),
    ("accounts", [LIVE | {"taker_fee_percent": "11"}], "accounts[0].taker_fee_percent"),
    ("accounts", [LIVE | {"balances": {"USDT": "-1"}}], "accounts[0].balances.USDT"),
    ("accounts", [LIVE | {"balances": {"usdt": "1"}}], "accounts[0].balances"),
    ("accounts", [LIVE | {"apiKey": "k"}], "accounts[0].apiKey"),
    ("routing", [{"tv_exchange": "BINANCE", "account": "main"}], "routing[0].account"),
    ("routing", [{"tv_exchange": "", "account": "paper"}], "routing[0].tv_exchange"),
    ("routing", [{"tv_exchange": name, "account": "paper"} for name in ("OKX", "okx")], "routing[1].tv_exchange"),
    # The program.
    ("schema_version", 0, "schema_version"),
    ("app.timezone", "Mars/Olympus", "app.timezone"),
    ("app.timezone", "America", "app.timezone"),
    ("app.timezone", "../etc/passwd", "app.timezone"),
    ("app.timezone", "", "app.timezone"),
    ("app.data_dir", "somewhere", "app.data_dir"),
    ("app.database_url", "mysql://trader@db.example/trades", "app.database_url"),
    ("app.database_url", "postgresql://db.example/trades", "app.database_url"),
    ("app.database_url", "postgresql://trader@db.example", "app.database_url"),
    ("app.database_url", "postgresql://trader@db.example:99999/trades", "app.database_url"),
    ("app.database_url", "postgresql://trader:secret@db.example/trades", "app.database_url"),
    ("app.database_url", "postgresql://trader@db.example/trades?options=-c", "app.database_url"),
    ("app.update_list", "http://example.com/exengine.json", "app.update_list"),
    ("app.update_list", "exengine.json", "app.update_list"),
    ("app.update_list", "https://example.com/exengine.json", "app.update_key"),
    ("app.update_key", "c2hvcnQ=", "app.update_key"),
    ("app.update_key", "not base64", "app.update_key"),
    ("listener.port", 0, "listener.port"),
    ("listener.port", 65536, "listener.port"),
    ("listener.host", "", "listener.host"),
    ("listener.host", "http://localhost", "listener.host"),
    ("listener.host", "256.1.1.1", "listener.host"),
    ("listener.public_url", "hooks.example.com", "listener.public_url"),
    ("listener.public_url", "https://a.example/?x=1", "listener.public_url"),
    ("listener.public_url", "https://a.example:99999", "listener.public_url"),
    ("listener.trusted_proxies", ["proxy"], "listener.trusted_proxies[0]"),
    ("listener.allowed_sources", ["52.89.214.238", "10.0.0.1/8"], "listener.allowed_sources[1]"),
    ("listener.allowed_sources", "52.89.214.238", "listener.allowed_sources"),
    ("listener.rate_per_minute", 0, "listener.rate_per_minute"),
    ("security.webhook_auth", "none", "security.webhook_auth"),
    ("security.max_signal_age_seconds", -1, "security.max_signal_age_seconds"),
    ("signals.duplicate_window_seconds", "-1", "signals.duplicate_window_seconds"),
    ("logging.level", "loud", "logging.level"),
    ("logging.keep_days", 0, "logging.keep_days"),
    ("notifications", [{"events": ["error"]}], "notifications[0].url"),
    ("notifications", [{"url": "tgram://bot/chat", "events": []}], "notifications[0].events"),
    ("notifications", [{"url": "tgram://bot/chat", "events": ["rain"]}], "notifications[0].events[0]"),
    ("notifications", [{"url": "tgram://bot/chat", "events": ["risk", "risk"]}], "notifications[0].events"),
    ("ui.theme", "blue", "ui.theme"),
    ("ui.font_size", 7, "ui.font_size"),
    ("ui.font_size", 21, "ui.font_size"),
    ("ui.refresh_ms", 99, "ui.refresh_ms"),
    ("ui.refresh_ms", 5001, "ui.refresh_ms"),
    ("ui.layout", {}, "ui.layout"),
    ("sim.market", "recorded", "sim.recorded"),
    ("sim.recorded", ["BTCUSDT.txt"], "sim.recorded[0]"),
    ("sim.recorded", ["a/BTCUSDT.csv", "b/BTCUSDT.csv"], "sim.recorded[1]"),
    ("sim.speed", "0", "sim.speed"),
    ("sim.exchange", "paper", "sim.exchange"),
    ("sim.latency_ms", -1, "sim.latency_ms"),
]


@pytest.mark.parametrize(("path", "value", "named"), REFUSED, ids=[f"{path}={value}" for path, value, _ in REFUSED])
def test_a_wrong_setting_is_refused_with_its_path(path: str, value: object, named: str) -> None:
    assert list(faults(at(path, value))) == [named]


ACCEPTED: list[tuple[str, object]] = [
    ("grid.legs", legs("33.33", "33.33", "33.33")),
    ("grid.legs", legs("50", "50.01")),
    ("grid.legs", legs(*["14.2857"] * 7)),
    ("grid.overrides", [{"match": {}, "grid": {}}]),
    ("grid.overrides", [{"match": {"pyramid": 6}}, {"grid": {"max_pyramids": 7}}]),
    ("grid.overrides", [{"match": {"pyramid": 1}, "grid": {"pyramid_multipliers": ["1", "2"]}}]),
    ("grid.overrides", [{"match": {"symbol": "BTC*", "account": "paper", "timeframe": "15", "side": "short"}}]),
    ("sizing", {"mode": "percent_free", "amount": "100"}),
    ("queue.priority", []),
    ("queue.priority", ["highest_expected_profit"]),
    ("accounts", [LIVE | {"maker_fee_percent": "-0.01", "testnet": True}]),
    ("accounts", [{"name": "p", "exchange": "paper", "balances": {}}]),
    ("app.timezone", "Europe/Berlin"),
    ("app.timezone", "UTC"),
    ("app", {"update_list": "https://example.com/exengine.json", "update_key": "A" * 43 + "="}),
    ("listener.host", "::1"),
    ("listener.host", "localhost"),
    ("listener.public_url", "https://hooks.example.com/"),
    ("listener.allowed_sources", ["52.89.214.238", "10.0.0.0/8", "2001:db8::/32"]),
    ("notifications", [{"url": "secret:phone"}]),
    ("sim", {"market": "recorded", "recorded": ["BTCUSDT.csv", "C:\\prices\\ETHUSDT.parquet"], "speed": "0.5"}),
]


@pytest.mark.parametrize(("path", "value"), ACCEPTED, ids=[f"{path}={value}" for path, value in ACCEPTED])
def test_what_a_trader_may_want_is_accepted(path: str, value: object) -> None:
    assert checked(at(path, value)) != Config()
