"""Between a flush and its painting there is a turn for who waits; nothing is left unpainted, and nothing else waits."""

import pytest
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from exengine.ui.late_paint import LatePaint

TURN_MS = 400


class Painted(QWidget):
    times = 0

    def paintEvent(self, event: QPaintEvent) -> None:
        self.times += 1


@pytest.fixture
def window(qtbot) -> Painted:
    made = Painted()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.times > 0)
    QApplication.processEvents()
    return made


def test_without_a_flush_nothing_waits(window):
    LatePaint(window, turn_ms=TURN_MS)
    before = window.times
    window.update()
    QApplication.processEvents()
    assert window.times == before + 1


def test_after_a_flush_painting_waits_for_one_turn_and_then_comes_once(window, qtbot):
    late, before = LatePaint(window, turn_ms=TURN_MS), window.times
    late.hold()
    for _ in range(3):
        window.update()
        QApplication.processEvents()
    assert window.times == before
    qtbot.waitUntil(lambda: window.times > before)
    QApplication.processEvents()
    assert window.times == before + 1
    window.update()
    QApplication.processEvents()
    assert window.times == before + 2


def test_flushes_that_follow_each_other_hold_it_back_no_longer_than_one(window, qtbot):
    late, before = LatePaint(window, turn_ms=TURN_MS), window.times
    late.hold()
    window.update()
    qtbot.wait(TURN_MS // 2)
    late.hold()
    assert window.times == before
    qtbot.waitUntil(lambda: window.times > before, timeout=TURN_MS)
