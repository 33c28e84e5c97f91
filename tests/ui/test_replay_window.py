"""The Replay window: what is chosen, a comparison to its end, and the way from it into the settings."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import pytest
from PySide6.QtCore import QDate, QPointF
from PySide6.QtWidgets import QApplication, QWidget

from exengine.analytics.replayed import SignalsThere
from exengine.analytics.replayed import Stage as Done
from exengine.bootstrap.account_desk import AccountDesk
from exengine.domain.errors import UserError
from exengine.settings.file import save
from exengine.ui import format as fmt
from exengine.ui.choice import DropDown
from exengine.ui.day_span import DayField
from exengine.ui.icons import Icons
from exengine.ui.loop import Loop
from exengine.ui.replay_entry import ReplayEntry
from exengine.ui.replay_form import DAYS, FILE, FILES, MONTH, NONE
from exengine.ui.replay_window import ReplayWindow
from exengine.ui.settings_dialog import SettingsDialog
from exengine.ui.settings_entry import SettingsEntry
from exengine.ui.theme import Look
from tests.bench.replay_inputs import T0, config, write
from tests.integration.test_replay_desk import ALERTS, PRICES, RUNNING, SECOND
from tests.integration.test_replay_desk import desk as real_desk
from tests.ui import replay_screens, rows
from tests.ui.conftest import Stage
from tests.ui.replay_stage import InlineDesk
from tests.ui.settings_desk import MemoryDesk, MemoryKeys
from tests.ui.test_on_the_real_engine import ONE_LEG, Desktop, on_the_desktop

CHANGES = "grid.legs[0].tp_percent = 2\ntake_profit.mode = aggregate"


@dataclass
class Replaying:
    """The Replay window beside a program's, with what it talks to."""

    stage: Stage
    desk: InlineDesk
    settings: SettingsEntry
    entry: ReplayEntry
    loop: Loop

    @property
    def window(self) -> ReplayWindow:
        assert self.entry.replay is not None
        return self.entry.replay

    def do(self, call: Callable[[], object]) -> None:
        """On the running loop, and lets what it started begin."""

        async def called() -> None:
            call()
            for _ in range(3):
                await asyncio.sleep(0)

        self.loop.run_until_complete(called())

    def run(self) -> None:
        """Presses Replay, and waits for the end."""
        self.do(self.window.run.click)
        self.loop.run_until_complete(self.window.ended())
        Stage.settle()

    @property
    def dialog(self) -> SettingsDialog:
        assert self.settings.dialog is not None
        return self.settings.dialog


@pytest.fixture
def replaying(stage: Stage, on_loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replaying]:
    monkeypatch.setattr(fmt.Times, "zone", UTC)
    desk = InlineDesk(tmp_path)
    settings = SettingsEntry(stage.window, MemoryDesk(desk.config, tmp_path / "config.json"), MemoryKeys())
    made = Replaying(stage, desk, settings, ReplayEntry(stage.window, desk, settings), on_loop)
    made.do(lambda: stage.window.registry.run("replay_window"))
    yield made
    on_loop.run_until_complete(made.entry.close())
    if settings.dialog is not None:
        settings.dialog.done(0)
    made.window.hide()
    QApplication.processEvents()


def cells(window: ReplayWindow) -> dict[str, list[str]]:
    """The figures as they are shown, by name."""
    model = window.result.figures
    rows_ = [model.make_cells(row) for row in model.rows()]
    return {row[0].text: [cell.text for cell in row[1:]] for row in rows_}


def test_the_tools_menu_opens_it_once_beside_the_program(replaying: Replaying) -> None:
    window = replaying.window
    assert window.isVisible()
    assert not window.isModal()
    assert window.form.known.text() == "The log has 60 signals, from 2026-01-01 to 2026-01-09."
    replaying.do(lambda: replaying.stage.window.registry.run("replay_window"))
    assert replaying.window is window


