"""The first-run wizard: nothing is written before its last step, and what is written is what was answered."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from exengine.domain.errors import UserError
from exengine.engine.rows import Mode
from exengine.settings.account_keys import AccountKeys
from exengine.settings.first_run import Answers, answers_of, configured
from exengine.settings.pages import Config, ExchangeName
from exengine.settings.problems import ConfigError
from exengine.ui.first_run import FirstRun, offer_first_run
from exengine.ui.settings_questions import VaultSheet
from tests.ui.conftest import Stage
from tests.ui.feed import setup
from tests.ui.test_window import do


@dataclass
class Finding:
    about: str
    is_well: bool
    text: str
    warns: bool = False


@dataclass
class Desk:
    """The running program's side: what it was asked, and what it says."""

    config: Config = field(default_factory=Config)
    applied: list[Config] = field(default_factory=list)
    kept: dict[str, AccountKeys] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    fails_with: Exception | None = None
    findings: tuple[Finding, ...] = (Finding("key", True, "may trade, may not withdraw"),)

    async def apply(self, config: Config) -> None:
        self.order.append("apply")
        if self.fails_with is not None:
            raise self.fails_with
        self.applied.append(config)

    async def keep(self, account: str, keys: AccountKeys) -> None:
        self.order.append("keep")
        self.kept[account] = keys

    has_vault = False
    shut: str | None = None
    """Why there is no place for secrets."""
    opened: list[str] = field(default_factory=list)

    async def closed(self) -> str | None:
        return self.shut

    async def open_vault(self, passphrase: str) -> None:
        self.opened.append(passphrase)
        self.shut = None

    async def examine(self, page, keys, tell) -> None:
        self.order.append(f"examine {page.name} {page.exchange.value} {page.testnet}")
        for finding in self.findings:
            tell(finding)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def wizard(stage, desk) -> Iterator[FirstRun]:
    stage.put_sample()
    made = FirstRun(stage.look, stage.window.icons, stage.window, desk, desk, setup=setup(), book=stage.window.book)
    stage.window.clicks.show(made)
    yield made
    if stage.window.clicks.sheet is made:
        made.reject()


def to_the_end(wizard: FirstRun) -> None:
    for _ in range(5):
        if wizard.next.text() == "Next":
            wizard.next.click()


def test_paper_goes_four_steps_and_asks_for_no_key(wizard, desk, on_loop):
    seen = []
    for _ in range(4):
        seen.append((wizard.step_words.text(), wizard.heading.text()))
        if wizard.next.text() == "Next":
            wizard.next.click()
    assert seen == [
        ("Step 1 of 4", "Where shall it trade?"),
        ("Step 2 of 4", "With how much?"),
        ("Step 3 of 4", "Let TradingView call it"),
        ("Step 4 of 4", "What shall stop it?"),
    ]
    wizard.capital.amount.setText("250.5")
    wizard.limits.loss.setText("300")
    done = []
    wizard.done_well.connect(done.append)
    do(on_loop, wizard.next.click)
    (config,) = desk.applied
    assert config.sizing.amount == Decimal("250.5")
    assert config.safety.max_daily_loss == 300
    assert [(one.name, one.exchange) for one in config.accounts] == [("paper", ExchangeName.PAPER)]
    assert desk.order == ["apply"]
    assert done == ["ExEngine is set up: it trades paper money and waits for alerts"]


def at_the_exchange(wizard: FirstRun, exchange: str, money: str) -> None:
    wizard.where.live.setChecked(True)
    wizard.where.exchange.setCurrentText(exchange)
    wizard.where.money.setCurrentText(money)
    wizard.next.click()


