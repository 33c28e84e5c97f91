"""The smallest pieces of the window: texts by token, hairlines, grounds, icon buttons."""

from html import escape

from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QToolButton, QWidget

from exengine.ui import format as fmt
from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Role, Weight


class IconButton(QToolButton):
    """A small button with an icon; its word is in the tooltip and for screen readers."""

    def __init__(self, icons: Icons, name: str, text: str) -> None:
        super().__init__()
        self._icons = icons
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_as(name, text)
        icons.look.changed.connect(self._on_look_changed)

    def show_as(self, name: str, text: str) -> None:
        """Takes another icon and word, as a button that switches does."""
        self._name = name
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._on_look_changed()

    def _on_look_changed(self) -> None:
        size = self._icons.look.grown(16)
        self.setIconSize(QSize(size, size))
        self.setIcon(self._icons.icon(self._name))


class Label(QLabel):
    """A text with a role and a token; follows the look."""

    def __init__(
        self, look: Look, text: str = "", *, token: str = "text", role: Role = Role.BODY, weight: Weight = Weight.NORMAL
    ) -> None:
        super().__init__(text)
        self._look, self._token, self._role, self._weight = look, token, role, weight
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._on_look_changed()
        look.changed.connect(self._on_look_changed)

    def set_token(self, token: str) -> None:
        if token != self._token:
            self._token = token
            self._on_look_changed()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        # Under another parent, as where tabs take a title over, a style sheet brings back the font of its first look.
        ours = self._look.font(self._role, self._weight)
        if event.type() is QEvent.Type.FontChange and self.font() != ours:
            self.setFont(ours)

    def _on_look_changed(self) -> None:
        self.setFont(self._look.font(self._role, self._weight))
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, self._look.color(self._token))
        self.setPalette(palette)


class Button(QPushButton):
    """A push button whose icon grows with the font."""

    def __init__(self, look: Look, text: str, *, small: bool) -> None:
        super().__init__(text)
        self._look, self._small = look, small
        self._on_look_changed()
        look.changed.connect(self._on_look_changed)

    def _on_look_changed(self) -> None:
        height = self._look.grown(12 if self._small else 16)
        self.setIconSize(QSize(height * 5 // 4, height))


def button(look: Look, text: str, *, kind: str = "", small: bool = False) -> Button:
    """A push button; `kind` is primary, danger, plain, default or nothing."""
    made = Button(look, text, small=small)
    made.setProperty("kind", kind)
    made.setProperty("small", small)
    # Enter never presses a button that the trader did not choose.
    made.setAutoDefault(False)
    return made


def drop_down(menu: QMenu, tool: QWidget) -> None:
    """Opens a menu under the tool that was pressed; it is gone when it closes."""
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(tool.mapToGlobal(QPoint(0, tool.height())))


def chip(look: Look, text: str) -> Button:
    """A small button that stays pressed, as what narrows a table."""
    made = button(look, text)
    made.setCheckable(True)
    made.setProperty("chip", True)
    return made


def set_kind(made: QPushButton, kind: str) -> None:
    """Another kind for a button whose meaning changes; the style sheet is asked again only then."""
    if made.property("kind") != kind:
        made.setProperty("kind", kind)
        made.style().unpolish(made)
        made.style().polish(made)


class Hairline(QWidget):
    """One line between two regions."""

    def __init__(self, look: Look, *, vertical: bool = False, token: str = "line") -> None:
        super().__init__()
        self._look, self._token = look, token
        self.lie(vertical=vertical)
        look.changed.connect(self.update)

    def lie(self, *, vertical: bool) -> None:
        """Turns the line, where what it parts is laid out the other way."""
        thin, long = self._look.metric("hairline"), 16_777_215
        self.setMinimumSize(thin if vertical else 0, 0 if vertical else thin)
        self.setMaximumSize(thin if vertical else long, long if vertical else thin)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), self._look.color(self._token))


class Ground(QWidget):
    """A plain region with the colour of a token behind its widgets."""

    def __init__(self, look: Look, token: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self.token = token
        look.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), self._look.color(self.token))


class ElidedLabel(Label):
    """A text that loses its end where there is no room; the whole of it is in the tooltip."""

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def shown(self) -> str:
        """What there is room for."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())

    def paintEvent(self, event: QPaintEvent) -> None:
        text = self.shown()
        self.setToolTip(self.text() if text != self.text() else "")
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(self.rect(), int(self.alignment() | Qt.TextFlag.TextSingleLine), text)


class FittingLabel(ElidedLabel):
    """One thing said in several ways, the longest first: shows the first that there is room for."""

    def __init__(self, look: Look, *, token: str = "text") -> None:
        super().__init__(look, token=token)
        self._ways: tuple[str, ...] = ("",)

    def say(self, *ways: str) -> None:
        """Shows one of `ways`; its text is the first of them."""
        self._ways = ways
        self.setText(ways[0])
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        shortest = self.fontMetrics().horizontalAdvance(self._ways[-1])
        return QSize(shortest + 1, super().minimumSizeHint().height())

    def shown(self) -> str:
        fits = (text for text in self._ways if self.fontMetrics().horizontalAdvance(text) <= self.width())
        return next(fits, self._ways[-1])


class PartedLabel(ElidedLabel):
    """Parts with a dot between them; where there is no room it loses whole ones from its end, never half a number.

    A text which runs moves nothing else: it has the room that it has, and nothing is laid out anew.
    """

    def __init__(
        self,
        look: Look,
        text: str = "",
        *,
        token: str = "text",
        role: Role = Role.BODY,
        weight: Weight = Weight.NORMAL,
        whole: bool = False,
    ) -> None:
        """`whole` leaves out a first part that does not fit either, instead of its end."""
        super().__init__(look, token=token, role=role, weight=weight)
        self._said, self._whole = "", whole
        self.setText(text)

    def setText(self, text: str) -> None:
        if text != self._said:
            self._said = text
            self.setAccessibleName(text)
            self.update()

    def text(self) -> str:
        return self._said

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._said) + 1, self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self.fontMetrics().height())

    def shown(self) -> str:
        """What there is room for."""
        metrics, parts = self.fontMetrics(), self.text().split(" · ")
        for count in range(len(parts), 0, -1):
            text = " · ".join(parts[:count])
            if metrics.horizontalAdvance(text) <= self.width():
                return text
        least = metrics.horizontalAdvance("m") * 6
        if self._whole or self.width() <= least:
            return ""
        return metrics.elidedText(parts[0], Qt.TextElideMode.ElideRight, self.width())


class Prose(QLabel):
    """A sentence with its numbers in bold: `About **19,193.67 USD** is sold.`"""

    def __init__(self, look: Look, *, token: str = "muted") -> None:
        super().__init__()
        self._look, self._token, self._strong, self._said = look, token, "text", ""
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        look.changed.connect(self._on_look_changed)

    def say(self, text: str, *, strong: str = "text") -> None:
        """Shows `text`, in which `**` begins and ends what is bold, in the colour of the token `strong`."""
        if (text, strong) != (self._said, self._strong):
            self._said, self._strong = text, strong
            self._on_look_changed()

    def _on_look_changed(self) -> None:
        self.setFont(self._look.font())
        plain, strong = self._look.hex(self._token), self._look.hex(self._strong)
        pieces = [
            f'<span style="color:{strong};font-weight:600">{escape(piece)}</span>' if place % 2 else escape(piece)
            for place, piece in enumerate(fmt.tied(self._said).split("**"))
        ]
        self.setText(f'<span style="color:{plain}">{"".join(pieces)}</span>')
        self.setAccessibleName(self._said.replace("**", ""))
