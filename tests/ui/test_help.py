"""The help: nothing in it is stale, every link leads somewhere, and the token is masked until it is asked for."""

import json
import re

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QTextDocument, QTextTable

from exengine.assets import asset
from exengine.cli.desktop import MASK
from exengine.domain.alert_text import AlertTemplate, alert_body, alert_text
from exengine.settings.pages import Config
from exengine.settings.reference import reference
from exengine.ui.help_browser import tinted
from exengine.ui.help_text import OF_DOCKS, PAGES, SECTIONS, Facts, keys_page, text_of
from exengine.ui.help_window import anchor
from exengine.ui.theme import Scheme
from tests.helpers.program import SECRET
from tests.ui.feed import setup
from tests.ui.help_texts import FILLED
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


def headings(text: str) -> set[str]:
    return {anchor(title) for title in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)}


def test_every_link_leads_to_a_page_or_does_an_action(stage):
    texts = all_texts(stage)
    for name, text in texts.items():
        for target in re.findall(
            r"(?<!!\[)\]\(([^)]+)\)", re.sub(r"!\[[^]]*\]\([^)]*\)|```.*?```", "", text, flags=re.DOTALL)
        ):
            page, _, heading = target.partition("#")
            kind, _, which = page.partition(":")
            if which:
                assert kind in ("do", "show"), (name, target)
                assert kind != "do" or which in stage.window.registry.actions, (name, target)
            else:
                there = page.removesuffix(".md") or name
                assert there in PAGES, (name, target)
                assert not heading or heading in headings(texts[there]), (name, target)


def test_every_page_of_the_help_is_in_the_list_and_in_the_repository():
    files = {path.stem for path in asset("help").iterdir() if path.name.endswith(".md")}
    assert files == set(PAGES)
    assert [name for section in SECTIONS.values() for name in section] == list(PAGES)
    assert next(iter(PAGES)) == "start"


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
        (shown,) = re.findall(r"```json\n(.*?)\n```", window.help.window._markdown("alerts"), flags=re.DOTALL)
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
    helped.text.anchorClicked.emit(QUrl("alerts.md"))
    helped.text.anchorClicked.emit(QUrl("tunnels.md"))
    helped.back.click()
    assert helped.page == "alerts"
    helped.back.click()
    assert (helped.page, helped.back.isEnabled()) == ("start", False)
    helped.forward.click()
    assert helped.page == "alerts"
    helped.show_page("risk")
    assert not helped.forward.isEnabled()


def test_a_search_leaves_the_pages_that_have_all_the_words(helped):
    helped.search.setText("cloudflared trycloudflare")
    assert titles(helped) == ["A public address"]
    assert helped.page == "tunnels"
    assert helped.text.extraSelections()
    helped.search.setText("qqqq")
    assert (helped.pages.count(), helped.found.text()) == (0, "Nothing found")
    helped.search.clear()
    assert titles(helped) == [line for part, some in SECTIONS.items() for line in (part, *some.values())]


def titles(helped) -> list[str]:
    return [helped.pages.item(place).text() for place in range(helped.pages.count())]


def test_the_name_of_a_part_is_no_page_and_cannot_be_chosen(helped):
    part = helped.pages.item(0)
    assert (part.text(), part.flags() & Qt.ItemFlag.ItemIsSelectable) == ("Begin", Qt.ItemFlag.NoItemFlags)
    assert helped.pages.currentItem().text() == "Getting started"


def test_a_link_to_a_heading_shows_it_at_the_top(helped):
    helped.text.anchorClicked.emit(QUrl("trouble.md#why-an-alert-was-not-traded"))
    assert helped.page == "trouble"
    top = helped.text.cursorForPosition(QPoint(30, 4)).block()
    assert top.text() == "Why an alert was not traded"
    helped.text.anchorClicked.emit(QUrl("#orders"))
    assert helped.text.cursorForPosition(QPoint(30, 4)).block().text() == "Orders"


def picture(helped, name: str):
    return helped.text.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl(name))


def test_pictures_are_as_wide_as_the_window_allows(helped, qtbot):
    helped.show_page("start")
    wide = picture(helped, "pictures/window.png").width()
    helped.resize(700, 600)
    qtbot.waitUntil(lambda: helped.text.horizontalScrollBar().maximum() == 0)
    assert picture(helped, "pictures/window.png").width() < wide
    helped.resize(2200, 900)
    assert picture(helped, "pictures/window.png").deviceIndependentSize().width() == 1440


