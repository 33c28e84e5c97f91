"""The text of a help page: pictures as wide as the page allows, and drawings in the colours of the look."""

import re
from html import escape

from PySide6.QtCore import QByteArray, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QImage, QPainter, QPixmap, QResizeEvent, QTextDocument
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QFrame, QTextBrowser

from exengine.assets import asset
from exengine.ui.theme import Look

_COLOR = re.compile(r"#[0-9a-f]{6}")
_FAMILY = re.compile(r'font-family="[^"]*"')
PICTURES = "pictures/"
MARGIN = 24
"""Of the page, in logical pixels at the usual font size."""


class HelpBrowser(QTextBrowser):
    """Shows Markdown of resources/help. Tells when pictures want another width, for the page to be set again."""

    width_changed = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._set_for = 0
        self.setObjectName("help_text")
        self.setAccessibleName("Page")
        self.setOpenLinks(False)
        self.setFrameShape(QFrame.Shape.NoFrame)

    def set_page(self, markdown: str) -> None:
        self._set_for = self._room()
        self.document().setMarkdown(markdown, QTextDocument.MarkdownFeature.MarkdownDialectGitHub)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """A picture of the help, in the light theme a light one, no wider than the page; nothing from anywhere else."""
        path = name if isinstance(name, str) else name.toString()
        if kind != QTextDocument.ResourceType.ImageResource.value or not path.startswith(PICTURES) or ".." in path:
            return None
        file = asset(f"help/{path}")
        light = asset(f"help/{path.removesuffix('.png')}-light.png")
        if not self._look.is_dark and light.is_file():
            file = light
        if not file.is_file():
            return None
        data, ratio = file.read_bytes(), self.devicePixelRatioF()
        picture = self._drawing(data, ratio) if path.endswith(".svg") else self._photograph(data, ratio)
        picture.setDevicePixelRatio(ratio)
        return picture

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._room() != self._set_for:
            self.width_changed.emit()

    def _room(self) -> int:
        """How wide a picture may be, whether the page is long enough to be scrolled or not."""
        bar = self.verticalScrollBar().sizeHint().width()
        return max(self.width() - bar - 2 * self._look.scaled(MARGIN) - 2, 80)

    def _drawing(self, data: bytes, ratio: float) -> QPixmap:
        """A drawing is made in the light theme's colours; each of them becomes the same token of the look."""
        renderer = QSvgRenderer(QByteArray(tinted(data.decode("utf-8"), self._look).encode()))
        size = renderer.defaultSize()
        wide = min(self._look.scaled(size.width()), self._room())
        pixmap = QPixmap(QSize(round(wide * ratio), round(wide * ratio * size.height() / size.width())))
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter)
        painter.end()
        return pixmap

    def _photograph(self, data: bytes, ratio: float) -> QPixmap:
        image = QImage.fromData(QByteArray(data))
        wide = round(min(image.width() / ratio, self._room()) * ratio)
        smooth = Qt.TransformationMode.SmoothTransformation
        return QPixmap.fromImage(image if wide == image.width() else image.scaledToWidth(wide, smooth))


def tinted(svg: str, look: Look) -> str:
    """The drawing with the look's font and colours instead of the light theme's; of two that are one, the first."""
    names: dict[str, str] = {}
    for name, color in look.tokens.colors("light", look.tokens.pnl_palettes[0]).items():
        names.setdefault(color.name(), name)
    # Qt takes a list of families for the name of one.
    svg = _FAMILY.sub(f'font-family="{escape(look.font().family(), quote=True)}"', svg)
    return _COLOR.sub(lambda found: look.hex(names[found[0]]) if found[0] in names else found[0], svg)
