"""The command palette: every action by a few letters of its name, and the pairs, docks and pages to be gone to."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from exengine.ui.actions import GO_TO, Registry
from exengine.ui.fuzzy import find
from exengine.ui.pieces import Hairline, Label
from exengine.ui.theme import Look, Weight

WIDTH = 620
NEAR = 0.5
"""What a find must be worth at least, as a share of the best one: letters here and there are no find beside a word."""
SHOWN = 12
"""Rows that are seen at once."""
FIRST_PLACES = 3
"""How many pairs, and how many docks, come before what can be done; the others come after it."""
REMEMBERED = 5
"""How many of those that were chosen last come first, until a letter is typed."""
WORDS_SHARE = 0.5
"""What a find in an action's other words is worth, beside one in its name."""

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the palette."""

    text: str
    detail: str
    """Its menu, or where a pair is."""
    key: str
    why_not: str
    trades: bool
    words: str
    call: Callable[[], object]
    turn: int = 2
    """Before a letter was typed: 0 a pair, 1 a dock to go to, 2 what can be done, 3 what is looked for by its name."""
    places: tuple[int, ...] = ()
    """The letters found."""


def _whole(text: str, menu: str) -> str:
    """A choice of a submenu is nothing without what is chosen: `Theme: Dark`."""
    _, _, chooser = menu.rpartition("/") if "/" in menu else ("", "", "")
    return f"{chooser}: {text}" if chooser else text


class PaletteModel(QAbstractListModel):
    """What was found, best first."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.entries):
            return None
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, (entry.text, entry.key, entry.why_not or entry.detail)))
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.why_not or None
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        # Also what cannot be done now can be looked at: it says why.
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable if index.isValid() else Qt.ItemFlag.NoItemFlags

    def show(self, entries: list[Entry]) -> None:
        if self.entries:
            self.beginRemoveRows(QModelIndex(), 0, len(self.entries) - 1)
            self.entries = []
            self.endRemoveRows()
        if entries:
            self.beginInsertRows(QModelIndex(), 0, len(entries) - 1)
            self.entries = entries
            self.endInsertRows()


class _Line(QStyledItemDelegate):
    """Name with the found letters in bold, where it is from, its key at the right."""

    def __init__(self, look: Look, model: PaletteModel, parent: QObject) -> None:
        super().__init__(parent)
        self._look, self._model = look, model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, self._look.row_height() + 4)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look, entry = self._look, self._model.entries[index.row()]
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, look.color("selected"))
        inner = rect.adjusted(16, 0, -16, 0)
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
        painter.setFont(look.font())
        if entry.key:
            painter.setPen(look.color("muted"))
            painter.drawText(inner, middle | int(Qt.AlignmentFlag.AlignRight), entry.key)
            inner.setRight(inner.right() - round(QFontMetricsF(look.font()).horizontalAdvance(entry.key)) - 16)
        left = self._name(painter, inner, entry)
        side = entry.why_not or entry.detail
        if side and left < inner.right():
            painter.setPen(look.color("muted"))
            room = QRect(left + 12, inner.top(), inner.right() - left - 12, inner.height())
            painter.setFont(look.font())
            text = painter.fontMetrics().elidedText(side, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, middle | int(Qt.AlignmentFlag.AlignLeft), text)
        painter.restore()

    def _name(self, painter: QPainter, room: QRect, entry: Entry) -> int:
        """Paints the name; where it ends."""
        look, left = self._look, room.left()
        plain, strong = look.font(), look.font(weight=Weight.STRONG)
        found = set(entry.places)
        middle = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextSingleLine)
        for run in _runs(entry.text, found):
            is_found = run[0] in found
            font = strong if is_found else plain
            text = entry.text[run[0] : run[-1] + 1]
            painter.setFont(font)
            painter.setPen(look.color("disabled" if entry.why_not else "accent" if is_found else "text"))
            painter.drawText(QRect(left, room.top(), room.right() - left, room.height()), middle, text)
            left += round(QFontMetricsF(font).horizontalAdvance(text))
        return left


def _runs(text: str, found: set[int]) -> list[list[int]]:
    """The places of a text, cut where found letters begin and end."""
    runs: list[list[int]] = []
    for place in range(len(text)):
        if runs and (runs[-1][-1] in found) == (place in found):
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


