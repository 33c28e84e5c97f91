"""Every picture of the settings can be shot without a word of complaint from Qt. Looking is for people."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from exengine.ui.theme import Look, Scheme
from tests.ui import settings_screens
from tests.ui.settings_screens import Stage


@pytest.fixture(scope="module")
def stage(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(qapp, Look(qapp, scheme=Scheme.DARK), tmp_path_factory.mktemp("shots"), (1440, 900))
    yield made
    made.close()


@pytest.mark.parametrize("name", sorted(settings_screens.scenes()))
def test_a_scene_can_be_shot(name: str, stage: Stage) -> None:
    page, scene = settings_screens.scenes()[name]
    assert stage.shoot(page, scene, settings_screens.tree_of(name)).width() >= 960
