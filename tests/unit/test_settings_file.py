"""The configuration file: what is read, what is refused and how, and that nothing is ever half written."""

import json
import os
import stat
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exengine.settings import file
from exengine.settings.migrations import migrated
from exengine.settings.pages import Config
from exengine.settings.problems import ConfigError

OTHER = file.checked({"pool": {"max_open_groups": 3}, "take_profit": {"percent": "2.5"}})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def refusal(path: Path, content: str | bytes) -> str:
    """What `load` says of a file with `content`; the file must come out of it untouched."""
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    with pytest.raises(ConfigError) as refused:
        file.load(path)
    assert path.read_bytes() == data
    return str(refused.value)


def test_a_missing_file_is_a_first_start_with_the_defaults(path: Path) -> None:
    assert file.load(path) == file.read(path) == Config()
    assert list(path.parent.iterdir()) == []


def test_a_file_that_must_be_there_is_missed(path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no configuration"):
        file.read(path, must_exist=True)


def test_what_was_saved_is_loaded(path: Path) -> None:
    file.save(path, OTHER)
    assert file.load(path) == OTHER


def test_all_settings_are_written_so_that_other_defaults_change_nothing(path: Path) -> None:
    file.save(path, Config())
    written = json.loads(path.read_text(encoding="utf-8"))
    assert list(written) == list(Config.model_fields)
    assert written["risk"]["loss_threshold_percent"] == "-5"
    assert written["grid"]["legs"][1] == {"gap_percent": "-0.5", "weight_percent": "20", "tp_percent": "0.5"}


def test_the_text_is_for_people() -> None:
    text = file.text_of(OTHER)
    assert '    "max_open_groups": 3,\n' in text
    assert '      {"gap_percent": "-0.5", "weight_percent": "20", "tp_percent": "0.5"},\n' in text
    assert max(map(len, text.splitlines())) <= 120
    assert text.endswith("}\n")


def test_an_override_is_written_with_what_it_sets_and_no_more(path: Path) -> None:
    rule = {"match": {"symbol": "*/USDT"}, "grid": {"abandon_percent": None}, "sizing": {"amount": "5"}}
    file.save(path, file.checked({"grid": {"overrides": [rule]}}))
    assert json.loads(path.read_text(encoding="utf-8"))["grid"]["overrides"] == [rule]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_tolerated(path: Path, encoding: str) -> None:
    path.write_bytes('{"accounts": [{"name": "Köln", "exchange": "okx"}]}'.encode(encoding))
    assert file.load(path).accounts[0].name == "Köln"


@pytest.mark.parametrize("length", range(1, len(file.text_of(OTHER)) - 2, 97))
def test_a_file_cut_short_is_refused_with_its_line(path: Path, length: int) -> None:
    said = refusal(path, file.text_of(OTHER)[:length])
    assert "is not valid JSON: line " in said
    assert "cut short" in said


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"pool": {"max_open_groups": 3,}}', "line 1, column "),
        ('{\n  "pool": {\n    "max_open_groups" 3\n  }\n}', "line 3, column 23"),
        ("{'pool': {}}", "line 1, column 2"),
        ("{} {}", "line 1, column 4"),
        ("// mine\n{}", "line 1, column 1"),
        ("", "it is empty"),
        (" \n", "it is empty"),
        (b"\x00\x00\x00", "line 1, column 1"),
        (b'{"app":\n {"data_dir": "\xff"}}', "line 2, byte 16: that is not text in UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ('{"pool": ' * 50_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(path: Path, text: str | bytes, place: str) -> None:
    assert f"is not valid JSON: {place}" in refusal(path, text).replace("it is nested", "nested")


@pytest.mark.parametrize("text", ["[]", '"config"', "1", "null", "NaN"])
def test_what_is_no_object_is_refused(path: Path, text: str) -> None:
    assert "is not an object" in refusal(path, text)


def test_a_key_that_is_there_twice_is_refused(path: Path) -> None:
    text = '{"grid": {"legs": [{"gap_percent": 0, "gap_percent": -1}]}, "ui": {}, "ui": {"theme": "dark"}}'
    said = refusal(path, text)
    assert "grid.legs[0].gap_percent: is there twice" in said
    assert "ui: is there twice" in said


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"sizing": {"amount": NaN}}', "sizing.amount: must be a number"),
        ('{"sizing": {"amount": -Infinity}}', "sizing.amount: must be a number"),
        ('{"sizing": {"amount": 1e999999999999999999999}}', "sizing.amount: must be a number"),
        ('{"listener": {"port": %s}}' % ("9" * 5000), "listener.port: must be"),
        ('{"accounts": [{"name": "\\ud800", "exchange": "okx"}]}', "accounts[0].name: contains half"),
        ('{"ui": {"\\udfff": 1}}', 'ui["\\udfff"]: is half'),
        ('{"pool": {"max_open_group": 3}}', "pool.max_open_group: is not known here; did you mean max_open_groups?"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(path: Path, text: str, named: str) -> None:
    assert named in refusal(path, text)


def test_a_refusal_says_what_is_safe_and_what_to_do(path: Path) -> None:
    file.save(path, OTHER)
    file.load(path)
    path.write_text('{"pool": {"max_open_groups": 0}}', encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        file.load(path)
    assert refused.value.problems[0].place == ("pool", "max_open_groups")
    assert str(refused.value) == (
        f"The configuration {path} cannot be used:\n"
        "  pool.max_open_groups: must be at least 1 (it is 0)\n"
        "The file is as it was, and nothing was traded with it. "
        "Correct it with a text editor, or go back to the last good copy config.json.bak beside it."
    )


def test_many_faults_are_counted_not_listed_without_end(path: Path) -> None:
    said = refusal(path, json.dumps({f"k{index}": 1 for index in range(50)}))
    assert said.count("is not known here") == 20
    assert "and 30 more" in said


def test_a_folder_in_its_place_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        file.load(path)


def test_the_last_good_copy_survives_a_file_that_is_cut_short(path: Path) -> None:
    file.save(path, OTHER)
    assert file.load(path) == OTHER
    path.write_bytes(path.read_bytes()[:200])
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"config\.json\.bak"):
            file.load(path)
    assert file.read(file.last_good(path)) == OTHER


def test_saving_over_a_damaged_file_keeps_the_last_good_copy(path: Path) -> None:
    file.save(path, OTHER)
    file.load(path)
    path.write_text("{", encoding="utf-8")
    file.save(path, Config())
    assert file.read(file.last_good(path)) == OTHER
    assert file.load(path) == Config()


def test_saving_keeps_what_was_there_before(path: Path) -> None:
    file.save(path, Config())
    file.save(path, OTHER)
    assert file.read(file.last_good(path)) == Config()


def test_the_last_good_copy_can_be_put_back(path: Path) -> None:
    file.save(path, OTHER)
    file.load(path)
    path.write_text("{", encoding="utf-8")
    assert file.restore_last_good(path) == OTHER
    assert file.load(path) == OTHER
    assert path.with_name("config.json.broken").read_text(encoding="utf-8") == "{"


def test_without_a_last_good_copy_there_is_nothing_to_put_back(path: Path) -> None:
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="no last good copy"):
        file.restore_last_good(path)
    assert path.read_text(encoding="utf-8") == "{"


