"""The figures in a row: a caption, the number, and what it is made of."""

from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from exengine.analytics.calendar import Range
from exengine.analytics.report import Report
from exengine.ui import format as fmt
from exengine.ui.performance_words import decimal, ratio, share, token_of, whole
from exengine.ui.pieces import Label
from exengine.ui.theme import Look, Role, Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What a card shows."""

    caption: str = ""
    """Where it is another than the card's own."""
    value: str = fmt.DASH
    token: str = "text"
    below: str = ""
    below_token: str = "muted"
    hint: str = ""


UNKNOWN = Figure(token="muted")

CARDS = {
    "today": "Realised today",
    "week": "This week",
    "month": "This month",
    "all": "All realised",
    "unrealised": "Unrealised",
    "win_rate": "Win rate",
    "rr": "RR",
    "profit_factor": "Profit factor",
    "drawdown": "Max drawdown",
    "sharpe": "Sharpe",
    "sortino": "Sortino",
    "sides": "Long · short",
}
DIVIDED = ("win_rate", "sides")
"""A line stands before these."""


class Card(QWidget):
    """One figure."""

    def __init__(self, look: Look, caption: str, *, small: bool) -> None:
        """`small` shows the value no larger than what is below it: the two are alike."""
        super().__init__()
        self._caption = caption
        self.caption = Label(look, caption, token="muted", role=Role.SMALL)
        self.value = Label(look, role=Role.BODY if small else Role.FIGURE, weight=Weight.STRONG)
        self.below = Label(
            look, role=Role.BODY if small else Role.SMALL, weight=Weight.STRONG if small else Weight.NORMAL
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 if small else 1)
        for label in (self.caption, self.value, self.below):
            column.addWidget(label)
        column.addStretch(1)

    def show_figure(self, figure: Figure) -> None:
        self.caption.setText(figure.caption or self._caption)
        self.value.setText(figure.value)
        self.value.set_token(figure.token)
        self.below.setText(figure.below)
        self.below.set_token(figure.below_token)
        self.setToolTip(figure.hint)
        self.setAccessibleName(f"{self.caption.text()}: {figure.value}, {figure.below}")


