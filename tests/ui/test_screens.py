"""Every scene of the pictures can be set and shot without a word of complaint from Qt. Looking is for people."""

from dataclasses import replace
from time import thread_time

import pytest
from PySide6.QtWidgets import QApplication

from tests.ui import rows, screens


@pytest.mark.parametrize("name", sorted(screens.SCENES))
def test_a_scene_can_be_shot(name, look, qapp, tmp_path, qtbot):
    scene, mode = screens.SCENES[name]
    stage = screens.Stage(qapp, look, tmp_path, (1280, 800), mode)
    scene(stage)
    picture = stage.shot()
    stage.close()
    assert picture.width() >= 960


def test_a_flush_of_a_busy_window_stays_small(look, qapp, tmp_path, qtbot):
    """200 groups × 5 × 7 legs. The target is 5 ms; the bound here leaves room for slow and shared machines."""
    stage = screens.Stage(qapp, look, tmp_path, (1440, 900), rows.Mode.PAPER)
    groups = rows.busy_groups(200, 5, 7)
    stage.put(rows.changes(groups, quotes=rows.quotes_for(groups), engine=rows.engine()))
    assert isinstance(qapp, QApplication)
    taken = []
    for step in range(15):
        quotes = {market: replace(quote, price=quote.price + step) for market, quote in rows.quotes_for(groups).items()}
        stage.feed.put(rows.changes(quotes=quotes))
        began = thread_time()
        stage.bridge.flush()
        taken.append(thread_time() - began)
        stage.settle()
    stage.close()
    assert sorted(taken)[len(taken) // 2] < 0.025
