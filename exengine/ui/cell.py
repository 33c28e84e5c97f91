"""What a table shows in one place, and how it is painted: text by token, sign and arrow, bar, icon."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPolygonF

from exengine.ui.format import DASH, copied
from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Role, Weight

INDENT = 16
"""How much deeper each level of a tree begins."""
CHEVRON = 12
GAP = 6
"""Between the parts of one cell."""
WIDE_BAR = 72
"""The least width of a bar that fills its column."""
_ARROWS = {1: "up ", -1: "down "}


class Part(NamedTuple):
    """A piece of text with its own colour."""

    text: str
    token: str = "muted"
    strong: bool = False
    icon: str = ""


class Cell(NamedTuple):
    """One cell, ready to be painted. A plain tuple: two cells are compared in C to find what changed."""

    text: str = ""
    token: str = "text"
    strong: bool = False
    value: object = None
    """What is copied; None copies the text."""
    arrow: int = 0
    icon: str = ""
    """Before a right-aligned text, after a left-aligned one."""
    icon_token: str = "muted"
    icon_first: bool = False
    """Whether the icon stands before the text, in a column that begins at the left."""
    bar: float = -1.0
    """Part filled, 0 to 1; below 0 there is no bar."""
    bar_open: float = 0.0
    """Of a wide bar the part that follows the filled one."""
    after: tuple[Part, ...] = ()
    """Follows the text."""
    trail: Part | None = None
    """Stands at the right edge."""

    def words(self) -> str:
        """All of it as text, for readers and searches."""
        parts = [self.text, *(part.text for part in self.after)]
        if self.trail is not None:
            parts.append(self.trail.text)
        return " ".join(part for part in parts if part)

    def length(self) -> int:
        """How many characters are painted."""
        length = len(self.text)
        if self.after:
            length += sum(len(part.text) for part in self.after)
        return length if self.trail is None else length + len(self.trail.text)

    def spoken(self) -> str:
        """As a screen reader says it: the arrow is a word."""
        return "unknown" if self.text == DASH else _ARROWS.get(self.arrow, "") + self.words()

    def copied(self) -> str:
        """Plain, for another program."""
        return copied(self.value) if self.value is not None else "" if self.text == DASH else self.words()


EMPTY = Cell()
UNKNOWN = Cell(text=DASH, token="muted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table. `sample` is the widest text that it must take without growing."""

    key: str
    title: str
    sample: str
    right: bool = False
    arrow: bool = False
    """Keeps a slot for an arrow, so that the digits of all rows stay in line."""
    elides: bool = False
    """A name may lose its end when there is no room; a number never."""
    takes_rest: bool = False
    """The column that takes the room which no other needs; one in each table."""
    gives_way: bool = False
    """Goes where sentences would have too little room beside it, and comes back with the room."""
    icon: bool = False
    """Keeps room for an icon that comes and goes."""
    wide_bar: bool = False
    """Its cells are bars as wide as the column."""
    hidden: bool = False
    """Not shown until the trader asks for it."""
    sortable: bool = True
    hint: str = ""
    """What the column says, for its header's tooltip."""