class Cards(QWidget):
    """As many in a row as there is room for, all of one width, so that nothing moves while numbers change."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._per_row = len(CARDS)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.cards = {key: Card(look, caption, small=key == "sides") for key, caption in CARDS.items()}
        for card in self.cards.values():
            card.setParent(self)
            card.show_figure(UNKNOWN)
        look.changed.connect(self._place)
        self._place()

    def show_report(self, report: Report, open_groups: int) -> None:
        for key, figure in figures(report, open_groups).items():
            self.cards[key].show_figure(figure)
        self._place()

    def _place(self) -> None:
        cards = list(self.cards.values())
        edge, gap = self._look.metric("edge_padding"), 16
        needed = [card.sizeHint().width() + gap for card in cards]
        room = self.width() - edge
        widest = max(needed)
        self._per_row = next((count for count in (12, 6, 4, 3, 2) if _fits(needed, count, room, widest)), 2)
        row = max(card.sizeHint().height() for card in cards) + 14
        rows = -(-len(cards) // self._per_row)
        widths = self._widths(needed, room)
        for place, card in enumerate(cards):
            line, column = divmod(place, self._per_row)
            left = edge + sum(widths[:column])
            card.setGeometry(QRect(left, 8 + line * row, widths[column] - gap // 2, row - 8))
        self.setFixedHeight(rows * row + 6)
        self.update()

    def _widths(self, needed: list[int], room: int) -> list[int]:
        """Of each column: what its cards need, and a like share of what is left."""
        columns = [max(needed[column :: self._per_row]) for column in range(self._per_row)]
        spare = max(0, room - sum(columns)) // self._per_row
        return [width + spare for width in columns]

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, look = QPainter(self), self._look
        painter.fillRect(self.rect(), look.color("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, look.color("line"))
        keys = list(self.cards)
        for key in DIVIDED:
            if keys.index(key) % self._per_row:
                area = self.cards[key].geometry()
                painter.fillRect(area.left() - 10, area.top() + 2, 1, area.height() - 8, look.color("line"))


def _fits(needed: list[int], count: int, room: int, widest: int) -> bool:
    return sum(max(needed[column::count]) for column in range(count)) <= room


def figures(report: Report, open_groups: int) -> dict[str, Figure]:
    """What each card shows of a report."""
    start, realised, found = report.now.start_equity, report.realised, report.figures
    return {
        "today": _realised(realised.today, start, "Since midnight"),
        "week": _realised(realised.week, start, "Since Monday"),
        "month": _realised(realised.month, start, "Since the first of the month"),
        "all": _total(report),
        "unrealised": Figure(
            value=fmt.signed(report.now.unrealised, 2),
            token=token_of(report.now.unrealised),
            below=fmt.count(open_groups, "group"),
            hint="What is open, at the last prices, without the fee of closing it",
        ),
        "win_rate": Figure(
            value=fmt.number(decimal(found.win_percent), 1) + (" %" if found.closed else ""),
            token="text" if found.closed else "muted",
            below=f"{found.wins:,} of {found.closed:,}",
            hint="Groups closed with profit, of all that were closed",
        ),
        "rr": _ratio(
            found.rr,
            _pair(found.average_win, found.average_loss) if found.closed else "",
            "Average win by average loss",
        ),
        "profit_factor": _ratio(
            found.profit_factor, _pair(found.won, found.lost) if found.closed else "", "All wins by all losses"
        ),
        "drawdown": _drawdown(report),
        "sharpe": _by_days(report.sharpe, report.days, "Mean by deviation of daily returns, × √365"),
        "sortino": _by_days(report.sortino, report.days, "Mean by downside deviation of daily returns, × √365"),
        "sides": Figure(
            value=f"{fmt.signed(report.longs.result, 2)} long",
            token=token_of(report.longs.result),
            below=f"{fmt.signed(report.shorts.result, 2)} short",
            below_token=token_of(report.shorts.result),
            hint="Realised by the groups that closed, by side",
        ),
    }


def _total(report: Report) -> Figure:
    """Of all closes, or of a range of the trader's own: of no other range is the sum on a card already."""
    realised, start = report.realised, report.now.start_equity
    if report.wanted.range is not Range.CUSTOM:
        return _realised(realised.all, start, "Of all closes, net of fees")
    of_all = f"Of the closes in this range, net of fees; {fmt.signed(realised.all, 2)} of all closes"
    return _realised(realised.in_range, start, of_all, caption="In range")


def _realised(value: Decimal, start: Decimal, since: str, *, caption: str = "") -> Figure:
    gained = share(value, start)
    return Figure(
        caption=caption,
        value=fmt.signed(value, 2),
        token=token_of(value),
        below=fmt.signed_percent(gained) if gained is not None else "",
        hint=f"{since}; per cent of the capital at the start",
    )


def _ratio(value: float | None, below: str, hint: str) -> Figure:
    return Figure(value=ratio(value), token="muted" if value is None else "text", below=below, hint=hint)


def _pair(won: Decimal | None, lost: Decimal | None) -> str:
    texts = [fmt.DASH if one is None else whole(abs(one)) for one in (won, lost)]
    return " / ".join(texts)


def _drawdown(report: Report) -> Figure:
    largest, current = report.curve.max_drawdown, report.curve.current_drawdown
    if largest is None or current is None:
        return UNKNOWN
    # A range has peaks of its own: at one moment it has fallen less from them than all of the curve from its.
    of = "" if report.wanted.range is Range.ALL else " in range"
    when = "now" if report.ends_ms >= report.now.at_ms else "end"
    return Figure(
        value=fmt.number(decimal(-largest), 2) + " %",
        token=token_of(decimal(-largest)),
        below=f"{when} {fmt.number(decimal(-current), 2)} %{of}",
        hint="The largest fall of total equity from a peak within the range, in per cent of that peak",
    )


def _by_days(value: float | None, days: int, hint: str) -> Figure:
    below = fmt.count(days, "day") if days >= 2 else "from two days on"
    return _ratio(value, below, hint)
