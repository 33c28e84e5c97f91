"""The ribbon: is it running, is it real money, how much is at work, what did it bring. Always there."""

from decimal import Decimal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from exengine.domain.money import HUNDRED
from exengine.engine.rows import EngineRow, EngineStatus, Mode
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.book import Book
from exengine.ui.figures import Meter, PnlText
from exengine.ui.icons import Icons
from exengine.ui.panic_button import HoldButton
from exengine.ui.pieces import Hairline, Label, button
from exengine.ui.risk_words import reach_of
from exengine.ui.theme import Look, Role, Weight

ROUND_FIELDS = 18
"""Over and under a field's two lines, and between them."""
PILL_PADDING, ICON_GAP = 12, 8
DROPS = 10
"""In how many steps the ribbon gives way to a window that is too narrow."""


class Pill(QWidget):
    """An icon and a word in a border of their colour, or on a ground of it."""

    def __init__(self, look: Look, icons: Icons, *, role: Role) -> None:
        super().__init__()
        self._look, self._icons, self._role = look, icons, role
        self._word, self._icon = "", "clock"
        self._token, self._border, self._ground = "muted", "line_strong", ""
        self._widest: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        look.changed.connect(self._on_look_changed)

    def keep_room(self, words: tuple[str, ...]) -> None:
        """Never smaller than the widest of its words, so that its neighbours stay where they are."""
        self._widest = words
        self.updateGeometry()

    def show_word(self, word: str, icon: str, token: str, *, border: str, ground: str = "") -> None:
        shown = (word, icon, token, border, ground)
        if shown == (self._word, self._icon, self._token, self._border, self._ground):
            return
        self._word, self._icon, self._token, self._border, self._ground = shown
        self.updateGeometry()
        self.update()

    def _on_look_changed(self) -> None:
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._look.font(self._role, Weight.STRONG))
        width = max(metrics.horizontalAdvance(word) for word in (self._word, *self._widest))
        return QSize(self._wide(width), self._look.tall("button", self._role))

    def _wide(self, word: float) -> int:
        """What an icon and a word so wide take with the room around them."""
        return round(word) + 2 * PILL_PADDING + ICON_GAP + self._look.grown(16)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(look.color(self._border), 1))
        painter.setBrush(look.color(self._ground) if self._ground else Qt.BrushStyle.NoBrush)
        radius = look.metric("radius")
        painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1), radius, radius)
        size, font = look.grown(16), look.font(self._role, Weight.STRONG)
        icon = self._icons.pixmap(self._icon, self._token, size, self.devicePixelRatioF())
        # A word that is shorter than the widest stands in the middle with its icon.
        spare = self.width() - self._wide(QFontMetricsF(font).horizontalAdvance(self._word))
        begins = PILL_PADDING + max(0, spare // 2)
        painter.drawPixmap(begins, (self.height() - size) // 2, icon)
        painter.setFont(font)
        painter.setPen(look.color(self._token))
        left = begins + size + ICON_GAP
        text = QRectF(left, 0, self.width() - left, self.height())
        painter.drawText(text, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self._word)


class Field(QWidget):
    """A caption over a value and what stands beside it."""

    def __init__(self, look: Look, caption: str, *parts: QWidget) -> None:
        super().__init__()
        self.caption = Label(look, caption, token="muted", role=Role.SMALL)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(8, 8, 8, 8)
        outer.setSpacing(16)
        outer.addWidget(Hairline(look, vertical=True))
        column = QVBoxLayout()
        outer.addLayout(column)
        column.setSpacing(1)
        column.addStretch(1)
        column.addWidget(self.caption)
        row = QHBoxLayout()
        row.setSpacing(8)
        for part in parts:
            row.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._row, self._column, self._outer = row, column, outer

    def remeasure(self) -> None:
        """Forgets its size, which a part has just changed."""
        for layout in (self._row, self._column, self._outer):
            layout.invalidate()
        self.updateGeometry()


class Ribbon(QWidget):
    """Everything that must be seen in one glance."""

    pause_asked = Signal()
    resume_asked = Signal()
    panic_asked = Signal()
    least_width_changed = Signal(int)
    """What is never dropped wants so much room: a window's menu does not see to it that it has it."""

    def __init__(self, look: Look, icons: Icons, book: Book) -> None:
        super().__init__()
        self._look, self._icons, self._book = look, icons, book
        self.setObjectName("ribbon")
        self.pill = Pill(look, icons, role=Role.PILL)
        self.pill.keep_room(tuple(word for word, _, _ in words.ENGINE.values()))
        self.badge = Pill(look, icons, role=Role.BODY)
        self._make_values()
        self.fields = self._fields()
        self.pause = button(look, "Pause")
        self.pause.clicked.connect(self._on_pause)
        self.panic = HoldButton(look, icons, "Panic", "panic")
        self.panic.held.connect(self.panic_asked)
        self._paused = False
        self._risk_token = ""
        """The token of the shield that is shown."""
        self._with_more = True
        """Whether there is room for what stands beside the risk engine and the last webhook."""
        self._measured: tuple[object, ...] = ()
        """What the fields were last made to fit."""
        self._lay_out()
        look.changed.connect(self._on_look_changed)
        self._show_pause()
        self.refresh(0)

    def _make_values(self) -> None:
        look = self._look
        self.pool = Label(look, role=Role.VALUE, weight=Weight.STRONG)
        self.meter = Meter(look, "Pool")
        self.full = Label(look, "Full", token="warn")
        self.queued = Label(look, role=Role.VALUE, weight=Weight.STRONG)
        self.today = PnlText(look, "Realised today, USD")
        self.total = PnlText(look, "PnL total, USD", sample="+10,000.00")
        self.risk_icon = Label(look)
        self.risk = Label(look, role=Role.VALUE, weight=Weight.STRONG)
        self.risk_more = Label(look, token="muted")
        self.webhook = Label(look, role=Role.VALUE, weight=Weight.STRONG)
        self.webhook_more = Label(look, token="muted")

    def _fields(self) -> dict[str, Field]:
        look = self._look
        return {
            "pool": Field(look, "Pool", self.pool, self.meter, self.full),
            "queued": Field(look, "Queued", self.queued),
            "today": Field(look, "Realised today, USD", self.today),
            "total": Field(look, "PnL total, USD", self.total),
            "risk": Field(look, "Risk engine", self.risk_icon, self.risk, self.risk_more),
            "webhook": Field(look, "Last webhook", self.webhook, self.webhook_more),
        }

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(self._look.metric("edge_padding"), 0, self._look.metric("edge_padding"), 1)
        row.setSpacing(8)
        row.addWidget(self.pill)
        row.addWidget(self.badge)
        for name, field in self.fields.items():
            field.setObjectName(f"ribbon_{name}")
            row.addWidget(field)
        row.addStretch(1)
        row.addWidget(self.pause)
        row.addWidget(self.panic)

    # Values

    def refresh(self, now_ms: int) -> None:
        """Shows the book's engine row and what the groups are worth."""
        engine = self._book.engine
        self.pause.setEnabled(engine is not None)
        self.panic.setEnabled(engine is not None)
        if engine is None:
            self.pill.show_word("Starting", "clock", "muted", border="line_strong")
            self.badge.hide()
            for label in (self.pool, self.queued, self.risk, self.webhook):
                label.setText(fmt.DASH)
                label.set_token("muted")
            for widget in (self.full, self.risk_icon, self.risk_more, self.webhook_more):
                widget.setVisible(False)
            return
        self._show_status(engine)
        self._show_pool(engine)
        self._show_pnl(engine)
        self._show_risk(engine, now_ms)
        self._show_webhook(engine, now_ms)
        self._fit()

    def refresh_prices(self) -> None:
        """Shows what the groups are worth now; all else is as it was."""
        if self._book.engine is not None:
            self._show_pnl(self._book.engine)
            self._fit()

    def _show_status(self, engine: EngineRow) -> None:
        word, icon, token = words.ENGINE[engine.status]
        self.pill.show_word(word, icon, token, border=token)
        why = engine.status_text
        if engine.paused and engine.status is EngineStatus.ERROR:
            why = f"{why}\nPaused as well: {engine.paused_why.removeprefix('paused ')}"
        self.pill.setToolTip(why)
        self.pill.setAccessibleName(f"Engine: {words.engine_state(engine)}. {engine.status_text}".strip())
        mode, mode_icon = words.MODES[engine.mode]
        match engine.mode:
            case Mode.LIVE:
                self.badge.show_word(mode, mode_icon, "on_live", border="live", ground="live")
                self.badge.setToolTip("Real money")
            case Mode.TESTNET:
                self.badge.show_word(mode, mode_icon, "warn", border="warn")
                self.badge.setToolTip("An exchange’s test money")
            case Mode.PAPER:
                self.badge.show_word(mode, mode_icon, "text", border="line_strong")
                self.badge.setToolTip("Paper money: nothing here is real")
        self.badge.setAccessibleName(f"Mode: {mode}")
        self.badge.show()
        if engine.paused is not self._paused:
            self._paused = engine.paused
            self._show_pause()

    def _show_pool(self, engine: EngineRow) -> None:
        is_full = engine.pool_used >= engine.pool_limit
        self.pool.setText(fmt.of(engine.pool_used, engine.pool_limit))
        self.pool.set_token("text")
        self.meter.show_share(engine.pool_used, engine.pool_limit, "warn" if is_full else "accent")
        self.queued.setText(f"{engine.queued:,}")
        self.queued.set_token("text")

    def _show_pnl(self, engine: EngineRow) -> None:
        open_pnl = self._book.unrealised_usd()
        total = engine.realised_total + open_pnl.value
        self.today.show_value(engine.realised_today, _share(engine.realised_today, engine))
        self.total.show_value(total, _share(total, engine))
        missing = f", {fmt.count(open_pnl.missing, 'group')} without a price left out" if open_pnl.missing else ""
        self.today.setToolTip("USD realised since the day began, net of fees; what is open counts once it closes")
        self.total.setToolTip(
            f"Realised {fmt.signed(engine.realised_total, 2)} and unrealised {fmt.signed(open_pnl.value, 2)}{missing}"
        )

    def _show_risk(self, engine: EngineRow, now_ms: int) -> None:
        reach = reach_of(self._book)
        why = ""
        if not engine.risk_enabled:
            word, token, more = "Off", "muted", ""
        elif reach.held:
            word, token, more = "Blocked", "error", reach.held
            why = f"Held back: {engine.status_text}"
        elif not self._book.groups:
            word, token, more = "Idle", "muted", "nothing to watch"
        else:
            word, token, more = "Active", "risk", reach.without
            if reach.without:
                why = f"It goes on {reach.without}: {engine.status_text}"
            elif engine.last_offset_at_ms is not None:
                more = f"offset {fmt.age(max(0, now_ms - engine.last_offset_at_ms))} ago"
        self.risk.setText(word)
        self.risk.setToolTip(why)
        self.risk.set_token(token)
        if token != self._risk_token:
            self._risk_token = token
            self._show_shield()
        self.risk_icon.setVisible(True)
        self.risk_more.setText(more)
        self.risk_more.setVisible(bool(more) and self._with_more)

    def _show_shield(self) -> None:
        size = self._look.grown(16)
        self.risk_icon.setPixmap(self._icons.pixmap("shield", self._risk_token, size, self.devicePixelRatioF()))

    def _show_webhook(self, engine: EngineRow, now_ms: int) -> None:
        at_ms = engine.last_webhook_at_ms
        self.webhook.setText(fmt.DASH if at_ms is None else fmt.age(now_ms - at_ms))
        self.webhook.set_token("muted" if at_ms is None else "text")
        self.webhook_more.setText("none yet" if at_ms is None else "")
        self.webhook_more.setVisible(at_ms is None and self._with_more)
        self.webhook.setToolTip("" if at_ms is None else fmt.iso(at_ms))

    def _on_pause(self) -> None:
        # Off until the engine has answered: a second click must not undo the first.
        self.pause.setEnabled(False)
        (self.resume_asked if self._paused else self.pause_asked).emit()

    # Looks

    def _on_look_changed(self) -> None:
        if self._risk_token:
            self._show_shield()
        self._show_pause()

    def _show_pause(self) -> None:
        self.pause.setText("Resume" if self._paused else "Pause")
        self.pause.setIcon(self._icons.button_icon("run" if self._paused else "pause"))
        self.pause.setToolTip(
            "Take new entries again" if self._paused else "No new groups or pyramids; targets, exits and stops go on"
        )
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._height())

    def minimumSizeHint(self) -> QSize:
        """What is never dropped must have its room."""
        kept = (self.pill, self.badge, self.fields["today"], self.fields["total"], self.pause, self.panic)
        widths = [part.minimumSizeHint().width() for part in kept if part is not self.panic]
        return QSize(sum(widths) + self.panic.least_width() + 8 * len(kept) + 2 * 12, self._height())

    def _height(self) -> int:
        lines = self._look.line_height(Role.SMALL) + self.today.minimumSizeHint().height()
        return max(self._look.metric("ribbon"), round(lines) + ROUND_FIELDS)

    def _fit(self) -> None:
        """Too narrow: the percents go, what stands beside Risk and Webhook, their captions, Webhook, the pool's bar,
        the hint beside Panic, Queued, Pool, and last the risk engine's word.

        The pill, the badge, the PnL and Panic are never dropped.
        """
        engine = self._book.engine
        is_full = engine is not None and engine.pool_used >= engine.pool_limit
        # To lay out anew moves the whole window: only where something is wider or narrower than before.
        if self._measured == self._measures(is_full):
            return
        self._drop(is_full)
        self._measured = self._measures(is_full)
        self.least_width_changed.emit(self.minimumSizeHint().width())

    def _measures(self, is_full: bool) -> tuple[object, ...]:
        parts = (self.today, self.total, self.pool, self.queued, self.risk, self.risk_more, self.webhook, self.pause)
        return (self.width(), is_full, self.badge.isHidden(), *(part.sizeHint().width() for part in parts))

    def _drop(self, is_full: bool) -> None:
        for dropped in range(DROPS):
            self.today.drop_percent(dropped >= 1)
            self.total.drop_percent(dropped >= 1)
            self._with_more = dropped < 2
            for more in (self.risk_more, self.webhook_more):
                more.setVisible(self._with_more and bool(more.text()))
            for name in ("risk", "webhook"):
                self.fields[name].caption.setVisible(dropped < 3)
            self.fields["webhook"].setVisible(dropped < 4)
            self.meter.setVisible(dropped < 5)
            self.full.setVisible(dropped < 5 and is_full)
            self.panic.show_hint(dropped < 6)
            self.fields["queued"].setVisible(dropped < 7)
            self.fields["pool"].setVisible(dropped < 8)
            self.fields["risk"].setVisible(dropped < 9)
            layout = self.layout()
            for field in self.fields.values():
                # Qt hands the news of a size on only in the next pass.
                field.remeasure()
            if layout is None or layout.sizeHint().width() <= self.width():
                return

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self._look.color("raised"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._look.color("line"))


def _share(value: Decimal, engine: EngineRow) -> Decimal | None:
    """In percent of the capital that the accounts began with."""
    return value / engine.start_equity * HUNDRED if engine.start_equity else None
