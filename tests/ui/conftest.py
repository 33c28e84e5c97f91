"""Windows are tested without a screen."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtWidgets import QApplication


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """The application as the program makes it: closing a window does not end it."""
    qapp.setQuitOnLastWindowClosed(False)
    return qapp
