"""The help: nothing in it is stale, every link leads somewhere, and the token is masked until it is asked for."""

import re

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication

from exengine.settings.pages import Config
from exengine.settings.reference import reference
from exengine.ui.help_text import OF_DOCKS, PAGES, Facts, text_of
from tests.ui.feed import setup

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
