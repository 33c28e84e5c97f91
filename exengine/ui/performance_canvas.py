"""A ground for plots in the program's look: pyqtgraph's scene, with our own zooming, keys and layer on top."""

from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QWidget

from exengine.ui.theme import Look

ZOOM = 1.4
"""How much a key zooms."""


class Box(pg.ViewBox):
    """Zooms and moves along the time only."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False, border=None)
        self.setMouseEnabled(x=True, y=False)
        self.disableAutoRange()
        self.setDefaultPadding(0)


class Layer(QWidget):
    """What is drawn over the plots while the pointer is there, without drawing them again."""

    def __init__(self, canvas: "Canvas", paint: Callable[[QPainter], None]) -> None:
        super().__init__(canvas.viewport())
        self._paint = paint
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint(painter)


class Canvas(pg.GraphicsLayoutWidget):
    """One or more plots over each other. `pointed` follows the pointer, `stepped` and `zoomed` the keys."""

    pointed = Signal(object)
    """Where the pointer is, as a QPointF of the canvas; None when it has left."""
    stepped = Signal(int)
    zoomed = Signal(float)
    fit_asked = Signal()

    def __init__(self, look: Look, name: str) -> None:
        super().__init__(show=False)
        self.look = look
        self.layer: Layer | None = None
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.ci.layout.setSpacing(0)
        self.ci.layout.setContentsMargins(0, 0, 0, 0)
        self.setAntialiasing(True)
        self.setMinimumHeight(80)
        self.restyle()

    def restyle(self) -> None:
        self.setBackground(self.look.color("surface"))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)
        layer = getattr(self, "layer", None)
        if layer is not None:
            layer.setGeometry(self.viewport().rect())

    def place_of(self, box: pg.ViewBox, x: float, y: float) -> QPointF:
        """Where a value of a plot lies on the canvas."""
        at: QPointF = box.mapViewToScene(QPointF(x, y))
        return QPointF(self.mapFromScene(at))

    def area_of(self, box: pg.ViewBox) -> QRectF:
        scene: QRectF = box.sceneBoundingRect()
        return QRectF(QPointF(self.mapFromScene(scene.topLeft())), QPointF(self.mapFromScene(scene.bottomRight())))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self.pointed.emit(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        self.fit_asked.emit()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Left:
                self.stepped.emit(-1)
            case Qt.Key.Key_Right:
                self.stepped.emit(1)
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoomed.emit(1 / ZOOM)
            case Qt.Key.Key_Minus:
                self.zoomed.emit(ZOOM)
            case Qt.Key.Key_Home:
                self.fit_asked.emit()
            case Qt.Key.Key_Escape:
                self.pointed.emit(None)
            case _:
                event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            painter.setPen(QPen(self.look.color("focus"), 1, Qt.PenStyle.DotLine))
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))
