"""The test alert of the Tools menu: its text as it will be sent, to no account that trades real money."""

import json
from decimal import Decimal

import pytest

from exengine.domain.alert_text import AlertTemplate
from exengine.domain.instrument import Side
from exengine.engine.intake import VerdictKind
from tests.helpers.program import program
from tests.ui import rows
from tests.ui.test_window import do


@pytest.fixture
def sheet(stage):
    stage.put_sample()
    stage.window.registry.run("send_test_alert")
    yield stage.window.clicks.sheet
    stage.window.clicks.sheet.reject()


def test_the_text_is_shown_as_it_will_be_sent(sheet):
    body = json.loads(sheet.text.toPlainText())
    assert body["tv"] == {
        "exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "1h", "action": "buy", "market_position": "long",
        "close_price": "67240.5",
    }  # fmt: skip
    assert (body["source"], body["timestamp"]) == ("test alert", "the moment it is sent")
    assert "{{" not in sheet.text.toPlainText(), "nothing is left for TradingView to fill in"
    sheet.account.setCurrentText("perp")
    sheet.kind.setCurrentText("Exit")
    sheet.price.setText("3,300.5")
    body = json.loads(sheet.text.toPlainText())
    assert (body["tv"]["exchange"], body["tv"]["symbol"]) == ("BYBIT", "ETHUSDT.P")
    assert (body["tv"]["close_price"], body["execution_intent"]["type"]) == ("3300.5", "exit")


def test_while_all_slots_are_taken_a_new_group_is_said_to_wait(sheet, stage):
    assert "All 6 slots are taken now: a new group waits in the queue." in sheet.meaning.accessibleName()
    stage.put(rows.changes(engine=rows.engine(pool_used=5)))
    sheet.refresh()
    assert "waits in the queue" not in sheet.meaning.accessibleName()
    assert sheet.price.placeholderText() == "67,240.50, the last price"


@pytest.mark.parametrize("price", ["0", "-1", "many", "NaN", "Infinity"])
def test_a_price_that_is_none_is_refused_with_words(sheet, price):
    sheet.price.setText(price)
    assert not sheet.send.isEnabled()
    assert sheet.send.toolTip() == "The price is no number above 0."


def test_what_was_chosen_is_asked_for_and_the_answer_is_shown(sheet, stage, on_loop):
    sheet.side.setCurrentText("Short")
    sheet.kind.setCurrentText("Reverse")
    sheet.price.setText("67000")
    do(on_loop, sheet.send.click)
    assert stage.commands.asked == [
        ("send_test_alert", "BTC/USDT", "1h", Side.SHORT, "paper", AlertTemplate.REVERSE, Decimal(67000))
    ]
    assert sheet.answer_line.text().startswith("Accepted as signal 12")
    assert sheet.isVisible()


def test_a_pair_without_a_price_wants_one(sheet):
    sheet.symbol.setCurrentText("ETH/USDT")
    assert "ETH/USDT has no price yet: type one." in (sheet.send.toolTip(), sheet.text.toPlainText())
    sheet.price.setText("3300")
    assert sheet.send.isEnabled()


async def test_the_engine_takes_every_kind_on_a_paper_account(tmp_path, monkeypatch):
    from exengine.engine.desk import Desk

    async with program(tmp_path, monkeypatch) as running:
        desk = Desk(running.program.engine, running.program.clock, running.program.past)
        await running.market.tick("50000")
        for kind in (AlertTemplate.ENTRY, AlertTemplate.PYRAMID, AlertTemplate.EXIT):
            verdict = await desk.send_test_alert("BTC/USDT", "1h", Side.LONG, account="paper", kind=kind)
            assert verdict.kind is VerdictKind.ACCEPTED
            await running.program.engine.settled()
        outcomes = [signal.outcome for signal in await running.program._store.last_signals(10)]
        assert sorted(outcome for outcome in outcomes if outcome) == ["exited", "opened", "pyramid"]
