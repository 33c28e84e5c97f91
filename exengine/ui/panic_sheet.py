"""The question behind Panic: what will happen, on which accounts, and a typed word before it may."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from exengine.engine.rows import Mode
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.choice import Option
from exengine.ui.icons import Icons
from exengine.ui.panic_plan import AccountPart, PanicPlan
from exengine.ui.pieces import Hairline, Label, Prose
from exengine.ui.setup import Setup
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look, Role, Weight

WORD = "CLOSE"
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class PanicSheet(Sheet):
    """Close everything, or only cancel the unfilled entries. Numbers go on running while it is open."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, plan: PanicPlan, setup: Setup) -> None:
        super().__init__(look, icons, parent, name="panic_sheet", title="Panic", mode=plan.mode, width=600)
        self.plan, self._setup = plan, setup
        self._cells: list[list[Label]] = []
        """The numbers of each account's line."""
        self._moneys: list[Label] = []
        """The titles of what is sold or bought back."""
        self.heading = self.add_heading("")
        self.meaning = Prose(look)
        self.body.addWidget(self.meaning)
        self.body.addSpacing(4)
        self._table = QGridLayout()
        # The room between columns is theirs, so that those that are hidden leave none.
        self._table.setHorizontalSpacing(0)
        self._table.setVerticalSpacing(0)
        self._table.setColumnStretch(0, 1)
        self.body.addLayout(self._table)
        self.body.addSpacing(8)
        self.everything = Option(look, icons, "Cancel everything and close all groups", "")
        self.entries = Option(look, icons, "", "")
        self._options = QButtonGroup(self)
        for option in (self.everything, self.entries):
            self._options.addButton(option)
            self.body.addWidget(option)
        self.everything.setChecked(True)
        self.everything.toggled.connect(self._on_option)
        self.body.addSpacing(4)
        self.body.addWidget(Hairline(look))
        self.body.addSpacing(4)
        self._build_confirm()
        self.hint = Label(look, token="muted")
        self.buttons.addWidget(self.hint, 1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("", kind="danger")
        self.show_plan(plan)
        self.word.setFocus()

    def _build_confirm(self) -> None:
        row = QHBoxLayout()
        self._typing = Prose(self.look, token="text")
        self._typing.setWordWrap(False)
        self.word = QLineEdit()
        self.word.setAccessibleName(f"Type {WORD} to confirm")
        self.word.setFixedWidth(self.look.scaled(200))
        self.word.setMaxLength(2 * len(WORD))
        self.word.textChanged.connect(self._refresh)
        # Where no word is wanted the dialog keeps its size: its buttons must not move under the pointer.
        policy = self.word.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.word.setSizePolicy(policy)
        row.addWidget(self._typing, 1)
        row.addWidget(self.word)
        self.body.addLayout(row)

    @property
    def entries_only(self) -> bool:
        return self.entries.isChecked()

    def show_plan(self, plan: PanicPlan) -> None:
        """Shows the numbers of this moment."""
        accounts = [(part.account, part.venue, part.mode) for part in plan.parts]
        if accounts != [(part.account, part.venue, part.mode) for part in self.plan.parts] or not self._cells:
            self._rebuild(plan)
        self.plan = plan
        self._refresh()

    def _show_numbers(self) -> None:
        """One line for each account, and their sum. Cancelling entries moves no money, so that none is shown."""
        lines: list[AccountPart | PanicPlan] = [*self.plan.parts]
        if len(lines) > 1:
            lines.append(self.plan)
        for labels, line in zip(self._cells, lines, strict=True):
            groups, orders = (line.waiting, line.entries) if self.entries_only else (line.groups, line.orders)
            texts = (f"{groups:,}", f"{orders:,}", fmt.number(line.notional, 2), fmt.signed(line.pnl, 2))
            for label, text in zip(labels, texts, strict=True):
                label.setText(text)
            labels[-1].set_token({1: "profit", -1: "loss", 0: "muted"}[fmt.direction(line.pnl, 2)])
        for label in (*self._moneys, *(label for labels in self._cells for label in labels[2:])):
            label.setVisible(not self.entries_only)

    def _rebuild(self, plan: PanicPlan) -> None:
        while (item := self._table.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self._cells, self._moneys = [], []
        if not plan.parts:
            return
        for column, title in enumerate(("Account", "Groups", "Orders", "Notional, USD", "PnL after fees, USD")):
            head = Label(self.look, title, token="muted", role=Role.SMALL, weight=Weight.MEDIUM)
            self._put(head, 0, column)
            if column > 2:
                self._moneys.append(head)
        self._table.addWidget(Hairline(self.look), 1, 0, 1, 5)
        for line, part in enumerate(plan.parts, 2):
            self._put(_account_name(self.look, part), line, 0)
            self._cells.append(self._numbers(line, Weight.NORMAL))
        if len(plan.parts) > 1:
            line = 2 + len(plan.parts)
            self._table.addWidget(Hairline(self.look), line, 0, 1, 5)
            self._put(Label(self.look, "Together", weight=Weight.STRONG), line + 1, 0)
            self._cells.append(self._numbers(line + 1, Weight.STRONG))

    def _numbers(self, line: int, weight: Weight) -> list[Label]:
        labels = [Label(self.look, weight=weight) for _ in range(4)]
        for column, label in enumerate(labels, 1):
            self._put(label, line, column)
        return labels

    def _put(self, widget: QWidget, line: int, column: int) -> None:
        widget.setContentsMargins(24 if column else 0, 0, 0, 0)
        widget.setMinimumHeight(self.look.row_height())
        self._table.addWidget(widget, line, column, _RIGHT if column else Qt.AlignmentFlag.AlignVCenter)

    def _refresh(self) -> None:
        plan = self.plan
        self._show_numbers()
        self.everything.set_words("Cancel everything and close all groups", self._bound())
        self.entries.set_words(
            f"Only cancel the {fmt.count(plan.entries, 'unfilled entry', 'unfilled entries')}",
            "What is held stays open with its targets. The engine goes on.",
        )
        only_entries = self.entries_only
        self.entries.setEnabled(plan.entries > 0 or only_entries)
        self.heading.setText(_entries_heading(plan) if only_entries else _heading(plan))
        self.meaning.say(_entries_meaning(plan) if only_entries else _meaning(plan))
        self.word.setVisible(not only_entries)
        self._typing.say("No word is asked for this." if only_entries else f"Type **{WORD}** to confirm")
        self.cancel.setText("Keep the entries" if only_entries else "Cancel")
        self.hint.setText("Enter and Esc keep them." if only_entries else "Enter and Esc cancel.")
        if only_entries:
            self.action.setText(f"Cancel {fmt.count(plan.entries, 'entry', 'entries')}")
            self.action.setEnabled(plan.entries > 0)
        else:
            self.action.setText(_action(plan))
            self.action.setEnabled(self.word.text() == WORD)

    def _on_option(self) -> None:
        self._refresh()
        if self.entries_only:
            # No word is asked for: the keyboard must not be left in a field that is off.
            self.cancel.setFocus()
        else:
            self.word.setFocus()

    def _bound(self) -> str:
        bound = fmt.percent(self._setup.slippage_percent, 1)
        then = "then forced" if self._setup.slippage_forced else "then held, with an alert"
        return f"Market orders bounded by {bound} slippage, {then}."


def _account_name(look: Look, part: AccountPart) -> QWidget:
    """`main Binance spot LIVE`, each in its own colour."""
    tint = {Mode.LIVE: "live_text", Mode.TESTNET: "warn", Mode.PAPER: "muted"}[part.mode]
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(6)
    row.addWidget(Label(look, part.account, weight=Weight.STRONG))
    if part.venue.lower() != part.account.lower():
        row.addWidget(Label(look, part.venue, token="muted"))
    row.addWidget(Label(look, words.MODES[part.mode][0], token=tint, weight=Weight.STRONG))
    row.addStretch(1)
    return box


def _where(plan: PanicPlan, parts: Sequence[AccountPart]) -> str:
    """`2 live accounts`, `1 paper account`."""
    count = len(parts)
    if all(part.mode is plan.mode for part in parts):
        kind = {Mode.LIVE: "live ", Mode.TESTNET: "testnet ", Mode.PAPER: "paper "}[plan.mode]
        return f"{count} {kind}account{'' if count == 1 else 's'}"
    live = sum(1 for part in parts if part.mode is Mode.LIVE)
    return f"{count} accounts, {live} of them live"


def _heading(plan: PanicPlan) -> str:
    if not plan.groups:
        return "Cancel everything and pause?"
    which = "Close the one group" if plan.groups == 1 else f"Close all {plan.groups:,} groups"
    return f"{which} at market on {_where(plan, plan.parts)}?"


def _action(plan: PanicPlan) -> str:
    if not plan.groups:
        return "Cancel and pause"
    return "Close the group" if plan.groups == 1 else f"Close all {plan.groups:,} groups"


def _meaning(plan: PanicPlan) -> str:
    said = []
    if plan.held:
        said.append(
            f"about **{fmt.number(plan.notional, 2)} USD** is sold or bought back with "
            f"**{fmt.count(plan.held, 'market order')}**"
        )
    if plan.orders:
        said.append(f"**{fmt.count(plan.orders, 'order')}** {_are(plan.orders)} cancelled")
    if plan.queued:
        said.append(f"**{fmt.count(plan.queued, 'waiting entry', 'waiting entries')}** {_are(plan.queued)} removed")
    said.append(("and " if said else "") + "the engine pauses until you resume it")
    text = ", ".join(said)
    text = text[0].upper() + text[1:] + "."
    if plan.unpriced:
        text += f" {fmt.count(plan.unpriced, 'group')} without a price in USD {_are(plan.unpriced)} not in the sum."
    return text + (" This cannot be undone." if plan.held else "")


def _entries_heading(plan: PanicPlan) -> str:
    where = _where(plan, [part for part in plan.parts if part.entries])
    return f"Cancel {fmt.count(plan.entries, 'unfilled entry', 'unfilled entries')} on {where}?"


def _entries_meaning(plan: PanicPlan) -> str:
    worth = f"**{fmt.number(plan.open_quote, 2)} USD**"
    return f"Orders for about {worth} are cancelled and not placed again. Nothing is sold or bought back."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
