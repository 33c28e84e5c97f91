"""A test alert of any kind to any account that trades no real money: its text before it is sent, the answer after."""

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from exengine.domain.alert_text import TEST_SOURCE, AlertTemplate, alert_body, alert_text
from exengine.domain.instrument import Side
from exengine.domain.routing import tv_symbol
from exengine.engine.intake import Verdict
from exengine.engine.rows import Mode
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.alert_form import verdict_words
from exengine.ui.book import Book
from exengine.ui.choice import DropDown
from exengine.ui.code import Code
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, Prose
from exengine.ui.remark import Remark
from exengine.ui.setup import AccountLabel, Setup
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

KINDS = {
    "Entry": AlertTemplate.ENTRY,
    "Pyramid": AlertTemplate.PYRAMID,
    "Exit": AlertTemplate.EXIT,
    "Reduce by half": AlertTemplate.REDUCE,
    "Reverse": AlertTemplate.REVERSE,
}


WHEN = "the moment it is sent"
"""What stands for the time of the alert, which is known only then."""


class TrialSheet(Sheet):
    """Stays open after an alert was sent: the next one may follow."""

    asked = Signal(str, str, Side, str, object, object)
    """Pair, timeframe, side, account, kind, and the price or None for the last one."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, setup: Setup, book: Book, mode: Mode) -> None:
        super().__init__(look, icons, parent, name="alert_sheet", title="Test alert", mode=mode, width=680)
        self._setup, self._book = setup, book
        self.add_heading("Send a test alert")
        self.meaning = Prose(look)
        self.body.addWidget(self.meaning)
        self.body.addSpacing(8)
        self._make_fields(icons)
        self.text = Code(look, "Text of the alert")
        self.body.addSpacing(8)
        self.body.addWidget(self.text)
        self.answer_line = Remark(look, icons)
        self.body.addWidget(self.answer_line)
        self.buttons.addStretch(1)
        self.add_cancel("Close")
        self.send = self.add_action("Send test alert", kind="primary")
        self.send.clicked.disconnect()
        self.send.clicked.connect(self._on_send)
        self.send.setIcon(icons.button_icon("send", "on_accent"))
        self._on_account()

    def _make_fields(self, icons: Icons) -> None:
        self.account = DropDown(icons, "Account", tuple(label.name for label in self._setup.harmless))
        self.symbol = DropDown(icons, "Pair")
        self.timeframe = DropDown(icons, "Timeframe", self._setup.test_timeframes)
        self.timeframe.setCurrentText("1h")
        self.kind = DropDown(icons, "Kind", tuple(KINDS))
        self.side = DropDown(icons, "Side", tuple(word for word, _ in words.SIDES.values()))
        self.price = QLineEdit()
        self.price.setAccessibleName("Price; empty for the last one")
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(12)
        fields = {"Account": self.account, "Pair": self.symbol, "Timeframe": self.timeframe,
                  "Kind": self.kind, "Side": self.side, "Price": self.price}  # fmt: skip
        for place, (caption, field) in enumerate(fields.items()):
            row, column = divmod(place, 3)
            label = Label(self.look, caption, token="muted")
            label.setBuddy(field)
            both = QVBoxLayout()
            both.setSpacing(4)
            both.addWidget(label)
            both.addWidget(field)
            grid.addLayout(both, row, column)
            grid.setColumnStretch(column, 1)
        self.body.addLayout(grid)
        self.account.currentTextChanged.connect(self._on_account)
        for choice in (self.symbol, self.timeframe, self.kind, self.side):
            choice.currentTextChanged.connect(self.refresh)
        self.price.textChanged.connect(self.refresh)

    # What is chosen

    @property
    def _label(self) -> AccountLabel | None:
        chosen = self.account.currentText()
        return next((label for label in self._setup.harmless if label.name == chosen), None)

    @property
    def _side(self) -> Side:
        return next(side for side, (word, _) in words.SIDES.items() if word == self.side.currentText())

    @property
    def _given(self) -> Decimal | None:
        """The price that was typed; None where none was. Raises ValueError for what is no price."""
        text = self.price.text().strip().replace(",", "")
        if not text:
            return None
        try:
            given = Decimal(text)
        except InvalidOperation:
            raise ValueError(text) from None
        if not given.is_finite() or given <= 0:
            raise ValueError(text)
        return given

    @property
    def _last(self) -> Decimal | None:
        label = self._label
        quote = None if label is None else self._book.quotes.get((label.name, self.symbol.currentText()))
        return None if quote is None else quote.price

    def _on_account(self) -> None:
        label = self._label
        self.symbol.set_items(label.symbols if label is not None else ())
        self.refresh()

    def refresh(self) -> None:
        """Shows the text as it would be sent now, and why it cannot be where it cannot."""
        label, last, why = self._label, self._last, ""
        self.meaning.say(self._what_it_does())
        self.price.setPlaceholderText("last price" if last is None else f"{fmt.as_quoted(last)}, the last price")
        try:
            price = self._given or last
        except ValueError:
            price, why = None, "The price is no number above 0."
        if not why:
            why = _why_not(label, self.symbol.currentText(), price)
        self.send.setEnabled(not why)
        self.send.setToolTip(why)
        if label is not None and price is not None:
            self.text.set_text(self._text(label, price))
        else:
            self.text.set_text(why or "…")

    def _what_it_does(self) -> str:
        setup, engine = self._setup, self._book.engine
        amount = fmt.number(setup.test_amount, fmt.quote_decimals(setup.test_quote))
        said = (
            "A pretend TradingView alert goes through the whole engine, and is traded. An entry opens a group of "
            f"{fmt.count(setup.test_legs, 'leg')} with **{amount} {setup.test_quote}**, or adds a pyramid to one."
        )
        if engine is not None and engine.pool_used >= engine.pool_limit:
            said += f" All {fmt.count(engine.pool_limit, 'slot')} are taken now: a new group waits in the queue."
        return said

    def _text(self, label: AccountLabel, price: Decimal) -> str:
        body = alert_body(
            KINDS[self.kind.currentText()],
            exchange=label.tv_exchange,
            symbol=tv_symbol(self.symbol.currentText()),
            timeframe=self.timeframe.currentText(),
            price=price,
            side=self._side,
            timestamp=WHEN,
        )
        return alert_text(body | {"source": TEST_SOURCE})

    # Sending

    def _on_send(self) -> None:
        self.send.setEnabled(False)
        self._tell("Sending…", "muted")
        kind = KINDS[self.kind.currentText()]
        account = self.account.currentText()
        self.asked.emit(self.symbol.currentText(), self.timeframe.currentText(), self._side, account, kind, self._given)

    def show_verdict(self, verdict: Verdict) -> None:
        self.refresh()
        self._tell(*verdict_words(verdict))

    def show_error(self, error: BaseException) -> None:
        self.refresh()
        self._tell(f"Not sent. {error}", "error")

    def _tell(self, text: str, token: str) -> None:
        self.answer_line.say(text, token)


def _why_not(label: AccountLabel | None, symbol: str, price: Decimal | None) -> str:
    if label is None:
        return "Every account trades real money. Add a paper account to send test alerts."
    if not label.tv_exchange:
        return f"No exchange’s name leads to {label.name}: another account takes its alerts. Add a route to it."
    if not symbol:
        return f"The markets of {label.name} are not there yet."
    return "" if price is not None else f"{symbol} has no price yet: type one."
