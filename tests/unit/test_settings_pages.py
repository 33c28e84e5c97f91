"""The configuration tree: its defaults, and what it refuses, each fault named by its path."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from exengine.domain.errors import UserError
from exengine.settings.file import checked
from exengine.settings.json_text import parse
from exengine.settings.migrations import MIGRATIONS
from exengine.settings.pages import SCHEMA_VERSION, Config
from exengine.settings.problems import ConfigError

LEG = {"gap_percent": "0", "weight_percent": "100", "tp_percent": "1"}
LIVE = {"name": "main", "exchange": "binance"}

SPEC_TREE = """
{"schema_version": 1,
 "app": {"timezone": "local", "data_dir": null, "database_url": "", "update_list": "", "update_key": ""},
 "listener": {"host": "127.0.0.1", "port": 8787, "public_url": "", "trusted_proxies": [], "allowed_sources": [],
              "allowed_hosts": [], "rate_per_minute": 60, "burst": 20, "tls_certificate": "", "tls_key": "",
              "tunnel": "off"},
 "security": {"webhook_auth": "any", "max_signal_age_seconds": 300, "read_only": false,
              "app_lock": false, "auto_lock_minutes": 15},
 "accounts": [], "routing": [],
 "signals": {"duplicate_window_seconds": 60},
 "grid": {"max_pyramids": 5, "gap_reference": "pyramid", "entry_order": "limit", "on_below_minimum": "skip_leg",
          "legs": [{"gap_percent": 0, "weight_percent": 20, "tp_percent": 1},
                   {"gap_percent": -0.5, "weight_percent": 20, "tp_percent": 0.5},
                   {"gap_percent": -1.0, "weight_percent": 20, "tp_percent": 2},
                   {"gap_percent": -1.5, "weight_percent": 20, "tp_percent": 1.5},
                   {"gap_percent": -2.0, "weight_percent": 20, "tp_percent": 1}],
          "beyond_last_leg": "keep", "beyond_last_leg_percent": 1, "abandon_percent": null,
          "min_pyramid_gap_percent": 0, "replace_last_pyramid": false, "pyramid_multipliers": [], "post_only": false,
          "overrides": []},
 "sizing": {"mode": "fixed", "amount": "100"},
 "take_profit": {"mode": "leg", "percent": "1", "order": "limit", "close_when_flat": true, "stop_loss_percent": null,
                 "trailing_percent": null},
 "execution": {"max_slippage_percent": "1", "slippage_action": "force"},
 "pool": {"max_open_groups": 10, "pyramids_bypass": true, "max_per_symbol": null, "max_exposure": null},
 "queue": {"limit": 100, "max_age_minutes": 0, "replace": true, "evaluate_seconds": 10,
           "priority": ["pyramid_continuation", "deepest_loss", "most_replaced", "fifo"]},
 "risk": {"enabled": true, "loss_threshold_percent": "-5", "require_full_pyramids": true, "enable_post_full_wait": true,
          "post_full_wait_minutes": 60, "timer_start": "after_5_pyramids", "reset_timer_on_replacement": false,
          "use_trade_age_filter": false, "age_threshold_minutes": 200, "max_winners": 3, "partial_close_enabled": true,
          "when_short": "partial", "min_close_notional": "20", "evaluate_on_fill": true, "evaluate_seconds": 10},
 "precision": {"refresh_seconds": 3600, "fallback": "hold", "fallback_values": null},
 "safety": {"max_daily_loss": null, "max_drawdown_percent": null},
 "logging": {"level": "info", "keep_days": 30, "max_file_mb": 20, "webhook_replay": true},
 "notifications": [],
 "ui": {"theme": "system", "font_size": 10, "refresh_ms": 500, "pnl_palette": "green_red", "time": "local"},
 "sim": {"slippage_percent": "0", "latency_ms": 0, "market": "generated", "seed": 1, "recorded": [], "speed": 1,
         "exchange": "binance"}}
