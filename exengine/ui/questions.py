"""The smaller dialogs: closing one group, and what this program is made of."""

import platform
from decimal import Decimal
from importlib import metadata

from PySide6.QtCore import Qt, qVersion
from PySide6.QtWidgets import QGridLayout, QWidget

from exengine import __version__
from exengine.engine.rows import GroupRow, Mode
from exengine.ui import format as fmt
from exengine.ui import words
from exengine.ui.book import Book
from exengine.ui.icons import Icons
from exengine.ui.pieces import Label, Prose
from exengine.ui.sheet import Sheet
from exengine.ui.theme import Look, Role, Weight

PARTS = (
    "PySide6-Essentials", "qasync", "pyqtgraph", "numpy", "pyarrow", "aiohttp", "apprise", "SQLAlchemy", "alembic",
    "asyncpg", "pydantic", "ccxt", "protobuf", "cryptography", "keyring", "platformdirs",
)  # fmt: skip

SPDX = {"3-Clause BSD License": "BSD-3-Clause"}
"""What is declared in words, by the name that the others have for it."""


class CloseSheet(Sheet):
    """Closing one group at market."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, group: GroupRow, book: Book, mode: Mode) -> None:
        super().__init__(look, icons, parent, name="close_sheet", title="Close group", mode=mode)
        self._group_id, self._book = group.id, book
        self.heading = self.add_heading(f"Close {fmt.pair(group.symbol)} {group.timeframe} at market?")
        self.meaning = Prose(look)
        self.body.addWidget(self.meaning)
        self.buttons.addWidget(Label(look, "Enter and Esc cancel.", token="muted"), 1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("Close group", kind="danger")
        self.refresh()
        self.cancel.setFocus()

    def refresh(self) -> None:
        """Shows the numbers of this moment; a group that closed meanwhile can no longer be closed."""
        group = self._book.groups.get(self._group_id)
        if group is None or group.status == "closed":
            self.meaning.say("It has closed meanwhile. Nothing is left to do.")
            self.action.setEnabled(False)
            return
        assert self.mode is not None
        where = f"on {group.account}, {words.MODES[self.mode][0]}"
        entries = fmt.count(group.open_entries, "open entry", "open entries")
        cancelled = f" {entries[0].upper()}{entries[1:]} {'is' if group.open_entries == 1 else 'are'} cancelled."
        if group.holding.net_base == 0:
            self.meaning.say(f"Nothing of it was filled, {where}.{cancelled if group.open_entries else ''}")
            return
        qty = f"**{fmt.tradable(abs(group.net_qty), group.qty_decimals)} {group.base}**"
        value = self._book.notional_usd(group)
        pnl = self._book.result_usd_of(group)
        worth = f", about **{fmt.number(value, 0)} USD**" if value is not None else ""
        result = f" Result now **{fmt.signed(pnl, 2)} USD** after fees." if pnl is not None else ""
        verb = "sold" if group.side.sign > 0 else "bought back"
        self.meaning.say(f"{qty}{worth}, {verb} {where}.{result}{cancelled if group.open_entries else ''}")


class AgainSheet(Sheet):
    """Entries that the exchange refused are placed once more."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget, group: GroupRow, mode: Mode) -> None:
        super().__init__(look, icons, parent, name="again_sheet", title="Place again", mode=mode)
        self.legs = group.rejected_legs()
        entries = fmt.count(len(self.legs), "refused entry", "refused entries")
        self.heading = self.add_heading(f"Place {entries} of {fmt.pair(group.symbol)} {group.timeframe} again?")
        self.meaning = Prose(look)
        buys = "Buys" if group.side.sign > 0 else "Sells"
        lines = [group.pyramid_rows[pyramid].legs[leg] for pyramid, leg in self.legs]
        size = group.rules.contract_size if group.rules is not None else 1
        worth = sum((leg.planned_price * leg.planned_qty * size for leg in lines), Decimal(0))
        each = ", ".join(
            f"DCA{leg.index} {fmt.trimmed(leg.planned_qty, group.qty_decimals)} {group.base} at "
            f"{fmt.number(leg.planned_price, group.price_decimals)}"
            for leg in lines
        )
        self.meaning.say(
            f"{buys} **{each}**, up to **{fmt.number(worth, fmt.quote_decimals(group.quote))} {group.quote}**, on "
            f"{group.account}, {words.MODES[mode][0]}. First put right why the exchange refused it."
        )
        self.body.addWidget(self.meaning)
        self.buttons.addWidget(Label(look, "Enter and Esc cancel.", token="muted"), 1)
        self.cancel = self.add_cancel()
        self.action = self.add_action("Place again", kind="danger")
        self.cancel.setFocus()


class AboutSheet(Sheet):
    """Versions and licences."""

    def __init__(self, look: Look, icons: Icons, parent: QWidget) -> None:
        super().__init__(look, icons, parent, name="about_sheet", title="About ExEngine", width=560)
        self.add_heading(f"ExEngine {__version__}")
        where = Prose(look)
        made_for = f"{platform.system()} {platform.machine()}"
        where.say(f"MIT licence. Python {platform.python_version()}, Qt {qVersion()}, {made_for}.")
        self.body.addWidget(where)
        self.body.addSpacing(8)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(2, 1)
        for column, title in enumerate(("Made with", "Version", "Licence")):
            grid.addWidget(Label(look, title, token="muted", role=Role.SMALL, weight=Weight.MEDIUM), 0, column)
        for line, (name, version, licence) in enumerate(_parts(), 1):
            for column, text in enumerate((name, version, licence)):
                label = Label(look, text, token="text" if column == 0 else "muted")
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                grid.addWidget(label, line, column)
        self.body.addLayout(grid)
        self.buttons.addStretch(1)
        self.add_cancel("Close")


def _parts() -> list[tuple[str, str, str]]:
    """What is installed of the libraries that are used, with the licence that each declares."""
    found = []
    for name in PARTS:
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
        declared = [*about.get_all("License-Expression", []), *about.get_all("License", [])]
        classified = [line.rsplit(" :: ", 1)[-1] for line in about.get_all("Classifier", []) if "License ::" in line]
        # Some declare the whole text of their licence there.
        short = [text for text in declared if len(text) < 80]
        said = short[0] if short else ", ".join(classified) or fmt.DASH
        found.append((name, about["Version"], SPDX.get(said, said)))
    return found
