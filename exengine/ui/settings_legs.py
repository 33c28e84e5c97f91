"""The ladder as a table: the legs of a pyramid with their sum (SPEC §3.1)."""

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from exengine.settings.draft import listed, written
from exengine.settings.fields import Location, spelled
from exengine.settings.form import fields_of
from exengine.settings.pages import Config
from exengine.settings.trading_pages import WEIGHTS_WITHIN, LegPage
from exengine.ui import format as fmt
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, button
from exengine.ui.settings_cells import CellTable
from exengine.ui.settings_inputs import Line
from exengine.ui.settings_state import Editing
from exengine.ui.theme import Look, Weight

MOST_LEGS = 7
_STEP = Decimal("0.5")
WORDS = (
    "Each pyramid places these orders at once. Gap is from the pyramid’s base price; 0 or below.\n"
    "Weights sum to 100. Up to 7 legs.\n\nBlue values differ from what the engine runs now."
)


class LegTable(CellTable):
    """Seven legs at most; their weights' sum stands under them, with a tick where it is 100."""

    def __init__(self, look: Look, icons: Icons, editing: Editing, place: Location) -> None:
        self.sum = Label(look, weight=Weight.STRONG)
        self.tick = Label(look)
        super().__init__(
            look, icons, editing, place, fields_of(LegPage),
            widths={"": 64, "gap_percent": 86, "weight_percent": 86, "tp_percent": 86},
            row_name=lambda row: f"DCA{row}", first="Leg",
        )  # fmt: skip
        self.least_decimals = 1
        self.refresh()

    def build_footer(self, line: int) -> None:
        self.sum, self.tick = Label(self._look, weight=Weight.STRONG), Label(self._look)
        name = Label(self._look, "Sum", token="muted")
        name.setContentsMargins(12, 0, 0, 0)
        self.sum.setContentsMargins(0, 0, 12, 0)
        self.sum.setFixedHeight(self._look.row_height())
        self.tick.setContentsMargins(12, 0, 0, 0)
        self.grid.addWidget(name, line, 0)
        self.grid.addWidget(self.sum, line, 2, Qt.AlignmentFlag.AlignRight)
        self.grid.addWidget(self.tick, line, 3, Qt.AlignmentFlag.AlignVCenter)

    def refresh(self) -> None:
        super().refresh()
        total = self.total
        is_whole = total is not None and abs(total - 100) <= WEIGHTS_WITHIN
        decimals = max((cell.decimals for cell in self._weights()), default=1)
        self.sum.setText(fmt.DASH if total is None else fmt.number(total, max(1, decimals)))
        self.sum.set_token("text" if is_whole else "error")
        size, icon = self._look.grown(14), ("check", "success") if is_whole else ("error", "error")
        self.tick.setPixmap(self._icons.pixmap(*icon, size, self.devicePixelRatioF()))
        self.tick.setAccessibleName("The weights sum to 100" if is_whole else "The weights do not sum to 100")

    def _weights(self) -> list[Line]:
        return [cell for (_, name), cell in self.cells.items() if name == "weight_percent" and isinstance(cell, Line)]

    @property
    def total(self) -> Decimal | None:
        """The sum of the weights; None while one of them is no number."""
        try:
            rows = listed(self._editing.draft.get(self.place))
            return sum((Decimal(str(leg["weight_percent"])) for _, leg in rows), Decimal(0))
        except (InvalidOperation, KeyError, TypeError):
            return None


class LegEditor(QWidget):
    """The table with its buttons, and beside it what the numbers mean."""

    def __init__(self, look: Look, icons: Icons, editing: Editing, place: Location, *, words: str = WORDS) -> None:
        super().__init__()
        self._look, self._icons, self._editing, self.place = look, icons, editing, place
        self.table = LegTable(look, icons, editing, place)
        self.add = button(look, "Add", small=True)
        self.add.setObjectName(".".join(str(part) for part in (*place, "add")))
        self.defaults = button(look, "Defaults", small=True)
        self.defaults.setToolTip("The legs of a new installation")
        title = Label(look, "Legs", weight=Weight.STRONG)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(title, 1)
        head.addWidget(self.add)
        head.addWidget(self.defaults)
        head.addSpacing(look.scaled(22))
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addLayout(head)
        left.addWidget(self.table)
        about = Label(look, words, token="muted")
        about.setWordWrap(True)
        about.setContentsMargins(0, look.scaled(30), 0, 0)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 0, 0)
        row.setSpacing(12)
        row.addLayout(left)
        row.addWidget(about, 1, Qt.AlignmentFlag.AlignTop)
        self.add.clicked.connect(self._on_add)
        self.defaults.clicked.connect(lambda: editing.put(place, written(Config())["grid"]["legs"]))
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()
        self.refresh()

    def refresh(self) -> None:
        self.table.refresh()
        locked, full = self._editing.locked, self.table.count >= MOST_LEGS
        self.add.setEnabled(not locked and not full)
        self.add.setToolTip(locked or (f"A pyramid has at most {MOST_LEGS} legs" if full else ""))
        self.defaults.setEnabled(not locked)

    def matches(self, wanted: str) -> bool:
        return wanted in "legs ladder dca gap weight tp target sum"

    def _on_add(self) -> None:
        """A further leg half a per cent below the last one; its weight is what is left of 100."""
        legs = [leg for _, leg in listed(self._editing.draft.get(self.place))]
        total = self.table.total
        left = Decimal(100) - total if total is not None else Decimal(0)
        try:
            gap = Decimal(str(legs[-1]["gap_percent"])) - _STEP if legs else Decimal(0)
        except (InvalidOperation, KeyError):
            gap = Decimal(0)
        leg = {"gap_percent": spelled(gap), "weight_percent": spelled(max(left, Decimal(0))), "tp_percent": "1"}
        self._editing.insert(self.place, len(legs), leg)
        self.table.focus_row(len(legs))

    def _on_look_changed(self) -> None:
        self.add.setIcon(self._icons.button_icon("add"))
