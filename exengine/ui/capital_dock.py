"""The Capital dock: how much is at work, how much is free, and where it is."""

from decimal import Decimal

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from exengine.domain.money import ZERO
from exengine.engine.panel_rows import CapitalRow, Panel
from exengine.engine.rows import ViewChanges
from exengine.ui import format as fmt
from exengine.ui.capital_model import AccountLine, AccountsModel, CapitalModel, Col
from exengine.ui.cell import paint_parts
from exengine.ui.icons import Icons
from exengine.ui.layout import LayoutStore
from exengine.ui.panel_dock import PanelDock, Sorting, note_rows
from exengine.ui.pieces import Ground, Label
from exengine.ui.setup import Setup
from exengine.ui.stream_dock import EmptyNote
from exengine.ui.table import Table
from exengine.ui.table_tools import TableTools
from exengine.ui.theme import Look, Role, Weight

PARTS = (("Filled", "accent"), ("Open DCA legs", "fill"), ("Free", "line"))
BAR = 12
NOTHING = "No exposure"


class Gauge(QWidget):
    """One bar of three parts, and under it what each of them is."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._shares: tuple[Decimal | None, ...] = (None, None, None)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Deployed against free")
        look.changed.connect(self._on_look_changed)

    def show_parts(self, filled: Decimal, rests: Decimal, free: Decimal) -> None:
        total = filled + rests + max(free, ZERO)
        self._shares = tuple(part / total * 100 if total else None for part in (filled, rests, max(free, ZERO)))
        self.setAccessibleDescription(", ".join(self._texts()))
        self.update()

    def _texts(self) -> list[str]:
        return [
            f"{name} {fmt.number(share, 1)}{' %' if share is not None else ''}"
            for (name, _), share in zip(PARTS, self._shares, strict=True)
        ]

    def _on_look_changed(self) -> None:
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._look.font(Role.SMALL))
        width = sum(metrics.horizontalAdvance(text) + 28 for text in self._texts())
        return QSize(round(width), round(BAR + 6 + metrics.height()))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        look, painter = self._look, QPainter(self)
        shares = [(float((share or ZERO) / 100), token) for share, (_, token) in zip(self._shares, PARTS, strict=True)]
        paint_parts(painter, look, QRectF(0, 0, self.width(), BAR), shares[:2])
        painter.setFont(look.font(Role.SMALL))
        metrics = QFontMetricsF(painter.font())
        left, top = 0.0, BAR + 6
        for (_, token), text in zip(PARTS, self._texts(), strict=True):
            painter.fillRect(QRectF(left, top + (metrics.height() - 8) / 2, 8, 8), look.color(token))
            painter.setPen(look.color("muted"))
            painter.drawText(round(left + 13), round(top + metrics.ascent()), text)
            left += 13 + metrics.horizontalAdvance(text) + 14


class CapitalDock(PanelDock):
    """The gauge over the table of pairs; while nothing is at work, over the accounts."""

    panel = Panel.CAPITAL

    def __init__(self, look: Look, icons: Icons, setup: Setup) -> None:
        super().__init__(look, icons, name="capital", title="Capital")
        self._setup = setup
        self._capital: CapitalRow | None = None
        self.model, self.accounts = CapitalModel(self), AccountsModel(self)
        self.table = Table(look, icons, self.model, name="capital_table", title="Capital by pair", tight=True)
        self.account_table = Table(look, icons, self.accounts, name="capital_accounts", title="Accounts")
        self.tools = TableTools(self, icons, [self.table, self.account_table], narrow=True)
        self.sorting = Sorting(self.table, self.model, frozenset({Col.PAIR}))
        self.deployed = Label(look, fmt.DASH, role=Role.VALUE, weight=Weight.STRONG)
        self.free = Label(look, fmt.DASH, role=Role.VALUE, weight=Weight.STRONG)
        self.gauge = Gauge(look)
        self.note = EmptyNote(look, icons, "capital", NOTHING, "", "", width=320, starting=True)
        self.note.action.hide()
        self.heading.detail.setText("all accounts, USD")
        self._build()
        self.show_setup(setup)
        self.table.verticalScrollBar().valueChanged.connect(lambda *_: note_rows(self.table))
        look.changed.connect(self._fit_heights)
        self._fit_heights()

    def _build(self) -> None:
        body = Ground(self.look, "surface")
        edge = self.look.metric("edge_padding")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top = QVBoxLayout()
        top.setContentsMargins(edge, 10, edge, 10)
        top.setSpacing(6)
        numbers = QHBoxLayout()
        numbers.setSpacing(6)
        for name, label in (("Deployed", self.deployed), ("Free", self.free)):
            numbers.addWidget(Label(self.look, name, token="muted"))
            numbers.addWidget(label)
            if name == "Deployed":
                numbers.addStretch(1)
        top.addLayout(numbers)
        top.addWidget(self.gauge)
        column.addLayout(top)
        empty = QWidget()
        rows = QVBoxLayout(empty)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.account_table)
        rows.addWidget(self.note, 1)
        self.pages = QStackedWidget()
        self.pages.addWidget(empty)
        self.pages.addWidget(self.table)
        column.addWidget(self.pages, 1)
        self.setWidget(body)

    def show_setup(self, setup: Setup) -> None:
        """Takes new facts after the settings changed."""
        self._setup = setup
        amount = fmt.number(setup.test_amount, fmt.quote_decimals(setup.test_quote))
        whole = fmt.number(setup.test_amount * setup.test_pyramids, fmt.quote_decimals(setup.test_quote))
        self.note.say(
            NOTHING,
            f"Pairs appear here with the first group. A default pyramid uses {amount} {setup.test_quote}, "
            f"a full group {whole}.",
            action=False,
        )

    def apply(self, changes: ViewChanges, now_ms: int) -> None:
        patch, capital = changes.panels.exposures, changes.panels.capital
        if patch:
            deployed = [row.deployed for row in (*patch.rows.values(), *self.model.rows())]
            self.model.largest = max(deployed, default=ZERO)
            self.model.patch(patch, now_ms)
            self._rescale(now_ms)
        if capital is not None:
            self.note.end_starting()
            self._capital = capital
            self._show_capital(capital, now_ms)
        if patch or capital is not None:
            self.pages.setCurrentIndex(1 if self.model.rowCount() else 0)
            note_rows(self.table)
            note_rows(self.account_table)

    def _rescale(self, now_ms: int) -> None:
        """All bars are as long as they are beside the longest."""
        largest = max((row.deployed for row in self.model.rows()), default=ZERO)
        self.model.largest = largest
        self.model.tick(now_ms, [self.model.index(row, 0) for row in range(self.model.rowCount())])

    def _show_capital(self, capital: CapitalRow, now_ms: int) -> None:
        self.deployed.setText(fmt.number(capital.deployed, 2))
        self.free.setText(fmt.number(capital.free, 2))
        self.gauge.show_parts(capital.filled, capital.open, capital.free)
        missing = f" · {fmt.count(capital.missing, 'group')} without a price in USD" if capital.missing else ""
        self.heading.detail.setText(f"all accounts, USD{missing}")
        lines = {
            one.account: AccountLine(one.account, one.free, self._setup.venue_of(one.account))
            for one in capital.accounts
        }
        self.accounts.replace(lines, now_ms)
        self._fit_heights()

    def _fit_heights(self) -> None:
        rows = min(max(self.accounts.rowCount(), 1), 6)
        header = self.account_table.heading.sizeHint().height()
        self.account_table.setFixedHeight(rows * self.look.row_height() + header)

    def on_shown(self) -> None:
        note_rows(self.table)
        note_rows(self.account_table)

    def focus_target(self) -> QWidget:
        return self.table if self.pages.currentIndex() == 1 else self.account_table

    def save(self, layouts: LayoutStore) -> None:
        self.sorting.save(layouts)

    def restore(self, layouts: LayoutStore) -> None:
        self.sorting.restore(layouts)

    def reset(self) -> None:
        self.sorting.reset()
