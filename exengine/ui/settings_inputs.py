"""The inputs of the settings dialog: each shows one value of the file and tells what it is changed to."""

import re
from typing import Any, Protocol

from PySide6.QtCore import QRectF, QSize, Qt, SignalInstance
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy

from exengine.settings.draft import same
from exengine.settings.form import LISTS, NUMERIC, Field, Kind
from exengine.ui import format as fmt
from exengine.ui.choice import DropDown, Tick
from exengine.ui.icons import Icons
from exengine.ui.remark import set_marks
from exengine.ui.theme import Look

NARROW, WIDE = 120, 300
"""Widths of inputs, in px at the default font."""
_WIDE = (Kind.TEXT, Kind.TEXTS, Kind.AMOUNTS)
_LONG_WORDS, _LONG_CHOICE = 12, 14
"""Letters from which on words need a wide input."""


class Input(Protocol):
    """One value. `edited` has what the file would have in its place."""

    @property
    def edited(self) -> SignalInstance: ...

    def show_value(self, value: Any) -> None:
        """Shows what the draft has; an input in which just that stands is left alone."""
        ...

    def mark(self, *, changed: bool, faulty: bool) -> None: ...


class Line(QLineEdit):
    """A line of text with the unit behind it. Enter ends the typing and closes nothing."""

    edited = QtSignal(object)

    def __init__(self, look: Look, field: Field, *, cell: bool = False) -> None:
        super().__init__()
        self._look, self._field = look, field
        self._marks = (False, False)
        self._is_grouped = False
        """Whether thousands are separated in what is shown."""
        self.setProperty("cell", cell)
        self.setAccessibleName(field.title)
        if field.kind in (*NUMERIC, Kind.NUMBERS):
            self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if field.empty:
            self.setPlaceholderText(field.empty)
        self._unit = "" if cell else field.unit
        self.textChanged.connect(self._make_room)
        self.textEdited.connect(self._on_edited)
        self.editingFinished.connect(lambda: self.setModified(False))
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def sizeHint(self) -> QSize:
        wide = self._field.kind in _WIDE or len(self._field.empty) > _LONG_WORDS
        return QSize(self._look.scaled(WIDE if wide else NARROW), super().sizeHint().height())

    def show_value(self, value: Any) -> None:
        if not self.text() or not same(self._read(self._typed), value):
            self._put(self._spelled(value))

    @property
    def _typed(self) -> str:
        """The text without the commas that stand in it only while it is not being typed in."""
        return self.text().replace(",", "") if self._is_grouped else self.text()

    def _put(self, text: str) -> None:
        """Shows a number with a unit as numbers are shown elsewhere; in the hands of the trader, as it is typed."""
        number = re.fullmatch(rf"({fmt.MINUS}?)(\d{{4,}})(\.\d+)?", text, re.ASCII)
        self._is_grouped = bool(number and self._unit and self._field.kind in NUMERIC and not self.hasFocus())
        if number and self._is_grouped:
            text = f"{number[1]}{int(number[2]):,}{number[3] or ''}"
        if text != self.text():
            self.setText(text)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._put(self._typed)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._put(self._typed)

    def show_unit(self, unit: str) -> None:
        """Another unit than the field's own, where another setting decides it."""
        if unit != self._unit:
            self._unit = unit
            self._make_room()
            self.update()

    @property
    def unit(self) -> str:
        """What stands behind the number, or behind the words in its place; nothing where those words have it."""
        return "" if not self.text() and self._unit in self.placeholderText().split() else self._unit

    @property
    def decimals(self) -> int:
        """How many decimals the number has as it is written; 0 where it is none."""
        found = re.fullmatch(r"-?\d+\.(\d+)", _plus(self.text()), re.ASCII)
        return len(found[1]) if found else 0

    def pad(self, decimals: int) -> None:
        """Writes the number with as many decimals, so that a column of them stands in line."""
        number = re.fullmatch(r"(-?\d+)(?:\.(\d+))?", _plus(self.text()), re.ASCII)
        if number and len(number[2] or "") < decimals:
            self.setText(self._minus(f"{number[1]}.{(number[2] or '').ljust(decimals, '0')}"))

    def mark(self, *, changed: bool, faulty: bool) -> None:
        if self._marks != (changed, faulty):
            self._marks = (changed, faulty)
            set_marks(self, changed=changed, faulty=faulty)

    def _on_edited(self, text: str) -> None:
        self._is_grouped = False
        self.edited.emit(self._read(text))

    def _spelled(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, dict):
            return ", ".join(f"{amount} {currency}" for currency, amount in value.items())
        if isinstance(value, list):
            return ", ".join(self._minus(str(one)) for one in value)
        return self._minus(str(value))

    def _minus(self, text: str) -> str:
        return text.replace("-", fmt.MINUS) if self._field.kind in (*NUMERIC, Kind.NUMBERS) else text

    def _read(self, text: str) -> Any:
        kind = self._field.kind
        if kind in LISTS:
            parts = [part.strip() for part in re.split(r"[,;\n]", text)]
            return [_plus(part) if kind is Kind.NUMBERS else part for part in parts if part]
        if kind is Kind.AMOUNTS:
            return _amounts(text)
        if kind in NUMERIC:
            text = _plus(text)
            if not text and self._field.optional:
                return None
            return int(text) if kind is Kind.WHOLE and re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else text
        return None if not text and self._field.optional and self._field.default is None else text

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.selectAll()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.unit:
            painter = QPainter(self)
            painter.setFont(self._look.font())
            painter.setPen(self._look.color("muted" if self.isEnabled() else "disabled"))
            there = QRectF(self.rect()).adjusted(0, 0, -9, 0)
            painter.drawText(there, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), self.unit)

    def _make_room(self) -> None:
        """Ends the text before the unit."""
        width = QFontMetricsF(self._look.font()).horizontalAdvance(self.unit)
        self.setTextMargins(0, 0, round(width) + 6 if self.unit else 0, 0)

    def _on_look_changed(self) -> None:
        self._make_room()
        self.updateGeometry()


