"""What is said under a field: an icon by how grave it is, and a sentence; and the border of a field that is wrong."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from exengine.ui.icons import Icons
from exengine.ui.pieces import Label
from exengine.ui.theme import Look

ICONS = {"error": "error", "warn": "warn", "success": "check"}


class Remark(QWidget):
    """An icon and what is wrong, or what has become of it; gone where there is nothing to say."""

    def __init__(self, look: Look, icons: Icons) -> None:
        super().__init__()
        self._look, self._icons, self.token = look, icons, "error"
        self._icon = Label(look)
        self._words = Label(look, token="error")
        self._words.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._words, 1, Qt.AlignmentFlag.AlignTop)
        look.changed.connect(self._show_icon)
        self._show_icon()
        self.hide()

    def say(self, text: str, token: str = "error") -> None:
        """Says it as a sentence, or with an empty text nothing. `token` is its colour, and gives the icon."""
        said = sentence(text)
        if said != self._words.text():
            self._words.setText(said)
        if token != self.token:
            self.token = token
            self._words.set_token(token)
            self._show_icon()
        self.setVisible(bool(said))

    def text(self) -> str:
        """What is said; empty where nothing is."""
        return self._words.text()

    def _show_icon(self) -> None:
        name = ICONS.get(self.token, "")
        self._icon.setVisible(bool(name))
        if name:
            size = self._look.grown(14)
            self._icon.setPixmap(self._icons.pixmap(name, self.token, size, self.devicePixelRatioF()))


def sentence(text: str) -> str:
    """`text` with a capital and a full stop; the path of a setting is spelled as it is."""
    if not {".", "_"} & set(text.partition(" ")[0].rstrip(".:")):
        text = text[:1].upper() + text[1:]
    return text if not text or text[-1] in ".!?…" else text + "."


def set_marks(widget: QWidget, *, changed: bool = False, faulty: bool) -> None:
    """Tells the style sheet; a widget is polished again only where something is different."""
    _mark(widget, changed=changed, faulty=faulty)


def set_chosen(widget: QWidget, *, chosen: bool) -> None:
    """Tells the style sheet that a cell's row is the one that is chosen."""
    _mark(widget, chosen=chosen)


def _mark(widget: QWidget, **marks: bool) -> None:
    if any(widget.property(name) != on for name, on in marks.items()):
        for name, on in marks.items():
            widget.setProperty(name, on)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()