def test_what_is_missing_is_said_and_keeps_the_button_off(replaying: Replaying) -> None:
    window, form = replaying.window, replaying.window.form
    assert window.why.text() == "Write what is different in B, or compare with nothing."
    assert not window.run.isEnabled()
    form.changes.setPlainText(CHANGES)
    assert window.run.isEnabled()
    form.changes.setPlainText("ui.theme = dark\npool")
    assert form.fault.text().splitlines() == [
        "ui.theme changes nothing in a replay.",
        "pool needs a value, as take_profit.percent = 1.5.",
    ]
    form.changes.setPlainText("take_profit.percent = -1\ngrid.leg = 3")
    assert form.fault.text().splitlines() == [
        "grid.leg is not known here; did you mean legs?",
        "take_profit.percent must be above 0 (it is −1).",
    ]
    assert window.why.text() == "A configuration cannot be used."
    form.second.setCurrentText(NONE)
    assert window.run.isEnabled()
    for choice, kind, why in (
        (form.signals, FILE, "Choose the file of signals."),
        (form.prices, FILES, "Choose the price files."),
        (form.markets, FILE, "Choose the file of market rules."),
        (form.first, FILE, "Choose the file of configuration A."),
        (form.second, FILE, "Choose the file of configuration B."),
    ):
        before = choice.currentText()
        choice.setCurrentText(kind)
        assert window.why.text() == why
        choice.setCurrentText(before)
    form.show_there(SignalsThere(count=0))
    assert window.why.text() == "The log has no signals yet."


@pytest.mark.parametrize("font_size", [8, 10, 12, 13, 14, 16, 20])
def test_a_day_stands_as_high_in_its_field_as_a_choice_beside_it(look: Look, icons: Icons, font_size, qtbot) -> None:
    look.choose(font_size=font_size)
    day, choice = DayField(icons, "Day"), DropDown(icons, "Choice", ("2026-11-23",))
    day.setDate(QDate(2026, 11, 23))
    for field in (day, choice):
        qtbot.addWidget(field)
        field.resize(200, look.tall("field"))
    assert inked(day) == inked(choice)


