"""The Accounts page: the accounts as a list, and one of them with its keys and its test (UI.md, Dialogs)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from exengine.engine.rows import Mode
from exengine.settings.draft import at, listed
from exengine.settings.form import section
from exengine.settings.program_pages import EXCHANGES
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.icons import Icons
from exengine.ui.pieces import Hairline, Label, button
from exengine.ui.settings_keys import AccountTest, KeysSheet
from exengine.ui.settings_page import SettingsPage
from exengine.ui.settings_questions import RemoveAccountSheet
from exengine.ui.settings_row import FieldRow
from exengine.ui.settings_safe import Safe
from exengine.ui.theme import Look, Role, Weight

ROW = Qt.ItemDataRole.UserRole
_TINTS = {Mode.PAPER: "muted", Mode.TESTNET: "warn", Mode.LIVE: "live_text"}


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    venue: str
    mode: Mode
    keys: str
    enabled: bool
    changed: bool
    faulty: bool


def mode_of(account: dict[str, Any]) -> Mode:
    """What money an account of the draft trades."""
    if account.get("exchange") == "paper":
        return Mode.PAPER
    return Mode.TESTNET if account.get("testnet") or account.get("server") else Mode.LIVE


class _Delegate(QStyledItemDelegate):
    def __init__(self, look: Look, icons: Icons, parent: QListWidget) -> None:
        super().__init__(parent)
        self._look, self._icons, self._list = look, icons, parent

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, self._look.row_height() + 4)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        look, rect, row = self._look, option.rect, index.data(ROW)
        current = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if current or hovered:
            painter.fillRect(rect, look.color("selected" if current else "hover"))
        if current and self._list.hasFocus():
            painter.setPen(QPen(look.color("focus"), 1, Qt.PenStyle.DotLine))
            painter.drawRect(rect.adjusted(1, 1, -2, -2))
        dim = "text" if row.enabled else "disabled"
        cells = (
            (12, row.name, Weight.STRONG, "accent" if row.changed else dim),
            (150, row.venue, Weight.NORMAL, "muted" if row.enabled else "disabled"),
            (300, words.MODES[row.mode][0], Weight.STRONG, _TINTS[row.mode] if row.enabled else "disabled"),
            (376, row.keys, Weight.NORMAL, "muted" if row.enabled else "disabled"),
        )
        side = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        rights = (*(left for left, *_ in cells[1:]), rect.width() / look.scaled(1000) * 1000 - 70)
        for (left, text, weight, token), right in zip(cells, rights, strict=True):
            painter.setFont(look.font(Role.BODY, weight))
            painter.setPen(look.color(token))
            there = QRectF(rect.left() + look.scaled(left), rect.top(), look.scaled(right - left - 8), rect.height())
            painter.drawText(
                there, side, painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(there.width()))
            )
        if row.faulty:
            size = look.grown(14)
            mark = self._icons.pixmap("error", "error", size, self._list.devicePixelRatioF())
            painter.drawPixmap(rect.right() - 12 - size, rect.center().y() - size // 2, mark)
        elif not row.enabled:
            painter.setFont(look.font())
            painter.setPen(look.color("muted"))
            painter.drawText(
                rect.adjusted(0, 0, -12, 0), int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), "off"
            )


class AccountsEditor(QWidget):
    """The list, and under it the account that is chosen in it."""

    def __init__(self, page: SettingsPage, safe: Safe, held: Callable[[str], tuple[int, int]]) -> None:
        """`held` tells an account's open groups and resting orders."""
        super().__init__()
        self._page, self.look, self.icons, self.editing = page, page.look, page.icons, page.editing
        self._safe, self._held = safe, held
        self.add = button(self.look, "Add account")
        self.add.setObjectName("accounts.add")
        page.head.addWidget(self.add)
        self.list = QListWidget()
        self.list.setObjectName("accounts_list")
        self.list.setAccessibleName("Accounts")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setProperty("on", "surface")
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setItemDelegate(_Delegate(self.look, self.icons, self.list))
        self.empty = Label(self.look, "No account is set up: one paper account named paper stands in.", token="muted")
        self.empty.setContentsMargins(12, 0, 0, 8)
        self.test = AccountTest(self.look, self.icons, safe.desk)
        self.test.ended.connect(safe.remember)
        self._rows: list[FieldRow] = []
        self._shown: tuple[int, str] | None = None
        self._details = QVBoxLayout()
        self._details.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.empty, self.list):
            column.addWidget(widget)
        column.addWidget(Hairline(self.look))
        column.addSpacing(12)
        column.addLayout(self._build_head())
        column.addLayout(self._details)
        self.add.clicked.connect(self._on_add)
        self.list.currentRowChanged.connect(lambda _: self.refresh())
        safe.changed.connect(self.refresh)
        safe.closed.connect(self.test.clear)
        self.look.changed.connect(self._on_look_changed)
        self._on_look_changed()
        self.refresh()

    def _build_head(self) -> QVBoxLayout:
        look = self.look
        self.title = Label(look, weight=Weight.STRONG)
        self.keys = Label(look, token="muted")
        self.give = button(look, "Enter keys…", small=True)
        self.give.setObjectName("accounts.keys")
        self.try_it = button(look, "Test connection", small=True)
        self.try_it.setObjectName("accounts.test")
        self.remove = button(look, "Remove…", small=True)
        self.remove.setObjectName("accounts.remove")
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.title)
        row.addSpacing(8)
        row.addWidget(self.keys, 1)
        for widget in (self.give, self.try_it, self.remove):
            row.addWidget(widget)
        self.give.clicked.connect(self._on_give)
        self.try_it.clicked.connect(self._on_test)
        self.remove.clicked.connect(self._on_remove)
        head = QVBoxLayout()
        head.setContentsMargins(12, 0, 0, 8)
        head.setSpacing(6)
        head.addLayout(row)
        head.addWidget(self.test)
        return head

    # What is shown

    @property
    def _accounts(self) -> list[dict[str, Any]]:
        return [account for _, account in listed(self.editing.draft.get(("accounts",)))]

    @property
    def chosen(self) -> int:
        """The row of the account that is shown; −1 where there is none."""
        return min(self.list.currentRow(), len(self._accounts) - 1)

    def refresh(self) -> None:
        accounts, draft = self._accounts, self.editing.draft
        self._refresh_list(accounts)
        chosen = self.chosen
        there = chosen >= 0
        self.empty.setVisible(not accounts)
        self.list.setVisible(bool(accounts))
        self.add.setEnabled(not self.editing.locked)
        for widget in (self.title, self.keys, self.give, self.try_it, self.remove):
            widget.setVisible(there)
        if not there:
            self._clear()
            return
        account = accounts[chosen]
        name, is_live = str(account.get("name") or ""), account.get("exchange") != "paper"
        self.title.setText(name or "New account")
        self.keys.setText(self._safe.words(name) if is_live else "")
        self.give.setVisible(is_live)
        self.try_it.setVisible(is_live)
        self.give.setText("Replace keys…" if self._safe.has(name) else "Enter keys…")
        self.give.setEnabled(not self.editing.locked and bool(name))
        self.try_it.setEnabled(not draft.problems_in(("accounts", chosen)))
        self.try_it.setToolTip("" if self.try_it.isEnabled() else "Correct the account first")
        self.remove.setEnabled(not self.editing.locked)
        if self._shown != (chosen, "live" if is_live else "paper"):
            self._build_rows(chosen, is_live=is_live)
        runs = name in [str(at(one, ("name",))) for _, one in listed(draft.running(("accounts",)))]
        for row in self._rows:
            row.refresh()
            row.setVisible(self._is_for(row, account) or bool(draft.problems_in(row.place)))
            if row.field.name == "name" and runs and not draft.is_changed_at(row.place):
                row.input.setEnabled(False)
                row.input.setToolTip("Its groups and its keys are kept by this name: add another account instead")

    def _refresh_list(self, accounts: list[dict[str, Any]]) -> None:
        draft = self.editing.draft
        # Qt tells of another current row while rows come and go, and this would be begun again amid itself.
        with QSignalBlocker(self.list):
            while self.list.count() > len(accounts):
                self.list.takeItem(self.list.count() - 1)
            while self.list.count() < len(accounts):
                self.list.addItem(QListWidgetItem())
            if accounts and self.list.currentRow() < 0:
                self.list.setCurrentRow(0)
        for index, account in enumerate(accounts):
            place = ("accounts", index)
            exchange = str(account.get("exchange") or "")
            kind = "swap" if account.get("market_type") == "swap" else "spot"
            mode = mode_of(account)
            row = _Row(
                name=str(account.get("name") or "New account"),
                venue=EXCHANGES.get(exchange, "") + ("" if exchange == "paper" and kind == "spot" else f" {kind}"),
                mode=mode,
                keys=self._safe.short(str(account.get("name") or "")) if mode is not Mode.PAPER else "",
                enabled=account.get("enabled") is True,
                changed=draft.is_changed_at(place),
                faulty=bool(draft.problems_in(place)),
            )
            item = self.list.item(index)
            if item.data(ROW) != row:
                item.setData(ROW, row)
                said = [row.name, row.venue, words.MODES[mode][0], row.keys, "" if row.enabled else "off"]
                item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(text for text in said if text))
        self.list.setFixedHeight(max(1, len(accounts)) * (self.look.row_height() + 4) + 8)

    @staticmethod
    def _is_for(row: FieldRow, account: dict[str, Any]) -> bool:
        """Whether a value means anything on this account."""
        live, swap = account.get("exchange") != "paper", account.get("market_type") == "swap"
        match row.field.name:
            case "testnet" | "server":
                return live
            case "balances":
                return not live
            case "leverage":
                return swap
            case "margin_mode":
                return swap and live
            case _:
                return True

    def _clear(self) -> None:
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows, self._shown = [], None
        self.test.clear()

    def _build_rows(self, index: int, *, is_live: bool) -> None:
        self._clear()
        self._shown = (index, "live" if is_live else "paper")
        for field in section("accounts").fields:
            row = FieldRow(self.look, self.icons, self.editing, ("accounts", index, field.name), field)
            self._rows.append(row)
            self._details.addWidget(row)

    def row(self, name: str) -> FieldRow:
        """The row of one value of the chosen account."""
        return next(row for row in self._rows if row.field.name == name)

    def matches(self, wanted: str) -> bool:
        said = " ".join(f"{field.title} {field.meaning} {field.name}" for field in section("accounts").fields)
        return wanted in f"{said} keys test connection permissions balance exchange".lower()

    # What can be done

    def _on_add(self) -> None:
        row = len(self._accounts)
        taken = {str(account.get("name")) for account in self._accounts}
        name = next(name for number in range(1, 1000) if (name := f"account{number}") not in taken)
        self.editing.insert(
            ("accounts",), row, {"name": name, "exchange": "paper", "market_type": "spot", "enabled": True}
        )
        self.list.setCurrentRow(row)
        self.row("name").input.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_give(self) -> None:
        account = self._accounts[self.chosen]
        name = str(account.get("name"))
        sheet = KeysSheet(self.look, self.icons, self, name, str(account.get("exchange")), mode_of(account))

        def on_accepted() -> None:
            self._safe.hold(name, sheet.keys)

        sheet.accepted.connect(on_accepted)
        sheet.open()

    def _on_test(self) -> None:
        draft = self.editing.draft.sound()
        if draft is None or self.chosen >= len(draft.accounts):
            return
        page = draft.accounts[self.chosen]
        self.test.begin(page, self._safe.held.get(page.name))

    def _on_remove(self) -> None:
        index = self.chosen
        account = self._accounts[index]
        name = str(account.get("name"))
        runs = name in [str(at(one, ("name",))) for _, one in listed(self.editing.draft.running(("accounts",)))]
        if not runs:
            self._take_out(index, name)
            return
        sheet = RemoveAccountSheet(
            self.look, self.icons, self, name, self._consequences(account, name), mode_of(account)
        )
        sheet.accepted.connect(lambda: self._take_out(index, name))
        sheet.open()

    def _take_out(self, index: int, name: str) -> None:
        self._shown = None
        self._safe.let_go(name)
        self.editing.remove(("accounts", index))

    def _consequences(self, account: dict[str, Any], name: str) -> str:
        groups, orders = self._held(name)
        said = []
        if groups:
            said.append(
                f"**{fmt.count(groups, 'group')}** {'is' if groups == 1 else 'are'} open there, with "
                f"**{fmt.count(orders, 'resting order')}**: close them first, for Apply refuses to leave them behind."
            )
        else:
            said.append("No group is open there.")
        if account.get("exchange") != "paper":
            said.append("Its keys are deleted from this machine with Apply; delete them at the exchange as well.")
        said.append("Its history stays. Nothing happens before Apply.")
        return " ".join(said)

    def _on_look_changed(self) -> None:
        self.add.setIcon(self.icons.button_icon("add"))
