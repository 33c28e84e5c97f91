"""The dialogs of settings, secrets and the first run by keyboard alone: all of each is come to, in reading order."""

from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QWidget

from exengine.ui.first_run import FirstRun
from exengine.ui.sheet import Sheet
from tests.ui import secrets_screens, settings_screens
from tests.ui.conftest import Stage
from tests.ui.feed import setup
from tests.ui.settings_stage import Setting
from tests.ui.settings_stage import make as make
from tests.ui.test_access import can_be_tabbed_to, filled, name_of, reached
from tests.ui.test_first_run import Desk
from tests.ui.test_keyboard import reads_in_order

SECRETS: dict[str, Callable[[Stage], None]] = {
    "secrets": secrets_screens.secrets,
    "the new address": secrets_screens.secrets_reveal,
    "the app lock's passphrase": secrets_screens.app_lock,
}
SETTINGS = ("overrides", "going-live", "keys", "removing", "vault", "discard")
STEPS = ("where", "keys", "capital", "webhook", "limits")


def is_gone_through(root: QWidget) -> None:
    there = can_be_tabbed_to(root)
    assert there
    assert [widget for widget in there if not name_of(widget)] == []
    missed = there - reached(root, len(root.findChildren(QWidget)))
    assert {name_of(widget) for widget in missed} == set()


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_dialog_of_secrets_is_gone_through_as_it_is_read(stage: Stage, name: str) -> None:
    filled(stage)
    SECRETS[name](stage)
    sheet = stage.window.clicks.sheet
    assert sheet is not None
    sheet.activateWindow()
    stage.settle()
    is_gone_through(sheet)
    reads_in_order(sheet)
    sheet.reject()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_question_of_the_settings_is_gone_through_as_it_is_read(make: Callable[..., Setting], name: str) -> None:
    page, scene = settings_screens.SCENES[name]
    setting = make(**settings_screens.CONFIG)
    dialog = setting.dialog
    dialog.navigation.choose(page)
    scene(dialog)
    setting.until(lambda: [one for one in dialog.findChildren(Sheet) if one.isVisible()])
    (sheet,) = (one for one in dialog.findChildren(Sheet) if one.isVisible())
    sheet.activateWindow()
    setting.until(sheet.isActiveWindow)
    is_gone_through(sheet)
    reads_in_order(sheet)
    sheet.done(0)


@pytest.mark.parametrize("place", range(len(STEPS)), ids=STEPS)
def test_a_step_of_the_first_run_is_gone_through_as_it_is_read(stage: Stage, place: int) -> None:
    window, desk = stage.window, Desk()
    wizard = FirstRun(window.look, window.icons, window, desk, desk, setup=setup(), book=window.book)
    window.clicks.show(wizard)
    wizard.where.live.setChecked(True)
    wizard.go_to(place)
    wizard.activateWindow()
    stage.settle()
    is_gone_through(wizard)
    reads_in_order(wizard)
    wizard.reject()