def test_a_testnet_account_is_tried_and_its_keys_are_kept_before_it_is_applied(wizard, desk, on_loop):
    at_the_exchange(wizard, "Bybit", "Testnet")
    assert wizard.heading.text() == "Your key"
    assert not wizard.next.isEnabled()
    wizard.keys_page.api_key.setText("key-of-mine")
    wizard.keys_page.secret.setText("s3cret")
    do(on_loop, wizard.keys_page.test.click)
    assert wizard.keys_page.findings == ["✓ key: may trade, may not withdraw"]
    assert wizard.keys_page.state.text() == "It can be traded on."
    to_the_end(wizard)
    assert wizard.next.text() == "Start"
    do(on_loop, wizard.next.click)
    assert desk.order == ["examine main bybit True", "keep", "apply"]
    assert desk.kept["main"].api_key == "key-of-mine"
    assert [(one.name, one.testnet) for one in desk.applied[0].accounts] == [("main", True), ("paper", False)]


def test_a_vault_is_offered_where_no_keyring_takes_the_keys(wizard, desk, on_loop):
    desk.shut = "there is none"
    at_the_exchange(wizard, "Gate", "Testnet")
    wizard.keys_page.api_key.setText("key")
    wizard.keys_page.secret.setText("s3cret")
    to_the_end(wizard)
    do(on_loop, wizard.next.click)
    vault = wizard.findChild(VaultSheet)
    assert vault is not None
    for line in (vault.passphrase, vault.again):
        line.setText("correct horse battery")
    do(on_loop, vault.action.click)
    assert (desk.opened, desk.order) == (["correct horse battery"], ["keep", "apply"])


def test_without_a_place_for_keys_nothing_is_changed(wizard, desk, on_loop):
    desk.shut = "there is none"
    at_the_exchange(wizard, "Gate", "Testnet")
    wizard.keys_page.api_key.setText("key")
    wizard.keys_page.secret.setText("s3cret")
    to_the_end(wizard)
    do(on_loop, wizard.next.click)
    do(on_loop, wizard.findChild(VaultSheet).reject)
    assert desk.order == []
    assert "there is no place for them yet" in wizard._say.text()
    assert wizard.next.isEnabled()


def test_keys_are_typed_blind_and_stand_in_no_text(wizard):
    at_the_exchange(wizard, "OKX", "Testnet")
    fields = [wizard.keys_page.api_key, wizard.keys_page.secret, wizard.keys_page.passphrase]
    assert all(one.isVisible() and one.echoMode() is QLineEdit.EchoMode.Password for one in fields)
    wizard.keys_page.api_key.setText("key with blanks")
    assert wizard.keys_page.why_not() == "A key has no blanks and no accents in it"


def test_real_money_wants_the_word(wizard, desk):
    at_the_exchange(wizard, "KuCoin", "Real money")
    for line in (wizard.keys_page.api_key, wizard.keys_page.secret, wizard.keys_page.passphrase):
        line.setText("abc")
    to_the_end(wizard)
    assert wizard.next.text() == "Trade real money"
    assert not wizard.next.isEnabled()
    wizard.limits.word.setText("live")
    assert not wizard.next.isEnabled()
    wizard.limits.word.setText("LIVE")
    assert wizard.next.isEnabled()


def test_the_step_before_real_money_says_so_and_what_it_may_cost(wizard):
    at_the_exchange(wizard, "Binance", "Real money")
    assert wizard.mode is None, "what was chosen so far places nothing"
    for line in (wizard.keys_page.api_key, wizard.keys_page.secret):
        line.setText("abc")
    wizard.capital.amount.setText("250")
    wizard.capital.groups.setText("4")
    to_the_end(wizard)
    assert wizard.mode is Mode.LIVE
    assert wizard.next.property("kind") == "danger"
    assert "up to 1,250.00 USDT a group, 4 groups: 5,000.00 in all." in wizard.limits._ask.accessibleName()
    wizard.back.click()
    assert wizard.mode is None
    assert wizard.next.property("kind") == "primary"


