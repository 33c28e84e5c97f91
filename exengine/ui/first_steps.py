"""What the Positions dock says while it is empty: why, and the next steps from a test alert to the first real one."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from exengine.engine.rows import EngineRow, EngineStatus, Mode
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.alert_form import AlertForm
from exengine.ui.book import Book
from exengine.ui.code import Code
from exengine.ui.icons import Icons
from exengine.ui.pieces import ElidedLabel, Hairline, Label, button
from exengine.ui.setup import Setup
from exengine.ui.theme import Look, Role, Weight

WIDTH = 720
MOST_LINES = 6
"""Of the alert text that are seen at once: it is copied, not read, and the next step must be in sight."""
NARROW = 720
"""Under this width the form of the test alert takes two lines."""


class StepNumber(QWidget):
    """The number of a step in its circle."""

    def __init__(self, look: Look, number: int, *, first: bool) -> None:
        super().__init__()
        self._look, self._number, self._first = look, number, first
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def _on_look_changed(self) -> None:
        size = self._look.grown(24)
        self.setFixedSize(size, size)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look = QPainter(self), self._look
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(look.color("accent" if self._first else "line_strong"), 1))
        size = self.width()
        painter.drawEllipse(QRectF(1, 1, size - 3, size - 3))
        painter.setFont(look.font(Role.SMALL, Weight.STRONG))
        painter.setPen(look.color("accent" if self._first else "muted"))
        painter.drawText(QRectF(0, 0, size - 1, size - 1), Qt.AlignmentFlag.AlignCenter, str(self._number))


class FirstSteps(QScrollArea):
    """Heading, reason, and the numbered steps."""

    copy_asked = Signal(str, str)
    """What was copied, in words, and its text."""
    help_asked = Signal(str)
    """The name of a page."""
    account_asked = Signal()

    def __init__(self, look: Look, icons: Icons, setup: Setup, book: Book) -> None:
        super().__init__()
        self._look, self._icons, self._book, self._setup = look, icons, book, setup
        self._can_add = False
        self.setObjectName("first_steps")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.heading = Label(look, role=Role.HEADING, weight=Weight.STRONG)
        self.reason = Label(look, token="muted")
        self.reason.setWordWrap(True)
        self.form = AlertForm(look, icons, setup, book)
        self.test_meaning = Label(look, token="muted")
        self.test_meaning.setWordWrap(True)
        self.code = Code(look, "Alert text", most_lines=MOST_LINES)
        self.url = ElidedLabel(look)
        self.reach = ElidedLabel(look, "TradingView cannot reach this address. It needs a public one.", token="warn")
        self.tunnel = button(look, "Set up a tunnel", kind="link", small=True)
        self.tunnel.clicked.connect(lambda: self.help_asked.emit("tunnels"))
        self.add_account = button(look, "Add account…")
        self.add_account.clicked.connect(self.account_asked)
        self.copy_text = self._copy_button("Copy text")
        self.copy_url = self._copy_button("Copy URL")
        self.copy_text.clicked.connect(lambda: self.copy_asked.emit("Alert text", self._setup.alert_text))
        self.copy_url.clicked.connect(lambda: self.copy_asked.emit("Webhook URL", self._setup.webhook_url))
        self._reach_icon = Label(look)
        self._build()
        self.show_setup(setup)
        self.refresh()
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def _copy_button(self, text: str) -> QPushButton:
        return button(self._look, text, small=True)

    def _build(self) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(0)
        column.addStretch(2)
        column.addWidget(self.heading)
        column.addSpacing(6)
        column.addWidget(self.reason)
        column.addSpacing(20)
        column.addWidget(Hairline(self._look))
        column.addLayout(self._test_step())
        column.addWidget(Hairline(self._look))
        column.addLayout(self._paste_step())
        column.addWidget(Hairline(self._look))
        self._account = self._account_step()
        column.addWidget(self._account)
        column.addStretch(3)
        page.setMaximumWidth(self._look.scaled(WIDTH) + 48)
        outer = QWidget()
        row = QHBoxLayout(outer)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(page, 100)
        row.addStretch(1)
        self.setWidget(outer)
        self._page = page

    def _step(self, number: int, inner: QVBoxLayout) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 14, 0, 14)
        row.setSpacing(12)
        row.addWidget(StepNumber(self._look, number, first=number == 1), 0, Qt.AlignmentFlag.AlignTop)
        inner.setSpacing(4)
        row.addLayout(inner, 1)
        return row

    def _test_step(self) -> QLayout:
        inner = QVBoxLayout()
        inner.addWidget(Label(self._look, "Send a test alert", weight=Weight.STRONG))
        inner.addWidget(self.test_meaning)
        inner.addSpacing(6)
        inner.addWidget(self.form)
        return self._step(1, inner)

    def _paste_step(self) -> QLayout:
        inner = QVBoxLayout()
        title = QHBoxLayout()
        title.addWidget(Label(self._look, "Paste this into a TradingView alert", weight=Weight.STRONG), 1)
        title.addWidget(self.copy_text)
        inner.addLayout(title)
        inner.addSpacing(4)
        inner.addWidget(self.code)
        inner.addSpacing(4)
        address = QHBoxLayout()
        address.setSpacing(8)
        address.addWidget(Label(self._look, "Webhook URL", token="muted"))
        address.addWidget(self.url)
        address.addWidget(self.copy_url)
        address.addStretch(1)
        inner.addLayout(address)
        reach = QHBoxLayout()
        reach.setSpacing(6)
        reach.addWidget(self._reach_icon)
        reach.addWidget(self.reach)
        reach.addWidget(self.tunnel)
        reach.addStretch(1)
        inner.addLayout(reach)
        return self._step(2, inner)

    def _account_step(self) -> QWidget:
        """Seen only where an account can be added, and none is there besides paper."""
        step = QWidget()
        inner = QVBoxLayout()
        row = QHBoxLayout()
        texts = QVBoxLayout()
        texts.setSpacing(4)
        title = Label(self._look, "Add an exchange account, when you are ready", weight=Weight.STRONG)
        title.setWordWrap(True)
        texts.addWidget(title)
        meaning = "Testnet first. Keys stay on this machine, and live trading asks again before it starts."
        said = Label(self._look, meaning, token="muted")
        said.setWordWrap(True)
        texts.addWidget(said)
        row.addLayout(texts, 1)
        row.addWidget(self.add_account)
        inner.addLayout(row)
        column = QVBoxLayout(step)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._step(3, inner))
        column.addWidget(Hairline(self._look))
        step.hide()
        return step

    def offer_account(self) -> None:
        """From now on there is a way to add an account."""
        self._can_add = True
        self.show_setup(self._setup)

    def show_setup(self, setup: Setup) -> None:
        self._setup = setup
        self._account.setVisible(self._can_add and all(label.mode is Mode.PAPER for label in setup.accounts))
        self.form.show_setup(setup)
        amount = fmt.number(setup.test_amount, fmt.quote_decimals(setup.test_quote))
        self.test_meaning.setText(
            "A pretend TradingView alert goes through the whole engine and opens a group of "
            f"{fmt.count(setup.test_legs, 'leg')} with {amount} {setup.test_quote}."
        )
        self.code.set_text(setup.alert_text_masked)
        self.url.setText(setup.webhook_url_masked)
        self.reach.setVisible(not setup.is_public)
        self._reach_icon.setVisible(not setup.is_public)
        self.tunnel.setVisible(not setup.is_public)

    def begin_again(self) -> None:
        """Forgets what became of the last test alert: its group has come and gone."""
        self.form.result.say("")

    def refresh(self) -> None:
        """Says again why there is nothing, after the engine's row changed."""
        engine = self._book.engine
        traded = engine is not None and engine.closed_groups > 0
        there = "No open positions" if traded else "No positions yet"
        self.heading.setText(there if engine is not None else words.STARTING)
        self.reason.setText(self._why(engine))
        self.form.refresh()

    def _why(self, engine: EngineRow | None) -> str:
        if engine is None:
            return "What is open appears here in a moment."
        if engine.status is EngineStatus.PAUSED:
            return f"The engine is paused{_because(engine)}. New alerts open nothing until you resume it."
        if engine.status is EngineStatus.ERROR:
            paused = " It is paused as well: new alerts open nothing until you resume it." if engine.paused else ""
            return f"The engine holds entries back{_because(engine)}.{paused}"
        which = "next" if engine.closed_groups else "first"
        free = f"{fmt.number(engine.free_quote, fmt.quote_decimals(self._setup.test_quote))} {self._setup.test_quote}"
        if engine.mode is Mode.LIVE:
            return f"The engine is running with {free} of real money free, and waits for its {which} alert."
        kind = "paper" if engine.mode is Mode.PAPER else "testnet"
        return (
            f"The engine is running with {free} of {kind} money and waits for its {which} alert. "
            "Nothing here can spend real money."
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._stack()

    def _stack(self) -> None:
        self.form.stack(self.viewport().width() < self._look.scaled(NARROW))

    def _on_look_changed(self) -> None:
        self._stack()
        self.copy_text.setIcon(self._icons.button_icon("copy"))
        self.copy_url.setIcon(self._icons.button_icon("copy"))
        self._reach_icon.setPixmap(self._icons.pixmap("warn", "warn", self._look.grown(16), self.devicePixelRatioF()))
        self._page.setMaximumWidth(self._look.scaled(WIDTH) + 48)


def _because(engine: EngineRow) -> str:
    """`: daily loss reached`, from a reason that may be a word or a sentence."""
    reason = engine.status_text.strip().rstrip(".")
    return f": {reason}" if reason else ""