class ChoiceInput(DropDown):
    """One of the words; the wheel passes over it, so that scrolling a page changes nothing."""

    edited = QtSignal(object)

    def __init__(
        self, icons: Icons, field: Field, *, choices: tuple[tuple[str, str], ...] = (), cell: bool = False
    ) -> None:
        """`choices` are values and their words, where they are not the field's own."""
        none: tuple[tuple[Any, str], ...] = ((None, field.empty),) if field.optional else ()
        self._choices = (*none, *(choices or field.choices))
        super().__init__(icons, field.title, tuple(word for _, word in self._choices))
        self.setProperty("cell", cell)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda row: self.edited.emit(self._choices[row][0]))

    def show_value(self, value: Any) -> None:
        row = next((row for row, (choice, _) in enumerate(self._choices) if choice == value), -1)
        if row != self.currentIndex():
            self.setCurrentIndex(row)

    def mark(self, *, changed: bool, faulty: bool) -> None:
        set_marks(self, changed=changed, faulty=faulty)

    def wheelEvent(self, event: Any) -> None:
        event.ignore()


class FlagInput(Tick):
    """On or off."""

    edited = QtSignal(object)

    def __init__(self, look: Look, icons: Icons, field: Field) -> None:
        super().__init__(look, icons)
        self.setAccessibleName(field.title)
        self.clicked.connect(lambda on: self.edited.emit(bool(on)))

    def show_value(self, value: Any) -> None:
        self.setChecked(value is True)

    def mark(self, *, changed: bool, faulty: bool) -> None:
        self.tint("error" if faulty else "accent" if changed else "")


def input_for(look: Look, icons: Icons, field: Field) -> Line | ChoiceInput | FlagInput:
    """The input of a single value. Lists of pages and the like have editors of their own."""
    match field.kind:
        case Kind.FLAG:
            return FlagInput(look, icons, field)
        case Kind.CHOICE:
            made = ChoiceInput(icons, field)
            made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            if not is_wide(field):
                made.setMaximumWidth(look.scaled(NARROW + 16))
            return made
        case _:
            line = Line(look, field)
            line.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            return line


def is_wide(field: Field) -> bool:
    """Whether the input needs the room of the explanation, which then stands below it."""
    if field.kind is Kind.CHOICE:
        return max(len(word) for _, word in field.choices) > _LONG_CHOICE
    return field.kind in _WIDE or len(field.empty) > _LONG_WORDS


def _amounts(text: str) -> dict[str, str] | None:
    """`10000 USDT, 1 BTC` by currency; what is no amount is handed on, to be refused with its reason."""
    found: dict[str, str] = {}
    for part in re.split(r"[,;]", text):
        words = part.split()
        if words:
            first, last = words[0], words[-1] if len(words) > 1 else ""
            amount, currency = (first, last) if re.match(r"[\d.+-]", first) else (last, first)
            found[currency] = amount
    return found or None


def _plus(text: str) -> str:
    """A number as it is typed, with the minus of the file."""
    return text.strip().replace(fmt.MINUS, "-")
