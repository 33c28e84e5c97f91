"""Every value of SPEC §14 can be changed in the dialog, and what is wrong is said where it was typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from exengine.engine.rows import Mode
from exengine.settings.form import NUMERIC
from exengine.ui.icons import Icons
from exengine.ui.settings_dialog import SettingsDialog
from exengine.ui.settings_overrides import OverridesSheet
from exengine.ui.theme import Look, Scheme
from tests.helpers.setting_cases.case import differences
from tests.ui import rows
from tests.ui.settings_desk import MemoryDesk, MemoryKeys, config_of
from tests.ui.settings_walk import NEVER_WRONG, RUNNING, TEXTS, Stop, Walk, beyond, stops

STOPS = stops()


@pytest.fixture(scope="module")
def walk(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One dialog for the whole walk."""
    look = Look(qapp, scheme=Scheme.DARK)
    folder: Path = tmp_path_factory.mktemp("settings")
    window = QWidget()
    window.resize(1440, 900)
    window.show()
    desk = MemoryDesk(config_of(**RUNNING), folder / "config.json")
    dialog = SettingsDialog(
        look, Icons(look), window, desk, keys=MemoryKeys(), mode=Mode.PAPER, now_ms=lambda: rows.NOW_MS
    )
    dialog.show()
    overrides = OverridesSheet(look, Icons(look), dialog, dialog.editing)
    overrides.show()
    yield Walk(dialog, overrides)
    overrides.done(0)
    dialog.done(0)
    window.hide()
    window.deleteLater()
    qapp.processEvents()


@pytest.mark.parametrize("stop", STOPS, ids=[stop.leaf for stop in STOPS])
def test_the_editor_of_a_value_changes_just_that_value(stop: Stop, walk: Walk) -> None:
    walk.begin(stop)
    before = walk.draft.config
    walk.change(stop)
    assert walk.draft.config is not None, [str(problem) for problem in walk.draft.problems]
    found = differences(before, walk.draft.config)
    assert found
    assert all(f"{leaf}.".startswith(f"{stop.leaf}.") for leaf in found), found
    assert walk.draft.is_changed_at(stop.place)
    assert walk.dialog.apply.isEnabled()


WRONG = [stop for stop in STOPS if stop.can_be_wrong]


@pytest.mark.parametrize("stop", WRONG, ids=[stop.leaf for stop in WRONG])
def test_what_is_wrong_is_said_at_its_field_and_keeps_apply_off(stop: Stop, walk: Walk) -> None:
    walk.begin(stop)
    assert walk.said_at(stop) == ""
    walk.spoil(stop)
    said = walk.said_at(stop)
    assert said != ""
    for limit in list(beyond(stop))[:1]:
        assert limit in said.replace("−", "-").replace(",", "")
    assert not walk.dialog.apply.isEnabled()
    assert "needs attention" in walk.dialog.fault.text()


def test_every_number_has_a_limit() -> None:
    """One that is not there is a limit that was forgotten."""
    assert [stop.leaf for stop in STOPS if stop.field.kind in NUMERIC and not beyond(stop)] == []


def test_only_fields_that_are_there_are_named() -> None:
    leaves = {stop.leaf for stop in STOPS}
    assert set(TEXTS) | set(NEVER_WRONG) <= leaves