def test_only_paper_is_asked_for_its_balance(wizard):
    wizard.next.click()
    assert wizard.capital.balance.isVisible()
    wizard.back.click()
    at_the_exchange(wizard, "Binance", "Testnet")
    for line in (wizard.keys_page.api_key, wizard.keys_page.secret):
        line.setText("abc")
    wizard.next.click()
    assert wizard.heading.text() == "With how much?"
    assert not wizard.capital.balance.isVisible()


def test_an_exchange_without_a_testnet_offers_none(wizard):
    wizard.where.live.setChecked(True)
    wizard.where.exchange.setCurrentText("MEXC")
    assert [wizard.where.money.itemText(row) for row in range(wizard.where.money.count())] == ["Real money"]


def test_enter_goes_on_but_never_takes_it_into_force(wizard, desk, qtbot):
    qtbot.keyClick(wizard.where.first_field, Qt.Key.Key_Return)
    assert wizard.heading.text() == "With how much?"
    to_the_end(wizard)
    qtbot.keyClick(wizard.limits.loss, Qt.Key.Key_Return)
    assert wizard.isVisible()
    assert desk.order == []


def test_leaving_it_changes_nothing(wizard, desk, qtbot):
    wizard.next.click()
    wizard.capital.amount.setText("900")
    qtbot.keyClick(wizard.focusWidget(), Qt.Key.Key_Escape)
    assert desk.order == []


def test_what_cannot_be_leads_back_to_its_page(wizard, desk, on_loop):
    wizard.next.click()
    wizard.capital.pyramids.setText("2.5")
    to_the_end(wizard)
    do(on_loop, wizard.next.click)
    assert wizard.heading.text() == "With how much?"
    assert "Grid, Max pyramids must be a whole number" in wizard._say.text()
    assert desk.order == []


def test_an_apply_that_fails_leaves_the_wizard_open_with_the_words(wizard, desk, on_loop):
    desk.fails_with = UserError("The port is taken.", safe="The old settings run on.", remedy="Choose another one.")
    to_the_end(wizard)
    do(on_loop, wizard.next.click)
    assert wizard.isVisible()
    assert wizard._say.text() == "The port is taken. The old settings run on. Choose another one."
    assert wizard.next.isEnabled()


# The configuration that comes of it


def test_answers_change_nothing_else():
    before = Config.model_validate({"risk": {"max_winners": 2}, "ui": {"font_size": 14}})
    after = configured(before, answers_of(before))
    assert after.model_copy(update={"accounts": ()}) == before


def test_the_paper_account_stays_beside_a_new_one_and_others_are_kept():
    before = Config.model_validate({"accounts": [{"name": "old", "exchange": "gate", "enabled": False}]})
    after = configured(before, Answers(exchange=ExchangeName.BINANCE, name="main"))
    assert [one.name for one in after.accounts] == ["main", "old", "paper"]
    assert [one.enabled for one in after.accounts] == [True, False, True]


def test_a_wrong_limit_is_named_with_its_place():
    with pytest.raises(ConfigError) as caught:
        configured(Config(), Answers(max_drawdown_percent="-3"))
    assert [problem.path for problem in caught.value.problems] == ["safety.max_drawdown_percent"]


def test_it_comes_up_by_itself_once_and_from_the_menu_ever_after(stage, desk, qtbot):
    window = stage.window
    offer_first_run(window, desk, desk, is_first=True)
    stage.settle()
    assert window.clicks.sheet.objectName() == "first_run"
    window.clicks.sheet.reject()
    assert window.positions.first_steps.add_account.isVisible()
    again = Stage(stage.look, stage.folder).show()
    offer_first_run(again.window, desk, desk, is_first=True)
    again.settle()
    assert again.window.clicks.sheet is None
    again.window.registry.run("first_run")
    assert again.window.clicks.sheet.objectName() == "first_run"
    again.window.clicks.sheet.reject()
    again.bridge.close()
    again.window.hide()
    again.window.deleteLater()
