"""The configuration file is followed: other hands' edits are noticed, and a broken file is only named (FAULTS 62)."""

import json
from pathlib import Path
from typing import Any

from exengine.settings.file import checked, save
from exengine.settings.follow import DiskEdit, Follower
from exengine.settings.pages import Config


def write(path: Path, **pages: Any) -> None:
    path.write_text(json.dumps({"schema_version": 1, **pages}))


def looked(follower: Follower, running: Config) -> DiskEdit | None:
    """What comes out once the file stands still."""
    follower.has_news()
    assert follower.has_news()
    return follower.judged(running)


def test_a_file_that_says_what_runs_is_no_edit(tmp_path):
    path = tmp_path / "config.json"
    running = checked({"pool": {"max_open_groups": 3}})
    save(path, running)
    follower = Follower(path)
    assert looked(follower, running) is None
    assert not follower.has_news()


def test_an_edit_is_judged_once_and_only_when_it_stands_still(tmp_path):
    path = tmp_path / "config.json"
    write(path)
    follower = Follower(path)
    assert looked(follower, Config()) is None
    write(path, pool={"max_open_groups": 3})
    assert not follower.has_news()
    write(path, pool={"max_open_groups": 42})
    assert not follower.has_news()
    assert follower.has_news()
    edit = follower.judged(Config())
    assert edit is not None
    assert edit.config == checked({"pool": {"max_open_groups": 42}})
    assert not follower.has_news()


def test_a_broken_file_is_named_with_the_path_of_what_is_wrong(tmp_path):
    path = tmp_path / "config.json"
    write(path, pool={"max_open_groups": 0})
    edit = looked(Follower(path), Config())
    assert edit is not None
    assert edit.config is None
    assert "pool.max_open_groups" in edit.fault
    assert str(path) in edit.fault


def test_a_file_that_is_gone_is_told_where_it_said_something(tmp_path):
    path = tmp_path / "config.json"
    running = checked({"pool": {"max_open_groups": 3}})
    save(path, running)
    follower = Follower(path)
    assert looked(follower, running) is None
    path.unlink()
    edit = looked(follower, running)
    assert edit is not None
    assert "is gone" in edit.fault


def test_a_first_start_without_a_file_is_no_edit(tmp_path):
    follower = Follower(tmp_path / "config.json")
    assert follower.has_news()
    assert follower.judged(Config()) is None
