"""Makes the one QApplication of the program, and nothing of the engine."""

import sys

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from exengine import __version__

NAME = "ExEngine"
DESKTOP_FILE = "exengine"


def make_app(arguments: list[str] | None = None) -> QApplication:
    """The application, with Fusion and fractional scaling as the screen has it.

    Closing the last window does not end it: that starts the staged shutdown, which does.
    """
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    QGuiApplication.setDesktopFileName(DESKTOP_FILE)
    QCoreApplication.setApplicationName(NAME)
    QCoreApplication.setApplicationVersion(__version__)
    app = QApplication(sys.argv[:1] if arguments is None else arguments)
    app.setStyle("Fusion")
    app.setQuitOnLastWindowClosed(False)
    # Icons in menus are part of the design, on platforms that hide them by default too.
    app.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus, False)
    return app