def test_a_file_that_vanished_is_not_a_first_start(path: Path) -> None:
    file.save(path, OTHER)
    file.load(path)
    path.unlink()
    with pytest.raises(ConfigError, match="is gone") as refused:
        file.load(path)
    assert "Rename the copy" in refused.value.remedy


def test_reading_writes_nothing(path: Path) -> None:
    path.write_text('{"schema_version": 1}', encoding="utf-8")
    file.read(path, migrations=[lambda tree: tree])
    assert [entry.name for entry in path.parent.iterdir()] == ["config.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_the_file_is_for_its_owner_only(path: Path) -> None:
    path.write_text("{}", encoding="utf-8")
    path.chmod(0o644)
    file.load(path)
    file.save(path, OTHER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.last_good(path).stat().st_mode) == 0o600


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "exengine.json"
    real.write_text("{}", encoding="utf-8")
    path.symlink_to(real)
    file.save(path, OTHER)
    assert path.is_symlink()
    assert file.read(real) == OTHER


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    file.save(path, Config())
    names = set(path.parent.iterdir())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(ConfigError, match="No space left on device") as refused:
        file.save(path, OTHER)
    monkeypatch.undo()
    assert refused.value.safe == "What was there before is unchanged."
    assert file.read(path) == Config()
    assert set(path.parent.iterdir()) == names


SAVE_FOREVER = """
import sys
from pathlib import Path
from exengine.settings import file
path = Path(sys.argv[1])
small, large = file.checked({}), file.checked({"sim": {"recorded": [f"A{n}.csv" for n in range(5000)]}})
print("saving", flush=True)
while True:
    file.save(path, large)
    file.save(path, small)
"""


def test_a_kill_at_any_instant_leaves_a_whole_file(path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    file.save(path, Config())
    for pause in (0.0, 0.013, 0.029, 0.041):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOREVER, str(path)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(root)},
        )
        assert process.stdout is not None
        with process.stdout as output:
            output.readline()
            time.sleep(pause)
            process.kill()
        process.wait()
        assert len(file.load(path).sim.recorded) in (0, 5000)
        assert len(file.read(file.last_good(path)).sim.recorded) in (0, 5000)


