"""The form of the test alert: a pretend TradingView alert for a pair, a timeframe and a side of the trader's choice."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from exengine.domain.instrument import Side
from exengine.engine.intake import Verdict, VerdictKind
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.book import Book
from exengine.ui.choice import DropDown
from exengine.ui.icons import Icons
from exengine.ui.pieces import ElidedLabel, button
from exengine.ui.remark import Remark
from exengine.ui.setup import Setup
from exengine.ui.theme import Look

LIVE_REASON = "A test alert would place real orders. Switch to a paper account or the testnet to send one."


_FIELDS = {"tv.exchange": "Exchange", "tv.symbol": "Pair", "tv.timeframe": "Timeframe", "tv.close_price": "Price"}
_STEPS = {
    "tv.exchange": "Enable an account of it, or lead it to one under Settings ▸ Routing.",
    "tv.symbol": "Choose another pair.",
    "tv.timeframe": "Choose another timeframe.",
}
"""What an alert's fields are called in the window, and what to do about them."""


def verdict_words(verdict: Verdict) -> tuple[str, str]:
    """What became of an alert, in words and by token."""
    match verdict.kind:
        case VerdictKind.ACCEPTED:
            return f"Accepted as signal {verdict.signal_id}. What became of it is in Signals.", "success"
        case VerdictKind.DUPLICATE:
            return f"A duplicate of signal {verdict.signal_id}: not traded twice.", "warn"
        case VerdictKind.INVALID | VerdictKind.REFUSED:
            errors = "; ".join(f"{_FIELDS.get(error.field, error.field)}: {error.message}" for error in verdict.errors)
            steps = dict.fromkeys(_STEPS[error.field] for error in verdict.errors if error.field in _STEPS)
            return f"Not taken. {errors.rstrip('.')}. {' '.join(steps)}".strip(), "error"


class AlertForm(QWidget):
    """Pair, timeframe, side, the price it will carry, and what became of the last one."""

    asked = Signal(str, str, Side)

    def __init__(self, look: Look, icons: Icons, setup: Setup, book: Book, *, stands_out: bool = True) -> None:
        """`stands_out` is false where something else is the next step."""
        super().__init__()
        self._sign = "on_accent" if stands_out else "text"
        """The token of the button's icon."""
        self._look, self._icons, self._book, self._setup = look, icons, book, setup
        self.symbol = DropDown(icons, "Pair", setup.test_symbols)
        self.timeframe = DropDown(icons, "Timeframe", setup.test_timeframes)
        self.timeframe.setCurrentText("1h")
        self.side = DropDown(icons, "Side", tuple(word for word, _ in words.SIDES.values()))
        self.price = ElidedLabel(look, token="muted")
        self.send = button(look, "Send test alert", kind="primary" if stands_out else "")
        self.result = Remark(look, icons)
        choices, sending = QHBoxLayout(), QHBoxLayout()
        for widget in (self.symbol, self.timeframe, self.side):
            choices.addWidget(widget)
        choices.addSpacing(4)
        sending.addWidget(self.price, 1)
        sending.addWidget(self.send)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for part in (choices, sending, self._row):
            part.setSpacing(8)
        self._row.addLayout(choices)
        self._row.addLayout(sending, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._row)
        column.addWidget(self.result)
        self.symbol.currentTextChanged.connect(self.refresh)
        self.send.clicked.connect(self._on_send)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()
        self.refresh()

    def stack(self, stacked: bool) -> None:
        """Puts the price and the button under the choices, where there is little room."""
        down, across = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._row.setDirection(down if stacked else across)

    def show_setup(self, setup: Setup) -> None:
        self._setup = setup
        self.symbol.set_items(setup.test_symbols)
        self.timeframe.set_items(setup.test_timeframes)
        self.refresh()

    def refresh(self) -> None:
        """Shows the last price of the chosen pair, and whether a test alert may be sent at all."""
        symbol = self.symbol.currentText()
        quotes = (self._book.quotes.get((label.name, symbol)) for label in self._setup.harmless)
        quote = next((quote for quote in quotes if quote is not None), None)
        if quote is None:
            self.price.setText("no price yet")
        else:
            self.price.setText(f"at {fmt.as_quoted(quote.price)}, the last price")
        engine = self._book.engine
        is_live = not self._setup.harmless
        self.send.setEnabled(not is_live and engine is not None and bool(symbol))
        self.send.setToolTip(LIVE_REASON if is_live else "")

    def _on_send(self) -> None:
        side = next(side for side, (word, _) in words.SIDES.items() if word == self.side.currentText())
        self.send.setEnabled(False)
        self._tell("Sending…", "muted")
        self.asked.emit(self.symbol.currentText(), self.timeframe.currentText(), side)

    def show_verdict(self, verdict: Verdict) -> None:
        self.refresh()
        self._tell(*verdict_words(verdict))

    def show_error(self, error: BaseException) -> None:
        self.refresh()
        self._tell(f"Not sent. {error}", "error")

    def _tell(self, text: str, token: str) -> None:
        self.result.say(text, token)

    def _on_look_changed(self) -> None:
        self.send.setIcon(self._icons.button_icon("send", self._sign))
