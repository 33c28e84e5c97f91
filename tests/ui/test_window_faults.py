"""A window that fails or is busy is told of, and the engine goes on (FAULTS 34)."""

import asyncio
import sys
import time
from typing import Any

import pytest
from PySide6.QtCore import QTimer

from exengine.ui import window_faults
from exengine.ui.loop import run, spawn
from exengine.ui.window_faults import faults_told
from tests.helpers.engine import running, until


async def test_a_slot_that_raises_is_in_the_audit_trail_once_and_alerts_go_on(qtbot: Any) -> None:
    hook = sys.excepthook
    async with running() as engine, faults_told(engine.engine.note):
        await engine.price("50100")
        button = QTimer()
        button.timeout.connect(lambda: 1 / 0)
        for _ in range(3):
            button.timeout.emit()
        await engine.alert("50000")
        await engine.engine.settled()
        assert engine.exchange.requests("place")
        assert engine.store.notes.count("A defect in the window: ZeroDivisionError.") == 1
    assert sys.excepthook is hook


def test_what_a_click_began_and_nobody_waits_for_is_told_too(qapp: Any) -> None:
    said: list[str] = []

    async def fails() -> None:
        raise KeyError("a row that is gone")

    async def main() -> None:
        async with faults_told(lambda *words, **_: said.append(words[2])):
            spawn(fails(), name="a click")
            await until(lambda: said)

    run(qapp, main)
    assert said == ["A defect in what the window began: KeyError."]


async def test_a_window_that_keeps_the_engine_waiting_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_faults, "LOOK_S", 0.01)
    monkeypatch.setattr(window_faults, "BUSY_S", 0.05)
    said: list[str] = []
    async with faults_told(lambda *words, **_: said.append(words[2])):
        await asyncio.sleep(0)
        time.sleep(0.1)  # noqa: ASYNC251  # the very thing
        await until(lambda: said)
    assert "kept the engine waiting for 0." in said[0]


async def test_a_window_that_is_not_busy_is_not_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_faults, "LOOK_S", 0.001)
    said: list[str] = []
    async with faults_told(lambda *words, **_: said.append(words[2])):
        for _ in range(20):
            await asyncio.sleep(0.001)
    assert said == []
