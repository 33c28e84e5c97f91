"""The list of pages at the left of the settings, with the search above it."""

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from exengine.settings.form import Section
from exengine.ui.icons import Icons
from exengine.ui.pieces import Ground, Label
from exengine.ui.theme import Look, Role, Weight

NAME, STATE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
HEIGHT = 28


@dataclass(frozen=True, slots=True)
class PageState:
    """What a page's row says of it."""

    faults: int = 0
    changed: bool = False
    hits: int | None = None
    """How many settings a search has found on it; None where nothing is searched for."""

    @property
    def words(self) -> str:
        if self.faults:
            return "1 field needs attention" if self.faults == 1 else f"{self.faults} fields need attention"
        if self.hits is not None:
            return "1 found" if self.hits == 1 else f"{self.hits} found"
        return "changed" if self.changed else ""


class _Delegate(QStyledItemDelegate):
    def __init__(self, look: Look, icons: Icons, parent: QListWidget) -> None:
        super().__init__(parent)
        self._look, self._icons, self._list = look, icons, parent

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, max(self._look.scaled(HEIGHT), self._look.row_height()))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        look, rect = self._look, option.rect
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        is_hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if is_current or is_hovered:
            painter.fillRect(rect, look.color("selected" if is_current else "hover"))
        if is_current:
            painter.fillRect(rect.left(), rect.top(), 2, rect.height(), look.color("accent"))
            if self._list.hasFocus():
                painter.setPen(QPen(look.color("focus"), 1, Qt.PenStyle.DotLine))
                painter.drawRect(rect.adjusted(3, 1, -2, -2))
        inner = QRectF(rect).adjusted(16, 0, -12, 0)
        painter.setFont(look.font(Role.BODY, Weight.STRONG if is_current else Weight.NORMAL))
        painter.setPen(look.color("text"))
        painter.drawText(inner, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), index.data())
        state = index.data(STATE) or PageState()
        if state.faults:
            size = look.grown(14)
            mark = self._icons.pixmap("error", "error", size, self._list.devicePixelRatioF())
            painter.drawPixmap(round(inner.right() - size), rect.center().y() - size // 2, mark)
        elif state.words:
            painter.setFont(look.font(Role.SMALL))
            painter.setPen(look.color("muted"))
            painter.drawText(inner, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), state.words)


class _Search(QLineEdit):
    """Esc empties it before it closes anything; Enter and the arrow go to what was found."""

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self.left.emit()
        else:
            super().keyPressEvent(event)


class Navigation(Ground):
    """Emits the name of the page that is to be shown."""

    chosen = Signal(str)
    searched = Signal(str)

    def __init__(self, look: Look, icons: Icons, pages: tuple[Section, ...]) -> None:
        super().__init__(look, "raised")
        self._icons = icons
        self.setFixedWidth(look.scaled(192))
        self.search = _Search()
        self.search.setObjectName("settings_search")
        self.search.setPlaceholderText("Search settings")
        self.search.setAccessibleName("Search settings")
        self.search.setToolTip("Ctrl+F")
        self._hint = Label(look, "Ctrl+F", token="muted", role=Role.SMALL)
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside = QHBoxLayout(self.search)
        inside.setContentsMargins(0, 0, 8, 0)
        inside.addStretch(1)
        inside.addWidget(self._hint)
        self.search.textChanged.connect(lambda text: self._hint.setVisible(not text))
        self._empty = self.search.addAction(icons.icon("close", "muted"), QLineEdit.ActionPosition.TrailingPosition)
        self._empty.setToolTip("Clear the search")
        self._empty.setVisible(False)
        self._empty.triggered.connect(self.search.clear)
        self.search.textChanged.connect(lambda text: self._empty.setVisible(bool(text)))
        self._lens = self.search.addAction(icons.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition)
        self.list = QListWidget()
        self.list.setObjectName("settings_pages")
        self.list.setAccessibleName("Pages")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_Delegate(look, icons, self.list))
        for page in pages:
            item = QListWidgetItem(page.title)
            item.setData(NAME, page.name)
            item.setToolTip(page.meaning)
            self.list.addItem(item)
        box = QVBoxLayout()
        box.setContentsMargins(10, 10, 10, 8)
        box.addWidget(self.search)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(box)
        column.addWidget(self.list, 1)
        self.search.textChanged.connect(lambda text: self.searched.emit(text.strip().lower()))
        self.search.left.connect(lambda: self.list.setFocus(Qt.FocusReason.TabFocusReason))
        self.list.currentItemChanged.connect(self._on_current)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    @property
    def current(self) -> str:
        row = self.list.currentRow()
        return str(self.list.item(row).data(NAME)) if row >= 0 else ""

    def choose(self, name: str) -> None:
        for row in range(self.list.count()):
            if self.list.item(row).data(NAME) == name:
                self.list.setCurrentRow(row)

    def show_states(self, states: dict[str, PageState]) -> None:
        """Says of each page what is to be said; while something is searched for, pages without it are not there."""
        for row in range(self.list.count()):
            item = self.list.item(row)
            state = states[str(item.data(NAME))]
            if item.data(STATE) != state:
                item.setData(STATE, state)
                said = f"{item.text()}, {state.words}" if state.words else item.text()
                item.setData(Qt.ItemDataRole.AccessibleTextRole, said)
            item.setHidden(state.hits == 0)

    def _on_current(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(str(item.data(NAME)))

    def _on_look_changed(self) -> None:
        self._lens.setIcon(self._icons.icon("search", "muted"))
        self._empty.setIcon(self._icons.icon("close", "muted"))
        self.list.doItemsLayout()