class Palette(QWidget):
    """Lies over the window's top; Enter does the chosen line, Esc or a click elsewhere closes it."""

    def __init__(self, look: Look, registry: Registry, window: QWidget) -> None:
        super().__init__(window)
        self._look, self._registry, self._window = look, registry, window
        self.setObjectName("palette")
        self.setAccessibleName("Commands")
        self._all: list[Entry] = []
        self._chosen: list[str] = []
        """What was chosen, the last first."""
        self._before: QWidget | None = None
        self.model = PaletteModel(self)
        self.field = QLineEdit()
        self.field.setAccessibleName("Find a command, a dock or a pair")
        self.field.setPlaceholderText("Find a command, a dock or a pair")
        self.field.textChanged.connect(self._on_text)
        self.field.installEventFilter(self)
        self.list = QListView()
        self.list.setObjectName("palette_list")
        self.list.setAccessibleName("Commands found")
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Line(look, self.model, self))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        self.list.clicked.connect(self._on_chosen)
        self.nothing = Label(look, "Nothing is called that.", token="muted")
        self.nothing.setContentsMargins(16, 6, 16, 10)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        row = QVBoxLayout()
        row.setContentsMargins(12, 12, 12, 12)
        row.addWidget(self.field)
        column.addLayout(row)
        column.addWidget(Hairline(look))
        column.addWidget(self.list, 1)
        column.addWidget(self.nothing)
        window.installEventFilter(self)
        look.changed.connect(self.update)
        self.hide()

    # Opening and closing

    def open(self) -> None:
        """Comes up with everything there is, and takes the keyboard."""
        self._registry.refresh()
        self._before = self._window.focusWidget()
        self._all = self._gathered()
        self.field.clear()
        self._on_text("")
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_again(self) -> None:
        """Goes, and gives the keyboard back to who had it."""
        if not self.isVisible():
            return
        before, self._before = self._before, None
        self.hide()
        if before is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)

    def _gathered(self) -> list[Entry]:
        registry = self._registry
        entries = [
            Entry(
                text=_whole(registry.text(action), action.menu),
                detail=action.menu.replace("/", " · "),
                key=QKeySequence(action.key).toString(QKeySequence.SequenceFormat.NativeText),
                why_not=registry.why_not(action),
                trades=action.trades,
                words=action.words,
                call=lambda name=action.id: registry.run(name),  # type: ignore[misc]
                turn=1 if action.id.startswith(GO_TO) else 2,
            )
            for action in registry.specs
            if action.id != "palette"
        ]
        for source in registry.sources:
            entries.extend(
                Entry(
                    text=found.text,
                    detail=found.detail,
                    key="",
                    why_not="",
                    trades=False,
                    words="",
                    call=found.call,
                    turn=3 if found.is_aside else 0,
                )
                for found in source()
            )
        return entries

    # Finding

    def _on_text(self, text: str) -> None:
        found = self._found(text) if text.strip() else self._untyped()
        self.model.show(found)
        # Nothing is chosen before a letter was typed: Enter alone does nothing.
        self.list.setCurrentIndex(self.model.index(0, 0) if found and text.strip() else QModelIndex())
        self.list.setVisible(bool(found))
        self.nothing.setVisible(not found)
        self._place()

    def _untyped(self) -> list[Entry]:
        """What was chosen last, then a few pairs and docks to go to, then what can be done, as the menus have it."""
        last = {text: place for place, text in enumerate(self._chosen)}
        places = [[entry for entry in self._all if entry.turn == turn] for turn in (0, 1)]
        later = {id(entry) for found in places for entry in found[FIRST_PLACES:]}

        def order(entry: Entry) -> tuple[bool, bool, int, bool, int]:
            aside = entry.turn == 3 and entry.text not in last
            return aside, bool(entry.why_not), last.get(entry.text, REMEMBERED), id(entry) in later, entry.turn

        return sorted(self._all, key=order)

    def _found(self, text: str) -> list[Entry]:
        found: list[tuple[float, int, Entry]] = []
        for place, entry in enumerate(self._all):
            here = find(text, entry.text)
            other = find(text, f"{entry.detail} {entry.words}")
            scores = [here.score] if here else []
            scores += [other.score * WORDS_SHARE] if other else []
            if scores:
                marked = here.places if here is not None and here.score >= max(scores) else ()
                found.append((-max(scores), place, replace(entry, places=marked)))
        best = min((worth for worth, _, _ in found), default=0.0)
        found = [one for one in found if one[0] <= best * NEAR]
        found.sort(key=lambda one: (bool(one[2].why_not), one[0], one[1]))
        return [entry for _, _, entry in found]

    def _on_chosen(self, index: QModelIndex) -> None:
        entry = self.model.entries[index.row()] if 0 <= index.row() < len(self.model.entries) else None
        if entry is None or entry.why_not:
            return
        self._chosen = [entry.text, *(text for text in self._chosen if text != entry.text)][:REMEMBERED]
        self.close_again()
        entry.call()

    # The keyboard

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field:
            if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
                return self._on_key(event)
            if event.type() is QEvent.Type.FocusOut and self.isVisible():
                self._before = None
                self.hide()
        elif event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        here = self.list.currentIndex().row()
        last = self.model.rowCount() - 1
        match event.key():
            case Qt.Key.Key_Escape:
                self.close_again()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                if not event.isAutoRepeat():
                    self._on_chosen(self.list.currentIndex())
            case Qt.Key.Key_Down:
                self._choose(0 if here >= last else here + 1)
            case Qt.Key.Key_Up:
                self._choose(last if here <= 0 else here - 1)
            case Qt.Key.Key_PageDown:
                self._choose(min(last, here + SHOWN))
            case Qt.Key.Key_PageUp:
                self._choose(max(0, here - SHOWN))
            case _:
                return False
        return True

    def _choose(self, row: int) -> None:
        index = self.model.index(row, 0)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)

    # Looks

    def _place(self) -> None:
        rows = max(1, min(SHOWN, self.model.rowCount()))
        self.list.setFixedHeight(rows * (self._look.row_height() + 4) + 2)
        width = min(self._look.scaled(WIDTH), self._window.width() - 32)
        self._column.activate()
        self.resize(width, self._column.totalSizeHint().height())
        self.move((self._window.width() - width) // 2, self._look.scaled(40))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("raised"))
        painter.setPen(QPen(self._look.color("line_strong"), 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
