"""Where notifications go: addresses that are typed in and never shown again, and what is sent to each (SPEC §14)."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from exengine.domain.errors import UserError
from exengine.settings.draft import listed
from exengine.settings.fields import Location
from exengine.settings.form import section
from exengine.settings.program_pages import NotificationPage
from exengine.ui.choice import Tick
from exengine.ui.icons import Icons
from exengine.ui.loop import spawn
from exengine.ui.pieces import Hairline, IconButton, Label, button
from exengine.ui.remark import Remark, set_marks
from exengine.ui.settings_row import GUTTER, ChangedDot
from exengine.ui.settings_state import Editing
from exengine.ui.theme import Look, Role, Weight

KEPT = "•••••••• kept with the secrets"
_PREFIX = "secret:"

COLUMNS = 4
_SEVERITIES = ("error", "warning", "info")
_CATEGORIES = ("webhook", "order", "risk", "precision", "system")

SendTest = Callable[[NotificationPage], Awaitable[str]]
"""Sends a test notice to an address, kept or just typed; what became of it. Raises UserError."""


Choices = tuple[tuple[str, str], ...]


def _grouped(choices: Choices) -> tuple[tuple[str, Choices], ...]:
    """What can be sent, by what it is: a severity or a category of the log with all its lines, or one event."""
    parts = (("Every line that is", _SEVERITIES), ("Every line about", _CATEGORIES))
    named = {*_SEVERITIES, *_CATEGORIES}
    grouped = tuple((title, tuple(one for one in choices if one[0] in values)) for title, values in parts)
    return (*grouped, ("Single events", tuple(one for one in choices if one[0] not in named)))


class _Notice(QWidget):
    """One address and its events."""

    def __init__(self, look: Look, icons: Icons, editing: Editing, row: int, send_test: SendTest) -> None:
        super().__init__()
        self._editing, self.place, self._send_test = editing, ("notifications", row), send_test
        self.dot = ChangedDot(look)
        self.title = Label(look, f"Address {row + 1}", weight=Weight.STRONG)
        # As high as the dot before it.
        self.title.setMinimumHeight(look.tall("field"))
        self.url = QLineEdit()
        self.url.setEchoMode(QLineEdit.EchoMode.Password)
        self.url.setObjectName(f"notifications.{row}.url")
        self.url.setAccessibleName(f"Address {row + 1}")
        self.url.setMinimumWidth(look.scaled(300))
        self.remove = IconButton(icons, "close", f"Remove address {row + 1}")
        self.test = button(look, "Send a test", small=True)
        self.test.setObjectName(f"notifications.{row}.test")
        self.fault = Remark(look, icons)
        self.told = Remark(look, icons)
        self.ticks: dict[str, Tick] = {}
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.url, 1)
        line.addWidget(self.test)
        line.addWidget(self.remove)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addWidget(self.title)
        column.addLayout(line)
        column.addWidget(self.fault)
        column.addWidget(self.told)
        column.addLayout(self._build_events(look, icons, row))
        column.addSpacing(8)
        column.addWidget(Hairline(look))
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 8)
        whole.setSpacing(0)
        whole.addWidget(self.dot, 0, Qt.AlignmentFlag.AlignTop)
        whole.addLayout(column, 1)
        self.url.textEdited.connect(lambda text: editing.put((*self.place, "url"), text.strip()))
        self.url.textEdited.connect(lambda *_: self.told.say(""))
        self.remove.clicked.connect(lambda: editing.remove(self.place))
        self.test.clicked.connect(lambda *_: spawn(self._test(), name="test notice"))
        self.refresh()

    def _build_events(self, look: Look, icons: Icons, row: int) -> QGridLayout:
        events = QGridLayout()
        events.setHorizontalSpacing(12)
        field = next(one for one in section("notifications").fields if one.name == "events")
        for heading, choices in _grouped(field.choices):
            caption = Label(look, heading, token="muted", role=Role.SMALL)
            caption.setMinimumHeight(look.row_height())
            events.addWidget(caption, events.rowCount(), 0, 1, COLUMNS)
            first = events.rowCount()
            for place, (value, word) in enumerate(choices):
                tick = Tick(look, icons, word)
                tick.setObjectName(f"notifications.{row}.events.{value}")
                tick.setAccessibleName(f"Address {row + 1}: {word}")
                tick.clicked.connect(self._on_events)
                self.ticks[value] = tick
                events.addWidget(tick, first + place // COLUMNS, place % COLUMNS)
        return events

    async def _test(self) -> None:
        """Sends one to what stands there now, applied or not."""
        self.test.setEnabled(False)
        self.told.say("A test notice is on its way…", "muted")
        try:
            page = NotificationPage(url=str(self._editing.draft.get((*self.place, "url"))))
            self.told.say(await self._send_test(page), "success")
        except UserError as error:
            self.told.say(error.brief)
        finally:
            self.refresh()

    def _on_events(self) -> None:
        chosen = [value for value, tick in self.ticks.items() if tick.isChecked()]
        self._editing.put((*self.place, "events"), chosen)

    def refresh(self) -> None:
        draft, locked = self._editing.draft, self._editing.locked
        kept = str(draft.get((*self.place, "url")) or "")
        if kept.startswith(_PREFIX):
            # What is kept is not read back: a new address takes its place.
            self.url.setPlaceholderText(f"{KEPT}; type a new one to replace it")
            if not self.url.hasFocus():
                self.url.clear()
        else:
            self.url.setPlaceholderText("tgram://…, discord://…, mailto://…")
        problems = draft.problems_in(self.place)
        self.fault.say(problems[0].brief or problems[0].message if problems else "")
        set_marks(self.url, changed=False, faulty=bool(draft.problems_in((*self.place, "url"))))
        self.dot.show_on(draft.is_changed_at(self.place))
        chosen = [value for _, value in listed(draft.get((*self.place, "events")))]
        for value, tick in self.ticks.items():
            tick.setChecked(value in chosen)
            tick.setEnabled(not locked)
        for widget in (self.url, self.remove):
            widget.setEnabled(not locked)
        self.test.setEnabled(bool(kept) and not locked and not problems)


class NoticesEditor(QWidget):
    """All addresses, one under the other."""

    def __init__(self, look: Look, icons: Icons, editing: Editing, send_test: SendTest) -> None:
        super().__init__()
        self._look, self._icons, self._editing, self._send_test = look, icons, editing, send_test
        self.place: Location = ("notifications",)
        self.notices: list[_Notice] = []
        self.empty = Label(
            look, "Nobody is told. Add an address: Telegram, Discord, mail and many more.", token="muted"
        )
        self.about = Label(
            look,
            "An address often has a password in it: it is kept with the secrets and never shown again.",
            token="muted", role=Role.SMALL,
        )  # fmt: skip
        for label in (self.empty, self.about):
            label.setWordWrap(True)
            label.setContentsMargins(GUTTER, 0, 0, 0)
        self.add = button(look, "Add an address", small=True)
        self.add.setObjectName("notifications.add")
        self._list = QVBoxLayout()
        foot = QHBoxLayout()
        foot.setContentsMargins(GUTTER, 0, 0, 0)
        foot.addWidget(self.add)
        foot.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 10)
        column.setSpacing(8)
        column.addWidget(self.empty)
        column.addLayout(self._list)
        column.addLayout(foot)
        column.addWidget(self.about)
        self.add.clicked.connect(self._on_add)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()
        self.refresh()

    def _on_add(self) -> None:
        row = len(self.notices)
        self._editing.insert(self.place, row, {"url": "", "events": ["error", "warning"]})
        self.notices[row].url.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        count = sum(1 for _ in listed(self._editing.draft.get(self.place)))
        if count < len(self.notices):
            # Which of them was removed is not told: what was typed into another must not stay where it was.
            for notice in self.notices:
                notice.hide()
                notice.deleteLater()
            self.notices = []
        while len(self.notices) < count:
            row = len(self.notices)
            self.notices.append(_Notice(self._look, self._icons, self._editing, row, self._send_test))
            self._list.addWidget(self.notices[-1])
        for notice in self.notices:
            notice.refresh()
        self.empty.setVisible(not self.notices)
        self.add.setEnabled(not self._editing.locked)

    def matches(self, wanted: str) -> bool:
        return wanted in "notifications address apprise url events telegram discord mail error warning"

    def _on_look_changed(self) -> None:
        self.add.setIcon(self._icons.button_icon("add"))