"""


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


def test_the_defaults_are_those_of_the_contract() -> None:
    written, odd = parse(SPEC_TREE)
    assert odd == ()
    assert checked(written) == Config()
    assert {name: set(page) for name, page in written.items() if isinstance(page, dict)} == {
        name: set(page) for name, page in Config().model_dump().items() if isinstance(page, dict)
    }


def test_an_empty_configuration_is_the_defaults() -> None:
    assert checked({}) == Config()


def test_the_schema_version_is_one_more_than_the_migrations() -> None:
    assert Config().schema_version == SCHEMA_VERSION == len(MIGRATIONS) + 1


def test_without_accounts_there_is_one_paper_account() -> None:
    (account,) = Config().effective_accounts()
    assert (account.name, account.exchange.value, account.market_type.value) == ("paper", "paper", "spot")


def pages(page: type[BaseModel]) -> set[type[BaseModel]]:
    """`page` and all pages below it."""
    found = {page}
    for field in page.model_fields.values():
        waiting: list[Any] = [field.annotation]
        while waiting:
            part = waiting.pop()
            waiting.extend(getattr(part, "__args__", ()))
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= pages(part)
    return found


@pytest.mark.parametrize("page", sorted(pages(Config), key=str), ids=lambda page: page.__name__)
def test_every_setting_says_what_it_is(page: type[BaseModel]) -> None:
    assert page.model_config["extra"] == "forbid"
    for name, field in page.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert "\n" not in field.description
        extra = field.json_schema_extra or {}
        for ending, unit in (("_percent", "%"), ("_seconds", "s"), ("_minutes", "min"), ("_ms", "ms"), ("_mb", "MB")):
            if name.endswith(ending):
                assert isinstance(extra, dict)
                assert extra["unit"] == unit, name


def test_the_whole_tree_has_a_json_schema() -> None:
    assert json.dumps(Config.model_json_schema())


@pytest.mark.parametrize("spelling", ["0.1", '"0.1"', '" 0.1 "', "1e-1", '"1E-1"', '"+.1"', "0.10"])
def test_an_amount_is_read_exactly_as_spelled(spelling: str) -> None:
    tree, _ = parse(f'{{"take_profit": {{"percent": {spelling}}}}}')
    assert checked(tree).take_profit.percent == Decimal("0.1")


def test_an_amount_keeps_all_its_digits() -> None:
    digits = "12345678.123456789012345678901234567890"
    tree, _ = parse(f'{{"sizing": {{"amount": {digits}}}}}')
    assert checked(tree).sizing.amount == Decimal(digits)


@pytest.mark.parametrize(
    "value",
    ["", " ", "abc", "1,5", "1_000", "NaN", "Infinity", "-inf", "0x10", "1e31", "1e-31", "1e99999999", "٣", None, True,
     0.1, [], {}, "9" * 51 + "e-25", Decimal("NaN")],
)  # fmt: skip
def test_what_is_no_amount_is_refused(value: object) -> None:
    assert set(faults(at("sizing.amount", value))) == {"sizing.amount"}


def test_a_decimal_comma_is_explained() -> None:
    assert "point" in faults(at("sizing.amount", "1,5"))["sizing.amount"]


@pytest.mark.parametrize("value", [8787, "8787", Decimal("8787"), Decimal("8787.0"), "8787.00"])
def test_a_whole_number_may_be_spelled_like_an_amount(value: object) -> None:
    port = checked(at("listener.port", value)).listener.port
    assert port == 8787
    assert type(port) is int


@pytest.mark.parametrize("value", ["8787.5", True, None, "port", [8787]])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    assert set(faults(at("listener.port", value))) == {"listener.port"}


@pytest.mark.parametrize("value", ["true", 1, None, "yes", []])
def test_a_switch_is_true_or_false(value: object) -> None:
    assert faults(at("queue.replace", value))["queue.replace"].startswith("must be true or false")


def test_a_share_of_the_account_may_go_as_far_as_the_leverage() -> None:
    accounts = [LIVE | {"market_type": "swap", "leverage": "5"}]
    assert checked({"accounts": accounts, "sizing": {"mode": "percent_equity", "amount": "500"}}).sizing.amount == 500
    assert faults({"accounts": accounts, "sizing": {"mode": "percent_equity", "amount": "501"}})


def test_every_fault_is_named_at_once() -> None:
    wrong = {"grid": {"legs": [LEG | {"gap_percent": "1"}], "max_pyramids": 0}, "ui": {"font_size": 3}, "pool": []}
    assert set(faults(wrong)) == {"grid.legs[0].gap_percent", "grid.max_pyramids", "ui.font_size", "pool"}


@pytest.mark.parametrize(
    ("tree", "path", "hint"),
    [
        ({"grid": {"max_pyramid": 3}}, "grid.max_pyramid", "did you mean max_pyramids?"),
        ({"grid": {"legs": [LEG | {"gap": 1}]}}, "grid.legs[0].gap", "did you mean gap_percent?"),
        ({"Risk": {}}, "Risk", "did you mean risk?"),
        ({"max_winners": 3}, "max_winners", "it is risk.max_winners"),
        ({"grid": {"overrides": [{"match": {"symbl": "x"}}]}}, "grid.overrides[0].match.symbl", "did you mean symbol?"),
        ({"precision": {"fallback_values": {"tick": 1}}}, "precision.fallback_values.tick", "did you mean tick_size?"),
        ({"signals": {"foo": 1}}, "signals.foo", "known are duplicate_window_seconds"),
        ({"ui": {"a.b": 1}}, 'ui["a.b"]', "known are theme"),
        ({"ui": {"a\nb": 1}}, 'ui["a\\nb"]', "known are theme"),
        ({"accounts": [LIVE | {"secret": "s3cr3t"}]}, "accounts[0].secret", "kept with the secrets"),
    ],
)
def test_an_unknown_key_is_named_with_what_was_meant(tree: dict[str, Any], path: str, hint: str) -> None:
    message = faults(tree)[path]
    assert message.startswith("is not known here")
    assert hint in message
    assert "s3cr3t" not in message


def test_a_refusal_says_what_is_there_and_what_must_be() -> None:
    assert faults(at("ui.theme", "blue")) == {"ui.theme": 'must be one of "system", "light" or "dark" (it is "blue")'}
    assert faults(at("listener.port", 70000)) == {"listener.port": "must be at most 65535 (it is 70000)"}
    assert faults(at("grid.legs", legs("50", "40"))) == {
        "grid.legs": "the weights must sum to 100 (within 0.01), and sum to 90"
    }


@pytest.mark.parametrize("value", ["x" * 5000, "9" * 5000, Decimal("1e999999")])
def test_a_refusal_does_not_repeat_a_page_of_text(value: object) -> None:
    assert len(faults(at("sizing.amount", value))["sizing.amount"]) < 200


def test_the_address_of_a_notification_is_in_no_message() -> None:
    tree = {"notifications": [{"url": "hunter2"}, {"url": "tgram://hunter2/x", "events": ["x"]}], "ui": {"theme": "x"}}
    with pytest.raises(ConfigError) as refusal:
        checked(tree)
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(checked({"notifications": [{"url": "tgram://hunter2/x"}]}))


def test_a_configuration_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().pool.max_open_groups = 3  # type: ignore[misc]


def test_an_override_that_sets_a_default_differs_from_one_that_sets_nothing() -> None:
    nothing, default = (at("grid.overrides", [{"grid": grid}]) for grid in ({}, {"max_pyramids": 5}))
    assert checked(nothing) != checked(default)
    assert checked(default) == checked(default)


def test_a_timeframe_of_an_override_is_normalised_like_that_of_a_signal() -> None:
    (rule,) = checked(at("grid.overrides", [{"match": {"timeframe": "60"}}])).grid.overrides
    assert rule.match.timeframe == "1h"


def test_recorded_files_lie_beside_the_configuration() -> None:
    files = checked(at("sim.recorded", ["BTCUSDT.csv", "/prices/ETHUSDT.csv"])).sim.recorded_files(
        Path("/etc/exengine")
    )
    assert files == (Path("/etc/exengine/BTCUSDT.csv"), Path("/prices/ETHUSDT.csv"))


def test_a_configuration_error_is_for_the_trader() -> None:
    assert issubclass(ConfigError, UserError)
