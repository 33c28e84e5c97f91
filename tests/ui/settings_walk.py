"""A walk over every editor of the settings: what is typed where, what is wrong there, and the widgets that take it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from exengine.settings.draft import at
from exengine.settings.fields import Location, Page
from exengine.settings.form import NUMERIC, Field, Kind, field_at
from exengine.settings.pages import Config
from exengine.ui.choice import Tick
from exengine.ui.settings_dialog import SettingsDialog
from exengine.ui.settings_inputs import ChoiceInput
from exengine.ui.settings_overrides import OverridesSheet
from tests.helpers.setting_cases.case import leaves, page_in

ALL_SET: dict[str, Any] = {
    "match": {},
    "grid": {
        "max_pyramids": 4, "legs": [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "1"}],
        "gap_reference": "pyramid", "entry_order": "limit", "on_below_minimum": "skip_leg", "beyond_last_leg": "keep",
        "beyond_last_leg_percent": "1", "abandon_percent": "4", "min_pyramid_gap_percent": "0",
        "replace_last_pyramid": False, "pyramid_multipliers": ["1"], "post_only": False,
    },
    "sizing": {"mode": "fixed", "amount": "100"},
    "take_profit": {
        "mode": "leg", "percent": "1", "order": "limit", "close_when_flat": True, "stop_loss_percent": "5",
        "trailing_percent": "2",
    },
}  # fmt: skip
"""A rule that sets everything that one can set."""

RUNNING: dict[str, Any] = {
    "app": {"update_list": "https://example.com/exengine.json", "update_key": "A" * 43 + "="},
    "listener": {"tls_certificate": "/etc/exengine/chain.pem", "tls_key": "/etc/exengine/key.pem"},
    "accounts": [
        {"name": "paper", "exchange": "paper"},
        {"name": "perp", "exchange": "binance", "market_type": "swap", "leverage": "2"},
    ],
    "routing": [{"tv_exchange": "BINANCE", "account": "paper"}],
    "grid": {"overrides": [ALL_SET, {"match": {}}]},
    "precision": {"fallback_values": {"tick_size": "1", "step_size": "1", "min_qty": "0", "min_notional": "0"}},
    "notifications": [{"url": "secret:notice", "events": ["error"]}],
    "sim": {"recorded": ["BTCUSDT.csv"]},
}
"""A configuration that has one of everything."""

TEXTS: dict[str, tuple[str, str]] = {
    "app.timezone": ("Europe/Berlin", "Mars/Olympus"),
    "app.data_dir": ("/var/lib/exengine", "not/a/full/path"),
    "app.database_url": ("postgresql://me@db/exengine", "mysql://me@db/exengine"),
    "app.update_list": ("https://example.org/exengine.json", "http://example.com/exengine.json"),
    "app.update_key": ("AQ" + "A" * 41 + "=", "no key"),
    "listener.host": ("0.0.0.0", "http://host"),
    "listener.public_url": ("https://hooks.example.com", "hooks.example.com"),
    "listener.trusted_proxies": ("10.0.0.0/8, 127.0.0.1", "10.0.0.1/8"),
    "listener.allowed_sources": ("52.89.214.238", "52.89.214"),
    "listener.allowed_hosts": ("hooks.example.com", "http://host"),
    "listener.tls_certificate": ("/etc/other/chain.pem", "chain.pem"),
    "listener.tls_key": ("/etc/other/key.pem", "key.pem"),
    "accounts.name": ("second", "a|b"),
    "accounts.server": ("http://127.0.0.1:9000", "http://example.com"),
    "accounts.balances": ("250 USDC, 2 BTC", "ten usdt"),
    "routing.tv_exchange": ("BYBIT", ""),
    "notifications.url": ("tgram://bot/chat", "no address"),
    "grid.overrides.match.symbol": ("ETH/USDT", "ethusdt"),
    "grid.overrides.match.timeframe": ("4h", "soon"),
    "sim.recorded": ("ETHUSDT.csv", "prices.txt"),
}
"""What is typed into fields of text, and what is wrong there."""

NEVER_WRONG = {
    "grid.overrides.match.account": "chosen from the accounts that are there",
    "routing.account": "chosen from the accounts that are there",
}
"""Fields of text that cannot be wrong in the dialog, and why."""

WITHIN_THE_SUM = {"grid.legs.weight_percent": "20.005", "grid.overrides.grid.legs.weight_percent": "99.995"}
"""Weights that may change alone: they sum to 100 within 0.01."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One value of the configuration and where it is edited."""

    leaf: str
    place: Location
    field: Field

    @property
    def page(self) -> str:
        return str(self.place[0])

    @property
    def can_be_wrong(self) -> bool:
        return self.field.kind not in (Kind.FLAG, Kind.CHOICE, Kind.CHOICES) and self.leaf not in NEVER_WRONG


def stops() -> tuple[Stop, ...]:
    """Every value that a trader can set but the file's own version."""
    return tuple(_stop(leaf) for leaf, _ in leaves() if leaf != "schema_version")


def _stop(leaf: str) -> Stop:
    place = _place(leaf)
    found = field_at(place)
    assert found is not None
    return Stop(leaf, place, found)


def _place(leaf: str) -> Location:
    """Where the value is in `RUNNING`: rule 0 of the overrides sets everything, rule 1 is for what it matches."""
    names = leaf.split(".")
    if leaf.startswith("grid.overrides.match."):
        return ("grid", "overrides", 1, "match", names[-1])
    if leaf.startswith("grid.overrides."):
        rest = ("legs", 0, names[-1]) if "legs" in names[2:] else (names[-1],)
        return ("grid", "overrides", 0, names[2], *rest)
    if leaf.startswith("grid.legs."):
        return ("grid", "legs", 0, names[-1])
    if names[0] == "accounts":
        row = 0 if names[1] in ("balances", "market_type") else 1
        return ("accounts", 2 if names[1] == "name" else row, *names[1:])
    if names[0] in ("routing", "notifications"):
        return (names[0], 0, *names[1:])
    return tuple(names)


