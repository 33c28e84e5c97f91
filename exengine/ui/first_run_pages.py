"""The pages of the first-run wizard: where it trades, with how much, where alerts come in, and what stops it."""

from decimal import Decimal, InvalidOperation
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from exengine.domain.instrument import MarketType
from exengine.settings.first_run import WITH_TESTNET, Answers
from exengine.settings.pages import Config, ExchangeName
from exengine.settings.program_pages import EXCHANGES as SPELLED
from exengine.ui import format as fmt
from exengine.ui.alert_form import AlertForm
from exengine.ui.book import Book
from exengine.ui.choice import GAP, DropDown, Option
from exengine.ui.code import Code
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, Prose, button
from exengine.ui.remark import Remark
from exengine.ui.setup import Setup
from exengine.ui.theme import Look, Weight

EXCHANGES = {SPELLED[one.value]: one for one in ExchangeName if one is not ExchangeName.PAPER}
MARKETS = {"Spot": MarketType.SPOT, "USDT perpetuals": MarketType.SWAP}
LIVE_WORD = "LIVE"
QUOTE = "USDT"
"""The coin that the wizard’s amounts are in."""


class WizardPage(QWidget):
    """One step."""

    changed = Signal()
    heading = ""
    meaning = ""
    first_field: QWidget

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)
        self._lines: dict[QLineEdit, tuple[QWidget, ...]] = {}
        """What stands in the line of a field."""

    def answers(self) -> dict[str, Any]:
        """What was answered here, as fields of `Answers`."""
        return {}

    def begin(self, answers: Answers) -> None:
        """Comes up: what was answered before may change what is asked."""

    def why_not(self) -> str:
        """Why it cannot go on from here; empty where it can."""
        return ""

    def line(self, grid: QGridLayout, name: str, text: str, unit: str, meaning: str) -> QLineEdit:
        """A row of a page: name, field with its unit, and what it means."""
        row = grid.rowCount()
        field = QLineEdit(text)
        field.setAccessibleName(name)
        field.setAccessibleDescription(meaning)
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.setFixedWidth(self.look.scaled(120))
        field.textChanged.connect(self.changed)
        label = Label(self.look, name)
        label.setBuddy(field)
        said = Label(self.look, meaning, token="muted")
        said.setWordWrap(True)
        self._lines[field] = (label, field, Label(self.look, unit, token="muted"), said)
        for column, part in enumerate(self._lines[field]):
            grid.addWidget(part, row, column)
        return field

    def ask_for(self, field: QLineEdit, *, asked: bool) -> None:
        """Whether a line is there at all: what is no question here is not shown."""
        for part in self._lines[field]:
            part.setVisible(asked)
        field.setEnabled(asked)


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(3, 1)
    return grid


