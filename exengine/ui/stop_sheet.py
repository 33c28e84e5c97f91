"""Setting or taking away the stop of a group."""

from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from exengine.domain.by_hand import why_not_stop
from exengine.domain.money import HUNDRED, arithmetic, plain
from exengine.engine.rows import GroupRow, Mode
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.book import Book
from exengine.ui.icons import Icons
from exengine.ui.part_sheet import unit_of
from exengine.ui.pieces import Label, Prose, button
from exengine.ui.positions_deeds import Deed, name_of, why_not
from exengine.ui.remark import Remark, set_marks
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look


class StopSheet(Sheet):
    """A price on the right side of the market; what closing there would bring is said while it is typed."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, group: GroupRow, book: Book, mode: Mode) -> None:
        super().__init__(look, icons, parent, name="stop_sheet", title="Stop", mode=mode)
        self.group_id, self._book = group.id, book
        self.cleared = False
        """Whether the stop is to be taken away."""
        self.heading = self.add_heading(f"Stop of {name_of(group)}")
        self.now = Prose(look)
        self.price = QLineEdit()
        self.price.setAccessibleName("Stop price")
        self.price.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.price.setMaxLength(32)
        self.price.setFixedWidth(look.scaled(160))
        if group.own_stop is not None:
            self.price.setText(plain(group.own_stop))
        row = QHBoxLayout()
        row.setSpacing(8)
        title = Label(look, "Stop price")
        title.setBuddy(self.price)
        row.addWidget(title)
        row.addWidget(self.price)
        row.addWidget(Label(look, group.quote, token="muted"))
        self.last = Label(look, token="muted")
        row.addWidget(self.last, 1)
        self.meaning = Prose(look)
        self.fault = Remark(look, icons)
        self.body.addWidget(self.now)
        self.body.addLayout(row)
        self.body.addWidget(self.meaning)
        self.body.addWidget(self.fault)
        self.clear = button(look, "Remove stop")
        self.clear.clicked.connect(self._on_clear)
        self.buttons.addWidget(self.clear)
        self.buttons.addStretch(1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("Set stop", kind="danger")
        self.price.textEdited.connect(lambda *_: self.refresh())
        self.refresh()
        self.price.setFocus()

    @property
    def wanted(self) -> Decimal | None:
        """The price to be set; None takes the stop away."""
        return None if self.cleared else fmt.read(self.price.text())

    def _on_clear(self) -> None:
        self.cleared = True
        self.accept()

    def refresh(self) -> None:
        """Shows the numbers of this moment."""
        group = self._book.groups.get(self.group_id)
        gone = "It has closed meanwhile" if group is None else why_not(Deed.STOP, group)
        if group is None or gone:
            self.now.say(f"{gone}. Nothing is left to do.")
            self._show_outcome("")
            self._show_fault("")
            self.action.setEnabled(False)
            self.clear.setEnabled(False)
            return
        last = self._book.last(group)
        self.now.say(self._stands(group))
        self.last.setText(f"last {fmt.number(last, group.price_decimals)}")
        self.clear.setEnabled(group.own_stop is not None)
        price = fmt.read(self.price.text())
        typed = bool(self.price.text().strip())
        with arithmetic():
            fault = "" if price is None else why_not_stop(group.side, price, last, group.price_decimals)
            if price is None and typed:
                fault = "That is no price."
            self._show_outcome(self._outcome(group, price, last) if price is not None and not fault else "")
        self._show_fault(fault)
        self.action.setEnabled(price is not None and not fault and price != group.own_stop)

    def _show_outcome(self, text: str) -> None:
        self.meaning.say(text)
        self.meaning.setVisible(bool(text))

    def _show_fault(self, fault: str) -> None:
        self.fault.say(fault)
        set_marks(self.price, faulty=bool(fault))
        self.price.setAccessibleDescription(fault)

    def _stands(self, group: GroupRow) -> str:
        """Where it is stopped now, and by what."""
        if group.own_stop is not None:
            return f"It stands at **{fmt.number(group.own_stop, group.price_decimals)}**."
        if group.stop is not None:
            at = fmt.number(group.stop, group.price_decimals)
            return f"The strategy’s own stop stands at **{at}**, from the average entry. One set here comes before it."
        return "No stop is set."

    def _outcome(self, group: GroupRow, price: Decimal, last: Decimal | None) -> str:
        assert self.mode is not None
        assert last is not None
        away = fmt.number(abs(price - last) / last * HUNDRED, 2)
        side = "below" if price < last else "above"
        pnl, rate = group.after_fees(price), self._book.usd_rate(group.account, group.quote)
        brings = f", with about **{fmt.signed(pnl * rate, 2)} USD** after fees" if pnl is not None and rate else ""
        where = f"on {group.account}, {words.MODES[self.mode][0]}"
        begins = f"When the price comes to it, **{away} %** {side} the last, the group is closed at market {where}"
        if group.holding.net_base == 0:
            return f"{begins}. Nothing of it has filled yet."
        amount = f"**{fmt.tradable(abs(group.net_qty), group.qty_decimals)} {unit_of(group)}**"
        worth = abs(group.holding.net_base) * price * rate if rate is not None else None
        about = f", about **{fmt.number(worth, 2)} USD**" if worth is not None else ""
        verb = "sold" if group.side.sign > 0 else "bought back"
        return f"{begins}: {amount}{about}, {verb}{brings}."
