"""The program's icon as each system wants it, drawn from resources/icons/app.svg when an installer is made."""

import json
import os
import struct
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

ROOT = Path(__file__).resolve().parent.parent

PNG_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
ICNS_KINDS = {b"icp4": 16, b"icp5": 32, b"ic07": 128, b"ic08": 256, b"ic09": 512, b"ic10": 1024}
"""Apple's four letters for a PNG of each size."""

MARGIN, CORNER = 0.06, 0.22
"""Of the tile around the drawing, in shares of the icon's width."""


def make_icons(folder: Path) -> None:
    """Writes exengine-SIZE.png, exengine.ico and exengine.icns into `folder`."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QGuiApplication.instance() or QGuiApplication([])
    folder.mkdir(parents=True, exist_ok=True)
    pngs = {size: _png(size) for size in {*PNG_SIZES, *ICO_SIZES, *ICNS_KINDS.values()}}
    for size in PNG_SIZES:
        (folder / f"exengine-{size}.png").write_bytes(pngs[size])
    (folder / "exengine.ico").write_bytes(_ico({size: pngs[size] for size in ICO_SIZES}))
    (folder / "exengine.icns").write_bytes(_icns({kind: pngs[size] for kind, size in ICNS_KINDS.items()}))
    del app


def _png(size: int) -> bytes:
    """The drawing in the accent colour on a tile of the dark surface."""
    tokens = json.loads((ROOT / "resources" / "tokens.json").read_text(encoding="utf-8"))["themes"]["dark"]
    drawing = (ROOT / "resources" / "icons" / "app.svg").read_text(encoding="utf-8")
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor(0, 0, 0, 0))
    painter.setBrush(QColor(tokens["surface"]))
    tile = QRectF(0, 0, size, size).adjusted(*(size * MARGIN * side for side in (1, 1, -1, -1)))
    painter.drawRoundedRect(tile, size * CORNER, size * CORNER)
    inner = QRectF(0, 0, size, size).adjusted(*(size * (MARGIN + 0.08) * side for side in (1, 1, -1, -1)))
    QSvgRenderer(QByteArray(drawing.replace("currentColor", tokens["accent"]).encode())).render(painter, inner)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):
        raise RuntimeError(f"no PNG of {size} pixels could be made")
    return bytes(buffer.data().data())


def _ico(pngs: dict[int, bytes]) -> bytes:
    """Windows' container: a header, an entry of 16 bytes for each picture, and the pictures (0 is 256 pixels)."""
    head, at = struct.pack("<HHH", 0, 1, len(pngs)), 6 + 16 * len(pngs)
    for size, data in pngs.items():
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(data), at)
        at += len(data)
    return head + b"".join(pngs.values())


def _icns(pngs: dict[bytes, bytes]) -> bytes:
    """Apple's container: each picture behind its four letters and its length."""
    parts = b"".join(kind + struct.pack(">I", 8 + len(data)) + data for kind, data in pngs.items())
    return b"icns" + struct.pack(">I", 8 + len(parts)) + parts
