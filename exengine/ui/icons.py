"""Icons of our own, drawn once for each colour and size and then kept."""

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from exengine.assets import asset
from exengine.ui.theme import Look

SIZES = (16, 24, 32, 48)


class Icons:
    """SVG drawings of resources/icons, tinted with a token of the look in force."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._sources: dict[str, str] = {}
        self._icons: dict[tuple[str, str], QIcon] = {}
        self._pixmaps: dict[tuple[str, str, int, float], QPixmap] = {}
        look.changed.connect(self._forget)

    def icon(self, name: str, token: str = "text") -> QIcon:
        """For buttons and menus; its disabled state has the disabled colour."""
        key = (name, token)
        if key not in self._icons:
            icon = QIcon()
            for size in SIZES:
                icon.addPixmap(self._drawn(name, token, size))
                icon.addPixmap(self._drawn(name, "disabled", size), QIcon.Mode.Disabled)
            self._icons[key] = icon
        return self._icons[key]

    def button_icon(self, name: str, token: str = "text") -> QIcon:
        """For a button with a word: the gap between the two is part of the drawing, since Qt's own is too small."""
        key = (name, token + " in a button")
        if key not in self._icons:
            icon = QIcon()
            for size in SIZES:
                icon.addPixmap(_with_gap(self._drawn(name, token, size)))
                icon.addPixmap(_with_gap(self._drawn(name, "disabled", size)), QIcon.Mode.Disabled)
            self._icons[key] = icon
        return self._icons[key]

    def pixmap(self, name: str, token: str, size: int, ratio: float) -> QPixmap:
        """For painters: `size` logical pixels on a screen with `ratio` device pixels to each."""
        key = (name, token, size, ratio)
        if key not in self._pixmaps:
            pixmap = self._drawn(name, token, round(size * ratio))
            pixmap.setDevicePixelRatio(ratio)
            self._pixmaps[key] = pixmap
        return self._pixmaps[key]

    def _drawn(self, name: str, token: str, size: int) -> QPixmap:
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = asset(f"icons/{name}.svg").read_text(encoding="utf-8")
        tinted = source.replace("currentColor", self.look.hex(token))
        pixmap = QPixmap(QSize(size, size))
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        QSvgRenderer(QByteArray(tinted.encode())).render(painter, QRectF(0, 0, size, size))
        painter.end()
        return pixmap

    def _forget(self) -> None:
        self._icons.clear()
        self._pixmaps.clear()


def _with_gap(drawing: QPixmap) -> QPixmap:
    wide = QPixmap(QSize(drawing.width() * 5 // 4, drawing.height()))
    wide.fill(Qt.GlobalColor.transparent)
    painter = QPainter(wide)
    painter.drawPixmap(0, 0, drawing)
    painter.end()
    return wide
