"""Between a flush and its painting there is a turn for who waits; nothing is left unpainted, and nothing else waits."""

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import delete

from exengine.ui.late_paint import Bands, LatePaint

TURN_MS = 400
BAND = 50


def nobody() -> bool:
    return False


class Painted(QWidget):
    times = 0

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.resize(200, 4 * BAND)
        self.regions: list[QRegion] = []
        self.bands: list[Bands] = []

    def paintEvent(self, event: QPaintEvent) -> None:
        for one in self.bands:
            one.painted(self)
        self.times += 1
        self.regions.append(event.region())


@pytest.fixture
def window(qtbot) -> Painted:
    made = Painted()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.times > 0)
    QApplication.processEvents()
    made.regions.clear()
    return made


def test_without_a_flush_nothing_waits(window):
    LatePaint(window, nobody, turn_ms=TURN_MS)
    before = window.times
    window.update()
    QApplication.processEvents()
    assert window.times == before + 1


def test_after_a_flush_painting_waits_for_one_turn_and_then_comes_once(window, qtbot):
    late, before = LatePaint(window, nobody, turn_ms=TURN_MS), window.times
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
    late, before = LatePaint(window, nobody, turn_ms=TURN_MS), window.times
    late.hold()
    window.update()
    qtbot.wait(TURN_MS // 2)
    late.hold()
    assert window.times == before
    qtbot.waitUntil(lambda: window.times > before, timeout=TURN_MS)


def test_while_somebody_waits_for_an_answer_painting_waits_too_but_not_for_ever(window, qtbot):
    answering = [True]
    LatePaint(window, lambda: answering[0], turn_ms=TURN_MS)
    before = window.times
    window.update()
    QApplication.processEvents()
    assert window.times == before
    answering[0] = False
    qtbot.waitUntil(lambda: window.times == before + 1, timeout=TURN_MS)
    answering[0] = True
    window.update()
    qtbot.waitUntil(lambda: window.times == before + 2, timeout=TURN_MS)


@pytest.fixture
def bands(window) -> Bands:
    made = Bands(window, band_ms=20)
    window.bands.append(made)
    return made


def test_what_changed_in_a_tall_widget_is_painted_band_by_band(window, bands, qtbot):
    places = [10, BAND + 10, 3 * BAND + 10]
    for top in places:
        bands.update(window, QRect(5, top, 100, 20), BAND)
    QApplication.processEvents()
    assert window.regions == [QRect(5, 10, 100, 20)]
    qtbot.waitUntil(lambda: len(window.regions) == 3)
    assert window.regions == [QRect(5, top, 100, 20) for top in places]


def test_an_area_over_several_bands_is_painted_in_parts_and_none_is_left_out(window, bands, qtbot):
    area = QRect(0, 20, 100, 2 * BAND + 10)
    bands.update(window, area, BAND)
    qtbot.waitUntil(lambda: len(window.regions) == 3)
    painted = QRegion()
    for region in window.regions:
        assert not painted.intersects(region)
        painted += region
    assert painted == QRegion(area)


def test_a_band_waits_for_the_painting_of_the_one_before_however_long_that_is_held_back(window, bands, qtbot):
    late = LatePaint(window, nobody, turn_ms=50)
    late.hold()
    for top in (0, BAND):
        bands.update(window, QRect(0, top, 100, 20), BAND)
    qtbot.waitUntil(lambda: len(window.regions) == 2)
    assert window.regions == [QRect(0, 0, 100, 20), QRect(0, BAND, 100, 20)]


def test_two_widgets_are_not_painted_in_one_turn(window, bands, qtbot):
    other = Painted(window)
    other.bands.append(bands)
    other.setGeometry(120, 0, 80, BAND)
    other.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
    other.show()
    qtbot.waitUntil(lambda: bool(other.regions))
    QApplication.processEvents()
    window.regions.clear()
    other.regions.clear()
    bands.update(window, QRect(0, 0, 100, 20), BAND)
    bands.update(other, QRect(0, 0, 50, 20), BAND)
    QApplication.processEvents()
    assert (window.regions, other.regions) == ([QRect(0, 0, 100, 20)], [])
    qtbot.waitUntil(lambda: bool(other.regions))
    assert other.regions == [QRect(0, 0, 50, 20)]


def test_what_cannot_be_seen_or_is_gone_holds_nothing_up(window, bands, qtbot):
    hidden, gone = Painted(window), Painted(window)
    for one in (hidden, gone):
        one.setGeometry(120, 0, 80, BAND)
        one.show()
    bands.update(window, QRect(0, 0, 100, 20), BAND)
    for one in (hidden, gone):
        bands.update(one, QRect(0, 0, 50, 20), BAND)
    bands.update(window, QRect(0, BAND, 100, 20), BAND)
    hidden.hide()
    delete(gone)
    qtbot.waitUntil(lambda: QRegion(0, BAND, 100, 20) in window.regions)


def test_a_band_that_qt_does_not_paint_holds_the_others_up_for_a_moment_only(window, bands, qtbot):
    window.bands.clear()  # as a minimised window, which tells of no painting
    for top in (0, BAND):
        bands.update(window, QRect(0, top, 100, 20), BAND)
    qtbot.waitUntil(lambda: len(window.regions) == 2)


def test_before_the_widget_moves_its_picture_nothing_waits_any_longer(window, bands):
    for top in (0, BAND, 2 * BAND):
        bands.update(window, QRect(0, top, 100, 20), BAND)
    bands.at_once(window)
    QApplication.processEvents()
    (region,) = window.regions
    assert region == QRegion(0, 0, 100, 20) + QRect(0, BAND, 100, 20) + QRect(0, 2 * BAND, 100, 20)


def test_what_changes_later_has_its_turns_anew(window, bands, qtbot):
    bands.update(window, QRect(0, 0, 100, 20), BAND)
    QApplication.processEvents()
    qtbot.waitUntil(lambda: not bands.is_at_work)
    window.regions.clear()
    bands.update(window, QRect(0, 2 * BAND, 100, 20), BAND)
    QApplication.processEvents()
    assert window.regions == [QRect(0, 2 * BAND, 100, 20)]
