"""Windows are tested without a screen, on the application as the program makes it."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from exengine.engine.rows import Mode
from exengine.ui.app import make_app
from exengine.ui.bridge import Bridge
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.loop import Loop
from exengine.ui.theme import Look, Scheme
from exengine.ui.window import Window
from tests.ui import rows
from tests.ui.feed import Feed, Recorder, setup

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The platform without a screen says this of every window that has a smallest size.
    silent = pytest.mark.qt_log_ignore("propagateSizeHints")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(silent)


@pytest.fixture(scope="module", autouse=True)
def _collected_in_this_thread() -> Iterator[None]:
    """A window that was let go of must not be collected by the store's thread; what a module leaves goes here."""
    was_on = gc.isenabled()
    gc.disable()
    yield
    gc.collect()
    if was_on:
        gc.enable()


@pytest.fixture(autouse=True)
def _deleted_at_once() -> Iterator[None]:
    """Outside a running loop Qt keeps what is to be deleted later, and every new look would be put on it as well."""
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    return QApplication


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    existing = QApplication.instance()
    return existing if isinstance(existing, QApplication) else make_app([])


@pytest.fixture
def look(qapp: QApplication) -> Look:
    return Look(qapp, scheme=Scheme.DARK)


@pytest.fixture
def icons(look: Look) -> Icons:
    return Icons(look)


class Stage:
    """A window on a feed that a test fills by hand; commands are written down."""

    def __init__(self, look: Look, folder: Path, mode: Mode = Mode.PAPER) -> None:
        self.feed, self.commands = Feed(), Recorder()
        self.now_ms = rows.NOW_MS
        self.closed: list[str] = []
        self.look, self.folder, self.mode = look, folder, mode
        self.bridge = Bridge(self.feed, self.commands, now_ms=lambda: self.now_ms)
        self.layouts = LayoutStore(folder / "layout.ini")
        self.window = Window(look, self.bridge, setup(mode), self.layouts, on_close=self._close)
        self.window.resize(1440, 900)

    async def _close(self) -> None:
        self.closed.append("closed")

    def show(self) -> "Stage":
        self.window.show()
        self.settle()
        return self

    def put(self, changes: rows.ViewChanges, *, urgent: bool = True) -> None:
        """Gives changes to the window, and waits until they are shown."""
        self.feed.put(changes, urgent=urgent)
        self.bridge.flush()
        self.settle()

    def put_sample(self) -> None:
        self.put(
            rows.changes(
                rows.sample_groups(),
                quotes=rows.sample_quotes(),
                signals=rows.sample_signals(),
                log=rows.sample_log(),
                engine=rows.engine(mode=self.mode),
            )
        )

    @staticmethod
    def settle() -> None:
        for _ in range(3):
            QApplication.processEvents()


@pytest.fixture
def stage(look: Look, tmp_path: Path, qtbot) -> Iterator[Stage]:
    made = Stage(look, tmp_path).show()
    yield made
    made.bridge.close()
    made.window.hide()
    made.window.deleteLater()
    made.settle()


@pytest.fixture
def on_loop(qapp: QApplication) -> Iterator[Loop]:
    """The program's loop, for what a click starts: `on_loop.run_until_complete(…)`."""
    loop = Loop(qapp)
    yield loop
    loop.close()
