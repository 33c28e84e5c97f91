"""The right side of the settings: the ladder that would be laid now, and in words what Apply will change."""

from collections.abc import Callable
from decimal import Decimal

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from exengine.domain.ladder_preview import LadderPreview
from exengine.domain.money import decimals_of, plain
from exengine.settings.consequences import Consequence
from exengine.settings.consequences import Weight as Gravity
from exengine.settings.pages import Config
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.choice import DropDown
from exengine.ui.icons import Icons
from exengine.ui.one_shot import one_shot
from exengine.ui.pieces import Ground, Hairline, Label, Prose
from exengine.ui.remark import sentence
from exengine.ui.settings_ladder import LEFT, LadderTable
from exengine.ui.settings_state import Editing, SettingsDesk
from exengine.ui.theme import Look, Role, Weight

SOON_MS = 150
"""How long the typing must rest before the preview is reckoned again."""
AGAIN_MS = 1_000
"""How often it follows the price."""
LADDER_PAGES = ("grid", "sizing", "take_profit", "pool", "accounts", "precision")
"""The pages whose values decide what an entry orders."""
_LADDER_PLACES = tuple((page,) for page in LADDER_PAGES)

_GRAVITIES = {
    Gravity.INFO: ("info", "info"), Gravity.WARNING: ("warn", "warn"), Gravity.KEPT: ("lock", "muted"),
    Gravity.DANGER: ("live", "live_text"),
}  # fmt: skip