class WherePage(WizardPage):
    """Paper or an exchange."""

    heading = "Where shall it trade?"
    meaning = (
        "Paper is an exchange inside the program, with balances, fees and rules like the real ones. "
        "You can add and change accounts at any time."
    )

    def __init__(self, look: Look, icons: Icons, answers: Answers) -> None:
        super().__init__(look)
        self.paper = Option(look, icons, "On paper", "Nothing here can spend real money. The best way to begin.")
        self.live = Option(look, icons, "At an exchange", "With your own key, kept on this machine.")
        self._both = QButtonGroup(self)
        for option in (self.paper, self.live):
            self._both.addButton(option)
            self.column.addWidget(option)
        self.paper.setChecked(True)
        self.first_field = self.paper
        self.exchange = DropDown(icons, "Exchange", tuple(EXCHANGES))
        self.market = DropDown(icons, "Market", tuple(MARKETS))
        self.money = DropDown(icons, "Money")
        self.name = QLineEdit(answers.name)
        self.name.setAccessibleName("Name of the account")
        self._box, self.note = QWidget(), Remark(look, icons)
        grid = QGridLayout(self._box)
        grid.setContentsMargins(look.grown(16) + GAP, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        fields = {"Exchange": self.exchange, "Market": self.market, "Money": self.money, "Account name": self.name}
        for place, (caption, field) in enumerate(fields.items()):
            grid.addWidget(Label(look, caption, token="muted"), 0, place)
            grid.addWidget(field, 1, place)
            grid.setColumnStretch(place, 1)
        grid.addWidget(self.note, 2, 0, 1, len(fields))
        self.column.addWidget(self._box)
        self.column.addStretch(1)
        self.live.toggled.connect(self._on_changed)
        self.exchange.currentTextChanged.connect(self._on_changed)
        self.money.currentTextChanged.connect(self._on_changed)
        self.name.textChanged.connect(self.changed)
        self._on_changed()

    def _on_changed(self) -> None:
        there = EXCHANGES[self.exchange.currentText()] in WITH_TESTNET
        self.money.set_items(("Testnet", "Real money") if there else ("Real money",))
        self._box.setEnabled(self.live.isChecked())
        if not self.live.isChecked():
            self.note.say("")
        elif self.money.currentText() == "Testnet":
            self.note.say("The testnet is the exchange’s own practice side: real orders, pretend money.", "muted")
        elif there:
            self.note.say("Real money. Try the testnet first: the same steps, and nothing to lose.", "warn")
        else:
            self.note.say("Real money. This exchange has no testnet: try paper first.", "warn")
        self.changed.emit()

    def answers(self) -> dict[str, Any]:
        if not self.live.isChecked():
            return {"exchange": ExchangeName.PAPER}
        return {
            "exchange": EXCHANGES[self.exchange.currentText()],
            "market_type": MARKETS[self.market.currentText()],
            "testnet": self.money.currentText() == "Testnet",
            "name": self.name.text().strip(),
        }

    def why_not(self) -> str:
        return "" if not self.live.isChecked() or self.name.text().strip() else "The account needs a name"


class CapitalPage(WizardPage):
    """How much a group takes, and what its ladder looks like."""

    heading = "With how much?"
    meaning = (
        "Each alert lays a ladder of orders, a pyramid. Later alerts of the same side add pyramids to the group. "
        "The ladder itself is on the Grid page of the settings."
    )

    def __init__(self, look: Look, answers: Answers, config: Config) -> None:
        super().__init__(look)
        grid = _grid()
        self.balance = self.line(grid, "Paper balance", answers.paper_balance, QUOTE, "What the paper account has")
        self.amount = self.line(grid, "Capital of a pyramid", answers.amount, QUOTE, "Shared among its legs by weight")
        self.pyramids = self.line(grid, "Pyramids of a group", answers.max_pyramids, "", "Entries that a group takes")
        self.groups = self.line(grid, "Groups at once", answers.max_groups, "", "The pool: further entries wait")
        self.first_field = self.amount
        self.column.addLayout(grid)
        self.column.addSpacing(4)
        self.sums = Prose(look)
        self.column.addWidget(self.sums)
        legs = config.grid.legs
        said = ", ".join(f"{fmt.percent(leg.gap_percent, 1)}" for leg in legs)
        ladder = Label(
            look, f"The ladder has {fmt.count(len(legs), 'leg')}, at {said} from the alert’s price.", token="muted"
        )
        ladder.setWordWrap(True)
        self.column.addWidget(ladder)
        self.column.addStretch(1)
        self.changed.connect(self._reckon)
        self._reckon()

    def begin(self, answers: Answers) -> None:
        self.ask_for(self.balance, asked=answers.is_paper)

    def _reckon(self) -> None:
        numbers = [_number(field.text()) for field in (self.amount, self.pyramids, self.groups)]
        if any(number is None for number in numbers):
            self.sums.say("")
            return
        amount, pyramids, groups = (number or Decimal(0) for number in numbers)
        group, everything = amount * pyramids, amount * pyramids * groups
        self.sums.say(
            f"A full group takes **{fmt.number(group, 2)} {QUOTE}**, all groups together "
            f"**{fmt.number(everything, 2)} {QUOTE}**."
        )

    def answers(self) -> dict[str, Any]:
        return {
            "paper_balance": self.balance.text().strip(),
            "amount": self.amount.text().strip(),
            "max_pyramids": self.pyramids.text().strip(),
            "max_groups": self.groups.text().strip(),
        }

    def why_not(self) -> str:
        for field in (self.balance, self.amount, self.pyramids, self.groups):
            number = _number(field.text())
            if field.isEnabled() and (number is None or number <= 0):
                return f"{field.accessibleName()} is a number above 0"
        return ""


class WebhookPage(WizardPage):
    """What TradingView is given."""

    heading = "Let TradingView call it"
    meaning = (
        "Paste the text into an alert at TradingView, and the URL into its notifications. TradingView needs a public "
        "address: a tunnel such as cloudflared in front of this machine."
    )

    def __init__(self, look: Look, icons: Icons, answers: Answers, setup: Setup, book: Book) -> None:
        super().__init__(look)
        self._setup, self._icons, self._book = setup, icons, book
        self.text = Code(look, "Alert text")
        self.text.set_text(setup.alert_text_masked)
        self.copy_text, self.copy_url = button(look, "Copy text", small=True), button(look, "Copy URL", small=True)
        self.copied = Label(look, token="success")
        head = QHBoxLayout()
        head.addWidget(Label(look, "Text of the alert", weight=Weight.STRONG), 1)
        head.addWidget(self.copy_text)
        self.column.addLayout(head)
        self.column.addWidget(self.text)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(Label(look, setup.webhook_url_masked))
        row.addWidget(self.copy_url)
        row.addWidget(self.copied, 1)
        grid = _grid()
        grid.addWidget(Label(look, "Webhook URL"), 0, 0)
        grid.addLayout(row, 0, 1, 1, 3)
        self.public = QLineEdit(answers.public_url)
        self.public.setAccessibleName("Public address of the tunnel")
        self.public.setPlaceholderText("https://hooks.example.com · or leave it empty for now")
        self.public.textChanged.connect(self.changed)
        grid.addWidget(Label(look, "Public address"), 1, 0)
        grid.addWidget(self.public, 1, 1, 1, 3)
        self.column.addLayout(grid)
        self.column.addSpacing(4)
        self.form = AlertForm(look, icons, setup, book, stands_out=False)
        self.column.addWidget(Label(look, "Try it: a test alert with what runs now", weight=Weight.STRONG))
        self.column.addWidget(self.form)
        self.column.addStretch(1)
        self.first_field = self.copy_text
        self.copy_text.clicked.connect(lambda: self._copy("Text", setup.alert_text))
        self.copy_url.clicked.connect(lambda: self._copy("URL", setup.webhook_url))

        look.changed.connect(self._show_icons)
        self._show_icons()

    def _show_icons(self) -> None:
        for made in (self.copy_text, self.copy_url):
            made.setIcon(self._icons.button_icon("copy"))

    def _copy(self, what: str, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.setText(f"{what} copied")

    def answers(self) -> dict[str, Any]:
        return {"public_url": self.public.text().strip()}


class LimitsPage(WizardPage):
    """What stops it; and the word where it will trade real money."""

    heading = "What shall stop it?"
    meaning = (
        "At the loss of a day or the drawdown the engine pauses and says why, and only you resume it. Beyond the "
        "exposure an entry is refused, and the engine goes on. Open groups keep their targets. Empty is off."
    )

    def __init__(self, look: Look, answers: Answers) -> None:
        super().__init__(look)
        grid = _grid()
        self.loss = self.line(
            grid, "Max daily loss", answers.max_daily_loss, "USD", "Realised, over all accounts: pauses the engine"
        )
        self.drawdown = self.line(
            grid,
            "Drawdown",
            answers.max_drawdown_percent,
            "%",
            "Fall of the total equity from its peak: pauses the engine",
        )
        self.exposure = self.line(
            grid, "Exposure", answers.max_exposure, QUOTE, "Filled and open entries together: more is refused"
        )
        self.first_field = self.loss
        self.column.addLayout(grid)
        self.column.addSpacing(8)
        self._word_line = QWidget()
        row = QHBoxLayout(self._word_line)
        row.setContentsMargins(0, 0, 0, 0)
        self._ask = Prose(look, token="text")
        self.word = QLineEdit()
        self.word.setAccessibleName(f"Type {LIVE_WORD} to confirm")
        self.word.setFixedWidth(look.scaled(160))
        self.word.textChanged.connect(self.changed)
        row.addWidget(self._ask, 1)
        row.addWidget(self.word)
        self.column.addWidget(self._word_line)
        self.column.addStretch(1)
        self._is_live = False
        self.ask_word("", "")

    def ask_word(self, account: str, orders: str) -> None:
        """Asks for the word before `account` trades real money; `orders` says what it will place. Without one, not."""
        self._is_live = bool(account)
        self._word_line.setVisible(self._is_live)
        if account:
            self._ask.say(f"**Trade real money on {account}?** {orders} Type **{LIVE_WORD}** to confirm.")

    def answers(self) -> dict[str, Any]:
        return {
            "max_daily_loss": self.loss.text().strip(),
            "max_drawdown_percent": self.drawdown.text().strip(),
            "max_exposure": self.exposure.text().strip(),
        }

    def why_not(self) -> str:
        for field in (self.loss, self.drawdown, self.exposure):
            number = _number(field.text())
            if field.text().strip() and (number is None or number <= 0):
                return f"{field.accessibleName()} is a number above 0, or empty"
        return f"Type {LIVE_WORD} to confirm" if self._is_live and self.word.text() != LIVE_WORD else ""


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
