"""The ladder of the preview as a table: what each leg of a pyramid would be ordered at now."""

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from exengine.domain.ladder_preview import LadderPreview, PreviewLeg
from exengine.domain.money import decimals_of
from exengine.ui import format as fmt
from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Role, Weight

LEFT = 16


@dataclass(frozen=True, slots=True)
class _Line:
    cells: tuple[str, ...]
    blocked: str
    note: str


MONEY = 3
"""The column of what a leg costs."""


class LadderTable(QWidget):
    """Leg, price, quantity, value, target and state. Painted: it runs with every change of a field."""

    edge_moved = Signal(int)
    """Where the numbers of what the legs cost end: what is summed up below ends there too."""

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__()
        self._look, self._icons = look, icons
        self._lines: tuple[_Line, ...] = ()
        self._head = ("Leg", "Price", "Quantity", "USDT", "Target", "State")
        self.setAccessibleName("Ladder")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        look.changed.connect(self.updateGeometry)

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """What is shown, row by row."""
        return tuple(line.cells for line in self._lines)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said under rows."""
        return tuple(line.note for line in self._lines if line.note)

    def show_ladder(self, ladder: LadderPreview | None) -> None:
        if ladder is None:
            self._lines = ()
        else:
            self._head = ("Leg", "Price", "Quantity", ladder.quote, "Target", "State")
            self._lines = tuple(_line(ladder, leg) for leg in ladder.legs)
        said = [", ".join((*line.cells, line.note)) for line in self._lines]
        self.setAccessibleDescription("; ".join(said))
        self._tell_edge()
        self.updateGeometry()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell_edge()

    def _tell_edge(self) -> None:
        self.edge_moved.emit(round(self._columns()[len(self._head) + MONEY]))

    def sizeHint(self) -> QSize:
        notes = sum(1 for line in self._lines if line.note)
        row = self._look.row_height()
        return QSize(self._look.scaled(380), row * (1 + len(self._lines)) + round(notes * self._note_height()))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def _note_height(self) -> float:
        return self._look.line_height() + 2

    def _columns(self) -> list[float]:
        """The right edges of the numbers, and the left edge of the last column."""
        metrics, small = QFontMetricsF(self._look.font()), QFontMetricsF(self._look.font(Role.SMALL, Weight.MEDIUM))
        widths = [
            max(
                [
                    small.horizontalAdvance(title),
                    *(metrics.horizontalAdvance(line.cells[column]) for line in self._lines),
                ]
            )
            for column, title in enumerate(self._head)
        ]
        widths[-1] += self._look.grown(12) + 4 if any(line.blocked for line in self._lines) else 0
        free = max(0.0, self.width() - 2 * LEFT - sum(widths)) / (len(widths) - 1)
        edges, edge = [], float(LEFT)
        for width in widths:
            edges.append(edge)
            edge += width + free
        return [*edges, *(left + width for left, width in zip(edges, widths, strict=True))]

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        edges = self._columns()
        count = len(self._head)
        row = look.row_height()
        painter.fillRect(0, 0, self.width(), row, look.color("raised"))
        painter.setPen(look.color("line"))
        painter.drawLine(0, row - 1, self.width(), row - 1)
        painter.setFont(look.font(Role.SMALL, Weight.MEDIUM))
        self._paint_row(painter, self._head, 0, edges[:count], edges[count:], ["muted"] * count)
        top = float(row)
        for line in self._lines:
            painter.setFont(look.font())
            tokens = ["muted" if line.blocked else "text"] * (count - 1) + ["warn" if line.blocked else "success"]
            lefts = edges[:count]
            if line.blocked:
                size = look.grown(12)
                mark = self._icons.pixmap("block", "warn", size, self.devicePixelRatioF())
                painter.drawPixmap(round(lefts[-1]), round(top + (row - size) / 2), mark)
                lefts = [*lefts[:-1], lefts[-1] + size + 4]
            self._paint_row(painter, line.cells, top, lefts, edges[count:], tokens)
            top += row
            if line.note:
                painter.setPen(look.color("warn"))
                there = QRectF(LEFT, top - 2, self.width() - 2 * LEFT, self._note_height())
                text = QFontMetricsF(look.font()).elidedText(line.note, Qt.TextElideMode.ElideRight, there.width())
                painter.drawText(there, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
                top += self._note_height()

    def _paint_row(
        self,
        painter: QPainter,
        cells: tuple[str, ...],
        top: float,
        lefts: list[float],
        rights: list[float],
        tokens: list[str],
    ) -> None:
        last = len(cells) - 1
        for column, text in enumerate(cells):
            left_aligned = column in (0, last)
            side = Qt.AlignmentFlag.AlignLeft if left_aligned else Qt.AlignmentFlag.AlignRight
            left = lefts[column] if left_aligned else 0.0
            right = float(self.width()) if left_aligned else rights[column]
            painter.setPen(self._look.color(tokens[column]))
            there = QRectF(left, top, right - left, self._look.row_height())
            painter.drawText(there, int(side | Qt.AlignmentFlag.AlignVCenter), text)


def _line(ladder: LadderPreview, leg: PreviewLeg) -> _Line:
    rules = ladder.instrument
    price_decimals = decimals_of(rules.tick_size)
    qty = leg.planned_qty if leg.blocked else leg.qty
    return _Line(
        cells=(
            f"DCA{leg.index}",
            fmt.number(leg.price, price_decimals),
            fmt.number(qty, decimals_of(rules.step_size)),
            fmt.number(leg.quote, fmt.quote_decimals(ladder.quote)),
            fmt.number(leg.target, price_decimals),
            "Blocked" if leg.blocked else "Market" if leg.market else "Placed",
        ),
        blocked=leg.blocked,
        note=leg.blocked or leg.note,
    )
