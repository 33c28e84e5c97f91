"""Closing part of a group: how much by per cent, quantity or value, and what that leaves."""

from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QSlider, QWidget

from exengine.domain.by_hand import is_left_as_dust, why_not_part
from exengine.domain.money import HUNDRED, ONE, ZERO, arithmetic, plain
from exengine.engine.rows import GroupRow, Mode
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.book import Book
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, Prose, button
from exengine.ui.positions_deeds import Deed, name_of, why_not
from exengine.ui.remark import Remark, set_marks
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look, Role

SHARES = (25, 50, 75, 100)
FIRST_SHARE = 50


class PartSheet(Sheet):
    """Per cent, quantity and value follow one another; what is sent is the quantity, floored to the step."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, group: GroupRow, book: Book, mode: Mode) -> None:
        super().__init__(look, icons, parent, name="part_sheet", title="Close a part", mode=mode)
        self.group_id, self._book = group.id, book
        self._asked = ZERO
        """As much as the trader asks for, before it is rounded; in contracts on swap."""
        self.heading = self.add_heading(f"Close part of {name_of(group)} at market?")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(1, 100)
        self.slider.setAccessibleName("Share of the group in per cent")
        self.percent, self.qty, self.value = (self._field(name) for name in ("Per cent", "Quantity", "Value"))
        self._unit = Label(look, unit_of(group), token="muted")
        self._quote = Label(look, group.quote, token="muted")
        self._build()
        self.meaning, self.stays = Prose(look), Prose(look)
        self.fault = Remark(look, icons)
        for widget in (self.meaning, self.stays, self.fault):
            self.body.addWidget(widget)
        self.buttons.addWidget(Label(look, "Enter and Esc cancel.", token="muted"), 1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("Close part", kind="danger")
        self.slider.valueChanged.connect(lambda share: self.take_share(Decimal(share)))
        self.percent.textEdited.connect(lambda text: self._typed(fmt.read(text), self.take_share))
        self.qty.textEdited.connect(lambda text: self._typed(fmt.read(text), self._take_qty))
        self.value.textEdited.connect(lambda text: self._typed(fmt.read(text), self._take_value))
        self.take_share(Decimal(FIRST_SHARE))
        self.cancel.setFocus()

    def _field(self, name: str) -> QLineEdit:
        made = QLineEdit()
        made.setAccessibleName(name)
        made.setAlignment(Qt.AlignmentFlag.AlignRight)
        made.setMaxLength(32)
        return made

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        for share in SHARES:
            chip = button(self.look, f"{share} %", small=True)
            chip.clicked.connect(lambda *_, share=share: self.take_share(Decimal(share)))
            row.addWidget(chip)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        fields = ((self.percent, "Share", Label(self.look, "%", token="muted")), (self.qty, "Quantity", self._unit),
                  (self.value, "Value", self._quote))  # fmt: skip
        for place, (field, name, unit) in enumerate(fields):
            title = Label(self.look, name, token="muted", role=Role.SMALL)
            title.setBuddy(field)
            grid.addWidget(title, 0, 2 * place)
            grid.addWidget(field, 1, 2 * place)
            grid.addWidget(unit, 1, 2 * place + 1)
            grid.setColumnStretch(2 * place, 1)
        self.body.addLayout(row)
        self.body.addLayout(grid)
        self.body.addSpacing(4)

    # What is asked

    @property
    def _group(self) -> GroupRow | None:
        return self._book.groups.get(self.group_id)

    @property
    def part(self) -> Decimal:
        """What will be closed: what was asked, floored to the step, at most all that is held."""
        group = self._group
        if group is None or group.rules is None:
            return ZERO
        with arithmetic():
            return group.rules.qty_floor(max(min(self._asked, group.net_qty), ZERO))

    def _typed(self, number: Decimal | None, take: object) -> None:
        if number is None:
            self._asked = ZERO
            self._show(but=self.focusWidget())
        else:
            take(number)  # type: ignore[operator]

    def take_share(self, share: Decimal) -> None:
        """Asks for so many per cent of what is held."""
        group = self._group
        with arithmetic():
            self._ask(group.net_qty * share / HUNDRED if group is not None else ZERO)

    def _take_qty(self, qty: Decimal) -> None:
        self._ask(qty)

    def _take_value(self, value: Decimal) -> None:
        group = self._group
        last = self._book.last(group) if group is not None else None
        with arithmetic():
            self._ask(value / (last * _size(group)) if group is not None and last else ZERO)

    def _ask(self, qty: Decimal) -> None:
        self._asked = qty
        self._show(but=self.focusWidget() if isinstance(self.focusWidget(), QLineEdit) else None)

    # What it would do

    def refresh(self) -> None:
        """Shows the numbers of this moment; a group that is closing meanwhile gives no part any more."""
        self._show(but=self.focusWidget() if isinstance(self.focusWidget(), QLineEdit) else None)

    def _show(self, but: QWidget | None) -> None:
        group, part = self._group, self.part
        if group is None or group.rules is None or (why := why_not(Deed.PART, group)):
            self.meaning.say("It has closed meanwhile. Nothing is left to do." if group is None else f"{why}.")
            self.stays.say("")
            self._say("")
            self.action.setEnabled(False)
            return
        last = self._book.last(group)
        with arithmetic():
            share = part / group.net_qty * HUNDRED
            self._show_fields(group, part, share, last, but)
            left = group.net_qty - part
            whole = part >= group.rules.qty_floor(group.net_qty)
            why = why_not_part(group.rules, min(max(self._asked, ZERO), group.net_qty), last)
            self._show_words(group, part, left, whole=whole)
            self._show_fault(group, why, left, last, whole=whole)
        self.action.setText(
            "Close group" if whole else f"Close {fmt.trimmed(part, group.qty_decimals)} {unit_of(group)}"
        )
        self.action.setEnabled(not why)

    def _show_fields(
        self, group: GroupRow, part: Decimal, share: Decimal, last: Decimal | None, but: QWidget | None
    ) -> None:
        """The fields that are not being typed in."""
        self.slider.blockSignals(True)
        self.slider.setValue(max(1, min(100, round(share))))
        self.slider.blockSignals(False)
        texts = {
            self.percent: plain(round(share, 2)),
            self.qty: fmt.trimmed(part, group.qty_decimals),
            self.value: fmt.number(part * last * _size(group), fmt.quote_decimals(group.quote)) if last else "",
        }
        for field, text in texts.items():
            if field is not but:
                field.setText(text)

    def _show_words(self, group: GroupRow, part: Decimal, left: Decimal, *, whole: bool) -> None:
        assert self.mode is not None
        verb = "sold" if group.side.sign > 0 else "bought back"
        where = f"{verb} on {group.account}, {words.MODES[self.mode][0]}"
        self.meaning.say(f"{self._amount(group, part)}, {where}.{self._result(group, part)}")
        if whole:
            self.stays.say("That is all of it: its open entries are cancelled and the slot is free again.")
        else:
            self.stays.say(f"{self._amount(group, left)}, stay, with their ladder, their targets and the slot.")

    def _amount(self, group: GroupRow, qty: Decimal) -> str:
        usd = self._usd(group, qty)
        worth = f", about **{fmt.number(usd, 2)} USD**" if usd is not None else ""
        return f"**{fmt.trimmed(qty, group.qty_decimals)} {unit_of(group)}**{worth}"

    def _result(self, group: GroupRow, qty: Decimal) -> str:
        usd, pnl = self._usd(group, qty), self._book.result_usd_of(group)
        if usd is None or pnl is None:
            return ""
        brought, fee = fmt.signed(pnl * qty / group.net_qty, 2), fmt.number(usd * group.taker_fee, 2)
        return f" That brings about **{brought} USD**, after a fee of about **{fee} USD**."

    def _usd(self, group: GroupRow, qty: Decimal) -> Decimal | None:
        last, rate = self._book.last(group), self._book.usd_rate(group.account, group.quote)
        return None if last is None or rate is None else qty * last * _size(group) * rate

    def _show_fault(self, group: GroupRow, why: str, left: Decimal, last: Decimal | None, *, whole: bool) -> None:
        """Why it cannot be done, or that what stays could never be sold."""
        assert group.rules is not None
        dust = ""
        if not why and not whole and is_left_as_dust(group.rules, left, last):
            rest = f"{fmt.trimmed(left, group.qty_decimals)} {unit_of(group)}"
            dust = f"What stays, {rest}, is below the exchange’s minimum: it is dust. Close the group to take it along."
        self._say(why or dust, "error" if why else "warn")

    def _say(self, text: str, token: str = "error") -> None:
        self.fault.say(text, token)
        for field in (self.percent, self.qty, self.value):
            set_marks(field, faulty=bool(text) and token == "error")
            field.setAccessibleDescription(text)


def unit_of(group: GroupRow) -> str:
    """What quantities of the group are counted in."""
    return "contracts" if _size(group) != ONE else group.base


def _size(group: GroupRow | None) -> Decimal:
    return group.rules.contract_size if group is not None and group.rules is not None else ONE
