"""Pictures of the windows beside the main one: the pages of the help, and the steps of the first-run wizard."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtWidgets import QApplication

from exengine.engine.rows import Mode
from exengine.ui.app import make_app
from exengine.ui.first_run import FirstRun
from exengine.ui.help_text import PAGES
from exengine.ui.theme import Look, Scheme
from tests.ui.feed import setup
from tests.ui.screens import Stage, empty
from tests.ui.test_first_run import Desk

STEPS = ("where", "keys", "capital", "webhook", "limits")


def render(folder: Path, only: str = "") -> Iterator[Path]:
    """Both themes; every page of the help, and every step for an account that trades real money."""
    app = QApplication.instance() or make_app([])
    assert isinstance(app, QApplication)
    look = Look(app, scheme=Scheme.DARK)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as layouts:
        for scheme in (Scheme.DARK, Scheme.LIGHT):
            look.choose(scheme=scheme)
            stage = Stage(app, look, Path(layouts), (1440, 900), Mode.PAPER)
            empty(stage)
            for name in PAGES:
                if only in f"help-{name}":
                    stage.window.help.open(name)
                    stage.settle()
                    path = folder / f"help-{name}-{scheme.value}.png"
                    assert stage.window.help.window is not None
                    stage.window.help.window.grab().save(str(path))
                    yield path
            if only in "first-run":
                yield from _wizard(stage, folder, scheme.value)
            stage.close()


def _wizard(stage: Stage, folder: Path, scheme: str) -> Iterator[Path]:
    desk, window = Desk(), stage.window
    wizard = FirstRun(window.look, window.icons, window, desk, desk, setup=setup(), book=window.book)
    window.clicks.show(wizard)
    wizard.where.live.setChecked(True)
    wizard.where.money.setCurrentText("Real money")
    for place, name in enumerate(STEPS):
        wizard.go_to(place)
        path = folder / f"first-run-{name}-{scheme}.png"
        stage.shot().save(str(path))
        yield path
