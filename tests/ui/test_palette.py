"""The command palette: found by a few letters, run by Enter, and nothing that trades by accident."""

import pytest
from PySide6.QtCore import Qt

from exengine.ui.fuzzy import find


@pytest.mark.parametrize(
    ("wanted", "better", "worse"),
    [
        ("clsol", "Close SOL/USDT 1h…", "Collapse all"),
        ("log", "Go to Log", "Close group…"),
        ("sta", "Send test alert…", "About ExEngine at last"),
        ("dark", "Theme: Dark", "Send a remark"),
        ("t l", "Trade layout", "Total"),
    ],
)
def test_starts_of_words_and_runs_of_letters_count_more(wanted, better, worse):
    first, second = find(wanted, better), find(wanted, worse)
    assert first is not None
    assert second is None or first.score > second.score


def test_letters_that_are_not_there_in_their_order_find_nothing():
    assert find("esolc", "Close SOL") is None
    assert find("", "Close SOL") == (0.0, ())


def test_the_found_letters_are_those_of_the_best_way():
    match = find("pa", "Trip pause")
    assert match is not None
    assert match.places == (5, 6)


def palette(stage):
    stage.put_sample()
    stage.window.registry.run("palette")
    return stage.window.finder


def texts(finder) -> list[str]:
    return [entry.text for entry in finder.model.entries]


def test_it_offers_every_action_with_its_key_and_the_live_pairs(stage):
    finder = palette(stage)
    assert finder.isVisible()
    assert finder.field.hasFocus()
    found = {entry.text: entry for entry in finder.model.entries}
    assert {"Pause", "Panic…", "Go to Log", "Theme: Dark", "Font size: 12", "Trade layout"} <= found.keys()
    assert found["Trade layout"].key == "Ctrl+1"
    assert found["SOL/USDT 1h"].detail == "long on paper"
    assert len(found) > len(stage.window.registry.specs)


def test_nothing_is_chosen_before_a_letter_was_typed(stage, qtbot):
    finder = palette(stage)
    assert not finder.list.currentIndex().isValid()
    qtbot.keyClick(finder.field, Qt.Key.Key_Return)
    assert stage.commands.asked == []
    assert stage.window.clicks.sheet is None


def test_enter_does_what_was_found(stage, qtbot):
    finder = palette(stage)
    qtbot.keyClicks(finder.field, "panic")
    assert texts(finder)[0] == "Panic…"
    qtbot.keyClick(finder.field, Qt.Key.Key_Return)
    assert not finder.isVisible()
    assert stage.window.clicks.sheet.objectName() == "panic_sheet"
    stage.window.clicks.sheet.reject()


def test_before_a_letter_is_typed_what_was_chosen_last_comes_first_and_then_the_places(stage, qtbot):
    finder = palette(stage)
    shown = texts(finder)
    assert [entry.turn for entry in finder.model.entries[:8]] == [0, 0, 0, 1, 1, 1, 2, 2], "commands come in sight"
    assert (
        shown.index("Go to Positions")
        < shown.index("Pause")
        < shown.index("Go to Log")
        < shown.index("Getting started")
    )
    for word in ("about", "panic", "about"):
        finder.open()
        qtbot.keyClicks(finder.field, word)
        qtbot.keyClick(finder.field, Qt.Key.Key_Return)
        stage.window.clicks.sheet.reject()
    finder.open()
    assert texts(finder)[:2] == ["About ExEngine", "Panic…"]
    assert finder.model.entries[2].turn == 0


def test_a_pair_is_gone_to(stage, qtbot):
    finder = palette(stage)
    qtbot.keyClicks(finder.field, "avaxusdt 1h")
    place = texts(finder).index("AVAX/USDT 1h")
    for _ in range(place):
        qtbot.keyClick(finder.field, Qt.Key.Key_Down)
    qtbot.keyClick(finder.field, Qt.Key.Key_Return)
    assert stage.window.positions.current_group.id == "paper|AVAX/USDT|1h#1"
    assert stage.window.positions.table.hasFocus()


def test_what_cannot_be_done_stands_last_with_its_reason_and_enter_leaves_it(stage, qtbot):
    finder = palette(stage)
    qtbot.keyClicks(finder.field, "adopt")
    (entry,) = [one for one in finder.model.entries if one.text.startswith("Adopt")]
    assert entry.why_not == "The books and the exchange agree on it"
    assert finder.model.entries.index(entry) == len(finder.model.entries) - 1 or any(
        other.why_not for other in finder.model.entries[finder.model.entries.index(entry) + 1 :]
    )
    finder.list.setCurrentIndex(finder.model.index(finder.model.entries.index(entry), 0))
    qtbot.keyClick(finder.field, Qt.Key.Key_Return)
    assert finder.isVisible()


def test_escape_closes_it_and_gives_the_keyboard_back(stage, qtbot):
    stage.put_sample()
    stage.window.activateWindow()
    stage.window.positions.table.setFocus()
    stage.window.finder.open()
    qtbot.keyClick(stage.window.finder.field, Qt.Key.Key_Escape)
    assert not stage.window.finder.isVisible()
    assert stage.window.positions.table.hasFocus()


def test_a_word_that_nothing_has_says_so(stage, qtbot):
    finder = palette(stage)
    qtbot.keyClicks(finder.field, "qqqqzzz")
    assert finder.nothing.isVisible()
    assert not finder.list.isVisible()
    qtbot.keyClick(finder.field, Qt.Key.Key_Return)
    assert finder.isVisible()


def test_the_link_in_the_menu_bar_opens_it(stage):
    stage.put_sample()
    assert stage.window.menu_corner.commands.text() == "Ctrl+Shift+P  Commands"
    stage.window.menu_corner.commands.click()
    assert stage.window.finder.isVisible()
