"""Where the files are."""

import os
import stat
from pathlib import Path

import pytest

from exengine.settings.paths import DataDir, chosen_data_dir, default_data_dir


def test_everything_is_below_the_data_folder(tmp_path: Path) -> None:
    folder = DataDir(tmp_path)
    files = [folder.config_file, folder.database_file, folder.log_dir, folder.lock_file, folder.layout_file]
    assert {path.parent for path in files} == {tmp_path}
    assert len({path.name for path in files}) == len(files)
    assert folder.config_file.name == "config.json"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataDir(tmp_path / "a" / "ExEngine").create()
    for path in (folder.path, folder.log_dir):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert folder.create() == folder


def test_the_option_comes_before_the_configuration_and_that_before_the_platform(tmp_path: Path) -> None:
    assert chosen_data_dir(tmp_path, "/elsewhere") == DataDir(tmp_path)
    assert chosen_data_dir(None, str(tmp_path)) == DataDir(tmp_path)
    assert chosen_data_dir(None, None) == default_data_dir()
    assert default_data_dir().path.name == "ExEngine"
    assert chosen_data_dir(Path("here"), None).path.is_absolute()
