"""Changes come up in coalesced flushes, urgent ones at once, and nothing comes while nobody can see it."""

import time
from collections.abc import Callable

import pytest
from PySide6.QtCore import QTimer

from exengine.engine.panel_rows import PanelChanges
from exengine.engine.rows import ViewChanges
from exengine.ui.bridge import PANELS_AFTER_MS, URGENT_GAP_MS, Bridge
from tests.ui import panels, rows
from tests.ui.feed import Feed, Recorder

FLUSH_MS = 120


class Watched:
    def __init__(self) -> None:
        self.feed = Feed()
        self.bridge = Bridge(self.feed, Recorder(), flush_ms=FLUSH_MS)
        self.shown: list[ViewChanges] = []
        self.panels: list[PanelChanges] = []
        self.bridge.flushed.connect(self.shown.append)
        self.bridge.panels_flushed.connect(self.panels.append)


@pytest.fixture
def watched(qapp):
    made = Watched()
    yield made
    made.bridge.close()


def price(number: int) -> ViewChanges:
    return rows.changes(quotes={("paper", "BTC/USDT"): rows.Quote(price=rows.D(number), at_ms=rows.NOW_MS)})


def test_the_first_flush_has_everything(watched):
    watched.feed.put(price(1))
    assert watched.shown == []
    watched.bridge.set_visible(True)
    assert len(watched.shown) == 1
    assert watched.shown[0].quotes


