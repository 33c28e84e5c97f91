"""Small pieces of the Performance dock: a legend, a pane's title, the line that says that something takes time."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSplitter, QSplitterHandle, QStackedWidget, QVBoxLayout, QWidget

from exengine.ui.pieces import Ground, Label, PartedLabel
from exengine.ui.theme import Look, Role, Weight

LINE = 14
"""How long the line of a legend is."""
STEP_GAP = 6
"""Between a word and the step under it."""


class Legend(QWidget):
    """A short line and the name of each curve, with its last value."""

    def __init__(self, look: Look, entries: tuple[tuple[str, str], ...]) -> None:
        """`entries` are tokens and names."""
        super().__init__()
        self._look = look
        self._entries: list[tuple[str, str, str | None]] = [(token, name, "") for token, name in entries]
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        look.changed.connect(self.updateGeometry)
        self.setAccessibleName("Legend")

    def show_values(self, *values: str | None) -> None:
        """The last value of each curve; None leaves its entry out."""
        self._entries = [(token, name, value) for (token, name, _), value in zip(self._entries, values, strict=True)]
        self.setAccessibleDescription(", ".join(self._texts()))
        self.updateGeometry()
        self.update()

    def _texts(self) -> list[str]:
        return [f"{name} {value}".strip() for _, name, value in self._shown()]

    def _shown(self) -> list[tuple[str, str, str | None]]:
        return [entry for entry in self._entries if entry[2] is not None]

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._look.font(Role.SMALL))
        width = sum(metrics.horizontalAdvance(text) + self._look.grown(LINE) + 20 for text in self._texts())
        return QSize(round(width), round(metrics.height()) + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        font = look.font(Role.SMALL)
        metrics, left, line = QFontMetricsF(font), 0.0, look.grown(LINE)
        painter.setFont(font)
        for (token, _, _), text in zip(self._shown(), self._texts(), strict=True):
            painter.setPen(QPen(look.color(token), 2))
            painter.drawLine(round(left), self.height() // 2, round(left) + line, self.height() // 2)
            painter.setPen(look.color("muted"))
            area = QRectF(left + line + 6, 0, metrics.horizontalAdvance(text) + 2, self.height())
            painter.drawText(area, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
            left += line + 20 + metrics.horizontalAdvance(text)


class PaneTitle(QWidget):
    """What a part of the dock shows, what it is of, and its own tools at the right."""

    def __init__(self, look: Look, title: str, *, yields: bool = False) -> None:
        """`yields` lets the title lose its end where there is little room: its tools say the same."""
        super().__init__()
        self._look = look
        self.title = (PartedLabel if yields else Label)(look, title, weight=Weight.STRONG)
        self.detail = PartedLabel(look, token="muted", role=Role.SMALL, whole=True)
        self.detail.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(look.metric("edge_padding"), 0, look.metric("edge_padding"), 0)
        self.row.setSpacing(12)
        self.row.addWidget(self.title)
        self.row.addWidget(self.detail, 1)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def _on_look_changed(self) -> None:
        self.setFixedHeight(self._look.tall("dock_title") + 4)

    def add(self, tool: QWidget) -> None:
        self.row.addWidget(tool)


class Pane(Ground):
    """A titled part of the dock; a word stands in its place where there is nothing to show."""

    def __init__(
        self,
        look: Look,
        title: str,
        content: QWidget,
        empty: str,
        *,
        yields: bool = False,
        step: QWidget | None = None,
    ) -> None:
        """`step` is what can be done where it is empty, under the word."""
        super().__init__(look, "surface")
        self.heading = PaneTitle(look, title, yields=yields)
        self.content = content
        self._word = Label(look, empty, token="muted")
        self._word.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._word.setWordWrap(True)
        self.pages = QStackedWidget()
        self.pages.addWidget(content)
        self.pages.addWidget(self._word if step is None else self._with(step))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.heading)
        column.addWidget(self.pages, 1)

    def _with(self, step: QWidget) -> QWidget:
        """The word stays in the middle: at one height with that of a pane without a step beside it."""
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addStretch(1)
        column.addSpacing(STEP_GAP)
        column.addWidget(self._word)
        column.addSpacing(STEP_GAP)
        column.addWidget(step, 1, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        return page

    def say_empty(self, word: str) -> None:
        """Why there is nothing to show."""
        self._word.setText(word)

    def show_empty(self, empty: bool) -> None:
        self.pages.setCurrentIndex(int(empty))


class _Handle(QSplitterHandle):
    """One line; Qt takes two more pixels on either side for the pointer."""

    def __init__(self, look: Look, way: Qt.Orientation, parent: QSplitter) -> None:
        super().__init__(way, parent)
        self._look = look

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), self._look.color("accent" if self.underMouse() else "line"))


class Split(QSplitter):
    """Parts that share their room, with a hairline between them; as they are meant to until the trader moves it."""

    def __init__(
        self, look: Look, name: str, way: Qt.Orientation, share: Callable[[int], Sequence[int]] | None = None
    ) -> None:
        """`share` gives the parts' sizes for a room."""
        super().__init__(way)
        self._look, self._share = look, share
        self.is_own = False
        """Whether the trader has moved the line."""
        self.splitterMoved.connect(self._on_moved)
        self.setObjectName(name)
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)

    def _on_moved(self) -> None:
        self.is_own = True

    def share_room(self) -> None:
        """The parts as they are meant to be, whatever the trader has made of them."""
        self.is_own = False
        if self._share is not None:
            self.setSizes(list(self._share(self._room)))

    @property
    def _room(self) -> int:
        whole = self.height() if self.orientation() is Qt.Orientation.Vertical else self.width()
        return whole - self.handleWidth() * max(0, self.count() - 1)

    def kept(self) -> QByteArray:
        """What is to be brought back: nothing where the trader has not moved the line."""
        return self.saveState() if self.is_own else QByteArray()

    def take(self, state: QByteArray) -> None:
        """As the trader has left it."""
        self.is_own = self.restoreState(state)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self.is_own:
            self.share_room()

    def createHandle(self) -> QSplitterHandle:
        return _Handle(self._look, self.orientation(), self)


class BusyLine(QWidget):
    """Two pixels of accent under the dock's title: how much of the history has been read."""

    def __init__(self, look: Look, token: str = "accent") -> None:
        super().__init__()
        self._look, self._token = look, token
        self._share: float | None = None
        self.setFixedHeight(2)
        self.setAccessibleName("Progress")

    def show_share(self, share: float | None) -> None:
        """0 to 1; None while nothing is being read."""
        self._share = share
        self.setAccessibleDescription("" if share is None else f"{share:.0%}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("surface" if self._share is None else "line"))
        if self._share is not None:
            # Something is seen at once, also before the first page has come.
            width = max(0.04, min(self._share, 1.0)) * self.width()
            painter.fillRect(QRectF(0, 0, width, self.height()), self._look.color(self._token))
