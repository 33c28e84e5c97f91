"""The strip under the ribbon: the newest error that still wants the trader, what is safe, and what to do."""

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from exengine.engine.rows import GroupRow, LogRow, Topic
from exengine.engine.unresolved import Unresolved, leg_of
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.alert_text import AlertText
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, button
from exengine.ui.theme import Look, Weight

REMEMBERED = 500
"""How many dismissals are kept: the log itself is bounded, older errors do not come back."""

TITLES = {
    Topic.ORDER_REJECTED: "Order rejected",
    Topic.ACCOUNT_AWAY: "Account away",
    Topic.KEY_REFUSED: "Key refused",
    Topic.STORE_TROUBLE: "Store takes nothing",
    Topic.FROZEN: "Group stopped",
    Topic.DEFECT: "Defect",
}


class AlertStrip(QWidget):
    """Takes no room while nothing is wrong."""

    dismissed = Signal(int)
    show_asked = Signal(object)
    """What a log row is about is to be shown: its order or group, else the line itself."""
    again_asked = Signal(str)
    """The refused entries of this group are to be placed again."""
    more_asked = Signal()

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__()
        self._look, self._icons = look, icons
        self._open = Unresolved()
        self._groups: Mapping[str, GroupRow] = {}
        self.setObjectName("alert_strip")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._icon = Label(look)
        self.what = Label(look, token="error", weight=Weight.STRONG)
        self.when = Label(look, token="muted")
        self.text = AlertText(look)
        self.more = button(look, "+ 0 more", kind="plain", small=True)
        self.show_it = button(look, "Show in log", small=True)
        self.again = button(look, "Place again", small=True)
        self.dismiss = button(look, "Dismiss", kind="plain", small=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 1)
        row.setSpacing(12)
        for widget in (self._icon, self.what, self.when):
            row.addWidget(widget)
        row.addWidget(self.text, 1)
        for control in (self.more, self.show_it, self.again, self.dismiss):
            row.addWidget(control)
        self.more.clicked.connect(self.more_asked)
        self.dismiss.clicked.connect(self._on_dismiss)
        self.show_it.clicked.connect(self._on_show)
        self.again.clicked.connect(self._on_again)
        look.changed.connect(self._refresh)
        self._refresh()

    @property
    def count(self) -> int:
        """Errors that still want the trader."""
        return len(self._open)

    def restore(self, dismissed: list[int]) -> None:
        """What was dismissed before the program was started again."""
        self._open = Unresolved(dismissed)

    def dismissals(self) -> list[int]:
        return list(self._open.dismissed)[-REMEMBERED:]

    def take(self, rows: tuple[LogRow, ...], groups: Mapping[str, GroupRow]) -> bool:
        """Takes new lines in, and lets go of what has ended; whether another number of errors is open than before."""
        before, newest = len(self._open), self._open.newest
        self._groups = groups
        self._open.take(rows)
        self._open.look(groups)
        if self._open.newest is not newest or len(self._open) != before:
            self._refresh()
        return len(self._open) != before

    @property
    def newest(self) -> LogRow | None:
        return self._open.newest

    def resolve(self, ids: Iterable[int]) -> None:
        """What is over by itself needs nobody to dismiss it."""
        for number in ids:
            self._close(number)

    def _on_dismiss(self) -> None:
        if self.newest is not None:
            self._close(self.newest.id)

    def _close(self, number: int) -> None:
        if self._open.dismiss(number):
            self._refresh()
            self.dismissed.emit(number)

    def _on_show(self) -> None:
        if self.newest is not None:
            self.show_asked.emit(self.newest)

    def _on_again(self) -> None:
        if self.newest is not None:
            self.again_asked.emit(self.newest.group)

    def _refresh(self) -> None:
        row = self.newest
        self.setVisible(row is not None)
        if row is None:
            return
        self._icon.setPixmap(self._icons.pixmap("error", "error", self._look.grown(16), self.devicePixelRatioF()))
        title = TITLES.get(row.topic) if row.topic is not None else None
        self.what.setText(title or f"{words.CATEGORIES[row.category][0]} error")
        self.when.setText(fmt.clock(row.at_ms))
        self.when.setToolTip(fmt.iso(row.at_ms))
        pair = fmt.pair(row.symbol)
        which = f"{pair} {row.timeframe}: " if row.symbol and pair not in row.text else ""
        self.text.say(f"{which}{row.text}", row.advice)
        others = len(self._open) - 1
        self.more.setText(f"+ {others:,} more")
        self.more.setVisible(others > 0)
        self._offer(row)
        self.setAccessibleName(f"{self.what.text()}: {self.text.text()} {row.advice}")

    def _offer(self, row: LogRow) -> None:
        """What can be done about it from here."""
        group = self._groups.get(row.group)
        is_order = group is not None and leg_of(row, group) is not None
        self.show_it.setText("Show order" if is_order else "Show group" if group is not None else "Show in log")
        self.again.setVisible(is_order and group is not None and bool(group.rejected_legs()))

    def _tall(self) -> int:
        return self._look.tall("alert_strip") + round((self.text.lines - 1) * self._look.line_height())

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._tall())

    def minimumSizeHint(self) -> QSize:
        return QSize(320, self._tall())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("error_bg"))
        painter.fillRect(0, 0, 3, self.height(), self._look.color("error"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._look.color("line"))