def test_below_a_picture_the_page_goes_on_at_once(helped):
    helped.show_page("risk")
    layout, block = helped.text.document().documentLayout(), helped.text.document().begin()
    seen = 0
    while block.isValid():
        pieces = block.begin()
        shown = None if pieces.atEnd() else pieces.fragment().charFormat()
        if shown is not None and shown.isImageFormat():
            seen += 1
            high = picture(helped, shown.toImageFormat().name()).deviceIndependentSize().height()
            taken = layout.blockBoundingRect(block.next()).top() - layout.blockBoundingRect(block).top()
            assert taken < high + 32
        block = block.next()
    assert seen == 2


def test_each_piece_of_code_stands_on_a_ground_of_its_own_with_all_its_lines(helped):
    helped.show_page("backup")
    frames = helped.text.document().rootFrame().childFrames()
    told = [frame for frame in frames if not isinstance(frame, QTextTable)]
    texts = []
    for frame in told:
        cursor = frame.firstCursorPosition()
        cursor.setPosition(frame.lastPosition(), cursor.MoveMode.KeepAnchor)
        texts.append(cursor.selectedText())
        assert frame.frameFormat().background().color().name() == helped._look.hex("raised")
    assert len(texts) == asset("help/backup.md").read_text(encoding="utf-8").count("```") // 2
    assert "exengine restore my-backup.zip --data-dir ./restored" in texts
    layout = helped.text.document().documentLayout()
    for frame in told:
        above = helped.text.document().findBlock(frame.firstPosition() - 1).previous()
        gap = layout.frameBoundingRect(frame).top() - layout.blockBoundingRect(above).bottom()
        assert 0 <= gap < 20, "no empty line above it"


def test_photographs_are_light_in_the_light_theme(helped, look):
    grounds = []
    for scheme in (Scheme.DARK, Scheme.LIGHT):
        look.choose(scheme=scheme)
        grounds.append(picture(helped, "pictures/window.png").toImage().pixelColor(600, 400).lightness())
    assert grounds[0] < 60
    assert grounds[1] > 200
    look.choose(scheme=Scheme.DARK)


def test_drawings_have_the_colours_of_the_look_and_nothing_else_is_loaded(helped, look):
    look.choose(scheme=Scheme.DARK)
    ground = picture(helped, "pictures/ladder.svg").toImage().pixelColor(200, 12)
    assert ground.name() == look.hex("raised")
    look.choose(scheme=Scheme.LIGHT)
    assert picture(helped, "pictures/ladder.svg").toImage().pixelColor(200, 12).name() == look.hex("raised")
    for name in ("pictures/../start.md", "https://example.com/x.png", "pictures/none.png"):
        assert picture(helped, name) is None


def test_titles_stand_as_the_numbers_below_them(helped):
    helped.show_page("ladder")
    tables = [one for one in helped.text.document().rootFrame().childFrames() if isinstance(one, QTextTable)]
    sides = [
        [table.cellAt(row, 1).firstCursorPosition().blockFormat().alignment() for row in (0, 1)] for table in tables
    ]
    assert all(head == body for head, body in sides)
    assert any(head & Qt.AlignmentFlag.AlignRight for head, _ in sides)


def test_drawings_are_written_in_the_font_of_the_look(look):
    drawn = tinted(asset("help/pictures/ladder.svg").read_text(encoding="utf-8"), look)
    assert set(re.findall(r'font-family="([^"]*)"', drawn)) == {look.font().family()}


def test_the_keys_in_the_repository_are_those_of_the_window(stage):
    assert asset("help/keys.md").read_text(encoding="utf-8") == keys_page(stage.window.registry) + "\n"


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
    assert PAGES[page] in titles(helped)
    helped.show_page(page)
    assert all(word.lower() in helped.text.toPlainText().lower() for word in wanted.split())


def test_a_search_takes_either_apostrophe(helped):
    for wanted in ("trader's day", "trader’s day"):
        helped.search.setText(wanted)
        assert PAGES["settings"] in titles(helped)
    assert helped.text.extraSelections()


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
