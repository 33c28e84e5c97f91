"""The help: nothing in it is stale, every link leads somewhere, and the token is masked until it is asked for."""

import json
import re

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication

from exengine.cli.desktop import MASK
from exengine.domain.alert_text import AlertTemplate, alert_body, alert_text
from exengine.settings.pages import Config
from exengine.settings.reference import reference
from exengine.ui.help_text import OF_DOCKS, PAGES, Facts, text_of
from tests.helpers.program import SECRET
from tests.ui.feed import setup
from tests.ui.test_on_the_real_engine import ONE_LEG, Desktop, on_the_desktop

TOKEN = "4f1c0a"


@pytest.fixture
def helped(stage):
    stage.put_sample()
    stage.window.help.open("start")
    yield stage.window.help.window
    stage.window.help.window.close()


def all_texts(stage) -> dict[str, str]:
    facts = Facts(setup=setup(), show_token=False)
    return {name: text_of(name, facts, stage.window.registry) for name in PAGES}


def test_every_page_is_there_and_begins_with_its_title(stage):
    for name, text in all_texts(stage).items():
        assert text.startswith(f"# {PAGES[name]}"), name
        assert "$" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL), name


def test_every_link_leads_to_a_page_or_does_an_action(stage):
    for name, text in all_texts(stage).items():
        links = re.findall(r"\]\(([a-z]+):([a-z_]+)\)", text)
        assert len(links) == text.count("]("), name
        for kind, which in links:
            assert kind in ("help", "do", "show"), (name, kind)
            assert kind != "help" or which in PAGES, (name, which)
            assert kind != "do" or which in stage.window.registry.actions, (name, which)


def paths(model, prefix: str = "") -> set[str]:
    """The keys of the configuration as it is written to a file with everything in it."""
    tree = model.model_dump(mode="json")
    found = set()

    def walk(value, path: str) -> None:
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                walk(inner, f"{path}.{key}" if path else key)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            walk(value[0], f"{path}[]")
        else:
            found.add(path)

    walk(tree, prefix)
    return found


def test_every_setting_of_the_configuration_is_told(stage):
    told = {setting.path for page in reference() for setting in page.settings}
    full = Config.model_validate(
        {
            "accounts": [{"name": "main", "exchange": "binance"}],
            "routing": [{"tv_exchange": "BINANCE", "account": "main"}],
        }
    )
    lists = ("accounts[].balances", "schema_version", "notifications", "grid.overrides", "precision.fallback_values")
    missing = {path for path in paths(full) - told if not path.startswith(lists)}
    assert missing == set()
    page = text_of("settings", Facts(setup=setup(), show_token=False), stage.window.registry)
    for setting in (setting for one in reference() for setting in one.settings):
        assert f"`{setting.path}`" in page
        assert setting.meaning in page


FILLED = {
    "exchange": "BINANCE",
    "ticker": "BTCUSDT",
    "interval": "15",
    "close": "50000",
    "strategy.order.id": "Long",
    "strategy.order.alert_message": "",
    "strategy.order.action": "buy",
    "strategy.market_position": "long",
    "strategy.market_position_size": "1",
    "strategy.prev_market_position": "flat",
    "strategy.prev_market_position_size": "0",
    "strategy.order.price": "50000",
    "strategy.order.contracts": "1",
}
"""What TradingView puts in the place of its placeholders."""

CONTRACT = """
schema_version
app timezone data_dir
listener host port public_url trusted_proxies allowed_sources rate_per_minute burst
security webhook_auth max_signal_age_seconds read_only
accounts[] name exchange market_type enabled testnet maker_fee_percent taker_fee_percent leverage balances
routing[] tv_exchange account
signals duplicate_window_seconds
grid max_pyramids legs[].gap_percent legs[].weight_percent legs[].tp_percent gap_reference entry_order
grid on_below_minimum beyond_last_leg beyond_last_leg_percent abandon_percent min_pyramid_gap_percent
grid replace_last_pyramid pyramid_multipliers post_only overrides[].match.account overrides[].match.symbol
grid overrides[].match.timeframe overrides[].match.side overrides[].match.pyramid overrides[].grid
grid overrides[].sizing overrides[].take_profit
sizing mode amount
take_profit mode percent order close_when_flat stop_loss_percent trailing_percent
execution max_slippage_percent slippage_action
pool max_open_groups pyramids_bypass max_per_symbol max_exposure
queue limit max_age_minutes replace evaluate_seconds priority
risk enabled loss_threshold_percent require_full_pyramids enable_post_full_wait post_full_wait_minutes timer_start
risk reset_timer_on_replacement use_trade_age_filter age_threshold_minutes max_winners partial_close_enabled when_short
risk min_close_notional evaluate_on_fill evaluate_seconds
precision refresh_seconds fallback fallback_values.tick_size fallback_values.step_size fallback_values.min_qty
precision fallback_values.min_notional
safety max_daily_loss max_drawdown_percent
logging level keep_days max_file_mb webhook_replay
notifications[] url events
ui theme font_size refresh_ms
sim slippage_percent latency_ms market seed
"""
"""Every setting of SPEC §14: a page, and what is on it."""


