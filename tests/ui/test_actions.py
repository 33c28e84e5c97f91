"""The registry of actions: one key for one thing, nothing that trades by a key alone, and a reason for what is off."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from exengine.engine.rows import EngineStatus
from exengine.ui.actions import Action, Registry, is_chord
from tests.ui import panels, rows


@pytest.fixture
def registry(icons, qtbot) -> Registry:
    window = QWidget()
    qtbot.addWidget(window)
    made = Registry(window, icons)
    made.know_place("log", QWidget(window))
    made.know_place("queue", QWidget(window))
    return made


def action(name: str, **about) -> Action:
    return Action(**{"id": name, "text": name.capitalize(), "call": list, **about})


def test_two_actions_cannot_have_one_key(registry):
    registry.add(action("find", key="Ctrl+F"))
    with pytest.raises(ValueError, match="Ctrl\\+F belongs to find"):
        registry.add(action("filter", key="Ctrl+F", where="log"))


def test_the_same_key_may_mean_another_thing_in_another_dock(registry):
    registry.add(action("find", key="Ctrl+F", where="log"))
    registry.add(action("force", key="Ctrl+F", where="queue"))
    with pytest.raises(ValueError, match="belongs to find"):
        registry.add(action("filter", key="Ctrl+F", where="log"))


@pytest.mark.parametrize("key", ["Del", "C", "F8", "Return", "Shift+Del", "Ctrl+K, C"])
def test_what_trades_takes_no_key_alone(registry, key):
    with pytest.raises(ValueError, match="alone must not start it"):
        registry.add(action("close", key=key, trades=True))


def test_an_id_is_taken_once_and_a_place_must_be_known(registry):
    registry.add(action("find"))
    with pytest.raises(ValueError, match="already"):
        registry.add(action("find"))
    with pytest.raises(ValueError, match="no dock is called orders"):
        registry.add(action("sort", where="orders", key="Ctrl+S"))


def test_an_action_that_cannot_be_done_says_why_and_does_nothing(registry):
    done, why = [], ["Choose a group"]
    made = registry.add(action("close", call=lambda: done.append("closed"), why_not=lambda: why[0]))
    assert not made.isEnabled()
    assert made.toolTip() == "Choose a group"
    assert not registry.run("close")
    why[0] = ""
    registry.refresh()
    assert made.isEnabled()
    made.trigger()
    assert done == ["closed"]


def test_a_reason_that_came_after_the_last_look_still_counts(registry):
    done, why = [], [""]
    made = registry.add(action("close", call=lambda: done.append("closed"), why_not=lambda: why[0]))
    why[0] = "It has closed"
    made.trigger()
    assert done == []
    assert not made.isEnabled()


def test_one_of_several_choices_stays_on(registry):
    chosen = ["dark"]
    made = {
        name: registry.add(
            action(
                name, call=lambda name=name: chosen.__setitem__(0, name), checked=lambda name=name: chosen[0] == name
            )
        )
        for name in ("dark", "light")
    }
    made["dark"].trigger()
    assert made["dark"].isChecked()
    made["light"].trigger()
    assert (made["dark"].isChecked(), made["light"].isChecked()) == (False, True)


# The window's own


def test_every_action_has_words_and_no_key_is_given_twice(stage):
    specs = stage.window.registry.specs
    assert len(specs) > 50
    assert all(stage.window.registry.text(one).strip() for one in specs)
    keys = [(one.where, QKeySequence(one.key).toString()) for one in specs if one.key]
    everywhere = [key for where, key in keys if not where]
    assert len(everywhere) == len(set(everywhere))
    assert not {key for where, key in keys if where} & set(everywhere)
    assert len(keys) == len(set(keys))
    assert all(is_chord(QKeySequence(one.key)) for one in specs if one.trades and one.key)


def test_every_action_of_a_menu_stands_in_it(stage):
    stage.settle()
    registry, menus = stage.window.registry, stage.window.menus
    for one in registry.specs:
        if one.menu:
            assert registry.actions[one.id] in menus.menu(one.menu).actions(), one.id


def test_no_key_alone_trades_wherever_the_keyboard_is(stage, on_loop, qtbot):
    stage.put(
        rows.changes(
            rows.sample_groups(),
            quotes=rows.sample_quotes(),
            signals=rows.sample_signals(),
            log=rows.sample_log(),
            engine=rows.engine(),
            panels=panels.sample(),
        )
    )
    window = stage.window
    alone = [*range(Qt.Key.Key_A, Qt.Key.Key_Z + 1), *range(Qt.Key.Key_0, Qt.Key.Key_9 + 1)]
    alone += [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Space]

    async def press() -> None:
        for dock in window.docks:
            window.go_to(dock)
            for key in alone:
                qtbot.keyClick(dock.focus_target(), Qt.Key(key))
                await asyncio.sleep(0)
            assert window.clicks.sheet is None, dock.objectName()

    on_loop.run_until_complete(press())
    assert stage.commands.asked == []


def test_the_words_follow_what_is_chosen_and_what_the_engine_does(stage):
    stage.put_sample()
    actions, window = stage.window.registry.actions, stage.window
    window.positions.table.setCurrentIndex(window.positions.model.index_of("paper|SOL/USDT|1h#1"))
    assert actions["close_group"].text() == "Close SOL/USDT 1h…"
    assert actions["cancel_entries"].text() == "Cancel 8 open entries"
    assert actions["pause"].text() == "Pause"
    stage.put(rows.changes(engine=rows.engine(status=EngineStatus.PAUSED)))
    assert actions["pause"].text() == "Resume"
    assert actions["adopt_view"].toolTip() == "The books and the exchange agree on it"


def test_a_key_works_only_in_its_dock(stage, qtbot):
    stage.put(rows.changes(rows.sample_groups(), engine=rows.engine(), panels=panels.sample()))
    window = stage.window
    window.activateWindow()
    window.go_to(window.log)
    qtbot.keyClick(
        window.log.focus_target(),
        Qt.Key.Key_Delete,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    assert window.clicks.sheet is None
    window.go_to(window.positions)
    window.positions.table.setCurrentIndex(window.positions.model.index(0, 0))
    qtbot.keyClick(
        window.positions.table,
        Qt.Key.Key_Delete,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    assert window.clicks.sheet is not None
    assert window.clicks.sheet.objectName() == "close_sheet"
    window.clicks.sheet.reject()
