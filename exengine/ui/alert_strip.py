"""The strip under the ribbon: the newest error that nobody has dismissed, what is safe, and what to do."""

from collections.abc import Iterable

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from exengine.engine.rows import LogRow, Severity
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.icons import Icons
from exengine.ui.pieces import ElidedLabel, Label, button
from exengine.ui.theme import Look, Weight

REMEMBERED = 500
"""How many dismissals are kept: the log itself is bounded, older errors do not come back."""


class AlertStrip(QWidget):
    """Takes no room while nothing is wrong."""

    dismissed = Signal(int)
    show_asked = Signal(object)
    """The log row to be shown."""
    more_asked = Signal()

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__()
        self._look, self._icons = look, icons
        self._open: dict[int, LogRow] = {}
        self._dismissed: dict[int, None] = {}
        self.setObjectName("alert_strip")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._icon = Label(look)
        self.what = Label(look, token="error", weight=Weight.STRONG)
        self.when = Label(look, token="muted")
        self.text = ElidedLabel(look)
        self.advice = ElidedLabel(look, token="muted")
        self.more = button(look, "+ 0 more", kind="plain", small=True)
        self.show_in_log = button(look, "Show in log", small=True)
        self.dismiss = button(look, "Dismiss", kind="plain", small=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 1)
        row.setSpacing(12)
        for widget in (self._icon, self.what, self.when):
            row.addWidget(widget)
        row.addWidget(self.text)
        row.addWidget(self.advice, 1)
        for control in (self.more, self.show_in_log, self.dismiss):
            row.addWidget(control)
        # What happened comes first: the advice takes the room that is left.
        self.text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.advice.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.more.clicked.connect(self.more_asked)
        self.dismiss.clicked.connect(self._on_dismiss)
        self.show_in_log.clicked.connect(self._on_show)
        look.changed.connect(self._refresh)
        self._refresh()

    @property
    def count(self) -> int:
        """Errors that nobody has dismissed."""
        return len(self._open)

    def restore(self, dismissed: list[int]) -> None:
        """What was dismissed before the program was started again."""
        self._dismissed = dict.fromkeys(dismissed)

    def dismissals(self) -> list[int]:
        return list(self._dismissed)[-REMEMBERED:]

    def take(self, rows: tuple[LogRow, ...]) -> None:
        errors = [row for row in rows if row.severity is Severity.ERROR and row.id not in self._dismissed]
        if errors:
            self._open.update((row.id, row) for row in errors)
            self._refresh()

    @property
    def newest(self) -> LogRow | None:
        return self._open[max(self._open)] if self._open else None

    def resolve(self, ids: Iterable[int]) -> None:
        """What is over by itself needs nobody to dismiss it."""
        for number in ids:
            self._close(number)

    def _on_dismiss(self) -> None:
        if self.newest is not None:
            self._close(self.newest.id)

    def _close(self, number: int) -> None:
        if self._open.pop(number, None) is not None:
            self._dismissed[number] = None
            self._refresh()
            self.dismissed.emit(number)

    def _on_show(self) -> None:
        if self.newest is not None:
            self.show_asked.emit(self.newest)

    def _refresh(self) -> None:
        row = self.newest
        self.setVisible(row is not None)
        if row is None:
            return
        self._icon.setPixmap(self._icons.pixmap("error", "error", self._look.grown(16), self.devicePixelRatioF()))
        self.what.setText(f"{words.CATEGORIES[row.category][0]} error")
        self.when.setText(fmt.clock(row.at_ms))
        self.when.setToolTip(fmt.iso(row.at_ms))
        self.text.setText(row.text)
        self.advice.setText(row.advice)
        others = len(self._open) - 1
        self.more.setText(f"+ {others:,} more")
        self.more.setVisible(others > 0)
        self.setAccessibleName(f"{self.what.text()}: {row.text} {row.advice}")

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._look.tall("alert_strip"))

    def minimumSizeHint(self) -> QSize:
        return QSize(320, self._look.tall("alert_strip"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("error_bg"))
        painter.fillRect(0, 0, 3, self.height(), self._look.color("error"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._look.color("line"))
