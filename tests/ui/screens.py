"""Renders every dock and dialog to PNG files, to be looked at: `python -m tests.ui.screens build/screens`."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QDateTime, QEvent, QPoint, QTimeZone
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from exengine.engine.intake import Verdict, VerdictKind
from exengine.engine.rows import EngineStatus, Mode, ViewChanges
from exengine.ui.app import make_app
from exengine.ui.bridge import Bridge
from exengine.ui.layout import LayoutStore
from exengine.ui.log_range import Span
from exengine.ui.positions_deeds import Deed
from exengine.ui.theme import Look, Scheme
from exengine.ui.window import Window
from tests.ui import panels, rows, secrets_screens, way_in
from tests.ui.feed import Feed, Recorder, setup

SIZES = ((1440, 900), (2560, 1440))


async def _nothing() -> None:
    return None


def let_go(window: Window) -> None:
    """Ends a window at once: else every one that was ever shot would take on each further look."""
    window.hide()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


class Stage:
    """One window with its feed."""

    def __init__(self, app: QApplication, look: Look, folder: Path, size: tuple[int, int], mode: Mode) -> None:
        self.app = app
        self.feed = Feed()
        self.bridge = Bridge(self.feed, Recorder(), now_ms=lambda: rows.NOW_MS)
        store = LayoutStore(folder / "layout.ini")
        store.forget()
        self.window = Window(look, self.bridge, setup(mode), store, on_close=_nothing)
        self.window.resize(*size)
        self.window.show()

    def put(self, changes: ViewChanges) -> None:
        self.feed.put(changes)
        self.bridge.flush()
        self.settle()

    def settle(self) -> None:
        for _ in range(4):
            self.app.processEvents()

    def shot(self) -> QPixmap:
        """The window with the dialog over it, as a screen would show them."""
        sheet = self.window.clicks.sheet
        return self.shot_with(*([sheet] if sheet is not None else []))

    def shot_with(self, *sheets: QWidget) -> QPixmap:
        """The window with these dialogs over it, one over the other."""
        self.settle()
        picture = self.window.grab()
        painter = QPainter(picture)
        for sheet in sheets:
            at = sheet.pos() - self.window.pos()
            painter.drawPixmap(QPoint(at.x(), at.y()), sheet.grab())
        painter.end()
        return picture

    def close(self) -> None:
        sheet = self.window.clicks.sheet
        if sheet is not None:
            sheet.reject()
        self.bridge.close()
        let_go(self.window)
        self.settle()


def empty(stage: Stage) -> None:
    quotes = {("paper", "BTC/USDT"): rows.Quote(price=rows.D("67240.50"), at_ms=rows.NOW_MS)}
    stage.put(rows.changes(engine=rows.empty_engine(), quotes=quotes, panels=panels.empty()))
    stage.window.risk.offer_settings()
    stage.window.positions.first_steps.offer_account()


def empty_log(stage: Stage) -> None:
    empty(stage)
    stage.window.log.raise_()


def empty_queue_and_status(stage: Stage) -> None:
    empty(stage)
    stage.window.status.raise_()


def status(stage: Stage) -> None:
    live(stage)
    stage.window.status.raise_()


def status_error(stage: Stage) -> None:
    error(stage)
    stage.window.status.raise_()


def status_floating(stage: Stage) -> None:
    """Narrow and high: its tables stand one under the other."""
    error(stage)
    stage.window.tabifyDockWidget(stage.window.risk, stage.window.status)
    stage.settle()
    stage.window.status.raise_()


def queue_error(stage: Stage) -> None:
    error(stage)
    stage.window.queue.raise_()
    stage.window.risk.choose("paper|LINK/USDT|15m#1")


def force(stage: Stage) -> None:
    live(stage)
    stage.window.clicks.ask_force(panels.of("main", panels.waiting()))


def run_plan(stage: Stage) -> None:
    live(stage)
    stage.window.risk.run.click()


def coins_missing(stage: Stage) -> None:
    live(stage)
    groups = {row.id: row for row in rows.sample_groups()}
    sol = groups["paper|SOL/USDT|1h#1"]
    short = replace(
        sol,
        account="main",
        id="main|SOL/USDT|1h#1",
        error="the account holds 10.2 SOL, its groups bought 16.964 SOL",
        missing_qty=rows.D("6.764"),
    )
    stage.put(rows.changes([short]))
    stage.window.clicks.ask_adopt(short.id)


def refused_alert(stage: Stage) -> None:
    empty(stage)
    errors = (rows_error("tv.symbol", "BTCUSDT is not a market of paper"),)
    verdict = Verdict(kind=VerdictKind.INVALID, signal_id=3, errors=errors)
    stage.window.positions.first_steps.form.show_verdict(verdict)


def rows_error(field: str, message: str):
    from exengine.domain.signal import FieldError

    return FieldError(field=field, message=message)


def normal(stage: Stage, account: str = "paper", mode: Mode = Mode.PAPER) -> None:
    groups = [
        replace(row, account=account if row.account == "paper" else row.account, id=row.id.replace("paper", account))
        for row in rows.sample_groups()
    ]
    quotes = {(account if key[0] == "paper" else key[0], key[1]): quote for key, quote in rows.sample_quotes().items()}
    stage.put(
        rows.changes(
            groups,
            quotes=quotes,
            signals=rows.sample_signals(),
            log=rows.sample_log(),
            engine=rows.engine(mode=mode),
            panels=panels.of(account, panels.sample(mode=mode)),
        )
    )
    table, model = stage.window.positions.table, stage.window.positions.model
    sol = model.index_of(f"{account}|SOL/USDT|1h#1")
    table.expand(sol)
    for place in range(2):
        table.expand(model.index(place, 0, sol))
    stage.put(rows.changes(quotes={key: replace(quote, price=quote.price + 0) for key, quote in quotes.items()}))


def error(stage: Stage) -> None:
    normal(stage)
    why = "The disk is full: nothing more can be stored."
    row = rows.engine(status=EngineStatus.ERROR, status_text=why, away=("perp",), stores=False)
    stage.put(rows.changes(log=rows.outage_log(), engine=row, panels=panels.error()))
    stale = {
        key: replace(quote, at_ms=rows.NOW_MS - 40_000)
        for key, quote in rows.sample_quotes().items()
        if key[0] == "perp"
    }
    stage.put(rows.changes(quotes=stale))
    stage.bridge.ticked.emit(rows.NOW_MS)
    stage.window.log.raise_()


def flashing(stage: Stage) -> None:
    normal(stage)
    quotes = rows.sample_quotes()
    moved = {
        ("paper", "BTC/USDT"): replace(quotes["paper", "BTC/USDT"], price=rows.D("67290.50")),
        ("paper", "LINK/USDT"): replace(quotes["paper", "LINK/USDT"], price=rows.D("17.802")),
    }
    stage.put(rows.changes(quotes=moved, panels=panels.moved(quotes | moved)))
    model = stage.window.positions.model
    stage.window.positions.table.setCurrentIndex(model.index_of("paper|AVAX/USDT|1h#1"))
    stage.window.positions.table.setFocus()


def paused(stage: Stage) -> None:
    normal(stage)
    stage.put(rows.changes(engine=rows.engine(status=EngineStatus.PAUSED, status_text="Paused by the trader.")))
    stage.window.signals.raise_()
    stage.window.signals.show_payload.setChecked(True)
    stage.window.signals.table.setCurrentIndex(stage.window.signals.model.index(4, 0))


def busy(stage: Stage) -> None:
    groups = rows.busy_groups()
    signals = [
        rows.signal(
            number, symbol=f"C{number % 200:03}/USDT", at_ms=rows.LAST_WEBHOOK_MS - (3_000 - number) * rows.SECOND
        )
        for number in range(1, 3_001)
    ]
    log = [rows.log(number, f"Target of DCA{number % 7} reached", symbol="SOL/USDT") for number in range(1, 3_001)]
    about = panels.busy()
    money = about.capital
    engine = rows.engine(
        pool_used=200, pool_limit=200, queued=100, realised_total="1234567.89", free=str(money.free)
    )  # fmt: skip
    start = money.filled + money.open + money.free - engine.realised_total
    stage.put(
        rows.changes(
            groups,
            quotes=rows.busy_quotes(groups),
            signals=signals,
            log=log,
            engine=replace(engine, filled_quote=money.filled, open_quote=money.open, start_equity=start),
            panels=about,
        )
    )
    stage.window.positions.sort_by(7)
    table, model = stage.window.positions.table, stage.window.positions.model
    table.expand(model.index(2, 0))
    table.expand(model.index(1, 0, model.index(2, 0)))


def live(stage: Stage) -> None:
    normal(stage, account="main", mode=Mode.LIVE)
    stage.put(rows.changes(log=(rows.refused("main"),)))


def panic(stage: Stage) -> None:
    live(stage)
    stage.window.clicks.ask_panic()
    stage.window.clicks.sheet.word.setText("CLO")


def panic_paper(stage: Stage) -> None:
    normal(stage)
    stage.window.clicks.ask_panic()
    stage.window.clicks.sheet.entries.setChecked(True)


def close_group(stage: Stage) -> None:
    live(stage)
    stage.window.clicks.ask_close("main|AVAX/USDT|1h#1")


def test_alert(stage: Stage) -> None:
    normal(stage)
    stage.window.clicks.ask_test_alert()


def about(stage: Stage) -> None:
    normal(stage)
    stage.window.clicks.show_about()


def palette(stage: Stage) -> None:
    normal(stage)
    stage.window.finder.open()
    stage.window.finder.field.setText("close")


def palette_all(stage: Stage) -> None:
    error(stage)
    stage.window.finder.open()


def leaving(stage: Stage) -> None:
    live(stage)
    stage.window.leaving.ask_quit()


def save_layout(stage: Stage) -> None:
    normal(stage)
    stage.window.registry.run("save_layout")
    stage.window.clicks.sheet.field.setText("Trade")


def toasts(stage: Stage) -> None:
    normal(stage)
    stage.window.toasts.say("5 entries of SOL/USDT 1h cancelled", "success")
    failed = "Could not close AVAX/USDT 1h: the store cannot take it. Nothing else was changed."
    for _ in range(2):
        stage.window.toasts.say(f"{failed} Try it again, or see the log.", "error")


def filtered_out(stage: Stage) -> None:
    normal(stage)
    stage.window.log.raise_()
    stage.settle()
    stage.window.log.search.setText("nothing has this word")
    stage.window.log.apply_filter()


def large(stage: Stage) -> None:
    stage.window.look.choose(font_size=20)
    error(stage)


def small(stage: Stage) -> None:
    stage.window.look.choose(font_size=8)
    normal(stage)


def narrow(stage: Stage) -> None:
    stage.window.resize(960, 600)
    error(stage)


def large_empty(stage: Stage) -> None:
    stage.window.look.choose(font_size=20)
    empty(stage)


def large_panic(stage: Stage) -> None:
    stage.window.look.choose(font_size=16)
    panic(stage)


def other_palette(stage: Stage) -> None:
    stage.window.look.choose(pnl_palette="blue/orange")
    flashing(stage)


def close_part(stage: Stage) -> None:
    live(stage)
    stage.window.clicks.ask_part("main|SOL/USDT|1h#1")
    stage.window.clicks.sheet.take_share(rows.D(25))


def close_part_dust(stage: Stage) -> None:
    normal(stage)
    group = stage.window.book.groups["paper|SOL/USDT|1h#1"]
    stage.window.clicks.ask_part(group.id)
    stage.window.clicks.sheet.qty.textEdited.emit(str(group.net_qty - rows.D("0.01")))


def edit_stop(stage: Stage) -> None:
    live(stage)
    stage.window.clicks.ask_stop("main|AVAX/USDT|1h#1")
    sheet = stage.window.clicks.sheet
    sheet.price.setText("33.50")
    sheet.refresh()


def edit_stop_wrong(stage: Stage) -> None:
    normal(stage)
    stage.window.clicks.ask_stop("paper|AVAX/USDT|1h#1")
    sheet = stage.window.clicks.sheet
    sheet.price.setText("36.00")
    sheet.refresh()


def place_again(stage: Stage) -> None:
    live(stage)
    stage.window.clicks.ask_again("main|DOGE/USDT|15m#1")


def filtered_positions(stage: Stage) -> None:
    normal(stage)
    positions = stage.window.positions
    positions.filter.begin()
    positions.filter.chips["Long"].setChecked(True)
    positions.filter.search.setText("part filled")
    positions.filter.look()
    positions.refresh()


def signals_followed(stage: Stage) -> None:
    normal(stage)
    signals = stage.window.signals
    signals.raise_()
    stage.settle()
    signals.table.setCurrentIndex(signals.model.index_of(1))
    signals.show_payload.setChecked(True)


def replay(stage: Stage) -> None:
    signals_followed(stage)
    stage.window.signals.ask_replay()


def log_of_a_group(stage: Stage) -> None:
    error(stage)
    span = stage.window.log.range
    span.choose(Span.DAYS)
    day = QDateTime.fromMSecsSinceEpoch(rows.NOW_MS, QTimeZone.utc()).date()
    span.first.setDate(day)
    span.last.setDate(day)
    group = "paper|DOGE/USDT|15m#1"
    texts = ("Alert taken as an entry", "Ladder of 5 legs laid at 0.16400", "4 of 5 entries placed")
    alert = rows.REFUSED_MS - rows.SECOND
    lines = [
        rows.log(60 + place, text, symbol="DOGE/USDT", timeframe="15m", at_ms=alert + place * 300)
        for place, text in enumerate(texts)
    ]
    stage.put(rows.changes(log=[replace(line, group=group) for line in lines]))
    stage.window.positions.asked.emit(Deed.LOG, group)


def strip_of_an_order(stage: Stage) -> None:
    normal(stage)
    stage.put(rows.changes(log=[*rows.sample_log(errors=2), rows.refused()]))


SCENES: dict[str, tuple[Callable[[Stage], None], Mode]] = {
    "empty": (empty, Mode.PAPER),
    "empty-log": (empty_log, Mode.PAPER),
    "refused-alert": (refused_alert, Mode.PAPER),
    "normal": (normal, Mode.PAPER),
    "status-empty": (empty_queue_and_status, Mode.PAPER),
    "status-live": (status, Mode.LIVE),
    "status-error": (status_error, Mode.PAPER),
    "status-narrow": (status_floating, Mode.PAPER),
    "queue-error": (queue_error, Mode.PAPER),
    "force": (force, Mode.LIVE),
    "run-plan": (run_plan, Mode.LIVE),
    "coins-missing": (coins_missing, Mode.LIVE),
    "flashing": (flashing, Mode.PAPER),
    "paused": (paused, Mode.PAPER),
    "error": (error, Mode.PAPER),
    "busy": (busy, Mode.PAPER),
    "live": (live, Mode.LIVE),
    "panic": (panic, Mode.LIVE),
    "panic-entries": (panic_paper, Mode.PAPER),
    "close-group": (close_group, Mode.LIVE),
    "part": (close_part, Mode.LIVE),
    "part-dust": (close_part_dust, Mode.PAPER),
    "stop": (edit_stop, Mode.LIVE),
    "stop-wrong": (edit_stop_wrong, Mode.PAPER),
    "place-again": (place_again, Mode.LIVE),
    "filtered": (filtered_positions, Mode.PAPER),
    "signals": (signals_followed, Mode.PAPER),
    "replay": (replay, Mode.PAPER),
    "log-of-a-group": (log_of_a_group, Mode.PAPER),
    "strip": (strip_of_an_order, Mode.PAPER),
    "test-alert": (test_alert, Mode.PAPER),
    "about": (about, Mode.PAPER),
    "palette": (palette, Mode.PAPER),
    "palette-all": (palette_all, Mode.PAPER),
    "leaving": (leaving, Mode.LIVE),
    "save-layout": (save_layout, Mode.PAPER),
    "toasts": (toasts, Mode.PAPER),
    "nothing-matches": (filtered_out, Mode.PAPER),
    "font-8": (small, Mode.PAPER),
    "font-20": (large, Mode.PAPER),
    "font-20-empty": (large_empty, Mode.PAPER),
    "font-16-panic": (large_panic, Mode.LIVE),
    "narrow": (narrow, Mode.PAPER),
    "blue-orange": (other_palette, Mode.PAPER),
    "tunnel-off": (way_in.tunnel_off, Mode.PAPER),
    "tunnel-up": (way_in.tunnel_up, Mode.PAPER),
    "secrets": (secrets_screens.secrets, Mode.PAPER),
    "secrets-reveal": (secrets_screens.secrets_reveal, Mode.PAPER),
    "app-lock": (secrets_screens.app_lock, Mode.PAPER),
    "locked": (secrets_screens.locked, Mode.PAPER),
}


def render(folder: Path, only: str = "") -> Iterator[Path]:
    """Every scene in both themes and sizes."""
    app = QApplication.instance() or make_app([])
    assert isinstance(app, QApplication)
    look = Look(app, scheme=Scheme.DARK, reduced_motion=False)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as layouts:
        for scheme in (Scheme.DARK, Scheme.LIGHT):
            look.choose(scheme=scheme)
            for size in SIZES:
                for name, (scene, mode) in SCENES.items():
                    if only and only not in name:
                        continue
                    stage = Stage(app, look, Path(layouts), size, mode)
                    scene(stage)
                    path = folder / f"{name}-{scheme.value}-{size[0]}.png"
                    stage.shot().save(str(path))
                    stage.close()
                    look.choose(font_size=10, pnl_palette="green/red")
                    yield path


TWICE = (
    "normal", "live", "panic", "empty", "error", "test-alert", "palette", "busy", "paused", "signals", "status-error",
    "part", "stop-wrong", "run-plan", "secrets", "toasts",
)  # fmt: skip
"""Scenes that are shot at 200 % too; the scale is fixed for a process, so that they want one of their own."""


def render_twice(folder: Path, only: str) -> None:
    """At 200 %: the same logical size, twice the pixels."""
    script = f"from tests.ui import screens; screens.shoot_twice({str(folder)!r}, {only!r})"
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "QT_SCALE_FACTOR": "2"})


def shoot_twice(folder: str, only: str) -> None:
    global SIZES, SCENES  # noqa: PLW0603  # this process makes these pictures and no others
    SIZES = SIZES[:1]
    SCENES = {f"{name}-200": SCENES[name] for name in TWICE}
    for written in render(Path(folder), only):
        print(written)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py screens", description="Renders every dock and dialog to PNG files.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/screens"), help="default: %(default)s")
    parser.add_argument("scene", nargs="?", default="", help="only scenes with this in their name; default: all")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _arguments()
    target, wanted = arguments.folder, arguments.scene
    for written in render(target, wanted):
        print(written)
    from tests.ui import frame_screens, performance_screens, replay_screens, settings_screens

    for written in frame_screens.render(target, wanted):
        print(written)
    for written in replay_screens.render(target, wanted):
        print(written)
    for written in performance_screens.render(target, wanted.removeprefix("performance-")):
        print(written)
    for written in settings_screens.render(target, wanted.removeprefix("settings-")):
        print(written)
    render_twice(target, wanted)