def test_prices_wait_for_the_timer_and_come_together(watched, qtbot):
    watched.bridge.set_visible(True)
    for number in range(50):
        watched.feed.put(price(number))
    qtbot.wait(FLUSH_MS // 3)
    assert len(watched.shown) == 1
    qtbot.waitUntil(lambda: len(watched.shown) == 2)
    assert watched.shown[1].quotes["paper", "BTC/USDT"].price == 49
    qtbot.wait(FLUSH_MS * 2)
    assert len(watched.shown) == 2, "nothing changed, nothing is taken"


def test_states_of_orders_do_not_wait(watched, qtbot):
    watched.bridge.set_visible(True)
    qtbot.wait(URGENT_GAP_MS + 10)
    watched.feed.put(price(1))
    watched.feed.put(rows.changes(rows.sample_groups()), urgent=True)
    qtbot.wait(15)
    assert len(watched.shown) == 2
    assert len(watched.shown[1].groups) == 6


def test_a_burst_of_fills_is_shown_a_few_times_not_each(watched, qtbot):
    watched.bridge.set_visible(True)
    began_s = time.monotonic()
    for _ in range(20):
        watched.feed.put(rows.changes(rows.sample_groups()), urgent=True)
        qtbot.wait(5)
    took_ms = (time.monotonic() - began_s) * 1000
    assert 2 <= len(watched.shown) <= 2 + took_ms / URGENT_GAP_MS


def test_panels_come_in_a_pass_of_their_own_after_the_rows(watched, qtbot):
    watched.bridge.set_visible(True)
    watched.bridge.flushed.connect(lambda _: watched.panels.append("rows"))
    watched.feed.put(rows.changes(panels=panels.sample()))
    qtbot.waitUntil(lambda: len(watched.panels) == 2)
    first, second = watched.panels
    assert first == "rows"
    assert second == panels.sample()
    assert watched.shown[-1].panels == PanelChanges()


def when_panels_are_taken(watched: Watched, then: Callable[[], object]) -> None:
    """Does that in the next turn of the loop after panels were worked out."""
    take = watched.feed.take_panels

    def taken() -> PanelChanges:
        QTimer.singleShot(0, watched.bridge, then)
        return take()

    watched.feed.take_panels = taken


def test_panels_are_shown_in_another_pass_than_they_are_worked_out_in(watched, qtbot):
    watched.bridge.set_visible(True)
    when_panels_are_taken(watched, lambda: watched.panels.append("a turn"))
    watched.feed.put(rows.changes(panels=panels.sample()))
    qtbot.waitUntil(lambda: len(watched.panels) == 2)
    assert watched.panels == ["a turn", panels.sample()]


def test_panels_that_were_worked_out_before_the_window_hid_come_first_when_it_is_shown(watched, qtbot):
    watched.bridge.set_visible(True)
    when_panels_are_taken(watched, lambda: watched.bridge.set_visible(False))
    watched.feed.put(rows.changes(panels=panels.sample()))
    qtbot.waitUntil(lambda: not watched.bridge._visible)
    qtbot.wait(PANELS_AFTER_MS)
    assert watched.panels == [], "nobody would see it"
    watched.bridge.flushed.connect(lambda _: watched.panels.append("all"))
    watched.bridge.set_visible(True)
    assert watched.panels == [panels.sample(), "all"]
    qtbot.wait(PANELS_AFTER_MS)
    assert len(watched.panels) == 2


def test_panels_whose_pass_did_not_come_before_the_window_hid_come_when_it_is_shown(watched, qtbot):
    watched.bridge.set_visible(True)
    watched.bridge.flushed.connect(lambda _: watched.bridge.set_visible(False))
    watched.feed.put(rows.changes(panels=panels.sample()))
    qtbot.waitUntil(lambda: len(watched.shown) == 2)
    qtbot.wait(PANELS_AFTER_MS * 2)
    assert watched.panels == []
    watched.bridge.set_visible(True)
    assert watched.shown[-1].panels == panels.sample()


def test_panels_that_a_hidden_window_did_not_take_come_when_it_is_shown(watched, qtbot):
    watched.bridge.set_visible(True)
    watched.bridge.keep_up_hidden(20)
    watched.bridge.set_visible(False)
    watched.feed.put(rows.changes(panels=panels.sample()))
    qtbot.waitUntil(lambda: len(watched.shown) == 2)
    assert watched.panels == []
    watched.bridge.set_visible(True)
    assert watched.shown[-1].panels == panels.sample()


def test_nothing_is_taken_while_hidden_and_all_of_it_when_shown(watched, qtbot):
    watched.bridge.set_visible(True)
    taken = watched.feed.taken
    watched.bridge.set_visible(False)
    watched.feed.put(price(1))
    watched.feed.put(rows.changes(rows.sample_groups()), urgent=True)
    qtbot.wait(FLUSH_MS * 2)
    assert watched.feed.taken == taken
    watched.bridge.set_visible(True)
    assert watched.feed.taken == taken + 1
    assert len(watched.shown[-1].groups) == 6


def test_the_clock_ticks_only_while_visible(watched, qtbot):
    watched.bridge.set_visible(True)
    with qtbot.waitSignal(watched.bridge.ticked, timeout=2_000):
        pass
    watched.bridge.set_visible(False)
    with qtbot.assertNotEmitted(watched.bridge.ticked, wait=1_200):
        pass


def test_after_closing_the_feed_is_free(watched):
    watched.bridge.set_visible(True)
    watched.bridge.close()
    watched.feed.put(price(1), urgent=True)
    assert watched.feed._callbacks == []
    watched.bridge._unsubscribe = lambda: None


def test_while_an_alert_is_being_answered_a_flush_waits_for_it(watched, qtbot):
    watched.bridge.set_visible(True)
    watched.feed.answers = True
    qtbot.wait(URGENT_GAP_MS + 10)
    watched.feed.put(price(1), urgent=True)
    qtbot.wait(1)
    assert len(watched.shown) == 1
    watched.feed.answers = False
    qtbot.waitUntil(lambda: len(watched.shown) == 2)


def test_a_storm_of_alerts_does_not_keep_the_window_from_showing_what_there_is(watched, qtbot):
    watched.bridge.set_visible(True)
    watched.feed.answers = True
    for number in (1, 2):
        watched.feed.put(price(number))
        qtbot.waitUntil(lambda wanted=number + 1: len(watched.shown) == wanted)
    qtbot.waitUntil(lambda: len(watched.panels) == 1)