def beyond(stop: Stop) -> dict[str, str]:
    """By each limit of a number as it is told, what is just beyond it; nothing where it is no number."""
    if stop.field.kind not in NUMERIC:
        return {}
    page: type[Page] = Config
    info = Config.model_fields[stop.page]
    for name in (part for part in stop.place if isinstance(part, str)):
        info = page.model_fields[name]
        page = page_in(info.annotation) or page
    step = Decimal(1) if stop.field.kind is Kind.WHOLE else Decimal("0.001")
    found = {}
    for rule in info.metadata:
        for name, past in (("ge", -step), ("gt", Decimal(0)), ("le", step), ("lt", Decimal(0))):
            limit = getattr(rule, name, None)
            if limit is not None:
                found[str(limit)] = str(Decimal(limit) + past)
    return found


class Walk:
    """The dialog, and beside it the sheet of the overrides."""

    def __init__(self, dialog: SettingsDialog, overrides: OverridesSheet) -> None:
        self.dialog, self.overrides = dialog, overrides
        self.running = dialog.desk.config

    @property
    def draft(self) -> Any:
        return self.dialog.editing.draft

    def begin(self, stop: Stop) -> None:
        """Puts everything back, and shows where `stop` is edited."""
        self.dialog.editing.take(self.running)
        if stop.leaf == "accounts.name":
            account = {"name": "third", "exchange": "paper", "market_type": "spot", "enabled": True}
            self.dialog.editing.insert(("accounts",), 2, account)
        if stop.leaf == "listener.tunnel":  # there is none beside a certificate
            for name in ("tls_certificate", "tls_key"):
                self.dialog.editing.put(("listener", name), "")
        self.dialog.navigation.choose(stop.page)
        if stop.page == "accounts":
            self.dialog.current.parts[0].list.setCurrentRow(stop.place[1])
        if "overrides" in stop.place:
            self.overrides.choose(int(stop.place[2]))
        # Qt shows what came into a layout in its next pass only.
        QApplication.processEvents()

    def widget(self, stop: Stop) -> QWidget:
        """What the value is typed into."""
        name = ".".join(str(part) for part in stop.place)
        above = self.overrides if "overrides" in stop.place else self.dialog
        kinds = (QLineEdit, ChoiceInput, Tick)
        for row in above.findChildren(QWidget, name):
            if not row.isVisibleTo(above):
                continue
            found = row if isinstance(row, kinds) else row.input  # type: ignore[attr-defined]
            assert isinstance(found, QWidget)
            return found
        raise AssertionError(f"{name} cannot be edited")

    def change(self, stop: Stop) -> None:
        """Changes the value as the trader would, to another valid one."""
        if stop.field.kind is Kind.CHOICES:
            ticks = self.dialog.findChildren(Tick)
            prefix = ".".join(str(part) for part in stop.place) + "."
            ticks = [tick for tick in ticks if tick.objectName().startswith(prefix) and not tick.isChecked()]
            ticks[0].click()
            return
        widget = self.widget(stop)
        if isinstance(widget, Tick):
            widget.click()
        elif isinstance(widget, ChoiceInput):
            self._choose_another(widget)
        elif isinstance(widget, QLineEdit):
            for text in self._texts(stop):
                self.type(widget, text)
                if self.draft.config is not None:
                    return

    def _choose_another(self, widget: ChoiceInput) -> None:
        """The next word with the arrow; where that is only valid with another value, the one after it."""
        began = widget.currentIndex()
        for key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            widget.setCurrentIndex(began)
            while True:
                row = widget.currentIndex()
                QTest.keyClick(widget, key)
                if widget.currentIndex() == row:
                    break
                if self.draft.config is not None:
                    return

    def _texts(self, stop: Stop) -> Iterator[str]:
        if stop.leaf in TEXTS:
            yield TEXTS[stop.leaf][0]
        elif stop.leaf in WITHIN_THE_SUM:
            yield WITHIN_THE_SUM[stop.leaf]
        elif stop.field.kind is Kind.NUMBERS:
            yield "2, 3"
        before = at(self.draft._tree, stop.place)
        for text in ("3", "2", "0.5", "-7", "100", "300", "11", "40"):
            if text != str(before):
                yield text

    def spoil(self, stop: Stop) -> None:
        """Types something that cannot be used; a number is just beyond the first of its limits."""
        widget = self.widget(stop)
        assert isinstance(widget, QLineEdit)
        wrong = TEXTS[stop.leaf][1] if stop.leaf in TEXTS else next(iter(beyond(stop).values()), "much")
        self.type(widget, wrong)

    @staticmethod
    def type(line: QLineEdit, text: str) -> None:
        line.selectAll()
        if text:
            QTest.keyClicks(line, text)
        else:
            QTest.keyClick(line, Qt.Key.Key_Backspace)

    def said_at(self, stop: Stop) -> str:
        """What stands beside the field in red."""
        widget: QWidget | None = self.widget(stop)
        while widget is not None:
            fault = getattr(widget, "fault", None)
            if fault is not None and hasattr(fault, "text") and not isinstance(widget, SettingsDialog):
                return str(fault.text()) if not fault.isHidden() else ""
            widget = widget.parentWidget()
        raise AssertionError("there is no place for what is wrong")
