"""Renders the settings to PNG files: `python -m tests.ui.settings_screens build/screens`."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication

from exengine.engine.rows import Mode
from exengine.settings.account_keys import AccountKeys
from exengine.settings.follow import DiskEdit
from exengine.settings.form import LISTS, sections
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError, Problem
from exengine.ui.app import make_app
from exengine.ui.loop import Loop
from exengine.ui.settings_dialog import SettingsDialog
from exengine.ui.settings_keys import KeysSheet
from exengine.ui.settings_questions import GoLiveSheet, VaultSheet
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look, Scheme
from tests.ui import rows, screens
from tests.ui.settings_desk import FIT, MemoryDesk, MemoryKeys, config_of
from tests.ui.settings_walk import RUNNING, TEXTS, stops

Scene = Callable[[SettingsDialog], None]

CONFIG = {
    "accounts": [
        {"name": "paper", "exchange": "paper"},
        {"name": "binance-small", "exchange": "binance", "testnet": True},
        {"name": "perp", "exchange": "bybit", "market_type": "swap", "leverage": "3", "testnet": True},
        {"name": "bybit-live", "exchange": "bybit", "market_type": "swap", "leverage": "3", "enabled": False},
    ],
    "routing": [{"tv_exchange": "BINANCE", "account": "binance-small"}, {"tv_exchange": "BYBIT", "account": "paper"}],
    "grid": {
        "overrides": [
            {"match": {"symbol": "ETH/*"}, "grid": {"max_pyramids": 2}},
            {"match": {"account": "binance-small", "side": "long"}, "sizing": {"amount": "100"}},
        ]
    },
    "pool": {"max_open_groups": 6},
    "notifications": [{"url": "secret:notification-1f2e", "events": ["error", "order"]}],
}


def as_drawn(dialog: SettingsDialog) -> None:
    """The picture in design/."""
    for row, weight in enumerate(("28", "24", "23", "21", "4")):
        dialog.editing.put(("grid", "legs", row, "weight_percent"), weight)
    dialog.editing.put(("grid", "max_pyramids"), 3)
    dialog.editing.put(("grid", "min_pyramid_gap_percent"), "-0.5")
    dialog.editing.put(("sizing", "amount"), "100.5")
    dialog.preview.refresh()


def faults(dialog: SettingsDialog) -> None:
    """Something wrong in every field of the page that can be wrong."""
    for stop in stops():
        there = dialog.editing.draft.get(stop.place[:-1]) is not None and "overrides" not in stop.place
        if stop.page == dialog.navigation.current and stop.can_be_wrong and there:
            wrong = TEXTS[stop.leaf][1] if stop.leaf in TEXTS else "much"
            dialog.editing.draft.put(stop.place, [wrong] if stop.field.kind in LISTS else wrong)
    dialog.editing.changed.emit()
    dialog.preview.refresh()


def overrides(dialog: SettingsDialog) -> None:
    sheet = dialog.page("grid").parts[0].open_sheet()
    dialog.editing.put(("grid", "overrides", 0, "grid", "abandon_percent"), "4")
    dialog.editing.put(("grid", "overrides", 1, "match", "timeframe"), "soon")
    sheet.choose(0)


def live_account(dialog: SettingsDialog) -> None:
    """An account with keys, tried out."""
    dialog.editing.put(("accounts", 1, "testnet"), False)
    editor = dialog.current.parts[0]
    editor.list.setCurrentRow(1)
    editor.test._task = editor.test
    for finding in FIT:
        editor.test._told(finding)
    editor.test._conclude(dialog.editing.draft.config.accounts[1])
    editor.test._task = None
    editor.test.show()
    dialog.preview.refresh()


def going_live(dialog: SettingsDialog) -> None:
    live_account(dialog)
    config = dialog.editing.draft.config
    doubts = dialog.safe.doubts_of(config.accounts[1])
    sheet = GoLiveSheet(dialog.look, dialog.icons, dialog, config.accounts[1:2], config, doubts)
    sheet.open()
    sheet.word.setText("LIV")


def keys(dialog: SettingsDialog) -> None:
    KeysSheet(dialog.look, dialog.icons, dialog, "binance-small", "binance", Mode.TESTNET).open()


def removing(dialog: SettingsDialog) -> None:
    editor = dialog.current.parts[0]
    editor.list.setCurrentRow(1)
    editor.remove.click()


def vault(dialog: SettingsDialog) -> None:
    VaultSheet(dialog.look, dialog.icons, dialog, exists=False, why="the system has no keyring").open()


def discard(dialog: SettingsDialog) -> None:
    as_drawn(dialog)
    dialog.reject()


def failed(dialog: SettingsDialog) -> None:
    dialog.editing.put(("listener", "port"), 8080)
    dialog.applying.failed.emit(
        ConfigError(
            "This cannot be applied:",
            problems=[Problem(place=("listener", "port"), message="is taken by another program")],
            safe="Nothing was changed.", remedy="Choose another port.",
        )
    )  # fmt: skip
    dialog.preview.refresh()


def edited(dialog: SettingsDialog) -> None:
    as_drawn(dialog)
    dialog.desk.edit = DiskEdit(config=Config(), fault="")
    dialog.desk.tell()


def locked(dialog: SettingsDialog) -> None:
    dialog.editing.put(("security", "read_only"), True)
    dialog.editing.lock("The settings are read-only.")
    dialog.preview.refresh()


def large(dialog: SettingsDialog) -> None:
    as_drawn(dialog)


def narrow(dialog: SettingsDialog) -> None:
    dialog.parentWidget().resize(960, 600)
    dialog.fit()
    dialog.move(24, 24)
    as_drawn(dialog)


def searching(dialog: SettingsDialog) -> None:
    dialog.navigation.search.setText("seconds")


def plain(dialog: SettingsDialog) -> None:
    return None


SCENES: dict[str, tuple[str, Scene]] = {
    "as-drawn": ("grid", as_drawn),
    "search": ("queue", searching),
    "overrides": ("grid", overrides),
    "live-account": ("accounts", live_account),
    "going-live": ("accounts", going_live),
    "keys": ("accounts", keys),
    "removing": ("accounts", removing),
    "vault": ("accounts", vault),
    "discard": ("grid", discard),
    "failed": ("listener", failed),
    "edited": ("grid", edited),
    "locked": ("risk", locked),
    "font-16": ("grid", large),
    "narrow": ("grid", narrow),
}


class Stage:
    """One window for all pictures; each gets a dialog of its own over it."""

    def __init__(self, app: QApplication, look: Look, folder: Path, size: tuple[int, int]) -> None:
        self.stage = screens.Stage(app, look, folder, size, Mode.PAPER)
        screens.normal(self.stage)
        self.look, self.loop, self.size, self._folder = look, Loop(app), size, folder

    def shoot(self, page: str, scene: Scene, tree: dict[str, object]) -> QPixmap:
        """The dialog at a page, as a scene leaves it."""
        window, look = self.stage.window, self.look
        desk, keys = MemoryDesk(config_of(**tree), self._folder / "config.json"), MemoryKeys()
        keys.kept["binance-small"] = AccountKeys(api_key="k" * 12 + "B19K", secret="s" * 12)
        dialog = SettingsDialog(
            look, window.icons, window, desk, keys=keys, mode=Mode.PAPER, now_ms=lambda: rows.NOW_MS, page=page
        )
        dialog.open()
        self.loop.run_until_complete(dialog.look_for_keys())
        scene(dialog)
        self.stage.settle()
        sheets = [sheet for sheet in dialog.findChildren(Sheet) if sheet.isVisible()]
        picture = self.stage.shot_with(dialog, *sheets)
        for sheet in sheets:
            sheet.done(0)
        dialog.done(0)
        window.resize(*self.size)
        self.stage.settle()
        return picture

    def close(self) -> None:
        self.stage.close()
        self.loop.close()


def scenes() -> dict[str, tuple[str, Scene]]:
    """All of them: every page as it is and with what may be wrong on it, and what else the dialog shows."""
    found = dict(SCENES)
    for section in sections():
        found[section.name] = (section.name, plain)
        found[f"{section.name}-faults"] = (section.name, faults)
    return found


def tree_of(name: str) -> dict[str, object]:
    return RUNNING if name.endswith("-faults") else CONFIG


def render(folder: Path, only: str = "", sizes: tuple[tuple[int, int], ...] = ((1440, 900),)) -> Iterator[Path]:
    """Every scene in both themes."""
    app = QApplication.instance() or make_app([])
    assert isinstance(app, QApplication)
    look = Look(app, scheme=Scheme.DARK)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {name: scene for name, scene in scenes().items() if only in name}
    if not wanted:
        return
    with tempfile.TemporaryDirectory() as place:
        for size in sizes:
            stage = Stage(app, look, Path(place), size)
            for scheme in (Scheme.DARK, Scheme.LIGHT):
                for name, (page, scene) in wanted.items():
                    look.choose(scheme=scheme, font_size=16 if name == "font-16" else 10)
                    path = folder / f"settings-{name}-{scheme.value}-{size[0]}.png"
                    stage.shoot(page, scene, tree_of(name)).save(str(path))
                    yield path
            stage.close()


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/screens")
    for written in render(target, sys.argv[2] if len(sys.argv) > 2 else ""):
        print(written)