def renamed_pool(tree: dict[str, Any]) -> dict[str, Any]:
    """A step of a later version, which renames a page."""
    kept = {key: value for key, value in tree.items() if key != "slots"}
    return kept | {"pool": {"max_open_groups": tree["slots"]}}


def doubled(tree: dict[str, Any]) -> dict[str, Any]:
    return tree | {"pool": {"max_open_groups": tree["pool"]["max_open_groups"] * 2}}


OLD = '{"schema_version": 1, "slots": 4, "take_profit": {"percent": 0.1}}'


def test_an_older_file_is_migrated_step_by_step_with_a_backup(path: Path) -> None:
    path.write_text(OLD, encoding="utf-8")
    config = file.load(path, migrations=[renamed_pool, doubled])
    assert config.pool.max_open_groups == 8
    assert config.take_profit.percent == Decimal("0.1")
    assert config.schema_version == 3
    assert path.with_name("config.v1.json").read_text(encoding="utf-8") == OLD
    assert file.load(path, migrations=[renamed_pool, doubled]) == config


def test_only_the_steps_that_are_missing_are_taken() -> None:
    assert migrated({"pool": {"max_open_groups": 2}}, 2, [renamed_pool, doubled]) == {
        "pool": {"max_open_groups": 4},
        "schema_version": 3,
    }


def test_no_backup_is_written_over(path: Path) -> None:
    path.with_name("config.v1.json").write_text("an older one", encoding="utf-8")
    path.write_text(OLD, encoding="utf-8")
    file.load(path, migrations=[renamed_pool])
    assert path.with_name("config.v1.json").read_text(encoding="utf-8") == "an older one"
    assert path.with_name("config.v1-2.json").read_text(encoding="utf-8") == OLD


@pytest.mark.parametrize("old", ['{"schema_version": 1}', '{"schema_version": 1, "slots": 0}'])
def test_a_migration_that_fails_changes_nothing(path: Path, old: str) -> None:
    path.write_text(old, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"version 1 and could not|max_open_groups"):
        file.load(path, migrations=[renamed_pool])
    assert path.read_text(encoding="utf-8") == old
    assert [entry.name for entry in path.parent.iterdir()] == ["config.json"]


def test_a_file_of_a_newer_program_is_refused_with_what_to_do(path: Path) -> None:
    said = refusal(path, '{"schema_version": 2, "slots": {}}')
    assert "schema_version 2" in said
    assert "Install that newer version" in said
    path.with_name("config.v1.json").write_text("{}", encoding="utf-8")
    assert "go back to config.v1.json" in refusal(path, '{"schema_version": 2}')


@pytest.mark.parametrize("version", ["0", "-1", "1.5", '"one"', "true", "null", "[]"])
def test_a_version_that_is_none_is_refused(path: Path, version: str) -> None:
    assert "schema_version: must be" in refusal(path, f'{{"schema_version": {version}}}')


def test_a_file_without_a_version_is_read_as_of_today(path: Path) -> None:
    path.write_text('{"pool": {"max_open_groups": 4}}', encoding="utf-8")
    assert file.load(path).pool.max_open_groups == 4
