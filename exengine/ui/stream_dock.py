"""What the Signals and the Log dock share: a table that follows its end, and a word in its place while it is empty."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from exengine.ui import words
from exengine.ui.dock import Dock
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.panel_dock import Sorting
from exengine.ui.pieces import Ground, IconButton, Label, button
from exengine.ui.stream_model import StreamModel
from exengine.ui.table import Table
from exengine.ui.theme import Look, Weight

ACTION_GAP = 4
"""Between the words of a note and the next step, more than between its other parts."""


class EmptyNote(Ground):
    """Why a dock is empty, and the next step."""

    pressed = Signal()
    other_pressed = Signal()

    def __init__(
        self,
        look: Look,
        icons: Icons,
        icon: str,
        heading: str,
        text: str,
        action: str,
        *,
        other: str = "",
        width: int = 440,
        token: str = "muted",
        starting: bool = False,
    ) -> None:
        """`other` is a second way to go on; `starting` says that the engine is, not `heading`, until `end_starting`."""
        super().__init__(look, "surface")
        self._text_width = width
        self._own_heading, self._is_starting = heading, starting
        self._icons, self._icon, self._token = icons, icon, token
        self._picture = Label(look)
        self.heading = Label(look, weight=Weight.STRONG)
        self.text = Label(look, text, token="muted")
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.action = button(look, action, small=True)
        self.action.setAccessibleName(action or heading)
        self.action.clicked.connect(self.pressed)
        self._show_heading(text)
        # Without a next step the note itself is what the keyboard comes to.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus if action else Qt.FocusPolicy.TabFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(6)
        column.addStretch(2)
        for widget in (self._picture, self.heading, self.text):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(ACTION_GAP)
        actions = QHBoxLayout()
        actions.setSpacing(6)
        actions.addStretch(1)
        actions.addWidget(self.action)
        if other:
            self.other = button(look, other, small=True)
            self.other.clicked.connect(self.other_pressed)
            actions.addWidget(self.other)
        actions.addStretch(1)
        column.addLayout(actions)
        column.addStretch(3)
        self._column = column
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def _on_look_changed(self) -> None:
        self._picture.setPixmap(
            self._icons.pixmap(self._icon, self._token, self._look.grown(20), self.devicePixelRatioF())
        )
        self._fit_text()

    def offer(self, offered: bool) -> None:
        """Whether there is a next step after all."""
        self.action.setVisible(offered)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus if offered else Qt.FocusPolicy.TabFocus)

    @property
    def focus_target(self) -> QWidget:
        """What the keyboard comes to: the next step, or the note where there is none."""
        return self if self.action.isHidden() else self.action

    def end_starting(self) -> None:
        """From now on it is known that there is nothing."""
        if self._is_starting:
            self._is_starting = False
            self._show_heading(self.text.text())

    def _show_heading(self, text: str) -> None:
        heading = words.STARTING if self._is_starting else self._own_heading
        self.setAccessibleName(f"{heading}. {text}")
        self.heading.setText(heading)

    def say(self, heading: str, text: str, *, action: bool) -> None:
        """Another reason; `action` is whether there is a next step."""
        self._own_heading = heading
        self._show_heading(text)
        self.action.setVisible(action)
        if text != self.text.text():
            self.text.setText(text)
            self._fit_text()

    def _fit_text(self) -> None:
        # A wrapped label in a centred layout is given one line unless it says itself how tall it is.
        width = max(80, min(self._look.scaled(self._text_width), self.width() - 24))
        self.text.setFixedWidth(width)
        # A label never says less than its least height: the last one must not count.
        self.text.setMinimumHeight(0)
        self.text.setFixedHeight(max(0, self.text.heightForWidth(width)))
        self._fit_height()

    def _fit_height(self) -> None:
        """Where the dock is too low for all of it, the picture gives way, then the words that explain the heading."""
        margins, gap = self._column.contentsMargins(), self._column.spacing()
        room = self.height() - margins.top() - margins.bottom() - self.heading.sizeHint().height()
        if not self.action.isHidden():
            room -= ACTION_GAP + 2 * gap + self.action.sizeHint().height()
        room -= gap + self.text.height()
        self.text.setVisible(room >= 0)
        self._picture.setVisible(room >= gap + self._picture.sizeHint().height())
        self.heading.setToolTip("" if self.text.isVisibleTo(self) else self.text.text())

    def minimumSizeHint(self) -> QSize:
        # The note must not keep its dock from being made small.
        return QSize(120, round(4 * self._look.line_height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_text()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(self._look.color("focus"), 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.rect().adjusted(1, 1, -2, -2))


class StreamDock(Dock):
    """A dock around a stream of rows."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        model: StreamModel,
        *,
        name: str,
        title: str,
        note: EmptyNote,
        names: frozenset[int],
    ) -> None:
        """`names` are the columns that are sorted from A first."""
        super().__init__(look, icons, name=name, title=title)
        self._stream: StreamModel = model
        self.note = note
        self.table = Table(look, icons, model, name=f"{name}_table", title=title)
        self.pages = QStackedWidget()
        self.pages.addWidget(note)
        self.pages.addWidget(self.table)
        self.follow = IconButton(icons, "follow", "Follow the newest row")
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.follow.toggled.connect(self._on_follow)
        self._moving = False
        self.sorting = Sorting(self.table, model, names)
        self.table.heading.sort_asked.connect(lambda *_: self._on_sorted())
        self.table.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.table.verticalScrollBar().rangeChanged.connect(self._on_range)
        model.trimmed.connect(self._on_trimmed)
        model.rowsInserted.connect(self._on_rows)
        model.rowsRemoved.connect(self._on_rows)
        self._on_rows()

    def focus_target(self) -> QWidget:
        return self.table if self.pages.currentWidget() is self.table else self.note.action

    def save(self, layouts: LayoutStore) -> None:
        self.sorting.save(layouts)

    def restore(self, layouts: LayoutStore) -> None:
        self.sorting.restore(layouts)
        self._on_sorted()

    def reset(self) -> None:
        self.sorting.reset()
        self._on_sorted()
        self.follow.setChecked(True)

    def _on_sorted(self) -> None:
        """Where the trader sorts, the newest row is not the last: nothing is followed until he sorts by nothing."""
        self.follow.setEnabled(not self._stream.is_sorted)
        self.keep_up()

    def keep_up(self) -> None:
        """After new rows: at the end, if the trader follows it."""
        if not self.is_seen:
            return
        self._note_visible()
        if self.follow.isChecked() and not self._stream.is_sorted:
            self._moving = True
            self.table.scrollToBottom()
            self._moving = False

    def reveal(self, number: int) -> None:
        """Shows one row, and stays there."""
        index = self._stream.index_of(number)
        if index.isValid():
            self.follow.setChecked(False)
            self.table.setCurrentIndex(index)
            self.table.scrollTo(index, Table.ScrollHint.PositionAtCenter)

    def on_shown(self) -> None:
        self.keep_up()

    def _note_visible(self) -> None:
        if not self.is_seen or not self.table.isVisible():
            return
        for index in self.table.visible_rows():
            self.table.note(index)

    def _on_rows(self) -> None:
        self.pages.setCurrentWidget(self.table if self._stream.rowCount() else self.note)

    def _on_follow(self, following: bool) -> None:
        if following:
            self.keep_up()

    def _on_scrolled(self, value: int) -> None:
        if not self._moving and not self._stream.is_sorted:
            # Scrolling away from the end stops following, coming back to it starts again.
            self.follow.setChecked(value >= self.table.verticalScrollBar().maximum())
        self._note_visible()

    def _on_range(self, _least: int, most: int) -> None:
        """With less room, as under a strip that has just come up, the end moves: whoever follows it goes with it."""
        if self.is_seen and self.follow.isChecked() and not self._stream.is_sorted:
            self._moving = True
            self.table.verticalScrollBar().setValue(most)
            self._moving = False

    def _on_trimmed(self, count: int) -> None:
        if count and not self.follow.isChecked():
            bar = self.table.verticalScrollBar()
            self._moving = True
            bar.setValue(max(0, bar.value() - count))
            self._moving = False