def inked(field: QWidget) -> list[int]:
    """The rows of a field in which something else than its ground is painted, inside its border."""
    picture = field.grab().toImage()
    ground = picture.pixelColor(3, picture.height() // 2)
    return [
        y
        for y in range(2, picture.height() - 2)
        if any(picture.pixelColor(x, y) != ground for x in range(3, picture.width() - 3))
    ]


def test_what_was_chosen_is_what_is_asked(replaying: Replaying) -> None:
    form = replaying.window.form
    form.second.setCurrentText(NONE)
    form.exchange.setCurrentText("OKX")
    form.bars.setCurrentText("bars of 5 minutes")
    form.span.setCurrentText(MONTH)
    ask = form.ask
    assert (ask.signals, ask.prices, ask.markets, ask.exchange, ask.timeframe) == (None, (), None, "okx", "5m")
    assert (ask.since_ms, ask.until_ms) == (rows.NOW_MS - 30 * 86_400_000, None)
    form.span.setCurrentText(DAYS)
    first, last = form.days.days
    assert form.ask.until_ms is not None
    assert form.ask.since_ms is not None
    assert form.ask.until_ms - form.ask.since_ms == ((last - first).days + 1) * 86_400_000
    form.signals.setCurrentText(FILE)
    form.signals_file.put(Path("S.jsonl"))
    form.prices.setCurrentText(FILES)
    form.price_files.put(Path("BTCUSDT.csv"), Path("ETHUSDT.csv"))
    assert form.ask.signals == Path("S.jsonl")
    assert form.ask.prices == (Path("BTCUSDT.csv"), Path("ETHUSDT.csv"))
    assert form.price_files.label.text() == "BTCUSDT.csv, ETHUSDT.csv"


def test_two_configurations_are_shown_side_by_side(replaying: Replaying) -> None:
    window = replaying.window
    window.form.changes.setPlainText(CHANGES)
    replaying.run()
    first, second = window.result.runs
    profit = cells(window)["Net profit, USD"]
    assert profit == [
        fmt.number(first.figures["net_profit"], 2),
        fmt.number(second.figures["net_profit"], 2),
        fmt.signed(second.figures["net_profit"] - first.figures["net_profit"], 2),
    ]
    assert window.result.chart.legend.accessibleDescription() == (
        f"A {fmt.number(first.figures['end_equity'], 2)}, B {fmt.number(second.figures['end_equity'], 2)}"
    )
    trades = window.result.trades
    assert trades.rowCount() == len(first.trades) + len(second.trades)
    window.result.which.buttons["1"].click()
    assert {row.run for row in trades.rows()} == {1}
    assert trades.rowCount() == len(second.trades)
    assert not window.keep[0].isEnabled()
    assert window.keep[0].toolTip() == "It is what runs"
    assert window.keep[1].isEnabled()


def test_one_configuration_alone_has_no_second_column(replaying: Replaying) -> None:
    window = replaying.window
    window.form.second.setCurrentText(NONE)
    replaying.run()
    assert len(window.result.runs) == 1
    assert window.result.figures_table.heading.isSectionHidden(2)
    assert not window.result.which.isVisible()
    assert not window.keep[1].isEnabled()


def test_the_pointer_tells_the_values_of_its_moment(replaying: Replaying) -> None:
    window, chart = replaying.window, replaying.window.result.chart
    window.form.changes.setPlainText(CHANGES)
    replaying.run()
    at_end = chart.legend.accessibleDescription()
    area = chart.canvas.area_of(chart.top_box)
    chart.canvas.pointed.emit(QPointF(area.left() + 1, area.center().y()))
    assert chart.legend.accessibleDescription() == "A 10,000.00, B 10,000.00"
    assert chart.heading.detail.text().startswith("Jan 1, ")
    chart.canvas.zoomed.emit(0.5)
    chart.canvas.fit_asked.emit()
    chart.canvas.pointed.emit(None)
    assert chart.legend.accessibleDescription() == at_end


def test_the_better_one_is_kept_as_a_draft_of_the_settings_and_never_applied(replaying: Replaying) -> None:
    window = replaying.window
    window.form.changes.setPlainText(CHANGES)
    replaying.run()
    replaying.do(window.keep[1].click)
    dialog = replaying.dialog
    assert dialog.isVisible()
    assert dialog.editing.draft.get(("take_profit", "mode")) == "aggregate"
    assert dialog.editing.draft.get(("grid", "legs", 0, "tp_percent")) == "2"
    assert "B: A with changes is loaded from the replay" in dialog.notice.text.text()
    assert replaying.settings._desk.applied == []
    assert dialog.apply.isEnabled()
    # What is being changed there is not written over by a second one.
    dialog.editing.put(("pool", "max_open_groups"), 3)
    replaying.do(window.keep[1].click)
    assert dialog.editing.draft.get(("pool", "max_open_groups")) == 3
    assert any("apply or discard that first" in toast.text for toast in replaying.stage.window.toasts.shown())


def test_a_replay_can_be_cancelled_and_nothing_is_left(replaying: Replaying) -> None:
    window = replaying.window
    window.form.changes.setPlainText(CHANGES)
    replaying.desk.stage = Done(text="Replaying", shares=(0.5, 0.25))
    replaying.do(window.run.click)
    assert window.result.progress.text.text() == "Replaying…"
    assert [share.text() for _, _, share in window.result.progress.rows] == ["50 %", "25 %"]
    assert not window.form.isEnabled()
    assert not window.run.isEnabled()
    replaying.do(window.cancel.click)
    replaying.loop.run_until_complete(window.ended())
    assert window.result.pages.currentIndex() == 0
    assert window.run.isEnabled()
    assert not window.export.isEnabled()
    assert window.notice.text.text() == ""


def test_closing_the_window_ends_what_runs(replaying: Replaying) -> None:
    window = replaying.window
    window.form.second.setCurrentText(NONE)
    replaying.desk.stage = Done(text="Replaying", shares=(0.5,))
    replaying.do(window.run.click)
    assert window.is_busy
    replaying.do(window.close)
    replaying.loop.run_until_complete(window.ended())
    assert not window.is_busy


def test_a_failure_says_what_happened_what_is_safe_and_what_to_do(replaying: Replaying) -> None:
    window = replaying.window
    window.form.second.setCurrentText(NONE)
    replaying.desk.fails_with = UserError("It went wrong.", safe="Nothing was traded.", remedy="Try again.")
    replaying.run()
    assert window.notice.text.text() == "It went wrong. Nothing was traded. Try again."
    assert window.run.isEnabled()
    replaying.desk.fails_with = ValueError("seven")
    replaying.run()
    assert "because of a defect: seven" in window.notice.text.text()


def test_what_came_of_it_is_exported_with_a_picture(replaying: Replaying, tmp_path: Path) -> None:
    window, folder = replaying.window, tmp_path / "kept"
    folder.mkdir()
    window.form.changes.setPlainText(CHANGES)
    replaying.run()
    replaying.do(lambda: window.export_to(folder))
    assert replaying.desk.exported == [folder]
    assert (folder / "comparison.png").stat().st_size > 5_000
    assert window.notice.text.text() == f"Exported to {folder}."


def test_the_pictures_of_it_can_be_made(qapp, tmp_path, qtbot):
    made = [path.name for path in replay_screens.render(tmp_path, "replay-wrong")]
    assert made == ["replay-wrong-dark.png", "replay-wrong-light.png"]


def test_a_comparison_of_two_files_in_processes_of_their_own(stage: Stage, on_loop: Loop, tmp_path: Path) -> None:
    """From the log, on a real window: the same figures as the replays by themselves, and trading's loop goes on."""
    prices = write(tmp_path / "in", signals=ALERTS, settings=config(), prices=PRICES)
    save(tmp_path / "second.json", SECOND)
    desk = real_desk()
    window = ReplayWindow(stage.window.look, stage.window.icons, stage.window, desk, now_ms=lambda: T0)
    turns = 0

    async def compare() -> None:
        nonlocal turns
        window.open()
        form = window.form
        form.prices.setCurrentText(FILES)
        form.price_files.put(prices)
        form.second.setCurrentText(FILE)
        form.second_file.put(tmp_path / "second.json")
        await asyncio.sleep(0)
        window.run.click()
        while window.is_busy:  # counts the turns of the loop meanwhile
            turns += 1
            await asyncio.sleep(0.005)

    on_loop.run_until_complete(compare())
    assert window.notice.text.text() == ""
    alone = on_loop.run_until_complete(desk.run(window.form.ask, (RUNNING, SECOND), lambda stage: None))
    assert [dict(run.figures) for run in window.result.runs] == [dict(run.figures) for run in alone]
    assert [run.trades for run in window.result.runs] == [run.trades for run in alone]
    assert window.result.pages.currentIndex() == 2
    assert turns > 20
    desk.close()
    window.hide()
    window.deleteLater()


def test_what_the_running_engine_was_told_is_replayed_and_the_better_one_applied(look, tmp_path, monkeypatch, qtbot):
    """From the webhook through the log and two processes to the settings: the engine trades on meanwhile."""

    async def play(desktop: Desktop) -> None:
        program = desktop.program
        settings = SettingsEntry(desktop.window, program.settings_desk, AccountDesk(program))
        entry = ReplayEntry(desktop.window, program.replay_desk, settings)
        await desktop.running.market.tick("50100")
        now_ms = program.clock.now_ms()
        assert await desktop.alert("50000") == 202
        await desktop.shows(lambda: desktop.groups == 1)
        # The target of 1 % is reached, and that of 3 % too: the further one brings more.
        steps = [(-1000, "50100"), (60_000, "49990"), (90_000, "50510"), (120_000, "51600")]
        prices = tmp_path / "BTCUSDT.csv"
        prices.write_text("timestamp,price\n" + "".join(f"{now_ms + at},{price}\n" for at, price in steps))
        replay = entry.open()
        await desktop.shows(lambda: replay.form.there is not None)
        assert replay.form.known.text().startswith("The log has 1 signal,")
        replay.form.prices.setCurrentText(FILES)
        replay.form.price_files.put(prices)
        replay.form.changes.setPlainText("grid.legs[0].tp_percent = 3")
        replay.run.click()
        assert await desktop.alert("40000", tv__timeframe="60") == 202
        await desktop.shows(lambda: desktop.groups == 2)
        await replay.ended()
        assert replay.notice.text.text() == ""
        near, far = replay.result.runs
        assert [trade.reason for run in (near, far) for trade in run.trades] == ["tp", "tp"]
        assert far.figures["net_profit"] > near.figures["net_profit"] > 0
        replay.keep[1].click()
        dialog = settings.dialog
        assert dialog is not None
        assert program.config.grid.legs[0].tp_percent == 1
        dialog.apply.click()
        await desktop.shows(lambda: settings.dialog is None)
        assert program.config.grid.legs[0].tp_percent == 3
        assert desktop.groups == 2
        replay.close()
        await entry.close()

    on_the_desktop(look, tmp_path, monkeypatch, play, grid=ONE_LEG, ui={"theme": "dark"})
