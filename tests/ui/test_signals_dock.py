"""Taking a signal again, and what followed from it."""

import asyncio
from dataclasses import replace

import pytest

from exengine.domain.journal import Category, Severity
from exengine.engine.past import TrailKind, TrailRow
from exengine.ui import format as fmt
from exengine.ui.replay_sheet import OFF
from exengine.ui.signals_model import Col
from tests.ui import rows
from tests.ui.conftest import Stage


@pytest.fixture
def full(stage: Stage) -> Stage:
    stage.put_sample()
    stage.window.signals.show()
    stage.window.signals.raise_()
    stage.settle()
    stage.window.signals.table.setCurrentIndex(stage.window.signals.model.index_of(1))
    return stage


def do(loop, click) -> None:
    async def main() -> None:
        click()
        for _ in range(5):
            await asyncio.sleep(0)

    loop.run_until_complete(main())


def test_a_signal_is_taken_again_after_a_question(full, on_loop):
    full.window.signals.replay.click()
    sheet = full.window.clicks.sheet
    assert sheet.heading.text().startswith("Take the alert for ")
    assert "as a new signal, now" in sheet.meaning.accessibleName()
    said = sheet.meaning.accessibleName()
    assert "PAPER" in said
    assert "on paper, PAPER" in said
    assert "the price that it names, 67240.50:" in said
    assert full.commands.asked == []
    do(on_loop, sheet.action.click)
    assert full.commands.asked == [("replay_signal", 1)]
    assert full.window.toasts.shown()[0].text == "Taken as signal 12. What became of it is in Signals."


def test_where_a_setting_forbids_it_the_button_says_so(full):
    full.put(rows.changes(engine=replace(rows.engine(), webhook_replay=False)))
    assert not full.window.signals.replay.isEnabled()
    assert full.window.signals.replay.toolTip() == OFF


def test_an_invalid_alert_cannot_be_taken_again(full):
    full.window.signals.table.setCurrentIndex(full.window.signals.model.index_of(8))
    assert full.window.signals.replay.toolTip() == "It is no valid alert"


def test_a_replay_is_marked_with_the_signal_that_it_repeats(full):
    again = replace(rows.signal(99), replay_of=1, filled_at_ms=rows.signal(99).received_at_ms + 300)
    full.put(rows.changes(signals=[again]))
    model = full.window.signals.model
    index = model.index_of(99)
    assert model.data(index.siblingAtColumn(Col.SOURCE)) == "Replay of 1"
    assert model.data(index.siblingAtColumn(Col.FILLED)) == "300 ms"


def test_times_say_in_which_zone_they_are(full):
    assert full.window.signals.model.title(Col.TIME) == f"Time, {fmt.zone_name(rows.NOW_MS)}"


def test_the_payload_says_whose_it_is_also_where_its_row_has_rolled_out_of_view(full):
    signals = full.window.signals
    signals.show_payload.setChecked(True)
    signals.table.setCurrentIndex(signals.model.index_of(5))
    received = fmt.clock(signals.model.row_at(signals.model.index_of(5)).received_at_ms)
    assert signals.whose.text() == f"XRP/USDT 1h · {received} · without its secret"
    signals.table.setCurrentIndex(signals.model.index_of(8))
    assert signals.whose.text().startswith("Invalid · ")


@pytest.mark.parametrize("number", [5, 8, 9])
def test_a_step_that_was_not_taken_is_a_dash(full, number):
    model = full.window.signals.model
    row = model.cells(model.index_of(number))
    assert [cell.text for cell in row[Col.SENT :]] == [fmt.DASH] * 3


def test_what_followed_is_read_when_it_is_asked_for(full, on_loop):
    signals = full.window.signals
    row = signals.model.row_at(signals.model.index_of(1))
    signals.show_payload.setChecked(True)
    assert "tv" in signals.payload.toPlainText()
    do(on_loop, lambda: signals._show_side("trail"))
    assert ("trail", "signal-1") in full.commands.asked
    answer = TrailRow(
        at_ms=row.received_at_ms + 412, kind=TrailKind.ANSWER, severity=Severity.INFO, category=Category.ORDER,
        text="The exchange has it.",
    )  # fmt: skip
    signals.show_trail(1, [answer])
    assert signals.payload.toPlainText() == "+0.412 s  Answer    The exchange has it."
    signals.show_trail(2, [])
    assert signals.payload.toPlainText().startswith("+0.412 s"), "another signal's answer came too late"