def test_every_setting_of_the_contract_has_a_line_of_its_own(stage):
    page = text_of("settings", Facts(setup=setup(), show_token=False), stage.window.registry).splitlines()
    wanted = []
    for line in CONTRACT.split("\n"):
        section, *names = line.split() or [""]
        wanted += [f"{section}.{name}" for name in names] or [section]
    for path in filter(None, wanted):
        assert len([line for line in page if line.startswith("- ") and f"`{path}`" in line]) == 1, path


def test_the_text_to_paste_is_the_one_that_the_window_copies(look, tmp_path, monkeypatch):
    async def play(desktop: Desktop) -> None:
        window = desktop.window
        await desktop.shows(lambda: window.book.engine is not None)
        window.help.open("alerts")
        (shown,) = re.findall(r"```\n(.*?)\n```", window.help.window._markdown("alerts"), flags=re.DOTALL)
        window.registry.run("copy_alert_text")
        copied = QGuiApplication.clipboard().text()
        assert copied == alert_text(alert_body(AlertTemplate.STRATEGY, secret=SECRET))
        assert shown == copied.replace(SECRET, MASK)
        assert SECRET not in window.help.window.text.toPlainText()
        # What the help shows is taken as it stands, once TradingView has filled it in.
        filled = {**FILLED, "timenow": str(desktop.program.clock.now_ms())}
        text = re.sub(r"{{(.*?)}}", lambda found: filled[found[1]], copied)
        assert (await desktop.running.post(json.loads(text)))[0] == 202
        window.help.window.close()

    on_the_desktop(look, tmp_path, monkeypatch, play, grid=ONE_LEG, ui={"theme": "dark"})


def test_defaults_are_told_in_words_and_units():
    told = {setting.path: setting for page in reference() for setting in page.settings}
    assert told["pool.max_open_groups"].default == "10"
    assert told["grid.abandon_percent"].default == "off"
    assert told["risk.loss_threshold_percent"].default == "-5"
    assert told["accounts[].name"].default == ""
    assert "Skip the leg" in told["grid.on_below_minimum"].choices


def test_the_keys_of_the_registry_are_all_on_their_page(stage):
    page = text_of("keys", Facts(setup=setup(), show_token=False), stage.window.registry)
    for action in stage.window.registry.specs:
        assert not action.key or f"| {action.key} |" in page, action.id
    assert "## In Queue" in page


def test_the_token_is_masked_until_it_is_asked_for(helped):
    helped.show_page("alerts")
    assert TOKEN not in helped.text.toPlainText()
    helped.text.anchorClicked.emit(QUrl("show:token"))
    assert TOKEN in helped.text.toPlainText()
    assert "correct horse" not in helped.text.toPlainText()
    helped.text.anchorClicked.emit(QUrl("show:token"))
    assert TOKEN not in helped.text.toPlainText()
    helped.text.anchorClicked.emit(QUrl("do:copy_webhook_url"))
    assert QGuiApplication.clipboard().text().endswith(TOKEN)


def test_back_and_forward_go_through_the_pages(helped):
    helped.text.anchorClicked.emit(QUrl("help:alerts"))
    helped.text.anchorClicked.emit(QUrl("help:tunnels"))
    helped.back.click()
    assert helped.page == "alerts"
    helped.back.click()
    assert (helped.page, helped.back.isEnabled()) == ("start", False)
    helped.forward.click()
    assert helped.page == "alerts"
    helped.show_page("risk")
    assert not helped.forward.isEnabled()


def test_a_search_leaves_the_pages_that_have_all_the_words(helped):
    helped.search.setText("cloudflared tunnel")
    assert [helped.pages.item(place).text() for place in range(helped.pages.count())] == [
        "A public address",
        "Every setting",
    ]
    assert helped.page == "tunnels"
    assert helped.text.extraSelections()
    helped.search.setText("qqqq")
    assert (helped.pages.count(), helped.found.text()) == (0, "Nothing found")
    helped.search.clear()
    assert helped.pages.count() == len(PAGES)


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        ("operator passphrase", "lock"),
        ("tunnel cloudflared", "tunnels"),
        ("telegram mail", "notices"),
        ("unlock vault passphrase", "vault"),
        ("settings restore cancel", "backup"),
        ("risk.loss_threshold_percent", "settings"),
        ("wrong tries", "lock"),
    ],
)
def test_a_search_finds_what_the_trader_asks_for(helped, wanted, page):
    helped.search.setText(wanted)
    found = [helped.pages.item(place).text() for place in range(helped.pages.count())]
    assert PAGES[page] in found
    helped.show_page(page)
    assert all(word.lower() in helped.text.toPlainText().lower() for word in wanted.split())


@pytest.mark.parametrize("dock", ["queue", "risk", "log"])
def test_f1_opens_the_page_about_the_dock_with_the_keyboard(stage, qtbot, dock):
    stage.put_sample()
    window = stage.window
    window.activateWindow()
    widget = getattr(window, dock)
    window.go_to(widget)
    qtbot.keyClick(widget.focus_target(), Qt.Key.Key_F1)
    assert window.help.window.page == OF_DOCKS[dock]
    window.help.window.close()


def test_escape_closes_the_help(helped, qtbot):
    qtbot.keyClick(helped.text, Qt.Key.Key_Escape)
    assert not helped.isVisible()
