"""Today in a few lines: what was realised, opened, offset, and what went wrong."""

from datetime import tzinfo
from decimal import Decimal
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from exengine.analytics.history import Day
from exengine.analytics.report import Report
from exengine.analytics.trades import Line, Rates
from exengine.domain.capital import DOLLARS
from exengine.domain.group import GroupKey
from exengine.domain.money import ONE, ZERO
from exengine.engine.rows import EngineRow
from exengine.ui import format as fmt
from exengine.ui.performance_words import moment
from exengine.ui.pieces import Ground, Label
from exengine.ui.theme import Look

NAMED = {
    "opened": "opened",
    "pyramid": "pyramids",
    "queued": "queued",
    "exited": "exits",
    "refused": "refused",
    "invalid": "invalid",
}
"""Outcomes of signals that are counted apart, and how; the rest is `other`."""
MOST_NAMED = 4


class Sentence(QLabel):
    """A text in which `**` begins and ends what is bold; of that, profit and loss have their colours."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look, self._said = look, ""
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        look.changed.connect(self._on_look_changed)

    def say(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self._on_look_changed()

    def _on_look_changed(self) -> None:
        self.setFont(self._look.font())
        pieces = [
            f'<span style="color:{self._look.hex(_token(piece))};font-weight:600">{escape(piece)}</span>'
            if place % 2
            else escape(piece)
            for place, piece in enumerate(self._said.split("**"))
        ]
        self.setText(f'<span style="color:{self._look.hex("muted")}">{"".join(pieces)}</span>')
        self.setAccessibleName(self._said.replace("**", ""))


def _token(text: str) -> str:
    return {"+": "profit", fmt.MINUS: "loss"}.get(text[:1], "text")


class TodayPanel(QScrollArea):
    """Names on the left, what there is to say of them on the right."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.lines: dict[str, str] = {}
        self._ground = Ground(look, "surface")
        self._names: dict[str, Label] = {}
        self._values: dict[str, Sentence] = {}
        self._grid = QGridLayout()
        self._grid.setContentsMargins(look.metric("edge_padding"), 4, look.metric("edge_padding"), 8)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(7)
        self._grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self._ground)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._grid)
        column.addStretch(1)
        self.setWidget(self._ground)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Today")

    def show_report(self, report: Report, zone: tzinfo, rate: Rates, engine: EngineRow | None) -> None:
        self.lines = today_lines(report, zone, rate, engine)
        for row, (name, text) in enumerate(self.lines.items()):
            if name not in self._values:
                self._names[name] = Label(self._look, name, token="muted")
                self._values[name] = Sentence(self._look)
                self._grid.addWidget(self._names[name], row, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(self._values[name], row, 1)
            self._values[name].say(text)

    def wanted_height(self) -> int:
        """At which nothing of it is scrolled away."""
        width = self.viewport().width()
        return max(self._ground.heightForWidth(width), self._ground.minimumSizeHint().height())

    def copied(self) -> str:
        """The lines as plain text."""
        return "\n".join(f"{name}: {text.replace('**', '')}" for name, text in self.lines.items())

    def whole(self) -> QWidget:
        """All of it, also what is scrolled away."""
        return self._ground


def today_lines(report: Report, zone: tzinfo, rate: Rates, engine: EngineRow | None) -> dict[str, str]:
    """Name to text; what is bold stands between `**`."""
    of, day = report.today.figures, report.today.day
    return {
        "Realised": f"**{fmt.signed(report.realised.today, 2)}** USD",
        "Groups closed": f"**{of.closed:,}** · {of.wins:,} won, {of.losses:,} lost",
        "Best": _line(report.today.best),
        "Worst": _line(report.today.worst),
        "Fees paid": f"**{_fees(day, rate)}** USD",
        "Signals": _signals(day),
        "Risk offsets": _offsets(day),
        "Slots": _slots(engine),
        "Slowest order": f"**{fmt.latency(day.slowest_ms)}**"
        + (" from received to acknowledged" if day.slowest_ms is not None else ""),
        "Errors": _errors(day, zone),
    }


def _line(line: Line | None) -> str:
    if line is None:
        return fmt.DASH
    return f"**{fmt.pair(line.symbol)}** {line.timeframe} **{fmt.signed(line.result, 2)}**"


def _fees(day: Day, rate: Rates) -> str:
    total, known = ZERO, True
    for (account, quote), paid in day.fees.items():
        worth = ONE if quote in DOLLARS else rate(account, quote)
        known = known and (worth is not None or not paid)
        total += paid * (worth or Decimal(0))
    return fmt.number(total, 2) if known else f"more than {fmt.number(total, 2)}"


def _signals(day: Day) -> str:
    whole = sum(day.signals.values())
    named = [(text, day.signals[name]) for name, text in NAMED.items() if day.signals.get(name)][:MOST_NAMED]
    rest = whole - sum(count for _, count in named)
    told = [f"{count:,} {text}" for text, count in named] + ([f"{rest:,} other"] if rest and named else [])
    return f"**{whole:,}**" + (" · " + ", ".join(told) if told else "")


def _offsets(day: Day) -> str:
    if not day.offsets:
        return "**0**"
    loser, winners = day.offsets[-1]
    paid = ", ".join(map(_group, winners))
    return f"**{len(day.offsets):,}** · {_group(loser)} paid by {paid}"


def _group(group_id: str) -> str:
    """`ADA/USDT 2h` of `paper|ADA/USDT|2h#4`."""
    key = GroupKey.of(group_id)
    return f"{fmt.pair(key.symbol)} {key.timeframe}"


def _slots(engine: EngineRow | None) -> str:
    if engine is None:
        return fmt.DASH
    return f"**{engine.pool_used} of {engine.pool_limit}** in use, {engine.queued} waiting"


def _errors(day: Day, zone: tzinfo) -> str:
    if day.last_error is None:
        return "**0**"
    return f"**{day.errors:,}** · {day.last_error.text} · {moment(day.last_error.at_ms, zone):%H:%M}"
