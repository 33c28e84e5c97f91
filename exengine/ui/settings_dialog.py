"""Settings: a page for each section of the configuration, a preview, and Apply (UI.md, Dialogs)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from exengine.domain.errors import UserError
from exengine.engine.rows import Mode
from exengine.settings.form import Section, sections
from exengine.settings.pages import Config, ExchangeName
from exengine.settings.problems import ConfigError, Problem
from exengine.ui import format as fmt
from exengine.ui.choice import Tick
from exengine.ui.icons import Icons
from exengine.ui.pieces import FittingLabel, Hairline, Label, button
from exengine.ui.settings_accounts import AccountsEditor
from exengine.ui.settings_apply import Applying, message
from exengine.ui.settings_books import PAGES
from exengine.ui.settings_files import back_up, choose_backup, choose_restore, restored
from exengine.ui.settings_keys import AccountDesk
from exengine.ui.settings_nav import Navigation, PageState
from exengine.ui.settings_notice import Notice
from exengine.ui.settings_notices import NoticesEditor
from exengine.ui.settings_page import SettingsPage, trading_page
from exengine.ui.settings_preview import Preview
from exengine.ui.settings_questions import DiscardSheet
from exengine.ui.settings_safe import Safe
from exengine.ui.settings_state import Editing, SettingsDesk
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look

WIDTH, HEIGHT = 1240, 800
"""In px, where the window has the room; they grow with the font."""
_MARGIN = 48
APPLY = "Apply && restart engine"
PREVIEW, LEAST_PAGE = 422, 575
READ_ONLY = ("security", "read_only")
LOCKED = "The settings are read-only: untick Read-only below to change them."
"""Said of every input while `security.read_only` is on."""


class SettingsDialog(Sheet):
    """What is typed is a draft until Apply; nothing in it reaches the engine or the file before."""

    def __init__(
        self,
        look: Look,
        icons: Icons,
        parent: QWidget,
        desk: SettingsDesk,
        *,
        keys: AccountDesk,
        mode: Mode,
        now_ms: Callable[[], int],
        held: Callable[[str], tuple[int, int]] = lambda account: (0, 0),
        page: str = "grid",
    ) -> None:
        """`held` tells how many groups an account has open, and how many orders rest there."""
        super().__init__(
            look, icons, parent, name="settings", title="Settings", mode=mode if mode is Mode.LIVE else None
        )
        self.desk, self.safe, self.held = desk, Safe(keys), held
        self.told = ""
        """What is to be said after an apply."""
        self.editing = Editing(desk.config, locked=LOCKED if desk.config.security.read_only else "")
        self.pages: dict[str, SettingsPage] = {}
        """Those that were looked at; the others are made when they are."""
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        self.navigation = Navigation(look, icons, sections())
        self._stack = QStackedWidget()
        self.preview = Preview(look, icons, self.editing, desk, now_ms=now_ms)
        self.notice = Notice(look, icons)
        self.progress = Hairline(look, token="accent")
        self.progress.setFixedHeight(2)
        self.progress.hide()
        self.applying = Applying(self)
        self._discarding = False
        self._build()
        self._build_bar()
        self._connect()
        self.navigation.choose(page)
        self._on_look_changed()
        self._show_edit()
        self.refresh()
        self.preview.refresh()
        self.cancel.setFocus()

    async def look_for_keys(self) -> None:
        """Finds out which accounts have keys; the dialog is there meanwhile."""
        live = (one.name for one in self.desk.config.accounts if one.exchange is not ExchangeName.PAPER)
        await self.safe.look(tuple(live))

    # Building

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.navigation)
        row.addWidget(Hairline(self.look, vertical=True))
        self._middle = QWidget()
        middle = QVBoxLayout(self._middle)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        middle.addWidget(self.notice)
        middle.addWidget(self._stack, 1)
        row.addWidget(self._middle, 1)
        row.addWidget(Hairline(self.look, vertical=True))
        row.addWidget(self.preview)
        self.body.addWidget(self.progress)
        self.body.addLayout(row, 1)

    def _build_bar(self) -> None:
        look = self.look
        self.buttons.setContentsMargins(16, 10, 16, 10)
        self.reset = button(look, "Reset page")
        self.back_up, self.restore = button(look, "Back up…"), button(look, "Restore…")
        self.read_only = Tick(look, self.icons, "Read-only", icon="lock")
        self.read_only.setObjectName("settings_read_only")
        self.fault_icon, self.fault = Label(look), FittingLabel(look, token="error")
        for widget in (self.reset, self.back_up, self.restore):
            self.buttons.addWidget(widget)
        self.buttons.addSpacing(16)
        self.buttons.addWidget(self.read_only)
        self.show_preview = button(look, "Preview")
        self.show_preview.setCheckable(True)
        self.show_preview.toggled.connect(self._arrange)
        self.buttons.addWidget(self.show_preview)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.fault_icon)
        self.buttons.addWidget(self.fault)
        self.buttons.addSpacing(8)
        self.cancel = self.add_cancel()
        self.apply = button(look, APPLY, kind="primary")
        self.apply.setObjectName("settings_apply")
        self.buttons.addWidget(self.apply)
        self.reset.clicked.connect(self._on_reset)
        self.read_only.clicked.connect(self._on_read_only)

    def _connect(self) -> None:
        self.navigation.chosen.connect(self.show_page)
        self.navigation.searched.connect(self._on_searched)
        self.editing.changed.connect(self.refresh)
        self.safe.changed.connect(self._refresh_bar)
        self.back_up.clicked.connect(lambda: choose_backup(self, self.desk.config_file.parent, self.back_up_to))
        self.restore.clicked.connect(lambda: choose_restore(self, self.desk.config_file.parent, self.restore_from))
        self.apply.clicked.connect(self.applying.begin)
        self.applying.busy.connect(self._on_busy)
        self.applying.slow.connect(self.progress.setVisible)
        self.applying.done.connect(self._on_done)
        self.applying.failed.connect(self._on_failed)
        for keys, target in (("Ctrl+F", self.navigation.search), ("F6", self.navigation.list)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(lambda target=target: target.setFocus(Qt.FocusReason.ShortcutFocusReason))
        self.look.changed.connect(self._on_look_changed)
        self._unsubscribe = self.desk.subscribe(self._on_desk)

    # Pages

    def page(self, name: str) -> SettingsPage:
        """The page of a section, made at its first use."""
        if name not in self.pages:
            section = next(one for one in sections() if one.name == name)
            made = SettingsPage(self.look, self.icons, self.editing, section)
            if name == "accounts":
                made.add_part(AccountsEditor(made, self.safe, self.held))
            elif name == "notifications":
                made.add_part(NoticesEditor(made.look, made.icons, made.editing, self.safe.desk.send_test_notice))
            else:
                PAGES.get(name, trading_page)(made)
            made.finish()
            self.pages[name] = made
            self._stack.addWidget(made)
        return self.pages[name]

    @property
    def current(self) -> SettingsPage:
        return self.page(self.navigation.current)

    def show_page(self, name: str) -> None:
        page = self.page(name)
        page.refresh()
        page.search(self._wanted)
        self._stack.setCurrentWidget(page)
        self.preview.show_page(name)
        self._refresh_bar()

    @property
    def _wanted(self) -> str:
        return self.navigation.search.text().strip().lower()

    def _on_searched(self, wanted: str) -> None:
        self._refresh_states()
        if not wanted:
            self.current.search("")
            return
        hits = {section.name: self._hits(section, wanted) for section in sections()}
        if not hits[self.navigation.current]:
            first = next((name for name, count in hits.items() if count), None)
            if first is not None:
                self.navigation.choose(first)
        self.current.search(wanted)

    def _hits(self, section: Section, wanted: str) -> int:
        if wanted in section.title.lower():
            return max(1, len(section.fields))
        return sum(1 for part in self.page(section.name).parts if part.matches(wanted))

    # What is said

    def refresh(self) -> None:
        """After each change of the draft."""
        if self.navigation.current:
            self.current.refresh()
        self._refresh_states()
        self._refresh_bar()

    def _refresh_states(self) -> None:
        draft, wanted = self.editing.draft, self._wanted
        states = {}
        for section in sections():
            place = (section.name,)
            state = PageState(faults=len(draft.problems_in(place)), changed=draft.is_changed_at(place))
            states[section.name] = replace(state, hits=self._hits(section, wanted)) if wanted else state
        self.navigation.show_states(states)

    def _refresh_bar(self) -> None:
        draft, locked = self.editing.draft, self.editing.locked
        self.fault.say(_faults_in_words(draft.problems), *_faults_shortly(draft.problems))
        self.fault_icon.setVisible(bool(draft.problems))
        changed, busy = self.is_changed, self.applying.is_busy
        self.apply.setEnabled(draft.config is not None and changed and not busy)
        why = "" if changed else "Nothing is changed"
        self.apply.setToolTip(self.fault.text() or why)
        self.reset.setEnabled(not locked and self.navigation.current != "accounts")
        self.reset.setToolTip("Accounts are removed one by one" if self.navigation.current == "accounts" else "")
        self.restore.setEnabled(not locked)
        self.read_only.setChecked(draft.get(READ_ONLY) is True)
        self.read_only.tint("accent" if draft.is_changed_at(READ_ONLY) else "")

    @property
    def is_changed(self) -> bool:
        """Whether there is something to apply, or to lose."""
        return self.editing.draft.is_changed or bool(self.safe.held)

    def _on_reset(self) -> None:
        self.editing.reset(self.navigation.current)

    def _on_read_only(self, on: bool) -> None:
        """What was read-only can be changed as soon as the box is no longer ticked; it holds from Apply on."""
        self.editing.put(READ_ONLY, on)
        self.editing.lock(LOCKED if on and self.desk.config.security.read_only else "")

    # Files

    def back_up_to(self, path: Path) -> None:
        try:
            back_up(self.desk.config, self.desk.config_file, path)
        except ConfigError as error:
            self.notice.say(message(error))
        else:
            self.notice.say(f"Backed up to {path}. Keys and other secrets are not in it.", tone="info")

    def restore_from(self, path: Path) -> None:
        """Takes a backup into the draft: it is looked at before anything happens."""
        try:
            config = restored(path)
        except ConfigError as error:
            self.notice.say(str(error))
        else:
            self.editing.take(config)
            self.notice.say(f"{path.name} is loaded: see what Apply will change.", tone="info")

    def _on_desk(self) -> None:
        """Something else runs, or the file was edited."""
        self.editing.draft.rest_on(self.desk.config)
        self._show_edit()
        self.refresh()

    def _show_edit(self) -> None:
        edit, name = self.desk.edit, self.desk.config_file.name
        if edit is None:
            return
        keep = {"Keep what is here": lambda: self.notice.say("")}
        if edit.config is None:
            text = f"{name} was changed outside of the program and cannot be used: {edit.fault} The engine goes on."
            self.notice.say(text, tone="warn", actions=keep)
        else:
            config = edit.config
            text = f"{name} was changed outside of the program. Apply would write over that."
            self.notice.say(text, tone="warn", actions={"Load the file": lambda: self._load(config), **keep})

    def _load(self, config: Config) -> None:
        self.editing.take(config)
        self.notice.say("The file is loaded: see what Apply will change.", tone="info")

    # Apply

    def _on_busy(self, busy: bool) -> None:
        self.apply.setText("Applying…" if busy else APPLY)
        self.cancel.setEnabled(not busy)
        self._refresh_bar()

    def _on_done(self, text: str) -> None:
        self.told = text
        self.done(QDialog.DialogCode.Accepted)

    def _on_failed(self, error: UserError) -> None:
        self.notice.say(message(error))
        if isinstance(error, ConfigError) and error.problems:
            self.editing.refuse(error.problems)
            page = str(error.problems[0].place[0]) if error.problems[0].place else ""
            self.navigation.choose(page)

    # The dialog itself

    def reject(self) -> None:
        """Cancel, Esc and the cross: what was typed is not lost without a question, nor while it is being applied."""
        if self.applying.is_busy:
            return
        if self._discarding or not self.is_changed:
            super().reject()
            return
        draft = self.editing.draft
        pages = tuple(one.title for one in sections() if draft.is_changed_at((one.name,)))
        sheet = DiscardSheet(self.look, self.icons, self, pages or ("Accounts",))
        sheet.accepted.connect(self._discard)
        sheet.open()

    def done(self, result: int) -> None:
        self.safe.closed.emit()
        self._unsubscribe()
        self._unsubscribe = lambda: None
        super().done(result)

    def _discard(self) -> None:
        self._discarding = True
        self.reject()

    def fit(self) -> None:
        """As large as it is drawn, or as the window has room for."""
        parent = self.parentWidget()
        wanted = QSize(self.look.scaled(WIDTH), self.look.scaled(HEIGHT))
        if parent is not None:
            wanted = wanted.boundedTo(parent.window().size() - QSize(_MARGIN, _MARGIN))
        if wanted != self.size():
            self.setFixedSize(wanted)
        self._arrange()

    def _arrange(self) -> None:
        """Where there is no room for a page and the preview side by side, a button changes between the two."""
        look = self.look
        roomy = self.width() - self.navigation.width() - look.scaled(PREVIEW) >= look.scaled(LEAST_PAGE)
        alone = not roomy and self.show_preview.isChecked()
        self.show_preview.setVisible(not roomy)
        self.preview.setVisible(roomy or alone)
        self._middle.setVisible(not alone)
        self.preview.setMinimumWidth(look.scaled(PREVIEW))
        self.preview.setMaximumWidth(16_777_215 if alone else look.scaled(PREVIEW))

    def _on_look_changed(self) -> None:
        look = self.look
        self.reset.setIcon(self.icons.button_icon("reset"))
        self.fault_icon.setPixmap(self.icons.pixmap("error", "error", look.grown(14), self.devicePixelRatioF()))


def _faults_in_words(problems: tuple[Problem, ...]) -> str:
    """`1 field on Grid needs attention`, `3 fields on Grid and Risk need attention`."""
    if not problems:
        return ""
    titles = {section.name: section.title for section in sections()}
    names = list(dict.fromkeys(titles.get(str(problem.place[0]), "General") for problem in problems if problem.place))
    where = fmt.listed(names) if len(names) < 4 else ""
    where = where or fmt.count(len(names), "page")
    verb = "needs" if len(problems) == 1 else "need"
    return f"{fmt.count(len(problems), 'field')} on {where} {verb} attention"


def _faults_shortly(problems: tuple[Problem, ...]) -> tuple[str, ...]:
    """The same where there is less room: `3 fields are wrong`, `3 wrong`."""
    count = len(problems)
    return (fmt.count(count, "field is", "fields are") + " wrong", f"{count} wrong") if count else ()
