"""What is to be replayed: signals and their time, prices, market rules, and one or two configurations."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from exengine.analytics.replayed import ReplayAsk, SignalsThere
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError
from exengine.settings.variants import with_changes
from exengine.ui import format as fmt
from exengine.ui.choice import DropDown
from exengine.ui.day_span import DaySpan
from exengine.ui.icons import Icons
from exengine.ui.pieces import ElidedLabel, Ground, Label, button
from exengine.ui.remark import Remark, set_marks
from exengine.ui.replay_chart import NAMES, TOKENS
from exengine.ui.replay_desk import BARS, EXCHANGES, ReplayDesk
from exengine.ui.theme import Look, Role, Weight

WIDTH = 344
LINES = 6
"""Of changes that are seen at once."""
LOG, FILE, FILES = "From the log", "From a file", "From files"
DOWNLOAD, LISTED = "Downloaded", "As the accounts list them"
ALL, WEEK, MONTH, DAYS = "All of them", "The last 7 days", "The last 30 days", "Days"
RUNNING, NONE, CHANGED = "What runs now", "Nothing to compare with", "A with changes"
_JSON = "Configuration (*.json);;All files (*)"


class FilesRow(QWidget):
    """Which files were chosen, and the button to choose others."""

    changed = Signal()

    def __init__(self, look: Look, title: str, kinds: str, *, many: bool = False) -> None:
        super().__init__()
        self._title, self._kinds, self._many = title, kinds, many
        self.paths: tuple[Path, ...] = ()
        self.label = ElidedLabel(look, "None chosen", token="muted")
        self.choose = button(look, "Choose…", small=True)
        self.choose.setAccessibleName(title)
        self.choose.clicked.connect(self._on_choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label, 1)
        row.addWidget(self.choose)

    def put(self, *paths: Path) -> None:
        """Takes files, as the dialog does."""
        self.paths = paths
        self.label.setText(", ".join(path.name for path in paths) or "None chosen")
        self.changed.emit()

    def _on_choose(self) -> None:
        dialog = QFileDialog(self, self._title, str(self.paths[0].parent) if self.paths else "", self._kinds)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles if self._many else QFileDialog.FileMode.ExistingFile)
        dialog.filesSelected.connect(lambda names: self.put(*map(Path, names)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


class ReplayForm(Ground):
    """Says what was chosen, and why it cannot be replayed yet."""

    changed = Signal()

    def __init__(self, look: Look, icons: Icons, desk: ReplayDesk, now_ms: Callable[[], int]) -> None:
        super().__init__(look, "surface")
        self.look, self.icons, self.desk, self._now_ms = look, icons, desk, now_ms
        self.there: SignalsThere | None = None
        """What the log has; None while that is not known."""
        self._first, self._second = desk.config, desk.config
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 12, 16, 12)
        self._column.setSpacing(6)
        self._add_signals()
        self._add_prices()
        self._add_configs()
        self._column.addStretch(1)
        look.changed.connect(self._on_look_changed)
        self._on_look_changed()
        self.refresh()

    # Building

    def _head(self, text: str, *, token: str = "text") -> None:
        if self._column.count():
            self._column.addSpacing(8)
        self._column.addWidget(Label(self.look, text, token=token, weight=Weight.STRONG))

    def _choice(self, name: str, *items: str) -> DropDown:
        made = DropDown(self.icons, name, items)
        made.currentTextChanged.connect(self.refresh)
        self._column.addWidget(made)
        return made

    def _files(self, title: str, kinds: str, *, many: bool = False) -> FilesRow:
        made = FilesRow(self.look, title, kinds, many=many)
        made.changed.connect(self.refresh)
        self._column.addWidget(made)
        return made

    def _add_signals(self) -> None:
        self._head("Signals")
        self.signals = self._choice("Signals", LOG, FILE)
        self.signals_file = self._files("Choose recorded signals", "Recorded signals (*.jsonl);;All files (*)")
        self.span = self._choice("Which of the signals", ALL, WEEK, MONTH, DAYS)
        self.days = DaySpan(self.look, self.icons, narrow=True)
        today = datetime.fromtimestamp(self._now_ms() / 1000, UTC).astimezone(self.zone).date()
        self.days.set_days(today - timedelta(days=30), today)
        self.days.days_changed.connect(self.refresh)
        self._column.addWidget(self.days)
        self.known = Label(self.look, token="muted", role=Role.SMALL)
        self.known.setWordWrap(True)
        self._column.addWidget(self.known)

    def _add_prices(self) -> None:
        self._head("Prices")
        self.prices = self._choice("Prices", DOWNLOAD, FILES)
        self.price_files = self._files("Choose price files", "Prices (*.csv *.parquet);;All files (*)", many=True)
        self._download = QWidget()
        row = QHBoxLayout(self._download)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self.exchange = DropDown(self.icons, "Exchange of the prices", tuple(EXCHANGES.values()))
        self.exchange.setCurrentText(EXCHANGES.get(self.desk.exchange, "Binance"))
        self.bars = DropDown(self.icons, "Length of the bars", tuple(BARS.values()))
        row.addWidget(self.exchange, 1)
        row.addWidget(self.bars, 1)
        self._column.addWidget(self._download)
        self._head("Market rules")
        self.markets = self._choice("Market rules", LISTED, FILE)
        self.markets_file = self._files("Choose market rules", "Market rules (*.json);;All files (*)")

    def _add_configs(self) -> None:
        self._head("Configuration A", token=TOKENS[0])
        self.first = self._choice("Configuration A", RUNNING, FILE)
        self.first_file = self._files("Choose configuration A", _JSON)
        self._head("Configuration B", token=TOKENS[1])
        self.second = self._choice("Configuration B", CHANGED, FILE, NONE)
        self.second_file = self._files("Choose configuration B", _JSON)
        self.changes = QPlainTextEdit()
        self.changes.setObjectName("replay_changes")
        self.changes.setAccessibleName("Changes that make B of A, a setting in each line")
        self.changes.setPlaceholderText("take_profit.percent = 1.5\ngrid.legs[0].tp_percent = 0.8")
        self.changes.setTabChangesFocus(True)
        self.changes.textChanged.connect(self.refresh)
        self._column.addWidget(self.changes)
        self.fault = Remark(self.look, self.icons)
        self._column.addWidget(self.fault)

    def _on_look_changed(self) -> None:
        self.setFixedWidth(self.look.scaled(WIDTH))
        self.changes.setFont(self.look.code_font())
        self.changes.setFixedHeight(self.changes.fontMetrics().lineSpacing() * LINES + 20)

    # What is said

    @property
    def zone(self) -> tzinfo:
        return fmt.Times.zone or datetime.now(UTC).astimezone().tzinfo or UTC

    def show_there(self, there: SignalsThere) -> None:
        """Tells what the log has."""
        self.there = there
        self.refresh()

    def refresh(self) -> None:
        """Shows the fields that the choices need, and what is wrong with them."""
        from_log = self.signals.currentText() == LOG
        self.signals_file.setVisible(not from_log)
        self.days.setVisible(self.span.currentText() == DAYS)
        self.known.setText(self._known() if from_log else "")
        self.known.setVisible(bool(self.known.text()))
        downloads = self.prices.currentText() == DOWNLOAD
        self._download.setVisible(downloads)
        self.price_files.setVisible(not downloads)
        self.markets_file.setVisible(self.markets.currentText() == FILE)
        self.first_file.setVisible(self.first.currentText() == FILE)
        self.second_file.setVisible(self.second.currentText() == FILE)
        self.changes.setVisible(self.second.currentText() == CHANGED)
        self.fault.say(self._read_configs())
        set_marks(self.changes, faulty=bool(self.fault.text()))
        self.changed.emit()

    def _known(self) -> str:
        there = self.there
        if there is None:
            return "Looking into the log…"
        if there.first_ms is None or there.last_ms is None:
            return "The log has no signals yet: choose a file."
        days = [f"{datetime.fromtimestamp(at / 1000, UTC).astimezone(self.zone):%Y-%m-%d}" for at in
                (there.first_ms, there.last_ms)]  # fmt: skip
        return f"The log has {fmt.count(there.count, 'signal')}, from {days[0]} to {days[1]}."

    def _read_configs(self) -> str:
        """Reads both; what is wrong with them, in words."""
        try:
            self._first = self._config(self.first.currentText(), self.first_file)
            if self.second.currentText() == CHANGED:
                self._second = with_changes(self._first, self.changes.toPlainText())
            else:
                self._second = self._config(self.second.currentText(), self.second_file)
        except ConfigError as error:
            problems = [problem.words for problem in error.problems[:3]]
            return "\n".join(problems) if problems else str(error)
        return ""

    def _config(self, chosen: str, row: FilesRow) -> Config:
        return self.desk.read_config(row.paths[0]) if chosen == FILE and row.paths else self.desk.config

    # What was chosen

    @property
    def why_not(self) -> str:
        """Why it cannot be replayed yet; empty where it can."""
        chosen: tuple[tuple[DropDown, str, FilesRow, str], ...] = (
            (self.signals, FILE, self.signals_file, "Choose the file of signals"),
            (self.prices, FILES, self.price_files, "Choose the price files"),
            (self.markets, FILE, self.markets_file, "Choose the file of market rules"),
            (self.first, FILE, self.first_file, "Choose the file of configuration A"),
            (self.second, FILE, self.second_file, "Choose the file of configuration B"),
        )
        for choice, kind, row, why in chosen:
            if choice.currentText() == kind and not row.paths:
                return why
        if self.signals.currentText() == LOG and self.there is not None and not self.there.count:
            return "The log has no signals yet"
        if self.fault.text():
            return "A configuration cannot be used"
        if self.second.currentText() == CHANGED and self._second == self._first:
            return "Write what is different in B, or compare with nothing"
        return ""

    @property
    def ask(self) -> ReplayAsk:
        """Which signals and prices."""
        since_ms, until_ms = self._limits()
        by_name = {name: key for key, name in (EXCHANGES | BARS).items()}
        return ReplayAsk(
            signals=self.signals_file.paths[0] if self.signals.currentText() == FILE else None,
            since_ms=since_ms,
            until_ms=until_ms,
            prices=self.price_files.paths if self.prices.currentText() == FILES else (),
            exchange=by_name[self.exchange.currentText()],
            timeframe=by_name[self.bars.currentText()],
            markets=self.markets_file.paths[0] if self.markets.currentText() == FILE else None,
        )

    def _limits(self) -> tuple[int | None, int | None]:
        match self.span.currentText():
            case "The last 7 days":
                return self._now_ms() - 7 * 86_400_000, None
            case "The last 30 days":
                return self._now_ms() - 30 * 86_400_000, None
            case "Days":
                first, last = self.days.days
                midnight = datetime.min.time()
                since = datetime.combine(first, midnight, self.zone)
                until = datetime.combine(last + timedelta(days=1), midnight, self.zone)
                return round(since.timestamp() * 1000), round(until.timestamp() * 1000)
            case _:
                return None, None

    @property
    def configs(self) -> tuple[Config, ...]:
        """One, or two to compare."""
        return (self._first,) if self.second.currentText() == NONE else (self._first, self._second)

    @property
    def names(self) -> tuple[str, ...]:
        """Each configuration as the trader knows it."""
        first = RUNNING if self.first.currentText() == RUNNING else self.first_file.label.text()
        second = {CHANGED: CHANGED, FILE: self.second_file.label.text()}.get(self.second.currentText(), "")
        return tuple(f"{name}: {text}" for name, text in zip(NAMES, (first, second), strict=True) if text)