class Preview(QScrollArea):
    """Follows the draft while it is typed, and the last price."""

    def __init__(
        self, look: Look, icons: Icons, editing: Editing, desk: SettingsDesk, *, now_ms: Callable[[], int]
    ) -> None:
        super().__init__()
        self._look, self._icons, self._editing, self._desk = look, icons, editing, desk
        self._now_ms = now_ms
        self.told: tuple[Consequence, ...] = ()
        self.left_out = Label(look)
        self.wrong = 0
        """How many fields are left out of what is told."""
        self.ladder: LadderPreview | None = None
        self.setObjectName("settings_preview")
        self.setAccessibleName("Preview")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = Ground(look, "surface")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 12, 0, 16)
        column.setSpacing(0)
        self._ladder_box = QWidget()
        self._build_ladder()
        column.addWidget(self._ladder_box)
        column.addLayout(self._build_changes())
        column.addStretch(1)
        self.setWidget(body)
        self._soon = one_shot(self, self.refresh, after_ms=SOON_MS)
        self._again = QTimer(self)
        self._again.setInterval(AGAIN_MS)
        self._again.timeout.connect(self._follow)
        self._again.start()
        editing.changed.connect(self._soon.start)
        for choice in (self.symbol, self.account, self.side):
            choice.activated.connect(self.refresh)

    # Building

    def _build_ladder(self) -> None:
        look, icons = self._look, self._icons
        self.symbol = DropDown(icons, "Pair of the preview")
        self.account = DropDown(icons, "Account of the preview")
        self.side = DropDown(icons, "Side of the preview", tuple(word for word, _ in words.SIDES.values()))
        self.age = Label(look, token="muted", role=Role.SMALL)
        self.last, self.capital = Prose(look), Prose(look)
        self.capital.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.table = LadderTable(look, icons)
        self.stands_in = Label(look, "Wrong fields are left out: here they have the values that run now.", token="warn")
        self.stands_in.setWordWrap(True)
        self.refused = Label(look, token="warn")
        self.refused.setWordWrap(True)
        self.sums = [(Label(look), Label(look)) for _ in range(3)]
        self.rules = Label(look, token="muted", role=Role.SMALL)
        self.rules.setWordWrap(True)
        self.nothing = Label(look, token="muted")
        self.nothing.setWordWrap(True)
        column = QVBoxLayout(self._ladder_box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.setContentsMargins(LEFT, 0, LEFT, 0)
        head.addWidget(Label(look, "Preview", weight=Weight.STRONG), 1)
        head.addWidget(self.age)
        column.addLayout(head)
        chooser = QHBoxLayout()
        chooser.setContentsMargins(LEFT, 0, LEFT, 0)
        chooser.setSpacing(8)
        for choice in (self.symbol, self.account, self.side):
            chooser.addWidget(choice)
        chooser.addStretch(1)
        column.addLayout(chooser)
        self._found = QWidget()
        self._build_found()
        column.addWidget(self._found)
        self.nothing.setContentsMargins(LEFT, 0, LEFT, 8)
        column.addWidget(self.nothing)
        column.addWidget(Hairline(look))

    def _build_found(self) -> None:
        column = QVBoxLayout(self._found)
        column.setContentsMargins(0, 0, 0, 6)
        column.setSpacing(6)
        prices = QHBoxLayout()
        prices.setContentsMargins(LEFT, 0, LEFT, 0)
        prices.addWidget(self.last)
        prices.addWidget(self.capital, 1)
        column.addLayout(prices)
        self.stands_in.setContentsMargins(LEFT, 0, LEFT, 0)
        column.addWidget(self.stands_in)
        column.addWidget(self.table)
        self.refused.setContentsMargins(LEFT, 0, LEFT, 0)
        column.addWidget(self.refused)
        column.addWidget(Hairline(self._look))
        sums = QWidget()
        grid = QGridLayout(sums)
        grid.setContentsMargins(LEFT, 0, 0, 0)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        for line, (name, value) in enumerate(self.sums):
            grid.addWidget(name, line, 0)
            grid.addWidget(value, line, 1, Qt.AlignmentFlag.AlignRight)
        column.addWidget(sums)
        self.table.edge_moved.connect(sums.setFixedWidth)
        self.rules.setContentsMargins(LEFT, 2, LEFT, 6)
        column.addWidget(self.rules)

    def _build_changes(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        self._below_ladder = column
        column.addWidget(Label(self._look, "What Apply will change", weight=Weight.STRONG))
        self._changes = QVBoxLayout()
        self._changes.setSpacing(8)
        column.addLayout(self._changes)
        return column

    # What is shown

    def show_page(self, name: str) -> None:
        """The ladder is there on the pages that decide it."""
        self._ladder_box.setVisible(name in LADDER_PAGES)
        self._below_ladder.setContentsMargins(LEFT, 12 if name in LADDER_PAGES else 0, LEFT, 0)

    def _follow(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self.refresh()

    def refresh(self) -> None:
        """Reckons everything again."""
        config = self._editing.draft.sound()
        self._refresh_choices(config)
        side = next(side for side, (word, _) in words.SIDES.items() if word == self.side.currentText())
        account, symbol = self.account.currentText(), self.symbol.currentText()
        self.ladder = self._desk.ladder(config, account, symbol, side) if config is not None else None
        problems = self._editing.draft.problems
        self.stands_in.setVisible(any(problem.place[:1] in _LADDER_PLACES for problem in problems))
        self._show_ladder(account, symbol)
        told = self._desk.consequences(config, self.ladder) if config is not None else ()
        self._show_changes(told, wrong=len(problems))

    def _refresh_choices(self, config: Config | None) -> None:
        if config is None:
            return
        self.account.set_items(self._desk.accounts(config))
        self.symbol.set_items(self._desk.symbols(self.account.currentText()))

    def _show_ladder(self, account: str, symbol: str) -> None:
        ladder = self.ladder
        self._found.setVisible(ladder is not None)
        self.nothing.setVisible(ladder is None)
        quote = self._desk.last(account, symbol) if symbol else None
        self.age.setText("" if quote is None else f"live, {fmt.age(self._now_ms() - quote.at_ms)} old")
        if ladder is None:
            self.nothing.setText(self._why_nothing(account, symbol))
            return
        self.table.show_ladder(ladder)
        money = fmt.quote_decimals(ladder.quote)
        self.last.say(f"Last **{_price(ladder, ladder.price)}**")
        override = f", override {ladder.override}" if ladder.override is not None else ""
        self.capital.say(f"Pyramid **{fmt.number(ladder.capital, money)}** {ladder.quote}{override}")
        self.refused.setText(f"The whole pyramid is refused: {ladder.refused}" if ladder.refused else "")
        self.refused.setVisible(bool(ladder.refused))
        rows = (
            ("One pyramid", ladder.pyramid_quote),
            (f"Full group, {fmt.count(ladder.pyramids, 'pyramid')}", ladder.group_quote),
            (f"All {ladder.slots} slots full" if ladder.slots != 1 else "The one slot full", ladder.all_slots_quote),
        )
        for place, ((name, value), (text, amount)) in enumerate(zip(self.sums, rows, strict=True)):
            name.setText(text)
            value.setText(fmt.number(amount, money))
            name.setFont(self._look.font(Role.BODY, Weight.NORMAL if place else Weight.STRONG))
            value.setFont(self._look.font(Role.BODY, Weight.NORMAL if place else Weight.STRONG))
            name.set_token("muted" if place else "text")
        self.rules.setText(_rules(ladder))

    def _why_nothing(self, account: str, symbol: str) -> str:
        if not account:
            return "No account is enabled: there is nothing to lay a ladder on."
        if not symbol:
            return f"{account} is not connected yet: its pairs come with Apply."
        return f"No ladder of {symbol} yet: its price or its market rules are not known on {account}."

    def _show_changes(self, told: tuple[Consequence, ...], *, wrong: int) -> None:
        if (told, wrong) == (self.told, self.wrong) and self._changes.count():
            return
        self.told, self.wrong = told, wrong
        while (item := self._changes.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for one in told:
            self._changes.addWidget(_Change(self._look, self._icons, one.weight, one.text))
        if wrong or not told:
            self.left_out = Label(self._look, _left_out(told, wrong), token="muted")
            self._changes.addWidget(self.left_out)


class _Change(QWidget):
    """An icon and a sentence."""

    def __init__(self, look: Look, icons: Icons, gravity: Gravity, text: str) -> None:
        super().__init__()
        name, token = _GRAVITIES[gravity]
        mark = Label(look)
        mark.setPixmap(icons.pixmap(name, token, look.grown(14), self.devicePixelRatioF()))
        said = Label(look, sentence(text), token="live_text" if gravity is Gravity.DANGER else "text")
        said.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(said, 1)


def _left_out(told: tuple[Consequence, ...], wrong: int) -> str:
    """What is said under the changes, or in their place."""
    if not wrong:
        return "Nothing is changed yet."
    if told:
        return f"{fmt.count(wrong, 'wrong field is', 'wrong fields are')} left out."
    return f"Nothing yet: {fmt.count(wrong, 'field is', 'fields are')} wrong."


def _price(ladder: LadderPreview, price: Decimal) -> str:
    return fmt.number(price, decimals_of(ladder.instrument.tick_size))


def _rules(ladder: LadderPreview) -> str:
    rules = ladder.instrument
    said = [f"Tick {plain(rules.tick_size)}", f"step {plain(rules.step_size)}", f"min. quantity {plain(rules.min_qty)}"]
    said.append(f"min. notional {fmt.number(rules.min_notional, fmt.quote_decimals(ladder.quote))}")
    if rules.contract_size != 1:
        said.append(f"contract {plain(rules.contract_size)} {ladder.base}")
    return " · ".join(said)
