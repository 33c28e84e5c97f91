"""The menu bar: every action with its text, its key and what it does, and only actions that work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QDockWidget, QMenu, QMenuBar

from exengine.domain.events import QueueAction
from exengine.ui.arrangement import STOCK
from exengine.ui.icons import Icons
from exengine.ui.theme import Look, Scheme

QUEUE_ACTIONS = {
    QueueAction.PROMOTE: ("promote_entry", "promote"),
    QueueAction.FORCE: ("force_entry", "force"),
    QueueAction.REMOVE: ("remove_entry", "close"),
}
"""The name and the icon of each."""

FONT_SIZES = (8, 9, 10, 11, 12, 14, 16, 18, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handlers:
    """What the actions call; the window gives its own methods."""

    quit: Callable[[], object]
    reset_layout: Callable[[], object]
    next_dock: Callable[[], object]
    pause_or_resume: Callable[[], object]
    panic: Callable[[], object]
    close_group: Callable[[], object]
    cancel_entries: Callable[[], object]
    copy_rows: Callable[[], object]
    expand_all: Callable[[], object]
    collapse_all: Callable[[], object]
    send_test_alert: Callable[[], object]
    copy_alert_text: Callable[[], object]
    copy_webhook_url: Callable[[], object]
    about: Callable[[], object]
    layout: Callable[[str], object]
    queue: Callable[[QueueAction], object]
    run_risk: Callable[[], object]
    skip_group: Callable[[], object]
    block_group: Callable[[], object]
    adopt_view: Callable[[], object]


class Menus:
    """Owns the actions; the window switches them on and off and changes their words."""

    def __init__(self, bar: QMenuBar, look: Look, icons: Icons, handlers: Handlers, docks: list[QDockWidget]) -> None:
        self._look, self._icons = look, icons
        self.actions: dict[str, QAction] = {}
        self._icon_names: dict[str, tuple[str, str]] = {}
        self._file(bar.addMenu("&File"), handlers)
        self._view(bar.addMenu("&View"), handlers, docks)
        self._engine(bar.addMenu("&Engine"), handlers)
        self._positions(bar.addMenu("&Positions"), handlers)
        self._tools(bar.addMenu("&Tools"), handlers)
        self._help(bar.addMenu("&Help"), handlers)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()

    def _add(
        self,
        menu: QMenu,
        name: str,
        text: str,
        call: Callable[[], object],
        *,
        key: QKeySequence | QKeySequence.StandardKey | str | None = None,
        icon: str = "",
        token: str = "text",
    ) -> QAction:
        action = menu.addAction(text)
        action.setObjectName(name)
        action.triggered.connect(lambda *_: call())
        if key is not None:
            action.setShortcut(QKeySequence(key))
        if icon:
            self._icon_names[name] = (icon, token)
        self.actions[name] = action
        return action

    def _file(self, menu: QMenu, handlers: Handlers) -> None:
        quit_action = self._add(menu, "quit", "&Quit", handlers.quit, key="Ctrl+Q")
        quit_action.setMenuRole(QAction.MenuRole.QuitRole)

    def _view(self, menu: QMenu, handlers: Handlers, docks: list[QDockWidget]) -> None:
        for dock in docks:
            shown = QAction(dock.accessibleName(), menu)
            shown.setObjectName(f"show_{dock.objectName()}")
            shown.setCheckable(True)
            shown.setChecked(True)
            # Not the dock's own action: that one changes its words with the tab's.
            shown.triggered.connect(lambda on, dock=dock: _show(dock, on))
            dock.toggleViewAction().toggled.connect(shown.setChecked)
            menu.addAction(shown)
            self.actions[shown.objectName()] = shown
        menu.addSeparator()
        self._add(menu, "next_dock", "Next dock", handlers.next_dock, key="F6")
        for name, stock in STOCK.items():
            self._add(menu, f"layout_{name}", f"{stock.title} layout", partial(handlers.layout, name), key=stock.key)
        self._add(menu, "reset_layout", "Reset layout", handlers.reset_layout, icon="")
        menu.addSeparator()
        self._themes(menu.addMenu("Theme"))
        self._palettes(menu.addMenu("Profit and loss colours"))
        self._font_sizes(menu.addMenu("Font size"))

    def _chooser(
        self, menu: QMenu, name: str, choices: dict[str, object], chosen: object, choose: Callable[[object], None]
    ) -> None:
        group = QActionGroup(menu)
        for text, value in choices.items():
            action = menu.addAction(text)
            action.setObjectName(f"{name}_{value}")
            action.setCheckable(True)
            action.setChecked(value == chosen)
            action.triggered.connect(lambda *_, value=value: choose(value))
            group.addAction(action)
            self.actions[action.objectName()] = action

    def _themes(self, menu: QMenu) -> None:
        choices: dict[str, object] = {"System": "system", "Light": "light", "Dark": "dark"}
        self._chooser(
            menu, "theme", choices, self._look.scheme.value, lambda value: self._look.choose(scheme=Scheme(value))
        )

    def _palettes(self, menu: QMenu) -> None:
        names: dict[str, object] = {name.capitalize(): name for name in self._look.tokens.pnl_palettes}
        self._chooser(
            menu, "pnl", names, self._look.pnl_palette, lambda value: self._look.choose(pnl_palette=str(value))
        )

    def _font_sizes(self, menu: QMenu) -> None:
        sizes: dict[str, object] = {str(size): size for size in FONT_SIZES}
        self._chooser(
            menu, "font", sizes, self._look.font_size, lambda value: self._look.choose(font_size=int(str(value)))
        )

    def _engine(self, menu: QMenu, handlers: Handlers) -> None:
        self._add(menu, "pause", "Pause", handlers.pause_or_resume, icon="pause")
        menu.addSeparator()
        self._queue(menu, handlers)
        self._risk(menu, handlers)
        menu.addSeparator()
        self._add(menu, "panic", "Panic…", handlers.panic, icon="panic", token="error")

    def _queue(self, menu: QMenu, handlers: Handlers) -> None:
        for action, (name, icon) in QUEUE_ACTIONS.items():
            self._add(menu, name, "", partial(handlers.queue, action), icon=icon)
        self.show_queue("", dict.fromkeys(QueueAction, False))
        menu.addSeparator()

    def _risk(self, menu: QMenu, handlers: Handlers) -> None:
        self._add(menu, "run_risk", "", handlers.run_risk, icon="run")
        self._add(menu, "skip_group", "", handlers.skip_group, icon="skip")
        self._add(menu, "block_group", "", handlers.block_group, icon="block")
        self.show_risk("", can_run=False, can_skip=False, blocked=False)

    def show_queue(self, name: str, able: Mapping[QueueAction, bool]) -> None:
        """Says which waiting entry the actions are about."""
        what = name or "waiting entry"
        for action, text in (
            (QueueAction.PROMOTE, f"Promote {what}"),
            (QueueAction.FORCE, f"Force {what}…"),
            (QueueAction.REMOVE, f"Remove {what} from the queue"),
        ):
            made = self.actions[QUEUE_ACTIONS[action][0]]
            made.setText(text)
            made.setEnabled(able[action])

    def show_risk(self, name: str, *, can_run: bool, can_skip: bool, blocked: bool) -> None:
        """Says which group the actions of the risk engine are about."""
        self.actions["run_risk"].setText(f"Run the plan of {name} now…" if name else "Run the risk engine now…")
        self.actions["run_risk"].setEnabled(can_run)
        self.actions["skip_group"].setText(f"Skip {name or 'group'} once")
        self.actions["skip_group"].setEnabled(can_skip)
        verb = "Unblock" if blocked else "Block"
        self.actions["block_group"].setText(f"{verb} {name}" if name else "Block group")
        self.actions["block_group"].setEnabled(bool(name))

    def _positions(self, menu: QMenu, handlers: Handlers) -> None:
        self._add(menu, "close_group", "Close group…", handlers.close_group)
        self._add(menu, "cancel_entries", "Cancel entries", handlers.cancel_entries)
        self._add(menu, "adopt_view", "Adopt the exchange’s view…", handlers.adopt_view).setEnabled(False)
        menu.addSeparator()
        self._add(menu, "copy_rows", "Copy rows", handlers.copy_rows, icon="copy")
        menu.addSeparator()
        self._add(menu, "expand_all", "Expand all", handlers.expand_all)
        self._add(menu, "collapse_all", "Collapse all", handlers.collapse_all)

    def _tools(self, menu: QMenu, handlers: Handlers) -> None:
        self._add(menu, "send_test_alert", "Send test alert…", handlers.send_test_alert, icon="send")
        menu.addSeparator()
        self._add(menu, "copy_alert_text", "Copy alert text", handlers.copy_alert_text, icon="copy")
        self._add(menu, "copy_webhook_url", "Copy webhook URL", handlers.copy_webhook_url, icon="copy")

    def _help(self, menu: QMenu, handlers: Handlers) -> None:
        about = self._add(menu, "about", "About ExEngine", handlers.about)
        about.setMenuRole(QAction.MenuRole.AboutRole)

    def show_pause(self, *, paused: bool, possible: bool) -> None:
        action = self.actions["pause"]
        action.setText("Resume" if paused else "Pause")
        action.setEnabled(possible)
        self._icon_names["pause"] = ("run" if paused else "pause", "text")
        action.setIcon(self._icons.icon(*self._icon_names["pause"]))
        self.actions["panic"].setEnabled(possible)

    def show_group(self, name: str | None, cancel_words: str, *, can_close: bool, can_cancel: bool) -> None:
        """Says which group the actions of the Positions menu are about."""
        self.actions["close_group"].setText(f"Close {name}…" if name else "Close group…")
        self.actions["close_group"].setEnabled(can_close)
        self.actions["cancel_entries"].setText(cancel_words)
        self.actions["cancel_entries"].setEnabled(can_cancel)
        self.actions["copy_rows"].setEnabled(name is not None)

    def _on_look_changed(self) -> None:
        for name, (icon, token) in self._icon_names.items():
            self.actions[name].setIcon(self._icons.icon(icon, token))


def _show(dock: QDockWidget, shown: bool) -> None:
    dock.setVisible(shown)
    if shown:
        dock.raise_()
