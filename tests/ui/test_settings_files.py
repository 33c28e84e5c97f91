"""The settings dialog and files: reset, backup and restore, and a file that is edited meanwhile."""

from pathlib import Path

from exengine.settings.file import text_of
from exengine.settings.follow import DiskEdit
from exengine.settings.pages import Config
from tests.ui.settings_desk import config_of
from tests.ui.settings_stage import make as make


def test_a_page_is_reset_to_its_defaults_and_no_other_is(make):
    setting = make(pool={"max_open_groups": 6}, queue={"limit": 7})
    setting.dialog.navigation.choose("pool")
    setting.dialog.reset.click()
    config = setting.dialog.editing.draft.config
    assert (config.pool.max_open_groups, config.queue.limit) == (10, 7)
    assert setting.row("pool.max_open_groups").input.text() == "10"


def test_a_backup_restores_to_the_same_bytes(make, tmp_path: Path):
    setting = make(pool={"max_open_groups": 6}, grid={"overrides": [{"match": {"side": "long"}}]})
    setting.desk.config_file.write_text(text_of(setting.desk.config))
    before = setting.desk.config_file.read_bytes()
    setting.dialog.back_up_to(tmp_path / "kept.json")
    assert (tmp_path / "kept.json").read_bytes() == before
    setting.type("pool.max_open_groups", "9")
    setting.apply()
    setting.until(lambda: setting.desk.applied)
    assert setting.desk.config_file.read_bytes() != before

    again = make(**Config.model_dump(setting.desk.config, mode="json"))
    again.dialog.restore_from(tmp_path / "kept.json")
    assert "kept.json is loaded" in again.dialog.notice.text.text()
    again.apply()
    again.until(lambda: again.desk.applied)
    assert again.desk.config_file.read_bytes() == before


def test_a_backup_that_cannot_be_used_changes_nothing(make, tmp_path: Path):
    setting = make()
    (tmp_path / "odd.json").write_text('{"pool": {"max_open_groups": 0}}')
    setting.dialog.restore_from(tmp_path / "odd.json")
    assert "pool.max_open_groups" in setting.dialog.notice.text.text()
    assert not setting.dialog.editing.draft.is_changed


def test_a_backup_that_cannot_be_written_is_said(make, tmp_path: Path):
    setting = make()
    setting.dialog.back_up_to(tmp_path / "nowhere" / "kept.json")
    assert "cannot be written" in setting.dialog.notice.text.text()


def test_a_file_that_was_edited_meanwhile_is_said_and_can_be_loaded(make):
    setting = make()
    setting.type("queue.limit", "7")
    setting.desk.edit = DiskEdit(config=config_of(pool={"max_open_groups": 3}), fault="")
    setting.desk.tell()
    notice = setting.dialog.notice
    assert "changed outside" in notice.text.text()
    assert setting.dialog.editing.draft.config.queue.limit == 7
    notice.choices[0].click()
    assert setting.dialog.editing.draft.config.pool.max_open_groups == 3


def test_a_file_that_was_spoilt_meanwhile_is_only_said(make):
    setting = make(edit=DiskEdit(config=None, fault="pool.max_open_groups: must be at least 1."))
    assert "cannot be used: pool.max_open_groups" in setting.dialog.notice.text.text()
    assert [choice.text() for choice in setting.dialog.notice.choices] == ["Keep what is here"]


def test_what_is_applied_elsewhere_is_what_runs_and_what_was_typed_stays(make):
    setting = make()
    setting.type("pool.max_open_groups", "6")
    setting.desk.config = config_of(pool={"max_open_groups": 6})
    setting.desk.tell()
    assert not setting.dialog.editing.draft.is_changed