class CellPainter:
    """Paints cells with the look in force; knows how wide they must be."""

    def __init__(self, look: Look, icons: Icons) -> None:
        self._look = look
        self._icons = icons
        self._widths: dict[tuple[str, bool], float] = {}
        self._on_look_changed()
        look.changed.connect(self._on_look_changed)

    def _on_look_changed(self) -> None:
        look = self._look
        self._widths.clear()
        self.fonts = (look.font(), look.font(Role.BODY, Weight.STRONG))
        self._metrics = tuple(QFontMetricsF(font) for font in self.fonts)
        self._slot = look.grown(look.metric("arrow_slot"))
        self._bar_width, self._bar_height = look.tokens.metric("progress_bar")
        self._pens = {token: look.color(token) for token in look.tokens.colors("dark", look.pnl_palette)}
        self._small_icon = max(12, look.scaled(12))

    def width(self, text: str, strong: bool = False) -> float:
        """The width of a text, kept for the many that come again."""
        key = (text, strong)
        width = self._widths.get(key)
        if width is None:
            if len(self._widths) > 20_000:
                self._widths.clear()
            width = self._widths[key] = self._metrics[strong].horizontalAdvance(text)
        return width

    def needed(self, cell: Cell, column: Column) -> float:
        """The width that the cell takes without its padding."""
        if column.wide_bar:
            return float(self._look.scaled(WIDE_BAR))
        width = self.width(cell.text, cell.strong)
        for part in cell.after:
            width += GAP + self.width(part.text, part.strong)
        if cell.trail is not None:
            width += GAP * 2 + self.width(cell.trail.text, cell.trail.strong)
            width += self._small_icon + 4 if cell.trail.icon else 0
        if cell.icon or column.icon:
            width += self._small_icon + 4
        if cell.bar >= 0:
            width = max(width, self.width("100 %")) + self._bar_width + GAP
        return width + (self._slot if column.arrow else 0)

    def paint(
        self, painter: QPainter, left: int, top: int, width: int, height: int, cell: Cell, column: Column
    ) -> None:
        """Paints into this place, which is the cell without its padding."""
        if column.right and not column.wide_bar:
            self._paint_right(painter, left, top, width, height, cell, column)
        elif cell is not EMPTY:
            rect = QRect(left, top, width, height)
            (self._paint_wide_bar if column.wide_bar else self._paint_left)(painter, rect, cell)

    def _text(self, painter: QPainter, rect: QRectF, text: str, token: str, strong: bool, flags: int) -> None:
        painter.setFont(self.fonts[strong])
        painter.setPen(self._pens[token])
        painter.drawText(rect, flags, text)

    def _paint_right(
        self, painter: QPainter, left: int, top: int, width: int, height: int, cell: Cell, column: Column
    ) -> None:
        """The numbers, which run: no more questions to Qt than must be."""
        text, right = cell.text, left + width
        if column.arrow:
            right -= self._slot
            if cell.arrow:
                self.paint_arrow(painter, right, top + (height - 1) // 2 + 0.5, cell.arrow, cell.token)
        if text:
            area = QRectF(left - GAP, top, right - left + GAP, height)
            self._text(painter, area, text, cell.token, cell.strong, _RIGHT)
        if cell.bar >= 0 or cell.icon:
            rect, begins = QRect(left, top, width, height), right - self.width(text, cell.strong)
            if cell.bar >= 0:
                # The text beside a bar is as wide as 100 %, so that all bars of a column stand in line.
                begins = min(begins, right - self.width("100 %"))
                self._paint_bar(painter, begins - GAP - self._bar_width, rect, cell.bar)
            else:
                self._paint_icon(painter, begins - 4 - self._small_icon, rect, cell.icon, cell.icon_token)

    def _paint_left(self, painter: QPainter, rect: QRect, cell: Cell) -> None:
        end = float(rect.right() + 1)
        if cell.trail is not None:
            end = self._paint_trail(painter, rect, cell.trail) - GAP
        left = float(rect.left())
        if cell.icon and cell.icon_first:
            self._paint_icon(painter, left, rect, cell.icon, cell.icon_token)
            left += self._small_icon + 4
        for part in (Part(cell.text, cell.token, cell.strong), *cell.after):
            width = self.width(part.text, part.strong)
            room = end - left
            if room <= 0:
                return
            text = part.text
            if width > room + 0.5:
                text = self._metrics[part.strong].elidedText(text, Qt.TextElideMode.ElideRight, room)
            area = QRectF(left, rect.top(), room + 1, rect.height())
            self._text(painter, area, text, part.token, part.strong, _LEFT)
            left += width + GAP
        if cell.icon and not cell.icon_first and left + self._small_icon - GAP + 4 <= end + 1:
            self._paint_icon(painter, left - GAP + 4, rect, cell.icon, cell.icon_token)

    def _paint_trail(self, painter: QPainter, rect: QRect, trail: Part) -> float:
        """Paints the part at the right edge; returns where it begins."""
        area = QRectF(rect.left(), rect.top(), rect.width(), rect.height())
        self._text(painter, area, trail.text, trail.token, trail.strong, _RIGHT)
        left = rect.right() + 1 - self.width(trail.text, trail.strong)
        if trail.icon:
            left -= self._small_icon + 4
            self._paint_icon(painter, left, rect, trail.icon, trail.token)
        return left

    def _paint_icon(self, painter: QPainter, left: float, rect: QRect, name: str, token: str) -> None:
        ratio = painter.device().devicePixelRatioF()
        size = self._small_icon
        top = rect.top() + (rect.height() - size) / 2
        painter.drawPixmap(QPointF(round(left), round(top)), self._icons.pixmap(name, token, size, ratio))

    def _paint_bar(self, painter: QPainter, left: float, rect: QRect, share: float) -> None:
        top = rect.top() + (rect.height() - self._bar_height) // 2
        paint_bar(painter, self._look, QRectF(round(left), top, self._bar_width, self._bar_height), share, "accent")

    def _paint_wide_bar(self, painter: QPainter, rect: QRect, cell: Cell) -> None:
        if cell.bar < 0:
            return
        top = rect.top() + (rect.height() - self._bar_height) // 2
        area = QRectF(rect.left(), top, rect.width(), self._bar_height)
        paint_parts(painter, self._look, area, ((cell.bar, "accent"), (cell.bar_open, "fill")))

    def paint_arrow(self, painter: QPainter, left: float, middle: float, way: int, token: str) -> None:
        """A small triangle, up or down, in its slot."""
        paint_arrow(painter, self._look, left, middle, self._slot, way, token)


def paint_arrow(painter: QPainter, look: Look, left: float, middle: float, slot: float, way: int, token: str) -> None:
    x, half = left + slot / 2 + 1, 3.0 * slot / 11
    tip, base = middle - half * way * 0.85, middle + half * way * 0.85
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.color(token))
    painter.drawPolygon(QPolygonF([QPointF(x - half, base), QPointF(x + half, base), QPointF(x, tip)]))
    painter.restore()


def paint_bar(painter: QPainter, look: Look, rect: QRectF, share: float, token: str) -> None:
    """A flat bar: what is reached on the ground of what is not."""
    painter.fillRect(rect, look.color("line"))
    width = round(rect.width() * min(max(share, 0.0), 1.0))
    if width:
        painter.fillRect(QRectF(rect.left(), rect.top(), width, rect.height()), look.color(token))


def paint_parts(painter: QPainter, look: Look, rect: QRectF, parts: Sequence[tuple[float, str]]) -> None:
    """A flat bar of several parts, each a share of the whole and a token."""
    painter.fillRect(rect, look.color("line"))
    left = rect.left()
    for share, token in parts:
        width = round(rect.width() * min(max(share, 0.0), 1.0))
        painter.fillRect(QRectF(left, rect.top(), min(width, rect.right() - left), rect.height()), look.color(token))
        left += width


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
